"""The notebooks as pages: nbconvert's own template inside ours, and every formula drawn while the site is built."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from tqdm.auto import tqdm

from ..files import regular, write_text
from ..language import say
from ..lessons import notebooks
from ..recipes.address import COLAB
from .packages import copy

# a chapter's first letters -> its machines, and the cells that make the same panel of the same networks
MACHINES = {"00": {"players": r"\bWarmUpPanel\("}, "01": {"paint": r"\b(PaintPanel|DissectionPanel)\(G\b"},
            "02": {"mix": r"\bStyleMixer\("}, "03": {"evolve": r"\bEvolutionLab\((?!pictures)"},
            "04": {"paint": None, "mix": None, "evolve": None}}
HEADING = r'(?<=<h[1-6] id=")[^"]*'                     # its id
WIDGET = "application/vnd.jupyter.widget-view+json"
KATEX = """
const katex = require("./katex.js");
const formulas = JSON.parse(require("fs").readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(formulas.map(([tex, displayMode]) =>
  katex.renderToString(tex, { displayMode, strict: "ignore", throwOnError: true }))));
"""


@dataclass
class Chapter:
    """A notebook, and what its page shows."""

    path: Path
    title: str
    lead: str = ""
    headings: list[tuple[str, str]] = field(default_factory=list)      # (id, text) of its sections
    html: str = ""
    names: list[str] = field(default_factory=list)                      # the ids of all its headings
    sections: list[tuple[str, str, str]] = field(default_factory=list)  # (id, title, text), for the search
    live: dict[str, str] = field(default_factory=dict)                  # machine -> the id of the section of its panel

    @property
    def page(self) -> str:
        return f"{self.path.stem}.html"

    @property
    def machines(self) -> dict[str, str | None]:
        return MACHINES.get(self.path.stem[:2], {})


def read(folder: Path, execute: bool, panel: dict[str | None, str], executed: Sequence[Path] = (),
         english: Sequence[Chapter] = ()) -> list[Chapter]:
    """The chapters of a folder, in the order of their names. panel: what stands where a panel would, by machine.

    execute: run every cell first (minutes). executed: folders of the same notebooks that have been run already; the
    outputs in the first that has one are shown. With both, what the first folder lacks, or has with other code, is run
    and kept there, chapter by chapter: a build that was stopped goes on. english: the same chapters, read before: a
    section has the same id in every language. ValueError where a run has other code, or where the sections are not
    those of the English chapter; RuntimeError where nbconvert is missing, for a formula that KaTeX does not know, and
    where a cell raises or takes more than an hour.
    """
    try:
        import nbformat
        from nbconvert import HTMLExporter
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
        from nbconvert.preprocessors import CoalesceStreamsPreprocessor
    except ImportError as error:
        raise RuntimeError(f'the chapters are rendered by nbconvert: pip install -e ".[site]" ({error})') from error
    formulas: list[tuple[str, bool]] = []

    class Renderer(IPythonRenderer):
        """Formulas are collected, and a mark stands in their place until all of them are drawn at once."""

        def inline_math(self, body: str) -> str:
            return self._mark(body, False)

        def block_math(self, body: str) -> str:
            return self._mark(body, True)

        def latex_environment(self, name: str, body: str) -> str:
            return self._mark(rf"\begin{{{name}}}{body}\end{{{name}}}", True)

        def _mark(self, body: str, display: bool) -> str:
            formulas.append((body, display))
            return f"<!--formula {len(formulas) - 1}-->"

    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    exporter.register_filter("markdown2html", lambda source: MarkdownWithMath(renderer=Renderer(escape=False))(source))
    exporter.register_filter("clean_html", lambda html: html)               # the notebooks are ours: half of the time
    chapters = []
    for path in tqdm(sorted(folder.glob("*.ipynb")), desc=say("run the chapters"), disable=not execute):
        notebook = nbformat.read(path, as_version=4)
        chapter = _about(path, notebook)
        runs = [run / path.name for run in executed]
        if executed and not (execute and _other_code(notebook, runs[0])):
            _take_outputs(notebook, next(filter(Path.exists, runs), runs[-1]))
        elif execute:
            notebook = notebooks.run(path)
            if runs:
                runs[0].parent.mkdir(parents=True, exist_ok=True)
                write_text(runs[0], nbformat.writes(notebook))
        if execute or executed:
            CoalesceStreamsPreprocessor(enabled=True).preprocess(notebook, {})     # what was printed bit by bit
        _leave_panels(notebook, chapter.machines, panel)
        first = notebook.cells[0]                                           # its link to Colab is left to `pages`
        first.source = re.sub(rf"(?m)^\[.*\]\({COLAB}.*\n*", "", first.source)
        html = re.sub('<a class="anchor-link".*?</a>', "", exporter.from_notebook_node(notebook)[0])
        chapter.names = re.findall(HEADING, html)
        if english:
            like = next(other for other in english if other.path.name == path.name)
            if len(like.names) != len(chapter.names):
                raise ValueError(f"{path} has not as many headings as {like.path}")
            chapter.names, names = like.names, iter(like.names)
            html = re.sub(HEADING, lambda _, names=names: next(names), html)
        html = re.sub(r"<pre>(?=[^<]*\S {2,}\S)", '<pre class="columns" tabindex="0">', html)    # printed, not code
        html = re.sub("<table(?=[ >])|<pre(?=><code)", r'\g<0> tabindex="0"', html)                # wider than a phone
        chapter.html = re.sub(r'href="(\w+)\.ipynb', r'href="\1.html', html)
        for machine in chapter.machines:
            above, there, _ = html.partition(f'<p class="panel live">{panel[machine]}')
            if there and (named := re.findall(r'<h[23] id="([^"]*)">', above)):
                chapter.live[machine] = named[-1]
        chapter.headings = [(name, _plain(text))
                            for name, text in re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', html, re.S)]
        chapter.sections = [(name, _plain(title), _plain(text)) for name, title, text in re.findall(
            r'<h[123] id="([^"]*)">(.*?)</h[123]>(.*?)(?=<h[123] id=|\Z)', html, re.S)]
        chapters.append(chapter)
    drawn = draw_formulas(formulas)
    for chapter in chapters:
        chapter.html = re.sub(r"<!--formula (\d+)-->", lambda mark: drawn[int(mark[1])], chapter.html)
    return chapters


def _plain(html: str) -> str:
    """The words of a piece of a page, without formulas."""
    return unescape(" ".join(re.sub("<(style|script).*?</\\1>|<[^>]*>|<!--.*?-->", "", html, flags=re.S).split()))


def _about(path: Path, notebook) -> Chapter:
    """Title and question of a chapter, from its first cell."""
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    title = re.search(r"^# (.*)", first, re.M)
    question = re.search(r"^\*\*(?:The question|问题)[.。]?\*\*:? ?(.*?)(\n\n|\Z)", first, re.M | re.S)
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[*`$]", r"\1", " ".join(question[1].split())) if question else ""
    plain = re.sub("(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])", "", plain)   # round what was bold or a link in Chinese
    return Chapter(path, title[1] if title else path.stem, plain)


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _ran(run: Path) -> list:
    """The code cells of a notebook that was run and saved. ValueError where it is damaged."""
    import nbformat
    try:
        cells = _code(nbformat.read(regular(run), as_version=4))
        if not all(isinstance(cell.source, str) and isinstance(cell.outputs, list) for cell in cells):
            raise ValueError("its cells are something else")
    except FileNotFoundError:
        raise
    except Exception as error:                                             # of its JSON, or anywhere in its reader
        raise ValueError(f"{run} is damaged: delete it ({type(error).__name__}: {error!s:.120})") from error
    return cells


def _other_code(notebook, run: Path) -> bool:
    """Whether the file of a run is not there, or not of this notebook's code, whatever language its banner names."""
    if not run.exists():
        return True
    ours, theirs = ([re.sub(r'(?m)^(banner\(.*), language="\w+"\)$', r"\1)", cell.source) for cell in cells]
                    for cells in (_code(notebook), _ran(run)))
    return ours != theirs


def _take_outputs(notebook, run: Path) -> None:
    """The outputs of the same notebook that has been run."""
    if run.exists() and _other_code(notebook, run):
        raise ValueError(f"{run} is not {run.name} as it is now: run it again")
    for cell, other in zip(_code(notebook), _ran(run)):
        cell.outputs = other.outputs


def _leave_panels(notebook, machines: dict[str, str | None], notes: dict[str | None, str]) -> None:
    """A note in place of every panel: without a kernel it would be a name in angle brackets. Progress bars go.

    Below a cell that makes the panel of one of the chapter's machines: the way to it, whether or not the cell was run.
    """
    import nbformat
    notebook.metadata.pop("widgets", None)                                  # their states, which nothing here shows
    for cell in notebook.cells:
        code = re.sub("#.*", "", cell.source) if cell.cell_type == "code" else ""           # a comment makes no panel
        live = next((machine for machine, made in machines.items() if made and re.search(made, code)), None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not _is_bar(output.get("data", {}))]
        outputs = [output for output in cell.get("outputs", []) if WIDGET in output.get("data", {})]
        if live and not outputs:
            outputs = [nbformat.v4.new_output("display_data", {})]
            cell.outputs = [*cell.get("outputs", []), *outputs]
        for output in outputs:
            kind, note = ("panel live", notes[live]) if live else ("panel", notes[None])
            output["data"] = {"text/html": f'<p class="{kind}">{note}</p>'}


def _is_bar(data: dict) -> bool:
    """tqdm's widget, which is a bar as plain text too; a panel is `Name(children=…)`."""
    return WIDGET in data and not re.match(r"\w+\(", data.get("text/plain", ""))


def draw_formulas(formulas: list[tuple[str, bool]]) -> list[str]:
    """TeX and whether it stands alone, each -> HTML, with MathML for screen readers; by KaTeX in Node."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("formulas are drawn with Node.js, which is not installed (who reads the site needs none)")
    with tempfile.TemporaryDirectory(prefix="gan_teach-") as folder:
        copy("katex", {"dist/katex.min.js": Path(folder) / "katex.js"})
        (Path(folder) / "draw.js").write_text(KATEX, encoding="utf-8")
        done = subprocess.run([node, "draw.js"], cwd=folder, input=json.dumps(formulas), capture_output=True, text=True,
                              encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"a formula could not be drawn: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout)
