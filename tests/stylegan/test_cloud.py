"""The shape of a cloud against clouds whose shape is known, and the network that a training began with."""

import pytest
import torch

from gan_teach.stylegan.cloud import cloud_figure, directions, held, moved, untrained
from gan_teach.stylegan.generator import Generator, StyleGANConfig

TINY = StyleGANConfig(8, 16, 16, fmap_base=32, fmap_max=8, mapping_layers=8)


def test_a_flat_cloud_needs_as_many_directions_as_it_has():
    draw = torch.Generator().manual_seed(0)
    flat = torch.randn(4000, 3, generator=draw) @ torch.linalg.qr(torch.randn(16, 3, generator=draw))[0].T + 5
    assert directions(flat, 0.999) == 3 and held(flat)[2] == pytest.approx(1)
    assert directions(torch.randn(4000, 16, generator=draw)) >= 14


def test_variance_held_by_hand():
    cloud = torch.tensor([[3.0, 0], [-3, 0], [0, 1], [0, -1]])                     # variances 6 and 2/3
    assert held(cloud).tolist() == pytest.approx([0.9, 1])
    assert directions(cloud, 0.85) == 1 and directions(cloud, 0.95) == 2


@pytest.mark.parametrize("cloud, words", [(torch.ones(4, 3), "all the same"), (torch.ones(1, 3), "two or more points"),
                                          (torch.full((4, 3), torch.nan), "cloud")])
def test_what_has_no_shape_is_refused(cloud, words):
    with pytest.raises(ValueError, match=words):
        held(cloud)


def test_the_generator_that_a_training_began_with():
    torch.manual_seed(3)
    G = Generator(TINY)
    G.record = {"settings": {"seed": 3}}
    state = torch.get_rng_state()
    assert moved(untrained(G), G) == 0 and moved(untrained(G, seed=4), G) > 1
    assert torch.equal(torch.get_rng_state(), state)


def test_how_far_training_moved_is_relative():
    torch.manual_seed(0)
    a, b = Generator(TINY).mapping, Generator(TINY).mapping
    b.load_state_dict({key: 1.25 * value for key, value in a.state_dict().items()})
    assert moved(a, b) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="two different networks"):
        moved(a, Generator(TINY))


def test_an_untrained_mapping_of_eight_layers_presses_z_flat():
    z = torch.randn(2000, 128, generator=torch.Generator().manual_seed(1))
    deep, shallow = (untrained(Generator(StyleGANConfig(8, fmap_base=32, fmap_max=8, mapping_layers=n)), 0).mapping(z)
                     for n in (8, 1))
    assert directions(deep.detach()) < 40 < 70 < directions(shallow.detach())


def test_the_chart_marks_where_each_cloud_holds_its_share():
    draw = torch.Generator().manual_seed(0)
    clouds = {"z": torch.randn(500, 8, generator=draw), "w": torch.randn(500, 8, generator=draw) * torch.arange(1, 9)}
    ax, = cloud_figure(clouds).axes
    dots = [line.get_xdata() for line in ax.lines if line.get_marker() == "o"]
    assert [int(x[0]) for x in dots] == [directions(cloud) for cloud in clouds.values()]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["z", "w"]
