"""Recipes and comparisons of chapter 3 in tiny sizes: what is kept, what a record says, and what a stop costs."""

import json
import math
import os
import signal
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rigged import weights
from torch import nn

from gan_teach import checkpoints
from gan_teach.__main__ import main
from gan_teach.egan import plane, over_seeds
from gan_teach.egan.evolution import Evolution
from gan_teach.networks import classifier
from gan_teach.networks.dcgan import Discriminator, Generator, layout
from gan_teach.recipes import compare_plane, evolving, judges
from gan_teach.recipes.evolving import PLANS, RIVALS, Plan, evolve, kept, start
from gan_teach.worlds import datasets, gaussians

torch.set_num_threads(1)
TINY = Plan(layout(32, 2, z_dim=4), "noise", 4, 2, 2, replace(evolving.SETTINGS, batch=4, fitness_batch=4))
REAL = torch.randint(256, (20, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


# ------------------------------------------------------------------------------------------ a run

def test_rivals_start_from_the_same_networks_and_differ_in_what_they_are_named_for():
    first = {rival: start(TINY, rival, "cpu") for rival in RIVALS}
    for rival, evolution in first.items():
        assert torch.equal(weights(evolution.G), weights(first["egan"].G))
        assert torch.equal(weights(evolution.D), weights(first["egan"].D))
        differs = {key for key, value in vars(evolution.settings).items() if value != getattr(TINY.settings, key)}
        known = {"egan": set(), "random": {"selection"}, "plain-d": {"d_loss"},
                 "momentum": {"betas"}, "paper": {"d_loss", "betas"}, "long": {"halves", "ema"}}
        assert differs == known.get(rival, {"mutations"})
        assert len(evolution.settings.mutations) == (3 if rival in known else 1)


def told(evolution):
    return {"sum": float(weights(evolution.G).sum())}


def test_the_curve_has_a_row_after_every_so_many_generations(tmp_path):
    evolution = start(TINY, "egan", "cpu")
    rows = evolve(evolution, REAL, tmp_path, 5, 2, told)
    assert [row["generation"] for row in rows] == [2, 4, 5] and evolution.generation == 5
    assert rows[-1]["sum"] == float(weights(evolution.G).sum())
    spent = [row["cpu_seconds"] for row in rows]
    assert spent == sorted(spent) and spent[-1] < 60
    again = evolve(start(TINY, "egan", "cpu"), REAL, tmp_path, 5, 2, told)          # nothing left to do
    assert again == rows


def test_a_stop_in_the_middle_costs_nothing_and_changes_nothing(tmp_path):
    whole = evolve(start(TINY, "egan", "cpu"), REAL, tmp_path / "whole", 6, 2, told)
    stopped = start(TINY, "egan", "cpu")
    step, calls = stopped.step, []

    def interrupted(real):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)                                      # Ctrl-C in generation 3
        return step(real)

    stopped.step = interrupted
    assert evolve(stopped, REAL, tmp_path / "parts", 6, 2, told) is None
    assert stopped.generation == 3
    parts = evolve(start(TINY, "egan", "cpu"), REAL, tmp_path / "parts", 6, 2, told)
    assert [(row["generation"], row["sum"]) for row in parts] == [(row["generation"], row["sum"]) for row in whole]
    assert parts[-1]["cpu_seconds"] > parts[0]["cpu_seconds"]


@pytest.mark.parametrize("killed_at", [2, 6])
def test_a_kill_between_a_snapshot_and_its_row_loses_no_row(tmp_path, killed_at):
    whole = evolve(start(TINY, "egan", "cpu"), REAL, tmp_path / "whole", 6, 2, told)

    def killed(evolution):
        if evolution.generation == killed_at:
            raise SystemExit
        return told(evolution)

    with pytest.raises(SystemExit):
        evolve(start(TINY, "egan", "cpu"), REAL, tmp_path / "parts", 6, 2, killed)
    parts = evolve(start(TINY, "egan", "cpu"), REAL, tmp_path / "parts", 6, 2, told)
    assert [(row["generation"], row["sum"]) for row in parts] == [(row["generation"], row["sum"]) for row in whole]


def test_a_start_leaves_a_readers_own_random_numbers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    evolution = evolving.begin(replace(evolving.SETTINGS, seed=2), TINY.network, "cpu")
    assert torch.equal(torch.rand(3), wanted)
    assert torch.equal(weights(evolution.G), weights(evolving.begin(evolution.settings, TINY.network, "cpu").G))


def test_the_survivor_is_kept_not_the_last_child():
    evolution = start(TINY, "egan", "cpu")
    evolution.settings = replace(evolution.settings, selection=lambda scores: [0], lr=0.1)
    evolution.step(REAL)
    found = kept(evolution)
    children = [weights(child.G) for child in evolution.children]
    assert torch.equal(weights(found), children[0].half())
    assert not torch.equal(weights(found), children[-1].half())
    assert weights(evolution.G).dtype == torch.float32                              # the run itself is not rounded


@pytest.mark.parametrize("norm_g", [False, True])
def test_sixteen_bits_are_enough_and_come_back_as_thirty_two(tmp_path, norm_g):
    torch.manual_seed(0)
    config = layout(32, 8, z_dim=6, grey=True, norm_g=norm_g)
    G = Generator(config)
    for p in G.parameters():
        nn.init.normal_(p, 0.0, 0.2)
    evolution = Evolution(G, Discriminator(config), TINY.settings, "cpu")
    checkpoints.save(tmp_path / "some", kept(evolution))
    again = checkpoints.load(tmp_path / "some.safetensors", "cpu")
    assert weights(again).dtype == torch.float32 and again.config == config
    z = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert (again(z) - G.eval()(z)).abs().max() < 0.02


# ------------------------------------------------------------------------------------------ recipes

@pytest.fixture
def small(tmp_path, monkeypatch):
    """Tiny plans, sets and judges in place of the real ones."""
    torch.manual_seed(0)
    eyes = classifier.Classifier(classifier.ClassifierConfig((("class", 10),), (4, 4, 4, 4), 4)).eval()

    def few(name, split="train", size=32, n=None, root=None, without=None):
        some = REAL if split == "train" else REAL.flip(0)
        return datasets.Pictures(some[:n], torch.arange(20)[:n] % 10, datasets.FASHION)

    real_load = checkpoints.load
    monkeypatch.setattr(datasets, "pictures", few)
    monkeypatch.setattr(checkpoints, "load", lambda name, device=None:
                        eyes if name == "fashion-classifier" else real_load(name, device))
    monkeypatch.setitem(PLANS, "fashion", replace(TINY, network=replace(TINY.network, grey=True)))
    monkeypatch.setitem(PLANS, "scenes", TINY)
    monkeypatch.setattr(evolving, "SAMPLES", 20)
    monkeypatch.setattr(evolving, "CURVE_SAMPLES", 20)
    return tmp_path


@pytest.mark.parametrize("name", ["fashion-egan", "fashion-heuristic", "scenes-random", "scenes-long"])
def test_a_recipe_leaves_weights_and_an_honest_record(small, name, monkeypatch, capsys):
    assert main(["train", name, "--out", str(small / name), "--device", "cpu"]) == 0
    assert f"{name}.safetensors" in capsys.readouterr().out
    record = json.loads((small / name / f"{name}.json").read_text())
    # one loss alone: as many as the compute buys
    generations = {"fashion-heuristic": 8, "scenes-long": 16}.get(name, 4)
    assert record["generations"] == generations and record["images_shown"] == 4 * generations
    assert record["command"] == f"python -m gan_teach train {name}" and "seed=0" in record["settings"]
    assert [row["generation"] for row in record["curve"]] == list(range(2, generations + 1, 2))
    assert record["curve"][-1]["cpu_seconds"] == record["cpu_seconds"]
    assert all(("frechet_distance_of_mean" in row) == (name == "scenes-long") for row in record["curve"])
    assert sum(record["won"].values()) == pytest.approx(1, abs=0.01)
    assert record["frechet_distance"] >= 0 and record["frechet_distance_of_real_pictures"] >= 0
    assert ("classifier_score" in record) == ("share_of_classes" in record) == name.startswith("fashion")
    if name.startswith("fashion"):
        assert 1 <= record["classifier_score"] <= 10
        assert sum(record["share_of_classes"].values()) == pytest.approx(1, abs=0.01)
    G = checkpoints.load(small / name / f"{name}.safetensors", "cpu")
    assert G(torch.zeros(2, 4)).shape == (2, 3, 32, 32)


def test_images_gives_the_length_of_a_run(small):
    record = evolving.train("fashion-egan", small, images=12, device="cpu")
    assert record["generations"] == 3


def test_a_folder_of_pictures_is_evolved_by_one_call(tmp_path, monkeypatch):
    """Its own pictures are what D is shown; the result loads; the same call goes on where it was."""
    holiday = tmp_path / "holiday.photos"
    for i in range(5):
        (holiday / "beach").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), 50 * i, np.uint8)).save(holiday / "beach" / f"{i}.png")
    monkeypatch.setattr(evolving, "ANY", TINY)
    monkeypatch.chdir(tmp_path)
    record = evolving.train_on(holiday, images=12, device="cpu")
    G = checkpoints.load(tmp_path / "runs/holiday-photos-egan/holiday-photos-egan.safetensors", "cpu")
    assert G(torch.zeros(2, 4)).shape == (2, 3, 32, 32) and not G.config.grey
    assert record["generations"] == 3 and record["data"].startswith("5 of ")
    assert not [key for key in record if "distance" in key or "score" in key]
    assert evolving.train_on(str(holiday), images=12, device="cpu")["generations"] == 3      # nothing left to do
    again = checkpoints.load(tmp_path / "runs/holiday-photos-egan/holiday-photos-egan.safetensors", "cpu")
    assert torch.equal(weights(again), weights(G))
    by_hand = start(TINY, "egan", "cpu")
    for _ in range(3):
        by_hand.step(datasets.pictures(holiday).images)
    assert torch.equal(weights(kept(by_hand).float()), weights(G))


def test_a_rival_on_pictures_of_ones_own_and_what_cannot_be(tmp_path, monkeypatch):
    Image.new("RGB", (16, 16)).save(tmp_path / "one.png")
    monkeypatch.setattr(evolving, "ANY", TINY)
    command = ["evolve", str(tmp_path), "--rival", "minimax", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main(command) == 0
    record = json.loads(next((tmp_path / "run").glob("*-minimax.json")).read_text())
    assert record["command"] == f"python -m gan_teach evolve {tmp_path} --rival minimax"
    assert record["generations"] == 8 and record["won"] == {"minimax": 1.0}        # twice as many: one loss is cheaper
    with pytest.raises(ValueError, match="no rival 'best'; there are: egan, random"):
        evolving.train_on(tmp_path, rival="best")
    with pytest.raises(FileNotFoundError, match="no folder"):
        evolving.train_on(tmp_path / "away", device="cpu")


def test_the_figures_of_a_record_are_those_of_its_file(small):
    record = evolving.train("fashion-egan", small, images=8, device="cpu")
    G = checkpoints.load(small / "fashion-egan.safetensors", "cpu")
    judge = evolving.Judge("fashion", "cpu")
    assert judge(G, 20) == pytest.approx({key: record[key] for key in ("frechet_distance", "classifier_score")},
                                         abs=2e-3)


def test_pictures_are_named_where_the_judge_lies(small, monkeypatch):
    judge, seen = evolving.Judge("fashion", "cpu"), []
    judge.device = torch.device("meta")                                             # stands for a GPU

    def classify(eyes, images):
        seen.append(images.device.type)
        return {"class": torch.eye(10)}

    monkeypatch.setattr(evolving.classifier, "classify", classify)
    assert judge.classes(torch.zeros(10, 3, 32, 32)) == dict.fromkeys(datasets.FASHION, 0.1) and seen == ["meta"]


def test_the_fashion_classifier_and_its_record(small):
    record = judges.fashion_classifier(small, images=64, device="cpu")
    model = checkpoints.load(small / "fashion-classifier.safetensors", "cpu")
    assert record["classes"] == list(datasets.FASHION) and model.num_features == 64
    right = classifier.accuracy(model, REAL.flip(0), {"class": torch.arange(20) % 10})
    assert right["class"] == pytest.approx(record["accuracy"])


# ------------------------------------------------------------------------------------------ comparisons

@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    return folder, compare_plane.run("plane", folder, seeds=2, generations=4, every=2)


def test_a_comparison_has_every_variant_from_every_seed(compared):
    _, record = compared
    assert set(record["runs"]) == set(record["tables"]) == {"ring", "grid"}
    for runs in record["runs"].values():
        assert list(runs) == list(plane.variants())
        assert all(set(seeds) == {"0", "1"} for seeds in runs.values())
    run = record["runs"]["ring"]["E-GAN"]["1"]
    assert run["generation"] == [2, 4] and run["cpu_seconds"] == sorted(run["cpu_seconds"])
    assert sum(run["won"].values()) == pytest.approx(1, abs=0.01)
    alone = record["runs"]["ring"]["minimax"]["1"]
    assert alone["generation"][-1] == 14 and set(alone["won"]) == {"minimax"}       # 4 · 7/2, in steps of 2


@pytest.mark.parametrize("name", ["plane-comparison", "plane-ahead", "egan-robustness"])
def test_shipped_comparisons_have_runs_of_equal_length(name):
    for variants in checkpoints.comparison(name)["runs"].values():
        for seeds in variants.values():
            assert len(seeds) == 8 and len({tuple(run["generation"]) for run in seeds.values()}) == 1


def test_where_d_is_ahead_it_makes_two_steps_at_twice_the_rate_and_single_losses_go_on():
    plan = compare_plane.ahead_plans()["ring"]
    assert {(s.d_steps, s.lr_d / s.lr) for s in plan.variants.values()} == {(2, 2.0)}
    assert {name: plan.length(name) for name in plan.variants} == {
        **dict.fromkeys(("E-GAN", "random", "3 × heuristic"), 600),
        **dict.fromkeys(("minimax", "heuristic", "least_squares"), 1500)}
    settings = checkpoints.comparison("plane-ahead")["settings"]["ring"]
    assert settings == {v: f"{plan.length(v)} generations, {s}" for v, s in plan.variants.items()}


def test_a_run_of_a_comparison_is_the_evolution_itself(compared):
    _, record = compared
    evolution, ring = plane.start(replace(plane.SETTINGS, seed=1)), gaussians.ring()
    for _ in range(4):
        evolution.step(ring)
    found = plane.measure(ring, evolution.G)
    run = record["runs"]["ring"]["E-GAN"]["1"]
    assert [run[name][-1] for name in plane.Measures._fields] == pytest.approx(list(found), abs=6e-5)


def test_a_variant_dearer_than_the_whole_budget_is_measured_at_its_first_checkpoint():
    def run(seconds):
        return {"generation": [10, 20], "cpu_seconds": [seconds / 2, seconds], "modes": [1, 2],
                "high_quality": [0.1, 0.2], "mmd2": [0.5, 0.4]}

    record = {"runs": {"ring": {name: {"0": run(seconds), "1": run(seconds)}
                                for name, seconds in (("E-GAN", 1.0), ("dear", 9.0), ("cheap", 0.5))}}}
    found = over_seeds.table(record, "ring")
    assert [found[name]["equal compute"]["generation"] for name in ("E-GAN", "dear", "cheap")] == [20, 10, 20]
    assert found["dear"]["equal compute"]["modes"]["mean"] == 1


def test_a_stopped_comparison_goes_on_with_the_run_that_it_was_in(tmp_path, monkeypatch):
    small = {"seeds": 1, "generations": 2, "every": 1}
    real_trace, made = compare_plane.trace, []

    def counted(plan, variant, seed):
        made.append(variant)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real_trace(plan, variant, seed)

    monkeypatch.setattr(compare_plane, "trace", counted)
    with pytest.raises(KeyboardInterrupt):
        compare_plane.run("robustness", tmp_path, **small)
    held = json.loads((tmp_path / "egan-robustness.json").read_text())["runs"]["as taught"]
    assert list(held) == ["E-GAN", "minimax"]
    record = compare_plane.run("robustness", tmp_path, **small)
    assert len(made) == 3 + 4 * len(compare_plane.BODIES) - 2
    assert record["runs"]["as taught"]["E-GAN"] == held["E-GAN"]


def test_a_comparison_of_other_settings_is_refused(tmp_path):
    small = {"seeds": 1, "generations": 1, "every": 1}
    chosen = {"E-GAN": plane.SETTINGS}
    compare_plane.run("plane", tmp_path, variants=chosen, **small)
    with pytest.raises(ValueError, match="other settings"):
        compare_plane.run("plane", tmp_path, variants={"E-GAN": replace(plane.SETTINGS, gamma=1.0)}, **small)


def invented() -> dict:
    """Two seeds, three checkpoints; the rival costs half as much and gets there by going on."""
    def run(gens, modes, mmd, seconds):
        return {"generation": gens, "cpu_seconds": seconds, "modes": modes, "high_quality": [0.5] * len(gens),
                "mmd2": mmd, "won": {}}
    ours = {"0": run([1, 2, 3, 4], [1, 2, 3, 4], [.4, .3, .2, .1], [2, 4, 6, 8]),
            "1": run([1, 2, 3, 4], [3, 4, 5, 6], [.4, .3, .2, .1], [2, 4, 6, 8])}
    rival = {"0": run(list(range(1, 11)), list(range(10)), [.5 - .05 * i for i in range(10)], list(range(1, 11))),
             "1": run(list(range(1, 11)), list(range(10)), [.5 - .05 * i for i in range(10)], list(range(1, 11)))}
    return {"runs": {"here": {"E-GAN": ours, "rival": rival}}}


def test_tables_and_curves_by_hand():
    record = invented()
    x, mean, spread = over_seeds.curve(record, "here", "E-GAN", "modes")
    assert (x, mean) == ([1, 2, 3, 4], [2, 3, 4, 5]) and spread == pytest.approx([1] * 4)
    x, _, _ = over_seeds.curve(record, "here", "rival", "modes", against="cpu_seconds")
    assert x == pytest.approx(list(range(1, 11)))
    table = over_seeds.table(record, "here")
    assert table["E-GAN"]["ms_per_generation"] == 2000 and table["rival"]["ms_per_generation"] == 1000
    equal, bought = table["rival"]["equal generations"], table["rival"]["equal compute"]
    assert equal["generation"] == 4 and bought["generation"] == 8
    assert equal["modes"]["mean"] == statistics.fmean([1, 2, 3]) and bought["modes"]["mean"] == 6
    assert equal["modes"]["reference_better"] == 2 and bought["modes"]["reference_better"] == 0
    assert equal["mmd2"]["mean"] == pytest.approx(statistics.fmean([.45, .4, .35]))
    assert equal["mmd2"]["reference_better"] == 2                     # a small distance is better
    assert bought["mmd2"]["mean"] == pytest.approx(0.2) and bought["mmd2"]["reference_better"] == 0
    error = table["E-GAN"]["equal generations"]["modes"]["error"]
    assert error == pytest.approx(statistics.stdev([3, 5]) / math.sqrt(2), abs=1e-4)
    record["runs"]["here"]["E-GAN"]["2"] = record["runs"]["here"]["rival"]["0"]
    _, mean, error = over_seeds.curve(record, "here", "E-GAN", "modes")
    assert (mean[0], error[0]) == pytest.approx((4 / 3, statistics.stdev([1, 3, 0]) / math.sqrt(3)))


def test_other_bodies_have_the_depth_and_norm_that_they_are_named_for():
    for body, plan in compare_plane.robustness_plans().items():
        evolution = plan.start(plane.SETTINGS)
        config = compare_plane.BODIES[body]
        assert len(evolution.G.layers) == config.depth
        norms = [m for m in evolution.D.modules() if isinstance(m, nn.BatchNorm1d)]
        assert len(norms) == (body == "batch norm in D")
        assert evolution.D.per_sample is (body != "batch norm in D")
        near, far = (evolution.D(gaussians.ring()(8, torch.Generator().manual_seed(0)) + shift) for shift in (0, 20))
        assert abs(near.mean() - far.mean()) > 0.01, "D can tell one batch from another"


def test_the_command_prints_the_tables(tmp_path, capsys, monkeypatch):
    plans = {body: replace(plan, every=5) for body, plan in compare_plane.robustness_plans().items()}
    monkeypatch.setitem(compare_plane.COMPARISONS, "robustness", ("egan-robustness", lambda: plans))
    assert main(["compare", "robustness", "--out", str(tmp_path), "--seeds", "1", "--generations", "10"]) == 0
    out = capsys.readouterr().out
    assert "batch norm in D, equal generations" in out and "least_squares" in out
    assert Path(tmp_path / "egan-robustness.json").exists()


def test_a_missing_comparison_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "data_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match="plane-comparison.json; `python -m gan_teach compare"):
        checkpoints.comparison("plane-comparison")


# ------------------------------------------------------------------------------------------ pictures of one's own

@pytest.fixture
def own(tmp_path, monkeypatch):
    """Two folders of pictures, and a plan that is over at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evolving, "ANY", replace(TINY, settings=replace(TINY.settings, bf16=False)))
    draw = np.random.default_rng(0)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_other_pictures_in_the_same_folder_are_refused(own, capsys):
    assert evolving.train_on("one", "run", images=8, device="cpu")["data"].startswith("5 of one")
    weights = (own / "run" / "one-egan.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"run.resume.pt: this snapshot was made with other pictures: train in"):
        evolving.train_on("two", "run", images=8, device="cpu")
    assert sorted(path.suffix for path in (own / "run").glob("*-egan.*")) == [".json", ".safetensors"]
    assert (own / "run" / "one-egan.safetensors").read_bytes() == weights
    capsys.readouterr()
    evolving.train_on("one", "run", images=8, device="cpu")
    assert "nothing to do: the run in run has made" in capsys.readouterr().out


def test_the_command_says_where_the_weights_are_and_how_to_go_on(own, capsys, monkeypatch):
    (own / "one").rename(own / "照片")
    assert main(["evolve", "照片", "--images", "8", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("written: runs/照片-egan/照片-egan.safetensors\n".replace("/", os.sep)) and "5 of 照片" in out
    assert [path.name for path in (own / "runs/照片-egan/samples").iterdir()] == ["00000002.png"], "the end has a grid"
    step = Evolution.step
    monkeypatch.setattr(Evolution, "step", lambda self, real: (step(self, real), signal.raise_signal(signal.SIGINT)))
    assert main(["evolve", "two", "--images", "8", "--device", "cpu"]) == 130                # Ctrl-C in generation 1
    assert "stopped; the same command goes on from runs" in capsys.readouterr().err


def test_a_folder_that_is_not_there_leaves_none_behind(own):
    for name, words in (("tow/", "there is no folder tow"), ("one/0.png", "0.png is a file: give the folder")):
        with pytest.raises(OSError, match=words):
            evolving.train_on(name, images=8, device="cpu")
    assert not (own / "runs").exists()


def test_the_folder_of_the_results_is_never_read_as_pictures(own):
    record = evolving.train_on("one", "one/run", images=8, device="cpu")
    (own / "one" / "run" / "samples").mkdir(exist_ok=True)
    Image.new("RGB", (32, 32)).save(own / "one" / "run" / "samples" / "grid.png")
    again = evolving.train_on("one", "one/run", images=8, device="cpu")
    assert record["data"] == again["data"] and again["data"].startswith("5 of one")
    for folder in ("one", "."):
        with pytest.raises(ValueError, match="the pictures lie in the folder of the results"):
            evolving.train_on("one", folder, images=8, device="cpu")


@pytest.mark.parametrize("images", [0, -1])
def test_a_run_without_pictures_is_refused(own, images):
    with pytest.raises(ValueError, match="must be a whole number from 1"):
        evolving.train_on("one", images=images)


def test_a_folder_named_like_a_set_gets_no_judge_of_that_set(own):
    assert evolving.plan_for("fashion") is evolving.PLANS["fashion"]
    assert evolving.plan_for(Path("fashion")) is evolving.ANY is evolving.plan_for("./fashion")


@pytest.mark.parametrize("spoil", [
    lambda b: b"", lambda b: b[:len(b) // 2], lambda b: b"Dear reader", lambda b: b"PK\3\4" + b[:40],
    lambda b: b[:len(b) // 2] + bytes(2000) + b[len(b) // 2 + 2000:]],
    ids=["empty", "cut", "text", "foreign", "zeroed"])
def test_a_damaged_snapshot_is_named(own, spoil):
    evolving.train_on("one", "run", images=8, device="cpu")
    path = own / "run" / "resume.pt"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=r"run.resume.pt is damaged: delete it"):
        evolving.train_on("one", "run", images=80, device="cpu")


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], 7], ids=str)
def test_a_snapshot_of_something_else_is_named(own, content):
    (own / "run").mkdir()
    torch.save(content, own / "run" / "resume.pt")
    with pytest.raises(ValueError, match=r"run.resume.pt is damaged: delete it.*no snapshot"):
        evolving.train_on("one", "run", images=8, device="cpu")


@pytest.mark.parametrize("curve", [b"", b"{", b"[]", b"{}", b'{"cpu_seconds": 0.0, "rows": [1]}', b"\xff",
                                   b'{"cpu_seconds": 0.0, "rows": [{"generation": "5"}]}',
                                   b'{"cpu_seconds": NaN, "rows": []}', b'{"cpu_seconds": -1.0, "rows": []}'])
def test_a_damaged_curve_is_named(own, curve, capsys):
    (own / "run").mkdir()
    (own / "run" / "curve.json").write_bytes(curve)
    assert main(["evolve", "one", "--out", "run", "--images", "8", "--device", "cpu"]) == 1
    assert "curve.json is damaged: delete it" in (told := capsys.readouterr().err) and "Traceback" not in told
