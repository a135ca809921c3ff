"""GAN Dissection, the paper's own thresholds: cut each unit where its mask tells most about a class.

Bau et al., arXiv 1811.10597, section 3.1: t_{u,c} is the threshold of greatest *information quality*, the mutual
information of mask and class over their joint entropy,

    t_{u,c} = argmax_t  I(r^↑_{u,P} > t ; s_c(x)) / H(r^↑_{u,P} > t , s_c(x))

estimated on a second sample of z, so that the IoU is not measured on the pictures that chose the threshold. As
in the authors' code, a unit then gets one threshold for all classes, that of its best pair. One histogram per unit,
of activation level and class jointly, answers for every pair and every level at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import MAX_SEED, whole
from ..networks.protocols import Generator, Segmenter, activations, classes_of, device_of, evaluating, latents
from ..networks.segmenter import segment
from ..processes import place
from .agreement import Dissection
from .unit_iou import dissect_layers, few, in_order, share_of, summed, upsampled

SHARES = torch.logspace(-3, 0, 100, dtype=torch.float64)    # how much of a unit is above each level: 0.1 % to all
LEVEL_VALUES = 2 ** 15                                      # values of a unit that the levels are read from


def information_quality(both: Tensor, on: Tensor, there: Tensor, n: int | Tensor) -> Tensor:
    """I(M; S) / H(M, S) of two binary masks, from counts of pixels:

        H(M, S) = −Σ_{m,s} p_{ms} log p_{ms},   I(M; S) = H(M) + H(S) − H(M, S)

    both: |m ∧ s|; on: |m|; there: |s|; n: all pixels; they broadcast. Float64 in [0, 1]: 1 when each mask tells
    the other exactly (also when one is the other's opposite), 0 when they are independent or both constant.
    """
    def H(*counts: Tensor) -> Tensor:
        return sum(torch.special.entr(count.double() / n) for count in counts)             # −Σ p log p

    joint = H(both, on - both, there - both, n - on - there + both)
    # I/H = (H(M) + H(S) − H(M,S)) / H(M,S)
    quality = (H(on, n - on) + H(there, n - there) - joint) / joint.clamp(min=1e-300)
    return quality.clamp(0, 1)


def quality_of(d: Dissection) -> Tensor:
    """I/H of every unit's mask, at the threshold that `d` has, and every class: units × classes, float64."""
    return information_quality(d.intersection, d.unit_pixels[:, None], d.class_pixels, int(d.class_pixels.sum()))


@dataclass
class JointHistogram:
    """How often each unit of a layer is at each level while each class is there."""

    layer: str
    classes: tuple[str, ...]            # C names
    samples: int                        # number of pictures
    levels: Tensor                      # (U, K) candidates for t, ascending
    counts: Tensor                      # (U, K+1, C) long: pixels above exactly the first k levels
    min_accuracy: float = 0.8           # a mask must agree with its class on more of all pixels than this

    @cached_property
    def class_pixels(self) -> Tensor:
        """|s_c|, (C,) long."""
        return self.counts[0].sum(0)

    @cached_property
    def above(self) -> Tensor:
        """|r^↑_u > t_k ∧ s_c| for every level: (U, K, C) long."""
        return self.counts.flip(1).cumsum(1).flip(1)[:, 1:]

    def quality(self, k: int) -> Tensor:
        """I/H of every pair at level k, (U, C); 0 where the pair is ruled out, as in the authors' code.

        Ruled out: a level of 0 or less; a class with less than a thousandth of all pixels; a mask that says the
        same as the class on no more than `min_accuracy` of the pixels (the code has 0.8).
        """
        both, n = self.above[:, k], int(self.class_pixels.sum())            # (U, C)
        on, there = both.sum(1, keepdim=True), self.class_pixels            # (U, 1), (C,)
        accurate = n - on - there + 2 * both > self.min_accuracy * n
        allowed = accurate & (self.levels[:, k, None] > 0) & (there >= n / 1000)
        return information_quality(both, on, there, n).where(allowed, 0)

    @cached_property
    def best(self) -> tuple[Tensor, Tensor]:
        """(I/H, which level) of every pair at its best threshold, (U, C) each."""
        quality = torch.zeros(len(self.levels), len(self.classes), dtype=torch.float64)
        usual = len(SHARES) - 1 - int((SHARES - 0.01).abs().argmin())       # the top 1 %, where no pair is allowed
        which = torch.full(quality.shape, usual, dtype=torch.long)
        for k in range(self.levels.shape[1]):                               # one level at a time: 389 classes fit
            value = self.quality(k)
            better = value > quality
            quality, which = torch.where(better, value, quality), which.masked_fill(better, k)
        return quality, which

    @property
    def thresholds(self) -> Tensor:
        """t_u, that of the unit's best pair, (U,); the top 1 % of its values where every pair was ruled out."""
        quality, which = self.best
        pair = quality.argmax(1, keepdim=True)                              # the class of the best pair, (U, 1)
        return self.levels.gather(1, which.gather(1, pair))[:, 0]


@torch.no_grad()
def joint_histograms(G: Generator, layers: Sequence[str], segmenter: Segmenter, samples: int = 1000, seed: int = 1,
                     batch: int = 50, progress: bool = True) -> dict[str, JointHistogram]:
    """The joint histograms of several layers; each picture is drawn and segmented once.

    The 100 levels of a unit are the values above which 0.1 % … 100 % of it lie (`SHARES`), before upsampling, read
    from the first pictures. `seed` is another than that of the dissection which shall use the thresholds.
    """
    layers, device, C = in_order(G, layers), device_of(G), len(classes_of(segmenter))
    samples, batch = whole("samples", samples, 1), whole("batch", batch, 1)
    z, mine = latents(G, samples, seed), share_of(samples, batch)
    bar = tqdm(total=min(samples, len(mine) * batch), desc=say("information of {layers}", layers=few(layers)),
               unit=say("picture"), leave=False, disable=not progress or place()[0] > 0)
    with evaluating(G, segmenter), bar:
        levels = unit_levels(G, layers, z, batch)                           # (U, K) each
        K = len(SHARES)
        counts = {layer: torch.zeros(len(t) * (K + 1) * C, dtype=torch.long, device=device)
                  for layer, t in levels.items()}
        chunk = 1 if device.type == "cpu" else 16
        for start in mine:
            part = z[start:start + batch]
            r, f = activations(G, part, layers)
            labels = segment(segmenter, f(r[layers[-1]])).to(device)        # (N, H, W)
            for layer in layers:
                U, size = len(levels[layer]), labels.shape[-2:]
                row = torch.arange(U, device=device, dtype=torch.int32).view(-1, 1) * (K + 1)
                for i in range(0, len(part), chunk):
                    up = upsampled(r[layer][i:i + chunk], size).transpose(0, 1).flatten(1).contiguous()   # (U, n·P)
                    k = torch.searchsorted(levels[layer], up, out_int32=True)   # how many levels it is strictly above
                    index = (k + row) * C + labels[i:i + chunk].flatten().int()     # (U, n·P)
                    counts[layer] += torch.bincount(index.flatten(), minlength=len(counts[layer]))
            bar.update(len(part))
    return {layer: JointHistogram(layer, tuple(classes_of(segmenter)), samples, levels[layer].cpu(),
                                  summed(counts[layer]).view(-1, K + 1, C).cpu()) for layer in layers}


def unit_levels(G: Generator, layers: Sequence[str], z: Tensor, batch: int) -> dict[str, Tensor]:
    """{layer: (U, K)} the value of each unit that a share of `SHARES` of its values exceeds, ascending.

    From the first 2^15 values of a unit, on at most 16×16 places of a map: the levels need only be close together.
    """
    seen: dict[str, Tensor] = {}
    for part in z.split(batch):
        short = [layer for layer in layers if layer not in seen or seen[layer].shape[1] < LEVEL_VALUES]
        if not short:
            break
        r, _ = activations(G, part, short)
        for layer in short:
            step = math.ceil(max(r[layer].shape[-2:]) / 16)
            values = r[layer][..., ::step, ::step].transpose(0, 1).flatten(1)               # (U, values)
            seen[layer] = torch.cat([seen[layer], values], 1) if layer in seen else values
    levels = {}
    for layer, values in seen.items():
        values = values[:, :LEVEL_VALUES].sort(1, descending=True).values.float()
        at = (SHARES * values.shape[1]).long().clamp(max=values.shape[1] - 1).flip(0)
        levels[layer] = values[:, at.to(values.device)].contiguous()
    return levels


def dissect_by_information(G: Generator, layers: Sequence[str], segmenter: Segmenter, samples: int = 1000,
                           seed: int = 0, batch: int = 50, shuffles: int = 0, progress: bool = True
                           ) -> dict[str, Dissection]:
    """`dissect_layers` with the paper's thresholds: chosen on `samples` pictures of seed + 1, counted on those of seed.

    Returns {layer: Dissection}. `quality_of(d)` gives I/H; the authors' code calls a unit interpretable when its
    I/H > 0.01 and its IoU > 0.05.
    """
    other = (whole("seed", seed, 0, MAX_SEED) + 1) % 2**32
    chosen = joint_histograms(G, layers, segmenter, samples, other, batch, progress)
    return dissect_layers(G, layers, segmenter, samples, seed=seed, batch=batch, progress=progress,
                          thresholds={layer: joint.thresholds for layer, joint in chosen.items()}, shuffles=shuffles)
