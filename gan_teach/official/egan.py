"""Generators that the authors' E-GAN code saved (`10_net_G.pth`): a row `model.N` of transposed convolutions.

At 32 px it is 4×4 → 8×8 → 16×16 → 32×32, with ReLU between them and tanh at the end. Since July 2020 the last one
is DCGAN's, 4×4 with stride 2, and the row a `gan_teach.networks.dcgan.Generator`; before, one more of 3×3 at full size
followed. Every part of the row has a number, so the convolutions stand at 0, 3, 6, … where something stands in the
norm's place and at 0, 2, 4, … where nothing does. With `--g_norm batch` that is a batch norm, which has tensors;
with `none`, the setting of their CIFAR script, an identity, and with `instance` an instance norm: these two leave the
same names, so `norm` decides. Any number of doublings is read; the authors' PyTorch code itself has the 32 px
network alone, and published no weights of it.

Format: github.com/WANG-Chaoyue/EvolutionaryGAN-pytorch, models/DCGAN_nets.py.
"""

import re
from dataclasses import dataclass

import torch
import torch.nn as nn

from ..checkpoints import BadCheckpoint
from ..language import say
from ..networks import dcgan
from .fill import fill, some

STEMS = ("model", "main")      # the authors' code; PyTorch's DCGAN
NORM = ("weight", "bias", "running_mean", "running_var")
NORMS = ("none", "instance")   # that leave no tensors


@dataclass(frozen=True)
class PublishedConfig(dcgan.DCGANConfig):
    instance: bool = False     # instance norm, without weights of its own, after each convolution but the last
    doubles: bool = False      # the last layer doubles the size: 4×4 with stride 2; else it is 3×3 at full size

    @property
    def resolution(self) -> int:
        return self.first * 2 ** (len(self.widths) - (not self.doubles))


class PublishedGenerator(dcgan.Generator):
    """`dcgan.Generator` with what the authors' has beside it: a last layer of 3×3 at full size, or instance norm."""

    def __init__(self, config: PublishedConfig):
        super().__init__(config)
        if config.instance:
            for block, width in zip(self.blocks.values(), config.widths, strict=True):
                block.insert(1, nn.InstanceNorm2d(width))
        if not config.doubles:
            self.last = nn.ConvTranspose2d(config.widths[-1], 1 if config.grey else 3, 3, 1, 1)


def _sources(weights: dict[str, torch.Tensor]) -> tuple[dict[str, str], list[str], bool]:
    """{our name: their name}, our names that are zero because a file of this kind leaves them out, and whether its
    norm leaves no names. BadCheckpoint with every name that is missing or left over."""
    pattern = rf"({'|'.join(map(re.escape, STEMS))})\.(\d{{1,3}})\.\w+"
    found = {name: re.fullmatch(pattern, name) for name in weights}
    stems = {match[1] for match in found.values() if match}
    convolutions = [int(match[2]) for name, match in found.items() if match and weights[name].ndim == 4]
    if None in found.values() or len(stems) != 1 or not convolutions:
        raise BadCheckpoint("this is no generator of the authors' E-GAN code, whose names are like model.0.weight: it "
                            f"holds {some([name for name, match in found.items() if not match] or weights)}")
    stem, last = *stems, max(convolutions)
    step = 2 if f"{stem}.2.weight" in weights else 3         # convolution, (norm,) ReLU
    batch_norm = step == 3 and any(int(match[2]) % 3 == 1 for match in found.values())
    # A constant before a batch norm has no effect: its bias may be left out. PyTorch's DCGAN, and the authors' code of
    # before July 2020, leave out the last one too.
    bare = batch_norm and f"{stem}.0.bias" not in weights
    needed, optional = {}, {}
    for i, at in enumerate(range(0, last + 1, step), 1):
        end = at + step > last
        ours, normed = "last" if end else f"blocks.layer{i}.0", batch_norm and not end
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
        kind = "second place" if step == 2 else f"third place, with{'' if batch_norm else 'out'} batch norm"
        raise BadCheckpoint(f"this is no row of transposed convolutions at every {kind}: {'; '.join(faults)}; nothing "
                            "was loaded")
    zero = [ours for ours, theirs in optional.items() if theirs not in weights]
    found = needed | {ours: theirs for ours, theirs in optional.items() if theirs in weights}
    return found, zero, step == 3 and not batch_norm


def generator(weights: dict[str, torch.Tensor], norm: str | None = None) -> dcgan.Generator:
    """The generator with these weights ("model.0.weight", …). BadCheckpoint for another network, naming what is
    missing, left over or of another shape.

    norm: "none" or "instance", what it was trained with where the file cannot tell; None says that it takes "none".
    """
    if norm not in (None, *NORMS):
        raise ValueError(f"norm is {' or '.join(map(repr, NORMS))}, for files that cannot tell; got {norm!r}")
    source, zero, silent = _sources(weights)
    if norm == "instance" and not silent:
        raise BadCheckpoint("this row has no place for an instance norm: leave norm out; nothing was loaded")
    if norm is None and silent:
        print(say("the file does not say whether it was trained with --g_norm none or instance: read as none, the "
                  "setting of the authors' script; load_official(path, norm='instance') reads the other, and so does "
                  "gan-teach dissect with --norm instance"))
    shapes = [weights[theirs].shape for ours, theirs in source.items() if ours.endswith((".0.weight", "last.weight"))]
    if len(shapes) < 2 or any(len(shape) != 4 for shape in shapes):       # each is c_in × c_out × k × k
        raise BadCheckpoint("this is no row of two or more transposed convolutions")
    options = {"widths": tuple(s[1] for s in shapes[:-1]), "first": shapes[0][2], "z_dim": shapes[0][0],
               "grey": shapes[-1][1] == 1, "norm_g": "blocks.layer1.1.weight" in source}
    doubles, instance = shapes[-1][2] != 3, norm == "instance"
    with torch.device("meta"):                            # sizes only: nothing is allocated before the shapes agree
        model = (dcgan.Generator(dcgan.DCGANConfig(**options)) if doubles and not instance else
                 PublishedGenerator(PublishedConfig(**options, instance=instance, doubles=doubles)))
    return fill(model, source, weights, zero=zero)
