"""The scene that Paint opens with: by day, one sun, enough to paint, and labels of which the segmenter is sure."""

import pytest
import torch

from gan_teach import load
from gan_teach.dissection.clear_scene import LEAST, clear_scene, one_sun
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import segment


def test_one_sun_is_no_larger_than_a_sun():
    labels = torch.zeros(64, 64, dtype=torch.long)
    assert not one_sun(labels, 2)
    labels[3:15, 20:32] = 2
    assert one_sun(labels, 2)
    labels[3, 32] = 2
    assert not one_sun(labels, 2)


@pytest.fixture(scope="module")
def village():
    return load("scenes-progan"), load("scenes-segmenter")


def test_the_clearest_scene_has_enough_to_paint_and_the_surest_labels(village):
    G, S = village
    best = clear_scene(G, S, range(96))

    def seen(seed):
        with torch.no_grad():
            p, labels = S(G(sample_z(1, G.z_dim, seed))).softmax(1).max(1)
        return labels[0], p.mean()

    labels, sure = seen(best)
    assert one_sun(labels, S.classes.index("sun"))
    assert all((labels == S.classes.index(cls)).float().mean() > few for cls, few in LEAST.items())
    rest = [seed for seed in range(96) if seed != best]
    second = clear_scene(G, S, rest)
    assert second != best and seen(second)[1] < sure                       # the next one: less sure
    assert clear_scene(G, S, [second, best]) == best


def test_where_no_scene_will_do_it_is_the_first(village):
    G, S = village
    suns = [segment(S, G(sample_z(1, G.z_dim, seed)))[0] == S.classes.index("sun") for seed in range(20)]
    without = [seed for seed, sun in enumerate(suns) if not sun.any()]
    assert len(without) > 1
    assert clear_scene(G, S, without) == without[0]
