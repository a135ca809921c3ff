"""WGAN-GP, the rival without evolution: a loss for G and one for D, in the form that `egan.Settings` takes.

Arjovsky et al. 2017, "Wasserstein GAN" (arXiv 1701.07875); Gulrajani et al. 2017, "Improved Training of
Wasserstein GANs" (arXiv 1704.00028). As a plain GAN from the same code and draws as E-GAN:

    Evolution(G, D, Settings(mutations=(wasserstein,), d_loss=wasserstein_gp, d_steps=5, betas=(0.0, 0.9)))
"""

import torch
from torch import Tensor, nn


def wasserstein(logits: Tensor) -> Tensor:
    """−E l(G(z)): G's loss. The logits are scores here, without a sigmoid."""
    return -logits.mean()


def gradient_penalty(D: nn.Module, real: Tensor, fake: Tensor, draw: torch.Generator) -> Tensor:
    """E (‖∇_x̂ l(x̂)‖ − 1)²,  x̂ = (1 − t) x + t G(z), t ~ U(0, 1) for each pair: real and fake of one size N×…"""
    t = torch.rand(len(real), generator=draw, dtype=torch.float32).to(real).view(-1, *[1] * (real.ndim - 1))
    between = torch.lerp(real, fake.to(real.dtype), t).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def wasserstein_gp(D: nn.Module, real: Tensor, fake: Tensor, draw: torch.Generator) -> Tensor:
    """D's loss:  E l(G(z)) − E l(x) + λ E (‖∇_x̂ l(x̂)‖ − 1)²,  λ = 10."""
    return D(fake).mean() - D(real).mean() + 10 * gradient_penalty(D, real, fake, draw)
