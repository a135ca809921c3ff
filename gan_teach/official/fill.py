"""Put the authors' tensors into one of our networks: each one exactly once, or none at all."""

from collections.abc import Callable, Collection, Mapping

import torch
import torch.nn as nn

from ..checkpoints import BadCheckpoint


def some(names: Collection[str]) -> str:
    """The first names of many, for an error message."""
    names = [name if len(name) < 60 else name[:57] + "…" for name in sorted(map(str, names))]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def agree(options: Mapping[str, object], needed: Mapping[str, object]) -> None:
    """Raises BadCheckpoint for a network made with other options than `needed`, which no name or shape would show."""
    if other := [f"{name} is not {value!r}" for name, value in needed.items() if options.get(name) != value]:
        raise BadCheckpoint(f"this network was made with options that ours does not have: its {'; its '.join(other)}; "
                            "it would draw other pictures, so nothing was loaded")


def grown(weights: Mapping[str, torch.Tensor], name: str) -> None:
    """Raises BadCheckpoint for a network that is still growing: its `lod` (level of detail) is not 0."""
    if name in weights and weights[name].any():
        raise BadCheckpoint(f"this network was saved while it was growing ({name} is not 0): it draws smaller or faded "
                            "pictures; take a file from the end of the training; nothing was loaded")


def fill(model: nn.Module, source: Mapping[str, str], weights: Mapping[str, torch.Tensor],
         convert: Callable[[str, torch.Tensor], torch.Tensor] = lambda name, tensor: tensor,
         zero: Collection[str] = (), unused: Collection[str] = ()) -> nn.Module:
    """`model` with the authors' weights, in eval mode and without gradients.

    model: made on the meta device, which allocates nothing: the file's sizes are not believed before they agree.
    source: {our name: their name} for every tensor of the model, except those in `zero`, which a format does not
    hold. convert(their name, their tensor) → our layout. unused: their names that say nothing about the network.
    Raises BadCheckpoint with the names that are missing, left over, or of another shape.
    """
    ours = model.state_dict()
    used = [theirs for theirs in source.values() if theirs in weights]
    faults = []
    if missing := set(source.values()) - set(weights):
        faults.append(f"it lacks {some(missing)}")
    if left := set(weights) - set(source.values()) - set(unused):
        faults.append(f"it also holds {some(left)}")
    if len(set(used)) < len(used) or set(source) | set(zero) != set(ours):
        faults.append(f"this reader has no place for {some(set(ours) ^ (set(source) | set(zero)))}")
    if empty := [theirs for theirs in used if weights[theirs].numel() == 0]:
        faults.append(f"{some(empty)} is empty")
    state = {}
    for name, theirs in source.items():
        if theirs in weights and name in ours:
            if ours[name].is_floating_point() and not weights[theirs].is_floating_point():
                faults.append(f"{theirs} holds whole numbers ({weights[theirs].dtype})")     # quantised, as it may be
                continue
            try:
                state[name] = convert(theirs, weights[theirs]).to(ours[name].dtype).contiguous()
            except (RuntimeError, IndexError) as error:   # a transposition of a tensor with other dimensions
                faults.append(f"{theirs} has the shape {tuple(weights[theirs].shape)} ({error!s:.80})")
                continue
            if state[name].shape != ours[name].shape:
                faults.append(f"{theirs} has the shape {tuple(weights[theirs].shape)}, which becomes "
                              f"{tuple(state[name].shape)} and not {tuple(ours[name].shape)}")
            elif not torch.isfinite(state[name]).all():       # 1e300 is finite in the file alone
                faults.append(f"{theirs} is too large for {ours[name].dtype}")
    if faults:
        kind = type(model).__module__.removeprefix("gan_teach.").removeprefix("networks.").split(".")[0]
        raise BadCheckpoint(f"these are not the weights of a {kind} {type(model).__name__}: "
                            f"{'; '.join(faults[:6])}; nothing was loaded")
    taken = set()
    for name, tensor in state.items():           # tensors that share memory in the file get their own
        storage = tensor.untyped_storage()
        if storage.nbytes() > tensor.nbytes or storage.data_ptr() in taken:
            state[name] = tensor.clone()
        taken.add(storage.data_ptr())
    state |= {name: torch.zeros(ours[name].shape, dtype=ours[name].dtype) for name in zero}
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval().requires_grad_(False)
