"""Small charts as SVG text: light enough for every move of a slider, sharp on a projector, described for the ear.

Text and axes take the page's own colour, so that they are seen on a dark page too. Each kind of thing has a colour
and a shape.
"""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

from ..language import say

# For the mutations, and whatever else is told apart: none is blue, orange, grey or green, which have their meanings;
# they differ in lightness too. A colour goes with a shape and the sign for it in words.
COLOURS = ("#5e2a84", "#c93a75", "#1a9fb5", "#8a6d1f", "#3b4a57", "#a05a2c")
SIGNS = ("●", "▲", "■", "◆", "▼", "✚")
WINNER = "#1b7f2a"
MUTATIONS = ("minimax", "heuristic", "least squares")         # those of the paper, as `plain` says them
_CORNERS = (None, ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)), ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
            ((0, -1.25), (1.1, 0), (0, 1.25), (-1.1, 0)), ((0, 1.15), (1.1, -0.85), (-1.1, -0.85)),
            ((-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4), (0.4, 1.1), (-0.4, 1.1),
             (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4)))


def svg(width: float, height: float, body: Iterable[str], label: str) -> str:
    """A chart of this size; label: what it says, for a reader who cannot see it."""
    return (f'<svg role="img" aria-label="{escape(label)}" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" '
            f'style="display:block;max-width:100%;overflow:visible;font:12px sans-serif">{"".join(body)}</svg>')


def text(x: float, y: float, words: str, anchor: str = "start", size: float = 12, colour: str = "currentColor",
         bold: bool = False) -> str:
    """Words at a place; an underscore lowers the letter after it, as in F_q. Nothing is smaller than 12."""
    weight, low = ' font-weight="600"' if bold else "", f'<tspan dy="3" font-size="{max(12, 0.75 * size):g}">'
    lowered = re.sub(r"_(\w)", rf'{low}\1</tspan><tspan dy="-3">&#8203;</tspan>', escape(words))
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="{colour}"{weight}>'
            f"{lowered}</text>")


def line(x1: float, y1: float, x2: float, y2: float, colour: str = "currentColor", width: float = 1,
         dash: str = "", opacity: float = 1) -> str:
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width:g}" stroke-dasharray="{dash}" opacity="{opacity:g}"/>')


def curve(points: Sequence[tuple[float, float]], colour: str = "currentColor", width: float = 2, dash: str = "") -> str:
    """A line through points; those that are not finite are left out."""
    path = _path((x, y) for x, y in points if math.isfinite(x) and math.isfinite(y))
    return (f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'stroke-dasharray="{dash}" stroke-linejoin="round"/>')


def area(points: Iterable[tuple[float, float]], colour: str, opacity: float = 1) -> str:
    return f'<polygon points="{_path(points)}" fill="{colour}" opacity="{opacity:g}"/>'


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def bar(x: float, y: float, width: float, height: float, colour: str, opacity: float = 1) -> str:
    """A rectangle; a negative width goes to the left."""
    return (f'<rect x="{min(x, x + width):.1f}" y="{y:.1f}" width="{abs(width):.1f}" height="{height:.1f}" '
            f'fill="{colour}" opacity="{opacity:g}"/>')


def mark(kind: int, x: float, y: float, r: float = 5, colour: str = "", edge: str = "none",
         hollow: float = 0) -> str:
    """The shape of a kind, in its colour. edge: the colour of a ring around it. hollow: the width of its outline."""
    colour = colour or COLOURS[kind % len(COLOURS)]
    paint = (f'fill="none" stroke="{colour}" stroke-width="{hollow:g}"' if hollow else
             f'fill="{colour}" stroke="{edge}" stroke-width="{0 if edge == "none" else 2}"')
    around = corners(kind, x, y, r)
    if around is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" {paint}/>'
    return f'<polygon points="{_path(around)}" {paint}/>'


def star_corners(x: float, y: float, r: float) -> list[tuple[float, float]]:
    """The corners of the winner's star."""
    turns = [(math.pi * k / 5, r if k % 2 == 0 else 0.45 * r) for k in range(10)]
    return [(x + s * math.sin(t), y - s * math.cos(t)) for t, s in turns]


def corners(kind: int, x: float, y: float, r: float) -> list[tuple[float, float]] | None:
    """The corners of a kind's shape, for pictures in pixels; None for the circle."""
    shape = _CORNERS[kind % len(_CORNERS)]
    return None if shape is None else [(x + r * dx, y + r * dy) for dx, dy in shape]


def plain(name: str) -> str:
    """A function's name in words; that of a mutation of the paper in the reader's language."""
    return say(name.replace("_", " "))


def titled(text: str, note: str = "", hook: str = "") -> str:
    """HTML: a small heading with a quiet remark beside it. hook: a css class to find it by."""
    note = f' <span style="font-weight:400;opacity:.75">{escape(note)}</span>' if note else ""
    return f'<div class="{hook}" style="font-size:15px;font-weight:600;line-height:1.5">{escape(text)}{note}</div>'


def sign(kind: int, name: str) -> str:
    """HTML: the sign of a kind in its colour, and its name."""
    return (f'<span style="white-space:nowrap"><span style="color:{COLOURS[kind % len(COLOURS)]};font-size:1.15em">'
            f"{SIGNS[kind % len(SIGNS)]}</span> {escape(plain(name))}</span>")
