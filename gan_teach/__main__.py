"""`gan-teach`, or `python -m gan_teach`: open the notebooks, train, dissect, show a chapter on a stage."""

import argparse
import importlib.util
import json
import os
import re
import signal
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from . import language
from .files import DiskFull, disk_full
from .language import say, told

TRACE = "GAN_TEACH_TRACEBACK"      # an environment variable
SUFFIXES = re.compile(r"\.(safetensors|pkl|pth?|bin|ckpt)$")     # of weights; that of gen-0.1 is none
# What argparse says itself, in Python 3.10 to 3.14; it looks it up under the name _, as gettext has it.
ARGPARSE = ("usage: ", "%(heading)s:", "positional arguments", "options", "show this help message and exit",
            "%(prog)s: error: %(message)s\n", "argument %(argument_name)s: %(message)s", "expected one argument",
            "the following arguments are required: %s", "unrecognized arguments: %s", "ignored explicit argument %r",
            "invalid choice: %(value)r (choose from %(choices)s)", "invalid %(type)s value: %(value)r",
            "ambiguous option: %(option)s could match %(matches)s")


def count(text: str) -> int:
    """How many of something: 1 or more."""
    if not text.strip().isdecimal() or len(text) > 18 or int(text) < 1:
        raise argparse.ArgumentTypeError(say("give a whole number of 1 or more, not {text!r}", text=text[:40]))
    return int(text)


def parser() -> argparse.ArgumentParser:
    from . import recipes
    from .recipes import compare_plane, evolving
    from .training import LOSSES
    from .widgets import stage

    whole = argparse.ArgumentParser(prog="gan-teach", description=say(
        "Open the notebooks, train, dissect, show a chapter on a stage."))
    commands = whole.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help=say("train a checkpoint again; a stopped run goes on where it was"))
    train.add_argument("name", choices=recipes.RECIPES, help=say("which one"))
    train.add_argument("--out", type=Path, help=say("folder for snapshots, sample grids and the result (runs/NAME)"))
    train.add_argument("--images", type=count, help=say("how many pictures to show it in all (the recipe's number)"))
    train.add_argument("--loss", choices=LOSSES, help=say("of a generator that grows, instead of its recipe's"))
    train.add_argument("--start", metavar="WEIGHTS", help=say(
        "let a generator that grows begin as these: a shipped name, or a file; its new discriminator learns alone at "
        "first"))

    evolve = commands.add_parser("evolve", help=say(
        "E-GAN on pictures of your own at 32×32; a stopped run goes on where it was"))
    evolve.add_argument("pictures", help=say("a folder, cifar10 or celeba"))
    evolve.add_argument("--rival", choices=evolving.RIVALS, default="egan", help=say("or a rival of it (%(default)s)"))
    evolve.add_argument("--out", type=Path, help=say("folder for snapshots, sample grids and the result (runs/NAME)"))
    evolve.add_argument("--images", type=count,
                        help=say("how many pictures to show it in all (96,000; one loss: 288,000)"))

    dissect = commands.add_parser("dissect", help=say("which units draw what: writes one page of HTML"))
    dissect.add_argument("model",
                         help=say("a shipped generator such as scenes-progan, a file of weights, or official/…"))
    dissect.add_argument("--layer", action="append", metavar="LAYER", dest="layers",
                         help=say("list the units of this layer (layer4); give it again for more layers; all for "
                                  "every one"))
    dissect.add_argument("--norm", choices=("none", "instance"), help=say(
        "of a file of E-GAN's code that does not tell what it was trained with"))
    dissect.add_argument("--segmenter", default="scenes-segmenter", help=say("what labels the pixels (%(default)s)"))
    dissect.add_argument("--out", type=Path, help=say("the page to write (dissection-MODEL.html)"))
    dissect.add_argument("--samples", type=count, default=1000, help=say("pictures to draw and segment (%(default)s)"))
    dissect.add_argument("--quantile", type=float, default=0.01,
                         help=say("a unit is on above the top share of its values (%(default)s)"))
    dissect.add_argument("--information", action="store_true",
                         help=say("the paper's thresholds instead: those of greatest information quality"))
    dissect.add_argument("--seed", type=int, default=0, help=say("of the pictures (%(default)s)"))
    dissect.add_argument("--batch", type=count, default=50,
                         help=say("pictures at a time: fewer, less memory (%(default)s)"))
    for command in (train, evolve, dissect):
        command.add_argument("--device", help=say("cpu, cuda or mps (the best one present)"))

    demo = commands.add_parser("demo", help=say("a chapter's panels on one page, full screen, on this computer alone"))
    demo.add_argument("name", choices=stage.DEMOS, help=say("which one, or its chapter: 1"),
                      type=lambda text: [*stage.DEMOS][int(text)] if re.fullmatch("0?[0-4]", text) else text)
    demo.add_argument("--theme", choices=stage.THEMES, default=stage.THEMES[0],
                      help=say("how the page begins; the key T changes it (%(default)s)"))
    demo.add_argument("--no-browser", action="store_true", help=say("print the address instead of opening it"))
    demo.add_argument("--port", type=int, default=0, help=say("of 127.0.0.1 (a free one)"))

    lab = commands.add_parser("lab",
                              help=say("copy the notebooks beside you, never over your work, and open JupyterLab"))
    lab.add_argument("folder", type=Path, nargs="?", default=Path("gan-teach"), help=say("where to (%(default)s)"))
    lab.add_argument("--copy", action="store_true", help=say("copy the notebooks and stop"))
    lab.add_argument("--no-browser", action="store_true", help=say("print the address instead of opening it"))
    lab.add_argument("--port", type=int, help=say("of this computer (JupyterLab's own choice)"))

    notes = commands.add_parser("notes", help=say("an instructor's notes to a chapter: minutes, answers, mistakes"))
    notes.add_argument("chapter", help=say("02, or 02b"))
    notes.add_argument("--pictures", type=Path, metavar="DIR", help=say(
        "run the chapter, and write a page there with the notes and small pictures of what its cells draw"))
    notes.add_argument("--executed", type=Path, metavar="FILE",
                       help=say("with --pictures: the chapter's notebook, run and saved already"))

    commands.add_parser("progress", help=say("which sections, exercises and quiz questions you have done"))

    address = commands.add_parser("address", help=say("set the repository's address, in everything that names it"))
    address.add_argument("url", nargs="?", help=say("https://github.com/OWNER/NAME (the one in pyproject.toml)"))
    site = commands.add_parser("site", help=say(
        "the chapters to read and four machines to drive, as plain files for any web server; needs Node.js and npm"))
    site.add_argument("--out", type=Path, default=Path("site"), help=say("the folder (%(default)s)"))
    site.add_argument("--execute", action="store_true", help=say("run the chapters and show their outputs (long)"))
    site.add_argument("--executed", type=Path,
                      help=say("a folder where they have been run already: show those outputs; "
                                       "with --execute too, what it lacks is run, and kept there"))

    fetch = commands.add_parser("fetch",
                                help=say("download a set of pictures into the cache, with its size and its hash"))
    fetch.add_argument("name", choices=("fashion", "cifar10"), help=say("which one"))

    compare = commands.add_parser("compare", help=say(
        "variants trained equally, over seeds: make a record of data/ again; a stopped comparison goes on with the run "
        "that it was in"))
    compare.add_argument("name", choices=(*compare_plane.COMPARISONS, "styles", "progan", "cost"),
                         help=say("E-GAN beside its rivals, three times; style generators, one change after the other; "
                                  "progressive GANs, dissected with and without minibatch std-dev; what the paper's "
                                  "trainings of StyleGAN would cost on one core"))
    compare.add_argument("--out", type=Path, help=say("folder of the record (runs/NAME of the record)"))
    compare.add_argument("--seeds", type=count, help=say("how many runs of each variant (the record's number)"))
    compare.add_argument("--generations", type=count, help=say("of each run of E-GAN (the record's number)"))
    compare.add_argument("--images", type=count,
                         help=say("for each style generator or progressive GAN (the record's number)"))

    commands.add_parser("list", help=say("the shipped checkpoints and their records"))
    return whole


def told_of(record: dict | None, weights: Path) -> int:
    """Print what came of a training; the exit status. None: it was stopped, or another process has the record."""
    if record is None:
        if os.environ.get("RANK", "0") != "0":
            return 0
        print(say("stopped; the same command goes on from {folder}", folder=weights.parent), file=sys.stderr)
        return 130
    print(json.dumps(record, indent=2, ensure_ascii=False))
    print(say("written: {path}", path=weights.with_name(f"{weights.name}.safetensors")))
    return 0


def train(given: argparse.Namespace) -> int:
    from . import recipes

    folder = given.out or Path("runs") / given.name
    options = {key: value for key, value in (("loss", given.loss), ("start", given.start)) if value}
    if options and given.name not in recipes.growing.RECIPES:
        raise ValueError(f"{given.name} has its own loss and start; --loss and --start are for "
                         f"{', '.join(recipes.growing.RECIPES)}")
    return told_of(recipes.RECIPES[given.name](folder, images=given.images, device=given.device, **options),
                   folder / given.name)


def evolve(given: argparse.Namespace) -> int:
    from .recipes import evolving

    return told_of(evolving.train_on(given.pictures, given.out, given.rival, given.images, given.device),
                   evolving.result(given.pictures, given.out, given.rival))


def dissect(given: argparse.Namespace) -> None:
    from . import load
    from .dissection import report
    from .official import load_official
    from .processes import first_alone, join_group, leave_group, place

    join_group(timedelta(days=1))                        # under torchrun: one waits for what another fetches
    G, S = first_alone(lambda: (load_official(given.model, device=given.device, norm=given.norm) if given.norm else
                                load(given.model, given.device), load(given.segmenter, given.device)))
    name, layers = SUFFIXES.sub("", Path(given.model).name), given.layers or ["layer4"]
    page = report.write_report(G, S, G.layers if "all" in layers else layers,
                               given.out or Path(f"dissection-{name}.html"), samples=given.samples,
                               quantile=given.quantile, information=given.information, seed=given.seed,
                               batch=given.batch, name=name)
    if place()[0] == 0:
        print(say("written: {page} ({size:.1f} MB); open it in a browser", page=page, size=page.stat().st_size / 1e6))
    leave_group()


def demo(given: argparse.Namespace) -> int:
    from .widgets import stage

    return stage.serve(given.name, browser=not given.no_browser, port=given.port, theme=given.theme)


def lab(given: argparse.Namespace) -> int:
    from .lessons import notebooks

    return notebooks.lab(given.folder, serve=not given.copy, browser=not given.no_browser, port=given.port)


def notes(given: argparse.Namespace) -> None:
    from .lessons import notes, thumbnails

    if given.executed and not given.pictures:
        raise ValueError("--executed FILE is where the pictures come from: say where to, with --pictures DIR")
    if given.pictures:
        print(say("written: {path}", path=thumbnails.write(given.chapter, given.pictures, given.executed)))
    else:
        print(notes.notes(given.chapter))


def progress(given: argparse.Namespace) -> None:
    from .lessons import progress

    progress.show()


def address(given: argparse.Namespace) -> None:
    from .recipes import address

    changed = address.write(given.url)
    print(address.current(), *(say("written: {path}", path=path.relative_to(address.ROOT)) for path in changed),
          sep="\n")


def site(given: argparse.Namespace) -> None:
    from .site import build

    print(say("written: {page}; see it with\npython -m http.server --bind 127.0.0.1 --directory {folder} 8000\n"
              "at http://127.0.0.1:8000/", folder=given.out,
              page=build(given.out, given.execute, executed=given.executed)))


def fetch(given: argparse.Namespace) -> None:
    from .worlds import datasets

    print(say("fetched: {path}", path=datasets.fetch(given.name)))


def compare(given: argparse.Namespace) -> None:
    from .processes import join_group, leave_group, place
    from .recipes import compare_plane, compare_progan, compare_styles, training_cost

    if given.name == "cost":
        for option in ("seeds", "generations", "images"):
            if getattr(given, option) is not None:
                raise ValueError(f"compare cost takes no --{option}")
        print("\n".join(training_cost.lines(training_cost.run(given.out or Path("runs") / training_cost.NAME))))
        return
    growing = {"styles": compare_styles, "progan": compare_progan}.get(given.name)
    if getattr(given, "generations" if growing else "images") is not None:
        raise ValueError(f"compare {given.name} takes {'--images' if growing else '--generations'}")
    name = growing.NAME if growing else compare_plane.COMPARISONS[given.name][0]
    changes = {key: value for key in ("seeds", "generations") if (value := getattr(given, key)) is not None}
    if given.images is not None:
        changes["settings"] = replace(growing.SETTINGS, images=given.images)
    folder = given.out or Path("runs") / name
    join_group(timedelta(days=7))                        # under torchrun: one waits for the runs of the others
    record = growing.run(folder, **changes) if growing else compare_plane.run(given.name, folder, **changes)
    if record is not None and place()[0] == 0:           # None: interrupted; the same command goes on
        print("\n".join((growing or compare_plane).lines(record)))
    leave_group()


def list_shipped(given: argparse.Namespace) -> None:
    from . import checkpoints

    for name in checkpoints.shipped():
        print(name, json.dumps(checkpoints.record(name), indent=2, ensure_ascii=False))


def main(arguments: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):               # a terminal of ASCII alone shows ? for a letter it lacks
            stream.reconfigure(errors="replace")
    pressed = []                                         # Ctrl-C: an import may swallow it, or fail of it later

    def stop(*_) -> None:
        pressed.append(True)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    try:
        if before is signal.default_int_handler and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, stop)
        argparse._ = say if language.use() != language.ENGLISH else argparse._
        given = parser().parse_args(arguments)           # imports PyTorch: seconds, in which Ctrl-C may come
        command = {"train": train, "evolve": evolve, "dissect": dissect, "demo": demo, "lab": lab, "notes": notes,
                   "progress": progress, "address": address, "site": site, "fetch": fetch, "compare": compare,
                   "list": list_shipped}[given.command]
        if pressed:
            raise KeyboardInterrupt
        try:
            os.getcwd()
        except FileNotFoundError:
            raise FileNotFoundError("the folder that this was started in is gone: go to another one") from None
        if hasattr(given, "device"):
            from .networks.device import pick_device
            pick_device(given.device)                    # before what takes minutes
        if given.command in ("train", "evolve", "compare") and importlib.util.find_spec("torchmetrics") is None:
            raise ImportError("what is trained is measured too, by torchmetrics, which is missing: "
                              "pip install torchmetrics")
        return command(given) or 0
    except BrokenPipeError:                              # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (KeyboardInterrupt, Exception) as error:
        if pressed or isinstance(error, KeyboardInterrupt):
            print(say("interrupted"), file=sys.stderr)
            return 130
        bare = disk_full(error) and not isinstance(error, DiskFull)
        words = say("the disk is full: make room and call again ({error})", error=error) if bare else told(error)
        print(f"{type(error).__name__}: {words}", file=sys.stderr)
        if not isinstance(error, (ValueError, OSError, RuntimeError, ImportError)):
            print(say("This was not expected. With {TRACE}=1 set it shows where; please report it.", TRACE=TRACE),
                  file=sys.stderr)
        if os.environ.get(TRACE):
            raise
        return 1
    finally:
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
