"""A loss on D's logits, compared with the right one: its value, its slopes, and where D is very sure."""

from collections.abc import Callable, Sequence

import torch

from ...language import say
from ..exercises import Wrong, ask, gap, in_words, unchanged


def check_loss(answer: Callable[..., torch.Tensor], name: str, right: Callable[..., torch.Tensor],
               slips: dict[str, Callable[..., torch.Tensor]], *inputs: torch.Tensor, exact: bool = False) -> str:
    """Compare a loss on logits, and its gradient for each logit, with `right`; raises Wrong. Returns the verdict.

    inputs: what `answer` takes, logits each. slips: what a wrong answer is called -> the function it would be. exact:
    it is wrong, too, where D is so sure that σ is rounded; else that is remarked.
    """
    def look(loss: Callable[..., torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        leaves = [x.clone().requires_grad_(True) for x in inputs]
        value = ask(loss, *leaves)
        for leaf, x in zip(leaves, inputs):
            unchanged(say("the logits"), leaf.detach(), x)
        if not a_loss(value).requires_grad:
            return value, [None] * len(leaves)
        return value, list(torch.autograd.grad(value, leaves, allow_unused=True))

    wanted, slopes = look(right)
    got, yours = look(answer)
    if not gap(got, wanted) < 1e-5:
        slip = in_words(slips, lambda loss: gap(got, look(loss)[0]) < 1e-5)
        raise Wrong("value: for D = {D} the loss is {wanted:.4f}; yours is {got:.4f}, off by {off:+.4f}.{slip}",
                    D=listed(torch.cat(inputs).sigmoid()), wanted=wanted, got=got, off=got - wanted, slip=slip)
    for x, slope, mine in zip(inputs, slopes, yours):
        if mine is None:
            raise Wrong("gradient: the value is right, but nothing flows back to the logits. Is there a `detach`, an "
                        "`item`, a `no_grad`?")
        if not gap(mine, slope) < 1e-5:
            i = int((mine - slope).abs().argmax())
            raise Wrong("gradient: the value is right, but where D = {D:.2f} the slope ∂loss/∂l should be {slope:+.4f} "
                        "and is {mine:+.4f}.", D=x[i].sigmoid(), slope=slope[i], mine=mine[i])
    with torch.no_grad():
        sure = [[torch.full((2,), end)] * len(inputs) for end in (-200.0, 200.0)]
        far = [(torch.as_tensor(ask(answer, *x)), right(*x)) for x in sure]
    if exact and (off := [pair for pair in far if not gap(*pair) < 1e-2]):
        raise Wrong("overflow: right, until D is very sure. At logits of ±200 the loss is {right:g}, yours {value:g}: "
                    "σ is rounded to 0 or 1 before the logarithm. Try F.softplus; see the last hint.", right=off[0][1],
                    value=off[0][0])
    remark = "" if all(value.isfinite().all() for value, _ in far) else (
        say(" (One remark: where D is very sure, σ(l) is rounded to 0 or 1 and your logarithm is infinite. "
            "`F.logsigmoid` and `F.softplus` stay exact.)"))
    return say("{name}: value and slopes are right, at D from {least:.2f} to {most:.2f}.{remark}",
               name=name, least=inputs[-1].sigmoid().min(), most=inputs[-1].sigmoid().max(), remark=remark)


def a_loss(value) -> torch.Tensor:
    """The value if it can be derived: a tensor of one number, without an axis."""
    if not isinstance(value, torch.Tensor):
        raise Wrong("gradient: the loss must be a tensor, to be derived; yours is a {kind}.", kind=type(value).__name__)
    if value.numel() != 1:
        raise Wrong("shape: a loss is one number; yours has {numel}. Take the mean over the pictures.",
                    numel=value.numel())
    if value.ndim:
        raise Wrong("shape: a loss is one number without an axis; yours has the shape {value}. Leave out `keepdim`.",
                    value=tuple(value.shape))
    return value


def listed(values: Sequence[float]) -> str:
    return ", ".join(f"{float(value):.2f}" for value in values)


def four_logits() -> torch.Tensor:
    """Where D = 0.05, 0.33, 0.50, 0.90: the four do not mirror each other."""
    return torch.tensor([0.05, 1 / 3, 0.5, 0.9]).logit()
