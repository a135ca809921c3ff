"""Below an error's traceback, which Python writes in English, its last line in the reader's language.

It is said of the sentences that this package raises for a learner; those of Python, torch and the readers of foreign
files stay as they are. Below an Interrupt stands that it has not reached a panel that plays.
"""

import sys

from ..language import say, told
from ..runner import playing


def begin() -> None:
    """Listen to the notebook's cells from here on. The banner calls it; twice is as good as once."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and _after_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _after_cell)


def _after_cell(result) -> None:
    error = result.error_in_exec
    if error is not None and (words := told(error)) != str(error):
        print(words, file=sys.stderr)
    if isinstance(error, KeyboardInterrupt) and playing():
        print(say("The panel plays on: its button Pause or Stop ends that."), file=sys.stderr)
