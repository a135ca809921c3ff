"""The generator and discriminator of Progressive GAN, computed a second time by hand."""

import math

import pytest
import torch

from gan_teach.networks.layers import sample_z
from gan_teach.networks.progan import Discriminator, Generator, ProGANConfig

SMALL = ProGANConfig(z_dim=12, widths=(12, 8, 6))


@pytest.fixture
def G():
    torch.manual_seed(0)
    return Generator(SMALL).eval()


@pytest.mark.parametrize("dtype, apart", [(torch.float64, 1e-5), (torch.bfloat16, 0.1)])
def test_a_discriminator_computes_in_the_precision_of_its_weights(dtype, apart):
    torch.manual_seed(0)
    D, x = Discriminator(SMALL), torch.randn(4, 3, 16, 16)
    wanted, found = D(x), D.to(dtype)(x.to(dtype))
    assert found.dtype == dtype and (found - wanted).abs().max() < apart


def test_generator_by_hand(G):
    """The whole forward pass once more, in float64 and with explicit loops over layers."""
    z = sample_z(3, 12, seed=1)
    x = z.double()[:, :, None, None]
    for name in G.layers:
        block = G.blocks[name]
        x = x / (x.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
        if block.up:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        w = block.conv.weight.double() * math.sqrt(2 / block.conv.weight[0].numel())
        x = torch.nn.functional.conv2d(x, w, block.conv.bias.double(), padding=block.conv.padding)
        x = torch.where(x > 0, x, 0.2 * x)
    x = x / (x.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
    rgb = G.to_rgb["16"]
    wanted = torch.einsum("oc,nchw->nohw", rgb.weight[:, :, 0, 0].double() / math.sqrt(6), x)
    assert torch.allclose(G(z).double(), wanted + rgb.bias.double()[:, None, None], atol=1e-4)


def test_cut_is_exact_at_every_layer(G):
    z = sample_z(5, G.z_dim, seed=3)
    x = G(z)
    for layer in G.layers:
        r, f = G.at(z, layer)
        assert r.shape[0] == 5 and torch.equal(f(r), x)
        assert not torch.equal(f(torch.zeros_like(r)), x)


def test_layer_names_grow_with_the_resolution(G):
    assert G.layers == tuple(f"layer{i}" for i in range(1, 7))
    G.grow(8)
    assert G.layers == ("layer1", "layer2", "layer3", "layer4") and G(torch.randn(1, 12)).shape == (1, 3, 8, 8)
    with pytest.raises(ValueError, match="no layer 'layer9'.*layer1, layer2"):
        G.at(torch.randn(1, 12), "layer9")
    with pytest.raises(ValueError, match="cannot work at 64 px; it can at 4, 8, 16"):
        G.grow(64)


def test_fade_in_starts_at_the_old_network_and_ends_at_the_new(G):
    torch.manual_seed(1)
    D, z = Discriminator(SMALL), torch.randn(4, 12)
    G.grow(8)
    old = G(z)
    D.grow(8)
    old_score = D(old)
    doubled = torch.nn.functional.interpolate(old, scale_factor=2)
    for net in (G, D):
        net.grow(16, 1e-7)
    assert torch.allclose(G(z), doubled, atol=1e-5)
    assert torch.allclose(D(doubled), old_score, atol=1e-4)
    G.grow(16, 0.5)
    half = G(z)
    G.grow(16, 1.0)
    assert torch.allclose(half, (doubled + G(z)) / 2, atol=1e-5)
    G.grow(16, 0.5)
    with pytest.raises(ValueError, match="still fading in"):
        G.at(z, "layer1")


def test_discriminator_sees_the_spread_of_a_batch():
    torch.manual_seed(0)
    D, x = Discriminator(SMALL), torch.randn(4, 3, 16, 16)
    alone = Discriminator(ProGANConfig(z_dim=12, widths=(12, 8, 6), stddev_group=0))
    same = x[:1].expand(4, -1, -1, -1)
    assert not torch.allclose(D(x)[0], D(same)[0]) and torch.allclose(alone(x)[0], alone(same)[0], atol=1e-5)
