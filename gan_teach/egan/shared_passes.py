"""E-GAN's three mutations and three judgements, computed once where `evolution.py` computes them three times.

Nothing here is new: each function gives what the plain loop in `evolution.py` gives, up to rounding, for less work.
Two facts pay for it.

1. Every mutation is a function of D's logits l_i = l(G(z_i)) alone. The children of one parent that see the
   same z share its forward pass, and by the chain rule

       ∂M/∂x_i = Σ_j ∂M/∂l_j · ∂l_j/∂x_i  =  ∂M/∂l_i · ∂l_i/∂x_i      where l_i depends on x_i only:

   one backward pass through D gives ∂l_i/∂x_i, and each mutation only scales its rows. With batch norm or a
   minibatch standard deviation in D the second step is false, and D is passed once for each mutation.
2. ∇_D L_D is a sum of a real half and a fake half, and the real half is the same for every child.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .child import Gradient, Mutation, check_drawn_to_learn, clone, slope


def gradients(parent: nn.Module, D: nn.Module, z: Tensor,
              mutations: Sequence[Mutation]) -> list[tuple[nn.Module, Gradient]]:
    """For each mutation a copy of the parent and the gradient of M(l(G(z))) with respect to its weights.

    z: N×Z, the same for all. D may say `per_sample = True` when each of its logits depends on its own picture
    only; a D that does not say so is taken to mix them, which costs two more backward passes through D.
    """
    G = clone(parent)                                    # drawing moves the averages of a batch norm: not the parent's
    weights = list(G.parameters())
    x = check_drawn_to_learn(G(z))
    per_sample = getattr(D, "per_sample", False)
    if per_sample:
        leaf = x.detach().requires_grad_(True)
        logits = D(leaf)
        (dl_dx,) = torch.autograd.grad(logits.sum(), leaf)                  # row i: ∂l_i/∂x_i
    else:
        logits = D(x)
    found = []
    for i, mutation in enumerate(mutations):
        dM_dl, keep = slope(mutation, logits), i + 1 < len(mutations)       # (N,)
        if per_sample:
            # ∂M/∂x_i = ∂M/∂l_i · ∂l_i/∂x_i
            upstream = dM_dl.view(-1, *[1] * (x.ndim - 1)) * dl_dx
            gradient = torch.autograd.grad(x, weights, upstream, retain_graph=keep, allow_unused=True)
        else:
            gradient = torch.autograd.grad(logits, weights, dM_dl, retain_graph=keep, allow_unused=True)
        found.append((clone(G), gradient))
    return found


def quality_and_diversity(D: nn.Module, real: Tensor, fakes: Sequence[Tensor]) -> list[tuple[float, float]]:
    """F_q and F_d of several sets of fakes against the same real samples; see `egan.fitness`."""
    weights = list(D.parameters())
    real_half = torch.autograd.grad(F.softplus(-D(real)).mean(), weights, allow_unused=True)
    found = []
    for fake in fakes:
        logits = D(fake)
        fake_half = torch.autograd.grad(F.softplus(logits).mean(), weights, allow_unused=True)
        # ‖∇_D L_D‖² = ‖∇_D(−E log D(x)) + ∇_D(−E log(1 − D(G(z))))‖²,   F_d = −½ log of it          (Eq. 7)
        square = sum((a + b).square().sum() for a, b in zip(real_half, fake_half) if a is not None)
        found.append((float(logits.detach().sigmoid().mean()), float(-0.5 * square.log())))
    return found
