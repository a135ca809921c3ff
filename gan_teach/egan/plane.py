"""Evolution on the plane: networks that imitate Gaussians, exact measures, and pictures to watch.

E-GAN's first experiment (Wang et al. 2018, arXiv 1803.00657); its ring and its grid are in worlds/gaussians.py.
Everything is small enough for one CPU thread; use `torch.set_num_threads(1)`, more of them only wait for each other
here. The controls at the end ask what selection and F_d are worth. Taught in notebooks/03_evolutionary_gan.ipynb.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks.dcgan import PlaneConfig, PlaneDiscriminator, PlaneGenerator
from ..networks.layers import check_finite, check_gradients, seeded
from ..networks.protocols import check_name, latents
from ..networks.wgan import wasserstein, wasserstein_gp
from ..worlds.gaussians import Mixture
from .evolution import Evolution, Generation
from .settings import Settings, logistic
from .fitness_and_selection import Fitness, fitness
from .mutations import heuristic, least_squares, minimax

NEAR = 0.15                                 # a sample counts for a mode within this distance of its centre
BANDWIDTHS = (0.125, 0.25, 0.5, 1.0, 2.0)   # h of the kernels of the MMD: from within a mode to the whole picture
REAL, GENERATED, MOVED = (0, 90, 181), (230, 110, 0), (120, 50, 0)      # blue, orange, brown

# What chapter 3 starts from: E-GAN's authors' settings for points, but γ 0.01 for 2, 128 judged for 256, no batch norm,
# and narrower networks that learn faster.
SETTINGS = Settings(batch=64, fitness_batch=128, d_steps=1, lr=1e-3, betas=(0.5, 0.999), betas_d=(0.0, 0.999))


# ------------------------------------------------------------------------------------------ measures

def modes_covered(mixture: Mixture, fake: Tensor) -> int:
    """How many modes have at least a tenth of their fair share, N / modes, of the N samples within 0.15."""
    if not len(check_finite("the samples", fake)):
        raise ValueError("modes are counted of one sample or more")
    near = torch.cdist(torch.tensor(mixture.centres, dtype=fake.dtype), fake) <= NEAR     # (modes, N)
    return int((near.sum(1) >= 0.1 * len(fake) / len(mixture.centres)).sum())


def high_quality(mixture: Mixture, fake: Tensor) -> float:
    """The share of samples within 3 σ of a centre. Of real ones it is 1 − e^{−9/2} = 98.9 %."""
    check_finite("the samples", fake)
    distance = torch.cdist(fake, torch.tensor(mixture.centres, dtype=fake.dtype))         # (N, modes)
    return float((distance.amin(1) <= 3 * mixture.sigma).double().mean())


def mmd2(mixture: Mixture, fake: Tensor) -> float:
    """Squared maximum mean discrepancy to the mixture:  E k(x, x') − 2 E k(x, y) + E k(y, y'),  y ≠ y'.

    Gretton et al. 2012 ("A Kernel Two-Sample Test"), unbiased in y, so it may fall below 0. k is the mean of five
    kernels exp(−d² / 2h²), h in BANDWIDTHS; values are comparable only for the same kernels. Expectations over the
    mixture are exact, E_{x~N(c, σ²)} exp(−|x − y|² / 2h²) = h²/(h² + σ²) · exp(−|c − y|² / 2(h² + σ²)) in the
    plane, so only the N fakes bring noise. O(N²).
    """
    y, centres = check_finite("the samples", fake).double(), torch.tensor(mixture.centres, dtype=torch.float64)
    among_centres, to_centres = torch.cdist(centres, centres).square(), torch.cdist(y, centres).square()
    among_fakes = torch.pdist(fake.float()).square()                     # (N (N − 1) / 2,)
    total = 0.0
    for h in BANDWIDTHS:
        one, two = h**2 + mixture.sigma**2, h**2 + 2 * mixture.sigma**2
        total += float(h**2 / two * (-among_centres / (2 * two)).exp().mean()
                       - 2 * h**2 / one * (-to_centres / (2 * one)).exp().mean()
                       + (-among_fakes / (2 * h**2)).exp().mean(dtype=torch.float64))
    return total / len(BANDWIDTHS)


class Measures(NamedTuple):
    modes: int
    high_quality: float
    mmd2: float


def measures(mixture: Mixture, fake: Tensor) -> Measures:
    """All three measures of samples, N×2."""
    return Measures(modes_covered(mixture, fake), high_quality(mixture, fake), mmd2(mixture, fake))


@torch.no_grad()
def measure(mixture: Mixture, G: nn.Module, n: int = 1000, seed: int = 1) -> Measures:
    """All three measures on n samples G(z), z from the seed."""
    return measures(mixture, G(latents(G, n, seed)).cpu())


def even_circle(n: int = 1000, seed: int = 0) -> Tensor:
    """Dots spread evenly on the ring's circle, N×2, by no training at all: a ruler for those that were trained."""
    angle = 2 * torch.pi * torch.rand(n, generator=seeded(seed), dtype=torch.float32)
    return 2 ** 0.5 * torch.stack((angle.cos(), angle.sin()), 1)


def start(settings: Settings = SETTINGS, width: int = 64) -> Evolution:
    """Generation 0 on the CPU: networks of this width from `settings.seed`, the same for every variant."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        config = PlaneConfig(width=width)
        generators = [PlaneGenerator(config) for _ in range(settings.mu)]
        return Evolution(generators, PlaneDiscriminator(config), settings, "cpu")


PHASES = ("train_d", "vary", "evaluate", "select")      # of a generation, in order


# ------------------------------------------------------------------------------------------ pictures

@torch.no_grad()
def field(D: nn.Module, extent: float = 2.2, size: int = 64) -> Tensor:
    """D(x) = σ(l(x)) on a grid over [−extent, extent]², size×size; the first row is the top."""
    ticks = torch.linspace(-extent, extent, size)
    y, x = torch.meshgrid(ticks.flip(0), ticks, indexing="ij")
    points = torch.stack([x, y], -1).view(-1, 2).to(next(D.parameters()))
    return D(points).sigmoid().view(size, size).cpu()


_DOT = [(dy, dx) for dy in (-2, -1, 0, 1, 2) for dx in (-2, -1, 0, 1, 2) if dy * dy + dx * dx <= 5]
_CROSS = [(d, 0) for d in range(-3, 4)] + [(0, d) for d in range(-3, 4)]


def _stamp(canvas: np.ndarray, points: Tensor, extent: float, shape: list[tuple[int, int]], colour) -> None:
    """Paint a shape at every point; points outside the picture are left out."""
    size = len(canvas)
    p = points.detach().cpu().double().numpy()
    at = np.stack([extent - p[:, 1], p[:, 0] + extent], 1) * (size / (2 * extent))        # (N, 2): row, column
    inside = np.isfinite(at).all(1) & (np.abs(at - size / 2) < size).all(1)
    at = np.floor(at[inside]).astype(int)
    for offset in shape:
        place = at + offset
        seen = ((place >= 0) & (place < size)).all(1)
        canvas[place[seen, 0], place[seen, 1]] = colour


def picture(fake: Tensor | None = None, real: Tensor | None = None, D_field: Tensor | None = None,
            moved: tuple[Tensor, Tensor] | None = None, weights: Tensor | None = None,
            extent: float = 2.2, size: int = 288) -> np.ndarray:
    """One look at the game: uint8 size×size×3. Real are blue crosses, generated orange dots, D is grey.

    D_field: from `field`, light where D says "real". moved: (before, after), N×2 each: a brown line from each point
    to its dot, what a mutation did to the same z. weights: N numbers, how loudly the mutation spoke for each point; a
    line is one to three pixels thick, by |weight| / largest.
    """
    if D_field is None:
        canvas = np.full((size, size, 3), 255, np.uint8)
        canvas[[0, -1]] = canvas[:, [0, -1]] = 215                              # a frame: the paper around it is white
    else:
        level = F.interpolate(D_field.float()[None, None], (size, size), mode="bilinear", align_corners=True)[0, 0]
        canvas = np.repeat((95 + 155 * level.clamp(0, 1)).byte().numpy()[..., None], 3, 2)
    if real is not None:
        _stamp(canvas, real, extent, _CROSS, REAL)
    if moved is not None:
        before, after = moved
        sides = torch.full((len(before),), 2.0)
        if weights is not None:
            loud = weights.detach().abs().cpu()
            sides = (3 * loud / loud.max().clamp(min=1e-12)).ceil().clamp(min=1)
        longest = max((after - before).abs().nan_to_num(0).flatten().tolist(), default=0.0) * size / (2 * extent)
        steps = torch.linspace(0, 1, 2 + int(min(longest, 2 * size))).view(-1, 1, 1)        # one a pixel, or closer
        lines = before + steps * (after - before)                                           # steps × N × 2
        for side in range(1, 4):
            square = [(dy - side // 2, dx - side // 2) for dy in range(side) for dx in range(side)]
            _stamp(canvas, lines[:, sides == side].reshape(-1, 2), extent, square, MOVED)
        _stamp(canvas, after, extent, _DOT, GENERATED)
    if fake is not None:
        _stamp(canvas, fake, extent, _DOT, GENERATED)
    return canvas


# ------------------------------------------------------------------------------------------ controls

def variants(settings: Settings = SETTINGS) -> dict[str, Settings]:
    """E-GAN and what it must be compared with, from the same networks and draws: name -> settings.

    "random" and "worst" show what choosing is worth, "3 × heuristic" what three different losses are worth (its
    children differ by their z alone). The single losses and WGAN-GP do without children to choose from.
    """
    def alone(mutation):
        return replace(settings, mutations=(mutation,), mu=1)

    return {"E-GAN": settings, "random": replace(settings, selection="random"),
            "worst": replace(settings, selection="worst"),
            "3 × heuristic": replace(settings, mutations=(heuristic,) * 3),
            "minimax": alone(minimax), "heuristic": alone(heuristic), "least_squares": alone(least_squares),
            "WGAN-GP": replace(alone(wasserstein), d_loss=wasserstein_gp, d_steps=5, betas=(0.0, 0.9), betas_d=None)}


def luck(evolution: Evolution, times: int = 8) -> Tensor:
    """The children judged again on other draws: times × children × (F_q, F_d, F).

    `.std(0)` is the error bar of one judgement. Where it is as large as the differences between the siblings' means,
    selection picks by chance. Call it between `vary` and the next `train_d`; nothing is changed.
    """
    return torch.tensor([evolution.evaluate(again=k) for k in range(1, times + 1)])


def updates(evolution: Evolution) -> tuple[Tensor, Tensor]:
    """How far each child has moved from its parent, ‖Δθ‖, and the cosines between the moves: λ and λ×λ numbers.

    Call it between `vary` and `select`, while the parents are still the survivors.
    """
    def theta(net):
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    moves = torch.stack([theta(child.G) - theta(evolution.survivors[child.parent].G) for child in evolution.children])
    unit = F.normalize(moves, dim=1)
    return moves.norm(dim=1), unit @ unit.T


def shares(lineage: Sequence[Generation], window: int = 100) -> dict[str, float]:
    """Which mutation made the first survivor, as shares of the last `window` generations, in order of first use."""
    won = Counter(dict.fromkeys((g.winner for g in lineage), 0))
    won.update(g.winner for g in lineage[-window:])
    return {name: count / max(1, len(lineage[-window:])) for name, count in won.items()}


FAKES = ("perfect", "half the modes", "one mode", "centre", "far away", "anywhere")


def fakes(mixture: Mixture, kind: str, n: int, draw: torch.Generator) -> Tensor:
    """Samples of a generator that nobody has to train: n×2, `kind` from FAKES."""
    some = {"perfect": mixture, "half the modes": replace(mixture, centres=mixture.centres[::2]),
            "one mode": replace(mixture, centres=mixture.centres[:1]),
            "centre": Mixture(((0.0, 0.0),), 0.1), "far away": Mixture(((8.0, 8.0),), 0.1),
            "anywhere": lambda n, draw: 4 * torch.rand(n, 2, generator=draw, dtype=torch.float32) - 2}
    check_name("fakes", kind, FAKES)
    return some[kind](n, draw)


def frozen_d(mixture: Mixture, against: str, steps: int, seed: int = 0, lr: float = 1e-3) -> PlaneDiscriminator:
    """A D that has learnt for so many steps to tell the mixture from these fakes; then it is left as it is."""
    check_gradients()
    draw = seeded(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        D = PlaneDiscriminator()
    optimiser = torch.optim.Adam(D.parameters(), lr, (0.0, 0.999))
    for _ in range(steps):
        optimiser.zero_grad()
        logistic(D, mixture(64, draw), fakes(mixture, against, 64, draw), draw).backward()
        optimiser.step()
    return D


def what_d_rewards(D: nn.Module, mixture: Mixture, n: int = 1024, seed: int = 0, judge=fitness) -> dict[str, Fitness]:
    """F_q, F_d and F (γ = 1) which a frozen D gives to each kind of fakes: kind -> Fitness.

    Is the diverse generator the fittest? Ask an untrained D, one that has learnt from "anywhere", and one that
    has learnt from "one mode". judge: another `fitness`.
    """
    draw = seeded(seed)
    real = mixture(n, draw)
    return {kind: Fitness.read(judge(D, real, fakes(mixture, kind, n, draw), 1.0)) for kind in FAKES}
