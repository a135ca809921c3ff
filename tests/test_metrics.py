"""The Fréchet distance, computed a second time from its formula."""

import importlib.util

import numpy as np
import torch

from gan_teach import __main__, metrics
from gan_teach.dissection import repair
from gan_teach.metrics import (ChannelMeans, channel_means, features, frechet_distance, generate,
                               precision_recall, sharpness)
from gan_teach.networks import dcgan
from gan_teach.networks.classifier import Classifier, ClassifierConfig
from gan_teach.networks.progan import Generator, ProGANConfig
from gan_teach.networks.segmenter import SegmenterConfig, UNet


def test_frechet_distance_eq6_in_numpy():
    torch.manual_seed(0)
    judge = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval()
    real, fake = torch.randn(60, 3, 16, 16), 0.5 * torch.randn(60, 3, 16, 16) + 0.3
    with torch.no_grad():
        a, b = (ChannelMeans(judge).eval()(x).double().numpy() for x in (real, fake))
    assert a.shape == (60, 16)
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(np.clip(np.linalg.eigvals(s @ t).real, 0, None)).sum()      # tr (Σ_r Σ_g)^½
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * root
    assert np.isclose(frechet_distance(real, fake, judge), wanted, rtol=1e-3, atol=1e-5)
    assert abs(frechet_distance(real, real, judge)) < 1e-3 * wanted


def test_generated_pictures_follow_the_seed_and_stay_in_range():
    torch.manual_seed(0)
    G = Generator(ProGANConfig(z_dim=8, widths=(8, 8)))
    x = generate(G, 7, seed=3, batch=3)
    assert x.shape == (7, 3, 8, 8) and x.abs().max() <= 1
    assert torch.allclose(x, generate(G, 7, seed=3, batch=7), atol=1e-5)
    assert not torch.equal(x, generate(G, 7, seed=4))
    G = dcgan.Generator(dcgan.DCGANConfig((6, 4), z_dim=5, norm_g=True)).train()
    before = {name: t.clone() for name, t in G.state_dict().items()}
    assert torch.equal(generate(G, 7, seed=3, batch=3), generate(G, 7, seed=3, batch=3)) and G.training
    assert all(torch.equal(t, before[name]) for name, t in G.state_dict().items())     # a batch norm's averages too


def test_precision_and_recall_eq1_and_eq2_by_loops():
    draw = torch.Generator().manual_seed(0)
    real, fake = torch.randn(40, 3, generator=draw), torch.randn(50, 3, generator=draw) * 1.5 + 0.5

    def share(samples, manifold, k=3):
        radii = [sorted(torch.dist(a, b).item() for b in manifold)[k] for a in manifold]
        return sum(any(torch.dist(s, a) <= r for a, r in zip(manifold, radii)) for s in samples) / len(samples)

    precision, recall = precision_recall(real, fake)
    assert precision == share(fake, real) and recall == share(real, fake) and 0 < precision < 1


def test_what_is_broken_costs_precision_and_what_is_missing_recall():
    draw = torch.Generator().manual_seed(0)
    real = torch.cat([torch.randn(200, 4, generator=draw) + 20 * i for i in (0, 1)])      # two kinds of pictures
    one = torch.randn(400, 4, generator=draw)                                             # only the first kind
    broken = torch.cat([real, torch.randn(100, 4, generator=draw) - 30])
    assert precision_recall(real, one)[0] > 0.9 and abs(precision_recall(real, one)[1] - 0.5) < 0.06
    assert precision_recall(real, broken)[1] == 1.0 and precision_recall(real, broken)[0] == 0.8


def test_features_are_what_the_judge_sees():
    judge = UNet(SegmenterConfig(("a", "b"), (4, 8))).eval().requires_grad_(False)
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    assert torch.allclose(features(x, judge, batch=2), ChannelMeans(judge)(x), atol=1e-6)


def test_a_judge_in_training_judges_as_it_does_later_and_trains_on():
    torch.manual_seed(0)
    x = torch.rand(12, 3, 16, 16) * 2 - 1
    eyes = Classifier(ClassifierConfig((("class", 3),), widths=(4, 4, 4, 4))).eval()
    def measures():
        return features(x, eyes).tolist(), channel_means(x, eyes).tolist(), metrics.classifier_score(x, eyes, splits=2)
    wanted = measures()
    eyes.train()
    assert measures() == wanted and all(module.training for module in eyes.modules())


def test_sharpness_by_loops():
    x = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    across = [abs(float(x[n, c, i, j + 1] - x[n, c, i, j]))
              for n in range(2) for c in range(3) for i in range(5) for j in range(3)]
    down = [abs(float(x[n, c, i + 1, j] - x[n, c, i, j]))
            for n in range(2) for c in range(3) for i in range(4) for j in range(4)]
    assert abs(sharpness(x) - (np.mean(across) + np.mean(down)) / 2) < 1e-9 and sharpness(x * 2) > 1.9 * sharpness(x)
def test_without_torchmetrics_each_measure_is_left_out_with_one_sentence(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchmetrics" else find(name))
    monkeypatch.setattr(metrics, "_left_out", set())
    judge, images = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval(), torch.zeros(10, 3, 16, 16)
    assert all(np.isnan(frechet_distance(images, images, judge)) for _ in range(2))
    assert all(np.isnan(metrics.classifier_score(images, judge)))
    assert np.isnan(repair.Distance(torch.randn(9, 4))(torch.randn(9, 4)))
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" is left out")[0] for line in said] == ["the Fréchet distance", "the classifier's score"]
    assert all("pip install torchmetrics" in line for line in said)
    assert __main__.main(["train", "scenes-segmenter"]) == 1
    assert "ImportError: what is trained is measured" in capsys.readouterr().err


def test_a_measure_is_of_the_pictures_given_where_several_processes_have_met(monkeypatch):
    """torchmetrics would gather those of the others, and wait for ever where only one of them measures."""
    torch.manual_seed(0)
    judge, x = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval(), torch.randn(60, 3, 16, 16)
    eyes = Classifier(ClassifierConfig((("class", 3),), widths=(4, 4, 4, 4))).eval()
    ways = [lambda: frechet_distance(x[:30], x[30:], judge), lambda: metrics.classifier_score(x, eyes, splits=2),
            lambda: repair.Distance(features(x[:30], judge))(features(x[30:], judge))]
    before = [way() for way in ways]
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    assert [way() for way in ways] == before


def test_channel_means_are_those_of_every_map_on_the_way_down():
    torch.manual_seed(0)
    x = torch.rand(5, 3, 32, 32) * 2 - 1
    eyes = Classifier(ClassifierConfig(widths=(4, 6, 6, 8))).eval()
    with torch.no_grad():
        wanted = torch.cat([m.mean((2, 3)) for m in eyes.maps(x)], 1)
    assert torch.allclose(channel_means(x, eyes, batch=2), wanted, atol=1e-5) and wanted.shape == (5, 24)
    judge = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval()
    assert torch.allclose(channel_means(x, judge), features(x, judge), atol=1e-5)
