"""What a reader has done, kept in a plain JSON file of their own; nothing of it leaves the machine.

The file is gan-teach-progress.json in the folder where the notebook runs, or where $GAN_TEACH_PROGRESS says: a file,
or a folder such as that of a mounted Drive, which survives a runtime's reset; "off" keeps nothing. It holds for each
chapter the sections of which a cell ran, the exercises that passed their check, and the quiz questions answered.
"""

import os
import re
from pathlib import Path

from ..files import read_json, write_json
from ..language import say, told
from . import notebooks

NAME = "gan-teach-progress.json"
KINDS = {"sections": list, "exercises": list, "quiz": dict}       # of what a chapter's record holds
_chapter: str | None = None             # what the banner began; until then, as in a test or a script, nothing is kept
_sections: dict[str, str] = {}          # a code cell of the chapter as it is shipped -> the number of its section
_told: set[str] = set()


def path() -> Path | None:
    """Where the record lies; None where none is to be kept."""
    given = os.environ.get("GAN_TEACH_PROGRESS", "")
    if given == "off":
        return None
    place = Path(given).expanduser()
    return place if place.suffix == ".json" else place / NAME


def read() -> dict[str, dict]:
    """Chapter -> {"sections": [...], "exercises": [...], "quiz": {question: right?}}; {} before anything was done.

    ValueError for a file that is not such a record.
    """
    place = path()
    if place is None or not place.exists():
        return {}
    try:
        kept = read_json(place)
        for done in kept.values():
            if not (type(done) is dict and all(_kept_so(done.get(what), kind) for what, kind in KINDS.items())):
                raise ValueError("a chapter in it is something else")
    except ValueError as error:
        raise ValueError(f"{place} is not a record of progress: rename it, and a new one is begun") from error
    return kept


def _kept_so(value, kind: type) -> bool:
    """Whether it is a list of names, or a dict from names to right or wrong."""
    return type(value) is kind and all(type(name) is str for name in value) and (
        kind is list or all(type(right) is bool for right in value.values()))


def sections(chapter: int | str) -> dict[str, str]:
    """The number of the section, "" before the first, for every code cell of a chapter's notebook, by its source; none
    for a notebook of the reader's own."""
    there = notebooks.sections(chapter) if notebooks.number(chapter) in notebooks.chapters() else {}
    return {cell["source"].strip(): number for number, cells in there.items() for cell in cells}


def begin(chapter: int | str) -> None:
    """Keep a record from here on, for this chapter."""
    global _chapter, _sections
    _chapter, _sections = notebooks.number(chapter), sections(chapter)


def after_cell(result) -> None:
    """A cell that ran without an error counts for its section, if it is one of the chapter's, unaltered."""
    number = _sections.get((result.info.raw_cell or "").strip()) if result.info is not None else None
    if number and result.success:
        record("sections", number)


def record(what: str, name: str, value: bool | None = None) -> None:
    """Note that a section, an exercise or a quiz question (with its value: right?) is done; never raises."""
    if _chapter is None or path() is None:
        return
    try:
        kept = read()
        done = kept.setdefault(_chapter, {name: kind() for name, kind in KINDS.items()})[what]
        if value is not None and done.get(name) is not value:
            done[name] = value
        elif value is None and name not in done:
            done.append(name)
        else:
            return
        write_json(path(), kept)
    except (OSError, ValueError) as error:
        if str(error) not in _told:
            _told.add(str(error))
            print(say("your progress is not kept: {error}", error=told(error)))


def show() -> None:
    """Print what was done, chapter by chapter, and where that stands."""
    kept, place = read(), path()
    if not kept:
        return print(say("nothing is done yet ({place})", place=place) if place else
                     say("nothing is kept: GAN_TEACH_PROGRESS is off"))
    print(say("chapter    sections  exercises  quiz"))
    for chapter, done in sorted(kept.items()):
        cells = sections(chapter)
        there = {number for number in cells.values() if number}
        asked = {name for source in cells for name in re.findall(r"(?m)^check_(\w+)\(", source)}
        right, answered = sum(done["quiz"].values()), len(done["quiz"])
        quiz = say("{right} right of {answered} answered", right=right, answered=answered) if answered else "–"
        print(say("{chapter:9}{sections:4} of {all:2}{exercises:5} of {asked:2}  {quiz}", chapter=chapter,
                  sections=len(there & {*done["sections"]}), all=len(there),
                  exercises=len(asked & {*done["exercises"]}), asked=len(asked), quiz=quiz))
    print(say("kept in {place}", place=place))
