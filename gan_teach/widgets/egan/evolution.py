"""The panel of chapter 3: evolve in front of the class, a phase at a time or fast, and meddle with everything.

It draws frames and listens; what happens is in `laboratory`, and the thread that plays in `runner`. The kernel stays
free. Knobs turned while it plays count from the next phase on; Pause, an Interrupt and a second run of the cell
leave one evolution, complete up to its last act.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import ipywidgets as widgets

from ...egan import plane
from ...egan.evolution import ADAM_POLICIES
from ...egan.laboratory import DATA, RULES, Laboratory
from ...recipes import evolving
from ...language import say
from ...runner import Runner
from ...worlds import datasets
from ..charts import SIGNS, plain
from ..panel import PlayingPanel, button, choices, row, seed_box, spoken
from .evolution_render import NEXT, Frame, render, titled

GAMMAS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
PARENTS = (1, 2, 4)
SLOW = 1.0          # seconds from phase to phase
FRAMES = 12         # a second


class EvolutionLab(PlayingPanel):
    """Evolve: play, pause, step a phase or a generation, go back; turn γ, n_D, μ, the mutations and the selection.

        EvolutionLab()                          # points of the plane
        EvolutionLab(pictures="fashion")        # pictures of 32×32: a set of `datasets`, or a folder of your own

    Other games: evolution, settings -> an `Evolution` at generation 0; real, as for `Evolution.step`, or a dict of such
    by name; settings, at the start; offered, measure, luck, span, head_start: see `Laboratory`. Select "mine", and
    choose the survivor yourself before F is shown; then your choice and the algorithm's live on from the same state.
    `.lab` is the laboratory, `.frame` what is shown, `.widget` the widget; a cell that ends with the panel shows it.
    """

    ADVICE = "Go back some generations, or press Reset."

    def __init__(self, evolution=None, real=None, settings=None, offered=None, measure=None,
                 luck: int | None = None, span: int | None = None, pictures: str | Path | None = None,
                 head_start: int | None = None):
        super().__init__()
        if pictures is not None:
            plan = evolving.plan_for(pictures)
            evolution = evolution or partial(evolving.begin, network=plan.network)
            real, settings = datasets.pictures(pictures, "test").images, settings or plan.settings
        data = DATA if real is None else real if isinstance(real, Mapping) else {"data": real}
        self.lab = Laboratory(data, evolution or plane.start, settings or plane.SETTINGS, offered, measure, luck,
                              span=span, head_start=head_start)
        self.frame, self._shower = Frame(), None        # the thread that moves the controls just now
        self._turning: dict = {}                        # knobs that wait for the end of an act to be turned
        self.runner = Runner(self._act, self.show, self._failed, frames=FRAMES)
        self._build()
        self._listen()
        self.show()

    # ------------------------------------------------------------------------------ the widgets

    def _build(self) -> None:
        lab, k = self.lab, self.lab.knobs

        def hooked(widget, hook):
            widget.add_class(f"gt-evo-{hook}")
            return widget

        def knob(kind, hook, label, label_width="66px", **options):
            return hooked(kind(description=label, layout=widgets.Layout(width="176px"),
                               style={"description_width": label_width}, **options), hook)

        def html(hook):
            return hooked(widgets.HTML(layout=widgets.Layout(margin="0")), hook)

        self.play = button(say("▶ Play"), "gt-evo-play", self._play, "primary", "104px")
        self.phase = button(say("Step"), "gt-evo-phase", self._phase, width="150px")
        self.one = button(say("One generation"), "gt-evo-generation", self._generation, width="130px")
        self.reset = button(say("Reset"), "gt-evo-reset", self._reset, width="76px")
        self.pace = hooked(widgets.ToggleButtons(options=choices(("slow", "fast")), value="fast",
                                                 style={"button_width": "58px"}), "pace")
        self.back = hooked(widgets.IntSlider(value=0, min=0, max=0, description=say("Go back"),
                                             continuous_update=False, style={"description_width": "62px"},
                                             layout=widgets.Layout(width="260px")), "back")
        self.scene, self.spoken, self.error = html("scene"), html("spoken"), html("error")
        gammas = sorted({*GAMMAS, k.gamma})
        self.gamma = knob(widgets.SelectionSlider, "gamma", "γ", "30px", value=k.gamma,
                          options=[(f"{g:g}", g) for g in gammas])
        self.d_steps = knob(widgets.IntSlider, "d-steps", "n_D", "30px", value=k.d_steps, min=1,
                            max=max(10, k.d_steps))
        many = sorted(n for n in {*PARENTS, k.mu} if lab.base.batch % n == 0)
        self.mu = knob(widgets.Dropdown, "mu", say("μ, parents"), value=k.mu, options=many)
        self.selection = knob(widgets.Dropdown, "selection", say("Selection"), value=k.selection,
                              options=choices(RULES))
        self.adam = knob(widgets.Dropdown, "adam", "Adam", value=k.adam, options=choices(ADAM_POLICIES))
        self.data = knob(widgets.Dropdown, "data", say("Data"), value=k.data, options=choices(lab.data))
        self.seed = seed_box(k.seed, lambda seed: self._heard(lambda seed: self.turn(seed=seed), seed), self.tell,
                             hook="gt-evo-seed", description=say("Seed"), layout=widgets.Layout(width="176px"),
                             style={"description_width": "66px"})
        self.mutations = [hooked(widgets.Checkbox(
            value=on, indent=False, description=f"{SIGNS[i % len(SIGNS)]} {plain(name)}",
            layout=widgets.Layout(width="auto", margin="0")), "mutation")
            for i, (name, on) in enumerate(zip(lab.view().offered, k.active))]
        hidden = {"width": "74px", "display": "none"}
        self.choices = [hooked(widgets.Button(layout=widgets.Layout(**hidden)), "choose")
                        for _ in range(max(many) * len(lab.offered))]

        def note(words, more=""):
            return widgets.HTML(titled(words, more), layout=widgets.Layout(margin="0"))

        def column(width, *parts):
            return widgets.VBox(parts, layout=widgets.Layout(width=f"{width}px", grid_gap="2px", overflow="hidden"))

        self.which = widgets.HBox(self.mutations, layout=widgets.Layout(flex_flow="row wrap", grid_gap="0 12px"))
        knobs = column(178, note(say("settings"), say("turn any time")), self.gamma, self.d_steps, self.mu,
                       self.selection, self.adam, self.data, self.seed, self.which)
        knobs.layout.grid_gap = "0"
        if len(lab.data) == 1:
            self.data.layout.display = "none"
        self.widget = hooked(widgets.VBox([
            row(self.play, self.phase, self.one, *self.choices, self.reset, self.pace, self.back, gap="8px"),
            self.error, widgets.HBox([self.scene, knobs], layout=widgets.Layout(grid_gap="8px", overflow="visible")),
            self.spoken, self.pulse.widget,
        ], layout=widgets.Layout(max_width="980px", padding="8px 4px", grid_gap="6px")), "lab")

    def _listen(self) -> None:
        def watch(widget, act):
            widget.observe(lambda change: self._heard(act, change["new"]), "value")

        for name in ("gamma", "d_steps", "mu", "selection", "adam", "data"):
            watch(getattr(self, name), lambda value, name=name: self.turn(**{name: value}))
        for mutation in self.mutations:
            watch(mutation, lambda _: self._switch())
        watch(self.back, self.rewind)
        watch(self.pace, lambda pace: setattr(self.runner, "interval", SLOW if pace == "slow" else 0))
        for i, choice in enumerate(self.choices):
            choice.on_click(lambda _, i=i: self._heard(self.choose, i))

    # ------------------------------------------------------------------------------ what the controls do

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
            self.runner.step(lambda: self.lab.turn(**knobs))
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

    def _play(self) -> None:
        """Pause is answered at once, though the generation that is under way may take a while (on pictures, ½ s)."""
        self._heard(lambda _: self.runner.pause(self._name_play) if self.runner.playing else self.runner.play(), None)
        self._name_play()

    def _phase(self) -> None:
        self._heard(self.runner.step, self.lab.advance)

    def _generation(self) -> None:
        self._heard(self.runner.step, lambda: self.lab.generation(by_hand=True))

    def _reset(self) -> None:
        self._heard(self.runner.step, self.lab.reset)

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

    # ------------------------------------------------------------------------------ showing

    def draw(self) -> None:
        """Draw what is now, in one message to the page; called with the runner's lock held."""
        playing = self.runner.playing
        if not playing:
            self.lab.remember()
        view = self.lab.view()
        frame = render(view, fast=playing)
        self._shower = threading.get_ident()
        try:
            self._sync(view, playing)
            if frame.error:
                self._complain(frame.error)
                return
            self.frame, self.scene.value, self.error.value = frame, frame.html(), self.told
            if not playing:                 # while it plays the words change too often to be read out
                self.spoken.value = spoken(frame.text)
        finally:
            self._shower = None

    def _sync(self, view, playing: bool) -> None:
        """Move the controls to where the laboratory is, or soon will be; `_heard` knows that nobody touched them."""
        k = replace(view.knobs, **self._turning)
        self._name_play()
        self.phase.description = say("Step: {act}", act=say(NEXT[view.done]))
        for step in (self.phase, self.one):             # in their place stand the choices
            step.layout.display = "none" if view.waiting else ""
        for name in ("gamma", "d_steps", "mu", "selection", "adam", "data", "seed"):
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

    def _name_play(self) -> None:
        while self.play.description != (words := say("❙❙ Pause") if self.runner.playing else say("▶ Play")):
            self.play.description = words           # asked again: another thread may have ended the play meanwhile

    def _heard(self, act, value) -> None:
        """A control was touched, unless `show` is moving it. An exception is told in the panel."""
        if self._shower == threading.get_ident():
            return
        try:
            act(value)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._name_play()
        super()._failed(error)
        self._shower = threading.get_ident()
        try:
            self._sync(self.lab.view(), self.runner.playing)
        except Exception:                       # what cannot be seen cannot be drawn: the complaint stands
            self.play.description = say("▶ Play")
        finally:
            self._shower = None

