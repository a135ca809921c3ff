"""The record of what the paper's trainings would cost: counted anew, and its arithmetic."""

import json

import pytest

from gan_teach import checkpoints
from gan_teach.__main__ import main
from gan_teach.recipes import training_cost


def test_the_record_is_what_a_new_count_says_and_its_lines_are_its_own_arithmetic(tmp_path, monkeypatch):
    monkeypatch.setattr(training_cost, "V100_DAYS", {256: {1: 14.9, 8: 3.3}})
    record, shipped = training_cost.run(tmp_path, speed=1e12), checkpoints.comparison(training_cost.NAME)
    assert record == json.loads((tmp_path / f"{training_cost.NAME}.json").read_text())
    assert record["sizes"]["256"] == shipped["sizes"]["256"]
    assert shipped["sizes"]["1024"]["weights_g"] == 26_219_627 and 1e9 < shipped["operations_a_second"] < 1e13
    speed, line = training_cost.lines(record)
    operations = sum(record["sizes"]["256"][f"operations_{part}"] for part in ("d", "r1", "g"))
    years = 25e6 * operations / 1e12 / 86_400 / 365
    assert "1000·10⁹ operations" in speed and f"{years:.0f} years" in line and "14.9 days on one V100" in line


@pytest.mark.parametrize("option", ["--seeds", "--images", "--generations"])
def test_the_command_takes_no_sizes(option, tmp_path, capsys):
    assert main(["compare", "cost", option, "3", "--out", str(tmp_path)]) == 1
    assert f"takes no {option}" in capsys.readouterr().err
