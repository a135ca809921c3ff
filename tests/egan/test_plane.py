"""The plane: measures against loops, pictures, and the controls of selection and of F_d."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from gan_teach.egan import plane
from gan_teach.egan.evolution import Evolution, Generation, Settings
from gan_teach.egan.mutations import heuristic
from gan_teach.egan.plane import high_quality, measure, mmd2, modes_covered
from gan_teach.networks.dcgan import Discriminator, Generator, layout
from gan_teach.worlds.gaussians import Mixture, ring

torch.set_num_threads(1)
RING = ring()


def samples(mixture, n, seed=0):
    return mixture(n, torch.Generator().manual_seed(seed))


def distance(p, q):
    return math.hypot(p[0] - q[0], p[1] - q[1])


# ------------------------------------------------------------------------------------------ measures

def test_modes_and_high_quality_against_loops():
    fake = torch.cat([samples(RING, 60), 3 * torch.rand(60, 2, generator=torch.Generator().manual_seed(1)) - 1.5])
    fake = fake[samples(Mixture(((0.0, 0.0),), 1.0), 120)[:, 0].argsort()]
    modes = good = 0
    for c in RING.centres:
        modes += sum(distance(c, x) <= 0.15 for x in fake.tolist()) >= 0.1 * 120 / 8
    for x in fake.tolist():
        good += min(distance(c, x) for c in RING.centres) <= 3 * RING.sigma
    assert modes_covered(RING, fake) == modes and high_quality(RING, fake) == pytest.approx(good / 120)


def test_a_mode_counts_from_a_tenth_of_its_fair_share():
    first, second = (torch.tensor(c).expand(100, 2) for c in RING.centres[:2])
    assert modes_covered(RING, torch.cat([first[:99], second[:1]])) == 1
    with pytest.raises(ValueError, match="one sample or more"):
        modes_covered(RING, first[:0])
    assert modes_covered(RING, torch.cat([first[:98], second[:2]])) == 2       # 100 samples, 8 modes: 1.25 are needed


def test_real_samples_measure_as_real():
    x = samples(RING, 2000)
    assert modes_covered(RING, x) == 8 and abs(mmd2(RING, x)) < 2e-3
    assert high_quality(RING, x) == pytest.approx(1 - math.exp(-4.5), abs=0.01)


def test_mmd_against_loops_and_a_great_sample():
    """The fakes' part by a double loop, the mixture's expectations by 4,000 samples of it."""
    fake = samples(Mixture(RING.centres[:3], 0.3), 40, seed=2)
    real = samples(RING, 4000, seed=3).double()
    want = 0.0
    for h in plane.BANDWIDTHS:
        def k(d2, h=h):
            return math.exp(-d2 / (2 * h * h))

        points = fake.tolist()
        yy = sum(k(distance(p, q) ** 2) for i, p in enumerate(points) for j, q in enumerate(points) if i != j)
        xy = (-torch.cdist(real, fake.double()).square() / (2 * h * h)).exp().mean().item()
        xx = (-torch.cdist(real[:2000], real[2000:]).square() / (2 * h * h)).exp().mean().item()
        want += (xx - 2 * xy + yy / (40 * 39)) / len(plane.BANDWIDTHS)
    assert mmd2(RING, fake) == pytest.approx(want, abs=6e-3) and want > 0.05


def test_mmd_is_exact_for_the_mixture():
    """With all fakes on one point y, MMD² = E k(x, x') − 2 E k(x, y) + 1; the expectations by quadrature."""
    mixture, y = Mixture(((0.0, 0.0), (0.6, 0.0)), 0.2), (0.3, 0.4)
    t = np.linspace(-2, 2.6, 461)
    gx, gy = np.meshgrid(t, t)
    density = sum(np.exp(-((gx - a) ** 2 + (gy - b) ** 2) / (2 * 0.04)) for a, b in mixture.centres)
    density /= density.sum()
    want = 0.0
    for h in plane.BANDWIDTHS:
        wide = sum(np.exp(-((gx - a) ** 2 + (gy - b) ** 2) / (2 * (0.04 + h * h))) * h * h / (0.04 + h * h)
                   for a, b in mixture.centres) / 2               # E_x k(x, ·): a Gaussian convolved with a Gaussian
        near = np.exp(-((gx - y[0]) ** 2 + (gy - y[1]) ** 2) / (2 * h * h))
        want += ((density * wide).sum() - 2 * (density * near).sum() + 1) / len(plane.BANDWIDTHS)
    assert mmd2(mixture, torch.tensor([y] * 5)) == pytest.approx(want, abs=1e-6)


def test_measure_tells_collapse_from_success():
    class Fixed(nn.Module):
        z_dim = 2

        def __init__(self, mixture):
            super().__init__()
            self.mixture, self.unused = mixture, nn.Parameter(torch.zeros(1))

        def forward(self, z):
            return samples(self.mixture, len(z), seed=5)

    good, half, one = (measure(RING, Fixed(Mixture(RING.centres[::step], RING.sigma))) for step in (1, 2, 8))
    assert (good.modes, half.modes, one.modes) == (8, 4, 1)
    assert good.mmd2 < 0.01 < half.mmd2 < one.mmd2
    assert min(m.high_quality for m in (good, half, one)) > 0.97


# ------------------------------------------------------------------------------------------ evolution, step by step

def small(**changes):
    return plane.start(plane.replace(plane.SETTINGS, batch=16, fitness_batch=16, **changes), width=16)


def test_variants_start_from_the_same_networks():
    state = torch.get_rng_state()
    made = {name: plane.start(settings, width=8) for name, settings in plane.variants().items()}
    assert torch.equal(state, torch.get_rng_state())                       # the global seed is not touched
    first = made["E-GAN"]
    for e in made.values():
        assert all(torch.equal(a, b) for a, b in zip(first.G.parameters(), e.G.parameters()))
        assert all(torch.equal(a, b) for a, b in zip(first.D.parameters(), e.D.parameters()))
    assert [len(e.settings.mutations) for e in made.values()] == [3, 3, 3, 3, 1, 1, 1, 1]
    assert made["3 × heuristic"].settings.mutations == (heuristic,) * 3
    for name in ("random", "worst", "WGAN-GP"):
        made[name].step(RING)
    picked = {name: made[name].lineage[-1] for name in ("random", "worst")}
    assert picked["random"].fitness == picked["worst"].fitness
    totals = [f.total for f in picked["worst"].fitness]
    assert totals[picked["worst"].survivors[0]] == min(totals)


def test_luck_judges_again_and_changes_nothing():
    e = small(gamma=0.1)
    e.train_d(RING)
    e.vary()
    scores = e.evaluate()
    again = plane.luck(e, times=5)
    assert again.shape == (5, 3, 3) and e.scores == scores
    assert torch.allclose(again[2], torch.tensor(e.evaluate(again=3)))
    assert (again.std(0) > 0).all()
    assert torch.allclose(again[..., 2], again[..., 0] + 0.1 * again[..., 1], atol=1e-6)


def test_luck_leaves_the_averages_of_a_batch_norm_alone():
    torch.manual_seed(0)
    config = layout(8, 4, norm_g=True)
    e = Evolution(Generator(config), Discriminator(config), Settings(batch=4, fitness_batch=4), "cpu")
    e.train_d(torch.rand(9, 3, 8, 8) * 2 - 1)
    e.vary()
    before = [copy.deepcopy(child.G.state_dict()) for child in e.children]
    plane.luck(e, times=2)
    for kept, child in zip(before, e.children, strict=True):
        assert all(torch.equal(kept[name], value) for name, value in child.G.state_dict().items())
    e.evaluate()                                                            # the judgement that counts does count
    assert not torch.equal(before[0]["blocks.layer1.1.running_mean"], e.children[0].G.blocks["layer1"][1].running_mean)


def test_updates_are_adams_steps_and_their_cosines():
    e = small()
    e.train_d(RING)
    e.vary()
    norms, cosines = plane.updates(e)
    parent = [p.detach().clone() for p in e.G.parameters()]
    moves = [[b.detach() - a for a, b in zip(parent, child.G.parameters())] for child in e.children]
    for i in range(3):
        assert norms[i].item() == pytest.approx(math.sqrt(sum(float(m.square().sum()) for m in moves[i])), rel=1e-4)
        for j in range(3):
            dot = sum(float((a * b).sum()) for a, b in zip(moves[i], moves[j]))
            assert cosines[i, j].item() == pytest.approx(dot / float(norms[i] * norms[j]), abs=1e-4)
    assert cosines[0, 1] < 0.9999                           # different z; nothing is compared with itself


def test_shares_count_the_last_winners():
    def won(name):
        return Generation(1, (), (0,), (name,), (), (0,))

    lineage = [won("a")] * 5 + [won("b")] * 3 + [won("c")]
    assert plane.shares(lineage, window=4) == {"a": 0.0, "b": 0.75, "c": 0.25}
    assert plane.shares(lineage) == {"a": 5 / 9, "b": 3 / 9, "c": 1 / 9} and plane.shares([]) == {}


# ------------------------------------------------------------------------------------------ pictures

class Tilted(nn.Module):
    """D(x) = σ(3x + y)."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([3.0, 1.0]))

    def forward(self, points):
        return points @ self.w


def test_the_even_circle_goes_through_all_places_and_is_in_none():
    circle = plane.even_circle(2000)
    assert circle.norm(dim=1) == pytest.approx(2 ** 0.5, abs=1e-5)
    angles = torch.atan2(circle[:, 1], circle[:, 0])
    assert torch.histc(angles, 8, -math.pi, math.pi).min() > 200                    # of 250 in each eighth
    assert plane.measures(RING, circle).modes == 8 and plane.measures(RING, circle).high_quality < 0.15


def test_field_has_its_first_row_on_top():
    f = plane.field(Tilted(), extent=2.0, size=5)
    for i, y in enumerate((2, 1, 0, -1, -2)):
        for j, x in enumerate((-2, -1, 0, 1, 2)):
            assert f[i, j].item() == pytest.approx(1 / (1 + math.exp(-(3 * x + y))), abs=1e-6)


def test_picture_puts_every_point_in_its_place():
    here, there = torch.tensor([[-1.0, 1.0]]), torch.tensor([[1.0, -0.5]])
    image = plane.picture(fake=here, real=there, D_field=plane.field(Tilted(), 2.0), extent=2.0, size=200)
    assert image.shape == (200, 200, 3) and image.dtype == np.uint8
    assert tuple(image[50, 50]) == plane.GENERATED and tuple(image[125, 150]) == plane.REAL
    assert tuple(image[125, 153]) == plane.REAL and tuple(image[127, 152]) not in (plane.REAL, plane.GENERATED)   # a +
    left, right = image[150, 5], image[150, 195]
    assert left.max() < 110 and right.min() > 240 and np.ptp(left) == 0                     # D: grey, light is "real"


def test_picture_leaves_out_what_lies_outside():
    far = torch.tensor([[9.0, 0.0], [0.0, -1e30], [float("nan"), 0.0], [2.01, 0.0]])
    image = plane.picture(fake=far, real=far, moved=(far, far), extent=2.0, size=100)
    assert (image[1:-1, 1:95] == 255).all()


def test_lines_run_from_before_to_after_thick_by_their_weight():
    before, after = torch.tensor([[-1.5, 0.0], [-1.5, 1.0]]), torch.tensor([[1.5, 0.0], [1.5, 1.0]])
    plain = plane.picture(moved=(before, after), extent=2.0, size=100)
    assert all(tuple(plain[50, x]) == plane.MOVED for x in range(13, 85)) and tuple(plain[50, 87]) == plane.GENERATED
    assert (plain[50, 1:10] == 255).all()
    loud = plane.picture(moved=(before, after), weights=torch.tensor([-0.01, -0.5]), extent=2.0, size=100)
    brown = (loud == plane.MOVED).all(2)
    assert brown[40:60, 50].sum() == 1 and brown[15:35, 50].sum() == 3
    assert (loud[[50, 25], 87] == plane.GENERATED).all()
    wide = plane.picture(moved=(torch.tensor([[-2.0, 0.0]]), torch.tensor([[2.0, 0.0]])), size=288)
    assert (wide == plane.MOVED).all(2).any(0)[15:270].all()                            # no gap in a long one


# ------------------------------------------------------------------------------------------ what F_d rewards

def test_fakes_are_what_they_are_called():
    def draw():
        return torch.Generator().manual_seed(0)

    made = {kind: plane.fakes(RING, kind, 800, draw()) for kind in plane.FAKES}
    assert [modes_covered(RING, made[k]) for k in ("perfect", "half the modes", "one mode")] == [8, 4, 1]
    assert made["centre"].norm(dim=1).mean() < 0.3 and made["far away"].norm(dim=1).min() > 9
    assert made["anywhere"].abs().max() <= 2 and high_quality(RING, made["anywhere"]) < 0.05
    with pytest.raises(ValueError, match="no fakes 'bad'; there are: perfect, half the modes, one mode, centre, far"):
        plane.fakes(RING, "bad", 3, draw())


def test_f_d_prefers_diversity_only_where_d_knows_little():
    """An untrained D gives the highest F_d of the three to the diverse one; a trained D to what it already rejects."""
    untrained = plane.what_d_rewards(plane.frozen_d(RING, "anywhere", steps=0), RING)
    assert untrained["perfect"].diversity > untrained["half the modes"].diversity > untrained["one mode"].diversity
    trained = plane.what_d_rewards(plane.frozen_d(RING, "anywhere", steps=400, lr=3e-3), RING)
    assert trained["centre"].quality < 0.1 < trained["perfect"].quality
    assert trained["centre"].diversity > trained["perfect"].diversity
    collapsed = plane.what_d_rewards(plane.frozen_d(RING, "one mode", steps=400, lr=3e-3), RING)
    assert collapsed["one mode"].diversity > collapsed["perfect"].diversity


def test_what_d_rewards_takes_a_learners_fitness():
    """… which may return tensors that still carry a gradient."""
    D = plane.frozen_d(RING, "anywhere", steps=0)

    def mine(D, real, fake, gamma):
        quality = D(fake).sigmoid().mean()
        return quality, torch.zeros(1, requires_grad=True), quality + 0 * gamma

    found = plane.what_d_rewards(D, RING, n=32, judge=mine)
    ours = plane.what_d_rewards(D, RING, n=32)
    for kind in plane.FAKES:
        assert found[kind].quality == pytest.approx(ours[kind].quality) and found[kind].diversity == 0
