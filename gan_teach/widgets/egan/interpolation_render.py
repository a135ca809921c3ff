"""What the interpolation panel shows, computed without any widget: straight from z1 to z2, and along the arc."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ... import pictures
from ...egan.interpolation import WAYS, strip
from ...language import say
from ...limits import finite
from ...networks.layers import sample_z
from ...networks.protocols import fitting
from ..rendering import Renderer, keep

STEPS = 5           # pictures of a strip
TILE = 128          # CSS pixels of one of them
ENDS = 64           # pairs of ends that are kept


@dataclass(frozen=True)
class InterpolationState:
    """All that the panel's pictures depend on."""

    first: int = 1          # seed of z1
    second: int = 2         # seed of z2
    alpha: float = 0.5


@dataclass(frozen=True)
class InterpolationFrame:
    """What the panel draws: bytes of pictures, for each of `WAYS`, and what is to be said about them."""

    large: tuple[bytes, ...] = ()       # G at α
    strips: tuple[bytes, ...] = ()      # G at some α from 0 to 1, a mark under the nearest
    text: str = ""
    error: str = ""


class InterpolationRenderer(Renderer):
    """`render(state) -> InterpolationFrame` for a generator of pictures. A strip is drawn once for a pair of ends."""

    FRAME = InterpolationFrame

    def __init__(self, G):
        super().__init__()
        self.G, self._strips = G, OrderedDict()         # (first, second) -> a strip for each of `WAYS`

    def check(self, state: InterpolationState) -> InterpolationState:
        finite("α", state.alpha, 0, 1)
        return state

    def ends(self, state: InterpolationState) -> tuple[Tensor, Tensor]:
        """z1 and z2, Z numbers each."""
        return tuple(sample_z(1, self.G.z_dim, seed)[0] for seed in (state.first, state.second))

    def _render(self, state: InterpolationState) -> InterpolationFrame:
        z1, z2 = self.ends(state)
        at = torch.stack([function(z1, z2, state.alpha) for function in WAYS.values()])
        x = pictures.to_uint8(self.G(fitting(self.G, at)))
        nearest = round(state.alpha * (STEPS - 1))
        lengths = say(", ").join(f"{say(name)} {z.norm():.1f}" for name, z in zip(WAYS, at))
        text = say("α = {alpha:.2f}. Length ‖z‖ here: {lengths}; at the ends {first:.1f} and {second:.1f}.",
                   alpha=state.alpha, lengths=lengths, first=z1.norm(), second=z2.norm())
        return InterpolationFrame(tuple(pictures.jpeg(_sized(image, 240)) for image in x),
                                  tuple(pictures.jpeg(_marked(s, nearest)) for s in self._row(state)), text)

    def _row(self, state: InterpolationState) -> list[np.ndarray]:
        key = state.first, state.second
        if key not in self._strips:
            z1, z2 = self.ends(state)
            keep(self._strips, key, [pictures.grid([_sized(x, TILE) for x in pictures.to_uint8(
                strip(self.G, z1, z2, STEPS, how))], STEPS) for how in WAYS], most=ENDS)
        return self._strips[key]


def _sized(image: np.ndarray, wanted: int) -> np.ndarray:
    """Enlarged by the whole number that brings it nearest to what is wanted."""
    return pictures.enlarge(image, max(1, round(wanted / len(image))), "bicubic")


def _marked(row: np.ndarray, place: int) -> np.ndarray:
    """A strip with a bar below it that shows which of its pictures is nearest to α."""
    tile = row.shape[1] // STEPS
    bar = np.full((8, row.shape[1], 3), 255, np.uint8)
    bar[3:, place * tile:(place + 1) * tile] = (230, 110, 0)
    return np.concatenate([row, bar])
