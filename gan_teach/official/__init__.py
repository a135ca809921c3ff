"""The weights that the papers' authors published, in our own networks. Nothing in their files is ever run.

    G = load_official("official/progan-church")       # fetched once, then from the cache
    G = load_official("downloads/karras2019stylegan-ffhq-1024x1024.pkl")
    if available("official/stylegan-ffhq"):           # never fetches: says where it is, or how to get it

Read in this order:

    download            fetch a file once, with its size and its hash
    pickles             the machine that reads a pickle and runs nothing of it
    tensorflow_pickles  what StyleGAN's authors and progressive GAN's saved, read by it
    torch_files         what `torch.save` wrote, read by it
    fill                the authors' tensors, each into its place exactly once
    progan, stylegan, egan, upernet    which tensor goes where, a file a network

Below: what was published, where it lies, and how a file of it becomes a network.
"""

import difflib
import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from .. import checkpoints
from ..checkpoints import BadCheckpoint
from ..files import cache_folder, expanded, regular, sha256, write_text
from ..language import say
from ..networks.layers import pick_device
from ..stylegan.discriminator import Discriminator
from ..stylegan.generator import StyleGANConfig
from . import egan, progan, stylegan, upernet
from .download import download
from .fill import some
from .tensorflow_pickles import NETWORKS, read_network
from .torch_files import STARTS, read_tensors


@dataclass(frozen=True)
class Published:
    """Where a file can be had, and what is known of it beforehand."""
    file: str                    # its name in the cache
    urls: tuple[str, ...]        # tried in this order
    sha256: str = ""             # how the published SHA-256 begins; "": none was published
    size: str = ""
    licence: str = ""


def _dissected(file: str) -> Published:
    return Published(file, tuple(f"http://{host}.csail.mit.edu/models/{file}" for host in ("gandissect", "dissect")),
                     file.split("-")[-1].removesuffix(".pth"), "about 73 MB" if "celeb" not in file else "")


def _drive(name: str, key: str, size: str) -> Published:
    # The older address, the second, may answer for a file of this size with a page that asks about viruses.
    urls = (f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t",
            f"https://drive.google.com/uc?id={key}&export=download")
    return Published(f"stylegan-{name}.pkl", urls, size=size, licence="CC BY-NC 4.0")


KNOWN = {
    # The hash stands in the file's name. github.com/davidbau/dissect; Bau et al. trained these on LSUN.
    "official/progan-bedroom": _dissected("proggan_bedroom-d8a89ff1.pth"),
    "official/progan-celebahq": _dissected("proggan_celebhq-620d161c.pth"),
    "official/progan-church": _dissected("proggan_churchoutdoor-7e701dd5.pth"),
    "official/progan-conferenceroom": _dissected("proggan_conferenceroom-21e85882.pth"),
    "official/progan-diningroom": _dissected("proggan_diningroom-3aa0ab80.pth"),
    "official/progan-kitchen": _dissected("proggan_kitchen-67f1e16c.pth"),
    "official/progan-livingroom": _dissected("proggan_livingroom-5ef336dd.pth"),
    "official/progan-restaurant": _dissected("proggan_restaurant-b8578299.pth"),
    # No hash was published. github.com/NVlabs/stylegan
    "official/stylegan-bedrooms": _drive("bedrooms", "1MOSKeGF0FJcivpBI7s63V9YHloUTORiF", "302 MB"),
    "official/stylegan-cars": _drive("cars", "1MJ6iCfNtMIRicihwRorsM3b7mmtmK9c3", "307 MB"),
    "official/stylegan-cats": _drive("cats", "1MQywl0FNt6lHu8E_EUqnRbviagS7fbiJ", "302 MB"),
    "official/stylegan-celebahq": _drive("celebahq", "1MGqJl28pN4t7SAtSrPdSRJSQJqahkzUf", "324 MB"),
    "official/stylegan-ffhq": _drive("ffhq", "1MEGjdvVpUsu1jB4zrXZN7Y4kBBOzizDQ", "324 MB"),
}
SEGMENTER = "official/upernet"
WRAPPERS = ("module.", "_orig_mod.")     # what DataParallel and torch.compile put before every name
# To read the file and draw one picture, with Python and PyTorch; rounded up from tests/benchmarks/bench_official.py.
MEMORY = {"official/progan": "1 GB", "official/stylegan": "2 GB", SEGMENTER: "1.5 GB"}
SEGMENTER_FILES = tuple(Published(f"upernet/{file}", upernet.addresses(file)) for file in upernet.FILES)
# Networks that only the authors have; their converted copies are files like those of ours.
checkpoints.KINDS.update({"egan": (egan.PublishedGenerator, egan.PublishedConfig),
                          "stylegan-discriminator": (Discriminator, StyleGANConfig),
                          "upernet": (upernet.Segmenter, upernet.UPerNetConfig)})


def names() -> list[str]:
    """The names that `load_official` knows."""
    return [*KNOWN, SEGMENTER]


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
        inside = sorted(path for path in expanded(given).iterdir() if path.suffix == checkpoints.SUFFIX)
        if inside:
            raise FileNotFoundError(f"{given} is a folder; the network is the file in it: load {inside[0]}")
        if (expanded(given) / "resume.pt").exists():
            raise FileNotFoundError(f"{given} is the folder of a training that has not ended: it holds no network yet")
        return load_segmenter(given, device)
    known = _known(given)
    path = cache_folder() / known.file if known else expanded(given)
    if not known and not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; published weights: {', '.join(names())}")
    digest = fetch(known, path) if known else sha256(path)
    stem = f"{path.stem}-{network}{f'-{norm}' if norm else ''}"
    return _once(stem, digest, lambda: convert(path, network, norm), device, name=path.name,
                 source=known.urls[0] if known else path.name, licence=known.licence if known else "")


def _once(stem: str, digest: str, read: Callable[[], torch.nn.Module], device, name: str, **record) -> torch.nn.Module:
    """What `read` makes of a file with this SHA-256, kept in the cache as .safetensors; the next time, that copy."""
    ours = cache_folder() / f"{stem}-{digest[:16]}.safetensors"
    if ours.exists():
        try:
            return checkpoints.load(ours, device)
        except BadCheckpoint:
            ours.unlink()                              # a cut copy; the original is still there
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
    return model.to(pick_device(device and str(device)))


def available(name_or_path: str | Path) -> Path | None:
    """Where these weights lie on this computer, or None; says so in one line, with the memory they need. Fetches
    nothing: `if available(where): G = gan_teach.load(where)` is a cell that runs with and without them.

    name_or_path: a name of `names()`, or the path of a file of the authors' (of the segmenter: of the folder with
    its three files). Raises ValueError for a name that is none.
    """
    given, known = str(name_or_path), _known(name_or_path)
    folder = cache_folder() / "upernet" if given == SEGMENTER else expanded(given)
    files = [cache_folder() / known.file] if known else [expanded(given)]
    if given == SEGMENTER or folder.is_dir():
        files = [folder / file for file in upernet.FILES]
    memory = MEMORY.get(SEGMENTER if folder.is_dir() else given.rsplit("-", 1)[0], "")
    needs = say("; it needs {memory} of memory", memory=memory) if memory else ""
    if all(file.exists() for file in files):
        print(say("{name} is on this computer{needs}", name=given, needs=needs))
        return files[0] if len(files) == 1 else folder
    if known or given == SEGMENTER:
        size = known.size if known else ""
        print(say("{name} is not on this computer: gan_teach.load({name!r}) fetches it{size} once, or give the path of "
                  "a copy that you have{needs}", name=given, size=size and say(", {size},", size=size), needs=needs))
    else:
        print(say("there is no {files}", files=say(" or no ").join(str(file) for file in files if not file.exists())))
    return None


def _known(name_or_path: str | Path) -> Published | None:
    """The entry of a published name, None for a path. Raises ValueError for a name that is none."""
    given = str(name_or_path)
    known = KNOWN.get(given)
    if known is None and given != SEGMENTER and given.startswith("official/") and not Path(given).exists():
        near = difflib.get_close_matches(given, names(), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no published weights {given!r}.{hint} There are: {', '.join(names())}; or give the path of "
                         "a file")
    return known


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


def fetch(known: Published, path: Path) -> str:
    """See that the published file lies at `path`: downloaded if it is not there, its hash checked and returned.

    The addresses are tried in their order. Raises ConnectionError or BadCheckpoint with what each of them answered.
    """
    note = path.with_name(path.name + ".sha256")
    if not path.exists():
        if known.size:
            print(say("{file}: fetching {size}", file=known.file, size=known.size))
        faults: list[Exception] = []                         # out of reach, or a web page in place of the file
        for url in known.urls:
            try:
                download(url, path)
                break
            except (ConnectionError, BadCheckpoint) as error:
                faults.append(error)
        else:
            unreached = any(isinstance(fault, ConnectionError) for fault in faults)      # another try may reach it
            raise (ConnectionError if unreached else BadCheckpoint)("\n".join(map(str, faults))) from faults[-1]
    digest = sha256(path)
    expected = known.sha256 or _noted(note)
    if not digest.startswith(expected):
        whose = "published" if known.sha256 else "first downloaded"
        moved = path.with_name(path.name + ".wrong")
        os.replace(path, moved)
        raise BadCheckpoint(f"{path} has SHA-256 {digest[:16]}…, and the {whose} file's begins with {expected[:16]}: "
                            f"it was cut or altered; nothing was loaded. It is now {moved.name}; call again to fetch "
                            "the file anew")
    if not known.sha256 and not note.exists():
        try:
            write_text(note, digest + "\n")
        except OSError as error:
            print(say("{file}: no hash of it was published, and its own could not be noted ({error})", file=known.file,
                      error=error))
        else:
            print(say("{file}: no hash of it was published; from now on it must stay {digest}… ({note})",
                      file=known.file, digest=digest[:16], note=note.name))
    return digest


def _noted(note: Path) -> str:
    """The SHA-256 of the first download; "" where none was noted, BadCheckpoint for what is none."""
    if not note.exists():
        return ""
    found = regular(note).read_text("ascii", "replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise BadCheckpoint(f"{note} is damaged: delete it and the file beside it, and call again to fetch both anew")
    return found
