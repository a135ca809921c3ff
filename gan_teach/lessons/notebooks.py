"""The notebooks as files: to find one by its chapter, and to copy all of them beside a reader who has the package."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from .. import language
from ..files import notebooks_folder, to_write, writing
from ..language import say
from ..limits import whole
from ..networks.protocols import check_name


def chapters() -> dict[str, Path]:
    """Every chapter's notebook by its number as the file has it: "00", "01", "01b", …"""
    return {path.name.split("_")[0]: path for path in sorted(notebooks_folder().glob("[0-9]*_*.ipynb"))}


def number(chapter: int | str) -> str:
    """A chapter's number as its file has it: of 2, "2", "02" or "02_stylegan.ipynb". What has none stays as it is."""
    found = re.match(r"(\d+)([a-z]?)(?:_|$)", str(chapter))
    return f"{int(found[1]):02}{found[2]}" if found else str(chapter)


def find(chapter: int | str) -> Path:
    """The notebook of a chapter, by its `number`. ValueError for one that is not there."""
    there, name = chapters(), number(chapter)
    check_name("chapter", name, tuple(there))
    return there[name]


def edition(chapter: int | str, language: str = language.ENGLISH) -> Path:
    """The notebook of a chapter in a language, or the English one where there is no other."""
    path = find(chapter)
    other = path.parent / language / path.name
    return other if other.exists() else path


def read(chapter: int | str, language: str = language.ENGLISH) -> list[dict]:
    """The cells of a chapter's notebook, each with its source as one string; in a language if there is that edition."""
    cells = json.loads(edition(chapter, language).read_text("utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def sections(chapter: int | str) -> dict[str, list[dict]]:
    """The code cells of each section of a chapter, by its number; "" are those before the first."""
    found, number = {"": []}, ""
    for cell in read(chapter):
        if cell["cell_type"] == "code":
            found[number].append(cell)
        else:
            for number in re.findall(r"(?m)^## (\d+)\.", cell["source"]):
                found[number] = []
    return found


def run(path: Path) -> dict:
    """A notebook as nbformat has it, with the outputs of all its cells; it is run in its folder (minutes).

    The language is that of its edition; nobody's progress is noted. RuntimeError where nbclient is missing, and where a
    cell raises or takes more than an hour.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellControlSignal, DeadKernelError
    except ImportError as error:
        raise RuntimeError(f'notebooks are run by nbclient: pip install "gan-teach[lab]" ({error})') from error
    notebook = nbformat.read(path, as_version=4)
    environment = {key: value for key, value in os.environ.items() if key != "GAN_TEACH_LANG"}
    client = NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute(env=environment | {"GAN_TEACH_PROGRESS": "off"})
    except (CellControlSignal, DeadKernelError) as error:
        raise RuntimeError(f"{path} does not run to its end: {error}") from error
    return notebook


def copy(to: Path) -> tuple[list[str], list[str]]:
    """Copy the notebooks, in all languages, into `to`; returns the names of those copied, and of those that differ.

    A file that is there already is the reader's work: nothing is ever written over it.
    """
    copied, kept = [], []
    for path in [*chapters().values(), *sorted(notebooks_folder().glob("??/*.ipynb"))]:       # zh/: another language
        text, name = path.read_bytes(), path.relative_to(notebooks_folder()).as_posix()
        to_write(to / name)
        if not (to / name).exists():
            with writing(to / name) as temporary:            # a part of one would be taken for the reader's
                temporary.write_bytes(text)
            copied.append(name)
        elif (to / name).read_bytes() != text:
            kept.append(name)
    return copied, kept


def lab(to: Path, serve: bool = True, browser: bool = True, port: int | None = None) -> int:
    """Copy the notebooks into `to` and, if asked, serve them in JupyterLab until Ctrl-C; returns the exit status."""
    if serve and importlib.util.find_spec("jupyterlab") is None:
        raise ImportError('JupyterLab is not installed: pip install "gan-teach[lab]"')
    if port is not None:
        whole("port", port, 1, 65535)
    copied, kept = copy(to)
    print(say("copied into {to}: {names}", to=to, names=", ".join(copied) or say("nothing, all notebooks are there")),
          flush=True)
    if kept:
        print(say("left as you have them: {names} (rename one to get it fresh)", names=", ".join(kept)), flush=True)
    if not serve:
        return 0
    first = to / ("" if language.current() == language.ENGLISH else language.current()) / "00_warm_up.ipynb"
    command = [sys.executable, "-m", "jupyterlab", str(first), f"--ServerApp.root_dir={to}",    # links lead to all
               *([] if browser else ["--no-browser"]), *([] if port is None else [f"--ServerApp.port={port}"]),
               *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    if os.name != "nt":                                                 # in our place: the memory we hold is free again
        os.execv(sys.executable, command)
    try:
        return subprocess.run(command).returncode
    except KeyboardInterrupt:                                           # Ctrl-C in the terminal reached JupyterLab too
        return 0
