"""`python -m gan_teach`: train a checkpoint, or list what is shipped."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    from . import checkpoints, recipes

    parser = argparse.ArgumentParser(prog="python -m gan_teach", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a checkpoint again; a stopped run goes on where it was")
    train.add_argument("name", choices=recipes.RECIPES, help="which one")
    train.add_argument("--out", type=Path, help="folder for snapshots, sample grids and the result (runs/NAME)")
    train.add_argument("--images", type=int, help="how many pictures to show it in all (the recipe's number)")
    train.add_argument("--device", help="cpu, cuda or mps (the best one present)")
    commands.add_parser("list", help="the shipped checkpoints and their records")
    given = parser.parse_args(arguments)
    if given.command == "list":
        for name in checkpoints.shipped():
            print(name, json.dumps(checkpoints.record(name), indent=2))
        return 0
    folder = given.out or Path("runs") / given.name
    try:
        record = recipes.RECIPES[given.name](folder, images=given.images, device=given.device)
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if record is None:
        return 0
    print(json.dumps(record, indent=2))
    print(f"written: {folder / given.name}.safetensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
