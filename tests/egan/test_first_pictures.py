"""The first GAN of pictures: it grows without a jump, takes turns, and goes on bit for bit."""

import re

import pytest
import torch

from gan_teach.egan import first_pictures
from gan_teach.egan.first_pictures import D, G, Loop, drawn
from gan_teach.networks.losses import logistic_d, logistic_g
from gan_teach.widgets.egan import first_pictures as watching
from gan_teach.widgets.egan.first_pictures import watch

REAL = torch.randint(256, (50, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(first_pictures, "BATCH", 4)


def weights(*nets):
    return torch.cat([p.detach().flatten() for net in nets for p in net.parameters()])


@pytest.mark.parametrize("level, size", [(0, 4), (0.5, 8), (1, 8), (1.01, 16), (2, 16), (2.5, 32), (3, 32)])
def test_a_level_is_a_size(level, size):
    x = G()(torch.randn(2, 64), level)
    assert x.shape == (2, 3, size, size) and x.abs().max() <= 1 and D()(x, level).shape == (2,)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_new_size_is_faded_in_without_a_jump(n):
    """Just above level n − 1 the picture is the small one, enlarged; just below n it is that of level n."""
    torch.manual_seed(0)
    g, d, z = G(), D(), torch.randn(2, 64)
    enlarged = torch.nn.functional.interpolate(g(z, n - 1), scale_factor=2)
    assert torch.allclose(g(z, n - 1 + 1e-5), enlarged, atol=1e-3)
    assert torch.allclose(g(z, n - 1e-5), g(z, n), atol=1e-3)
    assert torch.allclose(d(enlarged, n - 1 + 1e-5), d(g(z, n - 1), n - 1), atol=1e-3)
    assert torch.allclose(d(enlarged, n - 1e-5), d(enlarged, n), atol=1e-3)


def test_grey_pictures_are_drawn_in_one_channel():
    loop = Loop(REAL[:, :1])
    loop.step()
    assert loop.G(torch.randn(2, 64), 3).shape == (2, 1, 32, 32) and drawn(loop).shape == (256, 768, 3)


def test_each_size_is_faded_in_for_the_first_half_of_its_time():
    with pytest.raises(ValueError, match="grow must be a whole number from 1"):
        Loop(REAL, grow=0)
    loop, levels = Loop(REAL, grow=4), []
    for loop.steps in range(18):
        levels.append(loop.level())
    assert levels == [0] * 4 + [0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2.5, 3, 3, 3, 3]


def test_a_step_is_one_of_each_by_hand():
    """D descends on its loss with G held still, then G with the new D held still."""
    loop, twin = Loop(REAL), Loop(REAL)
    loop.steps = twin.steps = 1                                 # a step without the penalty
    losses = loop.step()
    draw = torch.Generator().manual_seed(1)
    x, z = twin.batch(draw), torch.randn(2, 4, 64, generator=draw)
    before = weights(twin.G)
    loss_d = logistic_d(twin.D(x, 0), twin.D(twin.G(z[0], 0), 0))
    for p, g in zip(twin.D.parameters(), torch.autograd.grad(loss_d, list(twin.D.parameters()), allow_unused=True)):
        p.grad = g
    twin.adam_d.step()
    loss_g = logistic_g(twin.D(twin.G(z[1], 0), 0))
    for p, g in zip(twin.G.parameters(), torch.autograd.grad(loss_g, list(twin.G.parameters()), allow_unused=True)):
        p.grad = g
    twin.adam_g.step()
    assert losses == pytest.approx((loss_d.item(), loss_g.item()))
    assert torch.allclose(weights(loop.G, loop.D), weights(twin.G, twin.D), atol=1e-7)
    assert torch.allclose(weights(loop.mean), torch.lerp(before, weights(loop.G), 0.02), atol=1e-7)


def test_it_goes_on_from_a_state_bit_for_bit():
    straight, stopped = Loop(REAL, grow=2), Loop(REAL, grow=2)
    for _ in range(5):
        straight.step()
    for _ in range(3):
        stopped.step()
    later = Loop(REAL, grow=2, seed=0)
    later.restore(stopped.state())
    for _ in range(2):
        later.step()
    assert torch.equal(weights(*straight._parts()[:3]), weights(*later._parts()[:3]))


def test_it_descends_on_the_losses_it_is_given():
    seen = []
    loop = Loop(REAL, lambda real, fake: seen.append((len(real), len(fake))) or logistic_d(real, fake),
                lambda fake: seen.append(len(fake)) or logistic_g(fake))
    loop.step()
    assert seen == [(4, 4), 4]


def test_watching_trains_and_an_interrupt_says_what_it_did(capsys, monkeypatch):
    loop = Loop(REAL, grow=2)
    assert drawn(loop).shape == (256, 768, 3)
    watch(loop, 3, every=2)
    assert loop.steps == 3
    step, count = loop.step, iter((1, 2))
    monkeypatch.setattr(loop, "step", lambda: step() if next(count) == 1 else (_ for _ in ()).throw(KeyboardInterrupt))
    watch(loop, 5)
    assert loop.steps == 4 and "Stopped after step 4" in capsys.readouterr().out


def test_what_shall_stay_is_updated_no_more(monkeypatch):
    places = []

    class Place:
        def __init__(self, shown):
            self.shown = [shown]

        def update(self, shown):
            self.shown.append(shown)

    monkeypatch.setattr(watching, "display", lambda shown, display_id: places.append(Place(shown)) or places[-1])
    loop = Loop(REAL, grow=2)
    watch(loop, 5, every=2, stay=(2, 4))
    ends = [re.search(r">step (\d+), (\d+)×", place.shown[-1]._repr_html_()).groups() for place in places]
    assert ends == [("2", "4"), ("4", "8"), ("5", "16")]
    places.clear()
    watch(loop, 3, every=2, stay=(8,))                                  # the last of its steps: nothing is begun below
    assert len(places) == 1 and ">step 8," in places[0].shown[-1]._repr_html_()
