"""The exercises' checks, given right answers and usual wrong ones; hints, solutions, banner, quiz."""

import re
import subprocess
import sys
import textwrap

import pytest
import torch

from gan_teach.dissection import intervention, unit_iou
from gan_teach.lessons import checks, questions


def iou(u, c):
    union = (u | c).sum().item()
    return (u & c).sum().item() / union if union else 0.0


def ablate(r, units):
    out = r.clone()
    out[:, units] = 0
    return out


def threshold(values, share):
    return values.quantile(1 - share, dim=1)


def insert(r, units, where, level):
    out = r.clone()
    out[:, units] = where * level[:, None, None] + (1 - where) * r[:, units]
    return out


def effect(inserted, ablated, c):
    return ((inserted == c).float().mean() - (ablated == c).float().mean()).item()


@pytest.mark.parametrize("check, answer", [
    (checks.check_iou, iou), (checks.check_iou, unit_iou.iou), (checks.check_ablate, ablate),
    (checks.check_ablate, intervention.ablate), (checks.check_threshold, threshold),
    (checks.check_threshold, lambda v, q: unit_iou.largest(None, v, v.shape[1], q).amin(1)),
    (checks.check_threshold, checks.dissection.threshold), (checks.check_effect, intervention.effect),
    (checks.check_insert, insert), (checks.check_insert, intervention.insert), (checks.check_effect, effect)])
def test_a_right_answer_is_accepted(said, check, answer):
    assert said(check, answer).startswith("✓")


def insert_everywhere(r, units, where, level):
    return insert(r, units, torch.ones_like(where), level)


def insert_in_place(r, units, where, level):
    r[:, units] = insert(r, units, where, level)[:, units]
    return r


def hard_insert(r, units, where, level):
    return insert(r, units, (where > 0).float(), level)


@pytest.mark.parametrize("check, answer, words", [
    (checks.check_threshold, lambda v, q: v.quantile(q, dim=1), "smallest"),
    (checks.check_threshold, lambda v, q: v.flatten().quantile(1 - q), "compared with itself"),
    (checks.check_threshold, lambda v, q: v.flatten().quantile(1 - q).expand(3), "must lie above"),
    (checks.check_threshold, lambda v, q: v.quantile(0.99, dim=1), "with share 0.2"),
    (checks.check_threshold, lambda v, q: v.sort(1, descending=True).values[:, 0], "leaves 0.0%"),
    (checks.check_insert, insert_everywhere, "outside P"),
    (checks.check_insert, insert_in_place, "purity"),
    (checks.check_insert, hard_insert, "half way"),
    (checks.check_insert, lambda r, units, where, level: insert(r, units[::-1], where, level), "other unit's level"),
    (checks.check_insert, lambda r, units, where, level: insert(r, [0, 1, 4], where, level[[0, 1, 0]]), "not named"),
    (checks.check_insert, lambda r, units, where, level: insert(r, units, where, level)[:1], "shape"),
    (checks.check_effect, lambda i, a, c: (i == c).float().mean(), "inserted pictures alone"),
    (checks.check_effect, lambda i, a, c: effect(a, i, c), "the other way round"),
    (checks.check_effect, lambda i, a, c: abs(effect(i, a, c)), "sign"),
    (checks.check_effect, lambda i, a, c: (i == c).sum() - (a == c).sum(), "a number of pixels"),
    (checks.check_effect, lambda i, a, c: effect(i, a, 2), "Do you use c"),
    (checks.check_effect, lambda i, a, c: (i == c).float().mean((1, 2)), "shape"),
    (checks.check_effect, lambda i, a, c: float("nan"), "value"),
    (checks.check_iou, lambda u, c: float("nan"), "value"),
    (checks.check_insert, lambda r, units, where, level: r * torch.nan, "value"),
])
def test_the_other_checks_name_what_is_wrong(wrong, check, answer, words):
    wrong(check, answer, words)


def untouched(*args):
    ...


def in_place_iou(u, c):
    value = iou(u, c)
    u &= c
    return value


def only_one_way(u, c):
    return iou(u, c) if u.sum() <= c.sum() else iou(u, c) / 2


@pytest.mark.parametrize("answer, words", [
    (lambda u, c: (u & c).sum() / u.sum(), "|u∩c| / |u|"),
    (lambda u, c: (u & c).sum() / c.sum(), "|u∩c| / |c|"),
    (lambda u, c: 2 * (u & c).sum() / (u.sum() + c.sum()), "Dice"),
    (lambda u, c: (u & c).sum() / (u.sum() + c.sum()), "counts the common pixels twice"),
    (lambda u, c: (u == c).float().mean(), "agree"),
    (lambda u, c: (u & c).sum(), "the intersection alone"),
    (lambda u, c: (u | c).sum() / (u & c).sum(), "upside down"),
    (lambda u, c: 0.5, "off by +0.4231"),
    (lambda u, c: (u & c).sum((1, 2)) / (u | c).sum((1, 2)), "shape"),
    (lambda u, c: sum(iou(a, b) for a, b in zip(u, c, strict=True)) / len(u), "mean over the pictures"),
    (lambda u, c: (u & c).sum() / (u | c).sum(), "two empty masks"),
    (lambda u, c: (u & c).sum().item() / (u | c).sum().item(), "ZeroDivisionError"),
    (only_one_way, "order"),
    (in_place_iou, "purity"),
    (lambda u: 0.0, "TypeError"),
    (lambda u, c: "half", "cannot use"),
])
def test_check_iou_names_what_is_wrong(wrong, answer, words):
    wrong(checks.check_iou, answer, words)


def in_place(r, units):
    r[:, units] = 0
    return r


def in_place_and_silent(r, units):
    r[:, units] = 0


def wrong_axis(r, units):
    out = r.clone()
    out[[u % len(r) for u in units]] = 0
    return out


def first_picture_only(r, units):
    out = r.clone()
    out[0, units] = 0
    return out


def one_too_many(r, units):
    out = ablate(r, units)
    out[:, 0] = 0
    return out


def none_means_all(r, units):
    return ablate(r, units) if units else torch.zeros_like(r)


def first_is_special(r, units):
    return ablate(r, units) if units == [4, 1] else ablate(r, units[:1])


@pytest.mark.parametrize("answer, words", [
    (in_place, "purity"),
    (in_place_and_silent, "purity"),
    (wrong_axis, "value: the units are not 0"),
    (first_picture_only, "in 2 of 3 pictures"),
    (lambda r, units: r.clone(), "96 of 96"),
    (lambda r, units: r * 0, "not named changed"),
    (one_too_many, "not named changed too (48 of 192"),
    (lambda r, units: r[:, units] * 0, "shape"),
    (lambda r, units: 0, "shape"),
    (none_means_all, "no units"),
    (first_is_special, "order"),
    (lambda r: r, "TypeError"),
])
def test_check_ablate_names_what_is_wrong(wrong, answer, words):
    wrong(checks.check_ablate, answer, words)


def test_what_passed_is_handed_on_until_a_later_check_fails(capsys):
    """The next cell runs on the learner's function, on ours before it passes, and again on ours once it is spoilt."""
    def handed_on():
        capsys.readouterr()
        function = checks.passed("ablate", intervention.ablate)
        return function, capsys.readouterr().out

    for broken in (untouched, wrong_axis, ...):
        checks.check_ablate(broken)
        assert handed_on() == (intervention.ablate, "ablate: ours, until yours passes its check.\n")
        checks.check_ablate(ablate)
        checks.check_iou(broken)                          # another exercise takes nothing away
        assert handed_on() == (ablate, "ablate: yours.\n")
    checks.passed("least_squares", ...)
    assert capsys.readouterr().out.startswith("least squares: ")         # words, not the code's name


def test_the_banner_is_one_line(capsys):
    from gan_teach.lessons.setup import banner
    banner(chapter=1, minutes=3)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    versions = r"gan_teach \S+ · torch \S+ · ipywidgets \S+"
    assert re.match(rf"Chapter 1 · {versions} · .+ · Run All ≈ 3 min", line)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is asked of the C library")
def test_after_a_cell_freed_memory_goes_back():
    code = """
        import os, torch
        from pathlib import Path
        from gan_teach.lessons import setup

        def held():
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

        start = held()
        many = [torch.ones(16_000) for _ in range(1600)]                # 98 MB in blocks that glibc keeps
        last, many = many[-1], None                                     # ... below one that is still in use
        kept = held()
        setup.after_cell(None)
        assert last.sum() == 16_000
        print(start, kept, held())
    """
    # a process of its own: one that has freed much before has room for all of it
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    start, kept, after = map(float, said.stdout.split())
    assert kept > start + 60, f"{start:.0f} → {kept:.0f} MB: glibc gives such blocks back by itself"
    assert after < start + 30


def test_the_banner_reports_the_device_that_was_asked_for(capsys, monkeypatch):
    from gan_teach.lessons.setup import banner
    monkeypatch.setenv("GAN_TEACH_DEVICE", "cpu")
    banner(chapter=1, minutes=3)
    assert f"cpu ({torch.get_num_threads()} thread" in capsys.readouterr().out


def test_the_quiz_gives_the_reason_and_counts():
    from gan_teach.widgets.quiz import quiz
    box = quiz(questions.CHAPTER_1)
    *asked, score = box.children
    assert "0 of 5" in score.value
    for question, box in zip(questions.CHAPTER_1, asked, strict=True):
        _, radio, reason = box.children
        assert radio.index is None and reason.value == ""
        radio.index = (question.right + 1) % len(question.answers)
        assert "Not quite" in reason.value
        radio.index = question.right
        assert "Right" in reason.value
    assert "5 of 5" in score.value
