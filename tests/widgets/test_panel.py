"""The dissection panel, driven from code: a rigged generator whose unit 0 draws red, unit 1 green, unit 2 blue."""

import threading
import time

import pytest
import torch

from gan_teach.dissection.intervention import ablate
from gan_teach.dissection.unit_iou import dissect
from gan_teach.dissection.units import Ranking
from gan_teach.pictures import as_array
from gan_teach.widgets.dissection import paint_mask
from gan_teach.widgets.dissection.panel import EVERYWHERE, IN_PLACE, PAINTED, DissectionPanel
from gan_teach.widgets.dissection.render import DissectionState, Renderer


class Rigged:
    """Units 0, 1, 2 are red, green, blue at 8×8; units 3 to 5 draw nothing."""

    layers, z_dim = ("layer1",), 4

    def __init__(self):
        self.grad, self.f_calls, self.h_calls = [], 0, 0

    def at(self, z, layer):
        self.h_calls += 1
        draw = torch.Generator().manual_seed(int(z.abs().sum() * 1000))
        r = torch.rand(len(z), 6, 8, 8, generator=draw)
        r[:, :3] *= (torch.rand(len(z), 1, 8, 8, generator=draw) * 3).long() == torch.arange(3).view(1, 3, 1, 1)
        r[:, :3] += 0.2 * (r[:, :3] > 0)

        def f(r):
            self.f_calls += 1
            self.grad.append(torch.is_grad_enabled())
            return torch.nn.functional.interpolate(r[:, :3], size=(32, 32)) * 2 - 1
        return r, f

    def __call__(self, z):
        r, f = self.at(z, "layer1")
        return f(r)


class Colours:
    """The segmenter to it: the strongest colour, or dark."""

    classes = ("dark", "red", "green", "blue")

    def __call__(self, x):
        return torch.cat([torch.full_like(x[:, :1], -0.8), x], 1)


@pytest.fixture(scope="module")
def dissection():
    return dissect(Rigged(), "layer1", Colours(), samples=40, quantile=0.2, progress=False)


@pytest.fixture(params=["auto", "buttons"])
def panel(request, dissection):
    return DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red", paint=request.param)


def test_it_opens_with_the_matching_unit_ticked_and_nothing_changed(panel):
    assert panel.state.units[0] == 0 and panel.state.strength == 0 and not panel.error.value
    assert panel.frame.before == panel.frame.after == bytes(panel.after.value)
    assert panel.frame.counts_before == panel.frame.counts_after
    assert len(panel.ticks) == 6 and panel.ticks[0].value and panel.ticks[0].description.startswith("0: IoU 0.")
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
    panel._tick_only([0])
    panel.remove.click()
    assert panel.slider.value == -1 and panel.frame.counts_after["red"] == 0
    panel.force.click()
    assert panel.slider.value == 1 and panel.frame.counts_after["red"] > panel.frame.counts_before["red"]


def test_undo_goes_back_step_by_step(panel):
    states = [panel.state]
    panel.remove.click()
    states.append(panel.state)
    panel.cls.value = "green"
    states.append(panel.state)
    panel.next.click()
    for state in reversed(states):
        panel.undo.click()
        assert panel.state == state and panel.cls.value == state.cls and panel.seed.value == state.seed
        assert panel.slider.value == state.strength
    panel.undo.click()
    assert panel.state == states[0]


def test_a_drag_is_one_step(panel):
    for value in (-0.1, -0.3, -0.6, -1):
        panel.slider.value = value
    panel.undo.click()
    assert panel.state.strength == 0 and panel.slider.value == 0
    panel.reset.click()
    panel.undo.click()                                     # a reset that changed nothing is no step
    assert panel.state.strength == 0


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
    assert len(panel.state.units) == 6 and panel.frame.counts_after["dark"] == 1024


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


def test_removal_in_place_spares_the_rest_and_says_so(panel):
    """Units 0 and 1 at 0 only where red is: the green far from it stays."""
    panel._tick_only([0, 1])
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
        it._tick_only([0])
        it.slider.value = -1
    assert asked == [[0]] and panel.frame == ours.frame and panel.frame.counts_after != panel.frame.counts_before
    panel.cls.value = "blue"
    assert panel.ticks[0].description.startswith("2: IoU 0.")


def test_buttons_paint_and_unfold_only_when_needed():
    painter = paint_mask.painter(4, 4, paint="buttons")
    assert painter.grid.layout.display == "none"
    painter.active = True
    painter.buttons[5].value = True
    assert painter.grid.layout.display == "grid" and painter.mask == "0000010000000000"
    painter.mask = "1" + "0" * 15
    assert [b.value for b in painter.buttons] == [True] + [False] * 15
    large = paint_mask.painter(32, 32, paint="buttons")
    large.buttons[0].value = True
    assert len(large.buttons) == 256 and large.mask.count("1") == 4


def test_without_anywidget_buttons_take_its_place_and_one_sentence_says_so(monkeypatch, dissection, capsys):
    monkeypatch.setattr(paint_mask, "anywidget", None)
    monkeypatch.setattr(paint_mask, "_told", set())
    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection)
    said = capsys.readouterr().out
    assert said.startswith("painting by drag is left out, buttons") and said.count("\n") == 1
    assert isinstance(panel.paint, paint_mask.PaintButtons) and not panel.error.value
    with pytest.raises(ImportError, match="pip install anywidget"):
        paint_mask.painter(8, 8, paint="drag")
    with pytest.raises(ValueError, match="buttons"):
        paint_mask.painter(8, 8, paint="mouse")


def test_an_error_is_told_and_the_panel_lives_on(panel):
    shown, at = panel.frame, panel.renderer.G.at

    def broken(z, layer):
        raise RuntimeError("out of <memory>")

    panel.renderer.G.at = broken
    panel.next.click()
    assert "out of &lt;memory&gt;" in panel.error.value and "Press Reset" in panel.error.value
    assert panel.frame is shown                             # the last pictures stay
    panel.renderer.G.at = at
    panel.next.click()
    assert not panel.error.value and panel.frame is not shown
    panel.slider.value = -1
    assert panel.frame.counts_after["red"] == 0


def test_render_is_pure_and_never_raises(dissection):
    renderer = Renderer(Rigged(), "layer1", Colours(), dissection, level=1.0)
    state = DissectionState("red", (0,), 2, -0.5)
    assert renderer.render(state) == renderer.render(state)
    for wrong in (DissectionState("purple", (0,)), DissectionState("red", (99,), 0, 1.0),
                  DissectionState("red", (0,), 0, 1.0, ((1, 0), (0, 1)))):
        assert "Press Reset" in renderer.render(wrong).error
    with pytest.raises(ValueError, match="layer1"):
        Renderer(Rigged(), "layer9", Colours(), dissection)


def test_level_may_be_a_number_a_tensor_or_a_dict(dissection):
    state = DissectionState("red", (0,), 0, 1.0)
    frames = [Renderer(Rigged(), "layer1", Colours(), dissection, level=level).render(state)
              for level in (1.0, torch.ones(6), {"red": torch.ones(6)})]
    assert frames[0] == frames[1] == frames[2] and frames[0].counts_after["red"] > frames[0].counts_before["red"]


def test_a_slider_move_costs_one_f_and_no_h(dissection):
    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red")
    G = panel.renderer.G
    calls = G.f_calls, G.h_calls
    panel.slider.value = -0.4
    assert (G.f_calls - calls[0], G.h_calls - calls[1]) == (1, 0)


def test_callbacks_in_another_thread_keep_no_graph(dissection):
    """The grad mode is a thread's own: `set_grad_enabled(False)` in a cell does not reach the callbacks."""
    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red")
    panel.renderer.G.grad.clear()

    def drag():
        assert torch.is_grad_enabled()
        panel.slider.value = -0.7
        panel.force.click()

    thread = threading.Thread(target=drag)
    thread.start()
    thread.join(20)
    assert panel.renderer.G.grad and not any(panel.renderer.G.grad) and not panel.error.value


def test_the_latest_value_wins(dissection):
    panel = DissectionPanel(Rigged(), "layer1", Colours(), dissection, cls="red")
    render, drawn = panel.renderer.render, []

    def slow(state):
        drawn.append(state.strength)
        time.sleep(0.15)
        return render(state)

    panel.renderer.render = slow
    threads = [threading.Thread(target=setattr, args=(panel.slider, "value", -i / 10)) for i in range(1, 11)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join(20)
    assert drawn[-1] == panel.state.strength == -1 and len(drawn) < 8
    assert panel.frame == render(panel.state)


def test_test_hooks_and_display(panel, capsys):
    hooks = set()

    def walk(widget):
        hooks.update(widget._dom_classes)
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(panel.widget)
    if not isinstance(panel.paint, paint_mask.PaintButtons):
        hooks.add("gt-before") if 'className = "gt-before"' in paint_mask.ESM else None
    assert {"gt-class", "gt-slider", "gt-before", "gt-after", "gt-pixels", "gt-remove", "gt-reset", "gt-next",
            "gt-seed", "gt-undo", "gt-force", "gt-error"} <= hooks
    panel._ipython_display_()
