"""What does a generation of E-GAN cost: the plain loop, the shared one, the shared one in bf16, a plain GAN?

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_egan.py [width] [repetitions]

DCGAN for 32×32 pictures, `width` (64) units in the widest map, batch 64, 256 pictures a judgement, one step of D,
siblings on the same z. The ways take turns and the least time of each counts: on a busy machine only the ratios say
something. CPU and wall seconds of all threads; and how far shared weights and fitness are from the plain loop's
after the same generations. Every `Evolution` has channels last; the first way is without. Prints; asserts nothing.
"""

import sys
import time
from dataclasses import replace

import torch

from gan_teach.egan.evolution import Evolution
from gan_teach.egan.settings import Settings
from gan_teach.egan.mutations import heuristic
from gan_teach.memory import keep_freed_memory
from gan_teach.networks.dcgan import Discriminator, Generator, layout


class ChannelsFirst(Evolution):
    """As a loop is that knows nothing of memory formats."""

    def __init__(self, *args):
        super().__init__(*args)
        for net in (self.D, self.G):
            net.to(memory_format=torch.contiguous_format)

    def _real(self, n, draw):
        return super()._real(n, draw).contiguous()


def main(width, repetitions):
    keep_freed_memory()
    config = layout(32, width)
    torch.manual_seed(0)
    G, D = Generator(config), Discriminator(config)
    real = torch.randint(256, (2000, 3, 32, 32), dtype=torch.uint8)
    plain = Settings(batch=64, fitness_batch=256, d_steps=1, mutate_same_z=True, shared=False)
    shared = replace(plain, shared=True)
    ways = {"plain loop": plain, "shared": shared, "shared, bf16": replace(shared, bf16=True),
            "shared, bf16, γ = 0": replace(shared, bf16=True, gamma=0.0),
            "shared, bf16, 64 pictures a judgement": replace(shared, bf16=True, fitness_batch=64),
            "a plain GAN, bf16": replace(shared, bf16=True, mutations=(heuristic,))}
    evolutions = {"plain loop, channels first": ChannelsFirst(G, D, plain, "cpu"),
                  **{name: Evolution(G, D, settings, "cpu") for name, settings in ways.items()}}
    ways = evolutions.keys()
    phases, walls = {name: {} for name in ways}, dict.fromkeys(ways, float("inf"))
    for repetition in range(repetitions + 1):                            # the first one warms up
        for name, e in evolutions.items():
            todo = {"D": lambda e=e: e.train_d(real), "variation": e.vary}
            if len(e.settings.mutations) > 1:
                todo["evaluation"] = e.evaluate
            todo["selection"] = e.select
            began = time.perf_counter()
            for phase, act in todo.items():
                start = time.process_time()
                act()
                took = time.process_time() - start
                if repetition:
                    phases[name][phase] = min(took, phases[name].get(phase, took))
            if repetition:
                walls[name] = min(walls[name], time.perf_counter() - began)
    whole = {name: sum(times.values()) for name, times in phases.items()}
    print(f"DCGAN 32 px, width {width}, {torch.get_num_threads()} threads: CPU ms a generation, least of {repetitions}")
    for name, times in phases.items():
        parts = ", ".join(f"{phase} {1e3 * t:.0f}" for phase, t in times.items())
        print(f"{name:38s}{1e3 * whole[name]:7.0f}   ×{whole['plain loop, channels first'] / whole[name]:.2f}   "
              f"wall {1e3 * walls[name]:.0f}   ({parts})")
    one, other = evolutions["plain loop"], evolutions["shared"]
    weights = max((a - b).abs().max().item() for a, b in zip(one.G.parameters(), other.G.parameters(), strict=True))
    fitness = max(abs(a.total - b.total) for a, b in zip(one.scores, other.scores, strict=True))
    print(f"shared and plain after {one.generation} generations: weights {weights:.1e} apart, fitness {fitness:.1e}")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(64, 3)[len(given):])
