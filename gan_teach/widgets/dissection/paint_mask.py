"""Painting a region on a picture, at the resolution of a layer's maps: by drag (anywidget), or with buttons.

Both have `.mask` (a string of rows·columns characters 0 and 1, row by row), `.active`, and `.show(png, alt)`.
"""

from __future__ import annotations

import base64

import ipywidgets as widgets
import traitlets

from ...language import say

try:
    import anywidget
except ImportError:  # core ipywidgets only: PaintButtons takes its place
    anywidget = None

_told: set[str] = set()


def left_out(what: str, instead: str) -> None:
    """Say in one sentence, once for each, what is left out where anywidget is missing, and what is there instead."""
    if what not in _told:
        _told.add(what)
        print(say("{what} is left out, {instead}: it needs the package anywidget, which is not installed (pip "
                  "install anywidget).", what=what, instead=instead))


ESM = """
function render({ model, el }) {
  const rows = model.get("rows"), cols = model.get("cols"), size = model.get("width");
  const box = document.createElement("div"), img = document.createElement("img");
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  box.style.cssText = `position:relative;width:${size}px;height:${size}px`;
  img.className = "gt-before"; img.draggable = false;
  img.style.cssText = "width:100%;height:100%;display:block;margin:0;max-width:none";
  canvas.width = canvas.height = size; canvas.tabIndex = 0; canvas.className = "gt-paint";
  canvas.setAttribute("aria-label", model.get("hint"));
  canvas.style.cssText = "position:absolute;left:0;top:0;width:100%;height:100%;cursor:crosshair;touch-action:none";
  box.append(img, canvas); el.append(box);
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
    if (cursor) { pen.strokeStyle = "#fff"; pen.lineWidth = 2; pen.strokeRect(cursor[1] * w, cursor[0] * h, w, h); }
  };
  const send = () => { clearTimeout(timer); timer = null; model.set("mask", cells.join("")); model.save_changes(); };
  const dab = (r, c) => {
    const reach = model.get("brush") / 2;
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++)
      if (Math.abs(i + 0.5 - r) < reach && Math.abs(j + 0.5 - c) < reach ||
          i === Math.floor(r) && j === Math.floor(c)) cells[i * cols + j] = erase ? "0" : "1";
  };
  const stroke = (e) => {
    const b = canvas.getBoundingClientRect();
    const to = [(e.clientY - b.top) / b.height * rows, (e.clientX - b.left) / b.width * cols];
    for (let t = 0; t <= 16; t++) dab(...to.map((v, k) => at[k] + (v - at[k]) * t / 16));
    at = to; draw(); timer = timer || setTimeout(send, 80);
  };
  canvas.onpointerdown = (e) => {
    const b = canvas.getBoundingClientRect();
    canvas.setPointerCapture(e.pointerId); erase = e.shiftKey; cursor = null;
    at = [(e.clientY - b.top) / b.height * rows, (e.clientX - b.left) / b.width * cols]; stroke(e);
  };
  canvas.onpointermove = (e) => { if (at) stroke(e); };
  canvas.onpointerup = canvas.onpointercancel = () => { if (at) { at = null; send(); } };
  canvas.onkeydown = (e) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], " ": [0, 0] }[e.key];
    if (!step) return;
    e.preventDefault(); e.stopPropagation(); cursor = cursor || [rows >> 1, cols >> 1];
    cursor = [(cursor[0] + step[0] + rows) % rows, (cursor[1] + step[1] + cols) % cols];
    if (e.key === " ") { erase = e.shiftKey; dab(cursor[0] + 0.5, cursor[1] + 0.5); send(); }
    draw();
  };
  canvas.onblur = () => { cursor = null; draw(); };
  const load = () => { if (!at && !timer) cells = model.get("mask").split(""); draw(); };
  const picture = () => { img.src = model.get("picture"); img.alt = model.get("alt"); };
  model.on("change:mask", load); model.on("change:active", draw);
  model.on("change:picture", picture); model.on("change:alt", picture);
  picture(); load();
}
export default { render };
"""

if anywidget is not None:
    class PaintMask(anywidget.AnyWidget):
        """A square picture to paint on: drag to paint, shift-drag to erase; arrow keys and space do it too."""

        _esm = ESM
        picture = traitlets.Unicode("").tag(sync=True)
        alt, hint = (traitlets.Unicode("").tag(sync=True) for _ in range(2))
        mask = traitlets.Unicode("").tag(sync=True)
        active = traitlets.Bool(False).tag(sync=True)
        brush = traitlets.Int(2).tag(sync=True)         # width in cells
        rows, cols, width = (traitlets.Int(n).tag(sync=True) for n in (8, 8, 272))

        def __init__(self, rows: int, cols: int, width: int = 272):
            super().__init__(rows=rows, cols=cols, width=width, mask="0" * (rows * cols),
                             hint=say("paint a region: drag, or arrow keys and space; shift erases"))

        def show(self, png: bytes, alt: str) -> None:
            """Put another picture under the paint."""
            with self.hold_sync():
                self.picture = "data:image/png;base64," + base64.b64encode(png).decode()
                self.alt = alt


class PaintButtons(widgets.VBox):
    """The same with core ipywidgets: the picture, and a grid of at most 16×16 buttons below it."""

    mask = traitlets.Unicode("")
    active = traitlets.Bool(False)
    brush = traitlets.Int(1)

    def __init__(self, rows: int, cols: int, width: int = 272):
        self.rows, self.cols = rows, cols
        self.step = -(-max(rows, cols) // 16)   # cells to a button, so that 16 buttons are enough
        across, down = -(-cols // self.step), -(-rows // self.step)
        self.image = widgets.Image(value=b"", format="png", width=width, height=width,
                                   layout=widgets.Layout(margin="0"))
        self.image.add_class("gt-before")
        cell = f"{width // across}px"
        self.buttons = [widgets.ToggleButton(description="", layout=widgets.Layout(
            width=cell, height="18px", margin="0", padding="0", border="1px solid #999"))
            for _ in range(across * down)]
        for button in self.buttons:
            button.observe(self._read, "value")
        self.grid = widgets.GridBox(self.buttons, layout=widgets.Layout(
            grid_template_columns=f"repeat({across}, {cell})", grid_gap="0", margin="4px 0 0 0", display="none"))
        self.grid.add_class("gt-paint")
        self._writing = False
        super().__init__([self.image, self.grid])
        self.mask = "0" * (rows * cols)

    def show(self, png: bytes, alt: str) -> None:
        """Put another picture above the buttons."""
        self.image.value = png

    def _button(self, row: int, column: int) -> int:
        return row // self.step * -(-self.cols // self.step) + column // self.step

    def _read(self, _=None):
        if not self._writing:
            self.mask = "".join("1" if self.buttons[self._button(r, c)].value else "0"
                                for r in range(self.rows) for c in range(self.cols))

    @traitlets.observe("mask")
    def _write(self, _):
        self._writing = True
        try:
            for i, on in enumerate(self.mask):
                self.buttons[self._button(*divmod(i, self.cols))].value = on == "1"
        finally:
            self._writing = False

    @traitlets.observe("active")
    def _unfold(self, _):
        self.grid.layout.display = "grid" if self.active else "none"


def painter(rows: int, cols: int, width: int = 272, paint: str = "auto"):
    """A `PaintMask`, or `PaintButtons` when anywidget is missing or paint="buttons"."""
    if paint not in ("auto", "drag", "buttons"):
        raise ValueError(f'paint is "auto", "drag" or "buttons"; got {paint!r}')
    if paint == "drag" and anywidget is None:
        raise ImportError(say("painting by drag needs the package anywidget (pip install anywidget); or "
                              'paint="buttons"'))
    if paint == "auto" and anywidget is None:
        left_out(say("painting by drag"), say("buttons stand in its place"))
    return PaintButtons(rows, cols, width) if paint == "buttons" or anywidget is None else PaintMask(rows, cols, width)
