"""The checks of the exercises, a file a chapter; each has its hints and says where the package has the solution.

    warm_up         the loss of D and the non-saturating one of G
    dissection      IoU, ablation; the threshold, insertion, the effect
    stylegan        the mapping, AdaIN, mixing, truncation; path length
    egan            the three mutations and their slopes, the fitness, the selection
    egan_further    the paired comparison, the spherical way, a mutation of one's own
    capstone        styles that force units or borrow them, β, likeness
    losses          what several of them ask of a loss

What every check is made of is in `lessons/exercises`.
"""

from ..exercises import hint, passed, solution
from .capstone import check_beta, check_borrowed, check_forced, check_likeness
from .dissection import check_ablate, check_effect, check_insert, check_iou, check_threshold
from .egan import check_fitness, check_heuristic, check_least_squares, check_minimax, check_select, check_slopes
from .egan_further import check_mutation, check_paired, check_spherical
from .stylegan import check_adain, check_mapping, check_mix, check_path_length, check_truncate
from .warm_up import check_loss_d, check_loss_g

__all__ = ["check_ablate", "check_adain", "check_beta", "check_borrowed", "check_effect", "check_fitness",
           "check_forced", "check_heuristic", "check_insert", "check_iou", "check_least_squares", "check_likeness",
           "check_loss_d", "check_loss_g", "check_mapping", "check_minimax", "check_mix", "check_mutation",
           "check_paired", "check_path_length", "check_select", "check_slopes", "check_spherical", "check_threshold",
           "check_truncate", "hint", "passed", "solution"]
