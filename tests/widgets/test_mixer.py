"""The style mixer, driven from code: what it draws against `stylegan` itself, what it need not compute, controls."""

import base64
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from panels import drawn_large, generator, shown

from gan_teach import checkpoints
from gan_teach.networks.layers import sample_z
from gan_teach.pictures import as_array, to_uint8
from gan_teach.stylegan.adain_mixing_truncation import mix, truncate
from gan_teach.widgets import StyleMixer
from gan_teach.widgets.stylegan import mixer_render
from gan_teach.widgets.stylegan.shared_render import span
from gan_teach.widgets.stylegan.mixer_render import STRIP, MixRenderer, MixState


@pytest.fixture(scope="module")
def G():
    return generator()


@pytest.fixture
def renderer(G):
    return MixRenderer(G)


@pytest.fixture(params=["auto", "lists"])
def panel(request, G):
    return StyleMixer({"one": G, "other": generator(1)}, sources=(1, 2, 3), destinations=(11, 12), pick=request.param)


def close(a, b):
    """uint8 pictures that are equal up to the rounding of the prepared network."""
    return np.abs(np.asarray(a).astype(int) - np.asarray(b)).max() <= 1


def ws(G, seed, psi=0.7, cutoff=None):
    return G.ws(sample_z(1, G.z_dim, seed), psi, cutoff)


# ------------------------------------------------------------------------------------------ what is drawn

def drawn(renderer, state):
    """The large picture as a tensor."""
    return drawn_large(renderer, lambda: renderer.render(state))[0]


def sheet(renderer, state):
    """The last sheet's pictures before packing: rows × columns × R × R × 3, and the strip."""
    seen = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixer_render, "_grid", lambda tiles: seen.update(grid=tiles.copy()) or b"grid")
        patch.setattr(mixer_render.pictures, "jpeg", lambda picture, quality: seen.update(strip=picture) or b"strip")
        parts = list(renderer.later(state))
    assert parts[-1].strip and not any(part.strip for part in parts[:-1])
    return seen["grid"], seen["strip"]


@pytest.mark.parametrize("layers", [(), (0, 1, 2, 3), (4, 5, 6, 7), (2, 6), tuple(range(8))])
def test_the_large_picture_is_mix_then_synthesis(G, renderer, layers):
    state = renderer.start(layers=layers, psi=0.6, cutoff=5, noise=3, noisy=(0, 2, 7), cell=(2, 3))
    wanted = G.synthesis(mix(ws(G, 12, 0.6, 5), ws(G, 3, 0.6, 5), layers), G.noise(3, (0, 2, 7)))
    assert torch.allclose(drawn(renderer, state), wanted, atol=1e-4)


def test_the_grid_is_every_pair_with_the_sources_above_and_the_destinations_beside(G, renderer):
    for layers in ((0, 1, 2, 3), (5, 6), ()):
        state = renderer.start(sources=(1, 2, 3), destinations=(11, 12), layers=layers, share=0.5)
        tiles, strip = sheet(renderer, state)
        assert tiles.shape == (3, 4, 32, 32, 3) and (tiles[0, 0] == 255).all()
        for column, source in enumerate((1, 2, 3), start=1):
            assert close(tiles[0, column], to_uint8(G.synthesis(ws(G, source)))[0])
            for row, destination in enumerate((11, 12), start=1):
                halfway = torch.lerp(ws(G, destination), ws(G, source), 0.5)
                wanted = G.synthesis(mix(ws(G, destination), halfway, layers))
                assert close(tiles[row, column], to_uint8(wanted)[0])
        assert close(tiles[1, 0], to_uint8(G.synthesis(ws(G, 11)))[0])
        for i, share in enumerate(np.linspace(0, 1, STRIP)):        # of the chosen cell, (1, 1)
            between = mix(ws(G, 11), torch.lerp(ws(G, 11), ws(G, 1), float(share)), layers)
            assert close(strip[:, 32 * i:32 * (i + 1)], to_uint8(G.synthesis(between))[0])


def test_heads_of_rows_and_columns_are_the_pictures_themselves(G, renderer):
    assert torch.allclose(drawn(renderer, renderer.start(cell=(0, 2))), G.synthesis(ws(G, 2)), atol=1e-4)
    assert torch.allclose(drawn(renderer, renderer.start(cell=(3, 0))), G.synthesis(ws(G, 13)), atol=1e-4)
    assert renderer.start(cell=(0, 0)).cell == (1, 1)


def spy(drawer):
    """The numbers of the layers that are computed from now on, with the number of pictures."""
    computed = []
    for i, name in enumerate(drawer.G.layers):
        block = drawer.fast.blocks[name]
        block.register_forward_pre_hook(lambda _, inputs, i=i: computed.append((i, len(inputs[0]))))
    return computed


def test_only_layers_from_the_changed_one_up_are_computed(renderer):
    state = renderer.start(layers=(4, 5))
    renderer.render(state)
    computed = spy(renderer.drawers["G"])
    for change, first in (({"layers": (4, 5, 6)}, 6), ({"layers": (2, 4, 5, 6)}, 2), ({"noisy": (0, 1, 2, 3, 4)}, 5),
                          ({"cell": (1, 2)}, 2), ({"psi": 0.5}, 0), ({"noise": 4}, 0), ({"share": 0.5}, 2)):
        computed.clear()
        state = replace(state, **change)
        renderer.render(state)
        assert computed == [(i, 1) for i in range(first, 8)], change
    computed.clear()
    renderer.render(state)                                  # nothing has changed
    assert computed == []


def test_a_cutoff_spares_the_layers_below_too(renderer):
    state = renderer.start(layers=(), cutoff=2, psi=0.5)
    renderer.render(state)
    computed = spy(renderer.drawers["G"])
    renderer.render(replace(state, cutoff=6))
    assert computed[0] == (2, 1)


def test_a_row_goes_on_from_its_destination(renderer):
    state = renderer.start(sources=(1, 2, 3), destinations=(11, 12), layers=(6, 7))
    list(renderer.later(state))
    computed = spy(renderer.drawers["G"])
    list(renderer.later(replace(state, layers=(5, 6))))
    tail = [(i, 3) for i in range(8)] + 2 * [(5, 3), (6, 3), (7, 3)]        # the sources, then two rows
    assert computed == tail + [(5, STRIP), (6, STRIP), (7, STRIP)]


def test_what_broke_on_the_way_leaves_no_half_of_a_picture_behind(G, renderer):
    state = renderer.start(layers=(3, 4), psi=0.3)
    renderer.render(state)
    renderer.drawers["G"].fast.synthesis = None
    assert "Press Undo" in renderer.render(replace(state, psi=0.9)).error
    del renderer.drawers["G"].fast.synthesis
    assert renderer.render(replace(state, psi=0.9)) == MixRenderer(G).render(replace(state, psi=0.9))


def test_numbers_of_layers_are_said_in_spans():
    assert span((0, 1, 2, 5, 7, 8)) == "0–2, 5, 7–8" and span(()) == ""


# ------------------------------------------------------------------------------------------ the call

def run(call, **names):
    exec(call, names)
    return names["x"]


@pytest.mark.parametrize("changes", [
    {}, {"layers": ()}, {"layers": tuple(range(8)), "psi": -0.55}, {"cell": (2, 0), "cutoff": 4}, {"cell": (0, 3)},
    {"share": 0.35, "layers": (1, 4, 6), "noise": 7}, {"noisy": (0, 5), "cutoff": 3}, {"noisy": (), "noise": 2},
    {"sources": ("my picture", 2), "share": 0.2}, {"destinations": ("my picture",), "cutoff": 6, "layers": (5, 6)}])
def test_the_call_draws_the_same_picture(G, changes):
    mixer = StyleMixer(G, latents={"my picture": torch.randn(8, 8, generator=torch.Generator().manual_seed(5))})
    mixer.change(**changes)
    assert not mixer.error.value and mixer.frame.call in mixer.call.value.replace("&#x27;", "'").replace("&gt;", ">")
    assert "load(" not in mixer.frame.call
    x = run(mixer.frame.call, G=G, mixer=mixer)
    assert torch.allclose(x, drawn(mixer.renderer, mixer.state), atol=1e-4)


def test_the_call_loads_a_shipped_model(G, tmp_path, monkeypatch):
    checkpoints.save(tmp_path / "tiny-stylegan", G, licence="MIT")
    monkeypatch.setattr(checkpoints, "data_folder", lambda: tmp_path)
    mixer = StyleMixer({"faces": checkpoints.load("tiny-stylegan")})
    assert 'G = load("tiny-stylegan")' in mixer.frame.call
    assert torch.allclose(run(mixer.frame.call), drawn(mixer.renderer, mixer.state), atol=1e-4)
    assert list(StyleMixer(checkpoints.load("tiny-stylegan")).renderer.drawers) == ["tiny-stylegan"]


# ------------------------------------------------------------------------------------------ bad input

def test_latents_must_fit_and_belong_to_the_model(panel):
    for wrong in (torch.zeros(1, 9), torch.zeros(7, 8), torch.zeros(2, 8, 8)):
        with pytest.raises(ValueError, match="'mine' is .*one needs 8, or 8×8.*another model"):
            panel.add("mine", wrong)
    for name in ("3", "a, b", " "):
        with pytest.raises(ValueError, match="a latent's name"):
            panel.add(name, torch.zeros(8))
    panel.add("mine", torch.ones(8))
    panel.boxes["sources"].value = "4, mine"
    assert panel.state.sources == (4, "mine") and not panel.error.value
    panel.model.value = "other"
    told = panel.error.value.replace("&#x27;", "'")
    assert "'mine' is a latent of one, not of other: choose that model, or another source" in told
    assert panel.state.model == panel.model.value == "one"
    panel.boxes["sources"].value = "4, minne"
    assert "a latent&#x27;s name: mine" in panel.error.value and panel.boxes["sources"].value == "4, mine"


def test_what_is_no_style_generator_is_refused(G):
    with pytest.raises(ValueError, match="draws with a style generator.*not with Linear"):
        StyleMixer(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="or a dict of them"):
        StyleMixer({})
    with pytest.raises(ValueError, match="no layer 8"):
        StyleMixer(G, layers=[8])
    growing = generator()
    growing.grow(32, 0.5)
    with pytest.raises(ValueError, match="still fading in"):
        StyleMixer(growing)


# ------------------------------------------------------------------------------------------ the panel

def shown_grid(panel):
    image = panel._grid
    return as_array(shown(image.image) if hasattr(image, "image") else base64.b64decode(image.picture[23:]))


def test_it_opens_with_everything_drawn(panel):
    assert panel.state == MixState("one", (1, 2, 3), (11, 12), (0, 1, 2, 3)) and not panel.error.value
    assert shown_grid(panel).shape == (3 * 34, 4 * 34, 3)
    assert as_array(shown(panel.strip)).shape == (32, 32 * STRIP, 3)
    assert as_array(shown(panel.large)).shape == (256, 256, 3)
    assert "layers 0–3 (4 to 8 px) take the style of source 1" in panel.text.value
    assert [box.value for box in panel.ticks] == [True] * 4 + [False] * 4
    assert panel.ticks[5].description == "5 · 16 px" and panel.preset.value == "coarse"


def test_presets_and_ticks_agree(panel):
    panel.preset.value = "middle"
    assert panel.state.layers == (4, 5, 6, 7) and [b.value for b in panel.ticks] == [False] * 4 + [True] * 4
    panel.ticks[0].value = True
    assert panel.state.layers == (0, 4, 5, 6, 7) and panel.preset.value is None
    panel.change(layers=(5,))
    assert "layer 5 (16 px) takes the style of source 1" in panel.text.value
    panel.change(layers=(0, 4, 5, 6, 7))
    panel.preset.value = "all"
    assert all(box.value for box in panel.ticks)
    panel.preset.value = "none"
    assert panel.state.layers == () and "no layer is ticked" in panel.text.value


def test_all_layers_from_a_source_is_that_source(G, panel):
    panel.preset.value = "all"
    assert torch.allclose(drawn(panel.renderer, panel.state), G.synthesis(ws(G, 1)), atol=1e-4)


def test_psi_cutoff_noise_and_share(G, panel):
    panel.psi.value, panel.cutoff.value = 0.0, 4
    assert panel.state.psi == 0 and panel.state.cutoff == 4 and "in the layers before 4" in panel.text.value
    panel.cutoff.value = "all layers"
    average = G.synthesis(truncate(ws(G, 1, 1.0), 0, G.w_avg))
    assert panel.state.cutoff is None and torch.allclose(drawn(panel.renderer, panel.state), average, atol=1e-4)
    assert panel.noisy["fine"].disabled
    panel.noisy["middle"].value = False
    assert panel.state.noisy == (0, 1, 2, 3)
    panel.redraw.click()
    panel.redraw.click()
    assert panel.state.noise == 2 and "noise 2 in layers 0–3" in panel.text.value
    panel.stored.click()
    panel.noisy["middle"].value = True
    assert panel.state.noise is None and panel.state.noisy is None
    panel.change(noisy=(0, 1))
    assert panel.noisy["coarse"].description == "coarse (some)" and panel.noisy["coarse"].value
    panel.share.value = 0.25
    assert panel.state.share == 0.25 and "25% of the way" in panel.text.value


def test_seeds_can_be_typed_and_drawn_anew(panel):
    panel.boxes["sources"].value = "7, 8"
    assert panel.state.sources == (7, 8) and panel.wait() and shown_grid(panel).shape == (3 * 34, 3 * 34, 3)
    panel._grid.cell = [2, 2]
    panel.new["sources"].click()                            # 13 is the first number that nobody has
    assert panel.state.sources == (13, 8) and panel.boxes["sources"].value == "13, 8"
    panel.new["destinations"].click()
    assert panel.state.destinations == (14, 12)
    panel.keep.value = False
    panel.new["destinations"].click()
    assert panel.state.destinations == (15, 16) and panel.state.cell == (2, 2)
    panel.boxes["destinations"].value = "5"                 # the chosen row is gone: the last one there is
    assert panel.state.cell == (1, 2) and list(panel._grid.cell) == [1, 2]


def test_choosing_a_cell(G, panel):
    panel._grid.cell = [2, 3]
    assert panel.state.cell == (2, 3) and "Destination 12" in panel.text.value and "source 3" in panel.text.value
    panel._grid.cell = [0, 1]
    assert "Source 1, with all styles its own" in panel.text.value
    if hasattr(panel._grid, "lists"):
        row, column = panel._grid.lists
        assert (row.value, column.value) == (0, 1)
        row.value = 2
        assert panel.state.cell == (2, 1)
        column.value = 0
        assert panel.state.cell == (2, 0) and "Destination 12, with all styles its own" in panel.text.value
        row.value = 0                                       # the empty corner
        assert panel.state.cell == (1, 1)


def test_models_with_other_layers(G):
    small = generator(resolution=16, noise=False)
    panel = StyleMixer({"large": G, "small": small}, layers=(3, 4, 7))
    panel.model.value = "small"
    assert panel.state.layers == (3, 4) and not panel.error.value and panel.redraw.disabled
    assert [box.layout.display for box in panel.ticks] == [""] * 6 + ["none"] * 2
    assert all(box.disabled for box in panel.noisy.values())
    assert torch.allclose(drawn(panel.renderer, panel.state),
                          small.synthesis(mix(ws(small, 11), ws(small, 1), (3, 4))), atol=1e-4)
    assert StyleMixer(G).model.layout.display == "none" and panel.model.layout.display == ""


def test_the_table_is_drawn_when_the_hand_rests(panel, monkeypatch):
    """Ten moves: ten large pictures, and one table."""
    monkeypatch.setattr("gan_teach.widgets.stylegan.panel.REST", 3600)
    later, tables, large = panel.renderer.later, [], []
    panel.renderer.later = lambda state: tables.append(state.psi) or later(state)
    show = panel.show
    panel.show = lambda frame: large.append(frame.picture) or show(frame)
    for i in range(1, 10):
        panel.psi.value = -i / 10
    assert len(set(large)) == 9 and not tables, "each move shows its picture at once"
    monkeypatch.setattr("gan_teach.widgets.stylegan.panel.REST", 0)
    panel.psi.value = -1.0
    assert len(set(large)) == 10
    assert panel.wait() and tables == [-1.0]


def test_a_learners_mix_drives_the_panel(G):
    """Its own function gets what its check gave it: equal shapes, a list; wrong ones would show."""
    seen = []

    def backwards(ws1, ws2, layers):
        seen.append((ws1.shape == ws2.shape, type(layers)))
        out = ws2.clone()
        out[:, layers] = ws1[:, layers]
        return out

    panel = StyleMixer(G, sources=(1, 2), destinations=(11,), layers=(1, 3), mix=backwards)
    wanted = G.synthesis(mix(ws(G, 1), ws(G, 11), (1, 3)))
    assert not panel.error.value and torch.allclose(drawn(panel.renderer, panel.state), wanted, atol=1e-4)
    tiles, strip = sheet(panel.renderer, panel.state)
    assert close(tiles[1, 1], to_uint8(wanted)[0]) and close(strip[:, -32:], to_uint8(wanted)[0])
    assert set(seen) == {(True, list)}


def test_a_grid_out_of_date_is_dropped(panel, monkeypatch):
    """While the grid is drawn, something newer is asked for: only the newest is finished."""
    later, finished, begun = panel.renderer.later, [], threading.Event()
    go_on = threading.Event()

    def slow(state):
        parts = list(later(state))
        begun.set()
        go_on.wait(20)
        yield from parts
        yield parts[-1]
        finished.append(state.psi)

    panel.renderer.later = slow
    panel.psi.value = 0.1
    assert begun.wait(20)
    panel.psi.value = 0.2
    panel.psi.value = 0.3
    go_on.set()
    assert panel.wait() and finished == [0.3]
    panel.renderer.later = later
    sheets = list(later(panel.state))
    assert shown_grid(panel).tobytes() == as_array(sheets[-1].grid).tobytes()


def test_a_single_seed_is_a_list_of_one(G):
    state = StyleMixer(G, sources=3, destinations=11, layers=2).state
    assert (state.sources, state.destinations, state.layers) == ((3,), (11,), (2,))
