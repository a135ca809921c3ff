"""Processes that meet as those of `torchrun` do, for a fraction of its time: forked from one that has loaded torch.

    python tests/together.py SCRIPT PROCESSES FOLDER [ARGUMENTS…]

runs `SCRIPT ARGUMENTS… FOLDER/one` alone, and `SCRIPT ARGUMENTS… FOLDER/many` in so many processes. Not on Windows.
"""

from __future__ import annotations

import ast
import os
import runpy
import signal
import socket
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path


def run(script: str, processes: int, folder: Path, *arguments) -> dict[str, str]:
    """Run a script as above; returns what "one" and "many" said. An AssertionError if either fails."""
    (path := folder / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, __file__, path, str(processes), folder, *arguments], text=True,
                          capture_output=True, timeout=900, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-20000:]
    return dict(part.split("\n", 1) for part in done.stdout.split("\n-- ")[1:])


def begin(script: str, arguments: list[str], **variables) -> int:
    """Run the script in a process of its own; returns its number."""
    if child := os.fork():
        return child
    status = 1
    try:
        os.environ |= variables
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def meet(count: int, script: str, arguments: list[str]) -> bool:
    """Whether they all end well; where one does not, the others are ended."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(s.getsockname()[1]), "WORLD_SIZE": str(count)}
    ours = {begin(script, arguments, **({} if count == 1 else address | {"RANK": str(i), "LOCAL_RANK": str(i)}))
            for i in range(count)}
    well = True
    while ours:
        child, status = os.wait()
        ours.discard(child)
        for other in ours if status and well else ():
            os.kill(other, signal.SIGKILL)
        well &= not status
    return well


if __name__ == "__main__":
    given, how_many, into, *more = sys.argv[1:]
    imports = ast.parse(Path(given).read_text())
    imports.body = [node for node in imports.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(imports, given, "exec"), {})                   # here, not anew in each child
    import torch

    torch.optim.Adam([torch.zeros(1)])                          # this too loads for seconds
    for name, number in (("one", 1), ("many", int(how_many))):
        Path(into, name).mkdir()
        for _ in range(2):      # on a busy machine a process can die inside gloo as they meet (pytorch/gloo issue 514)
            print(f"\n-- {name}", flush=True)
            if done := meet(number, given, [*more, str(Path(into, name))]):
                break
        if not done:
            sys.exit(1)
