"""Chapters made small, as `catch_up` makes them: every cell stands and runs, and what takes minutes takes seconds.

So the suite runs them, by nbval, in a browser and by another kernel; `pytest notebooks --whole` runs each as a reader
does, minutes at a time.
"""

import re
from pathlib import Path

import nbformat

from gan_teach.lessons import notebooks
from gan_teach.lessons.catch_up import small


WATCHED = re.compile(r"(?m)^watch\((\w+), \d+")


def quick(cell: dict) -> str:
    """A code cell made small. A training that is only watched, which `catch_up` leaves out, has ten steps here."""
    return WATCHED.sub(r"watch(\1, 10", small(cell))


def shorten(items) -> None:
    """Make the code cells that pytest has collected small."""
    for item in items:
        item.cell.source = quick(item.cell)


def write(chapter: str, folder: Path) -> Path:
    """The notebook of a chapter, "01", in a folder; returns its path."""
    notebook = nbformat.read(notebooks.find(chapter), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = quick(cell)
    path = folder / notebooks.find(chapter).name
    nbformat.write(notebook, path)
    return path
