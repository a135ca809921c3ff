"""Chapter 1: which units of a generator draw trees, doors and windows, and what happens without them?

Bau et al. 2018, "GAN Dissection: Visualizing and Understanding Generative Adversarial Networks" (arXiv 1811.10597).
A generator is cut at a layer, x = G(z) = f(r) with r = h(z), and every channel of r is a unit. Read in this order:

    unit_iou        step one: thresholds t_u, masks, and the counts behind IoU_{u,c}                     (Eq. 2)
    agreement       what was counted, as a `Dissection`: IoU, its error, chance, the units of a class
    information     the paper's own thresholds, of greatest information quality
    truth           how far IoU by a segmenter is from IoU with the true masks
    units           a choice of units: checked, in an order, kept in a file
    pixels          pictures by the batch, their pixels counted by class
    intervention    step two: ablate, insert, the average causal effect δ
    alpha           the search for the units that do it, as weights α                                    (Eq. 6)
    insertion       few units that draw a thing where it belongs, by the insertion half of Eq. 6
    context         where a thing may be inserted, and what resists being removed
    clear_scene     which scene a panel opens with, by a rule
    repair          units that draw artefacts, found and switched off
    compare         the same measurement for several generators or layers
    figures         what a dissection shows
    report          one page of HTML about a generator
"""

from .agreement import Dissection
from .alpha import optimise_alpha, rank_by_effect
from .intervention import ablate, ablation_curve, causal_effect, insert, levels
from .unit_iou import dissect, dissect_layers, iou, masks

__all__ = ["Dissection", "ablate", "ablation_curve", "causal_effect", "dissect", "dissect_layers", "insert", "iou",
           "levels", "masks", "optimise_alpha", "rank_by_effect"]
