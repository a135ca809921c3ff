"""The panel of chapter 1: remove a thing from a picture, or force it in, by the units that draw it.

It draws frames and listens; every number comes from `render`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from ...language import say
from ..panel import DrawnPanel, button, choices, heading, row
from .paint_mask import painter
from .render import DissectionState, Frame, Renderer, bars

TILE = 96           # CSS width of the map of a unit
MOST_UNDO = 100     # steps that Undo remembers
PLACES = IN_PLACE, EVERYWHERE, PAINTED = "where it is", "whole picture", "painted region"


class DissectionPanel(DrawnPanel):
    """Choose a class, tick units, slide them from removed to forced on: where it is, everywhere, or where you paint.

    G, layer, segmenter, dissection: as for `dissect`. levels, orders, ablate, insert: see `Renderer`. paint: "auto",
    "drag" or "buttons". width: of each of the three large pictures on the screen, CSS pixels.
    `.state` is what is wanted, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    def __init__(self, G, layer: str, segmenter, dissection, levels=None, cls: str | None = None, seed: int = 0,
                 paint: str = "auto", orders=None, width: int = 272, **edits):
        super().__init__()
        self.renderer = Renderer(G, layer, segmenter, dissection, levels, orders, **edits)
        rows, columns = self.renderer.grid
        self.paint = painter(rows, columns, width, paint)
        self.renderer.outline = not hasattr(self.paint, "_esm")     # a drag painter draws its own outline
        classes = self.renderer.classes
        self.state = self.renderer.start(cls or ("tree" if "tree" in classes else classes[0]), seed)
        self.frame = Frame()
        self._history: list[DissectionState] = []
        self._last = ("", 0.0)                 # kind and time of the last change, to take a drag for one step
        self._build(layer, width)
        self._sync()
        self._listen()
        self.refresh()

    # ------------------------------------------------------------------------------ the widgets

    def _build(self, layer: str, width: int) -> None:
        def picture(hook):
            image = widgets.Image(value=b"", format="png", width=width, height=width,
                                  layout=widgets.Layout(margin="0", max_width="none"))
            image.add_class(hook)
            return image

        def hooked(widget, hook):
            widget.add_class(hook)
            return widget

        def field(kind, hook, text, width, label, **options):
            return hooked(kind(description=text, layout=widgets.Layout(width=width),
                               style={"description_width": label}, **options), hook)

        self.cls = field(widgets.Dropdown, "gt-class", say("Class"), "180px", "44px",
                         options=choices(self.renderer.classes),
                         value=self.state.cls)
        self.seed = field(widgets.BoundedIntText, "gt-seed", say("Seed"), "150px", "40px", value=self.state.seed, min=0,
                          max=2**31 - 1)
        self.next = button(say("Next scene"), "gt-next", self.next_scene, width="106px")
        self.after, self.difference = picture("gt-after"), picture("gt-difference")
        self.slider = hooked(widgets.FloatSlider(value=0, min=-1, max=1, step=0.05, readout_format="+.2f",
                                                 layout=widgets.Layout(width="270px")), "gt-slider")
        self.remove = button(say("Remove"), "gt-remove", lambda: self._press(-1.0), "danger")
        self.force = button(say("Force on"), "gt-force", lambda: self._press(1.0), "success")
        self.undo = button(say("Undo"), "gt-undo", self.step_back, width="72px")
        self.reset = button(say("Reset"), "gt-reset", self.start_again, width="72px")
        self.where = hooked(widgets.ToggleButtons(options=choices(PLACES),
                                                  style={"button_width": "132px"}), "gt-where")
        self.brush = widgets.IntSlider(value=self.paint.brush, min=1, max=5, description=say("Brush"),
                                       layout=widgets.Layout(width="200px"), style={"description_width": "44px"})
        self.clear = button(say("Clear paint"), "gt-clear", self._clear, width="118px")
        self.text = hooked(widgets.HTML(), "gt-pixels")
        self.error = hooked(widgets.HTML(), "gt-error")
        self.bars = hooked(widgets.HTML(), "gt-bars")
        self.ticks, self.heats, self.cells = [], [], []
        for _ in range(max(len(self.renderer.shown(cls)) for cls in self.renderer.classes)):
            self.heats.append(widgets.Image(value=b"", format="png", width=TILE, height=TILE,
                                            layout=widgets.Layout(margin="0")))
            self.ticks.append(widgets.Checkbox(indent=False, layout=widgets.Layout(width=f"{TILE + 2}px", margin="0")))
            self.ticks[-1].add_class("gt-unit")
            self.cells.append(widgets.VBox([self.heats[-1], self.ticks[-1]]))
        self.all = button(say("Tick all"), "gt-all", lambda: self._tick_only(self.renderer.shown(self.state.cls)))
        self.none = button(say("Tick none"), "gt-none", lambda: self._tick_only(()))

        def word(text):
            return widgets.HTML(f'<span style="font-size:14px">{text}</span>')

        drag = hasattr(self.paint, "_esm")
        self.widget = hooked(widgets.VBox([
            row(heading(say("Which units draw it?"), say("units of {layer}", layer=layer)), self.cls, self.seed,
                self.next, self.undo, self.reset),
            row(widgets.VBox([heading(say("before"), say("drag to paint here" if drag else "paint with the buttons")),
                              self.paint]),
                widgets.VBox([heading(say("after")), self.after]),
                widgets.VBox([heading(say("difference"), say("black: no change")), self.difference]),
                widgets.VBox([heading(say("pixels"), say("pale before, full after")), self.bars]), gap="16px"),
            self.text, self.error,
            row(word(say("removed")), self.slider, word(say("forced on")), self.remove, self.force, word(say("Remove")),
                self.where, gap="8px"),
            row(heading(say("units"), say("number and why it is here; tick to change")), self.all, self.none,
                self.brush, *([word(f'<span style="opacity:.75">{say("shift-drag erases")}</span>')] if drag else []),
                self.clear, gap="8px"),
            row(*self.cells, gap="4px"),
        ], layout=widgets.Layout(max_width="1264px", padding="4px 12px", grid_gap="4px")), "gt-dissection")
        self.widget.children[1].layout.align_items = "flex-start"

    def _listen(self) -> None:
        def watch(widget, trait, act):
            widget.observe(lambda change: self._guard(act, change["new"]), trait)

        watch(self.cls, "value", self.choose_class)
        watch(self.seed, "value", lambda seed: self.change("seed", seed=seed))
        watch(self.slider, "value", lambda value: self.change("slider", strength=value))
        watch(self.where, "value", lambda _: self._aim())
        watch(self.paint, "mask", self._painted)
        watch(self.brush, "value", lambda value: setattr(self.paint, "brush", value))
        for i, tick in enumerate(self.ticks):
            watch(tick, "value", lambda on, i=i: self._tick(i, on))

    # ------------------------------------------------------------------------------ what the controls do

    def change(self, kind: str, sync: bool = False, **changes) -> None:
        """Go to a new state, remembered for Undo (a drag of less than a second between moves is one step).

        sync: move the controls along first, for a change that does not come from its own control.
        """
        with self._changing:
            new = replace(self.state, **changes)
            if new == self.state:
                return
            if not (kind == self._last[0] in ("slider", "paint") and time.monotonic() - self._last[1] < 1):
                self._history = [*self._history[1 - MOST_UNDO:], self.state]
            self._last = (kind, time.monotonic())
            self.state = new
            if sync:
                self._sync()
        self.refresh()

    def choose_class(self, cls: str) -> None:
        """Another class: its units, nothing changed yet."""
        if cls != self.state.cls:
            self.change("class", True, cls=cls, units=self.renderer.start(cls).units, strength=0.0)

    def next_scene(self) -> None:
        """The picture of the next seed, with the same change."""
        self._guard(lambda: self.change("next", True, seed=(self.state.seed + 1) % 2**31))

    def start_again(self) -> None:
        """Nothing changed, the matching units ticked, no region; the class and the scene stay. Undo brings it back."""
        self._guard(lambda: self.change("reset", True, units=self.renderer.start(self.state.cls).units, strength=0.0,
                                        region=None, in_place=True))
        self._guard(self._clear)

    def step_back(self) -> None:
        """Undo the last step."""
        with self._changing:
            if not self._history:
                return
            self.state, self._last = self._history.pop(), ("", 0.0)
            self._sync()
        self.refresh()

    def _press(self, strength: float) -> None:
        self._guard(lambda: self.change("press", True, strength=strength))

    def _tick_only(self, units) -> None:
        self._guard(lambda: self.change("ticks", True, units=tuple(units)))

    def _tick(self, i: int, on: bool) -> None:
        with self._changing:
            unit = self.renderer.shown(self.state.cls)[i]
            others = tuple(u for u in self.state.units if u != unit)
            if on != (unit in self.state.units):
                self.change("tick", units=(*others, unit) if on else others)

    def _region(self):
        columns = self.renderer.grid[1]
        cells = tuple(map(int, self.paint.mask))
        return None if self.where.value != PAINTED else \
            tuple(cells[i:i + columns] for i in range(0, len(cells), columns))

    def _aim(self) -> None:
        self.change("where", region=self._region(), in_place=self.where.value == IN_PLACE)
        self.paint.active = self.where.value == PAINTED

    def _painted(self, mask: str) -> None:
        if "1" in mask and self.where.value != PAINTED:
            self.where.value = PAINTED              # whoever paints means the region; this calls `_aim`
        else:
            self.change("paint", region=self._region())

    def _clear(self) -> None:
        self.paint.mask = "0" * len(self.paint.mask)

    # ------------------------------------------------------------------------------ showing

    def _sync(self) -> None:
        """Move every control to where the state says. Their observers then find nothing to change."""
        state = self.state
        self.cls.value, self.seed.value, self.slider.value = state.cls, state.seed, state.strength
        if state.region is not None:
            self.paint.mask = "".join(str(cell) for line in state.region for cell in line)
        self.where.value = PAINTED if state.region is not None else IN_PLACE if state.in_place else EVERYWHERE
        self.paint.active = state.region is not None
        shown = self.renderer.shown(state.cls)
        for i, cell in enumerate(self.cells):
            cell.layout.display = "" if i < len(shown) else "none"
        for tick, unit in zip(self.ticks, shown):
            tick.description = f"{unit}: {self.renderer.reason(state.cls, unit)}"
            tick.value = unit in state.units

    def show(self, frame: Frame) -> None:
        """Put a frame on the screen."""
        self.paint.show(frame.before, say("the scene of seed {seed}, before", seed=self.state.seed))
        self.after.value, self.difference.value = frame.after, frame.difference
        for image, (_, _, heat) in zip(self.heats, frame.heats, strict=False):
            if bytes(image.value) != heat:
                image.value = heat
        self.text.value = f'<div style="font-size:17px;line-height:1.6" aria-live="polite">{escape(frame.text)}</div>'
        self.bars.value = bars(frame)
