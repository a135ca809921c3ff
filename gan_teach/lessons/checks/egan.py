"""Chapter 3's exercises: the three mutations and their slopes, the fitness, the selection. See `exercises`."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F

from ...egan.fitness_and_selection import Fitness
from ...egan.mutations import heuristic, least_squares, minimax
from ...language import say
from ..exercises import Wrong, ask, in_words, numbers, that_is, verdict
from .losses import check_loss, four_logits, listed


def slopes(p: float) -> tuple[float, float, float]:
    """∂M/∂l of one sample with D(G(z)) = p; the package leaves it to autograd (`egan.child.slope`)."""
    return -p / 2, -(1 - p) / 2, -2 * p * (1 - p) ** 2


@verdict("gan_teach.egan:minimax",
         "D(G(z)) is `logits.sigmoid()`: N probabilities. E is their mean, `.mean()`.",
         "Half the mean of log(1 − D). It is negative; lower is better for G.",
         "1 − σ(l) = σ(−l), so `0.5 * F.logsigmoid(-logits).mean()`, which stays exact where D is very sure.")
def check_minimax(answer: Callable) -> str:
    """Check `minimax(logits) -> loss`: ½ E log(1 − D), and its slope −½ D / N at each logit."""
    return check_loss(answer, "minimax", minimax, {
        "The ½ is missing (the authors' code leaves it out too; we keep to the paper)": lambda v: 2 * minimax(v),
        "The sign is wrong: that pushes the pictures away from \"real\"": lambda v: -minimax(v),
        "The sign is wrong, and the ½ is missing: that is D's own loss": lambda v: -2 * minimax(v),
        "That is the heuristic mutation, with log D": heuristic,
        "That is ½ E log D; it is 1 − D here": lambda v: -heuristic(v),
        "That is a sum; E is a mean": lambda v: len(v) * minimax(v),
        "That is the logarithm of the mean; take the mean of the logarithms":
            lambda v: 0.5 * (1 - v.sigmoid().mean()).log(),
    }, four_logits())


@verdict("gan_teach.egan:heuristic",
         "The same D = σ(l), another logarithm: of D, not of 1 − D.",
         "It is minus half the mean of log D: G wants D large, and a loss is made small.",
         "`-0.5 * F.logsigmoid(logits).mean()`.")
def check_heuristic(answer: Callable) -> str:
    """Check `heuristic(logits) -> loss`: −½ E log D, and its slope −½ (1 − D) / N at each logit."""
    return check_loss(answer, "heuristic", heuristic, {
        "The ½ is missing (the authors' code leaves it out too; we keep to the paper)": lambda v: 2 * heuristic(v),
        "The sign is wrong: that pushes the pictures away from \"real\"": lambda v: -heuristic(v),
        "That is the minimax mutation, with log(1 − D)": minimax,
        "That is −½ E log(1 − D); it is D here": lambda v: -minimax(v),
        "That is a sum; E is a mean": lambda v: len(v) * heuristic(v),
        "That is the logarithm of the mean; take the mean of the logarithms":
            lambda v: -0.5 * v.sigmoid().mean().log(),
    }, four_logits())


@verdict("gan_teach.egan:least_squares",
         "How far is D from 1, the answer \"real\"? Square that, take the mean.",
         "D is the probability σ(l), not the logit.",
         "`(logits.sigmoid() - 1).square().mean()`.")
def check_least_squares(answer: Callable) -> str:
    """Check `least_squares(logits) -> loss`: E (D − 1)², and its slope −2 D (1 − D)² / N at each logit."""
    return check_loss(answer, "least_squares", least_squares, {
        "That squares the logits; D = σ(l) (the authors' later code does that: another mutation)":
            lambda v: (v - 1).square().mean(),
        "There is no ½ in this one": lambda v: least_squares(v) / 2,
        "That is the distance from 0, from \"fake\"; G wants 1": lambda v: v.sigmoid().square().mean(),
        "The sign is wrong: that pushes the pictures away from \"real\"": lambda v: -least_squares(v),
        "That is the square of the mean; take the mean of the squares": lambda v: (v.sigmoid().mean() - 1).square(),
        "That is the distance itself; square it": lambda v: (1 - v.sigmoid()).mean(),
        "That is a sum; E is a mean": lambda v: len(v) * least_squares(v),
    }, four_logits())


@verdict("gan_teach.lessons.checks.egan:slopes",
         "By the chain rule, ∂M/∂l = ∂M/∂D · ∂D/∂l, and the slope of σ is ∂D/∂l = D (1 − D).",
         "∂M/∂D is −½ / (1 − D) for minimax, −½ / D for heuristic, 2 (D − 1) for least squares.",
         "Multiply each by p (1 − p), and cancel. All three are negative: to lower the loss, raise the logit.")
def check_slopes(answer: Callable) -> str:
    """Check `slopes(p) -> (minimax, heuristic, least squares)`: ∂M/∂l of one sample with D(G(z)) = p."""
    for p in (0.1, 0.5, 0.8):
        by_d = -0.5 / (1 - p), -0.5 / p, 2 * (p - 1)                    # ∂M/∂D
        mine = numbers(ask(answer, p), 3, say("for one p the answer is three numbers, one for each mutation"))
        for name, got, right, unchained in zip(("minimax", "heuristic", "least squares"), mine, slopes(p), by_d):
            if not abs(got - right) < 1e-4:
                slips = {"that is the slope by D; by the logit it has one more factor, ∂D/∂l = D (1 − D)": unchained,
                         "the sign: the loss falls where the logit rises": -right,
                         "the ½ of the loss is missing": 2 * right, "that is half of it": right / 2,
                         "that is heuristic's": -(1 - p) / 2, "that is minimax's": -p / 2}
                slip = next((say(" ({words})", words=say(words)) for words, at in slips.items()
                             if abs(got - at) < 1e-4), "")
                raise Wrong("value: where D(G(z)) = {p}, ∂M/∂l of {name} is {right:+.4f}; yours is {got:+.4f}{slip}.",
                            p=p, name=say(name), right=right, got=got, slip=slip)
    return say("slopes: all three are right, at D(G(z)) = 0.1, 0.5 and 0.8.")


@verdict("gan_teach.egan:fitness",
         "Quality is the mean of D over the fakes: `D(fake).sigmoid().mean()`.",
         "D's loss is `F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()`; `torch.autograd.grad(loss, "
         "list(D.parameters()))` is its gradient, one tensor for each weight of D.",
         "The norm is over all of them together: the root of the sum of all squares. Diversity is −log of it; total is "
         "quality + gamma · diversity.")
def check_fitness(answer: Callable) -> str:
    """Check `fitness(D, real, fake, gamma) -> (quality, diversity, total)`; D is left alone (Eq. 7)."""
    draw = torch.Generator().manual_seed(0)
    D = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)).double()
    with torch.no_grad():
        for p in D.parameters():
            p.copy_(torch.randn(p.shape, generator=draw, dtype=torch.float64))
    real, fake = (torch.randn(n, 2, generator=draw, dtype=torch.float64) for n in (6, 4))
    before = [p.detach().clone() for p in D.parameters()]

    def grad(loss: Callable[..., torch.Tensor]) -> list[torch.Tensor]:
        return list(torch.autograd.grad(loss(D(real), D(fake)), list(D.parameters()), materialize_grads=True))

    value = ask(answer, D, real, fake, 0.3)
    if any(not torch.equal(p, was) for p, was in zip(D.parameters(), before)):
        raise Wrong("purity: your function changed D's weights. Judging is not training.")
    if any(p.grad is not None for p in D.parameters()):
        raise Wrong("purity: `backward` leaves gradients behind in D, and D's next step would count them. Use "
                    "`torch.autograd.grad`.")
    quality, diversity, total = numbers(value, 3, say("the fitness is three numbers, (quality, diversity, total)"))

    with torch.no_grad():
        on_real, on_fake = D(real), D(fake)
    right = float(on_fake.sigmoid().mean())
    if not abs(quality - right) < 1e-5:
        slips = {"the mean of the logits; D = σ(l)": float(on_fake.mean()),
                 "the quality of the real ones": float(on_real.sigmoid().mean()),
                 "σ of the mean; take the mean of σ": float(on_fake.mean().sigmoid()),
                 "1 − D: what D rejects": 1 - right,
                 "the mean of log D": float(F.logsigmoid(on_fake).mean()),
                 "a sum, not a mean": right * len(fake)}
        raise Wrong("quality: F_q = E D(G(z)) is {right:.4f} here; yours is {quality:.4f}, off by {off:+.4f}.{slip}",
                    right=right, quality=quality, off=quality - right, slip=that_is(slips, quality, 1e-5))

    real_half, fake_half = grad(lambda x, y: F.softplus(-x).mean()), grad(lambda x, y: F.softplus(y).mean())
    whole = [a + b for a, b in zip(real_half, fake_half)]

    def norm(parts: list[torch.Tensor]) -> float:
        return math.sqrt(sum(float(p.square().sum()) for p in parts))

    right, count = -math.log(norm(whole)), sum(p.numel() for p in whole)
    if not abs(diversity - right) < 1e-5:
        slips = {"+log: the authors' PyTorch code had this sign until 2020": -right,
                 "−log ‖∇‖²: the root is missing (the authors' first code has it so)": 2 * right,
                 "the norm without the logarithm": norm(whole),
                 "minus the norm; the logarithm is missing": -norm(whole),
                 "the fake half alone; L_D has a real half too": -math.log(norm(fake_half)),
                 "the real half alone; L_D has a fake half too": -math.log(norm(real_half)),
                 "the mean of the squares, not their sum": -math.log(norm(whole) / math.sqrt(count)),
                 "a sum of the norms of each tensor; it is one norm over all of them":
                     -math.log(sum(float(p.norm()) for p in whole)),
                 "the gradient of half the loss; L_D is the sum of its halves": -math.log(norm(whole) / 2),
                 "the gradient of D's loss with real and fake exchanged":
                     -math.log(norm(grad(lambda x, y: F.softplus(x).mean() + F.softplus(-y).mean())))}
        raise Wrong("diversity: F_d = −log ‖∇_D L_D‖ is {right:.4f} here; yours is {diversity:.4f}, off by "
                    "{off:+.4f}.{slip}", right=right, diversity=diversity, off=diversity - right,
                    slip=that_is(slips, diversity, 1e-5))
    right = quality + 0.3 * diversity
    if not abs(total - right) < 1e-5:
        slip = say(" Do you use gamma?") if abs(total - quality - diversity) < 1e-5 else ""
        raise Wrong("total: F = F_q + γ F_d is {right:.4f} for γ = 0.3; yours is {total:.4f}.{slip}", right=right,
                    total=total, slip=slip)
    quality, _, total = numbers(ask(answer, D, real, fake, 0.0), 3, say("three numbers"))
    if not abs(total - quality) < 1e-5:
        raise Wrong("total: with γ = 0 the total is the quality, {quality:.4f}; yours is {total:.4f}.", quality=quality,
                    total=total)
    return say("fitness: quality, diversity and total are right, also for γ = 0; D is left as it was.")


@verdict("gan_teach.egan:select",
         "Each score has a `.total`. The answer is not scores, but the numbers of children: 0, 1, 2 …",
         "`sorted(range(len(scores)), key=…)` sorts the numbers; the key of i is `scores[i].total`.",
         "Largest first: `reverse=True`. Keep the first mu of the list.")
def check_select(answer: Callable) -> str:
    """Check `select(scores, mu)`: the numbers of the mu children with the greatest total, the best first."""
    def rigged(*totals: float) -> list[Fitness]:                  # quality falls, diversity rises: neither decides
        return [Fitness(0.9 - 0.1 * i, i - 2.0, total) for i, total in enumerate(totals)]

    scores = rigged(0.2, 0.7, -0.3, 0.9, 0.5)
    asked = {1: say("for mu = 1 the answer is 1 number"), 2: say("for mu = 2 the answer is 2 numbers"),
             3: say("for mu = 3 the answer is 3 numbers")}
    for mu, right in ((2, [3, 1]), (1, [3]), (3, [3, 1, 4])):
        given = list(scores)
        value = ask(answer, given, mu)
        if given != scores:
            raise Wrong("purity: your function changed the list of scores; a child's number is its place there.")
        chosen = [value] if isinstance(value, int | float) else value
        if any(isinstance(one, tuple) for one in chosen):
            raise Wrong("value: those are scores; the answer is the numbers of the children.")
        chosen = numbers(chosen, mu, asked[mu])
        if chosen == right:
            continue
        if sorted(chosen) == sorted(right):
            raise Wrong("order: these are the right children, but the best comes first: {right}; yours are {chosen}.",
                        right=right, chosen=_whole(chosen))
        slips = {"That keeps the worst": [2, 0, 4][:mu], "That goes by quality": [0, 1, 2][:mu],
                 "That goes by diversity": [4, 3, 2][:mu],
                 "Those are totals, not numbers of children": sorted((s.total for s in scores), reverse=True)[:mu]}
        slip = in_words(slips, lambda at, chosen=chosen: sorted(chosen) == sorted(at))
        raise Wrong("value: the totals are {scores}; for mu = {mu} the survivors are {right}, yours {chosen}.{slip}",
                    scores=listed(s.total for s in scores), mu=mu, right=right, chosen=_whole(chosen), slip=slip)
    value = ask(answer, rigged(0.4, 0.4, 0.1), 2)
    if sorted(numbers(value, 2, asked[2])) != [0, 1]:
        raise Wrong("value: of the totals 0.40, 0.40, 0.10 the first two survive; yours are {value}. Equal totals are "
                    "still two children.", value=_whole(value))
    return say("select: the best children survive, best first, equal ones too; the scores are left alone.")


def _whole(numbers: Sequence[float]) -> list:
    return [int(n) if float(n).is_integer() else n for n in numbers]
