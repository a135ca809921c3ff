"""The site: whole in both languages, self-contained, its machines driven by mouse, touch and keys, as PyTorch says."""

import ast
import io
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sysconfig
from contextlib import contextmanager
from email.message import Message
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser
import numpy as np
import pytest
import torch
from browser import CHROMIUM, FLAGS, keep, missing, serious, wait_until
from PIL import Image
from serving import Visit, slowed, visiting

from gan_teach import checkpoints, files, load, pictures
from gan_teach.dissection.pixels import class_pixels
from gan_teach.dissection.units import Ranking
from gan_teach.egan import plane
from gan_teach.language import languages
from gan_teach.lessons import notebooks
from gan_teach.networks.layers import sample_z
from gan_teach.recipes.address import COLAB
from gan_teach.site import build, chapters, machines, networks, packages
from gan_teach.site import pages as site_pages
from gan_teach.site.pages import INSTALL, MACHINES, PAGE, below
from gan_teach.site.strings import NAMES, TEXTS, texts
from gan_teach.stylegan import mix
from gan_teach.widgets.dissection.paint_render import PaintRenderer, PaintState, Stroke

PHONE = 390, 844                    # pixels of a small screen, upright

pytest.importorskip("nbconvert", reason="the chapters of the site are rendered by nbconvert, of the extra [site]")
pytest.importorskip("onnx", reason="the networks of the site are exported with onnx, of the extra [site]")


def known_ranking(G, layer, S, cls, **_) -> Ranking:
    """Instead of the search, which takes minutes: units of trees as in the record, of others those most on there."""
    score = machines.levels(G, layer, range(64), S, cls, 16)
    score = score / score.max()
    if cls == "tree":
        units = checkpoints.record("scenes-progan")["ablation_of_12_units"]["tree"]["in_place"]["units"]
        score[units] += torch.linspace(2, 1, len(units))
    return Ranking(cls, score, torch.zeros_like(score))


def known_adders(G, layer, S, cls, context, k) -> Ranking:
    """The same for the units that add: those most on where the class is."""
    return Ranking(cls, k / k.max(), torch.zeros_like(k))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site below some/path of a folder. Its units are not searched: the machines are tested."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            missing(f"no {tool}: the site cannot be built here")
    try:
        for name in packages.PACKAGES:
            packages.fetch(name)
    except RuntimeError as error:
        missing(f"the npm registry does not answer: {error}")
    folder, cache = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machines, "optimise_alpha", known_ranking)
        patch.setattr(machines, "optimise_insertion", known_adders)
        patch.setattr(machines, "cache_folder", lambda: cache)
        patch.setattr(machines, "GAMES", 20)
        patch.setattr(machines, "SAMPLES", 16)
        build(folder / "some" / "path")
    return folder / "some" / "path"


@pytest.fixture(scope="module")
def visit(site, tmp_path_factory):
    with visiting(site.parents[1], "some/path", tmp_path_factory.mktemp("browser")) as visit:
        yield visit


@pytest.fixture
def forgiven(visit):
    """What the page complains of in this test is what the test does to it; and what a try that failed left behind."""
    before = len(visit.complaints)
    yield
    visit.page.unroute_all()
    del visit.complaints[before:]


@pytest.fixture(scope="module")
def phone(visit):
    """The same browser as a phone: small, and touched. What it asks for and complains of is noted with the rest."""
    context = visit.page.context.browser.new_context(viewport=dict(zip(("width", "height"), PHONE)), has_touch=True,
                                                     is_mobile=True, device_scale_factor=2)
    phone = Visit(context.new_page(), visit.root)
    phone.asked, phone.complaints, phone.sizes = visit.asked, visit.complaints, visit.sizes
    yield phone
    context.close()


@pytest.fixture(scope="module")
def known(site):
    return json.loads((site / "data" / "paint.json").read_text("utf-8"))


def lay_out(folder: Path, text: str, code: list[str], site: Path, known: dict, patch) -> Path:
    """One chapter in each language, as an installed package has it below `folder`; where its notebooks lie. `build`
    makes a site of it, with the networks and numbers of the large one."""
    import nbformat
    patch.setattr(networks, "export", lambda out: shutil.copytree(site / "networks", out))
    patch.setattr(machines, "write", lambda out: shutil.copytree(site / "data", out) and known)
    cells = [nbformat.v4.new_markdown_cell(text), *map(nbformat.v4.new_code_cell, code)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for language in languages():
        path = folder / "notebooks" / below(language) / "00_small.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    (folder / "data").symlink_to(files.data_folder())
    patch.setattr(files, "__file__", str(folder / "files.py"))
    return folder / "notebooks"


@pytest.fixture
def small(site, known, tmp_path, monkeypatch):
    """Where the notebooks of a small site lie, and what builds it."""
    text = f"# Small\n\n[Open in Colab]({COLAB}old/address/blob/main/a.ipynb)"
    where = lay_out(tmp_path / "installed", text, ["print(6 * 7)"], site, known, monkeypatch)
    return where, lambda **given: build(tmp_path / "out", **given).parent


OUTPUTS = ["import matplotlib.pyplot as plt\nimport torch\nfrom IPython.display import Markdown\n"
           "from gan_teach import checkpoints, pictures\nfrom gan_teach.egan import rivals",
           "slope = torch.linspace(-1, 1, 64).expand(3, 64, 64)\n"
           "pictures.show([[slope] * 8] * 2, titles=[[f'seed {n}' for n in range(8)]], alt='grey slopes')",
           "figure, axes = plt.subplots(1, 2, figsize=(10, 3))\naxes[0].plot([0, 1, 4, 9])\n"
           "pictures.chart(figure, alt='left: a curve that rises; right: nothing')",
           "Markdown(rivals.worth(checkpoints.comparison('plane-comparison'), 'ring', 'equal generations'))",
           "for unit in range(6):\n    print(f'unit {unit}', *(f'{unit * n:9.3f}' for n in range(12)))"]
RAN = "../ran/chapters/00_small.html"


@pytest.fixture(scope="module")
def ran(site, known, tmp_path_factory):
    """Beside the site one of a chapter that was run: pictures, a chart, a table and columns of numbers are its outputs.
    Its address is `RAN`."""
    import nbformat
    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch:
        where = lay_out(folder, "# A chapter with outputs\n\n## Pictures, numbers", OUTPUTS, site, known, patch)
        (folder / "run").mkdir()
        nbformat.write(notebooks.run(where / "00_small.ipynb"), folder / "run" / "00_small.ipynb")
        build(site.parent / "ran", executed=folder / "run")


# ------------------------------------------------------------------------------------------ the files

class Links(HTMLParser):
    """What a page refers to, its pictures without a description, its language and the words of its frame."""

    def __init__(self, html: str):
        super().__init__()
        self.loads, self.links, self.silent, self.names, self.words = [], [], [], set(), []
        self.language, self.other, self.mute = "", {}, ""
        self.feed(html)

    def handle_data(self, data):
        if not self.mute:
            self.words.append(data.strip())

    def handle_endtag(self, tag):
        self.mute = "" if tag == self.mute else self.mute

    def handle_starttag(self, tag, given):
        given = dict(given)
        self.language = given["lang"] if tag == "html" else self.language
        if tag in ("article", "pre", "script", "style") or given.get("class") == "other":    # not words of the frame
            self.mute = self.mute or tag
        self.words += [given[key] for key in ("aria-label", "alt", "title") if given.get(key) and not self.mute]
        if given.get("class") == "other":
            self.other[given["lang"]] = given["href"]
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a":
            self.links.append(given.get("href", ""))
        for key in ("src", "href") if tag != "a" else ():
            if key in given:
                self.loads.append(given[key])
        if tag == "img" and "alt" not in given:
            self.silent.append(given.get("src", "")[:60])


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Links(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_whole_and_loads_nothing_of_another_host(site, pages):
    assert len(pages) == len(languages()) * (1 + len(MACHINES) + len(list(files.notebooks_folder().glob("*.ipynb"))))
    for name, page in pages.items():
        assert not page.silent, f"{name}: pictures without alt"
        for address in page.loads:
            assert address.startswith("data:") or not urlsplit(address).netloc, f"{name} loads {address}"
        for address in (*page.loads, *page.links):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = ((site / name).parent / unquote(parts.path)).resolve() if parts.path else site / name
            assert target.is_file(), f"{name} refers to {address}"
            if parts.fragment and target.suffix == ".html":
                named = {parts.fragment, unquote(parts.fragment)} & pages[target.relative_to(site).as_posix()].names
                assert named, f"{name} refers to {address}"


def test_every_page_has_its_like_in_every_language_with_the_same_sections(site, pages):
    for name, page in pages.items():
        assert below(page.language) == (f"{name[:2]}/" if name[:2] in languages() else ""), name
        assert page.other.keys() == {*languages()} - {page.language}, name
        plain = name.removeprefix(below(page.language))
        for language, address in page.other.items():
            other = os.path.normpath(Path(name).parent / address)
            assert other == below(language) + plain
            assert pages[other].names == page.names, f"{name} and {other} have other sections"
            assert NAMES[language] in (site / name).read_text("utf-8")
    large = [path.relative_to(site) for path in site.rglob("*") if path.suffix in (".onnx", ".wasm", ".bin", ".woff2")]
    assert len(large) > 20 and not [path for path in large if path.parts[0] in languages()], "these are there once"


# what a Chinese page may say in Latin letters
ALLOWED = ("gan-teach GAN GANs StyleGAN E-GAN English Python JavaScript WebAssembly WebGPU GPU MIT CC BY MB MMD px "
           "Adam Colab AdaIN IoU log ln nD Fq Fd LD Linux macOS Windows PowerShell").split()


def latin(text: str) -> list[str]:
    """English words of a text: two letters or more, those that stay so left out."""
    return [word for word in re.findall(r"[A-Za-z][A-Za-z-]+", text) if word not in ALLOWED]


def test_the_words_of_a_chinese_page_are_chinese(pages):
    said = texts("zh", machines.CLASSES, {})
    for key, text in said.items():
        assert not latin(re.sub(r"\{[^}]+\}|</?sub>", " ", text)), f"{key}: {text}"
    for name, page in pages.items():
        words = " ".join(page.words)
        if page.language == "zh":
            assert sum(ord(sign) > 0x2e7f for sign in words) > 100 and not latin(words), f"{name}: {latin(words)}"
        else:
            assert len(latin(words)) > 50, f"{name}: an English page has English words"


def test_formulas_are_drawn_and_code_is_marked(site):
    displayed = 0
    for path in site.rglob("chapters/*.html"):
        html = path.read_text("utf-8")
        cells = json.loads(path.with_suffix(".ipynb").read_text("utf-8"))["cells"]
        wanted = sum("".join(c["source"]).count("$$") // 2 for c in cells if c["cell_type"] == "markdown")
        assert html.count('class="katex-display"') == wanted, path
        assert html.count('class="katex"') >= wanted
        assert "<!--formula" not in html and 'class="highlight' in html
        displayed += wanted
    assert displayed > 20


@pytest.mark.parametrize("language", languages())
def test_each_machine_and_the_section_of_its_chapter_lead_to_each_other(site, language):
    folder, said = site / below(language), texts(language, [], {})
    for machine, name, section in (("players", "00_warm_up", "9.-Play"), ("mix", "02_stylegan", "Mix-yourself"),
                                   ("paint", "01b_gan_dissection_further", "6.-Paint"),
                                   ("evolve", "03_evolutionary_gan", "The-laboratory")):
        page = unquote((folder / f"{machine}.html").read_text("utf-8"))
        assert f'href="chapters/{name}.html#{section}' in page, machine
        chapter = (folder / "chapters" / f"{name}.html").read_text("utf-8")
        assert f'href="../{machine}.html">{said["live"].format(machine=said[f"{machine}_title"])}<' in chapter
        assert f'href="{name}.ipynb" download' in chapter
        below_it = chapter[chapter.index(f'id="{section}'):]
        link = f'<a href="../{machine}.html">{said[f"{machine}_title"]}</a>'
        assert f'<p class="panel live">{said["panel_live"].format(link=link)}' in below_it
    for name, found in (("02b_stylegan_further", 1), ("01b_gan_dissection_further", 1), ("04_capstone", 0)):
        chapter = (folder / "chapters" / f"{name}.html").read_text("utf-8")
        assert chapter.count('<p class="panel live">') == found, "a comment, or a panel of other networks, is none"
    for machine in ("paint", "mix", "evolve"):
        assert f'href="../{machine}.html">{said["live"].format(machine=said[f"{machine}_title"])}<' in chapter
        assert 'href="chapters/04_capstone.html">' in (folder / f"{machine}.html").read_text("utf-8")


def test_no_page_leads_to_an_address_that_is_a_placeholder(site):
    for path in site.rglob("*.html"):
        assert f"{COLAB}OWNER" not in path.read_text("utf-8"), path.name


@pytest.mark.parametrize("owner, installed", [("OWNER", False), ("someone", False), ("someone", True)])
def test_chapters_lead_to_colab_once_the_repository_has_an_address(small, monkeypatch, owner, installed):
    """Of a copy of the repository, or as the installed package says."""
    def current():
        if installed:
            raise FileNotFoundError
        return f"https://github.com/{owner}/gan-teach"

    said = Message()
    said["Project-URL"] = f"Repository, https://github.com/{owner}/gan-teach"
    monkeypatch.setattr(site_pages, "current", current)
    monkeypatch.setattr(site_pages, "metadata", lambda name: said)
    out = small[1]()
    for language in languages():
        page = (out / below(language) / "chapters" / "00_small.html").read_text("utf-8")
        link = f'href="{COLAB}{owner}/gan-teach/blob/main/notebooks/{below(language)}00_small.ipynb"'
        assert page.count(COLAB) == page.count(link) == (owner != "OWNER")


def test_an_installed_package_builds_its_chapters_and_a_folder_without_any_is_told(small, tmp_path):
    where, built = small
    home = (built() / "zh" / "index.html").read_text("utf-8")
    assert 'href="chapters/00_small.html">Small<' in home and "notebooks/zh/00_small.ipynb" in home
    (where / "zh" / "00_small.ipynb").unlink()
    with pytest.raises(FileNotFoundError, match="there are no chapters in .*zh"):
        build(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_one_command_runs_the_chapters_into_a_folder_that_it_makes(small, tmp_path):
    out = small[1](execute=True, executed=tmp_path / "runs" / "chapters")
    for language in languages():
        assert (tmp_path / "runs" / "chapters" / below(language) / "00_small.ipynb").is_file()
        page = (out / below(language) / "chapters" / "00_small.html").read_text("utf-8")
        assert ">42\n<" in page and texts(language, [], {})["not_run"] not in page


def test_the_first_page_installs_on_every_system(site):
    """The same three commands; where the programs of an environment lie on each system, Python knows."""
    unix, windows = (sysconfig.get_path("scripts", scheme, {"base": ".venv"}) for scheme in ("posix_prefix", "nt"))
    assert INSTALL["windows"] == tuple(line.replace("python3", "python").replace(
        f"{unix}/", windows.replace("/", "\\") + "\\") for line in INSTALL["unix"])
    for language in languages():
        first = f"notebooks/{below(language)}00_warm_up.ipynb"
        html = unescape((site / below(language) / "index.html").read_text("utf-8"))
        assert all("\n".join(lines).format(first=first) in html for lines in INSTALL.values())


def test_every_text_is_used_and_none_is_missing():
    scripts = "".join(path.read_text("utf-8") for path in (PAGE / "js").glob("*.js"))
    asked = set(re.findall(r'\btext\("(\w+)"', scripts)) | {f"noise_{kind}" for kind in ("stored", "drawn", "off")}
    asked |= {f"{when}_{phase}" for when in ("next", "done") for phase in plane.PHASES} | {"done_nothing"}
    asked |= {f"{machine}_{part}" for machine in MACHINES for part in ("title", "lead", "why", "card", "card_alt")}
    asked |= {f"shape_{name}" for name in ("heart", "circle", "wave", "spiral", "islands")}
    asked |= {f"install_{system}" for system in INSTALL} | {"no_wasm", "offline"}
    asked |= {f"counts_{column}" for column in ("class", "before", "after", "change")}
    assert asked <= set(TEXTS)
    written = [*PAGE.glob("*.html"), *PAGE.parent.glob("*.py")]
    everything = scripts + "".join(path.read_text("utf-8") for path in written)
    for name in TEXTS:
        assert len(re.findall(rf"\b{name}\b", everything)) > 1 or name in asked, f"nobody shows {name!r}"


SHARED = """seed reset undo redo play pause step one_generation data pace slow fast count strength add remove frame next
    loss_of_g d_for_g clear d_learns g_learns show_pushes from_source noise strip real_points fake_points field_key
    not_made family_key tree_empty tree_alt verdicts_key
    brush paint_canvas paint_how before_alt verdicts_said done_nothing done_train_d done_vary loss_d""".split()


def test_a_control_that_a_panel_has_too_has_the_same_words():
    panels = {node.value for path in (PAGE.parents[1] / "widgets").rglob("*.py")
              for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)}
    assert not {key: TEXTS[key] for key in SHARED if TEXTS[key] not in panels}


def test_a_package_that_is_not_the_one_we_know_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="npm, which is not installed"):
        packages.fetch("katex")
    packed = tmp_path / "npm" / f"katex-{packages.PACKAGES['katex'][0]}.tgz"
    packed.parent.mkdir()
    packed.write_bytes(b"something else")
    with pytest.raises(ValueError, match="is not katex"):
        packages.fetch("katex")


def test_executed_chapters_show_their_outputs_and_a_note_for_a_panel(site, tmp_path, monkeypatch):
    import nbformat
    monkeypatch.setenv("GAN_TEACH_LANG", "zh")                              # of who builds: nothing to a chapter
    cells = [nbformat.v4.new_markdown_cell("# A chapter\n\n**The question.** Is $x = 1$?\n\n## A section"),
             nbformat.v4.new_code_cell("print(6 * 7, flush=True)\nprint('and more')"),
             nbformat.v4.new_code_cell("print('hat    45 %  28 %\\nglasses  9 %')"),
             nbformat.v4.new_code_cell("import ipywidgets\nipywidgets.IntSlider()"),
             nbformat.v4.new_code_cell("from tqdm.notebook import tqdm\nfor _ in tqdm(range(2), desc='steps'): pass"),
             nbformat.v4.new_markdown_cell("## Mix\n\nIt is time."),
             nbformat.v4.new_code_cell("StyleMixer = ipywidgets.IntSlider\nStyleMixer()"),
             nbformat.v4.new_code_cell("import os\nprint({key: os.environ.get(f'GAN_TEACH_{key}') for key in "
                                       "('LANG', 'PROGRESS')})")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "02_mine.ipynb")
    notes = {None: "A panel.", "mix": "Live."}
    chapter, = chapters.read(tmp_path, execute=True, panel=notes)
    assert (chapter.title, chapter.lead, [*chapter.machines]) == ("A chapter", "Is x = 1?", ["mix"])
    assert chapter.headings == [("A-section", "A section"), ("Mix", "Mix")] and chapter.live == {"mix": "Mix"}
    assert [(title, text[:8]) for _, title, text in chapter.sections] == [("A chapter", "The ques"), (
        "A section", "print(6 "), ("Mix", "It is ti")]
    assert ">42\nand more\n<" in chapter.html and chapter.html.count('<p class="panel">A panel.</p>') == 1
    assert '<pre class="columns" tabindex="0">hat    45 %' in chapter.html and chapter.html.count('"columns"') == 1
    assert "steps:" not in chapter.html                                     # of the bar nothing is left
    assert "{'LANG': None, 'PROGRESS': 'off'}" in unescape(chapter.html)
    assert "IntSlider(value" not in chapter.html and 'class="katex"' in chapter.html
    assert chapter.html.count('<p class="panel live">Live.</p>') == 1
    unrun, = chapters.read(tmp_path, execute=False, panel=notes)
    assert unrun.html.count('<p class="panel live">Live.</p>') == 1 and "A panel." not in unrun.html
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), tmp_path / "03_other.ipynb")
    kept = tmp_path / "kept" / "02_mine.ipynb"
    with pytest.raises(RuntimeError, match="(?s)03_other.ipynb does not run to its end.*ZeroDivisionError"):
        chapters.read(tmp_path, execute=True, panel=notes, executed=[kept.parent])
    assert [path.name for path in kept.parent.iterdir()] == ["02_mine.ipynb"]       # what ran is not lost …
    kept.write_text(kept.read_text().replace(r"and more\n", r"and kept\n"))
    (tmp_path / "03_other.ipynb").unlink()
    chapter, = chapters.read(tmp_path, execute=True, panel=notes, executed=[kept.parent])
    assert "and kept\n<" in chapter.html                                           # … and not run again


@pytest.mark.parametrize("text", ["", "{}", "[]", "\xff", '{"nbformat": 4, "cells": 5}', '{"nbformat": 4, '
                                  '"nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}'])
@pytest.mark.filterwarnings("ignore")                                       # nbformat's own, before it gives up
def test_a_damaged_run_of_a_chapter_is_named(tmp_path, text):
    import nbformat
    run = tmp_path / "02_mine.ipynb"
    run.write_text(text)
    mine = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    with pytest.raises(ValueError, match="02_mine.ipynb is damaged: delete it"):
        chapters._take_outputs(mine, run)
    with pytest.raises(FileNotFoundError):
        chapters._take_outputs(mine, tmp_path / "none.ipynb")


def test_outputs_of_chapters_that_were_run_before_are_shown(site, tmp_path):
    import nbformat
    cells = [nbformat.v4.new_markdown_cell("# A chapter"), nbformat.v4.new_code_cell("print(6 * 7)"),
             nbformat.v4.new_code_cell('banner(2, 3, language="zh")')]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "02_mine.ipynb")
    notebook.cells[2].source = "banner(2, 3)"                                   # the English edition's will do
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text=text) for text in ("forty", "-two")]
    run = tmp_path / "run"
    run.mkdir()
    nbformat.write(notebook, run / "02_mine.ipynb")
    chapter, = chapters.read(tmp_path, False, {None: "", "mix": ""}, [tmp_path / "zh", run])
    assert "forty-two" in chapter.html
    notebook.cells[1].source = "print(43)"
    nbformat.write(notebook, run / "02_mine.ipynb")
    with pytest.raises(FileNotFoundError):
        chapters.read(tmp_path, False, {None: "", "mix": ""}, [tmp_path / "zh"])
    with pytest.raises(ValueError, match="02_mine.ipynb as it is now"):
        chapters.read(tmp_path, False, {None: "", "mix": ""}, [tmp_path / "zh", run])


def test_a_formula_that_katex_does_not_know_stops_the_build(site):
    with pytest.raises(RuntimeError, match="formula could not be drawn"):
        chapters.draw_formulas([(r"\nosuchcommand", False)])


def report(record_property, what: str, times: list[float], stopped: list[float] = ()) -> None:
    """Shown when all tests are over, not judged: another process may have this machine's cores."""
    times, slow = sorted(times), "".join(f" (page and worker stopped for {share:.0%} of the time)" for share in stopped)
    record_property(what + slow, f"median {statistics.median(times):.0f} ms, "
                    f"95 % within {times[math.ceil(0.95 * len(times)) - 1]:.0f} ms, of {len(times)}")


# ------------------------------------------------------------------------------------------ Paint

def apart(shown: np.ndarray, wanted: np.ndarray) -> int:
    """The largest difference, in grey levels."""
    return int(np.abs(shown.astype(int) - wanted.astype(int)).max())


def counted(visit) -> int:
    return len(visit.measures("counted"))


def act(visit, do, seconds: float = 60) -> None:
    """Do something, and wait until the pixels have been counted after it."""
    before = counted(visit)
    do()
    wait_until(visit.page, lambda: counted(visit) > before and visit.page.locator("#said").inner_text(), seconds)
    visit.page.wait_for_timeout(300)


def drag(visit, *places, button: str = "left") -> None:
    visit.page.mouse.move(*places[0])
    visit.page.mouse.down(button=button)
    for place in places[1:]:
        visit.page.mouse.move(*place)
    visit.page.mouse.up(button=button)


@pytest.fixture(scope="module")
def renderer(known):
    """The notebook's painting panel, without its widgets, with the units and levels of the site."""
    units, adders = ({cls: found["units"] for cls, found in known["units"][action].items()}
                     for action in ("remove", "add"))
    levels = {cls: torch.tensor(found["levels"]) for cls, found in known["units"]["add"].items()}
    return PaintRenderer(load("scenes-progan", "cpu"), known["layer"], load("scenes-segmenter", "cpu"), units, levels,
                         adders)


@pytest.fixture
def paint(visit):
    if "/paint.html" not in visit.page.url:
        visit.open("paint.html")
    if visit.page.locator("#reset").is_enabled():
        act(visit, lambda: visit.page.click("#reset"))
    check(visit, "class", "tree")
    check(visit, "action", "remove")
    visit.page.evaluate("scrollTo(0, 0)")
    return visit


def check(visit, name: str, value: str) -> None:
    visit.page.locator(f"label:has(input[name={name}][value={value}])").click()


@torch.no_grad()
def village(seed: int) -> np.ndarray:
    G = load("scenes-progan", "cpu")
    return pictures.to_uint8(G(sample_z(1, G.z_dim, seed)))[0]


def test_a_seed_is_the_same_village_as_in_pytorch(paint, known):
    assert apart(paint.picture("#picture"), village(known["seed"])) <= 1
    for seed in (0, machines.SEEDS - 1):
        act(paint, lambda seed=seed: (paint.page.fill("#seed", str(seed)), paint.page.press("#seed", "Enter")))
        assert apart(paint.picture("#picture"), village(seed)) <= 1
    act(paint, lambda: paint.page.click("#next"))
    assert paint.page.input_value("#seed") == "0"
    assert apart(paint.picture("#picture"), village(0)) <= 1
    assert paint.page.url.endswith("/paint.html#0")
    paint.open("index.html")
    paint.open("paint.html#5")                                                # a link to a scene
    assert apart(paint.picture("#picture"), village(5)) <= 1
    act(paint, lambda: paint.page.evaluate("location.hash = '#6'"))           # and to another one, from the page itself
    assert apart(paint.picture("#picture"), village(6)) <= 1 and paint.page.input_value("#seed") == "6"
    act(paint, lambda: (paint.page.fill("#seed", str(known["seed"])), paint.page.press("#seed", "Enter")))


@pytest.mark.parametrize("action, cls, way", [("remove", "tree", ((0.72, 0.5), (0.9, 0.7))),
                                              ("add", "cloud", ((0.8, 0.2), (0.85, 0.2)))])
def test_a_stroke_does_what_it_does_in_the_notebooks_panel(paint, known, renderer, action, cls, way):
    check(paint, "action", action)
    check(paint, "class", cls)
    places = [paint.place(*point) for point in way]
    act(paint, lambda: drag(paint, *places))
    strength = float(paint.page.input_value("#strength"))
    assert strength == {"remove": 1, "add": 2}[action]
    stroke = Stroke(action, cls, tuple(paint.point(place) for place in places), 8.0, 12, strength)
    frame = renderer.render(PaintState(known["seed"], (stroke,)))
    wanted = np.asarray(Image.open(io.BytesIO(frame.after)).convert("RGB"))
    assert apart(wanted, village(known["seed"])) > 5, "this stroke does nothing, so it tests nothing"
    assert apart(paint.picture("#picture"), wanted) <= 1
    tally = frame.tallies[0]
    before, after = (int(text) for text in paint.page.locator(f"#counts [data-class={cls}] td").all_inner_texts()[:2])
    assert abs(before - tally.before) <= 2 and abs(after - tally.after) <= 2       # a tie may fall either way
    came, asked = map(int, re.search(r"(\d+) of (\d+)", paint.page.inner_text("#said")).groups())
    assert abs(came - tally.came) <= 2 and abs(asked - tally.asked) <= 2
    assert paint.page.locator("#said").get_attribute("aria-live") == "polite"


def test_undo_redo_and_reset_by_buttons_and_keys(paint):
    start = paint.picture("#picture")
    act(paint, lambda: drag(paint, paint.place(0.75, 0.55), paint.place(0.9, 0.6)))
    once = paint.picture("#picture")
    act(paint, lambda: drag(paint, paint.place(0.1, 0.55), paint.place(0.1, 0.65)))
    twice = paint.picture("#picture")
    assert apart(once, start) > 10 and apart(twice, once) > 10
    act(paint, lambda: paint.page.click("#undo"))
    assert apart(paint.picture("#picture"), once) == 0
    act(paint, lambda: paint.page.keyboard.press("Control+z"))
    assert apart(paint.picture("#picture"), start) == 0
    assert paint.page.locator("#undo").is_disabled()
    act(paint, lambda: paint.page.keyboard.press("Control+Shift+z"))
    act(paint, lambda: paint.page.click("#redo"))
    assert apart(paint.picture("#picture"), twice) == 0
    seed = paint.page.input_value("#seed")
    paint.page.press("#seed", "1")
    paint.page.press("#seed", "Control+z")                                    # the box has an undo of its own
    assert paint.page.input_value("#seed") == seed and paint.page.locator("#redo").is_disabled()
    act(paint, lambda: paint.page.click("#reset"))
    assert apart(paint.picture("#picture"), start) == 0


INKED = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v)"


def test_arrow_keys_and_space_paint(paint):
    start = paint.picture("#picture")
    paint.page.focus("#theme")
    paint.page.keyboard.press("Tab")
    assert paint.page.locator("#over").evaluate(INKED), "who comes by keys does not see where the brush is"
    for key in ("ArrowRight",) * 5 + ("ArrowDown",):
        paint.page.keyboard.press(key)
    assert apart(paint.picture("#picture"), start) == 0, "moving alone paints nothing"
    act(paint, lambda: paint.page.keyboard.press("Space"))
    changed = np.abs(paint.picture("#picture").astype(int) - start.astype(int)).max(2) > 10
    rows, columns = np.nonzero(changed)
    assert 32 <= rows.mean() <= 48 and 44 <= columns.mean() <= 62             # around the cell in row 9, column 13


def swipe(visit, *places: tuple[float, float], **others: tuple[float, float]) -> None:
    """A finger over the painted picture; others: where other fingers are, as for `browser.swipe`."""
    browser.swipe(visit.page, [visit.place(*place) for place in places],
                  **{name: visit.place(*place) for name, place in others.items()})


def tap(phone, name: str, value: str) -> None:
    phone.page.locator(f"label:has(input[name={name}][value={value}])").tap()


def fits(phone) -> bool:
    """Nothing of the page lies beside the screen."""
    return phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def in_sight(phone, what: str) -> bool:
    box = phone.page.locator(what).bounding_box()
    return 0 <= box["y"] <= PHONE[1] - box["height"]


TREE = (0.72, 0.5), (0.78, 0.6), (0.84, 0.6), (0.9, 0.6)


def test_a_finger_paints(paint):
    start = paint.picture("#picture")
    act(paint, lambda: swipe(paint, *TREE))
    assert apart(paint.picture("#picture"), start) > 10


def test_a_finger_paints_on_a_phone(phone):
    page = opened(phone, "paint.html").page
    page.locator("#over").scroll_into_view_if_needed()
    start, at = phone.picture("#picture"), page.evaluate("scrollY")
    act(phone, lambda: swipe(phone, *TREE))
    assert apart(phone.picture("#picture"), start) > 10 and page.evaluate("scrollY") == at, "it paints, or it scrolls"
    page.locator("#strength").scroll_into_view_if_needed()
    assert in_sight(phone, "#picture") and fits(phone), "the village is out of sight while the thumb is at the controls"
    act(phone, page.locator("#undo").tap)
    assert apart(phone.picture("#picture"), start) == 0
    tap(phone, "class", "cloud")
    tap(phone, "action", "add")
    page.locator("#over").scroll_into_view_if_needed()
    act(phone, lambda: swipe(phone, (0.8, 0.2), (0.85, 0.2)))
    assert apart(phone.picture("#picture"), start) > 5 and TEXTS["cloud"] in page.inner_text("#said").lower()


def test_a_link_to_another_village_shows_no_picture_of_the_first_one_meanwhile(visit, known):
    with planted(visit, paint=[((PAGE / "js" / "paint.js").read_text("utf-8"), "")]):           # it never gets further
        for there, of in ((f"#{known['seed']}", ""), ("", ""), ("#content", ""), ("#5", "another")):
            visit.page.goto("about:blank")
            visit.page.goto(f"{visit.root}/paint.html{there}")
            assert visit.page.locator("#first").count() == (not of), there
    visit.page.goto("about:blank")


def test_a_stroke_before_the_networks_have_come_does_no_harm(visit):
    page = visit.page
    with planted(visit, paint=[("await openAndShow();", "await new Promise(() => {});")]):      # they never come
        page.goto("about:blank")
        page.goto(f"{visit.root}/paint.html")
        page.wait_for_selector("#brush[aria-valuetext]")
        drag(visit, visit.place(0.3, 0.3), visit.place(0.5, 0.5))
        check(visit, "class", "door")
        page.locator("#strength").fill("2")
        page.keyboard.press("Control+z")
        assert all(page.locator(f"#{id}").is_disabled() for id in ("undo", "redo", "reset", "seed", "next"))
        page.wait_for_timeout(200)
        assert page.inner_text("#said").startswith(TEXTS["loading"].partition("(")[0])
    page.goto("about:blank")


def test_the_easel_leaves_room_to_scroll_beside_it_on_a_phone_that_lies(visit):
    visit.page.set_viewport_size({"width": 844, "height": 390})
    try:
        for name in ("paint.html", "players.html", "evolve.html"):
            visit.open(name)
            box = visit.page.locator(".easel").bounding_box()
            assert box["width"] == box["height"] <= 0.8 * 390, name
    finally:
        visit.page.set_viewport_size({"width": 1440, "height": 900})


def test_at_200_percent_the_buttons_are_in_sight_and_lie_beside_the_picture(visit):
    """A window of 1280×800 or of 1920×1080 has half as many pixels for a reader who needs large letters."""
    try:
        for width, height in ((640, 400), (960, 540)):
            visit.page.set_viewport_size({"width": width, "height": height})
            for name, button in (("evolve", "#play"), ("players", "#play"), ("paint", "#next")):
                page = opened(visit, f"{name}.html").page
                box, picture = (page.locator(what).bounding_box() for what in (button, ".easel"))
                assert box["y"] + box["height"] <= height, (name, width)
                assert box["x"] >= picture["x"] + picture["width"] > 0.8 * height, (name, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
    finally:
        visit.page.set_viewport_size({"width": 1440, "height": 900})


def test_a_unit_taken_out_of_the_brush_comes_back_into_the_picture(paint):
    act(paint, lambda: drag(paint, paint.place(0.72, 0.5), paint.place(0.9, 0.7)))
    painted = paint.picture("#picture")
    tiles = paint.page.locator("#units button")
    assert tiles.count() == machines.FEW and paint.page.locator("#units [aria-pressed=true]").count() == 12
    act(paint, lambda: tiles.first.click())
    assert tiles.first.get_attribute("aria-pressed") == "false"
    assert apart(paint.picture("#picture"), painted) > 5
    act(paint, lambda: tiles.first.click())
    act(paint, lambda: (paint.page.focus("#count"), paint.page.keyboard.press("ArrowLeft")))
    assert paint.page.locator("#units [aria-pressed=true]").count() == 11
    act(paint, lambda: paint.page.keyboard.press("ArrowRight"))


def test_adding_takes_other_units_than_removing(paint, known):
    """Those that grow a tree on grass; removing takes those whose absence takes trees away."""
    for action in ("add", "remove"):
        check(paint, "action", action)
        offered = [tile.get_attribute("id") for tile in paint.page.locator("#units button").all()]
        assert offered == [f"unit-{u}" for u in known["units"][action]["tree"]["units"]]
    assert known["units"]["add"]["tree"]["units"] != known["units"]["remove"]["tree"]["units"]


def test_the_units_of_trees_remove_more_trees_than_random_ones(paint, known):
    seen = []
    for (x, y) in ((0.8, 0.6), (0.78, 0.72), (0.76, 0.83)):
        act(paint, lambda x=x, y=y: drag(paint, paint.place(x, y), paint.place(0.94, y)))
        said = paint.page.inner_text("#said")
        seen = [*map(int, re.search(r"(\d+) of (\d+).*random units: (\d+)", said).groups())]
    came, asked, random = seen
    assert asked > 60 and came > 0.6 * asked and random < 0.5 * came
    G, S = load("scenes-progan", "cpu"), load("scenes-segmenter", "cpu")
    was = class_pixels(G(sample_z(1, G.z_dim, known["seed"])), S)[0, S.classes.index("tree")]
    assert abs(int(paint.page.locator("#counts [data-class=tree] td").first.inner_text()) - int(was)) <= 2


@pytest.mark.parametrize("times", [1, 4])
def test_from_stroke_to_picture(paint, record_property, times):
    paint.page.evaluate("performance.clearMeasures('stroke to picture')")
    with slowed(paint, times) as stopped:
        paint.page.mouse.move(*paint.place(0.2, 0.6))
        paint.page.mouse.down()
        for step in range(40):
            paint.page.mouse.move(*paint.place(0.2 + 0.015 * step, 0.6 + 0.05 * (step % 3)))
            paint.page.wait_for_timeout(25)
        act(paint, paint.page.mouse.up)
    found = paint.measures("stroke to picture")
    assert len(found) >= 3
    report(record_property, "Paint, from stroke to picture", found, stopped)


ASKED = """async () => {
    const { run } = await import("./js/engine.js"), answers = [];
    for (let n = 0; n < 2; n++) answers.push(await run("segmenter").then(() => "there", error => error.message));
    return answers;
}"""


@pytest.mark.usefixtures("forgiven")
def test_a_network_that_did_not_come_is_asked_for_again(visit):
    visit.open("index.html")
    visit.page.route("**/segmenter.onnx", lambda route: route.abort(), times=2)
    first, second = visit.page.evaluate(ASKED)
    assert first.startswith("segmenter: ") and second == "there"              # it says what did not come


@pytest.mark.parametrize("absent", ["worker", "ort.wasm", "ort-wasm-simd-threaded", "segmenter"])
@pytest.mark.usefixtures("forgiven")
def test_what_a_worker_begins_with_is_asked_for_twice_before_anybody_is_told(visit, absent):
    visit.open("index.html")
    refused = []
    visit.page.route(re.compile(rf"/{absent}\.(js|onnx)$"), lambda route: refused.append(route.abort()), times=1)
    assert visit.page.evaluate(ASKED) == ["there", "there"] and refused


@pytest.mark.usefixtures("forgiven")
def test_a_chinese_page_says_in_chinese_that_the_worker_did_not_come(visit):
    visit.page.route("**/js/worker.js", lambda route: route.abort())
    visit.page.goto(f"{visit.root}/zh/paint.html")
    wait_until(visit.page, lambda: texts("zh", [], {})["no_worker"] in visit.page.inner_text("#said"), 60)
    assert not latin(visit.page.inner_text("#said"))
    visit.page.unroute_all()
    visit.page.goto("about:blank")


@pytest.mark.parametrize("words, policy", [("delete self.WebAssembly;\n", "script-src *"), ("", "script-src 'self'")],
                         ids=["absent", "forbidden"])
@pytest.mark.usefixtures("forgiven")
def test_who_has_no_webassembly_is_told_what_works_without_it(visit, words, policy):
    script = words + (PAGE / "js" / "worker.js").read_text("utf-8")
    headers = {"content-type": "text/javascript", "content-security-policy": policy}
    visit.page.route("**/js/worker.js", lambda route: route.fulfill(body=script, headers=headers))
    visit.page.goto(f"{visit.root}/paint.html")
    wait_until(visit.page, lambda: visit.page.inner_text("#said") == TEXTS["no_wasm"])
    visit.page.unroute_all()
    visit.page.goto("about:blank")


@pytest.mark.usefixtures("forgiven")
def test_half_a_network_is_named_with_the_next_step(visit, site):
    whole = (site / "networks" / "progan-f.onnx").read_bytes()
    visit.page.route("**/progan-f.onnx", lambda route: route.fulfill(body=whole[:len(whole) // 2]))
    visit.page.goto(f"{visit.root}/paint.html")
    begin, end = TEXTS["failed"].split("{error}")
    wait_until(visit.page, lambda: visit.page.inner_text("#said").startswith(f"{begin}progan-f: "), 60)
    assert visit.page.inner_text("#said").endswith(end) and ".." not in visit.page.inner_text("#said")
    visit.page.unroute_all()
    visit.page.goto("about:blank")


@pytest.mark.usefixtures("forgiven")
def test_who_loses_the_connection_goes_on_when_it_is_back(visit):
    visit.open("mix.html")
    begin = TEXTS["offline"].partition("{")[0]
    said = visit.page.locator("#said")
    try:
        visit.page.context.set_offline(True)
        visit.page.locator("#psi").fill("0.5")                                # what is there goes on
        wait_until(visit.page, lambda: "0.50" in said.inner_text())
        check(visit, "model", "villages")
        wait_until(visit.page, lambda: said.inner_text().startswith(begin))
    finally:
        visit.page.context.set_offline(False)
    for name in ("portraits", "villages"):
        check(visit, "model", name)
    wait_until(visit.page, lambda: said.inner_text().startswith("Destination"), 60)
    visit.page.goto("about:blank")


def test_a_browser_that_keeps_nothing_can_be_dark(visit):
    page, complaints = visit.page.context.browser.new_page(), []
    page.on("pageerror", lambda error: complaints.append(error))
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException(); } });")
    page.goto(f"{visit.root}/index.html")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark" and not complaints
    page.close()


@pytest.mark.usefixtures("forgiven")
def test_a_worker_that_is_no_more_refuses_what_it_is_asked(visit):
    with planted(visit, worker=[("const build =", "throw new Error('gone');\nconst build =")]):
        visit.open("index.html")
        assert all("gone" in answer for answer in visit.page.evaluate(ASKED))


@pytest.mark.usefixtures("forgiven")
def test_an_answer_that_comes_when_the_worker_was_given_up_does_no_harm(visit):
    before = len(visit.complaints)
    late = """self.onmessage = ({ data: { id } }) => {
        setTimeout(() => { throw new Error("gone"); });
        setTimeout(() => self.postMessage({ id }), 300);
    };"""
    with planted(visit, worker=[((PAGE / "js" / "worker.js").read_text("utf-8"), late)]):
        visit.open("index.html")
        assert all("gone" in answer for answer in visit.page.evaluate(ASKED))
        visit.page.wait_for_timeout(1000)
    assert all("gone" in complaint for complaint in visit.complaints[before:])


@pytest.mark.parametrize("absent", ["paint", "page", "strings.zh"])
@pytest.mark.usefixtures("forgiven")
def test_a_machine_whose_script_or_words_do_not_come_says_so(visit, absent):
    said = texts("zh", [], {})["failed"].format(error="paint.js")
    visit.page.route(f"**/js/{absent}.js", lambda route: route.abort())
    visit.page.goto(f"{visit.root}/zh/paint.html")
    wait_until(visit.page, lambda: visit.page.inner_text("#said") == said)
    visit.page.unroute_all()
    visit.page.goto("about:blank")


# ------------------------------------------------------------------------------------------ WebAssembly or WebGPU

SOFTWARE = "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"      # WebGPU without a GPU: right, and slow


@pytest.fixture
def webgpu(visit):
    """A browser with WebGPU, which the CPU computes."""
    browser = visit.page.context.browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, *SOFTWARE])
    webgpu = Visit(browser.new_page(viewport={"width": 1440, "height": 900}), visit.root)
    webgpu.open("players.html")
    if not webgpu.page.evaluate("async () => !!await navigator.gpu?.requestAdapter() && 'Suspending' in WebAssembly"):
        pytest.skip("this Chromium has no WebGPU in software")
    yield webgpu
    browser.close()


def computed(visit) -> str:
    return visit.page.inner_text("#computed")


def judged(visit) -> str:
    """What the page says when WebGPU has been asked what WebAssembly was asked."""
    return wait_until(visit.page, lambda: (said := computed(visit)) != TEXTS["computed_wasm"] and said, 600)


def runtimes(visit) -> set[str]:
    return {name for name in (address.rpartition("/")[2] for address in visit.asked) if name.endswith(".wasm")}


@contextmanager
def planted(visit, **scripts):
    """Scripts of the pages with other words in them: name=[(old, new), …]."""
    for name, pairs in scripts.items():
        source = (PAGE / "js" / f"{name}.js").read_text("utf-8")
        for old, new in pairs:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        visit.page.route(f"**/js/{name}.js", lambda route, _, source=source: route.fulfill(
            body=source, content_type="text/javascript"))
    try:
        yield
    finally:
        visit.page.unroute_all()


def test_no_step_of_a_network_binds_more_buffers_than_every_webgpu_has(site):
    """Eight for a shader, by the standard's default limits: a split into ten could not be computed."""
    import onnx
    for path in (site / "networks").glob("*.onnx"):
        for node in onnx.load(path).graph.node:
            assert len(node.input) + len(node.output) <= 8, f"{path.name}: {node.name}"


def test_webgpu_draws_as_pytorch_and_where_it_fails_later_webassembly_goes_on(webgpu, known, renderer):
    """WebGPU draws the stroke; asked for its pixels, it is made to fail: WebAssembly counts them."""
    webgpu.open("paint.html")
    webgpu.page.wait_for_timeout(1000)
    assert computed(webgpu) == TEXTS["computed_wasm"] and runtimes(webgpu) == {"ort-wasm-simd-threaded.wasm"}, "slow"
    fails = "if (self.name + name === 'webgpusegmenter' && (self.times = (self.times ?? 0) + 1) > 2) throw 'gone'"
    with planted(webgpu, worker=[("const begun =", f"{fails};\nconst begun =")], engine=[("TRIES = 3", "TRIES = 1")]):
        webgpu.open("paint.html?compute=webgpu")
        assert judged(webgpu).startswith(TEXTS["computed_webgpu"].partition("{")[0])
        assert "ort-wasm-simd-threaded.jspi.wasm" in runtimes(webgpu)
        places = [webgpu.place(*point) for point in ((0.72, 0.5), (0.9, 0.7))]
        act(webgpu, lambda: drag(webgpu, *places), 600)
        stroke = Stroke("remove", "tree", tuple(webgpu.point(place) for place in places), 8.0, 12, 1.0)
        frame = renderer.render(PaintState(known["seed"], (stroke,)))
        wanted = np.asarray(Image.open(io.BytesIO(frame.after)).convert("RGB"))
        assert apart(wanted, village(known["seed"])) > 5 and apart(webgpu.picture("#picture"), wanted) <= 1
        assert computed(webgpu) == TEXTS["computed_wrong"]
        after = webgpu.page.locator("#counts [data-class=tree] td").nth(1).inner_text()
        assert abs(int(after) - frame.tallies[0].after) <= 2
    alone(webgpu)


@torch.no_grad()
def test_webgpu_mixes_as_pytorch(webgpu, site):
    G, (_, _, pair) = load("portraits-stylegan", "cpu"), opening(site, "portraits")
    with planted(webgpu, engine=[("TRIES = 3", "TRIES = 1")]):
        webgpu.open("mix.html?compute=webgpu")
        assert judged(webgpu).startswith(TEXTS["computed_webgpu"].partition("{")[0])
        webgpu.page.locator("#psi").fill("0.4")
        ws = [G.ws(sample_z(1, G.z_dim, seed), 0.4) for seed in pair]
        shows(webgpu, G.synthesis(mix(*ws, range(4))), 600)
        assert computed(webgpu).startswith(TEXTS["computed_webgpu"].partition("{")[0])
    alone(webgpu)


@pytest.mark.parametrize("change, said", [
    ("output[0] += 0.01 * (name === 'progan-f' && self.name === 'webgpu')", "computed_wrong"),   # one value of f's
    ("took += 60e3 * (self.name === 'webgpu')", "computed_slower"),
    ("took += 60e3 * (self.name === 'wasm')", "computed_webgpu")], ids=["wrong", "slower", "faster"])
def test_webgpu_computes_if_its_answers_are_the_same_and_come_no_later(visit, known, change, said):
    """WebAssembly stands for a WebGPU that is right; then its answers, or how long they took, are changed."""
    opened(visit, "paint.html?compute=webgpu").page.wait_for_timeout(500)
    assert computed(visit) == TEXTS["computed_wasm"], "there is no WebGPU here"
    with planted(visit, engine=[("const adapter =", "const adapter = { info: {} } ||")],
                 worker=[('self.name === "webgpu" ? "jspi" : "wasm"', '"wasm"'), ("[self.name]", '["wasm"]'),
                         ("const took", "let took"),
                         ("self.postMessage({ id, output", f"{change}; self.postMessage({{ id, output")]):
        opened(visit, "paint.html")
        assert judged(visit).startswith(TEXTS[said].partition("{")[0])
        act(visit, lambda: visit.page.click("#next"))
        assert apart(visit.picture("#picture"), village(known["seed"] + 1)) <= 1


# ------------------------------------------------------------------------------------------ Mix

@pytest.fixture
def mixer(visit):
    if "/mix.html" not in visit.page.url:
        visit.open("mix.html")
    visit.page.click("#reset")
    return visit


def opening(site, name: str = "villages") -> tuple[list[int], list[int], tuple[int, int]]:
    """The seeds that Mix opens with, of the destinations and of the sources; and those of the pair it shows."""
    about = json.loads((site / "data" / "mix.json").read_text())["models"][name]
    seeds, (i, j) = about["seeds"], about["cell"]
    assert sorted(seeds) == [*range(100)]
    return seeds[4:7], seeds[:4], (seeds[3 + i], seeds[j - 1])


def shows(visit, wanted: torch.Tensor, seconds: float = 60) -> None:
    """The large picture becomes this one, to one grey level."""
    wanted = pictures.to_uint8(wanted)[0]
    wait_until(visit.page, lambda: apart(visit.picture("#large"), wanted) <= 1, seconds)


@torch.no_grad()
@pytest.mark.parametrize("name", ["villages", "portraits"])
def test_a_mixture_is_the_same_as_in_pytorch(mixer, name, site):
    G = load({"villages": "scenes-stylegan", "portraits": "portraits-stylegan"}[name], "cpu")
    page, ws = mixer.page, lambda seed, psi=0.7: G.ws(sample_z(1, G.z_dim, seed), psi)
    (_, second, _), (_, _, other, _), pair = opening(site, name)
    check(mixer, "model", name)
    check(mixer, "group", "coarse")
    shows(mixer, G.synthesis(mix(*map(ws, pair), range(4))))
    check(mixer, "group", "fine")
    page.locator("[data-cell='2,3']").click()
    shows(mixer, G.synthesis(mix(ws(second), ws(other), (8, 9))))
    page.locator("#layers label").nth(5).click()
    shows(mixer, G.synthesis(mix(ws(second), ws(other), (5, 8, 9))))
    check(mixer, "noise", "off")
    shows(mixer, G.synthesis(mix(ws(second), ws(other), (5, 8, 9)), G.noise(layers=())))
    check(mixer, "noise", "drawn")
    draw = int(wait_until(page, lambda: re.search(r"another draw \((\d)\)", page.inner_text("#said")))[1])
    assert draw == machines.DRAWS[0]
    shows(mixer, G.synthesis(mix(ws(second), ws(other), (5, 8, 9)), draw))
    page.locator("#psi").fill("0.3")
    page.locator("#share").fill("0.5")
    half = torch.lerp(ws(second, 0.3), ws(other, 0.3), 0.5)
    shows(mixer, G.synthesis(mix(ws(second, 0.3), half, (5, 8, 9)), draw))
    page.click("#reset")
    shows(mixer, G.synthesis(mix(*map(ws, pair), range(4))))


TASKS = """() => {
    const put = CanvasRenderingContext2D.prototype.putImageData;
    let same = false;
    window.tasks = [];
    CanvasRenderingContext2D.prototype.putImageData = function (...given) {
        if (this.canvas.id === "strip") {
            if (!same) { window.tasks.push(0); same = true; queueMicrotask(() => { same = false; }); }
            window.tasks[window.tasks.length - 1]++;
        }
        return put.apply(this, given);
    };
}"""


def test_the_strip_never_shows_half_of_another_pair(visit):
    page = opened(visit, "mix.html").page
    page.evaluate(TASKS)
    page.locator("[data-cell='2,3']").click()
    assert set(wait_until(page, lambda: page.evaluate("window.tasks"), 120)) == {7}


@torch.no_grad()
def test_what_is_chosen_while_a_latent_is_computed_changes_no_other_picture(visit, site):
    G, page = load("scenes-stylegan", "cpu"), visit.page
    slowly = "await new Promise((done) => setTimeout(done, name.endsWith('mapping') ? 1000 : 0)); const begun"
    with planted(visit, worker=[("const begun", slowly)]):
        opened(visit, "mix.html")
        check(visit, "model", "villages")
        page.click("#new-sources")
        check(visit, "group", "fine")                       # while the latent of the new source is on its way
        about = json.loads((site / "data" / "mix.json").read_text())["models"]["villages"]
        new = about["seeds"][7 + about["cell"][1] - 1]                                          # there, of the new four
        ws = [G.ws(sample_z(1, G.z_dim, seed), 0.7) for seed in (opening(site)[2][0], new)]
        shows(visit, G.synthesis(mix(*ws, (8, 9))))
        check(visit, "group", "coarse")
        shows(visit, G.synthesis(mix(*ws, range(4))))


@torch.no_grad()
def test_the_table_is_worked_by_arrow_keys_and_its_python_is_right(mixer, site):
    G = load("scenes-stylegan", "cpu")
    check(mixer, "model", "villages")
    mixer.page.locator("[data-cell='1,1']").click()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        mixer.page.keyboard.press(key)
    assert mixer.page.evaluate("document.activeElement.dataset.cell") == "3,2"
    mixer.page.locator("#share").fill("0.5")
    destinations, sources, _ = opening(site)
    wanted = f"Destination {destinations[2]} with styles of source {sources[1]}: layers 0, 1, 2, 3, 50 %"
    wait_until(mixer.page, lambda: wanted in mixer.page.inner_text("#said"), 60)
    found = {}
    exec(mixer.page.locator("#python").text_content(), found)
    shows(mixer, found["x"])
    unmixed = G(sample_z(1, G.z_dim, destinations[2]), psi=0.7)
    assert apart(pictures.to_uint8(found["x"])[0], pictures.to_uint8(unmixed)[0]) > 30
    mixer.page.click("#reset")


@torch.no_grad()
def test_a_finger_mixes(phone, site):
    G, page, (destinations, sources, _) = load("scenes-stylegan", "cpu"), phone.page, opening(site)
    phone.open("mix.html")
    top = {what: page.locator(what).bounding_box()["y"] for what in ("#large", "#psi", "#grid")}
    assert sorted(top, key=top.get) == [*top], "the large picture and its controls before the table"
    tap(phone, "model", "villages")
    page.locator("[data-cell='2,3']").tap()
    tap(phone, "group", "middle")
    page.locator("#layers label").nth(9).tap()
    box = page.locator("#psi").bounding_box()
    page.touchscreen.tap(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    psi = float(page.input_value("#psi"))
    assert psi not in (0.7, -1, 1.5), "the finger did not move ψ"
    ws = [G.ws(sample_z(1, G.z_dim, seed), psi) for seed in (destinations[1], sources[2])]
    shows(phone, G.synthesis(mix(*ws, (4, 5, 6, 7, 9))))
    assert f"ψ = {psi:.2f}" in page.inner_text("#said")
    assert in_sight(phone, "#large") and fits(phone), "the picture is out of sight while the thumb is at ψ"


@pytest.mark.parametrize("times", [1, 4])
def test_from_change_to_picture(mixer, record_property, times):
    mixer.page.evaluate("performance.clearMeasures('change to picture')")
    with slowed(mixer, times) as stopped:
        mixer.page.focus("#psi")
        for step in range(8):                                                 # to pictures that were not drawn yet
            mixer.page.keyboard.press("ArrowRight" if times == 1 else "ArrowLeft")
            wait_until(mixer.page, lambda step=step: len(mixer.measures("change to picture")) > step, 60)
    report(record_property, "Mix, from a change to the large picture", mixer.measures("change to picture"), stopped)
    mixer.page.click("#reset")


# ------------------------------------------------------------------------------------------ Evolve

def opened(visit, name: str):
    """The page of a machine, anew."""
    visit.open(name)
    visit.page.evaluate("scrollTo(0, 0)")
    return visit


def shown(visit) -> str:
    """A canvas of the plane as text, to be compared: it has many pixels."""
    return visit.page.locator("#picture").evaluate("canvas => canvas.toDataURL()")


def number(visit) -> int:
    return int(re.search(r"Generation (\d+)", visit.page.inner_text("#said"))[1])


def test_a_generation_in_four_steps(visit):
    page, seen = opened(visit, "evolve.html").page, []
    wait_until(page, lambda: page.text_content("#tree") == TEXTS["tree_empty"])
    assert page.locator("#children button").count() == 3 and page.locator("#children .won").count() == 0
    for phase in plane.PHASES:
        before = shown(visit)
        assert page.inner_text("#step") == TEXTS["step"].format(act=TEXTS[f"next_{phase}"])
        page.click("#step")
        notes = page.locator("#children small").all_inner_texts()
        seen.append((phase, shown(visit) != before, notes))
    changed = {phase for phase, change, _ in seen if change}
    assert changed == {"train_d", "select"}, "D's field, then the survivor: the rest happens to the children"
    assert all("Fq" not in note for note in seen[1][2]) and all("Fq" in note for note in seen[2][2])
    fitness = [float(re.search(r"F\s(\S+)$", note)[1]) for note in seen[3][2]]
    won = [tile.get_attribute("class").endswith("won") for tile in page.locator("#children button").all()]
    assert won.count(True) == 1 and fitness[won.index(True)] == max(fitness)
    assert number(visit) == 1 and "lives on" in page.inner_text("#said")
    wait_until(page, lambda: page.locator("#tree svg [stroke='var(--green)']").count() == 1)
    wait_until(page, lambda: page.locator("#measures td").first.inner_text().endswith("of 8"))
    page.click("#generation")
    wait_until(page, lambda: page.locator("#tree line").count() == 3)
    drawn = page.locator("#tree svg").evaluate("tree => Array.from(tree.children, (part) => part.tagName)")
    assert "line" not in drawn[3:], "a line lies over a mark"


FOCUSED = "element => element === document.activeElement"


def test_the_reader_selects_and_other_knobs_count(visit):
    page = opened(visit, "evolve.html").page
    check(visit, "selection", "mine")
    page.press("#generation", "Enter")
    assert page.locator("#children button").first.evaluate(FOCUSED), "the keys are where the choice is"
    assert "Which child" in page.inner_text("#said") and page.locator("#play").is_disabled()
    notes = page.locator("#children small").all_inner_texts()
    assert all("Fq" not in note for note in notes), "F gives the answer away"
    page.locator("#children button").nth(2).focus()
    page.keyboard.press("Enter")
    said = page.inner_text("#said")
    assert page.locator("#generation").evaluate(FOCUSED)
    assert said.startswith("Generation 1. You kept least squares") and re.search(r"agreed in [01] of 1", said)
    assert "least squares" in page.locator("#children .won").inner_text()
    check(visit, "selection", "best")
    page.locator("#mutation-minimax").uncheck()
    page.locator("#mutation-least_squares").uncheck()
    page.locator("#mutation-heuristic").click()
    assert page.locator("#mutation-heuristic").is_checked(), "one must take part"
    page.locator("#gamma").fill("0")
    page.click("#generation")
    notes = page.locator("#children small").all_inner_texts()
    assert [note == TEXTS["takes_no_part"] for note in notes] == [True, False, True] and notes[1].startswith("F = Fq")
    check(visit, "data", "grid")
    assert page.inner_text("#said").endswith(TEXTS["done_nothing"]) and number(visit) == 0
    page.click("#generation")
    wait_until(page, lambda: page.locator("#measures td").first.inner_text().endswith("of 25"))
    page.click("#reset")
    assert number(visit) == 0


def test_play_pause_and_the_same_seed_is_the_same_evolution(visit, record_property):
    page = opened(visit, "evolve.html").page
    page.focus("#play")
    page.keyboard.press("Space")
    wait_until(page, lambda: number(visit) >= 3, 120)
    page.keyboard.press("Space")
    reached, there = number(visit), shown(visit)
    page.wait_for_timeout(200)
    assert number(visit) == reached and page.get_attribute("#play", "aria-pressed") == "false"
    check(visit, "pace", "slow")
    page.fill("#seed", "-0.4")
    page.click("#reset")
    assert page.input_value("#seed") == "0"
    for _ in range(reached):
        page.click("#generation")
    assert shown(visit) == there
    check(visit, "pace", "fast")
    times = visit.measures("step to picture")[1:]
    report(record_property, "Evolve, from a press to the picture of a generation", times)


def test_a_finger_evolves_and_selects(phone):
    page = opened(phone, "evolve.html").page
    for phase in plane.PHASES:
        assert page.inner_text("#step") == TEXTS["step"].format(act=TEXTS[f"next_{phase}"])
        page.locator("#step").tap()
    assert number(phone) == 1 and page.locator("#children .won").count() == 1
    tap(phone, "selection", "mine")
    page.locator("#generation").tap()
    assert in_sight(phone, "#children"), "who must choose sees the children"
    page.locator("#children button").nth(1).tap()
    assert page.inner_text("#said").startswith("Generation 2. You kept heuristic")
    tap(phone, "selection", "best")
    page.locator("#play").tap()
    wait_until(page, lambda: number(phone) >= 4, 120)
    page.locator("#play").tap()
    assert page.get_attribute("#play", "aria-pressed") == "false" and fits(phone)


# ------------------------------------------------------------------------------------------ Two players

PAINTED = """canvas => Array.from({ length: 400 }, (_, cell) => {
    const side = canvas.width / 20, size = Math.round(side * 0.7);
    const [x, y] = [cell % 20, Math.floor(cell / 20)].map(at => Math.round((at + 0.15) * side));
    const { data } = canvas.getContext('2d').getImageData(x, y, size, size);
    let blue = 0;
    for (let i = 0; i < data.length; i += 4) blue += data[i + 2] - data[i] > 25;
    return blue > 0.6 * size * size;
})"""


def painted(visit) -> np.ndarray:
    """Where the picture is bluish, on a grid of 20×20: the field of D is grey."""
    return np.array(visit.page.locator("#picture").evaluate(PAINTED)).reshape(20, 20)


@pytest.fixture
def players(visit):
    opened(visit, "players.html").page.click("#clear")
    assert not painted(visit).any() and visit.page.locator("#play").is_disabled()
    assert visit.page.inner_text("#said") == TEXTS["nothing_drawn"]
    return visit


def test_what_is_drawn_is_real_and_can_be_undone(players):
    page = players.page
    drag(players, players.place(0.2, 0.275), players.place(0.8, 0.275))
    line = painted(players)
    assert line.sum(1).argmax() == 5 and line[5, 4:16].all() and line[5, 16:].sum() <= 1 and not line[8:].any()
    assert page.locator("#play").is_enabled() and re.search(r"D says 0\.\d\d of real", page.inner_text("#said"))
    check(players, "tool", "erase")
    drag(players, players.place(0.5, 0.1), players.place(0.5, 0.5))
    assert not painted(players)[5, 9:11].any() and painted(players)[5, 5]
    page.keyboard.press("Control+z")
    assert (painted(players) == line).all()
    page.click("#redo")
    assert not painted(players)[5, 9:11].any()
    page.click("#undo")
    page.click("#undo")
    assert not painted(players).any()
    check(players, "tool", "draw")
    for name in ("circle", "wave", "spiral", "islands", "heart"):
        page.click(f"#shapes [value={name}]")
        assert 15 < painted(players).sum() < 260, name


def test_keys_and_a_finger_draw(players):
    page = players.page
    page.focus("#over")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert painted(players)[11, 12] and painted(players).sum() <= 5
    page.click("#clear")
    swipe(players, *LINE)
    wait_until(page, lambda: painted(players)[6:14, 5:7].any(1).all())
    assert page.evaluate("scrollY") == 0


def test_a_space_bar_held_down_is_one_stroke(players):
    page = players.page
    page.focus("#over")
    for _ in range(3):
        page.keyboard.down("Space")
    page.keyboard.up("Space")
    assert painted(players).any()
    page.click("#undo")
    assert not painted(players).any()


def test_the_right_button_and_a_second_finger_draw_nothing(players):
    drag(players, players.place(0.2, 0.275), players.place(0.8, 0.275), button="right")
    assert not painted(players).any()
    swipe(players, *LINE, still=(0.8, 0.8))
    wait_until(players.page, lambda: painted(players)[13:19, 13:19].any())
    assert painted(players).sum() <= 5 and not painted(players)[:, :12].any()


def test_lifting_a_second_finger_does_not_end_the_line_of_the_first(players):
    swipe(players, *LINE, tapped=(0.8, 0.8))
    wait_until(players.page, lambda: painted(players)[6:14, 5:7].any(1).all())
    assert not painted(players)[:, 12:].any()


LINE = (0.3, 0.3), (0.3, 0.5), (0.3, 0.7)


def test_a_finger_draws_and_plays_on_a_phone(phone):
    page = opened(phone, "players.html").page
    page.locator("#clear").tap()
    page.locator("#over").scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    swipe(phone, *LINE)
    wait_until(page, lambda: painted(phone)[6:14, 5:7].any(1).all())
    assert page.evaluate("scrollY") == at, "it draws, or it scrolls"
    tap(phone, "loss", "saturating")
    page.locator("#rate").scroll_into_view_if_needed()
    assert in_sight(phone, "#picture") and fits(phone), "the field is out of sight while the thumb is at the controls"
    page.locator("#play").tap()
    wait_until(page, lambda: int(re.search(r"G (\d+)", page.inner_text("#said"))[1]) >= 3, 120)
    page.locator("#play").tap()
    assert page.get_attribute("#play", "aria-pressed") == "false"


def test_d_and_g_take_turns_and_g_follows_the_drawing(players, record_property):
    page = players.page
    page.click("#shapes [value=islands]")
    steps = lambda: tuple(map(int, re.search(r"D (\d+), G (\d+)", page.inner_text("#said")).groups()))  # noqa: E731
    page.locator("#d-steps").fill("3")
    page.click("#d")
    assert steps() == (3, 0) and page.inner_text("#said").startswith(TEXTS["d_moved"])
    page.click("#g")
    assert steps() == (3, 1) and page.inner_text("#said").startswith(TEXTS["g_moved"])
    page.locator("#d-steps").fill("1")
    page.click("#reset")
    assert steps() == (0, 0)
    page.locator("#rate").fill("7")
    page.click("#play")
    wait_until(page, lambda: steps()[1] >= 20, 180)
    page.mouse.move(*players.place(0.5, 0.5))
    page.mouse.down()
    for step in range(20):                                                                       # while it plays
        page.mouse.move(*players.place(0.5 + 0.02 * step, 0.5))
        page.wait_for_timeout(30)
    page.mouse.up()
    page.click("#play")
    assert painted(players)[9:11, 14:17].any()
    report(record_property, "Two players, from stroke to picture while it plays", players.measures("stroke to picture"))
    d, g = steps()
    assert d == g
    check(players, "loss", "saturating")
    page.click("#g")
    assert steps() == (d, g + 1)


# ------------------------------------------------------------------------------------------ everything

def test_on_a_large_screen_the_picture_is_large_and_its_buttons_are_in_sight(visit):
    """What is wiped or trained takes most of the height; on a projector the letters grow."""
    try:
        for name, button in (("evolve", "#play"), ("players", "#play"), ("paint", "#next")):
            page = opened(visit, f"{name}.html").page
            for width, height in ((1366, 768), (1440, 900), (1920, 1080)):
                page.set_viewport_size({"width": width, "height": height})
                assert page.locator(".easel").bounding_box()["height"] > 0.6 * height, (name, width)
                for what in (button, *(["#won"] if name == "evolve" and height > 800 else [])):
                    box = page.locator(what).bounding_box()
                    assert box["y"] + box["height"] <= height, (name, what, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                letters = page.locator("#said").evaluate("said => parseFloat(getComputedStyle(said).fontSize)")
                assert letters == 16 if width < 1600 else letters > 18
    finally:
        visit.page.set_viewport_size({"width": 1440, "height": 900})


def test_the_first_page_shows_at_once_what_it_speaks_of(visit, phone):
    for it, height in ((visit, 900), (phone, PHONE[1])):
        it.open("index.html")
        box = it.page.locator(".hero img").bounding_box()
        assert box["y"] + box["height"] <= height, "the village without its trees"
    it.page.locator(".hero .go").tap()
    it.page.wait_for_url("**/paint.html*")
    it.page.goto("about:blank")


def test_search_finds_a_section_and_leads_to_it(visit):
    visit.open("index.html")
    visit.page.fill("#query", "adain hand")
    first = visit.page.locator("#found a").first
    assert "AdaIN" in first.inner_text()
    first.click()
    visit.page.wait_for_url("**/chapters/02_stylegan.html#AdaIN*")
    visit.open("index.html")
    visit.page.fill("#query", "nosuchwordhere")
    wait_until(visit.page, lambda: "Nothing found" in visit.page.inner_text("#searched"))
    visit.open("zh/index.html")
    visit.page.fill("#query", "手动 AdaIN")
    first.wait_for()
    first.click()
    visit.page.wait_for_url("**/zh/chapters/02_stylegan.html#AdaIN-by-hand")
    visit.page.locator(".toc .other").click()                                 # the same section in English
    visit.page.wait_for_url("**/path/chapters/02_stylegan.html#AdaIN-by-hand")


def test_a_slider_is_read_out_as_it_is_written(visit):
    other = set()
    for machine in MACHINES:
        page = opened(visit, f"{machine}.html").page
        for slider in page.locator("input[type=range]").all():
            slider.press("ArrowLeft")
            words = page.locator(f"output[for={slider.get_attribute('id')}]").inner_text()
            assert slider.get_attribute("aria-valuetext") == words
            other |= {slider.get_attribute("id")} if words != slider.input_value() else set()
    assert other == {"rate", "brush", "strength", "share", "gamma"}, "their numbers alone say too little"


@pytest.mark.usefixtures("forgiven")
def test_a_search_that_could_not_be_loaded_says_so_and_is_tried_again(visit):
    visit.open("index.html")
    before = len(visit.complaints)
    for address, word in (("**/minisearch.js*", "a"), ("**/sections.json", "ad")):
        visit.page.route(address, lambda route: route.abort())
        visit.page.fill("#query", word)
        wait_until(visit.page, lambda: visit.page.inner_text("#searched") == TEXTS["search_failed"])
        visit.page.unroute_all()
    visit.page.fill("#query", "adain")
    wait_until(visit.page, lambda: visit.page.locator("#found a").count())
    assert "adain" in visit.page.inner_text("#searched") and len(visit.complaints) > before


def test_a_chapter_is_printed_dark_on_white_whatever_is_chosen(visit):
    colours = """() => ["body", ".chapter a", ".highlight .kn", ".highlight pre"].map(what =>
        getComputedStyle(document.querySelector(what)).color)"""
    visit.open("chapters/01_gan_dissection.html")
    seen = {}
    for theme, media in (("light", "screen"), ("dark", "screen"), ("light", "print"), ("dark", "print")):
        visit.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        visit.page.emulate_media(media=media)
        seen[theme, media] = visit.page.evaluate(colours)
    visit.page.emulate_media(media="screen")
    assert seen["dark", "print"] == seen["light", "print"]
    assert seen["dark", "print"][1:3] == seen["light", "screen"][1:3]
    assert all(a != b for a, b in zip(seen["dark", "screen"], seen["light", "screen"]))


WIDE = """() => Array.from(document.querySelectorAll(".chapter, .chapter :is(table, pre, .output_area)"))
    .filter(it => it.scrollWidth > it.clientWidth).map(it => it.outerHTML.slice(0, 80))"""


def test_nothing_of_a_printed_chapter_is_cut(visit, ran):
    """Of a sheet of A4 680 pixels are left to the text; what scrolls on a screen breaks its lines there."""
    visit.page.set_viewport_size({"width": 680, "height": 960})
    visit.open(RAN)
    try:
        assert any("columns" in wide for wide in visit.page.evaluate(WIDE))
        visit.page.emulate_media(media="print")
        keep(visit.page, "site-print", "chapter")
        assert not visit.page.evaluate(WIDE)
    finally:
        visit.page.emulate_media(media="screen")
        visit.page.set_viewport_size({"width": 1440, "height": 900})


def test_a_chapters_contents_are_there_on_a_phone(phone):
    phone.open("chapters/02_stylegan.html")
    summary, link = phone.page.locator(".contents summary"), phone.page.locator(".contents a").nth(1)
    assert phone.page.locator(".toc").is_hidden() and not link.is_visible()
    summary.tap()
    link.tap()
    assert urlsplit(phone.page.url).fragment == urlsplit(link.get_attribute("href")).fragment
    assert fits(phone)


def test_the_machines_speak_chinese(visit, known):
    """What the scripts say, too: every machine is moved once."""
    said = texts("zh", [], {})
    for machine, act_once, wanted in (
            ("players", lambda: visit.page.click("#g"), said["g_moved"]),
            ("evolve", lambda: visit.page.click("#generation"), said["generation_number"].format(generation=1)),
            ("mix", lambda: visit.page.locator("#psi").fill("0.3"), "ψ = 0.30；噪声：存储的"),
            ("paint", lambda: drag(visit, visit.place(0.72, 0.5), visit.place(0.9, 0.7)), "画笔之下")):
        visit.open(f"zh/{machine}.html")
        act_once()
        wait_until(visit.page, lambda wanted=wanted: wanted in visit.page.inner_text("#said"), 60)
        words = visit.page.inner_text("main") + " ".join(visit.page.evaluate(
            "Array.from(document.querySelectorAll('main [aria-label]'), (e) => e.getAttribute('aria-label'))"))
        assert not latin(words), f"{machine}: {latin(words)}"
    visit.page.locator(".other").click()                                      # the same scene in English
    visit.page.wait_for_url(f"**/path/paint.html#{known['seed']}")
    visit.page.wait_for_selector("html[lang=en][data-ready]", timeout=120_000)


def test_the_modules_have_the_types_they_say(site, tmp_path):
    """By TypeScript's checker, without a build step: the pages stay plain modules."""
    packages.copy("typescript", {path: tmp_path / path for path in packages.names("typescript", "lib/", "")
                                 if re.fullmatch(r"lib/(_?tsc\.js|lib\..*\.d\.ts)", path)})
    for path in (PAGE / "js").glob("*.js"):
        shutil.copyfile(path, tmp_path / path.name)
    shutil.copyfile(site / "js" / "strings.en.js", tmp_path / "strings.en.js")
    (tmp_path / "ort.wasm.d.ts").write_text(
        "export const env: any;\nexport class Tensor { constructor(...given: any); data: any }\nexport class "
        "InferenceSession { static create(from: string, how: any): Promise<any>; run(feeds: any): Promise<any> }\n")
    (tmp_path / "minisearch.d.ts").write_text("declare const library: any;\nexport default library;\n")
    options = ("--noEmit --allowJs --checkJs --strict --target es2022 --module esnext --moduleResolution bundler "
               "--lib es2022,dom,dom.iterable").split()
    done = subprocess.run(["node", "lib/tsc.js", *options, *(path.name for path in tmp_path.glob("*.js"))],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("screen", ["visit", "phone"])
@pytest.mark.parametrize("name", ["index.html", *(f"{machine}.html" for machine in MACHINES), "zh/paint.html",
                                  "chapters/01_gan_dissection.html", "chapters/03b_evolutionary_gan_further.html",
                                  "zh/chapters/04_capstone.html", RAN])
def test_axe_finds_nothing_serious_and_nothing_jumps(request, ran, record_property, screen, name):
    """The times, of this machine, are shown; that a machine is painted before all of it is there is asserted."""
    it = request.getfixturevalue(screen)
    it.open(name)
    found = it.figures()
    record_property(f"{name}, {'phone' if screen == 'phone' else 'large'}", "first paint {first:.0f} ms, largest "
                    "{largest:.0f} ms, ready {ready:.0f} ms, shift {shift:.3f}, {megabytes:.2f} MB".format(**found))
    assert found["shift"] < 0.05 and found["first"] > 0
    assert found["first"] < found["ready"] or name.removesuffix(".html") not in MACHINES
    shot = name.removeprefix("../").removesuffix(".html").replace("/", "-")
    keep(it.page, f"site-{shot}{'-phone' * (screen == 'phone')}", "chapter" if name == RAN else None)
    for theme in ("light",) if screen == "phone" else ("light", "dark"):
        it.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert not (found := serious(it.page)), f"{theme}: {found}"
    assert screen != "phone" or fits(it)


def test_no_chapter_is_wider_than_a_phone(visit, ran):
    """Long names of files and functions break, tables and code scroll in themselves."""
    visit.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    try:
        wide = {}
        for page in [RAN, *(f"{below(language)}chapters/{path.stem}.html" for language in languages()
                            for path in files.notebooks_folder().glob("0*.ipynb"))]:
            visit.open(page)
            wide[page] = visit.page.evaluate("document.documentElement.scrollWidth")
        assert len(wide) == 1 + 8 * len(languages()) and max(wide.values()) <= PHONE[0], wide
    finally:
        visit.page.set_viewport_size({"width": 1440, "height": 900})


def test_no_request_left_the_host_and_nobody_complained(visit):
    """After all the others: what they asked for, and what the console said meanwhile."""
    alone(visit)


def alone(visit) -> None:
    host = urlsplit(visit.root).netloc
    assert len(visit.asked) > 20 and all(urlsplit(address).netloc == host for address in visit.asked
                                         if not address.startswith(("data:", "blob:")))
    assert not visit.complaints
