"""E-GAN beside its rivals: tables and charts of the comparisons, on the plane and on pictures.

Everything is read from records (`over_seeds`, and those of shipped generators). A table is Markdown, a figure is a
matplotlib figure for `pictures.chart`. Shown in notebooks/03b_evolutionary_gan_further.ipynb.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from .. import files
from ..language import say, told, typeset
from . import over_seeds
from .figures import LOOKS, mark, markdown

AXES = {"generation": "generations", "cpu_seconds": "CPU seconds"}


# ------------------------------------------------------------------------------------------ comparisons on the plane

def _with_error(cell: dict, digits: int) -> str:
    return f"{cell['mean']:.{digits}f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{cell['error']:.{digits}f}"


def worth(record: dict, name: str = "ring", where: str = "equal generations") -> str:
    """The table of a plane comparison: mean ± standard error of the seeds, and in how many E-GAN is better.

    At equal compute those that have made as many generations are left out: they are in the other table.
    """
    seeds = len(next(iter(record["runs"][name].values())))
    title = (say("{name}, equal generations", name=told(name)) if where == "equal generations" else
             say("{name}, equal compute", name=told(name)))
    rows = [(title, say("generations"), say("ms each"), say("modes"), say("quality"), "MMD²",
             say("E-GAN has the lower MMD²"))]
    for variant, row in record["tables"][name].items():
        m = row[where]
        if where == "equal compute" and variant != "E-GAN" and m == row["equal generations"]:
            continue
        better = "" if variant == "E-GAN" else say("in {n} of {all} seeds", all=seeds,
                                                     n=m["mmd2"]["reference_better"])
        rows.append((told(variant), str(m["generation"]), f"{row['ms_per_generation']:.1f}", _with_error(m["modes"], 1),
                     _with_error(m["high_quality"], 2), _with_error(m["mmd2"], 4), better))
    return markdown(rows)


def worth_figure(record: dict, name: str = "ring", measure: str = "mmd2", variants: Sequence[str] = tuple(LOOKS)
                 ) -> Figure:
    """A measure against generations and against CPU seconds: mean of the seeds, in a band of ± its standard error."""
    figure = Figure(figsize=(9.2, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    runs = record["runs"][name]
    for ax, against in zip(axes, AXES):
        for variant in (v for v in variants if v in runs):
            x, mean, error = over_seeds.curve(record, name, variant, measure, against)
            ax.plot(x, mean, linewidth=2, **mark(variant))
            ax.fill_between(x, *([m + side * e for m, e in zip(mean, error)] for side in (-1, 1)),
                            color=mark(variant)["color"], alpha=0.2, linewidth=0)
        ax.set(xlabel=AXES[against])
    words = {"mmd2": "MMD² (lower is better)", "high_quality": "quality (higher is better)"}
    axes[0].set(ylabel=words.get(measure, measure))
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right upper", fontsize=11,
                  title=f"mean ± standard\nerror, {len(runs['E-GAN'])} seeds")
    return figure


class Pair(NamedTuple):
    """E-GAN less a rival, seed by seed: the mean of the differences, its standard error, how often E-GAN is lower."""

    setting: str
    where: str
    rival: str
    mean: float
    error: float
    lower: int
    seeds: int

    @property
    def verdict(self) -> str:
        return "no result" if abs(self.mean) <= 2 * self.error else "better" if self.mean < 0 else "worse"


def pairs(records: dict[str, dict], name: str = "ring", compare=over_seeds.paired) -> list[Pair]:
    """E-GAN against each rival of these records, {setting: record}, for as many generations and as much computing.

    As in `worth`, who has made as many generations for as much computing is in the first bill only.
    """
    found = []
    for setting, record in records.items():
        table = record["tables"][name]
        ours = over_seeds.figures(record, name, "E-GAN", "mmd2", table["E-GAN"]["equal generations"]["generation"])
        for where in ("equal generations", "equal compute"):
            for rival, row in table.items():
                of = row[where]
                if rival == "E-GAN" or where == "equal compute" and of == row["equal generations"]:
                    continue
                theirs = over_seeds.figures(record, name, rival, "mmd2", of["generation"])
                found.append(Pair(setting, where, rival, *compare(ours, theirs), len(ours)))
    return found


def pairs_table(found: Sequence[Pair]) -> str:
    """A row for each pair: the difference ± its standard error, in how many seeds E-GAN is lower, the verdict."""
    rows = [("", "", say("against"), say("E-GAN less the rival"), say("E-GAN lower"), "")]
    for p in found:
        rows.append((told(p.setting), told(p.where), told(p.rival), f"{p.mean:+.4f} ± {p.error:.4f}",
                     say("in {n} of {all} seeds", n=p.lower, all=p.seeds), told(p.verdict)))
    return markdown(rows)


def pairs_figure(found: Sequence[Pair]) -> Figure:
    """`pairs` as dots with a bar of two errors: no result where it crosses 0. A row for each setting, a column for each
    bill; the scale is even near 0 and logarithmic beyond.
    """
    settings, bills = list(dict.fromkeys(p.setting for p in found)), list(dict.fromkeys(p.where for p in found))
    heights = [len({p.rival for p in found if p.setting == setting}) + 2 for setting in settings]
    figure = Figure(figsize=(9.5, 0.33 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(settings), len(bills), sharex=True, squeeze=False, height_ratios=heights)
    signs = {"better": ("#1b7f2a", "*", 13), "worse": ("#b3261e", "v", 9), "no result": ("#5b616b", "o", 7)}
    for row, setting in zip(axes, settings):
        for ax, where in zip(row, bills):
            these = [p for p in found if (p.setting, p.where) == (setting, where)]
            for y, p in enumerate(these):
                colour, marker, size = signs[p.verdict]
                ax.errorbar(p.mean, y, xerr=2 * p.error, color=colour, marker=marker, markersize=size, capsize=4,
                            markerfacecolor="white" if p.verdict == "no result" else colour, label=p.verdict)
            ax.axvline(0, color="black", linewidth=0.8)
            ax.set_xscale("symlog", linthresh=0.01)
            ax.set(title=f"{setting}, {where}", xticks=[-0.1, -0.01, 0, 0.01], ylim=(len(these) - 0.5, -0.5),
                   yticks=range(len(these)), yticklabels=[typeset(p.rival) for p in these])
            ax.xaxis.set(major_formatter="{x:g}", minor_locator=NullLocator())
    for ax in axes[-1]:
        ax.set(xlabel="MMD² of E-GAN less that of the rival; bar: two errors\n"
                      "(even scale up to ±0.01, then tenfold steps)")
    drawn = dict(reversed(pair) for ax in axes.flat for pair in zip(*ax.get_legend_handles_labels()))
    figure.legend(drawn.values(), drawn, loc="outside lower center", ncols=3)
    return figure


def robustness(record: dict) -> str:
    """A table of MMD² with a row for each pair of networks: bold is the lowest of a row; ▲ marks a rival that is higher
    than E-GAN by two errors of `over_seeds.paired`, ▼ one that is lower by as much.
    """
    bodies = record["tables"]
    rows = [("MMD²", *map(told, next(iter(bodies.values()))))]
    for body, row in bodies.items():
        cells = {name: of["equal generations"] for name, of in row.items()}
        best = min(cells, key=lambda name: cells[name]["mmd2"]["mean"])
        found = {name: over_seeds.figures(record, body, name, "mmd2", of["generation"]) for name, of in cells.items()}
        rows.append([told(body)])
        for name, of in cells.items():
            mean, error, _ = over_seeds.paired(found["E-GAN"], found[name])
            sign = "" if abs(mean) <= 2 * error else " ▲" if mean < 0 else " ▼"
            rows[-1].append(("**{}**" if name == best else "{}").format(_with_error(of["mmd2"], 4)) + sign)
    return markdown(rows)


# ------------------------------------------------------------------------------------------ comparisons on pictures

def runs(data: str, folder: Path | None = None) -> dict[str, dict]:
    """The records of E-GAN and its rivals on these pictures: "fashion-egan" and so on; "long" has no rival."""
    folder = folder or files.data_folder()
    found = {path.stem: files.read_json(path) for path in sorted(folder.glob(f"{data}-*.json"))}
    found = {name: record for name, record in found.items() if "won" in record and
             not name.endswith("-long")}                                            # nor the progressive GAN
    return dict(sorted(found.items(), key=lambda pair: not pair[0].endswith("-egan")))


def bill(found: dict[str, dict]) -> str:
    """The table of `runs`: the judge's figures after as many generations, and as many CPU seconds, as E-GAN has had.

    Fréchet distance and, where the pictures have classes, the classifier's score; the same of real pictures below.
    """
    egan = next(iter(found.values()))
    end = egan["curve"][-1]

    def cell(row: dict, of: str = "") -> str:
        return " / ".join(f"{row[key + of]:.2f}" for key in ("frechet_distance", "classifier_score") if key + of in row)

    both = (say("Fréchet distance / score, equal generations") if "classifier_score" in end else
            say("Fréchet distance, equal generations"))
    rows = [("", both, say("equal compute"), say("CPU s a 1000 generations"), say("winners"))]
    for name, record in found.items():
        last = record["curve"][-1]
        rows_at = (min(record["curve"], key=lambda row, axis=axis: abs(row[axis] - end[axis])) for axis in AXES)
        cells = [say("{figures} (at {generation})", figures=cell(row), generation=row["generation"]) for row in rows_at]
        won = say(", ").join(f"{told(mutation)} {share:.0%}" for mutation, share in sorted(record["won"].items()))
        rows.append((told(_kind(name)), *cells, f"{1000 * last['cpu_seconds'] / last['generation']:.0f}", won))
    if "frechet_distance_of_real_pictures" in egan:
        rows.append((say("real pictures"), cell(egan, "_of_real_pictures"), "", "", ""))
    return markdown(rows)


# Who is drawn together: those that live in E-GAN's environment, and E-GAN in other environments.
ONE_WORLD = ("egan", "random", "minimax", "heuristic", "least_squares")
WORLDS = ("paper", "plain-d", "momentum", "egan")


def _kind(name: str) -> str:
    """What a generator such as "fashion-plain-d" is called in tables and charts: a name in LOOKS, or "egan"."""
    return name.split("-", 1)[1].replace("least-squares", "least_squares")


def _draw(ax, found: dict[str, dict], kinds: Sequence[str], axis: str, of: str) -> None:
    """A line for each of these kinds, as far as E-GAN's; E-GAN's own is the thickest."""
    named, egan = {_kind(name): record["curve"] for name, record in found.items()}, next(iter(found.values()))
    for kind in (kind for kind in kinds if kind in named):
        look = {**mark(kind), "markersize": 7} if kind != "egan" else \
            {**mark("E-GAN"), "label": kind, "markersize": 11, "linewidth": 3, "zorder": 3}
        ax.plot([row[axis] for row in named[kind]], [row[of] for row in named[kind]], **look)
    ax.set(xlabel=AXES[axis], xlim=(0, 1.05 * egan["curve"][-1][axis]))


def bill_figure(found: dict[str, dict], kinds: Sequence[str] = ONE_WORLD) -> Figure:
    """Fréchet distance of `runs` against generations and CPU seconds, to E-GAN's last."""
    figure = Figure(figsize=(9.2, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, axis in zip(axes, AXES):
        _draw(ax, found, kinds, axis, "frechet_distance")
        ax.set(yscale="log")
    axes[0].set(ylabel="Fréchet distance (lower is better)")
    axes[0].yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}", minor_formatter="")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right upper", fontsize=11)
    return figure


def score_figure(found: dict[str, dict]) -> Figure:
    """The classifier's score of `runs` against generations, beside that of the real pictures at hand."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    ax = figure.subplots()
    _draw(ax, found, ONE_WORLD, "generation", "classifier_score")
    real = next(iter(found.values()))["classifier_score_of_real_pictures"]
    ax.axhline(real, color="#005ab5", linewidth=2, linestyle="--", label="real pictures")
    ax.set(ylabel="score (higher is better)")
    figure.legend(loc="outside right upper", fontsize=11)
    return figure
