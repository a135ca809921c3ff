"""The warm-up's exercises: the checks, given right answers and usual wrong ones."""

import pytest
import torch
import torch.nn.functional as F

from gan_teach.egan.warm_up import saturating_g
from gan_teach.lessons.checks import check_loss_d as D_
from gan_teach.lessons.checks import check_loss_g as G_
from gan_teach.networks import losses


def naive_d(real, fake):
    return -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()


@pytest.mark.parametrize("check, answer", [
    (D_, losses.logistic_d), (G_, losses.logistic_g),
    (D_, lambda real, fake: -F.logsigmoid(real).mean() - F.logsigmoid(-fake).mean()),
    (G_, lambda fake: F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake)))])
def test_the_checks_accept_right_answers(said, check, answer):
    assert said(check, answer).startswith("✓")


@pytest.mark.parametrize("check, answer, words", [
    (D_, naive_d, "overflow"),
    (G_, lambda fake: -fake.sigmoid().log().mean(), "overflow"),
    (D_, lambda real, fake: losses.logistic_d(fake, real), "upside down"),
    (D_, lambda real, fake: -losses.logistic_d(real, fake), "learn to be wrong"),
    (D_, lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(), "take the mean"),
    (D_, lambda real, fake: F.softplus(-real).mean(), "real points alone"),
    (D_, lambda real, fake: F.softplus(fake).mean(), "generated points alone"),
    (D_, lambda real, fake: losses.logistic_d(real, fake) / 2, "half of it"),
    (D_, lambda real, fake: torch.cat([F.softplus(-real), F.softplus(fake)]).mean(), "one mean over all"),
    (D_, lambda real, fake: F.softplus(-real).mean() + F.softplus(-fake).mean(), "both with −log D"),
    (D_, lambda real, fake: 1 - real.sigmoid().mean() + fake.sigmoid().mean(), "without logarithms"),
    (D_, lambda real, fake: fake.mean() - real.mean(), "without σ"),
    (D_, lambda real, fake: losses.logistic_d(real, fake) + 0.1, "yours is"),
    (D_, lambda real, fake: torch.cat([F.softplus(-real), F.softplus(fake)]), "shape"),
    (D_, lambda real, fake: losses.logistic_d(real, fake).item(),
     "must be a tensor, to be derived; yours is a float"),
    (D_, lambda real, fake: losses.logistic_d(real, fake.detach()),
     "nothing flows back to the logits. Is there a `detach`"),
    (D_, lambda real, fake: losses.logistic_d(real.mul_(1), fake.mul_(1)), "error"),
    (D_, lambda real: 0.0, "TypeError"),
    (G_, saturating_g, "the saturating loss"),
    (G_, lambda fake: F.softplus(fake).mean(), "learn to be caught"),
    (G_, lambda fake: -losses.logistic_g(fake), "learn to be caught"),
    (G_, lambda fake: F.softplus(-fake).sum(), "take the mean"),
    (G_, lambda fake: -fake.sigmoid().mean().log(), "the logarithm comes first"),
    (G_, lambda fake: 1 - fake.sigmoid().mean(), "without the logarithm"),
    (G_, lambda fake: -fake.mean(), "without σ and log"),
    (G_, lambda fake: losses.logistic_g(fake).item(),
     "must be a tensor, to be derived; yours is a float"),
    (G_, lambda fake: losses.logistic_g(fake.detach()), "nothing flows back"),
    (G_, lambda fake: "small", "yours is a str"),
    (G_, lambda fake: (fake.sigmoid() + 1e-7).log().mul(-1).mean(),
     "At logits of ±200 the loss is 200, yours 16.1"),
])
def test_the_checks_name_what_is_wrong(wrong, check, answer, words):
    wrong(check, answer, words)
