// What every machine needs of the page: elements by name, texts, choices, and one job at a time.
const { default: texts } = await import(`./strings.${document.documentElement.lang}.js`).catch((error) => {
  document.getElementById("script")?.dispatchEvent(new Event("error"));    // the page says so itself: it has no other words yet
  throw error;
});

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

/** A text of the page, its {names} filled in, and {numbers:.2f}. @param {string} key @param {Record<string, any>} [values] */
export const text = (key, values = {}) => /** @type {Record<string, string>} */ (texts)[key].replace(/\{(\w+)(?::\.(\d)f)?\}/g,
  (/** @type {string} */ _, /** @type {string} */ name, /** @type {string} */ digits) => digits ? values[name].toFixed(+digits) : values[name]);

/** Items as words. @param {any[]} items */
export const list = (items) => items.join(document.documentElement.lang === "zh" ? "、" : ", ");

/** Tell the reader that the machine cannot go on. @param {Error} error @returns {never} */
export function failed(error) {
  const why = /** @type {string} */ (error.cause ?? (navigator.onLine ? "failed" : "offline"));
  element("said").replaceChildren(Object.assign(document.createElement("strong"),
    { textContent: text(why, { error: error.message.replace(/\.$/, "") }) }));
  throw error;
}

/** What a group of radio buttons says. @param {string} name */
export const chosen = (name) => /** @type {any} */ (document.querySelector(`input[name=${name}]:checked`))?.value;

/** @param {string} name @param {string | null} value */
export const choose = (name, value) => {
  for (const input of document.querySelectorAll(`input[name=${name}]`))
    /** @type {any} */ (input).checked = /** @type {any} */ (input).value === value;
};

/** The seed in its box, which shows what became of any other number: a whole one, from 0 to its last. */
export const seed = () => {
  const box = element("seed");
  return box.value = Math.min(Math.max(Math.round(+box.value) || 0, 0), +box.max);
};

/** Show a slider's value beside it, and tell it in the same words, now and after each move. @param {string} id @param {(v: number) => string} [say] */
export function slider(id, say = String) {
  const input = element(id), output = document.querySelector(`output[for=${id}]`);
  const show = () => {
    if (output) output.textContent = say(+input.value);
    input.setAttribute("aria-valuetext", say(+input.value));
  };
  input.addEventListener("input", show);
  show();
  return show;
}

/** What an arrow key adds to x and y. @type {Record<string, number[]>} */
export const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** How far the middle of a cell is from the line between two places, squared; all of it in cells.
 *  @param {number} row @param {number} column @param {number[]} from @param {number[]} to */
export function away(row, column, [a, b], [c, d]) {
  const x = column + 0.5 - a, y = row + 0.5 - b, u = c - a, v = d - b;
  const t = Math.min(Math.max((x * u + y * v) / Math.max(u * u + v * v, 1e-9), 0), 1);
  return (x - t * u) ** 2 + (y - t * v) ** 2;
}

/**
 * A square that is drawn on: by mouse or finger, or by arrow keys and space; and Undo and Redo, by Ctrl+Z too.
 * @param {any} over the square, of so many cells a side @param {number} cells
 * @param {{ start: (at: number[], time: number) => void, move: (at: number[], time: number) => void, end: () => void,
 *           show: () => void, undo: () => void, redo: () => void }} does a place is [x, y], each in [0, 1]
 */
export function drawing(over, cells, { start, move, end, show, undo, redo }) {
  /** Where the hand is; and the middle of the cell where the keys are. @type {{ pointer: number[] | null, cursor: number[] | null }} */
  const hand = { pointer: null, cursor: null };
  let down = false;
  const middle = [0.5 + 0.5 / cells, 0.5 + 0.5 / cells];
  const place = (/** @type {PointerEvent} */ event) => {
    const box = over.getBoundingClientRect();
    return hand.pointer = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  over.onpointerdown = (/** @type {PointerEvent} */ event) => {
    if (!event.isPrimary || event.button) return;
    over.setPointerCapture(event.pointerId);
    hand.cursor = null; down = true;
    start(place(event), event.timeStamp);
  };
  over.onpointermove = (/** @type {PointerEvent} */ event) => { if (event.isPrimary) move(place(event), event.timeStamp); };
  over.onpointerup = over.onpointercancel = over.onlostpointercapture = (/** @type {PointerEvent} */ event) => {
    if (event.isPrimary) { down = false; end(); }
  };
  over.onpointerleave = () => { hand.pointer = null; show(); };
  over.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const step = event.key === " " ? [0, 0] : ARROWS[event.key];
    if (!step || down || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (event.key === " " && event.repeat) return;         // held down it is one stroke, not thirty
    hand.cursor = (hand.cursor ?? middle).map((at, i) => (at + step[i] / cells + 1) % 1);
    if (event.key === " ") { start(hand.cursor, event.timeStamp); end(); }
    show();
  };
  over.onfocus = () => { if (over.matches(":focus-visible")) { hand.cursor = middle; show(); } };       // who comes by Tab sees it
  over.onblur = () => { hand.cursor = null; show(); };
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (document.activeElement?.matches("input[type=number]")) return;     // it has an undo of its own
    event.preventDefault();
    event.shiftKey ? redo() : undo();
  });
  addEventListener("resize", show);
  element("undo").onclick = undo;
  element("redo").onclick = redo;
  return hand;
}

/**
 * Call `job` again and again until it has seen the latest wish; never two at a time.
 * The job gets `late()`, true when a newer wish has come: then it may stop early.
 * @param {(late: () => boolean) => Promise<void>} job
 */
export function latest(job) {
  let wanted = 0, running = false;
  return async () => {
    wanted++;
    if (running) return;
    running = true;
    try {
      for (let seen = -1; seen !== wanted;) {
        const now = seen = wanted;
        await job(() => wanted !== now);
      }
    } catch (error) {
      failed(/** @type {Error} */ (error));
    } finally {
      running = false;
    }
  };
}

/**
 * Plays: `act` again and again, as often as a frame has time for, or slowly; `show` after each frame.
 * @param {(slow: boolean) => void} act @param {() => void} show @param {number} [budget] ms of a frame that acts may take
 */
export function player(act, show, budget = 30) {
  const SLOW = 700, slowly = () => chosen("pace") === "slow";               // ms from act to act
  const seen = () => {
    show();
    element("play").textContent = text(playing ? "pause" : "play");
    element("play").setAttribute("aria-pressed", String(playing));
    element("said").setAttribute("aria-live", playing ? "off" : "polite");
  };
  let playing = false, last = -Infinity, next = 0;
  const frame = (/** @type {number} */ now) => {
    if (!playing) return;
    if (!slowly() || now - last >= SLOW) {
      last = now;
      const until = performance.now() + budget;
      do act(slowly()); while (playing && !slowly() && performance.now() < until);
      seen();
    }
    next = requestAnimationFrame(frame);
  };
  const play = (/** @type {boolean} */ on) => {
    if (on === playing) return;
    playing = on;
    cancelAnimationFrame(next);
    if (on) next = requestAnimationFrame(frame);
    seen();
  };
  addEventListener("resize", () => show());
  return {
    get playing() { return playing; },
    play,
    /** What a button does: it ends the play, acts, and notes how long it took until that was seen. @param {() => void} act */
    byHand: (act) => (/** @type {Event} */ event) => {
      play(false);
      act();
      show();
      performance.measure("step to picture", { start: event.timeStamp, end: performance.now() });
    },
  };
}
