"""What the warm-up's panel shows, drawn without any widget: a game and its past in, a frame out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import torch

from ... import pictures
from ...egan import plane
from ...egan.warm_up import Game, Verdicts
from ...language import say

SIZE = 432                  # pixels of the picture
SHOWN = 128                 # points of each kind in it
PUSHED = 48                 # generated points that carry a line
BLUE, ORANGE = "#005ab5", "#d95f00"


def key() -> str:
    """HTML: what the marks and the ground mean."""
    ground = say("ground: <b>light</b> where D says real, <b>dark</b> where generated")
    return (f'<b style="color:#005ab5">+</b> {say("real")} &nbsp; <b style="color:#d95f00">●</b> {say("generated")}<br>'
            f"{ground}")


@dataclass(frozen=True)
class Frame:
    """picture: PNG bytes; chart: SVG; text: the same in words, for those who listen."""

    picture: bytes = b""
    chart: str = ""
    text: str = ""

    def html(self) -> str:
        """All of it as one piece of HTML, so that the page never shows the half of a frame."""
        picture = self.picture and pictures.img(self.picture, self.text, SIZE, "gt-plane")
        return (f'<div style="display:flex;flex-flow:row wrap;gap:8px 20px;line-height:1.5"><div>{picture}'
                f'<div style="width:{SIZE}px;font-size:14px">{key()}</div></div>'
                f'<div style="width:420px"><b style="font-size:15px">{say("what D says, on average")}</b> '
                f'<span style="font-size:15px;opacity:.75">{say("½: it cannot tell")}</span>'
                f'<div class="gt-chart">{self.chart}</div>'
                f'<div class="gt-verdict" style="font-size:15px;min-height:70px">{escape(self.text)}</div></div></div>')


def frame(game: Game, history: Sequence[Verdicts], said: str = "", pushes: bool = True) -> Frame:
    """The game as it stands. history: verdicts from the start to now. said: who has just moved. pushes: with lines."""
    real, fake = game.points(SHOWN)
    now, moved = history[-1], game.lines(fake[:PUSHED]) if pushes else None
    with torch.no_grad():
        picture = plane.picture(fake, real, plane.field(game.D), moved, size=SIZE)
    text = said + say("Steps so far: D {steps_d}, G {steps_g}. D says {real:.2f} of real points and {fake:.2f} of "
                      "generated ones. Losses: D {loss_d:.2f}, G {loss_g:.2f}.", steps_d=game.steps_d,
                      steps_g=game.steps_g, real=now.real, fake=now.fake, loss_d=now.loss_d, loss_g=now.loss_g)
    return Frame(pictures.png(picture), chart(history), text)


def chart(history: Sequence[Verdicts], width: int = 412, height: int = 214, most: int = 400) -> str:
    """D's mean verdicts over the last moves, as SVG: real a blue line, generated a broken orange one."""
    shown = history[-most:]
    left, right, top, bottom = 28, width - 104, 12, height - 28
    step = (right - left) / max(1, len(shown) - 1)

    def y(value: float) -> float:
        return bottom - value * (bottom - top)

    def line(values, colour, dash):
        points = " ".join(f"{left + i * step:.1f},{y(v):.1f}" for i, v in enumerate(values))
        end = f'<circle cx="{left + (len(shown) - 1) * step:.1f}" cy="{y(values[-1]):.1f}" r="4" fill="{colour}"/>'
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.2" {dash}/>{end}'

    now = shown[-1]
    near = abs(y(now.real) - y(now.fake)) < 17                   # labels must not lie one over the other
    shift = 9 * near * (1 if now.real >= now.fake else -1)
    ends = ((f"+ {say('real')}", BLUE, y(now.real) + 5 - shift),
            (f"● {say('generated')}", ORANGE, y(now.fake) + 5 + shift))
    labels = "".join(f'<text x="{right + 10}" y="{min(bottom, max(top + 8, at)):.0f}" fill="{colour}" '
                     f'font-weight="600">{word}</text>' for word, colour, at in ends)
    grid = "".join(f'<line x1="{left}" x2="{right}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#8888" '
                   f'stroke-dasharray="{"2 4" if v == .5 else "none"}"/>'
                   f'<text x="{left - 7}" y="{y(v) + 5:.0f}" text-anchor="end" fill="currentColor">{word}</text>'
                   for v, word in ((0, "0"), (0.5, "½"), (1, "1")))
    alt = say("D's mean verdicts over {n} moves: on real points now {real:.2f}, on generated ones {fake:.2f}",
              n=len(history) - 1, real=now.real, fake=now.fake)
    moves = say("moves, the last {n}", n=len(shown) - 1)
    return (f'<svg role="img" aria-label="{alt}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-size="13" font-family="sans-serif" style="display:block">{grid}'
            + line([v.real for v in shown], BLUE, "") + line([v.fake for v in shown], ORANGE, 'stroke-dasharray="6 4"')
            + f'{labels}<text x="{(left + right) / 2}" y="{height - 8}" text-anchor="middle" fill="currentColor">'
            f"{moves}</text></svg>")
