"""Chapters that can be entered anywhere: sections that make their own names, paces that a class can follow, answers."""

import ast
import builtins
import json
import math
import re
from pathlib import Path

import pytest

from gan_teach.lessons import checks, notebooks, notes
from gan_teach.lessons.exercises import HINTS
from gan_teach.widgets.dissection import panel
from gan_teach.widgets.egan import evolution_charts, evolution_render, interpolation_render

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAPTERS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
APART = ("02_stylegan", "02b_stylegan_further", "04_capstone")             # whose sections need no `catch_up`
DOING = re.compile(r"check_\w+\(|Panel\(|Lab\(|StyleMixer\(|quiz\(")       # a cell in which the reader does something


def cells(name):
    """(kind, text without pictures) of every cell."""
    read = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return [(cell["cell_type"], re.sub(r"<img[^>]*>", "", "".join(cell["source"]))) for cell in read]


def sections(name):
    """The code of each section: from a cell with a heading of level 2 to the next."""
    found, title = {}, "opening"
    for kind, text in cells(name):
        if kind == "markdown":
            headings = re.findall(r"^## (.*)$", text, re.M)
            title = headings[-1] if headings else title
        elif "%pip" not in text:
            found[title] = found.get(title, "") + text + "\n"
    return found


def missing(code):
    """Names that the code reads and nowhere makes: not at its top, in a function, or as an argument."""
    tree = ast.parse(code)
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read - made - imported(tree) - set(dir(builtins))


def imported(tree: ast.Module) -> set[str]:
    return {(alias.asname or alias.name).split(".")[0] for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}


def test_a_missing_name_is_noticed():
    assert missing("from a import b as c\nfor x in c(y): print(x, __name__)") == {"y"}


@pytest.mark.parametrize("name", APART)
def test_each_section_begins_from_names_it_makes_itself(name):
    found = {title: missing(code) for title, code in sections(name).items()}
    assert len(found) >= 4 and not any(found.values()), {title: names for title, names in found.items() if names}


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_a_hint_calls_is_imported_by_then(name):
    """… in the same section, where sections stand alone: a learner who follows the hint meets no NameError."""
    there, asked = set(), 0
    for kind, text in cells(name):
        if kind == "markdown":
            there = set() if name in APART and re.search(r"^## ", text, re.M) else there
        elif "%pip" not in text:
            there |= imported(ast.parse(text))
            for exercise in re.findall(r"check_(\w+)\(my_", text):
                assert hasattr(checks, f"check_{exercise}")
                called = set(re.findall(r"\b(torch|F)\.\w", " ".join(HINTS[exercise])))
                assert called <= there, f"{exercise}: {called - there}"
                asked += 1
    assert asked


@pytest.mark.parametrize("name", CHAPTERS)
def test_words_and_something_to_do(name):
    texts = cells(name)
    words = sum(len(text.split()) for kind, text in texts if kind == "markdown")
    stretch, longest = 0, 0
    for kind, text in texts:
        if kind == "markdown":
            for i, part in enumerate(re.split(r"\*\*(?:Predict|Exercise)|\*Observe", text)):
                stretch = len(part.split()) + (0 if i else stretch)
                longest = max(longest, stretch)
        elif DOING.search(text):
            stretch = 0
    code = "\n".join(text for kind, text in texts if kind == "code")
    panels = len(re.findall(r"(?:Panel|Lab|StyleMixer)\(", code))
    print(f"{name}: {words} words, {len(re.findall('check_[a-z_]+[(]my_', code))} exercises, {panels} panels, longest "
          f"stretch {longest} words")
    assert words <= 2500 and longest <= 600 and panels


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_minutes_are_those_that_the_opening_says(name):
    """… all of them, with those of the opening, the quiz and the summary; but for the sections that are for home."""
    whole = int(re.search(r"\*\*Time:\*\* (?:about )?(\d+) minutes", cells(name)[1][1])[1])
    noted = [section for section in notes.sections(notebooks.read(name)) if "for home" not in section.title]
    headings = [int(m) for section in noted for m in re.findall(r"(?:· |\()(\d+) min", section.title)]
    print(f"{name}: {whole} minutes")
    assert len(headings) >= 3 and sum(headings) <= whole == sum(section.minutes for section in noted) <= 75


@pytest.mark.parametrize("name", ["00_warm_up", "03_evolutionary_gan", "03b_evolutionary_gan_further"])
def test_the_minutes_of_the_sections_add_up(name):
    """The opening says the whole, and those of the sections in a row; in chapter 0 each heading says its own."""
    prose = [text for kind, text in cells(name) if kind == "markdown"]
    said = re.search(r"\*\*Time:\*\* (\d+) minutes[:;] (.*?)\. Run All", prose[1], re.S)
    headings = re.findall(r"^##+ .*\((\d+) minutes?\)", "\n".join(prose[1:]), re.M)
    opening = name == "00_warm_up"                                      # … and the opening itself takes one
    numbers = [int(n) for n in (headings if opening else
                                re.findall(r"(?<!section )(?<!sections )(?<!to )\b\d+\b", said[2]))]
    assert int(said[1]) == sum(numbers) + opening, (said[2], numbers)
    assert {*map(int, headings)} <= {*numbers}


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_predict_has_its_folded_answer(name):
    """A fold for each, in a cell of text or printed by code; those that stand in one cell may be answered together."""
    asked, open_ = None, 0
    for i, (_, text) in enumerate(cells(name)):
        for token in re.findall(r"\*\*Predict|<details", text):
            if token == "<details":
                open_ = max(0, open_ - 1)
            else:
                assert not open_ or asked == i, f"cell {asked} asks for what nothing answers before cell {i}"
                asked, open_ = i, open_ + 1
    assert not open_, f"cell {asked} asks {open_} more than is answered"


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_passed_is_used(name):
    code = "\n".join(text for kind, text in cells(name) if kind == "code")
    exercises = set(re.findall(r"\bcheck_(\w+)\(my_", code))
    assert exercises and exercises <= set(re.findall(r'passed\("(\w+)"', code))
    silent = [text for kind, text in cells(name) if kind == "code" and "progress=False" in text and "tqdm(" not in text]
    assert not silent, "what takes long shows a bar: its own, or one around it"


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_picture_is_small(name):
    """On its own or in a strip; the colours of the classes are a key, not pictures."""
    code = "\n".join(text for kind, text in cells(name) if kind == "code" and "swatches" not in text)
    assert all(int(width) >= 128 for width in re.findall(r"\b(?:width|tile)=(\d+)", code))


def test_no_picture_of_a_panel_is_small():
    """In a notebook: a strip's, a unit's map, a child by itself or one of twelve."""
    sides = [evolution_render.tiling(n, evolution_charts.CHILDREN[0], evolution_charts.CHILDREN[1] * math.ceil(n / 3) +
                                     evolution_render.GAP * (math.ceil(n / 3) - 1))[1] for n in range(1, 13)]
    assert min(interpolation_render.TILE, panel.TILE, *sides) >= 128


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("0*.ipynb")), ids=str)
def test_a_fold_with_marks_is_read_as_markdown(path):
    """Straight behind the summary, without an empty line, *so* and `so` would stand there with their marks."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        for inside in re.findall(r"</summary>(?!\n\n)(.*?)</details>", "".join(cell["source"]), re.S):
            assert cell["cell_type"] == "code" or not re.search(r"[*`$]|\]\(", inside), inside
