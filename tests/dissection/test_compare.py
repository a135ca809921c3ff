"""Comparing models: every figure of the table recomputed from a dissection of its own; error messages."""

import math
from dataclasses import replace

import pytest
import torch
from rigged import Colours, Rigged

from gan_teach.dissection.compare import Comparison, compare
from gan_teach.dissection.unit_iou import dissect
from gan_teach.metrics import frechet_distance
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import SegmenterConfig, UNet

G, S = Rigged(), Colours()


class Blind(Rigged):
    """Its units are all noise: the picture still shows the blobs."""

    def at(self, z, layer):
        r, f = super().at(z, layer)
        return torch.randn(r.shape, generator=torch.Generator().manual_seed(0)), lambda _: f(r)


def test_each_row_is_a_dissection_of_its_own():
    found = compare({"good": G, "blind": Blind()}, ["a", "b"], S, samples=60, quantile=0.06, min_iou=0.2, seed=4,
                    progress=False)
    assert [(row.model, row.layer) for row in found.rows] == [("good", "a"), ("good", "b"),
                                                              ("blind", "a"), ("blind", "b")]
    d = dissect(G, "b", S, samples=60, quantile=0.06, seed=4, progress=False)
    best = [max(row) for row in d.iou.double().tolist()]
    labels = {row.index(max(row)) for row, value in zip(d.iou.tolist(), best, strict=True) if value > 0.2}
    row, m = found.rows[1], sum(best) / 12
    assert (row.units, row.matched, row.classes) == (12, sum(value > 0.2 for value in best), len(labels))
    assert row.best_iou == pytest.approx(m, abs=1e-6)
    assert row.best_iou_error == pytest.approx(math.sqrt(sum((v - m) ** 2 for v in best) / 11 / 12), abs=1e-6)
    assert row.matched >= 7 and row.classes >= 3 and found.rows[3].matched == 0 and math.isnan(row.frechet)


def test_the_table_shows_every_row_and_no_column_that_was_not_measured():
    found = compare({"good": G, "a much longer name": Blind()}, "a", S, samples=30, progress=False)
    lines = str(found).splitlines()
    assert len(lines) == 4 and lines[1].startswith("good ") and lines[2].startswith("a much longer name ")
    assert "Fréchet" not in lines[0] and "–" not in str(found) and "IoU > 0.05" in lines[3]
    assert len({len(line) for line in lines[:3]}) == 1
    far = Comparison(tuple(replace(row, frechet=0.25) for row in found.rows), found.min_iou)
    assert "Fréchet" in str(far).splitlines()[0] and all(line.endswith(" 0.250") for line in str(far).splitlines()[1:3])
    assert f"{found.rows[0].best_iou:.3f}" in lines[1]


def test_the_frechet_column_is_the_frechet_distance():
    torch.manual_seed(0)
    judge = UNet(SegmenterConfig(classes=S.classes, widths=(4, 4, 4, 4))).train()
    real = ((G(sample_z(40, 12, 77)) + 1) * 127.5).byte()
    found = compare({"G": G, "shifted": Shifted()}, "a", judge, samples=20, real=real, seed=3, progress=False)
    assert judge.training
    fake = G(sample_z(40, 12, 3))
    assert found.rows[0].frechet == pytest.approx(frechet_distance(real.float() / 127.5 - 1, fake, judge.eval()),
                                                  rel=1e-3)
    assert found.rows[1].frechet > found.rows[0].frechet
    assert f"{found.rows[0].frechet:.3f}" in str(found)


class Shifted(Rigged):
    """The same, all pictures half as strong."""

    def at(self, z, layer):
        r, f = super().at(z, layer)
        return r, lambda r: 0.5 * f(r)


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="no models to compare"):
        compare({}, "a", S)
    with pytest.raises(ValueError, match="model 'first': no layer 'z'.*a, b"):
        compare({"first": G}, "z", S)
