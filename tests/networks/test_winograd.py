"""Winograd's way of a convolution: its values are those of the convolution, by fewer multiplications."""

import pytest
import torch
import torch.nn.functional as F

from gan_teach.networks.winograd import WinogradConv


def plainly(x, weight, up):
    return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest") if up else x, weight, padding=1)


@pytest.fixture
def case():
    draw = torch.Generator().manual_seed(0)
    return torch.randn(3, 5, 8, 12, generator=draw), torch.randn(7, 5, 3, 3, generator=draw)


@pytest.mark.parametrize("up", [False, True])
def test_the_values_are_those_of_the_convolution(case, up):
    x, weight = (part.double() for part in case)
    conv, wanted = WinogradConv(weight, up), plainly(x, weight, up)
    assert conv(x).shape == wanted.shape and torch.allclose(conv(x), wanted, atol=1e-12)
    assert torch.allclose(conv.float()(x.float()), wanted.float(), atol=1e-4)
    assert conv.weight.shape == (9 if up else 36, 5, 7)                     # as many products for each tile


@pytest.mark.parametrize("up", [False, True])
def test_a_picture_is_the_same_in_every_batch(case, up):
    x, weight = case
    conv = WinogradConv(weight, up)
    assert torch.equal(conv(x)[1:2], conv(x[1:2]))
    assert torch.equal(conv(x.contiguous(memory_format=torch.channels_last)), conv(x))


@pytest.mark.parametrize("up", [False, True])
def test_gradients_pass_through(case, up):
    x, weight = (part.double() for part in case)
    x.requires_grad_(True)
    ours, theirs = (torch.autograd.grad(f(x).sin().sum(), x)[0]
                    for f in (WinogradConv(weight, up), lambda x: plainly(x, weight, up)))
    assert torch.allclose(ours, theirs, atol=1e-10)
