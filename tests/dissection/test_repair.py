"""Repair: a planted artefact found, blamed and removed; scores and distances recomputed; error messages."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rigged import Drawn

from gan_teach.dissection.intervention import ablate
from gan_teach.dissection.repair import (
    Distance,
    Repair,
    artefact_scores,
    distance_slopes,
    features,
    frechet_slopes,
    repair,
)
from gan_teach.metrics import ChannelMeans, frechet_distance, precision_recall
from gan_teach.networks.layers import sample_z
from gan_teach.networks.protocols import evaluating
from gan_teach.networks.segmenter import SegmenterConfig, UNet

torch.manual_seed(0)
JUDGE = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval()
BAD, RARE, UNITS = 3, 4, 7


class Blotchy(Drawn):
    """Units 0 to 2 tint the picture; unit 3, when loud, puts a chequered blotch in it; unit 4 is loud for a moon,
    rare but real; 5 and 6 do nothing. Without unit 3 the pictures are what real ones are."""

    layers, z_dim = ("only",), UNITS

    def at(self, z, layer):
        z = z[:, :, None, None]
        r = torch.cat([0.3 * z[:, :3], 2 * (z[:, 3:4] > 0.6) * z[:, 3:4], 2.0 * (z[:, 4:5] > 1), 0.3 * z[:, 5:]], 1)
        chequer = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1

        def f(r):
            tint, blotch, moon = (F.interpolate(r[:, a:b], size=16) for a, b in ((0, 3), (3, 4), (4, 5)))
            disc = torch.zeros(16, 16)
            disc[2:12, 2:14] = 1
            return torch.tanh(tint + 0.5 * blotch * chequer + moon * disc)

        return r.expand(-1, -1, 4, 4), f


G = Blotchy()


def real(n, seed):
    r, f = G.at(sample_z(n, UNITS, seed), "only")
    return f(ablate(r, [BAD]))


def test_the_unit_that_draws_the_artefact_is_blamed_most():
    scores = artefact_scores(G, "only", JUDGE, real(150, 11), samples=150, top=20, progress=False)
    assert scores.shape == (UNITS,) and scores.argmax() == BAD and (scores >= 0).all()


def test_what_is_rare_but_real_is_not_blamed():
    class Clean(Blotchy):
        def at(self, z, layer):
            r, f = super().at(z, layer)
            return ablate(r, [BAD]), f
    found = artefact_scores(Clean(), "only", JUDGE, real(400, 11), samples=400, top=30, progress=False)
    assert found[RARE] < 1.4 * found[[5, 6]].mean()                         # of idle units


def test_the_nearest_score_by_loops():
    x = real(30, 11)
    found = artefact_scores(G, "only", JUDGE, x, samples=25, top=4, seed=2, progress=False)
    phi, (r, f) = features(x, JUDGE).double().numpy(), G.at(sample_z(25, UNITS, 2), "only")
    own, scale = features(f(r), JUDGE).double().numpy(), np.maximum(phi.std(0, ddof=1), 1e-6)
    def distances(a):
        return [math.sqrt((((a - b) / scale) ** 2).sum()) for b in phi]
    rho = [sorted(distances(b))[3] for b in phi]                # without itself, the third
    alone = [min(row) / rho[row.index(min(row))] for row in map(distances, own)]
    for u in (0, 1, 2, 5, 6):                                   # the others have ties
        loudest = sorted(range(25), key=lambda n: -r[n, u].max().item())[:4]
        assert found[u].item() == pytest.approx(sum(alone[n] for n in loudest) / 4, rel=1e-4)


def test_the_slopes_of_the_distance_by_differences():
    rng = torch.Generator().manual_seed(1)
    real, phi, way = (torch.randn(60, 5, generator=rng, dtype=torch.double) * s + s for s in (1.0, 1.4, 0.3))
    kept, distance = phi.clone(), Distance(real)
    slopes = distance_slopes(phi, real)
    assert torch.equal(phi, kept) and not phi.requires_grad
    by_steps = (distance(phi + 1e-4 * way) - distance(phi - 1e-4 * way)) / 2e-4
    assert (slopes * way).sum().item() == pytest.approx(by_steps, rel=1e-3)


def test_the_slope_of_a_unit_is_what_turning_it_down_a_little_gains():
    x = real(120, 11)
    found = frechet_slopes(G, "only", JUDGE, x, samples=120, seed=2, progress=False)
    r, f = G.at(sample_z(120, UNITS, 2), "only")
    def distance(u, strength):
        return Distance(features(x, JUDGE))(features(f(ablate(r, [u], strength=strength)), JUDGE))
    for u in (0, 1, 2, BAD):                                    # 4 is clamped by tanh for the most part
        assert found[u].item() == pytest.approx((distance(u, -0.01) - distance(u, 0.01)) / 0.02, rel=0.05, abs=2e-4)
    assert found.argmax() == BAD and found[5] == found[6] == 0


def test_units_turned_down_a_part():
    x = real(60, 12)
    found = repair(G, "only", JUDGE, x, units=[BAD], samples=80, seed=9, draws=2, progress=False, strength=0.25)
    r, f = G.at(sample_z(80, UNITS, 9), "only")
    after = f(ablate(r, [BAD], strength=0.25))
    assert found.strength == 0.25 and found.after == pytest.approx(frechet_distance(x, after, JUDGE), rel=1e-3)
    phi = features(x, JUDGE)
    assert found.precision == tuple(precision_recall(phi, features(pictures, JUDGE))[0] for pictures in (f(r), after))
    assert "1 units turned down by 25%" in str(found) and f"{found.precision[1]:.2f}" in str(found)


def test_repair_removes_the_artefact_and_random_units_do_not():
    scores = artefact_scores(G, "only", JUDGE, real(150, 11), samples=150, top=20, progress=False)
    found = repair(G, "only", JUDGE, real(200, 12), scores, n=1, samples=200, draws=6, progress=False)
    assert found.units == (BAD,) and found.after < 0.1 * found.before and found.real < 0.2 * found.before
    assert found.random.shape == (6,) and found.after < found.random.min() + 1e-9
    assert found.random_mean == pytest.approx(found.random.mean().item())
    assert found.random_std == pytest.approx(found.random.double().std().item(), rel=1e-4)
    text = str(found)
    assert all(f"{value:.3f}" in text for value in (found.before, found.after, found.random_mean, found.random_std))


def test_repair_measures_what_frechet_distance_measures():
    x = real(60, 12)
    found = repair(G, "only", JUDGE, x, units=[0, 2], samples=80, seed=9, draws=2, progress=False)
    r, f = G.at(sample_z(80, UNITS, 9), "only")
    assert found.before == pytest.approx(frechet_distance(x, f(r).clamp(-1, 1), JUDGE), rel=1e-3, abs=1e-5)
    assert found.after == pytest.approx(frechet_distance(x, f(ablate(r, [0, 2])), JUDGE), rel=1e-3, abs=1e-5)
    rng = torch.Generator().manual_seed(9)
    for value in found.random:
        chance = torch.randperm(UNITS, generator=rng)[:2].tolist()
        assert value.item() == pytest.approx(frechet_distance(x, f(ablate(r, chance)), JUDGE), rel=1e-3, abs=1e-5)
    assert found.real == pytest.approx(frechet_distance(x[::2], x[1::2], JUDGE), rel=1e-3, abs=1e-5)


def test_the_rule_for_a_repair():
    """Below the pictures as they were, and below the mean of random units by more than twice their deviation."""
    def trial(before, after, *random):
        return Repair((0,), 1.0, before, after, torch.tensor(random), 0.1, (0.5, 0.5)).shown

    assert trial(4.0, 3.7, 4.0, 4.2) and trial(9.0, 3.7, 4.0, 4.2)           # mean 4.1, deviation 0.141
    assert not trial(4.0, 3.9, 4.0, 4.2)                                      # within twice of it
    assert not trial(3.6, 3.7, 4.0, 4.2)                                      # worse than before


def test_a_useless_repair_is_reported_as_it_is():
    found = repair(G, "only", JUDGE, real(60, 12), units=[5, 6], samples=60, draws=2, progress=False)
    assert found.after == found.before and not found.shown and f"{found.after:.3f}" in str(found)


def test_the_distance_keeps_its_real_features():
    rng = torch.Generator().manual_seed(0)
    a, b, c = (torch.randn(50, 6, generator=rng) * s + s for s in (1.0, 1.5, 0.4))
    distance = Distance(a)
    first = distance(b)
    s, t = np.cov(a.double().numpy(), rowvar=False), np.cov(b.double().numpy(), rowvar=False)
    root = np.sqrt(np.clip(np.linalg.eigvals(s @ t).real, 0, None)).sum()
    wanted = ((a.double().mean(0) - b.double().mean(0)) ** 2).sum().item() + np.trace(s) + np.trace(t) - 2 * root
    assert first == pytest.approx(wanted, rel=1e-4)
    assert distance(c) != first and distance(b) == first and abs(distance(a)) < 1e-3


def test_features_take_bytes_and_leave_the_judge_in_its_mode():
    x = real(5, 1)
    as_bytes = ((x + 1) * 127.5).round().byte()
    judge = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).train()
    found = features(as_bytes, judge)
    assert judge.training and all(m.training for m in judge.modules()) and found.shape == (5, 16)
    with evaluating(judge), torch.no_grad():
        assert torch.allclose(found, ChannelMeans(judge)(as_bytes.float() / 127.5 - 1), atol=1e-5)


def test_what_is_wrong_is_named():
    x = real(20, 1)
    with pytest.raises(ValueError, match="at least 5 real pictures, better hundreds; got 4"):
        artefact_scores(G, "only", JUDGE, x[:4])
    for top in (1, 60):
        with pytest.raises(ValueError, match=f"top pictures must be a whole number from 2 to 50; got {top}"):
            artefact_scores(G, "only", JUDGE, x, samples=50, top=top)
    for give in (artefact_scores, lambda *args: repair(*args, units=[1])):
        with pytest.raises(ValueError, match="no layer 'z'.*only"):
            give(G, "z", JUDGE, x)
    for scores, units in ((None, None), (torch.zeros(UNITS), [1])):
        with pytest.raises(ValueError, match="either scores .* or units"):
            repair(G, "only", JUDGE, x, scores, units=units)
    with pytest.raises(ValueError, match=r"shape \(3,\), but 'only' has 7 units"):
        repair(G, "only", JUDGE, x, torch.zeros(3))
    for n in (0, 8):
        with pytest.raises(ValueError, match=f"n, of the layer's units, must be a whole number from 1 to 7; got {n}"):
            repair(G, "only", JUDGE, x, torch.zeros(UNITS), n=n)
    with pytest.raises(ValueError, match="no unit 7; this layer has units 0 to 6"):
        repair(G, "only", JUDGE, x, units=[7])
