"""What a dissection counted, and what it says: how well every unit of a layer agrees with every class, and how surely.

Bau et al., "GAN Dissection", arXiv 1811.10597, Eq. 2. `dissection.dissect` counts; here counts become IoU, its error,
what chance gives, and the units of a class. Taught in notebooks/01_gan_dissection.ipynb and 01b.
"""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ..language import columns, pad, say
from ..limits import finite, whole
from ..networks.protocols import check_name
from .pixels import jackknife
from .units import check_units

# Student's t: 95 % of a mean of K values lie within this many standard errors, K = 2, …, 10
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def pooled_iou(intersection: Tensor, unit_pixels: Tensor, class_pixels: Tensor) -> Tensor:
    """I / (A + S − I) from counts  …×U×C, …×U, …×C; float64, 0 where the union is empty."""
    # IoU_{u,c} = |on_u ∧ s_c| / |on_u ∨ s_c|                                                    (Eq. 2)
    union = unit_pixels[..., :, None] + class_pixels[..., None, :] - intersection
    return intersection.double() / union.clamp(min=1)


@dataclass
class Dissection:
    """The counts for one layer, kept by fold (picture i is in fold i mod 10) to tell their error."""
    layer: str                  # the dissected layer
    classes: tuple[str, ...]    # C names
    quantile: float | None      # q, the share of a unit's values above its threshold; None: thresholds were given
    samples: int                # number of pictures
    thresholds: Tensor          # (U,) t_u
    fold_intersection: Tensor   # (folds, U, C) long: pixels where the unit is on and the class is there
    fold_unit_pixels: Tensor    # (folds, U) long: pixels where the unit is on
    fold_class_pixels: Tensor   # (folds, C) long: pixels of the class
    shuffled: Tensor | None = None  # (K, U, C) long: the intersection with K other pictures' labels
    seed: int = 0                   # of the pictures
    loudest: Tensor | None = None   # (U, ≤20) long: the pictures with the unit's largest values, the largest first

    @cached_property
    def intersection(self) -> Tensor:
        """|on_u ∧ s_c| over all pictures, units × classes (long)."""
        return self.fold_intersection.sum(0)

    @cached_property
    def unit_pixels(self) -> Tensor:
        """|on_u| over all pictures, (units,) long."""
        return self.fold_unit_pixels.sum(0)

    @cached_property
    def class_pixels(self) -> Tensor:
        """|s_c| over all pictures, (classes,) long."""
        return self.fold_class_pixels.sum(0)

    @cached_property
    def iou(self) -> Tensor:
        """Eq. 2: IoU_{u,c}, units × classes in [0, 1]; 0 where neither unit nor class ever occurs."""
        return pooled_iou(self.intersection, self.unit_pixels, self.class_pixels).float()

    def confidence(self) -> Tensor:
        """Standard error of `iou` at fixed t_u, units × classes: jackknife over folds, NaN for a single one.
        New pictures also move t_u, which can matter more: dissect with another `seed` to see it."""
        left_out = pooled_iou(self.intersection - self.fold_intersection, self.unit_pixels - self.fold_unit_pixels,
                              self.class_pixels - self.fold_class_pixels)   # (K, U, C)
        return jackknife(left_out).float()                                  # IoU from all folds but k

    def interval(self) -> tuple[Tensor, Tensor]:
        """95 % confidence interval of `iou` at fixed t_u, (low, high), units × classes each:

            IoU ± t · se,   t: Student's for the folds of the jackknife, 2.262 for ten; cut to [0, 1]

        NaN for a single picture.
        """
        K = len(self.fold_intersection)
        reach = (STUDENT[K - 2] if K > 1 else float("nan")) * self.confidence()
        return (self.iou - reach).clamp(min=0), (self.iou + reach).clamp(max=1)

    @cached_property
    def chance(self) -> Tensor:
        """The IoU of each unit's masks with the labels of *other* pictures: shuffles × units × classes.

        What is left is what any two pictures share: the sky is above, the grass below. ValueError unless
        dissected with shuffles=8 or so.
        """
        if self.shuffled is None:
            raise ValueError("nothing was counted by chance here: dissect with shuffles=8")
        return pooled_iou(self.shuffled, self.unit_pixels, self.class_pixels).float()

    def above_chance(self, sigmas: float = 3.0) -> Tensor:
        """Which pairs agree more than chance, units × classes (boolean):

            IoU_{u,c} − mean_k chance_{k,u,c} > σ · sqrt(se²_{u,c} + sd²_{u,c}),   sd over the K shuffles

        ValueError with fewer than two shuffles; False throughout for a single picture, whose error is unknown.
        """
        if len(self.chance) < 2:
            raise ValueError("the spread of chance needs two shuffles or more: dissect with shuffles=8")
        error = (self.confidence().square() + self.chance.var(0)).sqrt()    # (U, C)
        return self.iou - self.chance.mean(0) > sigmas * error

    def units_for(self, name: str, n: int | None = None) -> list[int]:
        """The units that match class `name`, best IoU first; all of them, or the first n."""
        c, n = check_name("class", name, self.classes), None if n is None else whole("n", n)
        return self.iou[:, c].argsort(descending=True, stable=True)[:n].tolist()

    def label(self, u: int) -> tuple[str, float]:
        """The class that unit u matches best, and the IoU with it."""
        value, c = self.iou[check_units([u], len(self.iou))[0]].max(0)
        return self.classes[c], value.item()

    def concept_units(self, min_iou: float = 0.05, above_chance: bool = False) -> dict[str, list[int]]:
        """class -> the units labelled with it at IoU > min_iou, best first; only classes that have one.
        above_chance: and only units whose agreement with that class is more than chance."""
        value, c = self.iou.max(1)
        good = value > finite("min_iou", min_iou, -1, 1)
        if above_chance:
            good &= self.above_chance().gather(1, c[:, None])[:, 0]
        found = {name: [u for u in self.units_for(name) if c[u] == i and good[u]]
                 for i, name in enumerate(self.classes)}
        return {name: units for name, units in found.items() if units}

    def summary(self, min_iou: float = 0.05) -> str:
        """A table: class, share of pixels, units labelled so, the best unit, its IoU and the interval of that."""
        found, (low, high) = self.concept_units(min_iou), self.interval()
        share = self.class_pixels / self.class_pixels.sum().clamp(min=1)
        way = say("thresholds given") if self.quantile is None else \
            say("top {share:g} % of values", share=100 * self.quantile)
        lines = [say("{layer}: {many} of {all} units match a class (IoU > {least:g}; {samples} pictures; {way})",
                     layer=self.layer, many=sum(map(len, found.values())), all=len(self.iou), least=min_iou,
                     samples=self.samples, way=way),
                 columns(("class", -14), ("pixels", 8), ("units", 7), ("best unit", 11), ("IoU", 8),
                         ("95 % interval", 17))]
        for c in share.argsort(descending=True, stable=True).tolist():
            name, u = self.classes[c], self.units_for(self.classes[c], 1)[0]
            between = say("{low:.3f} to {high:.3f}", low=low[u, c].item(), high=high[u, c].item())
            lines.append(f"{pad(say(name), 14)}{share[c]:>8.1%}{len(found.get(name, [])):>7}{u:>11}"
                         f"{self.iou[u, c]:>8.3f}{pad(between, 17, True)}")
        return "\n".join(lines)
