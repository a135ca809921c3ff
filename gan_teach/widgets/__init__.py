"""The panels of the chapters: they draw and listen, they compute nothing.

    controls, charts, quiz                what panels are built of; small charts as SVG; a quiz
    panel, rendering, playing             a state with Undo; its frames; panels that play beside the notebook
    front_end, paint_mask                 what is painted or chosen on a picture, with anywidget or without
    dissection/  stylegan/  egan/         a folder a paper: what a panel shows is computed in a `…render` file beside it
    demonstrations, stage                 what each chapter shows on a projector; the full-screen page, and its serving
"""

from .dissection.paint import PaintPanel
from .dissection.panel import DissectionPanel
from .egan.evolution import EvolutionLab
from .egan.interpolation import InterpolationPanel
from .egan.mutations import MutationPanel
from .egan.warm_up import WarmUpPanel
from .stylegan.adain import AdaINPanel
from .stylegan.mixer import StyleMixer
from .stylegan.noise import NoisePanel
from .stylegan.projection import ProjectionPanel

__all__ = ["AdaINPanel", "DissectionPanel", "EvolutionLab", "InterpolationPanel", "MutationPanel", "NoisePanel",
           "PaintPanel", "ProjectionPanel", "StyleMixer", "WarmUpPanel"]
