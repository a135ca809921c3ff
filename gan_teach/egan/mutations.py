"""Variation: the three losses of E-GAN, functions of D's logits on generated pictures.

Wang et al. 2018 (arXiv 1803.00657), section 3.2. Each takes l = l(G(z)), N numbers, and gives one number to descend on;
D(x) = σ(l). Another function of the logits is another mutation. For each picture they all say "raise l"; what differs
is how loudly.
"""

import torch.nn.functional as F
from torch import Tensor


def minimax(logits: Tensor) -> Tensor:
    """M^minimax = ½ E log(1 − D(G(z))).   Per picture ∂/∂l = −½ D: silent where D is sure of a fake.

    The authors' code has no ½, here and in `heuristic`: a different step only where Adam's state is shared.
    """
    return -0.5 * F.softplus(logits).mean()


def heuristic(logits: Tensor) -> Tensor:
    """M^heuristic = −½ E log D(G(z)).   Per picture ∂/∂l = −½ (1 − D): loudest where D is sure of a fake."""
    return 0.5 * F.softplus(-logits).mean()


def least_squares(logits: Tensor) -> Tensor:
    """M^least-square = E (D(G(z)) − 1)².   Per picture ∂/∂l = −2 D (1 − D)²: loudest at D = 1/3, silent at both ends.

    D is a probability, as in the paper and the authors' first code; their later PyTorch code squares the
    logits instead, (l − 1)², which is another mutation: it does not saturate, and pushes l down where l > 1.
    """
    return (logits.sigmoid() - 1).square().mean()
