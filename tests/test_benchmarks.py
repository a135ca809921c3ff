"""The benchmarks themselves: the ways that they compare give equal results, and one table tells what each costs."""

import json

import pytest
from benchmarks import __main__ as benchmarks


def test_the_ways_are_compared_and_written_down(tmp_path, capsys):
    result = benchmarks.main(["--quick", "--only", "stylegan", "egan", "dissection", "--out", str(tmp_path)])
    assert json.loads((tmp_path / "benchmarks.json").read_text()) == result
    assert [row["section"] for row in result["rows"]].count("egan") >= 3
    for row in result["rows"]:
        assert row["ms"] > 0 and row["times_faster"] > 0 and row["than"].startswith("a plain loop")
    table = (tmp_path / "benchmarks.md").read_text()
    assert table in capsys.readouterr().out and result["machine"] in table and result["date"] in table
    assert table.count(" × a plain loop") == len(result["rows"]) - 3            # the loops themselves need no factor


def test_a_way_that_draws_something_else_ends_the_run(monkeypatch):
    monkeypatch.setattr(benchmarks, "drawn_plainly", lambda G, ws: G.synthesis(ws) * 1.01)
    with pytest.raises(AssertionError, match="as loaded draws something else"):
        benchmarks.stylegan(quick=True)
