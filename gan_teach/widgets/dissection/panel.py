"""The panel of chapter 1: remove a thing from a picture, or force it in, by the units that draw it."""

import ipywidgets as widgets

from ...language import say
from ..controls import choices, column, field, heading, hooked, html, picture, row, said, swap, tick, toggles, under
from ..paint_mask import mask_canvas
from ..panel import DrawnPanel
from .panel_render import DissectionRenderer, Frame, bars

TILE = 128          # CSS width of the map of a unit; smaller on the stage, where twelve fit beside each other
PLACES = IN_PLACE, EVERYWHERE, PAINTED = "where it is", "whole picture", "painted region"


class DissectionPanel(DrawnPanel):
    """Choose a class, tick units, slide them from removed to forced on: where it is, everywhere, or where you paint.

    G, layer, segmenter, dissection: as for `dissect`. levels, orders, ablate, insert: see `DissectionRenderer`. paint:
    "auto", "drag" or "buttons". width: of each of the three large pictures on the screen, CSS pixels.
    """

    def __init__(self, G, layer: str, segmenter, dissection, levels=None, cls: str | None = None, seed: int = 0,
                 paint: str = "auto", orders=None, width: int = 272, **edits):
        renderer = DissectionRenderer(G, layer, segmenter, dissection, levels, orders, **edits)
        self.paint, self._width = mask_canvas(*renderer.grid, width, paint), width
        renderer.outline = not hasattr(self.paint, "_esm")          # the one that is dragged on draws its own outline
        classes = renderer.classes
        super().__init__(renderer, renderer.start(cls or ("tree" if "tree" in classes else classes[0]), seed))

    def _build(self) -> None:
        offered = range(max(len(self.renderer.shown(cls)) for cls in self.renderer.classes))
        self.cls = field(widgets.Dropdown, "gt-class", say("Class"), "180px", "44px",
                         options=choices(self.renderer.classes))
        self.after, self.difference = (picture(f"gt-{name}", self._width) for name in ("after", "difference"))
        self.slider = hooked(widgets.FloatSlider(value=0, min=-1, max=1, step=0.05, readout_format="+.2f",
                                                 layout=widgets.Layout(width="270px")), "gt-slider")
        self.remove = self.button(say("Remove"), "gt-remove", lambda: self.change(strength=-1.0), "danger")
        self.force = self.button(say("Force on"), "gt-force", lambda: self.change(strength=1.0), "success")
        self.where = toggles("gt-where", choices(PLACES), IN_PLACE, "132px")
        self.brush = field(widgets.IntSlider, "gt-brush", say("Brush"), "200px", "44px", value=self.paint.brush, min=1,
                           max=5)
        self.clear = self.button(say("Clear paint"), "gt-clear", self._clear, width="118px")
        self.text, self.bars = html("gt-pixels"), html("gt-bars")
        self.heats = [picture("gt-heat", TILE) for _ in offered]
        self.ticks = [tick("gt-unit", "", f"{TILE + 2}px", margin="0") for _ in offered]
        self.cells = [column(heat, box) for heat, box in zip(self.heats, self.ticks)]
        self.all = self.button(say("Tick all"), "gt-all",
                               lambda: self.change(units=tuple(self.renderer.shown(self.state.cls))))
        self.none = self.button(say("Tick none"), "gt-none", lambda: self.change(units=()))

        def word(text, more=""):
            return widgets.HTML(f'<span style="{more or "font-size:14px"}">{text}</span>')

        drag = hasattr(self.paint, "_esm")
        self.widget = hooked(column(
            row(heading(say("Which units draw it?"), say("units of {layer}", layer=self.renderer.layer)), self.cls,
                *self.seed_and_next("gt", lambda seed: self.change(seed=seed), say("Another scene"), "136px"),
                *self.travel_buttons("gt", "84px", "72px")),
            row(under(say("before"), say("drag to paint here" if drag else "paint with the buttons"), self.paint),
                under(say("after"), "", self.after),
                under(say("difference"), say("black: no change"), self.difference),
                under(say("pixels"), say("pale before, full after"), self.bars), gap="16px", align="flex-start"),
            self.text, self.error,
            row(word(say("removed")), self.slider, word(say("forced on")), self.remove, self.force, word(say("Remove")),
                self.where, gap="8px"),
            row(heading(say("units"), say("number and why it is here; tick to change")), self.all, self.none,
                *([self.brush, word(say("shift-drag erases"), "font-size:14px;opacity:.75")] if drag else []),
                self.clear, gap="8px"),
            row(*self.cells, gap="4px"),
            gap="4px", max_width="1264px", padding="4px 12px"), "gt-dissection")

    def _listen(self) -> None:
        self._watch(self.cls, lambda cls: self.change(cls=cls, units=self.renderer.start(cls).units, strength=0.0))
        self._watch(self.slider, lambda value: self.change("slider", strength=value))
        self._watch(self.where, self._aim)
        self._watch(self.paint, self._painted, "mask")
        self._watch(self.brush, lambda value: setattr(self.paint, "brush", value))
        for i, box in enumerate(self.ticks):
            self._watch(box, lambda on, i=i: self._tick(i, on))

    def start_again(self) -> None:
        """Nothing changed, the matching units ticked, no region; the class and the scene stay. Undo brings it back."""
        self.change(units=self.renderer.start(self.state.cls).units, strength=0.0, region=None, in_place=True)
        self._clear()

    def _tick(self, i: int, on: bool) -> None:
        unit = self.renderer.shown(self.state.cls)[i]
        others = tuple(u for u in self.state.units if u != unit)
        self.change(units=(*others, unit) if on else others)

    def _region(self) -> tuple[tuple[int, ...], ...]:
        columns, cells = self.renderer.grid[1], tuple(map(int, self.paint.mask))
        return tuple(cells[i:i + columns] for i in range(0, len(cells), columns))

    def _aim(self, where: str) -> None:
        self.change(region=self._region() if where == PAINTED else None, in_place=where == IN_PLACE)

    def _painted(self, mask: str) -> None:
        if "1" in mask or self.where.value == PAINTED:          # whoever paints means the region
            self.change("paint", region=self._region(), in_place=False)

    def _clear(self) -> None:
        self.paint.mask = "0" * len(self.paint.mask)

    def _sync(self) -> None:
        state = self.state
        self.cls.value, self.seed.value = state.cls, state.seed
        self._put(self.slider, state.strength)
        if state.region is not None:
            self.paint.mask = "".join(str(cell) for line in state.region for cell in line)
        self.where.value = PAINTED if state.region is not None else IN_PLACE if state.in_place else EVERYWHERE
        self.paint.active = state.region is not None
        shown = self.renderer.shown(state.cls)
        for i, cell in enumerate(self.cells):
            cell.layout.display = "" if i < len(shown) else "none"
        for box, unit in zip(self.ticks, shown):
            box.description = f"{unit}: {self.renderer.reason(state.cls, unit)}"
            box.value = unit in state.units

    def show(self, frame: Frame) -> None:
        state = self.state
        self.paint.show(frame.before, say("the scene of seed {seed}, before", seed=state.seed))
        swap(self.after, frame.after, say("the scene of seed {seed}, after; units {units}. {text}", seed=state.seed,
                                          units=", ".join(map(str, state.units)) or say("none"),
                                          text=frame.text))
        swap(self.difference, frame.difference, say("what has changed in the scene of seed {seed}; black where nothing "
                                                    "has", seed=state.seed))
        for place, (unit, why, heat) in zip(self.heats, frame.heats, strict=False):
            swap(place, heat, say("where unit {unit} ({why}) is active in the scene of seed {seed}", unit=unit, why=why,
                                  seed=state.seed))
        self.text.value, self.bars.value = said(frame.text, "font-size:17px;line-height:1.6"), bars(frame)
