"""Damaged weight files by the thousand: each is refused in plain words or read as data, and nothing else happens.

    python tests/official_fuzz.py 100000 [seed]

prints the count by outcome: refused; equal (the damage did not touch what is read); other (other numbers, which
only a hash can tell). Anything else, an error of another kind, more than a second of CPU for a file of a few kB,
more memory than the limit, or the file that a planted command would make, ends the run with the damaged file.

The command above ran through all 100,000 files in 35 s of CPU: 92,100 were refused, the rest was read as data
(equal or other), and none ran anything. (Another run differs in a few: the planted command names a new folder.)
"""

import io
import pickletools
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import official_files as files
import torch

from gan_teach.checkpoints import BadCheckpoint
from gan_teach.official import tensorflow_pickles, torch_files
from gan_teach.official.torch_files import read_tensors

OPCODES = bytes(ord(op.code) for op in pickletools.opcodes)


def originals() -> list[bytes]:
    """Small files of the three kinds: two pickles of TensorFlow networks, a legacy and a zip file of PyTorch."""
    small = {"lod": np.float32(0), "dlatent_avg": np.ones(2, np.float32)}
    part = {f"{stem}/weight": np.ones((2, 2), np.float32) for stem in ("mapping/Dense0", "synthesis/a")}
    both = [files.tensorflow_pickle([files.Network("G", small), files.Network("D", small),
                                     files.with_components(small | part)], protocol) for protocol in (2, 4)]
    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.int64)}
    for modern in (False, True):
        file = io.BytesIO()
        torch.save({"state_dict": state, "n": 3}, file, _use_new_zipfile_serialization=modern)
        both.append(file.getvalue())
    return both


def positions(data: bytes) -> list[int]:
    """Where opcodes begin, in a pickle or in the first of a legacy file; any place in a zip file."""
    try:
        return [where for _, _, where in pickletools.genops(data)]
    except ValueError:
        return list(range(len(data)))


def mutate(data: bytes, places: list[int], draw: random.Random, planted: bytes) -> bytes:
    """One to three damages: flipped bits, changed opcodes, cuts, repeats, splices, a planted command."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        kind, at = draw.choice((0, 0, 0, 1, 1, 2, 3, 4, 5, 6)), draw.randrange(len(data) + 1)
        if kind == 0:
            for _ in range(draw.choice((1, 1, 2, 8))):
                where = draw.randrange(len(data) or 1)
                data[where:where + 1] = bytes([data[where] ^ 1 << draw.randrange(8)]) if data else b"."
        elif kind == 1:
            where = min(draw.choice(places), len(data))
            data[where:where + 1] = bytes([draw.choice(OPCODES)])
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at:at + draw.randint(1, 12)]
        elif kind == 4:                    # a piece of the file, at another place
            start = draw.randrange(len(data) + 1)
            data[at:at] = data[start:start + draw.randint(1, 40)] * draw.choice((1, 1, 1, 50))
        elif kind == 5:                    # a size or a number made huge
            data[at:at + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\0\0\0\0"))
        else:
            where = min(draw.choice(places), len(data))
            data[where:where] = planted
    return bytes(data)


def commands(canary: Path) -> list[bytes]:
    """Pickled calls of os.system and eval, as they stand in a stream."""
    touch = f"touch {canary}".encode()
    text = b"X" + len(touch).to_bytes(4, "little") + touch
    return [b"cposix\nsystem\n" + text + b"\x85R", b"(" + text + b"iposix\nsystem\n",
            b"(cposix\nsystem\n" + text + b"o",
            b"\x8c\x05posix\x8c\x06system\x93" + text + b"\x85\x81", b"cbuiltins\neval\n" + text + b"\x85R0"]


def run(count: int, seed: int = 0, progress: bool = False) -> Counter:
    """Read `count` damaged files; raises AssertionError with the file's bytes when one does anything else."""
    draw, outcomes = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, canary = Path(folder) / "file", Path(folder) / "canary"
        planted, seeds = commands(canary), []
        for data in originals():
            reader = read_tensors if data.startswith(torch_files.STARTS) else read_network
            path.write_bytes(data)
            seeds.append((data, positions(data), reader, said(reader(path))))
        for i in range(count):
            original, places, reader, expected = seeds[i % len(seeds)]
            data = mutate(original, places, draw, draw.choice(planted))
            path.write_bytes(data)
            start = time.process_time()
            try:
                outcome = "equal" if said(reader(path)) == expected else "other"
            except BadCheckpoint as error:
                assert str(path) in str(error) and len(str(error)) < 700
                outcome = "refused"
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error} for {data!r}") from error
            assert time.process_time() - start < 1, f"slow: {data!r}"
            assert not canary.exists(), f"ran: {data!r}"
            outcomes[outcome, reader.__name__] += 1
            if progress and (i + 1) % 2500 == 0:
                print(i + 1, dict(outcomes), flush=True)
    return outcomes


def read_network(path: Path) -> dict[str, torch.Tensor]:
    return tensorflow_pickles.read_network(path)[0]


def said(content):
    """What was read, comparable."""
    if isinstance(content, dict):
        return {name: said(value) for name, value in content.items()}
    if isinstance(content, torch.Tensor):
        packed = content.clone(memory_format=torch.contiguous_format)       # contiguous() leaves empty ones as they are
        return str(content.dtype), tuple(content.shape), packed.view(torch.uint8).tolist() if content.ndim else \
            content.item()
    return content


if __name__ == "__main__":
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    try:
        import resource
    except ImportError:                    # Windows: without the limit
        pass
    else:
        have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() \
            if Path("/proc/self/statm").exists() else 1 << 36
        resource.setrlimit(resource.RLIMIT_AS, (have + (256 << 20), have + (256 << 20)))
    start = time.process_time()
    outcomes = run(count, seed, progress=True)
    for (outcome, reader), n in sorted(outcomes.items()):
        print(f"{reader:14} {outcome:8} {n}")
    print(f"{count} files in {time.process_time() - start:.0f} s of CPU")
