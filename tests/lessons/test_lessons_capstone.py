"""Chapter 4's exercises and questions: the checks, given right answers and usual wrong ones."""

import pytest
import torch

from gan_teach import capstone
from gan_teach.dissection import compare
from gan_teach.lessons.checks import check_beta, check_borrowed, check_forced, check_likeness


def by_mask(y, units, level):
    there = torch.zeros(y[0].shape[1])
    there[list(units)] = 1
    return [y[0] * (1 - there), y[1] * (1 - there) + level * there]


def by_where(y, y2, units):
    there = torch.zeros(y[0].shape[1], dtype=torch.bool)
    there[list(units)] = True
    return tuple(torch.where(there, b, a) for a, b in zip(y, y2))


def by_least_squares(before, mixed, after):
    return torch.stack([torch.linalg.lstsq((after - before)[:, c:c + 1], (mixed - before)[:, c:c + 1]).solution[0, 0]
                        for c in range(before.shape[1])])


def by_corrcoef(a, b):
    return torch.corrcoef(torch.stack([x - x.mean(0) for x in (a, b)]).flatten(1))[0, 1]


@pytest.mark.parametrize("check, answer", [
    (check_forced, capstone.forced), (check_forced, by_mask), (check_borrowed, capstone.borrowed),
    (check_borrowed, by_where), (check_beta, capstone.beta), (check_beta, by_least_squares),
    (check_likeness, compare.likeness), (check_likeness, by_corrcoef)])
def test_a_right_answer_is_accepted(said, check, answer):
    assert said(check, answer).startswith("✓")


def in_place(y, units, level):
    y[0][:, units], y[1][:, units] = 0, level
    return y


def changed(scale, bias, at=lambda units: units):
    def answer(y, units, level):
        y_s, y_b = y[0].clone(), y[1].clone()
        y_s[:, at(units)], y_b[:, at(units)] = scale, bias(level)
        return y_s, y_b
    return answer


@pytest.mark.parametrize("answer, words", [
    (in_place, "purity: your function changed y_s itself (6 of 18 values)"),
    (changed(1.0, lambda level: level), "y_s of the named units must be 0; yours is 1.000. While y_s is not 0"),
    (changed(0.0, lambda level: 0.0), "with level 1.5, y_b of the named units must be 1.5; yours is 0.000"),
    (changed(0.0, lambda level: level, at=lambda units: slice(None)), "units that were not named changed too"),
    (lambda y, units, level: forced_rows(y, units, level), "units that were not named changed too"),
    (lambda y, units, level: capstone.forced(y, units, level)[0],
     "a style is a pair, (y_s, y_b); yours is a Tensor."),
    (lambda y, units, level: [part[:, units] for part in capstone.forced(y, units, level)],
     "y_s, pictures × units, must be (3, 6); yours is (3, 2)"),
    (lambda y, units, level: y[7], "stopped with IndexError"),
])
def test_what_is_wrong_is_named(wrong, answer, words):
    wrong(check_forced, answer, words)


def in_place_2(y, y2, units):
    y[0][:, units] = y2[0][:, units]
    return y


def some(y, y2, units, y_s=True, y_b=True, at=lambda units: units):
    out = [part.clone() for part in y]
    for part, other, wanted in zip(out, y2, (y_s, y_b)):
        if wanted:
            part[:, at(units)] = other[:, at(units)]
    return out


@pytest.mark.parametrize("check, answer, words", [
    (check_borrowed, in_place_2, "purity: your function changed y_s itself (6 of 18 values)"),
    (check_borrowed, lambda y, y2, units: some(y, y2, units, y_b=False), "y_b of the named units must be that of y2. "
                                                                         "They are those of y."),
    (check_borrowed, lambda y, y2, units: some(y, y2[::-1], units), "y_s and y_b are exchanged."),
    (check_borrowed, lambda y, y2, units: some(y, y2, units, at=lambda _: slice(None)), "They too are those of y2."),
    (check_borrowed, lambda y, y2, units: y2[0], "a style is a pair"),
    (check_beta, lambda b, m, a: ((m - b) / (a - b)).mean(0), "That is a mean of ratios"),
    (check_beta, lambda b, m, a: (m - b).sum(0) / (a - b).sum(0), "a ratio of sums"),
    (check_beta, lambda b, m, a: (m * a).sum(0) / a.square().sum(0), "take the differences"),
    (check_beta, lambda b, m, a: 1 / capstone.beta(b, m, a), "upside down"),
    (check_beta, lambda b, m, a: ((m - b) * (a - b)).sum(0), "not divided by"),
    (check_beta, lambda b, m, a: capstone.beta(b, m, a).sum(),
     "shape: β, a slope for each class (a sum over the pairs alone, dim 0), must be (3,)"),
    (check_beta, lambda b, m, a: capstone.beta(b, a, m), "not of the way there was to go"),
    (check_beta, lambda b, m, a: 3 * capstone.beta(b, m, a), "for the first class β is 0."),
    (check_likeness, lambda a, b: torch.corrcoef(torch.stack([a, b]).flatten(1))[0, 1], "was not taken off"),
    (check_likeness, lambda a, b: by_corrcoef(a.T, b.T), "take them over the units, dim 0"),
    (check_likeness, lambda a, b: ((a - a.mean(0)) * (b - b.mean(0))).sum(), "not divided by the sizes"),
    (check_likeness, lambda a, b: (a - b).abs().mean(), "a mean distance"),
    (check_likeness, lambda a, b: (a * b).mean(0), "likeness is one number; yours has 4"),
])
def test_what_is_wrong_in_the_others_is_named(wrong, check, answer, words):
    wrong(check, answer, words)


def forced_rows(y, units, level):
    """Takes pictures for units."""
    y_s, y_b = y[0].clone(), y[1].clone()
    y_s[[1, 2]], y_b[[1, 2]] = 0, level
    return y_s, y_b
