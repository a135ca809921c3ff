"""The README's moving picture: three panels worked in a real browser, a frame after each move; and one for each stage.

    python tests/film.py [warm-up capstone …]

Serves these stages, or all, one after the other (`python -m gan_teach demo`), drives the panels of each with mouse and
keys in a headless Chromium, and puts the frames together, small, into the recording that its page plays while the live
panels warm up; those of chapters 1, 2 and 3, larger, into the README's. Takes some minutes.
"""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import browser
from PIL import Image

SIZE, WIDTH, SMALL = {"width": 1280, "height": 720}, 960, 640  # of the page, of the film, and of a stage's own
ROOT = Path(__file__).resolve().parents[1]
PAGE, FILM = ROOT / "gan_teach" / "widgets" / "stage_page", ROOT / "data" / "pictures" / "panels.webp"
QUICK, HOLD = 160, 1600                                         # ms a frame


def pull(page, slider, keys, times=2):
    """Move a slider by arrow keys, a frame after each of `keys`, which is pressed so many times."""
    page.locator(f".gt-{slider} [role=slider]").first.focus()
    for key in keys:
        for _ in range(times):
            page.keyboard.press(key)
            page.wait_for_timeout(300)
        page.wait_for_timeout(500)
        yield


def take_turns(page):
    """Some steps of D, some of G; then let both play."""
    page.locator(".gt-d").first.wait_for(timeout=600_000)
    page.wait_for_timeout(1500)
    yield
    for hook in ("d", "d", "d", "g", "g"):
        page.locator(f".gt-{hook}").first.click()
        page.wait_for_timeout(700)
        yield
    page.locator(".gt-speed button", has_text="fast").first.click()
    page.locator(".gt-play").first.click()
    for _ in range(20):
        page.wait_for_timeout(500)
        yield
    page.locator(".gt-play").first.click()
    page.wait_for_timeout(1000)
    yield


def paint(page):
    """Wipe out the trees on either side of the house, dab by dab, then add a cloud to the sky."""
    canvas = page.locator(".gt-canvas").first
    canvas.wait_for(timeout=600_000)
    box = canvas.bounding_box()
    page.locator(".gt-paint-brush [role=slider]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    yield
    strokes = {("remove", "tree"): ([(0.07, y) for y in (0.5, 0.58, 0.66, 0.73)],
                                    [(0.855, y) for y in (0.6, 0.69, 0.78, 0.87)]),
               ("add", "cloud"): ([(x, 0.3) for x in (0.07, 0.12, 0.17, 0.22, 0.26)],)}
    for (action, cls), lines in strokes.items():
        page.locator(".gt-paint-action button", has_text=action).first.click()
        page.wait_for_timeout(700)
        page.locator(".gt-paint-class button", has_text=cls).first.click()
        for line in lines:
            for i, (across, down) in enumerate(line):
                page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=3)
                if i == 0:
                    page.mouse.down()
                page.wait_for_timeout(700)
                yield
            page.mouse.up()
            page.wait_for_timeout(1200)
            yield


def mix(page):
    """Another source for one destination; then its coarse, middle and fine styles; then towards the mean, and back."""
    page.locator("img.gt-mix-sheet").first.wait_for(timeout=600_000)
    page.wait_for_timeout(6000)
    sheet = page.locator("img.gt-mix-sheet").first.bounding_box()
    yield
    for source in (2, 3, 1):
        page.mouse.click(sheet["x"] + (0.19 + 0.235 * source) * sheet["width"], sheet["y"] + 0.5 * sheet["height"])
        page.wait_for_timeout(1500)
        yield
    for name in ("coarse", "middle", "fine"):
        page.locator(".gt-mix-preset button", has_text=name).first.click()
        page.wait_for_timeout(2500)
        yield
        yield
    yield from pull(page, "mix-psi", ["ArrowLeft"] * 7 + ["ArrowRight"] * 10)


def evolve(page):
    """Let the population play."""
    page.locator(".gt-evo-play").first.wait_for(timeout=600_000)
    page.wait_for_timeout(1500)
    yield
    page.locator(".gt-evo-play").first.click()
    for _ in range(20):
        page.wait_for_timeout(1800)
        yield
    page.locator(".gt-evo-play").first.click()
    page.wait_for_timeout(1000)
    yield


def ask(page):
    """Turn the units of trees off, where trees are and then everywhere; on the other panel pull one unit's style."""
    page.locator(".gt-remove").first.wait_for(timeout=600_000)
    page.wait_for_timeout(1500)
    yield
    yield from pull(page, "slider", ["ArrowLeft"] * 10)
    page.locator(".gt-where button").nth(1).click()
    page.wait_for_timeout(1500)
    yield
    page.keyboard.press("PageDown")
    page.wait_for_timeout(1500)
    yield
    yield from pull(page, "adain-ys", ["ArrowRight"] * 6 + ["ArrowLeft"] * 12, times=3)


ACTS = {"warm-up": take_turns, "dissection": paint, "mixing": mix, "evolution": evolve, "capstone": ask}
README = "dissection", "mixing", "evolution"


def frames(name, acts, scratch):
    """The pictures of the stage of this name, one after each act: (picture, milliseconds)."""
    code = f"from gan_teach.widgets.stage import serve; raise SystemExit(serve({name!r}, browser=False))"
    server = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        with browser.chromium(scratch / name) as page:
            page.set_viewport_size(SIZE)
            page.goto(address, wait_until="commit")
            found = []
            for _ in acts(page):
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                found.append((picture.resize((WIDTH, WIDTH * SIZE["height"] // SIZE["width"]), Image.LANCZOS), QUICK))
                print(name, len(found), flush=True)
            return [(found[0][0], HOLD), *found[1:-1], (found[-1][0], HOLD)]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def write(path, shots, width=WIDTH):
    """The shots as a moving picture, no wider than that."""
    pictures = [picture.resize((width, picture.height * width // picture.width), Image.LANCZOS) for picture, _ in shots]
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    pictures[0].save(temporary, "WEBP", save_all=True, append_images=pictures[1:], duration=[ms for _, ms in shots],
                     loop=0, quality=70, method=4)
    os.replace(temporary, path)
    print(f"{path}: {len(shots)} frames, {path.stat().st_size / 1e6:.2f} MB")


def main(names):
    shots = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            shots[name] = frames(name, ACTS[name], Path(scratch))
            write(PAGE / f"{name}.webp", shots[name], SMALL)
    if shots.keys() >= {*README}:
        write(FILM, [shot for name in README for shot in shots[name]])


if __name__ == "__main__":
    main(sys.argv[1:] or ACTS)
