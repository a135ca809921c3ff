"""Which units to switch off, or on: by the effect of each alone, or by the joint search for α.

Bau et al., arXiv 1811.10597, section 3.2, Eq. 6. α_u between 0 and 1 says how far unit u belongs to the set. Both
functions return a `Ranking`. Taught in notebooks/01_gan_dissection.ipynb.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..limits import finite, whole
from ..networks.layers import check_gradients, seeded
from ..networks.protocols import Generator, Segmenter, check_name, classes_of, cut, device_of, evaluating, latents
from ..networks.segmenter import segment
from .intervention import ablate, changes, insert, levels, per_unit
from .pixels import class_pixels, coverage, pictures, unit_count
from .units import Ranking, Units, check_units


@torch.no_grad()
def rank_by_effect(G: Generator, layer: str, segmenter: Segmenter, cls: str, samples: int = 32, seed: int = 2,
                   candidates: Units | None = None, collateral_weight: float = 0.0, progress: bool = True) -> Ranking:
    """Ablate every candidate unit alone and rank by what goes missing: an effect, not an agreement.

        score_u = (class pixels removed − collateral_weight · other pixels changed) / class pixels before

    candidates: None for all. Costs one f and one segmentation per unit and picture. Blind to units that
    matter only together; `optimise_alpha` is not. Equal scores: less change elsewhere first.
    """
    finite("collateral_weight", collateral_weight)
    c, U, before = check_name("class", cls, classes_of(segmenter)), unit_count(G, layer), 0
    candidates = range(U) if candidates is None else check_units(candidates, U)
    removed, changed = torch.full((U,), -math.inf), torch.zeros(U)
    removed[list(candidates)] = 0
    with evaluating(G, segmenter):
        for r, f in pictures(G, layer, samples, seed):
            labels = segment(segmenter, f(r))                               # (N, H, W)
            before += int((labels == c).sum())
            for u in tqdm(candidates, desc=say("units of {cls}", cls=say(cls)), leave=False, disable=not progress):
                gone, other = changes(labels, segment(segmenter, f(ablate(r, [u]))), c)
                removed[u], changed[u] = removed[u] + gone, changed[u] + other
    if not before:
        raise ValueError(f"none of {samples} pictures shows {cls!r}; raise samples or change the seed")
    return Ranking(cls, (removed - collateral_weight * changed) / before, -changed)


def climb(effect: Tensor, alpha: Tensor, adam: torch.optim.Adam, l2: float) -> Tensor:
    """α ← clip(Adam(α, ∂(−effect + λ ‖α‖²)/∂α)) to [0, 1], λ = l2: a step, outside of gradients. Returns ∂effect/∂α."""
    if not effect.requires_grad:
        raise ValueError("no gradient reaches α: the search needs a differentiable generator and segmenter; "
                         "rank_by_effect does not")
    gradient, = torch.autograd.grad(effect, alpha)                          # (U,)
    alpha.grad = -gradient + 2 * l2 * alpha
    adam.step()
    alpha.clamp_(0, 1)
    return gradient.cpu()


def optimise_alpha(G: Generator, layer: str, segmenter: Segmenter, cls: str, steps: int = 40, batch: int = 8,
                   samples: int = 200, seed: int = 2, lr: float = 0.05, l2: float = 0.02,
                   insertion_weight: float = 1.0, collateral_weight: float = 0.0,
                   init: float | Tensor = 0.5, level: Tensor | None = None, progress: bool = True) -> Ranking:
    """Search the units that together make class c, as weights α ∈ [0, 1]^U:

        x'_a = f((1 − α) ⊙ r),   x'_i = f(α ⊙ k + (1 − α) ⊙ r  at Q)
        α* = argmin_α  − δ_α + λ ‖α‖²,   δ_α = E[ s_c(x'_i) ] − E[ s_c(x'_a) ],   λ = l2           (Eq. 6)

    by stochastic gradient steps on new z each time (Adam, as the authors' code; the paper writes SGD), after
    each of which α is clipped to [0, 1]. ‖α‖² keeps the set small.
    s_c: the segmenter's softmax score (it must be differentiable), averaged where it can change: for x'_a
    over the pixels that show c, with α ablated everywhere; for x'_i over the pixels under Q, a random tenth
    of the places without c, where k (`levels`) was inserted. (The official code reads the second at the
    places of the first, which the insertion never touched.)

    OUR ADDITION, off at 0:  + collateral_weight · Σ_{p not c} max(0, s_b(x)_p − s_b(x'_a)_p) / #{p : c},  b
    the label of p in x. It counts spoilt pixels of other classes per class pixel, as `collateral` does.

    init: the first α, a number or (U,) values (the official start: IoU over its maximum). Learns from those
    of `samples` pictures that show c. Returns a `Ranking`: `score` is α, `tie` the gradient's mean pull.
    """
    check_gradients()
    for name, value in (("lr", lr), ("l2", l2), ("insertion_weight", insertion_weight),
                        ("collateral_weight", collateral_weight)):
        finite(name, value)
    steps, batch = whole("steps", steps, 1), whole("batch", batch, 1)
    c, device, U = check_name("class", cls, classes_of(segmenter)), device_of(G), unit_count(G, layer)
    k = levels(G, layer, range(U), segmenter, cls, samples, seed) if level is None else level
    rng, pull, history = seeded(seed), torch.zeros(U), []
    alpha = per_unit("init", init, torch.empty(0, device=device), list(range(U))).flatten().expand(U).clone()
    alpha.requires_grad_()
    adam = torch.optim.Adam([alpha], lr)
    bar = tqdm(range(steps), say("α of {cls}", cls=say(cls)), leave=False, disable=not progress)
    with evaluating(G, segmenter), torch.no_grad():
        shows = [class_pixels(f(r), segmenter)[:, c] > 0 for r, f in pictures(G, layer, samples, seed)]
        z = latents(G, samples, seed)[torch.cat(shows)]
        if not len(z):
            raise ValueError(f"none of {samples} pictures shows {cls!r}; raise samples or change the seed")
        for _ in bar:
            r, f = cut(G, z[torch.randperm(len(z), generator=rng)[:batch]], layer)  # (N, U, h, w)
            s = segmenter(f(r)).softmax(1, torch.float32)                   # (N, C, H, W)
            b = s.argmax(1, keepdim=True)                                   # (N, 1, H, W) labels before
            here, absent = b == c, coverage(b[:, 0], c, r.shape[-2:]) == 0  # (N, 1, H, W), (N, 1, h, w)
            Q = absent & (torch.rand(absent.shape, generator=rng, dtype=torch.float32).to(device) < 0.1)
            under_Q = F.interpolate(Q.float(), size=b.shape[-2:])           # (N, 1, H, W)
            with torch.enable_grad():
                s_a = segmenter(f(ablate(r, range(U), strength=alpha))).softmax(1, torch.float32)       # s(x'_a)
                s_i = segmenter(f(insert(r, range(U), Q, k, strength=alpha))).softmax(1, torch.float32)  # s(x'_i)
                left = (s_a[:, [c]] * here).sum() / here.sum().clamp(min=1)
                drawn = (s_i[:, [c]] * under_Q).sum() / under_Q.sum().clamp(min=1)
                spoilt = ((s - s_a).gather(1, b).clamp(min=0) * ~here).sum() / here.sum().clamp(min=1)
                # δ_α = E[ s_c(x'_i) ] − E[ s_c(x'_a) ], and our price for what else changes       (Eq. 6)
                effect = insertion_weight * drawn - left - collateral_weight * spoilt
            loss = l2 * alpha.square().sum() - effect
            pull += climb(effect, alpha, adam, l2) / steps
            history.append({"left": left.item(), "drawn": drawn.item(), "spoilt": spoilt.item(),
                            "units": alpha.sum().item(), "loss": loss.item()})
            bar.set_postfix({name: f"{history[-1][name]:.2f}" for name in ("left", "drawn", "units")})
    return Ranking(cls, alpha.detach().cpu(), pull, history, "α")
