"""How long does `catch_up` take to each section of each chapter, and which cell takes most of it?

    python tests/benchmarks/bench_catch_up.py [00 01b …]

A fresh process for each chapter (all of them) catches up to its last section, and the time is taken at each section on
the way. Prints a line of JSON for each section: seconds of the clock until it can begin, with the imports; seconds of
the processor, which say more where the machine is busy (OMP_NUM_THREADS=1 makes them those of one core); and of the
section before it the cell that took longest, with its share of the latter. `python -m tests.benchmarks --only catch-up`
writes the table. Asserts nothing.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gan_teach.lessons import catch_up, notebooks


def clocks() -> tuple[float, float]:
    """Seconds of the clock, and of the processor for this process and those it has waited for."""
    return time.perf_counter(), sum(os.times()[:4])


def measure(chapter: str) -> Iterator[dict]:
    """Catch up to the last section of a chapter, in this process; a row for each section."""
    there, light, marks = notebooks.sections(chapter), catch_up.lighter, {}

    def passing(cell: dict):
        marks[cell["id"]] = clocks()
        return light(cell)

    catch_up.lighter, last, began = passing, list(there)[-1], clocks()
    with contextlib.redirect_stdout(io.StringIO()):
        catch_up.catch_up(f"{chapter}.{last}", {})
    names, ends = [*marks], [*list(marks.values())[1:], clocks()]
    spent = {name: end[1] - marks[name][1] for name, end in zip(names, ends)}
    now, slowest = began, {}
    for number in list(there)[1:]:
        yield {"section": f"{chapter}.{number}", "s": round(now[0] - began[0], 1),
               "cpu_s": round(now[1] - began[1], 1)} | slowest
        if mine := [cell["id"] for cell in there[number] if cell["id"] in spent]:
            now, most = ends[names.index(mine[-1])], max(mine, key=spent.get)
            slowest = {"cell": most, "cell_s": round(spent[most], 1)}
        else:
            slowest = {}


def each(chapters: list[str]) -> Iterator[dict]:
    """The rows of these chapters, each measured by a process of its own."""
    for chapter in chapters:
        told = subprocess.run([sys.executable, __file__, chapter], check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])})
        yield from map(json.loads, told.stdout.splitlines())


def table(rows: list[dict]) -> list[str]:
    """The lines of the table, and above it what its columns mean."""
    lines = ["Seconds until a section can begin after `catch_up`, with the imports, by the clock and of the processor;",
             "and the cell of the section before it that took longest, with its seconds of the processor.", "",
             "| section | by the clock | processor | the slowest cell on the way |", "|---|--:|--:|---|"]
    for row in rows:
        cell = f"{row['cell']}, {row['cell_s']:.1f} s" if "cell" in row else ""
        lines.append(f"| {row['section']} | {row['s']:.1f} s | {row['cpu_s']:.1f} s | {cell} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="00, 01, 01b, …")
    given = parser.parse_args().chapters or [*notebooks.chapters()]
    for row in measure(notebooks.find(given[0]).name.split("_")[0]) if len(given) == 1 else each(given):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
