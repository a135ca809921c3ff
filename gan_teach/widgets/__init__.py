"""The panels of the chapters: they draw and listen, they compute nothing."""

from .adain_panel import AdaINPanel
from .evolution import EvolutionLab
from .mixer import StyleMixer
from .mutation_panel import MutationPanel
from .noise_panel import NoisePanel
from .paint import PaintPanel

__all__ = ["AdaINPanel", "EvolutionLab", "MutationPanel", "NoisePanel", "PaintPanel", "StyleMixer"]
