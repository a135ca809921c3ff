"""What do the published networks need? Memory and time to read a file of full size, and to draw with it.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_official.py [official/progan …]

The files have the published layouts and sizes and random weights; each is read and used in a process of its own,
and "memory" is the most that this process held, less what it held after `import gan_teach`. CPU seconds of one
thread. Prints; asserts nothing. `gan_teach.official.published.MEMORY` rounds these figures up.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
import official_files as files  # noqa: E402

import gan_teach  # noqa: E402
from gan_teach.networks.layers import sample_z  # noqa: E402
from gan_teach.official import (
    egan,
    upernet,  # noqa: E402
)

STYLEGAN_UNITS = {2 ** i: min(512, 8192 // 2 ** (i - 1)) for i in range(1, 11)}          # of 2 to 1024 px


def write_progan(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    weights = files.progan_layers(rng, 512, (512, 512, 512, 256, 128, 64, 32))
    torch.save({name: torch.from_numpy(w) for name, w in weights.items()}, folder / "church.pth")
    return folder / "church.pth"


def write_stylegan(folder: Path, resolution: int = 1024) -> Path:
    rng = np.random.default_rng(0)
    v = files.stylegan_variables(rng, resolution, 512, 512, STYLEGAN_UNITS)
    d = files.critic_variables(rng, resolution, STYLEGAN_UNITS)
    three = files.with_components(v, "G"), files.Network("D", d), files.with_components(
        {name: w + 0 for name, w in v.items()})
    (folder / "ffhq.pkl").write_bytes(files.tensorflow_pickle(three))
    return folder / "ffhq.pkl"


def write_egan(folder: Path) -> Path:
    """32 px with 128 units in the last layer but one, as the authors' script for CIFAR-10 trains it."""
    net = egan.PublishedGenerator(egan.PublishedConfig((1024, 512, 256, 128)))
    row = [block[0] for block in net.blocks.values()] + [net.last]
    state = {f"model.{2 * i}.{part}": w for i, conv in enumerate(row) for part, w in conv.state_dict().items()}
    torch.save(state, folder / "10_net_G.pth")
    return folder / "10_net_G.pth"


def write_upernet(folder: Path) -> Path:
    parts = (upernet.Encoder((64, 64, 128), (64, 128, 256, 512), (3, 4, 6, 3)),
             upernet.Decoder((256, 512, 1024, 2048), 512, 512, 335))
    for part, file in zip(parts, upernet.FILES):
        torch.save(part.state_dict(), folder / file)
    (folder / upernet.FILES[2]).write_text(str(["-", *map(str, range(1, 335))]).replace("'", '"').join(
        ('{"object": ', "}")))
    return folder


KINDS = {"official/progan": write_progan, "official/stylegan": write_stylegan, "official/upernet": write_upernet,
         "egan": write_egan}


def peak() -> float:
    """GB that this process has held at most (Linux)."""
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6


def use(kind: str, path: str) -> None:
    torch.set_num_threads(1)
    before, clock = peak(), time.process_time
    size = sum(f.stat().st_size for f in (Path(path).iterdir() if Path(path).is_dir() else [Path(path)])) / 1e6
    start = clock()
    net = gan_teach.load(path, "cpu")
    read, held = clock() - start, peak()
    start = clock()
    with torch.no_grad():
        if kind == "official/upernet":
            net(torch.zeros(1, 3, 256, 256))
        else:
            net(sample_z(1, net.z_dim, seed=0))
    drawn = clock() - start
    did = "labelled" if kind == "official/upernet" else "drawn"
    print(f"{kind:18} {size:5.0f} MB file   read in {read:5.1f} s, {held - before:4.2f} GB   "
          f"{did} in {drawn:5.2f} s, {peak() - before:4.2f} GB in all "
          f"(with Python and PyTorch {peak():4.2f} GB)", flush=True)


def main(*kinds: str) -> None:
    for kind, write in [(kind, KINDS[kind]) for kind in kinds or KINDS]:
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder))
            for _ in range(2):                            # the second time it comes from the converted copy
                subprocess.run([sys.executable, __file__, "use", kind, str(path)], check=True,
                               env={"GAN_TEACH_CACHE": f"{folder}.cache", "OMP_NUM_THREADS": "1"})
            shutil.rmtree(f"{folder}.cache", ignore_errors=True)


if __name__ == "__main__":
    use(*sys.argv[2:]) if sys.argv[1:2] == ["use"] else main(*sys.argv[1:])
