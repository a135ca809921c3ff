"""What a comparison on the plane says: the curves and tables of its record, over seeds, generations and CPU time."""

import statistics
from collections.abc import Sequence

from . import plane

MEASURES = plane.Measures._fields
LAST = 3                   # a figure is the mean of a run's last checkpoints: a GAN goes round in circles


def curve(record: dict, name: str, variant: str, measure: str, against: str = "generation"
          ) -> tuple[list[float], list[float], list[float]]:
    """What to draw: (x, mean, standard error of the mean of the seeds) at each checkpoint. At least two seeds.

    against: "generation", or "cpu_seconds": then x is the generation times the median cost of one.
    """
    runs = list(record["runs"][name][variant].values())
    x = [float(g) for g in runs[0]["generation"]]
    if against == "cpu_seconds":
        x = [g * milliseconds(record, name, variant) / 1000 for g in x]
    columns = list(zip(*(run[measure] for run in runs)))
    return x, [statistics.fmean(c) for c in columns], [statistics.stdev(c) / len(c) ** 0.5 for c in columns]


def milliseconds(record: dict, name: str, variant: str) -> float:
    """CPU milliseconds of a generation, the median of the seeds."""
    return statistics.median(1000 * run["cpu_seconds"][-1] / run["generation"][-1]
                             for run in record["runs"][name][variant].values())


def figures(record: dict, name: str, variant: str, measure: str, generation: int) -> list[float]:
    """One number for each seed: the mean of the last three checkpoints up to this generation."""
    found = []
    for run in record["runs"][name][variant].values():
        upto = [v for g, v in zip(run["generation"], run[measure]) if g <= generation]
        found.append(statistics.fmean(upto[-LAST:]))
    return found


def paired(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, int]:
    """Two methods, one figure for each seed: the mean of the differences, its standard error, how often ours is lower.

        d_i = a_i − b_i      d̄ = Σ d_i / n      s / √n,   s² = Σ (d_i − d̄)² / (n − 1)

    The seeds are pairs: what a lucky first network gives to both falls out of the difference. At least two seeds.
    """
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return statistics.fmean(differences), error, sum(d < 0 for d in differences)


def table(record: dict, name: str) -> dict[str, dict]:
    """Every variant at as many generations, and at as many CPU seconds, as E-GAN had at its end.

    For each measure the mean over seeds, its standard error, and in how many seeds E-GAN ("reference") was better: the
    seeds are pairs, they share their first networks. All 8 of 8 happen by chance once in 256 tries.
    """
    runs = record["runs"][name]
    end = next(iter(runs["E-GAN"].values()))["generation"][-1]
    budget = end * milliseconds(record, name, "E-GAN")
    found: dict[str, dict] = {}
    for variant in runs:
        measured = next(iter(runs[variant].values()))["generation"]
        cost = milliseconds(record, name, variant)
        affordable = min(measured, key=lambda g: (abs(g * cost - budget), -g))      # the nearest; cost may be 0.0
        places = {"equal generations": end, "equal compute": affordable}
        found[variant] = {"ms_per_generation": round(cost, 2)}
        for where, generation in places.items():
            row: dict = {"generation": generation}
            for measure in MEASURES:
                ours, theirs = (figures(record, name, v, measure, g) for v, g in (("E-GAN", end),
                                                                                 (variant, generation)))
                sign = -1 if measure == "mmd2" else 1
                row[measure] = {"mean": round(statistics.fmean(theirs), 4),
                                "error": round(statistics.stdev(theirs) / len(theirs) ** 0.5, 4) if theirs[1:] else 0,
                                "reference_better": sum(sign * (a - b) > 0 for a, b in zip(ours, theirs))}
            found[variant][where] = row
    return found
