"""The panel of chapter 3: evolve in front of the class, a phase at a time or fast, and meddle with everything.

It draws frames and listens; what happens is in `laboratory`, and the thread that plays in `runner`. The kernel stays
free. Knobs turned while it plays count from the next phase on; Pause, an Interrupt and a second run of the cell
leave one evolution, complete up to its last act.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import ipywidgets as widgets

from ...egan import plane
from ...egan.settings import ADAM_POLICIES
from ...egan.laboratory import DATA, RULES, Laboratory
from ...recipes import evolving
from ...language import say
from ...limits import MAX_SEED
from ...runner import Runner
from ...worlds import datasets
from ..charts import SIGNS, plain
from ..controls import choices, column, field, heading, hooked, row, tick, toggles
from ..playing import PlayingPanel
from .evolution_render import NEXT, ROWS, Frame, render

GAMMAS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
PARENTS = (1, 2, 4)
KNOBS = ("gamma", "d_steps", "mu", "selection", "adam", "data")
SLOW = 1.0          # seconds from phase to phase
FRAMES = 12         # a second


class EvolutionLab(PlayingPanel):
    """Evolve: play, pause, step a phase or a generation, go back; turn γ, n_D, μ, the mutations and the selection.

        EvolutionLab()                          # points of the plane
        EvolutionLab(pictures="fashion")        # pictures of 32×32: a set of `datasets`, or a folder of your own

    Other games: evolution, settings -> an `Evolution` at generation 0; real, as for `Evolution.step`, or a dict of such
    by name; settings, at the start; offered, measure, luck, span, head_start: see `Laboratory`. rows: of children, see
    `render`. Select "mine", and choose the survivor yourself before F is shown; then your choice and the algorithm's
    live on from the same state.
    `.lab` is the laboratory, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    ADVICE = "Go back some generations, or press Reset."

    def __init__(self, evolution=None, real=None, settings=None, offered=None, measure=None,
                 luck: int | None = None, span: int | None = None, pictures: str | Path | None = None,
                 head_start: int | None = None, rows: int = ROWS):
        super().__init__("gt-evo")
        self.rows = rows
        if pictures is not None:
            plan = evolving.plan_for(pictures)
            evolution = evolution or partial(evolving.begin, network=plan.network)
            real, settings = datasets.pictures(pictures, "test").images, settings or plan.settings
        data = DATA if real is None else real if isinstance(real, Mapping) else {"data": real}
        self.lab = Laboratory(data, evolution or plane.start, settings or plane.SETTINGS, offered, measure, luck,
                              span=span, head_start=head_start)
        self.frame = Frame()
        self._turning: dict = {}                        # knobs that wait for the end of an act to be turned
        self._same: Frame | None = None                 # the last frame, where the next one has its pictures
        self.runner = Runner(self._act, self.show, self._failed, frames=FRAMES)
        self._build()
        self._listen()
        self._guard(self.show)

    def _build(self) -> None:
        lab, k = self.lab, self.lab.knobs

        def knob(kind, name, label, label_width="66px", **options):
            return field(kind, f"gt-evo-{name}", label, "176px", label_width, value=getattr(k, name.replace("-", "_")),
                         **options)

        self.play = self.play_button("gt-evo-play", "104px")
        self.phase = self.button(say("Step"), "gt-evo-phase", lambda: self.runner.step(self.lab.advance), width="150px")
        self.one = self.button(say("One generation"), "gt-evo-generation",
                               lambda: self.runner.step(lambda: self.lab.generation(by_hand=True)), width="130px")
        self.reset = self.button(say("Reset"), "gt-evo-reset", lambda: self.runner.step(self.lab.reset), width="76px")
        self.pace = toggles("gt-evo-pace", choices(("slow", "fast")), "fast", "58px")
        self.back = field(widgets.IntSlider, "gt-evo-back", say("Go back"), "260px", "62px", value=0, min=0, max=0,
                          continuous_update=False)
        self.gamma = knob(widgets.SelectionSlider, "gamma", "γ", "30px",
                          options=[(f"{g:g}", g) for g in sorted({*GAMMAS, k.gamma})])
        self.d_steps = knob(widgets.IntSlider, "d-steps", "n_D", "30px", min=1, max=max(10, k.d_steps))
        many = sorted(n for n in {*PARENTS, k.mu} if lab.base.batch % n == 0)
        self.mu = knob(widgets.Dropdown, "mu", say("μ, parents"), options=many)
        self.selection = knob(widgets.Dropdown, "selection", say("Selection"), options=choices(RULES))
        self.adam = knob(widgets.Dropdown, "adam", "Adam", options=choices(ADAM_POLICIES))
        self.data = knob(widgets.Dropdown, "data", say("Data"), options=choices(lab.data))
        self.seed = self.number_box("gt-evo-seed", say("Seed"), k.seed, lambda seed: self.turn(seed=seed), "176px",
                                    "66px", most=MAX_SEED // 4)                 # see `Settings.seed`
        self.mutations = [tick("gt-evo-mutation", f"{SIGNS[i % len(SIGNS)]} {plain(name)}", value=on, margin="0")
                          for i, (name, on) in enumerate(zip(lab.view().offered, k.active))]
        self.choices = [self.button("", "gt-evo-choose", lambda i=i: self.choose(i), width="74px")
                        for i in range(max(many) * len(lab.offered))]
        note = heading(say("settings"), say("turn any time"))
        note.layout.margin = "0"
        knobs = column(note, self.gamma, self.d_steps, self.mu, self.selection, self.adam, self.data, self.seed,
                       widgets.HBox(self.mutations, layout=widgets.Layout(flex_flow="row wrap", grid_gap="0 12px")),
                       gap="0", width="178px", overflow="hidden")
        if len(lab.data) == 1:
            self.data.layout.display = "none"
        self.widget = hooked(column(
            row(self.play, self.phase, self.one, *self.choices, self.reset, self.pace, self.back, gap="8px"),
            self.error, widgets.HBox([self.scene, knobs], layout=widgets.Layout(grid_gap="8px", overflow="visible")),
            self.spoken, self.pulse.widget, gap="6px", max_width="980px", padding="8px 4px"), "gt-evo-lab")

    def _listen(self) -> None:
        for name in KNOBS:
            self._watch(getattr(self, name), lambda value, name=name: self.turn(**{name: value}))
        for mutation in self.mutations:
            self._watch(mutation, lambda _: self._switch())
        self._watch(self.back, self.rewind)
        self._watch(self.pace, lambda pace: setattr(self.runner, "interval", SLOW if pace == "slow" else 0))

    def turn(self, **knobs) -> None:
        """Turn knobs of the laboratory, at once; another seed or other data begin anew."""
        if self.runner.playing and not {"seed", "data"} & set(knobs):
            self._turning.update(knobs)
            try:
                with self.runner.lock:
                    self.lab.turn(**knobs)          # the next frame shows it
            finally:
                for name in knobs:
                    self._turning.pop(name, None)
        else:
            same = self.frame if set(knobs) == {"gamma"} and self.runner.error is None else None

            def turned():
                self.lab.turn(**knobs)
                self._same = same

            self.runner.step(turned)
            if "selection" in knobs and self.lab.evolution.generation < self.lab.first_choice:
                self.runner.play()                  # up to the first choice
                self._name_play()

    def _switch(self) -> None:
        """The ticks of the mutations have changed."""
        active = tuple(box.value for box in self.mutations)
        if any(active):
            self.tell("")
            self.turn(active=active)
        else:
            last = self.lab.knobs.active.index(True)
            self.mutations[last].value = True
            self.tell(say("At least one mutation must take part: tick another one before you take this one off."))

    def rewind(self, generation: int) -> None:
        """Pause, and go to the last snapshot up to this generation."""
        self.runner.step(lambda: self.lab.rewind(generation))

    def choose(self, child: int) -> None:
        """Keep this child; then both choices live on, if they differ."""
        self.runner.step(lambda: self.lab.choose(child))
        if self.lab.fate is not None and self.runner.error is None:
            self.runner.play()

    def _act(self) -> None:
        """What the runner does again and again while it plays."""
        lab = self.lab
        if lab.fate is not None and not lab.fate.over:
            lab.live()
            if lab.fate.over:
                self.runner.pause()
        elif lab.waiting:
            self.runner.pause()
        else:
            lab.advance() if self.runner.interval else lab.generation()
            if lab.waiting:
                self.runner.pause()

    def draw(self) -> None:
        """Draw what is now, in one message to the page; called with the runner's lock held."""
        playing = self.runner.playing
        if not playing:
            self.lab.remember()
        view = self.lab.view()
        same, self._same = self._same, None
        frame = render(view, fast=playing, same=same, rows=self.rows)
        with self._syncing():
            self._sync(view, playing)
            self.put(frame)

    def _sync(self, view, playing: bool) -> None:
        """Move the controls to where the laboratory is, or soon will be."""
        k = replace(view.knobs, **self._turning)
        self.phase.description = say("Step: {act}", act=say(NEXT[view.done]))
        for step in (self.phase, self.one):             # in their place stand the choices
            step.layout.display = "none" if view.waiting else ""
        for name in (*KNOBS, "seed"):
            getattr(self, name).value = getattr(k, name)
        for box, on in zip(self.mutations, k.active):
            box.value = on
        if not playing:                                 # each would be a message of its own, twelve times a second
            self.back.max = max(view.generation, *view.kept)
            self.back.value = view.generation
        children = self.lab.evolution.children if view.waiting else ()
        for i, choice in enumerate(self.choices):
            choice.layout.display = "" if i < len(children) else "none"
            if i < len(children):
                choice.description = say("keep {sign}", sign=SIGNS[
                    view.offered.index(children[i].mutation) % len(SIGNS)])

    def _failed(self, error: Exception) -> None:
        super()._failed(error)
        try:
            with self._syncing():
                self._sync(self.lab.view(), self.runner.playing)
        except Exception:                       # what cannot be seen cannot be drawn: the complaint stands
            self.play.description = say("▶ Play")
