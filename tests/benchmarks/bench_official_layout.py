"""How fast are both kinds of threshold on the layout that the authors' code was timed on, and on the shipped model?

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_official_layout.py [pictures] [shipped pictures]

A ProGAN of full width cut at layer4 (512 units of 8×8), pictures of 64×64, 10 classes on a grid of 32×32, random
weights. One thread of the same kind of machine ran the authors' code (gandissect, commit f55fc56) at 5.05 images/s
with a fixed quantile (200 pictures) and at 1.14 images/s, 1.46 per CPU second, in the paper's mode (60 pictures).
Give 9 pictures or more. Prints; asserts nothing. On a busy machine believe the figures per CPU second, and the
shares, more than the wall.
"""

import sys
import time

import torch

import gan_teach
from gan_teach.dissection.information import dissect_by_information
from gan_teach.dissection.unit_iou import dissect, dissect_layers
from gan_teach.networks.progan import Generator, ProGANConfig

FULL_WIDTH = ProGANConfig(z_dim=512, widths=(512, 512, 512, 256, 128))


class Ten:
    """Ten classes by the nearest of ten fixed colours, on half the picture's grid."""

    classes = tuple(f"colour {i}" for i in range(10))
    ink = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))

    def __call__(self, images):
        x = images[..., ::2, ::2]                                           # nearest: |x − c|² up to |x|²
        return torch.einsum("nchw,kc->nkhw", x, 2 * self.ink) - self.ink.square().sum(1).view(1, -1, 1, 1)


class Timed:
    """Calls a function and adds its CPU seconds to `total`."""

    total = 0.0

    def __init__(self, function, classes=()):
        self.function, self.classes = function, classes

    def __call__(self, *args):
        start = time.process_time()
        out = self.function(*args)
        Timed.total += time.process_time() - start
        return out


def timed(name, run, samples):
    Timed.total, cpu, wall = 0.0, time.process_time(), time.perf_counter()
    run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:<44}{samples / wall:7.2f} images/s{samples / cpu:8.2f} per CPU second"
          f"{1 - Timed.total / cpu:8.1%} outside the networks, {1000 * (cpu - Timed.total) / samples:.1f} ms a picture",
          flush=True)


def measure(title, G, segmenter, layer, samples, batch, several):
    print(f"{title}: {samples} pictures, batch {batch}, {torch.get_num_threads()} thread")
    for block in (*G.blocks.values(), *G.to_rgb.values()):
        block.forward = Timed(block.forward)
    S, options = Timed(segmenter, segmenter.classes), {"batch": batch, "progress": False}
    dissect(G, layer, S, samples=batch, **options)                          # warm-up
    timed(f"{layer}, top 1 %", lambda: dissect(G, layer, S, samples, **options), samples)
    timed(f"{layer}, top 1 %, 8 shuffles", lambda: dissect(G, layer, S, samples, shuffles=8, **options), samples)
    timed(f"{layer}, the paper's way", lambda: dissect_by_information(G, [layer], S, samples, **options), samples)
    if several:
        timed(f"{len(G.layers)} layers, top 1 %", lambda: dissect_layers(G, G.layers, S, samples, **options), samples)


def main(samples=60, shipped=200):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    G = Generator(FULL_WIDTH).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    measure("ProGAN of full width", G, Ten(), "layer4", samples, 5, several=False)
    G, S = (gan_teach.load(f"scenes-{name}", "cpu") for name in ("progan", "segmenter"))
    measure("scenes-progan and scenes-segmenter", G, S, "layer4", shipped, 50, several=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
