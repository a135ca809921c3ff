"""Where files lie, and how they are written: whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def data_folder() -> Path:
    """Where the shipped files lie: data/ beside the package in a copy of the repository, inside it when installed."""
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "data"


def cache_folder() -> Path:
    """Where downloads and their converted copies lie: $GAN_TEACH_CACHE, else gan_teach in the platform's place."""
    if given := os.environ.get("GAN_TEACH_CACHE"):
        return Path(given).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gan_teach"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)
