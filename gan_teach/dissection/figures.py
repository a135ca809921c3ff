"""What a dissection shows: how many units of each layer match a class, and the pictures where a unit is loudest.

Bau et al., "GAN Dissection", arXiv 1811.10597: its layer figure, and its rows of pictures, where what lies outside a
unit's mask is dimmed. The mask is the one that was counted. `report.py` puts both on a page.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from .. import pictures
from ..language import say, told
from ..limits import whole
from ..networks.protocols import Generator, Segmenter, activations, classes_of, device_of, evaluating, latents
from ..networks.segmenter import segment
from .agreement import Dissection
from .unit_iou import LOUDEST, in_order, masks
from .units import Units, check_units

HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo", "--", "||", "**", "///", "...", "\\\\\\")
TILE = 128                                              # pixels of one picture on the page
Tops = dict[int, list[tuple[np.ndarray, np.ndarray]]]   # unit -> its (picture, mask) pairs, loudest first


def layer_figure(dissections: Mapping[str, Dissection], min_iou: float = 0.05, above_chance: bool = False) -> Figure:
    """How many units of each layer match a class, and which: one bar a layer, one hatched, named part a class.

    dissections: {layer: Dissection}, as `dissect_layers` returns it. What counts: `Dissection.concept_units`.
    """
    if not dissections:
        raise ValueError("no dissections to draw: give {layer: Dissection}, as dissect_layers returns it")
    found = {layer: d.concept_units(min_iou, above_chance) for layer, d in dissections.items()}
    classes = next(iter(dissections.values())).classes
    colours = dict(zip(classes, pictures.label_colours(classes) / 255))
    hatches = {name: HATCHES[c % len(HATCHES)] for c, name in enumerate(classes)}
    most = max(1, *(sum(map(len, units.values())) for units in found.values()))
    figure = Figure(figsize=(11, 1.4 + 0.48 * len(found)), layout="constrained")
    ax = figure.subplots()
    for row, (layer, units) in enumerate(found.items()):
        left = 0
        for name in classes:
            if n := len(units.get(name, ())):
                ax.barh(row, n, left=left, height=0.72, color=colours[name], hatch=hatches[name], edgecolor="#222")
                words = f"{name} {n}"
                if n > most * (0.0108 * len(words) + 0.006):                # is there room for them?
                    ax.text(left + n / 2, row, words, ha="center", va="center", fontsize=10, color="#111",
                            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9})
            left += n
        kinds = "1 class" if len(units) == 1 else f"{len(units)} classes"
        ax.text(left + 0.01 * most, row, f"{left} of {len(dissections[layer].iou)}; {kinds}", va="center", fontsize=10)
    ax.set(yticks=range(len(found)), yticklabels=list(found), ylim=(len(found) - 0.4, -0.6), xlim=(0, 1.22 * most),
           xlabel="units that match a class")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    if shown := [name for name in classes if any(name in units for units in found.values())]:
        ax.legend(handles=[Patch(facecolor=colours[name], hatch=hatches[name], edgecolor="#222", label=name)
                           for name in shown], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False,
                  handlelength=2.4, handleheight=1.3)
    return figure


def figure_words(dissections: Mapping[str, Dissection], min_iou: float = 0.05, above_chance: bool = False) -> str:
    """The numbers of `layer_figure` in words, for a reader who cannot see it."""
    parts = []
    for layer, d in dissections.items():
        found = d.concept_units(min_iou, above_chance)
        names = say(", ").join(f"{told(name)} {len(units)}" for name, units in found.items()) or say("none")
        parts.append(say("{layer}: {n} of {all} units ({names})", layer=layer, n=sum(map(len, found.values())),
                         all=len(d.iou), names=names))
    return say("; ").join(parts)


# ------------------------------------------------------------------------------------------ where a unit is loudest

def top_pictures(G: Generator, d: Dissection, units: Units | None = None, k: int = 8) -> Tops:
    """The k pictures in which each unit has its largest value, loudest first, each with the mask that was counted.

    d: a dissection of G; its pictures are searched. Returns {unit: [(picture, mask), …]}: uint8 R×R×3, shared between
    units, and boolean H×W from `dissection.masks` at the thresholds of `d`. units: None for all of the layer. `strip`
    draws them.
    ValueError: k above 20, a unit that is not there.
    """
    units = range(len(d.iou)) if units is None else check_units(units, len(d.iou))
    return layer_tops(G, {d.layer: d}, {d.layer: list(units)}, k)[d.layer]


@torch.no_grad()
def layer_tops(G: Generator, found: Mapping[str, Dissection], units: Mapping[str, Sequence[int]], k: int = 8,
               batch: int = 50, size: tuple[int, int] | None = None) -> dict[str, Tops]:
    """`top_pictures` for several layers dissected together: what any of them asks for is drawn once for all.

    size: the grid (H, W) that was counted on; None is the picture's.
    """
    layers, one = in_order(G, list(found)), next(iter(found.values()))
    k = whole("k", k, 1, LOUDEST)
    z = latents(G, one.samples, one.seed)
    best = {layer: dict(zip(units[layer], found[layer].loudest[units[layer], :k].tolist())) for layer in layers}
    wanted = torch.tensor(sorted({i for rows in best.values() for row in rows.values() for i in row}))
    image, on = {}, {}
    with evaluating(G):
        for part in wanted.split(whole("batch", batch, 1)):
            r, f = activations(G, z[part.to(z.device)], layers)
            x = f(r[layers[-1]])
            for j, i in enumerate(part.tolist()):
                image[i] = pictures.to_uint8(x[j])
                for layer, rows in best.items():
                    asked = [u for u, row in rows.items() if i in row]
                    if not asked:
                        continue
                    t = found[layer].thresholds[asked].to(x.device)
                    mask = masks(r[layer][j:j + 1, asked], t, size or x.shape[-2:])[0].cpu().numpy()   # (asked, H, W)
                    on.update({(layer, u, i): mask[n] for n, u in enumerate(asked)})
    return {layer: {u: [(image[i], on[layer, u, i]) for i in row] for u, row in rows.items()}
            for layer, rows in best.items()}


def outlined(segmenter: Segmenter, tops: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """What lies inside the outlines of these pictures, by the segmenter: the share of each class.

        share_c = Σ_i |m_i ∧ s_c(x_i)| / Σ_i |m_i|

    tops: a unit's (picture, mask) pairs, as `top_pictures` gives them, the masks on the segmenter's grid. Returns
    {class: share}, all 0 where no mask is on. A unit may match a class, counted over many pictures, of which hardly
    anything is outlined in the few that are shown: this tells the reader's case apart.
    """
    images = torch.from_numpy(np.stack([picture for picture, _ in tops])).permute(0, 3, 1, 2)     # (N, 3, H, W)
    labels = segment(segmenter, pictures.to_float(images).to(device_of(segmenter))).cpu()
    on = torch.from_numpy(np.stack([mask for _, mask in tops]))                                   # (N, H, W)
    count = torch.bincount(labels[on], minlength=len(classes_of(segmenter)))
    return dict(zip(segmenter.classes, (count / count.sum().clamp(min=1)).tolist()))


def named_in(segmenter: Segmenter, tops: Sequence[tuple[np.ndarray, np.ndarray]], cls: str) -> int:
    """In how many of these pictures a class fills more than half of what is outlined: large areas in a few, counted
    together, would hide that the others show something else."""
    return sum(outlined(segmenter, [pair])[cls] > 0.5 for pair in tops)


def clear_units(segmenter: Segmenter, tops: Tops, names: Mapping[str, Sequence[int]],
                least: int = 6) -> dict[str, list[int]]:
    """Units that a reader can name too: {class: units}, those whose class is `named_in` at least so many of their
    pictures; the clearest class and unit first: in most pictures, then by the share of what is outlined.

    tops: each unit's pictures, as `top_pictures` gives them. names: `Dissection.concept_units()`.
    """
    clear: dict[str, list[int]] = {}
    for n, _, u, cls in sorted(((named_in(segmenter, tops[u], cls), outlined(segmenter, tops[u])[cls], u, cls)
                                for cls, units in names.items() for u in units), reverse=True):
        if n >= least:
            clear.setdefault(cls, []).append(u)
    return clear


def strip(tops: Sequence[tuple[np.ndarray, np.ndarray]], tile: int = TILE) -> np.ndarray:
    """Pictures side by side, each dimmed outside its mask and with a line around it: uint8 tile × n·(tile+4)−4 × 3.

    A picture darker in the mean than mid-grey is first made that bright, by one factor: else a night, dimmed, is black.
    """
    row = []
    for picture, mask in tops:
        picture = (picture * max(1, 127.5 / max(picture.mean(), 1))).clip(0, 255).astype(np.uint8)
        h, w = picture.shape[:2]
        there = mask[np.arange(h)[:, None] * mask.shape[0] // h, np.arange(w) * mask.shape[1] // w]
        shown = pictures.lasso(picture, there, zoom=max(1, tile // h))
        if shown.shape[0] != tile:
            shown = np.asarray(Image.fromarray(shown).resize((tile, tile), Image.Resampling.BICUBIC))
        row += [np.full((tile, 4, 3), 128, np.uint8), shown]
    return np.concatenate(row[1:], 1)
