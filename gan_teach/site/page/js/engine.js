// The page's side of the worker: `await run("progan-f", { r: [values, [1, 64, 16, 16]] })` → Float32Array.

/** @typedef {Record<string, [Float32Array, number[]]>} Inputs */

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
/** @type {Map<number, { resolve: (output: Float32Array) => void, reject: (error: Error) => void }>} */
const waiting = new Map();
let last = 0;

worker.onmessage = (/** @type {MessageEvent} */ { data: { id, output, error } }) => {
  const { resolve, reject } = /** @type {any} */ (waiting.get(id));
  waiting.delete(id);
  error ? reject(new Error(error)) : resolve(output);
};
worker.onerror = (/** @type {ErrorEvent} */ event) => {                            // the worker itself did not load
  for (const { reject } of waiting.values()) reject(new Error(event.message || "the worker did not start"));
  waiting.clear();
};

/**
 * Run a network; without inputs only load it.
 * @param {string} name @param {Inputs} [inputs] @returns {Promise<Float32Array>}
 */
export function run(name, inputs) {
  const id = ++last;
  const named = inputs && Object.fromEntries(Object.entries(inputs).map(([key, [data, dims]]) => [key, { data, dims }]));
  worker.postMessage({ id, name, inputs: named });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** @param {string} name */
export const json = async (name) => (await fetched(name)).json();

/** Numbers of a .bin file. @param {string} name */
export const numbers = async (name) => new Float32Array(await (await fetched(name)).arrayBuffer());

/** @param {string} name */
async function fetched(name) {
  const answer = await fetch(new URL(`../data/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
}
