"""The Fréchet distance, computed a second time from its formula."""

import importlib.util

import numpy as np
import torch

from gan_teach import __main__, metrics
from gan_teach.dissection import repair, truth
from gan_teach.metrics import SegmenterFeatures, frechet_distance, generate
from gan_teach.networks.progan import Generator, ProGANConfig
from gan_teach.networks.segmenter import SegmenterConfig, UNet


def test_frechet_distance_eq6_in_numpy():
    torch.manual_seed(0)
    judge = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval()
    real, fake = torch.randn(60, 3, 16, 16), 0.5 * torch.randn(60, 3, 16, 16) + 0.3
    with torch.no_grad():
        a, b = (SegmenterFeatures(judge).eval()(x).double().numpy() for x in (real, fake))
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


def test_without_torchmetrics_each_measure_is_left_out_with_one_sentence(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchmetrics" else find(name))
    monkeypatch.setattr(metrics, "_left_out", set())
    judge, images = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval(), torch.zeros(6, 3, 16, 16)
    assert all(np.isnan(frechet_distance(images, images, judge)) for _ in range(2))
    assert all(np.isnan(metrics.classifier_score(images, judge)))
    assert np.isnan(repair.Distance(torch.randn(9, 4))(torch.randn(9, 4)))
    G = truth.SceneGenerator(scenes=20)
    gap = truth.truth_gap(truth.TrueMasks(G), G, "8×8", samples=20)
    assert gap.rank_agreement.isnan().all() and "nan" in str(gap)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" is left out")[0] for line in said] == [
        "the Fréchet distance", "the classifier's score", "the rank agreement"]
    assert all("pip install torchmetrics" in line for line in said)
    assert __main__.main(["train", "scenes-segmenter"]) == 1
    assert "ImportError: what is trained is measured" in capsys.readouterr().err
