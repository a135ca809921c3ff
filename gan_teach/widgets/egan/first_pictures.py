"""Watch a first GAN of pictures learn: a progress bar, and below it what G draws, in one place that changes."""

import math
from collections.abc import Sequence

from IPython.display import display
from tqdm.auto import tqdm

from ...egan.first_pictures import Loop, drawn
from ...language import say
from ...pictures import show


def watch(loop: Loop, steps: int, every: int = 25, stay: Sequence[int] = ()) -> None:
    """Train so many steps under a progress bar, and show in one place below it what G draws, again and again.

    stay: steps of the loop whose pictures stay; what follows is drawn below them. An interrupt ends it between two
    steps; the loop can go on from there.
    """
    def look():
        n = 4 * 2 ** math.ceil(loop.level())
        return show(drawn(loop), say("step {steps}, {n}×{n} pixels", steps=loop.steps, n=n), width=768,
                    alt=say("12 pictures of G after {steps} steps", steps=loop.steps))

    with tqdm(total=steps, unit=say(" steps")) as bar:
        place = display(look(), display_id=True)
        try:
            for k in range(1, steps + 1):
                loss_d, loss_g = loop.step()
                bar.update()
                if k % every == 0 or k == steps or loop.steps in stay:
                    bar.set_postfix(loss_d=f"{loss_d:.2f}", loss_g=f"{loss_g:.2f}")
                    if place:
                        place.update(look())
                if loop.steps in stay and k < steps:
                    place = display(look(), display_id=True)
        except KeyboardInterrupt:
            print(say("Stopped after step {steps}. Nothing is lost: watch(loop, {more}) goes on from here.",
                      steps=loop.steps, more=steps))
