"""What the style mixer shows, computed without any widget: state in, pictures out.

The figure of style mixing in StyleGAN (Karras et al., arXiv 1812.04948, Fig. 3): a column for each source, a row for
each destination; where they meet, the destination drawn with some of its styles taken from the source. A layer is
computed only where something below it or in it has changed: the large picture goes on from the layers last drawn, a
row of the grid from its destination's.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ... import pictures
from ...language import minus, say
from ...limits import finite, whole
from ...stylegan.generator import Generator
from ...stylegan.adain_mixing_truncation import layer_groups, mix
from .shared_render import Drawer, StyleRenderer, Which, check_layers, large, pixels, span, tidy

MOST = 8                # sources, and destinations, at most
STRIP = 5               # pictures from the destination to the full style of the source
PATIENCE = 0.25         # seconds without a new row until what there is of the grid is shown


@dataclass(frozen=True)
class MixState:
    """All that the mixer's pictures depend on."""

    model: str
    sources: tuple[Which, ...] = (1, 2, 3, 4)
    destinations: tuple[Which, ...] = (11, 12, 13)
    layers: tuple[int, ...] = ()            # that take their style from the source
    share: float = 1.0                      # how far those go: 0 destination's own w … 1 the source's
    psi: float = 0.7
    cutoff: int | None = None               # only the layers before this number are truncated; None: all
    noise: int | None = None                # its seed; None: the noise stored with the weights
    noisy: tuple[int, ...] | None = None    # the layers that have noise; None: all
    cell: tuple[int, int] = (1, 1)          # the place shown large; row 0 the sources themselves, column 0 the others


@dataclass(frozen=True)
class MixFrame:
    """The large picture."""

    picture: bytes = b""
    text: str = ""          # the same in words
    call: str = ""          # Python that draws it again
    error: str = ""         # plain words and the next step; the picture is then empty


@dataclass(frozen=True)
class Sheet:
    """The figure, as far as it is drawn."""

    grid: bytes = b""       # rows and columns of equal cells; what is not yet drawn is light grey
    strip: bytes = b""      # STRIP pictures, the share going from 0 to 1; empty until the grid is whole


class MixRenderer(StyleRenderer):
    """`render(state) -> MixFrame` and `later(state)`, for one generator or several by name.

    models: a `stylegan.Generator`, or a dict name -> Generator. latents: w's by name, of the first model (see `add`).
    mix: what mixes, by the signature of `stylegan.mix`; a learner's own gets equal shapes and a list of layers.
    """

    FRAME = MixFrame

    def __init__(self, models: Generator | Mapping[str, Generator], latents: Mapping[str, Tensor] | None = None,
                 mix: Callable[[Tensor, Tensor, list[int]], Tensor] = mix):
        super().__init__(models)
        self.mix = mix
        for name, w in (latents or {}).items():
            self.add(name, w)

    def add(self, name: str, w: Tensor, model: str | None = None) -> None:
        """Give a latent of a model (None: the first) a name by which it can be a source or a destination.

        w: (W,), 1×W, L×W or 1×L×W, such as a projection found. ValueError for another size, and for a name that is a
        number or holds a comma.
        """
        if not name.strip() or "," in name or name.strip().lstrip("-").isdigit():
            raise ValueError(say("a latent's name is a word without comma, and no number; got {name!r}", name=name))
        with self._using:
            self.drawer(model).add(name.strip(), w)

    def start(self, model: str | None = None, **changes) -> MixState:
        """The state at the start: the coarse styles come from the sources."""
        drawer = self.drawer(model)
        return self.check(MixState(drawer.name, **({"layers": layer_groups(drawer.layers)["coarse"]} | changes)))

    def check(self, state: MixState) -> MixState:
        drawer = self.drawer(state.model)
        L = drawer.layers
        check_layers(state.layers, L)
        whole(say("the cut-off, a number of layers,"), state.cutoff or 0, 0, L)
        whole(say("the seed of the noise"), state.noise or 0)
        for kind, chosen in ((say("source"), state.sources), (say("destination"), state.destinations)):
            if not 1 <= len(chosen) <= MOST:
                raise ValueError(say("give 1 to {most} sources and destinations each; got {n}", most=MOST,
                                     n=len(chosen)))
            for which in chosen:
                self._check_latent(kind, which, drawer)
        row, column = state.cell
        cell = min(max(row, 0), len(state.destinations)), min(max(column, 0), len(state.sources))
        return MixState(state.model, tuple(state.sources), tuple(state.destinations), tuple(sorted(set(state.layers))),
                        finite(say("the share"), state.share), finite("ψ", state.psi), state.cutoff, state.noise,
                        tidy(state.noisy, L), cell if any(cell) else (1, 1))

    def _check_latent(self, kind: str, which: Which, drawer: Drawer) -> None:
        if isinstance(which, str):
            if which in drawer.latents:
                return
            owners = [other.name for other in self.drawers.values() if which in other.latents]
            if owners:
                raise ValueError(say("{which!r} is a latent of {owner}, not of {model}: choose that model, or another "
                                     "{kind}", which=which, owner=owners[0], model=drawer.name, kind=kind))
        elif type(which) is int and 0 <= which < 2**63:
            return
        known = ", ".join(drawer.latents)
        raise ValueError(say("{which!r} is no {kind}: give whole numbers, 0 or more", which=which, kind=kind)
                         + (say(", or a latent's name: {known}", known=known) if known else ""))

    def parse(self, text: str) -> tuple[Which, ...]:
        """ "3, 5, my picture" → (3, 5, "my picture")."""
        words = [word.strip() for word in str(text).split(",") if word.strip()]
        return tuple(int(word) if word.lstrip("-").isdecimal() else word for word in words)

    def _render(self, state: MixState) -> MixFrame:
        drawer = self.drawer(state.model)
        x = drawer.picture(self._mixed(state), drawer.maps(state.noise, state.noisy))
        return MixFrame(large(x), describe(state), self.call(state))

    def _mixed(self, state: MixState) -> Tensor:
        """ws of the chosen cell, 1×L×W."""
        drawer, (row, column) = self.drawer(state.model), state.cell
        if row == 0:
            return drawer.ws(state.sources[column - 1], state.psi, state.cutoff)
        destination = drawer.ws(state.destinations[row - 1], state.psi, state.cutoff)
        if column == 0:
            return destination
        return self.mixed(destination, drawer.ws(state.sources[column - 1], state.psi, state.cutoff), state)

    def mixed(self, destination: Tensor, sources: Tensor, state: MixState) -> Tensor:
        """The destination (1×L×W) with the chosen styles of each source (N×L×W), as far as the share says."""
        if state.share != 1:
            sources = torch.lerp(destination, sources, state.share)
        return self.mix(destination.expand_as(sources), sources, list(state.layers))

    def later(self, state: MixState) -> Iterator[Sheet]:
        """The whole figure; before the last, complete sheet others, where one waits. Stop asking when out of date."""
        drawer = self.drawer(state.model)
        with self.drawing():
            sources = torch.cat([drawer.ws(s, state.psi, state.cutoff) for s in state.sources])     # (S, L, W)
            maps = drawer.maps(state.noise, state.noisy)
            heads = pictures.to_uint8(drawer.fast.synthesis(sources, maps))
        noise = state.psi, state.cutoff, state.noise, state.noisy
        R = drawer.G.resolution
        tiles = np.full((len(state.destinations) + 1, len(state.sources) + 1, R, R, 3), 236, np.uint8)
        tiles[0, 0] = 255
        tiles[0, 1:] = heads
        told = time.monotonic()
        for i, which in enumerate(state.destinations, start=1):
            ws = drawer.ws(which, state.psi, state.cutoff)
            head, others = self._row(drawer, (which, *noise), ws, self.mixed(ws, sources, state), maps)
            tiles[i, 0], tiles[i, 1:] = head[0], others
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                yield Sheet(_grid(tiles))
        row, column = (max(1, place) for place in state.cell)
        ws = drawer.ws(state.destinations[row - 1], state.psi, state.cutoff)
        steps = torch.linspace(0, 1, STRIP, device=drawer.device)[:, None, None]
        source = torch.lerp(ws, sources[column - 1:column], steps)
        between = self.mix(ws.expand_as(source), source, list(state.layers))
        _, strip = self._row(drawer, (state.destinations[row - 1], *noise), ws, between, maps)
        yield Sheet(_grid(tiles), pictures.jpeg(pictures.grid(list(strip), STRIP), quality=92))

    def _row(self, drawer: Drawer, key, ws, others, maps) -> tuple[np.ndarray, np.ndarray]:
        with self.drawing():
            return tuple(map(pictures.to_uint8, drawer.row(key, ws, others, maps)))

    def call(self, state: MixState) -> str:
        """Python that draws the large picture again: `x`, 1×3×R×R in [-1, 1]."""
        drawer, (row, column) = self.drawer(state.model), state.cell
        device = "" if drawer.device.type == "cpu" else ", G.w_avg.device"
        options = f"psi={state.psi:g}" + ("" if state.cutoff is None else f", cutoff={state.cutoff}")

        def latent(which):
            if isinstance(which, int):
                return f"G.ws(sample_z(1, G.z_dim, {which}{device}), {options})"
            cut = "" if state.cutoff is None else f", {state.cutoff}"
            return f"truncate(mixer.latents[{which!r}], {state.psi:g}, G.w_avg{cut})"

        lines = [f"ws = {latent(state.sources[column - 1] if row == 0 else state.destinations[row - 1])}"]
        if row and column:
            lines[0] = lines[0].replace("ws", "destination", 1)
            lines += [f"source = {latent(state.sources[column - 1])}"]
            if state.share != 1:
                lines += [f"source = torch.lerp(destination, source, {state.share:g})"]
            lines += [f"ws = mix(destination, source, {_listed(state.layers)})"]
        layers = "" if state.noisy is None else f"layers={_listed(state.noisy)}"
        noise = ", ".join(filter(None, ["" if state.noise is None else str(state.noise), layers]))
        lines += [f"x = G.synthesis(ws, G.noise({noise}))" if noise else "x = G.synthesis(ws)"]
        used = [name for name in ("mix", "truncate") if any(f"{name}(" in line for line in lines)]
        head = [] if state.share == 1 or not (row and column) else ["import torch"]
        if drawer.shipped:
            head += ["from gan_teach import load"]
        if any("sample_z(" in line for line in lines):
            head += ["from gan_teach.networks.layers import sample_z"]
        if used:
            head += [f"from gan_teach.stylegan import {', '.join(used)}"]
        G = f'G = load("{drawer.shipped}")' if drawer.shipped \
            else f"# G is the generator that the panel calls {drawer.name}"
        return "\n".join([*head, *([""] if head else []), G, *lines])


def describe(state: MixState) -> str:
    """The large picture in words, for the live text and for readers who do not see it."""
    row, column = state.cell
    source = None if column == 0 else state.sources[column - 1]
    destination = None if row == 0 else state.destinations[row - 1]
    if row == 0:
        text = say("Source {source}, with all styles its own", source=source)
    elif column == 0:
        text = say("Destination {destination}, with all styles its own", destination=destination)
    elif not state.layers:
        text = say("Destination {destination}; no layer is ticked, so nothing comes from the sources",
                   destination=destination)
    else:
        share = "" if state.share == 1 else say(", {share:.0%} of the way,", share=state.share)
        low, high = pixels(min(state.layers)), pixels(max(state.layers))
        size = f"{low} px" if low == high else say("{low} to {high} px", low=low, high=high)
        text = say("Destination {destination}; layer {layers} ({size}){share} takes the style of source {source}"
                   if len(state.layers) == 1 else
                   "Destination {destination}; layers {layers} ({size}){share} take the style of source {source}",
                   destination=destination, layers=span(state.layers), size=size, share=share, source=source)
    cut = "" if state.cutoff is None else say(" in the layers before {cutoff}", cutoff=state.cutoff)
    seed = say("stored noise") if state.noise is None else say("noise {seed}", seed=state.noise)
    noise = seed if state.noisy is None else say("no noise") if not state.noisy else \
        say("{seed} in layers {layers}", seed=seed, layers=span(state.noisy))
    return minus(say("{text}. ψ = {psi:.2f}{cut}; {noise}.", text=text, psi=state.psi, cut=cut, noise=noise))


def _listed(layers: Sequence[int]) -> str:
    """Layers as Python: a range where they are one and long."""
    if len(layers) > 4 and list(layers) == list(range(layers[0], layers[-1] + 1)):
        return f"range({layers[0]}, {layers[-1] + 1})"
    return str(list(layers))


def _grid(tiles: np.ndarray) -> bytes:
    """Rows×columns×R×R×3 → one picture as bytes, with a little white around each tile."""
    edge = max(1, tiles.shape[2] // 32)
    tiles = np.pad(tiles, ((0, 0), (0, 0), (edge, edge), (edge, edge), (0, 0)), constant_values=255)
    rows, columns, high, wide, _ = tiles.shape
    return pictures.jpeg(tiles.transpose(0, 2, 1, 3, 4).reshape(rows * high, columns * wide, 3), quality=92)
