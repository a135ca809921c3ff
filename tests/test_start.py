"""Every way to start: the address in one place, the first cell alone, and the wheel in an empty environment."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import environments
import pytest
from browser import free_port
from packaging.requirements import Requirement
from PIL import Image
from test_packaging import NOTEBOOKS, PROJECT, ROOT, code_cells

from gan_teach.lessons import notebooks
from gan_teach.recipes import address

NOT_BUILT = (".git", ".venv", "build", "dist", "runs", "*.egg-info", "__pycache__", "tests")
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights of their own on Windows")


# ------------------------------------------------------------------------------------------ one address

def copied(to):
    """The files that name the address, in a folder of their own."""
    for path in [*(ROOT / page for page in address.PAGES), *NOTEBOOKS, *(ROOT / "notebooks").glob("zh/*.*")]:
        (to / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to / path.relative_to(ROOT))
    return to


def test_every_badge_first_cell_and_line_holds_the_address_that_is_set(tmp_path):
    assert address.current(ROOT) == PROJECT["urls"]["Repository"]
    assert address.write(root=copied(tmp_path)) == [], "run `python -m gan_teach address` and commit what it writes"
    for path in NOTEBOOKS:
        link = f"[Open in Colab]({address.colab(address.current(ROOT), path.name)})"
        cells = json.loads(path.read_text("utf-8"))["cells"]
        assert "".join(cells[0]["source"]).count(link) == 1
        assert f"git+{address.current(ROOT)} " in "".join(code_cells(path)[0]["source"])
        assert address.colab(address.current(ROOT), path.name) in (ROOT / "README.md").read_text("utf-8")
        chinese = ROOT / "notebooks" / "zh" / path.name
        link = f"]({address.colab(address.current(ROOT), f'zh/{path.name}')})"
        cells = json.loads(chinese.read_text("utf-8"))["cells"]
        assert "".join(cells[0]["source"]).count(link) == 1
        assert f"git+{address.current(ROOT)} " in "".join(code_cells(chinese)[0]["source"])
        assert link in (ROOT / "notebooks" / "zh" / "README.md").read_text("utf-8")


def test_another_address_leaves_nothing_of_the_old_one(tmp_path):
    copied(tmp_path)
    old = address.current(tmp_path).removeprefix("https://github.com/")
    changed = address.write("https://github.com/someone/a.fork.git", tmp_path)
    assert {path.name for path in changed} >= {"README.md", "pyproject.toml", *(path.name for path in NOTEBOOKS)}
    assert address.current(tmp_path) == "https://github.com/someone/a.fork"
    for path in changed:
        assert old not in path.read_text("utf-8"), path
        assert "someone/a.fork" in path.read_text("utf-8")
        for clone in re.findall(r"git clone .*", path.read_text("utf-8")):
            assert re.match(r"git clone \S+a\.fork (\S+) && cd \1`", clone), "the folder must not hang on the name"
    assert address.write("https://github.com/someone/a.fork/", tmp_path) == []
    address.write(f"https://github.com/{old}", tmp_path)
    assert all((tmp_path / path.relative_to(ROOT)).read_bytes() == path.read_bytes() for path in NOTEBOOKS)


@pytest.mark.parametrize("wrong", ["http://github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a", "a/b",
                                   "https://github.com/../..", "https://github.com/ü/b"])
def test_an_address_that_colab_cannot_open_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="https://github.com/OWNER/NAME"):
        address.write(wrong, copied(tmp_path))
    with pytest.raises(FileNotFoundError, match="copy of the repository"):
        address.write(root=tmp_path / "elsewhere")


# ------------------------------------------------------------------------------------------ the page

def test_the_readme_opens_with_the_site_and_a_small_moving_picture_each_with_the_line_that_starts_it():
    text = (ROOT / "README.md").read_text("utf-8")
    places = [text.index(words) for words in ("](data/pictures/site.png)", "gan_teach site --out site\n",
                                              "](data/pictures/panels.webp)", "gan-teach lab\n```", "## ")]
    assert places == sorted(places) and text[:places[2]].count("\n") < 27
    assert re.findall(r"\]\(([^)]*)\)", text)[:2] == ["data/pictures/site.png", "#the-site"], "the first link"
    path = ROOT / "data" / "pictures" / "panels.webp"
    with Image.open(path) as film:
        assert film.n_frames > 20 and path.stat().st_size < 3e6


# ------------------------------------------------------------------------------------------ the wheel

@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the tree; one command, as the README says, but nothing is fetched for it."""
    tree, out = tmp_path_factory.mktemp("tree") / "copy", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_BUILT))
    command = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", out, "."]
    environments.run(sys.executable, *command, cwd=tree)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The Python of an empty environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("empty")
    python = environments.without(folder, "gan-teach")
    environments.run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder)
    return python


def test_the_wheel_is_the_whole_workbook(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    shipped = [p for p in (ROOT / "data").rglob("*") if p.suffix in {".safetensors", ".json"} or p.parent.name == "raw"]
    words = [*(ROOT / "notebooks").glob("zh/*.ipynb"), *(ROOT / "gan_teach" / "locale").glob("*.po")]
    for path in [*shipped, *NOTEBOOKS, *words, *(ROOT / "gan_teach").rglob("*.py")]:
        where = path.relative_to(ROOT)
        if path.is_file():
            assert (where if where.parts[0] == "gan_teach" else "gan_teach" / where).as_posix() in inside
    for page, words in (("README.md", r"a wheel of (\d+) MB"), ("notebooks/zh/README.md", r"(\d+) MB 的 wheel")):
        told = int(re.search(words, (ROOT / page).read_text("utf-8"))[1])
        assert abs(told - wheel.stat().st_size / 1e6) < 0.1 * told, f"{page}; it has {wheel.stat().st_size / 1e6:.1f}"
    assert not [name for name in inside if name.startswith(("tests", "data", "notebooks"))]


@needs_links
def test_the_installed_wheel_finds_its_weights_notebooks_and_data(installed, tmp_path):
    asked = """import gan_teach, sys
from gan_teach import checkpoints, files
from gan_teach.lessons import notebooks
from gan_teach.worlds import datasets
from torchvision.datasets import FashionMNIST
assert gan_teach.load("scenes-progan")(__import__("torch").zeros(1, 128)).shape == (1, 3, 64, 64)
print(gan_teach.__file__, len(FashionMNIST(files.data_folder(), train=False)), *notebooks.chapters())
print(*checkpoints.shipped())"""
    first, second = environments.run(installed, "-c", asked, cwd=tmp_path).stdout.splitlines()
    where, clothes, *chapters = first.split()
    assert installed.parents[1] in Path(where).parents and clothes == "10000"
    assert chapters == list(notebooks.chapters()) and "scenes-stylegan" in second.split()


@needs_links
@pytest.mark.parametrize("command, said, written", [
    ("list", "scenes-progan", None), ("progress", "gan-teach-progress.json", None), ("notes 02", "AdaIN", None),
    ("dissect scenes-progan --samples 20 --device cpu", "written: ", "dissection-scenes-progan.html"),
    ("train scenes-segmenter --images 32 --device cpu", "written: ",
     "runs/scenes-segmenter/scenes-segmenter.safetensors")])
def test_the_commands_of_the_installed_wheel_do_their_work(installed, tmp_path, command, said, written):
    """By its own script, in an empty folder, where nothing of the repository is seen."""
    done = environments.run(installed.with_name("gan-teach"), *command.split(), cwd=tmp_path, GAN_TEACH_PROGRESS="")
    assert said in done.stdout
    assert written is None or (tmp_path / written).stat().st_size > 10_000


def test_nothing_is_written_into_the_package(installed, tmp_path):
    """Thirty readers of one JupyterHub share one installed copy, which they may not write."""
    package = next(installed.parents[1].rglob("gan_teach/__init__.py")).parent
    asked = """import gan_teach
from gan_teach.dissection import ablate, dissect
from gan_teach.lessons import checks, questions, setup
from gan_teach.widgets.dissection.panel import DissectionPanel
from gan_teach.widgets.quiz import quiz
setup.banner(1, 2)
G, S = gan_teach.load("scenes-progan"), gan_teach.load("scenes-segmenter")
DissectionPanel(G, "layer4", S, dissect(G, "layer4", S, samples=20, progress=False))
checks.check_ablate(ablate)
box = quiz(questions.CHAPTER_1)
box.children[0].children[1].index = 0"""

    def state():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in package.rglob("*")}

    for path in package.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = state()
    environments.run(installed, "-c", asked, cwd=tmp_path, PYTHONDONTWRITEBYTECODE="1", GAN_TEACH_PROGRESS="")
    assert state() == before
    assert [path.name for path in tmp_path.iterdir()] == ["gan-teach-progress.json"]


@needs_links
@pytest.mark.parametrize("language", ["en", "zh"])
def test_lab_copies_the_notebooks_and_opens_jupyterlab(installed, tmp_path, language):
    """In the folder of all editions, so that a title's link to the other edition leads there."""
    script, port = installed.with_name("gan-teach"), free_port()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"JUPYTER_TOKEN": "a-token"}
    env |= {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    env["GAN_TEACH_LANG"] = language
    server = subprocess.Popen([script, "lab", "mine", "--no-browser", f"--port={port}"], cwd=tmp_path, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        end = time.monotonic() + 120
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert server.poll() is None and time.monotonic() < end, "JupyterLab did not start"
            time.sleep(0.3)
        question = urllib.request.Request(f"http://127.0.0.1:{port}/api/contents",
                                          headers={"Authorization": "token a-token"})
        served = json.load(urllib.request.urlopen(question, timeout=60))
        assert sorted(item["name"] for item in served["content"]) == [*(path.name for path in NOTEBOOKS), "zh"]
        page, = (tmp_path / "RUNTIME").glob("*-file-to-run-*.html")             # what a browser would be given
        assert f"/lab/tree/{'zh/' * (language == 'zh')}00_warm_up.ipynb?" in page.read_text("utf-8")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        said = server.communicate(timeout=60)[0]
    assert {"en": "copied into mine: ", "zh": "已复制到 mine："}[language] + "00_warm_up.ipynb" in said


def test_a_readers_work_is_never_written_over(tmp_path):
    copied, kept = notebooks.copy(tmp_path / "a")
    names = [path.name for path in NOTEBOOKS]
    assert copied == [*names, *(f"zh/{name}" for name in names)] and kept == []
    work = tmp_path / "a" / NOTEBOOKS[0].name
    work.write_text("mine")
    (tmp_path / "a" / NOTEBOOKS[1].name).unlink()
    assert notebooks.copy(tmp_path / "a") == ([NOTEBOOKS[1].name], [NOTEBOOKS[0].name])
    assert work.read_text() == "mine"


@pytest.mark.parametrize("said, name", [(2, "02_"), ("2", "02_"), ("02", "02_"), ("1b", "01b_"), ("01b_x", "01b_")])
def test_a_chapter_is_found_by_its_number(said, name):
    assert notebooks.find(said).name.startswith(name)


@pytest.mark.parametrize("said", [17, "two", ""])
def test_an_unknown_chapter_is_named_with_those_that_are_there(said):
    with pytest.raises(ValueError, match="there are: 00, 01"):
        notebooks.find(said)


# ------------------------------------------------------------------------------------------ opened alone

def pip_line() -> list[str]:
    line = re.search(r"(?m)^ +%pip install (.*)$", "".join(code_cells(NOTEBOOKS[0])[0]["source"]))[1]
    return line.split()


def test_the_first_cell_names_what_colab_has_not_and_nothing_that_it_has():
    quiet, no_deps, ours, *others = pip_line()
    assert (quiet, no_deps) == ("-q", "--no-deps") and ours == f"git+{PROJECT['urls']['Repository']}"
    needed = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert needed & {*others} == {"torchmetrics"}
    from importlib.metadata import requires
    asked = {Requirement(line) for line in requires("torchmetrics")}
    plain = {r.name for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})}
    assert plain - {"numpy", "torch", "packaging"} <= {*others}


@needs_links
@pytest.mark.skipif(not shutil.which("git"), reason="pip fetches with git")
def test_the_first_cell_alone_installs_what_is_missing_and_touches_nothing_else(tmp_path):
    """As on Colab: the notebook and none of our packages. pip builds from a git address, here one on this disk."""
    python = environments.without(tmp_path, "gan-teach", "torchmetrics", "lightning-utilities")
    listing = ["-m", "pip", "list", "--format=json"]
    def packages():
        found = json.loads(environments.run(python, *listing, cwd=tmp_path).stdout)
        return {p["name"].lower().replace("_", "-"): p["version"] for p in found}
    before = packages()
    assert {"torch", "numpy", "ipywidgets"} <= before.keys()
    shelf, tree = tmp_path / "shelf", tmp_path / "tree"
    shelf.mkdir()
    for name, version in (("torchmetrics", "1.9.0"), ("lightning_utilities", "0.15.0")):
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(shelf / f"{name}-{version}-py3-none-any.whl", "w") as file:
            file.writestr(f"{name}/__init__.py", "")
            file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                                              "Requires-Dist: torch==99\n")
            file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{info}/RECORD", "")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_BUILT, "data"))
    (tree / "data").mkdir()
    shutil.copy(ROOT / "data" / "README.md", tree / "data")                 # the weights are no part of this
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", tree]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)
    line = [f"git+{tree.as_uri()}" if part.startswith("git+") else part for part in pip_line()]
    offline = ["--no-build-isolation", "--no-index", "--find-links", shelf]
    environments.run(python, "-m", "pip", "install", *offline, *line, cwd=tmp_path)
    after = packages()
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {"gan-teach", "torchmetrics", "lightning-utilities"}
