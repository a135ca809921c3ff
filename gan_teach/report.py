"""One page about what the units of a generator draw: counts, chance, and the pictures where each unit is loudest.

`write_report` dissects (Bau et al., arXiv 1811.10597, section 3.1) and writes a single HTML file that needs nothing
else: no network, no other file. `layer_figure` and `top_pictures` draw its two kinds of picture and are of use alone.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from . import pictures
from .dissection import Dissection, Generator, Segmenter, device_of, dissect_layers, evaluating, in_order, masks
from .information import dissect_by_information, quality_of
from .intervention import Units, check_units
from .layers import sample_z

HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo", "--", "||", "**", "///", "...", "\\\\\\")
TILE = 128                                              # pixels of one picture on the page


# ------------------------------------------------------------------------------------------ the layer figure

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
            n = len(units.get(name, ()))
            if n:
                ax.barh(row, n, left=left, height=0.72, color=colours[name], hatch=hatches[name], edgecolor="#222")
                if n > 0.011 * most * (len(name) + 4):                      # is there room for the words?
                    ax.text(left + n / 2, row, f"{name} {n}", ha="center", va="center", fontsize=10, color="#111",
                            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9})
            left += n
        kinds = f"{len(units)} class{'' if len(units) == 1 else 'es'}"
        ax.text(left + 0.01 * most, row, f"{left} of {len(dissections[layer].iou)}; {kinds}", va="center", fontsize=10)
    ax.set(yticks=range(len(found)), yticklabels=list(found), ylim=(len(found) - 0.4, -0.6), xlim=(0, 1.22 * most),
           xlabel="units that match a class")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    shown = [name for name in classes if any(name in units for units in found.values())]
    if shown:
        ax.legend(handles=[Patch(facecolor=colours[name], hatch=hatches[name], edgecolor="#222", label=name)
                           for name in shown], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False,
                  handlelength=2.4, handleheight=1.3)
    return figure


def figure_words(dissections: Mapping[str, Dissection], min_iou: float = 0.05, above_chance: bool = False) -> str:
    """The numbers of `layer_figure` in words, for a reader who cannot see it."""
    parts = []
    for layer, d in dissections.items():
        found = d.concept_units(min_iou, above_chance)
        names = ", ".join(f"{name} {len(units)}" for name, units in found.items()) or "none"
        parts.append(f"{layer}: {sum(map(len, found.values()))} of {len(d.iou)} units ({names})")
    return "; ".join(parts)


# ------------------------------------------------------------------------------------------ where a unit is loudest

@torch.no_grad()
def top_pictures(G: Generator, d: Dissection, units: Units | None = None, k: int = 8, samples: int = 1000,
                 seed: int = 0, batch: int = 50, size: tuple[int, int] | None = None
                 ) -> dict[int, list[tuple[np.ndarray, np.ndarray]]]:
    """The k pictures in which each unit has its largest value, loudest first, each with the mask that was counted.

    Returns {unit: [(picture, mask), …]}: uint8 R×R×3, shared between units, and boolean H×W from `dissection.masks`
    at the thresholds of `d`. units: None for all of the layer. size: the grid (H, W) that was counted on; None is
    the picture's. `samples` and `seed` as in the dissection show pictures that were counted; `strip` draws them.
    """
    units = list(range(len(d.iou))) if units is None else check_units(units, len(d.iou))
    z, t = sample_z(samples, G.z_dim, seed).to(device_of(G)), d.thresholds.to(device_of(G))
    image, on = {}, {}
    with evaluating(G):
        peak = torch.cat([G.at(part, d.layer)[0][:, units].amax((2, 3)) for part in z.split(batch)])
        best = peak.argsort(dim=0, descending=True, stable=True)[:k].T.tolist()                # |U| rows of k numbers
        asked = {i: [n for n, row in enumerate(best) if i in row] for row in best for i in row}
        for part in torch.tensor(sorted(asked)).split(batch):                              # each drawn once
            r, f = G.at(z[part.to(z.device)], d.layer)
            x = f(r)
            for j, i in enumerate(part.tolist()):
                image[i] = pictures.to_uint8(x[j])
                mask = masks(r[j:j + 1], t, size or x.shape[-2:])[0].cpu().numpy()         # (U, H, W)
                on.update({(n, i): mask[units[n]] for n in asked[i]})
    return {u: [(image[i], on[n, i]) for i in best[n]] for n, u in enumerate(units)}


def strip(tops: Sequence[tuple[np.ndarray, np.ndarray]], tile: int = TILE) -> np.ndarray:
    """Pictures side by side, each dimmed outside its mask and with a line around it: uint8 tile × n·(tile+4)−4 × 3."""
    row = []
    for picture, mask in tops:
        h, w = picture.shape[:2]
        there = mask[np.arange(h)[:, None] * mask.shape[0] // h, np.arange(w) * mask.shape[1] // w]
        shown = pictures.lasso(picture, there, zoom=max(1, tile // h))
        if shown.shape[0] != tile:
            shown = np.asarray(Image.fromarray(shown).resize((tile, tile), Image.Resampling.BICUBIC))
        row += [np.full((tile, 4, 3), 128, np.uint8), shown]
    return np.concatenate(row[1:], 1)


# ------------------------------------------------------------------------------------------ the page

def write_report(G: Generator, segmenter: Segmenter, layers: Sequence[str], path: str | Path, samples: int = 1000,
                 quantile: float = 0.01, information: bool = False, seed: int = 0, shuffles: int = 8, top: int = 8,
                 overview: Sequence[str] | None = None, name: str | None = None, batch: int = 50,
                 progress: bool = True) -> Path:
    """Dissect G and write one self-contained HTML page about it; returns its path.

    layers: those whose units are listed one by one. overview: the layers of the first figure; None for all of
    `G.layers`. samples, quantile, seed, shuffles, batch: as in `dissect`. information: choose the thresholds by
    information quality, the paper's way, instead of `quantile`. top: pictures a unit. name: what to call the model.
    The page is written under a temporary name first, so a cut-off run leaves an older page as it was. A unit takes
    about 25 kB. ValueError: an unknown layer, fewer than two shuffles, and what `dissect` refuses.
    """
    layers = in_order(G, layers)
    every = in_order(G, [*layers, *(G.layers if overview is None else overview)])
    if shuffles < 2 or top < 1:
        raise ValueError(f"a report needs shuffles of 2 or more and top of 1 or more; got {shuffles} and {top}")
    options = {"seed": seed, "batch": batch, "shuffles": shuffles, "progress": progress}
    found = dissect_by_information(G, every, segmenter, samples, **options) if information else \
        dissect_layers(G, every, segmenter, samples, quantile, **options)
    with torch.no_grad(), evaluating(G, segmenter):
        size = tuple(segmenter(G(sample_z(1, G.z_dim, seed).to(device_of(G)))).shape[-2:])  # the grid of the counts
    name = name or type(G).__name__
    figure = io.BytesIO()
    layer_figure(found, above_chance=True).savefig(figure, dpi=130, facecolor="white")
    chart = pictures.img(figure.getvalue(), figure_words(found, above_chance=True), css_class="chart")
    way = "the level of greatest information quality, chosen on other pictures" if information else \
        f"the level that {100 * quantile:.3g} % of its values exceed"
    sections = "".join(layer_section(d, top_pictures(G, d, None, top, samples, seed, batch, size))
                       for d in (found[layer] for layer in layers))
    links = " ".join(f'<a href="#{escape(layer)}">{escape(layer)}</a>' for layer in layers)
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Dissection of {escape(name)}</title><style>{CSS}</style></head><body>
<header><h1>What the units of {escape(name)} draw</h1>
<p>{samples} pictures of seed {seed}; {len(segmenter.classes)} classes. A unit's threshold: {way}.<br>
Units listed: {links}</p></header>
<main><section><h2>Units that match a class, layer by layer</h2>{chart}
<details><summary>How to read this page</summary><p>A <b>unit</b> is one feature map of a layer. It is <b>on</b> where
its map, enlarged to the picture, is above its threshold t: {way}. <b>IoU</b> divides the pixels where the unit is on
and the segmenter sees the class by those where either holds, over all pictures; ± is one standard error. <b>By
chance</b> is the IoU with the labels of other pictures, mean of {shuffles} pairings. <b>I/H</b> is the information that
mask and class share, over their joint entropy. A unit <b>matches</b> the class of its highest IoU if that IoU is over
0.05 and more than chance by three standard errors; a best unit whose IoU is not is marked (chance). Agreement is not
cause: to know what a unit does, ablate it.</p></details>
{record_html(getattr(G, "record", None))}</section>{sections}</main><script>{SCRIPT}</script></body></html>
"""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(page, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def record_html(record: Mapping | None) -> str:
    """What is known about the model: plain entries as a list, the whole as text to unfold."""
    if not record:
        return "<p>The model came without a record of its training.</p>"
    plain = "".join(f"<div><dt>{escape(str(key).replace('_', ' '))}</dt><dd>{escape(str(value))}</dd></div>"
                    for key, value in record.items() if isinstance(value, (str, int, float)) and key != "sha256")
    whole = escape(json.dumps(record, indent=2, ensure_ascii=False, default=str))
    return f'<h3>The model</h3><dl class="facts">{plain}</dl><details><summary>The whole record</summary>' \
           f"<pre>{whole}</pre></details>"


def layer_section(d: Dissection, tops: Mapping[int, Sequence[tuple[np.ndarray, np.ndarray]]]) -> str:
    """One layer: the table of classes, the controls, and a card for each unit of `tops`, best match first."""
    quality, se, chance, above = quality_of(d), d.confidence(), d.chance.mean(0), d.above_chance()
    found, share = d.concept_units(above_chance=True), d.class_pixels / d.class_pixels.sum()
    colours = {c: f"rgb{tuple(map(int, rgb))}" for c, rgb in zip(d.classes, pictures.label_colours(d.classes))}
    key = escape(d.layer)
    rows = []
    for c in share.argsort(descending=True, stable=True).tolist():
        name, u = d.classes[c], d.units_for(d.classes[c], 1)[0]
        swatch = f'<span class="swatch" style="background:{colours[name]}"></span>'
        rest = '<td colspan="6">does not occur</td>' if not d.class_pixels[c] else (
            f"<td>{share[c]:.1%}</td><td>{len(found.get(name, ()))}</td>"
            f'<td>{f"<a href=#{key}-{u}>{u}</a>" if u in tops else u}</td>'
            f"<td>{d.iou[u, c]:.3f} ± {se[u, c]:.3f}{'' if above[u, c] else ' (chance)'}</td>"
            f"<td>{chance[u, c]:.3f}</td><td>{quality[u, c]:.3f}</td>")
        rows.append(f"<tr><th scope=row>{swatch}{escape(name)}</th>{rest}</tr>")
    label = {u: d.iou[u].argmax().item() for u in tops}
    cards = []
    for u in sorted(tops, key=lambda u: -d.iou[u].max().item()):
        c = label[u]
        name, match = d.classes[c], u in found.get(d.classes[c], ())
        alt = f"{d.layer} unit {u}: the {len(tops[u])} pictures where it is loudest; lit and outlined where it is on"
        cards.append(
            f'<article class=unit id="{key}-{u}" tabindex=0 data-class="{escape(name)}" data-unit={u} '
            f"data-match={int(match)} data-iou={d.iou[u, c]:.4f}>"
            f"<h3>unit {u}: {escape(name) if match else 'no match'}</h3>"
            f"<p>{'' if match else f'nearest {escape(name)}, '}<b>IoU {d.iou[u, c]:.3f}</b> ± {se[u, c]:.3f}, "
            f"by chance {chance[u, c]:.3f}; I/H {quality[u, c]:.3f}; on above t = {d.thresholds[u]:.3g}, in "
            f"{d.unit_pixels[u] / d.class_pixels.sum():.2%} of pixels</p>"
            f"{pictures.img(pictures.jpeg(strip(tops[u]), 82), alt, css_class='strip')}</article>")
    choices = "".join(f'<option value="{escape(name)}">{escape(name)} ({len(units)})</option>'
                      for name, units in found.items())
    many = sum(map(len, found.values()))
    return f"""<section class=layer id="{key}"><h2>{key}: {many} of {len(d.iou)} units match a class</h2>
<div class=wide><table><thead><tr><th scope=col>class<th scope=col>pixels<th scope=col>units<th scope=col>best unit
<th scope=col>IoU ± error<th scope=col>by chance<th scope=col>I/H</tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
<form class=controls aria-label="Choose units of {key}">
<label>Match <select name=class><option value="*">all units ({len(tops)})</option>
<option value="+">any class ({many})</option>{choices}</select></label>
<label>Order <select name=order><option value=iou>best IoU first</option>
<option value=unit>by number</option></select></label>
<label><input type=checkbox name=one> one at a time</label>
<button type=button name=back>← back</button> <button type=button name=on>on →</button>
<output aria-live=polite></output></form><div class=units>{"".join(cards)}</div></section>"""


CSS = """
:root{color-scheme:light dark;--ink:#1b1b1f;--page:#fbfaf7;--card:#fff;--line:#c9c5bb;--soft:#5a5a62;--link:#0a4f9e}
@media(prefers-color-scheme:dark){:root{--ink:#ececf0;--page:#17181c;--card:#22242a;--line:#474b55;--soft:#b4b6bf;
--link:#8fc1ff}}
*{box-sizing:border-box}html{scroll-padding-top:5.5rem}
body{margin:0;background:var(--page);color:var(--ink);font:1.15rem/1.5 system-ui,sans-serif;
font-variant-numeric:tabular-nums}
header,main{max-width:84rem;margin:auto;padding:0 1.5rem}h1{font-size:2.3rem;line-height:1.15;margin:1.5rem 0 .3rem}
h2{font-size:1.7rem;margin:2.6rem 0 .7rem}h3{font-size:1.3rem;margin:0 0 .1rem}a{color:var(--link)}
img.chart{width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:.4rem}
img.strip{width:100%;height:auto;border-radius:.3rem}
summary{cursor:pointer;padding:.4rem 0}pre{overflow:auto;font-size:.9rem;background:var(--card);padding:1rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.5rem 1.5rem;margin:.3rem 0}
.facts dt{color:var(--soft);font-size:.95rem}.facts dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .8rem;text-align:right;
border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td[colspan]{text-align:left}th[scope=row]{font-weight:600}
.swatch{display:inline-block;width:1.1em;height:1.1em;margin-right:.6em;vertical-align:-.15em;
border:1px solid var(--soft)}
.controls{position:sticky;top:0;z-index:1;background:var(--page);border-bottom:1px solid var(--line);padding:.7rem 0;
margin:1.2rem 0 .6rem;display:flex;flex-wrap:wrap;gap:.5rem 1.2rem;align-items:center}
select,button{font:inherit;padding:.25rem .6rem}input[type=checkbox]{width:1.2em;height:1.2em;vertical-align:-.2em}
.unit{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:0 0 1rem;
content-visibility:auto;contain-intrinsic-size:auto 260px}
.unit p{margin:0 0 .5rem;color:var(--soft)}.unit b{color:var(--ink)}
.unit[hidden],.one .unit:not(.here){display:none}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
"""

SCRIPT = """
for (const section of document.querySelectorAll('section.layer')) {
  const form = section.querySelector('form'), list = section.querySelector('.units'), e = form.elements;
  const cards = [...list.children];
  let here = cards[0];
  const shown = () => [...list.children].filter(card => !card.hidden);
  const show = () => {
    cards.forEach(card => card.classList.toggle('here', card === here));
    const all = shown();
    form.querySelector('output').textContent = e.one.checked && all.length ?
      `unit ${all.indexOf(here) + 1} of ${all.length}` : `${all.length} units`;
  };
  const choose = () => {
    const want = e.class.value;
    for (const card of cards)
      card.hidden = !(want === '*' || card.dataset.match === '1' && (want === '+' || card.dataset.class === want));
    const value = card => e.order.value === 'iou' ? -card.dataset.iou : +card.dataset.unit;
    list.append(...cards.sort((a, b) => value(a) - value(b)));
    list.classList.toggle('one', e.one.checked);
    if (here.hidden) here = shown()[0] || here;
    show();
  };
  const move = step => {
    const all = shown(), next = all[all.indexOf(here) + step];
    if (next) { here = next; show(); here.focus({preventScroll: true}); here.scrollIntoView({block: 'nearest'}); }
  };
  form.addEventListener('change', choose);
  form.addEventListener('submit', event => event.preventDefault());
  e.back.addEventListener('click', () => { move(-1); e.back.focus({preventScroll: true}); });
  e.on.addEventListener('click', () => { move(1); e.on.focus({preventScroll: true}); });
  list.addEventListener('focusin', event => { here = event.target.closest('.unit') || here; show(); });
  list.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step) { event.preventDefault(); move(step); }
  });
  const follow = () => {
    const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!card || !list.contains(card)) return;
    if (card.hidden) { e.class.value = '*'; choose(); }
    here = card; show(); card.focus(); card.scrollIntoView({block: 'start'});
  };
  addEventListener('hashchange', follow);
  choose(); follow();
}
"""
