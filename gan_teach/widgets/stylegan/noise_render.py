"""What the noise panel shows, computed without any widget: which layers have noise in, what it decides out.

Figures 4 and 5 of StyleGAN (Karras et al., arXiv 1812.04948): the same styles with other draws of the noise, how far
each pixel scatters over a hundred draws, and what is left without noise.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ... import pictures
from ...language import say
from ...limits import finite, whole
from ...networks.device import one_thread
from ...stylegan.generator import Generator
from ...stylegan.mixing_and_noise import noise_deviation
from ...stylegan.prepared import prepared
from ..rendering import keep
from .shared_render import SIZE, StyleRenderer, large, pixels, span, tidy

DRAWS = 100             # of the noise, as in the paper's Figure 4
OTHERS = 4              # other draws shown as pictures
BRIGHTER = 4            # the paper shows four times the deviation
PARTS = (("upper left", "upper centre", "upper right"), ("middle left", "middle centre", "middle right"),
         ("lower left", "lower centre", "lower right"))         # of a picture


@dataclass(frozen=True)
class NoiseState:
    """All that the panel's pictures depend on."""

    model: str
    seed: int = 1
    noise: int | None = None                # seed of the draw shown large; None: the noise stored with the weights
    noisy: tuple[int, ...] | None = None    # the layers that have noise; None: all


@dataclass(frozen=True)
class NoiseFrame:
    """What must come at once."""

    picture: bytes = b""
    silent: bytes = b""         # the same styles without any noise
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class Scatter:
    """What may follow: other draws, and then what the noise decides."""

    others: tuple[bytes, ...] = ()
    deviation: bytes = b""      # empty until it is known
    text: str = ""


class NoiseRenderer(StyleRenderer):
    """`render(state) -> NoiseFrame` and `later(state)`, for one generator or several by name."""

    FRAME = NoiseFrame

    def __init__(self, models: Generator | Mapping[str, Generator], psi: float = 0.7):
        super().__init__(models)
        self.psi = finite("ψ", psi)
        for drawer in self.drawers.values():
            if not drawer.G.config.noise:
                raise ValueError(say("{name} has no noise (configurations A to D), so there is nothing to switch",
                                     name=drawer.name))
        self._behind: dict[str, Generator] = {}         # prepared a second time, for the long measurement alone
        self._scatter: OrderedDict = OrderedDict()      # (model, seed, noisy) -> deviation, H×W

    def start(self, model: str | None = None, seed: int = 1) -> NoiseState:
        """The state at the start: the stored noise in every layer."""
        return self.check(NoiseState(self.drawer(model).name, seed))

    def check(self, state: NoiseState) -> NoiseState:
        drawer = self.drawer(state.model)
        for seed in (state.seed, state.noise or 0):
            whole(say("a seed"), seed)
        return replace(state, noisy=tidy(state.noisy, drawer.layers))

    def _render(self, state: NoiseState) -> NoiseFrame:
        drawer = self.drawer(state.model)
        ws = drawer.ws(state.seed, self.psi)
        silent = drawer.fast.synthesis(ws, drawer.maps(state.noise, ()))
        x = drawer.picture(ws, drawer.maps(state.noise, state.noisy))
        return NoiseFrame(large(x), large(silent), describe(state))

    def later(self, state: NoiseState) -> Iterator[Scatter]:
        """Other draws at once, the deviation when it is measured."""
        drawer = self.drawer(state.model)
        with self.drawing():
            ws = drawer.ws(state.seed, self.psi)
            first = (state.noise or 0) + 1                  # the stored noise is that of seed 0
            others = tuple(large(drawer.fast.synthesis(ws, drawer.maps(seed, state.noisy)))
                           for seed in range(first, first + OTHERS))
        key = state.model, state.seed, state.noisy
        if key not in self._scatter:
            yield Scatter(others)
            if state.model not in self._behind:
                self._behind[state.model] = prepared(drawer.G)
            with one_thread():
                found = noise_deviation(self._behind[state.model], ws, DRAWS, state.noisy, progress=False)[0]
            keep(self._scatter, key, found.cpu(), most=32)
        deviation = self._scatter[key]
        tone = pictures.colour_map(BRIGHTER * deviation.numpy()).round().astype(np.uint8)
        yield Scatter(others, pictures.png(pictures.enlarge(tone, max(1, SIZE // len(tone)))), measured(deviation))


def describe(state: NoiseState) -> str:
    """What is shown, in words."""
    which = say("the stored noise") if state.noise is None else say("noise {seed}", seed=state.noise)
    if state.noisy is None:
        return say("The picture of seed {seed}, with {which} in every layer.", seed=state.seed, which=which)
    if state.noisy:
        return say("The picture of seed {seed}, with {which} in layers {layers} ({low} to {high} px) alone.",
                   seed=state.seed, which=which, layers=span(state.noisy), low=pixels(min(state.noisy)),
                   high=pixels(max(state.noisy)))
    return say("The picture of seed {seed}, without noise in any layer.", seed=state.seed)


def measured(deviation: Tensor) -> str:
    """The deviation map, H×W of grey in [0, 1], in words."""
    if not deviation.any():
        return say("Nothing scatters: {draws} draws give one picture.", draws=DRAWS)
    H, W = deviation.shape
    row, column = divmod(int(deviation.argmax()), W)
    where = say(PARTS[3 * row // H][3 * column // W])
    mean, most = 100 * float(deviation.mean()), 100 * float(deviation.max())
    return say("Over {draws} draws a pixel's grey scatters by {mean:.1f} % of the way from black to white on average, "
               "and by {most:.1f} % where it scatters most ({where}).", draws=DRAWS, mean=mean, most=most, where=where)
