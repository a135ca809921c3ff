"""What all panels share: rows, headings, buttons, and errors told in a red box, where a notebook would hide them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape

import ipywidgets as widgets


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


def button(text: str, hook: str, act, style: str = "", width: str = "92px") -> widgets.Button:
    """A button with a css class to find it by."""
    it = widgets.Button(description=text, button_style=style, layout=widgets.Layout(width=width))
    it.add_class(hook)
    it.on_click(lambda _: act())
    return it


class Panel:
    """A panel builds `.widget`, which a cell that ends with the panel shows, and `.error`, an HTML widget.

    ADVICE: what the reader may do after an error.
    """

    widget: widgets.Widget
    error: widgets.HTML
    ADVICE = "Press Reset and try again."

    def _guard(self, act: Callable, *arguments) -> None:
        """Do it; an exception is told in the panel, since Jupyter shows those of callbacks nowhere."""
        try:
            act(*arguments)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._complain(f"That did not work: {error} ({type(error).__name__}). {self.ADVICE}")

    def _complain(self, text: str) -> None:
        self.error.value = complaint(text)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)


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
