"""GAN Dissection, step two: which units *cause* a kind of thing? Switch them off, or on, and look.

Bau et al., arXiv 1811.10597, section 3.2. With  x = f(r)  (`r, f = G.at(z, layer)`), units U and places P:

    x   = f(r_{U,P}, r_rest)      the picture
    x_a = f(0,       r_rest)      U ablated at P
    x_i = f(k,       r_rest)      U inserted at P                                               (Eq. 3)

Everything here changes r and draws again with the same f; no generator is patched. A *ranking* is a list of
units, best first: by IoU (`Dissection.units_for`), by single effects (`rank_by_effect`) or by the joint
search for α (`optimise_alpha`). Taught in notebooks/01_gan_dissection.ipynb.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from .dissection import Generator, Segmenter, check_layer, check_name, device_of, evaluating, segment
from .layers import sample_z

# -------------------------------------------------------------------------------------- edits of r


def check_units(units: Sequence[int] | Tensor, count: int) -> list[int]:
    """The units as a list of ints; ValueError with the valid range for one that the layer does not have."""
    units = [operator.index(u) for u in (units.tolist() if isinstance(units, Tensor) else units)]
    wrong = [u for u in units if not 0 <= u < count]
    if wrong:
        raise ValueError(f"no unit {', '.join(map(str, wrong))}; this layer has units 0 to {count - 1}")
    return units


def _amount(r: Tensor, where: Tensor | None, strength: float | Tensor) -> Tensor:
    """strength × where, broadcastable to the edited units' N×|U|×h×w."""
    amount = torch.as_tensor(strength, dtype=r.dtype, device=r.device)
    amount = amount.view(1, -1, 1, 1)                                       # (1, 1 or |U|, 1, 1)
    if where is None:
        return amount
    n, _, h, w = r.shape
    if where.shape[-2:] != (h, w) or (where.ndim != 2 and where.shape not in ((n, 1, h, w), (1, 1, h, w))):
        raise ValueError(f"where is a mask {h}×{w} or {n}×1×{h}×{w}, the size of r; got {tuple(where.shape)}")
    return amount * where.to(r)                                             # (1 or N, 1 or |U|, h, w)


def ablate(r: Tensor, units: Sequence[int] | Tensor, where: Tensor | None = None,
           strength: float | Tensor = 1.0) -> Tensor:
    """Turn units down, or off:  r_{U,P} ← (1 − s·P) · r_{U,P}   (Eq. 3 with s = 1; Eq. 5 with s = α).

    r: N×U×h×w, not modified. units: which channels. where: None for everywhere, or a mask P at the size of r,
    h×w or N×1×h×w with values in [0, 1]. strength: one number, or one per unit. Returns a new N×U×h×w.
    """
    units = check_units(units, r.shape[1])
    out = r.clone()
    # r_{U,P} ← (1 − s·P) · r_{U,P}
    out[:, units] = r[:, units] * (1 - _amount(r, where, strength))         # (N, |U|, h, w)
    return out


def insert(r: Tensor, units: Sequence[int] | Tensor, where: Tensor | None = None,
           level: float | Tensor | None = None, strength: float | Tensor = 1.0) -> Tensor:
    """Force units to a level:  r_{U,P} ← s·P·k + (1 − s·P) · r_{U,P}   (Eq. 3 with s = 1; Eq. 5 with s = α).

    level: k, one number or one per unit; `levels` measures it for a class, the paper's way. None takes each
    unit's largest value in this r, which is what a brush wants. The rest as for `ablate`.
    """
    units = check_units(units, r.shape[1])
    out = r.clone()
    if not units:
        return out
    k = r[:, units].amax((0, 2, 3)) if level is None else torch.as_tensor(level, dtype=r.dtype, device=r.device)
    if k.numel() not in (1, len(units)):
        raise ValueError(f"level is one number or one per unit: {len(units)} units, but {k.numel()} levels")
    amount = _amount(r, where, strength)
    # r_{U,P} ← s·P·k + (1 − s·P) · r_{U,P}
    out[:, units] = amount * k.view(1, -1, 1, 1) + (1 - amount) * r[:, units]               # (N, |U|, h, w)
    return out


# -------------------------------------------------------------------------------------- looking at pictures

def class_pixels(images: Tensor, segmenter: Segmenter) -> Tensor:
    """Pixels of every class in every picture: images N×3×H×W -> N×C (long)."""
    labels = segment(segmenter, images).flatten(1)                          # (N, P)
    counts = labels.new_zeros(len(labels), len(segmenter.classes))
    return counts.scatter_add_(1, labels, torch.ones_like(labels))          # (N, C)


def pictures(G: Generator, layer: str, samples: int, seed: int, batch: int
             ) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
    """r and f of `samples` pictures, a batch at a time; z from `seed`."""
    check_layer(G, layer)
    for z in sample_z(samples, G.z_dim, seed).split(batch):
        yield G.at(z.to(device_of(G)), layer)


def coverage(labels: Tensor, c: int, size: tuple[int, int]) -> Tensor:
    """Which share of every place of r is class c: labels N×H×W -> N×1×h×w in [0, 1], by area."""
    return F.adaptive_avg_pool2d((labels == c).float()[:, None], tuple(size))


def changed_pixels(before: Tensor, after: Tensor, c: int) -> tuple[int, int]:
    """(pixels of class c removed, pixels of other classes whose label changed); labels N×H×W."""
    removed = int((before == c).sum() - (after == c).sum())
    return removed, int(((before != c) & (after != before)).sum())


def collateral(before_labels: Tensor, after_labels: Tensor, cls: int) -> float:
    """The price of a removal: pixels of other classes that changed, for every pixel of class `cls` removed.

        #{p : before_p ≠ c, after_p ≠ before_p}  /  (#{p : before_p = c} − #{p : after_p = c})

    labels N×H×W (`segment`), cls a class number. 0 is a clean cut; 1 is a pixel spoilt for each one removed.
    When nothing was removed, or the class grew: inf if other pixels changed, 0 if none did; never NaN.
    """
    removed, changed = changed_pixels(before_labels, after_labels, cls)
    return price(removed, changed)


def price(removed: float, changed: float) -> float:
    """changed / removed with `collateral`'s convention for removed ≤ 0."""
    return changed / removed if removed > 0 else math.inf if changed else 0.0


@torch.no_grad()
def levels(G: Generator, layer: str, units: Sequence[int] | Tensor, segmenter: Segmenter, cls: str,
           samples: int = 200, seed: int = 1, batch: int = 50) -> Tensor:
    """k for `insert`: the mean of each unit where the class is,  k_u = E[ r_u | c at that place ],  (|U|,).

        k_u = Σ_{z,p} w_p r_{u,p} / Σ_{z,p} w_p,   w_p = share of class c in the picture's area under place p

    If no picture shows the class, there is no such mean: k is the average of the pictures' largest values.
    """
    c = check_name("class", cls, segmenter.classes)
    weight, total, largest = 0.0, 0.0, 0.0
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, batch):
            units = check_units(units, r.shape[1])
            r_U = r[:, units].float()                                       # (N, |U|, h, w)
            w = coverage(segment(segmenter, f(r)), c, r.shape[-2:])         # (N, 1, h, w)
            total = total + (w * r_U).sum((0, 2, 3))                        # (|U|,)
            weight = weight + w.sum()
            largest = largest + r_U.amax((2, 3)).sum(0) / samples           # (|U|,)
    # k_u = Σ w_p r_{u,p} / Σ w_p
    return total / weight if weight > 0 else largest


# -------------------------------------------------------------------------------------- effects of a set

@torch.no_grad()
def causal_effect(G: Generator, layer: str, units: Sequence[int] | Tensor, segmenter: Segmenter, cls: str,
                  samples: int = 200, seed: int = 3, level: float | Tensor | None = None,
                  where: Tensor | None = None, batch: int = 50) -> float:
    """The average causal effect of units U on class c:

        δ_{U→c} = E_{z,P}[ s_c(x_i) ] − E_{z,P}[ s_c(x_a) ]                                       (Eq. 4)

    s_c(x) is read as the share of the picture's pixels that are class c, so δ lies in [−1, 1]. P: everywhere,
    or the mask `where` (see `ablate`). level: k; None takes `levels` at the same seed.
    """
    c = check_name("class", cls, segmenter.classes)
    if level is None:
        level = levels(G, layer, units, segmenter, cls, samples, seed, batch)
    effect = 0.0
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, batch):
            x_i, x_a = f(insert(r, units, where, level)), f(ablate(r, units, where))             # (N, 3, H, W)
            # δ_{U→c} = E[ s_c(x_i) ] − E[ s_c(x_a) ]                                             (Eq. 4)
            s_i, s_a = ((segment(segmenter, x) == c).float().mean((1, 2)) for x in (x_i, x_a))   # (N,)
            effect += float((s_i - s_a).sum()) / samples
    return effect


@dataclass
class Curve:
    """What is left of a class when more and more units are ablated; a row per order of the units."""

    cls: str
    counts: tuple[int, ...]     # K numbers of units ablated
    before: int                 # pixels of the class with none ablated
    pixels: Tensor              # (orders, K) long: pixels of the class
    changed: Tensor             # (orders, K) long: pixels of other classes whose label changed

    @property
    def removed(self) -> Tensor:
        """Share of the class's pixels removed, mean over orders, (K,); NaN if the class never occurred."""
        return self._shares().mean(0)

    @property
    def spread(self) -> Tensor:
        """Standard deviation of that share over orders, (K,); 0 for a single order."""
        return self._shares().std(0, correction=0)

    @property
    def collateral(self) -> list[float]:
        """Other pixels changed per class pixel removed (see `collateral`), pooled over orders, K numbers."""
        removed = (self.before - self.pixels).sum(0).tolist()
        return [price(a, b) for a, b in zip(removed, self.changed.sum(0).tolist(), strict=True)]

    def _shares(self) -> Tensor:
        return 1 - self.pixels.double() / (self.before or math.nan)


@torch.no_grad()
def _curve(G, layer, segmenter, cls, orders, counts, samples, seed, batch, progress) -> Curve:
    c = check_name("class", cls, segmenter.classes)
    if min(counts) < 0 or max(counts) > min(map(len, orders)):
        raise ValueError(f"counts go from 0 to {min(map(len, orders))}, the units in the ranking; got {counts}")
    pixels = torch.zeros(len(orders), len(counts), dtype=torch.long)
    changed, total = pixels.clone(), 0
    with evaluating(G, segmenter), tqdm(total=samples, desc=f"ablate {cls}", disable=not progress) as bar:
        for r, f in pictures(G, layer, samples, seed, batch):               # h(z) is paid once
            before = segment(segmenter, f(r))                               # (N, H, W)
            total += int((before == c).sum())
            for o, order in enumerate(orders):
                for k, count in enumerate(counts):
                    after = segment(segmenter, f(ablate(r, order[:count]))) if count else before
                    pixels[o, k] += int((after == c).sum())
                    changed[o, k] += changed_pixels(before, after, c)[1]
            bar.update(len(r))
    return Curve(cls, tuple(counts), total, pixels, changed)


def ablation_curve(G: Generator, layer: str, segmenter: Segmenter, cls: str, ranking: Sequence[int] | Ranking,
                   counts: Sequence[int] = (0, 1, 2, 4, 8, 12, 16, 20), samples: int = 200, seed: int = 3,
                   batch: int = 50, progress: bool = False) -> Curve:
    """Ablate the first 0, 1, 2, … units of a ranking everywhere, and count what is left of the class.

    ranking: a list of units, best first, or a `Ranking`. ValueError for a count beyond its end.
    """
    order = list(getattr(ranking, "units", ranking))
    return _curve(G, layer, segmenter, cls, [order], counts, samples, seed, batch, progress)


def random_curve(G: Generator, layer: str, segmenter: Segmenter, cls: str, orders: int = 5,
                 counts: Sequence[int] = (0, 1, 2, 4, 8, 12, 16, 20), samples: int = 200, seed: int = 3,
                 batch: int = 50, progress: bool = False) -> Curve:
    """The same for `orders` random orders of the units: what any units would remove. See `Curve.spread`."""
    U, rng = unit_count(G, layer), torch.Generator().manual_seed(seed)
    shuffled = [torch.randperm(U, generator=rng).tolist() for _ in range(orders)]
    return _curve(G, layer, segmenter, cls, shuffled, counts, samples, seed, batch, progress)


def unit_count(G: Generator, layer: str) -> int:
    """The number of units of a layer."""
    with torch.no_grad():
        return next(pictures(G, layer, 1, 0, 1))[0].shape[1]


# -------------------------------------------------------------------------------------- finding the set

@dataclass
class Ranking:
    """Units ordered by their effect on a class. `units` is best first; hand it to `ablation_curve`."""

    cls: str
    score: Tensor                       # (U,) effect of each unit, or its α; −inf: was not a candidate
    tie: Tensor                         # (U,) decides between equal scores
    history: list[dict[str, float]] = field(default_factory=list)          # of each update of α

    @property
    def units(self) -> list[int]:
        """The candidates, best first."""
        order = sorted(range(len(self.score)), key=lambda u: (-float(self.score[u]), -float(self.tie[u])))
        return [u for u in order if self.score[u] > -math.inf]


@torch.no_grad()
def rank_by_effect(G: Generator, layer: str, segmenter: Segmenter, cls: str, samples: int = 32, seed: int = 2,
                   candidates: Sequence[int] | None = None, collateral_weight: float = 0.0, batch: int = 32,
                   progress: bool = True) -> Ranking:
    """Ablate every candidate unit alone, and rank by what goes missing: an effect, not an agreement.

        score_u = (class pixels removed − collateral_weight · other pixels changed) / class pixels before

    candidates: None for all units. One f and one segmentation per unit and picture. Blind to units that
    only matter together; `optimise_alpha` is not. ValueError if no picture shows the class.
    """
    c, U = check_name("class", cls, segmenter.classes), unit_count(G, layer)
    candidates = range(U) if candidates is None else check_units(candidates, U)
    removed, changed, before = torch.zeros(U), torch.zeros(U), 0
    passes = len(candidates) * math.ceil(samples / batch)
    with evaluating(G, segmenter), tqdm(total=passes, desc=f"units of {cls}", disable=not progress) as bar:
        for r, f in pictures(G, layer, samples, seed, batch):
            labels = segment(segmenter, f(r))                               # (N, H, W)
            before += int((labels == c).sum())
            for u in candidates:
                gone, other = changed_pixels(labels, segment(segmenter, f(ablate(r, [u]))), c)
                removed[u] += gone
                changed[u] += other
                bar.update()
    if not before:
        raise ValueError(f"none of the {samples} pictures shows {cls!r}; raise samples or change the seed")
    score = torch.full((U,), -math.inf)
    score[list(candidates)] = ((removed - collateral_weight * changed) / before)[list(candidates)]
    return Ranking(cls, score, -changed)


def optimise_alpha(G: Generator, layer: str, segmenter: Segmenter, cls: str, steps: int = 40, batch: int = 8,
                   samples: int = 200, seed: int = 2, lr: float = 0.05, l2: float = 0.02,
                   insertion_weight: float = 1.0, collateral_weight: float = 0.0,
                   init: float | Tensor = 0.5, level: Tensor | None = None, progress: bool = True) -> Ranking:
    """Search the set of units that together make class c: a continuous α ∈ [0, 1]^U, one weight per unit.

        x'_a = f((1 − α) ⊙ r),   x'_i = f(α ⊙ k + (1 − α) ⊙ r at Q),                              (Eq. 5)
        α* = argmin_α  − δ_α + λ ‖α‖²,   δ_α = E[ s_c(x'_i) ] − E[ s_c(x'_a) ]                    (Eq. 6)

    s_c is the segmenter's softmax score of c, so the segmenter must be differentiable. It is averaged where
    it can change: for x'_a over the pixels that show c, ablated everywhere; for x'_i over the pixels at Q, a
    random tenth of the places without c, where k (`levels`) was inserted. (The official code reads the second
    at the places of the first, which the insertion did not touch.) λ = `l2`. Adam, then clip to [0, 1].

    Our addition, off by default:  + collateral_weight · Σ_{p not c} max(0, s_b(x)_p − s_b(x'_a)_p) / #{p is c},
    b the label of p in x: it makes spoiling a pixel of another class as dear as `collateral` counts it.

    init: the first α, a number or (U,) values such as an IoU column divided by its maximum (the official
    start). Trains on those of `samples` pictures that show c. Returns a `Ranking`: `score` is α, `tie` the
    mean pull of the gradient towards 1, `history` the terms of each update.
    """
    c, device = check_name("class", cls, segmenter.classes), device_of(G)
    check_layer(G, layer)
    U, rng = unit_count(G, layer), torch.Generator().manual_seed(seed)
    k = levels(G, layer, range(U), segmenter, cls, samples, seed) if level is None else level
    alpha = torch.empty(U, device=device).copy_(torch.as_tensor(init)).requires_grad_()
    adam, pull, history = torch.optim.Adam([alpha], lr), torch.zeros(U), []
    with evaluating(G, segmenter):
        with torch.no_grad():
            shows = torch.cat([class_pixels(f(r), segmenter)[:, c].cpu() > 0
                               for r, f in pictures(G, layer, samples, seed, 50)])
        z = sample_z(samples, G.z_dim, seed)[shows]
        if not len(z):
            raise ValueError(f"none of the {samples} pictures shows {cls!r}; raise samples or change the seed")
        bar = tqdm(range(steps), desc=f"α for {cls}", disable=not progress)
        for _ in bar:
            with torch.no_grad():
                part = z[torch.randperm(len(z), generator=rng)[:batch]]
                r, f = G.at(part.to(device), layer)                         # (N, U, h, w)
                s = segmenter(f(r)).softmax(1)                              # (N, C, H, W)
                b = s.argmax(1, keepdim=True)                               # (N, 1, H, W) labels before
                here = (b == c).float()
                absent = coverage(b[:, 0], c, r.shape[-2:]) == 0            # (N, 1, h, w)
                Q = absent & (torch.rand(absent.shape, generator=rng).to(device) < 0.1)
                Q_pixels = F.interpolate(Q.float(), size=b.shape[-2:])      # (N, 1, H, W) nearest
            s_a = segmenter(f(ablate(r, range(U), strength=alpha))).softmax(1)                   # s(x'_a)
            s_i = segmenter(f(insert(r, range(U), Q, k, strength=alpha))).softmax(1)             # s(x'_i)
            left = (s_a[:, c:c + 1] * here).sum() / here.sum().clamp(min=1)
            drawn = (s_i[:, c:c + 1] * Q_pixels).sum() / Q_pixels.sum().clamp(min=1)
            lost = (s.gather(1, b) - s_a.gather(1, b)).clamp(min=0) * (1 - here)
            spoilt = lost.sum() / here.sum().clamp(min=1)
            if not left.requires_grad:
                raise ValueError("the pictures or scores carry no gradient: optimise_alpha needs a generator "
                                 "and a segmenter that are differentiable; use rank_by_effect instead")
            # − δ_α + λ ‖α‖²                                                                     (Eq. 6)
            effect = insertion_weight * drawn - left - collateral_weight * spoilt
            loss = -effect + l2 * alpha.square().sum()
            pull += torch.autograd.grad(effect, alpha, retain_graph=True)[0].cpu() / steps
            alpha.grad, = torch.autograd.grad(loss, alpha)
            adam.step()
            with torch.no_grad():
                alpha.clamp_(0, 1)
            history.append({"left": left.item(), "drawn": drawn.item(), "spoilt": spoilt.item(),
                            "units": alpha.sum().item(), "loss": loss.item()})
            bar.set_postfix({name: f"{history[-1][name]:.2f}" for name in ("left", "drawn", "units")})
    return Ranking(cls, alpha.detach().cpu(), pull, history)
