"""Rendered villages: pictures whose every pixel has a known class and whose every fact is known.

GAN Dissection (arXiv 1811.10597) asks which unit draws which object. Here the objects are exact:
`draw_attributes` decides what stands where, `render` paints it at any size and labels each pixel.

The same seed gives the same pixels on every machine: see `drawing`.
"""
import functools
import math

import numpy as np
import torch

from .drawing import Canvas, Drawings, check_size, circles, ramp, random_numbers

CLASSES = ("sky", "cloud", "sun", "moon", "mountain", "grass", "path", "wall", "roof", "door", "window",
           "tree", "trunk")
SKY, CLOUD, SUN, MOON, MOUNTAIN, GRASS, PATH, WALL, ROOF, DOOR, WINDOW, TREE, TRUNK = range(len(CLASSES))
BELONGS = {"tree": "grass", "door": "wall", "window": "wall", "cloud": "sky", "mountain": "sky",      # what may be
           "grass": "path"}                                                                            # added, where

# Red, green, blue in 0..1. What stands on the grass has its colour by day, tinted by the time (times, plus).
SKIES = {"day": ((0.22, 0.48, 0.88), (0.45, 0.70, 0.96), (0.80, 0.92, 1.00)),     # top, middle, horizon
         "dusk": ((0.36, 0.24, 0.54), (0.90, 0.48, 0.44), (1.00, 0.76, 0.44)),
         "night": ((0.04, 0.05, 0.18), (0.07, 0.10, 0.28), (0.12, 0.17, 0.37))}
GROUNDS = {"day": ((0.58, 0.80, 0.34), (0.36, 0.62, 0.24)),                       # horizon, bottom edge
           "dusk": ((0.66, 0.62, 0.30), (0.42, 0.44, 0.21)),
           "night": ((0.36, 0.54, 0.50), (0.24, 0.41, 0.41))}
MOUNTAINS = {"day": (0.50, 0.54, 0.72), "dusk": (0.52, 0.34, 0.50), "night": (0.24, 0.26, 0.46)}
SNOW = {"day": (0.97, 0.98, 1.00), "dusk": (1.00, 0.84, 0.80), "night": (0.58, 0.64, 0.80)}
CLOUDS = {"day": (1.00, 1.00, 1.00), "dusk": (1.00, 0.76, 0.68), "night": (0.33, 0.38, 0.55)}
LIGHTS = {"day": (1.00, 0.87, 0.22), "dusk": (1.00, 0.42, 0.16), "night": (0.96, 0.95, 0.84)}   # sun or moon
TINTS = {"day": ((1.00, 1.00, 1.00), (0.00, 0.00, 0.00)), "dusk": ((0.88, 0.76, 0.76), (0.05, 0.01, 0.05)),
         "night": ((0.60, 0.61, 0.70), (0.02, 0.03, 0.10))}
WALLS = {"cream": (0.96, 0.90, 0.74), "white": (0.94, 0.94, 0.93),
         "ochre": (0.93, 0.74, 0.42), "rose": (0.90, 0.66, 0.60)}
ROOFS = {"red": (0.76, 0.22, 0.16), "slate": (0.38, 0.41, 0.53),
         "brown": (0.48, 0.27, 0.16), "teal": (0.14, 0.44, 0.46)}
DOORS = {"blue": (0.14, 0.28, 0.70), "red": (0.66, 0.08, 0.14),
         "green": (0.08, 0.42, 0.22), "brown": (0.38, 0.19, 0.08)}
LEAVES = {("round", False): ((0.16, 0.46, 0.14), (0.34, 0.62, 0.20)),             # (kind, autumn): dark, lit
          ("conifer", False): ((0.06, 0.34, 0.22), (0.12, 0.48, 0.30)),
          ("round", True): ((0.86, 0.40, 0.08), (0.98, 0.60, 0.16)),
          ("conifer", True): ((0.74, 0.20, 0.08), (0.90, 0.34, 0.12))}
BARK, SAND, FRAME, GLASS = (0.40, 0.25, 0.13), (0.86, 0.74, 0.52), (0.98, 0.97, 0.93), (0.26, 0.50, 0.78)
GLOW, STAR = (1.00, 0.82, 0.28), (0.90, 0.92, 1.00)                               # a lit window, a star

DOOR_WIDTH, DOOR_HEIGHT, WINDOW_SIDE, TOWER_WIDTH = 0.100, 0.155, 0.096, 0.135
ROUND_CROWN = ((-0.13, -0.47, 0.20), (0.13, -0.47, 0.20), (0.0, -0.70, 0.29))    # x, y, radius: in heights
CONIFER_TIERS = ((-1.00, -0.60, 0.17), (-0.82, -0.38, 0.23), (-0.62, -0.16, 0.28))  # top, bottom, half
CLOUD_PUFFS = ((-0.58, -0.02, 0.36), (-0.08, -0.22, 0.52), (0.50, -0.06, 0.42))  # in half cloud widths


def draw_attributes(seed: int, index: int) -> dict:
    """Decide what scene number `index` of `seed` holds (integers >= 0, else ValueError).

    Lengths are fractions of the picture's side, y grows downwards, `base` is where a thing meets the ground. Returns
    time ("day" 45 %, "dusk" 25 %, "night" 30 %); bools house, tower, path, lit_windows, chimney, autumn, mountains,
    snow; house_x, house_base, house_width (with its tower), wall_height, roof_height, roof_kind ("gable", "hip"),
    wall_colour, roof_colour, door_colour (keys of WALLS, ROOFS, DOORS), tower_x, door_x, windows [(x, y)], path_x and
    path_width at the bottom edge, horizon, bend (of its line), light (x, y, radius of sun or moon), clouds [(x, y, half
    width)], stars [(x, y)], peaks [(x, height, half width)], trees [{x, base, height, kind "round" or "conifer"}], far
    ones first. The positions of a house or a tower are there even when it is not.
    """
    numbers = random_numbers(seed, index, 160)

    def between(low, high):
        return low + (high - low) * next(numbers)

    def chance(share):
        return next(numbers) < share

    def choose(options):
        return tuple(options)[int(next(numbers) * len(options))]

    u = next(numbers)
    a = {"time": "day" if u < 0.45 else "dusk" if u < 0.70 else "night", "house": chance(0.92)}
    a.update(tower=chance(0.27) and a["house"], path=chance(0.85) and a["house"],
             lit_windows=chance(0.88) and a["house"] and a["time"] != "day",
             chimney=chance(0.40) and a["house"], autumn=chance(0.20), mountains=chance(0.50))
    a.update(snow=chance(0.60) and a["mountains"], horizon=between(0.58, 0.65), bend=between(-0.03, 0.03))

    # The house: a main wall, and on one end of it perhaps a tower.
    width = between(0.45 if a["tower"] else 0.35, 0.53)
    a.update(house_width=width, house_x=between(0.40, 0.60), house_base=between(0.74, 0.80),
             wall_height=between(0.21, 0.26), roof_height=between(0.14, 0.19),
             roof_kind=choose(("gable", "hip")), wall_colour=choose(WALLS), roof_colour=choose(ROOFS),
             door_colour=choose(DOORS))
    left, right = a["house_x"] - width / 2, a["house_x"] + width / 2
    on_left = chance(0.5)
    a["tower_x"] = left + TOWER_WIDTH / 2 if on_left else right - TOWER_WIDTH / 2
    start = left + TOWER_WIDTH if a["tower"] and on_left else left
    wall = (right - TOWER_WIDTH if a["tower"] and not on_left else right) - start
    places = (0.18, 0.50, 0.82) if wall > 0.385 else (0.28, 0.72)       # of door and windows in it
    door = choose((0, 1)) if len(places) == 2 else 1
    a["door_x"] = start + wall * places[door]
    window_y = a["house_base"] - a["wall_height"] * 0.57
    a["windows"] = [(start + wall * place, window_y) for i, place in enumerate(places) if i != door]
    if a["tower"]:
        a["windows"].append((a["tower_x"], a["house_base"] - a["wall_height"] - 0.07))
    a.update(path_x=a["door_x"] + between(-0.14, 0.14), path_width=between(0.22, 0.32))

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
        base, kind = between(0.72, 0.92), choose(("round", "conifer"))
        height = 0.22 + 0.45 * (base - 0.72) + between(0.0, 0.095)           # nearer is larger
        half = height * (0.33 if kind == "round" else 0.28)
        room_left = max(left + 0.03 - half - 0.05, 0.0) if a["house"] else 0.90
        room_right = max(0.95 - (right - 0.03 + half), 0.0) if a["house"] else 0.0
        u = next(numbers) * (room_left + room_right)
        x = 0.05 + u if u < room_left else 0.95 - room_right + (u - room_left)
        apart = all(abs(x - other["x"]) > (half + other["height"] * 0.3)
                    * (0.6 if abs(base - other["base"]) > 0.08 else 0.8) for other in trees)
        if len(trees) < wanted and apart and room_left + room_right > 0:
            trees.append({"x": x, "base": base, "height": height, "kind": kind})
    a["trees"] = sorted(trees, key=lambda tree: tree["base"])
    return a


@functools.cache
def _paint(colour: tuple, time: str = "day") -> np.ndarray:
    """A colour tinted by the time of day, 3×1×1, to be broadcast over pixels."""
    tinted = [c * times + plus for c, times, plus in zip(colour, *TINTS[time], strict=True)]
    return np.array(tinted).reshape(3, 1, 1)


def _backdrop(c: Canvas, a: dict):
    """Sky, stars, sun or moon, mountains, clouds, grass, path."""
    time, horizon = a["time"], a["horizon"]
    top, middle, low = (_paint(colour) for colour in SKIES[time])
    t = c.at[:, None] / horizon
    c.image[:] = top + (middle - top) * ramp(t * 2) + (low - middle) * ramp(t * 2 - 1)
    for x, y in a["stars"]:
        box, h, v = c.box(x - 0.013, y - 0.013, x + 0.013, y + 0.013)
        c.fill(box, circles(h, v, [(x, y, 0.012)]), _paint(STAR), SKY)
    x, y, radius = a["light"]
    halo = radius * 2.6
    box, h, v = c.box(x - halo, y - halo, x + halo, y + halo)
    distance = circles(h, v, [(x, y, radius)])
    near = ramp(1.0 - (distance + radius) / halo)
    c.lay(box, near * near * 0.6, _paint(LIGHTS[time]))
    c.fill(box, distance, _paint(LIGHTS[time]), MOON if time == "night" else SUN)

    rock, snow = _paint(MOUNTAINS[time]), _paint(SNOW[time])
    for peak, height, half in a["peaks"]:
        summit, foot = horizon - height, horizon + 0.04
        snow_line = summit + 0.30 * height if a["snow"] else -1.0

        def stone(x, y, peak=peak, snow_line=snow_line):
            colour = rock + (snow - rock) * ramp(0.5 + (snow_line - y) * c.size)
            return colour * (1.0 - 0.22 * ramp(0.5 + (x - peak) / 0.04))    # the right side is in shade

        c.polygon([(peak, summit), (peak + half, foot), (peak - half, foot)], stone, MOUNTAIN)
    for x, y, half in a["clouds"]:
        box, h, v = c.box(x - half, y - 0.75 * half, x + half, y + 0.24 * half)
        distance = np.maximum(circles(h, v, CLOUD_PUFFS, x, y, half), v - (y + 0.20 * half))
        c.fill(box, distance, _paint(CLOUDS[time]) * (1.0 - 0.14 * ramp(0.5 + (v - y) / half)), CLOUD)

    box, h, v = c.box(0.0, horizon - 0.04, 1.0, 1.0)
    far, near = (_paint(colour) for colour in GROUNDS[time])
    edge = horizon + a["bend"] * (4 * (h - 0.5) * (h - 0.5) - 0.5)
    c.fill(box, edge - v, far + (near - far) * ramp((v - horizon) / (1.0 - horizon)), GRASS)
    if a["path"]:
        start, x, y, half = DOOR_WIDTH * 0.55, a["door_x"], a["house_base"] - 0.01, a["path_width"] / 2
        c.polygon([(x - start, y), (x + start, y), (a["path_x"] + half, 1.02), (a["path_x"] - half, 1.02)],
                  _paint(SAND, time), PATH)


def _house(c: Canvas, a: dict):
    time, base, x = a["time"], a["house_base"], a["tower_x"]
    wall, roof = _paint(WALLS[a["wall_colour"]], time), _paint(ROOFS[a["roof_colour"]], time)
    left, right = a["house_x"] - a["house_width"] / 2, a["house_x"] + a["house_width"] / 2
    tower_left, tower_right, tower_on_left = x - TOWER_WIDTH / 2, x + TOWER_WIDTH / 2, x < a["house_x"]
    if a["tower"]:                                                           # the wall ends just behind it
        left, right = (tower_right - 0.02, right) if tower_on_left else (left, tower_left + 0.02)
    middle, eave = (left + right) / 2, base - a["wall_height"]
    ridge = eave - a["roof_height"]
    if a["chimney"]:                                                         # on the side away from the tower
        chimney = middle + 0.22 * (right - left) * (1 if x <= a["house_x"] else -1)
        top = ridge - (0.005 if a["roof_kind"] == "gable" else 0.055)
        c.rectangle(chimney - 0.026, top, chimney + 0.026, eave, roof * 0.78, ROOF)
    c.rectangle(left, eave, right, base, wall, WALL)
    flat = 0.24 * (right - left)
    top = [(middle, ridge)] if a["roof_kind"] == "gable" else [(middle - flat, ridge), (middle + flat, ridge)]
    c.polygon(top + [(right + 0.03, eave + 0.012), (left - 0.03, eave + 0.012)], roof, ROOF)
    if a["tower"]:
        cap = eave - 0.13
        c.rectangle(tower_left, cap, tower_right, base, wall * 0.92, WALL)
        rim = cap + 0.01
        c.polygon([(x, cap - 0.16), (tower_right + 0.025, rim), (tower_left - 0.025, rim)], roof, ROOF)
    x, half = a["door_x"], DOOR_WIDTH / 2
    c.rectangle(x - half, base - DOOR_HEIGHT, x + half, base, _paint(DOORS[a["door_colour"]], time), DOOR)
    pane = _paint(GLOW) if a["lit_windows"] else _paint(GLASS, time)
    for x, y in a["windows"]:
        for half, colour in ((WINDOW_SIDE / 2, _paint(FRAME, time)), (WINDOW_SIDE / 2 - 0.012, pane)):
            c.rectangle(x - half, y - half, x + half, y + half, colour, WINDOW)


def _tree(c: Canvas, a: dict, tree: dict):
    x, base, tall, kind = tree["x"], tree["base"], tree["height"], tree["kind"]
    dark, lit = (_paint(colour, a["time"]) for colour in LEAVES[kind, a["autumn"]])
    c.rectangle(x - 0.065 * tall, base - 0.35 * tall, x + 0.065 * tall, base, _paint(BARK, a["time"]), TRUNK)
    box, h, v = c.box(x - 0.34 * tall, base - tall, x + 0.34 * tall, base - 0.15 * tall)
    if kind == "round":
        distance = circles(h, v, ROUND_CROWN, x, base, tall)
        light = ramp(0.5 - circles(h, v, [(-0.08, -0.72, 0.17)], x, base, tall) / (0.12 * tall))
    else:
        aside, distance = np.abs(h - x), None
        for top, bottom, half in CONIFER_TIERS:
            slant = math.sqrt((bottom - top) * (bottom - top) + half * half)
            tier = aside * ((bottom - top) / slant) + (base + top * tall - v) * (half / slant)
            np.maximum(tier, v - (base + bottom * tall), out=tier)
            distance = tier if distance is None else np.minimum(distance, tier, out=distance)
        light = ramp(0.5 - (h - x + 0.04 * tall) / (0.10 * tall))
    c.fill(box, distance, dark + (lit - dark) * light, TREE)


def render(attributes: dict, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Paint a scene of `draw_attributes`, perhaps edited. size: pixels a side, 32..256, else ValueError.

    Returns image, uint8 size×size×3 in 0..255, and mask, uint8 size×size, indices into `CLASSES`: the topmost
    shape that covers more than half of the pixel. Stars count as sky, snow as mountain, a chimney as roof.
    """
    check_size(size)
    c = Canvas(size)
    _backdrop(c, attributes)
    things = [(attributes["house_base"], _house, ())] if attributes["house"] else []
    things += [(tree["base"], _tree, (tree,)) for tree in attributes["trees"]]
    for _, paint, more in sorted(things, key=lambda thing: thing[0]):        # the far ones first
        paint(c, attributes, *more)
    return c.finish()


class Scenes(Drawings):
    """`n` scenes of a seed, made when they are asked for: `scenes[i]` is image, mask, attributes; see `Drawings`."""

    classes, name = CLASSES, "scenes"
    draw_attributes, render = staticmethod(draw_attributes), staticmethod(render)


def time_of(images: torch.Tensor) -> list[str]:
    """"day", "dusk" or "night" of pictures of villages, real or generated: N×3×H×W in [-1, 1] -> N words.

    The time whose colour at the top of the sky is nearest to the median of the picture's uppermost eighth.
    """
    top = images[:, :, :max(1, images.shape[2] // 8)].flatten(2).median(2).values.float().cpu()     # (N, 3)
    colours = torch.tensor([sky[0] for sky in SKIES.values()]) * 2 - 1                              # (3, 3)
    return [tuple(SKIES)[i] for i in torch.cdist(top, colours).argmin(1).tolist()]
