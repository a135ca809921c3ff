"""A picture that takes strokes of a brush: with mouse, finger or keys (anywidget), or with a grid of buttons.

Both widgets have `.stroke`, a dict that changes while one is drawn: id (of the stroke), seq (of the message), points
([x, y], …, in [0, 1] of the picture), done. Both have `.brush` (pixels of the picture), `.outline` and `.show(…)`.
The canvas draws a stroke at once and sends the next message only when `.answered` names the last one, each with the
whole stroke so far: what was never sent while the kernel was busy is out of date, and never sent at all.
"""

from __future__ import annotations

import base64

import ipywidgets as widgets
import traitlets

from ... import pictures
from ...language import say
from .paint_mask import anywidget, left_out

ESM = """
function render({ model, el }) {
  const size = model.get("width"), [rows, cols] = model.get("grid");
  const make = (name, css) => Object.assign(document.createElement(name), { style: css });
  const box = make("div", `position:relative;width:${size}px;max-width:100%;aspect-ratio:1`);
  const img = make("img", "width:100%;height:100%;display:block;margin:0;max-width:none;image-rendering:pixelated");
  const canvas = make("canvas", "position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair");
  img.className = "gt-painted"; img.draggable = false;
  canvas.className = "gt-canvas"; canvas.width = canvas.height = 2 * size; canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("data-lm-suppress-shortcuts", "true");     // JupyterLab keeps its hands off our keys
  box.append(img, canvas); el.append(box);
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  let points = [], unsent = [], down = false, at = null, cursor = null;
  let id = 0, seq = Date.now(), waiting = 0, timer = 0;

  const line = (x0, y0, x1, y1, add, dark) => {                  // solid: added; dashed: removed
    pen.setLineDash(add ? [] : [7, 6]);
    pen.strokeStyle = dark ? "#000" : add ? "#ffe100" : "#fff"; pen.lineWidth = dark ? 5 : 2.5;
    pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke();
  };
  const draw = () => {
    const w = size / cols, h = size / rows, cells = model.get("cells");
    const cell = (r, c) => r < 0 || c < 0 || r >= rows || c >= cols ? "0" : cells[r * cols + c];
    const d = Math.max(model.get("brush"), 1.4) / model.get("pixels") * size;
    pen.clearRect(0, 0, size, size);
    if (model.get("outline")) for (const dark of [true, false])      // dark below, so that it shows on any picture
      for (let r = 0; r <= rows; r++) for (let c = 0; c <= cols; c++) {
        const me = cell(r, c), up = cell(r - 1, c), left = cell(r, c - 1);
        if (me !== up) line(c * w, r * h, (c + 1) * w, r * h, (me === "0" ? up : me) === "+", dark);
        if (me !== left) line(c * w, r * h, c * w, (r + 1) * h, (me === "0" ? left : me) === "+", dark);
      }
    pen.setLineDash([]);
    if (points.length) {
      pen.strokeStyle = model.get("action") === "add" ? "rgba(255,225,0,.5)" : "rgba(255,255,255,.6)";
      pen.lineWidth = d; pen.lineCap = pen.lineJoin = "round"; pen.beginPath();
      points.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * size, y * size));
      if (points.length === 1) pen.lineTo(points[0][0] * size + 0.01, points[0][1] * size);
      pen.stroke();
    }
    const ring = cursor ? [(cursor[1] + 0.5) / cols, (cursor[0] + 0.5) / rows] : at;
    if (ring) for (const [colour, width] of [["#000", 3], ["#fff", 1.5]]) {
      pen.strokeStyle = colour; pen.lineWidth = width;
      pen.beginPath(); pen.arc(ring[0] * size, ring[1] * size, d / 2, 0, 7); pen.stroke();
    }
    if (cursor) { pen.strokeStyle = "#fff"; pen.lineWidth = 2; pen.strokeRect(cursor[1] * w, cursor[0] * h, w, h); }
  };
  const send = () => {                                           // of each stroke only the newest message is kept
    unsent = unsent.filter((message) => message.id !== id);
    unsent.push({ id, seq: ++seq, points: points.map((p) => [...p]), done: !down });
    post();
  };
  const post = () => {
    if (waiting || !unsent.length) return;
    const message = unsent.shift();
    waiting = message.seq;
    clearTimeout(timer); timer = setTimeout(answer, 3000);       // a kernel that restarted never answers
    model.set("stroke", message); model.save_changes();
  };
  const answer = () => {
    waiting = 0; post();
    if (!waiting && !down) { points = []; draw(); }
  };
  const place = (e) => {
    const b = canvas.getBoundingClientRect();
    return [(e.clientX - b.left) / b.width, (e.clientY - b.top) / b.height];
  };
  const start = (point) => { points = [point]; id = ++seq; };
  const stop = () => { if (down) { down = false; send(); draw(); } };
  canvas.onpointerdown = (e) => {
    if (!e.isPrimary || e.button) return;
    canvas.setPointerCapture(e.pointerId); cursor = null; down = true; at = place(e); start(at); send(); draw();
  };
  canvas.onpointermove = (e) => {
    if (!e.isPrimary) return;
    at = place(e);
    const last = points[points.length - 1];
    if (down && Math.hypot(at[0] - last[0], at[1] - last[1]) * model.get("pixels") >= 0.5) { points.push(at); send(); }
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = canvas.onlostpointercapture = stop;
  canvas.onpointerleave = () => { at = null; draw(); };
  canvas.onkeydown = (e) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], " ": [0, 0] }[e.key];
    if (!step || down) return;
    e.preventDefault(); e.stopPropagation();
    cursor = cursor || [rows >> 1, cols >> 1];
    cursor = [(cursor[0] + step[0] + rows) % rows, (cursor[1] + step[1] + cols) % cols];
    if (e.key === " ") { start([(cursor[1] + 0.5) / cols, (cursor[0] + 0.5) / rows]); send(); }
    draw();
  };
  canvas.onblur = () => { cursor = null; draw(); };
  const handlers = {
    "change:answered": () => { if (model.get("answered") === waiting) { clearTimeout(timer); answer(); } },
    "change:picture": () => { img.src = model.get("picture"); },
    "change:alt": () => {
      img.alt = model.get("alt");
      canvas.setAttribute("aria-label", `${img.alt} ${model.get("hint")}`);
    },
    "change:cells": draw, "change:outline": draw, "change:brush": draw, "change:action": draw,
  };
  for (const [name, act] of Object.entries(handlers)) { model.on(name, act); if (name !== "change:answered") act(); }
  return () => { clearTimeout(timer); for (const [name, act] of Object.entries(handlers)) model.off(name, act); };
}
export default { render };
"""

if anywidget is not None:
    class PaintCanvas(anywidget.AnyWidget):
        """A square picture to draw on: drag, or arrow keys and space. A lit line frames what was painted."""

        _esm = ESM
        picture, alt, cells, hint = (traitlets.Unicode("").tag(sync=True) for _ in range(4))
        grid = traitlets.List([8, 8]).tag(sync=True)            # rows and columns of the layer's maps
        width = traitlets.Int(512).tag(sync=True)               # on the screen, CSS pixels
        pixels = traitlets.Int(64).tag(sync=True)               # of the picture, across
        brush = traitlets.Float(6.0).tag(sync=True)
        action = traitlets.Unicode("add").tag(sync=True)
        outline = traitlets.Bool(True).tag(sync=True)
        stroke = traitlets.Dict().tag(sync=True)
        answered = traitlets.Int(0).tag(sync=True)

        def show(self, png: bytes, cells: str, alt: str) -> None:
            """Another picture, and the places that its strokes touched."""
            with self.hold_sync():
                self.picture = "data:image/png;base64," + base64.b64encode(png).decode()
                self.cells, self.alt = cells, alt


class PaintGrid(widgets.VBox):
    """The same with core ipywidgets: the picture, and a button for each place (at most 16×16) to dab there."""

    stroke, answered = traitlets.Dict(), traitlets.Int(0)
    brush, action, outline = traitlets.Float(6.0), traitlets.Unicode("add"), traitlets.Bool(True)

    def __init__(self, grid, width: int = 512, pixels: int = 64):
        self.rows, self.cols = (min(n, 16) for n in grid)
        self.of, self.zoom = tuple(grid), max(1, width // pixels)
        self.image = widgets.Image(value=b"", format="png", width=width, height=width,
                                   layout=widgets.Layout(margin="0", max_width="none"))
        self.image.add_class("gt-painted")
        cell, self.cells = f"{width // self.cols}px", ""
        shape = {"width": cell, "height": "26px", "margin": "0", "padding": "0", "border": "1px solid #bbb"}
        self.buttons = [widgets.Button(description="·", layout=widgets.Layout(**shape))
                        for _ in range(self.rows * self.cols)]
        for i, button in enumerate(self.buttons):
            button.on_click(lambda _, i=i: self._dab(i))
        box = widgets.GridBox(self.buttons, layout=widgets.Layout(grid_template_columns=f"repeat({self.cols}, {cell})",
                                                                  grid_gap="0", margin="4px 0 0 0"))
        box.add_class("gt-grid")
        super().__init__([self.image, box])

    def show(self, png: bytes, cells: str, alt: str) -> None:
        """Another picture, enlarged here (the browser would blur it), and what was done at each button."""
        self.image.value, self.cells = pictures.png(pictures.enlarge(png, self.zoom)), cells
        self._mark()

    @traitlets.observe("outline")
    def _mark(self, _=None) -> None:
        for i, button in enumerate(self.buttons):
            row, column = divmod(i, self.cols)
            mark = self.cells[row * self.of[0] // self.rows * self.of[1] + column * self.of[1] // self.cols]
            button.description = {"+": "+", "-": "−"}.get(mark, "·") if self.outline else "·"

    def _dab(self, i: int) -> None:
        row, column = divmod(i, self.cols)
        seq = self.stroke.get("seq", 0) + 1
        self.stroke = {"id": seq, "seq": seq, "done": True,
                       "points": [[(column + 0.5) / self.cols, (row + 0.5) / self.rows]]}


def paint_canvas(grid, width: int, pixels: int, paint: str = "auto"):
    """A `PaintCanvas`, or a `PaintGrid` when anywidget is missing or paint="buttons"."""
    if paint not in ("auto", "drag", "buttons"):
        raise ValueError(f'paint is "auto", "drag" or "buttons"; got {paint!r}')
    if paint == "drag" and anywidget is None:
        raise ImportError('painting by drag needs the package anywidget (pip install anywidget); or paint="buttons"')
    if paint == "auto" and anywidget is None:
        left_out(say("painting by drag"), say("buttons stand in its place"))
    if paint == "buttons" or anywidget is None:
        return PaintGrid(grid, width, pixels)
    return PaintCanvas(grid=list(grid), width=width, pixels=pixels, hint=say("Paint: drag, or arrow keys and space."))
