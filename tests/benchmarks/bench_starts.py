"""Every way to start, done from nothing by the page's own lines: how long until a picture, what memory, what came?

    python tests/benchmarks/bench_starts.py [laptop wheel stage-dissection … pipx colab]

    laptop   README's lines for a copy of the repository, with Python alone
    wheel    the wheel, built by README's line, installed into an empty environment; `gan-teach lab`
    stage-…  that environment without a network: `gan-teach demo dissection`, and each other demonstration
    pipx     the Chinese README's line for pipx, with a pipx that is there: the Chinese edition
    colab    Colab's notebook, kernel and widgets with none of our packages; the notebook's first cell installs them

Everything happens in a temporary folder, in a Chromium of its own; the repository is a clone of the working tree, and
git is told to find OWNER's address there. A picture counts when the browser has loaded it. Seconds are of the clock,
"from nothing" from the first command on, with all that is fetched; "again" is the start alone, the next time. CPU is
what the processor worked for the installation, the server and the kernels until the first picture, the browser left
out. Memory is PSS, of the server and of the kernels, when the picture is there: of chapter 0 no cell behind the one
that draws it is asked for. Packages and MB are what the start added. Load is how many processes wanted to compute
before and after, over a minute. A step that takes over half an hour ends its way; the others go on, and at the end what
failed is said, with status 1. Prints a line of JSON for each;
`python -m tests.benchmarks --only starts` writes the table, after each way. Linux alone tells the memory.
"""

import argparse
import functools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench_chapters
import browser
import environments
from tqdm.auto import tqdm

from gan_teach.lessons import notebooks
from gan_teach.recipes import address
from gan_teach.widgets.demonstrations import DEMOS

ROOT = environments.ROOT
PICTURE = """() => [...document.querySelectorAll(".jp-OutputArea-output img, .output_area img, img.gt-painted")]
    .some(img => img.complete && img.naturalWidth)"""
DRAWS = "real"                                                              # the first cell of chapter 0 that does
LIMIT_S = 1800                                                              # of each step
OFFLINE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
COLUMNS = {"way": "way to start", "from_nothing_s": "from nothing to the first picture", "cpu_s": "CPU",
           "again_s": "again", "packages": "packages", "installed_mb": "installed", "server_mb": "server",
           "kernel_mb": "kernel", "load": "load"}


# ------------------------------------------------------------------------------------------ what a start is measured by

def below(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(it for child in children for it in below(int(child)))]


def memory(server: int) -> dict[str, int]:
    """MB of a server and of its kernels."""
    found = {"server_mb": 0.0, "kernel_mb": 0.0}
    for pid in below(server):
        kernel = b"ipykernel_launcher" in Path(f"/proc/{pid}/cmdline").read_bytes()
        found["kernel_mb" if kernel else "server_mb"] += bench_chapters.memory(pid)["pss"]
    return {name: round(mb) for name, mb in found.items()}


def processor(server: int) -> float:
    """Processor seconds of a server, its kernels, and whatever they have run."""
    told = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in below(server))
    return sum(int(ticks) for fields in told for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def installed(folder: Path) -> tuple[int, float]:
    """How many packages lie in an environment, pip and its like left out, and the MB of all its files."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    names = {path.parent.name.split("-")[0] for path in files if path.name == "METADATA"} - {"pip", "setuptools"}
    return len(names), sum(path.stat().st_size for path in files) / 1e6


def opened(command: list, cwd: Path, notebook: str, said: str = "", **variables) -> dict:
    """Start a Jupyter by this command, run the notebook, and measure when its first picture is there."""
    with tempfile.TemporaryDirectory() as scratch, browser.chromium(Path(scratch)) as page:
        began = time.perf_counter()
        with browser.served(command, Path(scratch), cwd, environments.clean() | variables) as (server, root):
            cells = [cell["id"] for cell in notebooks.read("00")]
            browser.start_all(page, root.format(notebook), cells.index(DRAWS) + 1)
            page.wait_for_function(PICTURE, timeout=LIMIT_S * 1000)
            found = {"s": time.perf_counter() - began, "cpu_s": processor(server.pid)}
            page.wait_for_function(browser.DONE, timeout=LIMIT_S * 1000)
            found |= memory(server.pid)
            assert said in page.text_content("body"), f"{notebook} does not say {said!r}"
    return found


def demonstrated(command: list, cwd: Path) -> dict:
    """Start a demonstration, open its address, and measure when its first picture is there."""
    with tempfile.TemporaryDirectory() as scratch, browser.chromium(Path(scratch)) as page:
        outside = []
        page.on("request", lambda request: outside.append(request.url))
        began = time.perf_counter()
        server = subprocess.Popen(command, cwd=cwd, env=environments.clean(), stdout=subprocess.PIPE, text=True)
        late = threading.Timer(LIMIT_S, server.kill)
        late.start()
        try:
            page.goto(re.search(r"http://\S+", server.stdout.readline())[0], wait_until="commit")
            page.wait_for_function(PICTURE, timeout=LIMIT_S * 1000)
            found = {"s": time.perf_counter() - began, "cpu_s": processor(server.pid), **memory(server.pid)}
        finally:
            late.cancel()
            server.send_signal(signal.SIGTERM)
            server.wait(90)
        strangers = [url for url in outside if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", url)]
        assert not strangers, strangers
    return found


def twice(start, *before: dict) -> dict:
    """Start two times; these steps of an installation came before the first."""
    first, again = start(), start()
    took, cpu = (sum(step[key] for step in (*before, first)) for key in ("s", "cpu_s"))
    return {"from_nothing_s": round(took, 1), "cpu_s": round(cpu, 1), "again_s": round(again["s"], 1),
            **{name: first[name] for name in ("server_mb", "kernel_mb")}}


# ------------------------------------------------------------------------------------------ the ways

def line(page: str, holds: str) -> str:
    """The one line of a page's blocks of commands that holds these words."""
    found, = (it for it in (ROOT / page).read_text("utf-8").splitlines() if holds in it and not it.startswith("`"))
    return found


def quoted(begins: str) -> str:
    """The command in README's text that begins like this."""
    return re.search(f"`({re.escape(begins)}[^`]*)`", (ROOT / "README.md").read_text("utf-8"))[1]


def shell(command: str, cwd: Path) -> dict:
    """Run a command of a page; its seconds, and those of the processor. AssertionError, with its words, if it fails."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(["bash", "-c", command], cwd=cwd, env=environments.clean(), capture_output=True, text=True,
                          timeout=LIMIT_S)
    assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-3000:]}"
    now = os.times()
    spent = now.children_user + now.children_system - before.children_user - before.children_system
    return {"s": time.perf_counter() - began, "cpu_s": spent}


def clone(folder: Path) -> Path:
    """A repository that holds the working tree as git sees it: what a reader clones."""
    tree = folder / "tree"
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    shell("git init -q && git add -A && git -c user.name=a -c user.email=a@example.org commit -q -m a", tree)
    return tree


def from_here(tree: Path) -> dict[str, str]:
    """The variables that let git find the repository's address in this folder."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{tree.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": address.current(ROOT)}


def laptop(folder: Path, tree: Path) -> dict:
    """README's line: an environment, the package, JupyterLab."""
    shell(f"git clone -q {tree.as_uri()} laptop", folder)
    here = folder / "laptop"
    *install, start = line("README.md", "jupyter lab notebooks/00_warm_up.ipynb").split(" && ")[:3]
    took = shell(" && ".join(install), here)
    count, mb = installed(here / ".venv")
    found = twice(lambda: opened(shlex.split(start), here, "lab/tree/00_warm_up.ipynb"), took)
    return {"way": "a copy of the repository, with Python alone", **found, "packages": count, "installed_mb": round(mb)}


def wheel(folder: Path, tree: Path) -> dict:
    """One file, built by README's line, in an empty environment: nothing of the repository is in sight."""
    shell(f"git clone -q {tree.as_uri()} built", folder)
    python = shlex.quote(sys.executable)
    built = shell(quoted("python -m pip wheel").replace("python", python, 1), folder / "built")
    here = folder / "empty"
    here.mkdir()
    shutil.move(folder / "built" / "dist", here / "dist")
    install = quoted('pip install "dist/')
    took = shell(f"{python} -m venv .venv && . .venv/bin/activate && {install}", here)
    count, mb = installed(here / ".venv")
    start = [here / ".venv" / "bin" / "gan-teach", "lab"]
    found = twice(lambda: opened(start, here, "lab/tree/00_warm_up.ipynb"), built, took)
    (here / "took").write_text(json.dumps({"from_nothing_s": built["s"] + took["s"],
                                           "cpu_s": built["cpu_s"] + took["cpu_s"]}))
    return {"way": "the wheel in an empty environment", **found, "packages": count, "installed_mb": round(mb)}


def stage(folder: Path, tree: Path, demo: str) -> dict:
    """A demonstration in the wheel's environment, where there is no network at all."""
    here = folder / "empty"
    if not here.exists():
        wheel(folder, tree)
    own = [*OFFLINE, sys.executable, __file__, "--shown", here, demo]
    told = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True, timeout=3 * LIMIT_S,
                          env=environments.clean() | {"PYTHONPATH": str(ROOT)}).stdout
    found, (count, mb) = json.loads(told), installed(here / ".venv")
    found |= {key: round(found[key] + took, 1) for key, took in json.loads((here / "took").read_text()).items()}
    return {"way": f"the stage ({demo}), from the wheel, without a network", **found, "packages": count,
            "installed_mb": round(mb)}


def pipx(folder: Path, tree: Path) -> dict:
    """The Chinese README's line for pipx."""
    here = folder / "pipx"
    here.mkdir()
    shell(f"{shlex.quote(sys.executable)} -m venv tool && tool/bin/pip install -q pipx", here)      # it is there
    start = ["bash", "-c", line("notebooks/zh/README.md", "pipx run")]
    own = from_here(tree) | {"PIPX_HOME": str(here / "home"), "PIPX_DEFAULT_PYTHON": sys.executable,
                             "PATH": f"{here / 'tool' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    found = twice(lambda: opened(start, here, "lab/tree/zh/00_warm_up.ipynb", "小结", **own))
    count, mb = installed(here / "home")
    return {"way": "one line (pipx), in Chinese", **found, "packages": count, "installed_mb": round(mb)}


def colab(folder: Path, tree: Path) -> dict:
    """The notebook alone in Notebook 6; its first cell installs what is missing."""
    here = folder / "content"
    here.mkdir()
    python = environments.colab(folder / "colab", "torchmetrics", "lightning-utilities")
    shutil.copy(ROOT / "notebooks" / "00_warm_up.ipynb", here)
    before, before_mb = installed(folder / "colab" / "venv")
    found = twice(lambda: opened([python, "-m", "notebook"], here, "notebooks/00_warm_up.ipynb", **from_here(tree)))
    count, mb = installed(folder / "colab" / "venv")
    return {"way": "Colab's notebook, kernel and widgets; the first cell", **found, "packages": count - before,
            "installed_mb": round(mb - before_mb)}


WAYS = {"laptop": laptop, "wheel": wheel,
        **{f"stage-{demo}": functools.partial(stage, demo=demo) for demo in DEMOS}, "pipx": pipx, "colab": colab}


def table(rows: list[dict]) -> list[str]:
    """The lines of the table, and above it what its columns mean."""
    lines = ["Each way was done by its page's own lines in an empty folder, until a browser had loaded the first",
             "picture of chapter 0 (the stage: of its first panel). *From nothing* begins with the first command, and",
             "holds all that is fetched; *again* is the start alone, the next time. Packages and MB are what the start",
             "added; memory is the share (PSS) of the server and of its kernel when the picture was there. *Load*: how",
             "many processes wanted a core before and after; seconds are long where many did. *CPU* is what the",
             "processor worked for it, the browser left out: about what a machine with nothing else to do would need.",
             "A way that is missing, or an empty cell, was not measured yet.",
             "`python tests/benchmarks/bench_starts.py --help` tells more.", "",
             f"| {' | '.join(COLUMNS.values())} |", "|---|" + "--:|" * (len(COLUMNS) - 1)]
    units = {"s": "{:.0f} s", "mb": "{:,} MB"}
    for row in rows:
        told = [units.get(key.split("_")[-1], "{}").format(row[key]) if key in row else "" for key in COLUMNS]
        lines.append(f"| {' | '.join(told)} |")
    return lines


def measure(ways=tuple(WAYS)) -> Iterator[dict]:
    """Do each of these ways from nothing, one after the other; its row as soon as it is there.

    RuntimeError, when all are done, for those that failed.
    """
    failed = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder, bar = Path(scratch), tqdm(ways, unit="way")
        tree = clone(folder)
        for name in bar:
            bar.set_description(name)
            before = os.getloadavg()[0]
            try:
                row = WAYS[name](folder, tree)
            except Exception as error:                                      # nobody may be watching: the others go on
                failed[name] = f"{type(error).__name__}: {error}"
            else:
                yield {**row, "load": f"{before:.0f} … {os.getloadavg()[0]:.0f}"}
    if failed:
        raise RuntimeError("\n".join(f"{name} failed: {why}" for name, why in failed.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", help=f"some of: {', '.join(WAYS)} (all)")
    parser.add_argument("--shown", nargs=2, help=argparse.SUPPRESS)                    # the stage's own call of itself
    given = parser.parse_args()
    if given.shown:
        here, demo = given.shown
        start = [Path(here) / ".venv" / "bin" / "gan-teach", "demo", demo, "--no-browser"]
        print(json.dumps(twice(lambda: demonstrated(start, here))))
        return
    if wrong := [name for name in given.ways if name not in WAYS]:
        parser.error(f"no way {wrong[0]!r}; there are: {', '.join(WAYS)}")
    for row in measure(given.ways or WAYS):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
