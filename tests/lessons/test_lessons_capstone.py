"""Chapter 4's exercise and questions: the check, given right answers and usual wrong ones."""

import pytest
import torch

from gan_teach import capstone
from gan_teach.lessons import checks, questions
from gan_teach.lessons.checks_capstone import check_forced


def said(capsys, answer):
    check_forced(answer)
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    return text


def by_mask(y, units, level):
    there = torch.zeros(y[0].shape[1])
    there[list(units)] = 1
    return [y[0] * (1 - there), y[1] * (1 - there) + level * there]


@pytest.mark.parametrize("answer", [capstone.forced, by_mask])
def test_a_right_answer_is_accepted(capsys, answer):
    assert said(capsys, answer).startswith("✓")


@pytest.mark.parametrize("answer", [lambda *args: ..., lambda *args: None, ..., None])
def test_an_untouched_answer_is_not_started(capsys, answer):
    assert "not started" in said(capsys, answer)


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
     "y_s must stay (3, 6), pictures × units; yours is (3, 2)"),
    (lambda y, units, level: y[7], "stopped with IndexError"),
])
def test_what_is_wrong_is_named(capsys, answer, words):
    text = said(capsys, answer)
    assert text.startswith("✗") and words in text


def forced_rows(y, units, level):
    """Takes pictures for units."""
    y_s, y_b = y[0].clone(), y[1].clone()
    y_s[[1, 2]], y_b[[1, 2]] = 0, level
    return y_s, y_b


def test_hints_and_the_packages_source_as_solution(capsys):
    for n, text in enumerate(checks.HINTS["forced"], start=1):
        checks.hint("forced", n)
        assert text in capsys.readouterr().out
    checks.solution("forced")
    assert "def forced(" in capsys.readouterr().out


@pytest.mark.parametrize("question", questions.CHAPTER_4, ids=lambda asked: asked.text[:30])
def test_every_choice_of_a_question_has_its_reason(question):
    assert len(question.choices) == len(question.reasons) == len({*question.reasons}) > 1
    assert question.right in range(len(question.choices))
    assert max(map(len, question.choices)) <= 90
