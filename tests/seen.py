"""Which chapters and pages were read beside the weights and records of today, and which must be read again?

    python tests/seen.py                    what is to be read again, and the cells that speak of it
    python tests/seen.py 01 README          these were read again, beside their outputs: remember it

No figure of a trained network is typed into a sentence; but a sentence can still say "the roofs stay" of a picture
that no longer shows it, or "nearly all" of a table. So `seen.json` remembers with which records each text was read, and
a test asks for it again after new ones. A record, data/NAME.json, is of a network, whose SHA-256 it holds, or of a
comparison. A text speaks of it by its name; `scenes-{…}` and `runs("scenes")` stand for all that begin so.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMORY = ROOT / "tests" / "seen.json"


def texts() -> dict[str, list[tuple[str, str]]]:
    """Every text that speaks of trained networks: its short name -> [(cell or "", words and code)]."""
    found = {}
    for path in sorted((ROOT / "notebooks").rglob("0*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        found["zh/" * (path.parent.name == "zh") + path.stem.split("_")[0]] = [
            (cell["id"], re.sub('src="[^"]*', "", "".join(cell["source"]))) for cell in cells]
    pages = "README.md", "data/README.md", "notebooks/TEACHING.md", "notebooks/zh/README.md", "notebooks/zh/TEACHING.md"
    for path in map(ROOT.joinpath, pages):
        found[path.relative_to(ROOT).as_posix().removesuffix(".md")] = [("", path.read_text("utf-8"))]
    found["README"].append(("", (ROOT / "gan_teach" / "recipes" / "readme_pictures.py").read_text("utf-8")))
    return found


def records() -> dict[str, str]:
    """The first twelve digits of the SHA-256 of each record."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in sorted(ROOT.glob("data/*.json"))}


def spoken_of(cells: list[tuple[str, str]], names) -> dict[str, list[str]]:
    """The records that a text names -> the cells that do."""
    found = {}
    for cell, text in cells:
        for name in names:
            kind = name.split("-")[0]
            if re.search(rf"(?<![\w-]){name}(?![\w-])|\b{kind}-\{{|\bruns\(\"{kind}\"\)", text):
                found.setdefault(name, []).append(cell)
    return found


def now() -> dict[str, dict[str, str]]:
    """What `seen.json` holds when everything was read with the records of today."""
    shipped = records()
    return {text: {name: shipped[name] for name in spoken_of(cells, shipped)} for text, cells in texts().items()}


def stale() -> list[str]:
    """A line for each text and record that must be looked at again."""
    read, shipped, lines = json.loads(MEMORY.read_text("utf-8")), records(), []
    for text, cells in texts().items():
        for name, where in spoken_of(cells, shipped).items():
            if read.get(text, {}).get(name) != shipped[name]:
                places = f" (named in {', '.join(filter(None, where))})" if any(where) else ""
                lines.append(f"{text}: {name} is new since this was read{places}; read it beside its outputs, then "
                             f"python tests/seen.py {text}")
    return lines


def main(read: list[str]) -> int:
    today, kept = now(), json.loads(MEMORY.read_text("utf-8")) if MEMORY.exists() else {}
    if unknown := set(read) - today.keys():
        print(f"no text {', '.join(sorted(unknown))}; there are: {', '.join(today)}", file=sys.stderr)
        return 2
    kept |= {text: today[text] for text in read}
    MEMORY.write_text(json.dumps({text: kept[text] for text in today if text in kept}, indent=1) + "\n", "utf-8")
    print("\n".join(stale()) or "everything was read beside the records of today")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
