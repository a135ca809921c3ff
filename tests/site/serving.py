"""The built site, served below a path of its own, and a Chromium that notes what it asks for and complains of."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from browser import chromium

from gan_teach.site.pages import MACHINES

# notes that are not complaints of the page: about `picture` below; that a browser without a GPU was asked for WebGPU
NOTES = "Canvas2D: Multiple readback", "No available adapters."
# a page was left while something that it asks for was on its way
LEFT = "net::ERR_ABORTED"
PIXELS = """canvas => {
    const { width, height } = canvas;
    return Array.from(canvas.getContext('2d').getImageData(0, 0, width, height).data);
}"""


# of a page as it was opened: how far things jumped, and when the first and the largest thing was painted, in ms
VITALS = """() => new Promise(done => {
    const seen = { shift: 0, first: performance.getEntriesByName('first-contentful-paint')[0].startTime, largest: 0 };
    new PerformanceObserver(list => { for (const { value } of list.getEntries()) seen.shift += value; })
        .observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver(list => { for (const { startTime } of list.getEntries()) seen.largest = startTime; })
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => done(seen), 200);
})"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine, without any header that a plain web server would not send."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Visit:
    """A page of the site in a fresh Chromium. `.asked`: every address; `.complaints`: console errors and the like;
    `.sizes`: the bytes of each answer."""

    def __init__(self, page, root: str):
        self.page, self.root = page, root
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.sizes: dict[str, int] = {}
        self.before, self.ready = 0, 0.0
        page.on("response", lambda answer: self.sizes.setdefault(
            answer.url, int(answer.headers.get("content-length", 0))))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: request.failure != LEFT
                and self.complaints.append(f"failed: {request.url} ({request.failure})"))
        page.on("response", lambda answer: answer.status >= 400 and self.complaints.append(f"absent: {answer.url}"))
        page.on("console", lambda note: note.type in ("error", "warning") and not note.text.startswith(NOTES)
                and self.complaints.append(note.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, name: str) -> None:
        self.before = len(self.asked)
        self.page.goto(f"{self.root}/{name}")
        if name.rpartition("/")[2].startswith(tuple(f"{machine}.html" for machine in MACHINES)):
            self.page.wait_for_selector("html[data-ready]", timeout=120_000)
        self.ready = self.page.evaluate("performance.now()")

    def figures(self) -> dict[str, float]:
        """Of the page as it was opened: `shift`; ms until the `first` and the `largest` thing was painted and until it
        was `ready`; the `megabytes` of all that it asked for, from a cache or not."""
        self.page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        asked = {*self.asked[self.before:]}
        return self.page.evaluate(VITALS) | {"ready": self.ready, "megabytes": sum(
            size for address, size in self.sizes.items() if address in asked) / 1e6}

    def picture(self, canvas: str) -> np.ndarray:
        """What a canvas shows, H×W×3."""
        element = self.page.locator(canvas)
        side = element.evaluate("canvas => [canvas.height, canvas.width]")
        return np.array(element.evaluate(PIXELS), dtype=np.uint8).reshape(*side, 4)[..., :3]

    def place(self, x: float, y: float) -> tuple[int, int]:
        """A place of the painted picture, each in [0, 1], on the screen."""
        box = self.page.locator("#over").bounding_box()
        return round(box["x"] + x * box["width"]), round(box["y"] + y * box["height"])

    def point(self, place: tuple[int, int]) -> tuple[float, float]:
        """The inverse of `place`, as the page computes it."""
        box = self.page.locator("#over").bounding_box()
        return (place[0] - box["x"]) / box["width"], (place[1] - box["y"]) / box["height"]

    def measures(self, name: str) -> list[float]:
        """What the page measured under a name, in ms."""
        return self.page.evaluate("name => performance.getEntriesByName(name).map(entry => entry.duration)", name)


@contextmanager
def slowed(visit: Visit, times: int) -> Iterator[list[float]]:
    """Page and worker about so many times slower: their process is stopped for the rest of every 20 ms; yields a list
    that gets the share of the time for which it was.

    Chromium's own throttling is for pages alone: it refuses a worker, where the networks run.
    """
    if times == 1:
        yield []
        return
    processes = visit.page.context.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers, over = [process["id"] for process in processes if process["type"] == "renderer"], threading.Event()
    begun, stood, share = time.monotonic(), [], []

    def beat():
        while not over.wait(0.02 / times):
            since = time.monotonic()
            for sign, pause in ((signal.SIGSTOP, 0.02 - 0.02 / times), (signal.SIGCONT, 0)):
                for process in renderers:
                    os.kill(process, sign)
                time.sleep(pause)
            stood.append(time.monotonic() - since)

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        yield share
    finally:
        over.set()
        beating.join()
        share.append(sum(stood) / (time.monotonic() - begun))


@contextmanager
def visiting(folder: Path, below: str, scratch: Path) -> Iterator[Visit]:
    with served(folder) as root, chromium(scratch) as page:
        page.set_viewport_size({"width": 1440, "height": 900})
        yield Visit(page, f"{root}/{below}")
