"""Read the pickles of the authors of Progressive GAN and StyleGAN, without TensorFlow.

A file is a tuple (G, D, Gs) of Network objects. The state of one holds version, name, static_kwargs, components
(for StyleGAN the mapping and the synthesis network, with variables of their own), variables = [(name, array)] and
the *source text* that would build it in TensorFlow, which the ordinary reader runs and this one drops.

Format: github.com/NVlabs/stylegan, dnnlib/tflib/network.py.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from . import pickles
from .pickles import Array, Inert, Name, brief, opened, ordered_dict, run

NETWORKS = ("G", "D", "Gs")


@dataclass
class Network(Inert):
    """The state of a network of the authors' TensorFlow library, as inert data."""
    name: str = ""
    static_kwargs: dict = field(default_factory=dict)
    components: dict = field(default_factory=dict)
    variables: list = field(default_factory=list)

    def build(self, state) -> None:
        if not isinstance(state, dict) or state.get("version") not in (2, 3):
            version = state.get("version") if isinstance(state, dict) else None
            raise ValueError(f"holds a network of format version {brief(version)}; ProGAN and StyleGAN have 2 and 3 "
                             "(4 is StyleGAN2, which is another network)")
        for key, kind in (("name", str), ("static_kwargs", dict), ("components", dict), ("variables", list)):
            value = state.get(key, kind())
            if type(value) is not kind:
                raise ValueError(f"has a network whose {key} is no {kind.__name__}")
            setattr(self, key, value)   # build_module_src, a program, stays behind


BUILDERS = pickles.BUILDERS | {
    Name("dnnlib.util", "EasyDict"): ordered_dict,
    Name("dnnlib.tflib.network", "Network"): lambda: Network(),   # without arguments: BUILD fills it
    Name("tfutil", "Network"): lambda: Network()}                 # its name in the code of Progressive GAN


def read_network(path: str | Path, which: str = "Gs") -> tuple[dict[str, torch.Tensor], dict]:
    """One network in an official TensorFlow pickle: its weights, {variable: float32 tensor}, in TensorFlow's shapes,
    and the options that it was made with, {"blur_filter": [1, 2, 1], …}; those left at their default are not stored.

    which: "G", "D" or "Gs" (the running average of G, which makes the published pictures). A component's
    variables carry its name: "synthesis/4x4/Const/const", "mapping/Dense0/weight". Raises BadCheckpoint for
    every file that is not such a pickle, whole and finite.
    """
    with opened(path) as (file, size):
        networks = run(file, size, BUILDERS)
        if file.tell() != size:
            raise ValueError(f"goes on for {size - file.tell()} bytes behind its end")
        if type(networks) is not tuple or len(networks) != 3 or not all(type(n) is Network for n in networks):
            raise ValueError("is no tuple of the three networks (G, D, Gs)")
        network = networks[NETWORKS.index(which)]
        weights, options = _variables(network, size), {}
        for part in (*network.components.values(), network):     # the whole network hands its own to its components
            options |= part.static_kwargs
        return weights, options


def _variables(network: Network, size: int) -> dict[str, torch.Tensor]:
    parts = {"": network}
    for name, part in network.components.items():
        if type(part) is not Network or part.components:
            raise ValueError(f"has a component {brief(name)} that is no plain network")
        parts[f"{name}/"] = part
    found, budget = {}, 2 * size           # one array may be named a thousand times; half precision becomes float32
    for prefix, part in parts.items():
        for item in part.variables:
            if type(item) is not tuple or len(item) != 2 or type(item[0]) is not str:
                raise ValueError("has a variable that is no pair of a name and an array")
            name, array = prefix + item[0], item[1]
            array = array.value if type(array) is Array else np.asarray(array) if type(array) is float else None
            if array is None or array.dtype.kind != "f":
                raise ValueError(f"has a variable {brief(name)} that is no array of floating-point numbers")
            budget -= 1 + 4 * array.size
            if name in found or budget < 0:
                raise ValueError(f"has the variable {brief(name)} twice, or more variables than bytes")
            with np.errstate(over="ignore"):
                array = array.astype(np.float32)
            if not np.isfinite(array).all():
                raise ValueError(f"has NaN or infinite numbers in {brief(name)}")
            found[name] = torch.from_numpy(array)
    return found
