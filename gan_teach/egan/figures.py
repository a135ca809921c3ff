"""Chapter 3's films, figures and tables: evolutions to look at, verdicts with their scatter, comparisons and bills.

Everything is computed elsewhere (`plane`, `egan`, and the `records` of comparisons); here it is put
before the eyes. A figure is a matplotlib figure for `pictures.chart`, a table is Markdown. Each method has one colour
and one marker throughout. Taught in notebooks/03_evolutionary_gan.ipynb.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from torch import Tensor
from tqdm.auto import tqdm

from .. import files
from ..networks.layers import one_thread, sample_z
from ..pictures import Table, show
from . import plane, records
from .child import Mutation, name_of, slope
from .evolution import Evolution, Generation, Settings
from .fitness_and_selection import Fitness
from .laboratory import branch

# The mutations have the colours and signs of the panels; E-GAN is a winner: green, with a star.
LOOKS = {"minimax": ("#5e2a84", "o"), "heuristic": ("#c93a75", "^"), "least_squares": ("#1a9fb5", "s"),
         "E-GAN": ("#1b7f2a", "*"), "random": ("black", "x"), "worst": ("dimgrey", "v"),
         "plain D": ("#d07a00", "<"), "paper's D and Adam": ("#7f7f7f", ">"), "momentum": ("#3f6fd0", "p"),
         "3 × heuristic": ("#8a6d1f", "D"), "WGAN-GP": ("#a05a2c", "P")}
AXES = {"generation": "generations", "cpu_seconds": "CPU seconds"}


# ------------------------------------------------------------------------------------------ films on the plane

class Film(NamedTuple):
    """An evolution, and how its survivor looked and measured at some generations."""

    evolution: Evolution
    stops: tuple[int, ...]
    pictures: list[np.ndarray]
    measures: list[plane.Measures]


def look(evolution: Evolution, mixture: plane.Mixture, n: int = 400) -> np.ndarray:
    """The first survivor's samples among real ones, on D's field."""
    with torch.no_grad():
        fake = evolution.G(sample_z(n, evolution.G.z_dim, seed=1))
    return plane.picture(fake, mixture(160, torch.Generator().manual_seed(0)), plane.field(evolution.D))


def film(settings: Settings, seed: int = 0, stops: Sequence[int] = (100, 300, 600),
         mixture: plane.Mixture | None = None) -> Film:
    """Evolve on the plane from this seed to the last of the stops, and look at each. On one thread; if it takes over a
    second, under a bar.
    """
    mixture = mixture or plane.ring()
    found = Film(plane.start(replace(settings, seed=seed)), tuple(stops), [], [])
    with one_thread(), tqdm(total=stops[-1], desc=f"seed {seed}", unit=" generations", leave=False, delay=1) as bar:
        for stop in stops:
            while found.evolution.generation < stop:
                found.evolution.step(mixture)
                bar.update()
            found.pictures.append(look(found.evolution, mixture))
            found.measures.append(plane.measure(mixture, found.evolution.G))
    return found


def say(measures: plane.Measures) -> str:
    """The three measures in a line."""
    return f"modes {measures.modes}   quality {measures.high_quality:4.0%}   MMD² {measures.mmd2:.3f}"


def _modes(measures) -> str:
    return "1 mode" if measures.modes == 1 else f"{measures.modes} modes"


def strips(films: Sequence[Film], alt: str, width: int = 210) -> Table:
    """A row of pictures for each film; the title says the seed, the generation and the modes."""
    return show([f.pictures for f in films], width=width, alt=alt,
                titles=[[f"seed {f.evolution.settings.seed}, step {stop}: {_modes(m)}"
                         for stop, m in zip(f.stops, f.measures)] for f in films])


def ends(films: dict[str, Sequence[Film]], alt: str, width: int = 210) -> Table:
    """The last pictures: a column for each method, a row for each seed. Prints the measures, a line for each."""
    for name, several in films.items():
        for f in several:
            print(f"{name:16} seed {f.evolution.settings.seed}   {say(f.measures[-1])}")
    rows = list(zip(*films.values()))
    return show([[f.pictures[-1] for f in row] for row in rows], width=width, alt=alt,
                titles=[[f"{name}: {_modes(f.measures[-1])}" for name, f in zip(films, row)] for row in rows])


def judged(settings: Settings = plane.SETTINGS, generations: int = 300, mixture: plane.Mixture | None = None
           ) -> Evolution:
    """An evolution on the plane that has lived so long, and stands before its next selection: D has learnt once more,
    the children are made and judged. Always the same for the same settings; a copy, so that it is there at once the
    second time.
    """
    return copy.deepcopy(_judged(settings, generations, mixture or plane.ring()))


@lru_cache(maxsize=8)
def _judged(settings: Settings, generations: int, mixture: plane.Mixture) -> Evolution:
    evolution = film(settings, settings.seed, (generations,), mixture).evolution
    with one_thread():
        evolution.train_d(mixture)
        evolution.vary()
        evolution.evaluate()
    return evolution


def fates(evolution: Evolution, mixture: plane.Mixture, generations: int = 60) -> list[Evolution]:
    """What became of each child, had it been selected: as many evolutions, from one state and with the same draws.

    Call it between `evaluate` and `select`; the evolution itself is left as it is. Later choices are by F.
    """
    def lived(child: int) -> Evolution:
        twin = branch(evolution, child)
        for _ in range(generations):
            twin.step(mixture)
        return twin

    with one_thread():
        return [lived(child) for child in tqdm(range(len(evolution.children)), desc="lives", leave=False, delay=1)]


# ------------------------------------------------------------------------------------------ losses

STYLES = (("#5e2a84", "-", "o"), ("#c93a75", "--", "^"), ("#1a9fb5", ":", "s"), ("#8a6d1f", "-.", "D"))


def losses_figure(mutations: Sequence[Mutation], logits: Tensor | None = None) -> Figure:
    """The losses M, and how strongly each pulls at one sample, |∂M/∂l|, against D(G(z)): the paper's figure 2.

    logits: D's verdicts on a batch of fakes; where they are given, a grey histogram shows where in the charts that
    generator is.
    """
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    p = torch.linspace(0.01, 0.99, 99)
    if logits is not None:
        bars = right.twinx()
        bars.hist(logits.detach().sigmoid().numpy(), 25, range=(0, 1), color="#8a8f98", alpha=0.35)
        bars.set(yticks=[])
    for mutation, (colour, dash, marker) in zip(mutations, STYLES):
        each = [logit[None] for logit in p.logit()]
        look = {"color": colour, "linestyle": dash, "marker": marker, "markevery": 14, "linewidth": 2.2}
        left.plot(p, [float(mutation(x).detach()) for x in each], label=name_of(mutation).replace("_", " "), **look)
        right.plot(p, [abs(float(slope(mutation, x))) for x in each], **look)
    left.set(title="the loss M", xlabel="D(G(z)): 0 surely a fake, 1 taken for real", ylim=(-2.4, 2.4))
    right.set(title="how strongly it pulls, |∂M/∂l|", xlabel="D(G(z))")
    left.legend()
    return figure


def picks(lineage: Sequence[Generation], parts: int = 3) -> str:
    """How often each mutation made the survivor, in equal parts of a run: a table; last the paper's, on CIFAR-10."""
    if not lineage:
        raise ValueError("nothing has been selected yet: the lineage is empty")
    names, size = list(dict.fromkeys(name for g in lineage for name in g.mutations)), len(lineage) / parts
    rows = [("generations", *names)]
    for k in range(parts):
        these = lineage[round(k * size):round((k + 1) * size)]
        rows.append((f"{these[0].number} to {these[-1].number}",
                     *(f"{sum(g.winner == name for g in these) / len(these):.0%}" for name in names)))
    theirs = [PAPER_PICKS.get(name.removeprefix("my_")) for name in names]
    if all(theirs):
        rows += [(title, *(f"{shares[k]:.0%}" for shares in theirs))
                 for k, title in ((0, "paper, first 20,000"), (-1, "paper, last 20,000"))]
    return markdown(rows)


# The paper's figure 4, on CIFAR-10, read by eye: of each 20,000 of 100,000 generations, the share of each mutation.
PAPER_PICKS = {"minimax": (0.255, 0.295, 0.325, 0.34, 0.35), "heuristic": (0.39, 0.32, 0.315, 0.31, 0.30),
               "least_squares": (0.355, 0.385, 0.355, 0.35, 0.345)}


# ------------------------------------------------------------------------------------------ verdicts

def _mark(name: str) -> dict:
    colour, marker = LOOKS.get(name.removeprefix("my_"), ("black", "."))
    return {"color": colour, "marker": marker, "label": name}


def gamma_figure(names: Sequence[str], scores: Sequence[Fitness], largest: float = 1.0) -> Figure:
    """F = F_q + γ F_d of each child against γ: straight lines; where two cross, the choice changes."""
    figure = Figure(figsize=(6.5, 3))
    ax = figure.subplots()
    gammas = np.linspace(0, largest, 21)
    for name, f in zip(names, scores):
        ax.plot(gammas, f.quality + gammas * f.diversity, markevery=5, **_mark(name))
    ax.set(xlabel="γ", ylabel="F = F_q + γ F_d")
    ax.legend()
    return figure


def luck_figure(names: Sequence[str], verdicts: Tensor) -> Figure:
    """Every verdict of `plane.luck`, times × children × (F_q, F_d, F), beside its mean and standard deviation."""
    figure = Figure(figsize=(9.5, 2.8))
    scatter = np.linspace(-0.25, 0.05, len(verdicts))
    for k, (ax, title) in enumerate(zip(figure.subplots(1, 3), ("quality F_q", "diversity F_d", "F = F_q + γ F_d"))):
        for i, name in enumerate(names):
            these = verdicts[:, i, k].double()
            ax.scatter(i + scatter, these, color=_mark(name)["color"], marker=_mark(name)["marker"], s=14, alpha=0.5)
            ax.errorbar(i + 0.2, these.mean(), these.std(), color="black", marker=_mark(name)["marker"], capsize=5)
        ax.set(title=title, xticks=range(len(names)), xticklabels=[name.replace("_", " ") for name in names])
    figure.tight_layout()
    return figure


# ------------------------------------------------------------------------------------------ comparisons on the plane

def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


def _with_error(cell: dict, digits: int) -> str:
    return f"{cell['mean']:.{digits}f} ± {cell['error']:.{digits}f}"


def worth(record: dict, name: str = "ring", where: str = "equal generations", reference: str = "E-GAN") -> str:
    """The table of a plane comparison: mean ± standard error of the seeds, and in how many the reference is better."""
    seeds = len(next(iter(record["runs"][name].values())))
    rows = [(f"{name}, {where}", "generations", "ms each", "modes", "quality", "MMD²",
             f"{reference} has the lower MMD²")]
    for variant, row in record["tables"][name].items():
        m = row[where]
        better = "" if variant == reference else f"in {m['mmd2']['reference_better']} of {seeds} seeds"
        rows.append((variant, str(m["generation"]), f"{row['ms_per_generation']:.1f}", _with_error(m["modes"], 1),
                     _with_error(m["high_quality"], 2), _with_error(m["mmd2"], 4), better))
    return markdown(rows)


def worth_figure(record: dict, name: str = "ring", measure: str = "mmd2", variants: Sequence[str] = tuple(LOOKS)
                 ) -> Figure:
    """A measure against generations and against CPU seconds: mean and standard deviation over the seeds."""
    figure = Figure(figsize=(9.2, 3.3))
    axes = figure.subplots(1, 2, sharey=True)
    for ax, against in zip(axes, AXES):
        for variant in (v for v in variants if v in record["runs"][name]):
            x, mean, spread = records.curve(record, name, variant, measure, against)
            ax.errorbar(x, mean, spread, capsize=2, elinewidth=0.6, **_mark(variant))
        ax.set(xlabel=AXES[against])
    words = {"mmd2": "MMD² (lower is better)", "high_quality": "quality (higher is better)"}
    axes[0].set(ylabel=words.get(measure, measure))
    axes[1].legend(fontsize=9)
    figure.tight_layout()
    return figure


def robustness(record: dict, measure: str = "mmd2", where: str = "equal generations") -> str:
    """A table with a row for each pair of networks; bold is the best of a row."""
    bodies = record["tables"]
    names = list(next(iter(bodies.values())))
    rows = [({"mmd2": "MMD²"}.get(measure, measure), *names)]
    for body, row in bodies.items():
        cells = {name: row[name][where][measure] for name in names}
        best = (min if measure == "mmd2" else max)(cells, key=lambda name: cells[name]["mean"])
        rows.append((body, *(("**{}**" if name == best else "{}").format(_with_error(cell, 4))
                             for name, cell in cells.items())))
    return markdown(rows)


# ------------------------------------------------------------------------------------------ comparisons on pictures

def rivals(data: str, folder: Path | None = None) -> dict[str, dict]:
    """The records of all generators that were evolved on these pictures, such as "fashion-egan", E-GAN's first."""
    folder = folder or files.data_folder()
    found = {path.stem: files.read_json(path) for path in sorted(folder.glob(f"{data}-*.json"))}
    found = {name: record for name, record in found.items() if "curve" in record}
    return dict(sorted(found.items(), key=lambda pair: not pair[0].endswith("-egan")))


def _at(record: dict, end: dict, axis: str) -> dict:
    """The row of a record's curve that is nearest to E-GAN's last on this axis."""
    return min(record["curve"], key=lambda row: abs(row[axis] - end[axis]))


def bill(found: dict[str, dict]) -> str:
    """The table of `rivals`: the judge's figures after as many generations, and as many CPU seconds, as E-GAN has had.

    Fréchet distance and, where the pictures have classes, the classifier's score; the same of real pictures below.
    """
    egan = next(iter(found.values()))
    end = egan["curve"][-1]

    def cell(row: dict, of: str = "") -> str:
        return " / ".join(f"{row[key + of]:.2f}" for key in ("frechet_distance", "classifier_score") if key + of in row)

    both = " / score" if "classifier_score" in end else ""
    rows = [("", f"Fréchet distance{both}, equal generations", "equal compute", "CPU s a 1000 generations", "winners")]
    for name, record in found.items():
        last = record["curve"][-1]
        cells = [f"{cell(row)} (at {row['generation']})" for row in (_at(record, end, axis) for axis in AXES)]
        won = ", ".join(f"{mutation} {share:.0%}" for mutation, share in record["won"].items())
        rows.append((name, *cells, f"{1000 * last['cpu_seconds'] / last['generation']:.0f}", won))
    if "frechet_distance_of_real_pictures" in egan:
        rows.append(("real pictures", cell(egan, "_of_real_pictures"), "", "", ""))
    return markdown(rows)


def _kind(name: str) -> str:
    """What a generator such as "fashion-plain-d" is called in LOOKS."""
    rival = name.split("-", 1)[1]
    return {"egan": "E-GAN", "plain-d": "plain D", "paper": "paper's D and Adam"}.get(rival, rival.replace("-", "_"))


def bill_figure(found: dict[str, dict]) -> Figure:
    """Fréchet distance of `rivals` against generations and CPU seconds."""
    figure = Figure(figsize=(9.2, 3), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for name, record in found.items():
        kind = _kind(name)
        for ax, axis in zip(axes, AXES):
            ax.plot([row[axis] for row in record["curve"]], [row["frechet_distance"] for row in record["curve"]],
                    **_mark(kind))
            ax.set(xlabel=AXES[axis], yscale="log")
    axes[0].set(ylabel="Fréchet distance, our judge")
    axes[0].yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}", minor_formatter="")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def score_figure(found: dict[str, dict]) -> Figure:
    """The classifier's score of `rivals` against generations, beside that of the real pictures at hand."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    ax = figure.subplots()
    scored = {name: record for name, record in found.items() if "classifier_score" in record["curve"][-1]}
    for name, record in scored.items():
        curve = record["curve"]
        ax.plot([row["generation"] for row in curve], [row["classifier_score"] for row in curve], **_mark(_kind(name)))
    real = next(iter(scored.values()))["classifier_score_of_real_pictures"]
    ax.axhline(real, color="#005ab5", linewidth=2, linestyle="--", label="real pictures")
    ax.set(xlabel="generations", ylabel="score (higher is better)")
    ax.legend(loc="lower right", ncols=2)
    return figure
