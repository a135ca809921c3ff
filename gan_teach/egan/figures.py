"""Chapter 3's films and figures: evolutions to look at, the three losses, verdicts with their scatter.

Everything is computed elsewhere (`plane`, `evolution`); here it is put before the eyes. A figure is a matplotlib figure
for `pictures.chart`, a table is Markdown. Each method has one colour and one marker throughout. Taught in
notebooks/03_evolutionary_gan.ipynb.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm.auto import tqdm

from ..language import minus, pad, say, told, typeset
from ..limits import whole
from ..networks.device import one_thread
from ..networks.layers import sample_z
from ..pictures import Table, show
from ..worlds.gaussians import Mixture, ring
from . import plane
from .child import Mutation, name_of, slope
from .evolution import Evolution, Generation
from .settings import Settings
from .fates import branch
from .fitness_and_selection import Fitness

# The mutations have the colours and signs of the panels; E-GAN is a winner: green, with a star.
LOOKS = {"minimax": ("#5e2a84", "o"), "heuristic": ("#c93a75", "^"), "least_squares": ("#1a9fb5", "s"),
         "E-GAN": ("#1b7f2a", "*"), "random": ("black", "x"), "worst": ("dimgrey", "v"),
         "plain-d": ("#8c1c13", "<"), "paper": ("#7f7f7f", ">"), "momentum": ("#b45fd0", "p"),
         "3 × heuristic": ("#8a6d1f", "D"), "WGAN-GP": ("#a05a2c", "P")}


# ------------------------------------------------------------------------------------------ films on the plane

class Film(NamedTuple):
    """An evolution, and how its survivor looked and measured at some generations."""

    evolution: Evolution
    stops: tuple[int, ...]
    pictures: list[np.ndarray]
    measures: list[plane.Measures]


def look(evolution: Evolution, mixture: Mixture) -> np.ndarray:
    """The first survivor's samples among real ones, on D's field."""
    with torch.no_grad():
        fake = evolution.G(sample_z(400, evolution.G.z_dim, seed=1))
    return plane.picture(fake, mixture(160, torch.Generator().manual_seed(0)), plane.field(evolution.D))


def film(settings: Settings, seed: int = 0, stops: Sequence[int] = (100, 300, 600),
         mixture: Mixture | None = None) -> Film:
    """Evolve on the plane from this seed to the last of the stops, and look at each. On one thread; if it takes over a
    second, under a bar.
    """
    mixture, stops = mixture or ring(), sorted({whole("a stop", stop) for stop in stops})
    if not stops:
        raise ValueError("stops are the generations to look at, such as (100, 300, 600); got none")
    found = Film(plane.start(replace(settings, seed=seed)), tuple(stops), [], [])
    bar = tqdm(total=stops[-1], desc=told(f"seed {seed}"), unit=say(" generations"), leave=False, delay=1)
    with one_thread(), bar:
        for stop in stops:
            while found.evolution.generation < stop:
                found.evolution.step(mixture)
                bar.update()
            found.pictures.append(look(found.evolution, mixture))
            found.measures.append(plane.measure(mixture, found.evolution.G))
    return found


def in_a_line(measures: plane.Measures) -> str:
    """The three measures in a line."""
    return minus(say("modes {modes}   quality {quality:4.0%}   MMD² {mmd2:.3f}", modes=measures.modes,
                     quality=measures.high_quality, mmd2=measures.mmd2))


def _modes(measures) -> str:
    n = measures.modes
    return say("1 mode") if n == 1 else say("{n} modes", n=n)


def strips(films: Sequence[Film], alt: str) -> Table:
    """A row of pictures for each film; the title says the seed, the generation and the modes."""
    return show([f.pictures for f in films], width=210, alt=alt,
                titles=[[say("seed {seed}, step {step}: {modes}", seed=f.evolution.settings.seed, step=stop,
                             modes=_modes(m)) for stop, m in zip(f.stops, f.measures)] for f in films])


def ends(films: dict[str, Sequence[Film]], alt: str, width: int = 210) -> Table:
    """The last pictures: a column for each method, a row for each seed; last an even circle, which nobody has trained.
    Prints the measures, a line for each.
    """
    films = {told(typeset(name)): several for name, several in films.items()}
    rows, ruler = list(zip(*films.values())), say("even circle")
    circles = [plane.even_circle(1000, seed) for seed in range(len(rows))]
    for name, several in films.items():
        for f in several:
            print(f"{pad(name, 16)} {say('seed')} {f.evolution.settings.seed}   {in_a_line(f.measures[-1])}")
    even = [plane.measures(ring(), circle) for circle in circles]
    for seed, measures in enumerate(even):
        print(f"{pad(ruler, 16)} {say('seed')} {seed}   {in_a_line(measures)}")
    real = ring()(160, torch.Generator().manual_seed(0))
    return show([[*(f.pictures[-1] for f in row), plane.picture(circle[:400], real)]
                 for row, circle in zip(rows, circles)], width=width, alt=alt,
                titles=[[say("{name}: {modes}", name=name, modes=_modes(measures)) for name, measures in
                         zip([*films, ruler], [*(f.measures[-1] for f in row), untrained])]
                        for row, untrained in zip(rows, even)])


def judged(settings: Settings = plane.SETTINGS, generations: int = 300, mixture: Mixture | None = None) -> Evolution:
    """An evolution on the plane that has lived so long, and stands before its next selection: D has learnt once more,
    the children are made and judged. Always the same for the same settings; a copy, so that it is there at once the
    second time.
    """
    return copy.deepcopy(_judged(settings, generations, mixture or ring()))


@lru_cache(maxsize=8)
def _judged(settings: Settings, generations: int, mixture: Mixture) -> Evolution:
    evolution = film(settings, settings.seed, (generations,), mixture).evolution
    with one_thread():
        evolution.train_d(mixture)
        evolution.vary()
        evolution.evaluate()
    return evolution


def fates(evolution: Evolution, mixture: Mixture, generations: int = 60) -> list[Evolution]:
    """What became of each child, had it been selected: as many evolutions, from one state and with the same draws.

    Call it between `evaluate` and `select`; the evolution itself is left as it is. Later choices are by F.
    """
    def lived(child: int) -> Evolution:
        twin = branch(evolution, child)
        for _ in range(generations):
            twin.step(mixture)
        return twin

    children = tqdm(range(len(evolution.children)), desc=say("lives"), leave=False, delay=1)
    with one_thread():
        return [lived(child) for child in children]


@torch.no_grad()
def moves_figure(evolution: Evolution, mixture: Mixture, times: float = 4, dots: int = 60) -> Figure:
    """Where each child has carried the same of its parent's dots, as lines, `times` as long to be seen; on D's field.

    Call it between `vary` and `select`. Of several parents it shows the first, and that one's children.
    """
    z = sample_z(dots, evolution.G.z_dim, seed=2)
    before = evolution.G(z)                                                     # (dots, 2)
    figure = Figure(figsize=(6.2, 6.6), layout="constrained")
    ax = figure.subplots()
    ax.imshow(plane.field(evolution.D), cmap="gray", vmin=-0.6, vmax=1.03, extent=(-2.2, 2.2) * 2)
    ax.plot(*zip(*mixture.centres), "+", color="#005ab5", markersize=14, markeredgewidth=3, zorder=3,
            label="a real place")
    for child in evolution.children:
        if child.parent:
            continue
        after, look = before + times * (child.G(z) - before), mark(child.mutation)
        ax.plot(*torch.stack((before, after)).permute(2, 0, 1), color=look["color"], linewidth=1.6)   # 2 ends × dots
        ax.plot(*after.T, linestyle="", markersize=6, **look)
    ax.plot(*before.T, ".", color="black", label="parent")
    ax.set(xticks=[], yticks=[], xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    figure.legend(loc="outside lower center", ncols=3)
    return figure


# ------------------------------------------------------------------------------------------ losses

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
        counts, *_ = bars.hist(logits.detach().sigmoid().numpy(), 25, range=(0, 1), color="#8a8f98", alpha=0.5,
                               label="samples of G (no scale)")
        bars.set(yticks=[], ylim=(0, 5 * counts.max()))                         # in the lowest fifth
        bars.legend(loc="upper center")
        right.set(zorder=1, facecolor="none")                                   # the curves before the bars
    for mutation, dash in zip(mutations, ("-", "--", ":", "-.")):
        each = [logit[None] for logit in p.logit()]
        look = mark(name_of(mutation)) | dict(linestyle=dash, markevery=14, linewidth=2.2)
        left.plot(p, [float(mutation(x).detach()) for x in each], **look)
        right.plot(p, [abs(float(slope(mutation, x))) for x in each], **look)
    left.set(title="the loss M", xlabel="D(G(z)): 0 surely a fake, 1 taken for real", ylim=(-2.4, 2.4))
    right.set(title="how strongly it pulls, |∂M/∂l|", xlabel="D(G(z))", ylim=(0, None))
    left.legend()
    return figure


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(map(typeset, row))} |" for row in (head, ["---"] * len(head), *body))


def folded(table: str, title: str) -> str:
    """A table that opens when its title is clicked."""
    return f"<details><summary>{told(title)}</summary>\n\n{table}\n\n</details>"


def picks(lineage: Sequence[Generation]) -> str:
    """How often each mutation made the survivor, in each third of a run: a table; last the paper's, on CIFAR-10."""
    if not lineage:
        raise ValueError("nothing has been selected yet: the lineage is empty")
    names, parts = list(dict.fromkeys(name for g in lineage for name in g.mutations)), min(3, len(lineage))
    size = len(lineage) / parts
    rows = [(say("generations"), *map(told, names))]
    for k in range(parts):
        these = lineage[round(k * size):round((k + 1) * size)]
        rows.append((say("{first} to {last}", first=these[0].number, last=these[-1].number),
                     *(f"{sum(g.winner == name for g in these) / len(these):.0%}" for name in names)))
    theirs = [PAPER_PICKS.get(name.removeprefix("my_")) for name in names]
    if all(theirs):
        rows += [(title, *(f"{shares[k]:.0%}" for shares in theirs))
                 for k, title in ((0, say("paper, first 20,000")), (-1, say("paper, last 20,000")))]
    return markdown(rows)


# The paper's figure 4, on CIFAR-10, read by eye: of each 20,000 of 100,000 generations, the share of each mutation.
PAPER_PICKS = {"minimax": (0.255, 0.295, 0.325, 0.34, 0.35), "heuristic": (0.39, 0.32, 0.315, 0.31, 0.30),
               "least_squares": (0.355, 0.385, 0.355, 0.35, 0.345)}


# ------------------------------------------------------------------------------------------ verdicts

def mark(name: str) -> dict:
    """The colour, marker and label of a method in a chart, by its name in words or in code, which `chart` typesets."""
    colour, marker = LOOKS.get(name.replace(" ", "_").removeprefix("my_"), ("black", "."))
    return {"color": colour, "marker": marker, "label": name}


def gamma_figure(names: Sequence[str], scores: Sequence[Fitness], largest: Sequence[float] = (0.02, 2.0)) -> Figure:
    """F = F_q + γ F_d of each child against γ: straight lines; a ring and its γ where another child takes over.

    largest: γ goes from 0 to this, a chart for each; shaded are the authors' γ for pictures. A γ is named in one chart
    only: on the scale of the other its name would lie on the lines.
    """
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    for ax, end in zip(figure.subplots(1, len(largest), squeeze=False)[0], largest):
        ax.axvspan(0.002, 0.01, color="#dbe0e7", label="the authors' γ for pictures")
        gammas = np.linspace(0, end, 21)
        for name, f in zip(names, scores):
            ax.plot(gammas, f.quality + gammas * f.diversity, markevery=5, linewidth=2, **mark(name))
        for one, other in combinations(scores, 2):
            slower = other.diversity - one.diversity
            gamma = (one.quality - other.quality) / slower if slower else -1.0
            best = one.quality + gamma * one.diversity
            if 0 < gamma <= end and best >= max(f.quality + gamma * f.diversity for f in scores) - 1e-9:
                ax.scatter(gamma, best, s=110, facecolor="none", edgecolor="black", zorder=3)
                if gamma > end / 50:
                    free = -18 if min(one.diversity, other.diversity) > 0 else 18       # below, where both rise
                    ax.annotate(f"γ = {gamma:.2g}", (gamma, best), (4, free), textcoords="offset points")
        ax.margins(y=0.2)
        ax.set(xlabel="γ", title=f"γ up to {end:g}", xticks=np.linspace(0, end, 5))
    figure.axes[0].set_ylabel(r"$F = F_q + \gamma F_d$")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def luck_figure(names: Sequence[str], verdicts: Tensor) -> Figure:
    """Every verdict of `plane.luck`, times × children × (F_q, F_d, F), above its mean and standard deviation."""
    figure = Figure(figsize=(9.5, 2.8), layout="constrained")
    scatter = np.linspace(-0.3, 0.1, len(verdicts))
    axes = figure.subplots(1, 3, sharey=True)
    for k, (ax, title) in enumerate(zip(axes, ("quality $F_q$", "diversity $F_d$", r"$F = F_q + \gamma F_d$"))):
        for i, name in enumerate(names):
            these = verdicts[:, i, k].double()
            ax.scatter(these, i + scatter, color=mark(name)["color"], marker=mark(name)["marker"], s=14, alpha=0.5)
            ax.errorbar(these.mean(), i + 0.3, xerr=these.std(), color="black", marker=mark(name)["marker"], capsize=5)
        ax.set(title=title)
    axes[0].set(yticks=range(len(names)), yticklabels=[*map(typeset, names)], ylim=(len(names) - 0.5, -0.5))
    return figure
