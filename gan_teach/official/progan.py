"""The generators that GAN Dissection studies, as their authors published them → `gan_teach.networks.progan.Generator`.

Three namings of the same tensors: `layer1.conv.weight` (GAN Dissection), `features.0.conv.weight` (its older
files) and `4x4/Dense/weight` (Karras et al., TensorFlow). The sizes are inferred from the tensors. z is not
normalised beforehand: the first layer does it. The PyTorch files hold the output layer of the full size alone,
so the generator from them draws at that size only (`grow` to a smaller one gives grey pictures).

Formats: github.com/CSAILVision/gandissect, netdissect/proggan.py; github.com/tkarras/progressive_growing_of_gans.
"""

import math
from collections.abc import Mapping

import torch

from ..checkpoints import BadCheckpoint
from ..networks.progan import Generator, ProGANConfig
from .fill import agree, fill, grown

# The authors' options that change what the same tensors compute, each with the only value that our network has.
OPTIONS = {"normalize_latents": True, "use_wscale": True, "use_pixelnorm": True, "use_leakyrelu": True}
NAMINGS = {"layer1.conv.weight": "dissection", "features.0.conv.weight": "old", "4x4/Dense/weight": "tensorflow"}


def _names(naming: str, i: int) -> tuple[str, str]:
    """What the weight and the bias of layer i (from 1) are called."""
    if naming == "tensorflow":
        r = 4 * 2 ** ((i - 1) // 2)
        kind = {1: "Dense", 2: "Conv"}.get(i, "Conv0_up" if i % 2 else "Conv1")
        return f"{r}x{r}/{kind}/weight", f"{r}x{r}/{kind}/bias"
    stem = f"layer{i}" if naming == "dissection" else f"features.{i - 1}"
    return f"{stem}.conv.weight", f"{stem}.wscale.b"


def _output_names(naming: str, r: int, full: int) -> tuple[str, str]:
    if naming == "tensorflow":
        stem = f"ToRGB_lod{int(math.log2(full // r))}"
        return f"{stem}/weight", f"{stem}/bias"
    stem = f"output_{r}x{r}" if naming == "dissection" else "output"
    return f"{stem}.conv.weight", f"{stem}.wscale.b"


def _from_tensorflow(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """TensorFlow's layout → O×I×k×k. The upsampling layers are stored for a transposed convolution: a mirrored
    kernel, k×k×O×I; the first layer is fully connected, I×(O·4·4), here a convolution on one pixel padded by 3."""
    if name.endswith("bias"):
        return tensor
    if name == "4x4/Dense/weight":
        return tensor.unflatten(1, (-1, 4, 4)).permute(1, 0, 2, 3).flip(2, 3)
    if "Conv0_up" in name:
        return tensor.permute(2, 3, 0, 1).flip(2, 3)
    return tensor.permute(3, 2, 0, 1)


def generator(weights: dict[str, torch.Tensor], options: Mapping[str, object] | None = None) -> Generator:
    """The generator with these weights, whichever of the three namings they have.

    weights: {name: tensor}; options: those of a TensorFlow file. Raises BadCheckpoint for another network, naming
    what is missing or left over, and for one that was saved while it grew.
    """
    agree(OPTIONS | dict(options or {}), OPTIONS)
    grown(weights, "lod")
    naming = next((naming for first, naming in NAMINGS.items() if first in weights), None)
    if naming is None:
        raise BadCheckpoint(f"this is no Progressive GAN: it has none of {', '.join(NAMINGS)}")
    convert = _from_tensorflow if naming == "tensorflow" else lambda name, tensor: tensor
    first = weights[_names(naming, 1)[0]]
    seconds = []                                          # the second layer of each resolution knows its width
    while (name := _names(naming, 2 * len(seconds) + 2)[0]) in weights and len(seconds) < 9:   # 1024 px
        seconds.append(weights[name])
    if first.ndim != (2 if naming == "tensorflow" else 4) or not seconds or any(w.ndim != 4 for w in seconds):
        raise BadCheckpoint(f"this is no Progressive GAN: {_names(naming, 1)[0]} or {_names(naming, 2)[0]} is missing "
                            "or has the wrong number of dimensions")
    axis = 0 if naming == "tensorflow" else 1
    with torch.device("meta"):                            # sizes only: nothing is allocated before the shapes agree
        model = Generator(ProGANConfig(first.shape[axis], tuple(w.shape[-1 if axis == 0 else 0] for w in seconds)))
    source = {}
    for i in range(1, 2 * len(seconds) + 1):
        source |= zip((f"blocks.layer{i}.conv.weight", f"blocks.layer{i}.conv.bias"), _names(naming, i))
    full, zero = model.resolution, []
    for r in map(int, model.to_rgb):
        ours, theirs = (f"to_rgb.{r}.weight", f"to_rgb.{r}.bias"), _output_names(naming, r, full)
        if r == full or (naming == "tensorflow" and theirs[0] in weights):
            source |= zip(ours, theirs)
        else:
            zero += ours
    # TensorFlow keeps how far the network has grown, 0 here; the oldest files keep the constant scale of every layer.
    unused = [name for name in weights if name == "lod" or name.endswith(".wscale.scale")]
    return fill(model, source, weights, convert, zero, unused)
