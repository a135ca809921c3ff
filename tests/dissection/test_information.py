"""The paper's thresholds: information quality and its best level recomputed by loops; planted units found."""

import math

import pytest
import torch
from rigged import NOISE, PLANTED, Colours, Rigged

from gan_teach.dissection import information
from gan_teach.dissection.information import (
    dissect_by_information,
    information_quality,
    joint_histograms,
    quality_of,
    unit_levels,
)
from gan_teach.dissection.unit_iou import dissect, masks
from gan_teach.networks.layers import sample_z


class Small:
    """3 units of 3×4 draw a 6×8 picture."""

    layers, z_dim = ("only",), 36

    def __call__(self, z):
        r, f = self.at(z, "only")
        return f(r)

    def at(self, z, layer):
        return z.view(-1, 3, 3, 4), lambda r: torch.nn.functional.interpolate(r, scale_factor=2, mode="nearest").tanh()


class Brightest:
    """Labels a pixel with its brightest channel."""

    classes = ("r", "g", "b", "never")

    def __call__(self, images):
        return torch.cat([images, torch.full_like(images[:, :1], -9)], 1)


def quality_by_loops(m, s):
    """I/H of two lists of booleans, from the definitions, cell by cell."""
    n, information, entropy = len(m), 0.0, 0.0
    for a in (False, True):
        for b in (False, True):
            p = sum(x == a and y == b for x, y in zip(m, s)) / n
            p_a, p_b = sum(x == a for x in m) / n, sum(y == b for y in s) / n
            if p > 0:
                information += p * math.log(p / (p_a * p_b))
                entropy -= p * math.log(p)
    return information / entropy if entropy > 0 else 0.0


def counts(m, s):
    return torch.tensor([sum(a and b for a, b in zip(m, s)), sum(m), sum(s), len(m)])


@pytest.mark.parametrize("seed", range(5))
def test_information_quality_by_loops(seed):
    m, s = (torch.rand(2, 60, generator=torch.Generator().manual_seed(seed)) < 0.3).tolist()
    assert information_quality(*counts(m, s)).item() == pytest.approx(quality_by_loops(m, s), abs=1e-12)


def test_information_quality_at_its_ends():
    same, half = [True, False, False, True], [True, True, False, False]
    assert information_quality(*counts(same, same)).item() == pytest.approx(1)
    assert information_quality(*counts(same, [not v for v in same])).item() == pytest.approx(1)
    assert information_quality(*counts(same, half)).item() == pytest.approx(0, abs=1e-12)      # independent
    assert information_quality(*counts([True] * 4, [False] * 4)).item() == 0                   # both constant


# ------------------------------------------------------------------------------------------ the histogram

@pytest.mark.parametrize("batch", [4, 50])
def test_joint_histogram_by_loops(batch):
    joint = joint_histograms(Small(), ["only"], Brightest(), samples=13, seed=3, batch=batch, progress=False)["only"]
    r, f = Small().at(sample_z(13, 36, 3), "only")
    labels = f(r).argmax(1)
    assert joint.counts.sum((1, 2)).tolist() == [13 * 48] * 3
    for k in range(0, 100, 7):
        on = masks(r, joint.levels[:, k].contiguous(), (6, 8))
        for u in range(3):
            for c in range(4):
                assert joint.above[u, k, c] == (on[:, u] & (labels == c)).sum()


def test_levels_are_the_shares_of_values_above():
    z = sample_z(40, 36, 0)
    levels = unit_levels(Small(), ["only"], z, batch=7)["only"]
    values = z.view(-1, 3, 12).transpose(0, 1).flatten(1)                   # (3, 480)
    assert levels.shape == (3, 100) and (levels.diff() >= 0).all()
    for k, share in enumerate(information.SHARES.flip(0).tolist()):
        assert (values > levels[:, k, None]).sum(1).tolist() == [min(int(share * 480), 479)] * 3


def test_levels_do_not_depend_on_the_batch_and_stop_early(monkeypatch):
    monkeypatch.setattr(information, "LEVEL_VALUES", 100)
    z = sample_z(40, 36, 0)
    few = unit_levels(Small(), ["only"], z, batch=3)["only"]
    assert torch.equal(few, unit_levels(Small(), ["only"], z, batch=40)["only"])
    assert few[:, -1].tolist() == z.view(-1, 3, 12).transpose(0, 1).flatten(1)[:, :100].amax(1).tolist()


def test_best_threshold_by_loops():
    joint = joint_histograms(Small(), ["only"], Brightest(), samples=10, seed=3, progress=False)["only"]
    joint.min_accuracy = 0.6
    r, f = Small().at(sample_z(10, 36, 3), "only")
    labels, n = f(r).argmax(1), 480
    best_of_unit = torch.zeros(3)
    for u in range(3):
        for c in range(4):
            best, t = 0.0, None
            for k in range(100):
                on = masks(r, joint.levels[:, k].contiguous(), (6, 8))[:, u]
                there = labels == c
                if (on == there).sum() > 0.6 * n and joint.levels[u, k] > 0 and there.sum() >= n / 1000:
                    quality = quality_by_loops(on.flatten().tolist(), there.flatten().tolist())
                    if quality > best + 1e-12:
                        best, t = quality, joint.levels[u, k]
            assert joint.best[0][u, c].item() == pytest.approx(best, abs=1e-12)
            if t is not None:
                assert joint.levels[u, joint.best[1][u, c]] == t
            if best > best_of_unit[u]:
                best_of_unit[u] = best
                assert joint.best[0][u, :c + 1].max().item() == pytest.approx(best)
                chosen = t
        assert joint.thresholds[u] == chosen
    assert (joint.best[0][:, 3] == 0).all()                                 # a class that never occurs


def test_a_unit_without_an_allowed_pair_is_cut_at_its_top_percent():
    joint = joint_histograms(Small(), ["only"], Brightest(), samples=30, progress=False)["only"]
    joint.min_accuracy = 1.0
    assert (joint.best[0] == 0).all()
    values = sample_z(30, 36, 1).view(-1, 3, 12).transpose(0, 1).flatten(1)
    assert (values > joint.thresholds[:, None]).sum(1).tolist() == [3, 3, 3]               # 1 % of 360


# ------------------------------------------------------------------------------------------ the planted answer

@pytest.fixture(scope="module")
def planted():
    return dissect_by_information(Rigged(), ["a", "b"], Colours(), samples=150, progress=False, shuffles=4)


def test_the_papers_mode_finds_the_planted_units(planted):
    d = planted["a"]
    for name, units in PLANTED.items():
        assert set(d.units_for(name, 2)) == set(units)
        assert min(d.iou[units, d.classes.index(name)]) > 0.6
        assert quality_of(d)[units, d.classes.index(name)].min() > 0.3
    assert quality_of(d)[NOISE, 1:].max() < 0.01
    assert torch.equal(planted["b"].intersection, d.intersection)           # "b" is "a" doubled


def test_the_papers_thresholds_beat_every_fixed_quantile_on_planted_units(planted):
    units = [u for units in PLANTED.values() for u in units]
    quality = quality_of(planted["a"])[units].amax(1)
    for quantile in (0.005, 0.01, 0.02, 0.05, 0.2):
        fixed = quality_of(dissect(Rigged(), "a", Colours(), samples=150, quantile=quantile, progress=False))
        assert (fixed[units].amax(1) < quality + 0.03).all()                # 0.03: another sample


def test_thresholds_are_chosen_on_another_sample_than_they_are_counted_on(planted):
    d = dissect(Rigged(), "a", Colours(), samples=150, progress=False,
                thresholds=joint_histograms(Rigged(), ["a"], Colours(), 150, seed=1, progress=False)["a"].thresholds)
    assert torch.equal(d.thresholds, planted["a"].thresholds) and torch.equal(d.intersection, planted["a"].intersection)


def test_quality_of_a_dissection_by_loops():
    d = dissect(Small(), "only", Brightest(), samples=8, quantile=0.2, progress=False)
    r, f = Small().at(sample_z(8, 36, 0), "only")
    on, labels = masks(r, d.thresholds, (6, 8)), f(r).argmax(1)
    for u in range(3):
        for c in range(4):
            want = quality_by_loops(on[:, u].flatten().tolist(), (labels == c).flatten().tolist())
            assert quality_of(d)[u, c].item() == pytest.approx(want, abs=1e-12)


def test_wrong_layers_are_answered_with_the_right_ones():
    with pytest.raises(ValueError, match="no layer 'c'.*a, b"):
        dissect_by_information(Rigged(), ["c"], Colours(), progress=False)
