"""Where files lie, and how they are written: whole, or not at all."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
MAX_JSON = 1 << 26           # bytes of a record; the largest of ours has 0.2 MB
DAY = 24 * 3600


def data_folder() -> Path:
    """Where the shipped files lie: data/ beside the package in a copy of the repository, inside it when installed."""
    return _shipped("data")


def notebooks_folder() -> Path:
    """Where the shipped notebooks lie: notebooks/ beside the package, or inside it when installed."""
    return _shipped("notebooks")


def _shipped(name: str) -> Path:
    inside = Path(__file__).parent / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def cache_folder() -> Path:
    """Where downloads and their converted copies lie: $GAN_TEACH_CACHE, else gan_teach in the platform's place."""
    if given := os.environ.get("GAN_TEACH_CACHE"):
        return expanded(given)
    try:
        home = Path.home()
    except RuntimeError:                                     # a user without one, as containers have them
        home = Path(tempfile.gettempdir())
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "gan_teach"


def sha256(path: Path) -> str:
    """The file's SHA-256, read in pieces."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def expanded(path: str | Path) -> Path:
    """The path with ~ for the reader's own folder, as in a shell. ValueError for what no file can be called."""
    try:
        found = Path(os.path.expanduser(path))
        found.lstat()
    except OSError as error:                                 # mostly: it is not there
        if error.errno == errno.ENAMETOOLONG:
            raise ValueError(f"no file can have a name as long as {str(path):.60}…") from None
    except (TypeError, ValueError):
        raise ValueError(f"the path of a file is text without NUL, or a Path; got {path!r:.60}") from None
    return found


def shown(path: str | Path) -> str:
    """The path for a reader's eyes: a name that is no text, as old archives have them, would stop `print`."""
    return os.fsencode(path).decode("utf-8", "replace")


def check_link(path: Path) -> None:
    """FileNotFoundError for a link to nothing, or to itself."""
    if path.is_symlink() and not path.exists():
        raise FileNotFoundError(f"{path} is a broken link: it points to {os.readlink(path)}, which is not there; mend "
                                "it or delete it")


def regular(path: str | Path) -> Path:
    """The path of a file to read, ~ expanded. ValueError for a folder, a pipe or a device: opening a pipe may wait
    without end; FileNotFoundError for a link to nothing."""
    path = expanded(path)
    check_link(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is a folder, a pipe or a device, not a file: give a file")
    return path


class DiskFull(OSError):
    """What `writing`, and what fetches files, raise where there is no room."""


def to_write(path: str | Path) -> Path:
    """The path of a file to be written, ~ expanded, a link followed, its folder made. OSError where it cannot be:
    before a long work, not after it."""
    path = expanded(path)
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.is_dir():
        raise IsADirectoryError(f"it is a folder: give a file in it, not {path}")
    if path.exists() and not path.is_file():                 # root would put a file in the place of /dev/null
        raise OSError(f"it is a pipe or a device: give a file, not {path}")
    for folder in path.parents:
        check_link(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(f"its folder is a file, so there cannot be {path}") from error
    except OSError as error:
        raise PermissionError(f"no folder can be made for {path} ({error.strerror}): give one of your own") from error
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"nothing can be written in its folder: {path}")
    return path


def disk_full(error: BaseException) -> bool:
    """Whether it says that there is no room, or came of one that does: Python's, or what others make of it."""
    causes = (error, error.__context__, error.__cause__)
    return any(getattr(cause, "errno", None) in FULL for cause in causes)


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """`with writing(path) as temporary:` what is written there becomes `path` at the end: a kill, an error or a full
    disk leaves the old file, or the new one, whole.

    `DiskFull`, an OSError, says "disk" where it is full. What a killed process left behind goes after a day.
    """
    path = to_write(path)
    name = path.name[-40:]                                   # a long one leaves no room for more
    for left in path.parent.glob(f".{glob.escape(name)}.*.tmp"):
        with contextlib.suppress(OSError):                   # another process may sweep too
            if time.time() - left.lstat().st_mtime > DAY:
                left.unlink()
    temporary = path.with_name(f".{name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except DiskFull:                                         # of another file, inside
        raise
    except Exception as error:                               # of torch, too
        if disk_full(error):
            raise DiskFull(f"the disk is full, {path} was not written: make room and go on") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text whole, or not at all."""
    with writing(path) as temporary:
        temporary.write_text(text, "utf-8")


def as_json(path: str | Path, value, **options) -> str:
    """What the file shall hold. ValueError for what JSON has no word for, such as a tensor."""
    try:
        return json.dumps(value, **options)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be kept as JSON ({error!s:.120}): give numbers, text, lists and "
                         "dicts") from None


def write_json(path: str | Path, value, indent: int | None = 1) -> None:
    """Write a record whole, or not at all; ValueError as `as_json`."""
    write_text(path, as_json(path, value, indent=indent, ensure_ascii=False) + "\n")


def read_json(path: str | Path, kind: type = dict):
    """What a JSON file of ours holds: an object, or a list. ValueError with its name where it is damaged or foreign."""
    path = regular(path)
    try:
        if path.stat().st_size > MAX_JSON:
            raise ValueError("it is too large")
        found = json.loads(path.read_text("utf-8"))
        if type(found) is not kind:
            raise ValueError(f"it holds a {type(found).__name__}, not a {kind.__name__}")
    except (ValueError, RecursionError) as error:            # of bad JSON, too, and of bytes that are no text
        raise ValueError(f"{path} is damaged: delete it ({error!s:.120})") from error
    return found
