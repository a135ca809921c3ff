"""How the weights of chapter 3 are made: E-GAN and its rivals on Fashion-MNIST and on small scenes.

    python -m gan_teach train fashion-egan          (after: python -m gan_teach fetch fashion)
    python -m gan_teach train fashion-heuristic     the same networks and draws, one loss alone
    python -m gan_teach train scenes-plain-d        E-GAN with the paper's loss of D, without the two penalties;
                                                    -momentum: with the paper's momentum in Adam; -paper: with both
    python -m gan_teach train fashion-long          E-GAN for four times as many generations, its rates falling
                                                    (scenes-long: ten times); the mean of survivors is kept
    train_on("holiday-photos/")                     on pictures of your own, on "cifar10" or "celeba"

The rivals with one loss have nobody to judge and are cheaper: they go on for as many generations as E-GAN's compute
buys, and their record's curve passes E-GAN's number of generations on the way. What is kept is the survivor as it is,
not the child that was made last, and no average of weights, but in "long": its curve has both.
"""

import copy
import math
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import checkpoints, files, metrics
from ..egan import long_run, plane
from ..egan.evolution import Evolution
from ..egan.settings import Settings, logistic
from ..egan.mutations import heuristic, least_squares, minimax
from ..language import say
from ..limits import whole
from ..networks import classifier
from ..networks.dcgan import DCGANConfig, Discriminator, Generator, layout
from ..networks.losses import logistic_r1_r2
from ..networks.protocols import check_name, device_of
from ..pictures import to_float
from ..worlds import datasets

LICENCE = "MIT"
SAMPLES, CURVE_SAMPLES = 5_000, 2_000       # pictures on each side of a Fréchet distance: at the end, on the way

# Made to learn within 3,000 generations: five times the paper's learning rate, batch norm in G, no momentum in
# Adam, and a D that may not be steep. At this rate, with the paper's momentum and loss of D, villages collapse: the
# rivals "plain-d", "momentum" and "paper". Siblings are mutated and judged on the same z, so that `egan.shared_passes`
# makes a generation of these 1.3 times cheaper (223 and 172 ms of one core with AVX-512).
SETTINGS = Settings(batch=32, fitness_batch=64, d_steps=1, gamma=0.01, lr=1e-3, betas=(0.0, 0.99),
                    d_loss=logistic_r1_r2, mutate_same_z=True, judge_same_z=True, bf16=True)
RIVALS = {"egan": {}, "random": {"selection": "random"}, "heuristic": {"mutations": (heuristic,)},
          "minimax": {"mutations": (minimax,)}, "least-squares": {"mutations": (least_squares,)},
          "plain-d": {"d_loss": logistic}, "momentum": {"betas": (0.5, 0.99)},
          "paper": {"d_loss": logistic, "betas": (0.5, 0.99)}, "long": {"halves": 6000, "ema": 0.998}}


@dataclass(frozen=True)
class Plan:
    network: DCGANConfig
    data: str                        # in words, for the record
    generations: int = 3000          # of E-GAN
    price: int = 3                   # generations of one loss alone that cost as much as one of E-GAN
    every: int = 500                 # generations between two rows of the curve
    settings: Settings = SETTINGS
    rivals: dict[str, dict] = field(default_factory=lambda: RIVALS)         # of each, what it changes in the settings
    longer: int = 4                  # times E-GAN's generations, of a rival whose rates fall


PLANS = {
    "fashion": Plan(layout(32, 32, grey=True, norm_g=True),
                    "Fashion-MNIST, 60,000 training pictures in a frame of 32×32; judged on its test split"),
    "scenes": Plan(layout(32, 32, norm_g=True), "40000 rendered scenes, seed 0, 32×32; judged on those of seed 1",
                   longer=10, rivals=RIVALS | {"long": {"halves": 8000, "ema": 0.999}})}
ANY = Plan(layout(32, 32, norm_g=True), "in colour, 32×32; there is no judge for them")


def plan_for(pictures: str | Path) -> Plan:
    """The plan for a set of `datasets.pictures`, or for a folder of pictures, as a `Path` always is."""
    return PLANS.get(pictures, ANY)


def begin(settings: Settings = SETTINGS, network: DCGANConfig = PLANS["fashion"].network, device=None) -> Evolution:
    """Generation 0 on pictures of 32×32; grey ones, unless the network says otherwise."""
    with torch.random.fork_rng(devices=[]):                                 # a reader's own numbers go on
        torch.manual_seed(settings.seed)
        return Evolution(Generator(network), Discriminator(network), settings, device)


def start(plan: Plan, rival: str = "egan", device=None) -> Evolution:
    """Generation 0 of a plan, the same for every rival."""
    return begin(replace(plan.settings, **plan.rivals[rival]), plan.network, device)


def evolve(evolution: Evolution, real: Tensor, folder: Path, generations: int, every: int,
           judge: Callable[[Evolution], dict]) -> list[dict] | None:
    """Go on in the folder to so many generations, and judge the survivor after every `every` of them.

    Returns the curve, a list of rows with generation, CPU seconds (without the judging) and what `judge` says; None
    when it was interrupted. Both the run and the curve go on where they were.
    """
    notes = folder / "curve.json"
    curve = files.read_json(notes) if notes.exists() else {"cpu_seconds": 0.0, "rows": []}
    if type(curve.get("cpu_seconds")) is not float or not 0 <= curve["cpu_seconds"] < math.inf or \
            type(curve.get("rows")) is not list or \
            not all(type(row) is dict and type(row.get("generation")) is int and row["generation"] > 0 and
                    type(row.get("cpu_seconds")) is float for row in curve["rows"]):
        raise ValueError(f"{notes} is damaged: delete it")

    def judged() -> None:
        """A row of the generation where the run stands, once, if it is one that has a row."""
        at = evolution.generation                               # beyond the goal, when the run was gone on with
        if at and (at % every == 0 or at == generations) and all(row["generation"] != at for row in curve["rows"]):
            curve["rows"].append({"generation": at, "cpu_seconds": round(curve["cpu_seconds"], 1), **judge(evolution)})
        files.write_json(notes, curve, indent=None)

    long_run.go_on(evolution, real, folder)
    judged()                                                    # a kill may have come between a snapshot and its row
    if evolution.generation >= generations:
        print(say("nothing to do: the run in {folder} has made {now} of {end} generations", folder=folder,
                  now=evolution.generation, end=generations))
    while evolution.generation < generations:
        goal = min(generations, (evolution.generation // every + 1) * every)
        since = time.process_time()
        long_run.run(evolution, real, folder, goal, save_every=every, picture_every=every, end=generations)
        curve["cpu_seconds"] += time.process_time() - since
        judged()
        if evolution.generation < goal:
            return None
    return [row for row in curve["rows"] if row["generation"] <= generations]


def kept(evolution: Evolution) -> Generator:
    """The survivor, or the mean of survivors, in 16 bits, half the size of a file; `load` gives it back in 32."""
    G = evolution.G if evolution.mean is None else evolution.mean
    return copy.deepcopy(G).cpu().to(memory_format=torch.contiguous_format).half().eval()


class Judge:
    """Measures pictures against real ones of the same set: `judge(G, n)` gives the figures of a record."""

    def __init__(self, data: str, device=None, n: int = SAMPLES):
        self.data = data
        self.eyes = checkpoints.load("fashion-classifier" if data == "fashion" else "scenes-segmenter", device)
        self.device = device_of(self.eyes)
        self.real = self.seen(to_float(datasets.pictures(data, "test", 32, n).images))

    def seen(self, images: Tensor) -> Tensor:
        """The segmenter has learnt from pictures of 64×64."""
        return images if self.data == "fashion" else F.interpolate(images, scale_factor=2, mode="bilinear")

    def figures(self, images: Tensor) -> dict:
        """Fréchet distance to as many real pictures; where they have classes, the classifier's score too."""
        seen = self.seen(images).to(self.device)
        found = {"frechet_distance": round(
            metrics.frechet_distance(self.real[:len(seen)].to(self.device), seen, self.eyes), 3)}
        if self.data == "fashion":
            found["classifier_score"] = round(metrics.classifier_score(seen, self.eyes)[0], 3)
        return found

    def __call__(self, G: Generator, n: int) -> dict:
        return self.figures(metrics.generate(G, n, seed=1).cpu())

    def classes(self, images: Tensor) -> dict[str, float]:
        """Which share of the pictures the classifier takes for each kind of clothing: a tenth each of real ones."""
        named = classifier.classify(self.eyes, images.to(self.device))["class"].argmax(1)
        counts = named.bincount(minlength=len(datasets.FASHION)).tolist()
        return {name: round(count / len(images), 3) for name, count in zip(datasets.FASHION, counts)}


# ------------------------------------------------------------------------------------------ recipes

def train(name: str, folder: str | Path, images: int | None = None, device=None) -> dict | None:
    """Make a checkpoint such as "fashion-egan" or "scenes-heuristic"; the record, or None when it was interrupted."""
    data, rival = name.split("-", 1)
    return _train(name, data, rival, folder, images, device, f"python -m gan_teach train {name}")


def train_on(pictures: str | Path, folder: str | Path | None = None, rival: str = "egan", images: int | None = None,
             device=None) -> dict | None:
    """E-GAN, or a rival, on pictures of your own, brought to 32×32: a folder, "cifar10" or "celeba".

        train_on("holiday-photos/")         # -> runs/holiday-photos-egan/holiday-photos-egan.safetensors, for `load`

    folder: for snapshots, grids of samples and the result (None: runs/NAME). rival: one of `RIVALS`. images: how many
    real pictures D is shown in all, instead of the plan's number of generations, which takes ten minutes of a CPU core.
    Returns the record; None when it was interrupted, and the same call goes on. Only the sets of `PLANS` have a judge:
    other records hold no distances. Raises ValueError for an unknown rival, a folder with results of other pictures, or
    one that the pictures lie in, else what `datasets.pictures` raises.
    """
    check_name("rival", rival, list(RIVALS))
    for path in (pictures, *([] if folder is None else [folder])):
        files.check_link(files.expanded(path))
    place, weights = files.expanded(pictures).resolve(), result(pictures, folder, rival)
    folder = weights.parent
    if folder.resolve() in (place, *place.parents) and place.is_dir() and pictures not in datasets.NAMES:
        raise ValueError(f"the pictures lie in the folder of the results, {folder}: give another")
    return _train(weights.name, pictures, rival, folder, images, device,
                  f"python -m gan_teach evolve {shlex.quote(str(pictures))} --rival {rival}")


def result(pictures: str | Path, folder: str | Path | None, rival: str) -> Path:
    """Where `train_on` leaves its weights and their record, without the suffix."""
    name = f"{files.expanded(pictures).resolve().name.replace('.', '-') or 'pictures'}-{rival}"
    return (Path("runs") / name if folder is None else files.expanded(folder)) / name


def _train(name: str, data: str | Path, rival: str, folder: str | Path, images: int | None, device,
           command: str) -> dict | None:
    """images: how many real pictures D is shown in all, instead of the plan's number of generations."""
    images = None if images is None else whole("images, how many are shown in all,", images, 1)
    plan, folder = plan_for(data), files.expanded(folder)
    if data in datasets.NAMES:
        files.to_write(folder / name)                     # before they are drawn, which takes minutes
    real = datasets.pictures(data, "train", 32, without=folder).images
    evolution = start(plan, rival, device)
    s = evolution.settings
    generations = plan.generations * (plan.longer if s.halves else plan.price if len(s.mutations) == 1 else 1)
    if images is not None:
        generations = max(1, images // (s.batch * s.d_steps))
    judge = None if plan is ANY else Judge(data, device)
    curve = evolve(evolution, real, folder, generations, plan.every, lambda e: _judged(e, judge) if judge else {})
    if curve is None:
        return None
    G = kept(evolution)
    record = {}
    if judge:
        fake = metrics.generate(copy.deepcopy(G).float(), SAMPLES, seed=1)
        record = judge.figures(fake)
        record |= {f"{key}_of_real_pictures": value for key, value in judge.figures(to_float(real[:SAMPLES])).items()}
        if data == "fashion":
            record["share_of_classes"] = judge.classes(fake)
    won = plane.shares(evolution.lineage, window=evolution.generation)
    return checkpoints.save(
        folder / name, G, command=command, data=plan.data if judge else f"{len(real)} of {data}, {plan.data}",
        generations=evolution.generation, images_shown=evolution.generation * s.batch * s.d_steps,
        seconds=round(evolution.seconds), cpu_seconds=curve[-1]["cpu_seconds"] if curve else None, settings=str(s),
        **record, won={mutation: round(share, 3) for mutation, share in won.items()}, curve=curve,
        licence=LICENCE if judge else "that of the pictures")


def _judged(evolution: Evolution, judge: Judge) -> dict:
    """A row of the curve: the survivor as it is used later, batch norm with its running averages; and the mean."""
    row = judge(copy.deepcopy(evolution.G).eval(), CURVE_SAMPLES)
    mean = judge(evolution.mean, CURVE_SAMPLES) if evolution.mean is not None else {}
    return row | {f"{key}_of_mean": value for key, value in mean.items()}


RECIPES = {f"{data}-{rival}": partial(train, f"{data}-{rival}") for data in PLANS for rival in RIVALS}
