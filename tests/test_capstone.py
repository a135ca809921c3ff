"""Chapter 4: a style that forces units equals an intervention, and planted style effects are found."""


import pytest
import torch

from gan_teach.capstone import StyleEffects, beta, borrowed, effects_figure, forced, style_effects
from gan_teach.dissection.compare import likeness
from gan_teach.dissection.intervention import ablate, insert
from gan_teach.networks.layers import sample_z
from gan_teach.stylegan.generator import Generator, StyleGANConfig
from gan_teach.stylegan.adain_mixing_truncation import adain

SMALL = StyleGANConfig(resolution=16, fmap_base=64, fmap_max=8, z_dim=6, w_dim=6, mapping_layers=2)


@pytest.fixture
def G():
    torch.manual_seed(0)
    G = Generator(SMALL).eval()
    for layer in G.blocks.values():
        torch.nn.init.normal_(layer.B)
    return G


def cut(G, z, layer):
    """The x of Eq. 1 in this layer, and its style."""
    i = G.layers.index(layer)
    r, _ = G.at(z, G.layers[i - 1])
    return G.blocks[layer].before_style(r, G.noise()[i]), G.styles(G.ws(z))[i]


@torch.no_grad()
def test_a_forced_style_is_an_ablation_and_an_insertion_everywhere(G):
    z, units = sample_z(3, 6, seed=1), [4, 1]
    (x, y), (r, f) = cut(G, z, "layer3"), G.at(z, "layer3")
    assert torch.equal(adain(x, y), r), "the cut of the test is the generator's own"
    assert torch.equal(adain(x, forced(y, units)), ablate(r, units))
    assert not torch.equal(f(ablate(r, units)), f(r))
    everywhere, levels = torch.ones(r.shape[2:]), torch.tensor([0.7, -2.0])
    assert torch.allclose(adain(x, forced(y, units, levels)), insert(r, units, everywhere, levels))


def test_forcing_leaves_the_style_and_the_other_units_alone():
    y = torch.randn(2, 5), torch.randn(2, 5)
    before = [part.clone() for part in y]
    y_s, y_b = forced(y, [0, 3], 2.5)
    assert all(map(torch.equal, y, before))
    assert (y_s[:, [0, 3]] == 0).all() and (y_b[:, [0, 3]] == 2.5).all()
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match=str(wrong)):
            forced(y, [wrong])
    others = [1, 2, 4]
    assert torch.equal(y_s[:, others], y[0][:, others]) and torch.equal(y_b[:, others], y[1][:, others])


def test_units_borrow_their_style_and_all_of_them_give_the_other_style():
    y, y2 = ((torch.randn(2, 5), torch.randn(2, 5)) for _ in range(2))
    before = [part.clone() for part in (*y, *y2)]
    out = borrowed(y, y2, [3, 0])
    for part, own, other in zip(out, y, y2):
        assert torch.equal(part[:, [0, 3]], other[:, [0, 3]]) and torch.equal(part[:, [1, 2, 4]], own[:, [1, 2, 4]])
    assert all(map(torch.equal, before, (*y, *y2)))
    assert all(map(torch.equal, borrowed(y, y2, range(5)), y2)) and all(map(torch.equal, borrowed(y, y2, []), y))
    with pytest.raises(ValueError, match="5"):
        borrowed(y, y2, [5])


def test_beta_by_loops_and_at_its_ends():
    rng = torch.Generator().manual_seed(0)
    before, mixed, after = (torch.rand(7, 3, generator=rng, dtype=torch.double) for _ in range(3))
    wanted = [sum((m - a) * (b - a) for a, m, b in zip(*columns)) / sum((b - a)**2 for a, b in zip(*columns[::2]))
              for columns in zip(before.T.tolist(), mixed.T.tolist(), after.T.tolist())]
    assert beta(before, mixed, after).tolist() == pytest.approx(wanted)
    assert beta(before, before, after).tolist() == [0, 0, 0] and beta(before, after, after).tolist() == [1, 1, 1]
    assert beta(before, mixed, before).isnan().all()


def test_another_beta_drives_the_measurement_and_its_error():
    found = style_effects(Alone(), Bright(), *pairs(Alone(), 40), progress=False,
                          beta=lambda before, mixed, after: beta(before, mixed, after) + 1)
    assert found.share[:, 1].tolist() == [1, 2, 1] and found.error[:, 1].tolist() == [0, 0, 0]


class Flags:
    """Pictures of 4 rows; layer i of the two that matter paints two rows in class 1 where its w is positive."""

    layers, z_dim = ("layer0", "layer1", "layer2"), 2
    painters = {0: slice(0, 2), 2: slice(2, 4)}

    def ws(self, z):
        return torch.stack([z, z.flip(1), z.roll(1, 1)], 1)                 # (N, 3, 2)

    def synthesis(self, ws):
        x = -torch.ones(len(ws), 3, 4, 4)
        for layer, rows in self.painters.items():
            x[:, :, rows] = torch.where(ws[:, layer, 0] > 0, 1.0, -1.0)[:, None, None, None]
        return x


class Alone(Flags):
    painters = {1: slice(0, 4)}


class Bright:
    classes = ("dark", "bright", "never")

    def __call__(self, x):
        return torch.cat([-x[:, :1], x[:, :1], torch.full_like(x[:, :1], -9)], 1)


def pairs(G, n):
    return G.ws(sample_z(2 * n, G.z_dim, seed=0)).chunk(2)


def test_a_planted_effect_is_found_and_its_error_is_nothing():
    found = style_effects(Alone(), Bright(), *pairs(Alone(), 40), batch=7, progress=False)
    assert found.share[:, 1].tolist() == [0, 1, 0] and found.share[:, 0].tolist() == [0, 1, 0]
    assert found.error[:, :2].abs().max() == 0 and found.share[:, 2].isnan().all()
    assert "layer1" in str(found) and "bright" in str(found)


def test_two_layers_that_add_up_share_the_effect():
    found = style_effects(Flags(), Bright(), *pairs(Flags(), 400), progress=False)
    bright = found.share[:, 1]
    assert bright[1] == 0 and bright.sum().item() == pytest.approx(1, abs=1e-6)
    assert 0.35 < bright[0] < 0.65 and 0 < found.error[0, 1] < 0.1
    again = style_effects(Flags(), Bright(), *pairs(Flags(), 400), batch=33, progress=False)
    assert torch.allclose(found.share, again.share, equal_nan=True)         # whatever the batch


def test_the_figure_has_a_chart_for_each_class_with_lines_before_bars():
    found = style_effects(Alone(), Bright(), *pairs(Alone(), 20), progress=False)
    drawn = {"layer0": torch.tensor([0.1, 0.04, 0]), "layer1": torch.tensor([0, 0.02, 0]),
             "layer2": torch.tensor([0.4, 0, 0])}
    figure = effects_figure(drawn, {"all": found, "again": found}, found.classes[:2])
    assert [ax.get_title() for ax in figure.axes] == [
        f"{found.classes[0]}\ndrawn in 2\ndecided in 1", f"{found.classes[1]}\nno unit of its own\ndecided in 1"]
    for c, ax in enumerate(figure.axes):
        bars, *lines = ax.containers
        assert [bar.get_height() for bar in bars] == pytest.approx([each[c].item() for each in drawn.values()])
        assert [list(part[0].get_ydata()) for part in lines] == [[0, 1, 0]] * 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["drawn: best unit's IoU", "all", "again"]
    with pytest.raises(ValueError, match=r"no class 'bight' \(did you mean 'bright'\?\)"):
        effects_figure(drawn, {"all": found}, ("bight",))


def test_layers_that_cannot_be_told_apart_share_the_title():
    found = StyleEffects(("layer0", "layer1", "layer2"), ("tree",), torch.tensor([[0.25], [0.1], [0.2]]),
                         torch.full((3, 1), 0.06))
    (ax,) = effects_figure(dict.fromkeys(found.layers, torch.ones(1)), {"days": found}, ["tree"]).axes
    assert ax.get_title() == "tree\ndrawn in 0\ndecided in 0, 2"


def test_a_style_generator_is_measured_and_left_as_it_was(G):
    G.train()
    ws, ws2 = pairs(G, 10)
    found = style_effects(G, Bright(), ws, ws2, batch=4, progress=False)
    assert found.layers == G.layers and found.share.shape == (6, 3) and G.training
    for few in ((ws[:9], ws2[:9]), (ws, ws2[:9])):
        with pytest.raises(ValueError, match="at least 10 pairs"):
            style_effects(G, Bright(), *few)
    with pytest.raises(ValueError, match="batch must be a whole number from 1 on; got 0"):
        style_effects(G, Bright(), ws, ws2, batch=0)


def test_likeness_is_one_with_itself_and_low_with_its_units_in_another_order():
    one = torch.rand(8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a = one - one.mean(0)
    assert likeness(one, one).item() == pytest.approx(1)
    assert likeness(one, one.roll(2, 0)).item() == pytest.approx(sum(
        (a[u, c] * a[u - 2, c]).item() for u in range(8) for c in range(3)) / a.square().sum().item())
    assert likeness(one, one.roll(2, 0)) < 0.9
    assert likeness(one, one + torch.tensor([0.1, 0.2, 0.0])).item() == pytest.approx(1)      # what all units share
