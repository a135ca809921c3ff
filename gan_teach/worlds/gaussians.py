"""Points on a plane: mixtures of Gaussians, whose every mode is known.

The ring and the grid are those of E-GAN's first experiment (Wang et al. 2018, arXiv 1803.00657; sizes from its
authors' code): 8 Gaussians on a ring and 25 on a grid. A wave and drawings are for the game of chapter 0. How well a
generator imitates them is measured in egan/plane.py.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..limits import whole


@dataclass(frozen=True)
class Mixture:
    """Gaussians of equal weight and width; called with (n, torch.Generator) it draws n points, N×2."""

    centres: tuple[tuple[float, float], ...]
    sigma: float

    def __call__(self, n: int, draw: torch.Generator) -> Tensor:
        n = whole("the number of points", n, 0, 2**31)
        which = torch.randint(len(self.centres), (n,), generator=draw)
        return torch.tensor(self.centres)[which] + self.sigma * torch.randn(n, 2, generator=draw, dtype=torch.float32)


def ring(modes: int = 8, radius: float = math.sqrt(2), sigma: float = 0.02 / math.sqrt(2)) -> Mixture:
    """Gaussians evenly spaced on a circle."""
    angles = [2 * math.pi * k / modes for k in range(whole("modes", modes, 1, 10_000))]
    return Mixture(tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles), sigma)


def grid(side: int = 5, spacing: float = math.sqrt(0.5), sigma: float = 0.05 / math.sqrt(8)) -> Mixture:
    """side² Gaussians on a square grid around 0."""
    places = [spacing * (k - (side - 1) / 2) for k in range(whole("side", side, 1, 100))]
    return Mixture(tuple((x, y) for x in places for y in places), sigma)


def wave() -> Mixture:
    """A wavy line across the picture, made of so many small Gaussians that it looks like one."""
    ticks = [3.2 * (k + 0.5) / 48 - 1.6 for k in range(48)]
    return Mixture(tuple((x, 0.8 * math.sin(2 * x)) for x in ticks), 0.06)


SIDE, EXTENT = 20, 2.2          # cells of a drawing in a row, and where the picture ends


def drawn(cells: str, side: int = SIDE) -> Mixture:
    """A drawing as data: side·side characters, row by row from the top, "1" where there is paint.

    A small Gaussian for each painted cell, as wide as makes neighbours run together. ValueError for an empty drawing.
    """
    cell = 2 * EXTENT / side
    centres = tuple((cell * (i % side + 0.5) - EXTENT, EXTENT - cell * (i // side + 0.5))
                    for i, on in enumerate(cells) if on == "1")
    if not centres:
        raise ValueError("the drawing is empty: there is nothing to learn from")
    return Mixture(centres, cell / 3)


def heart() -> str:
    """A drawing to begin with: the cells of (x² + y² − 1)³ ≤ x² y³."""
    def inside(i: int) -> bool:
        x, y = (2.6 * (k + 0.5) / SIDE - 1.3 for k in (i % SIDE, SIDE - 1 - i // SIDE))
        return (x * x + y * y - 1) ** 3 <= x * x * y**3

    return "".join("01"[inside(i)] for i in range(SIDE * SIDE))
