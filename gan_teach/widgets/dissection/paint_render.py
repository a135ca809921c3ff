"""What the painting panel shows, computed without any widget: strokes in, picture and counts out.

A brush of GAN Dissection (Bau et al., arXiv 1811.10597): where it passes, units of a class are forced on or
switched off in r = h(z), and f draws the rest. A stroke is a line at picture size; a place of r is on by as much as the
line covers of it. (The authors' GANpaint max-pools the line; its edge is then stamped into a small picture.) h is never
run twice for a scene, and a new stroke edits the r that those before it left: a stroke costs one f(r) and one s(x).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import pictures
from ...dissection.agreement import Dissection
from ...dissection.units import Units, check_units
from ...language import say
from ...networks.protocols import check_name, evaluating
from ...networks.segmenter import segment
from ...worlds.reading import FAR
from ..rendering import keep
from .shared_render import UnitRenderer


REASONS = {
    "": "best first, as they were given",
    "IoU": "best first by IoU: whose maps match the class",
    "effect": "best first by the effect of each alone",
    "α": "best first by α: searched for what they do together",
}


@dataclass(frozen=True)
class Stroke:
    """One pull of the brush."""

    action: str                                 # "add" or "remove"
    cls: str                                    # a class of the segmenter
    points: tuple[tuple[float, float], ...]     # where the brush went: x to the right, y down, both in [0, 1]
    brush: float = 6.0                          # its diameter in pixels of the picture
    units: int = 32                             # how many units of the class's ranking
    strength: float = 1.0                       # add: units go to strength · k; remove: the share taken, at most 1


@dataclass(frozen=True)
class PaintState:
    """All that a painted picture depends on."""

    seed: int = 0
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True)
class Tally:
    """What was asked for a class in the painted places, and what came of it, in pixels of the label map."""

    cls: str
    action: str     # "add" or "remove"
    asked: int      # add: painted pixels that were not the class before; remove: painted pixels that were
    came: int       # of those, how many are the class now (add), or no longer (remove)
    before: int     # pixels of the class in the whole picture, before
    after: int      # … and after


@dataclass
class PaintFrame:
    """What the panel draws. Pictures are PNG bytes at the generator's own size."""

    before: bytes = b""
    after: bytes = b""
    cells: str = ""                                     # h·w of "+", "-", "0": what the last stroke there did to r
    tallies: list[Tally] = field(default_factory=list)
    outside: int = 0                                    # pixels outside the paint whose class changed
    text: str = ""                                      # the same in a sentence
    error: str = ""                                     # plain words and the next step; the pictures are then empty


def stroke_mask(points: Sequence[tuple[float, float]], brush: float, size: tuple[int, int]) -> Tensor:
    """The pixels that a round brush touches on its way: those whose centre lies within brush/2 of the line.

    points: (x, y) in [0, 1]; brush: pixels, taken as at least √2, so that no stroke misses every pixel;
    size: (H, W). Returns boolean H×W.
    """
    H, W = size
    x = torch.tensor([x * W for x, _ in points], dtype=torch.float32)       # (n,) in pixels
    y = torch.tensor([y * H for _, y in points], dtype=torch.float32)
    dx, dy = (torch.cat([v[1:] - v[:-1], torch.zeros(min(1, len(v)))]) for v in (x, y))   # the last point stands alone
    i, j = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    i, j, near = i.reshape(-1, 1), j.reshape(-1, 1), torch.zeros(H * W, dtype=torch.bool)
    for part in torch.arange(len(points)).split(64):                        # 64 pieces at a time: bounded memory
        a, b, u, v = x[part], y[part], dx[part], dy[part]
        t = ((j - a) * u + (i - b) * v) / (u * u + v * v).clamp(min=1e-9)   # (H·W, ≤64), 0 and 1 are the piece's ends
        t = t.clamp(0, 1)
        gap = (j - a - t * u).square() + (i - b - t * v).square()
        near |= (gap <= max(brush, 2 ** 0.5) ** 2 / 4).any(1)
    return near.view(H, W)


class PaintRenderer(UnitRenderer):
    """`render(state) -> PaintFrame` for one generator, layer and segmenter.

    rankings: a `Dissection`, or a dict class -> units, best first (or the `Dissection` that orders them); its classes
    are those that can be painted. adders: class -> units for the action "add", where those that draw it are others than
    those that match it (`insertion.optimise_insertion`); or a function of the class that finds them, called once, when
    it is first chosen. levels, edits: see `UnitRenderer`.
    """

    FRAME = PaintFrame

    def __init__(self, G, layer: str, segmenter: Callable[[Tensor], Tensor], rankings, levels=None, adders=None,
                 **edits):
        super().__init__(G, layer, segmenter, levels, **edits)
        self._edited: OrderedDict = OrderedDict()       # state -> r after its strokes
        self._masks: OrderedDict = OrderedDict()        # stroke -> h×w
        if not isinstance(rankings, Mapping):
            rankings = dict.fromkeys(self.of_this_layer(rankings).classes, rankings)
        if not rankings:
            raise ValueError("there is no class to paint: give units for one, such as dict(tree=[3, 17])")
        if not (adders is None or callable(adders) or isinstance(adders, Mapping)):
            raise ValueError("adders are a dict from classes to lists of units, or a function that finds them; got a "
                             f"{type(adders).__name__}")
        self._by: dict[tuple[str, str], str] = {}       # (action, class) -> what put its units in order
        self.rankings = {cls: self._order("remove", cls, given) for cls, given in rankings.items()}
        self._find = adders if callable(adders) else None
        self._adders = {} if self._find else {
            cls: self._order("add", cls, given) for cls, given in {**rankings, **(adders or {})}.items()}
        for cls in {**self.rankings, **self._adders}:
            check_name("class", cls, segmenter.classes)

    def _order(self, action: str, cls: str, given: Units | Dissection) -> list[int]:
        """The units of a class for an action, best first."""
        matched = hasattr(given, "units_for")
        self._by[action, cls] = "IoU" if matched else getattr(given, "by", "")
        return self.of_this_layer(given).units_for(cls) if matched else check_units(given, self.units)

    def adders(self, cls: str) -> list[int]:
        """The units that add a class, best first; found once."""
        if cls not in self._adders:
            with self.drawing():
                self._adders[cls] = self._order("add", cls, self._find(cls))
        return self._adders[cls]

    def reason(self, action: str, cls: str) -> str:
        """Why an action takes these units of a class and in this order, in words."""
        return say(REASONS[self._by.get((action, cls), "")])

    def where(self, stroke: Stroke) -> Tensor:
        """How much a stroke covers of each place of r, over the most that it covers of any: 1×1×h×w in [0, 1]."""
        key = (stroke.points, stroke.brush)
        if key not in self._masks:
            mask = stroke_mask(stroke.points, stroke.brush, self.size).float()
            P = F.adaptive_avg_pool2d(mask[None, None], self.grid)
            keep(self._masks, key, P / P.max().clamp(min=1e-9), most=1000)
        return self._masks[key]

    def edit(self, r: Tensor, stroke: Stroke) -> Tensor:
        """r after one stroke: x_i or x_a where the brush went, untouched elsewhere."""
        check_name("action", stroke.action, ("add", "remove"))
        check_name("class", stroke.cls, tuple(self.rankings))
        P = min(stroke.strength, 1.0) * self.where(stroke)[0, 0]                           # (h, w)
        if stroke.action == "remove":
            return self.forced(r, self.rankings[stroke.cls][:stroke.units], P)
        units = self.adders(stroke.cls)[:stroke.units]
        return self.forced(r, units, P, self.level(stroke.cls)[units] * max(stroke.strength, 1.0))

    def edited(self, state: PaintState) -> Tensor:
        """r after all strokes, 1×U×h×w; strokes that were already drawn in this order are not drawn again."""
        known = len(state.strokes)
        while known and replace(state, strokes=state.strokes[:known]) not in self._edited:
            known -= 1
        start = replace(state, strokes=state.strokes[:known])
        r = self._edited[start] if known else self.scene(state.seed)[0]
        for n in range(known, len(state.strokes)):
            r = self.edit(r, state.strokes[n])
            keep(self._edited, replace(state, strokes=state.strokes[:n + 1]), r, most=64)
        return r

    def _render(self, state: PaintState) -> PaintFrame:
        _, f, x, before = self.scene(state.seed)
        with evaluating(self.G, self.segmenter):
            x_new = f(self.edited(state)).clamp(-FAR, FAR) if state.strokes else x      # (1, 3, H, W), however forced
            after = segment(self.segmenter, x_new) if state.strokes else before         # (1, H', W')
        sign = torch.zeros(1, 1, *self.grid)                                   # what the last stroke there did
        signs: dict[str, Tensor] = {}                                          # the same for each class
        for stroke in state.strokes:
            here, to = self.where(stroke) >= 0.5, 1.0 if stroke.action == "add" else -1.0
            sign = sign.masked_fill(here, to)
            signs[stroke.cls] = signs.get(stroke.cls, torch.zeros_like(sign)).masked_fill(here, to)
        tallies = [tally for cls in signs for tally in self._tallies(cls, signs[cls], before, after)]
        painted = enlarged(sign, before) != 0
        outside = int(((before != after) & ~painted).sum())
        cells = "".join("0+-"[int(v)] for v in sign.flatten())
        return PaintFrame(pictures.png(x[0]), pictures.png(x_new[0]), cells, tallies, outside,
                          describe(tallies, outside))

    def _tallies(self, cls: str, sign: Tensor, before: Tensor, after: Tensor) -> list[Tally]:
        """For one class: what was asked and what came, first where it was added, then where it was removed."""
        c, places = check_name("class", cls, self.segmenter.classes), enlarged(sign, before)
        was, now, found = before == c, after == c, []
        for action, asked, came in (("add", (places > 0) & ~was, now), ("remove", (places < 0) & was, ~now)):
            if (sign > 0 if action == "add" else sign < 0).any():
                found.append(Tally(cls, action, int(asked.sum()), int((asked & came).sum()), int(was.sum()),
                                   int(now.sum())))
        return found


def enlarged(sign: Tensor, labels: Tensor) -> Tensor:
    """A map of r's places at the size of the label map: 1×1×h×w -> 1×H'×W'."""
    return F.interpolate(sign, size=labels.shape[-2:]).to(labels.device)[:, 0]


def describe(tallies: Sequence[Tally], outside: int) -> str:
    """What the strokes did, in words, for the live text and for readers who do not see the pictures."""
    if not tallies:
        return say("Nothing is painted yet.")
    parts = [say("{cls}: {asked} pixels asked, {came} appeared; " if t.action == "add" else
                 "{cls}: {asked} pixels asked, {came} removed; ", cls=say(t.cls), asked=t.asked, came=t.came)
             for t in tallies]
    return "".join(parts) + say("outside the paint {outside} pixels changed their class.", outside=outside)
