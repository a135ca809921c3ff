"""What a reader may hand over besides pictures and files: units, masks, seeds, numbers, networks of their own."""

import contextlib
import copy
import io
import math
import signal
import subprocess
import sys
from pathlib import Path

import inputs_fuzz
import numpy as np
import pytest
import rigged
import torch

import gan_teach
from gan_teach import metrics
from gan_teach.__main__ import main, parser
from gan_teach.dissection import ablate, causal_effect, dissect, insert, optimise_alpha, rank_by_effect
from gan_teach.dissection.information import dissect_by_information
from gan_teach.dissection.insertion import optimise_insertion
from gan_teach.dissection.repair import distance_slopes
from gan_teach.dissection.report import write_report
from gan_teach.dissection.truth import SceneGenerator
from gan_teach.dissection.units import check_units
from gan_teach.egan import plane, warm_up
from gan_teach.egan.child import slope
from gan_teach.egan.first_pictures import Loop
from gan_teach.egan.fitness_and_selection import fitness
from gan_teach.egan.interpolation import strip
from gan_teach.egan.mutations import minimax
from gan_teach.egan.settings import Settings as EvolutionSettings
from gan_teach.networks.classifier import ClassifierConfig, classify
from gan_teach.networks.dcgan import DCGANConfig, Discriminator, Generator
from gan_teach.networks.layers import sample_z
from gan_teach.networks.progan import Discriminator as ProGAND
from gan_teach.networks.progan import Generator as ProGAN
from gan_teach.networks.progan import ProGANConfig
from gan_teach.networks.segmenter import segment
from gan_teach.official import upernet
from gan_teach.recipes import judges
from gan_teach.stylegan import Generator as StyleGAN
from gan_teach.stylegan import StyleGANConfig, adain, mixing_and_noise, path_length, separability
from gan_teach.stylegan.projection import project
from gan_teach.training import Settings as TrainingSettings
from gan_teach.training import Training
from gan_teach.worlds.gaussians import ring
from gan_teach.worlds.scenes import Scenes

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def progan():
    torch.manual_seed(0)
    return ProGAN(ProGANConfig(z_dim=8, widths=(8, 8, 8))).eval().requires_grad_(False)


@pytest.fixture
def unet():
    return rigged.unet()


@pytest.fixture
def eyes():
    return rigged.eyes()


# ------------------------------------------------------------------------------------------ units, masks, seeds

def test_a_boolean_mask_of_all_units_is_a_mask():
    r = torch.rand(2, 6, 4, 4) + 1
    wanted = ablate(r, [1, 4])
    on = [False, True, False, False, True, False]
    for mask in (on, torch.tensor(on), np.array(on), tuple(on)):
        assert torch.equal(ablate(r, mask), wanted) and check_units(mask, 6) == [1, 4]
        assert torch.equal(insert(r, mask, level=3.0), insert(r, [1, 4], level=3.0))
    for numbers in (np.array([1, 4]), torch.tensor([1, 4]), (np.int64(1), 4), range(1, 5, 3)):
        assert torch.equal(ablate(r, numbers), wanted)
    assert torch.equal(ablate(r, [False] * 6), r)


@pytest.mark.parametrize("units, message", [
    ([True, False], "one entry for each of the 6; got 2"), ([True, 2], "boolean mask of length 6"),
    (torch.rand(6), "list of numbers"), ([1.0], "list of numbers"), ("12", "list of numbers"), (3, "list of numbers"),
    (torch.tensor([0, 1, 0, 0, 1, 0], dtype=torch.uint8), "more than once.*mask must be boolean"),
    ([0, 1, 0, 0, 1, 0], "mask must be boolean"), ([4, 4], "more than once"),
    (np.array([[1, 2]]), "list of numbers"), (None, "list of numbers"), ([-1], "0 to 5"), ([6], "0 to 5")])
def test_what_is_no_choice_of_units_is_refused(units, message):
    with pytest.raises(ValueError, match=message):
        ablate(torch.rand(1, 6, 4, 4), units)


def test_numpy_masks_and_whole_numbers_are_taken():
    r, where = torch.rand(2, 6, 4, 4) + 1, np.zeros((4, 4), bool)
    where[1, 2] = True
    out = ablate(r, [0], where)
    assert torch.equal(out, ablate(r, [0], torch.from_numpy(where))) and (out == 0).sum() == 2
    assert torch.equal(sample_z(np.int64(3), np.int32(4), np.uint8(7)), sample_z(3, 4, 7))
    assert torch.equal(Scenes(1, size=np.int64(32), seed=np.int64(3))[0][0], Scenes(1, size=32, seed=3)[0][0])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", None, 2**70])
def test_seeds_that_torch_cannot_tell_apart_are_refused(seed, progan, unet):
    message = "seed must be a whole number from 0 to 4294967295"
    for draw in (lambda: sample_z(2, 4, seed), lambda: dissect(progan, "layer1", unet, 4, seed=seed),
                 lambda: mixing_and_noise.numbers(seed), lambda: metrics.generate(progan, 2, seed)):
        with pytest.raises(ValueError, match=message):
            draw()
    with pytest.raises(ValueError, match="number of latents must be a whole number from 1"):
        sample_z(-1, 4, 0)


def test_numpys_whole_numbers_are_seeds_wherever_there_is_one(progan, unet, eyes):
    """In eight bits too, where adding to them or multiplying them overflows."""
    torch.manual_seed(0)
    G = StyleGAN(StyleGANConfig(resolution=8, z_dim=4, w_dim=4, fmap_base=16, fmap_max=4, mapping_layers=2)).eval()
    images = Scenes(8, size=32).images()
    masks, some = images[:, 0].long() % 3, {"samples": 4, "progress": False}
    config = ClassifierConfig((("a", 2),), (4, 4), 4)
    for act in (lambda seed: next(project(G, torch.zeros(1, 3, 8, 8), steps=1, starts=2, seed=seed)).image,
                lambda seed: path_length.path_length(G, eyes, pairs=3, seed=seed, progress=False).each,
                lambda seed: mixing_and_noise.noise_deviation(G, torch.ones(1, 4), draws=2, seed=seed, progress=False),
                lambda seed: G.noise(seed)[-1], lambda seed: metrics.generate(progan, 2, seed),
                lambda seed: SceneGenerator(3, size=32, seed=seed).at(torch.rand(1, 1) * 0 + 0.01, "8×8")[0],
                lambda seed: torch.tensor(dissect(progan, "layer1", unet, 4, seed=seed, progress=False).seed),
                lambda seed: rank_by_effect(progan, "layer1", unet, "a", seed=seed, **some).score,
                lambda seed: optimise_alpha(progan, "layer1", unet, "a", 1, 2, seed=seed, **some).score,
                lambda seed: dissect_by_information(progan, ["layer1"], unet, 4, seed)["layer1"].thresholds,
                lambda seed: torch.tensor(Loop(images, seed=seed).step()),
                lambda seed: torch.tensor(warm_up.Game(seed=seed).step_d()),
                lambda seed: plane.frozen_d(ring(), "centre", 1, seed=seed)(torch.ones(1, 2)),
                lambda seed: plane.start(EvolutionSettings(seed=seed))._draw(3).get_state(),
                lambda seed: next(judges.train_segmenter(1, 2, seed, config=unet.config, data=((images, masks),) * 2
                                                         ).parameters()),
                lambda seed: next(judges.train_classifier(images, {"a": masks[:, 0, 0] % 2}, 1, 2, seed, config=config
                                                          ).parameters()),
                lambda seed: Scenes(1, size=32, seed=seed)[0][0],
                lambda seed: mixing_and_noise.numbers(seed).get_state()):
        wanted = act(3)
        assert all(torch.equal(act(kind(3)), wanted) for kind in (np.int8, np.uint32))


# ------------------------------------------------------------------------------------------ NaN and infinity

@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_one_picture_that_is_not_finite_stops_the_measures_and_is_named(eyes, unet, bad):
    real, fake = torch.rand(2, 12, 3, 16, 16) * 2 - 1
    fake[7, 1, 3, 2] = bad
    where = r"NaN or infinity at 1 places of .*first at \(7, 1, 3, 2\)"
    for judge in (eyes, unet):
        with pytest.raises(ValueError, match=f"the generated pictures: {where}"):
            metrics.frechet_distance(real, fake, judge)
        with pytest.raises(ValueError, match=f"the real pictures: {where}"):
            metrics.frechet_distance(fake, real, judge)
        with pytest.raises(ValueError, match=where):
            metrics.features(fake, judge)
    for measure in (lambda: metrics.classifier_score(fake, eyes), lambda: classify(eyes, fake),
                    lambda: segment(unet, fake), lambda: fitness(Discriminator(DCGANConfig((4, 4))), real, fake, 0.0)):
        with pytest.raises(ValueError, match=where):
            measure()
    with pytest.raises(ValueError, match=r"features of real pictures.*first at \(2, 3\)"):
        x = torch.rand(9, 4)
        x[2, 3] = bad
        metrics.precision_recall(x, torch.rand(9, 4))


@pytest.mark.parametrize("bad", [NAN, INF])
def test_parts_of_a_measure_that_are_public_too_look_at_what_they_take(bad, eyes):
    x, y, a = torch.rand(2, 4, 8, 8), (torch.ones(2, 4), torch.zeros(2, 4)), torch.rand(2, 5) + 0.1
    broken, odd = x.clone(), a.clone()
    broken[1, 2, 3, 4], odd[1, 0] = bad, bad
    for act, message in (
            (lambda: adain(broken, y), r"x: NaN or infinity.*\(1, 2, 3, 4\)"),
            (lambda: adain(broken.half(), y), "x: NaN or infinity"),
            (lambda: adain(x, (y[0] * bad, y[1])), "y_s: NaN"), (lambda: adain(x, (y[0], y[1] + bad)), "y_b: NaN"),
            (lambda: adain(x, y, eps=bad), "eps must be a finite number"),
            (lambda: adain([1], y), r"AdaIN takes maps x, N×C×H×W.*got \['list'"), (lambda: adain(x, 5), "AdaIN takes"),
            (lambda: adain(x, None), "AdaIN takes"),
            (lambda: path_length.unit_features(eyes, broken[:, :3]), "what the eyes see: NaN or infinity"),
            (lambda: path_length.unit_features(lambda x: x, broken), "what the eyes see: NaN or infinity"),
            (lambda: path_length.slerp(odd, a, 0.5), r"the first latents: NaN.*\(1, 0\)"),
            (lambda: path_length.slerp(a, odd, 0.5), "the second latents: NaN"),
            (lambda: path_length.slerp(a, a, bad), "t must be a finite number"),
            (lambda: path_length.slerp(a, a, torch.tensor([[0.5], [bad]])), "t: NaN or infinity"),
            (lambda: path_length.slerp([1.0], a, 0.5), "the first latents must be a tensor")):
        with pytest.raises(ValueError, match=message):
            act()
    assert adain(broken, y, check=False).isnan().any()         # as in a training, whose loop looks at the gradient
    assert path_length.slerp(a, a + 0.1, torch.tensor(0.5)).norm(dim=1).allclose(torch.ones(2))


def test_weights_that_are_not_finite_stop_what_is_measured_with_them(progan, unet, eyes):
    real = torch.rand(12, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        eyes.last.weight[0, 0] = NAN
    with pytest.raises(ValueError, match="the judge's features of the real pictures"):
        metrics.frechet_distance(real, real, eyes)
    with torch.no_grad():
        progan.blocks["layer2"].conv.weight[0, 0, 0, 0] = NAN
    for act in (lambda: metrics.generate(progan, 2, 0), lambda: dissect(progan, "layer3", unet, 4),
                lambda: causal_effect(progan, "layer3", [0], unet, "a", 4),
                lambda: strip(progan, torch.rand(8), torch.rand(8))):
        with pytest.raises(ValueError, match="NaN or infinity"):
            act()
    with pytest.raises(ValueError, match="a latent at the end of the way: NaN"):
        strip(progan, torch.full((8,), NAN), torch.rand(8))


def test_style_measures_stop_at_what_is_not_finite(eyes):
    torch.manual_seed(0)
    G = StyleGAN(StyleGANConfig(resolution=8, z_dim=4, w_dim=4, fmap_base=16, fmap_max=4, mapping_layers=2)).eval()
    picture = torch.zeros(1, 3, 8, 8)
    next(project(G, picture, steps=1, starts=2))
    broken = picture.clone()
    broken[0, 1, 2, 3] = INF
    with pytest.raises(ValueError, match=r"the picture: NaN or infinity.*\(0, 1, 2, 3\)"):
        next(project(G, broken, steps=1))
    with torch.no_grad():
        G.mapping.layers[0].weight[0, 0] = NAN
    for act in (lambda: next(project(G, picture, steps=1, starts=2)),
                lambda: path_length.path_length(G, eyes, pairs=4, progress=False),
                lambda: separability.linear_separability(G, eyes, n=8, progress=False),
                lambda: mixing_and_noise.noise_deviation(G, G.ws(sample_z(1, 4, 0)), draws=2, progress=False)):
        with pytest.raises(ValueError, match="NaN or infinity"):
            act()


def test_scores_of_too_few_pictures(eyes, unet):
    few = torch.rand(5, 3, 16, 16) * 2 - 1
    with pytest.raises(ValueError, match="splits, .* must be a whole number from 1 to 5; got 10"):
        metrics.classifier_score(few, eyes)
    with pytest.raises(ValueError, match="two pictures or more on each side; got 1 and 5"):
        metrics.frechet_distance(few[:1], few, eyes)
    with pytest.warns(UserWarning, match="5 pictures for 16 features"):
        metrics.frechet_distance(few, few, unet)
    with pytest.raises(ValueError, match="3 neighbours need more than 3 samples"):
        metrics.precision_recall(torch.rand(3, 4), torch.rand(9, 4))


# ------------------------------------------------------------------------------------------ networks of one's own

def test_what_is_no_generator_and_what_is_no_segmenter_is_told(progan, unet, tmp_path):
    with pytest.raises(ValueError, match="a UNet cannot be cut: a generator has .layers.*no layers, no z_dim, no at"):
        dissect(unet, "layer1", unet, 4)
    for act in (lambda: dissect(progan, "layer1", progan, 4), lambda: segment(progan, torch.zeros(1, 3, 16, 16)),
                lambda: rank_by_effect(progan, "layer1", progan, "a"), lambda: write_report(
                    progan, progan, ["layer1"], tmp_path / "page.html", 20)):
        with pytest.raises(ValueError, match="a Generator is no segmenter.*wrap"):
            act()
    for G in (progan, rigged.Own(), unet):
        with pytest.raises(ValueError, match=r"has no styles \(no "):
            next(project(G, torch.zeros(1, 3, 16, 16)))


class Scoring:
    """A segmenter whose scores `spoil` makes of the right ones."""

    classes = ("a", "b", "c")

    def __init__(self, spoil=lambda x: x):
        self.spoil = spoil

    def __call__(self, images):
        return self.spoil(images.clone())


@pytest.mark.parametrize("spoil, message", [
    (lambda x: {"out": x}, "returned a dict.*wrap takes it out"), (lambda x: (x, x), "returned a tuple"),
    (lambda x: x.numpy(), "returned a ndarray"), (lambda x: x[:1], r"\(1, 3, 16, 16\); wanted 4×3×H×W"),
    (lambda x: x.argmax(1), "wanted 4×3×H×W"), (lambda x: x * NAN, "the segmenter's best scores: NaN or infinity"),
    (lambda x: x.index_fill(1, torch.tensor([2]), NAN), "the segmenter's best scores: NaN or infinity")])
def test_the_scores_of_ones_own_segmenter_are_checked(spoil, message):
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    assert segment(Scoring(), images).shape == (4, 16, 16)
    never = segment(Scoring(lambda x: x.index_fill(1, torch.tensor([1]), -INF)), images)
    assert not (never == 1).any()                              # a class that is ruled out is no fault
    with pytest.raises(ValueError, match=message):
        segment(Scoring(spoil), images)
    with pytest.raises(ValueError, match=message):
        dissect(rigged.Own(), "one", Scoring(spoil), 4, progress=False)


def test_half_precision_and_float64_are_right_and_inference_mode_is_told(progan, unet):
    exact = dissect(progan, "layer3", unet, 30, progress=False)
    half = ProGAN(progan.config).eval()
    half.load_state_dict(progan.state_dict())
    coarse = dissect(half.half(), "layer3", unet, 30, progress=False)
    assert torch.allclose(coarse.thresholds, exact.thresholds, rtol=0.01, atol=0.01)
    torch.set_default_dtype(torch.float64)
    try:
        again = dissect(progan, "layer3", unet, 30, progress=False)
        assert torch.equal(again.fold_intersection, exact.fold_intersection)
        assert isinstance(causal_effect(progan, "layer3", [0], unet, "a", 4, progress=False), float)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        assert torch.equal(dissect(progan, "layer3", unet, 30, progress=False).iou, exact.iou)
        with pytest.raises(ValueError, match="leave torch.inference_mode"):
            optimise_alpha(progan, "layer3", unet, "a")


def test_judges_of_16_bits_and_of_64_are_right(progan, unet, eyes):
    real, fake = torch.rand(2, 40, 3, 16, 16) * 2 - 1
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        rounded, looking = copy.deepcopy(unet).to(kind), copy.deepcopy(eyes).to(kind)
        assert (segment(rounded, fake) == segment(unet, fake)).double().mean() > 0.9
        for judge, exact in ((rounded, unet), (looking, eyes)):
            assert torch.allclose(metrics.features(real, judge).float(), metrics.features(real, exact), atol=0.03)
            assert math.isfinite(metrics.frechet_distance(real, fake, judge))
        assert math.isclose(metrics.classifier_score(fake, looking)[0], metrics.classifier_score(fake, eyes)[0],
                            rel_tol=0.01)
        assert isinstance(causal_effect(progan, "layer3", [0], rounded, "a", 4, progress=False), float)
        assert optimise_alpha(progan, "layer3", rounded, "a", 1, 2, 8, progress=False).score.isfinite().all()
    with pytest.raises(ValueError, match="this Classifier computes in 16 bits"):
        path_length.path_length(StyleGAN(StyleGANConfig(resolution=8, z_dim=4, w_dim=4, fmap_base=16, fmap_max=4)),
                                copy.deepcopy(eyes).half(), pairs=2, progress=False)


@pytest.mark.parametrize("setting", ["meta", torch.float16, torch.bfloat16])
def test_where_nothing_can_be_measured_that_is_told(progan, unet, eyes, setting):
    x, r = torch.rand(8, 3, 16, 16), torch.rand(1, 6, 4, 4)
    wanted = ablate(r, [1], strength=0.5)
    try:
        (torch.set_default_device if setting == "meta" else torch.set_default_dtype)(setting)
        assert torch.equal(ablate(r, [1], strength=0.5), wanted)
        for act in (lambda: causal_effect(progan, "layer3", [0], unet, "a", 4, progress=False),
                    lambda: dissect(progan, "layer3", unet, 4, progress=False),
                    lambda: metrics.frechet_distance(x, x, eyes), lambda: metrics.classifier_score(x, eyes, splits=2)):
            with pytest.raises(ValueError, match="nothing can be measured with torch.set_default_device|instead of"):
                act()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


def test_what_needs_gradients_says_so_in_inference_mode(progan, unet):
    e, game = plane.start(), warm_up.Game()
    D, x = Discriminator(DCGANConfig((4, 4))), torch.rand(4, 3, 16, 16)
    images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    trained = Training(progan, ProGAND(progan.config), images, TrainingSettings(batch=2), "cpu")
    learning = judges.Learning(unet, images, {}, lambda pick, draw: 0, 1, 1, 0, 1e-3)
    children = plane.start()
    children.train_d(ring())
    children.vary()
    with torch.inference_mode():
        assert fitness(D, x, x, 0.0).quality > 0                # nothing of it needs them
        for act in (lambda: fitness(D, x, x, 0.1), lambda: e.step(ring()), e.vary, children.evaluate, game.step_d,
                    game.step_g, lambda: game.push(torch.ones(2, 2)), lambda: slope(minimax, torch.ones(3)),
                    lambda: plane.frozen_d(ring(), "centre", 1), trained.step, learning.step,
                    lambda: optimise_insertion(progan, "layer3", unet, "a", "b"),
                    lambda: distance_slopes(torch.rand(9, 2), torch.rand(9, 2))):
            with pytest.raises(ValueError, match="leave torch.inference_mode"):
                act()
    assert e.generation == 0 and game.steps_d == 0 and trained.steps == 0


def test_e_gans_generator_of_16_bits_draws():
    G = Generator(DCGANConfig((8, 4), z_dim=6)).half().eval()
    assert metrics.generate(G, 3, 0).shape == (3, 3, 16, 16)


# ------------------------------------------------------------------------------------------ the command line

@pytest.mark.parametrize("arguments, message", [
    (["dissect", "scenes-progan", "--samples", "0"], "1 or more"), (["train", "scenes-egan", "--images", "-3"], "1 or"),
    (["evolve", "x", "--images", "0"], "1 or more"), (["dissect", "scenes-progan", "--samples", "5"], "from 9 on"),
    (["dissect", "scenes-segmenter"], "cannot be cut"), (["evolve", "/nowhere/at/all"], "no folder"),
    (["dissect", "scenes-progan", "--segmenter", "scenes-progan"], "no segmenter"),
    (["dissect", "scenes-progan", "--seed", "-1"], "seed must be"), (["dissect", "/dev/null"], "null"),
    (["dissect", "scenes-progan", "--layer", "layer99"], "layer99"), (["evolve", "fashon"], "no pictures"),
    (["dissect", "scenes-progan", "--quantile", "nan"], "quantile"),
    (["train", "scenes-egan", "--device", "abacus"], "'abacus' is not usable on this machine"),
    (["evolve", "loop"], "loop is a broken link: it points to loop"),
    (["evolve", "photos", "--out", "loop"], "loop is a broken link"),
    (["lab", "loop", "--copy"], "loop is a broken link"),
    (["compare", "cost", "--out", "loop/here"], "loop is a broken link")])
def test_the_command_line_answers_in_a_sentence(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "loop" in str(arguments):
        Path("photos").mkdir()
        Path("loop").symlink_to("loop")
    try:
        assert main(arguments) == 1
    except SystemExit as stop:                               # argparse's own refusal
        assert stop.code == 2
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told and "not expected" not in told


def test_what_was_not_expected_is_told_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr(gan_teach.checkpoints, "shipped", lambda: {}["surprise"])
    assert main(["list"]) == 1
    assert "KeyError: 'surprise'" in (told := capsys.readouterr().err) and "GAN_TEACH_TRACEBACK=1" in told


def test_ctrl_c_in_the_first_seconds_is_told_in_a_word(monkeypatch, capsys):
    """They go into the import of PyTorch, which `main` waits for itself."""
    loaded = "import sys, gan_teach.__main__; print(*(name in sys.modules for name in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "False False\n"

    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(gan_teach.__main__, "parser", stopped)
    assert main(["list"]) == 130 and capsys.readouterr().err == "interrupted\n"
    handler, whole = signal.signal(signal.SIGINT, signal.default_int_handler), parser()
    try:
        for later in (lambda: whole, lambda: {}["another import"]):                  # as numpy's import makes of it
            def swallowed(later=later):
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
                return later()

            monkeypatch.setattr(gan_teach.__main__, "parser", swallowed)
            assert main(["list"]) == 130 and capsys.readouterr() == ("", "interrupted\n")
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_full_disk_is_told_whoever_writes(monkeypatch, capsys, tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        assert main(["lab", str(tmp_path / "mine"), "--copy"]) == 1
        monkeypatch.setattr(gan_teach.__main__, "list_shipped", lambda _: (tmp_path / "raw").write_bytes(bytes(9000)))
        assert main(["list"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    notebook, raw = capsys.readouterr().err.splitlines()
    assert notebook.startswith("DiskFull: the disk is full, ") and raw.startswith("OSError: the disk is full: make")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == []            # a cut notebook would stay for ever


@pytest.mark.parametrize("name", [[], ["train"], ["evolve"], ["dissect"], ["demo"], ["fetch"], ["compare"], ["list"]])
def test_help_on_a_terminal_of_ascii(name, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(SystemExit) as stop:
        main([*name, "--help"])
    terminal.flush()
    assert stop.value.code == 0 and terminal.buffer.getvalue().startswith(b"usage")


@pytest.mark.filterwarnings("ignore::UserWarning")             # Pillow's, of every broken tag
def test_damaged_files_by_the_hundred_are_read_or_refused_by_name():
    """More of them: `python tests/inputs_fuzz.py 100000`."""
    outcomes = inputs_fuzz.run(480, seed=3)
    assert sum(outcomes.values()) == 480 and outcomes["record", "refused"] > 50 and outcomes["snapshot", "refused"] > 40
    assert sum(n for (_, outcome), n in outcomes.items() if outcome == "refused") > 300
    assert {"ProGAN zip", "ProGAN legacy", "ProGAN pickle", "StyleGAN pickle", "GenForce zip", "E-GAN zip",
            *(f"UPerNet {name}" for name in upernet.FILES)} <= {kind for kind, _ in outcomes}
