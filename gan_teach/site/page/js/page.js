// What every machine needs of the page: elements by name, texts, choices, and one job at a time.
import texts from "./strings.js";

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

/** A text of the page, its {names} filled in. @param {string} key @param {Record<string, any>} [values] */
export const text = (key, values = {}) =>
  /** @type {Record<string, string>} */ (texts)[key].replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => values[name]);

/** What a group of radio buttons says. @param {string} name */
export const chosen = (name) => /** @type {any} */ (document.querySelector(`input[name=${name}]:checked`))?.value;

/** @param {string} name @param {string | null} value */
export const choose = (name, value) => {
  for (const input of document.querySelectorAll(`input[name=${name}]`))
    /** @type {any} */ (input).checked = /** @type {any} */ (input).value === value;
};

/** Show a slider's value beside it, now and after each move. @param {string} id @param {(v: number) => string} [say] */
export function slider(id, say = String) {
  const input = element(id), output = document.querySelector(`output[for=${id}]`);
  const show = () => { if (output) output.textContent = say(+input.value); };
  input.addEventListener("input", show);
  show();
  return show;
}

/**
 * Call `job` again and again until it has seen the latest wish; never two at a time.
 * The job gets `late()`, true when a newer wish has come: then it may stop early.
 * @param {(late: () => boolean) => Promise<void>} job @param {(error: Error) => void} failed
 */
export function latest(job, failed) {
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
 * @param {() => void} act @param {() => void} show @param {() => boolean} slowly
 * @param {number} [budget] ms of a frame that acts may take
 */
export function player(act, show, slowly, budget = 30) {
  const SLOW = 700;                                      // ms from act to act
  let playing = false, last = -Infinity, next = 0;
  const frame = (/** @type {number} */ now) => {
    if (!playing) return;
    if (!slowly() || now - last >= SLOW) {
      last = now;
      const until = performance.now() + budget;
      do act(); while (playing && !slowly() && performance.now() < until);
      show();
    }
    next = requestAnimationFrame(frame);
  };
  return {
    get playing() { return playing; },
    /** @param {boolean} on */
    play(on) {
      if (on === playing) return;
      playing = on;
      cancelAnimationFrame(next);
      if (on) next = requestAnimationFrame(frame);
      show();
    },
  };
}
