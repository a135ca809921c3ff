"""The figure of the style mixer as a widget: pictures in rows and columns, one of which is chosen.

Both widgets have `.cell`, the row and column chosen (row 0 holds the sources, column 0 the destinations), and
`.show(…)`. `MixGrid` takes a click or the arrow keys (anywidget); `MixLists` has two lists instead.
"""

import ipywidgets as widgets
import traitlets

from ...language import say
from ..controls import offer, picture, swap
from ..front_end import JS, Picture, stands_in

ESM = JS + """
function render({ model, el }) {
  const box = make("div", "display:grid;position:relative;cursor:pointer;max-width:100%;outline-offset:3px",
                   "gt-mix-grid");
  const img = make("img", "grid-area:2/2/-1/-1;width:100%;height:100%;display:block;margin:0;max-width:none",
                   "gt-mix-sheet");
  const frame = make("div", "box-shadow:0 0 0 2px #fff,0 0 0 5px #111;pointer-events:none;margin:4px", "gt-mix-chosen");
  img.draggable = false;
  el.append(box);
  const shape = () => [model.get("rows").length, model.get("columns").length];     // without the heads
  const words = (text, area, more) => {
    const it = make("div", `grid-area:${area};font-size:13px;line-height:1.15;overflow:hidden;${more}`);
    it.textContent = text;
    return it;
  };
  const build = () => {
    const [rows, columns] = shape(), side = 46;
    box.style.width = model.get("width") + "px";
    box.style.gridTemplateRows = `20px repeat(${rows + 1}, minmax(0, 1fr))`;
    box.style.gridTemplateColumns = `${side}px repeat(${columns + 1}, minmax(0, 1fr))`;
    box.style.aspectRatio = `${model.get("width")} / ${20 + (model.get("width") - side) / (columns + 1) * (rows + 1)}`;
    box.replaceChildren(img,
      words(model.get("corner"), "2/2", "place-self:center;white-space:pre;font-size:12px"),
      ...model.get("columns").map((text, i) => words(text, `1/${i + 3}`, "text-align:center;align-self:end")),
      ...model.get("rows").map((text, i) => words(text, `${i + 3}/1`, "text-align:right;place-self:center end;" +
        "padding-right:6px;overflow-wrap:anywhere")),
      make("div", "grid-area:2/2/3/-1;border-bottom:2px solid #888;pointer-events:none"),
      make("div", "grid-area:2/2/-1/3;border-right:2px solid #888;pointer-events:none"), frame);
    place();
  };
  const place = () => {
    const [r, c] = model.get("cell");
    frame.style.gridArea = `${r + 2}/${c + 2}`;
  };
  const choose = (r, c) => {
    const [rows, columns] = shape();
    if (r < 0 || c < 0 || r > rows || c > columns || (r === 0 && c === 0)) return;
    model.set("cell", [r, c]); model.save_changes();
  };
  box.onclick = (e) => {
    const b = img.getBoundingClientRect(), [rows, columns] = shape();
    const of = (part, count) => Math.floor(part * (count + 1));
    choose(of((e.clientY - b.top) / b.height, rows), of((e.clientX - b.left) / b.width, columns));
  };
  box.onkeydown = (e) => {
    const step = STEPS[e.key];
    if (!step || e.key === " ") return;
    e.preventDefault(); e.stopPropagation();
    const [r, c] = model.get("cell");
    choose(r + step[0], c + step[1]);
  };
  return listen(model, img, keyed(box, model), {
    "change:rows": build, "change:columns": build, "change:width": build, "change:cell": place });
}
export default { render };
"""


class MixGrid(Picture):
    """The figure, with a frame around the chosen place that a click or an arrow key moves."""

    _esm = ESM
    corner = traitlets.Unicode("").tag(sync=True)
    rows, columns = (traitlets.List([]).tag(sync=True) for _ in range(2))       # what stands beside and above them
    cell = traitlets.List([1, 1]).tag(sync=True)


class MixLists(widgets.VBox):
    """The same with core ipywidgets: the picture, and two lists that say which place of it is chosen."""

    rows, columns, cell = traitlets.List([]), traitlets.List([]), traitlets.List([1, 1])

    def __init__(self, width: int = 690):
        self.image = picture("gt-mix-sheet", width)
        self.image.layout.height = "auto"
        self.lists = [widgets.Dropdown(description=text, layout=widgets.Layout(width=f"{width // 2 - 4}px"))
                      for text in (say("Row"), say("Column"))]
        super().__init__([widgets.HBox(self.lists), self.image])
        for one in self.lists:
            one.observe(self._chosen, "value")
        self._setting = False

    @traitlets.observe("rows", "columns", "cell")
    def _offer(self, _=None) -> None:
        self._setting = True
        try:
            for one, names, place, own in zip(self.lists, (self.rows, self.columns), self.cell,
                                              (say("the sources themselves"), say("the destinations themselves"))):
                offer(one, [(own, 0), *((str(name), i) for i, name in enumerate(names, start=1))])
                if place <= len(names):
                    one.value = place
        finally:
            self._setting = False

    def _chosen(self, _) -> None:
        if not self._setting:
            row, column = (one.value for one in self.lists)
            self.cell = [row, column] if row or column else [1, 1]

    def show(self, jpeg: bytes, alt: str) -> None:
        """Other pictures in the same places."""
        swap(self.image, jpeg, alt)


def mix_grid(width: int, pick: str = "auto"):
    """A `MixGrid`, or `MixLists` when anywidget is missing or pick="lists"; "click" insists on the grid."""
    if stands_in(pick, "click", "lists", say("choosing by click")):
        return MixLists(width)
    return MixGrid(width=width, corner=say("sources →\n↓ destinations"),
                   hint=say("Choose one with a click or the arrow keys."))
