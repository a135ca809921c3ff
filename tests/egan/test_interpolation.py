"""Interpolation: ends, lengths and angles of the two ways against their formulas; strips of every generator."""

import math

import pytest
import torch

from gan_teach import stylegan
from gan_teach.egan.interpolation import WAYS, linear, spherical, strip, way
from gan_teach.networks import dcgan, progan
from gan_teach.networks.layers import sample_z


def pair(z_dim=100, seed=0):
    return sample_z(2, z_dim, seed).double()


def angle(a, b):
    return math.acos(max(-1.0, min(1.0, float(a @ b / (a.norm() * b.norm())))))


@pytest.mark.parametrize("how", WAYS)
def test_the_way_begins_and_ends_where_it_should(how):
    z1, z2 = pair()
    found = way(z1, z2, 7, how)
    assert found.shape == (7, 100)
    assert torch.allclose(found[0], z1, atol=1e-9) and torch.allclose(found[-1], z2, atol=1e-9)
    assert torch.allclose(found, way(z2, z1, 7, how).flip(0), atol=1e-9)


def test_linear_is_the_mean_of_its_ends_in_the_middle():
    z1, z2 = pair()
    assert torch.allclose(linear(z1, z2, 0.5), (z1 + z2) / 2)
    assert torch.allclose(linear(z1, z2, 0.25), torch.tensor([0.75 * a + 0.25 * b for a, b in zip(z1, z2)]))


def test_a_straight_line_leaves_the_sphere_and_the_arc_stays_on_it():
    z1, z2 = (z / z.norm() * 10 for z in pair())
    assert linear(z1, z2, 0.5).norm() < 7.8
    assert torch.allclose(way(z1, z2, 9, "spherical").norm(dim=1), torch.full((9,), 10.0, dtype=torch.float64))


def test_equal_steps_of_the_arc_are_equal_angles():
    z1, z2 = (z / z.norm() for z in pair())
    found = way(z1, z2, 6, "spherical")
    whole = angle(z1, z2)
    assert [angle(a, b) for a, b in zip(found, found[1:])] == pytest.approx([whole / 5] * 5, rel=1e-6)
    line = way(z1, z2, 6, "linear")
    steps = [angle(a, b) for a, b in zip(line, line[1:])]
    assert max(steps) > 1.2 * min(steps)                                    # the line hurries in the middle


def test_the_arc_in_the_plane_by_hand():
    z1, z2 = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert torch.allclose(spherical(z1, z2, 1 / 3), torch.tensor([2 * math.cos(math.pi / 6), 1.0]), atol=1e-6)


def test_latents_that_point_the_same_or_the_opposite_way_take_the_line():
    z = torch.tensor([3.0, 4.0])
    assert torch.allclose(spherical(z, 2 * z, 0.5), 1.5 * z)
    assert torch.allclose(spherical(z, -z, 0.25), 0.5 * z, atol=1e-5)
    assert torch.isfinite(spherical(z, z, torch.linspace(0, 1, 5)[:, None].flatten())).all()


def test_each_row_has_its_own_alpha_and_keeps_its_type():
    z1, z2 = sample_z(4, 8, 1), sample_z(4, 8, 2)
    alpha = torch.tensor([0.0, 0.3, 0.6, 1.0])
    for how in WAYS.values():
        rows = how(z1, z2, alpha)
        assert rows.dtype == torch.float32
        for i in range(4):
            assert torch.allclose(rows[i], how(z1[i], z2[i], float(alpha[i])), atol=1e-6)


def generators():
    torch.manual_seed(0)
    return {"dcgan": dcgan.Generator(dcgan.layout(32, 4, z_dim=8)),
            "progan": progan.Generator(progan.ProGANConfig(z_dim=8, widths=(8, 8))),
            "stylegan": stylegan.Generator(stylegan.StyleGANConfig(fmap_base=64)),
            "plane": dcgan.PlaneGenerator()}


@pytest.mark.parametrize("kind", ["dcgan", "progan", "stylegan", "plane"])
def test_a_strip_of_every_kind_of_generator(kind):
    G = generators()[kind].eval()
    z1, z2 = sample_z(2, G.z_dim, 3)
    with torch.no_grad():
        ends = G(torch.stack([z1, z2]))
    for how in WAYS:
        found = strip(G, z1, z2, 5, how)
        assert len(found) == 5 and not found.requires_grad
        assert torch.allclose(found[[0, -1]], ends, atol=5e-3 * float(ends.abs().max()))
        assert torch.equal(found, strip(G, z1[None], z2[None], 5, how))         # 1×Z will do


def test_what_is_no_way():
    z1, z2 = pair()
    with pytest.raises(ValueError, match="'linear' or 'spherical'"):
        way(z1, z2, 5, "round")
    with pytest.raises(ValueError, match="two ends"):
        way(z1, z2, 1)
