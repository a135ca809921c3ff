"""The settings of a training, and its schedule: how large the pictures are, and how strong R1, after so many."""

import math
from dataclasses import dataclass, field

from ..limits import settle, whole
from ..networks.protocols import check_name


@dataclass(frozen=True)
class Schedule:
    """Images shown while each resolution fades in and while it is stable; the last one goes on to the end."""

    fade: dict[int, int] = field(default_factory=lambda: {8: 10_000, 16: 15_000, 32: 20_000, 64: 30_000})
    stable: dict[int, int] = field(default_factory=lambda: {4: 10_000, 8: 15_000, 16: 25_000, 32: 30_000})

    def __post_init__(self):
        if not isinstance(self.fade, dict) or not isinstance(self.stable, dict):
            raise ValueError("a schedule is two dicts from resolutions to images, such as Schedule({8: 1000}, "
                             f"{{4: 1000}}); got {self.fade!r:.60} and {self.stable!r:.60}")
        for resolution, images in (*self.fade.items(), *self.stable.items()):
            whole("a resolution of the schedule", resolution, 1)
            whole(f"the schedule's images at {resolution} px", images)
        if not self.fade | self.stable:
            raise ValueError("a schedule names one resolution or more, such as Schedule({}, {64: 0})")

    def at(self, images: int) -> tuple[int, float]:
        """(resolution, alpha) after so many images."""
        for resolution in sorted(self.fade | self.stable):
            fade, stable = self.fade.get(resolution, 0), self.stable.get(resolution, 0)
            if images < fade:
                return resolution, images / fade
            if images < fade + stable:
                break
            images -= fade + stable
        return resolution, 1.0


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
    mix_last: float = 1.0          # over this last part of the run styles are mixed, as often as G's config says
    ema: float = 0.998             # per step, less at first; the EMA generator is the one that is kept
    d_first: int = 0               # at first D learns alone, from so many images: it is new, and G can draw
    seed: int = 0                  # from 0 to 2³² − 1: torch tells no others apart
    bf16: bool = True              # autocast, where it is fast; R1 stays in float32
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self):
        settle(self, {"images": 1, "batch": 1, "r1_every": 1, "d_first": 0},
               {"lr": (0, math.inf), "betas": (0, 1), "r1_gamma": (0, math.inf), "r1_gamma_end": (1e-9, math.inf),
                "cool": (1e-9, 1), "noise_rate": (0, math.inf), "noise_end": (0, math.inf), "mix_last": (0, 1),
                "ema": (0, 1)})
        if not isinstance(self.schedule, Schedule):
            raise ValueError(f"schedule must be a Schedule, such as Schedule({{}}, {{64: 0}}); got "
                             f"{self.schedule!r:.60}")
        check_name("loss", self.loss, LOSSES)


def comparable(settings: Settings) -> str:
    """The settings that a run may not change half-way; its length may grow."""
    return repr(settings).replace(f"(images={settings.images},", "(images=0,")


def r1_weight(settings: Settings, resolution: int, full: int, shown: float = 0.0) -> float:
    """γ at this resolution of a network that ends at `full`, when this share of the run's pictures was shown.

        γ(t) = γ₀ (γ₁/γ₀)^a,   a = (t − ¼) / ½ between 0 and 1

    A strong γ keeps D smooth while G knows nothing; a weaker one later lets D see fine things. It falls over the
    middle half of the run from `r1_gamma` to `r1_gamma_end`, or stays. (Huang et al. 2024 lower it too, tenfold, along
    a cosine over the whole run.)

    When the pictures double in size and D still judges them by their averages over 2×2 pixels, its gradient to each
    pixel is a quarter, and R1 = ‖∇D‖², over four times as many pixels, a quarter too: the same γ holds D four times
    less. So γ ∝ r², as in the default of StyleGAN2-ADA's code (γ₀ · pixels / batch).
    """
    gamma, end = settings.r1_gamma, settings.r1_gamma_end
    if end is not None:
        gamma *= (end / gamma) ** min(max((shown - 0.25) / 0.5, 0.0), 1.0)
    return gamma * (resolution / full) ** 2 if settings.r1_grows else gamma
