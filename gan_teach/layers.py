"""The small parts that more than one model shares, and the choice of device.

Sources: Karras et al. 2017, "Progressive Growing of GANs" (arXiv 1710.10196), sections 3 and 4.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F


def pick_device(name: str | None = None) -> torch.device:
    """The device to compute on: `name`, else $GAN_TEACH_DEVICE, else CUDA, else MPS, else the CPU."""
    name = name or os.environ.get("GAN_TEACH_DEVICE")
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not usable.get(name.split(":")[0], False):
        here = ", ".join(kind for kind, present in usable.items() if present)
        raise ValueError(f"device {name!r} is not usable on this machine; usable here: {here}")
    return torch.device(name)


def keep_freed_memory() -> None:
    """Let glibc reuse large freed blocks instead of returning them to the kernel after every tensor.

    Activations of 32 MB and more are otherwise mapped and page-faulted anew at each step. Linux only;
    elsewhere it does nothing.
    """
    if sys.platform.startswith("linux"):
        try:
            libc = ctypes.CDLL("libc.so.6")
        except OSError:  # another C library: nothing to gain
            return
        M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD = -4, -1, -2
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(M_TOP_PAD, 256 << 20)


def sample_z(n: int, z_dim: int, seed: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """z ~ N(0, I), N×Z. Drawn on the CPU, so that a seed names the same z on every device."""
    return torch.randn(n, z_dim, generator=torch.Generator().manual_seed(seed)).to(device)


def pixel_norm(x: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """b_{x,y} = a_{x,y} / sqrt(1/C · Σ_c (a^c_{x,y})² + ε): unit mean square over the channels (dim 1)."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + eps)


def minibatch_stddev(x: torch.Tensor, group: int = 4, eps: float = 1e-8) -> torch.Tensor:
    """Append one map holding the average standard deviation over the images of a group (N×C×H×W → N×(C+1)×H×W).

    A group is `group` images m, m + N/group, m + 2N/group, … as in the authors' code; a batch that
    `group` does not divide is one group.
    """
    n, c, h, w = x.shape
    g = group if n % group == 0 else n
    y = x.float().reshape(g, n // g, c, h, w)
    y = (y.var(dim=0, unbiased=False) + eps).sqrt().mean(dim=(1, 2, 3))     # (N/g,)
    y = y.repeat(g).view(n, 1, 1, 1).expand(n, 1, h, w)
    return torch.cat([x, y.to(x.dtype)], dim=1)


class EqualizedConv2d(nn.Module):
    """Convolution with an equalised learning rate: ŵ = w · gain / sqrt(fan_in), w ~ N(0, 1).

    Every weight is stored at unit variance and scaled when it is used, so that Adam's step, whose size
    does not depend on the gradient's scale, means the same for every layer.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, gain: float = math.sqrt(2), padding: int | None = None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.scale = gain / math.sqrt(c_in * kernel**2)
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class EqualizedLinear(nn.Module):
    """Fully connected layer with an equalised learning rate: ŵ = w · gain / sqrt(fan_in), w ~ N(0, 1)."""

    def __init__(self, c_in: int, c_out: int, gain: float = math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.scale = gain / math.sqrt(c_in)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)
