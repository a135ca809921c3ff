"""Chapter 3b's exercises: the paired comparison, the spherical way, a mutation of one's own. See `exercises`."""

import math
from collections.abc import Callable

import torch

from ...language import say
from ..exercises import Wrong, ask, gap, numbers, shaped, that_is, unchanged, verdict
from .losses import a_loss, four_logits, listed


def equally_loud(logits: torch.Tensor) -> torch.Tensor:
    """−E l: one mutation of very many. Its slope is −1/N for every picture, whatever D thinks of it."""
    return -logits.mean()


@verdict("gan_teach.egan.over_seeds:paired",
         "Seed by seed: d_i = a_i − b_i, for i = 0 … n − 1. All three answers are about these n numbers.",
         "The standard error of a mean is s / √n, and s² = Σ (d_i − mean)² / (n − 1): `statistics.stdev(d)` is s.",
         "How often a is lower: count the d_i below 0. Return the mean, the error, the count.")
def check_paired(answer: Callable) -> str:
    """Check `paired(a, b) -> (mean difference, its standard error, in how many a is lower)`."""
    a, b = [0.10, 0.30, 0.20, 0.55, 0.25], [0.20, 0.35, 0.15, 0.85, 0.45]
    given = list(a), list(b)
    value = ask(answer, a, b)
    if (a, b) != given:
        raise Wrong("purity: your function changed the lists themselves. Work on copies.")
    mean, error, lower = numbers(value, 3, say("the answer is three numbers, (mean difference, standard error, how "
                                                "often)"))
    d = [x - y for x, y in zip(a, b)]
    n, right = len(d), sum(d) / len(d)
    s = math.sqrt(sum((x - right) ** 2 for x in d) / (n - 1))
    if not abs(mean - right) < 1e-6:
        slip = say(" The sign: it is a − b.") if abs(mean + right) < 1e-6 else ""
        raise Wrong("mean: the mean of a − b over these five seeds is {right:+.4f}; yours is {mean:+.4f}.{slip}",
                    right=right, mean=mean, slip=slip)
    if not abs(error - s / math.sqrt(n)) < 1e-6:
        spread = [math.sqrt(sum((v - sum(x) / n) ** 2 for v in x) / (n - 1)) for x in (a, b)]
        slips = {"the standard deviation; the error of a mean is that over √n": s,
                 "that with n in place of n − 1": s * math.sqrt((n - 1) / n) / math.sqrt(n),
                 "s / n; it is s / √n": s / n,
                 "the error of two groups that are no pairs": math.hypot(*spread) / math.sqrt(n)}
        raise Wrong("error: the standard error of the mean difference is {right:.4f}; yours is {error:.4f}.{slip}",
                    right=s / math.sqrt(n), error=error, slip=that_is(slips, error))
    right = sum(x < 0 for x in d)
    if lower != right:
        slip = say(" That is how often b is lower.") if lower == n - right else ""
        raise Wrong("count: a is lower in {right} of these five seeds; yours says {lower:g}.{slip}", right=right,
                    lower=lower, slip=slip)
    return say("paired: the mean of the differences, its error, and in how many seeds the first is lower.")


@verdict("gan_teach.egan.interpolation:spherical",
         "Ω is the angle between z1 and z2: its cosine is the scalar product of the two, divided by both lengths.",
         "The weights are sin((1 − α) Ω) / sin Ω for z1 and sin(α Ω) / sin Ω for z2; at α = 0 they are 1 and 0.",
         "`omega = torch.cosine_similarity(z1, z2, dim=-1, eps=0)[..., None].arccos()` fits N×Z; α of N numbers needs "
         "`[..., None]` too.")
def check_spherical(answer: Callable) -> str:
    """Check `spherical(z1, z2, alpha)`: along the arc from z1 to z2, for Z numbers and for N×Z with N alphas."""
    draw = torch.Generator().manual_seed(0)
    z1, z2 = torch.randn(2, 1, 100, generator=draw)
    z1, z2 = 10 * z1 / z1.norm(), 10 * z2 / z2.norm()
    ends = [(0.0, z1, "z1"), (1.0, z2, "z2")]
    for alpha, end, name in ends:
        value = shaped(ask(answer, z1, z2, torch.tensor([alpha]), kept={"z1": z1, "z2": z2}), z1.shape,
                       say("the answer, a latent,"))
        if not gap(value, end) < 1e-3:
            swapped = gap(value, z2 if alpha == 0 else z1) < 1e-3
            slip = say(" You walk from z2 to z1.") if swapped else ""
            raise Wrong("ends: at α = {alpha:g} you must stand at {name}.{slip}", alpha=alpha, name=name, slip=slip)
    middle = ask(answer, z1, z2, torch.tensor([0.5]))
    length = float(middle.norm())
    if not abs(length - 10) < 1e-2:
        line = float(((z1 + z2) / 2).norm())
        slip = say(" That is the straight line.") if abs(length - line) < 1e-2 else ""
        raise Wrong("length: z1 and z2 are 10 long, and so must be what lies half-way; yours is {length:.2f}.{slip}",
                    length=length, slip=slip)
    quarter = ask(answer, z1, z2, torch.tensor([0.25]))
    omega = float(torch.cosine_similarity(z1, z2).arccos())
    angle = float(torch.cosine_similarity(z1, quarter).clamp(-1, 1).arccos())
    if not abs(angle - omega / 4) < 1e-3:
        raise Wrong("angle: at α = ¼ you must have turned by a quarter of Ω, {omega:.3f}; you have turned by "
                    "{angle:.3f}.", omega=omega / 4, angle=angle)
    alphas = torch.tensor([0.5, 0.5, 1.0])
    many = ask(answer, z1.expand(3, -1), torch.cat([z2, middle, z2]), alphas)
    right = torch.cat([middle, quarter, z2])                            # half of half the way is a quarter
    if not isinstance(many, torch.Tensor) or many.shape != right.shape or not gap(many, right) < 1e-3:
        raise Wrong("rows: for N latents and N alphas, each row has its own Ω and α.")
    return say("spherical: from z1 to z2 in equal angles, and the length is kept.")


@verdict("gan_teach.lessons.checks.egan_further:equally_loud",
         "It gets D's logits, N numbers, and returns one number: a mean over the pictures of some function of l.",
         "G descends on it. To ask for more realism it must fall where a logit rises: minus l, or how far l is from 2.",
         "`-logits.mean()`, `(2 - logits).relu().mean()`, or minus the mean of the lowest tenth: "
         "`-logits.sort().values[:max(1, len(logits) // 10)].mean()`.")
def check_mutation(answer: Callable) -> str:
    """Check a mutation of the reader's own: N logits to one number that can be descended on."""
    logits = four_logits()
    leaf = logits.clone().requires_grad_(True)
    value = a_loss(ask(answer, leaf))
    unchanged(say("the logits"), leaf.detach(), logits)
    if not torch.isfinite(value):
        raise Wrong("value: for D = {D} it is {value}.", D=listed(logits.sigmoid()), value=float(value.detach()))
    if not value.requires_grad:
        raise Wrong("gradient: nothing flows back to the logits. Is there a `detach`, an `item`, a `no_grad`?")
    slope, = torch.autograd.grad(value, leaf, allow_unused=True)
    if slope is None or not slope.abs().max() > 0:
        raise Wrong("gradient: its slope is 0 for all four logits; a child would stay where its parent is.")
    if slope.sum() > 0:
        raise Wrong("sign: G descends, so yours makes pictures *less* real: at D = {D} the slopes are {slopes}. Put a "
                    "minus before it.", D=listed(logits.sigmoid()), slopes=", ".join(f"{float(s):+.3f}" for s in slope))
    loudest = int(slope.abs().argmax())
    return (say("mutation: it asks for more realism, the loudest of four at D = {D:.2f}; it pushes {up} of "
                "the four up and {down} down.",
                D=logits[loudest].sigmoid(), up=int((slope < 0).sum()), down=int((slope > 0).sum())))
