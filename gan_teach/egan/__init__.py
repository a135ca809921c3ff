"""Chapters 0 and 3: generators that evolve against a discriminator, on the plane and on pictures.

Wang et al. 2018, "Evolutionary Generative Adversarial Networks" (arXiv 1803.00657). Read in this order:

    mutations               variation: minimax, heuristic, least squares, three losses on D's logits
    fitness_and_selection   evaluation F = F_q + γ F_d, and who lives on
    settings, evolution     what is set beforehand; a generation: D learns, vary, evaluate, select
    child                   how one child is made: a copy, a gradient, one step of Adam
    shared_passes           the same generation, with what siblings have in common computed once
    plane                   evolution on the plane, on a ring of eight Gaussians or a grid of 25: measures, pictures
    warm_up                 the game of two players, by hand (chapter 0)
    first_pictures          a first GAN of pictures, on one page (chapter 0)
    laboratory, view        an evolution to experiment with, and what there is to see of it
    fates                   of two children both live on, though one was chosen
    interpolation           the way from one latent to another
    long_run                a long evolution that can be killed and goes on exactly
    figures                 films, the three losses, verdicts with their scatter
    over_seeds, rivals      comparisons: the figures of their records over the seeds, and these as tables and charts
    paper_and_code          where the paper, its authors' programs and this package differ
"""

from .evolution import Evolution, Generation
from .fitness_and_selection import Fitness, fitness, select
from .mutations import heuristic, least_squares, minimax
from .settings import Settings

__all__ = ["Evolution", "Fitness", "Generation", "Settings", "fitness", "heuristic", "least_squares", "minimax",
           "select"]
