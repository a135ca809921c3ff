"""What the machines must know besides the networks: z of the seeds on offer, units, levels, colours, noise.

torch.randn cannot be repeated in a browser, so the latents of the first `SEEDS` seeds are written down, and the same
seed gives the same picture in a notebook and in the page.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from .. import checkpoints, pictures
from ..checkpoints import load
from ..dissection.alpha import optimise_alpha
from ..dissection.clear_scene import clarity, clear_scene
from ..dissection.insertion import optimise_insertion
from ..dissection.intervention import ablate, levels
from ..dissection.pixels import coverage
from ..egan import plane
from ..egan.warm_up import Game
from ..files import cache_folder, write_text
from ..language import say
from ..networks.layers import sample_z
from ..networks.segmenter import segment
from ..stylegan.adain_mixing_truncation import layer_groups, mix
from ..stylegan.clear_portraits import clear_mixture, clear_portraits, clear_villages, sureness
from ..worlds.gaussians import drawn, heart, ring
from ..worlds.scenes import BELONGS
from .networks import LAYER, STYLED, noise_row

SEEDS = 200                                             # from 0 on; each is one z for every machine
CLASSES = ("tree", "door", "window", "cloud")           # that can be painted
FEW = 20                                                # units of a class that a page offers
SAMPLES = 64                                            # pictures in which a level k is measured
SOURCES, DESTINATIONS = 4, 3                            # of the table of Mix, which opens with the first seeds
DRAWS = (1, 2, 3)                                       # seeds of the noise on offer, beside the stored one
GAMES = 300                                             # rounds before a picture is taken
RANDOM = 0                                              # seed of the random units that are the control


def found_units() -> dict:
    """For "remove" and "add", of each class the units of `LAYER`, best first by α, their α, and the level k of all.

    Removing: `optimise_alpha`, as the record of the shipped generator says (its price 0.3). Adding: where the class
    `BELONGS`, `optimise_insertion`. Some minutes; kept in the cache for these weights. On the same machine the same
    units are found again.
    """
    known = checkpoints.record("scenes-progan")["sha256"][:12] + checkpoints.record("scenes-segmenter")["sha256"][:12]
    kept = cache_folder() / "site" / f"painters-{known}.json"
    if not kept.exists():
        G, S = load("scenes-progan"), load("scenes-segmenter")
        found = {"remove": {}, "add": {}}
        for cls in tqdm(CLASSES, desc=say("search the units to paint with")):
            drop = optimise_alpha(G, LAYER, S, cls, collateral_weight=0.3)
            k = levels(G, LAYER, range(len(drop.score)), S, cls, SAMPLES)
            grow = optimise_insertion(G, LAYER, S, cls, BELONGS[cls], 2 * k)
            for action, ranking in (("remove", drop), ("add", grow)):
                units = ranking.units[:FEW]
                found[action][cls] = {"units": units, "alpha": [round(v, 3) for v in ranking.score[units].tolist()],
                                      "levels": [round(v, 5) for v in k.tolist()]}
        write_text(kept, json.dumps(found))
    return json.loads(kept.read_text())


def paint() -> dict:
    """The file of Paint."""
    S = load("scenes-segmenter", "cpu")
    return {"classes": S.classes, "colours": pictures.label_colours(S.classes).tolist(), "units": found_units(),
            "random": torch.randperm(64, generator=torch.Generator().manual_seed(RANDOM)).tolist(),
            "layer": LAYER, "heat": pictures.INFERNO.astype(int).tolist(), "seeds": SEEDS,
            "seed": clear_scene(load("scenes-progan", "cpu"), S, range(SEEDS))}


def mixing(folder: Path, z: Tensor) -> None:
    """The files of Mix: what it must know, and of each generator the noise on offer and a picture."""
    rules = {"portraits": (clear_portraits, sureness, "portraits-classifier"),
             "villages": (clear_villages, lambda images, S: clarity(images, S)[0], "scenes-segmenter")}
    models = {}
    for machine, name in STYLED.items():
        order, sure, judge = rules[machine]
        G, judge = load(name, "cpu"), load(judge, "cpu")
        groups, clear = layer_groups(len(G.layers)), order(G, judge, range(100))
        w = G.ws(z[clear[:SOURCES + DESTINATIONS]], 0.7)
        cell = clear_mixture(G, w[:SOURCES], w[SOURCES:], groups["coarse"], sure, judge)
        models[machine] = {"checkpoint": name, "layers": len(G.layers), "groups": groups, "seeds": clear,
                           "cell": [1 + place for place in cell],
                           "w_avg": G.w_avg.tolist(), "sizes": [noise.shape[-1] for noise in G.noise()]}
        _numbers(folder / f"{machine}-noise.bin", torch.stack([noise_row(G.noise(seed)) for seed in (None, *DRAWS)]))
        w = G.ws(z[clear[:4]], 0.5)                     # one seed, and with the coarse styles of three others
        x = G.synthesis(mix(w[:1].expand_as(w), w, groups["coarse"]))
        (folder / f"{machine}.png").write_bytes(pictures.png(pictures.grid(x, 4)))
    write_text(folder / "mix.json", json.dumps({"models": models, "draws": DRAWS}))


@torch.no_grad()
def write(folder: Path) -> dict:
    """Write the files of the machines into a folder, and pictures for the first page; returns what Paint knows."""
    folder.mkdir(parents=True, exist_ok=True)
    z = torch.cat([sample_z(1, 128, seed) for seed in range(SEEDS)])        # (SEEDS, 128)
    _numbers(folder / "z.bin", z)
    about = paint()
    write_text(folder / "paint.json", json.dumps(about))
    mixing(folder, z)
    before, after = removed(z[about["seed"]], about["units"]["remove"]["tree"]["units"][:12])
    (folder / "scene.png").write_bytes(pictures.png(before))
    (folder / "removed.png").write_bytes(pictures.png(pictures.grid([before, after], 2)))
    for machine, picture in zip(("players", "evolve"), planes()):
        (folder / f"{machine}.png").write_bytes(pictures.png(picture))
    return about


@torch.enable_grad()
def planes() -> tuple[np.ndarray, np.ndarray]:
    """Pictures of the two machines on the plane for the first page, from Python's games: at the start, and later."""
    @torch.no_grad()
    def seen(mixture, G, D) -> np.ndarray:
        draw = torch.Generator().manual_seed(1)
        fake = G(torch.randn(250, G.z_dim, generator=draw))
        return plane.picture(fake, mixture(160, draw), plane.field(D), size=256)

    game, evolution, eight = Game(drawn(heart()), seed=1), plane.start(), ring()
    before = seen(game.data, game.G, game.D), seen(eight, evolution.G, evolution.D)
    for _ in range(GAMES):
        game.round(2)
        evolution.step(eight)
    after = seen(game.data, game.G, game.D), seen(eight, evolution.G, evolution.D)
    return tuple(np.hstack(pair) for pair in zip(before, after))


def removed(z: Tensor, units: list[int]) -> Tensor:
    """A village, and the same with units at 0 where it shows trees: 2×3×64×64."""
    G, S = load("scenes-progan", "cpu"), load("scenes-segmenter", "cpu")
    r, f = G.at(z[None], LAYER)
    trees = coverage(segment(S, f(r)), S.classes.index("tree"), r.shape[-2:]) > 0
    return torch.cat([f(r), f(ablate(r, units, trees))])


def _numbers(path: Path, values: Tensor) -> None:
    """Plain float32 in the order of bytes that every browser's machine has."""
    path.write_bytes(values.numpy().astype(np.dtype("<f4")).tobytes())
