"""The published segmenter: its files become a callable with classes, and it computes what the format describes."""

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import official_arithmetic as slow
import official_files as files
import pytest
import torch

import gan_teach
from gan_teach import files as checkpoints
from gan_teach import official
from gan_teach.checkpoints import BadCheckpoint
from gan_teach.dissection.intervention import ablate
from gan_teach.dissection.unit_iou import dissect
from gan_teach.networks.layers import sample_z
from gan_teach.networks.protocols import device_of
from gan_teach.networks.segmenter import segment
from gan_teach.official import published, upernet
from gan_teach.pictures import show
from gan_teach.widgets import PaintPanel
from gan_teach.widgets.dissection.paint_render import PaintState, Stroke

CHAPTER = Path(__file__).parents[2] / "notebooks" / "01b_gan_dissection_further.ipynb"

STEM, PLANES, BLOCKS, POOLED, WIDTH, OBJECTS = (4, 4, 6), (2, 3, 3, 4), (2, 1, 2, 1), 3, 5, 7


@pytest.fixture(scope="module")
def weights():
    rng, enc, dec = np.random.default_rng(0), {}, {}

    def conv(into, name, c_in, c_out, k, bn=None, bias=False):
        into[f"{name}.weight"] = rng.normal(size=(c_out, c_in, k, k)) / np.sqrt(c_in * k * k)
        if bias:
            into[f"{name}.bias"] = rng.normal(size=c_out)
        if bn:
            into |= {f"{bn}.weight": rng.uniform(0.5, 2, c_out), f"{bn}.running_var": rng.uniform(0.5, 2, c_out),
                     f"{bn}.bias": rng.normal(size=c_out), f"{bn}.running_mean": rng.normal(size=c_out)}

    for i, (c_in, c) in enumerate(zip((3, *STEM), STEM), 1):
        conv(enc, f"conv{i}", c_in, c, 3, f"bn{i}")
    c_in = STEM[-1]
    for i, (c, n) in enumerate(zip(PLANES, BLOCKS), 1):
        for b in range(n):
            stem = f"layer{i}.{b}"
            conv(enc, f"{stem}.conv1", c_in, c, 1, f"{stem}.bn1")
            conv(enc, f"{stem}.conv2", c, c, 3, f"{stem}.bn2")
            conv(enc, f"{stem}.conv3", c, 4 * c, 1, f"{stem}.bn3")
            if b == 0:
                conv(enc, f"{stem}.downsample.0", c_in, 4 * c, 1, f"{stem}.downsample.1")
            c_in = 4 * c
    for i in range(4):
        conv(dec, f"ppm_conv.{i}.0", c_in, POOLED, 1, f"ppm_conv.{i}.1")
    conv(dec, "ppm_last_conv.0", c_in + 4 * POOLED, WIDTH, 3, "ppm_last_conv.1")
    for i in range(3):
        conv(dec, f"fpn_in.{i}.0", 4 * PLANES[i], WIDTH, 1, f"fpn_in.{i}.1")
        conv(dec, f"fpn_out.{i}.0.0", WIDTH, WIDTH, 3, f"fpn_out.{i}.0.1")
    conv(dec, "conv_fusion.0", 4 * WIDTH, WIDTH, 3, "conv_fusion.1")
    conv(dec, "object_head.0.0", WIDTH, WIDTH, 3, "object_head.0.1")
    conv(dec, "object_head.1", WIDTH, OBJECTS, 1, bias=True)
    conv(dec, "material_head.1", WIDTH, 3, 1, bias=True)                       # not used
    enc["bn1._running_iter"] = np.ones(1)
    return tuple({name: w.astype(np.float32) for name, w in part.items()} for part in (enc, dec))


def write(folder, enc, dec, objects=OBJECTS):
    paths = folder / "encoder_epoch_40.pth", folder / "decoder_epoch_40.pth", folder / "labels.json"
    for path, part in zip(paths, (enc, dec)):
        torch.save({name: torch.from_numpy(w) for name, w in part.items()}, path, _use_new_zipfile_serialization=False)
    paths[2].write_text(json.dumps({"object": ["-", *(f"object {i}" for i in range(1, objects))], "material": ["-"]}))
    return paths


def bilinear(size, to):
    """The matrix of a bilinear resize whose pixels are areas: the centre of pixel i lies at i + 1/2."""
    matrix = np.zeros((to, size))
    for i in range(to):
        x = max((i + 0.5) * size / to - 0.5, 0)
        low = min(int(x), size - 1)
        matrix[i, low] += 1 - (x - low)
        matrix[i, min(low + 1, size - 1)] += x - low
    return matrix


def resized(x, size):
    return np.einsum("ah,nchw,bw->ncab", bilinear(x.shape[2], size[0]), x, bilinear(x.shape[3], size[1]))


def pooled_to(x, size):
    """Pixels repeated up to `size` px or averaged down to it, by a whole number."""
    n = x.shape[2]
    if n < size:
        return x.repeat(size // n, axis=2).repeat(size // n, axis=3)
    return x.reshape(*x.shape[:2], size, n // size, size, n // size).mean(axis=(3, 5))


def forward(enc, dec, images, size):
    """Scores at half the images' size; size: px that the network looks at."""
    w = {name: t.astype(np.float64) for name, t in (enc | dec).items()}

    def layer(x, conv, bn, stride=1, relu=True):
        x = slow.conv(x, w[f"{conv}.weight"].transpose(2, 3, 1, 0), w[f"{conv}.weight"].shape[2] // 2)
        x = x[:, :, ::stride, ::stride]
        g, b, mean, var = (w[f"{bn}.{part}"][:, None, None] for part in
                           ("weight", "bias", "running_mean", "running_var"))
        x = (x - mean) / np.sqrt(var + 1e-5) * g + b
        return np.maximum(x, 0) if relu else x

    x = (images.astype(np.float64)[:, ::-1] + 1) / 2 * 255 - np.array([102.9801, 115.9465, 122.7717])[:, None, None]
    x = pooled_to(x, size)
    for i in (1, 2, 3):
        x = layer(x, f"conv{i}", f"bn{i}", 2 if i == 1 else 1)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    h = x.shape[2]
    x = np.max([padded[:, :, a:a + h:2, b:b + h:2] for a in range(3) for b in range(3)], axis=0)
    maps = []
    for i, n in enumerate(BLOCKS, 1):
        for b in range(n):
            stem, stride = f"layer{i}.{b}", 2 if i > 1 and b == 0 else 1
            y = layer(x, f"{stem}.conv1", f"{stem}.bn1")
            y = layer(y, f"{stem}.conv2", f"{stem}.bn2", stride)
            y = layer(y, f"{stem}.conv3", f"{stem}.bn3", relu=False)
            x = layer(x, f"{stem}.downsample.0", f"{stem}.downsample.1", stride, relu=False) if b == 0 else x
            x = np.maximum(x + y, 0)
        maps.append(x)
    pyramid = [x]
    for i, scale in enumerate((1, 2, 3, 6)):
        pool = pooled(x.shape[2], scale)
        y = layer(np.einsum("ah,nchw,bw->ncab", pool, x, pool), f"ppm_conv.{i}.0", f"ppm_conv.{i}.1")
        pyramid.append(resized(y, x.shape[2:]))
    f = layer(np.concatenate(pyramid, 1), "ppm_last_conv.0", "ppm_last_conv.1")
    levels = {3: f}
    for i in (2, 1, 0):
        side = layer(maps[i], f"fpn_in.{i}.0", f"fpn_in.{i}.1")
        f = side + resized(f, side.shape[2:])
        levels[i] = layer(f, f"fpn_out.{i}.0.0", f"fpn_out.{i}.0.1")
    fused = np.concatenate([resized(levels[i], levels[0].shape[2:]) for i in range(4)], 1)
    x = layer(layer(fused, "conv_fusion.0", "conv_fusion.1"), "object_head.0.0", "object_head.0.1")
    x = slow.conv(x, w["object_head.1.weight"].transpose(2, 3, 1, 0), 0) + w["object_head.1.bias"][:, None, None]
    return resized(x, (images.shape[2] // 2, images.shape[3] // 2))


def pooled(size, bins, steps=600):
    """Precise RoI pooling by sampling the continuous function in the middle of many short steps."""
    x = (np.arange(bins * steps) + 0.5) * size / (bins * steps)
    hat = np.maximum(0, 1 - np.abs(x[:, None] - np.arange(size)))
    return hat.reshape(bins, steps, size).mean(axis=1)


@pytest.mark.parametrize("size", [2, 8, 9])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_precise_roi_pooling_is_the_mean_of_the_interpolated_map(size, bins):
    assert np.abs(upernet.pooling_matrix(size, bins).numpy() - pooled(size, bins)).max() < 1e-5


@pytest.mark.parametrize("images, size", [(64, 64), (128, 64), (64, 256), (256, 256)])
def test_upernet(tmp_path, weights, monkeypatch, images, size):
    """Images of any size; the published network looks at 256 px, and 64 px show the same on a sixteenth of them."""
    assert upernet.SIZE == 256
    monkeypatch.setattr(upernet, "SIZE", size)
    segmenter = upernet.read(*write(tmp_path, *weights))
    assert segmenter.classes == ["-", *(f"object {i}" for i in range(1, OBJECTS))] and not segmenter.training
    x = np.random.default_rng(1).uniform(-1, 1, size=(1, 3, images, images)).astype(np.float32)
    scores = segmenter(torch.from_numpy(x))
    theirs = forward(*weights, x, size)
    assert scores.shape == (1, OBJECTS, images // 2, images // 2)
    assert np.abs(scores.numpy() - theirs).max() < 1e-4 * theirs.std()
    assert segment(segmenter, torch.zeros(2, 3, 64, 64)).shape == (2, 32, 32)


@pytest.mark.parametrize("spoil, message", [
    (lambda enc, dec: enc.pop("layer1.0.bn1.bias"), "lacks layer1.0.bn1.bias"),
    (lambda enc, dec: dec.update(extra=np.ones(2, np.float32)), "also holds extra"),
    (lambda enc, dec: dec.pop("object_head.1.weight"), "object_head.1.weight"),
    (lambda enc, dec: dec.update({"fpn_in.0.0.weight": np.ones((2, 2, 1, 1), np.float32)}), "fpn_in.0.0.weight has"),
])
def test_other_files_are_refused_by_name(tmp_path, weights, monkeypatch, spoil, message):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    enc, dec = (dict(part) for part in weights)
    spoil(enc, dec)
    write(tmp_path, enc, dec)
    with pytest.raises(BadCheckpoint, match=message):
        official.load_official(tmp_path)
    assert not (tmp_path / "cache").exists()


def test_the_segmenter_comes_from_a_folder_or_from_the_cache(tmp_path, weights, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "other"))
    write(tmp_path, *weights)
    assert official.load_segmenter(tmp_path, "cpu").classes[1] == "object 1"
    with pytest.raises(FileNotFoundError, match="no file .*encoder_epoch_40.pth.*decoder_epoch_40.pth, labels.json"):
        official.load_segmenter(tmp_path / "elsewhere")
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    asked = []

    def served(url, target):
        asked.append(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target.name).replace(target)

    monkeypatch.setattr(published, "download", served)
    assert official.load_official("official/upernet", device="cpu").classes[0] == "-"
    assert official.load_official("official/upernet", device="cpu").classes[0] == "-"     # not asked for again
    assert asked == [upernet.URLS[0] + file for file in upernet.FILES]


def test_the_segmenter_is_converted_once(tmp_path, weights, monkeypatch, capsys):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    folder, x = tmp_path / "files", torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    folder.mkdir()
    write(folder, *weights)
    once = gan_teach.load(folder, "cpu")
    assert re.fullmatch(r"upernet: converted in \d+\.\d s, \d+ MB of weights in memory\n", capsys.readouterr().out)
    assert once.record["files"]["labels.json"] == checkpoints.sha256(folder / "labels.json")
    read = upernet.read
    monkeypatch.setattr(upernet, "read", None)
    again = gan_teach.load(folder, "cpu")
    assert capsys.readouterr().out == "" and again.record == once.record and again.classes == once.classes
    assert not again.training and torch.equal(again(x), once(x))
    monkeypatch.setattr(upernet, "read", read)                        # with other labels it is another segmenter
    labels = folder / "labels.json"
    labels.write_text(labels.read_text().replace("object 1", "tree"))
    assert gan_teach.load(folder, "cpu").classes[1] == "tree"


def test_a_second_and_third_address_are_tried(tmp_path, weights, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    write(tmp_path, *weights)
    asked = []

    def served(url, target):
        asked.append(url)
        if url.startswith(upernet.URLS[0]) or (url.startswith(upernet.URLS[1]) and target.suffix == ".pth"):
            raise ConnectionError(f"{url} cannot be reached")
        target.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target.name).replace(target)

    monkeypatch.setattr(published, "download", served)
    assert official.load_official("official/upernet", device="cpu").classes[0] == "-"
    encoder, decoder, labels = (official.upernet.addresses(file) for file in upernet.FILES)
    assert asked == [*encoder, *decoder, *labels] and len(encoder) == len(decoder) == 3 and len(labels) == 2


@pytest.mark.parametrize("there", [True, False])
def test_the_chapters_section_runs_with_the_files_and_without(tmp_path, weights, monkeypatch, capsys, there):
    """The cells of chapter 1b that use the authors' church and segmenter, on small files of their formats."""
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    church = files.progan_layers(np.random.default_rng(0), 8, (12, 12, 12))
    folder = tmp_path / "upernet"
    folder.mkdir()
    if there:
        torch.save({name: torch.from_numpy(w) for name, w in church.items()}, tmp_path / "church.pth")
        labels = write(folder, *weights)[2]
        labels.write_text(labels.read_text().replace("object 1", "tree"))
    cells = nbformat.read(CHAPTER, 4).cells
    section = {cell.id: cell.source for cell in cells if cell.cell_type == "code" and cell.id.startswith("theirs-")}
    assert list(section) == ["theirs-have", "theirs-dissect", "theirs-look", "theirs-paint"]
    scope = {"load": gan_teach.load, "dissect": dissect, "device_of": device_of, "sample_z": sample_z, "ablate": ablate,
             "torch": torch, "show": show, "PaintPanel": PaintPanel}
    for source in section.values():
        source = source.replace('"official/progan-church"', repr(str(tmp_path / "church.pth")))
        source = source.replace('"official/upernet"', repr(str(folder))).replace("samples=60", "samples=4")
        exec(source.replace("samples=10", "samples=2"), scope)
    said = capsys.readouterr().out
    assert scope["ready"] == there == ("with 20 tree units" in said) and ("there is no" in said) != there
    assert (scope["panel"] is not None) == there
    if there:                                                      # and the panel paints on the authors' network
        panel = scope["panel"]
        before = panel.frame.after
        panel.go(PaintState(0, (Stroke("add", "tree", ((0.2, 0.5), (0.8, 0.5)), strength=3.0),)))
        assert not panel.frame.error and panel.frame.after != before


def test_labels_must_fit(tmp_path, weights):
    paths = write(tmp_path, *weights, objects=9)
    with pytest.raises(BadCheckpoint, match="labels.json names 9 objects, and .*decoder_epoch_40.pth scores 7"):
        upernet.read(*paths)
    for text in ("[]", "{}", "no json", '{"object": [1]}', "[" * 100_000):
        paths[2].write_text(text)
        with pytest.raises(BadCheckpoint, match="labels.json is no list of labels"):
            upernet.read(*paths)
