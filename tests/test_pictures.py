"""Pictures: arrays, bytes, overlays and HTML."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from gan_teach import files
from gan_teach import pictures as p
from gan_teach.recipes import readme_pictures
from gan_teach.worlds.scenes import CLASSES


def unpack(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_to_uint8_covers_the_range_and_cuts():
    x = torch.tensor([-2.0, -1, 0, 1, 3]).view(1, 1, 1, 5).expand(2, 3, 1, 5)
    a = p.to_uint8(x)
    assert a.shape == (2, 1, 5, 3) and a[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]
    assert p.to_uint8(x[0]).shape == (1, 5, 3)


def test_png_is_lossless_and_jpeg_is_near():
    a = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.array_equal(unpack(p.png(a)), a) and np.array_equal(p.as_array(p.png(a)), a)
    smooth = p.enlarge(a[:4, :6], 8, "bicubic")
    assert np.abs(unpack(p.jpeg(smooth, 95)).astype(int) - smooth).mean() < 12


def test_as_array_takes_maps_and_explains_the_rest():
    assert p.as_array(torch.tensor([[0.0, 0.5, 1.0]]))[0, :, 1].tolist() == [0, 128, 255]
    assert p.as_array(torch.tensor([[True, False]]))[0, :, 2].tolist() == [255, 0]
    with pytest.raises(ValueError, match="colour a label mask first"):
        p.as_array(torch.zeros(4, 4, dtype=torch.long))


def test_grid_places_pictures_row_by_row():
    images = torch.stack([torch.full((3, 2, 2), v) for v in (-1.0, 0, 1, -1, 0)])
    a = p.grid(images, columns=2)
    assert a.shape == (6, 4, 3)
    assert a[::2, ::2, 0].tolist() == [[0, 128], [255, 0], [128, 255]]      # the last place is white
    assert p.grid(images[:3], columns=8).shape == (2, 6, 3)
    with pytest.raises(ValueError, match="no pictures"):
        p.grid([])


def test_enlarge():
    a = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(p.enlarge(a, 3)[::3, ::3], a) and p.enlarge(a, 4, "bicubic").shape == (8, 8, 3)
    with pytest.raises(ValueError, match="bicubic"):
        p.enlarge(a, 2, "cubic")


def test_colour_map_is_perceptual():
    colours = p.colour_map(np.linspace(0, 1, 50))
    lightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all() and lightness[0] < 5 and lightness[-1] > 230
    assert np.array_equal(p.colour_map([-1, 2]), p.colour_map([0, 1]))


def test_squares_have_colours_of_their_own():
    r = torch.tensor([[-3.0, 1.0], [1.0, 5.0]])
    a = p.squares(r, 8)
    assert a.shape == (8, 8, 3) and (a[:4, :4] == p.INFERNO[0]).all() and (a[4:, 4:] == p.INFERNO[-1]).all()
    assert np.array_equal(p.squares(100 * r + 7, 8), a)                         # its own scale
    assert (p.squares(torch.ones(2, 2)) == p.INFERNO[0]).all()                  # a flat map is dark
    many = torch.rand(64, 64)
    many[0, 0] = 1000                                                           # one wild value does not drown the rest
    assert p.squares(many).std() > 20


def test_heat_glows_where_the_unit_is_on_and_nowhere_else():
    image, activation = torch.zeros(3, 16, 16), torch.zeros(4, 4)
    activation[0, 0] = 2
    a = p.heat(image, activation)
    assert a.shape == (16, 16, 3) and a[0, 0].sum() > a[-1, -1].sum() and (a[-1, -1] == a[-1, -1, 0]).all()
    assert np.array_equal(p.heat(image, -activation), p.heat(image, activation * 0))     # negative is off
    assert p.heat(image, activation, peak=20)[0, 0].sum() < a[0, 0].sum()


def test_lasso_dims_the_outside_and_outlines_the_mask():
    image, mask = torch.full((3, 8, 8), 0.5), torch.zeros(8, 8, dtype=torch.bool)
    mask[2:6, 2:6] = True
    a = p.lasso(image, mask)
    inside = p.as_array(image)[0, 0, 0]
    assert a[0, 0, 0] == inside // 2 and a[3, 3, 0] == inside and a[2, 2].tolist() == [255, 225, 0]
    assert p.lasso(image, mask, zoom=3).shape == (24, 24, 3)
    with pytest.raises(ValueError, match="one size"):
        p.lasso(image, mask[:4])


def test_difference_is_black_without_change():
    x = torch.rand(3, 4, 4)
    y = x.clone()
    y[:, 0, 0] = -1
    a = p.difference(x, y)
    assert a[0, 0].sum() > 100 and (a[1:] == a[1, 1]).all() and a[1, 1].sum() < 10
    grey = [np.full((4, 4, 3), level, np.uint8) for level in (100, 112, 148)]
    assert np.array_equal(p.difference(*grey[:2], times=4), p.difference(grey[0], grey[2]))


def test_every_class_has_a_colour_of_its_own():
    colours = p.label_colours(CLASSES)
    assert set(p.COLOURS) == set(CLASSES) and colours.dtype == np.uint8
    apart = np.abs(colours[:, None].astype(int) - colours[None]).sum(2) + 999 * np.eye(13, dtype=int)
    assert apart.min() > 40
    assert len({tuple(c) for c in p.label_colours(["a", "b", "c", "tree"])}) == 4
    a = p.colour_mask(torch.tensor([[11, 0]]), CLASSES)
    assert a[0, 0].tolist() == list(p.COLOURS["tree"]) and a[0, 1].tolist() == list(p.COLOURS["sky"])
    with pytest.raises(ValueError, match="13 classes"):
        p.colour_mask(torch.tensor([[13]]), CLASSES)


def test_show_makes_a_table_with_alt_texts():
    x = torch.zeros(3, 4, 4)
    html = p.show([[x, x], [None, x]], titles=["x", "s(<x>)"], alt='a "house"')._repr_html_()
    assert html.count("<img") == 3 and html.count("<tr") == 2 and "s(&lt;x&gt;)" in html
    assert re.findall(r'alt="([^"]*)"', html)[0] == "a &quot;house&quot; (row 1, column 1)"
    assert html.count("width:clamp(56px,calc(100cqw/2 - 13px),128px)") == 3         # both shrink alike in a narrow page
    one = p.show(x, alt="a house")
    assert 'alt="a house"' in one._repr_html_() and "a house" in repr(one)
    assert p.show([x, x], alt=["left", "right"])._repr_html_().count("<tr") == 1


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_show_refuses_pictures_without_alt(alt):
    with pytest.raises(ValueError, match="alt="):
        p.show(torch.zeros(3, 4, 4), alt=alt)
    with pytest.raises(TypeError):
        p.show(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="empty"):
        p.show([], alt="nothing")


def test_a_chart_is_a_described_picture_and_its_figure_is_closed():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot([0, 1])
    words = ax.text(0, 0, "-6 ± 3, GAN-2, 1e-05")
    shown = p.chart(figure, "a rising line", width=300)
    assert words.get_text() == "−6 ± 3, GAN-2, 1e-05"
    assert "d −.5" in p.show(np.zeros((4, 4)), ["d -.5"], alt="a map").html
    assert 'alt="a rising line"' in shown.html and "width:300px" in shown.html
    assert not plt.fignum_exists(figure.number)
    with pytest.raises(ValueError, match="alt"):
        p.chart(plt.figure(), "")


@pytest.mark.parametrize("inches", [4, 7, 9, 11])
def test_the_words_of_a_chart_are_twelve_pixels_high_on_the_page(inches):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(inches, 3), layout="constrained")
    ax.set(title="words of ten points or more", xlabel="x")
    size = ax.xaxis.label.get_size() / 72                                   # in inches of the figure
    html = p.chart(figure, "a chart").html
    drawn = Image.open(io.BytesIO(base64.b64decode(re.search("base64,([^\"]+)", html)[1]))).width / 120
    assert size == 10 / 72 and size * int(re.search(r"width:(\d+)px", html)[1]) / drawn > 11.95


@pytest.mark.parametrize("draw, file", [(readme_pictures.removal_picture, "trees.png"),
                                        (readme_pictures.mixing_picture, "mixing.png"),
                                        (readme_pictures.evolution_picture, "evolution.png")])
def test_the_readmes_pictures_are_what_their_commands_draw(tmp_path, draw, file):
    draw(tmp_path / file)
    drawn, shipped = (np.asarray(Image.open(path).convert("RGB")).astype(int)
                      for path in (tmp_path / file, files.data_folder() / "pictures" / file))
    assert drawn.shape == shipped.shape and np.abs(drawn - shipped).mean() < 1


def test_pictures_and_maps_that_cannot_be_shown_are_told():
    x, lost = torch.zeros(3, 16, 16), torch.full((4, 4), float("nan"))
    for act, message in ((lambda: p.grid([x, x[:, :8]]), "of one size; these have 16×16, 8×16"),
                         (lambda: p.difference(x, x[:, :8]), "of one size; these have 16×16, 8×16"),
                         (lambda: p.heat(x, lost), "holds NaN"), (lambda: p.squares(lost), "holds NaN"),
                         (lambda: p.colour_mask(torch.zeros(4, 4), ("a",)), "whole numbers, .* got float32"),
                         (lambda: p.colour_mask(lost > 0, ("a", "b")), "whole numbers, .* got bool")):
        with pytest.raises(ValueError, match=message):
            act()
    assert np.array_equal(p.to_uint8(x.numpy()), p.to_uint8(x))
    assert p.heat(x, np.ones((4, 4))).shape == (16, 16, 3) and p.difference(x, x).max() == 4
