"""The game of two players, on a plane: G makes points, D tells them from real ones, and they take turns.

Goodfellow et al. 2014, "Generative Adversarial Nets" (arXiv 1406.2661). What all chapters have in common, small
enough to step through by hand: D's step descends on L_D with G held still, G's step on L_G with D held still.
Taught in notebooks/00_warm_up.ipynb.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from ..limits import MAX_SEED, whole
from ..networks.dcgan import PlaneDiscriminator, PlaneGenerator
from ..networks.layers import check_gradients, sample_z, seeded
from ..networks.losses import logistic_d, logistic_g
from ..training import check_descent
from ..worlds.gaussians import Mixture, grid, ring, wave
from .child import check_loss


def saturating_g(fake: Tensor) -> Tensor:
    """E log(1 − σ(l_fake)), what G descends on (Goodfellow et al. 2014, Eq. 1).

    Its slope is −D(x): silent where D is sure of a fake.
    """
    return -torch.nn.functional.softplus(fake).mean()


DATA = {"a wave": wave(), "one cloud": Mixture(((0.9, 0.7),), 0.25), "ring of 8": ring(), "grid of 25": grid()}
LOSSES = {"non-saturating": logistic_g, "saturating": saturating_g}


class Verdicts(NamedTuple):
    """What D says on average, in [0, 1], and the two losses."""

    real: float         # E D(x)
    fake: float         # E D(G(z))
    loss_d: float
    loss_g: float


class Game:
    """G against D, a step at a time. `step_d()` and `step_g()` are the two moves; `round(n)` is n of D and one of G.

    data: a function (n, torch.Generator) -> n real points, N×2, such as those in DATA. loss_g: logits of D for the
    generated points -> what G descends on; loss_d: logits of both kinds -> what D descends on. Two games of equal
    arguments and equal moves are equal bit for bit.
    """

    def __init__(self, data=DATA["a wave"], seed: int = 0, loss_g=logistic_g, lr: float = 1e-3, batch: int = 64,
                 loss_d=logistic_d):
        self.data, self.loss_g, self.loss_d, self.batch = data, loss_g, loss_d, batch
        self.seed = whole("seed", seed, 0, MAX_SEED)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G, self.D = PlaneGenerator(), PlaneDiscriminator()
        self.adam_g = torch.optim.Adam(self.G.parameters(), lr, (0.5, 0.999))
        self.adam_d = torch.optim.Adam(self.D.parameters(), lr, (0.0, 0.999))
        self.steps_d = self.steps_g = 0

    def _draw(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed * 1_000_003 + self.steps_d + self.steps_g)

    @torch.enable_grad()
    def step_d(self) -> float:
        """D learns: one step down L_D, on `batch` real points and as many generated ones. Returns the loss."""
        check_gradients()
        draw = self._draw()
        x = self.data(self.batch, draw)
        z = torch.randn(self.batch, self.G.z_dim, generator=draw, dtype=torch.float32)
        loss = check_loss("D", self.loss_d(self.D(x), self.D(self.G(z).detach())))      # detached: G is held still
        self.adam_d.zero_grad()
        loss.backward()
        check_descent("D", f"step {self.steps_d}", (p.grad for p in self.D.parameters()), loss.detach())
        self.adam_d.step()
        self.steps_d += 1
        return loss.item()

    @torch.enable_grad()
    def step_g(self) -> float:
        """G learns: one step down L_G. The gradient passes through D, but only G moves. Returns the loss."""
        check_gradients()
        z = torch.randn(self.batch, self.G.z_dim, generator=self._draw(), dtype=torch.float32)
        loss = check_loss("G", self.loss_g(self.D(self.G(z))))
        self.adam_g.zero_grad()
        loss.backward()
        check_descent("G", f"step {self.steps_g}", (p.grad for p in self.G.parameters()), loss.detach())
        self.adam_g.step()
        self.steps_g += 1
        return loss.item()

    def round(self, d_steps: int = 1) -> None:
        """So many steps of D, then one of G."""
        for _ in range(d_steps):
            self.step_d()
        self.step_g()

    @torch.no_grad()
    def points(self, n: int = 256, seed: int = 0) -> tuple[Tensor, Tensor]:
        """n real points and n generated ones, N×2 each; always the same x and z for a seed, so that one sees G move."""
        return self.data(n, seeded(seed)), self.G(sample_z(n, self.G.z_dim, seed))

    @torch.no_grad()
    def verdicts(self, n: int = 256, seed: int = 0) -> Verdicts:
        """What D says of `points(n, seed)`."""
        real, fake = map(self.D, self.points(n, seed))
        return Verdicts(*(float(v) for v in (real.sigmoid().mean(), fake.sigmoid().mean(), logistic_d(real, fake),
                                             self.loss_g(fake))))

    @torch.enable_grad()
    def push(self, fake: Tensor) -> Tensor:
        """−∂L_G/∂x at each generated point, as if it were alone: where G is asked to move it, N×2.

        By the chain rule it is loudness times direction, −∂L_G/∂l · ∂l/∂x: the second is D's slope, the first the
        choice of the loss.
        """
        check_gradients()
        x = fake.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(len(x) * self.loss_g(self.D(x)), x)
        return -gradient

    def lines(self, fake: Tensor, reach: float = 0.6, longest: float = 0.45) -> tuple[Tensor, Tensor]:
        """The push at each point as a line for `plane.picture(moved=…)`: (ends, points).

        reach: the length for a push of 1, in units of the plane; longest: where longer ones are cut.
        """
        line = reach * self.push(fake)
        return fake + line * (longest / line.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1), fake

    def state(self) -> dict:
        """A copy of all that the next step depends on, but for the arguments."""
        return copy.deepcopy({"steps": (self.steps_d, self.steps_g), "parts": [p.state_dict() for p in self._parts()]})

    def restore(self, state: dict) -> None:
        """Go back, or forward, to a `state()`; what follows is equal bit for bit."""
        self.steps_d, self.steps_g = state["steps"]
        for part, saved in zip(self._parts(), copy.deepcopy(state["parts"])):
            part.load_state_dict(saved)

    def _parts(self):
        return self.G, self.D, self.adam_g, self.adam_d
