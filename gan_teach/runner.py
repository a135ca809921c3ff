"""Work that goes on beside the notebook: a thread that acts again and again until it is told to pause.

A panel's Play needs a free kernel, so its work is done in a thread, and the thread has to be kept in order:
Interrupt does not reach it, callbacks come from several threads, and a cell may be run again while it plays.
Here everything is done under one lock, an act at a time, and in the whole process one runner plays at most.
"""

import threading
import time
from collections.abc import Callable

_GATE = threading.Lock()             # held while it is settled who plays
_latest: list["Runner"] = []           # who played last, or nobody yet


def playing() -> bool:
    """Whether a runner plays just now."""
    return any(runner.playing for runner in _latest)


class Runner:
    """`play()` calls `act()` in a daemon thread until `pause()`, and `show()` now and then; `step()` acts once.

    act: one step of the work, a short one: whoever pauses waits for its end. show: draws what has become of it, at
    most `frames` times a second and once after the last act. failed: is given the exception of an act or a show,
    which ends the play; it stays in `.error` until the next play or step. interval: seconds from act to act, 0 for
    no rest; it may be changed at any time.

    `.lock` is held during an act and a show. Whoever changes what they work on while it plays takes it, shortly.
    A new runner pauses the one that plays, and so does another one's `play()`: run a cell twice, and one is left.
    """

    def __init__(self, act: Callable[[], object], show: Callable[[], object] = lambda: None,
                 failed: Callable[[Exception], object] = lambda error: None, frames: float = 12, interval: float = 0):
        self.act, self.show, self.failed, self.frames, self.interval = act, show, failed, frames, interval
        self.lock, self.error = threading.RLock(), None
        self._stop = threading.Event()       # each play has its own, so that a thread once stopped stays so
        self._stop.set()
        self._thread: threading.Thread | None = None
        with _GATE:
            self._alone()

    @property
    def playing(self) -> bool:
        return not self._stop.is_set()

    def play(self) -> None:
        """Act until paused. Where it plays already nothing changes: there are never two threads."""
        with _GATE:
            self._alone()
            with self.lock:
                if not self.playing:
                    self.error, self._stop = None, threading.Event()
                    self._thread = threading.Thread(target=self._run, args=(self._stop,), daemon=True)
                    self._thread.start()

    def pause(self, heard: Callable[[], object] = lambda: None) -> None:
        """Act no more: when this returns, the last act is complete, and shown. heard: called at once, before that."""
        played = self.playing
        self._stop.set()                     # first of all, whatever may interrupt us while we wait for the lock
        heard()
        with self.lock:
            if played and self.error is None:
                self._guarded(self.show)

    def step(self, act: Callable[[], object] | None = None) -> None:
        """Pause, act once (or do something else), and show it. Not to be called by one who holds the lock.

        It is done in a thread too: an Interrupt ends the waiting, and leaves no act half done.
        """
        self.pause()
        once = threading.Thread(target=self._once, args=(act or self.act,), daemon=True)
        once.start()
        once.join()

    def close(self) -> None:
        """Act no more, and show no more: when this returns its thread has ended, and nothing here remembers it."""
        self._stop.set()
        with _GATE:
            _latest[:] = [other for other in _latest if other is not self]
        if self._thread not in (None, threading.current_thread()):
            self._thread.join()

    def _alone(self) -> None:
        for other in _latest:
            if other is not self and other.playing:
                other.pause()
        _latest[:] = [self]

    def _once(self, act: Callable[[], object]) -> None:
        with self.lock:
            self.error = None
            if self._guarded(act):
                self._guarded(self.show)

    def _run(self, stop: threading.Event) -> None:
        due = 0.0                            # when the next frame may be shown
        try:
            while True:
                begun = time.monotonic()
                with self.lock:
                    if stop.is_set() or not self._guarded(self.act):
                        return
                    if not stop.is_set() and time.monotonic() >= due:
                        due = time.monotonic() + 1 / self.frames
                        if not self._guarded(self.show):
                            return
                # without a rest, who waits for the lock would hardly ever get it
                stop.wait(max(0.0005, begun + self.interval - time.monotonic()))
        finally:
            stop.set()

    def _guarded(self, do: Callable[[], object]) -> bool:
        try:
            do()
            return True
        except Exception as error:
            self.error = error
            self._stop.set()                 # before it is told: whoever is told may ask whether it plays
            self.failed(error)
            return False
