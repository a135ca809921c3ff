"""Which numbers are taken: one check for every seed, size and setting; what it refuses it names, with what it wants."""

import math
import operator
from collections.abc import Mapping
from dataclasses import fields

import numpy as np

LARGEST = 2**63 - 1      # that torch can count
MAX_SEED = 2**32 - 1     # of a larger one torch would see the low 32 bits alone


def boolean(value) -> bool:
    """Whether it is true or false, as a part of a mask is, of Python, NumPy or torch."""
    return "bool" in str(getattr(value, "dtype", type(value)))


def whole(name: str, value, least: int = 0, most: int = LARGEST) -> int:
    """A whole number, NumPy's too, from `least` to `most`; ValueError that names it for anything else."""
    try:                                                                # a mask where numbers are wanted is refused
        number = None if boolean(value) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        if most == LARGEST:
            raise ValueError(f"{name} must be a whole number from {least} on; got {value!r:.60}")
        raise ValueError(f"{name} must be a whole number from {least} to {most}; got {value!r:.60}")
    return number


def sizes(name: str, values) -> tuple[int, ...]:
    """Sizes of layers, one or more, each a whole number from 1 to 8192; ValueError that names them for others."""
    if not isinstance(values, (tuple, list)) or not values:
        raise ValueError(f"{name} must be sizes of layers, such as (64, 32); got {values!r:.60}")
    return tuple(whole(f"each of {name}", value, 1, 8192) for value in values)


def finite(name: str, value, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number, NumPy's or a tensor of one too, from `least` to `most`; ValueError that names it for others."""
    try:
        found = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{name} must be a finite number; got {value!r:.60}")
    if not least <= found <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}; got {value!r:.60}")
    return found


def unmasked(name: str, value):
    """The value itself; ValueError for a masked NumPy array, whose hidden numbers would count like the others."""
    if np.ma.is_masked(value):
        raise ValueError(f"{name} is a masked array, which hides some of its numbers: fill them first, as with "
                         ".filled(0)")
    return value


def settle(settings: object, wholes: Mapping[str, int], numbers: Mapping[str, tuple[float, float]]) -> None:
    """Check the fields of a frozen dataclass: whole numbers from so many on, the seed, and finite ones in a range.

    A field that is None, or a pair, is checked as what it is; one that is True or False by default stays one of them.
    NumPy's whole numbers become Python's, and a list a pair.
    """
    for name, least in wholes.items():
        object.__setattr__(settings, name, whole(name, getattr(settings, name), least))
    object.__setattr__(settings, "seed", whole("seed", settings.seed, 0, MAX_SEED))
    for name, (least, most) in numbers.items():
        value = getattr(settings, name)
        if isinstance(value, (tuple, list)):
            object.__setattr__(settings, name, value := tuple(value))
            if len(value) != 2:
                raise ValueError(f"{name} must be two numbers; got {value!r:.60}")
        for each in value if isinstance(value, tuple) else () if value is None else (value,):
            finite(name, each, least, most)
    for name in (field.name for field in fields(settings) if isinstance(field.default, bool)):
        if not isinstance(given := getattr(settings, name), bool):               # the word "False" would be true
            raise ValueError(f"{name} must be True or False; got {given!r:.60}")
