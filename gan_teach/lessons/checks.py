"""Checks, hints and solutions of the exercises.

An exercise asks for a function of the package with its body taken out; the solution is the package's own
source. A check says which property of an answer fails and by how much. It prints, and never raises: a learner
who has not begun, or whose code stops with an error, is told so and the notebook goes on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from importlib import import_module

import torch

SOLUTIONS = {"iou": "gan_teach.dissection", "ablate": "gan_teach.intervention"}

HINTS = {
    "iou": (
        "Two boolean masks of one shape. Where are both true? `&` answers pixel by pixel.",
        "Where is at least one true? `|` answers. Each of the two results, summed, is a number of pixels.",
        "Divide the first number by the second. Where neither mask is on anywhere, that is 0/0: call it 0.",
    ),
    "ablate": (
        "r has the shape (N, U, H, W): pictures, units, rows, columns. A unit is one of the second axis.",
        "Work on a copy, `r.clone()`: the caller still needs r to draw the picture before.",
        "`copy[:, units]` are the chosen units in every picture and place. Set them to 0, return the copy.",
    ),
}


class NotStarted(Exception):
    """The answer still holds its `...`."""


class Wrong(Exception):
    """A property does not hold; the message says which, and by how much."""


def _ask(answer: Callable, *args):
    """The value of `answer(*args)`; the learner's own errors become sentences."""
    try:
        value = answer(*args)
    except Exception as error:
        if "ellipsis" in str(error).lower():      # a `...` was reached in the middle of the body
            raise NotStarted from None
        raise Wrong(f"error: your function stopped with {type(error).__name__}: {error}") from None
    if value is None or value is ...:
        raise NotStarted
    return value


def _unchanged(what: str, now: torch.Tensor, before: torch.Tensor) -> None:
    if not torch.equal(now, before):
        changed = int((now != before).sum())
        raise Wrong(f"purity: your function changed {what} itself ({changed} of {now.numel()} values). "
                    "Work on a copy.")


def _check(properties: Callable) -> Callable:
    """Turn a function that raises `Wrong` into one that prints the verdict."""
    @wraps(properties)
    def check(answer: Callable) -> None:
        if not callable(answer):
            return print("… not started: give the check your function, by its name and without brackets.")
        try:
            print("✓", properties(answer))
        except NotStarted:
            print("… not started: replace the `...` in the function, run its cell, then this one.")
        except Wrong as wrong:
            print("✗", wrong)
        except Exception as error:                # a return value so odd that the check itself stumbled
            print(f"✗ value: the check cannot use what you return ({type(error).__name__}: {error}).")
    return check


@_check
def check_iou(answer: Callable) -> str:
    """Check `iou(mask_u, mask_c) -> float`: |u and c| / |u or c| over boolean masks of one shape."""
    u, c = torch.zeros(2, 8, 8, dtype=torch.bool), torch.zeros(2, 8, 8, dtype=torch.bool)
    u[0, :4, :5], c[0, 2:, 3:], c[1, 0, :6] = True, True, True     # |u| 20, |c| 36, both 4, either 52
    before = u.clone(), c.clone()
    value = _ask(answer, u, c)
    _unchanged("the first mask", u, before[0])
    _unchanged("the second mask", c, before[1])
    size = torch.as_tensor(value).numel()
    if size != 1:
        raise Wrong(f"shape: IoU is one number for two masks, yours has {size}. Count all pictures at once.")
    value = float(value)
    # the usual slips, recognised by their value
    slips = {
        4: "the intersection alone; divide by the union",
        52: "the union alone",
        52 / 4: "upside down, union over intersection",
        4 / 20: "|u∩c| / |u|",
        4 / 36: "|u∩c| / |c|",
        4 / 56: "|u∩c| / (|u|+|c|), which counts the common pixels twice below the line",
        8 / 56: "the Dice score, 2|u∩c| / (|u|+|c|)",
        80 / 128: "the share of pixels where the masks agree",
        4 / 46 / 2: "a mean over the pictures; pool the pixels first",
    }
    if abs(value - 4 / 52) > 1e-6:
        slip = next((f" That is {name}." for at, name in slips.items() if abs(value - at) < 1e-6), "")
        raise Wrong(f"value: these masks share 4 pixels and cover 52 together, so IoU = {4 / 52:.4f}; "
                    f"yours is {value:.4f}, off by {value - 4 / 52:+.4f}.{slip}")
    swapped = float(_ask(answer, c, u))
    if abs(swapped - value) > 1e-6:
        raise Wrong(f"order: iou(u, c) = {value:.4f} but iou(c, u) = {swapped:.4f}.")
    for name, a, b, right in (("a mask with itself", c, c, 1.0), ("two masks that do not touch", u, ~u, 0.0),
                              ("two empty masks", u & ~u, u & ~u, 0.0)):
        value = float(_ask(answer, a, b))
        if not abs(value - right) < 1e-6:
            raise Wrong(f"value: for {name} IoU is {right:g}, yours is {value:.4f}.")
    return "iou: one number, right on six pairs of masks, whichever comes first; the masks are left alone."


@_check
def check_ablate(answer: Callable) -> str:
    """Check `ablate(r, units)`: the units are 0 everywhere, the rest and `r` itself are as they were."""
    r = torch.rand(3, 6, 4, 4, generator=torch.Generator().manual_seed(0)) + 0.5      # nothing is 0 by chance
    before, units = r.clone(), [4, 1]
    try:
        out = _ask(answer, r, units)
    except NotStarted:
        _unchanged("r", r, before)     # `r[:, units] = 0` with nothing returned is a start
        raise
    if not isinstance(out, torch.Tensor) or out.shape != r.shape:
        got = tuple(out.shape) if hasattr(out, "shape") else type(out).__name__
        raise Wrong(f"shape: the result must look like r, {tuple(r.shape)}; yours is {got}.")
    _unchanged("r", r, before)
    left = out[:, units]
    if (left != 0).any():
        count, pictures = int((left != 0).sum()), int((left != 0).flatten(1).any(1).sum())
        raise Wrong(f"value: the units are not 0 everywhere: {count} of {left.numel()} values, in {pictures} of "
                    f"{len(r)} pictures, the largest {left.abs().max():.3f}.")
    others = [u for u in range(r.shape[1]) if u not in units]
    moved = (out[:, others] - r[:, others]).abs()
    if not torch.equal(out[:, others], r[:, others]):
        count = int((moved != 0).sum())
        raise Wrong(f"value: units that were not named changed too ({count} of {moved.numel()} values, "
                    f"by up to {moved.max():.3f}).")
    if not torch.equal(_ask(answer, r, [1, 4]), out):
        raise Wrong("order: units [4, 1] and [1, 4] must give the same result.")
    if not torch.equal(_ask(answer, r, []), r):
        raise Wrong("value: with no units at all, the result must equal r.")
    return "ablate: the named units are 0 in every picture and place, all else is as it was, r is left alone."


def hint(name: str, n: int = 1) -> None:
    """Print the n-th hint of an exercise, from 1; each says a little more than the one before."""
    hints = HINTS.get(name)
    if hints is None:
        print(f"There is no exercise {name!r}; there are: {', '.join(HINTS)}.")
    elif not 1 <= n <= len(hints):
        print(f"{name} has {len(hints)} hints: hint({name!r}, 1) to hint({name!r}, {len(hints)}).")
    else:
        print(f"Hint {n} of {len(hints)}: {hints[n - 1]}")


def solution(name: str) -> None:
    """Print the package's own source of the exercise's function."""
    if name in SOLUTIONS:
        print(inspect.getsource(getattr(import_module(SOLUTIONS[name]), name)))
    else:
        print(f"There is no exercise {name!r}; there are: {', '.join(SOLUTIONS)}.")
