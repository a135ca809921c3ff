"""The classifier: shapes, what it learns, that it repeats itself, and the scores made with it."""

import math

import pytest
import torch

from gan_teach import checkpoints, metrics
from gan_teach.networks.classifier import Classifier, ClassifierConfig, accuracy, classify
from gan_teach.recipes.judges import Learning, train_classifier

TINY = ClassifierConfig((("colour", 3), ("side", 2)), widths=(8, 8), num_features=16)


def patches(n: int, seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Pictures of a red, green or blue patch on the left or on the right: uint8 n×3×16×16, and what they show."""
    draw = torch.Generator().manual_seed(seed)
    colour, side = torch.randint(3, (n,), generator=draw), torch.randint(2, (n,), generator=draw)
    images = torch.full((n, 3, 16, 16), 90, dtype=torch.uint8)
    for i in range(n):
        images[i, colour[i], 4:12, 9 * side[i] + 1: 9 * side[i] + 6] = 250
    return images, {"colour": colour, "side": side}


@pytest.fixture(scope="module")
def learnt() -> Classifier:
    return train_classifier(*patches(200, 0), steps=80, batch=32, config=TINY)


def test_it_learns_each_attribute_left_and_right_too(learnt):
    images, labels = patches(200, 1)
    assert all(share > 0.95 for share in accuracy(learnt, images, labels).values())
    # and says so: with the labels of other pictures it is right as often as chance
    wrong = {name: column.roll(1) for name, column in labels.items()}
    assert all(share < 0.7 for share in accuracy(learnt, images, wrong).values())


def test_training_repeats_itself(learnt):
    again = train_classifier(*patches(200, 0), steps=80, batch=32, config=TINY)
    assert all(torch.equal(a, b) for a, b in zip(learnt.state_dict().values(), again.state_dict().values()))


def test_shapes(learnt):
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    logits = learnt(x)
    assert {name: tuple(part.shape) for name, part in logits.items()} == {"colour": (5, 3), "side": (5, 2)}
    assert learnt.features(x).shape == (5, learnt.num_features) and learnt.features(x).min() >= 0
    assert [tuple(m.shape) for m in learnt.maps(x)] == [(5, 8, 16, 16), (5, 8, 8, 8)]
    assert torch.allclose(classify(learnt, x, batch=2)["colour"], logits["colour"], atol=1e-5)


def test_it_is_saved_and_loaded(learnt, tmp_path):
    checkpoints.save(tmp_path / "eyes", learnt)
    again, x = checkpoints.load(tmp_path / "eyes.safetensors", "cpu"), torch.rand(2, 3, 16, 16)
    assert again.config == TINY
    assert torch.equal(again(x)["side"], learnt(x)["side"])


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path):
    """Killed between two snapshots, and with other labels in the same folder."""
    images, labels = patches(40, 0)

    def go():
        return train_classifier(images, labels, steps=6, batch=8, config=TINY, folder=tmp_path)

    alone = train_classifier(images, labels, steps=6, batch=8, config=TINY)
    save, saved = Learning.save, []

    def dies(self, path):
        save(self, path)
        saved.append(self.steps)
        if len(saved) == 2:
            raise SystemExit("killed")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Learning, "save", dies)
        patched.setattr(Learning.run, "__defaults__", (2,))                  # a snapshot every second step
        with pytest.raises(SystemExit):
            go()
    assert saved == [2, 4] and torch.load(tmp_path / "resume.pt", weights_only=True)["steps"] == 4
    again = go()
    assert all(torch.equal(a, b) for a, b in zip(alone.state_dict().values(), again.state_dict().values()))
    labels = labels | {"side": 1 - labels["side"]}
    with pytest.raises(ValueError, match="resume.pt: this snapshot was made with other pictures"):
        go()


def test_a_network_that_is_not_finite_is_not_saved(tmp_path):
    broken = Classifier(TINY)
    with torch.no_grad():
        broken.last.bias[3] = math.inf
    with pytest.raises(ValueError, match="last.bias holds NaN or infinity: .*eyes.safetensors was not written"):
        checkpoints.save(tmp_path / "eyes", broken)
    assert not list(tmp_path.iterdir())


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="no training pictures"):
        train_classifier(torch.empty(0, 3, 16, 16, dtype=torch.uint8), {"side": torch.empty(0, dtype=torch.long)})


def test_classifier_score_is_the_formula(learnt):
    x = patches(120, 2)[0].float() / 127.5 - 1
    p = learnt(x)["colour"].detach().softmax(1).double()
    wanted = math.exp((p * (p.log() - p.mean(0).log())).sum(1).mean())
    mean, _ = metrics.classifier_score(x, learnt, "colour", splits=1)
    assert mean == pytest.approx(wanted, rel=1e-4)
    assert 1.5 < mean <= 3.0 + 1e-4                                       # three equally frequent colours
    one = x[patches(120, 2)[1]["colour"] == 0]
    assert metrics.classifier_score(one, learnt, "colour", splits=1)[0] < 0.7 * mean           # always the same one


def test_the_frechet_distance_uses_the_classifiers_features(learnt):
    real, other = (patches(150, seed)[0].float() / 127.5 - 1 for seed in (3, 4))
    red = real[patches(150, 3)[1]["colour"] == 0].repeat(3, 1, 1, 1)
    assert metrics.frechet_distance(real, other, learnt) < 0.2 * metrics.frechet_distance(real, red, learnt)
    a, b = (learnt.features(x).double() for x in (real, red))
    s, t = a.T.cov(), b.T.cov()
    root = torch.linalg.eigvals(s @ t).real.clamp(min=0).sqrt().sum()
    wanted = (a.mean(0) - b.mean(0)).square().sum() + s.trace() + t.trace() - 2 * root
    assert metrics.frechet_distance(real, red, learnt) == pytest.approx(float(wanted), rel=1e-2)
