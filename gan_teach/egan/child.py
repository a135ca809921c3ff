"""How one child is made: a copy of its parent, a gradient, one step of Adam with moments of its own."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ..networks.layers import check_gradients, described

Mutation = Callable[[Tensor], Tensor]       # D's logits, N numbers -> one number to descend on
Gradient = Sequence[Tensor | None]          # one entry for each weight of a network; None where it took no part
Moments = dict[int, dict[str, Tensor]]      # Adam's memory: weight number -> step, exp_avg, exp_avg_sq


def clone(net: nn.Module, twins: dict[int, nn.Module | nn.Parameter] | None = None) -> nn.Module:
    """A copy of a network with weights, buffers and hooks of its own; its other attributes are shared.

    `copy.deepcopy` does the same, but walks through every attribute of every module: some 40 times as long for
    a small network, longer than its forward and backward pass. twins: what has been copied already, for
    weights and modules that occur twice.
    """
    twins = {} if twins is None else twins
    if id(net) not in twins:
        twins[id(net)] = twin = net.__class__.__new__(net.__class__)
        twin.__dict__ = {name: value.copy() if isinstance(value, dict | set | list) else value
                         for name, value in vars(net).items()}
        for name, p in net._parameters.items():
            if p is not None:
                twin._parameters[name] = twins.setdefault(id(p), nn.Parameter(p.detach().clone(), p.requires_grad))
        twin._buffers = {name: b if b is None else b.clone() for name, b in net._buffers.items()}
        twin._modules = {name: m if m is None else clone(m, twins) for name, m in net._modules.items()}
    return twins[id(net)]


def name_of(function: Callable) -> str:
    """What a mutation or a selection is called in records and messages."""
    return getattr(function, "__name__", type(function).__name__)


def apply(mutation: Mutation, logits: Tensor) -> Tensor:
    """M(l), checked: anybody may write a mutation. Raises ValueError where it is not one number."""
    loss = mutation(logits)
    if isinstance(loss, Tensor) and logits.requires_grad and not (loss.requires_grad and loss.is_floating_point()):
        raise ValueError(f"the mutation {name_of(mutation)!r} gave a {loss.dtype} that no gradient leads to from the "
                         "logits: compute it of them, in floats")
    if not isinstance(loss, Tensor) or loss.ndim > 0:
        raise ValueError(f"the mutation {name_of(mutation)!r} gave {described(loss)}; it takes N logits and gives one "
                         "number, for example their mean")
    return loss


def slope(mutation: Mutation, logits: Tensor) -> Tensor:
    """∂M/∂l_i, N numbers: which way the mutation wants each picture's logit to go, and how loudly it says so."""
    check_gradients()
    leaf = logits.detach().requires_grad_(True)
    return torch.autograd.grad(apply(mutation, leaf.clone()), leaf)[0]     # a copy: it may work in place


def check_loss(whose: str, loss: Tensor) -> Tensor:
    """The loss itself; ValueError unless it is one number, of floats, from which a gradient goes back."""
    if not isinstance(loss, Tensor) or not loss.is_floating_point() or loss.numel() != 1 or not loss.requires_grad:
        raise ValueError(f"the loss of {whose} is {described(loss)}; it takes logits and gives one number that a "
                         "gradient goes back from, for example a mean of them")
    return loss


def check_drawn_to_learn(x: Tensor) -> Tensor:
    """The pictures themselves; ValueError where no gradient goes from them to G's weights."""
    if not isinstance(x, Tensor) or not x.is_floating_point() or not x.requires_grad:
        raise ValueError(f"G draws floats whose gradient reaches its weights; got {described(x)} without one (is there "
                         "a torch.no_grad() or a .detach() in its forward?)")
    return x


def check_each(what: str, x: Tensor, n: int) -> Tensor:
    """x itself; ValueError unless it is floats, one row for each of n samples."""
    if not isinstance(x, Tensor) or not x.is_floating_point() or not x.ndim or len(x) != n:
        raise ValueError(f"{what} must be floats, one for each of {n}; got {described(x)}")
    return x


def check_logits(logits: Tensor, n: int) -> Tensor:
    """The logits themselves; ValueError unless D gave one for each of n samples, from which a gradient reaches it."""
    if not check_each("D's logits", logits, n).requires_grad and torch.is_grad_enabled():
        raise ValueError("no gradient goes from D's logits to its weights (is there a torch.no_grad() or a .detach() "
                         "in its forward?)")
    return logits


def mutate(parent: nn.Module, D: nn.Module, z: Tensor, mutation: Mutation) -> tuple[nn.Module, Gradient]:
    """A copy of the parent, and the gradient of M(l(G(z))) with respect to its weights. z: N×Z."""
    G = clone(parent)
    x = check_drawn_to_learn(G(z))
    return G, torch.autograd.grad(apply(mutation, D(x)), list(G.parameters()), allow_unused=True)


def descend(net: nn.Module, gradient: Gradient, adam: Moments | None, lr: float, betas: tuple[float, float]) -> Moments:
    """One Adam step of `net` in place; Adam's moments before it (None: zero) -> after it.

    The moments given are not changed. `load_state_dict` goes on with the very tensors it is given: without
    the copy the second child would start from the first one's moments, the third from the second's, and the
    parent's would be lost, all without a word.
    """
    optimiser = torch.optim.Adam(net.parameters(), lr, betas, foreach=True)
    if adam is not None:
        copied = {i: {name: value.clone() for name, value in moments.items()} for i, moments in adam.items()}
        optimiser.load_state_dict({"state": copied, "param_groups": optimiser.state_dict()["param_groups"]})
    for weight, direction in zip(net.parameters(), gradient):
        weight.grad = direction
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return optimiser.state_dict()["state"]


@torch.no_grad()
def follow(mean: nn.Module, now: nn.Module, ema: float) -> None:
    """m ← ema · m + (1 − ema) · θ, in place, for weights and for batch norm's averages; counters are taken over."""
    for m, theta in zip(mean.state_dict().values(), now.state_dict().values()):
        m.lerp_(theta, 1 - ema) if m.is_floating_point() else m.copy_(theta)
