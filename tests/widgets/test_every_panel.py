"""What holds for every panel: Undo, errors, threads, what replaces anywidget, and that closed panels leave nothing."""

import gc
import re
import threading
import time
import weakref
from dataclasses import replace

import browser
import ipywidgets as widgets
import pytest
import torch
from panels import KINDS, LEVELS, RANKINGS, Colours, Rigged, evolution, evolution_lab, generator, mutations, \
    projection, warm_up

from gan_teach import widgets as ours
from gan_teach.runner import _latest
from gan_teach.widgets import front_end
from gan_teach.widgets.dissection.paint_canvas import PaintGrid, paint_canvas
from gan_teach.widgets.paint_mask import PaintButtons, mask_canvas
from gan_teach.widgets.panel import MOST_UNDO, DrawnPanel, History, Panel
from gan_teach.widgets.stylegan.mixer_grid import MixLists, mix_grid

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.fixture(scope="module", autouse=True)
def _only_what_is_new():
    """What was there before is no panel's: set aside, it costs the garbage collector nothing."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def panel(kind):
    made, _ = kind.make()
    yield made
    made.close()


def settled(panel):
    """When everything that was asked for is drawn."""
    return getattr(panel, "wait", lambda: True)()


def below(widget):
    """A widget and all in it."""
    return [widget, *(it for child in getattr(widget, "children", ()) for it in below(child))]


def controls(panel) -> list:
    """Where all controls stand; the paint of a region is kept while it does not count."""
    return [it.value for it in below(panel.widget)
            if hasattr(it, "value") and not isinstance(it, (widgets.HTML, widgets.ToggleButton))]


# ------------------------------------------------------------------------------------------ a state and its frames

@kinds
def test_undo_walks_back_and_redo_forth_and_the_controls_follow(kind, panel):
    states, stood = [panel.state], [controls(panel)]
    for act in kind.acts:
        act(panel)
        assert panel.state != states[-1] and not panel.error.value
        states.append(panel.state)
        stood.append(controls(panel))
    for step, way in ((panel.step_back, range(len(states) - 2, -1, -1)), (panel.step_forward, range(1, len(states)))):
        for i in way:
            step()
            assert panel.state == states[i] and controls(panel) == stood[i]
            assert panel.frame == panel.renderer.render(states[i])
        if hasattr(panel, "undo"):
            assert panel.undo.disabled == (i == 0)
        step()
        assert panel.state == states[i]                     # there is no more


def test_history_forgets_only_what_is_oldest_and_a_state_pushed_again_is_no_step():
    history = History(0)
    assert history.push(0) is history
    for state in range(1, MOST_UNDO + 50):
        history = history.push(state)
    for _ in range(MOST_UNDO + 50):
        history = history.undo()
    assert history.present == 49 and len(history.future) == MOST_UNDO


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.pulled], ids=str)
def test_a_pull_of_a_slider_is_one_step(kind, panel, monkeypatch):
    monkeypatch.setattr("gan_teach.widgets.panel.PULL", 1e9)
    slider = getattr(panel, kind.pulled)
    if kind.name.startswith("paint"):
        kind.acts[0](panel)
    before, stood = panel.state, slider.value
    for share in (0.7, 0.4, 0.1):
        slider.value = slider.max - round(share * (slider.max - slider.min) / slider.step) * slider.step
    pulled, end = panel.state, slider.value
    assert pulled != before
    panel.step_back()
    assert panel.state == before and slider.value == stood
    panel.step_forward()
    assert panel.state == pulled and slider.value == end
    panel._put(slider, end + 0.3 * slider.step)
    slider.value = end                                      # what a browser that rounds to the step sends back
    assert panel.state == pulled


@kinds
def test_render_is_pure_and_never_raises(kind, panel):
    act, *_ = kind.acts
    act(panel)
    state, frame = panel.state, panel.frame
    other, _ = kind.make()
    assert panel.renderer.render(state) == frame
    if kind.name != "mutations":                            # whose verdicts are drawn anew
        assert other.renderer.render(state) == frame
    for wrong in kind.wrong:
        assert panel.renderer.ADVICE in panel.renderer.render(replace(state, **wrong)).error
    assert panel.renderer.render(state) == frame and settled(panel)
    other.close()


@kinds
def test_an_error_is_told_and_the_panel_lives_on(kind, panel, monkeypatch):
    first, second, *_ = kind.acts
    shown = panel.frame

    def broken(state):
        raise RuntimeError("out of <memory>")

    monkeypatch.setattr(panel.renderer, "_render", broken)
    first(panel)
    assert "out of &lt;memory&gt;" in panel.error.value and panel.renderer.ADVICE in panel.error.value
    assert panel.frame is shown                             # the last pictures stay
    monkeypatch.undo()
    second(panel)
    assert not panel.error.value and settled(panel) and panel.frame == panel.renderer.render(panel.state)


def test_what_a_button_cannot_do_is_told(monkeypatch):
    panel, _ = mutations()
    monkeypatch.setattr(panel, "_sync", lambda: 1 / 0)
    panel.slider.value = 0.4
    panel.error.value = ""
    panel.reset.click()
    assert "division by zero" in panel.error.value and panel.ADVICE in panel.error.value


@pytest.mark.parametrize("name, changes, message", [
    ("mixer", {"layers": (99,)}, "there is no layer 99; this generator has layers 0 to 7"),
    ("mixer", {"layers": (-1,)}, "no layer -1"), ("mixer", {"noisy": (8,)}, "no layer 8"),
    ("mixer", {"psi": "abc"}, "ψ must be a finite number; got 'abc'"),
    ("mixer", {"psi": float("nan")}, "ψ must be a finite number"),
    ("mixer", {"psi": None}, "ψ must be a finite number; got None"),
    ("mixer", {"share": float("inf")}, "the share must be a finite number"),
    ("mixer", {"cutoff": 9}, "from 0 to 8; got 9"),
    ("mixer", {"noise": -3}, "the seed of the noise must be a whole number from 0 on; got -3"),
    ("mixer", {"sources": ()}, "give 1 to 8 sources"),
    ("mixer", {"destinations": tuple(range(9))}, "destinations each; got 9"),
    ("mixer", {"sources": (-5,)}, "-5 is no source"), ("mixer", {"sources": ("x",)}, "'x' is no source"),
    ("mixer", {"destinations": (1.5,)}, "1.5 is no destination"),
    ("mixer", {"model": "faces"}, "no model 'faces'; there are: one"),
    ("adain", {"layer": 8}, "no layer 8; this generator has layers 0 to 7"),
    ("adain", {"unit": 99}, "no unit 99; this layer has units"),
    ("adain", {"y_s": "wide"}, "y_s must be a finite number; got 'wide'"),
    ("adain", {"y_b": float("nan")}, "y_b must be a finite number"),
    ("adain", {"seed": -1}, "a seed must be a whole number from 0 on"), ("adain", {"model": "two"}, "no model 'two'"),
    ("noise", {"noisy": (8,)}, "no layer 8; this generator has layers 0 to 7"),
    ("noise", {"noise": -1}, "a seed must be a whole number from 0 on"),
    ("noise", {"seed": 0.5}, "a seed must be a whole number from 0 on"),
    ("noise", {"model": "two"}, "no model 'two'"),
    ("interpolation", {"alpha": 1.5}, "α must be a number from 0 to 1; got 1.5")])
def test_what_cannot_be_drawn_is_told_and_changes_nothing(name, changes, message):
    kind = next(kind for kind in KINDS if kind.name.startswith(name))
    panel, _ = kind.make()
    state, shown, stood = panel.state, panel.frame, controls(panel)
    panel.change(**changes)
    told = panel.error.value.replace("&#x27;", "'")
    assert message in told and "The picture stays as it was." in told, told
    assert panel.state == state and panel.frame is shown and controls(panel) == stood
    kind.acts[0](panel)                                     # and it lives on
    assert not panel.error.value and panel.state != state
    panel.close()


# name of `MAKERS` -> the box, and the seed that is used
SEEDS = {**{name: ("seed", lambda panel: panel.state.seed) for name in ("paint-auto", "remove-auto", "adain", "noise")},
         "interpolation": ("second", lambda panel: panel.state.second),
         "projection": ("seed", lambda panel: panel.seed.value),
         "evolution": ("seed", lambda panel: panel.lab.knobs.seed), "warm_up": ("seed", lambda panel: panel.game.seed)}


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_out_of_range_says_what_it_became(name):
    panel, _ = MAKERS[name]()
    box, used = getattr(panel, SEEDS[name][0]), SEEDS[name][1]
    most = 2**30 - 1 if name == "evolution" else 2**31 - 1                      # there each of four draws has its own
    for asked, became in ((-3, 0), (2**40, most)):
        box.value = asked
        assert box.value == used(panel) == became and f"{asked} became {became}" in panel.error.value
    box.value = 5
    assert used(panel) == 5
    panel.close()


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("panel", [ours.AdaINPanel, ours.NoisePanel, ours.StyleMixer])
def test_a_generator_of_another_precision_draws(panel, precision):
    made = panel(generator().to(precision))
    settled(made)
    assert made.error.value == "" and made.frame.error == ""
    made.close()


# ------------------------------------------------------------------------------------------ threads

@kinds
def test_the_newest_state_wins(kind, panel, monkeypatch):
    """While one picture is drawn more is asked for: nobody waits, and only the last state is drawn after it."""
    render, drawn, busy, go = panel.renderer.render, [], threading.Event(), threading.Event()

    def slow(state):
        drawn.append(state)
        busy.set()
        assert go.wait(20)
        return render(state)

    monkeypatch.setattr(panel.renderer, "render", slow)
    first = threading.Thread(target=kind.acts[0], args=(panel,))
    first.start()
    assert busy.wait(20)
    for act in (*kind.acts[1:-1], kind.acts[0]):
        act(panel)
    go.set()
    first.join(20)
    assert len(drawn) <= 2 and drawn[-1] == panel.state and panel.frame == render(panel.state)
    assert settled(panel) and not panel.error.value


def graphs() -> int:
    """The tensors that remember how they were computed."""
    gc.collect()
    return sum(type(it) is torch.Tensor and it.grad_fn is not None for it in gc.get_objects())


@kinds
def test_callbacks_in_another_thread_keep_no_graph(kind):
    """The grad mode is a thread's own: `set_grad_enabled(False)` in a cell does not reach the callbacks."""
    before = graphs()
    panel, network = kind.make()
    if isinstance(network, torch.nn.Module):
        network.requires_grad_(True)
    elif isinstance(network, Rigged):
        network.grad.clear()

    def drag():
        assert torch.is_grad_enabled()
        for act in kind.acts:
            act(panel)

    thread = threading.Thread(target=drag)
    thread.start()
    thread.join(60)
    assert settled(panel) and not panel.error.value and graphs() == before
    assert not any(getattr(network, "grad", ())) and len(panel.history.past) == len(kind.acts)
    panel.close()


# ------------------------------------------------------------------------------------------ widgets

@kinds
def test_only_core_widgets_and_all_of_them_with_their_hooks(kind, panel):
    """Tab, Accordion and Output break in Colab. A browser's test finds a control by its hook."""
    whole = below(panel.widget)
    assert not {type(it).__name__ for it in whole} & {"Tab", "Accordion", "Output"}
    hooks = {hook for it in whole for hook in it._dom_classes}
    assert "gt-error" in hooks and any(hook.endswith("-reset") for hook in hooks)
    panel._ipython_display_()


def heard(panel) -> list[str]:
    """What a reader who cannot see them hears of all pictures and charts."""
    found = []
    for it in below(panel.widget):
        assert not isinstance(it, widgets.Image)            # which has no alt text
        tags = re.findall("<(?:img|svg)[^>]*>", it.value) if isinstance(it, widgets.HTML) else []
        found += [re.search('(?:alt|aria-label)="([^"]*)"', tag)[1] for tag in tags]
        found += [it.alt] if isinstance(it, front_end.Picture) else []
    return found


@kinds
def test_every_picture_has_words_that_change_with_it(kind, panel):
    assert settled(panel)
    before = heard(panel)
    kind.acts[0](panel)
    assert settled(panel)
    after = heard(panel)
    assert len(before) == len(after) > 0 and all(word.strip() for word in (*before, *after)) and before != after


@pytest.mark.parametrize("name", ["projection", "evolution", "warm_up"])
def test_every_picture_of_a_play_has_words(name):
    panel, _ = MAKERS[name]()
    assert (words := heard(panel)) and all(word.strip() for word in words)
    panel.close()


STAND_INS = {                   # class -> panel, its sentence, what makes it, and the names of both ways
    PaintGrid: (lambda: ours.PaintPanel(Rigged(), "layer1", Colours(), RANKINGS, LEVELS).canvas,
                "painting by drag is left out, buttons", lambda way: paint_canvas((8, 8), 512, 64, way), "drag"),
    PaintButtons: (lambda: KINDS[2].make()[0].paint, "painting by drag is left out, buttons",
                   lambda way: mask_canvas(8, 8, paint=way), "drag"),
    MixLists: (lambda: ours.StyleMixer(generator())._grid, "choosing by click is left out, two lists",
               lambda way: mix_grid(500, way), "click")}


@pytest.mark.parametrize("kind", STAND_INS, ids=lambda kind: kind.__name__)
def test_without_anywidget_another_takes_its_place_and_one_sentence_says_so(kind, monkeypatch, capsys):
    panel, sentence, make, way = STAND_INS[kind]
    monkeypatch.setattr(front_end, "anywidget", None)
    monkeypatch.setattr(front_end, "_told", set())
    assert all(isinstance(panel(), kind) for _ in range(2))
    said = capsys.readouterr().out
    assert said.startswith(sentence) and said.count("\n") == 1
    with pytest.raises(ImportError, match="pip install anywidget"):
        make(way)
    with pytest.raises(ValueError, match=f'"auto", "{way}" or "(buttons|lists)"; got \'mouse\''):
        make("mouse")


# ------------------------------------------------------------------------------------------ the end

def worked(kind):
    def make():
        made, network = kind.make()
        kind.acts[0](made)                                                      # its worker has begun
        return made, network
    return make


MAKERS = {**{kind.name: worked(kind) for kind in KINDS}, "projection": projection, "evolution": evolution,
          "warm_up": warm_up}


def living() -> set:
    """The widgets that ipywidgets keeps."""
    return set(widgets.Widget._active_widgets if hasattr(widgets.Widget, "_active_widgets") else widgets.Widget.widgets)


def running() -> set:
    """The threads, without the one that tqdm keeps for all its bars."""
    return {thread for thread in threading.enumerate() if thread.name != "tqdm_monitor"}


@pytest.mark.filterwarnings("ignore:Widget._active_widgets")
@pytest.mark.parametrize("by_widget", [False, True], ids=["panel", "widget"])
@pytest.mark.parametrize("name", MAKERS)
def test_a_closed_panel_leaves_nothing(name, by_widget):
    """No widget, no thread, no network, no picture."""
    gc.collect()
    before, threads, players = living(), running(), set(_latest)         # an earlier test may have left one
    made, network = MAKERS[name]()
    assert isinstance(made, Panel) and living() > before
    shown = made.widget
    held = [weakref.ref(network), weakref.ref(vars(made).get("renderer", network))]
    del network
    (shown if by_widget else made).close()
    assert living() == before and running() == threads
    gc.collect()
    assert [ref() for ref in held] == [None, None]                      # though the panel itself is still here
    assert set(_latest) <= players
    with pytest.raises(RuntimeError, match="this panel was closed: run the cell that made it again"):
        _ = made.widget
    made.close()
    ref = weakref.ref(made)
    del made, shown
    gc.collect()
    assert ref() is None


def test_every_panel_is_tried():
    tried = {type(make()[0]) for make in (*(kind.make for kind in KINDS), projection, evolution, warm_up)}
    assert tried == {getattr(ours, name) for name in ours.__all__}
    assert {made.split("(")[0] for made in browser.PANELS.values()} == {*ours.__all__, "quiz"}    # and in front ends
    assert {name for name, *_ in browser.CONTROLS} == {*browser.PANELS}
    assert {kind for kind in tried if issubclass(kind, DrawnPanel)} == {type(kind.make()[0]) for kind in KINDS}


def test_closing_waits_for_the_act_at_hand():
    made = evolution_lab()
    begun, ended = threading.Event(), []

    def slow():
        begun.set()
        time.sleep(0.3)
        ended.append(True)

    made.runner.act = slow
    made.play.click()
    assert begun.wait(20)
    made.close()
    assert ended and made.close() is None


def test_a_panel_that_is_closed_while_it_draws_raises_nothing(monkeypatch):
    made, renderer = mutations()
    monkeypatch.setattr(renderer, "render", lambda state: made.close())
    made.slider.value = 0.4
    assert not vars(made)
