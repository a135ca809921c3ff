"""The cost of a training: the counted operations against a count by hand, and the model's arithmetic."""

import pytest
import torch

from gan_teach.stylegan.cost import Cost, count, measure_speed
from gan_teach.stylegan.generator import Generator, StyleGANConfig

TINY = StyleGANConfig(16, 16, 16, fmap_base=64, fmap_max=16, mapping_layers=2, stddev_group=0)


def by_hand(config: StyleGANConfig) -> tuple[float, float]:
    """Operations of one forward pass for one picture, G and D, from the layers' shapes."""
    G, D = 2 * config.mapping_layers * config.w_dim**2, 0
    for r in config.resolutions:
        c, c_below = config.units(r), config.units(max(r // 2, 4))
        G += 2 * 9 * c * c * r * r                    # the second convolution
        G += 2 * 2 * 2 * c * config.w_dim                                   # two styles
        G += 2 * 16 * c_below * c * (r // 2)**2 if r > 4 else 0             # the upsampling one, 4×4 per input pixel
        if r > 4:
            G += 2 * 9 * c * r * r                                          # blur
            D += 2 * 9 * c * c * r * r + 2 * 9 * c * r * r + 2 * 16 * c * config.units(r // 2) * (r // 2)**2
    r, c = config.resolution, config.units(config.resolution)
    G, D = G + 2 * 3 * c * r * r, D + 2 * 3 * c * r * r                     # to and from RGB
    c, dense = config.units(4), config.units(2)
    return G, D + 2 * 9 * c * c * 16 + 2 * 16 * c * dense + 2 * dense


def test_the_count_is_that_of_the_layers():
    cost, (G, D) = count(TINY), by_hand(TINY)
    # forward 1, backward 2 where weights learn, 1 where only the picture's gradient is wanted
    assert cost.operations_g == pytest.approx(3 * G + 2 * D, rel=0.06)
    assert cost.operations_d == pytest.approx(G + 6 * D, rel=0.06)
    assert 3 * D < cost.operations_r1 < 7 * D                               # forward, backward, and both again
    assert cost.weights_g == sum(p.numel() for p in Generator(TINY).parameters())


def test_weights_are_those_of_the_paper():
    with torch.device("meta"):
        G = Generator(StyleGANConfig(1024, 512, 512, 8192, 512))
    assert sum(p.numel() for p in G.parameters()) == 26_219_627


def test_the_models_arithmetic():
    cost = Cost(operations_d=3e9, operations_r1=4e9, operations_g=2e9, weights_g=600, weights_d=400)
    assert cost.operations() == 9e9
    assert cost.traffic(1) == 0 and cost.traffic(4) == 1.5 * 4 * 1000
    assert cost.days(86_400, speed=9e9) == pytest.approx(1.0)               # one picture a second


def test_the_speed_is_measured():
    assert 1e6 < measure_speed(TINY, batch=4, steps=2, device="cpu") < 1e14
