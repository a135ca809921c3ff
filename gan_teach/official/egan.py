"""Generators that the authors' E-GAN code saved (`10_net_G.pth`): a row `model.N` of transposed convolutions.

At 32 px it is 4×4 → 8×8 → 16×16 → 32×32 and then, unlike DCGAN, one more transposed convolution of 3×3 at full
size; ReLU between them, tanh at the end, batch norm if it was trained with `--g_norm batch`. Rows that end as
DCGAN's does, with 4×4 and stride 2, become a `gan_teach.dcgan.Generator`. Any number of doublings is read; the
authors' PyTorch code itself has the 32 px network alone, and published no weights of it.

Format: github.com/WANG-Chaoyue/EvolutionaryGAN-pytorch, models/DCGAN_nets.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
import torch.nn as nn

from .. import dcgan
from ..checkpoints import BadCheckpoint
from .fill import fill

STEMS = ("model", "module.model", "main")      # the authors' code on one device and on several; PyTorch's DCGAN


@dataclass(frozen=True)
class PublishedConfig(dcgan.DCGANConfig):
    """Its last layer does not double the size."""

    @property
    def resolution(self) -> int:
        return self.first * 2 ** (len(self.widths) - 1)


class PublishedGenerator(dcgan.Generator):
    """`dcgan.Generator` with the authors' last layer: 3×3 at full size."""

    def __init__(self, config: PublishedConfig):
        super().__init__(config)
        self.last = nn.ConvTranspose2d(config.widths[-1], 1 if config.grey else 3, 3, 1, 1)


def generator(weights: dict[str, torch.Tensor]) -> dcgan.Generator:
    """The generator with these weights ("model.0.weight", …). BadCheckpoint for another network."""
    numbered = {}
    for name in weights:
        if not (found := re.fullmatch(rf"(?:{'|'.join(STEMS)})\.(\d{{1,3}})\.(\w+)", name)):
            raise BadCheckpoint(f"this is no generator of the authors' E-GAN code: {name!r:.60} is not of the kind "
                                "model.0.weight")
        numbered.setdefault(int(found[1]), {})[found[2]] = name
    rows = [numbered[i] for i in sorted(numbered)]
    convolutions = [row for row in rows if "weight" in row and weights[row["weight"]].ndim == 4]
    norms = [row for row in rows if "running_mean" in row]
    n = len(convolutions)
    if n < 2 or n + len(norms) < len(rows) or len(norms) not in (0, n - 1):
        raise BadCheckpoint("this is no row of transposed convolutions, with batch norm after all but the last or none")
    shapes = [weights[row["weight"]].shape for row in convolutions]       # c_in × c_out × k × k
    options = {"widths": tuple(s[1] for s in shapes[:-1]), "first": shapes[0][2], "z_dim": shapes[0][0],
               "grey": shapes[-1][1] == 1, "norm_g": bool(norms)}
    with torch.device("meta"):                            # sizes only: nothing is allocated before the shapes agree
        model = (PublishedGenerator(PublishedConfig(**options)) if shapes[-1][2] == 3 else
                 dcgan.Generator(dcgan.DCGANConfig(**options)))
    source, zero = {}, []
    for i, row in enumerate(convolutions):
        ours = f"blocks.layer{i + 1}.0" if i < len(convolutions) - 1 else "last"
        source[f"{ours}.weight"] = row["weight"]
        if "bias" in row:
            source[f"{ours}.bias"] = row["bias"]
        else:
            zero.append(f"{ours}.bias")                   # before a batch norm the authors leave it out
    for i, row in enumerate(norms):
        source |= {f"blocks.layer{i + 1}.1.{part}": name for part, name in row.items()}
        if "num_batches_tracked" not in row:              # files from before torch 0.4.1
            zero.append(f"blocks.layer{i + 1}.1.num_batches_tracked")
    return fill(model, source, weights, zero=zero)
