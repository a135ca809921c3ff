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
    seeds, classes = list(seeds), classes_of(S)
    z = torch.cat([latents(G, 1, seed) for seed in seeds])
    images = torch.cat([G(some) for some in z.split(10)])
    p, labels = map(torch.cat, zip(*(S(some).softmax(1).max(1) for some in images.split(10)), strict=True))   # N×H×W
    share = label_pixels(labels, len(classes)) / labels[0].numel()
    enough = torch.stack([share[:, classes.index(cls)] > few for cls, few in LEAST.items()]).all(0)
    good = [i for i, time in enumerate(time_of(images))
            if enough[i] and time == "day" and one_sun(labels[i], classes.index("sun"))]
    return seeds[max(good, key=lambda i: p[i].mean().item(), default=0)]


def one_sun(labels: Tensor, sun: int) -> bool:
    """Do the sun's pixels fit into 12×12, which no sun of a scene exceeds? Labels H×W; False where there is none."""
    where = (labels == sun).nonzero()                                       # (pixels, 2)
    return len(where) > 0 and int((where.amax(0) - where.amin(0)).max()) < 12
