"""A tiny panel of chapter 3: the three losses and how loudly each speaks, against D(G(z)), with a point to drag.

`render(state) -> frame` is pure; the panel around it is a slider.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from ...egan.child import apply, name_of, slope
from ...egan.mutations import heuristic, least_squares, minimax
from ...language import minus, say
from ..charts import COLOURS, bar, curve, line, mark, plain, sign, svg, text
from ..controls import column, field, hooked, html, row, said
from ..panel import DrawnPanel
from ..rendering import Renderer

SIZE = (430, 300)
LOSSES = (-2.4, 2.4)        # what of the losses is shown; two of them end at infinity
D_GREY = "#8a8f98"


@dataclass(frozen=True)
class MutationState:
    """All that a frame depends on. p: D(G(z)) at the point, in (0, 1)."""

    p: float = 0.2


@dataclass
class MutationFrame:
    """What the panel draws: a chart, its numbers as a table, and the same in a sentence."""

    chart: str = ""
    table: str = ""
    text: str = ""
    error: str = ""


class MutationRenderer(Renderer):
    """`render(state) -> MutationFrame` for some mutations, functions of D's logits.

    logits: D's verdicts on a batch of fakes, N numbers; where they are given, a histogram of D(G(z)) stands under
    the curves and shows in which part of them this generator is. slopes: p -> ∂M/∂l where D(G(z)) = p, for each
    mutation; where it is given, the losses have their tangents, drawn from it.
    """

    FRAME = MutationFrame
    ADVICE = "A mutation takes N logits and gives one number, for example their mean."

    def __init__(self, mutations=(minimax, heuristic, least_squares), logits: Tensor | None = None,
                 slopes: Callable[[float], Sequence[float]] | None = None):
        super().__init__()
        self.slopes = slopes
        self.mutations = (mutations,) if callable(mutations) else tuple(mutations)
        if not self.mutations:
            raise ValueError("there is no mutation to draw: give one or more, such as (minimax, heuristic)")
        self.names = [name_of(m) for m in self.mutations]
        self.ps = [k / 200 for k in range(1, 200)]
        self.curves = [[self.at(m, p) for p in self.ps] for m in self.mutations]     # (loss, weight) for each p
        logits = torch.as_tensor([] if logits is None else logits).detach().float().cpu()
        self.seen = torch.histc(logits.sigmoid(), 20, 0, 1).div(logits.numel()).tolist() if logits.numel() else []

    @staticmethod
    def at(mutation, p: float) -> tuple[float, float]:
        """M(l) and |∂M/∂l| of a single picture with D(G(z)) = σ(l) = p."""
        logit = torch.tensor([math.log(p / (1 - p))])
        with torch.enable_grad():
            return float(apply(mutation, logit.detach())), abs(float(slope(mutation, logit)))

    def _render(self, state: MutationState) -> MutationFrame:
        here = [self.at(m, state.p) for m in self.mutations]
        loudest = max(range(len(here)), key=lambda i: here[i][1])
        each = say(", ").join(say("{gradient:.3f} for {name}", gradient=w, name=plain(n))
                              for n, (_, w) in zip(self.names, here))
        words = say("Where D(G(z)) = {p:.2f}, the slope is {each}. Strongest: {loudest}.", p=state.p, each=each,
                    loudest=plain(self.names[loudest]))
        losses, weights = ([[v[k] for v in c] for c in self.curves] for k in (0, 1))
        by_p = [float(slope) / (state.p * (1 - state.p)) for slope in self.slopes(state.p)] if self.slopes else []
        left = self._chart(say("loss M"), losses, [v[0] for v in here], state.p, LOSSES, tangents=by_p)
        right = self._chart(say("slope |∂M/∂l|"), weights, [v[1] for v in here], state.p,
                            (0.0, max(1e-3, 1.1 * max(map(max, weights)))), self.seen)
        gap, (width, height) = 24, SIZE
        both = [*left, f'<g transform="translate({width + gap},0)">', *right, "</g>"]
        label = say("Losses and gradients against D(G(z)). {words}", words=words)
        return MutationFrame(svg(2 * width + gap, height, both, label), self._table(here, loudest), words)

    def _chart(self, title: str, curves: Sequence[Sequence[float]], here: Sequence[float], p: float,
               span: tuple[float, float], seen: Sequence[float] = (), tangents: Sequence[float] = ()) -> list[str]:
        width, height = SIZE
        x0, x1, y0, y1 = 44.0, width - 12.0, height - 40.0, 26.0

        def x(p):
            return x0 + (x1 - x0) * p

        def y(v):
            return y0 - (y0 - y1) * (v - span[0]) / (span[1] - span[0])

        body = [text(x0, 14, title, size=14, bold=True)]
        most = max(seen, default=0)
        body += [bar(x(k / len(seen)) + 1, y0 - 0.9 * (y0 - y1) * share / most, (x1 - x0) / len(seen) - 2,
                     0.9 * (y0 - y1) * share / most, D_GREY, 0.3) for k, share in enumerate(seen) if share]
        ticks = [0.0, *(s * t for t in (1, 2) for s in (-1, 1))] if span[0] < 0 else [0.0, 0.25, 0.5, 0.75, 1.0]
        for tick in ticks:
            if span[0] <= tick <= span[1]:
                body += [line(x0, y(tick), x1, y(tick), opacity=0.5 if tick == 0 else 0.15),
                         text(x0 - 6, y(tick) + 4, minus(f"{tick:g}"), "end")]
        for tick in (0, 0.25, 0.5, 0.75, 1):
            body += [line(x(tick), y0, x(tick), y0 + 4), text(x(tick), y0 + 17, f"{tick:g}", "middle")]
        body += [text((x0 + x1) / 2, height - 6, "D(G(z))", "middle", 13),
                 text(x0, height - 6, say("← sure it is a fake")),
                 text(x1, height - 6, say("taken for real →"), "end")]
        if seen:
            body.append(text(x1, y1 - 12, say("grey: D’s verdicts on a batch"), "end"))
        if tangents:
            body.append(text(x1, y1 - 12, say("straight: tangents by the slopes"), "end"))
        body.append(line(x(p), y0, x(p), y1, dash="4 3", opacity=0.7))
        for i, values in enumerate(curves):
            inside = [(x(q), y(v)) for q, v in zip(self.ps, values) if span[0] <= v <= span[1]]
            body.append(curve(inside, COLOURS[i % len(COLOURS)], 2.6, ("", "9 4", "2 4")[i % 3] if i else ""))
            for q in (0.06, 0.5, 0.94):                 # so that a curve is known by its shape too
                v = values[round(q * 200) - 1]
                if span[0] <= v <= span[1]:
                    body.append(mark(i, x(q), y(v), 4))
        for v, rise in zip(here, tangents):             # ∂M/∂p = ∂M/∂l / (p (1 − p)): 50 pixels to either side of p
            dx, dy = x(1) - x(0), y(rise) - y(0)
            steps = [k / 10 * 50 / math.hypot(dx, dy) for k in range(-10, 11)]
            body.append(curve([(x(p + k), y(v + k * rise)) for k in steps
                               if 0 <= p + k <= 1 and span[0] <= v + k * rise <= span[1]], "currentColor", 1.6))
        for i, v in enumerate(here):
            if span[0] <= v <= span[1]:
                body.append(mark(i, x(p), y(v), 8, hollow=2.6))               # so that all are seen where they meet
        return body

    def _table(self, here: Sequence[tuple[float, float]], loudest: int) -> str:
        cell = '<td style="padding:2px 14px 2px 0;text-align:{}">{}</td>'
        head = "".join(cell.format(*c) for c in (("left", say("mutation")), ("right", say("loss M")),
                                                 ("left", "|∂M/∂l|")))
        rows = []
        for i, (loss, weight) in enumerate(here):
            strong = f"{{:.3f}} <b>{say('← strongest')}</b>" if i == loudest else "{:.3f}"
            rows.append("<tr>" + cell.format("left", sign(i, self.names[i])) +
                        cell.format("right", minus(f"{loss:+.3f}")) +
                        cell.format("left", strong.format(weight)) + "</tr>")
        return (f'<table style="font-size:14px;border-collapse:collapse"><tr style="opacity:.75">{head}</tr>'
                f'{"".join(rows)}</table>')


class MutationPanel(DrawnPanel):
    """Drag D(G(z)) from "sure it is a fake" to "taken for real": which mutation still speaks?

    mutations, logits, slopes: see `MutationRenderer`. p: where the point stands at first.
    """

    ADVICE = "Press Reset and try again."            # it has no Undo

    def __init__(self, mutations=(minimax, heuristic, least_squares), logits: Tensor | None = None, p: float = 0.2,
                 slopes: Callable[[float], Sequence[float]] | None = None):
        super().__init__(MutationRenderer(mutations, logits, slopes), MutationState(p))

    def _build(self) -> None:
        self.slider = field(widgets.FloatSlider, "gt-mutation-slider", "D(G(z))", f"{SIZE[0]}px", "70px",
                            value=self.state.p, min=0.01, max=0.99, step=0.01, readout_format=".2f")
        self.reset = self.button(say("Reset"), "gt-mutation-reset", self.start_again, width="80px")
        self.chart, self.table, self.text = (html(f"gt-mutation-{name}") for name in ("chart", "table", "text"))
        bottom = row(column(widgets.HBox([self.slider, self.reset]), self.text, self.error), self.table, gap="24px",
                     align="flex-start")
        self.widget = hooked(column(self.chart, bottom, gap="6px", padding="8px 12px"), "gt-mutation")

    def _listen(self) -> None:
        self._watch(self.slider, lambda p: self.change("p", p=p))

    def _sync(self) -> None:
        self._put(self.slider, self.state.p)

    def show(self, frame: MutationFrame) -> None:
        self.chart.value, self.table.value = frame.chart, frame.table
        self.text.value = said(frame.text, f"font-size:14px;line-height:1.5;max-width:{SIZE[0] + 80}px")
