"""Intervention: properties of the edits, causes found where they were planted, curves, prices, errors."""

import copy
import json
import math
import os
import statistics

import pytest
import torch
from rigged import CLASSES, ENTANGLED, NOISE, PLANTED, Colours, Rigged

from gan_teach.dissection.alpha import optimise_alpha, rank_by_effect
from gan_teach.dissection.intervention import (
    ablate,
    ablation_curve,
    causal_effect,
    collateral,
    effect,
    effect_curve,
    insert,
    levels,
    random_curve,
)
from gan_teach.dissection.pixels import class_pixels, unit_count
from gan_teach.dissection.unit_iou import dissect
from gan_teach.dissection.units import UnitSet, load_units, save_units
from gan_teach.networks import dcgan
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import segment

G, S = Rigged(), Colours()


@pytest.fixture
def r():
    return torch.randn(3, 6, 4, 5, generator=torch.Generator().manual_seed(0))


def test_counting_units_leaves_a_batch_norm_as_it_was():
    net = dcgan.Generator(dcgan.DCGANConfig((6, 4), z_dim=5, norm_g=True)).train()
    before = copy.deepcopy(net.state_dict())
    assert unit_count(net, "layer2") == 4 and net.training
    assert all(torch.equal(now, before[name]) for name, now in net.state_dict().items())


# ------------------------------------------------------------------------------------------ edits of r

@pytest.mark.parametrize("edit", [
    lambda r: ablate(r, []), lambda r: ablate(r, [1, 4], strength=0.0), lambda r: insert(r, []),
    lambda r: insert(r, [], level=3.0), lambda r: insert(r, [2], level=9.0, strength=0.0),
    lambda r: ablate(r, [1], where=torch.zeros(4, 5)), lambda r: insert(r, [1], torch.zeros(3, 1, 4, 5), 5.0)])
def test_doing_nothing_gives_an_equal_new_tensor(r, edit):
    out = edit(r)
    assert torch.equal(out, r) and out is not r and out.data_ptr() != r.data_ptr()


@pytest.mark.parametrize("edit", [
    lambda r: ablate(r, [0, 3]), lambda r: insert(r, [0, 3], None, 2.0), lambda r: insert(r, [1]),
    lambda r: ablate(r, torch.tensor([5]), torch.ones(4, 5), 0.3)])
def test_edits_are_pure_and_touch_only_their_units(r, edit):
    before = r.clone()
    out = edit(r)
    assert torch.equal(r, before) and not torch.equal(out, r)
    touched = [u for u in range(6) if not torch.equal(out[:, u], r[:, u])]
    assert touched in ([0, 3], [1], [5])


def test_units_that_are_not_there_are_not_all_listed(r):
    with pytest.raises(ValueError, match="no unit 6, 7, 8, .*, 13, …; this layer has units 0 to 5") as refused:
        ablate(r, torch.arange(100_000))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("answer", [None, math.nan, torch.ones(2), "much", [1.0]])
def test_a_measure_of_one_s_own_gives_a_number(answer):
    with pytest.raises(ValueError, match="what measure gives must be a finite number; got"):
        causal_effect(G, "a", [0], S, "red", 4, progress=False, measure=lambda inserted, ablated, c: answer)
    assert causal_effect(G, "a", [0], S, "red", 4, progress=False, measure=lambda *_: torch.ones(1)) == 1.0


@pytest.mark.parametrize("shape", [(4, 5), (3, 1, 4, 5), (1, 1, 4, 5)])
def test_ablate_and_insert_by_loops(r, shape):
    where = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    strength, level = torch.tensor([0.25, 1.0]), torch.tensor([2.0, -1.0])
    P = where.expand(3, 1, 4, 5) if len(shape) == 4 else where.expand(3, 1, 4, 5)
    low, high = ablate(r, [4, 2], where, strength), insert(r, [4, 2], where, level, strength)
    for n in range(3):
        for i, u in enumerate([4, 2]):
            for y in range(4):
                for x in range(5):
                    a = float(strength[i]) * float(P[n, 0, y, x])
                    assert low[n, u, y, x].item() == pytest.approx((1 - a) * float(r[n, u, y, x]), abs=1e-6)
                    want = a * float(level[i]) + (1 - a) * float(r[n, u, y, x])
                    assert high[n, u, y, x].item() == pytest.approx(want, abs=1e-6)


def test_ablate_gives_zero_and_insert_gives_the_level(r):
    where = torch.zeros(4, 5)
    where[1:3, 2:] = 1
    inside = where.bool()
    assert (ablate(r, [1, 2])[:, [1, 2]] == 0).all()
    out = insert(r, [5, 1], where, torch.tensor([7.0, -3.0]))
    assert (out[:, 5][:, inside] == 7).all() and (out[:, 1][:, inside] == -3).all()
    assert torch.equal(out[:, 5][:, ~inside], r[:, 5][:, ~inside])
    assert (insert(r, [0], level=2.5)[:, 0] == 2.5).all()
    assert torch.equal(insert(r, [0, 3])[0, [0, 3], 0, 0], r[:, [0, 3]].amax((0, 2, 3)))


def test_edits_accept_boolean_masks_half_precision_and_gradients(r):
    where = torch.zeros(4, 5, dtype=torch.bool)
    where[0] = True
    out = ablate(r.half(), [2], where)
    assert out.dtype == torch.float16 and (out[:, 2, 0] == 0).all() and (out[:, 2, 1:] == r.half()[:, 2, 1:]).all()
    alpha = torch.full((6,), 0.5, requires_grad=True)
    ablate(r, range(6), strength=alpha).sum().backward()
    assert torch.allclose(alpha.grad, -r.sum((0, 2, 3)), atol=1e-5)


def test_wrong_units_places_and_levels_are_named(r):
    for units, said in (([0, 6], "no unit 6; this layer has units 0 to 5"), ([-1], "no unit -1; this layer")):
        for edit in (ablate, insert):
            with pytest.raises(ValueError, match=said):
                edit(r, units)
    with pytest.raises(ValueError, match="a list of numbers from 0 to 5, or a boolean mask of length 6"):
        ablate(r, [1.5])
    for shape in ((5, 4), (2, 1, 4, 5), (3, 6, 4, 5), (3, 4, 5)):
        with pytest.raises(ValueError, match="mask 4×5 or 3×1×4×5, the size of r; got"):
            ablate(r, [1], torch.ones(shape))
    with pytest.raises(ValueError, match="2 units, but 3 levels"):
        insert(r, [1, 2], level=torch.ones(3))


# ------------------------------------------------------------------------------------------ pictures, levels

def test_class_pixels_count_every_pixel_once():
    x = G(sample_z(5, 12, 0))
    counts = class_pixels(x, S)
    assert counts.shape == (5, 4) and (counts.sum(1) == 32 * 32).all()
    labels = S(x).argmax(1)
    assert counts[3].tolist() == [sum(int(v == c) for v in labels[3].flatten()) for c in range(4)]


def test_levels_are_means_where_the_class_is():
    k = levels(G, "a", [2, 7, 0], S, "green", samples=60, seed=4)
    r, f = G.at(sample_z(60, 12, 4), "a")
    share = (segment(S, f(r)) == 2).view(60, 8, 4, 8, 4).double().mean((2, 4))          # (60, 8, 8)
    want = [(share * r[:, u].double()).sum().item() / share.sum().item() for u in (2, 7, 0)]
    assert k.tolist() == pytest.approx(want, abs=1e-4)
    assert k[0] > 0.5 > k[2]                    # green's own unit is high where green is, red's is not


def test_levels_of_a_class_that_never_occurs_fall_back_to_the_largest_values():
    class Blind(Colours):
        def __call__(self, images):
            scores = super().__call__(images)
            return torch.cat([scores[:, :3], scores[:, 3:] - 1e3], 1)
    r, _ = G.at(sample_z(20, 12, 1), "a")
    assert torch.allclose(levels(G, "a", [4, 8], Blind(), "blue", samples=20), r[:, [4, 8]].amax((2, 3)).mean(0))


# ------------------------------------------------------------------------------------------ collateral

def test_collateral_by_loops():
    rng = torch.Generator().manual_seed(2)
    before, after = torch.randint(0, 3, (2, 2, 6, 6), generator=rng)
    before[:, :3] = 1
    changed = sum(b != 1 and a != b for b, a in zip(before.flatten().tolist(), after.flatten().tolist(), strict=True))
    removed = before.flatten().tolist().count(1) - after.flatten().tolist().count(1)
    assert removed > 0 and collateral(before, after, 1) == pytest.approx(changed / removed)


def test_collateral_never_divides_by_zero():
    before = torch.tensor([[[0, 1], [2, 2]]])
    assert collateral(before, before, 1) == 0.0
    assert collateral(before, torch.tensor([[[0, 0], [2, 2]]]), 1) == 0.0          # a clean cut
    assert collateral(before, torch.tensor([[[0, 0], [0, 2]]]), 1) == 1.0
    assert collateral(before, torch.tensor([[[2, 1], [2, 2]]]), 1) == math.inf     # changed, nothing removed
    assert collateral(before, torch.tensor([[[1, 1], [2, 2]]]), 1) == math.inf     # the class grew


# ------------------------------------------------------------------------------------------ sets of units

@pytest.mark.parametrize("cls", PLANTED)
def test_ablating_the_planted_units_removes_their_class_and_no_other(cls):
    curve = ablation_curve(G, "a", S, cls, PLANTED[cls], counts=(0, 1, 2), samples=60)
    assert curve.counts == (0, 1, 2) and curve.before > 0
    assert curve.removed[0] == 0 and 0 < curve.removed[1] < 1 and curve.removed[2] == 1
    assert curve.collateral == [0, 0, 0] and (curve.spread == 0).all()
    for other in set(PLANTED) - {cls}:
        left = ablation_curve(G, "a", S, other, PLANTED[cls], counts=(2,), samples=60)
        assert -0.15 < left.removed.item() <= 0           # it only grows, where it was hidden behind cls


def test_the_curve_counts_what_a_direct_ablation_counts():
    curve = ablation_curve(G, "b", S, "red", [ENTANGLED, 0, 3], counts=(0, 2, 3), samples=70, seed=9)
    r, f = G.at(sample_z(70, 12, 9), "b")
    before, after = segment(S, f(r)), segment(S, f(ablate(r, [ENTANGLED, 0])))
    assert curve.before == (before == 1).sum() and curve.pixels[0, 1] == (after == 1).sum()
    assert curve.changed[0, 1] == ((before != 1) & (after != before)).sum() > 0
    assert curve.removed[1].item() == pytest.approx(1 - (after == 1).sum().item() / (before == 1).sum().item())
    assert curve.collateral[1] == pytest.approx(collateral(before, after, 1))


def test_in_place_the_units_are_ablated_only_under_the_class():
    curve = ablation_curve(G, "b", S, "red", [ENTANGLED, 0], counts=(2,), samples=30, seed=9, in_place=True)
    r, f = G.at(sample_z(30, 12, 9), "b")
    before = segment(S, f(r))
    edited, k = r.clone(), before.shape[-1] // r.shape[-1]                  # a place is k×k pixels
    for n, i, j in torch.nonzero((before == 1).view(30, r.shape[-2], k, r.shape[-1], k).any(4).any(2)).tolist():
        edited[n, [ENTANGLED, 0], i, j] = 0
    assert not torch.equal(edited, r) and not torch.equal(edited, ablate(r, [ENTANGLED, 0]))
    after = segment(S, f(edited))
    assert curve.pixels.item() == (after == 1).sum()
    assert curve.changed.item() == ((before != 1) & (after != before)).sum()


def test_random_curve_is_the_mean_over_orders_and_far_from_the_planted_one():
    curve = random_curve(G, "a", S, "green", orders=4, counts=(0, 2, 12), samples=40, seed=5)
    assert curve.pixels.shape == (4, 3)
    shares = 1 - curve.pixels.double() / curve.before
    assert torch.allclose(curve.removed, shares.mean(0)) and torch.allclose(curve.spread, shares.std(0))
    assert curve.removed[0] == 0 and curve.removed[1] < 0.7 and curve.removed[2] == 1 and curve.spread[1] > 0
    again = random_curve(G, "a", S, "green", orders=4, counts=(0, 2, 12), samples=40, seed=5)
    assert torch.equal(again.pixels, curve.pixels)


def test_a_curve_of_a_class_that_never_occurs_is_unknown():
    class Never(Colours):
        def __call__(self, images):
            scores = super().__call__(images)
            return torch.cat([scores[:, :3], scores[:, 3:] - 1e3], 1)
    curve = ablation_curve(G, "a", Never(), "blue", [4, 5], counts=(0, 2), samples=8)
    assert curve.before == 0 and curve.removed.isnan().all() and curve.collateral[0] == 0


@pytest.mark.parametrize("cls", PLANTED)
def test_causal_effect_has_the_sign_of_the_cause(cls):
    own = causal_effect(G, "a", PLANTED[cls], S, cls, samples=40)
    assert own > 0.5
    assert causal_effect(G, "a", NOISE, S, cls, samples=40) == 0
    others = [u for name in PLANTED if name != cls for u in PLANTED[name]]
    assert causal_effect(G, "a", others, S, cls, samples=40, level=2.0) < 0        # painted over


def test_the_curve_of_the_effect_is_causal_effect_of_each_prefix():
    own = [*PLANTED["green"], *NOISE]
    found = effect_curve(G, "a", S, "green", {"planted": own}, (0, 1, 2), samples=20, draws=2, progress=False)
    mean, spread = found["planted"]
    k = levels(G, "a", range(12), S, "green", samples=20, seed=3)
    want = [0.0, *(causal_effect(G, "a", own[:n], S, "green", samples=20, level=k[own[:n]]) for n in (1, 2))]
    assert mean.tolist() == pytest.approx(want) and mean[2] > mean[1] > 0
    r, f = G.at(sample_z(20, G.z_dim, seed=3), "a")
    each = [effect(segment(S, f(insert(one, own[:2], level=k[own[:2]]))), segment(S, f(ablate(one, own[:2]))),
                   CLASSES.index("green")) for one in r.split(1)]
    assert spread[0] == 0 and spread[2].item() == pytest.approx(statistics.stdev(each) / 20 ** 0.5)
    rng = torch.Generator().manual_seed(3)
    lots = [torch.randperm(12, generator=rng)[:2].tolist() for _ in range(2)]
    lucky = [causal_effect(G, "a", lot, S, "green", samples=20, level=k[lot]) for lot in lots]
    mean, spread = found["random"]
    assert mean[2].item() == pytest.approx(sum(lucky) / 2) and spread[2].item() == pytest.approx(
        abs(lucky[0] - lucky[1]) / 2 ** 0.5)
    with pytest.raises(ValueError, match="counts go from 0 to the 1 units"):
        effect_curve(G, "a", S, "green", {"one": own[:1]}, (2,), samples=2, progress=False)


def test_causal_effect_by_hand():
    where = torch.zeros(8, 8)
    where[2:5, 1:6] = 1
    delta = causal_effect(G, "a", [2, 3], S, "green", samples=70, seed=6, level=1.2, where=where)
    r, f = G.at(sample_z(70, 12, 6), "a")
    shares = []
    for value in (1.2, 0.0):
        edited = r.clone()
        edited[:, 2:4, 2:5, 1:6] = value
        shares.append((S(f(edited)).argmax(1) == 2).double().mean().item())
    assert delta == pytest.approx(shares[0] - shares[1], abs=1e-6) and delta > 0.02


# ------------------------------------------------------------------------------------------ finding the set

@pytest.mark.parametrize("cls", PLANTED)
def test_rank_by_effect_finds_the_planted_units(cls):
    ranking = rank_by_effect(G, "a", S, cls, collateral_weight=1.0, progress=False)
    causes = PLANTED[cls] + [ENTANGLED] * (cls == "green")
    assert set(ranking.units[:len(causes)]) == set(causes) and sorted(ranking.units) == list(range(12))
    first = ranking.units[0]
    r, f = G.at(sample_z(32, 12, 2), "a")
    before, after = segment(S, f(r)), segment(S, f(ablate(r, [first])))
    c = CLASSES.index(cls)
    gone = (before == c).sum() - (after == c).sum()
    spoilt = ((before != c) & (after != before)).sum()
    assert ranking.score[first].item() == pytest.approx(((gone - spoilt) / (before == c).sum()).item())


def test_rank_by_effect_sees_through_a_unit_that_only_looks_right():
    by_iou = dissect(G, "a", S, samples=200, quantile=0.06, progress=False)
    assert by_iou.label(ENTANGLED)[0] == "red"
    plain = rank_by_effect(G, "a", S, "green", progress=False)
    assert ENTANGLED == plain.units[0]               # it looks red, but green is what it makes
    priced = rank_by_effect(G, "a", S, "red", collateral_weight=1.0, progress=False)
    assert priced.units[-1] == ENTANGLED or priced.score[ENTANGLED] < 0


def test_rank_by_effect_of_candidates_only():
    ranking = rank_by_effect(G, "a", S, "red", candidates=[9, 1, 4], progress=False)
    assert ranking.units[0] == 1 and sorted(ranking.units) == [1, 4, 9]
    assert ablation_curve(G, "a", S, "red", ranking, counts=(0, 3), samples=20).removed[1] > 0


@pytest.mark.parametrize("cls", PLANTED)
def test_optimise_alpha_eq6_finds_the_planted_units(cls):
    found = optimise_alpha(G, "a", S, cls, steps=30, collateral_weight=1.0, progress=False)
    assert set(found.units[:2]) == set(PLANTED[cls])
    assert found.score[PLANTED[cls]].min() > 0.9
    rest = [u for u in range(12) if u not in PLANTED[cls] and not (cls == "green" and u == ENTANGLED)]
    assert found.score[rest].max() < 0.6 and 0 <= found.score.min() and found.score.max() <= 1
    assert len(found.history) == 30 and found.history[-1]["loss"] < found.history[0]["loss"]
    curve = ablation_curve(G, "a", S, cls, found, counts=(2,), samples=40)
    assert curve.removed.item() > 0.9 and curve.collateral[0] < 0.1


def test_the_loss_of_alpha_eq6_by_hand_and_a_step_against_its_slope():
    alpha, k = torch.linspace(0.1, 0.9, 12), torch.full((12,), 1.3)
    found = optimise_alpha(G, "a", S, "red", steps=1, batch=4, samples=30, lr=0.01, l2=0.3, init=alpha, level=k,
                           progress=False)
    z, rng = sample_z(30, 12, 2), torch.Generator().manual_seed(2)
    z = z[(segment(S, G(z)) == 1).flatten(1).any(1)]
    r, f = G.at(z[torch.randperm(len(z), generator=rng)[:4]], "a")
    labels, lot = segment(S, f(r)), torch.rand(4, 1, 8, 8, generator=rng)

    def loss(alpha):
        down, up, Q = r * (1 - alpha.view(12, 1, 1)), r.clone(), []
        for n in range(4):
            for y in range(8):
                for x in range(8):
                    block = labels[n, 4 * y:4 * y + 4, 4 * x:4 * x + 4]
                    if lot[n, 0, y, x] < 0.1 and not (block == 1).any():
                        up[n, :, y, x] = alpha * k + (1 - alpha) * r[n, :, y, x]
                        Q.append((n, slice(4 * y, 4 * y + 4), slice(4 * x, 4 * x + 4)))
        s_a, s_i = (S(f(edited)).softmax(1)[:, 1] for edited in (down, up))
        drawn = torch.stack([s_i[place] for place in Q]).mean()             # read where it was inserted
        return float(s_a[labels == 1].mean() - drawn + 0.3 * (alpha * alpha).sum())

    assert found.history[0]["loss"] == pytest.approx(loss(alpha), abs=1e-4)
    slopes = [(loss(alpha + e) - loss(alpha - e)) / 0.02 for e in 0.01 * torch.eye(12)]
    sure = [u for u in range(12) if abs(slopes[u]) > 0.02]
    assert len(sure) > 9 and all((found.score[u] < alpha[u]) == (slopes[u] > 0) for u in sure)


def test_alpha_is_clipped_after_each_step():
    found = optimise_alpha(G, "a", S, "red", steps=2, lr=5.0, samples=30, progress=False)
    assert set(found.score.tolist()) <= {0.0, 1.0}


def test_the_collateral_term_leaves_the_entangled_unit_alone():
    cheap = optimise_alpha(G, "a", S, "red", progress=False)
    dear = optimise_alpha(G, "a", S, "red", collateral_weight=1.0, progress=False)
    assert cheap.score[ENTANGLED] > 0.9 and dear.score[ENTANGLED] < 0.1
    prices = [ablation_curve(G, "a", S, "red", [u for u in range(12) if a.score[u] > 0.5], (0, k), 40).collateral[1]
              for a in (cheap, dear) for k in [int((a.score > 0.5).sum())]]
    assert prices[0] > 0.3 and prices[1] < 0.1


def test_insertion_is_read_where_it_was_inserted():
    """A unit that draws red only when forced up: nothing ever ablates it, so only the insertion can find it."""
    class Dormant(Rigged):
        def at(self, z, layer):
            r, f = super().at(z, layer)
            r = r.clone()
            r[:, 7] = r[:, 7].clamp(max=-0.1)
            draws = torch.zeros(1, 12, 1, 1)
            draws[0, 7] = 1
            return r, lambda r: f(r + torch.roll(draws, -7, 1) * 2 * r[:, 7:8].relu())
    k = torch.zeros(12)
    k[7] = 1.5
    inserted = optimise_alpha(Dormant(), "a", S, "red", level=k, steps=20, init=0.5, progress=False)
    assert inserted.score[7] > 0.9 and inserted.history[-1]["drawn"] > 0.8
    without = optimise_alpha(Dormant(), "a", S, "red", level=k, steps=20, insertion_weight=0.0, progress=False)
    assert without.score[7] <= 0.5


def test_insertion_is_tried_only_where_the_class_is_absent():
    """With α = 0 nothing is inserted, so what is read under Q is the class in the picture itself: none."""
    found = optimise_alpha(G, "a", S, "red", steps=1, batch=50, init=0.0, progress=False)
    assert found.history[0]["drawn"] < 0.03 and found.history[0]["left"] > 0.9


def test_l2_alone_pulls_alpha_down_and_seed_repeats():
    runs = [optimise_alpha(G, "a", S, "blue", steps=6, l2=l2, progress=False) for l2 in (0.02, 0.02, 50.0)]
    assert torch.equal(runs[0].score, runs[1].score)
    assert (runs[2].score < 0.5).all() and runs[2].score.max() < runs[0].score.max()


def test_optimise_alpha_starts_where_it_is_told_and_leaves_the_generator_alone():
    class Weighted(torch.nn.Module, Rigged):
        def __init__(self):
            super().__init__()
            Rigged.__init__(self)
            self.gain = torch.nn.Parameter(torch.ones(1))

        def at(self, z, layer):
            r, f = Rigged.at(self, z, layer)
            return r * self.gain, f

        __call__ = Rigged.__call__
    model, init = Weighted().train(), torch.linspace(0, 1, 12)
    found = optimise_alpha(model, "a", S, "red", steps=1, lr=1e-6, init=init, progress=False)
    assert torch.allclose(found.score, init, atol=1e-5) and torch.equal(init, torch.linspace(0, 1, 12))
    assert model.gain.grad is None and model.training


def test_what_cannot_be_searched_says_why():
    class Hard(Colours):
        def __call__(self, images):
            return torch.nn.functional.one_hot(super().__call__(images).argmax(1), 4).permute(0, 3, 1, 2).float()
    with pytest.raises(ValueError, match="differentiable generator and segmenter; rank_by_effect"):
        optimise_alpha(G, "a", Hard(), "red", samples=8, progress=False)

    class Blind(Colours):
        def __call__(self, images):
            scores = super().__call__(images)
            return torch.cat([scores[:, :3], scores[:, 3:] - 1e3], 1)
    for search in (optimise_alpha, rank_by_effect):
        with pytest.raises(ValueError, match="none of 8 pictures shows 'blue'"):
            search(G, "a", Blind(), "blue", samples=8, progress=False)


def test_wrong_names_units_and_counts_are_answered_with_the_right_ones():
    calls = [lambda layer, cls: levels(G, layer, [0], S, cls), lambda layer, cls: causal_effect(G, layer, [0], S, cls),
             lambda layer, cls: ablation_curve(G, layer, S, cls, [0], (0, 1)),
             lambda layer, cls: random_curve(G, layer, S, cls), lambda layer, cls: rank_by_effect(G, layer, S, cls),
             lambda layer, cls: optimise_alpha(G, layer, S, cls)]
    for call in calls:
        with pytest.raises(ValueError, match="no layer 'z'.*a, b"):
            call("z", "red")
        with pytest.raises(ValueError, match="no class 'bleu'.*'blue'.*nothing, red, green, blue"):
            call("a", "bleu")
    with pytest.raises(ValueError, match="no unit 40; this layer has units 0 to 11"):
        ablation_curve(G, "a", S, "red", [0, 40], (0, 1))
    for counts in ((0, 3), (-1,)):
        with pytest.raises(ValueError, match="from 0 to the 2 units of the ranking"):
            ablation_curve(G, "a", S, "red", [0, 1], counts)


# ------------------------------------------------------------------------------------------ a set in a file

def test_a_set_of_units_comes_back_from_its_file_and_serves_as_units(tmp_path):
    ranking = rank_by_effect(G, "a", S, "red", candidates=[9, 1, 4], samples=8, progress=False)
    saved = save_units(tmp_path / "red.json", ranking.units[:2], "a", "red", "effect alone", G, model="rigged")
    found = load_units(tmp_path / "red.json", G)
    assert found == saved == UnitSet("a", "red", tuple(ranking.units[:2]), "effect alone", "rigged", "")
    about = json.loads((tmp_path / "red.json").read_text("utf-8"))
    assert about["class"] == "red" and about["layer"] == "a" and about["units"] == ranking.units[:2]
    r, _ = G.at(sample_z(2, 12, 0), "a")
    assert torch.equal(ablate(r, found), ablate(r, ranking.units[:2]))
    curve = ablation_curve(G, "a", S, "red", found, (0, 2), samples=10, progress=False)
    assert torch.equal(curve.pixels, ablation_curve(G, "a", S, "red", ranking, (0, 2), 10, progress=False).pixels)
    assert [p.name for p in tmp_path.iterdir()] == ["red.json"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    save_units(tmp_path / "u.json", [1], "a", "red")

    def full(*_):
        raise OSError("disk full")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        save_units(tmp_path / "u.json", [2], "a", "red")
    assert load_units(tmp_path / "u.json").units == (1,) and len(list(tmp_path.iterdir())) == 1


def test_a_wrong_file_of_units_says_what_is_wrong(tmp_path):
    path = tmp_path / "u.json"
    with pytest.raises(FileNotFoundError, match="no file .*u.json"):
        load_units(path)
    save_units(path, [3, 11], "a", "red")
    good = path.read_text("utf-8")
    for text in (good[:40], "[]", "{}", good.replace("gan_teach.units", "other"), good.replace("3,", "-3,"),
                 good.replace("3,", '"3",'), good.replace('"a"', "7"), good.replace('"class"', '"klass"'), "3", "\0"):
        path.write_text(text, "utf-8")
        with pytest.raises(ValueError, match=r"u\.json is no saved set of units, or damaged"):
            load_units(path)


def test_units_are_refused_by_a_generator_they_do_not_fit(tmp_path):
    path = tmp_path / "u.json"
    with pytest.raises(ValueError, match="no unit 12; this layer has units 0 to 11"):
        save_units(path, [12], "a", "red", G=G)
    with pytest.raises(ValueError, match="no layer 'c'.*a, b"):
        save_units(path, [1], "c", "red", G=G)
    for units, layer, said in (([12], "a", "no unit 12"), ([1], "c", "no layer 'c'")):
        save_units(path, units, layer, "red")
        with pytest.raises(ValueError, match=f"u.json does not fit this generator: {said}"):
            load_units(path, G)
    first, second = Rigged(), Rigged()
    first.record, second.record = {"sha256": "a" * 64}, {"sha256": "b" * 64}
    save_units(path, [1], "a", "red", G=first, model="first")
    assert load_units(path, first).sha256 == "a" * 64 and load_units(path, G).model == "first"
    with pytest.raises(ValueError, match="found in another generator .first, sha256 aaaaaaaa…, not bbbbbbbb…"):
        load_units(path, second)
