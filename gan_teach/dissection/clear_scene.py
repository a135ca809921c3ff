"""Which scene Paint opens with, on the stage and on the site: chosen by a rule, not by eye."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..networks.protocols import Generator, Segmenter, classes_of, latents
from ..worlds.scenes import time_of
from .pixels import label_pixels

LEAST = {"tree": 0.04, "door": 0.005, "window": 0.012, "cloud": 0.007, "wall": 0.06}     # shares of the pixels


@torch.no_grad()
def clear_scene(G: Generator, S: Segmenter, seeds: Iterable[int]) -> int:
    """The seed of the clearest scene, the first one where none will do.

    Of the scenes by day that show one sun and enough of everything that can be painted: the one of whose labels the
    segmenter is surest, by its mean probability. A ghost of a tower, or a smear, makes it doubt.
    """
    seeds = list(seeds)
    z = torch.cat([latents(G, 1, seed) for seed in seeds])
    images = torch.cat([G(some) for some in z.split(10)])
    sure, whole = clarity(images, S)
    good = [i for i, time in enumerate(time_of(images)) if whole[i] and time == "day"]
    return seeds[max(good, key=lambda i: sure[i].item(), default=0)]


def clarity(images: Tensor, S: Segmenter) -> tuple[Tensor, list[bool]]:
    """Of N×3×H×W how sure S is, by its mean probability; and whether each shows one sun and enough of everything."""
    classes = classes_of(S)
    p, labels = map(torch.cat, zip(*(S(some).softmax(1).max(1) for some in images.split(10)), strict=True))   # N×H×W
    share = label_pixels(labels, len(classes)) / labels[0].numel()
    enough = torch.stack([share[:, classes.index(cls)] > few for cls, few in LEAST.items()]).all(0)
    return p.mean((1, 2)), [one_sun(it, classes.index("sun")) and bool(some) for it, some in zip(labels, enough)]


def one_sun(labels: Tensor, sun: int) -> bool:
    """Do the sun's pixels fit into 12×12, which no sun of a scene exceeds? Labels H×W; False where there is none."""
    where = (labels == sun).nonzero()                                       # (pixels, 2)
    return len(where) > 0 and int((where.amax(0) - where.amin(0)).max()) < 12
