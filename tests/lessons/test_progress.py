"""What a reader has done: kept in their own file, through a reset, and never in the way."""

import json
import os
import sys
from types import SimpleNamespace

import pytest

from gan_teach.dissection import intervention
from gan_teach.lessons import checks, notebooks, progress, questions, setup
from gan_teach.widgets.quiz import quiz


class Shell:
    """The parts of IPython that are asked: events, with their functions, and what cells' code passes through."""

    def __init__(self):
        self.ast_transformers = []
        self.events = SimpleNamespace(callbacks={"post_run_cell": []}, register=self.register)

    def register(self, event, function):
        self.events.callbacks[event].append(function)

    def ran(self, source, success=True):
        for function in self.events.callbacks["post_run_cell"]:
            function(SimpleNamespace(info=SimpleNamespace(raw_cell=source), success=success, error_in_exec=None))


@pytest.fixture
def shell(monkeypatch, tmp_path):
    """A notebook's kernel in a folder of its own, no chapter begun yet."""
    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GAN_TEACH_PROGRESS")
    for name, value in (("_chapter", None), ("_sections", {}), ("_told", set())):
        monkeypatch.setattr(progress, name, value)
    return shell


def code(chapter, ident):
    return next(cell["source"] for cell in notebooks.read(chapter) if cell["id"] == ident)


def test_sections_exercises_and_answers_are_kept(shell, tmp_path, capsys):
    setup.banner(1, 2)
    setup.banner(1, 2)                                                  # run twice: heard once
    assert len(shell.events.callbacks["post_run_cell"]) == 3                # progress, errors, memory, each once
    shell.ran(code(1, "load"))
    shell.ran(code(1, "load") + "\n")
    shell.ran(code(1, "naive"), success=False)
    shell.ran(code(1, "remove") + "# altered")
    shell.ran(code(1, "dissect"))
    checks.check_ablate(intervention.ablate)
    checks.check_iou(lambda u, c: 0.5)
    first, second, *_ = quiz(questions.CHAPTER_1).children
    first.children[1].index = (questions.CHAPTER_1[0].right + 1) % 2
    second.children[1].index = questions.CHAPTER_1[1].right
    kept = json.loads((tmp_path / progress.NAME).read_text("utf-8"))
    assert kept == {"01": {"sections": ["1", "5"], "exercises": ["ablate"],
                           "quiz": {questions.CHAPTER_1[0].text: False, questions.CHAPTER_1[1].text: True}}}
    capsys.readouterr()
    progress.show()
    head, row, where = capsys.readouterr().out.splitlines()
    assert row.split()[:4] == ["01", "2", "of", "10"] and "1 right of 2 answered" in row
    assert where.endswith(progress.NAME)


def test_a_reset_goes_on_from_a_folder_that_stays(shell, tmp_path, monkeypatch):
    drive = tmp_path / "drive"
    drive.mkdir()
    monkeypatch.setenv("GAN_TEACH_PROGRESS", str(drive))
    setup.banner("1b", 2)
    progress.record("exercises", "threshold")
    monkeypatch.setattr(progress, "_chapter", None)                     # the runtime is reset
    setup.banner(0, 1)
    progress.record("exercises", "loss_d")
    assert {chapter: done["exercises"] for chapter, done in progress.read().items()} == {"01b": ["threshold"],
                                                                                        "00": ["loss_d"]}
    assert [path.name for path in drive.iterdir()] == [progress.NAME]
    monkeypatch.setenv("GAN_TEACH_PROGRESS", str(drive / "mine.json"))
    assert progress.read() == {} and progress.path().name == "mine.json"


def test_nothing_is_kept_before_a_banner_nor_when_it_is_off(shell, tmp_path, monkeypatch, capsys):
    progress.record("exercises", "ablate")
    monkeypatch.setenv("GAN_TEACH_PROGRESS", "off")
    setup.banner(1, 2)
    progress.record("exercises", "ablate")
    assert list(tmp_path.iterdir()) == []
    progress.show()
    assert "off" in capsys.readouterr().out


def test_a_file_that_cannot_be_used_is_told_once_and_left_alone(shell, tmp_path, capsys):
    (tmp_path / progress.NAME).write_text("[1]")
    setup.banner(1, 2)
    capsys.readouterr()
    progress.record("exercises", "ablate")
    progress.record("exercises", "iou")
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "not kept" in said and "rename it" in said
    assert (tmp_path / progress.NAME).read_text() == "[1]"


def test_a_folder_that_is_not_there_is_made_and_one_that_cannot_be_is_told(shell, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GAN_TEACH_PROGRESS", str(tmp_path / "new" / "folder"))
    setup.banner(1, 2)
    progress.record("exercises", "iou")
    assert progress.read()["01"]["exercises"] == ["iou"]
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("GAN_TEACH_PROGRESS", str(tmp_path / "a file"))
    capsys.readouterr()
    progress.record("exercises", "iou")
    assert "not kept" in capsys.readouterr().out


def test_the_sections_of_every_chapter_are_found():
    for chapter in notebooks.chapters():
        numbers = sorted({int(number) for number in progress.sections(chapter).values() if number})
        assert numbers[0] == 1 and len(numbers) > 2, chapter
    assert {*progress.sections(1).values()} == {"", *map(str, range(1, 11))}


@pytest.mark.parametrize("text", [
    '{"01": {}}', '{"01": {"sections": 5, "exercises": [], "quiz": {}}}', "[]", "[" * 100_000, "",
    '{"01": {"sections": [], "exercises": [], "quiz": []}}', '{"01": {"sections": [[]], "exercises": [], "quiz": {}}}',
    '{"01": {"sections": [], "exercises": [], "quiz": {"a": "x"}}}', None])
def test_a_damaged_record_is_told_once_and_never_in_the_way(shell, tmp_path, capsys, text):
    place = tmp_path / progress.NAME
    if text is not None:
        place.write_text(text)
    elif hasattr(os, "mkfifo"):
        os.mkfifo(place)                                                # to read it would wait for ever
    else:
        pytest.skip("no named pipes")
    setup.banner(1, 2)
    capsys.readouterr()
    for what, name, value in (("sections", "1", None), ("exercises", "iou", None), ("quiz", "a", True)):
        progress.record(what, name, value)
    assert capsys.readouterr().out.count("your progress is not kept: ") == 1
    with pytest.raises(ValueError, match=f"{progress.NAME} is not a record of progress: rename it"):
        progress.show()
