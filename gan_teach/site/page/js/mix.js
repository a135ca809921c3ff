// Mix: a destination, with some of its layers reading the style of a source.
//
//   w = f(z);  w' = w̄ + ψ (w − w̄);  ws[layers] ← ws + share · (ws_source − ws);  x = synthesis(ws, noise)
//
// As gan_teach.stylegan.truncate and mix. The large picture is drawn first, then the table, then the strip.
import { json, numbers, quicken, run } from "./engine.js";
import { ARROWS, choose, chosen, element, failed, latest, list, slider, text } from "./page.js";
import { draw } from "./pictures.js";

const W = 128, SIDE = 64, COLUMNS = 4, ROWS = 3, STEPS = 7;
const [about, zs] = await Promise.all([json("mix.json"), numbers("z.bin")]).catch(failed);
/** @type {Record<string, Float32Array>} */
const noises = {};
/** @type {Map<string, Float32Array>} */
const found = new Map();                                 // w by generator and seed
/** @type {Map<string, Float32Array>} */
const drawn = new Map();                                 // pictures by all that they depend on

/** Sources and destinations are places in the generator's list of seeds, the clearest first.
 *  @type {{ sources: number[], destinations: number[], layers: number[], cell: number[], draw: number }} */
const START = { sources: [0, 1, 2, 3], destinations: [4, 5, 6], layers: [0, 1, 2, 3], cell: [1, 1],
                draw: about.draws.length - 1 };          // the first press gives the first draw
const grid = element("grid"), model = () => about.models[chosen("model")];
const state = { ...structuredClone(START), cell: model().cell };
/** The layers of each name. @returns {Record<string, number[]>} */
const groups = () => ({ ...model().groups, all: [...Array(model().layers).keys()], none: [] });

// ------------------------------------------------------------------------------------------ what is computed

/** What the controls wish for just now; they may move on while it is computed. */
const wished = () => ({ name: chosen("model"), kind: chosen("noise"), draw: state.draw, psi: +element("psi").value,
                        layers: state.layers, share: +element("share").value });
/** @typedef {ReturnType<typeof wished>} Wish */

/** w of a seed. @param {string} name @param {number} seed */
async function mapping(name, seed) {
  const key = `${name} ${seed}`;
  const w = found.get(key) ?? await run(`${name}-mapping`, { z: [zs.slice(seed * W, (seed + 1) * W), [1, W]] });
  found.set(key, w);
  return w;
}

/** ws of a destination with styles of a source, 1×L×W. @param {Wish} wish @param {number} destination @param {number} source */
async function mixed({ name, psi, layers, share }, destination, source) {
  const { layers: L, w_avg } = about.models[name], ws = new Float32Array(L * W);
  const [d, s] = [await mapping(name, destination), await mapping(name, source)];
  for (let layer = 0; layer < L; layer++) {
    const t = layers.includes(layer) ? share : 0;
    for (let i = 0; i < W; i++) ws[layer * W + i] = w_avg[i] + psi * (d[i] + t * (s[i] - d[i]) - w_avg[i]);
  }
  return ws;
}

/** The noise of all layers in a row, and how long it is. @param {Wish} wish @returns {Promise<[Float32Array, number[]]>} */
async function noise({ name, kind, draw }) {
  noises[name] ??= await numbers(`${name}-noise.bin`);
  const length = noises[name].length / (1 + about.draws.length), row = kind === "stored" ? 0 : 1 + draw;
  return [kind === "off" ? new Float32Array(length) : noises[name].slice(row * length, (row + 1) * length), [length]];
}

/** A picture; the last 300 are kept. @param {Wish} wish @param {number} destination @param {number} source */
async function picture(wish, destination, source) {
  const { name, kind, draw, psi, layers, share } = wish, same = destination === source || !layers.length || !share;
  const key = [name, kind, draw, psi, destination, same ? "" : `${source} ${share} ${layers}`].join();
  let x = drawn.get(key);
  if (!x) {
    const ws = await mixed(wish, destination, source);
    x = await run(`${name}-synthesis`, { ws: [ws, [1, ws.length / W, W]], noise: await noise(wish) });
  }
  drawn.delete(key);
  drawn.set(key, x);
  if (drawn.size > 300) drawn.delete(/** @type {string} */ (drawn.keys().next().value));
  return x;
}

// ------------------------------------------------------------------------------------------ drawing

/** The seeds that meet in a cell: [destination, source]; in the margins a picture alone. @param {number} i @param {number} j */
const meet = (i, j) => [i ? state.destinations[i - 1] : state.sources[j - 1], j ? state.sources[j - 1] : state.destinations[i - 1]]
  .map((place) => model().seeds[place]);

/** A cell in words. @param {number} i @param {number} j */
const named = (i, j) => {
  const [destination, source] = meet(i, j);
  return text(i && j ? "tile_mixed" : i ? "tile_destination" : "tile_source", { destination, source });
};

let moved = 0;

const render = latest(async (late) => {
  const wish = wished(), answering = moved;
  const [i, j] = state.cell, [destination, source] = meet(i, j);
  draw(element("large"), await picture(wish, destination, source));
  if (answering) performance.measure("change to picture", { start: answering, end: performance.now() });
  if (answering === moved) moved = 0;
  say();
  if (late()) return;
  for (const tile of grid.querySelectorAll("button")) {
    const [i, j] = tile.dataset.cell.split(",").map(Number);
    const x = await picture(wish, .../** @type {[number, number]} */ (meet(i, j)));
    if (late()) return;
    draw(tile.firstChild, x);
  }
  const [d, s] = meet(Math.max(i, 1), Math.max(j, 1));
  const strip = [];
  for (let step = 0; step < STEPS && !late(); step++) strip.push(await picture({ ...wish, share: step / (STEPS - 1) }, d, s));
  if (late()) return;
  strip.forEach((x, step) => draw(element("strip"), x, step * SIDE));       // all at once: never half of another pair
  document.documentElement.dataset.ready = "yes";
  quicken();
});

function say() {
  const [i, j] = state.cell, share = +element("share").value, kind = chosen("noise");
  const layers = !(i && j) ? "" : state.layers.length
    ? text("mix_layers", { layers: list(state.layers), share: Math.round(100 * share) }) : text("mix_no_layers");
  const draw = kind === "drawn" ? ` (${about.draws[state.draw]})` : "";
  const said = text("mix_said", { what: named(i, j), layers, psi: (+element("psi").value).toFixed(2), noise: text(`noise_${kind}`) + draw });
  element("said").textContent = said;
  element("large").setAttribute("aria-label", said);
  element("python").textContent = python();
}

/** Python that draws the large picture again. */
function python() {
  const [i, j] = state.cell, [destination, source] = meet(i, j), psi = +element("psi").value, kind = chosen("noise");
  const ws = (/** @type {number} */ seed) => `G.ws(sample_z(1, G.z_dim, ${seed}), psi=${psi})`;
  const maps = { stored: "", drawn: `, ${about.draws[state.draw]}`, off: ", G.noise(layers=())" }[/** @type {"off"} */ (kind)];
  const share = +element("share").value;
  return [...(share === 1 || !(i && j) ? [] : ["import torch"]), "from gan_teach import load",
          "from gan_teach.networks.layers import sample_z", ...(i && j ? ["from gan_teach.stylegan import mix"] : []), "",
          `G = load("${model().checkpoint}")`, `ws = ${ws(destination)}`,
          ...(i && j ? [`source = ${ws(source)}`, ...(share === 1 ? [] : [`source = torch.lerp(ws, source, ${share})`]),
                        `ws = mix(ws, source, [${state.layers.join(", ")}])`] : []),
          `x = G.synthesis(ws${maps})`].join("\n");
}

/** The table: a button for each picture, one stop of the Tab key, arrow keys inside. */
function buildGrid() {
  const rows = [];
  for (let i = 0; i <= ROWS; i++) {
    const line = Object.assign(document.createElement("div"), { className: "line" });
    line.setAttribute("role", "row");
    for (let j = 0; j <= COLUMNS; j++) {
      const box = document.createElement("div");
      box.setAttribute("role", "gridcell");
      line.append(box);
      if (!i && !j) continue;
      const tile = document.createElement("button");
      Object.assign(tile, { type: "button", className: i && j ? "tile" : "tile head" });
      tile.dataset.cell = `${i},${j}`;
      tile.append(Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }));
      tile.onclick = () => pick(i, j);
      box.append(tile);
    }
    rows.push(line);
  }
  grid.replaceChildren(...rows);
  grid.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const i = Math.min(Math.max(state.cell[0] + step[1], 0), ROWS), j = Math.min(Math.max(state.cell[1] + step[0], 0), COLUMNS);
    if (i || j) { pick(i, j); grid.querySelector(`[data-cell="${i},${j}"]`).focus(); }
  };
}

/** @param {number} i @param {number} j */
function pick(i, j) {
  state.cell = [i, j];
  change();
}

/** Show the state on the controls, and draw it. */
function change() {
  moved ||= performance.now();
  for (const tile of grid.querySelectorAll("button")) {
    const [i, j] = tile.dataset.cell.split(",").map(Number), on = i === state.cell[0] && j === state.cell[1];
    tile.setAttribute("aria-pressed", String(on));
    tile.tabIndex = on ? 0 : -1;
    tile.setAttribute("aria-label", named(i, j));
  }
  choose("group", Object.entries(groups()).find(([, layers]) => String(layers) === String(state.layers))?.[0] ?? null);
  element("layers").querySelectorAll("input").forEach((/** @type {any} */ input) => { input.checked = state.layers.includes(+input.value); });
  render();
}

function listen() {
  element("layers").append(...Array.from({ length: model().layers }, (_, layer) => {
    const label = Object.assign(document.createElement("label"), { title: text("layer", { layer, pixels: model().sizes[layer] }) });
    const input = Object.assign(document.createElement("input"), { type: "checkbox", value: String(layer) });
    input.setAttribute("aria-label", label.title);
    label.append(input, Object.assign(document.createElement("span"), { textContent: String(layer) }));
    return label;
  }));
  element("layers").onchange = () => {
    state.layers = Array.from(element("layers").querySelectorAll("input:checked"), (/** @type {any} */ input) => +input.value);
    change();
  };
  element("group").onchange = () => {
    state.layers = groups()[chosen("group")];
    change();
  };
  element("model").onchange = () => pick(model().cell[0], model().cell[1]);
  element("noise").onchange = change;
  for (const input of document.querySelectorAll("input[value=drawn]"))    // pressed again: the next draw
    input.addEventListener("click", () => { state.draw = (state.draw + 1) % about.draws.length; change(); });
  element("share").addEventListener("input", change);
  element("psi").addEventListener("input", change);
  for (const kind of /** @type {("sources" | "destinations")[]} */ (["sources", "destinations"]))
    element(`new-${kind}`).onclick = () => {
      const next = Math.max(...state.sources, ...state.destinations) + 1;
      state[kind] = state[kind].map((_, n) => (next + n) % model().seeds.length);
      change();
    };
  element("reset").onclick = () => {
    Object.assign(state, structuredClone(START), { cell: model().cell });
    element("share").value = 1; element("psi").value = 0.7;
    for (const id of ["share", "psi"]) element(id).dispatchEvent(new Event("input"));
    choose("noise", "stored");
    change();
  };
}

slider("share", (v) => `${Math.round(100 * v)} %`);
slider("psi", (v) => v.toFixed(2));
buildGrid();
listen();
change();
