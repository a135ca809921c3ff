"""The warm-up's exercises: the loss of D, and the non-saturating loss of G. See `exercises`."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from ..language import say
from .exercises import HINTS, SOLUTIONS, Wrong, ask, that_is, unchanged, verdict

SOLUTIONS.update({"loss_d": ("gan_teach.networks.losses", "logistic_d"),
                  "loss_g": ("gan_teach.networks.losses", "logistic_g")})

HINTS.update({
    "loss_d": (
        "`real` and `fake` are logits l. `torch.sigmoid` makes probabilities D of them, `torch.log` their logarithms.",
        "Two terms, each a mean over its own points: −log D of the real ones, −log (1 − D) of the generated ones.",
        "−log σ(l) is `F.softplus(-l)`, and −log (1 − σ(l)) is `F.softplus(l)`: no overflow, however sure D is.",
    ),
    "loss_g": (
        "G wants D to call its points real. It sees `fake` alone: no real point appears in its loss.",
        "The mean of −log D over the generated points: small where D says 1.",
        "−log σ(l) is `F.softplus(-l)`; take the mean over the points.",
    ),
})


def _logits(n: int, seed: int) -> torch.Tensor:
    return (2 * torch.randn(n, generator=torch.Generator().manual_seed(seed))).requires_grad_(True)


def _loss(answer: Callable, *logits: torch.Tensor) -> torch.Tensor:
    """One number that a gradient can flow from."""
    before = [each.detach().clone() for each in logits]
    value = ask(answer, *logits)
    for now, was in zip(logits, before):
        unchanged(say("the logits"), now.detach(), was)
    size = torch.as_tensor(value).numel()
    if size != 1:
        raise Wrong(say("shape: a loss is one number, yours has {size}. Take the mean over the points.", size=size))
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        raise Wrong(say("gradient: no gradient flows from what you return. Stay with torch, without `.item()`, "
                        "`float()` or `.detach()`."))
    return value


def _compare(value: torch.Tensor, right: float, slips: dict[str, float]) -> None:
    value = float(value.detach())
    if not abs(value - right) < 1e-4:
        slip = that_is(name for name, at in slips.items() if abs(value - at) < 1e-4)
        raise Wrong(say("value: for these logits the loss is {right:.4f}; yours is {value:.4f}.{slip}",
                        right=right, value=value, slip=slip))


def _compare_gradients(value: torch.Tensor, logits: list[torch.Tensor], right: list[torch.Tensor]) -> None:
    grads = torch.autograd.grad(value, logits, allow_unused=True)
    for grad, want in zip(grads, right):
        off = math.inf if grad is None else float((grad - want).abs().max())
        if not off < 1e-5:
            raise Wrong(say("gradient: the value is right, but its slopes are not, by up to {off:.3g}. Is a part of "
                            "it detached?", off=off))


def _sure(answer: Callable, logits: list[torch.Tensor], right: float) -> None:
    """A D that is very sure: log(σ(−200)) is −∞ in float32."""
    value = float(_loss(answer, *logits).detach())
    if not abs(value - right) < 1e-2:
        raise Wrong(say("overflow: right, until D is very sure. At logits of ±200 the loss is {right:g}, yours "
                        "{value:g}: σ is rounded to 0 or 1 before the logarithm. Try F.softplus; see the last hint.",
                        right=right, value=value))


@verdict
def check_loss_d(answer: Callable) -> str:
    """Check `loss_d(real, fake)`: −E log σ(l_real) − E log(1 − σ(l_fake)), of logits; as many or not."""
    real, fake = _logits(6, 0), _logits(4, 1)
    value = _loss(answer, real, fake)
    with torch.no_grad():
        on_real, on_fake = F.softplus(-real).mean().item(), F.softplus(fake).mean().item()
        _compare(value, on_real + on_fake, {
            "the loss upside down: D would learn to call fakes real": (F.softplus(real).mean()
                                                                     + F.softplus(-fake).mean()).item(),
            "the negative of it: D would learn to be wrong": -on_real - on_fake,
            "the sum over the points; take means": (F.softplus(-real).sum() + F.softplus(fake).sum()).item(),
            "the term of the real points alone": on_real,
            "the term of the generated points alone": on_fake,
            "half of it": (on_real + on_fake) / 2,
            "one mean over all points; each kind has its own": torch.cat([F.softplus(-real), F.softplus(fake)])
                                                                    .mean().item(),
            "both with −log D; for generated points it is −log (1 − D)": on_real + F.softplus(-fake).mean().item(),
            "a loss without logarithms": (2 - real.sigmoid().mean() - 1 + fake.sigmoid().mean()).item(),
            "the sum without σ: real and fake are logits": -real.mean().item() + fake.mean().item(),
        })
        slopes = [-(1 - real.sigmoid()) / len(real), fake.sigmoid() / len(fake)]
    _compare_gradients(value, [real, fake], slopes)
    sure = [torch.tensor([at], requires_grad=True) for at in (-200.0, 200.0)]
    _sure(answer, sure, 400.0)
    return say("loss_d: value and slopes are right, also where D is very sure, and very wrong.")


@verdict
def check_loss_g(answer: Callable) -> str:
    """Check `loss_g(fake)`: −E log σ(l_fake), of logits."""
    fake = _logits(5, 2)
    value = _loss(answer, fake)
    with torch.no_grad():
        right = F.softplus(-fake).mean().item()
        _compare(value, right, {
            "the saturating loss, E log(1 − D): the other one, of Eq. 1": -F.softplus(fake).mean().item(),
            "what D descends on, −E log(1 − D): G would learn to be caught": F.softplus(fake).mean().item(),
            "the negative of it: G would learn to be caught": -right,
            "the sum over the points; take the mean": F.softplus(-fake).sum().item(),
            "−log of the mean of D; the logarithm comes first": -fake.sigmoid().mean().log().item(),
            "1 − E D, without the logarithm": 1 - fake.sigmoid().mean().item(),
            "the mean logit without σ and log": -fake.mean().item(),
        })
        slopes = [-(1 - fake.sigmoid()) / len(fake)]
    _compare_gradients(value, [fake], slopes)
    _sure(answer, [torch.tensor([-200.0], requires_grad=True)], 200.0)
    return say("loss_g: value and slopes are right, also where D is sure of a fake.")
