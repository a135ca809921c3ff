"""An evolution to experiment with: a phase at a time, every setting free, a memory to go back in, and two fates.

What chapter 3's `EvolutionLab` moves, without a widget; what is seen of it: `view`. The phases are those of
`plane.PHASES`. Settings may be turned at any moment; where children stand judged, another γ judges them anew at once.
With the rule "mine" the lab waits after the evaluation for `choose(child)`; where nothing has evolved yet F selects for
the first `head_start` generations, since the first children look all alike. If the algorithm would have chosen another
child, `fate` lets both choices live on, from the same state and with the same draws. Taught in
notebooks/03_evolutionary_gan.ipynb.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..limits import whole
from ..networks.device import one_thread
from ..networks.protocols import check_name
from ..worlds.gaussians import Mixture, grid, ring
from . import plane, view
from .child import name_of
from .evolution import Evolution
from .settings import ADAM_POLICIES, Settings
from .fates import Fate, branch, by_hand
from .fitness_and_selection import SELECTIONS, Fitness, select
from .view import Knobs, View

RULES = (*SELECTIONS, "mine")
DATA = {"ring": ring(), "grid": grid()}
MEMORY = 96e6           # bytes of snapshots that are kept, at least three of them
MOST = 240              # snapshots, however small they are


class Laboratory:
    """An evolution under the hands of a learner.

    data: name -> what is real, as for `Evolution.step`; None: the ring and the grid. make: settings -> an
    `Evolution` at generation 0. settings: what the knobs leave alone, and where they stand at first. offered: the
    mutations to choose from; None: those of the settings. measure: (real, G) -> name -> number; None: `plane.measure`
    for mixtures on the plane. luck: how often children are judged again for the error bars when a step is made by
    hand (None: 8 on the plane, else not). every: generations between snapshots. span: generations of a fate.
    head_start: generations before the first choice by hand (None: 100 on the plane, else none).

    Not for two threads at a time: `runner.Runner` keeps the order. `advance()` does a phase, `generation()` what is
    missing of a generation; both return at once where `waiting`.
    """

    def __init__(self, data: Mapping[str, Any] | None = None, make: Callable[[Settings], Evolution] = plane.start,
                 settings: Settings = plane.SETTINGS, offered=None, measure=None, luck: int | None = None,
                 every: int = 10, span: int | None = None, head_start: int | None = None):
        if not isinstance(data := DATA if data is None else data, Mapping) or not data:
            raise ValueError(f"data are a dict from names to what is real, such as {{'ring': gaussians.ring()}}; got "
                             f"{data!r:.60}")
        self.data, self.make, self.base = dict(data), make, settings
        self.offered = settings.mutations if offered is None else (offered,) if callable(offered) else tuple(offered)
        if missing := [name_of(m) for m in settings.mutations if m not in self.offered]:
            raise ValueError(f"the settings use {', '.join(missing)}, which is not among the mutations offered")
        on_plane = all(isinstance(real, Mixture) for real in self.data.values())
        self._thread = one_thread if on_plane else nullcontext
        cheap = (lambda mixture, G: plane.measure(mixture, G, n=500)._asdict()) if on_plane else None
        self.measure = measure or cheap
        self.luck = (8 if on_plane else 0) if luck is None else whole("luck", luck)
        if self.luck == 1:
            raise ValueError("luck says how often children are judged again: 2 or more for error bars, or 0; got 1")
        self.head_start = (100 if on_plane else 0) if head_start is None else head_start
        self.every, self.span = every, (50 if on_plane else 10) if span is None else whole("span", span, 1)
        rule = settings.selection if isinstance(settings.selection, str) else "best"
        self.knobs = Knobs(settings.gamma, settings.d_steps, settings.mu, rule, settings.adam,
                           tuple(m in settings.mutations for m in self.offered), next(iter(self.data)), settings.seed)
        self.reset()

    # ------------------------------------------------------------------------------ settings

    @property
    def real(self):
        return self.data[self.knobs.data]

    @property
    def active(self) -> tuple:
        """The mutations that take part, in the order they were offered."""
        return tuple(m for m, on in zip(self.offered, self.knobs.active) if on)

    def _settings(self, mu: int | None = None) -> Settings:
        k = self.knobs
        rule = k.selection
        if rule == "mine":
            rule = "best" if self.choice is None else by_hand(self.choice, self.evolution.settings.mu)
        return replace(self.base, mutations=self.active, gamma=k.gamma, d_steps=k.d_steps, mu=mu or k.mu,
                       selection=rule, adam=k.adam, seed=k.seed)

    def turn(self, **changes) -> None:
        """Turn knobs. Raises ValueError, and leaves all as it was, for what makes no sense."""
        knobs = replace(self.knobs, **changes)
        if not any(knobs.active) or len(knobs.active) != len(self.offered):
            raise ValueError("at least one mutation must take part")
        for kind, name, names in (("selection", knobs.selection, RULES), ("Adam policy", knobs.adam, ADAM_POLICIES),
                                  ("data", knobs.data, tuple(self.data))):
            check_name(kind, name, names)
        replace(self.base, gamma=knobs.gamma, d_steps=knobs.d_steps, mu=knobs.mu, seed=knobs.seed)      # for its checks
        before, self.knobs = self.knobs, knobs
        if (knobs.seed, knobs.data) != (before.seed, before.data):
            self.reset()
            return
        self._moments_stay(before.active)
        if knobs.selection == "mine" and self.evolution.generation == self.next == 0:
            self.first_choice = self.head_start
        if knobs.gamma != before.gamma and self.evolution.scores and self.next == 3:
            self._weigh() if knobs.gamma and before.gamma else self._judge(bool(self.spread))

    def _moments_stay(self, before: tuple[bool, ...]) -> None:
        """Adam's moments stay with their mutation, whose place has changed if others took part before."""
        names = [i for i, on in enumerate(before) if on]
        kept = {names[k]: moments for k, moments in self.evolution.own.items()}
        now = [i for i, on in enumerate(self.knobs.active) if on]
        self.evolution.own = {k: kept[i] for k, i in enumerate(now) if i in kept}

    # ------------------------------------------------------------------------------ evolving

    @property
    def waiting(self) -> bool:
        """The children stand judged, and it is for the learner to choose one."""
        grown_up = self.evolution.generation >= self.first_choice
        return self.knobs.selection == "mine" and self.next == 3 and self.choice is None and grown_up

    def advance(self, by_hand: bool = True) -> str:
        """Do the next phase, and return its name ("" while `waiting`). by_hand: error bars, and every snapshot."""
        if self.waiting:
            return ""
        e, phase = self.evolution, plane.PHASES[self.next]
        with self._thread():
            if phase == "train_d":
                self._set_out()
                e.train_d(self.real)
            elif phase == "vary":
                e.settings = self._settings(mu=e.settings.mu)
                self.parents, self.spread = list(e.survivors), ()
                e.vary()
            elif phase == "evaluate":
                self._judge(by_hand and self.luck > 0)
            else:
                self._select()
        self.done, self.next = phase, (self.next + 1) % 4
        if self.next == 0 and (by_hand or e.generation % self.every == 0):
            self.remember()
        return phase

    def generation(self, by_hand: bool = False) -> None:
        """What is missing of this generation; stops where it has to wait for a choice."""
        while not self.waiting:
            self.advance(by_hand)
            if self.next == 0:
                return

    def _set_out(self) -> None:
        """A new generation: what was once ahead is forgotten, and as many parents as μ wants stand ready."""
        e, k = self.evolution, self.knobs
        for kept in (self.snapshots, self.measured):
            for later in [g for g in kept if g > e.generation]:
                del kept[later]
        del self._whole[e.generation:]
        self._clear()
        e.survivors = [e.survivors[i % len(e.survivors)] for i in range(k.mu)]
        e.children, e.scores = [], []
        e.settings = self._settings()

    def _clear(self) -> None:
        """No phase is done, and nothing is judged or chosen."""
        self.next, self.done, self.parents, self.spread = 0, "", [], ()
        self.choice = self.chosen = self.fate = None

    def _judge(self, luck: bool) -> None:
        e = self.evolution
        e.settings = self._settings(mu=e.settings.mu)
        e.evaluate()
        self.spread = self._scatter(plane.luck(e, self.luck)) if luck else ()

    def _weigh(self) -> None:
        """F of the judged children with γ as it is turned now; F_q and F_d, which cost the time, stay as they are."""
        e, gamma = self.evolution, self.knobs.gamma
        e.settings = self._settings(mu=e.settings.mu)
        e.scores = [Fitness.weighed(f.quality, f.diversity, gamma) for f in e.scores]
        if self.spread:
            quality, diversity, _ = self._judged_again.unbind(-1)
            self.spread = self._scatter(torch.stack([quality, diversity, quality + gamma * diversity], -1))

    def _scatter(self, judged: Tensor) -> tuple[Fitness, ...]:
        """The standard deviation of one judgement of each child, of those of `plane.luck`, which are kept."""
        self._judged_again = judged
        return tuple(Fitness(*row) for row in judged.std(0).tolist())

    def _select(self) -> None:
        e = self.evolution
        e.settings = self._settings(mu=e.settings.mu)
        if self.choice is not None:
            best = select(e.scores, 1)[0]
            self.chosen = self.choice, best
            self.tally = self.tally[0] + 1, self.tally[1] + (self.choice == best)
            if self.choice != best:
                self.fate = Fate(e.generation + 1, self.span, (branch(e, self.choice), branch(e, best)))
        e.select()
        self._whole.append(e.lineage[-1])
        if self.measure and e.generation % self.every == 0:
            self._measure()

    def choose(self, child: int) -> None:
        """With the rule "mine": this child lives on (with μ > 1, and the best of the others). Then comes the truth."""
        if not self.waiting:
            raise RuntimeError('there is nothing to choose: set the selection to "mine", and step to the evaluation')
        if not 0 <= child < len(self.evolution.children):
            raise ValueError(f"there is no child {child}; there are {len(self.evolution.children)}, counted from 0")
        self.choice = child
        self.advance()

    def live(self) -> None:
        """One generation of both fates, if they are not over."""
        if self.fate is not None and not self.fate.over:
            with self._thread():
                self.fate.live(self.real, self.measure)

    # ------------------------------------------------------------------------------ memory

    def remember(self) -> None:
        """Keep a snapshot of this generation, and its measures. The oldest but generation 0 are forgotten."""
        e = self.evolution
        if self.next:
            return
        state = e.state(lineage=False)                                    # which only grows: it is kept once
        self.snapshots[e.generation] = state, self.knobs.active
        most = min(MOST, max(3, MEMORY // max(1, _bytes(state))))
        while len(self.snapshots) > most:
            del self.snapshots[next(g for g in self.snapshots if g)]
        if self.measure:
            self._measure()

    def _measure(self) -> None:
        e = self.evolution
        if e.generation not in self.measured:
            with self._thread():
                self.measured[e.generation] = self.measure(self.real, e.G)

    def rewind(self, generation: int) -> int:
        """Go back, or forward again, to the last snapshot up to this generation; returns its number.

        The knobs stay as they are turned now. What lies ahead is kept until another generation begins.
        """
        kept = sorted(self.snapshots)
        found = kept[max(0, bisect_right(kept, generation) - 1)]
        e, (state, took_part) = self.evolution, self.snapshots[found]
        self._clear()
        e.settings = self._settings(mu=len(state["survivors"]))                     # μ may have been turned since
        e.restore(state)
        self._moments_stay(took_part)
        e.lineage = self._whole[:found]
        return found

    def reset(self) -> None:
        """Generation 0 again, with the knobs as they are."""
        self._clear()
        self.first_choice = self.head_start if self.knobs.selection == "mine" else 0
        with self._thread():
            e = self.make(self._settings())
            real = self.real
            draw = torch.Generator().manual_seed(0)
            shown = real(200, draw) if callable(real) else real[torch.randperm(len(real), generator=draw)[:64]]
        self.evolution, self._whole = e, []
        self.shown = shown.float() / 127.5 - 1 if shown.dtype == torch.uint8 else shown
        self.tally = 0, 0
        self.snapshots: OrderedDict[int, tuple[dict, tuple[bool, ...]]] = OrderedDict()     # and the mutations that
                                                                                            # had taken part
        self.measured: dict[int, Mapping[str, float]] = {}
        self.remember()

    def view(self) -> View:
        """What there is to see now; see `view`."""
        with self._thread():
            return view.view(self)


def _bytes(value) -> int:
    """The size of all tensors in a nest of dicts and lists."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    values = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return sum(map(_bytes, values))
