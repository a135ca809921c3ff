"""What all panels share: rows, headings, buttons, and errors told in a red box, where a notebook would hide them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from ..language import say, told


def heading(text: str, note: str = "") -> widgets.HTML:
    """A small heading with a quiet remark beside it."""
    note = f' <span style="font-weight:400;opacity:.75">{escape(note)}</span>' if note else ""
    return widgets.HTML(f'<div style="font-size:15px;font-weight:600;line-height:1.5">{escape(text)}{note}</div>')


def row(*children, gap: str = "12px", **layout) -> widgets.HBox:
    """Widgets side by side, with air between, that break into a new line where the page is narrow."""
    return widgets.HBox(children, layout=widgets.Layout(grid_gap=gap, align_items="center", flex_flow="row wrap",
                                                        **layout))


def complaint(text: str) -> str:
    """What went wrong, in a red box that a screen reader speaks at once: HTML; nothing for an empty text."""
    return text and ('<div role="alert" style="font-size:14px;line-height:1.5;padding:6px 10px;color:#7a1010;'
                     f'background:#fdecea;border-left:4px solid #c62828">{escape(text)}</div>')


def remark(text: str) -> str:
    """What the reader may want to know, in a quiet box: HTML."""
    return text and ('<div role="status" style="font-size:14px;line-height:1.5;padding:4px 10px;color:#3d3a00;'
                     f'background:#fff8d6;border-left:4px solid #c9a400">{escape(text)}</div>')


def spoken(text: str) -> str:
    """Words for a screen reader alone, which it speaks when they change: HTML."""
    return ('<div aria-live="polite" style="position:absolute;width:1px;height:1px;overflow:hidden;'
            f'clip-path:inset(50%)">{escape(text)}</div>')


def choices(names) -> list[tuple[str, str]]:
    """The options of a control: each name as the reader's language has it, and the name itself, its value."""
    return [(say(name), name) for name in names]


def button(text: str, hook: str, act, style: str = "", width: str = "92px") -> widgets.Button:
    """A button with a css class to find it by."""
    it = widgets.Button(description=text, button_style=style, layout=widgets.Layout(width=width))
    it.add_class(hook)
    it.on_click(lambda _: act())
    return it


def widgets_in(value, found: set[widgets.Widget]) -> set[widgets.Widget]:
    """The widgets in a value, and those of which they consist: children, layouts and styles."""
    if isinstance(value, widgets.Widget) and value not in found:
        found.add(value)
        value = [getattr(value, name, None) for name in value.keys]
    if isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            widgets_in(part, found)
    return found


def seed_box(value: int, act: Callable[[int], None], tell: Callable[[str], None], most: int = 2**31 - 1,
             hook: str = "gt-seed", **options) -> widgets.IntText:
    """A box for a seed from 0 to `most`: act(seed) when it changes.

    The browser would cut a seed that is out of range without a word; here `tell` is given a sentence that says what
    became of it.
    """
    box = widgets.IntText(value=value, **options)
    box.add_class(hook)

    def changed(change) -> None:
        asked = change["new"]
        seed = min(max(asked, 0), most)
        if seed != asked:
            box.value = seed                      # calls this again, with a seed that will do
            tell(say("A seed is a whole number from 0 to {most}: {asked} became {seed}.",
                     most=most, asked=asked, seed=seed))
        else:
            act(seed)

    box.observe(changed, "value")
    return box


class Pulse:
    """The page's own clock: `beat()` is called whenever the page has shown all that it was sent.

    A hidden `Play` counts in the browser. ipywidgets sends a count only when the kernel's answer to the last one has
    come, and that comes behind everything `beat` has sent: so one frame at most is on its way, however slow the page.
    `.widget` must be somewhere in the panel. Where no page is open nothing beats.
    """

    PATIENCE = 3.0                                # seconds without a beat until the page is knocked at again

    def __init__(self, beat: Callable[[], object], interval: int = 40):
        self.widget = widgets.Play(min=0, max=2**31 - 1, interval=interval, layout=widgets.Layout(display="none"))
        self._switch = "playing" if self.widget.has_trait("playing") else "_playing"        # ipywidgets 8, 7
        self.beats, self._last, self._beat = 0, 0.0, beat
        self.widget.observe(self._heard, "value")

    def _heard(self, _) -> None:
        self.beats, self._last = self.beats + 1, time.monotonic()
        self._beat()

    def run(self, on: bool) -> None:
        """Start the clock, or stop it. A page that was opened anew, or lost its count, is started again."""
        running = getattr(self.widget, self._switch)
        if running and on and time.monotonic() - self._last > self.PATIENCE:
            setattr(self.widget, self._switch, False)
            running = False
        if on and not running:
            self._last = time.monotonic()
        if on != running:
            setattr(self.widget, self._switch, on)


class Panel:
    """A panel builds `.widget`, which a cell that ends with the panel shows, and `.error`, an HTML widget.

    `close()`, or `.widget.close()`, ends it. ADVICE: what the reader may do after an error.
    """

    error: widgets.HTML
    ADVICE = "Press Reset and try again."

    @property
    def widget(self) -> widgets.Widget:
        """What is shown; its `close()` closes the panel."""
        if "_widget" not in vars(self):
            raise RuntimeError("this panel was closed: run the cell that made it again")
        return self._widget

    @widget.setter
    def widget(self, it: widgets.Widget) -> None:
        self._widget = it
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

    def _guard(self, act: Callable, *arguments) -> None:
        """Do it; an exception is told in the panel, since Jupyter shows those of callbacks nowhere."""
        try:
            act(*arguments)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._complain(say("That did not work: {error} ({kind}). {advice}", error=told(error),
                           kind=type(error).__name__, advice=say(self.ADVICE)))

    def _complain(self, text: str) -> None:
        self.error.value = complaint(text)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)


class PlayingPanel(Panel):
    """A panel with `draw()` and a `.runner`, that plays beside the notebook and calls `show` and `_failed`.

    By hand everything is drawn at once. While it plays the page asks for frames by `.pulse`, and gets the newest one,
    or none if nothing has changed: Pause never waits behind frames that nobody has seen. `draw()` is called with the
    runner's lock held.
    """

    UNASKED = 1.0                                 # seconds between frames for a page that has never asked
    TOLD = 6.0                                    # seconds that a remark stays, however many frames there are

    def __init__(self):
        self.pulse, self._stale, self._due, self._told = Pulse(self._asked), False, 0.0, ("", 0.0)

    def _end(self) -> None:
        self.pulse.run(False)
        self.runner.close()

    def tell(self, words: str) -> None:
        """A remark in the place of errors."""
        self._told = remark(words), time.monotonic() + self.TOLD
        self.error.value = self.told

    @property
    def told(self) -> str:
        """The remark, while it stays: HTML for `.error` of the next frame."""
        words, until = self._told
        return words if time.monotonic() < until else ""

    def show(self) -> None:
        """What the runner calls, with its lock held, when there is something new."""
        playing, now = self.runner.playing, time.monotonic()
        self._stale = True
        self.pulse.run(playing)
        if not playing or not self.pulse.beats and now >= self._due:
            self._due = now + self.UNASKED
            self._fresh()

    def _asked(self) -> None:
        """The page has shown the last frame."""
        if self._stale and self.runner.playing:
            with self.runner.lock:
                if self._stale and self.runner.playing:
                    try:
                        self._fresh()
                    except Exception as error:
                        self._failed(error)

    def _fresh(self) -> None:
        self._stale = False
        self.draw()


class DrawnPanel(Panel):
    """A panel that shows `.renderer.render(.state)`, a frame, by its own `show(frame)`; `.frame` is the one shown.

    Events may arrive in several threads (JupyterLab ≥ 4.4): change the state under `._changing`, then `refresh`.
    """

    def __init__(self):
        self._changing, self._drawing = threading.RLock(), threading.Lock()
        self._wanted, self._drawn = object(), None

    def refresh(self) -> None:
        """Draw the latest state. If another thread is drawing, that thread goes on to it, so none waits.

        An error is told and leaves the last picture standing.
        """
        self._wanted = object()
        while self._drawn is not self._wanted and self._drawing.acquire(blocking=False):
            try:
                wanted = self._wanted
                frame = self.renderer.render(self.state)
                self._complain(frame.error)
                if not frame.error:
                    self.show(frame)
                    self.frame = frame
                self._drawn = wanted
            finally:
                self._drawing.release()
