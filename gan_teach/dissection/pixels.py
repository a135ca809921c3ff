"""Pictures drawn by the batch, and their pixels counted by class: what every measurement of chapter 1 does.

A *place* is one pixel of r, and the block of the picture that it stands for.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..limits import whole
from ..networks.protocols import Generator, Segmenter, check_layer, classes_of, cut, evaluating, latents
from ..networks.segmenter import segment

BATCH = 50      # pictures drawn at a time


def pictures(G: Generator, layer: str, samples: int, seed: int, label: str = "", progress: bool = False
             ) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
    """r and f of `samples` pictures, `BATCH` at a time; z from `seed`. label: of the progress bar.

    What f returns is checked: ValueError where it is no picture.
    """
    check_layer(G, layer)
    z = latents(G, whole("samples", samples, 1), seed)
    for part in tqdm(z.split(BATCH), label, leave=False, disable=not progress):
        yield cut(G, part, layer)


@torch.no_grad()
def unit_count(G: Generator, layer: str) -> int:
    """The number of units of a layer."""
    with evaluating(G):                                                     # or a batch norm would count this picture
        return next(pictures(G, layer, 1, 0))[0].shape[1]


def class_pixels(images: Tensor, segmenter: Segmenter) -> Tensor:
    """Pixels of every class in every picture: images N×3×H×W -> N×C (long)."""
    return label_pixels(segment(segmenter, images), len(classes_of(segmenter)))


def label_pixels(labels: Tensor, C: int) -> Tensor:
    """Pixels of every class in every label map: labels N×H×W, numbers below C -> N×C (long)."""
    labels = labels.flatten(1)                                              # (N, P)
    counts = labels.new_zeros(len(labels), C)
    return counts.scatter_add_(1, labels, torch.ones_like(labels))          # (N, C)


def coverage(labels: Tensor, c: int, size: tuple[int, int]) -> Tensor:
    """Which share of every place of r is class c, by area: labels N×H×W -> N×1×h×w in [0, 1]."""
    return F.adaptive_avg_pool2d((labels == c).float()[:, None], tuple(size))


def jackknife(left_out: Tensor) -> Tensor:
    """The standard error of what was computed K times, each time without one fold: K×… -> …; NaN for a single fold.

        se² = (K−1)/K · Σ_k (x_(−k) − mean)²
    """
    K = len(left_out)
    scale = (K - 1) / K if K > 1 else float("nan")
    return (scale * (left_out - left_out.mean(0)).square().sum(0)).sqrt()


def ratio(numerator: Tensor, denominator: Tensor) -> tuple[Tensor, Tensor]:
    """Σ_i a_i / Σ_i b_i over pictures i, and its standard error; both float64, on the CPU, NaN where Σ b = 0.

        R = Σ a / Σ b,   se² = N/(N−1) · Σ_i (a_i − R b_i)² / (Σ b)²

    the linearised error of a ratio of sums. What lies in one picture counts as one observation, for places of
    a picture are alike: 64 of them say less than 64 pictures. a, b: N×… ; the error is NaN where fewer
    than two pictures have b > 0.
    """
    a, b = numerator.cpu().double(), denominator.cpu().double()             # float64, which MPS does not have
    N, total = len(a), b.sum(0)
    total = total.where(total > 0, torch.nan)
    R = a.sum(0) / total
    spread = (a - R * b).square().sum(0) * (N / (N - 1) if N > 1 else torch.nan)
    return R, (spread.sqrt() / total).where((b > 0).sum(0) > 1, torch.nan)  # one picture tells no error
