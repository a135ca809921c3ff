"""One page about what the units of a generator draw: counts, chance, and the pictures where each unit is loudest.

`write_report` dissects (Bau et al., arXiv 1811.10597, section 3.1) and writes a single HTML file that needs nothing
else: no network, no other file. Its pictures are drawn by `figures.py`.
"""

import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import torch

from .. import pictures
from ..files import to_write, write_text
from ..language import current, say
from ..lettering import letter
from ..limits import whole
from ..networks.protocols import Generator, Segmenter, classes_of, evaluating, latents
from ..processes import place
from .agreement import Dissection
from .figures import Tops, figure_words, layer_figure, layer_tops, strip
from .information import dissect_by_information, quality_of
from .unit_iou import LOUDEST, dissect_layers, in_order


def write_report(G: Generator, segmenter: Segmenter, layers: Sequence[str], path: str | Path, samples: int = 1000,
                 quantile: float = 0.01, information: bool = False, seed: int = 0, shuffles: int = 8, top: int = 8,
                 name: str | None = None, batch: int = 50, progress: bool = True) -> Path:
    """Dissect G and write one self-contained HTML page about it; returns its path.

    layers: those whose units are listed one by one; the first figure has all of `G.layers`. samples, quantile, seed,
    shuffles, batch: as in `dissect`. information: choose the thresholds by information quality, the paper's way,
    instead of `quantile`. top: pictures a unit. name: what to call the model.
    Under `torchrun` the processes share the pictures out, see `dissect_layers`, and the first one writes.
    The page is written under a temporary name first, so a cut-off run leaves an older page as it was. A unit takes
    about 25 kB. ValueError: an unknown layer, fewer than two shuffles, and what `dissect` refuses.
    """
    layers, path = in_order(G, layers), to_write(path)
    shuffles, top = whole("shuffles", shuffles, 2), whole("top", top, 1, LOUDEST)
    samples = whole("samples, more than there are shuffles,", samples, shuffles + 1)
    options = {"seed": seed, "batch": batch, "shuffles": shuffles, "progress": progress}
    found = dissect_by_information(G, G.layers, segmenter, samples, **options) if information else \
        dissect_layers(G, G.layers, segmenter, samples, quantile, **options)
    if place()[0] > 0:                                           # of several processes the first one writes
        return path
    with torch.no_grad(), evaluating(G, segmenter):
        size = tuple(segmenter(G(latents(G, 1, seed))).shape[-2:])  # the grid of the counts
    name = str(name or type(G).__name__)
    figure = io.BytesIO()
    letter(layers_drawn := layer_figure(found, above_chance=True))
    layers_drawn.savefig(figure, dpi=130, facecolor="white")
    chart = pictures.img(figure.getvalue(), figure_words(found, above_chance=True), css_class="chart")
    way = say("the level of greatest information quality, chosen on other pictures") if information else \
        say("the level that {percent:.3g} % of its values exceed", percent=100 * quantile)
    listed = {layer: found[layer] for layer in layers}
    tops = layer_tops(G, listed, {layer: range(len(d.iou)) for layer, d in listed.items()}, top, batch, size)
    sections = "".join(layer_section(d, tops[layer]) for layer, d in listed.items())
    links = " ".join(f'<a href="#{escape(layer)}">{escape(layer)}</a>' for layer in layers)
    page = f"""<!DOCTYPE html>
<html lang="{current()}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{say("Dissection of {name}", name=escape(name))}</title><style>{CSS}</style></head><body>
<header id=top><h1>{say("What the units of {name} draw", name=escape(name))}</h1>
<p>{say("{samples} pictures of seed {seed}; {classes} classes. A unit's threshold: {way}.", samples=samples, seed=seed,
        classes=len(classes_of(segmenter)), way=way)}<br>
{say("Units listed:")} {links}</p></header>
<main><section><h2>{say("Units that match a class, layer by layer")}</h2><div class=wide>{chart}</div>
<details><summary>{say("How to read this page")}</summary><p>{how_to_read(way, shuffles)}</p></details>
{record_html(getattr(G, "record", None))}</section>{sections}</main><script>{SCRIPT}</script></body></html>
"""
    write_text(path, page)
    return path


def how_to_read(way: str, shuffles: int) -> str:
    """What the words and numbers of the page mean."""
    return say(
        "A <b>unit</b> is one feature map of a layer. It is <b>on</b> where its map, enlarged to the picture, is above "
        "its threshold t: {way}. <b>IoU</b> divides the pixels where the unit is on and the segmenter sees the class "
        "by those where either holds, over all pictures; its <b>95 % interval</b> says how far other pictures would "
        "move it at the same thresholds (a jackknife over ten parts of these). <b>By chance</b> is the IoU with the "
        "labels of other pictures, mean of {shuffles} pairings. <b>I/H</b> is the information that mask and class "
        "share, over their joint entropy. A unit <b>matches</b> the class of its highest IoU if that IoU is over 0.05 "
        "and more than chance by three standard errors; a best unit whose IoU is not is marked (chance). Agreement is "
        "not cause: to know what a unit does, ablate it.", way=way, shuffles=shuffles)


def record_html(record: Mapping | None) -> str:
    """What is known about the model: plain entries as a list, the whole as text to unfold."""
    if not record:
        return f"<p>{say('The model came without a record of its training.')}</p>"
    facts = {str(key).replace("_", " "): f"{value:,}" if isinstance(value, int) else str(value)
             for key, value in record.items() if isinstance(value, (str, int, float)) and key != "sha256"}
    plain = "".join(f'<div><dt>{escape(key.replace("frechet", "Fréchet"))}</dt><dd>{escape(value)}</dd></div>'
                    for key, value in facts.items())
    text = escape(json.dumps(record, indent=2, ensure_ascii=False, default=str))
    return f'<h3>{say("The model")}</h3><dl class="facts">{plain}</dl><details><summary>{say("The whole record")}' \
           f"</summary><pre>{text}</pre></details>"


def layer_section(d: Dissection, tops: Tops) -> str:
    """One layer: the table of classes, the controls, and a card for each unit of `tops`, best match first."""
    quality, (low, high), chance, above = quality_of(d), d.interval(), d.chance.mean(0), d.above_chance()
    found, share = d.concept_units(above_chance=True), d.class_pixels / d.class_pixels.sum()
    colours = {c: f"rgb{tuple(map(int, rgb))}" for c, rgb in zip(d.classes, pictures.label_colours(d.classes))}
    key = escape(d.layer)
    rows = []
    for c in share.argsort(descending=True, stable=True).tolist():
        name, u = d.classes[c], d.units_for(d.classes[c], 1)[0]
        swatch = f'<span class="swatch" style="background:{colours[name]}"></span>'
        rest = f'<td colspan="7">{say("does not occur")}</td>' if not d.class_pixels[c] else (
            f"<td>{share[c]:.1%}</td><td>{len(found.get(name, ()))}</td>"
            f'<td>{f"<a href=#{key}-{u}>{u}</a>" if u in tops else u}</td>'
            f"<td class=iou>{d.iou[u, c]:.3f}{'' if above[u, c] else say(' (chance)')}</td>"
            f"<td>{say('{low:.3f} to {high:.3f}', low=low[u, c].item(), high=high[u, c].item())}</td>"
            f"<td>{chance[u, c]:.3f}</td><td>{quality[u, c]:.3f}</td>")
        rows.append(f"<tr><th scope=row>{swatch}{escape(say(name))}</th>{rest}</tr>")
    cards = []
    for u in sorted(tops, key=lambda u: -d.iou[u].max().item()):
        c = d.iou[u].argmax().item()
        name, match = d.classes[c], u in found.get(d.classes[c], ())
        alt = say("{layer} unit {u}: the {n} pictures where it is loudest; lit and outlined where it is on",
                  layer=d.layer, u=u, n=len(tops[u]))
        said = escape(say(name))
        words = say("<b>IoU {iou:.3f}</b> ({low:.3f} to {high:.3f}), by chance {chance:.3f}; I/H {quality:.3f}; on "
                    "above t = {t:.3g}, in {share:.2%} of pixels", iou=d.iou[u, c].item(), low=low[u, c].item(),
                    high=high[u, c].item(), chance=chance[u, c].item(), quality=quality[u, c].item(),
                    t=d.thresholds[u].item(), share=(d.unit_pixels[u] / d.class_pixels.sum()).item())
        cards.append(
            f'<article class=unit id="{key}-{u}" tabindex=0 data-class="{escape(name)}" data-unit={u} '
            f"data-match={int(match)} data-iou={d.iou[u, c]:.4f}>"
            f"<h3>{say('unit {u}', u=u)}: {said if match else say('no match')}</h3>"
            f"<p>{'' if match else say('nearest {name}, ', name=said)}{words}</p>"
            f"<div class=wide>{pictures.img(pictures.jpeg(strip(tops[u]), 82), alt, css_class='strip')}</div>"
            "</article>")
    choices = "".join(f'<option value="{escape(name)}">{escape(say(name))} ({len(units)})</option>'
                      for name, units in found.items())
    many = sum(map(len, found.values()))
    return f"""<section class=layer id="{key}">
<h2>{say("{layer}: {many} of {all} units match a class", layer=key, many=many, all=len(d.iou))}
<a href="#top">{say("↑ all layers")}</a></h2>
<div class=wide><table><thead><tr><th scope=col>{say("class")}<th scope=col>{say("pixels")}<th scope=col>{say("units")}
<th scope=col>{say("best unit")}<th scope=col class=iou>IoU<th scope=col>{say("95 % interval")}
<th scope=col>{say("by chance")}<th scope=col>I/H</tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
<form class=controls aria-label="{say("Choose units of {layer}", layer=key)}"
 data-some="{say("%n units")}" data-one="{say("unit %i of %n")}">
<label>{say("Match")} <select name=class><option value="*">{say("all units")} ({len(tops)})</option>
<option value="+">{say("any class")} ({many})</option>{choices}</select></label>
<label>{say("Order")} <select name=order><option value=iou>{say("best IoU first")}</option>
<option value=unit>{say("by number")}</option></select></label>
<label><input type=checkbox name=one> {say("one at a time")}</label>
<button type=button name=back>{say("← back")}</button> <button type=button name=on>{say("on →")}</button>
<output aria-live=polite></output></form><div class=units>{"".join(cards)}</div></section>"""


CSS = """
:root{color-scheme:light dark;--ink:#1b1b1f;--page:#fbfaf7;--card:#fff;--line:#c9c5bb;--soft:#5a5a62;--link:#0a4f9e}
@media(prefers-color-scheme:dark){:root{--ink:#ececf0;--page:#17181c;--card:#22242a;--line:#474b55;--soft:#b4b6bf;
--link:#8fc1ff}}
*{box-sizing:border-box}html{scroll-padding-top:5.5rem}
body{margin:0;background:var(--page);color:var(--ink);font:1.15rem/1.5 system-ui,sans-serif;
font-variant-numeric:tabular-nums}
header,main{max-width:84rem;margin:auto;padding:0 1.5rem}h1{font-size:2.3rem;line-height:1.15;margin:1.5rem 0 .3rem}
h2{font-size:1.7rem;line-height:1.25;margin:2.6rem 0 .7rem}h2 a{font-size:1.05rem;font-weight:400;white-space:nowrap}
h3{font-size:1.3rem;margin:0 0 .1rem}a{color:var(--link)}
img.chart{width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:.4rem}
img.strip{width:100%;height:auto;border-radius:.3rem}
summary{cursor:pointer;padding:.4rem 0}pre{overflow:auto;font-size:.9rem;background:var(--card);padding:1rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.5rem 1.5rem;margin:.3rem 0}
.facts dt{color:var(--soft);font-size:.95rem}.facts dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-spacing:0;width:100%}th,td{padding:.3rem .8rem;text-align:right;
border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td[colspan]{text-align:left}.iou{text-align:left;padding-left:2rem}
th[scope=row]{font-weight:600}
tr>:first-child{position:sticky;left:0;background:var(--page)}
.swatch{display:inline-block;width:1.1em;height:1.1em;margin-right:.6em;vertical-align:-.15em;
border:1px solid var(--soft)}
.controls{position:sticky;top:0;z-index:1;background:var(--page);border-bottom:1px solid var(--line);padding:.7rem 0;
margin:1.2rem 0 .6rem;display:flex;flex-wrap:wrap;gap:.5rem 1.2rem;align-items:center}
select,button{font:inherit;padding:.25rem .6rem}input[type=checkbox]{width:1.2em;height:1.2em;vertical-align:-.2em}
.unit{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:0 0 1rem;
content-visibility:auto;contain-intrinsic-size:auto 260px}
.unit p{margin:0 0 .5rem;color:var(--soft)}.unit b{color:var(--ink)}
.unit[hidden],.one .unit:not(.here){display:none}
@media(max-width:45rem){h1{font-size:1.7rem}h2{font-size:1.4rem}header,main{padding:0 1rem}.controls{position:static}
html{scroll-padding-top:0}.facts{grid-template-columns:1fr 1fr}img.chart{width:52rem}img.strip{width:46rem}
img.chart,img.strip{max-width:none}table{font-size:1rem}th,td,.iou{padding:.3rem .4rem}}
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
    const words = e.one.checked && all.length ? form.dataset.one : form.dataset.some;
    form.querySelector('output').textContent = words.replace('%i', all.indexOf(here) + 1).replace('%n', all.length);
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
