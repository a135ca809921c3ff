"""What the authors published: where it can be had, whether it is on this computer, and how it gets there."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..checkpoints import BadCheckpoint
from ..files import cache_folder, expanded, regular, sha256, write_text
from ..language import say
from ..networks.protocols import check_name
from . import upernet
from .download import download


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
                     file.split("-")[-1].removesuffix(".pth"), "≈ 73 MB" if "celeb" not in file else "")


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
# To read the file and draw one picture, with Python and PyTorch; rounded up from tests/benchmarks/bench_official.py.
MEMORY = {"official/progan": "1 GB", "official/stylegan": "2 GB", SEGMENTER: "1.5 GB"}
SEGMENTER_FILES = tuple(Published(f"upernet/{file}", upernet.addresses(file)) for file in upernet.FILES)


def names() -> list[str]:
    """The names that `load_official` knows."""
    return [*KNOWN, SEGMENTER]


def entry(name_or_path: str | Path) -> Published | None:
    """The entry of a published name, None for a path. Raises ValueError for a name that is none."""
    given = str(name_or_path)
    known = KNOWN.get(given)
    if known is None and given != SEGMENTER and given.startswith("official/") and not Path(given).exists():
        check_name("published weights", given, names(), "the path of a file")
    return known


def available(name_or_path: str | Path) -> Path | None:
    """Where these weights lie on this computer, or None; says so in one line, with the memory they need. Fetches
    nothing: `if available(where): G = gan_teach.load(where)` is a cell that runs with and without them.

    name_or_path: a name of `names()`, or the path of a file of the authors' (of the segmenter: of the folder with
    its three files). Raises ValueError for a name that is none.
    """
    given, known = str(name_or_path), entry(name_or_path)
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
