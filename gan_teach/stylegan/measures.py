"""What chapter 2 measures in a style generator: path lengths, separability, mixing, and what the noise does.

Karras et al. 2018 (arXiv 1812.04948), section 4 and Tables 2 to 4; details as in the authors' code. Where the paper
has LPIPS on VGG16, forty CelebA classifiers and Inception, we have small networks of our own: figures made here
compare our generators with each other, never with published ones. Taught in notebooks/02b_stylegan_further.ipynb.

    path_length           does the picture change evenly along a path?          Eqs. 2 and 3, Tables 3 and 4
    linear_separability   does one flat cut tell an attribute apart?            section 4.2, Tables 3 and 4
    mixing_distances      do mixtures of several latents still look real?       Table 2
    noise_deviation       what is left to chance, and where in the picture?     Figure 4

For many pictures on a CPU, give `prepared.prepared(G)` in place of G.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..metrics import frechet_distance
from ..networks.layers import check_finite, seeded, whole
from ..networks.protocols import check_name, device_of, evaluating
from .generator import Generator

SPACES, ENDS = ("z", "w"), ("full", "end")


def numbers(seed: int) -> torch.Generator:
    """Random numbers of a seed, far from those of small seeds, which networks are made of.

    A mapping made under `torch.manual_seed(0)` begins with the first numbers of seed 0. Latents drawn from the same
    numbers *are* the rows of its first layer, and in a trained generator their paths came out half as long.
    """
    return seeded((whole("seed", seed, 0, 2**32 - 1) + 1_000_003) % 2**32)


# -------------------------------------------------------------------------------------- perceptual distance

def unit_features(eyes, images: Tensor) -> list[Tensor]:
    """What a network sees, scaled at each place to length 1 over the channels: a list of N×C×h×w, one for each map.

    eyes: a network with `.maps(images)`, as our classifier, or else with `.features(images)`; or any function of
    images that returns N×C, N×C×h×w or a list of these. A place where every channel is 0 stays 0.
    """
    see = getattr(eyes, "maps", None) or getattr(eyes, "features", None) or eyes
    seen = see(images)
    maps = [x if x.ndim == 4 else x[..., None, None] for x in ([seen] if isinstance(seen, Tensor) else seen)]
    return [x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-10) for x in maps]


def features_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """d = Σ_l mean_p ‖ φ̂_l(a)_p − φ̂_l(b)_p ‖²  over maps l and their places p, of what `unit_features` gave: (N,)."""
    return sum((x - y).square().sum(1).mean((1, 2)) for x, y in zip(a, b, strict=True))


def perceptual_distance(a: Tensor, b: Tensor, eyes) -> Tensor:
    """How different two pictures look to a network: two tensors N×3×H×W in [-1, 1] → (N,). eyes: `unit_features`.

    Made like LPIPS (Zhang et al. 2018), the squared distance of unit-length features, but it is not LPIPS: the
    network is our own and nothing was fitted to what people find similar. The same picture has distance 0.
    """
    return features_distance(unit_features(eyes, a), unit_features(eyes, b))


# -------------------------------------------------------------------------------------- perceptual path length

def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation, at constant speed along the great circle from a to b, both scaled to length 1.

        slerp(a, b, t) = [ sin((1 − t) Ω) · a + sin(t Ω) · b ] / sin Ω,    Ω = ∠(a, b)

    a, b: N×Z; t: a number or N×1. Returns N×Z of length 1. Where a and b are parallel it stays at a.
    """
    a, b = (v / v.norm(dim=1, keepdim=True) for v in (a, b))
    across = b - (a * b).sum(1, keepdim=True) * a                           # b's part at right angles to a
    omega = torch.atan2(across.norm(dim=1, keepdim=True), (a * b).sum(1, keepdim=True))      # (N, 1)
    across = across / across.norm(dim=1, keepdim=True).clamp(min=1e-12)
    # the same point, without dividing by sin Ω: a turned by t Ω towards b
    return (t * omega).cos() * a + (t * omega).sin() * across


@dataclass(frozen=True)
class PathLength:
    """What `path_length` found. each: d / ε² of every pair, in the order drawn."""

    each: Tensor

    @property
    def kept(self) -> Tensor:
        """Without the lowest and the highest 1 %, sorted: a few giant steps would decide the mean alone."""
        cut = len(self.each) // 100
        return self.each.sort().values[cut:len(self.each) - cut]

    @property
    def mean(self) -> float:
        return self.kept.mean().item()

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.kept.std().item() / math.sqrt(len(self.kept))

    def __str__(self) -> str:
        return f"{self.mean:.3g} ± {self.error:.2g}"


def check_precision(G: Generator) -> None:
    """ValueError for a generator that rounds more coarsely than the steps of a path are long."""
    if any(t.dtype in (torch.bfloat16, torch.float16) for t in (*G.parameters(), *G.buffers())):
        raise ValueError("this generator computes in 16 bits, which swallow a step of 1e-4; measure path lengths with "
                         "G itself or with prepared(G) in torch.float32")


def step_length(g: Callable[[Tensor], Tensor], d: Callable[[Tensor, Tensor], Tensor], w1: Tensor, w2: Tensor, t: Tensor,
                epsilon: float, between: Callable[[Tensor, Tensor, Tensor], Tensor] = torch.lerp) -> Tensor:
    """The brackets of Eq. 3 (of Eq. 2 with `slerp` as `between`): how fast the picture changes at t, N values.

        1/ε² · d( g(lerp(w₁, w₂; t)), g(lerp(w₁, w₂; t + ε)) )

    g: N×W to pictures; d: two lots of pictures to N squared distances; w1, w2: N×W; t: N×1.
    """
    return d(g(between(w1, w2, t)), g(between(w1, w2, t + epsilon))) / epsilon**2


@torch.no_grad()
def path_length(G: Generator, eyes, space: str = "w", ends: str = "full", pairs: int = 1000, seed: int = 0,
                batch: int = 16, epsilon: float = 1e-4, progress: bool = True) -> PathLength:
    """Perceptual path length: how fast the picture changes along a path between two latents.

        l_Z = E[ 1/ε² · d( G(slerp(z₁, z₂; t)), G(slerp(z₁, z₂; t + ε)) ) ]                        (Eq. 2)
        l_W = E[ 1/ε² · d( g(lerp(f(z₁), f(z₂); t)), g(lerp(f(z₁), f(z₂); t + ε)) ) ]              (Eq. 3)

    space: "z" or "w". ends: "full" for t ~ U(0, 1), "end" for t = 0 only. d: `perceptual_distance` to `eyes`. Each
    pair has noise of its own, the same at both ends of the step; the result does not depend on `batch`. As in the
    paper there is no truncation; unlike there the whole picture counts (FFHQ's were cut to the face).
    torchmetrics' PerceptualPathLength starts at t = 0 always and gives all pairs the same noise; a test compares.
    """
    check_name("space", space, SPACES)
    check_name("choice of ends", ends, ENDS)
    check_precision(G)
    device, draw = device_of(G), numbers(seed)
    z1, z2 = torch.randn(2, pairs, G.z_dim, generator=draw)                 # (pairs, Z) each
    t = torch.rand(pairs, 1, generator=draw)
    t = t if ends == "full" else torch.zeros_like(t)
    noise = torch.randint(2**31, (pairs,), generator=draw)
    found = []
    with evaluating(G, getattr(eyes, "__self__", eyes)), \
            tqdm(total=pairs, desc=f"path length, {space} {ends}", leave=False, disable=not progress) as bar:
        for part in torch.arange(pairs).split(batch):
            a, b, here = z1[part].to(device), z2[part].to(device), t[part].to(device)
            maps = G.noise(noise[part].tolist())

            def draw(w: Tensor, maps=maps) -> Tensor:
                return G.synthesis(w, maps)

            def see(x: Tensor, y: Tensor) -> Tensor:
                return perceptual_distance(x, y, eyes)

            if space == "z":
                length = step_length(lambda z: draw(G.mapping(z)), see, a, b, here, epsilon, slerp)
            else:
                length = step_length(draw, see, G.mapping(a), G.mapping(b), here, epsilon)
            found.append(length.cpu())
            bar.update(len(part))
    return PathLength(check_finite("the distances along the paths", torch.cat(found)))


# -------------------------------------------------------------------------------------- linear separability

def linear_svm(x: Tensor, y: Tensor, C: float = 1.0, steps: int = 100) -> Tensor:
    """Linear support vector machines, one for each column of y:

        argmin_v  ½ ‖v‖² + C Σ_i max(0, 1 − y_i v·(x_i, 1))²

    x: N×D; y: N×K of +1 and −1. Returns K×(D+1), the offset last. It is the objective of LIBLINEAR's default, which
    the authors used; solved exactly, by Newton's method, in float64 on the CPU, so that it is the same everywhere.
    """
    x = torch.cat([x.cpu().double(), torch.ones(len(x), 1, dtype=torch.float64)], 1)          # (N, D+1)
    y, eye = y.cpu().double(), torch.eye(x.shape[1], dtype=torch.float64)

    def objective(v: Tensor, sign: Tensor) -> float:
        return (v.square().sum() / 2 + C * (1 - sign * (x @ v)).clamp(min=0).square().sum()).item()

    found = []
    for sign in y.T:
        v = torch.zeros(x.shape[1], dtype=torch.float64)
        for _ in range(steps):
            gap = 1 - sign * (x @ v)                                        # (N,)
            on = x[gap > 0]                                                 # those that pull
            gradient = v - 2 * C * (sign * gap.clamp(min=0)) @ x
            if gradient.norm() < 1e-8 * (1 + C * len(x)):
                break
            step = torch.linalg.solve(eye + 2 * C * on.T @ on, gradient)
            size, now, slope = 1.0, objective(v, sign), 0.25 * (gradient @ step).item()
            while objective(v - size * step, sign) > now - size * slope and size > 1e-6:
                size /= 2
            v = v - size * step
        found.append(v)
    return torch.stack(found)


def conditional_entropy(x: Tensor, y: Tensor, options: int) -> float:
    """H(Y|X) in nats: how unsure y is once x is known. x, y: long N, in 0 … options − 1."""
    p = torch.bincount(x * options + y, minlength=options**2).view(options, options).double() / len(x)
    # H(Y|X) = − Σ_{x,y} p(x, y) log p(y | x)
    return -(torch.xlogy(p, p) - torch.xlogy(p, p.sum(1, keepdim=True))).sum().item() + 0.0


@dataclass(frozen=True)
class Separability:
    """What `linear_separability` found in one space, in nats: H(Y|X) and, for comparison, H(Y) of each attribute."""

    entropy: dict[str, float]       # what the flat cut leaves open
    before: dict[str, float]        # what is open without looking at the latent

    @property
    def score(self) -> float:
        """exp(Σ H(Y|X)): 1 when every attribute is told apart without a mistake."""
        return math.exp(sum(self.entropy.values()))

    def __str__(self) -> str:
        return f"{self.score:.4g} (of {math.exp(sum(self.before.values())):.4g} without looking)"


def separability(points: Tensor, logits: dict[str, Tensor]) -> Separability:
    """How well flat cuts through a latent space tell attributes apart: exp(Σ_i H(Y_i | X_i)).

    points: N×D; logits: a classifier's, N×k for each attribute. Y is its answer for the more confident half of the
    pictures, X what a linear support vector machine says of the latent, judged on the points that it learnt from,
    as in the paper. There every attribute has two options; where it has more, each option has its own machine
    and the largest value wins. Give N many times D: few points can be cut apart even where nothing is to be learnt.
    """
    entropy, before = {}, {}
    check_finite("the latents", points)
    for name, scores in logits.items():
        sure = check_finite(f"the classifier's answers for {name!r}", scores).softmax(1).amax(1)
        half = sure.argsort(descending=True, stable=True)[:(len(sure) + 1) // 2].cpu()
        y, x, k = scores.argmax(1).cpu()[half], points.cpu()[half].double(), scores.shape[1]
        columns = torch.arange(1 if k == 2 else 0, k)                       # two options need one cut
        v = linear_svm(x, torch.where(y[:, None] == columns, 1.0, -1.0))    # (K, D+1)
        side = x @ v[:, :-1].T + v[:, -1]                                   # (n, K)
        answer = (side[:, 0] > 0).long() if k == 2 else side.argmax(1)
        entropy[name] = conditional_entropy(answer, y, k)
        before[name] = conditional_entropy(torch.zeros_like(y), y, k)
    return Separability(entropy, before)


@torch.no_grad()
def linear_separability(G: Generator, classifier: Callable[[Tensor], dict[str, Tensor]],
                        attributes: Sequence[str] | None = None, n: int = 5000, seed: int = 0, batch: int = 32,
                        progress: bool = True) -> dict[str, Separability]:
    """Linear separability of the attributes in "z" and in "w", on the same n pictures (the paper: 200,000).

    classifier: images → {attribute: logits N×k}; attributes: some of its names, None for all of them. Every picture
    has fresh noise. See `separability`, and keep n far above twice the size of a latent.
    """
    device, draw = device_of(G), numbers(seed)
    z, noise = torch.randn(n, G.z_dim, generator=draw), torch.randint(2**31, (n,), generator=draw)
    w, found = [], []
    with evaluating(G, classifier), tqdm(total=n, desc="pictures to label", leave=False, disable=not progress) as bar:
        for part in torch.arange(n).split(batch):
            w.append(G.mapping(z[part].to(device)))
            images = G.synthesis(w[-1], G.noise(noise[part].tolist())).clamp(-1, 1)
            found.append({name: scores.float().cpu() for name, scores in classifier(images).items()})
            bar.update(len(part))
    names = list(found[0]) if attributes is None else list(attributes)
    for name in names:
        check_name("attribute", name, list(found[0]))
    logits = {name: torch.cat([scores[name] for scores in found]) for name in names}
    return {"z": separability(z, logits), "w": separability(torch.cat(w).cpu(), logits)}


# -------------------------------------------------------------------------------------- mixing and noise

def mixed(G: Generator, n: int, latents: int, draw: torch.Generator) -> Tensor:
    """ws of n pictures, N×L×W, each with the styles of `latents` latents that change at random crossovers.

    Every picture has its own `latents` − 1 crossovers among layers 1 … L − 1. ValueError for more latents than layers.
    """
    L = len(G.layers)
    if not 1 <= latents <= L:
        raise ValueError(f"this generator has {L} layers, so from 1 to {L} latents can be mixed, not {latents}")
    w = G.mapping(torch.randn(n * latents, G.z_dim, generator=draw).to(device_of(G))).view(n, latents, -1)
    crossovers = torch.rand(n, L - 1, generator=draw).argsort(1)[:, :latents - 1] + 1
    source = (crossovers[:, :, None] <= torch.arange(L)).sum(1)             # (n, L): which latent a layer reads
    return w.gather(1, source.to(w.device)[..., None].expand(-1, -1, w.shape[2]))


@torch.no_grad()
def mixing_distances(G: Generator, real: Tensor, judge, latents: Iterable[int] = (1, 2, 3, 4), seed: int = 0,
                     batch: int = 32, progress: bool = True) -> dict[int, float]:
    """A row of Table 2: the Fréchet distance to real pictures when 1, 2, 3, 4 latents are mixed in each picture.

    real: pictures N×3×R×R in [-1, 1]; as many are generated each time. judge: as for `metrics.frechet_distance`. A
    generator that was trained with mixing regularisation should lose less from left to right.
    """
    distances, counts = {}, list(latents)
    with evaluating(G), tqdm(total=len(counts) * len(real), desc="mixtures", leave=False, disable=not progress) as bar:
        for count in counts:
            draw, fake = numbers(seed), []
            ws = mixed(G, len(real), count, draw)
            noise = torch.randint(2**31, (len(real),), generator=draw)
            for part in torch.arange(len(real)).split(batch):
                fake.append(G.synthesis(ws[part.to(ws.device)], G.noise(noise[part].tolist())).clamp(-1, 1).to(real))
                bar.update(len(part))
            distances[count] = frechet_distance(real, torch.cat(fake), judge)
    return distances


@torch.no_grad()
def noise_deviation(G: Generator, ws: Tensor, draws: int = 100, layers: Iterable[int] | None = None, seed: int = 0,
                    batch: int = 20, progress: bool = True) -> Tensor:
    """Where the noise decides: the standard deviation of each pixel's grey over `draws` draws of the noise, N×H×W.

    ws: N×L×W or N×W. Grey is the mean of the three colours, 0 black to 1 white; the figure of the paper shows
    four times the deviation. layers: these alone get noise, the others none; None is all of them, () gives 0.
    """
    seeds = torch.randint(2**31, (draws,), generator=numbers(seed))
    layers, found = None if layers is None else tuple(layers), []
    with evaluating(G), tqdm(total=draws * len(ws), desc="draws of the noise", leave=False,
                             disable=not progress) as bar:
        for w in ws:
            greys = []
            for part in seeds.split(batch):
                images = G.synthesis(w.expand(len(part), *w.shape), G.noise(part.tolist(), layers)).clamp(-1, 1)
                greys.append((images.mean(1) + 1) / 2)                      # (draws of the part, H, W)
                bar.update(len(part))
            found.append(torch.cat(greys).std(0, unbiased=False))
    return check_finite("the deviations", torch.stack(found))
