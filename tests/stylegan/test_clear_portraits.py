"""The portraits that Mix opens with: those of which the classifier is surest, attribute by attribute."""

import torch

from gan_teach import load
from gan_teach.networks.classifier import classify
from gan_teach.networks.layers import sample_z
from gan_teach.stylegan.clear_portraits import clear_portraits


@torch.no_grad()
def test_the_surest_portraits_come_first():
    G, classifier, seeds = load("portraits-stylegan"), load("portraits-classifier"), [7, 3, 61, 1, 12]
    found = clear_portraits(G, classifier, seeds)
    assert sorted(found) == sorted(seeds)

    def sure(seed):
        logits = classify(classifier, G(sample_z(1, G.z_dim, seed), psi=0.7))
        return torch.stack([each.softmax(1).max() for each in logits.values()]).double().prod()

    rated = [sure(seed) for seed in found]
    assert all(a > b for a, b in zip(rated, rated[1:])) and rated[0] > 3 * rated[-1]
