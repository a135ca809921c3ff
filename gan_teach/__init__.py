"""Learn GAN Dissection, StyleGAN and E-GAN by driving them: the implementations behind the notebooks."""

from .checkpoints import load

__all__ = ["load"]
