"""What the machines must know besides the networks: z of the seeds on offer, units, levels, colours, noise.

torch.randn cannot be repeated in a browser, so the latents of the first `SEEDS` seeds are written down, and the same
seed gives the same picture in a notebook and in the page.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import checkpoints, pictures
from ..checkpoints import load
from ..dissection.intervention import levels, optimise_alpha
from ..dissection.pixels import class_pixels
from ..files import cache_folder, write_text
from ..networks.layers import sample_z
from ..stylegan.operations import layer_groups
from .networks import LAYER, STYLED, noise_row

SEEDS = 200                                             # from 0 on; each is one z for every machine
CLASSES = ("tree", "door", "window", "cloud")           # that can be painted
FEW = 20                                                # units of a class that a page offers
SAMPLES = 64                                            # pictures in which a level k is measured
DRAWS = (1, 2, 3)                                       # seeds of the noise on offer, beside the stored one
RANDOM = 0                                              # seed of the random units that are the control


def found_units() -> dict:
    """Of each class the units of `LAYER`, best first by α, their α, and the level k of every unit.

    Searched with `optimise_alpha`, as the record of the shipped generator says (its price 0.3), which takes a minute or
    two; kept in the cache for these weights. On the same machine the same units are found again.
    """
    known = checkpoints.record("scenes-progan")["sha256"][:12] + checkpoints.record("scenes-segmenter")["sha256"][:12]
    kept = cache_folder() / "site" / f"units-{known}.json"
    if not kept.exists():
        G, S = load("scenes-progan"), load("scenes-segmenter")
        found = {}
        for cls in CLASSES:
            ranking = optimise_alpha(G, LAYER, S, cls, collateral_weight=0.3)
            units = ranking.units[:FEW]
            k = levels(G, LAYER, range(len(ranking.score)), S, cls, SAMPLES)
            found[cls] = {"units": units, "alpha": [round(v, 3) for v in ranking.score[units].tolist()],
                          "levels": [round(v, 5) for v in k.tolist()]}
        write_text(kept, json.dumps(found))
    return json.loads(kept.read_text())


@torch.no_grad()
def first_scene(z: Tensor, most: int = 60) -> int:
    """The seed that Paint opens with: of the first ones, the village by day with the most trees beside a house."""
    G, S = load("scenes-progan", "cpu"), load("scenes-segmenter", "cpu")
    x = G(z[:most])
    share = class_pixels(x, S) / x[0, 0].numel()                            # (N, C)
    by_day, house = x.mean((1, 2, 3)) > 0.1, share[:, S.classes.index("wall")] > 0.08
    return int((share[:, S.classes.index("tree")] * by_day * house).argmax())


def paint(z: Tensor) -> dict:
    """The file of Paint."""
    S = load("scenes-segmenter", "cpu")
    return {"classes": S.classes, "colours": pictures.label_colours(S.classes).tolist(), "units": found_units(),
            "random": torch.randperm(64, generator=torch.Generator().manual_seed(RANDOM)).tolist(),
            "layer": LAYER, "heat": pictures.INFERNO.astype(int).tolist(), "seeds": SEEDS, "seed": first_scene(z)}


def mix() -> dict:
    """The file of Mix, one entry a generator."""
    found = {}
    for machine, name in STYLED.items():
        G = load(name, "cpu")
        found[machine] = {"checkpoint": name, "layers": len(G.layers), "groups": layer_groups(len(G.layers)),
                          "w_avg": G.w_avg.tolist(), "sizes": [noise.shape[-1] for noise in G.noise()]}
    return {"models": found, "seeds": SEEDS, "draws": DRAWS}


def noises() -> dict[str, Tensor]:
    """The noise on offer for each style generator: the stored row, then one of each seed, (1 + D, Σ h·w)."""
    generators = {machine: load(name, "cpu") for machine, name in STYLED.items()}
    return {machine: torch.stack([noise_row(G.noise(seed)) for seed in (None, *DRAWS)])
            for machine, G in generators.items()}


@torch.no_grad()
def write(folder: Path) -> dict:
    """Write the files of the machines into a folder, and the picture that Paint opens with; returns what Paint knows."""
    folder.mkdir(parents=True, exist_ok=True)
    z = torch.cat([sample_z(1, 128, seed) for seed in range(SEEDS)])        # (SEEDS, 128)
    _numbers(folder / "z.bin", z)
    for machine, rows in noises().items():
        _numbers(folder / f"{machine}-noise.bin", rows)
    about = paint(z)
    write_text(folder / "paint.json", json.dumps(about))
    write_text(folder / "mix.json", json.dumps(mix()))
    G = load("scenes-progan", "cpu")
    (folder / "scene.png").write_bytes(pictures.png(G(z[about["seed"]:about["seed"] + 1])[0]))
    for machine, name in STYLED.items():
        (folder / f"{machine}.png").write_bytes(pictures.png(pictures.grid(_mixture(load(name, "cpu"), z), 4)))
    return about


def _mixture(G, z: Tensor) -> Tensor:
    """Eight pictures for the first page: four seeds, and the first of them with the fine styles of all four."""
    w = G.ws(z[1:5], 0.7)
    fine = w[:1].repeat(4, 1, 1)
    fine[:, 4:] = w[:, 4:]
    return G.synthesis(torch.cat([w, fine]))


def _numbers(path: Path, values: Tensor) -> None:
    """Plain float32 in the order of bytes that every browser's machine has."""
    path.write_bytes(values.numpy().astype(np.dtype("<f4")).tobytes())
