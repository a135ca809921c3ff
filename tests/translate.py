"""The other languages: notebooks from notebooks/LANGUAGE/NAME.md, strings from gan_teach/locale/LANGUAGE.po.

    python tests/translate.py               write the notebooks and the .po anew, and list what a translator has to do
    python tests/translate.py --skeleton    mark that in the NAME.md too

NAME.md holds the text of every markdown cell of notebooks/NAME.ipynb, in order, each below `<!-- cell ID HASH -->`:
the cell's id, and the first 12 digits of the SHA-256 of its English source. A picture may be a bare `src="data:"`: it
is that of the English cell. The command writes the notebook notebooks/LANGUAGE/NAME.ipynb from it: code cells are those
of the English one, but for its language, which is put into the first. With --skeleton a cell whose English has changed,
or that is new, gets a header of the new hash and the word `stale` or `missing`: translate it and take the word away.
In the .po file a string that is new has an empty msgstr, and one that the code no longer has is taken out. Its strings
are what `say` is called with; labels of pictures; and what `language.told` translates when it is shown: titles, labels
and alt texts of charts and tables of pictures, in the code cells of the notebooks and where the package draws; what
those cells print, or show as HTML or Markdown; errors; an instructor's notes in the metadata of cells.
`test_translation.py` fails where something is to be done.
"""

from __future__ import annotations

import argparse
import ast
import base64
import functools
import hashlib
import itertools
import json
import re
import sys
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gan_teach import language  # noqa: E402
from gan_teach.recipes.address import ADDRESS, COLAB  # noqa: E402

NOTEBOOKS, PACKAGE = ROOT / "notebooks", ROOT / "gan_teach"
LANGUAGES = language.languages()[1:]
HEADER = re.compile(r"(?m)^<!-- cell (\S+) ([0-9a-f]{12})(?: (stale|missing))? -->\n")
DATA = re.compile(r'(?<=src=")data:[^"]*(?=")')
SVG = "data:image/svg+xml;base64,"
LABEL = re.compile(r"(?<=>)[^<>]+(?=</(?:text|tspan)>)")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#]+)")
COLAB_LINK = re.compile(r"(\]\()" + re.escape(COLAB) + r"([\w.-]+/[\w.-]+)/blob/main/notebooks/(?:\w\w/)?([\w.]+)\)")
BANNER = re.compile(r"(?m)^(banner\(.*)\)$")


# ------------------------------------------------------------------------------------------ notebooks

def digest(source: str) -> str:
    """Of an English cell; the repository's address, which is a setting, does not count."""
    plain = ADDRESS.sub("https://github.com/OWNER/gan-teach", source)
    plain = re.sub(re.escape(COLAB) + r"[\w.-]+/[\w.-]+", COLAB + "OWNER/gan-teach", plain)
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def texts(language: str, name: str) -> dict[str, tuple[str, str, str]]:
    """Cell -> (hash, "" or what is the matter, text) of a chapter's NAME.md."""
    path = NOTEBOOKS / language / f"{name}.md"
    parts = HEADER.split(path.read_text("utf-8"))[1:] if path.exists() else []
    return {cell: (of, word or "", text.strip()) for cell, of, word, text in zip(*[iter(parts)] * 4)}


def english(name: str) -> dict:
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def chapters() -> list[str]:
    return sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def to_do(language: str, name: str) -> list[str]:
    """What is wrong with a chapter's NAME.md, cell by cell; [] for one that is whole."""
    there, wrong = texts(language, name), []
    cells = {cell["id"]: cell["source"] for cell in english(name)["cells"] if cell["cell_type"] == "markdown"}
    for cell, source in cells.items():
        of, word, text = there.get(cell, ("", "missing", ""))
        if word or of != digest(source) or not text:
            wrong.append(f"{language}/{name}.md: cell {cell} is {'stale' if text and of else 'missing'}")
        elif len(DATA.findall(text)) != len(DATA.findall(source)):
            wrong.append(f"{language}/{name}.md: cell {cell} has not as many pictures")
    wrong += [f"{language}/{name}.md: there is no cell {cell} any more" for cell in there if cell not in cells]
    return wrong if wrong or [*there] == [*cells] else [f"{language}/{name}.md: the cells have another order"]


def skeleton(language: str, name: str) -> str:
    """A chapter's NAME.md with a header for every cell, and the text there is."""
    there, pages = texts(language, name), []
    for cell in english(name)["cells"]:
        if cell["cell_type"] == "markdown":
            of, word, text = there.get(cell["id"], ("", "missing", ""))
            now = digest(cell["source"])
            word = "missing" if not text else "stale" if word or of != now else ""
            pages.append(f"<!-- cell {' '.join([cell['id'], now, word]).strip()} -->\n{text}\n")
    return "\n".join(pages)


def rendered(language: str, name: str) -> dict:
    """The notebook in the language: English where a text is missing."""
    notebook, there = english(name), texts(language, name)
    translated = {path.stem for path in (NOTEBOOKS / language).glob("*.md")}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "markdown":
            cell["source"] = BANNER.sub(rf'\1, language="{language}")', cell["source"])
            continue
        pictures = iter([picture(language, data) for data in DATA.findall(cell["source"])])
        text = DATA.sub(lambda _, of=pictures: next(of, "data:"), there.get(cell["id"], ("", "", ""))[2])
        text = LINK.sub(lambda link: link[1] if link[1].removesuffix(".ipynb") in translated else f"../{link[1]}",
                        text or cell["source"])
        if address := COLAB_LINK.search(cell["source"]):
            here = f"]({COLAB}{address[2]}/blob/main/notebooks/{language}/{name}.ipynb)"
            text = COLAB_LINK.sub(lambda _, to=here: f"{to} · [English](../{name}.ipynb)", text)
        cell["source"] = text
    return notebook


def picture(language_: str, data: str) -> str:
    """A picture of a cell with its labels in the language: those of an SVG are strings of the .po file too."""
    if not data.startswith(SVG):
        return data
    there = language.catalogue(language.FOLDER / f"{language_}.po")
    drawn = base64.b64decode(data.removeprefix(SVG)).decode()
    drawn = LABEL.sub(lambda label: escape(there.get(unescape(label[0])) or unescape(label[0])), drawn)
    return SVG + base64.b64encode(drawn.encode()).decode()


def labels() -> dict[str, str]:
    """Every label of the pictures in the notebooks' texts -> the notebook."""
    return {unescape(label): f"notebooks/{name}.ipynb" for name in reversed(chapters())
            for cell in english(name)["cells"] if cell["cell_type"] == "markdown"
            for data in DATA.findall(cell["source"]) if data.startswith(SVG)
            for label in LABEL.findall(base64.b64decode(data.removeprefix(SVG)).decode())
            if re.search("[A-Za-z]{3}", label)}


def page(notebook: dict) -> str:
    """A notebook as it lies in its file."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    return json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False) + "\n"


# ------------------------------------------------------------------------------------------ strings

# Tables at the top of a module whose strings are said when they are shown.
TABLES = {"SIGNS", "WORDS", "WARM_UP", "ADVICE", "PLACES", "CLASSES", "STEPS", "DEMOS",
          "PRESETS", "GROUPS", "PARTS", "MUTATIONS", "RULES", "SELECTIONS", "ADAM_POLICIES", "HAPPENED",
          "REASONS", "ON_PICTURES", "CHOSEN", "NEXT", "NOTES", "MEASURES", "MINE", "AXES", "FAKES", "WANTED",
          "ARGPARSE", "TEXTS", "ROWS", "CHANGES", "NOISY", "FASHION"}
NAMED = {"DATA", "LOSSES", "WAYS", "SPEEDS", "LOOKS", "CLAIMS", "CURVES", "COARSE", "MIDDLE", "FINE", "RANGES",
         "BODIES"}    # … and those whose keys are
ROOMS = ("lessons", "widgets", "worlds", "egan", "recipes", "site", "__main__.py")  # where those tables stand
PLACES = re.compile(r"\{[^{}]*\}")


@functools.cache
def strings() -> dict[str, str]:
    """Every text that a reader sees -> the file it stands in: what `say` is called with, and labels of pictures.

    Last are those that the pages of the site alone show: the others they share with the panels.
    """
    # between the things of a list, and what is drawn
    found = dict.fromkeys((", ", "; ", "scenes", "portraits"), "gan_teach/language.py")
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.parent.name == "site", path)):
        tree, where = ast.parse(path.read_text("utf-8")), path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "say":
                first = node.args[0] if node.args else None
                first = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                said = [text for text in first if isinstance(text, ast.Constant)]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "columns":
                said = [cell.elts[0] for cell in ast.walk(node) if isinstance(cell, ast.Tuple) and
                        isinstance(cell.elts[0], ast.Constant)]
            elif isinstance(node, ast.Dict) and path.parent.name == "checks":           # of usual slips, by their words
                said = [part for part in (*node.keys, *node.values) if " " in str(getattr(part, "value", ""))]
            elif path.relative_to(PACKAGE).parts[0] in ROOMS:
                said = _of_table(node)
            else:
                continue
            for text in (part.value for part in said if isinstance(part, ast.Constant)):
                if isinstance(text, str) and re.search("[A-Za-z]{2}|[A-Za-z] ", text):
                    found.setdefault(text, where)
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "data" and isinstance(node.value, ast.JoinedStr):
                found.setdefault(template(node.value), where)                           # what a record says it learnt
            if isinstance(node, ast.FunctionDef) and getattr(node.returns, "id", "") == "Figure":
                found = {**dict.fromkeys(plotted(node), where), **found}
            if isinstance(node, ast.FunctionDef) and not where.startswith(DEVELOPERS):
                found = {**dict.fromkeys(raised(node), where), **found}
    cells = {text: f"notebooks/{name}.ipynb" for name in reversed(chapters())
             for text in (*plotted_in(english(name)), *noted_in(english(name)))}
    return dict(sorted({**cells, **labels(), **found}.items(), key=lambda item: ("/site/" in item[1], item[1])))


# Whose errors stay English: those of the readers of foreign files, and of commands that only a developer gives.
DEVELOPERS = tuple(f"gan_teach/{room}" for room in (
    "official/egan", "official/fill", "official/pickles", "official/progan", "official/stylegan", "official/t",
    "official/upernet", "site/", "recipes/address", "recipes/judges", "recipes/compare", "lessons/notes"))


def raised(function: ast.FunctionDef) -> list[str]:
    """The sentences of a function's errors, with places for the values, and of the words that it puts in there."""
    raises = [node for node in ast.walk(function) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    firsts = [node.exc.args[0] for node in raises if node.exc.args]
    firsts = [part for first in firsts for part in ([first.body, first.orelse] if isinstance(first, ast.IfExp) else
                                                    [first])]
    put_in = {part.value.id for first in firsts for part in ast.walk(first)
              if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name)}
    firsts += [part for node in ast.walk(function) if isinstance(node, ast.Assign)
               and getattr(node.targets[0], "id", "") in put_in for part in ast.walk(node.value)]
    pieces = {part for node in ast.walk(function) if isinstance(node, ast.JoinedStr) for part in node.values}
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    named = [part for node in calls if getattr(node.func, "id", "") in CHECKS for part in node.args
             if isinstance(part, (ast.Constant, ast.JoinedStr))]
    named += function.args.defaults if function.name in CHECKS else []
    firsts += [part for part in ast.walk(function) if isinstance(part, ast.JoinedStr) and function.name == "described"]
    texts = [template(text) if isinstance(text, ast.JoinedStr) else getattr(text, "value", None)
             for text in (*firsts, *named) if text not in pieces]
    return [text for text in texts if isinstance(text, str) and re.search("[a-z]{2}", text)
            and (" " in text.strip() or text in [getattr(part, "value", None) for part in named])]


# … told what they check
CHECKS = {"check_drawn", "check_finite", "check_images", "check_name", "features", "in_parts", "whole"}


# What is drawn or shown with, and what only hands on, of whose arguments the texts are seen.
SHOWING = {"show", "chart", "strips", "ends", "text", "display", "append", "zip", "enumerate", "list"}
SEEN = {"title", "titles", "xlabel", "ylabel", "label", "alt", "desc"}
# … unless it is one word, a name or a style, or only goes on behind another text
CODE = re.compile(r"grey|egan|paper|\s.*|[a-z]+\d+|\S*[_:#/^-]\S*")


# … and with which a cell of a notebook prints, or shows text
PRINTING = {"print", "HTML", "Markdown", "markdown", "join", "format", "tqdm", "compare"}


def plotted_in(notebook: dict) -> list[str]:
    """The titles, labels and alt texts in the code cells of a notebook that show something, and what they print."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [text for source in code if re.search(r"\b(show|chart|strips|ends|print|HTML|Markdown|tqdm)\(", source)
            for text in plotted(ast.parse(source), SHOWING | PRINTING)]


def noted_in(notebook: dict) -> list[str]:
    """What an instructor is told in the metadata of its cells."""
    given = [cell["metadata"].get("gan_teach", {}) for cell in notebook["cells"]]
    return [notes[key] for notes in given for key in ("answer", "mistakes") if key in notes]


def plotted(tree: ast.AST, showing: set[str] = SHOWING) -> list[str]:
    """The texts that code puts on a chart or table of pictures: a template with places where it is an f-string.

    What is not seen is left out: what is compared, looked up, or given to other functions than `showing`.
    """
    hidden: set[ast.AST] = set()
    chosen: list[ast.expr] = []                                             # one of two texts within a text
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            shows = getattr(node.func, "id", getattr(node.func, "attr", "")) in showing
            unseen = [*([] if shows else node.args), *(k.value for k in node.keywords if k.arg not in SEEN)]
        else:
            if isinstance(node, ast.FormattedValue):
                chosen += [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            unseen = ([node.slice] if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) else
                      [node.value] if isinstance(node, ast.FormattedValue) else
                      [node] if isinstance(node, (ast.Compare, ast.Assert)) else
                      [node.value] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else [])
        hidden.update(part for one in unseen for part in ast.walk(one))
    found, whole = [], [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    pieces = {part for node in whole for part in node.values}
    formats = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "format"}
    for node in ast.walk(tree):
        if node in hidden and node not in chosen or node in pieces:
            continue
        text = template(node) if isinstance(node, ast.JoinedStr) else getattr(node, "value", None)
        if isinstance(node, (ast.JoinedStr, ast.Constant)) and isinstance(text, str):
            text = numbered(text) if node in formats else text
            text = text.strip() if showing is not SHOWING else text         # where it is told, spaces are set aside
            if not CODE.fullmatch(text.rstrip(":")) and re.search("[A-Za-z]_?[A-Za-z]", PLACES.sub("", text)):
                found.append(text)
    return found


def numbered(text: str) -> str:
    """A text for `.format` with a name in each place: "{:9} of {}" is "{value:9} of {value2}"."""
    count = itertools.count(1)
    return re.sub(r"\{(?=[:}])(:[<>^]?\d+)?[^}]*\}",
                  lambda place: f"{{value{'' if (n := next(count)) == 1 else n}{place[1] or ''}}}", text)


def template(node: ast.JoinedStr) -> str:
    """An f-string as a text with named places: f"unit {u:4}, {x[u]:.2f}" is "unit {u:4}, {value}"."""
    places: dict[str, str] = {}                                             # what stands in it -> the place's name
    for part in node.values:
        if isinstance(part, ast.FormattedValue) and (what := ast.unparse(part.value)) not in places:
            more = sum(not name.isidentifier() for name in places)
            places[what] = what if what.isidentifier() else f"value{more + 1 if more else ''}"
    return "".join(f"{{{places[ast.unparse(part.value)]}{wide(part)}}}" if isinstance(part, ast.FormattedValue) else
                   part.value.replace("{", "{{").replace("}", "}}") for part in node.values)


def wide(part: ast.FormattedValue) -> str:
    """The width that a value in an f-string has at least: ":>9" of {x:>9.2f}."""
    spec = "".join(str(getattr(one, "value", "")) for one in part.format_spec.values) if part.format_spec else ""
    return (found := re.match(r"[<>^+]*[1-9]\d*", spec)) and ":" + found[0].replace("+", "") or ""


def _of_table(node: ast.AST) -> list[ast.expr | None]:
    """The strings of a node that is one of the tables; of a dict its values, or its keys where they are the names."""
    targets = (node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else
               [node.func.value] if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update" else
               [node.func] if isinstance(node, ast.Call) else [])
    names = {getattr(target, "id", "") for target in targets}
    keys = [key for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys]
    if "verdict" in names and isinstance(node, ast.Call):
        return node.args[1:]                                                            # hints
    if names & NAMED:
        return getattr(getattr(node, "value", None), "keys", keys)
    if names & TABLES or any(name.startswith("CHAPTER_") for name in names):
        return [part for part in ast.walk(node) if isinstance(part, ast.Constant) and part not in keys]
    return []


def quoted(word: str, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    lines = lines if len(lines) == 1 else ["", *lines]
    return "\n".join(f"{word} {line}" if i == 0 else line
                     for i, line in enumerate(json.dumps(line, ensure_ascii=False) for line in lines))


def po(language_: str) -> str:
    """The .po file of a language, with every string there is, and the translations there are."""
    path = language.FOLDER / f"{language_}.po"
    there = language.catalogue(path) if path.exists() else {}
    head = f"Language: {language_}\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
    entries = [quoted("msgid", "") + "\n" + quoted("msgstr", head)]
    for text, where in strings().items():
        form = "#, python-brace-format\n" if PLACES.search(text) else ""
        entries.append(f"#: {where}\n{form}{quoted('msgid', text)}\n{quoted('msgstr', there.get(text, ''))}")
    return "\n\n".join(entries) + "\n"


def missing(language_: str) -> list[str]:
    """Strings without a translation, or whose translation has not the same places for values."""
    there = language.catalogue(language.FOLDER / f"{language_}.po")
    return [f"{language_}.po: {text!r}" for text in strings()
            if not there.get(text) or sorted(PLACES.findall(there[text])) != sorted(PLACES.findall(text))]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/translate.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skeleton", action="store_true", help="mark what is stale or missing in the NAME.md too")
    wanted, todo = parser.parse_args(arguments), []
    for name_of_language in LANGUAGES:
        (language.FOLDER / f"{name_of_language}.po").write_text(po(name_of_language), "utf-8")
        todo += missing(name_of_language)
        folder = NOTEBOOKS / name_of_language
        for name in chapters():
            if wanted.skeleton:
                (folder / f"{name}.md").write_text(skeleton(name_of_language, name), "utf-8")
            (folder / f"{name}.ipynb").write_text(page(rendered(name_of_language, name)), "utf-8")
            todo += to_do(name_of_language, name)
    print("\n".join(todo) or "nothing is left to translate")
    return bool(todo)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
