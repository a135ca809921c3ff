"""How a file of the authors' becomes one of our networks: read as data, converted once, kept as .safetensors."""

import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import torch

from .. import checkpoints
from ..checkpoints import BadCheckpoint
from ..files import cache_folder, expanded, regular, sha256
from ..language import say
from ..networks.device import pick_device
from ..stylegan.discriminator import Discriminator
from ..stylegan.generator import StyleGANConfig
from . import egan, progan, stylegan, upernet
from .fill import some
from .published import SEGMENTER, SEGMENTER_FILES, entry, fetch, names
from .tensorflow_pickles import NETWORKS, read_network
from .torch_files import STARTS, read_tensors

WRAPPERS = ("module.", "_orig_mod.")     # what DataParallel and torch.compile put before every name
# Networks that only the authors have; their converted copies are files like those of ours.
checkpoints.KINDS.update({"egan": (egan.PublishedGenerator, egan.PublishedConfig),
                          "stylegan-discriminator": (Discriminator, StyleGANConfig),
                          "upernet": (upernet.Segmenter, upernet.UPerNetConfig)})


def load_official(name_or_path: str | Path, network: str = "Gs", device: str | torch.device | None = None,
                  norm: str | None = None) -> torch.nn.Module:
    """A network of the papers' authors, ready to use, with its `.record`.

    name_or_path: a name of `names()`, fetched once into the cache (see `files.cache_folder`) and checked against
    the published hash, or, where none was published, against that of the first download; or the path of such a
    file (of the segmenter: of the folder with its three files), which needs no network. It is converted once, to
    .safetensors in the cache, and says how long that took and how much memory the weights fill; later it comes from
    there. network, norm: see `convert`.
    Raises ValueError for an unknown name, FileNotFoundError for a path without a file, ConnectionError when a
    file cannot be fetched, BadCheckpoint for a file that is not what it should be.
    """
    given = str(name_or_path)
    if given == SEGMENTER:
        return load_segmenter(device=device)
    if expanded(given).is_dir():
        checkpoints.point_inside(expanded(given))
        return load_segmenter(given, device)
    known = entry(given)
    path = cache_folder() / known.file if known else expanded(given)
    if not known and not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; published weights: {', '.join(names())}")
    digest = fetch(known, path) if known else sha256(path)
    stem = f"{path.stem}-{network}{f'-{norm}' if norm else ''}"
    return _once(stem, digest, lambda: convert(path, network, norm), device, name=path.name,
                 source=known.urls[0] if known else path.name, licence=known.licence if known else "")


def load_segmenter(folder: str | Path | None = None, device: str | torch.device | None = None) -> upernet.Segmenter:
    """The published segmenter of 335 kinds of objects: from a folder with its three files, else from the cache.

    The files (`upernet.FILES`, some hundred MB) are fetched into the cache if they are not there, and converted once
    like the others. Raises FileNotFoundError, ConnectionError and BadCheckpoint like `load_official`.
    """
    paths = [(cache_folder() / "upernet" if folder is None else expanded(folder)) / file for file in upernet.FILES]
    for path in paths:
        if folder is not None and not path.is_file():
            raise FileNotFoundError(f"there is no file {path}; the segmenter needs {', '.join(upernet.FILES)}")
    digests = [sha256(path) if folder is not None else fetch(known, path)
               for path, known in zip(paths, SEGMENTER_FILES)]
    return _once("upernet", hashlib.sha256("".join(digests).encode()).hexdigest(), lambda: upernet.read(*paths), device,
                 name="upernet", source=SEGMENTER_FILES[0].urls[0] if folder is None else Path(folder).name,
                 files=dict(zip(upernet.FILES, digests)))


def _once(stem: str, digest: str, read: Callable[[], torch.nn.Module], device, name: str, **record) -> torch.nn.Module:
    """What `read` makes of a file with this SHA-256, kept in the cache as .safetensors; the next time, that copy."""
    ours = cache_folder() / f"{stem}-{digest[:16]}.safetensors"
    if ours.exists():
        try:
            return checkpoints.load(ours, device)
        except BadCheckpoint:
            with contextlib.suppress(OSError):         # a cache that cannot be written
                ours.unlink()                          # a cut copy; the original is still there
    start = time.perf_counter()
    model = read()
    seconds = time.perf_counter() - start
    megabytes = sum(t.numel() * t.element_size() for t in model.state_dict().values()) / 1e6
    print(say("{name}: converted in {seconds:.1f} s, {megabytes:.0f} MB of weights in memory", name=name,
              seconds=seconds, megabytes=megabytes))
    record |= {"source_sha256": digest, "seconds": round(seconds, 2)}
    try:
        model.record = checkpoints.save(ours, model, **record)
    except OSError as error:
        print(say("{folder} cannot be written ({error}): the network is used, but was not kept", folder=ours.parent,
                  error=error))
        model.record = record
    return model.to(pick_device(device))


def convert(path: str | Path, network: str = "Gs", norm: str | None = None) -> torch.nn.Module:
    """The network in a file of the authors', as one of ours (eval mode, no gradients, on the CPU).

    path: an official TensorFlow pickle of StyleGAN or Progressive GAN, or a PyTorch file of GAN Dissection's
    generators, of GenForce's StyleGAN or of E-GAN's code; told apart by what they hold. network: of a file with
    several, "Gs" (the average of G over the training, which draws the published pictures), "G", or "D" (of
    StyleGAN's pickles). norm: of a file of E-GAN's code that cannot tell (see `egan.generator`). Raises BadCheckpoint
    for every other file, before anything of it is built.
    """
    if network not in NETWORKS:
        raise ValueError(f"no network {network!r}; an official file has {', '.join(NETWORKS)}")
    try:
        path = regular(path)
        with path.open("rb") as file:
            start = file.read(16)
        return _from_torch(path, network, norm) if start.startswith(STARTS) else _from_tensorflow(path, network)
    except (ValueError, ArithmeticError, RuntimeError) as error:      # the last two: no network has layers of 0 units
        if str(error).startswith(str(path)):
            raise
        raise BadCheckpoint(f"{path}: {error}") from error


def _from_tensorflow(path: str | Path, network: str) -> torch.nn.Module:
    weights, options = read_network(path, network)
    styled = "dlatent_avg" in (read_network(path, "Gs")[0] if network == "D" else weights)
    if network == "D":
        if not styled:
            raise BadCheckpoint("of a Progressive GAN's pickle only the generator is read: network='Gs' or 'G'")
        return stylegan.discriminator(weights, options)
    return (stylegan if styled else progan).generator(weights, options)


def _from_torch(path: str | Path, network: str, norm: str | None) -> torch.nn.Module:
    content = read_tensors(path)
    if network == "D":
        raise BadCheckpoint("of PyTorch files only generators are read: network='Gs' or 'G'")
    if isinstance(content.get("g_running"), dict):
        raise BadCheckpoint("holds rosinality's StyleGAN, which is another network (one noise map for two layers, the "
                            "bias before the blur); take the authors' pickle or GenForce's conversion")
    # GenForce keeps two generators, GAN Dissection's files may have a few numbers beside the tensors.
    inside = ("generator_smooth" if network == "Gs" else "generator") if "generator_smooth" in content else "state_dict"
    weights = content[inside] if isinstance(content.get(inside), dict) else content
    weights = {str(name): tensor for name, tensor in weights.items() if isinstance(tensor, torch.Tensor)}
    for prefix in WRAPPERS * 2:
        if weights and all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    if weights.keys() & progan.NAMINGS.keys():
        return progan.generator(weights)
    if "truncation.w_avg" in weights:
        return stylegan.generator(weights)
    if weights.keys() & {f"{stem}.0.weight" for stem in egan.STEMS}:
        return egan.generator(weights, norm)
    raise BadCheckpoint("holds none of the networks that can be read (Progressive GAN as GAN Dissection has it, "
                        f"StyleGAN as GenForce has it, E-GAN's generator): its names are {some(content) or 'none'}")
