"""Chapter 2's exercises: the checks, given right answers and usual wrong ones."""

import pytest
import torch
import torch.nn.functional as F

from gan_teach.lessons.checks import check_adain, check_mapping, check_mix, check_path_length, check_truncate
from gan_teach.stylegan import adain_mixing_truncation, generator


def adain(x, y):
    y_s, y_b = (part[..., None, None] for part in y)
    mean, sigma = x.mean((2, 3), keepdim=True), (x.var((2, 3), unbiased=False, keepdim=True) + 1e-8).sqrt()
    return y_s * (x - mean) / sigma + y_b


def mix(ws1, ws2, layers):
    out = ws1.clone()
    out[:, list(layers)] = ws2[:, list(layers)]
    return out


def truncate(w, psi, w_avg):
    return w_avg + psi * (w - w_avg)


def unit(z):
    return z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()


def mapping(z, layers, slope=0.2, normal=unit):
    w = normal(z)
    for layer in layers:
        w = F.leaky_relu(layer(w), slope)
    return w


def path_length(g, d, w1, w2, t, epsilon):
    return d(g(torch.lerp(w1, w2, t)), g(torch.lerp(w1, w2, t + epsilon))) / epsilon**2


def as_in_the_package(z, layers):
    """`Mapping.forward` with these layers."""
    f = generator.Mapping(generator.StyleGANConfig(z_dim=6, w_dim=6, mapping_layers=0))
    f.layers = torch.nn.ModuleList(layers)
    return f(z)


@pytest.mark.parametrize("check, answer", [
    (check_adain, adain), (check_adain, adain_mixing_truncation.adain),
    (check_mix, mix), (check_mix, adain_mixing_truncation.mix),
    (check_truncate, truncate), (check_truncate, adain_mixing_truncation.truncate), (check_mapping, mapping),
    (check_mapping, as_in_the_package), (check_path_length, path_length)])
def test_a_right_answer_is_accepted(said, check, answer):
    assert said(check, answer).startswith("✓")


def adain_over(dims, bessel=False):
    def answer(x, y):
        y_s, y_b = (part[..., None, None] for part in y)
        return y_s * (x - x.mean(dims, keepdim=True)) / (x.var(dims, unbiased=bessel, keepdim=True) + 1e-8).sqrt() + y_b
    return answer


def adain_in_place(x, y):
    out = adain(x, y)
    x.copy_(out)
    return x


def adain_without_eps(x, y):
    y_s, y_b = (part[..., None, None] for part in y)
    return y_s * (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), unbiased=False, keepdim=True) + y_b


def adain_rotated(x, y):
    return adain(x, y).flip(3)


@pytest.mark.parametrize("answer, words", [
    (adain_over((0, 2, 3)), "batch norm"),
    (adain_over((1, 2, 3)), "layer norm"),
    (adain_over((2, 3), bessel=True), "n − 1"),
    (lambda x, y: adain(x, y[::-1]), "exchanged"),
    (lambda x, y: adain(x, (y[0] / x.var((2, 3), unbiased=False).sqrt(), y[1])), "square root"),
    (lambda x, y: y[0][..., None, None] * x + y[1][..., None, None], "not normalised first"),
    (lambda x, y: adain(x, (torch.ones_like(y[0]), torch.zeros_like(y[1]))), "style is missing"),
    (lambda x, y: adain(x, (y[0], torch.zeros_like(y[1]))), "y_b is missing"),
    (lambda x, y: adain(x, (torch.ones_like(y[0]), y[1])), "y_s is missing"),
    (lambda x, y: adain(x, (y[0].abs(), y[1])), "lost its sign"),
    (lambda x, y: adain(x, (y[0], y[1] + 0.5)), "mean: map by map it must be y_b; yours is off by up to 0.500"),
    (lambda x, y: adain(x, (2 * y[0], y[1])), "spread: map by map"),
    (adain_rotated, "mean and spread are right"),
    (lambda x, y: adain(x, y)[0], "shape"),
    (lambda x, y: (x - x.mean()) / x.std(), "mean: map by map"),
    (lambda x, y: y[0] * x, "RuntimeError"),
    (adain_in_place, "purity"),
    (adain_without_eps, "eps"),
    (lambda x, y: adain(x, y) if x.mean() < 1.2 else x, "σ = 0"),
])
def test_check_adain_names_what_is_wrong(wrong, answer, words):
    wrong(check_adain, answer, words)


def mix_in_place(ws1, ws2, layers):
    ws1[:, list(layers)] = ws2[:, list(layers)]
    return ws1


@pytest.mark.parametrize("answer, words", [
    (mix_in_place, "purity"),
    (lambda a, b, layers: mix(b, a, layers), "exchanged"),
    (lambda a, b, layers: mix(a, b, range(min(layers), 6)) if layers else a, "from a crossover on"),
    (lambda a, b, layers: torch.cat([a[:, :, :1], b[:, :, 1:4], a[:, :, 4:]], 2), "axis of the pictures"),
    (lambda a, b, layers: (a + b) / 2, "takes [] from ws2"),
    (lambda a, b, layers: a.clone(), "takes [] from ws2 and [0, 1, 2, 3, 4, 5] from ws1"),
    (lambda a, b, layers: mix(a, b, layers) if len(layers) else b, "no layers"),
    (lambda a, b, layers: mix(a, b, [i for i in layers if i != 5]), "all six"),
    (lambda a, b, layers: b[:, layers], "shape"),
])
def test_check_mix_names_what_is_wrong(wrong, answer, words):
    wrong(check_mix, answer, words)


def truncate_in_place(w, psi, w_avg):
    w -= w_avg
    return w_avg + psi * w


@pytest.mark.parametrize("answer, words", [
    (truncate_in_place, "purity"),
    (lambda w, psi, w_avg: psi * w, "ψ = 0 must give w̄"),
    (lambda w, psi, w_avg: w + psi * (w_avg - w), "exchanged"),
    (lambda w, psi, w_avg: psi * (w - w_avg), "add w̄"),
    (lambda w, psi, w_avg: w_avg + psi * (w_avg - w), "wrong way round"),
    (lambda w, psi, w_avg: w_avg + max(psi, 0) * (w - w_avg), "beyond w̄"),
    (lambda w, psi, w_avg: w_avg + abs(psi) * (w - w_avg), "lost its sign"),
    (lambda w, psi, w_avg: w_avg + min(psi, 1) * (w - w_avg), "beyond w."),
    (lambda w, psi, w_avg: w_avg + psi**2 * (w - w_avg), "0.7 of the way"),
    (lambda w, psi, w_avg: w_avg.expand_as(w), "ψ = 1 must change nothing"),
    (lambda w, psi, w_avg: truncate(w, psi, w_avg) if w.ndim == 2 else w, "N×L×W"),
    (lambda w, psi, w_avg: truncate(w, psi, w_avg)[:1], "shape"),
])
def test_check_truncate_names_what_is_wrong(wrong, answer, words):
    wrong(check_truncate, answer, words)


def linear_between(z, layers):
    w = unit(z)
    for layer in layers:
        w = layer(w)
    return F.leaky_relu(w, 0.2)


def no_last_activation(z, layers):
    return layers[-1](mapping(z, layers[:-1]))


def normalise_in_place(z, layers):
    z /= z.square().mean(1, keepdim=True).sqrt()
    return mapping(z, layers)


@pytest.mark.parametrize("answer, words", [
    (lambda z, layers: mapping(z, layers, normal=lambda z: z), "z is not normalised"),
    (lambda z, layers: mapping(z, layers, normal=F.normalize), "length 1"),
    (lambda z, layers: mapping(z, layers, normal=lambda z: z / z.square().mean(1, True)), "take the root"),
    (lambda z, layers: mapping(z, layers, normal=lambda z: z / z.square().mean(0, True).sqrt()), "over the batch"),
    (lambda z, layers: mapping(z, layers, normal=lambda z: z / z.square().mean().sqrt()), "all others at once"),
    (lambda z, layers: mapping(z, layers, normal=lambda z: (z - z.mean(1, True)) / z.std(1, unbiased=False,
                                                                                       keepdim=True)), "its mean"),
    (lambda z, layers: mapping(z, layers, 0.01), "0.01"),
    (lambda z, layers: mapping(z, layers, 0.0), "ReLU"),
    (lambda z, layers: mapping(z, layers, 1.0), "no LeakyReLU between"),
    (lambda z, layers: mapping(z, layers[:1]), "Only the first"),
    (no_last_activation, "after the last layer is missing"),
    (linear_between, "off by up to"),
    (normalise_in_place, "purity"),
    (lambda z, layers: mapping(z, layers)[:, :3], "shape"),
    (lambda z, layers: mapping(z, layers) if z.abs().max() < 60 else z, "7z"),
])
def test_check_mapping_names_what_is_wrong(wrong, answer, words):
    wrong(check_mapping, answer, words)


@pytest.mark.parametrize("answer, words", [
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e) * e, "by ε, not by ε²"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e) * e**2, "not divided"),
    (lambda g, d, a, b, t, e: d(g(torch.lerp(a, b, t)), g(torch.lerp(a, b, t + e)))**2 / e**2, "squares it again"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e).sqrt(), "root"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, 0 * t, e), "from the end w1"),
    (lambda g, d, a, b, t, e: path_length(g, d, b, a, t, e), "from w2 to w1"),
    (lambda g, d, a, b, t, e: d(g(torch.lerp(a, b, t - e)), g(torch.lerp(a, b, t + e))) / e**2, "2ε long"),
    (lambda g, d, a, b, t, e: d(g(a), g(b)), "the ends"),
    (lambda g, d, a, b, t, e: d(torch.lerp(g(a), g(b), t), torch.lerp(g(a), g(b), t + e)) / e**2, "or blends their"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, 1e-4), "for a g that squares"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e).numpy(), "yours is ndarray"),
    (lambda g, d, a, b, t, e: d(g(a), g(b)) / e**2, "two points ε apart"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e).mean(), "shape"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e) * torch.nan, "yours is nan"),
    (lambda g, d, a, b, t, e: path_length(g, d, a, b, t, e) + 1, "the length is"),
    (lambda g, d, a, b, t: d(g(a), g(b)), "TypeError"),
])
def test_check_path_length_names_what_is_wrong(wrong, answer, words):
    wrong(check_path_length, answer, words)
