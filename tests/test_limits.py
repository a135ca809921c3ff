"""Numbers, masks, latents, settings and seeds that cannot be meant: each is refused by its name, where it comes in."""

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rigged import Own, small, style, unet

import gan_teach
from gan_teach import checkpoints, metrics, training
from gan_teach.dissection import ablate, causal_effect, dissect, insert, masks, optimise_alpha, rank_by_effect
from gan_teach.dissection.insertion import inserted, optimise_insertion
from gan_teach.dissection.repair import (Distance, artefact_scores, distance_slopes, features, frechet_slopes,
                                         repair)
from gan_teach.dissection.units import load_units, save_units
from gan_teach.egan import first_pictures, long_run, plane, settings, warm_up
from gan_teach.egan.fitness_and_selection import fitness, select
from gan_teach.egan.interpolation import linear, strip, way
from gan_teach.files import regular
from gan_teach.limits import MAX_SEED, finite, whole
from gan_teach.networks import dcgan, progan
from gan_teach.networks.layers import sample_z
from gan_teach.networks.protocols import check_images
from gan_teach.networks.segmenter import SegmenterConfig
from gan_teach.official import convert
from gan_teach.pictures import colour_map, enlarge, grid, heat, squares, to_uint8
from gan_teach.recipes import compare_plane, compare_progan, compare_styles, evolving, judges
from gan_teach.recipes.growing import scenes_progan
from gan_teach.stylegan import mixing_and_noise, mix, path_length, separability, truncate
from gan_teach.stylegan.prepared import prepared
from gan_teach.stylegan.projection import project
from gan_teach.training.settings import comparable
from gan_teach.worlds import Portraits, Scenes, gaussians
from gan_teach.worlds.datasets import pictures
from gan_teach.worlds.drawing import random_numbers

NAN, INF = math.nan, math.inf
BAD = [NAN, INF, -INF]


@pytest.fixture
def r():
    return torch.rand(2, 6, 4, 4, generator=torch.Generator().manual_seed(0)) + 1


def generators() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    found = {"progan": small(), "style": style(),
             "dcgan": dcgan.Generator(dcgan.DCGANConfig((8,), z_dim=8)),
             "plane": dcgan.PlaneGenerator(dcgan.PlaneConfig(z_dim=8, width=8))}
    return {name: G.eval().requires_grad_(False) for name, G in found.items()}


# ------------------------------------------------------------------------------------------ numbers

@pytest.mark.parametrize("value", [*BAD, "1", b"1", None, [1, 2], torch.ones(2), 10**400, object()])
def test_what_is_no_finite_number(value):
    with pytest.raises(ValueError, match="psi must be a finite number"):
        finite("psi", value)
    with pytest.raises(ValueError, match="n must be a whole number from 0"):
        whole("n", value)


def test_what_is_a_number():
    for value in (2, 2.0, np.float32(2), torch.tensor(2.0), np.array([2.0])[0]):
        assert finite("x", value, 0, 2) == 2.0
    assert whole("n", np.uint8(7)) == whole("n", torch.tensor(7)) == 7 and type(whole("n", np.int64(7))) is int
    with pytest.raises(ValueError, match="x must be a number from 0 to 1; got 2"):
        finite("x", 2, 0, 1)
    with pytest.raises(ValueError, match="x must be a number from 0 to inf; got -1"):
        finite("x", -1, 0)


# ------------------------------------------------------------------------------------------ masks, levels, strengths

@pytest.mark.parametrize("bad", BAD)
def test_an_edit_with_a_number_that_is_not_finite_is_refused(r, bad):
    where, broken, each = torch.ones(4, 4), r.clone(), torch.ones(3)
    where[1, 2], broken[1, 5, 3, 2], each[1] = bad, bad, bad
    for edit in (ablate, insert):
        with pytest.raises(ValueError, match=r"where: NaN or infinity at 1 places of \(4, 4\), first at \(1, 2\)"):
            edit(r, [0], where)
        with pytest.raises(ValueError, match=r"r: NaN or infinity.*first at \(1, 5, 3, 2\)"):
            edit(broken, [0])
        for strength in (bad, each, each.tolist(), each.numpy()):
            with pytest.raises(ValueError, match="strength: NaN or infinity"):
                edit(r, [0, 1, 2], strength=strength)
    for level in (bad, each):
        with pytest.raises(ValueError, match="level: NaN or infinity"):
            insert(r, [0, 1, 2], level=level)
    with pytest.raises(ValueError, match="r: NaN or infinity"):
        masks(broken, torch.zeros(6), (8, 8))


@pytest.mark.parametrize("where, message", [
    (np.full((4, 4), 255, np.uint8), r"from 255 to 255; a mask is boolean, or from 0 to 1 .*where > 127"),
    (torch.full((4, 4), -1.0), "where goes from -1 to -1"), (torch.full((2, 1, 4, 4), 1.5), "from 1.5 to 1.5"),
    (Image.new("L", (4, 4), 200), "from 200 to 200"), ("everywhere", "where must be numbers; got 'everywhere'"),
    ([[1, 2], [3]], "where must be numbers"), (torch.ones(3, 3), "where is a mask 4×4")])
def test_what_is_no_mask_is_refused(r, where, message):
    for edit in (ablate, insert):
        with pytest.raises(ValueError, match=message):
            edit(r, [0], where)


def test_masks_of_every_right_kind_mean_the_same(r):
    on = np.zeros((4, 4), bool)
    on[1, 2] = True
    wanted = ablate(r, [0], torch.from_numpy(on))
    for where in (on, on.astype(np.uint8), on.tolist(), Image.fromarray(on), torch.from_numpy(on)[None, None].float()):
        assert torch.equal(ablate(r, [0], where), wanted)
    assert torch.allclose(ablate(r, [0], torch.full((4, 4), 1.000001))[:, 0], torch.zeros(1), atol=1e-5)    # resampled


def test_a_wrong_number_of_strengths_or_levels_is_told(r):
    for edit in (ablate, insert):
        with pytest.raises(ValueError, match="strength is one number or one per unit: 3 units, but 2 strengths"):
            edit(r, [0, 1, 2], strength=torch.ones(2))
        for nothing in (None, "x", object()):
            with pytest.raises(ValueError, match="strength must be numbers"):
                edit(r, [0], strength=nothing)
    with pytest.raises(ValueError, match="one per unit: 1 units, but 3 levels"):
        insert(r, [0], level=[1, 2, 3])
    assert torch.equal(insert(r, [0, 1], level=np.float64(3)), insert(r, [0, 1], level=[3, 3]))


@pytest.mark.parametrize("r, found", [
    (np.ones((1, 2, 4, 4)), "a ndarray"), (torch.ones(2, 4, 4), r"a torch.float32 tensor \(2, 4, 4\)"),
    (torch.ones(1, 2, 4, 4, dtype=torch.long), "a torch.int64 tensor"), (None, "a NoneType")])
def test_what_is_no_r_is_told(r, found):
    for edit in (ablate, insert):
        with pytest.raises(ValueError, match=f"r must be a floating tensor N×U×h×w, as G.at.*got {found}"):
            edit(r, [0])


def test_the_levels_of_inserted_are_counted():
    G, S = generators()["progan"], unet()
    with pytest.raises(ValueError, match="it has 8 units; got 3 levels"):
        inserted(G, "layer3", [0, 1], S, "a", "b", torch.ones(3), samples=2)


# ------------------------------------------------------------------------------------------ latents

@pytest.mark.parametrize("name", ["progan", "style", "dcgan", "plane"])
def test_latents_are_looked_at_where_they_come_in(name):
    G = generators()[name]
    z = sample_z(3, 8, 0)
    x, broken = G(z), z.clone()
    broken[1, 2] = NAN
    draws = [G, lambda z: G.at(z, G.layers[-1]), *([G.mapping, G.ws] if name == "style" else [])]
    for draw in draws:
        for bad, message in ((broken, r"the latents z: NaN or infinity.*first at \(1, 2\)"),
                             (torch.ones(3, 9), r"N×8, as sample_z.*got a torch.float32 tensor \(3, 9\)"),
                             (torch.ones(8), r"got a torch.float32 tensor \(8,\)"), (z.numpy(), "got a ndarray"),
                             (z.long(), "got a torch.int64 tensor"), (z[..., None], r"\(3, 8, 1\)")):
            with pytest.raises(ValueError, match=message):
                draw(bad)
    assert torch.allclose(G(z.double()), x)                 # of another precision: as the weights have it
    rs, f = G.at(z, G.layers[0])
    spoilt = rs.clone()
    spoilt.view(-1)[0] = INF
    with pytest.raises(ValueError, match="r: NaN or infinity"):
        f(spoilt)
    with torch.no_grad():
        next(G.parameters()).view(-1)[0] = NAN
    with pytest.raises(ValueError, match=r"^(r|w|what the generator draws): NaN or infinity"):
        G(z)


def test_a_training_sees_nan_first_as_the_loop_tells_it():
    """Not by the generator's own check: NotFinite names the snapshot to go on from."""
    config = progan.ProGANConfig(z_dim=4, widths=(4, 4))
    trained = training.Training(progan.Generator(config), progan.Discriminator(config),
                                torch.zeros(8, 3, 8, 8, dtype=torch.uint8), training.Settings(
                                    batch=4, schedule=training.Schedule({}, {8: 0})), "cpu")
    with torch.no_grad():
        trained.G.blocks["layer1"].conv.weight[0, 0, 0, 0] = NAN
    with pytest.raises(training.NotFinite, match="go on from the last snapshot"):
        trained.step()


@pytest.mark.parametrize("bad", BAD)
def test_truncation_and_styles_take_finite_numbers(bad):
    G = generators()["style"]
    w, broken = torch.rand(2, 8), torch.rand(2, 8)
    broken[1, 3] = bad
    for psi in (bad, "0.7", None):
        with pytest.raises(ValueError, match="psi must be a finite number"):
            truncate(w, psi, w[0])
        with pytest.raises(ValueError, match="psi must be a finite number"):
            G(sample_z(1, 8, 0), psi=psi)
    for act, name in ((lambda: truncate(broken, 0.5, w[0]), "w"), (lambda: truncate(w, 0.5, broken[1]), "w_avg"),
                      (lambda: G.synthesis(broken), "w"), (lambda: G.styles(broken), "w"),
                      (lambda: prepared(G).synthesis(broken), "w")):
        with pytest.raises(ValueError, match=f"{name}: NaN or infinity"):
            act()
    with pytest.raises(ValueError, match="what the generator draws: NaN or infinity"):
        G.synthesis(w, [m * bad for m in G.noise(1)])


def test_a_cutoff_and_mixed_layers_are_whole_numbers():
    G = generators()["style"]
    ws = G.ws(sample_z(2, 8, 0))
    for cutoff in (-1, 1.5, "2"):
        with pytest.raises(ValueError, match="cutoff must be a whole number from 0"):
            truncate(ws, 0.5, G.w_avg, cutoff)
    assert torch.equal(truncate(ws, 0.5, G.w_avg, np.int64(99)), truncate(ws, 0.5, G.w_avg))
    with pytest.raises(ValueError, match="a layer must be a whole number"):
        mix(ws, ws, [0, 1.5])


@pytest.mark.parametrize("n", [0, -1, 1.5, 2**40, 2**62, None, "3"])
def test_a_number_of_latents_is_from_one_to_what_memory_holds(n):
    with pytest.raises(ValueError, match="the number of latents must be a whole number from 1 to 16777216"):
        sample_z(n, 128, 0)


# ------------------------------------------------------------------------------------------ settings

@pytest.mark.parametrize("name, value", [
    *[("seed", value) for value in (-1, 2**32, 1.5, "1", None)], *[("images", value) for value in (0, -1, 1.5, NAN)],
    *[("batch", value) for value in (0, -2, 1.5)], ("r1_every", 0), ("d_first", -1), ("lr", NAN), ("lr", -1.0),
    ("ema", NAN), ("ema", 2.0), ("cool", 0.0), ("cool", INF), ("betas", (0.0,)), ("betas", (0.0, NAN)),
    ("r1_gamma", NAN), ("r1_gamma_end", 0.0), ("noise_rate", INF)])
def test_settings_of_a_training_are_looked_at(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        training.Settings(**{name: value})


@pytest.mark.parametrize("name, value", [
    *[("seed", value) for value in (-1, 2**30, 1.5, "1", None)], *[("batch", value) for value in (0, -16, 1.5)],
    *[("fitness_batch", value) for value in (0, -1, 1.5)], ("d_steps", 0), ("d_steps", -1), ("mu", 0), ("mu", 1.5),
    ("gamma", NAN), ("lr", NAN), ("lr", -1.0), ("lr_d", INF), ("ema", 2.0), ("halves", -1), ("betas", (2.0, 0.9))])
def test_settings_of_an_evolution_are_looked_at(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        settings.Settings(**{name: value})
    with pytest.raises(ValueError, match="a function of D's logits; got"):
        settings.Settings(mutations=("minimax",))


def test_numpys_numbers_are_settings_and_a_snapshot_of_before_still_fits():
    made = training.Settings(seed=np.int64(3), images=np.int32(10))
    assert repr(made) == repr(training.Settings(seed=3, images=10))
    assert str(settings.Settings(seed=np.uint32(3))) == str(settings.Settings(seed=3))
    assert comparable(made) == repr(made).replace("images=10", "images=0")


def test_a_schedule_has_a_resolution_and_no_negative_pictures():
    with pytest.raises(ValueError, match="a schedule names one resolution or more"):
        training.Schedule({}, {})
    with pytest.raises(ValueError, match="the schedule's images at 8 px must be a whole number from 0"):
        training.Schedule({8: -1}, {4: 10})


def test_what_is_learnt_from_is_bytes_and_not_empty():
    config = progan.ProGANConfig(z_dim=4, widths=(4, 4))
    G, D = progan.Generator(config), progan.Discriminator(config)
    for real in (torch.zeros(4, 3, 8, 8), torch.zeros(0, 3, 8, 8, dtype=torch.uint8),
                 torch.zeros(4, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(ValueError, match="a training needs a tensor of pictures N×3×R×R in bytes"):
            training.Training(G, D, real)
    e = plane.start()
    with pytest.raises(ValueError, match="real is empty"):
        e.step(torch.zeros(0, 2))
    with pytest.raises(ValueError, match="the real samples: NaN or infinity"):
        e.step(torch.full((9, 2), NAN))


def test_recipes_refuse_before_they_begin(tmp_path):
    real = torch.zeros(4, 3, 16, 16, dtype=torch.uint8)
    data = ((real, real[:, 0]),) * 2
    labels = {"class": torch.zeros(4, dtype=torch.long)}
    for steps, batch, seed, name in ((0, 2, 0, "steps"), (1, 0, 0, "batch"), (1, 2, -1, "seed"), (1, 2, 1.5, "seed")):
        for train in (lambda **o: judges.train_segmenter(data=data, config=SegmenterConfig(("a",), (4, 4, 4, 4)), **o),
                      lambda **o: judges.train_classifier(real, labels, **o)):
            with pytest.raises((ValueError, TypeError), match=f"{name} must be|integer"):
                train(steps=steps, batch=batch, seed=seed)
    for images in (0, -1, 1.5):
        for train in (judges.scenes_segmenter, judges.portraits_classifier, judges.fashion_classifier,
                      evolving.RECIPES["scenes-egan"], scenes_progan):
            with pytest.raises(ValueError, match="images.* must be a whole number from 1"):
                train(tmp_path, images=images)
    for run in (lambda **o: compare_plane.run("plane", tmp_path, **o),
                lambda **o: compare_progan.run(tmp_path, **o), lambda **o: compare_styles.run(tmp_path, **o)):
        with pytest.raises(ValueError, match="seeds must be a whole number from 1"):
            run(seeds=0)
    with pytest.raises(ValueError, match="generations must be a whole number from 150"):
        compare_plane.run("plane", tmp_path, generations=0)
    with pytest.raises(ValueError, match="every must be a whole number from 1"):
        compare_plane.run("plane", tmp_path, every=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("drawings", [Scenes, Portraits])
@pytest.mark.parametrize("seed", [-1, 2**32, 2**70, 1.5, "1", None, NAN])
def test_a_seed_of_drawings_is_the_same_kind_as_every_other(drawings, seed):
    for act in (lambda: drawings(2, 32, seed), lambda: drawings.draw_attributes(seed, 0),
                lambda: random_numbers(seed, 0, 1)):
        with pytest.raises(ValueError, match=f"seed must be a whole number from 0 to {MAX_SEED}"):
            act()
    for n in (-1, 1.5, "2"):
        with pytest.raises(ValueError, match=f"the number of {drawings.name} must be a whole number from 0"):
            drawings(n, 32)
    with pytest.raises(ValueError, match="the index of a picture must be a whole number"):
        drawings(2, 32)[0.5]
    assert len(drawings(np.int64(2), 32, MAX_SEED)) == 2 and not len(drawings(0, 32))


# ------------------------------------------------------------------------------------------ measures

def test_a_frechet_distance_of_too_few_pictures_is_told_first():
    G, S, real = generators()["progan"], unet(), torch.rand(8, 3, 8, 8) * 2 - 1
    few = "two pictures or more on each side; got"
    for act, message in (
            (lambda: Distance(features(real[:1], S))(features(real, S)), f"{few} 1 and 8"),
            (lambda: Distance(features(real, S))(features(real[:1], S)), f"{few} 8 and 1"),
            (lambda: frechet_slopes(G, "layer3", S, real[:1], 8, progress=False), f"{few} 1 and 8"),
            (lambda: frechet_slopes(G, "layer3", S, real, 1, progress=False), f"{few} 8 and 1"),
            (lambda: repair(G, "layer3", S, real[:3], units=[0], samples=8, progress=False), "got 3 and 8"),
            (lambda: repair(G, "layer3", S, real, units=[0], samples=3, progress=False), "got 8 and 3")):
        with pytest.raises(ValueError, match=message):
            act()
    real[3, 0, 1, 1] = NAN
    for act in (lambda: repair(G, "layer3", S, real, units=[0], samples=8, progress=False),
                lambda: artefact_scores(G, "layer3", S, real, 8, 2, progress=False),
                lambda: frechet_slopes(G, "layer3", S, real, 8, progress=False)):
        with pytest.raises(ValueError, match=r"the pictures: NaN or infinity.*\(3, 0, 1, 1\)"):
            act()


def test_numbers_of_the_measures_are_looked_at():
    found, S, x = generators(), unet(), torch.rand(4, 3, 16, 16)
    G, style, picture = found["progan"], found["style"], torch.zeros(3, 8, 8)
    D = dcgan.Discriminator(dcgan.DCGANConfig((4, 4)))
    eyes = lambda images: images                                                # noqa: E731
    for act, message in (
            (lambda: fitness(D, x, x, NAN), "gamma must be a finite number"),
            (lambda: select([fitness(D, x, x, 0.0)], 5), "5 children are to live on, and there are only 1"),
            (lambda: metrics.precision_recall(torch.rand(9, 4), torch.rand(9, 4), 0), "k must be a whole number"),
            (lambda: metrics.generate(G, 0, 0), "number of latents"),
            (lambda: way(torch.ones(4), torch.ones(4), 1.5), "steps, the two ends included, must be a whole number"),
            (lambda: way(torch.ones(4), torch.ones(5)), r"latents of one size, of floats; got .*\(4,\) and .*\(5,\)"),
            (lambda: linear(torch.ones(4), torch.ones(4), NAN), "alpha: NaN or infinity"),
            (lambda: dissect(G, "layer3", S, 4, batch=1.5), "batch must be a whole number"),
            (lambda: dissect(G, "layer3", S, 4.0), "samples must be a whole number"),
            (lambda: rank_by_effect(G, "layer3", S, "a", 4, collateral_weight=NAN), "collateral_weight must be"),
            (lambda: optimise_alpha(G, "layer3", S, "a", lr=INF), "lr must be a finite number"),
            (lambda: optimise_alpha(G, "layer3", S, "a", init=NAN, level=torch.ones(8)), "init: NaN or infinity"),
            (lambda: path_length.path_length(style, eyes, pairs=0), "pairs must be a whole number from 1"),
            (lambda: path_length.path_length(style, eyes, pairs=2, epsilon=0.0), "epsilon must be a number from 1e-09"),
            (lambda: separability.linear_separability(style, eyes, n=0), "n must be a whole number from 1"),
            (lambda: mixing_and_noise.noise_deviation(style, torch.ones(1, 8), draws=0), "draws must be a whole"),
            (lambda: project(style, picture, steps=1.5), "steps must be a whole number from 1"),
            (lambda: project(style, picture, starts=-1), "starts must be a whole number from 0"),
            (lambda: project(style, picture, peak_rate=NAN), "peak_rate must be a finite number"),
            (lambda: project(style, picture, pixel_weight=-1.0), "pixel_weight must be a number from 0 to inf"),
            (lambda: project(style, picture + 255), r"the picture go up to 255; wanted \[-1, 1\]"),
            (lambda: project(style, picture.byte()), "the picture must be a floating tensor"),
            (lambda: project(style, picture.numpy()), r"is a ndarray; fitted\(picture, 8\) makes one of any"),
            (lambda: project(style, picture * NAN), "the picture: NaN or infinity")):
        with pytest.raises(ValueError, match=message):
            act()


# ------------------------------------------------------------------------------------------ networks of one's own

MEASURES = {
    "generate": lambda G, S, real: metrics.generate(G, 4, 0), "strip": lambda G, S, real: strip(G, *torch.rand(2, 4)),
    "artefact_scores": lambda G, S, real: artefact_scores(G, "one", S, real, 8, 2, progress=False),
    "frechet_slopes": lambda G, S, real: frechet_slopes(G, "one", S, real, 8, progress=False),
    "repair": lambda G, S, real: repair(G, "one", S, real, units=[0], samples=8, draws=1, progress=False),
    "causal_effect": lambda G, S, real: causal_effect(G, "one", [0], S, "a", 4, progress=False),
    "rank_by_effect": lambda G, S, real: rank_by_effect(G, "one", S, S.classes[seen(G, S)], 4, progress=False),
    "optimise_alpha": lambda G, S, real: optimise_alpha(G, "one", S, S.classes[seen(G, S)], 1, samples=4,
                                                        progress=False),
    "optimise_insertion": lambda G, S, real: optimise_insertion(G, "one", S, "a", "b", samples=4, steps=1, min_share=0,
                                                                progress=False),
    "dissect": lambda G, S, real: dissect(G, "one", S, 4, progress=False)}


def seen(G, S) -> int:
    """A class that the segmenter finds in the right pictures."""
    return int(S(Own()(sample_z(4, 4, 2))).argmax(1).flatten()[0])


@pytest.mark.filterwarnings("ignore:.*features")
@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_looks_at_what_a_generator_draws(name):
    measure, S, real = MEASURES[name], unet(), torch.rand(8, 3, 16, 16) * 2 - 1
    measure(Own(), S, real)
    for spoil, message in ((lambda x: (x,), "floating tensor N×3×H×W.*got a tuple"), (lambda x: x.numpy(), "a ndarray"),
                           (lambda x: (x * 127 + 128).byte(), "torch.uint8"), (lambda x: x[:, :1], "N×3×H×W"),
                           (lambda x: x[0], "N×3×H×W"), (lambda x: x.movedim(1, 3), "N×3×H×W"),
                           (lambda x: x * 127.5 + 127.5, r"go up to \d\d.*x / 127.5 - 1"), (lambda x: x * NAN, "NaN")):
        with pytest.raises(ValueError, match=message):
            measure(Own(spoil), S, real)


def test_pictures_with_gradients_are_looked_at_without():
    x = torch.zeros(1, 3, 4, 4, requires_grad=True)
    assert check_images(x) is x


# ------------------------------------------------------------------------------------------ files

@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in the file system, links only for some")
def test_pipes_folders_and_broken_links_are_named_not_waited_for(tmp_path):
    torch.manual_seed(0)
    G = generators()["progan"]
    for name, make in (("pipe", os.mkfifo), ("folder", Path.mkdir)):
        checkpoints.save(tmp_path / name, G)
        side = tmp_path / f"{name}.json"
        side.unlink()
        make(side)
        with pytest.raises(checkpoints.BadCheckpoint, match=f"{name}.json is a folder, a pipe or a.*it is the record"):
            gan_teach.load(tmp_path / name)
        for read in (load_units, training.snapshot, convert):
            with pytest.raises(ValueError, match=f"{name}.json is a folder, a pipe or a device"):
                read(side)
    (tmp_path / "pictures").mkdir()
    link = tmp_path / "pictures" / "b.png"
    Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / "a.png")
    for target in (tmp_path / "gone.png", link):            # the second leads to itself
        link.symlink_to(target)
        with pytest.raises(FileNotFoundError, match=f"{link} is a broken link: it points to {target}, which is not"):
            pictures(tmp_path / "pictures", size=8)
        link.unlink()
    assert len(pictures(tmp_path / "pictures", size=8).images) == 1


def test_a_tilde_is_the_readers_own_folder(tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(here)
    G = generators()["progan"]
    checkpoints.save("~/nets/gen-0.1", G)
    for path in ("~/nets/gen-0.1", "~/nets/gen-0.1.safetensors", Path("~/nets/gen-0.1"), home / "nets" / "gen-0.1"):
        assert gan_teach.load(path).record["kind"] == checkpoints.load(path).record["kind"] == "progan"
    with pytest.raises(FileNotFoundError, match="the network is the file in it"):
        gan_teach.load("~/nets")
    save_units("~/units.json", [1], "layer3", "a")
    assert load_units("~/units.json").units == (1,) and regular("~/units.json") == home / "units.json"
    assert not list(here.iterdir())


# ------------------------------------------------------------------------------------------ further cases of each kind

def test_a_record_that_was_loaded_is_no_record_of_the_new_file(tmp_path):
    G = generators()["progan"]
    checkpoints.save(tmp_path / "a", G, command="mine", kind="stylegan")
    H = gan_teach.load(tmp_path / "a", "cpu")
    with torch.no_grad():
        next(H.parameters()).add_(1)
    record = checkpoints.save(tmp_path / "b", H, **H.record)            # the hash of a is not that of b
    again = gan_teach.load(tmp_path / "b", "cpu")
    assert again.record == record and record["command"] == "mine" and record["sha256"] != H.record["sha256"]
    assert list(record) == list(H.record) and record["kind"] == "progan"


def test_a_checkpoint_has_a_name_and_a_record_of_plain_things(tmp_path):
    G = generators()["progan"]
    for path in (f"{tmp_path}/nets/", "", f"{tmp_path}/.safetensors"):
        with pytest.raises(ValueError, match="is a folder: end the path with a name"):
            checkpoints.save(path, G)
    for what in (torch.ones(2), {1, 2}, object()):
        with pytest.raises(ValueError, match="a.json cannot be kept as JSON"):
            checkpoints.save(tmp_path / "a", G, note=what)
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_pictures_are_told_in_one_line(tmp_path, capsys):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    for i in range(40):
        (tmp_path / f"x.{i:03d}").touch()
    (tmp_path / "b.heic").touch()
    (tmp_path / "c.heic").touch()
    if sys.platform == "linux":                             # a name that is no text
        open(os.fsencode(tmp_path) + b"/x.\xff", "w").close()
    assert len(pictures(tmp_path, size=8).images) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{tmp_path}: 1 pictures; ") and told.isascii() and "2 .heic" in told
    assert told.count(",") == 5 and told.endswith(" of other kinds left out\n")


@pytest.mark.parametrize("option, value", [("n", 1.5), ("n", 0), ("n", "3"), ("n", NAN), ("size", 1.5), ("size", None),
                                           ("size", 10**7), ("size", 0)])
def test_how_many_pictures_and_how_large(tmp_path, option, value):
    with pytest.raises(ValueError, match=f"{option} must be a whole number from 1"):
        pictures(tmp_path, **{"size": 8, option: value})


def test_grids_and_enlargements_have_whole_sizes_and_nothing_is_painted_of_nan():
    x = torch.zeros(2, 3, 4, 4)
    with pytest.raises(ValueError, match="columns must be a whole number from 1"):
        grid(x, 0)
    with pytest.raises(ValueError, match="k must be a whole number from 1"):
        enlarge(x[0], 0)
    x[1, 2, 3, 0] = NAN
    with pytest.raises(ValueError, match="a picture to show holds NaN"):
        to_uint8(x)
    x[1, 2, 3, 0] = INF                                     # as bright as can be
    assert to_uint8(x)[1, 3, 0, 2] == 255


@pytest.mark.parametrize("bad", BAD)
def test_what_is_not_finite_stops_every_function_of_numbers(bad):
    good, broken, y = torch.rand(9, 2), torch.rand(9, 2), torch.ones(9, 1)
    pictures, spoilt = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    broken[4, 1], spoilt[1, 2, 3, 4] = bad, bad
    eyes, ring, level = (lambda images: images), gaussians.ring(), broken.numpy()               # noqa: E731
    for act, what in (
            (lambda: metrics.Distance(broken), "the features of real pictures"),
            (lambda: metrics.Distance(good)(broken), "the features of generated pictures"),
            (lambda: distance_slopes(broken, good), "the features of generated pictures"),
            (lambda: distance_slopes(good, broken), "the features of real pictures"),
            (lambda: plane.modes_covered(ring, broken), "the samples"),
            (lambda: plane.high_quality(ring, broken), "the samples"),
            (lambda: plane.mmd2(ring, broken), "the samples"),
            (lambda: path_length.perceptual_distance(pictures, spoilt, eyes), "the second pictures"),
            (lambda: path_length.perceptual_distance(spoilt, pictures, eyes), "the first pictures"),
            (lambda: separability.linear_svm(broken, y), "the points"),
            (lambda: separability.linear_svm(good, bad * y), "their sides")):
        with pytest.raises(ValueError, match=f"^{what}: NaN or infinity"):
            act()
    for act in (lambda: colour_map(level), lambda: squares(broken), lambda: heat(pictures[0], broken)):
        with pytest.raises(ValueError, match="a map to show holds NaN or infinity"):
            act()


def test_a_plane_generator_whose_weights_are_spoilt_is_not_measured():
    G = generators()["plane"].train()                       # in training it does not look itself
    with torch.no_grad():
        next(G.parameters())[0] = NAN
    with pytest.raises(ValueError, match="the samples: NaN or infinity"):
        plane.measure(gaussians.ring(), G)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None])
def test_seeds_of_the_games_are_looked_at(seed):
    for act in (lambda: plane.frozen_d(gaussians.ring(), "centre", 1, seed), lambda: warm_up.Game(seed=seed),
                lambda: plane.what_d_rewards(dcgan.PlaneDiscriminator(), gaussians.ring(), 8, seed),
                lambda: warm_up.Game().points(4, seed),
                lambda: first_pictures.Loop(torch.zeros(4, 1, 32, 32, dtype=torch.uint8), seed=seed)):
        with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4294967295"):
            act()


def tiny(images=16):
    config = progan.ProGANConfig(z_dim=4, widths=(4, 4))
    torch.manual_seed(0)
    return training.Training(progan.Generator(config), progan.Discriminator(config),
                             torch.zeros(8, 3, 8, 8, dtype=torch.uint8), training.Settings(
                                 images, 4, bf16=False, schedule=training.Schedule({}, {8: 0})), "cpu")


@pytest.mark.parametrize("option, value, message", [
    ("save_every", 0, "save_every must be a whole number from 1"), ("save_every", 1.5, "save_every must be"),
    ("steps", 1.5, "steps must be a whole number"), ("steps", NAN, "steps must be"), ("steps", -1, "steps must be"),
    ("picture_every", -1, "picture_every must be"), ("judge_every", 0, "judge_every must be a whole number from 1")])
def test_how_long_a_training_goes_and_how_often_it_saves(tmp_path, option, value, message):
    with pytest.raises(ValueError, match=message):
        training.run(tiny(), tmp_path, **{option: value})
    if option not in ("steps", "judge_every"):
        with pytest.raises(ValueError, match=message):
            long_run.run(plane.start(), gaussians.ring(), tmp_path, 1, **{option: value})


def test_no_grid_where_none_is_wanted_and_a_damaged_curve_is_named(tmp_path):
    training.run(tiny(8), tmp_path, picture_every=0, steps=2)
    assert not list((tmp_path / "samples").iterdir())
    for text in ("[1, 2]", '[{"x": 1}]', '{"a": 1}', '[{"images": "many"}]', "[null]", ""):
        (tmp_path / "curve.json").write_text(text)
        with pytest.raises(ValueError, match="curve.json is damaged: delete it"):
            training.curve(tmp_path)


@pytest.mark.parametrize("name, value", [("steps", -3), ("steps", "two"), ("steps", 1.5), ("seconds", NAN),
                                         ("seconds", -1.0), ("seconds", None)])
def test_a_snapshot_with_counts_that_cannot_be_is_named(tmp_path, name, value):
    torch.save(tiny().state() | {name: value}, tmp_path / "resume.pt")
    with pytest.raises(ValueError, match=f"resume.pt is damaged: delete it.*{name} must be"):
        tiny().resume(tmp_path / "resume.pt")


@pytest.mark.parametrize("shape", [(4, 3, 4, 4), (4, 3, 8, 16), (4, 3, 12, 12)])
def test_pictures_smaller_than_the_training_grows_to_are_told(shape):
    trained = tiny()
    trained.real = torch.zeros(shape, dtype=torch.uint8)
    with pytest.raises(ValueError, match=f"the pictures have {shape[2]}×{shape[3]} pixels.*8×8: give square ones"):
        trained.step()
