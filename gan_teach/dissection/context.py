"""GAN Dissection, beyond removal: where may a thing be inserted, and what resists being removed?

Bau et al., arXiv 1811.10597. A unit's wish is not the picture: the layers after the cut may overrule it. Forced
on in a wall, the paper's door units draw a door; forced on in the sky, nothing that its segmenter calls one: whether a
segmenter would know a door there, `insertion.paste` tells. And a class whose units are all ablated may stay. Both are
averages over many pictures here, each with its error. The single edit is `intervention.insert` or
`intervention.ablate`. Taught in notebooks/01b_gan_dissection_further.ipynb.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..language import columns, pad, say
from ..limits import whole
from ..networks.protocols import (Generator, Segmenter, check_layer, check_name, classes_of, cut, device_of, evaluating,
                                  latents)
from ..networks.segmenter import segment
from .agreement import Dissection
from .intervention import ablate, insert, levels
from .pixels import class_pixels, coverage, label_pixels, pictures, ratio, unit_count
from .units import Units, check_units, random_orders

MIXED = -1      # a place that no class fills to `min_share`


# -------------------------------------------------------------------------------------- a door cannot be put in the sky

class Tries(NamedTuple):
    """What forcing units on did, for every picture and place that was lit: three of N×h×w (long), and labels N×H×W."""

    gained: Tensor      # pixels of the class in the whole picture, after less before; negative where it lost some
    appeared: Tensor    # pixels under the lit places that became the class
    asked: Tensor       # pixels under the lit places that did not show it before
    labels: Tensor      # of the unedited pictures


@torch.no_grad()
def insertion_maps(G: Generator, z: Tensor, layer: str, units: Units, segmenter: Segmenter, cls: str,
                   level: float | Tensor, reach: int = 1, batch: int = 64, progress: bool = True) -> Tries:
    """Force the units to k around one place after the other: where does the class appear?

        x_p = f(r, with r_{U,Q} ← k),   Q the reach×reach places around p,   p every place of r
        appeared_p = #{pixels under Q: c in x_p, not in f(r)},   asked_p = #{pixels under Q: not c in f(r)}
        gained_p = #{pixels of c in x_p} − #{pixels of c in f(r)}

    z: N×Z. level: k, as for `insert`. The two counts differ: a new door may cost the old one, and then nothing is
    gained though a door appeared. Costs h·w drawings a picture; `batch` of them are drawn at once.
    ValueError for a reach that is not odd.
    """
    check_layer(G, layer)
    reach, batch = whole("reach, an odd number of places,", reach, 1), whole("batch", batch, 1)
    if reach % 2 == 0:
        raise ValueError(f"reach is an odd number of places, 1 or more; got {reach}")
    c, device, found, labels = check_name("class", cls, classes_of(segmenter)), device_of(G), [], []
    C = len(classes_of(segmenter))
    with evaluating(G, segmenter), tqdm(
            desc=say("insert {cls}", cls=say(cls)), unit=say("try"), leave=False, disable=not progress) as bar:
        for part in z.split(batch):
            N, copies = len(part), max(1, batch // len(part))
            # `copies` places at once: f may remember its z (a style), so it always gets as many r as it made
            r, f = cut(G, part.repeat(copies, 1).to(device), layer)         # (copies·N, U, h, w)
            before = segment(segmenter, f(r))                               # (copies·N, H, W)
            count = label_pixels(before, C)[:, c]                           # (copies·N,)
            h, w = r.shape[-2:]
            if not found:
                bar.reset(total=len(z) * h * w)
            tries = torch.zeros(3, h * w, N, dtype=torch.long)
            for places in torch.arange(h * w).split(copies):
                one = torch.zeros(copies, 1, h, w, device=device)
                one.view(copies, -1)[range(len(places)), places] = 1        # the last lot may be short: rest is 0
                Q = F.max_pool2d(one, reach, 1, reach // 2).repeat_interleave(N, 0)         # (copies·N, 1, h, w)
                after = segment(segmenter, f(insert(r, units, Q, level)))
                free = (F.interpolate(Q, size=before.shape[-2:])[:, 0] > 0) & (before != c)
                counts = (label_pixels(after, C)[:, c] - count, (free & (after == c)).sum((1, 2)), free.sum((1, 2)))
                tries[:, places] = torch.stack(counts).view(3, copies, N)[:, :len(places)].cpu()
                bar.update(N * len(places))
            found.append(tries.transpose(1, 2).reshape(3, N, h, w))
            labels.append(before[:N].cpu())
    return Tries(*torch.cat(found, 1), torch.cat(labels))


@dataclass
class Contexts:
    """What forcing a class's units on around one place did, place by place, and what stood there before."""

    cls: str                    # the class inserted
    classes: tuple[str, ...]    # C names
    tries: Tries
    context: Tensor             # (N, h, w) long: the class that stood there; −1 for a mixture
    place: float                # pixels of the picture that one place stands for, H·W/(h·w)

    @property
    def places(self) -> Tensor:
        """The number of places of every context, (C,) long."""
        return self._there.sum((0, 2))

    @property
    def _there(self) -> Tensor:
        every = torch.arange(len(self.classes)).view(1, -1, 1)
        return self.context.flatten(1)[:, None] == every                    # (N, C, h·w)

    @property
    def effect(self) -> tuple[Tensor, Tensor]:
        """The mean gain by context, in units of a place, and its standard error: two (C,), NaN without places.

            effect_c = mean_{(z,p) : c at p} gained_{z,p} · h·w/(H·W)

        1: one place lit gained the class over as much of the picture as a place has. The error takes a picture
        as one observation (`pixels.ratio`). (The paper's figures for a door are also 'normalised': section 3.2 divides
        s_c by its mean E[s_c(x)], so that rare classes can be compared. Compare the contexts' order, not the size.)
        """
        there = self._there
        total = (self.tries.gained.flatten(1)[:, None] * there).sum(2)      # (N, C)
        mean, error = ratio(total, there.sum(2))
        return mean / self.place, error / self.place

    @property
    def share(self) -> tuple[Tensor, Tensor]:
        """Which share of the pixels asked for became the class, by context, and its standard error: two (C,).

            share_c = Σ_{(z,p) : c at p} appeared_{z,p} / Σ_{(z,p) : c at p} asked_{z,p}
        """
        appeared, asked = ((counts.flatten(1)[:, None] * self._there).sum(2)
                           for counts in (self.tries.appeared, self.tries.asked))               # (N, C)
        return ratio(appeared, asked)

    def __str__(self) -> str:
        """A table: context, places, share that became the class, net effect; the most hospitable context first.

        What only one picture showed has no error: "–".
        """
        (share, doubt), (mean, error), n = self.share, self.effect, self.places
        lines = [say("forcing {cls} on around one place, {n} pictures; net: 1 = one place more of it "
                     "({place:g} pixels)", cls=say(self.cls), n=len(self.context), place=self.place),
                 columns(("what was there", -16), ("places", 8), (say("became {cls}", cls=say(self.cls)), 17),
                         ("net in the picture", 22))]
        for c in share.nan_to_num(-math.inf).argsort(descending=True, stable=True).tolist():
            if n[c]:
                doubts = ("    –", "–") if doubt[c].isnan() else (f"{doubt[c]:5.1%}", f"{error[c]:.3f}")
                lines.append(f"{pad(say(self.classes[c]), 16)}{n[c]:>8}{share[c]:>9.1%} ± {doubts[0]}"
                             f"{mean[c]:>+14.3f} ± {doubts[1]}")
        return "\n".join(lines)


def context_effects(G: Generator, layer: str, units: Units, segmenter: Segmenter, cls: str, samples: int = 32,
                    seed: int = 3, level: float | Tensor | None = None, reach: int = 1, min_share: float = 0.5,
                    batch: int = 64, progress: bool = True) -> Contexts:
    """Where can a door go? The effect of inserting a class around every place of many pictures, by what was there.

    level: k; None measures the class's `levels` on other pictures (seed 1), a mean over the class's places. For a
    stronger push take each unit's 99 % quantile, as the authors' paint tool does: `d.thresholds[units]` of a
    dissection at quantile 0.01. A place counts for the class that covers at least min_share of it, and for none
    if there is no such class. reach: as for `insertion_maps`. `print` the result for the table; `.tries.appeared[i]`
    is the map of picture i.
    """
    if not 0 < min_share <= 1:
        raise ValueError(f"min_share is the share of a place that its class must cover, in (0, 1]; got {min_share}")
    samples, units = whole("samples", samples, 1), check_units(units, unit_count(G, layer))
    k = levels(G, layer, units, segmenter, cls, progress=progress) if level is None else level
    tries = insertion_maps(G, latents(G, samples, seed), layer, units, segmenter, cls, k, reach, batch, progress)
    h, w = tries.gained.shape[-2:]
    C = len(classes_of(segmenter))
    shares = torch.cat([coverage(tries.labels, c, (h, w)) for c in range(C)], 1)            # (N, C, h, w)
    share, context = shares.max(1)                                          # (N, h, w)
    context[share < min_share] = MIXED
    return Contexts(cls, tuple(classes_of(segmenter)), tries, context, tries.labels[0].numel() / (h * w))


# -------------------------------------------------------------------------------------- what resists removal

@dataclass
class Resistance:
    """Pixels of every class before and after its own best units, or random ones, were ablated."""

    classes: tuple[str, ...]    # C names
    n: int                      # units ablated
    before: Tensor              # (N, C) long: pixels of the class in each picture
    after: Tensor               # (N, C) long: with the class's n best units ablated
    random: Tensor              # (K, N, C) long: with n random units ablated, K draws

    @property
    def left(self) -> tuple[Tensor, Tensor]:
        """Share of the class's pixels left, and its standard error over pictures; two (C,), NaN if never seen."""
        return ratio(self.after, self.before)

    @property
    def random_left(self) -> tuple[Tensor, Tensor]:
        """The same with random units: mean and standard deviation over the draws, two (C,)."""
        share = self.random.sum(1) / self.before.sum(0).where(self.before.sum(0) > 0, torch.nan).double()  # (K, C)
        return share.mean(0), share.std(0)

    def __str__(self) -> str:
        """A table, the most resistant class first; above 100 % the class grew."""
        (left, error), (mean, spread) = self.left, self.random_left
        lines = [say("share of pixels left with {n} units ablated; {pictures} pictures, {draws} random draws", n=self.n,
                     pictures=len(self.before), draws=len(self.random)),
                 columns(("class", -12), ("a picture", 10), ("its best units", 18), ("random units", 18))]
        for c in left.nan_to_num(-1).argsort(descending=True, stable=True).tolist():
            ours = f"{left[c]:7.1%} ± {error[c]:.1%}" if left[c] >= 0 else say("never seen")
            chance = f"{mean[c]:7.1%} ± {spread[c]:.1%}" if left[c] >= 0 else ""
            lines.append(f"{pad(say(self.classes[c]), 12)}{self.before[:, c].double().mean():>10.1f}"
                         f"{pad(ours, 18, True)}{chance:>18}")
        return "\n".join(lines)


@torch.no_grad()
def resists_removal(G: Generator, layer: str, segmenter: Segmenter, rankings: Dissection | Mapping[str, Units],
                    n: int = 12, samples: int = 200, seed: int = 3, draws: int = 5,
                    classes: Sequence[str] | None = None, progress: bool = True) -> Resistance:
    """How much of each class is left when its n best units are ablated everywhere, and when n random ones are?

    rankings: a `Dissection` (then by IoU), or class -> units, best first. They must come from other pictures
    than those of `seed` (`dissect` uses seed 0). classes: which; None for all of the rankings. The same `draws`
    random sets serve all classes.
    ValueError: a class without a ranking or with fewer than n units; n above the layer's units.
    """
    known = rankings.classes if isinstance(rankings, Dissection) else tuple(rankings)
    names, U = tuple(known if classes is None else classes), unit_count(G, layer)
    n, draws = whole("n, of the layer's units,", n, 0, U), whole("draws", draws, 1)
    numbers, best = [], []
    for name in names:
        check_name("ranking for class", name, known)
        numbers.append(check_name("class", name, classes_of(segmenter)))
        units = rankings.units_for(name) if isinstance(rankings, Dissection) else rankings[name]
        best.append(check_units(units, U)[:n])
        if len(best[-1]) < n:
            raise ValueError(f"the ranking for {name!r} has only {len(best[-1])} units; n = {n}")
    chance = [order[:n] for order in random_orders(U, draws, seed)]
    before, after, random = [], [], []
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("resists removal"), progress):
            def count(units, r=r, f=f):
                return class_pixels(f(ablate(r, units)), segmenter)[:, numbers].cpu()                  # (N, names)
            before.append(count([]))
            after.append(torch.stack([count(units)[:, i] for i, units in enumerate(best)], 1))
            random.append(torch.stack([count(units) for units in chance]))  # (K, N, names)
    return Resistance(names, n, torch.cat(before), torch.cat(after), torch.cat(random, 1))


@torch.no_grad()
def removed_by_kind(G: Generator, layer: str, segmenter: Segmenter, cls: str, units: Units,
                    kind_of: Callable[[Tensor], Sequence[str]], samples: int = 200, seed: int = 3,
                    progress: bool = True) -> dict[str, tuple[int, float, float]]:
    """Do the same units draw a class in every kind of scene? Ablate them where a picture shows it, and count what went.

    kind_of: pictures N×3×H×W -> N names, such as `worlds.scenes.time_of`. Returns kind -> (pictures that show the
    class, share of its pixels removed, standard error over pictures), the most removed first. (The paper's kinds are
    generators of other scenes: windows lose 56.8 % in conference rooms and 26.6 % in living rooms.)
    """
    c, kinds, counts = check_name("class", cls, classes_of(segmenter)), [], []
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("{cls} by kind", cls=say(cls)), progress):
            x = f(r)
            labels = segment(segmenter, x)
            after = segment(segmenter, f(ablate(r, units, coverage(labels, c, r.shape[-2:]) > 0)))
            kinds += kind_of(x)
            counts.append(torch.stack([(s == c).sum((1, 2)) for s in (labels, after)], 1).cpu())    # (N, 2)
    before, after, found = *torch.cat(counts).T, {}
    for kind in dict.fromkeys(kinds):
        mine = torch.tensor([k == kind for k in kinds]) & (before > 0)
        if mine.any():
            share, error = ratio(before[mine] - after[mine], before[mine])
            found[kind] = int(mine.sum()), share.item(), error.item()
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))
