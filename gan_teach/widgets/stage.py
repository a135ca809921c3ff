"""A chapter's panels on a projector: one page, full screen, served by Voilà on this computer alone.

    python -m gan_teach demo dissection

The page is a notebook of a cell a step, written into a temporary folder, that goes through `opening`. How it looks,
its themes and its keys stand in stage_page/. A new demonstration is a function that returns its panels by name, and a
line in `DEMOS`. Nothing comes from the network.
"""

import base64
import importlib.util
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
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

from ..language import current, say, told
from ..limits import whole

HOST = "127.0.0.1"
PAGE = Path(__file__).with_name("stage_page")             # Voilà's template for it: what the page looks like
THEMES = ("light", "dark", "contrast")                    # in the order in which the button and the key go


# ------------------------------------------------------------------------------------------ the demonstrations

Panels = Iterator[dict[str, object] | None]               # None where it rests, at last the panels by name


def warm_up() -> Panels:
    """Chapter 0: the two players, on data that lie together and on data that lie apart."""
    from .egan.warm_up import WarmUpPanel

    yield {say("On a wave"): WarmUpPanel(), say("On a ring"): WarmUpPanel("ring of 8")}


def dissection() -> Panels:
    """Chapter 1: paint with the units of a class, and switch them off one by one. Rests after each of its `STEPS`.

    The units are few and searched for, by short forms of the searches of the chapter, as are its layer and its panels.
    """
    from .. import load
    from ..dissection.insertion import optimise_insertion
    from ..dissection.alpha import optimise_alpha
    from ..dissection.intervention import levels
    from ..dissection.unit_iou import dissect
    from ..worlds.scenes import BELONGS
    from .dissection.paint import PaintPanel
    from .dissection.panel import DissectionPanel

    G, S = load("scenes-progan"), load("scenes-segmenter")
    layer = G.record["ablation_of_12_units"]["tree"]["in_place"]["layer"]       # where the recipe found the best set
    yield
    found = dissect(G, layer, S, samples=120, progress=False)
    yield
    short = {"samples": 32, "progress": False}
    k = {cls: levels(G, layer, range(len(found.iou)), S, cls, 40) for cls in ("tree", "door")}
    trees = optimise_alpha(G, layer, S, "tree", steps=10, lr=0.18, insertion_weight=0.0, collateral_weight=0.3,
                           level=k["tree"], **short)
    yield
    draw = {cls: optimise_insertion(G, layer, S, cls, BELONGS[cls], 2 * k[cls], steps=14, lr=0.14, **short)
            for cls in k}
    yield
    _, _, pixels = by_day(G, S, layer, 24)                                      # a large house and a tree:
    seed = int((pixels[:, S.classes.index("wall")] * (pixels[:, S.classes.index("tree")] > 150)).argmax())
    rankings = {cls: found.units_for(cls) for cls in BELONGS}
    rankings["tree"] = trees.units

    def adders(cls: str) -> list[int]:                                          # of the others when they are chosen
        found = draw.get(cls) or optimise_insertion(G, layer, S, cls, BELONGS[cls], steps=14, lr=0.14, **short)
        return found.units

    paint = PaintPanel(G, layer, S, rankings, k, seed=seed, units=12, strength=2.0, width=576, adders=adders)
    force = DissectionPanel(G, layer, S, found, {cls: 2 * k[cls] for cls in k}, seed=seed, width=300,
                            orders={"tree": trees, "door": draw["door"]})
    yield {say("Paint"): paint, say("Remove and force"): force}


def mixing() -> Panels:
    """Chapter 2: mix styles, drag those of one unit by hand, and switch the noise."""
    from .. import load
    from .stylegan.adain import AdaINPanel
    from .stylegan.mixer import StyleMixer
    from .stylegan.noise import NoisePanel

    models = {name: load(name) for name in ("portraits-stylegan", "scenes-stylegan")}
    mixer = StyleMixer(models, sources=(1, 2, 3), width=560)                   # fits 1280×720 beside its controls
    noise = NoisePanel(dict(reversed(models.items())))                         # villages show it better
    yield {say("Mix"): mixer, say("AdaIN by hand"): AdaINPanel(models), say("Noise"): noise}


def evolution() -> Panels:
    """Chapter 3: generators evolve on the plane, and on clothes from the shipped one; and the three losses. Rests after
    each of its `STEPS`.
    """
    import torch

    from .. import load
    from ..egan import Evolution, plane
    from ..networks.dcgan import Discriminator
    from ..networks.layers import one_thread, sample_z
    from ..worlds import datasets
    from .egan.evolution import EvolutionLab
    from .egan.mutations import MutationPanel

    parent, real = load("fashion-egan"), datasets.pictures("fashion", "test").images
    yield

    def grown_up(settings) -> Evolution:
        """Generation 0: the shipped G, and a new D that has learnt for 50 steps. There are clothes to be seen."""
        torch.manual_seed(settings.seed)
        e = Evolution(parent, Discriminator(parent.config), replace(settings, d_steps=50))
        e.train_d(real)
        e.settings = settings
        return e

    clothes = EvolutionLab(grown_up, pictures="fashion")
    yield
    young = plane.start()
    with one_thread():
        for _ in range(150):
            young.step(plane.ring())
        verdicts = young.D(young.G(sample_z(500, young.G.z_dim, seed=0)))
    yield {say("Evolve"): EvolutionLab(), say("On clothes"): clothes, say("Mutations"): MutationPanel(logits=verdicts)}


def capstone() -> Panels:
    """Chapter 4: one generator, its units removed, its styles dragged. Rests after each of its `STEPS`."""
    from .. import load
    from ..dissection.alpha import optimise_alpha
    from ..dissection.pixels import coverage
    from ..dissection.unit_iou import dissect
    from .dissection.panel import DissectionPanel
    from .stylegan.adain import AdaINPanel

    G, S, layer = load("scenes-stylegan"), load("scenes-segmenter"), "layer7"   # its maps agree best with trees
    yield
    found = dissect(G, layer, S, samples=120, progress=False)
    yield
    trees = optimise_alpha(G, layer, S, "tree", steps=10, lr=0.18, samples=32, progress=False)
    yield
    # α also finds units whose maps show sky or paths: of those that it keeps, these agree with trees …
    tree = found.classes.index("tree")
    trees.score[(trees.score < 0.5) | (found.iou[:, tree].cpu() < 0.02)] = float("-inf")
    # … and in this scene, with a tree of some size, most of them are seen on it.
    r, labels, pixels = by_day(G, S, layer, 64)
    on = r[:, trees.units] > found.thresholds[trees.units, None, None].to(r)
    seen = ((on * coverage(labels, tree, r.shape[-2:])).sum((2, 3)) > 2).sum(1)
    seed = int((seen * (pixels[:, tree] > 150)).argmax())
    yield {say("Its units"): DissectionPanel(G, layer, S, found, seed=seed, width=300, orders={"tree": trees}),
           say("Its styles"): AdaINPanel({"scenes-stylegan": G})}


def by_day(G, S, layer: str, n: int) -> tuple:
    """Of n scenes r, the labels, and the pixels of every class, n×C, which are 0 at dusk and at night."""
    import torch

    from ..dissection.pixels import label_pixels
    from ..networks.layers import sample_z
    from ..networks.protocols import device_of
    from ..networks.segmenter import segment
    from ..worlds.scenes import time_of

    with torch.no_grad():
        r, f = G.at(torch.cat([sample_z(1, G.z_dim, seed, device_of(G)) for seed in range(n)]), layer)
        labels = segment(S, x := f(r))                                  # (n, H, W)
    day = labels.new_tensor([time == "day" for time in time_of(x)])[:, None]
    return r, labels, label_pixels(labels, len(S.classes)) * day


# What a page says while it is made: one text for each step of a demonstration that rests between them.
STEPS = {"dissection": ("loading the networks", "comparing every unit with every class",
                        "searching the units that draw trees", "searching the units that grow trees and doors",
                        "drawing the panels"),
         "evolution": ("loading the networks", "a new D learns what clothes are", "drawing the panels"),
         "capstone": ("loading the networks", "comparing every unit with every class",
                      "searching the units that draw trees", "drawing the panels")}

DEMOS: dict[str, tuple[str, Callable[[], Panels]]] = {
    "warm-up": ("Two players on a plane", warm_up),
    "dissection": ("GAN Dissection", dissection),
    "mixing": ("StyleGAN: mixing styles", mixing),
    "evolution": ("E-GAN: evolve a generator", evolution),
    "capstone": ("One generator, three questions", capstone),
}


def opening(name: str) -> Iterator:
    """Make a page step by step: None after every step but the last, then the widget; also if a step fails."""
    import ipywidgets as widgets

    title, make = DEMOS[name]
    try:
        for panels in make():
            if panels is None:
                yield
    except Exception as error:
        words = say("The demonstration could not start: {error} ({kind}).", error=told(error),
                    kind=type(error).__name__)
        next_step = say("Stop it with Ctrl-C in the terminal, put this right, and start it again.")
        yield widgets.HTML(f'<div role="alert" class="gt-alert">{escape(words)}<br>{escape(next_step)}</div>')
        return
    shown = widgets.ToggleButtons(options=list(panels), style={"button_width": "190px"})
    shown.add_class("gt-panels")
    for panel in list(panels.values())[1:]:
        panel.widget.layout.display = "none"            # from here on the page switches: see stage.js
    look = " ".join(f'<button type="button" class="jupyter-button gt-{hook}">{words}</button>' for hook, words in (
        ("theme", say("◐ Theme (T)")), ("full", say("Full (F)"))))
    head = widgets.HBox([widgets.HTML(f"<h1>{escape(say(title))}</h1>"), widgets.HBox([shown, widgets.HTML(look)])])
    whole = widgets.VBox([head, *(panel.widget for panel in panels.values())])
    whole.add_class("gt-stage")
    yield whole


# ------------------------------------------------------------------------------------------ serving

# Voilà, which asks itself to end (and its kernels with it) when its standard input does: with us, however we ended.
WATCHFUL = """
import os, runpy, signal, threading, time

def watch():
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)

threading.Thread(target=watch, daemon=True).start()
runpy.run_module("voila", run_name="__main__")
"""


def write_page(folder: Path, name: str, theme: str = THEMES[0]) -> Path:
    """The notebook of a demonstration and Voilà's template for it, in a folder; returns the notebook's path."""
    for what, given, known in (("demonstration", name, DEMOS), ("theme", theme, THEMES)):
        if given not in known:
            raise ValueError(f"no {what} {given!r}; there are: {', '.join(known)}")
    shutil.copytree(PAGE, folder / "voila" / "templates" / "gan_teach", ignore=shutil.ignore_patterns("*.webp"))
    steps = STEPS.get(name, STEPS["dissection"][-1:])
    sources = [f"from gan_teach.widgets.stage import opening\nsteps = opening({name!r})"]
    sources += ["next(steps, None)"] * len(steps)
    cells = [{"cell_type": "code", "id": f"step-{i}", "metadata": {}, "execution_count": None, "outputs": [],
              "source": source} for i, source in enumerate(sources)]
    film = PAGE / f"{name}.webp"                                # made by tests/film.py, for those that have one
    replay = film.exists() and {"src": f"data:image/webp;base64,{base64.b64encode(film.read_bytes()).decode()}",
                                "alt": say("A recording of these panels at work. The live ones are on their way.")}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                "title": say(DEMOS[name][0]),
                "gan_teach": {"language": current(), "steps": [*map(say, steps)], "theme": theme, "themes": THEMES,
                              "replay": replay}}
    notebook = folder / "pages" / f"{name}.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return notebook


def serve(name: str, browser: bool = True, port: int = 0, theme: str = THEMES[0]) -> int:
    """Serve the page of a demonstration until Ctrl-C; prints its address, and opens it unless browser=False.

    port: 0 takes a free one. The address holds a token, without which the server answers nothing. Returns the
    exit status. ValueError for an unknown name or theme, RuntimeError where Voilà is missing or does not start.
    """
    if importlib.util.find_spec("voila") is None:
        raise RuntimeError(say('a demonstration is shown by Voilà, which is not installed: pip install "voila>=0.5"'))
    with tempfile.TemporaryDirectory(prefix="gan_teach-") as scratch:
        folder = Path(scratch)
        notebook = write_page(folder, name, theme)
        port, token = free_port(port), secrets.token_urlsafe(24)
        own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        first = {"PYTHONPATH": str(Path(__file__).parents[2]), "JUPYTER_PATH": str(folder)}     # ours before theirs
        ours = {name: os.pathsep.join(filter(None, [path, os.environ.get(name)])) for name, path in first.items()}
        env = dict(os.environ, **own, **ours, JUPYTER_TOKEN=token)
        command = [sys.executable, "-c", WATCHFUL, str(notebook), "--no-browser", f"--port={port}",
                   f"--Voila.ip={HOST}", "--Voila.port_retries=0", "--Voila.auto_token=True",
                   "--template=gan_teach"]
        log = folder / "voila.log"
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)      # a polite kill ends it like Ctrl-C
        with log.open("w") as out:
            server = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(server, port, log)
            address = f"http://{HOST}:{port}/?token={token}"
            print(f"{say(DEMOS[name][0])}: {address}",
                  say("The page takes some seconds to start. Ctrl-C here ends it."), sep="\n", flush=True)
            if browser:
                webbrowser.open(address)
            server.wait()
            raise RuntimeError(say("Voilà has stopped:\n{log}", log=log.read_text()[-2000:]))
        except KeyboardInterrupt:
            print(say("ended"))
            return 0
        finally:
            signal.signal(signal.SIGTERM, before)
            server.stdin.close()                    # that ends it: see WATCHFUL
            server.wait()


def free_port(port: int = 0) -> int:
    """This port if nobody has it, RuntimeError if somebody has; 0 finds a free one."""
    port = whole("port", port, 0, 65535)
    with socket.socket() as s:
        try:
            s.bind((HOST, port))
        except OSError as error:
            raise RuntimeError(say("port {port} is in use; give another, or none", port=port)) from error
        return s.getsockname()[1]


def _wait(server: subprocess.Popen, port: int, log: Path, seconds: float = 300) -> None:
    """Until the server listens; connecting only, since every page that is asked for starts a kernel."""
    end = time.monotonic() + seconds
    while True:
        with socket.socket() as s:
            if s.connect_ex((HOST, port)) == 0:
                return
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(say("Voilà did not start:\n{log}", log=log.read_text()[-2000:]))
        time.sleep(0.1)
