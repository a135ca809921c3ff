// Numbers to pixels, as gan_teach/pictures.py does it.

/** A square of pixels on a canvas, by the channels of each, red, green and blue: rounded, and cut off outside 0 to 255.
 *  @param {HTMLCanvasElement} canvas @param {number} side @param {(pixel: number, channel: number) => number} colour
 *  @param {number} [left] where to, in pixels */
export function fill(canvas, side, colour, left = 0) {
  const image = new ImageData(side, side);
  for (let t = 0; t < image.data.length; t++) image.data[t] = t % 4 < 3 ? colour(t >> 2, t % 4) : 255;
  pen(canvas).putImageData(image, left, 0);
}

/** A picture of the network, 3×H×W in [-1, 1]. @param {HTMLCanvasElement} canvas @param {Float32Array} x @param {number} [left] */
export function draw(canvas, x, left = 0) {
  const pixels = x.length / 3;
  fill(canvas, Math.sqrt(pixels), (p, c) => (x[c * pixels + p] + 1) * 127.5, left);
}

/** A small map as colours, 0…1 from dark violet to light yellow. @param {HTMLCanvasElement} canvas
 *  @param {ArrayLike<number>} level @param {number[][]} colours */
export const heat = (canvas, level, colours) => fill(canvas, canvas.width, (p, c) => {
  const at = Math.min(Math.max(level[p], 0), 1) * (colours.length - 1), low = Math.min(Math.floor(at), colours.length - 2);
  return colours[low][c] + (at - low) * (colours[low + 1][c] - colours[low][c]);
});

/** Labels as colours. @param {HTMLCanvasElement} canvas @param {Uint8Array} labels @param {number[][]} colours */
export const paintLabels = (canvas, labels, colours) => fill(canvas, canvas.width, (p, c) => colours[labels[p]][c]);

/** The most likely class of each pixel: scores C×H×W → labels. @param {Float32Array} scores @param {number} classes */
export function argmax(scores, classes) {
  const pixels = scores.length / classes, labels = new Uint8Array(pixels);
  for (let c = 1; c < classes; c++)
    for (let p = 0; p < pixels; p++) if (scores[c * pixels + p] > scores[labels[p] * pixels + p]) labels[p] = c;
  return labels;
}

/** @param {HTMLCanvasElement} canvas */
export const pen = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
