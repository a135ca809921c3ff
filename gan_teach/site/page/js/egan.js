// The rules of E-GAN (Wang et al. 2018), as gan_teach.egan: D learns, three losses make three children, D judges, one lives.
//
//   F = F_q + γ F_d     F_q = E D(G(z))     F_d = −log ‖∇_D (−E log D(x) − E log(1 − D(G(z))))‖
//
// Nothing descends on F, so F_d needs the gradient of a D that is held still, and no second derivative.
import { backward, copy, descend, forward, mean, network, output, sigmoid, softplus } from "./mlp.js";
import { SIZES } from "./plane.js";

/** @typedef {import("./mlp.js").Network} Network */
/** @typedef {import("./mlp.js").Moments} Moments */
/** @typedef {{ quality: number, diversity: number, total: number }} Fitness */
/** @typedef {{ number: number, mutations: string[], scores: Fitness[], winner: number }} Generation */

/** ∂M/∂l of each loss, by D = σ(l); the mean over the batch is taken by whoever asks. @type {Record<string, (D: number) => number>} */
export const mutations = {
  minimax: (D) => -0.5 * D,
  heuristic: (D) => -0.5 * (1 - D),
  least_squares: (D) => -2 * D * (1 - D) ** 2,
};
export const PHASES = ["train_d", "vary", "evaluate", "select"];
/** The plane's settings, as gan_teach.egan.plane.SETTINGS. */
export const SETTINGS = { batch: 64, fitnessBatch: 128, lr: 1e-3, betas: /** @type {[number, number]} */ ([0.5, 0.999]),
                          betasD: /** @type {[number, number]} */ ([0, 0.999]) };

/** ∇_D of E softplus(∓l): −E log D(x) of real points, −E log(1 − D(x)) of generated ones. @param {Network} D
 *  @param {Float64Array} x @param {boolean} real */
export function half(D, x, real) {
  const ys = forward(D, x), logits = /** @type {Float64Array} */ (ys.at(-1)), sign = real ? -1 : 1;
  const slope = logits.map((l) => sign * sigmoid(sign * l) / logits.length);
  return { gradient: backward(D, ys, slope, { weights: true }).gradient, loss: mean(logits, (l) => softplus(sign * l)), logits };
}

/** One step of D down −E log D(x) − E log(1 − D(G(z))), in place. @param {Network} D @param {Float64Array} x
 *  @param {Float64Array} fake @param {Moments | undefined} adam @param {number} lr */
export function learn(D, x, fake, adam, lr) {
  const real = half(D, x, true), other = half(D, fake, false);
  const gradient = real.gradient.map((g, n) => g.map((v, t) => v + other.gradient[n][t]));
  return { adam: descend(D, gradient, adam, lr, SETTINGS.betasD), loss: real.loss + other.loss };
}

/** ∇_G of a loss of D's logits, D held still. @param {Network} G @param {Network} D @param {Float64Array} z
 *  @param {(D: number) => number} slope ∂M/∂l */
export function move(G, D, z, slope) {
  const xs = forward(G, z), ys = forward(D, /** @type {Float64Array} */ (xs.at(-1)));
  const logits = /** @type {Float64Array} */ (ys.at(-1));
  const { input } = backward(D, ys, logits.map((l) => slope(sigmoid(l)) / logits.length), { input: true });
  return backward(G, xs, input, { weights: true }).gradient;
}

/** An evolution with one survivor. `real(n)` and `z(n)` draw points, 2·n numbers; `uniform()` draws the first weights. */
export class Evolution {
  /** @param {{ real: (n: number) => Float64Array, z: (n: number) => Float64Array, uniform: () => number }} draws */
  constructor(draws) {
    this.draws = draws;
    this.G = network(SIZES.G, draws.uniform);
    this.D = network(SIZES.D, draws.uniform);
    /** @type {Moments | undefined} */
    this.adamD = undefined;
    /** @type {Record<string, Moments>} */
    this.own = {};                                          // Adam's memory of each mutation
    this.knobs = { gamma: 0.01, dSteps: 1, active: Object.keys(mutations) };
    /** @type {{ mutation: string, G: Network }[]} */
    this.children = [];
    /** @type {Fitness[]} */
    this.scores = [];
    /** @type {Generation[]} */
    this.lineage = [];
    this.generation = 0;
    this.lossD = NaN;
  }

  /** n_D steps of D. */
  train_d() {
    for (let n = 0; n < this.knobs.dSteps; n++) {
      const x = this.draws.real(SETTINGS.batch), fake = output(this.G, this.draws.z(SETTINGS.batch));
      ({ adam: this.adamD, loss: this.lossD } = learn(this.D, x, fake, this.adamD, SETTINGS.lr));
    }
  }

  /** Variation: each mutation moves a copy of the parent by one step of Adam; its own z, its own memory. */
  vary() {
    this.scores = [];
    this.children = this.knobs.active.map((mutation) => {
      const G = copy(this.G), gradient = move(G, this.D, this.draws.z(SETTINGS.batch), mutations[mutation]);
      this.own[mutation] = descend(G, gradient, this.own[mutation], SETTINGS.lr, SETTINGS.betas);
      return { mutation, G };
    });
  }

  /** Evaluation: F of every child, on the same real points. The real half of ∇_D is the same for all: computed once. */
  evaluate() {
    const { gamma } = this.knobs, real = half(this.D, this.draws.real(SETTINGS.fitnessBatch), true);
    this.scores = this.children.map(({ G }) => {
      const { gradient, logits } = half(this.D, output(G, this.draws.z(SETTINGS.fitnessBatch)), false);
      const square = gradient.reduce((sum, g, n) => sum + g.reduce((s, v, t) => s + (v + real.gradient[n][t]) ** 2, 0), 0);
      const quality = mean(logits, sigmoid), diversity = -0.5 * Math.log(square);
      return { quality, diversity, total: quality + (gamma && gamma * diversity) };
    });
  }

  /** Selection: this child lives on. @param {number} winner */
  select(winner) {
    this.G = this.children[winner].G;
    this.lineage.push({ number: ++this.generation, mutations: this.children.map(({ mutation }) => mutation),
                        scores: this.scores, winner });
  }

  /** The fittest, of equals the first. */
  best() {
    return this.scores.reduce((best, { total }, i) => total > this.scores[best].total ? i : best, 0);
  }
}
