"""The stack that Colab has: its own ipywidgets, ipykernel, IPython and notebook, in an environment of its own.

These four are older by years. The panels' own tests run on them, chapters by their kernel, and panels in a browser by
Notebook 6. Python, torch and the rest are this environment's: they are linked, and torch was built for this Python.
`pytest tests/test_colab.py --colab` runs every chapter, and every chapter without torchmetrics and anywidget.
"""

import re
import subprocess
from pathlib import Path

import browser
import environments
import nbformat
import pytest
import small
from test_browser import write

from gan_teach.lessons import notebooks

ROOT = Path(__file__).resolve().parents[1]
PANELS = ("adain_panel", "every_panel", "evolution_panel", "interpolation_panel", "mixer", "noise_panel", "paint",
          "panel", "playing")
VARIABLES = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
BARE = ("torchmetrics", "lightning-utilities", "anywidget")                 # what a reader there may not have
MISSING = "it needs the package"                                            # the chapter's own words for it
USERS = r"\b(PaintPanel|DissectionPanel|StyleMixer|frechet_distance|inception_score)\("


def pytest_generate_tests(metafunc):
    every = [*notebooks.chapters()] if metafunc.config.getoption("--colab") else None
    for name, few in (("number", ["00", "02"]), ("bare_number", ["02"])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, every or few)


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Path:
    """The Python of an environment with Colab's stack."""
    return environments.colab(tmp_path_factory.mktemp("colab"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The same without what a reader may lack."""
    return environments.colab(tmp_path_factory.mktemp("bare"), *BARE)


def run(colab, *command, timeout=900) -> subprocess.CompletedProcess:
    return subprocess.run([colab, *command], env=environments.clean() | VARIABLES, cwd=ROOT, capture_output=True,
                          text=True, timeout=timeout)


def test_it_is_colabs_stack_that_is_tried(colab):
    done = run(colab, "-c", "import ipywidgets, ipykernel, IPython, notebook\n"
               "print(*[m.__version__ for m in (ipywidgets, ipykernel, IPython, notebook)])")
    assert done.stdout.split() == list(environments.COLAB.values()), done.stderr[-2000:]


# What is the same on every stack is not tried again: what is drawn without a widget, in which thread, what a state
# refuses (one panel is enough); nor what hypothesis asks, which would read all of torch for constants, since it is
# linked there.
OURS = ("-m", "not hypothesis",
        "-k", "not (render_is_pure or newest_state_wins or keep_no_graph or (cannot_be_drawn and not interpolation))")


def test_the_panels_work_on_colabs_stack(colab):
    files = [f"tests/widgets/test_{name}.py" for name in PANELS]
    done = run(colab, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--tb=short", *OURS, *files)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]


def executed(python: Path, number: str, folder: Path) -> str:
    """Run a chapter, made small, by this Python's kernel; returns what its cells printed. Its errors end the test."""
    chapter = small.write(number, folder)
    done = run(python, "-m", "nbconvert", "--execute", "--to", "notebook", "--output", "run.ipynb",
               "--ExecutePreprocessor.timeout=600", chapter, timeout=3600)
    assert done.returncode == 0, done.stderr[-4000:]
    cells = nbformat.read(folder / "run.ipynb", as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


def test_a_chapter_runs_by_colabs_kernel(colab, tmp_path, number):
    assert MISSING not in executed(colab, number, tmp_path)


def test_a_chapter_runs_without_torchmetrics_and_anywidget(bare, tmp_path, bare_number):
    """… and says what it leaves out, where it would use them."""
    told = [line for line in executed(bare, bare_number, tmp_path).splitlines() if MISSING in line]
    assert len(set(told)) == len(told), "each is told once"
    code = "".join(cell["source"] for cell in notebooks.read(bare_number) if cell["cell_type"] == "code")
    assert told or not re.search(USERS, code)


def test_every_panel_answers_to_mouse_and_keys_in_notebook_6(colab, tmp_path):
    """Those of anywidget and those of the core; and the console has no errors."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write(folder / "panels.ipynb", *browser.PANEL_CELLS)
    with browser.chromium(tmp_path) as page, browser.served(
            [colab, "-m", "notebook"], tmp_path / "server", folder, environments.clean() | VARIABLES) as (_, address):
        errors = browser.console_errors(page)
        assert browser.run_all_classic(page, address.format("notebooks/panels.ipynb")) == []
        browser.work_every_panel(page, "notebook-6")
        old = "nbextensions/widgets/notebook/js/extension"          # Notebook 6 may look for ipywidgets 4 first
        assert [error for error in errors if old not in error] == []
