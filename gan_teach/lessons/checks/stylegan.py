"""Chapter 2's exercises: AdaIN, mixing, truncation, the mapping network, path length. See `exercises`."""

from collections.abc import Callable

import torch
import torch.nn as nn

from ...language import say
from ..exercises import Wrong, ask, gap, in_words, shaped, verdict


@verdict("gan_teach.stylegan:adain",
         "x has the shape (N, C, H, W). μ and σ are taken over the last two axes: one of each for a picture and unit.",
         "`x.mean((2, 3), keepdim=True)` is (N, C, 1, 1) and fits x again. σ = sqrt(mean of (x − μ)² + eps).",
         "Give y_s and y_b two more axes, `y_s[..., None, None]`; then y_s · (x − μ) / σ + y_b.")
def check_adain(answer: Callable) -> str:
    """Check `adain(x, (y_s, y_b))`: each map of each picture gets mean y_b and spread y_s; x is left alone (Eq. 1)."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 5, 6, generator=rng) * torch.tensor([0.2, 1.0, 3.0, 9.0])[:, None, None]
    x += 4 * torch.randn(3, 4, 1, 1, generator=rng)                         # each map has its own mean
    y_s, y_b = torch.rand(3, 4, generator=rng) + 0.5, torch.randn(3, 4, generator=rng)
    y_s[0, 1] = -1.5                                                        # a style may turn a map over
    out = shaped(ask(answer, x, (y_s, y_b), kept={"x": x, "y_s": y_s, "y_b": y_b}), x.shape, say("the result, like x,"))

    def styled(dims: tuple[int, ...], scale=y_s, shift=y_b, bessel: bool = False) -> torch.Tensor:
        centred = x - x.mean(dims, keepdim=True)
        sigma = x.var(dims, keepdim=True, unbiased=bessel).sqrt()
        return scale[..., None, None] * centred / sigma + shift[..., None, None]

    right = styled((2, 3))
    if not gap(out, right) < 1e-3:
        slips = {
            "That normalises over the pictures too (batch norm); each picture is on its own": styled((0, 2, 3)),
            "That normalises over the units too (layer norm); each unit is on its own": styled((1, 2, 3)),
            "y_s and y_b are exchanged": styled((2, 3), y_b, y_s),
            "It is divided by the variance; σ is its square root":
                styled((2, 3), y_s / x.var((2, 3), unbiased=False).sqrt()),
            "x is not normalised first: − μ, then / σ": y_s[..., None, None] * x + y_b[..., None, None],
            "That is x normalised; the style is missing": styled((2, 3), torch.ones_like(y_s), torch.zeros_like(y_b)),
            "y_b is missing": styled((2, 3), shift=torch.zeros_like(y_b)),
            "y_s is missing": styled((2, 3), torch.ones_like(y_s)),
            "y_s lost its sign: a negative one turns the map over": styled((2, 3), y_s.abs()),
            "The variance has n − 1 below the line (`x.std` does that); take the mean of the squares":
                styled((2, 3), bessel=True),
        }
        slip = in_words(slips, lambda value: gap(out, value) < 1e-3)
        off_mean = gap(out.mean((2, 3)), y_b)
        off_spread = gap(out.std((2, 3), unbiased=False), y_s.abs())
        part = (say("mean: map by map it must be y_b; yours is off by up to {off_mean:.3f}",
                    off_mean=off_mean) if not off_mean < 1e-3 else
                say("spread: map by map it must be |y_s|; yours is off by up to {off_spread:.3f}",
                    off_spread=off_spread) if not off_spread < 1e-3
                else say("value: mean and spread are right, and still a value is off by {off:.3f}",
                         off=gap(out, right)))
        raise Wrong(say("{part}.{slip}", part=part, slip=slip))
    flat = ask(answer, torch.full((1, 4, 5, 6), 2.0), (y_s[:1], y_b[:1]))
    if not gap(flat, y_b[:1, :, None, None].expand_as(flat)) < 1e-3:
        raise Wrong("value: a map that is 2 everywhere has σ = 0, and the result should be y_b everywhere; yours is "
                    "{value:.3f}. Add a tiny eps below the root.", value=float(flat.flatten()[0]))
    if not gap(ask(answer, 3 * x + 1, (y_s, y_b)), out) < 1e-3:
        raise Wrong("value: the maps 3x + 1 must give the same result as x: what x was before is forgotten.")
    return say("adain: each map has mean y_b and spread y_s, whatever it was before; a flat map gives y_b; x is left "
               "alone.")


@verdict("gan_teach.stylegan:mix",
         "ws has the shape (N, L, W): a w for each layer. The layers are the second axis.",
         "Work on a copy, `ws1.clone()`: ws1 must stay as it is.",
         "`copy[:, layers] = ws2[:, layers]`, with layers as a list. Return the copy.")
def check_mix(answer: Callable) -> str:
    """Check `mix(ws1, ws2, layers)`: the named layers from ws2, all others from ws1, both left alone."""
    rng = torch.Generator().manual_seed(0)
    ws1, ws2, layers = torch.randn(2, 6, 5, generator=rng), torch.randn(2, 6, 5, generator=rng), [4, 1]
    out = shaped(ask(answer, ws1, ws2, layers, kept={"ws1": ws1, "ws2": ws2}), ws1.shape, say("the result, like ws1,"))
    from_2 = [i for i in range(6) if torch.equal(out[:, i], ws2[:, i])]
    from_1 = [i for i in range(6) if torch.equal(out[:, i], ws1[:, i])]
    if from_2 != sorted(layers) or len(from_1) != 4:
        slip = (say(" The two are exchanged.") if from_1 == sorted(layers) and len(from_2) == 4 else
                say(" That is all layers from a crossover on; only the named ones were asked for.") if
                from_2 == list(range(1, 6)) else
                say(" Here the axis of the pictures or of the numbers in w was indexed; layers are the second.") if
                len(from_1) + len(from_2) < 6 and ((out == ws1) | (out == ws2)).all() else "")
        raise Wrong("layers: with layers {layers}, 1 and 4 must come from ws2 and 0, 2, 3, 5 from ws1; yours takes "
                    "{from_2} from ws2 and {from_1} from ws1.{slip}", layers=layers, from_2=from_2, from_1=from_1,
                    slip=slip)
    if not torch.equal(ask(answer, ws1, ws2, []), ws1):
        raise Wrong("layers: with no layers at all, the result must equal ws1.")
    if not torch.equal(ask(answer, ws1, ws2, range(6)), ws2):
        raise Wrong("layers: with all six layers, `range(6)`, the result must equal ws2.")
    return say("mix: the named layers come from the second, the rest from the first; none gives the first, all the "
               "second.")


@verdict("gan_teach.stylegan:truncate",
         "A straight line starts at w̄ and goes through w. ψ says how far along it the new point lies.",
         "The way from w̄ to w is w − w̄. Go ψ of it, starting at w̄.",
         "One line, and it fits each shape: w̄ + ψ (w − w̄).")
def check_truncate(answer: Callable) -> str:
    """Check `truncate(w, psi, w_avg)`: ψ of the way from w̄ to w, for w N×W and N×L×W."""
    rng = torch.Generator().manual_seed(0)
    w, w_avg = torch.randn(4, 5, generator=rng), torch.randn(5, generator=rng)
    for psi in (1.0, 0.0, 0.7, -1.0, 1.5):
        out = shaped(ask(answer, w, psi, w_avg, kept={"w": w, "w_avg": w_avg}), w.shape, say("the result, like w,"))
        right = w_avg + psi * (w - w_avg)
        if not gap(out, right) < 1e-5:
            slips = {
                "That is ψ·w, which moves towards 0; the average picture is at w̄": psi * w,
                "ψ and 1 − ψ are exchanged": w + psi * (w_avg - w),
                "The way back to w̄ is missing: add w̄": psi * (w - w_avg),
                "ψ lost its sign: a negative one goes on beyond w̄": w_avg + abs(psi) * (w - w_avg),
                "The difference is the wrong way round": w_avg + psi * (w_avg - w),
                "A negative ψ must go on beyond w̄, to the opposite": w_avg + max(psi, 0.0) * (w - w_avg),
                "ψ above 1 must go on beyond w": w_avg + min(psi, 1.0) * (w - w_avg),
            }
            slip = in_words(slips, lambda value, out=out: gap(out, value) < 1e-5)
            rule = {1.0: say("ψ = 1 must change nothing"), 0.0: say("ψ = 0 must give w̄")}.get(
                psi, say("ψ = {psi:g} must lie {psi:g} of the way from w̄ to w", psi=psi))
            raise Wrong("value: {rule}; yours is off by up to {off:.3f}.{slip}", rule=rule, off=gap(out, right),
                        slip=slip)
    ws = w[:, None].expand(-1, 3, -1)
    out = shaped(ask(answer, ws, 0.7, w_avg), ws.shape, say("for a w in each layer (N×L×W) the result"))
    if not gap(out, w_avg + 0.7 * (ws - w_avg)) < 1e-5:
        raise Wrong("value: right for w of N×W, but not for N×L×W, a w for each layer.")
    return say("truncate: ψ = 1 changes nothing, ψ = 0 gives w̄, −1 its opposite, and all between lie on one line.")


@verdict("gan_teach.stylegan.generator:Mapping.forward",
         "First give each z a mean square of 1: divide it by the root of the mean of its squares (dim=1, "
         "keepdim=True).",
         "Then for each layer in turn: w = LeakyReLU(layer(w)).",
         "`torch.nn.functional.leaky_relu(…, 0.2)`: negative values times 0.2. It follows the last layer too.")
def check_mapping(answer: Callable) -> str:
    """Check `mapping(z, layers)`: z to mean square 1, then layer and LeakyReLU 0.2 in turn."""
    rng = torch.Generator().manual_seed(0)
    layers = [nn.Linear(6, 6) for _ in range(3)]
    for layer in layers:
        layer.weight.data.normal_(0, 0.6, generator=rng)
        layer.bias.data.normal_(0, 0.3, generator=rng)
    z = torch.randn(5, 6, generator=rng) * torch.tensor([0.1, 0.5, 1.0, 3.0, 20.0])[:, None]

    def f(z, slope=0.2, normal=lambda z: z / z.square().mean(1, keepdim=True).sqrt(), last=True):
        w = normal(z)
        for layer in layers:
            w = layer(w)
            if last or layer is not layers[-1]:
                w = nn.functional.leaky_relu(w, slope)
        return w

    with torch.no_grad():
        out = shaped(ask(answer, z, layers, kept={"z": z}), (5, 6), say("w, one for each z,"))
        if not gap(out, f(z)) < 1e-3:
            slips = {
                "z is not normalised": f(z, normal=lambda z: z),
                "z was given length 1; its *mean* square should be 1, which is a length of √6 here":
                    f(z, normal=lambda z: z / z.norm(dim=1, keepdim=True)),
                "z was divided by its mean square; take the root": f(z, normal=lambda z: z / z.square().mean(1, True)),
                "z was normalised over the batch; each z is on its own":
                    f(z, normal=lambda z: z / z.square().mean(0, True).sqrt()),
                "z was normalised with all others at once; each z is on its own":
                    f(z, normal=lambda z: z / z.square().mean().sqrt()),
                "z lost its mean: only its size is normalised":
                    f(z, normal=lambda z: (z - z.mean(1, True)) / z.std(1, keepdim=True, unbiased=False)),
                "The LeakyReLU after the last layer is missing": f(z, last=False),
                "That is a ReLU: negative values should be multiplied by 0.2": f(z, 0.0),
                "The slope is 0.01, PyTorch's default; the paper's is 0.2": f(z, 0.01),
                "There is no LeakyReLU between the layers": f(z, 1.0),
                "Only the first layer is used": nn.functional.leaky_relu(
                    layers[0](z / z.square().mean(1, keepdim=True).sqrt()), 0.2),
            }
            slip = in_words(slips, lambda value: gap(out, value) < 1e-3)
            raise Wrong("value: w is off by up to {off:.3f}.{slip}", off=gap(out, f(z)), slip=slip)
        if not gap(ask(answer, 7 * z, layers), out) < 1e-3:
            raise Wrong("size: 7z must give the same w as z: only the direction of z counts.")
    return say("mapping: the size of z does not count, and w is right after all layers.")


@verdict("gan_teach.stylegan.path_length:step_length",
         "Two points of the straight line from w1 to w2: at t, and a tiny step further, at t + epsilon.",
         "`torch.lerp(w1, w2, t)` is the point at t. Draw both points with g and compare the pictures with d.",
         "d(g(at t), g(at t + epsilon)) / epsilon**2. d is a squared distance, so the step is squared too.")
def check_path_length(answer: Callable) -> str:
    """Check `path_length(g, d, w1, w2, t, epsilon)`: d(g(lerp(w1, w2; t)), g(lerp(w1, w2; t + ε))) / ε²  (Eq. 3)."""
    rng = torch.Generator().manual_seed(0)
    w1, w2, A = (torch.randn(n, m, generator=rng).double() for n, m in ((4, 3), (4, 3), (3, 7)))
    t = torch.tensor([[0.0], [0.25], [0.5], [1.0]]).double()

    def d(a, b):
        return (a - b).square().sum(1)

    for word, g, epsilon in ((say("a g that is linear"), lambda w: w @ A, 1e-4),
                             (say("a g that squares"), lambda w: w.square() @ A, 1e-3)):
        def step(start, size=epsilon, g=g):
            return d(g(torch.lerp(w1, w2, start)), g(torch.lerp(w1, w2, start + size)))      # (N,)

        right = step(t) / epsilon**2
        out = shaped(ask(answer, g, d, w1, w2, t, epsilon, kept={"w1": w1, "w2": w2}), (4,),
                     say("the result, one length for each pair,"))
        off = (out / right - 1).abs().nan_to_num(torch.inf)
        if not off.max() < 1e-3:
            slips = {
                "It is divided by ε, not by ε²": right * epsilon, "It is not divided by ε²": right * epsilon**2,
                "d is a squared distance already; yours squares it again": right**2 * epsilon**2,
                "That is the root of it: d stays squared, and so does ε": right.sqrt(),
                "That steps from the end w1; it should step from t": step(torch.zeros_like(t)) / epsilon**2,
                "t runs from w2 to w1 in yours": step(1 - t, -epsilon) / epsilon**2,
                "The step is 2ε long": step(t, 2 * epsilon) / epsilon**2,
                "That compares the ends, or blends their pictures; go between w1 and w2 before g": d(g(w1), g(w2)),
                "That compares the ends, w1 and w2, and not two points ε apart": d(g(w1), g(w2)) / epsilon**2,
            }
            slip = in_words(slips, lambda value, out=out:
                            not (out / value - 1).abs().nan_to_num(torch.inf).max() >= 1e-3)
            worst = int(off.argmax())
            raise Wrong("value: for {word}, at t = {t:g}, the length is {right:.4g}; yours is {value:.4g}.{slip}",
                        word=word, t=float(t[worst]), right=float(right[worst]), value=float(out[worst]), slip=slip)
    return say("path length: what d sees of a step ε, over ε², at t on the straight line, one number for each pair.")
