"""Chapter 3's exercises: the checks, given right answers and usual wrong ones."""

import math

import pytest
import torch
import torch.nn.functional as F

from gan_teach import egan
from gan_teach.egan import interpolation, over_seeds
from gan_teach.egan.child import slope
from gan_teach.lessons import exercises
from gan_teach.lessons.checks import (
    check_fitness,
    check_heuristic,
    check_least_squares,
    check_minimax,
    check_mutation,
    check_paired,
    check_select,
    check_slopes,
    check_spherical,
)
from gan_teach.lessons.checks.egan_further import equally_loud

LOSSES = check_minimax, check_heuristic, check_least_squares
ALL = *LOSSES, check_slopes, check_fitness, check_select, check_paired, check_spherical, check_mutation


def fitness(D, real, fake, gamma, sign=-1, fold=lambda g: sum(p.square().sum() for p in g).sqrt().log(),
            loss=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
            quality=lambda fake: fake.sigmoid().mean()):
    gradient = torch.autograd.grad(loss(D(real), D(fake)), list(D.parameters()))
    q, d = quality(D(fake)).item(), sign * float(fold(gradient))
    return q, d, q + gamma * d


def select(scores, mu):
    return sorted(range(len(scores)), key=lambda i: scores[i].total, reverse=True)[:mu]


@pytest.mark.parametrize("check, answer", [
    *zip(LOSSES, (egan.minimax, egan.heuristic, egan.least_squares)), (check_fitness, egan.fitness),
    (check_fitness, fitness), (check_select, egan.select), (check_select, select),
    (check_select, lambda s, mu: torch.tensor([f.total for f in s]).argsort(descending=True, stable=True)[:mu]),
])
def test_a_right_answer_is_accepted(said, check, answer):
    text = said(check, answer)
    assert text.startswith("✓") and "remark" not in text


def by_autograd(p):
    """The slopes of the package's own mutations."""
    return [slope(m, torch.tensor([p]).logit()) for m in (egan.minimax, egan.heuristic, egan.least_squares)]


@pytest.mark.parametrize("answer", [by_autograd, lambda p: torch.cat(by_autograd(p))])
def test_the_slopes_by_hand_are_those_of_the_mutations(said, answer):
    assert said(check_slopes, answer).startswith("✓")


@pytest.mark.parametrize("answer, words", [
    (lambda p: (-p / 2, -(1 - p) / 2), "shape: for one p the answer is three numbers"),
    (lambda p: (-0.5 / (1 - p), -0.5 / p, 2 * (p - 1)), "of minimax is −0.0500; yours is −0.5556 (that is the slope"),
    (lambda p: (p / 2, (1 - p) / 2, 2 * p * (1 - p) ** 2), "the sign"),
    (lambda p: (-p / 2, p - 1, -2 * p * (1 - p) ** 2), "of heuristic is −0.4500; yours is −0.9000 (the ½"),
    (lambda p: (-(1 - p) / 2, -p / 2, 0), "that is heuristic's"),
    (lambda p: (-p / 2, -(1 - p) / 2, -p * (1 - p) ** 2), "least squares is −0.1620; yours is −0.0810 (that is half"),
    (lambda p: (-p / 2, -(1 - p) / 2, -0.162), "where D(G(z)) = 0.5"),
    (lambda p: (math.nan,) * 3, "yours is +nan"),
    (lambda p: 0.1, "shape"),
])
def test_what_is_wrong_with_a_slope_is_named(wrong, answer, words):
    wrong(check_slopes, answer, words)


@pytest.mark.parametrize("check, answer", [
    (check_minimax, lambda logits: 0.5 * torch.log(1 - torch.sigmoid(logits)).mean()),
    (check_heuristic, lambda logits: -0.5 * torch.log(torch.sigmoid(logits)).mean())])
def test_a_logarithm_that_overflows_is_right_with_a_remark(said, check, answer):
    text = said(check, answer)
    assert text.startswith("✓") and "logarithm is infinite" in text


@pytest.mark.parametrize("check", ALL)
def test_an_error_of_the_learner_is_told(said, check):
    assert "your function stopped with NameError" in said(check, lambda *args: nowhere)   # noqa: F821


def in_place(logits):
    with torch.no_grad():
        logits.clamp_(-1, 1)
    return egan.minimax(logits)


def right_value_wrong_slope(logits):
    D = logits.sigmoid()
    return egan.least_squares(logits).detach() + D.mean() - D.mean().detach()


@pytest.mark.parametrize("check, answer, words", [
    (check_minimax, lambda v: torch.log(1 - v.sigmoid()).mean(), "The ½ is missing"),
    (check_minimax, lambda v: -0.5 * torch.log(1 - v.sigmoid()).mean(), "The sign is wrong: that pushes"),
    (check_minimax, lambda v: F.softplus(v).mean(), "D's own loss"),
    (check_minimax, egan.heuristic, "the heuristic mutation"),
    (check_minimax, lambda v: 0.5 * v.sigmoid().log().mean(), "½ E log D"),
    (check_minimax, lambda v: -0.5 * F.softplus(v).sum(), "a sum"),
    (check_minimax, lambda v: 0.5 * (1 - v.sigmoid().mean()).log(), "the logarithm of the mean"),
    (check_minimax, lambda v: -0.5 * F.softplus(v), "shape: a loss is one number; yours has 4"),
    (check_minimax, lambda v: -0.5 * F.softplus(v).mean(0, keepdim=True), "yours has the shape (1,). Leave out"),
    (check_minimax, lambda v: torch.log(1 - v).mean(), "is nan"),
    (check_minimax, lambda v: egan.minimax(v).item(), "must be a tensor, to be derived; yours is a float"),
    (check_minimax, lambda v: egan.minimax(v).detach(), "nothing flows back"),
    (check_minimax, in_place, "purity: your function changed the logits"),
    (check_heuristic, lambda v: F.softplus(-v).mean(), "The ½ is missing"),
    (check_heuristic, lambda v: -0.5 * F.softplus(-v).mean(), "The sign is wrong"),
    (check_heuristic, egan.minimax, "the minimax mutation"),
    (check_heuristic, lambda v: 0.5 * F.softplus(v).mean(), "−½ E log(1 − D)"),
    (check_heuristic, lambda v: 0.5 * F.softplus(-v).sum(), "a sum"),
    (check_heuristic, lambda v: -0.5 * v.sigmoid().mean().log(), "the logarithm of the mean"),
    (check_heuristic, lambda v: 1.0 + egan.heuristic(v), "off by +1.0000"),
    (check_least_squares, lambda v: (v - 1).square().mean(), "squares the logits"),
    (check_least_squares, lambda v: 0.5 * (v.sigmoid() - 1).square().mean(), "There is no ½"),
    (check_least_squares, lambda v: v.sigmoid().square().mean(), "distance from 0"),
    (check_least_squares, lambda v: -(v.sigmoid() - 1).square().mean(), "The sign is wrong"),
    (check_least_squares, lambda v: (v.sigmoid().mean() - 1) ** 2, "the square of the mean"),
    (check_least_squares, lambda v: (1 - v.sigmoid()).mean(), "the distance itself"),
    (check_least_squares, lambda v: (v.sigmoid() - 1).square().sum(), "a sum"),
    (check_least_squares, right_value_wrong_slope, "gradient: the value is right, but where D = "),
])
def test_what_is_wrong_with_a_loss_is_named(wrong, check, answer, words):
    wrong(check, answer, words)


def test_the_slope_that_is_named_is_the_slope(said):
    """−2 D (1 − D)² / N where it differs most from the wrong answer's D (1 − D) / N: among D = 0.05, 1/3, 0.5, 0.9."""
    text = said(check_least_squares, right_value_wrong_slope)
    worst = max((0.05, 1 / 3, 0.5, 0.9), key=lambda D: abs(-2 * D * (1 - D) ** 2 - D * (1 - D)))
    assert f"where D = {worst:.2f}" in text
    assert f"should be −{2 * worst * (1 - worst) ** 2 / 4:.4f} and is {worst * (1 - worst) / 4:+.4f}" in text


def by_backward(D, real, fake, gamma):
    loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
    loss.backward()
    d = -sum(p.grad.square().sum() for p in D.parameters()).sqrt().log()
    q = D(fake).sigmoid().mean()
    return q, d, q + gamma * d


def by_training(D, real, fake, gamma):
    value = fitness(D, real, fake, gamma)
    with torch.no_grad():
        next(D.parameters()).mul_(0.9)
    return value


@pytest.mark.parametrize("answer, words", [
    (lambda *a: fitness(*a, quality=lambda fake: fake.mean()), "the mean of the logits"),
    (lambda *a: fitness(*a, quality=lambda fake: fake.mean().sigmoid()), "σ of the mean"),
    (lambda *a: fitness(*a, quality=lambda fake: 1 - fake.sigmoid().mean()), "what D rejects"),
    (lambda *a: fitness(*a, quality=lambda fake: F.logsigmoid(fake).mean()), "the mean of log D"),
    (lambda *a: fitness(*a, quality=lambda fake: fake.sigmoid().sum()), "a sum, not a mean"),
    (lambda D, x, y, gamma: (D(x).sigmoid().mean(), *fitness(D, x, y, gamma)[1:]), "the quality of the real ones"),
    (lambda *a: fitness(*a, sign=1), "+log: the authors' PyTorch code had this sign until 2020"),
    (lambda *a: fitness(*a, fold=lambda g: sum(p.square().sum() for p in g).log()), "the root is missing"),
    (lambda *a: fitness(*a, sign=1, fold=lambda g: sum(p.square().sum() for p in g).sqrt()), "without the logarithm"),
    (lambda *a: fitness(*a, fold=lambda g: sum(p.square().sum() for p in g).sqrt()), "the logarithm is missing"),
    (lambda *a: fitness(*a, loss=lambda real, fake: F.softplus(fake).mean() + 0 * real.sum()), "the fake half alone"),
    (lambda *a: fitness(*a, loss=lambda real, fake: F.softplus(-real).mean() + 0 * fake.sum()), "the real half alone"),
    (lambda *a: fitness(*a, loss=lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2),
     "half the loss"),
    (lambda *a: fitness(*a, loss=lambda real, fake: F.softplus(real).mean() + F.softplus(-fake).mean()),
     "with real and fake exchanged"),
    (lambda *a: fitness(*a, fold=lambda g: torch.cat([p.flatten() for p in g]).square().mean().sqrt().log()),
     "the mean of the squares"),
    (lambda *a: fitness(*a, fold=lambda g: sum(p.norm() for p in g).log()), "a sum of the norms of each tensor"),
    (lambda *a: fitness(*a)[:2] + (sum(fitness(*a)[:2]),), "Do you use gamma?"),
    (lambda *a: fitness(*a)[:2] + (0.0,), "total: F = F_q + γ F_d is"),
    (lambda D, x, y, gamma: fitness(D, x, y, 0.3), "with γ = 0 the total is the quality"),
    (lambda *a: fitness(*a)[:2], "three numbers, (quality, diversity, total); yours has 2"),
    (lambda *a: fitness(*a)[2], "yours is a float"),
    (by_backward, "purity: `backward` leaves gradients behind"),
    (by_training, "purity: your function changed D's weights"),
])
def test_what_is_wrong_with_a_fitness_is_named(wrong, answer, words):
    wrong(check_fitness, answer, words)


def sort_in_place(scores, mu):
    scores.sort(key=lambda f: f.total, reverse=True)
    return list(range(mu))


def each_total_once(scores, mu):
    number = {f.total: i for i, f in enumerate(scores)}
    return [number[t] for t in sorted(number, reverse=True)][:mu]


@pytest.mark.parametrize("answer, words", [
    (lambda s, mu: sorted(range(len(s)), key=lambda i: s[i].total)[:mu], "That keeps the worst"),
    (lambda s, mu: sorted(range(len(s)), key=lambda i: -s[i].quality)[:mu], "That goes by quality"),
    (lambda s, mu: sorted(range(len(s)), key=lambda i: -s[i].diversity)[:mu], "That goes by diversity"),
    (lambda s, mu: sorted((f.total for f in s), reverse=True)[:mu], "totals, not numbers of children"),
    (lambda s, mu: sorted(s, key=lambda f: -f.total)[:mu], "those are scores"),
    (lambda s, mu: sorted(select(s, mu)), "the best comes first: [3, 1]; yours are [1, 3]"),
    (lambda s, mu: select(s, 1), "for mu = 2 the answer is 2 numbers; yours has 1"),
    (lambda s, mu: select(s, len(s)), "yours has 5"),
    (lambda s, mu: select(s, 2), "for mu = 1 the answer is 1 number; yours has 2"),
    (lambda s, mu: list(range(mu)), "That goes by quality"),
    (lambda s, mu: [3, 0, 1][:mu], "the survivors are [3, 1], yours [3, 0]"),
    (sort_in_place, "purity: your function changed the list of scores"),
    (each_total_once, "Equal totals are still two children"),
])
def test_what_is_wrong_with_a_selection_is_named(wrong, answer, words):
    wrong(check_select, answer, words)


def test_the_last_hints_are_right():
    """What the last hint of each loss writes out is the package's function."""
    logits = torch.tensor([-3.0, 0.2, 4.0])
    for name in ("minimax", "heuristic", "least_squares"):
        code = exercises.HINTS[name][-1].split("`")[-2].rstrip(".")
        assert math.isclose(eval(code, {"F": F, "logits": logits}), getattr(egan, name)(logits), rel_tol=1e-6)


# ------------------------------------------------------------------------------------------ the second half

def paired(a, b, deviation=lambda d: torch.tensor(d).double().std().item(), root=math.sqrt):
    d = [x - y for x, y in zip(a, b)]
    return sum(d) / len(d), deviation(d) / root(len(d)), sum(x < 0 for x in d)


def slerp(z1, z2, alpha, turn=lambda alpha: alpha):
    omega = torch.cosine_similarity(z1, z2, dim=-1, eps=0)[..., None].arccos()
    alpha = turn(torch.as_tensor(alpha)[..., None])
    return (((1 - alpha) * omega).sin() * z1 + (alpha * omega).sin() * z2) / omega.sin()


def one_angle(z1, z2, alpha):
    """Ω of the whole batch, for every row."""
    omega = torch.cosine_similarity(z1.flatten(), z2.flatten(), dim=0).arccos()
    return (((1 - alpha[:, None]) * omega).sin() * z1 + (alpha[:, None] * omega).sin() * z2) / omega.sin()


def line(z1, z2, alpha):
    return interpolation.linear(z1, z2, alpha)


@pytest.mark.parametrize("check, answer", [
    (check_paired, paired), (check_paired, over_seeds.paired), (check_paired, lambda a, b: torch.tensor(paired(a, b))),
    (check_spherical, slerp), (check_spherical, interpolation.spherical), (check_mutation, equally_loud),
    *((check_mutation, loss) for loss in (egan.minimax, egan.heuristic, egan.least_squares)),
    (check_mutation, lambda v: (2 - v).relu().mean()), (check_mutation, lambda v: (v - 1).square().mean()),
    (check_mutation, lambda v: -v.sort().values[:max(1, len(v) // 10)].mean())])
def test_a_right_answer_of_the_second_half_is_accepted(said, check, answer):
    assert said(check, answer).startswith("✓")


@pytest.mark.parametrize("check, answer, words", [
    (check_paired, lambda a, b: paired(b, a), "The sign: it is a − b"),
    (check_paired, lambda a, b: paired(a, b, root=lambda n: 1), "the standard deviation"),
    (check_paired, lambda a, b: paired(a, b, root=lambda n: n), "s / n"),
    (check_paired, lambda a, b: paired(a, b, lambda d: torch.tensor(d).std(correction=0).item()), "n in place of"),
    (check_paired, lambda a, b: (paired(a, b)[0], math.hypot(*(torch.tensor(x).double().std() for x in (a, b)))
                                 / math.sqrt(5), 4), "no pairs"),
    (check_paired, lambda a, b: (*paired(a, b)[:2], 1), "That is how often b is lower"),
    (check_paired, lambda a, b: (*paired(a, b)[:2], 3), "in 4 of these five seeds; yours says 3"),
    (check_paired, lambda a, b: paired(a, b)[:2], "three numbers"),
    (check_paired, lambda a, b: (a.sort(), *paired(a, b))[1:], "purity"),
    (check_spherical, line, "That is the straight line"),
    (check_spherical, lambda a, b, t: slerp(b, a, t), "You walk from z2 to z1"),
    (check_spherical, lambda a, b, t: slerp(a, b, t / 2), "at α = 1 you must stand at z2"),
    (check_spherical, lambda a, b, t: 10 * torch.nn.functional.normalize(line(a, b, t), dim=-1), "a quarter of Ω"),
    (check_spherical, lambda a, b, t: slerp(a, b, t, lambda x: x.square() * (1.5 - x) * 2), "a quarter of Ω"),
    (check_spherical, lambda a, b, t: slerp(a, b, t.mean()), "each row has its own"),
    (check_spherical, one_angle, "each row has its own Ω"),
    (check_spherical, lambda a, b, t: slerp(a, b, t).norm(), "shape"),
    (check_spherical, lambda a, b, t: slerp(a, b, t) + a.mul_(1.0001).mean() * 0, "purity"),
    (check_mutation, lambda v: v.mean(), "sign: G descends"),
    (check_mutation, lambda v: -v, "yours has 4. Take the mean"),
    (check_mutation, lambda v: -v.mean().item(), "yours is a float"),
    (check_mutation, lambda v: -v.detach().mean(), "nothing flows back"),
    (check_mutation, lambda v: (v * 0).mean(), "its slope is 0"),
    (check_mutation, lambda v: -v.log().mean(), "it is nan"),
    (check_mutation, in_place, "purity"),
])
def test_what_is_wrong_in_the_second_half_is_named(wrong, check, answer, words):
    wrong(check, answer, words)
