"""The panel of the warm-up: let D and G take turns by hand, slowly, or as fast as they can."""

from collections import deque

import ipywidgets as widgets
import torch

from ... import pictures
from ...egan import plane
from ...egan.warm_up import DATA, LOSSES, Game
from ...language import say
from ...limits import whole
from ...networks.device import one_thread
from ...runner import Runner
from ...worlds.gaussians import SIDE, drawn, heart
from ..controls import choices, column, field, heading, hooked, row, tick, toggles
from ..paint_mask import mask_canvas
from ..playing import PlayingPanel
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
        d_steps = whole("d_steps", d_steps, 1, 100)
        super().__init__("gt")
        self.frame = Frame()
        self.runner = Runner(self._act, self.show, self._failed)
        self._build(data, seed, d_steps, loss)
        self._listen()
        self._new_game()
        self.runner.step(lambda: None)

    def _build(self, data: str, seed: int, d_steps: int, loss: str) -> None:
        self.d, self.g, self.both = (
            self.button(words, f"gt-{hook}", lambda act=act: self._by_hand(act), width="80px") for words, hook, act in (
                (say("D learns"), "d", self._d_moves), (say("G learns"), "g", self._g_moves),
                (say("Both"), "both", self._round)))
        self.play = self.play_button("gt-play")
        self.back = self.button(say("↶ Back"), "gt-back", lambda: self.runner.step(self._back), width="80px")
        self.reset = self.button(say("Reset"), "gt-reset", self._anew, width="80px")
        self.speed = toggles("gt-speed", choices(SPEEDS), "medium", "82px")
        self.data = field(widgets.Dropdown, "gt-data", say("Data"), "176px", "40px", options=choices([*DATA, MINE]),
                          value=data)
        self.loss = field(widgets.Dropdown, "gt-loss", say("Loss of G"), "224px", "64px", options=choices(LOSSES),
                          value=loss)
        self.rate = field(widgets.SelectionSlider, "gt-rate", say("D's steps for each of G"), "330px", "150px",
                          options=sorted({1, 2, 5, 10, 20, d_steps}), value=d_steps)
        self.seed = self.number_box("gt-seed", say("Seed"), seed, lambda _: self._anew(), "130px")
        self.pushes = tick("gt-pushes", say("lines: where G is asked to move a point"), "330px", value=True)
        self.easel, self.canvas = column(display="none"), None
        self.widget = hooked(column(
            heading(say("Two players on a plane"), say("D tells the crosses from the dots, G moves the dots")),
            row(self.d, self.g, self.both, self.play, self.back, self.reset,
                widgets.HBox([widgets.HTML(f'<span style="font-size:13px">{say("Speed")}</span>'), self.speed]),
                gap="8px"),
            self.error, self.scene,
            row(self.rate, self.data, self.loss, self.seed), self.easel, row(self.pushes), self.spoken,
            self.pulse.widget, gap="8px", max_width="1000px", padding="8px 12px"), "gt-warm-up")

    def _listen(self) -> None:
        for control in (self.data, self.loss):
            self._watch(control, lambda _: self.runner.step(self._new_game))
        self._watch(self.speed, lambda speed: setattr(self.runner, "interval", SPEEDS[speed]))
        self._watch(self.pushes, lambda _: self._redraw())
        self.runner.interval = SPEEDS[self.speed.value]

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
        self.canvas = mask_canvas(SIDE, SIDE, 288)
        self.canvas.add_class("gt-easel")
        self.canvas.mask, self.canvas.active = heart(), True
        self.canvas.show(pictures.png(plane.picture(D_field=torch.zeros(2, 2))), say("the canvas"))
        self._watch(self.canvas, lambda mask: self._anew() if "1" in mask else
                    self.tell(say("Paint something: an empty drawing has nothing to learn from.")), "mask")
        wipe = self.button(say("Clear"), "gt-wipe", lambda: setattr(self.canvas, "mask", "0" * SIDE**2), width="80px")
        title = heading(say("What G shall learn"), say("drag to paint, shift and drag to erase; then Play") if
                        hasattr(self.canvas, "_esm") else say("paint with the buttons"))
        self.easel.children = [title, self.canvas, wipe]

    def _anew(self) -> None:
        self.runner.step(self._new_game)

    def _by_hand(self, move) -> None:
        def kept():
            self._keep()
            move()

        self.runner.step(kept)

    def begin(self) -> None:
        """Play, from a snapshot on that Back knows."""
        with self.runner.lock:
            self._keep()
        super().begin()

    def _act(self) -> None:
        """One move of a play."""
        if not self._kept or len(self.history) >= self._kept[-1][0] + EVERY:
            self._keep()
        if self.runner.interval < SPEEDS["slow"]:
            self._round()
        elif self._ds_turn:
            self._d_moves()
        else:
            self._g_moves()

    def _d_moves(self) -> None:
        self._move(lambda: [self.game.step_d() for _ in range(self.rate.value)],
                   say("D has learnt: the ground has changed. "), ds_turn=False)

    def _g_moves(self) -> None:
        self._move(self.game.step_g, say("G has learnt: the dots have moved. "))

    def _round(self) -> None:
        self._move(lambda: self.game.round(self.rate.value))

    def _move(self, act, said: str = "", ds_turn: bool = True) -> None:
        with one_thread():
            act()
        self._said, self._ds_turn = said, ds_turn
        self.history.append(self.game.verdicts())

    def _keep(self) -> None:
        self._kept.append((len(self.history), self.game.state()))

    def _back(self) -> None:
        if self._kept:
            length, state = self._kept.pop()
            self.game.restore(state)
            del self.history[length:]
            self._said, self._ds_turn = say("Back. "), True

    def _redraw(self) -> None:
        with self.runner.lock:
            self.draw()

    def draw(self) -> None:
        """Draw the game as it is, in one message to the page; called under the runner's lock."""
        with one_thread():
            self.put(frame(self.game, self.history, self._said, self.pushes.value))
