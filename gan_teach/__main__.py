"""`python -m gan_teach`: train a checkpoint, dissect a generator, show a chapter on a stage, or list the weights."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    from . import recipes
    from .recipes import compare_plane, evolving
    from .widgets import stage

    whole = argparse.ArgumentParser(prog="python -m gan_teach", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a checkpoint again; a stopped run goes on where it was")
    train.add_argument("name", choices=recipes.RECIPES, help="which one")
    train.add_argument("--out", type=Path, help="folder for snapshots, sample grids and the result (runs/NAME)")
    train.add_argument("--images", type=int, help="how many pictures to show it in all (the recipe's number)")
    train.add_argument("--device", help="cpu, cuda or mps (the best one present)")

    evolve = commands.add_parser("evolve", help="E-GAN on pictures of your own at 32×32; a stopped run goes on where "
                                                "it was")
    evolve.add_argument("pictures", help="a folder, cifar10 or celeba")
    evolve.add_argument("--rival", choices=evolving.RIVALS, default="egan", help="or a rival of it (%(default)s)")
    evolve.add_argument("--out", type=Path, help="folder for snapshots, sample grids and the result (runs/NAME)")
    evolve.add_argument("--images", type=int, help="how many pictures to show it in all (96,000; one loss: 288,000)")
    evolve.add_argument("--device", help="cpu, cuda or mps (the best one present)")

    dissect = commands.add_parser("dissect", help="which units draw what: writes one page of HTML")
    dissect.add_argument("model", help="a shipped generator such as scenes-progan, a file of weights, or official/…")
    dissect.add_argument("--layer", action="append", metavar="LAYER", dest="layers",
                         help="list the units of this layer (layer4); give it again for more layers; all for every one")
    dissect.add_argument("--segmenter", default="scenes-segmenter", help="what labels the pixels (%(default)s)")
    dissect.add_argument("--out", type=Path, help="the page to write (dissection-MODEL.html)")
    dissect.add_argument("--samples", type=int, default=1000, help="pictures to draw and segment (%(default)s)")
    dissect.add_argument("--quantile", type=float, default=0.01,
                         help="a unit is on above the top share of its values (%(default)s)")
    dissect.add_argument("--information", action="store_true",
                         help="the paper's thresholds instead: those of greatest information quality")
    dissect.add_argument("--seed", type=int, default=0, help="of the pictures (%(default)s)")
    dissect.add_argument("--batch", type=int, default=50, help="pictures at a time: fewer, less memory (%(default)s)")
    dissect.add_argument("--device", help="cpu, cuda or mps (the best one present)")

    demo = commands.add_parser("demo", help="a chapter's panels on one page, full screen, on this computer alone")
    demo.add_argument("name", choices=stage.DEMOS, help="which one")
    demo.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    demo.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (a free one)")

    site = commands.add_parser("site", help="the chapters to read and two machines to drive, as plain files for "
                                            "any web server; needs Node.js and npm")
    site.add_argument("--out", type=Path, default=Path("site"), help="the folder (%(default)s)")
    site.add_argument("--execute", action="store_true", help="run the chapters and show their outputs (long)")

    fetch = commands.add_parser("fetch", help="download a set of pictures into the cache, with its size and its hash")
    fetch.add_argument("name", choices=("fashion", "cifar10"), help="which one")

    compare = commands.add_parser("compare", help="variants trained equally, over seeds: make a record of data/ again; "
                                                  "a stopped comparison goes on with the run that it was in")
    compare.add_argument("name", choices=(*compare_plane.COMPARISONS, "styles", "progan"),
                         help="E-GAN beside its rivals, twice; style generators, one change after the other; "
                              "progressive GANs, dissected with and without minibatch std-dev")
    compare.add_argument("--out", type=Path, help="folder of the record (runs/NAME of the record)")
    compare.add_argument("--seeds", type=int, help="how many runs of each variant (the record's number)")
    compare.add_argument("--generations", type=int, help="of each run of E-GAN (the record's number)")
    compare.add_argument("--images", type=int, help="for each style generator or progressive GAN (the record's number)")

    commands.add_parser("list", help="the shipped checkpoints and their records")
    return whole


def train(given: argparse.Namespace) -> int:
    from . import recipes

    folder = given.out or Path("runs") / given.name
    record = recipes.RECIPES[given.name](folder, images=given.images, device=given.device)
    if record is not None:                               # None: interrupted, or not the first of several processes
        print(json.dumps(record, indent=2))
        print(f"written: {folder / given.name}.safetensors")
    return 0


def evolve(given: argparse.Namespace) -> int:
    from .recipes import evolving

    record = evolving.train_on(given.pictures, given.out, given.rival, given.images, given.device)
    if record is not None:                               # None: interrupted; the same command goes on
        print(json.dumps(record, indent=2))
    return 0


def dissect(given: argparse.Namespace) -> int:
    from . import load
    from .dissection import report

    G, S = (load(name, given.device) for name in (given.model, given.segmenter))
    name, layers = Path(given.model).stem, given.layers or ["layer4"]
    page = report.write_report(G, S, G.layers if "all" in layers else layers,
                               given.out or Path(f"dissection-{name}.html"), samples=given.samples,
                               quantile=given.quantile, information=given.information, seed=given.seed,
                               batch=given.batch, name=name)
    print(f"written: {page} ({page.stat().st_size / 1e6:.1f} MB); open it in a browser")
    return 0


def demo(given: argparse.Namespace) -> int:
    from .widgets import stage

    return stage.serve(given.name, browser=not given.no_browser, port=given.port)


def site(given: argparse.Namespace) -> int:
    from .site import build

    print(f"written: {build(given.out, execute=given.execute)}; see it with\n"
          f"python -m http.server --bind 127.0.0.1 --directory {given.out} 8000\nat http://127.0.0.1:8000/")
    return 0


def fetch(given: argparse.Namespace) -> int:
    from .worlds import datasets

    print(f"fetched: {datasets.fetch(given.name)}")
    return 0


def compare(given: argparse.Namespace) -> int:
    from .recipes import compare_plane, compare_progan, compare_styles

    growing = {"styles": compare_styles, "progan": compare_progan}.get(given.name)
    if getattr(given, "generations" if growing else "images") is not None:
        raise ValueError(f"compare {given.name} takes {'--images' if growing else '--generations'}")
    name = growing.NAME if growing else compare_plane.COMPARISONS[given.name][0]
    changes = {key: value for key in ("seeds", "generations") if (value := getattr(given, key)) is not None}
    if given.images is not None:
        changes["settings"] = replace(growing.SETTINGS, images=given.images)
    folder = given.out or Path("runs") / name
    record = growing.run(folder, **changes) if growing else compare_plane.run(given.name, folder, **changes)
    if record is not None:                               # None: interrupted; the same command goes on
        print("\n".join((growing or compare_plane).lines(record)))
    return 0


def list_shipped(given: argparse.Namespace) -> int:
    from . import checkpoints

    for name in checkpoints.shipped():
        print(name, json.dumps(checkpoints.record(name), indent=2))
    return 0


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    command = {"train": train, "evolve": evolve, "dissect": dissect, "demo": demo, "site": site, "fetch": fetch,
               "compare": compare, "list": list_shipped}[given.command]
    try:
        return command(given)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
