"""How long from a stroke to the new picture, in the painting panel of chapter 1b?

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_paint.py [strokes]

`PaintRenderer` as the panel of chapter 1b uses it (scenes-progan cut at layer6, scenes-segmenter, 64 units), on so many
strokes (200) of eight points each, one after the other, adding and removing by turns; after ten a new scene. Then
the same strokes through the whole panel: what the browser sends goes in, `canvas.answered` comes out; PNG and counts
included, the browser's own drawing not. Prints; asserts nothing. On a busy machine believe the CPU figures.
"""

import sys
import time
from dataclasses import replace

import numpy as np
import torch

import gan_teach
from gan_teach.widgets import PaintPanel
from gan_teach.widgets.dissection.paint_render import PaintState, Stroke

CLASSES = ("tree", "door", "window", "grass")


def line(rng):
    """A pull of the brush: eight points that drift."""
    return tuple(map(tuple, np.clip(rng.random(2) + rng.normal(0, 0.03, (8, 2)).cumsum(0), 0, 1).tolist()))


def told(name, wall, cpu):
    wall, cpu = 1e3 * np.array(wall), 1e3 * np.array(cpu)
    print(f"{name:<28}median {np.median(wall):6.1f} ms, 95 % under {np.quantile(wall, 0.95):6.1f} ms; "
          f"CPU {np.median(cpu):5.1f} and {np.quantile(cpu, 0.95):5.1f} ms")


def timed(act):
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def main(strokes=200):
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    G, S = (gan_teach.load(f"scenes-{name}", "cpu") for name in ("progan", "segmenter"))
    panel = PaintPanel(G, "layer6", S, {cls: range(64) for cls in CLASSES}, units=64, paint="buttons")
    for cls in CLASSES:
        panel.renderer.level(cls)                                           # the panel measures k before the stroke
    pulls = [(("add", "remove")[i % 2], CLASSES[i // 2 % len(CLASSES)], line(rng)) for i in range(strokes)]

    state, times = PaintState(), []
    for i, (action, cls, points) in enumerate(pulls):
        if i % 10 == 0:
            state = PaintState(seed=i)
            panel.renderer.scene(i)
        state = replace(state, strokes=(*state.strokes, Stroke(action, cls, points, units=64)))
        times.append(timed(lambda state=state: panel.renderer.render(state)))
    told("the renderer alone", *zip(*times, strict=True))

    times = []
    for i, (action, cls, points) in enumerate(pulls):
        if i % 10 == 0:
            panel.go(PaintState(seed=strokes + i))
        panel.action.value, panel.cls.value = action, cls
        message = {"id": i, "seq": i, "points": [list(point) for point in points], "done": True}
        times.append(timed(lambda message=message: setattr(panel.canvas, "stroke", message)))
    told("the panel, widgets included", *zip(*times, strict=True))
    if panel.error.value:
        print("the panel complained:", panel.error.value)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
