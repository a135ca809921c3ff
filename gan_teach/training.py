"""Train a growing GAN: one visible loop that can be killed at any moment and goes on exactly.

What a step draws (which images, which z) is a function of (seed, step) alone, so a resume needs the
weights, the optimisers, the EMA and the number of the step, and then continues bit for bit.

Under `torchrun` each process takes its share of every batch and the gradients are averaged by hand: two
networks, several forward passes a step and parts that do not take part yet (a growing GAN has all three)
are what DistributedDataParallel's hooks are not made for, and the sum is five lines.
"""

from __future__ import annotations

import copy
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from tqdm.auto import tqdm

from . import pictures
from .files import read_json, write_text, writing
from .networks.layers import keep_freed_memory, low_precision, pick_device, sample_z
from .networks.losses import logistic_d, logistic_g, logits_and_slope, relativistic_d, relativistic_g
from .networks.wgan import wasserstein, wasserstein_gp
from .processes import any_of, place, stop_signals


@dataclass(frozen=True)
class Schedule:
    """Images shown while each resolution fades in and while it is stable; the last one goes on to the end."""

    fade: dict[int, int] = field(default_factory=lambda: {8: 10_000, 16: 15_000, 32: 20_000, 64: 30_000})
    stable: dict[int, int] = field(default_factory=lambda: {4: 10_000, 8: 15_000, 16: 25_000, 32: 30_000})

    def at(self, images: int) -> tuple[int, float]:
        """(resolution, alpha) after so many images."""
        resolutions = sorted(set(self.fade) | set(self.stable))
        for resolution in resolutions:
            fade, stable = self.fade.get(resolution, 0), self.stable.get(resolution, 0)
            if images < fade:
                return resolution, images / fade
            if images < fade + stable or resolution == resolutions[-1]:
                return resolution, 1.0
            images -= fade + stable
        raise AssertionError("unreachable")


LOSSES = ("logistic", "relativistic", "wgan-gp")


@dataclass(frozen=True)
class Settings:
    images: int = 425_000          # how many real images are shown in all
    batch: int = 32
    lr: float = 2e-3               # Adam, both networks; weights are at unit variance (equalised)
    betas: tuple[float, float] = (0.0, 0.99)
    loss: str = "logistic"         # or "relativistic", both with R1; "wgan-gp", with its own penalty, pulls D(x) to 0
    r1_gamma: float = 5.0          # loss_D += γ/2 · R1
    r1_gamma_end: float | None = None   # what γ has fallen to after three quarters of the run (see `r1_weight`)
    r1_every: int = 8              # … in every 8th step, 8 times as strong
    r2: bool = False               # the same of generated pictures: loss_D += γ/2 · R2
    r1_grows: bool = False         # γ is that of the full size R; at r×r pixels it is γ (r/R)² (see `r1_weight`)
    cool: float = 0.2              # over this last part of the run the learning rate falls linearly to a tenth
    noise_rate: float = 1.0        # how fast B, the scales of noise, learn until the end of the cooling …
    noise_end: float = 0.5         # … of which this share is left when they begin to learn like the rest
    ema: float = 0.998             # per step, less at first; the EMA generator is the one that is kept
    d_first: int = 0               # at first D learns alone, from so many images: it is new, and G can draw
    seed: int = 0                  # from 0 to 2³² − 1: torch tells no others apart
    bf16: bool = True              # autocast, where it is fast; R1 stays in float32
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise ValueError(f"no loss {self.loss!r}; there are {', '.join(LOSSES)}")


def _comparable(settings: Settings) -> str:
    """The settings that a run may not change half-way; its length may grow."""
    return repr(replace(settings, images=0))


def r1_weight(settings: Settings, resolution: int, full: int, shown: float = 0.0) -> float:
    """γ at this resolution of a network that ends at `full`, when this share of the run's pictures was shown.

        γ(t) = γ₀ (γ₁/γ₀)^a,   a = (t − ¼) / ½ between 0 and 1

    A strong γ keeps D smooth while G knows nothing; a weaker one later lets D see fine things. It falls over the
    middle half of the run from `r1_gamma` to `r1_gamma_end`, or stays (Huang et al. 2024 lower it in the same way).

    When the pictures double in size and D still judges them by their averages over 2×2 pixels, its gradient to each
    pixel is a quarter, and R1 = ‖∇D‖², over four times as many pixels, a quarter too: the same γ holds D four times
    less. So γ ∝ r², as in the default of StyleGAN2-ADA's code (γ₀ · pixels / batch).
    """
    gamma, end = settings.r1_gamma, settings.r1_gamma_end
    if end is not None:
        gamma *= (end / gamma) ** min(max((shown - 0.25) / 0.5, 0.0), 1.0)
    return gamma * (resolution / full) ** 2 if settings.r1_grows else gamma


class NotFinite(RuntimeError):
    """A loss or a gradient became NaN or infinite; the last snapshot is from before."""


def check_descent(whose: str, when: str, gradients: Iterable[torch.Tensor | None],
                  loss: torch.Tensor | None = None) -> None:
    """NotFinite where a loss is not finite, or its gradient, which may be NaN where the loss is not.

    Call it before the update: nothing that is not finite then reaches a weight, or a snapshot.
    """
    given = [g for g in gradients if g is not None]
    slope = torch.stack(torch._foreach_norm(given)).sum() if given else None
    for what, value in (("loss", loss), ("gradient", slope)):
        if value is not None and not torch.isfinite(value):
            raise NotFinite(f"the {what} of {whose} is {float(value)} in {when}; go on from the last snapshot with a "
                            "smaller learning rate")


def snapshot(path: str | Path, device: torch.device | str = "cpu") -> dict:
    """What `Training.save` wrote, its checksums compared. ValueError naming the file where it is damaged or foreign."""
    try:
        with zipfile.ZipFile(path) as archive:
            if part := archive.testzip():                    # torch.load does not look
                raise ValueError(f"the checksum of its {part} differs")
        state = torch.load(path, map_location=device, weights_only=True)
        if type(state) is not dict or "settings" not in state:
            raise ValueError("it is no snapshot of a training")
    except FileNotFoundError:
        raise
    except Exception as error:                               # a damaged file may fail anywhere in the reader
        raise ValueError(f"{path} is damaged: delete it ({type(error).__name__}: {error!s:.120})") from error
    return state


def check_same(state: dict, settings: str, data: str) -> None:
    """ValueError where a snapshot is of a training with other settings, or on other pictures."""
    if state["settings"] != settings:
        raise ValueError("this snapshot was made with other settings: train in another folder, or delete it; "
                         f"snapshot {state['settings']}, now {settings}")
    if state.get("data", data) != data:
        raise ValueError("this snapshot was made with other pictures: train in another folder, or delete it")


class Training:
    """A generator and a discriminator in training.

    `real` are uint8 images M×3×R×R; a step takes `settings.batch` of them. `step()` is one update of D, one
    of G, one of the EMA; of several processes each works on its part of the batch. `state()` and
    `restore(state)` hold everything that the next step depends on.
    """

    def __init__(self, G, D, real: torch.Tensor, settings: Settings = Settings(), device=None):
        self.device = pick_device() if device is None else torch.device(device)
        self.G = G.to(self.device, memory_format=torch.channels_last)
        self.D = D.to(self.device, memory_format=torch.channels_last)
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.real, self.settings, self.steps, self.seconds = real, settings, 0, 0.0
        self.full = real.shape[-1]                                          # pixels a side in the end
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
        if x.shape[-1] > resolution:
            x = F.avg_pool2d(x, x.shape[-1] // resolution)
        if alpha < 1.0:
            x = torch.lerp(F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="nearest"), x, alpha)
        return x.contiguous(memory_format=torch.channels_last)

    def step(self) -> dict[str, float]:
        """One update of each network (D alone until `d_first`); returns the losses. NotFinite before a bad update."""
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
        share = slice(rank, None, world)
        penalised = s.loss != "wgan-gp" and self.steps % s.r1_every == 0
        d_loss = relativistic_d if s.loss == "relativistic" else logistic_d

        with low_precision(self.device, s.bf16):
            with torch.no_grad():
                fake = self.G.regularised(s.batch, draw, share)
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
            losses["loss_g"] = self._update_g(real, draw, share)
        self.steps += 1
        return losses

    def _update_g(self, real: torch.Tensor, draw: torch.Generator, share: slice) -> float:
        """One update of G and of its average; returns its loss."""
        s = self.settings
        self.D.requires_grad_(False)
        with low_precision(self.device, s.bf16):
            logits = self.D(self.G.regularised(s.batch, draw, share))
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
        return {"steps": self.steps, "seconds": self.seconds, "settings": _comparable(self.settings), "data": self.data,
                "G": self.G.state_dict(), "D": self.D.state_dict(),
                "G_ema": self.G_ema.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers]}

    def restore(self, state: dict) -> None:
        check_same(state, _comparable(self.settings), self.data)
        self.steps, self.seconds = state["steps"], state["seconds"]
        for name in ("G", "D", "G_ema"):
            getattr(self, name).load_state_dict(state[name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(copy.deepcopy(saved))
        resolution, alpha = self.settings.schedule.at(max(self.steps - 1, 0) * self.settings.batch)
        for net in (self.G, self.D, self.G_ema):
            net.grow(resolution, alpha)

    def save(self, path: Path) -> None:
        """Write the state whole: a kill or a full disk leaves the old file or the new one."""
        with writing(path) as temporary, temporary.open("wb") as file:
            torch.save(self.state(), file)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote. ValueError naming the file where it is damaged, or of another training."""
        state = snapshot(path, self.device)
        try:
            self.restore(state)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        except (LookupError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged: delete it ({type(error).__name__}: {error!s:.120})") from error


def advance(training, folder: str | Path | None, end: int, save_every: int, batch: int = 1,
            unit: str = " images") -> Iterator[tuple[dict[str, float], tqdm]]:
    """Go on from `folder`/resume.pt where there is one, until `end` steps are made: yields the losses of each, and the
    progress bar, which counts `batch` a step.

    training: a `Training`, or what has its `step`, `steps`, `seconds`, `save` and `resume`. A snapshot is written every
    `save_every` steps, after what the caller does with a step, so that none of it is ever missed, and one at the end.
    Ctrl-C and SIGTERM finish the step at hand, save, and end it. Of several processes the first one writes; without a
    folder none does.
    """
    resume, first = None if folder is None else Path(folder) / "resume.pt", place()[0] == 0
    if resume and resume.exists():
        training.resume(resume)
    if training.steps >= end and first:
        print(f"nothing to do: the training in {folder} has made {training.steps} of {end} steps")
    clock = time.monotonic() - training.seconds
    with stop_signals() as stop, tqdm(total=end * batch, initial=training.steps * batch, unit=unit, unit_scale=True,
                                      disable=not first) as bar:
        while training.steps < end and not any_of(stop.is_set()):
            losses = training.step()
            training.seconds = time.monotonic() - clock
            bar.update(batch)
            yield losses, bar
            if training.steps % save_every == 0 and first and resume:
                training.save(resume)
    if first and resume:
        training.save(resume)


def run(training: Training, folder: str | Path, save_every: int = 500, picture_every: int = 1000,
        steps: int | None = None, judge: Callable[[torch.nn.Module], dict] | None = None,
        judge_every: int = 20_000) -> Training:
    """`advance` until `settings.images` are shown (or `steps` made), with a sample grid every `picture_every` steps.

    What `judge` says of the EMA generator, once it draws at full size and then every `judge_every` images, is a row of
    `folder`/curve.json.
    """
    keep_freed_memory()
    folder = Path(folder)
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    s = training.settings
    first = place()[0] == 0
    end = -(-s.images // s.batch) if steps is None else steps
    z = sample_z(48, training.G.z_dim, seed=1, device=training.device)
    for losses, bar in advance(training, folder, end, save_every, s.batch):
        if training.steps % 50 == 0:
            bar.set_postfix(px=training.G.resolution, alpha=f"{training.G.alpha:.2f}",
                            **{name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        if training.steps % picture_every == 0 and first:
            with torch.no_grad():
                grid = pictures.grid(list(pictures.to_uint8(training.G_ema(z))), columns=8)     # however far off
            (folder / "samples" / f"{training.steps * s.batch:08d}.png").write_bytes(pictures.png(grid))
        shown = training.steps * s.batch
        if judge and first and shown % judge_every < s.batch and training.G_ema.resolution == training.full:
            rows = [row for row in curve(folder) if row["images"] < shown]
            rows.append({"images": shown, **judge(training.G_ema)})
            write_text(folder / "curve.json", json.dumps(rows) + "\n")
    return training


def curve(folder: str | Path) -> list[dict]:
    """The rows that `run` has written in a folder: images shown, and what the judge said then."""
    path = Path(folder) / "curve.json"
    return read_json(path, list) if path.exists() else []
