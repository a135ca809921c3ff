"""What shape has the cloud of w, and did f learn that shape?

Karras et al. 2018 (arXiv 1812.04948), section 4: f may unwarp W, since nothing prescribes how w is distributed. How
flat a cloud lies is told by the share of its variance in its longest directions; what f learnt, only by comparison
with the f that its training began with. Taught in notebooks/02_stylegan.ipynb.
"""

from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..limits import MAX_SEED, whole
from ..networks.layers import check_finite
from ..networks.protocols import device_of
from .generator import Generator, check_styles


def held(cloud: Tensor) -> Tensor:
    """(D,): the share of the variance of a cloud, N×D, in its k longest directions (principal components), k = 1 … D.

        held_k = Σ_{i≤k} λ_i / Σ_i λ_i,   λ: eigenvalues of the covariance, largest first

    ValueError for a cloud that is not two or more points apart, or not finite.
    """
    if cloud.ndim != 2 or len(cloud) < 2:
        raise ValueError(f"a cloud is two or more points, N×D; got {tuple(cloud.shape)}")
    spread = torch.linalg.eigvalsh(torch.cov(check_finite("cloud", cloud).T.double())).flip(0).clamp(min=0)   # (D,)
    if not spread.sum():
        raise ValueError("the points of the cloud are all the same: they have no directions")
    return (spread.cumsum(0) / spread.sum()).cpu()


def directions(cloud: Tensor, share: float = 0.9) -> int:
    """How many of its directions, longest first, hold this share of the variance of a cloud, N×D."""
    return int((held(cloud) < share).sum()) + 1


def untrained(G: Generator, seed: int | None = None) -> Generator:
    """The generator that the training of G began with, on G's device.

    seed: that of the training; None takes it from G's record, or 0. Torch's own random numbers stay as they were.
    """
    check_styles(G)
    if seed is None:
        seed = getattr(G, "record", {}).get("settings", {}).get("seed", 0)
    with torch.random.fork_rng():
        torch.manual_seed(whole("seed", seed, 0, MAX_SEED))
        return type(G)(G.config).to(device_of(G)).eval()


def moved(before: torch.nn.Module, after: torch.nn.Module) -> float:
    """How far training has moved all weights of a network: ‖θ' − θ‖ / ‖θ‖. ValueError for another network."""
    old, new = (torch.cat([p.detach().flatten() for p in net.parameters()]) for net in (before, after))
    if old.shape != new.shape:
        raise ValueError(f"two different networks: {len(old):,} and {len(new):,} weights")
    return float((new - old).norm() / old.norm())


def cloud_figure(clouds: Mapping[str, Tensor]) -> Figure:
    """The variance held by the longest directions of each cloud, N×D; a dot where they hold 90 % of it."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    ax = figure.subplots()
    for (name, cloud), (colour, line) in zip(clouds.items(), (("grey", "--"), ("#0b6e4f", "-"), ("#0b6e4f", ":"))):
        part = 100 * held(cloud)
        n = directions(cloud, 0.9)
        ax.plot(range(1, len(part) + 1), part, line, color=colour, label=name)
        ax.plot(n, part[n - 1], "o", color=colour)
    ax.set(xlabel="directions", ylabel="% of the variance", ylim=(0, 103))
    ax.legend(loc="lower right")
    return figure
