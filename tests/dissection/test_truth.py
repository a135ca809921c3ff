"""Ground truth: the scene generator keeps the contract, true masks are exact, the gap is recomputed by loops."""

import numpy as np
import pytest
import torch

from gan_teach.dissection.truth import SceneGenerator, TrueMasks, TruthGap, truth_gap
from gan_teach.dissection.unit_iou import dissect, iou, masks
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import segment
from gan_teach.worlds.scenes import CLASSES, Scenes

G = SceneGenerator(12, size=32, seed=4, blind=3)
TRUE = TrueMasks(G)


class Mistaken:
    """The truth, but tree and grass swapped, and every door called wall."""

    classes = CLASSES

    def __call__(self, images):
        scores, at = TRUE(images), {name: i for i, name in enumerate(CLASSES)}
        order = list(range(len(CLASSES)))
        order[at["tree"]], order[at["grass"]] = at["grass"], at["tree"]
        scores = scores[:, order]
        scores[:, at["wall"]] += scores[:, at["door"]]
        scores[:, at["door"]] = 0
        return scores


def test_the_pictures_are_scenes_and_each_scene_comes_up_about_equally_often():
    z = sample_z(3000, 1, 0)
    number, scenes = G.scenes_of(z), Scenes(12, size=32, seed=4)
    counts = torch.bincount(number, minlength=12)
    assert counts.min() > 180 and counts.max() < 330
    x = G(z[:4])
    for i in range(4):
        assert torch.allclose(x[i], scenes[int(number[i])][0], atol=1e-6)
        assert torch.equal(segment(TRUE, x[i:i + 1])[0], scenes[int(number[i])][1])


@pytest.mark.parametrize("layer", ["8×8", "16×16", "32×32"])
def test_the_cut_changes_nothing_and_units_are_noisy_masks(layer):
    z = sample_z(8, 1, 1)
    r, f = G.at(z, layer)
    side = int(layer.split("×")[0])
    assert r.shape == (8, 3 * len(CLASSES) + 3, side, side) and torch.equal(f(r), G(z))
    again, _ = G.at(z[3:4], layer)
    assert torch.equal(again[0], r[3])                          # whatever the batch
    truth = TRUE(G(z)).unflatten(2, (side, -1)).unflatten(4, (side, -1)).mean((3, 5))       # (8, C, side, side)
    for u, name in enumerate(G.unit_classes):
        here = truth[:, CLASSES.index(name)] if name else torch.zeros(8, side, side)
        noise, sigma = r[:, u] - here, G.sigma[u].item()
        assert noise.std().item() == pytest.approx(sigma, rel=0.4) and abs(noise.mean().item()) < 0.3 * sigma
    assert G.unit_classes[-3:] == [None] * 3 and G.unit_classes[:4] == ["sky"] * 3 + ["cloud"]


def test_an_edited_r_has_no_picture():
    r, f = G.at(sample_z(2, 1, 1), "8×8")
    for edited in (r + 1, r[:1]):
        with pytest.raises(ValueError, match="an edited r has no picture"):
            f(edited)


def test_a_foreign_picture_has_no_truth():
    with pytest.raises(ValueError, match="the truth is known for the rendered scenes of this SceneGenerator only"):
        TRUE(torch.zeros(1, 3, 32, 32))


def test_worn_pictures_differ_and_keep_their_masks():
    worn = SceneGenerator(12, size=32, seed=4, wear=0.1)
    z = sample_z(5, 1, 2)
    apart = (worn(z) - G(z)).square().mean().sqrt().item()
    assert 0.05 < apart < 0.5 and torch.equal(segment(TrueMasks(worn), worn(z)), segment(TRUE, G(z)))
    assert torch.equal(worn.images, SceneGenerator(12, size=32, seed=4, wear=0.1).images)


def test_without_a_segmenters_error_there_is_no_gap():
    gap = truth_gap(TRUE, G, "8×8", samples=40, progress=False)
    seen = gap.true.class_pixels > 0
    assert (gap.error == 0).all() and (gap.best_error == 0).all() and gap.same_label == 1
    assert torch.allclose(gap.rank_agreement[seen], torch.ones(int(seen.sum()))) and seen.sum() > 8


def test_the_gap_of_a_mistaken_segmenter_by_loops():
    gap, wrong = truth_gap(Mistaken(), G, "8×8", samples=30, quantile=0.1, seed=1, progress=False), Mistaken()
    r, f = G.at(sample_z(30, 1, 1), "8×8")
    on, x = masks(r, gap.true.thresholds, (32, 32)), f(r)
    truth, seen = segment(TRUE, x), segment(wrong, x)
    assert torch.equal(gap.true.thresholds, gap.seen.thresholds)
    for name in ("tree", "grass", "door", "wall", "sky"):
        c = CLASSES.index(name)
        pairs = [(iou(on[:, u], seen == c), iou(on[:, u], truth == c)) for u in range(len(G.sigma))]
        assert gap.error[c].item() == pytest.approx(sum(abs(a - b) for a, b in pairs) / len(pairs), abs=1e-6)
        best = max(range(len(pairs)), key=lambda u: pairs[u][1])
        assert gap.best_error[c].item() == pytest.approx(pairs[best][0] - pairs[best][1], abs=1e-6)
        ranks = [[1 + sum(w < v for w in row) + (sum(w == v for w in row) - 1) / 2 for v in row]
                 for row in zip(*pairs, strict=True)]                       # ties share the mean of their ranks
        rho = np.corrcoef(ranks)[0, 1] if len(set(ranks[0])) > 1 else 0.0
        assert gap.rank_agreement[c].item() == pytest.approx(rho, abs=1e-4)
    assert gap.error[CLASSES.index("sky")] == 0 < gap.error[CLASSES.index("door")] and gap.same_label < 1
    lines = str(gap).splitlines()
    assert lines[2].split()[0] == CLASSES[gap.error.argmax()] and len(lines) == 2 + len(CLASSES)


def test_the_noisier_the_unit_the_lower_its_true_iou():
    d = dissect(G, "16×16", TRUE, samples=40, quantile=0.1, progress=False)
    for name in ("tree", "roof", "wall", "sky"):
        values = [d.iou[u, CLASSES.index(name)].item() for u, c in enumerate(G.unit_classes) if c == name]
        assert values[0] > values[2], name


def test_a_segmenter_in_training_is_judged_in_eval_mode_and_left_as_it_was():
    class Network(torch.nn.Module):
        classes = CLASSES

        def forward(self, images):
            assert not self.training
            return TRUE(images)
    network = Network().train()
    assert (truth_gap(network, G, "8×8", samples=4, progress=False).error == 0).all() and network.training


def test_what_is_wrong_is_named():
    class Other:
        classes = ("a", "b")

        def __call__(self, images):
            return images[:, :2]

    with pytest.raises(ValueError, match="the truth has the classes sky, .*; the segmenter has a, b"):
        truth_gap(Other(), G)
    with pytest.raises(ValueError, match="no layer '4×4'.*8×8, 16×16, 32×32"):
        G.at(sample_z(1, 1, 0), "4×4")
    assert isinstance(truth_gap(TRUE, G, samples=2, progress=False), TruthGap)
