"""What every generator and segmenter offers, ours or a reader's own, and small helpers that rely on nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn


class Generator(Protocol):
    """Anything that can be cut at a layer: f(r) must equal G(z) for every name in `layers`.

    It may also offer what `activations` below asks for as a method of that name, which saves time.
    """
    layers: Sequence[str]
    z_dim: int

    def at(self, z: Tensor, layer: str) -> tuple[Tensor, Callable[[Tensor], Tensor]]: ...
    def __call__(self, z: Tensor) -> Tensor: ...


class Segmenter(Protocol):
    """images N×3×H×W in [-1, 1] -> class scores N×C×H'×W'; `classes` names the C channels."""
    classes: Sequence[str]
    def __call__(self, images: Tensor) -> Tensor: ...


def check_name(kind: str, name: str, names: Sequence[str]) -> int:
    """The position of `name` in `names`; a ValueError lists the right names and points to the nearest."""
    if name in tuple(names):
        return list(names).index(name)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"no {kind} {name!r}{hint}; there are: {', '.join(names)}")


def device_of(G: Generator) -> torch.device:
    """Where G's parameters live; the CPU for a generator without parameters."""
    return next((p.device for p in getattr(G, "parameters", tuple)()), torch.device("cpu"))


@contextmanager
def evaluating(*models: object) -> Iterator[None]:
    """Those models that are `nn.Module`s run in eval mode; afterwards every sub-module is as it was."""
    modules = [m for model in models if isinstance(model, nn.Module) for m in model.modules()]
    before = [m.training for m in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training


def check_layer(G: Generator, layer: str) -> None:
    """ValueError naming `G.layers` unless `layer` is one of them."""
    check_name("layer", layer, G.layers)


def activations(G: Generator, z: Tensor, layers: Sequence[str]
                ) -> tuple[dict[str, Tensor], Callable[[Tensor], Tensor]]:
    """Cut G at several layers: {layer: r}, and the f of the last of them, so that f(r of the last) = G(z).

    layers: in the order of computation, as in `G.layers`. A generator with a method `activations(z, layers)` of
    this kind computes every layer once. Any other is cut with `at`, from z to each layer anew.
    """
    if hasattr(G, "activations"):
        return G.activations(z, layers)
    r = {}
    for layer in layers:
        r[layer], f = G.at(z, layer)
    return r, f
