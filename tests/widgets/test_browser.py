"""Chapters as a reader meets them: JupyterLab, Run All, then a panel worked by mouse and keys, in a real browser.

They are made small, as for a reader who comes late: here it is the place that is tried, not the sizes.
"""

import re
from pathlib import Path

import browser
import nbformat
import pytest
import small

from gan_teach.widgets.dissection.paint_canvas import paint_canvas
from gan_teach.widgets.paint_mask import mask_canvas

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
def errors(page):
    """What the console complains of, from the first chapter on."""
    return browser.console_errors(page)


# Two pictures, the second after a stroke; and a page on which anywidget's patience of 2 s is over before it begins.
LATE = """
import io
from PIL import Image
from gan_teach.widgets.dissection.paint_canvas import paint_canvas
canvas = paint_canvas((8, 8), 256, 64, "drag")
def show(level):
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (level, 80, 80)).save(file, "PNG")
    canvas.show(file.getvalue(), f"level {level}", cells="0" * 64)
show(0)
canvas.observe(lambda change: show(200), "stroke")
canvas
"""
IMPATIENT = "const own = AbortSignal.timeout; AbortSignal.timeout = ms => own.call(AbortSignal, ms === 2000 ? 0 : ms)"


def write(path: Path, *cells: str) -> None:
    """A notebook of these cells. It names its kernel: JupyterLab would ask for one."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def chapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chapters") / "notebooks"     # JupyterLab saves outputs into what it runs
    folder.mkdir()
    for chapter in ("00", "01"):
        small.write(chapter, folder)
    gone = "from gan_teach.widgets import MutationPanel\nMutationPanel()"
    clothes = 'shown("clothes", EvolutionLab(pictures="fashion"))'
    for name, *cells in (("tiny", TINY, "1 / 0"), ("late", LATE), ("gone", gone),
                         ("panels", *browser.PANEL_CELLS, clothes)):
        write(folder / f"{name}.ipynb", *cells)
    with browser.jupyterlab(folder, tmp_path_factory.mktemp("jupyterlab")) as address:
        yield address


def test_where_there_is_no_browser_a_test_is_left_out_and_in_ci_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "CHROMIUM", None)
    for said, outcome in (("", pytest.skip.Exception), ("1", pytest.fail.Exception)):
        monkeypatch.setenv("GAN_TEACH_NO_SKIP", said)
        with pytest.raises(outcome, match="no Chromium"), browser.chromium(tmp_path):
            pass


def test_the_harness_sees_pictures_change_and_errors_appear(page, chapters):
    errors = browser.run_all(page, chapters.format(notebook="tiny.ipynb"))
    assert errors == ["ZeroDivisionError: division by zero"]
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


def test_chapter_1_runs_and_its_panel_removes_the_trees(page, errors, chapters):
    assert browser.run_all(page, chapters.format(notebook="01_gan_dissection.ipynb")) == []
    page.locator(".gt-after").first.scroll_into_view_if_needed()
    untouched = browser.picture(page, "gt-after")
    before, after = tree_pixels(page)
    assert before == after > 0, "the panel should open with nothing removed, on a picture with trees"

    page.locator(".gt-remove").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") != untouched)
    browser.wait_until(page, lambda: tree_pixels(page)[1] < 0.7 * before)
    assert tree_pixels(page)[0] == before
    browser.keep(page, "lab-dissection", "gt-dissection")

    page.locator(".gt-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") == untouched)
    assert tree_pixels(page) == (before, before)

    page.locator(".gt-slider [role=slider]").first.focus()      # the keyboard alone works it too
    page.keyboard.press("Home")
    browser.wait_until(page, lambda: browser.picture(page, "gt-after") != untouched)
    assert not errors


def test_the_warm_up_runs_and_its_players_take_turns(page, errors, chapters):
    assert browser.run_all(page, chapters.format(notebook="00_warm_up.ipynb")) == []
    page.locator(".gt-warm-up").first.scroll_into_view_if_needed()
    start = browser.picture(page, "gt-plane")
    page.locator(".gt-d").first.click()                         # D learns: the ground under the dots changes
    browser.wait_until(page, lambda: browser.picture(page, "gt-plane") != start)
    after_d = browser.picture(page, "gt-plane")
    page.locator(".gt-g").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-plane") != after_d)
    browser.keep(page, "lab-warm-up", "gt-warm-up")
    page.locator(".gt-back").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-plane") == after_d)
    page.locator(".gt-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-plane") == start)
    assert not errors


def test_a_page_that_was_busy_for_too_long_has_its_picture_and_hears_more(page, chapters):
    """… where anywidget alone would let its model hear nothing any more."""
    late = page.context.new_page()
    late.add_init_script(IMPATIENT)
    assert browser.run_all(late, chapters.format(notebook="late.ipynb")) == []
    shown = late.locator("img.gt-painted").first
    browser.wait_until(late, lambda: shown.get_attribute("alt") == "level 0")
    first = browser.picture(late, "gt-painted")
    late.locator(".gt-canvas").first.click()
    browser.changed(late, "gt-painted", first)
    assert shown.get_attribute("alt") == "level 200"
    late.close()


def test_a_panel_without_its_kernel_says_what_to_do(page, chapters):
    """… and nothing while it lives: the line appears when the kernel is restarted, and still after the page is."""
    page = page.context.new_page()                              # of its own: its console complains of the restart
    address, line = chapters.format(notebook="gone.ipynb"), page.locator(".gt-gone")

    def seen() -> bool:
        return line.is_visible() and line.bounding_box()["height"] > 10

    assert browser.run_all(page, address) == []
    page.locator(".gt-mutation-chart svg").first.wait_for()
    page.wait_for_timeout(6000)                                 # the line takes 5 s to come
    assert line.count() == 1 and not line.is_visible()
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    browser.wait_until(page, seen)
    assert "Run this cell again" in line.inner_text()
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.goto(address)
    browser.wait_until(page, seen)
    page.close()


@pytest.fixture(scope="module")
def panels(page, errors, chapters):
    """The page, with the notebook of all panels: after the chapters, for it stays open."""
    assert browser.run_all(page, chapters.format(notebook="panels.ipynb")) == []
    return page


def fresh(page, name: str) -> None:
    """Bring a panel into sight and to its beginning, wherever an earlier try has left it."""
    panel = page.locator(f".on-{name}")
    panel.scroll_into_view_if_needed()
    for rule in panel.locator(".gt-evo-selection select").all():
        rule.select_option("best")
    panel.locator("button[class*='-reset']").first.click()
    page.wait_for_timeout(500)


def test_every_panel_answers_to_mouse_and_keys(panels, errors):
    browser.work_every_panel(panels, "lab")
    assert not errors


def test_the_mouse_paints_in_jupyterlab(panels):
    """… whose own shortcuts and drags must not get in the way."""
    fresh(page := panels, "paint")
    canvas = page.locator(".gt-canvas").first
    canvas.scroll_into_view_if_needed()
    browser.wait_until(page, lambda: page.locator("img.gt-painted").first.get_attribute("src"))
    first, box = browser.picture(page, "gt-painted"), canvas.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.72 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.72 * box["height"], steps=8)
    page.mouse.up()
    browser.wait_until(page, lambda: browser.picture(page, "gt-painted") != first)
    browser.keep(page, "lab-paint", "gt-paint-panel")
    page.locator(".gt-paint-undo").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-painted") == first)
    canvas.focus()                                              # the keyboard paints too
    for key in ("ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    browser.wait_until(page, lambda: browser.picture(page, "gt-painted") != first)
    page.locator(".gt-paint-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-painted") == first)


# A canvas without a kernel: a model that remembers what was `sent`, and answers each stroke.
ALONE = """async ([esm, state]) => {
    const heard = {}, sent = window.sent = [];
    const model = {
        get: name => state[name], on: (name, act) => { heard[name] = act; }, off() {},
        set(name, value) { state[name] = value; if (name !== "asked") sent.push(value.points ?? value); },
        save_changes() { state.answered = state.stroke?.seq; setTimeout(() => heard["change:answered"]?.()); } };
    const { default: widget } = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
    document.body.replaceChildren();
    widget.render({ model, el: document.body });
}"""


@pytest.mark.parametrize("make", [lambda: mask_canvas(8, 8, paint="drag"),
                                  lambda: paint_canvas((8, 8), 256, 64, "drag")], ids=["mask", "strokes"])
def test_the_right_button_and_a_second_finger_paint_nothing_and_end_no_stroke(page, make):
    page, widget = page.context.new_page(), make()

    def begin() -> list:
        page.evaluate(ALONE, [widget._esm, widget.get_state()])
        box = page.locator("canvas").bounding_box()
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"])
                for x, y in ((0.2, 0.2), (0.6, 0.2), (0.8, 0.8))]

    def sent() -> list:
        page.wait_for_timeout(300)                              # the canvases wait for 80 ms
        return page.evaluate("sent")

    begin()
    browser.drag(page, page.locator("canvas"), 60, button="right")
    assert not sent()
    *way, corner = begin()
    browser.swipe(page, [corner])
    alone = sent()[-1]
    begin()
    browser.swipe(page, way, still=corner)
    assert alone and sent() and all(said == alone for said in sent())
    begin()
    browser.swipe(page, way)
    line = sent()[-1]
    begin()
    browser.swipe(page, way, tapped=corner)
    assert sent()[-1] == line != alone
    page.close()


def chosen(page) -> str:
    """What the mixer says about the large picture."""
    return page.locator(".gt-mix-text").first.inner_text()


def test_styles_are_mixed_by_click_and_by_key(panels):
    fresh(page := panels, "mixer")
    grid = page.locator(".gt-mix-grid").first
    grid.scroll_into_view_if_needed()
    browser.wait_until(page, lambda: page.locator("img.gt-mix-sheet").first.get_attribute("src"))
    first, said = browser.picture(page, "gt-mix-large"), chosen(page)

    sheet = page.locator("img.gt-mix-sheet").first.bounding_box()        # 1 + 2 rows, 1 + 4 columns: the last place
    page.mouse.click(sheet["x"] + sheet["width"] * 0.95, sheet["y"] + sheet["height"] * 0.95)
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") != first)
    assert chosen(page) != said
    last, said = browser.picture(page, "gt-mix-large"), chosen(page)

    grid.focus()
    page.keyboard.press("ArrowLeft")
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") != last and chosen(page) != said)
    page.keyboard.press("ArrowRight")
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") == last)

    figure = browser.picture(page, "gt-mix-sheet")
    page.locator(".gt-mix-layer input").nth(9).click()                   # a fine layer more from the source
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") != last)
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-sheet") != figure)
    browser.keep(page, "lab-mixer", "on-mixer")
    page.locator(".gt-mix-undo").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") == last)
    page.locator(".gt-mix-psi [role=slider]").first.focus()
    page.keyboard.press("ArrowLeft")
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") != last)
    page.locator(".gt-mix-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-mix-large") == first)


def generation(page) -> int:
    """How far the evolution is, from the line above its picture."""
    text = page.locator(".gt-evo-main_note").first.inner_text()
    found = re.search(r"[Gg]eneration\s+([\d,]+)", text)
    assert found, f"no generation in {text!r}"
    return int(found[1].replace(",", ""))


def test_a_class_evolves_points_steps_plays_pauses_and_chooses(panels):
    fresh(page := panels, "lab")
    start = browser.picture(page, "gt-evo-main")
    page.locator(".gt-evo-phase").first.click()                 # D learns: its field changes
    browser.wait_until(page, lambda: browser.picture(page, "gt-evo-main") != start)
    before = generation(page)
    page.locator(".gt-evo-play").first.click()
    browser.wait_until(page, lambda: generation(page) > before + 20)
    browser.wait_until(page, lambda: page.get_by_text("| Idle").count() > 0)       # while it plays the kernel is free
    page.locator(".gt-evo-play").first.click()
    page.locator(".gt-evo-play:has-text('Play')").first.wait_for()
    page.wait_for_timeout(1500)
    still = generation(page)
    page.wait_for_timeout(1000)
    assert generation(page) == still

    page.locator(".gt-evo-selection select").first.select_option("mine")
    page.locator(".gt-evo-generation").first.click()            # waits with judged children for a choice
    choice = page.locator(".gt-evo-choose:visible").nth(1)
    choice.wait_for()
    browser.keep(page, "lab-evolution-my-choice", "on-lab")
    now = generation(page)
    choice.click()
    browser.wait_until(page, lambda: generation(page) > now)
    assert page.locator(".gt-evo-error").first.inner_text().strip() == ""
    page.locator(".gt-evo-reset").first.click()
    browser.wait_until(page, lambda: browser.picture(page, "gt-evo-main") == start)


@pytest.mark.parametrize("slow", [False, True], ids=["a page at rest", "a slow page"])
@pytest.mark.parametrize("name, hook", [("lab", "evo-"), ("clothes", "evo-"), ("players", ""),
                                        ("projection", "projection-")])
def test_pause_is_answered_at_once(panels, name, hook, slow):
    """Never more frames on their way than the page has shown: after Pause come the one on its way, and the last."""
    fresh(page := panels, name)
    scene, play = f".on-{name} .gt-{hook}scene", f".on-{name} .gt-{hook}play"
    page.locator(play).first.scroll_into_view_if_needed()
    page.locator(f"{scene} img").first.wait_for()
    if name == "players":
        page.locator(".gt-speed button:has-text('fast')").first.click()
    if name == "projection":
        page.locator(".gt-projection-steps input").fill("5000")
        page.keyboard.press("Tab")
    assert browser.paused(page, scene, play, slow) <= 2
    browser.keep(page, f"lab-paused-{name}", f"on-{name}")
