// Evolve: E-GAN on the plane, a phase at a time or as fast as the page can. The rules are in egan.js; here is what is seen.
import { COLOURS, SIGNS, label, line, mark, svg } from "./charts.js";
import { Evolution, PHASES, mutations } from "./egan.js";
import { chance, output } from "./mlp.js";
import { chosen, element, list, player, seed, slider, text } from "./page.js";
import { draws, field, look, measures, mixtures, sample } from "./plane.js";

const GAMMAS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2], MAGNIFY = [100, 50, 20, 10, 5, 2, 1];
const NAMES = Object.keys(mutations), SHOWN = 400, MOVES = 60, WINDOW = 100;
const MEASURE_EVERY = 25, CHOOSE_EVERY = 20;             // generations of a play; who pauses sees the survivor's own measures
/** @type {Evolution} */
let evolution;
/** Draws of the game, not of the pictures: looking changes nothing. @type {ReturnType<typeof draws>} */
let draw;
/** @type {import("./plane.js").Mixture} */
let mixture;
/** @type {Float64Array} */
let shownZ;
/** @type {Float64Array} */
let shownReal;
/** @type {import("./mlp.js").Network} */
let parent;                                              // of the children that are shown
let done = "", waiting = false, resume = false;          // the last phase; whether the reader must choose; and then play on
/** Where the keys were when the reader was asked to choose. @type {any} */
let asker = null;
let chosenByHand = 0, agreed = 0, measured = { at: -1, modes: 0, quality: 0, mmd2: 0 };
let unmeasured = false, due = false;                     // whether the survivor is to be measured; whether that is on its way
/** D's field, until D learns. @type {HTMLCanvasElement | null} */
let ground = null;
/** @type {{ yours: number, best: number } | null} */
let choice = null;
let speed = { since: 0, generations: 0, rate: 0 };

// ------------------------------------------------------------------------------------------ what happens

function begin() {
  const look = chance(seed() + 1_000_003);
  draw = draws(seed(), () => mixture);
  mixture = mixtures[chosen("data")]();
  evolution = new Evolution(draw);
  [shownZ, shownReal] = [look.normal(2 * SHOWN), sample(mixture, SHOWN / 2, look)];
  done = ""; waiting = resume = false; choice = null; chosenByHand = agreed = 0; measured.at = -1; unmeasured = false; ground = null;
  turn();
}

/** The knobs as they stand: they count from the next phase on. */
function turn() {
  evolution.knobs = { gamma: GAMMAS[+element("gamma").value], dSteps: +element("d-steps").value,
                      active: NAMES.filter((name) => element(`mutation-${name}`).checked) };
}

/** The next phase. @param {boolean} byHand */
function advance(byHand) {
  if (waiting) return;
  const next = PHASES[(PHASES.indexOf(done) + 1) % PHASES.length];
  if (next === "train_d") { ground = null; evolution.train_d(); }
  if (next === "vary") { parent = evolution.G; choice = null; evolution.vary(); }
  if (next === "evaluate") {
    evolution.evaluate();
    waiting = chosen("selection") === "mine" && evolution.children.length > 1 &&
              (byHand || evolution.generation % CHOOSE_EVERY === 0);
    if (waiting) { resume = playing.playing; playing.play(false); return; }
  }
  if (next === "select")
    evolution.select(chosen("selection") === "random" ? draw.below(evolution.children.length) : evolution.best());
  done = next;
  unmeasured ||= done === "select" && evolution.generation % MEASURE_EVERY === 0;
}

/** @param {boolean} byHand */
function generation(byHand) {
  do advance(byHand); while (!waiting && done !== "select");
}

/** The reader keeps this child. @param {number} child */
function choose(child) {
  choice = { yours: child, best: evolution.best() };
  chosenByHand++;
  agreed += +(choice.yours === choice.best);
  waiting = false;
  evolution.select(child);
  done = "select";
  resume ? start() : show();
  asker?.focus({ preventScroll: true });
}

function start() {
  speed = { since: performance.now(), generations: evolution.generation, rate: 0 };
  playing.play(true);
}

const playing = player((slow) => slow ? advance(false) : generation(false), show);

// ------------------------------------------------------------------------------------------ what is seen

function show() {
  const seen = ground ??= field(evolution.D), since = performance.now() - speed.since;
  if (playing.playing && since > 1000) speed = { since: performance.now(), generations: evolution.generation,
    rate: (evolution.generation - speed.generations) / since * 1000 };
  look(element("picture"), { field: seen, real: shownReal, fake: output(evolution.G, shownZ) });
  showChildren(seen);
  const next = PHASES[(PHASES.indexOf(done) + 1) % PHASES.length];
  element("step").textContent = text("step", { act: text(`next_${next}`) });
  const asks = waiting && !element("play").disabled;
  if (asks) asker = document.activeElement;
  for (const id of ["step", "generation"]) element(id).disabled = waiting;
  element("play").disabled = waiting;
  element("said").innerHTML = said();
  if (asks) {                                              // the keys are there at once; on a phone the children lie below
    element("children").querySelector("button:enabled").focus({ preventScroll: true });
    element("children").scrollIntoView({ block: "nearest" });
  }
  element("picture").setAttribute("aria-label", text("survivor_alt", { generation: evolution.generation }));
  if (!due) requestAnimationFrame(() => setTimeout(showPast));                // when the picture is on the screen
  due = true;
}

function said() {
  const before = text("generation_number", { generation: evolution.generation + +(done !== "select" && done !== "") });
  if (waiting) return before + text("please_choose");
  if (choice) return before + text(choice.yours === choice.best ? "same_choice" : "other_choice",
    { yours: words(choice.yours), best: words(choice.best), agreed, chosen: chosenByHand, of: evolution.children.length });
  if (playing.playing && chosen("pace") === "fast")
    return before + (speed.rate ? text("speed", { rate: Math.round(speed.rate) }) : "");
  const winner = evolution.lineage.at(-1);
  return before + text(`done_${done || "nothing"}`, { winner: winner ? words(winner.winner) : "" }) +
    (done === "train_d" ? text("loss_d", { loss: evolution.lossD }) : "");
}

/** The name of a child's mutation. @param {number} child */
const words = (child) => text(evolution.children[child].mutation);

/** A tile for each child: where the same z was and is, its fitness, the winner's star. Pictures first: they ask for their
 *  size, which words might change. @param {HTMLCanvasElement} seen */
function showChildren(seen) {
  const { children, scores } = evolution, box = element("children"), from = shownZ.subarray(0, 2 * MOVES), none = new Float64Array();
  const before = children.length ? output(parent, from) : none, after = children.map(({ G }) => output(G, from));
  const way = after.flatMap((x) => Array.from({ length: MOVES }, (_, n) => Math.hypot(x[2 * n] - before[2 * n], x[2 * n + 1] - before[2 * n + 1])));
  const typical = way.sort((a, b) => a - b)[way.length >> 1], times = MAGNIFY.find((k) => k * typical < 0.4) ?? 1;
  const child = NAMES.map((name) => children.findIndex(({ mutation }) => mutation === name));
  child.forEach((i, kind) => {
    const tile = box.children[kind] ?? newTile(box, NAMES[kind], kind);
    const x = i < 0 ? none : after[i].map((v, t) => before[t] + times * (v - before[t]));
    look(tile.querySelector("canvas"), { field: seen, fake: x, from: i < 0 ? undefined : before, dot: 0.014 });
  });
  const winner = done === "select" ? evolution.lineage.at(-1)?.winner : -1;
  child.forEach((i, kind) => {
    const tile = box.children[kind], judged = i >= 0 && (done === "evaluate" || done === "select") && scores[i] && !waiting;
    tile.disabled = !waiting || i < 0;
    tile.classList.toggle("won", i >= 0 && i === winner);
    tile.querySelector("small").innerHTML = judged ? text(scores[i].diversity && evolution.knobs.gamma ? "score" : "score_quality", {
      quality: scores[i].quality.toFixed(3), total: scores[i].total.toFixed(3) }) : text(i < 0 && children.length ? "takes_no_part" : "not_judged");
  });
  element("times").textContent = children.length ? text("moves_drawn", { times }) : text("not_made");
}

/** @param {HTMLElement} box @param {string} name @param {number} kind */
function newTile(box, name, kind) {
  const tile = Object.assign(document.createElement("button"), { type: "button", className: "child" });
  tile.innerHTML = `<canvas></canvas><span><i aria-hidden="true" style="color:${COLOURS[kind]}">${SIGNS[kind]}</i> ${text(name)}</span><small></small>`;
  tile.onclick = () => choose(evolution.children.findIndex(({ mutation }) => mutation === name));
  box.append(tile);
  return tile;
}

/** The last generations: a column each, its children in the rows of their mutations, a line to the one that lived on. */
function showTree() {
  const W = element("tree").clientWidth, H = 104, step = 23, shown = evolution.lineage.slice(-Math.floor((W - 10) / step));
  const y = (/** @type {string} */ name) => 18 + 32 * NAMES.indexOf(name), x = (/** @type {number} */ n) => 16 + step * n;
  const lines = shown.slice(1).flatMap(({ mutations, winner }, n) => mutations.map((name, i) => line(x(n),
    y(shown[n].mutations[shown[n].winner]), x(n + 1), y(name), i === winner ? "var(--green)" : "var(--line)", i === winner ? 2.5 : 1)));
  const marks = shown.flatMap(({ mutations, winner }, n) => mutations.map((name, i) => (i === winner
    ? `<circle cx="${x(n)}" cy="${y(name)}" r="9.5" fill="var(--paper)" stroke="var(--green)" stroke-width="2"/>` : "") +
    mark(NAMES.indexOf(name), x(n), y(name), 5, i === winner)));
  element("tree").innerHTML = svg(W, H, [...lines, ...marks].join("") || label(0, 55, text("tree_empty")), shown.length ? text("tree_alt", { n: shown.length,
    winners: list(shown.slice(-6).map(({ mutations, winner }) => text(mutations[winner]))) }) : text("tree_empty"));
}

/** The family, who won, and how good the survivor is: no picture waits for that, since to measure it takes a while. */
function showPast() {
  due = false;
  showTree();
  const { generation } = evolution;
  if (unmeasured || !playing.playing && generation && generation !== measured.at)
    measured = { at: generation, ...measures(mixture, output(evolution.G, shownZ)) };
  unmeasured = false;
  const last = evolution.lineage.slice(-WINDOW);
  element("won").innerHTML = NAMES.map((name, kind) => {
    const share = last.filter(({ mutations, winner }) => mutations[winner] === name).length / Math.max(1, last.length);
    return `<tr><th scope="row"><span style="color:${COLOURS[kind]}">${SIGNS[kind]}</span> ${text(name)}</th><td class="bar"><i style="width:${
      100 * share}%;background:${COLOURS[kind]}"></i></td><td>${last.length ? Math.round(100 * share) : "–"} %</td></tr>`;
  }).join("");
  const { at, modes, quality, mmd2 } = measured, some = at >= 0;
  element("measures").innerHTML = [
    ["modes", some ? text("modes_of", { modes, all: mixture.centres.length }) : "–"],
    ["high_quality", some ? `${Math.round(100 * quality)} %` : "–"], ["mmd2", some ? mmd2.toFixed(3) : "–"],
  ].map(([name, value]) => `<tr><th scope="row">${text(name)}</th><td>${value}</td></tr>`).join("");
}

// ------------------------------------------------------------------------------------------ the controls

element("mutations").innerHTML = NAMES.map((name, kind) => `<label class="tick"><input type="checkbox" id="mutation-${name}" checked><span
  style="color:${COLOURS[kind]}">${SIGNS[kind]}</span>${text(name)}</label>`).join("");
element("mutations").onchange = (/** @type {any} */ event) => {
  if (NAMES.every((name) => !element(`mutation-${name}`).checked)) event.target.checked = true;       // one must take part
  turn();
};
element("gamma").oninput = element("d-steps").oninput = turn;
element("play").onclick = () => playing.playing ? playing.play(false) : start();
element("step").onclick = playing.byHand(() => advance(true));
element("generation").onclick = playing.byHand(() => generation(true));
element("reset").onclick = element("data").onchange = element("seed").onchange = playing.byHand(begin);
element("selection").onchange = () => { if (waiting) { waiting = false; done = "evaluate"; show(); } };
slider("gamma", (v) => String(GAMMAS[v]));
slider("d-steps");
begin();
show();
document.documentElement.dataset.ready = "yes";
