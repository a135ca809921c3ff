"""What do the tricks of `stylegan.prepared` buy, beside the plain path, in one run?

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_stylegan.py [rounds]

The synthesis of one 64×64 picture, at the published width (fmaps 8192/512, w 512) and at the teaching width
(2048/128, w 128), random weights. "fine styles only" goes on from the kept output of layer 7 (32×32). Variants
take turns, and the smallest time of each counts. Prints; asserts nothing. CPU milliseconds of one thread.
"""

import sys
import time

import torch
import torch.nn.functional as F

from gan_teach.networks import layers
from gan_teach.stylegan.generator import Generator, StyleGANConfig
from gan_teach.stylegan.adain_mixing_truncation import mix
from gan_teach.stylegan.prepared import prepared


def two_steps(self, x):
    """What UpConv2d stands for: nearest ×2, then the convolution."""
    return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), self.weight * self.scale, padding=1)


def smallest(variants, rounds):
    """{name: (CPU ms, picture)}, the variants taking turns."""
    best, pictures = dict.fromkeys(variants, float("inf")), {}
    for i in range(rounds + 1):
        for name, draw in variants.items():
            start = time.thread_time()
            pictures[name] = draw()
            if i > 0:                                                       # the first round warms up
                best[name] = min(best[name], 1e3 * (time.thread_time() - start))
    return {name: (best[name], pictures[name]) for name in variants}


def compare(title, config, rounds, n=1):
    torch.manual_seed(0)
    G = Generator(config).eval().requires_grad_(False)
    G.blocks["layer0"].source.value.normal_()           # as it starts, all ones, bfloat16's rounding is all there is
    for layer in G.blocks.values():
        layer.B.normal_(0, 0.3)
    z = torch.randn(2, n, config.z_dim)
    variants, fused = {}, layers.UpConv2d.forward

    def naive():
        layers.UpConv2d.forward = two_steps
        try:
            return G.synthesis(fine)
        finally:
            layers.UpConv2d.forward = fused

    ws, fine = G.ws(z[0]), mix(G.ws(z[0]), G.ws(z[1]), range(8, len(G.layers)))
    variants["plain, upsampling in two steps"] = naive
    nets = {"plain": G, "prepared float32": prepared(G), "prepared bfloat16": prepared(G, torch.bfloat16)}
    for name, net in nets.items():
        kept = {}
        net.synthesis(ws, keep=kept)
        start = ("layer7", kept["layer7"])
        variants[name] = lambda net=net: net.synthesis(fine)
        variants[f"{name}, fine styles only"] = lambda net=net, start=start: net.synthesis(fine, start=start)
    found = smallest(variants, rounds)
    slowest, wanted = found["plain, upsampling in two steps"]
    print(f"\n{title}, {n} picture{'s' * (n > 1)}\n{'':<40}{'ms':>8}{'times faster':>14}{'mean error / spread':>21}")
    for name, (ms, x) in found.items():
        error = float((x - wanted).abs().mean() / wanted.std())
        print(f"{name:<40}{ms:>8.1f}{slowest / ms:>14.1f}{error:>21.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with torch.inference_mode():
        compare("teaching width", StyleGANConfig(), rounds)
        compare("teaching width", StyleGANConfig(), rounds, n=16)
        compare("published width", StyleGANConfig(z_dim=512, w_dim=512, fmap_base=8192, fmap_max=512), rounds)
