"""A choice of units: checked, in an order, and kept in a file so that a set found once can be used again.

The dissection paper (Bau et al., arXiv 1811.10597) writes U for a set of units of one layer.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..files import expanded, read_json, write_json
from ..networks.layers import seeded
from ..networks.protocols import Generator
from .pixels import unit_count

KIND = "gan_teach.units"        # what the file says it is


@dataclass
class Ranking:
    """Units ordered by their effect on a class; `ablation_curve` takes it as it is."""

    cls: str
    score: Tensor               # (U,) the effect of each unit, or its α; −inf: was no candidate
    tie: Tensor                 # (U,) decides between equal scores
    history: list[dict[str, float]] = field(default_factory=list)          # the terms at each update of α
    by: str = "effect"          # what the score is: "effect" (of each unit alone) or "α"

    @property
    def units(self) -> list[int]:
        """The candidates, best first."""
        found = (self.score > -math.inf).nonzero().flatten().tolist()
        return sorted(found, key=lambda u: (self.score[u].item(), self.tie[u].item()), reverse=True)


@dataclass(frozen=True)
class UnitSet:
    """Units of one layer that belong to a class, best first, and where they come from."""

    layer: str
    cls: str
    units: tuple[int, ...]
    ranked_by: str = ""         # how they were ordered: "IoU", "effect alone", "α", …
    model: str = ""             # the generator's name, if known
    sha256: str = ""            # of the generator's weight file, if known


Units = Sequence[int] | Tensor | Ranking | UnitSet


def check_units(units: Units, count: int) -> list[int]:
    """The units as a list of ints: numbers, or a boolean mask over all `count` of them.

    ValueError with the valid range for one that the layer does not have, and for what is neither.
    """
    units = getattr(units, "units", units)
    try:
        units = units.tolist() if hasattr(units, "tolist") else list(units)
        if units and all(isinstance(u, (bool, np.bool_)) for u in units):
            if len(units) != count:
                raise ValueError(f"a mask of units has one entry for each of the {count}; got {len(units)}")
            units = [u for u, on in enumerate(units) if on]
        elif any(isinstance(u, (bool, np.bool_)) for u in units):
            raise TypeError
        units = [operator.index(u) for u in units]
    except TypeError:
        raise ValueError(f"units are a list of numbers from 0 to {count - 1}, or a boolean mask of length {count}; got "
                         f"{units!r:.60}") from None
    if wrong := [str(u) for u in units if not 0 <= u < count]:
        some = ", ".join(wrong[:8]) + (", …" if len(wrong) > 8 else "")
        raise ValueError(f"no unit {some}; this layer has units 0 to {count - 1}")
    if len(set(units)) < len(units):                         # as in a mask of numbers, 0 and 1
        raise ValueError(f"a unit is named more than once, in {units!r:.60}; a mask must be boolean: mask.bool()")
    return units


def random_orders(count: int, draws: int, seed: int) -> list[list[int]]:
    """All `count` units in random orders, as many as `draws`: what any units would do."""
    rng = seeded(seed)
    return [torch.randperm(count, generator=rng).tolist() for _ in range(draws)]


def save_units(path: str | Path, units: Units, layer: str, cls: str, ranked_by: str = "",
               G: Generator | None = None, model: str = "") -> UnitSet:
    """Write a set of units as JSON, under a temporary name first so that a cut-off save breaks nothing.

    units: best first; cut a ranking to what is meant (`ranking.units[:12]`). ranked_by: how they were found.
    G: its layer is checked, its units too, and the SHA-256 of its weights is kept if `gan_teach.load` gave it.
    """
    units = check_units(units, 2**31 if G is None else unit_count(G, layer))
    found = UnitSet(layer, cls, tuple(units), ranked_by, model, getattr(G, "record", {}).get("sha256", ""))
    if odd := [value for value in (layer, cls, ranked_by, model) if not isinstance(value, str)]:
        raise ValueError(f"layer, class and origin are text; got {odd[0]!r:.60}")
    about = {"class" if key == "cls" else key: value for key, value in asdict(found).items()}
    write_json(path, {"kind": KIND, **about}, indent=2)
    return found


def load_units(path: str | Path, G: Generator | None = None) -> UnitSet:
    """Read what `save_units` wrote; every function that asks for units or a ranking takes it.

    G: checks that this generator has the layer and the units, and is the one they were found in (where both
    hashes are known: unit 17 of another training is another unit). FileNotFoundError; ValueError naming the
    file when it is cut, foreign or does not fit G.
    """
    path = expanded(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; save_units writes one")
    try:
        about = read_json(path)
        if about.pop("kind") != KIND:
            raise ValueError(f"its kind is not {KIND!r}")
        about["cls"], about["units"] = about.pop("class"), tuple(check_units(about["units"], 2**31))
        found = UnitSet(**about)
        if not all(isinstance(getattr(found, f.name), str) for f in fields(found) if f.name != "units"):
            raise ValueError("layer, class and origin must be text")
    except (ValueError, KeyError, TypeError, AttributeError) as error:      # a JSONDecodeError is a ValueError
        raise ValueError(f"{path} is no saved set of units, or damaged ({error}); save_units writes one") from error
    if G is not None:
        now = getattr(G, "record", {}).get("sha256", "")
        if now and found.sha256 and now != found.sha256:
            raise ValueError(f"{path}: these units were found in another generator ({found.model or 'no name'}, "
                             f"sha256 {found.sha256[:8]}…, not {now[:8]}…); find them again in this one")
        try:
            check_units(found.units, unit_count(G, found.layer))
        except ValueError as error:
            raise ValueError(f"{path} does not fit this generator: {error}") from error
    return found
