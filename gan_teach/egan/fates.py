"""Two fates: of two children of one generation only one survives; here both do, each in an evolution of its own."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .evolution import Evolution
from .fitness_and_selection import Fitness, select


@dataclass
class Fate:
    """What became of two children that did not both survive: each goes on as an evolution of its own."""

    begun: int
    span: int
    branches: tuple[Evolution, Evolution]
    measures: tuple[list, list] = field(default_factory=lambda: ([], []))
    age: int = 0

    @property
    def over(self) -> bool:
        return self.age >= self.span

    def live(self, real, measure: Callable[..., Mapping[str, float]] | None) -> None:
        """One generation of both; measured at first, every fifth time, and in the end."""
        if not self.measures[0]:
            self._measure(real, measure)
        for one in self.branches:
            one.step(real)
            one.lineage.clear()
        self.age += 1
        if self.over or self.age % 5 == 0:
            self._measure(real, measure)

    def _measure(self, real, measure) -> None:
        for one, curve in zip(self.branches, self.measures):
            if measure:
                curve.append((self.age, measure(real, one.G)))


def branch(e: Evolution, child: int) -> Evolution:
    """Another evolution that stands where this one does, its children judged, and selects this child; then by F.

    All is copied but what is real; the copy's lineage is empty. e itself is left as it is.
    """
    other = copy.deepcopy(e, {id(e.real): e.real, id(e.lineage): []})
    other.settings = replace(e.settings, selection=by_hand(child, e.settings.mu))
    other.select()
    other.settings = replace(e.settings, selection="best")
    return other


def by_hand(child: int, mu: int) -> Callable[[Sequence[Fitness]], list[int]]:
    """A selection: this child, then the best of the others."""
    def chosen_by_hand(scores):
        return [child, *(i for i in select(scores, len(scores)) if i != child)][:mu]

    return chosen_by_hand
