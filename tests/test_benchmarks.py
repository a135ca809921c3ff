"""The benchmarks themselves: the ways that they compare give equal results, and one table tells what each costs."""

import json
import re

import pytest
from benchmarks import __main__ as benchmarks
from benchmarks import bench_catch_up

from gan_teach.lessons import notebooks

bench_chapters, bench_starts = benchmarks.bench_chapters, benchmarks.bench_starts


def test_the_ways_are_compared_and_written_down(tmp_path, capsys):
    benchmarks.main(["--quick", "--only", "egan", "dissection", "--out", str(tmp_path)])
    first = json.loads((tmp_path / "benchmarks.json").read_text())
    result = benchmarks.main(["--quick", "--only", "stylegan", "dissection", "--out", str(tmp_path)])
    assert json.loads((tmp_path / "benchmarks.json").read_text()) == result
    assert set(result) == {"stylegan", "egan", "dissection"} and result["egan"] == first["egan"], "measured before"
    rows = [row for part in result.values() for row in part["rows"]]
    assert len(result["egan"]["rows"]) >= 3
    for row in rows:
        assert row["ms"] > 0 and row["times_faster"] > 0 and row["than"].startswith("a plain loop")
    page = (tmp_path / "README.md").read_text()
    assert page in capsys.readouterr().out and page.count(result["egan"]["machine"]) == 3
    loops = sum(row["way"] == row["than"] for row in rows)                      # they need no factor themselves
    assert loops == 4 and page.count(" × a plain loop") == len(rows) - loops


def test_the_page_is_the_record_and_no_row_of_it_is_a_tiny_one():
    result = json.loads((benchmarks.HERE / "benchmarks.json").read_text())
    assert (benchmarks.HERE / "README.md").read_text() == benchmarks.page(result)
    assert "stylegan" in result and "tiny" not in json.dumps(result)


def test_every_way_to_start_is_told_by_its_page_and_measured():
    readme, chinese = "README.md", "notebooks/zh/README.md"
    for page, words in ((readme, "jupyter lab notebooks/00_warm_up.ipynb"), (chinese, "pipx run")):
        assert bench_starts.line(page, words)
        assert "tests/benchmarks/README.md#starts" in (bench_starts.ROOT / page).read_text("utf-8")
    assert all(bench_starts.quoted(words) for words in ("python -m pip wheel", 'pip install "dist/'))
    rows = json.loads((benchmarks.HERE / "benchmarks.json").read_text())["starts"]["rows"]
    assert 0 < len(rows) <= len(bench_starts.WAYS) and all(set(row) <= set(bench_starts.COLUMNS) for row in rows)
    assert len(bench_starts.table(rows)[-1].split(" | ")) == len(bench_starts.COLUMNS)


def test_a_way_to_start_that_fails_leaves_the_others_their_turn(monkeypatch):
    def wrong(folder, tree):
        raise OSError("no network")

    ways = {"first": wrong, "second": lambda folder, tree: {"way": "mine"}}
    monkeypatch.setattr(bench_starts, "WAYS", ways)
    monkeypatch.setattr(bench_starts, "clone", lambda folder: folder)
    measured = bench_starts.measure(ways)
    assert next(measured)["way"] == "mine"
    with pytest.raises(RuntimeError, match="^first failed: OSError: no network$"):
        next(measured)


def test_each_figure_of_the_site_stands_below_its_aim():
    row = {"machine": "paint", "moves": 40, "first_picture_s": 1.25, "largest_s": 0.5, "mb": 14.2, "shift": 0.002,
           "ms_1": 31, "ms_1_19_of_20": 42, "stopped": 0.75, "ms_4": 118, "ms_4_19_of_20": 160}
    *_, head, line, shown = benchmarks.bench_site.table([row])
    of = dict(zip(head.split(" | "), shown.split(" | "), strict=True))
    assert line.count("|") == len(of) + 1
    assert of["shift"] == "0.002"
    assert [(aim.rpartition("(aim ")[2].rstrip(")"), said) for aim, said in of.items() if "aim" in aim] == [
        ("50 ms", "31 ms, 19 of 20 within 42 ms"), ("150 ms", "118 ms, 19 of 20 within 160 ms"), ("3 s", "1.25 s")]


def test_a_way_that_draws_something_else_ends_the_run(monkeypatch):
    monkeypatch.setattr(benchmarks, "drawn_plainly", lambda G, ws: G.synthesis(ws) * 1.01)
    with pytest.raises(AssertionError, match="as loaded draws something else"):
        benchmarks.stylegan(quick=True)


def test_the_table_of_teaching_is_the_one_that_the_benchmark_prints():
    page = (benchmarks.ROOT / "notebooks" / "TEACHING.md").read_text("utf-8")
    there = re.search(r"\| chapter \|.*\n(\|.*\n)+", page)[0].splitlines()
    figures = [re.findall(r"\d+(?= \|)", line) for line in there[2:]]
    rows = [{"chapter": chapter, "pss_mb": pss, "of_thirty_mb": one, "moment_mb": moment}
            for chapter, pss, one, moment in zip(notebooks.chapters(), *figures, strict=True)]
    assert bench_chapters.table(rows) == there


def test_the_way_to_each_section_is_told_with_its_slowest_cell(tmp_path, monkeypatch):
    def cell(kind, name, source):
        return {"cell_type": kind, "id": name, "source": source, "metadata": {}}

    cells = [cell("code", "setup", "raise"), cell("markdown", "one", "## 1. One"), cell("code", "a", "x = 1"),
             cell("code", "b", "y = x + 1"), cell("markdown", "two", "## 2. Two\n\n## 3. Three"),
             cell("code", "c", "raise")]
    (tmp_path / "07_small.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(notebooks, "notebooks_folder", lambda: tmp_path)
    monkeypatch.setattr(bench_catch_up.catch_up, "lighter", bench_catch_up.catch_up.lighter)     # is put back
    rows = [*bench_catch_up.measure("07")]
    *_, one, two, three = benchmarks.TABLES["catch-up"](rows)
    times = r" \| [\d.]+ s \| [\d.]+ s \| "
    assert re.fullmatch(r"\| 07.1" + times + r" \|", one) and re.fullmatch(r"\| 07.3" + times + r" \|", three)
    assert re.fullmatch(r"\| 07.2" + times + r"[ab], [\d.]+ s \|", two)
