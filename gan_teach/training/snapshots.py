"""Work that can be killed at any moment and goes on exactly: snapshots, going on from them, what is never saved."""

import copy
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from ..files import regular, writing
from ..limits import finite, whole
from ..networks.layers import countable


class NotFinite(RuntimeError):
    """A loss or a gradient became NaN or infinite; the last snapshot is from before."""


def check_descent(whose: str, when: str, gradients: Iterable[torch.Tensor | None],
                  loss: torch.Tensor | None = None) -> None:
    """NotFinite where a loss is not finite, or its gradient, which may be NaN where the loss is not.

    Call it before the update: nothing that is not finite then reaches a weight, or a snapshot.
    """
    given = [g for g in gradients if g is not None]
    slope = torch.stack(torch._foreach_norm(given)).sum() if given else None
    for what, value in (("loss", loss), ("gradient", slope)):
        if value is not None and not torch.isfinite(value):
            raise NotFinite(f"the {what} of {whose} is {float(value)} in {when}; go on from the last snapshot with a "
                            "smaller learning rate")


def snapshot(path: str | Path) -> dict:
    """What `Training.save` wrote, its checksums compared. ValueError naming the file where it is damaged or foreign.

    All of it lies on the CPU, whatever it was saved from: there Adam counts its steps, and a counter on a GPU would be
    waited for in each update.
    """
    path = regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type or entry.file_size != entry.compress_size for entry in archive.infolist()):
                raise ValueError("it is compressed, as torch.save leaves none: it could fill the memory")
            if part := archive.testzip():                    # torch.load does not look
                raise ValueError(f"the checksum of its {part} differs")
        state = torch.load(path, map_location="cpu", weights_only=True)
        if type(state) is not dict or "settings" not in state:
            raise ValueError("it is no snapshot of a training")
        for made in state.keys() & {"steps", "generation"}:
            whole(made, state[made])
        finite("seconds", state.get("seconds", 0), 0)
        check_numbers(state)
    except FileNotFoundError:
        raise
    except Exception as error:                               # a damaged file may fail anywhere in the reader
        raise ValueError(f"{path} is damaged: delete it ({type(error).__name__}: {error!s:.120})") from error
    return state


def check_numbers(state) -> None:
    """ValueError for a tensor of a state that no training leaves: NaN, infinite, complex or without numbers."""
    for value in state.values() if isinstance(state, dict) else state if isinstance(state, (list, tuple)) else ():
        if isinstance(value, torch.Tensor):
            if not countable(value) or not torch.isfinite(value).all():
                raise ValueError(f"it holds NaN, infinity or what is no number, in a tensor {tuple(value.shape)}")
        else:
            check_numbers(value)


class OtherTraining(ValueError):
    """A snapshot is whole, and of something else."""


def check_same(state: dict, settings: str, data: str, start: str = "") -> None:
    """OtherTraining, a ValueError, where a snapshot is of other settings, on other pictures, or from another start."""
    if state["settings"] != settings:
        raise OtherTraining("this snapshot was made with other settings: train in another folder, or delete it; "
                            f"snapshot {state['settings']}, now {settings}")
    if state.get("data") != data:
        raise OtherTraining("this snapshot was made with other pictures: train in another folder, or delete it")
    if state.get("start", "") != start:
        raise OtherTraining("this snapshot is of a training that began as other weights: train in another folder, or "
                            "delete it")


def refill(optimiser: torch.optim.Optimizer, saved: dict, changing: tuple[str, ...] = ("lr",)) -> None:
    """Give an optimiser the state that was saved of one like it. ValueError where its settings are others, but for
    those that the training changes, or the shapes of its moments."""
    for now, then in zip(optimiser.param_groups, saved["param_groups"], strict=True):
        finite("lr", then["lr"], 0)
        if other := [name for name in now.keys() & then.keys() - {"params", *changing} if now[name] != then[name]]:
            raise ValueError(f"its optimiser has another {other[0]}: {then[other[0]]!r:.60}")
    optimiser.load_state_dict(copy.deepcopy(saved))
    for parameter, moments in optimiser.state.items():
        for name, moment in moments.items():
            if not isinstance(moment, torch.Tensor) or moment.shape not in (parameter.shape, torch.Size()):
                raise ValueError(f"its optimiser has another {name} than this network's")


class Resumable:
    """What has `state()` and `restore(state)` can be saved, and goes on from the file."""

    def save(self, path: str | Path) -> None:
        """Write the state whole: a kill or a full disk leaves the old file or the new one."""
        with writing(path) as temporary, temporary.open("wb") as file:
            torch.save(self.state(), file)

    def resume(self, path: str | Path, check: Callable[[dict], None] = lambda state: None) -> None:
        """Go on from what `save` wrote, where `check` finds no fault with it. ValueError naming the file where it is
        damaged, or of another training."""
        state = snapshot(path)
        try:
            check(state)
            self.restore(state)
        except OtherTraining as error:
            raise ValueError(f"{path}: {error}") from error
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged: delete it ({type(error).__name__}: {error!s:.120})") from error
