"""The operations of StyleGAN: AdaIN, truncation, and the mixing of styles. Each is a function of tensors alone.

Karras, Laine and Aila 2018 (arXiv 1812.04948), checked against what the authors' code computes.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..limits import finite, whole
from ..networks.layers import check_finite

Style = tuple[Tensor, Tensor]                         # y = (y_s, y_b), each N×C


def adain(x: Tensor, y: Style, eps: float = 1e-8, check: bool = True) -> Tensor:
    """Adaptive instance normalisation: every feature map gets the mean and the spread that the style asks for.

        AdaIN(x_i, y) = y_{s,i} · (x_i − μ(x_i)) / σ(x_i) + y_{b,i}                                (Eq. 1)

    x: N×C×H×W; y = (y_s, y_b), each N×C (or 1×C: one style for all). μ and σ are taken over the H×W values of
    one map of one image; σ = sqrt(variance + eps), variance without Bessel's correction. Returns N×C×H×W.
    ValueError for other shapes, and for NaN or infinity; check=False spares the search for these, as in a network.
    """
    parts = (x, *y) if isinstance(y, (tuple, list)) or isinstance(y, Tensor) and y.ndim == 3 else (x, y)
    if len(parts) != 3 or not all(isinstance(part, Tensor) for part in parts) or x.ndim != 4 or not all(
            part.ndim == 2 and len(part) in (1, len(x)) and part.shape[1] == x.shape[1] for part in y):
        found = [tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in parts]
        raise ValueError(f"AdaIN takes maps x, N×C×H×W, and a style y = (y_s, y_b), each N×C or 1×C; got {found}")
    if check:
        eps = finite("eps", eps, 0)
        for name, part in zip(("x", "y_s", "y_b"), parts):
            check_finite(name, part)
    if x.dtype == torch.float16:                                            # it ends at 65,504, and the sums do not
        return adain(x.float(), y, eps, check=False).half()
    y_s, y_b = (part[..., None, None] for part in y)                        # (N, C, 1, 1)
    pixels = x.shape[2] * x.shape[3]                                        # sums divided: see layers.pixel_norm
    x = x - x.sum((2, 3), keepdim=True) / pixels
    sigma = (x.square().sum((2, 3), keepdim=True) / pixels + eps).sqrt()
    # y_{s,i} · (x_i − μ(x_i)) / σ(x_i) + y_{b,i}                                                  (Eq. 1)
    return (y_s / sigma).to(x.dtype) * x + y_b.to(x.dtype)


def truncate(w: Tensor, psi: float, w_avg: Tensor, cutoff: int | None = None) -> Tensor:
    """The truncation trick in W:  w' = w̄ + ψ (w − w̄).

    w: N×W, or N×L×W with a w for each layer; w_avg: w̄, (W,). psi: 1 changes nothing, 0 gives the average
    picture, below 0 its opposite. cutoff: only the layers before this number are truncated (the authors' pictures
    use psi 0.7 and cutoff 8, which is 4×4 to 32×32); None is all. ValueError for a cutoff without layers, and for NaN
    or infinity in psi, w or w_avg.
    """
    psi, w, w_avg = finite("psi", psi, -1e6, 1e6), check_finite("w", w), check_finite("w_avg", w_avg)
    if w_avg.shape[-1:] != w.shape[-1:] or w_avg.ndim > 1 and w_avg.shape != w.shape or not w.is_floating_point():
        raise ValueError(f"w and w_avg are of one size, of floats; got {tuple(w.shape)} and {tuple(w_avg.shape)}")
    # w' = w̄ + ψ (w − w̄)
    truncated = torch.lerp(w_avg.to(w.dtype).expand_as(w), w, psi)
    if cutoff is None:
        return truncated
    if w.ndim != 3:
        raise ValueError(f"a cutoff needs a w for each layer, N×L×W (`G.ws(z)`); got shape {tuple(w.shape)}")
    cutoff = whole("cutoff", cutoff)
    return torch.cat([truncated[:, :cutoff], w[:, cutoff:]], dim=1)


def layer_groups(layers: int) -> dict[str, tuple[int, ...]]:
    """The paper's groups (section 3.1), of a network of so many layers: {"coarse": (0, 1, 2, 3), …}.

    Coarse styles are those of 4×4 and 8×8, middle ones of 16×16 and 32×32, fine ones all above; a group that a small
    network does not have is left out.
    """
    layers = whole("layers", layers, 1)
    ends = {"coarse": (0, 4), "middle": (4, 8), "fine": (8, layers)}
    return {name: tuple(range(low, min(high, layers))) for name, (low, high) in ends.items() if low < layers}


def mix(ws1: Tensor, ws2: Tensor, layers: Iterable[int]) -> Tensor:
    """Style mixing: `ws1`, but the given layers take their style from `ws2`.

    ws1, ws2: N×L×W (one of them may have N = 1); layers: numbers from 0 to L−1, such as a group of `layer_groups`.
    Returns a new N×L×W.
    ValueError for a layer that does not exist and for tensors without a w for each layer.
    """
    if not isinstance(layers, Iterable):
        raise ValueError(f"layers are a list of numbers, such as [{layers!r:.60}]")
    layers = sorted({whole("a layer", i) for i in layers})
    check_finite("ws1", ws1)
    check_finite("ws2", ws2)
    if ws1.ndim != 3 or ws1.shape[1:] != ws2.shape[1:] or not (len(ws1) == len(ws2) or 1 in (len(ws1), len(ws2))):
        raise ValueError(f"mix needs two tensors N×L×W (`G.ws(z)`); got {tuple(ws1.shape)} and {tuple(ws2.shape)}")
    if any(not 0 <= i < ws1.shape[1] for i in layers):
        raise ValueError(f"no layers {layers} in these latents; they have 0 to {ws1.shape[1] - 1}")
    from_2 = torch.zeros(ws1.shape[1], 1, dtype=torch.bool, device=ws1.device)
    from_2[layers] = True                                                   # (L, 1)
    return torch.where(from_2, ws2, ws1)
