"""What holds for both panels that play: one plays at most, frames come when the page asks, errors are told."""

import pytest
from panels import evolution_lab, wait_for

from gan_teach.widgets import WarmUpPanel


def players():
    made = WarmUpPanel()
    made.speed.value = "fast"
    return made


# how it is made, how far it has come, the button of one move, what a frame holds
PANELS = {"evolution": (evolution_lab, lambda it: it.lab.evolution.generation, "one",
                        ("gt-evo-main", "gt-evo-children", "gt-evo-main_note", "gt-evo-text")),
          "warm-up": (players, lambda it: it.game.steps_g, "both", ("gt-plane", "gt-chart", "gt-verdict"))}


@pytest.fixture(params=PANELS)
def played(request):
    make, far, move, parts = PANELS[request.param]
    panel = make()
    yield panel, lambda: far(panel), lambda: getattr(panel, move).click(), parts, make
    panel.close()


def test_running_the_cell_again_leaves_one_that_plays(played):
    first, far, _, _, make = played
    first.play.click()
    wait_for(lambda: far() > 1)
    second = make()
    n = far()
    assert not first.runner.playing and first.play.description == "▶ Play"
    first.play.click()
    second.play.click()
    assert second.runner.playing and not first.runner.playing and far() >= n
    second.close()


@pytest.mark.parametrize("playing", [False, True])
def test_an_error_is_told_and_the_panel_lives_on(played, playing, monkeypatch):
    panel, far, move, _, _ = played

    def broken(*_, **__):
        raise RuntimeError("out of <memory>")

    works, step = (panel.lab.evolution, "evaluate") if hasattr(panel, "lab") else (panel.game, "step_g")
    with monkeypatch.context() as patch:
        patch.setattr(works, step, broken)
        panel.play.click() if playing else move()
        wait_for(lambda: panel.error.value)
    assert "out of &lt;memory&gt;" in panel.error.value and panel.ADVICE in panel.error.value
    assert not panel.runner.playing and panel.play.description == "▶ Play"
    panel.reset.click()
    move()
    assert far() == 1 and not panel.error.value


def test_a_play_sends_one_message_for_a_frame_and_only_when_the_page_asks(played, monkeypatch):
    panel, far, _, parts, _ = played
    monkeypatch.setattr(panel, "UNASKED", 1e9)
    sent, told, pulse = [], [], panel.pulse

    def beats() -> bool:
        return getattr(pulse.widget, pulse._switch)             # named otherwise by ipywidgets 7

    panel.scene.observe(lambda change: sent.append(change["new"]), "value")
    pulse.widget.value = 1                                # a page has shown itself
    panel.play.click()
    wait_for(lambda: far() > 5 and panel._stale)
    for other in (panel.spoken, panel.error, panel.play, panel.seed, panel.data):
        other.observe(told.append)
    assert beats() and not sent
    pulse.widget.value = 2
    assert len(sent) == 1 and not told and all(part in sent[0] for part in parts) and "<svg" in sent[0]
    n = far()
    wait_for(lambda: far() > n + 5)
    assert len(sent) == 1
    panel.play.click()                                          # the last one comes unasked
    assert len(sent) == 2 and sent[1] == panel.frame.html() and not beats()
    pulse.widget.value = 3
    assert len(sent) == 2                                       # nothing new, nothing sent
