// Two small networks of points, by hand: forwards, backwards, and a step of Adam.
//
//   y_0 = x;  y_l = max(0, y_{l−1} Wᵀ + b);  the last layer without the max
//
// As gan_teach.networks.dcgan.PlaneGenerator and PlaneDiscriminator: W is out×in, as PyTorch keeps it. A general library
// spends most of its time between operations as small as these, and is a hundred times as large
// (tests/benchmarks/bench_tfjs.mjs). Batches are rows, one after the other: N×in numbers.

/** @typedef {{ w: Float64Array, b: Float64Array, inputs: number, outputs: number }} Layer */
/** @typedef {Layer[]} Network */
/** @typedef {Float64Array[]} Gradient  one for each of `parameters` */
/** @typedef {{ step: number, mean: Gradient, square: Gradient }} Moments */

/** Weights and biases uniform within ±1/√in, PyTorch's own start. @param {number[]} sizes @param {() => number} uniform
 *  @returns {Network} */
export const network = (sizes, uniform) => sizes.slice(1).map((outputs, l) => {
  const inputs = sizes[l], some = (/** @type {number} */ n) =>
    Float64Array.from({ length: n }, () => (2 * uniform() - 1) / Math.sqrt(inputs));
  return { w: some(outputs * inputs), b: some(outputs), inputs, outputs };
});

/** @param {Network} net @returns {Network} */
export const copy = (net) => net.map((layer) => ({ ...layer, w: layer.w.slice(), b: layer.b.slice() }));

/** @param {Network} net */
export const parameters = (net) => net.flatMap(({ w, b }) => [w, b]);

/** a bᵀ: every row of a, N×K, times every row of b, M×K → N×M. Four rows of a and two of b at once: each number that is
 *  read serves several products. @param {Float64Array} a @param {Float64Array} b @param {number} N @param {number} M
 *  @param {number} K */
function product(a, b, N, M, K) {
  const y = new Float64Array(N * M), rows = N - N % 4, columns = M - M % 2;
  for (let i = 0; i < rows; i += 4) {
    const p = i * K, q = p + K, r = q + K, s = r + K;
    for (let j = 0; j < columns; j += 2) {
      const u = j * K, v = u + K, o = i * M + j;
      let c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, l = 0, m = 0;
      for (let k = 0; k < K; k++) {
        const left = b[u + k], right = b[v + k], A = a[p + k], B = a[q + k], C = a[r + k], D = a[s + k];
        c += A * left; d += B * left; e += C * left; f += D * left;
        g += A * right; h += B * right; l += C * right; m += D * right;
      }
      y[o] = c; y[o + M] = d; y[o + 2 * M] = e; y[o + 3 * M] = f;
      y[o + 1] = g; y[o + M + 1] = h; y[o + 2 * M + 1] = l; y[o + 3 * M + 1] = m;
    }
  }
  for (let i = 0; i < N; i++) for (let j = i < rows ? columns : 0; j < M; j++) {          // what is left
    let c = 0;
    for (let k = 0; k < K; k++) c += a[i * K + k] * b[j * K + k];
    y[i * M + j] = c;
  }
  return y;
}

/** @param {Float64Array} x @param {number} rows @param {number} columns */
function transposed(x, rows, columns) {
  const y = new Float64Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) y[j * rows + i] = x[i * columns + j];
  return y;
}

/** All y_l, x first; the last is the output. @param {Network} net @param {Float64Array} x */
export function forward(net, x) {
  const ys = [x], N = x.length / net[0].inputs;
  net.forEach(({ w, b, inputs, outputs }, l) => {
    const y = product(ys[l], w, N, outputs, inputs), last = l === net.length - 1;
    for (let t = 0; t < y.length; t++) {
      y[t] += b[t % outputs];
      if (!last && y[t] < 0) y[t] = 0;
    }
    ys.push(y);
  });
  return ys;
}

/** The output alone. @param {Network} net @param {Float64Array} x */
export const output = (net, x) => /** @type {Float64Array} */ (forward(net, x).at(-1));

/**
 * From ∂L/∂y of the output to ∂L/∂W and ∂L/∂b of every layer, and to ∂L/∂x; what is not wanted is not computed.
 * @param {Network} net @param {Float64Array[]} ys what `forward` gave @param {Float64Array} slope ∂L/∂y, N×out
 * @param {{ weights?: boolean, input?: boolean }} wanted
 */
export function backward(net, ys, slope, { weights = false, input = false }) {
  /** @type {Gradient} */
  const gradient = [];
  const N = ys[0].length / net[0].inputs;
  for (let l = net.length - 1; l >= 0; l--) {
    const { w, inputs, outputs } = net[l], x = ys[l];
    if (weights) {
      const by = transposed(slope, N, outputs), b = new Float64Array(outputs);
      for (let t = 0; t < by.length; t++) b[Math.floor(t / N)] += by[t];
      gradient.unshift(product(by, transposed(x, N, inputs), outputs, inputs, N), b);
    }
    if (!l && !input) break;
    slope = product(slope, transposed(w, outputs, inputs), N, inputs, outputs);
    if (l) for (let t = 0; t < slope.length; t++) if (x[t] === 0) slope[t] = 0;           // behind the max
  }
  return { gradient, input: slope };
}

/**
 * One step of Adam, in place; the moments before it (none: zero) → after it. Those given are not changed.
 * @param {Network} net @param {Gradient} gradient @param {Moments | undefined} before @param {number} lr
 * @param {[number, number]} betas
 */
export function descend(net, gradient, before, lr, [beta1, beta2]) {
  const zero = () => gradient.map((g) => new Float64Array(g.length)), step = (before?.step ?? 0) + 1;
  const mean = before?.mean.map((m) => m.slice()) ?? zero(), square = before?.square.map((v) => v.slice()) ?? zero();
  const rate = lr / (1 - beta1 ** step), scale = Math.sqrt(1 - beta2 ** step);
  parameters(net).forEach((p, n) => {
    const g = gradient[n], m = mean[n], v = square[n];
    for (let t = 0; t < p.length; t++) {
      m[t] += (1 - beta1) * (g[t] - m[t]);
      v[t] = beta2 * v[t] + (1 - beta2) * g[t] * g[t];
      p[t] -= rate * m[t] / (Math.sqrt(v[t]) / scale + 1e-8);
    }
  });
  return { step, mean, square };
}

export const sigmoid = (/** @type {number} */ l) => 1 / (1 + Math.exp(-l));

/** log(1 + e^l), without overflow. @param {number} l */
export const softplus = (l) => Math.max(l, 0) + Math.log1p(Math.exp(-Math.abs(l)));

/** @param {Float64Array} values @param {(value: number) => number} [of] */
export const mean = (values, of = (value) => value) => values.reduce((sum, value) => sum + of(value), 0) / values.length;

/**
 * Chance from a seed (mulberry32), and normal numbers from it (Box and Muller). @param {number} seed
 */
export function chance(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (/** @type {number} */ n) => Float64Array.from({ length: n }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
  return { uniform, normal, below: (/** @type {number} */ n) => Math.floor(uniform() * n) };
}
