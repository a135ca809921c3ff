"""The panel of chapter 1: remove a thing from a picture, or force it in, by the units that draw it.

It draws frames and listens; every number comes from `dissection_render`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from ..panel import DrawnPanel, button, heading, row
from .paint_mask import painter
from .render import DissectionState, Frame, Renderer, bars

PIXELS = 272        # CSS width of the three large pictures
MOST_UNDO = 100     # steps that Undo remembers
EVERYWHERE, PAINTED = "whole picture", "painted region"


class DissectionPanel(DrawnPanel):
    """Choose a class, tick units, and slide them from removed to forced on; paint where.

    G, layer, segmenter, dissection: as for `dissect`. levels, orders: see `Renderer`. paint: "auto", "drag" or
    "buttons".
    `.state` is what is wanted, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    def __init__(self, G, layer: str, segmenter, dissection, levels=None, cls: str | None = None, seed: int = 0,
                 paint: str = "auto", orders=None):
        super().__init__()
        self.renderer = Renderer(G, layer, segmenter, dissection, levels, orders)
        rows, columns = self.renderer.grid
        self.paint = painter(rows, columns, PIXELS, paint)
        self.renderer.outline = not hasattr(self.paint, "_esm")     # a drag painter draws its own outline
        classes = self.renderer.classes
        self.state = self.renderer.start(cls or ("tree" if "tree" in classes else classes[0]), seed)
        self.frame = Frame()
        self._history: list[DissectionState] = []
        self._last = ("", 0.0)                 # kind and time of the last change, to take a drag for one step
        self._build(layer)
        self._sync()
        self._listen()
        self.refresh()

    # ------------------------------------------------------------------------------ the widgets

    def _build(self, layer: str) -> None:
        def picture(hook):
            image = widgets.Image(value=b"", format="png", width=PIXELS, height=PIXELS,
                                  layout=widgets.Layout(margin="0"))
            image.add_class(hook)
            return image

        def hooked(widget, hook):
            widget.add_class(hook)
            return widget

        auto = widgets.Layout(width="auto")
        self.cls = hooked(widgets.Dropdown(options=self.renderer.classes, value=self.state.cls, description="Class",
                                           layout=widgets.Layout(width="200px"),
                                           style={"description_width": "44px"}), "gt-class")
        self.seed = hooked(widgets.BoundedIntText(value=self.state.seed, min=0, max=2**31 - 1, description="Seed",
                                                  layout=widgets.Layout(width="150px"),
                                                  style={"description_width": "40px"}), "gt-seed")
        self.next = button("Next scene", "gt-next", self.next_scene, width="110px")
        self.after, self.difference = picture("gt-after"), picture("gt-difference")
        self.slider = hooked(widgets.FloatSlider(value=0, min=-1, max=1, step=0.05, readout_format="+.2f",
                                                 layout=widgets.Layout(width="360px")), "gt-slider")
        self.remove = button("Remove", "gt-remove", lambda: self._press(-1.0), "danger")
        self.force = button("Force on", "gt-force", lambda: self._press(1.0), "success")
        self.undo = button("Undo", "gt-undo", self.step_back)
        self.reset = button("Reset", "gt-reset", self.start_again)
        self.where = hooked(widgets.RadioButtons(options=[EVERYWHERE, PAINTED], layout=auto), "gt-where")
        self.brush = widgets.IntSlider(value=self.paint.brush, min=1, max=5, description="Brush",
                                       layout=widgets.Layout(width="230px"), style={"description_width": "44px"})
        self.clear = button("Clear paint", "gt-clear", self._clear, width="110px")
        self.text = hooked(widgets.HTML(), "gt-pixels")
        self.error = hooked(widgets.HTML(), "gt-error")
        self.bars = hooked(widgets.HTML(), "gt-bars")
        self.ticks, self.heats, cells = [], [], []
        for _ in self.renderer.shown(self.state.cls):
            self.heats.append(widgets.Image(value=b"", format="png", width=104, height=104,
                                            layout=widgets.Layout(margin="0")))
            self.ticks.append(widgets.Checkbox(indent=False, layout=widgets.Layout(width="110px", margin="0")))
            self.ticks[-1].add_class("gt-unit")
            cells.append(widgets.VBox([self.heats[-1], self.ticks[-1]]))
        self.all = button("Tick all", "gt-all", lambda: self._tick_only(self.renderer.shown(self.state.cls)))
        self.none = button("Tick none", "gt-none", lambda: self._tick_only(()))
        units = widgets.GridBox(cells, layout=widgets.Layout(grid_template_columns="repeat(4, 112px)",
                                                             grid_gap="8px 4px"))
        end = {"style": 'style="font-size:14px"'}
        word = '<span {style}>{}</span>'
        dragging = "drag to paint here" if hasattr(self.paint, "_esm") else "paint with the buttons"
        erasing = '<span style="font-size:13px;opacity:.75">shift-drag erases</span>'
        brush = [self.brush, widgets.HTML(erasing)] if hasattr(self.paint, "_esm") else []
        self.widget = hooked(widgets.VBox([
            heading("Which units draw it?", f"units of {layer}: remove them, or force them on, and look"),
            row(self.cls, self.seed, self.next),
            row(widgets.VBox([heading("before", dragging), self.paint]),
                widgets.VBox([heading("after"), self.after]),
                widgets.VBox([heading("difference", "black: no change"), self.difference]),
                gap="16px", margin="8px 0 0 0"),
            self.text, self.error,
            row(widgets.HTML(word.format("removed", **end)), self.slider, widgets.HTML(word.format("forced on", **end)),
                self.remove, self.force, self.undo, self.reset, gap="8px"),
            row(widgets.HTML(word.format("Act on the", **end)), self.where, *brush, self.clear),
            row(widgets.VBox([row(heading("units", "number · IoU; tick to change"), self.all, self.none),
                              units]),
                widgets.VBox([heading("pixels per class", "pale before, full after"), self.bars]),
                gap="28px", margin="8px 0 0 0"),
        ], layout=widgets.Layout(max_width="1000px", padding="8px 12px", grid_gap="6px")), "gt-dissection")
        self.widget.children[-1].layout.align_items = "flex-start"
        self.widget.children[2].layout.align_items = "flex-start"

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
                                        region=None))
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
        return None if self.where.value == EVERYWHERE else \
            tuple(cells[i:i + columns] for i in range(0, len(cells), columns))

    def _aim(self) -> None:
        self.change("where", region=self._region())
        self.paint.active = self.where.value == PAINTED

    def _painted(self, mask: str) -> None:
        if "1" in mask and self.where.value == EVERYWHERE:
            self.where.value = PAINTED              # whoever paints means the region; this calls `_aim`
        else:
            self.change("paint", region=self._region())

    def _clear(self) -> None:
        self.paint.mask = "0" * len(self.paint.mask)

    # ------------------------------------------------------------------------------ showing

    def _sync(self) -> None:
        """Move every control to where the state says. Their observers then find nothing to change."""
        state, c = self.state, self.renderer.classes.index(self.state.cls)
        self.cls.value, self.seed.value, self.slider.value = state.cls, state.seed, state.strength
        if state.region is not None:
            self.paint.mask = "".join(str(cell) for line in state.region for cell in line)
        self.where.value = EVERYWHERE if state.region is None else PAINTED
        self.paint.active = state.region is not None
        for tick, unit in zip(self.ticks, self.renderer.shown(state.cls), strict=True):
            tick.description = f"{unit} · {self.renderer.dissection.iou[unit, c]:.2f}"
            tick.value = unit in state.units

    def show(self, frame: Frame) -> None:
        """Put a frame on the screen."""
        self.paint.show(frame.before, f"the scene of seed {self.state.seed}, before")
        self.after.value, self.difference.value = frame.after, frame.difference
        for image, (_, _, heat) in zip(self.heats, frame.heats, strict=False):
            if bytes(image.value) != heat:
                image.value = heat
        self.text.value = f'<div style="font-size:17px;line-height:1.6" aria-live="polite">{escape(frame.text)}</div>'
        self.bars.value = bars(frame)
