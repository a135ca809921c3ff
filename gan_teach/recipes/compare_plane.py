"""E-GAN beside its rivals on the plane, over seeds, generations and CPU time: the records behind chapter 3's claims.

    python -m gan_teach compare plane            8 variants × 8 seeds on the ring and on the grid
    python -m gan_teach compare ahead            6 of them on the ring where D is ahead of G, as chapter 3 has it
    python -m gan_teach compare robustness       shallower, deeper, narrower networks, batch norm in D

A record is one JSON file, made by one command, written after every run in it: a killed comparison goes on with the
run that it was in. One thread each, so that CPU seconds can be compared; within a seed the variants take turns, so
that a busy machine is equally unfair to all. Wang et al. 2018 (arXiv 1803.00657) show one run of each method.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .. import checkpoints, files
from ..egan import plane
from ..egan.evolution import Evolution
from ..egan.settings import Settings
from ..egan.over_seeds import MEASURES, table
from ..limits import whole
from ..networks.dcgan import PlaneConfig, PlaneDiscriminator, PlaneGenerator
from ..networks.device import one_thread
from ..processes import place
from ..worlds.gaussians import Mixture, grid, ring
from .sharing import share_out


@dataclass(frozen=True)
class Plan:
    """One table of a comparison: every variant from every seed, measured in `every` generations."""

    mixture: Callable[[], Mixture]
    variants: dict[str, Settings]
    generations: int
    seeds: int = 8
    every: int = 100
    equal_compute: bool = False        # variants without siblings go on until they have cost as much as E-GAN
    start: Callable[[Settings], Evolution] = plane.start

    def __post_init__(self):
        whole("seeds", self.seeds, 1)
        whole("generations", self.generations, whole("every", self.every, 1))

    def length(self, variant: str) -> int:
        """Long enough: a generation without siblings costs 0.34 to 0.42 of one with three to judge, and 0.42 to 0.43
        where D makes two steps (`ms_per_generation` of the records)."""
        s, longer = self.variants[variant], {1: 3.5, 2: 2.5}
        alone = self.equal_compute and len(s.mutations) == 1
        return int(self.generations * longer.get(s.d_steps, 1)) if alone else self.generations


def trace(plan: Plan, variant: str, seed: int) -> dict[str, list]:
    """One run: at each checkpoint the generation, the CPU seconds so far (measuring excluded), and the measures."""
    mixture = plan.mixture()
    evolution = plan.start(replace(plan.variants[variant], seed=seed))
    found: dict[str, list] = {"generation": [], "cpu_seconds": [], **{name: [] for name in MEASURES}}
    spent = 0.0
    for _ in range(plan.length(variant) // plan.every):
        since = time.thread_time()
        for _ in range(plan.every):
            evolution.step(mixture)
        spent += time.thread_time() - since
        found["generation"].append(evolution.generation)
        found["cpu_seconds"].append(round(spent, 2))
        for name, value in zip(MEASURES, plane.measure(mixture, evolution.G)):
            found[name].append(value if name == "modes" else round(value, 4))
    won = plane.shares(evolution.lineage, window=evolution.generation)
    return found | {"won": {name: round(share, 3) for name, share in won.items()}}


def compare(plans: dict[str, Plan], path: Path, command: str) -> dict:
    """Make every run that the file at `path` does not hold yet; returns the record, with its tables of means."""
    settings = {name: {v: f"{plan.length(v)} generations, {s}" for v, s in plan.variants.items()}
                for name, plan in plans.items()}
    record = checkpoints.unfinished(path, command, {"threads": 1, "settings": settings}, tables={}, runs={})
    todo = [(name, seed, variant)
            for name, plan in plans.items() for seed in range(plan.seeds) for variant in plan.variants
            if str(seed) not in record["runs"].get(name, {}).get(variant, {})]

    def make(run: tuple) -> Iterator[dict]:
        name, seed, variant = run
        yield trace(plans[name], variant, seed)

    def keep(run: tuple, found: dict) -> None:
        name, seed, variant = run
        record["runs"].setdefault(name, {}).setdefault(variant, {})[str(seed)] = found

    with one_thread():
        share_out(path, record, todo, make, keep, _write)
    record["tables"] = {name: table(record, name) for name in plans}
    if place()[0] == 0:
        _write(path, record)
    return record


def _write(path: Path, record: dict) -> None:
    files.write_text(path, json.dumps(record, separators=(",", ":")).replace('},"', '},\n"') + "\n")


# ------------------------------------------------------------------------------------------ the comparisons

def plane_plans() -> dict[str, Plan]:
    """The paper's two mixtures, all of `plane.variants`."""
    variants = plane.variants()
    return {"ring": Plan(ring, variants, 1500, every=150, equal_compute=True),
            "grid": Plan(grid, variants, 800, every=100, equal_compute=True)}


def ahead_plans() -> dict[str, Plan]:
    """Where chapter 3 shows a single loss collapse: D makes two steps for each of G's, at twice the rate."""
    variants = plane.variants(replace(plane.SETTINGS, d_steps=2, lr_d=2e-3))
    chosen = {name: s for name, s in variants.items() if name not in ("worst", "WGAN-GP")}
    return {"ring": Plan(ring, chosen, 600, every=100, equal_compute=True)}


BODIES = {"as taught": PlaneConfig(), "2 layers": PlaneConfig(depth=2), "5 layers": PlaneConfig(depth=5),
          "16 wide": PlaneConfig(width=16), "batch norm in D": PlaneConfig()}


def _start(body: str) -> Callable[[Settings], Evolution]:
    def start(settings: Settings) -> Evolution:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            G, D = PlaneGenerator(BODIES[body]), PlaneDiscriminator(BODIES[body])
        if body == "batch norm in D":
            # in the second layer, as the authors; right before the last one every batch would have the same mean logit
            D.net[1].insert(1, torch.nn.BatchNorm1d(BODIES[body].width, track_running_stats=False))
            D.per_sample = False
        return Evolution(G, D, settings, "cpu")
    return start


def robustness_plans() -> dict[str, Plan]:
    """The paper's architecture test, small: other depths, fewer units, batch norm in D; E-GAN and the single losses."""
    chosen = {name: s for name, s in plane.variants().items() if name in ("E-GAN", "minimax", "heuristic",
                                                                         "least_squares")}
    return {body: Plan(ring, chosen, 1000, every=100, start=_start(body)) for body in BODIES}


COMPARISONS: dict[str, tuple[str, Callable[[], dict[str, Plan]]]] = {
    "plane": ("plane-comparison", plane_plans), "ahead": ("plane-ahead", ahead_plans),
    "robustness": ("egan-robustness", robustness_plans)}


def run(which: str, folder: str | Path, **changes) -> dict:
    """Make the comparison of this name in the folder. changes: fields of `Plan`, such as seeds=2, generations=200."""
    name, plans = COMPARISONS[which]
    changed = {key: replace(plan, **changes) for key, plan in plans().items()}
    return compare(changed, files.expanded(folder) / f"{name}.json", f"python -m gan_teach compare {which}")


def lines(record: dict) -> Iterator[str]:
    """The tables as text, a line a variant: modes, share of high quality and MMD², mean ± standard error."""
    for name, rows in record["tables"].items():
        for where in ("equal generations", "equal compute"):
            yield f"{name}, {where}"
            for variant, row in rows.items():
                cells = "  ".join(f"{measure} {row[where][measure]['mean']:.3f} ± {row[where][measure]['error']:.3f}"
                                  for measure in MEASURES)
                yield f"  {variant:<14}{row[where]['generation']:>6} × {row['ms_per_generation']:5.1f} ms   {cells}"
