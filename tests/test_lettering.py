"""Charts in the reader's language where a font can write it, and English, never empty boxes, where none can."""

import dataclasses
import io
import warnings
from pathlib import Path

import matplotlib
import pytest
import torch
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

from gan_teach import checkpoints, lettering
from gan_teach.capstone import StyleEffects, effects_figure
from gan_teach.dissection.figures import layer_figure
from gan_teach.egan import figures, heuristic, least_squares, minimax, rivals
from gan_teach.egan.fitness_and_selection import Fitness
from gan_teach.egan.plane import start
from gan_teach.egan.settings import Settings
from gan_teach.recipes.growing import curve_figure
from gan_teach.worlds import gaussians

BROUGHT = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
LATIN, ALL = BROUGHT / "DejaVuSans.ttf", BROUGHT / "LastResortHE-Regular.ttf"   # the second draws a frame for any sign


@pytest.fixture
def fonts(monkeypatch):
    """A function that makes this computer's fonts these: name -> file, beside matplotlib's own."""
    manager = font_manager.fontManager
    own = [entry for entry in manager.ttflist if entry.name == "DejaVu Sans"]

    def have(**there):
        fakes = [font_manager.FontEntry(fname=str(file), name=name.replace("_", " "), style="normal", variant="normal",
                                        weight=400, stretch="normal", size="scalable") for name, file in there.items()]
        monkeypatch.setattr(manager, "ttflist", [*own, *fakes])
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda *args, **options: [])
        manager._findfont_cached.cache_clear()

    yield have
    monkeypatch.undo()
    manager._findfont_cached.cache_clear()


def drawn() -> Figure:
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    ax.plot([0, 1], [1, 0], label="12 random units at 0")
    ax.set(title="unit 12", ylabel="pixels left, %", xlabel="my own words")
    ax.set_xticks([0, 1], ["tree", "sky"], rotation=30)
    ax.text(0.5, 0.5, "15 of 64; 3 classes")
    ax.legend()
    return figure


def words(figure: Figure) -> set[str]:
    figure.canvas.draw()
    return {text.get_text() for text in figure.findobj(Text) if any(map(str.isalpha, text.get_text()))}


ENGLISH = {"12 random units at 0", "unit 12", "pixels left, %", "my own words", "tree", "sky", "15 of 64; 3 classes"}
CHINESE = {"12 个随机单元设为 0", "单元 12", "剩下的像素，%", "my own words", "树", "天空", "15/64；3 个类别"}


def test_with_a_font_a_chart_speaks_chinese(spoken, fonts):
    fonts(Noto_Sans_CJK_SC=ALL)
    figure = drawn()
    assert lettering.letter(figure) and words(figure) == CHINESE
    families = {text.get_text(): text.get_fontfamily() for text in figure.findobj(Text)}
    assert families["单元 12"] == families["树"] == ["Noto Sans CJK SC", "DejaVu Sans"]
    assert families["my own words"] == matplotlib.rcParams["font.family"]
    assert {text.get_rotation() for text in figure.axes[0].get_xticklabels()} == {30}
    assert not lettering.letter(figure)                                     # a second time nothing is left to do


@pytest.mark.parametrize("there", [{}, {"SimHei": LATIN}, {"Some_Other_Font": ALL}],
                         ids=["no font", "one that lacks the signs", "none of the known"])
def test_without_a_font_it_stays_english_and_has_no_boxes(spoken, fonts, there):
    fonts(**there)
    figure = drawn()
    with warnings.catch_warnings():
        warnings.simplefilter("error")                                      # of a missing glyph matplotlib warns
        assert not lettering.letter(figure) and words(figure) == ENGLISH


def test_in_english_nothing_is_asked(fonts):
    fonts(Noto_Sans_CJK_SC=ALL)
    figure = drawn()
    assert not lettering.letter(figure) and words(figure) == ENGLISH


def test_the_first_of_the_list_is_taken(fonts):
    fonts(SimHei=ALL, WenQuanYi_Zen_Hei=ALL, Noto_Sans_CJK_JP=ALL)
    assert lettering.families() == ["Noto Sans CJK JP", "WenQuanYi Zen Hei", "SimHei"]
    assert lettering.font("树 μ") == ["Noto Sans CJK JP", "DejaVu Sans"] and lettering.font("abc μ") == ["DejaVu Sans"]


def test_a_font_of_one_weight_is_no_reason_for_a_warning_in_a_notebook(spoken, fonts, caplog):
    fonts(WenQuanYi_Zen_Hei=ALL)
    heavy = dataclasses.replace(font_manager.fontManager.ttflist.pop(), weight=500)
    font_manager.fontManager.ttflist.append(heavy)
    assert lettering.letter(figure := drawn())
    figure.savefig(io.BytesIO())
    assert not caplog.records                                               # matplotlib 3.11 wants a weight of 400


def test_a_font_installed_since_matplotlib_looked_is_found(fonts, monkeypatch, tmp_path):
    fonts()
    (new := tmp_path / "wqy-zenhei.ttf").write_bytes(ALL.read_bytes())
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *args, **options: [str(new), str(LATIN)])
    added = []
    monkeypatch.setattr(font_manager.fontManager, "addfont", added.append)
    lettering.families()
    assert added == [str(new)]


def test_a_real_font_draws_every_sign(spoken):
    if lettering.font("剩下的像素") is None:
        pytest.skip("no Chinese font on this computer")
    figure = drawn()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lettering.letter(figure) and words(figure) == CHINESE


# ------------------------------------------------------------------------------------------ every figure there is

class Dissected:
    """As much of a Dissection as the layer figure reads."""
    classes, iou = ("sky", "tree", "door"), range(64)

    def concept_units(self, min_iou, above_chance):
        return {"sky": [1, 2, 3, 4], "tree": [5, 6, 7, 8, 9]}


def born():
    """Three children on the plane."""
    evolution = start(Settings(batch=4, fitness_batch=4))
    evolution.train_d(gaussians.ring())
    evolution.vary()
    return evolution


def every_figure() -> dict[str, Figure]:
    names, losses = ["minimax", "heuristic", "least_squares"], (minimax, heuristic, least_squares)
    layers, clothes = ("layer1", "layer2"), rivals.runs("fashion")
    effects = StyleEffects(layers, ("path", "tree"), torch.rand(2, 2), torch.rand(2, 2))
    plane = checkpoints.comparison("plane-comparison")
    rows = [{"images": n, "frechet_distance": 9.0, "precision": 0.5, "recall": 0.4} for n in (1000, 2000)]
    return {
        "losses": figures.losses_figure(losses, torch.randn(50)),
        "gamma": figures.gamma_figure(names, [Fitness.read((0.5, 0.1, 0.6))] * 3),
        "luck": figures.luck_figure(names, torch.rand(5, 3, 3)),
        "moves": figures.moves_figure(born(), gaussians.ring(), dots=4),
        "worth": rivals.worth_figure(plane), "quality": rivals.worth_figure(plane, "ring", "high_quality"),
        "bill": rivals.bill_figure(clothes), "score": rivals.score_figure(clothes),
        "layers": layer_figure({name: Dissected() for name in layers}),
        "effects": effects_figure({name: torch.tensor([0.3, 0]) for name in layers},
                                  {"decided, any two pictures": effects}, ("path", "tree")),
        "pairs": rivals.pairs_figure(rivals.pairs({"D is ahead": checkpoints.comparison("plane-ahead"),
                                                   "D makes one step": plane})),
        "curve": curve_figure({"curve": rows})}


NAMES = {"E-GAN", "egan", "WGAN-GP", "layer1", "layer2", "F = F_q + γ F_d", r"$F = F_q + \gamma F_d$", "D(G(z))"}


def test_no_figure_of_the_package_keeps_an_english_word(spoken, fonts):
    fonts(Noto_Sans_CJK_SC=ALL)
    for name, figure in every_figure().items():
        assert lettering.letter(figure), name
        left = {text for text in words(figure) if not any("一" <= sign <= "鿿" for sign in text) and len(text) > 1}
        assert left <= NAMES, name
