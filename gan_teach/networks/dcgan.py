"""The networks that chapter 3 evolves: a DCGAN for pictures, and two small MLPs for points of the plane.

Radford et al. 2015, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks" (arXiv 1511.06434), as E-GAN uses it (Wang et al. 2018, arXiv 1803.00657): a generator without batch
norm. The paper's networks have the sigmoid inside D; here D returns logits l, and D(x) = σ(l).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn as nn

from ..limits import sizes, whole
from .layers import check_drawn, check_latents, check_maps
from .protocols import check_name


@dataclass(frozen=True)
class DCGANConfig:
    widths: tuple[int, ...] = (256, 128, 64)  # units of G's layers, each map twice as wide as the one before
    first: int = 4                            # size of the first map; the picture is first · 2^len(widths) px
    z_dim: int = 100                          # size of the latent z
    grey: bool = False                        # one channel is drawn and shown three times
    norm_g: bool = False                      # batch norm in G, as in DCGAN; E-GAN's authors leave it out
    norm_d: bool = False                      # batch norm in D, except in its first layer

    def __post_init__(self):
        object.__setattr__(self, "widths", sizes("widths", self.widths))
        for name in ("first", "z_dim"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1, 8192))

    @property
    def resolution(self) -> int:
        return self.first * 2 ** len(self.widths)


def layout(resolution: int = 32, width: int = 64, first: int = 4, **options) -> DCGANConfig:
    """DCGAN's layout: maps of `first` px and up, `width` units in the widest map and twice as many in each narrower.

    32, 64 and 128 px have 3, 4 and 5 layers; first=8 saves one. (E-GAN's authors keep this layout at 32 px;
    at 64 and 128 px their generator has one more convolution, 3×3, and its widths fall more slowly.)
    Options are those of DCGANConfig. Raises ValueError for a resolution that doubling cannot reach.
    """
    first, width = whole("first", first, 1), whole("width", width, 1)
    doublings = (whole("resolution", resolution, 1) // first).bit_length() - 1
    if doublings < 1 or first * 2**doublings != resolution:
        reached = ", ".join(str(first * 2**k) for k in range(1, 6))
        raise ValueError(f"{resolution} px cannot be reached by doubling {first} px; possible are {reached}")
    return DCGANConfig(tuple(width * 2**k for k in reversed(range(doublings))), first, **options)


class _Sliced(nn.Module):
    """A generator as a row of layers, `self.blocks`, and `self.last`, which makes the output of the last r."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The names that `at` takes, in the order of computation."""
        return tuple(self.blocks)

    def at(self, z: torch.Tensor, layer: str) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Cut the generator: r = h(z) and f, with x = G(z) = f(r); f(r) equals G(z) bit for bit.

        z is N×Z; r is N×U×h×w, one channel a unit (N×U in the plane). Raises ValueError for an unknown layer.
        """
        cut = check_name("layer", layer, self.layers) + 1
        r = self._enter(z)
        for name in self.layers[:cut]:
            r = self.blocks[name](r)

        def f(r: torch.Tensor, shape=r.shape[1:]) -> torch.Tensor:
            r = check_maps(r, shape, self.training)
            for name in self.layers[cut:]:
                r = self.blocks[name](r)
            return check_drawn("what the generator draws", self._leave(r), self.training)

        return r, f

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        r, f = self.at(z, self.layers[0])
        return f(r)

    def _enter(self, z: torch.Tensor) -> torch.Tensor:
        return check_latents(z, self.z_dim, self.training).to(self.last.weight.dtype)

    def _leave(self, r: torch.Tensor) -> torch.Tensor:
        return self.last(r)


def _start_small(net: nn.Module) -> None:
    """DCGAN's start: weights ~ N(0, 0.02²), biases 0, scales of the batch norm 1."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            nn.init.zeros_(module.bias)


class Generator(_Sliced):
    """x = G(z): N×Z latents to N×3×R×R pictures in [-1, 1].

    A grey generator draws one channel and returns it three times (a view, it costs nothing): whatever takes
    pictures takes these too.
    """

    def __init__(self, config: DCGANConfig = DCGANConfig()):
        super().__init__()
        self.config, self.z_dim = config, config.z_dim
        self.blocks = nn.ModuleDict()
        c_in = config.z_dim
        for i, c in enumerate(config.widths):
            up = nn.ConvTranspose2d(c_in, c, 4, 2, 1) if i else nn.ConvTranspose2d(c_in, c, config.first)
            norm = [nn.BatchNorm2d(c)] if config.norm_g else []
            self.blocks[f"layer{i + 1}"] = nn.Sequential(up, *norm, nn.ReLU())
            c_in = c
        self.last = nn.ConvTranspose2d(c_in, 1 if config.grey else 3, 4, 2, 1)
        _start_small(self)

    def _enter(self, z: torch.Tensor) -> torch.Tensor:
        return super()._enter(z)[:, :, None, None]                       # (N, Z, 1, 1)

    def _leave(self, r: torch.Tensor) -> torch.Tensor:
        x = self.last(r).to(self.last.weight.dtype).tanh()               # not in bf16: it has 8 bits near 1
        return x.expand(-1, 3, -1, -1)                                   # (N, 3, R, R)


class Discriminator(nn.Module):
    """The generator's mirror image: pictures N×3×R×R to N logits, large for "real".

    A grey one looks at the first channel alone, so that it also takes N×1×R×R. `per_sample` says that a logit
    depends on its own picture only; with batch norm it depends on the whole batch. The batch norm keeps no
    running averages: judging pictures leaves D as it was.
    """

    def __init__(self, config: DCGANConfig = DCGANConfig()):
        super().__init__()
        self.config, self.per_sample = config, not config.norm_d
        layers: list[nn.Module] = []
        c_in = 1 if config.grey else 3
        for i, c in enumerate(reversed(config.widths)):
            layers.append(nn.Conv2d(c_in, c, 4, 2, 1))
            if config.norm_d and i > 0:
                layers.append(nn.BatchNorm2d(c, track_running_stats=False))
            layers.append(nn.LeakyReLU(0.2))
            c_in = c
        self.convolutions = nn.Sequential(*layers)
        self.last = nn.Linear(c_in * config.first**2, 1)
        _start_small(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.convolutions(x[:, :1] if self.config.grey else x)       # (N, C, first, first)
        with torch.autocast(x.device.type, enabled=False):               # logits are compared closely
            return self.last(y.to(self.last.weight.dtype).flatten(1)).flatten()      # (N,)


# ------------------------------------------------------------------------------------------ the plane

@dataclass(frozen=True)
class PlaneConfig:
    z_dim: int = 2      # size of the latent z
    width: int = 64     # units of a hidden layer (E-GAN's authors: 512)
    depth: int = 3      # hidden layers


def _hidden(config: PlaneConfig, c_in: int) -> Iterator[tuple[str, nn.Sequential]]:
    for i in range(config.depth):
        yield f"layer{i + 1}", nn.Sequential(nn.Linear(c_in, config.width), nn.ReLU())
        c_in = config.width


class PlaneGenerator(_Sliced):
    """x = G(z): N×Z latents to N×2 points; an MLP with ReLU and PyTorch's own start."""

    def __init__(self, config: PlaneConfig = PlaneConfig()):
        super().__init__()
        self.config, self.z_dim = config, config.z_dim
        self.blocks = nn.ModuleDict(dict(_hidden(config, config.z_dim)))
        self.last = nn.Linear(config.width, 2)


class PlaneDiscriminator(nn.Module):
    """N×2 points to N logits. E-GAN's authors add batch norm in the second layer; this one does without."""

    per_sample = True

    def __init__(self, config: PlaneConfig = PlaneConfig()):
        super().__init__()
        self.config = config
        self.net = nn.Sequential(*(layer for _, layer in _hidden(config, 2)), nn.Linear(config.width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).flatten()                                     # (N,)
