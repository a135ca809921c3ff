"""GAN Dissection, repair: find the units that draw artefacts, switch them off, and measure what it was worth.

Bau et al., arXiv 1811.10597, pick 20 of 512 units by eye, from their top pictures; ablating these brought the
FID of a bedroom generator from 52.87 to 32.11, 20 random units to 52.27 (Table 1 of the version submitted to
ICLR). Here a score picks: each unit is judged by the pictures in which it is loudest, as the authors' notebook
fidhistogram does too.

The pictures that choose the units must not be those that judge the repair: z and real pictures are different
ones, and random units are ablated beside the chosen. A repair that does not beat them is none; it is printed
all the same. Taught in notebooks/01_gan_dissection.ipynb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..metrics import SegmenterFeatures, can_measure
from ..networks.layers import seeded
from ..networks.protocols import Generator, check_name, evaluating
from ..networks.segmenter import UNet
from ..pictures import to_float
from .intervention import ablate
from .pixels import pictures, unit_count
from .units import Units, check_units

SCORES = ("nearest", "frechet")


class Distance:
    """FD = ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½) from features to one set of real features, again and again.

    The formula and its computation are those of `metrics.frechet_distance` (torchmetrics, float64); NaN without it.
    """

    def __init__(self, real: Tensor):
        self.metric = None
        if not can_measure("the Fréchet distance"):
            return
        from torchmetrics.image.fid import FrechetInceptionDistance  # four seconds to import

        as_they_are = nn.Identity()                                         # what comes in are features already
        as_they_are.num_features = real.shape[1]
        self.metric = FrechetInceptionDistance(as_they_are, reset_real_features=False,
                                               sync_on_compute=False).to(real.device)
        self.metric.update(real, real=True)

    def __call__(self, fake: Tensor) -> float:
        if self.metric is None:
            return math.nan
        self.metric.reset()                                                 # forgets the fake ones only
        self.metric.update(fake, real=False)
        return float(self.metric.compute())


@torch.no_grad()
def features(images: Tensor, segmenter: UNet, batch: int = 100) -> Tensor:
    """What the judge sees of pictures N×3×H×W (floats in [-1, 1] or bytes): `SegmenterFeatures`, on the CPU."""
    judge, device = SegmenterFeatures(segmenter), next(segmenter.parameters()).device
    with evaluating(segmenter):
        return torch.cat([judge(to_float(part.to(device))).cpu() for part in images.split(batch)])      # (N, F)


@torch.no_grad()
def artefact_scores(G: Generator, layer: str, segmenter: UNet, real: Tensor, samples: int = 1000, top: int = 50,
                    score: str = "nearest", seed: int = 5, progress: bool = True) -> Tensor:
    """How unlike real pictures are those in which a unit is loudest? One number per unit, (U,); higher is worse.

        T_u     = the `top` of `samples` pictures with the largest max_p r_{u,p}
        nearest : score_u = mean_{x ∈ T_u} ‖φ(x) − φ(y)‖ / ρ(y),   y: the real picture nearest to x
        frechet : score_u = Fréchet distance of T_u to the real pictures

    φ: the features, over their deviation in the real pictures; ρ(y): the distance from y to its third nearest
    fellow. So below 1 is as near to a real picture as real ones are to each other.
    "frechet" is the measure of the authors' notebook. It also blames a unit for being choosy: the top pictures of
    a moon unit are all nights, and nights alone are far from the mixture of real pictures. "nearest" asks for one
    similar real picture, and dividing by ρ makes up for there being few of a rare kind.

    real: N×3×H×W in [-1, 1] or bytes, other pictures than those that will judge.
    ValueError: an unknown score; top outside 2…samples; fewer than 5 real pictures.
    """
    check_name("score", score, SCORES)
    if not 2 <= top <= samples:
        raise ValueError(f"top pictures per unit: between 2 and the {samples} samples; got {top}")
    if len(real) < 5:
        raise ValueError(f"a score needs at least 5 real pictures, better hundreds; got {len(real)}")
    phi_real, phi, loud = features(real, segmenter), [], []
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, label=f"pictures of {layer}" if progress else None):
            phi.append(features(f(r).clamp(-1, 1), segmenter))              # (N, F)
            loud.append(r.amax((2, 3)).cpu())                               # (N, U)
    phi, T = torch.cat(phi), torch.cat(loud).topk(top, 0).indices           # (samples, F), (top, U)
    if score == "nearest":
        scale = phi_real.std(0).clamp(min=1e-6)
        phi, phi_real = phi / scale, phi_real / scale
        rho = torch.cdist(phi_real, phi_real).kthvalue(4, dim=1).values     # (N,) the first nearest is y itself
        away, y = torch.cdist(phi, phi_real).min(1)                         # (samples,) each
        return (away / rho[y].clamp(min=1e-6))[T].mean(0)                   # (U,)
    distance = Distance(phi_real)
    return torch.tensor([distance(phi[rows]) for rows in tqdm(T.T, "units", leave=False, disable=not progress)])


@dataclass
class Repair:
    """Fréchet distances to real pictures (lower is better), from the same z each time."""

    units: tuple[int, ...]      # the units ablated
    before: float               # nothing ablated
    after: float                # the units ablated
    random: Tensor              # (draws,) as many random units ablated
    real: float                 # one half of the real pictures against the other: better is hardly possible

    @property
    def random_mean(self) -> float:
        return self.random.mean().item()

    @property
    def random_std(self) -> float:
        """Standard deviation over the draws; NaN for a single one."""
        return self.random.std().item()

    def __str__(self) -> str:
        return (f"Fréchet distance to real pictures, {len(self.units)} units ablated\n"
                f"{'before':<22}{self.before:8.3f}\n{'after':<22}{self.after:8.3f}\n"
                f"{'random units':<22}{self.random_mean:8.3f} ± {self.random_std:.3f} ({len(self.random)} draws)\n"
                f"{'half of real to half':<22}{self.real:8.3f}")


@torch.no_grad()
def repair(G: Generator, layer: str, segmenter: UNet, real: Tensor, scores: Tensor | None = None, n: int = 5,
           units: Units | None = None, samples: int = 1000, seed: int = 6, draws: int = 5,
           progress: bool = True) -> Repair:
    """Ablate the n units of the highest score everywhere: is the result closer to real pictures than before?

    scores: of `artefact_scores`; or give `units` themselves. real: N×3×H×W, not those that the scores were made
    with; best as many as samples, since a Fréchet distance falls with the number of pictures. seed: of z, and
    of the random units, other than that of the scores. Never compare the values with published FIDs: these are
    features of our segmenter.
    ValueError: neither or both of scores and units; n outside 1…U.
    """
    U = unit_count(G, layer)
    if (scores is None) == (units is None):
        raise ValueError("give either scores (of artefact_scores) or units, not both and not neither")
    if scores is not None:
        if scores.shape != (U,):
            raise ValueError(f"scores has shape {tuple(scores.shape)}, but {layer!r} has {U} units; score that layer")
        if not 1 <= n <= U:
            raise ValueError(f"n goes from 1 to the {U} units of {layer!r}; got {n}")
        units = scores.argsort(descending=True, stable=True)[:n]
    units = check_units(units, U)
    rng = seeded(seed)
    trials = [[], units] + [torch.randperm(U, generator=rng)[:len(units)].tolist() for _ in range(draws)]
    seen = [[] for _ in trials]
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, label="repair" if progress else None):
            for trial, phi in zip(trials, seen, strict=True):               # h(z) is paid once
                phi.append(features(f(ablate(r, trial)).clamp(-1, 1), segmenter))
    phi_real = features(real, segmenter)
    distance, half = Distance(phi_real), Distance(phi_real[::2])
    before, after, *random = (distance(torch.cat(phi)) for phi in seen)
    return Repair(tuple(units), before, after, torch.tensor(random), half(phi_real[1::2]))
