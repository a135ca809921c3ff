"""Chapter 1's exercises: IoU, ablation, the threshold, insertion, the effect. See `exercises`."""

from collections.abc import Callable

import torch

from ...language import say
from ..exercises import NotStarted, Wrong, ask, one_number, shaped, that_is, unchanged, verdict


def threshold(values: torch.Tensor, share: float) -> torch.Tensor:
    """One number for each row: the package does the same from a stream, without keeping all (`largest`)."""
    return values.sort(dim=1, descending=True).values[:, int(share * values.shape[1])]


@verdict("gan_teach.dissection:iou",
         "Two boolean masks of one shape. Where are both true? `&` answers pixel by pixel.",
         "Where is at least one true? `|` answers. Each of the two results, summed, is a number of pixels.",
         "Divide the first number by the second. Where neither mask is on anywhere, that is 0/0: call it 0.")
def check_iou(answer: Callable) -> str:
    """Check `iou(mask_u, mask_c) -> float`: |u and c| / |u or c| over boolean masks of one shape."""
    u, c = torch.zeros(2, 8, 8, dtype=torch.bool), torch.zeros(2, 8, 8, dtype=torch.bool)
    u[0, :4, :5], c[0, 2:, 3:], c[1, 0, :6] = True, True, True     # |u| 20, |c| 36, both 4, either 52
    value = one_number(ask(answer, u, c, kept={say("the first mask"): u, say("the second mask"): c}),
                       say("IoU is one number for two masks, counted over all pictures at once"))
    # the usual slips, recognised by their value
    slips = {
        "the intersection alone; divide by the union": 4,
        "the union alone": 52,
        "upside down, union over intersection": 52 / 4,
        "|u∩c| / |u|": 4 / 20,
        "|u∩c| / |c|": 4 / 36,
        "|u∩c| / (|u|+|c|), which counts the common pixels twice below the line": 4 / 56,
        "the Dice score, 2|u∩c| / (|u|+|c|)": 8 / 56,
        "the share of pixels where the masks agree": 80 / 128,
        "a mean over the pictures; pool the pixels first": 4 / 46 / 2,
    }
    if not abs(value - 4 / 52) < 1e-6:
        raise Wrong("value: these masks share 4 pixels and cover 52 together, so IoU = {iou:.4f}; yours is "
                    "{value:.4f}, off by {off:+.4f}.{slip}", iou=4 / 52, value=value, off=value - 4 / 52,
                    slip=that_is(slips, value))
    swapped = float(ask(answer, c, u))
    if not abs(swapped - value) < 1e-6:
        raise Wrong("order: iou(u, c) = {value:.4f} but iou(c, u) = {swapped:.4f}.", value=value, swapped=swapped)
    for name, a, b, right in ((say("a mask with itself"), c, c, 1.0), (say("two masks that do not touch"), u, ~u, 0.0),
                              (say("two empty masks"), u & ~u, u & ~u, 0.0)):
        value = float(ask(answer, a, b))
        if not abs(value - right) < 1e-6:
            raise Wrong("value: for {name} IoU is {right:g}, yours is {value:.4f}.", name=name, right=right,
                        value=value)
    return say("iou: one number, right on six pairs of masks, whichever comes first; the masks are left alone.")


def _others_as_they_were(out: torch.Tensor, r: torch.Tensor, units: list[int]) -> None:
    others = [u for u in range(r.shape[1]) if u not in units]
    moved = (out[:, others] - r[:, others]).abs()
    if (moved != 0).any():
        raise Wrong("value: units that were not named changed too ({count} of {numel} values, by up to {moved:.3f}).",
                    count=int((moved != 0).sum()), numel=moved.numel(), moved=moved.max())


@verdict("gan_teach.dissection:ablate",
         "r has the shape (N, U, H, W): pictures, units, rows, columns. A unit is one of the second axis.",
         "Work on a copy, `r.clone()`: the caller still needs r to draw the picture before.",
         "`copy[:, units]` are the chosen units in every picture and place. Set them to 0, return the copy.")
def check_ablate(answer: Callable) -> str:
    """Check `ablate(r, units)`: the units are 0 everywhere, the rest and `r` itself are as they were."""
    r = torch.rand(3, 6, 4, 4, generator=torch.Generator().manual_seed(0)) + 0.5      # nothing is 0 by chance
    before, units = r.clone(), [4, 1]
    try:
        out = ask(answer, r, units)
    except NotStarted:
        unchanged("r", r, before)     # `r[:, units] = 0` with nothing returned is a start
        raise
    shaped(out, r.shape, say("the result, like r,"))
    unchanged("r", r, before)
    left = out[:, units]
    if (left != 0).any():
        count, pictures = int((left != 0).sum()), int((left != 0).flatten(1).any(1).sum())
        raise Wrong("value: the units are not 0 everywhere: {count} of {numel} values, in {pictures} of {r} pictures, "
                    "the largest {left:.3f}.", count=count, numel=left.numel(), pictures=pictures, r=len(r),
                    left=left.abs().max())
    _others_as_they_were(out, r, units)
    if not torch.equal(ask(answer, r, [1, 4]), out):
        raise Wrong("order: units [4, 1] and [1, 4] must give the same result.")
    if not torch.equal(ask(answer, r, []), r):
        raise Wrong("value: with no units at all, the result must equal r.")
    return say("ablate: the named units are 0 in every picture and place, all else is as it was, r is left alone.")


@verdict("gan_teach.lessons.checks.dissection:threshold",
         "Each row of `values` is one unit. It is compared with itself alone: one threshold for each row.",
         "The top 1 % of n values are the n/100 largest. Sort a row, largest first: where does the line go?",
         "`values.quantile(1 - share, dim=1)`: 1 - share of a row lie below it, a share of it lies above.")
def check_threshold(answer: Callable) -> str:
    """Check `threshold(values, share)`: U×n values to U thresholds, each exceeded by that share of its row."""
    rng = torch.Generator().manual_seed(0)
    values = torch.randn(3, 1000, generator=rng) * torch.tensor([[1.0], [5.0], [0.1]]) + torch.tensor([[0.0], [2], [9]])
    for share in (0.01, 0.2):
        t = shaped(ask(answer, values, share, kept={"values": values}), (3,),
                   say("the thresholds, one for each unit (which is compared with itself alone),"))
        on = (values > t[:, None]).float().mean(1)                          # (3,)
        off = int((on - share).abs().argmax())
        if abs(on[off] - share) > 0.002:
            slip = say(" That is the line of the *smallest* values.") if abs(on[off] - 1 + share) < 0.002 else ""
            raise Wrong("value: with share {share:g}, {share:.0%} of a unit's values must lie above its threshold; in "
                        "row {row} yours leaves {leaves:.1%} above.{slip}", share=share, row=off, leaves=on[off],
                        slip=slip)
    return say("threshold: one for each unit, and the right share of its values lies above it.")


@verdict("gan_teach.dissection:insert",
         "Work on a copy. `where` has the rows and columns of r: 1 at the places P, 0 elsewhere.",
         "One line for all places: P·k + (1 − P)·r. Where P is 0 that is r; where P is 1 it is k.",
         "k is one number per unit: give it the shape (units, 1, 1), `level[:, None, None]`, to fit (N, units, H, W).")
def check_insert(answer: Callable) -> str:
    """Check `insert(r, units, where, level)`: k at the places P in the units, all else and `r` as it was."""
    rng = torch.Generator().manual_seed(0)
    r, units, level = torch.rand(3, 6, 4, 4, generator=rng) + 0.5, [4, 1], torch.tensor([7.0, 3.0])
    where = torch.zeros(4, 4)
    where[1:3, :2] = 1
    P = where.bool()
    out = shaped(ask(answer, r, units, where, level, kept={"r": r}), r.shape, say("the result, like r,"))
    for u, k in zip(units, level.tolist()):
        inside, outside = out[:, u][:, P], (out[:, u] - r[:, u])[:, ~P]
        if not (inside - k).abs().max() < 1e-6:
            seen = inside.flatten()[(inside - k).abs().argmax()]
            hint = say(" That is the other unit's level.") if float(seen) in level.tolist() else ""
            raise Wrong("value: at the places P unit {u} must be {k:g}; somewhere yours is {seen:.3f}.{hint}", u=u, k=k,
                        seen=seen, hint=hint)
        if not outside.abs().max() < 1e-6:
            raise Wrong("place: unit {u} changed outside P too, by up to {outside:.3f}.", u=u,
                        outside=outside.abs().max())
    _others_as_they_were(out, r, units)
    half = ask(answer, r, units, where / 2, level)
    right = (level[:, None, None] + r[:, units]) / 2
    if not (half[:, units][:, :, P] - right[:, :, P]).abs().max() < 1e-6:
        raise Wrong("value: P may be soft, like a brush: at P = ½ the unit must be half way from r to k.")
    return say("insert: each unit has its level at P, and is half-way there where P is ½; all else is as it was, r is "
               "left alone.")


@verdict("gan_teach.dissection.intervention:effect",
         "δ compares two pictures of each z: with the units forced on, and with them at 0.",
         "The share of pixels that show class c: `(labels == c).float().mean()`.",
         "Subtract: what insertion shows less what ablation leaves. No absolute value: an effect has a sign.")
def check_effect(answer: Callable) -> str:
    """Check `effect(labels_inserted, labels_ablated, c) -> float`: δ, the difference of the shares of class c."""
    inserted, ablated = torch.zeros(2, 8, 8, dtype=torch.long), torch.zeros(2, 8, 8, dtype=torch.long)
    inserted[0, :4], inserted[1, :1], ablated[0, :1], ablated[1, 0, :4] = 2, 2, 2, 2      # c = 2: 40 and 12 of 128
    inserted[1, 7], ablated[:, 6:] = 1, 1                                                 # another class
    kept = {say("the first labels"): inserted, say("the second labels"): ablated}
    value = one_number(ask(answer, inserted, ablated, 2, kept=kept), say("δ is one number over all pictures"))
    slips = {"the inserted pictures alone": 40 / 128, "the ablated pictures alone": 12 / 128,
             "the other way round: ablated less inserted": -28 / 128, "a number of pixels, not a share of them": 28.0,
             "pixels per picture, not a share of them": 28 / 2, "the growth relative to the ablated pictures": 28 / 12,
             "the loss relative to the inserted pictures": 28 / 40}
    if not abs(value - 28 / 128) < 1e-6:
        raise Wrong("value: class 2 has 40 of 128 pixels inserted and 12 ablated, so δ = {delta:.4f}; yours is "
                    "{value:.4f}.{slip}", delta=28 / 128, value=value, slip=that_is(slips, value))
    swapped = float(ask(answer, ablated, inserted, 2))
    if not abs(swapped + 28 / 128) < 1e-6:
        raise Wrong("sign: with fewer pixels after insertion δ is negative, {delta:.4f}; yours is {swapped:.4f}.",
                    delta=-28 / 128, swapped=swapped)
    other = float(ask(answer, inserted, ablated, 1))
    if not abs(other + 24 / 128) < 1e-6:
        raise Wrong("class: for class 1 δ = {delta:.4f}; yours is {other:.4f}. Do you use c?", delta=-24 / 128,
                    other=other)
    return say("effect: the difference of two shares, with its sign, for the class that was asked.")
