"""The discriminator of StyleGAN: a progressive GAN's with blur; it knows nothing of styles.

Karras et al. 2018 (arXiv 1812.04948), after Karras et al. 2017 (arXiv 1710.10196).
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from ..networks.growing import GrowingDiscriminator
from ..networks.layers import DownConv2d, EqualizedConv2d, blur
from .generator import StyleGANConfig


class Down(nn.Module):
    """Convolution → [blur →] downsampling convolution, LeakyReLU 0.2 after each: N×C×H×W → N×C'×H/2×W/2."""

    def __init__(self, config: StyleGANConfig, c: int, c_out: int):
        super().__init__()
        self.conv, self.conv_down, self.blur = EqualizedConv2d(c, c, 3), DownConv2d(c, c_out, 3), config.blur

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv(x), 0.2)
        return F.leaky_relu(self.conv_down(blur(x) if self.blur else x), 0.2)


class Discriminator(GrowingDiscriminator):
    """N×3×R×R images to N logits, large for "real". A progressive GAN's with blur; it has no styles."""

    def __init__(self, config: StyleGANConfig = StyleGANConfig()):
        super().__init__(config, {r: config.units(r) for r in config.resolutions}, partial(Down, config),
                         config.units(2))
