"""From one latent to another under a slider: straight through the middle, or along the arc.

The panel draws frames and listens; every picture comes from `interpolation_render`.
"""

from __future__ import annotations

import ipywidgets as widgets

from ...egan.interpolation import WAYS
from ...language import say
from ..panel import button, heading, row
from ..stylegan.panel import StylePanel, hooked, picture, said, seed_box, slider
from .interpolation_render import STEPS, TILE, InterpolationFrame, InterpolationRenderer, InterpolationState

NOTES = {"linear": "(1 − α) z1 + α z2", "spherical": "equal angles"}


class InterpolationPanel(StylePanel):
    """G on the way from z1 to z2, both ways at once.

    G: a generator of pictures. first, second: the seeds of z1 and z2. `.state`, `.frame`, `.widget`,
    `change(alpha=0.3)`: see `StylePanel`.
    """

    def __init__(self, G, first: int = 1, second: int = 2, alpha: float = 0.5):
        super().__init__(InterpolationRenderer(G), InterpolationState(first, second, alpha))

    def _build(self) -> None:
        self.first = seed_box("gt-way-first", self.state.first, "z1")
        self.second = seed_box("gt-way-second", self.state.second, "z2")
        self.next = button(say("Next"), "gt-way-next", self._next, width="80px")
        self.undo = button(say("↶ Undo"), "gt-way-undo", self.step_back, width="104px")
        self.reset = button(say("Reset"), "gt-way-reset", self.start_again, width="84px")
        self.alpha = slider(widgets.FloatSlider, "gt-way-alpha", "α", "24px", value=self.state.alpha, min=0.0, max=1.0,
                            step=0.01)
        self.large = [picture(f"gt-way-{name}", 192) for name in WAYS]
        self.strips = [picture(f"gt-way-{name}-strip", STEPS * TILE * 3 // 4, TILE * 3 // 4 + 6) for name in WAYS]
        self.text = hooked(widgets.HTML(), "gt-way-text")
        rows = []
        for name, large, strip in zip(WAYS, self.large, self.strips):
            strip.layout.height = "auto"
            rows.append(row(large, widgets.VBox([heading(say(name), say(NOTES[name])), strip]), gap="16px"))
        controls = row(self.first, self.second, self.next, self.undo, self.reset, gap="8px")
        self.widget = hooked(widgets.VBox([controls, self.alpha, self.text, self.error, *rows], layout=widgets.Layout(
            max_width="860px", padding="8px 12px", grid_gap="8px")), "gt-way")

    def _listen(self) -> None:
        self._watch(self.first, lambda seed: self.change(first=seed))
        self._watch(self.second, lambda seed: self.change(second=seed))
        self._watch(self.alpha, lambda value: self.change("alpha", alpha=value))

    def _next(self) -> None:
        """Go on from where the way ended, to a new end."""
        self._guard(lambda: self.change(first=self.state.second, second=(self.state.second + 1) % 2**31, alpha=0.0))

    def _sync(self) -> None:
        self.first.value, self.second.value = self.state.first, self.state.second
        self._put(self.alpha, self.state.alpha)
        self.undo.disabled = not self.history.past

    def show(self, frame: InterpolationFrame) -> None:
        """Put a frame on the screen."""
        for image, new in zip((*self.large, *self.strips), (*frame.large, *frame.strips)):
            if bytes(image.value) != new:
                image.value = new
        self.text.value = said(frame.text)
