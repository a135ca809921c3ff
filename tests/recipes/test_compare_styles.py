"""The comparison of style generators: equal training, a record that can be stopped, tables that say what is there."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from gan_teach import checkpoints, files
from gan_teach.__main__ import main
from gan_teach.recipes import compare_styles
from gan_teach.recipes.compare_styles import CHANGES, SETTINGS, VARIANTS, enlarging, lines, run
from gan_teach.training import Schedule

TINY = {"fmap_base": 64, "fmap_max": 8, "z_dim": 16, "w_dim": 16}
SMALL = {"variants": {name: replace(VARIANTS[name], **TINY) for name in ("A", "F")}, "pairs": 4, "n": 64,
         "settings": replace(SETTINGS, images=8, batch=4, schedule=Schedule(fade={}, stable={32: 0}))}


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    real = compare_styles.Portraits
    monkeypatch.setattr(compare_styles, "Portraits", lambda n, size, seed: real(min(n, 130), size=size, seed=seed))


def test_variants_differ_from_f_in_one_thing_and_train_alike():
    F = VARIANTS["F"]
    assert VARIANTS["F, mapping 0"] == replace(F, mapping_layers=0)
    assert VARIANTS["F, mapping 2"] == replace(F, mapping_layers=2)
    assert VARIANTS["E"] == replace(F, mixing=0.0) and VARIANTS["F, mixing 50 %"] == replace(F, mixing=0.5)
    assert list(CHANGES) == list("ABCDEF")
    resolution, alpha = SETTINGS.schedule.at(SETTINGS.images * 2 // 3)
    assert (resolution, alpha) == (F.resolution, 1.0), "a third of the training is at full size"


def test_the_shipped_record_can_be_gone_on_with():
    path = files.data_folder() / f"{compare_styles.NAME}.json"
    record = checkpoints.unfinished(path, "", {"settings": asdict(SETTINGS), "measures": {}})
    assert set(record["configurations"]) == set(VARIANTS)


def test_every_variant_has_a_row_and_styles_have_more_figures(tmp_path):
    record = run(tmp_path, seeds=2, **SMALL)
    assert record == json.loads((tmp_path / f"{compare_styles.NAME}.json").read_text())
    rows = record["configurations"]
    assert list(rows) == ["A", "F"]
    for row in rows.values():
        assert len(row["frechet_distance"]) == 2 and [m[0] for m in row["mixing"]] == row["frechet_distance"]
    assert rows["A"]["path_length"] == [] and len(rows["A"]["mixing"][0]) == 1
    assert len(rows["F"]["mixing"][0]) == 4 and set(rows["F"]["separability"][0]) == {"z", "w"}
    assert set(rows["F"]["path_length"][1]) == {"z full", "z end", "w full", "w end"}
    assert rows["F"]["frechet_distance"][0] != rows["F"]["frechet_distance"][1], "seeds differ"
    text = "\n".join(lines(record))
    assert " ± " in text.splitlines()[1] and "A a progressive GAN" in text and "B +" not in text and "90 %" in text


def test_a_stopped_comparison_goes_on_and_ends_the_same(stopped):
    def halfway(record):
        assert list(record["configurations"]) == ["A"]

    stopped(compare_styles, SMALL, 4, halfway,                              # in the second variant's second step
            {"settings": replace(SMALL["settings"], images=12)})


def test_small_pictures_are_judged_enlarged():
    eyes, enlarged = (checkpoints.load("portraits-classifier"), enlarging(checkpoints.load("portraits-classifier")))
    picture = torch.zeros(2, 3, 32, 32).uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(picture, scale_factor=2, mode="bilinear")
    assert torch.equal(enlarged.features(picture), eyes.features(large))
    assert enlarged(picture)["glasses"].equal(eyes(large)["glasses"])


def test_the_command_refuses_what_belongs_to_the_other(tmp_path, capsys):
    assert main(["compare", "styles", "--generations", "5", "--out", str(tmp_path)]) == 1
    assert "takes --images" in capsys.readouterr().err
    assert main(["compare", "plane", "--images", "5", "--out", str(tmp_path)]) == 1
    assert "takes --generations" in capsys.readouterr().err


def row(*distances, w_full=(), w=()):
    """A row of a record: Fréchet distances (1 and 4 latents) of each seed, paths and separabilities in W."""
    return {"frechet_distance": [first for first, _ in distances], "mixing": [[a, a, a, b] for a, b in distances],
            "path_length": [{"w full": x, "w end": x / 2, "z full": 2 * x} for x in w_full],
            "separability": [{"w": x, "z": x} for x in w], "seconds": [900 for _ in distances]}


def test_a_verdict_needs_a_change_larger_than_the_spreads():
    record = {"configurations": {
        "A": row((8, 8), (8.2, 8)), "B": row((5, 5), (5.2, 5)),                          # as in the paper
        "D": row((7, 7), w_full=(10, 11)), "E": row((7, 5), (7.1, 5), w_full=(20, 21)),  # noise: opposite; E: falls
        "F": row((4, 6), (7, 6), w=(9,)), "F, mapping 0": row((6, 6), (6.5, 6), w=(10,))}}
    found = {line.split("   ")[0]: line for line in compare_styles.verdicts(record) if ":" in line}
    assert found["distance: A → B, bilinear sampling"].endswith("   as in the paper")
    noise = found["path in W: D → E, noise"]
    assert noise.endswith("   opposite") and "10.50 → 20.5" in noise
    assert found["distance: 1 → 4 latents, each network of Table 2"].endswith("   too small to tell")
    # separability has one seed each; the path is missing in the record, and left out
    assert "10.00 → 9.00   too small to tell" in found["separability: mapping 0 → 8 layers, in Z → in W"]
    by_words = list(compare_styles.verdicts(record))
    assert sum(line.endswith("too small to tell") for line in by_words) == 4
    del record["configurations"]["D"], record["configurations"]["A"]
    assert len(list(compare_styles.verdicts(record))) == len(by_words) - 2


def test_the_same_networks_are_compared_one_by_one():
    """Far from each other, and yet each falls by about two; without any with four latents the line is left out."""
    rows = {"E": row((9, 7), (4, 2.1)), "F": row((20, 17.9))}
    line = list(compare_styles.verdicts({"configurations": rows}))[1]
    assert line.split() == [*"distance: 1 → 4 latents, each network of Table 2".split(), "4.52", "→", "11.61", "11.00",
                            "→", "9.00", "opposite"]
    del rows["E"], rows["F"]["mixing"][0][1:]
    assert len(list(compare_styles.verdicts({"configurations": rows}))) == 2


def test_chance_alone_makes_a_verdict_of_two_seeds_in_one_case_of_five():
    draws = torch.randn(4000, 4, generator=torch.Generator().manual_seed(0)).tolist()
    made = 0
    for a, b, c, d in draws:
        rows = {"A": row((a, 0), (b, 0)), "B": row((c, 0), (d, 0))}
        made += "too small" not in list(compare_styles.verdicts({"configurations": rows}))[1]
    assert made / 4000 == pytest.approx(0.217, abs=0.02)


def test_a_panel_shows_each_seed_and_the_papers_value():
    record = checkpoints.comparison(compare_styles.NAME)
    figure, rows = compare_styles.table_figure(record), record["configurations"]
    ours, theirs = figure.axes[:6], figure.axes[6:]
    shown = {ax.get_title(): ax for ax in ours}
    assert list(shown) == list(compare_styles.CURVES)
    *dots, means = shown["Table 3: path in W, by network"].lines
    for letter, dot, mean in zip("DEF", dots, means.get_ydata(), strict=True):
        seeds = [each["w full"] for each in rows[letter]["path_length"]]
        assert list(dot.get_ydata()) == seeds and mean == pytest.approx(sum(seeds) / len(seeds))
    assert list(theirs[ours.index(shown["Table 2: 4 latents, by mixing"])].lines[0].get_ydata()) == [
        17.41, 11.61, 9.03, 8.40]


def test_the_tables_stand_beside_the_papers(capsys):
    rows = {"D": row((7, 7), w_full=(10, 12), w=(3.5, 3.7)), "E": row((7, 5)), "F": row((4, 6), w_full=(8,), w=(2,))}
    text = list(lines({"configurations": rows}))
    third = text.index(next(line for line in text if "Table 3" in line))
    assert text[third + 2].split() == ["D", "without", "noise", "11.0", "±", "1.4", "446.20", "5.5", "±", "0.7",
                                       "376.60", "3.6", "±", "0.1", "3.61"]
    assert text[third + 3].split() == ["E", "+", "noise", "–", "200.50", "–", "160.60", "–", "3.54"]
    assert any(line.split() == ["paper", "4.42", "8.22", "12.88", "17.41"] for line in text)
    assert text[-1].endswith("All trainings together took 0.8 hours."), "three rows of one seed"
    assert max(map(len, text)) <= 120
