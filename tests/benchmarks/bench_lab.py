"""How many generations a second does the evolution panel play and draw?

    python tests/benchmarks/bench_lab.py [seconds]

`EvolutionLab` as it stands in chapter 3, on the plane, playing for so many seconds (5) for a page that asks for the
next frame 40 ms after the last one: what the browser does with the pictures comes on top. Where other programs run,
the second line is the one to read: what the same work does with a core of its own. Prints; asserts nothing.
"""

import sys
import time

from gan_teach.widgets.egan.evolution import EvolutionLab


def main(seconds=5.0):
    lab, frames = EvolutionLab(), [0]
    lab.scene.observe(lambda _: frames.__setitem__(0, frames[0] + 1), "value")
    spent, began = time.process_time(), time.perf_counter()
    lab.runner.play()
    while time.perf_counter() - began < seconds:
        lab.pulse.widget.value += 1
        time.sleep(0.04)
    lab.runner.pause()
    spent, took = time.process_time() - spent, time.perf_counter() - began
    done = lab.lab.evolution.generation
    print(f"{done / took:.1f} generations and {frames[0] / took:.1f} frames a second, over {took:.1f} s")
    print(f"{done / spent:.1f} generations and {frames[0] / spent:.1f} frames a CPU second, over {spent:.1f} s of CPU")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
