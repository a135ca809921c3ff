"""How many generations a second does the evolution panel play and draw?

    python tests/benchmarks/bench_lab.py [seconds]

`EvolutionLab` as it stands in chapter 3, on the plane, playing for so many seconds (5) with nobody looking: what the
browser does with the pictures comes on top. Prints; asserts nothing.
"""

import sys
import time

from gan_teach.widgets.evolution import EvolutionLab


def main(seconds=5.0):
    lab, frames = EvolutionLab(), [0]
    lab.tree.observe(lambda _: frames.__setitem__(0, frames[0] + 1), "value")
    lab.runner.play()
    time.sleep(seconds)
    lab.runner.pause()
    generations = lab.lab.evolution.generation
    print(f"{generations / seconds:.1f} generations and {frames[0] / seconds:.1f} frames a second, over {seconds:g} s")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
