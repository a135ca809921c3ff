"""StyleGAN as its authors published it (TensorFlow), or as GenForce converted it → `gan_teach.stylegan`.

Of the conversions to PyTorch this reads GenForce's alone, which computes the same as the original: files with
"generator", "discriminator" and "generator_smooth", names like `synthesis.layer0.const`. (The one by rosinality is
another network: it gives both layers of a resolution the same noise and adds the bias before the blur, so our
layers cannot compute it.) In both the upsampling layers from 128 px on are stored for a transposed convolution,
which is the mirror image of the kernel that follows a nearest ×2.

Formats: github.com/NVlabs/stylegan, training/networks_stylegan.py; github.com/genforce/genforce.
"""

import math
from collections.abc import Mapping

import torch

from ..checkpoints import BadCheckpoint
from ..stylegan.discriminator import Discriminator
from ..stylegan.generator import Generator, StyleGANConfig
from .fill import agree, fill, grown

LARGEST = 1024        # px that the authors publish
FUSED_FROM = 128      # px; from here on the authors' upsampling is a transposed convolution
BLUR = [1, 2, 1]      # of rows and of columns, divided by 16

# The authors' options that change what the same tensors compute, each with its default, which our networks have.
OPTIONS = {"blur_filter": BLUR, "fused_scale": "auto", "use_wscale": True, "nonlinearity": "lrelu"}
OPTIONS_G = OPTIONS | {"use_pixel_norm": False, "use_instance_norm": True, "normalize_latents": True,
                       "mapping_nonlinearity": "lrelu", "mapping_lrmul": 0.01}
OPTIONS_D = OPTIONS | {"mbstd_group_size": 4, "mbstd_num_features": 1}


def _shape(weights: dict[str, torch.Tensor], name: str, dimensions: int) -> torch.Size:
    if name not in weights or weights[name].ndim != dimensions:
        raise BadCheckpoint(f"this is no StyleGAN: {name} is missing or has not {dimensions} dimensions")
    return weights[name].shape


def _config(units: dict[int, int], **options) -> StyleGANConfig:
    """The configuration in which a layer of r×r pixels has units[r] units."""
    top, most = max(units), max(units.values())
    config = StyleGANConfig(resolution=top, fmap_base=units[top] * top // 2, fmap_max=most, **options)
    if any(config.units(r) != n for r, n in units.items()):
        raise BadCheckpoint(f"this StyleGAN's layers have {units} units by resolution, which no configuration has")
    return config


def _layers(config: StyleGANConfig, genforce: bool) -> list[tuple[str, str, str]]:
    """(our layer, their layer, their noise map) in the order of computation."""
    if genforce:
        return [(f"blocks.layer{i}", f"synthesis.layer{i}.", f"synthesis.layer{i}.apply_noise.noise")
                for i in range(2 * len(config.resolutions))]
    names = []
    for i, r in enumerate(config.resolutions):
        pair = ("Const" if config.constant else "Dense", "Conv") if r == 4 else ("Conv0_up", "Conv1")
        names += [(f"blocks.layer{2 * i + j}", f"synthesis/{r}x{r}/{kind}/", f"synthesis/noise{2 * i + j}")
                  for j, kind in enumerate(pair)]
    return names


def _check_blur(name: str, kernel: torch.Tensor) -> None:
    """GenForce stores the kernel of each blur, C×1×3×3; ours is [1, 2, 1] in both directions."""
    side = torch.tensor(BLUR) / sum(BLUR)
    if kernel.shape[-2:] != (3, 3) or not torch.allclose(kernel.float(), side.outer(side).expand_as(kernel)):
        raise BadCheckpoint(f"this network blurs with another kernel than {BLUR}: {name}; nothing was loaded")


def generator(weights: dict[str, torch.Tensor], options: Mapping[str, object] | None = None) -> Generator:
    """The generator with these weights: the variables of G or Gs, or GenForce's "generator" or "generator_smooth".

    weights: {name: tensor}; options: those of a TensorFlow file. Raises BadCheckpoint for another network, naming
    what is missing or left over, for one that was saved while it grew, and for other options than the published.
    """
    genforce = "truncation.w_avg" in weights
    # In TensorFlow the whole network's lod is handed to the synthesis at every call; what that keeps is forgotten.
    grown(weights, "synthesis.lod" if genforce else "lod")
    dense = "mapping.dense{}." if genforce else "mapping/Dense{}/"
    depth = 0
    while dense.format(depth) + "weight" in weights:
        depth += 1
    units, r = {}, 4                                      # the second layer of each resolution knows its width
    while (second := f"synthesis.layer{2 * len(units) + 1}.bias" if genforce else
           f"synthesis/{r}x{r}/{'Conv' if r == 4 else 'Conv1'}/bias") in weights and r <= LARGEST:
        units[r] = _shape(weights, second, 1)[0]
        r *= 2
    w_dim = _shape(weights, "truncation.w_avg" if genforce else "dlatent_avg", 1)[0]
    z_dim = _shape(weights, dense.format(0) + "weight", 2)[1 if genforce else 0] if depth else w_dim
    if not units:
        raise BadCheckpoint(f"this is no StyleGAN: {second} is missing")
    parts = {"constant": "synthesis.layer0.const" if genforce else "synthesis/4x4/Const/const",
             "noise": "synthesis.layer0.apply_noise.noise" if genforce else "synthesis/noise0",
             "styles": "synthesis.layer1.style.bias" if genforce else "synthesis/4x4/Conv/StyleMod/bias"}
    config = _config(units, z_dim=z_dim, w_dim=w_dim, mapping_layers=depth,
                     **{part: name in weights for part, name in parts.items()})
    # Without styles the authors' network normalises pixels instead of maps, as Progressive GAN does.
    norms = {} if config.styles or genforce else {"use_pixel_norm": True, "use_instance_norm": False}
    agree(OPTIONS_G | dict(options or {}), OPTIONS_G | norms)
    with torch.device("meta"):                            # sizes only: nothing is allocated before the shapes agree
        model = Generator(config)
    source = {"w_avg": "truncation.w_avg" if genforce else "dlatent_avg"}
    for i in range(depth):
        source |= {f"mapping.layers.{i}.{part}": dense.format(i) + part for part in ("weight", "bias")}
    noise, style = ("apply_noise.weight", "style.") if genforce else ("Noise/weight", "StyleMod/")
    for ours, theirs, noise_map in _layers(config, genforce):
        first = ours == "blocks.layer0"
        if first and config.constant:
            source[f"{ours}.source.value"] = theirs + "const"
        else:
            source[f"{ours}.source.{'0.' if first else ''}weight"] = theirs + "weight"
        source[f"{ours}.bias"] = theirs + "bias"
        if config.noise:
            source |= {f"{ours}.B": theirs + noise, f"{ours}.noise": noise_map}
        if config.styles:
            source |= {f"{ours}.A.{part}": theirs + style + part for part in ("weight", "bias")}
    for k, r in enumerate(config.resolutions):
        rgb = f"synthesis.output{k}." if genforce else f"synthesis/ToRGB_lod{int(math.log2(config.resolution // r))}/"
        source |= {f"to_rgb.{r}.{part}": rgb + part for part in ("weight", "bias")}

    upsampling = {r: theirs for r, (_, theirs, _) in zip(config.resolutions, _layers(config, genforce)[::2]) if r > 4}
    fused = {theirs + "weight" for r, theirs in upsampling.items() if r >= FUSED_FROM}
    blurs = [name for theirs in upsampling.values() if (name := theirs + "blur.kernel") in weights]
    for name in blurs:
        _check_blur(name, weights[name])

    def convert(name: str, tensor: torch.Tensor) -> torch.Tensor:
        if not genforce:
            tensor = _from_tensorflow(name, tensor)
        return tensor.flip(2, 3) if name in fused else tensor

    return fill(model, source, weights, convert, unused=("lod", "synthesis/lod", "synthesis.lod", *blurs))


def discriminator(weights: dict[str, torch.Tensor], options: Mapping[str, object] | None = None) -> Discriminator:
    """The discriminator D of an official pickle. Raises BadCheckpoint like `generator`."""
    grown(weights, "lod")
    units, r = {}, 8
    while (name := f"{r}x{r}/Conv0/bias") in weights and r <= LARGEST:
        units[r] = _shape(weights, name, 1)[0]
        r *= 2
    units |= {2: _shape(weights, "4x4/Dense0/bias", 1)[0], 4: _shape(weights, "4x4/Conv/bias", 1)[0]}
    with_stddev = _shape(weights, "4x4/Conv/weight", 4)[2] > units[4]
    agree(OPTIONS_D | dict(options or {}), OPTIONS_D if with_stddev else OPTIONS)
    with torch.device("meta"):
        model = Discriminator(_config(units, stddev_group=4 if with_stddev else 0))
    source = {}
    for part in ("weight", "bias"):
        for r in model.config.resolutions:
            source[f"from_rgb.{r}.{part}"] = f"FromRGB_lod{int(math.log2(model.resolution // r))}/{part}"
            if r > 4:
                source |= {f"blocks.{r}.conv.{part}": f"{r}x{r}/Conv0/{part}",
                           f"blocks.{r}.conv_down.{part}": f"{r}x{r}/Conv1_down/{part}"}
        source |= {f"last.0.{part}": f"4x4/Conv/{part}", f"last.3.{part}": f"4x4/Dense0/{part}",
                   f"last.5.{part}": f"4x4/Dense1/{part}"}
    return fill(model, source, weights, _from_tensorflow, unused=("lod",))


def _from_tensorflow(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """k×k×I×O → O×I×k×k, I×O → O×I; the rest as it is."""
    if name.endswith("weight") and tensor.ndim > 1:
        return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor.T
    return tensor
