// The networks run here, beside the page, so that a stroke is drawn while they compute.
import * as ort from "./ort.js";

// One thread: several need headers that a plain web server does not send.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { mjs: new URL("./ort-wasm-simd-threaded.js", import.meta.url).href,
                           wasm: new URL("./ort-wasm-simd-threaded.wasm", import.meta.url).href };

/** @type {Map<string, Promise<ort.InferenceSession>>} */
const sessions = new Map();

/** @param {string} name */
const load = (name) => ort.InferenceSession.create(new URL(`../networks/${name}.onnx`, import.meta.url).href);

self.onmessage = async ({ data: { id, name, inputs } }) => {
  try {
    if (!sessions.has(name)) sessions.set(name, load(name));
    const session = await /** @type {Promise<ort.InferenceSession>} */ (sessions.get(name));
    if (!inputs) return self.postMessage({ id });
    const feeds = Object.fromEntries(Object.entries(inputs).map(([key, { data, dims }]) =>
      [key, new ort.Tensor("float32", data, dims)]));
    const { y } = await session.run(feeds);
    const output = Float32Array.from(/** @type {Float32Array} */ (y.data));
    self.postMessage({ id, output }, { transfer: [output.buffer] });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
