"""A long evolution: a visible loop that can be killed at any moment and goes on exactly."""

from collections import Counter
from functools import partial
from pathlib import Path

import torch

from .. import pictures, training
from ..files import expanded, to_write
from ..language import say
from ..limits import whole
from ..memory import keep_freed_memory
from ..networks.protocols import evaluating, latents
from .evolution import Evolution


def go_on(evolution: Evolution, real, folder: str | Path) -> None:
    """Go back to what is in `folder`/resume.pt, where there is one. ValueError where it was made with other settings
    or other pictures, or is damaged."""
    evolution.data = pictures.fingerprint(real) if isinstance(real, torch.Tensor) else ""

    def check(state: dict) -> None:
        training.check_same(state, str(evolution.settings), evolution.data)
        if len(state["lineage"]) != state["generation"]:
            raise ValueError(f"it names {len(state['lineage'])} of {state['generation']} generations")

    training.go_on(evolution, folder, check)


def run(evolution: Evolution, real, folder: str | Path, generations: int, save_every: int = 200,
        picture_every: int = 500, end: int | None = None) -> Evolution:
    """Go on from `folder`/resume.pt where there is one, until `generations` have passed, as `training.advance` does.

    The progress bar counts to `end` where this is a part of a longer run. A grid of the first survivor's pictures is
    written every `picture_every` generations (0: never) and at `end`.
    Raises ValueError where the snapshot was made with other settings or pictures, or is damaged.
    """
    generations, picture_every = whole("generations", generations), whole("picture_every", picture_every)
    end = None if end is None else whole("end", end)
    keep_freed_memory()
    folder = expanded(folder)
    to_write(folder / "samples" / "first.png")
    go_on(evolution, real, folder)
    z = latents(evolution.G, 48, seed=1)
    for _, bar in training.advance(evolution, folder, generations, save_every, step=partial(evolution.step, real),
                                   total=end, unit=say(" generations")):
        now = evolution.generation
        if now % 50 == 0:
            won = Counter(past.winner for past in evolution.lineage[-500:])
            bar.set_postfix(loss_d=f"{evolution.loss_d[-1]:.2f}", **won, refresh=False)
        if picture_every and (now == end or now % picture_every == 0):
            with evaluating(evolution.G):                    # in eval mode: a picture leaves no trace in the run
                training.keep_samples(folder, now, evolution.G, z)
    return evolution
