"""Damaged networks, records, snapshots and pictures by the thousand: each is read, or refused by its name, no more.

    python tests/inputs_fuzz.py 100000 [seed]

prints the count by kind and outcome: our weights (whole, and their headers alone), records, snapshots of trainings,
whole networks in every format of the papers' authors (with planted commands among the damages; of their segmenter one
of its three files), and pictures. An error
of another kind, a message without the file's name, more than two seconds of CPU for a file of a few kB (the process is
killed after ten), more than 1 GB of memory, another program, or the file that a planted command would make, ends the
run with the damaged file. (Without a record, a weight that was altered cannot be told.)
"""

import contextlib
import io
import json
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import official_files as files
import official_fuzz
import torch
from PIL import Image

import gan_teach
from gan_teach import checkpoints, official
from gan_teach.networks.classifier import Classifier, ClassifierConfig
from gan_teach.networks.dcgan import DCGANConfig
from gan_teach.networks.dcgan import Generator as DCGAN
from gan_teach.networks.progan import Generator, ProGANConfig
from gan_teach.networks.segmenter import SegmenterConfig, UNet
from gan_teach.official import upernet
from gan_teach.stylegan import Generator as StyleGAN
from gan_teach.stylegan import StyleGANConfig
from gan_teach.training import snapshot
from gan_teach.worlds import reading

NUMBERS = (b"0", b"-1", b"1e999", b"999999999", b"null", b"true", b'"x"', b"[]", b"{}", b"NaN", b"4294967296", b"[[[[",
           b"8192", b"1048576")


def pictures_of_every_kind() -> dict[str, bytes]:
    """Small ones, with what makes readers stumble: EXIF, palettes, transparency, text, 16 bits, floats, frames."""
    a = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[reading.ORIENTATION] = 6
    rgb, grey = Image.fromarray(a), Image.fromarray(a[..., 0])
    wide = Image.fromarray(a[..., 0].astype(np.uint16) * 257)
    floats = Image.fromarray(a[..., 0].astype(np.float32) / 255)
    made = {"jpeg": (rgb, "JPEG", {"exif": exif}), "progressive": (rgb, "JPEG", {"progressive": True}),
            "cmyk": (rgb.convert("CMYK"), "JPEG", {}), "png": (rgb, "PNG", {"exif": exif}), "png16": (wide, "PNG", {}),
            "palette": (rgb.convert("P"), "PNG", {"transparency": 3}), "alpha": (rgb.convert("RGBA"), "PNG", {}),
            "gif": (rgb.convert("P"), "GIF", {"save_all": True, "append_images": [grey.convert("P")]}),
            "bmp": (rgb, "BMP", {}), "tiff": (rgb, "TIFF", {"compression": "tiff_lzw"}), "tiff16": (wide, "TIFF", {}),
            "tiff32": (floats, "TIFF", {}), "deflated": (rgb, "TIFF", {"compression": "tiff_adobe_deflate"}),
            "webp": (rgb, "WEBP", {"exif": exif})}
    found = {}
    for name, (image, kind, options) in made.items():
        image.save(out := io.BytesIO(), kind, **options)
        found[name] = out.getvalue()
    return found


def damaged(data: bytes, draw: random.Random) -> bytes:
    """One to three damages: flipped bits, cuts, repeats, zeroes, huge numbers, other values for those of a text."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        kind, at = draw.randrange(7), draw.randrange(len(data) + 1)
        if kind == 0 and data:
            for _ in range(draw.choice((1, 1, 2, 8))):
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at:at + draw.randint(1, 12)]
        elif kind == 3:
            start = draw.randrange(len(data) + 1)
            data[at:at] = data[start:start + draw.randint(1, 40)] * draw.choice((1, 1, 50))
        elif kind == 4:
            data[at:at + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\0\0\0\0"))
        elif kind == 5:
            data[at:at + 30] = bytes(len(data[at:at + 30]))
        else:
            digits = [i for i in range(len(data)) if 48 <= data[i] <= 57][:400] or [0]
            data[(where := draw.choice(digits)):where + 1] = draw.choice(NUMBERS)
    return bytes(data)


def with_header(data: bytes, draw: random.Random) -> bytes:
    """A .safetensors whose header alone is damaged, and is long as it says."""
    length = struct.unpack("<Q", data[:8])[0]
    header = damaged(data[8:8 + length], draw)
    return struct.pack("<Q", len(header)) + header + data[8 + length:]


def networks_of_the_authors() -> dict[str, bytes]:
    """The smallest whole networks, in each format that `official.convert` reads."""
    rng, units = np.random.default_rng(0), {4: 2, 8: 2}
    progan, styles = files.progan_layers(rng, 3, (2, 2)), files.stylegan_variables(rng, 8, 3, 3, units)
    egan = {f"model.{2 * i}.weight": rng.normal(size=(a, b, k, k)).astype(np.float32)
            for i, (a, b, k) in enumerate(((3, 2, 4), (2, 2, 4), (2, 2, 4), (2, 3, 3)))}
    egan |= {f"model.{2 * i}.bias": np.ones(b, np.float32) for i, b in enumerate((2, 2, 2, 3))}
    variables = files.Network("Gs", files.progan_variables(rng, 3, (2, 2)))
    style = files.with_components(styles)
    found = {"ProGAN pickle": files.tensorflow_pickle([variables] * 3, 2, "tfutil"),
             "StyleGAN pickle": files.tensorflow_pickle([style, files.Network("D", {}), style])}
    for name, weights in (("ProGAN", progan), ("old ProGAN", files.old_names(progan)), ("E-GAN", egan),
                          ("GenForce", files.genforce_names(styles))):
        tensors = {key: torch.from_numpy(np.array(w)) for key, w in weights.items()}
        for way, modern in (("zip", True), ("legacy", False)):
            content = {"generator_smooth": tensors} if name == "GenForce" else {"state_dict": tensors, "epoch": 3}
            torch.save(tensors if name == "E-GAN" else content, out := io.BytesIO(),
                       _use_new_zipfile_serialization=modern)
            found[f"{name} {way}"] = out.getvalue()
    return found


def segmenter_of_the_authors() -> dict[str, bytes]:
    """The three files of the smallest UPerNet, by their names."""
    small = upernet.Segmenter(upernet.UPerNetConfig((2, 2, 2), (1, 1, 1, 1), (1, 1, 1, 1), 2, 2, ("-", "sky")))
    found = {}
    for name, part in zip(upernet.FILES, (small.encoder, small.decoder)):
        torch.save(part.state_dict(), out := io.BytesIO(), _use_new_zipfile_serialization=False)
        found[name] = out.getvalue()
    return found | {upernet.FILES[2]: json.dumps({"object": small.classes}).encode()}


def run(count: int, seed: int = 0, alarm: float = 0.0) -> Counter:
    """Read `count` damaged files; AssertionError with the bytes of one where anything else happens.

    alarm: seconds of CPU after which the whole process is killed (0: never), for what hangs outside of Python; then
    how far it is is printed too.
    """
    draw, outcomes = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, side, canary = (Path(folder) / name for name in ("net.safetensors", "net.json", "canary"))
        other, planted = Path(folder) / "foreign", official_fuzz.commands(canary)
        torch.manual_seed(0)
        style = StyleGANConfig(resolution=8, z_dim=4, w_dim=4, fmap_base=8, fmap_max=4, mapping_layers=2)
        networks = []
        for G in (StyleGAN(style), DCGAN(DCGANConfig((4,), z_dim=4)), UNet(SegmenterConfig(("a", "b"), (4, 4))),
                  Classifier(ClassifierConfig((("a", 2), ("b", 3)), (4, 4), 4)),
                  Generator(ProGANConfig(z_dim=4, widths=(4, 4)))):
            checkpoints.save(path, G)
            networks.append(path.read_bytes())
        weights, record = networks[-1], side.read_bytes()           # the record is of the last one
        torch.save({"settings": "", "steps": 3, "G": {"a": torch.ones(3)}}, out := io.BytesIO())
        drawn, theirs = list(pictures_of_every_kind().items()), list(networks_of_the_authors().items())
        for i, (kind, data) in enumerate(theirs):                           # whole, each of them is read
            other.write_bytes(data)
            official.convert(other)
            theirs[i] = kind, data, official_fuzz.positions(data)
        parts = [Path(folder) / name for name in upernet.FILES]
        for part, data in zip(parts, segmenter_of_the_authors().values()):
            part.write_bytes(data)
            theirs.append((f"UPerNet {part.name}", data, official_fuzz.positions(data)))
        upernet.read(*parts)
        for i in range(count):
            kind = ("weights", "header", "record", "snapshot", "theirs", "theirs", "picture", "picture")[i % 8]
            file, read = path, lambda path: gan_teach.load(path, "cpu")
            if kind == "picture":
                file, read = Path(folder) / f"picture.{draw.choice(('png', 'jpg', 'tif'))}", picture
                kind, original = draw.choice(drawn)
                file.write_bytes(data := damaged(original, draw))
            elif kind == "snapshot":
                file, read = other, snapshot
                file.write_bytes(data := damaged(out.getvalue(), draw))
            elif kind == "theirs":
                file, read = other, official.convert
                kind, original, places = draw.choice(theirs)
                if kind.startswith("UPerNet"):
                    file, read = Path(folder) / kind.split()[1], lambda _: upernet.read(*parts)
                file.write_bytes(data := official_fuzz.mutate(original, places, draw, draw.choice(planted)))
            elif kind == "record":
                path.write_bytes(weights)
                side.write_bytes(data := damaged(record, draw))
            else:
                side.unlink(missing_ok=True)
                original = draw.choice(networks)
                path.write_bytes(data := (with_header if kind == "header" else damaged)(original, draw))
            if alarm:
                signal.setitimer(signal.ITIMER_PROF, alarm)
            start = time.process_time()
            try:
                read(file)
                outcome = "read"
            except ValueError as error:              # BadCheckpoint is one
                outcome = "refused"
                assert file.stem in str(error) and len(str(error)) < 900, f"{error!s:.2000} for {kind} {data!r}"
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error} for {kind} {data!r}") from error
            assert time.process_time() - start < 2, f"slow: {kind} {data!r}"
            assert not canary.exists(), f"ran: {kind} {data!r}"
            outcomes[kind, outcome] += 1
            if file in parts:
                file.write_bytes(original)           # the other two are read with it the next time
            if alarm and (i + 1) % 5000 == 0:
                print(i + 1, flush=True)
    return outcomes


def picture(path: Path) -> None:
    assert reading.square(path, 8).shape == (3, 8, 8)


if __name__ == "__main__":
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0

    def started(*_, **__):
        raise BaseException("another program was started")

    subprocess.Popen.__init__ = started
    with contextlib.suppress(ImportError):           # Windows: without the limit
        import resource
        have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (have + (1 << 30), have + (1 << 30)))
    start = time.process_time()
    warnings.simplefilter("ignore")                  # Pillow's, of every broken tag
    outcomes = run(count, seed, alarm=10 if hasattr(signal, "setitimer") else 0)
    print(json.dumps({f"{kind} {outcome}": n for (kind, outcome), n in sorted(outcomes.items())}, indent=1))
    print(f"{count} files in {time.process_time() - start:.0f} s of CPU")
