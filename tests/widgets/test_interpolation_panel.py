"""The interpolation panel, driven from code: which latents it draws, what it keeps, and what its controls do."""

import math

import numpy as np
import pytest
import torch
from panels import shown, small_dcgan

from gan_teach import pictures
from gan_teach.egan.interpolation import linear, spherical
from gan_teach.networks.layers import sample_z
from gan_teach.widgets.egan.interpolation import InterpolationPanel
from gan_teach.widgets.egan.interpolation_render import STEPS, InterpolationRenderer, InterpolationState, _marked


@pytest.fixture(scope="module")
def G():
    return small_dcgan()


@pytest.fixture
def seen(G, monkeypatch):
    """The latents that were drawn, one batch after the other."""
    batches = []

    def heard(z, forward=G.forward):
        batches.append(z.clone())
        return forward(z)

    monkeypatch.setattr(G, "forward", heard)
    return batches


def test_what_is_drawn_are_both_ways_at_alpha(G, seen):
    InterpolationRenderer(G).render(InterpolationState(3, 4, 0.25))
    z1, z2 = sample_z(1, 20, 3)[0], sample_z(1, 20, 4)[0]
    assert torch.allclose(seen[0][0], 0.75 * z1 + 0.25 * z2, atol=1e-6)
    angle = math.acos(float(torch.cosine_similarity(z1, z2, dim=0)))
    arc = (math.sin(0.75 * angle) * z1 + math.sin(0.25 * angle) * z2) / math.sin(angle)
    assert torch.allclose(seen[0][1], arc, atol=1e-5)
    for strip, function in zip(seen[1:], (linear, spherical)):
        assert len(strip) == STEPS
        assert all(torch.allclose(z, function(z1, z2, k / (STEPS - 1)), atol=1e-5) for k, z in enumerate(strip))


@pytest.mark.parametrize("alpha, seed", [(0.0, 3), (1.0, 4)])
def test_the_ways_meet_at_the_ends(G, alpha, seed):
    frame = InterpolationRenderer(G).render(InterpolationState(3, 4, alpha))
    assert frame.large[0] == frame.large[1] and frame.error == ""
    want = pictures.to_uint8(G(sample_z(1, 20, seed)))[0]
    got = pictures.as_array(frame.large[0]).astype(float)
    assert np.abs(got - pictures.enlarge(want, 15, "bicubic")).mean() < 4                     # JPEG
    middle = InterpolationRenderer(G).render(InterpolationState(3, 4, 0.5))
    assert middle.large[0] != middle.large[1] and middle.strips[0] != middle.strips[1]


def test_the_words_say_how_long_the_latents_are(G):
    z1, z2 = sample_z(1, 20, 3)[0], sample_z(1, 20, 4)[0]
    text = InterpolationRenderer(G).render(InterpolationState(3, 4, 0.5)).text
    assert f"linear {((z1 + z2) / 2).norm():.1f}" in text and f"at the ends {z1.norm():.1f} and {z2.norm():.1f}" in text


def test_a_strip_is_drawn_once_for_its_ends(G, seen):
    renderer = InterpolationRenderer(G)
    for alpha in (0.1, 0.2, 0.9):
        renderer.render(InterpolationState(3, 4, alpha))
    assert [len(z) for z in seen] == [2, STEPS, STEPS, 2, 2]
    renderer.render(InterpolationState(3, 5, 0.9))
    assert [len(z) for z in seen[5:]] == [2, STEPS, STEPS]


def test_the_mark_stands_under_the_nearest_picture():
    row = np.zeros((10, STEPS * 10, 3), np.uint8)
    for place in range(STEPS):
        marked = (_marked(row, place)[-1] == (230, 110, 0)).all(1)
        assert marked.nonzero()[0].tolist() == list(range(10 * place, 10 * place + 10))


def test_controls(G):
    panel = InterpolationPanel(G, first=3, second=4)
    before = shown(panel.large[0])
    panel.alpha.value = 0.8
    assert panel.state == InterpolationState(3, 4, 0.8) and "α = 0.80" in panel.text.value
    assert shown(panel.large[0]) != before
    panel.second.value = 9
    assert panel.state.second == 9
    panel.next.click()
    assert panel.state == InterpolationState(9, 10, 0.0) and panel.first.value == 9 and panel.alpha.value == 0.0
    panel.reset.click()
    assert panel.state == InterpolationState(3, 4, 0.5) and shown(panel.large[0]) == before
