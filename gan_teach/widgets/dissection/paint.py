"""Painting with the units of a class: add trees, take windows away, and see where the network refuses."""

from dataclasses import replace
from html import escape

import ipywidgets as widgets

from ... import pictures
from ...language import say
from ...limits import finite, whole
from ...networks.protocols import check_name
from ..controls import choices, column, field, heading, hooked, html, row, said, tick, toggles, under
from ..panel import DrawnPanel
from .paint_canvas import paint_canvas
from .paint_render import PaintFrame, PaintRenderer, PaintState, Stroke, Tally


class PaintPanel(DrawnPanel):
    """Draw on a picture with the units of a class, add or remove; undo, redo, another scene.

    G, layer, segmenter, rankings, levels, adders, ablate, insert: see `PaintRenderer`. cls, seed: the class and scene
    at the start. units, strength: how many a stroke takes, and how far, at the start. paint: "auto", "drag" or
    "buttons". width: of the large picture on the screen, CSS pixels.
    """

    def __init__(self, G, layer: str, segmenter, rankings, levels=None, cls: str | None = None, seed: int = 0,
                 units: int = 32, paint: str = "auto", width: int = 448, strength: float = 1.0, adders=None, **edits):
        renderer = PaintRenderer(G, layer, segmenter, rankings, levels, adders, **edits)
        classes, W = tuple(renderer.rankings), renderer.size[1]
        cls = cls or classes[0]
        check_name("class", cls, classes)
        self.canvas = paint_canvas(renderer.grid, width, W, paint)
        self.zoom = max(1, width // 2 // W)        # the picture before is about half as wide, in whole pixels
        self._open, self._closed = None, None      # id of the stroke that is being drawn, and of the last one done
        self._start = cls, whole("units", units, 1), finite("strength", strength, 0.25, 3)
        super().__init__(renderer, PaintState(seed))
        self._guard(self._prepare)

    def _build(self) -> None:
        def slider(kind, name, text, value, least, most, **options):
            return field(kind, f"gt-paint-{name}", text, "auto", "74px", value=value, min=least, max=most, **options)

        cls, units, strength = self._start
        U, across = self.renderer.units, self.renderer.size[1]
        self.action = toggles("gt-paint-action", [(say("+ add"), "add"), (say("− remove"), "remove")], "add", "126px")
        self.cls = toggles("gt-paint-class", choices(self.renderer.rankings), cls)
        self.brush = slider(widgets.IntSlider, "brush", say("Brush"), max(2, across // 7), 2, max(3, across // 3))
        self.units = slider(widgets.IntSlider, "units", say("Units"), min(units, U), 1, U)
        self.strength = slider(widgets.FloatSlider, "strength", say("Strength"), strength, 0.25, 3.0, step=0.25,
                               readout_format=".2f")               # 7.7.1 stops short of 3.0 in steps of 0.1
        scenes = self.seed_and_next("gt-paint", lambda seed: self.go(PaintState(seed)), say("Another scene"), "150px")
        self.outline = tick("gt-paint-outline", say("frame the paint"), value=True)
        self.before, self.tallies, self.order = (html(f"gt-paint-{name}") for name in ("before", "tallies", "order"))
        how = say("drag, or arrows and space") if hasattr(self.canvas, "_esm") else say("press the buttons")
        controls = column(
            row(self.action, gap="8px"), self.cls, self.brush, self.units, self.order, self.strength,
            row(*self.travel_buttons("gt-paint"), gap="8px"), row(*scenes, self.outline, gap="8px"), self.error,
            row(under(say("before"), "", self.before),
                column(heading(say("asked, and what came"), say("in pixels")), self.tallies, flex="1 1 200px"),
                gap="16px", align="flex-start", margin="4px 0 0 0"),
            gap="5px", flex="1 1 320px", min_width="300px")
        title = say("Paint with the units of {layer}", layer=self.renderer.layer)
        self.widget = hooked(row(under(title, how, self.canvas), controls, gap="24px", align="flex-start",
                                 padding="8px 12px"), "gt-paint-panel")

    def _listen(self) -> None:
        self._watch(self.canvas, self._stroked, "stroke")
        self._watch(self.cls, lambda _: self._prepare())    # now, so that the stroke need not wait
        self._watch(self.action, lambda _: self._act())
        self._watch(self.outline, lambda value: setattr(self.canvas, "outline", value))
        self._watch(self.brush, lambda value: setattr(self.canvas, "brush", float(value)))
        self._watch(self.units, lambda value: self._tune(units=value))
        self._watch(self.strength, lambda value: self._tune(strength=value))

    def _prepare(self) -> None:
        self._remark(say("One moment …"))                   # a search may take seconds
        try:
            self.renderer.level(self.cls.value)
            self.renderer.adders(self.cls.value)
        finally:
            self._act()

    def _act(self) -> None:
        """What the next stroke does, and by which units."""
        self.canvas.action = self.action.value
        self._remark(self.renderer.reason(self.action.value, self.cls.value))

    def _remark(self, words: str) -> None:
        self.order.value = \
            f'<div style="font-size:14px;line-height:1.3;margin-left:82px;opacity:.8">{escape(words)}</div>'

    def go(self, state: PaintState) -> None:
        """Go to another state, as a step that Undo takes back."""
        self._travel(lambda history: history.push(state))

    def start_again(self) -> None:
        """The scene without paint."""
        self.go(PaintState(self.state.seed))

    def _travel(self, move) -> None:
        with self._changing:
            self._open, self._closed = None, self._open or self._closed
        super()._travel(move)

    def _stroked(self, message: dict) -> None:
        """A stroke begins, grows or ends. What comes late, of a stroke that was undone meanwhile, is left out."""
        try:
            with self._changing:
                late = message["id"] == self._closed
                growing = message["id"] == self._open
                if not late and message["points"]:
                    points = tuple((float(x), float(y)) for x, y in message["points"])
                    stroke = replace(self.state.strokes[-1], points=points) if growing else Stroke(
                        self.action.value, self.cls.value, points, float(self.brush.value), self.units.value,
                        self.strength.value)
                    before = self.state.strokes[:-1] if growing else self.state.strokes
                    self._step(replace(self.state, strokes=(*before, stroke)), amends=growing)
                    done = message.get("done", True)
                    self._open, self._closed = (None, message["id"]) if done else (message["id"], self._closed)
            if not late:
                self.refresh()
        finally:
            self.canvas.answered = message.get("seq", 0)        # the browser may send the next

    def _tune(self, **changes) -> None:
        """A slider of the brush moves: the last stroke follows (a pull of it is one step), and so will the next."""
        with self._changing:
            if not self.state.strokes or self._open is not None:
                return
            *others, last = self.state.strokes
            self._step(replace(self.state, strokes=(*others, replace(last, **changes))), "tune")
        self.refresh()

    def _sync(self) -> None:
        self.seed.value = self.state.seed
        if self.state.strokes:
            self.units.value = self.state.strokes[-1].units
            self._put(self.strength, self.state.strokes[-1].strength)
        self.canvas.brush, self.canvas.action = float(self.brush.value), self.action.value

    def show(self, frame: PaintFrame) -> None:
        if self.frame is None or frame.before != self.frame.before:
            small = pictures.enlarge(frame.before, self.zoom)
            self.before.value = pictures.img(small, say("the scene of seed {seed}, before painting",
                                                        seed=self.state.seed))
        self.canvas.show(frame.after, say("The scene of seed {seed}. {text}", seed=self.state.seed, text=frame.text),
                         cells=frame.cells)
        self.tallies.value = tally_html(frame)


def tally_html(frame: PaintFrame) -> str:
    """Asked and come as bars and numbers, a class after the other; the sentence of the frame beside it for the ear."""
    if not frame.tallies:
        return said(frame.text, "line-height:1.5")
    most = max(1, *(t.asked for t in frame.tallies))
    rows = "".join(_tally_row(t, most) for t in frame.tallies)
    outside = say("outside the paint {outside} pixels changed their class.", outside=frame.outside)
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
