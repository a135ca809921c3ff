"""Save and load weights: safetensors with everything needed to rebuild the network, and a hash of it all.

A checkpoint NAME is two files: NAME.safetensors (the tensors; its header names the kind of network and its
configuration) and NAME.json, its record: SHA-256, size, the command that made it, time, data, metrics, licence.
"""

import contextlib
import json
import math
import operator
import os
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch.overrides import TorchFunctionMode

from . import stylegan
from .files import as_json, data_folder, expanded, read_json, regular, sha256, to_write, write_text, writing
from .networks import classifier, dcgan, progan, segmenter
from .networks.device import pick_device
from .networks.protocols import check_name, check_weights

KINDS = {"progan": (progan.Generator, progan.ProGANConfig),
         "stylegan": (stylegan.Generator, stylegan.StyleGANConfig),
         "segmenter": (segmenter.UNet, segmenter.SegmenterConfig),
         "classifier": (classifier.Classifier, classifier.ClassifierConfig),
         "dcgan": (dcgan.Generator, dcgan.DCGANConfig)}
SUFFIX = ".safetensors"
LARGEST = 1 << 20            # of any number in a configuration


class BadCheckpoint(ValueError):
    """A weight file that is cut, altered or not ours. Nothing of it was loaded."""


def shipped() -> list[str]:
    """The names that `load` knows."""
    return sorted(path.stem for path in data_folder().glob("*.safetensors"))


def _with_suffix(path: str | Path) -> Path:
    """PATH.safetensors: the suffix is added, since that of gen-0.1 is none."""
    return expanded(path if str(expanded(path)).endswith(SUFFIX) else f"{path}{SUFFIX}")


def _side(path: Path) -> Path:
    """The record beside a checkpoint."""
    return path.with_name(path.name.removesuffix(SUFFIX) + ".json")


def _next(side: Path) -> Path:
    """Where `save` keeps a record until its weights are there: hidden, beside the one before."""
    side = Path(os.path.realpath(side))
    return side.with_name(f".{side.name}.next")


def _waiting(path: Path) -> dict:
    """The record that a killed `save` had no time to put in its place, if it is of the weights at `path`; else {}."""
    with contextlib.suppress(OSError, ValueError):
        about = read_json(_next(_side(path)))
        if about.get("sha256") == sha256(path):
            return about
    return {}


def save(path: str | Path, model: torch.nn.Module, **record) -> dict:
    """Write PATH.safetensors and PATH.json, both whole or neither: killed at any moment, it leaves the old weights with
    their record or the new ones with theirs; returns the record. Where PATH.safetensors is a link, both lie where it
    points.

    record: what else to note, such as the `.record` of a network that this one began as; what describes the file is
    measured anew. ValueError for a network of another kind, for weights that are not finite, for a path without a name
    at its end, and for a record that JSON cannot hold.
    """
    path = _with_suffix(path)
    if not path.name.removesuffix(SUFFIX).strip("."):
        raise ValueError(f"{path.parent} is a folder: end the path with a name for the network, such as nets/first")
    as_json(_side(path), record)
    kind = next((kind for kind, (cls, _) in KINDS.items() if type(model) is cls), None)
    if kind is None:
        raise ValueError(f"a {type(model).__name__} cannot be saved; there are {', '.join(KINDS)}")
    state = model.state_dict()
    try:
        header = {"kind": kind, "config": json.dumps(asdict(model.config), default=operator.index)}    # NumPy's too
        _described(header, {name: tuple(t.shape) for name, t in state.items()})
        str(path).encode()                                   # safetensors opens no other names
    except (TypeError, ValueError) as error:
        raise ValueError(f"this {kind} could not be loaded again: {error!s:.300}; {path} was not written") from None
    check_weights(model)
    # each its own memory: safetensors takes no tied weights
    tensors = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in state.items()}
    if wrong := _not_finite(tensors):
        raise ValueError(f"{wrong} holds NaN or infinity: {path} was not written")
    path = to_write(path)                                    # where a link points, and so does the record
    side = to_write(_side(path))
    if _waiting(path):                                       # of the weights before these, which may stay
        os.replace(_next(side), side)
    try:
        with writing(path) as temporary:
            temporary.write_bytes(as_bytes(tensors, header))             # save_file's would be the owner's alone
            about = {"kind": kind, "parameters": sum(p.numel() for p in model.parameters()),
                     "bytes": temporary.stat().st_size, "sha256": sha256(temporary)}
            record = about | record | about                  # in this order, and none of it of another file
            write_text(_next(side), as_json(side, record, indent=2) + "\n")
    except BaseException:
        if not _waiting(path):
            _next(side).unlink(missing_ok=True)
        raise
    os.replace(_next(side), side)                            # killed before this: `load` finds it where it waits
    return record


def _not_finite(tensors: dict[str, torch.Tensor]) -> str:
    """The name of the first tensor with NaN or infinity; "" where there is none."""
    return next((name for name, t in tensors.items() if t.is_floating_point() and not torch.isfinite(t).all()), "")


def record(name: str) -> dict:
    """The record of a shipped checkpoint."""
    check_name("shipped checkpoint", name, shipped())
    return read_json(data_folder() / f"{name}.json")


def trainings(record: dict) -> list[dict]:
    """The record of a training and those of the trainings that it went on from, the last one first."""
    return [record, *trainings(record["start"])] if "start" in record else [record]


def comparison(name: str) -> dict:
    """What a `python -m gan_teach compare` has left in data/: "plane-comparison", "progan-comparison", ….

    FileNotFoundError, where there is none of this name, says how to make one.
    """
    path = data_folder() / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; `python -m gan_teach compare --help` lists the commands that "
                                "make a comparison")
    return read_json(path)


def unfinished(path: Path, command: str, made_with: dict, **nothing) -> dict:
    """The record of a comparison to go on with: the file's, or a new one that holds `nothing` yet.

    ValueError where the file was `made_with` something else, whose figures would not belong beside new ones, and
    where it is damaged.
    """
    path = to_write(path)                                            # before the first run, not after it
    made_with = json.loads(json.dumps(made_with))                    # as a file holds it: lists for tuples
    if not path.exists():
        return {"command": command, "torch": torch.__version__, **made_with, **nothing}
    record = read_json(path)
    if any(record.get(key) != value for key, value in made_with.items()):
        raise ValueError(f"{path} was made with other settings: compare in another folder, or delete it")
    for key, value in nothing.items():
        found = record.get(key)
        if type(found) is not type(value) or type(found) is dict and not all(type(v) is dict for v in found.values()):
            raise ValueError(f"{path} is damaged: delete it (its {key} are something else)")
    return record


def point_inside(folder: Path) -> None:
    """FileNotFoundError for a folder with a network in it, or with a training that will become one."""
    if inside := sorted(path for path in folder.iterdir() if path.suffix == SUFFIX):
        raise FileNotFoundError(f"{folder} is a folder; the network is the file in it: load {inside[0]}")
    if (folder / "resume.pt").exists():
        raise FileNotFoundError(f"{folder} is the folder of a training that has not ended: it holds no network yet")


def load(name_or_path: str | Path, device: str | torch.device | None = None) -> torch.nn.Module:
    """A ready network (eval mode, no gradients for its weights) with its `.record`.

    name_or_path: a shipped name such as "scenes-progan", or the path of a file that `gan_teach.checkpoints.save`
    wrote, with or without its suffix. Raises ValueError for an unknown name, FileNotFoundError for a path without a
    file, BadCheckpoint for a file that is cut, altered or foreign: before anything larger than the file is made.
    """
    given = str(name_or_path)
    ours = given in shipped()
    is_path = not ours and given != "" and (given.endswith(SUFFIX) or "/" in given or os.sep in given
                                            or expanded(given).exists() or _with_suffix(given).is_file())
    if not is_path:
        check_name("shipped checkpoint", given, shipped(), "the path of a file")
    path = expanded(given) if is_path else data_folder() / f"{given}{SUFFIX}"
    path = path if path.is_file() else _with_suffix(path)
    if not path.is_file():
        if is_path and expanded(given).is_dir():
            point_inside(expanded(given))
        regular(path)                                        # a broken link or a pipe is told as such
        raise FileNotFoundError(f"there is no file {path}; shipped checkpoints: {', '.join(shipped())}")
    real = Path(os.path.realpath(path))                      # a link has its record there, or beside it
    path = real if path.is_symlink() and (_waiting(real) or _side(real).exists()) else path
    again = "restore it with `git checkout`" if ours else "copy or train it again"
    side, about = _side(path), _waiting(path)
    if not about and side.exists():
        try:
            about = read_json(side)
        except ValueError as error:
            raise BadCheckpoint(f"{error}; it is the record of {path}: {again}") from error
        if about.get("sha256") != sha256(path):
            raise BadCheckpoint(f"{path} is not the file that {side.name} describes (its SHA-256 differs): it was cut "
                                f"or altered, or {side.name} is of something else; {again}")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("kind") not in KINDS:
                raise BadCheckpoint(f"{path} was not written by gan_teach: its header names kind "
                                    f"{header.get('kind')!r:.80}, not one of {', '.join(KINDS)}; {again}")
            if about.get("kind", header["kind"]) != header["kind"]:
                raise BadCheckpoint(f"{path} is a {header['kind']}, and {side.name} describes a "
                                    f"{about['kind']!s:.80}: it was altered, or is of something else; {again}")
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (not a dict)
            network, config = _described(header, shapes)
            tensors = {key: file.get_tensor(key) for key in shapes}
    except BadCheckpoint:
        raise
    except SafetensorError as error:
        raise BadCheckpoint(f"{path} cannot be read as safetensors ({error!s:.300}); {again}") from error
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:   # whatever a header may cause
        raise BadCheckpoint(f"{path} does not fit the network that its header describes: {error!s:.300}; {again}") \
            from error
    with torch.inference_mode(False), torch.device("cpu"):   # whatever is set outside
        model = network(config).float()
        tensors = {name: t.clone() if t.is_inference() else t for name, t in tensors.items()}
    state = model.state_dict()
    if odd := [name for name, t in tensors.items() if t.is_floating_point() != state[name].is_floating_point()]:
        raise BadCheckpoint(f"{path} holds {tensors[odd[0]].dtype} in {odd[0]}; {again}")
    model.load_state_dict(tensors, strict=True)
    if wrong := _not_finite(model.state_dict()):             # of the model: 1e300 is finite in the file alone
        raise BadCheckpoint(f"{path} holds NaN or infinite weights ({wrong}); {again}")
    model.record = about
    return model.eval().requires_grad_(False).to(pick_device(device))


class _Counted(TorchFunctionMode):
    """Lets torch be called so many times and no more, in this thread: a header may name a billion layers."""

    def __init__(self, calls: int):
        super().__init__()
        self.calls = calls

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls -= 1
        if self.calls < 0:
            raise ValueError("it describes more layers than the file has tensors")
        return func(*args, **(kwargs or {}))


def _described(header: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> tuple[type, object]:
    """The class and the configuration that a header names, if the network of that kind has these names and shapes.

    It is made on the meta device, where nothing is allocated. ValueError, or what else a bad header causes.
    """
    network, config = KINDS[header["kind"]]
    given = json.loads(header["config"])
    defaults = {f.name: f.default for f in fields(config)}
    if type(given) is not dict or given.keys() - defaults.keys():
        raise ValueError(f"its configuration is {str(given)[:80]}")
    options = {name: _plain(value) for name, value in given.items()}
    for name, value in options.items():
        kinds = (int, float) if type(defaults[name]) is float else (type(defaults[name]),)
        if defaults[name] is not MISSING and type(value) not in kinds:
            raise ValueError(f"its {name} is {value!r:.80}")
    described = config(**options)
    with torch.device("meta"), _Counted(200 * (len(shapes) + 10)):
        wanted = {name: tuple(t.shape) for name, t in network(described).state_dict().items()}
    if faults := [f"{name} is {shapes.get(name, 'missing')}, not {wanted.get(name, 'known')}"
                  for name in sorted(wanted.keys() | shapes.keys()) if wanted.get(name) != shapes.get(name)]:
        raise ValueError("; ".join(faults[:4]) + (f"; and {len(faults) - 4} more" if len(faults) > 4 else ""))
    return network, described


def _plain(value, depth: int = 0):
    """A value of a configuration: a small number, a word, or a tuple of such. ValueError for anything else."""
    if type(value) is list and depth < 3:
        return tuple(_plain(part, depth + 1) for part in value)
    if type(value) in (bool, str) or type(value) in (int, float) and math.isfinite(value) and abs(value) <= LARGEST:
        return value
    raise ValueError(f"its configuration holds {str(value)[:80]}")
