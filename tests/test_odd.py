"""Odd things of every kind, in tables: values, shapes and types of what is public, files, networks of one's own.

What was computed silently from something else than was meant is refused by name; what can be meant is taken.
"""

import copy
import math
import os
import struct
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import official_files
import pytest
import torch
from PIL import Image
from rigged import Drawn, eyes, small, style, unet
from torch import nn
from torch.nn.utils import parametrizations, prune

import gan_teach
from gan_teach import checkpoints, files, metrics, official, training
from gan_teach import pictures as p
from gan_teach.__main__ import main
from gan_teach.dissection import ablate, ablation_curve, dissect, iou, masks
from gan_teach.egan import evolution, interpolation, long_run
from gan_teach.egan.fitness_and_selection import fitness
from gan_teach.networks import dcgan, progan
from gan_teach.networks.segmenter import segment
from gan_teach.stylegan import StyleGANConfig, adain, layer_groups, mixing_and_noise, path_length, truncate
from gan_teach.stylegan import separability as sep
from gan_teach.stylegan.prepared import prepared
from gan_teach.worlds import datasets, gaussians, reading
from gan_teach.worlds.scenes import Scenes

NAN = math.nan
QUIET = {"progress": False}
X = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
R = torch.rand(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))


# ------------------------------------------------------------------------------------------ numbers

@pytest.mark.parametrize("batch", [0, -1, 1.5, True, "2", [2], NAN, 10**30, Decimal(4), Fraction(4)])
def test_a_batch_is_a_whole_number_wherever_there_is_one(batch):
    G, S, C = style(), unet(), eyes()
    for act in (lambda: metrics.features(X, S, batch), lambda: metrics.channel_means(X, S, batch),
                lambda: metrics.generate(G, 4, 0, batch), lambda: metrics.classifier_score(X, C, batch=batch, splits=2),
                lambda: segment(S, X, batch), lambda: path_length.path_length(G, C, pairs=2, batch=batch, **QUIET),
                lambda: sep.linear_separability(G, C, n=4, batch=batch, **QUIET),
                lambda: mixing_and_noise.noise_deviation(G, torch.ones(1, 8), 2, batch=batch, **QUIET),
                lambda: mixing_and_noise.mixing_distances(G, X, S, (1,), batch=batch, **QUIET)):
        with pytest.raises(ValueError, match="batch must be a whole number from 1"):
            act()


@pytest.mark.parametrize("name", ["bf16", "shared", "mutate_same_z"])
def test_a_word_is_neither_true_nor_false(name):
    for value in ("False", "no", 2, NAN, None, []):
        with pytest.raises(ValueError, match=f"{name} must be True or False; got"):
            evolution.Settings(**{name: value})
    with pytest.raises(ValueError, match="r2 must be True or False; got 'no'"):
        training.Settings(r2="no")


def test_a_pair_may_be_a_list_and_a_loss_is_a_function():
    assert str(evolution.Settings(betas=[0.0, 0.99])) == str(evolution.Settings(betas=(0.0, 0.99)))
    assert training.Settings(betas=[0.0, 0.99]) == training.Settings()
    for options, message in (({"d_loss": "logistic"}, "d_loss is a function"), ({"mutations": 5}, "at least one mut"),
                             ({"mutations": iter(())}, "at least one mutation"), ({"betas": [1.0]}, "two numbers")):
        with pytest.raises(ValueError, match=message):
            evolution.Settings(**options)
    for fade in (5, None, "8", [8], {8}):
        with pytest.raises(ValueError, match="a schedule is two dicts"):
            training.Schedule(fade)


@pytest.mark.parametrize("act, message", [
    (lambda: layer_groups(1.5), "layers must be a whole number from 1"), (lambda: layer_groups(0), "layers must be"),
    (lambda: mixing_and_noise.mixed(style(), 2, 1.5, torch.Generator()), "latents mixed in 4 layers must be a whole"),
    (lambda: mixing_and_noise.mixing_distances(style(), X, unet(), 3, **QUIET), "latents are a list of numbers"),
    (lambda: StyleGANConfig(resolution=8.0), "resolution must be a whole"), (lambda: StyleGANConfig(z_dim=0), "z_dim"),
    (lambda: StyleGANConfig(resolution="8"), "resolution must be"), (lambda: StyleGANConfig(w_dim=-1), "w_dim must be"),
    (lambda: StyleGANConfig(mapping_layers=-1), "mapping_layers must be"),
    (lambda: p.jpeg(X[0], 0), "quality must be a whole number from 1 to 100"), (lambda: p.jpeg(X[0], [2]), "quality"),
    (lambda: p.enlarge(X[0], 10**6), "k must be a whole number from 1 to 441"), (lambda: p.squares(R[0, 0], 0), "side"),
    (lambda: p.heat(X[0], R[0, 0], NAN), "peak must be a finite"), (lambda: p.heat(X[0], R[0, 0], "1"), "peak must be"),
    (lambda: p.lasso(X[0], X[0, 0] > 0, "2"), "zoom must be a whole number from 1"),
    (lambda: sep.linear_svm(R[0, 0], torch.ones(4, 1), C=-1), "C must be a number from 0"),
    (lambda: sep.linear_svm(R[0, 0], torch.ones(4, 1), steps=1.5), "steps must be a whole number"),
    (lambda: gan_teach.load("fashion-classifier", "cpu:x"), "no device is called 'cpu:x'")])
def test_numbers_that_cannot_be_meant(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_numbers_of_other_kinds_that_can_be_meant():
    assert StyleGANConfig(resolution=np.int64(8)) == StyleGANConfig(resolution=8)
    D = dcgan.Discriminator(dcgan.DCGANConfig((4, 4)))
    assert fitness(D, X, X, Fraction(1, 2)) == fitness(D, X, X, Decimal("0.5")) == fitness(D, X, X, 0.5)
    G, w = style(), torch.ones(2, 8)
    for seeds in (np.array([1, 2]), torch.tensor([1, 2]), (1, 2)):
        assert all(map(torch.equal, G.noise(seeds), G.noise([1, 2])))
    assert torch.equal(G.synthesis(w, np.array([1, 2])), G.synthesis(w, G.noise([1, 2])))
    with pytest.raises(ValueError, match="seed must be"):
        G.noise([])


# ------------------------------------------------------------------------------------------ shapes and types

LABELS = torch.tensor([[1, 2], [0, 2]])
ON = torch.ones(4, 4, dtype=torch.bool)
SIDES = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])


@pytest.mark.parametrize("act, message", [
    # counted as if 1 and 2 were one label, or one picture many
    (lambda: iou(LABELS, LABELS.flip(0)), "two boolean masks of one size; got torch.int64"),
    (lambda: iou(ON.float(), ON.float()), "boolean masks"), (lambda: iou(ON, ON.expand(2, 4, 4)), "of one size"),
    (lambda: masks(R, torch.full((4,), NAN), (8, 8)), "the thresholds: NaN"),       # was on nowhere
    (lambda: masks(R, [0.5] * 3, (8, 8)), "U thresholds; got r .* and 3"), (lambda: masks([1], [1], (8, 8)), "r must"),
    (lambda: masks(R[0], [0.5] * 4, (8, 8)), "masks are of r, N×U×h×w"), (lambda: masks(R, [0.5] * 4, 8), "the grid"),
    (lambda: masks(R, [0.5] * 4, (-1, 8)), "each side"), (lambda: masks(R, [0.5] * 4, (8.5, 8)), "each side of the"),
    # a cut found for 0 against 1, where it is made for -1 against 1
    (lambda: sep.linear_svm(R[0, 0], (SIDES + 1) / 2), r"the sides are \+1 and −1"),
    (lambda: sep.linear_svm(R[0, 0], SIDES > 0), "sides are"), (lambda: sep.linear_svm(R[0, 0], SIDES[:, 0]), "N×K"),
    (lambda: sep.linear_svm(R[0, 0], SIDES[:1]), "N×K"), (lambda: sep.linear_svm(R[0, 0, :0], SIDES[:0]), "points N×D"),
    (lambda: sep.conditional_entropy(LABELS[0], LABELS[1] + 5, 4), "whole ones from 0 to 3"),
    (lambda: sep.conditional_entropy(LABELS[0], LABELS[1] - 1, 4), "whole ones"),
    (lambda: sep.conditional_entropy(LABELS[0], LABELS[1].float(), 4), "whole ones"),
    (lambda: sep.conditional_entropy(LABELS[0], LABELS[1][:1], 4), "x and y are N numbers"),
    (lambda: sep.separability(torch.rand(20, 2), {"a": torch.rand(10, 2)}), "one row for each of the points"),
    (lambda: sep.separability(torch.rand(5, 2), {"a": torch.rand(5)}), "one row for each"),
    (lambda: sep.separability(torch.rand(5, 2), [torch.rand(5, 2)]), "logits are a dict"),
    (lambda: sep.linear_separability(style(), lambda x: x.mean((2, 3)), n=4, **QUIET), "answers with a dict.*a Tensor"),
    (lambda: path_length.perceptual_distance(X, X[:1], eyes()), "one by one, of one size"),
    (lambda: path_length.perceptual_distance(X, X[..., :8], eyes()), "one by one"),
    (lambda: path_length.perceptual_distance(X, X, None), "eyes are a network, .* got a NoneType"),
    (lambda: path_length.perceptual_distance(X, X, lambda x: 5), "eyes are .*, which gives a int"),
    (lambda: path_length.slerp(torch.zeros(1, 3), torch.ones(1, 3), 0.5), "zeros has no direction"),
    # whole numbers were rounded: every step of the way but the last was 0
    (lambda: interpolation.way(torch.zeros(3).long(), torch.ones(3).long(), 3), "of floats; got torch.int64"),
    (lambda: interpolation.linear(torch.ones(3), torch.ones(1), 0.5), "latents of one size"),
    (lambda: interpolation.way(torch.ones(3), torch.ones(3), 3, ["linear"]), "how is 'linear' or 'spherical'"),
    (lambda: adain(R, (torch.ones(2, 4, 1, 1),) * 2), "each N×C or 1×C; got"),      # drew six dimensions
    (lambda: adain(R, (torch.ones(2, 1),) * 2), "AdaIN takes"), (lambda: adain(R, (torch.ones(3, 4),) * 2), "AdaIN"),
    (lambda: adain(R[0], (torch.ones(2, 4),) * 2), "AdaIN takes"), (lambda: adain(R, (1.0, 0.0)), "AdaIN takes"),
    (lambda: adain(R.numpy(), (torch.ones(2, 4),) * 2), "AdaIN takes"), (lambda: adain(R, (R[:, :, 0, 0],)), "AdaIN"),
    (lambda: truncate(torch.ones(3, 8), 0.5, torch.ones(2, 8)), "of one size, of floats"),
    (lambda: truncate(torch.ones(3, 8).long(), 0.5, torch.ones(8)), "of one size, of floats"),
    (lambda: style().synthesis(torch.ones(8)), r"N×8, or N×4×8; got .* \(8,\)"),
    (lambda: style().styles(torch.ones(1, 5)), r"N×8, or N×4×8; got .* \(1, 5\)"),
    (lambda: style().synthesis(torch.ones(1, 8).long()), "w is a floating tensor"),
    (lambda: path_length.path_length(small(), eyes(), **QUIET), "a Generator has no styles"),
    (lambda: sep.linear_separability(small(), eyes(), **QUIET), "a Generator has no styles"),
    (lambda: mixing_and_noise.noise_deviation(small(), torch.ones(1, 8), **QUIET), "a Generator has no styles"),
    (lambda: metrics.generate(None, 4, 0), "a NoneType is no generator"),
    (lambda: metrics.generate(lambda z: z, 4, 0), "a function is no generator: it must be callable and have .z_dim"),
    (lambda: metrics.sharpness(X[..., :1, :1]), "2×2 or more"), (lambda: metrics.sharpness(X[:0]), "2×2 or more"),
    (lambda: metrics.sharpness(X[..., :1, :]), "2×2 or more"), (lambda: segment(unet(), X[..., :4, :4]), "too small"),
    (lambda: metrics.Distance(X[:, 0, 0, 0]), "features are N×F"),
    (lambda: metrics.Distance(torch.rand(9, 4))(torch.rand(9, 5)), "features are N×F"),
    (lambda: metrics.precision_recall(torch.ones(9, 3).long(), torch.ones(9, 3).long()), "float32 or float64; got"),
    (lambda: metrics.precision_recall(torch.rand(9, 3).half(), torch.rand(9, 3).half()), "float32 or float64; got"),
    # bytes came out white
    (lambda: p.to_uint8((X * 127 + 128).byte()), "takes floats .* got torch.uint8"),
    (lambda: p.to_uint8(X > 0), "got torch.bool"), (lambda: p.to_uint8(X + 0j), "got torch.complex64"),
    (lambda: p.to_uint8(X.movedim(1, 3)), "takes floats"), (lambda: p.to_uint8(X[0, 0]), r"got .* \(16, 16\)"),
    (lambda: p.to_uint8("a"), "floats in"), (lambda: p.to_uint8(None), "floats in"),
    (lambda: p.grid(None), "a grid is of a list of pictures.* got a NoneType"), (lambda: p.grid("abc"), "got a str"),
    (lambda: p.grid({"a": X[0]}), "got a dict"), (lambda: p.grid(torch.tensor(1.0)), "got a Tensor"),
    (lambda: p.heat(X[0], R[0]), r"one unit; got \(4, 4, 4\)"), (lambda: p.heat(X[0], R[0, 0, 0]), "one unit"),
    (lambda: p.heat(X[0], "a"), "a map to show is numbers"), (lambda: p.heat(X[0], R[0, 0, :0]), "one unit; got"),
    (lambda: p.squares(3.0), "one unit"), (lambda: p.squares([[1, 2], [3]]), "a map to show is numbers"),
    (lambda: p.lasso(X[0], torch.full((16, 16), NAN)), "a map to show holds NaN"),   # was inside everywhere
    (lambda: p.lasso(X[0], "a"), "is numbers"), (lambda: p.lasso(X[0], X[:1, 0] > 0), "of one unit; got"),
    (lambda: p.show([[X[0], X[1]]], alt=["one"]), "nested like the table"), (lambda: p.show(X[0], alt=5), "needs alt")])
def test_shapes_and_types_that_cannot_be_meant(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_styles_of_64_bits_are_brought_to_those_of_the_network():
    G, w = style(), torch.rand(2, 8)
    for network in (G, prepared(G), copy.deepcopy(G).half()):
        assert torch.equal(network.synthesis(w.double()), network.synthesis(w))
        assert torch.equal(network.styles(w.double())[1][0], network.styles(w)[1][0])
    assert torch.equal(truncate(w.double(), 0.5, G.w_avg), truncate(w.double(), 0.5, G.w_avg.double()))


def test_an_r_of_other_units_or_another_size_is_told():
    z = torch.ones(2, 8)
    for G, layer in ((style(), "layer2"), (prepared(style()), "layer2"), (small(), "layer1"),
                     (dcgan.Generator(dcgan.DCGANConfig((8, 4), z_dim=8)).eval(), "layer1")):
        r, f = G.at(z, layer)
        assert torch.equal(f(r), G(z))
        shape = "×".join(map(str, r.shape[1:]))
        for wrong in (r[:, :-1], r.repeat(1, 2, 1, 1), r[..., :-1], r[0], r.long(), r.detach().numpy(), None):
            with pytest.raises(ValueError, match=f"r must be a floating tensor N×{shape}, as this layer gives it; got"):
                f(wrong)


def test_noise_maps_of_another_size_or_number_are_told():
    G, w = style(), torch.ones(2, 8)
    for network in (G, prepared(G)):
        maps = network.noise(3)
        for i, wrong in ((1, maps[1][..., :-1]), (0, maps[2]), (3, maps[3][0]), (2, None), (2, 0.5),
                         (2, maps[2].repeat(3, 1, 1, 1))):
            given = [wrong if i == j else m for j, m in enumerate(maps)]
            for draw in (network.synthesis, lambda w, given, of=network: of.at(w, "layer0", given)):
                with pytest.raises(ValueError, match=f"noise of layer{i} is one map 1×.*for all, or 2; got"):
                    draw(w, given)
        with pytest.raises(ValueError, match="is one map 1×4×4 for all, or 2; got .3, 1, 4, 4"):
            network.synthesis(w, np.array([1, 2, 3]))
        assert network.synthesis(w[:1], network.noise([1, 2, 3])).shape[0] == 3


def test_masked_arrays_are_not_taken_with_what_they_hide():
    hidden = np.ma.masked_array(np.zeros((4, 4)), np.eye(4, dtype=bool))
    for act in (lambda: reading.as_array(hidden), lambda: ablate(R, [0], hidden),
                lambda: ablate(R, [0], None, hidden[0]), lambda: masks(R, hidden[0], (8, 8)),
                lambda: iou(hidden > 1, ON), lambda: p.heat(X[0], hidden)):
        with pytest.raises(ValueError, match="is a masked array, which hides some of its numbers"):
            act()
    whole = np.ma.masked_array(np.zeros((4, 4)), False)
    assert torch.equal(ablate(R, [0], whole), R) and reading.as_array(whole).shape == (4, 4, 3)


def test_shapes_and_types_that_can_be_meant():
    on, where = X[0, 0] > 0, torch.ones(16, 16, requires_grad=True)
    assert iou(ON.tolist(), ON.numpy()) == 1 and masks(R, [0.5] * 4, (8, 8)).shape == (2, 4, 8, 8)
    assert np.array_equal(p.grid(x for x in X), p.grid(X)) and p.lasso(X[0], where).shape == (16, 16, 3)
    assert np.array_equal(p.lasso(X[0], on.tolist()), p.lasso(X[0], on))
    assert p.show([X[0], [X[1], X[2]]], alt="three").html.count("<tr") == 2
    assert p.fingerprint(X.bfloat16()) != p.fingerprint((X * 2).bfloat16())


# ------------------------------------------------------------------------------------------ networks of one's own

class InPlace(Drawn):
    """The second half begins with what works in place, as nn.Sequential's parts do."""

    layers, z_dim = ("one",), 4

    def __init__(self, kind=nn.ReLU):
        self.kind = kind

    def at(self, z, layer):
        act = self.kind(inplace=True) if self.kind is nn.ReLU else self.kind()
        return (z[:, :, None, None] * torch.linspace(-1, 1, 64).view(8, 8)), lambda r: act(r)[:, :3].tanh()


class Lazy(nn.Module):
    def forward(self, r):
        return r.relu()


def test_what_a_second_half_does_in_place_stays_outside_of_r():
    S = unet()
    curves = [ablation_curve(G, "one", S, "a", [0, 1], (0, 1, 2), 12, **QUIET) for G in (InPlace(), InPlace(Lazy))]
    found = [dissect(G, "one", S, 12, quantile=0.6, **QUIET) for G in (InPlace(), InPlace(Lazy))]
    assert torch.equal(found[0].thresholds, found[1].thresholds) and torch.equal(found[0].iou, found[1].iou)
    assert (found[0].thresholds < 0).all()                       # below 0, which would be gone
    assert torch.equal(curves[0].left, curves[1].left)


def test_what_a_segmenter_does_in_place_stays_outside_of_the_pictures():
    class Scaling:
        classes = ("a", "b", "c")

        def __call__(self, images):
            return images.mul_(0.5).add_(0.5)

    x = X.clone()
    segment(Scaling(), x)
    assert torch.equal(x, X)


# ------------------------------------------------------------------------------------------ files

@pytest.mark.parametrize("path", [None, 5, True, b"scenes-progan", ["a"], "a\0b", "x" * 5000, nn.Identity()])
def test_what_is_the_path_of_no_file(path):
    for act in (lambda: gan_teach.load(path), lambda: official.convert(path), lambda: files.to_write(path),
                lambda: checkpoints.save(path, small()), lambda: datasets.pictures(path)):
        with pytest.raises(ValueError, match="path|no file can have a name as long as xxx"):
            act()


def test_nothing_is_written_in_the_place_of_a_device_and_links_are_followed(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(OSError, match=f"it is a pipe or a device: give a file, not {path}"):
            files.write_text(path, "x")
        assert not Path(path).is_file()
    (tmp_path / "large disk").mkdir()
    for name in ("G.safetensors", "G.json"):
        (tmp_path / name).symlink_to(tmp_path / "large disk" / name)
    checkpoints.save(tmp_path / "G", small())
    assert (tmp_path / "G.safetensors").is_symlink() and (tmp_path / "large disk" / "G.json").is_file()
    assert gan_teach.load(tmp_path / "G", "cpu").record["kind"] == "progan"


@pytest.mark.parametrize("name", ["n" * 230, "😀" * 55, "a\nb", "-x", "%s{n}"])
def test_names_as_long_as_a_file_may_have_and_odd_ones(tmp_path, name):
    checkpoints.save(tmp_path / name, small())
    assert gan_teach.load(tmp_path / name, "cpu").record["sha256"]
    assert len(list(tmp_path.iterdir())) == 2


def changed(how: str) -> progan.Generator:
    """A network that is not what its configuration says."""
    G = small()
    if how == "pruned":
        prune.l1_unstructured(G.blocks["layer2"].conv, "weight", 0.5)
    elif how == "normed":
        parametrizations.spectral_norm(G.blocks["layer2"].conv)
    elif how == "with a buffer":
        G.register_buffer("mine", torch.ones(3))
    else:
        G.blocks["layer2"].conv = nn.Conv2d(8, 4, 3)
    return G


@pytest.mark.parametrize("how", ["pruned", "normed", "with a buffer", "replaced"])
def test_a_network_that_could_not_be_loaded_again_is_not_saved(tmp_path, how):
    with pytest.raises(ValueError, match="this progan could not be loaded again: .*G.safetensors was not written"):
        checkpoints.save(tmp_path / "G", changed(how))
    assert not list(tmp_path.iterdir())


def test_what_else_is_not_saved_and_what_is(tmp_path):
    with pytest.raises(ValueError, match="weights of torch.float32 on the device meta, and nothing is computed"):
        checkpoints.save(tmp_path / "G", copy.deepcopy(small()).to("meta"))
    with pytest.raises(ValueError, match="could not be loaded again: 'utf-8' codec can't encode"):
        checkpoints.save(tmp_path / "half a sign\udcff", small())
    assert not list(tmp_path.iterdir())
    tied = small()
    tied.to_rgb["8"].weight = tied.to_rgb["4"].weight
    z = torch.ones(1, 8)
    for name, G in (("numpy", small(z_dim=np.int64(8), widths=[8, np.int32(8)])), ("tied", tied)):
        checkpoints.save(tmp_path / name, G)
        assert torch.equal(gan_teach.load(tmp_path / name, "cpu")(z), G(z))


def test_published_weights_of_another_kind_of_number(tmp_path):
    """Quantised weights came out as whole numbers without their scale, and 1e300 as infinity."""
    weights = {name: torch.from_numpy(np.array(w)) for name, w in
               official_files.progan_layers(np.random.default_rng(0), 3, (2, 2)).items()}
    for change, message in ((lambda w: (w * 99).to(torch.int8), r"holds whole numbers \(torch.int8\)"),
                            (lambda w: w > 0, r"holds whole numbers \(torch.bool\)"),
                            (lambda w: w.double() * 1e300, "is too large for torch.float32")):
        for modern in (True, False):
            torch.save({name: change(w) for name, w in weights.items()}, tmp_path / "G.pth",
                       _use_new_zipfile_serialization=modern)
            with pytest.raises(checkpoints.BadCheckpoint, match=f"G.pth.*{message}"):
                official.convert(tmp_path / "G.pth")
    torch.save({name: w.double() for name, w in weights.items()}, tmp_path / "G.pth")
    assert next(official.convert(tmp_path / "G.pth").parameters()).dtype == torch.float32


# ------------------------------------------------------------------------------------------ trainings

CONFIG, DC = progan.ProGANConfig(z_dim=4, widths=(4, 4)), dcgan.DCGANConfig((8, 4), 4, 6)
REAL = torch.randint(0, 255, (8, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LARGER = REAL.repeat(1, 1, 2, 2)


def trained(G=None, D=None, real=REAL) -> training.Training:
    torch.manual_seed(0)
    settings = training.Settings(batch=4, images=12, schedule=training.Schedule({}, {8: 0}))
    return training.Training(G or progan.Generator(CONFIG), D or progan.Discriminator(CONFIG), real, settings, "cpu")


def evolved(G=None, D=None) -> evolution.Evolution:
    torch.manual_seed(0)
    settings = evolution.Settings(batch=4, fitness_batch=4, d_steps=1, mutate_same_z=True)
    return evolution.Evolution(G or dcgan.Generator(DC), D or dcgan.Discriminator(DC), settings, "cpu")


class Own(nn.Module):
    """A generator of one's own around another one."""

    z_dim = 6

    def __init__(self, change):
        super().__init__()
        self.G, self.change = dcgan.Generator(DC), change

    def forward(self, z):
        return self.change(self.G(z))


@pytest.mark.parametrize("act, message", [
    (lambda: trained(small().half()), "float32 .* torch.float16 on the device cpu"),
    (lambda: trained(D=progan.Discriminator(CONFIG).double()), "float32 .* this Discriminator has .* torch.float64"),
    (lambda: trained(small().to("meta")), "on the device meta"), (lambda: trained(real=[1]), "needs a tensor of pict"),
    (lambda: trained(nn.DataParallel(small())), "a DataParallel has no .grow"), (lambda: trained(real=None), "tensor"),
    (lambda: evolved(nn.DataParallel(dcgan.Generator(DC))), "a DataParallel is no generator: it has no .z_dim"),
    (lambda: evolved(nn.Identity()), "networks with weights; got a Identity"), (lambda: evolved("G"), "got a str"),
    (lambda: evolved(dcgan.Generator(DC).half()), "of one kind; these are of torch.float16, torch.float32"),
    (lambda: evolved(dcgan.Generator(DC).double()), "numbers of one kind"), (lambda: evolved(D=len), "networks with"),
    (lambda: evolved(dcgan.Generator(DC).to("meta")), "on the device meta"),
    (lambda: evolved(Own(torch.detach)).step(LARGER), "gradient reaches its weights; got .* without one"),
    (lambda: evolved(Own(torch.no_grad()(torch.tanh))).step(LARGER), "a torch.no_grad"),
    (lambda: evolved().step(None), "real must be a tensor of samples")])
def test_networks_and_pictures_that_cannot_be_trained(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_a_loaded_network_is_trained_and_gradients_are_recorded_where_they_are_needed():
    wanted, frozen = trained(), trained(progan.Generator(CONFIG).eval().requires_grad_(False))
    frozen.G.load_state_dict(wanted.G.state_dict())
    frozen.D.load_state_dict(wanted.D.state_dict())
    for one in (wanted, frozen):
        with torch.no_grad():
            one.step()
    assert all(map(torch.equal, wanted.G.parameters(), frozen.G.parameters()))
    with torch.no_grad():
        assert evolved().step(LARGER).number == 1


def test_the_default_kind_of_number_changes_no_draw():
    """In float64 torch draws other numbers from the same seed: it was another picture, and another training."""
    G, world = style(), gaussians.ring()
    e, C, draw = evolved(), eyes(), lambda: torch.Generator().manual_seed(0)
    draws = [lambda: world(9, draw()), lambda: e._z(5, draw()), lambda: mixing_and_noise.mixed(G, 3, 2, draw()),
             lambda: G.regularised(2, draw()), lambda: path_length.path_length(G, C, pairs=3, **QUIET).each]
    wanted = [act() for act in draws]
    torch.set_default_dtype(torch.float64)
    try:
        found = [act() for act in draws]
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(wanted, found, strict=True):
        assert torch.allclose(one, other.float(), atol=1e-5)


def snapshots(tmp_path: Path) -> tuple[dict, dict]:
    """What a training and an evolution leave."""
    training.run(trained(), tmp_path / "T", picture_every=0)
    long_run.run(evolved(), LARGER, tmp_path / "E", 2, picture_every=0)
    return tuple(torch.load(tmp_path / name / "resume.pt", weights_only=True) for name in "TE")


def test_a_snapshot_that_was_changed_is_named_as_damaged(tmp_path):
    of_training, of_evolution = snapshots(tmp_path)
    *first, last = of_evolution["lineage"]
    D = of_evolution["D"]
    for whole, begin, changes in (
            (of_training, lambda folder: training.run(trained(), folder, picture_every=0), (
                {"optimisers": []}, {"optimisers": of_training["optimisers"][::-1]}, {"optimisers": [{}, {}]},
                {"G_ema": {name: t * NAN for name, t in of_training["G_ema"].items()}})),
            (of_evolution, lambda folder: long_run.run(evolved(), LARGER, folder, 3, picture_every=0), (
                {"lineage": []}, {"generation": 10**9}, {"survivors": []}, {"survivors": of_evolution["survivors"] * 2},
                {"own": []}, {"own": None}, {"own": {0: 5}}, {"lineage": [*first, last | {"survivors": ()}]},
                {"lineage": [*first, last | {"mutations": ()}]}, {"lineage": [*first, last | {"fitness": ()}]},
                {"D": {name: t * math.inf for name, t in D.items()}}, {"D": {name: t + 0j for name, t in D.items()}}))):
        for change in changes:
            torch.save(whole | change, tmp_path / "resume.pt")
            with pytest.raises(ValueError, match=f"{tmp_path}/resume.pt is damaged: delete it"):
                begin(tmp_path)


@pytest.mark.parametrize("change", [
    {"betas": (0.5,)}, {"betas": ("a", "b")}, {"betas": (0.5, 0.5)}, {"eps": "small"}, {"lr": NAN}, {"lr": "fast"}])
def test_a_snapshot_whose_optimiser_was_changed_is_named_as_damaged(tmp_path, change):
    of_training, of_evolution = snapshots(tmp_path)
    of_training["optimisers"][1]["param_groups"][0].update(change)
    of_evolution["optimiser_d"]["param_groups"][0].update(change)
    cases = [(of_training, lambda: training.run(trained(), tmp_path, picture_every=0))]
    if "betas" not in change:                                    # there each step sets them
        cases.append((of_evolution, lambda: long_run.run(evolved(), LARGER, tmp_path, 3, picture_every=0)))
    for state, go_on in cases:
        torch.save(state, tmp_path / "resume.pt")
        with pytest.raises(ValueError, match=f"{tmp_path}/resume.pt is damaged: delete it"):
            go_on()


def test_a_snapshot_whose_moments_are_of_another_size_is_named_as_damaged(tmp_path):
    for state, begin in zip(snapshots(tmp_path), (
            lambda: training.run(trained(), tmp_path, picture_every=0),
            lambda: long_run.run(evolved(), LARGER, tmp_path, 3, picture_every=0))):
        optimiser = state["optimisers"][0] if "optimisers" in state else state["optimiser_d"]
        optimiser["state"][0]["exp_avg"] = torch.zeros(7)
        torch.save(state, tmp_path / "resume.pt")
        with pytest.raises(ValueError, match="is damaged: delete it .*its optimiser has another exp_avg"):
            begin()


@pytest.mark.parametrize("target", ["resume.pt", "an unplugged disk/resume.pt"])
def test_a_snapshot_behind_a_broken_link_is_not_begun_anew(tmp_path, target):
    (tmp_path / "resume.pt").symlink_to(tmp_path / target)
    for begin in (lambda: training.run(trained(), tmp_path, picture_every=0),
                  lambda: long_run.run(evolved(), LARGER, tmp_path, 1, picture_every=0)):
        with pytest.raises(FileNotFoundError, match="resume.pt is a broken link"):
            begin()
    assert not (tmp_path / "an unplugged disk").exists()


def test_judges_and_curves_of_other_kinds(tmp_path):
    for judge in (lambda G: None, lambda G: 0.5):
        with pytest.raises(ValueError, match="a judge answers with a dict of figures"):
            training.run(trained(), tmp_path / "a", picture_every=0, judge=judge, judge_every=4)
    training.run(trained(), tmp_path / "b", picture_every=0, judge=lambda G: {"images": 7}, judge_every=4)
    assert [row["images"] for row in training.curve(tmp_path / "b")] == [4, 8, 12]
    (tmp_path / "curve.json").write_text('[{"images": -4}]')
    with pytest.raises(ValueError, match="curve.json is damaged"):
        training.curve(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="its folder is a file"):
        training.run(trained(), tmp_path / "file")


# ------------------------------------------------------------------------------------------ the command line

@pytest.mark.parametrize("arguments, message", [
    (["evolve", "few", "--out", "file"], "its folder is a file, so there cannot be file"),
    (["evolve", "few", "--device", "meta"], "device 'meta' is not usable"), (["evolve", "/"], "the whole disk"),
    (["train", "scenes-egan", "--out", "file"], "its folder is a file"),            # and not after 40,000 drawings
    (["train", "scenes-stylegan", "--out", "file"], "its folder is a file"), (["evolve", "a\0b"], "text without NUL"),
    (["compare", "cost", "--out", "file"], "its folder is a file"), (["lab", "file", "--copy"], "its folder is a file"),
    (["dissect", "scenes-progan", "--out", "/dev/null"], "it is a pipe or a device: give a file, not /dev/null")])
def test_the_command_line_says_it_before_a_long_work(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("few").mkdir()
    Image.new("RGB", (9, 9)).save("few/a.png")
    assert main(arguments) == 1 and message in capsys.readouterr().err


def test_a_number_of_a_thousand_digits_is_not_shown_whole(capsys):
    with pytest.raises(SystemExit):
        main(["dissect", "scenes-progan", "--samples", "9" * 5000])
    assert "give a whole number of 1 or more, not '9999" in (said := capsys.readouterr().err) and len(said) < 999


def test_a_folder_that_is_gone_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    assert main(["lab", "--copy"]) == 1 and "the folder that this was started in is gone" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ pictures

def tiff(data: bytes, bits: int, kind: int) -> bytes:
    """A grey TIFF of 2×2. kind: of its numbers, 1 without a sign, 2 with one."""
    tags = {256: 2, 257: 2, 258: bits, 259: 1, 262: 1, 273: 8 + 2 + 12 * 10 + 4, 277: 1, 278: 2, 279: len(data),
            339: kind}
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + data


def test_a_tiff_of_signed_bytes_is_not_taken_for_one_without_signs():
    assert reading.as_array(tiff(bytes([0, 127, 200, 255]), 8, 1))[..., 0].tolist() == [[0, 127], [200, 255]]
    with pytest.raises(ValueError, match="its bytes are signed, from -128 to 127"):
        reading.as_array(tiff(bytes([0, 127, 200, 255]), 8, 2))


def test_a_picture_with_damaged_exif_is_read_as_it_lies(tmp_path):
    Image.new("RGB", (6, 4), "red").save(tmp_path / "a.png", exif=b"Exif\0\0garbage")
    assert reading.as_array(tmp_path / "a.png").shape == (4, 6, 3)


def test_the_whole_disk_is_no_folder_of_pictures():
    with pytest.raises(ValueError, match="/ is the whole disk: give a folder with pictures"):
        datasets.pictures("/")


@pytest.mark.parametrize("damage", [b"", b"PK\3\4", b"\x93NUMPY\1\0v\0" + (
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 99999999, 99999), }".ljust(117) + b"\n")])
def test_a_damaged_cache_of_drawings_is_drawn_anew(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(files, "cache_folder", lambda: tmp_path)
    wanted = datasets.rendered(Scenes, 2, 0, 32)
    kept, = (tmp_path / "rendered").iterdir()
    kept.write_bytes(damage)
    assert torch.equal(datasets.rendered(Scenes, 2, 0, 32), wanted) and kept.stat().st_size > 1000
