"""The networks of chapter 3: sizes, cuts, what a logit may depend on."""

import pytest
import torch
from torch import nn

from gan_teach.networks import dcgan
from gan_teach.networks.dcgan import DCGANConfig, PlaneConfig, layout
from gan_teach.networks.layers import sample_z

SMALL = DCGANConfig(widths=(12, 8, 6), z_dim=5)


@pytest.mark.parametrize("resolution, first, sizes", [(32, 4, [4, 8, 16]), (64, 4, [4, 8, 16, 32]),
                                                      (128, 4, [4, 8, 16, 32, 64]), (32, 8, [8, 16])])
def test_layouts_double_from_the_first_map_to_the_picture(resolution, first, sizes):
    config = layout(resolution, width=2, first=first, z_dim=3)
    G, z = dcgan.Generator(config), sample_z(2, 3, seed=0)
    assert config.resolution == resolution and G(z).shape == (2, 3, resolution, resolution)
    shapes = [tuple(G.at(z, name)[0].shape[1:]) for name in G.layers]
    assert shapes == [(2 * 2**k, s, s) for k, s in zip(reversed(range(len(sizes))), sizes)]     # widths double inwards
    assert dcgan.Discriminator(config)(G(z)).shape == (2,)


def test_layout_of_an_unreachable_size_names_those_that_are():
    with pytest.raises(ValueError, match="28 px cannot be reached by doubling 4 px; possible are 8, 16, 32, 64, 128"):
        layout(28)


@pytest.mark.parametrize("G", [dcgan.Generator(SMALL), dcgan.Generator(DCGANConfig((6, 4), 2, 5, True, True)),
                               dcgan.PlaneGenerator(PlaneConfig(z_dim=5, width=7, depth=4))])
def test_f_of_r_is_g_of_z_bit_for_bit_at_every_layer(G):
    G.eval()
    z = sample_z(3, G.z_dim, seed=1)
    with torch.no_grad():
        x = G(z)
        for name in G.layers:
            r, f = G.at(z, name)
            assert torch.equal(f(r), x)
            assert not torch.equal(f(r + 1), x)                 # and r is what the picture is made of
    with pytest.raises(ValueError, match=f"no layer 'layer9'.*layer1, .*{G.layers[-1]}"):
        G.at(z, "layer9")


def test_pictures_lie_in_minus_1_to_1_and_start_near_grey():
    G = dcgan.Generator(SMALL)
    x = G(sample_z(8, 5, seed=2))
    assert x.abs().max() < 0.1                                  # weights start at N(0, 0.02²)
    for p in G.parameters():
        nn.init.normal_(p, 0, 5)
    x = G(sample_z(8, 5, seed=2))
    assert 0.99 < x.abs().max() <= 1


def test_a_grey_generator_shows_one_channel_three_times_and_its_discriminator_reads_one():
    config = DCGANConfig((8, 6), 4, 5, grey=True)
    G, D = dcgan.Generator(config), dcgan.Discriminator(config)
    x = G(sample_z(4, 5, seed=3))
    assert x.shape == (4, 3, 16, 16) and torch.equal(x[:, 0], x[:, 1]) and torch.equal(x[:, 0], x[:, 2])
    assert G.last.weight.shape[1] == 1
    assert torch.equal(D(x), D(x[:, :1]))


@pytest.mark.parametrize("norm_d", [False, True])
def test_per_sample_says_whether_a_logit_depends_on_its_neighbours(norm_d):
    torch.manual_seed(0)
    D = dcgan.Discriminator(DCGANConfig((8, 6), 4, 5, norm_d=norm_d))
    x = torch.rand(6, 3, 16, 16)
    before = {name: value.clone() for name, value in D.state_dict().items()}
    alone = torch.allclose(D(x)[:3], D(x[:3]), atol=1e-6)
    assert D.per_sample == alone == (not norm_d)
    assert all(torch.equal(before[name], value) for name, value in D.state_dict().items())  # judging leaves no trace


def test_batch_norm_goes_where_the_config_says():
    def norms(net):
        return sum(isinstance(m, nn.BatchNorm2d) for m in net.modules())

    config = DCGANConfig((8, 6, 4), norm_g=True, norm_d=True, z_dim=5)
    assert norms(dcgan.Generator(config)) == 3 and norms(dcgan.Discriminator(config)) == 2   # not in D's first layer
    assert norms(dcgan.Generator(SMALL)) == norms(dcgan.Discriminator(SMALL)) == 0


def test_everything_stays_in_float64():
    z = sample_z(2, 5, seed=4).double()
    x = dcgan.Generator(SMALL).double()(z)
    assert x.dtype == dcgan.Discriminator(SMALL).double()(x).dtype == torch.float64


def test_plane_networks():
    config = PlaneConfig(z_dim=3, width=16, depth=2)
    G, D = dcgan.PlaneGenerator(config), dcgan.PlaneDiscriminator(config)
    z = sample_z(9, 3, seed=5)
    assert G.layers == ("layer1", "layer2") and G.at(z, "layer1")[0].shape == (9, 16)
    assert G(z).shape == (9, 2) and D(G(z)).shape == (9,)
    assert torch.allclose(D(G(z))[:4], D(G(z)[:4]), atol=1e-6) and D.per_sample
