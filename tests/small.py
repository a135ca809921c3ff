"""Chapters made small, as `catch_up` makes them: every cell stands and runs, and what takes minutes takes seconds.

For tests of where a chapter runs (a browser, another kernel); nbval runs each chapter once as it is.
"""

from pathlib import Path

import nbformat

from gan_teach.lessons import notebooks
from gan_teach.lessons.catch_up import small


def write(chapter: str, folder: Path) -> Path:
    """The notebook of a chapter, "01", in a folder; returns its path."""
    notebook = nbformat.read(notebooks.find(chapter), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = small(cell)
    path = folder / notebooks.find(chapter).name
    nbformat.write(notebook, path)
    return path
