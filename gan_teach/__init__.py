"""Learn GAN Dissection, StyleGAN and E-GAN by driving them: the implementations behind the notebooks.

A folder is a room, which its own docstring opens. Beside the rooms are limits, files, memory, language, lettering,
runner, processes, pictures, metrics, capstone and checkpoints; README.md says what each is for.
"""

import importlib.util
import sys
from pathlib import Path

from .files import expanded

for _name in ("torch", "safetensors", "numpy", "PIL", "tqdm"):         # looked for, not imported: that takes seconds
    if importlib.util.find_spec(_name) is None:
        raise ModuleNotFoundError(f"{sys.executable} has no {_name}: use the virtual environment's python, as "
                                  "`.venv/bin/python -m gan_teach`, or install what it needs: `pip install -e "
                                  "\".[lab]\"` in a copy of the repository, `pip install \"gan-teach[lab]\"` elsewhere",
                                  name=_name)

__all__ = ["load"]


def __getattr__(name):
    """A module, when it is first asked for: most import PyTorch, which takes seconds."""
    try:
        return importlib.import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":               # it is there, and lacks another
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def load(name_or_path, device=None):
    """A ready network: a shipped one, one of a .safetensors file, or one of the papers' authors.

    "official/…" names are fetched on first use; a file of theirs, known by its first bytes and not by its suffix, or
    the folder of the published segmenter's files, is read without running anything in it. A shipped name comes before
    a file or folder of that name (give ./NAME for those).
    See `checkpoints.load` for ours and `official.load_official` for theirs.
    """
    from . import checkpoints

    given, path = str(name_or_path), expanded(name_or_path)
    if given in checkpoints.shipped():
        return checkpoints.load(given, device)
    from . import official  # it adds the kinds of network that the authors' files become

    if path.is_file():
        theirs = not given.endswith(checkpoints.SUFFIX) and not _is_ours(path)
    else:                                                    # NAME may be that of ours, NAME.safetensors
        theirs = given != "" and (path.is_dir() or given.endswith((".pkl", ".pth", ".pt"))) and not Path(
            f"{path}{checkpoints.SUFFIX}").is_file()
    if theirs or given.startswith("official/"):
        return official.load_official(name_or_path, device=device)
    return checkpoints.load(name_or_path, device)


def _is_ours(path: Path) -> bool:
    """Whether a file begins as .safetensors does: eight bytes, the length of its header, and the header's brace."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"
