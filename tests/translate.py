"""The other languages: notebooks from notebooks/LANGUAGE/NAME.md, strings from gan_teach/locale/LANGUAGE.po.

    python tests/translate.py               write the notebooks and the .po anew, and list what a translator has to do
    python tests/translate.py --skeleton    mark that in the NAME.md too

NAME.md holds the text of every markdown cell of notebooks/NAME.ipynb, in order, each below `<!-- cell ID HASH -->`:
the cell's id, and the first 12 digits of the SHA-256 of its English source. A picture may be a bare `src="data:"`: it
is that of the English cell. The command writes the notebook notebooks/LANGUAGE/NAME.ipynb from it: code cells are those
of the English one. With --skeleton a cell whose English has changed, or that is new, gets a header of the new hash and
the word `stale` or `missing`: translate it and take the word away.
In the .po file a string that is new has an empty msgstr, and one that the code no longer has is taken out.
`test_translation.py` fails where something is to be done.
"""

from __future__ import annotations

import ast
import base64
import hashlib
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
# what follows the link to Colab, where no folder tells a kernel its language
ON_COLAB = {"zh": "（先新建一格运行 `%env GAN_TEACH_LANG=zh`，面板才会显示中文） · [English](../{name})"}


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
            continue
        pictures = iter([picture(language, data) for data in DATA.findall(cell["source"])])
        text = DATA.sub(lambda _, of=pictures: next(of, "data:"), there.get(cell["id"], ("", "", ""))[2])
        text = LINK.sub(lambda link: link[1] if link[1].removesuffix(".ipynb") in translated else f"../{link[1]}",
                        text or cell["source"])
        if address := COLAB_LINK.search(cell["source"]):
            here = f"]({COLAB}{address[2]}/blob/main/notebooks/{language}/{name}.ipynb)"
            text = COLAB_LINK.sub(lambda _, to=here: to + ON_COLAB[language].format(name=f"{name}.ipynb"), text)
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
TABLES = {"HINTS", "SIGNS", "SIGNS_HEAD", "WORDS", "WORDS_HEAD", "WARM_UP", "ADVICE", "PLACES", "CLASSES", "STEPS",
          "DEMOS", "PRESETS", "GROUPS", "PARTS", "MUTATIONS", "RULES", "SELECTIONS", "ADAM_POLICIES", "HAPPENED",
          "ON_PICTURES", "CHOSEN", "NEXT", "NOTES", "MEASURES", "MINE", "TEXTS"}
NAMED = {"DATA", "LOSSES", "WAYS", "SPEEDS"}             # … and those whose keys are
ROOMS = ("lessons", "widgets", "worlds", "egan", "site") # where those tables stand
PLACES = re.compile(r"\{[^{}]*\}")


def strings() -> dict[str, str]:
    """Every text that a reader sees -> the file it stands in: what `say` is called with, and labels of pictures.

    Last are those that the pages of the site alone show: the others they share with the panels.
    """
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.parent.name == "site", path)):
        tree, where = ast.parse(path.read_text("utf-8")), path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                first = node.args[0] if node.args else None
                first = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                said = [text for text in first if isinstance(text, ast.Constant)]
            elif isinstance(node, ast.Dict) and path.name.startswith("checks"):         # of usual slips, by their words
                said = [part for part in (*node.keys, *node.values) if " " in str(getattr(part, "value", ""))]
            elif path.relative_to(PACKAGE).parts[0] in ROOMS:
                said = _of_table(node)
            else:
                continue
            for text in (part.value for part in said if isinstance(part, ast.Constant)):
                if isinstance(text, str) and re.search("[A-Za-z]{2}|[A-Za-z] ", text):
                    found.setdefault(text, where)
    return dict(sorted({**labels(), **found}.items(), key=lambda item: ("/site/" in item[1], item[1])))


def _of_table(node: ast.AST) -> list[ast.expr | None]:
    """The strings of a node that is one of the tables; of a dict its values, or its keys where they are the names."""
    targets = (node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else
               [node.func.value] if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update" else [])
    names = {getattr(target, "id", "") for target in targets}
    keys = [key for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys]
    if names & NAMED:
        return keys
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
    todo = []
    for name_of_language in LANGUAGES:
        (language.FOLDER / f"{name_of_language}.po").write_text(po(name_of_language), "utf-8")
        todo += missing(name_of_language)
        folder = NOTEBOOKS / name_of_language
        for name in chapters():
            if "--skeleton" in arguments:
                (folder / f"{name}.md").write_text(skeleton(name_of_language, name), "utf-8")
            (folder / f"{name}.ipynb").write_text(page(rendered(name_of_language, name)), "utf-8")
            todo += to_do(name_of_language, name)
    print("\n".join(todo) or "nothing is left to translate")
    return bool(todo)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
