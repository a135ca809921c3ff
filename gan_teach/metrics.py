"""How far generated pictures are from real ones."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from .layers import sample_z
from .segmenter import UNet


class SegmenterFeatures(nn.Module):
    """The means over the picture of every channel on the U-Net's way down: N×3×H×W → N×(16+32+64+96)."""

    def __init__(self, segmenter: UNet):
        super().__init__()
        self.down = segmenter.down
        self.num_features = sum(segmenter.config.widths)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x, means = images.contiguous(memory_format=torch.channels_last), []
        for i, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if i else x)
            means.append(x.mean(dim=(2, 3)))
        return torch.cat(means, dim=1)


@torch.no_grad()
def frechet_distance(real: torch.Tensor, fake: torch.Tensor, segmenter: UNet, batch: int = 100) -> float:
    """FD = ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½) of the features of two sets of pictures in [-1, 1].

    Heusel et al. 2017, Eq. 6, computed by torchmetrics, but on our segmenter's 208 features instead of Inception's
    2,048: never compare it with published FIDs. It falls with the number of pictures; use thousands, and
    the same number on both sides.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # four seconds to import

    metric = FrechetInceptionDistance(feature=SegmenterFeatures(segmenter).eval(), normalize=False)
    metric = metric.to(real.device)       # it sums in float64
    for is_real, images in ((True, real), (False, fake)):
        for part in images.split(batch):
            metric.update(part, real=is_real)
    return float(metric.compute())


@torch.no_grad()
def generate(G, n: int, seed: int, batch: int = 100) -> torch.Tensor:
    """n pictures G(z), N×3×R×R, values outside [-1, 1] cut off as in a picture file."""
    device = next(G.parameters()).device
    return torch.cat([G(z).clamp(-1, 1) for z in sample_z(n, G.z_dim, seed, device).split(batch)])
