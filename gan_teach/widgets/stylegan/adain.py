"""AdaIN by hand: drag y_s and y_b of one unit, and see its map, the map's histogram and the picture follow."""

import ipywidgets as widgets

from ...language import say
from ...stylegan.adain_mixing_truncation import adain
from ..controls import column, field, hooked, html, offer, picture, row, said, swap, under
from .adain_render import STRONGEST, AdaINFrame, AdaINRenderer, Strongest
from .panel import StylePanel
from .shared_render import pixels


class AdaINPanel(StylePanel):
    """One unit's style under two sliders.

    models: a `stylegan.Generator`, or a dict name -> Generator. layer, unit: at the start; None is a layer in the
    middle, and the unit to which its style gives the largest y_s. psi: truncation of all pictures. adain: what computes
    Eq. 1 in place of `stylegan.adain`. `.state`, `.frame`, `.widget`, `change(y_s=0)`: see `StylePanel`.
    """

    def __init__(self, models, seed: int = 1, layer: int | None = None, unit: int | None = None, psi: float = 0.7,
                 model: str | None = None, adain=adain):
        renderer = AdaINRenderer(models, psi, adain=adain)
        super().__init__(renderer, renderer.start(model, seed, layer, unit))

    def _build(self) -> None:
        self._ranked = None                     # the model and layer whose strongest units stand on their buttons
        hook, span = "gt-adain", {"min": -2.0, "max": 2.0, "step": 0.05, "readout_format": "+.2f"}
        self.layer = field(widgets.Dropdown, f"{hook}-layer", say("Layer"), "180px", "48px", options=[("0", 0)])
        self.unit = field(widgets.IntText, f"{hook}-unit", say("Unit"), "130px", "34px")      # `change` refuses others
        self.strong = [self.button("", f"{hook}-strong", lambda i=i: self._take(i), width="52px")
                       for i in range(STRONGEST)]
        self.y_s = field(widgets.FloatSlider, f"{hook}-ys", say("y_s (spread)"), "auto", "108px", value=1.0, **span)
        self.y_b = field(widgets.FloatSlider, f"{hook}-yb", say("y_b (mean)"), "auto", "108px", value=0.0, **span)
        self.own = self.button(say("Own style"), f"{hook}-own", lambda: self.change(y_s=None, y_b=None), width="124px")
        self.silent = self.button(say("Silence"), f"{hook}-silent", lambda: self.change(y_s=0.0, y_b=0.0))
        self.before, self.after = picture(f"{hook}-before", 256), picture(f"{hook}-after", 256)
        self.map_before, self.map_after = (picture(f"{hook}-{name}", 160) for name in ("map", "mapped"))
        self.histograms, self.text, self.rank = (html(f"{hook}-{name}") for name in ("histograms", "text", "rank"))
        seen = column(
            row(under(say("picture"), say("its own style"), self.before),
                under(say("picture"), say("your style"), self.after), gap="16px"),
            row(under("x", say("dark least, light most"), self.map_before),
                under("AdaIN(x, y)", say("one scale for all y"), self.map_after), gap="16px"),
            self.text, gap="8px", width="544px")
        controls = column(
            row(self.model_list(hook), *self.seed_and_next(hook, lambda seed: self._jump(seed=seed), say("Next")),
                gap="8px"),
            row(self.layer, self.unit, gap="8px"), self.rank, row(*self.strong, gap="4px"), self.y_s, self.y_b,
            row(self.own, self.silent, *self.travel_buttons(hook, "104px", "84px"), gap="8px"), self.error,
            self.histograms, gap="6px", flex="1 1 400px", min_width="400px")
        self.widget = hooked(row(seen, controls, gap="24px", align="flex-start", padding="8px 12px"), hook)

    def _listen(self) -> None:
        self._watch(self.model, lambda name: self._jump(model=name, layer=None))
        self._watch(self.layer, lambda layer: self._jump(layer=layer))
        self._watch(self.unit, lambda unit: self.change("unit", unit=unit, y_s=None, y_b=None))
        self._watch(self.y_s, lambda value: self.change("y_s", y_s=value))
        self._watch(self.y_b, lambda value: self.change("y_b", y_b=value))

    def _jump(self, **changes) -> None:
        """Another picture or layer, with the style's own y: in another layer, of the unit that is strong there."""
        state = {"model": self.state.model, "seed": self.state.seed, "layer": self.state.layer} | changes
        unit = None if changes.keys() & {"model", "layer"} else self.state.unit
        self.change(**vars(self.renderer.start(**state, unit=unit)))

    def _offer_strong(self, known: bool) -> None:
        """Show the strongest units, or keep their place while those of another layer are searched."""
        for it in (self.rank, *self.strong):
            it.layout.visibility = "visible" if known else "hidden"

    def _take(self, i: int) -> None:
        """The unit of the i-th button."""
        if self.strong[i].description:
            self.change(unit=int(self.strong[i].description), y_s=None, y_b=None)

    def _sync(self) -> None:
        state = self.state
        self.model.value, self.seed.value = state.model, state.seed
        offer(self.layer, [(f"{i} · {pixels(i)} px", i) for i in range(self.drawer.layers)])
        self.layer.value = state.layer
        self.unit.value = state.unit
        for control, value, span in zip((self.y_s, self.y_b), self.renderer.y(state), self.renderer.spans(state)):
            span = max(span, abs(value))
            control.min, control.max = -span, span
            self._put(control, value)
        self._offer_strong((state.model, state.layer) == self._ranked)

    def show(self, frame: AdaINFrame) -> None:
        of = {"seed": self.state.seed, "unit": self.state.unit, "layer": self.state.layer}
        swap(self.before, frame.own, say("The picture of seed {seed}, with its own style.", **of))
        swap(self.after, frame.picture, say("The picture of seed {seed}, with your style. {text}", **of,
                                            text=frame.text))
        swap(self.map_before, frame.before, say("The map of unit {unit} in layer {layer}, before AdaIN.", **of))
        swap(self.map_after, frame.after, say("The map of unit {unit} in layer {layer}, after AdaIN.", **of))
        self.histograms.value, self.text.value = frame.histograms, said(frame.text)

    def show_later(self, found: Strongest) -> None:
        """Name the strongest units on their buttons."""
        words = say("silenced, these units change the picture most, by up to {share:.1f} %:",
                    share=50 * found.change[0])
        self.rank.value = f'<div style="font-size:14px;line-height:1.5">{words}</div>'
        self._ranked = self.state.model, self.state.layer
        self._offer_strong(True)
        for i, it in enumerate(self.strong):
            it.layout.display = "" if i < len(found.units) else "none"
            it.description = str(found.units[i]) if i < len(found.units) else ""
