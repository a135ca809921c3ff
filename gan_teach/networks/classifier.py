"""The network that names what a picture shows: the eyes that judge chapters 2 and 3.

A small convolutional network with one head per attribute, trained on pictures whose attributes are known exactly
(`portraits`) or labelled (Fashion-MNIST). Its answers serve linear separability and an Inception-like score, its
features a Fréchet distance and path lengths: the parts that Inception and VGG play in the papers. Figures made
with it compare our generators with each other and with nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..limits import sizes
from .layers import double_conv, way_down
from .protocols import in_parts


@dataclass(frozen=True)
class ClassifierConfig:
    heads: tuple[tuple[str, int], ...] = (("class", 10),)   # attributes to name, and how many options each has
    widths: tuple[int, ...] = (16, 32, 64, 128)             # channels at full, 1/2, 1/4, 1/8 resolution
    num_features: int = 128                                 # size of the layer that all heads read

    def __post_init__(self):
        object.__setattr__(self, "widths", sizes("widths", self.widths))
        object.__setattr__(self, "heads", tuple((name, int(k)) for name, k in self.heads))


class Classifier(nn.Module):
    """images N×3×H×W in [-1, 1] → {attribute: logits N×k}. Any H, W of at least 2^(len(widths) − 1) pixels."""

    def __init__(self, config: ClassifierConfig = ClassifierConfig()):
        super().__init__()
        self.config, self.num_features, self.heads = config, config.num_features, dict(config.heads)
        widths = config.widths
        self.down = nn.ModuleList(double_conv(a, b) for a, b in zip((3, *widths), widths))
        self.last = nn.Linear(widths[-1] * 16, config.num_features)
        self.head = nn.Linear(config.num_features, sum(self.heads.values()))
        self.to(memory_format=torch.channels_last)

    def maps(self, images: Tensor) -> list[Tensor]:
        """The feature maps of each resolution, N×widths[i]×H/2^i×W/2^i, for perceptual distances."""
        return list(way_down(self.down, images))

    def features(self, images: Tensor) -> Tensor:
        """What all heads read: N×num_features."""
        x = F.adaptive_avg_pool2d(self.maps(images)[-1], 4)                 # (N, C, 4, 4)
        return F.relu(self.last(x.flatten(1)))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        logits = self.head(self.features(images)).float()
        return dict(zip(self.heads, logits.split(list(self.heads.values()), dim=1)))


@torch.no_grad()
def classify(classifier: Callable[[Tensor], dict[str, Tensor]], images: Tensor, batch: int = 250) -> dict[str, Tensor]:
    """The logits of every picture (bytes, or floats in [-1, 1]), N×k for each attribute, `batch` at a time."""
    parts = [classifier(part) for part in in_parts(images, batch, "the pictures to name")]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def accuracy(classifier: Classifier, images: Tensor, labels: dict[str, Tensor]) -> dict[str, float]:
    """The share of pictures whose attribute is named rightly, for each attribute."""
    logits = classify(classifier, images)
    return {name: (logits[name].argmax(1) == labels[name]).double().mean().item() for name in classifier.heads}
