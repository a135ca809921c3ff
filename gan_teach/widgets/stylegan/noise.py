"""The noise inputs under switches: a tick for each layer, other draws, and where in the picture chance decides.

The panel draws frames and listens; every number comes from `noise_render`.
"""

from __future__ import annotations

import ipywidgets as widgets

from ...language import say
from ...stylegan.operations import layer_groups
from ..panel import button, choices, heading, row
from .drawer import pixels
from .noise_render import BRIGHTER, DRAWS, OTHERS, NoiseFrame, NoiseRenderer, Scatter
from .panel import StylePanel, choice, hooked, picture, said, seed_box, tick, toggles

PRESETS = ALL, NONE = "all", "none"


class NoisePanel(StylePanel):
    """What the noise decides.

    models: a `stylegan.Generator`, or a dict name -> Generator. psi: truncation of all pictures. `.state`, `.frame`,
    `.widget`, `change(noisy=(8, 9))`: see `StylePanel`.
    """

    def __init__(self, models, seed: int = 1, psi: float = 0.7, model: str | None = None):
        renderer = NoiseRenderer(models, psi)
        super().__init__(renderer, renderer.start(model, seed))

    # ------------------------------------------------------------------------------ the widgets

    def _build(self) -> None:
        names = list(self.renderer.drawers)
        self.model = choice("gt-noise-model", say("Model"), names, self.state.model, "250px")
        self.model.layout.display = "" if len(names) > 1 else "none"
        self.seed = seed_box("gt-noise-seed", self.state.seed)
        self.next = button(say("Next"), "gt-noise-next", lambda: self.change(seed=(self.state.seed + 1) % 2**31),
                           width="80px")
        self.preset = toggles("gt-noise-preset", choices([ALL]))
        self.ticks = [tick("gt-noise-layer", "", "92px")
                      for _ in range(max(drawer.layers for drawer in self.renderer.drawers.values()))]
        self.redraw = button(say("Re-draw"), "gt-noise-redraw", self._redraw, width="96px")
        self.stored = button(say("Stored"), "gt-noise-stored", lambda: self.change(noise=None), width="84px")
        self.undo = button(say("↶ Undo"), "gt-noise-undo", self.step_back, width="104px")
        self.redo = button(say("↷ Redo"), "gt-noise-redo", self.step_forward, width="104px")
        self.reset = button(say("Reset"), "gt-noise-reset", self.start_again, width="84px")
        self.large, self.silent = picture("gt-noise-large", 288), picture("gt-noise-silent", 288)
        self.deviation = picture("gt-noise-deviation", 288)
        self.deviation.format = "png"
        self.others = [picture("gt-noise-other", 142) for _ in range(OTHERS)]
        self.text, self.found = hooked(widgets.HTML(), "gt-noise-text"), hooked(widgets.HTML(), "gt-noise-found")

        def under(title, note, *content):
            return widgets.VBox([heading(title, note), *content])

        side = f"repeat({OTHERS}, 142px)"
        four = widgets.GridBox(self.others, layout=widgets.Layout(grid_template_columns=side, grid_gap="4px"))
        shown = row(under(say("picture"), say("with the noise ticked"), self.large),
                    under(say("no noise"), say("same styles"), self.silent),
                    under(say("scatter"), say("{n} draws, ×{times}; dark: none", n=DRAWS, times=BRIGHTER),
                          self.deviation),
                    under(say("other draws"), say("same styles"), four), gap="16px")
        shown.layout.align_items = "flex-start"
        layers = widgets.GridBox(self.ticks, layout=widgets.Layout(grid_template_columns="repeat(auto-fill, 94px)",
                                                                   grid_gap="0"))
        self.widget = hooked(widgets.VBox([
            row(self.model, self.seed, self.next, self.undo, self.redo, self.reset, gap="8px"), shown,
            self.text, self.found, self.error,
            row(heading(say("Noise in the layers")), self.preset, self.redraw, self.stored, gap="10px"), layers,
        ], layout=widgets.Layout(padding="8px 12px", grid_gap="8px")), "gt-noise")

    def _listen(self) -> None:
        self._watch(self.model, lambda name: self.change(model=name, noisy=None))
        self._watch(self.seed, lambda seed: self.change(seed=seed))
        self._watch(self.preset, self._preset)
        for box in self.ticks:
            self._watch(box, lambda _: self.change(noisy=tuple(i for i, box in enumerate(self.ticks) if box.value)))

    # ------------------------------------------------------------------------------ what the controls do

    def _layers(self) -> int:
        return self.renderer.drawers[self.state.model].layers

    def _preset(self, name: str | None) -> None:
        if name is not None:
            self.change(noisy={ALL: None, NONE: (), **layer_groups(self._layers())}[name])

    def _redraw(self) -> None:
        """The next draw; the stored one is that of seed 0."""
        self._guard(lambda: self.change(noise=(self.state.noise or 0) + 1))

    # ------------------------------------------------------------------------------ showing

    def _sync(self) -> None:
        state, of = self.state, layer_groups(self._layers())
        self.model.value, self.seed.value = state.model, state.seed
        options = tuple(choices((ALL, *of, NONE)))
        if self.preset.options != options:
            self.preset.options = options
        chosen = {ALL: None, **of, NONE: ()}
        self.preset.value = next((name for name, layers in chosen.items() if layers == state.noisy), None)
        for i, box in enumerate(self.ticks):
            box.layout.display = "" if i < self._layers() else "none"
            box.description = f"{i} · {pixels(i)} px"
            box.value = i < self._layers() and (state.noisy is None or i in state.noisy)
        self.undo.disabled, self.redo.disabled = not self.history.past, not self.history.future

    def show(self, frame: NoiseFrame) -> None:
        """Put the pictures on the screen."""
        self.large.value, self.text.value = frame.picture, said(frame.text)
        if bytes(self.silent.value) != frame.silent:
            self.silent.value = frame.silent

    def show_later(self, part: Scatter) -> None:
        """Put the other draws on the screen, and the scatter when it is known."""
        for image, new in zip(self.others, part.others):
            image.value = new
        if part.deviation:
            self.deviation.value = part.deviation
        self.found.value = said(part.text or say("{n} draws are being made …", n=DRAWS))
