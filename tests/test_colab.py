"""The stack that Colab has: its own ipywidgets, ipykernel, IPython and notebook, laid over this environment.

These four are older by years. The panels' own tests run on them, and a chapter by their kernel, from a folder that pip
fills; nothing of this environment changes. Torch and the rest are this environment's.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small

ROOT = Path(__file__).resolve().parents[1]
STACK = {"ipywidgets": "7.7.1", "ipykernel": "6.17.1", "ipython": "7.34.0", "notebook": "6.5.7"}   # as of 2026-08-19
# what these need in other versions than this environment has, or has not at all
THEIRS = ("backcall", "decorator", "entrypoints", "ipython-genutils", "jupyter-client<8", "jupyterlab-widgets<3",
          "nbclassic", "nest-asyncio", "pickleshare", "widgetsnbextension<4")
PANELS = ("adain_panel", "every_panel", "evolution_panel", "interpolation_panel", "mixer", "noise_panel", "paint",
          "panel")


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> dict[str, str]:
    """The environment variables of a Python that sees Colab's stack first."""
    folder = tmp_path_factory.mktemp("colab")
    wanted = [f"{name}=={version}" for name, version in STACK.items()]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--target", folder]
    done = subprocess.run([*command, *wanted, *THEIRS], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))), "OMP_NUM_THREADS": "1",
                         "JUPYTER_PATH": str(folder / "share" / "jupyter")}


def run(colab, *command, timeout=900) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *command], env=colab, cwd=ROOT, capture_output=True, text=True,
                          timeout=timeout)


def test_it_is_colabs_stack_that_is_tried(colab):
    done = run(colab, "-c", "import ipywidgets, ipykernel, IPython, notebook\n"
               "print(*[m.__version__ for m in (ipywidgets, ipykernel, IPython, notebook)])")
    assert done.stdout.split() == list(STACK.values()), done.stderr[-2000:]


def test_the_panels_work_on_colabs_stack(colab):
    files = [f"tests/widgets/test_{name}.py" for name in PANELS]
    done = run(colab, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--tb=short", *files)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]


def test_a_chapter_runs_by_colabs_kernel(colab, tmp_path):
    chapter = small.write("00", tmp_path)
    done = run(colab, "-m", "nbconvert", "--execute", "--to", "notebook", "--output", "run.ipynb",
               "--ExecutePreprocessor.timeout=300", chapter)
    assert done.returncode == 0 and (tmp_path / "run.ipynb").exists(), done.stderr[-4000:]
