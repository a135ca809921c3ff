"""Painting, without a browser: strokes and masks, undo and redo, what is edited and counted, and the panel's controls.

The rigged generator's unit 0 draws red, unit 1 green, unit 2 blue, each exactly where it is on.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import LEVELS, RANKINGS, Colours, Rigged, draw, shown

from gan_teach.dissection.intervention import ablate, insert
from gan_teach.dissection.unit_iou import dissect
from gan_teach.dissection.units import Ranking
from gan_teach.pictures import as_array, png, to_uint8
from gan_teach.widgets import PaintPanel
from gan_teach.widgets.dissection.paint_canvas import PaintGrid, paint_canvas
from gan_teach.widgets.dissection.paint_render import PaintRenderer, PaintState, Stroke, stroke_mask
from gan_teach.widgets.panel import History


def stroke(*points, action="add", cls="red", **more):
    return Stroke(action, cls, points, **{"brush": 2.0, "units": 1, **more})


@pytest.fixture()
def renderer():
    return PaintRenderer(Rigged(), "layer1", Colours(), RANKINGS, LEVELS)


@pytest.fixture(params=["auto", "buttons"])
def panel(request):
    return PaintPanel(Rigged(), "layer1", Colours(), RANKINGS, LEVELS, units=1, paint=request.param)


# ------------------------------------------------------------------------------------------ strokes and masks

point = st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2))


@settings(max_examples=15, deadline=None)
@given(st.lists(point, min_size=1, max_size=4), st.floats(0.5, 9), st.sampled_from([(12, 12), (9, 15)]))
def test_mask_is_the_pixels_near_the_line(points, brush, size):
    """Every pixel's distance to the line, found by walking along it, against the formula."""
    mask = stroke_mask(points, brush, size)
    radius, (H, W) = max(brush, 2 ** 0.5) / 2, size
    walk = []
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[-1]], strict=True):
        walk += [((x0 + (x1 - x0) * t / 100) * W, (y0 + (y1 - y0) * t / 100) * H) for t in range(101)]
    for i in range(0, H, 3):
        for j in range(0, W, 3):
            gap = min((x - j - 0.5) ** 2 + (y - i - 0.5) ** 2 for x, y in walk) ** 0.5
            if abs(gap - radius) > 0.1:
                assert bool(mask[i, j]) == (gap < radius)


@settings(max_examples=15, deadline=None)
@given(st.lists(point, min_size=1, max_size=4), st.floats(1, 12))
def test_where_is_the_share_of_each_place_that_the_line_covers(points, brush):
    """Over the largest share: the middle of a stroke is wholly on, its edge is soft."""
    mask = stroke_mask(points, brush, (32, 32))
    where = PAINTER.where(stroke(*points, brush=brush))
    assert where.shape == (1, 1, 8, 8)
    covered = torch.zeros(8, 8)
    for row in range(8):
        for column in range(8):
            covered[row, column] = sum(bool(mask[i, j]) for i in range(4 * row, 4 * row + 4)
                                       for j in range(4 * column, 4 * column + 4)) / 16
    assert torch.allclose(where[0, 0], covered / max(covered.max().item(), 1e-9))


PAINTER = PaintRenderer(Rigged(), "layer1", Colours(), RANKINGS, LEVELS)


def test_a_long_stroke_is_cut_into_pieces_without_a_seam():
    points = [(i / 299, 0.5) for i in range(300)]
    assert (stroke_mask(points, 4, (32, 32)) == stroke_mask([points[0], points[-1]], 4, (32, 32))).all()
    assert not stroke_mask([], 4, (32, 32)).any()


# ------------------------------------------------------------------------------------------ undo and redo

@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["undo", "redo"])), max_size=40))
def test_undo_and_redo_walk_along_the_states(acts):
    """Against a list and a position in it."""
    history, states, at = History(PaintState()), [PaintState()], 0
    for act in acts:
        if act == "undo":
            history, at = history.undo(), max(at - 1, 0)
        elif act == "redo":
            history, at = history.redo(), min(at + 1, len(states) - 1)
        elif PaintState(act) != states[at]:
            states, at = [*states[:at + 1], PaintState(act)], at + 1
            history = history.push(PaintState(act))
        else:
            assert history.push(PaintState(act)) is history
        assert history.present == states[at]
        assert history.past == tuple(states[:at]) and history.future == tuple(states[at + 1:])


# ------------------------------------------------------------------------------------------ what is edited

def test_strokes_are_eq3_one_after_the_other(renderer):
    strokes = (stroke((0.1, 0.1), (0.6, 0.1), cls="red"), stroke((0.5, 0.0), (0.5, 0.9), cls="green", strength=0.5),
               stroke((0.1, 0.1), action="remove", cls="red", units=2))
    r, f, _, _ = renderer.scene(3)
    P = [renderer.where(s)[0, 0] for s in strokes]
    expected = ablate(insert(insert(r, [0], P[0], 1.0), [1], P[1], 1.0, 0.5), [0, 3], P[2])
    state = PaintState(3, strokes)
    assert torch.allclose(renderer.edited(state), expected, atol=1e-6)
    assert renderer.render(state).after == png(f(renderer.edited(state))[0])


def test_strength_above_one_raises_the_level_and_takes_no_more_than_all(renderer):
    r = renderer.scene(0)[0]
    here = stroke((0.5, 0.5), strength=2.5, units=2)
    assert renderer.edit(r, here)[0, [0, 3], 4, 4].tolist() == [2.5, 2.5]
    gone = renderer.edit(r, stroke((0.5, 0.5), strength=2.5, units=2, action="remove"))
    assert gone[0, [0, 3], 4, 4].tolist() == [0, 0]


def test_counts_say_what_was_asked_and_what_came(renderer):
    """Red asked for in a corner: four places of 4×4 pixels; the segmenter's labels say how many became red."""
    state = PaintState(5, (stroke((1 / 8, 1 / 8), brush=4.0),))
    frame = renderer.render(state)
    before, after = (as_array(p) for p in (frame.before, frame.after))
    assert frame.cells.count("+") == 4 and [frame.cells[i] for i in (0, 1, 8, 9)] == ["+"] * 4
    x, x_new = (renderer.scene(5)[1](r) for r in (renderer.scene(5)[0], renderer.edited(state)))
    assert (before == to_uint8(x[0])).all() and (after == to_uint8(x_new[0])).all()
    was, now = (Colours()(p).argmax(1)[0] == 1 for p in (x, x_new))
    tally, = frame.tallies
    corner = torch.zeros(32, 32, dtype=torch.bool)
    corner[:8, :8] = True
    assert tally.asked == int((corner & ~was).sum()) > 0
    assert tally.came == int((corner & ~was & now).sum()) > 0
    assert (tally.before, tally.after) == (int(was.sum()), int(now.sum()))
    assert frame.outside == 0 and f"{tally.asked} pixels asked, {tally.came} appeared" in frame.text
    assert (before[8:] == after[8:]).all() and (before[:, 8:] == after[:, 8:]).all()


def test_what_the_network_refuses_is_seen_as_a_number(renderer):
    """Unit 3 draws nothing: asked for, and none came."""
    refusing = PaintRenderer(Rigged(), "layer1", Colours(), {"red": [3]}, LEVELS)
    tally, = refusing.render(PaintState(5, (stroke((0.5, 0.5), brush=8.0),))).tallies
    assert tally.asked > 0 and tally.came == 0
    r = renderer.scene(5)[0]
    i, j = (r[0, 0] > 0).nonzero()[0].tolist()
    spot = ((j + 0.5) / 8, (i + 0.5) / 8)
    tally, = renderer.render(PaintState(5, (stroke(spot, action="remove"),))).tallies
    assert tally.asked == tally.came == 16 == tally.before - tally.after


def test_what_makes_no_sense_is_refused():
    for arguments, message in ((("layer9", Colours(), RANKINGS), "layer1"),
                               (("layer1", Colours(), {"red": [7]}), "units 0 to 5"),
                               (("layer1", Colours(), {"rde": [0]}), "did you mean 'red'")):
        with pytest.raises(ValueError, match=message):
            PaintRenderer(Rigged(), *arguments)


def test_a_stroke_costs_one_f_and_no_h(renderer):
    one = PaintState(0, (stroke((0.2, 0.2)),))
    renderer.render(one)
    calls = renderer.G.f_calls, renderer.G.h_calls
    edits, edit = [], renderer.edit
    renderer.edit = lambda r, s: edits.append(s) or edit(r, s)
    two = PaintState(0, (*one.strokes, stroke((0.7, 0.7))))
    renderer.render(two)
    assert (renderer.G.f_calls - calls[0], renderer.G.h_calls - calls[1]) == (1, 0)
    assert edits == [two.strokes[1]]


def test_a_dissection_ranks_and_levels_are_measured():
    dissection = dissect(Rigged(), "layer1", Colours(), samples=40, quantile=0.2, progress=False)
    panel = PaintPanel(Rigged(), "layer1", Colours(), dissection, cls="green", units=1)
    assert [value for _, value in panel.cls.options] == ["dark", "red", "green", "blue"] and not panel.error.value
    assert panel.renderer.rankings["green"][0] == 1 and 0.2 < panel.renderer.level("green")[1] < 1.3
    assert "by IoU" in panel.order.value
    panel.strength.value = 3.0              # k is a mean; three times that outshines every other colour
    draw(panel, (0.1, 0.1))
    assert panel.frame.tallies[0].came == panel.frame.tallies[0].asked > 0


# ------------------------------------------------------------------------------------------ the panel

def test_it_opens_on_the_unpainted_scene(panel):
    assert panel.frame.before == panel.frame.after and not panel.error.value
    assert panel.undo.disabled and panel.redo.disabled and "Nothing is painted" in panel.tallies.value
    assert 'alt="the scene of seed 0' in panel.before.value


def test_a_stroke_is_drawn_with_the_tool_chosen(panel):
    panel.cls.value, panel.brush.value, panel.action.value = "blue", 5, "remove"
    draw(panel, (0.2, 0.2), (0.4, 0.2))
    assert panel.state.strokes == (Stroke("remove", "blue", ((0.2, 0.2), (0.4, 0.2)), 5.0, 1, 1.0),)
    assert panel.canvas.action == "remove" and panel.canvas.brush == 5
    assert "blue" in panel.tallies.value and not panel.undo.disabled


def test_a_growing_stroke_is_one_step(panel):
    draw(panel, (0.1, 0.1), id=7, done=False)
    draw(panel, (0.1, 0.1), (0.5, 0.1), id=7, done=False)
    shown = panel.frame.after
    draw(panel, (0.1, 0.1), (0.9, 0.1), id=7)
    assert len(panel.state.strokes) == 1 and panel.frame.after != shown
    assert panel.canvas.answered == panel.canvas.stroke["seq"]
    panel.undo.click()
    assert panel.state.strokes == () and panel.frame.after == panel.frame.before
    panel.redo.click()
    assert panel.state.strokes[0].points[-1] == (0.9, 0.1)


def test_what_comes_late_of_an_undone_stroke_is_left_out(panel):
    draw(panel, (0.1, 0.1), id=7, done=False)
    panel.undo.click()
    draw(panel, (0.1, 0.1), (0.9, 0.1), id=7)
    assert panel.state.strokes == () and panel.canvas.answered == panel.canvas.stroke["seq"]
    draw(panel, (0.5, 0.5), id=8)
    assert len(panel.state.strokes) == 1


def test_the_sliders_tune_the_last_stroke(panel):
    draw(panel, (0.3, 0.3))
    panel.strength.value = 2.0
    assert panel.state.strokes[-1].strength == 2.0 and panel.frame == panel.renderer.render(panel.state)
    panel.undo.click()
    assert panel.state.strokes[-1].strength == 1.0 == panel.strength.value


def test_nonsense_from_a_front_end_is_told(panel):
    panel.canvas.stroke = {"id": 99, "seq": 99, "points": [["x"]], "done": True}
    assert "That did not work" in panel.error.value and panel.canvas.answered == 99
    panel.reset.click()
    draw(panel, (0.7, 0.7))
    assert not panel.error.value and len(panel.frame.tallies) == 1


def test_buttons_dab_where_they_stand():
    panel = PaintPanel(Rigged(), "layer1", Colours(), RANKINGS, LEVELS, units=1, paint="buttons")
    grid = panel.canvas
    assert isinstance(grid, PaintGrid) and len(grid.buttons) == 64 and grid.buttons[9].tooltip == "row 2, column 2"
    panel.brush.value = 2
    grid.buttons[8 * 2 + 5].click()
    assert panel.frame.cells == "0" * 21 + "+" + "0" * 42 and grid.buttons[21].description == "+"
    panel.action.value = "remove"
    grid.buttons[0].click()
    assert grid.buttons[0].description == "−" and len(panel.state.strokes) == 2
    assert as_array(shown(grid.image)).shape == (448, 448, 3)
    panel.outline.value = False
    assert {b.description for b in grid.buttons} == {"·"}
    panel.undo.click()
    panel.outline.value = True
    assert grid.buttons[0].description == "·" and grid.buttons[21].description == "+"
    large = paint_canvas((32, 32), 512, 64, "buttons")
    assert len(large.buttons) == 256
    large.buttons[17].click()
    assert large.stroke["points"] == [[1.5 / 16, 1.5 / 16]]


def test_other_units_may_add_than_remove_and_a_reader_s_insert_is_used():
    asked = []

    def mine(r, units, where, level):
        asked.append((list(units), tuple(where.shape)))
        return insert(r, units, where, level)

    one = PaintRenderer(Rigged(), "layer1", Colours(), RANKINGS, LEVELS, adders={"red": [1]}, insert=mine)
    r = one.scene(0)[0]
    added, removed = (one.edit(r, stroke((0.5, 0.5), action=action)) for action in ("add", "remove"))
    assert asked == [([1], (8, 8))] and (added[:, 1] != r[:, 1]).any() and torch.equal(added[:, 0], r[:, 0])
    assert (removed[:, 0] != r[:, 0]).any() and torch.equal(removed[:, 1], r[:, 1])


def test_the_units_that_add_a_class_are_found_once_when_it_is_chosen():
    asked, panel = [], None

    def find(cls):
        asked.append(cls)
        assert panel is None or "One moment" in panel.order.value
        score = torch.full((6,), -math.inf)
        score[2] = 1
        return [1] if cls == "red" else Ranking(cls, score, score, by="α")

    panel = PaintPanel(Rigged(), "layer1", Colours(), RANKINGS, LEVELS, cls="red", adders=find)
    assert asked == ["red"] and "as they were given" in panel.order.value
    panel.cls.value = "green"
    assert asked == ["red", "green"] and "by α" in panel.order.value
    panel.action.value = "remove"
    assert "as they were given" in panel.order.value
    panel.action.value = "add"
    draw(panel, (0.5, 0.5))
    panel.cls.value = "red"
    assert asked == ["red", "green"] and panel.renderer.adders("green") == [2] and not panel.error.value


def test_a_stroke_that_forces_units_far_off_is_drawn_all_the_same():
    panel = PaintPanel(Rigged(), "layer1", Colours(), RANKINGS, {cls: torch.full((6,), 1000.0) for cls in RANKINGS})
    draw(panel, (0.5, 0.5))
    assert not panel.error.value and panel.frame.after != panel.frame.before and panel.frame.tallies


@pytest.mark.parametrize("options, message", [
    ({"rankings": {}}, "no class to paint"), ({"adders": 5}, "adders are a dict .* got a int"),
    ({"adders": {"rde": [0]}}, "did you mean 'red'"), ({"units": "a"}, "units must be a whole number from 1"),
    ({"units": 0}, "units must be"), ({"strength": math.nan}, "strength must be a finite"),
    ({"strength": 4}, "strength must be a number from 0.25 to 3"), ({"levels": {"red": [1, 2]}}, "but 2 levels"),
    ({"levels": "high"}, "level must be numbers"), ({"levels": math.nan}, "level: NaN")])
def test_what_makes_no_sense_is_refused_when_the_panel_is_made(options, message):
    with pytest.raises(ValueError, match=message):
        PaintPanel(Rigged(), "layer1", Colours(), **({"rankings": RANKINGS, "levels": LEVELS} | options))
