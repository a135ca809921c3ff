"""Chapter 4's exercise: a style that forces units to a level. See `checks`."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .checks import HINTS, SOLUTIONS, Wrong, _ask, _check, _unchanged

SOLUTIONS["forced"] = ("gan_teach.capstone", "forced")

HINTS["forced"] = (
    "In AdaIN a unit's map is y_s · (normalised map) + y_b. Which y_s takes all shape out of it?",
    "With y_s = 0 only y_b is left, in every place: that is the level.",
    "Copy both first: `y_s, y_b = y[0].clone(), y[1].clone()`. Then `y_s[:, units] = 0`, `y_b[:, units] = level`.",
)


@_check
def check_forced(answer: Callable) -> str:
    """Check `forced(y, units, level) -> (y_s, y_b)`: AdaIN then gives these units the level everywhere."""
    rng = torch.Generator().manual_seed(0)
    y = torch.randn(3, 6, generator=rng), torch.randn(3, 6, generator=rng)
    before, units = [part.clone() for part in y], [4, 1]
    others = [u for u in range(6) if u not in units]
    for level in (0.0, 1.5):
        out = _ask(answer, y, units, level)
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise Wrong(f"shape: a style is a pair, (y_s, y_b); yours is a {type(out).__name__}.")
        for name, part, was, now in zip(("y_s", "y_b"), out, before, y):
            _unchanged(name, now, was)
            if not isinstance(part, torch.Tensor) or part.shape != was.shape:
                got = tuple(part.shape) if isinstance(part, torch.Tensor) else type(part).__name__
                raise Wrong(f"shape: {name} must stay {tuple(was.shape)}, pictures × units; yours is {got}.")
        for name, part, was, right in zip(("y_s", "y_b"), out, before, (0.0, level)):
            if not torch.equal(part[:, others], was[:, others]):
                raise Wrong(f"value: {name} of units that were not named changed too.")
            if not torch.equal(part[:, units], torch.full((3, 2), right)):
                slip = {
                    ("y_s", 0.0): " While y_s is not 0, the map keeps its shape.",
                    ("y_b", level): " What is left of the map is y_b.",
                }[name, right]
                raise Wrong(f"value: with level {level:g}, {name} of the named units must be {right:g}; yours is "
                            f"{part[0, units[0]]:.3f}.{slip}")
    return "forced: the named units stand at their level, the others and y itself are as they were."
