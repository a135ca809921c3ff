"""GAN Dissection, step two: which units *cause* a kind of thing? Switch them off, or on, and look.

Bau et al., arXiv 1811.10597, section 3.2. With  x = f(r)  (`r, f = G.at(z, layer)`), units U and places P:

    x   = f(r_{U,P}, r_rest)      the picture
    x_a = f(0,       r_rest)      U ablated at P
    x_i = f(k,       r_rest)      U inserted at P

Everything here edits r and draws again with the same f; no generator is patched. A *ranking* is a list of units, best
first: by IoU (`Dissection.units_for`), or by what they do (`alpha.py`); `units.py` keeps one in a file. Where a thing
may be inserted, and what resists removal: `context.py`. Taught in notebooks/01_gan_dissection.ipynb.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import finite, whole
from ..networks.layers import check_finite, described, numbers
from ..networks.protocols import Generator, Segmenter, check_name, classes_of, evaluating
from ..networks.segmenter import segment
from .pixels import coverage, pictures, ratio, unit_count
from .units import Units, check_units, random_orders

COUNTS = (0, 1, 2, 4, 8, 12, 16, 20)


# -------------------------------------------------------------------------------------- edits of r

def _edited(r: Tensor, units: Units) -> list[int]:
    """The units to edit, if r is what can be edited."""
    if not isinstance(r, Tensor) or not r.is_floating_point() or r.ndim != 4 or not r.numel():
        raise ValueError(f"r must be a floating tensor N×U×h×w, as G.at(z, layer) returns it; got {described(r)}")
    return check_units(units, check_finite("r", r).shape[1])


def per_unit(name: str, value: float | Tensor, r: Tensor, units: Sequence[int]) -> Tensor:
    """One number for all units, or one for each: 1|U × 1 × 1."""
    found = check_finite(name, numbers(name, value).to(r)).flatten()
    if len(found) not in (1, len(units)):
        raise ValueError(f"{name} is one number or one per unit: {len(units)} units, but {len(found)} {name}s")
    return found[:, None, None]


def _amount(r: Tensor, units: list[int], where: Tensor | None, strength: float | Tensor) -> Tensor:
    """s·P, broadcastable to the edited units: 1|N × 1|U × 1|h × 1|w."""
    amount = per_unit("strength", strength, r, units)
    if where is None:
        return amount
    (n, _, h, w), where = r.shape, check_finite("where", numbers("where", where).to(r))
    if tuple(where.shape) not in ((h, w), (1, 1, h, w), (n, 1, h, w)):
        raise ValueError(f"where is a mask {h}×{w} or {n}×1×{h}×{w}, the size of r; got {tuple(where.shape)}")
    if where.numel() and not (where.min() >= -1e-3 and where.max() <= 1.001):       # as a resampling may leave it
        raise ValueError(f"where goes from {where.min():g} to {where.max():g}; a mask is boolean, or from 0 to 1 (of "
                         "bytes from 0 to 255: where > 127)")
    return amount * where


def ablate(r: Tensor, units: Units, where: Tensor | None = None, strength: float | Tensor = 1.0) -> Tensor:
    """Turn units down, or off:  r_{U,P} ← (1 − s·P) · r_{U,P}.   s = 1 is x_a; s = α a part of it.

    r: N×U×h×w, not modified. units: which channels. where: None for everywhere, or a mask P at the size of r,
    h×w or N×1×h×w, values in [0, 1]. strength: s, one number or one per unit. Returns a new N×U×h×w.
    ValueError for anything else, and for NaN or infinity in it.
    """
    units = _edited(r, units)
    out = r.clone()
    # r_{U,P} ← (1 − s·P) · r_{U,P};   x_a = f(0, r_rest) at s = 1                                  (Eq. 3)
    out[:, units] = r[:, units] * (1 - _amount(r, units, where, strength))  # (N, |U|, h, w)
    return out


def insert(r: Tensor, units: Units, where: Tensor | None = None, level: float | Tensor | None = None,
           strength: float | Tensor = 1.0) -> Tensor:
    """Force units to a level:  r_{U,P} ← s·P·k + (1 − s·P) · r_{U,P}.   s = 1 is x_i; s = α a part of it.

    level: k, one number or one per unit; `levels` measures it for a class, the paper's way. None takes each
    unit's largest value in this r, which suits a brush. The rest as for `ablate`.
    """
    units = _edited(r, units)
    out, amount = r.clone(), _amount(r, units, where, strength)
    k = per_unit("level", r[:, units].amax((0, 2, 3)) if level is None else level, r, units)
    # r_{U,P} ← s·P·k + (1 − s·P) · r_{U,P};   x_i = f(k, r_rest) at s = 1                          (Eq. 3)
    out[:, units] = amount * k + (1 - amount) * r[:, units]                 # (N, |U|, h, w)
    return out


# -------------------------------------------------------------------------------------- measures

def changes(before: Tensor, after: Tensor, c: int) -> tuple[int, int]:
    """(pixels of c removed, pixels of other classes whose label changed)."""
    removed = (before == c).sum() - (after == c).sum()
    return int(removed), int(((before != c) & (after != before)).sum())


def _price(removed: int, changed: int) -> float:
    return changed / removed if removed > 0 else math.inf if changed else 0.0


def collateral(before_labels: Tensor, after_labels: Tensor, cls: int) -> float:
    """The price of a removal: pixels of other classes changed, per pixel of class `cls` (a number) removed.

        #{p : before_p ≠ c, after_p ≠ before_p}  /  (#{p : before_p = c} − #{p : after_p = c})

    labels: N×H×W. 0 is a clean cut; 1 is one pixel spoilt for each removed. When nothing was removed, or the
    class grew: inf if other pixels changed, 0 if none did; never NaN.
    """
    return _price(*changes(before_labels, after_labels, cls))


@torch.no_grad()
def levels(G: Generator, layer: str, units: Units, segmenter: Segmenter, cls: str, samples: int = 200,
           seed: int = 1, progress: bool = False) -> Tensor:
    """k for `insert`: the mean of each unit over the places that show the class, (|U|,).

        k_u = Σ_{z,p} w_p r_{u,p} / Σ_{z,p} w_p,   w_p = share of class c in the picture under place p

    If no picture shows the class there is no such mean; then k is the mean of the pictures' largest values.
    """
    c = check_name("class", cls, classes_of(segmenter))
    total, weight, largest = 0.0, 0.0, 0.0
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("levels of {cls}", cls=say(cls)), progress):
            r_U = r[:, check_units(units, r.shape[1])].float()              # (N, |U|, h, w)
            w = coverage(segment(segmenter, f(r)), c, r.shape[-2:])         # (N, 1, h, w)
            total, weight = total + (w * r_U).sum((0, 2, 3)), weight + w.sum()             # (|U|,), ()
            largest = largest + r_U.amax((2, 3)).sum(0) / samples           # (|U|,)
    # k_u = Σ w_p r_{u,p} / Σ w_p
    return total / weight if weight > 0 else largest


# -------------------------------------------------------------------------------------- effects of a set

def effect(labels_inserted: Tensor, labels_ablated: Tensor, c: int) -> float:
    """The share of pixels that are class c in the first labels, less that in the second: two of N×H×W → [−1, 1]."""
    one, other = (int((labels == c).sum()) / labels.numel() for labels in (labels_inserted, labels_ablated))
    return one - other


def causal_effect(G: Generator, layer: str, units: Units, segmenter: Segmenter, cls: str, samples: int = 200,
                  seed: int = 3, level: float | Tensor | None = None, where: Tensor | None = None,
                  progress: bool = True, measure: Callable[[Tensor, Tensor, int], float] = effect) -> float:
    """The average causal effect of units U on class c:

        δ_{U→c} = E_{z,P}[ s_c(x_i) ] − E_{z,P}[ s_c(x_a) ]

    s_c(x) is read as the share of a picture's pixels that are class c, so δ is in [−1, 1]. P is everywhere,
    or the mask `where` (see `ablate`). level: k; None takes `levels` of the same pictures. measure: the difference
    of two label maps, 1×H×W, for a reader's own. ValueError where it gives no finite number.
    """
    return _effects(G, layer, units, segmenter, cls, samples, seed, level, where, progress, measure).mean().item()


@torch.no_grad()
def _effects(G, layer, units, segmenter, cls, samples, seed, level, where, progress, measure) -> Tensor:
    """The effect in each picture, (samples,) float64; δ is their mean."""
    c, found = check_name("class", cls, classes_of(segmenter)), []
    k = levels(G, layer, units, segmenter, cls, samples, seed, progress) if level is None else level
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("effect on {cls}", cls=say(cls)), progress):
            x_i, x_a = f(insert(r, units, where, k)), f(ablate(r, units, where))
            # δ_{U→c} = E[ s_c(x_i) ] − E[ s_c(x_a) ]
            for inserted, ablated in zip(segment(segmenter, x_i).split(1), segment(segmenter, x_a).split(1)):
                found.append(finite("what measure gives", measure(inserted, ablated, c)))
    return torch.tensor(found, dtype=torch.float64)


def effect_curve(G: Generator, layer: str, segmenter: Segmenter, cls: str, orders: Mapping[str, Units],
                 counts: Sequence[int] = COUNTS, samples: int = 100, seed: int = 3, draws: int = 3,
                 progress: bool = True, measure: Callable[[Tensor, Tensor, int], float] = effect
                 ) -> dict[str, tuple[Tensor, Tensor]]:
    """δ_{U→c} of the first n units of each order, n in `counts`, as in the paper's figure of the causal effect.

    Returns name -> (mean, error), two of (K,) each: of one order, with its standard error over the pictures; and
    "random", of `draws` random orders, with their standard deviation. k is that of `levels`, on the same pictures.
    measure: as for `causal_effect`. ValueError for more units than an order has.
    """
    U, draws = unit_count(G, layer), whole("draws", draws, 1)
    if not isinstance(orders, Mapping):
        raise ValueError(f"orders are a dict from names to lists of units; got a {type(orders).__name__}")
    named = {name: [check_units(order, U)] for name, order in orders.items()}
    named["random"] = random_orders(U, draws, seed)
    counts = _counts(counts, min(len(order) for several in named.values() for order in several))
    k, found = levels(G, layer, range(U), segmenter, cls, samples, seed), {}
    with tqdm(total=sum(map(len, named.values())) * len(counts), desc=say("effect on {cls}", cls=say(cls)), leave=False,
              disable=not progress) as bar:
        for name, several in named.items():
            effects = torch.zeros(len(several), len(counts), samples, dtype=torch.float64)
            for o, order in enumerate(several):
                for i, n in enumerate(counts):
                    if n:
                        effects[o, i] = _effects(G, layer, order[:n], segmenter, cls, samples, seed, k[order[:n]], None,
                                                 False, measure)
                    bar.update()
            each = effects.mean(2)                                          # (orders, K)
            spread = each.T if name == "random" else effects[0] / samples**0.5
            found[name] = each.mean(0), spread.std(1, correction=min(1, spread.shape[1] - 1))
    return found


@dataclass
class Curve:
    """What is left of a class as more and more units are ablated; one row per order of the units."""

    cls: str
    counts: tuple[int, ...]     # K numbers of units ablated
    had: Tensor                 # (N,) long: pixels of the class in each picture, with none ablated
    left: Tensor                # (orders, K, N) long: pixels of the class in each picture
    changed: Tensor             # (orders, K) long: pixels of other classes whose label changed

    @property
    def before(self) -> int:
        """Pixels of the class with none ablated, pictures pooled."""
        return int(self.had.sum())

    @property
    def pixels(self) -> Tensor:
        """Pixels of the class, pictures pooled: (orders, K) long."""
        return self.left.sum(2)

    @property
    def error(self) -> Tensor:
        """Standard error of `removed` over the pictures, of all orders together, (K,); NaN if one alone shows it."""
        return ratio(self.left.sum(0).T, self.had[:, None].expand(-1, len(self.counts)) * len(self.left))[1]

    @property
    def removed(self) -> Tensor:
        """Share of the class's pixels removed, mean over orders, (K,); NaN if the class never occurred."""
        return (1 - self.pixels.double() / (self.before or math.nan)).mean(0)

    @property
    def spread(self) -> Tensor:
        """Standard deviation of that share over the orders, (K,); 0 for a single order."""
        return (self.pixels.double() / (self.before or math.nan)).std(0, correction=min(1, len(self.pixels) - 1))

    @property
    def collateral(self) -> list[float]:
        """Other pixels changed per class pixel removed (see `collateral`), orders pooled; K numbers."""
        gone, changed = (self.before - self.pixels).sum(0), self.changed.sum(0)
        return [_price(int(a), int(b)) for a, b in zip(gone, changed, strict=True)]


def _counts(counts: Sequence[int], most: int) -> tuple[int, ...]:
    """How many units to take, from none to all of the shortest order."""
    try:
        found = tuple(operator.index(n) for n in counts)
    except TypeError:
        found = ()
    if not found or not all(0 <= n <= most for n in found):
        raise ValueError(f"counts go from 0 to the {most} units of the ranking; got {counts!r:.60}")
    return found


@torch.no_grad()
def _curve(G, layer, segmenter, cls, orders, counts, samples, seed, in_place, progress) -> Curve:
    c, had, parts = check_name("class", cls, classes_of(segmenter)), [], []
    counts = _counts(counts, min(map(len, orders)))
    changed = torch.zeros(len(orders), len(counts), dtype=torch.long)
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("ablate {cls}", cls=say(cls)), progress):     # h(z) once
            labels = segment(segmenter, f(r))                               # (N, H, W)
            had.append((labels == c).sum((1, 2)).cpu())
            left = torch.zeros(len(orders), len(counts), len(labels), dtype=torch.long)
            P = coverage(labels, c, r.shape[-2:]) > 0 if in_place else None                # (N, 1, h, w)
            for o, order in enumerate(orders):
                for i, count in enumerate(counts):
                    after = segment(segmenter, f(ablate(r, order[:count], P))) if count else labels
                    left[o, i] = (after == c).sum((1, 2)).cpu()
                    changed[o, i] += changes(labels, after, c)[1]
            parts.append(left)
    return Curve(cls, counts, torch.cat(had), torch.cat(parts, 2), changed)


def ablation_curve(G: Generator, layer: str, segmenter: Segmenter, cls: str, ranking: Units,
                   counts: Sequence[int] = COUNTS, samples: int = 200, seed: int = 3, in_place: bool = False,
                   progress: bool = True) -> Curve:
    """Ablate the first 0, 1, 2, … units of a ranking; count what is left of the class.

    Everywhere, or with `in_place` only at those places P of the map under which the picture shows the class: then
    the rest of the picture can only change as far as f carries it.
    """
    order = check_units(ranking, unit_count(G, layer))
    return _curve(G, layer, segmenter, cls, [order], counts, samples, seed, in_place, progress)


def random_curve(G: Generator, layer: str, segmenter: Segmenter, cls: str, orders: int = 5,
                 counts: Sequence[int] = COUNTS, samples: int = 200, seed: int = 3, in_place: bool = False,
                 progress: bool = True) -> Curve:
    """`ablation_curve` for `orders` random orders drawn from `seed`: what any units would remove."""
    shuffled = random_orders(unit_count(G, layer), whole("orders", orders, 1), seed)
    return _curve(G, layer, segmenter, cls, shuffled, counts, samples, seed, in_place, progress)
