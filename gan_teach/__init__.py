"""Learn GAN Dissection, StyleGAN and E-GAN by driving them: the implementations behind the notebooks."""

from pathlib import Path

from . import checkpoints

__all__ = ["load"]


def load(name_or_path, device=None):
    """A ready network: a shipped one, one of a .safetensors file, or one of the papers' authors.

    "official/…" names are fetched on first use; a .pkl, .pth or .pt file, or the folder of the published segmenter's
    files, is read without running anything in it.
    See `checkpoints.load` for ours and `official.load_official` for theirs.
    """
    given = str(name_or_path)
    if given.startswith("official/") or given.endswith((".pkl", ".pth", ".pt")) or Path(given).is_dir():
        from .official import load_official

        return load_official(name_or_path, device=device)
    if given.endswith(".safetensors"):
        from . import official  # noqa: F401  (it adds the kinds of network that the authors' files become)
    return checkpoints.load(name_or_path, device)
