"""What holds the repository together: requirements, import direction, clean notebooks, portable paths."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tables
from index import ORDER
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")      # pytest brings it on Python 3.10

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "gan_teach").rglob("*.py"))

# What Colab had on 2026-08-19. torchmetrics is not there; it replaces nothing when it is installed.
COLAB = {"python": "3.13.15", "torch": "2.11.0", "torchvision": "0.26.0", "numpy": "2.1.3",
         "pillow": "11.3.0", "matplotlib": "3.10.0", "ipywidgets": "7.7.1", "anywidget": "0.9.21"}


def git_files() -> list[Path]:
    """The files that git knows or would add; a skip where there is no git."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git, or not a git checkout: there is no list of the repository's files")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"git cannot list the files: {listed.stderr.strip()}")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# ------------------------------------------------------------------------------------------ requirements

def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for line in sum(extras, PROJECT["dependencies"])]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_a_requirement_is_a_lower_bound_that_colab_meets(requirement):
    assert [clause.operator for clause in requirement.specifier] == [">="], "one lower bound, nothing else"
    if requirement.name in COLAB:
        assert requirement.specifier.contains(COLAB[requirement.name])


def test_colabs_python_is_allowed():
    assert PROJECT["requires-python"] == ">=3.10"
    assert SpecifierSet(PROJECT["requires-python"]).contains(COLAB["python"])


def test_the_conda_environment_installs_this_project_and_nothing_else():
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text().splitlines() if line.strip()]
    assert lines[:2] == ["name: gan-teach", "dependencies:"]
    python, pip, key, project = (line.removeprefix("- ") for line in lines[2:])
    assert (pip, key) == ("pip", "pip:")
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")
    extras = re.fullmatch(r'-e "?\.\[([\w,]+)\]"?', project)[1].split(",")
    assert set(extras) == set(PROJECT["optional-dependencies"])
    errors = pytest.importorskip("rattler.exceptions", reason="conda's reader of them comes with `test`")
    from rattler import MatchSpec
    assert [str(MatchSpec(line, strict=True)) for line in (python, pip)] == [f"python {version}.*", "pip"]
    with pytest.raises(errors.InvalidMatchSpecError):
        MatchSpec(python.replace("=", "==>"), strict=True)


def test_the_readmes_test_command_is_there_and_installs_every_extra():
    marked = (ROOT / "README.md").read_text("utf-8").split("<!-- test-command -->\n```bash\n")
    assert len(marked) == 2
    command = marked[1].split("\n```")[0]
    assert f'-e ".[{",".join(PROJECT["optional-dependencies"])}]"' in command
    assert command.endswith("-m pytest")


def test_the_readme_says_the_minutes_of_each_chapter():
    rows = re.findall(r"\(notebooks/(\w+)\.ipynb\).*? \| (\d+) \| \[Colab\]", (ROOT / "README.md").read_text("utf-8"))
    for name, minutes in rows:
        cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
        assert re.search(r"\*\*Time:?\*\*[^.]*?(\d+) minutes", "".join(cells[1]["source"]))[1] == minutes, name
    assert len(rows) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    chinese = (ROOT / "notebooks" / "zh" / "README.md").read_text("utf-8")
    assert re.findall(r"\((\w+)\.ipynb\).*? \| (\d+) \| \[Colab\]", chinese) == rows


def test_the_chinese_readme_has_every_picture_and_every_command():
    def pages(path):
        text = (ROOT / path).read_text("utf-8")
        for own in ("(?m)^GAN_TEACH_LANG=zh ", " --ServerApp.root_dir=notebooks", "(?<=notebooks/)zh/"):
            text = re.sub(own, "", text)
        return text

    def pictures(text):
        return re.findall(r"\]\((?:\.\./)*(data/pictures/[\w.]+)\)", text)

    def commands(text):
        blocks = re.findall(r"```bash\n(.*?)```", text, re.S)
        return [line.split("  # ")[0].split(" # ")[0].strip() for block in blocks for line in block.splitlines()]

    english, chinese = pages("README.md").split("## Tests")[0], pages("notebooks/zh/README.md")
    assert pictures(chinese) == pictures(english) and len(pictures(english)) > 4
    assert commands(chinese) == commands(english) and len(commands(english)) > 9
    for words in ("compute=webgpu", "--executed DIR", "uvx --from", "conda env create", "pip wheel", "_PROGRESS=/"):
        assert words in english and words in chinese, words


def test_the_tables_of_the_weights_are_what_their_records_say():
    assert tables.PAGE.read_text("utf-8") == tables.page(), "make them anew: python tests/tables.py"
    assert all(f"| `{path.stem}` |" in tables.page() for path in (ROOT / "data").glob("*.safetensors"))


def test_an_installed_copy_has_every_folder():
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES}
    assert {*SETTINGS["tool"]["setuptools"]["packages"]} == folders | {"gan_teach.data", "gan_teach.notebooks"}


# ------------------------------------------------------------------------------------------ sizes

# The files of less than 40 lines that are no room's reading order, and why each is a file.
SHORT = {"egan/mutations.py": "the three losses alone: what a reader of the paper looks for first",
         "egan/paper_and_code.py": "one table",
         "lessons/errors.py": "the banner alone hands it to the notebook",
         **{f"lessons/questions/{name}.py": "a chapter's questions" for name in ("capstone", "warm_up")},
         "lessons/questions/question.py": "what every chapter's questions are made of",
         "memory.py": "below the rooms, since trainings and dissections free memory",
         "networks/wgan.py": "the loss of other papers than `losses`",
         "stylegan/discriminator.py": "chapter 2 reads the generator alone",
         "widgets/egan/first_pictures.py": "a panel"}


def test_a_file_is_read_in_one_sitting():
    lines = {path.relative_to(ROOT / "gan_teach").as_posix(): len(path.read_text("utf-8").splitlines())
             for path in MODULES}
    assert not {name: n for name, n in lines.items() if n > 330}
    assert {name for name, n in lines.items() if n < 40 and Path(name).name != "__init__.py"} == {*SHORT}


# ------------------------------------------------------------------------------------------ imports

def imported(path: Path) -> set[str]:
    """What a file imports, by its full name: modules, and the names in them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[:-node.level] if node.level else ()      # from . and from ..
            source = ".".join([*package, *filter(None, [node.module])])
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def part(path: Path) -> str:
    """The name in `ORDER` of the room that `path` lies in, or of the file beside the rooms."""
    return path.relative_to(ROOT / "gan_teach").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    assert part(path) in ORDER, f"{part(path)} is new: give it a place in ORDER"
    ours = [f"{name}.".split(".")[1] for name in imported(path) if f"{name}.".startswith("gan_teach.")]
    ours = {name if name in ORDER else "__init__" for name in ours}              # such as gan_teach.load
    later = [name for name in ours if ORDER.index(name) > ORDER.index(part(path))]
    assert not later, f"{part(path)} may not import {later}"


def test_a_papers_panels_import_no_other_papers():
    panels = [path for path in MODULES if path.parent.parent == ROOT / "gan_teach" / "widgets"]
    folders = {path.parent.name for path in panels}
    across = [f"{path.relative_to(ROOT)}: {name}" for path in panels for name in imported(path)
              if name.startswith("gan_teach.widgets.") and name.split(".")[2] in folders - {path.parent.name}]
    assert len(folders) == 3 and not across


@pytest.mark.parametrize("init", [p for p in MODULES if p.name == "__init__.py"],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_names_its_files(init):
    told = ast.get_docstring(ast.parse(init.read_text("utf-8")))
    files = [path.stem for path in init.parent.glob("*.py") if not path.stem.startswith("__")]
    assert [name for name in files if not re.search(rf"\b{name}\b", told)] == []


def test_what_outsiders_import():
    """Scripts rely on these names, from the room and whatever file they lie in."""
    from gan_teach import load
    from gan_teach.dissection import ablate, causal_effect, dissect, insert, optimise_alpha
    from gan_teach.egan import Evolution, fitness, heuristic, least_squares, minimax, select
    from gan_teach.stylegan import Generator, adain, mix, truncate
    from gan_teach.worlds import Portraits, Scenes
    assert all(map(callable, (load, ablate, causal_effect, dissect, insert, optimise_alpha, Evolution, fitness, select,
                              heuristic, least_squares, minimax, Generator, adain, mix, truncate, Portraits, Scenes)))


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) != "widgets"],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_only_widgets_import_a_widget_library(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"ipywidgets", "anywidget", "IPython"}


# ------------------------------------------------------------------------------------------ notebooks

def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_small_and_without_outputs(path):
    assert path.stat().st_size <= 300_000
    for cell in code_cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None
        assert len("".join(cell["source"]).splitlines()) <= 25
    # without its kernel's name in it, JupyterLab stops and asks
    assert json.loads(path.read_text("utf-8"))["metadata"]["kernelspec"]["name"] == "python3"


def test_every_chapter_opens_with_the_same_cell():
    """The same but for the numbers in it: the chapter's, and its minutes."""
    first = ["".join(code_cells(path)[0]["source"]) for path in NOTEBOOKS]
    assert all(len(cell.splitlines()) <= 6 and "banner(" in cell for cell in first)
    assert len({re.sub(r"banner\(.*\)", "banner()", cell) for cell in first}) <= 1


# ------------------------------------------------------------------------------------------ the tree

def test_no_file_holds_a_path_of_somebodys_machine():
    ours = re.compile(r"(?<![\w.])/(?:" + "|".join(["root", "work", "home", "tmp"]) + r")/[a-z]")
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path in git_files()
             if path.suffix not in {".safetensors", ".png", ".jpg", ".webp", ".npz"}
             and not path.name.startswith("t10k-")
             for match in ours.finditer(path.read_text("utf-8"))]
    assert not found


def test_ruff_is_content():
    command = [sys.executable, "-m", "ruff", "check", "."]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
