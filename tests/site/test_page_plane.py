"""What the pages train themselves: the rules of E-GAN and of two players, held against PyTorch's, in Node."""

import json
import shutil
import statistics
import subprocess

import pytest
import torch
from browser import missing
from torch import nn

from gan_teach import checkpoints
from gan_teach.egan import plane
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.fitness_and_selection import fitness
from gan_teach.egan.warm_up import LOSSES, Game
from gan_teach.networks.dcgan import PlaneDiscriminator, PlaneGenerator
from gan_teach.site.pages import PAGE
from gan_teach.worlds import gaussians
from gan_teach.worlds.gaussians import SIDE, drawn, heart

OPENING = """
import { readFileSync } from "fs";
import { chance, forward, parameters } from "./mlp.js";
import * as plane from "./plane.js";
import { Evolution, mutations } from "./egan.js";
import { Game } from "./duel.js";

const given = JSON.parse(readFileSync(0, "utf-8"));
const numbers = (list) => Float64Array.from(list.flat(2));
const layers = (list) => Array.from({ length: list.length / 2 }, (_, l) => ({ w: numbers(list[2 * l]),
  b: numbers(list[2 * l + 1]), inputs: list[2 * l][0].length, outputs: list[2 * l].length }));
const queue = (list) => () => numbers(list.shift());
const weights = (net) => parameters(net).map((p) => Array.from(p));
const say = (answer) => process.stdout.write(JSON.stringify(answer));
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Run a script beside the pages' modules: what it is given and what it says are JSON."""
    tool = shutil.which("node")
    if tool is None:
        missing("no Node.js: the pages' modules cannot be run outside a browser here")
    folder = tmp_path_factory.mktemp("modules")
    for path in (PAGE / "js").glob("*.js"):
        shutil.copyfile(path, folder / path.name)
    (folder / "package.json").write_text('{"type": "module"}')

    def run(script: str, given) -> object:
        (folder / "script.js").write_text(OPENING + script, encoding="utf-8")
        done = subprocess.run([tool, "script.js"], cwd=folder, input=json.dumps(given), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture
def exact():
    """Float64 in PyTorch too: then the two agree to far more than a float32 can tell."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def listed(net: nn.Module) -> list:
    return [p.detach().tolist() for p in net.parameters()]


def flat(net: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def joined(parts: list[list[float]]) -> torch.Tensor:
    return torch.tensor([value for part in parts for value in part])


class Recorded(Evolution):
    """An evolution that writes down what it draws."""

    def __init__(self, *given):
        super().__init__(*given)
        self.drawn = {"z": [], "real": []}

    def _z(self, n, draw):
        self.drawn["z"].append(super()._z(n, draw))
        return self.drawn["z"][-1]

    def _real(self, n, draw):
        self.drawn["real"].append(super()._real(n, draw))
        return self.drawn["real"][-1]


GENERATIONS = """
const evolution = new Evolution({ real: queue(given.real), z: queue(given.z), uniform: () => 0.5 });
evolution.G = layers(given.G);
evolution.D = layers(given.D);
Object.assign(evolution.knobs, given.knobs);
say(Array.from({ length: given.generations }, () => {
  evolution.train_d(); evolution.vary(); evolution.evaluate();
  const children = evolution.children.map(({ G }) => weights(G)), winner = evolution.best();
  evolution.select(winner);
  return { children, winner, D: weights(evolution.D), lossD: evolution.lossD,
           scores: evolution.scores.map(({ quality, diversity, total }) => [quality, diversity, total]) };
}));
"""


@pytest.mark.parametrize("mixture, gamma, d_steps", [(gaussians.ring(), 0.01, 1), (gaussians.grid(), 0.5, 2)])
def test_generations_are_those_of_python_for_the_same_weights_and_draws(node, exact, mixture, gamma, d_steps):
    settings = plane.replace(plane.SETTINGS, gamma=gamma, d_steps=d_steps, seed=3)
    start = plane.start(settings)
    python = Recorded(start.G, start.D, settings, "cpu")
    given = {"G": listed(python.G), "D": listed(python.D), "generations": 6,
             "knobs": {"gamma": gamma, "dSteps": d_steps}}
    seen = []
    for _ in range(given["generations"]):
        python.train_d(mixture)
        python.vary()
        python.evaluate()
        children = [flat(child.G) for child in python.children]
        seen.append((python.select(), children, flat(python.D)))
    given |= {key: [x.tolist() for x in values] for key, values in python.drawn.items()}
    found = node(GENERATIONS, given)
    for (generation, children, D), said in zip(seen, found, strict=True):
        assert said["winner"] == generation.survivors[0]
        assert said["lossD"] == pytest.approx(generation.loss_d[-1], abs=1e-9)
        assert torch.tensor(said["scores"]).sub(torch.tensor(generation.fitness)).abs().max() < 1e-9
        assert joined(said["D"]).sub(D).abs().max() < 1e-9
        for ours, theirs in zip(said["children"], children, strict=True):
            assert joined(ours).sub(theirs).abs().max() < 1e-9
    moved = (joined(found[0]["children"][0]) - joined(found[0]["children"][1])).abs().max()
    assert moved > 1e-4, "the children are the same, so the test tells them not apart"


def test_a_long_evolution_on_the_grid_is_that_of_python(node, exact, record_property):
    """From the same weights and draws: the same children live on, to the same modes and MMD². With other draws eight
    seeds did not tell half the learning rate from the right one, at 100 generations."""
    start, mixture, generations = plane.start(), gaussians.grid(), 200
    python = Recorded(start.G, start.D, start.settings, "cpu")
    given = {"G": listed(python.G), "D": listed(python.D), "generations": generations}
    for _ in range(generations):
        python.step(mixture)
    z = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    given |= {key: [x.tolist() for x in values] for key, values in python.drawn.items()} | {"looked": z.tolist()}
    found = node("""
const evolution = new Evolution({ real: queue(given.real), z: queue(given.z), uniform: () => 0.5 });
evolution.G = layers(given.G);
evolution.D = layers(given.D);
for (let n = 0; n < given.generations; n++) {
  evolution.train_d(); evolution.vary(); evolution.evaluate(); evolution.select(evolution.best());
}
const fake = forward(evolution.G, numbers(given.looked)).at(-1);
say({ ...plane.measures(plane.mixtures.grid(), fake), winners: evolution.lineage.map(({ winner }) => winner),
      fake: Array.from(fake) });""", given)
    fake = python.G(z).detach()
    away = float(torch.tensor(found["fake"]).view_as(fake).sub(fake).abs().max())
    record_property(f"grid, {generations} generations, points of the page from Python's at most", f"{away:.1e}")
    assert found["winners"] == [generation.survivors[0] for generation in python.lineage]
    assert away < 1e-6 and found["modes"] == plane.modes_covered(mixture, fake)
    assert found["mmd2"] == pytest.approx(plane.mmd2(mixture, fake), abs=1e-6)


def test_fitness_eq7_of_far_and_near_fakes(node, exact):
    """Also where D is sure: the largest and the smallest gradients."""
    torch.manual_seed(0)
    G, D, x = PlaneGenerator(), PlaneDiscriminator(), gaussians.ring()(64, torch.Generator().manual_seed(1)).double()
    for scale in (1.0, 40.0):
        with torch.no_grad():
            D.net[-1].weight.mul_(scale)
        z = torch.randn(64, 2)
        wanted = fitness(D, x, G(z).detach(), 0.3)
        quality, diversity, total = node("""
const evolution = new Evolution({ real: queue(given.real), z: queue(given.z), uniform: () => 0.5 });
evolution.D = layers(given.D);
evolution.children = [{ mutation: "minimax", G: layers(given.G) }];
evolution.knobs.gamma = 0.3;
evolution.evaluate();
say(Object.values(evolution.scores[0]));""", {"D": listed(D), "G": listed(G), "real": [x.tolist()], "z": [z.tolist()]})
        assert (quality, diversity, total) == pytest.approx(tuple(wanted), rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_game_of_two_players_is_that_of_python(node, exact, loss):
    game = Game(drawn(heart()), 5, LOSSES[loss], lr=2e-3)
    given = {"G": listed(game.G), "D": listed(game.D), "loss": loss, "real": [], "z": [], "turns": "ddgdgg"}
    for turn in given["turns"]:
        draw = game._draw()
        if turn == "d":
            given["real"].append(game.data(game.batch, draw).tolist())
        given["z"].append(torch.randn(game.batch, 2, generator=draw, dtype=torch.float32).tolist())
        (game.step_d if turn == "d" else game.step_g)()
    x, fake = game.data(64, draw), game.G(torch.randn(64, 2, generator=draw)).detach()
    game.points = lambda *_: (x, fake)
    given |= {"x": x.tolist(), "fake": fake.tolist()}
    found = node("""
const game = new Game({ real: queue(given.real), z: queue(given.z), uniform: () => 0.5 });
game.G = layers(given.G);
game.D = layers(given.D);
Object.assign(game.knobs, { lr: 2e-3, loss: given.loss });
for (const turn of given.turns) turn === "d" ? game.stepD() : game.stepG();
const fake = numbers(given.fake);
say({ G: weights(game.G), D: weights(game.D), verdicts: Object.values(game.verdicts(numbers(given.x), fake)),
      pushed: Array.from(game.pushed(fake)) });""", given)
    assert joined(found["G"]).sub(flat(game.G)).abs().max() < 1e-9
    assert joined(found["D"]).sub(flat(game.D)).abs().max() < 1e-9
    assert found["verdicts"] == pytest.approx(tuple(game.verdicts(64)), abs=1e-9)
    ends, _ = game.lines(fake)
    assert torch.tensor(found["pushed"]).sub(ends.detach().flatten()).abs().max() < 1e-9
    assert (ends - fake).abs().max() > 1e-3


def test_mixtures_and_measures_are_those_of_python(node):
    far = [[0.3, 9.0], [-4.0, 0.1]]
    for name, mixture in (("ring", gaussians.ring()), ("grid", gaussians.grid()), ("drawn", drawn(heart()))):
        draw = torch.Generator().manual_seed(2)
        fake = torch.cat([mixture(120, draw), 0.5 * torch.randn(80, 2, generator=draw), torch.tensor(far)])
        found = node("""
const mixture = given.cells ? plane.drawn(Array.from(given.cells, Number)) : plane.mixtures[given.name]();
const x = plane.sample(mixture, 4000, chance(1));
say({ ...mixture, ...plane.measures(mixture, numbers(given.fake)), again: plane.measures(mixture, x),
      side: plane.SIDE });""", {"name": name, "fake": fake.tolist(), "cells": heart() if name == "drawn" else None})
        assert torch.tensor(found["centres"]).sub(torch.tensor(mixture.centres)).abs().max() < 1e-6
        assert found["sigma"] == pytest.approx(mixture.sigma) and found["side"] == SIDE
        assert found["modes"] == plane.modes_covered(mixture, fake)
        assert found["quality"] == pytest.approx(plane.high_quality(mixture, fake), abs=1e-6)
        assert found["mmd2"] == pytest.approx(plane.mmd2(mixture, fake), abs=1e-6)
        again = found["again"]                                       # real points: all modes, all of high quality
        assert again["modes"] == len(mixture.centres) and again["quality"] > 0.98 and abs(again["mmd2"]) < 2e-3


def far(x: torch.Tensor, moments: dict[int, float]) -> list[float]:
    """How many standard errors draws, seeds × n, are from independent ones whose E x^k are known, for k to 8 or so."""
    def z(values: torch.Tensor, mean: float, square: float) -> float:
        return abs(float(values.mean()) - mean) * (values.numel() / (square - mean**2)) ** 0.5

    neighbours = x[1:] * x[:-1], x[:, 1:] * x[:, :-1]                       # from seed to seed; in a row
    return [z(x, 0, moments[2]), *(z(x**k, moments[k], moments[2 * k]) for k in (2, 4)),
            *(z(products, 0, moments[2]**2) for products in neighbours)]


UNIFORM, NORMAL, WITHIN = {2: 1 / 3, 4: 1 / 5, 8: 1 / 9}, {2: 1, 4: 3, 8: 105}, 4


def test_first_weights_and_draws_of_neighbouring_seeds_are_those_of_pytorch_and_independent(node):
    """Layer by layer uniform within ±1/√in, as nn.Linear's; z normal; each Gaussian as often as the others."""
    found = node("""
say(Array.from({ length: given.seeds }, (_, seed) => {
  const draw = chance(seed), { G, D } = new Evolution({ real: () => 0, z: () => 0, uniform: draw.uniform });
  const rounds = Array.from({ length: 20 }, () => [plane.sample(plane.mixtures.grid(), 64, draw), draw.normal(128)]);
  const [x, z] = [0, 1].map((k) => rounds.flatMap((round) => Array.from(round[k])));
  return { weights: weights([...G, ...D]), x, z };
}));""", {"seeds": 32})
    starts = [plane.start(plane.replace(plane.SETTINGS, seed=seed)) for seed in range(32)]
    theirs = [[p.flatten().tolist() for p in [*start.G.parameters(), *start.D.parameters()]] for start in starts]
    inputs = [layer.in_features for net in (starts[0].G, starts[0].D) for layer in net.modules()
              if isinstance(layer, nn.Linear) for _ in ("weight", "bias")]
    for runs in ([run["weights"] for run in found], theirs):
        for n, layer in zip(inputs, zip(*runs, strict=True), strict=True):
            u = torch.tensor(layer) * n**0.5                                # (seeds, weights)
            assert 1 - 20 / u.numel() < u.abs().max() < 1 + 1e-6
            if u.shape[1] > 1:
                assert max(far(u, UNIFORM)) < WITHIN
    z = torch.tensor([run["z"] for run in found])
    x = torch.tensor([run["x"] for run in found]) / 0.5**0.5                # places of the grid: −2 to 2
    assert max(far(z, NORMAL)) < WITHIN and max(far(x.round(), {2: 2, 4: 6.8, 8: 102.8})) < WITHIN
    assert max(far((x - x.round()) / (gaussians.grid().sigma / 0.5**0.5), NORMAL)) < WITHIN
    assert abs(float((z * x.round()).mean())) < WITHIN * (2 / z.numel()) ** 0.5
    column, row = x.round().long().add(2).unflatten(1, (-1, 2)).unbind(-1)
    times = torch.bincount((5 * column + row).flatten(), minlength=25).double()
    assert float((times - times.mean()).square().sum() / times.mean()) < 60             # χ² of 24: once in 10,000


SEEDS, MEASURED = 6, 300


def test_evolutions_of_the_page_end_where_those_of_python_do(node, record_property):
    """Other draws, so not the same figures: means within two standard errors of those of Python's eight seeds."""
    found = node("""
say(Array.from({ length: given.seeds }, (_, seed) => {
  const draw = chance(seed), mixture = plane.mixtures.ring();
  const evolution = new Evolution({ real: (n) => plane.sample(mixture, n, draw), z: (n) => draw.normal(2 * n),
                                    uniform: draw.uniform });
  for (let n = 0; n < given.generations; n++) {
    evolution.train_d(); evolution.vary(); evolution.evaluate(); evolution.select(evolution.best());
  }
  const { modes, quality, mmd2 } = plane.measures(mixture, forward(evolution.G, draw.normal(2000)).at(-1));
  return { modes, mmd2, high_quality: quality };
}));""", {"seeds": SEEDS, "generations": MEASURED})
    runs = checkpoints.comparison("plane-comparison")["runs"]["ring"]["E-GAN"].values()
    for measure in ("modes", "mmd2", "high_quality"):
        page = [run[measure] for run in found]
        record = [run[measure][run["generation"].index(MEASURED)] for run in runs]
        mean, spread = statistics.fmean(record), statistics.stdev(record)
        record_property(f"ring, {MEASURED} generations, {measure}, page ({SEEDS} seeds) beside record ({len(runs)})",
                        f"{statistics.fmean(page):.3f} ({min(page):.3f} to {max(page):.3f}) beside {mean:.3f} ± "
                        f"{spread:.3f} ({min(record):.3f} to {max(record):.3f})")
        assert abs(statistics.fmean(page) - mean) < 2 * spread * (1 / SEEDS + 1 / len(runs)) ** 0.5
