"""The charts of the evolution panel, drawn without any widget: parts of a `egan.view.View` in, SVG out.

Winners are green with a star; each mutation has a colour and a shape.
"""

import math
from collections.abc import Mapping, Sequence

from ...egan.view import FateView, View, share_curve
from ...language import minus, say
from ..charts import COLOURS, WINNER, area, bar, curve, line, mark, plain, star_corners, svg, text

MAIN = 240                      # CSS pixels of the picture of the survivors
CHILDREN = (400, 130)           # … of the children's place
LOW = 118                       # … of a chart in the lower row, its height
GENERATIONS = 22                # of the family tree
WINDOW = 100                    # … and of the winners' chart
YOURS = "#0b57c2"


def fitness_bars(view: View, kinds: Mapping[str, int]) -> str:
    """Quality, γ · diversity and their sum for each child, as distances from the siblings' mean on one scale.

    The lines are ± one standard deviation of a single judgement: where they are as long as the bars, chance selects.
    """
    judged = [c for c in view.children if c.fitness is not None]
    if view.waiting:
        return ""
    width, height, top, left = CHILDREN[0], 128, 36, 109
    across = (width - left) / 3
    middle, half = 0.30 * across, 0.27 * across                  # of a column: its axis, and the longest bar
    titles = ((say("F_q, quality"), "E D(G(z))"), (say("γ F_d, diversity"), "−γ log ‖∇L_D‖"),
              (say("F, total"), "F_q + γ F_d"))
    body = [text(left + (k + 0.5) * across, 10, title, "middle", bold=True) +
            text(left + (k + 0.5) * across, 28, note, "middle") for k, (title, note) in enumerate(titles)]
    if not judged:
        hidden = say("The children have not been judged yet.")
        body.append(text(width / 2, height / 2 + 18, hidden, "middle", 13))
        return svg(width, height, body, hidden)
    gamma = view.knobs.gamma or math.nan                                    # 0: F_d was not computed
    rows = [(f.quality, gamma * f.diversity, f.total) for f in (c.fitness for c in judged)]
    errors = [(s.quality, gamma * s.diversity, s.total) if s else (0.0,) * 3 for s in (c.spread for c in judged)]
    finite = [[r[k] for r in rows if math.isfinite(r[k])] for k in range(3)]
    means = [sum(values) / len(values) if values else math.nan for values in finite]
    reach = max([1e-6, *(abs(r[k] - means[k]) + (e[k] if math.isfinite(e[k]) else 0)
                         for r, e in zip(rows, errors) for k in range(3) if math.isfinite(r[k]))])
    step = min(30.0, (height - top - 14) / len(judged))
    scale = half / reach
    chosen_by_f = max(range(len(rows)), key=lambda i: rows[i][2])
    for k, mean in enumerate(means):
        x0 = left + k * across + middle
        body.append(line(x0, top, x0, top + step * len(rows), opacity=0.5))
        for i, (row, error) in enumerate(zip(rows, errors)):
            y = top + (i + 0.5) * step
            if not math.isfinite(row[k]):
                continue
            wins = k == 2 and i == chosen_by_f
            away = (row[k] - mean) * scale
            body.append(bar(x0, y - 0.32 * step, away, 0.64 * step, WINNER if wins else COLOURS[
                kinds[judged[i].mutation] % len(COLOURS)], 0.9 if k == 2 else 0.55))
            if error[k] and math.isfinite(error[k]):
                body += [line(x0 + away - error[k] * scale, y, x0 + away + error[k] * scale, y, width=1.6),
                         *(line(x0 + away + s * error[k] * scale, y - 4, x0 + away + s * error[k] * scale, y + 4,
                                width=1.6) for s in (-1, 1))]
            if step >= 18:
                body.append(text(left + (k + 1) * across - 2, y + 4, minus(f"{row[k]:.3f}"), "end"))
        if not finite[k]:
            body.append(text(x0, top + step * len(rows) / 2, say("γ = 0: not computed"), "middle"))
    for i, child in enumerate(judged):
        y = top + (i + 0.5) * step
        body.append(mark(kinds[child.mutation], 24, y, min(6, 0.34 * step)))
        if step >= 12:
            body.append(text(34, y + 4, plain(child.mutation)[:13], size=min(12, step)))
        if i == chosen_by_f:
            body.append(area(star_corners(9, y, min(8, 0.5 * step)), WINNER))
    unit = 10 ** math.floor(math.log10(reach))
    unit *= next(k for k in (5, 2, 1) if k * unit <= reach)
    length = f"{unit:.12f}".rstrip("0").rstrip(".")                           # 0.00001, not 1e-05
    y = height - 3
    luck = say(" · ⊢⊣ luck of one judgement") if any(e[0] for e in errors) else ""
    body += [line(2, y - 4, 2 + unit * scale, y - 4, width=2), text(7 + unit * scale, y, length),
             text(width, y, say("from the siblings’ mean{luck}", luck=luck), "end")]
    best = judged[chosen_by_f]
    words = say("; ").join(f"{plain(c.mutation)} F_q {c.fitness.quality:.3f}, F {c.fitness.total:.3f}" for c in judged)
    return svg(width, height, body, say("Fitness of the children: {words}. The fittest is {best}.", words=words,
                                        best=plain(best.mutation)))


MEASURES = {"modes": "modes found", "high_quality": "high quality", "mmd2": "MMD²"}


def called(name: str) -> str:
    """A measure in words."""
    return say(MEASURES[name]) if name in MEASURES else plain(name)


def amount(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.0f}" if name == "modes" else f"{value:.0%}" if name == "high_quality" else f"{value:.3f}"


def _strips(curves: Sequence[tuple[str, str, Sequence[tuple[int, Mapping[str, float]]]]], width: float,
            height: float, label: str) -> str:
    """The same measures of one or two evolutions: a strip for each measure. curves: colour, dash, measures."""
    names = list(next((m for _, _, points in curves for _, m in points), ()))
    if not names:
        return ""
    left, right, last = 112.0, width - 48.0, max(g for _, _, points in curves for g, _ in points)
    first = min(g for _, _, points in curves for g, _ in points)
    strip, body = (height - 18) / len(names), []
    for k, name in enumerate(names):
        y0, y1 = k * strip + strip - 5, k * strip + 5
        values = [m[name] for _, _, points in curves for _, m in points if math.isfinite(m[name])]
        low, high = min(0.0, *values, 0.0), max(*values, 1e-6, 1e-6)
        low = 0.0 if low > -0.02 * high else low
        body += [line(left, y0, right, y0, opacity=0.35), text(0, (y0 + y1) / 2 + 4, called(name)),
                 text(left - 4, y1 + 7, amount(name, high), "end")]
        ends = []
        for colour, dash, points in curves:
            if not points:
                continue
            xy = [(left + (right - left) * (g - first) / max(1, last - first),
                   y0 - (y0 - y1) * (m[name] - low) / (high - low)) for g, m in points]
            body += [curve(xy, colour, 2, dash), f'<circle cx="{xy[-1][0]:.1f}" cy="{xy[-1][1]:.1f}" r="3" '
                                                 f'fill="{colour}"/>']
            ends.append((min(max(xy[-1][1], y1 + 4), y0 - 4), colour, amount(name, points[-1][1][name])))
        ends.sort()
        if len(ends) == 2 and ends[1][0] - ends[0][0] < 12:             # so that two numbers can be read
            middle = (ends[0][0] + ends[1][0]) / 2
            ends = [(middle - 6, *ends[0][1:]), (middle + 6, *ends[1][1:])]
        body += [text(right + 6, y + 4, words, colour=colour, bold=True) for y, colour, words in ends]
    body += [text(0, height - 4, say("generation")), text(left, height - 4, f"{first}"),
             text(right, height - 4, f"{last}", "end")]
    return svg(width, height, body, label)


def measure_curves(measures: Sequence[tuple[int, Mapping[str, float]]]) -> str:
    """Modes, high quality and MMD² of the first survivor against generations."""
    if not measures:
        return ""
    now = say(", ").join(f"{called(n)} {amount(n, v)}" for n, v in measures[-1][1].items())
    return _strips([("#e66e00", "", measures)], MAIN, LOW,
                   say("Measures of the survivor by generation; now {now}.", now=now))


def fate_curves(fate: FateView) -> str:
    """The measures of both branches: yours blue and whole, the algorithm's green and dashed."""
    yours, best = fate.measures
    if not yours:
        return ""
    one, other = (", ".join(f"{amount(n, v)}" for n, v in m[-1][1].items()) for m in (yours, best))
    return _strips([(YOURS, "", yours), (WINNER, "5 3", best)], CHILDREN[0], 128,
                   say("{age} generations later, your choice against the algorithm’s: {yours} against {best}.",
                       age=fate.age, yours=one, best=other))


def family_tree(lineage: Sequence, kinds: Mapping[str, int]) -> str:
    """The last generations from left to right: each child below its siblings, joined to its parent.

    A child has its mutation's mark; a survivor's is full, in a green ring, and its line is green.
    """
    width, height = CHILDREN[0], LOW
    if not lineage:
        told = say("The family tree begins with the first selection.")
        return svg(width, height, [text(0, height / 2, told, size=13)], say("No generation yet."))
    shown = list(lineage[-GENERATIONS:])
    top, bottom, step = 10.0, height - 18.0, (width - 40) / GENERATIONS
    body, over, previous = [], [], None
    for column, generation in enumerate(shown):
        n = len(generation.mutations)
        x = 28 + column * step
        ys = [top + (bottom - top) * (i + 0.5) / n for i in range(n)]
        r = min(5.0, 0.36 * (bottom - top) / n, 0.34 * step)
        order = {child: place for place, child in enumerate(generation.survivors)}
        starts = previous or [(4.0, (top + bottom) / 2)] * (max(generation.parents) + 1)
        for i, (parent, y) in enumerate(zip(generation.parents, ys)):
            x0, y0 = starts[parent] if parent < len(starts) else starts[0]
            lives = i in order
            (over if lives else body).append(
                line(x0, y0, x, y, WINNER if lives else "currentColor", 2.4 if lives else 1,
                     opacity=1 if lives else 0.22))
        for i, (name, y) in enumerate(zip(generation.mutations, ys)):
            if i in order:
                over.append(mark(kinds.get(name, 0), x, y, r, edge=WINNER))
            else:
                body.append(mark(kinds.get(name, 0), x, y, 0.8 * r, hollow=1.3))
        previous = [(x, ys[i]) for i in generation.survivors]
    body += over
    body.append(text(28, height - 2, say("generation {number}", number=shown[0].number)))
    if len(shown) > 4:
        body.append(text(28 + (len(shown) - 1) * step, height - 2, str(shown[-1].number), "middle"))
    line_of = say(", ").join(plain(g.winner) for g in shown[-5:])
    return svg(width, height, body, say("Family tree of the last {n} generations; the last winners: {winners}.",
                                        n=len(shown), winners=line_of))


def winners(lineage: Sequence, kinds: Mapping[str, int]) -> str:
    """The share of each mutation among the winners of the last `WINDOW` generations, stacked, with its mark."""
    (at, shares), width, height = share_curve(lineage, WINDOW), 174, LOW
    if not at:
        return svg(width, height, [text(0, height / 2, say("Nobody has won yet."), size=13)], say("No generation yet."))
    top, bottom, right = 4.0, height - 18.0, width - 66
    names = sorted(shares, key=lambda name: kinds.get(name, 0))
    if len(at) == 1:                                            # a point becomes a line
        at, shares = 2 * at, {name: 2 * values for name, values in shares.items()}
    xs = [right * k / (len(at) - 1) for k in range(len(at))]
    below, body, tags = [0.0] * len(xs), [], []
    for name in names:
        above = [b + v for b, v in zip(below, shares[name])]
        y = [bottom - (bottom - top) * v for v in above]
        y0 = [bottom - (bottom - top) * v for v in below]
        kind = kinds.get(name, 0)
        body.append(area([*zip(xs, y), *reversed(list(zip(xs, y0)))], COLOURS[kind % len(COLOURS)], 0.85))
        body.append(curve(list(zip(xs, y)), "#ffffff", 1.5))
        tags.append([(y[-1] + y0[-1]) / 2, kind, shares[name][-1]])
        below = above
    tags.sort(key=lambda tag: tag[0])
    for first, second in zip(tags, tags[1:]):                   # labels do not lie on each other
        second[0] = max(second[0], first[0] + 15)
    for y, kind, value in tags:
        body += [mark(kind, right + 14, y, 5), text(right + 25, y + 4, f"{value:.0%}", bold=True)]
    body += [text(0, height - 2, say("generation")),               # the first is always 1
             text(right, height - 2, f"{at[-1]}", "end")]
    words = say(", ").join(f"{plain(name)} {shares[name][-1]:.0%}" for name in names)
    return svg(width, height, body, say("Winners of the last {n} generations: {words}.", n=min(WINDOW, at[-1]),
                                        words=words))
