"""AdaIN by hand: drag y_s and y_b of one unit, and see its map, the map's histogram and the picture follow.

The panel draws frames and listens; every number comes from `adain_render`.
"""

from __future__ import annotations

import ipywidgets as widgets

from ...language import say
from ...stylegan.operations import adain
from ..panel import button, heading, row
from .adain_render import STRONGEST, AdaINFrame, AdaINRenderer, Strongest
from .drawer import pixels
from .panel import StylePanel, choice, hooked, picture, said, seed_box, slider


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

    # ------------------------------------------------------------------------------ the widgets

    def _build(self) -> None:
        names = list(self.renderer.drawers)
        self.model = choice("gt-adain-model", say("Model"), names, self.state.model, "250px")
        self.model.layout.display = "" if len(names) > 1 else "none"
        self.seed = seed_box("gt-adain-seed", self.state.seed)
        self.next = button(say("Next"), "gt-adain-next", self._next, width="80px")
        self.layer = choice("gt-adain-layer", say("Layer"), [("0", 0)], 0, "180px")
        self.unit = hooked(widgets.BoundedIntText(value=0, min=0, max=1, description=say("Unit"),
                                                  layout=widgets.Layout(width="130px"),
                                                  style={"description_width": "34px"}), "gt-adain-unit")
        self.strong = [button("", "gt-adain-strong", lambda i=i: self._take(i), width="52px")
                       for i in range(STRONGEST)]
        span = {"min": -2.0, "max": 2.0, "step": 0.05, "readout_format": "+.2f"}
        self.y_s = slider(widgets.FloatSlider, "gt-adain-ys", say("y_s (spread)"), "108px", value=1.0, **span)
        self.y_b = slider(widgets.FloatSlider, "gt-adain-yb", say("y_b (mean)"), "108px", value=0.0, **span)
        self.own = button(say("Own style"), "gt-adain-own", lambda: self.change(y_s=None, y_b=None), width="124px")
        self.silent = button(say("Silence"), "gt-adain-silent", lambda: self.change(y_s=0.0, y_b=0.0), width="92px")
        self.undo = button(say("↶ Undo"), "gt-adain-undo", self.step_back, width="104px")
        self.redo = button(say("↷ Redo"), "gt-adain-redo", self.step_forward, width="104px")
        self.reset = button(say("Reset"), "gt-adain-reset", self.start_again, width="84px")
        self.before, self.after = picture("gt-adain-before", 256), picture("gt-adain-after", 256)
        self.map_before, self.map_after = picture("gt-adain-map", 160), picture("gt-adain-mapped", 160)
        for image in (self.map_before, self.map_after):
            image.format = "png"
        self.histograms = hooked(widgets.HTML(), "gt-adain-histograms")
        self.text = hooked(widgets.HTML(), "gt-adain-text")
        self.rank = hooked(widgets.HTML(), "gt-adain-rank")

        def under(title, note, image):
            return widgets.VBox([heading(title, note), image])

        seen = widgets.VBox([
            row(under(say("picture"), say("its own style"), self.before),
                under(say("picture"), say("your style"), self.after), gap="16px"),
            row(under("x", say("dark least, light most"), self.map_before),
                under("AdaIN(x, y)", say("one scale for all y"), self.map_after), gap="16px"),
            self.text], layout=widgets.Layout(width="544px", grid_gap="8px"))
        controls = widgets.VBox([
            row(self.model, self.seed, self.next, gap="8px"), row(self.layer, self.unit, gap="8px"),
            self.rank, row(*self.strong, gap="4px"), self.y_s, self.y_b,
            row(self.own, self.silent, self.undo, self.redo, self.reset, gap="8px"), self.error,
            self.histograms], layout=widgets.Layout(flex="1 1 400px", min_width="400px", grid_gap="6px"))
        self.widget = hooked(row(seen, controls, gap="24px", padding="8px 12px"), "gt-adain")
        self.widget.layout.align_items = "flex-start"

    def _listen(self) -> None:
        self._watch(self.model, lambda name: self._jump(model=name, layer=None))
        self._watch(self.seed, lambda seed: self._jump(seed=seed))
        self._watch(self.layer, lambda layer: self._jump(layer=layer))
        self._watch(self.unit, lambda unit: self.change("unit", unit=unit, y_s=None, y_b=None))
        self._watch(self.y_s, lambda value: self.change("y_s", y_s=value))
        self._watch(self.y_b, lambda value: self.change("y_b", y_b=value))

    # ------------------------------------------------------------------------------ what the controls do

    def _jump(self, **changes) -> None:
        """Another picture or layer, with the style's own y: in another layer, of the unit that is strong there."""
        state = {"model": self.state.model, "seed": self.state.seed, "layer": self.state.layer} | changes
        unit = None if changes.keys() & {"model", "layer"} else self.state.unit
        self._guard(lambda: self.change(**vars(self.renderer.start(**state, unit=unit))))

    def _next(self) -> None:
        self._jump(seed=(self.state.seed + 1) % 2**31)

    def _take(self, i: int) -> None:
        """The unit of the i-th button."""
        if self.strong[i].description:
            self._guard(lambda: self.change(unit=int(self.strong[i].description), y_s=None, y_b=None))

    # ------------------------------------------------------------------------------ showing

    def _sync(self) -> None:
        state, drawer = self.state, self.renderer.drawers[self.state.model]
        self.model.value, self.seed.value = state.model, state.seed
        layers = tuple((f"{i} · {pixels(i)} px", i) for i in range(drawer.layers))
        if self.layer.options != layers:
            self.layer.options = layers
        self.layer.value = state.layer
        self.unit.max = self.renderer.units(state) - 1
        self.unit.value = state.unit
        for control, value, span in zip((self.y_s, self.y_b), self.renderer.y(state), self.renderer.spans(state)):
            span = max(span, abs(value))
            control.min, control.max = -span, span
            self._put(control, value)
        self.undo.disabled, self.redo.disabled = not self.history.past, not self.history.future

    def show(self, frame: AdaINFrame) -> None:
        """Put a frame on the screen."""
        for image, new in ((self.before, frame.own), (self.after, frame.picture), (self.map_before, frame.before),
                           (self.map_after, frame.after)):
            if bytes(image.value) != new:
                image.value = new
        self.histograms.value, self.text.value = frame.histograms, said(frame.text)

    def show_later(self, found: Strongest) -> None:
        """Name the strongest units on their buttons."""
        words = say("silenced, these units change the picture most, by up to {share:.1f} %:",
                    share=50 * found.change[0])
        self.rank.value = f'<div style="font-size:14px;line-height:1.5">{words}</div>'
        for i, it in enumerate(self.strong):
            it.layout.display = "" if i < len(found.units) else "none"
            it.description = str(found.units[i]) if i < len(found.units) else ""
