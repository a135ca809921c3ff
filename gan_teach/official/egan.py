"""Generators that the authors' E-GAN code saved (`10_net_G.pth`): a row `model.N` of transposed convolutions.

At 32 px it is 4×4 → 8×8 → 16×16 → 32×32 and then, unlike DCGAN, one more transposed convolution of 3×3 at full
size; ReLU between them, tanh at the end, batch norm if it was trained with `--g_norm batch`. Every part of the row
has a number, so the convolutions stand at 0, 2, 4, … without batch norm and at 0, 3, 6, … with it. Rows that end as
DCGAN's does, with 4×4 and stride 2, become a `gan_teach.networks.dcgan.Generator`. Any number of doublings is read; the
authors' PyTorch code itself has the 32 px network alone, and published no weights of it.

Format: github.com/WANG-Chaoyue/EvolutionaryGAN-pytorch, models/DCGAN_nets.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
import torch.nn as nn

from ..checkpoints import BadCheckpoint
from ..networks import dcgan
from .fill import fill, some

STEMS = ("model", "module.model", "main")      # the authors' code on one device and on several; PyTorch's DCGAN
NORM = ("weight", "bias", "running_mean", "running_var")


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


def _sources(weights: dict[str, torch.Tensor]) -> tuple[dict[str, str], list[str]]:
    """{our name: their name}, and our names that are zero because a file of this kind leaves them out. BadCheckpoint
    with every name that is missing or left over."""
    pattern = rf"({'|'.join(map(re.escape, STEMS))})\.(\d{{1,3}})\.\w+"
    found = {name: re.fullmatch(pattern, name) for name in weights}
    stems = {match[1] for match in found.values() if match}
    convolutions = [int(match[2]) for name, match in found.items() if match and weights[name].ndim == 4]
    if None in found.values() or len(stems) != 1 or not convolutions:
        raise BadCheckpoint("this is no generator of the authors' E-GAN code, whose names are like model.0.weight: it "
                            f"holds {some([name for name, match in found.items() if not match] or weights)}")
    stem, last = *stems, max(convolutions)
    step = 2 if f"{stem}.2.weight" in weights else 3         # convolution, (batch norm,) ReLU
    # A constant before a batch norm has no effect: its bias may be left out. PyTorch's DCGAN leaves out the last too.
    bare = stem == "main" and step == 3 and "main.0.bias" not in weights
    needed, optional = {}, {}
    for i, at in enumerate(range(0, last + 1, step), 1):
        end = at + step > last
        ours, normed = "last" if end else f"blocks.layer{i}.0", step == 3 and not end
        needed[f"{ours}.weight"] = f"{stem}.{at}.weight"
        (optional if normed or bare else needed)[f"{ours}.bias"] = f"{stem}.{at}.bias"
        if normed:
            needed |= {f"blocks.layer{i}.1.{part}": f"{stem}.{at + 1}.{part}" for part in NORM}
            # Files from before torch 0.4.1 lack it.
            optional[f"blocks.layer{i}.1.num_batches_tracked"] = f"{stem}.{at + 1}.num_batches_tracked"
    missing = set(needed.values()) - set(weights)
    left = set(weights) - set(needed.values()) - set(optional.values())
    if missing or left:
        faults = [f"it lacks {some(missing)}"] * bool(missing) + [f"it also holds {some(left)}"] * bool(left)
        if step == 3 and not any(name.endswith("running_mean") for name in weights):
            faults.append("networks with instance norm, which leaves no names, are not read")
        kind = "second place, without batch norm" if step == 2 else "third place, with batch norm"
        raise BadCheckpoint(f"this is no row of transposed convolutions at every {kind}: {'; '.join(faults)}; nothing "
                            "was loaded")
    zero = [ours for ours, theirs in optional.items() if theirs not in weights]
    return needed | {ours: theirs for ours, theirs in optional.items() if theirs in weights}, zero


def generator(weights: dict[str, torch.Tensor]) -> dcgan.Generator:
    """The generator with these weights ("model.0.weight", …). BadCheckpoint for another network, naming what is
    missing, left over or of another shape."""
    source, zero = _sources(weights)
    shapes = [weights[theirs].shape for ours, theirs in source.items() if ours.endswith((".0.weight", "last.weight"))]
    if len(shapes) < 2 or any(len(shape) != 4 for shape in shapes):       # each is c_in × c_out × k × k
        raise BadCheckpoint("this is no row of two or more transposed convolutions")
    options = {"widths": tuple(s[1] for s in shapes[:-1]), "first": shapes[0][2], "z_dim": shapes[0][0],
               "grey": shapes[-1][1] == 1, "norm_g": "blocks.layer1.1.weight" in source}
    with torch.device("meta"):                            # sizes only: nothing is allocated before the shapes agree
        model = (PublishedGenerator(PublishedConfig(**options)) if shapes[-1][2] == 3 else
                 dcgan.Generator(dcgan.DCGANConfig(**options)))
    return fill(model, source, weights, zero=zero)
