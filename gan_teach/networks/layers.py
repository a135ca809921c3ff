"""The small parts that more than one model shares: what goes into them, and their layers.

Sources: Karras et al. 2017, "Progressive Growing of GANs" (arXiv 1710.10196), sections 3 and 4; the blur is
from Karras et al. 2018 (StyleGAN, arXiv 1812.04948).
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from ..limits import MAX_SEED, unmasked, whole
from .winograd import WinogradConv

WIDE = 256      # units on both sides of a convolution, from which on Winograd's way pays on a CPU


def seeded(seed: int) -> torch.Generator:
    """Random numbers of a seed from 0 to 2³² − 1: of a larger one torch would see the low 32 bits alone."""
    if torch.get_default_device().type != "cpu":
        raise ValueError("random numbers are drawn on the CPU, so that a seed means the same everywhere: give a device "
                         f"by name instead of torch.set_default_device('{torch.get_default_device()}')")
    return torch.Generator().manual_seed(whole("seed", seed, 0, MAX_SEED))


def sample_z(n: int, z_dim: int, seed: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """z ~ N(0, I), N×Z. Drawn on the CPU, so that a seed names the same z on every device.

    seed: from 0 to 2³² − 1, as far as torch tells seeds apart. ValueError for another, for n or Z below 1, and for
    more than 2³¹ numbers.
    """
    z_dim = whole("the size of a latent", z_dim, 1, 2**31)
    n = whole("the number of latents", n, 1, 2**31 // z_dim)
    draw = torch.Generator().manual_seed(whole("seed", seed, 0, MAX_SEED))
    return torch.randn(n, z_dim, generator=draw, device="cpu", dtype=torch.float32).to(device)


def described(x: object) -> str:
    """What an error calls it: a tensor by its kind and shape, anything else by its type."""
    if not isinstance(x, torch.Tensor):
        return f"a {type(x).__name__}"
    kind = f"a {x.dtype} tensor {tuple(x.shape)}"
    return f"{kind} on the device meta" if x.is_meta else kind


def countable(x: torch.Tensor) -> bool:
    """Whether its numbers can be computed with: not if they are complex, floats of 8 bits, or not there (meta)."""
    return not (x.is_meta or x.is_complex() or x.is_floating_point() and x.dtype.itemsize == 1)


def numbers(name: str, value) -> torch.Tensor:
    """A tensor of what a reader gave, such as a number, a list or a NumPy array. ValueError for what is no such."""
    unmasked(name, value)
    try:
        found = value if isinstance(value, torch.Tensor) else torch.from_numpy(np.array(value))
        if found.is_complex():
            raise TypeError
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{name} must be numbers; got {value!r:.60}") from None
    return found


def check_finite(what: str, x: torch.Tensor) -> torch.Tensor:
    """x itself; ValueError says what holds NaN or infinity, and where, if it does."""
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{what} must be a tensor; got {described(x)}")
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or x.is_meta or hasattr(x, "fake_mode"):
        return x                                             # for an export, or a count: there are no numbers to see
    if x.layout != torch.strided or not countable(x):
        raise ValueError(f"{what} are {x.dtype}, {x.layout}, of which nothing is computed: .to_dense().float() makes "
                         "other numbers of them")
    if not torch.isfinite(x.detach().sum()):                 # one pass; a sum may be infinite where no number is
        wrong = (~torch.isfinite(x)).nonzero()
        if len(wrong):
            raise ValueError(f"{what}: NaN or infinity at {len(wrong)} places of {tuple(x.shape)}, first at "
                             f"{tuple(wrong[0].tolist())}; look at the weights, latents or pictures that made them")
    return x


def check_latents(z: torch.Tensor, size: int, training: bool) -> torch.Tensor:
    """z itself, if it is a floating tensor N×`size`, and finite (as `check_drawn`); else ValueError says what it is."""
    if not isinstance(z, torch.Tensor) or not z.is_floating_point() or z.ndim != 2 or z.shape[1] != size:
        raise ValueError(f"z must be a floating tensor N×{size}, as sample_z(n, {size}, seed) draws it; got "
                         f"{described(z)}")
    return check_drawn("the latents z", z, training)


def check_drawn(what: str, x: torch.Tensor, training: bool) -> torch.Tensor:
    """x itself; ValueError for NaN or infinity in it. Not in training, where the loop looks (`check_descent`)."""
    return x if training else check_finite(what, x)


def check_maps(r: torch.Tensor, shape: torch.Size, training: bool) -> torch.Tensor:
    """r itself, if it is a floating tensor N×`shape`, and finite (as `check_drawn`); else ValueError says what it is.
    Not while it is traced for an export."""
    if torch.jit.is_tracing() or torch.compiler.is_compiling():
        return r
    if not isinstance(r, torch.Tensor) or not r.is_floating_point() or r.shape[1:] != shape:
        raise ValueError(f"r must be a floating tensor N×{'×'.join(map(str, shape))}, as this layer gives it; got "
                         f"{described(r)}")
    return check_drawn("r", r, training)


def in_kind_of(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """x in the kind of number of the model's weights: 16 bits after `.half()`."""
    kind = next((p.dtype for p in model.parameters() if p.is_floating_point()), x.dtype)
    return x if x.dtype == kind else x.to(kind)


def check_gradients() -> None:
    """ValueError where PyTorch was told to record no gradients whatever comes."""
    if torch.is_inference_mode_enabled():
        raise ValueError("this needs gradients: leave torch.inference_mode()")


def pixel_norm(x: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """b_{x,y} = a_{x,y} / sqrt(1/C · Σ_c (a^c_{x,y})² + ε): unit mean square over the channels (dim 1)."""
    if x.dtype == torch.float16:                             # it ends at 65,504, and the sum does not
        return pixel_norm(x.float(), eps).half()
    # a sum divided, not a mean: its gradient keeps the layout of x (channels last), and training is 1.3 times as fast
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) / x.shape[1] + eps)


def minibatch_stddev(x: torch.Tensor, group: int = 4, eps: float = 1e-8) -> torch.Tensor:
    """Append one map holding the average standard deviation over the images of a group (N×C×H×W → N×(C+1)×H×W).

    A group is `group` images m, m + N/group, m + 2N/group, … as in the authors' code; a batch that
    `group` does not divide is one group.
    """
    n, c, h, w = x.shape
    g = group if n % group == 0 else n
    y = (x if x.dtype == torch.float64 else x.float()).reshape(g, n // g, c, h, w)
    y = (y.var(dim=0, unbiased=False) + eps).sqrt().mean(dim=(1, 2, 3))     # (N/g,)
    y = y.repeat(g).view(n, 1, 1, 1).expand(n, 1, h, w)
    return torch.cat([x, y.to(x.dtype)], dim=1)


class _Blur(torch.autograd.Function):
    """The filter is symmetric, so its gradient is the filter itself, once more and as often as one likes.

    Autograd alone would take the second derivative, which R1 needs, channel by channel.
    """

    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:
        end, c = x.new_full((1,), 0.25), x.shape[1]                         # made there: a GPU waits for a copy
        row = torch.cat((end, end + end, end))
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x, (row[:, None] * row).expand(c, 1, 3, 3), padding=1, groups=c)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        return _Blur.apply(gradient)


def blur(x: torch.Tensor) -> torch.Tensor:
    """Each channel of x (N×C×H×W) filtered with [1, 2, 1]ᵀ·[1, 2, 1] / 16, zeros around it.

    After nearest ×2 it makes the upsampling bilinear; before a mean of 2×2 pixels it softens the downsampling.
    """
    return _Blur.apply(x)


class EqualizedConv2d(nn.Module):
    """Convolution with an equalised learning rate: ŵ = w · gain / sqrt(fan_in), w ~ N(0, 1).

    Every weight is stored at unit variance and scaled when it is used, so that Adam's step, whose size does not depend
    on the gradient's scale, means the same for every layer. Wide ones draw by Winograd's way on a CPU (`winograd.py`).
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, gain: float = math.sqrt(2), padding: int | None = None,
                 bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(c_out)) if bias else None
        self.scale = gain / math.sqrt(c_in * kernel**2)
        self.padding = kernel // 2 if padding is None else padding

    up = False
    _kept: tuple = (None,)          # the weight, what tells that it stands, and what was made of it

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self._sooner(x):
            return self._convolved(x)
        y = self._made("winograd", lambda weight: WinogradConv(weight * self.scale, self.up))(x)
        return y if self.bias is None else y + self.bias[:, None, None]

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self._made("scaled", lambda weight: weight * self.scale), self.bias, padding=self.padding)

    def __getstate__(self) -> dict:
        """Without what was made of the weight: a copy has a weight of its own."""
        return {name: value for name, value in vars(self).items() if name != "_kept"}

    def _sooner(self, x: torch.Tensor) -> bool:
        """Whether Winograd's way pays: for drawing with a wide 3×3 layer on a CPU. Training goes by the convolution."""
        w = self.weight
        return (min(w.shape[:2]) >= WIDE and w.shape[2:] == (3, 3) and self.padding == 1 and not self.training
                and x.device.type == "cpu" and x.dtype == w.dtype == torch.float32 and self._stands()
                and not (torch.is_grad_enabled() and x.requires_grad) and not torch.is_autocast_enabled("cpu")
                and (self.up or x.shape[2] >= 16 and not (x.shape[2] % 4 or x.shape[3] % 4)))

    def _stands(self) -> bool:
        """Whether what is made of the weight may be kept: not where it shall pass gradients on, nor for tensors that do
        not say when they change."""
        weight = self.weight
        return not ((torch.is_grad_enabled() and weight.requires_grad) or type(weight) is not nn.Parameter
                    or weight.is_inference())

    def _made(self, name: str, make: Callable[[torch.Tensor], object]):
        """What `make` makes of the weight, kept as long as that stands: it takes longer than a small picture."""
        weight = self.weight
        if not self._stands():
            return make(weight)
        stands = name, weight._version, weight.data_ptr()
        kept = self._kept                                       # read once: another thread may replace it
        if kept[0] is not weight or kept[1] != stands:
            with torch.inference_mode(False), torch.no_grad():              # for later, outside of inference mode too
                kept = self._kept = (weight, stands, make(weight))
        return kept[2]


def _spread(weight: torch.Tensor) -> torch.Tensor:
    """The sum of four copies of a kernel, shifted by one row, one column and both: k×k → (k+1)×(k+1)."""
    w = F.pad(weight, (1, 1, 1, 1))
    w = w[..., 1:, :] + w[..., :-1, :]
    return w[..., 1:] + w[..., :-1]


class UpConv2d(EqualizedConv2d):
    """Nearest ×2, then a 3×3 convolution, in one step: N×C×H×W → N×C'×2H×2W.

    An output pixel sees at most 2×2 different input pixels, so four of the nine products are sums of others:
    a transposed convolution with the 4×4 kernel of the sums needs 16 products instead of 36, once the sums are made
    (`kernel`). Measured, the two steps take longer from 8×8 pixels on, and as long for 4×4.
    """

    up = True

    def kernel(self) -> torch.Tensor:
        """The kernel of the transposed convolution, C×C'×4×4."""
        return self._made("kernel", lambda weight: _spread(weight.flip(2, 3) * self.scale).transpose(0, 1))

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv_transpose2d(x, self.kernel(), self.bias, stride=2, padding=1)


class DownConv2d(EqualizedConv2d):
    """A 3×3 convolution, then the mean of 2×2 pixels, in one step: N×C×H×W → N×C'×H/2×W/2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, _spread(self.weight * (self.scale / 4)), self.bias, stride=2, padding=1)


class EqualizedLinear(nn.Module):
    """Fully connected layer with an equalised learning rate: ŵ = w · rate · gain / sqrt(fan_in), w ~ N(0, 1/rate²).

    rate: how fast this layer learns, compared with the others. The stored weight is larger by as much as its use
    is smaller, so that the layer starts out the same and each step of Adam moves it `rate` times as far.
    """

    def __init__(self, c_in: int, c_out: int, gain: float = math.sqrt(2), rate: float = 1.0, bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in) / rate)
        self.bias = nn.Parameter(torch.zeros(c_out)) if bias else None
        self.scale, self.rate = gain / math.sqrt(c_in) * rate, rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bias = self.bias if self.bias is None or self.rate == 1.0 else self.bias * self.rate
        return F.linear(x, self.weight * self.scale, bias)


def double_conv(c_in: int, c_out: int) -> nn.Sequential:
    """Two 3×3 convolutions, each followed by batch norm and ReLU; the resolution stays."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True),
        nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


def way_down(blocks: nn.ModuleList, images: torch.Tensor) -> Iterator[torch.Tensor]:
    """What each block makes of the one before, at half its size: N×3×H×W → N×C_i×H/2^i×W/2^i, i = 0, 1, …"""
    x = in_kind_of(blocks, images).contiguous(memory_format=torch.channels_last)
    for i, block in enumerate(blocks):
        if i and not torch.jit.is_tracing() and min(x.shape[2:]) < 2:
            raise ValueError(f"pictures of {images.shape[2]}×{images.shape[3]} are too small for this network, which "
                             "halves them again and again")
        x = block(F.max_pool2d(x, 2) if i else x)
        yield x
