"""Painting a region on a picture, at the resolution of a layer's maps: by drag (anywidget), or with buttons.

Both have `.mask` (a string of rows·columns characters 0 and 1, row by row), `.active`, and `.show(png, alt)`.
"""

import ipywidgets as widgets
import traitlets

from ..language import say
from .controls import swap
from .front_end import JS, Picture, PictureButtons, stands_in

ESM = JS + """
function render({ model, el }) {
  const rows = model.get("rows"), cols = model.get("cols");
  const { size, img, canvas, pen, place, label } = easel(model, el, "gt-before", "gt-paint");
  img.style.imageRendering = "auto";
  let cells = [], at = null, erase = false, timer = null, cursor = null;
  const on = (r, c) => r >= 0 && c >= 0 && r < rows && c < cols && cells[r * cols + c] === "1";
  const draw = () => {
    const w = size / cols, h = size / rows;
    pen.clearRect(0, 0, size, size);
    pen.globalAlpha = model.get("active") ? 1 : 0.35;
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) if (on(r, c)) {
      pen.fillStyle = "rgba(255,225,0,.28)"; pen.fillRect(c * w, r * h, w, h);
      pen.fillStyle = "rgb(255,225,0)";
      if (!on(r - 1, c)) pen.fillRect(c * w, r * h, w, 3);
      if (!on(r + 1, c)) pen.fillRect(c * w, (r + 1) * h - 3, w, 3);
      if (!on(r, c - 1)) pen.fillRect(c * w, r * h, 3, h);
      if (!on(r, c + 1)) pen.fillRect((c + 1) * w - 3, r * h, 3, h);
    }
    if (cursor) boxed(pen, cursor, w, h);
  };
  const send = () => { clearTimeout(timer); timer = null; model.set("mask", cells.join("")); model.save_changes(); };
  const dab = (r, c) => {
    const reach = model.get("brush") / 2;
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++)
      if (Math.abs(i + 0.5 - r) < reach && Math.abs(j + 0.5 - c) < reach ||
          i === Math.floor(r) && j === Math.floor(c)) cells[i * cols + j] = erase ? "0" : "1";
  };
  const under = (e) => { const [y, x] = place(e); return [y * rows, x * cols]; };
  const stroke = (e) => {
    const to = under(e);
    for (let t = 0; t <= 16; t++) dab(...to.map((v, k) => at[k] + (v - at[k]) * t / 16));
    at = to; draw(); timer = timer || setTimeout(send, 80);
  };
  canvas.onpointerdown = (e) => {
    if (!e.isPrimary || e.button) return;
    canvas.setPointerCapture(e.pointerId); erase = e.shiftKey; cursor = null; at = under(e); stroke(e);
  };
  canvas.onpointermove = (e) => { if (at && e.isPrimary) stroke(e); };
  canvas.onpointerup = canvas.onpointercancel = (e) => { if (at && e.isPrimary) { at = null; send(); } };
  canvas.onkeydown = (e) => {
    const to = moved(e, cursor, rows, cols);
    if (!to) return;
    cursor = to;
    if (e.key === " ") { erase = e.shiftKey; dab(cursor[0] + 0.5, cursor[1] + 0.5); send(); }
    draw();
  };
  canvas.onblur = () => { cursor = null; draw(); };
  return listen(model, img, label, {
    "change:mask": () => { if (!at && !timer) cells = model.get("mask").split(""); draw(); }, "change:active": draw });
}
export default { render };
"""


class PaintMask(Picture):
    """A square picture to paint on: drag to paint, shift-drag to erase; arrow keys and space do it too."""

    _esm = ESM
    mask = traitlets.Unicode("").tag(sync=True)
    active = traitlets.Bool(False).tag(sync=True)
    brush, rows, cols = (traitlets.Int(n).tag(sync=True) for n in (2, 8, 8))        # brush: its width in cells


class PaintButtons(PictureButtons):
    """The same with core ipywidgets: a grid of buttons, unfolded while `.active`."""

    mask, active, brush = traitlets.Unicode(""), traitlets.Bool(False), traitlets.Int(1)

    def __init__(self, rows: int, cols: int, width: int = 272):
        super().__init__(widgets.ToggleButton, (rows, cols), width, "gt-before", "gt-paint", height="18px",
                         border="1px solid #999")
        for button in self.buttons:
            button.observe(self._read, "value")
        self.grid.layout.display, self._writing = "none", False
        self.mask = "0" * (rows * cols)

    def show(self, png: bytes, alt: str) -> None:
        """Put another picture above the buttons."""
        swap(self.image, png, alt)

    def _read(self, _=None):
        if not self._writing:
            self.mask = "".join("01"[self.buttons[self.button(place)].value] for place in range(len(self.mask)))

    @traitlets.observe("mask")
    def _write(self, _):
        self._writing = True
        try:
            for place, on in enumerate(self.mask):
                self.buttons[self.button(place)].value = on == "1"
        finally:
            self._writing = False

    @traitlets.observe("active")
    def _unfold(self, _):
        self.grid.layout.display = "grid" if self.active else "none"


def mask_canvas(rows: int, cols: int, width: int = 272, paint: str = "auto"):
    """A `PaintMask`, or `PaintButtons` when anywidget is missing or paint="buttons"; "drag" insists on the mask."""
    if stands_in(paint, "drag", "buttons", say("painting by drag")):
        return PaintButtons(rows, cols, width)
    return PaintMask(rows=rows, cols=cols, width=width, mask="0" * (rows * cols),
                     hint=say("paint a region: drag, or arrow keys and space; shift erases"))
