"""Chapter 4's exercises: styles that force units or borrow them, β, and likeness. See `exercises`."""

from collections.abc import Callable

import torch

from ...dissection.compare import likeness
from ...language import say
from ..exercises import Wrong, ask, gap, in_words, one_number, shaped, verdict


def _pair(out, shape: tuple[int, ...]) -> None:
    """A style: two tensors of this shape."""
    if not isinstance(out, tuple | list) or len(out) != 2:
        raise Wrong("shape: a style is a pair, (y_s, y_b); yours is a {kind}.", kind=type(out).__name__)
    for name, part in zip(("y_s", "y_b"), out):
        shaped(part, shape, say("{name}, pictures × units,", name=name))


@verdict("gan_teach.capstone:forced",
         "In AdaIN a unit's map is y_s · (normalised map) + y_b. Which y_s takes all shape out of it?",
         "With y_s = 0 only y_b is left, in every place: that is the level.",
         "Copy both first: `y_s, y_b = y[0].clone(), y[1].clone()`. Then `y_s[:, units] = 0`, `y_b[:, units] = level`.")
def check_forced(answer: Callable) -> str:
    """Check `forced(y, units, level) -> (y_s, y_b)`: AdaIN then gives these units the level everywhere."""
    rng = torch.Generator().manual_seed(0)
    y = torch.randn(3, 6, generator=rng), torch.randn(3, 6, generator=rng)
    units, others = [4, 1], [0, 2, 3, 5]
    for level in (0.0, 1.5):
        out = ask(answer, y, units, level, kept=dict(zip(("y_s", "y_b"), y)))
        _pair(out, y[0].shape)
        for name, part, was, right in zip(("y_s", "y_b"), out, y, (0.0, level)):
            if not torch.equal(part[:, others], was[:, others]):
                raise Wrong("value: {name} of units that were not named changed too.", name=name)
            if not torch.equal(part[:, units], torch.full((3, 2), right)):
                slip = (say(" While y_s is not 0, the map keeps its shape.") if name == "y_s" else
                        say(" What is left of the map is y_b."))
                raise Wrong("value: with level {level:g}, {name} of the named units must be {right:g}; yours is "
                            "{value:.3f}.{slip}", level=level, name=name, right=right, value=part[0, units[0]],
                            slip=slip)
    return say("forced: the named units stand at their level, the others and y itself are as they were.")


@verdict("gan_teach.capstone:borrowed",
         "It is the mixing of chapter 2, but the second axis now holds units, and a style has two parts.",
         "Copy y_s and y_b of y first; then overwrite the columns of the named units in each of the two.",
         "`y_s[:, units] = y2[0][:, units]`, the same with y_b and y2[1]; return (y_s, y_b).")
def check_borrowed(answer: Callable) -> str:
    """Check `borrowed(y, y2, units) -> (y_s, y_b)`: y, but the named units have both numbers from y2."""
    rng = torch.Generator().manual_seed(0)
    y, y2 = (tuple(torch.randn(3, 6, generator=rng) for _ in range(2)) for _ in range(2))
    units, others = [4, 1], [0, 2, 3, 5]
    out = ask(answer, y, y2, units, kept=dict(zip(("y_s", "y_b", say("y_s of y2"), say("y_b of y2")), (*y, *y2))))
    _pair(out, y[0].shape)
    for name, part, own, other in zip(("y_s", "y_b"), out, y, y2):
        if not torch.equal(part[:, units], other[:, units]):
            slip = (say(" They are those of y.") if torch.equal(part[:, units], own[:, units]) else
                    say(" y_s and y_b are exchanged.") if any(torch.equal(part[:, units], p[:, units]) for p in y2)
                    else "")
            raise Wrong("units: {name} of the named units must be that of y2.{slip}", name=name, slip=slip)
        if not torch.equal(part[:, others], own[:, others]):
            slip = say(" They too are those of y2.") if torch.equal(part[:, others], other[:, others]) else ""
            raise Wrong("units: {name} of units that were not named must stay that of y.{slip}", name=name, slip=slip)
    return say("borrowed: the named units have y_s and y_b of the second style, the others their own; both are left "
               "alone.")


@verdict("gan_teach.capstone:beta",
         "Two differences for each pair and class: how far the mixture moved, and how far there was to go.",
         "A line through the origin, y = βx, fits best with β = Σ x·y / Σ x². Which difference is x, which is y?",
         "`((mixed - before) * (after - before)).sum(0) / (after - before).square().sum(0)`.")
def check_beta(answer: Callable) -> str:
    """Check `beta(before, mixed, after)`: N×C areas each, to C slopes of a line through the origin."""
    rng = torch.Generator().manual_seed(0)
    before, after = (torch.rand(8, 3, generator=rng).double() * 100 for _ in range(2))
    after[0] = before[0] + 1e-3                             # a pair that hardly differs: a mean of ratios trips here
    mixed = before + torch.tensor([0.25, 1.0, -0.5]) * (after - before) + torch.randn(8, 3, generator=rng)
    out = shaped(ask(answer, before, mixed, after, kept={"before": before, "mixed": mixed, "after": after}), (3,),
                 say("β, a slope for each class (a sum over the pairs alone, dim 0),"))
    moved, away = mixed - before, after - before
    right = (moved * away).sum(0) / away.square().sum(0)
    if not gap(out, right) < 1e-6:
        slips = {
            "That is a mean of ratios: one pair that hardly differs spoils it": (moved / away).mean(0),
            "That is a ratio of sums: moves up and down cancel": moved.sum(0) / away.sum(0),
            "The areas themselves were multiplied; take the differences from `before`":
                (mixed * after).sum(0) / after.square().sum(0),
            "The line is upside down: divide by the square of the way there was to go":
                away.square().sum(0) / (moved * away).sum(0),
            "It is divided by the square of the way moved, not of the way there was to go":
                (moved * away).sum(0) / moved.square().sum(0),
            "It is not divided by Σ (after − before)²": (moved * away).sum(0),
            "That is a correlation, which forgets how far it moved":
                (moved * away).sum(0) / (moved.square().sum(0) * away.square().sum(0)).sqrt(),
        }
        slip = in_words(slips, lambda value: gap(out, value) < 1e-6)
        raise Wrong("value: for the first class β is {right:.3f}; yours is {out:.3f}.{slip}", right=right[0],
                    out=out[0], slip=slip)
    return say("beta: the slope for each class; a pair that hardly differs counts little, and the sign stays.")


@verdict("gan_teach.dissection.compare:likeness",
         "Take off what all units share: from each class (column) its mean over the units.",
         "A correlation is Σ a·b / sqrt(Σ a² · Σ b²), here over all units and classes at once.",
         "`a = iou1 - iou1.mean(0)`, b in the same way; `(a * b).sum() / (a.square().sum() * "
         "b.square().sum()).sqrt()`.")
def check_likeness(answer: Callable) -> str:
    """Check `likeness(iou1, iou2)`: the correlation of two tables, units × classes, each class's mean taken off."""
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.rand(7, 4, generator=rng).double() + torch.tensor([5.0, 0.0, 2.0, 1.0]) for _ in range(2))
    for word, one, two in ((say("two strangers"), a, b), (say("a table and itself"), a, a),
                           (say("a table and its double"), a, 2 * a),
                           (say("the units in another order"), a, a.roll(1, 0))):
        value = one_number(ask(answer, one, two, kept={"iou1": a, "iou2": b}), say("likeness is one number"))
        right = float(likeness(one, two))
        if not abs(value - right) < 1e-6:
            plain = torch.corrcoef(torch.stack([one, two]).flatten(1))[0, 1].item()
            x, y = (t - t.mean(1, keepdim=True) for t in (one, two))
            slips = {
                "The mean of each class was not taken off, so what all units share looks like likeness": plain,
                "The means were taken over the classes; take them over the units, dim 0":
                    float((x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()),
                "It is not divided by the sizes of the two tables":
                    float(((one - one.mean(0)) * (two - two.mean(0))).sum()),
                "That is a mean distance": float((one - two).abs().mean()),
            }
            slip = in_words(slips, lambda other, value=value: abs(value - other) < 1e-6)
            raise Wrong("value: for {word} it is {right:.3f}; yours is {value:.3f}.{slip}", word=word, right=right,
                        value=value, slip=slip)
    return say("likeness: 1 for a table and itself or its double; what all units share does not count.")
