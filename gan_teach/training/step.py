"""One step: D learns, G learns, the average of G follows.

Under `torchrun` each process takes its share of every batch and the gradients are averaged by hand: two
networks, several forward passes a step and parts that do not take part yet (a growing GAN has all three)
are what DistributedDataParallel's hooks are not made for, and the sum is five lines.
"""

import copy
from collections.abc import Callable
from functools import cached_property, partial

import torch
import torch.distributed as dist
import torch.nn.functional as F

from .. import pictures
from ..networks.device import low_precision, pick_device
from ..networks.layers import check_gradients, described
from ..networks.losses import logistic_d, logistic_g, logits_and_slope, relativistic_d, relativistic_g
from ..networks.wgan import wasserstein, wasserstein_gp
from ..processes import place
from .settings import Settings, comparable, r1_weight
from .snapshots import Resumable, check_descent, check_same, refill


class Training(Resumable):
    """A generator and a discriminator in training.

    `real` are uint8 images M×3×R×R; a step takes `settings.batch` of them. `step()` is one update of D, one
    of G, one of the EMA; of several processes each works on its part of the batch. `state()` and
    `restore(state)` hold everything that the next step depends on.
    """

    def __init__(self, G, D, real: torch.Tensor, settings: Settings = Settings(), device=None):
        if not isinstance(settings, Settings):
            raise ValueError(f"settings are Settings, such as Settings(images=1000); got a {type(settings).__name__}")
        if not isinstance(real, torch.Tensor) or real.dtype != torch.uint8 or real.ndim != 4 or real.shape[1] != 3 or \
                not len(real):
            raise ValueError(f"a training needs a tensor of pictures N×3×R×R in bytes (uint8); got {described(real)} "
                             "(of floats: ((x + 1) * 127.5).round().byte())")
        if settings.batch % place()[1]:
            raise ValueError(f"{place()[1]} processes cannot share a batch of {settings.batch} equally")
        for net in (G, D):
            for method in ("grow", "regularised") if net is G else ("grow",):
                if not hasattr(net, method):
                    raise ValueError(f"a training grows its networks, and a {type(net).__name__} has no .{method}")
            if odd := [p for p in net.parameters() if p.dtype != torch.float32 or p.is_meta]:
                raise ValueError("a training needs networks of float32 (.float() makes them); this "
                                 f"{type(net).__name__} has weights of {odd[0].dtype} on the device {odd[0].device}")
        self.device = pick_device(device)
        self.G = G.to(self.device, memory_format=torch.channels_last)
        self.D = D.to(self.device, memory_format=torch.channels_last)
        for net in (self.G, self.D):
            net.train().requires_grad_(True)                                # as `load` gives it, it is neither
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.real, self.settings, self.steps, self.seconds = real, settings, 0, 0.0
        self.full = real.shape[-1]                                          # pixels a side in the end
        self.start = ""                                                     # the fingerprint of weights that G began as
        self.optimisers = []
        for net in (self.G, self.D):
            groups = [{"params": [], "rate": 1.0}, {"params": [], "rate": settings.noise_rate}]
            for name, parameter in net.named_parameters():
                groups[name.endswith(".B")]["params"].append(parameter)
            self.optimisers.append(torch.optim.Adam([g for g in groups if g["params"]], settings.lr, settings.betas,
                                                    foreach=True))

    def batch(self, resolution: int, alpha: float, draw: torch.Generator) -> torch.Tensor:
        """Real images N×3×R×R in [-1, 1] at the current resolution; while it fades in, they fade as well."""
        rank, world = place()
        index = torch.randint(len(self.real), (self.settings.batch,), generator=draw)[rank::world]
        x = self.real[index].to(self.device, torch.float32) / 127.5 - 1
        if x.shape[2] != x.shape[3] or x.shape[3] % resolution:
            raise ValueError(f"the pictures have {x.shape[2]}×{x.shape[3]} pixels, and this training grows to "
                             f"{resolution}×{resolution}: give square ones of a multiple of it")
        if x.shape[-1] > resolution:
            x = F.avg_pool2d(x, x.shape[-1] // resolution)
        if alpha < 1.0:
            x = torch.lerp(F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="nearest"), x, alpha)
        return x.contiguous(memory_format=torch.channels_last)

    @torch.enable_grad()
    def step(self) -> dict[str, float]:
        """One update of each network (D alone until `d_first`); returns the losses. NotFinite before a bad update."""
        check_gradients()
        s = self.settings
        resolution, alpha = s.schedule.at(self.steps * s.batch)
        for net in (self.G, self.D, self.G_ema):
            net.grow(resolution, alpha)
        left = 1 - self.steps * s.batch / s.images
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                rate = group["rate"] if left >= s.noise_end * s.cool else 1.0
                group["lr"] = s.lr * rate * min(1.0, 0.1 + 0.9 * max(left, 0.0) / s.cool)
        draw = torch.Generator().manual_seed(s.seed * 1_000_000_007 + self.steps)
        real = self.batch(resolution, alpha, draw)
        rank, world = place()
        fakes = partial(self.G.regularised, s.batch, draw, slice(rank, None, world), mixes=left <= s.mix_last)
        penalised = s.loss != "wgan-gp" and self.steps % s.r1_every == 0
        d_loss = relativistic_d if s.loss == "relativistic" else logistic_d

        with low_precision(self.device, s.bf16):
            with torch.no_grad():
                fake = fakes()
            if s.loss == "wgan-gp":
                loss_d = wasserstein_gp(self.D, real, fake, draw)
                total = loss_d + 1e-3 * self.D(real).square().mean()        # keeps D's scores near 0
            elif not penalised:
                total = loss_d = d_loss(self.D(real), self.D(fake))
        if penalised:                                                       # a second derivative: in float32
            l_real, r1 = logits_and_slope(self.D, real)
            l_fake, r2 = logits_and_slope(self.D, fake.float()) if s.r2 else (self.D(fake.float()), 0.0)
            loss_d = d_loss(l_real, l_fake)
            gamma = r1_weight(s, resolution, self.full, 1 - left)
            total = loss_d + s.r1_every * gamma / 2 * (r1 + r2)
        losses = {"loss_d": self._update(1, self.D, total, loss_d)}
        if self.steps * s.batch >= s.d_first:
            losses["loss_g"] = self._update_g(real, fakes)
        self.steps += 1
        return losses

    def _update_g(self, real: torch.Tensor, fakes: Callable[[], torch.Tensor]) -> float:
        """One update of G, which draws `fakes()`, and of its average; returns its loss."""
        s = self.settings
        self.D.requires_grad_(False)
        with low_precision(self.device, s.bf16):
            logits = self.D(fakes())
            if s.loss == "relativistic":
                with torch.no_grad():
                    l_real = self.D(real)
                loss_g = relativistic_g(l_real, logits)
            else:
                loss_g = logistic_g(logits) if s.loss == "logistic" else wasserstein(logits)
        loss_g = self._update(0, self.G, loss_g, loss_g)
        self.D.requires_grad_(True)

        with torch.no_grad():
            ema = min(s.ema, (1 + self.steps) / (20 + self.steps))
            torch._foreach_lerp_(list(self.G_ema.parameters()), list(self.G.parameters()), 1 - ema)
            for kept, now in zip(self.G_ema.buffers(), self.G.buffers()):
                kept.copy_(now)                                             # w̄ is an average already
        return loss_g

    def _update(self, which: int, net, loss: torch.Tensor, shown: torch.Tensor) -> float:
        """Descend on `loss`, averaged over the processes; returns the mean of the loss that is shown."""
        self.optimisers[which].zero_grad(set_to_none=True)
        loss.backward()
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        mean = torch.stack([loss.detach(), shown.detach()])
        if place()[1] > 1:
            flat = torch.cat([mean, *(g.flatten() for g in gradients)])
            dist.all_reduce(flat)
            mean, *parts = (flat / place()[1]).split([2, *(g.numel() for g in gradients)])
            for g, part in zip(gradients, parts):
                g.copy_(part.view_as(g))
        check_descent("GD"[which], f"step {self.steps}", gradients, mean[0])
        self.optimisers[which].step()
        return float(mean[1])

    @cached_property
    def data(self) -> str:
        """The fingerprint of the pictures."""
        return pictures.fingerprint(self.real)

    def state(self) -> dict:
        """A copy of everything that the next step depends on."""
        return copy.deepcopy({
            "steps": self.steps, "seconds": self.seconds, "settings": comparable(self.settings), "data": self.data,
            "start": self.start, "G": self.G.state_dict(), "D": self.D.state_dict(),
            "G_ema": self.G_ema.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers]})

    def restore(self, state: dict) -> None:
        """Go back, or forward, to a `state()` of the same networks, settings and pictures."""
        check_same(state, comparable(self.settings), self.data, self.start)
        self.steps, self.seconds = state["steps"], state["seconds"]
        for name in ("G", "D", "G_ema"):
            getattr(self, name).load_state_dict(state[name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            refill(optimiser, saved)
        resolution, alpha = self.settings.schedule.at(max(self.steps - 1, 0) * self.settings.batch)
        for net in (self.G, self.D, self.G_ema):
            net.grow(resolution, alpha)
