"""What a check says of an answer."""

import pytest


@pytest.fixture
def said(capsys):
    def said(check, answer) -> str:
        check(answer)
        text = capsys.readouterr().out
        assert text.count("\n") == 1
        return text

    return said


@pytest.fixture
def wrong(said):
    def wrong(check, answer, words: str) -> None:
        text = said(check, answer)
        assert text.startswith("✗") and words in text

    return wrong
