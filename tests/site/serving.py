"""The built site, served below a path of its own, and a Chromium that notes what it asks for and complains of."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from browser import chromium

from gan_teach.site.pages import MACHINES

# notes that are not complaints of the page: about `picture` below; that a browser without a GPU was asked for WebGPU
NOTES = "Canvas2D: Multiple readback", "No available adapters."
LEFT = "net::ERR_ABORTED", "script"          # a page was left while a module that it asks for was on its way
PIXELS = """canvas => {
    const { width, height } = canvas;
    return Array.from(canvas.getContext('2d').getImageData(0, 0, width, height).data);
}"""


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
    """A page of the site in a fresh Chromium. `.asked`: every address; `.complaints`: console errors and the like."""

    def __init__(self, page, root: str):
        self.page, self.root = page, root
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: (request.failure, request.resource_type) != LEFT
                and self.complaints.append(f"failed: {request.url} ({request.failure})"))
        page.on("response", lambda answer: answer.status >= 400 and self.complaints.append(f"absent: {answer.url}"))
        page.on("console", lambda note: note.type in ("error", "warning") and not note.text.startswith(NOTES)
                and self.complaints.append(note.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, name: str) -> None:
        self.page.goto(f"{self.root}/{name}")
        if name.rpartition("/")[2].startswith(tuple(f"{machine}.html" for machine in MACHINES)):
            self.page.wait_for_selector("html[data-ready]", timeout=120_000)

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
def visiting(folder: Path, below: str, scratch: Path) -> Iterator[Visit]:
    with served(folder) as root, chromium(scratch) as page:
        page.set_viewport_size({"width": 1440, "height": 900})
        yield Visit(page, f"{root}/{below}")
