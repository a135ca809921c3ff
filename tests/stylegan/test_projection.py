"""Projection: a generator's own pictures are found again, the same for a seed, and the panel stops and goes on."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from gan_teach.networks.layers import sample_z
from gan_teach.pictures import png
from gan_teach.stylegan import projection
from gan_teach.stylegan.generator import Generator, StyleGANConfig
from gan_teach.stylegan.prepared import prepared
from gan_teach.stylegan.projection import find, fitted, project
from gan_teach.widgets.panel import widgets_in
from gan_teach.widgets.stylegan.projection import ProjectionPanel, render

SIZE = {"resolution": 16, "z_dim": 8, "w_dim": 8, "fmap_base": 32, "fmap_max": 8}


@pytest.fixture(scope="module")
def G():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = Generator(StyleGANConfig(**SIZE)).eval()
        with torch.no_grad():
            for block in G.blocks.values():
                block.B.add_(0.2)
    return G


@pytest.fixture(scope="module")
def picture(G):
    """One of the generator's own, within [-1, 1]; of a latent that no search starts from."""
    with torch.no_grad():
        return (G(sample_z(1, 8, seed=77)) / 4).clamp(-1, 1)


@pytest.fixture(scope="module")
def quarter(G):
    """The generator whose pictures are a quarter as strong, so that `picture` is its own."""
    with torch.random.fork_rng():
        H = Generator(StyleGANConfig(**SIZE)).eval()
    H.load_state_dict(G.state_dict())
    with torch.no_grad():
        for p in H.to_rgb.parameters():
            p.div_(4)
    return H


def eyes(images):
    """A rigged network: edges and colours at two sizes."""
    half = torch.nn.functional.avg_pool2d(images, 2)
    return [torch.cat([x, x.roll(1, 2) - x, x.roll(1, 3) - x], 1) for x in (images, half)]


# -------------------------------------------------------------------------------------- the search

@pytest.mark.parametrize("see", [None, eyes], ids=["pixels", "eyes"])
def test_a_generators_own_picture_is_found_again(quarter, picture, see):
    steps = list(project(quarter, picture, see, steps=120, starts=16))
    last = steps[-1]
    assert [s.number for s in steps] == list(range(1, 121)) and last.steps == 120
    assert (last.image - picture).square().mean() < 0.02 * picture.var()
    assert last.loss < 0.05 * steps[0].loss and last.loss == min(s.loss for s in steps)
    assert last.ws.shape == (1, 6, 8) and torch.equal(last.ws[:, 0], last.ws[:, 5])     # W: one w for all layers
    assert (last.perceptual > 0) == (see is not None)


def test_everything_in_a_step_belongs_to_its_w(quarter, picture):
    for step in list(project(quarter, picture, eyes, steps=4, starts=2, pixel_weight=3.0)):
        image = quarter.synthesis(step.ws).detach()
        assert torch.allclose(step.image, image, atol=1e-4) and not step.image.requires_grad
        levels = [image - picture]
        while levels[-1].shape[-1] > 8:
            levels.append(torch.nn.functional.avg_pool2d(levels[-1], 2))
        pixels = sum(d.square().mean() for d in levels) / len(levels)
        assert abs(step.pixels - pixels.item()) < 1e-4 * (1 + step.pixels)
        assert abs(step.loss - step.perceptual - 3 * step.pixels) < 1e-5 * (1 + step.loss)


def test_a_w_for_each_layer_comes_closer_to_a_foreign_picture(quarter):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    foreign = torch.stack([x, y, -x])
    one = find(quarter, foreign, steps=60, starts=4, progress=False)
    each = find(quarter, foreign, steps=60, starts=4, per_layer=True, progress=False)
    assert each.loss < 0.95 * one.loss and not torch.equal(each.ws[:, 0], each.ws[:, 5])


def test_the_same_seed_finds_the_same_w_and_leaves_the_generator_alone(quarter, picture):
    before = {k: v.clone() for k, v in quarter.state_dict().items()}
    quarter.train()
    one, two, other = (find(quarter, picture, eyes, 6, False, starts=3, seed=s).ws for s in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert quarter.training and all(p.grad is None and p.requires_grad for p in quarter.parameters())
    assert all(torch.equal(v, before[k]) for k, v in quarter.state_dict().items())
    quarter.eval()
    with torch.no_grad():                                                   # as in a callback
        assert torch.equal(one, find(quarter, picture, eyes, 6, False, starts=3, seed=1).ws)
        for _ in project(quarter, picture, steps=2):
            assert not torch.is_grad_enabled()
    for _ in project(quarter, picture, steps=2):
        assert torch.is_grad_enabled()
    assert torch.allclose(find(prepared(quarter), picture, eyes, 6, False, starts=3, seed=1).ws, one, atol=1e-3)


def test_the_noise_stays_fixed(quarter, picture):
    step = find(quarter, picture, steps=3, progress=False, noise=5)
    assert torch.allclose(step.image, quarter.synthesis(step.ws, 5), atol=1e-4)
    silent = find(quarter, picture, steps=3, progress=False, noise=quarter.noise(0, ()))
    # without noise the maps of an untrained network are flat, and AdaIN blows their rounding up
    assert torch.allclose(silent.image, quarter.synthesis(silent.ws, quarter.noise(0, ())), atol=5e-3)
    assert not torch.allclose(silent.image, quarter.synthesis(silent.ws), atol=5e-2)


def test_wrong_pictures_are_refused_at_once(quarter):
    with pytest.raises(ValueError, match=r"1×3×16×16.*\(3, 20, 16\).*fitted\(picture, 16\)"):
        project(quarter, torch.zeros(3, 20, 16))
    with pytest.raises(ValueError, match="steps must be a whole number from 1"):
        project(quarter, torch.zeros(3, 16, 16), steps=0)


def test_fitted_takes_the_middle_square():
    a = np.zeros((20, 40, 3), dtype=np.uint8)
    a[:, 10:30] = (255, 0, 128)
    for picture in (a, png(a)):
        x = fitted(picture, 16)
        assert x.shape == (1, 3, 16, 16)
        wanted = torch.tensor([1, -1, 128 / 127.5 - 1])[:, None, None].expand(3, 16, 16)
        assert torch.allclose(x[0], wanted, atol=1e-5) and x.abs().max() <= 1
    same = torch.rand(3, 16, 16) * 2 - 1
    assert torch.equal(fitted(same, 16)[0], same)                           # nothing to fit, nothing rounded


def test_the_learning_rate_rises_stays_and_falls():
    rates = [projection.learning_rate(t / 100, 2.0) for t in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[50] == 2 and rates[100] < 1e-9
    assert rates[:6] == sorted(rates[:6]) and rates[76:] == sorted(rates[76:], reverse=True)


# -------------------------------------------------------------------------------------- the panel

def until(question, seconds=200):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "nothing of the kind happened"
        time.sleep(0.02)


@pytest.fixture
def panel(quarter, picture):
    panel = ProjectionPanel(quarter, [picture[0], -picture[0]], eyes, steps=20)
    yield panel
    panel.runner.pause()


def test_render_is_pure_and_says_how_far_it_is(quarter, picture):
    step = list(project(quarter, picture, eyes, steps=4, starts=2))[1]
    frame, again = (render(picture, step, seconds=3.0) for _ in range(2))
    assert frame == again and frame.share == 0.5
    assert "step 2 of 4" in frame.text and "3 s left" in frame.text and f"{step.loss:.4f}" in frame.text
    assert render(picture, replace(step, image=1000 * step.image)).found != frame.found      # cut off, not refused
    empty = render(picture, None)
    assert empty.share == 0 and empty.found == empty.difference and "Press Play" in empty.text


def test_the_panel_runs_to_its_end_and_hands_its_styles_on(panel, quarter, picture):
    used = []
    panel.on_use = used.append
    assert panel.use.disabled and panel.ws is None
    panel.play.click()
    until(lambda: not panel.runner.playing)
    until(lambda: "step 20 of 20" in panel.scene.value and not panel.use.disabled)
    assert not panel.error.value and 'value="1.0"' in panel.scene.value
    panel.use.click()
    assert used[0] is panel.ws and "were handed on" in panel.code.value
    call = panel.code.value.split("<code>ws = ")[1].split("</code>")[0]
    again = eval(call, {"find": find, "G": quarter, "picture": picture, "eyes": eyes})
    assert torch.allclose(again, panel.ws, atol=1e-5)      # some CPUs round by where in memory a matrix lies
    panel.on_use = None
    panel.use.click()
    assert "panel.ws" in panel.code.value
    assert panel.frame.found[:4] == b"\x89PNG"


def test_pause_goes_on_and_reset_begins_anew(panel):
    panel.steps.value = 400
    panel.play.click()
    until(lambda: panel.step is not None and panel.step.number >= 3)
    panel.play.click()
    held = panel.step.number
    time.sleep(0.2)
    assert panel.step.number == held < 400 and not panel.runner.playing and not panel.use.disabled
    panel.play.click()
    until(lambda: panel.step.number > held)
    panel.reset.click()
    assert panel.step is None and panel.frame.share == 0 and not panel.runner.playing and panel.use.disabled


def test_a_frame_is_one_message_and_comes_when_the_page_asks(panel, monkeypatch):
    monkeypatch.setattr(panel, "UNASKED", 1e9)
    panel.steps.value, panel.pulse.widget.value, sent = 5000, 1, []         # a page has shown itself
    panel.play.click()
    until(lambda: panel.step is not None and panel._stale)
    for it in widgets_in(panel.widget, set()) - {panel.pulse.widget}:
        it.observe(lambda change: sent.append((change["owner"], change["new"])))
    until(lambda n=panel.step.number: panel.step.number > n + 3)
    assert not sent
    panel.pulse.widget.value = 2
    assert [it for it, _ in sent] == [panel.scene, panel.use] and sent[0][1].count("<img") == 3       # its first frame
    until(lambda: panel._stale)
    panel.pulse.widget.value = 3
    assert [it for it, _ in sent[2:]] == [panel.scene] and str(panel.step.steps) in sent[2][1]


def test_another_picture_and_another_seed_begin_anew(panel, picture):
    shown = panel.frame.target
    panel.play.click()
    until(lambda: panel.step is not None)
    panel.number.value = 1
    assert panel.step is None and not panel.runner.playing and panel.frame.target != shown
    assert torch.allclose(panel.picture, -picture, atol=0.01)
    panel.per_layer.value = True
    panel.play.click()
    until(lambda: panel.step is not None and panel.step.number > 1)
    panel.play.click()
    assert not torch.equal(panel.ws[:, 0], panel.ws[:, 1])


def test_a_panel_made_again_stops_the_one_before(panel, quarter, picture):
    panel.steps.value = 1000
    panel.play.click()
    until(lambda: panel.step is not None)
    ProjectionPanel(quarter, picture, eyes)
    assert not panel.runner.playing


def test_an_own_picture_is_taken_and_a_broken_one_is_told(panel):
    a = np.full((30, 50, 3), 200, dtype=np.uint8)
    panel.upload(png(a))
    assert panel.picture.shape == (1, 3, 16, 16) and not panel.error.value
    assert torch.allclose(panel.picture, torch.full((1, 3, 16, 16), 200 / 127.5 - 1))
    seven = {"cat.png": {"metadata": {"name": "cat.png"}, "content": b"no picture"}}
    panel._uploaded({"new": seven})                                         # as ipywidgets 7 hands it over
    assert "cat.png cannot be read as a picture" in panel.error.value
    panel._uploaded({"new": ({"name": "a.png", "content": memoryview(png(a // 2))},)})          # and 8
    assert not panel.error.value and panel.picture.mean() == pytest.approx(100 / 127.5 - 1, abs=1e-5)


def test_an_error_in_the_search_is_told_and_the_panel_lives_on(quarter, picture):
    broken = [True]

    def moody(images):
        if broken[0]:
            raise RuntimeError("out of <memory>")
        return eyes(images)

    panel = ProjectionPanel(quarter, picture, moody, steps=5)
    panel.play.click()
    until(lambda: panel.error.value)
    assert "out of &lt;memory&gt;" in panel.error.value and not panel.runner.playing
    broken[0] = False
    panel.play.click()
    until(lambda: "step 5 of 5" in panel.scene.value)
    assert not panel.error.value
