"""Where it is computed, and how: the device, bfloat16 where that is fast, one thread where more would wait."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def pick_device(name: torch.device | str | None = None) -> torch.device:
    """The device to compute on: `name`, else $GAN_TEACH_DEVICE, else CUDA, else MPS, else the CPU."""
    usable = ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    name = str(name or os.environ.get("GAN_TEACH_DEVICE") or usable[0])
    if name.split(":")[0] not in usable:
        here = ", ".join(usable)
        raise ValueError(f"device {name!r} is not usable on this machine; usable here: {here}")
    try:
        return torch.device(name)
    except RuntimeError:
        raise ValueError(f"no device is called {name!r}; wanted one such as cpu or cuda:0") from None


def fast_bfloat16(device: torch.device | str) -> bool:
    """Whether a convolution in bfloat16 pays: on CPUs with AVX-512, and on an accelerator that has it.

    On other CPUs it is emulated, and takes ten times as long as in float32. cuDNN has it from compute capability 8.0
    on; Colab's T4 has 7.5.
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.device(device).type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def low_precision(device: torch.device | str, wanted: bool = True) -> torch.autocast:
    """Autocast to bfloat16 where it is wanted and fast."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=wanted and fast_bfloat16(device))


_counting = threading.Lock()
_inside: list[int] = []         # for each who is inside `one_thread`, the number of threads before the first came


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute without helper threads: one picture is too small to share, and waiting for a busy core costs 5×.

    The number belongs partly to a thread, partly to the whole process, and a new thread starts with whatever is set
    just then. So the first who enters notes it for all, and nobody takes the 1 of another for what the notebook had.
    """
    with _counting:
        _inside.append(_inside[0] if _inside else torch.get_num_threads())
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _counting:
            torch.set_num_threads(_inside.pop())
