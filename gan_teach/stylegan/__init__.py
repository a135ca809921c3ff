"""Chapter 2: pictures that are steered by styles.

Karras, Laine and Aila 2018, "A Style-Based Generator Architecture for Generative Adversarial Networks" (arXiv
1812.04948). Read in this order:

    adain_mixing_truncation    AdaIN (Eq. 1), style mixing, truncation in W: functions of tensors
    generator                  z → w → styles → picture: mapping, constant, layers with noise; configurations A to F
    cloud                      what shape the cloud of w has, beside that of an untrained f
    discriminator              a progressive GAN's, with blur
    prepared                   the generator made ready for drawing: the same pictures, sooner on a CPU
    path_length                perceptual path length: does the picture change evenly?             (Eqs. 2 and 3)
    separability               linear separability: does a flat cut tell an attribute apart?
    mixing_and_noise           what mixing and noise do, measured
    clear_portraits            which portraits and villages Mix opens with, by a rule
    projection                 which w draws a given picture?
    cost                       what a training of another size would cost
"""

from .adain_mixing_truncation import adain, layer_groups, mix, truncate
from .discriminator import Discriminator
from .generator import PUBLISHED, Generator, StyleGANConfig, configuration

__all__ = ["PUBLISHED", "Discriminator", "Generator", "StyleGANConfig", "adain", "configuration", "layer_groups", "mix",
           "truncate"]
