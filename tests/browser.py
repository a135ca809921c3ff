"""A JupyterLab on this machine and a Chromium that opens it: what the browser tests share.

Everything a person's own Jupyter or browser has set stays out: own port, token, settings and profile.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 180          # seconds: what a page may take on a computer that is busy with something else
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
         "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage")

# The notebook must name its kernel: otherwise JupyterLab asks the reader which one to start, and waits.
RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    await app.commands.execute('notebook:run-all-cells');
    const errors = [];
    for (const cell of panel.content.model.cells) {
        if (cell.type !== 'code') continue;
        for (const output of cell.outputs.toJSON()) {
            if (output.output_type === 'error') errors.push(output.ename + ': ' + output.evalue);
        }
    }
    return errors;
}"""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def jupyterlab(folder: Path, scratch: Path) -> Iterator[str]:
    """Serve `folder` in JupyterLab; yields the address of the notebooks, up to and with the token's place.

    Use as `address.format(notebook="01_gan_dissection.ipynb")`. `scratch` holds the server's own files.
    """
    settings = scratch / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = '{"fetchNews": "false", "checkForUpdates": false}'
    (settings / "notification.jupyterlab-settings").write_text(quiet)
    env = dict(os.environ, JUPYTERLAB_SETTINGS_DIR=str(scratch / "settings"), PYTHONDONTWRITEBYTECODE="1")
    env |= {f"JUPYTER_{name}_DIR": str(scratch / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    env |= {"JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"), "IPYTHONDIR": str(scratch / "ipython")}
    port, token = free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
               f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    log = scratch / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/lab/tree/{{notebook}}?token={token}&reset"
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def chromium(scratch: Path) -> Iterator:
    """A page of a fresh, headless Chromium of this machine."""
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


def run_all(page, address: str, minutes: float = 10) -> list[str]:
    """Open the notebook at `address`, run all its cells to the end, and return the errors they showed."""
    page.goto(address)
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
    message = f"Run All took over {minutes:g} min"
    late = f"new Promise((_, reject) => setTimeout(() => reject('{message}'), {minutes * 60_000}))"
    return page.evaluate(f"Promise.race([({RUN_ALL})(), {late}])")


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


def serious(page, *rules: str) -> list[str]:
    """What axe-core finds on the page that is serious or critical: by these rules of it, or by all of them."""
    if not page.evaluate("'axe' in window"):
        packages = pytest.importorskip("gan_teach.site.packages", reason="axe-core comes as the site's packages do")
        with tempfile.TemporaryDirectory() as folder:
            packages.copy("axe-core", {"axe.min.js": (script := Path(folder) / "axe.js")})
            page.add_script_tag(content=script.read_text("utf-8"))
    options = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [f"{it['id']}: {it['nodes'][0]['html'][:160]}" for it in found if it["impact"] in ("serious", "critical")]


def wait_until(page, question, seconds: float = PATIENCE):
    """Ask `question()` until its answer is true, and return that; an AssertionError if it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing of the kind happened within {seconds:g} s")
        page.wait_for_timeout(50)
    return answer
