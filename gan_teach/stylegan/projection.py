"""Projection: which w draws a given picture? Found by gradient descent through the generator.

The paper (Karras et al. 2018, arXiv 1812.04948) only draws; users of its network soon asked for the way back. From the
mean w̄, w is moved until G's picture looks like the given one, to a network and pixel by pixel:

    w* = argmin_w  d(G(w), x) + λ · mean over scales ‖ G(w)↓ − x↓ ‖²        d: `path_length.perceptual_distance`

One w for all layers (W) finds pictures that G can draw. One w per layer (W+) comes closer to any other picture, but
leaves the latents that G was trained on, so its styles mix less well. Taught in notebooks/02b_stylegan_further.ipynb.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..networks.layers import check_finite, check_gradients, described, sample_z, seeded
from ..limits import MAX_SEED, finite, whole
from ..networks.protocols import check_images, device_of, evaluating
from ..pictures import to_float
from ..worlds import reading
from .generator import Generator, Layer, check_styles
from .path_length import features_distance, unit_features
from .prepared import prepared


@dataclass(frozen=True)
class Step:
    """Where a projection stands: everything belongs to the same w."""

    number: int         # 1 … steps
    steps: int
    ws: Tensor          # 1×L×W, to draw with `G.synthesis(step.ws)` and to mix with `mix`
    image: Tensor       # 1×3×R×R, what G draws from it
    loss: float         # what is made small: perceptual + λ · pixels
    perceptual: float   # 0 without eyes
    pixels: float       # mean over the scales of the mean squared difference


def fitted(picture, size: int, name: str = "the picture") -> Tensor:
    """Any picture (see `worlds/reading.py`) made ready to be projected: its middle square, 1×3×size×size in [-1, 1].

    ValueError with its name for one that cannot be read.
    """
    size = whole("size", size, 1, reading.MAX_SIDE)
    if isinstance(picture, Tensor) and picture.is_floating_point() and tuple(picture.shape[-3:]) == (3, size, size):
        reading.as_array(picture, name, reading.NEAR)        # refuses a batch, NaN, and numbers of 0…255
        return picture.detach().float().reshape(1, 3, size, size)
    return to_float(reading.square(picture, size, name)[None])


def scales(images: Tensor) -> list[Tensor]:
    """The pictures at full, half, quarter … size down to 8 pixels: far-off shapes pull at the coarse ones only."""
    found = [images]
    while found[-1].shape[-1] > 8:
        found.append(F.avg_pool2d(found[-1], 2))
    return found


def learning_rate(t: float, peak: float) -> float:
    """Up within the first twentieth of the way t ∈ [0, 1], down by a cosine over its last quarter."""
    return peak * min(1.0, t / 0.05 + 0.05) * (0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / 0.25)))


def project(G: Generator, picture: Tensor, eyes=None, steps: int = 200, per_layer: bool = False, seed: int = 0,
            peak_rate: float = 0.2, pixel_weight: float = 10.0, starts: int = 64, noise=None) -> Iterator[Step]:
    """Search for the w of a picture, step by step; whoever has seen enough stops asking for the next step.

    picture: 3×R×R or 1×3×R×R in [-1, 1], R the size of G's pictures (see `fitted`). eyes: as for
    `path_length.unit_features`, or None for pixels alone. per_layer: W+, a w for each layer, instead of W.
    peak_rate: the largest step of Adam, in standard deviations of w; pixel_weight: λ.
    starts: begin at the best of so many random w and w̄; with 0 at w̄. noise: None, a seed or maps; it stays fixed.
    Early steps shake w, less and less, so that it does not stop in the first hollow. The last step is the best one
    of all. The same seed finds the same w. ValueError for a picture of the wrong size and for steps below 1.

    >>> for step in tqdm(project(G, picture, classifier, steps=200), total=200): ...
    """
    check_gradients()
    check_styles(G)
    size = (3, G.resolution, G.resolution)
    if not isinstance(picture, Tensor) or tuple(picture.shape) not in (size, (1, *size)):
        raise ValueError(f"this generator draws 1×{'×'.join(map(str, size))}, the picture is {described(picture)}; "
                         f"fitted(picture, {G.resolution}) makes one of any picture")
    x = check_images(picture.reshape(1, *size), "the picture", most=reading.NEAR)
    steps, starts, seed = whole("steps", steps, 1), whole("starts", starts), whole("seed", seed, 0, MAX_SEED)
    finite("peak_rate", peak_rate, 0)
    finite("pixel_weight", pixel_weight, 0)
    return _search(G, x, eyes, steps, per_layer, seed, peak_rate, pixel_weight, starts, noise)


def _search(G, x, eyes, steps, per_layer, seed, peak_rate, pixel_weight, starts, noise) -> Iterator[Step]:
    device, L = device_of(G), len(G.layers)
    x = x.detach().to(device)
    fast = prepared(G) if isinstance(G.blocks[G.layers[0]], Layer) else G  # a copy: nobody's weights get gradients
    maps = noise if isinstance(noise, Sequence) else fast.noise(noise)
    shake = seeded(seed)

    def judge(ws: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Picture, perceptual distance and pixel distance of each ws."""
        images = fast.synthesis(ws, maps)
        pixels = sum((a - b).square().mean((1, 2, 3)) for a, b in zip(scales(images), wanted)) / len(wanted)
        perceptual = pixels * 0 if eyes is None else features_distance(unit_features(eyes, images), seen)
        return images, perceptual, pixels

    with torch.no_grad(), evaluating(getattr(eyes, "__self__", eyes)):
        wanted, seen = scales(x), None if eyes is None else unit_features(eyes, x)
        drawn = fast.mapping(sample_z(10_000, G.z_dim, (seed + 1_000_003) % 2**32, device))
        middle, spread = drawn.mean(0, keepdim=True), (drawn - drawn.mean(0)).std().item()    # w̄ (1, W), σ_w
        tried = torch.cat([middle, drawn[:starts]])
        judged = [judge(part)[1:] for part in tried.split(16)]
        far = torch.cat([perceptual + pixel_weight * pixels for perceptual, pixels in judged])     # (starts + 1,)
        check_finite("the distances of the generator's pictures to this one", far)
        w = tried[far.argmin()][None, None].repeat(1, L if per_layer else 1, 1)      # (1, L or 1, W)
    w.requires_grad_()
    adam, best = torch.optim.Adam([w], betas=(0.9, 0.99)), None
    for number in range(1, steps + 1):
        t = (number - 1) / max(1, steps - 1)
        adam.param_groups[0]["lr"] = learning_rate(t, peak_rate) * spread
        with torch.enable_grad(), evaluating(getattr(eyes, "__self__", eyes)):
            tremble = torch.randn(w.shape, generator=shake, dtype=torch.float32).to(device)
            tremble = tremble * 0.1 * spread * max(0.0, 1 - t / 0.6) ** 2
            ws = (w + tremble).expand(1, L, -1)
            image, perceptual, pixels = judge(ws)
            loss = (perceptual + pixel_weight * pixels).sum()
            w.grad, = torch.autograd.grad(loss, w)
        step = Step(number, steps, ws.detach().clone(), image.detach(), loss.item(), perceptual.item(), pixels.item())
        best = step if best is None or step.loss < best.loss else best
        if number == steps:
            step = replace(best, number=number)
        yield step
        adam.step()


def find(G: Generator, picture: Tensor, eyes=None, steps: int = 200, progress: bool = True, **options) -> Step:
    """The last step of `project`, with a progress bar that tells the time left. options: as for `project`."""
    bar = tqdm(project(G, picture, eyes, steps, **options), total=steps, desc=say("projection"), disable=not progress)
    for step in bar:
        bar.set_postfix(loss=f"{step.loss:.4f}", refresh=False)
    return step
