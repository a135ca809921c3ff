"""The warm-up's exercises: the loss of D, the non-saturating one of G (Goodfellow et al. 2014). See `exercises`."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from ...language import say
from ...networks.losses import logistic_d, logistic_g
from ..exercises import verdict
from .losses import check_loss


def _logits(n: int, seed: int) -> torch.Tensor:
    return 2 * torch.randn(n, generator=torch.Generator().manual_seed(seed))


@verdict("gan_teach.networks.losses:logistic_d",
         "`real` and `fake` are logits l. `torch.sigmoid` makes probabilities D of them, `torch.log` their logarithms.",
         "Two terms, each a mean over its own points: −log D of the real ones, −log (1 − D) of the generated ones.",
         "−log σ(l) is `F.softplus(-l)`, and −log (1 − σ(l)) is `F.softplus(l)`: no overflow, however sure D is.")
def check_loss_d(answer: Callable) -> str:
    """Check `loss_d(real, fake)`: −E log σ(l_real) − E log(1 − σ(l_fake)), of logits; as many or not."""
    check_loss(answer, "loss_d", logistic_d, {
        "That is the loss upside down: D would learn to call fakes real": lambda real, fake: logistic_d(-real, -fake),
        "That is the negative of it: D would learn to be wrong": lambda real, fake: -logistic_d(real, fake),
        "That is the sum over the points; take the mean":
            lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(),
        "That is the term of the real points alone": lambda real, fake: logistic_g(real),
        "That is the term of the generated points alone": lambda real, fake: F.softplus(fake).mean(),
        "That is half of it": lambda real, fake: logistic_d(real, fake) / 2,
        "That is one mean over all points; each kind has its own":
            lambda real, fake: F.softplus(torch.cat([-real, fake])).mean(),
        "That is both with −log D; for generated points it is −log (1 − D)":
            lambda real, fake: logistic_g(real) + logistic_g(fake),
        "That is a loss without logarithms": lambda real, fake: 1 - real.sigmoid().mean() + fake.sigmoid().mean(),
        "That is the sum without σ: real and fake are logits": lambda real, fake: fake.mean() - real.mean(),
    }, _logits(6, 0), _logits(4, 1), exact=True)
    return say("loss_d: value and slopes are right, also where D is very sure, and very wrong.")


@verdict("gan_teach.networks.losses:logistic_g",
         "G wants D to call its points real. It sees `fake` alone: no real point appears in its loss.",
         "The mean of −log D over the generated points: small where D says 1.",
         "−log σ(l) is `F.softplus(-l)`; take the mean over the points.")
def check_loss_g(answer: Callable) -> str:
    """Check `loss_g(fake)`: −E log σ(l_fake), of logits."""
    check_loss(answer, "loss_g", logistic_g, {
        "That is the saturating loss, E log(1 − D): the other one, of Eq. 1": lambda fake: -F.softplus(fake).mean(),
        "That is what D descends on, −E log(1 − D): G would learn to be caught": lambda fake: F.softplus(fake).mean(),
        "That is the negative of it: G would learn to be caught": lambda fake: -logistic_g(fake),
        "That is the sum over the points; take the mean": lambda fake: F.softplus(-fake).sum(),
        "That is −log of the mean of D; the logarithm comes first": lambda fake: -fake.sigmoid().mean().log(),
        "That is 1 − E D, without the logarithm": lambda fake: 1 - fake.sigmoid().mean(),
        "That is the mean logit without σ and log": lambda fake: -fake.mean(),
    }, _logits(5, 2), exact=True)
    return say("loss_g: value and slopes are right, also where D is sure of a fake.")
