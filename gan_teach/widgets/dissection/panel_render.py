"""What the dissection panel shows, computed without any widget: state in, frame out.

A frame answers "what happens to the picture when these units are removed, or forced on, here?" (GAN
Dissection, arXiv 1811.10597). r = h(z) is kept for a seed, so a slider move costs one f(r) and one s(x).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ... import pictures
from ...dissection.pixels import coverage
from ...dissection.units import Ranking, check_units
from ...language import minus, say
from ...networks.protocols import check_name, evaluating
from ...networks.segmenter import segment
from ...worlds.reading import FAR
from ..rendering import keep
from .shared_render import UnitRenderer

SHOWN = 12          # units offered for a class
LEAST_IOU = 0.01    # units of less have nothing to do with a class: none is offered by its IoU, but for the best
GOOD_IOU = 0.04     # the paper calls a unit interpretable from this IoU on; such units are ticked at the start


@dataclass(frozen=True)
class DissectionState:
    """All that a frame depends on. strength: −1 units removed … 0 unchanged … +1 forced to their level."""

    cls: str
    units: tuple[int, ...] = ()
    seed: int = 0
    strength: float = 0.0
    region: tuple[tuple[int, ...], ...] | None = None   # h×w of 0 and 1 at the layer's resolution; None: everywhere
    in_place: bool = True       # without a region, remove only where the picture shows the class


@dataclass
class Frame:
    """What the panel draws. Pictures are PNG bytes; counts are pixels of every class in one picture."""

    before: bytes = b""
    after: bytes = b""
    difference: bytes = b""
    heats: list[tuple[int, str, bytes]] = field(default_factory=list)     # unit, why it is here, heat over the picture
    counts_before: dict[str, int] = field(default_factory=dict)
    counts_after: dict[str, int] = field(default_factory=dict)
    text: str = ""          # "tree pixels: 812 → 120 (−85 %), other pixels changed: 40"
    error: str = ""         # plain words and the next step; the pictures are then empty


class DissectionRenderer(UnitRenderer):
    """`render(state) -> Frame` for one generator, layer, segmenter and dissection.

    level, edits: see `UnitRenderer`; the level is what "forced on" means. orders: class -> a `Ranking` (of α, or of the
    effect alone) or units, best first, where it shall replace the order by IoU. outline: draw the region on the
    before-picture.
    """

    FRAME, LARGE = Frame, 256       # pixels of a large picture

    def __init__(self, G, layer: str, segmenter: Callable[[Tensor], Tensor], dissection, level=None,
                 orders: Mapping[str, Ranking | list[int]] | None = None, outline: bool = False, **edits):
        super().__init__(G, layer, segmenter, level, **edits)
        orders = {} if orders is None else orders
        if not isinstance(orders, Mapping):
            raise ValueError(f"orders are a dict from names to lists of units; got a {type(orders).__name__}")
        self.dissection, self.outline, self.orders = self.of_this_layer(dissection), outline, dict(orders)
        self.classes = list(dissection.classes)
        for cls in orders:
            check_name("class", cls, self.classes)
        self._best = {cls: check_units(order, self.units) for cls, order in orders.items()}
        self._heats: OrderedDict = OrderedDict()        # (seed, class) -> heats
        self._befores: OrderedDict = OrderedDict()      # (seed, the region that is drawn) -> `before`

    def shown(self, cls: str) -> list[int]:
        """The units offered for a class, best first: in the order given for it, else by IoU."""
        if best := self._best.get(cls):
            return best[:SHOWN]
        best, c = self.dissection.units_for(cls)[:SHOWN], self.classes.index(cls)
        return [unit for unit in best if self.dissection.iou[unit, c] >= LEAST_IOU] or best[:1]

    def reason(self, cls: str, unit: int) -> str:
        """Why a unit is offered for a class: its α, or its effect alone, where that gave the order; else its IoU."""
        order = self.orders.get(cls)
        if isinstance(order, Ranking):
            return f"{order.by} {order.score[unit]:.2f}"
        return f"IoU {self.dissection.iou[unit, self.classes.index(cls)]:.2f}"

    def start(self, cls: str, seed: int = 0) -> DissectionState:
        """The state at the start: nothing changed, the units that match the class ticked (all, if none does)."""
        c = check_name("class", cls, self.classes)
        units = self.shown(cls)
        good = [u for u in units if cls in self.orders or self.dissection.iou[u, c] >= GOOD_IOU]
        return DissectionState(cls, tuple(good or units), seed)

    def _render(self, state: DissectionState) -> Frame:
        c = check_name("class", state.cls, self.classes)
        r, f, x, labels = self.scene(state.seed)
        where = None if state.region is None else torch.tensor(state.region, dtype=torch.float32)
        x_new, labels_new = x, labels
        if state.strength and state.units:
            if where is None and state.in_place and state.strength < 0:
                where = (coverage(labels, c, r.shape[-2:]) > 0)[0, 0].float()   # (h, w)
            P = abs(state.strength) * (torch.ones(self.grid) if where is None else where)           # (h, w)
            k = None if state.strength < 0 else self.level(state.cls)[list(state.units)]
            with evaluating(self.G, self.segmenter):
                x_new = f(self.forced(r, state.units, P, k)).clamp(-FAR, FAR)       # (1, 3, H, W), however forced
                labels_new = segment(self.segmenter, x_new)                         # (1, H', W')
        before, first = self.before(state)
        after = pictures.enlarge(x_new[0], len(before) // x.shape[-2], "bicubic")
        counts, counts_new = (dict(zip(self.classes, torch.bincount(s.flatten(), minlength=len(self.classes)).tolist()))
                              for s in (labels, labels_new))
        others = int(((labels != c) & (labels_new != labels)).sum())    # the collateral damage
        return Frame(first, pictures.png(after), pictures.png(pictures.difference(before, after)),
                     self.heats(state.seed, state.cls), counts, counts_new,
                     describe(state, counts[state.cls], counts_new[state.cls], others))

    def before(self, state: DissectionState) -> tuple[np.ndarray, bytes]:
        """The picture before, enlarged, and as it is shown: with a line around the region, where `outline` asks for it.

        Kept, since no slider changes it.
        """
        region = state.region if self.outline and state.region is not None and any(map(any, state.region)) else None
        if (state.seed, region) not in self._befores:
            x = self.scene(state.seed)[2]
            zoom = max(1, self.LARGE // x.shape[-1])
            large = shown = pictures.enlarge(x[0], zoom, "bicubic")
            if region is not None:
                shape = F.interpolate(torch.tensor(region, dtype=torch.float32)[None, None], size=x.shape[-2:])[0, 0]
                shown = pictures.lasso(x[0], shape > 0.5, zoom)
            keep(self._befores, (state.seed, region), (large, pictures.png(shown)))
        return self._befores[state.seed, region]

    def heats(self, seed: int, cls: str) -> list[tuple[int, str, bytes]]:
        """unit, its reason and a heat map over the picture for each unit offered; at t_u the colours begin to glow."""
        if (seed, cls) not in self._heats:
            r, _, x, _ = self.scene(seed)
            image = pictures.to_uint8(x[0])
            keep(self._heats, (seed, cls), [
                (u, self.reason(cls, u),
                 pictures.png(pictures.heat(image, r[0, u], peak=1.5 * float(self.dissection.thresholds[u]))))
                for u in self.shown(cls)])
        return self._heats[seed, cls]


def describe(state: DissectionState, before: int, after: int, others: int) -> str:
    """One sentence on what changed, for the live text and for readers who do not see the pictures."""
    share = minus(f" ({100 * (after - before) / before:+.0f} %)") if before and after != before else ""
    removed, cls = state.strength < 0, say(state.cls)
    if not state.strength:
        done = ""
    elif state.region is not None:
        done = say("Removed in the painted region: " if removed else "Forced on in the painted region: ")
    elif removed and state.in_place:
        done = say("Removed only where {cls} is: ", cls=cls)
    else:
        done = say("Removed everywhere: " if removed else "Forced on everywhere: ")
    text = done + say("{cls} pixels: {before} → {after}{share}, other pixels changed: {others}", cls=cls, before=before,
                      after=after, share=share, others=others)
    if state.strength and not state.units:
        return text + say(". No unit is ticked: tick some below.")
    if state.strength and state.region is not None and not any(map(any, state.region)):
        return text + say(". Nothing is painted yet: paint on the first picture.")
    return text


def bars(frame: Frame) -> str:
    """All class counts as HTML: a pale bar before, a full bar after, and the numbers."""
    most = max([1, *frame.counts_before.values(), *frame.counts_after.values()])
    colours = pictures.label_colours(list(frame.counts_before))
    rows = []
    for (name, before), colour in zip(frame.counts_before.items(), colours, strict=True):
        after = frame.counts_after[name]
        if not before and not after:
            continue
        tone = "rgb({},{},{})".format(*colour)
        line = '<div style="height:{}px;width:{:.1f}%;min-width:1px;background:{};border:1px solid #8888;{}"></div>'
        numbers = f"{before}" if before == after else f"{before} → <b>{after}</b>"
        rows.append(
            f'<div style="text-align:right">{escape(say(name))}</div><div style="width:100px">'
            + line.format(5, 100 * before / most, tone, "opacity:.45") + line.format(8, 100 * after / most, tone, "")
            + f'</div><div style="white-space:nowrap">{numbers}</div>')
    return ('<div style="display:grid;grid-template-columns:64px 100px auto;column-gap:6px;row-gap:2px;'
            f'align-items:center;font-size:13px;line-height:1.25">{"".join(rows)}</div>')
