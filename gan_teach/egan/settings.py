"""What an evolution is set to: the paper's values where it names them, its authors' programs' in the comments."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from ..limits import MAX_SEED, settle, whole
from ..networks.losses import logistic_d
from ..networks.protocols import check_name
from .child import Mutation, name_of
from .fitness_and_selection import SELECTIONS, Selection
from .mutations import heuristic, least_squares, minimax


def logistic(D: nn.Module, real: Tensor, fake: Tensor, draw: torch.Generator) -> Tensor:
    """L_D = −E log D(x) − E log(1 − D(G(z))), the paper's. (`draw` is for losses that need chance: wgan.py.)"""
    return logistic_d(D(real), D(fake))


ADAM_POLICIES = ("own", "inherited", "reset")


@dataclass(frozen=True)
class Settings:
    """The paper's where it names them; it gives no γ and no fitness batch."""

    mutations: tuple[Mutation, ...] = (minimax, heuristic, least_squares)
    mu: int = 1                   # survivors, n_p in the paper
    gamma: float = 0.01           # weight of F_d; the authors' code: .002 to .01 for pictures, 2 for points
    selection: Selection = "best"
    adam: str = "own"             # a child's moments: its mutation's "own" (the authors' first code), "inherited" from
    #                               its parent (their second), or "reset" to 0: then a step is the gradient's sign only
    batch: int = 16               # z of a mutation, and real and fake ones of a step of D (authors' code: 32, 64)
    fitness_batch: int = 256      # z of a child's judgement, and real ones beside them
    d_steps: int = 2              # n_D (authors' code: 3 for pictures, 1 for points)
    lr: float = 2e-4
    halves: int = 0               # generations in which both rates fall by half; 0: they stay, as the paper's
    ema: float = 0.0              # how much of the running mean of survivors stays each generation; 0: no such mean
    betas: tuple[float, float] = (0.5, 0.99)            # (authors' code: 0.5, 0.999)
    lr_d: float | None = None                           # None: as G's
    betas_d: tuple[float, float] | None = None          # None: as G's
    d_loss: Callable[..., Tensor] = logistic
    mutate_same_z: bool = False   # siblings are mutated on the same z; the paper draws new z for each
    judge_same_z: bool = False    # siblings are judged on the same z; the authors' code draws new z for each
    shared: bool = True           # compute once what siblings have in common; False: the plain loop
    bf16: bool = False            # autocast, where it is fast
    seed: int = 0                 # from 0 to 2³⁰ − 1: `_draw` counts four draws a generation, and torch sees 32 bits

    def __post_init__(self):
        settle(self, {"mu": 1, "batch": 1, "fitness_batch": 1, "d_steps": 1, "halves": 0},
               {"gamma": (-math.inf, math.inf), "lr": (0, math.inf), "lr_d": (0, math.inf), "ema": (0, 1),
                "betas": (0, 1), "betas_d": (0, 1)})
        whole("seed", self.seed, 0, MAX_SEED // 4)
        if not callable(self.d_loss):
            raise ValueError(f"d_loss is a function of D, real and fake samples and chance; got {self.d_loss!r:.60}")
        if not isinstance(self.mutations, Sequence) or not self.mutations or not all(map(callable, self.mutations)):
            raise ValueError("an evolution needs at least one mutation, a function of D's logits; got "
                             f"{self.mutations!r:.80}")
        object.__setattr__(self, "mutations", tuple(self.mutations))
        if not callable(self.selection):
            check_name("selection", self.selection, SELECTIONS, "a function")
        check_name("Adam policy", self.adam, ADAM_POLICIES)
        if self.batch % self.mu:
            raise ValueError(f"the {self.mu} survivors share D's {self.batch} fakes: batch must be a multiple of mu")

    def __str__(self) -> str:
        """The settings in words, functions by their names."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["mutations"] = "+".join(map(name_of, self.mutations))
        return ", ".join(f"{name}={name_of(value) if callable(value) else value}" for name, value in values.items())
