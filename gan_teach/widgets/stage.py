"""A chapter's panels on a projector: one page, full screen, served by Voilà on this computer alone.

    python -m gan_teach demo dissection

The page is a notebook of a cell a step, written into a temporary folder, that goes through `opening`. How it looks,
its themes and its keys stand in stage_page/; what is shown on it, in `demonstrations`. Nothing comes from the network.
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
from collections.abc import Iterator
from html import escape
from pathlib import Path

import ipywidgets as widgets

from ..language import current, say, told
from ..limits import whole
from ..networks.protocols import check_name
from .controls import hooked
from .demonstrations import DEMOS, STEPS

HOST = "127.0.0.1"
PAGE = Path(__file__).with_name("stage_page")             # Voilà's template for it: what the page looks like
THEMES = ("light", "dark", "contrast")                    # in the order in which the button and the key go


def opening(name: str) -> Iterator:
    """Make a page step by step: None after every step but the last, then the widget; also if a step fails."""
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
    shown = hooked(widgets.ToggleButtons(options=list(panels), style={"button_width": "190px"}), "gt-panels")
    for panel in list(panels.values())[1:]:
        panel.widget.layout.display = "none"            # from here on the page switches: see stage.js
    look = " ".join(f'<button type="button" class="jupyter-button gt-{hook}">{words}</button>' for hook, words in (
        ("theme", say("◐ Theme (T)")), ("full", say("Full (F)"))))
    head = widgets.HBox([widgets.HTML(f"<h1>{escape(say(title))}</h1>"), widgets.HBox([shown, widgets.HTML(look)])])
    yield hooked(widgets.VBox([head, *(panel.widget for panel in panels.values())]), "gt-stage")


# Voilà, which asks itself to end (and its kernels with it) when its standard input does: with us, however we ended.
# Then nobody else may be left to take the page's folder away.
WATCHFUL = """
import os, runpy, shutil, signal, sys, threading, time

folder, alone = sys.argv.pop(1), threading.Event()

def watch():
    while os.read(0, 1):
        pass
    alone.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))       # until Voilà sets its own
threading.Thread(target=watch, daemon=True).start()
try:
    runpy.run_module("voila", run_name="__main__")
finally:
    if alone.is_set():
        shutil.rmtree(folder, ignore_errors=True)
"""
# A polite kill, and a terminal that was closed, end it like Ctrl-C.
ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def write_page(folder: Path, name: str, theme: str = THEMES[0]) -> Path:
    """The notebook of a demonstration and Voilà's template for it, in a folder; returns the notebook's path."""
    check_name("demonstration", name, tuple(DEMOS))
    check_name("theme", theme, THEMES)
    shutil.copytree(PAGE, folder / "voila" / "templates" / "gan_teach", ignore=shutil.ignore_patterns("*.webp"))
    steps = STEPS[name]
    sources = [f"from gan_teach.widgets.stage import opening\nsteps = opening({name!r})"]
    sources += ["next(steps, None)"] * len(steps)
    cells = [{"cell_type": "code", "id": f"step-{i}", "metadata": {}, "execution_count": None, "outputs": [],
              "source": source} for i, source in enumerate(sources)]
    film = PAGE / f"{name}.webp"                                # in English and light colours, by tests/film.py
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
        env = dict(os.environ, **own, **ours, JUPYTER_TOKEN=token, TMPDIR=scratch)
        command = [sys.executable, "-c", WATCHFUL, scratch, str(notebook), "--no-browser", f"--port={port}",
                   f"--Voila.ip={HOST}", "--Voila.port_retries=0", "--Voila.auto_token=True",
                   "--template=gan_teach"]
        log = folder / "voila.log"
        ends = [end for end in ENDS if signal.getsignal(end) == signal.SIG_DFL]             # nohup's choice stays
        for end in ends:
            signal.signal(end, signal.default_int_handler)
        with log.open("w") as out:                  # in a session of its own, which the terminal's signals do not reach
            server = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT,
                                      start_new_session=True)
        try:
            print(say("The server starts: some seconds, or minutes where the computer is busy. Ctrl-C here ends it."),
                  file=sys.stderr, flush=True)
            _wait(server, port, log)
            address = f"http://{HOST}:{port}/?token={token}"
            print(f"{say(DEMOS[name][0])}: {address}",
                  say("The page says which step it is at, and counts the seconds."), sep="\n", flush=True)
            if browser:
                webbrowser.open(address)
            server.wait()
            raise RuntimeError(say("Voilà has stopped:\n{log}", log=log.read_text()[-2000:]))
        except KeyboardInterrupt:
            print(say("ended"))
            return 0
        finally:
            for end in ends:
                signal.signal(end, signal.SIG_DFL)
            server.stdin.close()                    # that ends it: see WATCHFUL
            server.wait()


def free_port(port: int = 0) -> int:
    """This port if nobody has it, RuntimeError if somebody has or we may not; 0 finds a free one."""
    port = whole("port", port, 0, 65535)
    with socket.socket() as s:
        try:
            s.bind((HOST, port))
        except PermissionError as error:
            raise RuntimeError(say("port {port} is one that only the system may use; give one of 1024 or more, or none",
                                   port=port)) from error
        except OSError as error:
            raise RuntimeError(say("port {port} is in use; give another, or none", port=port)) from error
        return s.getsockname()[1]


def _wait(server: subprocess.Popen, port: int, log: Path) -> None:
    """Until the server listens; connecting only, since every page that is asked for starts a kernel."""
    while True:
        with socket.socket() as s:
            if s.connect_ex((HOST, port)) == 0:
                return
        if server.poll() is not None:
            raise RuntimeError(say("Voilà did not start:\n{log}", log=log.read_text()[-2000:]))
        time.sleep(0.1)
