"""Style mixing by hand: the paper's figure, with a tick for each layer, ψ, noise, and the way between two w."""

from html import escape

import ipywidgets as widgets

from ...language import say
from ...stylegan.adain_mixing_truncation import layer_groups, mix
from ..controls import choices, column, field, heading, hooked, html, offer, picture, row, said, swap, tick
from .mixer_grid import mix_grid
from .mixer_render import STRIP, MixFrame, MixRenderer, Sheet
from .panel import StylePanel
from .shared_render import pixels

GROUPS = ("coarse", "middle", "fine")
PRESETS = ALL, NONE, EVERY = "all", "none", "all layers"


def several(given) -> tuple:
    """A list of seeds, names or layers as a tuple; a single one is a list of one."""
    return (given,) if isinstance(given, int | str) else tuple(given)


class StyleMixer(StylePanel):
    """Pictures that take some of their styles from others.

    models: a `stylegan.Generator`, or a dict name -> Generator. sources, destinations: seeds, or names of `latents`,
    which are w's by name, (W,), 1×W or L×W, such as a projection found. layers: those that take the source's style;
    None is the coarse ones. psi: truncation at the start. width: of the grid on the screen, CSS pixels. pick: "auto",
    "click" or "lists". mix: what mixes in place of `stylegan.mix`. `.state`, `.frame`, `.widget`: see `StylePanel`;
    `change(psi=0.5, layers=(8, 9))` works it from code, `frame.call` is Python that draws the large picture.
    """

    def __init__(self, models, sources=(1, 2, 3, 4), destinations=(11, 12), layers=None, psi: float = 0.7,
                 latents=None, model: str | None = None, width: int = 690, pick: str = "auto", mix=mix):
        renderer = MixRenderer(models, latents, mix=mix)
        given = {} if layers is None else {"layers": several(layers)}
        self._grid = mix_grid(width, pick)
        self._width = width
        super().__init__(renderer, renderer.start(model, sources=several(sources), destinations=several(destinations),
                                                  psi=psi, **given))

    @property
    def latents(self) -> dict:
        """The latents with a name of the model shown, 1×L×W each."""
        return self.drawer.latents

    def add(self, name: str, w, model: str | None = None) -> None:
        """Give a w of the model shown (or of another) a name, by which the boxes of seeds know it."""
        self.renderer.add(name, w, model or self.state.model)

    def _build(self) -> None:
        def slider(name, text, label, least, most, width="auto"):
            return field(widgets.FloatSlider, f"gt-mix-{name}", text, width, label, value=1.0, min=least, max=most,
                         step=0.05, readout_format=".2f")

        self.large = picture("gt-mix-large", 256)
        self.strip = picture("gt-mix-strip", self._width, self._width // STRIP)
        self.share = slider("share", say("Share"), "46px", 0, 1)
        self.psi = slider("psi", "ψ", "18px", -1, 1.5, "264px")
        self.cutoff = field(widgets.Dropdown, "gt-mix-cutoff", say("on"), "160px", "22px", options=choices([EVERY]))
        layers = self.layer_ticks("gt-mix", "layers", 110, 114)
        self.noisy = {name: tick("gt-mix-noise", say(name), margin="0") for name in GROUPS}
        self.boxes, self.new = {}, {}
        for kind, text in (("sources", say("Sources")), ("destinations", say("Destinations"))):
            self.boxes[kind] = field(widgets.Text, f"gt-mix-{kind}", text, "290px", "104px", continuous_update=False)
            self.new[kind] = self.button(say("New"), f"gt-mix-new-{kind}", lambda kind=kind: self._new(kind),
                                         width="64px")
        self.keep = tick("gt-mix-keep", say("New keeps the pair that is chosen"), value=True, margin="0")
        self.text, self.call = html("gt-mix-text"), html("gt-mix-call")
        how = say("click, or arrow keys") if hasattr(self._grid, "_esm") else say("choose below")
        figure = column(heading(say("Styles of one picture in another"), how), self._grid, gap="2px",
                        width=f"{self._width}px")
        between = column(heading(say("From destination to source"), say("a line in W, in the ticked layers")),
                         self.share, self.strip, gap="2px", width=f"{self._width}px")
        shown = column(self.large, self.text, row(*self.travel_buttons("gt-mix", "90px", "70px"), gap="4px"),
                       gap="4px", width="276px")
        controls = column(
            self.error, row(heading(say("Style from the source")), self.preset, gap="4px 10px"), layers,
            row(heading(say("Truncation")), self.psi, self.cutoff, gap="2px 8px"),
            row(self.model_list("gt-mix", "270px"),
                *(row(self.boxes[kind], self.new[kind], gap="4px") for kind in self.boxes), self.keep, gap="4px 8px"),
            row(heading(say("Noise")), *self.noisy.values(), *self.noise_buttons("gt-mix", "90px", "80px"),
                gap="4px 12px"), gap="5px", flex="1 1 300px", min_width="300px")
        self.call.layout.flex = "1 1 400px"
        self.widget = hooked(row(figure, shown, between, controls, self.call, gap="16px", align="flex-start",
                                 padding="8px 12px"), "gt-mixer")

    def _listen(self) -> None:
        self._watch(self.model, self.choose_model)
        self._watch(self._grid, lambda cell: self.change("cell", cell=tuple(map(int, cell))), "cell")
        self._watch(self.share, lambda value: self.change("share", share=value))
        self._watch(self.psi, lambda value: self.change("psi", psi=value))
        self._watch(self.cutoff, lambda value: self.change(cutoff=None if value == EVERY else value))
        for box in self.noisy.values():
            self._watch(box, self._noise)
        for kind, box in self.boxes.items():
            self._watch(box, lambda text, kind=kind: self.change(**{kind: self.renderer.parse(text)}))

    def choose_model(self, name: str) -> None:
        """Another generator, with the same seeds and the same choice of layers as far as it has them."""
        L = self.renderer.drawers[name].layers
        self.change(model=name, layers=tuple(i for i in self.state.layers if i < L), noisy=None,
                    cutoff=None if self.state.cutoff is None or self.state.cutoff > L else self.state.cutoff)

    def _groups(self) -> dict[str, tuple[int, ...]]:
        return layer_groups(self.drawer.layers)

    def _presets(self) -> dict[str, tuple[int, ...]]:
        return {**self._groups(), ALL: tuple(range(self.drawer.layers)), NONE: ()}

    def _noise(self, _) -> None:
        self.change(noisy=tuple(i for name, layers in self._groups().items() if self.noisy[name].value for i in layers))

    def _new(self, kind: str) -> None:
        """Seeds that nobody has yet, in the place of the old ones; the chosen one stays where `keep` is ticked."""
        state = self.state
        used = [which for which in (*state.sources, *state.destinations) if isinstance(which, int)]
        fresh, old = max(used, default=0) + 1, getattr(state, kind)
        chosen = state.cell[1 if kind == "sources" else 0] - 1 if self.keep.value else None
        self.change(**{kind: tuple(which if i == chosen else fresh + i for i, which in enumerate(old))})

    def _sync(self) -> None:
        state, of, drawer = self.state, self._groups(), self.drawer
        self.model.value = state.model
        self._put(self.share, state.share)
        self._put(self.psi, state.psi)
        cutoffs = [*choices([EVERY]), *((say("4 to {k} px", k=4 << k) if k else "4 px", 2 * k + 2)
                                     for k in range(drawer.layers // 2 - 1))]
        cutoff = EVERY if state.cutoff is None else state.cutoff
        if cutoff not in [value for _, value in cutoffs]:
            cutoffs.append((say("layers before {cutoff}", cutoff=cutoff), cutoff))
        offer(self.cutoff, cutoffs)
        self.cutoff.value = cutoff
        ends = {name: sorted({pixels(layers[0]), pixels(layers[-1])}) for name, layers in of.items()}
        self._sync_layers([*((f"{say(name)} {'–'.join(map(str, end))} px", name) for name, end in ends.items()),
                           *choices((ALL, NONE))])
        for name, box in self.noisy.items():
            box.disabled = name not in of or not drawer.G.config.noise
            on = set(of.get(name, ())) & set(range(drawer.layers) if state.noisy is None else state.noisy)
            box.value = len(on) > 0
            box.description = say("{name} (some)", name=say(name)) if on and len(on) < len(of[name]) else say(name)
        self.redraw.disabled = self.stored.disabled = not drawer.G.config.noise
        for kind, box in self.boxes.items():
            box.value = ", ".join(map(str, getattr(state, kind)))
        self._grid.rows, self._grid.columns = list(map(str, state.destinations)), list(map(str, state.sources))
        self._grid.cell = list(state.cell)

    def show(self, frame: MixFrame) -> None:
        swap(self.large, frame.picture, frame.text)
        self.text.value = said(frame.text)
        same = say("the same in Python (a click marks it)")
        self.call.value = (f'<div style="font-size:13px;line-height:1.6">{same}</div>'
                           f'<pre tabindex="0" aria-label="{say("Python that draws this picture")}" '
                           'style="user-select:all;'
                           "margin:0;padding:6px 8px;background:#f3f4f6;color:#1a1a1a;font-size:12px;line-height:1.35;"
                           f'white-space:pre-wrap;border-radius:4px">{escape(frame.call)}</pre>')

    def show_later(self, sheet: Sheet) -> None:
        """Put the figure on the screen."""
        state = self.state
        self._grid.show(sheet.grid, say("{destinations} rows, one for each destination, and {sources} columns, one "
                                        "for each source.",
                                        destinations=len(state.destinations), sources=len(state.sources)))
        if sheet.strip:
            row, column = (max(1, place) for place in state.cell)
            swap(self.strip, sheet.strip, say("{n} pictures on the way from destination {destination} to source "
                                              "{source}.", n=STRIP, destination=state.destinations[row - 1],
                                              source=state.sources[column - 1]))
