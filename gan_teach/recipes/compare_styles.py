"""The paper's tables in small: style generators that differ in one thing, trained equally, over seeds.

    python -m gan_teach compare styles           ten variants × 2 seeds, portraits of 32×32

    A to F      one change after the other                                     Table 1: Fréchet distance
    E, F, …     share of batches with mixed styles: 0, 50, 90, 100 %            Table 2: and with 1 to 4 latents
    D, E, F     without noise, with it, and with mixing                        Table 3: path length, separability
    F, …        mapping networks of 0, 2 and 8 layers                           Table 4: the same

Karras et al. 2018 (arXiv 1812.04948) show one run of each. The record is one JSON file, written after each run: a
stopped comparison goes on with the run, and within it with the step, that it was in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, stdev

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from .. import checkpoints, files, stylegan, training
from ..pictures import to_float
from ..stylegan.generator import StyleGANConfig, configuration
from ..stylegan.measures import linear_separability, mixing_distances, path_length
from ..stylegan.prepared import prepared
from ..training import Schedule, Settings, Training
from ..worlds.portraits import Portraits

NAME = "stylegan-configurations"
SIZE = {"resolution": 32, "fmap_base": 512, "fmap_max": 64}
VARIANTS: dict[str, StyleGANConfig] = {
    **{letter: configuration(letter, **SIZE) for letter in "ABCDEF"},
    "F, mixing 50 %": configuration("F", **(SIZE | {"mixing": 0.5})),
    "F, mixing 100 %": configuration("F", **(SIZE | {"mixing": 1.0})),
    "F, mapping 0": configuration("F", **SIZE, mapping_layers=0),
    "F, mapping 2": configuration("F", **SIZE, mapping_layers=2)}
SETTINGS = Settings(images=32_000, batch=16, lr=4e-3, r1_gamma=10.0, r1_grows=True, r2=True, noise_rate=0.01,
                    schedule=Schedule(fade={8: 2_000, 16: 3_000, 32: 4_000}, stable={4: 2_000, 8: 3_000, 16: 6_000}))
PICTURES = 40_000           # training portraits, seed 0
ASKED = ("glasses", "hat", "beard", "turn", "light")          # what separability is asked for


class Enlarged(torch.nn.Module):
    """The classifier of 64×64 portraits, looking at smaller ones through a magnifying glass."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier, self.num_features, self.heads = classifier, classifier.num_features, classifier.heads

    def look(self, images: Tensor) -> Tensor:
        return F.interpolate(images, size=(64, 64), mode="bilinear", align_corners=False)

    def maps(self, images: Tensor) -> list[Tensor]:
        return self.classifier.maps(self.look(images))

    def features(self, images: Tensor) -> Tensor:
        return self.classifier.features(self.look(images))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.classifier(self.look(images))


def measure(G: stylegan.Generator, real: Tensor, eyes: Enlarged, mixed: bool, spaces: bool, pairs: int = 1000,
            n: int = 4000) -> dict:
    """The figures of one generator, as many as the tables ask of it.

    real: pictures N×3×R×R in [-1, 1]; as many are generated. Returns "mixing": the Fréchet distance, the one of Table
    1, and if `mixed` those with 2, 3 and 4 latents in a picture; if `spaces`, "path_length" and "separability".
    """
    G = prepared(G)
    distances = mixing_distances(G, real, eyes, (1, 2, 3, 4) if mixed else (1,), progress=False)
    found: dict = {"mixing": [round(d, 2) for d in distances.values()]}
    if spaces:
        lengths = {f"{space} {ends}": path_length(G, eyes, space, ends, pairs, progress=False)
                   for space in ("z", "w") for ends in ("full", "end")}
        found["path_length"] = {where: round(length.mean, 3) for where, length in lengths.items()}
        found["separability"] = {space: round(result.score, 3) for space, result in
                                 linear_separability(G, eyes, ASKED, n, progress=False).items()}
    return found


def run(folder: str | Path, seeds: int = 2, settings: Settings = SETTINGS, device=None,
        variants: dict[str, StyleGANConfig] = VARIANTS, **measures) -> dict | None:
    """Train and measure every variant from every seed that the record in the folder does not hold yet.

    Returns the record; None when it was interrupted. measures: sizes for `measure`. ValueError where the folder
    holds a record that was made with other settings.
    """
    path = Path(folder) / f"{NAME}.json"
    record = checkpoints.unfinished(
        path, "python -m gan_teach compare styles", {"settings": asdict(settings), "measures": measures},
        data=f"{PICTURES} rendered portraits, seed 0, 32×32; judged on 5000 of seed 1", configurations={})
    todo = [(seed, name) for seed in range(seeds) for name in variants
            if len(record["configurations"].get(name, {}).get("mixing", ())) <= seed]
    if not todo:
        return record
    learnt, real = (F.avg_pool2d(to_float(Portraits(n, size=64, seed=seed).images()), 2)
                    for n, seed in ((PICTURES, 0), (5000, 1)))
    learnt = ((learnt + 1) * 127.5).round().byte()
    eyes = Enlarged(checkpoints.load("portraits-classifier", device))
    for seed, name in tqdm(todo, desc="styles", unit="run"):
        torch.manual_seed(seed)
        trained = Training(stylegan.Generator(variants[name]), stylegan.Discriminator(variants[name]), learnt,
                           replace(settings, seed=seed), device)
        training.run(trained, Path(folder) / f"{name}, seed {seed}")
        if trained.steps * settings.batch < settings.images:
            return None
        row = record["configurations"].setdefault(name, {"frechet_distance": [], "mixing": [], "path_length": [],
                                                         "separability": [], "seconds": []})
        found = measure(trained.G_ema, real.to(trained.device), eyes, name in SHARES.values(),
                        name in (*NOISY, *DEPTHS.values()), **measures)
        row["frechet_distance"].append(found["mixing"][0])
        for key, value in found.items():
            row[key].append(value)
        row["seconds"].append(round(trained.seconds))
        files.write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return record


# ------------------------------------------------------------------------------------------ what a record says

PUBLISHED = {"A": 8.04, "B": 5.25, "C": 4.85, "D": 4.88, "E": 4.42, "F": 4.40}               # FID on FFHQ, Table 1
CHANGES = {"A": "a progressive GAN", "B": "+ bilinear sampling", "C": "+ mapping and styles", "D": "+ constant input",
           "E": "+ noise", "F": "+ mixing in training"}
SHARES = {"0 %": "E", "50 %": "F, mixing 50 %", "90 %": "F", "100 %": "F, mixing 100 %"}
NOISY = {"D": "without noise", "E": "+ noise", "F": "+ mixing in training"}
DEPTHS = {"0": "F, mapping 0", "2": "F, mapping 2", "8": "F"}


def figure(values: list[float]) -> str:
    """Mean ± standard deviation over the seeds; one seed has no spread."""
    return f"{fmean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


def lines(record: dict) -> Iterator[str]:
    """The three tables as text; what the record does not hold yet is left out."""
    rows = record["configurations"]
    yield "Fréchet distance, ± spread where there are several seeds        (the paper's FID, on FFHQ)"
    for letter in (letter for letter in CHANGES if letter in rows):
        ours = figure(rows[letter]["frechet_distance"])
        yield f"  {letter} {CHANGES[letter]:22} {ours:>16}{PUBLISHED[letter]:>20.2f}"
    yield "Fréchet distance, by mixed batches in training and by latents in a picture"
    yield f"  {'':6}" + "".join(f"{n:>16}" for n in (1, 2, 3, 4))
    for share, name in SHARES.items():
        if name in rows:
            yield f"  {share:>6}" + "".join(f"{figure(list(column)):>16}" for column in zip(*rows[name]["mixing"]))
    yield "Mapping networks, by their number of layers"
    yield f"  {'layers':6}" + "".join(f"{head:>16}" for head in ("distance", "path in Z", "path in W",
                                                                "separable in Z", "separable in W"))
    for depth, name in DEPTHS.items():
        if name in rows:
            lengths, cuts = ({key: [row[key] for row in rows[name][of]] for key in keys} for of, keys in
                             (("path_length", ("z full", "w full")), ("separability", ("z", "w"))))
            columns = (rows[name]["frechet_distance"], *lengths.values(), *cuts.values())
            yield f"  {depth:>6}" + "".join(f"{figure(column):>16}" for column in columns)
