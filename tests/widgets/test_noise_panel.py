"""The noise panel, driven from code: what is switched, drawn anew and measured, against `stylegan` itself."""

import numpy as np
import pytest
import torch
from panels import drawn_large, generator, shown

from gan_teach.networks.layers import sample_z
from gan_teach.pictures import as_array, colour_map
from gan_teach.stylegan.mixing_and_noise import noise_deviation
from gan_teach.widgets import NoisePanel
from gan_teach.widgets.stylegan.noise_render import DRAWS, OTHERS, NoiseRenderer, NoiseState, measured


@pytest.fixture(scope="module")
def G():
    return generator()


@pytest.fixture
def renderer(G):
    return NoiseRenderer(G)


@pytest.fixture
def panel(G):
    return NoisePanel({"one": G, "other": generator(1)}, seed=3)


@pytest.mark.parametrize("noise, noisy", [(None, None), (7, None), (7, (0, 6)), (None, ())])
def test_pictures_with_the_noise_of_the_layers_ticked(G, renderer, noise, noisy):
    state = NoiseState("G", 3, noise, noisy)
    ws = G.ws(sample_z(1, 8, 3), 0.7)
    x, silent = drawn_large(renderer, lambda: renderer.render(state))
    assert torch.allclose(x, G.synthesis(ws, G.noise(noise, noisy)), atol=1e-4)
    assert torch.allclose(silent, G.synthesis(ws, G.noise(layers=())), atol=1e-4)
    others = drawn_large(renderer, lambda: list(renderer.later(state)))
    first = 1 if noise is None else noise + 1
    for seed, other in zip(range(first, first + OTHERS), others, strict=True):
        assert torch.allclose(other, G.synthesis(ws, G.noise(seed, noisy)), atol=1e-4)


def test_the_scatter_is_the_deviation_over_a_hundred_draws(G, renderer):
    first, last = renderer.later(NoiseState("G", 3, None, (6, 7)))
    assert not first.deviation and len(first.others) == OTHERS
    wanted = noise_deviation(G, G.ws(sample_z(1, 8, 3), 0.7), DRAWS, (6, 7), progress=False)[0]
    assert torch.allclose(renderer._scatter["G", 3, (6, 7)], wanted, atol=1e-4)
    assert f"{100 * float(wanted.mean()):.1f} % of the way" in last.text
    shown = as_array(last.deviation)[::8, ::8].astype(float)                # four times the deviation, in colours
    assert shown.std() > 1 and np.abs(shown - colour_map(4 * wanted.numpy())).max() <= 1
    again, = renderer.later(NoiseState("G", 3, 5, (6, 7)))              # another draw has the same scatter
    assert again.deviation == last.deviation


def test_where_it_scatters_most_is_told_in_words():
    deviation = torch.zeros(9, 9)
    assert "Nothing scatters" in measured(deviation)
    for place, words in (((0, 8), "upper right"), ((4, 4), "middle centre"), ((8, 0), "lower left")):
        deviation = torch.full((9, 9), 0.01)
        deviation[place] = 0.2
        assert f"by 20.0 % where it scatters most ({words})" in measured(deviation)


def test_it_opens_with_everything_drawn(panel):
    assert panel.state == NoiseState("one", 3) and not panel.error.value
    assert all(as_array(shown(image)).shape == (256, 256, 3)
               for image in (panel.large, panel.silent, panel.deviation, *panel.others))
    assert "stored noise in every layer" in panel.text.value and f"Over {DRAWS} draws" in panel.found.value
    assert panel.preset.value == "all" and all(box.value for box in panel.ticks)


def test_presets_and_ticks_agree(panel):
    panel.preset.value = "coarse"
    assert panel.state.noisy == (0, 1, 2, 3) and [box.value for box in panel.ticks] == [True] * 4 + [False] * 4
    panel.ticks[5].value = True
    assert panel.state.noisy == (0, 1, 2, 3, 5) and panel.preset.value is None
    assert "in layers 0–3, 5 (4 to 16 px) alone" in panel.text.value
    panel.preset.value = "none"
    assert panel.wait() and panel.frame.picture == panel.frame.silent and "Nothing scatters" in panel.found.value
    panel.preset.value = "all"
    assert panel.state.noisy is None and all(box.value for box in panel.ticks) and panel.wait()


def test_another_draw_and_back(panel):
    stored = panel.frame
    panel.redraw.click()
    assert panel.state.noise == 1 and panel.frame.picture != stored.picture
    assert panel.frame.silent == stored.silent
    panel.redraw.click()
    assert panel.state.noise == 2
    panel.stored.click()
    assert panel.frame == stored and panel.wait()


def test_an_error_behind_is_told_and_the_panel_lives_on(panel, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("out of <memory>")

    monkeypatch.setattr("gan_teach.widgets.stylegan.noise_render.noise_deviation", broken)
    panel.preset.value = "coarse"
    assert panel.wait() and "out of &lt;memory&gt;" in panel.error.value
    monkeypatch.undo()
    panel.preset.value = "middle"
    assert panel.wait() and not panel.error.value and f"Over {DRAWS} draws" in panel.found.value


def test_networks_without_noise_are_refused():
    with pytest.raises(ValueError, match="has no noise"):
        NoisePanel(generator(noise=False))


def test_without_a_layer_ticked_it_is_the_silent_picture(renderer):
    frame = renderer.render(NoiseState("G", 1, 2, ()))
    assert frame.picture == frame.silent
