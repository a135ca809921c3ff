"""The panel of the warm-up: let D and G take turns by hand, slowly, or as fast as they can.

It draws frames and listens; the moves are those of `warm_up.Game`, and the playing is `runner.Runner`'s.
"""

from __future__ import annotations

from collections import deque

import ipywidgets as widgets
import torch

from ... import pictures
from ...egan import plane
from ...egan.warm_up import DATA, LOSSES, SIDE, Game, drawn, heart
from ...language import say
from ...networks.layers import one_thread
from ...runner import Runner
from ..dissection.paint_mask import painter
from ..panel import PlayingPanel, button, choices, heading, row, seed_box, spoken
from .warm_up_render import Frame, frame

MINE = "my drawing"
SPEEDS = {"slow": 0.6, "medium": 0.05, "fast": 0.0}     # seconds from move to move; slow shows each player's turn
KEPT, EVERY = 100, 20           # snapshots for Back; in a play there is one before every so many moves


class WarmUpPanel(PlayingPanel):
    """D and G on a plane. data, loss: names from DATA and LOSSES; d_steps: D's steps for each of G.

    With the data "my drawing" a canvas appears, and what is painted there is what G learns.

    `.game` is what is played, `.history` D's verdicts after each move, `.frame` what is shown, `.runner` who plays;
    a cell that ends with the panel shows it.
    """

    def __init__(self, data: str = "a wave", seed: int = 0, d_steps: int = 1, loss: str = "non-saturating"):
        super().__init__()
        self._start = {"data": data, "seed": seed, "d_steps": d_steps, "loss": loss}
        self.frame, self._said, self._ds_turn = Frame(), "", True
        self.runner = Runner(self._act, self.show, self._failed)
        self._build()
        self._listen()
        self._new_game()
        self.runner.step(lambda: None)

    # ------------------------------------------------------------------------------ the widgets

    def _build(self) -> None:
        def chosen(kind, hook, words, width, label_width, **options):
            it = kind(description=words, layout=widgets.Layout(width=width),
                      style={"description_width": label_width}, **options)
            it.add_class(hook)
            return it

        def html(hook):
            it = widgets.HTML()
            it.add_class(hook)
            return it

        self.scene, self.spoken, self.error = html("gt-scene"), html("gt-spoken"), html("gt-error")
        self.d = button(say("D learns"), "gt-d", lambda: self._by_hand(self._d_moves), width="80px")
        self.g = button(say("G learns"), "gt-g", lambda: self._by_hand(self._g_moves), width="80px")
        self.both = button(say("Both"), "gt-both", lambda: self._by_hand(self._round), width="80px")
        self.play = button(say("▶ Play"), "gt-play", self._play_or_pause, "primary")
        self.back = button(say("↶ Back"), "gt-back", lambda: self.runner.step(self._back), width="80px")
        self.reset = button(say("Reset"), "gt-reset", self.start_again, width="80px")
        self.speed = chosen(widgets.ToggleButtons, "gt-speed", "", "auto", "0px", options=choices(SPEEDS),
                            value="medium")
        self.speed.style.button_width = "82px"
        self.data = chosen(widgets.Dropdown, "gt-data", say("Data"), "176px", "40px", options=choices([*DATA, MINE]),
                           value=self._start["data"])
        self.loss = chosen(widgets.Dropdown, "gt-loss", say("Loss of G"), "224px", "64px", options=choices(LOSSES),
                           value=self._start["loss"])
        self.rate = chosen(widgets.SelectionSlider, "gt-rate", say("D's steps for each of G"), "330px", "150px",
                           options=[1, 2, 5, 10, 20], value=self._start["d_steps"])
        self.seed = seed_box(self._start["seed"], lambda _: self._anew(), self.tell, description=say("Seed"),
                             layout=widgets.Layout(width="130px"), style={"description_width": "40px"})
        self.pushes = widgets.Checkbox(value=True, indent=False,
                                       description=say("lines: where G is asked to move a point"),
                                       layout=widgets.Layout(width="330px"))
        self.pushes.add_class("gt-pushes")
        self.easel, self.canvas = widgets.VBox([], layout=widgets.Layout(display="none")), None
        self.widget = widgets.VBox([
            heading(say("Two players on a plane"), say("D tells the crosses from the dots, G moves the dots")),
            row(self.d, self.g, self.both, self.play, self.back, self.reset,
                widgets.HBox([widgets.HTML(f'<span style="font-size:13px">{say("Speed")}</span>'), self.speed]),
                gap="8px"),
            self.error, self.scene,
            row(self.rate, self.data, self.loss, self.seed), self.easel, row(self.pushes), self.spoken,
            self.pulse.widget,
        ], layout=widgets.Layout(max_width="1000px", padding="8px 12px", grid_gap="8px"))
        self.widget.add_class("gt-warm-up")

    def _listen(self) -> None:
        for control in (self.data, self.loss):
            control.observe(lambda _: self._anew(), "value")
        self.speed.observe(lambda change: setattr(self.runner, "interval", SPEEDS[change["new"]]), "value")
        self.pushes.observe(lambda _: self._guard(self._redraw), "value")
        self.runner.interval = SPEEDS[self.speed.value]

    # ------------------------------------------------------------------------------ what the controls do

    def _new_game(self) -> None:
        """Untrained networks; the controls stay as they are."""
        self.easel.layout.display = "" if self.data.value == MINE else "none"
        if self.data.value == MINE and self.canvas is None:
            self._set_up_easel()
        data = drawn(self.canvas.mask) if self.data.value == MINE else DATA[self.data.value]
        self.game = Game(data, self.seed.value, LOSSES[self.loss.value])
        self.history, self._kept, self._said, self._ds_turn = [self.game.verdicts()], deque(maxlen=KEPT), "", True

    def _set_up_easel(self) -> None:
        """The canvas, with a heart on it."""
        self.canvas = painter(SIDE, SIDE, 288)
        self.canvas.add_class("gt-easel")
        self.canvas.mask, self.canvas.active = heart(), True
        self.canvas.show(pictures.png(plane.picture(D_field=torch.zeros(2, 2))), say("the canvas"))
        self.canvas.observe(lambda change: self._anew() if "1" in change["new"] else
                            self.tell(say("Paint something: an empty drawing has nothing to learn from.")), "mask")
        wipe = button(say("Clear"), "gt-wipe", lambda: setattr(self.canvas, "mask", "0" * SIDE**2), width="80px")
        title = heading(say("What G shall learn"), say("drag to paint, shift and drag to erase; then Play"))
        self.easel.children = [title, self.canvas, wipe]

    def _anew(self) -> None:
        self._guard(lambda: self.runner.step(self._new_game))

    def start_again(self) -> None:
        """The game of the same data, loss and seed from its start."""
        self._anew()

    def _by_hand(self, move) -> None:
        def kept():
            self._keep()
            move()

        self._guard(lambda: self.runner.step(kept))

    def _play_or_pause(self) -> None:
        def play():
            with self.runner.lock:
                self._keep()
            self.runner.play()
            self._name_play()

        self._guard(self.runner.pause if self.runner.playing else play)

    def _act(self) -> None:
        """One move of a play."""
        if len(self.history) >= self._next_keep():
            self._keep()
        if self.runner.interval < SPEEDS["slow"]:
            self._round()
        elif self._ds_turn:
            self._d_moves()
        else:
            self._g_moves()

    def _d_moves(self) -> None:
        for _ in range(self.rate.value):
            self._move(self.game.step_d)
        self._said, self._ds_turn = say("D has learnt: the ground has changed. "), False
        self.history.append(self.game.verdicts())

    def _g_moves(self) -> None:
        self._move(self.game.step_g)
        self._said, self._ds_turn = say("G has learnt: the dots have moved. "), True
        self.history.append(self.game.verdicts())

    def _round(self) -> None:
        with one_thread():
            self.game.round(self.rate.value)
        self._said, self._ds_turn = "", True
        self.history.append(self.game.verdicts())

    def _move(self, step) -> None:
        with one_thread():
            step()

    def _keep(self) -> None:
        self._kept.append((len(self.history), self.game.state()))

    def _next_keep(self) -> int:
        return self._kept[-1][0] + EVERY if self._kept else 1

    def _back(self) -> None:
        if self._kept:
            length, state = self._kept.pop()
            self.game.restore(state)
            del self.history[length:]
            self._said, self._ds_turn = say("Back. "), True

    # ------------------------------------------------------------------------------ showing

    def _redraw(self) -> None:
        with self.runner.lock:
            self.draw()

    def draw(self) -> None:
        """Draw the game as it is, in one message to the page; called under the runner's lock."""
        with one_thread():
            self.frame = frame(self.game, self.history, self._said, self.pushes.value)
        self.scene.value, self.error.value = self.frame.html(), self.told
        if not self.runner.playing:                     # nobody wants twelve sentences a second read out
            self.spoken.value = spoken(self.frame.text)
        self._name_play()

    def _name_play(self) -> None:
        while self.play.description != (words := say("❚❚ Pause") if self.runner.playing else say("▶ Play")):
            self.play.description = words           # asked again: another thread may have ended the play meanwhile

    def _failed(self, error: Exception) -> None:
        self._name_play()
        super()._failed(error)
