"""StyleGAN: the generator whose pictures are steered by styles. Its discriminator is in discriminator.py.

Karras, Laine and Aila 2018, "A Style-Based Generator Architecture for Generative Adversarial Networks"
(arXiv 1812.04948), checked against what the authors' code computes. Read from top to bottom:

    z → f → w                        G.mapping(z)          eight fully connected layers
    w → A → y = (y_s, y_b)           G.styles(w)           one style per layer
    constant → layers → picture      G.synthesis(ws, noise)

A layer adds noise to its feature map and then imposes its style with `adain`. As each layer reads its own w
(`ws` holds one per layer, N×L×W), styles of two pictures can be mixed. `layer3` reads `ws[:, 3]`.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..limits import MAX_SEED, whole
from ..networks.growing import GrowingGenerator
from ..networks.layers import (EqualizedConv2d, EqualizedLinear, UpConv2d, blur, check_drawn, check_finite,
                               check_latents, check_maps, pixel_norm)
from .adain_mixing_truncation import Style, adain, mix, truncate


@dataclass(frozen=True)
class StyleGANConfig:
    resolution: int = 64       # of the finished network, a power of two from 4 on
    z_dim: int = 128           # size of the latent z
    w_dim: int = 128           # size of the intermediate latent w, and of the mapping's layers
    fmap_base: int = 2048      # a layer of r×r pixels has min(2·fmap_base/r, fmap_max) units
    fmap_max: int = 128
    mapping_layers: int = 8    # depth of f; 0: w is z, normalised
    mapping_rate: float = 0.01 # how fast f learns, compared with everything else
    styles: bool = True        # AdaIN after each layer; False: pixel norm, and w is read by the first layer alone
    pixel_norm: bool = False   # pixel norm before AdaIN too: no place may be louder than others over all units
    constant: bool = True      # start from a learned constant; False: from a fully connected layer on w
    noise: bool = True         # B·noise in each layer
    mixing: float = 0.9        # share of training batches drawn with the styles of two latents
    blur: bool = True          # bilinear up- and downsampling; False: nearest, and means of 2×2
    stddev_group: int = 4      # images per group of the minibatch std-dev; 0: without it

    def __post_init__(self):
        for name, least in {"resolution": 4, "z_dim": 1, "w_dim": 1, "fmap_base": 1, "fmap_max": 1, "mapping_layers": 0
                            }.items():
            object.__setattr__(self, name, whole(name, getattr(self, name), least))
        if self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution must be a power of two, 4 or more; got {self.resolution}")
        if not self.units(self.resolution):
            raise ValueError(f"pictures of {self.resolution} px need an fmap_base of {self.resolution // 2} or more; "
                             f"got {self.fmap_base}")

    def units(self, resolution: int) -> int:
        """How many units (channels) a layer of this resolution has."""
        return min(2 * self.fmap_base // resolution, self.fmap_max)

    @property
    def resolutions(self) -> tuple[int, ...]:
        return tuple(2**k for k in range(2, self.resolution.bit_length()))


PUBLISHED = {"resolution": 1024, "z_dim": 512, "w_dim": 512, "fmap_base": 8192, "fmap_max": 512}
STEPS = {"A": {"mapping_layers": 0, "styles": False, "constant": False, "noise": False, "mixing": 0.0, "blur": False},
         "B": {"blur": True}, "C": {"mapping_layers": 8, "styles": True}, "D": {"constant": True},
         "E": {"noise": True}, "F": {"mixing": 0.9}}


def configuration(name: str, **changes) -> StyleGANConfig:
    """Configuration "A" to "F" of the paper's Table 1, each one change better than the one before.

    A progressive GAN · B bilinear sampling · C mapping and styles · D constant input · E noise · F mixing.
    (B's and later longer training and other losses belong to the training.) changes: any field of
    StyleGANConfig; `**PUBLISHED` gives the size of the paper. ValueError for another letter.
    """
    if name not in STEPS:
        raise ValueError(f"no configuration {name!r}; the paper has {', '.join(STEPS)}")
    options: dict = {}
    for letter, added in STEPS.items():
        options |= added
        if letter == name:
            break
    return StyleGANConfig(**(options | changes))


# -------------------------------------------------------------------------------------- the generator

def check_styles(G) -> None:
    """ValueError for what is no style generator."""
    if missing := [name for name in ("mapping", "synthesis", "noise", "resolution") if not hasattr(G, name)]:
        raise ValueError(f"a {type(G).__name__} has no styles (no {', no '.join(missing)}): this needs a style "
                         "generator, such as gan_teach.load('portraits-stylegan')")


class Mapping(nn.Module):
    """f: z → w, N×Z → N×W. Latents of unit mean square, then fully connected layers with LeakyReLU 0.2."""

    def __init__(self, config: StyleGANConfig):
        super().__init__()
        sizes = [config.z_dim] + [config.w_dim] * config.mapping_layers
        if sizes[-1] != config.w_dim:
            raise ValueError(f"without a mapping w is z: w_dim must be {config.z_dim}, not {config.w_dim}")
        self.layers = nn.ModuleList(EqualizedLinear(a, b, rate=config.mapping_rate) for a, b in zip(sizes, sizes[1:]))
        self.z_dim = config.z_dim

    def forward(self, z: Tensor) -> Tensor:
        z = check_latents(z, self.z_dim, self.training)
        z = z.to(self.layers[0].weight.dtype) if self.layers else z
        with torch.autocast(z.device.type, enabled=False):                  # tiny, and eight roundings add up
            w = pixel_norm(z)
            for layer in self.layers:
                w = F.leaky_relu(layer(w), 0.2)
        return w


class Constant(nn.Module):
    """The learned constant that every picture starts from; reads nothing of w but how many pictures there are."""

    def __init__(self, c: int):
        super().__init__()
        self.value = nn.Parameter(torch.ones(1, c, 4, 4))

    def forward(self, w: Tensor) -> Tensor:
        return self.value.expand(len(w), -1, -1, -1)


class Layer(nn.Module):
    """source [→ blur] → + B·noise → + bias → LeakyReLU 0.2 [→ pixel norm] → AdaIN.

    The source is the constant in layer 0 and a 3×3 convolution in the others, upsampling or not. A unit's value
    r_u, what `Generator.at` returns, is taken after AdaIN: before it, the normalisation would undo most edits.
    """

    def __init__(self, config: StyleGANConfig, source: nn.Module, c: int, resolution: int, up: bool):
        super().__init__()
        self.source, self.up, self.blur = source, up, up and config.blur
        self.pixel_norm = config.pixel_norm or not config.styles
        self.bias = nn.Parameter(torch.zeros(c))
        self.B = nn.Parameter(torch.zeros(c)) if config.noise else None     # scales the noise, per unit
        self.A = EqualizedLinear(config.w_dim, 2 * c, gain=1.0) if config.styles else None
        self.register_buffer("noise", None if self.B is None else torch.zeros(1, 1, resolution, resolution))

    def style(self, w: Tensor) -> Style | None:
        """y = A(w), N×W → two of N×C; y_s is 1 + what A computes, so that it starts around 1."""
        if self.A is None:
            return None
        with torch.autocast(w.device.type, enabled=False):
            y_s, y_b = self.A(w.contiguous()).chunk(2, dim=1)   # a slice of ws may be multiplied in another order
        return y_s + 1, y_b

    def before_style(self, x: Tensor, noise: Tensor | None) -> Tensor:
        """The x of Eq. 1, N×C×H×W: everything but AdaIN."""
        x = self.source(x)                                                  # (N, C, H, W)
        if self.blur:
            x = blur(x)
        if self.B is not None:
            x = torch.addcmul(x, self.B[:, None, None].to(x.dtype), noise.to(x.dtype))     # x + B·noise
        x = F.leaky_relu(x + self.bias[:, None, None].to(x.dtype), 0.2)
        return pixel_norm(x) if self.pixel_norm else x

    def forward(self, x: Tensor, y: Style | None, noise: Tensor | None) -> Tensor:
        x = self.before_style(x, noise)
        return x if y is None else adain(x, y, check=False)


class Generator(GrowingGenerator):
    """x = G(z): N×Z latents to N×3×R×R images, nominally in [-1, 1].

    `noise` is an argument everywhere: None for the maps stored with the weights, a seed, or the maps themselves (see
    the method `noise`); so a picture never changes by chance. Layer i reads ws[:, i].
    """

    def __init__(self, config: StyleGANConfig = StyleGANConfig()):
        super().__init__()
        self.config, self.z_dim = config, config.z_dim
        self.resolution = config.resolution
        self.mapping = Mapping(config)
        self.blocks, self.to_rgb = nn.ModuleDict(), nn.ModuleDict()
        for i, r in enumerate(config.resolutions):
            c, c_in = config.units(r), config.units(max(r // 2, 4))
            if r > 4:
                first = UpConv2d(c_in, c, 3, bias=False)
            elif config.constant:
                first = Constant(c)
            else:
                dense = EqualizedLinear(config.w_dim, 16 * c, gain=math.sqrt(2) / 4, bias=False)
                first = nn.Sequential(dense, nn.Unflatten(1, (c, 4, 4)))
            self.blocks[f"layer{2 * i}"] = Layer(config, first, c, r, up=r > 4)
            self.blocks[f"layer{2 * i + 1}"] = Layer(config, EqualizedConv2d(c, c, 3, bias=False), c, r, up=False)
            self.to_rgb[str(r)] = EqualizedConv2d(c, 3, 1, gain=1.0)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))            # w̄, kept up by `regularised`
        if config.noise and not self.w_avg.is_meta:                         # there the maps have their sizes alone
            for layer, noise in zip(self.blocks.values(), self.noise(seed=0)):
                layer.noise = noise

    def noise(self, seed: int | Sequence[int] | None = None, layers: Iterable[int] | None = None) -> list[Tensor]:
        """The noise maps, one 1×1×h×w for each layer: of a seed, or the stored ones for None.

        seed: with one seed per picture the maps are N×1×h×w. layers: the others get zeros; `layers=()` is no
        noise at all. The same seed draws the same noise on each device and at each resolution.
        """
        blocks = [self.blocks[name] for name in self.layers]
        if seed is None or not self.config.noise:
            maps = [block.noise for block in blocks]
        else:
            seeds = seed.tolist() if hasattr(seed, "tolist") else seed      # of a tensor, or of NumPy
            draws = [torch.Generator().manual_seed(whole("seed", s, 0, MAX_SEED))
                     for s in (seeds if isinstance(seeds, Sequence) and len(seeds) else [seeds])]
            maps = [torch.cat([torch.randn(block.noise.shape, generator=draw, device="cpu", dtype=torch.float32)
                               for draw in draws]).to(self.w_avg) for block in blocks]
        on = range(len(maps)) if layers is None else {whole("a layer", i, 0, len(maps) - 1) for i in layers}
        return [m if i in on or m is None else torch.zeros_like(m) for i, m in enumerate(maps)]

    def _maps(self, noise: int | Sequence[Tensor] | None, n: int) -> Sequence[Tensor]:
        """The maps of n pictures. ValueError for those of another size, or number."""
        maps = noise if isinstance(noise, Sequence) else self.noise(noise)
        if len(maps) != len(self.layers) or not isinstance(maps[0], (Tensor, type(None))):
            raise ValueError(f"noise is None, a seed, or {len(self.layers)} maps as `G.noise` returns them")
        for name, given in zip(self.layers, maps) if self.config.noise and not torch.jit.is_tracing() else ():
            size = self.blocks[name].noise.shape[1:]
            if not isinstance(given, Tensor) or given.shape[1:] != size or n > 1 and len(given) not in (1, n):
                raise ValueError(f"the noise of {name} is one map {'×'.join(map(str, size))} for all, or {n}; got "
                                 f"{tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__}")
        return maps

    def _per_layer(self, w: Tensor) -> Tensor:
        """N×W → N×L×W, the same w for every layer; N×L×W stays."""
        L, W = len(self.layers), self.config.w_dim
        if w.ndim == 3 and w.shape[1] != L:
            raise ValueError(f"this generator has {L} layers at {self.resolution} px; ws has {w.shape[1]}")
        if w.ndim not in (2, 3) or w.shape[-1] != W or not w.is_floating_point():
            raise ValueError(f"w is a floating tensor N×{W}, or N×{L}×{W}; got {w.dtype} of {tuple(w.shape)}")
        w = w if w.dtype == self.w_avg.dtype else w.to(self.w_avg.dtype)
        return w if w.ndim == 3 else w[:, None].expand(-1, L, -1)

    def ws(self, z: Tensor, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """z N×Z → ws N×L×W: the mapping, one w for every layer, truncated (see `truncate`)."""
        return truncate(self._per_layer(self.mapping(z)), psi, self.w_avg, cutoff)

    def styles(self, w: Tensor) -> list[Style | None]:
        """y = (y_s, y_b) of each layer, N×C each, from w (N×W, or N×L×W); None in a network without styles."""
        ws = self._per_layer(check_finite("w", w))
        return [self.blocks[name].style(w) for name, w in zip(self.layers, ws.unbind(1))]

    def synthesis(self, ws: Tensor, noise: int | Sequence[Tensor] | None = None,
                  start: tuple[str, Tensor] | None = None, keep: dict[str, Tensor] | None = None) -> Tensor:
        """Draw: ws (N×L×W, or N×W for the same w everywhere) → images N×3×R×R.

        noise: None, a seed, or the maps that `G.noise` returns. keep: a dictionary that receives the output of
        each layer computed. start: (layer, its output r, N×C×h×w) goes on from there; what comes before is not
        computed, so a change of fine styles costs the fine layers only. ValueError for a start while fading in.
        """
        ws = self._per_layer(check_drawn("w", ws, self.training))
        maps, first, x, lower = self._maps(noise, len(ws)), 0, ws[:, 0], None
        if start is not None:
            self.check_cut(start[0])
            first, size = self.layers.index(start[0]) + 1, 4 << self.layers.index(start[0]) // 2
            shape = torch.Size((len(self.blocks[start[0]].bias), size, size))
            x = check_maps(start[1], shape, self.training)
        for i, name in list(enumerate(self.layers))[first:]:
            layer = self.blocks[name]
            lower = x if layer.up else lower
            x = layer(x, layer.style(ws[:, i]), maps[i])                    # (N, C, h, w)
            if keep is not None:
                keep[name] = x
        return self.picture(x, lower)

    def forward(self, z: Tensor, noise: int | Sequence[Tensor] | None = None, psi: float = 1.0,
                cutoff: int | None = None) -> Tensor:
        return self.synthesis(self.ws(z, psi, cutoff), noise)

    def at(self, z: Tensor, layer: str, noise: int | Sequence[Tensor] | None = None, psi: float = 1.0,
           cutoff: int | None = None) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Cut the generator: r = h(z) and f, with x = G(z) = f(r) (Bau et al. 2018, section 3).

        z is N×Z; r is N×U×h×w, one channel a unit. f keeps the styles of the layers above the cut and the noise,
        and f(r) equals G(z, noise, psi, cutoff) bit for bit.
        Raises ValueError for a layer that does not exist, and while a resolution is fading in.
        """
        self.check_cut(layer)
        ws = self.ws(z, psi, cutoff)
        maps, r = self._maps(noise, len(ws)), ws[:, 0]
        for i in range(self.layers.index(layer) + 1):
            block = self.blocks[self.layers[i]]
            r = block(r, block.style(ws[:, i]), maps[i])
        return r, lambda r: self.synthesis(ws, maps, start=(layer, r))

    def regularised(self, n: int, draw: torch.Generator, share: slice = slice(None), mixes: bool = True) -> Tensor:
        """n pictures as training draws them: mixing regularisation, fresh noise for each, w̄ brought up to date.

        With probability `config.mixing` the layers from a random crossover on take their styles from a second
        latent; one coin and one crossover for the batch; mixes: False for never. Everything comes from `draw`. share:
        which of the n to make, for several processes; each draws the same numbers. w̄ ← 0.995 w̄ + 0.005 · mean(w).
        """
        device, L = self.w_avg.device, len(self.layers)
        w = self.mapping(torch.randn(n, self.z_dim, generator=draw, dtype=torch.float32).to(device))            # (n, W)
        with torch.no_grad():
            self.w_avg.lerp_(w.float().mean(0), 0.005)
        ws = self._per_layer(w[share])                                      # (N, L, W)
        z2 = torch.randn(n, self.z_dim, generator=draw, dtype=torch.float32)
        seeds = torch.randint(2**31, (n,), generator=draw)
        coin = torch.rand((), generator=draw, dtype=torch.float32)
        crossover = int(torch.randint(1, L, (), generator=draw))
        if mixes and coin < self.config.mixing:
            ws = mix(ws, self._per_layer(self.mapping(z2[share].to(device))), range(crossover, L))
        return self.synthesis(ws, self.noise(seeds[share].tolist()))


def with_mapping_rate(G: Generator, rate: float) -> Generator:
    """A copy of G that draws the same, and whose f goes on learning at another rate (see `EqualizedLinear`).

    f stores its weights divided by its rate, so they are multiplied by the old rate over the new one.
    """
    copy, times = Generator(replace(G.config, mapping_rate=rate)), G.config.mapping_rate / rate
    copy.load_state_dict({name: value * times if name.startswith("mapping.") else value
                          for name, value in G.state_dict().items()})
    return copy
