"""The language of what a reader sees: English, as it stands in the code, or one that has a file in locale/.

    from ..language import say
    say("One of {n} units.", n=64)
    told("unit 12")                                  # what a notebook's code made: by its template, "unit {u}"

The language is $GAN_TEACH_LANG (such as zh), or else that of the notebook's edition (its `banner` says it), or of the
folder where it runs (notebooks/zh), or English; `use("zh")` changes it. A file of locale/ has gettext's own format,
.po, which any translator's editor opens. It is read as it is, so nothing is compiled; `python tests/translate.py` keeps
it whole.
"""

import ast
import os
import re
import string
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
ENGLISH = "en"

_texts: dict[str, str] = {}
_templates: list[tuple[list[str], re.Pattern, str]] | None = None      # made when the first is asked for
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
    _texts = {} if chosen == ENGLISH else catalogue(FOLDER / f"{chosen}.po") | {"": ""}       # without its header
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
    texts too, are told likewise. Of lines, columns, lists and a word before numbers each part is told, and columns stay
    where they are. What was made from none of them stays as it is.
    """
    text = str(text)
    if _language == ENGLISH or not re.search("[A-Za-z]{2}", text):
        return text
    if "; " in text and (there := _made(text, "; ") or _list(text, "; ")):      # of the whole, or of each part its own
        return there
    if text != text.strip() and text not in _texts:             # first what stands between the spaces
        return _fit(text)
    if made := _made(text):
        return made
    if "\n" in text:
        return "\n".join(map(told, text.split("\n")))
    return _columns(text) or _list(text, ", ") or text


def _made(text: str, sign: str = "") -> str | None:
    """One of the file's texts, or what was made from one by putting values in; else None. sign: in the text itself."""
    global _templates
    if there := _texts.get(text) or _texts.get(text.replace("_", " ")):     # a function's name
        return there
    if _templates is None:
        _templates = [([literal for literal, *_ in _parts(made)], _pattern(made), _texts[made])
                      for made in sorted(_texts, key=_words, reverse=True)
                      if "{" in made and _texts[made] and _words(made) > 1]
    for literals, pattern, there in _templates:
        if any(sign in one for one in literals) and all(one in text for one in literals) and (
                found := pattern.fullmatch(text)):
            # the values are in the text as they are to be seen: their format was theirs in English
            return re.sub(r"\{(\w+)(?::([<>^]?)(\d+))?[^{}]*\}",
                          lambda place, of=found: _fit(of[place[1]], place[3], place[2] == ">"), there)
    return None


def _columns(text: str) -> str | None:
    """Fields with two spaces or more between them, or a word before numbers, each told and where it was; else None."""
    fields = re.split(r"( {2,})", text)
    if len(fields) == 1:
        row = re.fullmatch(r"(.*?[A-Za-z)])(:? )([^A-Za-z]*)", text)
        return told(row[1]) + row[2] + row[3] if row and told(row[1]) != row[1] else None
    made, at = "", 0
    for field, gap in zip(fields[::2], [*fields[1::2], ""]):
        at += wide(field) + len(gap)
        made += pad(told(field), at - wide(made) - 2) + "  " if gap else told(field)
    return made


def _list(text: str, comma: str) -> str | None:
    """Things with a semicolon or comma between them, if all can be told but what a number follows; else None."""
    parts = [(part, told(part)) for part in text.split(comma)] if comma in text else []
    if any(here != there for here, there in parts) and all(
            here != there or re.fullmatch(r"[a-z_ ]+ [^A-Za-z]*\d[^A-Za-z]*|[^A-Za-z]*", here)
            for here, there in parts):
        return (_texts.get(comma) or comma).join(there for _, there in parts)
    return None


def _fit(value: str, width: str | None = None, to_the_right: bool = False) -> str:
    """What stands in a template's place, or between spaces, told; as wide as before where the spaces made a column."""
    bare = value.strip()
    names = bare not in _texts and re.fullmatch(r"[\w-]+(, [\w-]+)+", bare)       # to choose from: "tree, sky"
    there = bare if names else told(bare)
    if not width and value != bare and (value in _texts or there == bare) and (made := _made(value)):
        return made
    if there == bare:
        return value
    if width:
        return pad(there, int(width), to_the_right)
    if value[-1] == " " or value[0] == " " not in bare:
        return pad(there, len(value), value[-1] != " ")
    return value[:value.index(bare)] + there


def wide(text: str) -> int:
    """How many letters wide a text is where code is read: there a Chinese sign takes 5/3 of a Latin letter."""
    return round(sum(5 / 3 if ord(sign) > 0x2e7f else 1 for sign in text))


def minus(text: str) -> str:
    """A text whose numbers below 0 have the sign that is as wide as a plus."""
    return re.sub(r"(?<!\w)-(?=\.?\d)", "−", text)


def typeset(text: str) -> str:
    """A title, a legend or a table's cell: `minus`, and a name of the code in words, least_squares as least squares."""
    return minus(re.sub("(?<=[a-z])_(?=[a-z])", " ", text))


def pad(text: object, width: int, to_the_right: bool = False) -> str:
    """A text for a column so many letters wide: `f"{text:<{width}}"`, but for Chinese signs too.

    Three of them are five letters; so their number is filled up to threes with blanks of their own width, U+3000.
    """
    text = str(text)
    blanks = "\u3000" * (-sum(sign > "\u2e7f" for sign in text) % 3)
    blanks = blanks if wide(text + blanks) <= width else ""
    spaces = " " * (width - wide(text + blanks))
    return spaces + blanks + text if to_the_right else text + blanks + spaces


def columns(*cells: tuple[object, int]) -> str:
    """A line of a table: each text said, in a column so many letters wide; at its left where the width is below 0."""
    line, at = "", 0
    for text, width in cells:
        text, at = say(str(text)), at + abs(width)
        line += pad(text, at - wide(line), width > 0)
    return line


def _words(made: str) -> int:
    """How many letters of a template are its own."""
    return sum(sign.isalpha() for literal, *_ in _parts(made) for sign in literal)


def _pattern(made: str) -> re.Pattern:
    seen: set[str] = set()
    # "{n} of {all}": then a value is one word, or any text were one; but what a semicolon leads to may be more
    few = _words(made) < 4 and not any(re.search("[A-Z_]", literal) for literal, *_ in _parts(made))

    def place(name: str, least: str, literal: str) -> str:
        new = name not in seen
        seen.add(name)
        value = r" *\S*? *" if few and not least and literal != "; " else f".{{{least or 0},}}?"
        return f"(?P<{name}>{value})" if new else f"(?P={name})"

    begins = "(?! )" if made[0] == "{" else ""
    return re.compile(begins + "".join(re.escape(literal) + (place(name, least, literal) if name else "")
                                       for literal, name, least in _parts(made)), re.DOTALL)


def _parts(made: str) -> list[tuple[str, str | None, str]]:
    """Its literals, each with the name and the least width of the place behind it; [] for what is no template."""
    try:
        parts = [(literal, name, re.match(r"[<>^]?(\d*)", spec or "")[1])
                 for literal, name, spec, _ in string.Formatter().parse(made)]
    except ValueError:
        return []
    return parts if all(name is None or name.isidentifier() for _, name, _ in parts) else []


use()
