"""The style generator and its discriminator, each formula computed a second time by hand, in float64."""

import copy
import math
import sys

import pytest
import torch
import torch.nn.functional as F

from gan_teach import stylegan
from gan_teach.networks import layers
from gan_teach.networks.layers import sample_z
from gan_teach.networks.losses import logistic_d, logistic_g, logits_and_slope
from gan_teach.networks.winograd import WinogradConv
from gan_teach.stylegan import generator
from gan_teach.stylegan.discriminator import Discriminator
from gan_teach.stylegan.generator import PUBLISHED, Generator, StyleGANConfig, configuration
from gan_teach.stylegan.adain_mixing_truncation import adain, mix, truncate
from gan_teach.stylegan.prepared import prepared

SIZE = {"resolution": 16, "z_dim": 8, "w_dim": 8, "fmap_base": 32, "fmap_max": 8}
SMALL = StyleGANConfig(**SIZE)


def shaken(net, seed=0):
    """The network with every weight moved: zeros and ones hide mistakes."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.5 * p.abs().mean().clamp(min=0.5) * torch.randn(p.shape, generator=draw))
        if hasattr(net, "w_avg"):
            net.w_avg.copy_(torch.randn(net.w_avg.shape, generator=draw))
    return net.eval()


@pytest.fixture
def G():
    torch.manual_seed(0)
    return shaken(Generator(SMALL)).requires_grad_(False)


@pytest.fixture
def z():
    return sample_z(3, 8, seed=1)


# -------------------------------------------------------------------------------------- the operations

def test_adain_eq1():
    """Equation 1 by loops, in float64."""
    x, y_s, y_b = torch.randn(2, 3, 4, 5) * 3 + 7, torch.randn(2, 3), torch.randn(2, 3)
    out = adain(x, (y_s, y_b))
    for n in range(2):
        for i in range(3):
            a = [float(v) for v in x[n, i].double().flatten()]
            mu = sum(a) / 20
            sigma = math.sqrt(sum((v - mu) ** 2 for v in a) / 20)
            wanted = [float(y_s[n, i]) * (v - mu) / sigma + float(y_b[n, i]) for v in a]
            assert torch.allclose(out[n, i].flatten().double(), torch.tensor(wanted).double(), atol=1e-5)


def test_adain_leaves_mean_y_b_and_standard_deviation_y_s():
    x, y_s, y_b = torch.randn(4, 6, 8, 8) * 5 - 2, torch.rand(4, 6) + 0.1, torch.randn(4, 6)
    out = adain(x, (y_s, y_b))
    assert torch.allclose(out.mean((2, 3)), y_b, atol=1e-5)
    assert torch.allclose(out.std((2, 3), unbiased=False), y_s, atol=1e-5)
    assert torch.equal(adain(x, (y_s[:1], y_b[:1]))[0], out[0])            # one style for all
    flat = adain(torch.full((1, 1, 4, 4), 3.0), (torch.ones(1, 1), torch.full((1, 1), 2.0)))
    assert torch.equal(flat, torch.full((1, 1, 4, 4), 2.0))                 # a flat map has no spread to scale


def test_truncation_by_its_formula():
    w, w_avg = torch.randn(2, 6, 8), torch.randn(8)
    assert torch.allclose(truncate(w, 0.7, w_avg), w_avg + 0.7 * (w - w_avg), atol=1e-6)
    assert torch.allclose(truncate(w, -1, w_avg), 2 * w_avg - w, atol=1e-5)
    assert torch.equal(truncate(w, 1, w_avg), w) and torch.equal(truncate(w, 0, w_avg), w_avg.expand_as(w))
    half = truncate(w, 0.5, w_avg, cutoff=2)
    assert torch.equal(half[:, 2:], w[:, 2:]) and torch.equal(half[:, :2], truncate(w, 0.5, w_avg)[:, :2])
    with pytest.raises(ValueError, match="a cutoff needs a w for each layer.*2, 8"):
        truncate(w[:, 0], 0.5, w_avg, cutoff=2)


def test_psi_1_changes_nothing_and_psi_0_is_the_average_picture(G, z):
    assert torch.equal(G(z, psi=1.0), G(z))
    average = G.synthesis(G.w_avg[None])
    assert torch.allclose(G(z, psi=0.0), average.expand(3, -1, -1, -1), atol=1e-5)
    assert not torch.allclose(G(z, psi=0.5), G(z), atol=1e-2)
    ws = G.ws(z)
    by_hand = torch.cat([G.w_avg + 0.5 * (ws[:, :2] - G.w_avg), ws[:, 2:]], 1)
    assert torch.allclose(G(z, psi=0.5, cutoff=2), G.synthesis(by_hand), atol=1e-5)


def test_groups_of_layers_are_the_papers():
    assert stylegan.layer_groups(18) == {"coarse": (0, 1, 2, 3), "middle": (4, 5, 6, 7), "fine": tuple(range(8, 18))}
    assert stylegan.layer_groups(10)["fine"] == (8, 9) and list(stylegan.layer_groups(4)) == ["coarse"]


def test_mixing_takes_the_given_layers_from_the_second(G, z):
    a, b = G.ws(z), G.ws(sample_z(3, 8, seed=2))
    mixed = mix(a, b, [1, 4])
    for i in range(6):
        assert torch.equal(mixed[:, i], (b if i in (1, 4) else a)[:, i])
    assert torch.equal(G.synthesis(mix(a, b, range(6))), G.synthesis(b))
    assert torch.equal(G.synthesis(mix(a, b, ())), G.synthesis(a))
    assert not torch.allclose(G.synthesis(mixed), G.synthesis(a), atol=1e-2)
    assert mix(a[:1], b, [0]).shape == (3, 6, 8) and torch.equal(mix(a, b[:1], [0])[2, 0], b[0, 0])
    with pytest.raises(ValueError, match="they have 0 to 5"):
        mix(a, b, [6])
    with pytest.raises(ValueError, match="mix needs two tensors N×L×W"):
        mix(a[:, 0], b[:, 0], [0])


def test_styles_before_a_layer_depend_on_their_own_w_alone(G, z):
    a, b = G.ws(z), G.ws(sample_z(3, 8, seed=2))
    kept_a, kept_mixed = {}, {}
    G.synthesis(a, keep=kept_a)
    G.synthesis(mix(a, b, [3]), keep=kept_mixed)
    same = [name for name in G.layers if torch.equal(kept_a[name], kept_mixed[name])]
    assert same == ["layer0", "layer1", "layer2"]


# -------------------------------------------------------------------------------------- the shared parts

def naive_blur(x):
    """Nine shifted copies of x, zeros around, with the weights 1 2 1 / 2 4 2 / 1 2 1 over 16."""
    n, c, h, w = x.shape
    out, around = torch.zeros_like(x), torch.zeros(n, c, h + 2, w + 2, dtype=x.dtype)
    around[:, :, 1:-1, 1:-1] = x
    for i, a in enumerate((1, 2, 1)):
        for j, b in enumerate((1, 2, 1)):
            out += a * b / 16 * around[:, :, i:i + h, j:j + w]
    return out


def naive_conv(x, w):
    """A 3×3 convolution as nine matrix products, zeros around."""
    n, _, h, width = x.shape
    around = torch.zeros(n, x.shape[1], h + 2, width + 2, dtype=x.dtype)
    around[:, :, 1:-1, 1:-1] = x
    return sum(torch.einsum("oc,nchw->nohw", w[:, :, i, j], around[:, :, i:i + h, j:j + width])
               for i in range(3) for j in range(3))


def double(x):
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_blur_by_shifts():
    x = torch.randn(2, 3, 5, 4)
    assert torch.allclose(layers.blur(x).double(), naive_blur(x.double()), atol=1e-6)
    # after nearest ×2 it is bilinear sampling, away from the border
    bilinear = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(layers.blur(double(x))[..., 1:-1, 1:-1], bilinear[..., 1:-1, 1:-1], atol=1e-6)


def test_blur_is_its_own_gradient_as_often_as_one_likes():
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layers.blur, x) and torch.autograd.gradgradcheck(layers.blur, x)


def test_sampling_convolutions_equal_their_two_steps():
    torch.manual_seed(0)
    up, down, x = layers.UpConv2d(5, 7, 3), layers.DownConv2d(5, 7, 3), torch.randn(2, 5, 6, 4)
    with torch.no_grad():
        up.bias.normal_()
        down.bias.normal_()
    scale = math.sqrt(2 / 45)
    wanted = naive_conv(double(x.double()), up.weight.double() * scale) + up.bias.double()[:, None, None]
    assert torch.allclose(up(x).double(), wanted, atol=1e-5)
    wanted = naive_conv(x.double(), down.weight.double() * scale) + down.bias.double()[:, None, None]
    wanted = wanted.unflatten(2, (3, 2)).unflatten(4, (2, 2)).mean((3, 5))
    assert torch.allclose(down(x).double(), wanted, atol=1e-5)


def test_an_upsampling_kernel_is_kept_as_long_as_its_weight_stands():
    torch.manual_seed(0)
    up, other, x = *(layers.UpConv2d(5, 7, 3).requires_grad_(False) for _ in range(2)), torch.randn(2, 5, 6, 4)
    kernel = up.kernel()
    assert up.kernel() is kernel and torch.equal(kernel, copy.deepcopy(up).kernel())
    changes = {
        "written into": lambda: up.weight.mul_(2), "loaded": lambda: up.load_state_dict(other.state_dict()),
        "another tensor": lambda: setattr(up.weight, "data", torch.randn(7, 5, 3, 3)),
        "another parameter": lambda: setattr(up, "weight", torch.nn.Parameter(torch.randn(7, 5, 3, 3), False))}
    for how, change in changes.items():
        before = up(x)
        change()
        after, kernel = up(x), up.kernel()
        assert not torch.allclose(before, after), how
        assert torch.equal(kernel, copy.deepcopy(up).kernel()) and up.kernel() is kernel, how
    up.half()
    assert up.kernel().dtype == torch.float16
    twin = copy.deepcopy(up)
    twin.weight.zero_()
    assert not twin.kernel().any() and up.kernel().any() and "_kept" not in up.state_dict()


def test_an_upsampling_kernel_is_made_anew_where_gradients_are_needed():
    torch.manual_seed(0)
    up, x = layers.UpConv2d(5, 7, 3), torch.randn(2, 5, 6, 4)
    with torch.no_grad():
        kept = up.kernel()                                                  # as drawing does between two steps
    for _ in range(2):                                                      # a second backward needs a second graph
        up.weight.grad = None
        up(x).square().sum().backward()
        assert up.weight.grad.abs().sum() > 0 and up.kernel() is not kept
    with torch.no_grad():
        assert up.kernel() is kept
        up.weight -= 0.1 * up.weight.grad                                   # a step of training
        assert torch.equal(up.kernel(), copy.deepcopy(up).kernel()) and not torch.equal(up.kernel(), kept)
    up.requires_grad_(False)
    with torch.inference_mode():
        kept = up.kernel()
    x.requires_grad_(True)
    up(x).sum().backward()
    assert x.grad is not None and up.kernel() is kept and not kept.is_inference()


def test_the_scaled_weight_of_a_convolution_is_kept_as_long_as_its_weight_stands():
    conv, x = layers.EqualizedConv2d(5, 7, 3), torch.randn(2, 5, 6, 4)
    with torch.no_grad():
        before, kept = conv(x), conv._kept[2]
        assert torch.equal(kept, conv.weight * conv.scale) and conv(x).equal(before) and conv._kept[2] is kept
        twin = copy.deepcopy(conv)
        assert "_kept" not in vars(twin) and torch.equal(twin(x), before)
        conv.weight.mul_(2)
        assert torch.allclose(conv(x), 2 * before)
    conv(x).sum().backward()
    assert conv.weight.grad.abs().sum() > 0


def test_learning_rate_multiplier_keeps_the_start_and_slows_the_step():
    torch.manual_seed(0)
    layer, x = layers.EqualizedLinear(100, 90, rate=0.01), torch.randn(64, 100)
    assert abs(float(layer.weight.detach().std()) - 100) < 5
    before = layer(x).detach()
    assert abs(float(before.std()) - math.sqrt(2)) < 0.1                    # as any equalised layer, gain sqrt 2
    used = (layer.weight * layer.scale).detach()
    layer(x).square().sum().backward()
    with torch.no_grad():
        layer.weight -= 0.1 * layer.weight.grad.sign()                      # the first step of Adam
    moved = (layer.weight * layer.scale - used).abs().detach()
    assert math.isclose(float(moved.median()), 0.1 * 0.01 * math.sqrt(2 / 100), rel_tol=0.01)
    with torch.no_grad():
        layer.bias.fill_(1.0)
        layer.weight.zero_()
    assert torch.allclose(layer(x), torch.full((64, 90), 0.01))


def test_sixteen_bits_do_not_end_the_sums_of_a_norm(G, z):
    """float16 ends at 65,504, and so did sums over 256×256 pixels, and squares of 256."""
    draw = torch.Generator().manual_seed(0)
    x, y = 20 + 300 * torch.randn(1, 2, 256, 256, generator=draw), (torch.rand(1, 2), torch.rand(1, 2))
    assert torch.allclose(adain(x.half(), y).float(), adain(x, y), atol=0.01)
    assert torch.allclose(layers.pixel_norm(x.half()).float(), layers.pixel_norm(x), atol=0.01)
    G.blocks["layer0"].source.value.mul_(400)                               # AdaIN takes it away again
    small, wanted = copy.deepcopy(G).half()(z.half()), G(z)
    assert (small - wanted).abs().mean() < 0.01 * wanted.std()


# -------------------------------------------------------------------------------------- the networks by hand

def mapping_by_hand(G, z):
    w = z.double()
    w = w / (w.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
    for layer in G.mapping.layers:
        w = w @ (layer.weight.double() * 0.01 * math.sqrt(2 / layer.weight.shape[1])).T + 0.01 * layer.bias.double()
        w = torch.where(w > 0, w, 0.2 * w)
    return w


def adain_by_hand(x, y_s, y_b):
    out = torch.empty_like(x)
    for n in range(len(x)):
        for c in range(x.shape[1]):
            a = x[n, c] - x[n, c].mean()
            out[n, c] = y_s[n, c] * a / (a.pow(2).mean() + 1e-8).sqrt() + y_b[n, c]
    return out


def synthesis_by_hand(G, ws, maps):
    """Every layer once more; ws N×L×W in float64."""
    c = G.config
    for i, name in enumerate(G.layers):
        layer = G.blocks[name]
        if i == 0 and c.constant:
            x = layer.source.value.double().repeat(len(ws), 1, 1, 1)
        elif i == 0:
            dense = layer.source[0].weight.double() * math.sqrt(2) / 4 / math.sqrt(c.w_dim)
            x = (ws[:, 0] @ dense.T).reshape(len(ws), -1, 4, 4)
        else:
            w = layer.source.weight.double()
            w = w * math.sqrt(2) / math.sqrt(w[0].numel())
            x = naive_conv(double(x) if i % 2 == 0 else x, w)
            if i % 2 == 0 and c.blur:
                x = naive_blur(x)
        if c.noise:
            x = x + layer.B.double()[:, None, None] * maps[i].double()
        x = x + layer.bias.double()[:, None, None]
        x = torch.where(x > 0, x, 0.2 * x)
        if c.pixel_norm or not c.styles:
            x = x / (x.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
        if c.styles:
            s = ws[:, i] @ (layer.A.weight.double() / math.sqrt(c.w_dim)).T + layer.A.bias.double()
            x = adain_by_hand(x, s[:, :x.shape[1]] + 1, s[:, x.shape[1]:])
    rgb = G.to_rgb[str(G.resolution)]
    w = rgb.weight[:, :, 0, 0].double() / math.sqrt(x.shape[1])
    return torch.einsum("oc,nchw->nohw", w, x) + rgb.bias.double()[:, None, None]


def test_mapping_by_hand(G, z):
    assert torch.allclose(G.mapping(z).double(), mapping_by_hand(G, z), atol=1e-5)
    assert torch.allclose(G.mapping(10 * z), G.mapping(z), atol=1e-5)       # only the direction of z counts


def test_styles_are_affine_in_w(G, z):
    w = G.mapping(z)
    styles = G.styles(w)
    assert len(styles) == 6
    for (y_s, y_b), name in zip(styles, G.layers):
        A = G.blocks[name].A
        s = w.double() @ (A.weight.double() / math.sqrt(8)).T + A.bias.double()
        assert torch.allclose(y_s.double(), 1 + s[:, : s.shape[1] // 2], atol=1e-5)
        assert torch.allclose(y_b.double(), s[:, s.shape[1] // 2:], atol=1e-5)


@pytest.mark.parametrize("letter, pixels", [*((letter, False) for letter in "ABCDEF"), ("F", True)])
def test_generator_by_hand(letter, pixels, z):
    torch.manual_seed(0)
    G = shaken(Generator(configuration(letter, **SIZE, pixel_norm=pixels))).requires_grad_(False)
    ws, maps = G.ws(z), G.noise(seed=5)
    x = G(z, noise=5)
    wanted = synthesis_by_hand(G, mapping_by_hand(G, z)[:, None].expand(-1, 6, -1), maps)
    assert x.shape == (3, 3, 16, 16) and torch.allclose(x.double(), wanted, atol=2e-4)
    if G.config.styles:
        ws = mix(ws, G.ws(sample_z(3, 8, seed=2)), [2, 5])
        assert torch.allclose(G.synthesis(ws, maps).double(), synthesis_by_hand(G, ws.double(), maps), atol=2e-4)


@pytest.mark.parametrize("blurred", [True, False])
def test_discriminator_by_hand(blurred):
    torch.manual_seed(0)
    D = shaken(Discriminator(StyleGANConfig(**SIZE, blur=blurred))).requires_grad_(False)
    x = torch.randn(8, 3, 16, 16)

    def lrelu(y):
        return torch.where(y > 0, y, 0.2 * y)

    def weight(layer, gain=2**0.5):
        return layer.weight.double() * gain / math.sqrt(layer.weight[0].numel())

    rgb = D.from_rgb["16"]
    y = torch.einsum("oc,nchw->nohw", weight(rgb)[:, :, 0, 0], x.double())
    y = lrelu(y + rgb.bias.double()[:, None, None])
    for r in (16, 8):
        block = D.blocks[str(r)]
        y = lrelu(naive_conv(y, weight(block.conv)) + block.conv.bias.double()[:, None, None])
        y = naive_conv(naive_blur(y) if blurred else y, weight(block.conv_down))
        y = y.unflatten(2, (r // 2, 2)).unflatten(4, (r // 2, 2)).mean((3, 5))
        y = lrelu(y + block.conv_down.bias.double()[:, None, None])
    spread = torch.stack([(y[m::2].var(0, unbiased=False) + 1e-8).sqrt().mean() for m in (0, 1)]).repeat(4)
    y = torch.cat([y, spread[:, None, None, None].expand(8, 1, 4, 4)], 1)
    conv, dense, last = D.last[0], D.last[3], D.last[5]
    y = lrelu(naive_conv(y, weight(conv)) + conv.bias.double()[:, None, None]).flatten(1)
    y = lrelu(y @ weight(dense).T + dense.bias.double())
    wanted = (y @ weight(last, 1.0).T + last.bias.double())[:, 0]
    assert D(x).shape == (8,) and torch.allclose(D(x).double(), wanted, atol=1e-3, rtol=1e-4)


# -------------------------------------------------------------------------------------- noise

def test_the_same_noise_gives_the_same_picture(G, z):
    assert torch.equal(G(z), G(z)) and torch.equal(G(z, noise=3), G(z, noise=3))
    assert torch.equal(G(z, noise=3), G(z, noise=G.noise(3))) and torch.equal(G(z), G(z, noise=G.noise()))
    assert not torch.allclose(G(z, noise=3), G(z, noise=4), atol=1e-3)
    off = G(z, noise=G.noise(3, layers=()))
    assert torch.equal(off, G(z, noise=G.noise(4, layers=())))
    assert all(m.abs().max() == 0 for m in G.noise(layers=()))


def test_noise_can_be_kept_for_some_layers(G):
    maps = G.noise(3, layers=range(4, 6))
    assert [bool(m.any()) for m in maps] == [False] * 4 + [True] * 2
    assert torch.equal(maps[5], G.noise(3)[5]) and maps[5].shape == (1, 1, 16, 16)


def test_each_picture_may_have_its_own_noise(G, z):
    both = G(z[:2], noise=G.noise([3, 4]))
    assert torch.allclose(both[0], G(z[:1], noise=3)[0], atol=1e-5)
    assert torch.allclose(both[1], G(z[1:2], noise=4)[0], atol=1e-5)


def test_a_smaller_picture_has_the_same_noise(G):
    whole = G.noise(7)
    G.grow(8)
    assert len(G.noise(7)) == 4 and all(torch.equal(a, b) for a, b in zip(G.noise(7), whole))


def test_noise_without_weight_changes_nothing(z):
    torch.manual_seed(0)
    G = Generator(SMALL)                                                    # B starts at zero
    assert torch.equal(G(z, noise=3), G(z, noise=4))


# -------------------------------------------------------------------------------------- cuts and caches

def test_cut_is_exact_at_every_layer(G, z):
    for options in ({}, {"noise": 4, "psi": 0.6, "cutoff": 3}):
        x = G(z, **options)
        for layer in G.layers:
            r, f = G.at(z, layer, **options)
            assert r.shape[0] == 3 and torch.equal(f(r), x)
            assert not torch.equal(f(torch.zeros_like(r)), x)
    with pytest.raises(ValueError, match="no layer 'layer6'.*layer0, layer1.*layer5"):
        G.at(z, "layer6")


def test_synthesis_goes_on_from_a_kept_layer_and_computes_only_the_rest(G, z):
    a, b, kept, computed = G.ws(z), G.ws(sample_z(3, 8, seed=2)), {}, []
    G.synthesis(a, 3, keep=kept)
    assert tuple(kept) == G.layers
    for name in G.layers:
        G.blocks[name].register_forward_hook(lambda *_, name=name: computed.append(name))
    fine = mix(a, b, [4, 5])
    whole = G.synthesis(fine, 3)
    computed.clear()
    again = {}
    assert torch.equal(G.synthesis(fine, 3, start=("layer3", kept["layer3"]), keep=again), whole)
    assert computed == ["layer4", "layer5"] == list(again)
    with pytest.raises(ValueError, match="no layer 'x'"):
        G.synthesis(a, start=("x", kept["layer3"]))


def test_wrong_latents_noise_and_sizes_are_explained(G, z):
    with pytest.raises(ValueError, match="has 6 layers at 16 px; ws has 5"):
        G.synthesis(G.ws(z)[:, :5])
    for noise in ([3, 4, 5], G.noise(3)[:5], [3] * 6):
        with pytest.raises(ValueError, match="noise is None, a seed, or 6 maps"):
            G(z, noise=noise)
    with pytest.raises(ValueError, match="a power of two, 4 or more; got 48"):
        StyleGANConfig(resolution=48)


# -------------------------------------------------------------------------------------- configurations and growth

@pytest.mark.parametrize("letter, count", [("A", 23_079_115), ("B", 23_079_115), ("C", 30_400_651),
                                           ("D", 26_214_539), ("E", 26_219_627), ("F", 26_219_627)])
def test_parameters_at_the_published_size(letter, count):
    with torch.device("meta"):
        G = Generator(configuration(letter, **PUBLISHED))
    assert sum(p.numel() for p in G.parameters()) == count and len(G.layers) == 18


def test_parameters_of_other_published_mappings():
    for config, count in ((configuration("F", **PUBLISHED, mapping_layers=0), 24_118_379),
                          (configuration("B", **PUBLISHED, mapping_layers=8), 25_180_363)):
        with torch.device("meta"):
            assert sum(p.numel() for p in Generator(config).parameters()) == count


def test_configurations_add_one_thing_at_a_time():
    assert configuration("F", **SIZE) == SMALL
    differences = [{name for name in vars(a) if getattr(a, name) != getattr(b, name)}
                   for a, b in zip(map(configuration, "ABCDE"), map(configuration, "BCDEF"))]
    assert differences == [{"blur"}, {"mapping_layers", "styles"}, {"constant"}, {"noise"}, {"mixing"}]
    with pytest.raises(ValueError, match="no configuration 'G'; the paper has A, B, C"):
        configuration("G")
    with pytest.raises(ValueError, match="w_dim must be 8, not 9"):
        Generator(configuration("B", **{**SIZE, "w_dim": 9}))


@pytest.mark.parametrize("letter", "ABCDEF")
def test_each_configuration_makes_a_step(letter):
    torch.manual_seed(0)
    config = configuration(letter, **SIZE)
    G, D, draw = Generator(config), Discriminator(config), torch.Generator().manual_seed(0)
    real = torch.randn(4, 3, 16, 16)

    def loss_d():
        logits, r1 = logits_and_slope(D, real)
        return logistic_d(logits, D(G.regularised(4, draw).detach())) + r1

    for net, loss in ((D, loss_d), (G, lambda: logistic_g(D(G.regularised(4, draw))))):
        for p in (*G.parameters(), *D.parameters()):
            p.grad = None
        loss().backward()
        active = {name: p for name, p in net.named_parameters() if "rgb" not in name or "rgb.16" in name}
        for name, p in active.items():
            assert p.grad is not None and torch.isfinite(p.grad).all(), name
        # a style that is not read, a bias that a normalisation removes: nothing of the kind is left in the network
        still = {name for name, p in active.items() if not p.grad.any()}
        assert not still, still


def test_fade_in_starts_at_the_old_network_and_ends_at_the_new(G, z):
    torch.manual_seed(1)
    D = Discriminator(SMALL)
    G.grow(8)
    assert G.layers == ("layer0", "layer1", "layer2", "layer3")
    old = G(z)
    D.grow(8)
    old_score = D(old)
    for net in (G, D):
        net.grow(16, 1e-7)
    assert torch.allclose(G(z), double(old), atol=1e-5)
    assert torch.allclose(D(double(old)), old_score, atol=1e-4)
    G.grow(16, 0.5)
    half = G(z)
    with pytest.raises(ValueError, match="still fading in"):
        G.at(z, "layer1")
    with pytest.raises(ValueError, match="still fading in"):
        G.synthesis(G.ws(z), start=("layer1", torch.zeros(3, 8, 4, 4)))
    G.grow(16)
    assert torch.allclose(half, (double(old) + G(z)) / 2, atol=1e-5)
    with pytest.raises(ValueError, match="cannot work at 32 px; it can at 4, 8, 16"):
        G.grow(32)


# -------------------------------------------------------------------------------------- the training pass

def test_training_pass_comes_from_its_generator_alone(G):
    def draw():
        return torch.Generator().manual_seed(5)

    whole = G.regularised(4, draw())
    torch.manual_seed(99)
    assert torch.equal(G.regularised(4, draw()), whole)
    parts = [G.regularised(4, draw(), slice(rank, None, 2)) for rank in (0, 1)]
    assert torch.allclose(torch.stack(parts, 1).flatten(0, 1), whole, atol=1e-5)
    assert (whole[0] - whole[1]).abs().max() > 1e-2


def test_w_avg_follows_the_mean_of_w(G):
    before = G.w_avg.clone()
    G.regularised(4, torch.Generator().manual_seed(5))
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(5))
    assert torch.allclose(G.w_avg, 0.995 * before + 0.005 * G.mapping(z).mean(0), atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_mixing_regularisation_draws_a_crossover_above_the_first_layer(share, monkeypatch):
    torch.manual_seed(0)
    G, seen = Generator(StyleGANConfig(**{**SIZE, "mixing": share})).requires_grad_(False), []
    monkeypatch.setattr(generator, "mix", lambda a, b, layers: seen.append(layers) or mix(a, b, layers))
    monkeypatch.setattr(G, "synthesis", lambda ws, noise: ws)
    draw = torch.Generator().manual_seed(0)
    for _ in range(40):
        G.regularised(1, draw)
    assert {0.0: 0, 1.0: 40}.get(share, len(seen)) == len(seen) and (share != 0.5 or 10 < len(seen) < 30)
    mixed = len(seen)
    for _ in range(40):
        G.regularised(1, draw, mixes=False)
    assert len(seen) == mixed
    if share == 1.0:
        assert {(layers[0], layers[-1]) for layers in seen} == {(i, 5) for i in range(1, 6)}


# -------------------------------------------------------------------------------------- the fast path

@pytest.mark.parametrize("letter, pixels", [*((letter, False) for letter in "ABCDEF"), ("F", True)])
def test_prepared_generator_draws_the_same_pictures(letter, pixels, z):
    torch.manual_seed(0)
    G = shaken(Generator(configuration(letter, **SIZE, pixel_norm=pixels))).requires_grad_(False)
    fast = prepared(G)
    for batch in (z, z[:1]):
        for options in ({}, {"noise": 3}, {"noise": 4, "psi": 0.5, "cutoff": 2}, {}):
            assert torch.allclose(fast(batch, **options), G(batch, **options), atol=2e-4)
    assert not any(p.requires_grad for p in fast.parameters())
    G.grow(16, 0.25)
    fast.grow(16, 0.25)
    assert torch.allclose(fast(z), G(z), atol=2e-4)


@pytest.mark.parametrize("kind", [torch.float16, torch.float64])
def test_a_generator_of_other_numbers_is_prepared_too(G, z, kind):
    G = copy.deepcopy(G).to(kind)
    assert torch.allclose(prepared(G)(z), copy.deepcopy(G).float()(z), atol=2e-4)


def test_wide_convolutions_are_prepared_winograds_way_where_it_pays(z):
    torch.manual_seed(0)
    G = shaken(Generator(StyleGANConfig(16, 8, 8, 2048, 256))).requires_grad_(False)
    fast = prepared(G)
    assert [name for name, layer in fast.blocks.items() if isinstance(layer.source, WinogradConv)] == [
        "layer2", "layer4", "layer5"]                                       # 3 has too few pixels
    x = G(z)
    assert x.std() > 5 and torch.allclose(fast(z), x, atol=5e-4) and torch.allclose(fast(z[1:2]), x[1:2], atol=5e-4)
    fast = prepared(G, torch.bfloat16)
    assert [name for name, layer in fast.blocks.items() if isinstance(layer.source, WinogradConv)] == [
        "layer2", "layer4"]                                                 # those after nearest ×2
    assert 1e-4 < (fast(z) - x).abs().mean() / x.std() < 0.03               # no further off than by the convolutions


def test_prepared_styles_and_cuts(G, z):
    fast, kept = prepared(G), {}
    for (a, b), (c, d) in zip(G.styles(G.mapping(z)), fast.styles(fast.mapping(z))):
        assert torch.allclose(a, c, atol=1e-5) and torch.allclose(b, d, atol=1e-5)
    ws, noise = fast.ws(z), fast.noise(3)
    x = fast.synthesis(ws, noise, keep=kept)
    for name in fast.layers:
        assert torch.allclose(kept[name], G.at(z, name, noise=3)[0], atol=2e-4)
        assert torch.equal(fast.synthesis(ws, noise, start=(name, kept[name])), x)
        r, f = fast.at(z, name, noise)
        assert torch.equal(f(r), x)
    before = G(z)
    with torch.no_grad():
        fast.blocks["layer0"].bias.add_(1.0)
    assert torch.equal(G(z), before)                                        # a copy, not a view


def test_prepared_in_bfloat16_stays_close(G, z):
    x, fast = G(z, noise=3), prepared(G, torch.bfloat16)
    error = (fast(z, noise=3) - x).abs().mean() / x.std()
    assert fast(z).dtype == torch.float32 and 1e-5 < error < 0.05
    r, f = fast.at(z, "layer3")
    assert torch.equal(f(r), fast(z))


def test_gradients_pass_through_a_prepared_cut(G, z):
    gradients = []
    for net in (G, prepared(G)):
        r, f = net.at(z, "layer2")
        r = r.detach().requires_grad_(True)
        gradients.append(torch.autograd.grad(f(r).square().sum(), r)[0])
    assert torch.allclose(*gradients, atol=1e-2, rtol=1e-3)


def test_a_noise_map_is_not_mixed_up_with_that_of_another_thread():
    """Between any two lines of the one thread the other asks for another noise."""
    layer = prepared(Generator(StyleGANConfig(resolution=8, fmap_max=8, z_dim=6, w_dim=6))).blocks["layer2"]
    torch.nn.init.ones_(layer.B)
    one, other = torch.randn(2, 1, 1, 8, 8)
    wanted = layer._added(one).clone()

    def meddle(frame, event, argument):
        if frame.f_code is layer._added.__func__.__code__ and event == "line":
            layer._added(other)
        return meddle

    before = sys.gettrace()
    try:
        sys.settrace(meddle)
        found = layer._added(one)
    finally:
        sys.settrace(before)
    assert torch.equal(found, wanted)


def test_another_mapping_rate_draws_the_same(G, z):
    """The same f, whose stored weights are smaller by as much as a step of Adam counts for more."""
    faster = generator.with_mapping_rate(G, 0.1)
    assert (G.config.mapping_rate, faster.config.mapping_rate, faster.mapping.layers[7].rate) == (0.01, 0.1, 0.1)
    assert torch.allclose(faster.mapping(z), G.mapping(z), rtol=1e-4) and torch.allclose(faster(z), G(z), atol=1e-2)
    assert torch.allclose(faster.mapping.layers[7].weight * 10, G.mapping.layers[7].weight)
