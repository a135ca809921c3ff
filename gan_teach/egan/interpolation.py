"""From one latent to another: the pictures on the way from G(z1) to G(z2), for every generator of this package.

E-GAN (Wang et al. 2018, arXiv 1803.00657) walks along the straight line between two latents, the α of its figure of
faces. Latents drawn from a normal distribution lie close to a sphere, though, and a straight line leaves it: half-way
‖z‖ is only about 1/√2 of what G has seen. White 2016 (arXiv 1609.04468) walks along the arc instead. Taught in
notebooks/03b_evolutionary_gan_further.ipynb.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..limits import whole
from ..networks.layers import check_finite
from ..networks.protocols import check_images, fitting


def linear(z1: Tensor, z2: Tensor, alpha: float | Tensor) -> Tensor:
    """z = (1 − α) z1 + α z2.   z1, z2: Z numbers, or N×Z; α a number, or one for each row."""
    alpha = _column(alpha, z1, z2)
    return (1 - alpha) * z1 + alpha * z2


def spherical(z1: Tensor, z2: Tensor, alpha: float | Tensor) -> Tensor:
    """z = sin((1 − α) Ω) / sin Ω · z1 + sin(α Ω) / sin Ω · z2,   Ω the angle between z1 and z2.

    Equal steps of α are equal angles for latents of one length; of different ones the length goes over smoothly.
    Where the two point the same way, or opposite ways (then every arc is as short), it is the straight line.
    """
    alpha = _column(alpha, z1, z2)
    cosine = torch.cosine_similarity(z1.double(), z2.double(), dim=-1)[..., None]
    omega = cosine.clamp(-1, 1).arccos()
    sine = omega.sin()
    arc = (((1 - alpha) * omega).sin() * z1 + (alpha * omega).sin() * z2) / sine
    line = (1 - alpha) * z1 + alpha * z2
    return torch.where(sine > 1e-6, arc, line.double()).to(z1.dtype)


WAYS = {"linear": linear, "spherical": spherical}
Way = Callable[[Tensor, Tensor, Tensor], Tensor]


def way(z1: Tensor, z2: Tensor, steps: int = 9, how: str | Way = "spherical") -> Tensor:
    """The latents from z1 to z2, both included, Z numbers each: steps×Z.

    how: a name in WAYS, or a function like those there. ValueError for an unknown name.
    """
    if not callable(how) and how not in tuple(WAYS):
        raise ValueError(f"how is {' or '.join(map(repr, WAYS))}; got {how!r}")
    steps = whole("steps, the two ends included,", steps, 2)
    _column(0.0, z1, z2)
    z1, z2 = (z.flatten().expand(steps, -1) for z in (z1, z2))
    return WAYS.get(how, how)(z1, z2, torch.linspace(0, 1, steps, dtype=z1.dtype, device=z1.device))


@torch.no_grad()
def strip(G, z1: Tensor, z2: Tensor, steps: int = 9, how: str | Way = "spherical") -> Tensor:
    """G along the way from z1 to z2: steps×3×R×R, for `pictures.grid(strip(…), columns=steps)`."""
    x = G(fitting(G, way(z1, z2, steps, how)))
    points = isinstance(x, Tensor) and x.shape[1:] == (2,)                  # of the plane, steps×2
    return check_finite("the points on the way", x) if points else check_images(x, "the pictures on the way", steps)


def _column(alpha: float | Tensor, z1: Tensor, z2: Tensor) -> Tensor:
    for z in (z1, z2):
        if not check_finite("a latent at the end of the way", z).is_floating_point() or z.shape[-1:] != z1.shape[-1:]:
            raise ValueError(f"a way leads between latents of one size, of floats; got {z1.dtype} of {tuple(z1.shape)} "
                             f"and {z2.dtype} of {tuple(z2.shape)}")
    alpha = check_finite("alpha", torch.as_tensor(alpha, dtype=z1.dtype, device=z1.device))
    return alpha[..., None] if alpha.ndim else alpha
