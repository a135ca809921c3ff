"""The loop: `advance` makes step after step and saves; `run` does so with sample grids and a curve on the way."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tqdm.auto import tqdm

from .. import pictures
from ..files import expanded, read_json, to_write, write_json, writing
from ..language import say
from ..limits import whole
from ..memory import keep_freed_memory
from ..networks.protocols import latents
from ..processes import any_of, place, stop_signals
from .step import Training


def go_on(training, folder: str | Path | None, check: Callable[[dict], None] = lambda state: None) -> None:
    """Go back to what is in `folder`/resume.pt, where there is one, as `Resumable.resume` does."""
    if folder is not None and os.path.lexists(resume := expanded(folder) / "resume.pt"):
        training.resume(resume, check)                       # a broken link is named, and not begun anew


def advance(training, folder: str | Path | None, end: int, save_every: int, batch: int = 1,
            step: Callable | None = None, total: int | None = None, unit: str | None = None
            ) -> Iterator[tuple[dict[str, float], tqdm]]:
    """Step after step until `end` are made: yields what each returns, as the losses, and the progress bar, which counts
    `batch` a step, to `total` steps where this is a part of a longer work.

    training: a `Training`, or what has its `step` (or another one is given), `steps`, `seconds` and `save`. A snapshot
    is written every `save_every` steps, after what the caller does with a step, so that none of it is ever missed, and
    one at the end. Ctrl-C and SIGTERM finish the step at hand, save, and end it. Of several processes the first one
    writes; without a folder none does.
    """
    end, save_every = whole("steps", end), whole("save_every", save_every, 1)
    resume, first = None if folder is None else expanded(folder) / "resume.pt", place()[0] == 0
    if training.steps >= end and first and resume:
        print(say("nothing to do: the training in {folder} has made {now} of {end} steps", folder=folder,
                  now=training.steps, end=end))
    step, clock = step or training.step, time.monotonic() - training.seconds
    with stop_signals() as stop, tqdm(total=(total or end) * batch, initial=training.steps * batch,
                                      unit=unit or say(" images"), unit_scale=batch > 1, disable=not first) as bar:
        while training.steps < end and not any_of(stop.is_set()):
            made = step()
            training.seconds = time.monotonic() - clock
            bar.update(batch)
            yield made, bar
            if training.steps % save_every == 0 and first and resume:
                training.save(resume)
    if first and resume:
        training.save(resume)


def run(training: Training, folder: str | Path, save_every: int = 500, picture_every: int = 1000,
        steps: int | None = None, judge: Callable[[torch.nn.Module], dict] | None = None,
        judge_every: int = 20_000) -> Training:
    """`advance` until `settings.images` are shown (or `steps` made), with a sample grid every `picture_every` steps.

    0: no grid. What `judge` says of the EMA generator, once it draws at full size and then every `judge_every` images,
    is a row of `folder`/curve.json.
    """
    picture_every, judge_every = whole("picture_every", picture_every), whole("judge_every", judge_every, 1)
    keep_freed_memory()
    folder = expanded(folder)
    to_write(folder / "samples" / "first.png")
    s = training.settings
    first = place()[0] == 0
    end = -(-s.images // s.batch) if steps is None else steps
    z = latents(training.G, 48, seed=1)
    go_on(training, folder)
    for losses, bar in advance(training, folder, end, save_every, s.batch):
        if training.steps % 50 == 0:
            bar.set_postfix(px=training.G.resolution, alpha=f"{training.G.alpha:.2f}",
                            **{name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        if picture_every and training.steps % picture_every == 0 and first:
            keep_samples(folder, training.steps * s.batch, training.G_ema, z)
        shown = training.steps * s.batch
        if judge and first and shown % judge_every < s.batch and training.G_ema.resolution == training.full:
            rows = [row for row in curve(folder) if row["images"] < shown]
            said = judge(training.G_ema)
            if not isinstance(said, dict):
                raise ValueError(f"a judge answers with a dict of figures; got a {type(said).__name__}")
            rows.append({"images": shown} | said | {"images": shown})
            write_json(folder / "curve.json", rows, indent=None)
    return training


@torch.no_grad()
def keep_samples(folder: Path, number: int, G: torch.nn.Module, z: torch.Tensor) -> None:
    """Write a grid of G(z), however far off, as `folder`/samples/NUMBER.png."""
    grid = pictures.grid(list(pictures.to_uint8(G(z))), columns=8)
    with writing(folder / "samples" / f"{number:08d}.png") as temporary:
        temporary.write_bytes(pictures.png(grid))


def curve(folder: str | Path) -> list[dict]:
    """The rows that `run` has written in a folder: images shown, and what the judge said then."""
    path = expanded(folder) / "curve.json"
    rows = read_json(path, list) if path.exists() else []
    if not all(type(row) is dict and type(row.get("images")) is int and row["images"] > 0 for row in rows):
        raise ValueError(f"{path} is damaged: delete it")
    return rows
