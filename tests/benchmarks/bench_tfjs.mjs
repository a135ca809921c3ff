// Why the pages train by their own lines: a generation of E-GAN on the plane, by them and by TensorFlow.js, in Node.
//
//     npm install --prefix DIR @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
//     node tests/benchmarks/bench_tfjs.mjs DIR [rounds]
//
// All begin with the same weights and see the same draws; the first generation must give the same F. Then they take
// turns; ms are of the processor. Node 20.19 or newer. Prints JSON, of which `python -m tests.benchmarks --only tfjs`
// makes a table.
import { readFileSync } from "fs";
import { createRequire } from "module";
import { resolve } from "path";
import { fileURLToPath } from "url";
import { gzipSync } from "zlib";
import { Evolution, SETTINGS } from "../../gan_teach/site/page/js/egan.js";
import { chance } from "../../gan_teach/site/page/js/mlp.js";
import { mixtures, sample } from "../../gan_teach/site/page/js/plane.js";

const [folder, rounds = "10"] = process.argv.slice(2), STEPS = 5, WARM = 3;
const packages = resolve(folder, "node_modules/@tensorflow"), load = createRequire(`${packages}/`);
const tf = load("@tensorflow/tfjs");
load("@tensorflow/tfjs-backend-wasm");

const drawn = () => {
  const draw = chance(0), mixture = mixtures.grid();
  return { real: (n) => sample(mixture, n, draw), z: (n) => draw.normal(2 * n), uniform: draw.uniform };
};

/** The same with a library: gradients, Adam and products are TensorFlow's. */
class Theirs {
  constructor() {
    const { G, D } = new Evolution(this.draws = drawn());
    const variables = (net) => net.flatMap(({ w, b, inputs, outputs }) =>
      [tf.variable(tf.tensor2d(Float32Array.from(w), [outputs, inputs])), tf.variable(tf.tensor1d(Float32Array.from(b)))]);
    this.parent = variables(G).map((p) => p.clone());
    this.D = variables(D);
    const { lr, betas, betasD } = SETTINGS;
    this.adamD = tf.train.adam(lr, ...betasD, 1e-8);
    this.children = [
      (l) => tf.neg(tf.mul(0.5, tf.mean(tf.softplus(l)))), (l) => tf.mul(0.5, tf.mean(tf.softplus(tf.neg(l)))),
      (l) => tf.mean(tf.square(tf.sub(tf.sigmoid(l), 1))),
    ].map((loss) => ({ loss, G: variables(G), adam: tf.train.adam(lr, ...betas, 1e-8) }));
  }

  run(net, x) {
    for (let l = 0; l < net.length; l += 2) {
      x = tf.add(tf.matMul(x, net[l], false, true), net[l + 1]);
      if (l < net.length - 2) x = tf.relu(x);
    }
    return x;
  }

  real(n) { return tf.tensor2d(Float32Array.from(this.draws.real(n)), [n, 2]); }
  z(n) { return tf.tensor2d(Float32Array.from(this.draws.z(n)), [n, 2]); }
  lossD(x, fake) {
    return tf.add(tf.mean(tf.softplus(tf.neg(this.run(this.D, x)))), tf.mean(tf.softplus(this.run(this.D, fake))));
  }

  /** Returns F of every child. */
  step() {
    const { batch, fitnessBatch } = SETTINGS;
    tf.tidy(() => {
      const x = this.real(batch), fake = this.run(this.parent, this.z(batch));
      this.adamD.applyGradients(tf.variableGrads(() => this.lossD(x, fake), this.D).grads);
    });
    for (const { loss, G, adam } of this.children) tf.tidy(() => {
      const z = this.z(batch);
      G.forEach((p, n) => p.assign(this.parent[n]));
      adam.applyGradients(tf.variableGrads(() => loss(this.run(this.D, this.run(G, z))), G).grads);
    });
    const F = tf.tidy(() => {
      const x = this.real(fitnessBatch);
      return this.children.map(({ G }) => {
        const fake = this.run(G, this.z(fitnessBatch));
        const { grads } = tf.variableGrads(() => this.lossD(x, fake), this.D);
        const square = tf.addN(Object.values(grads).map((g) => tf.sum(tf.square(g))));
        return tf.add(tf.mean(tf.sigmoid(this.run(this.D, fake))), tf.mul(-0.005, tf.log(square))).dataSync()[0];
      });
    });
    const winner = this.children[F.indexOf(Math.max(...F))].G;
    tf.dispose(this.parent);
    this.parent = winner.map((p) => p.clone());
    return F;
  }
}

class Ours extends Evolution {
  constructor() { super(drawn()); }
  step() {
    this.train_d(); this.vary(); this.evaluate();
    const F = this.scores.map(({ total }) => total);
    this.select(this.best());
    return F;
  }
}

const ways = { ours: new Ours() };
for (const backend of ["cpu", "wasm"]) {
  await tf.setBackend(backend);
  ways[`TensorFlow.js, ${backend}`] = new Theirs();
}
const ready = (way) => way === "ours" || tf.setBackend(way.split(", ")[1]);
const took = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
let wanted;
for (let round = 0; round < WARM + +rounds; round++) for (const [way, evolution] of Object.entries(ways)) {
  await ready(way);
  const before = process.cpuUsage();
  for (let n = 0; n < STEPS; n++) {
    const F = evolution.step();
    if (!round && !n) {
      wanted ??= F;
      if (F.some((f, k) => Math.abs(f - wanted[k]) > 1e-4)) throw new Error(`${way} judges otherwise: ${F} for ${wanted}`);
    }
  }
  const { user, system } = process.cpuUsage(before);
  if (round >= WARM) took[way].push((user + system) / 1e3 / STEPS);
}

const kB = (...paths) => {
  const files = paths.map((path) => readFileSync(path)), sum = (sizes) => Math.round(sizes.reduce((a, b) => a + b) / 1e3);
  return { kb: sum(files.map((file) => file.length)), kb_packed: sum(files.map((file) => gzipSync(file).length)) };
};
const ownFile = (name) => fileURLToPath(new URL(`../../gan_teach/site/page/js/${name}.js`, import.meta.url));
const core = `${packages}/tfjs/dist/tf.min.js`, wasm = `${packages}/tfjs-backend-wasm/dist`;
const bytes = { ours: kB(ownFile("mlp"), ownFile("egan")),
                "TensorFlow.js, cpu": kB(core),
                "TensorFlow.js, wasm": kB(core, `${wasm}/tf-backend-wasm.min.js`, `${wasm}/tfjs-backend-wasm-simd.wasm`) };
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(JSON.stringify(Object.entries(took).map(([way, ms]) => ({ way, ms: +median(ms).toFixed(1),
  times_ours: +median(ms.map((v, k) => v / took.ours[k])).toFixed(1), ...bytes[way] }))));
