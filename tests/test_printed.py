"""What cells print, tables of the package and an instructor's notes: in another language no English is left in them."""

import ast
import re
import unicodedata

import pytest
import torch

from gan_teach import capstone, checkpoints, language
from gan_teach.dissection.compare import Comparison, Row
from gan_teach.dissection.context import Resistance
from gan_teach.dissection.repair import Repair
from gan_teach.lessons import catch_up, notebooks, notes, printed
from gan_teach.recipes import compare_progan, compare_styles, training_cost

# What stays in Latin letters: signs of the papers, names of networks, methods, data and layers, units of measure.
ALLOWED = set("AdaIN Adam CPU CIFAR- CelebA FFHQ FID Fq GAN E-GAN GPU IoU LG LD LeakyReLU MB MMD Theano PyTorch "
              "WGAN-GP log logit px ms nan egan plain-d std nats Dice logistic equally loud".split())
CODE = re.compile(r"python -m gan_teach [a-z ]+|`[^`]*`|<[^>]*>|\$[^$]*\$|\w+_\w+|solution\(\"NAME\"\)|\w+\.ipynb|"
                  r"\b(layer|level)\d+|(scenes|portraits|fashion)-[\w-]+|\*(egan|random)\*|[\w ]+(?=：先用我们的)")


def latin(text: str) -> list[str]:
    """English words of a text: three letters or more, those that stay so left out."""
    return [word for word in re.findall(r"[A-Za-z][A-Za-z-]{2,}", CODE.sub(" ", text)) if word not in ALLOWED]


# ------------------------------------------------------------------------------------------ cells

# Chapters and those of their cells that compute little; cells before them are run too, where they are needed.
LIGHT = {"00": ("real", "generator", "discriminator", "look", "step-d", "step-g", "silent", "twenty", "twenty-seeds"),
         "02b": ("tables", "verdicts", "cost", "spike", "honest"),
         "03": ("film", "three-losses", "losses-look", "cosines", "gamma-lines", "children", "young", "choose", "mu"),
         "03b": ("rewards", "worth", "paired-look", "grid", "fashion", "rivals", "env-bill", "robust", "mine",
                 "honest")}


def run(chapter: str, wanted: tuple[str, ...]) -> list[str]:
    """What these cells print and show as text, made small, as a notebook's shell would run them."""
    said: list[str] = []

    def display(*shown):
        said.extend(one.data for one in shown if hasattr(one, "data") and isinstance(one.data, str))

    namespace = {"display": display, "print": lambda *texts, sep=" ", **_: said.append(sep.join(map(str, texts)))}
    for cell in notebooks.read(chapter):
        if cell["id"] in wanted:
            tree = ast.parse(catch_up.small(cell))
            if isinstance(last := tree.body[-1], ast.Expr):                                     # what a cell ends in
                tree.body[-1] = ast.parse("display()").body[0]
                tree.body[-1].value.args = [last.value]
            tree = printed.Telling().visit(tree)
            exec(compile(ast.fix_missing_locations(tree), cell["id"], "exec"), namespace)
    return said


@pytest.mark.parametrize("chapter", LIGHT)
def test_what_cells_print_is_chinese(spoken, chapter, monkeypatch, capsys):
    monkeypatch.setenv("GAN_TEACH_PROGRESS", "off")
    said = run(chapter, LIGHT[chapter]) + [capsys.readouterr().out]
    assert sum(ord(sign) > 0x2e7f for text in said for sign in text) > 100
    for text in said:
        assert not latin(text), (latin(text), text)


def test_in_a_notebook_the_same_cell_prints_in_either_language(spoken, monkeypatch, capsys):
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    monkeypatch.setattr(printed.sys.modules["IPython"], "get_ipython", lambda: shell)
    printed.begin()
    printed.begin()
    assert sum(isinstance(one, printed.Telling) for one in shell.ast_transformers) == 1
    cell = ('p = 0.25\nprint(f"D, held still, now says {p:.2f} of generated points")\n'
            'print("untrained D, of four real points:", *[f"{p:.1f}"] * 2)\n'
            'print("tree", *["tree 8", "wall   0.5"], sep="|")\nprint("def f():\\n    return tree, 8")')
    shell.run_cell(cell)
    assert capsys.readouterr().out.splitlines() == [
        "D 不动，现在给生成点的判定是 0.25", "没有训练过的 D 对四个真实点的判定： 0.2 0.2", "tree|树 8|墙　　  0.5",
        "def f():", "    return tree, 8"]
    language.use("en")
    shell.run_cell(cell)
    assert capsys.readouterr().out.startswith("D, held still, now says 0.25 of generated points\nuntrained D, of ")


def test_numbers_below_0_have_a_minus_and_code_stays():
    tree = printed.Telling().visit(ast.parse(
        'print(f"{-0.5:+.2f}, 1e-3 of scenes-egan", "-2", -2, "def f():\\n    return -1")\n'
        'HTML("<b style=\'margin:-1px\'>-1</b>")\nMarkdown("| -.5 | 2-3 |\\n| --- | --- |")'))
    said = []
    exec(compile(tree, "cell", "exec"), {"print": lambda *texts: said.extend(texts), "HTML": said.append,
                                         "Markdown": said.append})
    table = capstone.StyleEffects(("layer1",), ("sky",), -torch.ones(1, 1), torch.ones(1, 1))
    assert printed.line(table).split() == ["β", "layer1", "sky", "−1.00"]
    assert said == ["−0.50, 1e-3 of scenes-egan", "−2", -2, "def f():\n    return -1",
                    "<b style='margin:-1px'>−1</b>", "| −.5 | 2-3 |\n| --- | --- |"]


def test_html_tables_and_progress_bars_of_a_cell_are_told(spoken):
    tree = printed.Telling().visit(ast.parse(
        'HTML("<details><summary>Open the answer</summary>unit 3 is tree (IoU 0.10); unit 12 is wall (IoU 0.20)'
        '</details>")\nMarkdown("| yes | no |\\n\\n| 3 of 4 | – |")\ntqdm([1], desc="rounds")\ntqdm([1], "pictures")'))
    said = []
    names = dict.fromkeys(("HTML", "Markdown"), said.append) | {"tqdm": lambda bar, desc: said.append(desc)}
    exec(compile(tree, "cell", "exec"), names)
    assert said == ["<details><summary>看答案</summary>单元 3 是树（IoU 0.10）；单元 12 是墙（IoU 0.20）</details>",
                    "| 是 | 否 |\n\n| 3 of 4 | – |".replace("3 of 4", language.told("3 of 4")), "回合", "图片"]


@pytest.mark.parametrize(("text", "said"), [
    ("tree      0.52  0.31", "树　　     0.52  0.31"), ("  mountain     3", "  山　　        3"),
    ("wall 12.0%, sky 3.0%", "墙 12.0%，天空 3.0%"),
    ("minimax 20%, equally loud 40%", "极小极大 20%，equally loud 40%"),
    ("no class 'x'; there are: tree, sky", "没有类别 'x'；现有的是：tree, sky"), ("tree, sky", "树，天空"),
    ("the reader's own, tree", "the reader's own, tree"), ("my own 20%, yours too 40%", "my own 20%, yours too 40%"),
    ("a of the reader's own", "a of the reader's own")])
def test_rows_and_lists_are_told_part_by_part(spoken, text, said):
    assert language.told(text) == said


def test_columns_stay_where_they_are_with_signs_of_another_width(spoken):
    assert [language.wide(text) for text in ("tree", "树", "树干tree", "")] == [4, 2, 7, 0]
    head = language.columns(("class", -14), ("pixels", 8), ("", 3), ("units", 7))
    assert language.wide(head) == 32 and head.split() == ["类别", "像素", "单元"]
    assert language.pad("树", 5) == "树　　" and language.pad("树", 4, True) == "  树"
    assert language.pad("tree", 2) == "tree"
    language.use("en")
    assert language.columns(("class", -14), ("pixels", 8)) == f"{'class':14}{'pixels':>8}"


# ------------------------------------------------------------------------------------------ the package's tables

def progan_record() -> dict:
    runs = [f"{name}, seed 0" for name in ("with", "without")]
    row = {"model": "with", "layer": "layer4", "units": 8, "matched": 2, "classes": 1, "best_iou": 0.1,
           "best_iou_error": 0.01, "frechet": 2.0}
    return {"layers": ["layer4"], "runs": {run: {"48": [row], "seconds": 1} for run in runs}}


def styles_record() -> dict:
    row = {"mixing": [[5.0, 6.0, 7.0, 8.0]] * 2, "path_length": [{"w full": 3.0, "w end": 2.0, "z full": 9.0}] * 2,
           "separability": [{"w": 4.0, "z": 5.0}] * 2, "seconds": [300, 400]}
    return {"configurations": {name: row for name in compare_styles.VARIANTS}}


TABLES = {
    "repair": lambda: str(Repair((1, 2), 0.25, 3.0, 2.0, torch.tensor([3.0, 4.0]), 0.5, (0.4, 0.5))),
    "compare": lambda: str(Comparison((Row("untrained", "layer2", 8, 2, 1, 0.1, 0.01, 2.0),), 0.05)),
    "resistance": lambda: str(Resistance(("sky", "door"), 3, torch.tensor([[5, 0], [6, 0]]),
                                         torch.tensor([[2, 0], [3, 0]]), torch.ones(2, 2, 2, dtype=torch.long))),
    "effects": lambda: str(capstone.StyleEffects(("layer1",), ("sky", "door"), torch.ones(1, 2), torch.ones(1, 2))),
    "progan": lambda: "\n".join(compare_progan.lines(progan_record())),
    "styles": lambda: "\n".join([*compare_styles.lines(styles_record()), *compare_styles.verdicts(styles_record())]),
    "cost": lambda: "\n".join(training_cost.lines(checkpoints.comparison(training_cost.NAME)))}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_printed_is_chinese(spoken, table):
    said = TABLES[table]()
    assert not latin(said), said
    language.use("en")
    assert latin(TABLES[table]()) or table == "effects"


# ------------------------------------------------------------------------------------------ an instructor's notes

@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_the_notes_to_a_chapter_are_chinese(spoken, chapter):
    text = notes.notes(chapter)
    ours, english = (notes.sections(notebooks.read(chapter, edition)) for edition in ("zh", "en"))
    for one, other in zip(ours, english, strict=True):
        assert len(one.questions) == len(other.questions), (one.title, one.questions, other.questions)
        assert len(one.answer) == len(other.answer) and (one.minutes, one.path) == (other.minutes, other.path)
        for said in (*one.mistakes, *one.answer, *one.questions):
            assert sum(ord(sign) > 0x2e7f for sign in said) > 3, said
    assert "\n  提问 " in text and "\n  预期 " in text and "\n  常见误解 " in text
    for line in text.splitlines():
        assert sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in line) <= 102, line
    assert not re.search(r"\b(the|and|is|are|of|which)\b", CODE.sub(" ", text)), text


def test_a_line_ends_between_two_signs_and_not_before_a_point():
    lines = notes.wrapped("一二三四五，六七 word-of-code 八九。“十”一二", 24, "问")
    assert [line.strip() for line in lines[1:]] == ["六七", "word-of-code", "八九。“十”一", "二"]
    assert lines[0] == "  问        一二三四五，" and lines[1] == " " * 12 + "六七"
    assert notes.wrapped("one two three", 20, "asks") == ["  asks      one two",
                                                              " " * 12 + "three"]
