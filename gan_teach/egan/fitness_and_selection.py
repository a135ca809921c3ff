"""Evaluation and selection: the fitness F = F_q + γ F_d of a child, and who lives on.

Wang et al. 2018 (arXiv 1803.00657), section 3.3.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..limits import finite, whole
from ..networks.layers import check_finite, check_gradients
from ..networks.protocols import check_alike, check_name
from .child import check_logits, name_of


class Fitness(NamedTuple):
    quality: float      # F_q = E D(G(z)), in [0, 1]
    diversity: float    # F_d = −log ‖∇_D L_D‖; NaN where γ = 0: it was not computed
    total: float        # F = F_q + γ F_d

    @classmethod
    def read(cls, values: Sequence) -> "Fitness":
        """Of three numbers, or tensors of one number, such as a learner's own fitness returns."""
        return cls(*(float(torch.as_tensor(value).detach()) for value in values))

    @classmethod
    def weighed(cls, quality: float, diversity: float, gamma: float) -> "Fitness":
        """F = F_q + γ F_d, from its two parts."""
        return cls(quality, diversity, quality + gamma * diversity)


def fitness(D: nn.Module, real: Tensor, fake: Tensor, gamma: float) -> Fitness:
    """How good are these pictures, and how much would they change D?

        F   = F_q + γ F_d
        F_q = E D(G(z))
        F_d = −log ‖∇_D (−E log D(x) − E log(1 − D(G(z))))‖                                     (Eq. 7)

    The norm is over all weights of D together; D is not changed. In the paper's print ∇_D seems to be
    subtracted: it is the gradient of what follows. The authors' first code adds −β log ‖∇_D‖², so its β is
    γ/2; their PyTorch code had the opposite sign until 2020.

    What F_d measures is how little D would learn from these pictures. That is diversity only as far as D is
    wrong about them: pictures that D rejects with certainty change it little too, and score high. γ = 0 skips
    the gradient. F_d is +∞ where the gradient is 0. real, fake: N×…, not necessarily equally many; ValueError where
    they hold NaN or infinity.
    """
    gamma = finite("gamma", gamma)
    if not callable(D) or gamma and not isinstance(D, nn.Module):
        raise ValueError(f"fitness is judged by a network D, whose weights would learn; got a {type(D).__name__}")
    for what, samples in (("the real samples", real), ("the generated samples", fake)):
        if not check_finite(what, samples).numel():
            raise ValueError(f"{what} are none: there is nothing to judge by")
        if not samples.is_floating_point():
            raise ValueError(f"{what} are floats; got {samples.dtype} (of bytes: x / 127.5 - 1)")
    check_alike(real, fake)
    if gamma:
        check_gradients()
    found = judged(D, real, fake, gamma)
    if math.isnan(found.total):
        raise ValueError("the fitness is NaN: look at the weights of D")
    return found


def judged(D: nn.Module, real: Tensor, fake: Tensor, gamma: float) -> Fitness:
    """`fitness` of samples that were not looked at: NaN becomes a fitness of NaN."""
    if gamma == 0:
        with torch.no_grad():
            quality = float(check_logits(D(fake), len(fake)).sigmoid().mean())
        return Fitness(quality, math.nan, quality)
    logits = check_logits(D(fake), len(fake))
    loss = F.softplus(-D(real)).mean() + F.softplus(logits).mean()
    gradient = torch.autograd.grad(loss, list(D.parameters()), allow_unused=True)
    norm = sum(g.square().sum() for g in gradient if g is not None).sqrt()
    # F_q = E D(G(z)),   F_d = −log ‖∇_D (−E log D(x) − E log(1 − D(G(z))))‖,   F = F_q + γ F_d    (Eq. 7)
    return Fitness.weighed(float(logits.detach().sigmoid().mean()), float(-norm.log()), gamma)


Selection = str | Callable[[Sequence[Fitness]], int | Sequence[int]]
SELECTIONS = ("best", "random", "worst")


def select(scores: Sequence[Fitness], mu: int, rule: Selection = "best",
           draw: torch.Generator | None = None) -> list[int]:
    """The numbers of the μ children that live on; the paper keeps the best by F, and of equals the first.

    rule: "best", or to see what that is worth "random" (by `draw`) and "worst"; or your own function, fitness of every
    child -> μ different numbers of children (for μ = 1 a bare number will do). Raises ValueError for any other answer.
    """
    mu = whole("mu, how many live on,", mu, 1)
    if not callable(rule):
        check_name("selection", rule, SELECTIONS, "a function")
    if not isinstance(scores, Sequence) or not all(isinstance(score, Fitness) for score in scores):
        raise ValueError(f"scores are a list of Fitness, as fitness(D, real, fake, gamma) gives it; got {scores!r:.60}")
    if len(scores) < mu:
        raise ValueError(f"{mu} children are to live on, and there are only {len(scores)} to choose from")
    if callable(rule):
        answer = rule(scores)
        try:
            numbers = torch.as_tensor(answer).flatten().tolist()
            chosen = [int(i) for i in numbers]
        except (TypeError, ValueError, RuntimeError, OverflowError):         # None, a word, NaN
            numbers, chosen = None, []
        if chosen != numbers or not len(chosen) == len(set(chosen)) == mu or not set(chosen) <= {*range(len(scores))}:
            raise ValueError(f"the selection {name_of(rule)!r} answered {answer!r:.60}; wanted {mu} different "
                             f"number(s) from 0 to {len(scores) - 1}")
        return chosen
    if rule == "random":
        return torch.randperm(len(scores), generator=draw)[:mu].tolist()
    if lost := [i for i, score in enumerate(scores) if math.isnan(score.total)]:
        raise ValueError(f"the fitness of child {lost[0]} is NaN: it is neither better nor worse than any other")
    return sorted(range(len(scores)), key=lambda i: scores[i].total, reverse=rule == "best")[:mu]
