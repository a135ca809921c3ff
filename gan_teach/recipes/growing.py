"""How the generators that grow are made: `python -m gan_teach train NAME` runs the recipe of that name.

A recipe trains (or goes on training) in a folder, and leaves NAME.safetensors, NAME.json and curve.png there.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from matplotlib.figure import Figure

from .. import checkpoints, metrics, stylegan
from ..dissection import alpha, intervention, unit_iou
from ..files import expanded, to_write, writing
from ..lettering import letter
from ..limits import whole
from ..networks import progan
from ..networks.segmenter import UNet
from ..pictures import fingerprint, to_float
from ..processes import join_group, leave_group, machine, place
from ..stylegan.generator import with_mapping_rate
from ..training import Schedule, Settings, Training, curve, run
from ..worlds.datasets import rendered
from ..worlds.portraits import Portraits
from ..worlds.scenes import Scenes

SCENES = 40_000        # training pictures, seed 0; held-out ones come from other seeds
SAMPLES = 5_000        # pictures on each side of a Fréchet distance
ON_THE_WAY = 2_000     # the same, for the curve: of seed 3, against latents of seed 2
LICENCE = "MIT"

# Another loss, with `train NAME --loss relativistic`: D is asked which of two pictures is the real one, and may be
# steeper and steeper. Found in trials: it draws more from fewer pictures, and goes wrong where γ falls too low for D.
RELATIVISTIC = {"loss": "relativistic", "batch": 8, "r1_gamma": 8.0, "r1_gamma_end": 2.5, "r1_grows": True,
                "r2": True, "ema": 0.9993}
# Going on from a generator that can draw, with `train NAME --start FILE`: D is new, so it learns alone first. By
# batches of 8 the villages' distance rose again where γ fell to 2.5, and ended at 0.151 where it stopped at 4; gone on
# with by batches of 16, with γ down to 3, it was below that after 80,000 pictures (2,000 pictures on each side), and
# ended at 0.093. Once more, against a D twice as wide up to 16×16, the rate cooled from 133,000 of 205,000 on: 0.137
# after 20,000, then 0.088 to 0.096 from 120,000 on; cooling brought nothing more. But the mean of G_ema's weights at
# several points, 16,000 apart, did: of the last seven 0.079, of ten 0.069, of twelve, which is what is shipped, 0.065,
# with a precision of 0.63 where the last alone has 0.55. Weighted as by an EMA that looks back over 100,000 pictures,
# and not over 23,000, they are as near, 0.065: so the villages go on with such a one. (Not so the portraits: of eight
# or ten points 413 and 402, where the last alone has 386. They still moved fast.)
ON = {"images": 300_000, "batch": 16, "r1_gamma": 6.0, "r1_gamma_end": 3.0, "schedule": Schedule({}, {64: 0}),
      "d_first": 16_000, "cool": 0.35, "noise_rate": 1.0}


def shortened(settings: Settings, images: int | None) -> Settings:
    """The settings for so many images, if any are named; ValueError where these end before the full size is reached."""
    if images is None:
        return settings
    images = whole("images", images, 1)
    before = sum(n for part in (settings.schedule.fade, settings.schedule.stable) for r, n in part.items() if r < 64)
    if images <= before + settings.batch:
        raise ValueError(f"{images:,} images end before this generator has grown to 64×64 pixels: give more than "
                         f"{before + settings.batch:,}")
    return replace(settings, images=images)


def grow(name: str, pair: Callable[[], tuple], drawings, judge: str, settings: Settings, folder: Path,
         images: int | None = None, device=None, loss: str | None = None, start: str | Path | None = None,
         more: Callable[[torch.nn.Module, torch.nn.Module], dict] | None = None, on: dict = ON) -> dict | None:
    """Train a generator of drawings such as `Scenes`, in the folder, and judge it; returns the record.

    pair: makes G and D. judge: the shipped network whose features are compared; it never takes part in the training.
    loss: "relativistic" instead of the settings' own. start: weights (a file or a shipped name) with which
    G begins, full-grown, against a new D, with the settings `on` besides; else both grow from nothing. more: further
    figures, of G and the judge.
    None from the other processes of a torchrun, and when it was interrupted.
    """
    join_group()
    folder = expanded(folder)
    if loss is not None:
        settings = replace(settings, **(RELATIVISTIC if loss == "relativistic" else {"loss": loss}))
    if start is not None:
        settings = replace(settings, **on)
    settings = shortened(settings, images)
    to_write(folder / name)                               # before the pictures are drawn, which takes minutes
    torch.manual_seed(settings.seed)
    G, D = pair()
    origin = {} if start is None else {"start": warm(G, start)}
    began = "" if start is None else fingerprint(torch.cat([t.flatten() for t in G.state_dict().values()]))
    training = Training(G, D, rendered(drawings, SCENES, seed=0), settings, device)
    training.start = began                                # a stopped run does not go on from other weights
    eyes = checkpoints.load(judge, training.device)
    run(training, folder, judge=Ruler(drawings, eyes, ON_THE_WAY, seed=3))
    first = place()[0] == 0
    leave_group()
    if not first or training.steps * settings.batch < settings.images:
        return None                                      # interrupted: the snapshot waits, there is nothing to judge
    ruler = Ruler(drawings, eyes, SAMPLES, seed=1)
    record = checkpoints.save(
        folder / name, training.G_ema,
        command=f"python -m gan_teach train {name}{f' --loss {loss}' if loss else ''}"
                f"{f' --start {start}' if start else ''}",
        data=f"{SCENES} rendered {drawings.name}, seed 0, 64×64",
        **origin, images_shown=training.steps * settings.batch, seconds=round(training.seconds),
        machine=machine(training.device), settings=asdict(settings), **ruler(training.G_ema, seed=1),
        frechet_distance_of_real_pictures=ruler.figures(rendered(drawings, SAMPLES, seed=2))["frechet_distance"],
        curve=curve(folder), **(more(training.G_ema, eyes) if more else {}), licence=LICENCE)
    if record["curve"]:
        letter(figure := curve_figure(record))
        with writing(folder / "curve.png") as temporary:
            figure.savefig(temporary, format="png", dpi=150)
    return record


def warm(G: torch.nn.Module, start: str | Path) -> dict:
    """Give G the weights of a file or shipped name; returns what the record says of where it began.

    f may have learnt at another rate there. ValueError where they are of another network.
    """
    given = checkpoints.load(start, "cpu")
    record = given.record
    if isinstance(given, stylegan.Generator) and isinstance(G, stylegan.Generator):
        given = with_mapping_rate(given, G.config.mapping_rate)
    if type(given) is not type(G) or given.config != G.config:
        raise ValueError(f"{start} is not a network of this recipe: {type(given).__name__} with {given.config}, "
                         f"wanted {type(G).__name__} with {G.config}")
    G.load_state_dict(given.state_dict())
    return {key: record[key] for key in ("command", "sha256", "images_shown", "seconds", "machine", "start")
            if key in record}


def curve_figure(record: dict) -> Figure:
    """What a training is, by the curve in its record: Fréchet distance, precision and recall against pictures shown.

    Of a training that went on from other weights: the pictures shown to those count too.
    """
    rows = record["curve"]
    before = sum(training["images_shown"] for training in checkpoints.trainings(record)[1:])
    shown = [(before + row["images"]) / 1000 for row in rows]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(shown, [row["frechet_distance"] for row in rows], "o-", color="#1b7f2a")
    left.set(ylabel="Fréchet distance (lower is better)", ylim=(0, None))
    for (what, colour), marker in zip((("precision", "#6a3d9a"), ("recall", "#c93a75")), "s^"):
        right.plot(shown, [row[what] for row in rows], f"{marker}-", color=colour, label=what)
    right.set(ylabel="share (higher is better)", ylim=(0, 1))
    right.legend()
    for ax in (left, right):
        ax.set(xlabel="thousand pictures shown")
    return figure


class Ruler:
    """Measures pictures against real ones: `ruler(G)` gives the figures of a row of the curve, or of a record."""

    def __init__(self, drawings, eyes: torch.nn.Module, n: int, seed: int):
        self.eyes, self.real = eyes, to_float(rendered(drawings, n, seed))
        self.features = metrics.features(self.real, eyes)
        self.distance = metrics.Distance(self.features)

    def figures(self, images: torch.Tensor) -> dict:
        """Fréchet distance, precision, recall, and sharpness as a multiple of the real pictures'."""
        images = to_float(images)
        seen = metrics.features(images, self.eyes)
        precision, recall = metrics.precision_recall(self.features, seen)
        digits = 3 if isinstance(self.eyes, UNet) else 1
        return {"frechet_distance": round(self.distance(seen), digits),
                "precision": round(precision, 3), "recall": round(recall, 3),
                "sharpness": round(metrics.sharpness(images) / metrics.sharpness(self.real), 3)}

    def __call__(self, G: torch.nn.Module, seed: int = 2) -> dict:
        return self.figures(metrics.generate(G, len(self.real), seed))


def scenes_progan(folder: Path, **options) -> dict | None:
    """The generator of chapter 1: 64×64 scenes, grown from 4×4; and what removing 12 of its units does.

    Gone on with, D is larger, twice as wide up to 16×16.
    """
    judged = progan.ProGANConfig(widths=(256, 256, 128, 32, 16)) if options.get("start") else progan.ProGANConfig()
    return grow("scenes-progan", lambda: (progan.Generator(), progan.Discriminator(judged)), Scenes, "scenes-segmenter",
                Settings(), folder, on=ON | {"ema": 0.99984}, more=lambda G, judge: {
                    "ablation_of_12_units": {cls: removal(G, judge, cls) for cls in ("tree", "door")}}, **options)


def removal(G, judge, cls: str, n: int = 12, samples: int = 200) -> dict:
    """What ablating the n best units of a class does to `samples` fresh pictures, in the best of layer4 to layer6.

    In later layers n = 12 units are more than a quarter of all, and any of them would remove much.

    Returns two results: with the units ablated everywhere, and only in place, where the class is (`ablation_curve`).
    In each layer four orders compete: by IoU at the 5 % quantile, by the effect of each unit alone less its
    collateral, and by α with a light and a heavy price for collateral. They are found on pictures of seeds 0 and 2,
    one is chosen on those of seed 4 (most removed, at a collateral below 1), and the figures are those of seed 3.
    """
    found = {"everywhere": [], "in_place": []}
    layers = [f"layer{i}" for i in range(4, 7)]
    for layer, by_iou in unit_iou.dissect_layers(G, layers, judge, quantile=0.05).items():
        orders = {"IoU": by_iou.units_for(cls),
                  "effect": alpha.rank_by_effect(G, layer, judge, cls, samples=16, collateral_weight=0.3)}
        for price in (0.3, 1.0):
            orders[f"alpha, price {price}"] = alpha.optimise_alpha(
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
# past AdaIN (notebooks/02b_stylegan_further.ipynb, section 7); it does not end them.
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
# Relativistic pairs, and a γ that falls. With R1 at γ = 40 the distance at 64×64 was 968 after 132,000
# pictures, the end of that run. This one stood at 989 after 128,000 (2,000 pictures), and ended at 754 after 224,000.
PORTRAIT_SETTINGS = replace(
    STYLE_SETTINGS, images=224_000, batch=8, lr=2.5e-3, loss="relativistic", r1_gamma=10.0, r1_gamma_end=1.0,
    r1_grows=True, r2=True, cool=0.35, noise_end=1 / 8, ema=0.9993,
    schedule=Schedule(fade={8: 5_000, 16: 7_000, 32: 10_000, 64: 12_000},
                      stable={4: 4_000, 8: 5_000, 16: 12_000, 32: 22_000}))
# At the paper's rate f hardly learns in runs as short as these: its weights end within 3 % of where they began, and
# untrained they already press z into some 26 directions (90 % of the variance; `stylegan.cloud`), those of an f of two
# layers into 63. Relativistic pairs from nothing, with 40,000 pictures at 32×32, spread W of the villages over 24, but
# broke more pictures: a precision of 0.25 after 250,000. Without the bilinear sampling, with 128 units up to 16×16, by
# batches of 16: 0.17 after 176,000, a distance of 0.572.
# Gone on with, against a new D, the villages came from 0.351 to 0.272, and by batches of 16 to 0.235, but to a
# precision of 0.35, not 0.41. Then against the same D, with an f that learns at a tenth of the others' rate: 0.170 and
# 0.49 after 110,000. f has moved by 5 %, and few pictures are broken; but W lies in three directions, and there are few
# villages: recall 0.001. The portraits gained nothing by it (485 and 488 after 20,000 and 40,000, from 474).
# Mixed styles held them back: gone on with from 68,000 of that run without mixing any (one run; γ from 4), they stood
# at 0.098 after 140,000 and at 0.089 after 160,000 (2,000 pictures; recall 0.026, precision 0.68); but pictures of two
# latents at 0.58 (1,000 pictures), where mixing had 0.34. Mixed again over the last 40,000: 0.083 on 5,000 pictures,
# and 0.38 with two latents. W lies in three directions still: it was not these that kept villages few.
# The portraits, gone on with from 466 without mixed styles, lost more by a D that was not theirs than they gained:
# from 484 (2,000 pictures) to 677 after 40,000 and 630 after 60,000, the first 24,000 of D alone; by that same D,
# after 72,000 more alone against the shipped G, to 609 after 18,000 of G's. So keep the folder of a training: its
# snapshot has the D that belongs to G. A larger new D, with 128 units up to 16×16 in place of 64 (1,141,921
# parameters, not 353,633), with f at a tenth and γ from 3 to 0.7, caught up: 559 after 40,000, the first 24,000 of D
# alone, 526 after 60,000, 477 after 100,000, 462 after 120,000; the smaller D, gone on with from the 630 above, stood
# at 627 after as many pictures of G as made the 477. Styles were mixed from 120,000 on, for mixtures, and that took
# the gain: 492 after 140,000, 488 at the end, 150,000. But gone on with from there, against that D, at the full rate
# again, with mixed styles throughout and γ from 2 to 1: 481, 472, 443, 445, 416, 413 and 405 after every 20,000, and
# 386 after 160,000 (the rate cooled from 105,000 on). With coarse, middle and fine styles of another portrait 427, 484
# and 441, where 492, 583 and 533 had been (2,000 pictures each, with fresh noise). Before it, what separated the
# portraits from real ones was their variety, 64 % of the variance of real features, and not their grain: noise that
# makes real portraits 1.2 times as sharp changes their distance by less than 1.
MAPPING_RATE_ON = 0.1
STYLE_ON = ON | {"images": 200_000, "batch": 8, "lr": 2e-3, "r1_gamma": 4.0, "mix_last": 0.2}
PORTRAIT_ON = ON | {"images": 325_000, "batch": 8, "r1_gamma": 3.0, "r1_gamma_end": 1.0, "noise_rate": 0.01,
                    "d_first": 24_000}


def scenes_stylegan(folder: Path, **options) -> dict | None:
    """Chapter 2's villages, drawn from styles; gone on with, f learns faster and styles are mixed at the end alone."""
    style = replace(STYLE, mapping_rate=MAPPING_RATE_ON) if options.get("start") else STYLE
    return grow("scenes-stylegan", lambda: (stylegan.Generator(style), stylegan.Discriminator(style)), Scenes,
                "scenes-segmenter", STYLE_SETTINGS, folder, on=STYLE_ON, **options)


def portraits_stylegan(folder: Path, **options) -> dict | None:
    """Chapter 2's faces, drawn from styles; gone on with, f learns faster and D is larger, 128 units up to 16×16."""
    drawn, judged = PORTRAIT, PORTRAIT
    if options.get("start"):
        drawn, judged = replace(PORTRAIT, mapping_rate=MAPPING_RATE_ON), replace(PORTRAIT, fmap_max=128)
    return grow("portraits-stylegan", lambda: (stylegan.Generator(drawn), stylegan.Discriminator(judged)),
                Portraits, "portraits-classifier", PORTRAIT_SETTINGS, folder, on=PORTRAIT_ON, **options)


RECIPES = {"scenes-progan": scenes_progan, "scenes-stylegan": scenes_stylegan, "portraits-stylegan": portraits_stylegan}
