"""What Mix opens with: portraits and villages of which the classifier and the segmenter are surest."""

import torch

from gan_teach import load
from gan_teach.dissection.clear_scene import clarity
from gan_teach.networks.classifier import classify
from gan_teach.networks.layers import sample_z
from gan_teach.stylegan import mix
from gan_teach.stylegan.clear_portraits import clear_mixture, clear_portraits, clear_villages, sureness
from gan_teach.worlds.scenes import time_of


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


@torch.no_grad()
def test_clear_villages_come_first_each_far_from_those_before():
    G, S, seeds = load("scenes-stylegan"), load("scenes-segmenter"), list(range(40))
    found = clear_villages(G, S, seeds)
    assert sorted(found) == seeds
    images = {seed: G(sample_z(1, G.z_dim, seed), psi=0.7) for seed in seeds}
    sure = {seed: S(x).softmax(1).amax(1).mean().item() for seed, x in images.items()}
    surest = sorted(seeds, key=sure.get, reverse=True)
    clear = [seed for seed in surest[:20] if time_of(images[seed]) != ["night"] and clarity(images[seed], S)[1][0]]
    n = len(clear)
    assert 2 < n < 20
    assert {*found[:n]} == {*clear} and found[0] == clear[0]
    assert found[n:] == [seed for seed in surest if seed not in clear]
    w = {seed: G.mapping(sample_z(1, G.z_dim, seed)) for seed in seeds}
    for k in range(1, n):
        near = {seed: min((w[seed] - w[other]).norm().item() for other in found[:k]) for seed in found[k:n]}
        assert near[found[k]] >= max(near.values()) - 1e-4


@torch.no_grad()
def test_what_is_shown_first_changes_much_and_is_clear():
    G, C, layers = load("portraits-stylegan"), load("portraits-classifier"), [0, 1, 2, 3]
    ws = G.ws(torch.cat([sample_z(1, G.z_dim, seed) for seed in range(5)]), 0.7)
    rated = {}
    for i in range(2):
        for j in range(3):
            x = G.synthesis(mix(ws[3 + i:4 + i], ws[j:j + 1], layers))
            rated[i, j] = (x - G.synthesis(ws[3 + i:4 + i])).abs().mean().item(), sureness(x, C).item()
    far = sorted(rated, key=rated.get, reverse=True)[:3]
    assert clear_mixture(G, ws[:3], ws[3:], layers, sureness, C) == max(far, key=lambda k: rated[k][1])
    assert clear_mixture(G, ws[:3], ws[3:], layers, lambda *x: -sureness(*x), C) == min(far, key=lambda k: rated[k][1])
