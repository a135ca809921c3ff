"""A first GAN of pictures on one page: a convolutional G, its mirror image D, and the loop that trains them.

Both grow: they begin with pictures of 4×4 and end with 32×32, and each new size is faded in. Karras et al. 2017,
"Progressive Growing of GANs" (arXiv 1710.10196), without what makes that one long: `networks.progan` and `training`
have the rest. Taught in notebooks/00_warm_up.ipynb, which prints `G`, `D` and `Loop.step`.
"""

import copy
import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..limits import MAX_SEED, whole
from ..networks.layers import described, sample_z
from ..networks.losses import logistic_d, logistic_g, logits_and_slope
from ..pictures import enlarge, grid
from ..training import check_descent
from .child import check_loss

WIDTHS = (128, 64, 32, 16)              # units at 4×4, 8×8, 16×16, 32×32
BATCH, RATE = 32, 1e-3


class G(nn.Module):
    """z, N×64 → pictures N×C×s×s in [−1, 1]. level 0: s = 4, 1: 8, 2: 16, 3: 32; 1.5: 16, of which half is faded in."""

    z_dim = 64

    def __init__(self, channels: int = 3):
        super().__init__()
        self.first = nn.Linear(self.z_dim, WIDTHS[0] * 16)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in pairwise(WIDTHS))
        self.to_rgb = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in WIDTHS)

    def forward(self, z: Tensor, level: float) -> Tensor:
        r, n = F.leaky_relu(self.first(z), 0.2).view(-1, WIDTHS[0], 4, 4), math.ceil(level)
        for up in self.up[:n]:
            before, r = r, F.leaky_relu(up(r), 0.2)                          # twice as wide, half as many maps
        x = self.to_rgb[n](r)
        if level < n:
            x = torch.lerp(F.interpolate(self.to_rgb[n - 1](before), scale_factor=2), x, 1 - n + level)
        return x.tanh()


class D(nn.Module):
    """Pictures N×C×s×s → N logits: G, backwards."""

    def __init__(self, channels: int = 3):
        super().__init__()
        self.from_rgb = nn.ModuleList(nn.Conv2d(channels, width, 1) for width in WIDTHS)
        self.down = nn.ModuleList(nn.Conv2d(b, a, 4, 2, 1) for a, b in pairwise(WIDTHS))
        self.last = nn.Linear(WIDTHS[0] * 16, 1)

    def forward(self, x: Tensor, level: float) -> Tensor:
        n = math.ceil(level)
        r = F.leaky_relu(self.from_rgb[n](x), 0.2)
        for i in reversed(range(n)):
            r = F.leaky_relu(self.down[i](r), 0.2)
            if i == n - 1 and level < n:
                r = torch.lerp(F.leaky_relu(self.from_rgb[i](F.avg_pool2d(x, 2)), 0.2), r, 1 - n + level)
        return self.last(r.flatten(1)).flatten()


class Loop:
    """The training of a G and a D on `real`, uint8 M×C×32×32, C = 1 (grey) or 3. `step()` is one step of each.

    loss_d(l_real, l_fake) and loss_g(l_fake) are what they descend on. `grow` is how many steps each size takes:
    the first half of them fades it in. Each draw is a function of (seed, step): a `state()` goes on bit for bit.
    """

    def __init__(self, real: Tensor, loss_d: Callable = logistic_d, loss_g: Callable = logistic_g, seed: int = 0,
                 grow: int = 300):
        seed, grow = whole("seed", seed, 0, MAX_SEED), whole("grow", grow, 1)
        if not isinstance(real, Tensor) or real.dtype != torch.uint8 or real.ndim != 4 or not len(real) or \
                real.shape[1] not in (1, 3) or real.shape[2:] != (32, 32):
            raise ValueError(f"the real pictures must be bytes (uint8), M×1×32×32 (grey) or M×3×32×32; got "
                             f"{described(real)}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G, self.D = G(real.shape[1]), D(real.shape[1])
            for part in (*self.G.modules(), *self.D.modules()):
                if hasattr(part, "weight"):
                    nn.init.kaiming_normal_(part.weight, 0.2)
        self.mean = copy.deepcopy(self.G)
        self.adam_g, self.adam_d = (torch.optim.Adam(net.parameters(), RATE, (0.0, 0.99)) for net in (self.G, self.D))
        self.real, self.loss_d, self.loss_g, self.seed, self.grow, self.steps = real, loss_d, loss_g, seed, grow, 0

    def level(self) -> float:
        """0, then rising to 1 and staying, rising to 2 and staying …, 3 to the end."""
        size, part = divmod(self.steps / self.grow, 1)
        return min(size - 1 + min(1.0, 2 * part), 3.0) if size else 0.0

    def batch(self, draw: torch.Generator) -> Tensor:
        """Real pictures at the size of now; what fades in for G and D fades in for them."""
        x = self.real[torch.randint(len(self.real), (BATCH,), generator=draw)] / 127.5 - 1
        level = self.level()
        n = math.ceil(level)
        x = F.avg_pool2d(x, 2 ** (3 - n))
        return x if level == n else torch.lerp(F.interpolate(F.avg_pool2d(x, 2), scale_factor=2), x, 1 - n + level)

    def step(self) -> tuple[float, float]:
        """D learns, then G; returns the two losses."""
        draw, level = torch.Generator().manual_seed(self.seed * 1_000_003 + self.steps), self.level()
        x, z = self.batch(draw), torch.randn(2, BATCH, self.G.z_dim, generator=draw, dtype=torch.float32)

        fake = self.G(z[0], level).detach()                                 # G is held still
        loss_d = check_loss("D", self.loss_d(self.D(x, level), self.D(fake, level)))
        if self.steps % 8 == 0:                                             # now and then: D may not be steep
            loss_d = loss_d + 20 * (x.shape[-1] / 32) ** 2 * logits_and_slope(lambda x: self.D(x, level), x)[1]
        self.adam_d.zero_grad()
        loss_d.backward()
        # no NaN may reach a weight: then it stops here
        check_descent("D", f"step {self.steps}", (p.grad for p in self.D.parameters()), loss_d.detach())
        self.adam_d.step()

        loss_g = check_loss("G", self.loss_g(self.D(self.G(z[1], level), level)))       # D is held still
        self.adam_g.zero_grad()
        loss_g.backward()
        check_descent("G", f"step {self.steps}", (p.grad for p in self.G.parameters()), loss_g.detach())
        self.adam_g.step()

        with torch.no_grad():                                               # G's weights, averaged: draws calmer
            for kept, now in zip(self.mean.parameters(), self.G.parameters()):
                kept.lerp_(now, 0.02)
        self.steps += 1
        return loss_d.item(), loss_g.item()

    def state(self) -> dict:
        """A copy of all that the next step depends on, but for the arguments."""
        return copy.deepcopy({"steps": self.steps, "parts": [part.state_dict() for part in self._parts()]})

    def restore(self, state: dict) -> None:
        """Go on from a `state()`: what follows is equal bit for bit."""
        self.steps = state["steps"]
        for part, saved in zip(self._parts(), copy.deepcopy(state["parts"])):
            part.load_state_dict(saved)

    def _parts(self):
        return self.G, self.D, self.mean, self.adam_g, self.adam_d


@torch.no_grad()
def drawn(loop: Loop, count: int = 12):
    """Pictures of always the same z by the averaged G, each brought to 128 pixels: what there is to see just now."""
    return sheet(loop.mean(sample_z(count, loop.G.z_dim, seed=1), loop.level()))


def sheet(x: Tensor):
    """Grey pictures, N×1×h×h in [−1, 1], six in a row, each brought to 128 pixels, with a white line between two."""
    rows = enlarge(grid(x.expand(-1, 3, -1, -1), 6), 128 // x.shape[-1])
    for edge in (0, 1, 126, 127):
        rows[edge::128] = rows[:, edge::128] = 255
    return rows
