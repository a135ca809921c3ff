"""What comparisons share: how a variant is trained, and the loop, run after run into one record, shared out where
there are several processes.

    torchrun --nproc_per_node 2 -m gan_teach compare plane       the record that one process makes, its times apart
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor
from tqdm.auto import tqdm

from .. import files
from ..processes import alone, gathered, place
from ..training import Settings, Training
from ..training import run as train

Run = TypeVar("Run")


def trained(networks, config, learnt: Tensor, settings: Settings, device, folder: Path, stops: Sequence[int]
            ) -> Iterator[Training | None]:
    """Train a variant in the folder, from `settings.seed`; yields the training when so many images were shown.

    networks: the module of its Generator and Discriminator. stops: numbers of images. None: interrupted.
    """
    torch.manual_seed(settings.seed)
    training = Training(networks.Generator(config), networks.Discriminator(config), learnt, settings, device)
    for stop in stops:
        steps = -(-stop // settings.batch)
        train(training, folder, steps=steps)
        yield training if training.steps >= steps else None


def share_out(path: Path, record: dict, todo: Sequence[Run], make: Callable[[Run], Iterator],
              keep: Callable[[Run, object], None], write: Callable[[Path, dict], None] = files.write_json) -> bool:
    """Make the runs, each on its own; whether all were made, or one was interrupted.

    make: yields what it finds in a run, part by part; None: interrupted. keep: puts a part into the record, which is
    written after each. Of several processes, all of which must call it, each makes one of the next runs. They tell
    each other what they found, and all keep it in the order of `todo`; the first one writes.
    """
    rank, world = place()
    for start in tqdm(range(0, len(todo), world), desc=path.stem, disable=rank > 0):
        runs = todo[start:start + world]
        parts = make(runs[rank]) if rank < len(runs) else iter(())
        while True:
            with alone():
                mine = list(islice(parts, 1))                               # one part; empty at the end
            found = gathered(mine)                                          # of each run [a part], [None] where it
            for run, part in zip(runs, found):                              # was interrupted, [] where it is finished
                if None in part:
                    return False
                if part:
                    keep(run, *part)
            if not any(found):
                break
            if rank == 0:
                write(path, record)
    return True
