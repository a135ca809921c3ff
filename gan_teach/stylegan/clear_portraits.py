"""Which portraits Mix opens with, on the stage and on the site: chosen by a rule, not by eye."""

from collections.abc import Iterable

import torch

from ..networks.classifier import Classifier, classify
from ..networks.protocols import latents
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
