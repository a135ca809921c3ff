"""Networks, losses and settings of one's own that games, generations and panels took in silence: each is told."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from rigged import Own, style, unet

from gan_teach.dissection import dissect_layers, optimise_alpha
from gan_teach.egan import plane
from gan_teach.egan.first_pictures import Loop
from gan_teach.egan.laboratory import Laboratory
from gan_teach.egan.mutations import minimax
from gan_teach.egan.warm_up import Game
from gan_teach.limits import whole
from gan_teach.networks.losses import logistic_d, logistic_g
from gan_teach.stylegan import mix
from gan_teach.training import NotFinite
from gan_teach.widgets import InterpolationPanel, MutationPanel, ProjectionPanel, StyleMixer, WarmUpPanel
from gan_teach.widgets.dissection.shared_render import UnitRenderer
from gan_teach.worlds.gaussians import ring

MASK = torch.tensor([True, False, False, False])
PICTURES = torch.randint(0, 256, (40, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_a_mask_is_no_number_of_a_layer_or_a_seed():
    G, ws = style(), torch.zeros(1, 4, 8)
    for act in (lambda: mix(ws, ws + 1, MASK), lambda: G.noise(1, MASK), lambda: StyleMixer(G, layers=MASK),
                lambda: whole("seed", MASK[0]), lambda: whole("seed", np.bool_(1)), lambda: whole("seed", True)):
        with pytest.raises(ValueError, match="whole number|no layer"):
            act()
    assert whole("seed", torch.tensor(1)) == 1


@pytest.mark.parametrize("shared", [True, False])
def test_a_mutation_that_works_in_place_leaves_its_siblings_alone(shared):
    def clean(logits):
        return logits.clamp(max=-1.0).mean()

    def careless(logits):
        logits.detach().clamp_(max=-1.0)
        return logits.mean()

    second = []
    for first in (clean, careless, lambda logits: logits.mul_(2).mean()):
        e = plane.start(replace(plane.SETTINGS, mutations=(first, minimax), mutate_same_z=True, shared=shared))
        e.train_d(ring())
        e.vary()
        second.append(torch.cat([p.flatten() for p in e.children[1].G.parameters()]))
    assert torch.equal(second[0], second[1]) and torch.equal(second[0], second[2])


class Halved(Own):
    """f works on r in place, or not."""

    def __init__(self, in_place):
        super().__init__(turn=lambda r, f: (r.clone(), lambda r: f(r.mul_(0.5) if in_place else r * 0.5)))


def test_an_f_that_works_in_place_leaves_r_alone_everywhere():
    S = unet()
    alphas = [optimise_alpha(Halved(way), "one", S, "a", steps=2, batch=2, samples=8, progress=False).score
              for way in (True, False)]
    assert torch.equal(*alphas)
    scenes = [UnitRenderer(Halved(way), "one", S).scene(0) for way in (True, False)]
    assert torch.equal(scenes[0][0], scenes[1][0]) and torch.equal(scenes[0][2], scenes[1][2])


@pytest.mark.parametrize("answer, message", [
    (lambda r, f: ({}, f), "an r of each layer"), (lambda r, f: None, "an r of each layer"),
    (lambda r, f: (r, f), "an r of each layer"), (lambda r, f: ({"one": r}, f, 1), "an r of each layer"),
    (lambda r, f: ({"one": r[:1]}, f), "dissection needs"), (lambda r, f: ({"one": r[..., 0]}, f), "dissection needs"),
    (lambda r, f: ({"one": r}, None), "a function of it"),
    (lambda r, f: ({"one": r}, lambda r: f(r)[:1]), "pictures are 1 for 4 latents")])
def test_what_activations_returns_is_looked_at(answer, message):
    G = Own()
    G.activations = lambda z, layers: answer(*Own.at(G, z, "one"))
    with pytest.raises(ValueError, match=message):
        dissect_layers(G, ["one"], unet(), 4, progress=False)
    G.activations = None                                                    # it has none: it is cut with `at`
    assert dissect_layers(G, ["one"], unet(), 4, progress=False)["one"].samples == 4


@pytest.mark.parametrize("real", [
    PICTURES.float() / 127.5 - 1, PICTURES.expand(-1, 2, -1, -1), PICTURES[..., :28, :28], PICTURES[:0],
    PICTURES.permute(0, 2, 3, 1), PICTURES.numpy(), [PICTURES[0]]])
def test_the_first_pictures_are_bytes_of_one_size(real):
    with pytest.raises(ValueError, match="bytes .uint8., M×1×32×32"):
        Loop(real)


def weights(net):
    return torch.cat([p.detach().flatten().clone() for p in net.parameters()])


@pytest.mark.parametrize("make", [lambda d, g: Loop(PICTURES, d, g), lambda d, g: Game(ring(), loss_d=d, loss_g=g)])
@pytest.mark.parametrize("whose", ["D", "G"])
def test_losses_of_ones_own_in_the_first_games(make, whose):
    right = {"D": logistic_d, "G": logistic_g}

    def play(loss):
        game = make(*(loss if name == whose else right[name] for name in "DG"))
        before = weights(getattr(game, whose))
        try:
            game.step() if isinstance(game, Loop) else game.round()
        finally:
            assert torch.equal(before, weights(getattr(game, whose)))

    for wrong in (lambda *given: None, lambda *given: 1.0, lambda *given: given[0],
                  lambda *given: given[0].detach().mean(), lambda *given: (given[0].mean(), 1)):
        with pytest.raises(ValueError, match=f"the loss of {whose} is .*one number that a gradient"):
            play(wrong)
    with pytest.raises(NotFinite, match=f"the loss of {whose} is nan in step 0"):
        play(lambda *given: given[0].mean() * math.nan)


def test_a_loss_of_ones_own_for_d_in_an_evolution():
    for wrong in (None, 1.0, "logits", (1, 2)):
        e = plane.start(replace(plane.SETTINGS, d_loss=lambda D, x, fake, draw, wrong=wrong:
                                D(x) if wrong == "logits" else wrong))
        with pytest.raises(ValueError, match="the loss of D is .*one number that a gradient"):
            e.train_d(ring())


@pytest.mark.parametrize("targets", [
    np.zeros((8, 8, 3), np.uint8), torch.zeros(3, 8, 8), Image.new("RGB", (8, 8)), [np.zeros((8, 8, 3), np.uint8)]])
def test_one_picture_to_search_for_is_one(targets):
    panel = ProjectionPanel(style(), targets)
    assert len(panel.targets) == 1 and panel.picture.shape[-2:] == (8, 8)
    panel.close()


def test_nothing_to_search_for(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "own.png")
    for given in (str(tmp_path / "own.png"), tmp_path / "own.png", (tmp_path / "own.png").read_bytes()):
        panel = ProjectionPanel(style(), given)
        assert len(panel.targets) == 1 and not panel.error.value
        panel.close()
    for wrong in ([], None, 5):
        with pytest.raises(ValueError, match="no picture to search for"):
            ProjectionPanel(style(), wrong)
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 10000"):
        ProjectionPanel(style(), torch.zeros(3, 8, 8), steps=0)


def test_a_laboratory_of_nothing():
    for options, message in (({"data": {}}, "data are a dict"), ({"data": [1, 2]}, "data are a dict"),
                             ({"offered": ()}, "not among the mutations offered"), ({"luck": 1}, "2 or more"),
                             ({"luck": -1}, "luck must be"), ({"span": 0}, "span must be")):
        with pytest.raises(ValueError, match=message):
            Laboratory(**options)
    assert Laboratory(settings=replace(plane.SETTINGS, mutations=(minimax,)), offered=minimax).offered == (minimax,)


@pytest.mark.parametrize("d_steps", [0, -3, 1.5, "a", 10**9])
def test_steps_of_d_in_the_warm_up(d_steps):
    with pytest.raises(ValueError, match="d_steps must be a whole number from 1 to 100"):
        WarmUpPanel(d_steps=d_steps)


def test_one_mutation_is_drawn_and_a_flat_one_and_none_is_told():
    assert MutationPanel(minimax, logits=[1.0, 2.0]).error.value == ""
    assert MutationPanel((lambda logits: logits.mean() * 0,), logits=[]).error.value == ""
    with pytest.raises(ValueError, match="no mutation to draw"):
        MutationPanel([])


class Plain:
    """A generator with nothing but what `strip` asks for."""

    z_dim, layers = 4, ()

    def __call__(self, z):
        return z[:, :3, None, None].expand(-1, -1, 8, 8).tanh()


def test_a_generator_without_parameters_is_walked_through():
    assert InterpolationPanel(Plain()).error.value == ""
