"""The quiz questions of every chapter."""

import pytest

from gan_teach.lessons import questions

EVERY = [question for name in questions.__all__ if name.isupper() for question in getattr(questions, name)]


@pytest.mark.parametrize("question", EVERY, ids=lambda asked: asked.text[:30])
def test_every_choice_of_a_question_has_its_reason(question):
    choices, reasons = zip(*question.answers)
    assert len({*choices}) == len({*reasons}) == len(choices) > 1 and question.right in range(len(choices))
    assert max(map(len, choices)) <= 90
