"""From one latent to another under a slider: straight through the middle, or along the arc."""

import ipywidgets as widgets

from ...egan.interpolation import WAYS
from ...language import say
from ..controls import column, field, hooked, html, picture, row, said, swap, under
from ..panel import DrawnPanel
from .interpolation_render import STEPS, TILE, InterpolationFrame, InterpolationRenderer, InterpolationState

NOTES = {"linear": "(1 − α) z1 + α z2", "spherical": "equal angles"}


class InterpolationPanel(DrawnPanel):
    """G on the way from z1 to z2, both ways at once.

    G: a generator of pictures. first, second: the seeds of z1 and z2. `.state`, `.frame`, `change(alpha=0.3)`: see
    `DrawnPanel`.
    """

    def __init__(self, G, first: int = 1, second: int = 2):
        super().__init__(InterpolationRenderer(G), InterpolationState(first, second))

    def _build(self) -> None:
        self.first = self.number_box("gt-way-first", "z1", self.state.first, lambda seed: self.change(first=seed))
        self.second = self.number_box("gt-way-second", "z2", self.state.second, lambda seed: self.change(second=seed))
        self.next = self.button(say("Next"), "gt-way-next", self._next, width="80px")
        self.alpha = field(widgets.FloatSlider, "gt-way-alpha", "α", "auto", "24px", value=self.state.alpha, min=0.0,
                           max=1.0, step=0.01)
        self.large = [picture(f"gt-way-{name}", 192) for name in WAYS]
        self.strips = [picture(f"gt-way-{name}-strip", STEPS * TILE, TILE + 8) for name in WAYS]
        self.text = html("gt-way-text")
        for strip in self.strips:
            strip.layout.height = "auto"
        self.widget = hooked(column(
            row(self.first, self.second, self.next, *self.travel_buttons("gt-way", "104px", "84px"), gap="8px"),
            self.alpha, self.text, self.error,
            *(row(large, under(say(name), say(NOTES[name]), strip), gap="16px")
              for name, large, strip in zip(WAYS, self.large, self.strips)),
            gap="8px", max_width="900px", padding="8px 12px"), "gt-way")

    def _listen(self) -> None:
        self._watch(self.alpha, lambda value: self.change("alpha", alpha=value))

    def _next(self) -> None:
        """Go on from where the way ended, to a new end."""
        self.change(first=self.state.second, second=(self.state.second + 1) % 2**31, alpha=0.0)

    def _sync(self) -> None:
        self.first.value, self.second.value = self.state.first, self.state.second
        self._put(self.alpha, self.state.alpha)

    def show(self, frame: InterpolationFrame) -> None:
        ends = {"n": STEPS, "first": self.state.first, "second": self.state.second}
        for name, large, strip, *new in zip(WAYS, self.large, self.strips, frame.large, frame.strips):
            swap(large, new[0], f"{say(name)}: {frame.text}")
            swap(strip, new[1], say("{n} pictures on the way from the z of seed {first} to that of seed {second}, "
                                    "{way}; a bar marks α.", **ends, way=say(name)))
        self.text.value = said(frame.text)
