"""Progressive GAN: the generator that chapter 1 dissects, and its discriminator.

Karras et al. 2017, "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
(arXiv 1710.10196). Layer numbers are those of GAN Dissection (Bau et al. 2018): layer1 and layer2 work
at 4×4, layer3 and layer4 at 8×8, and so on; a unit is a channel of a layer after its LeakyReLU.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from ..limits import sizes, whole
from .growing import GrowingDiscriminator, GrowingGenerator
from .layers import DownConv2d, EqualizedConv2d, UpConv2d, check_latents, check_maps, pixel_norm


@dataclass(frozen=True)
class ProGANConfig:
    z_dim: int = 128                                  # size of the latent z
    widths: tuple[int, ...] = (128, 128, 64, 32, 16)  # units at 4, 8, 16, 32, 64 px
    stddev_group: int = 4                             # images per group of the minibatch std-dev; 0: without it

    def __post_init__(self):
        object.__setattr__(self, "z_dim", whole("z_dim", self.z_dim, 1, 8192))
        object.__setattr__(self, "widths", sizes("widths", self.widths))
        object.__setattr__(self, "stddev_group", whole("stddev_group", self.stddev_group))

    @property
    def resolution(self) -> int:
        return 4 * 2 ** (len(self.widths) - 1)


class Layer(nn.Module):
    """Pixel norm → [nearest ×2] → convolution → LeakyReLU 0.2.

    The norm opens the next layer instead of closing this one, so that a unit's value r_u is what left the
    LeakyReLU: the same function, cut where the dissection paper cuts it.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int = 3, up: bool = False, padding: int | None = None):
        super().__init__()
        self.conv = (UpConv2d if up else EqualizedConv2d)(c_in, c_out, kernel, padding=padding)
        self.up = up

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.conv(pixel_norm(x)), 0.2)


class Generator(GrowingGenerator):
    """x = G(z): N×Z latents to N×3×R×R images, nominally in [-1, 1]."""

    before_rgb = staticmethod(pixel_norm)

    def __init__(self, config: ProGANConfig = ProGANConfig()):
        super().__init__()
        self.config, self.z_dim = config, config.z_dim
        self.resolution = config.resolution
        self.blocks, self.to_rgb = nn.ModuleDict(), nn.ModuleDict()
        c_in = config.z_dim
        for i, c in enumerate(config.widths):
            first = Layer(c_in, c, kernel=4, padding=3) if i == 0 else Layer(c_in, c, up=True)
            self.blocks[f"layer{2 * i + 1}"] = first
            self.blocks[f"layer{2 * i + 2}"] = Layer(c, c)
            self.to_rgb[str(4 * 2**i)] = EqualizedConv2d(c, 3, 1, gain=1.0)
            c_in = c

    def _enter(self, z: torch.Tensor) -> torch.Tensor:
        return check_latents(z, self.z_dim, self.training).to(self.blocks["layer1"].conv.weight.dtype)[:, :, None, None]

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x, lower = self._enter(z), None                      # (N, Z, 1, 1)
        for name in self.layers:
            if self.blocks[name].up:
                lower = x
            x = self.blocks[name](x)
        return self.picture(x, lower)

    def regularised(self, n: int, draw: torch.Generator, share: slice = slice(None),
                    mixes: bool = True) -> torch.Tensor:
        """n pictures as training draws them, z from `draw`; share: which of the n to make, for several processes.

        mixes: for style generators; here is nothing to mix.
        """
        z = torch.randn(n, self.z_dim, generator=draw, dtype=torch.float32)[share]
        return self(z.to(next(self.parameters()).device))

    def at(self, z: torch.Tensor, layer: str) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Cut the generator: r = h(z) and f, with x = G(z) = f(r) (Bau et al., section 3).

        z is N×Z; r is N×U×h×w, one channel a unit. f(r) equals G(z) bit for bit.
        Raises ValueError for a layer that does not exist, and while a resolution is fading in.
        """
        r, f = self.activations(z, [layer])
        return r[layer], f

    def activations(self, z: torch.Tensor, layers: Sequence[str]
                    ) -> tuple[dict[str, torch.Tensor], Callable[[torch.Tensor], torch.Tensor]]:
        """Cut at several layers in one go: {layer: r}, in order of computation, and the f of the last of them."""
        self.check_cut(*layers)
        cut = 1 + max(map(self.layers.index, layers))
        x, r = self._enter(z), {}
        for name in self.layers[:cut]:
            x = self.blocks[name](x)
            if name in layers:
                r[name] = x

        def f(x: torch.Tensor, shape=x.shape[1:]) -> torch.Tensor:
            x = check_maps(x, shape, self.training)
            for name in self.layers[cut:]:
                x = self.blocks[name](x)
            return self.picture(x, None)

        return r, f


class Discriminator(GrowingDiscriminator):
    """The generator's mirror image: N×3×R×R images to N logits, large for "real"."""

    def __init__(self, config: ProGANConfig = ProGANConfig()):
        def down(c: int, c_out: int) -> nn.Module:
            return nn.Sequential(EqualizedConv2d(c, c, 3), nn.LeakyReLU(0.2),
                                 DownConv2d(c, c_out, 3), nn.LeakyReLU(0.2))

        super().__init__(config, {4 * 2**i: c for i, c in enumerate(config.widths)}, down, config.widths[0])
