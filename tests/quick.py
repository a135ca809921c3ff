"""What a change needs before it is committed: ruff, clean notebooks, the index, and the tests of one room.

    python tests/quick.py [ROOM …]       a folder of tests/ such as egan; without one what every change needs
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(rooms: list[str]) -> int:
    unknown = [room for room in rooms if not (ROOT / "tests" / room).is_dir()]
    if unknown:
        there = ", ".join(sorted(path.name for path in (ROOT / "tests").iterdir() if list(path.glob("test_*.py"))))
        print(f"no room {', '.join(unknown)}; there are: {there}", file=sys.stderr)
        return 2
    notebooks = sorted(map(str, (ROOT / "notebooks").rglob("[0-9]*.ipynb")))
    tests = ["tests/test_packaging.py", "tests/test_index.py", *(f"tests/{room}" for room in rooms)]
    for command in (["ruff", "check", "."], ["nbstripout", "--verify", "--keep-id", *notebooks],
                    ["pytest", "-q", "--deselect", "tests/test_packaging.py::test_ruff_is_content", *tests]):
        print("+", *command[:2], "…", flush=True)
        if failed := subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode:
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
