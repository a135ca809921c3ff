"""The README's pictures, drawn from the shipped weights."""

from pathlib import Path

import torch

from .. import checkpoints, metrics, pictures, stylegan
from ..dissection import intervention
from ..networks.protocols import device_of, latents
from ..networks.segmenter import segment
from ..stylegan.clear_portraits import clear_portraits


@torch.no_grad()
def removal_picture(path: str | Path, cls: str = "tree", samples: int = 100, seed: int = 5, columns: int = 7) -> None:
    """Draw the README's picture: the shipped generator, with the units of its record switched off.

    Above the first `columns` of `samples` pictures that show the class on at least 4 % of their pixels; in the
    middle where it is; below the same z with the 12 units at 0.
    """
    G, judge = checkpoints.load("scenes-progan"), checkpoints.load("scenes-segmenter")
    found = checkpoints.record("scenes-progan")["ablation_of_12_units"][cls]["everywhere"]
    r, f = G.at(latents(G, samples, seed), found["layer"])
    here = segment(judge, f(r)) == judge.classes.index(cls)                        # (N, H, W)
    enough = (here.float().mean((1, 2)) >= 0.04).nonzero().flatten()[:columns]
    r, here = r[enough], here[enough]
    before, after = f(r), f(intervention.ablate(r, found["units"]))
    rows = [*(pictures.enlarge(x, 2, "bicubic") for x in before),
            *(pictures.lasso(x, place, zoom=2) for x, place in zip(before, here)),
            *(pictures.enlarge(x, 2, "bicubic") for x in after)]
    Path(path).write_bytes(pictures.png(pictures.grid(rows, columns)))


def _write(path: str | Path, rows: list[torch.Tensor], columns: int) -> None:
    """A grid of pictures of 128 pixels each."""
    tiles = [pictures.enlarge(x, 128 // x.shape[-1], "bicubic") for x in torch.cat(rows)]
    Path(path).write_bytes(pictures.png(pictures.grid(tiles, columns)))


@torch.no_grad()
def mixing_picture(path: str | Path, name: str = "portraits-stylegan", sources: int = 6, psi: float = 0.7) -> None:
    """Draw the README's other picture: sources above, three destinations in the first column, by `clear_portraits`.

    Each row gives its destination the coarse (4, 8 px), middle (16, 32 px) or fine (64 px) styles of the sources.
    """
    G = checkpoints.load(name)
    seeds = clear_portraits(G, checkpoints.load("portraits-classifier"), range(100), psi)[:sources + 3]
    above, left = G.ws(torch.cat([latents(G, 1, seed) for seed in seeds]), psi).split((sources, 3))
    rows = [torch.ones(1, 3, G.resolution, G.resolution, device=device_of(G)), G.synthesis(above)]
    for layers, w in zip(stylegan.layer_groups(len(G.layers)).values(), left.split(1)):
        rows += [G.synthesis(w), G.synthesis(stylegan.mix(w, above, layers))]
    _write(path, rows, sources + 1)


def evolution_picture(path: str | Path, columns: int = 7, seed: int = 3) -> None:
    """Draw the README's picture of chapter 3: villages evolved with the paper's momentum and loss of D, then without
    momentum, with a D that may not be steep and for longer; clothes of the latter kind. `columns` of each, one seed.
    """
    _write(path, [metrics.generate(checkpoints.load(name), columns, seed)
                  for name in ("scenes-paper", "scenes-long", "fashion-long")], columns)
