"""Dissection: thresholds, masks and IoU recomputed by loops; a planted answer found; error messages."""

import math
import re
import weakref
from fractions import Fraction

import numpy as np
import pytest
import torch
from rigged import NOISE, PLANTED, Colours, Drawn, Rigged
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm import tqdm

from gan_teach.dissection import unit_iou
from gan_teach.dissection.agreement import Dissection
from gan_teach.dissection.unit_iou import dissect, dissect_layers, masks, quantile_thresholds
from gan_teach.networks import protocols
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import segment


class Small(Drawn):
    """A generator small enough to check with loops: 3 units of 3×4 draw a 6×8 picture."""

    layers, z_dim = ("only",), 36

    def at(self, z, layer):
        def f(r):
            return nn.functional.interpolate(r, scale_factor=2, mode="nearest").tanh()
        return z.view(-1, 3, 3, 4), f


class Brightest:
    """Labels a pixel with its brightest channel; with `step` 2, at half the picture's size."""

    classes = ("r", "g", "b", "never")

    def __init__(self, step=1):
        self.step = step

    def __call__(self, images):
        images = images[..., ::self.step, ::self.step]
        return torch.cat([images, torch.full_like(images[:, :1], -9)], 1)


def enlarge(image, height, width):
    """Bilinear, align_corners=False, one pixel after the other in float64."""
    h, w = image.shape
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * h / height - 0.5, 0), h - 1)
            x = min(max((j + 0.5) * w / width - 0.5, 0), w - 1)
            y0, x0 = int(y), int(x)
            y1, x1, dy, dx = min(y0 + 1, h - 1), min(x0 + 1, w - 1), y - int(y), x - int(x)
            out[i, j] = ((1 - dy) * ((1 - dx) * image[y0, x0] + dx * image[y0, x1])
                         + dy * ((1 - dx) * image[y1, x0] + dx * image[y1, x1]))
    return out


# ------------------------------------------------------------------------------------------ thresholds

class Same:
    """r = z: the values of units whose thresholds are asked for."""

    def at(self, z, layer):
        return z[:, :, None, None], lambda r: r


def thresholds(values, quantile, batch):
    """What `dissect` takes for n × units values, in batches."""
    return quantile_thresholds(Same(), {"same": (1, values.shape[1], 1, 1)}, values, quantile, batch,
                               tqdm(disable=True), None, keep=0)[0]["same"]


@pytest.mark.parametrize("quantile", [0.01, 0.05, 0.07, 0.29, 0.5, 0.999])
@pytest.mark.parametrize("ties", [False, True])
def test_a_threshold_is_the_least_t_with_at_most_q_above(quantile, ties):
    values = torch.randn(3, 100, generator=torch.Generator().manual_seed(1))
    if ties:
        values = (values * 3).round()
    t = thresholds(values.T, quantile, 37)
    for u in range(3):
        column = values[u].tolist()
        fits = [v for v in column if sum(w > v for w in column) <= Fraction(str(quantile)) * 100]
        assert t[u].item() == min(fits)
    if not ties:
        assert ((values > t[:, None]).sum(1) == math.floor(Fraction(str(quantile)) * 100)).all()


def test_a_threshold_is_numpys_inverted_cdf():
    values = torch.randn(4, 1000, generator=torch.Generator().manual_seed(2))
    want = np.quantile(values.numpy(), 1 - 0.0625, axis=1, method="inverted_cdf")
    assert np.array_equal(thresholds(values.T, 0.0625, 90).numpy(), want)


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1, 1.5])
def test_a_threshold_refuses_a_share_outside_0_1(quantile):
    with pytest.raises(ValueError, match=f"between 0 and 1; got {quantile}"):
        thresholds(torch.zeros(5, 1), quantile, 5)


def test_a_threshold_keeps_only_the_top_values_and_a_batch():
    units, batch, n, largest = 5, 200, 20_000, []
    values = torch.randn(n, units, generator=torch.Generator().manual_seed(0))

    class Largest(TorchDispatchMode):
        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            out = op(*args, **(kwargs or {}))
            largest.extend(t.numel() for t in (out if isinstance(out, tuple) else (out,)))
            return out

    with Largest():
        thresholds(values, 0.01, batch)
    assert max(largest) <= units * (n // 100 + 1 + batch)                # all values would be 100 000


@pytest.mark.parametrize("kept", [0, 3])
def test_dissect_keeps_what_it_may_and_else_no_more_than_two_batches_of_r(kept, monkeypatch):
    alive, most = [], []
    monkeypatch.setattr(unit_iou, "KEEP", kept * 5 * 3 * 3 * 4 * 4)       # so many batches of 5 times 3×3×4 floats

    class Watched(Small):
        def at(self, z, layer):
            r, f = super().at(z, layer)
            r = r.clone()
            alive.append(weakref.ref(r))
            most.append(sum(ref() is not None for ref in alive))
            return r, f

    d = dissect(Watched(), "only", Brightest(), samples=60, batch=5, progress=False)
    assert len(alive) == 1 + 24 - kept and max(most) <= 2 + kept
    monkeypatch.undo()
    whole = dissect(Small(), "only", Brightest(), samples=60, progress=False)
    assert all(torch.equal(getattr(d, name), getattr(whole, name)) for name in
               ("thresholds", "fold_intersection", "fold_unit_pixels", "fold_class_pixels", "loudest"))


@pytest.mark.parametrize("batch", [7, 60])
def test_loudest_are_the_pictures_with_the_largest_values(batch):
    class Level(Small):
        def at(self, z, layer):
            r, f = super().at(z, layer)
            return r.round(), f                                             # many equal ones: the earlier first

    d = dissect(Level(), "only", Brightest(), samples=60, seed=4, batch=batch, progress=False)
    peak = Level().at(sample_z(60, 36, 4), "only")[0].amax((2, 3))          # (60, 3)
    assert d.seed == 4 and d.loudest.shape == (3, 20)
    for u, found in enumerate(d.loudest.tolist()):
        assert found == sorted(range(60), key=lambda i: (-peak[i, u].item(), i))[:20]


# ------------------------------------------------------------------------------------------ masks and counts

@pytest.mark.parametrize("size", [(6, 8), (7, 5), (3, 4), (2, 2)])
def test_masks_equal_a_loop_over_pixels(size):
    r = torch.randn(2, 3, 3, 4, generator=torch.Generator().manual_seed(3))
    t = torch.tensor([0.1, -0.3, 0.6])
    found = masks(r, t, size)
    assert found.shape == (2, 3, *size) and found.dtype == torch.bool
    for n in range(2):
        for u in range(3):
            assert np.array_equal(found[n, u].numpy(), enlarge(r[n, u].double().numpy(), *size) > t[u].item())


def test_masks_are_strictly_above():
    r = torch.tensor([[[[1.0, 2.0], [3.0, 2.0]]]])
    assert masks(r, torch.tensor([2.0]), (2, 2)).tolist() == [[[[False, False], [True, False]]]]


@pytest.mark.parametrize("step, batch", [(1, 4), (2, 5), (1, 50)])
def test_iou_eq2_by_loops(step, batch):
    G, S, samples, quantile = Small(), Brightest(step), 13, 0.1
    d = dissect(G, "only", S, samples=samples, quantile=quantile, seed=5, batch=batch, progress=False)
    r, f = G.at(sample_z(samples, 36, 5), "only")
    labels = S(f(r)).argmax(1).numpy()
    for u in range(3):
        values = sorted(r[:, u].flatten().tolist(), reverse=True)
        t = values[int(quantile * len(values))]
        assert d.thresholds[u].item() == t
        on = np.stack([enlarge(image.double().numpy(), *labels.shape[1:]) > t for image in r[:, u]])
        assert d.unit_pixels[u].item() == on.sum()
        for c in range(4):
            both = either = 0
            for a, label in zip(on.flat, labels.flat, strict=True):
                both += bool(a) and label == c
                either += bool(a) or label == c
            assert d.intersection[u, c].item() == both
            assert d.class_pixels[c].item() == (labels == c).sum()
            assert d.iou[u, c].item() == pytest.approx(both / either if either else 0, abs=1e-6)
            assert 0 <= d.iou[u, c] <= 1


def test_folds_are_pictures_modulo_ten():
    d = dissect(Small(), "only", Brightest(), samples=23, quantile=0.1, batch=4, progress=False)
    r, f = Small().at(sample_z(23, 36, 0), "only")
    labels = f(r).argmax(1)
    on = masks(r, d.thresholds, (6, 8))
    for k in range(10):
        assert d.fold_class_pixels[k].tolist() == [(labels[k::10] == c).sum().item() for c in range(4)]
        assert d.fold_unit_pixels[k].tolist() == on[k::10].sum((0, 2, 3)).tolist()


def test_the_result_depends_on_the_seed_and_not_on_the_batch():
    run = [dissect(Small(), "only", Brightest(), samples=20, quantile=0.1, batch=b, seed=s, progress=False)
           for b, s in ((3, 0), (20, 0), (20, 1))]
    assert torch.equal(run[0].intersection, run[1].intersection)
    assert not torch.equal(run[0].intersection, run[2].intersection)


def test_iou_of_two_masks():
    u, c = torch.tensor([1, 1, 0, 0]).bool(), torch.tensor([0, 1, 1, 0]).bool()
    assert unit_iou.iou(u, c) == pytest.approx(1 / 3)
    assert unit_iou.iou(u & False, c & False) == 0


def test_a_cap_on_iou_for_large_classes_is_what_the_docstring_says():
    d = dissect(Rigged(), "a", Colours(), samples=100, quantile=0.02, progress=False)
    share = d.class_pixels / d.class_pixels.sum()
    on = d.unit_pixels / d.class_pixels.sum()
    assert (d.iou <= on[:, None] / share + 1e-6).all() and share[0] > 0.5 and d.iou[:, 0].max() < 0.05


# ------------------------------------------------------------------------------------------ the planted answer

@pytest.fixture(scope="module")
def planted():
    return dissect(Rigged(), "a", Colours(), samples=200, quantile=0.06, progress=False)


def test_dissection_finds_the_planted_units(planted):
    for name, units in PLANTED.items():
        assert set(planted.units_for(name, 2)) == set(units)
        assert all(planted.label(u) == (name, planted.iou[u, planted.classes.index(name)].item()) for u in units)
        assert min(planted.iou[units, planted.classes.index(name)]) > 0.6
    found = planted.concept_units(0.3)
    assert {name: sorted(set(units) - {6}) for name, units in found.items()} == PLANTED
    assert max(planted.iou[NOISE, 1:].flatten()) < 0.1


def test_units_for_is_best_first_and_complete(planted):
    units = planted.units_for("green")
    assert sorted(units) == list(range(12)) and all(type(u) is int for u in units)
    values = planted.iou[units, 2].tolist()
    assert values == sorted(values, reverse=True) and planted.units_for("green", 3) == units[:3]


def test_concept_units_honours_its_minimum(planted):
    assert planted.concept_units(0.999) == {}
    assert sum(map(len, planted.concept_units(-1).values())) == 12


def test_summary_names_every_class_and_its_best_unit(planted):
    lines = planted.summary().splitlines()
    assert "of 12 units" in lines[0] and "top 6 % of values" in lines[0] and len(lines) == 2 + 4
    green = next(line for line in lines if line.startswith("green"))
    low, high = (end[planted.units_for("green", 1)[0], 2] for end in planted.interval())
    assert f"{planted.iou[:, 2].max():.3f}   {low:.3f} to {high:.3f}" in green


def test_layers_scaled_copies_give_the_same_masks(planted):
    double = dissect(Rigged(), "b", Colours(), samples=200, quantile=0.06, progress=False)
    assert torch.equal(double.intersection, planted.intersection)
    assert torch.allclose(double.thresholds, 2 * planted.thresholds)


# ------------------------------------------------------------------------------------------ several layers

class Chain(Rigged):
    """The rigged generator, which counts how many pictures go through each half; "a" comes before "b"."""

    def __init__(self):
        super().__init__()
        self.drawn, self.cut = 0, []

    def at(self, z, layer):
        self.cut.append((layer, len(z)))
        r, f = super().at(z, layer)

        def counted(r):
            self.drawn += len(r)
            return f(r)
        return r, counted


class AtOnce(Chain):
    """The same with all layers from one call, as a generator may offer it."""

    def at(self, z, layer):
        raise AssertionError("not needed")

    def activations(self, z, layers):
        cuts = [(layer, *Chain.at(self, z, layer)) for layer in layers]
        self.calls = getattr(self, "calls", 0) + len(z)
        return {layer: r for layer, r, _ in cuts}, cuts[-1][2]


class Seen(Colours):
    """Counts the pictures it is shown."""

    pictures = 0

    def __call__(self, images):
        self.pictures += len(images)
        return super().__call__(images)


@pytest.mark.parametrize("kind", [Chain, AtOnce])
def test_several_layers_are_each_as_if_alone(kind):
    together = dissect_layers(kind(), ["b", "a"], Colours(), samples=23, quantile=0.06, batch=7, progress=False)
    assert list(together) == ["a", "b"]
    for layer, d in together.items():
        alone = dissect(Rigged(), layer, Colours(), samples=23, quantile=0.06, progress=False)
        assert d.layer == layer and torch.allclose(d.thresholds, alone.thresholds, rtol=1e-6)    # 7 or 50 at a time
        assert torch.equal(d.fold_intersection, alone.fold_intersection)
        assert torch.equal(d.fold_unit_pixels, alone.fold_unit_pixels)
        assert torch.equal(d.fold_class_pixels, alone.fold_class_pixels)


@pytest.mark.parametrize("kind", [Chain, AtOnce])
def test_several_layers_cost_one_drawing_and_one_segmentation_a_picture(kind):
    G, S = kind(), Seen()
    dissect_layers(G, ["a", "b"], S, samples=20, batch=6, progress=False)
    assert G.drawn == S.pictures == 20
    assert kind is Chain or G.calls == 1 + 20           # the shape; each picture, kept for the counts
    dissect_layers(G, ["a", "b"], S, samples=20, batch=6, shuffles=4, progress=False)
    assert G.drawn == S.pictures == 20 + 20 + 4


def test_given_thresholds_are_used_and_kept(planted):
    t = torch.linspace(0.2, 0.9, 12)
    G = Chain()
    d = dissect(G, "a", Colours(), samples=10, thresholds=t, progress=False)
    assert torch.equal(d.thresholds, t) and d.quantile is None and "thresholds given" in d.summary()
    assert sum(n for _, n in G.cut) == 1 + 10           # no pass for thresholds
    on = masks(Rigged().h(sample_z(10, 12, 0)), t, (32, 32))
    assert d.unit_pixels.tolist() == on.sum((0, 2, 3)).tolist()
    for wrong in ({"a": t}, {"a": t, "b": t[:5]}):
        with pytest.raises(ValueError, match="one number for each of the 12 units of layer 'b'"):
            dissect_layers(Rigged(), ["a", "b"], Colours(), samples=10, thresholds=wrong, progress=False)


def test_no_layer_and_unknown_layers_are_refused():
    with pytest.raises(ValueError, match="no layer to dissect; there are: a, b"):
        dissect_layers(Rigged(), [], Colours(), progress=False)
    with pytest.raises(ValueError, match="no layer 'c'"):
        dissect_layers(Rigged(), ["a", "c"], Colours(), progress=False)
    assert list(dissect_layers(Rigged(), "a", Colours(), samples=2, progress=False)) == ["a"]


# ------------------------------------------------------------------------------------------ chance

@pytest.mark.parametrize("batch", [1, 4, 50])
def test_chance_pairs_masks_with_earlier_pictures_by_loops(batch):
    d = dissect(Small(), "only", Brightest(), samples=9, quantile=0.2, batch=batch, shuffles=3, progress=False)
    r, f = Small().at(sample_z(9, 36, 0), "only")
    labels, on = f(r).argmax(1), masks(r, d.thresholds, (6, 8))
    for k in range(3):
        for u in range(3):
            for c in range(4):
                both = sum((on[i, u] & (labels[(i - k - 1) % 9] == c)).sum().item() for i in range(9))
                either = (d.unit_pixels[u] + d.class_pixels[c]).item() - both
                assert d.shuffled[k, u, c] == both
                assert d.chance[k, u, c].item() == pytest.approx(both / either if either else 0, abs=1e-6)


def test_shuffling_leaves_the_true_counts_as_they_are(planted):
    d = dissect(Rigged(), "a", Colours(), samples=200, quantile=0.06, shuffles=5, progress=False)
    assert torch.equal(d.fold_intersection, planted.fold_intersection)
    assert torch.equal(d.fold_class_pixels, planted.fold_class_pixels)


def test_planted_units_are_above_chance_and_noise_is_not():
    d = dissect(Rigged(), "a", Colours(), samples=200, quantile=0.06, shuffles=8, progress=False)
    above = d.above_chance()
    for name, units in PLANTED.items():
        assert above[units, d.classes.index(name)].all()
    assert above[NOISE, 1:].float().mean() < 0.2
    assert d.concept_units(-1, above_chance=True)["red"][:2] == d.units_for("red", 2)
    kept = {u for units in d.concept_units(-1, above_chance=True).values() for u in units}
    label = d.iou.argmax(1)
    assert kept == {u for u in range(12) if above[u, label[u]]}


def test_above_chance_by_loops():
    d = dissect(Rigged(), "a", Colours(), samples=60, quantile=0.06, shuffles=4, progress=False)
    for u in range(12):
        for c in range(4):
            tries = d.chance[:, u, c].tolist()
            mean = sum(tries) / 4
            error = math.sqrt(sum((v - mean) ** 2 for v in tries) / 3 + d.confidence()[u, c].item() ** 2)
            assert d.above_chance(2)[u, c].item() == (d.iou[u, c].item() - mean > 2 * error)


def test_chance_must_have_been_counted(planted):
    with pytest.raises(ValueError, match="dissect with shuffles=8"):
        planted.chance  # noqa: B018
    one = dissect(Small(), "only", Brightest(), samples=5, shuffles=1, progress=False)
    with pytest.raises(ValueError, match="two shuffles or more"):
        one.above_chance()
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match=f"shuffles must be a whole number from 0 to 4; got {wrong}"):
            dissect(Small(), "only", Brightest(), samples=5, shuffles=wrong, progress=False)


# ------------------------------------------------------------------------------------------ the error of IoU

def test_confidence_is_the_jackknife_by_loops(planted):
    se = planted.confidence()
    for u, c in ((0, 1), (4, 3), (8, 2)):
        left_out = []
        for k in range(10):
            keep = [j for j in range(10) if j != k]
            both = planted.fold_intersection[keep, u, c].sum().item()
            either = (planted.fold_unit_pixels[keep, u].sum() + planted.fold_class_pixels[keep, c].sum()).item() - both
            left_out.append(both / either)
        mean = sum(left_out) / 10
        assert se[u, c].item() == pytest.approx(math.sqrt(0.9 * sum((v - mean) ** 2 for v in left_out)), rel=1e-4)


def test_confidence_tells_the_spread_over_samples_at_fixed_thresholds(planted):
    runs = [dissect(Rigged(), "a", Colours(), samples=100, seed=s, progress=False, thresholds=planted.thresholds)
            for s in range(20)]
    for u, c in ((0, 1), (5, 3), (8, 2)):
        spread = torch.stack([d.iou[u, c] for d in runs]).std().item()
        told = torch.stack([d.confidence()[u, c] for d in runs]).square().mean().sqrt().item()
        assert 0.6 < told / spread < 1.6


def test_error_and_interval_of_one_picture_are_unknown():
    d = dissect(Small(), "only", Brightest(), samples=1, progress=False)
    assert d.confidence().isnan().all() and all(end.isnan().all() for end in d.interval())


def test_interval_is_students_around_iou(planted):
    low, high = planted.interval()
    reach = 2.262 * planted.confidence()                                    # scipy.stats.t.ppf(0.975, 9)
    assert torch.equal(low, (planted.iou - reach).clamp(min=0))
    assert torch.equal(high, (planted.iou + reach).clamp(max=1))
    few = dissect(Small(), "only", Brightest(), samples=5, quantile=0.4, progress=False)
    reach = (few.interval()[1] - few.iou)[few.interval()[1] < 1] / few.confidence()[few.interval()[1] < 1]
    assert 2.775 < reach.nanmedian() < 2.777                                # four degrees of freedom


def test_interval_holds_the_true_iou_nineteen_times_in_twenty():
    """2000 units, each with pictures of its own, of which those that show the class differ in size as scenes do."""
    rng = np.random.default_rng(0)
    size = rng.gamma(1.5, 60, (2000, 200)).astype(int)                      # of the class in each picture
    both, extra = rng.binomial(size, 0.3), rng.binomial(400, 0.1, size.shape)
    truth = 0.3 * 90 / (90 + 40)

    def folds(counts):
        return torch.tensor(counts.reshape(2000, 20, 10).sum(1).T)          # (10, 2000)

    # one class a unit, so the class's pixels are the unit's own: C = 1 for each of 2000 dissections
    shared, on, of_class = folds(both), folds(both + extra), folds(size)
    found = [Dissection("x", ("c",), 0.01, 200, torch.zeros(1), shared[:, [u], None], on[:, [u]],
                        of_class[:, [u]]).interval() for u in range(2000)]
    hits = np.mean([low.item() < truth < high.item() for low, high in found])
    assert 0.93 < hits < 0.97


# ------------------------------------------------------------------------------------------ errors and manners

def test_wrong_names_are_answered_with_the_right_ones(planted):
    with pytest.raises(ValueError, match="no layer 'c'; there are: a, b|no layer 'c'.*a, b"):
        dissect(Rigged(), "c", Colours(), progress=False)
    with pytest.raises(ValueError, match=re.escape("no class 'gren' (did you mean 'green'?)") + ".*red, green"):
        planted.units_for("gren")
    for u in (12, -1):
        with pytest.raises(ValueError, match=f"no unit {u}; this layer has units 0 to 11"):
            planted.label(u)
    for wrong in ({"samples": 0}, {"batch": 0}):
        with pytest.raises(ValueError, match="(samples|batch) must be a whole number from 1 on; got 0"):
            dissect(Rigged(), "a", Colours(), progress=False, **wrong)


def test_a_segmenter_with_too_few_scores_is_refused():
    class Short(Colours):
        classes = Colours.classes + ("purple",)
    with pytest.raises(ValueError, match=r"\(4, 4, 32, 32\); wanted 4×5×H×W"):
        dissect(Rigged(), "a", Short(), samples=4, progress=False)


def test_segment_in_batches_is_the_argmax_of_the_scores():
    images = torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(8))
    assert torch.equal(segment(Brightest(), images, batch=3), Brightest()(images).argmax(1))


def test_a_layer_without_places_is_refused():
    class Flat(Small):
        def at(self, z, layer):
            return z, lambda r: r
    with pytest.raises(ValueError, match=r"\(1, 36\); dissection needs N×U×h×w"):
        dissect(Flat(), "only", Brightest(), samples=4, progress=False)


def test_modules_run_in_eval_mode_and_are_left_as_they_were():
    class WithNorm(nn.Module, Small):
        def __init__(self):
            super().__init__()
            self.norm, self.frozen = nn.BatchNorm2d(3), nn.Dropout(0.5).eval()

        def at(self, z, layer):
            assert not self.training and not torch.is_grad_enabled()
            r, f = Small.at(self, z, layer)
            return self.frozen(self.norm(r)), f

        __call__ = Small.__call__

    G = WithNorm().train()
    G.frozen.eval()
    dissect(G, "only", Brightest(), samples=4, progress=False)
    assert G.training and G.norm.training and not G.frozen.training and G.norm.num_batches_tracked == 0
    with pytest.raises(ZeroDivisionError), protocols.evaluating(G):
        raise ZeroDivisionError
    assert G.training and not G.frozen.training


def test_device_of_a_module_and_of_anything_else():
    assert protocols.device_of(nn.Linear(2, 2, device="meta")).type == "meta"
    assert protocols.device_of(Small()).type == "cpu"
