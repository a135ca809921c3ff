"""What the panels of chapter 2 have in common: a state with Undo, the newest picture first, and errors told in words.

A panel's renderer has `check(state)` (the state, or a ValueError), `render(state)` (what must come at once) and
`later(state)` (an iterator over what may follow). Events may arrive in several threads (JupyterLab ≥ 4.4), so the
state is changed under a lock; what follows is drawn in a thread of its own, and only when the hand rests, so that a
slider never waits for it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from ...language import say, told
from ..dissection.paint_render import History
from ..panel import DrawnPanel

PULL = 1.0          # seconds between two moves of a slider that still make one step
REST = 0.2          # seconds without a new wish until what follows the picture is drawn


def hooked(widget, hook: str):
    """The widget with a css class to find it by."""
    widget.add_class(hook)
    return widget


def picture(hook: str, width: int, height: int | None = None) -> widgets.Image:
    """A place for a picture of this size, CSS pixels."""
    return hooked(widgets.Image(value=b"", format="jpeg", width=width, height=height or width,
                                layout=widgets.Layout(margin="0", max_width="none")), hook)


def slider(kind, hook: str, text: str, label: str = "70px", **options):
    """A slider as wide as its column, that tells every value on the way."""
    return hooked(kind(description=text, layout=widgets.Layout(width="auto"), style={"description_width": label},
                       **options), hook)


def tick(hook: str, text: str, width: str = "auto") -> widgets.Checkbox:
    """A checkbox with its text beside it."""
    return hooked(widgets.Checkbox(description=text, indent=False, layout=widgets.Layout(width=width, margin="0")),
                  hook)


def choice(hook: str, text: str, options, value, width: str, label: str = "48px") -> widgets.Dropdown:
    """A drop-down list."""
    return hooked(widgets.Dropdown(options=options, value=value, description=text, layout=widgets.Layout(width=width),
                                   style={"description_width": label}), hook)


def toggles(hook: str, options, value=None) -> widgets.ToggleButtons:
    """Buttons of which one is pressed, or none."""
    return hooked(widgets.ToggleButtons(options=options, value=value, style={"button_width": "auto"}), hook)


def seed_box(hook: str, value: int, text: str = "Seed") -> widgets.BoundedIntText:
    """A box for a seed."""
    return hooked(widgets.BoundedIntText(value=value, min=0, max=2**31 - 1, description=say(text),
                                         layout=widgets.Layout(width="150px"), style={"description_width": "40px"}),
                  hook)


class StylePanel(DrawnPanel):
    """A state, a renderer, and widgets that a panel builds in `_build`, listens to in `_listen`, moves in `_sync`.

    `show(frame)` and `show_later(part)` put on the screen what the renderer returns.
    `.state` is what is wanted, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    ADVICE = "Press Undo or Reset and try again."

    def __init__(self, renderer, state):
        super().__init__()
        self.renderer, self.history, self.frame = renderer, History(state), None
        self._first = state                                 # where Reset goes
        self._last = ("", float("-inf"))                    # kind and time of the last change: a pull is one step
        self._syncing = False
        self._standing: dict = {}                           # where `_put` left each slider
        self._behind, self._idle, self._moved = False, threading.Event(), threading.Event()
        self._worker, self._ended = None, False
        self.error = widgets.HTML()
        self._build()
        hooked(self.error, "gt-style-error")
        self._listen()
        self._follow()
        self.refresh(later=False)
        self._behind = True
        self._work(rest=0)                                  # the first time at once: a page without kernel shows it all

    @property
    def state(self):
        return self.history.present

    # ------------------------------------------------------------------------------ changing the state

    def change(self, kind: str = "", **changes) -> None:
        """Go to a new state, as a step for Undo; moves of one kind within a second of each other are one step.

        What cannot be drawn is told in the panel, and the state stays.
        """
        with self._changing:
            try:
                state = self.renderer.check(replace(self.state, **changes))
            except (ValueError, TypeError) as error:
                self._complain(say("{error}. The picture stays as it was.", error=told(error)))
                self._follow()
                return
            if state == self.state:
                self._complain("")
                self._follow()
                return
            pulled = kind and kind == self._last[0] and time.monotonic() - self._last[1] < PULL
            self.history = self.history.amend(state) if pulled else self.history.push(state)
            self._last = (kind, time.monotonic())
            self._follow()
        self.refresh()

    def _travel(self, move) -> None:
        with self._changing:
            self.history, self._last = move(self.history), ("", float("-inf"))
            self._follow()
        self._guard(self.refresh)

    def step_back(self) -> None:
        """Undo the last step."""
        self._travel(History.undo)

    def step_forward(self) -> None:
        """Take the last Undo back."""
        self._travel(History.redo)

    def start_again(self) -> None:
        """Everything as it was when the panel opened. Undo brings it back."""
        self._travel(lambda history: history.push(self._first))

    def _watch(self, widget, act, trait: str = "value") -> None:
        """Call act(new value) when a person moves a control, not when `_sync` does."""
        def heard(change):
            with self._changing:
                if self._syncing or (trait == "value" and self._rounded(widget, change["new"])):
                    return
            self._guard(act, change["new"])

        widget.observe(heard, trait)

    def _put(self, slider, value: float) -> None:
        """Move a slider of numbers; the browser answers with the step next to it, which is no one's wish."""
        slider.value = value
        self._standing[slider] = value

    def _rounded(self, widget, value) -> bool:
        return widget in self._standing and abs(value - self._standing[widget]) <= widget.step / 2 + 1e-9

    def _follow(self) -> None:
        """Move the controls to where the state says, without hearing them."""
        self._syncing = True
        try:
            self._sync()
        finally:
            self._syncing = False

    # ------------------------------------------------------------------------------ drawing it

    def refresh(self, later: bool = True) -> None:
        """As the base does; then what follows it, in a thread of its own."""
        super().refresh()
        self._moved.set()
        with self._changing:
            start = later and not self._behind
            if start:
                self._behind = True
                self._idle.clear()
        if start:
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



def said(text: str, size: int = 15) -> str:
    """The live text beside a picture, as HTML."""
    return f'<div aria-live="polite" style="font-size:{size}px;line-height:1.45">{escape(text)}</div>'
