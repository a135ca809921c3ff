"""Pictures as arrays, bytes and HTML: grids, heat maps, outlines, label colours, tables of pictures.

A *picture* below is any of: a float tensor 3×H×W in [-1, 1], a float or boolean map H×W in [0, 1], a uint8
array H×W×3, encoded PNG/JPEG bytes, or what else `worlds/reading.py` takes. Nothing here draws with matplotlib (a
panel calls it at every slider move); `chart` only frames a figure that a notebook has drawn.
`show([[image, mask, heat], …], alt=…)` follows netdissect: nested lists are a table of pictures.
"""

import base64
import colorsys
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from .language import say, told, typeset
from .lettering import letter
from .limits import finite, unmasked, whole
from .worlds.reading import MAX_PIXELS, as_array

# The perceptual, colour-blind-safe map "inferno" of matplotlib (CC0), at ten equal steps from 0 to 1.
INFERNO = np.array([[0, 0, 4], [27, 12, 65], [74, 12, 107], [120, 28, 109], [165, 44, 96], [207, 68, 70],
                    [237, 105, 37], [251, 155, 6], [247, 209, 61], [252, 255, 164]], dtype=np.float32)

# One colour per class of `scenes`, the same in every chapter; neighbours in a picture differ in lightness too.
COLOURS = {"sky": (116, 173, 235), "cloud": (236, 240, 244), "sun": (255, 205, 30), "moon": (178, 178, 210),
           "mountain": (126, 108, 146), "grass": (140, 200, 90), "path": (222, 192, 140), "wall": (232, 140, 112),
           "roof": (164, 40, 44), "door": (98, 56, 20), "window": (60, 220, 225), "tree": (18, 100, 56),
           "trunk": (60, 42, 34)}


# ------------------------------------------------------------------------------------------ arrays

def _levels(x) -> np.ndarray:
    """What is shown by colours, as floats. In a picture infinity is as bright as can be; here it would leave all else
    dark, so it is refused too."""
    unmasked("a map to show", x)
    try:
        x = x.detach().float().cpu().numpy() if isinstance(x, torch.Tensor) else np.asarray(x, dtype=np.float32)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"a map to show is numbers; got {x!r:.60}") from None
    if not np.isfinite(x).all():
        raise ValueError("a map to show holds NaN or infinity: look at the weights or latents that made it")
    return x


def _map(x) -> np.ndarray:
    """One map h×w of what is shown by colours."""
    x = _levels(x)
    if x.ndim != 2 or not x.size:
        raise ValueError(f"a map to show is h×w, of one unit; got {x.shape}")
    return x


def _of_one_size(tiles: Sequence[np.ndarray]) -> None:
    sizes = dict.fromkeys(f"{tile.shape[0]}×{tile.shape[1]}" for tile in tiles)
    if len(sizes) > 1:
        raise ValueError(f"pictures side by side are of one size; these have {', '.join(list(sizes)[:4])}")


def to_uint8(x) -> np.ndarray:
    """Floats in [-1, 1], N×3×H×W or 3×H×W, -> uint8 N×H×W×3 or H×W×3; values outside are cut off, infinity
    too; NaN is refused."""
    try:
        x = torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"a picture to show is floats in [-1, 1]; got {x!r:.60}") from None
    if not x.is_floating_point() or x.ndim not in (3, 4) or x.shape[-3] not in (1, 3) or x.is_meta:
        raise ValueError(f"to_uint8 takes floats N×3×H×W or 3×H×W in [-1, 1]; got {x.dtype} of {tuple(x.shape)} on the "
                         f"device {x.device}")
    if x.isnan().any():
        raise ValueError("a picture to show holds NaN: look at the weights or latents that made it")
    x = ((x.detach().float().clamp(-1, 1) + 1) * 127.5).round().byte().cpu()
    return x.movedim(-3, -1).contiguous().numpy()


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 0…255 -> float [-1, 1]; floats pass unchanged."""
    if not isinstance(images, torch.Tensor):
        raise ValueError(f"to_float takes a tensor of pictures; got a {type(images).__name__}")
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images


def fingerprint(images: torch.Tensor) -> str:
    """What tells these pictures from any others: the SHA-256 of their shape, kind and numbers."""
    a = images.detach().cpu()
    a = np.ascontiguousarray((a.view(torch.int16) if a.dtype == torch.bfloat16 else a).numpy())
    return hashlib.sha256(f"{a.dtype} {a.shape} ".encode() + hashlib.sha256(a.data).digest()).hexdigest()


def grid(images, columns: int = 8) -> np.ndarray:
    """N pictures side by side, `columns` in a row: N×3×H×W floats or a list -> uint8; a short last row is white."""
    if isinstance(images, (str, bytes, Mapping)) or not isinstance(images, Iterable) or getattr(images, "ndim", 4) < 3:
        raise ValueError(f"a grid is of a list of pictures, or of a tensor N×3×H×W; got a {type(images).__name__}")
    tiles = [as_array(image) for image in images]
    if not tiles:
        raise ValueError("no pictures to put in a grid")
    _of_one_size(tiles)
    columns = min(whole("columns", columns, 1), len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[i:i + columns], 1) for i in range(0, len(tiles), columns)])


def enlarge(picture, k: int, how: str = "nearest") -> np.ndarray:
    """k times as wide and high: how = "nearest" keeps the pixels visible, "bicubic" is soft."""
    a = as_array(picture)
    k = whole("k", k, 1, max(1, math.isqrt(MAX_PIXELS // (a.shape[0] * a.shape[1]))))
    if how == "nearest":
        return a.repeat(k, 0).repeat(k, 1)
    if how != "bicubic":
        raise ValueError(f"how is 'nearest' or 'bicubic'; got {how!r}")
    return np.asarray(Image.fromarray(a).resize((a.shape[1] * k, a.shape[0] * k), Image.Resampling.BICUBIC))


# ------------------------------------------------------------------------------------------ bytes

def png(picture) -> bytes:
    """A picture as PNG bytes, quickly packed: lossless, for anything that pixels are counted in."""
    return _encode(picture, "PNG", compress_level=1)


def jpeg(picture, quality: int = 88) -> bytes:
    """A picture as JPEG bytes: a fifth of the size, for large grids of samples."""
    return _encode(picture, "JPEG", quality=whole("quality", quality, 1, 100))


def _encode(picture, kind: str, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(as_array(picture)).save(out, kind, **options)
    return out.getvalue()


# ------------------------------------------------------------------------------------------ overlays

def colour_map(level) -> np.ndarray:
    """Levels in [0, 1] of any shape -> colours 0…255 (float, shape × 3), dark violet to light yellow. Others are cut
    off; ValueError for NaN and infinity."""
    position = np.clip(_levels(level), 0, 1) * (len(INFERNO) - 1)
    low = np.minimum(position.astype(int), len(INFERNO) - 2)
    part = (position - low)[..., None]
    return INFERNO[low] * (1 - part) + INFERNO[low + 1] * part


def squares(activation, side: int = 64) -> np.ndarray:
    """A feature map as it is, h×w squares in colours of its own -> uint8 of about side × side × 3.

    Dark violet is its lowest value, light yellow its highest hundredth: a map can be read, two cannot be compared.
    """
    r, side = _map(activation), whole("side", side, 1)
    low, high = r.min(), np.quantile(r, 0.99)
    level = (r - low) / (high - low) if high > low else np.zeros_like(r)
    return enlarge(colour_map(level).round().astype(np.uint8), max(1, side // max(r.shape)))


def heat(image, activation, peak: float | None = None) -> np.ndarray:
    """Lay a unit's activation over a picture: image H×W, activation h×w -> uint8 H×W×3.

    The activation is enlarged as the dissection does it (bilinear, align_corners=False) and divided by `peak`
    (None: its largest value here); negative values count as 0. Where it is 0 the picture stays, in grey.
    """
    a = as_array(image).astype(np.float32)
    r = torch.from_numpy(_map(activation))[None, None]
    r = F.interpolate(r, size=a.shape[:2], mode="bilinear", align_corners=False)[0, 0].clamp(min=0).numpy()
    top = float(r.max()) if peak is None else finite("peak", peak)
    level = np.clip(r / top, 0, 1) if top > 0 else np.zeros_like(r)
    grey = np.repeat(a.mean(2, keepdims=True), 3, 2) * 0.55 + a * 0.25
    amount = (0.85 * level ** 0.7)[..., None]
    return (grey * (1 - amount) + colour_map(0.15 + 0.85 * level) * amount).round().astype(np.uint8)


def lasso(image, mask, zoom: int = 1) -> np.ndarray:
    """Halve what lies outside a mask and draw a bright line around it: H×W and H×W -> uint8 zH×zW×3."""
    zoom = whole("zoom", zoom, 1)
    a = enlarge(image, zoom, "bicubic" if zoom > 1 else "nearest").copy()
    m = _map(mask).astype(bool).repeat(zoom, 0).repeat(zoom, 1)
    if m.shape != a.shape[:2]:
        raise ValueError(f"the mask is {m.shape}, the picture {a.shape[:2]}; they must be of one size")
    a[~m] = (a[~m] * 0.5).astype(np.uint8)
    padded = np.pad(m, 1, mode="edge")
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    a[m & ~inside] = (255, 225, 0)
    return a


def difference(before, after, times: float = 1) -> np.ndarray:
    """|after − before| per pixel, mean over the colours, `times` as strong, as colours: black nothing, yellow a half
    or more of 255."""
    _of_one_size(both := [as_array(picture) for picture in (before, after)])
    change = finite("times", times) * np.abs(np.subtract(*both, dtype=np.float32)).mean(2)
    return colour_map(change / 127.5).round().astype(np.uint8)


def label_colours(classes: Sequence[str]) -> np.ndarray:
    """One fixed colour per class, uint8 C×3: `COLOURS` for the scenes, evenly turned hues for other names."""
    classes = list(classes) if isinstance(classes, Iterable) and not isinstance(classes, str) else [classes, None]
    if not all(isinstance(name, str) for name in classes):
        raise ValueError(f"classes are a list of names, such as ['sky', 'tree']; got {classes!r:.60}")
    other = [name for name in classes if name not in COLOURS]
    hue = {name: [round(255 * v) for v in colorsys.hsv_to_rgb(i * 0.618 % 1, 0.65, 0.75 + 0.2 * (i % 2))]
           for i, name in enumerate(other)}
    return np.array([COLOURS.get(name) or hue[name] for name in classes], dtype=np.uint8).reshape(-1, 3)


def colour_mask(mask, classes: Sequence[str]) -> np.ndarray:
    """A label mask H×W of class numbers -> uint8 H×W×3 in the colours of `label_colours`."""
    labels = np.asarray(mask.cpu() if isinstance(mask, torch.Tensor) else mask)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"a label mask holds whole numbers, the numbers of the classes; got {labels.dtype}")
    colours = label_colours(classes)                                        # (C, 3)
    if labels.size and (labels.min() < 0 or labels.max() >= len(colours)):
        raise ValueError(f"the mask has labels {labels.min()} to {labels.max()}, but there are {len(colours)} classes")
    return colours[labels]


# ------------------------------------------------------------------------------------------ HTML

def img(picture, alt: str, width: int | str | None = None, css_class: str = "", room: str = "") -> str:
    """`<img>` with the picture inside it. alt: what a reader who cannot see it must know; "" is refused.

    width: in CSS pixels, or a CSS length. room: one to which it shrinks where there is less room, but never below 56
    pixels.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("every picture needs alt=…: a few words for a reader who cannot see it")
    data = bytes(picture) if isinstance(picture, (bytes, bytearray, memoryview)) else png(picture)
    kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
    size = f"width:{width}{'' if isinstance(width, str) else 'px'};" if width else ""
    if room:
        size += f"width:clamp({min(56, width)}px,{room},{width}px);"
    return (f'<img class="{escape(css_class)}" alt="{escape(alt)}" style="{size}max-width:none;display:block;margin:0" '
            f'src="data:image/{kind};base64,{base64.b64encode(data).decode()}">')


class Table:
    """What `show` returns: a table of pictures that a notebook displays."""

    def __init__(self, html: str, alt: str):
        self.html, self.alt = html, alt

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<pictures: {self.alt}>"


def _nested(value) -> bool:
    return isinstance(value, (list, tuple))


def show(table, titles=None, *, alt, width: int = 128) -> Table:
    """Show pictures as a table: one picture, a list (one row) or a list of lists (rows). `None` is an empty place.

    titles: captions, nested like the table, or one row of them for the tops of the columns. alt: required; one
    text for all (row and column are added) or texts nested like the table. Both are in English, and shown in the
    reader's language (`language.told`). width: of a picture, in CSS pixels; where a row of them is wider than the page,
    all shrink alike.

    >>> show([[image, mask_picture, heat(image, r[0, 12])]], titles=["x", "s(x)", "unit 12"], alt="a house …")
    """
    def as_rows(value):
        rows = value if _nested(value) and any(map(_nested, value)) else [value]
        return [row if _nested(row) else [row] for row in rows]

    rows = as_rows(table)
    heads = as_rows(titles) if titles is not None else [[]]
    alts = as_rows(alt) if _nested(alt) else None
    if not rows or not any(rows):
        raise ValueError("no pictures to show: the table is empty")
    if alts and [len(row) for row in alts] != [len(row) for row in rows]:
        raise ValueError("texts for each picture are nested like the table: as many rows, and as many in each")
    if not alts and not (isinstance(alt, str) and alt.strip()):
        raise ValueError("show needs alt=…: a few words for a reader who cannot see the pictures")

    def cell(i, j, picture):
        if picture is None:
            return "<td></td>"
        title = heads[i][j] if i < len(heads) and j < len(heads[i]) else None
        place = "" if len(rows) * len(rows[0]) == 1 else say(" (row {i}, column {j})", i=i + 1, j=j + 1)
        text = told(alts[i][j]) if alts else f"{told(alt)}{place}"
        head = "" if title is None else \
            f'<div style="font-size:13px;line-height:1.3;padding-bottom:3px">{escape(typeset(told(str(title))))}</div>'
        return ('<td style="text-align:center;vertical-align:bottom;padding:4px 6px;border:0;background:none">'
                f"{head}{img(picture, text, width, room=room)}</td>")

    room = f"calc(100cqw/{max(map(len, rows))} - 13px)"                       # its share of the page, less the padding
    body = "".join(f'<tr style="background:none">{"".join(cell(i, j, p) for j, p in enumerate(row))}</tr>'
                   for i, row in enumerate(rows))
    return Table('<div style="container-type:inline-size">'
                 f'<table style="border-collapse:collapse;border:0">{body}</table></div>',
                 told(alt) if isinstance(alt, str) else "; ".join(told(a) for row in alts for a in row))


def chart(figure, alt: str, width: int | None = None) -> Table:
    """Show a matplotlib figure as a picture with a description, and close it: nothing is shown twice or kept.

    Its words, in English, are put into the reader's language if this computer has a font for them (`lettering`).
    width: in CSS pixels. None: 87 for an inch of the page, so that words of 10 points are 12 pixels high; at least 680.
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    if not isinstance(figure, Figure):
        raise ValueError("chart shows a figure of matplotlib, as plt.subplots() gives it; got a "
                         f"{type(figure).__name__}")
    letter(figure)
    for text in figure.findobj(Text):
        text.set_text(typeset(text.get_text()))
    figure.savefig(page := io.BytesIO(), dpi=120, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    return show(page.getvalue(), alt=alt, width=width or max(680, round(87 * Image.open(page).width / 120)))
