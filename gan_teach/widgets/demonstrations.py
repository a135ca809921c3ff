"""What each chapter shows on a projector: the demonstrations, functions that return their panels by name.

A new one is such a function, and a line in `DEMOS`. It rests between its steps, which `STEPS` names, while the page
says which one is made. How the page looks, and how it is served, is in `stage`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from .. import load
from ..dissection.alpha import optimise_alpha
from ..dissection.clear_scene import clear_scene
from ..dissection.insertion import optimise_insertion
from ..dissection.intervention import levels
from ..dissection.pixels import coverage, label_pixels
from ..dissection.unit_iou import dissect
from ..dissection.units import Ranking
from ..egan import Evolution, plane
from ..language import say
from ..networks.dcgan import Discriminator
from ..networks.device import one_thread
from ..networks.layers import sample_z
from ..networks.protocols import cut, latents
from ..networks.segmenter import segment
from ..stylegan.clear_portraits import clear_portraits, clear_villages
from ..worlds import datasets
from ..worlds.gaussians import ring
from ..worlds.scenes import BELONGS, time_of
from .dissection.paint import PaintPanel
from .dissection.panel import DissectionPanel
from .egan.evolution import EvolutionLab
from .egan.mutations import MutationPanel
from .egan.warm_up import WarmUpPanel
from .stylegan.adain import AdaINPanel
from .stylegan.mixer import StyleMixer
from .stylegan.noise import NoisePanel

Panels = Iterator[dict[str, object] | None]               # None where it rests, at last the panels by name


def warm_up() -> Panels:
    """Chapter 0: two players, on data that lie together and on data that lie apart. Rests after each of its `STEPS`."""
    yield
    wave = WarmUpPanel()
    yield
    yield {say("On a wave"): wave, say("On a ring"): WarmUpPanel("ring of 8")}


def dissection() -> Panels:
    """Chapter 1: paint with the units of a class, and switch them off one by one. Rests after each of its `STEPS`.

    The units are few and searched for, by short forms of the searches of the chapter, as are its layer and its panels.
    """
    G, S = load("scenes-progan"), load("scenes-segmenter")
    layer = G.record["ablation_of_12_units"]["tree"]["in_place"]["layer"]       # where the recipe found the best set
    yield
    found = dissect(G, layer, S, samples=120, progress=False)
    yield
    short = {"samples": 32, "progress": False}
    k = {cls: levels(G, layer, range(len(found.iou)), S, cls, 40) for cls in ("tree", "door")}
    trees = optimise_alpha(G, layer, S, "tree", steps=10, lr=0.18, insertion_weight=0.0, collateral_weight=0.3,
                           level=k["tree"], **short)
    yield
    draw = {cls: optimise_insertion(G, layer, S, cls, BELONGS[cls], 2 * k[cls], steps=14, lr=0.14, **short)
            for cls in k}
    yield
    seed = clear_scene(G, S, range(200))                                   # as the site does
    rankings = dict.fromkeys(BELONGS, found) | {"tree": trees}

    def adders(cls: str) -> Ranking:                                            # of the others when they are chosen
        return draw.get(cls) or optimise_insertion(G, layer, S, cls, BELONGS[cls], steps=14, lr=0.14, **short)

    paint = PaintPanel(G, layer, S, rankings, k, seed=seed, units=12, strength=2.0, width=576, adders=adders)
    force = DissectionPanel(G, layer, S, found, {cls: 2 * k[cls] for cls in k}, seed=seed, width=300,
                            orders={"tree": trees, "door": draw["door"]})
    yield {say("Paint"): paint, say("Remove and force"): force}


def mixing() -> Panels:
    """Chapter 2: mix styles, drag those of one unit by hand, and switch the noise. Rests after each of its `STEPS`."""
    models = {name: load(name) for name in ("portraits-stylegan", "scenes-stylegan")}
    yield
    clear = clear_portraits(models["portraits-stylegan"], load("portraits-classifier"), range(100))[:20]
    clear = clear_villages(models["scenes-stylegan"], load("scenes-segmenter"), clear)   # seeds that serve both
    mixer = StyleMixer(models, clear[:3], clear[3:5], width=560)               # fits 1280×720 beside its controls
    yield
    noise = NoisePanel(dict(reversed(models.items())))                         # villages show it better
    yield {say("Mix"): mixer, say("AdaIN by hand"): AdaINPanel(models), say("Noise"): noise}


def evolution() -> Panels:
    """Chapter 3: generators evolve on the plane, and on clothes from the shipped one; and the three losses. Rests after
    each of its `STEPS`.
    """
    parent, real = load("fashion-long"), datasets.pictures("fashion", "test").images
    yield

    def grown_up(settings) -> Evolution:
        """Generation 0: the shipped G, and a new D that has learnt for 50 steps. There are clothes to be seen."""
        torch.manual_seed(settings.seed)
        e = Evolution(parent, Discriminator(parent.config), replace(settings, d_steps=50))
        e.train_d(real)
        e.settings = settings
        return e

    clothes = EvolutionLab(grown_up, pictures="fashion", rows=1)              # all that 1280×720 has room for
    yield
    young = plane.start()
    with one_thread():
        for _ in range(150):
            young.step(ring())
        verdicts = young.D(young.G(sample_z(500, young.G.z_dim, seed=0)))
    yield {say("Evolve"): EvolutionLab(rows=1), say("On clothes"): clothes,
           say("Mutations"): MutationPanel(logits=verdicts)}


def capstone() -> Panels:
    """Chapter 4: one generator, its units removed, its styles dragged. Rests after each of its `STEPS`."""
    G, S, layer = load("scenes-stylegan"), load("scenes-segmenter"), "layer7"   # its maps agree best with trees
    yield
    found = dissect(G, layer, S, samples=120, progress=False)
    yield
    trees = optimise_alpha(G, layer, S, "tree", steps=10, lr=0.18, samples=32, progress=False)
    yield
    # α also finds units whose maps show sky or paths: of those that it keeps, these agree with trees …
    tree = found.classes.index("tree")
    trees.score[(trees.score < 0.5) | (found.iou[:, tree].cpu() < 0.02)] = float("-inf")
    # … and in this scene, with a tree of some size, most of them are seen on it.
    r, labels, pixels = by_day(G, S, layer, 64)
    on = r[:, trees.units] > found.thresholds[trees.units, None, None].to(r)
    seen = ((on * coverage(labels, tree, r.shape[-2:])).sum((2, 3)) > 2).sum(1)
    seed = int((seen * (pixels[:, tree] > 150)).argmax())
    yield {say("Its units"): DissectionPanel(G, layer, S, found, seed=seed, width=300, orders={"tree": trees}),
           say("Its styles"): AdaINPanel({"scenes-stylegan": G})}


def by_day(G, S, layer: str, n: int) -> tuple:
    """Of n scenes r, the labels, and the pixels of every class, n×C, which are 0 at dusk and at night."""
    with torch.no_grad():
        r, f = cut(G, torch.cat([latents(G, 1, seed) for seed in range(n)]), layer)
        labels = segment(S, x := f(r))                                  # (n, H, W)
    day = labels.new_tensor([time == "day" for time in time_of(x)])[:, None]
    return r, labels, label_pixels(labels, len(S.classes)) * day


# What a page says while it is made: one text for each step of a demonstration.
STEPS = {"warm-up": ("loading the two players", "drawing the wave", "drawing the ring"),
         "mixing": ("loading the networks", "mixing the first pictures", "drawing the panels"),
         "dissection": ("loading the networks", "comparing every unit with every class",
                        "searching the units that draw trees", "searching the units that grow trees and doors",
                        "drawing the panels"),
         "evolution": ("loading the networks", "a new D learns what clothes are", "drawing the panels"),
         "capstone": ("loading the networks", "comparing every unit with every class",
                      "searching the units that draw trees", "drawing the panels")}

DEMOS: dict[str, tuple[str, Callable[[], Panels]]] = {
    "warm-up": ("Two players on a plane", warm_up),
    "dissection": ("GAN Dissection", dissection),
    "mixing": ("StyleGAN: mixing styles", mixing),
    "evolution": ("E-GAN: evolve a generator", evolution),
    "capstone": ("One generator, three questions", capstone),
}
