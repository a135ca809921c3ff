"""The panel of projection: give it a picture, watch the search for its w, and take the styles away to mix them.

It draws frames and listens; the search is `gan_teach.stylegan.projection`, done in a thread of `gan_teach.runner`, so
that the kernel stays free. Running the cell again pauses the search that still runs.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ipywidgets as widgets
from PIL import Image
from torch import Tensor

from ... import pictures
from ...language import say
from ...limits import whole
from ...networks.device import one_thread
from ...runner import Runner
from ...stylegan.projection import Step, fitted, project
from ..charts import titled
from ..controls import column, heading, hooked, html, row, tick
from ..playing import PlayingPanel

PIXELS = 256        # CSS width of the three pictures
GREY = 0.8          # light, where there is no picture yet


@dataclass(frozen=True)
class Frame:
    """What the panel shows. Pictures are PNG bytes at the generator's own size, grey where there is none yet."""

    target: bytes
    found: bytes
    difference: bytes
    share: float        # of the steps that are done
    text: str

    def html(self) -> str:
        """All of it in one text, which a page shows in one go: pictures of two steps never stand side by side."""
        parts = ((say("the picture"), "", self.target, say("the picture that is looked for")),
                 (say("what G draws"), say("so far"), self.found, say("what G draws: {text}", text=self.text)),
                 (say("difference"), say("black: none"), self.difference, say("where the two differ; black: nowhere")))
        shown = "".join(f"<div>{titled(title, note)}{pictures.img(picture, alt, PIXELS)}</div>"
                        for title, note, picture, alt in parts)
        return (f'<div style="display:flex;flex-wrap:wrap;gap:16px;margin-bottom:8px">{shown}</div>'
                f'<progress aria-label="{say("steps")}" value="{self.share}" style="width:100%"></progress>'
                f'<div style="font-size:15px;line-height:1.45">{self.text}</div>')


def render(picture: Tensor, step: Step | None, seconds: float = 0.0) -> Frame:
    """The frame of a step, after so many seconds of search. picture: 1×3×R×R, what is looked for."""
    target = pictures.png(picture)
    if step is None:
        blank = pictures.png(picture * 0 + GREY)
        return Frame(target, blank, blank, 0.0,
                     say("Press Play: the search begins at the best of w̄ and some random w."))
    left = seconds / step.number * (step.steps - step.number)
    when = say("about {left:.0f} s left", left=left) if step.number < step.steps else \
        say("done in {seconds:.0f} s", seconds=seconds)
    text = (say("step {number} of {steps} · {when} · loss {loss:.4f} (looks {perceptual:.4f}, pixels {pixels:.4f})",
                number=step.number, steps=step.steps, when=when, loss=step.loss, perceptual=step.perceptual,
                pixels=step.pixels))
    image = step.image.clamp(-1, 1)
    return Frame(target, pictures.png(image), pictures.png(pictures.difference(picture, image)),
                 step.number / step.steps, text)


class ProjectionPanel(PlayingPanel):
    """Find the w of a picture, with Play, Pause and Reset, and hand its styles on.

    G, eyes: as for `project`. targets: a picture, or several to choose from by number: anything with `[i]` and `len`,
    such as a list, N×3×H×W, or `portraits.Portraits`; none has to be of G's size. on_use: called with ws (1×L×W)
    when "Use its styles" is pressed. steps, seed, per_layer: where the controls stand at first.
    `.ws` are the styles found so far, `.step` the last step, `.frame` what is shown, `.widget` the widget.
    """

    ADVICE = "Press Reset, or choose another picture."

    def __init__(self, G, targets, eyes=None, on_use: Callable[[Tensor], object] | None = None, steps: int = 200,
                 seed: int = 0, per_layer: bool = False):
        super().__init__("gt-projection")
        if isinstance(targets, (str, bytes, os.PathLike, Image.Image)) or getattr(targets, "ndim", 4) < 4:
            targets = [targets]
        if not hasattr(targets, "__len__") or not len(targets):
            raise ValueError("there is no picture to search for: give a picture or a list of them, such as a file's "
                             f"name; got {targets!r:.60}")
        steps = whole("steps", steps, 1, 10_000)
        self.G, self.eyes, self.on_use, self.targets = G, eyes, on_use, targets
        self.picture, self.step = None, None
        self._search: Iterator[Step] | None = None
        self._seconds = 0.0
        self._build(steps, seed, per_layer)
        self.runner = Runner(self._act, self.show, self._broken)
        self._choose(0)

    @property
    def ws(self) -> Tensor | None:
        """The styles found so far, 1×L×W; None before the first step."""
        return None if self.step is None else self.step.ws

    def _build(self, steps: int, seed: int, per_layer: bool) -> None:
        hook = "gt-projection"
        self.number = self.number_box(f"{hook}-number", say("Picture"), 0, self._choose, "150px", "52px",
                                      most=max(0, len(self.targets) - 1))
        self.steps = self.number_box(f"{hook}-steps", say("Steps"), steps, lambda _: self.begin_anew(), "140px", "44px",
                                     1, 10_000)
        self.seed = self.number_box(f"{hook}-seed", say("Seed"), seed, lambda _: self.begin_anew(), "140px")
        self.per_layer = tick(f"{hook}-layers", say("a w for each layer (W+)"), value=per_layer)
        self.own = hooked(widgets.FileUpload(accept="image/*", multiple=False, description=say("Own picture"),
                                             layout=widgets.Layout(width="150px")), f"{hook}-own")
        self.play = self.play_button(f"{hook}-play")
        self.reset = self.button(say("Reset"), f"{hook}-reset", self.begin_anew)
        self.use = self.button(say("Use its styles"), f"{hook}-use", self._use, "info", "130px")
        self.code = html(f"{hook}-code")
        self._watch(self.per_layer, lambda _: self.begin_anew())
        self.own.observe(self._uploaded, "value")
        self.widget = hooked(column(
            heading(say("Which w draws this picture?"), say("from w̄, step by step, until G's picture looks like it")),
            row(self.number, self.own, self.seed, self.steps, self.per_layer),
            self.scene, self.spoken, self.error, row(self.play, self.reset, self.use, gap="8px"), self.code,
            self.pulse.widget,
            gap="6px", max_width="860px", padding="8px 12px"), f"{hook}-panel")

    def _choose(self, number: int) -> None:
        target = self.targets[number]
        self._aim(target[0] if isinstance(target, tuple) else target)       # a data set's item begins with its picture

    def upload(self, picture, name: str = "the picture") -> None:
        """Look for another picture: bytes of a file, or any that `pictures` knows; its middle square is taken."""
        self._guard(self._aim, picture, name)

    def _uploaded(self, change) -> None:
        value = change["new"]
        if value:                                                           # ipywidgets 7: a dict by name, 8: a tuple
            file = (list(value.values()) if isinstance(value, dict) else list(value))[-1]
            self.upload(bytes(file["content"]), (file.get("metadata") or file).get("name") or "the picture")

    def _aim(self, picture, name: str = "the picture") -> None:
        self.runner.pause()
        self.picture = fitted(picture, self.G.resolution, name)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Stop, and forget what was found."""
        self.runner.pause()
        self._search, self.step, self._seconds = None, None, 0.0
        self.code.value = ""
        self.show()

    def begin(self) -> None:
        """Go on with the search; the first time, and after its end, begin another."""
        if self._search is None or self.step is not None and self.step.number == self.step.steps:
            self.begin_anew()
            self._search = project(self.G, self.picture, self.eyes, self.steps.value, self.per_layer.value,
                                   self.seed.value)
        super().begin()

    def _use(self) -> None:
        if self.on_use is not None:
            self.on_use(self.ws)
        given = f"steps={self.step.steps}, per_layer={self.per_layer.value}, seed={self.seed.value}"
        where = say("The styles are in <code>panel.ws</code>" if self.on_use is None else "Its styles were handed on")
        same = say("The same search in Python:")
        self.code.value = (f'<div style="font-size:14px;line-height:1.6">{where}. {same} '
                           f"<code>ws = find(G, picture, eyes, {given}).ws</code></div>")

    # ------------------------------------------------------------------------------ the search and its picture

    def _act(self) -> None:
        begun = time.monotonic()
        with one_thread():
            self.step = next(self._search)
        self._seconds += time.monotonic() - begun
        if self.step.number == self.step.steps:
            self.runner.pause()

    def draw(self) -> None:
        """Draw how far the search is, in one message to the page; called under the runner's lock."""
        self.put(render(self.picture, self.step, self._seconds))
        self.use.disabled = self.step is None

    def _broken(self, error: Exception) -> None:
        self._search = None                                                 # a generator that raised is at its end
        self._failed(error)
