"""Rendered people: faces whose every attribute is known exactly, to ask what a style generator has learnt.

StyleGAN (arXiv 1812.04948) finds pose and face shape in the coarse styles, hair and features in the middle ones,
colours in the fine ones, and leaves to the noise what is chance: here the strands of hair and where freckles are.
`draw_attributes` decides who sits there, each attribute independently of all others; `render` paints the portrait
at any size and labels each pixel. The same seed gives the same pixels on every machine: see `drawing`.
"""
import numpy as np
import torch

from . import faces, hair, wardrobe
from .drawing import Canvas, Drawings, check_size, random_numbers
from .faces import CLASSES, STRANDS

# What can be chosen, and how often in a hundred.
COARSE = {"face": {"oval": 20, "round": 20, "square": 20, "heart": 20, "long": 20}}
MIDDLE = {
    "hair": {"bald": 10, "crop": 13, "quiff": 13, "parted": 13, "bob": 13, "long": 13, "curly": 13, "bun": 12},
    "eyes": {"round": 50, "almond": 50},
    "brows": {"thin": 34, "arched": 33, "bushy": 33},
    "nose": {"button": 34, "long": 33, "broad": 33},
    "mouth": {"neutral": 20, "smile": 25, "grin": 20, "laugh": 15, "sad": 10, "ooh": 10},
    "beard": {"none": 64, "goatee": 12, "full": 12, "long": 12},
    "moustache": {False: 70, True: 30},
    "glasses": {"none": 56, "round": 18, "square": 18, "sunglasses": 8},
    "hat": {"none": 61, "beanie": 13, "cap": 13, "brimmed": 13},
    "earrings": {False: 65, True: 35},
    "freckles": {False: 65, True: 35},
    "clothes": {"plain": 20, "striped": 20, "v-neck": 20, "collar": 20, "turtleneck": 20},
    "backdrop": {"plain": 34, "glow": 33, "disc": 33}}
FINE = {
    "skin": {"porcelain": 16, "fair": 17, "honey": 17, "tan": 17, "brown": 17, "deep": 16},
    "hair_colour": {"black": 18, "brown": 16, "auburn": 14, "copper": 12, "blond": 14, "grey": 14, "pink": 6,
                    "teal": 6},
    "eye_colour": {"brown": 34, "green": 33, "blue": 33},
    "lips": {"natural": 60, "red": 20, "plum": 20},
    "clothes_colour": {"red": 17, "mustard": 17, "green": 17, "blue": 17, "white": 16, "plum": 16},
    "hat_colour": {"red": 17, "mustard": 17, "green": 17, "blue": 17, "white": 16, "plum": 16},
    "backdrop_colour": {"coral": 15, "sun": 15, "mint": 14, "sky": 14, "lilac": 14, "sand": 14, "night": 14}}
ATTRIBUTES = COARSE | MIDDLE | FINE
# Like the photographs of FFHQ, the heads are upright, cut close, and aligned by their eyes (`faces.Head`).
RANGES = {"turn": (-1.0, 1.0), "tilt": (-0.2, 0.2), "nod": (-1.0, 1.0), "zoom": (1.36, 1.46),
          "shoulders": (-1.0, 1.0), "gaze": (-1.0, 1.0), "age": (0.0, 1.0), "light": (-1.0, 1.0)}


def draw_attributes(seed: int, index: int) -> dict:
    """Decide who portrait number `index` of `seed` shows (integers >= 0, else ValueError).

    Returns a value of every name in `ATTRIBUTES` and in `RANGES` (uniform within), all independent of each other: turn
    > 0 looks to the picture's right, tilt > 0 leans there, nod > 0 looks down (the eyes stay where they are), gaze > 0
    moves the eyes to the right, age > 0.5 brings wrinkles, light > 0 comes from the right, zoom is the camera's. For
    the noise to own: strands (41 lightnesses in -1..1, around the head) and spots [(x, y)], where freckles would be.
    """
    numbers = random_numbers(seed, index, 128)
    a = {}
    for name, options in ATTRIBUTES.items():
        u = 100 * next(numbers)
        for option, share in options.items():
            a[name] = option
            u -= share
            if u < 0:
                break
    a.update((name, low + (high - low) * next(numbers)) for name, (low, high) in RANGES.items())
    strands = [2 * next(numbers) - 1 for _ in range(STRANDS)]
    a["strands"] = strands + strands[:1]
    a["spots"] = [(side * (0.035 + 0.095 * next(numbers)), 0.055 + 0.065 * next(numbers))
                  for side in (-1, 1) for _ in range(7)]
    return a


def render(attributes: dict, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Paint a portrait of `draw_attributes`, perhaps edited. size: pixels a side, 32..256, else ValueError.

    Returns image, uint8 size×size×3 in 0..255, and mask, uint8 size×size, indices into `CLASSES`: the topmost
    shape that covers more than half of the pixel. Freckles count as skin, lids as eye, lenses of sunglasses as
    glasses, other lenses as what is behind them. Bob and long hair hide the ears, sunglasses the eyes.
    """
    check_size(size)
    a, c = attributes, Canvas(size, attributes["zoom"])
    head = faces.Head(c, a)
    wardrobe.backdrop(c, a)
    hair.hair_behind(c, a, head)
    wardrobe.body(c, a, head)
    faces.skull(c, a, head)
    faces.eyes(c, a, head)
    hair.beard(c, a, head)
    faces.mouth(c, a, head)
    if a["moustache"]:
        hair.moustache(c, a, head)
    if a["hair"] != "bald":
        hair.hair(c, a, head)
    if a["glasses"] != "none":
        wardrobe.glasses(c, a, head)
    if a["hat"] != "none":
        wardrobe.hat(c, a, head)
    if a["earrings"]:
        wardrobe.earrings(c, a, head)
    return c.finish()


class Portraits(Drawings):
    """`n` portraits of a seed, made when they are asked for: `portraits[i]` is image, mask, attributes (`Drawings`)."""

    classes, name = CLASSES, "portraits"
    draw_attributes, render = staticmethod(draw_attributes), staticmethod(render)

    def attributes(self) -> dict[str, torch.Tensor]:
        """A column of n for each name in ATTRIBUTES (long: the option's place in its list) and in RANGES (float)."""
        drawn = [draw_attributes(self.seed, i) for i in range(self.n)]
        table = {name: torch.tensor([list(options).index(a[name]) for a in drawn], dtype=torch.long)
                 for name, options in ATTRIBUTES.items()}
        return table | {name: torch.tensor([a[name] for a in drawn]) for name in RANGES}
