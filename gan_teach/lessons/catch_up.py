"""For whoever comes late, or whose kernel has died: `catch_up("02.4")` makes what sections 1 to 3 of chapter 2 made.

It runs the code of the sections before, as the chapter has it, in order, without pictures and panels. What would take
long is made small: the metadata of such a cell hold {"gan_teach": {"small": {"samples=500": "samples=40"}}}, a
text of the cell and what stands in its place here. So the names are there, and the figures behind some of them are
rougher than the chapter's: which, is said.
"""

import ast
import contextlib
import io
import symtable
import sys
import time

from tqdm.auto import tqdm

from ..language import say
from . import notebooks, progress
from .printed import shell


def small(cell: dict) -> str:
    """A cell's code in which what takes long is made small. ValueError if that is not in the cell."""
    source = cell["source"]
    for long, short in cell["metadata"].get("gan_teach", {}).get("small", {}).items():
        if long not in source:
            raise ValueError(f"cell {cell.get('id')!r} has no {long!r}")
        source = source.replace(long, short)
    return source


def lighter(cell: dict) -> ast.Module:
    """A cell's code, made small, without what only shows (a bare call of a function: `show(…)`, `quiz(…)`).

    The exercises are left out too, for the reader may have written theirs.
    """
    def shows(node: ast.stmt) -> bool:
        value = node.value if isinstance(node, ast.Expr) else None
        return isinstance(value, (ast.Name, ast.Constant)) or isinstance(value, ast.Call) and isinstance(
            value.func, ast.Name)

    tree = ast.parse(small(cell))
    tree.body = [node for node in tree.body
                 if not shows(node) and not (isinstance(node, ast.FunctionDef) and node.name.startswith("my_"))]
    if not made(tree) and not any(isinstance(node, ast.Expr) for node in tree.body):        # all else only shows
        tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return tree


def made(tree: ast.Module) -> list[str]:
    """The names that a cell gives a value, but for those it imports."""
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    return [symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() and not symbol.is_imported()]


@contextlib.contextmanager
def _quiet():
    """Nothing is printed or displayed; matplotlib's figures are closed."""
    with contextlib.ExitStack() as stack:
        if shell() is None:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        else:
            stack.enter_context(sys.modules["IPython"].utils.io.capture_output())
        yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def catch_up(where: str, namespace: dict | None = None) -> None:
    """Make, in the notebook that calls, the names that the sections before `where` make: "02.4" is chapter 2, part 4.

    It may be called from any notebook, also in a kernel where nothing has run. namespace: another one to make them in.
    ValueError for a section that is not there, with those that are.
    """
    chapter, _, number = str(where).rpartition(".")
    there = {name: notebooks.sections(name) for name in notebooks.chapters()}
    chapter = notebooks.number(chapter)
    if not number or number not in there.get(chapter, {}):
        known = "\n".join(f"  {name}: " + ", ".join(f"{name}.{n}" for n in its if n) for name, its in there.items())
        raise ValueError(f"no section {str(where)!r}; there are:\n{known}")
    namespace = sys._getframe(1).f_globals if namespace is None else namespace
    if shell() is None:
        namespace.setdefault("display", lambda *shown: None)             # a notebook has it
    before = list(there[chapter])[1:]
    before = before[:before.index(number)]
    rough, began = {}, time.perf_counter()                            # name -> was it made small?
    cells = [cell for n in before for cell in there[chapter][n]]
    for cell in tqdm(cells, desc=say("to {where}", where=where), leave=False):
        tree = lighter(cell)
        with _quiet():
            exec(compile(tree, f"<catch_up {chapter} {cell.get('id')}>", "exec"), namespace)
        rough |= dict.fromkeys(made(tree), "small" in cell["metadata"].get("gan_teach", {}))
    progress.begin(chapter)
    print(say("ready for section {number} of chapter {chapter}: {n} names in {seconds:.1f} s", number=number,
              chapter=chapter, n=len(rough), seconds=time.perf_counter() - began))
    if rougher := [name for name, is_small in rough.items() if is_small and len(name) > 1]:
        print(say("made small, so rougher than the chapter's: {names}", names=", ".join(rougher)))
