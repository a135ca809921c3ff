"""One way in for a reader's pictures: whatever is given becomes bytes, or is refused by name with the next step.

    square("holiday.jpg", 32)        # uint8 3×32×32: upright, its middle, at the size of a network
    as_array(some_picture)           # uint8 H×W×3, at its own size

A picture is the path of a file, the bytes of one, a PIL image, or numbers: floats 3×H×W in [-1, 1] as our generators
draw them, a float or boolean map H×W in [0, 1], or uint8 (or uint16) H×W×3, 3×H×W or H×W. A batch of one is taken
too. Files are what anybody may have sent: only the formats below are opened, none of which starts another program,
and what would fill the memory is refused before it is unpacked.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ..files import regular
from ..limits import unmasked, whole

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000      # unpacked at once: 200 MB
MAX_BYTES = 1 << 29          # of a file
MAX_SIDE = 4096              # of what a picture is made into
NEAR = 3                     # a reader's floats end at 1, or a little beyond
FAR = 30                     # a generator's floats may pass 1, by much where units are forced; those of 0…255 pass this
WANTED = "floats 3×H×W in [-1, 1], a map H×W in [0, 1], or uint8 H×W×3"
TIFF = (b"II*\0", b"MM\0*")  # how its files begin
UPRIGHT = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270",
           7: "TRANSVERSE", 8: "ROTATE_90"}      # what undoes an EXIF orientation
# A PNG names its transparent colour in its own bits; what such a number is in the eight that Pillow unpacks them to.
KEYS = {"L;2": lambda v: v * 85, "L;4": lambda v: v * 17, "RGB;16B": lambda v: v >> 8}
ORIENTATION, BITS, WHITE_IS_ZERO, SAMPLE_FORMAT = 0x0112, 258, 262, 339      # tags of EXIF and TIFF


def as_array(picture, name: str = "the picture", far: float = FAR) -> np.ndarray:
    """Any picture as uint8 H×W×3. ValueError with its name (of a file: the path) where it cannot be one.

    far: how far its floats may go; what is outside [-1, 1] is cut off.
    """
    if isinstance(picture, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)):
        return np.asarray(_image(picture, name))
    return _numbers(picture, name, far)


def square(picture, size: int, name: str = "the picture", crop: tuple[int, int, int, int] | None = None) -> Tensor:
    """Any picture cut to its middle square, or to `crop` (left, top, right, bottom), at size×size: uint8 3×size×size.

    Large JPEGs are read at the nearest of their own smaller sizes. ValueError as for `as_array`, and for floats beyond
    `NEAR`: these are a reader's pictures.
    """
    size = whole("size", size, 1, MAX_SIDE)
    files = isinstance(picture, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image))
    image = _image(picture, name, None if crop else size) if files else \
        Image.fromarray(_numbers(picture, name, NEAR))
    if crop and (crop[2] > image.width or crop[3] > image.height):
        raise ValueError(f"{picture if files else name} has {image.width}×{image.height} pixels, and {crop} shall be "
                         "cut out of it: it is none of this set")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop(crop or (left, top, left + side, top + side))     # first: nothing outside has a part in it
    image = image.resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


# ------------------------------------------------------------------------------------------ files

def _image(picture, name: str, size: int | None = None) -> Image.Image:
    """An RGB image. size: smaller than twice this nothing is needed."""
    if isinstance(picture, (str, os.PathLike)):
        picture = name = regular(picture)
        about = picture.stat()                              # FileNotFoundError names the file
        if about.st_size > MAX_BYTES:
            raise ValueError(f"{name} has {about.st_size / 1e6:.0f} MB; pictures of up to {MAX_BYTES / 1e6:.0f} MB are "
                             "read: save it smaller")
    try:
        given = isinstance(picture, Image.Image)            # not loaded yet, it may be: load() would start a program
        if given and picture.format not in (None, "MPO", *FORMATS):
            raise ValueError(f"it was opened as {picture.format}, none of {', '.join(FORMATS)}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)      # the limit here is lower
            opened = contextlib.nullcontext(picture) if given else Image.open(
                picture if isinstance(picture, Path) else io.BytesIO(bytes(picture)), formats=FORMATS)
        with opened as image:
            if image.format in ("JPEG", "MPO") and size and not given and not image.info.get("progressive"):
                image.draft("RGB", (2 * size, 2 * size))
            if not image.width * image.height:
                raise ValueError(f"it has {image.width}×{image.height} pixels")
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"it has {image.width}×{image.height} pixels, at most {MAX_PIXELS / 1e6:.0f} million "
                                 "are unpacked")
            return _flat(image)
    except UnidentifiedImageError as error:
        start = picture.open("rb").read(4) if isinstance(picture, Path) else bytes(picture)[:4]
        if start in TIFF:
            raise ValueError(f"{name} cannot be read as a picture: it is a TIFF of a kind that is not read, such as "
                             "floats in colour, or it is damaged; save it as PNG, or as a TIFF of 8 bits") from error
        raise ValueError(f"{name} cannot be read as a picture: it is none of {', '.join(FORMATS)}; save it as PNG or "
                         "JPEG") from error
    except Exception as error:                              # a damaged file may fail anywhere in its decoder
        raise ValueError(f"{name} cannot be read as a picture ({type(error).__name__}: {error!s:.200}); save it again "
                         "as PNG or JPEG, or leave it out") from error


def _flat(image: Image.Image) -> Image.Image:
    """Upright, in RGB, on white."""
    packed = KEYS.get(image.tile[0][3]) if getattr(image, "tile", None) else None       # nothing is left of it later
    image.load()
    turn = None
    with contextlib.suppress(Exception):                    # damaged EXIF: the picture itself is whole
        turn = image.getexif().get(ORIENTATION)
    clear = image.info.get("transparency")
    if packed and isinstance(clear, (int, tuple)):
        clear = packed(clear) if isinstance(clear, int) else tuple(map(packed, clear))
        image = image.copy()                                # the reader's own keeps what it has
        image.info["transparency"] = clear
    if image.mode == "L" and getattr(image, "tag_v2", {}).get(SAMPLE_FORMAT, (1,))[0] == 2:
        raise ValueError("its bytes are signed, from -128 to 127, which say of no number that it is white")
    if image.mode == "F" or image.mode.startswith("I"):
        numbers = np.asarray(image)
        level = _level(image, numbers)
        image = Image.fromarray(np.where(numbers == clear, 255, level).astype(np.uint8) if isinstance(clear, int) else
                                level)
    elif clear is not None or image.mode in ("LA", "PA", "RGBA", "RGBa") or \
            image.mode == "P" and image.palette.mode.endswith("A"):
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    image = image if image.mode == "RGB" else image.convert("RGB")
    return image.transpose(Image.Transpose[UPRIGHT[turn]]) if turn in UPRIGHT else image


def _level(image: Image.Image, numbers: np.ndarray) -> np.ndarray:
    """Grey of more than 8 bits, or of floats, as uint8: by what its numbers mean, not by how large they are."""
    tags = getattr(image, "tag_v2", {})
    bits, signed = tags.get(BITS, (16,))[0], tags.get(SAMPLE_FORMAT, (1,))[0] == 2
    if image.mode == "I" and not tags and image.format != "PNG":
        raise ValueError("its whole numbers (mode I) do not say which of them is white; give it as uint8")
    if image.mode == "I" and bits == 32 and not signed:
        numbers = numbers.view(np.uint32)
    top = 1 if image.mode == "F" else 2 ** (bits - signed) - 1
    low, high = numbers.min(), numbers.max()
    if not (0 <= low and high <= top):                      # NaN is neither
        raise ValueError(f"its numbers go from {low:g} to {high:g}; here 0 is black and {top} is white: scale it first")
    level = (numbers.astype(np.float32) * (255 / top)).round().astype(np.uint8)
    return 255 - level if tags.get(WHITE_IS_ZERO) == 0 else level


# ------------------------------------------------------------------------------------------ numbers

def _numbers(picture, name: str, far: float) -> np.ndarray:
    try:
        if isinstance(picture, Tensor):
            picture = picture.detach().cpu()
            picture = (picture.float() if picture.is_floating_point() else picture).numpy()
        a = np.asarray(unmasked(name, picture))
    except (TypeError, ValueError, RuntimeError) as error:  # rows of several lengths; a sparse or a meta tensor
        raise ValueError(f"{name} is not a picture ({error!s:.200}); wanted {WANTED}") from error
    a = a[0] if a.ndim == 4 and len(a) == 1 else a
    fault = ValueError(f"{name} is not a picture: {a.dtype} of shape {a.shape}; wanted {WANTED} (colour a label mask "
                       "first: colour_mask(mask, classes))")
    if not a.size or a.ndim not in (2, 3):
        raise fault
    if a.dtype.kind == "f":
        low, high = float(a.min()), float(a.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(a))[0])
            raise ValueError(f"{name} holds NaN or infinity, first at {where} of {a.shape}")
        if max(-low, high) > far:
            raise ValueError(f"{name} is not a picture: its floats go from {low:g} to {high:g}; wanted {WANTED} "
                             "(from 0…255: x / 127.5 - 1)")
        if a.ndim == 3 and len(a) != 3:
            raise fault
        a = (a.clip(-1, 1) + 1).transpose(1, 2, 0) * 127.5 if a.ndim == 3 else a.clip(0, 1) * 255
        a = a.round().astype(np.uint8)
    elif a.dtype == bool and a.ndim == 2:
        a = a.astype(np.uint8) * 255
    elif a.dtype == np.uint16:
        a = (a / 257).round().astype(np.uint8)
    if a.dtype != np.uint8:
        raise fault
    if a.ndim == 2:
        return np.repeat(a[..., None], 3, 2)
    a = a if a.shape[2] == 3 else a.transpose(1, 2, 0)      # uint8 3×H×W
    if a.shape[2] != 3:
        raise fault
    return np.ascontiguousarray(a)
