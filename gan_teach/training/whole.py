"""The run: step after step, with sample grids and a curve on the way."""

from collections.abc import Callable
from pathlib import Path

import torch

from .. import pictures
from ..files import expanded, read_json, to_write, write_json, writing
from ..limits import whole
from ..memory import keep_freed_memory
from ..networks.layers import sample_z
from ..processes import place
from .snapshots import advance
from .step import Training


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
    z = sample_z(48, training.G.z_dim, seed=1, device=training.device)
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
