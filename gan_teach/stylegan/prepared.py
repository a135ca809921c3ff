"""The style generator prepared for drawing: the same pictures, sooner on a CPU (tests/benchmarks/README.md: how much).

`prepared(G)` is a copy of a `stylegan.Generator` that computes what `generator.Layer` says, with everything that
does not depend on z worked out beforehand. Read `generator.py` first; nothing here adds to it.
Taught in notebooks/02_stylegan.ipynb.

    scaled weights, the upsampling 4×4 kernels, y_s + 1     once, instead of in each picture
    B·noise + bias                                          one map, kept as long as the noise stays the same
    AdaIN                                                   one call of batch norm per picture
    wide convolutions                                       a half or a quarter of the products (`networks.winograd`)
    bfloat16                                                half the memory traffic; fast where the CPU has it
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks.layers import WIDE, EqualizedConv2d, EqualizedLinear, UpConv2d, blur, pixel_norm
from ..networks.winograd import WinogradConv
from .adain_mixing_truncation import Style
from .generator import Constant, Generator, Layer


def baked(layer: EqualizedLinear | EqualizedConv2d, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A layer of torch's own that computes the same in `dtype`, with the scale multiplied into the weights."""
    weight = (layer.kernel() if isinstance(layer, UpConv2d) else layer.weight * layer.scale).to(dtype)
    with torch.device("meta"):                                              # nothing is drawn for a start
        if isinstance(layer, EqualizedLinear):
            made = nn.Linear(weight.shape[1], weight.shape[0])
        elif isinstance(layer, UpConv2d):
            made = nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, stride=2, padding=1)
        else:
            made = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=layer.padding)
    made.weight = nn.Parameter(weight if weight.ndim == 2 else weight.contiguous(memory_format=torch.channels_last))
    made.bias = None if layer.bias is None else nn.Parameter((layer.bias * getattr(layer, "rate", 1)).to(dtype))
    return made


class PreparedLayer(nn.Module):
    """`generator.Layer` for drawing."""

    def __init__(self, layer: Layer, dtype: torch.dtype, resolution: int):
        super().__init__()
        self.up, self.blur, self.dtype, self.source = layer.up, layer.blur, dtype, layer.source
        if isinstance(layer.source, EqualizedConv2d):
            weight = layer.source.weight * layer.source.scale
            wide = weight.device.type == "cpu" and min(weight.shape[:2]) >= WIDE
            # a convolution of few pixels waits for its weights, and Winograd's are four times as many; in bfloat16
            # its six taps would be off by 2 % in every layer, while after nearest ×2 it only adds and subtracts
            pays = wide and (layer.up or dtype == torch.float32 and resolution >= 16)
            self.source = WinogradConv(weight, layer.up).to(dtype) if pays else baked(layer.source, dtype)
        elif not isinstance(layer.source, Constant):
            self.source = nn.Sequential(baked(layer.source[0]), layer.source[1])
        self.pixel_norm = layer.pixel_norm
        self.A = None if layer.A is None else baked(layer.A)
        if self.A is not None:
            self.A.bias[: len(layer.bias)] += 1                             # y_s is 1 + what A computes
        for name in ("bias", "B", "noise"):
            value = getattr(layer, name)
            self.register_buffer(name, None if value is None else value.detach())
        self._kept: tuple = (None, None)                                    # noise, and the map made from it

    def style(self, w: Tensor) -> Style | None:
        return None if self.A is None else self.A(w).chunk(2, dim=1)

    def _added(self, noise: Tensor | None) -> Tensor:
        """B·noise + bias, 1|N×C×H×W. Maps are told apart by identity: do not write into one that was used."""
        if self.B is None:
            return self.bias.to(self.dtype)[:, None, None]
        kept = self._kept                                       # read once: another thread may replace it
        if kept[0] is not noise:
            added = torch.addcmul(self.bias[:, None, None], self.B[:, None, None], noise)
            kept = self._kept = noise, added.to(self.dtype).contiguous(memory_format=torch.channels_last)
        return kept[1]

    def before_style(self, x: Tensor, noise: Tensor | None) -> Tensor:
        x = self.source(x if x.ndim == 2 else x.to(self.dtype)).to(self.dtype)
        if self.blur:
            x = blur(x)
        x = F.leaky_relu_(x + self._added(noise), 0.2)
        return pixel_norm(x) if self.pixel_norm else x

    def forward(self, x: Tensor, y: Style | None, noise: Tensor | None) -> Tensor:
        x = self.before_style(x, noise)
        if y is None:
            return x
        # AdaIN(x_i, y) of Eq. 1 is batch norm over a batch of one, with γ = y_s and β = y_b
        x = x.contiguous(memory_format=torch.channels_last)
        y_s, y_b = (part.expand(len(x), -1).float() for part in y)
        drawn = [F.batch_norm(x[i:i + 1], None, None, y_s[i], y_b[i], training=True, eps=1e-8) for i in range(len(x))]
        return drawn[0] if len(drawn) == 1 else torch.cat(drawn)


@torch.no_grad()
def prepared(G: Generator, dtype: torch.dtype = torch.float32) -> Generator:
    """A copy of G for drawing, used like G: `__call__`, `at`, `synthesis` with `start` and `keep`, `styles`, …

    dtype: torch.float32 gives G's pictures up to rounding (wide layers then hold four numbers for each of theirs);
    torch.bfloat16 is faster yet where the CPU has it, with errors of one or two in a hundred of the pictures' spread
    (more for an untrained G, whose flat maps AdaIN blows up with their rounding). The copy does not follow a later
    change of G's weights, and is neither for training nor for saving. A seed in place of maps draws them anew and
    costs a new sum in each call: keep `G.noise(seed)`.
    """
    fast = copy.deepcopy(G).float().eval().requires_grad_(False)
    fast.mapping.layers = nn.ModuleList(baked(layer) for layer in fast.mapping.layers)
    fast.blocks = nn.ModuleDict({name: PreparedLayer(layer, dtype, 4 << i // 2)
                                 for i, (name, layer) in enumerate(fast.blocks.items())})
    fast.to_rgb = nn.ModuleDict({name: baked(conv, dtype) for name, conv in fast.to_rgb.items()})
    return fast.requires_grad_(False)
