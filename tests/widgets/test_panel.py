"""The dissection panel, driven from code: a rigged generator whose unit 0 draws red, unit 1 green, unit 2 blue."""

from dataclasses import replace

import pytest
import torch
from panels import Colours, Rigged, shown

from gan_teach.dissection.intervention import ablate
from gan_teach.dissection.unit_iou import dissect
from gan_teach.dissection.units import Ranking
from gan_teach.pictures import as_array, png
from gan_teach.widgets.dissection.panel import EVERYWHERE, IN_PLACE, PAINTED, DissectionPanel
from gan_teach.widgets.dissection.paint_render import PaintRenderer
from gan_teach.widgets.dissection.panel_render import DissectionRenderer, DissectionState
from gan_teach.widgets.paint_mask import mask_canvas
from gan_teach.widgets.panel import widgets_in


@pytest.fixture(scope="module")
def dissection():
    return dissect(Rigged(), "layer1", Colours(), samples=40, quantile=0.2, progress=False)


@pytest.fixture(params=["auto", "buttons"])
def panel(request, dissection):
    return DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", paint=request.param)


def test_it_opens_with_the_matching_unit_ticked_and_nothing_changed(panel):
    assert panel.state.units[0] == 0 and panel.state.strength == 0 and not panel.error.value
    assert panel.frame.before == panel.frame.after == shown(panel.after)
    assert panel.frame.counts_before == panel.frame.counts_after
    assert len(panel.ticks) == 4 and panel.ticks[0].value and panel.ticks[0].description.startswith("0: IoU 0.")
    assert sum(panel.frame.counts_after.values()) == 32 * 32


def test_a_unit_that_is_forced_far_off_is_drawn_all_the_same(dissection):
    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, 1000.0, cls="red")
    panel.force.click()
    assert not panel.error.value and panel.frame.after != panel.frame.before
    assert panel.frame.counts_after["red"] > panel.frame.counts_before["red"]


def test_the_slider_removes_and_reset_restores(panel):
    before = panel.frame.counts_after["red"]
    assert before > 100
    panel.slider.value = -1
    assert panel.frame.counts_after["red"] == 0 and "(−100 %)" in panel.text.value
    assert as_array(panel.frame.after)[..., 0].max() < as_array(panel.frame.before)[..., 0].max()
    assert as_array(panel.frame.difference).max() > 100
    panel.reset.click()
    assert panel.frame.counts_after["red"] == before and panel.slider.value == 0
    assert panel.frame.after == panel.frame.before


def test_remove_and_force_are_the_ends_of_the_slider(panel):
    panel.change(units=(0,))
    panel.remove.click()
    assert panel.slider.value == -1 and panel.frame.counts_after["red"] == 0
    panel.force.click()
    assert panel.slider.value == 1 and panel.frame.counts_after["red"] > panel.frame.counts_before["red"]


def test_a_reset_that_changed_nothing_is_no_step(panel):
    panel.reset.click()
    assert panel.state == panel.history.present and not panel.history.past


def test_class_changes_units_and_keeps_the_scene(panel):
    panel.seed.value = 3
    panel.remove.click()
    panel.cls.value = "blue"
    assert panel.state.units[0] == 2 and panel.ticks[0].description.startswith("2:")
    assert panel.state.strength == 0 and panel.seed.value == 3


def test_ticks_choose_the_units(panel):
    panel.none.click()
    panel.remove.click()
    assert panel.frame.counts_before == panel.frame.counts_after and "No unit is ticked" in panel.text.value
    assert not any(tick.value for tick in panel.ticks)
    panel.ticks[0].value = True
    assert panel.state.units == (0,) and panel.frame.counts_after["red"] == 0
    panel.where.value = EVERYWHERE
    panel.all.click()
    assert {*panel.state.units} == {0, 3, 4, 5} and panel.frame.counts_after["red"] == 0


def test_units_that_have_nothing_to_do_with_a_class_are_not_offered(panel, dissection):
    """Unit 1 is green and 2 is blue, nowhere red; nothing at all is dark, and one unit is offered all the same."""
    red = dissection.iou[:, dissection.classes.index("red")]
    assert red[1] < 0.01 > red[2] and {*panel.renderer.shown("red")} == {0, 3, 4, 5}
    assert len(panel.renderer.shown("dark")) == 1


def test_next_scene_and_seed_show_the_same_pictures_again(panel):
    first = panel.frame.before
    panel.next.click()
    assert panel.seed.value == 1 and panel.frame.before != first
    panel.seed.value = 0
    assert panel.frame.before == first


def test_painting_limits_the_change_to_the_region(panel):
    panel.where.value = EVERYWHERE
    panel.remove.click()
    everywhere = panel.frame.counts_after["red"]
    panel.paint.mask = "1" * 32 + "0" * 32                  # the upper half
    assert panel.where.value == PAINTED and panel.paint.active
    half = panel.frame.counts_after["red"]
    assert everywhere < half < panel.frame.counts_before["red"]
    lower = as_array(panel.frame.after)[140:], as_array(panel.renderer.render(panel.state).after)[140:]
    assert (lower[0] == lower[1]).all()
    panel.where.value = EVERYWHERE
    assert panel.frame.counts_after["red"] == everywhere and not panel.paint.active
    panel.undo.click()
    assert panel.frame.counts_after["red"] == half and panel.where.value == PAINTED
    panel.clear.click()
    assert "Nothing is painted" in panel.text.value
    panel.reset.click()
    assert panel.state.region is None and panel.where.value == IN_PLACE and "1" not in panel.paint.mask


def test_a_pull_of_the_brush_is_one_step(panel, monkeypatch):
    monkeypatch.setattr("gan_teach.widgets.panel.PULL", 1e9)                    # however busy the machine is
    assert (panel.brush in widgets_in(panel.widget, set())) == hasattr(panel.paint, "_esm"), "buttons know no brush"
    first = panel.state
    for cells in range(8, 33, 8):                           # what the browser sends of one pull
        panel.paint.mask = "1" * cells + "0" * (64 - cells)
    assert panel.where.value == PAINTED and sum(map(sum, panel.state.region)) == 32
    panel.undo.click()
    assert panel.state == first and panel.where.value == IN_PLACE


def test_removal_in_place_spares_the_rest_and_says_so(panel):
    """Units 0 and 1 at 0 only where red is: the green far from it stays."""
    panel.change(units=(0, 1))
    panel.remove.click()
    frame = panel.frame
    assert frame.counts_after["red"] == 0 and frame.text.startswith("Removed only where red is: ")
    assert frame.counts_after["green"] == frame.counts_before["green"] > 0
    panel.where.value = EVERYWHERE
    assert panel.frame.counts_after["green"] == 0 and panel.frame.text.startswith("Removed everywhere: ")
    panel.where.value = IN_PLACE
    panel.force.click()
    assert panel.frame.text.startswith("Forced on everywhere: ")


def test_a_searched_order_is_shown_with_its_reason_and_a_reader_s_edits_are_used(dissection):
    ranking = Ranking("red", torch.tensor([0.2, 0.9, 0.5, 0.0, 0.0, 0.0]), torch.zeros(6), by="α")
    asked = []

    def mine(r, units):
        asked.append(list(units))
        return ablate(r, units)

    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", orders={"red": ranking}, ablate=mine)
    assert [tick.description for tick in panel.ticks[:3]] == ["1: α 0.90", "2: α 0.50", "0: α 0.20"]
    ours = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", orders={"red": ranking})
    for it in (panel, ours):
        it.change(units=(0,))
        it.slider.value = -1
    assert asked == [[0]] and panel.frame == ours.frame and panel.frame.counts_after != panel.frame.counts_before
    panel.cls.value = "blue"
    assert panel.ticks[0].description.startswith("2: IoU 0.")


@pytest.mark.parametrize("options, message", [
    ({"orders": {"red": [99]}}, "no unit 99; this layer has units 0 to 5"), ({"orders": [1]}, "orders are a dict"),
    ({"orders": {"rde": [1]}}, "did you mean 'red'"), ({"levels": [1, 2]}, "6 units, but 2 levels"),
    ({"levels": {"red": torch.full((6,), torch.nan)}}, "level: NaN"), ({"levels": {"red": "high"}}, "must be numbers")])
def test_orders_and_levels_are_looked_at_when_the_panel_is_made(dissection, options, message):
    with pytest.raises(ValueError, match=message):
        DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", **options)


def test_an_order_may_be_a_tensor_or_a_mask(dissection):
    for order in (torch.tensor([2, 1]), torch.tensor([False, True, True, False, False, False])):
        panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", orders={"red": order})
        assert set(panel.state.units) == {1, 2} and panel.error.value == ""


def test_buttons_paint_and_unfold_only_when_needed():
    small = mask_canvas(4, 4, paint="buttons")
    assert small.grid.layout.display == "none"
    small.active = True
    small.buttons[5].value = True
    assert small.grid.layout.display == "grid" and small.mask == "0000010000000000"
    small.mask = "1" + "0" * 15
    assert [b.value for b in small.buttons] == [True] + [False] * 15
    large = mask_canvas(32, 32, paint="buttons")
    large.buttons[0].value = True
    assert len(large.buttons) == 256 and large.mask.count("1") == 4


def test_a_layer_that_is_not_there_is_refused(dissection):
    with pytest.raises(ValueError, match="layer1"):
        DissectionRenderer(Rigged(), "layer9", Colours(), dissection)


@pytest.mark.parametrize("given, message", [
    (None, "got a NoneType"), ("all", r"dissect_layers one entry, found\[layer\]\); got a dict"),
    ("other", "cuts layer1, and this is a dissection of layer2")])
def test_what_is_no_dissection_of_the_layer_is_refused(dissection, given, message):
    given = {"all": {"layer1": dissection}, "other": replace(dissection, layer="layer2")}.get(given)
    with pytest.raises(ValueError, match=message):
        DissectionRenderer(Rigged(), "layer1", Colours(), given)
    if not isinstance(given, dict):                                          # the painter takes one of classes
        with pytest.raises(ValueError, match=message):
            PaintRenderer(Rigged(), "layer1", Colours(), given)


def test_level_may_be_a_number_a_tensor_or_a_dict(dissection):
    state = DissectionState("red", (0,), 0, 1.0)
    frames = [DissectionRenderer(Rigged(), "layer1", Colours(), dissection, level=level).render(state)
              for level in (1.0, torch.ones(6), {"red": torch.ones(6)})]
    assert frames[0] == frames[1] == frames[2] and frames[0].counts_after["red"] > frames[0].counts_before["red"]


def test_a_slider_move_costs_one_f_two_pictures_and_no_h(dissection, monkeypatch):
    panel, packed = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red"), []
    G = panel.renderer.G
    calls = G.f_calls, G.h_calls
    monkeypatch.setattr("gan_teach.pictures.png", lambda picture: packed.append(picture) or png(picture))
    panel.slider.value = -0.4
    assert (G.f_calls - calls[0], G.h_calls - calls[1], len(packed)) == (1, 0, 2)


def test_the_line_around_a_region_follows_it(dissection):
    renderer = DissectionRenderer(Rigged(), "layer1", Colours(), dissection, outline=True)
    plain = renderer.start("red")
    left, right, none = (replace(plain, region=(line,) * 8) for line in ((1,) * 4 + (0,) * 4, (0,) * 4 + (1,) * 4,
                                                                         (0,) * 8))
    before = [renderer.render(state).before for state in (plain, left, right, none, left)]
    assert before[0] == before[3] and before[1] == before[4] and len({*before}) == 3
