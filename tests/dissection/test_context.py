"""Context and resistance: a planted veto found, tables recomputed by loops in float64, error messages."""

import math

import pytest
import torch
from rigged import CLASSES, NOISE, PLANTED, Colours, Drawn, Rigged

from gan_teach.dissection.context import (
    MIXED,
    Contexts,
    Resistance,
    Tries,
    context_effects,
    insertion_maps,
    resists_removal,
)
from gan_teach.dissection.intervention import ablate, levels
from gan_teach.dissection.pixels import label_pixels, pictures, ratio
from gan_teach.dissection.unit_iou import dissect
from gan_teach.dissection.units import UnitSet
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import segment

G, S = Rigged(), Colours()


class Village(Drawn):
    """Unit 0 is a wall (red); unit 1 a door (green), drawn in a wall only; one place is 2×2 pixels."""

    layers, z_dim = ("only",), 2

    def at(self, z, layer):
        y, x = torch.meshgrid(torch.arange(4.), torch.arange(4.), indexing="ij")
        wall = ((x - 1.5).abs() < 1 + z[:, :1, None]) & (y >= 2 + z[:, 1:, None])           # (N, 4, 4)
        r, N = torch.stack([wall.float(), torch.zeros(len(z), 4, 4)], 1), len(z)

        def f(r):
            assert len(r) == N, "f remembers what it was made for"
            wall, door = r.split(1, 1)
            door = door * (wall > 0.5)
            ink = torch.cat([wall * (door < 0.5), door, 0 * door], 1)
            return torch.nn.functional.interpolate(2 * ink - 1, scale_factor=2)

        return r, f


# ------------------------------------------------------------------------------------------ a door in the sky

def test_a_door_appears_in_a_wall_and_nowhere_else():
    found = context_effects(Village(), "only", [1], S, "green", samples=20, level=1.0, batch=8, progress=False)
    wall = Village().at(sample_z(20, 2, 3), "only")[0][:, 0] > 0.5
    assert 0 < wall.sum() < wall.numel() and torch.equal(found.tries.gained, 4 * wall.long())
    assert torch.equal(found.context, wall.long())              # class 1 is the wall's red, class 0 nothing
    assert torch.equal(found.tries.appeared, 4 * wall.long()) and (found.tries.asked == 4).all()
    share, doubt = found.share
    assert share[:2].tolist() == [0.0, 1.0] and doubt[:2].tolist() == [0.0, 0.0] and share[2:].isnan().all()
    mean, error = found.effect
    assert mean[:2].tolist() == [0.0, 1.0] and error[:2].tolist() == [0.0, 0.0] and mean[2:].isnan().all()
    assert found.places.tolist() == [(~wall).sum(), wall.sum(), 0, 0] and found.place == 4
    one = context_effects(Village(), "only", [1], S, "green", samples=1, level=1.0, batch=8, progress=False)
    assert "nan" not in str(one) and str(one).count("±     –") == str(one).count("± –") == 2    # one picture: no error


def test_insertion_maps_by_loops_and_whatever_the_batch():
    z, k = sample_z(3, 12, 8), torch.tensor([1.2, 0.7])
    runs = [insertion_maps(G, z, "a", [2, 3], S, "green", k, batch=batch, progress=False) for batch in (1, 2, 7, 200)]
    for run in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(run, runs[0], strict=True))
    r, f = G.at(z, "a")
    before = segment(S, f(r))
    assert torch.equal(before, runs[0].labels)
    for y in range(8):
        for x in range(8):
            edited = r.clone()
            edited[:, 2, y, x], edited[:, 3, y, x] = 1.2, 0.7
            after = segment(S, f(edited))
            for n in range(3):
                assert runs[0].gained[n, y, x] == (after[n] == 2).sum() - (before[n] == 2).sum()
                was, now = (labels[n, 4 * y:4 * y + 4, 4 * x:4 * x + 4] == 2 for labels in (before, after))
                assert runs[0].asked[n, y, x] == (~was).sum() and runs[0].appeared[n, y, x] == (now & ~was).sum()
    assert runs[0].gained.max() > 0 and runs[0].appeared.max() > 0


def test_a_wider_reach_lights_the_places_around():
    z, k = sample_z(2, 12, 8), torch.tensor([1.2, 0.7])
    tries = insertion_maps(G, z, "a", [2, 3], S, "green", k, reach=3, progress=False)
    r, f = G.at(z, "a")
    before = segment(S, f(r))
    for y, x in ((0, 0), (3, 5), (7, 7)):
        edited, lit = r.clone(), torch.zeros(32, 32, dtype=torch.bool)
        for v in range(max(0, y - 1), min(8, y + 2)):
            for u in range(max(0, x - 1), min(8, x + 2)):
                edited[:, 2, v, u], edited[:, 3, v, u] = 1.2, 0.7
                lit[4 * v:4 * v + 4, 4 * u:4 * u + 4] = True
        after = segment(S, f(edited))
        for n in range(2):
            free = lit & (before[n] != 2)
            assert tries.asked[n, y, x] == free.sum() and tries.appeared[n, y, x] == (free & (after[n] == 2)).sum()
    with pytest.raises(ValueError, match="odd number of places"):
        insertion_maps(G, z, "a", [2, 3], S, "green", k, reach=2, progress=False)


def test_forcing_the_wrong_level_costs_pixels():
    gained = insertion_maps(G, sample_z(8, 12, 8), "a", [2, 3], S, "green", -5.0, progress=False).gained
    assert gained.min() < 0 and gained.max() <= 0


def test_the_table_of_contexts_by_loops_in_float64():
    rng = torch.Generator().manual_seed(1)
    gained, context = torch.randint(-3, 9, (5, 2, 3), generator=rng), torch.randint(-1, 3, (5, 2, 3), generator=rng)
    appeared = torch.randint(0, 4, (5, 2, 3), generator=rng)
    tries = Tries(gained, appeared, appeared + 1, torch.zeros(5, 4, 6))
    found = Contexts("a", ("a", "b", "c", "d"), tries, context, 4.0)
    (mean, error), (share, doubt) = found.effect, found.share
    for c in range(3):
        values = [[g / 4 for g, where in zip(gs.flatten().tolist(), cs.flatten().tolist(), strict=True) if where == c]
                  for gs, cs in zip(gained, context, strict=True)]
        n = sum(map(len, values))
        m = sum(map(sum, values)) / n
        squares = sum(sum(v - m for v in picture) ** 2 for picture in values)
        assert found.places[c] == n and mean[c].item() == pytest.approx(m, abs=1e-12)
        assert error[c].item() == pytest.approx(math.sqrt(5 / 4 * squares) / n, abs=1e-12)
        new = [[a for a, where in zip(many.flatten().tolist(), cs.flatten().tolist(), strict=True) if where == c]
               for many, cs in zip(appeared, context, strict=True)]
        asked = sum(map(sum, new)) + n
        rate = sum(map(sum, new)) / asked
        squares = sum((sum(picture) - rate * (sum(picture) + len(picture))) ** 2 for picture in new)
        assert share[c].item() == pytest.approx(rate, abs=1e-12)
        assert doubt[c].item() == pytest.approx(math.sqrt(5 / 4 * squares) / asked, abs=1e-12)
    assert found.places[3] == 0 and mean[3].isnan() and error[3].isnan()
    lines = str(found).splitlines()
    best = share[:3].argmax().item()
    assert len(lines) == 5 and lines[2].split()[0] == "abc"[best] and f"{mean[best]:+.3f}" in lines[2]
    assert f"{share[best]:.1%}" in lines[2]


def test_a_place_counts_for_the_class_that_fills_it():
    z = sample_z(6, 12, 3)
    labels = segment(S, G(z))
    for share in (0.5, 0.9):
        found = context_effects(G, "a", [0], S, "red", samples=6, level=1.0, min_share=share, progress=False)
        for n in range(6):
            for y in range(8):
                for x in range(8):
                    block = labels[n, 4 * y:4 * y + 4, 4 * x:4 * x + 4].flatten().tolist()
                    most = max(block.count(c) for c in range(4))
                    at = found.context[n, y, x].item()
                    assert at == MIXED if most < share * 16 else block.count(at) == most
    assert (found.context == MIXED).any()


def test_the_level_is_the_conditional_mean_of_other_pictures():
    k = levels(G, "a", [0, 1], S, "red")
    runs = [context_effects(G, "a", [0, 1], S, "red", samples=4, level=level, progress=False) for level in (None, k)]
    assert torch.equal(runs[0].tries.gained, runs[1].tries.gained) and runs[0].tries.gained.max() > 0


def test_the_error_of_a_ratio_is_that_of_a_mean_when_all_weigh_the_same():
    a = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).double()
    mean, error = ratio(a, torch.ones_like(a))
    assert torch.allclose(mean, a.mean(0)) and torch.allclose(error, a.std(0) / 40 ** 0.5)
    assert ratio(a, torch.zeros_like(a))[0].isnan().all() and ratio(a[:1], torch.ones(1, 3))[1].isnan().all()
    share, error = ratio(torch.tensor([2, 0, 0]), torch.tensor([4, 0, 0]))      # only one picture shows the class
    assert share == 0.5 and error.isnan()


def test_the_error_of_a_ratio_is_what_new_samples_show():
    rng = torch.Generator().manual_seed(0)
    b = torch.randint(1, 9, (2000, 50), generator=rng).double()
    a = b * 0.5 + torch.randn(2000, 50, generator=rng).double()
    found = [ratio(x, y) for x, y in zip(a, b, strict=True)]                # 2000 times 50 pictures
    shown = torch.stack([value for value, _ in found]).std()
    assert torch.stack([error for _, error in found]).mean().item() == pytest.approx(shown.item(), rel=0.06)


# ------------------------------------------------------------------------------------------ what resists removal

def test_resists_removal_by_loops():
    rankings = {"red": [0, 7, 1], "blue": [5, 4, 3]}
    found = resists_removal(G, "a", S, rankings, n=2, samples=60, seed=5, draws=3, progress=False)
    r, f = G.at(sample_z(60, 12, 5), "a")
    rng = torch.Generator().manual_seed(5)
    sets = [torch.randperm(12, generator=rng)[:2].tolist() for _ in range(3)]
    (left, error), (mean, spread) = found.left, found.random_left
    for i, (c, units) in enumerate(((1, [0, 7]), (3, [5, 4]))):
        def counts(units, c=c):
            return [sum(v == c for v in s.flatten().tolist()) for s in segment(S, f(ablate(r, units)))]
        before, after = counts([]), counts(units)
        R = sum(after) / sum(before)
        squares = sum((a - R * b) ** 2 for a, b in zip(after, before, strict=True))
        chance = [sum(counts(u)) / sum(before) for u in sets]
        m = sum(chance) / 3
        assert left[i].item() == pytest.approx(R, abs=1e-12)
        assert error[i].item() == pytest.approx(math.sqrt(60 / 59 * squares) / sum(before), abs=1e-12)
        assert mean[i].item() == pytest.approx(m, abs=1e-12)
        assert spread[i].item() == pytest.approx(math.sqrt(sum((v - m) ** 2 for v in chance) / 2), abs=1e-12)
    assert left[0] > 0 and left[1] == 0


def test_planted_classes_vanish_and_what_has_no_units_resists():
    planted = {**PLANTED, "nothing": NOISE}
    found = resists_removal(G, "b", S, planted, n=2, samples=40, draws=4, progress=False)
    (left, error), (mean, _) = found.left, found.random_left
    assert left[:3].tolist() == [0, 0, 0] and (mean[:3] > 0.3).all() and left[3] == 1 and error[3] == 0
    lines = str(found).splitlines()
    assert lines[2].split()[:1] == ["nothing"] and "100.0% ± 0.0%" in lines[2] and len(lines) == 6


def test_a_dissection_ranks_by_iou_and_a_unit_set_serves_too():
    d = dissect(G, "a", S, samples=100, quantile=0.06, progress=False)
    by_d = resists_removal(G, "a", S, d, n=3, samples=20, classes=["green", "red"], progress=False)
    by_hand = resists_removal(G, "a", S, {name: UnitSet("a", name, tuple(d.units_for(name))) for name in CLASSES},
                              n=3, samples=20, classes=["green", "red"], progress=False)
    assert by_d.classes == ("green", "red") and torch.equal(by_d.after, by_hand.after)
    assert torch.equal(by_d.before, torch.cat([label_pixels(segment(S, f(r)), 4) for r, f in
                                               pictures(G, "a", 20, 3)])[:, [2, 1]])


def test_a_class_that_never_occurs_is_unknown():
    found = Resistance(("a", "b"), 2, torch.tensor([[3, 0], [5, 0]]), torch.tensor([[1, 0], [1, 0]]),
                       torch.tensor([[[3, 0], [5, 0]], [[0, 0], [4, 0]]]))
    assert found.left[0][0] == 0.25 and found.left[0][1].isnan() and found.random_left[0].tolist()[0] == 0.75
    assert "never seen" in str(found).splitlines()[-1]


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="no layer 'z'.*a, b"):
        context_effects(G, "z", [0], S, "red")
    with pytest.raises(ValueError, match="no class 'bleu'.*'blue'"):
        context_effects(G, "a", [0], S, "bleu")
    with pytest.raises(ValueError, match="no unit 12; this layer has units 0 to 11"):
        context_effects(G, "a", [12], S, "red")
    with pytest.raises(ValueError, match="min_share.*got 0"):
        context_effects(G, "a", [0], S, "red", min_share=0)
    with pytest.raises(ValueError, match="samples must be a whole number from 1 on; got 0"):
        context_effects(G, "a", [0], S, "red", samples=0)
    with pytest.raises(ValueError, match="no layer 'z'.*a, b"):
        resists_removal(G, "z", S, PLANTED)
    with pytest.raises(ValueError, match="n, of the layer's units, must be a whole number from 0 to 12; got 13"):
        resists_removal(G, "a", S, PLANTED, n=13)
    with pytest.raises(ValueError, match="draws must be a whole number from 1 on; got 0"):
        resists_removal(G, "a", S, PLANTED, n=1, draws=0)
    with pytest.raises(ValueError, match="ranking for 'red' has only 2 units; n = 3"):
        resists_removal(G, "a", S, PLANTED, n=3)
    with pytest.raises(ValueError, match="no ranking for class 'gren'.*'green'"):
        resists_removal(G, "a", S, PLANTED, n=1, classes=["gren"])
    with pytest.raises(ValueError, match="no class 'sky'.*nothing, red"):
        resists_removal(G, "a", S, {"sky": [1]}, n=1)


def test_what_takes_long_shows_a_bar_unless_told_not_to(capsys):
    for progress in (False, True):
        context_effects(G, "a", [0], S, "red", samples=1, progress=progress)
        resists_removal(G, "a", S, PLANTED, n=1, samples=2, draws=1, progress=progress)
        shown = capsys.readouterr().err
        assert all((name in shown) == progress for name in ("levels of red", "insert red", "resists removal"))
