"""Comparisons share their runs out: several processes make the record that one makes, and stop together."""

import os

import pytest
import together

from gan_teach.processes import alone, place
from gan_teach.recipes import sharing
from gan_teach.recipes.sharing import share_out

ALL = """
    import sys
    from dataclasses import replace
    from itertools import count
    from types import SimpleNamespace

    from gan_teach.__main__ import main
    from gan_teach.processes import join_group
    from gan_teach.recipes import compare_plane, compare_progan, compare_styles
    from gan_teach.training import Schedule, loop

    join_group()
    out = sys.argv[1]
    compare_plane.time = SimpleNamespace(thread_time=count().__next__)      # what differs from run to run is time alone
    loop.time = SimpleNamespace(monotonic=lambda: 0.0)

    for module, world in ((compare_styles, "Portraits"), (compare_progan, "Scenes")):
        many = getattr(module, world)
        setattr(module, world, lambda n, size, seed, many=many: many(min(n, 70), size=size, seed=seed))

    def short(module, pixels):
        return replace(module.SETTINGS, images=8, batch=4, schedule=Schedule(fade={}, stable={pixels: 0}))

    tiny = {"fmap_base": 32, "fmap_max": 4, "z_dim": 8, "w_dim": 8}
    compare_styles.run(out, seeds=1, settings=short(compare_styles, 32), device="cpu", pairs=4, n=64, variants={
        name: replace(compare_styles.VARIANTS[name], **tiny) for name in ("A", "B", "F")})
    compare_progan.run(out, seeds=1, settings=short(compare_progan, 64), device="cpu", samples=8, layers=("layer4",),
                       variants={name: replace(of, z_dim=8, widths=(8, 8, 8, 8, 8))
                                 for name, of in compare_progan.VARIANTS.items()})
    plans = {"as taught": replace(compare_plane.robustness_plans()["as taught"], every=1)}
    compare_plane.COMPARISONS["robustness"] = "egan-robustness", lambda: plans
    sys.exit(main(["compare", "robustness", "--seeds", "3", "--generations", "1", "--out", out]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that meet are forked here")
def test_two_processes_make_the_records_of_one_byte_for_byte(tmp_path):
    for said in together.run(ALL, 2, tmp_path).values():
        assert said.count("as taught, equal generations") == 1      # the first one speaks, once
    one, two = (sorted((tmp_path / folder).glob("*.json")) for folder in ("one", "many"))
    assert [path.name for path in one] == [path.name for path in two] == [
        "egan-robustness.json", "progan-comparison.json", "stylegan-configurations.json"]
    for ours, theirs in zip(one, two):
        assert ours.read_bytes() == theirs.read_bytes(), ours.name


def two_of(monkeypatch, other):
    """As the first of two processes: the other tells what `other` yields."""
    monkeypatch.setattr(sharing, "place", lambda: (0, 2))
    monkeypatch.setattr(sharing, "gathered", lambda mine: [mine, next(other)])


def test_each_makes_its_share_and_keeps_all_in_their_order(tmp_path, monkeypatch):
    two_of(monkeypatch, iter([["b1"], [], []] + [["d1"], ["d2"], []] + [[], [], []]))
    made, record, written = [], {}, []

    def make(run):
        made.append(run)
        yield f"{run}1"
        yield f"{run}2"

    def keep(run, part):
        record.setdefault(run, []).append(part)

    assert share_out(tmp_path / "x.json", record, "abcde", make, keep, lambda path, now: written.append(len(now)))
    assert made == list("ace")
    assert record == {"a": ["a1", "a2"], "b": ["b1"], "c": ["c1", "c2"], "d": ["d1", "d2"], "e": ["e1", "e2"]}
    assert list(record) == list("abcde") and written == [2, 2, 4, 4, 5, 5]


@pytest.mark.parametrize("mine, theirs", [(None, "b1"), ("a1", None)])
def test_where_one_is_interrupted_all_stop_and_what_came_before_it_stands(tmp_path, monkeypatch, mine, theirs):
    two_of(monkeypatch, iter([["b0"], [theirs]]))
    record = {}
    assert not share_out(tmp_path / "x.json", record, "ab", lambda run: iter(["a0", mine]),
                         lambda run, part: record.setdefault(run, []).append(part))
    assert record["a"][0] == "a0" and record["b"] == ["b0"] and None not in record["a"]


def test_alone_a_process_meets_nobody(monkeypatch):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 1)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    assert place() == (1, 3)
    with pytest.raises(KeyError), alone():
        assert place() == (0, 1)
        raise KeyError
    assert place() == (1, 3)
