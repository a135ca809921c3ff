"""What networks that grow have in common: their size now, how far it has faded in, and D's way through it.

Karras et al. 2017, "Progressive Growing of GANs" (arXiv 1710.10196), section 2 and Figure 2. Both the progressive GAN
and StyleGAN grow like this: blocks for the next resolution are added, and faded in by α over many pictures.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn as nn
import torch.nn.functional as F

from .layers import EqualizedConv2d, EqualizedLinear, check_drawn, minibatch_stddev
from .protocols import check_name


class Growing(nn.Module):
    """A network with a way in or out (`sizes`) at every resolution: 4, 8, … up to its full size.

    `resolution` is the size of its pictures now and `alpha` ∈ [0, 1] how far the newest resolution has faded in.
    """

    resolution: int
    alpha: float = 1.0

    sizes = property(lambda self: self.to_rgb)      # its 1×1 convolutions to or from RGB, by resolution

    def grow(self, resolution: int, alpha: float = 1.0) -> None:
        """Set the size of the pictures and how far it has faded in. ValueError for a size that it does not have."""
        if str(resolution) not in self.sizes:
            raise ValueError(f"this network cannot work at {resolution} px; it can at {', '.join(self.sizes)}")
        self.resolution, self.alpha = resolution, alpha


class GrowingGenerator(Growing):
    """Two layers for each resolution, in `blocks`; `to_rgb` makes a picture of what they leave, after `before_rgb`."""

    before_rgb = staticmethod(lambda x: x)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names that `at` takes, in the order of computation."""
        return tuple(self.blocks)[: 2 * (list(self.to_rgb).index(str(self.resolution)) + 1)]

    def check_cut(self, *layers: str) -> None:
        """ValueError for a layer that does not exist, and while a resolution is fading in."""
        for layer in layers:
            check_name("layer", layer, self.layers)
        if self.alpha < 1.0:
            raise ValueError("a generator that is still fading in cannot be cut: finish its training first")

    def picture(self, x: torch.Tensor, lower: torch.Tensor | None) -> torch.Tensor:
        """What is drawn from the last map x, in float32; while it fades in, α of that, 1 − α of what `lower` gives, the
        last map of half the size. ValueError for NaN or infinity in it, but in training, where the loop looks."""
        rgb = self.to_rgb[str(self.resolution)](self.before_rgb(x))
        if self.alpha < 1.0 and lower is not None:
            low = F.interpolate(self.to_rgb[str(self.resolution // 2)](self.before_rgb(lower)), scale_factor=2)
            rgb = torch.lerp(low.to(rgb.dtype), rgb, self.alpha)                            # CUDA enlarges in float32
        return check_drawn("what the generator draws", rgb.float(), self.training)


class GrowingDiscriminator(Growing):
    """N×3×R×R images to N logits, large for "real": `from_rgb`, then `blocks` that halve the size, then `last`."""

    sizes = property(lambda self: self.from_rgb)

    def __init__(self, config, units: Mapping[int, int], down: Callable[[int, int], nn.Module], hidden: int):
        """units: how many at each resolution; down: a block from so many to so many; hidden: units before the logit."""
        super().__init__()
        self.config, self.resolution = config, config.resolution
        self.from_rgb, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        for r, c in units.items():
            self.from_rgb[str(r)] = EqualizedConv2d(3, c, 1)
            if r > 4:
                self.blocks[str(r)] = down(c, units[r // 2])
        c, stddev = units[4], config.stddev_group > 0                       # with the map of the standard deviation
        self.last = nn.Sequential(EqualizedConv2d(c + stddev, c, 3), nn.LeakyReLU(0.2), nn.Flatten(),
                                  EqualizedLinear(c * 4 * 4, hidden), nn.LeakyReLU(0.2),
                                  EqualizedLinear(hidden, 1, gain=1.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        resolution = self.resolution
        y = F.leaky_relu(self.from_rgb[str(resolution)](x), 0.2)
        while resolution > 4:
            y = self.blocks[str(resolution)](y)
            if resolution == self.resolution and self.alpha < 1.0:
                low = F.leaky_relu(self.from_rgb[str(resolution // 2)](F.avg_pool2d(x, 2)), 0.2)
                y = torch.lerp(low.to(y.dtype), y, self.alpha)
            resolution //= 2
        with torch.autocast(x.device.type, enabled=False):  # tiny, and slow in bf16 for its odd channel count
            y = y.to(self.last[0].weight.dtype)
            if self.config.stddev_group:
                y = minibatch_stddev(y, self.config.stddev_group)           # (N, C + 1, 4, 4)
            return self.last(y).flatten()                                   # (N,)
