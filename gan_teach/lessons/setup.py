"""The one line a chapter opens with: versions, device, threads and how long a Run All takes; and what helps anywhere.

The first code cell is the same in every chapter but for the chapter's number, its minutes, and the edition's language.
"""

import os
from importlib.metadata import PackageNotFoundError, version

import torch

from ..language import say, use
from ..memory import return_freed_memory
from ..networks.device import pick_device
from . import errors, printed, progress
from .catch_up import catch_up
from .words import signs, words

__all__ = ["banner", "catch_up", "signs", "words"]        # what the first cell of a chapter imports


def installed(package: str) -> str:
    """The version of an installed package, or "missing"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return say("missing")


def banner(chapter: int | str, minutes: float, language: str | None = None) -> None:
    """Print the chapter's opening line; `minutes` is what Run All takes with two cores and no GPU.

    language: of this edition, wherever its file lies, unless $GAN_TEACH_LANG asks for another. Without one it is
    looked up anew (`language.preferred`).
    What is done from here on is kept in the reader's own file: `progress`. After each cell freed memory goes back.
    """
    use(None if os.environ.get("GAN_TEACH_LANG") else language)
    progress.begin(chapter)
    printed.begin()
    shell = printed.shell()
    for act in (progress.after_cell, errors.after_cell, after_cell):
        if shell is not None and act not in shell.events.callbacks["post_run_cell"]:      # twice is as good as once
            shell.events.register("post_run_cell", act)
    device = torch.device(pick_device())
    if device.type == "cpu":
        threads = torch.get_num_threads()
        where = say("cpu (1 thread)") if threads == 1 else say("cpu ({n} threads)", n=threads)
    else:
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print(say("Chapter {chapter} · gan_teach {ours} · torch {torch} · ipywidgets {widgets} · {where} · Run All ≈ "
              "{minutes:g} min", chapter=chapter, ours=installed("gan-teach"), torch=torch.__version__,
              widgets=installed("ipywidgets"), where=where, minutes=minutes))


def after_cell(result) -> None:
    """Thirty kernels fit on one machine when none holds what its cells have freed."""
    return_freed_memory()
