"""Chapter 3's films, figures and tables: they show what was computed, in the places where it is looked for."""

import json
import math
from dataclasses import replace
from itertools import product

import pytest
import torch
from rigged import weights

from gan_teach import egan
from gan_teach.egan import figures, plane, paper_and_code, over_seeds, rivals
from gan_teach.egan.evolution import Generation
from gan_teach.egan.fitness_and_selection import Fitness
from gan_teach.egan.mutations import heuristic, least_squares, minimax
from gan_teach.networks.layers import sample_z
from gan_teach.recipes import compare_plane
from gan_teach.widgets import charts
from gan_teach.worlds import gaussians

torch.set_num_threads(1)
SMALL = replace(plane.SETTINGS, batch=8, fitness_batch=8)


def lines(figure):
    """Label -> (x, y) of the curves of each panel."""
    return [{line.get_label(): (line.get_xdata(), line.get_ydata()) for line in ax.get_lines()} for ax in figure.axes]


# ------------------------------------------------------------------------------------------ films

def test_a_film_is_an_evolution_that_was_looked_at():
    alone = plane.start(replace(SMALL, seed=3))
    for _ in range(4):
        alone.step(gaussians.ring())
    film = figures.film(replace(SMALL, mutations=[*SMALL.mutations]), seed=3, stops=(4, 2))    # lists, in any order
    assert film.stops == (2, 4) and len(film.pictures) == 2 and film.evolution.generation == 4
    assert torch.equal(weights(alone.G), weights(film.evolution.G))
    assert film.measures[1] == plane.measure(gaussians.ring(), alone.G)
    assert (film.pictures[1] == figures.look(alone, gaussians.ring())).all()
    assert (film.pictures[0] != film.pictures[1]).any()
    with pytest.raises(ValueError, match="got none"):
        figures.film(SMALL, stops=())


def test_strips_and_ends_name_seeds_and_modes(capsys):
    films = [figures.film(SMALL, seed, stops=(1, 2)) for seed in (0, 5)]
    html = figures.strips(films, alt="two seeds")._repr_html_()
    assert html.count("<img") == 4 and html.count("seed 5, step 2: ") == 1
    assert f"seed 5, step 2: {films[1].measures[1].modes} modes" in html
    html = figures.ends({"least_squares": films, "other": films[::-1]}, alt="two by two")._repr_html_()
    said = capsys.readouterr().out.splitlines()
    assert html.count("<img") == 6 and len(said) == 6                       # beside an even circle
    assert f"even circle: {plane.measures(gaussians.ring(), plane.even_circle(1000, 1)).modes} modes" in html
    assert "least_squares" not in html and said[1].startswith("least squares    seed 5")
    assert figures.in_a_line(films[1].measures[1]) in said[1]


def test_fates_are_what_would_have_come():
    """Fate k equals an evolution whose selection named child k, bit for bit; the one asked is left alone."""
    e = plane.start(SMALL, width=16)
    for _ in range(2):
        e.step(gaussians.ring())
    begin = e.state()
    e.train_d(gaussians.ring())
    e.vary()
    e.evaluate()
    before, scores = e.state(), list(e.scores)
    found = figures.fates(e, gaussians.ring(), generations=3)
    assert e.scores == scores and e.generation == 2
    assert torch.equal(weights(e.D), torch.cat([before["D"][name].flatten() for name, _ in e.D.named_parameters()]))
    for child, fate in enumerate(found):
        twin = plane.start(SMALL, width=16)
        twin.restore(begin)
        twin.settings = replace(SMALL, selection=lambda scores, child=child: child)
        twin.step(gaussians.ring())
        twin.settings = SMALL
        for _ in range(3):
            twin.step(gaussians.ring())
        assert torch.equal(weights(twin.G), weights(fate.G)) and torch.equal(weights(twin.D), weights(fate.D))
    assert not torch.equal(weights(found[0].G), weights(found[1].G))


# ------------------------------------------------------------------------------------------ verdicts

def test_the_mutations_look_as_in_the_panels():
    """● ▲ ■ in the panels are o ^ s in the figures, in the same colours."""
    assert [figures.LOOKS[m.__name__] for m in (minimax, heuristic, least_squares)] == list(zip(
        charts.COLOURS, "o^s")) and charts.SIGNS[:3] == ("●", "▲", "■")
    assert figures.LOOKS["E-GAN"][0] == charts.WINNER
    assert len({colour for colour, _ in figures.LOOKS.values()}) == len(figures.LOOKS)
    assert len({marker for _, marker in figures.LOOKS.values()}) == len(figures.LOOKS)


def test_the_lines_over_gamma_are_the_fitness():
    scores = [Fitness(0.5, 1.0, math.nan), Fitness(0.8, -2.0, math.nan)]
    panels = lines(figures.gamma_figure(["minimax", "heuristic"], scores, largest=(0.1, 0.5)))
    for panel, (name, f) in product(panels, zip(("minimax", "heuristic"), scores)):
        gammas, total = panel[name]
        assert gammas[-1] == (0.1 if panel is panels[0] else 0.5)
        assert total == pytest.approx(f.quality + gammas * f.diversity)


def test_a_ring_marks_where_another_child_takes_over():
    names, third = ["minimax", "heuristic", "least_squares"], Fitness(0.4, 0.5, math.nan)      # never the best
    figure = figures.gamma_figure(names, [Fitness(0.5, 1.0, math.nan), Fitness(0.8, -2.0, math.nan), third])
    near, far = figure.axes
    ring, = far.collections
    assert ring.get_offsets().tolist() == [pytest.approx([0.1, 0.6])]
    assert [text.get_text() for text in far.texts] == ["γ = 0.1"] and not near.texts

    children = [Fitness(0.5, 1.0, math.nan), Fitness(0.507, -0.4, math.nan)]                   # … at 0.005
    near, far = figures.gamma_figure(names[:2], children).axes
    assert [len(ax.collections) for ax in (near, far)] == [1, 1]                               # ringed in both,
    assert [text.get_text() for text in near.texts] == ["γ = 0.005"] and not far.texts        # named once

    rising = [Fitness(0.5, 1.0, math.nan), Fitness(0.6, 0.5, math.nan)]
    for scores, side in ((children, 1), (rising, -1)):                                         # beside the lines
        named, = (text for ax in figures.gamma_figure(names[:2], scores).axes for text in ax.texts)
        assert math.copysign(1, named.xyann[1]) == side


def test_the_moves_end_where_each_child_has_carried_the_dots():
    evolution = plane.start(SMALL)
    evolution.train_d(gaussians.ring())
    evolution.vary()
    panel, = lines(figures.moves_figure(evolution, gaussians.ring(), times=3, dots=5))
    z = sample_z(5, 2, seed=2)
    before = evolution.G(z).detach()
    assert torch.equal(torch.tensor(panel["parent"]).T, before)
    assert torch.tensor(panel["a real place"]).T.tolist() == [pytest.approx(c) for c in gaussians.ring().centres]
    for child in evolution.children:
        assert torch.allclose(torch.tensor(panel[child.mutation]).T, before + 3 * (child.G(z).detach() - before))


def test_the_verdicts_stand_beside_their_child():
    verdicts = torch.arange(24.0).view(4, 2, 3)
    figure = figures.luck_figure(["minimax", "least_squares"], verdicts)
    assert [ax.get_title() for ax in figure.axes] == ["quality $F_q$", "diversity $F_d$",
                                                      r"$F = F_q + \gamma F_d$"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["minimax", "least squares"]
    for k, ax in enumerate(figure.axes):
        for i in range(2):
            dots = ax.collections[2 * i].get_offsets().tolist()
            assert [x for x, _ in dots] == verdicts[:, i, k].tolist() and {round(y) for _, y in dots} == {i}
            mean = ax.containers[i].lines[0].get_xdata()[0]
            assert mean == pytest.approx(float(verdicts[:, i, k].mean()))


# ------------------------------------------------------------------------------------------ comparisons

@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A comparison of three variants from two seeds, of a few generations."""
    chosen = {name: replace(s, batch=8, fitness_batch=8) for name, s in plane.variants().items()
              if name in ("E-GAN", "random", "heuristic")}
    plan = compare_plane.Plan(gaussians.ring, chosen, 6, seeds=2, every=2, start=lambda s: plane.start(s, width=8))
    return compare_plane.compare({"ring": plan}, tmp_path_factory.mktemp("c") / "record.json", "a test")


def test_the_table_of_a_comparison(record):
    rows = [row.strip("|").split("|") for row in rivals.worth(record, "ring").splitlines()]
    assert [row[0].strip() for row in rows[2:]] == ["E-GAN", "random", "heuristic"]
    assert all(len(row) == 7 for row in rows) and rows[0][0].strip() == "ring, equal generations"
    cell = record["tables"]["ring"]["random"]["equal generations"]["mmd2"]
    assert rows[3][5].strip() == f"{cell['mean']:.4f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{cell['error']:.4f}"
    assert rows[2][6].strip() == "" and rows[3][6].strip() == f"in {cell['reference_better']} of 2 seeds"
    slow = json.loads(json.dumps(record))
    slow["tables"]["ring"]["heuristic"]["equal compute"]["generation"] = 99
    slow["tables"]["ring"]["random"]["equal compute"] = slow["tables"]["ring"]["random"]["equal generations"]
    rows = [row.split("|")[1].strip() for row in rivals.worth(slow, "ring", "equal compute").splitlines()[2:]]
    assert rows == ["E-GAN", "heuristic"]                               # random's row is in the other table


def test_pairs_are_the_differences_that_the_figure_draws(record):
    record = json.loads(json.dumps(record))
    rows = record["tables"]["ring"]
    rows["heuristic"]["equal compute"]["generation"] = 4
    rows["random"]["equal compute"] = rows["random"]["equal generations"]
    found = rivals.pairs({"one": record, "other": record})
    bills = ("equal generations", "random"), ("equal generations", "heuristic"), ("equal compute", "heuristic")
    assert [(p.setting, (p.where, p.rival)) for p in found] == list(product(("one", "other"), bills))
    for p in found:
        end = rows[p.rival][p.where]["generation"]
        differences = [a - b for a, b in zip(over_seeds.figures(record, "ring", "E-GAN", "mmd2", 6),
                                             over_seeds.figures(record, "ring", p.rival, "mmd2", end))]
        assert p.mean == pytest.approx(sum(differences) / 2) and p.seeds == 2
        assert p.error == pytest.approx(abs(differences[0] - differences[1]) / 2)
    figure = rivals.pairs_figure(found)
    assert [ax.get_title() for ax in figure.axes] == [
        f"{one}, {where}" for one in ("one", "other") for where in ("equal generations", "equal compute")]
    for ax, these in zip(figure.axes, (found[:2], found[2:3], found[3:5], found[5:])):
        assert [text.get_text() for text in ax.get_yticklabels()] == [p.rival for p in these]
        for p, (dot, _, (bar,)) in zip(these, ax.containers, strict=True):
            ends = sorted(x for x, _ in bar.get_segments()[0])
            assert dot.get_xdata()[0] == p.mean and ends == pytest.approx([p.mean - 2 * p.error, p.mean + 2 * p.error])
    assert len(rivals.pairs_table(found).splitlines()) == 2 + 6
    verdicts = [rivals.Pair("", "", "", *of, 8).verdict for of in ((-3, 1, 8), (3, 1, 0), (-1.9, 1, 6), (0, 0, 0))]
    assert verdicts == ["better", "worse", "no result", "no result"]


def test_the_figure_of_a_comparison(record):
    figure = rivals.worth_figure(record, "ring", variants=("E-GAN", "random", "WGAN-GP"))
    drawn = lines(figure)
    for ax, panel, against in zip(figure.axes, drawn, ("generation", "cpu_seconds")):
        assert list(panel) == ["E-GAN", "random"]                                      # WGAN-GP was not run
        x, mean, error = over_seeds.curve(record, "ring", "random", "mmd2", against)
        assert panel["random"][0] == pytest.approx(x) and panel["random"][1] == pytest.approx(mean)
        edge = ax.collections[1].get_paths()[0].vertices[:, 1]                         # of the band
        assert min(edge) == pytest.approx(min(m - e for m, e in zip(mean, error)))
        assert max(edge) == pytest.approx(max(m + e for m, e in zip(mean, error)))
    assert figure.legends[0].get_title().get_text() == "mean ± standard\nerror, 2 seeds"


def test_robustness_marks_the_best_of_a_row_and_whom_egan_beats():
    """MMD² seed by seed: "a" is 0.1 higher each time; "b" is as much higher in the mean, by one seed alone."""
    ours = {"flat": (0.1, 0.5, 0.3), "deep": (0.4, 0.4, 0.4)}
    more = {"E-GAN": (0, 0, 0), "a": (0.11, 0.09, 0.1), "b": (0.31, 0, -0.01)}
    flat = {name: [m + by for m, by in zip(ours["flat"], more[name])] for name in more}
    deep = {name: [m - by for m, by in zip(ours["deep"], more[name])] for name in more}
    runs = {body: {name: {str(k): {"generation": [7], "cpu_seconds": [1.0], "modes": [8], "high_quality": [0.5],
                                   "mmd2": [m]} for k, m in enumerate(seeds)} for name, seeds in of.items()}
            for body, of in (("flat", flat), ("deep", deep))}
    made = {"runs": runs, "tables": {body: over_seeds.table({"runs": runs}, body) for body in runs}}
    cells = [[cell.strip().replace("\N{NO-BREAK SPACE}", " ") for cell in row.strip("|").split("|")]
             for row in rivals.robustness(made).splitlines()[2:]]
    assert cells == [["flat", "**0.3000 ± 0.1155**", "0.4000 ± 0.1097 ▲", "0.4000 ± 0.0608"],
                     ["deep", "0.4000 ± 0.0000", "**0.3000 ± 0.0058** ▼", "0.3000 ± 0.1050"]]


# ------------------------------------------------------------------------------------------ pictures

def rows(*triples):
    return [dict(zip(("generation", "cpu_seconds", "frechet_distance"), triple)) for triple in triples]


@pytest.fixture
def folder(tmp_path):
    """E-GAN has had 20 generations in 100 s; heuristic alone needs 10 s for as many."""
    made = {"clothes-egan": {"curve": rows((10, 50, 9.0), (20, 100, 4.0)), "won": {"minimax": 0.25, "heuristic": 0.75}},
            "clothes-heuristic": {"curve": rows((20, 10, 6.0), (200, 99, 3.0), (400, 198, 1.0)),
                                  "won": {"heuristic": 1.0}},
            "clothes-classifier": {"accuracy": 0.9}, "clothes-progan": {"curve": [{"images": 1}]},
            "other-egan": {"curve": rows((1, 1, 1.0)), "won": {}}}
    for name, record in made.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    return tmp_path


def test_rivals_on_pictures_and_their_bill(folder):
    found = rivals.runs("clothes", folder)
    assert list(found) == ["clothes-egan", "clothes-heuristic"]
    table = rivals.bill(found).splitlines()[2:]
    assert table == ["| egan | 4.00 (at 20) | 4.00 (at 20) | 5000 | heuristic 75%, minimax 25% |",
                     "| heuristic | 6.00 (at 20) | 3.00 (at 200) | 495 | heuristic 100% |"]
    egan = found["clothes-egan"]
    egan["curve"][-1]["classifier_score"] = 7.5
    egan |= {"frechet_distance_of_real_pictures": 0.5, "classifier_score_of_real_pictures": 9.0}
    head, _, first, _, real = rivals.bill(found).splitlines()
    assert "distance / score" in head and first.startswith("| egan | 4.00 / 7.50 (at 20)")
    assert real == "| real pictures | 0.50 / 9.00 |  |  |  |"
    left, right = lines(rivals.bill_figure(found))
    assert list(left["heuristic"][0]) == [20, 200, 400] and list(right["heuristic"][0]) == [10, 99, 198]
    assert list(left["egan"][1]) == list(right["egan"][1]) == [9.0, 4.0]
    assert all(set(panel) == {"heuristic"} for panel in lines(rivals.bill_figure(found, ("heuristic", "paper"))))
    assert [ax.get_xlim()[1] for ax in rivals.bill_figure(found).axes] == pytest.approx([21, 105])   # to E-GAN's last


@pytest.mark.parametrize("data", ["fashion", "scenes"])
def test_every_shipped_rival_has_a_row(data):
    found = rivals.runs(data)
    assert {f"{data}-{name}" for name in ("egan", "heuristic", "minimax", "random")} <= set(found)
    assert len(rivals.bill(found).splitlines()) == 2 + len(found) + 1     # head, a row each, real pictures


# ------------------------------------------------------------------------------------------ losses and picks

def test_the_losses_and_how_strongly_they_pull():
    """½ log(1 − D), −½ log D, (D − 1)² at the left; their slopes ½ D, ½ (1 − D), 2 D (1 − D)² at the right."""
    figure = figures.losses_figure((egan.minimax, egan.heuristic, egan.least_squares), torch.zeros(50))
    left, right = figure.axes[:2]
    closed = [(lambda p: 0.5 * math.log(1 - p), lambda p: p / 2), (lambda p: -0.5 * math.log(p), lambda p: (1 - p) / 2),
              (lambda p: (p - 1) ** 2, lambda p: 2 * p * (1 - p) ** 2)]
    for lines, which in ((left.lines, 0), (right.lines, 1)):
        for line, pair in zip(lines, closed, strict=True):
            for p, value in zip(*line.get_data()):
                assert value == pytest.approx(pair[which](float(p)), abs=1e-4)
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in left.lines}) == 3
    (bars,) = figure.axes[2:]
    assert max(bar.get_height() for bar in bars.patches) == 50              # all verdicts are ½
    assert [[text.get_text() for text in ax.get_legend().texts] for ax in (left, bars)] == [
        ["minimax", "heuristic", "least_squares"], ["samples of G (no scale)"]]


def test_picks_are_counted_in_parts_beside_the_papers():
    names = ("minimax", "heuristic", "least_squares")
    lineage = [Generation(n, (), (0, 0, 0), names, (), (0 if n <= 6 else 1,)) for n in range(1, 10)]
    table = figures.picks(lineage).split("\n")
    assert table[0] == "| generations | minimax | heuristic | least squares |"
    assert table[2:5] == ["| 1 to 3 | 100% | 0% | 0% |", "| 4 to 6 | 100% | 0% | 0% |", "| 7 to 9 | 0% | 100% | 0% |"]
    assert table[5].startswith("| paper, first 20,000 | 26% | 39%") and len(table) == 7
    mine = [Generation(n, (), (0, 0), ("my_minimax", "other"), (), (0,)) for n in range(1, 4)]
    assert len(figures.picks(mine).split("\n")) == 5                        # nothing in the paper to compare with
    few = figures.picks(lineage[:2]).split("\n")                            # fewer generations than parts
    assert few[2:4] == ["| 1 to 1 | 100% | 0% | 0% |", "| 2 to 2 | 100% | 0% | 0% |"]
    with pytest.raises(ValueError, match="nothing has been selected"):
        figures.picks([])
    for shares in zip(*figures.PAPER_PICKS.values()):
        assert sum(shares) == pytest.approx(1, abs=0.03)                    # read by eye


def test_judged_stands_before_the_selection_and_is_always_the_same():
    one, two = (figures.judged(plane.SETTINGS, generations=3) for _ in range(2))
    assert one.generation == 3 and len(one.children) == len(one.scores) == 3 and one.scores == two.scores
    one.select()
    assert one.generation == 4


def test_scores_stand_beside_those_of_real_pictures(folder):
    found = rivals.runs("clothes", folder)
    for record in found.values():
        for row in record["curve"]:
            row["classifier_score"] = row["generation"] / 100
        record["classifier_score_of_real_pictures"] = 9.0
    (ax,) = rivals.score_figure(found).axes
    *lines, real = ax.lines
    assert len(lines) == len(found) == 2 and set(real.get_ydata()) == {9.0}
    for line, record in zip(lines, found.values()):
        assert list(line.get_ydata()) == [row["generation"] / 100 for row in record["curve"]]


def test_a_pair_of_methods_is_compared_seed_by_seed():
    mean, error, lower = over_seeds.paired([1.0, 2.0, 6.0], [2.0, 4.0, 5.0])
    assert mean == pytest.approx(-2 / 3) and lower == 2
    assert error == pytest.approx(math.sqrt(((-1 + 2 / 3) ** 2 + (-2 + 2 / 3) ** 2 + (1 + 2 / 3) ** 2) / 2 / 3))
    with pytest.raises(ValueError):
        over_seeds.paired([1.0, 2.0], [1.0])


def test_paper_and_code_are_a_whole_table():
    rows = paper_and_code.ROWS
    assert {len(row) for row in rows} == {5} and len({row[0] for row in rows}) == len(rows)


def test_a_method_keeps_its_colour_in_words_and_in_a_readers_own_function():
    looks = [figures.mark(name) for name in ("least_squares", "least squares", "my_least_squares", "my least squares")]
    assert {(look["color"], look["marker"]) for look in looks} == {figures.LOOKS["least_squares"]}
    assert figures.mark("another")["color"] == "black"
