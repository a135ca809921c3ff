"""An instructor's notes to a chapter, made from the notebook itself: `gan-teach notes 02`.

A cell's metadata may hold {"gan_teach": {…}}, of which a section (from one `## ` heading to the next) takes
    minutes     how long it lasts in class, with its questions
    path        true: these minutes belong to the path of 50
    answer      what to expect as an answer to its questions
    mistakes    usual mistakes, and what to say to them
Where there is none, the notes have what the reader sees: questions (Predict, Try, Think, Exercise), and the answers
that the chapter opens on a click. All in the reader's language: of its edition, and as its .po file has the metadata.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass, field
from html import unescape

from ..language import current, say
from . import notebooks

KEYS = ("minutes", "path", "answer", "mistakes", "small")        # the last is for `catch_up`
QUESTION = re.compile(r"\*\*(?:(?:Predict|Try|Think|Exercise|Question|A game|Pair)\b|"
                      r"(?:先猜|试一试|想一想|练习|一个游戏|两人一组))[^*]*\*\*")
TIMED = re.compile(r"\s*(?:[(（]\d+ ?(?:minutes?|min|分钟)[)）]|· \d+ ?(?:minutes?|min|分钟))")    # in a heading
BETWEEN = re.compile(r"(?<![:：])\n\s*\n")              # paragraphs; behind a colon a text goes on
EMPHASIS = re.compile(r"\*{1,2}(?=\S)([^*]+?)(?<=\S)\*{1,2}")
SUMMARY = re.compile(r"(?s)<summary>(?:<b>)?(.*?)(?:</b>)?</summary>")
LONG = re.compile(r"(?s)\$\$.+?\$\$")                   # a formula in lines of its own
SHORT = re.compile(r"\$([^$]+)\$")                      # one in a sentence, and the TeX of its signs
SIGNS = {r"\sigma": "σ", r"\alpha": "α", r"\odot": "⊙", r"\leftarrow": "←", r"\,": " ", "{": "", "}": ""}
HOME = re.compile("for home|课后做")                        # in a heading
SPACED = re.compile("(?<=[\u2e80-\uffef]) (?=[\u2e80-\uffef])")      # what set emphasis off between Chinese signs
PATH_MINUTES = 50
# What stays in one line: a word, or a Chinese sign with the points around it.
PIECES = re.compile(r"[“（《]*[\u2e80-\uffef][，。；：、！？）”》…]* ?|[^\s\u2e80-\uffef]+[，。；：、！？）”》…]* ?")


@dataclass
class Section:
    """One section of a chapter, as it is taught."""

    title: str
    minutes: float = 0
    path: float = 0                      # how many of them are on the path of 50 minutes
    questions: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)      # the ids of its cells of code

    def timing(self) -> str:
        """Its minutes, and how many of them are on the path; "" for a section without."""
        on = say("on the path") if self.path == self.minutes else say("{path:g} of them on the path", path=self.path)
        return say(", ").join([say("{n:g} min", n=self.minutes)] * bool(self.minutes) + [on] * bool(self.path))

    def said(self) -> list[tuple[str, str]]:
        """What it asks, what to expect and the mistakes: each text as a `line`, with the word for it."""
        return [(word, line(text))
                for word, texts in ((say("asks"), self.questions), (say("expect"), self.answer),
                                    (say("mistakes"), self.mistakes)) for text in texts]


def sections(cells: list[dict]) -> list[Section]:
    """The sections of a chapter's cells (`notebooks.read`), the part above the first heading among them.

    What a cell's metadata says goes to the first section that the cell opens, or else to the one it lies in.
    ValueError for a key that is not one of `KEYS`.
    """
    found = [Section(say("Opening"))]
    for cell in cells:
        before = len(found)
        if cell["cell_type"] == "markdown":
            for part in re.split(r"(?s)(<details>.*?</details>)", cell["source"]):
                if part.startswith("<details>"):
                    text = re.sub("</?details>", "", SUMMARY.sub("", part)).strip()
                    if title := SUMMARY.search(part):
                        text = LONG.sub(lambda _: title[1], text)       # noqa: B023 (a long formula: by its name)
                    found[-1].answer.append(text)
                    continue
                for paragraph in re.split(BETWEEN, part):
                    if heading := re.match(r"\s*## (.+)", paragraph):
                        found.append(Section(heading[1]))
                    if (asked := QUESTION.search(paragraph)) and not paragraph.startswith("|"):
                        found[-1].questions.append(paragraph[asked.start():].strip())
        given = cell["metadata"].get("gan_teach", {})
        if wrong := given.keys() - {*KEYS}:
            raise ValueError(f"cell {cell.get('id')!r} has notes that nobody reads: {', '.join(sorted(wrong))}")
        its = found[before] if len(found) > before else found[-1]
        its.code += [cell["id"]] * (cell["cell_type"] == "code")
        its.minutes += given.get("minutes", 0)
        its.path += given.get("minutes", 0) * given.get("path", False)
        for key in ("answer", "mistakes"):
            if key in given:
                getattr(its, key).append(say(given[key]))
    return found


def wrapped(text: str, width: int, word: str) -> list[str]:
    """A text behind a word, in lines; a line may end between any two Chinese signs, each as wide as two letters."""
    def cells(line: str) -> int:
        return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in line)

    lines = [f"  {word}" + " " * (10 - cells(word))]
    for part in PIECES.findall(text):
        if cells(lines[-1] + part.rstrip()) > width:
            lines.append(" " * 12)
        lines[-1] += part
    return [line.rstrip() for line in lines]


def line(text: str) -> str:
    """A text in one line: of a picture, what it shows; of a formula, its signs. No space follows a full-width colon."""
    def signs(formula: re.Match) -> str:
        return functools.reduce(lambda text, sign: text.replace(*sign), SIGNS.items(), formula[1])

    text = re.sub(r'<img alt="([^"]*)"[^>]*>', lambda picture: f"[{unescape(picture[1])}]", text)
    text = SHORT.sub(signs, LONG.sub("…", text))
    return re.sub(r"：(\**) ", r"：\1", re.sub(r"\s+", " ", text)).strip()


def heads(name: str, cells: list[dict], found: list[Section]) -> tuple[str, str]:
    """A chapter's title, and the line below it."""
    home = sum(s.minutes for s in found if HOME.search(s.title))
    whole, path = sum(s.minutes for s in found) - home, sum(s.path for s in found)
    timing = say("{whole:g} minutes, {path:g} of them on the path of {short}", whole=whole, path=path,
                 short=PATH_MINUTES) if whole else say("no minutes are noted in this chapter yet")
    timing += say("; {home:g} more for home", home=home) if home else ""
    return re.match(r"# (.+)", cells[0]["source"])[1], say("{name}: {timing}.", name=name, timing=timing)


def notes(chapter: int | str) -> str:
    """The notes to a chapter as plain text. ValueError for a chapter that is not there."""
    cells = notebooks.read(chapter, current())
    found = sections(cells)
    lines = [*heads(notebooks.find(chapter).name, cells, found),
             say("Solutions of the exercises: solution(\"NAME\") in the notebook.")]
    for s in found:
        timing, said = s.timing(), s.said()
        if timing or said:
            lines += ["", f"## {TIMED.sub('', s.title)}" + (f"  ({timing})" if timing else "")]
        for word, text in said:
            lines += wrapped(SPACED.sub("", EMPHASIS.sub(r"\1", text)), 100, word)
    return "\n".join(lines)
