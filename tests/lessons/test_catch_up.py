"""Late, or a new kernel: every section of every chapter can be begun, after what `catch_up` makes."""

import ast
import re
from types import SimpleNamespace

import pytest
from nbformat import NotebookNode
from small import quick
from test_sections import imported, missing

from gan_teach.lessons import catch_up as module
from gan_teach.lessons import exercises, notebooks
from gan_teach.lessons.catch_up import catch_up, lighter, made, small
from gan_teach.lessons.notebooks import sections

# the last section that does something, and one before it: they run, made small, on what they find
REAL = {"00": ("3", "13")}
# cells that go on training what another cell has made, or draw at random
TWICE = {"00": ("step-d", "step-g"), "03": ("choose",), "04": ("children", "same-unit")}
# what only shows may be left out: it changes nothing that a later cell reads
SHOWS = {"print", "show", "chart", "display", "quiz", "HTML", "Markdown", "watch", "strips", "ends", "EvolutionLab"}


def code(chapter, number):
    return "\n".join(cell["source"] for cell in sections(chapter)[number])


def cell(source, **small):
    return {"id": "x", "source": source, "metadata": {"gan_teach": {"small": small}} if small else {}}


def lines(*cells):
    return [ast.unparse(lighter(one)) for one in cells]


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_every_section_and_cell_finds_the_names_that_it_reads(chapter):
    """As written: what it reads is made before it by what is left of the cells. nbval runs the same cells, as small."""
    there = {"display"}
    for number, cells in sections(chapter).items():
        if not number:
            continue
        assert missing(code(chapter, number)) <= there, f"{chapter}.{number}"
        for one in cells:
            tree = lighter(one)
            assert missing(ast.unparse(tree)) <= there, f"{chapter}.{number} {one['id']}"
            there |= {*made(tree), *imported(tree)}
            left_out = {node.value.func.id for node in ast.parse(small(one)).body if isinstance(node, ast.Expr)
                        and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)}
            assert all(name in SHOWS or re.match(r"check_|\w+Panel$", name) for name in left_out), left_out - SHOWS


@pytest.mark.parametrize("chapter", REAL)
def test_one_run_to_the_last_section_passes_all_others(chapter, monkeypatch, capsys):
    """Each finds what it reads by then, and some run on it."""
    there, namespace, begun = sections(chapter), {}, []
    first = {its[0]["id"]: number for number, its in there.items() if number and its}

    def begin(number):
        assert missing(code(chapter, number)) - {"display"} <= namespace.keys(), f"{chapter}.{number}"
        begun.append(number)
        if number in REAL[chapter]:
            exec("\n".join(map(small, there[number])), {**namespace})

    def passing(one):
        if one["id"] in first:
            begin(first[one["id"]])
        return lighter(one)

    monkeypatch.setattr(module, "lighter", passing)
    last = list(there)[-1]
    catch_up(f"{chapter}.{last}", namespace)
    told = rf"ready for section {last} of chapter {chapter}: \d+ names in [\d.]+ s\n"
    assert re.search(told, capsys.readouterr().out)
    if there[last]:
        begin(last)
    assert begun == [*first.values()] and {*REAL[chapter]} <= {*begun}


@pytest.mark.parametrize("chapter", TWICE)
def test_a_cell_that_is_run_again_says_the_same(chapter, capsys):
    namespace, left = {"display": lambda *shown: None}, [*TWICE[chapter]]
    for one in (one for number, its in sections(chapter).items() if number for one in its):
        if not left:
            break
        if one["id"] not in left:
            exec(compile(lighter(one), one["id"], "exec"), namespace)
            continue
        said = []
        for _ in range(2):
            capsys.readouterr()
            exec(small(one), namespace)
            said.append(capsys.readouterr().out)
        assert said[0] == said[1] and re.search(r"\d", said[0]), one["id"]
        left.remove(one["id"])
    assert not left


def test_a_cell_gets_the_names_among_its_own():
    namespace = {"catch_up": catch_up}
    exec("catch_up('00.3')", namespace)
    exec(code("00", "3"), namespace)
    assert "game" in namespace


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_a_section_that_reads_earlier_names_says_so(chapter):
    for number, cells in sections(chapter).items():
        needs = bool(number and cells and missing(code(chapter, number)) - {"display"})
        said = [one["source"].split("\n")[0] for one in cells if "to begin here" in one["source"]]
        assert said == [f'# to begin here: catch_up("{chapter}.{number}")'] * needs
        assert not needs or cells[0]["source"].startswith(said[0])


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_what_is_made_small_has_the_same_names(chapter):
    smaller = 0
    for one in (one for its in sections(chapter).values() for one in its if "%pip" not in one["source"]):
        plain = made(lighter({**one, "metadata": {}}))
        assert made(lighter(one)) == plain
        smaller += ast.unparse(lighter(one)) != ast.unparse(lighter({**one, "metadata": {}}))
    assert smaller >= 3


@pytest.mark.parametrize("whole", [False, True])
def test_the_suite_runs_chapters_small_and_as_they_are_when_asked(pytestconfig, whole):
    """By conftest.py, which sees what pytest has collected: the cells of notebooks, and tests."""
    conftest = pytestconfig.pluginmanager.get_plugin(str(pytestconfig.rootpath / "conftest.py"))
    cells = [cell for chapter in ("00", "01") for cell in notebooks.read(chapter) if cell["cell_type"] == "code"]
    items = [SimpleNamespace(nodeid="a.ipynb::Cell", cell=NotebookNode(cell)) for cell in cells]
    conftest.pytest_collection_modifyitems(SimpleNamespace(getoption={"--whole": whole}.get),
                                           [*items, SimpleNamespace(nodeid="a.py::test")])
    shown = [item.cell.source for item in items]
    assert shown == [cell["source"] if whole else quick(cell) for cell in cells]
    watched = [cell["source"] for cell in cells if quick(cell) != small(cell)]
    assert len(watched) == 1 and watched[0].endswith("watch(loop, 500)")
    assert whole == (shown == [cell["source"] for cell in cells])
    assert all((pytestconfig.rootpath / name).is_file() for name in conftest.LONG)


def test_what_only_shows_is_left_out_and_an_exercise_too():
    assert lines(cell("import a\nx = a.b()\nshow(x)\nx\nx.c()")) == ["import a\nx = a.b()\nx.c()"]
    assert lines(cell("from a import check_b\ndef my_b():\n    ...\ncheck_b(my_b)")) == ["from a import check_b"]
    assert lines(cell("from a import Panel\nPanel(x)\n")) == ["from a import Panel"]
    assert made(lighter(cell("import a as b\nfor i in b: x[i], (y, z) = i\nclass C: d = 1\ndef f(): e = 1"))) == [
        "i", "y", "z", "C", "f"]


def test_what_is_made_small_must_be_there():
    assert lines(cell("x = f(n=100)", **{"n=100": "n=3"})) == ["x = f(n=3)"]
    with pytest.raises(ValueError, match="cell 'x' has no 'n=10'"):
        lighter(cell("x = f(n=9)", **{"n=10": "n=3"}))


def test_the_readers_own_exercise_stays_and_is_used(monkeypatch):
    def mine(z, layers):
        used.append(len(z))
        return z

    used, namespace = [], {"my_mapping": mine}
    monkeypatch.setitem(exercises.PASSED, "mapping", mine)
    catch_up("2.3", namespace)
    assert namespace["my_mapping"] is mine and exercises.PASSED["mapping"] is mine and used


@pytest.mark.parametrize("wrong", ["02.9", "02", "7.1", "", "02.", 2.44])
def test_a_section_that_is_not_there_is_refused_with_those_that_are(wrong):
    with pytest.raises(ValueError, match=r"no section .*there are:") as refused:
        catch_up(wrong)
    assert "02b: 02b.1, 02b.2" in str(refused.value)
