"""How chapters 0, 3 and 3b are written: short, with something to do, every prediction answered, exercises used."""

import json
import re
from pathlib import Path

import pytest

from gan_teach.lessons import checks

FOLDER = Path(__file__).parents[2] / "notebooks"
CHAPTERS = {"00_warm_up": 64, "03_evolutionary_gan": 75, "03b_evolutionary_gan_further": 75}


def cells(name):
    for cell in json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        yield cell["cell_type"], "".join(cell["source"])


def words(text):
    return len(re.sub(r"<img[^>]*>", "", text).split())


def prose(name):
    return [text for kind, text in cells(name) if kind == "markdown"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_short_and_there_is_always_something_to_do(name):
    total, between = sum(map(words, prose(name))), [0]
    for kind, text in cells(name):
        between.append(0) if kind == "code" else between.__setitem__(-1, between[-1] + words(text))
    exercises = sum(len(re.findall(r"^def my_", text, re.M)) for kind, text in cells(name) if kind == "code")
    predictions = sum(text.count("**Predict") for text in prose(name))
    panels = sum(len(re.findall(r"(?:Panel|Lab)\(", text)) for kind, text in cells(name) if kind == "code")
    print(f"{name}: {total} words, at most {max(between)} at a stretch, {exercises} functions to write, {predictions} "
          f"predictions, {panels} panels, {CHAPTERS[name]} minutes")
    assert total <= 2500 and max(between) <= 600 and panels >= 1


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_prediction_has_its_answer_folded_below_it(name):
    for text in prose(name):
        asked = text.count("**Predict")
        assert text.count("<details>") == text.count("</details>") >= min(asked, 1), text[:80]
        assert not asked or text.index("**Predict") < text.index("<details>")


@pytest.mark.parametrize("name, minutes", CHAPTERS.items())
def test_the_minutes_of_the_sections_add_up(name, minutes):
    """The opening says the whole, and those of the sections in a row; in chapter 0 each heading says its own."""
    said = re.search(r"\*\*Time:\*\* (\d+) minutes[:;] (.*?)\. Run All", prose(name)[1], re.S)
    headings = re.findall(r"^##+ .*\((\d+) minutes?\)", "\n".join(prose(name)[1:]), re.M)
    numbers = [int(n) for n in (headings if name == "00_warm_up" else
                                re.findall(r"(?<!section )(?<!sections )(?<!to )\b\d+\b", said[2]))]
    opening = name == "00_warm_up"                                      # … and the opening itself takes one
    assert int(said[1]) == minutes == sum(numbers) + opening, (said[2], numbers)
    assert {*map(int, headings)} <= {*numbers}


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_passes_is_used(name):
    """Every exercise is handed on to a later cell by its name."""
    code = "\n".join(text for kind, text in cells(name) if kind == "code")
    for exercise in re.findall(r"^check_(\w+)\(", code, re.M) + re.findall(r"; check_(\w+)\(", code):
        assert exercise in [name.removeprefix("check_") for name in checks.__all__]
        assert f'passed("{exercise}"' in code, exercise
