"""The network that labels pixels: a small U-Net, and an adapter for public segmenters.

GAN Dissection (arXiv 1811.10597) compares every unit with a semantic segmentation s_c(x) of the generated
picture. A *segmenter* here is any callable  images N×3×H×W in [-1, 1] -> class scores N×C×H×W  with `.classes`.
`UNet` (Ronneberger et al., arXiv 1505.04597, much reduced) is ours; `wrap` turns a public network into one.
Used in chapter 1 (notebooks/01_gan_dissection.ipynb) and chapter 4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..limits import sizes, whole
from ..worlds.scenes import CLASSES
from .layers import check_finite, countable, described, double_conv, in_kind_of, way_down
from .protocols import check_images, classes_of

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass
class SegmenterConfig:
    """The shape of a `UNet`; a checkpoint stores it beside the weights."""

    classes: tuple[str, ...] = CLASSES           # names, in the order of the score channels
    widths: tuple[int, ...] = (16, 32, 64, 96)   # channels at full, 1/2, 1/4, 1/8 resolution

    def __post_init__(self):
        self.widths = sizes("widths", self.widths)


class UNet(nn.Module):
    """Halve the picture three times to see the scene, then return to full size with the details kept aside.

    images N×3×H×W in [-1, 1] -> logits N×C×H×W. Any H, W of at least 8 pixels.
    """

    def __init__(self, config: SegmenterConfig | None = None):
        super().__init__()
        self.config = config or SegmenterConfig()
        self.classes = list(self.config.classes)
        widths = list(self.config.widths)
        self.down = nn.ModuleList(double_conv(a, b) for a, b in zip([3] + widths[:-1], widths))
        self.up = nn.ModuleList(double_conv(low + high, high) for low, high in zip(widths[:0:-1], widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], len(self.classes), 1)
        self.to(memory_format=torch.channels_last)  # twice as fast as NCHW on a CPU

    def forward(self, images: Tensor) -> Tensor:
        *kept, x = way_down(self.down, images)                          # (N, widths[i], H/2^i, W/2^i) each
        for block in self.up:
            skip = kept.pop()
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = block(torch.cat([x, skip], 1))                          # (N, widths[i], H/2^i, W/2^i)
        return self.head(x)                                             # (N, C, H, W)


# ---------------------------------------------------------------------------------------------- use

@torch.no_grad()
def segment(segmenter: Callable[[Tensor], Tensor], images: Tensor, batch: int | None = None) -> Tensor:
    """The most likely class of every pixel: images N×3×H×W in [-1, 1] -> labels N×H'×W' (long), `batch` at a time.

    None is 64; on a CPU 16, which take a third of the memory and no longer.
    """
    C, labels = len(classes_of(segmenter)), []
    images = check_images(images, "the pictures to label")
    size = (16 if images.device.type == "cpu" else 64) if batch is None else whole("batch", batch, 1)
    for part in images.split(size):
        scores = segmenter(part.clone())                                    # one's own may work in place
        if not isinstance(scores, Tensor) or scores.ndim != 4 or scores.shape[:2] != (len(part), C) or not C:
            raise ValueError(f"the segmenter returned {described(scores)}; wanted {len(part)}×{C}×H×W, a tensor of "
                             f"scores N×C×H×W for {len(part)} pictures and its {C} class names "
                             "(gan_teach.networks.segmenter.wrap takes it out of a dict or a tuple)")
        if not countable(scores):
            raise ValueError(f"the segmenter returned scores of {scores.dtype} on the device {scores.device}, of which "
                             "none is the largest: .float() makes others")
        best = scores.max(1)                                                # argmax takes up to four times as long
        check_finite("the segmenter's best scores", best.values)            # NaN in any class is here; −∞ in one is not
        labels.append(best.indices)
    return torch.cat(labels)


def wrap(network: Callable, classes: Sequence[str], prepare: Callable[[Tensor], Tensor] | None = None,
         key: str = "out") -> Callable[[Tensor], Tensor]:
    """Let any network take the segmenter's place.

    network: images -> N×C×h×w scores, or a dict holding them under `key` (torchvision's segmentation models),
    or a tuple whose first entry they are. classes: the C names. prepare: what to do to images in [-1, 1] first
    (`imagenet_input` for torchvision's). Scores are resized to the picture. Put the network in eval mode first.

    >>> net = torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=weights).eval()
    >>> segmenter = wrap(net, weights.meta["categories"], prepare=imagenet_input)
    """
    def segmenter(images: Tensor) -> Tensor:
        x = prepare(images) if prepare else images
        scores = network(in_kind_of(network, x) if isinstance(network, nn.Module) else x)
        if isinstance(scores, dict):
            if key not in scores:
                raise ValueError(f"the network returned a dict with {[*scores]}, but wrap(key={key!r}) asks for "
                                 "another entry; pass the right key=")
            scores = scores[key]
        elif isinstance(scores, (tuple, list)) and scores:
            scores = scores[0]
        if not isinstance(scores, Tensor) or scores.ndim != 4 or scores.shape[1] != len(classes) or not scores.numel():
            raise ValueError(f"the network returned {described(scores)}; wanted N×{len(classes)}×H×W for the "
                             f"{len(classes)} class names given")
        if scores.shape[-2:] != images.shape[-2:]:  # many public networks answer at 1/4 or 1/8 resolution
            scores = F.interpolate(scores, size=images.shape[-2:], mode="bilinear", align_corners=False)
        return scores

    if not callable(network):
        raise ValueError(f"wrap takes a network, a function of images; got a {type(network).__name__}")
    segmenter.classes = classes
    segmenter.classes = classes = classes_of(segmenter)
    return segmenter


def imagenet_input(images: Tensor) -> Tensor:
    """[-1, 1] -> the mean 0, deviation 1 colours that networks pre-trained on ImageNet expect."""
    mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (images * 0.5 + 0.5 - mean) / std


# ---------------------------------------------------------------------------------------------- judge

def confusion(labels: Tensor, truth: Tensor, n_classes: int) -> Tensor:
    """Count pixel pairs: entry (t, l) = pixels of true class t labelled l. Long, n_classes × n_classes."""
    if labels.shape != truth.shape:
        raise ValueError(f"the masks are {tuple(truth.shape)} and the labels {tuple(labels.shape)}: they must be of "
                         "one size")
    for found in (truth, labels):
        if found.numel() and not 0 <= found.min() <= found.max() < n_classes:
            raise ValueError(f"a mask names classes {found.min()} to {found.max()}, and there are {n_classes}")
    pairs = truth.flatten().long() * n_classes + labels.flatten().long()
    return torch.bincount(pairs, minlength=n_classes ** 2).view(n_classes, n_classes)


def class_iou(counts: Tensor) -> Tensor:
    """IoU_c = |label c ∧ truth c| / |label c ∨ truth c| from a confusion matrix; NaN for a class never seen."""
    both = counts.diagonal().double()
    return both / (counts.sum(0) + counts.sum(1) - both)  # 0/0 -> NaN


def mean_iou(counts: Tensor) -> float:
    """Mean of `class_iou` over the classes that occur."""
    return class_iou(counts).nanmean().item()
