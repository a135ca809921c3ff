"""Slides of the path of 50 minutes, by one rule."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
import slides

from gan_teach.files import notebooks_folder
from gan_teach.lessons import notebooks


def cell(source, kind="markdown", **given):
    return {"cell_type": kind, "source": source, "metadata": {"gan_teach": given} if given else {}}


def test_the_rule():
    assert slides.slide_types([
        cell("# Title"), cell("banner(1)", "code"), cell("## 1. One", minutes=4, path=True), cell("x", "code"),
        cell("More."), cell("### A half\n\nat home", minutes=2), cell("y", "code"), cell("And."),
        cell("<details>Yes.</details>\n\n## 2. Two", minutes=3, path=True), cell("z", "code"), cell("## Reading"),
    ]) == ["slide", "skip", "slide", "-", "subslide", "skip", "skip", "skip", "slide", "-", "skip"]


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_every_notebook_says_what_the_rule_says(chapter, tmp_path):
    path = notebooks.find(chapter)
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    assert not slides.write(copy), "write the slides again: python tests/slides.py"
    kinds = [one["metadata"]["slideshow"]["slide_type"] for one in notebooks.read(chapter)]
    print(chapter, *(f"{kinds.count(kind)} {kind}" for kind in ("slide", "subslide", "-")))
    assert kinds.count("slide") >= 5 and kinds.count("-") >= 6
    assert max(len(row) for one in notebooks.read(chapter) for row in one["source"].splitlines()
               if one["cell_type"] == "code") <= 120, "a slide has no room for more"
    late = [one["id"] for one in notebooks.read(chapter)[1:]
            if one["cell_type"] == "markdown" and "\n## " in one["source"] and not one["source"].startswith("#")]
    assert not late, "an answer above a heading goes to the next section's slide, or is left out with it"


def test_the_line_for_a_hall_without_a_network_makes_the_slides_of_the_rule(tmp_path):
    """All that the page needs is beside it; what it draws diagrams with, of which we have none, may be missing."""
    pytest.importorskip("nbconvert")
    page = (notebooks_folder() / "TEACHING.md").read_text("utf-8").replace("\\\n", "")
    lines = re.findall(r"(?m)^jupyter (nbconvert --to slides .*)$", page)
    assert len(lines) == page.count("nbconvert --to slides") == 2
    assert page.count("reveal_scroll=True") == 2, "long slides would be cut off"
    assert page.count("reveal_width=1540") == 2, "lines of 120 columns would be cut off"
    line = shlex.split(lines[1].replace(" --execute", ""))
    shutil.copy(notebooks.find(line[-1]), tmp_path)
    subprocess.run([sys.executable, "-m", *line], cwd=tmp_path, check=True, capture_output=True, timeout=600)
    shown = (tmp_path / line[-1]).with_suffix(".slides.html").read_text("utf-8")
    assert "var scroll = true" in shown
    kinds = [kind for kind in slides.slide_types(notebooks.read(line[-1])) if kind != "skip"]
    assert shown.count("<section>") == 2 * kinds.count("slide") + kinds.count("subslide")     # a column, and each in it
    assert shown.count('class="jp-Cell jp-CodeCell') == kinds.count("-") > 5
    asked = re.findall(r'(?:<script[^>]* src=|<link[^>]* href=|import mermaid from )["\']([^"\']+)', shown)
    asked += re.findall(r'"([^"]+/(?:dist|plugin)/[^"]+[.]js)"', shown)
    assert len(asked) >= 7 and [url for url in asked if not url.startswith("node_modules/")] == [
        url for url in asked if "mermaid" in url]
