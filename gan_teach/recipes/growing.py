"""How each shipped checkpoint is made: `python -m gan_teach train NAME` runs the recipe of that name.

A recipe trains (or goes on training) in a folder, and leaves NAME.safetensors and NAME.json there.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import torch

from .. import checkpoints, metrics, stylegan
from ..dissection import intervention, unit_iou
from ..networks import progan
from ..pictures import to_float
from ..training import Schedule, Settings, Training, join_group, leave_group, place, run
from ..worlds.portraits import Portraits
from ..worlds.scenes import Scenes

SCENES = 40_000        # training scenes, seed 0; held-out scenes come from other seeds
SAMPLES = 5_000        # pictures on each side of a Fréchet distance
LICENCE = "MIT"


def shortened(settings: Settings, images: int | None, full: int = 64) -> Settings:
    """The settings for so many images, if any are named; ValueError where these end before the full size is reached."""
    if images is None:
        return settings
    before = sum(n for part in (settings.schedule.fade, settings.schedule.stable) for r, n in part.items() if r < full)
    if images <= before + settings.batch:
        raise ValueError(f"{images:,} images end before this generator has grown to {full}×{full} pixels: "
                         f"give more than {before + settings.batch:,}")
    return replace(settings, images=images)


def scenes_progan(folder: Path, images: int | None = None, device=None) -> dict | None:
    """The generator of chapter 1: 64×64 scenes, grown from 4×4.

    Returns the record; None from the other processes of a torchrun, and when it was interrupted.
    """
    join_group()
    settings = shortened(Settings(), images)
    torch.manual_seed(settings.seed)
    training = Training(progan.Generator(), progan.Discriminator(), Scenes(SCENES, size=64, seed=0).images(),
                        settings, device)
    run(training, folder)
    first = place()[0] == 0
    leave_group()
    if not first or training.steps * settings.batch < settings.images:
        return None                                      # interrupted: the snapshot waits, there is nothing to judge
    judge = checkpoints.load("scenes-segmenter", training.device)
    real, other = (to_float(Scenes(SAMPLES, size=64, seed=seed).images()) for seed in (1, 2))
    fake = metrics.generate(training.G_ema, SAMPLES, seed=1)
    return checkpoints.save(
        Path(folder) / "scenes-progan", training.G_ema,
        command="python -m gan_teach train scenes-progan",
        data=f"{SCENES} rendered scenes, seed 0, 64×64",
        images_shown=training.steps * settings.batch, seconds=round(training.seconds), settings=asdict(settings),
        frechet_distance=round(metrics.frechet_distance(real, fake, judge), 3),
        frechet_distance_of_real_scenes=round(metrics.frechet_distance(real, other, judge), 3),
        ablation_of_12_units={cls: removal(training.G_ema, judge, cls) for cls in ("tree", "door")},
        licence=LICENCE)


def removal(G, judge, cls: str, layers: tuple[str, ...] = ("layer4", "layer5", "layer6", "layer7", "layer8"),
            n: int = 12, samples: int = 200) -> dict:
    """What ablating the n best units of a class does to `samples` fresh pictures, in the best of `layers`.

    Returns two results: with the units ablated everywhere, and only in place, where the class is (`ablation_curve`).
    In each layer four orders compete: by IoU at the 5 % quantile, by the effect of each unit alone less its
    collateral, and by α with a light and a heavy price for collateral. They are found on pictures of seeds 0 and 2,
    one is chosen on those of seed 4 (most removed, at a collateral below 1), and the figures are those of seed 3.
    """
    found = {"everywhere": [], "in_place": []}
    for layer, by_iou in unit_iou.dissect_layers(G, layers, judge, quantile=0.05).items():
        orders = {"IoU": by_iou.units_for(cls),
                  "effect": intervention.rank_by_effect(G, layer, judge, cls, samples=16, collateral_weight=0.3)}
        for price in (0.3, 1.0):
            orders[f"alpha, price {price}"] = intervention.optimise_alpha(
                G, layer, judge, cls, insertion_weight=0.0, collateral_weight=price)
        for name, order in orders.items():
            for where, trials in found.items():
                trial = intervention.ablation_curve(G, layer, judge, cls, order, (n,), samples, seed=4,
                                                    in_place=where == "in_place", progress=False)
                score = min(1.0, 1 / max(trial.collateral[0], 1e-9)) * float(trial.removed[0])
                trials.append((score, layer, name, list(getattr(order, "units", order))[:n]))
    result = {}
    for where, trials in found.items():
        _, layer, name, units = max(trials)
        options = {"counts": (n,), "samples": samples, "in_place": where == "in_place", "progress": False}
        figures = intervention.ablation_curve(G, layer, judge, cls, units, **options)
        chance = intervention.random_curve(G, layer, judge, cls, **options)
        result[where] = {
            "layer": layer, "order": name, "units": units,
            "removed": round(float(figures.removed[0]), 3), "collateral": round(figures.collateral[0], 2),
            "random_removed": round(float(chance.removed[0]), 3), "random_collateral": round(chance.collateral[0], 2)}
    return result


# 64 units up to 32×32, 32 at 64×64. The pixel norm is meant against the spikes by which a generator smuggles strengths
# past AdaIN (chapter 2, section 13); it does not end them: up to 95 in a spread of 3.4 in layer6 of the villages.
STYLE = stylegan.StyleGANConfig(fmap_base=1024, fmap_max=64, mixing=0.5, pixel_norm=True)
# Found in short runs on portraits of 32×32 (44,000 pictures, one seed each): a Fréchet distance of 830 at a learning
# rate of 0.002 with mixing in 90 % of the batches; 746 at 0.004; 727 with no mixing at all; 597 for configuration A.
# The noise learns slowly until half of the cooling is over: at full speed from the start the generator filled eyes and
# glasses with noise instead of learning to draw them.
STYLE_SETTINGS = Settings(
    images=300_000, batch=16, lr=4e-3, r1_gamma=10.0, cool=0.4, noise_rate=0.01, schedule=Schedule(
        fade={8: 8_000, 16: 10_000, 32: 14_000, 64: 14_000}, stable={4: 6_000, 8: 8_000, 16: 20_000, 32: 40_000}))

# Portraits hold finer things than villages: eyes of some ten pixels. With R1 alone these became scribble, or stamps, as
# soon as the pictures grew to 64×64, at every γ, rate and length that was tried. Fréchet distance at 32×32 (2,000
# pictures, one seed each): 878 with R1, 734 with R2 beside it, 600 without the bilinear sampling as well (72,000,
# 68,000 and 72,000 shown). γ grows with the size; no pixel norm, as in the paper.
PORTRAIT = replace(STYLE, pixel_norm=False, blur=False)
PORTRAIT_SETTINGS = replace(
    STYLE_SETTINGS, images=132_000, r1_gamma=40.0, r1_grows=True, r2=True, cool=0.35, noise_end=1 / 8,
    schedule=Schedule(fade={8: 5_000, 16: 7_000, 32: 9_000, 64: 16_000},
                      stable={4: 4_000, 8: 5_000, 16: 12_000, 32: 30_000}))


def _style(name: str, drawings, judge: str, config: stylegan.StyleGANConfig, settings: Settings, folder: Path,
           images: int | None, device) -> dict | None:
    """A style generator for drawings such as `Scenes`; returns as `scenes_progan` does."""
    join_group()
    settings = shortened(settings, images)
    torch.manual_seed(settings.seed)
    training = Training(stylegan.Generator(config), stylegan.Discriminator(config),
                        drawings(SCENES, size=64, seed=0).images(), settings, device)
    run(training, folder)
    first = place()[0] == 0
    leave_group()
    if not first or training.steps * settings.batch < settings.images:
        return None
    features = checkpoints.load(judge, training.device)
    real, other = (to_float(drawings(SAMPLES, size=64, seed=seed).images()) for seed in (1, 2))
    fake = metrics.generate(training.G_ema, SAMPLES, seed=1)
    return checkpoints.save(
        Path(folder) / name, training.G_ema, command=f"python -m gan_teach train {name}",
        data=f"{SCENES} rendered {drawings.name}, seed 0, 64×64",
        images_shown=training.steps * settings.batch, seconds=round(training.seconds), settings=asdict(settings),
        frechet_distance=round(metrics.frechet_distance(real, fake, features), 3),
        frechet_distance_of_real_pictures=round(metrics.frechet_distance(real, other, features), 3),
        licence=LICENCE)


def scenes_stylegan(folder: Path, images: int | None = None, device=None) -> dict | None:
    """Chapter 2's villages, drawn from styles."""
    return _style("scenes-stylegan", Scenes, "scenes-segmenter", STYLE, STYLE_SETTINGS, folder, images, device)


def portraits_stylegan(folder: Path, images: int | None = None, device=None) -> dict | None:
    """Chapter 2's faces, drawn from styles."""
    return _style("portraits-stylegan", Portraits, "portraits-classifier", PORTRAIT, PORTRAIT_SETTINGS, folder, images,
                  device)


RECIPES = {"scenes-progan": scenes_progan, "scenes-stylegan": scenes_stylegan, "portraits-stylegan": portraits_stylegan}
