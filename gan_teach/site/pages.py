"""The whole site in a folder: pages, networks, what the machines know, chapters, in every language.

English lies at the top, another language in a folder of its name; what is not read (networks, numbers, scripts, fonts)
is there once. See the package's docstring.
"""

import json
import shutil
from importlib.metadata import metadata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import checkpoints
from ..files import notebooks_folder, to_write, write_text
from ..language import ENGLISH, languages, say
from ..recipes.address import colab, current
from . import chapters, machines, networks, packages
from .strings import NAMES, texts

PAGE = Path(__file__).parent / "page"
INSTALL = {"unix": ("python3 -m venv .venv", '.venv/bin/pip install -e ".[lab]"', ".venv/bin/jupyter lab {first}"),
           "windows": ("python -m venv .venv", r'.venv\Scripts\pip install -e ".[lab]"',
                       r".venv\Scripts\jupyter lab {first}")}
MACHINES = ("players", "paint", "mix", "evolve")
CARDS = {"players": ["players"], "paint": ["removed"], "mix": ["villages", "portraits"], "evolve": ["evolve"]}
RUNTIME = {"wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
           "webgpu": ("ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.mjs", "ort-wasm-simd-threaded.jspi.wasm")}
TEMPLATES = Environment(loader=FileSystemLoader(PAGE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def build(out: Path, execute: bool = False, executed: Path | None = None) -> Path:
    """Write the site into the folder `out`; returns its first page.

    execute: run the chapters, so that their outputs are shown. executed: a folder where they have been run already,
    such as `jupyter nbconvert --execute --to notebook --output-dir DIR notebooks/*.ipynb` leaves; those of a language
    in a folder of its name, or else the English outputs are shown: the code is the same. With both, what the folder
    lacks is run, and kept there, and the folder is made (`chapters.read`). RuntimeError without npm, Node or the extra;
    nothing but files of the site is touched, and `out` may hold an older site.
    """
    if executed is not None and not execute and not Path(executed).is_dir():
        raise FileNotFoundError(f"there is no folder {executed} of chapters that have been run")
    for folder in (notebooks_folder() / below(language) for language in languages()):
        if not any(folder.glob("*.ipynb")):
            raise FileNotFoundError(f"there are no chapters in {folder}")
    to_write(out / "index.html")
    print(say("the networks, as ONNX …"), flush=True)
    networks.export(out / "networks")                       # first: without its packages nothing needs to be fetched
    print(say("what comes from npm …"), flush=True)
    packages.copy("onnxruntime-web", {f"dist/{name}": runtime(out, name) for of in RUNTIME.values() for name in of})
    packages.copy("minisearch", {"dist/es/index.js": out / "js" / "minisearch.js"})
    styles = {path: path.removeprefix("dist/") for path in packages.names("katex", "dist/fonts/", ".woff2")}
    packages.copy("katex", {path: out / "chapters" / "katex" / name
                            for path, name in {"dist/katex.min.css": "katex.css", **styles}.items()})
    print(say("what the machines must know: units, noise, first pictures …"), flush=True)
    known = machines.write(out / "data")
    for path in (*(PAGE / "js").glob("*.js"), PAGE / "style.css", PAGE / "icon.svg"):
        shutil.copyfile(path, out / path.relative_to(PAGE))
    filled, english = figures() | {"megabytes": str(round(megabytes(out)))}, []
    for language in languages():
        said, folder = texts(language, known["classes"], filled), notebooks_folder() / below(language)
        write_text(out / "js" / f"strings.{language}.js",
                   f"export default {json.dumps(said, ensure_ascii=False, indent=1)};\n")
        notes = {None: said["panel"]} | {machine: said["panel_live"].format(
            link=f'<a href="../{machine}.html">{said[f"{machine}_title"]}</a>') for machine in MACHINES}
        runs = [executed / below(language), executed] if executed else []
        print(say("the chapters in {folder} …", folder=folder), flush=True)
        read = chapters.read(folder, execute, notes, runs, english)
        english = english or read
        write_edition(out, language, said, read, known=known, executed=execute or bool(executed))
    return out / "index.html"


def below(language: str) -> str:
    """The folder of a language, of its pages as of its notebooks."""
    return "" if language == ENGLISH else f"{language}/"


def write_edition(out: Path, language: str, said: dict[str, str], read: list[chapters.Chapter], **values) -> None:
    """The pages of a language: said are its texts, read its chapters."""

    def write(page: str, template: str, title: str, **more) -> None:
        up = "../" * page.count("/")
        root = up + "../" * below(language).count("/")
        others = [(other, NAMES[other], f"{root}{below(other)}{page}") for other in languages() if other != language]
        known = said | values | {"texts": said, "language": language, "title": title, "root": root, "up": up,
                                 "others": others, "machines": MACHINES, "chapters": read} | more
        write_text(out / below(language) / page, TEMPLATES.get_template(f"{template}.html").render(known))

    first = f"notebooks/{below(language)}{read[0].path.name}"
    write("index.html", "home", said["home_title"], cards=CARDS, first=first, install_lines=INSTALL)
    for machine in MACHINES:
        write(f"{machine}.html", machine, said[f"{machine}_title"], machine=machine)
    address = repository()
    for before, chapter, after in zip([None, *read], read, [*read[1:], None]):
        on_colab = None if "/OWNER/" in address else colab(address, below(language) + chapter.path.name)
        write(f"chapters/{chapter.page}", "chapter", chapter.title, chapter=chapter, before=before, after=after,
              on_colab=on_colab)                        # None until the repository has an address
        shutil.copyfile(chapter.path, out / below(language) / "chapters" / chapter.path.name)
    found = [{"at": f"{chapter.page}#{name}", "title": title, "chapter": chapter.title, "text": text}
             for chapter in read for name, title, text in chapter.sections]
    write_text(out / below(language) / "chapters" / "sections.json",
               json.dumps([section | {"id": n} for n, section in enumerate(found)], ensure_ascii=False))


def repository() -> str:
    """Its address, of a copy of it, or of an installed package."""
    try:
        return current()
    except FileNotFoundError:
        named = dict(line.split(", ", 1) for line in metadata("gan-teach").get_all("Project-URL"))
        return named["Repository"]


def figures() -> dict[str, str]:
    """The measured figures that the texts name, from the record of the shipped generator."""
    removal = checkpoints.record("scenes-progan")["ablation_of_12_units"]["tree"]
    everywhere, in_place = removal["everywhere"], removal["in_place"]
    return {"everywhere": f"{100 * everywhere['removed']:.0f}", "price": f"{everywhere['collateral']:.1f}",
            "in_place": f"{100 * in_place['removed']:.0f}", "price_in_place": f"{in_place['collateral']:.1f}",
            "random": f"{100 * max(0, in_place['random_removed']):.0f}"}


def runtime(out: Path, name: str) -> Path:
    """Where a file of the runtime lies: a plain web server need not know .mjs."""
    return out / "js" / name.replace(".bundle.min", "").replace(".mjs", ".js")


def megabytes(out: Path) -> float:
    """What Paint loads, the larger of the machines, before its first picture."""
    files = [runtime(out, name) for name in RUNTIME["wasm"]]
    files += [out / "networks" / f"{name}.onnx" for name in ("progan-h", "progan-f", "segmenter")]
    return sum(path.stat().st_size for path in files) / 1e6
