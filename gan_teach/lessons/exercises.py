"""What every exercise is made of: the verdict of a check, hints, solutions, and what passed handed on.

An exercise asks for a function of the package with its body taken out; the solution is the package's own
source. A check says which property of an answer fails and by how much. It prints, and never raises: a learner
who has not begun, or whose code stops with an error, is told so and the notebook goes on. What passes is kept, and
`passed` hands it to the next picture or panel.

A chapter has its file in checks/: its checks raise `Wrong`, and `@verdict(…)` above each says its solution and hints.
"""

import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Mapping
from functools import wraps

import torch

from ..language import minus, say, told, typeset
from . import progress

SOLUTIONS: dict[str, str] = {}             # exercise -> where the package has it: "module:function", or :Class.method
HINTS: dict[str, tuple[str, ...]] = {}     # … -> each says a little more than the one before
PASSED: dict[str, Callable] = {}           # … -> the learner's function, while its last check was passed


class NotStarted(Exception):
    """The answer still holds its `...`."""


class Wrong(Exception):
    """A property does not hold; the message, put together as `say` does, says which, and by how much."""

    def __init__(self, text: str, **values):
        super().__init__(say(text, **values))


def ask(answer: Callable, *args, kept: dict[str, torch.Tensor] | None = None):
    """The value of `answer(*args)`; the learner's own errors become sentences. kept: what must not change, by name."""
    before = {what: x.clone() for what, x in (kept or {}).items()}
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()):      # what the answer sets of it ends with it
            value = answer(*args)
    except (Exception, SystemExit) as error:
        if "ellipsis" in str(error).lower():      # a `...` was reached in the middle of the body
            raise NotStarted from None
        raise Wrong("error: your function stopped with {kind}: {error}", kind=type(error).__name__,
                    error=told(error)) from None
    if value is None or value is ...:
        raise NotStarted
    for what, was in before.items():
        unchanged(what, kept[what], was)
    return value


def unchanged(what: str, now: torch.Tensor, before: torch.Tensor) -> None:
    if not torch.equal(now, before):
        changed = int((now != before).sum())
        raise Wrong("purity: your function changed {what} itself ({changed} of {numel} values). Work on a copy.",
                    what=what, changed=changed, numel=now.numel())


def that_is(slips: Mapping[str, float], value: float, near: float = 1e-6) -> str:
    """Of the usual slips, a sentence with the first whose value the answer has; "" where none does."""
    return next((say(" That is {name}.", name=say(name)) for name, at in slips.items() if abs(value - at) < near), "")


def in_words(slips: Mapping[str, object], fits: Callable[[object], bool]) -> str:
    """The same for slips that are sentences, where `fits` says whether the answer is such a value."""
    return next((say(" {words}.", words=say(words)) for words, value in slips.items() if fits(value)), "")


def shaped(value, shape: tuple[int, ...], what: str) -> torch.Tensor:
    """`value` if it is a tensor of that shape."""
    if not isinstance(value, torch.Tensor) or value.shape != shape:
        got = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise Wrong("shape: {what} must be {shape}; yours is {got}.", what=what, shape=tuple(shape), got=got)
    return value


def gap(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference; not a number where one of them is not."""
    return float((a.detach().double() - b.detach().double()).abs().max())


def one_number(value, what: str) -> float:
    """The number that an answer is; what: a sentence that says it is one."""
    if (size := torch.as_tensor(value).numel()) != 1:
        raise Wrong("shape: {what}; yours has {found}.", what=what, found=size)
    return float(value)


def numbers(value, count: int, what: str) -> list[float]:
    try:
        found = [float(v.detach() if isinstance(v, torch.Tensor) else v) for v in value]
    except (TypeError, ValueError):
        raise Wrong("shape: {what}; yours is a {kind} that does not hold numbers.", what=what,
                    kind=type(value).__name__) from None
    if len(found) != count:
        raise Wrong("shape: {what}; yours has {found}.", what=what, found=len(found))
    return found


def verdict(solution: str, *hints: str) -> Callable[[Callable], Callable]:
    """Turn a function check_WHAT that raises `Wrong` into one that prints the verdict and keeps what passes it."""
    def turned(properties: Callable) -> Callable:
        name = properties.__name__.removeprefix("check_")
        what = typeset(name)
        SOLUTIONS[name], HINTS[name] = solution, hints

        @wraps(properties)
        def check(answer: Callable) -> None:
            PASSED.pop(name, None)                # the last verdict counts
            if not callable(answer):
                return print(say("… {what}, not started: give the check your function, by its name and without "
                                 "brackets.", what=what))
            try:
                print("✓", minus(properties(answer)))
                PASSED[name] = answer
                progress.record("exercises", name)
            except NotStarted:
                print(say("… {what}, not started: replace the `...` in the function, then run this cell again.",
                          what=what))
            except Wrong as wrong:
                print("✗", minus(str(wrong)))
            except Exception as error:            # a return value so odd that the check itself stumbled
                print(say("✗ value: the check cannot use what you return ({kind}: {error}).",
                          kind=type(error).__name__, error=told(error)))
        return check
    return turned


def passed(name: str, ours: Callable) -> Callable:
    """The learner's function if it passed the check of exercise `name`, else `ours`; one line says which.

    So a cell after an exercise runs for everybody, and runs on the learner's own code where there is some:
    `show(passed("ablate", ablate)(r, units))`.
    """
    yours = PASSED.get(str(name))
    print(say("{name}: yours." if yours else "{name}: ours, until yours passes its check.", name=typeset(str(name))))
    return ours if yours is None else yours


def hint(name: str, n: int = 1) -> None:
    """Print the n-th hint of an exercise, from 1."""
    hints = HINTS.get(str(name))
    if hints is None:
        print(say("There is no exercise {name!r}; there are: {names}.", name=name, names=", ".join(HINTS)))
    elif n not in range(1, len(hints) + 1):
        print(say("{name} has {hints} hints: hint({name!r}, 1) to hint({name!r}, {hints}).",
                  name=name, hints=len(hints)))
    else:
        print(say("Hint {n} of {hints}: {hint}", n=n, hints=len(hints), hint=say(hints[int(n) - 1])))


def solution(name: str) -> None:
    """Print the package's own source of the exercise's function."""
    if str(name) in SOLUTIONS:
        print(textwrap.dedent(inspect.getsource(pkgutil.resolve_name(SOLUTIONS[str(name)]))))
    else:
        print(say("There is no exercise {name!r}; there are: {names}.", name=name, names=", ".join(SOLUTIONS)))
