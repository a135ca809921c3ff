"""The panel of the warm-up, played from code."""

import itertools
import time
from types import SimpleNamespace

import pytest
import torch
from panels import wait_for

from gan_teach.egan.warm_up import DATA, Game, saturating_g
from gan_teach.pictures import as_array
from gan_teach.widgets.egan.warm_up import SPEEDS, WarmUpPanel
from gan_teach.widgets.egan.warm_up_render import chart, frame
from gan_teach.worlds.gaussians import drawn, heart

torch.set_num_threads(1)


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


@pytest.fixture
def panel():
    panel = WarmUpPanel()
    yield panel
    panel.runner.pause()


def steps(panel):
    return panel.game.steps_d, panel.game.steps_g


def test_the_players_move_by_hand_and_back_takes_it_back(panel):
    shown = [panel.frame]
    for button, after in ((panel.d, (1, 0)), (panel.g, (1, 1)), (panel.both, (2, 2))):
        button.click()
        assert steps(panel) == after and panel.frame.picture != shown[-1].picture
        assert panel.scene.value == panel.frame.html() and not panel.error.value
        shown.append(panel.frame)
    assert len(panel.history) == 4 and "D 2, G 2" in panel.frame.text
    for before in reversed(shown[:-1]):
        panel.back.click()
        assert panel.frame.picture == before.picture and panel.frame.chart == before.chart
    panel.back.click()
    assert steps(panel) == (0, 0) and len(panel.history) == 1


def test_it_says_who_has_moved(panel):
    panel.d.click()
    assert "D has learnt" in panel.frame.text and panel.frame.text in panel.spoken.value
    assert 'aria-live="polite"' in panel.spoken.value
    panel.g.click()
    assert "G has learnt" in panel.frame.text


def test_the_rate_is_ds_steps_for_each_of_g(panel):
    panel.rate.value = 20
    panel.both.click()
    assert steps(panel) == (20, 1)
    panel.d.click()
    assert steps(panel) == (40, 1)


def test_it_plays_beside_the_kernel_and_pauses_on_a_whole_move(panel):
    panel.speed.value = "fast"
    panel.play.click()
    assert "Pause" in panel.play.description
    wait_for(lambda: panel.game.steps_g > 25)
    assert "Pause" in panel.play.description and "D 0, G 0" in panel.spoken.value      # nothing is read out meanwhile
    panel.play.click()
    assert not panel.runner.playing and "Play" in panel.play.description
    d, g = steps(panel)
    assert d == g and len(panel.history) == g + 1 and f"D {d}, G {g}" in panel.frame.text
    time.sleep(0.05)
    assert steps(panel) == (d, g)
    panel.back.click()
    assert g - 20 <= panel.game.steps_g < g


def test_a_play_equals_as_many_moves_by_hand(panel):
    panel.speed.value = "fast"
    panel.play.click()
    wait_for(lambda: panel.game.steps_g > 5)
    panel.play.click()
    twin = Game()
    for _ in range(panel.game.steps_g):
        twin.round()
    assert torch.equal(weights(twin.G), weights(panel.game.G)) and torch.equal(weights(twin.D), weights(panel.game.D))


def test_slowly_the_players_take_turns(panel, monkeypatch):
    panel.speed.value = "slow"
    assert panel.runner.interval == SPEEDS["slow"]
    seen = []
    for _ in range(4):
        panel._act()
        seen.append(steps(panel))
    assert seen == [(1, 0), (1, 1), (2, 1), (2, 2)]


def test_another_game_starts_anew_and_reset_restores(panel):
    first = panel.frame.picture
    panel.both.click()
    panel.data.value = "ring of 8"
    assert steps(panel) == (0, 0) and panel.game.data is DATA["ring of 8"] and len(panel.history) == 1
    assert panel.frame.picture != first
    panel.data.value = "a wave"
    assert panel.frame.picture == first
    panel.seed.value = 5
    assert panel.frame.picture != first and panel.game.seed == 5
    panel.seed.value = 0
    panel.loss.value = "saturating"
    assert panel.game.loss_g is saturating_g
    panel.loss.value = "non-saturating"
    panel.d.click()
    panel.speed.value = "fast"
    panel.play.click()
    panel.reset.click()
    assert not panel.runner.playing and steps(panel) == (0, 0) and panel.frame.picture == first


def test_what_is_painted_is_what_g_learns(panel):
    assert panel.canvas is None
    panel.data.value = "my drawing"
    assert panel.game.data == drawn(heart()) and panel.easel.layout.display == "" and not panel.error.value
    mine = "1" * 40 + "0" * 360
    panel.canvas.mask = mine
    assert panel.game.data == drawn(mine) and steps(panel) == (0, 0)
    panel.both.click()
    panel.easel.children[-1].click()                            # Clear: the game goes on until there is a new drawing
    assert panel.game.data == drawn(mine) and steps(panel) == (1, 1) and "Paint something" in panel.error.value
    panel.data.value = "a wave"
    assert panel.easel.layout.display == "none" and panel.game.data is DATA["a wave"]


def test_a_page_that_never_asks_gets_a_frame_now_and_then(panel, monkeypatch):
    """By a clock that is a second later whenever it is looked at."""
    looks = itertools.count(time.monotonic() + 60)
    monkeypatch.setattr("gan_teach.widgets.playing.time", SimpleNamespace(monotonic=looks.__next__))
    monkeypatch.setattr(panel, "UNASKED", 10)
    sent = []
    panel.scene.observe(lambda change: sent.append(next(looks)), "value")
    panel.speed.value = "fast"
    panel.play.click()
    wait_for(lambda: len(sent) > 3)
    panel.play.click()
    assert all(b - a >= 9 for a, b in zip(sent, sent[1:-1]))


def test_a_page_that_lost_its_count_is_knocked_at(panel, monkeypatch):
    monkeypatch.setattr(panel.pulse, "PATIENCE", 0.05)
    switched = []
    panel.pulse.widget.observe(lambda change: switched.append(change["new"]), "playing")
    panel.play.click()
    wait_for(lambda: len(switched) > 3)
    panel.play.click()
    assert switched[:4] == [True, False, True, False] and switched[-1] is False


def test_frames_are_pure_and_lines_can_be_left_out(panel):
    game, history = panel.game, panel.history
    for _ in range(10):
        game.step_d()
    one = frame(game, history)
    assert one == frame(game, history)
    assert as_array(one.picture).shape == (432, 432, 3)
    panel.pushes.value = False
    assert panel.frame.picture == frame(game, history, pushes=False).picture != one.picture


def test_the_chart_says_in_words_what_it_draws(panel):
    panel.game.step_d()
    v = panel.game.verdicts()
    svg = chart([v] * 3)
    assert f"real points now {v.real:.2f}" in svg and "2 moves" in svg and svg.count("<polyline") == 2
    assert "stroke-dasharray=\"6 4\"" in svg                # not by colour alone
