"""The laboratory of evolution and its panel, driven from code: phases, knobs, memory, fates, and one thread at most."""

import math
import re
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from panels import SMALL, cheap, start, wait_for
from panels import evolution_lab as panel
from PIL import Image

from gan_teach.egan import plane
from gan_teach.egan.evolution import Evolution, Generation
from gan_teach.egan.settings import Settings
from gan_teach.egan.fitness_and_selection import Fitness, select
from gan_teach.egan.laboratory import Laboratory
from gan_teach.egan.mutations import heuristic, least_squares, minimax
from gan_teach.egan.view import share_curve
from gan_teach.networks import dcgan
from gan_teach.lessons.checks.egan import slopes
from gan_teach.networks.device import one_thread
from gan_teach.pictures import as_array
from gan_teach.recipes import evolving
from gan_teach.widgets import charts
from gan_teach.widgets.egan import evolution_charts, evolution_render
from gan_teach.widgets.egan.evolution import EvolutionLab
from gan_teach.widgets.egan.evolution_charts import family_tree
from gan_teach.widgets.egan.evolution_render import children, describe, magnification, render, tiling
from gan_teach.widgets.egan.mutations import MutationPanel, MutationRenderer, MutationState
from gan_teach.worlds import gaussians

torch.set_num_threads(1)


def lab(**options):
    return Laboratory(**{"make": start, "settings": SMALL, "measure": cheap, "luck": 2, "head_start": 0} | options)


def same(one, other) -> bool:
    """Two evolutions at the same point, bit for bit."""
    nets = zip((one.D, *(s.G for s in one.survivors)), (other.D, *(s.G for s in other.survivors)), strict=True)
    weights = all(torch.equal(a, b) for x, y in nets for a, b in zip(x.parameters(), y.parameters(), strict=True))
    return weights and one.lineage == other.lineage and len(one.survivors) == len(other.survivors)


def straight(generations, **changes):
    """An evolution that nobody has touched."""
    e = start(replace(SMALL, **changes))
    for _ in range(generations):
        e.step(gaussians.ring())
    return e


# ------------------------------------------------------------------------------------------ the laboratory

def test_phases_and_generations_are_those_of_the_evolution():
    stepped = lab()
    assert [stepped.advance() for _ in range(8)] == 2 * list(plane.PHASES)
    stepped.generation()
    assert same(stepped.evolution, straight(3)) and stepped.evolution.generation == 3


def test_looking_changes_nothing():
    looked = lab()
    for _ in range(3 * 4):
        looked.view()
        looked.advance()
    assert same(looked.evolution, straight(3))


def test_a_view_shows_each_phase_and_no_more():
    looked = lab()
    views = {"": looked.view()}
    for phase in plane.PHASES:
        looked.advance()
        views[phase] = looked.view()
    assert [len(v.children) for v in views.values()] == [0, 0, 3, 3, 3]
    assert [c.fitness is None for c in (views["vary"].children[0], views["evaluate"].children[0])] == [True, False]
    assert views["evaluate"].children[0].survives is None
    last = views["select"]
    assert [c.survives for c in last.children] == [i in last.lineage[-1].survivors for i in range(3)]
    assert [c.fitness for c in last.children] == list(last.lineage[-1].fitness)
    assert all(c.spread.quality > 0 for c in last.children)                     # the luck of one judgement
    child = last.children[last.lineage[-1].survivors[0]]
    assert torch.equal(child.after, last.fake[:len(child.after)])               # the survivor is that child
    assert torch.equal(child.before, views["train_d"].fake[:len(child.before)])


def test_the_spread_is_that_of_judging_again():
    looked = lab(luck=4)
    for _ in range(3):
        looked.advance()
    want = plane.luck(looked.evolution, 4).std(0)
    assert torch.allclose(torch.tensor(looked.spread), want)
    looked.generation()
    looked.generation()                                                         # fast: without error bars
    assert looked.spread == () and looked.view().children[0].spread is None


def test_another_gamma_judges_the_standing_children_anew():
    turned = lab()
    for _ in range(3):
        turned.advance()
    before = turned.view().children
    turned.turn(gamma=2.0)
    after = turned.view().children
    assert [c.fitness.quality for c in after] == [c.fitness.quality for c in before]
    assert all(c.fitness.total == pytest.approx(c.fitness.quality + 2 * c.fitness.diversity) for c in after)
    want = plane.luck(turned.evolution, 2).std(0)
    assert torch.allclose(torch.tensor([c.spread for c in after]), want, rtol=1e-4)
    for gamma in (0.0, 2.0):                                            # F_d was not computed, and is again
        turned.turn(gamma=gamma)
        assert math.isnan(turned.view().children[0].fitness.diversity) == (gamma == 0)
    assert [c.fitness for c in turned.view().children] == [c.fitness for c in after]
    turned.advance()
    assert turned.evolution.lineage[-1].survivors == tuple(select([c.fitness for c in after], 1))
    assert same(turned.evolution, straight(1, gamma=2.0))


def test_another_gamma_costs_no_judgement_and_no_picture(monkeypatch):
    """… and the frame is the one that is drawn whole."""
    shown = panel()
    for _ in range(3):
        shown.phase.click()
    monkeypatch.setattr(Evolution, "evaluate", None)
    monkeypatch.setattr(evolution_render, "cloud", None)
    before = shown.frame
    shown.gamma.value = 1.0
    assert not shown.error.value and shown.frame.bars != before.bars and shown.frame.main == before.main
    monkeypatch.undo()
    assert shown.frame == render(shown.lab.view())
    shown.phase.click()                                                 # and then everything is drawn anew
    assert shown.frame == render(shown.lab.view()) and shown.frame.children != before.children


@pytest.mark.parametrize("changes", [{"d_steps": 3}, {"selection": "worst"}, {"selection": "random"},
                                     {"adam": "inherited"}, {"adam": "reset"}, {"gamma": 0.0}])
def test_a_knob_counts_from_the_next_generation_on(changes):
    turned = lab()
    turned.turn(**changes)
    for _ in range(3):
        turned.generation()
    assert same(turned.evolution, straight(3, **changes))


def test_mutations_switch_off_and_keep_their_own_adam():
    turned = lab()
    turned.generation()
    steps = {k: m[0]["step"].item() for k, m in turned.evolution.own.items()}
    assert steps == {0: 1, 1: 1, 2: 1}
    turned.turn(active=(True, False, True))
    turned.generation()
    assert turned.evolution.lineage[-1].mutations == ("minimax", "least_squares")
    kept = turned.evolution.own[1]                                              # least squares, second of two
    assert kept[0]["step"].item() == 2
    turned.turn(active=(False, True, True))
    assert turned.evolution.own == {1: kept}                                    # heuristic begins anew
    with pytest.raises(ValueError, match="at least one mutation"):
        turned.turn(active=(False, False, False))
    assert turned.knobs.active == (False, True, True)


def test_more_parents_and_fewer():
    turned = lab()
    turned.generation()
    turned.turn(mu=2)
    turned.generation()
    assert len(turned.evolution.survivors) == 2 and len(turned.evolution.lineage[-1].mutations) == 6
    assert turned.view().fake.shape == (400, 2)
    turned.turn(mu=1)
    turned.generation()
    turned.generation()
    assert len(turned.evolution.survivors) == 1 and len(turned.evolution.lineage[-1].mutations) == 3
    with pytest.raises(ValueError, match="the 3 survivors share D's 16 fakes: batch must be a multiple of mu"):
        turned.turn(mu=3)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="no selection 'bets'.*; there are: best, random, worst, mine"):
        lab().turn(selection="bets")
    asked = lab()
    asked.generation()
    for changes, message in (({"seed": -1}, "seed must be a whole number from 0"), ({"d_steps": 0}, "d_steps must be"),
                             ({"gamma": math.nan}, "gamma must be a finite number"), ({"mu": 0}, "mu must be")):
        with pytest.raises(ValueError, match=message):
            asked.turn(**changes)
    assert asked.knobs == lab().knobs and asked.evolution.generation == 1         # nothing has changed, or begun anew
    with pytest.raises(ValueError, match="heuristic, least_squares, which is not among"):
        lab(offered=(minimax,))
    with pytest.raises(RuntimeError, match="nothing to choose"):
        lab().choose(0)


def test_another_seed_or_other_data_begin_anew():
    turned = lab()
    turned.generation()
    turned.turn(seed=3)
    assert turned.evolution.generation == 0 and same(turned.evolution, straight(0, seed=3))
    turned.generation()
    turned.turn(data="grid")
    assert turned.evolution.generation == 0 and len(turned.real.centres) == 25 and list(turned.snapshots) == [0]


def test_rewind_goes_back_and_forth_and_goes_on_as_it_was():
    rewound = lab(every=2)
    for _ in range(7):
        rewound.generation()
    assert list(rewound.snapshots) == [0, 2, 4, 6]
    assert rewound.rewind(5) == 4 and same(rewound.evolution, straight(4))
    assert [g for g, _ in rewound.view().measures] == [0, 2, 4]
    assert rewound.rewind(99) == 6 and rewound.rewind(2) == 2                   # what lay ahead is still there
    rewound.generation()
    assert list(rewound.snapshots) == [0, 2] and same(rewound.evolution, straight(3))      # now it is not
    for _ in range(4):
        rewound.generation()
    assert same(rewound.evolution, straight(7))
    rewound.rewind(0)
    assert same(rewound.evolution, straight(0))
    rewound.reset()
    assert list(rewound.snapshots) == [0] and rewound.evolution.lineage == []


def test_rewind_to_before_other_parents_and_other_mutations():
    turned = lab(every=1)
    turned.generation()
    turned.turn(mu=2)
    turned.generation()
    assert turned.rewind(1) == 1 and same(turned.evolution, straight(1))
    turned.generation()
    assert len(turned.evolution.survivors) == 2                                 # the knob stands as it was turned

    fewer = lab(every=1)
    fewer.generation()
    moments = fewer.evolution.own[1][0]["exp_avg"].clone()                      # heuristic's, second of three
    fewer.turn(active=(False, True, True))
    fewer.generation()
    fewer.rewind(1)
    assert len(fewer.evolution.own) == 2 and torch.equal(fewer.evolution.own[0][0]["exp_avg"], moments)


def test_memory_is_bounded_and_keeps_the_beginning(monkeypatch):
    monkeypatch.setattr("gan_teach.egan.laboratory.MEMORY", 1)
    bounded = lab(every=1)
    for _ in range(6):
        bounded.generation()
    assert list(bounded.snapshots) == [0, 5, 6]                                 # never fewer than three


def test_choosing_by_hand_waits_hides_the_answer_and_then_tells():
    chooser = lab(span=3)
    chooser.turn(selection="mine")
    chooser.generation()
    assert chooser.waiting and chooser.advance() == "" and chooser.view().children[0].fitness is None
    best = select(chooser.evolution.scores, 1)[0]
    with pytest.raises(ValueError, match="no child 3"):
        chooser.choose(3)
    chooser.choose(best)
    assert chooser.chosen == (best, best) and chooser.fate is None and chooser.tally == (1, 1)
    assert same(chooser.evolution, straight(1))
    chooser.generation()
    best = select(chooser.evolution.scores, 1)[0]
    mine = (best + 1) % 3
    chooser.choose(mine)
    assert chooser.tally == (2, 1) and chooser.evolution.lineage[-1].survivors == (mine,)
    assert chooser.view().children[0].fitness is not None


def test_both_fates_come_from_one_state():
    """The algorithm's branch is the run in which nobody interfered; yours is one with another choice, then its rule."""
    chooser = lab(span=3)
    chooser.generation()
    chooser.turn(selection="mine")
    chooser.generation()
    best = select(chooser.evolution.scores, 1)[0]
    mine = (best + 2) % 3
    chooser.choose(mine)
    before = straight(2)
    while not chooser.fate.over:
        chooser.live()
    yours, algorithms = chooser.fate.branches
    assert torch.equal(algorithms.G.last.weight, straight(5).G.last.weight)
    assert yours.generation == algorithms.generation == 5

    def other(scores):
        return [mine]

    by_hand = straight(1)
    by_hand.settings = replace(by_hand.settings, selection=other)
    by_hand.step(gaussians.ring())
    assert same(chooser.evolution, by_hand) and not torch.equal(by_hand.G.last.weight, before.G.last.weight)
    by_hand.settings = SMALL
    for _ in range(3):
        by_hand.step(gaussians.ring())
    assert torch.equal(yours.G.last.weight, by_hand.G.last.weight)
    view = chooser.view()
    assert [[g for g, _ in curve] for curve in view.fate.measures] == [[0, 3], [0, 3]]
    chooser.live()                                                              # over is over
    assert chooser.fate.age == 3
    chooser.advance()
    assert chooser.fate is None


def test_by_hand_with_more_parents_the_best_of_the_others_go_along():
    chooser = lab()
    chooser.turn(mu=2, selection="mine")
    chooser.generation()
    scores = chooser.evolution.scores
    order = select(scores, len(scores))
    chooser.choose(order[-1])
    assert chooser.evolution.lineage[-1].survivors == (order[-1], order[0])


def test_share_curve_ends_at_the_shares():
    draw = torch.Generator().manual_seed(0)
    names = ["a", "b", "c"]
    lineage = [Generation(i, (), (0,), (names[int(torch.randint(3, (), generator=draw))],), (), (0,))
               for i in range(357)]
    at, curve = share_curve(lineage, window=100, points=50)
    assert at[0] == 1 and at[-1] == 357 and len(at) == 50
    assert {n: c[-1] for n, c in curve.items()} == pytest.approx(plane.shares(lineage, 100))
    for k, g in enumerate(at):
        assert {n: c[k] for n, c in curve.items() if c[k]} == pytest.approx(
            {n: s for n, s in plane.shares(lineage[:g], 100).items() if s})
    assert share_curve([]) == ([], {})


def test_threads_are_as_they_were_even_when_two_meet():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        inside, go = threading.Event(), threading.Event()

        def other():
            with one_thread():
                inside.set()
                go.wait(10)

        with one_thread():
            assert torch.get_num_threads() == 1
            thread = threading.Thread(target=other)
            thread.start()
            inside.wait(10)
        assert torch.get_num_threads() == 2
        go.set()
        thread.join()
        seen = []
        late = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        late.start()
        late.join()
        assert seen == [2]                                      # a new thread starts with the notebook's number
    finally:
        torch.set_num_threads(before)


# ------------------------------------------------------------------------------------------ pictures

def tiny(settings, grey=False):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        config = dcgan.DCGANConfig(widths=(8, 8), z_dim=8, grey=grey)
        return Evolution(dcgan.Generator(config), dcgan.Discriminator(config), settings, "cpu")


def test_the_same_on_pictures():
    real = torch.randint(256, (100, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    settings = Settings(batch=8, fitness_batch=8, d_steps=1)
    shown = EvolutionLab(tiny, real, settings)
    for _ in range(3):
        shown.phase.click()
    assert not shown.error.value and "γ F_d" not in shown.frame.bars and "quality" in shown.frame.bars
    assert as_array(shown.frame.main).shape[:2] == (round(evolution_charts.MAIN * evolution_render.SHARP),) * 2
    assert 'alt="32 real pictures"' in shown.frame.measures and "field" not in shown.frame.text
    assert shown.data.layout.display == "none"
    shown.phase.click()
    want = tiny(settings)
    want.step(real)
    assert same(shown.lab.evolution, want)
    view = shown.lab.view()
    assert view.field is None and view.fake.shape == (64, 3, 16, 16) and view.children[0].after.shape[0] == 16
    assert view.real.dtype == torch.float32 and view.real.abs().max() <= 1
    shown.selection.value = "mine"
    shown.one.click()
    best = select(shown.lab.evolution.scores, 1)[0]
    shown.choices[(best + 1) % 3].click()
    wait_for(lambda: "compare the two pictures" in shown.frame.text)
    assert shown.lab.fate.over and not shown.runner.playing and not shown.error.value


def test_a_folder_of_pictures_is_all_it_takes(tmp_path):
    """Nothing evolves before it is asked to; then it does what `evolving.begin` does on those pictures."""
    for i in range(3):
        Image.fromarray(np.full((20, 30, 3), 80 * i, np.uint8)).save(tmp_path / f"{i}.png")
    settings = replace(evolving.SETTINGS, batch=4, fitness_batch=4, bf16=False)
    shown = EvolutionLab(pictures=tmp_path, settings=settings)
    assert shown.lab.evolution.generation == 0 and shown.lab.real.shape == (3, 3, 32, 32)
    shown.one.click()
    want = evolving.begin(settings, evolving.ANY.network)
    want.step(shown.lab.real)
    assert same(shown.lab.evolution, want) and not shown.error.value
    assert shown.lab.view().fake.shape == (64, 3, 32, 32)


def test_clothes_are_grey_and_come_with_the_recipes_settings():
    lab = EvolutionLab(pictures="fashion").lab
    assert lab.base == evolving.SETTINGS and lab.evolution.G.config.grey and len(lab.real) == 10_000


# ------------------------------------------------------------------------------------------ drawing

def view_at(phase="select", **turned):
    looked = lab()
    looked.turn(**turned)
    while looked.done != phase:
        looked.advance()
    return looked.view()


def test_render_is_pure():
    view = view_at()
    assert render(view) == render(view)


def test_the_winner_is_green_and_framed_in_its_tile():
    view = view_at()
    image, note = children(view, {n: i for i, n in enumerate(view.offered)})
    winner, (columns, side) = view.lineage[-1].survivors[0], tiling(3, *evolution_charts.CHILDREN)
    green = tuple(int(charts.WINNER[i:i + 2], 16) for i in (1, 3, 5))
    for i in range(3):
        tile = evolution_render._frame(image, i, columns, side)
        assert (tuple(tile[len(tile) // 2, 0]) == green) == (i == winner)
    assert "×" in note


def test_tiles_fill_the_place():
    for n in (1, 2, 3, 6, 12):
        columns, side = tiling(n, 440, 142)
        rows = -(-n // columns)
        assert columns * side + 6 * (columns - 1) <= 440.01 and rows * side + 6 * (rows - 1) <= 142.01
    assert tiling(3, 440, 142)[0] == 3 and tiling(12, 440, 142)[0] == 6


def test_moves_are_magnified_to_be_seen_and_the_number_is_told():
    child = view_at("vary").children[0]
    moves = child._replace(after=child.before + torch.tensor([0.02, 0.0]))
    assert magnification([moves], side=220) == 10                       # 1 pixel becomes 10, not 20
    assert magnification([child._replace(after=child.before)], side=220) == 100
    assert magnification([child._replace(after=child.before * math.nan)], side=220) == 100
    assert magnification([child._replace(after=child.before + 3)], side=220) == 1


def test_bars_tell_the_fitness_and_mark_the_fittest():
    view = view_at("evaluate")
    kinds = {n: i for i, n in enumerate(view.offered)}
    bars = evolution_charts.fitness_bars(view, kinds)
    best = max(view.children, key=lambda c: c.fitness.total)
    assert f"The fittest is {charts.plain(best.mutation)}." in bars and bars.count(charts.WINNER) == 2  # bar and star
    assert all(f"{c.fitness.quality:.3f}" in bars for c in view.children) and "luck of one judgement" in bars
    assert "not computed" in evolution_charts.fitness_bars(view_at("evaluate", gamma=0.0), kinds)
    odd = tuple(c._replace(fitness=Fitness(0.1, float("inf"), float("inf"))) for c in view.children)
    assert "nan" not in evolution_charts.fitness_bars(view._replace(children=odd), kinds).split("aria-label")[0]
    assert "have not been judged" in evolution_charts.fitness_bars(view_at("vary"), kinds)


def test_the_axis_of_the_winners_has_the_last_generation_alone():
    """… beside the word: two numbers in so little room were read as one."""
    lineage = [Generation(n, (), (0,), ("minimax",), (), (0,)) for n in range(1, 1553)]
    axis = re.findall(r">([^<>]+)</text>", evolution_charts.winners(lineage, {"minimax": 0}))
    assert axis == ["100%", "generation", "1552"]


def test_the_family_tree_joins_children_to_their_parents():
    def generation(number, parents, survivors):
        return Generation(number, (), parents, ("minimax", "heuristic") * (len(parents) // 2), (), survivors)

    lineage = [generation(1, (0, 0), (1, 0)), generation(2, (0, 0, 1, 1), (2,))]
    tree = family_tree(lineage, {"minimax": 0, "heuristic": 1})
    assert tree.count("<line") == 6 and tree.count(f'stroke="{charts.WINNER}" stroke-width="2.4"') == 3
    green = [part for part in tree.split("<line") if charts.WINNER in part and "2.4" in part]
    x1, y1 = ({k: v for k, v in (pair.split("=") for pair in part.split()[:4])} for part in green[:2])
    last = {k: v for k, v in (pair.split("=") for pair in green[-1].split()[:4])}
    assert last["x1"] == y1["x2"] and last["y1"] in (x1["y2"], y1["y2"])
    assert (last["y1"] == y1["y2"]) != (last["y1"] == x1["y2"])                 # from the second survivor, child 0
    assert "last winners: heuristic, minimax" in tree
    assert "begins with the first selection" in family_tree([], {})


def test_words_follow_the_phases():
    assert "2 ln 2" in describe(view_at("train_d")) and "one step of Adam" in describe(view_at("vary"))
    assert describe(view_at("select", selection="worst")).startswith("The least fit lives on")
    assert describe(view_at("select", selection="random")).startswith("Chance chose")


def test_every_mutation_has_a_sign_and_no_colour_stands_for_two_things():
    assert len(set(charts.COLOURS)) == len(charts.COLOURS) == len(charts.SIGNS) == len(set(charts.SIGNS))
    taken = [plane.REAL, plane.GENERATED, tuple(int(charts.WINNER[i:i + 2], 16) for i in (1, 3, 5))]
    for colour in charts.COLOURS[:3]:
        rgb = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)])
        assert min(np.abs(rgb - np.array(other)).max() for other in taken) > 60


# ------------------------------------------------------------------------------------------ the panel

def test_steps_a_phase_at_a_time_and_says_what_comes():
    shown = panel()
    said = []
    for _ in range(4):
        said.append(shown.phase.description)
        shown.phase.click()
    assert said == ["Step: D learns", "Step: variation", "Step: evaluation", "Step: selection"]
    assert shown.phase.description == "Step: D learns" and not shown.error.value
    assert same(shown.lab.evolution, straight(1)) and shown.back.value == shown.back.max == 1
    shown.one.click()
    assert same(shown.lab.evolution, straight(2)) and "error" not in shown.frame.text


def test_play_leaves_the_caller_free_and_pause_one_consistent_state():
    shown = panel()
    before = torch.get_num_threads()
    shown.play.click()
    assert shown.play.description == "❙❙ Pause" and shown.runner.playing
    wait_for(lambda: shown.lab.evolution.generation > 8)
    shown.play.click()
    n = shown.lab.evolution.generation
    assert shown.play.description == "▶ Play" and same(shown.lab.evolution, straight(n))
    assert shown.back.value == n and f"generation {n}" in shown.frame.main_note
    time.sleep(0.1)
    assert shown.lab.evolution.generation == n and torch.get_num_threads() == before


def test_pictures_far_outside_are_cut_off_not_refused():
    ends = torch.randn(9, 3, 8, 8, generator=torch.Generator().manual_seed(0)).sign()
    near, far = (evolution_render.cloud(k * ends, None, None, 60) for k in (1, 1000))
    assert (near == far).all()


@pytest.fixture
def ctrl_c():
    """SIGINT as a kernel hears it; a shell that starts a process in the background has it ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_leaves_one_consistent_state(ctrl_c):
    """Ctrl-C reaches the cell that runs, not the evolution."""
    shown = panel()
    shown.play.click()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        time.sleep(60)                                                          # never so long
    n = shown.lab.evolution.generation
    wait_for(lambda: shown.lab.evolution.generation > n + 2)                    # it goes on, and can be paused
    shown.play.click()
    assert same(shown.lab.evolution, straight(shown.lab.evolution.generation)) and not shown.error.value


def test_knobs_turn_while_it_plays():
    shown = panel()
    shown.play.click()
    wait_for(lambda: shown.lab.evolution.generation > 1)
    shown.gamma.value, shown.d_steps.value, shown.mu.value = 0.5, 2, 2
    assert shown.runner.playing
    n = shown.lab.evolution.generation
    wait_for(lambda: shown.lab.evolution.generation > n + 1)
    shown.play.click()
    assert shown.lab.evolution.settings.gamma == 0.5 and shown.lab.evolution.settings.d_steps == 2
    assert len(shown.lab.evolution.survivors) == 2 and not shown.error.value
    shown.seed.value = 5
    assert shown.lab.evolution.generation == 0 and shown.back.value == 0


def test_a_frame_leaves_a_knob_that_waits_to_be_turned_where_it_is():
    shown = panel()
    shown.play.click()
    with shown.runner.lock:                                 # as during a long act
        person = threading.Thread(target=lambda: setattr(shown.gamma, "value", 0.5))
        person.start()
        wait_for(lambda: shown._turning)
        shown.draw()
        assert shown.gamma.value == 0.5 and shown.lab.knobs.gamma == SMALL.gamma
    person.join()
    assert shown.lab.knobs.gamma == 0.5 and not shown._turning
    shown.play.click()
    assert shown.gamma.value == 0.5


def test_rewind_and_reset_from_the_controls():
    shown = panel()
    for _ in range(4):
        shown.one.click()
    shown.back.value = 2
    assert same(shown.lab.evolution, straight(2)) and shown.back.max == 4       # what lies ahead can be gone to
    shown.back.value = 4
    assert same(shown.lab.evolution, straight(4))
    shown.reset.click()
    assert same(shown.lab.evolution, straight(0)) and shown.back.max == 0


def test_the_last_mutation_cannot_be_switched_off():
    shown = panel()
    shown.mutations[0].value = shown.mutations[1].value = False
    assert shown.lab.knobs.active == (False, False, True) and not shown.error.value
    shown.mutations[2].value = False
    assert "tick another one" in shown.error.value and "Reset" not in shown.error.value and shown.mutations[2].value
    shown.mutations[0].value = True
    assert not shown.error.value and shown.lab.knobs.active == (True, False, True)


def test_the_first_choice_waits_until_there_is_something_to_choose():
    """It plays up to there by F, under the learner's eyes."""
    shown = panel(head_start=12)
    shown.selection.value = "mine"
    wait_for(lambda: shown.lab.waiting and not shown.runner.playing)
    assert shown.lab.evolution.lineage == straight(12).lineage and "Which child would you keep" in shown.frame.text
    assert shown.lab.tally == (0, 0) and not shown.error.value
    shown.choices[0].click()
    wait_for(lambda: not shown.runner.playing)
    assert shown.lab.tally[0] == 1 and shown.lab.evolution.generation == 13
    shown.reset.click()
    shown.one.click()                                       # from the start again, by F
    assert shown.lab.evolution.generation == 1 and not shown.lab.waiting
    assert "until there is something to choose" in shown.frame.text
    other = lab(head_start=12)
    other.generation()
    other.turn(selection="mine")                            # something has evolved: the choice comes at once
    other.generation()
    assert other.waiting and other.evolution.generation == 1


def test_choose_the_survivor_then_see_both_fates():
    shown = panel()
    shown.selection.value = "mine"
    shown.play.click()
    wait_for(lambda: "Choose by eye" in shown.frame.text)
    buttons = [b for b in shown.choices if b.layout.display != "none"]
    assert [b.description for b in buttons] == ["keep ●", "keep ▲", "keep ■"] and shown.phase.layout.display == "none"
    assert shown.frame.bars == "" and "Choose by eye" in shown.frame.text
    best = select(shown.lab.evolution.scores, 1)[0]
    mine = (best + 1) % 3
    buttons[mine].click()
    wait_for(lambda: "3 generations after your choice" in shown.frame.text)
    assert shown.lab.fate.over and not shown.runner.playing
    assert "You agreed in 0 of 1 choices; chance would agree in 1 of 3." in shown.frame.text
    assert all(b.layout.display == "none" for b in shown.choices) and "yours" in shown.frame.children_note
    shown.play.click()                                                          # on to the next choice
    wait_for(lambda: shown.lab.waiting and not shown.runner.playing)
    assert shown.lab.evolution.generation == 1 and shown.lab.fate is None


def test_slow_plays_phase_by_phase():
    shown = panel()
    shown.pace.value = "slow"
    begun = time.monotonic()
    shown.play.click()
    wait_for(lambda: shown.lab.done == "vary")
    shown.play.click()
    assert time.monotonic() - begun >= 0.9 and shown.lab.evolution.generation == 0
    shown.pace.value = "fast"
    shown.one.click()
    assert same(shown.lab.evolution, straight(1))


def test_it_takes_mutations_of_ones_own():
    def loudly(logits):
        return -3 * logits.mean()

    shown = panel(settings=replace(SMALL, mutations=(heuristic, loudly)), offered=(heuristic, loudly, least_squares))
    assert [m.value for m in shown.mutations] == [True, True, False]
    assert shown.mutations[1].description == "▲ loudly"
    shown.one.click()
    assert shown.lab.evolution.lineage[-1].mutations == ("heuristic", "loudly")
    shown._ipython_display_()


# ------------------------------------------------------------------------------------------ the mutations' chart

def test_where_mutations_pull_alike_all_marks_are_seen():
    chart = MutationRenderer().render(MutationState(0.5)).chart
    for colour in charts.COLOURS[:3]:
        assert len(re.findall(f'fill="none" stroke="{colour}" stroke-width="2.6"/>', chart)) == 2      # left and right


def test_the_chart_knows_the_closed_forms():
    frame = MutationRenderer().render(MutationState(0.25))
    for number in ("0.125", "0.375", "0.281"):             # ½ D, ½ (1 − D), 2 D (1 − D)²
        assert number in frame.text
    for number in ("−0.144", "+0.693", "+0.562"):          # ½ ln ¾, −½ ln ¼, (¾)²
        assert number in frame.table
    assert "Strongest: heuristic." in frame.text and not frame.error
    assert "Strongest: minimax." in MutationRenderer().render(MutationState(0.9)).text


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_learners_slopes_draw_the_tangents(p):
    """A right tangent leaves its curve as the square of the way from p does; one of the wrong sign at once."""
    def away(slopes) -> list[float]:
        chart = MutationRenderer(slopes=slopes).render(MutationState(p)).chart.split("<g transform")[0]
        lines = [np.array([pair.split(",") for pair in points.split()], float)
                 for points in re.findall(r'<polyline points="([^"]+)"', chart)]
        curves, tangents = lines[:3], lines[3:]
        assert len(tangents) == 3 and all(len(tangent) > 5 for tangent in tangents)
        return [max(abs(np.interp(x, *curve.T) - y) for x, y in tangent if abs(x - tangent[:, 0].mean()) < 12)
                for curve, tangent in zip(curves, tangents)]

    assert max(away(slopes)) < 1.5
    assert max(away(lambda p: [-slope for slope in slopes(p)])) > 2
    assert len(re.findall("<polyline", MutationRenderer().render(MutationState(p)).chart)) == 6


def test_no_letter_of_a_chart_is_smaller_than_12_pixels():
    frame, chart = render(view_at()), MutationRenderer().render(MutationState()).chart
    found = re.findall(r'font-size="([^"]+)"', frame.bars + frame.measures + frame.tree + frame.shares + chart)
    assert found and all(float(size) >= 12 for size in found)


def test_the_histogram_is_of_d_and_a_bad_mutation_is_told():
    plain, seen = MutationRenderer().render(MutationState()), MutationRenderer(logits=torch.zeros(9))
    assert seen.seen[10] == 1 and sum(seen.seen) == 1
    assert seen.render(MutationState()).chart.count("<rect") == 1 and "<rect" not in plain.chart
    renderer = MutationRenderer()
    renderer.mutations = (lambda logits: logits,)
    assert "gives one number" in renderer.render(MutationState()).error


def test_the_point_is_dragged_and_reset():
    dragged = MutationPanel(p=0.3)
    first = dragged.chart.value
    dragged.slider.value = 0.59
    assert dragged.chart.value != first and "D(G(z)) = 0.59" in dragged.text.value
    dragged.reset.click()
    assert dragged.chart.value == first
    dragged.renderer.mutations = (lambda logits: logits,)
    dragged.slider.value = 0.5
    assert "gives one number" in dragged.error.value and dragged.chart.value == first
