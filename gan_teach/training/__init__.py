"""Train a growing GAN: one visible loop that can be killed at any moment and goes on exactly.

What a step draws (which images, which z) is a function of (seed, step) alone, so a resume needs the weights, the
optimisers, the EMA and the number of the step, and then continues bit for bit (on a GPU up to the order of its sums,
in which two equal runs differ too). Read in this order:

    settings     what is chosen beforehand, and the schedule by which the pictures grow
    step         one update of D, of G and of its average; of several processes each works on its part
    snapshots    what is saved, what is gone on from, and what never is saved; for every long work
    loop         the loop itself, `advance`, and `run` with sample grids and a curve
"""

from .loop import advance, curve, go_on, keep_samples, run
from .settings import LOSSES, Schedule, Settings, r1_weight
from .snapshots import NotFinite, Resumable, check_descent, check_same, refill, snapshot
from .step import Training

__all__ = ["LOSSES", "NotFinite", "Resumable", "Schedule", "Settings", "Training", "advance", "check_descent",
           "check_same", "curve", "go_on", "keep_samples", "r1_weight", "refill", "run", "snapshot"]
