"""Which portraits Mix opens with, on the stage and on the site, and which villages there: by a rule, not by eye."""

from collections.abc import Iterable

import torch

from ..dissection.clear_scene import clarity
from ..networks.classifier import Classifier, classify
from ..networks.protocols import Segmenter, latents
from ..worlds.scenes import time_of
from .generator import Generator


@torch.no_grad()
def clear_portraits(G: Generator, classifier: Classifier, seeds: Iterable[int], psi: float = 0.7) -> list[int]:
    """The seeds in another order: first those of whose portraits the classifier is surest, all attributes a together.

        Σ_a log max_k p_{a,k}
    """
    seeds = list(seeds)
    z = torch.cat([latents(G, 1, seed) for seed in seeds])
    logits = classify(classifier, torch.cat([G(some, psi=psi) for some in z.split(20)]))
    sure = sum(each.log_softmax(1).amax(1) for each in logits.values())     # (N,)
    return [seeds[i] for i in sure.argsort(descending=True).tolist()]


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
