"""How each shipped checkpoint is made: `python -m gan_teach train NAME` runs the recipe of that name."""

from __future__ import annotations

from pathlib import Path

from . import progan, scenes
from .training import Settings, Training, run

SCENES = 40_000    # training scenes of seed 0; held-out scenes come from other seeds


def scenes_progan(folder: Path, images: int | None = None, device=None) -> Training:
    """The generator of chapter 1: 64×64 scenes, grown from 4×4."""
    import torch

    torch.manual_seed(0)
    G, D = progan.Generator(), progan.Discriminator()
    settings = Settings() if images is None else Settings(images=images)
    return run(Training(G, D, scenes.Scenes(SCENES, size=64, seed=0).images(), settings, device), folder)
