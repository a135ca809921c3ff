"""An instructor's notes, made from the notebook: from cells' metadata, and without it from what the reader sees."""

import re

import pytest

from gan_teach import language
from gan_teach.__main__ import main
from gan_teach.lessons import notebooks, notes


def cell(source, kind="markdown", **given):
    return {"id": "x", "cell_type": kind, "source": source, "metadata": {"gan_teach": given} if given else {}}


def test_a_section_takes_what_its_cells_say():
    found = notes.sections([
        cell("# Title", minutes=2, path=True),
        cell("## 1. One\n\nText. **Predict:** will it\nrain?\n\n<details><summary>Answer</summary>It will.</details>"),
        cell("...", "code", minutes=3, mistakes="They forget."),
        cell("So it did.\n\n## 2. Two\n\n**Exercise 1.** Write it.\n\n## Reading", minutes=4, path=True,
             answer="A line.")])
    opening, one, two, reading = found
    assert (opening.title, opening.minutes, opening.path) == ("Opening", 2, 2)
    assert (one.title, one.minutes, one.path) == ("1. One", 3, 0)
    assert one.questions == ["**Predict:** will it\nrain?"] and one.answer == ["It will."]
    assert one.mistakes == ["They forget."]
    assert (two.minutes, two.path, two.answer, two.questions) == (4, 4, ["A line."], ["**Exercise 1.** Write it."])
    assert reading == notes.Section("Reading")


def test_a_key_that_nobody_reads_is_refused():
    with pytest.raises(ValueError, match="nobody reads: minute$"):
        notes.sections([cell("# Title", minute=2)])


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_every_chapter_has_notes(chapter):
    text = notes.notes(chapter)
    assert "\n## " in text and "  asks " in text and all(len(line) <= 100 for line in text.splitlines())


def test_an_answer_of_several_paragraphs_belongs_to_the_section_above_it():
    one, two = notes.sections([
        cell("## 1. One\n\n**Predict:** rain?", minutes=6, path=True),
        cell("<details><summary><b>Answer</b></summary>\n\nYes.\n\nAt **noon**.\n\n</details>\n\n## 2. Two\n\nText."),
        cell("More.", minutes=2, path=True), cell("", "code", minutes=5)])[1:]
    assert one.answer == ["Yes.\n\nAt **noon**."] and (one.minutes, one.path) == (6, 6)
    assert two.answer == [] and (two.minutes, two.path) == (7, 2)


def test_a_question_goes_on_after_a_colon_and_a_picture_is_what_it_shows():
    section = notes.sections([cell("## 1. One\n\n**Exercise 1.** Write *it*. What comes out:\n\n"
                                   '<img alt="A &lt; B" src="data:image/svg+xml;base64,AAAA">\n\nMore.')])[1]
    assert section.said()[0][1] == "**Exercise 1.** Write *it*. What comes out: [A < B]"
    assert notes.EMPHASIS.sub(r"\1", section.said()[0][1]) == "Exercise 1. Write it. What comes out: [A < B]"
    assert notes.EMPHASIS.sub(r"\1", "2 * 3 * 4") == "2 * 3 * 4"
    assert "$y_s$" in str(notebooks.read("02")) and "$y_s$" not in notes.notes("02")
    assert notes.line("**先猜一猜：** 偶然") == "**先猜一猜：**偶然"


def test_a_formula_is_read_by_its_name_or_its_signs():
    section = notes.sections([cell("## 1. One\n\n<details><summary>Eq. 6</summary>\n\n$$a^*=\\arg\n\\min b,$$\n\n"
                                   "with $r_{U,P} \\leftarrow P\\,\\alpha$.</details>\n\n**Predict:** at $y_s$?")])[1]
    assert [text for _, text in section.said()] == ["**Predict:** at y_s?", "Eq. 6 with r_U,P ← P α."]
    assert notes.line("So: $$a$$") == "So: …"


@pytest.mark.parametrize("name", ["en", "zh"])
@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_no_teacher_reads_tex(chapter, name):
    language.use(name)
    try:
        text = notes.notes(chapter)
    finally:
        language.use("en")
    assert not re.findall(r".*[$\\].*", text)
    assert not re.findall("[\u2e80-\uffef] [\u2e80-\uffef]", re.sub("(?m)^  .{0,10}", "", text))


def test_what_is_for_home_is_counted_apart():
    cells = [cell("# T"), cell("## 1. One", minutes=70, path=True), cell("## 2. Two · 5 minutes, for home", minutes=5)]
    assert notes.heads("t.ipynb", cells, notes.sections(cells))[1] == \
        "t.ipynb: 70 minutes, 70 of them on the path of 50; 5 more for home."


# what a chapter's first cell promises, in all and in class
MINUTES = {"00": 64, "01": 78, "01b": 91, "02": 75, "02b": 75, "03": 75, "03b": 75, "04": 60}


@pytest.mark.parametrize("chapter", notebooks.chapters())
def test_the_notes_are_complete(chapter):
    found = notes.sections(notebooks.read(chapter))
    untimed = {re.sub(r"^\d.*", "a section", s.title) for s in found if not s.minutes}
    untimed -= {"a section"} if chapter == "04" else set()                # "Your turn" is for home
    assert untimed <= {"Opening", "Summary", "Reading", "What you have done"}
    assert sum(s.minutes for s in found) == MINUTES[chapter]
    assert 45 <= sum(s.path for s in found) <= notes.PATH_MINUTES
    assert all(s.answer for s in found if s.questions)
    assert all(s.mistakes for s in found if s.title[0].isdigit() and s.minutes != 1)


@pytest.mark.parametrize("chapter", notebooks.chapters())
@pytest.mark.parametrize("language, word", [("en", "**Pair.**"), ("zh", "**两人一组。**")])
def test_a_chapter_has_one_task_for_two(chapter, language, word):
    asked = [question for s in notes.sections(notebooks.read(chapter, language)) for question in s.questions]
    assert sum(question.startswith(word) for question in asked) == 1


def test_the_command_prints_them_and_names_the_chapters_there_are(capsys):
    assert main(["notes", "1"]) == 0
    said = capsys.readouterr().out
    assert "on the path" in said and "expect" in said and "mistakes" in said
    assert main(["notes", "3"]) == 0 and "14 of them on the path" in capsys.readouterr().out
    assert main(["notes", "17"]) == 1
    assert "there are: 00, 01" in capsys.readouterr().err
