// Paint: where the brush passes, units of a class are switched off or forced on in r = h(z), and f draws the rest.
//
//   remove   r_{U,P} ← (1 − s·P) · r_{U,P}                 as gan_teach.dissection.ablate
//   add      r_{U,P} ← s·P·k + (1 − s·P) · r_{U,P}         as gan_teach.dissection.insert
//
// A stroke is a line at picture size; the places P of r that it touches are edited. h runs once a scene, f once a move.
import { json, numbers, quicken, run } from "./engine.js";
import { away, choose, chosen, drawing, element, failed, latest, list, seed, slider, text } from "./page.js";
import { argmax, draw, heat, paintLabels, pen } from "./pictures.js";

/** @typedef {{ action: string, cls: string, points: number[][], brush: number, units: number[], strength: number }} Stroke */

const SIDE = 64, GRID = 16, UNITS = 64, Z = 128, CELL = SIDE / GRID, PLACES = GRID * GRID, REST = 120;
const [about, zs] = await Promise.all([json("paint.json"), numbers("z.bin")]).catch(failed);
const over = element("over"), picture = element("picture");

/** What is shown. @type {{ seed: number, r: Float32Array, x: Float32Array, labels: Uint8Array }} */
let scene;                                               // of the seed, unpainted; none while the networks are loading
/** @type {Stroke[]} */
let strokes = [];
/** @type {Stroke[]} */
let undone = [];
/** @type {Stroke | null} */
let growing = null;                                      // the stroke that is being drawn
/** @type {Float32Array} */
let x = new Float32Array(), r = x;
/** @type {Uint8Array} */
let labels = new Uint8Array(), controlLabels = labels;   // those of the control: random units
/** Of "add" and "remove" and each class: the units that its brush uses. @type {Record<string, Record<string, Set<number>>>} */
const brushUnits = { add: {}, remove: {} };
let moved = 0;                                           // when the hand last moved: what a picture answers
let resting = 0;

// ------------------------------------------------------------------------------------------ what a stroke does

/**
 * Pixels found so far and how many in each place, by the points of a stroke, which grow.
 * @type {WeakMap<number[][], { hit: Uint8Array, pixels: Uint16Array, done: number }>}
 */
const masks = new WeakMap();

/**
 * How much a stroke covers of each place of r, over the most that it covers of any: a round brush of this many pixels
 * along a line. So a stroke has a soft edge. @param {Stroke} stroke
 */
function where({ points, brush }) {
  const known = masks.get(points) ?? { hit: new Uint8Array(SIDE * SIDE), pixels: new Uint16Array(PLACES), done: 0 };
  const reach = Math.max(brush, Math.SQRT2) ** 2 / 4;
  for (let n = Math.max(known.done - 1, 0); n < points.length; n++) {
    const [from, to] = [points[n], points[n + 1] ?? points[n]].map((place) => place.map((v) => v * SIDE));
    for (let i = 0; i < SIDE; i++) for (let j = 0; j < SIDE; j++) {
      if (known.hit[i * SIDE + j] || away(i, j, from, to) > reach) continue;
      known.hit[i * SIDE + j] = 1;
      known.pixels[Math.floor(i / CELL) * GRID + Math.floor(j / CELL)]++;
    }
  }
  known.done = points.length;
  masks.set(points, known);
  const most = Math.max(...known.pixels, 1);
  return Float32Array.from(known.pixels, (n) => n / most);
}

/** All strokes, with the one that is being drawn. */
const all = () => growing ? [...strokes, growing] : strokes;

/** r after some strokes, a new array. @param {Stroke[]} strokes */
function edited(strokes) {
  const out = scene.r.slice();
  for (const stroke of strokes) {
    const P = where(stroke), s = Math.min(stroke.strength, 1), k = about.units[stroke.action][stroke.cls].levels;
    for (const u of stroke.units) {
      const level = stroke.action === "add" ? k[u] * Math.max(stroke.strength, 1) : 0;
      for (let p = 0; p < PLACES; p++) if (P[p]) {
        const at = u * PLACES + p, amount = s * P[p];
        out[at] = amount * level + (1 - amount) * out[at];
      }
    }
  }
  return out;
}

/** What the last stroke in each place did: 1 added, −1 removed, 0 nothing. @param {string} [cls] of this class alone */
function signs(cls) {
  const sign = new Int8Array(PLACES);
  for (const stroke of all())
    if (!cls || stroke.cls === cls) where(stroke).forEach((on, p) => { if (on >= 0.5) sign[p] = stroke.action === "add" ? 1 : -1; });
  return sign;
}

const f = (/** @type {Float32Array} */ r) => run("progan-f", { r: [r, [1, UNITS, GRID, GRID]] });
const segment = async (/** @type {Float32Array} */ x) =>
  argmax(await run("segmenter", { x: [x, [1, 3, SIDE, SIDE]] }), about.classes.length);

// ------------------------------------------------------------------------------------------ drawing

/** The picture; then, when the hand rests, the pixels are counted. */
const render = latest(async (late) => {
  if (!scene) return;
  const answering = moved;
  r = edited(all());
  x = strokes.length || growing ? await f(r) : scene.x;
  draw(picture, x);
  if (answering) performance.measure("stroke to picture", { start: answering, end: performance.now() });
  if (answering === moved) moved = 0;
  drawOver();
  clearTimeout(resting);
  if (!late()) resting = setTimeout(count, growing ? REST : 0);
});

const count = latest(async (late) => {
  const seen = x;
  const found = strokes.length || growing ? await segment(seen) : scene.labels;
  if (late() || seen !== x) return;
  labels = found;
  if (!growing) await countControl();                    // costs as much again: when the hand has let go
  if (late() || seen !== x) return;
  showCounts();
  showUnits();
  performance.measure("counted");
});

/** The same strokes with as many random units: if they did the same, the class would not be special. */
async function countControl() {
  const x = strokes.length ? await f(edited(strokes.map((stroke) => ({ ...stroke, units: about.random.slice(0, stroke.units.length) })))) : scene.x;
  draw(element("control"), x);
  controlLabels = strokes.length ? await segment(x) : scene.labels;
}

/** The scene of a seed, unpainted. @param {number} seed */
async function open(seed) {
  const z = zs.slice(seed * Z, (seed + 1) * Z);
  const r = await run("progan-h", { z: [z, [1, Z]] });
  const x = await f(r);
  scene = { seed, r, x, labels: await segment(x) };
  strokes = []; undone = []; growing = null;
  history.replaceState(null, "", `#${seed}`);            // a link to this scene
  over.setAttribute("aria-label", text("paint_canvas", { seed, text: text("paint_how") }));
  controlLabels = scene.labels;
  draw(element("before"), x);
  draw(element("control"), x);
  element("before").setAttribute("aria-label", text("before_alt", { seed }));
  element("control").setAttribute("aria-label", text("control_alt", { seed }));
  await render();
  element("first")?.remove();
}

const openLatest = latest(() => open(seed()));

/** Frames around what was painted, the stroke that grows, the brush. */
function drawOver() {
  const size = Math.round(over.clientWidth * devicePixelRatio), cell = size / GRID, g = pen(over);
  if (over.width !== size) over.width = over.height = size;
  g.clearRect(0, 0, size, size);
  const sign = element("frame").checked ? signs() : new Int8Array(PLACES);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => i < 0 || j < 0 || i >= GRID || j >= GRID ? 0 : sign[i * GRID + j];
  for (const [colour, width] of /** @type {[string, number][]} */ ([["#000", 4], ["", 2]]))    // dark below: it shows on any picture
    for (let i = 0; i <= GRID; i++) for (let j = 0; j <= GRID; j++)
      for (const [other, di, dj] of [[at(i - 1, j), 0, 1], [at(i, j - 1), 1, 0]]) {
        const here = at(i, j);
        if (here === other) continue;
        const kind = here || other;                      // added: solid, yellow; removed: dashed, white
        g.strokeStyle = colour || (kind > 0 ? "#ffe100" : "#fff");
        g.lineWidth = width * devicePixelRatio;
        g.setLineDash(kind > 0 ? [] : [cell / 4, cell / 4]);
        g.beginPath(); g.moveTo(j * cell, i * cell); g.lineTo((j + dj) * cell, (i + di) * cell); g.stroke();
      }
  g.setLineDash([]);
  const brush = +element("brush").value / SIDE * size;
  const ring = hand.cursor ?? hand.pointer;
  if (ring) for (const [colour, width] of /** @type {[string, number][]} */ ([["#000", 3], ["#fff", 1.5]])) {
    g.strokeStyle = colour; g.lineWidth = width * devicePixelRatio;
    g.beginPath(); g.arc(ring[0] * size, ring[1] * size, brush / 2, 0, 7); g.stroke();
  }
}

function showCounts() {
  if (!scene) return;
  const was = new Int32Array(about.classes.length), now = was.slice();
  scene.labels.forEach((label) => was[label]++);
  labels.forEach((label) => now[label]++);
  const painted = new Set(all().map(({ cls }) => cls));
  element("counts").replaceChildren(...about.classes.flatMap((/** @type {string} */ cls, /** @type {number} */ c) => {
    if (!was[c] && !now[c]) return [];
    const row = document.createElement("tr"), name = document.createElement("th"), swatch = document.createElement("i");
    row.classList.toggle("on", painted.has(cls));
    row.dataset.class = cls;
    name.scope = "row";
    swatch.style.background = `rgb(${about.colours[c]})`;
    name.append(swatch, text(`class_${cls}`));
    const change = now[c] - was[c];
    row.append(name, ...[was[c], now[c], change ? `${change > 0 ? "+" : "−"}${Math.abs(change)}` : "0"].map((value) =>
      Object.assign(document.createElement("td"), { textContent: String(value) })));
    return [row];
  }));
  const there = about.classes.filter((/** @type {string} */ _, /** @type {number} */ c) => now[c]);
  paintLabels(element("labels"), labels, about.colours);
  element("labels").setAttribute("aria-label", text("labels_alt", { classes: list(there.map((/** @type {string} */ cls) => text(`class_${cls}`))) }));
  const pixels = SIDE * SIDE, change = Float32Array.from({ length: pixels }, (_, p) =>
    [0, 1, 2].reduce((sum, c) => sum + Math.abs(Math.min(Math.max(x[c * pixels + p], -1), 1) -
                                               Math.min(Math.max(scene.x[c * pixels + p], -1), 1)), 0) / 3);
  heat(element("changed"), change, about.heat);
  const visible = change.filter((v) => v > 0.1).length;
  element("changed").setAttribute("aria-label", text("changed_alt", { share: Math.round(100 * visible / pixels) }));
  say(was, now);
}

/** The same in a sentence, for the eye and for the ear. @param {Int32Array} was @param {Int32Array} now */
function say(was, now) {
  const last = growing ?? strokes.at(-1), action = chosen("action");
  if (!last) {
    element("said").textContent = text(action === "add" ? "nothing_add" : "nothing_remove", { cls: text(chosen("class")) });
    return;
  }
  const c = about.classes.indexOf(last.cls), sign = signs(last.cls), any = signs(), cls = text(last.cls);
  let parts = text(was[c] ? "removed" : "appeared", { cls: cls[0].toUpperCase() + cls.slice(1), before: was[c], after: now[c],
    percent: `${now[c] < was[c] ? "−" : "+"}${Math.abs(Math.round(100 * (now[c] / was[c] - 1)))}` });
  const asked = { remove: 0, add: 0 }, came = { remove: 0, add: 0 };
  let random = 0, outside = 0;
  labels.forEach((label, p) => {
    const place = Math.floor(p / SIDE / CELL) * GRID + Math.floor(p % SIDE / CELL), before = scene.labels[p];
    if (sign[place] < 0 && before === c) { asked.remove++; came.remove += +(label !== c); random += +(controlLabels[p] !== c); }
    if (sign[place] > 0 && before !== c) { asked.add++; came.add += +(label === c); random += +(controlLabels[p] === c); }
    if (!any[place] && label !== before) outside++;
  });
  if (sign.some((s) => s < 0)) parts += text("asked_remove", { asked: asked.remove, came: came.remove });
  if (sign.some((s) => s > 0)) parts += text("asked_add", { asked: asked.add, came: came.add, cls });
  if (!growing) parts += text("random_units", { came: random });
  element("said").textContent = parts + text("outside", { outside });
}

// ------------------------------------------------------------------------------------------ the units

/** The units that a stroke of now would use: those that draw the class, or those that remove it, but for taken out ones. */
const brushNow = () => brushUnits[chosen("action")][chosen("class")];

function showUnits() {
  if (!scene) return;
  const found = about.units[chosen("action")][chosen("class")], brush = brushNow();
  const tiles = found.units.map((/** @type {number} */ u, /** @type {number} */ n) => {
    const old = element(`unit-${u}`), tile = old ?? document.createElement("button");
    const map = old?.firstChild ?? Object.assign(document.createElement("canvas"), { width: GRID, height: GRID, className: "pixels" });
    const values = r.subarray(u * PLACES, (u + 1) * PLACES);
    const peak = Math.max(found.levels[u], ...scene.r.subarray(u * PLACES, (u + 1) * PLACES), 1e-6);
    heat(map, values.map((v) => v / peak), about.heat);
    const on = brush.has(u), alpha = found.alpha[n].toFixed(2);
    if (!old) {
      Object.assign(tile, { type: "button", id: `unit-${u}`, className: "unit" });
      tile.append(map, document.createElement("span"));
      tile.addEventListener("click", () => toggle(u));
    }
    tile.setAttribute("aria-pressed", String(on));
    tile.setAttribute("aria-label", text("unit_label", { unit: u, alpha, state: text(on ? "unit_in" : "unit_out") }));
    tile.lastChild.textContent = `${u} · α ${alpha}`;
    return tile;
  });
  const box = element("units");
  if (box.children.length !== tiles.length || tiles.some((/** @type {any} */ tile, /** @type {number} */ n) => box.children[n] !== tile))
    box.replaceChildren(...tiles);
}

/** @param {number} u */
function toggle(u) {
  const units = brushNow();
  units.has(u) ? units.delete(u) : units.add(u);
  retune();
}

/** The brush has changed: the last stroke follows, if it is of this kind, so that the hand need not paint again. */
function retune() {
  const last = strokes.at(-1);
  if (last && last.cls === chosen("class") && last.action === chosen("action")) {
    strokes[strokes.length - 1] = { ...last, units: [...brushNow()], strength: +element("strength").value };
    moved = performance.now();
    render();
  } else showUnits();
}

// ------------------------------------------------------------------------------------------ the controls

function end() {
  if (!growing) return;
  strokes.push(growing);
  growing = null; undone = [];
  change();
}

function change() {
  element("undo").disabled = !strokes.length;
  element("redo").disabled = !undone.length;
  element("reset").disabled = !strokes.length;
  element("seed").disabled = element("next").disabled = !scene;
  render();
}

const undo = () => { const stroke = strokes.pop(); if (stroke) undone.push(stroke); change(); };
const redo = () => { const stroke = undone.pop(); if (stroke) strokes.push(stroke); change(); };

const hand = drawing(over, GRID, {
  start(at, time) {
    if (!scene) return;
    moved = time;
    growing = { action: chosen("action"), cls: chosen("class"), points: [at], brush: +element("brush").value,
                units: [...brushNow()], strength: +element("strength").value };
    render();
  },
  move(at, time) {
    const [a, b] = growing?.points.at(-1) ?? at;
    if (growing && Math.hypot(at[0] - a, at[1] - b) * SIDE >= 0.5) {
      growing.points.push(at);
      moved ||= time;
      render();
    }
    drawOver();
  },
  end, show: drawOver, undo, redo,
});

function listen() {
  element("reset").onclick = () => { undone = strokes.splice(0).reverse(); change(); };
  element("seed").onchange = () => openAndShow();
  addEventListener("hashchange", () => {                 // typed into the address, or a step back in the history
    if (!named()) return;
    element("seed").value = named();
    openAndShow();
  });
  element("next").onclick = () => { element("seed").value = (seed() + 1) % about.seeds; openAndShow(); };
  element("frame").onchange = element("brush").oninput = drawOver;
  element("strength").oninput = retune;
  element("count").oninput = () => {
    takeFirst(chosen("action"), chosen("class"));
    retune();
  };
  element("class").onchange = showBrush;
  element("action").onchange = () => {                   // the mean level k seldom makes a new thing: twice of it does
    element("strength").value = chosen("action") === "add" ? 2 : 1;
    showStrength();
    showBrush();
  };
}

/** The brush's first units, as many as the slider says. @param {string} action @param {string} cls */
function takeFirst(action, cls) {
  brushUnits[action][cls] = new Set(about.units[action][cls].units.slice(0, +element("count").value));
}

function showBrush() {
  element("count").value = brushNow().size;
  element("count").dispatchEvent(new Event("shown"));
  showUnits();
  if (!strokes.length) showCounts();
}

async function openAndShow() {
  await openLatest();
  change();
}

/** The seed that the address names, as …/paint.html#17 does. */
const named = () => location.hash.match(/^#(\d+)$/)?.[1];

element("seed").value = named() ?? element("seed").value;
slider("brush", (v) => `${v} px`);
const showStrength = slider("strength", (v) => `× ${v}`);
element("count").addEventListener("shown", slider("count"));
choose("class", "tree");
for (const action of ["add", "remove"]) for (const cls of Object.keys(about.units[action])) takeFirst(action, cls);
run("segmenter").catch(() => {});                        // loaded beside the others
listen();
await openAndShow();
document.documentElement.dataset.ready = "yes";
quicken();
