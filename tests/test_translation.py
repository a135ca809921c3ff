"""Every language is whole: notebooks, the strings of panels and checks, and how a language is chosen."""

import argparse
import ast
import json
import re
import string
from types import SimpleNamespace

import pytest
import torch
import translate
from translate import DATA, LANGUAGES, NOTEBOOKS, ROOT

from gan_teach import __main__, checkpoints, language, load
from gan_teach.dissection.units import check_units
from gan_teach.lessons import errors, notebooks
from gan_teach.runner import Runner
from gan_teach.networks.layers import whole
from gan_teach.networks.protocols import check_images, check_name
from gan_teach.worlds import datasets

CHAPTERS = [(name, chapter) for name in LANGUAGES for chapter in translate.chapters()]


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


# ------------------------------------------------------------------------------------------ notebooks

@pytest.mark.parametrize(("name", "chapter"), CHAPTERS)
def test_every_cell_of_a_chapter_is_translated_as_it_now_stands(name, chapter):
    assert not translate.to_do(name, chapter), "translate these, or see `python tests/translate.py --skeleton`"


@pytest.mark.parametrize(("name", "chapter"), CHAPTERS)
def test_a_notebook_is_what_the_command_writes(name, chapter):
    path = NOTEBOOKS / name / f"{chapter}.ipynb"
    assert path.read_text("utf-8") == translate.page(translate.rendered(name, chapter)), "python tests/translate.py"


@pytest.mark.parametrize(("name", "chapter"), CHAPTERS)
def test_both_editions_have_the_same_code_ids_and_pictures(name, chapter):
    nbformat = pytest.importorskip("nbformat")
    here, theirs = NOTEBOOKS / name / f"{chapter}.ipynb", NOTEBOOKS / f"{chapter}.ipynb"
    nbformat.validate(nbformat.read(here, as_version=4))
    first, *code = cells(here, "code")
    first["source"] = "".join(first["source"]).replace(f', language="{name}")', ")").splitlines(keepends=True)
    assert [first, *code] == cells(theirs, "code")                          # so only one of them is run
    ours, english = (cells(path, "markdown") for path in (here, theirs))
    assert [(c["id"], c["metadata"]) for c in ours] == [(c["id"], c["metadata"]) for c in english]
    for one, other in zip(ours, english, strict=True):
        text, source = "".join(one["source"]), "".join(other["source"])
        assert len(DATA.findall(text)) == len(DATA.findall(source))
        assert len(re.findall(r'<img [^>]*alt="[^"]{9,}"', text)) == len(re.findall(r"<img ", source)), "an alt text"
        for link in translate.LINK.findall(text):
            assert (here.parent / link).exists(), link


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_title_leads_to_its_own_notebook_on_colab_and_to_the_english_one(name):
    for chapter in translate.chapters():
        title = "".join(cells(NOTEBOOKS / name / f"{chapter}.ipynb", "markdown")[0]["source"])
        assert f"/blob/main/notebooks/{name}/{chapter}.ipynb)" in title
        assert f"[English](../{chapter}.ipynb)" in title


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_page_for_instructors_has_the_same_sections_and_commands(name):
    def plain(page):
        text = page.read_text("utf-8")
        blocks = [re.sub(" +#.*", "", block) for block in re.findall(r"(?s)```bash\n(.*?)```", text)]
        inline = set(re.findall(r"`((?:gan-teach|python|jupyter|--|c\.)[^`]*)`", text))
        return len(re.findall("(?m)^## ", text)), blocks, inline

    assert plain(NOTEBOOKS / name / "TEACHING.md") == plain(NOTEBOOKS / "TEACHING.md")


def test_a_changed_a_new_and_a_lost_cell_are_told(tmp_path, monkeypatch):
    chapter = {"cells": [{"cell_type": "markdown", "id": i, "metadata": {}, "source": s} for i, s in
                         (("a", "One."), ("b", 'Two <img src="data:xy">'), ("c", "See [x](00_x.ipynb), [y](Y.md)"))],
               "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    monkeypatch.setattr(translate, "NOTEBOOKS", tmp_path)
    (tmp_path / "zh").mkdir()
    (tmp_path / "00_x.ipynb").write_text(translate.page(chapter), "utf-8")
    assert [line.rpartition(" ")[2] for line in translate.to_do("zh", "00_x")] == ["missing"] * 3
    (tmp_path / "zh" / "00_x.md").write_text(translate.skeleton("zh", "00_x"), "utf-8")
    written = (tmp_path / "zh" / "00_x.md").read_text("utf-8")
    assert written.count(" missing -->") == 3
    done = iter(["一。", '二 <img src="data:">', "见 [x](00_x.ipynb)、[y](Y.md)"])
    written = re.sub(r" missing -->\n", lambda _: f" -->\n{next(done)}\n", written)
    (tmp_path / "zh" / "00_x.md").write_text(written, "utf-8")
    assert translate.to_do("zh", "00_x") == []
    assert [cell["source"] for cell in translate.rendered("zh", "00_x")["cells"]] == [
        "一。", '二 <img src="data:xy">', "见 [x](00_x.ipynb)、[y](../Y.md)"]

    chapter["cells"][0]["source"] = "Once."
    chapter["cells"][1]["id"] = "d"
    (tmp_path / "00_x.ipynb").write_text(translate.page(chapter), "utf-8")
    assert [line.split("cell ")[1] for line in translate.to_do("zh", "00_x")] == [
        "a is stale", "d is missing", "b any more"]
    assert translate.skeleton("zh", "00_x").count(" stale -->\n一。") == 1


@pytest.mark.parametrize(("asked", "code", "said"), [
    (["--help"], 0, "--skeleton"), (["--skeletons"], 2, "unrecognized"), (["zh"], 2, "unrecognized")])
def test_help_and_a_wrong_word_write_nothing(monkeypatch, capsys, asked, code, said):
    monkeypatch.setattr(translate.Path, "write_text", lambda *_: pytest.fail("it wrote"))
    with pytest.raises(SystemExit) as left:
        translate.main(asked)
    assert left.value.code == code
    assert said in "".join(capsys.readouterr())


def test_the_address_of_the_repository_makes_no_cell_stale():
    title = translate.english("00_warm_up")["cells"][0]["source"]
    assert translate.digest(title.replace("OWNER/gan-teach", "someone/fork")) == translate.digest(title)
    assert translate.digest(title + " ") != translate.digest(title)


def test_a_copy_beside_the_reader_has_every_edition(tmp_path):
    copied, kept = notebooks.copy(tmp_path)
    assert {f"{name}/{chapter}.ipynb" for name, chapter in CHAPTERS} < {*copied} and not kept
    (tmp_path / "zh" / "00_warm_up.ipynb").write_text("mine")
    assert notebooks.copy(tmp_path) == ([], ["zh/00_warm_up.ipynb"])


# ------------------------------------------------------------------------------------------ strings

@pytest.mark.parametrize("name", LANGUAGES)
def test_every_string_is_translated_and_none_is_left_over(name):
    there = language.catalogue(language.FOLDER / f"{name}.po")
    there.pop("")
    assert not translate.missing(name)
    assert not there.keys() - translate.strings().keys(), "python tests/translate.py takes them out"
    assert (language.FOLDER / f"{name}.po").read_text("utf-8") == translate.po(name)


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_translation_formats_the_same_values(name):
    for text, translated in language.catalogue(language.FOLDER / f"{name}.po").items():
        fields = [sorted(field for _, field, *_ in string.Formatter().parse(t) if field) for t in (text, translated)]
        if translate.PLACES.search(text) and text:
            assert fields[0] == fields[1], text
        assert len({tuple(sorted(re.findall(r"%\(\w+\)[sr]|%[sr]", t))) for t in (text, translated)}) == 1, text


def test_a_term_of_the_table_has_no_rival_in_any_text():
    table = (NOTEBOOKS / "zh" / "TERMS.md").read_text("utf-8")
    _, _, *rows = re.search(r"(?s)\n(\| 用 \| 不用 \|.*?)\n\n", table)[1].splitlines()
    rivals = {rival: term for term, row in (row.strip("| ").split(" | ") for row in rows) for rival in row.split("、")}
    assert rivals["样式"] == "风格" and len(rivals) > 50
    texts = {path.name: path.read_text("utf-8") for path in NOTEBOOKS.glob("zh/*.md") if path.name != "TERMS.md"}
    texts["zh.po"] = "\n".join(language.catalogue(language.FOLDER / "zh.po").values())
    assert len(texts) > 10
    assert not [f"{name}: {rival}; the table says {term}" for name, text in texts.items()
                for rival, term in rivals.items() if rival in text]


def test_a_po_file_is_read_as_gettext_writes_it(tmp_path):
    path = tmp_path / "xx.po"
    path.write_text('# note\nmsgid ""\nmsgstr ""\n"Language: xx\\n"\n\n#: a.py\nmsgid "One \\"u\\"."\nmsgstr ""\n'
                    '"Eins "\n"\\"u\\".\\n"\n\nmsgid "Two"\nmsgstr ""\n', "utf-8")
    assert language.catalogue(path) == {"": "Language: xx\n", 'One "u".': 'Eins "u".\n', "Two": ""}
    quoted = translate.quoted("msgid", 'a "b"\nc\\d\n')
    path.write_text(f"{quoted}\nmsgstr \"x\"\n", "utf-8")
    assert language.catalogue(path)['a "b"\nc\\d\n'] == "x"


def test_the_language_is_the_environments_or_the_folders(monkeypatch, tmp_path):
    folder = tmp_path / "notebooks" / "zh"
    folder.mkdir(parents=True)
    monkeypatch.delenv("GAN_TEACH_LANG", raising=False)
    monkeypatch.chdir(tmp_path)
    assert language.preferred() == "en"
    monkeypatch.chdir(folder)
    assert language.preferred() == "zh"
    for given, chosen in (("en", "en"), ("zh_CN.UTF-8", "zh"), ("zh-Hans", "zh"), ("ZH", "zh"), ("tlh", "en")):
        monkeypatch.setenv("GAN_TEACH_LANG", given)
        assert language.preferred() == chosen
    with pytest.raises(ValueError, match="no language 'tlh'; there are: en, zh"):
        language.use("tlh")


def test_what_is_missing_stays_english(monkeypatch):
    monkeypatch.setattr(language, "_texts", {"{n} units": "{n} 个单元", "empty": ""})
    assert [language.say("{n} units", n=3), language.say("empty"), language.say("{x}")] == ["3 个单元", "empty", "{x}"]


def test_what_is_on_charts_in_tables_of_pictures_and_in_errors_is_found():
    cell = """rows, word = [], "kept for later"
for name, look in zip(("first word", "second word"), ("tab:orange", "--")):
    ax.plot(x, "solid line", label=f"{name}: {x[0]:.2f} of {n}")
    names.append([f"unit {u}"])
    print("printed", kinds["looked up"], name == "compared")
words["written under"] = load("a file")
ax.set(title="a title", xlabel="x", yscale="log")
chart(figure, "what there is to see")"""
    assert sorted(translate.plotted(ast.parse(cell))) == [
        "a title", "first word", "kept for later", "second word", "unit {u}", "what there is to see", "written under",
        "{name}: {value} of {n}"]
    error = """def f(x):
    hint = f"did you mean {x}?" if x else ""
    other = "not in the error"
    check_finite("the points", x)
    raise ValueError(f"no {x.name!r:.60} of {len(x)}, {x.name}; {hint}" if x else "there is none")"""
    assert sorted(translate.raised(ast.parse(error).body[0])) == [
        "did you mean {x}?", "no {value} of {value2}, {value}; {hint}", "the points", "there is none"]


@pytest.mark.parametrize(("text", "said"), [
    ("unit 12", "单元 12"), ("tree 8", "树 8"), ("least_squares", "最小二乘"), ("seed", "种子"), ("ψ = 0.7", "ψ = 0.7"),
    ("top 1 %: unit 7, IoU 0.31", "最高的 1 %：单元 7，IoU 0.31"), ("one mode +0.43 ★", "一个模式 +0.43 ★"),
    ("spot on wall", "小块在墙上"), ("spot on roof", "小块在屋顶上"), ("a reader's own words", "a reader's own words"),
    ("least squares: 9 of 25 (paper: 20)", "最小二乘：25 个中的 9 个（论文：20）"),
    ("cut in Z, fresh points  ", "在 Z 中切开，没见过的点\u3000\u3000 "),     # spaces belong to no value
    ("became wall, random  ", "变成墙，随机" + 11 * " ")])  # a text with a comma is no list of names
def test_a_text_that_is_made_already_is_told_by_its_template(spoken, text, said):
    assert language.told(text) == said
    language.use("en")
    assert language.told(text) == text


def test_the_languages_are_in_the_package():
    assert LANGUAGES == ["zh"] and (ROOT / "notebooks" / "zh" / "TERMS.md").exists()


# ------------------------------------------------------------------------------------------ said to a reader

def test_a_check_a_hint_and_the_words_are_chinese(spoken, capsys):
    from gan_teach.lessons import checks, words

    checks.check_iou(lambda u, c: (u & c).sum() / u.sum())
    checks.hint("iou", 3)
    checks.check_ablate(lambda r, units: ...)
    checks.check_ablate(lambda r, units: r)
    wrong, hint, open_, same = capsys.readouterr().out.splitlines()
    assert wrong.startswith("✗ 数值：这两个掩码有 4 个公共像素") and wrong.endswith("这是|u∩c| / |u|。")
    assert hint.startswith("提示 3（共 3 条）：") and "还没有开始" in open_ and same.startswith("✗ 数值：这些单元")
    assert "| 潜变量 |" in words.signs().markdown and "| 弗雷歇距离 |" in words.words().markdown


def test_a_quiz_is_chinese_and_its_record_is_not(spoken, monkeypatch):
    from gan_teach.lessons import progress, questions
    from gan_teach.widgets.quiz import quiz

    kept = []
    monkeypatch.setattr(progress, "record", lambda *what: kept.append(what))
    text, radio, reason = quiz(questions.CHAPTER_2).children[0].children
    radio.index = 1
    assert "AdaIN 给它风格" in text.value and radio.options[1] == "−1 和 3"
    assert reason.value.startswith("<b>✓ 对了。</b>")
    assert kept == [("quiz", questions.CHAPTER_2[0].text, True)]            # the same in every language


def test_the_banner_looks_the_language_up_anew(monkeypatch, capsys):
    from gan_teach.lessons import setup

    monkeypatch.setattr(setup.progress, "begin", lambda chapter: None)
    try:
        monkeypatch.setenv("GAN_TEACH_LANG", "zh")
        setup.banner(2, 2)
        assert capsys.readouterr().out.startswith("第 2 章 · gan_teach ")
    finally:
        monkeypatch.undo()
        language.use("en")


@pytest.mark.parametrize("name", LANGUAGES)
def test_an_edition_that_is_opened_alone_speaks_its_language(name, monkeypatch, tmp_path, capsys):
    """As on Colab, or copied elsewhere: no folder says the language. What the reader asks for comes first."""
    transform = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager().transform_cell
    first = transform("".join(cells(NOTEBOOKS / name / "02_stylegan.ipynb", "code")[0]["source"]))
    monkeypatch.chdir(tmp_path)
    try:
        monkeypatch.delenv("GAN_TEACH_LANG")
        language.use()
        exec(first, {})
        assert language.current() == name and not capsys.readouterr().out.startswith("Chapter 2")
        language.use("en")
        exec(first, {})
        assert capsys.readouterr().out.startswith("Chapter 2 · gan_teach ")
    finally:
        monkeypatch.undo()
        language.use("en")


MISTAKES = {
    "没有类别 'treee'（你要的是不是 'tree'？）；现有的是：tree, sky":
        lambda: check_name("class", "treee", ("tree", "sky")),
    "没有单元 99；这一层的单元是 0 到 63": lambda: check_units([99], 64),
    "种子必须是 0 到 9 的整数；现在是 -1": lambda: whole("seed", -1, most=9),
    "要打标签的图片必须是 [-1, 1] 内的浮点张量 N×3×H×W；现在是 torch.float32 张量 (3, 4)":
        lambda: check_images(torch.rand(3, 4), "the pictures to label"),
    "没有章节 '77'；现有的是：": lambda: notebooks.find(77),
    "没有随附的检查点 'scene-progan'（你要的是不是 'scenes-progan'？）；现有的是："
    f"{', '.join(checkpoints.shipped())}，也可以给出文件的路径": lambda: load("scene-progan"),
    "没有文件 nowhere/x.safetensors；随书附带的检查点有：": lambda: load("nowhere/x.safetensors"),
    "没有文件夹 nowhere/pictures；": lambda: datasets.pictures("nowhere/pictures"),
    "没有语言 'tlh'；现有的是：en, zh": lambda: language.use("tlh")}


@pytest.mark.parametrize("said", MISTAKES)
def test_an_error_of_a_learner_is_told_below_the_traceback(spoken, capsys, said):
    with pytest.raises((ValueError, FileNotFoundError)) as raised:
        MISTAKES[said]()
    assert str(raised.value).isascii() or "×" in str(raised.value)         # the exception itself stays English
    errors.after_cell(SimpleNamespace(error_in_exec=raised.value))
    assert capsys.readouterr().err.startswith(said)


def test_an_interrupt_says_that_a_panel_plays_on(spoken, capsys):
    runner = Runner(lambda: None, interval=60)
    for plays, said in ((True, "面板还在继续播放：按它的“暂停”按钮才会停下。\n"), (False, "")):
        runner.play() if plays else runner.close()
        errors.after_cell(SimpleNamespace(error_in_exec=KeyboardInterrupt()))
        assert capsys.readouterr().err == said


def test_below_a_missing_name_stands_where_it_may_come_from(spoken, capsys):
    for lingua, said in (("zh", "side 可能"), ("en", "Perhaps side is made by a cell further up")):
        language.use(lingua)
        with pytest.raises(NameError) as raised:
            eval("side + 1")
        errors.after_cell(SimpleNamespace(error_in_exec=raised.value))
        assert capsys.readouterr().err.startswith(said)


def test_nothing_is_said_below_a_foreign_error_or_in_english(spoken, capsys):
    errors.after_cell(SimpleNamespace(error_in_exec=None))
    errors.after_cell(SimpleNamespace(error_in_exec=KeyError("the reader's own")))
    language.use("en")
    errors.after_cell(SimpleNamespace(error_in_exec=ValueError("no unit 99; this layer has units 0 to 63")))
    assert capsys.readouterr().err == ""


def test_a_panel_tells_an_error_in_chinese(spoken):
    from gan_teach.widgets.egan.mutations import MutationRenderer, MutationState

    renderer = MutationRenderer()
    renderer.mutations = (lambda logits: logits,)
    assert "变异 '<lambda>' 给出了torch.float32 张量 (1,)；" in renderer.render(MutationState()).error


def test_tables_and_captions_are_chinese(spoken):
    from matplotlib import pyplot

    from gan_teach.pictures import chart, show

    two, alt = [[torch.zeros(3, 4, 4)] * 2], "twelve generated villages from seed 3"
    shown = show(two, titles=["unit 3", "destination"], alt=alt)
    assert ">单元 3<" in shown.html and ">目标<" in shown.html and shown.alt == "种子 3 生成的十二个村庄"
    assert 'alt="种子 3 生成的十二个村庄（第 1 行，第 2 列）"' in shown.html
    assert chart(pyplot.figure(), alt).alt == shown.alt


def test_the_command_line_is_chinese(spoken, monkeypatch, capsys):
    monkeypatch.setenv("GAN_TEACH_LANG", "zh")
    monkeypatch.setattr(argparse, "_", argparse._)
    for command in ([], ["train"], ["evolve"], ["dissect"], ["demo"], ["lab"], ["notes"], ["progress"], ["address"],
                    ["site"], ["fetch"], ["compare"], ["list"]):
        with pytest.raises(SystemExit) as ended:
            __main__.main([*command, "--help"])
        page = capsys.readouterr().out
        assert ended.value.code == 0 and page.startswith("用法：gan-teach") and "显示这段帮助，然后退出" in page
        prose = re.sub(r"\{[^{}]*\}|\([^()]*\)|--?\w[\w-]*( [A-Z]+)?|\[[^\[\]]*\]", "", page)
        assert not re.search(r"\b(the|of|for|this|show|and|which|where)\b", prose), command
    for wrong, said in ((["train", "nope"], "gan-teach train：错误：参数 name：没有 'nope' 这一项"),
                        (["evolve", "x", "--images", "0"], "请给一个不小于 1 的整数，而不是 '0'"),
                        (["demo"], "还需要这些参数：name"), (["list", "--more"], "不认识的参数：--more"),
                        (["train", "scenes-egan", "--out"], "后面要跟一个参数")):
        with pytest.raises(SystemExit) as ended:
            __main__.main(wrong)
        assert ended.value.code == 2 and said in capsys.readouterr().err
    assert __main__.main(["notes", "77"]) == 1 and "没有章节 '77'" in capsys.readouterr().err


def everything(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def wide(text: str, size: float = 13) -> float:
    """About how many pixels a text takes: a Chinese sign is as wide as it is high."""
    return sum(size if ord(sign) > 0x2e7f else 0.62 * size for sign in text)


@pytest.mark.parametrize("name", ["mutations", "evolution", "warm_up"])
def test_the_words_of_a_panel_fit_their_places(spoken, name):
    import ipywidgets as widgets

    from gan_teach.widgets.egan import evolution, mutations, warm_up

    panel = {"mutations": mutations.MutationPanel, "evolution": evolution.EvolutionLab,
             "warm_up": warm_up.WarmUpPanel}[name]()
    whole, seen = list(everything(panel.widget)), 0
    assert any("变异" in getattr(one, "value", "") or "重置" == getattr(one, "description", "") for one in whole
               if isinstance(getattr(one, "value", ""), str))
    for one in whole:
        words, width = getattr(one, "description", ""), one.layout.width or ""
        if isinstance(one, widgets.Button) and words and width.endswith("px"):
            assert wide(words) + 20 <= int(width[:-2]), (words, width)
            seen += 1
        label = getattr(getattr(one, "style", None), "description_width", None) or ""
        if words and label.endswith("px") and label != "0px":
            assert wide(words) <= int(label[:-2]) + 1, (words, label)
    assert seen or name == "mutations"
