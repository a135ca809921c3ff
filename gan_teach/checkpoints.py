"""Save and load weights: safetensors with everything needed to rebuild the network, and a hash of it all.

A checkpoint NAME is two files: NAME.safetensors (the tensors; its header names the kind of network and its
configuration) and NAME.json, its record: SHA-256, size, the command that made it, time, data, metrics, licence.
"""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from . import stylegan
from .files import data_folder, sha256, write_text
from .networks import classifier, dcgan, progan, segmenter
from .networks.layers import pick_device

KINDS = {"progan": (progan.Generator, progan.ProGANConfig),
         "stylegan": (stylegan.Generator, stylegan.StyleGANConfig),
         "segmenter": (segmenter.UNet, segmenter.SegmenterConfig),
         "classifier": (classifier.Classifier, classifier.ClassifierConfig),
         "dcgan": (dcgan.Generator, dcgan.DCGANConfig)}


class BadCheckpoint(ValueError):
    """A weight file that is cut, altered or not ours. Nothing of it was loaded."""


def shipped() -> list[str]:
    """The names that `load` knows."""
    return sorted(path.stem for path in data_folder().glob("*.safetensors"))


def save(path: str | Path, model: torch.nn.Module, **record) -> dict:
    """Write PATH.safetensors and PATH.json, each under a temporary name first; returns the record."""
    path = Path(path).with_suffix(".safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = next(kind for kind, (cls, _) in KINDS.items() if type(model) is cls)
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        save_file(tensors, temporary, {"kind": kind, "config": json.dumps(asdict(model.config))})
        record = {"kind": kind, "parameters": sum(p.numel() for p in model.parameters()),
                  "bytes": temporary.stat().st_size, "sha256": sha256(temporary), **record}
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)                    # a full disk leaves no half file
    write_text(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    return record


def record(name: str) -> dict:
    """The record of a shipped checkpoint."""
    return json.loads((data_folder() / f"{_known(name)}.json").read_text())


def comparison(name: str) -> dict:
    """What a `python -m gan_teach compare` has left in data/: "plane-comparison", "progan-comparison", ….

    FileNotFoundError, where there is none of this name, says how to make one.
    """
    path = data_folder() / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; `python -m gan_teach compare --help` lists the commands that "
                                "make a comparison")
    return json.loads(path.read_text())


def unfinished(path: Path, command: str, made_with: dict, **nothing) -> dict:
    """The record of a comparison to go on with: the file's, or a new one that holds `nothing` yet.

    ValueError where the file was `made_with` something else, whose figures would not belong beside new ones.
    """
    made_with = json.loads(json.dumps(made_with))                    # as a file holds it: lists for tuples
    if not path.exists():
        return {"command": command, "torch": torch.__version__, **made_with, **nothing}
    record = json.loads(path.read_text())
    if any(record.get(key) != value for key, value in made_with.items()):
        raise ValueError(f"{path} was made with other settings: compare in another folder, or delete it")
    return record


def _known(name: str) -> str:
    names = shipped()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no checkpoint {name!r}.{hint} There are: {', '.join(names)}; or give the path of a "
                         ".safetensors file")
    return name


def load(name_or_path: str | Path, device: str | torch.device | None = None) -> torch.nn.Module:
    """A ready network (eval mode, no gradients for its weights) with its `.record`.

    name_or_path: a shipped name such as "scenes-progan", or the path of a .safetensors file that
    `gan_teach.checkpoints.save` wrote. Raises ValueError for an unknown name, FileNotFoundError for a
    path without a file, BadCheckpoint for a file that is cut, altered or foreign.
    """
    given = str(name_or_path)
    is_path = given.endswith(".safetensors") or os.sep in given
    path = Path(given) if is_path else data_folder() / f"{_known(given)}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; shipped checkpoints: {', '.join(shipped())}")
    again = "restore it with `git checkout`" if not is_path else "copy or train it again"
    side = path.with_suffix(".json")
    about = json.loads(side.read_text()) if side.exists() else {}
    if about and about["sha256"] != sha256(path):
        raise BadCheckpoint(f"{path} is not the file that {side.name} describes (its SHA-256 differs): it was cut "
                            f"or altered; {again}")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise BadCheckpoint(f"{path} cannot be read as safetensors ({error}); {again}") from error
    if header.get("kind") not in KINDS:
        raise BadCheckpoint(f"{path} was not written by gan_teach: its header names kind {header.get('kind')!r}, "
                            f"not one of {', '.join(KINDS)}")
    network, config = KINDS[header["kind"]]
    try:
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(header["config"]).items()}
        model = network(config(**options))
        model.load_state_dict(tensors, strict=True)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadCheckpoint(f"{path} does not fit the network that its header describes: {error}; {again}") from error
    if not all(torch.isfinite(t).all() for t in tensors.values() if t.is_floating_point()):
        raise BadCheckpoint(f"{path} holds NaN or infinite weights; {again}")
    model.record = about
    return model.eval().requires_grad_(False).to(pick_device(device and str(device)))
