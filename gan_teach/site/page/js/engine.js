// The page's side of the workers: `await run("progan-f", { r: [values, [1, 64, 16, 16]] })` → Float32Array.
//
// WebAssembly computes first, so that no picture waits. Where there is WebGPU, `quicken` asks it what WebAssembly was
// asked; WebGPU computes from then on if its answers are the same and come no later. In the address, ?compute=webgpu
// asks for the same answers only, and ?compute=wasm for WebAssembly.
import { element, latest, text } from "./page.js";

/** @typedef {Record<string, [Float32Array, number[]]>} Inputs */
/** @typedef {{ output: Float32Array, took: number }} Answer */

const GREY = 255;                                        // answers may differ by half a grey level: 1 / GREY of [-1, 1]
const TRIES = 3;                                         // of each network on each side: the fastest counts
const wish = new URLSearchParams(location.search).get("compute");

/**
 * A worker on one of the builds of the runtime.
 * @param {"wasm" | "webgpu"} kind
 */
function start(kind) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: kind });
  /** @type {Map<number, { resolve: (answer: Answer) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let last = 0, works = false;                            // has it ever answered?
  /** Why it answers no more. @type {Error | null} */
  let over = null;
  const end = (/** @type {Error} */ error) => {
    over = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onmessage = (/** @type {MessageEvent} */ { data: { id, error, cause, ...answer } }) => {
    const asked = waiting.get(id);                         // none where it was given up: the answer comes late
    waiting.delete(id);
    works ||= !error;
    error ? asked?.reject(new Error(error, { cause })) : asked?.resolve(answer);
  };
  worker.onerror = (/** @type {ErrorEvent} */ event) => end(new Error(event.message || text("no_worker")));
  return {
    get works() { return works; },
    /** Run a network; without inputs only load it. @param {string} name @param {Inputs} [inputs] @returns {Promise<Answer>} */
    ask(name, inputs) {
      if (over) return Promise.reject(over);
      const id = ++last;
      const named = inputs && Object.fromEntries(Object.entries(inputs).map(([key, [data, dims]]) => [key, { data, dims }]));
      worker.postMessage({ id, name, inputs: named });
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    stop() {
      worker.terminate();
      end(new Error("the worker was stopped"));
    },
  };
}

let wasm = start("wasm"), spare = true;                  // may another worker take its place?
/** The other worker; null where WebGPU is not there, not wished for, or not right. @type {Promise<ReturnType<typeof start> | null>} */
let webgpu;
/** What each network was asked first, and answered. @type {Map<string, [Inputs, Float32Array]>} */
const first = new Map();
/** How long each network takes, in ms, where WebGPU answers the same. @type {Map<string, { wasm: number, webgpu: number }>} */
const right = new Map();
let moved = false;                                       // does WebGPU compute these?

/** Ask WebAssembly. A worker that never answered is replaced, once: where a module did not come, it asks for it no more.
 *  @param {string} name @param {Inputs} [inputs] @returns {Promise<Answer>} */
async function ask(name, inputs) {
  const worker = wasm;
  try {
    return await worker.ask(name, inputs);
  } catch (error) {
    if (worker === wasm) {
      if (worker.works || !spare) throw error;
      spare = false;
      wasm = start("wasm");
      worker.stop();
    }
    return wasm.ask(name, inputs);
  }
}

/**
 * Run a network; without inputs only load it.
 * @param {string} name @param {Inputs} [inputs] @returns {Promise<Float32Array>}
 */
export async function run(name, inputs) {
  if (inputs && moved && right.has(name)) {
    const answer = await webgpu.then((worker) => worker?.ask(name, inputs)).catch(refuse);
    if (answer) return answer.output;
  }
  const { output } = await ask(name, inputs);
  if (inputs && !first.has(name)) first.set(name, [inputs, output]);
  return output;
}

/** Let WebGPU compute what was asked so far, if it is there, right and no slower. To be called when the page is at rest. */
export const quicken = latest(async () => {
  const worker = await (webgpu ??= find());
  const fresh = [...first.keys()].filter((name) => !right.has(name));
  if (!worker || !fresh.length) return;
  try {
    for (const name of fresh) {
      const took = await compared(worker, name);
      if (!took) return void refuse();
      right.set(name, took);
    }
  } catch {
    return void refuse();
  }
  const sum = (/** @type {"wasm" | "webgpu"} */ side) => [...right.values()].reduce((sum, took) => sum + took[side], 0);
  moved = wish === "webgpu" || sum("webgpu") <= sum("wasm");
  const took = { wasm: sum("wasm").toFixed(), webgpu: sum("webgpu").toFixed() };
  element("computed").textContent = moved ? text("computed_webgpu", took) : text("computed_slower", took);
});

/** A worker on WebGPU, where the browser has it on a device of its own and its build of the runtime can wait (JSPI). */
async function find() {
  const { gpu, connection } = /** @type {any} */ (navigator);
  const adapter = wish !== "wasm" && /** @type {any} */ (globalThis).WebAssembly?.Suspending && await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return null;
  const costly = connection?.saveData || adapter.info?.isFallbackAdapter;              // 17 MB, or the CPU after all
  return costly && wish !== "webgpu" ? null : start("webgpu");
}

/** How long both take over what a network was asked first; null where they differ. @param {ReturnType<typeof start>} worker @param {string} name */
async function compared(worker, name) {
  const [inputs, known] = /** @type {[Inputs, Float32Array]} */ (first.get(name));
  const { output } = await worker.ask(name, inputs);
  const largest = known.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (!known.every((v, n) => Math.abs(v - output[n]) <= largest / GREY)) return null;
  const took = { wasm: Infinity, webgpu: Infinity };
  for (let n = 0; n < TRIES; n++) {
    took.wasm = Math.min(took.wasm, (await wasm.ask(name, inputs)).took);
    took.webgpu = Math.min(took.webgpu, (await worker.ask(name, inputs)).took);
  }
  return took;
}

/** WebGPU failed: WebAssembly goes on alone. */
function refuse() {
  webgpu.then((worker) => worker?.stop());
  webgpu = Promise.resolve(null);
  moved = false;
  element("computed").textContent = text("computed_wrong");
}

/** @param {string} name */
export const json = async (name) => (await fetched(name)).json();

/** Numbers of a .bin file. @param {string} name */
export const numbers = async (name) => new Float32Array(await (await fetched(name)).arrayBuffer());

/** @param {string} name */
async function fetched(name) {
  const answer = await fetch(new URL(`../data/${name}`, import.meta.url)).catch((error) => { throw new Error(`${name}: ${error.message}`); });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
}
