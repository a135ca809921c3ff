"""A multiple-choice quiz from core ipywidgets: choose, and read the reason. `lessons` has the questions."""

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from ..language import say
from ..lessons import progress
from ..lessons.questions import Question
from .controls import column, hooked, html


def quiz(questions: Sequence[Question]) -> widgets.VBox:
    """The questions one below the other, each with the reason for the choice, and the score at the end."""
    boxes = [_ask(number, question) for number, question in enumerate(questions, 1)]
    score, radios = html("gt-score"), [box.children[1] for box in boxes]

    def count(_=None):
        right = sum(radio.index == question.right for radio, question in zip(radios, questions, strict=True))
        score.value = f"<b>{say('{right} of {all} right.', right=right, all=len(questions))}</b>"

    for radio in radios:
        radio.observe(count, "index")
    count()
    return column(*boxes, score)


def _ask(number: int, question: Question) -> widgets.VBox:
    text = widgets.HTML(f"<b>{number}.</b> {escape(say(question.text))}")
    radio = hooked(widgets.RadioButtons(options=[say(choice) for choice, _ in question.answers], index=None,
                                        layout=widgets.Layout(width="auto", max_width="100%")), f"gt-question-{number}")
    reason = html(f"gt-reason-{number}")

    def explain(change):
        if change["new"] is not None:
            right = change["new"] == question.right
            mark = say("✓ Right." if right else "✗ Not quite.")
            progress.record("quiz", question.text, right)
            reason.value = f"<b>{mark}</b> {escape(say(question.answers[change['new']][1]))}"

    radio.observe(explain, "index")
    return column(text, radio, reason, margin="0 0 14px 0")
