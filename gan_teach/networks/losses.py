"""The adversarial losses on a discriminator's logits l = D(x), and the gradient penalties R1 and R2."""

import torch
import torch.nn.functional as F


def logistic_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """-E log σ(l_real) - E log(1 - σ(l_fake)), written with softplus (Goodfellow et al. 2014, Eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_g(fake: torch.Tensor) -> torch.Tensor:
    """-E log σ(l_fake): the non-saturating loss of the generator (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def relativistic_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """E softplus(l_fake - l_real) over the pairs of a batch, N and N logits → scalar.

    D is asked which of two pictures is the real one, not whether one picture is real (Jolicoeur-Martineau 2018, arXiv
    1807.00734, Eq. 10, as Huang et al. 2024, arXiv 2501.05441, section 2 use it: with R1 and R2).
    """
    return F.softplus(fake - real).mean()


def relativistic_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """E softplus(l_real - l_fake): the mirror image of `relativistic_d`; the generator wants the other answer."""
    return F.softplus(real - fake).mean()


def logits_and_slope(discriminator, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """l = D(x), N numbers, and E ‖∇_x D(x)‖² over the samples N×…, from one forward pass.

    The second is R1 of real samples, and R2 of generated ones (Mescheder et al. 2018, Eq. 9 and 10, without γ/2).
    """
    x = x.detach().requires_grad_(True)
    logits = discriminator(x)
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    # R = E ‖∇_x D(x)‖²                                                                    (Eq. 9 and 10)
    return logits, gradient.square().sum(dim=tuple(range(1, x.ndim))).mean()


def logistic_r1_r2(discriminator, real: torch.Tensor, fake: torch.Tensor, draw=None, gamma: float = 10.0
                   ) -> torch.Tensor:
    """`logistic_d` + γ/2 (R1 + R2), N×… real and fake samples → scalar: a `d_loss` of `egan.Settings`.

    D may be steep neither at real samples nor at generated ones (Mescheder et al. 2018, Eq. 9 and 10; γ = 10 is
    theirs). `draw` is not used.
    """
    (l_real, r1), (l_fake, r2) = (logits_and_slope(discriminator, x.to(real.dtype)) for x in (real, fake))
    return logistic_d(l_real, l_fake) + gamma / 2 * (r1 + r2)
