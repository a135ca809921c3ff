"""The measures of chapter 2, each computed a second time: by loops, by torchmetrics, or on a rigged network."""

import math
import statistics

import pytest
import torch

from gan_teach.networks.classifier import Classifier, ClassifierConfig
from gan_teach.networks.layers import sample_z
from gan_teach.stylegan import mixing_and_noise, path_length, separability
from gan_teach.stylegan.generator import Generator, StyleGANConfig, configuration
from gan_teach.stylegan.prepared import prepared

SIZE = {"resolution": 16, "z_dim": 8, "w_dim": 8, "fmap_base": 32, "fmap_max": 8}


def shaken(config, seed=0):
    """A generator whose noise and mapping matter, as after training."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        G = Generator(config).eval().requires_grad_(False)
        for p in G.to_rgb.parameters():
            p.div_(4)                                                       # so that few colours are cut off
        for name, p in G.named_parameters():
            p.add_(0.3 * torch.randn(p.shape) if name.endswith((".B", ".bias")) and "mapping" not in name else 0)
    return G


@pytest.fixture(scope="module")
def G():
    return shaken(StyleGANConfig(**SIZE))


@pytest.fixture(scope="module")
def eyes():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Classifier(ClassifierConfig((("shade", 2), ("hue", 3)), (4, 4), 6)).eval().requires_grad_(False)


class Rigged:
    """"first" is the sign of the first entry of what `of` makes of a picture; "third" has three options."""

    def __init__(self, of=lambda x: x.mean((2, 3))):
        self.of = of

    def __call__(self, x):
        s = self.of(x)
        return {"first": torch.stack([-s[:, 0], s[:, 0]], 1), "third": s[:, :3]}


# -------------------------------------------------------------------------------------- distance

def test_perceptual_distance_by_loops(eyes):
    a, b = torch.rand(2, 3, 3, 8, 8) * 2 - 1
    wanted = torch.zeros(3, dtype=torch.float64)
    for x, y in zip(eyes.maps(a), eyes.maps(b)):
        for n in range(3):
            for i in range(x.shape[2]):
                for j in range(x.shape[3]):
                    u, v = x[n, :, i, j].double(), y[n, :, i, j].double()
                    u, v = (q / (q.square().sum() + 1e-10).sqrt() for q in (u, v))
                    wanted[n] += (u - v).square().sum() / (x.shape[2] * x.shape[3])
    assert torch.allclose(path_length.perceptual_distance(a, b, eyes).double(), wanted, rtol=1e-4)
    assert torch.equal(path_length.perceptual_distance(a, a, eyes), torch.zeros(3))


def test_eyes_may_be_a_network_its_features_or_a_function(eyes):
    a, b = torch.rand(2, 2, 3, 8, 8) * 2 - 1
    assert torch.equal(path_length.perceptual_distance(a, b, eyes), path_length.perceptual_distance(a, b, eyes.maps))
    u, v = (eyes.features(x) for x in (a, b))
    wanted = 2 - 2 * torch.cosine_similarity(u, v)                          # ‖û − v̂‖²
    assert torch.allclose(path_length.perceptual_distance(a, b, eyes.features), wanted, atol=1e-5)
    only = type("Old", (), {"features": eyes.features})()
    assert torch.allclose(path_length.perceptual_distance(a, b, only), wanted, atol=1e-5)


# -------------------------------------------------------------------------------------- path length

def test_slerp_by_its_formula_in_float64():
    a, b = torch.randn(2, 5, 6, dtype=torch.float64) * 3
    t = torch.tensor([[0.0], [0.2], [0.5], [0.9], [1.0]], dtype=torch.float64)
    for n in range(5):
        u, v, s = a[n] / a[n].norm(), b[n] / b[n].norm(), t[n].item()
        omega = math.acos(float(u @ v))
        wanted = (math.sin((1 - s) * omega) * u + math.sin(s * omega) * v) / math.sin(omega)
        assert torch.allclose(path_length.slerp(a, b, t)[n], wanted, atol=1e-12)
    assert torch.allclose(path_length.slerp(a, a, 0.5), a / a.norm(dim=1, keepdim=True))


@pytest.mark.parametrize("ends", path_length.ENDS)
@pytest.mark.parametrize("space", path_length.SPACES)
def test_path_length_eq2_and_eq3_agree_with_torchmetrics(G, eyes, space, ends):
    """torchmetrics walks from t = 0 alone. But I(t + ε) is also the point at ε on the way from I(t) to I(t + 1)."""
    from torchmetrics.functional.image import perceptual_path_length

    n, draw = 24, mixing_and_noise.numbers(3)
    z1, z2 = torch.randn(2, n, 8, generator=draw)
    t = torch.rand(n, 1, generator=draw) if ends == "full" else torch.zeros(n, 1)

    class Walk(torch.nn.Module):
        """The generator as torchmetrics wants it: without noise, pictures of 0 to 255."""

        def __init__(self):
            super().__init__()
            self.asked = 0

        def sample(self, n):
            self.asked += 1                                                 # first I(t), then I(t + 1)
            s = t + self.asked - 1
            return path_length.slerp(z1, z2, s) if space == "z" else torch.lerp(G.mapping(z1), G.mapping(z2), s)

        def forward(self, points):
            w = G.mapping(points) if space == "z" else points
            return (G.synthesis(w, G.noise(0, ())) + 1) * 127.5

    class Distance(torch.nn.Module):
        def forward(self, a, b):
            return path_length.perceptual_distance(a, b, eyes)

    *_, theirs = perceptual_path_length(
        Walk(), n, batch_size=8, epsilon=1e-3, resize=None, lower_discard=None, upper_discard=None, sim_net=Distance(),
        interpolation_method="slerp_any" if space == "z" else "lerp")
    silent = shaken(StyleGANConfig(**SIZE))
    for block in silent.blocks.values():
        block.B.zero_()
    ours = path_length.path_length(silent, eyes, space, ends, n, seed=3, batch=7, epsilon=1e-3, progress=False)
    assert torch.allclose(ours.each, theirs, rtol=0.05) and (theirs > 0).all()


def test_path_length_of_a_straight_road():
    """A "picture" that is its own w, and eyes that see its direction alone."""
    class Straight(Generator):
        def synthesis(self, ws, noise=None):
            return ws.view(len(ws), 8, 1, 1)

    road = Straight(StyleGANConfig(**SIZE))
    found = path_length.path_length(road, lambda x: x.flatten(1), "w", "end", 50, seed=1, epsilon=1e-3, progress=False)
    draw = mixing_and_noise.numbers(1)
    w1, w2 = (road.mapping(z).detach().double() for z in torch.randn(2, 50, 8, generator=draw))
    u, v = w1 / w1.norm(dim=1, keepdim=True), torch.lerp(w1, w2, 1e-3)
    v = v / v.norm(dim=1, keepdim=True)
    assert torch.allclose(found.each.double(), (u - v).square().sum(1) / 1e-6, rtol=1e-2)


def test_path_length_keeps_its_noise_its_seed_and_its_independence_of_the_batch(G, eyes):
    options = {"pairs": 10, "progress": False}
    one = path_length.path_length(G, eyes, seed=1, batch=10, **options)
    assert torch.allclose(one.each, path_length.path_length(G, eyes, seed=1, batch=3, **options).each, rtol=0.03)
    assert not torch.allclose(one.each, path_length.path_length(G, eyes, seed=2, **options).each, rtol=0.03)
    assert torch.allclose(one.each, path_length.path_length(prepared(G), eyes, seed=1, **options).each, rtol=0.03)
    # noise that differed between the two ends would dwarf a step of 1e-4
    assert one.each.max() * 1e-8 < 1e-3 * path_length.perceptual_distance(
        G(sample_z(1, 8, 1), noise=1), G(sample_z(1, 8, 1), noise=2), eyes).item()


def test_path_length_drops_the_lowest_and_the_highest_hundredth():
    found = path_length.PathLength(torch.tensor([1e6, -5.0] + [2.0] * 99 + [4.0] * 99))
    assert len(found.kept) == 196 and found.kept.min() == 2 and found.kept.max() == 4
    assert math.isclose(found.mean, 3.0, abs_tol=0.02)
    moved = sorted(min(max(value, 2.0), 4.0) for value in found.each.tolist())
    assert math.isclose(found.error, statistics.stdev(moved) / 0.98 / 200 ** 0.5, rel_tol=1e-5)
    assert str(found).startswith("3 ± 0.07")


def test_the_error_of_a_path_length_is_how_far_other_pairs_would_move_it():
    draws = torch.randn(1500, 400, generator=torch.Generator().manual_seed(0)).exp()         # skew, as these are
    found = [path_length.PathLength(each) for each in draws]
    apart, said = statistics.stdev(f.mean for f in found), statistics.fmean(f.error for f in found)
    assert said == pytest.approx(apart, rel=0.06)                           # without what was cut: 0.87 of it


@pytest.mark.parametrize("depth", [0, 2, 8])
def test_every_depth_of_the_mapping_is_measured(depth, eyes):
    G = shaken(StyleGANConfig(**SIZE, mapping_layers=depth))
    for space in path_length.SPACES:
        assert path_length.path_length(G, eyes, space, pairs=4, progress=False).mean > 0
    found = separability.linear_separability(G, Rigged(), n=60, progress=False)
    assert set(found) == {"z", "w"} and all(part.score >= 1 for part in found.values())


def test_the_configuration_without_styles_and_noise_is_measured_too(eyes):
    G = shaken(configuration("B", **SIZE))
    assert path_length.path_length(G, eyes, "z", pairs=4, progress=False).mean > 0
    assert mixing_and_noise.noise_deviation(G, G.ws(sample_z(1, 8, 0)), 3, progress=False).max() < 1e-6


def test_path_length_refuses_what_it_cannot_measure(G, eyes):
    with pytest.raises(ValueError, match="no space 'W'; there are: z, w"):
        path_length.path_length(G, eyes, "W", progress=False)
    with pytest.raises(ValueError, match="ends"):
        path_length.path_length(G, eyes, ends="middle", progress=False)
    with pytest.raises(ValueError, match="16 bits"):
        path_length.path_length(prepared(G, torch.bfloat16), eyes, progress=False)


def test_latents_of_small_seeds_are_kept_out():
    """Found in a trained generator: the z of seed 0 were the weights its mapping started from."""
    torch.manual_seed(0)
    first = Generator(StyleGANConfig(**SIZE)).mapping.layers[0]
    rows = first.weight.detach() * first.rate
    assert torch.allclose(sample_z(8, 8, seed=0), rows, atol=1e-5)          # why it matters
    assert not torch.allclose(torch.randn(8, 8, generator=mixing_and_noise.numbers(0)), rows, atol=1e-1)


# -------------------------------------------------------------------------------------- separability

def test_linear_svm_is_at_the_minimum_of_its_objective():
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(80, 5, generator=draw) * 3 + 1, torch.randn(80, 2, generator=draw).sign()
    found = separability.linear_svm(x, y, C=0.7)
    assert found.shape == (2, 6)
    for k in range(2):
        v = found[k].clone().requires_grad_()
        loss = 0.5 * sum(q * q for q in v)
        for i in range(80):
            gap = 1 - y[i, k] * (sum(v[d] * x[i, d].double() for d in range(5)) + v[5])
            loss = loss + 0.7 * gap.clamp(min=0) ** 2
        slope, = torch.autograd.grad(loss, v)
        assert slope.norm() < 1e-5 * loss.item()                           # convex: no slope, no better place


def test_linear_svm_cuts_what_can_be_cut():
    x = torch.randn(300, 10, generator=torch.Generator().manual_seed(0))
    y = (x[:, :1] - 2 * x[:, 3:4] + 0.5).sign()
    v = separability.linear_svm(x, y, C=100)
    assert ((x.double() @ v[:, :-1].T + v[:, -1]).sign() == y).float().mean() > 0.99
    assert torch.equal(v, separability.linear_svm(x, y, C=100))


def test_conditional_entropy_by_hand():
    x, y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), torch.tensor([0, 0, 1, 1, 1, 1, 1, 0])
    wanted = 0.5 * math.log(2) - 0.5 * (0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert math.isclose(separability.conditional_entropy(x, y, 2), wanted)
    assert separability.conditional_entropy(y, y, 2) == 0
    # in bits and with powers of 2 it is the same score
    bits = wanted / math.log(2)
    assert math.isclose(2**bits, math.exp(wanted))


def test_separability_tells_straight_from_bent_and_keeps_the_confident_half():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 6, generator=draw)
    straight = 20 * torch.stack([-x[:, 0], x[:, 0]], 1)
    bent = 20 * torch.stack([x[:, 0] * x[:, 1], -x[:, 0] * x[:, 1]], 1)     # a quarter here, a quarter there
    three = 20 * x[:, :3]                                                   # the largest of three
    found = separability.separability(x, {"straight": straight, "bent": bent, "three": three})
    assert found.entropy["straight"] < 0.01 and found.entropy["bent"] > 0.6 and found.entropy["three"] < 0.15
    assert found.before["straight"] > 0.68 and found.before["three"] > 1.0
    assert math.isclose(found.score, math.exp(sum(found.entropy.values())))
    # answers near 50:50 that are wrong do not count
    sure = torch.arange(2000)[:, None] % 9 < 5
    doubtful = torch.where(sure, straight, torch.randn(2000, 2, generator=draw) * 1e-6)
    assert separability.separability(x, {"a": doubtful}).entropy["a"] < 0.01


def test_fresh_points_are_not_cut_where_nothing_is_to_be_learnt():
    draw = torch.Generator().manual_seed(0)
    x, coin = torch.randn(240, 40, generator=draw), torch.randn(240, 1, generator=draw).sign() * 20
    logits = {"coin": torch.cat([coin, -coin], 1), "first": 20 * torch.stack([-x[:, 0], x[:, 0]], 1)}
    seen, fresh = separability.separability(x, logits), separability.separability(x, logits, folds=5)
    assert seen.entropy["coin"] < 0.6 and fresh.entropy["coin"] > 0.65           # a coin is 0.69
    assert seen.entropy["first"] <= fresh.entropy["first"] < 0.5 and fresh.before == seen.before
    with pytest.raises(ValueError, match="folds"):
        separability.separability(x, logits, folds=0)


def test_linear_separability_looks_at_the_right_space(G):
    """Pictures whose label is a plane in w: no cut in z finds it, because the mapping bends."""
    class Reader(Generator):
        def synthesis(self, ws, noise=None):
            return (ws[:, :3] / 2)[..., None, None].expand(-1, 3, 4, 4)

    reader = Reader(StyleGANConfig(**SIZE))
    reader.load_state_dict(G.state_dict())
    of = lambda x: 50 * (x.mean((2, 3)) - x.mean((2, 3)).median(0).values)  # noqa: E731
    found = separability.linear_separability(reader, Rigged(of), ["first"], n=1500, batch=1500, progress=False)
    assert list(found["w"].entropy) == ["first"]
    assert found["w"].score < 1.02 < 1.1 < found["z"].score
    assert found["z"].before == found["w"].before and set(found) == {"z", "w"}
    found = separability.linear_separability(reader, Rigged(of), ["first"], n=300, batch=300, progress=False, folds=3)
    assert set(found) == {"z", "w", "z, fresh", "w, fresh"} and found["w, fresh"].score < found["z, fresh"].score
    with pytest.raises(ValueError, match="first"):
        separability.linear_separability(reader, Rigged(of), ["frist"], n=10, progress=False)


# -------------------------------------------------------------------------------------- mixing and noise

def test_mixed_latents_change_at_their_crossovers(G):
    for latents in (1, 2, 4, 6):
        ws = mixing_and_noise.mixed(G, 50, latents, torch.Generator().manual_seed(0))
        changes = (ws[:, 1:] != ws[:, :-1]).any(2)                          # (50, L − 1)
        assert (changes.sum(1) == latents - 1).all()
    ws = mixing_and_noise.mixed(G, 400, 2, torch.Generator().manual_seed(0))
    where = (ws[:, 1:] != ws[:, :-1]).any(2).float().mean(0)
    assert (where - 0.2).abs().max() < 0.08                                 # each of the 5 crossovers as often
    with pytest.raises(ValueError, match="from 1 to 6"):
        mixing_and_noise.mixed(G, 5, 7, torch.Generator())


def test_mixing_distances_are_those_of_the_mixed_pictures(G, monkeypatch):
    real, seen = torch.rand(12, 3, 16, 16) * 2 - 1, []

    def distance(a, b, judge):
        seen.append(b)
        assert a is real and judge == "judge" and b.shape == real.shape and b.abs().max() <= 1
        return float(len(seen))

    monkeypatch.setattr(mixing_and_noise, "frechet_distance", distance)
    found = mixing_and_noise.mixing_distances(G, real, "judge", (1, 3), seed=4, batch=5, progress=False)
    assert found == {1: 1.0, 3: 2.0}
    draw = mixing_and_noise.numbers(4)
    ws = mixing_and_noise.mixed(G, 12, 3, draw)
    noise = torch.randint(2**31, (12,), generator=draw).tolist()
    assert torch.allclose(seen[1], G.synthesis(ws, G.noise(noise)).clamp(-1, 1), atol=1e-5)


def test_noise_deviation_by_loops(G):
    ws = G.ws(sample_z(2, 8, seed=1))
    found = mixing_and_noise.noise_deviation(G, ws, draws=7, seed=5, batch=3, progress=False)
    seeds = torch.randint(2**31, (7,), generator=mixing_and_noise.numbers(5)).tolist()
    for n in range(2):
        greys = [(G.synthesis(ws[n:n + 1], s)[0].clamp(-1, 1).double().mean(0) + 1) / 2 for s in seeds]
        mean = sum(greys) / 7
        wanted = (sum((g - mean) ** 2 for g in greys) / 7).sqrt()
        assert torch.allclose(found[n].double(), wanted, atol=1e-5) and wanted.max() > 0.01
    assert found.shape == (2, 16, 16)


def test_noise_deviation_of_some_layers_and_of_none(G):
    ws = G.ws(sample_z(1, 8, seed=1))
    options = {"draws": 4, "progress": False}
    assert mixing_and_noise.noise_deviation(G, ws, layers=(), **options).max() < 1e-6
    fine, every = (mixing_and_noise.noise_deviation(G, ws, layers=layers, **options) for layers in ([5], None))
    assert 0 < fine.mean() < every.mean()
    assert torch.allclose(mixing_and_noise.noise_deviation(G, ws[:, 0], **options), every, atol=1e-5)
