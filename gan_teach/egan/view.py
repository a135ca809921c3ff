"""What there is to see of a `laboratory.Laboratory` at one moment: its knobs, its samples, its children, its past.

A `View` holds numbers and tensors and nothing that lives: who draws it (`widgets.egan.evolution_render`) needs no lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..networks.protocols import evaluating, latents
from . import plane
from .child import name_of, slope
from .evolution import Generation
from .fitness_and_selection import Fitness


@dataclass(frozen=True)
class Knobs:
    """What can be turned while it evolves. Another seed or other data start anew."""

    gamma: float = 0.01
    d_steps: int = 1
    mu: int = 1
    selection: str = "best"                 # one of laboratory.RULES
    adam: str = "own"                       # one of settings.ADAM_POLICIES
    active: tuple[bool, ...] = (True,) * 3  # which of the mutations offered take part
    data: str = "ring"
    seed: int = 0


class Child(NamedTuple):
    """One child as it is looked at; tensors on the CPU."""

    mutation: str
    parent: int                 # which survivor
    before: Tensor              # x = G(z) of its parent
    after: Tensor               # x = G(z) of the child, for the same z
    loudness: Tensor | None     # |∂M/∂l| for each x of the parent
    fitness: Fitness | None     # None before the evaluation, and while it would give the answer away
    spread: Fitness | None      # the standard deviation of one judgement
    survives: bool | None       # None before the selection


class FateView(NamedTuple):
    """Two branches from one selection: yours first, then the algorithm's."""

    begun: int                                              # the generation of the choice
    age: int                                                # generations lived since
    span: int                                               # … and to live
    fakes: tuple[Tensor, Tensor]
    fields: tuple[Tensor, Tensor] | tuple[None, None]       # of the two D
    measures: tuple[list[tuple[int, Mapping[str, float]]], list[tuple[int, Mapping[str, float]]]]


class View(NamedTuple):
    """All that there is to see, at one moment."""

    knobs: Knobs
    offered: tuple[str, ...]            # names of all mutations
    generation: int
    done: str                           # the phase that was done last; "" at the start
    waiting: bool                       # for `choose`
    real: Tensor                        # samples of the data
    fake: Tensor                        # of all survivors together
    field: Tensor | None                # of D on the plane
    children: tuple[Child, ...]
    lineage: Sequence[Generation]
    loss_d: tuple[float, ...]
    measures: tuple[tuple[int, Mapping[str, float]], ...]       # generation, name -> number
    chosen: tuple[int, int] | None      # child chosen by hand, child the algorithm would have chosen
    tally: tuple[int, int]              # choices by hand, and how many were the algorithm's
    fate: FateView | None
    kept: tuple[int, ...]               # generations to go back to


@torch.no_grad()
def view(lab) -> View:
    """What there is to see of this `Laboratory` now. It changes nothing, and draws nothing from its own chances."""
    e, on_plane = lab.evolution, lab.shown.ndim == 2
    with evaluating(e.D, *(one.G for one in (*e.survivors, *lab.parents, *e.children))):
        z = latents(e.G, 400 if on_plane else 64, seed=2)
        share = len(z) // len(e.survivors)
        fake = torch.cat([one.G(z[i * share:(i + 1) * share]) for i, one in enumerate(e.survivors)]).cpu()
        children = _children(lab, z[:120 if on_plane else 16])
        fate = lab.fate and FateView(
            lab.fate.begun, lab.fate.age, lab.fate.span, tuple(branch.G(z).cpu() for branch in lab.fate.branches),
            tuple(plane.field(branch.D) if on_plane else None for branch in lab.fate.branches),
            tuple(map(list, lab.fate.measures)))
        return View(lab.knobs, tuple(map(name_of, lab.offered)), e.generation, lab.done, lab.waiting, lab.shown, fake,
                    plane.field(e.D) if on_plane else None, children, e.lineage, e.loss_d,
                    tuple((g, m) for g, m in sorted(lab.measured.items()) if g <= e.generation),
                    lab.chosen, lab.tally, fate, tuple(sorted(lab.snapshots)))


def _children(lab, z: Tensor) -> tuple[Child, ...]:
    if not lab.parents:
        return ()
    e, found = lab.evolution, []
    before = [one.G(z) for one in lab.parents]
    logits = [e.D(x) for x in before]
    mutations = {name_of(m): m for m in reversed(lab.offered)}              # of two with one name the first counts
    survivors = e.lineage[-1].survivors if lab.done == "select" else None
    for i, child in enumerate(e.children):
        with torch.enable_grad():
            loud = slope(mutations[child.mutation], logits[child.parent]).abs().cpu()
        found.append(Child(child.mutation, child.parent, before[child.parent].cpu(), child.G(z).cpu(), loud,
                           e.scores[i] if e.scores and not lab.waiting else None,
                           lab.spread[i] if lab.spread and not lab.waiting else None,
                           None if survivors is None else i in survivors))
    return tuple(found)


def share_curve(lineage: Sequence[Generation], window: int = 100, points: int = 80) -> tuple[list[int], dict]:
    """The share of each mutation among the winners of the last `window` generations, along the whole lineage.

    Returns the generations looked at, at most `points`, and name -> one share for each; the last is `plane.shares`.
    """
    if not lineage:
        return [], {}
    winners = [g.winner for g in lineage]
    names = list(dict.fromkeys(winners))
    won = np.array([[w == name for name in names] for w in winners]).cumsum(0)          # (generations, names)
    at = np.unique(np.linspace(1, len(winners), min(points, len(winners))).round().astype(int))
    start = np.maximum(at - window, 0)
    counts = won[at - 1] - np.where(start[:, None] > 0, won[start - 1], 0)
    return at.tolist(), {name: (counts[:, i] / (at - start)).tolist() for i, name in enumerate(names)}
