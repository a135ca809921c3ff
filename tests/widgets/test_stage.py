"""The page on the projector: what is written for Voilà, what is said when it cannot start, and painting on it."""

import ast
import base64
import importlib.util
import inspect
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import browser
import ipywidgets as widgets
import nbformat
import numpy as np
import psutil
import pytest
from PIL import Image

from gan_teach import language
from gan_teach.__main__ import parser
from gan_teach.widgets import charts, demonstrations, stage
from gan_teach.widgets.demonstrations import STEPS
from gan_teach.widgets.egan import evolution_charts, mutations, warm_up_render
from gan_teach.widgets.stylegan import adain_render

needs_voila = pytest.mark.usefixtures("voila")


@pytest.fixture(scope="module")
def voila():
    if importlib.util.find_spec("voila") is None:
        browser.missing('no Voilà to serve the page (pip install "voila>=0.5")')


class Panel:
    def __init__(self):
        self.widget = widgets.HTML("a panel")


def test_one_panel_is_shown_at_a_time(monkeypatch):
    panels = {"Paint": Panel(), "Dissect": Panel()}
    monkeypatch.setitem(stage.DEMOS, "two", ("Two panels & a title", lambda: iter([panels])))
    page, = stage.opening("two")
    head, *shown = page.children
    title, (tabs, look) = head.children[0], head.children[1].children
    assert "Two panels &amp; a title" in title.value and "gt-theme" in look.value and "gt-full" in look.value
    assert shown == [p.widget for p in panels.values()] and tabs.options == ("Paint", "Dissect")
    assert [w.layout.display or "" for w in shown] == ["", "none"]      # then the page switches


def test_what_goes_wrong_at_the_start_is_told_on_the_page(monkeypatch):
    def broken():
        raise FileNotFoundError("there is no <weights>")
        yield

    monkeypatch.setitem(stage.DEMOS, "broken", ("Broken", broken))
    page, = stage.opening("broken")
    assert "there is no &lt;weights&gt;" in page.value and "Ctrl-C" in page.value


def test_a_page_is_made_step_by_step(monkeypatch):
    def make():
        yield
        yield
        yield {"one": Panel(), "two": Panel()}

    monkeypatch.setitem(stage.DEMOS, "steps", ("Steps", make))
    steps = list(stage.opening("steps"))
    assert steps[:2] == [None, None] and len(steps) == 3 and len(steps[2].children) == 3

    def breaks():
        yield
        raise OSError("no <room>")

    monkeypatch.setitem(stage.DEMOS, "breaks", ("Breaks", breaks))
    first, told = stage.opening("breaks")
    assert first is None and "no &lt;room&gt;" in told.value


def test_the_page_is_a_notebook_of_a_cell_a_step(tmp_path):
    path = stage.write_page(tmp_path, "dissection", "dark")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source == "from gan_teach.widgets.stage import opening\nsteps = opening('dissection')"
    assert [cell.source for cell in notebook.cells[1:]] == ["next(steps, None)"] * len(STEPS["dissection"])
    template = tmp_path / "voila" / "templates" / "gan_teach"
    assert json.loads((template / "conf.json").read_text()) == {"base_template": "lab"}
    for path in template.iterdir():
        assert "://" not in path.read_text("utf-8"), path                       # nothing from the network
    assert notebook.metadata.title == "GAN Dissection"
    told = notebook.metadata.gan_teach
    assert told.steps == [*STEPS["dissection"]] and told.language == "en"
    assert told.theme == "dark" in told.themes
    assert told.replay.alt


FILMED = [name for name in stage.DEMOS if (stage.PAGE / f"{name}.webp").exists()]      # by tests/film.py


@pytest.mark.parametrize("name", FILMED)
def test_a_recording_plays_while_its_stage_starts(tmp_path, name):
    replay = nbformat.read(stage.write_page(tmp_path, name), as_version=4).metadata.gan_teach.replay
    sent = base64.b64decode(replay.src.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(sent)) as film:
        assert film.format == "WEBP" and film.n_frames > 10 and len(sent) < 6e5


def test_a_recording_of_the_english_panels_says_so_in_chinese(tmp_path):
    language.use("zh")
    try:
        replay = nbformat.read(stage.write_page(tmp_path, FILMED[0]), as_version=4).metadata.gan_teach.replay
    finally:
        language.use("en")
    assert "英文版" in replay.alt and "录像" in replay.alt


STYLE = (stage.PAGE / "stage.css").read_text("utf-8")


@pytest.mark.parametrize("theme", stage.THEMES)
def test_every_colour_of_a_theme_can_be_read(theme):
    """By WCAG's contrast of two colours, (L1 + 0.05) / (L2 + 0.05): 4.5 for text, 3 for an edge; 7 in high contrast."""
    rule = STYLE[STYLE.index(f'[data-theme="{theme}"]'):]
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", rule[:rule.index("}")]))

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        return sum(share * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055)**2.4)
                   for share, v in zip((0.2126, 0.7152, 0.0722), parts))

    def contrast(one: str, other: str) -> float:
        low, high = sorted(luminance(colours[name]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    charts = ("purple", "pink", "teal", "olive", "slate", "brown", "green", "blue", "orange", "grey")
    texts = [("ink", "page"), ("ink", "button"), ("on-pressed", "pressed"), *((name, "page") for name in charts),
             *(("on-colour", name) for name in ("play", "force", "remove"))]
    for pair in texts:
        assert contrast(*pair) >= (7 if theme == "contrast" else 4.5), (pair, contrast(*pair))
    assert contrast("edge", "page") >= 3 and contrast("play", "page") >= 3


def test_every_colour_of_the_charts_has_one_in_the_themes():
    used = {*charts.COLOURS, charts.WINNER, evolution_charts.YOURS, warm_up_render.BLUE, warm_up_render.ORANGE,
            adain_render.GREY, adain_render.ORANGE, mutations.D_GREY}
    assert not [colour for colour in used if f'[fill="{colour}"]' not in STYLE]


def test_the_stage_of_evolution_has_its_panels():
    *rests, tabs = demonstrations.evolution()
    assert rests == [None] * (len(STEPS["evolution"]) - 1) and list(tabs) == ["Evolve", "On clothes", "Mutations"]
    tabs["Evolve"].phase.click()
    assert not tabs["Evolve"].error.value and tabs["Evolve"].frame.main
    assert "<svg" in tabs["Mutations"].chart.value
    clothes = tabs["On clothes"]
    start, drawn = clothes.frame, clothes.lab.view().fake
    likes_real, likes_fake = (clothes.lab.evolution.D(x).mean() for x in (clothes.lab.shown, drawn))
    assert drawn.std() > 0.4 and likes_real > likes_fake                # there is something to see, and D has learnt
    clothes.one.click()
    assert clothes.frame.main != start.main and not re.search(r">\d+e-\d", clothes.frame.bars)
    clothes.reset.click()
    assert clothes.frame == start and not clothes.error.value


def test_the_stage_of_the_warm_up_has_two_games():
    *rests, tabs = demonstrations.warm_up()
    assert [panel.data.value for panel in tabs.values()] == ["a wave", "ring of 8"]
    tabs["On a ring"].both.click()
    assert not tabs["On a ring"].error.value and tabs["On a ring"].game.steps_d == 1


def test_the_stage_of_the_capstone_has_units_and_styles_of_one_generator():
    *rests, tabs = demonstrations.capstone()
    assert rests == [None] * (len(STEPS["capstone"]) - 1) and list(tabs) == ["Its units", "Its styles"]
    panel = tabs["Its units"]
    assert "gt-error" in panel.error._dom_classes and not panel.error.value
    found, state = panel.renderer.dissection, panel.state
    tree = found.classes.index("tree")
    assert 1 < len(state.units) < 12 and min(found.iou[u, tree] for u in state.units) >= 0.02    # maps that show trees
    before = panel.frame.counts_before["tree"]
    panel.remove.click()
    assert panel.frame.counts_after["tree"] < 0.6 * before
    offered = {cls: len(panel.renderer.shown(cls)) for cls in found.classes}
    panel.cls.value = max(offered, key=offered.get)
    assert not panel.error.value and len(panel.ticks) == max(offered.values()) > offered["tree"]
    assert panel.cells[-1].layout.display == ""


@pytest.mark.parametrize("name", demonstrations.DEMOS)
def test_a_demonstration_rests_after_each_step_that_its_page_names(name):
    source = ast.parse(inspect.getsource(demonstrations.DEMOS[name][1]))
    assert sum(isinstance(node, ast.Yield) for node in ast.walk(source)) == len(STEPS[name]) > 2


@pytest.mark.parametrize("given, name", [("1", "dissection"), ("02", "mixing"), ("0", "warm-up"), ("04", "capstone"),
                                         ("evolution", "evolution")])
def test_a_demonstration_may_be_named_by_its_chapter(given, name):
    assert parser().parse_args(["demo", given]).name == name


def test_a_wrong_name_and_a_missing_voila_are_told(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="there are: warm-up, dissection"):
        stage.write_page(tmp_path, "disection")
    with pytest.raises(ValueError, match="no theme 'black'; there are: light, dark"):
        stage.write_page(tmp_path, "dissection", "black")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match='pip install "voila>=0.5"'):
        stage.serve("dissection")


@needs_voila
def test_a_server_that_cannot_start_is_told(monkeypatch):
    with socket.socket() as other:
        other.bind((stage.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"port {port} is in use"):
            stage.serve("dissection", browser=False, port=port)
    with monkeypatch.context() as patch:                     # as root, who may use every port
        patch.setattr(socket.socket, "bind", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
        with pytest.raises(RuntimeError, match="port 80 is one that only the system may use; give one of 1024 or more"):
            stage.free_port(80)
    if shutil.which("false"):
        monkeypatch.setattr(stage.sys, "executable", shutil.which("false"))
        with pytest.raises(RuntimeError, match="Voilà did not start"):
            stage.serve("dissection", browser=False)


@contextmanager
def serving(name: str, before: str = ""):
    """The address of a demonstration, served by another process as the command does it, which runs this code before."""
    code = f"{before}\nfrom gan_teach.widgets.stage import serve; raise SystemExit(serve({name!r}, browser=False))"
    server = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, OMP_NUM_THREADS="1"))
    try:
        address = re.search(r"http://\S+", server.stdout.readline()).group()
        yield address
        server.send_signal(signal.SIGTERM)
        assert server.wait(90) == 0 and "ended" in server.stdout.read()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(address, timeout=5)
    finally:
        server.kill()


@pytest.fixture(scope="module")
def served(voila):
    with serving("dissection") as address:
        yield address


OTHERS = ("api/contents", "api/kernels", "api/sessions", "api/terminals", "tree", "lab", "files/dissection.ipynb",
          "notebooks/dissection.ipynb", "voila/tree", "voila/api/contents", "voila/render/dissection.ipynb",
          "voila/files/dissection.ipynb", "voila/files/other.ipynb", "voila/files/other.png",
          "voila/files/../voila.log", "voila/files/%2e%2e/voila.log", "voila/files//etc/passwd")


@needs_voila
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to end the server with")
def test_with_the_token_there_is_the_page_and_nothing_else(served):
    """No other notebook, file or kernel; nor does a kernel start but for the page."""
    root, token = served.split("?token=")
    for path, data in [*((path, None) for path in OTHERS), ("api/kernels", b"{}"), ("api/sessions", b"{}")]:
        asked = urllib.request.Request(root + path, data, {"Authorization": f"token {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=60)
        assert refused.value.code in (403, 404, 405), (path, refused.value.code)


@needs_voila
@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process in one way only")
@pytest.mark.parametrize("end", ["SIGINT", "SIGHUP", "SIGKILL"])             # SIGTERM ends those above and below
def test_however_it_ends_no_server_kernel_or_folder_stays(end, tmp_path):
    code = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "        # as in a terminal
            "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
            "from gan_teach.widgets.stage import serve; serve('dissection', browser=False)")
    parent = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, TMPDIR=str(tmp_path), OMP_NUM_THREADS="1"))
    with parent.stdout:
        address = re.search(r"http://\S+", parent.stdout.readline()).group()
        with urllib.request.urlopen(address, timeout=300) as page:                              # which has a kernel
            page.read(1)
            started = psutil.Process(parent.pid).children(recursive=True)
            assert len(started) > 1 and [*tmp_path.iterdir()]
            parent.send_signal(getattr(signal, end))
            parent.wait(300)

    def left() -> list:
        return [it for it in started if it.is_running() and it.status() != psutil.STATUS_ZOMBIE] + [*tmp_path.iterdir()]

    deadline = time.monotonic() + 120
    while left():
        assert time.monotonic() < deadline, left()
        time.sleep(0.2)


def strangers(page) -> list[str]:
    """A list that takes every address of another computer that the page asks for from now on."""
    found = []
    page.on("request", lambda request: re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url)
            or found.append(request.url))
    return found


# What does not fit the screen, or scrolls inside it; and the words in charts that are too pale on the page.
TOO_LARGE = """() => [...document.querySelectorAll("#rendered_cells, .gt-stage *")].filter(it =>
    it.offsetParent !== null && ["auto", "scroll"].includes(getComputedStyle(it).overflowY)
    && (it.scrollHeight > it.clientHeight + 1 || it.scrollWidth > it.clientWidth + 1)).map(it => it.className)"""
# Of the height of the stage, 16:9: how much the largest picture or chart takes, and how much is empty at its end.
FILLED = """() => {
    const stage = document.querySelector(".gt-stage"), top = stage.getBoundingClientRect().top;
    const screen = stage.getBoundingClientRect().width * 720 / 1264;
    const seen = (what, of) => [...stage.querySelectorAll(what)].filter(it => it.offsetParent || it.closest("svg"))
        .map(it => of(it.getBoundingClientRect())).concat(0);
    const content = "img, svg, canvas, button, select, input, label, p, pre, .widget-html-content";
    return [Math.max(...seen("img, svg, canvas", it => it.height)) / screen,
            1 - Math.max(...seen(content, it => it.height && it.bottom - top)) / screen];
}"""
# Texts of less than so many pixels, as they stand on the screen: in a chart by how much it is enlarged.
TOO_SMALL = """least => {
    const all = document.createTreeWalker(document.querySelector(".gt-stage"), NodeFilter.SHOW_TEXT), found = [];
    const area = box => Math.sqrt(box.width * box.height), range = document.createRange();
    while (all.nextNode()) {
        const it = all.currentNode.parentElement, text = it.closest("svg") && it.closest("text");
        range.selectNodeContents(all.currentNode);
        if (!all.currentNode.data.trim() || !range.getBoundingClientRect().width || it.closest("option")) continue;
        const size = parseFloat(getComputedStyle(it).fontSize)
            * (text ? area(text.getBoundingClientRect()) / area(text.getBBox()) : it.currentCSSZoom);
        if (size < least - 0.05) found.push([size, all.currentNode.data.trim()]);
    }
    return found;
}"""
TOO_PALE = """() => {
    const luminance = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(v => v / 255).map(
            v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const page = luminance(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll(".gt-stage svg text")].filter(it => {
        const ink = luminance(getComputedStyle(it).fill);
        return it.getBoundingClientRect().width && (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05) < 4.5;
    }).map(it => it.outerHTML);
}"""


def look_at_every_panel(page, name: str) -> None:
    """By the keys, in all themes: each fits a projector, nothing scrolls in it, and axe-core has nothing against it."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.locator(".gt-panels").wait_for(timeout=600_000)
    panels = page.locator(".gt-panels button")
    for at in range(panels.count()):
        assert "mod-active" in panels.nth(at).get_attribute("class")
        assert panels.nth(at).evaluate("it => it.scrollWidth <= it.clientWidth"), "its name is cut off"
        for width, height in ((1920, 1080), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            browser.wait_until(page, lambda: not page.evaluate(TOO_LARGE))
            browser.keep(page, f"stage-{name}-{at + 1}-{width}")
            largest, empty = page.evaluate(FILLED)
            assert largest > 1 / 3 > empty, f"panel {at + 1}: largest {largest:.2f}, empty below {empty:.2f}"
        assert not (found := page.evaluate(TOO_SMALL, 12)), f"panel {at + 1}: {found}"
        for theme in ("dark", "contrast", "light"):
            page.keyboard.press("t")
            assert page.evaluate("document.documentElement.dataset.theme") == theme
            found = browser.serious(page, *["color-contrast"] * (theme != "light"))
            assert not found and not page.evaluate(TOO_PALE), f"{theme}: {found}"
            browser.keep(page, f"stage-{name}-{at + 1}-{theme}")
        page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")                                     # the last one stays
    for _ in range(panels.count()):
        page.keyboard.press("PageUp")
    assert "mod-active" in panels.first.get_attribute("class")


@needs_voila
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to end the server with")
@pytest.mark.parametrize("name", ["warm-up", "mixing", "evolution", "capstone"])     # and dissection, below
def test_the_panels_can_be_read_in_every_theme_and_fit_the_screen(name, tmp_path):
    with browser.chromium(tmp_path) as page, serving(name) as address:
        outside = strangers(page)
        page.goto(address, wait_until="commit")
        if name in FILMED:
            page.locator("#gt-replay img").wait_for()                   # before the panels, and not beside them
            assert not page.locator(".gt-stage").count()
            page.locator("#gt-replay").wait_for(state="hidden", timeout=600_000)
        look_at_every_panel(page, name)
        assert not outside
        if name == "warm-up":
            for smaller in (".gt-stage h1", ".gt-verdict", ".gt-chart svg text"):
                page.locator(smaller).first.evaluate("it => { it.style.fontSize = '4px' }")
                assert page.evaluate(TOO_SMALL, 12), f"{smaller} is small, and not found"
                page.locator(smaller).first.evaluate("it => { it.style.fontSize = '' }")
            page.keyboard.press("f")
            browser.wait_until(page, lambda: page.evaluate("document.fullscreenElement !== null"))
            page.keyboard.press("f")
            browser.wait_until(page, lambda: page.evaluate("document.fullscreenElement === null"))
            page.locator(".gt-d").first.click()
            said = page.locator(".gt-verdict").first
            browser.wait_until(page, lambda: "D 1, G 0" in said.inner_text())
            page.keyboard.press("r")
            browser.wait_until(page, lambda: "D 0, G 0" in said.inner_text())
            page.evaluate("WebSocket.prototype.send = () => {}")        # as good as a kernel that is busy for ever
            panels = page.locator(".gt-warm-up")
            for press, wanted in (("PageDown", [False, True]), ("PageUp", [True, False])):
                page.keyboard.press(press)
                browser.wait_until(page, lambda: [it.is_visible() for it in panels.all()] == wanted)    # noqa: B023


# A demonstration with every panel there is; and what writes it into the first cell of the stage's page.
EVERY = browser.BEGIN + """
from types import SimpleNamespace
from gan_teach.widgets import stage

def every():
    yield {name: SimpleNamespace(panel=it, widget=getattr(it, "widget", it)) for name, it in made.items()}

made = {""" + ", ".join(f'"{name}": shown("{name}", {made})' for name, made in browser.PANELS.items()) + """}
stage.DEMOS["dissection"] = "Every panel", every
steps = stage.opening("dissection")
"""
WRITTEN = f"""
import json
from gan_teach.widgets import stage
own = stage.write_page

def write_page(*given):
    path = own(*given)
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = {EVERY!r}
    path.write_text(json.dumps(notebook))
    return path

stage.write_page = write_page
"""


@needs_voila
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to end the server with")
def test_every_panel_answers_to_mouse_and_keys_on_the_stage(tmp_path):
    with browser.chromium(tmp_path) as page, serving("dissection", WRITTEN) as address:
        page.set_viewport_size({"width": 1280, "height": 720})
        errors = browser.console_errors(page)
        page.goto(address, wait_until="commit")
        page.locator(".gt-panels").wait_for(timeout=600_000)

        def turn(name):
            page.locator(".gt-panels button").nth([*browser.PANELS].index(name)).click()

        # eleven tabs in one line, as the few of a demonstration stand in one
        page.add_style_tag(content=".gt-stage h1 { display: none } .gt-panels button { min-width: 0 !important }")
        browser.work_every_panel(page, "stage", turn)
        for width, height in ((1920, 1080), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            for name in browser.PANELS:
                turn(name)
                page.wait_for_timeout(500)
                browser.keep(page, f"stage-{name}-{width}")
                if name != "quiz":                                      # it has no picture, and is as long as it is
                    assert not page.evaluate(TOO_LARGE), name
                    assert page.evaluate(FILLED)[0] > 1 / 3 > page.evaluate(FILLED)[1], (name, page.evaluate(FILLED))
        turn("lab")
        assert browser.paused(page, ".on-lab .gt-evo-scene", ".on-lab .gt-evo-play") <= 2
        assert not errors


def picture(page) -> np.ndarray:
    """The painted picture as the browser holds it, H×W×3."""
    data = page.locator("img.gt-painted").first.evaluate(
        "async img => Array.from(new Uint8Array(await (await fetch(img.src)).arrayBuffer()))")
    return np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB")).astype(int)


@needs_voila
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to end the server with")
def test_the_mouse_paints_where_it_goes(served, tmp_path):
    """Tree units are forced on along a line in the lower left: the picture changes there, and not far away."""
    with urllib.request.urlopen(served.split("?")[0], timeout=30) as refused:       # without the token: no page
        assert "/login" in refused.url
    with browser.chromium(tmp_path) as page:
        page.set_viewport_size({"width": 1280, "height": 720})
        outside = strangers(page)
        page.goto(served, wait_until="commit")                          # Voilà goes on sending while the cell runs
        canvas = page.locator(".gt-canvas").first
        canvas.wait_for(timeout=600_000)
        look_at_every_panel(page, "dissection")
        browser.wait_until(page, lambda: picture(page).shape == (64, 64, 3))
        box, before = canvas.bounding_box(), picture(page)
        assert min(box["width"], box["height"]) >= 384 and box["y"] + box["height"] <= 720
        for slider in ("units", "strength"):                            # all units, three times their level
            page.locator(f".gt-paint-{slider} [role=slider]").focus()
            page.keyboard.press("End")

        def at(x, y):
            return box["x"] + x * box["width"], box["y"] + y * box["height"]

        page.mouse.move(*at(0.1, 0.72))
        page.mouse.down()
        page.mouse.move(*at(0.3, 0.72), steps=8)
        page.mouse.up()
        browser.wait_until(page, lambda: "asked" in page.locator(".gt-paint-tallies").first.inner_text())

        def change():
            return np.abs(picture(page) - before).mean(2)

        near, far = np.s_[40:54, 4:22], np.s_[:24, 40:]
        browser.wait_until(page, lambda: change()[near].mean() > 3)
        assert change()[near].mean() > 10 * change()[far].mean()

        page.locator(".gt-paint-undo").click()
        browser.wait_until(page, lambda: (picture(page) == before).all())
        canvas.focus()                                                  # the keyboard paints too
        for key in ("ArrowDown", "ArrowDown", "Space"):
            page.keyboard.press(key)
        browser.wait_until(page, lambda: (picture(page) != before).any())
        assert not outside
