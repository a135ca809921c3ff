"""Every panel made small, what a person does with it, and the networks that they draw with."""

import base64
import time
from dataclasses import dataclass, replace

import pytest
import torch
from test_stylegan import SIZE, shaken

from gan_teach import widgets as ours
from gan_teach.dissection.unit_iou import dissect
from gan_teach.egan import plane
from gan_teach.networks import dcgan
from gan_teach.stylegan.generator import Generator, StyleGANConfig
from gan_teach.widgets.dissection.paint_render import Stroke
from gan_teach.widgets.dissection.panel import EVERYWHERE

RANKINGS = {"red": [0, 3], "green": [1, 4], "blue": [2, 5]}
LEVELS = {cls: torch.ones(6) for cls in RANKINGS}
CONFIG = StyleGANConfig(**(SIZE | {"resolution": 32}))     # 8 layers: coarse 0–3, middle 4–7
SMALL = replace(plane.SETTINGS, batch=16, fitness_batch=16)


class Rigged:
    """Units 0, 1, 2 are red, green, blue at 8×8, each exactly where it is on; units 3 to 5 draw nothing."""

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


def generator(seed=0, **changes):
    """A style generator, whose pictures are within [-1, 1]: nothing is cut off."""
    torch.manual_seed(seed)
    G = shaken(Generator(replace(CONFIG, **changes)), seed)
    with torch.no_grad():
        for conv in G.to_rgb.values():
            conv.weight.mul_(0.1)
            conv.bias.mul_(0.1)
    return G.requires_grad_(False)


def small_dcgan():
    torch.manual_seed(0)
    net = dcgan.Generator(dcgan.layout(16, 4, z_dim=20))
    for p in net.parameters():
        p.data.mul_(12)                         # DCGAN starts so small that all its pictures are the same grey
    return net.eval().requires_grad_(False)


def start(settings):
    return plane.start(settings, width=16)


def cheap(mixture, G):
    """A measure that costs little: how far from the middle the samples are."""
    with torch.no_grad():
        return {"modes": float(G(torch.ones(4, G.z_dim)).norm(dim=1).mean())}


def evolution_lab(**options):
    small = {"evolution": start, "settings": SMALL, "measure": cheap, "luck": 2, "span": 3, "head_start": 0}
    return ours.EvolutionLab(**small | options)


def wait_for(question, seconds=60):
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def shown(place) -> bytes:
    """The picture in a place of a panel."""
    return base64.b64decode(place.value.split("base64,")[1].split('"')[0])


def drawn_large(renderer, draw) -> list:
    """The tensors that a renderer of chapter 2 draws large while `draw()` runs, before they are enlarged and packed."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{type(renderer).__module__}.large", lambda x: seen.append(x.clone()) or b"")
        draw()
    return seen


def draw(panel, *points, id=None, done=True):
    """What the browser sends when a stroke is drawn."""
    seq = panel.canvas.stroke.get("seq", 0) + 1
    panel.canvas.stroke = {"id": seq if id is None else id, "seq": seq, "points": [list(p) for p in points],
                           "done": done}


# ------------------------------------------------------------------------------------------ panels with a state

@dataclass
class Kind:
    """make() -> a panel and its network; acts: what a person does, each to another state; pulled: a slider."""

    name: str
    make: object
    acts: tuple
    pulled: str
    wrong: tuple                # changes to a state that cannot be drawn

    def __str__(self):
        return self.name


def clicks(name):
    return lambda panel: getattr(panel, name).click()


def sets(name, value):
    return lambda panel: setattr(getattr(panel, name), "value", value)


def paint(way):
    def make():
        G = Rigged()
        return ours.PaintPanel(G, "layer1", Colours(), RANKINGS, LEVELS, units=1, paint=way), G
    return make


def remove(way):
    def make():
        G = Rigged()
        found = dissect(G, "layer1", Colours(), samples=20, quantile=0.2, progress=False)
        return ours.DissectionPanel(G, "layer1", Colours(), found, cls="red", paint=way), G
    return make


def styled(kind, **options):
    def make():
        G = generator()
        return kind({"one": G, "other": generator(1)}, **options), G
    return make


def interpolation():
    G = small_dcgan()
    return ours.InterpolationPanel(G, first=3, second=4), G


def mutations():
    made = ours.MutationPanel(logits=torch.randn(20))
    return made, made.renderer


PAINTED = (lambda panel: draw(panel, (0.2, 0.2)), lambda panel: draw(panel, (0.7, 0.7)), clicks("reset"),
           clicks("next"), lambda panel: draw(panel, (0.5, 0.5)), sets("strength", 2.0), sets("seed", 9))
REMOVED = (clicks("remove"), sets("where", EVERYWHERE), sets("cls", "green"), clicks("next"), sets("slider", 0.5),
           clicks("none"), lambda panel: setattr(panel.paint, "mask", "1" * 32 + "0" * 32), clicks("reset"))
MIXED = (sets("preset", "middle"), sets("psi", 1.0), sets("model", "other"),
         lambda panel: setattr(panel.ticks[0], "value", True), clicks("redraw"),
         lambda panel: setattr(panel.boxes["sources"], "value", "7, 8"), sets("share", 0.5), clicks("reset"))
KINDS = (
    *(Kind(f"paint-{way}", paint(way), PAINTED, "strength", tuple(
        {"strokes": (Stroke(action, cls, ((0.5, 0.5),)),)} for action, cls in (("add", "purple"), ("smear", "red"))))
      for way in ("auto", "buttons")),
    *(Kind(f"remove-{way}", remove(way), REMOVED, "slider",
           ({"cls": "purple"}, {"units": (99,), "strength": 1.0}, {"strength": 1.0, "region": ((1, 0), (0, 1))}))
      for way in ("auto", "buttons")),
    Kind("adain", styled(ours.AdaINPanel, seed=3, layer=4, unit=2),
         (sets("y_s", 0.5), sets("layer", 2), clicks("next"), clicks("silent"), sets("model", "other"),
          clicks("reset")),
         "y_s", ({"model": "nobody"}, {"layer": 8}, {"unit": 99})),
    Kind("noise", styled(ours.NoisePanel, seed=3),
         (clicks("next"), sets("preset", "none"), sets("model", "other"), clicks("redraw"), clicks("reset")),
         "", ({"model": "nobody"}, {"noisy": (8,)})),
    *(Kind(f"mixer-{way}", styled(ours.StyleMixer, sources=(1, 2, 3), destinations=(11, 12), pick=way), MIXED, "psi",
           ({"model": "nobody"}, {"layers": (99,)})) for way in ("auto", "lists")),
    Kind("interpolation", interpolation, (sets("alpha", 0.8), sets("second", 9), clicks("next"), clicks("reset")),
         "alpha", ({"alpha": 1.5},)),
    Kind("mutations", mutations, (sets("slider", 0.4), clicks("reset")), "slider", ({"p": 1.5},)),
)


# ------------------------------------------------------------------------------------------ and those that play

def projection():
    G = generator()
    made = ours.ProjectionPanel(G, [torch.zeros(3, 32, 32)], steps=5000)
    made.play.click()
    return made, G


def evolution():
    made = evolution_lab()
    made.play.click()
    return made, made.lab.evolution


def warm_up():
    made = ours.WarmUpPanel()
    made.data.value = "my drawing"                                              # a canvas that was not there before
    made.play.click()
    return made, made.game


