"""What the renderers of chapter 2 share: a style generator prepared for drawing, layers and their numbers in words.

A layer is computed only where something below it or in it has changed: a picture goes on from the layers last drawn,
a row of pictures from the layers of the one that they vary.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ... import checkpoints, pictures
from ...language import say
from ...limits import boolean
from ...networks.layers import sample_z
from ...networks.protocols import check_name
from ...stylegan.generator import Generator
from ...stylegan.adain_mixing_truncation import truncate
from ...stylegan.prepared import prepared
from ..rendering import Renderer, keep

SIZE = 256              # pixels of a large picture, about
SPARE = 64 << 20        # bytes of activations that are kept for the rows of a grid
Which = int | str       # a latent: a seed, or the name of one that was given


def pixels(layer: int) -> int:
    """The resolution of a layer of a style generator: two layers for each, from 4 px on."""
    return 4 << layer // 2


def span(layers: Sequence[int]) -> str:
    """Numbers in words: (0, 1, 2, 5) → "0–2, 5"."""
    runs: list[list[int]] = []
    for i in sorted(layers):
        if runs and i == runs[-1][-1] + 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def tidy(layers: Sequence[int] | None, count: int) -> tuple[int, ...] | None:
    """Layers in order, each once; None for all of them. ValueError for one that is not there."""
    check_layers(layers or (), count)
    return None if layers is None or len(set(layers)) == count else tuple(sorted(set(layers)))


def check_layers(layers: Sequence[int], count: int) -> None:
    """ValueError for a layer that a generator of `count` layers does not have."""
    wrong = [i for i in layers if boolean(i) or i not in range(count)]
    if wrong:
        raise ValueError(say("there is no layer {wrong!r}; this generator has layers 0 to {count}",
                             wrong=wrong[0], count=count - 1))


def large(x: Tensor) -> bytes:
    """The first of N×3×H×W as a JPEG of about `SIZE` pixels a side; what a wild generator draws too bright is cut."""
    return pictures.jpeg(pictures.enlarge(x[0].clamp(-1, 1), max(1, SIZE // x.shape[-1]), "bicubic"), quality=93)


def shipped_name(G: Generator) -> str | None:
    """The name of the shipped checkpoint that G was loaded from, if it was."""
    mine = getattr(G, "record", {}).get("sha256")
    return next((name for name in checkpoints.shipped() if mine and checkpoints.record(name)["sha256"] == mine), None)


class Drawer:
    """A style generator prepared for drawing, which goes on from the layers that are already right.

    G's weights are copied here: a later training step does not show. Everything is for one thread at a time.
    """

    def __init__(self, name: str, G: Generator):
        if not isinstance(G, Generator):
            raise ValueError(say("{name}: the panel draws with a style generator (gan_teach.stylegan.Generator), not "
                                 "with {kind}", name=name, kind=type(G).__name__))
        if G.alpha < 1:
            raise ValueError(say("{name} is still fading in: finish its training first", name=name))
        self.name, self.G, self.fast = name, G, prepared(G)
        self.shipped = shipped_name(G)                      # what `gan_teach.load` calls it, or None
        self.layers, self.device = len(G.layers), G.w_avg.device
        self.latents: dict[str, Tensor] = {}                # name -> 1×L×W
        self.silence = [None if m is None else torch.zeros_like(m) for m in self.fast.noise()]
        self._draws: OrderedDict = OrderedDict()            # seed -> its maps
        self._last: tuple | None = None                     # ws, maps, picture
        self._kept: dict[str, Tensor] = {}                  # … and the output of each layer, of the last picture
        self._rows: OrderedDict = OrderedDict()             # key -> picture and layers of a destination

    def add(self, name: str, w: Tensor) -> None:
        """Remember a latent by name: (W,), 1×W, L×W or 1×L×W. ValueError where its size is not this generator's."""
        width, w = self.G.config.w_dim, torch.as_tensor(w).detach().float().to(self.device)
        sizes = {(width,), (1, width), (self.layers, width), (1, self.layers, width)}
        if tuple(w.shape) not in sizes:
            raise ValueError(f"the latent {name!r} is {'×'.join(map(str, w.shape))}; {self.name} needs {width}, or "
                             f"{self.layers}×{width}, one w for each layer. Was it made with another model?")
        self._rows.clear()                                  # what was kept may be of a latent of that name
        self.latents[name] = w.reshape(1, -1, width).expand(1, self.layers, width)

    def ws(self, which: Which, psi: float, cutoff: int | None = None) -> Tensor:
        """The w of each layer, 1×L×W, of a seed or of a latent with a name."""
        if isinstance(which, str):
            return truncate(self.latents[which], psi, self.fast.w_avg, cutoff)
        return self.fast.ws(sample_z(1, self.fast.z_dim, which, self.device), psi, cutoff)

    def maps(self, seed: int | None, on: Sequence[int] | None = None) -> list[Tensor]:
        """The noise of a seed (None: the stored one) in the layers that are on; the same maps at every call."""
        if seed not in self._draws:
            keep(self._draws, seed, self.fast.noise(seed), most=4)
        return [m if on is None or i in on else zero
                for i, (m, zero) in enumerate(zip(self._draws[seed], self.silence))]

    def picture(self, ws: Tensor, maps: list[Tensor]) -> Tensor:
        """1×L×W → 1×3×R×R, from the first layer up that differs from the picture drawn before."""
        first = 0
        if self._last is not None:
            differs = (ws != self._last[0]).any(2)[0].tolist()
            first = next((i for i in range(self.layers) if differs[i] or maps[i] is not self._last[1][i]), None)
        if first is None:
            return self._last[2]
        last, self._last = self._last, None                 # an error on the way must not leave half a picture behind
        start = None if last is None or first == 0 else (self.G.layers[first - 1], self._kept[self.G.layers[first - 1]])
        x = self.fast.synthesis(ws, maps, start=start, keep=self._kept)
        self._last = (ws, maps, x)
        return x

    def row(self, key, ws: Tensor, others: Tensor, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """A destination, 1×3×R×R, and its variations, N×3×R×R, computed from the first layer up that varies.

        key: names the destination and its noise; its layers are kept for the next call with the same.
        """
        if key not in self._rows:
            kept: dict[str, Tensor] = {}
            x = self.fast.synthesis(ws, maps, keep=kept)
            size = sum(r.numel() * r.element_size() for r in kept.values())
            keep(self._rows, key, (x, kept), most=max(1, SPARE // size))
        x, kept = self._rows[key]
        varies = (others != ws).any(2).any(0).tolist()
        first = varies.index(True) if True in varies else None
        if first is None:
            return x, x.expand(len(others), -1, -1, -1)
        name = self.G.layers[first - 1]
        start = (name, kept[name].expand(len(others), -1, -1, -1)) if first else None
        return x, self.fast.synthesis(others, maps, start=start)


class StyleRenderer(Renderer):
    """For one style generator or several by name: `render(state)`, and `later(state)` for what may follow.

    `.drawers` are by name; a generator alone has its checkpoint's name, or is called G.
    """

    def __init__(self, models: Generator | Mapping[str, Generator]):
        super().__init__()
        if not isinstance(models, Mapping):
            models = {(isinstance(models, Generator) and shipped_name(models)) or "G": models}
        if not models:
            raise ValueError(say("the panel needs a style generator, or a dict of them by name"))
        self.drawers = {str(name): Drawer(str(name), G) for name, G in models.items()}

    def drawer(self, model: str | None = None) -> Drawer:
        """That of a model; None is the first."""
        check_name("model", model := model or next(iter(self.drawers)), self.drawers)
        return self.drawers[model]
