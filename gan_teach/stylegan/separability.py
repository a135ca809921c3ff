"""Linear separability: does one flat cut through a latent space tell an attribute apart?

Karras et al. 2018 (arXiv 1812.04948), section 4.2, Tables 3 and 4; details as in the authors' code. Where the paper has
forty CelebA classifiers we have a small one of our own: figures made here compare our generators with each other, never
with published ones. Taught in notebooks/02b_stylegan_further.ipynb.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import finite, whole
from ..networks.layers import check_finite
from ..networks.protocols import check_name, device_of, evaluating
from .generator import Generator, check_styles
from .mixing_and_noise import numbers


def linear_svm(x: Tensor, y: Tensor, C: float = 1.0, steps: int = 100) -> Tensor:
    """Linear support vector machines, one for each column of y:

        argmin_v  ½ ‖v‖² + C Σ_i max(0, 1 − y_i v·(x_i, 1))²

    x: N×D; y: N×K of +1 and −1. Returns K×(D+1), the offset last. It is the objective of LIBLINEAR's default, which
    the authors used; solved exactly, by Newton's method, in float64 on the CPU, so that it is the same everywhere.
    ValueError for NaN or infinity.
    """
    check_finite("the points", x)
    check_finite("their sides", y)
    C, steps = finite("C", C, 0), whole("steps", steps, 1)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError(f"points N×D have sides N×K; got {tuple(x.shape)} and {tuple(y.shape)}")
    if y.dtype == torch.bool or not (y.abs() == 1).all():
        raise ValueError("the sides are +1 and −1 (of true and false: y.float() * 2 - 1)")
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
    options = whole("options", options, 1)
    for given in (x, y):
        if given.shape != x.shape or x.ndim != 1 or not len(x) or given.is_floating_point() or \
                not 0 <= given.min() <= given.max() < options:
            raise ValueError(f"x and y are N numbers of options each, whole ones from 0 to {options - 1}")
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
        return say("{score:.4g} (of {before:.4g} without looking)", score=self.score,
                   before=math.exp(sum(self.before.values())))


def separability(points: Tensor, logits: dict[str, Tensor], folds: int = 1) -> Separability:
    """How well flat cuts through a latent space tell attributes apart: exp(Σ_i H(Y_i | X_i)).

    points: N×D; logits: a classifier's, N×k for each attribute. Y is its answer for the more confident half of the
    pictures, X what a linear support vector machine says of the latent, judged on the points that it learnt from, as in
    the paper. There every attribute has two options; where it has more, each option has its own machine and the largest
    value wins. Give N many times D: few points can be cut apart even where nothing is to be learnt. With folds of 2 or
    more each point is judged by machines that learnt from the other folds only. ValueError for fewer than 1.
    """
    entropy, before, folds = {}, {}, whole("folds", folds, 1)
    check_finite("the latents", points)
    if not isinstance(logits, Mapping):
        raise ValueError(f"logits are a dict from attributes to N×k; got a {type(logits).__name__}")
    if points.ndim != 2 or any(scores.shape[:1] != points.shape[:1] or scores.ndim != 2 for scores in logits.values()):
        raise ValueError(f"each attribute has logits N×k, one row for each of the points N×D; got points "
                         f"{tuple(points.shape)} and logits {[tuple(scores.shape) for scores in logits.values()]}")
    for name, scores in logits.items():
        sure = check_finite(f"the classifier's answers for {name!r}", scores).softmax(1).amax(1)
        half = sure.argsort(descending=True, stable=True)[:(len(sure) + 1) // 2].cpu()
        y, x, k = scores.argmax(1).cpu()[half], points.cpu()[half].double(), scores.shape[1]
        columns = torch.arange(1 if k == 2 else 0, k)                       # two options need one cut
        signs = torch.where(y[:, None] == columns, 1.0, -1.0)               # (n, K)
        side, fold = torch.empty_like(signs, dtype=torch.float64), torch.arange(len(x)) % folds
        for part in range(folds):
            judged = fold == part
            learnt = ~judged if folds > 1 else judged
            v = linear_svm(x[learnt], signs[learnt])                        # (K, D+1)
            side[judged] = x[judged] @ v[:, :-1].T + v[:, -1]
        answer = (side[:, 0] > 0).long() if k == 2 else side.argmax(1)
        entropy[name] = conditional_entropy(answer, y, k)
        before[name] = conditional_entropy(torch.zeros_like(y), y, k)
    return Separability(entropy, before)


@torch.no_grad()
def linear_separability(G: Generator, classifier: Callable[[Tensor], dict[str, Tensor]],
                        attributes: Sequence[str] | None = None, n: int = 5000, seed: int = 0, batch: int = 32,
                        progress: bool = True, folds: int = 1) -> dict[str, Separability]:
    """Linear separability of the attributes in "z" and in "w", on the same n pictures (the paper: 200,000).

    classifier: images → {attribute: logits N×k}; attributes: some of its names, None for all of them. Every picture
    has fresh noise. With folds of 2 or more also "z, fresh" and "w, fresh": cuts judged on points that they have not
    seen. See `separability`, and keep n far above twice the size of a latent.
    """
    check_styles(G)
    batch = whole("batch", batch, 1)
    n, device, draw = whole("n", n, 1), device_of(G), numbers(seed)
    z, noise = torch.randn(n, G.z_dim, generator=draw, dtype=torch.float32), torch.randint(2**31, (n,), generator=draw)
    w, found = [], []
    bar = tqdm(total=n, desc=say("pictures to label"), leave=False, disable=not progress)
    with evaluating(G, classifier), bar:
        for part in torch.arange(n).split(batch):
            w.append(G.mapping(z[part].to(device)))
            images = G.synthesis(w[-1], G.noise(noise[part].tolist())).clamp(-1, 1)
            answers = classifier(images)
            if not isinstance(answers, dict):
                raise ValueError("a classifier answers with a dict from attributes to logits N×k; got a "
                                 f"{type(answers).__name__}")
            found.append({name: scores.float().cpu() for name, scores in answers.items()})
            bar.update(len(part))
    names = list(found[0]) if attributes is None else list(attributes)
    for name in names:
        check_name("attribute", name, list(found[0]))
    logits = {name: torch.cat([scores[name] for scores in found]) for name in names}
    spaces = {"z": z, "w": torch.cat(w).cpu()}
    seen = {space: separability(points, logits) for space, points in spaces.items()}
    if folds == 1:
        return seen
    return seen | {f"{space}, fresh": separability(points, logits, folds) for space, points in spaces.items()}
