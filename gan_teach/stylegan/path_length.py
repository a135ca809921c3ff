"""Perceptual path length: does the picture change evenly along a path from one latent to another?

Karras et al. 2018 (arXiv 1812.04948), section 4.1, Eqs. 2 and 3, Tables 3 and 4; details as in the authors' code. Where
the paper has LPIPS on VGG16 we have a small network of our own: figures made here compare our generators with each
other, never with published ones. For many pictures on a CPU, give `prepared.prepared(G)` in place of G. Taught in
notebooks/02b_stylegan_further.ipynb.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..language import say
from ..limits import finite, whole
from ..networks.layers import check_finite
from ..networks.protocols import check_name, device_of, evaluating
from .generator import Generator, check_styles
from .mixing_and_noise import numbers

SPACES, ENDS = ("z", "w"), ("full", "end")


# -------------------------------------------------------------------------------------- perceptual distance

def unit_features(eyes, images: Tensor) -> list[Tensor]:
    """What a network sees, scaled at each place to length 1 over the channels: a list of N×C×h×w, one for each map.

    eyes: a network with `.maps(images)`, as our classifier, or else with `.features(images)`; or any function of
    images that returns N×C, N×C×h×w or a list of these. A place where every channel is 0 stays 0. ValueError for NaN or
    infinity in what it sees.
    """
    see = getattr(eyes, "maps", None) or getattr(eyes, "features", None) or eyes
    seen = see(images) if callable(see) else None
    if not isinstance(seen, (Tensor, list, tuple)):
        raise ValueError(f"eyes are a network, or a function of pictures N×3×H×W that returns N×C or N×C×h×w; got a "
                         f"{type(eyes).__name__}, which gives a {type(seen).__name__}")
    maps = [x if x.ndim == 4 else x[..., None, None] for x in ([seen] if isinstance(seen, Tensor) else seen)]
    return [x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-10)
            for x in (check_finite("what the eyes see", x) for x in maps)]


def features_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """d = Σ_l mean_p ‖ φ̂_l(a)_p − φ̂_l(b)_p ‖²  over maps l and their places p, of what `unit_features` gave: (N,)."""
    return sum((x - y).square().sum(1).mean((1, 2)) for x, y in zip(a, b, strict=True))


def perceptual_distance(a: Tensor, b: Tensor, eyes) -> Tensor:
    """How different two pictures look to a network: two tensors N×3×H×W in [-1, 1] → (N,). eyes: `unit_features`.

    Made like LPIPS (Zhang et al. 2018), the squared distance of unit-length features, but it is not LPIPS: the
    network is our own and nothing was fitted to what people find similar. The same picture has distance 0. ValueError
    for NaN or infinity.
    """
    check_finite("the first pictures", a)
    check_finite("the second pictures", b)
    if a.shape != b.shape:
        raise ValueError(f"pictures are compared one by one, of one size; got {tuple(a.shape)} and {tuple(b.shape)}")
    return features_distance(unit_features(eyes, a), unit_features(eyes, b))


# -------------------------------------------------------------------------------------- perceptual path length

def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation, at constant speed along the great circle from a to b, both scaled to length 1.

        slerp(a, b, t) = [ sin((1 − t) Ω) · a + sin(t Ω) · b ] / sin Ω,    Ω = ∠(a, b)

    a, b: N×Z; t: a number or N×1. Returns N×Z of length 1. Where a and b are parallel it stays at a. ValueError for
    zeros, NaN and infinity.
    """
    check_finite("the first latents", a)
    check_finite("the second latents", b)
    t = check_finite("t", t) if isinstance(t, Tensor) else finite("t", t)
    lengths = [v.norm(dim=1, keepdim=True) for v in (a, b)]
    if not all((length > 0).all() for length in lengths):
        raise ValueError("a latent of zeros has no direction")
    a, b = (v / length for v, length in zip((a, b), lengths))
    across = b - (a * b).sum(1, keepdim=True) * a                           # b's part at right angles to a
    omega = torch.atan2(across.norm(dim=1, keepdim=True), (a * b).sum(1, keepdim=True))      # (N, 1)
    across = across / across.norm(dim=1, keepdim=True).clamp(min=1e-12)
    # the same point, without dividing by sin Ω: a turned by t Ω towards b
    return (t * omega).cos() * a + (t * omega).sin() * across


@dataclass(frozen=True)
class PathLength:
    """What `path_length` found. each: d / ε² of every pair, in the order drawn."""

    each: Tensor

    @property
    def kept(self) -> Tensor:
        """Without the lowest and the highest 1 %, sorted: a few giant steps would decide the mean alone."""
        cut = len(self.each) // 100
        return self.each.sort().values[cut:len(self.each) - cut]

    @property
    def mean(self) -> float:
        return self.kept.mean().item()

    @property
    def error(self) -> float:
        """The standard error of this trimmed mean (Tukey and McLaughlin 1963): what was cut counts as the last kept.

            s / ((1 − 2c/n) √n),   s: the deviation of all n, the c at either end moved to the next that is kept
        """
        kept = self.kept
        return self.each.clamp(kept[0], kept[-1]).std().item() * math.sqrt(len(self.each)) / len(kept)

    def __str__(self) -> str:
        return f"{self.mean:.3g} ± {self.error:.2g}"


def check_precision(G: Generator, eyes: object) -> None:
    """ValueError for a generator, or eyes, that round more coarsely than the steps of a path are long."""
    for network in (G, eyes):
        if isinstance(network, nn.Module) and any(t.dtype in (torch.bfloat16, torch.float16)
                                                  for t in (*network.parameters(), *network.buffers())):
            raise ValueError(f"this {type(network).__name__} computes in 16 bits, which swallow a step of 1e-4; "
                             "measure path lengths in torch.float32 (.float(), or prepared(G) with that dtype)")


def step_length(g: Callable[[Tensor], Tensor], d: Callable[[Tensor, Tensor], Tensor], w1: Tensor, w2: Tensor, t: Tensor,
                epsilon: float, between: Callable[[Tensor, Tensor, Tensor], Tensor] = torch.lerp) -> Tensor:
    """The brackets of Eq. 3 (of Eq. 2 with `slerp` as `between`): how fast the picture changes at t, N values.

        1/ε² · d( g(lerp(w₁, w₂; t)), g(lerp(w₁, w₂; t + ε)) )

    g: N×W to pictures; d: two lots of pictures to N squared distances; w1, w2: N×W; t: N×1.
    """
    # 1/ε² · d( g(lerp(w₁, w₂; t)), g(lerp(w₁, w₂; t + ε)) )                               (Eqs. 2 and 3)
    return d(g(between(w1, w2, t)), g(between(w1, w2, t + epsilon))) / epsilon**2


@torch.no_grad()
def path_length(G: Generator, eyes, space: str = "w", ends: str = "full", pairs: int = 1000, seed: int = 0,
                batch: int = 16, epsilon: float = 1e-4, progress: bool = True) -> PathLength:
    """Perceptual path length: how fast the picture changes along a path between two latents.

        l_Z = E[ 1/ε² · d( G(slerp(z₁, z₂; t)), G(slerp(z₁, z₂; t + ε)) ) ]                        (Eq. 2)
        l_W = E[ 1/ε² · d( g(lerp(f(z₁), f(z₂); t)), g(lerp(f(z₁), f(z₂); t + ε)) ) ]              (Eq. 3)

    space: "z" or "w". ends: "full" for t ~ U(0, 1), "end" for t = 0 only. d: `perceptual_distance` to `eyes`. Each
    pair has noise of its own, the same at both ends of the step; the result does not depend on `batch`. As in the
    paper there is no truncation; unlike there the whole picture counts (FFHQ's were cut to the face).
    torchmetrics' PerceptualPathLength starts at t = 0 always and gives all pairs the same noise; a test compares.
    """
    check_name("space", space, SPACES)
    check_name("choice of ends", ends, ENDS)
    check_styles(G)
    check_precision(G, getattr(eyes, "__self__", eyes))
    batch = whole("batch", batch, 1)
    pairs, epsilon = whole("pairs", pairs, 1), finite("epsilon", epsilon, 1e-9, 1)
    device, draw = device_of(G), numbers(seed)
    z1, z2 = torch.randn(2, pairs, G.z_dim, generator=draw, dtype=torch.float32)                 # (pairs, Z) each
    t = torch.rand(pairs, 1, generator=draw, dtype=torch.float32)
    t = t if ends == "full" else torch.zeros_like(t)
    noise = torch.randint(2**31, (pairs,), generator=draw)
    d, found = partial(perceptual_distance, eyes=eyes), []
    with evaluating(G, getattr(eyes, "__self__", eyes)), \
            tqdm(total=pairs, desc=say("path length, {space} {ends}", space=space, ends=say(ends)), leave=False,
                 disable=not progress) as bar:
        for part in torch.arange(pairs).split(batch):
            a, b, here = z1[part].to(device), z2[part].to(device), t[part].to(device)
            maps = G.noise(noise[part].tolist())

            def g(w: Tensor, maps=maps) -> Tensor:
                return G.synthesis(w, maps)

            if space == "z":
                length = step_length(lambda z, g=g: g(G.mapping(z)), d, a, b, here, epsilon, slerp)
            else:
                length = step_length(g, d, G.mapping(a), G.mapping(b), here, epsilon)
            found.append(length.cpu())
            bar.update(len(part))
    return PathLength(check_finite("the distances along the paths", torch.cat(found)))
