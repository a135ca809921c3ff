"""What the AdaIN panel shows, computed without any widget: one unit's style in, its map, histograms and picture out.

    AdaIN(x_u, y) = y_{s,u} · (x_u − μ(x_u)) / σ(x_u) + y_{b,u}               (StyleGAN, arXiv 1812.04948, Eq. 1)

x, what AdaIN normalises, is kept for a picture and a layer, so a change of y costs the layers above alone.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ... import pictures
from ...dissection.units import check_units
from ...language import minus, say
from ...limits import finite, whole
from ...networks.layers import sample_z
from ...stylegan.generator import Generator
from ...stylegan.adain_mixing_truncation import Style, adain
from ..charts import bar, line, svg, text
from ..rendering import keep
from .shared_render import StyleRenderer, check_layers, large, pixels

GREY, ORANGE = "#7a7a7a", "#d95f0e"     # before; generated
STRONGEST = 8                           # units offered as the most visible
BINS = 48


@dataclass(frozen=True)
class AdaINState:
    """All that the panel's pictures depend on."""

    model: str
    seed: int = 1
    layer: int = 0
    unit: int = 0
    y_s: float | None = None        # None: what the style A(w) says
    y_b: float | None = None


@dataclass(frozen=True)
class AdaINFrame:
    """What the panel draws. Pictures are bytes."""

    own: bytes = b""                # the picture with the style's own y
    picture: bytes = b""            # … with the y chosen
    before: bytes = b""             # x_u, from its least value (dark) to its largest (light)
    after: bytes = b""              # AdaIN(x_u, y), from −reach (dark) to +reach (light)
    histograms: str = ""            # HTML
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class Strongest:
    """The units of a layer whose silence (y_s = y_b = 0) changes the picture most, and by how much."""

    units: tuple[int, ...]
    change: tuple[float, ...]       # mean |difference| of the pixels, in [0, 2]


class AdaINRenderer(StyleRenderer):
    """`render(state) -> AdaINFrame`, `later(state)`: the strongest units; for one generator or several by name."""

    FRAME = AdaINFrame

    def __init__(self, models: Generator | Mapping[str, Generator], psi: float = 0.7,
                 adain: Callable[[Tensor, Style], Tensor] = adain):
        super().__init__(models)
        self.psi, self.adain = finite("ψ", psi), adain
        for drawer in self.drawers.values():
            if not drawer.G.config.styles:
                raise ValueError(say("{name} has no styles (configuration A or B), so there is no AdaIN to change",
                                     name=drawer.name))
        self._cuts: OrderedDict = OrderedDict()         # (model, seed, layer) -> ws, x, y, own picture
        self._spans: dict = {}                          # (model, layer) -> how far the sliders go
        self._strongest: dict = {}

    def start(self, model: str | None = None, seed: int = 1, layer: int | None = None,
              unit: int | None = None) -> AdaINState:
        """The state at the start: a layer in the middle, and the unit to which its style gives the largest y_s."""
        drawer = self.drawer(model)
        state = self.check(AdaINState(drawer.name, seed, drawer.layers // 2 if layer is None else layer))
        return self.check(replace(state, unit=self.strong(state) if unit is None else unit))

    def check(self, state: AdaINState) -> AdaINState:
        whole(say("a seed"), state.seed)
        check_layers((state.layer,), self.drawer(state.model).layers)
        check_units([state.unit], self.units(state))
        y_s, y_b = (None if y is None else finite(name, y) for name, y in (("y_s", state.y_s), ("y_b", state.y_b)))
        return replace(state, y_s=y_s, y_b=y_b)

    def block(self, state: AdaINState):
        """The layer's block of the network that draws, which is float32 whatever the reader's own is."""
        fast = self.drawer(state.model).fast
        return fast.blocks[fast.layers[state.layer]]

    # -------------------------------------------------------------------------------- what the sliders need

    def units(self, state: AdaINState) -> int:
        """How many units the layer has."""
        return len(self.block(state).bias)

    def y(self, state: AdaINState) -> tuple[float, float]:
        """(y_s, y_b) of the unit: the ones chosen, or else the style's own."""
        y_s, y_b = self.own(state)
        return y_s if state.y_s is None else state.y_s, y_b if state.y_b is None else state.y_b

    def own(self, state: AdaINState) -> tuple[float, float]:
        """(y_s, y_b) of the unit as the style A(w) has them."""
        return tuple(float(part[0, state.unit]) for part in self._cut(state)[2])

    def strong(self, state: AdaINState) -> int:
        """The unit with the largest y_s in this picture."""
        return int(self._cut(state)[2][0][0].abs().argmax())

    def spans(self, state: AdaINState) -> tuple[float, float]:
        """How far y_s and y_b may be dragged to either side: half as far again as in any of 64 styles."""
        key = state.model, state.layer
        if key not in self._spans:
            drawer = self.drawer(state.model)
            with torch.no_grad():
                w = drawer.fast.ws(sample_z(64, drawer.fast.z_dim, 0, drawer.device), self.psi)[:, state.layer]
                y = self.block(state).style(w)
            self._spans[key] = tuple(max(2.0, float(np.ceil(1.5 * float(part.abs().max())))) for part in y)
        return self._spans[key]

    def reach(self, state: AdaINState) -> float:
        """The value at the end of the histogram's axis: two of the largest spreads beside the largest mean."""
        y_s, y_b = self.own(state)
        return float(np.ceil(max(4.0, abs(y_b) + 3 * abs(y_s))))

    def _cut(self, state: AdaINState) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor], bytes, tuple]:
        """ws, x (1×C×h×w, before AdaIN), the layer's own y, the own picture and the noise; kept for 8 pictures."""
        key = state.model, state.seed, state.layer
        if key not in self._cuts:
            drawer, block, i = self.drawer(state.model), self.block(state), state.layer
            with self.drawing():
                ws, maps = drawer.ws(state.seed, self.psi), drawer.maps(None)
                below: dict[str, Tensor] = {}
                x = large(drawer.fast.synthesis(ws, maps, keep=below))
                r = below[drawer.G.layers[i - 1]] if i else ws[:, 0]
                before = block.before_style(r, maps[i]).contiguous()        # a reader's adain may view it as N×C×(HW)
                keep(self._cuts, key, (ws, before, block.style(ws[:, i]), x, maps), most=8)
        return self._cuts[key]

    def _render(self, state: AdaINState) -> AdaINFrame:
        drawer, u = self.drawer(state.model), state.unit
        ws, x, own, own_picture, maps = self._cut(state)
        y_s, y_b = self.y(state)
        y = tuple(part.clone() for part in own)
        y[0][0, u], y[1][0, u] = y_s, y_b
        r = self.adain(x, y)                                                # Eq. 1, (1, C, h, w)
        picture = drawer.fast.synthesis(ws, maps, start=(drawer.G.layers[state.layer], r))
        normal = self.adain(x[:, u:u + 1], (x.new_ones(1, 1), x.new_zeros(1, 1)))[0, 0]     # mean 0, spread 1
        reach = self.reach(state)
        histograms = three(x[0, u].cpu().numpy(), normal.cpu().numpy(), r[0, u].cpu().numpy(), y_s, y_b, reach)
        return AdaINFrame(own_picture, large(picture), self._map(x[0, u], None), self._map(r[0, u], reach),
                          histograms, self._describe(state, x[0, u], r[0, u]))

    def _map(self, x: Tensor, reach: float | None) -> bytes:
        """A map in colours: from its least to its largest value, or from −reach to reach."""
        low, high = (float(x.min()), float(x.max())) if reach is None else (-reach, reach)
        level = (x.cpu().numpy() - low) / max(high - low, 1e-9)
        tone = pictures.colour_map(level).round().astype(np.uint8)
        return pictures.png(pictures.enlarge(tone, max(1, 160 // tone.shape[0])))

    def _describe(self, state: AdaINState, x: Tensor, r: Tensor) -> str:
        own, now = self.own(state), self.y(state)
        moved = say(", as its style has it") if state.y_s is None and state.y_b is None else \
            say("; its style has y_s = {y_s:.2f} and y_b = {y_b:.2f}", y_s=own[0], y_b=own[1])
        unit = say("Unit {unit} of layer {layer} ({pixels} px), with y_s = {y_s:.2f} and y_b = {y_b:.2f}{moved}. ",
                   unit=state.unit, layer=state.layer, pixels=pixels(state.layer), y_s=now[0], y_b=now[1], moved=moved)
        around = say("Before AdaIN it has mean {mean:.2f} and spread {spread:.2f}, after it {mean_after:.2f} and "
                     "{spread_after:.2f}.", mean=x.mean(), spread=x.std(unbiased=False), mean_after=r.mean(),
                     spread_after=r.std(unbiased=False))
        return minus(unit + around)

    def later(self, state: AdaINState) -> Iterator[Strongest]:
        """The strongest units of the layer, found on the first picture it was asked for, then remembered."""
        key = state.model, state.layer
        if key not in self._strongest:
            drawer = self.drawer(state.model)
            changes = []
            with self.drawing():
                ws, x, own, _, maps = self._cut(state)
                r, name = self.adain(x, own), drawer.G.layers[state.layer]
                plain = drawer.fast.synthesis(ws, maps, start=(name, r))
            for some in torch.arange(r.shape[1]).split(8):                  # between them a picture may be drawn
                with self.drawing():
                    silent = r.repeat(len(some), 1, 1, 1)
                    silent[torch.arange(len(some)), some] = 0               # y_s = y_b = 0
                    x = drawer.fast.synthesis(ws.expand(len(some), -1, -1), maps, start=(name, silent))
                    changes += (x - plain).abs().mean((1, 2, 3)).tolist()
            best = np.argsort(changes)[::-1][:STRONGEST]
            self._strongest[key] = Strongest(tuple(map(int, best)), tuple(changes[u] for u in best))
        yield self._strongest[key]


def three(x: np.ndarray, normal: np.ndarray, r: np.ndarray, y_s: float, y_b: float, reach: float) -> str:
    """Histograms of a map before AdaIN, normalised, and after, the last two on one axis from −reach to reach."""
    low, high = float(x.min()), float(x.max())
    edge = max(1e-3, 0.05 * (high - low))
    mean, spread = float(x.mean()), float(x.std())
    return "".join((
        histogram(say("before: x"), x, (low - edge, high + edge), mean, spread, ("μ", "σ"), GREY),
        histogram(say("normalised: (x − μ) / σ"), normal, (-reach, reach), 0.0, 1.0, ("0", "1"), GREY),
        histogram(say("after: y_s · (x − μ) / σ + y_b"), r, (-reach, reach), y_b, abs(y_s), ("y_b", "|y_s|"), ORANGE)))


def histogram(title: str, values: np.ndarray, axis: tuple[float, float], mean: float, spread: float,
              names: tuple[str, str], colour: str, size: tuple[int, int] = (500, 120)) -> str:
    """One histogram as SVG, with the mean marked by a line and mean ± spread by a bar below, all with their names."""
    (low, high), (width, height), top, bottom = axis, size, 20, 74
    counts, _ = np.histogram(values, BINS, axis)
    outside = int(((values < low) | (values > high)).sum())

    def at(v: float) -> float:
        return width * min(max((v - low) / (high - low), 0.0), 1.0)

    step = width / BINS
    body = [text(0, 15, title, size=15, bold=True)]
    for i, h in enumerate(counts / max(1, counts.max()) * (bottom - top)):
        if h:
            body.append(bar(i * step + 0.5, bottom - h, step - 1, h, colour))
    beyond = "" if not outside else \
        say(", 1 value beyond the axis") if outside == 1 else say(", {n} values beyond the axis", n=outside)
    left, right, centre = at(mean - spread), at(mean + spread), at(mean)
    label = f"{names[0]} = {mean:.2f}, {names[1]} = {spread:.2f}" if not names[0].isdigit() else say("mean 0, spread 1")
    anchor = "start" if centre < width * 0.3 else "end" if centre > width * 0.7 else "middle"
    body += [text(width, 15, beyond.strip(", ，"), "end", 15), line(0, bottom, width, bottom),
             line(centre, top - 2, centre, bottom + 10, width=2, dash="5 3"),
             f'<path d="M{left:.1f} {bottom + 3}v8M{right:.1f} {bottom + 3}v8M{left:.1f} {bottom + 7}H{right:.1f}" '
             'stroke="currentColor" stroke-width="2.5" fill="none"/>',
             text(centre, bottom + 39, minus(label), anchor, 15), text(0, bottom + 25, minus(f"{low:.1f}"), size=15),
             text(width, bottom + 25, minus(f"{high:.1f}"), "end", 15)]
    return svg(width, height, body, minus(say(
        "{title}: mean {mean:.2f}, spread {spread:.2f}, from {low:.1f} to {high:.1f}", title=title, mean=mean,
        spread=spread, low=low, high=high)) + beyond)
