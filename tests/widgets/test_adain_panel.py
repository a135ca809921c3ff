"""AdaIN by hand, driven from code: Equation 1 for one unit against loops, histograms, strongest units, the controls."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from panels import drawn_large, generator, shown

from gan_teach.networks.layers import sample_z
from gan_teach.stylegan.adain_mixing_truncation import adain
from gan_teach.widgets import AdaINPanel
from gan_teach.widgets.stylegan.adain_render import BINS, STRONGEST, AdaINRenderer, AdaINState, histogram


@pytest.fixture(scope="module")
def G():
    return generator()


@pytest.fixture
def renderer(G):
    return AdaINRenderer(G)


@pytest.fixture
def panel(G):
    return AdaINPanel({"one": G, "other": generator(1)}, seed=3, layer=4, unit=2)


def drawn(renderer, state):
    """The last picture as a tensor, and the unit's map after AdaIN."""
    maps = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renderer, "_map", lambda x, reach: maps.append(x.clone()) or b"")
        return drawn_large(renderer, lambda: renderer.render(state))[-1], *maps


# ------------------------------------------------------------------------------------------ what is drawn

@pytest.mark.parametrize("layer", [0, 1, 4, 7])
def test_the_style_s_own_y_is_the_picture_itself(G, renderer, layer):
    x, _, _ = drawn(renderer, AdaINState("G", 3, layer, 1))
    assert torch.allclose(x, G(sample_z(1, 8, 3), psi=0.7), atol=1e-4)


@pytest.mark.parametrize("layer", [0, 3, 6])
def test_adain_eq1_for_one_unit(G, renderer, layer):
    """The unit's map by loops in float64, the others as they were, and the picture that f makes of them."""
    state = AdaINState("G", 5, layer, 1, y_s=-1.5, y_b=0.75)
    x, before, after = drawn(renderer, state)
    values = [float(v) for v in before.double().flatten()]
    mean = sum(values) / len(values)
    sigma = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values) + 1e-8)
    wanted = torch.tensor([-1.5 * (v - mean) / sigma + 0.75 for v in values]).reshape(after.shape)
    assert torch.allclose(after, wanted.float(), atol=1e-4)
    r, f = G.at(sample_z(1, 8, 5), f"layer{layer}", psi=0.7)
    r = r.clone()
    r[0, 1] = wanted
    assert torch.allclose(x, f(r), atol=1e-3)


def test_what_adain_normalises_is_what_the_layer_normalises(G, renderer):
    for layer in (0, 1, 2, 5):
        x, y = renderer._cut(AdaINState("G", 2, layer, 0))[1:3]
        r, _ = G.at(sample_z(1, 8, 2), f"layer{layer}", psi=0.7)
        assert torch.allclose(adain(x, y), r, atol=1e-4)


def test_a_learners_adain_drives_the_panel(G):
    def twice(x, y):
        return adain(x.view(*x.shape), (2 * y[0], y[1]))        # a view of what lies in N×C×H×W's own order

    panel = AdaINPanel(G, seed=5, layer=4, unit=1, adain=twice)
    panel.change(y_s=1.5, y_b=-0.75)
    x, _, after = drawn(panel.renderer, panel.state)
    assert not panel.error.value and abs(float(after.std(unbiased=False)) - 3.0) < 1e-3
    r, f = G.at(sample_z(1, 8, 5), "layer4", psi=0.7)
    before, y = panel.renderer._cut(panel.state)[1:3]
    own = [part.clone() for part in y]
    own[0][0, 1], own[1][0, 1] = 1.5, -0.75
    assert torch.allclose(x, f(twice(before, own)), atol=1e-3)


def test_the_text_tells_what_stands_in_the_map(renderer):
    state = AdaINState("G", 5, 4, 1, y_s=1.5, y_b=-0.75)
    text = renderer.render(state).text
    assert "Unit 1 of layer 4 (16 px), with y_s = 1.50 and y_b = −0.75; its style has y_s = " in text
    assert text.endswith("after it −0.75 and 1.50.")
    assert "as its style has it" in renderer.render(replace(state, y_s=None, y_b=None)).text


def test_a_change_of_y_computes_the_layers_above_alone(renderer):
    state = AdaINState("G", 5, 4, 1)
    renderer.render(state)
    fast, computed = renderer.drawers["G"].fast, []
    for i, block in enumerate(fast.blocks.values()):
        block.register_forward_pre_hook(lambda *_, i=i: computed.append(i))
    renderer.render(replace(state, y_b=1.0))
    assert computed == [5, 6, 7]


def test_strongest_units_by_silencing_each(G, renderer):
    state = AdaINState("G", 5, 5, 0)
    found, = renderer.later(state)
    r, f = G.at(sample_z(1, 8, 5), "layer5", psi=0.7)
    change = []
    for unit in range(r.shape[1]):
        silent = r.clone()
        silent[:, unit] = 0
        change.append(float((f(silent) - f(r)).abs().mean()))
    order = sorted(range(len(change)), key=lambda unit: -change[unit])[:STRONGEST]
    assert np.allclose(found.change, [change[unit] for unit in order], atol=1e-4)
    assert found.units[0] == order[0] and len(found.units) == min(STRONGEST, r.shape[1])
    silent, _, _ = drawn(renderer, replace(state, unit=order[0], y_s=0.0, y_b=0.0))
    assert float((silent - f(r)).abs().mean()) == pytest.approx(change[order[0]], abs=1e-4)


def test_it_starts_at_the_unit_of_the_largest_y_s(G, renderer):
    state = renderer.start(layer=6, seed=4)
    y_s, y_b = G.styles(G.ws(sample_z(1, 8, 4), 0.7))[6]
    assert state.unit == int(y_s[0].abs().argmax())
    assert renderer.own(state) == pytest.approx((float(y_s[0, state.unit]), float(y_b[0, state.unit])), abs=1e-6)
    assert all(abs(y) < span for y, span in zip(renderer.own(state), renderer.spans(state)))


# ------------------------------------------------------------------------------------------ histograms

def marks(svg):
    """Bars as (x, width, height), the x of the mean's line, and the words of one histogram."""
    root = ElementTree.fromstring(svg)
    bars = [(float(b.get("x")), float(b.get("width")), float(b.get("height"))) for b in root.findall("rect")]
    line = next(e for e in root.findall("line") if e.get("stroke-dasharray"))
    return bars, float(line.get("x1")), "".join(root.itertext()).replace("\u200b", "")


def test_a_histogram_counts_and_marks_mean_and_spread():
    values = np.array([0.1] * 3 + [0.9] * 6 + [5.0])
    svg = histogram("t", values, (-1, 1), 0.5, 0.25, ("y_b", "|y_s|"), "#123456", (480, 106))
    bars, mean, text = marks(svg)
    assert len(bars) == 2 and bars[1][2] == pytest.approx(2 * bars[0][2])           # 3 and 6
    step = 480 / BINS
    assert [int(x // step) for x, _, _ in bars] == [int((v + 1) / 2 * BINS) for v in (0.1, 0.9)]
    assert mean == pytest.approx(480 * 0.75)
    left, right = map(float, re.search(r"M([\d.]+) [\d.]+v8M([\d.]+) ", svg).groups())
    assert (left, right) == pytest.approx((480 * 0.625, 480 * 0.875))
    assert "yb = 0.50, |ys| = 0.25" in text and "1 value beyond the axis" in text       # b and s are lowered
    assert "mean 0.50, spread 0.25" in ElementTree.fromstring(svg).get("aria-label")


def test_the_last_histogram_follows_y(renderer):
    state = AdaINState("G", 5, 5, 1, y_s=1.0, y_b=0.0)
    svgs = re.findall(r"<svg.*?</svg>", renderer.render(state).histograms)
    moved = re.findall(r"<svg.*?</svg>", renderer.render(replace(state, y_s=2.0, y_b=1.0)).histograms)
    assert len(svgs) == 3 and svgs[:2] == moved[:2]                     # x and its normalised form stay
    assert marks(svgs[1])[1] == marks(svgs[2])[1] < marks(moved[2])[1]
    assert "yb = 1.00, |ys| = 2.00" in marks(moved[2])[2]


# ------------------------------------------------------------------------------------------ the panel

def test_the_sliders_stand_where_the_style_is_and_lead(panel):
    own = panel.renderer.own(panel.state)
    assert (panel.y_s.value, panel.y_b.value) == pytest.approx(own) and panel.state.y_s is None
    assert shown(panel.before) == shown(panel.after) == panel.frame.picture
    panel.y_b.value = panel.y_b.max
    assert panel.state.y_b == panel.y_b.max and panel.state.y_s is None
    assert shown(panel.after) != shown(panel.before) and f"= {panel.y_b.max:.2f}" in panel.text.value
    panel.silent.click()
    assert (panel.state.y_s, panel.state.y_b) == (0, 0) == (panel.y_s.value, panel.y_b.value)
    panel.own.click()
    assert panel.frame.picture == panel.frame.own and (panel.y_s.value, panel.y_b.value) == pytest.approx(own)


def test_layers_units_pictures_and_models(G, panel):
    panel.y_s.value = 0.0
    panel.unit.value = 1
    assert panel.state == AdaINState("one", 3, 4, 1)                    # another unit has its own y
    panel.next.click()
    assert panel.state == AdaINState("one", 4, 4, 1) and panel.seed.value == 4
    panel.layer.value = 7
    assert panel.state.layer == 7
    panel.unit.value = units = G.config.units(32)
    assert f"units 0 to {units - 1}" in panel.error.value
    assert panel.state.unit == panel.renderer.strong(panel.state) == panel.unit.value
    assert panel.wait()
    found, = panel.renderer.later(panel.state)
    assert [b.description for b in panel.strong if b.layout.display == ""] == list(map(str, found.units))
    panel.strong[1].click()
    assert panel.state.unit == found.units[1] == panel.unit.value
    with panel.renderer.drawing():                                      # what follows the picture must wait
        panel.model.value = "other"
        assert {b.layout.visibility for b in panel.strong} == {"hidden"}, "those are of another network"
    assert panel.state.model == "other" and not panel.error.value
    assert panel.wait() and {b.layout.visibility for b in panel.strong} == {"visible"}
    picture, _, _ = drawn(panel.renderer, panel.state)
    other = panel.renderer.drawers["other"].G
    assert torch.allclose(picture, other(sample_z(1, 8, 4), psi=0.7), atol=1e-4)


def test_networks_without_styles_are_refused():
    plain = generator(styles=False, mapping_layers=0, constant=False, noise=False, mixing=0.0)
    with pytest.raises(ValueError, match="no styles.*no AdaIN"):
        AdaINPanel(plain)


def test_the_pictures_shown_are_of_the_state(panel):
    from gan_teach.pictures import as_array, enlarge, to_uint8

    x, _, _ = drawn(panel.renderer, panel.state)
    wanted = enlarge(to_uint8(x)[0], 8, "bicubic")
    assert np.abs(as_array(shown(panel.after)).astype(int) - wanted).mean() < 3      # JPEG's own error
    assert as_array(shown(panel.map_before)).shape == (160, 160, 3)
