"""Mistakes that are easily made with networks and numbers of one's own: none passes in silence, each is told."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from rigged import Colours, Own, Rigged, eyes, small, style, unet

from gan_teach import capstone, checkpoints, metrics
from gan_teach.dissection import (ablate, ablation_curve, causal_effect, dissect, dissect_layers, insert, intervention,
                                  optimise_alpha, rank_by_effect, repair)
from gan_teach.dissection.context import context_effects
from gan_teach.dissection.information import dissect_by_information
from gan_teach.dissection.insertion import inserted, optimise_insertion
from gan_teach.dissection.report import write_report
from gan_teach.dissection.units import save_units
from gan_teach.egan import evolution, settings
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.fitness_and_selection import Fitness, fitness, select
from gan_teach.egan.interpolation import linear, spherical, strip, way
from gan_teach.lessons import checks, notebooks
from gan_teach.limits import MAX_SEED, whole
from gan_teach.networks import dcgan, progan
from gan_teach.networks.classifier import ClassifierConfig, classify
from gan_teach.networks.segmenter import SegmenterConfig, segment
from gan_teach.pictures import chart, colour_mask, label_colours, squares, to_float, to_uint8
from gan_teach.recipes import judges
from gan_teach.site import build
from gan_teach.stylegan import StyleGANConfig, mix, truncate
from gan_teach.training import Schedule, Settings, Training, run
from gan_teach.widgets import stage
from gan_teach.widgets.egan.warm_up import WarmUpPanel
from gan_teach.worlds import Portraits, Scenes, gaussians

NAN = math.nan
QUIET = {"progress": False}


# ------------------------------------------------------------------------------------------ generators and segmenters

@pytest.mark.parametrize("turn, message", [
    (lambda r, f: (f, r), "must return .r, f., a tensor and a function of it; got a function and a Tensor"),
    (lambda r, f: r, "got a Tensor"), (lambda r, f: (r, f, 1), "got a tuple"), (lambda r, f: (r, None), "got a Tensor"),
    (lambda r, f: (r.numpy(), f), "got a ndarray and a function"), (lambda r, f: (r > 0, f), "gives a torch.bool"),
    (lambda r, f: (r.to(torch.complex64), f), "gives a torch.complex64"),
    (lambda r, f: (r[:, :0], f), r"\(\d, 0, 8, 8\)"),
    (lambda r, f: (r[:1].expand(2, -1, -1, -1), f), r"\(2, 4, 8, 8\); dissection needs N×U×h×w, of floats, N = \d"),
    (lambda r, f: (r[..., 0], f), r"\(\d, 4, 8\); dissection needs N×U×h×w"),
    (lambda r, f: (r, lambda r: f(r)[:1].expand(2, -1, -1, -1)), r"pictures are 2 for \d latents: each has its own")])
def test_what_at_returns_is_looked_at(turn, message):
    """A picture too few was counted in silence: its unit's masks were compared with nothing."""
    S = unet()
    for act in (lambda: dissect(Own(turn=turn), "one", S, 4, **QUIET),
                lambda: causal_effect(Own(turn=turn), "one", [0], S, "a", 4, **QUIET),
                lambda: rank_by_effect(Own(turn=turn), "one", S, "a", 4, **QUIET)):
        with pytest.raises(ValueError, match=message):
            act()
    assert dissect(Own(), "one", S, 4, **QUIET).samples == 4


def test_a_picture_for_each_latent():
    class Lazy(Own):
        def __call__(self, z):
            return super().__call__(z)[:1]

    for act in (lambda: metrics.generate(Lazy(), 4, 0), lambda: strip(Lazy(), *torch.rand(2, 4), steps=4)):
        with pytest.raises(ValueError, match="pictures.* are 1 for 4 latents: each has its own"):
            act()


@pytest.mark.parametrize("classes", [range(3), (0, 1, 2), "abc", (None, "a", "b"), 3, lambda: ["a"], torch.arange(3)])
def test_classes_are_names(classes):
    class Odd:
        def __call__(self, images):
            return images.clone()

    S = Odd()
    S.classes = classes
    for act in (lambda: dissect(Own(), "one", S, 4, **QUIET), lambda: inserted(Own(), "one", [0], S, "a", "b", 1.0),
                lambda: causal_effect(Own(), "one", [0], S, "a", 4, **QUIET)):
        with pytest.raises(ValueError, match="the classes of a segmenter are names, such as"):
            act()
    S.classes = np.array(["a", "b", "c"])
    assert dissect(Own(), "one", S, 4, **QUIET).classes == ("a", "b", "c")


@pytest.mark.parametrize("layers", [None, "one", (), {"one"}, (0, 1), iter(["one"])])
def test_layers_are_names_in_an_order(layers):
    G = Own()
    G.layers = layers
    with pytest.raises(ValueError, match="the layers of a generator are names in the order of computation"):
        dissect(G, "one", unet(), 4, **QUIET)
    for wrong in (None, 0):
        with pytest.raises(ValueError, match=f"no layer '{wrong}'"):
            dissect_layers(Own(), wrong, unet(), 4, **QUIET)


def test_a_class_is_no_generator_yet():
    for act in (lambda: dissect(progan.Generator, "layer1", unet(), 4, **QUIET), lambda: dissect(Own, "one", unet(), 4),
                lambda: metrics.generate(progan.Generator, 4, 0)):
        with pytest.raises(ValueError, match="is a class, and no generator yet: make one of it"):
            act()


@pytest.mark.parametrize("kind", [torch.complex64, torch.float8_e4m3fn, "meta"])
def test_weights_and_scores_that_nothing_is_computed_with(tmp_path, kind):
    G, S = small(), unet()

    def scores(x):
        return x.to(kind)

    scores.classes = ["a", "b", "c"]
    for act in (lambda: dissect(copy.deepcopy(G).to(kind), "layer1", S, 4, **QUIET),
                lambda: dissect(G, "layer1", copy.deepcopy(S).to(kind), 4, **QUIET),
                lambda: checkpoints.save(tmp_path / "G", copy.deepcopy(G).to(kind)),
                lambda: Evolution(*(network.to(kind) for network in pair()), settings.Settings())):
        with pytest.raises(ValueError, match="has weights of .* and nothing is computed with such"):
            act()
    with pytest.raises(ValueError, match="the segmenter returned scores of .*of which none is the largest"):
        dissect(Own(), "one", scores, 4, **QUIET)
    assert not list(tmp_path.iterdir())


def test_edits_of_r_are_of_numbers():
    r = torch.rand(2, 8, 4, 4)
    for act, message in ((lambda: ablate(r.to(torch.float8_e4m3fn), [1]), "r are torch.float8_e4m3fn"),
                         (lambda: ablate(r.to_sparse(), [1]), "r are torch.float32, torch.sparse_coo"),
                         (lambda: insert(r[:0], [1]), r"got a torch.float32 tensor \(0, 8, 4, 4\)"),
                         (lambda: ablate(r, [1], strength=1 + 0j), "strength must be numbers"),
                         (lambda: ablate(r, [1], torch.ones(4, 4) + 0j), "where must be numbers")):
        with pytest.raises(ValueError, match=message):
            act()


def test_what_is_asked_of_a_dissection_is_looked_at():
    d = dissect(Own(), "one", unet(), 4, **QUIET)
    for n in (-1, 1.5, "2", True):
        with pytest.raises(ValueError, match="n must be a whole number"):
            d.units_for("a", n)
    for least in ("2", None, math.nan, 10**30):
        with pytest.raises(ValueError, match="min_iou must be"):
            d.concept_units(least)


# ------------------------------------------------------------------------------------------ numbers of the measures

def test_a_mask_is_no_list_of_numbers():
    """True counted as 1: a mask of all layers mixed the second one alone."""
    G = style()
    with pytest.raises(ValueError, match="n must be a whole number from 0 on; got True"):
        whole("n", True)
    ws = torch.rand(2, len(G.layers), 8)
    with pytest.raises(ValueError, match="a layer must be a whole number"):
        mix(ws, ws, [True] * len(G.layers))


def test_thresholds_may_be_a_list_or_an_array_and_quantiles_any_number():
    G, S = small(), unet()
    wanted = dissect(G, "layer1", S, 12, **QUIET)
    for given in (wanted.thresholds.tolist(), wanted.thresholds.numpy(), wanted.thresholds.double()):
        assert torch.equal(dissect(G, "layer1", S, 12, thresholds=given, **QUIET).iou, wanted.iou)
    for given in (np.float32(0.01), torch.tensor(0.01, dtype=torch.float64)):
        assert torch.equal(dissect(G, "layer1", S, 12, quantile=given, **QUIET).iou, wanted.iou)
    assert dissect_by_information(G, ["layer1"], S, 12, seed=MAX_SEED, **QUIET)["layer1"].seed == MAX_SEED


@pytest.mark.parametrize("options, message", [
    ({"thresholds": {"layer1": 1}}, "thresholds must be numbers"), ({"thresholds": 0.5}, "thresholds must give one"),
    ({"quantile": "0.01"}, "quantile, the share.*must be a finite number; got '0"), ({"quantile": None}, "share"),
    ({"shuffles": 1.5}, "shuffles must be a whole number from 0 to 11"), ({"shuffles": None}, "shuffles must be"),
    ({"shuffles": True}, "shuffles must be")])
def test_options_of_a_dissection(options, message):
    with pytest.raises(ValueError, match=message):
        dissect(small(), "layer1", unet(), 12, **options, **QUIET)


def test_options_of_the_measures(tmp_path):
    G, S, x = small(), unet(), torch.rand(8, 3, 16, 16) * 2 - 1
    insertion = {"samples": 4, "min_share": 0, "steps": 1, **QUIET}
    mine, doubt = (G, "layer1", S), torch.full((8,), NAN)
    for act, message in (
            (lambda: optimise_alpha(*mine, "a", steps=1.5, **QUIET), "steps must be a whole number from 1"),
            (lambda: optimise_alpha(*mine, "a", steps=-1, **QUIET), "steps must be a whole number from 1"),
            (lambda: optimise_alpha(*mine, "a", batch=0, **QUIET), "batch must be a whole number from 1"),
            (lambda: optimise_alpha(*mine, "a", init="x", level=1.0, **QUIET), "init must be numbers; got 'x'"),
            (lambda: optimise_alpha(*mine, "a", init=[1.0, 2.0], level=1.0, **QUIET), "init is one number or one per"),
            (lambda: ablation_curve(*mine, "a", [0, 1], (0, 1.5), 4, **QUIET), "counts go from 0 to the 2 units"),
            (lambda: ablation_curve(*mine, "a", [0, 1], (), 4, **QUIET), "counts go from 0 to the 2 units"),
            (lambda: ablation_curve(*mine, "a", [0, 1], 2, 4, **QUIET), "counts go from 0 to the 2 units"),
            (lambda: intervention.random_curve(*mine, "a", 0, (1,), 4, **QUIET), "orders must be a whole number"),
            (lambda: intervention.effect_curve(*mine, "a", [0, 1], (1,), 4, **QUIET), "orders are a dict"),
            (lambda: intervention.effect_curve(*mine, "a", {}, (1,), 4, draws=0, **QUIET), "draws must be a whole"),
            (lambda: inserted(*mine[:2], [0], S, "a", "b", 1.0, reach=0, samples=4), "reach must be a whole number"),
            (lambda: inserted(*mine[:2], [0], S, "a", "b", 1.0, reach=99, samples=4), "reach must be .* from 1 to"),
            (lambda: inserted(*mine[:2], [0], S, "a", "b", 1.0, min_share=NAN, samples=4), "min_share must be"),
            (lambda: optimise_insertion(*mine, "a", "b", **insertion | {"steps": 0}), "steps must be a whole number"),
            (lambda: optimise_insertion(*mine, "a", "b", lr=NAN, **insertion), "lr must be a finite number"),
            (lambda: context_effects(*mine[:2], [0], S, "a", 2, reach=1.5, **QUIET), "reach, an odd number of places,"),
            (lambda: repair.artefact_scores(*mine, x, 8, 2.5, **QUIET), "the number of top pictures must be"),
            (lambda: repair.repair(*mine, x, units=[0], samples=8, draws=0, **QUIET), "draws must be a whole number"),
            (lambda: repair.repair(*mine, x, scores=doubt, samples=8, **QUIET), "scores: NaN or infinity at 8"),
            (lambda: repair.repair(*mine, x, scores=[1.0] * 8, samples=8, **QUIET), "must be a tensor; got a list"),
            (lambda: write_report(G, S, ["layer1"], tmp_path / "a.html", 12, top=1.5), "top must be a whole"),
            (lambda: write_report(G, S, ["layer1"], tmp_path / "a.html", 12, shuffles=2.5), "shuffles must be")):
        with pytest.raises(ValueError, match=message):
            act()
    assert not list(tmp_path.iterdir())


def test_levels_and_first_weights_may_be_lists():
    G, S, options = Rigged(), Colours(), {"samples": 20, "steps": 1, **QUIET}
    tensor, plain = (optimise_insertion(G, "a", S, "red", "nothing", level, **options).score
                     for level in (torch.full((12,), 2.0), [2.0] * 12))
    assert torch.equal(tensor, plain)
    tensor, plain = (optimise_alpha(G, "a", S, "red", init=init, **options).score
                     for init in (torch.full((12,), 0.25), [0.25] * 12))
    assert torch.equal(tensor, plain) and not torch.equal(plain, optimise_alpha(G, "a", S, "red", **options).score)


def test_scores_and_judges():
    S, x = unet(), torch.rand(8, 3, 16, 16) * 2 - 1
    for act, message in (
            (lambda: metrics.sharpness(x * NAN), "the pictures: NaN or infinity"),
            (lambda: metrics.sharpness((x * 100).byte()), "the pictures must be a floating tensor"),
            (lambda: metrics.precision_recall(torch.rand(9), torch.rand(9)), "features are N×F and M×F"),
            (lambda: metrics.precision_recall(torch.rand(9, 3), torch.rand(9, 4)), "features are N×F and M×F"),
            (lambda: metrics.precision_recall(np.ones((9, 3)), np.ones((9, 3))), "must be a tensor; got a ndarray"),
            (lambda: metrics.classifier_score(x, eyes(), head="hair", splits=2), "no head 'hair'; there are: class"),
            (lambda: metrics.classifier_score(x, S, splits=2), "no head 'class'"),
            (lambda: metrics.classifier_score(x, eyes(), splits=2.5), "splits, no more than there are"),
            (lambda: metrics.features(x, small()), "the judge is a segmenter .* got a Generator"),
            (lambda: metrics.frechet_distance(x, x, lambda x: x), "the judge is a segmenter .* got a function"),
            (lambda: judges.evaluate(S, x, torch.zeros(8, 8, 8).long()), "they must be of one size"),
            (lambda: judges.evaluate(S, x, torch.full((8, 16, 16), 255)), "names classes 255 to 255, and there are 3")):
        with pytest.raises(ValueError, match=message):
            act()


# ------------------------------------------------------------------------------------------ styles

def test_styles_of_wrong_kinds():
    G = style()
    ws, y = torch.rand(2, len(G.layers), 8), (torch.ones(2, 4), torch.zeros(2, 4))
    for act, message in (
            (lambda: mix(ws, ws, 1), r"layers are a list of numbers, such as \[1\]"),
            (lambda: mix(ws * NAN, ws, [1]), "ws1: NaN"), (lambda: mix(ws, ws * NAN, [1]), "ws2: NaN"),
            (lambda: mix(ws.numpy(), ws, [1]), "ws1 must be a tensor; got a ndarray"),
            (lambda: mix(ws, ws[:1].repeat(3, 1, 1), [1]), "mix needs two tensors N×L×W"),
            (lambda: truncate(ws.numpy(), 0.5, G.w_avg), "w must be a tensor; got a ndarray"),
            (lambda: truncate(ws, 0.5, torch.ones(5)), "w and w_avg are of one size"),
            (lambda: G.synthesis(ws.numpy()), "must be a tensor; got a ndarray"),
            (lambda: G.noise(1, ["layer2"]), "a layer must be a whole number from 0 to 3; got 'layer2'"),
            (lambda: G.noise(1, [4]), "a layer must be a whole number from 0 to 3; got 4"),
            (lambda: capstone.forced(y, [0], NAN), "level: NaN"),
            (lambda: capstone.forced(y, [0], [1.0, 2.0]), "level is one number or one per unit: 1 units, but 2")):
        with pytest.raises(ValueError, match=message):
            act()
    assert mix(ws, ws[:1], [1]).shape == ws.shape
    assert capstone.forced(y, [0, 1], [3.0, 4.0])[1][0].tolist() == [3, 4, 0, 0]


# ------------------------------------------------------------------------------------------ evolution

@pytest.mark.parametrize("rule", ["bets", "Best", None, 5])
def test_a_selection_that_is_none_is_not_taken_for_the_worst(rule):
    with pytest.raises(ValueError, match=f"no selection '{rule}'.*; there are: best, random, worst, or give a func"):
        select([Fitness(0.1, 0, 0.1), Fitness(0.9, 0, 0.9)], 1, rule)


def test_selections_and_fitness_of_nothing():
    scores, doubt = [Fitness(0.1, 0, 0.1), Fitness(0.9, 0, 0.9)], Fitness(NAN, NAN, NAN)
    D, x = dcgan.Discriminator(dcgan.DCGANConfig((4, 4))), torch.rand(4, 3, 16, 16)
    for mu in (0, -1, 1.5, NAN, "1"):
        with pytest.raises(ValueError, match="mu, how many live on, must be a whole number from 1"):
            select(scores, mu)
    for rule in ("best", "worst"):
        with pytest.raises(ValueError, match="the fitness of child 1 is NaN"):
            select([scores[0], doubt], 1, rule)
    for answer in (NAN, None, "best", 0.7, [[]]):
        with pytest.raises(ValueError, match=r"answered .*; wanted 1 different number\(s\) from 0 to 1"):
            select(scores, 1, lambda scores, answer=answer: answer)
    assert select(scores, 1, lambda scores: 1.0) == select(scores, 1, lambda scores: torch.tensor([1])) == [1]
    for act, message in ((lambda: fitness(D, x, x[:0], 0.0), "the generated samples are none"),
                         (lambda: fitness(D, x[:0], x, 0.1), "the real samples are none"),
                         (lambda: fitness(D, x.numpy(), x, 0.1), "the real samples must be a tensor; got a ndarray"),
                         (lambda: fitness(lambda x: x.mean((1, 2, 3)) * NAN, x, x, 0.0), "look at the weights of D")):
        with pytest.raises(ValueError, match=message):
            act()


@pytest.mark.parametrize("real, message", [
    (torch.zeros(8, 3, 32, 32).byte(), "real samples are 3×32×32 each, and the generator draws 3×16×16"),
    (torch.zeros(8, 1, 16, 16).byte(), "real samples are 1×16×16"), (torch.zeros(8, 16, 16, 3).byte(), "16×16×3 each"),
    (torch.full((8, 3, 16, 16), 255.0), "real pictures go up to 255; wanted bytes, or floats in"),
    (np.zeros((8, 3, 16, 16), np.uint8), "real must be a tensor of samples, .* got a ndarray"),
    (lambda n, draw: None, "got a NoneType"), (lambda n, draw: torch.zeros(1, 3, 16, 16), r"\(1, 3, 16, 16\) for 4")])
def test_real_samples_that_are_not_like_the_generators(real, message):
    config = dcgan.DCGANConfig((8, 4), 4, 6)
    e = evolution.Evolution(dcgan.Generator(config), dcgan.Discriminator(config),
                            settings.Settings(batch=4, fitness_batch=4, d_steps=1), "cpu")
    with pytest.raises(ValueError, match=message):
        e.step(real)
    assert e.generation == 0 and e.step(torch.zeros(8, 3, 16, 16, dtype=torch.uint8)).number == 1


def test_ways_and_mixtures():
    z, lost = torch.ones(4), torch.full((4,), NAN)
    for act, message in (
            (lambda: linear(lost, z, 0.5), "a latent at the end of the way: NaN"),
            (lambda: spherical(z, lost, 0.5), "a latent at the end of the way: NaN"),
            (lambda: way([1.0, 2.0], [3.0, 4.0]), "a latent at the end of the way must be a tensor; got a list"),
            (lambda: gaussians.ring(0), "modes must be a whole number from 1"),
            (lambda: gaussians.ring(1.5), "modes must be"),
            (lambda: gaussians.grid(0), "side must be a whole number from 1")):
        with pytest.raises(ValueError, match=message):
            act()


# ------------------------------------------------------------------------------------------ trainings, and the rest

@pytest.mark.parametrize("column", [torch.zeros(3).long(), torch.full((4,), -1), torch.full((4,), 5), torch.rand(4)])
def test_labels_fit_the_pictures(column):
    x = torch.zeros(4, 3, 16, 16, dtype=torch.uint8)
    config = ClassifierConfig((("class", 3),), (4, 4), 4)
    with pytest.raises(ValueError, match="the labels 'class' must be whole numbers from 0 to 2, one for each of the 4"):
        judges.train_classifier(x, {"class": column}, 1, 2, config=config)
    with pytest.raises(ValueError, match="the labels 'class' must be"):
        judges.train_classifier(x, {}, 1, 2, config=config)
    with pytest.raises(ValueError, match="there are no labels"):
        judges.train_classifier(x, {}, 1, 2)


def test_masks_fit_the_network():
    data = torch.zeros(4, 3, 16, 16, dtype=torch.uint8), torch.full((4, 16, 16), 255, dtype=torch.uint8)
    with pytest.raises(ValueError, match="the masks name classes 255 to 255, and the network has 2"):
        judges.train_segmenter(1, 2, config=SegmenterConfig(("a", "b"), (4, 4, 4, 4)), data=(data, data))


@pytest.mark.parametrize("recipe", judges.RECIPES)
def test_where_a_judge_is_kept_is_looked_at_before_its_pictures_are_drawn(tmp_path, monkeypatch, recipe):
    def drawn(*given, **options):
        raise AssertionError("the work began")

    monkeypatch.setattr(judges, "prerender", drawn)
    monkeypatch.setattr(judges.Portraits, "images", drawn)
    monkeypatch.setattr(judges.datasets, "pictures", drawn)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=f"its folder is a file.*{recipe}"):
        judges.RECIPES[recipe](tmp_path / "file")


def test_schedules_of_other_things():
    for odd in ("8", 0, -8, 8.0, None):
        with pytest.raises(ValueError, match="a resolution of the schedule must be a whole number from 1"):
            Schedule({}, {odd: 4})
    with pytest.raises(ValueError, match="schedule must be a Schedule"):
        Settings(schedule=None)


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_ports_that_there_are_not(port, tmp_path):
    for act in (lambda: stage.free_port(port), lambda: notebooks.lab(tmp_path / "lab", serve=False, port=port)):
        with pytest.raises(ValueError, match="port must be a whole number from . to 65535"):
            act()
    assert not list(tmp_path.iterdir())


def test_what_could_not_be_read_again_is_not_saved(tmp_path):
    for options in ({"cls": 5}, {"layer": None}, {"model": tmp_path}):
        with pytest.raises(ValueError, match="layer, class and origin are text; got"):
            save_units(tmp_path / "units.json", [1], **{"layer": "layer1", "cls": "tree"} | options)
    assert not list(tmp_path.iterdir())


def test_chapters_that_are_not_there_are_told_before_a_site_is_made(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*away of chapters that have been run"):
        build(tmp_path / "site", executed=tmp_path / "away")
    assert not list(tmp_path.iterdir())


class Thing(nn.Module):
    """A generator, or a discriminator, of which `answer` makes what it gives."""

    z_dim = 4

    def __init__(self, inside: int, outside: int, answer):
        super().__init__()
        self.layer, self.answer = nn.Linear(inside, outside), answer

    def forward(self, x):
        return self.answer(self.layer(x.flatten(1)))


def pair(draw=lambda x: x.view(-1, 3, 8, 8), judge=lambda x: x[:, 0]):
    return Thing(4, 192, draw), Thing(192, 1, judge)


def first_step(networks, **options):
    real = torch.zeros(8, 3, 8, 8, dtype=torch.uint8)
    return Evolution(*networks, settings.Settings(batch=4, fitness_batch=4, **options), "cpu").step(real)


def test_what_networks_of_ones_own_give_in_an_evolution():
    """A D that gives one logit for all pictures, and a G that draws one picture for all latents, learnt in silence."""
    draw = pair()[0].answer
    assert first_step(pair()).number == 1
    for spoil, message in ((lambda x: (draw(x),), "a tuple"), (lambda x: draw(x).detach().numpy(), "a ndarray"),
                           (lambda x: draw(x).byte(), "a torch.uint8 tensor"),
                           (lambda x: draw(x)[:1], r"a torch.float32 tensor \(1, 3, 8, 8\)")):
        with pytest.raises(ValueError, match=f"what G draws must be floats, one for each of 4; got {message}"):
            first_step(pair(spoil))
    x = torch.rand(4, 3, 8, 8)
    for spoil, message in ((lambda x: (x,), "D's logits must be floats.* got a tuple"), (lambda x: None, "a NoneType"),
                           (lambda x: x.mean(), r"tensor \(\)"), (lambda x: x > 0, "torch.bool"),
                           (lambda x: x.detach(), "no gradient goes from D's logits to its weights")):
        with pytest.raises(ValueError, match=message):
            first_step(pair(judge=spoil))
        with pytest.raises(ValueError, match=message):
            fitness(pair(judge=spoil)[1], x, x, 0.1)
    for loss in (torch.tensor(1.0), torch.tensor(1j, requires_grad=True)):
        with pytest.raises(ValueError, match="that no gradient leads to from the logits"):
            first_step(pair(), mutations=(lambda logits, loss=loss: loss,))


def test_looking_at_a_discriminator_leaves_no_trace():
    """Batch norm in D counts every batch that it sees: one more would change each run."""
    D = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192), nn.Linear(192, 1))
    e = Evolution(pair()[0], D, settings.Settings(batch=4, d_steps=1), "cpu")
    e.train_d(torch.rand(8, 3, 8, 8))
    assert int(e.D[1].num_batches_tracked) == 2             # real ones and generated ones


def test_settings_scores_and_samples_of_other_kinds():
    D, x = pair()[1], torch.rand(4, 3, 8, 8)
    for act, message in (
            (lambda: Evolution(*pair(), {"batch": 4}), "settings are Settings.* got a dict"),
            (lambda: Training(small(), None, x.byte(), None), "settings are Settings.* got a NoneType"),
            (lambda: select([1, 2], 1), "scores are a list of Fitness"), (lambda: select(None, 1), "list of Fitness"),
            (lambda: fitness(None, x, x, 0.1), "judged by a network D"),
            (lambda: fitness(D.forward, x, x, 0.1), "judged by a network D"),
            (lambda: fitness(D, x.byte(), x, 0.1), "the real samples are floats; got torch.uint8"),
            (lambda: fitness(D, x * 255, x, 0.1), "the real pictures go up to"),
            (lambda: fitness(D, x, x[:, :1], 0.1), "the generator draws 1×8×8"),
            (lambda: truncate(torch.rand(2, 8), 1e300, torch.zeros(8)), "psi must be a number"),
            (lambda: to_float([1]), "takes a tensor of pictures"), (lambda: label_colours("abc"), "a list of names"),
            (lambda: colour_mask(torch.zeros(4, 4).long(), 3), "a list of names"),
            (lambda: chart(x, "a"), "a figure of matplotlib.* got a Tensor"),
            (lambda: to_uint8(x.to("meta")), "on the device meta"),
            (lambda: squares(x[0, 0].to("meta")), "a map to show is numbers")):
        with pytest.raises(ValueError, match=message):
            act()


# ------------------------------------------------------------------------------------------ networks and worlds to make

def test_networks_of_no_size_are_not_made():
    for make, message in (
            (lambda: progan.ProGANConfig(z_dim=0), "z_dim must be a whole number from 1"),
            (lambda: progan.ProGANConfig(widths=()), r"widths must be sizes of layers, such as .* got \(\)"),
            (lambda: progan.ProGANConfig(widths="ab"), "widths must be sizes of layers"),
            (lambda: progan.ProGANConfig(widths=(4, 1.5)), "each of widths must be .* from 1 to 8192; got 1.5"),
            (lambda: progan.ProGANConfig(stddev_group=-1), "stddev_group must be a whole number from 0"),
            (lambda: dcgan.DCGANConfig(widths=(0,)), "each of widths must be"),
            (lambda: SegmenterConfig(widths=5), "widths must be sizes of layers"),
            (lambda: ClassifierConfig(widths=(4, -1)), "each of widths must be"),
            (lambda: dcgan.layout("x"), "resolution must be a whole number"),
            (lambda: dcgan.layout(2**20), "each of widths must be a whole number from 1 to 8192"),     # took 8 TB
            (lambda: StyleGANConfig(resolution=2**20), "pictures of 1048576 px need an fmap_base of 524288 or more")):
        with pytest.raises(ValueError, match=message):
            make()
    assert progan.ProGANConfig(widths=[np.int64(8), 4]).widths == (8, 4)


def test_points_and_drawings_are_counted_in_whole_numbers():
    for act, message in ((lambda: gaussians.ring()(1.5, None), "the number of points must be"),
                         (lambda: gaussians.ring()(-1, None), "the number of points must be"),
                         (lambda: gaussians.ring(10**12), "modes must be a whole number from 1 to 10000"),
                         (lambda: Scenes(3)[None], "the index of a picture must be a whole number"),
                         (lambda: Portraits(3)["a"], "the index of a picture must be a whole number"),
                         (lambda: classify(eyes(), None), "the pictures to name must be a floating tensor"),
                         (lambda: metrics.frechet_distance(None, None, eyes()), "must be a floating tensor"),
                         (lambda: segment(unet(), torch.zeros(2, 3, 8, 8, device="meta")), "on the device meta"),
                         (lambda: WarmUpPanel("nope"), "no Data 'nope'; there are"),
                         (lambda: WarmUpPanel(None), "no Data 'None'; there are")):
        with pytest.raises(ValueError, match=message):
            act()
    assert len([*Scenes(3)]) == 3


def test_a_judge_that_answers_with_a_tensor_is_told(tmp_path):
    real, schedule = torch.zeros(8, 3, 8, 8, dtype=torch.uint8), Schedule({}, {8: 0})
    G, D = small(), progan.Discriminator(progan.ProGANConfig(z_dim=8, widths=(8, 8)))
    options = Settings(16, 4, bf16=False, schedule=schedule)
    with pytest.raises(ValueError, match="curve.json cannot be kept as JSON .*Tensor.*: give numbers, text, lists"):
        run(Training(G, D, real, options, "cpu"), tmp_path, judge=lambda G: {"a": torch.ones(1)}, judge_every=1)
    with pytest.raises(ValueError, match="a Discriminator has no .regularised"):
        Training(D, G, real, options, "cpu")


def test_a_check_whose_answer_ends_the_program_is_told(capsys):
    checks.check_iou(lambda *_: exit(3))
    assert "your function stopped with SystemExit" in capsys.readouterr().out
