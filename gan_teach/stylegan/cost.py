"""What would a training of another size cost? Operations are counted, traffic is counted, the speed is measured.

    days    ≈ pictures · operations of one / operations a second
    traffic = 2 (n − 1)/n · 4 bytes · (weights of G and of D)         each of n devices sends that much a step

Operations are the multiplications and additions of convolutions and matrix products (two for each pair), which is
where the time goes. The speed is what this machine reaches on a smaller network (`measure_speed`), so the estimate
carries over only as far as a larger network is as well suited to the machine.
Taught in notebooks/02b_stylegan_further.ipynb.
"""

import time
import warnings
from dataclasses import dataclass

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ..networks.device import pick_device
from ..networks.losses import logistic_d, logistic_g
from ..training import Schedule, Settings, Training
from .discriminator import Discriminator
from .generator import Generator, StyleGANConfig


@dataclass(frozen=True)
class Cost:
    """Of one training picture at full size, and of one step's averaging."""

    operations_d: float       # D's update: draw a fake, judge it and a real one, go back
    operations_r1: float      # R1 on one real picture
    operations_g: float       # G's update
    weights_g: int
    weights_d: int

    def operations(self) -> float:
        """For one picture of a step in which R1 is computed."""
        return self.operations_d + self.operations_g + self.operations_r1

    def traffic(self, devices: int) -> float:
        """Bytes that each device sends in a step to average the gradients in float32 (a ring)."""
        return 2 * (devices - 1) / devices * 4 * (self.weights_g + self.weights_d)

    def days(self, images: float, speed: float) -> float:
        """Days that one device takes for so many pictures. speed: its operations a second."""
        return images * self.operations() / speed / 86_400


def count(config: StyleGANConfig, batch: int = 4) -> Cost:
    """Count one training step without computing it: tensors that have a shape and no values. Some seconds."""
    operations = {}
    with FakeTensorMode(allow_non_fake_inputs=True):
        G, D = Generator(config), Discriminator(config)
        real, z = torch.empty(batch, 3, config.resolution, config.resolution), torch.empty(batch, config.z_dim)

        def of(name, compute):
            with FlopCounterMode(display=False) as counter:
                compute()
            operations[name] = counter.get_total_flops() / batch

        def update_d():
            G.requires_grad_(False)
            logistic_d(D(real), D(G(z))).backward()

        def r1():                  # as in `logits_and_slope`; the counter's hooks cannot see through autograd.grad
            x = real.detach().requires_grad_(True)
            with warnings.catch_warnings():                                 # of a cycle that `del` ends
                warnings.simplefilter("ignore")
                D(x).sum().backward(create_graph=True, inputs=[x])
            x.grad.square().sum().backward()
            del x.grad

        def update_g():
            G.requires_grad_(True)
            D.requires_grad_(False)
            logistic_g(D(G(z))).backward()

        of("operations_d", update_d)
        of("operations_r1", r1)
        of("operations_g", update_g)
    weights_g, weights_d = (sum(p.numel() for p in net.parameters()) for net in (G, D))
    return Cost(**operations, weights_g=weights_g, weights_d=weights_d)


def measure_speed(config: StyleGANConfig, batch: int = 16, steps: int = 3, device=None) -> float:
    """Operations a second that this machine reaches in training steps of this network, the best of `steps`.

    On a CPU: that one core reaches, in its own processor time, whatever else the machine is doing.
    """
    device = pick_device(device)
    r = config.resolution
    settings = Settings(batch=batch, r1_every=10**9, schedule=Schedule({r: 0}, {}))
    training = Training(Generator(config), Discriminator(config), torch.zeros(batch, 3, r, r, dtype=torch.uint8),
                        settings, device)
    best, clock = float("inf"), time.process_time if device.type == "cpu" else time.perf_counter
    for step in range(steps + 2):                                           # step 0 has R1, step 1 warms up
        start = clock()
        training.step()
        if step > 1:
            best = min(best, clock() - start)
    cost = count(config)
    return batch * (cost.operations_d + cost.operations_g) / best
