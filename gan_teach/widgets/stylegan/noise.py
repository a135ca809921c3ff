"""The noise inputs under switches: a tick for each layer, other draws, and where in the picture chance decides."""

from dataclasses import replace

import ipywidgets as widgets

from ...language import say
from ...stylegan.adain_mixing_truncation import layer_groups
from ..controls import choices, column, heading, hooked, html, picture, row, said, swap, under
from .noise_render import BRIGHTER, DRAWS, OTHERS, NoiseFrame, NoiseRenderer, Scatter, describe
from .panel import StylePanel

PRESETS = ALL, NONE = "all", "none"


class NoisePanel(StylePanel):
    """What the noise decides.

    models: a `stylegan.Generator`, or a dict name -> Generator. psi: truncation of all pictures. `.state`, `.frame`,
    `.widget`, `change(noisy=(8, 9))`: see `StylePanel`.
    """

    def __init__(self, models, seed: int = 1, psi: float = 0.7, model: str | None = None):
        renderer = NoiseRenderer(models, psi)
        super().__init__(renderer, renderer.start(model, seed))

    def _build(self) -> None:
        hook = "gt-noise"
        self.large, self.silent = picture(f"{hook}-large", 288), picture(f"{hook}-silent", 288)
        self.deviation = picture(f"{hook}-deviation", 288)
        self.others = [picture(f"{hook}-other", 142) for _ in range(OTHERS)]
        self.text, self.found = html(f"{hook}-text"), html(f"{hook}-found")
        four = widgets.GridBox(self.others, layout=widgets.Layout(grid_template_columns=f"repeat({OTHERS}, 142px)",
                                                                  grid_gap="4px"))
        layers = self.layer_ticks(hook, "noisy", 92, 94)
        self.widget = hooked(column(
            row(self.model_list(hook), *self.seed_and_next(hook, lambda seed: self.change(seed=seed), say("Next")),
                *self.travel_buttons(hook, "104px", "84px"), gap="8px"),
            row(under(say("picture"), say("with the noise ticked"), self.large),
                under(say("no noise"), say("same styles"), self.silent),
                under(say("scatter"), say("{n} draws, ×{times}; dark: none", n=DRAWS, times=BRIGHTER), self.deviation),
                under(say("other draws"), say("same styles"), four), gap="16px", align="flex-start"),
            self.text, self.found, self.error,
            row(heading(say("Noise in the layers")), self.preset, *self.noise_buttons(hook, "96px", "84px"),
                gap="10px"), layers,
            gap="8px", padding="8px 12px"), hook)

    def _listen(self) -> None:
        self._watch(self.model, lambda name: self.change(model=name, noisy=None))

    def _presets(self) -> dict[str, tuple[int, ...] | None]:
        return {ALL: None, **layer_groups(self.drawer.layers), NONE: ()}

    def _sync(self) -> None:
        self.model.value, self.seed.value = self.state.model, self.state.seed
        self._sync_layers(choices(self._presets()))

    def show(self, frame: NoiseFrame) -> None:
        swap(self.large, frame.picture, frame.text)
        swap(self.silent, frame.silent, describe(replace(self.state, noisy=())))
        self.text.value = said(frame.text)

    def show_later(self, part: Scatter) -> None:
        """Put the other draws on the screen, and the scatter when it is known."""
        for seed, (place, new) in enumerate(zip(self.others, part.others), start=(self.state.noise or 0) + 1):
            swap(place, new, describe(replace(self.state, noise=seed)))
        if part.deviation:
            swap(self.deviation, part.deviation, part.text)
        self.found.value = said(part.text or say("{n} draws are being made …", n=DRAWS))
