"""Trainings that are killed at random moments, and go on: each ends bit for bit as one that nobody killed.

    python tests/kills.py --kills 60 [--seed 0]

Every kind of training is made tiny, with a snapshot, a grid of pictures or a row of its curve at nearly every step, so
that many kills (SIGKILL: nothing can tidy up) fall between two of them, or into one; some come right after a grid,
before the snapshot that follows. A trial is killed one to four times; then it may end, and all of its snapshot is
compared, its curve and its pictures too. Linux.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import torch

from gan_teach import stylegan, training
from gan_teach.egan import long_run, plane
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.mutations import heuristic, minimax
from gan_teach.egan.settings import Settings as EvolutionSettings
from gan_teach.networks import progan
from gan_teach.networks.classifier import ClassifierConfig
from gan_teach.networks.dcgan import DCGANConfig, Discriminator, Generator
from gan_teach.networks.segmenter import SegmenterConfig
from gan_teach.recipes import compare_plane, evolving, judges
from gan_teach.training import Schedule, Settings, Training, loop, run
from gan_teach.worlds import gaussians

CLOCKS = {"seconds", "cpu_seconds", "ms_per_generation", "equal compute"}      # the only things that may differ


def pictures(n: int, size: int) -> torch.Tensor:
    return torch.randint(256, (n, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def judge(G) -> dict:
    return {"mean": float(next(G.parameters()).double().mean())}


def growing(folder: Path, network, config, **options) -> None:
    torch.manual_seed(0)
    settings = Settings(images=96, batch=4, r1_every=4, schedule=Schedule({8: 24}, {4: 16}), **options)
    run(Training(network.Generator(config), network.Discriminator(config), pictures(20, 8), settings, "cpu"), folder,
        save_every=2, picture_every=3, judge=judge, judge_every=8)


def on_pictures(folder: Path, **options) -> None:
    """Batch norm in G: what is drawn in training mode would leave its trace."""
    torch.manual_seed(0)
    config = DCGANConfig((6, 4), 4, 5, norm_g=True)
    settings = EvolutionSettings(batch=4, fitness_batch=6, d_steps=1, lr=1e-3, **options)
    begun = Evolution(Generator(config), Discriminator(config), settings, "cpu")
    evolving.evolve(begun, pictures(20, 16), folder, 24, 2, lambda evolution: judge(evolution.G))


def segmenter(folder: Path) -> None:
    images = pictures(16, 16)
    data = images, images[:, 0] % 3
    judges.train_segmenter(30, 4, data=(data, data), folder=folder,
                           config=SegmenterConfig(("a", "b", "c"), (4, 4, 4, 4)))


def classifier(folder: Path) -> None:
    images = pictures(16, 16)
    judges.train_classifier(images, {"a": images[:, 0, 0, 0].long() % 3, "b": images[:, 0, 0, 1].long() % 2}, 60, 4,
                            config=ClassifierConfig((("a", 3), ("b", 2)), (4, 4), 8), folder=folder)


def comparison(folder: Path) -> None:
    """Four runs, one after the other, into one record; a run that was killed begins anew."""
    variants = {name: EvolutionSettings(batch=4, fitness_batch=4, mutations=mutations)
                for name, mutations in (("E-GAN", (minimax, heuristic)), ("minimax", (minimax,)))}
    start = compare_plane.COMPARISONS["robustness"][1]()["16 wide"].start
    compare_plane.compare({"ring": compare_plane.Plan(gaussians.ring, variants, 20, 2, every=5, start=start)},
                          folder / "comparison.json", "kills")


PROGAN = progan.ProGANConfig(z_dim=8, widths=(8, 8))
STYLES = stylegan.StyleGANConfig(8, 8, 8, fmap_max=8, mapping_layers=2)
TRAININGS = {
    "progan": lambda folder: growing(folder, progan, PROGAN),
    "stylegan": lambda folder: growing(folder, stylegan, STYLES),
    "progan, WGAN-GP": lambda folder: growing(folder, progan, PROGAN, loss="wgan-gp"),
    "stylegan, relativistic": lambda folder: growing(folder, stylegan, STYLES, loss="relativistic", r2=True),
    "E-GAN on the plane": lambda folder: long_run.run(plane.start(width=16), gaussians.ring(), folder, 80, save_every=3,
                                                      picture_every=0),
    "E-GAN on pictures": on_pictures,
    "E-GAN on pictures, mean of survivors": lambda folder: on_pictures(folder, ema=0.9, bf16=True),
    "comparison": comparison, "segmenter": segmenter, "classifier": classifier}


def kill_after(grids: int) -> None:
    """This process ends after it has kept so many grids of pictures, before the snapshot that follows."""
    keep, left = loop.keep_samples, [grids]

    def keep_and_die(*given) -> None:
        keep(*given)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    loop.keep_samples = training.keep_samples = keep_and_die


def begin(kind: str, folder: Path, grids: int = 0) -> int:
    """Train, or go on, in a process of its own; returns its number. What went wrong is told. grids: `kill_after`."""
    if child := os.fork():
        return child
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        told = os.dup(2)
        os.dup2(nowhere, 2)                                     # the progress bar
        torch.set_num_threads(1)
        judges.Learning.run.__defaults__ = (3,)                 # a snapshot every third step
        if grids:
            kill_after(grids)
        try:
            TRAININGS[kind](folder)
            status = 0
        except BaseException:
            os.write(told, f"{kind} in {folder}:\n{traceback.format_exc()}".encode())
    finally:
        os._exit(status)


def end(child: int) -> int:
    """Wait for a process; its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def said(value) -> bytes:
    """Everything in a snapshot but its clocks, as bytes."""
    if isinstance(value, dict):
        return b"{" + b",".join(str(k).encode() + said(v) for k, v in value.items() if k not in CLOCKS) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(said, value)) + b"]"
    if isinstance(value, torch.Tensor):
        value = value.detach().contiguous()
        return f"{value.dtype}{tuple(value.shape)}".encode() + value.flatten().view(torch.uint8).numpy().tobytes()
    return repr(value).encode()


def left(folder: Path) -> dict[str, str]:
    """What a training has left, by the files' names; not what a killed process was writing, which goes after a day."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".tmp":
            continue
        if path.name == "resume.pt":
            data = said(torch.load(path, weights_only=True))
        elif path.suffix == ".json":
            data = said(json.loads(path.read_text()))
        else:
            data = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = hashlib.sha256(data).hexdigest()
    return found


def trial(kind: str, unkilled: dict[str, str], seconds: float, wanted: int, folder: Path, draw: random.Random) -> int:
    """Kill a training up to `wanted` times, let it end, and compare; returns how often it was killed."""
    killed = 0
    for _ in range(wanted):
        at_grid = any(Path(name).suffix == ".png" for name in unkilled) and draw.random() < 0.3
        child = begin(kind, folder, draw.randint(1, 4) * at_grid)
        if not at_grid:
            time.sleep(draw.uniform(0.0, 0.9 * seconds / wanted))       # together less than the whole
            os.kill(child, signal.SIGKILL)
        if end(child) != -signal.SIGKILL:                       # it was at its end already
            break
        killed += 1
    end_alike(kind, folder, unkilled, killed)
    return killed


def end_alike(kind: str, folder: Path, unkilled: dict[str, str], killed: int) -> None:
    """Let it end, and compare with what a training has left that was not killed."""
    assert end(begin(kind, folder)) == 0, f"{kind} did not go on"
    here = left(folder)
    differing = sorted(name for name in unkilled.keys() | here.keys() if unkilled.get(name) != here.get(name))
    assert not differing, f"{kind}: {', '.join(differing)} differ after {killed} kill(s)"


def at_grids(kind: str, scratch: Path, moments: tuple[int, ...] = (1, 3)) -> None:
    """A training that is killed right after its n-th grid, once for each of these, ends as one that is not."""
    torch.optim.Adam([torch.zeros(1)])              # loads for seconds: here, not anew in each child
    assert end(begin(kind, scratch / "unkilled")) == 0
    for n in moments:
        assert end(begin(kind, scratch / str(n), n)) == -signal.SIGKILL, f"{kind} keeps no {n} grids"
        end_alike(kind, scratch / str(n), left(scratch / "unkilled"), 1)


def main(kills: int, seed: int = 0) -> Counter:
    """Kill so often in all, in turns; returns how often each kind was killed."""
    draw, done, unkilled, seconds = random.Random(seed), Counter(), {}, {}
    torch.optim.Adam([torch.zeros(1)])              # loads for seconds: here, not anew in each child
    with tempfile.TemporaryDirectory() as scratch:
        number = 0
        while done.total() < kills:
            kind = list(TRAININGS)[number % len(TRAININGS)]
            if kind not in unkilled:
                folder, begun = Path(scratch) / f"unkilled-{number}", time.monotonic()
                assert end(begin(kind, folder)) == 0, f"{kind} cannot be made"
                unkilled[kind], seconds[kind] = left(folder), time.monotonic() - begun
            wanted = min(draw.randint(1, 4), kills - done.total())
            done[kind] += trial(kind, unkilled[kind], seconds[kind], wanted, Path(scratch) / f"{number}", draw)
            number += 1
            print(f"{kind}: {done[kind]}, in all {done.total()}", flush=True)
    return done


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--kills", type=int, default=60)
    given.add_argument("--seed", type=int, default=0)
    given = given.parse_args()
    print(f"killed: {dict(main(given.kills, given.seed))}; every end is that of a training that was never killed")
