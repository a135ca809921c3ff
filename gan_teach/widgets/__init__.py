"""The panels of the chapters: they draw and listen, they compute nothing."""

from .adain_panel import AdaINPanel
from .mixer import StyleMixer
from .noise_panel import NoisePanel
from .paint import PaintPanel

__all__ = ["AdaINPanel", "NoisePanel", "PaintPanel", "StyleMixer"]
