"""What the warm-up's panel shows, drawn without any widget: a game and its past in, a frame out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import torch

from ... import pictures
from ...egan import plane
from ...egan.warm_up import Game, Verdicts
from ...language import say
from ..charts import curve, line, mark, svg, text

SIZE = 432                  # pixels of the picture
SHOWN = 128                 # points of each kind in it
PUSHED = 48                 # generated points that carry a line
BLUE, ORANGE = "#005ab5", "#d95f00"


@dataclass(frozen=True)
class Frame:
    """picture: PNG bytes; chart: SVG; text: the same in words, for those who listen."""

    picture: bytes = b""
    chart: str = ""
    text: str = ""

    def html(self) -> str:
        """All of it as one piece of HTML, so that the page never shows the half of a frame."""
        key = (f'<b style="color:{BLUE}">+</b> {say("real")} &nbsp; <b style="color:{ORANGE}">●</b> '
               f'{say("generated")}<br>' + say("ground: <b>light</b> where D says real, <b>dark</b> where generated"))
        picture = self.picture and pictures.img(self.picture, self.text, SIZE, "gt-plane")
        return (f'<div style="display:flex;flex-flow:row wrap;gap:8px 20px;line-height:1.5"><div>{picture}'
                f'<div style="width:{SIZE}px;font-size:14px">{key}</div></div>'
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


def chart(history: Sequence[Verdicts]) -> str:
    """D's mean verdicts over the last moves, as SVG: real a blue line, generated a broken orange one."""
    shown, width, height = history[-400:], 412, 214
    left, right, top, bottom = 28, width - 104, 12, height - 28
    step = (right - left) / max(1, len(shown) - 1)

    def y(value: float) -> float:
        return bottom - value * (bottom - top)

    now, body = shown[-1], []
    for v, word in ((0, "0"), (0.5, "½"), (1, "1")):
        body += [line(left, y(v), right, y(v), "#8888", dash="2 4" if v == 0.5 else ""),
                 text(left - 7, y(v) + 5, word, "end", 13)]
    near = abs(y(now.real) - y(now.fake)) < 17                   # labels must not lie one over the other
    shift = 9 * near * (1 if now.real >= now.fake else -1)
    for name, word, colour, dash, down in (("real", f"+ {say('real')}", BLUE, "", 5 - shift),
                                           ("fake", f"● {say('generated')}", ORANGE, "6 4", 5 + shift)):
        points = [(left + i * step, y(getattr(v, name))) for i, v in enumerate(shown)]
        (x, last), place = points[-1], min(bottom, max(top + 8, points[-1][1] + down))
        body += [curve(points, colour, 2.2, dash), mark(0, x, last, 4, colour),
                 text(right + 10, place, word, size=13, colour=colour, bold=True)]
    moves = say("moves, the last {n}", n=len(shown) - 1) if len(shown) > 1 else say("moves")
    return svg(width, height, [*body, text((left + right) / 2, height - 8, moves, "middle", 13)], say(
        "D's mean verdicts over {n} moves: on real points now {real:.2f}, on generated ones {fake:.2f}",
        n=len(history) - 1, real=now.real, fake=now.fake))
