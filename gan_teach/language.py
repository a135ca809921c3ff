"""The language of what a reader sees: English, as it stands in the code, or one that has a file in locale/.

    from ..language import say
    say("One of {n} units.", n=64)

The language is $GAN_TEACH_LANG (such as zh), or else that of the folder where the notebook runs (notebooks/zh), or
English; `use("zh")` changes it. A file of locale/ has gettext's own format, .po, which any translator's editor opens.
It is read as it is, so nothing is compiled; `python tests/translate.py` keeps it whole.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
ENGLISH = "en"

_texts: dict[str, str] = {}
_language = ENGLISH


def languages() -> list[str]:
    """Those there are: "en", "zh"."""
    return [ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.po"))]


def catalogue(path: Path) -> dict[str, str]:
    """English text -> its translation, "" where there is none yet, of a .po file; its header has the key ""."""
    found, pair, at = {}, ["", ""], 1
    for line in [*path.read_text("utf-8").splitlines(), 'msgid ""']:
        if line.startswith('msgid "'):
            found[pair[0]] = pair[1]
            pair, at = ["", ""], 0
        elif line.startswith('msgstr "'):
            at = 1
        if text := re.fullmatch(r'(?:msgid |msgstr )?(".*")', line):
            pair[at] += ast.literal_eval(text[1])
    return found


def preferred() -> str:
    """The language that the environment, or else the notebook's folder, asks for; English for one that is not there."""
    try:
        asked = os.environ.get("GAN_TEACH_LANG") or Path.cwd().name
    except FileNotFoundError:                                           # the folder was deleted
        asked = ENGLISH
    asked = re.split("[-_.]", asked.lower())[0]
    return asked if asked in languages() else ENGLISH


def use(language: str | None = None) -> str:
    """Use a language from here on, or the preferred one; returns it. ValueError for one that is not there.

    A language that is given is preferred from then on. A panel that is shown already keeps its words.
    """
    global _language, _texts
    if language is not None and language not in languages():
        raise ValueError(f"no language {language!r}; there are: {', '.join(languages())}")
    if language is not None:
        os.environ["GAN_TEACH_LANG"] = language
    chosen = preferred()
    _texts = {} if chosen == ENGLISH else catalogue(FOLDER / f"{chosen}.po")
    _language = chosen
    return chosen


def current() -> str:
    """The language in use: "en", "zh"."""
    return _language


def say(text: str, /, **values) -> str:
    """The text in the reader's language, with the values put in as `str.format` does; English where it is missing."""
    text = _texts.get(text) or text
    return text.format(**values) if values else text


use()
