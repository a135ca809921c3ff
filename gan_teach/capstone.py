"""Two papers on one generator: a style is an intervention on units, and some layers' styles decide what is drawn.

AdaIN (Karras et al. 2018, Eq. 1) ends each layer of a style generator with

    r_u = y_{s,u} · (normalised map of unit u) + y_{b,u}

and r_u is what GAN Dissection (Bau et al. 2018) forces to a level k. So a style can do the same, everywhere in the
picture: `forced`; or single units take their style from another picture: `borrowed`. And where chapter 1 asks which
units *draw* a class, styles taken over one layer at a time tell which layers *decide* about it: `style_effects`.
Taught in notebooks/04_capstone.ipynb.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm.auto import tqdm

from .dissection.intervention import per_unit
from .dissection.pixels import class_pixels, jackknife
from .dissection.units import check_units
from .language import pad, say
from .limits import whole
from .networks.protocols import Segmenter, check_name, classes_of, evaluating
from .stylegan.adain_mixing_truncation import Style, mix
from .stylegan.generator import Generator

FOLDS = 10


def forced(y: Style, units: Sequence[int], level: float | Tensor = 0.0) -> Style:
    """The style y, but these units stand at a level everywhere:  y_{s,u} = 0,  y_{b,u} = k_u.

    Then AdaIN gives r_u = 0 · (…) + k_u: with k = 0 an ablation of the whole map, else an insertion.
    y: (y_s, y_b), N×C each; level: k, one number or one for each unit. Returns a new pair; y stays as it is.
    ValueError for a unit that does not exist, for NaN and infinity.
    """
    y_s, y_b = (part.clone() for part in y)
    units = check_units(units, y_s.shape[1])
    y_s[:, units] = 0
    y_b[:, units] = per_unit("level", level, y_b, units).flatten()
    return y_s, y_b


def borrowed(y: Style, y2: Style, units: Sequence[int]) -> Style:
    """The style y, but these units take theirs, y_s and y_b, from another style y2: mixing, unit by unit.

    y, y2: (y_s, y_b), N×C each. Returns a new pair; both stay as they are. ValueError for a unit that does not exist.
    """
    y_s, y_b = (part.clone() for part in y)
    units = check_units(units, y_s.shape[1])
    y_s[:, units], y_b[:, units] = y2[0][:, units], y2[1][:, units]
    return y_s, y_b


def beta(before: Tensor, mixed: Tensor, after: Tensor) -> Tensor:
    """How much of a difference came along: the slope of the line through the origin,

        β_c = Σ_i (a_c(m_i) − a_c(x_i)) (a_c(x'_i) − a_c(x_i))  /  Σ_i (a_c(x'_i) − a_c(x_i))²

    before, mixed, after: the areas a_c of x_i, m_i and x'_i, N pairs × C classes each. Returns C numbers: 0 where
    nothing comes along, 1 where all of it does; 0/0 is NaN.
    """
    moved, away = mixed - before, after - before                            # (N, C)
    return (moved * away).sum(0) / away.square().sum(0)


@dataclass(frozen=True)
class StyleEffects:
    """How much of each class comes with each layer's style; print it."""

    layers: tuple[str, ...]
    classes: tuple[str, ...]
    share: Tensor               # layers × classes, β; NaN for a class that is equally large in both of every pair
    error: Tensor               # its standard error: jackknife over ten folds; NaN if the class differs in one only

    def __str__(self) -> str:
        wide = max(map(len, self.classes))
        lines = ["β".ljust(wide) + "".join(f"{layer:>9}" for layer in self.layers)]
        for name, row in zip(self.classes, self.share.T.tolist()):
            lines.append(pad(say(name), wide) + "".join(f"{value:>9.2f}" for value in row))
        return "\n".join(lines)


@torch.no_grad()
def style_effects(G: Generator, segmenter: Segmenter, ws: Tensor, ws2: Tensor, batch: int = 50,
                  progress: bool = True, beta: Callable[[Tensor, Tensor, Tensor], Tensor] = beta) -> StyleEffects:
    """Of the difference between two pictures, how much comes along with the style of a single layer?  `beta` says it.

    a_c: the number of pixels of class c; x_i, x'_i: the pictures of ws_i and ws2_i; m_i: x_i, but layer l takes its
    style from ws2_i. So β is 0 where the layer's style moves nothing towards x', 1 where it alone brings all of it.
    The β of a class need not add up to 1, since layers act together.
    ws, ws2: N×L×W as `G.ws` gives them, N pairs. ValueError where they are not N and N, or fewer than ten.
    """
    if len(ws) != len(ws2) or len(ws) < FOLDS:
        raise ValueError(f"style_effects compares at least {FOLDS} pairs of pictures; got {len(ws)} and {len(ws2)}")
    L, batch = len(G.layers), whole("batch", batch, 1)

    def areas(ws: Tensor) -> Tensor:
        return class_pixels(G.synthesis(ws), segmenter).cpu().double()     # (N, C)

    befores, afters, mixtures = [], [], [[] for _ in range(L)]
    bar = tqdm(total=len(ws) * (L + 2), desc=say("styles, layer by layer"), unit=say("picture"), leave=False,
               disable=not progress)
    with evaluating(G, segmenter), bar:
        for start in range(0, len(ws), batch):
            one, other = ws[start:start + batch], ws2[start:start + batch]
            befores.append(areas(one))                                      # (n, C)
            afters.append(areas(other))
            bar.update(2 * len(one))
            for i in range(L):
                mixtures[i].append(areas(mix(one, other, [i])))
                bar.update(len(one))
    before, after, mixed = torch.cat(befores), torch.cat(afters), [torch.cat(parts) for parts in mixtures]
    fold = torch.arange(len(ws)) % FOLDS

    def slopes(keep: Tensor) -> Tensor:
        return torch.stack([beta(before[keep], layer[keep], after[keep]) for layer in mixed])       # (L, C)

    share = slopes(fold >= 0)
    left_out = torch.stack([slopes(fold != k) for k in range(FOLDS)])       # (FOLDS, L, C)
    return StyleEffects(tuple(G.layers), tuple(classes_of(segmenter)), share.float(), jackknife(left_out).float())


def effects_figure(drawn: Mapping[str, Tensor], effects: Mapping[str, StyleEffects], classes: Sequence[str]) -> Figure:
    """Who draws, who decides: a chart for each of these classes. Grey bars: in each layer the IoU of the unit that
    agrees with it best, above chance; before them β, a line for each measurement. The title names the layer of the
    tallest bar (if that is a match, IoU > 0.05), and those where the last β is within one error of its highest.

    drawn: layer -> C numbers; effects: title -> what `style_effects` found.
    """
    figure = Figure(figsize=(3.3 * len(classes), 3.9), layout="constrained")
    layers = [name.removeprefix("layer") for name in drawn]
    for ax, name in zip(figure.subplots(1, len(classes), sharey=True, squeeze=False)[0], classes):
        c = check_name("class", name, next(iter(effects.values())).classes)
        iou = [float(each[c]) for each in drawn.values()]
        ax.bar(layers, iou, color="#9aa6b5", label="drawn: best unit's IoU")
        for (title, found), (colour, look) in zip(effects.items(), (("#c26a00", "o--"), ("#5e2a84", "s-"))):
            share, error = found.share[:, c].nan_to_num(), found.error[:, c]
            ax.errorbar(layers, share, error, fmt=look, capsize=2, color=colour, label=title)
        top = int(share.argmax())
        most = ", ".join(layer for layer, b in zip(layers, share) if b >= share[top] - error[top])
        own = f"drawn in {layers[iou.index(max(iou))]}" if max(iou) > 0.05 else "no unit of its own"
        ax.set(title=f"{name}\n{own}\ndecided in {most}", xlabel="layer")
        ax.axhline(0, color="grey", linewidth=0.6)
    figure.axes[0].set(ylabel="IoU above chance; β")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
