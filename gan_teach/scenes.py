"""Rendered villages: pictures whose every pixel has a known class and whose every fact is known.

GAN Dissection (arXiv 1811.10597) asks which unit draws which object. Here the objects are exact: `draw_attributes`
decides what stands where, `render` paints it at any size and labels each pixel with what it painted there last.

    draw_attributes(seed, index) -> dict          what the scene holds, lengths as fractions of the picture's side
    render(attributes, size) -> image, mask       a pure function of the attributes
    Scenes(n, size, seed)[i]                      the two together, as tensors

The same seed gives the same pixels on every machine: random integers come raw from PCG64, and what decides a pixel
uses only + - * / sqrt min max in float64 (all exactly rounded), never a drawing library, sin, exp or a matrix product.
"""
import functools
import math

import numpy as np
import torch
from tqdm.auto import tqdm

CLASSES = ("sky", "cloud", "sun", "moon", "mountain", "grass", "path", "wall", "roof", "door", "window", "tree", "trunk")
(SKY, CLOUD, SUN, MOON, MOUNTAIN, GRASS, PATH, WALL, ROOF, DOOR, WINDOW, TREE, TRUNK) = range(len(CLASSES))
SMALLEST, LARGEST = 32, 256

# Colours are red, green, blue in 0..1. What stands on the grass is coloured by day and tinted by the time.
SKIES = {"day": ((0.22, 0.48, 0.88), (0.45, 0.70, 0.96), (0.80, 0.92, 1.00)),       # top, middle, horizon
         "dusk": ((0.36, 0.24, 0.54), (0.90, 0.48, 0.44), (1.00, 0.76, 0.44)),
         "night": ((0.04, 0.05, 0.18), (0.07, 0.10, 0.28), (0.12, 0.17, 0.37))}
GROUNDS = {"day": ((0.58, 0.80, 0.34), (0.36, 0.62, 0.24)),                         # horizon, bottom edge
           "dusk": ((0.66, 0.62, 0.30), (0.42, 0.44, 0.21)),
           "night": ((0.36, 0.54, 0.50), (0.24, 0.41, 0.41))}
MOUNTAINS = {"day": (0.50, 0.54, 0.72), "dusk": (0.52, 0.34, 0.50), "night": (0.24, 0.26, 0.46)}
SNOW = {"day": (0.97, 0.98, 1.00), "dusk": (1.00, 0.84, 0.80), "night": (0.58, 0.64, 0.80)}
CLOUDS = {"day": (1.00, 1.00, 1.00), "dusk": (1.00, 0.76, 0.68), "night": (0.33, 0.38, 0.55)}
LIGHTS = {"day": (1.00, 0.87, 0.22), "dusk": (1.00, 0.42, 0.16), "night": (0.96, 0.95, 0.84)}   # the sun or the moon
TINTS = {"day": ((1.00, 1.00, 1.00), (0.00, 0.00, 0.00)),                           # times, plus
         "dusk": ((0.88, 0.76, 0.76), (0.05, 0.01, 0.05)),
         "night": ((0.60, 0.61, 0.70), (0.02, 0.03, 0.10))}
WALLS = {"cream": (0.96, 0.90, 0.74), "white": (0.94, 0.94, 0.93), "ochre": (0.93, 0.74, 0.42), "rose": (0.90, 0.66, 0.60)}
ROOFS = {"red": (0.76, 0.22, 0.16), "slate": (0.38, 0.41, 0.53), "brown": (0.48, 0.27, 0.16), "teal": (0.14, 0.44, 0.46)}
DOORS = {"blue": (0.14, 0.28, 0.70), "red": (0.66, 0.08, 0.14), "green": (0.08, 0.42, 0.22), "brown": (0.38, 0.19, 0.08)}
LEAVES = {"green": {"round": (0.16, 0.46, 0.14), "conifer": (0.06, 0.34, 0.22)},
          "autumn": {"round": (0.86, 0.40, 0.08), "conifer": (0.74, 0.20, 0.08)}}
LEAVES_LIT = {"green": {"round": (0.34, 0.62, 0.20), "conifer": (0.12, 0.48, 0.30)},
              "autumn": {"round": (0.98, 0.60, 0.16), "conifer": (0.90, 0.34, 0.12)}}
BARK, SAND, FRAME, GLASS = (0.40, 0.25, 0.13), (0.86, 0.74, 0.52), (0.98, 0.97, 0.93), (0.26, 0.50, 0.78)
GLOW = (1.00, 0.82, 0.28)                                                            # a lit window

DOOR_SIZE, WINDOW_SIDE, TOWER_WIDTH = (0.100, 0.155), 0.096, 0.135
ROUND_CROWN = ((-0.13, -0.47, 0.20), (0.13, -0.47, 0.20), (0.0, -0.70, 0.29))        # x, y, radius, in tree heights
CONIFER_TIERS = ((-1.00, -0.60, 0.17), (-0.82, -0.38, 0.23), (-0.62, -0.16, 0.28))   # top, bottom, half width
CLOUD_PUFFS = ((-0.58, -0.02, 0.36), (-0.08, -0.22, 0.52), (0.50, -0.06, 0.42))      # in half cloud widths


def draw_attributes(seed: int, index: int) -> dict:
    """Decide what scene number `index` of `seed` holds.

    seed, index: integers >= 0. Lengths are fractions of the picture's side, y grows downwards, `base` is where a thing
    meets the ground. The geometry of a house or tower is drawn even where the flag says there is none.
    Returns a dict: time ("day" 45 %, "dusk" 25 %, "night" 30 %), house, tower, path, lit_windows, chimney, autumn,
    mountains, snow (bools), house_x, house_base, house_width, wall_height, roof_height, roof_kind ("gable" or "hip"),
    wall_colour, roof_colour, door_colour (names), tower_x, door_x, windows [(x, y)], path_x, path_width, horizon, bend,
    light (x, y, radius of sun or moon), clouds [(x, y, half width)], stars [(x, y)], peaks [(x, height, half width)],
    trees [{x, base, height, kind "round" or "conifer"}] from far to near.
    """
    # The stream of a bit generator is fixed by NumPy's promise; the top 24 bits, as a fraction, are exact in float64.
    raw = np.random.PCG64(np.random.SeedSequence([seed, index])).random_raw(160) >> np.uint64(40)
    numbers = iter((raw / 2.0 ** 24).tolist())

    def between(low, high):
        return low + (high - low) * next(numbers)

    def chance(share):
        return next(numbers) < share

    def choose(options):
        options = tuple(options)
        return options[int(next(numbers) * len(options))]

    u = next(numbers)
    a = {"time": "day" if u < 0.45 else "dusk" if u < 0.70 else "night"}
    a.update(house=chance(0.92), tower=chance(0.27), path=chance(0.85), lit_windows=chance(0.88), chimney=chance(0.40),
             autumn=chance(0.20), mountains=chance(0.50), snow=chance(0.60), horizon=between(0.58, 0.65),
             bend=between(-0.03, 0.03))
    a["tower"], a["path"] = a["tower"] and a["house"], a["path"] and a["house"]
    a["chimney"] = a["chimney"] and a["house"]
    a["lit_windows"] = a["lit_windows"] and a["house"] and a["time"] != "day"
    a["snow"] = a["snow"] and a["mountains"]

    # The house: a main wall, and on one end of it perhaps a tower; both fit in house_width.
    width = between(0.45 if a["tower"] else 0.35, 0.53)
    a.update(house_width=width, house_x=between(0.40, 0.60), house_base=between(0.74, 0.80),
             wall_height=between(0.21, 0.26), roof_height=between(0.14, 0.19), roof_kind=choose(("gable", "hip")),
             wall_colour=choose(WALLS), roof_colour=choose(ROOFS), door_colour=choose(DOORS))
    left, right = a["house_x"] - width / 2, a["house_x"] + width / 2
    on_left = chance(0.5)
    a["tower_x"] = left + TOWER_WIDTH / 2 if on_left else right - TOWER_WIDTH / 2
    wall_left = left + TOWER_WIDTH if a["tower"] and on_left else left
    wall_right = right - TOWER_WIDTH if a["tower"] and not on_left else right
    wall = wall_right - wall_left
    places = (0.18, 0.50, 0.82) if wall > 0.385 else (0.28, 0.72)                      # of door and windows along the wall
    door = choose((0, 1)) if len(places) == 2 else 1
    window_y = a["house_base"] - a["wall_height"] * 0.57
    a["door_x"] = wall_left + wall * places[door]
    a["windows"] = [(wall_left + wall * p, window_y) for i, p in enumerate(places) if i != door]
    if a["tower"]:
        a["windows"].append((a["tower_x"], a["house_base"] - a["wall_height"] - 0.07))
    a["path_x"] = a["door_x"] + between(-0.14, 0.14)                                 # its middle at the bottom edge
    a["path_width"] = between(0.22, 0.32)

    a["light"] = (between(0.08, 0.92), between(0.09, 0.24), between(0.050, 0.078))
    count = choose((0, 1, 1, 2, 2, 3))
    clouds = [((i + between(0.25, 0.75)) / 3, between(0.08, 0.30), between(0.10, 0.15)) for i in range(3)]
    a["clouds"] = clouds[:count] if chance(0.5) else clouds[3 - count:]
    stars = [((i + between(0.1, 0.9)) / 6, between(0.03, 0.42)) for i in range(6)]
    a["stars"] = stars if a["time"] == "night" else []
    peaks = [(x + between(-0.08, 0.08), between(0.14, 0.26), between(0.24, 0.34)) for x in (0.12, 0.88, 0.50)]
    a["peaks"] = peaks[:choose((2, 3))] if a["mountains"] else []

    # Trees: beside the house (at most 0.03 over its edge), and apart from each other.
    u = next(numbers)
    wanted = 0 if u < 0.04 else 1 if u < 0.22 else 2 if u < 0.56 else 3 if u < 0.86 else 4
    trees = []
    for _ in range(14):
        base, kind, extra, u = between(0.72, 0.92), choose(("round", "conifer")), between(0.0, 0.095), next(numbers)
        height = 0.22 + 0.45 * (base - 0.72) + extra                                 # nearer is larger
        half = height * (0.33 if kind == "round" else 0.28)
        room_left = max(left + 0.03 - half - 0.05, 0.0) if a["house"] else 0.90
        room_right = max(0.95 - (right - 0.03 + half), 0.0) if a["house"] else 0.0
        u *= room_left + room_right
        x = 0.05 + u if u < room_left else 0.95 - room_right + (u - room_left)
        apart = all(abs(x - t["x"]) > (half + t["height"] * 0.3) * (0.6 if abs(base - t["base"]) > 0.08 else 0.8)
                    for t in trees)
        if len(trees) < wanted and apart and room_left + room_right > 0:
            trees.append({"x": x, "base": base, "height": height, "kind": kind})
    a["trees"] = sorted(trees, key=lambda t: t["base"])
    return a


@functools.lru_cache(maxsize=None)
def _paint(colour: tuple, time: str) -> np.ndarray:
    """A colour tinted by the time of day, 3×1×1, to be broadcast over pixels."""
    times, plus = TINTS[time]
    return np.array([c * t + p for c, t, p in zip(colour, times, plus)]).reshape(3, 1, 1)


def _plain(colour: tuple) -> np.ndarray:
    return _paint(colour, "day")


def _ramp(t: np.ndarray) -> np.ndarray:
    """min(max(t, 0), 1), in place."""
    np.maximum(t, 0.0, out=t)
    return np.minimum(t, 1.0, out=t)


@functools.lru_cache(maxsize=None)
def _centres(size: int) -> np.ndarray:
    return (np.arange(size) + 0.5) / size


class _Canvas:
    """A picture under way: `image` 3×H×W in 0..1 and `mask` H×W; shapes are laid over it from back to front."""

    def __init__(self, size: int):
        self.size, self.at = size, _centres(size)
        self.image = np.empty((3, size, size))
        self.mask = np.zeros((size, size), np.uint8)

    def box(self, left, top, right, bottom):
        """The pixels that a shape within these bounds can touch: rows, columns, their y (h×1) and x (w)."""
        s = self.size
        columns = slice(max(int(left * s) - 1, 0), max(min(int(right * s) + 2, s), 0))
        rows = slice(max(int(top * s) - 1, 0), max(min(int(bottom * s) + 2, s), 0))
        return rows, columns, self.at[rows, None], self.at[columns]

    def lay(self, rows, columns, coverage, colour, label=None):
        """Blend `colour` (3×1×1, or 3 × anything that broadcasts to h×w) by `coverage` h×w; label it where > 0.5."""
        region = self.image[:, rows, columns]
        region += coverage * (colour - region)
        if label is not None:
            np.copyto(self.mask[rows, columns], label, where=coverage > 0.5)

    def fill(self, rows, columns, distance, colour, label=None):
        """Lay a shape given by its signed distance h×w (negative inside)."""
        self.lay(rows, columns, _ramp(0.5 - distance * self.size), colour, label)

    def rectangle(self, left, top, right, bottom, colour, label):
        """The exact share of each pixel that the rectangle covers."""
        rows, columns, y, x = self.box(left, top, right, bottom)
        half = 0.5 / self.size
        across = np.maximum(np.minimum(x + half, right) - np.maximum(x - half, left), 0.0) * self.size
        down = np.maximum(np.minimum(y + half, bottom) - np.maximum(y - half, top), 0.0) * self.size
        self.lay(rows, columns, across * down, colour, label)

    def polygon(self, corners, colour, label):
        """A convex polygon, corners clockwise as seen: the greatest of its edges' distances."""
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        rows, columns, y, x = self.box(min(xs), min(ys), max(xs), max(ys))
        distance = None
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
            length = math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0))
            across, down = (y1 - y0) / length, (x0 - x1) / length
            edge = (x - x0) * across + (y - y0) * down
            distance = edge if distance is None else np.maximum(distance, edge, out=distance)
        self.fill(rows, columns, distance, colour(x, y) if callable(colour) else colour, label)


def _circle(x, y, cx, cy, radius):
    dx, dy = x - cx, y - cy
    return np.sqrt(dx * dx + dy * dy) - radius


def _backdrop(c: _Canvas, a: dict):
    """Sky, stars, sun or moon, mountains, clouds, grass, path."""
    time, horizon = a["time"], a["horizon"]
    top, middle, low = (_plain(colour) for colour in SKIES[time])
    t = c.at[:, None] / horizon
    c.image[:] = top + (middle - top) * _ramp(t * 2) + (low - middle) * _ramp(t * 2 - 1)
    for x, y in a["stars"]:
        rows, columns, v, h = c.box(x - 0.013, y - 0.013, x + 0.013, y + 0.013)
        c.fill(rows, columns, _circle(h, v, x, y, 0.012), _plain((0.90, 0.92, 1.00)), SKY)
    x, y, radius = a["light"]
    halo = radius * 2.6
    rows, columns, v, h = c.box(x - halo, y - halo, x + halo, y + halo)
    distance = _circle(h, v, x, y, radius)
    light = _plain(LIGHTS[time])
    near = _ramp(1.0 - (distance + radius) / halo)
    c.lay(rows, columns, near * near * 0.6, light)
    c.fill(rows, columns, distance, light, MOON if time == "night" else SUN)

    for peak, height, half in a["peaks"]:
        summit = horizon - height
        rock, white = _plain(MOUNTAINS[time]), _plain(SNOW[time])

        def stone(x, y, peak=peak, summit=summit, rock=rock, white=white, height=height):
            colour = rock
            if a["snow"]:
                colour = rock + (white - rock) * _ramp(0.5 + (summit + 0.30 * height - y) * c.size)
            return colour * (1.0 - 0.22 * _ramp(0.5 + (x - peak) / 0.04))                      # its right is in shade

        c.polygon([(peak, summit), (peak + half, horizon + 0.04), (peak - half, horizon + 0.04)], stone, MOUNTAIN)
    for x, y, half in a["clouds"]:
        rows, columns, v, h = c.box(x - half, y - 0.75 * half, x + half, y + 0.24 * half)
        distance = functools.reduce(np.minimum, [_circle(h, v, x + px * half, y + py * half, r * half)
                                                 for px, py, r in CLOUD_PUFFS])
        shade = 1.0 - 0.14 * _ramp(0.5 + (v - y) / half)
        c.fill(rows, columns, np.maximum(distance, v - (y + 0.20 * half)), _plain(CLOUDS[time]) * shade, CLOUD)

    rows, columns, v, h = c.box(0.0, horizon - 0.04, 1.0, 1.0)
    far, near = (_plain(colour) for colour in GROUNDS[time])
    t = _ramp((v - horizon) / (1.0 - horizon))
    c.fill(rows, columns, horizon + a["bend"] * (4 * (h - 0.5) * (h - 0.5) - 0.5) - v, far + (near - far) * t, GRASS)
    if a["path"]:
        door, base, x, half = a["door_x"], a["house_base"], a["path_x"], a["path_width"] / 2
        top = DOOR_SIZE[0] * 0.55
        c.polygon([(door - top, base - 0.01), (door + top, base - 0.01), (x + half, 1.02), (x - half, 1.02)],
                  _paint(SAND, time), PATH)


def _house(c: _Canvas, a: dict):
    time, base = a["time"], a["house_base"]
    wall, roof = _paint(WALLS[a["wall_colour"]], time), _paint(ROOFS[a["roof_colour"]], time)
    left, right = a["house_x"] - a["house_width"] / 2, a["house_x"] + a["house_width"] / 2
    eave = base - a["wall_height"]
    ridge = eave - a["roof_height"]
    tower = a["tower_x"] - TOWER_WIDTH / 2, a["tower_x"] + TOWER_WIDTH / 2
    if a["tower"] and a["tower_x"] < a["house_x"]:
        left = tower[1] - 0.02
    elif a["tower"]:
        right = tower[0] + 0.02
    middle, over = (left + right) / 2, 0.03
    if a["chimney"]:
        x = middle + 0.22 * (right - left) * (-1 if a["tower_x"] > a["house_x"] else 1)
        top = ridge - (0.005 if a["roof_kind"] == "gable" else 0.055)
        c.rectangle(x - 0.026, top, x + 0.026, eave, roof * 0.78, ROOF)
    c.rectangle(left, eave, right, base, wall, WALL)
    flat = 0.0 if a["roof_kind"] == "gable" else 0.24 * (right - left)
    top = [(middle, ridge)] if flat == 0.0 else [(middle - flat, ridge), (middle + flat, ridge)]
    c.polygon(top + [(right + over, eave + 0.012), (left - over, eave + 0.012)], roof, ROOF)
    if a["tower"]:
        cap = eave - 0.13
        c.rectangle(tower[0], cap, tower[1], base, wall * 0.92, WALL)
        c.polygon([(a["tower_x"], cap - 0.16), (tower[1] + 0.025, cap + 0.01), (tower[0] - 0.025, cap + 0.01)], roof, ROOF)
    wide, high = DOOR_SIZE
    c.rectangle(a["door_x"] - wide / 2, base - high, a["door_x"] + wide / 2, base, _paint(DOORS[a["door_colour"]], time), DOOR)
    pane = _plain(GLOW) if a["lit_windows"] else _paint(GLASS, time)
    for x, y in a["windows"]:
        for half, colour in ((WINDOW_SIDE / 2, _paint(FRAME, time)), (WINDOW_SIDE / 2 - 0.012, pane)):
            c.rectangle(x - half, y - half, x + half, y + half, colour, WINDOW)


def _tree(c: _Canvas, a: dict, tree: dict):
    x, base, tall, kind = tree["x"], tree["base"], tree["height"], tree["kind"]
    season = "autumn" if a["autumn"] else "green"
    dark, lit = _paint(LEAVES[season][kind], a["time"]), _paint(LEAVES_LIT[season][kind], a["time"])
    c.rectangle(x - 0.065 * tall, base - 0.35 * tall, x + 0.065 * tall, base, _paint(BARK, a["time"]), TRUNK)
    rows, columns, v, h = c.box(x - 0.34 * tall, base - tall, x + 0.34 * tall, base - 0.15 * tall)
    if kind == "round":
        distance = functools.reduce(np.minimum, [_circle(h, v, x + px * tall, base + py * tall, r * tall)
                                                 for px, py, r in ROUND_CROWN])
        light = _ramp(0.5 - _circle(h, v, x - 0.08 * tall, base - 0.72 * tall, 0.17 * tall) / (0.12 * tall))
    else:
        aside, distance = np.abs(h - x), None
        for top, bottom, half in CONIFER_TIERS:
            slant = math.sqrt((bottom - top) * (bottom - top) + half * half)
            tier = aside * ((bottom - top) / slant) + (base + top * tall - v) * (half / slant)
            np.maximum(tier, v - (base + bottom * tall), out=tier)
            distance = tier if distance is None else np.minimum(distance, tier, out=distance)
        light = _ramp(0.5 - (h - x + 0.04 * tall) / (0.10 * tall))
    c.fill(rows, columns, distance, dark + (lit - dark) * light, TREE)


def _check_size(size):
    if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size must be a whole number of pixels in {SMALLEST}..{LARGEST}, not {size!r}")


def render(attributes: dict, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Paint a scene.

    attributes: from `draw_attributes`, perhaps edited. size: pixels a side, 32..256, else ValueError.
    Returns image, uint8 size×size×3 in 0..255, and mask, uint8 size×size of indices into `CLASSES`: the topmost
    shape that covers more than half of the pixel. Stars count as sky, snow as mountain, a chimney as roof.
    """
    _check_size(size)
    c = _Canvas(size)
    _backdrop(c, attributes)
    house = [(attributes["house_base"], _house, ())] if attributes["house"] else []
    things = house + [(tree["base"], _tree, (tree,)) for tree in attributes["trees"]]
    for _, paint, more in sorted(things, key=lambda thing: thing[0]):                 # the far ones first
        paint(c, attributes, *more)
    image = np.empty((size, size, 3), np.uint8)
    image[:] = (_ramp(c.image) * 255.0 + 0.5).transpose(1, 2, 0)                      # truncates: rounds to nearest
    return image, c.mask


class Scenes(torch.utils.data.Dataset):
    """`n` scenes drawn from `seed`, each made when it is asked for.

    `scenes[i]` is (image, float 3×size×size in [-1, 1]; mask, long size×size of indices into `.classes`; attributes,
    the dict of `draw_attributes`). An index outside 0..n-1 raises IndexError, a size outside 32..256 ValueError.
    """
    classes = CLASSES

    def __init__(self, n: int, size: int = 64, seed: int = 0):
        _check_size(size)
        self.n, self.size, self.seed = n, size, seed

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, dict]:
        if not 0 <= index < self.n:
            raise IndexError(f"scene {index} of {self.n}: the index must lie in 0..{self.n - 1}")
        attributes = draw_attributes(self.seed, index)
        image, mask = render(attributes, self.size)
        return torch.from_numpy(image).permute(2, 0, 1) / 127.5 - 1, torch.from_numpy(mask).long(), attributes

    def images(self) -> torch.Tensor:
        """All pictures at once: uint8 n×3×size×size in 0..255 (12 kB each at 64), with a progress bar."""
        out = torch.empty(self.n, 3, self.size, self.size, dtype=torch.uint8)
        for i in tqdm(range(self.n), desc="scenes", unit="image"):
            image, _ = render(draw_attributes(self.seed, i), self.size)
            out[i] = torch.from_numpy(image).permute(2, 0, 1)
        return out
