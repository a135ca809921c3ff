"""How fast is `dissect`, how much of its time is spent outside the two networks, and does its memory stay flat?

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_dissection.py [samples] [scenes-progan]

128 units of 16×16, pictures and labels of 64×64, 13 classes; the networks are stand-ins of a small ProGAN's and
U-Net's size with random weights. With a name, the shipped generator of that name at layer4 and our segmenter instead
(10000 scenes: some minutes). The peak of memory is read after a tenth of the samples, 1000 at most, and after all.
Prints; asserts nothing. Times are CPU seconds of one thread.
"""

import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import gan_teach
from gan_teach.dissection.unit_iou import KEEP, dissect, masks

CLASSES = tuple(f"class {i}" for i in range(13))


def block(c_in, c_out, up):
    layers = [nn.Upsample(scale_factor=2)] if up else []
    return nn.Sequential(*layers, nn.Conv2d(c_in, c_out, 3, padding=1), nn.LeakyReLU(0.2))


class Net(nn.Module):
    """z N×128 -> r N×128×16×16 -> pictures N×3×64×64."""

    layers, z_dim = ("cut",), 128

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(128, 128 * 16)
        self.head = nn.Sequential(block(128, 128, True), block(128, 128, False), block(128, 128, True))
        self.tail = nn.Sequential(block(128, 32, True), block(32, 16, True), nn.Conv2d(16, 3, 1), nn.Tanh())

    def at(self, z, layer):
        return self.head(self.first(z).view(-1, 128, 4, 4)), self.tail

    def __call__(self, z):
        r, f = self.at(z, "cut")
        return f(r)


class Labels(nn.Module):
    """pictures N×3×64×64 -> scores N×13×64×64."""

    classes = CLASSES

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
                                 nn.Conv2d(16, 13, 1))

    def forward(self, x):
        return self.net(x)


def timed(function, clock):
    """The function, adding its CPU seconds to clock[0]."""
    def run(*args):
        start = time.process_time()
        out = function(*args)
        clock[0] += time.process_time() - start
        return out
    return run


def official_counts(r, t, labels, n):
    """The same counts as the official code makes them: a mask per label, one after the other."""
    on = F.interpolate(r, size=labels.shape, mode="bilinear", align_corners=False)[0] > t.view(-1, 1, 1)
    return torch.stack([(on & (labels == c)).sum((1, 2)) for c in range(n)], 1)


def peak():
    """The most memory that this process ever held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main(samples=1000, name=None):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    networks = [0.0]
    if name:
        G, S, layer = gan_teach.load(name, "cpu"), gan_teach.load("scenes-segmenter", "cpu"), "layer4"
        parts = [*G.blocks.values(), *G.to_rgb.values(), S]
    else:
        G, S, layer = Net(), Labels(), "cut"
        parts = [S.net, G.head, G.tail, G.first]
    for part in parts:
        part.forward = timed(part.forward, networks)
    dissect(G, layer, S, samples=50, progress=False)                        # warm-up
    few, memory = min(1000, max(1, samples // 10)), [peak()]
    dissect(G, layer, S, samples=few, progress=False)
    memory.append(peak())
    networks[0], start, wall = 0.0, time.process_time(), time.perf_counter()
    d = dissect(G, layer, S, samples=samples, progress=False)
    cpu, wall = time.process_time() - start, time.perf_counter() - wall
    print(f"{name or 'stand-ins'}, {samples} pictures: {samples / wall:.0f} images/s (wall), "
          f"{samples / cpu:.0f} images per CPU second")
    print(f"networks {networks[0]:.1f} s, all else {cpu - networks[0]:.1f} s: {1 - networks[0] / cpu:.0%} outside, "
          f"{1000 * (cpu - networks[0]) / samples:.2f} ms a picture")
    print(f"peak of memory: {memory[0]:.0f} MB after 50 pictures, {memory[1]:.0f} MB after {few}, "
          f"{peak():.0f} MB after {samples} (of r at most {KEEP / 2**20:.0f} MB are kept)")

    with torch.no_grad():
        r, f = G.at(torch.randn(8, 128), layer)
        labels = S(f(r)).argmax(1)
        start = time.process_time()
        for i in range(8):
            on, s = masks(r[i:i + 1], d.thresholds, (64, 64))[0], F.one_hot(labels[i], 13).flatten(0, 1).float()
            s.T @ on.permute(1, 2, 0).flatten(0, 1).float()
        ours = time.process_time() - start
        start = time.process_time()
        for i in range(8):
            official_counts(r[i:i + 1], d.thresholds, labels[i], 13)
        loop = time.process_time() - start
    print(f"counting a picture: matrix product {ours / 8 * 1e3:.2f} ms, a loop over the labels {loop / 8 * 1e3:.2f} ms "
          f"(×{loop / ours:.1f}), upsampling included in both")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
