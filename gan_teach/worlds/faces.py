"""The faces of `portraits`: head, eyes, nose and mouth, painted on a `drawing.Canvas`; their hair is in `hair`.

`a` is a portrait's dict of attributes; each part reads only its own attributes, the pose, and what it grows on.
Outlines are parabolas and squared circles: nothing but + - * / sqrt min max (see `drawing`).
"""
import math

import numpy as np

from .drawing import Canvas, paint, ramp

CLASSES = ("background", "clothes", "skin", "ear", "hair", "brow", "eye", "nose", "mouth", "beard", "moustache",
           "glasses", "hat", "earring")
(BACKGROUND, CLOTHES, SKIN, EAR, HAIR, BROW, EYE, NOSE, MOUTH, BEARD, MOUSTACHE, GLASSES, HAT,
 EARRING) = range(len(CLASSES))

SKINS = {"porcelain": (1.00, 0.89, 0.82), "fair": (0.98, 0.81, 0.69), "honey": (0.91, 0.70, 0.52),
         "tan": (0.78, 0.55, 0.38), "brown": (0.58, 0.38, 0.26), "deep": (0.41, 0.27, 0.20)}
HAIRS = {"black": (0.13, 0.11, 0.14), "brown": (0.32, 0.19, 0.12), "auburn": (0.50, 0.22, 0.14),
         "copper": (0.84, 0.44, 0.17), "blond": (0.95, 0.78, 0.44), "grey": (0.76, 0.76, 0.79),
         "pink": (0.94, 0.48, 0.64), "teal": (0.16, 0.56, 0.58)}
IRISES = {"brown": (0.38, 0.21, 0.10), "green": (0.26, 0.52, 0.28), "blue": (0.22, 0.46, 0.76)}
LIPS = {"red": (0.80, 0.14, 0.20), "plum": (0.54, 0.16, 0.38)}              # else the skin's own
WHITE, INK, TONGUE = (1.0, 1.0, 1.0), (0.14, 0.08, 0.10), (0.90, 0.40, 0.42)

# Lengths in sides of the picture, from the middle of the head on the line of the eyes.
FACES = {"oval": (0.182, 0.245, 0.16, 0.00), "round": (0.205, 0.222, 0.05, 0.05), "square": (0.190, 0.232, 0.04, 0.50),
         "heart": (0.200, 0.248, 0.32, 0.00), "long": (0.168, 0.272, 0.10, 0.20)}   # half width, chin, taper, square
NOSES = {"button": (0.086, 0.029, 0.024), "long": (0.062, 0.030, 0.060), "broad": (0.082, 0.054, 0.032)}   # v, radii
MOUTHS = {"neutral": (0.052, 0.000, 0.010, 0.014, False), "smile": (0.066, -0.030, 0.007, 0.013, False),
          "grin": (0.072, -0.024, -0.004, 0.036, True), "laugh": (0.066, -0.012, 0.004, 0.060, True),
          "sad": (0.050, 0.024, 0.010, 0.012, False), "ooh": (0.028, 0.000, 0.024, 0.030, True)}
#         half width, corners down by, upper and lower lip from the middle line, open
BROWS = {"thin": (0.008, 0.014, 0.080), "arched": (0.012, 0.030, 0.080), "bushy": (0.019, 0.010, 0.084)}
#         half thickness, arch, height
CROWN, FRONT, EYE_X, STRANDS = 0.235, 0.045, 0.090, 40


def mix(colour, other, share):
    """The colour, moved towards the other by a share."""
    return tuple(p + (q - p) * share for p, q in zip(colour, other, strict=True))


def times(colour, red, green, blue):
    """The colour, each of its channels scaled."""
    return colour[0] * red, colour[1] * green, colour[2] * blue


class Head:
    """Coordinates that go with the head: u to its side, v down, from the middle of the line of the eyes.

    The face lies FRONT before the neck's axis, so it moves as the head turns (`p`, `w` for u, v), and the far side
    narrows; what lies behind the axis moves the other way.
    """

    def __init__(self, c: Canvas, a: dict):
        slope = 0.17 * a["tilt"]
        self.c, self.turn, self.nod = c, a["turn"], a["nod"]
        self.cos = 1 / math.sqrt(1 + slope * slope)
        self.sin = slope * self.cos
        # It tilts about the neck. The picture is cut to the eyes, which stay in place: a head that turns to the right
        # shows it by what lies behind them, further to the left.
        self.x = 0.5 + 0.22 * self.sin - FRONT * self.turn
        self.y = 0.69 - 0.22 * self.cos - 0.4 * FRONT * self.nod
        self.half, self.chin, self.taper, self.square = FACES[a["face"]]
        self.mouth = 0.63 * self.chin
        self.skin, self.hair = SKINS[a["skin"]], HAIRS[a["hair_colour"]]
        self.shade = times(self.skin, 0.80, 0.69, 0.67)
        x, y = c.at - self.x, c.at[:, None] - self.y
        self.u, self.v = x * self.cos + y * self.sin, y * self.cos - x * self.sin
        p, self.w = self.u - FRONT * self.turn, self.v - 0.4 * FRONT * self.nod
        self.p = p * (1.0 + 0.9 * self.turn * p)
        self.pixels, u, v = self.box(-0.25, -0.31, 0.25, self.chin + 0.03)
        self.edge, self.tone = self.outline(u, v), strands(u, v, a["strands"])

    def box(self, left, top, right, bottom, depth=0.0):
        """(pixels a shape within these bounds can touch, their u, their v). depth: how far before the neck's axis."""
        ou, ov = depth * self.turn, 0.4 * depth * self.nod
        box = self.pixels_of(left + ou, top + ov, right + ou, bottom + ov)
        return box, self.u[box] - ou, self.v[box] - ov

    def pixels_of(self, left, top, right, bottom):
        """The rows and columns that a tilted box can touch."""
        u, v = (left + right) / 2, (top + bottom) / 2
        x, y = self.x + u * self.cos - v * self.sin, self.y + u * self.sin + v * self.cos
        u, v, sin = (right - left) / 2, (bottom - top) / 2, abs(self.sin)
        w, h = u * self.cos + v * sin, u * sin + v * self.cos
        return self.c.box(x - w, y - h, x + w, y + h)[0]

    def above(self, v=1.0):
        """The whole head's pixels, u, v, signed distance and hair's tone, but no rows that lie wholly below v."""
        (rows, columns), c = self.pixels, self.c
        stop = int((self.y + v * self.cos + 0.25 * abs(self.sin)) * c.scale + c.start) + 2
        rows = slice(rows.start, max(rows.start, min(stop, rows.stop)))
        box, n = (rows, columns), rows.stop - rows.start
        return box, self.u[box], self.v[box], self.edge[:n], self.tone[:n]

    def front(self, half, top, bottom, before=0.0):
        """Pixels, p and w of a shape on the face, from -half to half. before: how far it stands out."""
        ou, ov = (FRONT + before) * self.turn, 0.4 * FRONT * self.nod
        box = self.pixels_of(ou - 1.2 * half, ov + top, ou + 1.2 * half, ov + bottom)
        return box, self.p[box] - before * self.turn, self.w[box]

    def outline(self, u, v):
        """Signed distance, about, to the face's outline: x² + y² - square·x²y² = 1, tapered to the chin."""
        low, high = np.maximum(v, 0.0) * (1 / self.chin), np.minimum(v, 0.0) * (1 / CROWN)
        low *= low
        x = u / (self.half - (self.half * self.taper) * low)
        x *= x
        low += high * high
        return (x + low - self.square * (x * low) - 1.0) * (self.half * 0.55)


def strands(u, v, table):
    """A lightness in -1..1 that runs in strands from the crown, h×w."""
    t = around(u, v + 0.24) * (STRANDS / 4)
    i, table = t.astype(np.intp), np.array(table)
    low = table[i]
    return low + (table[i + 1] - low) * (t - i)


def around(u, v):
    """Above 0 and below 4 around a point, as an angle goes, but with no arc tangent."""
    return 2.0 + np.copysign(1.0 - u / (np.abs(u) + np.abs(v) + 1e-6), v)


def skull(c: Canvas, a: dict, head: Head):
    """Ears, face, blush, wrinkles, freckles, nose."""
    skin, shade = paint(head.skin), paint(head.shade)
    side = head.half + 0.006
    if a["hair"] not in ("bob", "long"):                                     # which hide the ears
        box, u, v = head.box(-side - 0.04, -0.03, side + 0.04, 0.07, -0.03)
        u, v = np.abs(u) - side, v - 0.02
        distance = np.sqrt(u * u * 1.7 + v * v) - 0.048
        c.fill(box, distance, skin + (shade - skin) * ramp(0.4 - distance * 22.0), EAR)

    box, u, v, edge, _ = head.above()
    dark = ramp(0.42 - u * (2.6 * a["light"]) + edge * 3.0 + (v + 0.02) * 0.6)
    c.fill(box, edge, skin + (shade - skin) * (dark * 0.75), SKIN)

    box, p, v = head.front(0.16, 0.03, 0.14)
    e, v = np.abs(p) - 0.105, v - 0.085
    blush = ramp(1.0 - np.sqrt(e * e + v * v) * (1 / 0.055))
    c.lay(box, blush * 0.30, paint(mix(head.skin, (0.92, 0.28, 0.28), 0.55)))
    if a["age"] > 0.5:
        wrinkles(c, a, head)
    if a["freckles"]:
        box, p, v = head.front(0.14, 0.045, 0.13)
        x, y = (np.array(at).reshape(-1, 1, 1) for at in zip(*a["spots"], strict=True))
        x, y = p - x, v - y                                                  # 14×h×w
        x *= x
        y *= y
        x += y
        c.lay(box, c.cover(np.sqrt(x.min(0)) - 0.0080) * 0.65, paint(times(head.shade, 0.84, 0.72, 0.64)))

    middle, wide, tall = NOSES[a["nose"]]
    box, p, v = head.front(wide + 0.01, middle - tall - 0.01, middle + tall + 0.012, 0.02)
    x, y = p * (1 / wide), (v - middle) * (1 / tall)
    distance = (np.sqrt(x * x + y * y) - 1.0) * (wide if wide < tall else tall)
    low = ramp(y * 1.1 - 0.05 + x * x * 0.6 - x * (0.3 * a["light"]))
    lit = paint(mix(head.skin, WHITE, 0.18))
    c.lay(box, c.cover(distance) * ramp(y + 1.2), lit + (paint(times(head.shade, 0.80, 0.78, 0.78)) - lit) * low, NOSE)


def wrinkles(c: Canvas, a: dict, head: Head):
    """Two lines across the forehead, one under each eye, one beside each end of the mouth."""
    strength, line = 1.2 * (a["age"] - 0.5), paint(times(head.shade, 0.88, 0.82, 0.80))
    box, p, v = head.front(0.10, -0.17, -0.09)
    bow = v + 0.128 - 1.2 * p * p
    c.lay(box, c.cover(np.maximum(np.abs(np.abs(bow) - 0.014) - 0.004, np.abs(p) - 0.085)) * strength, line)
    box, p, v = head.front(0.14, 0.03, 0.165)
    p = np.abs(p)
    beside = np.maximum(np.abs(p - 0.040 - 0.42 * (v - 0.085)) - 0.005, np.abs(v - 0.125) - 0.032)
    p -= EYE_X
    below = np.maximum(np.abs(v - 0.058 + 8.0 * p * p) - 0.004, np.abs(p) - 0.036)
    c.lay(box, c.cover(np.minimum(beside, below)) * strength, line)


def eyes(c: Canvas, a: dict, head: Head):
    """Both eyes at once, then both brows: what is symmetrical needs only |p|."""
    big = 1.14 - 0.2 * a["age"]
    half, up, down = (0.060, 0.054, 0.044) if a["eyes"] == "round" else (0.068, 0.042, 0.032)
    half, up, down = half * big, up * big, down * big
    box, p, v = head.front(EYE_X + half + 0.01, -up - 0.02, down + 0.01)
    inner = p - np.copysign(EYE_X, p)                                        # from each eye's own middle
    if a["eyes"] == "almond":
        v = v + (np.abs(p) - EYE_X) * 0.14
    bow = inner * (1 / half)
    bow = 1.0 - bow * bow
    top = -up * bow
    white = c.cover(np.maximum(top - v, v - down * bow) * 0.8)
    c.lay(box, white, 0.98 - 0.22 * ramp(0.25 - v * (1 / up)), EYE)
    look, drop = inner - 0.020 * a["gaze"], v - 0.004 * head.nod
    distance = np.sqrt(look * look + drop * drop)
    c.lay(box, np.minimum(white, c.cover(distance - 0.038 * big)),
          paint(IRISES[a["eye_colour"]]) * ((1.1 + 8.0 * drop) * (1.0 - c.cover(distance - 0.020 * big))))
    look, drop = look + 0.012, drop + 0.014
    c.lay(box, c.cover(np.sqrt(look * look + drop * drop) - 0.012 * big), 1.0)
    lid = np.maximum(np.abs(v - top + 0.004) - 0.0075, np.abs(inner) - half - 0.004)
    c.lay(box, c.cover(lid * 0.85) * 0.9, paint(INK), EYE)

    thick, arch, high = BROWS[a["brows"]]
    box, p, v = head.front(EYE_X + 0.070, -high - arch - 0.01, -high + 0.03)
    q = (np.abs(p) - EYE_X) * (1 / 0.062)
    brow = np.abs(v + high + arch * (0.5 - q * q)) - thick * (1.0 - 0.35 * q)
    c.fill(box, np.maximum(brow, (np.abs(q) - 1.0) * 0.062), paint(mix(head.hair, INK, 0.45)), BROW)


def mouth(c: Canvas, a: dict, head: Head):
    """Lips around a bent middle line; if it is open, teeth and a tongue."""
    half, corners, up, down, is_open = MOUTHS[a["mouth"]]
    lips = LIPS.get(a["lips"]) or mix(times(head.skin, 0.80, 0.52, 0.50), (0.75, 0.25, 0.27), 0.35)
    box, p, v = head.front(half + 0.012, head.mouth - 0.045, head.mouth + 0.08)
    q = p * (1 / half)
    q *= q
    bow = 1.0 - q
    v = v - head.mouth - corners * q
    distance = np.maximum(np.maximum(-up * bow - v, v - down * bow) * 0.85, np.abs(p) - half)
    c.fill(box, distance - (0.008 if is_open else 0.002), paint(lips), MOUTH)
    if not is_open:
        c.fill(box, np.maximum(np.abs(v) - 0.0045, np.abs(p) - half), paint(times(lips, 0.5, 0.35, 0.35)), MOUTH)
        return
    inside = c.cover(distance)
    c.lay(box, inside, paint(INK), MOUTH)
    if a["mouth"] == "laugh":
        low = v - 0.060
        c.lay(box, np.minimum(inside, c.cover(np.sqrt(p * p + low * low) - 0.034)), paint(TONGUE))
    if a["mouth"] != "ooh":
        c.lay(box, np.minimum(inside, c.cover(v - 0.020)), 1.0)
