"""Pictures that JavaScript of ours draws and listens to (anywidget), and the core widgets that stand in where it is
missing: the front end's part of painting and choosing, and its twin of buttons.
"""

import base64

import ipywidgets as widgets
import traitlets

from ..language import say
from .controls import hooked, picture

try:
    import anywidget
except ImportError:  # core ipywidgets only
    anywidget = None

_told: set[str] = set()


def stands_in(way: str, ours: str, core: str, what: str) -> bool:
    """Whether core widgets stand in for ours: where they are asked for, and where anywidget is missing, which is said
    once.

    way: "auto", or the name of ours or of theirs. ValueError for another, ImportError where ours cannot be had.
    """
    if way not in ("auto", ours, core):
        raise ValueError(f'it is worked by "auto", "{ours}" or "{core}"; got {way!r}')
    if way == ours and anywidget is None:
        raise ImportError(say('{what} needs the package anywidget (pip install anywidget); or choose "{core}"',
                              what=what, core=core))
    if way == "auto" and anywidget is None and what not in _told:
        _told.add(what)
        print(say("{what} is left out, {instead}: it needs the package anywidget, which is not installed (pip "
                  "install anywidget).", what=what, instead=say("buttons stand in its place" if core == "buttons" else
                                                                "two lists stand in its place")))
    return way == core or anywidget is None


class Picture(widgets.DOMWidget if anywidget is None else anywidget.AnyWidget):
    """A picture on the page, drawn by its own `_esm`, which begins with `JS`."""

    picture, alt, hint = (traitlets.Unicode("").tag(sync=True) for _ in range(3))
    width = traitlets.Int(512).tag(sync=True)               # on the screen, CSS pixels
    asked = traitlets.Int(0).tag(sync=True)                 # how often a page without a picture has asked for all of it

    def show(self, data: bytes, alt: str, **more) -> None:
        """Another picture, with what belongs to it."""
        kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
        with self.hold_sync():
            self.picture = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
            for name, value in {"alt": alt, **more}.items():
                setattr(self, name, value)

    @traitlets.observe("asked")
    def _again(self, _) -> None:
        self.send_state()


class PictureButtons(widgets.VBox):
    """A picture, and below it a grid of at most 16×16 buttons: each for a place of it, or for several."""

    def __init__(self, kind, shape: tuple[int, int], width: int, shown: str, grid: str, **layout):
        self.shape, self.step = tuple(shape), -(-max(shape) // 16)
        down, self.across = (-(-n // self.step) for n in shape)
        cell = f"{width // self.across}px"
        self.image = picture(shown, width)
        self.buttons = [kind(tooltip=say("row {row}, column {column}", row=row, column=column),
                             layout=widgets.Layout(width=cell, margin="0", padding="0", **layout))
                        for row in range(1, down + 1) for column in range(1, self.across + 1)]
        self.grid = hooked(widgets.GridBox(self.buttons, layout=widgets.Layout(
            grid_template_columns=f"repeat({self.across}, {cell})", grid_gap="0", margin="4px 0 0 0")), grid)
        super().__init__([self.image, self.grid])

    def button(self, place: int) -> int:
        """The number of the button for a place, which are counted row by row."""
        row, column = divmod(place, self.shape[1])
        return row // self.step * self.across + column // self.step


JS = """
const make = (name, css, className = "") => Object.assign(document.createElement(name), { style: css, className });
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], " ": [0, 0] };

// Keys go to `el` alone: JupyterLab keeps its hands off them. Its name for a screen reader is the picture's words.
const keyed = (el, model) => {
  el.tabIndex = 0;
  el.setAttribute("role", "application");
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  return () => el.setAttribute("aria-label", `${model.get("alt")} ${model.get("hint")}`);
};
// anywidget waits 2 s for this module. On a page that was too busy its model then hears nothing of the kernel, ever: so
// let it hear again, as the class above anywidget's does, and ask for what it has missed. (An event brings the model.)
const awaken = (model) => {
  const asked = model.get("asked"), hear = (it) => {
    const above = Object.getPrototypeOf(Object.getPrototypeOf(it));
    it.comm?.on_msg((message) => above._handle_comm_msg.call(it, message));
  };
  model.on("change:asked", hear); model.set("asked", asked + 1); model.off("change:asked", hear);
  if (model.get("picture")) model.set("asked", asked); else model.save_changes();
};
// The model's changes, each heard once now; returns what ends it.
const listen = (model, img, label, handlers) => {
  awaken(model);
  const all = { "change:picture": () => { img.src = model.get("picture"); },
                "change:alt": () => { img.alt = model.get("alt"); label(); }, ...handlers };
  for (const [name, act] of Object.entries(all)) { model.on(name, act); act(); }
  return () => { for (const [name, act] of Object.entries(all)) model.off(name, act); };
};
// A picture with a canvas over it, and where on it (down and across, in 0 to 1) the pointer is.
const easel = (model, el, shown, over) => {
  const size = model.get("width"), box = make("div", `position:relative;width:${size}px;max-width:100%;aspect-ratio:1`);
  const img = make("img", "width:100%;height:100%;display:block;margin:0;max-width:none;image-rendering:pixelated",
                   shown);
  const canvas = make("canvas", "position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair",
                      over);
  img.draggable = false; canvas.width = canvas.height = 2 * size;
  box.append(img, canvas); el.append(box);
  const pen = canvas.getContext("2d"), place = (e) => {
    const b = canvas.getBoundingClientRect();
    return [(e.clientY - b.top) / b.height, (e.clientX - b.left) / b.width];
  };
  pen.scale(2, 2);
  return { size, img, canvas, pen, place, label: keyed(canvas, model) };
};
// The cell of a grid to which a key moves, around the edges; the middle one at first; undefined for another key.
const moved = (e, cursor, rows, cols) => {
  const step = STEPS[e.key];
  if (!step) return undefined;
  e.preventDefault(); e.stopPropagation();
  const [r, c] = cursor || [rows >> 1, cols >> 1];
  return [(r + step[0] + rows) % rows, (c + step[1] + cols) % cols];
};
const boxed = (pen, [r, c], w, h) => {
  pen.strokeStyle = "#fff"; pen.lineWidth = 2; pen.strokeRect(c * w, r * h, w, h);
};
"""
