"""Chapter 1 as a reader meets it: JupyterLab, Run All, then the dissection panel, in a real browser."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest

import browser

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium or Chrome on PATH to test in (Debian: apt-get install chromium)")

TINY = '''
import io
import ipywidgets as widgets
from PIL import Image
def png(level):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (level, 80, 80)).save(file, "PNG")
    return file.getvalue()
slider = widgets.IntSlider(value=0, max=8)
after = widgets.Image(value=png(0), format="png")
text = widgets.HTML("level: 0")
def draw(change):
    after.value = png(20 * slider.value)
    text.value = f"level: {slider.value}"
slider.observe(draw, "value")
for widget, hook in ((slider, "gt-slider"), (after, "gt-after"), (text, "gt-pixels")):
    widget.add_class(hook)
widgets.VBox([slider, after, text])
'''


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def chapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chapters") / "notebooks"     # JupyterLab saves outputs into what it runs
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with browser.jupyterlab(folder, tmp_path_factory.mktemp("jupyterlab")) as address:
        yield address


def test_the_harness_sees_pictures_change_and_errors_appear(page, tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, last in (("good", "'all is well'"), ("bad", "1 / 0")):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (TINY, last)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    with browser.jupyterlab(folder, tmp_path / "jupyterlab") as address:
        errors = browser.run_all(page, address.format(notebook="bad.ipynb"))
        assert errors == ["ZeroDivisionError: division by zero"]
        assert browser.run_all(page, address.format(notebook="good.ipynb")) == []
        before = browser.picture(page, "gt-after")
        assert browser.picture(page, "gt-after") == before
        page.locator(".gt-slider [role=slider]").first.focus()
        page.keyboard.press("ArrowRight")
        browser.wait_until(page, lambda: browser.picture(page, "gt-after") != before)
        browser.wait_until(page, lambda: page.locator(".gt-pixels").inner_text().strip() == "level: 1")


def tree_pixels(page) -> tuple[int, int]:
    """The tree pixels before and after, from the line under the panel's pictures."""
    text = page.locator(".gt-pixels").first.inner_text()
    found = re.search(r"tree pixels:\s*([\d,]+)\s*→\s*([\d,]+)", text)
    assert found, f"no tree pixels in {text!r}"
    before, after = (int(number.replace(",", "")) for number in found.groups())
    return before, after


def test_chapter_1_runs_and_its_panel_removes_the_trees(page, chapters):
    assert browser.run_all(page, chapters.format(notebook="01_gan_dissection.ipynb")) == []
    page.locator(".gt-after").first.scroll_into_view_if_needed()
    untouched = browser.picture(page, "gt-after")
    before, after = tree_pixels(page)
    assert before == after > 0, "the panel should open with nothing removed, on a picture with trees"

    page.locator(".gt-remove").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") != untouched)
    browser.wait_until(page, lambda: tree_pixels(page)[1] < 0.7 * before)
    assert tree_pixels(page)[0] == before

    page.locator(".gt-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") == untouched)
    assert tree_pixels(page) == (before, before)

    page.locator(".gt-slider [role=slider]").first.focus()      # the keyboard alone works it too
    page.keyboard.press("Home")
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") != untouched)
