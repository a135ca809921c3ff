// Small charts as SVG, in the colours and shapes of gan_teach.widgets.charts.
export const COLOURS = ["var(--minimax)", "var(--heuristic)", "var(--least-squares)"], SIGNS = ["●", "▲", "■"];

/** @param {number} width @param {number} height @param {string} body @param {string} label what it says, for the ear */
export const svg = (width, height, body, label) =>
  `<svg role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" class="chart">${body}</svg>`;

/** The shape of a kind. @param {number} kind @param {number} x @param {number} y @param {number} r @param {boolean} full */
export function mark(kind, x, y, r, full) {
  const paint = full ? `fill="${COLOURS[kind]}"` : `fill="none" stroke="${COLOURS[kind]}" stroke-width="1.3"`;
  if (kind === 0) return `<circle cx="${x}" cy="${y}" r="${r}" ${paint}/>`;
  const corners = kind === 1 ? [[0, -1.15], [1.1, 0.85], [-1.1, 0.85]] : [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]];
  return `<polygon points="${corners.map(([a, b]) => `${x + r * a},${y + r * b}`).join(" ")}" ${paint}/>`;
}

/** @param {number[][]} points @param {string} colour @param {string} [dash] */
export const curve = (points, colour, dash = "") =>
  `<polyline points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}" fill="none" stroke="${colour}"
   stroke-width="2.2" stroke-dasharray="${dash}" stroke-linejoin="round"/>`;

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} [colour] @param {number} [width] */
export const line = (x1, y1, x2, y2, colour = "var(--line)", width = 1) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="${width}"/>`;

/** @param {number} x @param {number} y @param {string} words @param {string} [more] attributes */
export const label = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${words}</text>`;
