"""Which few units draw a thing where it belongs? The insertion half of the search for α, asked in one context.

Bau et al., arXiv 1811.10597, insert 20 of 512 units (`intervention.insert`). Units that *match* a class need not be
those that draw it when forced on. Here they are searched for, as `alpha.optimise_alpha` does for Eq. 6, and only
at spots that show a given context: a door in a wall, a tree before a mountain. Taught in
notebooks/01_gan_dissection.ipynb.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import finite, whole
from ..networks.layers import check_gradients, seeded
from ..networks.protocols import Generator, Segmenter, check_name, classes_of, cut, device_of, evaluating, latents
from ..networks.segmenter import segment
from .alpha import climb
from .intervention import insert, levels
from .pixels import coverage, pictures, ratio, unit_count
from .units import Ranking, Units, check_units


def spots(labels: Tensor, context: int, size: tuple[int, int], reach: int = 3, min_share: float = 0.7,
          seed: int = 0) -> tuple[Tensor, Tensor]:
    """One spot of reach×reach places a picture, by lot among those that show the context.

    labels: N×H×W; size: (h, w) of r. A spot qualifies if the context covers min_share of it. Returns the pictures that
    have one, (n,), and their spots, n×1×h×w of 0 and 1.
    """
    N, (h, w), reach = len(labels), size, whole("reach", reach, 1, min(size))
    finite("min_share", min_share)
    share = F.avg_pool2d(coverage(labels, context, size), reach, 1)         # (N, 1, h−reach+1, w−reach+1)
    lot = torch.rand(share.shape, generator=seeded(seed), dtype=torch.float32).to(share)
    best, place = ((share >= min_share) * (lot + 1)).flatten(1).max(1)      # (N,) each
    have = (best > 0).nonzero().flatten()
    P = torch.zeros(N, 1, h, w, device=labels.device)
    row, column = place // share.shape[-1], place % share.shape[-1]
    for i in have.tolist():
        P[i, 0, row[i]:row[i] + reach, column[i]:column[i] + reach] = 1
    return have, P[have]


@torch.no_grad()
def optimise_insertion(G: Generator, layer: str, segmenter: Segmenter, cls: str, context: str,
                       level: Tensor | None = None, reach: int = 3, min_share: float = 0.7, steps: int = 35,
                       batch: int = 8, samples: int = 150, seed: int = 2, lr: float = 0.07, l2: float = 0.02,
                       progress: bool = True) -> Ranking:
    """Search the units that draw class c when they are forced on at spots Q that show the context:

        x'_i = f(α ⊙ k + (1 − α) ⊙ r  at Q)
        α* = argmin_α  − E_{z,Q}[ s_c(x'_i) ] + λ ‖α‖²,   α ∈ [0, 1]^U,   λ = l2

    the second half of Eq. 6, where the thing may stand. s_c: softmax score, averaged under Q where c was not yet there.
    level: k, one number per unit; None takes twice the class's `levels`: a spot is small, and its surroundings pull.
    Returns a `Ranking`, whose score is α. ValueError if no picture of `samples` shows such a spot.
    """
    check_gradients()
    c, b = (check_name("class", name, classes_of(segmenter)) for name in (cls, context))
    steps, batch = whole("steps", steps, 1), whole("batch", batch, 1)
    finite("lr", lr, 0)
    finite("l2", l2)
    U, device, rng = unit_count(G, layer), device_of(G), seeded(seed)
    k = 2 * levels(G, layer, range(U), segmenter, cls, samples) if level is None else level
    with evaluating(G, segmenter):
        labels = torch.cat([segment(segmenter, f(r)) for r, f in pictures(G, layer, samples, seed)])    # (N, H, W)
        size = next(pictures(G, layer, 1, seed))[0].shape[-2:]
        have, Q = spots(labels, b, size, reach, min_share, seed)
        z, free = latents(G, samples, seed)[have], labels[have] != c
        if not len(Q):
            raise ValueError(f"none of {samples} pictures shows enough {context!r}; lower min_share or raise samples")
        alpha = torch.full((U,), 0.5, device=device, requires_grad=True)
        adam, pull = torch.optim.Adam([alpha], lr), torch.zeros(U)
        label = say("α of {cls} in {context}", cls=say(cls), context=say(context))
        for _ in tqdm(range(steps), label, leave=False, disable=not progress):
            i = torch.randperm(len(Q), generator=rng)[:batch].to(device)
            r, f = cut(G, z[i], layer)                                      # (n, U, h, w)
            under = F.interpolate(Q[i], size=free.shape[-2:]) * free[i][:, None]            # (n, 1, H, W)
            with torch.enable_grad():
                # E_{z,Q}[ s_c(x'_i) ],   x'_i = f(α ⊙ k + (1 − α) ⊙ r  at Q)                       (Eq. 6)
                s = segmenter(f(insert(r, range(U), Q[i], k, strength=alpha))).softmax(1, torch.float32)
                drawn = (s[:, [c]] * under).sum() / under.sum().clamp(min=1)
            pull += climb(drawn, alpha, adam, l2) / steps
    return Ranking(cls, alpha.detach().cpu(), pull, by="α")


@dataclass
class Inserted:
    """What forcing units on at one spot a picture did."""

    images: Tensor      # (n, 3, H, W) before
    after: Tensor       # (n, 3, H, W)
    spots: Tensor       # (n, H, W) boolean: the spot at the size of the labels
    asked: Tensor       # (n,) long: pixels of the spot that were not the class
    came: Tensor        # (n,) long: of those, how many are now
    outside: Tensor     # (n,) long: pixels outside the spot that changed class

    @property
    def share(self) -> tuple[float, float]:
        """Which share of the pixels asked for became the class, and its standard error over pictures."""
        return tuple(part.item() for part in ratio(self.came, self.asked))

    @property
    def change(self) -> tuple[float, float]:
        """How far the colours of the spot changed, and its standard error over pictures. No segmenter has a say in it.

            mean over the spot and the colours of |x_i − x| / 2:  0 for no change, 1 for white that became black
        """
        moved = (self.after.clamp(-1, 1) - self.images.clamp(-1, 1)).abs().mean(1) / 2         # (n, H, W)
        return tuple(part.item() for part in ratio((moved * self.spots).sum((1, 2)), self.spots.sum((1, 2))))


def paste(images: Tensor, spots: Tensor, things: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """A real thing, cut out along its mask, in the middle of each spot: would the segmenter know one there?

    images: n×3×H×W; spots: n×H×W boolean; things: pictures 3×H×W, each with its mask H×W, taken in turn. A thing wider
    than a spot covers more; what would leave the picture is cut off.
    Returns the pictures, and where the things are: n×3×H×W, and n×H×W boolean. ValueError without a thing to paste.
    """
    if not things or not all(mask.any() for _, mask in things):
        raise ValueError("there is nothing to paste: give pictures of the thing, each with a mask that is not empty")
    pasted, places = images.clone(), torch.zeros_like(spots)
    for i, spot in enumerate(spots):
        x, mask = (part.to(images.device) for part in things[i % len(things)])
        middle, there = (m.nonzero().cpu().double().mean(0) for m in (mask, spot))
        move = (there - middle).round().int().tolist()
        rows, columns = (torch.arange(size, device=images.device) - by for size, by in zip(mask.shape, move))
        inside = ((rows >= 0) & (rows < len(rows)))[:, None] & (columns >= 0) & (columns < len(columns))
        places[i] = mask.roll(move, (0, 1)).bool() & inside      # what came in again is not
        pasted[i] = torch.where(places[i], x.roll(move, (1, 2)), pasted[i])
    return pasted, places


@torch.no_grad()
def inserted(G: Generator, layer: str, units: Units, segmenter: Segmenter, cls: str, context: str,
             level: float | Tensor, reach: int = 3, min_share: float = 0.7, samples: int = 100, seed: int = 4,
             insert=insert) -> Inserted:
    """Force the units to k at one spot of each picture that shows the context, and count the class under it.

    level: k, one number per unit *of the layer* or one for all. Other pictures than those of the search: seed 4.
    insert: the edit, for a reader's own. ValueError if no picture shows such a spot.
    """
    c, b = (check_name("class", name, classes_of(segmenter)) for name in (cls, context))
    U, parts = unit_count(G, layer), []
    units = check_units(units, U)
    k = torch.as_tensor(level).flatten()
    if len(k) not in (1, U):
        raise ValueError(f"level is one number, or one per unit of the layer: it has {U} units; got {len(k)} levels")
    k = k[units] if len(k) > 1 else k.expand(len(units))
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed):
            x = f(r)
            before = segment(segmenter, x)
            have, P = spots(before, b, r.shape[-2:], reach, min_share, seed)
            if not len(have):
                continue
            # f may remember its z (a style), so it gets as many r as it made
            where = torch.zeros(len(r), 1, *r.shape[-2:], device=r.device).index_copy(0, have, P)
            x_i = f(insert(r, units, where, k))[have]
            after, before, x = segment(segmenter, x_i), before[have], x[have]
            under = F.interpolate(P, size=before.shape[-2:])[:, 0] > 0
            asked = under & (before != c)
            parts.append((x, x_i, under, asked.sum((1, 2)), (asked & (after == c)).sum((1, 2)),
                          (~under & (after != before)).sum((1, 2))))
    if not parts:
        raise ValueError(f"none of {samples} pictures shows enough {context!r}; lower min_share or raise samples")
    return Inserted(*map(torch.cat, zip(*parts, strict=True)))
