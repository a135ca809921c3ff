"""The notes with small pictures beside them: of a notebook that is run, and of a chapter that was run before."""

import base64
import io
import json
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

from gan_teach import language, pictures
from gan_teach.__main__ import main
from gan_teach.lessons import notebooks, notes, thumbnails

WIDE = pictures.png(np.full((30, 900, 3), 200, dtype=np.uint8))


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv("GAN_TEACH_LANG", "zh")
    yield language.use()
    monkeypatch.undo()
    language.use()


def cell(name, source, kind="code", outputs=(), **given):
    code = {"outputs": list(outputs), "execution_count": None} if kind == "code" else {}
    return {"id": name, "cell_type": kind, "source": source, "metadata": {"gan_teach": given} if given else {}, **code}


def saved(path, *cells):
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def table(*rows, **given):
    """An output of a cell that shows these pictures."""
    html = pictures.show(*rows, **given)._repr_html_()
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/html": [html]}}


def drawn_in(page):
    """(alt text, its width by the style, the picture) of a page."""
    found = re.findall(r'<img class="" alt="([^"]*)" style="width:(\d+)px;[^"]*" src="data:image/jpeg;base64,([^"]*)"',
                       page)
    assert len(found) == page.count("<img")
    return [(unescape(alt), int(width), Image.open(io.BytesIO(base64.b64decode(data)))) for alt, width, data in found]


def test_a_notebook_is_run_and_each_section_has_what_its_cells_draw(tmp_path, monkeypatch, capsys):
    saved(tmp_path / "07_small.ipynb",
          cell("title", "# Small & <b>", "markdown"),
          cell("one", "## 1. One `<i>` ★\n\n**Predict:** is *a* < b, `x*y*z` [there](a.ipynb)?", "markdown", minutes=6,
               path=True, answer="Yes.", mistakes="No."),
          cell("draw", "import numpy as np\nfrom gan_teach.pictures import show\n"
                       "show([[np.zeros((9, 600)), None], [np.ones((9, 600)), np.ones((9, 9))]],\n"
                       "     titles=[['<b>', ''], ['c', 'd']], alt='lines & \"dots\"')"),
          cell("two", "## 2. Two", "markdown"),
          cell("plain", "from IPython.display import Image\nfrom gan_teach.pictures import png\n"
                        "Image(png(np.ones((40, 700))))"),
          cell("panel", "import ipywidgets\nipywidgets.IntSlider()"))
    monkeypatch.setattr(notebooks, "notebooks_folder", lambda: tmp_path)
    assert main(["notes", "7", "--pictures", str(tmp_path / "to")]) == 0
    assert str(tmp_path / "to" / "07_small.html") in capsys.readouterr().out
    page = (tmp_path / "to" / "07_small.html").read_text("utf-8")
    assert "<h1>Small &amp; &lt;b&gt;</h1>" in page and '<html lang="en">' in page
    one, two = page.split("<section ")[1:]
    assert "One <code>&lt;i&gt;</code> ★</h2><p>6 min, on the path</p>" in one
    assert "<b>Predict:</b> is <i>a</i> &lt; b, <code>x*y*z</code> there?</dd>" in one
    assert "<dd>Yes.</dd>" in one and "<dd>No.</dd>" in one
    lines, plain = drawn_in(one), drawn_in(two)
    assert [alt for alt, *_ in lines] == [f'lines & "dots" (row {row}, column {column})'
                                          for row, column in ((1, 1), (2, 1), (2, 2))]
    assert [(width, image.size) for _, width, image in lines] == [(159, (159, 2))] * 2 + [(9, (9, 9))]
    assert ">&lt;b&gt;<img" in one and ">c<img" in one and '<td style="width:159px"></td>' in one
    (alt, width, image), = plain
    assert alt == "<IPython.core.display.Image object>" and width == 319 and image.size == (319, 18)
    assert two.index("<img") < two.index('<p class="panel">')
    assert not re.search(r"<script|(?:src|href)=\"(?!data:)", page)


def test_a_chapter_that_was_run_is_shown_in_the_readers_language(tmp_path, chinese):
    cells = notebooks.read(3)
    for number, one in enumerate(cells):
        if one["cell_type"] == "code" and one["id"] != "setup":
            one["outputs"] = [table(WIDE, alt=f"x{number}")]
    run = saved(tmp_path / "mine.ipynb", *cells)
    page = thumbnails.write(3, tmp_path / "to", run)
    assert page == tmp_path / "to" / "zh" / "03_evolutionary_gan.html"
    text = page.read_text("utf-8")
    assert '<html lang="zh">' in text and len(drawn_in(text)) == sum("outputs" in one for one in cells) - 1
    numbers = {one["id"]: number for number, one in enumerate(cells)}
    shown = [part for part in text.split("<section ")[1:] if "<img" in part]
    found = [s for s in notes.sections(notebooks.read(3, "zh")) if set(s.code) - {"setup"}]
    for part, section in zip(shown, found, strict=True):
        assert f"<h2>{section.title}</h2>" in part and re.search("[一-鿿]", section.title)
        assert [alt for alt, *_ in drawn_in(part)] == [f"x{numbers[name]}" for name in section.code
                                                       if name != "setup"]


def test_what_has_other_code_is_not_shown_and_a_file_without_a_picture_is_refused(tmp_path, monkeypatch, capsys):
    first, second = cell("a", "1"), cell("b", "2")
    saved(tmp_path / "07_small.ipynb", cell("t", "# T", "markdown"), first, second)
    monkeypatch.setattr(notebooks, "notebooks_folder", lambda: tmp_path)
    run = saved(tmp_path / "run.ipynb", {**first, "outputs": [table(WIDE, alt="mine")]},
                {**second, "source": "3", "outputs": [table(WIDE, alt="other")]})
    assert [alt for alt, *_ in drawn_in(thumbnails.write(7, tmp_path / "to", run).read_text("utf-8"))] == ["mine"]
    nothing = saved(tmp_path / "odd.ipynb", {"id": "a"}, {})
    with pytest.raises(ValueError, match="odd.ipynb has no picture of 07_small.ipynb"):
        thumbnails.write(7, tmp_path / "to", nothing)
    unrun = ["notes", "7", "--pictures", str(tmp_path / "to"), "--executed", str(tmp_path / "07_small.ipynb")]
    assert main(unrun) == 1 and "has no picture of 07_small.ipynb" in capsys.readouterr().err
    assert main(["notes", "7", "--executed", str(run)]) == 1 and "--pictures DIR" in capsys.readouterr().err
