"""Winograd's way of a convolution: its values are those of the convolution, by fewer multiplications."""

import copy

import pytest
import torch
import torch.nn.functional as F

from gan_teach.networks import layers
from gan_teach.networks.layers import EqualizedConv2d, UpConv2d
from gan_teach.networks.progan import Generator, ProGANConfig
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
    short = conv.bfloat16()(x.bfloat16()).double()                          # 8 bits; six taps lose more of them
    assert 1e-3 < (short - wanted).abs().mean() / wanted.std() < (0.01 if up else 0.04)
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


@pytest.mark.parametrize("kind, size", [(EqualizedConv2d, 16), (UpConv2d, 8)])
def test_a_wide_layer_draws_by_winograds_way_and_trains_by_the_convolution(kind, size, monkeypatch):
    used, one = [], WinogradConv._one
    monkeypatch.setattr(layers, "WIDE", 5)
    monkeypatch.setattr(WinogradConv, "_one", lambda self, x: used.append(1) or one(self, x))
    torch.manual_seed(0)
    conv, x = kind(5, 7, 3).eval(), torch.randn(2, 5, size, size)
    bias = conv.bias.data.normal_()[:, None, None]
    wanted = plainly(x, conv.weight.detach() * conv.scale, conv.up)
    with torch.no_grad():
        assert torch.allclose(conv(x), wanted + bias, atol=1e-4) and len(used) == 2         # a picture at a time
        made = conv._kept[2]
        assert torch.equal(conv(x), conv(x)) and conv._kept[2] is made      # kept while the weight stands
        conv.weight.mul_(2)
        assert torch.allclose(conv(x), 2 * wanted + bias, atol=1e-4) and conv._kept[2] is not made
        used.clear()
        for other in (conv.train(), copy.deepcopy(conv).eval().double()):
            other(x.to(other.weight.dtype))
        conv.eval()
        if kind is EqualizedConv2d:
            conv(x[..., :14]), conv(x[..., :8, :8])                         # no multiple of four; few pixels
    conv(x)                                                                 # with gradients
    conv.requires_grad_(False)(x.clone().requires_grad_())
    assert not used
    with torch.inference_mode():
        conv(x)
    assert len(used) == 2 and not any(t.is_inference() for t in conv._kept[2].buffers())    # for later, too


def test_a_wide_generator_is_cut_bit_for_bit_and_draws_what_a_narrow_one_computes(monkeypatch):
    torch.manual_seed(0)
    G, z = Generator(ProGANConfig(z_dim=8, widths=(8, 8, 8))).eval().requires_grad_(False), torch.randn(3, 8)
    plain = G(z)
    monkeypatch.setattr(layers, "WIDE", 8)
    x = G(z)
    assert torch.allclose(x, plain, atol=1e-5) and not torch.equal(x, plain)
    for layer in G.layers:
        r, f = G.at(z, layer)
        assert torch.equal(f(r), x)
