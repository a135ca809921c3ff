"""A picture that takes strokes of a brush: with mouse, finger or keys (anywidget), or with a grid of buttons.

Both widgets have `.stroke`, a dict that changes while one is drawn: id (of the stroke), seq (of the message), points
([x, y], …, in [0, 1] of the picture), done. Both have `.brush` (pixels of the picture), `.outline` and `.show(…)`.
The canvas draws a stroke at once and sends the next message only when `.answered` names the last one, each with the
whole stroke so far: what was never sent while the kernel was busy is out of date, and never sent at all.
"""

import ipywidgets as widgets
import traitlets

from ... import pictures
from ...language import say
from ..controls import swap
from ..front_end import JS, Picture, PictureButtons, stands_in

ESM = JS + """
function render({ model, el }) {
  const [rows, cols] = model.get("grid"), { size, img, canvas, pen, place, label } =
    easel(model, el, "gt-painted", "gt-canvas");
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
    const ring = cursor ? middle() : at;
    if (ring) for (const [colour, width] of [["#000", 3], ["#fff", 1.5]]) {
      pen.strokeStyle = colour; pen.lineWidth = width;
      pen.beginPath(); pen.arc(ring[0] * size, ring[1] * size, d / 2, 0, 7); pen.stroke();
    }
    if (cursor) boxed(pen, cursor, w, h);
  };
  const middle = () => [(cursor[1] + 0.5) / cols, (cursor[0] + 0.5) / rows];
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
  const start = (point) => { points = [point]; id = ++seq; };
  const stop = (e) => { if (down && e.isPrimary) { down = false; send(); draw(); } };
  canvas.onpointerdown = (e) => {
    if (!e.isPrimary || e.button) return;
    canvas.setPointerCapture(e.pointerId); cursor = null; down = true; at = place(e).reverse();
    start(at); send(); draw();
  };
  canvas.onpointermove = (e) => {
    if (!e.isPrimary) return;
    at = place(e).reverse();
    const last = points[points.length - 1];
    if (down && Math.hypot(at[0] - last[0], at[1] - last[1]) * model.get("pixels") >= 0.5) { points.push(at); send(); }
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = canvas.onlostpointercapture = stop;
  canvas.onpointerleave = () => { at = null; draw(); };
  canvas.onkeydown = (e) => {
    const to = down ? undefined : moved(e, cursor, rows, cols);
    if (!to) return;
    cursor = to;
    if (e.key === " ") { start(middle()); send(); }
    draw();
  };
  canvas.onblur = () => { cursor = null; draw(); };
  const end = listen(model, img, label, {
    "change:answered": () => { if (waiting && model.get("answered") === waiting) { clearTimeout(timer); answer(); } },
    "change:cells": draw, "change:outline": draw, "change:brush": draw, "change:action": draw });
  return () => { clearTimeout(timer); end(); };
}
export default { render };
"""


class PaintCanvas(Picture):
    """A square picture to draw on: drag, or arrow keys and space. A lit line frames what was painted."""

    _esm = ESM
    cells = traitlets.Unicode("").tag(sync=True)
    grid = traitlets.List([8, 8]).tag(sync=True)            # rows and columns of the layer's maps
    pixels = traitlets.Int(64).tag(sync=True)               # of the picture, across
    brush = traitlets.Float(6.0).tag(sync=True)
    action = traitlets.Unicode("add").tag(sync=True)
    outline = traitlets.Bool(True).tag(sync=True)
    stroke = traitlets.Dict().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)


class PaintGrid(PictureButtons):
    """The same with core ipywidgets: a button for each place to dab there."""

    stroke, answered = traitlets.Dict(), traitlets.Int(0)
    brush, action, outline = traitlets.Float(6.0), traitlets.Unicode("add"), traitlets.Bool(True)

    def __init__(self, grid, width: int = 512, pixels: int = 64):
        super().__init__(widgets.Button, grid, width, "gt-painted", "gt-grid", height="26px", border="1px solid #bbb")
        self.zoom, self.cells = max(1, width // pixels), "0" * grid[0] * grid[1]
        self._mark()
        for i, button in enumerate(self.buttons):
            button.on_click(lambda _, i=i: self._dab(i))

    def show(self, png: bytes, alt: str, cells: str) -> None:
        """Another picture, enlarged here (the browser would blur it), and what was done at each button."""
        swap(self.image, pictures.png(pictures.enlarge(png, self.zoom)), alt)
        self.cells = cells
        self._mark()

    @traitlets.observe("outline")
    def _mark(self, _=None) -> None:
        marks = {self.button(place): mark for place, mark in reversed([*enumerate(self.cells)])}    # the first of each
        for i, button in enumerate(self.buttons):
            button.description = {"+": "+", "-": "−"}.get(marks[i], "·") if self.outline else "·"

    def _dab(self, i: int) -> None:
        row, column = divmod(i, self.across)
        seq, down = self.stroke.get("seq", 0) + 1, len(self.buttons) // self.across
        self.stroke = {"id": seq, "seq": seq, "done": True,
                       "points": [[(column + 0.5) / self.across, (row + 0.5) / down]]}


def paint_canvas(grid, width: int, pixels: int, paint: str = "auto"):
    """A `PaintCanvas`, or a `PaintGrid` when anywidget is missing or paint="buttons"; "drag" insists on the canvas."""
    if stands_in(paint, "drag", "buttons", say("painting by drag")):
        return PaintGrid(grid, width, pixels)
    return PaintCanvas(grid=list(grid), width=width, pixels=pixels, hint=say("Paint: drag, or arrow keys and space."))
