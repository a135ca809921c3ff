"""Pictures to learn from: Fashion-MNIST, our own scenes and portraits, CIFAR-10, CelebA, or any folder.

    real = pictures("fashion", "test").images            # 10,000 that come with this repository
    real = pictures("holiday-photos/", size=64).images   # a folder of your own

Everything is cut square and brought to one size, as bytes N×3×size×size: what `Evolution`, `Training` and the
classifier take; `reading.py` says what becomes of a file. Nothing is fetched unless `fetch` is called; a set that is
missing says how to get it.
Fashion-MNIST: Xiao, Rasul, Vollgraf 2017 (arXiv 1708.07747). Used in notebooks/03b_evolutionary_gan_further.ipynb.
"""

import contextlib
import functools
import gzip
import hashlib
import os
import shutil
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from .. import files
from ..files import data_folder, expanded, shown
from ..language import say
from ..limits import whole
from .portraits import Portraits
from .reading import MAX_SIDE, square
from .scenes import Scenes

SPLITS = ("train", "test")
FASHION = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
CIFAR = ("aeroplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "lorry")
DRAWN = {"scenes": Scenes, "portraits": Portraits}
SIZES = {"fashion": "31 MB to fetch, 55 MB unpacked", "cifar10": "170 MB to fetch, 350 MB unpacked",
         "celeba": "1.4 GB to fetch, 3 GB unpacked"}
NAMES = ("fashion", "scenes", "portraits", "cifar10", "celeba")
KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
KINDS_TOLD = 6               # of files that are no pictures, the most frequent
DEBIAN = Path("/usr/share/datasets/fashion-mnist")       # of the package dataset-fashion-mnist
MAX_BYTES = 4_000_000_000    # of pictures at a time: CelebA's training split at 64 px takes 2 GB
FASHION_FILES = {"train": 60_000, "t10k": 10_000}


class Pictures(NamedTuple):
    images: Tensor                   # uint8 N×3×size×size
    labels: Tensor                   # long N, indices into `classes`
    classes: tuple[str, ...]


def pictures(name: str | Path, split: str = "train", size: int = 32, n: int | None = None,
             root: str | Path | None = None, without: str | Path | None = None) -> Pictures:
    """The pictures of one set: name is one of `NAMES`, or the path of a folder; a `Path` is always a folder's.

    split: "train" or "test"; drawn ones of the two splits come from different seeds, a folder has no splits. n: the
    first so many (None: all; of drawn ones 40,000 or 5,000). root: where torchvision's sets lie (None: where
    `fetch` puts them, then the repository's data/). without: a folder that is left out, such as that of the results.
    Raises FileNotFoundError with the next step where a set is missing, ValueError for an unknown name or split, for
    more pictures than memory is meant to hold, and with its path for a file that is no picture.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise ValueError(f"pictures are asked for by a name ({', '.join(NAMES)}) or the path of a folder; got a "
                         f"{type(name).__name__}")
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; there are {' and '.join(SPLITS)}")
    size, n = whole("size", size, 1, MAX_SIDE), None if n is None else whole("n", n, 1)
    if isinstance(name, str) and name in NAMES and Path(name).is_dir():
        print(say("{name!r} is taken for the set of that name, not for the folder here; that one is ./{name}",
                  name=name))
    if name in DRAWN:
        count = n or {"train": 40_000, "test": 5_000}[split]
        _check_room(count, size)
        drawn = rendered(DRAWN[name], count, SPLITS.index(split), size)
        return Pictures(drawn, torch.zeros(count, dtype=torch.long), (DRAWN[name].name,))
    if read := {"fashion": _fashion, "cifar10": _cifar10, "celeba": _celeba}.get(name):
        return read(split, size, n, root)
    folder = expanded(name)
    if folder.is_dir() and name != "":                       # Path("") is the folder that we are in
        if folder.resolve() == Path(folder.resolve().anchor):
            raise ValueError(f"{folder} is the whole disk: give a folder with pictures")
        return _folder(folder, size, n, without)
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file: give the folder that it lies in")
    if len(folder.parts) > 1 or str(name).endswith(("/", "\\")):
        raise FileNotFoundError(f"there is no folder {folder}; give one with pictures in it, or a name: "
                                f"{', '.join(NAMES)}")
    raise ValueError(f"no pictures {str(name)!r}; there are {', '.join(NAMES)}, or give the path of a folder")


def rendered(drawings, n: int, seed: int, size: int = 64) -> Tensor:
    """All of `n` drawings such as `Scenes`, uint8 n×3×size×size: rendered once, and kept in the cache.

    The file's name holds a hash of the code that draws. It is mapped, not read: all who use one cache share its memory.
    A cache that cannot be written is read; what is not in it is drawn, not kept, and that is said once.
    """
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem != "datasets")
    name = f"{drawings.name}-{size}-{n}-{seed}-{hashlib.sha256(code).hexdigest()[:12]}.npy"
    file = files.cache_folder() / "rendered" / name
    with contextlib.suppress(Exception):                     # a damaged file may fail anywhere in its reader
        kept = torch.from_numpy(np.load(file, mmap_mode="c", allow_pickle=False))      # a change is one's own
        if kept.shape == (n, 3, size, size) and kept.dtype == torch.uint8:
            return kept
    images = drawings(n, size=size, seed=seed).images()
    try:
        with files.writing(file) as temporary, temporary.open("wb") as target:
            np.save(target, images.numpy())
    except OSError:
        _tell_not_kept(file.parent)
    return images


@functools.cache
def _tell_not_kept(folder: Path) -> None:
    print(say("Nothing can be written in {folder}: what is drawn is not kept there", folder=shown(folder)))


# ------------------------------------------------------------------------------------------ where sets lie

def store() -> Path:
    """Where fetched sets lie: `datasets` in the same cache as the authors' networks."""
    return files.cache_folder() / "datasets"


def _missing(name: str, roots: Iterable[Path], split: str) -> FileNotFoundError:
    step = (f"python -m gan_teach fetch {name}" if name != "celeba" else
            "download img_align_celeba.zip from the authors' page (mmlab.ie.cuhk.edu.hk/projects/CelebA.html), unpack "
            f"it, and put the folder img_align_celeba into {store() / 'celeba'}")
    looked = ", ".join(str(root) for root in roots)
    only = " (only its test split comes with this repository)" if name == "fashion" else ""
    return FileNotFoundError(f"{name}'s {split} split is not here{only}; looked in {looked}. Next step: {step} "
                             f"({SIZES[name]})")


def fetch(name: str) -> Path:
    """Download a set from where torchvision finds it, with a progress bar and its hash; returns the folder.

    Fashion-MNIST is taken from Debian's package `dataset-fashion-mnist` instead, where that is installed.
    ValueError for a set that cannot be had this way, ConnectionError where the server cannot be reached,
    `files.DiskFull` where there is no room.
    """
    from torchvision import datasets

    if name not in ("fashion", "cifar10"):
        raise ValueError(f"{name!r} cannot be fetched from here; fashion and cifar10 can" if name != "celeba" else
                         str(_missing("celeba", [store()], "train")))
    root = store()
    if name == "fashion" and DEBIAN.is_dir():
        print(say("{name}: taken from {folder}, into {root}", name=name, folder=DEBIAN, root=root))
        raw = root / "FashionMNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for packed in sorted(DEBIAN.glob("*-ubyte.gz")):
            with files.writing(raw / packed.stem) as temporary:
                with gzip.open(packed) as source, temporary.open("wb") as target:
                    shutil.copyfileobj(source, target)
        return root
    print(say("{name}: {size}, into {root}", name=name, size=SIZES[name], root=root))
    try:
        (datasets.FashionMNIST if name == "fashion" else datasets.CIFAR10)(str(root), download=True)
    except (OSError, RuntimeError) as error:
        if files.disk_full(error):
            raise files.DiskFull(f"the disk is full, {name} was not fetched: make room in {root} and call "
                                 "again") from error
        raise ConnectionError(f"{name} could not be fetched ({error}); call again, or put the files that "
                              f"torchvision.datasets reads into {root} by hand") from error
    return root


# ------------------------------------------------------------------------------------------ the sets

def _fashion(split: str, size: int, n: int | None, root) -> Pictures:
    from torchvision.datasets import FashionMNIST

    roots = [expanded(root)] if root else [store(), data_folder()]
    stem = "train" if split == "train" else "t10k"
    count = FASHION_FILES[stem]                              # a cut file, or the shipped note, has another size
    wanted = {"images-idx3": count * 28 * 28 + 16, "labels-idx1": count + 8}
    for place in roots:
        both = {place / "FashionMNIST" / "raw" / f"{stem}-{kind}-ubyte": much for kind, much in wanted.items()}
        if all(file.is_file() and file.stat().st_size == much for file, much in both.items()):
            try:
                found = FashionMNIST(str(place), train=split == "train")
                if found.data.shape != (count, 28, 28) or len(found.targets) != count or found.targets.max() > 9:
                    raise ValueError(f"these are not {count} pictures of 28×28 with labels from 0 to 9")
            except Exception as error:                       # its reader stumbles over a damaged file anywhere
                raise ValueError(f"{place / 'FashionMNIST'} is damaged: delete it, and fetch it again "
                                 f"({type(error).__name__}: {error!s:.120})") from error
            images = found.data[:n, None].expand(-1, 3, -1, -1)
            return Pictures(_to_size(images, size, pad=size == 32), found.targets[:n].long(), FASHION)
    raise _missing("fashion", roots, split)


def _cifar10(split: str, size: int, n: int | None, root) -> Pictures:
    from torchvision.datasets import CIFAR10

    place = expanded(root) if root else store()
    try:
        found = CIFAR10(str(place), train=split == "train")
    except RuntimeError as error:
        raise _missing("cifar10", [place], split) from error
    images = torch.from_numpy(found.data[:n]).permute(0, 3, 1, 2)
    return Pictures(_to_size(images, size), torch.tensor(found.targets[:n]), CIFAR)


def _celeba(split: str, size: int, n: int | None, root) -> Pictures:
    """The aligned faces, 178×218, of which the middle 140×140 are face; the first 162,770 are for training."""
    folder = (expanded(root) if root else store()) / "celeba" / "img_align_celeba"
    paths = sorted(folder.glob("[!.]*.jpg"))                 # macOS leaves a ._NAME beside each file of a zip
    paths = (paths[:162_770] if split == "train" else paths[182_637:])[:n]
    if not paths:
        raise _missing("celeba", [folder], split)
    return Pictures(_read(paths, size, crop=(19, 50, 159, 190)), torch.zeros(len(paths), dtype=torch.long), ("face",))


def _folder(folder: Path, size: int, n: int | None, without: str | Path | None) -> Pictures:
    """Every picture below a folder, in order of their names; its class is the sub-folder that it lies in."""
    found = sorted(_below(folder, without))
    paths = [path for path in found if path.suffix.lower() in KINDS and not path.is_dir()]
    left = Counter(f"{ascii(path.suffix)[1:-1] or 'without a suffix'}{'/' * path.is_dir()}"
                   for path in sorted(set(found) - set(paths)))
    if left or not paths:
        kinds = ", ".join(f"{k} {kind}" for kind, k in sorted(left.most_common(KINDS_TOLD))) or say("nothing")
        if len(left) > KINDS_TOLD:
            kinds += say(" and {n} of other kinds", n=left.total() - sum(k for _, k in left.most_common(KINDS_TOLD)))
        print(say("{folder}: {n} pictures; {kinds} left out", folder=shown(folder), n=len(paths), kinds=kinds))
    if not paths:
        raise FileNotFoundError(f"there are no pictures in {folder} or below it; it takes {', '.join(sorted(KINDS))}")
    paths = paths[:n]
    tops = [path.relative_to(folder).parts[0] if path.parent != folder else folder.resolve().name for path in paths]
    classes = tuple(sorted(set(tops)))
    return Pictures(_read(paths, size), torch.tensor([classes.index(top) for top in tops]), classes)


def _below(folder: Path, without: str | Path | None) -> Iterator[Path]:
    """The files below a folder, and the folders that are named like pictures; nothing hidden, nothing of a run.

    Links are followed, each folder is entered once, and by its own name where it lies below.
    """
    queue, seen = deque([folder]), {None if without is None else expanded(without).resolve()}
    while queue:
        place = queue.popleft()
        if place.resolve() in seen or place != folder and (place / "resume.pt").exists():
            continue
        seen.add(place.resolve())
        for path in sorted(place.iterdir()):
            if path.name.startswith(".") or path.name == "__MACOSX":
                continue
            if path.is_dir() and path.suffix.lower() not in KINDS:
                (queue.append if path.is_symlink() else queue.appendleft)(path)
            else:
                yield path


def _read(paths: list[Path], size: int, crop: tuple[int, int, int, int] | None = None) -> Tensor:
    """Picture files, each cut to its middle square (or to `crop`) and brought to size×size: uint8 N×3×size×size."""
    _check_room(len(paths), size)
    out = torch.empty(len(paths), 3, size, size, dtype=torch.uint8)
    for i, path in enumerate(tqdm(paths, desc=say("pictures"), unit=say("file"), disable=len(paths) < 500)):
        out[i] = square(path, size, crop=crop)
    return out


def _check_room(n: int, size: int) -> None:
    """ValueError for more pictures than may lie in memory together."""
    if (taken := n * 3 * size * size) > MAX_BYTES:
        raise ValueError(f"{n:,} pictures of {size}×{size} pixels would take {taken / 1e9:.1f} GB of memory, and at "
                         f"most {MAX_BYTES / 1e9:.0f} GB are read: give fewer (n=) or smaller ones (size=)")


def _to_size(images: Tensor, size: int, pad: bool = False) -> Tensor:
    """uint8 N×3×h×h -> N×3×size×size, resampled; pad: a black frame instead, as LeNet had 28 px digits in 32."""
    _check_room(len(images), size)
    if pad:
        edge = (size - images.shape[-1]) // 2
        return F.pad(images, (edge,) * 4).contiguous()
    if images.shape[-1] == size:
        return images.contiguous()
    parts = [F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True).round().clamp(0, 255).byte()
             for part in images.split(1000)]
    return torch.cat(parts)
