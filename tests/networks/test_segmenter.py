"""The segmenter: shapes, the counts behind IoU recomputed with loops, a short training, adapters."""

import signal

import pytest
import torch

from gan_teach import pictures
from gan_teach.networks import segmenter as s
from gan_teach.recipes import judges
from gan_teach.training import NotFinite
from gan_teach.worlds import drawing
from gan_teach.worlds.scenes import Scenes


@pytest.fixture(scope="module")
def rendered():
    return drawing.prerender(Scenes(48, seed=5))


def test_unet_answers_at_full_size_for_any_size():
    model = s.UNet().eval()
    assert 150_000 < sum(p.numel() for p in model.parameters()) < 400_000
    for h, w in ((64, 64), (32, 48), (70, 51), (8, 8)):
        assert model(torch.zeros(2, 3, h, w)).shape == (2, 13, h, w)
    assert tuple(model.classes) == Scenes.classes


def test_unet_needs_no_batch_to_judge_a_picture():
    torch.manual_seed(0)
    model, x = s.UNet().eval(), torch.randn(3, 3, 32, 32)
    assert torch.allclose(model(x)[1:2], model(x[1:2]), atol=1e-5)


def test_iou_is_intersection_over_union():
    draw = torch.Generator().manual_seed(0)
    labels, truth = (torch.randint(4, (3, 9, 7), generator=draw) for _ in range(2))
    labels[labels == 3] = 0
    truth[truth == 3] = 1                                          # class 3 never occurs
    counts = s.confusion(labels, truth, 4)
    for t in range(4):
        for c in range(4):
            assert counts[t, c] == sum(int(a == t and b == c) for a, b in zip(truth.flatten(), labels.flatten()))
    iou = s.class_iou(counts)
    expected = []
    for c in range(3):
        both, either = ((labels == c) & (truth == c)).sum(), ((labels == c) | (truth == c)).sum()
        expected.append(float(both / either))
        assert iou[c].item() == pytest.approx(expected[-1])
    assert iou[3].isnan() and s.mean_iou(counts) == pytest.approx(sum(expected) / 3)


def test_prerender_keeps_pictures_and_masks(rendered):
    images, masks = rendered
    image, mask, _ = Scenes(48, seed=5)[7]
    assert images.dtype == masks.dtype == torch.uint8
    assert (pictures.to_float(images[7]) - image).abs().max() < 1 / 255
    assert torch.equal(masks[7].long(), mask)


def test_a_perfect_segmenter_scores_one(rendered):
    images, masks = rendered

    def perfect(x):
        return torch.nn.functional.one_hot(perfect.masks.pop(0).long(), 13).movedim(-1, 1).float()

    perfect.classes, perfect.masks = list(Scenes.classes), list(masks.split(16))
    metrics = judges.evaluate(perfect, images, masks, batch=16)
    assert metrics["mean_iou"] == metrics["accuracy"] == 1 and set(metrics["iou"]) == set(Scenes.classes)


def test_augmentation_moves_picture_and_mask_together(rendered):
    images, masks = rendered
    x, m = judges.augment(pictures.to_float(images), masks, torch.Generator().manual_seed(1))
    again, _ = judges.augment(pictures.to_float(images), masks, torch.Generator().manual_seed(1))
    assert x.shape == images.shape and m.shape == masks.shape and torch.equal(x, again)
    assert x.min() >= -1 and x.max() <= 1
    for i in range(len(x)):
        mirrored = torch.equal(m[i], masks[i].flip(-1)) and not torch.equal(m[i], masks[i])
        original = pictures.to_float(images[i])
        near, far = (original.flip(-1), original) if mirrored else (original, original.flip(-1))
        assert (x[i] - near).abs().mean() <= (x[i] - far).abs().mean()


def test_class_weights_have_mean_one_over_pixels(rendered):
    masks = rendered[1]
    weights = judges.class_weights(masks, 13)
    assert weights[masks.long()].mean().item() == pytest.approx(1, abs=1e-3)
    share = torch.bincount(masks.flatten().long(), minlength=13)
    assert weights.argmin() == share.argmax()


def test_learning_rate_is_one_cycle():
    rates = [judges.learning_rate(i, 100, 1.0) for i in range(100)]
    assert max(rates) == rates[9] == 1 and rates[0] == pytest.approx(0.1) and rates[-1] < 0.01


def test_a_short_training_learns_and_repeats(rendered):
    runs = [judges.train_segmenter(steps=30, batch=8, data=(rendered, rendered),
                              config=s.SegmenterConfig(widths=(8, 16, 16, 16)))
            for _ in range(2)]
    model, again = runs
    assert model.record["final_loss"] == again.record["final_loss"] < 2      # ln 13 = 2.56 is guessing
    assert model.record["accuracy"] > 0.5 and not model.training
    assert s.segment(model, pictures.to_float(rendered[0][:5]), batch=2).shape == (5, 64, 64)


def test_training_refuses_an_empty_set(rendered):
    with pytest.raises(ValueError, match="no training pictures"):
        judges.train_segmenter(steps=1, data=((rendered[0][:0], rendered[1][:0]), rendered))


def patches(data, folder, steps=6):
    """A tiny training in a folder: the network, or None where it was interrupted."""
    return judges.train_segmenter(steps=steps, batch=4, data=(data, data), folder=folder,
                                  config=s.SegmenterConfig(widths=(4, 4, 4, 4)))


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_stopped_training_goes_on_bit_for_bit(rendered, tmp_path, monkeypatch, capsys):
    """SIGTERM in the third step: it is finished and saved; the same call goes on, and one more has nothing to do."""
    few = rendered[0][:12], rendered[1][:12]
    whole = patches(few, tmp_path / "whole")
    step = judges.Learning.step

    def stopped(self):
        found = step(self)
        if self.steps == 3:
            signal.raise_signal(signal.SIGTERM)
        return found

    monkeypatch.setattr(judges.Learning, "step", stopped)
    assert patches(few, tmp_path / "stopped") is None
    assert torch.load(tmp_path / "stopped/resume.pt", weights_only=True)["steps"] == 3
    again = patches(few, tmp_path / "stopped")
    assert same(whole, again) and again.record["final_loss"] == whole.record["final_loss"]
    kept = torch.load(tmp_path / "stopped/resume.pt", weights_only=True)
    other = torch.load(tmp_path / "whole/resume.pt", weights_only=True)
    assert torch.equal(kept["draw"], other["draw"]) and kept["optimiser"]["param_groups"] == other["optimiser"][
        "param_groups"]
    capsys.readouterr()
    monkeypatch.setattr(judges.Learning, "step", None)
    third = patches(few, tmp_path / "stopped")
    assert "nothing to do" in capsys.readouterr().out and same(third, whole)
    assert third.record["final_loss"] == whole.record["final_loss"]


def test_a_snapshot_of_other_settings_pictures_or_labels_is_refused(rendered, tmp_path):
    images, masks = rendered[0][:12], rendered[1][:12]
    patches((images, masks), tmp_path, 2)
    with pytest.raises(ValueError, match=r"resume.pt: this snapshot was made with other settings.*steps=2.*steps=3"):
        patches((images, masks), tmp_path, 3)
    for other in ((255 - images, masks), (images, masks.roll(1))):
        with pytest.raises(ValueError, match="resume.pt: this snapshot was made with other pictures"):
            patches(other, tmp_path, 2)
    path = tmp_path / "resume.pt"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="resume.pt is damaged: delete it"):
        patches((images, masks), tmp_path, 2)


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_finite_stops_before_the_update(rendered, what):
    model = s.UNet(s.SegmenterConfig(widths=(4, 4, 4, 4)))
    before = [p.detach().clone() for p in model.parameters()]

    def lesson(pick, draw):
        total = sum(p.sum() for p in model.parameters())
        return total * float("nan") if what == "loss" else total.mul(0).abs().sqrt()     # 0, with the slope ∞ · 0

    learning = judges.Learning(model, rendered[0], {}, lesson, steps=4, batch=2, seed=0, peak_rate=1e-3)
    with pytest.raises(NotFinite, match=f"the {what} of the UNet is nan in step 0; go on from the last snapshot"):
        learning.step()
    assert learning.steps == 0 and all(map(torch.equal, before, model.parameters()))


class FakeTorchvision(torch.nn.Module):
    """Answers like torchvision's segmentation models: a dict, here at a quarter of the size."""

    def forward(self, x):
        return {"out": torch.nn.functional.avg_pool2d(x[:, :2], 4), "aux": None}


def test_wrap_takes_a_torchvision_like_network():
    seen = []
    network = FakeTorchvision()
    wrapped = s.wrap(network, ["red", "green"], prepare=lambda x: seen.append(x) or s.imagenet_input(x))
    x = torch.full((2, 3, 16, 16), -1.0)
    x[0, 0] = 1
    x[1, 1] = 1
    scores = wrapped(x)
    assert scores.shape == (2, 2, 16, 16) and wrapped.classes == ["red", "green"] and seen
    assert s.segment(wrapped, x)[:, 0, 0].tolist() == [0, 1]


def test_wrap_takes_a_tuple_and_explains_what_does_not_fit():
    x = torch.zeros(1, 3, 8, 8)
    assert s.wrap(lambda x: (x, None), ["a", "b", "c"])(x).shape == (1, 3, 8, 8)
    with pytest.raises(ValueError, match="N×2×H×W"):
        s.wrap(lambda x: x, ["a", "b"])(x)
    for answer, message in (({"logits": x}, r"a dict with \['logits'\].*pass the right key="), ({}, "a dict with"),
                            ({1: x, "a": x}, r"\[1, 'a'\]"), ((), "a tuple"), (None, "a NoneType"),
                            ({"out": (x,)}, "a tuple; wanted N×3×H×W"), (x[..., :0], r"\(1, 3, 8, 0\)")):
        with pytest.raises(ValueError, match=message):
            s.wrap(lambda x, answer=answer: answer, ["a", "b", "c"])(x)
    for network, classes, message in ((None, ["a"], "a function of images; got a NoneType"),
                                      (s.UNet, "abc", "got 'abc'"), (s.UNet, 3, "got 3")):
        with pytest.raises(ValueError, match=message):
            s.wrap(network, classes)


def test_imagenet_input_is_torchvisions_normalisation():
    from torchvision.transforms.functional import normalize
    x = torch.rand(2, 3, 4, 4) * 2 - 1
    assert torch.allclose(s.imagenet_input(x), normalize((x + 1) / 2, s.IMAGENET_MEAN, s.IMAGENET_STD), atol=1e-6)
