"""Closed panels leave nothing: no widget, no thread, no network, no picture."""

import gc
import threading
import time
import weakref

import ipywidgets as widgets
import pytest
import torch
from test_evolution_panel import panel as evolution_lab
from test_mixer import generator
from test_panel import Colours, Rigged

from gan_teach.dissection.unit_iou import dissect
from gan_teach.networks.dcgan import Generator, layout
from gan_teach.runner import _latest
from gan_teach.widgets.dissection.paint import PaintPanel
from gan_teach.widgets.dissection.panel import DissectionPanel
from gan_teach.widgets.egan.evolution import EvolutionLab
from gan_teach.widgets.egan.interpolation import InterpolationPanel
from gan_teach.widgets.egan.mutations import MutationPanel
from gan_teach.widgets.egan.warm_up import MINE, WarmUpPanel
from gan_teach.widgets.panel import Panel
from gan_teach.widgets.stylegan.adain import AdaINPanel
from gan_teach.widgets.stylegan.mixer import StyleMixer
from gan_teach.widgets.stylegan.noise import NoisePanel
from gan_teach.widgets.stylegan.projection import ProjectionPanel


def paint():
    G = Rigged()
    made = PaintPanel(G, "layer1", Colours(), {"red": [0, 3], "green": [1, 4]}, {"red": torch.ones(6)}, units=1)
    made.canvas.stroke = {"id": 1, "seq": 1, "points": [[0.5, 0.5]], "done": True}
    return made, G


def buttons():
    G = Rigged()
    return PaintPanel(G, "layer1", Colours(), {"red": [0, 3]}, {"red": torch.ones(6)}, units=1, paint="buttons"), G


def remove():
    G = Rigged()
    found = dissect(G, "layer1", Colours(), samples=20, quantile=0.2, progress=False)
    return DissectionPanel(G, "layer1", Colours(), found, cls="red"), G


def styled(kind):
    def make():
        G = generator()
        made = kind({"one": G, "other": generator(1)})
        made.change(**{"psi": 0.5} if kind is StyleMixer else {"seed": 7})      # its worker has begun
        return made, G
    return make


def interpolation():
    G = Generator(layout(16, 4, z_dim=20)).eval().requires_grad_(False)
    made = InterpolationPanel(G)
    made.change(alpha=0.3)
    return made, G


def projection():
    G = generator()
    made = ProjectionPanel(G, [torch.zeros(3, 32, 32)], steps=5000)
    made.start.click()
    return made, G


def evolution():
    made = evolution_lab()
    made.play.click()
    return made, made.lab.evolution


def warm_up():
    made = WarmUpPanel()
    made.data.value = MINE                                                      # a canvas that was not there before
    made.play.click()
    return made, made.game


def mutations():
    made = MutationPanel(logits=torch.randn(20))
    return made, made.renderer


MAKERS = [paint, buttons, remove, styled(AdaINPanel), styled(NoisePanel), styled(StyleMixer), interpolation, projection,
          evolution, warm_up, mutations]
PANELS = {PaintPanel, DissectionPanel, AdaINPanel, NoisePanel, StyleMixer, InterpolationPanel, ProjectionPanel,
          EvolutionLab, WarmUpPanel, MutationPanel}


def living() -> set:
    """The widgets that ipywidgets keeps."""
    return set(widgets.Widget._active_widgets if hasattr(widgets.Widget, "_active_widgets") else widgets.Widget.widgets)


def running() -> set:
    """The threads, without the one that tqdm keeps for all its bars."""
    return {thread for thread in threading.enumerate() if thread.name != "tqdm_monitor"}


@pytest.mark.filterwarnings("ignore:Widget._active_widgets")
@pytest.mark.parametrize("by_widget", [False, True], ids=["panel", "widget"])
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: getattr(make, "__name__", ""))
def test_a_closed_panel_leaves_nothing(make, by_widget):
    gc.collect()
    before, threads, players = living(), running(), set(_latest)         # an earlier test may have left one
    made, network = make()
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
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    ends = {kind for kind in below(Panel) if not kind.__subclasses__() and kind.__module__.startswith("gan_teach")}
    assert ends == PANELS


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
