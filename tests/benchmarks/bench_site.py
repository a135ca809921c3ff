"""What a reader of the site waits for: the first picture of a machine, and each picture after a move of the hand.

    python tests/benchmarks/bench_site.py FOLDER [moves]

FOLDER is a built site. Each machine is opened in a fresh Chromium of 1440×900, its files come from a server on this
computer, so no network is waited for. Then the hand moves: a stroke in Two players and in Paint, the key on ψ in Mix, a
generation in Evolve; and once more on a page whose processes are stopped for three quarters of the time. What the page
itself measures is read: from the event to the pixels of the picture. Prints; asserts nothing.
"""

import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from unittest.mock import patch

AIM_MS = {1: 50, 4: 150}                                # from a move to its picture, by how much slower the computer is
AIM_FIRST_S = 3


def built(folder: Path) -> Path:
    """A site whose units nobody searched and whose games have hardly begun: that takes minutes, and changes no cost."""
    from gan_teach.site import build, machines

    some = {"units": list(range(machines.FEW)), "alpha": [1.0] * machines.FEW, "levels": [1.0] * 64}
    units = {action: dict.fromkeys(machines.CLASSES, some) for action in ("remove", "add")}
    with patch.object(machines, "found_units", lambda: units), patch.object(machines, "GAMES", 1):
        return build(folder).parent


def stroke(visit, moves: int) -> None:
    visit.page.mouse.move(*visit.place(0.2, 0.6))
    visit.page.mouse.down()
    for n in range(moves):
        visit.page.mouse.move(*visit.place(0.2 + 0.6 * n / moves, 0.6 + 0.05 * (n % 3)))
        visit.page.wait_for_timeout(25)
    visit.page.mouse.up()
    visit.page.wait_for_function("performance.getEntriesByName('stroke to picture').length")
    visit.page.wait_for_timeout(500)                                        # the last picture may still be on its way


def turn(visit, moves: int) -> None:
    """Each time to a ψ whose picture was not drawn yet, as soon as the last one is there: at most 50 times."""
    visit.page.focus("#psi")
    visit.page.keyboard.press("Home")
    for n in range(moves):
        visit.page.keyboard.press("ArrowRight")
        visit.page.wait_for_function("n => performance.getEntriesByName('change to picture').length > n", arg=n)


def step(visit, moves: int) -> None:
    for _ in range(moves):
        visit.page.click("#generation")


ACTS = {"players": (stroke, "stroke to picture"), "paint": (stroke, "stroke to picture"),
        "mix": (turn, "change to picture"), "evolve": (step, "step to picture")}


def measure(folder: Path, moves: int) -> Iterator[dict]:
    """A row for each machine of a built site."""
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "site")]
    from serving import slowed, visiting

    for machine, (act, name) in ACTS.items():
        with tempfile.TemporaryDirectory() as scratch, visiting(folder.parent, folder.name, Path(scratch)) as visit:
            visit.open(f"{machine}.html")
            found = visit.figures()
            first = visit.page.evaluate("name => performance.getEntriesByName(name)[0]?.toJSON()", name)
            ready = first["startTime"] + first["duration"] if first else found["ready"]     # Mix goes on to its table
            row = {"machine": machine, "moves": moves, "first_picture_s": round(ready / 1e3, 2),
                   "largest_s": round(found["largest"] / 1e3, 2), "mb": round(found["megabytes"], 2),
                   "shift": round(found["shift"], 3)}
            for times in AIM_MS:
                visit.open(f"{machine}.html")
                visit.page.evaluate("name => performance.clearMeasures(name)", name)
                with slowed(visit, times) as stopped:
                    act(visit, moves)
                ms = sorted(visit.measures(name))
                row[f"ms_{times}"] = round(median(ms))
                row[f"ms_{times}_19_of_20"] = round(ms[math.ceil(0.95 * len(ms)) - 1])
                if stopped:
                    row["stopped"] = round(stopped[0], 2)
        yield row


def table(rows: list[dict]) -> list[str]:
    """Lines of Markdown, each figure below its aim."""
    slower = f"a quarter of the speed (aim {AIM_MS[4]} ms)"
    lines = ["The files came from this computer, into a fresh Chromium. *A quarter of the speed*: page and worker were",
             "stopped for " + " … ".join(f"{share:.0%}" for share in sorted({row["stopped"] for row in rows}))
             + " of the time. *Largest*: when the largest thing was painted. *Shift*: how far things jumped.", "",
             f"| machine | from a move to its picture (aim {AIM_MS[1]} ms) | the same at {slower} "
             f"| first picture (aim {AIM_FIRST_S} s) | largest | shift | fetched |", "|---|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        moves = [f"{row[f'ms_{times}']} ms, 19 of 20 within {row[f'ms_{times}_19_of_20']} ms" for times in AIM_MS]
        lines.append(" | ".join(["| " + row["machine"], *moves, f"{row['first_picture_s']} s", f"{row['largest_s']} s",
                                 str(row.get("shift", "")), f"{row['mb']} MB |"]))
    return lines


if __name__ == "__main__":
    given = sys.argv[1:]
    print("\n".join(table([*measure(Path(given[0]).resolve(), int(given[1]) if len(given) > 1 else 40)])))
