"""Below an error's traceback, which Python writes in English, its last line in the reader's language.

It is said of the sentences that this package raises for a learner; those of Python, torch and the readers of foreign
files stay as they are. Below an Interrupt stands that it has not reached a panel that plays; below a name that is
missing, where it may come from.
"""

import sys

from ..language import say, told
from ..runner import playing


def after_cell(result) -> None:
    """Called when a cell has run: the banner asks for it."""
    error = result.error_in_exec
    if error is not None and (words := told(error)) != str(error):
        print(words, file=sys.stderr)
    if type(error) is NameError:
        print(say("Perhaps {name} is made by a cell further up that has not run. Run those of this section in order, "
                  "or begin at one with `catch_up` and its number.", name=error.name), file=sys.stderr)
    if isinstance(error, KeyboardInterrupt) and playing():
        print(say("The panel plays on: its button Pause ends that."), file=sys.stderr)
