"""An instructor's notes to a chapter, made from the notebook itself: `gan-teach notes 02`.

A cell's metadata may hold {"gan_teach": {…}}, of which a section (from one `## ` heading to the next) takes
    minutes     how long it lasts in class, with its questions
    path        true: these minutes belong to the path of 50
    answer      what to expect as an answer to its questions
    mistakes    usual mistakes, and what to say to them
Where there is none, the notes have what the reader sees: questions (Predict, Try, Think, Exercise), and the answers
that the chapter opens on a click.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from . import notebooks

KEYS = ("minutes", "path", "answer", "mistakes", "small")        # the last is for `catch_up`
QUESTION = re.compile(r"\*\*(?:Predict|Try|Think|Exercise|Question|A game|Pair)\b[^*]*\*\*")
PATH_MINUTES = 50


@dataclass
class Section:
    """One section of a chapter, as it is taught."""

    title: str
    minutes: float = 0
    path: float = 0                      # how many of them are on the path of 50 minutes
    questions: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


def sections(cells: list[dict]) -> list[Section]:
    """The sections of a chapter's cells (`notebooks.read`), the part above the first heading among them.

    What a cell's metadata says goes to the first section that the cell opens, or else to the one it lies in.
    ValueError for a key that is not one of `KEYS`.
    """
    found = [Section("Opening")]
    for cell in cells:
        before = len(found)
        if cell["cell_type"] == "markdown":
            for part in re.split(r"(?s)(<details>.*?</details>)", cell["source"]):
                if part.startswith("<details>"):
                    found[-1].answer.append(re.sub(r"(?s)<summary>.*?</summary>|</?details>", "", part).strip())
                    continue
                for paragraph in re.split(r"\n\s*\n", part):
                    if heading := re.match(r"\s*## (.+)", paragraph):
                        found.append(Section(heading[1]))
                    if (asked := QUESTION.search(paragraph)) and not paragraph.startswith("|"):
                        found[-1].questions.append(paragraph[asked.start():].strip())
        given = cell["metadata"].get("gan_teach", {})
        if wrong := given.keys() - {*KEYS}:
            raise ValueError(f"cell {cell.get('id')!r} has notes that nobody reads: {', '.join(sorted(wrong))}")
        its = found[before] if len(found) > before else found[-1]
        its.minutes += given.get("minutes", 0)
        its.path += given.get("minutes", 0) * given.get("path", False)
        for key in ("answer", "mistakes"):
            if key in given:
                getattr(its, key).append(given[key])
    return found


def notes(chapter: int | str, width: int = 100) -> str:
    """The notes to a chapter as plain text. ValueError for a chapter that is not there."""
    cells, name = notebooks.read(chapter), notebooks.find(chapter).name
    found = sections(cells)
    title = re.match(r"# (.+)", cells[0]["source"])[1]
    whole, path = sum(s.minutes for s in found), sum(s.path for s in found)
    timing = f"{whole:g} minutes, {path:g} of them on the path of {PATH_MINUTES}" if whole else \
        "no minutes are noted in this chapter yet"
    lines = [title, f"{name}: {timing}.", "Solutions of the exercises: solution(\"NAME\") in the notebook."]
    for s in found:
        if not (s.minutes or s.questions or s.answer or s.mistakes):
            continue
        some = f"{s.path:g} of them " * (s.path < s.minutes)
        marks = [f"{s.minutes:g} min"] * bool(s.minutes) + [f"{some}on the path"] * bool(s.path)
        lines += ["", f"## {s.title}" + (f"  ({', '.join(marks)})" if marks else "")]
        for word, texts in (("asks", s.questions), ("expect", s.answer), ("mistakes", s.mistakes)):
            for text in texts:
                plain = re.sub(r"\s+", " ", text.replace("**", "")).strip()
                lines += textwrap.wrap(plain, width, initial_indent=f"  {word:10}", subsequent_indent=" " * 12,
                                       break_long_words=False)
    return "\n".join(lines)
