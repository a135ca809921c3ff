"""The segmenter of GAN Dissection: UPerNet on a ResNet-50, trained to name 335 kinds of objects (Unified
Perceptual Parsing, Xiao et al. 2018, arXiv 1807.10221), read from its two published files and its list of labels.

    segmenter = upernet.read(encoder="encoder_epoch_40.pth", decoder="decoder_epoch_40.pth", labels="labels.json")

Of its heads only that for objects is used, because a segmenter here gives each pixel one class. On the published
network's own device its pyramid pooling is a CUDA kernel; over the whole map it is a fixed matrix, computed here.

Format: github.com/CSAILVision/gandissect, netdissect/upsegmodel and netdissect/segmenter.py.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torchvision.models.resnet import Bottleneck

from ..checkpoints import BadCheckpoint
from ..files import read_json
from ..networks.layers import in_kind_of
from .fill import fill
from .torch_files import read_tensors

FILES = ("encoder_epoch_40.pth", "decoder_epoch_40.pth", "labels.json")
# In the order in which they are tried: no hash of the files is known, so the encrypted way comes first. The places
# are those of github.com/davidbau/dissect, CSAILVision/gandissect and CSAILVision/unifiedparsing.
URLS = ("https://dissect.csail.mit.edu/models/segmodel/upp-resnet50-upernet/",
        "http://netdissect.csail.mit.edu/data/segmodel/upp-resnet50-upernet/",
        "http://sceneparsing.csail.mit.edu/model/unified_perceptual_parsing/upp-resnet50-upernet/")
SCALES = (1, 2, 3, 6)                       # bins a side of the pyramid's poolings
MEAN_BGR = (102.9801, 115.9465, 122.7717)   # subtracted from the channels blue, green, red, of 0 to 255
SIZE = 256                                  # px that the network looks at


def addresses(file: str) -> tuple[str, ...]:
    """Where one of `FILES` can be had; of the last place only the networks are known, not the labels."""
    return tuple(url + file for url in (URLS[:2] if file.endswith(".json") else URLS))


def pooling_matrix(size: int, bins: int) -> torch.Tensor:
    """Precise RoI pooling of a whole row of pixels: bins × size (Jiang et al. 2018, arXiv 1807.11590).

    The row is a continuous function, f(x) = Σ_i f_i · max(0, 1 − |x − i|), and a bin is its mean over one of
    `bins` equal parts of [0, size]. As pixel i stands at x = i, the function falls to 0 in the last part.
    """
    def integral(x: torch.Tensor) -> torch.Tensor:             # of max(0, 1 − |t|) from −1 to x
        x = x.clamp(-1, 1)
        return torch.where(x < 0, (1 + x).square() / 2, 1 - (1 - x).square() / 2)

    edges = torch.linspace(0, size, bins + 1, dtype=torch.float64)[:, None]
    pixels = torch.arange(size, dtype=torch.float64)
    return ((integral(edges[1:] - pixels) - integral(edges[:-1] - pixels)) * bins / size).float()


def _conv(c_in: int, c_out: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(c_out),
                         nn.ReLU())


def _resized(x: torch.Tensor, size) -> torch.Tensor:
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """ResNet-50 whose first convolution is three of 3×3; returns the maps at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, stem: tuple[int, ...], planes: tuple[int, ...], blocks: tuple[int, ...]):
        super().__init__()
        for i, (c_in, c) in enumerate(zip((3, *stem), stem), 1):
            self.add_module(f"conv{i}", nn.Conv2d(c_in, c, 3, 2 if i == 1 else 1, 1, bias=False))
            self.add_module(f"bn{i}", nn.BatchNorm2d(c))
        c_in = stem[-1]
        for i, (c, n) in enumerate(zip(planes, blocks), 1):
            stride = 1 if i == 1 else 2
            shortcut = nn.Sequential(nn.Conv2d(c_in, 4 * c, 1, stride, bias=False), nn.BatchNorm2d(4 * c))
            first = Bottleneck(c_in, c, stride, shortcut)
            self.add_module(f"layer{i}", nn.Sequential(first, *(Bottleneck(4 * c, c) for _ in range(n - 1))))
            c_in = 4 * c

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = F.relu(bn(conv(x)))
        maps = [F.max_pool2d(x, 3, 2, 1)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps.append(layer(maps[-1]))
        return maps[1:]


class Decoder(nn.Module):
    """Pyramid pooling on the smallest map, a feature pyramid down to the largest, all of it fused: object scores."""

    def __init__(self, inputs: tuple[int, ...], pooled: int, width: int, objects: int):
        super().__init__()
        self.ppm_conv = nn.ModuleList(_conv(inputs[-1], pooled, 1) for _ in SCALES)
        self.ppm_last_conv = _conv(inputs[-1] + len(SCALES) * pooled, width)
        self.fpn_in = nn.ModuleList(_conv(c, width, 1) for c in inputs[:-1])
        self.fpn_out = nn.ModuleList(nn.Sequential(_conv(width, width)) for _ in inputs[:-1])
        self.conv_fusion = _conv(len(inputs) * width, width)
        self.object_head = nn.Sequential(_conv(width, width), nn.Conv2d(width, objects, 1))

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        top = maps[-1]
        pyramid = [top]
        for scale, conv in zip(SCALES, self.ppm_conv):
            rows, columns = (pooling_matrix(n, scale).to(top) for n in top.shape[2:])
            pyramid.append(_resized(conv(rows @ top @ columns.T), top.shape[2:]))
        f = self.ppm_last_conv(torch.cat(pyramid, 1))
        levels = [f]
        for x, into, out in zip(maps[-2::-1], self.fpn_in[::-1], self.fpn_out[::-1]):
            x = into(x)
            f = x + _resized(f, x.shape[2:])
            levels.insert(0, out(f))
        size = levels[0].shape[2:]
        return self.object_head(self.conv_fusion(torch.cat([_resized(level, size) for level in levels], 1)))


@dataclass(frozen=True)
class UPerNetConfig:
    stem: tuple[int, ...]         # units of the three first convolutions
    planes: tuple[int, ...]       # of the four stages, in the middle of a block; its output has four times as many
    blocks: tuple[int, ...]       # how many a stage has
    pooled: int                   # units of each pooled map
    width: int                    # units of the pyramid
    classes: tuple[str, ...]


class Segmenter(nn.Module):
    """images N×3×H×W in [-1, 1] → scores N×C×(H/2)×(W/2) of the C `classes`; class 0, "-", is none of them."""

    def __init__(self, config: UPerNetConfig):
        super().__init__()
        self.config, self.classes = config, list(config.classes)
        self.encoder = Encoder(config.stem, config.planes, config.blocks)
        self.decoder = Decoder(tuple(4 * c for c in config.planes), config.pooled, config.width, len(config.classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = in_kind_of(self, images)
        x = (images.flip(1) + 1) * 127.5 - images.new_tensor(MEAN_BGR)[:, None, None]
        scores = self.decoder(self.encoder(F.adaptive_avg_pool2d(x, SIZE)))
        return _resized(scores, (images.shape[2] // 2, images.shape[3] // 2))


def _filled(model: nn.Module, weights: dict[str, torch.Tensor], unused: list[str]) -> nn.Module:
    ours = model.state_dict()
    zero = [name for name in ours if name.endswith("num_batches_tracked") and name not in weights]
    # What the authors' batch norm over several devices notes down for itself.
    own = [name for name in weights if re.search(r"\._(tmp_running_mean|tmp_running_var|running_iter)$", name)]
    return fill(model, {name: name for name in ours if name not in zero}, weights, zero=zero, unused=unused + own)


def read(encoder: str | Path, decoder: str | Path, labels: str | Path) -> Segmenter:
    """The segmenter from its three published files (eval mode, no gradients for its weights, on the CPU).

    labels: a JSON file whose "object" is the list of names, in the order of the scores; the first is "-".
    Raises BadCheckpoint for files that do not fit, naming what is missing or left over.
    """
    path = Path(labels)
    try:
        classes = read_json(path).get("object")
    except ValueError as error:
        raise BadCheckpoint(f"{path} is no list of labels: {error}") from error
    if type(classes) is not list or not all(type(name) is str for name in classes):
        raise BadCheckpoint(f'{path} is no list of labels: it has no "object" with names')
    enc, dec = read_tensors(encoder), read_tensors(decoder)
    try:
        stem = tuple(enc[f"conv{i}.weight"].shape[0] for i in (1, 2, 3))
        planes = tuple(enc[f"layer{i}.0.conv1.weight"].shape[0] for i in (1, 2, 3, 4))
        blocks = tuple(max(int(name.split(".")[1]) for name in enc if re.match(rf"layer{i}\.\d{{1,2}}\.", name)) + 1
                       for i in (1, 2, 3, 4))
        pooled, width, objects = (dec[f"{name}.weight"].shape[0] for name in
                                  ("ppm_conv.0.0", "conv_fusion.0", "object_head.1"))
    except (KeyError, IndexError, AttributeError) as error:
        raise BadCheckpoint(f"{encoder} and {decoder} are not the segmenter's encoder and decoder: {error}") from error
    if len(classes) != objects:
        raise BadCheckpoint(f"{path} names {len(classes)} objects, and {decoder} scores {objects}")
    others = [name for name in dec if name.startswith(("scene_head.", "part_head.", "material_head."))]
    try:
        with torch.device("meta"):                        # sizes only: nothing is allocated before the shapes agree
            segmenter = Segmenter(UPerNetConfig(stem, planes, blocks, pooled, width, tuple(classes)))
        _filled(segmenter.encoder, enc, [name for name in enc if name.startswith("fc.")])
        _filled(segmenter.decoder, dec, others)
    except (ValueError, ArithmeticError, RuntimeError) as error:      # the last two: no network has layers of 0 units
        raise BadCheckpoint(f"{encoder} and {decoder} do not fit: {error}") from error
    return segmenter.eval()
