"""How long does `catch_up` take to each section of each chapter, and which cell takes most of it?

    python tests/benchmarks/bench_catch_up.py [00 01b …]

A fresh process for each chapter (all of them) catches up to its last section, and the time is taken at each section on
the way. A line says: the section; seconds of the clock until it can begin, with the imports; seconds of the processor,
which say more where the machine is busy (OMP_NUM_THREADS=1 makes them those of one core); and of the section before
it the cell that took longest, with its share of the latter. Asserts nothing.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from gan_teach.lessons import catch_up, notebooks


def clocks() -> tuple[float, float]:
    """Seconds of the clock, and of the processor for this process and those it has waited for."""
    return time.perf_counter(), sum(os.times()[:4])


def measure(chapter: str) -> Iterator[str]:
    """Catch up to the last section of a chapter, in this process; a line for each section."""
    there, light, marks = notebooks.sections(chapter), catch_up.lighter, {}

    def passing(cell: dict):
        marks[cell["id"]] = clocks()
        return light(cell)

    catch_up.lighter, last, began = passing, list(there)[-1], clocks()
    with contextlib.redirect_stdout(io.StringIO()):
        catch_up.catch_up(f"{chapter}.{last}", {})
    names, ends = [*marks], [*list(marks.values())[1:], clocks()]
    spent = {name: end[1] - marks[name][1] for name, end in zip(names, ends)}
    now, slowest = began, ""
    for number in list(there)[1:]:
        clock, cpu = now[0] - began[0], now[1] - began[1]
        yield f"{chapter}.{number:3} {clock:7.1f} s {cpu:7.1f} s of the processor{slowest}"
        if mine := [cell["id"] for cell in there[number] if cell["id"] in spent]:
            now, most = ends[names.index(mine[-1])], max(mine, key=spent.get)
            slowest = f"   {most}: {spent[most]:.1f} s"
        else:
            slowest = ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="00, 01, 01b, …")
    given = parser.parse_args().chapters or [*notebooks.chapters()]
    if len(given) == 1:
        for line in measure(notebooks.find(given[0]).name.split("_")[0]):
            print(line, flush=True)
        return
    for chapter in given:
        subprocess.run([sys.executable, __file__, chapter], check=True)


if __name__ == "__main__":
    main()
