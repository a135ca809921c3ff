"""What the people of `portraits` wear, and what they sit before: clothes, hats, glasses, earrings, backdrops."""
import numpy as np

from .drawing import Canvas, circles, paint, ramp
from .faces import CLOTHES, EARRING, EYE_X, GLASSES, HAT, INK, SKIN, WHITE, Head, mix, times

CLOTHS = {"red": (0.82, 0.27, 0.25), "mustard": (0.93, 0.70, 0.25), "green": (0.22, 0.52, 0.40),
          "blue": (0.20, 0.36, 0.64), "white": (0.95, 0.94, 0.91), "plum": (0.48, 0.26, 0.46)}
BACKDROPS = {"coral": (0.97, 0.66, 0.57), "sun": (0.98, 0.82, 0.46), "mint": (0.62, 0.86, 0.75),
             "sky": (0.55, 0.78, 0.95), "lilac": (0.78, 0.71, 0.93), "sand": (0.92, 0.85, 0.73),
             "night": (0.22, 0.30, 0.48)}
FRAMES = {"round": (0.55, 0.30, 0.16), "square": (0.14, 0.14, 0.20), "sunglasses": (0.10, 0.09, 0.12)}
GOLD = (0.97, 0.78, 0.28)


def backdrop(c: Canvas, a: dict):
    colour = BACKDROPS[a["backdrop_colour"]]
    pale, colour = paint(mix(colour, WHITE, 0.5)), paint(colour)
    if a["backdrop"] == "plain":
        share = c.at[:, None]
    else:
        x, y = c.at - 0.5, c.at[:, None] - 0.48
        distance = np.sqrt(x * x + y * y)
        share = ramp(distance * 2.1 - 0.25) if a["backdrop"] == "glow" else c.cover(distance - 0.37)
    np.multiply(colour - pale, share, out=c.image)
    c.image += pale


def body(c: Canvas, a: dict, head: Head):
    """Neck, shoulders and what they wear."""
    middle = 0.25 + 0.5 * head.x
    box, x, y = c.box(middle - 0.11, head.y + 0.1, middle + 0.11, 0.94)
    wide = np.maximum(y - 0.72, 0.0)
    below = ramp((y - head.y - head.chin) * 8.0 + 0.1) * 0.75
    skin, shade = paint(head.skin), paint(times(head.shade, 0.92, 0.92, 0.92))
    c.fill(box, np.abs(x - middle) - (0.078 + wide * wide * 5.0), shade + (skin - shade) * below, SKIN)

    style, cloth = a["clothes"], CLOTHS[a["clothes_colour"]]
    second = paint(mix(cloth, INK if a["clothes_colour"] == "white" else WHITE, 0.72))
    cloth = paint(cloth)
    half = 0.425 + 0.035 * a["shoulders"]
    box, x, y = c.box(0.5 - half, 0.70, 0.5 + half, 1.0)
    x, aside = x - 0.5, x - middle
    p, q = x * (1 / half), (y - 1.10) * (1 / 0.335)
    p, q = p * p, q * q
    distance = (p + q - 0.55 * p * q - 1.0) * 0.17
    if style in ("plain", "striped"):
        q = y - 0.775
        hole = np.sqrt(aside * aside + q * q * 1.44) - 0.091
    elif style == "turtleneck":
        hole = 1.0
    else:
        hole = np.abs(aside) * 0.86 + (y - (0.92 if style == "v-neck" else 0.89)) * 0.5
    lit = 1.0 - 0.20 * ramp(0.5 - x * (1.6 * a["light"]) + (y - 0.9))
    colour = cloth * lit
    if style == "striped":
        t = y * 11.0
        t = ramp(0.5 + (np.abs(t - np.floor(t) - 0.5) - 0.25) * (c.scale / 11.0))
        colour = (cloth + (second - cloth) * t) * lit
    c.fill(box, np.maximum(distance, -hole), colour, CLOTHES)
    if style == "collar":
        box, x, y = c.box(0.33, 0.75, 0.67, 0.95)
        x = np.abs(x - middle)
        band = np.abs(x * 0.86 + (y - 0.89) * 0.5 - 0.030) - 0.030
        flap = np.maximum(np.maximum(band, x - 0.155), np.maximum((y - 0.93) + 0.3 * x, 0.76 - y))
        c.fill(box, flap, second, CLOTHES)
    elif style == "turtleneck":
        box, x, y = c.box(middle - 0.12, 0.74, middle + 0.12, 0.87)
        x = np.abs(x - middle)
        q = y - 0.765
        roll = np.maximum(np.maximum(x - 0.084 - 0.25 * q, 2.2 * x * x - q - 0.016), q - 0.085 + 2.2 * x * x)
        c.fill(box, roll, cloth * (1.02 - 2.6 * q), CLOTHES)


def glasses(c: Canvas, a: dict, head: Head):
    box, p, v = head.front(head.half + 0.01, -0.095, 0.10, 0.005)
    aside, v = np.abs(p), v - 0.004
    x = aside - EYE_X
    if a["glasses"] == "round":
        lens = np.sqrt(x * x + v * v) - 0.078
    else:
        w, h = np.maximum(np.abs(x) - 0.054, 0.0), np.maximum(np.abs(v) - 0.036, 0.0)
        lens = np.sqrt(w * w + h * h) - 0.028
    bridge = np.maximum(np.maximum(np.abs(v + 0.010) - 0.009, -lens), aside - head.half - 0.005)   # and temples
    if a["glasses"] == "sunglasses":
        c.lay(box, c.cover(lens) * 0.90, paint((0.12, 0.12, 0.16)) + 0.34 * ramp(0.15 - (v + p * 0.6) * 7.0), GLASSES)
    else:
        c.lay(box, c.cover(lens) * 0.16, 1.0)
    c.fill(box, np.minimum(np.abs(lens) - 0.011, bridge), paint(FRAMES[a["glasses"]]), GLASSES)


def hat(c: Canvas, a: dict, head: Head):
    style, cloth = a["hat"], CLOTHS[a["hat_colour"]]
    dark, pale, cloth = paint(times(cloth, 0.70, 0.70, 0.70)), paint(mix(cloth, WHITE, 0.35)), paint(cloth)
    box, u, v, edge, _ = head.above(-0.05)
    lit = 1.0 - 0.22 * ramp(0.4 - u * (2.4 * a["light"]) + np.abs(u) * 0.8)
    edge = edge - 0.036
    if style == "beanie":
        v = v + 0.6 * u * u
        c.fill(box, np.maximum(edge, v + 0.10), cloth * lit, HAT)
        c.fill(box, np.maximum(edge - 0.006, np.abs(v + 0.125) - 0.030), pale * lit, HAT)
        box, u, v = head.box(-0.06, -0.36, 0.06, -0.23, -0.02)
        c.fill(box, circles(u, v, [(0.0, -0.288, 0.052)]), pale * (0.9 - 3.0 * (v + 0.288)), HAT)
    elif style == "cap":
        c.fill(box, np.maximum(edge, v + 0.105 + 0.3 * u * u), cloth * lit, HAT)
        box, u, v = head.box(-0.19, -0.18, 0.19, -0.05, 0.06)
        q = u * (1 / 0.185)
        bow = 1.0 - q * q
        c.fill(box, np.maximum(-0.105 - 0.045 * bow - v, v + 0.108 - 0.030 * bow) * 0.9, dark * (0.9 - 1.5 * v), HAT)
    else:
        c.fill(box, np.maximum(edge, v + 0.12), cloth * lit, HAT)
        c.fill(box, np.maximum(edge - 0.002, np.abs(v + 0.150 - 0.4 * u * u) - 0.022), dark, HAT)
        box, u, v = head.box(-0.34, -0.17, 0.34, -0.07)
        v = v + 0.118
        p, q = u * (1 / 0.33), (v + 0.03 - 0.45 * u * u) * (1 / 0.034)
        c.fill(box, (p * p + q * q - 1.0) * 0.017, cloth * (0.96 - 1.6 * v), HAT)


def earrings(c: Canvas, a: dict, head: Head):
    side = head.half + 0.012
    box, u, v = head.box(-side - 0.03, 0.06, side + 0.03, 0.12, -0.03)
    u, v = np.abs(u) - side, v - 0.088
    c.fill(box, np.sqrt(u * u + v * v) - 0.024, paint(GOLD) * (1.0 - 8.0 * v), EARRING)
