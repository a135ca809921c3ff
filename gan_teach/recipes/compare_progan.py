"""GAN Dissection's comparison of models: with and without minibatch std-dev, early and late in training.

    python -m gan_teach compare progan           2 variants × 2 seeds, each dissected at 48,000 and at 96,000 pictures

Bau et al. 2018 (arXiv 1811.10597, the version submitted to ICLR): with minibatch standard deviation in D, the units of
G match over 70 % more classes. The record is one JSON file, written after each dissection: a stopped comparison goes
on with the run, and within it with the step, that it was in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

from .. import checkpoints
from ..dissection.compare import Row, compare
from ..files import expanded
from ..language import columns, pad, say
from ..limits import whole
from ..networks import progan
from ..networks.progan import ProGANConfig
from ..training import Schedule, Settings
from ..worlds.scenes import Scenes
from .sharing import share_out, trained

NAME = "progan-comparison"
VARIANTS = {"with": ProGANConfig(), "without": ProGANConfig(stddev_group=0)}
# At 44,000 pictures the last resolution has faded in.
SETTINGS = Settings(images=96_000, schedule=Schedule(
    fade={8: 2_000, 16: 4_000, 32: 6_000, 64: 8_000}, stable={4: 2_000, 8: 4_000, 16: 8_000, 32: 10_000}))
LAYERS = ("layer4", "layer6", "layer8")
SCENES, REAL = 40_000, 2_000          # learnt from, seed 0; compared with, seed 1


def run(folder: str | Path, seeds: int = 2, settings: Settings = SETTINGS, device=None,
        variants: dict[str, ProGANConfig] = VARIANTS, layers: Sequence[str] = LAYERS,
        samples: int = 500) -> dict | None:
    """Train each variant from each seed; dissect it half-way and at the end, unless the folder's record has it.

    samples: pictures in a dissection. Returns the record; None when it was interrupted. ValueError where the folder
    holds a record that was made with other settings.
    """
    folder, seeds = expanded(folder), whole("seeds", seeds, 1)
    path = folder / f"{NAME}.json"
    record = checkpoints.unfinished(
        path, "python -m gan_teach compare progan",
        {"settings": asdict(settings), "layers": layers, "samples": samples},
        data=f"{SCENES} rendered scenes, seed 0, 64×64; judged on {REAL} of seed 1", runs={})
    stops = [settings.images // 2, settings.images]
    todo = [(seed, name) for seed in range(seeds) for name in variants
            if str(stops[-1]) not in record["runs"].get(f"{name}, seed {seed}", {})]
    if not todo:
        return record
    learnt, real = (Scenes(n, size=64, seed=seed).images() for n, seed in ((SCENES, 0), (REAL, 1)))
    judge = checkpoints.load("scenes-segmenter", device)

    def make(run: tuple[int, str]) -> Iterator[dict | None]:
        seed, name = run
        key = f"{name}, seed {seed}"
        left = [stop for stop in stops if str(stop) not in record["runs"].get(key, {})]
        for stop, training in zip(left, trained(progan, variants[name], learnt, replace(settings, seed=seed), device,
                                                folder / key, left)):
            if training is None:
                yield None                                              # and is asked for no more
            rows = compare({name: training.G_ema}, layers, judge, samples, real=real, progress=False).rows
            yield {str(stop): [asdict(row) for row in rows], "seconds": round(training.seconds)}

    def keep(run: tuple[int, str], found: dict) -> None:
        seed, name = run
        record["runs"].setdefault(f"{name}, seed {seed}", {}).update(found)

    return record if share_out(path, record, todo, make, keep) else None


def lines(record: dict) -> Iterator[str]:
    """The table as text: for each length of training and each layer both variants, and the mean over the seeds."""
    runs, said = record["runs"], {"with": say("with"), "without": say("without")}
    stops = [stop for stop in next(iter(runs.values()), {}) if stop != "seconds"]
    yield columns(("pictures", 9), ("", 1), ("layer", -8), ("std-dev", -9), ("matched units", 15),
                  ("classes, by seed", 20), ("mean best IoU", 15), ("Fréchet, by seed", 18))
    for stop in stops:
        for i, layer in enumerate(record["layers"]):
            for name in dict.fromkeys(run.split(",")[0] for run in runs):
                rows = [Row(**of[stop][i]) for run, of in runs.items() if run.split(",")[0] == name and stop in of]
                if rows:
                    many = say("{mean:.1f} of {all}", mean=fmean(row.matched for row in rows), all=rows[0].units)
                    yield (f"{int(stop):>9,} {layer:8}{pad(said[name], 9)}{pad(many, 15, True)}"
                           f"{', '.join(str(row.classes) for row in rows):>20}"
                           f"{fmean(row.best_iou for row in rows):>15.3f}"
                           f"{', '.join(f'{row.frechet:.2f}' for row in rows):>18}")
