"""Small pictures of what a chapter's cells draw, beside an instructor's notes: `gan-teach notes 02 --pictures DIR`.

One page of HTML that needs no other file and no network, to keep open beside the class: who is lost sees what the
others see.
"""

import base64
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm

from .. import pictures
from ..files import read_json, to_write, write_text
from ..language import current, say
from ..worlds.reading import as_array
from . import notebooks, notes

WIDTH = 320             # CSS pixels of a thumbnail, all its columns together
STYLE = """
body { font: 16px/1.5 sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2rem 0 0 }
section { border-top: 1px solid #999 } section > p { margin: 0 }
dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem 1rem; max-width: 60rem } dt { font-weight: bold }
dd { margin: 0 } div { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end }
table { border-collapse: collapse } td { padding: 0 1px 1px 0; vertical-align: bottom; font-size: 11px;
line-height: 1.2 } .panel { border: 1px dashed #666; padding: .5rem; margin: 0 }
"""


class Pictures(HTMLParser):
    """The pictures that HTML holds, in rows of (caption, alt text, bytes); no bytes where a place is empty."""

    def __init__(self, html: str):
        super().__init__()
        self.rows: list[list[list]] = []
        self.inside = False                                             # a place of the table
        self.feed(html)
        self.rows = [row for row in self.rows if any(data for *_, data in row)]

    def handle_starttag(self, tag: str, attributes: list) -> None:
        given = dict(attributes)
        source = re.match("data:image/(?:png|jpeg|gif|webp);base64,", given.get("src") or "")
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.inside = True
            self.rows = self.rows or [[]]
            self.rows[-1].append(["", "", b""])
        elif tag == "img" and source:
            if not self.inside:
                self.rows.append([["", "", b""]])
            self.rows[-1][-1][1:] = given.get("alt") or "", base64.b64decode(given["src"][source.end():])

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "table")

    def handle_data(self, text: str) -> None:
        if self.inside and text.strip():
            self.rows[-1][-1][0] += text


def small(data: bytes, alt: str, width: int) -> str:
    """A picture, made no wider than this. ValueError for what is no picture."""
    picture = Image.fromarray(as_array(data))
    picture.thumbnail((width, 4 * width))
    return pictures.img(pictures.jpeg(picture), alt or say("a picture without a description"), picture.width)


def thumbnail(rows: list[list[list]]) -> str:
    """A table of pictures, each with its caption and alt text, at most `WIDTH` wide."""
    width = WIDTH // max(map(len, rows)) - 1
    places = [[f'<td style="width:{width}px">{escape(caption)}{small(data, alt, width) if data else ""}</td>'
               for caption, alt, data in row] for row in rows]
    return "<table>" + "".join(f"<tr>{''.join(row)}</tr>" for row in places) + "</table>"


def drawn(cell: dict) -> list[str]:
    """What a cell that was run shows: its pictures, small, and a word for each panel."""
    found = []
    for output in cell.get("outputs", []):
        data = {kind: "".join(text) for kind, text in output.get("data", {}).items() if isinstance(text, (str, list))}
        plain = data.get("text/plain", "")
        if rows := Pictures(data.get("text/html", "")).rows:
            found.append(thumbnail(rows))
        elif own := data.get("image/png") or data.get("image/jpeg"):       # a figure of matplotlib's, as it is
            found.append(thumbnail([[["", plain, base64.b64decode(own)]]]))
        elif any("widget-view" in kind for kind in output.get("data", {})) and re.match(r"\w+\(", plain):
            found.append(f'<p class="panel">{escape(say("A panel, or the quiz, is here."))}</p>')
    return found


def marked(text: str) -> str:
    """A note as HTML: what is bold, slanted or code in Markdown; of a link its words."""
    html = ""
    for part in re.split("(`[^`]+`)", re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)):
        if part[:1] == "`" != part:
            html += f"<code>{escape(part[1:-1])}</code>"
        else:
            html += re.sub(r"\*(\S|\S[^*]*\S)\*", r"<i>\1</i>", re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(part)))
    return html


def write(chapter: int | str, folder: Path, executed: Path | None = None) -> Path:
    """Write the page of a chapter, in the reader's language; returns its path: FOLDER/02_stylegan.html, or
    FOLDER/zh/02_stylegan.html.

    executed: the notebook, of either language, run and saved already; else it is run (minutes). A cell that has other
    code there shows nothing here. ValueError for a chapter that is not there, and for a file without any picture of it.
    """
    path, cells = notebooks.edition(chapter, current()), notebooks.read(chapter, current())
    if executed and not executed.is_file():
        raise FileNotFoundError(f"there is no file {executed}; give the notebook that was run and saved")
    page = to_write(folder / path.relative_to(notebooks.find(chapter).parent).with_suffix(".html"))
    found = notes.sections(cells)
    ran = read_json(executed) if executed else notebooks.run(path)
    code = {cell["id"]: cell["source"] for cell in cells}
    shown = {cell["id"]: drawn(cell) for cell in tqdm(ran.get("cells", []), desc=say("pictures"), leave=False)
             if code.get(cell.get("id")) == "".join(cell.get("source", ""))}
    if executed and not any(shown.values()):
        raise ValueError(f"{executed} has no picture of {path.name}: run that notebook, save it, and give its file")
    title, timing = notes.heads(path.name, cells, found)
    sections = []
    for number, s in enumerate(found):
        small_ones = "".join(it for cell in s.code for it in shown.get(cell, []))
        said = "".join(f"<dt>{escape(word)}</dt><dd>{marked(text)}</dd>" for word, text in s.said())
        if s.timing() or said or small_ones:
            sections.append(f'<section id="s{number}"><h2>{marked(s.title)}</h2><p>{escape(s.timing())}</p>'
                            f"<dl>{said}</dl><div>{small_ones}</div></section>")
    write_text(page, f"""<!DOCTYPE html>
<html lang="{current()}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{marked(title)}</h1><p>{escape(timing)}</p>
{"".join(sections)}</body></html>
""")
    return page
