"""What does a chapter cost its reader: seconds to the first picture, seconds in all, memory of the kernel?

    python tests/benchmarks/bench_chapters.py [00 01 …] [--without torchmetrics anywidget] [--colab] [--small]
    .venv/bin/python tests/benchmarks/bench_chapters.py          # whole, as a reader has them who installed `[lab]`

Runs every cell of each chapter (all of them) in a kernel of its own, by the Python that runs this, and prints one line
of JSON for each; at the end, the table of notebooks/TEACHING.md. Memory is the kernel's own share (PSS: what several
processes share is divided among them), the largest after any cell, in MB; `of_thirty` is what one of thirty such
kernels on one machine adds, the files in memory being shared among them; `moment` is the most that it held while a cell
ran. --without leaves packages out: an environment of links that has all others. --colab takes Colab's kernel, --small
makes the cells small, as `catch_up` does. Linux alone tells these figures. Asserts nothing, but an error in a cell is
in the line.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import environments
from jupyter_client import KernelManager

from gan_teach.lessons import notebooks
from gan_teach.lessons.catch_up import small


def memory(pid: int) -> dict[str, float]:
    """MB of a process: its PSS, and the parts of it that are its own and that are files."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kB = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return {"pss": kB["Pss"] / 1e3, "of_thirty": (kB["Pss_Anon"] + (kB["Pss_File"] + kB["Pss_Shmem"]) / 30) / 1e3}


def resident(pid: int) -> tuple[float, float]:
    """MB that a process has in memory now, shared or not, and the most since `begin`."""
    told = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(told[name].split()[0]) / 1e3 for name in ("VmRSS", "VmHWM"))


def begin(pid: int) -> None:
    """From now on `resident` tells the most."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def run(chapter: str, python: Path, said: Path | None = None, short: bool = False) -> dict:
    """Run a chapter in a kernel of this Python, in a folder of its own; what it printed goes to the file `said`."""
    manager = KernelManager()
    manager.kernel_spec.argv[0] = str(python)
    found, peak, errors = {"chapter": chapter}, {}, []
    with tempfile.TemporaryDirectory() as folder:
        env = {**environments.clean(), "PYTHONPATH": str(environments.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        began = time.perf_counter()
        manager.start_kernel(cwd=folder, env=env, stderr=subprocess.DEVNULL)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=120)
        pid = manager.provisioner.process.pid

        def heard(message):
            content = message["content"]
            if message["msg_type"] == "error":
                errors.append(f"{content['ename']}: {content['evalue']}")
            page = str(content.get("data", {}).get("text/html", ""))
            if "<img" in page and "first_picture_s" not in found:
                found["first_picture_s"] = round(time.perf_counter() - began, 1)
            if said and (text := content.get("text") or content.get("data", {}).get("text/markdown")):
                with said.open("a") as file:
                    file.write(text + "\n")

        for cell in notebooks.read(chapter):
            if cell["cell_type"] == "code":
                if said:
                    said.open("a").write(f"\n--- {cell['id']}\n")
                begin(pid)
                client.execute_interactive(small(cell) if short else cell["source"], output_hook=heard, timeout=3600)
                now, (here, most) = memory(pid), resident(pid)
                now["moment"] = now["pss"] + most - here                    # what comes and goes is the kernel's own
                peak = {name: max(peak.get(name, 0), value) for name, value in now.items()}
        found |= {"all_s": round(time.perf_counter() - began, 1)}
        found |= {f"{name}_mb": round(value) for name, value in peak.items()} | {"errors": errors}
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return found


def table(rows: list[dict]) -> list[str]:
    """The lines of TEACHING's table, of what was measured."""
    lines = [f"| chapter | {' | '.join(row['chapter'][1:] for row in rows)} |", "|---" + "|--:" * len(rows) + "|"]
    for words, key in (("the most after a cell", "pss_mb"), ("one of thirty adds, by estimate", "of_thirty_mb"),
                       ("the most while a cell ran", "moment_mb")):
        lines.append(f"| {words} | {' | '.join(str(row[key]) for row in rows)} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="00, 01, 01b, …")
    parser.add_argument("--without", nargs="+", default=[], help="packages to leave out")
    parser.add_argument("--colab", action="store_true", help="by Colab's notebook, kernel and widgets")
    parser.add_argument("--small", action="store_true", help="cells made small")
    parser.add_argument("--said", type=Path, help="a file for what the cells print")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make = environments.colab if given.colab else environments.without
        python = make(Path(folder), *given.without) if given.colab or given.without else Path(sys.executable)
        rows = []
        for chapter in given.chapters or notebooks.chapters():
            rows.append(run(chapter, python, given.said, given.small))
            print(json.dumps(rows[-1]), flush=True)
        print(*table(rows), sep="\n")


if __name__ == "__main__":
    main()
