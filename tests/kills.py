"""Trainings that are killed at random moments, and go on: each ends bit for bit as one that nobody killed.

    python tests/kills.py --kills 60 [--seed 0]

Every kind of training is made tiny, with a snapshot, a grid of pictures or a row of its curve at nearly every step, so
that many kills (SIGKILL: nothing can tidy up) fall between two of them, or into one. A trial is killed one to four
times; then it may end, and all of its snapshot is compared, its curve and its pictures too. Linux.
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

from gan_teach import stylegan
from gan_teach.egan import long_run, plane
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.settings import Settings as EvolutionSettings
from gan_teach.networks import progan
from gan_teach.networks.classifier import ClassifierConfig
from gan_teach.networks.dcgan import DCGANConfig, Discriminator, Generator
from gan_teach.networks.segmenter import SegmenterConfig
from gan_teach.recipes import evolving, judges
from gan_teach.training import Schedule, Settings, Training, run
from gan_teach.worlds import gaussians

CLOCKS = {"seconds", "cpu_seconds"}          # in snapshots and curves: the only things that may differ


def pictures(n: int, size: int) -> torch.Tensor:
    return torch.randint(256, (n, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def judge(G) -> dict:
    return {"mean": float(next(G.parameters()).double().mean())}


def growing(folder: Path, network, config) -> None:
    torch.manual_seed(0)
    settings = Settings(images=96, batch=4, r1_every=4, schedule=Schedule({8: 24}, {4: 16}))
    run(Training(network.Generator(config), network.Discriminator(config), pictures(20, 8), settings, "cpu"), folder,
        save_every=2, picture_every=3, judge=judge, judge_every=8)


def on_pictures(folder: Path) -> None:
    """Batch norm in G: what is drawn in training mode would leave its trace."""
    torch.manual_seed(0)
    config = DCGANConfig((6, 4), 4, 5, norm_g=True)
    settings = EvolutionSettings(batch=4, fitness_batch=6, d_steps=1, lr=1e-3)
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


TRAININGS = {
    "progan": lambda folder: growing(folder, progan, progan.ProGANConfig(z_dim=8, widths=(8, 8))),
    "stylegan": lambda folder: growing(folder, stylegan,
                                       stylegan.StyleGANConfig(8, 8, 8, fmap_max=8, mapping_layers=2)),
    "E-GAN on the plane": lambda folder: long_run.run(plane.start(width=16), gaussians.ring(), folder, 80, save_every=3,
                                                      picture_every=0),
    "E-GAN on pictures": on_pictures, "segmenter": segmenter, "classifier": classifier}


def begin(kind: str, folder: Path) -> int:
    """Train, or go on, in a process of its own; returns its number. What went wrong is told."""
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


def trial(kind: str, whole: dict[str, str], seconds: float, wanted: int, folder: Path, draw: random.Random) -> int:
    """Kill a training up to `wanted` times, let it end, and compare; returns how often it was killed."""
    killed = 0
    for _ in range(wanted):
        child = begin(kind, folder)
        time.sleep(draw.uniform(0.0, 0.9 * seconds / wanted))   # together less than the whole
        os.kill(child, signal.SIGKILL)
        if end(child) != -signal.SIGKILL:                       # it was at its end already
            break
        killed += 1
    assert end(begin(kind, folder)) == 0, f"{kind} did not go on"
    here = left(folder)
    differing = sorted(name for name in whole.keys() | here.keys() if whole.get(name) != here.get(name))
    assert not differing, f"{kind}: {', '.join(differing)} differ after {killed} kill(s)"
    return killed


def main(kills: int, seed: int = 0) -> Counter:
    """Kill so often in all, in turns; returns how often each kind was killed."""
    draw, done, whole, seconds = random.Random(seed), Counter(), {}, {}
    torch.optim.Adam([torch.zeros(1)])              # loads for seconds: here, not anew in each child
    with tempfile.TemporaryDirectory() as scratch:
        number = 0
        while done.total() < kills:
            kind = list(TRAININGS)[number % len(TRAININGS)]
            if kind not in whole:
                folder, begun = Path(scratch) / f"whole-{number}", time.monotonic()
                assert end(begin(kind, folder)) == 0, f"{kind} cannot be made"
                whole[kind], seconds[kind] = left(folder), time.monotonic() - begun
            wanted = min(draw.randint(1, 4), kills - done.total())
            done[kind] += trial(kind, whole[kind], seconds[kind], wanted, Path(scratch) / f"{number}", draw)
            number += 1
            print(f"{kind}: {done[kind]}, in all {done.total()}", flush=True)
    return done


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--kills", type=int, default=60)
    given.add_argument("--seed", type=int, default=0)
    given = given.parse_args()
    print(f"killed: {dict(main(given.kills, given.seed))}; every end is that of a training that was never killed")
