"""Panels that play beside the notebook: the page's own clock, and frames that come when the page asks for them."""

import time
from collections.abc import Callable

import ipywidgets as widgets

from ..language import say
from .controls import html, remark, spoken
from .panel import Panel


class Pulse:
    """The page's own clock: `beat()` is called whenever the page has shown all that it was sent.

    A hidden `Play` counts in the browser. ipywidgets sends a count only when the kernel's answer to the last one has
    come, and that comes behind everything `beat` has sent: so one frame at most is on its way, however slow the page.
    `.widget` must be somewhere in the panel. Where no page is open nothing beats.
    """

    PATIENCE = 3.0                                # seconds without a beat until the page is knocked at again

    def __init__(self, beat: Callable[[], object]):
        self.widget = widgets.Play(min=0, max=2**31 - 1, interval=40, layout=widgets.Layout(display="none"))
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


class PlayingPanel(Panel):
    """A panel with `draw()` and a `.runner`, that plays beside the notebook and calls `show` and `_failed`.

    `.scene` is where `put(frame)` shows a frame, `.spoken` for the ear; hook begins their css classes and `.error`'s.

    By hand everything is drawn at once. While it plays the page asks for frames by `.pulse`, and gets the newest one,
    or none if nothing has changed: Pause never waits behind frames that nobody has seen. `draw()` is called with the
    runner's lock held.
    """

    UNASKED = 1.0                                 # seconds between frames for a page that has never asked
    TOLD = 6.0                                    # seconds that a remark stays, however many frames there are

    def __init__(self, hook: str):
        self.pulse, self._stale, self._due, self._told = Pulse(self._asked), False, 0.0, ("", 0.0)
        self.scene, self.spoken, self.error = (html(f"{hook}-{name}", margin="0") for name in (
            "scene", "spoken", "error"))

    def _end(self) -> None:
        self.pulse.run(False)
        self.runner.close()

    def play_button(self, hook: str, width: str = "92px") -> widgets.Button:
        """▶ Play, which becomes ❙❙ Pause: `begin()`, or the runner's pause.

        Pause is answered at once, though the act that is under way may take a while (a generation on pictures, ½ s).
        """
        return self.button(say("▶ Play"), hook, lambda: self.runner.pause(self._name_play) if self.runner.playing
                           else self.begin(), "primary", width)

    def begin(self) -> None:
        """Play."""
        self.runner.play()
        self._name_play()

    def _name_play(self) -> None:
        while self.play.description != (words := say("❙❙ Pause") if self.runner.playing else say("▶ Play")):
            self.play.description = words         # asked again: another thread may have ended the play meanwhile

    def _failed(self, error: Exception) -> None:
        self._name_play()
        super()._failed(error)

    def tell(self, words: str) -> None:
        """A remark in the place of errors, which frames leave there for a while."""
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
                    self._guard(self._fresh)

    def _fresh(self) -> None:
        self._stale = False
        self.draw()

    def put(self, frame) -> None:
        """Show a frame, in one message to the page; its words are read out only when nothing plays."""
        self.frame, self.scene.value, self.error.value = frame, frame.html(), self.told
        if not self.runner.playing:
            self.spoken.value = spoken(frame.text)
        self._name_play()
