"""The panels of the chapters: they draw and listen, they compute nothing."""

from .dissection.paint import PaintPanel
from .egan.evolution import EvolutionLab
from .egan.mutations import MutationPanel
from .stylegan.adain import AdaINPanel
from .stylegan.mixer import StyleMixer
from .stylegan.noise import NoisePanel

__all__ = ["AdaINPanel", "EvolutionLab", "MutationPanel", "NoisePanel", "PaintPanel", "StyleMixer"]
