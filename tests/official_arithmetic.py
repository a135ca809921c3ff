"""What networks compute, slowly: float64, loops and numpy alone, so that it can judge both PyTorch and gan_teach."""

import numpy as np


def conv(x, w, padding):
    """x N×I×H×W, w k×k×I×O; a sum over the taps."""
    k = w.shape[0]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    h, v = x.shape[2] - k + 1, x.shape[3] - k + 1
    return sum(np.einsum("nihw,io->nohw", x[:, :, a:a + h, b:b + v], w[a, b]) for a in range(k) for b in range(k))


def transposed_conv(x, w, crop):
    """Stride 2, w k×k×I×O: every pixel of x adds the kernel to the output."""
    n, _, h, v = x.shape
    k = w.shape[0]
    out = np.zeros((n, w.shape[3], 2 * h - 2 + k, 2 * v - 2 + k))
    for a in range(k):
        for b in range(k):
            out[:, :, a:a + 2 * h - 1:2, b:b + 2 * v - 1:2] += np.einsum("nihw,io->nohw", x, w[a, b])
    return out[:, :, crop:out.shape[2] - crop, crop:out.shape[3] - crop]


def fused_up(x, w):
    """The authors' upsampling convolution: a transposed one, whose kernel is 4 shifted sums of the 3×3."""
    w = np.pad(w, ((1, 1), (1, 1), (0, 0), (0, 0)))
    return transposed_conv(x, w[1:, 1:] + w[:-1, 1:] + w[1:, :-1] + w[:-1, :-1], crop=1)


def nearest(x):
    return x.repeat(2, axis=2).repeat(2, axis=3)


def lrelu(x):
    return np.where(x > 0, x, 0.2 * x)


def pixel_norm(x):
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)


def blur(x):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    h, w = x.shape[2:]
    return sum(padded[:, :, a:a + h, b:b + w] * ((1, 2, 1)[a] * (1, 2, 1)[b] / 16) for a in range(3) for b in range(3))


def halved(x):
    """Means of 2×2 pixels."""
    return x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean(axis=(3, 5))


def fade(new, old, share):
    """The authors' lerp_clip: `old` in the place of `new` by a share that is cut to 0 … 1."""
    return new + (old - new) * min(max(share, 0), 1)
