"""GAN Dissection, step one: which unit of a generator draws which kind of thing?

Bau et al., "GAN Dissection: Visualizing and Understanding Generative Adversarial Networks", arXiv
1811.10597, section 3.1. A generator is cut at a layer,  x = G(z) = f(r),  r = h(z)  (in code: `r, f =
G.at(z, layer)`), and each unit u, one channel of r, is compared with each class c of a segmentation of x. Here it is
counted; `agreement.Dissection` says what the counts mean. Step two, causes instead of agreement, is `intervention.py`.
Taught in notebooks/01_gan_dissection.ipynb.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import MAX_SEED, finite, unmasked, whole
from ..networks.layers import check_finite, numbers
from ..networks.protocols import (Generator, Segmenter, activations, check_layer, classes_of, device_of, evaluating,
                                  latents)
from ..networks.segmenter import segment
from ..processes import gathered, place
from .agreement import Dissection

KEEP = 2 ** 26      # bytes of r kept from the first pass to the second, whatever the number of pictures
LOUDEST = 20        # pictures remembered for every unit


# -------------------------------------------------------------------------------------- the threshold t_u

def largest(kept: Tensor | None, values: Tensor, n: int, quantile: float) -> Tensor:
    """Of the values kept so far and the new ones, units × any number each, the ⌊q·n⌋+1 largest of every unit.

    When all n values of a unit have passed, the least of these is t_u, above which the unit is 'on':

        t_u = min{ t : P(r_u > t) ≤ q },   P over all n values of unit u

    `numpy.quantile(values, 1 - q, method="inverted_cdf")`, an order statistic without interpolation. At most q·n values
    lie strictly above t_u; exactly ⌊q·n⌋ when there are no ties. So 1.3 MB are kept for 128 units of 16×16, 1000
    samples, q = 0.01. The official code estimates t with a random sketch; its 'top 1 %' is 0.74 to 1.26 % of all.
    """
    quantile = quantile.item() if isinstance(quantile, Tensor) and quantile.numel() == 1 else quantile
    if not 0 < finite("quantile, the share of values above t,", quantile) < 1:
        raise ValueError(f"quantile is the share of values above t, between 0 and 1; got {quantile}")
    keep = int(Fraction(str(quantile)) * n) + 1             # in floats 0.29 * 100 is 28.999999999999996
    kept = values if kept is None else torch.cat([kept, values], 1)
    return kept if kept.shape[1] <= keep else kept.topk(keep, dim=1, sorted=False).values


def grid_of(size: Sequence[int]) -> tuple[int, int]:
    """The grid (H, W) to compare on, if it is one."""
    if not isinstance(size, Sequence) or len(size) != 2:
        raise ValueError(f"size is the grid (H, W) to compare on; got {size!r:.60}")
    return tuple(whole("each side of the grid", n, 1, 4096) for n in size)


def upsampled(r: Tensor, size: tuple[int, int]) -> Tensor:
    """r^↑: each unit's map at picture size, bilinear, align_corners=False. N×U×h×w -> N×U×H×W."""
    r = r.float().contiguous(memory_format=torch.channels_last)     # on a CPU faster than channels first
    return F.interpolate(r, size=grid_of(size), mode="bilinear", align_corners=False)


def masks(r: Tensor, thresholds: Tensor, size: tuple[int, int], dtype: torch.dtype = torch.bool) -> Tensor:
    """Where each unit is on, at picture size:  r^↑_{u,P} > t_u  (in Eq. 2), strictly above.

    r: N×U×h×w; thresholds: (U,); size: (H, W). Returns N×U×H×W, boolean, or zeros and ones of another `dtype`. Counts
    and pictures both use this function: what you see is what was counted.
    """
    t = check_finite("the thresholds", numbers("thresholds", thresholds)).flatten()
    if check_finite("r", r).ndim != 4 or len(t) != r.shape[1]:
        raise ValueError(f"masks are of r, N×U×h×w, and U thresholds; got r {tuple(r.shape)} and {len(t)} thresholds")
    up = upsampled(r.detach(), size)                                        # (N, U, H, W)
    on = torch.empty_like(up, dtype=dtype)              # at once in the type that is counted: a pass less
    return torch.gt(up, t.to(up).view(1, -1, 1, 1), out=on)


# -------------------------------------------------------------------------------------- the counts

def iou(mask_u: Tensor, mask_c: Tensor) -> float:
    """Eq. 2 for one unit and one class:  |u ∧ c| / |u ∨ c|  of two boolean masks; 0 if both are empty."""
    mask_u, mask_c = (torch.as_tensor(unmasked("a mask", mask)) for mask in (mask_u, mask_c))
    if not mask_u.dtype == mask_c.dtype == torch.bool or mask_u.shape != mask_c.shape:
        raise ValueError(f"iou is of two boolean masks of one size; got {mask_u.dtype} of {tuple(mask_u.shape)} and "
                         f"{mask_c.dtype} of {tuple(mask_c.shape)} (of label maps: labels == c)")
    intersection, union = (mask_u & mask_c).sum().item(), (mask_u | mask_c).sum().item()
    return intersection / union if union else 0.0                           # |u ∧ c| / |u ∨ c|           (Eq. 2)


def dissect(G: Generator, layer: str, segmenter: Segmenter, samples: int = 1000, quantile: float = 0.01,
            seed: int = 0, batch: int = 50, progress: bool = True, thresholds: Tensor | None = None,
            shuffles: int = 0) -> Dissection:
    """How well does every unit of `layer` agree with every class?

        IoU_{u,c} = E_z |(r^↑_{u,P} > t_u) ∧ s_c(x)|  /  E_z |(r^↑_{u,P} > t_u) ∨ s_c(x)|         (Eq. 2)

    s_c(x): the pixels which the segmenter gives class c. Both expectations are pooled over all pictures
    before dividing, as Eq. 2 says. (The official code counts a unit's pixels only in pictures where a label
    of that category occurs; here each picture counts, so a unit pays for being on where c is absent.)

    t_u is one quantile of the values before upsampling (`largest`), or comes from `thresholds`, (U,); `information.py`
    finds those of greatest information quality, the paper's way. Mind the ceiling: a mask holds about a share q of all
    pixels, so its IoU with a class covering S > q cannot pass q/S. For sky or grass choose `quantile` nearer to S.

    Each picture is drawn and segmented once. A first pass finds t and keeps r of as many pictures as `KEEP` bytes hold
    (2,000 of 128 units of 8×8); for the others the second pass, which counts, computes r again, so that the memory
    does not grow with `samples`.
    `seed` and `samples` fix the result, whatever `batch` and device are, but for their rounding of r.
    shuffles: how often each picture's masks are also compared with the labels of another picture, to tell what chance
    does (`Dissection.chance`).
    ValueError: an unknown layer, quantile outside (0, 1), samples < 1, scores or r of the wrong shape.
    """
    return dissect_layers(G, [layer], segmenter, samples, quantile, seed, batch, progress,
                          None if thresholds is None else {layer: thresholds}, shuffles)[layer]


def in_order(G: Generator, layers: Sequence[str]) -> list[str]:
    """The layers in the order of computation, each once; ValueError naming `G.layers` for an unknown one."""
    layers = [layers] if isinstance(layers, str) or not isinstance(layers, Iterable) else list(layers)
    for layer in layers:
        check_layer(G, layer)
    if not layers:
        raise ValueError(f"no layer to dissect; there are: {', '.join(G.layers)}")
    return [layer for layer in G.layers if layer in layers]


def few(layers: Sequence[str]) -> str:
    """The layers' names, or their number where the names would fill the line."""
    return ", ".join(layers) if len(layers) < 4 else say("{n} layers", n=len(layers))


def share_of(samples: int, batch: int) -> range:
    """Where the batches begin that this process computes: of several processes each has a run of its own."""
    starts, (rank, world) = range(0, samples, batch), place()
    return starts[len(starts) * rank // world:len(starts) * (rank + 1) // world]


def summed(counts: Tensor) -> Tensor:
    """The sum over all processes of counts, which are whole numbers: exact in every order."""
    return sum(part.to(counts.device) for part in gathered(counts.cpu())) if place()[1] > 1 else counts


def labels_before(start: int, shuffles: int, z: Tensor, batch: int, drawn: Callable[[Tensor], tuple]) -> Tensor:
    """The labels of the K = shuffles pictures before this one, K×H×W; before the first picture come the last ones."""
    before = range(max(0, start - -(-shuffles // batch) * batch), start, batch)     # whole batches: equal bits
    parts = [drawn(z[i:i + batch])[1] for i in before]
    if sum(map(len, parts)) < shuffles:
        parts.insert(0, drawn(z[len(z) - shuffles:])[1])
    return torch.cat(parts)[-shuffles:]


@torch.no_grad()
def dissect_layers(G: Generator, layers: Sequence[str], segmenter: Segmenter, samples: int = 1000,
                   quantile: float = 0.01, seed: int = 0, batch: int = 50, progress: bool = True,
                   thresholds: dict[str, Tensor] | None = None, shuffles: int = 0) -> dict[str, Dissection]:
    """`dissect` for several layers at once: each picture is drawn and segmented once for all.

    Returns {layer: Dissection}, in the order of `G.layers`. thresholds: {layer: (U,)} or None. With `shuffles`
    = K the masks of picture i are also compared with the labels of pictures i − 1, …, i − K (the first with the
    last ones', whose K pictures are therefore drawn once more).

    Of several processes that `processes.join_group` has joined, all of which must call it, each draws a share of the
    batches, and all return what one alone would, bit for bit: a batch is the same wherever it is computed, thresholds
    are order statistics, counts whole numbers.
    """
    layers = in_order(G, layers)
    samples, batch, seed = whole("samples", samples, 1), whole("batch", batch, 1), whole("seed", seed, 0, MAX_SEED)
    shuffles = whole("shuffles", shuffles, 0, samples - 1)
    device, C, folds = device_of(G), len(classes_of(segmenter)), min(10, samples)
    z, ready, mine = latents(G, samples, seed), [], share_of(samples, batch)         # z: (samples, Z)
    bar = tqdm(total=(2 if thresholds is None else 1) * min(samples, len(mine) * batch), leave=False,
               desc=say("dissect {layers}", layers=few(layers)), unit=say("picture"),
               disable=not progress or place()[0] > 0)

    def drawn(part: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        r, f = activations(G, part, layers)                                 # (N, U, h, w) each
        return r, segment(segmenter, f(r[layers[-1]])).to(device).short()   # (N, H, W) small, since they are kept

    with evaluating(G, segmenter), bar:
        shapes = {layer: tuple(r.shape) for layer, r in activations(G, z[:1], layers)[0].items()}
        if thresholds is None:
            keep = KEEP // sum(4 * math.prod(shape) for shape in shapes.values())           # pictures
            t, ready = quantile_thresholds(G, shapes, z, quantile, batch, bar, drawn, keep)
        else:
            t = {layer: numbers("thresholds", thresholds[layer]).to(device, torch.float32)
                 for layer in layers if layer in thresholds}                # (U,) each
        for layer, shape in shapes.items():
            if layer not in t or tuple(t[layer].shape) != (shape[1],):
                raise ValueError(f"thresholds must give one number for each of the {shape[1]} units of layer {layer!r}")
            check_finite(f"the thresholds of layer {layer!r}", t[layer])
        counts = {layer: Counts(t[layer], folds, C, shuffles) for layer in layers}
        area = torch.zeros(folds, C, dtype=torch.long, device=device)
        every = torch.arange(C, device=device).short().view(1, 1, C, 1)
        chunk = 1 if device.type == "cpu" else 16                           # a CPU's cache holds one mask U×P
        earlier = labels_before(mine.start, shuffles, z, batch, drawn) if shuffles and mine else None      # (K, H, W)
        for start in mine:
            part = z[start:start + batch]
            r, labels = ready.pop(0) if ready else drawn(part)
            row = labels if earlier is None else torch.cat([earlier, labels])
            earlier = row[len(row) - shuffles:]
            # own labels first, then those of the picture 1, …, K before
            pairs = torch.stack([row[shuffles - k:len(row) - k] for k in range(shuffles + 1)], 1).flatten(2)
            for i in range(0, len(part), chunk):
                s = pairs[i:i + chunk, :, None] == every                    # (n, 1+K, C, P)
                s = s.flatten(1, 2).float()                                 # (n, (1+K)·C, P)
                fold = (start + i + torch.arange(len(s), device=device)) % folds
                area.index_add_(0, fold, s[:, :C].sum(2).long())            # (n, C)
                for layer in layers:
                    counts[layer].add(s, r[layer][i:i + chunk], labels.shape[-2:], fold)
            for layer in layers:
                counts[layer].hear(r[layer], start)
            bar.update(len(part))
    area, found = summed(area).cpu(), {}
    for layer in layers:
        own, shuffled, loudest = counts[layer].of_all()
        # each pixel has one class, so a unit's pixels are the sum over the classes
        found[layer] = Dissection(layer, tuple(classes_of(segmenter)), quantile if thresholds is None else None,
                                  samples, t[layer].cpu(), own, own.sum(2), area, shuffled, seed, loudest)
    return found


class Counts:
    """Of one layer: on how many pixels units and classes are together, and the pictures where each unit is loudest."""

    def __init__(self, thresholds: Tensor, folds: int, classes: int, shuffles: int):
        zeros = torch.zeros(folds + shuffles, classes, len(thresholds), dtype=torch.long, device=thresholds.device)
        self.t, self.own, self.others = thresholds, zeros[:folds], zeros[folds:]    # (U,), folds×C×U, K×C×U
        self.peak = thresholds.new_empty(len(thresholds), 0)    # (U, ≤20) the largest values, in order …
        self.picture = self.peak.long()                         # … and the numbers of their pictures

    def add(self, s: Tensor, r: Tensor, size: tuple[int, int], fold: Tensor) -> None:
        """Count n pictures: s, n×(1+K)·C×P, where a class is in their labels and in those of K others; r, n×U×h×w."""
        on = masks(r, self.t, size, torch.float32).permute(0, 2, 3, 1)      # (n, H, W, U)
        # |on_u ∧ s_c| = Σ_P s_c·on_u, all pairs at once; exact in float32 up to 2^24 pixels
        count = (s @ on.flatten(1, 2)).long()                               # (n, (1+K)·C, U)
        C = self.own.shape[1]
        self.own.index_add_(0, fold, count[:, :C])
        self.others += count[:, C:].sum(0).view_as(self.others)

    def hear(self, r: Tensor, start: int) -> None:
        """Remember the 20 largest values of each unit so far, of equals that of the earlier picture; r: N×U×h×w of
        pictures start, …"""
        new = torch.arange(start, start + len(r), device=r.device).expand(r.shape[1], -1)       # (U, N)
        self.rank(torch.cat([self.peak, r.amax((2, 3)).T], 1), torch.cat([self.picture, new], 1))

    def rank(self, peak: Tensor, picture: Tensor) -> None:
        order = peak.argsort(dim=1, descending=True, stable=True)[:, :LOUDEST]
        self.peak, self.picture = peak.gather(1, order), picture.gather(1, order)

    def of_all(self) -> tuple[Tensor, Tensor | None, Tensor]:
        """The counts of all processes, folds×U×C and K×U×C (None for K = 0), and the loudest pictures, U×20."""
        self.rank(*(torch.cat(parts, 1) for parts in zip(*gathered([self.peak.cpu(), self.picture.cpu()]))))
        own, others = (summed(part).transpose(1, 2).contiguous().cpu() for part in (self.own, self.others))
        return own, others if len(others) else None, self.picture


def quantile_thresholds(G: Generator, shapes: dict[str, tuple[int, ...]], z: Tensor, quantile: float, batch: int,
                        bar: tqdm, drawn: Callable[[Tensor], tuple], keep: int
                        ) -> tuple[dict[str, Tensor], list[tuple]]:
    """t_u of several layers from one pass over z (`largest`), and what need not be computed again after it.

    shapes: {layer: N×U×h×w}. Returns {layer: (U,)} and `drawn(part)`, r and labels, of this process's first batches, at
    most `keep` pictures. Of the others only r is computed here, no picture.
    """
    kept: dict[str, Tensor] = {}
    ready: list[tuple] = []
    n = {layer: len(z) * h * w for layer, (_, _, h, w) in shapes.items()}   # values of a unit
    for start in (mine := share_of(len(z), batch)):
        part = z[start:start + batch]
        if start - mine.start + len(part) <= keep:
            ready.append(drawn(part))
            r = ready[-1][0]
        else:
            r, _ = activations(G, part, list(shapes))                       # f is never called
        for layer in shapes:
            values = r[layer].transpose(0, 1).flatten(1)                    # (U, N·h·w)
            kept[layer] = largest(kept.get(layer), values, n[layer], quantile)
        bar.update(len(part))
    found = {}
    for layer in shapes:
        parts = [part.to(z.device) for part in gathered(kept[layer].cpu() if mine else None) if part is not None]
        found[layer] = largest(None, torch.cat(parts, 1), n[layer], quantile).amin(1).float()
    return found, ready

