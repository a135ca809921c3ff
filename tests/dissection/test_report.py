"""The page about a generator: its pictures were counted, its numbers are the dissection's, its file stands alone."""

import os
import re
from collections import Counter
from html.parser import HTMLParser

import browser
import numpy as np
import pytest
import together
import torch
from rigged import NOISE, PLANTED, Colours, Rigged

import gan_teach
from gan_teach import checkpoints, pictures
from gan_teach.__main__ import main
from gan_teach.dissection import report
from gan_teach.dissection.figures import (clear_units, figure_words, layer_figure, layer_tops, named_in, outlined,
                                          strip, top_pictures)
from gan_teach.dissection.information import dissect_by_information, quality_of
from gan_teach.dissection.report import write_report
from gan_teach.dissection.unit_iou import dissect, dissect_layers, masks
from gan_teach.networks.layers import sample_z
from gan_teach.networks.progan import Generator as ProGAN
from gan_teach.networks.progan import ProGANConfig
from gan_teach.networks.segmenter import SegmenterConfig, UNet

OPTIONS = {"samples": 40, "quantile": 0.06, "seed": 5, "batch": 16, "shuffles": 4, "progress": False}


class Recorded(Rigged):
    """The rigged generator with a record that tries to break the page."""

    record = {"kind": "rigged", "images_shown": 7, "data": "<script>alert(1)</script>", "settings": {"lr": [1, 2]}}


class Page(HTMLParser):
    """All tags of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], text
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def found():
    return dissect_layers(Rigged(), ["a", "b"], Colours(), **OPTIONS)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_report(Recorded(), Colours(), ["a"], tmp_path_factory.mktemp("report") / "new" / "page.html", top=3,
                        name="rigged & ready", **OPTIONS)


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------ pictures of units

def test_top_pictures_are_the_loudest_with_the_masks_that_were_counted(found):
    G = Rigged()
    r, f = G.at(sample_z(40, 12, 5), "a")
    x = pictures.to_uint8(f(r))
    tops = top_pictures(G, found["a"], [8, 0], k=4)
    assert list(tops) == [8, 0]
    for u, pairs in tops.items():
        order = sorted(range(40), key=lambda i: -r[i, u].max().item())[:4]
        assert len(pairs) == 4
        for i, (picture, mask) in zip(order, pairs):
            assert np.array_equal(picture, x[i])
            assert np.array_equal(mask, masks(r[i:i + 1], found["a"].thresholds, (32, 32))[0, u].numpy())


def test_top_pictures_draws_each_picture_once(found):
    drawn = []

    class Watched(Rigged):
        def at(self, z, layer):
            r, f = super().at(z, layer)
            return r, lambda r: (drawn.append(len(r)), f(r))[1]

    tops = top_pictures(Watched(), found["a"], k=5)
    assert len(tops) == 12 and sum(drawn) <= 40
    assert sum(drawn) == len({id(picture) for pairs in tops.values() for picture, _ in pairs})

    drawn.clear()
    both = layer_tops(Watched(), found, {"a": range(12), "b": [3, 1]}, k=5)
    pairs = [pair for tops in both.values() for pairs in tops.values() for pair in pairs]
    assert list(both) == ["a", "b"] and list(both["b"]) == [3, 1]
    assert sum(drawn) == len({id(picture) for picture, _ in pairs})                # once for both layers
    for layer, units in both.items():
        alone = top_pictures(Rigged(), found[layer], list(units), k=5)
        assert all(np.array_equal(a, b) for u in units for x, y in zip(units[u], alone[u]) for a, b in zip(x, y))


def test_top_pictures_with_fewer_samples_than_asked_and_wrong_wishes(found):
    few = dissect(Rigged(), "a", Colours(), samples=3, progress=False)
    assert len(top_pictures(Rigged(), few, [0], k=9)[0]) == 3
    with pytest.raises(ValueError, match="no unit 12; this layer has units 0 to 11"):
        top_pictures(Rigged(), found["a"], [12])
    for k in (21, 0):
        with pytest.raises(ValueError, match=f"k must be a whole number from 1 to 20; got {k}"):
            top_pictures(Rigged(), found["a"], k=k)


def test_what_is_outlined_by_loops(found):
    """Planted units outline their colour; the share is of the outlined pixels, those of every picture together."""
    tops = top_pictures(Rigged(), found["a"], [0, 2, *NOISE], k=4)
    for pairs in tops.values():
        shares, counted = outlined(Colours(), pairs), Counter()
        for picture, mask in pairs:
            labels = Colours()(pictures.to_float(torch.from_numpy(picture).permute(2, 0, 1))[None])[0].argmax(0)
            counted.update(Colours.classes[labels[y, x]] for y, x in zip(*mask.nonzero()))
        assert list(shares) == list(Colours.classes)
        assert shares == pytest.approx({name: counted[name] / counted.total() for name in Colours.classes})
    assert outlined(Colours(), tops[0])["red"] > 0.5 and outlined(Colours(), tops[2])["green"] > 0.5
    assert all(max(outlined(Colours(), tops[u])[name] for name in PLANTED) < 0.5 for u in NOISE)
    nowhere = [(picture, np.zeros_like(mask)) for picture, mask in tops[0]]
    assert set(outlined(Colours(), nowhere).values()) == {0.0}
    assert named_in(Colours(), tops[0], "red") == 4 and named_in(Colours(), [*tops[2], *nowhere], "red") == 0
    assert named_in(Colours(), [*nowhere, *tops[0][:3], *tops[2]], "red") == 3      # most is not red
    pictures_of = {0: tops[0], 1: [*tops[0][:3], *nowhere[:1]], 2: tops[2], 3: [*tops[0][:2], *nowhere[:2]]}
    names = {"green": [2], "red": [3, 1, 0], "blue": []}
    assert clear_units(Colours(), pictures_of, names, least=3) == {"red": [0, 1], "green": [2]}     # 4, 3, not 2; 3
    assert [[*clear_units(Colours(), pictures_of, {"red": [u], "green": [2]}, least=2)] for u in (0, 3)] == [
        ["red", "green"], ["green", "red"]]
    images = [pictures.to_float(torch.from_numpy(picture).permute(2, 0, 1))[None] for picture, _ in tops[0]]
    red = [(Colours()(image)[0].argmax(0) == Colours.classes.index("red")).numpy() for image in images]
    pure = {0: [(picture, mask & there) for (picture, mask), there in zip(tops[0], red)], 1: tops[0]}
    assert clear_units(Colours(), pure, {"red": [0, 1]}, least=1) == {"red": [0, 1]}       # by the share, 1 and less


def test_top_pictures_on_the_grid_that_was_counted(found):
    mask = layer_tops(Rigged(), found, {"a": [0], "b": []}, k=1, size=(8, 8))["a"][0][0][1]
    assert mask.shape == (8, 8) and mask.any()


@pytest.mark.parametrize("side, grid", [(32, 32), (32, 8), (128, 128), (256, 64)])
def test_strip_dims_and_outlines_what_is_off(side, grid):
    mask = np.zeros((grid, grid), bool)
    mask[:, grid // 2:] = True
    row = strip([(np.full((side, side, 3), 200, np.uint8), mask)] * 2)
    assert row.shape == (128, 2 * 128 + 4, 3)
    assert abs(int(row[60, 20, 0]) - 100) < 4 and abs(int(row[60, 110, 0]) - 200) < 4     # 0.5 · 200; as it was
    line = row[60, 60:70].astype(int)
    assert (line[:, 0] - line[:, 2]).max() > 100                                           # yellow at the border
    assert np.array_equal(row[:, :128], row[:, 132:])


def test_strip_brightens_what_is_darker_than_mid_grey():
    """So that a night can be seen: by one factor, and what is bright anyway stays."""
    night = np.full((32, 32, 3), (10, 20, 30), np.uint8)
    lit = np.ones((32, 32), bool)
    assert strip([(night, lit)])[60, 60].tolist() == [63, 127, 191] and night[0, 0].tolist() == [10, 20, 30]
    assert strip([(night * 6, lit)])[60, 60].tolist() == [63, 127, 191]                      # mean 120
    assert strip([(night * 8, lit)])[60, 60].tolist() == [80, 160, 240]                      # mean 160
    assert not strip([(night * 0, lit)]).any()


def test_layer_figure_draws_the_counts(found):
    figure = layer_figure(found)
    bars = [(round(bar.get_y() + bar.get_height() / 2), round(bar.get_width())) for bar in figure.axes[0].patches]
    want = [(row, len(units)) for row, d in enumerate(found.values()) for units in d.concept_units().values()]
    assert Counter(bars) == Counter(want)
    by_class = {bar.get_facecolor(): bar.get_hatch() for bar in figure.axes[0].patches}
    assert len(set(by_class.values())) == len(by_class) > 2                                # told apart without colour
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert all(f"{name} {len(units)}" in words for name, units in found["a"].concept_units().items())
    assert "of 12; 3 classes" in words


def test_layer_figure_in_words_and_without_any(found):
    words = figure_words(found)
    for layer, d in found.items():
        units = d.concept_units()
        assert f"{layer}: {sum(map(len, units.values()))} of 12 units" in words
        assert all(f"{name} {len(some)}" in words for name, some in units.items())
    assert "0 of 12 units (none)" in figure_words(found, min_iou=1)
    assert not layer_figure(found, min_iou=1).axes[0].patches
    with pytest.raises(ValueError, match="no dissections to draw"):
        layer_figure({})


# ------------------------------------------------------------------------------------------ the page

def test_the_page_needs_nothing_else(page):
    for attrs in page.all("img"):
        assert attrs["src"].startswith("data:image/") and attrs["alt"].strip()
    assert not page.all("link") and not any("src" in attrs for attrs in page.all("script"))
    assert "default-src 'none'" in page.all("meta")[2]["content"]
    assert not re.search(r"(src|href)=.?(https?:)?//|@import|url\(", page.text)


def test_links_and_identities_are_sound(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for attrs in page.all("a")}
    assert links and all(link[0] == "#" and link[1:] in ids for link in links)


def test_every_unit_of_the_asked_layer_has_a_card(page, found):
    cards = [attrs for attrs in page.all("article")]
    assert {attrs["id"] for attrs in cards} == {f"a-{u}" for u in range(12)}
    assert all(attrs["tabindex"] == "0" for attrs in cards)
    values = [float(attrs["data-iou"]) for attrs in cards]
    assert values == sorted(values, reverse=True)
    d = found["a"]
    matched = {u for units in d.concept_units(above_chance=True).values() for u in units}
    assert matched >= {0, 1, 2, 3, 4, 5}
    for attrs in cards:
        u = int(attrs["data-unit"])
        assert attrs["data-class"] == d.label(u)[0] and attrs["data-match"] == str(int(u in matched))
        assert float(attrs["data-iou"]) == pytest.approx(d.label(u)[1], abs=1e-4)


def test_the_tables_numbers_are_the_dissections(page, found):
    d, quality = found["a"], quality_of(found["a"])
    table = page.text.split("<tbody>")[1].split("</tbody>")[0]
    for c, name in enumerate(d.classes):
        row = next(row for row in table.split("<tr>") if f"</span>{name}<" in row)
        cells = re.findall(r"<td(?: class=iou)?>(.*?)</td>", row)
        u = d.units_for(name, 1)[0]
        sure = "" if d.above_chance()[u, c] else " (chance)"
        assert cells == [f"{d.class_pixels[c] / d.class_pixels.sum():.1%}",
                         str(len(d.concept_units(above_chance=True).get(name, []))), f"<a href=#a-{u}>{u}</a>",
                         f"{d.iou[u, c]:.3f}{sure}", " to ".join(f"{end[u, c]:.3f}" for end in d.interval()),
                         f"{d.chance[:, u, c].mean():.3f}",
                         f"{quality[u, c]:.3f}"]


def test_names_and_records_are_text_and_not_markup(page):
    assert "What the units of rigged &amp; ready draw" in page.text and "<script>alert" not in page.text
    assert "<dt>images shown</dt><dd>7</dd>" in page.text and "&quot;lr&quot;" in page.text
    assert "without a record" in report.record_html(None)


def test_the_overview_covers_all_layers(page, found):
    chart = next(attrs for attrs in page.all("img") if attrs["class"] == "chart")
    assert chart["alt"] == figure_words(found, above_chance=True) and "b: " in chart["alt"]


def test_the_command_lists_every_layer_of_any_model_that_load_knows(tmp_path, monkeypatch, capsys):
    models = {"official/rigged": Rigged(), "official/colours": Colours()}
    monkeypatch.setattr(gan_teach, "load", lambda name, device=None: models[name])
    page = tmp_path / "page.html"
    command = ["dissect", "official/rigged", "--segmenter", "official/colours", "--samples", "10", "--batch", "4"]
    assert main([*command, "--layer", "all", "--out", str(page)]) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "draw</h1>" in text and "of rigged" in text
    assert [attrs["id"] for attrs in Page(text).all("section") if "id" in attrs] == ["a", "b"]
    assert main([*command, "--layer", "b", "--layer", "a", "--out", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == text
    assert main([*command, "--layer", "c", "--out", str(page)]) == 1 and "no layer 'c'" in capsys.readouterr().err


def test_the_page_of_a_file_has_its_whole_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gan_teach, "load", lambda name, device=None: Colours() if name == "colours" else Rigged())
    for model in ("nets/gen-0.1", "nets/gen-0.2.safetensors", "nets/karras-1.0.pkl", "official/rigged"):
        assert main(["dissect", model, "--segmenter", "colours", "--samples", "10", "--layer", "a"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"dissection-{name}.html" for name in ("gen-0.1", "gen-0.2", "karras-1.0", "rigged")}


def test_a_report_by_information_has_the_papers_thresholds(tmp_path):
    options = {"samples": 20, "seed": 2, "shuffles": 2, "progress": False}
    page = write_report(Rigged(), Colours(), "a", tmp_path / "i.html", information=True, top=1, **options)
    d = dissect_by_information(Rigged(), ["a"], Colours(), **options)["a"]
    text = page.read_text(encoding="utf-8")
    assert "greatest information quality" in text and "Dissection of Rigged" in text
    assert all(f"t = {t:.3g}, in" in text for t in d.thresholds.tolist())


def test_a_class_that_never_occurs_is_said_to(tmp_path):
    class More(Colours):
        classes = (*Colours.classes, "pink")

        def __call__(self, images):
            scores = super().__call__(images)
            return torch.cat([scores, torch.full_like(scores[:, :1], -99)], 1)

    d = dissect(Rigged(), "a", More(), samples=10, shuffles=2, progress=False)
    assert "pink</th><td colspan=\"7\">does not occur" in report.layer_section(d, {})


def test_a_report_that_fails_leaves_the_old_page(tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    page.write_text("old")

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_report(Rigged(), Colours(), ["a"], page, samples=5, shuffles=2, top=1, progress=False)
    assert page.read_text() == "old" and list(tmp_path.iterdir()) == [page]


def test_a_name_may_be_a_number(tmp_path):
    page = write_report(Rigged(), Colours(), "a", tmp_path / "n.html", 5, shuffles=2, top=1, name=5, progress=False)
    assert "Dissection of 5<" in page.read_text("utf-8")


def test_wrong_wishes_are_refused_before_any_work(tmp_path):
    class Untouched(Rigged):
        def at(self, z, layer):
            raise AssertionError("drawn too early")

    with pytest.raises(ValueError, match="no layer 'c'.*a, b"):
        write_report(Untouched(), Colours(), ["c"], tmp_path / "p.html")
    for name, value in (("shuffles", 1), ("top", 0), ("top", 21)):
        with pytest.raises(ValueError, match=f"^{name} must be a whole number"):
            write_report(Untouched(), Colours(), ["a"], tmp_path / "p.html", **{name: value})
    assert not list(tmp_path.iterdir())


def test_the_page_works_from_the_keyboard(path, tmp_path):
    with browser.chromium(tmp_path) as tab:
        errors, asked = [], []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        shown = "[...document.querySelectorAll('.unit')].filter(e => e.offsetParent).map(e => +e.dataset.unit)"
        assert len(tab.evaluate(shown)) == 12
        tab.locator("select[name=class]").select_option("green")
        assert set(tab.evaluate(shown)) >= set(PLANTED["green"]) and len(tab.evaluate(shown)) < 6
        tab.locator("select[name=class]").select_option("*")
        tab.locator("select[name=order]").select_option("unit")
        assert tab.evaluate(shown) == list(range(12))
        tab.locator("[name=one]").check()
        tab.locator("[name=class]").select_option("*")
        first, = tab.evaluate(shown)
        tab.locator(".unit.here").focus()
        tab.keyboard.press("ArrowRight" if first < 11 else "ArrowLeft")
        assert tab.evaluate(shown) == [first + 1 if first < 11 else 10]
        assert tab.evaluate("+document.activeElement.dataset.unit") == tab.evaluate(shown)[0]
        tab.goto(path.as_uri() + "#a-3")
        tab.wait_for_function("document.activeElement.id === 'a-3'")
        assert not errors and all(url.startswith(("file:", "data:")) for url in asked)


SHARED = """
    import sys
    from pathlib import Path

    import torch
    from gan_teach import load
    from gan_teach.__main__ import main
    from gan_teach.dissection.information import dissect_by_information
    from gan_teach.dissection.unit_iou import dissect_layers
    from gan_teach.processes import join_group, place

    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    join_group()
    G, S = (load(folder / f"{name}.safetensors", "cpu") for name in "GS")
    options = {"samples": 23, "batch": 4, "shuffles": 9, "progress": False}
    found = [dissect_layers(G, G.layers, S, quantile=0.07, **options),
             dissect_by_information(G, G.layers, S, **options)]
    if place()[0] == 0:
        torch.save([[list(vars(d).values()) for d in given.values()] for given in found], out / "found.pt")
    sys.exit(main(["dissect", str(folder / "G.safetensors"), "--segmenter", str(folder / "S.safetensors"), "--layer",
                   "layer2", "--samples", "23", "--batch", "4", "--out", str(out / "page.html"), "--device", "cpu"]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that meet are forked here")
def test_several_processes_find_what_one_does_bit_for_bit(tmp_path):
    """Three of them, with two batches each: chance takes labels that other processes draw, across the end too."""
    torch.manual_seed(0)
    checkpoints.save(tmp_path / "G", ProGAN(ProGANConfig(z_dim=8, widths=(8, 8, 8))))
    checkpoints.save(tmp_path / "S", UNet(SegmenterConfig(("a", "b", "c"), (4, 4, 4, 4))))
    for said in together.run(SHARED, 3, tmp_path, tmp_path).values():
        assert said.count("written: ") == 1                             # the first alone speaks
    one, three = (torch.load(tmp_path / folder / "found.pt", weights_only=True) for folder in ("one", "many"))
    for ours, theirs in zip(one, three, strict=True):
        for layer, again in zip(ours, theirs, strict=True):
            for a, b in zip(layer, again, strict=True):
                assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
    assert (tmp_path / "one/page.html").read_bytes() == (tmp_path / "many/page.html").read_bytes()


def test_a_page_that_cannot_be_written_is_told_before_the_work(tmp_path):
    class Never:
        layers, z_dim = ("one",), 4

        def at(self, z, layer):
            raise AssertionError("the work began")

    class Segmenter:
        classes = ("a",)

        def __call__(self, images):
            raise AssertionError("the work began")

    (tmp_path / "file").touch()
    for path, message in ((tmp_path, "it is a folder"), (tmp_path / "file" / "page.html", "its folder is a file")):
        with pytest.raises(OSError, match=f"{message}.*{path}"):
            write_report(Never(), Segmenter(), ["one"], path, 20, progress=False)
