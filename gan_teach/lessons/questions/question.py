"""A question with choices: every choice carries its reason, right or wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A multiple-choice question with one right choice."""

    text: str
    choices: tuple[str, ...]   # short: a choice is one line
    reasons: tuple[str, ...]   # one for each choice
    right: int                 # index of the right choice
