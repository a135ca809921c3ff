"""Files as the papers' authors wrote them, with random weights, and what their networks compute, in float64.

The forward passes are written from the descriptions of the formats, with the slow arithmetic of
`official_arithmetic`: nothing of gan_teach and no convolution of PyTorch takes part, so that they can judge both.
"""

import contextlib
import io
import math
import pickle
import sys
import types
from unittest import mock

import numpy as np
from official_arithmetic import blur, conv, fade, fused_up, halved, lrelu, nearest, pixel_norm

# ------------------------------------------------------------------------------------------ Progressive GAN


def progan_layers(rng, z_dim, widths):
    """GAN Dissection's naming: {"layer1.conv.weight": O×I×k×k, "layer1.wscale.b": O, …}."""
    weights, c_in = {}, z_dim
    for i in range(1, 2 * len(widths) + 1):
        c, k = widths[(i - 1) // 2], 4 if i == 1 else 3
        weights[f"layer{i}.conv.weight"] = rng.normal(size=(c, c_in, k, k))
        weights[f"layer{i}.wscale.b"] = rng.normal(size=c) / 2
        c_in = c
    r = 4 * 2 ** (len(widths) - 1)
    weights[f"output_{r}x{r}.conv.weight"] = rng.normal(size=(3, c_in, 1, 1))
    weights[f"output_{r}x{r}.wscale.b"] = rng.normal(size=3) / 2
    return {name: w.astype(np.float32) for name, w in weights.items()}


def old_names(weights):
    """The same with the names of the older files, where a constant scale stands beside every bias."""
    renamed = {}
    for name, w in weights.items():
        layer, rest = name.split(".", 1)
        layer = f"features.{int(layer[5:]) - 1}" if layer.startswith("layer") else "output"
        renamed[f"{layer}.{rest}"] = w
        renamed[f"{layer}.wscale.scale"] = np.ones(1, np.float32)
    return renamed


def progan_forward(weights, z):
    x, i = z[:, :, None, None].astype(np.float64), 1
    while f"layer{i}.conv.weight" in weights:
        w = weights[f"layer{i}.conv.weight"].astype(np.float64)
        k, c_in = w.shape[2], w.shape[1]
        x = pixel_norm(x)
        if i > 1 and i % 2 == 1:
            x = nearest(x)
        x = conv(x, w.transpose(2, 3, 1, 0), 3 if i == 1 else 1) * (math.sqrt(2) / (k * math.sqrt(c_in)))
        x = lrelu(x + weights[f"layer{i}.wscale.b"][:, None, None])
        i += 1
    r = x.shape[2]
    w = weights[f"output_{r}x{r}.conv.weight"].astype(np.float64)
    x = conv(pixel_norm(x), w.transpose(2, 3, 1, 0), 0) / math.sqrt(w.shape[1])
    return x + weights[f"output_{r}x{r}.wscale.b"][:, None, None]


def progan_variables(rng, z_dim, widths):
    """Karras et al.'s variables: dense I×(O·16), upsampling k×k×O×I, convolution k×k×I×O, an output for each size."""
    v, c_in = {"lod": np.float32(0)}, z_dim
    for i, c in enumerate(widths):
        r = 4 * 2**i
        if i == 0:
            v["4x4/Dense/weight"], first = rng.normal(size=(z_dim, 16 * c)), "4x4/Dense"
        else:
            v[f"{r}x{r}/Conv0_up/weight"], first = rng.normal(size=(3, 3, c, c_in)), f"{r}x{r}/Conv0_up"
        second = f"{r}x{r}/{'Conv' if i == 0 else 'Conv1'}"
        v[f"{second}/weight"] = rng.normal(size=(3, 3, c, c))
        v[f"{first}/bias"], v[f"{second}/bias"] = rng.normal(size=c) / 2, rng.normal(size=c) / 2
        lod = len(widths) - 1 - i
        v[f"ToRGB_lod{lod}/weight"], v[f"ToRGB_lod{lod}/bias"] = rng.normal(size=(1, 1, c, 3)), rng.normal(size=3)
        c_in = c
    return {name: np.asarray(w, np.float32) for name, w in v.items()}


def progan_variables_forward(v, z, stop=None):
    """z → image of size `stop` (None: the full one)."""
    v = {name: w.astype(np.float64) for name, w in v.items()}
    dense = v["4x4/Dense/weight"]
    x = pixel_norm(z.astype(np.float64)) @ dense * (math.sqrt(2) / 4 / math.sqrt(len(dense)))
    x = x.reshape(len(z), -1, 4, 4)
    x = pixel_norm(lrelu(x + v["4x4/Dense/bias"][:, None, None]))
    r, full = 4, max(int(name.split("x")[0]) for name in v if name[0].isdigit())
    while True:
        if r > 4:
            w = v[f"{r}x{r}/Conv0_up/weight"]
            w = w.transpose(0, 1, 3, 2) * (math.sqrt(2) / 3 / math.sqrt(w.shape[3]))
            x = pixel_norm(lrelu(fused_up(x, w) + v[f"{r}x{r}/Conv0_up/bias"][:, None, None]))
        name = f"{r}x{r}/{'Conv' if r == 4 else 'Conv1'}"
        w = v[f"{name}/weight"]
        x = conv(x, w * (math.sqrt(2) / 3 / math.sqrt(w.shape[2])), 1)
        x = pixel_norm(lrelu(x + v[f"{name}/bias"][:, None, None]))
        if r == (stop or full):
            name = f"ToRGB_lod{int(math.log2(full // r))}"
            w = v[f"{name}/weight"]
            return conv(x, w / math.sqrt(w.shape[2]), 0) + v[f"{name}/bias"][:, None, None]
        r *= 2


# ------------------------------------------------------------------------------------------ StyleGAN


def stylegan_variables(rng, resolution, z_dim, w_dim, units):
    """The flattened variables of G: own ones, "mapping/…" and "synthesis/…". units: {resolution: channels}."""
    v = {"lod": np.zeros(()), "dlatent_avg": rng.normal(size=w_dim) / 2, "synthesis/lod": np.zeros(())}
    c_in = z_dim
    for i in range(8):
        v[f"mapping/Dense{i}/weight"] = rng.normal(size=(c_in, w_dim)) / 0.01
        v[f"mapping/Dense{i}/bias"] = rng.normal(size=w_dim) * 20
        c_in = w_dim
    layer, r, c_in = 0, 4, None
    while r <= resolution:
        c = units[r]
        for kind in ("Const", "Conv") if r == 4 else ("Conv0_up", "Conv1"):
            stem = f"synthesis/{r}x{r}/{kind}"
            if kind == "Const":
                v[f"{stem}/const"] = rng.normal(size=(1, c, 4, 4))
            else:
                v[f"{stem}/weight"] = rng.normal(size=(3, 3, c_in, c))
            v[f"{stem}/bias"], v[f"{stem}/Noise/weight"] = rng.normal(size=c) / 2, rng.normal(size=c) / 2
            v[f"{stem}/StyleMod/weight"] = rng.normal(size=(w_dim, 2 * c))
            v[f"{stem}/StyleMod/bias"] = rng.normal(size=2 * c) / 2
            v[f"synthesis/noise{layer}"] = rng.normal(size=(1, 1, r, r))
            layer, c_in = layer + 1, c
        rgb = f"synthesis/ToRGB_lod{int(math.log2(resolution // r))}"
        v[f"{rgb}/weight"], v[f"{rgb}/bias"] = rng.normal(size=(1, 1, c, 3)), rng.normal(size=3)
        r *= 2
    return {name: np.asarray(w, np.float32) for name, w in v.items()}


def stylegan_w(v, z):
    w = pixel_norm(z.astype(np.float64))
    for i in range(8):
        dense = v[f"mapping/Dense{i}/weight"].astype(np.float64)
        w = lrelu(w @ dense * (math.sqrt(2) / math.sqrt(len(dense)) * 0.01) + v[f"mapping/Dense{i}/bias"] * 0.01)
    return w


def stylegan_forward(v, z, psi=1.0, cutoff=8, z2=None, mixed=(), lod=0):
    """mixed: layers that take their style from z2; lod: level of detail, 0 when the network is full-grown."""
    v = {name: w.astype(np.float64) for name, w in v.items()}
    w, w2 = stylegan_w(v, z), None if z2 is None else stylegan_w(v, z2)
    resolution = max(v[name].shape[-1] for name in v if name.startswith("synthesis/noise"))
    layer, r, x, image = 0, 4, None, None
    while r <= resolution:
        for kind in ("Const", "Conv") if r == 4 else ("Conv0_up", "Conv1"):
            stem = f"synthesis/{r}x{r}/{kind}"
            if kind == "Const":
                x = v[f"{stem}/const"].repeat(len(z), axis=0)
            else:
                kernel = v[f"{stem}/weight"] * (math.sqrt(2) / 3 / math.sqrt(v[f"{stem}/weight"].shape[2]))
                if kind != "Conv0_up":
                    x = conv(x, kernel, 1)
                else:
                    x = blur(fused_up(x, kernel) if r >= 128 else conv(nearest(x), kernel, 1))
            x = x + v[f"{stem}/Noise/weight"][:, None, None] * v[f"synthesis/noise{layer}"]
            x = lrelu(x + v[f"{stem}/bias"][:, None, None])
            x = x - x.mean(axis=(2, 3), keepdims=True)
            x = x / np.sqrt((x**2).mean(axis=(2, 3), keepdims=True) + 1e-8)
            w_layer = w2 if layer in mixed else w
            if layer < cutoff:
                w_layer = v["dlatent_avg"] + psi * (w_layer - v["dlatent_avg"])
            style = w_layer @ v[f"{stem}/StyleMod/weight"] / math.sqrt(w.shape[1]) + v[f"{stem}/StyleMod/bias"]
            scale, shift = np.split(style[:, :, None, None], 2, axis=1)
            x = x * (scale + 1) + shift
            layer += 1
        k = int(math.log2(resolution // r))
        rgb, bias = v[f"synthesis/ToRGB_lod{k}/weight"], v[f"synthesis/ToRGB_lod{k}/bias"]
        drawn = conv(x, rgb / math.sqrt(rgb.shape[2]), 0) + bias[:, None, None]
        image = drawn if image is None else fade(drawn, nearest(image), lod - k)
        r *= 2
    return image


def critic_variables(rng, resolution, units):
    v, r = {"lod": np.zeros(())}, resolution
    while r >= 4:
        rgb = f"FromRGB_lod{int(math.log2(resolution // r))}"
        v[f"{rgb}/weight"], v[f"{rgb}/bias"] = rng.normal(size=(1, 1, 3, units[r])), rng.normal(size=units[r])
        if r > 4:
            v[f"{r}x{r}/Conv0/weight"] = rng.normal(size=(3, 3, units[r], units[r]))
            v[f"{r}x{r}/Conv1_down/weight"] = rng.normal(size=(3, 3, units[r], units[r // 2]))
            v[f"{r}x{r}/Conv0/bias"], v[f"{r}x{r}/Conv1_down/bias"] = (rng.normal(size=units[s]) for s in (r, r // 2))
        r //= 2
    c, d = units[4], units[2]
    v |= {"4x4/Conv/weight": rng.normal(size=(3, 3, c + 1, c)), "4x4/Conv/bias": rng.normal(size=c),
          "4x4/Dense0/weight": rng.normal(size=(16 * c, d)), "4x4/Dense0/bias": rng.normal(size=d),
          "4x4/Dense1/weight": rng.normal(size=(d, 1)), "4x4/Dense1/bias": rng.normal(size=1)}
    return {name: np.asarray(w, np.float32) for name, w in v.items()}


def critic_forward(v, x, lod=0):
    v = {name: w.astype(np.float64) for name, w in v.items()}

    def layer(x, name, fused=False):
        w = v[f"{name}/weight"]
        w = w * (math.sqrt(2) / math.sqrt(w.shape[0] * w.shape[1] * w.shape[2]))
        if fused:                      # a convolution with stride 2, its kernel 4 shifted means of the padded 3×3
            w = np.pad(w, ((1, 1), (1, 1), (0, 0), (0, 0)))
            y = conv(x, (w[1:, 1:] + w[:-1, 1:] + w[1:, :-1] + w[:-1, :-1]) / 4, 1)[:, :, ::2, ::2]
        else:
            y = conv(x, w, w.shape[0] // 2)
            if name.endswith("down"):
                y = halved(y)
        return lrelu(y + v[f"{name}/bias"][:, None, None])

    r, k, image = x.shape[2], 0, x.astype(np.float64)
    x = layer(image, "FromRGB_lod0")
    while r > 4:
        x = layer(blur(layer(x, f"{r}x{r}/Conv0")), f"{r}x{r}/Conv1_down", fused=r >= 128)
        image = halved(image)
        x = fade(x, layer(image, f"FromRGB_lod{k + 1}"), lod - k)
        r, k = r // 2, k + 1
    groups = x.reshape(4, len(x) // 4, *x.shape[1:])                    # image m is in the group of m + N/4, …
    deviation = np.sqrt(groups.var(axis=0) + 1e-8).mean(axis=(1, 2, 3))
    maps = np.broadcast_to(np.tile(deviation, 4)[:, None, None, None], (len(x), 1, 4, 4))
    x = layer(np.concatenate([x, maps], axis=1), "4x4/Conv").reshape(len(x), -1)
    w0, w1 = v["4x4/Dense0/weight"], v["4x4/Dense1/weight"]
    x = lrelu(x @ w0 * math.sqrt(2 / len(w0)) + v["4x4/Dense0/bias"])
    return (x @ w1 / math.sqrt(len(w1)) + v["4x4/Dense1/bias"])[:, 0]


def genforce_names(v):
    """The variables of G in GenForce's PyTorch naming: O×I×k×k, O×I, a blur kernel beside each upsampling layer."""
    named = {"truncation.w_avg": v["dlatent_avg"], "synthesis.lod": np.float32(0)}
    resolution = max(v[name].shape[-1] for name in v if name.startswith("synthesis/noise"))
    for name, w in v.items():
        part, *middle, last = name.split("/") if "/" in name else ("", name)
        if part == "mapping":
            named[f"mapping.dense{middle[0][5:]}.{last}"] = w.T
        elif part == "synthesis" and last.startswith("noise"):
            named[f"synthesis.layer{last[5:]}.apply_noise.noise"] = w
        elif part == "synthesis" and middle and middle[0].startswith("ToRGB"):
            k = int(math.log2(resolution)) - 2 - int(middle[0][9:])
            named[f"synthesis.output{k}.{last}"] = w.transpose(3, 2, 0, 1) if w.ndim == 4 else w
        elif part == "synthesis" and middle:
            i = 2 * (int(math.log2(int(middle[0].split("x")[0]))) - 2) + (middle[1] in ("Conv", "Conv1"))
            stem = f"synthesis.layer{i}."
            if len(middle) == 3:
                stem += {"Noise": "apply_noise.", "StyleMod": "style."}[middle[2]]
            transposed = w.transpose(3, 2, 0, 1) if w.ndim == 4 and last == "weight" else w.T if w.ndim == 2 else w
            named[stem + last] = transposed
            if middle[1:] == ["Conv0_up"] and last == "bias":
                kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
                named[f"{stem}blur.kernel"] = np.tile(kernel[None, None], (len(w), 1, 1, 1)).astype(np.float32)
    return named


# ------------------------------------------------------------------------------------------ the pickles


class Network:
    """Stands for dnnlib.tflib.network.Network while a pickle is written."""

    def __init__(self, name, variables, components=None, options=(), **changes):
        """options: those of the network's that are not at their default."""
        own = [(k, w) for k, w in variables.items() if "/" not in k or k.split("/")[0] not in (components or {})]
        kwargs = EasyDict({"num_channels": 3, "fused_scale": "auto"} | dict(options))
        self.state = {"version": 3, "name": name, "static_kwargs": kwargs,
                      "components": EasyDict(components or {}), "build_module_src": "raise SystemExit('ran')",
                      "build_func_name": "G_style", "variables": own, **changes}

    def __getstate__(self):
        return self.state


class EasyDict(dict):
    """Stands for dnnlib.util.EasyDict."""


def with_components(variables, name="Gs", options=()):
    parts = {part: Network(part, {k[len(part) + 1:]: w for k, w in variables.items() if k.startswith(part + "/")},
                           options=options) for part in ("mapping", "synthesis")}
    return Network(name, variables, parts, options)


@contextlib.contextmanager
def authors_modules(module="dnnlib.tflib.network"):
    """While it lasts, the two classes are found under the names of the authors' modules."""
    stubs = {name: types.ModuleType(name) for name in ("dnnlib", "dnnlib.tflib", "dnnlib.util", module)}
    stubs[module].Network, stubs["dnnlib.util"].EasyDict = Network, EasyDict
    with mock.patch.dict(sys.modules, stubs), mock.patch.object(Network, "__module__", module), \
            mock.patch.object(EasyDict, "__module__", "dnnlib.util"):
        yield


def tensorflow_pickle(networks, protocol=4, module="dnnlib.tflib.network", old_numpy=False):
    """The bytes of (G, D, Gs); module "tfutil" is that of Progressive GAN."""
    with authors_modules(module):
        file = io.BytesIO()
        pickle.dump(tuple(networks), file, protocol)
    data = file.getvalue()
    return data.replace(b"numpy._core", b"numpy.core") if old_numpy else data
