"""The whole site in a folder: pages, networks, what the machines know, chapters. See the package's docstring."""

from __future__ import annotations

import json
import shutil
from html import escape
from pathlib import Path
from string import Template

from .. import checkpoints
from ..files import write_text
from ..recipes.address import colab, current
from . import chapters, machines, networks, packages
from .strings import ENGLISH

PAGE = Path(__file__).parent / "page"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
INSTALL = ('python3 -m venv .venv && .venv/bin/pip install -e ".[lab]" && .venv/bin/jupyter lab '
           "notebooks/00_warm_up.ipynb")
MACHINES = ("players", "paint", "mix", "evolve")
RUNTIME = {"dist/ort.wasm.bundle.min.mjs": "ort.js", "dist/ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.js",
           "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm"}


def build(out: Path, execute: bool = False, notebooks: Path = NOTEBOOKS, executed: Path | None = None) -> Path:
    """Write the site into the folder `out`; returns its first page.

    execute: run the chapters, so that their outputs are shown. executed: a folder where they have been run already,
    such as `jupyter nbconvert --execute --to notebook --output-dir DIR notebooks/*.ipynb` leaves. RuntimeError without
    npm, Node or the extra; nothing but files of the site is touched, and `out` may hold an older site.
    """
    out.mkdir(parents=True, exist_ok=True)
    packages.copy("onnxruntime-web", {path: out / "js" / name for path, name in RUNTIME.items()})
    networks.export(out / "networks")
    known = machines.write(out / "data")
    texts = ENGLISH | figures(known) | {"megabytes": str(round(megabytes(out)))}
    notes = {None: texts["panel"]} | {machine: Template(texts["panel_live"]).substitute(
        link=f'<a href="../{machine}.html">{texts[f"{machine}_title"]}</a>') for machine in MACHINES}
    read = chapters.read(notebooks, execute, notes, executed) if notebooks.is_dir() else []
    for path in sorted((PAGE / "js").glob("*.js")):
        shutil.copyfile(path, out / "js" / path.name)
    write_text(out / "js" / "strings.js", f"export default {json.dumps(texts, ensure_ascii=False, indent=1)};\n")
    for name in ("style.css", "icon.svg"):
        shutil.copyfile(PAGE / name, out / name)
    for name in MACHINES:
        write_page(out / f"{name}.html", name, texts, texts[f"{name}_title"], chapter_links=_chapters_of(name, read),
                   class_choices=_classes(known, texts), start=known["seed"], last_seed=known["seeds"] - 1)
    write_page(out / "index.html", "home", texts, texts["home_title"], install_command=escape(INSTALL),
               chapters="\n".join(_item(chapter) for chapter in read))
    _write_chapters(out / "chapters", read, texts, execute or executed is not None)
    _write_search(out, read)
    return out / "index.html"


def figures(known: dict) -> dict[str, str]:
    """The measured figures that the texts name, from the record of the shipped generator."""
    removal = checkpoints.record("scenes-progan")["ablation_of_12_units"]["tree"]
    everywhere, in_place = removal["everywhere"], removal["in_place"]
    return {"everywhere": f"{100 * everywhere['removed']:.0f}", "price": f"{everywhere['collateral']:.1f}",
            "in_place": f"{100 * in_place['removed']:.0f}", "price_in_place": f"{in_place['collateral']:.1f}",
            "random": f"{100 * max(0, in_place['random_removed']):.0f}"}


def megabytes(out: Path) -> float:
    """What Paint loads, the larger of the machines."""
    files = [out / "js" / name for name in RUNTIME.values()]
    files += [out / "networks" / f"{name}.onnx" for name in ("progan-h", "progan-f", "segmenter")]
    return sum(path.stat().st_size for path in files) / 1e6


def write_page(path: Path, fragment: str, texts: dict, title: str, head: str = "", root: str = "", **values) -> None:
    """A fragment of page/ inside the shell, every $name filled in; KeyError for one that nobody knows."""
    texts = {key: Template(text).safe_substitute(texts) for key, text in texts.items()}
    names = texts | values | {"root": root, "title": title, "head": head}
    body = Template((PAGE / f"{fragment}.html").read_text("utf-8")).substitute(names)
    write_text(path, Template((PAGE / "shell.html").read_text("utf-8")).substitute(names, body=body))


def _classes(known: dict, texts: dict) -> str:
    """Radio buttons of the classes that can be painted, each with its colour."""
    colour = dict(zip(known["classes"], known["colours"]))
    return "".join(f'<label><input type="radio" name="class" value="{cls}"><span><i style="background:rgb'
                   f'({",".join(map(str, colour[cls]))})"></i>{texts[cls]}</span></label>' for cls in known["units"])


def _item(chapter: chapters.Chapter) -> str:
    lead = f"<p>{escape(chapter.lead)}</p>" if chapter.lead else ""
    return f'<li><a href="chapters/{chapter.page}">{escape(chapter.title)}</a>{lead}</li>'


def _chapters_of(machine: str, read: list[chapters.Chapter]) -> str:
    """Links to the chapters of a machine, each to the section where its panel stands if there is one."""
    return ", ".join(f'<a href="chapters/{chapter.page}{chapter.live and "#" + escape(chapter.live)}">'
                     f"{escape(chapter.title)}</a>" for chapter in read if chapter.machine == machine)


def _write_chapters(folder: Path, read: list[chapters.Chapter], texts: dict, executed: bool) -> None:
    folder.mkdir(exist_ok=True)
    styles = {"dist/katex.min.css": folder / "katex" / "katex.css"}
    styles |= {path: folder / "katex" / path.removeprefix("dist/")
               for path in packages.names("katex", "dist/fonts/", ".woff2")}
    packages.copy("katex", styles)
    address = current() if read else ""
    for before, chapter, after in zip([None, *read], read, [*read[1:], None]):
        shutil.copyfile(chapter.path, folder / chapter.path.name)
        links = [f'<a href="{chapter.path.name}" download>{texts["notebook"]}</a>']
        if "/OWNER/" not in address:                    # until the repository has one
            links += [f'<a href="{colab(address, chapter.path.name)}">{texts["colab"]}</a>']
        if chapter.machine:
            live = Template(texts["live"]).substitute(machine=texts[f"{chapter.machine}_title"])
            links += [f'<a href="../{chapter.machine}.html">{live}</a>']
        if not executed:
            links += [f"<span>{texts['not_run']}</span>"]
        write_page(folder / chapter.page, "chapter", texts, escape(chapter.title), root="../",
                   head='<link rel="stylesheet" href="katex/katex.css">', toc=chapters.contents(chapter),
                   links="\n".join(links), content=chapter.html,
                   previous_link=_beside(before, "←", ""), next_link=_beside(after, "", "→"))


def _write_search(out: Path, read: list[chapters.Chapter]) -> None:
    packages.copy("minisearch", {"dist/es/index.js": out / "js" / "minisearch.js"})
    found = [{"at": f"{chapter.page}#{name}", "title": title, "chapter": chapter.title, "text": text}
             for chapter in read for name, title, text in chapter.sections]
    write_text(out / "data" / "sections.json",
               json.dumps([section | {"id": n} for n, section in enumerate(found)], ensure_ascii=False))


def _beside(chapter: chapters.Chapter | None, left: str, right: str) -> str:
    return f'<a href="{chapter.page}">{left} {escape(chapter.title)} {right}</a>' if chapter else ""
