"""What the evolution panel shows, drawn without any widget: a `egan.view.View` in, pictures and SVG out.

Real is blue, generated orange, D grey, winners green with a star; each mutation has a colour and a shape.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import torch
from PIL import Image, ImageDraw

from ... import pictures
from ...egan import plane
from ...egan.view import View
from ...language import say
from ..charts import COLOURS, SIGNS, WINNER, corners, plain, star_corners, titled
from .evolution_charts import CHILDREN, MAIN, YOURS, amount, called, family_tree, fate_curves, fitness_bars, \
    measure_curves, winners

SHARP = 1.4                     # picture pixels for each of them
ROWS = 4                        # of three children each: all of μ = 4
GAP = 6                         # between two children, CSS pixels
PARTING = 128                   # what is seen between them: parts them on a white page, does not glare in a dark hall
MAGNIFY = (1, 2, 5, 10, 20, 50, 100)

HAPPENED = {
    "": "Nothing has happened yet. Predict what D will see, then step.",
    "train_d": "D has learnt: the field is lighter where it says “real”.",
    "vary": "Each mutation moved a copy of the parent by one step of Adam; a line joins where the same z was and is.",
    "evaluate": "D has judged every child: F = F_q + γ F_d.",
    "select": "The fittest live on; the others are gone.",
}
ON_PICTURES = HAPPENED | {
    "train_d": "D has learnt a little more of what tells the survivor’s pictures from real ones.",
    "vary": "Each mutation moved a copy of the parent by one step of Adam; each child draws the same z.",
}
CHOSEN = {"best": "The fittest lives on", "random": "Chance chose", "worst": "The least fit lives on",
          "mine": "You chose"}
NEXT = {"": "D learns", "train_d": "variation", "vary": "evaluation", "evaluate": "selection", "select": "D learns"}


@dataclass
class Frame:
    """What the panel draws: JPEG and PNG bytes, HTML with SVG, and the same in a sentence."""

    main: bytes = b""
    main_note: str = ""
    children: bytes = b""
    children_note: str = ""
    bars: str = ""
    measures: str = ""
    tree: str = ""
    shares: str = ""
    text: str = ""
    compare: bool = False       # two fates stand where the children were

    def html(self) -> str:
        """All of it as one piece of HTML, so that the page never shows the half of a frame.

        The settings stand at its right; the winners' chart stands below them, beside its own column.
        """
        words = re.sub(r"\bF_(\w)", r'F<sub style="line-height:0">\1</sub>', escape(self.text))
        survivor = titled(say("survivor"), self.main_note, "gt-evo-main_note")
        children = titled(say("two fates" if self.compare else "children"), self.children_note, "gt-evo-children_note")
        below = titled(say("the survivor’s measures" if self.measures.startswith("<svg") else "real ones, to compare"))
        main, middle = (pictures.img(picture, words, width, f"gt-evo-{name}") for name, picture, words, width in (
            ("main", self.main, say("The survivor, {note}", note=self.main_note), MAIN),
            ("children", self.children, say("The children: {note}", note=self.children_note), CHILDREN[0])))
        text = f"width:{MAIN + CHILDREN[0] + 8}px;font-size:16px;line-height:1.4;min-height:46px;white-space:normal"
        return (f'<div class="gt-evo-text" style="{text}">{words}</div>'
                f'<div style="display:grid;grid-template-columns:{MAIN}px {CHILDREN[0]}px;'
                'grid-template-rows:minmax(310px,auto) auto;gap:6px 8px;position:relative;line-height:1.5;'
                'white-space:nowrap">'
                f"<div>{survivor}{main}</div><div>{children}{middle}{self.bars}</div>"
                f"<div>{below}{self.measures}</div>"
                f'<div>{titled(say("family tree"), say("green: who lived on"))}{self.tree}</div>'
                f'<div style="position:absolute;left:{MAIN + CHILDREN[0] + 16}px;bottom:0">'
                f'{titled(say("who won"), say("the last 100"))}{self.shares}</div></div>')


def render(view: View, fast: bool = False, same: Frame | None = None, rows: int = ROWS) -> Frame:
    """The frame of a view. fast: pictures as JPEG. same: a frame whose pictures are those of this view too. rows: of
    three children below each other, at most; where there are more children they are smaller.
    """
    pack, fate = pictures.jpeg if fast else pictures.png, view.fate
    kinds = {name: i for i, name in enumerate(view.offered)}
    bars = fitness_bars(view, kinds) if fate is None else fate_curves(fate)
    if same is not None:
        main, middle, note = same.main, same.children, same.children_note
    else:
        main = pack(cloud(view.fake, view.real, view.field, round(MAIN * SHARP)))
        drawn, note = children(view, kinds, rows) if fate is None else (fates(view), say(
            "after {age} of {span} generations: ✓ yours, ★ by F", age=fate.age, span=fate.span))
        middle = pack(drawn)
    measures = measure_curves(view.measures)
    if view.field is None and not measures:                                 # nothing to measure: something to compare
        real = view.real[:32]
        measures = pictures.img(pictures.grid(real, 8), say("{real} real pictures", real=len(real)), MAIN)
    many = "" if view.knobs.mu == 1 else f" · μ = {view.knobs.mu}"
    return Frame(main, say("generation {number}", number=view.generation) + many, middle, note, bars, measures,
                 family_tree(view.lineage, kinds), winners(view.lineage, kinds), describe(view), fate is not None)


# ------------------------------------------------------------------------------------------ pictures

def cloud(fake, real, field, size: int, **lines) -> np.ndarray:
    """Points on D's field, or a grid of pictures: uint8 size×size×3."""
    if fake.ndim == 2:
        return plane.picture(fake, real, field, size=size, **lines)
    side = math.isqrt(len(fake))
    grid = pictures.grid(fake[:side * side].clamp(-1, 1), side)
    how = Image.Resampling.NEAREST if len(grid) < size else Image.Resampling.BOX
    return np.asarray(Image.fromarray(grid).resize((size, size), how))


def tiling(n: int, width: float, height: float) -> tuple[int, float]:
    """Columns, and the side, of n squares that fill width×height best."""
    def side(columns):
        rows = -(-n // columns)
        return min((width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows)

    best = max(range(1, n + 1), key=side)
    return best, side(best)


def magnification(children, side: float) -> int:
    """How many times longer the moves must be drawn so that the typical one is some 14 pixels long; 1, 2, 5, …"""
    moved = torch.cat([(c.after - c.before).norm(dim=1) for c in children])
    typical = float(moved[moved.isfinite()].median()) if moved.isfinite().any() else 0.0
    wanted = 14 / max(1e-9, typical * side / 4.4)             # as wide as the picture is on the plane
    return max((k for k in MAGNIFY if k <= wanted), default=1)


def children(view: View, kinds: Mapping[str, int], rows: int = ROWS) -> tuple[np.ndarray, str]:
    """All children, a tile each, with the mark of their mutation; winners framed in green, with a star."""
    n = len(view.children) or view.knobs.mu * sum(view.knobs.active)
    rows = min(rows, math.ceil(n / 3))
    height = rows * CHILDREN[1] + (rows - 1) * GAP
    canvas, (columns, side) = _canvas(height, PARTING), tiling(n, CHILDREN[0], height)
    if not view.children:
        for i in range(n):
            _frame(canvas, i, columns, side)[:] = 176                      # as the ground
        return canvas, say("they are made in the next variation")
    size = round(side * SHARP)
    on_plane = view.field is not None
    times = magnification(view.children, size) if on_plane else 1
    note = say("moves drawn ×{times}; thick: a loud mutation", times=times) if on_plane else say("the same z for all")
    # a point far outside, as loud as the loudest sibling: one scale for all
    far, loudest = torch.full((1, 2), 1e3), torch.stack([c.loudness.max() for c in view.children]).amax(0, True)
    for i, child in enumerate(view.children):
        after = child.before + times * (child.after - child.before) if on_plane else child.after
        lines = {"moved": (torch.cat([child.before, far]), torch.cat([after, far])),
                 "weights": torch.cat([child.loudness, loudest])} if on_plane else {}
        tile = cloud(after if not on_plane else after[:0], None, view.field, size, **lines)
        place = _frame(canvas, i, columns, side)
        place[:] = tile[:place.shape[0], :place.shape[1]]
        _badge(place, kinds[child.mutation], _medal(view, i, child.survives))
    return canvas, note


def _canvas(height: float = CHILDREN[1], grey: int = 255) -> np.ndarray:
    """The children's place."""
    return np.full((round(height * SHARP), round(CHILDREN[0] * SHARP), 3), grey, np.uint8)


def _frame(canvas: np.ndarray, i: int, columns: int, side: float) -> np.ndarray:
    """The place of tile number i."""
    top, left = (round(k * (side + GAP) * SHARP) for k in divmod(i, columns))
    size = round(side * SHARP)
    return canvas[top:top + size, left:left + size]


def _medal(view: View, i: int, survives: bool | None) -> str:
    """What child i is called out for: "best" by F or as a survivor, "yours", or nothing."""
    if view.chosen is not None and i in view.chosen:
        return "yours" if i == view.chosen[0] else "best"
    return "best" if survives else ""


def _badge(tile: np.ndarray, kind: int, medal: str) -> None:
    """Draw the mark of the mutation into the corner of a tile, and the frame of a winner."""
    image = Image.fromarray(tile)
    draw, size = ImageDraw.Draw(image), len(tile)
    r = max(6, size // 22)
    at = r + 7
    draw.ellipse((at - r - 5, at - r - 5, at + r + 5, at + r + 5), fill="white", outline="#777777")
    shape = corners(kind, at, at, r)
    if shape is None:
        draw.ellipse((at - r, at - r, at + r, at + r), fill=COLOURS[kind % len(COLOURS)])
    else:
        draw.polygon(shape, fill=COLOURS[kind % len(COLOURS)])
    colour = {"best": WINNER, "yours": YOURS}.get(medal, "#999999")
    draw.rectangle((0, 0, size - 1, size - 1), outline=colour, width=max(3, size // 36) if medal else 1)
    if medal == "best":
        x, y, r = size - at - 2, at, 1.5 * r
        draw.ellipse((x - r - 2, y - r - 2, x + r + 2, y + r + 2), fill="white")
        draw.polygon(star_corners(x, y, r), fill=WINNER)
    elif medal == "yours":
        x, y = size - at - 2, at
        draw.ellipse((x - r - 5, y - r - 5, x + r + 5, y + r + 5), fill="white", outline=YOURS, width=2)
        draw.line([(x - r * 0.8, y), (x - r * 0.2, y + r * 0.7), (x + r * 0.9, y - r * 0.7)], fill=YOURS, width=3)
    tile[:] = np.asarray(image)


def fates(view: View) -> np.ndarray:
    """Two pictures side by side: what became of your choice, and of the algorithm's."""
    canvas = _canvas()
    _, side = tiling(3, *CHILDREN)
    middle = canvas[:, round((CHILDREN[0] - 2 * side - 6) / 2 * SHARP):]
    for i, (fake, field, medal) in enumerate(zip(view.fate.fakes, view.fate.fields, ("yours", "best"))):
        place = _frame(middle, i, 2, side)
        place[:] = cloud(fake, view.real if fake.ndim == 2 else None, field, len(place))
        number = view.chosen[i]
        _badge(place, view.offered.index(view.lineage[-1].mutations[number]), medal)
    return canvas


def describe(view: View) -> str:
    """One or two sentences: what has happened, and what comes."""
    if view.fate is not None:
        f = view.fate
        if f.age < f.span:
            return say("Both choices live on from the same state, with the same draws: {age} of {span} generations.",
                       age=f.age, span=f.span)
        parts = []
        if f.measures[0]:
            yours, best = (m[-1][1] for m in f.measures)
            parts = [say("{measure} {yours} against {best}", measure=called(n), yours=amount(n, yours[n]),
                         best=amount(n, best[n])) for n in yours]
        return say("{span} generations after your choice: {found}. {score} Differences this small are luck more often "
                   "than merit.", span=f.span, found=say(", ").join(parts) or say("compare the two pictures"),
                   score=_score(view))
    if view.chosen is not None and view.done == "select":
        return say("You and the algorithm chose the same child. {score}", score=_score(view))
    if view.waiting:
        return say("Which child would you keep? Choose by eye, before the judgement is shown.")
    if view.knobs.selection == "mine" and not view.tally[0] and view.done == "select":
        return say("The first children look all alike, so F selects until there is something to choose; then it is "
                   "your turn.")
    words = say((ON_PICTURES if view.field is None else HAPPENED)[view.done])
    if view.done == "train_d" and view.loss_d:
        words += say(" Its loss is {loss:.2f} (2 ln 2 = 1.39 when it only guesses).", loss=view.loss_d[-1])
    if view.done == "select" and view.lineage:
        last = view.lineage[-1]
        kind = view.offered.index(last.winner) if last.winner in view.offered else 0
        words = say("{rule}: {winner}.", rule=say(CHOSEN[view.knobs.selection]),
                    winner=f"{SIGNS[kind % len(SIGNS)]} {plain(last.winner)}")
        if view.measures and view.measures[-1][0] == view.generation:
            words += say(" Now {measures}.", measures=say(", ").join(
                f"{called(n)} {amount(n, v)}" for n, v in view.measures[-1][1].items()))
    return words


def _score(view: View) -> str:
    tried, same = view.tally
    n = max(1, len(view.lineage[-1].mutations)) if view.lineage else 3
    return say("You agreed in {same} of {tried} choices; chance would agree in 1 of {n}.", same=same, tried=tried, n=n)
