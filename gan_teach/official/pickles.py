"""Read a pickle as data: arrays, numbers, strings and nothing else. Nothing in the file can run.

A pickle is a program for a small stack machine, and the ordinary reader of it imports and calls whatever the
program names. This one walks the same opcodes (`pickletools.genops`) on a machine that cannot import: a global
is only its *name*, and the few names that weight files need stand for the pure functions below. Every other
opcode and every other name is refused before anything is built from it.

The memory is bounded by the file: arrays are views of the bytes that stand in the file, bytes made by a builder
are counted, and the number of opcodes, the stack and the nesting are limited. Nothing here recurses.
"""

import io
import math
import mmap
import pickletools
import struct
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..checkpoints import BadCheckpoint
from ..files import regular

MAX_BYTES = 1 << 30       # of a file; the authors' largest have about 0.3 GB
MAX_OPCODES = 500_000     # a 1024 px StyleGAN needs about 10,000
MAX_STACK = 20_000        # a batch of 1000 dictionary items occupies 2000
MAX_MARKS = 32            # how deep containers may be nested while they are filled
MALFORMED = (ValueError, LookupError, TypeError, OverflowError, RuntimeError, EOFError, struct.error,
             zipfile.BadZipFile)
AGAIN = "fetch the file again from its publisher"


class Name(NamedTuple):
    """What a global becomes: its name, never the object."""
    module: str
    name: str


class Inert:
    """What a builder may make that a later BUILD fills: data, with the method `build(state)`."""


@dataclass
class Dtype(Inert):
    code: str
    order: str = "<"

    def build(self, state) -> None:
        version, order, subtype, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (subtype, names, fields) != (None, None, None):
            raise ValueError(f"holds an array of a structured type ({self.code})")
        self.order = order


@dataclass
class Array(Inert):
    """A numpy array: empty until BUILD fills it, as in the file."""
    value: np.ndarray | None = None

    def build(self, state) -> None:
        _, shape, dtype, fortran, data = state
        self.value = as_array(data, dtype, shape, "F" if fortran else "C")


def as_array(data, dtype, shape, order: str = "C") -> np.ndarray:
    """The bytes as an array, without a copy, if their number is what type and shape say."""
    if not isinstance(data, bytes) or not isinstance(dtype, Dtype) or not isinstance(shape, tuple):
        raise ValueError("holds an array that is not plain numbers (bytes, a type, a shape)")
    if len(shape) > 8 or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("holds an array whose shape is not a few sizes")
    kind = np.dtype(dtype.order + dtype.code)
    if math.prod(shape) * kind.itemsize != len(data) or max(shape, default=0) > len(data):
        raise ValueError(f"holds an array of shape {shape} and type {kind} with {len(data)} bytes of numbers")
    return np.frombuffer(data, kind).reshape(shape, order=order)


def _dtype(code, *_) -> Dtype:
    if code not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"):
        raise ValueError(f"holds an array of the type {brief(code)}; only plain numbers are read")
    return Dtype(code)


def _empty_array(kind, shape, code) -> Array:
    if kind != Name("numpy", "ndarray"):
        raise ValueError(f"wants an array of the class {brief(kind)}")
    return Array()


def _latin1(text, encoding) -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise ValueError("encodes text as something else than latin1")
    return text.encode("latin1")


def ordered_dict(pairs=()) -> dict:
    """OrderedDict(), filled by SETITEMS later, or OrderedDict([[name, value], …]) as Python 2 wrote it."""
    if type(pairs) not in (tuple, list) or not all(type(p) in (tuple, list) and len(p) == 2 for p in pairs):
        raise ValueError("makes a dictionary of something that is no list of pairs")
    return set_items({}, [part for pair in pairs for part in pair])


def set_items(target, items: list) -> dict:
    # Keys are names or numbers: a key that is a deeply nested tuple would be hashed recursively.
    if type(target) is not dict or len(items) % 2 or not all(type(key) in (str, int) for key in items[::2]):
        raise ValueError("sets items of something that is no dictionary of names or numbers")
    target.update(zip(items[::2], items[1::2]))
    return target


def brief(value) -> str:
    """A value of the file, short: only texts and numbers are shown, as anything else may be endlessly nested."""
    shown = type(value) in (str, int, float, Name) and (type(value) is not str or len(value) < 200)
    return f"{value!r:.80}" if shown else f"a {type(value).__name__}"


BUILDERS: dict[Name, Callable] = {
    Name("numpy", "dtype"): _dtype,
    Name("_codecs", "encode"): _latin1,
    Name("collections", "OrderedDict"): ordered_dict,
}
for _core in ("numpy.core", "numpy._core"):                  # before and since numpy 2
    BUILDERS[Name(f"{_core}.multiarray", "_reconstruct")] = _empty_array
    BUILDERS[Name(f"{_core}.multiarray", "scalar")] = lambda dtype, data: Array(as_array(data, dtype, ()))
    BUILDERS[Name(f"{_core}.numeric", "_frombuffer")] = lambda data, dtype, shape, order: Array(
        as_array(data, dtype, shape, order if order == "F" else "C"))

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
VALUES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
          "SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
NEW = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}


def run(file, size: int, builders: dict[Name, Callable] = BUILDERS, names: frozenset[Name] = frozenset(),
        storage: Callable | None = None):
    """The value of the pickle at the file's position; the position is then just behind it.

    file has read, readline and tell (io.BytesIO, mmap); size bounds the bytes that builders make.
    builders: the pure functions that REDUCE and NEWOBJ may call; names: globals that may only be mentioned;
    storage: what a persistent id becomes (PyTorch's files). Raises ValueError for anything else.
    """
    stack, marks, memo = [], [], {}
    known = {*builders, *names, Name("numpy", "ndarray")}
    made = 0

    def pop_mark() -> list:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    def look_up(module, name) -> Name:
        if (module, name) not in known:
            raise ValueError(f"asks for {module!s:.60}.{name!s:.60}, which no weight file needs (where a whole network "
                             "was saved: torch.save(network.state_dict(), path), in its own code, saves its weights)")
        return Name(module, name)

    for count, (opcode, value, _) in enumerate(pickletools.genops(file)):
        op = opcode.name
        if count >= MAX_OPCODES or len(stack) > MAX_STACK or len(marks) > MAX_MARKS:
            raise ValueError("is nested more deeply or has more parts than a weight file")
        if op in VALUES:
            stack.append(value)
        elif op == "BYTEARRAY8":                 # protocol 5
            stack.append(bytes(value))
        elif op in CONSTANTS:
            stack.append(CONSTANTS[op])
        elif op in NEW:
            stack.append(NEW[op]())
        elif op in ("PROTO", "FRAME"):
            pass
        elif op == "MARK":
            marks.append(len(stack))
        elif op in ("TUPLE1", "TUPLE2", "TUPLE3"):
            if len(stack) < (n := int(op[-1])):
                raise ValueError("takes from an empty stack")
            stack[-n:] = [tuple(stack[-n:])]
        elif op == "TUPLE":
            stack.append(tuple(pop_mark()))
        elif op in ("BINPUT", "LONG_BINPUT"):
            memo[value] = stack[-1]
        elif op == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif op in ("BINGET", "LONG_BINGET"):
            stack.append(memo[value])
        elif op in ("APPEND", "APPENDS"):
            items = pop_mark() if op == "APPENDS" else [stack.pop()]
            if type(stack[-1]) is not list:
                raise ValueError("appends to something that is no list")
            stack[-1].extend(items)
        elif op in ("SETITEM", "SETITEMS"):
            items = pop_mark() if op == "SETITEMS" else [stack.pop(-2), stack.pop()]
            set_items(stack[-1], items)
        elif op == "GLOBAL":
            stack.append(look_up(*value.split(" ", 1)))
        elif op == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            if type(name) is not str or type(module) is not str:
                raise ValueError("names a global by something that is no text")
            stack.append(look_up(module, name))
        elif op in ("REDUCE", "NEWOBJ"):
            arguments, function = stack.pop(), stack.pop()
            if type(function) is not Name or function not in builders or not _few(arguments):
                raise ValueError(f"calls {brief(function)}, which is no builder of weights, or with many arguments")
            stack.append(builders[function](*arguments))
            made += len(stack[-1]) if type(stack[-1]) in (bytes, dict) else 0
            if made > size:
                raise ValueError("makes more of its bytes than it has")
        elif op == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], Inert):
                if not _few(state) and type(state) is not dict:
                    raise ValueError("sets the state of an object to something else than a few values")
                stack[-1].build(state)
            elif type(stack[-1]) is not dict:      # the attributes of an OrderedDict (PyTorch's _metadata) are dropped
                raise ValueError(f"sets the state of {type(stack[-1]).__name__}")
        elif op == "BINPERSID" and storage is not None:
            stack.append(storage(stack.pop()))
        elif op == "STOP":
            if len(stack) != 1 or marks:
                raise ValueError("ends in the middle of a value")
            return stack[0]
        else:
            raise ValueError(f"uses the pickle opcode {op}, which no weight file needs")
    raise ValueError("ends in the middle of a value")


def _few(values) -> bool:
    return type(values) is tuple and len(values) <= 16


class Mapped(mmap.mmap):
    """A file mapped into memory, which unlike a handle never allocates what a file merely declares."""

    def seekable(self) -> bool:    # zipfile asks, and before Python 3.13 a map does not know
        return True


@contextmanager
def opened(path: str | Path):
    """`with opened(path) as (file, size)`: the file mapped into memory; whatever goes wrong becomes BadCheckpoint.

    A malformed file can fail anywhere in the machine (an empty stack, an unset memo, three arguments for two),
    so every error of that kind is reported as the file's.
    """
    path = regular(path)
    with path.open("rb") as handle:
        size = handle.seek(0, io.SEEK_END)
        if not 0 < size <= MAX_BYTES:
            raise BadCheckpoint(f"{path} has {size} bytes; a file of weights has some and at most {MAX_BYTES}; {AGAIN}")
        with Mapped(handle.fileno(), 0, access=mmap.ACCESS_READ) as file:
            try:
                yield file, size
            except BadCheckpoint:
                raise
            except MALFORMED as error:
                what = error if type(error) is ValueError else f"is malformed ({type(error).__name__}: {error})"
                raise BadCheckpoint(f"{path} was refused, and nothing of it was run or loaded: it {what!s:.300}; "
                                    f"{AGAIN}") from error
