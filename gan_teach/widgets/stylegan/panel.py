"""What the panels of chapter 2 have in common: the newest picture first, and what follows it when the hand rests.

A panel's renderer has `later(state)` beside `render(state)`, which must come at once: an iterator over what may follow.
It is drawn in a thread of its own, so that a slider never waits for it.
"""

import threading

import ipywidgets as widgets

from ...language import say
from ..controls import choices, field, offer, tick, toggles
from ..panel import DrawnPanel
from .shared_render import Drawer, pixels

REST = 0.2          # seconds without a new wish until what follows the picture is drawn


class StylePanel(DrawnPanel):
    """`show(frame)` and `show_later(part)` put on the screen what the renderer returns."""

    ERROR = "gt-style-error"

    def __init__(self, renderer, state):
        self._behind, self._idle, self._moved = True, threading.Event(), threading.Event()
        self._worker, self._ended = None, False
        super().__init__(renderer, state)
        self._work(rest=0)                                  # the first time at once: a page without kernel shows it all

    # ------------------------------------------------------------------------------ the model, its layers and noise

    def model_list(self, hook: str, width: str = "250px") -> widgets.Dropdown:
        """Which generator; hidden where there is one."""
        self.model = field(widgets.Dropdown, f"{hook}-model", say("Model"), width, "48px",
                           options=list(self.renderer.drawers), value=self.state.model)
        self.model.layout.display = "" if len(self.renderer.drawers) > 1 else "none"
        return self.model

    def seed_and_next(self, hook: str, act) -> list[widgets.Widget]:
        """A box for the seed and Next: act(seed)."""
        self.seed = self.number_box(f"{hook}-seed", say("Seed"), self.state.seed, act)
        self.next = self.button(say("Next"), f"{hook}-next", lambda: act(self.next_seed()), width="80px")
        return [self.seed, self.next]

    def layer_ticks(self, hook: str, which: str, width: int, cell: int) -> widgets.GridBox:
        """A tick for each layer, and `.preset`: buttons for the layers of `_presets()`. which: what of the state they
        set; None is all layers.
        """
        def change(layers):
            self.change(**{which: layers})

        self._which, self.preset = which, toggles(f"{hook}-preset", choices(["none"]))
        self.ticks = [tick(f"{hook}-layer", "", f"{width}px", margin="0")
                      for _ in range(max(drawer.layers for drawer in self.renderer.drawers.values()))]
        self._watch(self.preset, lambda name: name is None or change(self._presets()[name]))
        for box in self.ticks:
            self._watch(box, lambda _: change(tuple(i for i, box in enumerate(self.ticks) if box.value)))
        return widgets.GridBox(self.ticks, layout=widgets.Layout(
            grid_template_columns=f"repeat(auto-fill, {cell}px)", grid_gap="0"))

    def _sync_layers(self, options) -> None:
        chosen, L = getattr(self.state, self._which), self.drawer.layers
        offer(self.preset, options)
        self.preset.value = next((name for name, layers in self._presets().items() if layers == chosen), None)
        for i, box in enumerate(self.ticks):
            box.layout.display, box.description = "" if i < L else "none", f"{i} · {pixels(i)} px"
            box.value = i < L and (chosen is None or i in chosen)

    def noise_buttons(self, hook: str, redraw: str, stored: str) -> list[widgets.Button]:
        """Re-draw, which makes the next draw (the stored one is that of seed 0), and Stored."""
        self.redraw = self.button(say("Re-draw"), f"{hook}-redraw",
                                  lambda: self.change(noise=(self.state.noise or 0) + 1), width=redraw)
        self.stored = self.button(say("Stored"), f"{hook}-stored", lambda: self.change(noise=None), width=stored)
        return [self.redraw, self.stored]

    @property
    def drawer(self) -> Drawer:
        """The model shown, prepared for drawing."""
        return self.renderer.drawers[self.state.model]

    # ------------------------------------------------------------------------------ drawing it

    def refresh(self) -> None:
        """As the base does; then what follows it, in a thread of its own."""
        super().refresh()
        self._moved.set()
        with self._changing:
            if self._behind:
                return
            self._behind = True
            self._idle.clear()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def _work(self, rest: float | None = None) -> None:
        """Draw what follows, dropped as soon as something newer is wanted; ends when there is nothing to do.

        rest: seconds without a new wish before it begins; None is `REST`.
        """
        while not self._ended:
            self._moved.clear()
            wanted = self._wanted
            if self._moved.wait(REST if rest is None else rest):
                continue                                    # the hand moves on
            try:
                for part in self.renderer.later(self.state):
                    if self._wanted is not wanted:
                        break
                    self.show_later(part)
            except Exception as error:
                self._failed(error)
            with self._changing:
                if self._wanted is wanted:
                    self._behind = False
                    self._idle.set()
                    return

    def _end(self) -> None:
        self._ended, self._wanted = True, object()
        self._moved.set()
        if self._worker:
            self._worker.join()

    def wait(self, seconds: float = 60) -> bool:
        """Until everything that was asked for is drawn; False if that takes longer."""
        return self._idle.wait(seconds)
