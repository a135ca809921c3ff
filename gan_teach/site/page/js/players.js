// Two players: what the reader draws is real, D tells it from what G makes, and G follows. The rules are in duel.js.
import { curve, label, line, svg } from "./charts.js";
import { Game } from "./duel.js";
import { chance, output } from "./mlp.js";
import { away, chosen, drawing, element, player, seed, slider, text } from "./page.js";
import { SIDE, drawn, draws, field, look, sample, sharp, ways } from "./plane.js";

const CELLS = SIDE * SIDE, REAL = 160, FAKE = 256, PUSHED = 48, REACH = 0.8, KEPT = 400;     // REACH: of the brush, in cells
const RATES = [1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2];
const over = element("over");
/** What is painted, row by row from the top. @type {Uint8Array} */
let cells = new Uint8Array(CELLS);
/** @type {Uint8Array[]} */
let undone = [];
/** @type {Uint8Array[]} */
let past = [];
/** @type {import("./plane.js").Mixture} */
let mixture;
/** @type {Game} */
let game;
/** @type {Float64Array} */
let shownZ;
/** @type {Float64Array} */
let shownReal;
/** @type {{ real: number, fake: number, lossD: number, lossG: number }[]} */
let history = [];
let turnOfD = true, moved = "";
let stroked = 0;                                         // when the hand last moved: what a picture answers
/** @type {number[] | null} */
let last = null;                                         // where the hand was

// ------------------------------------------------------------------------------------------ what is drawn

/** Shapes to begin with: is the point (x, y), each within ±1 and y upwards, painted? @type {Record<string, (x: number, y: number) => boolean>} */
const SHAPES = {
  heart: (x, y) => ((1.3 * x) ** 2 + (1.3 * y) ** 2 - 1) ** 3 <= (1.3 * x) ** 2 * (1.3 * y) ** 3,
  circle: (x, y) => Math.abs(Math.hypot(x, y) - 0.66) < 0.07,
  wave: (x, y) => Math.abs(x) < 0.8 && Math.abs(y - 0.45 * Math.sin(4.4 * x)) < 0.09,
  spiral: (x, y) => {
    const r = Math.hypot(x, y), turn = (Math.atan2(y, x) / (2 * Math.PI) + 1) % 1;
    return r < 0.82 && [0, 1, 2].some((k) => Math.abs(r - 0.32 * (turn + k)) < 0.055);
  },
  islands: (x, y) => [[-0.6, 0.5], [0.6, 0.55], [0, -0.55]].some(([a, b]) => Math.hypot(x - a, y - b) < 0.17),
};

/** @param {string} name */
const shape = (name) => Uint8Array.from({ length: CELLS }, (_, i) =>
  +SHAPES[name](2 * (i % SIDE + 0.5) / SIDE - 1, 1 - 2 * (Math.floor(i / SIDE) + 0.5) / SIDE));

/** The drawing has changed: from now on this is real. */
function changed() {
  mixture = drawn(cells);
  if (mixture.centres.length) shownReal = sample(mixture, REAL, chance(1));
  else playing.play(false);
  if (!playing.playing) show();                          // else the next frame shows it
}

/** Keep what is drawn, for Undo. */
function keep() {
  past.push(cells.slice());
  undone = [];
  if (past.length > 100) past.shift();
}

/** @param {Uint8Array[]} from @param {Uint8Array[]} to */
function swap(from, to) {
  const other = from.pop();
  if (!other) return;
  to.push(cells);
  cells = other;
  changed();
}

/** Paint, or erase, along a line: every cell whose middle the brush touches. @param {number[]} from each in [0, 1] @param {number[]} to */
function brush(from, to) {
  const [a, b] = [from, to].map((place) => place.map((v) => v * SIDE)), on = +(chosen("tool") === "draw");
  for (let i = 0; i < CELLS; i++) if (away(Math.floor(i / SIDE), i % SIDE, a, b) <= REACH ** 2) cells[i] = on;
  changed();
}

// ------------------------------------------------------------------------------------------ the game

function begin() {
  game = new Game(draws(seed(), () => mixture));
  shownZ = chance(seed() + 1_000_003).normal(2 * FAKE);
  history = []; turnOfD = true; moved = "";
  turn();
}

function turn() {
  game.knobs = { lr: RATES[+element("rate").value], loss: chosen("loss") };
}

function dMoves() {
  for (let n = 0; n < +element("d-steps").value; n++) game.stepD();
  turnOfD = false; moved = "d_moved";
}

function gMoves() {
  game.stepG();
  turnOfD = true; moved = "g_moved";
}

const playing = player((slow) => {
  if (slow) return turnOfD ? dMoves() : gMoves();
  dMoves(); gMoves();
  moved = "";
}, show, 10);            // short: the hand that draws waits for it

// ------------------------------------------------------------------------------------------ what is seen

function show() {
  const fake = output(game.G, shownZ), some = mixture.centres.length > 0, few = fake.slice(0, 2 * PUSHED);
  const picture = element("picture"), seen = field(game.D);
  look(picture, { field: seen, real: some ? shownReal : undefined, fake, cells });
  if (element("pushes").checked) ways(sharp(picture), few, game.pushed(few));
  if (some) history.push(game.verdicts(shownReal, fake));
  history.splice(0, history.length - KEPT);
  showCursor();
  for (const id of ["play", "d", "g"]) element(id).disabled = !some;
  element("undo").disabled = !past.length;
  element("redo").disabled = !undone.length;
  element("said").textContent = said();
  showChart();
  if (stroked) performance.measure("stroke to picture", { start: stroked, end: performance.now() });
  stroked = 0;
}

function said() {
  const now = history.at(-1);
  if (!mixture.centres.length || !now) return text("nothing_drawn");
  return (moved && text(moved)) + text("verdicts_said", { steps_d: game.steps.d, steps_g: game.steps.g, real: now.real,
    fake: now.fake, loss_d: now.lossD, loss_g: now.lossG });
}

/** The cursor of the keys. */
function showCursor() {
  const g = sharp(over), cell = 1 / SIDE;
  g.clearRect(0, 0, 1, 1);
  if (!hand.cursor) return;
  const [x, y] = hand.cursor.map((v) => v - cell / 2);
  for (const [colour, width] of /** @type {[string, number][]} */ ([["#000", 0.009], ["#fff", 0.004]])) {
    g.strokeStyle = colour; g.lineWidth = width;
    g.strokeRect(x, y, cell, cell);
  }
}

/** D's mean verdicts after each look: real a blue line, generated a broken orange one. */
function showChart() {
  const W = element("chart").clientWidth, H = 190, left = 26, right = W - 138, top = 10, bottom = H - 14;
  const y = (/** @type {number} */ v) => bottom - v * (bottom - top), step = (right - left) / Math.max(1, history.length - 1);
  const grid = [[0, "0"], [0.5, "½"], [1, "1"]].map(([v, word]) => line(left, y(+v), right, y(+v)) +
    label(left - 7, y(+v) + 5, String(word), 'text-anchor="end"')).join("");
  const now = history.at(-1);
  if (!now) { element("chart").innerHTML = svg(W, H, grid, text("nothing_drawn")); return; }
  const shift = Math.abs(y(now.real) - y(now.fake)) < 18 ? (now.real >= now.fake ? 9 : -9) : 0;      // names beside each other
  element("chart").innerHTML = svg(W, H, grid + curve(history.map((v, n) => [left + n * step, y(v.real)]), "var(--real)") +
    curve(history.map((v, n) => [left + n * step, y(v.fake)]), "var(--fake)", "6 4") +
    label(right + 8, y(now.real) + 5 - shift, `+ ${text("real_points")}`, 'class="real"') +
    label(right + 8, y(now.fake) + 5 + shift, `● ${text("fake_points")}`, 'class="fake"'),
    text("chart_alt", { real: now.real.toFixed(2), fake: now.fake.toFixed(2) }));
}

// ------------------------------------------------------------------------------------------ the controls

const hand = drawing(over, SIDE, {
  start(at) { keep(); brush(last = at, at); },
  move(at, time) {
    if (!last) return;
    stroked ||= time;
    brush(last, last = at);
  },
  end() { last = null; },
  show: showCursor, undo: () => swap(past, undone), redo: () => swap(undone, past),
});
element("clear").onclick = () => { keep(); cells = new Uint8Array(CELLS); changed(); };
element("shapes").onclick = (/** @type {any} */ event) => {
  if (!event.target.value) return;
  keep();
  cells = shape(event.target.value);
  changed();
};

element("play").onclick = () => playing.play(!playing.playing);
element("d").onclick = playing.byHand(dMoves);
element("g").onclick = playing.byHand(gMoves);
element("reset").onclick = element("seed").onchange = playing.byHand(begin);
element("rate").oninput = element("loss").onchange = turn;
element("pushes").onchange = () => show();
slider("d-steps");
slider("rate", (v) => String(RATES[v]));
cells = shape("heart");
begin();
changed();
document.documentElement.dataset.ready = "yes";
