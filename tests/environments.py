"""Environments that have what this one has, but for some packages: made of links in a second, nothing is fetched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB = {"ipywidgets": "7.7.1", "ipykernel": "6.17.1", "ipython": "7.34.0", "notebook": "6.5.7"}   # as of 2026-08-19
# what these need in other versions than this environment has, or has not at all
THEIRS = ("backcall", "decorator", "entrypoints", "ipython-genutils", "jupyter-client<8", "jupyterlab-widgets<3",
          "nbclassic", "nest-asyncio", "pickleshare", "widgetsnbextension<4")


def clean() -> dict[str, str]:
    """The variables of this process, but for those that would show another Python the packages of this one."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def without(folder: Path, *packages: str) -> Path:
    """A fresh virtual environment in `folder` that sees all installed packages but these, and nothing of this copy.

    Returns its Python. OSError where the system makes no links.
    """
    names = "|".join(package.replace("-", "[-_]") for package in packages)
    gone = re.compile(rf"(?:{names})(?:[-.].*)?$|__editable__|.*\.pth$")
    others = folder / "others"
    others.mkdir(parents=True)
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for item in Path(place).iterdir():
            if not gone.match(item.name):
                (others / item.name).symlink_to(item)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    Path(own, "others.pth").write_text(f"{others}\n")
    return python


def colab(folder: Path, *packages: str) -> Path:
    """An environment with Colab's own notebook, kernel and widgets, without gan-teach and these; the rest is ours.

    The four are older by years; pip fetches them. Its front end is Notebook 6, where anywidget is, as on Colab.
    """
    python = without(folder, "gan-teach", *COLAB, *packages)
    wanted = [*(f"{name}=={version}" for name, version in COLAB.items()), *THEIRS]
    command = ["-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--no-warn-script-location"]
    run(python, *command, *wanted, cwd=folder)
    for place in ("share/jupyter/nbextensions/anywidget", "etc/jupyter/nbconfig/notebook.d/anywidget.json"):
        if (ours := Path(sys.prefix, place)).exists():                                          # it serves no links
            (shutil.copytree if ours.is_dir() else shutil.copy)(ours, folder / "venv" / place)
    return python


def run(python: Path, *arguments, cwd: Path, **variables) -> subprocess.CompletedProcess:
    """Run the environment's Python in a folder, with nothing of this process's paths; AssertionError if it fails."""
    command = [python, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=clean() | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
