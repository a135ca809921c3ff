"""What all panels share: a state with Undo, frames, errors told where a notebook would hide them, and an end."""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import ipywidgets as widgets
from IPython.display import HTML, display

from ..language import say, told
from .controls import MOST, complaint, field, hooked, html, remark

PULL = 1.0          # seconds between two moves of a slider that still make one step
MOST_UNDO = 200     # steps that a history remembers

# A line that is hidden while a live panel stands in the same output (of JupyterLab, Notebook 6 or Colab), and seen when
# it is cut off from its kernel or cannot be drawn: after some seconds, since a panel too takes its time to appear.
GONE = """<style>
.gt-gone { display: none; font-size: 15px; margin: 0; max-height: 0; overflow: hidden;
           animation: gt-gone 0s 5s forwards }
@keyframes gt-gone { to { max-height: none } }
:is(.jp-OutputArea, .output, #output-area):not(:has(.gt-panel:not(.jupyter-widgets-disconnected))) .gt-gone {
  display: block }
</style>"""


class Panel:
    """A panel builds `.widget`, which a cell that ends with the panel shows, and `.error`, an HTML widget.

    `close()`, or `.widget.close()`, ends it. ADVICE: what the reader may do after an error.
    """

    error: widgets.HTML
    _mover: int | None = None           # the thread that moves the controls just now
    ADVICE = "Press Reset and try again."

    @property
    def widget(self) -> widgets.Widget:
        """What is shown; its `close()` closes the panel."""
        if "_widget" not in vars(self):
            raise RuntimeError("this panel was closed: run the cell that made it again")
        return self._widget

    @widget.setter
    def widget(self, it: widgets.Widget) -> None:
        self._widget = hooked(it, "gt-panel")
        it.observe(lambda change: change["new"] is None and self.close(), "comm")

    def close(self) -> None:
        """Take the panel off the page, end its threads, and let go of its networks and pictures; a second time nothing
        happens.

        ipywidgets keeps every widget until it is closed, with whatever listens to it.
        """
        if vars(self):
            self._end()
            everything = dict(vars(self))
            vars(self).clear()
            for it in widgets_in(everything, set()):
                it.unobserve_all()
                it.close()

    def _end(self) -> None:
        """End what works beside the notebook."""

    @contextmanager
    def _syncing(self):
        """While controls are moved to where the state says: this thread's `_watch` hears nothing."""
        self._mover = threading.get_ident()
        try:
            yield
        finally:
            self._mover = None

    def _watch(self, widget, act: Callable, trait: str = "value") -> None:
        """Call act(new value) when a person moves a control."""
        def heard(change):
            if self._heard(widget, change["new"]):
                self._guard(act, change["new"])

        widget.observe(heard, trait)

    def _heard(self, widget, value) -> bool:
        """Whether it was a person who gave a control its value."""
        return self._mover != threading.get_ident()

    def _guard(self, act: Callable, *arguments) -> None:
        """Do it; an exception is told in the panel, since Jupyter shows those of callbacks nowhere."""
        try:
            act(*arguments)
        except Exception as error:
            if vars(self):                              # else it was closed meanwhile
                self._failed(error)

    def button(self, text: str, hook: str, act: Callable[[], object], style: str = "",
               width: str = "92px") -> widgets.Button:
        """A button that does something."""
        it = hooked(widgets.Button(description=text, button_style=style, layout=widgets.Layout(width=width)), hook)
        it.on_click(lambda _: self._guard(act))
        return it

    def number_box(self, hook: str, text: str, value: int, act: Callable[[int], object], width: str = "150px",
                   label: str = "40px", least: int = 0, most: int = MOST) -> widgets.IntText:
        """A box for a whole number, such as a seed: act(number) when it changes.

        The browser would cut a number that is out of range without a word; here a sentence says what became of it.
        """
        def changed(asked: int) -> None:
            number = min(max(asked, least), most)
            if number == asked:
                return act(number)
            box.value = number                    # calls this again, with a number that will do
            self.tell(say("{name} is a whole number from {least} to {most}: {asked} became {number}.", name=text,
                          least=least, most=most, asked=asked, number=number))

        box = field(widgets.IntText, hook, text, width, label, value=value)
        self._watch(box, changed)
        return box

    def tell(self, words: str) -> None:
        """A remark in the place of errors."""
        self.error.value = remark(words)

    def _failed(self, error: Exception) -> None:
        self.error.value = complaint(say("That did not work: {error} ({kind}). {advice}", error=told(error),
                                         kind=type(error).__name__, advice=say(self.ADVICE)))

    def _ipython_display_(self) -> None:
        display(HTML(f'{GONE}<p class="gt-gone">{say("The kernel was restarted? Run this cell again.")}</p>'),
                self.widget)


def widgets_in(value, found: set[widgets.Widget]) -> set[widgets.Widget]:
    """The widgets in a value, and those of which they consist: children, layouts and styles."""
    if isinstance(value, widgets.Widget) and value not in found:
        found.add(value)
        value = [getattr(value, name, None) for name in value.keys]
    if isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            widgets_in(part, found)
    return found


@dataclass(frozen=True)
class History:
    """States before and after the present one. Every method returns a new history."""

    present: object
    past: tuple = ()
    future: tuple = ()

    def push(self, state) -> "History":
        """A new step; what had been undone is forgotten. Pushing the present again is no step."""
        return self if state == self.present else History(state, (*self.past, self.present)[-MOST_UNDO:])

    def amend(self, state) -> "History":
        """Another present in the same step, for a stroke or a pull that goes on."""
        return replace(self, present=state, future=())

    def undo(self) -> "History":
        return History(self.past[-1], self.past[:-1], (self.present, *self.future)) if self.past else self

    def redo(self) -> "History":
        return History(self.future[0], (*self.past, self.present), self.future[1:]) if self.future else self


class DrawnPanel(Panel):
    """A panel that shows `.renderer.render(.state)`, a frame, by its own `show(frame)`.

    It builds its widgets in `_build`, listens to them in `_listen` by `_watch`, and moves them to where the state says
    in `_sync`. `.state` is what is wanted, `.frame` what is shown.
    Events may arrive in several threads (JupyterLab ≥ 4.4): the state is changed under `._changing`.
    """

    ADVICE = "Press Undo or Reset and try again."

    def __init__(self, renderer, state):
        self.renderer, self.history, self.frame = renderer, History(state), None
        self._first = state                                 # where Reset goes
        self._changing, self._drawing = threading.RLock(), threading.Lock()
        self._wanted, self._drawn = object(), None
        self._last = ("", 0.0)                              # kind and time of the last change: a pull is one step
        self._standing: dict = {}                           # where `_put` left each slider
        self.error = html("gt-error")
        self._build()
        self._listen()
        self._follow()
        self.refresh()

    @property
    def state(self):
        return self.history.present

    def travel_buttons(self, hook: str, width: str = "92px", reset: str = "92px") -> list[widgets.Button]:
        """Undo, Redo and Reset."""
        self.undo = self.button(say("↶ Undo"), f"{hook}-undo", self.step_back, width=width)
        self.redo = self.button(say("↷ Redo"), f"{hook}-redo", self.step_forward, width=width)
        self.reset = self.button(say("Reset"), f"{hook}-reset", self.start_again, width=reset)
        return [self.undo, self.redo, self.reset]

    def seed_and_next(self, hook: str, act: Callable[[int], object], text: str,
                      width: str = "80px") -> list[widgets.Widget]:
        """A box for the seed of the state, and a button for the one after it: act(seed)."""
        self.seed = self.number_box(f"{hook}-seed", say("Seed"), self.state.seed, act)
        self.next = self.button(text, f"{hook}-next", lambda: act((self.state.seed + 1) % 2**31), width=width)
        return [self.seed, self.next]

    # ------------------------------------------------------------------------------ changing the state

    def change(self, kind: str = "", **changes) -> None:
        """Go to a new state, as a step for Undo; moves of one kind within a second of each other are one step.

        What cannot be drawn is told in the panel, and the state stays.
        """
        with self._changing:
            try:
                state, words = self.renderer.check(replace(self.state, **changes)), ""
            except (ValueError, TypeError) as error:
                state, words = self.state, say("{error}. The picture stays as it was.", error=told(error))
            if state == self.state:
                self.error.value = complaint(words)
                self._follow()
                return
            self._step(state, kind)
        self.refresh()

    def _step(self, state, kind: str = "", amends: bool = False) -> None:
        amends = amends or kind and kind == self._last[0] and time.monotonic() - self._last[1] < PULL
        self._go(lambda history: history.amend(state) if amends else history.push(state))
        self._last = kind, time.monotonic()

    def _go(self, move: Callable[[History], History]) -> None:
        with self._changing:
            self.history, self._last = move(self.history), ("", 0.0)
            self._follow()

    def _travel(self, move: Callable[[History], History]) -> None:
        self._go(move)
        self.refresh()

    def step_back(self) -> None:
        """Undo the last step."""
        self._travel(History.undo)

    def step_forward(self) -> None:
        """Take the last Undo back."""
        self._travel(History.redo)

    def start_again(self) -> None:
        """Everything as it was when the panel opened. Undo brings it back."""
        self._travel(lambda history: history.push(self._first))

    def _put(self, slider, value: float) -> None:
        """Move a slider of numbers; the browser answers with the step next to it, which is no one's wish."""
        slider.value = value
        self._standing[slider] = value

    def _heard(self, widget, value) -> bool:
        with self._changing:                                # whoever moves the controls just now has moved them all
            stands = self._standing.get(widget)
        return super()._heard(widget, value) and (stands is None or abs(value - stands) > widget.step / 2 + 1e-9)

    def _follow(self) -> None:
        with self._syncing():
            self._sync()
            for name, there in (("undo", self.history.past), ("redo", self.history.future)):
                if hasattr(self, name):
                    getattr(self, name).disabled = not there

    def refresh(self) -> None:
        """Draw the latest state. If another thread is drawing, that thread goes on to it, so none waits.

        An error is told and leaves the last picture standing.
        """
        self._wanted = object()
        while self._drawn is not self._wanted and self._drawing.acquire(blocking=False):
            try:
                wanted = self._wanted
                frame = self.renderer.render(self.state)
                self.error.value = complaint(frame.error)
                if not frame.error:
                    self.show(frame)
                    self.frame = frame
                self._drawn = wanted
            finally:
                self._drawing.release()
