// The plane on which both games are played: what is real, how good the generated points are, and a picture of it.
// As gan_teach.egan.plane and gan_teach.worlds.gaussians.
import { chance, output, sigmoid } from "./mlp.js";
import { fill, pen } from "./pictures.js";

/** Gaussians of equal weight and width. @typedef {{ centres: number[][], sigma: number }} Mixture */
/** @typedef {import("./mlp.js").Network} Network */

export const EXTENT = 2.2, WIDTH = 64, SIDE = 20;          // where the picture ends; units of a layer; cells of a drawing
export const SIZES = { G: [2, WIDTH, WIDTH, WIDTH, 2], D: [2, WIDTH, WIDTH, WIDTH, 1] };
const NEAR = 0.15, BANDWIDTHS = [0.125, 0.25, 0.5, 1, 2];

/** @type {Record<string, () => Mixture>} */
export const mixtures = {
  ring: () => ({ sigma: 0.02 / Math.SQRT2, centres: Array.from({ length: 8 }, (_, k) =>
    [Math.SQRT2 * Math.cos(Math.PI * k / 4), Math.SQRT2 * Math.sin(Math.PI * k / 4)]) }),
  grid: () => ({ sigma: 0.05 / Math.sqrt(8), centres: Array.from({ length: 25 }, (_, k) =>
    [Math.SQRT1_2 * (Math.floor(k / 5) - 2), Math.SQRT1_2 * (k % 5 - 2)]) }),
};

/** A drawing as data: a small Gaussian for each painted cell; rows from the top. @param {ArrayLike<number>} cells
 *  @returns {Mixture} */
export function drawn(cells) {
  const cell = 2 * EXTENT / SIDE;
  return { sigma: cell / 3, centres: Array.from(cells).flatMap((on, i) =>
    on ? [[cell * (i % SIDE + 0.5) - EXTENT, EXTENT - cell * (Math.floor(i / SIDE) + 0.5)]] : []) };
}

/** n real points. @param {Mixture} mixture @param {number} n @param {ReturnType<typeof chance>} draw */
export function sample({ centres, sigma }, n, draw) {
  const x = draw.normal(2 * n);
  for (let i = 0; i < n; i++) {
    const [a, b] = centres[draw.below(centres.length)];
    x[2 * i] = a + sigma * x[2 * i];
    x[2 * i + 1] = b + sigma * x[2 * i + 1];
  }
  return x;
}

/** What a game draws from a seed. @param {number} seed @param {() => Mixture} mixture what is real just now */
export function draws(seed, mixture) {
  const draw = chance(seed);
  return { ...draw, real: (/** @type {number} */ n) => sample(mixture(), n, draw), z: (/** @type {number} */ n) => draw.normal(2 * n) };
}

/** Modes found, the share of high quality, and MMD² to the mixture, exact in the mixture. @param {Mixture} mixture
 *  @param {Float64Array} fake */
export function measures({ centres, sigma }, fake) {
  const n = fake.length / 2, near = centres.map(() => 0);
  const away = (/** @type {number} */ i, /** @type {number[]} */ [a, b]) => (fake[2 * i] - a) ** 2 + (fake[2 * i + 1] - b) ** 2;
  let good = 0, mmd2 = 0;
  for (let i = 0; i < n; i++) {
    let nearest = Infinity;
    centres.forEach((centre, c) => {
      const d = away(i, centre);
      if (d <= NEAR * NEAR) near[c]++;
      nearest = Math.min(nearest, d);
    });
    if (nearest <= 9 * sigma * sigma) good++;
  }
  for (const h of BANDWIDTHS) {
    const one = h * h + sigma * sigma, two = one + sigma * sigma;
    let real = 0, between = 0, fakes = 0;
    for (const [a, b] of centres) {
      for (const [c, d] of centres) real += Math.exp(-((a - c) ** 2 + (b - d) ** 2) / (2 * two));
      for (let i = 0; i < n; i++) between += Math.exp(-away(i, [a, b]) / (2 * one));
    }
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++)
      fakes += Math.exp(-((fake[2 * i] - fake[2 * j]) ** 2 + (fake[2 * i + 1] - fake[2 * j + 1]) ** 2) / (2 * h * h));
    mmd2 += h * h / two * real / centres.length ** 2 - 2 * h * h / one * between / (centres.length * n)
          + fakes / (n * (n - 1) / 2);
  }
  return { modes: near.filter((count) => count >= 0.1 * n / centres.length).length, quality: good / n,
           mmd2: mmd2 / BANDWIDTHS.length };
}

// ------------------------------------------------------------------------------------------ pictures

const BLUE = "#005ab5", ORANGE = "#e66e00", CELLS = 32;
/** Where D is asked for its field: the middles of the cells, row by row from the top. */
const PLACES = Float64Array.from({ length: 2 * CELLS * CELLS }, (_, t) => {
  const i = t >> 1, at = t % 2 ? Math.floor(i / CELLS) : i % CELLS, v = EXTENT * (2 * (at + 0.5) / CELLS - 1);
  return t % 2 ? -v : v;
});

/** D's field, light where it says "real": a small canvas of CELLS×CELLS. @param {Network} D */
export function field(D) {
  const canvas = document.createElement("canvas"), logits = output(D, PLACES);
  canvas.width = canvas.height = CELLS;
  fill(canvas, CELLS, (p) => 95 + 155 * sigmoid(logits[p]));
  return canvas;
}

/** A canvas as sharp as the screen, and its pen in units of a side of 1. @param {HTMLCanvasElement} canvas */
export function sharp(canvas) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio) || 1, g = pen(canvas);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  g.setTransform(size, 0, 0, size, 0, 0);
  return g;
}

/** A place of the plane in a picture of side 1. @param {number} x @param {number} y */
const at = (x, y) => /** @type {[number, number]} */ ([(x + EXTENT) / (2 * EXTENT), (EXTENT - y) / (2 * EXTENT)]);

/** Lines from points to points. @param {CanvasRenderingContext2D} g @param {Float64Array} from @param {Float64Array} to */
export function ways(g, from, to) {
  g.strokeStyle = "#783200"; g.lineWidth = 0.004;
  g.beginPath();
  for (let i = 0; i < from.length; i += 2) {
    g.moveTo(...at(from[i], from[i + 1]));
    g.lineTo(...at(to[i], to[i + 1]));
  }
  g.stroke();
}

/**
 * One look at the game: blue crosses are real, orange dots generated, D is grey; a line from where a point was; what is
 * painted is bluish.
 * @param {HTMLCanvasElement} canvas
 * @param {{ field: HTMLCanvasElement, real?: Float64Array, fake: Float64Array, from?: Float64Array, dot?: number, cells?: Uint8Array }} seen
 */
export function look(canvas, { field, real, fake, from, dot = 0.0068, cells }) {
  const g = sharp(canvas);
  g.imageSmoothingQuality = "high";
  g.drawImage(field, 0, 0, 1, 1);
  g.fillStyle = "rgb(60 140 220 / .3)";
  cells?.forEach((on, i) => { if (on) g.fillRect(i % SIDE / SIDE, Math.floor(i / SIDE) / SIDE, 1 / SIDE, 1 / SIDE); });
  if (real) {
    g.strokeStyle = BLUE; g.lineWidth = 0.0035;
    g.beginPath();
    for (let i = 0; i < real.length; i += 2) {
      const [x, y] = at(real[i], real[i + 1]), r = 0.009;
      g.moveTo(x - r, y); g.lineTo(x + r, y); g.moveTo(x, y - r); g.lineTo(x, y + r);
    }
    g.stroke();
  }
  if (from) ways(g, from, fake);
  g.fillStyle = ORANGE;
  for (let i = 0; i < fake.length; i += 2) {
    const [x, y] = at(fake[i], fake[i + 1]);
    g.beginPath(); g.arc(x, y, dot, 0, 7); g.fill();
  }
}
