"""The hair of `portraits`, on the head and in the face; see `faces`."""
import numpy as np

from .drawing import Canvas, circles, paint, ramp
from .faces import BEARD, HAIR, MOUSTACHE, Head, around, strands, times


def curls(u, v, radius):
    """Signed distance to a head of curls."""
    v = v + 0.055
    t = around(u, v) * 3.0
    t -= np.floor(t)
    return np.sqrt(u * u + v * v) - (radius - 0.035) - 0.14 * t * (1.0 - t)


def shine(hair, t):
    """The hair's colour, lighter by t h×w (darker where it is negative)."""
    return paint(hair) + paint(tuple(0.15 * p + 0.06 for p in hair)) * t


def beard(c: Canvas, a: dict, head: Head):
    style, colour = a["beard"], times(head.hair, 0.88, 0.88, 0.88)
    if style == "goatee":
        box, p, v = head.box(-0.075, head.mouth, 0.075, head.chin + 0.03, 0.03)
        x, y = np.maximum(np.abs(p) - 0.022, 0.0), v - head.chin + 0.024
        c.fill(box, np.sqrt(x * x + y * y) - 0.044, paint(colour) * (1.5 - 2.2 * v), BEARD)
    elif style == "full":
        box, u, v, edge, tone = head.above()
        p = u - 0.03 * head.turn
        line = np.maximum(head.mouth + 0.027 - 4.4 * p * p, 0.03)
        c.fill(box, np.maximum(edge - 0.013, line - v), shine(colour, tone), BEARD)
    elif style == "long":
        box, p, v = head.box(-0.16, 0.0, 0.16, head.chin + 0.12, 0.02)
        y = np.maximum(v - 0.06, 0.0) * (1 / (head.chin + 0.05))
        x = p * (1 / (head.half * 0.80))
        x, y = x * x, y * y
        line = head.mouth + 0.027 - 5.0 * p * p
        tone = strands(p, v - head.mouth, a["strands"])
        c.fill(box, np.maximum((x + y - 0.2 * x * y - 1.0) * 0.085, line - v), shine(colour, tone), BEARD)


def moustache(c: Canvas, a: dict, head: Head):
    box, p, v = head.front(0.08, head.mouth - 0.05, head.mouth + 0.02, 0.01)
    p = np.abs(p)
    q = p * (1 / 0.078)
    q *= q
    edge = np.abs(v - head.mouth + 0.027 - 0.030 * q) - 0.018 * (1.0 - q)
    c.fill(box, np.maximum(edge, 0.003 - p), paint(times(head.hair, 0.82, 0.82, 0.82)), MOUSTACHE)


def hair_behind(c: Canvas, a: dict, head: Head):
    """What falls behind the shoulders and the ears."""
    style, colour = a["hair"], times(head.hair, 0.72, 0.72, 0.72)
    if style in ("bob", "long"):
        bottom, half = (0.17, 0.222) if style == "bob" else (0.36, 0.232)
        box, u, v = head.box(-half, -0.25, half, bottom, -0.03)
        low, high, x = np.maximum(v, 0.0) * (1 / bottom), np.minimum(v, 0.0) * 4.0, u * (1 / half)
        x, low = x * x, low * low
        edge = (x + low + high * high - 0.85 * x * low - 1.0) * (half * 0.5)
        c.fill(box, edge, shine(colour, strands(u, v, a["strands"])), HAIR)
    elif style == "curly":
        box, u, v = head.box(-0.27, -0.34 if a["hat"] == "none" else -0.18, 0.27, 0.22, -0.03)
        edge = curls(u, v, 0.265)
        c.fill(box, edge if a["hat"] == "none" else np.maximum(edge, -0.17 - v), paint(colour), HAIR)
    elif style == "bun" and a["hat"] == "none":
        box, u, v = head.box(-0.085, -0.37, 0.085, -0.20, -0.02)
        c.fill(box, circles(u, v, [(0.0, -0.285, 0.08)]), shine(colour, 1.5 - 25.0 * np.abs(u)), HAIR)


def hair(c: Canvas, a: dict, head: Head):
    """What grows over the forehead: the head's outline, a little larger, down to a hairline."""
    style = a["hair"]
    box, u, v, edge, tone = head.above(0.18 if style in ("bob", "long", "curly") else 0.04)
    u = u - 0.02 * head.turn
    aside = np.abs(u)
    if style == "crop":
        grow, low, line = 0.018, 0.03, 3.4 * u * u - 0.135
    elif style == "quiff":
        grow, low, line = 0.016, 0.02, 3.6 * u * u - 0.150
        x, y = (u + 0.02) * (1 / 0.150), (v + 0.205) * (1 / 0.088)
        edge = np.minimum(edge, (x * x + y * y - 1.0) * 0.055)
        tone = strands(u, v - 0.25, a["strands"])                            # combed up
    elif style == "parted":
        grow, low, line = 0.028, 0.03, 0.95 * np.abs(u + 0.07) - 0.175 + 12.0 * np.maximum(aside - 0.16, 0.0)
    elif style == "bob":
        grow, low, line = 0.030, 0.15, -0.072 - 1.1 * u * u + 9.0 * np.maximum(aside - 0.135, 0.0)
    elif style == "long":
        grow, low, line = 0.028, 0.17, 1.5 * np.abs(u - 0.015) - 0.20 + 12.0 * np.maximum(aside - 0.145, 0.0)
    elif style == "curly":
        grow, low, line = 0.020, 0.10, 2.8 * u * u - 0.125
        edge = np.minimum(edge, curls(u, v, 0.235))
    else:
        grow, low, line = 0.018, 0.03, 3.0 * u * u - 0.150
    edge = np.maximum(edge - grow, np.maximum((v - line) * 0.75, v - low))
    if a["hat"] != "none":
        edge = np.maximum(edge, -0.16 - v)
    v = v + 0.13
    sheen = ramp(1.0 - np.abs(np.sqrt(u * u + v * v) - 0.075) * 26.0)
    c.fill(box, edge, shine(head.hair, tone * 0.8 + sheen * 0.9), HAIR)
