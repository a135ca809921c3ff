// The networks run here, beside the page, so that a stroke is drawn while they compute. The worker's name says on what.
const build = self.name === "webgpu" ? "jspi" : "wasm", suffix = build === "wasm" ? "" : `.${build}`;
/** @type {Promise<typeof import("./ort.wasm.js")>} */
const runtime = import(`./ort.${build}.js`).then((ort) => {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;                           // several need headers that a plain web server does not send
  ort.env.wasm.wasmPaths = { mjs: new URL(`./ort-wasm-simd-threaded${suffix}.js`, import.meta.url).href,
                             wasm: new URL(`./ort-wasm-simd-threaded${suffix}.wasm`, import.meta.url).href };
  return ort;
});

/** @type {Map<string, Promise<import("./ort.wasm.js").InferenceSession>>} */
const sessions = new Map();

/** A network; where that fails it is forgotten, so that it is loaded again when it is asked again. @param {string} name */
function load(name) {
  const session = runtime.then(({ InferenceSession }) => InferenceSession.create(
    new URL(`../networks/${name}.onnx`, import.meta.url).href, { executionProviders: [self.name] }));
  sessions.set(name, session);
  session.catch(() => sessions.delete(name));
  return session;
}

/** Whether WebAssembly is there and allowed: the smallest module tells. */
function able() {
  try {
    return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return false;
  }
}

self.onmessage = async ({ data: { id, name, inputs } }) => {
  try {
    const { Tensor } = await runtime;
    const session = await (sessions.get(name) ?? load(name));
    if (!inputs) return self.postMessage({ id });
    const feeds = Object.fromEntries(Object.entries(inputs).map(([key, { data, dims }]) =>
      [key, new Tensor("float32", data, dims)]));
    const begun = performance.now();
    const { y } = await session.run(feeds);
    const took = performance.now() - begun, output = Float32Array.from(/** @type {Float32Array} */ (y.data));
    self.postMessage({ id, output, took }, { transfer: [output.buffer] });
  } catch (error) {
    self.postMessage({ id, error: `${name}: ${error}`, cause: able() ? undefined : "no_wasm" });
  }
};
