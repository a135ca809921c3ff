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

    def __init__(self, renderer, state):
        self._late, self._worker = None, None               # an event: newer is wanted than what follows just now
        super().__init__(renderer, state)
        self._late = threading.Event()
        self._draw_later(self._late)                        # the first time at once: a page without kernel shows it all

    # ------------------------------------------------------------------------------ the model, its layers and noise

    def model_list(self, hook: str, width: str = "250px") -> widgets.Dropdown:
        """Which generator; hidden where there is one."""
        self.model = field(widgets.Dropdown, f"{hook}-model", say("Model"), width, "48px",
                           options=list(self.renderer.drawers), value=self.state.model)
        self.model.layout.display = "" if len(self.renderer.drawers) > 1 else "none"
        return self.model

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
        """As the base does; then what follows it, in a thread of its own, when the hand rests."""
        if self._late is None:                              # it opens
            return super().refresh()
        self._late.set()
        super().refresh()
        with self._changing:
            self._late = threading.Event()
            self._worker = threading.Thread(target=self._work, args=(self._late, self._worker), daemon=True)
            self._worker.start()

    def _work(self, late: threading.Event, before: threading.Thread | None) -> None:
        """What follows, if `REST` seconds pass without a new wish; after the thread before it, one at a time."""
        late.wait(REST)
        if before:
            before.join()
        if not late.is_set():
            self._draw_later(late)

    def _draw_later(self, late: threading.Event) -> None:
        try:
            for part in self.renderer.later(self.state):
                if late.is_set():
                    return
                self.show_later(part)
        except Exception as error:
            self._failed(error)

    def _end(self) -> None:
        self._late.set()
        if self._worker:
            self._worker.join()

    def wait(self, seconds: float = 60) -> bool:
        """Until everything that was asked for is drawn; False if that takes longer."""
        if self._worker:
            self._worker.join(seconds)
        return not (self._worker and self._worker.is_alive())
