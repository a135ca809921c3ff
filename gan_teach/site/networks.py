"""The shipped networks as ONNX files, cut where a machine needs them: the browser computes with the same weights.

    progan-h     z, 1×128            → r, 1×64×16×16     what is computed once a scene
    progan-f     r                   → x, 1×3×64×64      what a stroke costs
    segmenter    x                   → s, 1×13×64×64     what counts the pixels
    …-mapping    z, 1×128            → w, 1×128
    …-synthesis  ws, 1×10×128; noise → x                 noise: the maps of all layers in a row, one after the other

What does not depend on the input is worked out before: scaled weights, and the kernels of an upsampling convolution.
"""

import copy
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints import load
from ..networks.layers import EqualizedConv2d, EqualizedLinear, sample_z
from ..stylegan.generator import Generator
from ..stylegan.prepared import baked

LAYER = "layer6"                            # where Paint cuts the generator
STYLED = {"villages": "scenes-stylegan", "portraits": "portraits-stylegan"}


class Function(nn.Module):
    """Any function of tensors as a module, which is what the export takes. `net`: the weights it uses."""

    def __init__(self, net: nn.Module, function: Callable):
        super().__init__()
        self.net, self.function = net, function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


@torch.no_grad()
def prebaked(net: nn.Module) -> nn.Module:
    """A copy that multiplies no weight by its scale any more."""
    net = copy.deepcopy(net)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, (EqualizedConv2d, EqualizedLinear)):
                setattr(module, name, baked(child))
    return net.requires_grad_(False)


def noise_maps(G: Generator, row: Tensor) -> list[Tensor]:
    """All noise in one row, (Σ h·w,) → one map 1×1×h×w for each layer: the inverse of `noise_row`.

    Cut out one by one: WebGPU cannot split into ten at once.
    """
    maps, start = [], 0
    for shape in (noise.shape for noise in G.noise()):
        maps.append(row[start:start + shape.numel()].view(shape))
        start += shape.numel()
    return maps


def noise_row(maps: list[Tensor]) -> Tensor:
    """The noise maps of all layers as one row of numbers."""
    return torch.cat([noise.flatten() for noise in maps])


def functions() -> dict[str, tuple[Function, dict[str, Tensor]]]:
    """Name of the file -> the function in it, and an input of each name."""
    G, S = prebaked(load("scenes-progan", "cpu")), load("scenes-segmenter", "cpu")
    z = sample_z(1, G.z_dim, seed=0)
    r, f = G.at(z, LAYER)
    found = {"progan-h": (Function(G, lambda z: G.at(z, LAYER)[0]), {"z": z}),
             "progan-f": (Function(G, f), {"r": r}),
             "segmenter": (Function(S, S), {"x": f(r)})}
    for machine, name in STYLED.items():
        found |= _styled(machine, prebaked(load(name, "cpu")), z)
    return found


def _styled(machine: str, G: Generator, z: Tensor) -> dict[str, tuple[Function, dict[str, Tensor]]]:
    return {f"{machine}-mapping": (Function(G, G.mapping), {"z": z}),
            f"{machine}-synthesis": (Function(G, lambda ws, noise: G.synthesis(ws, noise_maps(G, noise))),
                                     {"ws": G.ws(z), "noise": noise_row(G.noise())})}


@torch.no_grad()
def export(folder: Path) -> list[Path]:
    """Write every network as NAME.onnx, and return the files. RuntimeError where the package onnx is missing.

    By the older of torch's two exporters: it takes a second instead of half a minute, and one package instead of three.
    """
    if importlib.util.find_spec("onnx") is None:
        raise RuntimeError('the networks are exported with onnx, which is not installed: pip install -e ".[site]"')
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (function, inputs) in functions().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                                 # that it is the older one
            torch.onnx.export(function.eval(), tuple(inputs.values()), str(folder / f"{name}.onnx"),
                              input_names=list(inputs), output_names=["y"], dynamo=False)
        written.append(folder / f"{name}.onnx")
    return written
