"""What the pages use that is not ours, from the npm registry: pinned to a version and a hash, kept in the cache."""

import shutil
import subprocess
import tarfile
from pathlib import Path

from ..files import cache_folder, sha256

# name: (version, SHA-256 of the packed file)
PACKAGES = {
    "onnxruntime-web": ("1.30.0", "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"),
    "katex": ("0.19.1", "24da5a599eb2fcede2e270b99a6ff48bca816beecc95feeb84e8cccbd1bb34fd"),
    "minisearch": ("7.2.0", "cb3b8126a3ea65d6b387787294f0792b0ea4a40b70f8f37688066a5638e0218a"),
    # for the tests only
    "axe-core": ("4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"),
    "typescript": ("5.9.3", "10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3"),
}


def fetch(name: str) -> Path:
    """The packed file of a package: from the cache, or by `npm pack` the first time.

    RuntimeError without npm, or when it fails; ValueError for a file that is not the one we know.
    """
    version, known = PACKAGES[name]
    packed = cache_folder() / "npm" / f"{name}-{version}.tgz"
    if not packed.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("the site is built with npm, which is not installed: install Node.js 18 or newer "
                               "(whoever reads the site needs neither)")
        packed.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([npm, "pack", f"{name}@{version}", "--silent", "--pack-destination", packed.parent],
                              capture_output=True, text=True, cwd=packed.parent)
        if done.returncode:
            raise RuntimeError(f"npm could not fetch {name} {version}: {done.stderr.strip()[-500:]}")
    if sha256(packed) != known:
        raise ValueError(f"{packed} is not {name} {version} as we know it (its SHA-256 differs); delete it and try "
                         "again")
    return packed


def copy(name: str, files: dict[str, Path]) -> None:
    """Copy files out of a package: {path inside it: where to}. KeyError for a path that it does not have."""
    with tarfile.open(fetch(name)) as archive:
        for inside, to in files.items():
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(archive.extractfile(f"package/{inside}").read())


def names(name: str, prefix: str, suffix: str) -> list[str]:
    """The paths inside a package that begin and end like this."""
    with tarfile.open(fetch(name)) as archive:
        inside = [path.removeprefix("package/") for path in archive.getnames()]
    return [path for path in inside if path.startswith(prefix) and path.endswith(suffix)]
