"""The one line a chapter opens with: versions, device, threads and how long a Run All takes; and what helps anywhere.

The first code cell is the same in every chapter but for the chapter's number and its minutes.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import torch

from ..networks.layers import pick_device
from . import progress
from .catch_up import catch_up
from .words import signs, words

__all__ = ["banner", "catch_up", "signs", "words"]        # what the first cell of a chapter imports


def installed(package: str) -> str:
    """The version of an installed package, or "missing"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def banner(chapter: int | str, minutes: float) -> None:
    """Print the chapter's opening line; `minutes` is what Run All takes with two cores and no GPU.

    What is done from here on is kept in the reader's own file: `progress`.
    """
    progress.begin(chapter)
    device = torch.device(pick_device())
    if device.type == "cpu":
        threads = torch.get_num_threads()
        where = f"cpu ({threads} thread{'s' * (threads != 1)})"
    else:
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print(f"Chapter {chapter} · gan_teach {installed('gan-teach')} · torch {torch.__version__} · "
          f"ipywidgets {installed('ipywidgets')} · {where} · Run All ≈ {minutes:g} min")
