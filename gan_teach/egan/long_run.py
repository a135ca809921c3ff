"""A long evolution: a visible loop that can be killed at any moment and goes on exactly."""

import os
import time
from collections import Counter
from pathlib import Path

import torch
from tqdm.auto import tqdm

from .. import pictures
from ..files import expanded, to_write
from ..language import say
from ..limits import whole
from ..memory import keep_freed_memory
from ..networks.protocols import evaluating, latents
from ..processes import stop_signals
from ..training import check_same, keep_samples
from .evolution import Evolution


def go_on(evolution: Evolution, real, folder: str | Path) -> None:
    """Go back to what is in `folder`/resume.pt, where there is one. ValueError where it was made with other settings
    or other pictures, or is damaged."""
    path = expanded(folder) / "resume.pt"
    evolution.data = pictures.fingerprint(real) if isinstance(real, torch.Tensor) else ""

    def check(state: dict) -> None:
        check_same(state, str(evolution.settings), evolution.data)
        if len(state["lineage"]) != state["generation"]:
            raise ValueError(f"it names {len(state['lineage'])} of {state['generation']} generations")

    if os.path.lexists(path):                                # a broken link is named, and not begun anew
        evolution.resume(path, check)


def run(evolution: Evolution, real, folder: str | Path, generations: int, save_every: int = 200,
        picture_every: int = 500, end: int | None = None) -> Evolution:
    """Go on from `folder`/resume.pt where there is one, until `generations` have passed.

    Draws a progress bar, which counts to `end` where this is a part of a longer run, writes a grid of the first
    survivor's pictures every `picture_every` generations (0: never) and at `end`, and a snapshot every `save_every`.
    Ctrl-C and SIGTERM finish the generation at hand, save, and return.
    Raises ValueError where the snapshot was made with other settings or pictures, or is damaged.
    """
    generations, save_every = whole("generations", generations), whole("save_every", save_every, 1)
    picture_every, end = whole("picture_every", picture_every), None if end is None else whole("end", end)
    keep_freed_memory()
    folder = expanded(folder)
    to_write(folder / "samples" / "first.png")
    resume = folder / "resume.pt"
    go_on(evolution, real, folder)
    z = latents(evolution.G, 48, seed=1)
    clock = time.monotonic() - evolution.seconds
    with stop_signals() as stop, tqdm(total=end or generations, initial=evolution.generation,
                                      unit=say(" generations")) as bar:
        while evolution.generation < generations and not stop.is_set():
            evolution.step(real)
            evolution.seconds = time.monotonic() - clock
            bar.update()
            if evolution.generation % 50 == 0:
                won = Counter(past.winner for past in evolution.lineage[-500:])
                bar.set_postfix(loss_d=f"{evolution.loss_d[-1]:.2f}", **won, refresh=False)
            due = evolution.generation == end or picture_every and evolution.generation % picture_every == 0
            if picture_every and due:                           # in eval mode, and before it is saved: a picture leaves
                with evaluating(evolution.G):                   # no trace in the run
                    keep_samples(folder, evolution.generation, evolution.G, z)
            if evolution.generation % save_every == 0:
                evolution.save(resume)
    evolution.save(resume)
    return evolution
