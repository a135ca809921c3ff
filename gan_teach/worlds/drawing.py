"""The brushes of `scenes` and `portraits`: soft-edged shapes by signed distance, a label for every pixel.

Lengths are fractions of the picture's side, y grows downwards, colours are red, green, blue in 0..1. The same seed
gives the same pixels on every machine: random integers come raw from PCG64, and what decides a pixel is
+ - * / sqrt min max in float64, all rounded exactly; no drawing library, sin, exp or matmul.
"""
import functools
import math
from collections.abc import Iterator

import numpy as np
import torch
from tqdm.auto import tqdm

from ..limits import MAX_SEED, whole

SMALLEST, LARGEST = 32, 256                                                  # pixels a side


def random_numbers(seed: int, index: int, count: int) -> Iterator[float]:
    """`count` numbers in 0..1 (1 never), the same for ever for a seed and an index (integers >= 0, else ValueError)."""
    seed, index = whole("seed", seed, 0, MAX_SEED), whole("the index of a picture", index)
    # NumPy keeps a bit generator's raw stream for ever; its top 24 bits, as a fraction, are exact in float64.
    raw = np.random.PCG64(np.random.SeedSequence([seed, index])).random_raw(count) >> np.uint64(40)
    return iter((raw / 2.0 ** 24).tolist())


def check_size(size):
    """ValueError unless size is a whole number of pixels in 32..256."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size must be a whole number of pixels in {SMALLEST}..{LARGEST}, not {size!r}")


@functools.cache
def paint(colour: tuple) -> np.ndarray:
    """A colour as an array 3×1×1, to be broadcast over pixels. It is shared: do not write to it."""
    return np.array(colour).reshape(3, 1, 1)


def ramp(t: np.ndarray) -> np.ndarray:
    """min(max(t, 0), 1), in place."""
    return np.minimum(np.maximum(t, 0.0, out=t), 1.0, out=t)


def circles(x, y, circles, at_x=0.0, at_y=0.0, scale=1.0) -> np.ndarray:
    """Signed distance (negative inside) to a union of circles (x, y, radius), given around a point at a scale."""
    union = None
    for cx, cy, radius in circles:
        dx, dy = x - (at_x + cx * scale), y - (at_y + cy * scale)
        distance = np.sqrt(dx * dx + dy * dy) - radius * scale
        union = distance if union is None else np.minimum(union, distance, out=union)
    return union


class Canvas:
    """A picture under way, `image` 3×H×W in 0..1 and `mask` H×W; shapes are laid from back to front.

    zoom > 1 moves the camera towards the picture's middle: lengths stay those of the whole, `scale` pixels to 1.
    """

    def __init__(self, size: int, zoom: float = 1.0):
        self.size, self.scale, self.start = size, size * zoom, 0.5 * size * (1.0 - zoom)
        self.at = (np.arange(size) + 0.5 - self.start) / self.scale          # the middles of the pixels
        self.image, self.mask = np.empty((3, size, size)), np.zeros((size, size), np.uint8)

    def box(self, left, top, right, bottom):
        """The pixels a shape within these bounds can touch: (rows, columns), their x (w), y (h×1)."""
        left, top, right, bottom = (int(edge * self.scale + self.start) for edge in (left, top, right, bottom))
        rows, columns = (slice(max(first - 1, 0), max(min(last + 2, self.size), 0))
                         for first, last in ((top, bottom), (left, right)))
        return (rows, columns), self.at[columns], self.at[rows, None]

    def lay(self, box, coverage, colour, label=None):
        """Blend `colour` (broadcast to 3×h×w) by `coverage` h×w; label what is more than half covered."""
        region = self.image[:, box[0], box[1]]
        change = colour - region
        change *= coverage
        region += change
        if label is not None:
            np.copyto(self.mask[box], label, where=coverage > 0.5)

    def cover(self, distance):
        """How much of each pixel the shape with this signed distance covers: its edge is one pixel soft."""
        return ramp(0.5 - distance * self.scale)

    def fill(self, box, distance, colour, label=None):
        """Lay the shape with this signed distance h×w."""
        self.lay(box, self.cover(distance), colour, label)

    def rectangle(self, left, top, right, bottom, colour, label):
        """Lay a rectangle by the exact share of each pixel that it covers."""
        box, x, y = self.box(left, top, right, bottom)
        half = 0.5 / self.scale
        across = np.maximum(np.minimum(x + half, right) - np.maximum(x - half, left), 0.0) * self.scale
        down = np.maximum(np.minimum(y + half, bottom) - np.maximum(y - half, top), 0.0) * self.scale
        self.lay(box, across * down, colour, label)

    def polygon(self, corners, colour, label):
        """Lay a convex polygon, corners clockwise as seen. `colour` may be a function of x and y."""
        xs, ys = zip(*corners, strict=True)
        box, x, y = self.box(min(xs), min(ys), max(xs), max(ys))
        distance = None                                                      # the greatest of the edges'
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            length = math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0))
            edge = (x - x0) * ((y1 - y0) / length) + (y - y0) * ((x0 - x1) / length)
            distance = edge if distance is None else np.maximum(distance, edge, out=distance)
        self.fill(box, distance, colour(x, y) if callable(colour) else colour, label)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The picture, uint8 size×size×3 in 0..255, and the mask, uint8 size×size."""
        image = ramp(self.image) * 255.0
        image += 0.5                                                         # and cut: to the nearest
        return np.ascontiguousarray(image.astype(np.uint8).transpose(1, 2, 0)), self.mask


class Drawings(torch.utils.data.Dataset):
    """`n` pictures of a seed, each made when it is asked for: what `Scenes` and `Portraits` share.

    `drawings[i]` is image, float 3×size×size in [-1, 1]; mask, long size×size, indices into `.classes`; and the dict of
    attributes (its lists differ in length: a DataLoader needs a collate_fn). An index outside 0..n-1 raises IndexError;
    n below 0, a size outside 32..256 and a seed outside 0..2³² − 1 raise ValueError. A child gives `classes`, `name`
    (what n of them are called), `draw_attributes(seed, index)` and `render(attributes, size)`, both static.
    """

    def __init__(self, n: int, size: int = 64, seed: int = 0):
        check_size(size)
        self.n, self.size = whole(f"the number of {self.name}", n), size
        self.seed = whole("seed", seed, 0, MAX_SEED)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, dict]:
        if hasattr(index, "__index__") and not 0 <= index < self.n:              # another kind is told below
            raise IndexError(f"number {index} of {self.n} {self.name}: the index must lie in 0..{self.n - 1}")
        attributes = self.draw_attributes(self.seed, index)
        image, mask = self.render(attributes, self.size)
        return torch.from_numpy(image).permute(2, 0, 1) / 127.5 - 1, torch.from_numpy(mask).long(), attributes

    def images(self) -> torch.Tensor:
        """All pictures: uint8 n×3×size×size in 0..255 (12 kB a picture at 64); a progress bar for 500 and more."""
        out = torch.empty(self.n, 3, self.size, self.size, dtype=torch.uint8)
        for i in tqdm(range(self.n), desc=self.name, unit="image", leave=False, disable=self.n < 500):
            image, _ = self.render(self.draw_attributes(self.seed, i), self.size)
            out[i] = torch.from_numpy(image).permute(2, 0, 1)
        return out


def prerender(scenes, label: str | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Render every scene once: images N×3×H×W and masks N×H×W, both uint8 (75 MB for 6,000 of 64×64)."""
    images, masks = [], []
    for i in tqdm(range(len(scenes)), desc=label, leave=False, disable=label is None):
        image, mask, _ = scenes[i]
        images.append(((image + 1) * 127.5).round().clamp(0, 255).byte())
        masks.append(mask.byte())
    return torch.stack(images), torch.stack(masks)
