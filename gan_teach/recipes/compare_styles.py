"""The paper's tables in small: style generators that differ in one thing, trained equally, over seeds.

    python -m gan_teach compare styles           ten variants × 2 seeds, portraits of 32×32

    A to F      one change after the other                                     Table 1: Fréchet distance
    E, F, …     share of batches with mixed styles: 0, 50, 90, 100 %            Table 2: and with 1 to 4 latents
    D, E, F     without noise, with it, and with mixing                        Table 3: path length, separability
    F, …        mapping networks of 0, 2 and 8 layers                           Table 4: the same

Karras et al. 2018 (arXiv 1812.04948) show one run of each. The record is one JSON file, written after each run: a
stopped comparison goes on with the run, and within it with the step, that it was in.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from math import inf
from pathlib import Path
from statistics import fmean, stdev

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from .. import checkpoints, stylegan
from ..files import expanded
from ..language import columns, pad, say
from ..limits import whole
from ..networks.classifier import Classifier
from ..pictures import to_float
from ..stylegan.generator import StyleGANConfig, configuration
from ..stylegan.mixing_and_noise import mixing_distances
from ..stylegan.path_length import path_length
from ..stylegan.separability import linear_separability
from ..stylegan.prepared import prepared
from ..training import Schedule, Settings
from ..worlds.portraits import Portraits
from .sharing import share_out, trained

NAME = "stylegan-configurations"
SIZE = {"resolution": 32, "fmap_base": 512, "fmap_max": 64}
VARIANTS: dict[str, StyleGANConfig] = {
    **{letter: configuration(letter, **SIZE) for letter in "ABCDEF"},
    "F, mixing 50 %": configuration("F", **SIZE, mixing=0.5),
    "F, mixing 100 %": configuration("F", **SIZE, mixing=1.0),
    "F, mapping 0": configuration("F", **SIZE, mapping_layers=0),
    "F, mapping 2": configuration("F", **SIZE, mapping_layers=2)}
SETTINGS = Settings(images=32_000, batch=16, lr=4e-3, r1_gamma=10.0, r1_grows=True, r2=True, noise_rate=0.01,
                    schedule=Schedule(fade={8: 2_000, 16: 3_000, 32: 4_000}, stable={4: 2_000, 8: 3_000, 16: 6_000}))
PICTURES = 40_000           # training portraits, seed 0
ASKED = ("glasses", "hat", "beard", "turn", "light")          # what separability is asked for


def enlarging(classifier: Classifier) -> Classifier:
    """The classifier of 64×64 portraits, from now on looking at smaller ones through a magnifying glass."""
    classifier.down[0] = torch.nn.Sequential(torch.nn.Upsample((64, 64), mode="bilinear"), classifier.down[0])
    return classifier


def measure(G: stylegan.Generator, real: Tensor, eyes: Classifier, mixed: bool, spaces: bool, pairs: int = 1000,
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
    folder, seeds = expanded(folder), whole("seeds", seeds, 1)
    path = folder / f"{NAME}.json"
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
    eyes = enlarging(checkpoints.load("portraits-classifier", device))

    def make(run: tuple[int, str]) -> Iterator[dict | None]:
        seed, name = run
        training = next(trained(stylegan, variants[name], learnt, replace(settings, seed=seed), device,
                                folder / f"{name}, seed {seed}", [settings.images]))
        if training is None:
            yield None                                                  # and is asked for no more
        found = measure(training.G_ema, real.to(training.device), eyes, name in SHARES.values(),
                        name in (*NOISY, *DEPTHS.values()), **measures)
        yield {"frechet_distance": found["mixing"][0], **found, "seconds": round(training.seconds)}

    def keep(run: tuple[int, str], found: dict) -> None:
        row = record["configurations"].setdefault(run[1], {key: [] for key in (
            "frechet_distance", "mixing", "path_length", "separability", "seconds")})
        for key, value in found.items():
            row[key].append(value)

    return record if share_out(path, record, todo, make, keep) else None


# ------------------------------------------------------------------------------------------ what a record says

CHANGES = {"A": "a progressive GAN", "B": "+ bilinear sampling", "C": "+ mapping and styles", "D": "+ constant input",
           "E": "+ noise", "F": "+ mixing in training"}
SHARES = {"0 %": "E", "50 %": "F, mixing 50 %", "90 %": "F", "100 %": "F, mixing 100 %"}
NOISY = {"D": "without noise", "E": "+ noise", "F": "+ mixing in training"}
DEPTHS = {"0": "F, mapping 0", "2": "F, mapping 2", "8": "F"}

# The paper's figures, all on FFHQ: FID; path length in W, full and end; separability in W (its nats as exp).
TABLE_1 = {"A": 8.04, "B": 5.25, "C": 4.85, "D": 4.88, "E": 4.42, "F": 4.40}
TABLE_2 = {"0 %": (4.42, 8.22, 12.88, 17.41), "50 %": (4.41, 6.10, 8.71, 11.61), "90 %": (4.40, 5.11, 6.88, 9.03),
           "100 %": (4.83, 5.17, 6.63, 8.40)}
TABLE_3 = {"D": (446.2, 376.6, 3.61), "E": (200.5, 160.6, 3.54), "F": (234.0, 195.9, 3.79)}
TABLE_4 = {"0": (5.06, 283.5, 9.88), "2": (4.43, 217.8, 6.25), "8": (4.40, 234.0, 3.79)}     # FID, full, separability


def mean_and_spread(values: list[float]) -> str:
    """Mean ± standard deviation over the seeds; one seed has no spread, and none has no figure."""
    return f"{fmean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}" if values else "–"


def measured(row: dict, key: str) -> list[float]:
    """A figure of a row for each seed: "distance", "distance 4" (with four latents), "w full", "w" (separability)."""
    kind, _, part = key.partition(" ")
    if kind == "distance":
        return [each[int(part or 1) - 1] for each in row["mixing"] if len(each) >= int(part or 1)]
    return [each[key] for each in row["path_length" if part else "separability"]]


def lines(record: dict) -> Iterator[str]:
    """The four tables as text, here beside the paper; a row that the record does not hold is left out."""
    rows = record["configurations"]
    yield columns(("Table 1 · Fréchet distance", -26), ("here", 24), ("paper (FID)", 14))
    for letter in (letter for letter in CHANGES if letter in rows):
        ours = mean_and_spread(measured(rows[letter], "distance"))
        yield f"  {letter} {pad(say(CHANGES[letter]), 24)}{ours:>23}{TABLE_1[letter]:>14.2f}"
    yield "\n" + say("Table 2 · the same, by mixed batches in training (rows) and latents in a picture (columns)")
    yield f"  {'':14}" + "".join(f"{n:>16}" for n in (1, 2, 3, 4))
    for share, name in SHARES.items():
        if name in rows:
            ours = (mean_and_spread(measured(rows[name], f"distance {n}")) for n in (1, 2, 3, 4))
            yield f"  {share:>6} {pad(say('here'), 7)}" + "".join(f"{each:>16}" for each in ours)
            yield f"  {'':6} {pad(say('paper'), 7)}" + "".join(f"{each:>16.2f}" for each in TABLE_2[share])
    yield "\n" + columns(("Table 3 · noise", -15), ("path in W, full", 37), ("path in W, end", 24),
                         ("separable in W", 22))
    yield from beside(rows, [(f"{name} {say(words)}", name, TABLE_3[name]) for name, words in NOISY.items()],
                      ("w full", "w end", "w"))
    yield "\n" + columns(("Table 4 · mapping layers", -24), ("distance", 28), ("path in W, full", 24),
                         ("separable in W", 22))
    yield from beside(rows, [(depth, name, TABLE_4[depth]) for depth, name in DEPTHS.items()],
                      ("distance", "w full", "w"))
    yield "  " + say("(The paper's row 0 is measured in Z; without a mapping W is Z but for its length.)")
    hours = sum(second for row in rows.values() for second in row["seconds"]) / 3600
    yield "\n" + say("A figure without ± is of one seed. All trainings together took {hours:.1f} hours.", hours=hours)


def beside(rows: dict, wanted: list[tuple[str, str, tuple]], keys: tuple[str, ...]) -> Iterator[str]:
    """Lines of a table: ours and the paper's figure in each column."""
    yield columns(("", 26), *(("here", 15), ("paper", 8)) * len(keys))
    for words, name, paper in wanted:
        if name in rows:
            ours = (mean_and_spread(measured(rows[name], key)) for key in keys)
            yield f"  {pad(words, 24)}" + "".join(f"{a:>15}{b:>8.2f}" for a, b in zip(ours, paper))


CURVES = {      # what a panel of `table_figure` shows: from left to right a row, its figure, and the paper's
    "Table 1: distance, by network": {x: (x, "distance", fid) for x, fid in TABLE_1.items()},
    "Table 2: distance, by latents (E)": {n: ("E", f"distance {n}", x) for n, x in enumerate(TABLE_2["0 %"], 1)},
    "Table 2: 4 latents, by mixing": {x: (name, "distance 4", TABLE_2[x][3]) for x, name in SHARES.items()},
    "Table 3: path in W, by network": {x: (x, "w full", found[0]) for x, found in TABLE_3.items()},
    "Table 4: distance, by mapping layers": {x: (name, "distance", TABLE_4[x][0]) for x, name in DEPTHS.items()},
    "Table 4: cuts in W, by mapping layers": {x: (name, "w", TABLE_4[x][2]) for x, name in DEPTHS.items()}}


def table_figure(record: dict) -> Figure:
    """The four tables as curves: ours with a dot for each seed, and the paper's on a scale of its own, at the right."""
    figure = Figure(figsize=(9.8, 5.4), layout="constrained")
    for ax, (title, places) in zip(figure.subplots(2, 3).flat, CURVES.items()):
        theirs, = ax.twinx().plot([paper for *_, paper in places.values()], "--s", color="black",
                                  label="the paper (right scale)")
        ours = [measured(record["configurations"][name], key) for name, key, _ in places.values()]
        for x, seeds in enumerate(ours):
            ax.plot([x] * len(seeds), seeds, "o", color="tab:orange")
        means, = ax.plot([*map(fmean, ours)], color="tab:orange",
                         label="here: a dot for each seed, a line through their means (left scale)")
        ax.set_xticks(range(len(places)), places)
        ax.set_title(title, fontsize=11)
        ax.set(zorder=1, facecolor="none")                                         # so that no dot of ours is covered
    figure.get_layout_engine().set(h_pad=0.12)
    figure.legend(handles=[means, theirs], loc="outside upper center", ncols=2)
    return figure


CLAIMS = {      # what the paper found, from which row's figure to which row's; and the paper's two values
    "distance: A → B, bilinear sampling": (("A", "distance"), ("B", "distance"), (TABLE_1["A"], TABLE_1["B"])),
    "distance: B → F, all the rest": (("B", "distance"), ("F", "distance"), (TABLE_1["B"], TABLE_1["F"])),
    "distance: 1 → 4 latents, each network of Table 2": (
        ("", "distance"), ("", "distance 4"), tuple(map(fmean, zip(*TABLE_2.values())))[::3]),
    "distance with 4 latents: mixed 0 → 90 %": (
        ("E", "distance 4"), ("F", "distance 4"), (TABLE_2["0 %"][3], TABLE_2["90 %"][3])),
    "path in W: D → E, noise": (("D", "w full"), ("E", "w full"), (TABLE_3["D"][0], TABLE_3["E"][0])),
    "distance: mapping 0 → 8 layers": (
        ("F, mapping 0", "distance"), ("F", "distance"), (TABLE_4["0"][0], TABLE_4["8"][0])),
    "path: mapping 0 → 8 layers, in Z → in W": (
        ("F, mapping 0", "z full"), ("F", "w full"), (TABLE_4["0"][1], TABLE_4["8"][1])),
    "separability: mapping 0 → 8 layers, in Z → in W": (
        ("F, mapping 0", "z"), ("F", "w"), (TABLE_4["0"][2], TABLE_4["8"][2]))}


def verdicts(record: dict) -> Iterator[str]:
    """Claim by claim: the paper's change, ours, and whether they agree; what the record cannot answer is left out.

    "opposite" and "as in the paper" where the change is larger than the spreads of both ends together, else, and where
    an end has a single seed, "too small to tell": one line each. Where both ends are the same networks (""), theirs is
    the spread of the changes, network by network. A weak rule, said at the end: the change of two means of two normal
    draws each is larger than that in 0.22 of all cases where nothing has changed.
    """
    rows = record["configurations"]
    same = [rows[name] for name in SHARES.values() if name in rows and measured(rows[name], "distance 4")]
    yield columns(("", 54), ("paper", 16), ("here", 16))
    for words, ((start, first), (end, last), paper) in CLAIMS.items():
        before, after = ([value for row in ([rows[name]] if name in rows else [] if name else same)
                          for value in measured(row, key)] for name, key in ((start, first), (end, last)))
        if before and after:
            changes = [[b - a for a, b in zip(before, after)]] if not start else [before, after]
            spread = sum(stdev(values) if len(values) > 1 else inf for values in changes)
            change = fmean(after) - fmean(before)
            agree = say("as in the paper" if change * (paper[1] - paper[0]) > 0 else "opposite")
            verdict = agree if abs(change) > spread else say("too small to tell")
            theirs, ours = (" → ".join(f"{x:.2f}" if x < 20 else f"{x:.1f}" for x in ends)
                            for ends in (paper, (fmean(before), fmean(after))))
            yield f"{pad(say(words), 54)}{theirs:>16}{ours:>16}   {verdict}"
    yield say("(Where nothing has changed, chance alone makes such a verdict of two seeds in one case of five.)")
