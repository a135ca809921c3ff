"""The layers that several networks share, each formula computed a second time by loops."""

import math

import pytest
import torch

from gan_teach.networks import layers
from gan_teach.networks.layers import minibatch_stddev, pixel_norm


def test_pixel_norm_by_loops():
    x = torch.randn(2, 5, 3, 4)
    for n in range(2):
        for i in range(3):
            for j in range(4):
                a = x[n, :, i, j].double()
                wanted = a / math.sqrt(float((a * a).sum()) / 5 + 1e-8)
                assert torch.allclose(pixel_norm(x)[n, :, i, j].double(), wanted, atol=1e-6)


def test_minibatch_stddev_by_loops():
    x = torch.randn(8, 3, 2, 2)
    y = minibatch_stddev(x, group=4)
    assert y.shape == (8, 4, 2, 2) and torch.equal(y[:, :3], x)
    for m in range(2):
        members = x[[m, m + 2, m + 4, m + 6]].double()
        wanted = (members.var(0, unbiased=False) + 1e-8).sqrt().mean()
        for n in (m, m + 2, m + 4, m + 6):
            assert torch.allclose(y[n, 3].double(), wanted.expand(2, 2), atol=1e-6)


def test_minibatch_stddev_has_the_slope_of_its_value():
    x = torch.randn(4, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(minibatch_stddev, x)                    # by finite differences, in float64


@pytest.mark.parametrize("make", [lambda: layers.EqualizedConv2d(5, 7, 3), lambda: layers.EqualizedLinear(45, 7)])
def test_equalised_weights_are_scaled_by_sqrt2_over_fan_in(make):
    layer = make()
    x = torch.zeros(1, 5, 3, 3)
    x[0, 2, 1, 1] = 1.0  # one input at the centre reads one weight
    y = layer(x) if layer.weight.ndim == 4 else layer(x.flatten(1))
    w = layer.weight[:, 2, 1, 1] if layer.weight.ndim == 4 else layer.weight[:, 2 * 9 + 4]
    y = y[0, :, 1, 1] if y.ndim == 4 else y[0]
    assert torch.allclose(y, w * math.sqrt(2 / 45), atol=1e-6)
