"""The comparison of progressive GANs: two lengths of training, a record that can be stopped, a table."""

import json
from dataclasses import asdict, replace

import pytest

from gan_teach import checkpoints, files
from gan_teach.__main__ import main
from gan_teach.recipes import compare_progan
from gan_teach.recipes.compare_progan import SETTINGS, VARIANTS, lines, run
from gan_teach.training import Schedule

SMALL = {"variants": {name: replace(of, z_dim=8, widths=(8, 8, 8, 8, 8)) for name, of in VARIANTS.items()},
         "samples": 8, "layers": ("layer4",),
         "settings": replace(SETTINGS, images=16, batch=4, schedule=Schedule(fade={}, stable={64: 0}))}


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    real = compare_progan.Scenes
    monkeypatch.setattr(compare_progan, "Scenes", lambda n, size, seed: real(min(n, 60), size=size, seed=seed))


def test_the_variants_differ_in_the_std_dev_alone_and_both_stops_are_at_full_size():
    assert VARIANTS["without"] == replace(VARIANTS["with"], stddev_group=0) != VARIANTS["with"]
    for images in (SETTINGS.images // 2, SETTINGS.images):
        assert SETTINGS.schedule.at(images) == (64, 1.0)


def test_the_shipped_record_can_be_gone_on_with():
    path = files.data_folder() / f"{compare_progan.NAME}.json"
    record = checkpoints.unfinished(
        path, "", {"settings": asdict(SETTINGS), "layers": compare_progan.LAYERS, "samples": 500})
    assert len(record["runs"]) == 4


def test_each_run_is_dissected_twice_and_the_table_says_what_came_out(tmp_path):
    record = run(tmp_path, seeds=2, **SMALL)
    assert record == json.loads((tmp_path / f"{compare_progan.NAME}.json").read_text())
    assert list(record["runs"]) == ["with, seed 0", "without, seed 0", "with, seed 1", "without, seed 1"]
    for of in record["runs"].values():
        assert list(of) == ["8", "seconds", "16"] and of["8"] != of["16"], "training went on between"
    head, *table = lines(record)
    assert len(table) == 2 * 1 * 2 and "std-dev" in head
    first = record["runs"]["with, seed 0"]["8"][0], record["runs"]["with, seed 1"]["8"][0]
    assert f"{first[0]['classes']}, {first[1]['classes']}" in table[0] and "8 layer4  with" in table[0]
    assert table[0].endswith(f"{first[0]['frechet']:.2f}, {first[1]['frechet']:.2f}")


def test_a_stopped_comparison_goes_on_and_ends_the_same(stopped):
    def halfway(record):
        assert list(record["runs"]) == ["with, seed 0"] and "16" not in record["runs"]["with, seed 0"]
        assert len(list(lines(record))) == 2, "a table of what is there"

    stopped(compare_progan, SMALL, 4, halfway, {"samples": 9})              # after the first dissection


def test_the_command_asks_for_what_it_was_given(tmp_path, monkeypatch, capsys):
    asked = {}
    monkeypatch.setattr(compare_progan, "run", lambda folder, **given: asked.update(given, folder=folder))
    assert main(["compare", "progan", "--out", str(tmp_path), "--seeds", "1", "--images", "500"]) == 0
    assert asked == {"folder": tmp_path, "seeds": 1, "settings": replace(SETTINGS, images=500)}
    assert main(["compare", "progan", "--generations", "3"]) == 1
    assert "compare progan takes --images" in capsys.readouterr().err
