"""GAN Dissection, repair: find the units that spoil pictures, turn them off or down, and measure what it was worth.

Bau et al., arXiv 1811.10597, pick 20 of 512 units by eye, from their top pictures; ablating these brought the
FID of a bedroom generator from 52.87 to 32.11, 20 random units to 52.27 (Table 1 of the version submitted to
ICLR). Here a score picks: each unit is judged by the pictures in which it is loudest, as the authors' notebook
fidhistogram does too. In a small generator every unit has other duties, and none can be spared: `frechet_slopes`
finds those worth turning down a little.

The pictures that choose the units must not be those that judge the repair: z and real pictures are different
ones, and random units are ablated beside the chosen. A repair that does not beat them is none; it is printed
all the same. Taught in notebooks/01b_gan_dissection_further.ipynb.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..language import columns, pad, say
from ..limits import finite, whole
from ..metrics import ChannelMeans, Distance, check_enough, check_features, features, precision_recall
from ..networks.layers import check_finite, check_gradients
from ..networks.protocols import Generator, device_of, evaluating
from ..networks.segmenter import UNet
from .intervention import ablate
from .pixels import BATCH, pictures, unit_count
from .units import Units, check_units, random_orders


@torch.no_grad()
def artefact_scores(G: Generator, layer: str, segmenter: UNet, real: Tensor, samples: int = 1000, top: int = 50,
                    seed: int = 5, progress: bool = True) -> Tensor:
    """How unlike real pictures are those in which a unit is loudest? One number per unit, (U,); higher is worse.

        T_u     = the `top` of `samples` pictures with the largest max_p r_{u,p}
        score_u = mean_{x ∈ T_u} ‖φ(x) − φ(y)‖ / ρ(y),   y: the real picture nearest to x

    φ: the features, over their deviation in the real pictures; ρ(y): the distance from y to its third nearest
    fellow. So below 1 is as near to a real picture as real ones are to each other. The authors' notebook takes the
    Fréchet distance of T_u, which also blames a unit for being choosy: the top pictures of a moon unit are all nights,
    and nights alone are far from the mixture of real pictures. Here one similar real picture is enough, and dividing
    by ρ makes up for there being few of a rare kind.

    real: N×3×H×W in [-1, 1] or bytes, other pictures than those that will judge.
    ValueError: top outside 2…samples; fewer than 5 real pictures.
    """
    top = whole("the number of top pictures", top, 2, samples)
    if len(real) < 5:
        raise ValueError(f"a score needs at least 5 real pictures, better hundreds; got {len(real)}")
    phi_real, phi, loud = features(real, segmenter), [], []
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("pictures of {layer}", layer=layer), progress):
            phi.append(features(f(r).clamp(-1, 1), segmenter))              # (N, F)
            loud.append(r.amax((2, 3)).cpu())                               # (N, U)
    phi, T = torch.cat(phi), torch.cat(loud).topk(top, 0).indices           # (samples, F), (top, U)
    scale = phi_real.std(0).clamp(min=1e-6)
    phi, phi_real = phi / scale, phi_real / scale
    rho = torch.cdist(phi_real, phi_real).kthvalue(4, dim=1).values         # (N,) the first nearest is y itself
    away, y = torch.cdist(phi, phi_real).min(1)                             # (samples,) each
    return (away / rho[y].clamp(min=1e-6))[T].mean(0)                       # (U,)


def distance_slopes(phi: Tensor, real: Tensor) -> Tensor:
    """∂FD/∂φ(x_i), from features N×F of generated pictures and those of real ones: N×F (float64).

    ValueError for NaN or infinity, and for fewer than two pictures.
    """
    check_gradients()
    check_enough(len(real), len(phi))
    check_features(real, phi)
    phi, real = phi.detach().double().clone().requires_grad_(), real.double()
    values, vectors = torch.linalg.eigh(real.T.cov())
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T                 # Σ_r^½
    with torch.enable_grad():
        covariance = phi.T.cov()
        # tr (Σ_r Σ_g)^½ = Σ √λ of Σ_r^½ Σ_g Σ_r^½; tr Σ_r is constant
        both = torch.linalg.eigvalsh(root @ covariance @ root).clamp(min=1e-12).sqrt().sum()
        distance = (phi.mean(0) - real.mean(0)).square().sum() + covariance.trace() - 2 * both
    return torch.autograd.grad(distance, phi)[0]


@torch.no_grad()
def frechet_slopes(G: Generator, layer: str, segmenter: UNet, real: Tensor, samples: int = 400, seed: int = 5,
                   progress: bool = True) -> Tensor:
    """How fast does the Fréchet distance fall when a unit is turned down? One number per unit, (U,); higher is faster.

        score_u = −∂FD/∂s_u at s = 0,   x = f((1 − s) ⊙ r)

    by the chain rule, Σ_i ∂FD/∂φ(x_i) · ∂φ(x_i)/∂s_u: all units in one pass back. A slope holds for small steps only:
    turned off, nearly all of the steepest units spoil more than they mend.

    real: N×3×H×W in [-1, 1] or bytes, other pictures than those that will judge; more of both than features.
    """
    check_gradients()
    check_enough(len(real), samples)
    judge, slopes = ChannelMeans(segmenter), torch.zeros(unit_count(G, layer))
    with evaluating(G, segmenter):
        phi = torch.cat([features(f(r).clamp(-1, 1), segmenter) for r, f in pictures(G, layer, samples, seed)])
        parts = distance_slopes(phi, features(real, segmenter)).float().split(BATCH)
        again = pictures(G, layer, samples, seed, say("slopes of {layer}", layer=layer), progress)
        for (r, f), part in zip(again, parts, strict=True):
            s = torch.zeros(len(slopes), device=device_of(G), requires_grad=True)
            with torch.enable_grad():
                seen = judge(f(ablate(r, range(len(s)), strength=s)).clamp(-1, 1))             # (N, F)
                falls = -(seen * part.to(seen)).sum()
            slopes += torch.autograd.grad(falls, s)[0].cpu()
    return slopes


@dataclass
class Repair:
    """Fréchet distances to real pictures (lower is better), from the same z each time."""

    units: tuple[int, ...]      # the units turned down
    strength: float             # by how much: 1 is off
    before: float               # nothing ablated
    after: float                # the units ablated
    random: Tensor              # (draws,) as many random units ablated
    real: float                 # one half of the real pictures against the other; with all of them it would be lower
    precision: tuple[float, float]      # shares of pictures that could be real ones, before and after

    @property
    def random_mean(self) -> float:
        return self.random.mean().item()

    @property
    def random_std(self) -> float:
        """Standard deviation over the draws; NaN for a single one."""
        return self.random.std().item()

    @property
    def shown(self) -> bool:
        """The rule for a repair: below `before`, and below random units by more than twice their deviation."""
        return self.after < self.before and self.after < self.random_mean - 2 * self.random_std

    def __str__(self) -> str:
        title = (say("{n} units turned off", n=len(self.units)) if self.strength == 1 else
                 say("{n} units turned down by {share:.0%}", n=len(self.units), share=self.strength))
        drawn = pad(say("random units ({n} draws)", n=len(self.random)), 30)
        return (columns((title, -30), ("Fréchet distance", 16), ("precision", 12)) +
                f"\n{pad(say('before'), 30)}{self.before:16.3f}{self.precision[0]:12.2f}\n"
                f"{pad(say('after'), 30)}{self.after:16.3f}{self.precision[1]:12.2f}\n"
                f"{drawn}{self.random_mean:16.3f} ± {self.random_std:.3f}\n"
                f"{pad(say('half of real to half'), 30)}{self.real:16.3f}")


@torch.no_grad()
def repair(G: Generator, layer: str, segmenter: UNet, real: Tensor, scores: Tensor | None = None, n: int = 5,
           units: Units | None = None, samples: int = 1000, seed: int = 6, draws: int = 5,
           progress: bool = True, strength: float = 1.0) -> Repair:
    """Ablate the n units of the highest score everywhere: is the result closer to real pictures than before?

    scores: of `artefact_scores` or `frechet_slopes`; or give `units` themselves. strength: as for `ablate`, 1 is off.
    real: N×3×H×W, not those that the scores were made with; best as many as samples, since a Fréchet distance falls
    with the number of pictures. seed: of z, and of the random units, other than that of the scores. Never compare the
    values with published FIDs: these are features of our segmenter.
    ValueError: neither or both of scores and units; n outside 1…U.
    """
    U = unit_count(G, layer)
    if (scores is None) == (units is None):
        raise ValueError("give either scores (of artefact_scores) or units, not both and not neither")
    if scores is not None:
        if check_finite("scores", scores).shape != (U,):
            raise ValueError(f"scores has shape {tuple(scores.shape)}, but {layer!r} has {U} units; score that layer")
        units = scores.argsort(descending=True, stable=True)[:whole("n, of the layer's units,", n, 1, U)]
    if min(len(real), samples) < 4:
        raise ValueError(f"a repair is judged by its halves: 4 real pictures and 4 samples or more, better thousands; "
                         f"got {len(real)} and {samples}")
    units, strength, draws = check_units(units, U), finite("strength", strength), whole("draws", draws, 1)
    trials = [[], units, *(order[:len(units)] for order in random_orders(U, draws, seed))]
    seen = [[] for _ in trials]
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed, say("repair"), progress):
            for trial, phi in zip(trials, seen, strict=True):               # h(z) is paid once
                phi.append(features(f(ablate(r, trial, strength=strength)).clamp(-1, 1), segmenter))
    phi_real = features(real, segmenter)
    distance, half = Distance(phi_real), Distance(phi_real[::2])
    seen = [torch.cat(phi) for phi in seen]
    before, after, *random = map(distance, seen)
    precision = tuple(precision_recall(phi_real, phi)[0] for phi in seen[:2])
    return Repair(tuple(units), strength, before, after, torch.tensor(random), half(phi_real[1::2]), precision)
