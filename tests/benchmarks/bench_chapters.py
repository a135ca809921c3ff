"""What does a chapter cost its reader: seconds to the first picture, seconds in all, memory of the kernel?

    python tests/benchmarks/bench_chapters.py [00 01 …] [--without torchmetrics anywidget]

Runs every cell of each chapter (all of them) in a kernel of its own and prints one line of JSON for each. Memory is
the kernel's own share (PSS: what several processes share is divided among them), the largest after any cell, in MB;
`of_thirty` is what one of thirty such kernels on one machine adds, the files in memory being shared among them.
--without leaves packages out: an environment of links that has all others. Linux alone tells these figures.
Asserts nothing, but an error in a cell is in the line.
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


def memory(pid: int) -> dict[str, float]:
    """MB of a process: its PSS, and the parts of it that are its own and that are files."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kB = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return {"pss": kB["Pss"] / 1e3, "of_thirty": (kB["Pss_Anon"] + (kB["Pss_File"] + kB["Pss_Shmem"]) / 30) / 1e3}


def run(chapter: str, python: Path, said: Path | None = None) -> dict:
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
                client.execute_interactive(cell["source"], output_hook=heard, timeout=1800)
                now = memory(pid)
                peak = {name: max(peak.get(name, 0), value) for name, value in now.items()}
        found |= {"all_s": round(time.perf_counter() - began, 1)}
        found |= {f"{name}_mb": round(value) for name, value in peak.items()} | {"errors": errors}
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="00, 01, 01b, …")
    parser.add_argument("--without", nargs="+", default=[], help="packages to leave out")
    parser.add_argument("--said", type=Path, help="a file for what the cells print")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = environments.without(Path(folder), *given.without) if given.without else Path(sys.executable)
        for chapter in given.chapters or notebooks.chapters():
            print(json.dumps(run(chapter, python, given.said)), flush=True)


if __name__ == "__main__":
    main()
