"""What holds for every exercise: its picture, its check, its hints, its solution."""

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from gan_teach.lessons import checks, exercises

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHECKS = {name.removeprefix("check_"): getattr(checks, name) for name in checks.__all__ if name.startswith("check_")}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("0*.ipynb")), ids=str)
def test_beside_each_function_to_write_stands_a_picture_of_what_to_expect(path):
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    asked = [(before, text) for before, (kind, text) in zip(cells, cells[1:]) if kind == "code" and "def my_" in text]
    assert asked
    for (kind, text), function in asked:
        assert kind == "markdown" and "<img" in text, function


def untouched(*args):
    ...


def half_done(*args):
    numerator = ...
    return numerator / 2


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("answer", [untouched, half_done, lambda *args: ..., ..., None])
def test_an_untouched_answer_is_not_started(said, check, answer):
    assert "not started" in said(check, answer)


def test_every_check_hands_on_under_the_name_of_its_exercise():
    assert set(CHECKS) == set(exercises.HINTS) == set(exercises.SOLUTIONS)


@pytest.mark.parametrize("name", CHECKS)
def test_an_exercise_has_hints_and_the_packages_source_as_solution(capsys, name):
    hints = exercises.HINTS[name]
    for n in range(len(hints) + 2):
        exercises.hint(name, n)
        expected = hints[n - 1] if 1 <= n <= len(hints) else f"{len(hints)} hints"
        assert expected in capsys.readouterr().out
    exercises.solution(name)
    source = capsys.readouterr().out                                # a method's too begins at the margin
    assert source.startswith(("def ", "@")) and "return" in source
    assert f"def {re.split('[:.]', exercises.SOLUTIONS[name])[-1]}(" in source


@pytest.mark.parametrize("ask", [exercises.hint, exercises.solution])
def test_an_unknown_exercise_is_told_what_there_is(capsys, ask):
    for name in ("nonsense", ["iou"], {}, 3):
        ask(name)
        assert "iou, ablate" in capsys.readouterr().out


def test_a_hint_is_asked_for_by_its_number(capsys):
    exercises.hint("iou", 1.0)
    assert exercises.HINTS["iou"][0] in capsys.readouterr().out
    for n in ("2", None, 1.5, [1]):
        exercises.hint("iou", n)
        assert 'iou has 3 hints: hint(\'iou\', 1)' in capsys.readouterr().out
    assert exercises.passed(["iou"], len) is len


@pytest.mark.parametrize("fails", [False, True])
def test_gradients_that_an_answer_turns_off_are_on_again_after_it(fails):
    def answer():
        torch.set_grad_enabled(False)
        return 1 // (not fails)

    try:
        with pytest.raises(exercises.Wrong, match="ZeroDivisionError") if fails else nullcontext():
            exercises.ask(answer)
        assert torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
