"""GAN Dissection as a ruler: the same measurement for several generators, or several layers, in one table.

Bau et al., arXiv 1811.10597, compare training variants so: with minibatch standard deviation a generator's
units match over 70 % more classes, with pixel normalisation 19 % more units match one (figures of the version
submitted to ICLR). Compare like with like: one segmenter, one quantile, one seed, layers of the same size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..language import columns, pad, say, told
from ..metrics import frechet_distance, generate
from ..networks.protocols import Generator, Segmenter, device_of
from ..pictures import to_float
from .unit_iou import dissect_layers


@dataclass(frozen=True)
class Row:
    """What one layer of one generator knows."""

    model: str
    layer: str
    units: int                  # in the layer
    matched: int                # units whose best class has IoU > min_iou
    classes: int                # distinct classes among them
    best_iou: float             # mean over all units of the IoU with their best class
    best_iou_error: float       # its standard error if the units were a sample of units
    frechet: float              # of the whole generator to real pictures; NaN: not measured


@dataclass(frozen=True)
class Comparison:
    """Rows of a table, by model as given, then by layer from the input to the picture; print it.

    The column of Fréchet distances is there only where they were measured.
    """

    rows: tuple[Row, ...]
    min_iou: float

    def __str__(self) -> str:
        wide = max(len("model"), *(len(row.model) for row in self.rows)) + 2
        measured = not all(math.isnan(row.frechet) for row in self.rows)
        lines = [columns(("model", -wide), ("layer", -10), ("units", 6), ("matched", 9), ("share", 8), ("classes", 9),
                         ("mean best IoU", 18), *[("Fréchet", 9)] * measured)]
        for row in self.rows:
            lines.append(f"{pad(told(row.model), wide)}{row.layer:<10}{row.units:>6}{row.matched:>9}"
                         f"{row.matched / row.units:>8.0%}{row.classes:>9}"
                         f"{f'{row.best_iou:.3f} ± {row.best_iou_error:.3f}':>18}" + f"{row.frechet:>9.3f}" * measured)
        return "\n".join(lines) + say("\nmatched: IoU > {least:g} with some class; mean best IoU: each unit "
                                       "with its best class, over all units", least=self.min_iou)


def compare(models: Mapping[str, Generator], layer: str | Sequence[str], segmenter: Segmenter, samples: int = 500,
            quantile: float = 0.01, min_iou: float = 0.05, seed: int = 0, real: Tensor | None = None,
            progress: bool = True) -> Comparison:
    """Dissect the same layer, or layers, of every generator with the same z, and put the results side by side.

    models: name -> generator. layer: a name, or several. real: N×3×H×W pictures in [-1, 1] or bytes; with them,
    N pictures of each generator are measured against them (`frechet_distance`, so the segmenter must be our
    `UNet`). Returns rows by model and layer; `print` shows them as a table. ValueError: no models, an unknown
    layer (named together with the model).
    """
    if not models:
        raise ValueError('no models to compare; give a dict such as {"early": G1, "final": G2}')
    layers, rows = [layer] if isinstance(layer, str) else list(layer), []
    for name, G in models.items():
        try:
            dissected = dissect_layers(G, layers, segmenter, samples=samples, quantile=quantile, seed=seed,
                                       progress=progress)
        except ValueError as error:
            raise ValueError(f"model {name!r}: {error}") from error
        far = math.nan if real is None else frechet_distance(
            to_float(real).to(device_of(G)), generate(G, len(real), seed), segmenter)
        for each, d in dissected.items():
            found, best = d.concept_units(min_iou), d.iou.amax(1)           # (U,)
            rows.append(Row(name, each, len(best), sum(map(len, found.values())), len(found), best.mean().item(),
                            (best.std() / len(best) ** 0.5).item(), far))
    return Comparison(tuple(rows), min_iou)


def likeness(iou1: Tensor, iou2: Tensor) -> Tensor:
    """Do the units of two generators know the same things? The correlation, over units and classes, of

        IoU_{u,c} − mean over u of IoU_{u,c}

    in two tables of one shape, units × classes, unit u beside unit u. 1: each unit has kept its meaning. Each class's
    mean, which strangers share, is taken off.
    """
    a, b = iou1 - iou1.mean(0), iou2 - iou2.mean(0)                         # (U, C)
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()
