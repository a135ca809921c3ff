"""The losses and their gradient penalties, against closed forms and loops."""

import math

import pytest
import torch
from torch import nn

from gan_teach.networks.dcgan import DCGANConfig, Discriminator
from gan_teach.networks.losses import (
    logistic_d,
    logistic_g,
    logistic_r1_r2,
    logits_and_slope,
    relativistic_d,
    relativistic_g,
)
from gan_teach.networks.wgan import gradient_penalty, wasserstein_gp


def test_logistic_losses_in_closed_form():
    real, fake = torch.tensor([0.5, -2.0]), torch.tensor([1.5, -0.5])
    s = torch.sigmoid
    assert torch.allclose(logistic_d(real, fake), -(s(real).log().mean() + (1 - s(fake)).log().mean()))
    assert torch.allclose(logistic_g(fake), -s(fake).log().mean())


def test_relativistic_losses_in_float64():
    real, fake = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    d, g = (sum(math.log1p(math.exp(a - b)) for a, b in zip(*pair)) / 7
            for pair in ((fake.tolist(), real.tolist()), (real.tolist(), fake.tolist())))
    assert relativistic_d(real, fake).item() == pytest.approx(d, rel=1e-12)
    assert relativistic_g(real, fake).item() == pytest.approx(g, rel=1e-12)


def test_r1_of_a_linear_discriminator_is_its_squared_weight():
    w = torch.randn(3, 4, 4)
    _, r1 = logits_and_slope(lambda x: (x * w).sum((1, 2, 3)), torch.randn(5, 3, 4, 4))
    assert torch.allclose(r1, w.square().sum())


def test_a_smooth_d_is_the_papers_loss_and_both_penalties():
    torch.manual_seed(0)
    D = Discriminator(DCGANConfig((4, 3))).double()
    real, fake = torch.randn(5, 3, 16, 16).double(), torch.randn(4, 3, 16, 16).double()
    want = logistic_d(D(real), D(fake)) + 3 / 2 * (logits_and_slope(D, real)[1] + logits_and_slope(D, fake)[1])
    got = logistic_r1_r2(D, real, fake, gamma=3)
    assert got.item() == pytest.approx(want.item(), rel=1e-12)
    for a, b in zip(*(torch.autograd.grad(loss, list(D.parameters()), allow_unused=True) for loss in (want, got))):
        assert (a is None) == (b is None) and (a is None or torch.allclose(a, b, rtol=1e-9, atol=1e-15))


def test_the_penalties_of_a_linear_d_are_its_weights():
    """l = w·x + b has slope w everywhere: R1 = R2 = ‖w‖², γ = 10 of each half."""
    D = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double()
    real, fake = torch.randn(5, 2).double(), torch.randn(5, 2).double()
    plain, smooth = logistic_d(D(real), D(fake)), logistic_r1_r2(D, real, fake, None)
    assert (smooth - plain).item() == pytest.approx(10 * D[0].weight.square().sum().item())


def test_gradient_penalty_of_a_linear_critic():
    D = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double()
    real, fake = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    draw = torch.Generator().manual_seed(0)
    norm = math.hypot(*D[0].weight[0].tolist())
    assert gradient_penalty(D, real, fake, draw).item() == pytest.approx((norm - 1) ** 2)
    want = (D(fake).sum() - D(real).sum()).item() / 5 + 10 * (norm - 1) ** 2
    assert wasserstein_gp(D, real, fake, draw).item() == pytest.approx(want)


def test_gradient_penalty_looks_between_the_pairs():
    """D = x²/2 has slope x: at the points between −1 and 1 the penalty is the mean of (|x̂| − 1)², x̂ = 1 − 2t."""
    real, fake = torch.ones(2000, 1), -torch.ones(2000, 1)
    got = gradient_penalty(lambda x: x.square().sum(1) / 2, real, fake, torch.Generator().manual_seed(0))
    assert got.item() == pytest.approx(1 / 3, abs=0.03)
