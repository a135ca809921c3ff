"""The language of what a reader sees: English, as it stands in the code, or one that has a file in locale/.

    from ..language import say
    say("One of {n} units.", n=64)
    told("unit 12")                                  # what a notebook's code made: by its template, "unit {u}"

The language is $GAN_TEACH_LANG (such as zh), or else that of the folder where the notebook runs (notebooks/zh), or
English; `use("zh")` changes it. A file of locale/ has gettext's own format, .po, which any translator's editor opens.
It is read as it is, so nothing is compiled; `python tests/translate.py` keeps it whole.
"""

from __future__ import annotations

import ast
import os
import re
import string
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
ENGLISH = "en"

_texts: dict[str, str] = {}
_templates: list[tuple[re.Pattern, str]] | None = None      # made when the first is asked for
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
    global _language, _templates, _texts
    if language is not None and language not in languages():
        raise ValueError(f"no language {language!r}; there are: {', '.join(languages())}")
    if language is not None:
        os.environ["GAN_TEACH_LANG"] = language
    chosen = preferred()
    _texts = {} if chosen == ENGLISH else catalogue(FOLDER / f"{chosen}.po")
    _language, _templates = chosen, None
    return chosen


def current() -> str:
    """The language in use: "en", "zh"."""
    return _language


def say(text: str, /, **values) -> str:
    """The text in the reader's language, with the values put in as `str.format` does; English where it is missing."""
    text = _texts.get(text) or text
    return text.format(**values) if values else text


def told(text: object) -> str:
    """An English text that is made already, such as a caption of a notebook or an error, in the reader's language.

    It is one of the file's texts, or was made from one by putting values in: "unit 12" from "unit {u}". The values,
    texts too, are told likewise, and so is a word before a number. What was made from none of them stays as it is.
    """
    global _templates
    text = str(text)
    if _language == ENGLISH or not re.search("[A-Za-z]{2}", text):
        return text
    if there := _texts.get(text) or _texts.get(text.replace("_", " ")):     # a function's name
        return there
    if _templates is None:
        _templates = [(_pattern(made), _texts[made]) for made in sorted(_texts, key=_words, reverse=True)
                      if "{" in made and _texts[made] and _words(made) > 1]
    for pattern, there in _templates:
        if found := pattern.fullmatch(text):
            # the values are in the text as they are to be seen: their format was theirs in English
            return re.sub(r"\{(\w+)[^{}]*\}", lambda place, of=found: told(of[place[1]]), there)
    word, _, number = text.rpartition(" ")
    return f"{told(word)} {number}" if number.isdecimal() else text


def _words(made: str) -> int:
    """How many letters of a template are its own."""
    return sum(sign.isalpha() for literal, *_ in _parts(made) for sign in literal)


def _pattern(made: str) -> re.Pattern:
    seen: set[str] = set()

    def place(name: str) -> str:
        new = name not in seen
        seen.add(name)
        return f"(?P<{name}>.*?)" if new else f"(?P={name})"

    return re.compile("".join(re.escape(literal) + (place(name) if name else "") for literal, name in _parts(made)),
                      re.DOTALL)


def _parts(made: str) -> list[tuple[str, str | None]]:
    """Its literals, each with the name of the place behind it; [] for what is no template, only has braces."""
    try:
        parts = [(literal, name) for literal, name, *_ in string.Formatter().parse(made)]
    except ValueError:
        return []
    return parts if all(name is None or name.isidentifier() for _, name in parts) else []


use()
