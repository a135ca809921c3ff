"""What draws a panel's pictures without any widget: a state in, a frame out."""

import threading
from collections import OrderedDict
from contextlib import contextmanager

import torch

from ..language import say, told
from ..networks.device import one_thread


class Renderer:
    """`render(state)` is pure: the frame of `_render(state)`, which is a FRAME, or one whose `.error` says what failed.

    A network draws under `drawing()`: events may come in several threads.
    """

    FRAME: type
    ADVICE = "Press Undo or Reset, or choose something else; the panel goes on working."

    def __init__(self):
        self._using = threading.RLock()

    def check(self, state):
        """The same state, tidied; ValueError in plain words for one that cannot be drawn."""
        return state

    @contextmanager
    def drawing(self):
        """One thread at a time, on one core, without gradients."""
        with torch.no_grad(), self._using, one_thread():
            yield

    def render(self, state):
        """The frame of a state. It never raises: what went wrong stands in `frame.error`."""
        try:
            with self.drawing():
                return self._render(self.check(state))
        except Exception as error:
            return self.FRAME(error=say("This picture could not be drawn: {error} ({kind}). {advice}",
                                        error=told(error), kind=type(error).__name__, advice=say(self.ADVICE)))


def keep(cache: OrderedDict, key, value, most: int = 16) -> None:
    """Remember a value and forget the oldest beyond `most`."""
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
