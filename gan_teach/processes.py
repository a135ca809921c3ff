"""Several processes that work on one task, and signals that end one: `torchrun` starts them, `join_group` joins them.

Alone everything here is as cheap as an if: a group of one never talks.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

Value = TypeVar("Value")
_by_itself = False


def join_group(patience: timedelta | None = None) -> None:
    """Meet the other processes that `torchrun` started; alone, or when already met, nothing happens.

    With CUDA each process gets the GPU of its own number, which "cuda" means from then on. patience: how long one waits
    for what another has to tell before it fails; None: PyTorch's 10 or 30 minutes.
    """
    if "RANK" in os.environ and not dist.is_initialized():
        if torch.cuda.is_available():
            mine = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(mine)
            dist.init_process_group("nccl", device_id=mine, timeout=patience)
        else:
            dist.init_process_group("gloo", timeout=patience)


def leave_group() -> None:
    """Part from them; a process that leaves while others still talk makes them fail."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def place() -> tuple[int, int]:
    """(which process this is, how many there are)."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() and not _by_itself else (0, 1)


def machine(device: torch.device) -> str:
    """What a training ran on, in words for its record."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else (
        f"CPU with {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} thread(s)"
        if device.type == "cpu" else device.type)
    return f"{place()[1]} × {kind}, torch {torch.__version__.split('+')[0]}"


@contextmanager
def alone() -> Iterator[None]:
    """A stretch of work that this process does by itself, as if it had met no other: `place()` is (0, 1)."""
    global _by_itself
    _by_itself = True
    try:
        yield
    finally:
        _by_itself = False


def first_alone(act: Callable[[], Value]) -> Value:
    """What `act` gives, such as a network that may have to be fetched: the first process does it before the others."""
    first = place()[0] == 0
    found = act() if first else None
    gathered(None)                                           # here the others wait
    return found if first else act()


def gathered(value) -> list:
    """What each process has at this place, in their order; all must call it. A tensor must be on the CPU."""
    found = [value]
    if place()[1] > 1:
        found = [None] * place()[1]
        dist.all_gather_object(found, value)
    return found


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set instead of what they did; outside the main thread nothing sets it."""
    stop, handlers = threading.Event(), {}
    if threading.current_thread() is threading.main_thread():
        handlers = {sig: signal.signal(sig, lambda *_: stop.set()) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for sig, handler in handlers.items():
            signal.signal(sig, handler or signal.SIG_DFL)    # None: it was not one of Python's


def any_of(flag: bool) -> bool:
    """Whether the flag is up in any process: they must stop after the same step."""
    if place()[1] == 1:
        return flag
    flags = torch.tensor(float(flag), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return bool(flags)
