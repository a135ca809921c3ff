// The game of two players (Goodfellow et al. 2014), as gan_teach.egan.warm_up.Game: D and G take turns.
import { backward, descend, forward, mean, network, output, sigmoid, softplus } from "./mlp.js";
import { SETTINGS, learn, move } from "./egan.js";
import { SIZES } from "./plane.js";

/** What G descends on, and its slope by D = σ(l): −E log D and E log(1 − D). */
/** @type {Record<string, { slope: (D: number) => number, loss: (l: number) => number }>} */
export const losses = {
  "non-saturating": { slope: (D) => D - 1, loss: (l) => softplus(-l) },
  saturating: { slope: (D) => -D, loss: (l) => -softplus(l) },
};

export class Game {
  /** @param {{ real: (n: number) => Float64Array, z: (n: number) => Float64Array, uniform: () => number }} draws */
  constructor(draws) {
    this.draws = draws;
    this.G = network(SIZES.G, draws.uniform);
    this.D = network(SIZES.D, draws.uniform);
    /** @type {import("./mlp.js").Moments | undefined} */
    this.adamD = undefined;
    /** @type {import("./mlp.js").Moments | undefined} */
    this.adamG = undefined;
    this.knobs = { lr: SETTINGS.lr, loss: "non-saturating" };
    this.steps = { d: 0, g: 0 };
  }

  /** D learns: one step, G held still. */
  stepD() {
    const x = this.draws.real(SETTINGS.batch), fake = output(this.G, this.draws.z(SETTINGS.batch));
    const { adam, loss } = learn(this.D, x, fake, this.adamD, this.knobs.lr);
    this.adamD = adam;
    this.steps.d++;
    return loss;
  }

  /** G learns: one step, D held still. */
  stepG() {
    const gradient = move(this.G, this.D, this.draws.z(SETTINGS.batch), losses[this.knobs.loss].slope);
    this.adamG = descend(this.G, gradient, this.adamG, this.knobs.lr, SETTINGS.betas);
    this.steps.g++;
  }

  /** What D says on average, and both losses. @param {Float64Array} x @param {Float64Array} fake */
  verdicts(x, fake) {
    const real = output(this.D, x), other = output(this.D, fake);
    return { real: mean(real, sigmoid), fake: mean(other, sigmoid),
             lossD: mean(real, (l) => softplus(-l)) + mean(other, softplus), lossG: mean(other, losses[this.knobs.loss].loss) };
  }

  /** Where each generated point is asked to move, as if it were alone: −∂L_G/∂x, cut where it is longer than `longest`.
   *  @param {Float64Array} fake @param {number} [reach] @param {number} [longest] */
  pushed(fake, reach = 0.6, longest = 0.45) {
    const ys = forward(this.D, fake), slope = losses[this.knobs.loss].slope;
    const { input } = backward(this.D, ys, /** @type {Float64Array} */ (ys.at(-1)).map((l) => slope(sigmoid(l))), { input: true });
    return fake.map((v, t) => {
      const [a, b] = [input[t - t % 2], input[t - t % 2 + 1]], length = reach * Math.hypot(a, b);
      return v - reach * input[t] * Math.min(1, longest / Math.max(length, 1e-12));
    });
  }
}
