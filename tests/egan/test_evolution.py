"""E-GAN: mutations and fitness against closed forms and loops, shared work against the plain loop, exact resumes."""

import copy
import math
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import torch
from rigged import weights
from torch import nn

from gan_teach.egan import shared_passes
from gan_teach.egan.child import clone, descend, mutate, slope
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.fitness_and_selection import Fitness, fitness, select
from gan_teach.egan.long_run import run
from gan_teach.egan.mutations import heuristic, least_squares, minimax
from gan_teach.egan.settings import Settings, logistic
from gan_teach.networks.dcgan import (
    DCGANConfig,
    Discriminator,
    Generator,
    PlaneConfig,
    PlaneDiscriminator,
    PlaneGenerator,
)
from gan_teach.networks.device import fast_bfloat16
from gan_teach.networks.losses import logistic_r1_r2
from gan_teach.networks.wgan import wasserstein, wasserstein_gp
from gan_teach.training import NotFinite
from gan_teach.worlds import gaussians

torch.set_num_threads(1)
RING = gaussians.ring()
THREE = (minimax, heuristic, least_squares)


def spread(logits):
    """A mutation of our own that looks at the batch as a whole."""
    return -logits.mean() - logits.std()


def networks(seed=0, width=8, dtype=torch.float64):
    torch.manual_seed(seed)
    config = PlaneConfig(width=width, depth=2)
    return PlaneGenerator(config).to(dtype), PlaneDiscriminator(config).to(dtype)


def evolution(width=8, dtype=torch.float64, **changes) -> Evolution:
    settings = Settings(**{"batch": 12, "fitness_batch": 20, "d_steps": 1, "lr": 1e-2} | changes)
    return Evolution(*networks(width=width, dtype=dtype), settings, "cpu")


# ------------------------------------------------------------------------------------------ mutations

CLOSED_FORMS = [   # mutation, M as a function of one s = D(G(z)), dM/dl
    (minimax, lambda s: 0.5 * math.log(1 - s), lambda s: -0.5 * s),
    (heuristic, lambda s: -0.5 * math.log(s), lambda s: -0.5 * (1 - s)),
    (least_squares, lambda s: (s - 1) ** 2, lambda s: -2 * s * (1 - s) ** 2)]


@pytest.mark.parametrize("mutation, value, derivative", CLOSED_FORMS)
def test_mutations_and_their_gradients_in_closed_form(mutation, value, derivative):
    s = [0.1, 0.5, 0.9, 1 / 3]
    logits = torch.tensor([math.log(p / (1 - p)) for p in s], dtype=torch.float64)
    assert mutation(logits).item() == pytest.approx(sum(map(value, s)) / 4, rel=1e-12)
    assert slope(mutation, logits).tolist() == pytest.approx([derivative(p) / 4 for p in s], rel=1e-12)


@pytest.mark.parametrize("mutation", THREE)
def test_every_mutation_says_raise_l_and_stays_finite(mutation):
    logits = torch.tensor([-200.0, -3, 0, 3, 200])
    said = slope(mutation, logits)
    assert torch.isfinite(mutation(logits)) and (said <= 0).all() and (said[1:4] < 0).all()


def test_where_a_mutation_is_loudest():
    logits = torch.linspace(-9, 9, 2001, dtype=torch.float64)
    loudest = {m.__name__: logits[slope(m, logits).argmin()].sigmoid().item() for m in THREE}
    assert loudest["minimax"] > 0.999 and loudest["heuristic"] < 0.001
    assert loudest["least_squares"] == pytest.approx(1 / 3, abs=0.002)


# ------------------------------------------------------------------------------------------ fitness

def test_fitness_eq7_against_finite_differences():
    """F_q by a loop; ‖∇_D L_D‖ by moving every weight of D a little, one after the other."""
    _, D = networks(width=3)
    real, fake = torch.randn(7, 2, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)

    def loss():
        return (-sum(math.log(1 / (1 + math.exp(-logit))) for logit in D(real).tolist()) / 7
                - sum(math.log(1 - 1 / (1 + math.exp(-logit))) for logit in D(fake).tolist()) / 5)

    square = 0.0
    with torch.no_grad():
        for p in D.parameters():
            for i in range(p.numel()):
                at = p.view(-1)
                old = at[i].item()
                at[i] = old + 1e-5
                up = loss()
                at[i] = old - 1e-5
                square += ((up - loss()) / 2e-5) ** 2
                at[i] = old
    quality = sum(1 / (1 + math.exp(-logit)) for logit in D(fake).tolist()) / 5
    got = fitness(D, real, fake, gamma=0.3)
    assert got.quality == pytest.approx(quality, rel=1e-9)
    assert got.diversity == pytest.approx(-math.log(math.sqrt(square)), rel=1e-6)
    assert got.total == pytest.approx(quality + 0.3 * got.diversity, rel=1e-9)
    both = shared_passes.quality_and_diversity(D, real, [fake, real])
    assert both[0] == pytest.approx(got[:2], rel=1e-9)
    assert both[1] == pytest.approx(fitness(D, real, real, 1.0)[:2], rel=1e-9)


def test_a_small_gradient_of_d_is_a_high_diversity():
    """D = σ(w x): fakes at x = 0 leave w alone, fakes far on the wrong side pull at it."""
    D = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Flatten(0))
    D[0].weight.data.fill_(1.0)
    real = torch.full((4, 1), 20.0)                 # D is sure of them: no gradient from the real half
    near, far = (fitness(D, real, torch.full((4, 1), x), 1.0) for x in (0.01, 5.0))
    # dL/dw = σ(wx)·x
    assert near.diversity == pytest.approx(-math.log(0.01 / (1 + math.exp(-0.01))), rel=1e-4)
    assert far.diversity == pytest.approx(-math.log(5.0 / (1 + math.exp(-5))), rel=1e-4)
    assert near.diversity > 0 > far.diversity


@pytest.mark.parametrize("shared", [False, True])
def test_gamma_0_takes_no_gradient(shared, monkeypatch):
    e = evolution(gamma=0.0, shared=shared)
    e.train_d(RING)
    e.vary()

    def forbidden(*args, **kwargs):
        raise AssertionError("a gradient was taken")

    monkeypatch.setattr(torch.autograd, "grad", forbidden)
    scores = e.evaluate()
    assert all(math.isnan(f.diversity) and f.total == f.quality for f in scores)
    e.settings = replace(e.settings, gamma=0.1)
    with pytest.raises(AssertionError, match="a gradient was taken"):
        e.evaluate()


# ------------------------------------------------------------------------------------------ shared work

def image_networks(norm_g, norm_d, per_sample=None):
    torch.manual_seed(1)
    config = DCGANConfig((6, 4), 4, 5, norm_g=norm_g, norm_d=norm_d)
    G, D = Generator(config).double(), Discriminator(config).double()
    for p in [*G.parameters(), *D.parameters()]:
        nn.init.normal_(p, 0.0, 0.3)
    D.per_sample = D.per_sample if per_sample is None else per_sample
    return G, D


def difference(one, other):
    pairs = [(a, b) for a, b in zip(one, other) if a is not None]
    return (sum((a - b).square().sum() for a, b in pairs) / sum(a.square().sum() for a, _ in pairs)).sqrt().item()


@pytest.mark.parametrize("norm_g", [False, True])
@pytest.mark.parametrize("norm_d", [False, True])
def test_shared_children_are_the_plain_children(norm_g, norm_d):
    G, D = image_networks(norm_g, norm_d)
    before = {name: value.clone() for name, value in G.state_dict().items()}
    z = torch.randn(6, 5, dtype=torch.float64)
    mutations = (*THREE, spread)
    for mutation, (child, gradient) in zip(mutations, shared_passes.gradients(G, D, z, mutations)):
        plain_child, plain = mutate(G, D, z, mutation)
        assert difference(plain, gradient) < 1e-12
        for name, value in child.state_dict().items():          # the averages of the batch norm too
            assert torch.equal(value, plain_child.state_dict()[name])
    assert all(torch.equal(before[name], value) for name, value in G.state_dict().items())


def test_with_batch_norm_in_d_scaling_the_image_gradient_would_be_wrong():
    G, D = image_networks(False, True, per_sample=True)
    z = torch.randn(6, 5, dtype=torch.float64)
    wrong = [difference(mutate(G, D, z, m)[1], g) for m, (_, g) in zip(THREE, shared_passes.gradients(G, D, z, THREE))]
    assert max(wrong) > 0.01


def test_shared_work_passes_each_network_once():
    G, D = image_networks(False, False)
    passes = []
    D.register_forward_pre_hook(lambda *_: passes.append("D"))
    G.register_forward_pre_hook(lambda *_: passes.append("G"))       # a clone keeps the hooks
    shared_passes.gradients(G, D, torch.randn(6, 5, dtype=torch.float64), THREE)
    assert sorted(passes) == ["D", "G"]
    passes.clear()
    x = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    shared_passes.quality_and_diversity(D, x, [x, x, x])
    assert passes == ["D"] * 4                                       # real once, not three times


@pytest.mark.parametrize("same_z", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.1])
def test_shared_evolution_is_the_plain_evolution(same_z, gamma):
    plain, shared = (evolution(shared=flag, mutate_same_z=same_z, judge_same_z=same_z, gamma=gamma, mu=2)
                     for flag in (False, True))
    for _ in range(6):
        one, other = plain.step(RING), shared.step(RING)
        assert one.survivors == other.survivors
        for f, g in zip(one.fitness, other.fitness):
            assert f.total == pytest.approx(g.total, rel=1e-9)
    assert difference(plain.G.parameters(), shared.G.parameters()) < 1e-9
    assert difference(plain.D.parameters(), shared.D.parameters()) < 1e-9


def test_same_z_means_the_same_z():
    class Watched(PlaneGenerator):
        def forward(self, z):
            seen.append(z)
            return super().forward(z)

    seen = []
    for vary, judge in ((False, True), (True, False)):
        torch.manual_seed(0)
        e = Evolution(Watched(PlaneConfig(width=4)), PlaneDiscriminator(), Settings(
            shared=False, mutate_same_z=vary, judge_same_z=judge, batch=4, fitness_batch=6), "cpu")
        e.train_d(RING)
        seen.clear()
        e.vary()
        e.evaluate()
        assert [len(z) for z in seen] == [4, 4, 4, 6, 6, 6]
        for zs, same in ((seen[:3], vary), (seen[3:], judge)):
            assert torch.equal(zs[0], zs[1]) == torch.equal(zs[1], zs[2]) == torch.equal(zs[0], zs[2]) == same


@pytest.mark.skipif(not fast_bfloat16("cpu"), reason="this CPU has no fast bfloat16: autocast stays off")
def test_bf16_judges_nearly_as_float32_does():
    def scores(bf16):
        torch.manual_seed(2)
        config = DCGANConfig((16, 8), 4, 5)
        e = Evolution(Generator(config), Discriminator(config), Settings(
            batch=8, fitness_batch=16, d_steps=1, mutate_same_z=True, bf16=bf16), "cpu")
        e.train_d(torch.rand(20, 3, 16, 16) * 2 - 1)
        e.vary()
        assert e.children[0].G.last.weight.dtype == torch.float32
        return e.evaluate()

    for exact, rounded in zip(scores(False), scores(True)):
        assert rounded.total == pytest.approx(exact.total, abs=3e-3) and rounded != exact


# ------------------------------------------------------------------------------------------ selection

def rigged(*totals):
    return [Fitness(0.0, 0.0, total) for total in totals]


def test_select_takes_the_best_the_worst_any_or_mine():
    scores = rigged(0.2, 0.9, 0.5, 0.9, -1.0)
    assert select(scores, 1) == [1]                                    # of equals the first
    assert select(scores, 3) == [1, 3, 2]
    assert select(scores, 2, "worst") == [4, 0]
    assert select(scores, 2, lambda f: [2, 0]) == [2, 0]
    assert select(scores, 1, lambda f: 3) == [3]
    assert select(scores, 1, lambda f: torch.tensor([child.total for child in f]).argmin()) == [4]
    draw = torch.Generator().manual_seed(0)
    picks = [select(scores, 1, "random", draw)[0] for _ in range(500)]
    assert all(70 < picks.count(i) < 130 for i in range(5))


@pytest.mark.parametrize("answer", [[5], [0, 1], [], [-1]])
def test_a_selection_that_answers_nonsense_is_told_so(answer):
    def mine(scores):
        return answer

    with pytest.raises(ValueError, match=r"selection 'mine' answered .*; wanted 1 different number\(s\) from 0 to 2"):
        select(rigged(1, 2, 3), 1, mine)


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_survivor_is_the_fittest_child_and_it_is_what_is_kept(best, tmp_path):
    e = evolution()
    e.train_d(RING)
    children = e.vary()
    e.scores = rigged(*(float(i == best) for i in range(3)))
    generation = e.select()
    assert generation.survivors == (best,) and generation.winner == THREE[best].__name__ == e.survivors[0].mutation
    assert e.G is children[best].G
    e.save(tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)["survivors"][0]["G"]
    assert all(torch.equal(saved[name], value) for name, value in children[best].G.state_dict().items())
    assert not torch.equal(saved["last.weight"], children[best - 1].G.last.weight)


def test_two_survivors_have_six_children_and_both_teach_d():
    e = evolution(mu=2)
    assert torch.equal(weights(e.survivors[0].G), weights(e.survivors[1].G))
    for _ in range(2):
        generation = e.step(RING)
    assert generation.parents == (0, 0, 0, 1, 1, 1) and generation.mutations == 2 * tuple(m.__name__ for m in THREE)
    totals = [f.total for f in generation.fitness]
    assert list(generation.survivors) == sorted(range(6), key=lambda i: -totals[i])[:2]
    shown = []
    e.D.register_forward_pre_hook(lambda _, args: shown.append(args[0].clone()))
    for one, value in zip(e.survivors, (-7.0, 7.0)):
        one.G.last.weight.data.zero_()
        one.G.last.bias.data.fill_(value)
    e.train_d(RING)
    assert shown[1][:, 0].tolist() == [-7.0] * 6 + [7.0] * 6


# ------------------------------------------------------------------------------------------ Adam

@pytest.mark.parametrize("policy, steps", [("own", [1, 2, 3, 4]), ("inherited", [1, 2, 3, 4]), ("reset", [1, 1, 1, 1])])
@pytest.mark.parametrize("mu", [1, 2])
def test_adams_step_counter(policy, steps, mu):
    """Shared moments would count 1, 4, 7, 10. (With two parents, each mutation's own Adam steps for both.)"""
    e = evolution(adam=policy, mu=mu)
    counted = []
    for _ in range(4):
        e.step(RING)
        counted.append([int(child.adam[0]["step"]) for child in e.children])
    if policy == "own" and mu == 2:
        assert counted == [[2 * s - 1] * 3 + [2 * s] * 3 for s in steps]
    else:
        assert counted == [[s] * 3 * mu for s in steps]


@pytest.mark.parametrize("policy", ["own", "inherited"])
def test_children_leave_their_parents_moments_alone(policy):
    e = evolution(adam=policy)
    e.step(RING)
    parent, own = e.survivors[0], dict(e.own)
    before = copy.deepcopy([parent.adam, *own.values()])
    e.train_d(RING)
    e.vary()
    for old, adam in zip(before, (parent.adam, *own.values())):
        assert all(torch.equal(old[i][k], adam[i][k]) for i in old for k in old[i])


def test_the_rates_halve_in_so_many_generations():
    """Adam without a memory moves each weight by its rate, so the largest move tells the rate."""
    one = evolution(adam="reset", lr=0.01, lr_d=0.04, betas=(0.0, 0.99), halves=2)
    for t in range(5):
        before = weights(one.G)
        one.step(RING)
        assert (weights(one.G) - before).abs().max().item() == pytest.approx(0.01 / 2 ** (t / 2), rel=1e-3)
        assert one.optimiser_d.param_groups[0]["lr"] == pytest.approx(0.04 / 2 ** (t / 2))


def test_the_mean_is_of_all_survivors_and_changes_none_of_them():
    """Against the sum written out: m_t = ema^t θ_0 + (1 − ema) Σ ema^(t−k) θ_k. A stop on the way loses nothing."""
    one, plain = evolution(ema=0.9), evolution()
    expected = weights(one.G).double()
    for t in range(6):
        one.step(RING)
        plain.step(RING)
        expected = 0.9 * expected + 0.1 * weights(one.G).double()
        if t == 2:
            state, one = one.state(), evolution(ema=0.9)
            one.restore(state)
    assert torch.equal(weights(one.G), weights(plain.G)) and plain.mean is None
    assert torch.allclose(weights(one.mean).double(), expected, rtol=1e-5, atol=1e-7)
    assert not torch.equal(weights(one.mean), weights(one.G)) and not one.mean.training


def test_descend_is_torchs_adam():
    G, _ = networks()
    twin, adam = clone(G), None
    optimiser = torch.optim.Adam(twin.parameters(), 0.03, (0.4, 0.9))
    for seed in range(4):
        slopes = [torch.randn(p.shape, dtype=p.dtype, generator=torch.Generator().manual_seed(seed))
                  for p in G.parameters()]
        adam = descend(G, slopes, adam, 0.03, (0.4, 0.9))
        for p, direction in zip(twin.parameters(), slopes):
            p.grad = direction.clone()
        optimiser.step()
    assert torch.allclose(weights(G), weights(twin), rtol=1e-12)


def test_clone_owns_its_weights_and_keeps_what_is_tied():
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
    net[2].weight = net[0].weight
    net.append(net[1])
    twin = clone(net)
    assert twin[2].weight is twin[0].weight and twin[3] is twin[1]
    assert twin.state_dict().keys() == net.state_dict().keys()
    twin.register_forward_hook(lambda *_: 1 / 0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for value in twin.state_dict().values():
        value.add_(1)
    net.eval()(torch.randn(2, 3))
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert twin.training and not net.training


# ------------------------------------------------------------------------------------------ baselines

def test_one_mutation_is_a_plain_gan():
    """Against a GAN written out with torch.optim.Adam, on the same draws: equal to the last bit or nearly."""
    e = evolution(mutations=(heuristic,), d_steps=2, seed=5)
    G, D = networks()
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), 1e-2, (0.5, 0.99)) for net in (G, D))
    for generation in range(5):
        record = e.step(RING)
        assert record.survivors == (0,) and math.isnan(record.fitness[0].total)         # nobody was judged
        draw = torch.Generator().manual_seed((5 * 1_000_000_007 + generation) * 4)
        for _ in range(2):
            real, fake = RING(12, draw).double(), G(torch.randn(12, 2, generator=draw).double()).detach()
            adam_d.zero_grad()
            (-D(real).sigmoid().log().mean() - (1 - D(fake).sigmoid()).log().mean()).backward()
            adam_d.step()
        draw = torch.Generator().manual_seed((5 * 1_000_000_007 + generation) * 4 + 1)
        adam_g.zero_grad()
        (-0.5 * D(G(torch.randn(12, 2, generator=draw).double())).sigmoid().log().mean()).backward()
        adam_g.step()
    assert torch.allclose(weights(e.G), weights(G), rtol=1e-9) and torch.allclose(weights(e.D), weights(D), rtol=1e-9)


def test_an_evolution_takes_it_as_the_environments_loss():
    flat, e = evolution(), evolution(d_loss=logistic_r1_r2)
    assert e.step(RING).loss_d[0] > flat.step(RING).loss_d[0] and not torch.equal(weights(e.D), weights(flat.D))
    assert "d_loss=logistic_r1_r2" in str(e.settings)


def test_wgan_gp_learns_from_the_same_loop():
    e = evolution(mutations=(wasserstein,), d_loss=wasserstein_gp, d_steps=3, betas=(0.0, 0.9))
    start = weights(e.G)
    assert len(e.step(RING).loss_d) == 3 and not torch.equal(weights(e.G), start)


# ------------------------------------------------------------------------------------------ draws and resumes

def test_a_seed_fixes_everything_and_another_changes_it():
    one, same, other = (evolution(seed=seed) for seed in (3, 3, 4))
    for _ in range(3):
        records = [e.step(RING) for e in (one, same, other)]
        assert records[0] == records[1] != records[2]
    assert torch.equal(weights(one.G), weights(same.G)) and not torch.equal(weights(one.G), weights(other.G))


def test_variants_see_the_same_real_samples():
    def watched(n, draw):
        seen[-1].append(RING(n, draw))
        return seen[-1][-1]

    seen = []
    for mutations in (THREE, (heuristic,)):
        seen.append([])
        evolution(mutations=mutations, seed=1).train_d(watched)
    assert torch.equal(seen[0][0], seen[1][0])


def test_judging_again_draws_anew_and_changes_nothing():
    e = evolution(gamma=0.1)
    e.train_d(RING)
    e.vary()
    scores, before = e.evaluate(), weights(e.D)
    again = e.evaluate(again=1)
    assert again != scores and e.scores == scores and e.evaluate(again=1) == again and e.evaluate() == scores
    assert torch.equal(weights(e.D), before) and all(p.grad is None for p in e.children[0].G.parameters())


@pytest.mark.parametrize("policy", ["own", "inherited", "reset"])
def test_restore_goes_back_exactly(policy):
    e = evolution(adam=policy, mu=2)
    for _ in range(3):
        e.step(RING)
    state, record = e.state(), [e.step(RING) for _ in range(3)]
    end = weights(e.G), weights(e.D)
    e.restore(state)
    assert e.generation == 3 and len(e.lineage) == 3
    assert [e.step(RING) for _ in range(3)] == record == e.lineage[3:]
    assert torch.equal(weights(e.G), end[0]) and torch.equal(weights(e.D), end[1])


SCRIPT = """
    import os, signal, sys, torch
    from gan_teach.networks.dcgan import DCGANConfig, Discriminator, Generator
    from gan_teach.egan import Evolution, Settings
    from gan_teach.egan.long_run import run

    torch.set_num_threads(1)

    class Mortal(Evolution):
        def step(self, real):
            if self.generation == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().step(real)

    def start():
        torch.manual_seed(0)
        config = DCGANConfig((6, 4), 4, 5, norm_g=True)
        settings = Settings(batch=4, fitness_batch=6, mu=2, adam="inherited", mutate_same_z=True, lr=1e-2)
        return Mortal(Generator(config), Discriminator(config), settings, "cpu")

    real = torch.randint(256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    run(start(), real, sys.argv[1], generations=9, save_every=4, picture_every=3)
"""


def test_killed_run_continues_bit_for_bit(tmp_path, monkeypatch):
    """9 generations; and 6, SIGKILL, resume from the snapshot of generation 4: every tensor, Adam's too, lineage."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / "killed"), "6"],
                          capture_output=True, text=True, timeout=900, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == -signal.SIGKILL, done.stderr
    resume = tmp_path / "killed/resume.pt"
    assert torch.load(resume, weights_only=True)["generation"] == 4
    for folder in ("whole", "killed"):
        monkeypatch.setattr(sys, "argv", ["", str(tmp_path / folder), "-1"])
        exec(textwrap.dedent(SCRIPT), {})
    a, b = (torch.load(tmp_path / name / "resume.pt", weights_only=True) for name in ("whole", "killed"))
    assert a["generation"] == b["generation"] == 9
    assert a.pop("seconds") != b.pop("seconds")

    def same(x, y):
        if isinstance(x, torch.Tensor):
            return torch.equal(x, y)
        if isinstance(x, dict):
            return x.keys() == y.keys() and all(same(x[k], y[k]) for k in x)
        if isinstance(x, list | tuple):
            return len(x) == len(y) and all(map(same, x, y))
        return x == y

    assert same(a, b) and len(a["lineage"]) == 9
    pictures = [sorted(p.name for p in (tmp_path / name / "samples").iterdir()) for name in ("whole", "killed")]
    assert pictures[0] == pictures[1] == ["00000003.png", "00000006.png", "00000009.png"]


def test_the_pictures_of_a_run_leave_no_trace_in_it(tmp_path):
    """A G with batch norm counts what it draws in training mode; a kill between picture and snapshot would show."""
    real = torch.randint(256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    ends = []
    for every in (0, 1):
        torch.manual_seed(0)
        config = DCGANConfig((6, 4), 4, 5, norm_g=True)
        evolution = Evolution(Generator(config), Discriminator(config), Settings(batch=4, fitness_batch=6), "cpu")
        run(evolution, real, tmp_path / str(every), 4, picture_every=every)
        ends.append(evolution.G.state_dict())
        assert evolution.G.training
    assert all(torch.equal(a, b) for a, b in zip(ends[0].values(), ends[1].values(), strict=True))
    assert len(list((tmp_path / "1/samples").iterdir())) == 4


def test_interrupt_finishes_the_generation_and_saves(tmp_path):
    class Interrupted(Evolution):
        def step(self, real):
            result = super().step(real)
            if self.generation == 3:
                signal.raise_signal(signal.SIGINT)
            return result

    handler = signal.getsignal(signal.SIGINT)
    e = Interrupted(*networks(), Settings(batch=4, fitness_batch=4), "cpu")
    run(e, RING, tmp_path, generations=8, picture_every=0)
    assert e.generation == 3 == torch.load(tmp_path / "resume.pt", weights_only=True)["generation"]
    assert signal.getsignal(signal.SIGINT) is handler


def test_snapshot_of_other_settings_is_refused(tmp_path):
    run(evolution(), RING, tmp_path, generations=1, picture_every=0)
    with pytest.raises(ValueError, match="other settings.*mutations=minimax.heuristic.least_squares.*now .*gamma=0.5"):
        run(evolution(gamma=0.5), RING, tmp_path, generations=2, picture_every=0)


# ------------------------------------------------------------------------------------------ messages

@pytest.mark.parametrize("changes, message", [
    ({"mutations": ()}, "at least one mutation"),
    ({"selection": "fittest"}, "no selection 'fittest'.*; there are: best, random, worst, or give a function"),
    ({"adam": "shared"}, "no Adam policy 'shared'.*there are: own, inherited, reset"),
    ({"mu": 5}, "the 5 survivors share D's 16 fakes: batch must be a multiple of mu")])
def test_settings_name_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        Settings(**changes)


def test_number_of_generators_must_fit():
    G, D = networks()
    with pytest.raises(ValueError, match="2 generators for mu = 4; give one, or as many as survive"):
        Evolution([G, G], D, Settings(mu=4), "cpu")


def test_phases_out_of_order_say_which_comes_first():
    e = evolution()
    with pytest.raises(RuntimeError, match="no children to judge: call vary"):
        e.evaluate(RING)
    with pytest.raises(RuntimeError, match="no new children.*call vary"):
        e.select()
    e.vary()
    with pytest.raises(RuntimeError, match=r"nothing real to compare with: evaluate\(real\)"):
        e.evaluate()
    with pytest.raises(RuntimeError, match="not been judged: call evaluate"):
        e.select()
    e.evaluate(RING)
    e.select()
    with pytest.raises(RuntimeError, match="no new children"):
        e.select()


@pytest.mark.parametrize("same_z", [False, True])
def test_a_mutation_must_give_one_number(same_z):
    def mine(logits):
        return logits.exp()

    e = evolution(mutations=(mine, minimax), mutate_same_z=same_z)
    with pytest.raises(ValueError, match=r"the mutation 'mine' gave a torch.float64 tensor \(12,\); it takes N logits"):
        e.vary()


def test_pictures_far_outside_do_not_stop_a_run(tmp_path):
    class Wild(Generator):
        def forward(self, z):
            return 1000 * super().forward(z)

    config = DCGANConfig((6, 4), 4, 5)
    settings = Settings(batch=4, fitness_batch=6, d_steps=1)
    run(Evolution(Wild(config), Discriminator(config), settings, "cpu"), torch.zeros(5, 3, 16, 16), tmp_path, 1,
        picture_every=1)
    assert len(list((tmp_path / "samples").iterdir())) == 1


@pytest.mark.parametrize("same_z", [False, True])
@pytest.mark.parametrize("mu", [1, 2])
def test_a_child_whose_gradient_is_not_finite_is_not_born(same_z, mu, tmp_path):
    """Its loss is 0, its slope ∞ · 0: no weight, no moment of its siblings', and no snapshot ever sees it."""
    def late(logits):
        return logits.mean() if e.generation < 2 else (logits.sum() * 0).abs().sqrt()

    e = evolution(mutations=(minimax, late), mutate_same_z=same_z, mu=mu)
    run(e, RING, tmp_path, 2, save_every=1)
    before, own = copy.deepcopy([one.G.state_dict() for one in e.survivors]), copy.deepcopy(e.own)
    with pytest.raises(NotFinite, match="the gradient of the child by late is nan in generation 3; go on from the last "
                                        "snapshot with a smaller learning rate"):
        run(e, RING, tmp_path, 5, save_every=1)
    assert e.children == [] and e.generation == 2
    saved = torch.load(tmp_path / "resume.pt", weights_only=True)
    assert saved["generation"] == 2
    for given in ([one.G.state_dict() for one in e.survivors], [one["G"] for one in saved["survivors"]]):
        assert all(torch.equal(a[name], b[name]) for a, b in zip(before, given, strict=True) for name in a)
    for moments in (e.own, saved["own"]):
        assert all(torch.equal(own[k][i][name], moments[k][i][name]) for k in own for i in own[k] for name in own[k][i])


def test_a_gradient_of_d_that_is_not_finite_stops_before_the_update():
    def odd(D, real, fake, draw):
        return sum(p.sum() for p in D.parameters()).mul(0).abs().sqrt()

    e = evolution(d_loss=odd)
    before = weights(e.D)
    with pytest.raises(NotFinite, match="the gradient of D is nan in generation 1"):
        e.step(RING)
    assert torch.equal(weights(e.D), before) and not e.optimiser_d.state


def test_nan_is_stopped_before_it_reaches_the_weights():
    e = evolution()
    e.step(RING)
    before = weights(e.D)
    with pytest.raises(ValueError, match="the real samples: NaN or infinity"):
        e.step(torch.full((5, 2), float("nan")))
    assert torch.equal(weights(e.D), before)
    e = evolution(d_loss=lambda D, real, fake, draw: D(real).mean() * float("nan"))
    before = weights(e.D)
    with pytest.raises(NotFinite, match="loss of D is nan in generation 1"):
        e.step(RING)
    assert torch.equal(weights(e.D), before)
    e = evolution()
    e.train_d(RING)
    e.vary()[1].G.last.bias.data.fill_(float("nan"))
    with pytest.raises(NotFinite, match="a fitness is NaN in generation 1"):
        e.evaluate()


def test_pictures_that_are_none_are_refused_the_second_time_too():
    G, D = Generator(DCGANConfig((6, 4), 4, 5)), Discriminator(DCGANConfig((6, 4), 4, 5))
    e = Evolution(G, D, Settings(batch=4, fitness_batch=4), "cpu")
    bytes_as_floats = 255 * torch.ones(5, 3, 16, 16)
    for _ in range(2):                                                      # as when a cell is run again
        with pytest.raises(ValueError, match="the real pictures go up to"):
            e.step(bytes_as_floats)
    e.step(torch.zeros(5, 3, 16, 16))


def test_the_given_networks_are_left_alone():
    G, D = networks()
    before = weights(G), weights(D)
    Evolution(G, D, Settings(batch=4, fitness_batch=4), "cpu").step(RING)
    assert torch.equal(weights(G), before[0]) and torch.equal(weights(D), before[1])


def test_the_defaults_are_the_papers():
    s = Settings()
    assert (s.mutations, s.mu, s.batch, s.d_steps, s.lr, s.betas) == (THREE, 1, 16, 2, 2e-4, (0.5, 0.99))
    assert logistic is s.d_loss and s.selection == "best" and not s.mutate_same_z
