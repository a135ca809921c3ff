"""What the cells of a chapter print, in the reader's language: the code is the same in both editions, and is English.

Each text that a cell gives to `print`, `HTML` or `Markdown`, or writes beside a progress bar, is told (`language.told`)
when the cell runs, and its numbers below 0 get a true minus. So a cell reads `print(f"D says {p:.2f}")`, no more.
"""

import ast
import re
import sys
import textwrap

from .. import language

SHOWN = ("HTML", "Markdown")


def shell():
    """The notebook's shell; None in a script or a test."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def begin() -> None:
    """Tell what the notebook's cells print from here on. The banner calls it; twice is as good as once."""
    if (here := shell()) is not None and not any(isinstance(one, Telling) for one in here.ast_transformers):
        here.ast_transformers.append(Telling())


class Telling(ast.NodeTransformer):
    """print(a, *b) becomes print(line(a), *map(line, b)), and so on, in a cell's code."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        name = getattr(node.func, "id", "")
        if name == "print":
            for one in node.args:
                if isinstance(one, ast.Starred):
                    one.value = _called("lines", one.value)
            node.args = [one if isinstance(one, ast.Starred) else _called("line", one) for one in node.args]
        elif name in SHOWN:
            node.args = [_called("page", one) for one in node.args]
        elif name == "tqdm":
            node.args[1:] = [_called("told", one) for one in node.args[1:]]
            for given in node.keywords:
                given.value = _called("told", given.value) if given.arg == "desc" else given.value
        return ast.fix_missing_locations(node)


def _called(name: str, given: ast.expr) -> ast.expr:
    here = ast.parse(f"__import__('gan_teach').lessons.printed.{name}", mode="eval").body
    return ast.copy_location(ast.Call(here, [given], []), given)


told = language.told        # reached by its name alone, from the code that `_called` makes


def line(text: object) -> object:
    """What is printed, told; a single word, which may be a name of the code, and code itself stay as they are."""
    if type(text).__module__.startswith("gan_teach."):                  # a table of the package, told already
        return language.minus(str(text))
    if not isinstance(text, str) or "\n" in text.strip() and _is_code(text):
        return text
    return language.minus(text if re.fullmatch(r"[\w-]*", text) else told(text))


def lines(several) -> list:
    """The same of each of several things."""
    return [line(one) for one in several]


def page(text: str) -> str:
    """HTML or Markdown, told: of a table cell by cell; what stands around a table is told already."""
    if re.search(r"(?m)^\| ", text):
        text = "\n".join("| " + " | ".join(map(told, row[2:-2].split(" | "))) + " |" if row.startswith("| ") else row
                         for row in text.split("\n"))
    else:
        text = told(text)
    return "".join(part if part[:1] == "<" else language.minus(part) for part in re.split("(<[^>]*>)", text))


def _is_code(text: str) -> bool:
    try:
        return bool(ast.parse(textwrap.dedent(text)).body)
    except SyntaxError:
        return False
