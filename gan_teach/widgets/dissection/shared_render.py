"""What both renderers of chapter 1 share: scenes, levels k, and the two edits of r = h(z) (GAN Dissection, Eq. 3)."""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ...dissection.agreement import Dissection
from ...dissection.intervention import ablate, insert, levels, per_unit
from ...networks.protocols import check_layer, cut, evaluating, latents
from ...networks.segmenter import segment
from ..rendering import Renderer, keep

SAMPLES = 64        # pictures in which the level k of a class is measured


class UnitRenderer(Renderer):
    """For one generator, layer and segmenter.

    level: what "on" means: None measures k (`intervention.levels`, the conditional mean) when a class is first used; or
    a number, one number per unit of the layer, or a dict class -> one of these (other classes are measured).
    ablate, insert: the two edits of r, for a reader's own.
    """

    def __init__(self, G, layer: str, segmenter: Callable[[Tensor], Tensor], level=None, ablate: Callable = ablate,
                 insert: Callable = insert):
        super().__init__()
        check_layer(G, layer)
        self.G, self.layer, self.segmenter, self.ablate, self.insert = G, layer, segmenter, ablate, insert
        self._given, self._levels = level, {}
        self._scenes: OrderedDict = OrderedDict()       # seed -> (r, f, x, labels)
        r, _, x, _ = self.scene(0)
        self.units, self.grid, self.size = r.shape[1], tuple(r.shape[-2:]), tuple(x.shape[-2:])
        for k in level.values() if isinstance(level, Mapping) else (level,):
            if k is not None:
                per_unit("level", k, r, range(self.units))

    def of_this_layer(self, dissection: Dissection) -> Dissection:
        """The dissection itself, if it is one of this layer; else ValueError says what it is."""
        if not isinstance(dissection, Dissection):
            raise ValueError("a dissection is what dissect(G, layer, segmenter) returns (of dissect_layers one entry, "
                             f"found[layer]); got a {type(dissection).__name__}")
        if dissection.layer != self.layer:
            raise ValueError(f"the panel cuts {self.layer}, and this is a dissection of {dissection.layer}: give both "
                             "of the same layer")
        return dissection

    def scene(self, seed: int):
        """r, f, the picture and its labels for a seed, kept for the last 16 seeds: h is never run twice for one."""
        if seed not in self._scenes:
            with self.drawing(), evaluating(self.G, self.segmenter):
                r, f = cut(self.G, latents(self.G, 1, seed), self.layer, math.inf)         # however forced
                x = f(r)
                keep(self._scenes, seed, (r, f, x, segment(self.segmenter, x)))
        return self._scenes[seed]

    def level(self, cls: str) -> Tensor:
        """k of a class for every unit of the layer, (U,); measured once."""
        if cls not in self._levels:
            k = self._given.get(cls) if isinstance(self._given, Mapping) else self._given
            if k is None:
                with self.drawing():
                    k = levels(self.G, self.layer, range(self.units), self.segmenter, cls, SAMPLES).cpu()
            self._levels[cls] = torch.as_tensor(k, dtype=torch.float32).flatten().expand(self.units)
        return self._levels[cls]

    def forced(self, r: Tensor, units, P: Tensor, k: Tensor | None = None) -> Tensor:
        """r with units off where P is 1, or on at their level k: x_a or x_i, (1, U, h, w). P: h×w in [0, 1]."""
        P = P.to(r)
        return r + P * (self.ablate(r, units) - r) if k is None else self.insert(r, units, P, k.to(r))
