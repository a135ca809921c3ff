"""A JupyterLab on this machine and a Chromium that opens it: what the browser tests share.

Everything a person's own Jupyter or browser has set stays out: own port, token, settings and profile.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

PATIENCE = 180          # seconds: what a page may take on a computer that is busy with something else
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
         "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage")

# Every panel, in one notebook, whose kernel loads everything once; each is found by a class of its own.
BEGIN = """
import torch
from gan_teach import load
from gan_teach.dissection import dissect
from gan_teach.lessons.questions import CHAPTER_1
from gan_teach.widgets import *
from gan_teach.widgets.quiz import quiz

def shown(name, panel):
    getattr(panel, "widget", panel).add_class(f"on-{name}")
    return panel

G, S, P = load("scenes-progan"), load("scenes-segmenter"), load("portraits-stylegan")
best = G.record["ablation_of_12_units"]["tree"]["everywhere"]
layer = best["layer"]
"""
PANELS = {"paint": 'PaintPanel(G, layer, S, {"tree": best["units"]}, units=12, strength=3.0)',
          "dissection": "DissectionPanel(G, layer, S, dissect(G, layer, S, samples=40, progress=False))",
          "mixer": "StyleMixer(P)", "adain": "AdaINPanel(P)", "noise": "NoisePanel(P)",
          "projection": "ProjectionPanel(P, torch.zeros(3, 64, 64), steps=2)", "lab": "EvolutionLab()",
          "interpolation": "InterpolationPanel(G)", "mutations": "MutationPanel()", "players": "WarmUpPanel()",
          "quiz": "quiz(CHAPTER_1)"}
PANEL_CELLS = (BEGIN, *(f'shown("{name}", {made})' for name, made in PANELS.items()))

# What a person works them by: the main controls of each, the keys, and what changes. Of two controls the mouse has the
# first, and the keys the last. A slider is pulled to the left, perhaps to its end, and pressed to the right.
HANDLE = ":is([role=slider], .ui-slider-handle)"                            # JupyterLab's, and Notebook 6's
CONTROLS = (("paint", ".gt-canvas", "ArrowDown ArrowDown Space", ".gt-painted"),
            ("dissection", f".gt-slider {HANDLE}", "ArrowRight", ".gt-after"),
            ("mixer", ".gt-mix-grid", "ArrowLeft", ".gt-mix-large"),
            ("mixer", f".gt-mix-psi {HANDLE}", "ArrowRight", ".gt-mix-large"),
            ("adain", f".gt-adain-ys {HANDLE}", "ArrowRight", ".gt-adain-after"),
            ("noise", ".gt-noise-layer input", "Space", ".gt-noise-large"),
            ("projection", ":is(.gt-projection-play, .gt-projection-reset)", "Enter", ".gt-projection-scene"),
            ("interpolation", f".gt-way-alpha {HANDLE}", "ArrowRight", ".gt-way-spherical"),
            ("mutations", f".gt-mutation-slider {HANDLE}", "ArrowRight", ".gt-mutation-chart"),
            ("lab", ".gt-evo-generation", "Enter", ".gt-evo-main"), ("players", ".gt-d", "Enter", ".gt-plane"),
            ("quiz", ".gt-question-1 input", "Space", ".gt-reason-1"))

# The notebook must name its kernel: otherwise JupyterLab asks the reader which one to start, and waits.
RUN_ALL = """async ([wait, cells]) => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    if (cells) panel.content.activeCellIndex = cells;
    const done = app.commands.execute(cells ? 'notebook:run-all-above' : 'notebook:run-all-cells');
    done.then(() => { window.gtDone = true; });
    if (!wait) return [];
    await done;
    const errors = [];
    for (const cell of panel.content.model.cells) {
        if (cell.type !== 'code') continue;
        for (const output of cell.outputs.toJSON()) {
            if (output.output_type === 'error') errors.push(output.ename + ': ' + output.evalue);
        }
    }
    return errors;
}"""
LAB_IS_THERE = "window.jupyterapp?.shell?.currentWidget?.sessionContext"

# The same in Notebook 6, which has no promise of a finished run: its cells say so by their class.
CLASSIC_IS_THERE = """window.Jupyter?.notebook?._fully_loaded && Jupyter.notebook.kernel?.is_connected()
    && Jupyter.notebook.kernel.widget_manager"""
# First the widgets of its kernel are asked for, as it has done itself: it hides panels that come before its own answer.
CLASSIC_RUN_ALL = """async cells => {
    await Jupyter.notebook.kernel.widget_manager._loadFromKernel();
    if (cells) Jupyter.notebook.execute_cell_range(0, cells);
    else Jupyter.notebook.execute_all_cells();
}"""
CLASSIC_IS_DONE = "Jupyter.notebook.get_cells().every(cell => !cell.element.hasClass('running'))"
DONE = f"window.gtDone || window.Jupyter?.notebook && {CLASSIC_IS_DONE}"    # what `start_all` asked for, in either
CLASSIC_ERRORS = """Jupyter.notebook.get_cells().flatMap(cell => cell.output_area?.outputs ?? [])
    .filter(output => output.output_type === 'error').map(output => output.ename + ': ' + output.evalue)"""


def missing(reason: str) -> None:
    """Skip: this computer lacks what the test needs. With GAN_TEACH_NO_SKIP set, as by .ci/run, that is a failure."""
    (pytest.fail if os.environ.get("GAN_TEACH_NO_SKIP") else pytest.skip)(reason)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def served(command: list, scratch: Path, cwd: Path, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen, str]]:
    """A Jupyter (JupyterLab or Notebook 6) as `command` starts it; yields its process and the address of its root.

    What a command of a page leaves to the reader's own settings is set here: port, token, and no browser. `scratch`
    holds the server's own files. Use the address as `address.format("lab/tree/01_gan_dissection.ipynb")`.
    """
    port, token = free_port(), secrets.token_hex(16)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    common = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": False, "allow_root": root}
    own = {name: scratch / name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
    for name, settings in (("server", {"ServerApp": common, "IdentityProvider": {"token": token}}),
                           ("lab", {"LabApp": {"expose_app_in_browser": True}}),
                           ("notebook", {"NotebookApp": common | {"token": token}})):
        own["CONFIG"].mkdir(parents=True, exist_ok=True)
        (own["CONFIG"] / f"jupyter_{name}_config.json").write_text(json.dumps(settings))
    quiet = scratch / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    env = env | {f"JUPYTER_{name}_DIR": str(path) for name, path in own.items()} | {
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"), "PYTHONDONTWRITEBYTECODE": "1",
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"), "IPYTHONDIR": str(scratch / "ipython")}
    log = scratch / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT,
                                  start_new_session=True)
        try:
            deadline = time.monotonic() + 900                               # the command may install before it serves
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Jupyter did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield server, f"http://127.0.0.1:{port}/{{}}?token={token}"
        finally:
            end = getattr(os, "killpg", os.kill)                            # a shell's server too, where that can be
            with suppress(ProcessLookupError):
                end(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def jupyterlab(folder: Path, scratch: Path) -> Iterator[str]:
    """Serve `folder` in JupyterLab; yields the address of the notebooks, up to and with the token's place.

    Use as `address.format(notebook="01_gan_dissection.ipynb")`. `scratch` holds the server's own files.
    """
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    with served(command, scratch, folder, dict(os.environ)) as (_, address):
        yield address.format("lab/tree/{notebook}") + "&reset"


@contextmanager
def chromium(scratch: Path) -> Iterator:
    """A page of a fresh, headless Chromium of this machine; where there is none, the test is not done (`missing`)."""
    if CHROMIUM is None:
        missing("no Chromium or Chrome on PATH to test in (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(scratch / "profile"), executable_path=CHROMIUM, headless=True, args=list(FLAGS),
            viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(1000 * PATIENCE)
        try:
            yield context.pages[0]
        finally:
            context.close()


def start_all(page, address: str, cells: int | None = None) -> None:
    """Open the notebook at `address`, in JupyterLab or Notebook 6, and ask for its first so many cells, or for all.

    Waits for none: `page.wait_for_function(DONE)` does.
    """
    page.goto(address, wait_until="commit")
    page.wait_for_function(f"{LAB_IS_THERE} || ({CLASSIC_IS_THERE})", timeout=300_000)
    if page.evaluate("'jupyterapp' in window"):
        page.evaluate(RUN_ALL, [False, cells])
    else:
        page.evaluate(CLASSIC_RUN_ALL, cells)


def run_all(page, address: str, minutes: float = 10) -> list[str]:
    """Open the notebook at `address` in JupyterLab, run all its cells to the end, and return the errors they showed."""
    page.goto(address)
    page.wait_for_function(LAB_IS_THERE, timeout=60_000)
    message = f"Run All took over {minutes:g} min"
    late = f"new Promise((_, reject) => setTimeout(() => reject('{message}'), {minutes * 60_000}))"
    return page.evaluate(f"Promise.race([({RUN_ALL})([true]), {late}])")


def run_all_classic(page, address: str, minutes: float = 10) -> list[str]:
    """The same in Notebook 6."""
    start_all(page, address)
    page.wait_for_function(DONE, timeout=minutes * 60_000)
    return page.evaluate(CLASSIC_ERRORS)


def picture(page, hook: str) -> str:
    """A fingerprint of the picture that the element of class `hook` shows now.

    A panel may put a new picture, or a new element, in place of this one while it is read: then it is read again.
    """
    image = page.locator(f"img.{hook}, .{hook} img").first
    return wait_until(page, lambda: image.evaluate("""async img => {
        const address = img.src;
        try {
            await img.decode();
            const data = new Uint8Array(await (await fetch(address)).arrayBuffer());
            if (img.src !== address || !img.isConnected) return '';
            const digest = await crypto.subtle.digest('SHA-256', data);
            return Array.from(new Uint8Array(digest), b => b.toString(16).padStart(2, '0')).join('');
        } catch (error) {
            if (img.src !== address || !img.isConnected) return '';
            throw error;
        }
    }"""))


def changed(page, hook: str, before: str) -> str:
    """Wait until the picture is not the one with this fingerprint; its new fingerprint."""
    wait_until(page, lambda: picture(page, hook) != before)
    return picture(page, hook)


def seen(page, place: str) -> str:
    """What is seen at this place: a picture's fingerprint, or a chart's source."""
    it = page.locator(place).first
    if it.evaluate("it => it.tagName") != "IMG":
        return it.inner_html()
    wait_until(page, lambda: it.evaluate("it => it.complete && it.naturalWidth"))
    return picture(page, place.removeprefix("."))


def work_every_panel(page, front_end: str, turn=lambda name: None) -> None:
    """Work each panel of `PANEL_CELLS` by the mouse, then by the keys alone; AssertionError for one that stays still.

    front_end: what `keep` calls it. turn(name): brings a panel into sight, where not all are.
    """
    for name, control, keys, place in CONTROLS:
        turn(name)
        controls = page.locator(f".on-{name} {control}")
        controls.first.scroll_into_view_if_needed()
        before, still = seen(page, place), f"{name} stays still in {front_end}: "
        if HANDLE in control or name == "paint":
            drag(page, controls.first, -40)
        else:
            controls.first.click()
        wait_until(page, lambda: seen(page, place) != before, what=f"{still}the mouse on {control}")   # noqa: B023
        page.wait_for_timeout(500)                                          # what is drawn behind it comes too
        moved = seen(page, place)
        controls.last.focus()
        for key in keys.split():
            page.keyboard.press(key)
        wait_until(page, lambda: seen(page, place) != moved, what=f"{still}{keys} on {control}")       # noqa: B023
        keep(page, f"{front_end}-{name}", f"on-{name}")


# Counts how often the element of this class is drawn anew; a slow page is busy for 300 ms in every 350 besides.
WATCHED = """([hook, slow]) => {
    const busy = () => { const end = performance.now() + 300; while (performance.now() < end); };
    window.gtBusy = slow && setInterval(busy, 350);
    window.gtDrawn = 0;
    window.gtSeen?.disconnect();
    window.gtSeen = new MutationObserver(() => { window.gtDrawn += 1; });
    window.gtSeen.observe(document.querySelector(hook), {childList: true, subtree: true});
}"""

# Clicks, and says whether the button's words changed, how many ms later, and how often was drawn until 1.5 s later,
# in which even the slow page would show four frames of a queue.
PAUSE = """async hook => {
    const button = document.querySelector(hook), words = button.textContent, before = window.gtDrawn;
    const begun = performance.now();
    button.click();
    while (button.textContent === words && performance.now() < begun + 30000) await new Promise(r => setTimeout(r, 5));
    const answered = performance.now() - begun;
    await new Promise(r => setTimeout(r, 1500));
    clearInterval(window.gtBusy);
    return [button.textContent !== words, answered, window.gtDrawn - before];
}"""


def paused(page, scene: str, play: str, slow: bool = False) -> int:
    """Play, and pause: how often the scene was drawn after the click. AssertionError where Pause is not answered.

    The ms until the button says Play are of this computer, with whatever else it does: they are printed. Where no
    process waits for a core, and the page is not slow, they are below 300.
    """
    page.evaluate(WATCHED, [scene, slow])
    page.locator(play).first.click()
    wait_until(page, lambda: page.evaluate("window.gtDrawn") > 8)
    calm = hasattr(os, "getloadavg") and os.getloadavg()[0] <= (os.cpu_count() or 1) and not slow
    answered, ms, drawn = page.evaluate(PAUSE, play)
    print(f"{play}{', a slow page' * slow}: from the click on Pause until the button says Play, {ms:.0f} ms; drawn "
          f"after it: {drawn}")
    assert answered and (ms < 300 or not calm)
    return drawn


def drag(page, handle, right: float, down: float = 0, button: str = "left") -> None:
    """Pull an element by so many pixels with the mouse."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up(button=button)


def swipe(page, places: list, still=None, tapped=None) -> None:
    """A finger along places of the screen, and lifted; still: where another one has been put down before; tapped: where
    another one is put down and lifted, when the first is at the first place."""
    devtools, mouse_alone = page.context.new_cdp_session(page), not page.evaluate("navigator.maxTouchPoints")
    if mouse_alone:
        devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(kind: str, fingers) -> None:
        devtools.send("Input.dispatchTouchEvent", {
            "type": kind, "touchPoints": [dict(zip("xy", place), id=finger) for finger, place in fingers]})

    held = [[still]] if still else []
    for before, now in pairwise([[], *held, *([*sum(held, []), place] for place in places), []]):
        touch("touchStart" if len(now) > len(before) else "touchMove" if now else "touchEnd", enumerate(now))
        if tapped and now == places[:1]:
            touch("touchStart", enumerate((*now, tapped)))
            touch("touchEnd", [(1, tapped)])                    # which names the finger that goes, not those that stay
    if mouse_alone:
        devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    devtools.detach()


def console_errors(page) -> list[str]:
    """A list that takes every error of the page's console from now on.

    But for one: anywidget complains of a page that was busy for 2 s, on which our panels go on (`test_browser`).
    """
    found, busy = [], "[anywidget] Failed to initialize model"
    page.on("console", lambda said: said.type == "error" and not said.text.startswith(busy)
            and found.append(f"{said.text} {said.location['url']}"))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def keep(page, name: str, hook: str | None = None) -> None:
    """Keep a screenshot of the page, or of its element of a css class, where they are asked for: `--screenshots DIR`.

    name: the browser's stack (lab, notebook-6, stage) and the panel.
    """
    if not (folder := os.environ.get("GAN_TEACH_SCREENSHOTS")):
        return
    path, size = Path(folder) / f"{name}.png", page.viewport_size
    if hook is None:
        page.screenshot(path=path)
        return
    it = page.locator(f".{hook}").first
    page.set_viewport_size(size | {"height": max(size["height"], round(it.bounding_box()["height"]) + 300)})
    it.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)                                 # JupyterLab lays its page out anew
    it.screenshot(path=path)
    page.set_viewport_size(size)


def serious(page, *rules: str) -> list[str]:
    """What axe-core finds on the page that is serious or critical: by these rules of it, or by all of them."""
    if not page.evaluate("'axe' in window"):
        with tempfile.TemporaryDirectory() as folder:
            try:
                from gan_teach.site import packages
                packages.copy("axe-core", {"axe.min.js": (script := Path(folder) / "axe.js")})
            except (ImportError, RuntimeError) as error:
                missing(f"axe-core comes as the site's packages do: {error}")
            page.add_script_tag(content=script.read_text("utf-8"))
    options = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [f"{it['id']}: {it['nodes'][0]['html'][:160]}" for it in found if it["impact"] in ("serious", "critical")]


def wait_until(page, question, seconds: float = PATIENCE, what: str = "nothing of the kind happened"):
    """Ask `question()` until its answer is true, and return that; an AssertionError, with `what`, if it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} ({seconds:g} s)")
        page.wait_for_timeout(50)
    return answer
