"""The warm-up: the game against plain formulas."""

import copy

import pytest
import torch
from rigged import weights

from gan_teach.egan.warm_up import DATA, LOSSES, Game, saturating_g
from gan_teach.networks import losses

torch.set_num_threads(1)


# ------------------------------------------------------------------------------------------ the game

def test_a_step_moves_one_player_and_holds_the_other_still():
    game = Game()
    G, D = weights(game.G), weights(game.D)
    game.step_d()
    assert torch.equal(weights(game.G), G) and not torch.equal(weights(game.D), D)
    D = weights(game.D)
    game.step_g()
    assert torch.equal(weights(game.D), D) and not torch.equal(weights(game.G), G)
    assert (game.steps_d, game.steps_g) == (1, 1)
    game.round(3)
    assert (game.steps_d, game.steps_g) == (4, 2)


def one_step_down(net, before, twin, least):
    """Adam's first step is the learning rate against each gradient's sign; the gradient is left in the twin."""
    slope = torch.cat([p.grad.flatten() for p in twin.parameters()])
    moved, clear = (weights(net) - before).double(), slope.abs() > 1e-5
    assert clear.sum() > least
    torch.testing.assert_close(moved[clear], -1e-3 * slope[clear].sign(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("loss", [losses.logistic_g, saturating_g])
def test_steps_descend_on_the_losses_written_out(loss):
    """The losses by log and σ in float64."""
    game = Game(loss_g=loss)
    draw = torch.Generator().manual_seed(0)
    x, z = DATA["a wave"](64, draw), torch.randn(64, 2, generator=draw)
    D = copy.deepcopy(game.D).double()
    real, fake = (D(points.detach().double()).sigmoid() for points in (x, game.G(z)))
    loss_d = -real.log().mean() - (1 - fake).log().mean()
    loss_d.backward()
    before = weights(game.D)
    assert game.step_d() == pytest.approx(float(loss_d.detach()), abs=1e-6)
    one_step_down(game.D, before, D, 2000)

    z = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
    G, D = copy.deepcopy(game.G).double(), copy.deepcopy(game.D).double()
    fake = D(G(z.double())).sigmoid()
    loss_g = (1 - fake).log().mean() if loss is saturating_g else -fake.log().mean()
    loss_g.backward()
    before = weights(game.G)
    assert game.step_g() == pytest.approx(float(loss_g.detach()), abs=1e-6)
    one_step_down(game.G, before, G, 1000)


def test_a_game_is_a_function_of_its_seed_and_goes_on_from_a_state():
    games = [Game(seed=3), Game(seed=3), Game(seed=4)]
    for game in games:
        for _ in range(3):
            game.round(2)
    one, same, other = (torch.cat([weights(game.G), weights(game.D)]) for game in games)
    assert torch.equal(one, same) and not torch.equal(one, other)
    game, state = games[0], games[0].state()
    for _ in range(2):
        game.round()
    after = weights(game.G)
    game.restore(state)
    assert torch.equal(torch.cat([weights(game.G), weights(game.D)]), one) and (game.steps_d, game.steps_g) == (6, 3)
    for _ in range(2):
        game.round()
    assert torch.equal(weights(game.G), after)
    game.restore(state)                                      # a state is not used up, nor shared
    assert torch.equal(torch.cat([weights(game.G), weights(game.D)]), one)


def test_the_notebooks_random_numbers_stay_where_they_are():
    before = torch.get_rng_state()
    game = Game()
    game.round()
    game.verdicts()
    assert torch.equal(torch.get_rng_state(), before)


def test_verdicts_are_means_of_probabilities():
    game = Game()
    game.step_d()
    real, fake = game.points(100, seed=5)
    v = game.verdicts(100, seed=5)
    p, q = (game.D(points).detach().sigmoid().double() for points in (real, fake))
    assert v.real == pytest.approx(float(p.mean()), abs=1e-6) and v.fake == pytest.approx(float(q.mean()), abs=1e-6)
    assert v.loss_d == pytest.approx(float(-p.log().mean() - (1 - q).log().mean()), abs=1e-5)
    assert v.loss_g == pytest.approx(float(-q.log().mean()), abs=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_push_is_loudness_times_the_slope_of_the_logit(name):
    game = Game(loss_g=LOSSES[name])
    for _ in range(5):
        game.step_d()
    x = game.points(7)[1]
    push = game.push(x)
    for i in range(7):
        point = x[i:i + 1].clone().requires_grad_(True)
        logit = game.D(point)[0]
        (slope,) = torch.autograd.grad(logit, point)
        D = logit.sigmoid().detach()
        loudness = D if name == "saturating" else 1 - D
        torch.testing.assert_close(push[i], (loudness * slope)[0], atol=1e-6, rtol=1e-4)


def test_lines_are_pushes_cut_at_the_longest():
    game = Game()
    for _ in range(5):
        game.step_d()
    x = game.points(40)[1]
    push = game.push(x)
    ends, starts = game.lines(x, reach=1.0, longest=float(push.norm(dim=1).median()))
    assert starts is x
    for line, full in zip(ends - x, push):
        want = full * min(1.0, float(push.norm(dim=1).median() / full.norm()))
        torch.testing.assert_close(line, want, atol=1e-5, rtol=1e-4)


def test_where_d_is_sure_only_the_non_saturating_loss_is_loud():
    game = Game(DATA["ring of 8"])
    for _ in range(150):
        game.step_d()
    assert game.verdicts().fake < 0.1
    loud = {}
    for name in LOSSES:
        game.loss_g = LOSSES[name]
        loud[name] = float(game.push(game.points()[1]).norm(dim=1).mean())
    assert loud["non-saturating"] > 5 * loud["saturating"] > 0


def test_g_learns_where_the_real_points_are():
    game = Game(DATA["one cloud"])
    centre = torch.tensor(DATA["one cloud"].centres[0])
    far = (game.points()[1].mean(0) - centre).norm()
    for _ in range(100):
        game.round()
    assert (game.points()[1].mean(0) - centre).norm() < 0.3 * far
