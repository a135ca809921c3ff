"""Painting with the units of a class: add trees, take windows away, and see where the network refuses.

The panel draws frames and listens; what a stroke does is computed in `paint_render`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from ... import pictures
from ...language import say
from ...networks.protocols import check_name
from ..panel import DrawnPanel, button, choices, heading, row
from .paint_canvas import paint_canvas
from .paint_render import History, PaintFrame, PaintRenderer, PaintState, Stroke, Tally

PULL = 1.0          # seconds between two moves of a slider that still make one step
NEVER = float("-inf")


class PaintPanel(DrawnPanel):
    """Draw on a picture with the units of a class, add or remove; undo, redo, another scene.

    G, layer, segmenter, rankings, levels, adders, ablate, insert: see `PaintRenderer`. cls, seed: the class and scene
    at the start. units, strength: how many a stroke takes, and how far, at the start. paint: "auto", "drag" or
    "buttons". width: of the large picture on the screen, CSS pixels.
    `.state` is what is wanted, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    ADVICE = "Press Undo or Reset and try again."

    def __init__(self, G, layer: str, segmenter, rankings, levels=None, cls: str | None = None, seed: int = 0,
                 units: int = 32, paint: str = "auto", width: int = 448, strength: float = 1.0, adders=None, **edits):
        super().__init__()
        self.renderer = PaintRenderer(G, layer, segmenter, rankings, levels, adders, **edits)
        classes = tuple(self.renderer.rankings)
        cls = cls or classes[0]
        check_name("class", cls, classes)
        W = self.renderer.size[1]
        self.canvas = paint_canvas(self.renderer.grid, width, W, paint)
        self.zoom = max(1, width // 2 // W)        # the picture before is about half as wide, in whole pixels
        self.history, self.frame = History(PaintState(seed)), PaintFrame()
        self._open, self._closed = None, None      # id of the stroke that is being drawn, and of the last one done
        self._tuned = NEVER                        # when a slider last changed the last stroke
        self._syncing = False
        self._build(layer, classes, cls, units, strength)
        self._listen()
        self._guard(self.renderer.level, cls)
        self._sync()
        self.refresh()

    @property
    def state(self) -> PaintState:
        return self.history.present

    # ------------------------------------------------------------------------------ the widgets

    def _build(self, layer: str, classes, cls: str, units: int, strength: float) -> None:
        def slider(kind, hook, text, **options):
            it = kind(description=text, layout=widgets.Layout(width="auto"), style={"description_width": "74px"},
                      **options)
            it.add_class(hook)
            return it

        def toggles(hook, options, value, width):
            it = widgets.ToggleButtons(options=options, value=value, style={"button_width": width})
            it.add_class(hook)
            return it

        self.action = toggles("gt-paint-action", [(say("+ add"), "add"), (say("− remove"), "remove")], "add", "110px")
        self.cls = toggles("gt-paint-class", choices(classes), cls, "auto")
        across = self.renderer.size[1]
        self.brush = slider(widgets.IntSlider, "gt-paint-brush", say("Brush"), value=max(2, across // 7), min=2,
                            max=max(3, across // 3))
        self.units = slider(widgets.IntSlider, "gt-paint-units", say("Units"), value=min(units, self.renderer.units),
                            min=1, max=self.renderer.units)
        self.strength = slider(widgets.FloatSlider, "gt-paint-strength", say("Strength"), value=strength, min=0.25,
                               max=3.0, step=0.25, readout_format=".2f")   # 7.7.1 stops short of 3.0 in steps of 0.1
        self.undo = button(say("↶ Undo"), "gt-paint-undo", lambda: self._travel(History.undo))
        self.redo = button(say("↷ Redo"), "gt-paint-redo", lambda: self._travel(History.redo))
        self.reset = button(say("Reset"), "gt-paint-reset", lambda: self.go(PaintState(self.state.seed)))
        self.seed = widgets.BoundedIntText(value=self.state.seed, min=0, max=2**31 - 1, description=say("Seed"),
                                           layout=widgets.Layout(width="150px"), style={"description_width": "40px"})
        self.seed.add_class("gt-paint-seed")
        self.next = button(say("Another scene"), "gt-paint-next",
                           lambda: self.go(PaintState((self.state.seed + 1) % 2**31)), width="150px")
        self.outline = widgets.Checkbox(value=True, description=say("frame the paint"), indent=False,
                                        layout=widgets.Layout(width="auto"))
        self.before, self.tallies, self.error = widgets.HTML(), widgets.HTML(), widgets.HTML()
        for name in ("before", "tallies", "error", "outline"):
            getattr(self, name).add_class(f"gt-paint-{name}")
        how = say("drag, or arrows and space") if hasattr(self.canvas, "_esm") else say("press the buttons")
        title = say("Paint with the units of {layer}", layer=layer)
        controls = widgets.VBox([
            row(self.action, gap="8px"), self.cls, self.brush, self.units, self.strength,
            row(self.undo, self.redo, self.reset, gap="8px"), row(self.seed, self.next, self.outline, gap="8px"),
            self.error,
            row(widgets.VBox([heading(say("before")), self.before]),
                widgets.VBox([heading(say("asked, and what came"), say("in pixels")), self.tallies],
                             layout=widgets.Layout(flex="1 1 200px")),
                gap="16px", margin="4px 0 0 0"),
        ], layout=widgets.Layout(flex="1 1 320px", min_width="300px", grid_gap="5px"))
        controls.children[-1].layout.align_items = "flex-start"
        self.widget = row(widgets.VBox([heading(title, how), self.canvas]), controls, gap="24px",
                          padding="8px 12px")
        self.widget.layout.align_items = "flex-start"
        self.widget.add_class("gt-paint-panel")

    def _listen(self) -> None:
        def watch(widget, trait, act):
            widget.observe(lambda change: self._guard(act, change["new"]), trait)

        watch(self.canvas, "stroke", self._stroked)
        watch(self.cls, "value", self.renderer.level)       # k is measured now, so that the stroke need not wait
        watch(self.action, "value", lambda value: setattr(self.canvas, "action", value))
        watch(self.outline, "value", lambda value: setattr(self.canvas, "outline", value))
        watch(self.brush, "value", lambda value: setattr(self.canvas, "brush", float(value)))
        watch(self.units, "value", lambda value: self._tune(units=value))
        watch(self.strength, "value", lambda value: self._tune(strength=value))
        watch(self.seed, "value", lambda seed: seed == self.state.seed or self.go(PaintState(seed)))

    # ------------------------------------------------------------------------------ what the controls do

    def go(self, state: PaintState) -> None:
        """Go to another state, as a step that Undo takes back."""
        self._travel(lambda history: history.push(state))

    def _travel(self, move) -> None:
        with self._changing:
            self._open, self._closed, self._tuned = None, self._open or self._closed, NEVER
            self.history = move(self.history)
            self._sync()
        self._guard(self.refresh)

    def _stroked(self, message: dict) -> None:
        """A stroke begins, grows or ends. What comes late, of a stroke that was undone meanwhile, is left out."""
        try:
            with self._changing:
                late = message["id"] == self._closed
                growing = message["id"] == self._open
                if not late and message["points"]:
                    points = tuple((float(x), float(y)) for x, y in message["points"])
                    if growing:
                        strokes = (*self.state.strokes[:-1], replace(self.state.strokes[-1], points=points))
                        self.history = self.history.amend(replace(self.state, strokes=strokes))
                    else:
                        stroke = Stroke(self.action.value, self.cls.value, points, float(self.brush.value),
                                        self.units.value, self.strength.value)
                        self.history = self.history.push(
                            replace(self.state, strokes=(*self.state.strokes, stroke)))
                    done = message.get("done", True)
                    self._open, self._closed = (None, message["id"]) if done else (message["id"], self._closed)
                    self._tuned = NEVER
            if not late:
                self.refresh()
        finally:
            self.canvas.answered = message.get("seq", 0)        # the browser may send the next

    def _tune(self, **changes) -> None:
        """A slider of the brush moves: the last stroke follows (a pull of it is one step), and so will the next."""
        with self._changing:
            if self._syncing or not self.state.strokes or self._open is not None:
                return
            last = self.state.strokes[-1]
            state = replace(self.state, strokes=(*self.state.strokes[:-1], replace(last, **changes)))
            if state == self.state:
                return
            pulled = time.monotonic() - self._tuned < PULL
            self.history = self.history.amend(state) if pulled else self.history.push(state)
            self._tuned = time.monotonic()
        self.refresh()

    # ------------------------------------------------------------------------------ showing

    def _sync(self) -> None:
        """Move the controls to where the state says, without changing it."""
        self._syncing = True
        try:
            self.seed.value = self.state.seed
            if self.state.strokes:
                self.units.value, self.strength.value = self.state.strokes[-1].units, self.state.strokes[-1].strength
            self.canvas.brush, self.canvas.action = float(self.brush.value), self.action.value
            self.undo.disabled, self.redo.disabled = not self.history.past, not self.history.future
        finally:
            self._syncing = False

    def show(self, frame: PaintFrame) -> None:
        """Put a frame on the screen."""
        if frame.before != self.frame.before:
            small = pictures.enlarge(frame.before, self.zoom)
            self.before.value = pictures.img(small, say("the scene of seed {seed}, before painting",
                                                        seed=self.state.seed))
        self.canvas.show(frame.after, frame.cells, say("The scene of seed {seed}. {text}",
                                                       seed=self.state.seed, text=frame.text))
        self.tallies.value = tally_html(frame)
        self.undo.disabled, self.redo.disabled = not self.history.past, not self.history.future


def tally_html(frame: PaintFrame) -> str:
    """Asked and come as bars and numbers, a class after the other; the sentence of the frame beside it for the ear."""
    if not frame.tallies:
        return f'<div aria-live="polite" style="line-height:1.5">{escape(frame.text)}</div>'
    most = max(1, *(t.asked for t in frame.tallies))
    rows = "".join(_tally_row(t, most) for t in frame.tallies)
    outside = say("outside the paint: {n} pixels changed class", n=frame.outside)
    return (f'<div aria-live="polite" aria-label="{escape(frame.text)}" style="line-height:1.4">{rows}'
            f'<div style="opacity:.8">{outside}</div></div>')


def _tally_row(t: Tally, most: int) -> str:
    share = t.came / t.asked if t.asked else 0
    came = say("{n} appeared" if t.action == "add" else "{n} removed", n=t.came)
    width = max(4, 100 * t.asked / most)
    colour = "#2e7d32" if t.action == "add" else "#c2410c"
    sign = "+" if t.action == "add" else "−"
    return (f'<div style="margin-bottom:8px"><b style="font-size:1.15em">{sign} {escape(say(t.cls))}</b>: '
            f'{say("{n} asked,", n=t.asked)} <b style="font-size:1.15em">{came}</b> ({share:.0%})'
            f'<div style="box-sizing:border-box;width:{width:.1f}%;height:14px;border:2px solid {colour}">'
            f'<div style="width:{100 * share:.1f}%;height:10px;background:{colour}"></div></div>'
            f'<span style="opacity:.8">{say("whole picture")}: {t.before} → {t.after}</span></div>')
