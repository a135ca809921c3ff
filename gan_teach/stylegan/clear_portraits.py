"""Which portraits Mix opens with, on the stage and on the site, and which villages there: by a rule, not by eye."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from ..dissection.clear_scene import clarity
from ..networks.classifier import Classifier, classify
from ..networks.protocols import Segmenter, latents
from ..worlds.scenes import time_of
from .adain_mixing_truncation import mix
from .generator import Generator


@torch.no_grad()
def clear_portraits(G: Generator, classifier: Classifier, seeds: Iterable[int], psi: float = 0.7) -> list[int]:
    """The seeds in another order: first those of whose portraits the classifier is surest."""
    seeds = list(seeds)
    z = torch.cat([latents(G, 1, seed) for seed in seeds])
    sure = sureness(torch.cat([G(some, psi=psi) for some in z.split(20)]), classifier)
    return [seeds[i] for i in sure.argsort(descending=True).tolist()]


def sureness(images: Tensor, classifier: Classifier) -> Tensor:
    """How sure the classifier is of N portraits, all attributes a together: N numbers Σ_a log max_k p_{a,k}."""
    return sum(each.log_softmax(1).amax(1) for each in classify(classifier, images).values())


@torch.no_grad()
def clear_villages(G: Generator, S: Segmenter, seeds: Iterable[int], psi: float = 0.7) -> list[int]:
    """The seeds in another order: first villages that are clear, and as unlike each other as can be.

    Clear: with `clear_scene`'s one sun and enough of everything, of the half of whose labels the segmenter is surest,
    and not by night: its styles make ruins of a day, and a day's of it. The surest comes first, then always the one
    whose w is farthest from all before it; at last the rest, surest first.
    """
    seeds = list(seeds)
    ws = torch.cat([G.ws(latents(G, 1, seed), psi) for seed in seeds])      # N×L×W
    images = torch.cat([G.synthesis(some) for some in ws.split(20)])
    sure, whole = clarity(images, S)
    times, apart = time_of(images), torch.cdist(ws.flatten(1), ws.flatten(1))
    surest = sure.argsort(descending=True).tolist()
    clear = [i for i in surest[:len(seeds) // 2] if whole[i] and times[i] != "night"]
    order = clear[:1]
    while left := [i for i in clear if i not in order]:
        order.append(max(left, key=lambda i: apart[i, order].min().item()))
    return [seeds[i] for i in order + [i for i in surest if i not in order]]


@torch.no_grad()
def clear_mixture(G: Generator, sources: Tensor, destinations: Tensor, layers: Sequence[int],
                  sure: Callable[[Tensor, object], Tensor], judge: Classifier | Segmenter) -> tuple[int, int]:
    """Which destination and source, by their places, to begin with: of the half of all mixtures that change their
    destination most, the one that the judge is surest of. Both are ws, n×L×W; sure: images, judge -> a number each."""
    n = len(sources)
    ws = destinations.repeat_interleave(n, 0)                               # row after row of the table
    images = G.synthesis(mix(ws, sources.repeat(len(destinations), 1, 1), layers))
    moved = (images - G.synthesis(ws)).abs().mean((1, 2, 3))
    far = moved.argsort(descending=True)[:-(-len(ws) // 2)]
    return divmod(int(far[sure(images[far], judge).argmax()]), n)
