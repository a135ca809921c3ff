"""Which cells of a chapter its slides show, written into the notebooks:  python tests/slides.py

`jupyter nbconvert --to slides` of a notebook shows its path of 50 minutes. What a cell is to a slide show
stands in its metadata, {"slideshow": {"slide_type": …}}, by one rule:
    skip       a cell that is not on the path (`notes`), and the first code cell; what stands above that is shown
    slide      a text with the heading of the chapter or of a section
    subslide   any other text
    -          code: it stands below the text before it
"""

import json
import re
from pathlib import Path

from gan_teach.files import write_text
from gan_teach.lessons import notebooks


def slide_types(cells: list[dict]) -> list[str]:
    """The type of each cell (`notebooks.read`). A cell is on the path if the last one with minutes was."""
    found, on, opening = [], False, True
    for cell in cells:
        notes, text = cell["metadata"].get("gan_teach", {}), cell["source"]
        opens = cell["cell_type"] == "markdown" and re.search(r"(?m)^##? ", text) is not None
        if "minutes" in notes or opens:
            on = notes.get("path", False)
        kind = "-" if cell["cell_type"] == "code" else "slide" if opens else "subslide"
        opening = opening and kind != "-"
        found.append(kind if (on or opening) and "banner(" not in text else "skip")
    return found


def write(path: Path) -> bool:
    """Put the types into a notebook's metadata; returns whether the file has changed."""
    before = path.read_text("utf-8")
    notebook = json.loads(before)
    kinds = slide_types([{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]])
    for cell, kind in zip(notebook["cells"], kinds):
        cell["metadata"]["slideshow"] = {"slide_type": kind}
    after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if after != before:
        write_text(path, after)
    return after != before


if __name__ == "__main__":
    print(*(name for name, path in notebooks.chapters().items() if write(path)))
