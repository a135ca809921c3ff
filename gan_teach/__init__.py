"""Learn GAN Dissection, StyleGAN and E-GAN by driving them: the implementations behind the notebooks."""

from . import checkpoints

__all__ = ["load"]


def load(name_or_path, device=None):
    """A ready network: a shipped one, one of a .safetensors file, or the authors' own ("official/…").

    See `checkpoints.load` for ours, and `official.load_official` for the authors', which are fetched on first use.
    """
    if str(name_or_path).startswith("official/"):
        from .official import load_official

        return load_official(name_or_path, device=device)
    return checkpoints.load(name_or_path, device)
