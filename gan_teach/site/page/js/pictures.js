// Numbers to pixels, as gan_teach/pictures.py does it.

/**
 * A picture of the network, 3×H×W in [-1, 1], on a canvas: (x + 1) · 127.5, rounded; values outside are cut off.
 * @param {HTMLCanvasElement} canvas @param {Float32Array} x @param {number} [left] where to, in pixels
 */
export function draw(canvas, x, left = 0) {
  const pixels = x.length / 3, side = Math.sqrt(pixels);
  const image = new ImageData(side, side);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = (x[c * pixels + p] + 1) * 127.5;   // a clamped array rounds
    image.data[4 * p + 3] = 255;
  }
  pen(canvas).putImageData(image, left, 0);
}

/**
 * A small map as colours, 0…1 from dark violet to light yellow.
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} level @param {number[][]} colours
 */
export function heat(canvas, level, colours) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let p = 0; p < level.length; p++) {
    const at = Math.min(Math.max(level[p], 0), 1) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = colours[low][c] + (at - low) * (colours[low + 1][c] - colours[low][c]);
    image.data[4 * p + 3] = 255;
  }
  pen(canvas).putImageData(image, 0, 0);
}

/**
 * Labels as colours. @param {HTMLCanvasElement} canvas @param {Uint8Array} labels @param {number[][]} colours
 */
export function paintLabels(canvas, labels, colours) {
  const image = new ImageData(canvas.width, canvas.height);
  labels.forEach((label, p) => image.data.set([...colours[label], 255], 4 * p));
  pen(canvas).putImageData(image, 0, 0);
}

/** The most likely class of each pixel: scores C×H×W → labels. @param {Float32Array} scores @param {number} classes */
export function argmax(scores, classes) {
  const pixels = scores.length / classes, labels = new Uint8Array(pixels);
  for (let c = 1; c < classes; c++)
    for (let p = 0; p < pixels; p++) if (scores[c * pixels + p] > scores[labels[p] * pixels + p]) labels[p] = c;
  return labels;
}

/** @param {HTMLCanvasElement} canvas */
export const pen = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
