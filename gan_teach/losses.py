"""The adversarial losses on a discriminator's logits l = D(x), and the gradient penalty R1."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def logistic_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """-E log σ(l_real) - E log(1 - σ(l_fake)), written with softplus (Goodfellow et al. 2014, Eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_g(fake: torch.Tensor) -> torch.Tensor:
    """-E log σ(l_fake): the non-saturating loss of the generator (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def r1_penalty(discriminator, images: torch.Tensor) -> torch.Tensor:
    """R1 = E ‖∇_x D(x)‖² on real images, N×3×H×W → scalar (Mescheder et al. 2018, Eq. 9, without γ/2).

    Of generated images it is R2 (Eq. 10): D may not be steep there either.
    """
    images = images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()
