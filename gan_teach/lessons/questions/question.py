"""A question with choices, each with its reason, right or wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A multiple-choice question with one right choice."""

    text: str
    answers: tuple[tuple[str, str], ...]    # a choice, which is one short line, and its reason
    right: int                              # index of the right one
