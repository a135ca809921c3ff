"""Slides of the path of 50 minutes, by one rule."""

import shutil

import pytest

from gan_teach.lessons import notebooks, slides


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
    assert not slides.write(copy), "write the slides again: gan_teach.lessons.slides.write(path)"
    kinds = [one["metadata"]["slideshow"]["slide_type"] for one in notebooks.read(chapter)]
    print(chapter, *(f"{kinds.count(kind)} {kind}" for kind in ("slide", "subslide", "-")))
    assert kinds.count("slide") >= 5 and kinds.count("-") >= 6
