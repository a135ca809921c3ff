"""What every generator and segmenter offers, ours or a reader's own, and small helpers that rely on nothing else."""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from ..limits import whole
from ..pictures import to_float
from ..worlds.reading import FAR, NEAR
from .layers import check_finite, countable, described, sample_z


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


def check_name(kind: str, name: str, names: Sequence[str], or_else: str = "") -> int:
    """The position of `name` in `names`; a ValueError points to the nearest, lists all, and says what else will do."""
    if name in tuple(names):
        return list(names).index(name)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    there = f"{', '.join(names)}, or give {or_else}" if or_else else ", ".join(names)
    raise ValueError(f"no {kind} '{name}' (did you mean {close[0]!r}?); there are: {there}" if close else
                     f"no {kind} '{name}'; there are: {there}")


def device_of(G: Generator) -> torch.device:
    """Where G's parameters live; the CPU for a generator without parameters."""
    return next((p.device for p in getattr(G, "parameters", tuple)()), torch.device("cpu"))


def check_weights(*models: object) -> None:
    """ValueError for a network with weights that nothing is computed with: complex, of 8 bits, or without numbers."""
    for model in models:
        for p in model.parameters() if isinstance(model, nn.Module) else ():
            if not countable(p):
                raise ValueError(f"a {type(model).__name__} has weights of {p.dtype} on the device {p.device}, and "
                                 "nothing is computed with such: floats of 16, 32 or 64 bits are wanted")


@contextmanager
def evaluating(*models: object) -> Iterator[None]:
    """Those models that are `nn.Module`s run in eval mode; afterwards every sub-module is as it was.

    ValueError where PyTorch was told to make all tensors without numbers, or in 16 bits, which cannot count pixels, and
    for weights that nothing can be computed with.
    """
    if torch.get_default_device().type == "meta" or torch.get_default_dtype() in (torch.float16, torch.bfloat16):
        raise ValueError("nothing can be measured with torch.set_default_device('meta') or a default dtype of 16 bits: "
                         f"here they are {torch.get_default_device()} and {torch.get_default_dtype()}")
    check_weights(*models)
    modules = [m for model in models if isinstance(model, nn.Module) for m in model.modules()]
    before = [m.training for m in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training


def check_made(G: object) -> None:
    """ValueError for a class in the place of a generator."""
    if isinstance(G, type):
        raise ValueError(f"{G.__name__} is a class, and no generator yet: make one of it, {G.__name__}(…)")


def latents(G: Generator, n: int, seed: int) -> Tensor:
    """n latents of G, N×Z, on its device and of the kind of its weights (16 bits after `G.half()`)."""
    check_made(G)
    if not hasattr(G, "z_dim") or not callable(G):
        raise ValueError(f"a {type(G).__name__} is no generator: it must be callable and have .z_dim")
    return fitting(G, sample_z(n, G.z_dim, seed))


def fitting(G: Generator, z: Tensor) -> Tensor:
    """The latents on G's device, and of the kind of its weights."""
    return z.to(next((p for p in getattr(G, "parameters", tuple)() if p.is_floating_point()), torch.empty(0)))


def classes_of(segmenter: Segmenter) -> list[str]:
    """The names of its classes; ValueError for what is no segmenter."""
    names = getattr(segmenter, "classes", None)
    if names is None or not callable(segmenter):
        raise ValueError(f"a {type(segmenter).__name__} is no segmenter: it must be callable and have .classes, their "
                         "names; gan_teach.networks.segmenter.wrap makes one of any network that scores pixels")
    if isinstance(names, str) or not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"the classes of a segmenter are names, such as ['sky', 'tree']; got {names!r:.60}")
    return list(names)


def check_images(images: Tensor, what: str = "the generator's pictures", n: int | None = None,
                 most: float = FAR) -> Tensor:
    """The pictures themselves, if they are a finite floating tensor N×3×H×W in [-1, 1], or not far outside; else
    ValueError says what they are. n: how many they must be. most: how far they may go."""
    if not isinstance(images, Tensor) or not images.is_floating_point() or images.ndim != 4 or images.shape[1] != 3 or \
            images.is_meta:
        raise ValueError(f"{what} must be a floating tensor N×3×H×W in [-1, 1]; got {described(images)}")
    if n not in (None, len(images)):
        raise ValueError(f"{what} are {len(images)} for {n} latents: each has its own")
    if images.numel() and (far := check_finite(what, images).detach().abs().max()) > most:
        raise ValueError(f"{what} go up to {far:.3g}; wanted [-1, 1] (of 0…255: x / 127.5 - 1)")
    return images


def in_parts(images: Tensor, batch: int, what: str) -> Iterator[Tensor]:
    """Pictures N×3×H×W, floats in [-1, 1] or bytes, `batch` at a time, as floats; ValueError as `check_images`."""
    if not isinstance(images, Tensor) or images.is_floating_point():
        check_images(images, what)
    for part in images.split(whole("batch", batch, 1)):
        yield check_images(to_float(part), what)


def check_alike(real: Tensor, fake: Tensor) -> None:
    """ValueError where real samples are not like generated ones: of another size, or of 0…255."""
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(f"the real samples are {'×'.join(map(str, real.shape[1:]))} each, and the generator draws "
                         f"{'×'.join(map(str, fake.shape[1:]))}: give it samples of its own size")
    if real.ndim == 4 and (far := real.abs().max()) > NEAR:
        raise ValueError(f"the real pictures go up to {far:.3g}; wanted bytes, or floats in [-1, 1] (of 0…255: "
                         "x / 127.5 - 1)")


def check_layer(G: Generator, layer: str) -> None:
    """ValueError naming `G.layers` unless `layer` is one of them, and for what is no generator."""
    check_made(G)
    if missing := [name for name in ("layers", "z_dim", "at") if not hasattr(G, name)]:
        raise ValueError(f"a {type(G).__name__} cannot be cut: a generator has .layers, .z_dim and .at(z, layer), and "
                         f"this has no {', no '.join(missing)}")
    if isinstance(G.layers, (str, set, frozenset)) or not isinstance(G.layers, Collection) or not G.layers or \
            not all(isinstance(name, str) for name in G.layers):
        raise ValueError("the layers of a generator are names in the order of computation, such as ('layer1', "
                         f"'layer2'); got {G.layers!r:.60}")
    check_name("layer", layer, G.layers)


def activations(G: Generator, z: Tensor, layers: Sequence[str]) -> tuple[dict[str, Tensor], Callable[[Tensor], Tensor]]:
    """Cut G at several layers: {layer: r}, and the f of the last of them, so that f(r of the last) = G(z).

    layers: in the order of computation, as in `G.layers`. A generator with a method `activations(z, layers)` of
    this kind computes every layer once. Any other is cut with `at`, from z to each layer anew.
    """
    if callable(own := getattr(G, "activations", None)):
        found = own(z, layers)
        r, f = found if isinstance(found, (tuple, list)) and len(found) == 2 else (found, None)
        if not isinstance(r, Mapping) or [name for name in layers if name not in r]:
            raise ValueError("G.activations(z, layers) must return ({layer: r}, f), an r of each layer that was asked "
                             f"for and a function of the last; got {described(r)} for {', '.join(layers)}")
        looked = {name: looked_at(r[name], f, len(z), name) for name in layers}
        return {name: r for name, (r, _) in looked.items()}, looked[layers[-1]][1]
    r = {}
    for layer in layers:
        r[layer], f = cut(G, z, layer)
    return r, f


def cut(G: Generator, z: Tensor, layer: str, most: float = FAR) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """`G.at(z, layer)`, looked at (`looked_at`)."""
    found = G.at(z, layer)
    r, f = found if isinstance(found, (tuple, list)) and len(found) == 2 else (found, None)
    return looked_at(r, f, len(z), layer, most)


def looked_at(r: Tensor, f: Callable, n: int, layer: str, most: float = FAR
              ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """(r, f); ValueError where they are no cut: r a floating N×U×h×w of the n latents, f a function of it.

    f checks in its turn what it draws (most: how far that may go), and leaves its r as it is, whatever a reader's own
    does with it in place.
    """
    if not isinstance(r, Tensor) or not callable(f):
        raise ValueError(f"G.at(z, {layer!r}) must return (r, f), a tensor and a function of it; got a "
                         f"{type(r).__name__}{f' and a {type(f).__name__}' if f is not None else ''}")
    if not r.is_floating_point() or r.ndim != 4 or len(r) != n or not r.numel():
        raise ValueError(f"layer {layer!r} gives {described(r)}; dissection needs N×U×h×w, of floats, N = {n} as the "
                         "latents are")
    return r, lambda r: check_images(f(r.clone()), n=len(r), most=most)
