"""Ground truth: how far is an IoU by segmenter from the IoU with the true masks?

GAN Dissection (arXiv 1811.10597) measures units against what a segmenter *sees*; in generated photographs nobody
knows what is there. Our scenes are drawn by a program, so everything is known. `SceneGenerator` is a generator
whose pictures are such scenes and whose units are noisy masks of their classes; `TrueMasks` stands in the
segmenter's place and answers with the truth. Dissect twice, and the difference is the segmenter's error alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..language import columns, pad, say
from ..networks.layers import seeded
from ..networks.protocols import Segmenter, check_name, classes_of, device_of, evaluating
from ..networks.segmenter import wrap
from ..pictures import to_float
from ..worlds.drawing import prerender
from ..worlds.scenes import CLASSES, Scenes
from .agreement import Dissection
from .unit_iou import dissect


class SceneGenerator:
    """z N×1 -> rendered scenes N×3×size×size; a unit is the mask of a class, more or less noisy.

        r_{u,p} = share of class c(u) under place p + σ(u) · ε_{u,p},   ε ~ N(0, 1)

    For every class one unit of each σ in `noise`, then `blind` units of nothing but noise; `unit_classes[u]` is
    the class of unit u, None for a blind one. The layers are the grid the units live on: "8×8", "16×16", "32×32".
    z chooses one of `scenes` scenes. It can be dissected but not edited: f knows one picture for each r.
    wear: 0 for clean pictures; else they are blurred (3×3) and get noise of this deviation, on the scale of
    [-1, 1]. A GAN's pictures are not clean either; the true masks stay those of the clean scene.
    """

    layers, z_dim = ("8×8", "16×16", "32×32"), 1
    noise = (0.05, 0.2, 0.5)

    def __init__(self, scenes: int = 300, size: int = 64, seed: int = 3, wear: float = 0.0, blind: int = 9):
        drawn = Scenes(scenes, size=size, seed=seed)
        self.images, self.masks = prerender(drawn)                          # bytes
        if wear:
            soft = F.avg_pool2d(F.pad(to_float(self.images), (1, 1, 1, 1), mode="replicate"), 3, 1)
            soft += wear * torch.randn(soft.shape, generator=seeded(seed), dtype=torch.float32)
            self.images = ((soft + 1) * 127.5).round().clamp(0, 255).byte()
        self.classes, self.seed = CLASSES, drawn.seed
        self.unit_classes = [name for name in CLASSES for _ in self.noise] + [None] * blind
        self.sigma = torch.tensor(list(self.noise) * len(CLASSES) + [1.0] * blind)

    def scenes_of(self, z: Tensor) -> Tensor:
        """The number of the scene that each z stands for: (N,), about equally often."""
        return ((z[:, 0].abs() * 64) % 1 * len(self.images)).long()         # exact in floats: alike everywhere

    def at(self, z: Tensor, layer: str) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """r, N×U×h×w, and an f that answers f(r) = G(z) for this r, and ValueError for an edited one."""
        check_name("layer", layer, self.layers)
        index, side = self.scenes_of(z.cpu()), int(layer.split("×")[0])
        here = F.one_hot(self.masks[index].long(), len(CLASSES)).permute(0, 3, 1, 2).float()
        share = F.adaptive_avg_pool2d(here, side)                           # (N, C, h, w)
        share = share.repeat_interleave(len(self.noise), 1)
        share = F.pad(share, (0, 0, 0, 0, 0, len(self.sigma) - share.shape[1]))            # (N, U, h, w)
        seeds = self.seed * 10**9 + side * 10**6 + index                    # a scene's noise is always the same
        epsilon = torch.stack([torch.randn(share.shape[1:], generator=torch.Generator().manual_seed(int(i)),
                                           dtype=torch.float32) for i in seeds])
        r = share + self.sigma.view(1, -1, 1, 1) * epsilon

        def f(edited: Tensor) -> Tensor:
            if edited.shape != r.shape or not torch.equal(edited, r):
                raise ValueError("a SceneGenerator's pictures are drawn by a program, not from r: it can be "
                                 "dissected, but an edited r has no picture; edit a trained generator")
            return to_float(self.images[index])

        return r, f

    def __call__(self, z: Tensor) -> Tensor:
        return to_float(self.images[self.scenes_of(z.cpu())])


class TrueMasks:
    """A segmenter that knows the answer: scores are 1 for the true class of a pixel and 0 for the others.

    It recognises the pictures of its `SceneGenerator`; any other picture raises ValueError.
    """

    def __init__(self, G: SceneGenerator):
        self.classes, self.masks = G.classes, G.masks
        self.number = {image.numpy().tobytes(): i for i, image in enumerate(G.images)}

    def __call__(self, images: Tensor) -> Tensor:
        as_bytes = ((images.cpu() + 1) * 127.5).round().clamp(0, 255).byte()
        numbers = [self.number.get(image.numpy().tobytes()) for image in as_bytes]
        if None in numbers:
            raise ValueError("the truth is known for the rendered scenes of this SceneGenerator only, and this "
                             "picture is none of them; for other pictures use a trained segmenter")
        return F.one_hot(self.masks[numbers].long(), len(self.classes)).permute(0, 3, 1, 2).float()


@dataclass
class TruthGap:
    """The same units dissected by a segmenter and by the truth."""

    seen: Dissection            # by the segmenter
    true: Dissection            # by the exact masks

    @property
    def error(self) -> Tensor:
        """Mean over the units of |IoU_{u,c} seen − IoU_{u,c} true|, (C,)."""
        return (self.seen.iou - self.true.iou).abs().mean(0)

    @property
    def best_error(self) -> Tensor:
        """The same at the unit that truly matches the class best, with its sign: (C,); below 0: understated."""
        best = self.true.iou.argmax(0, keepdim=True)                        # (1, C)
        return (self.seen.iou - self.true.iou).gather(0, best)[0]

    @property
    def rank_agreement(self) -> Tensor:
        """Spearman's ρ between the two orders of the units for each class, (C,): 1, the same order; NaN: never seen."""
        def ranks(iou: Tensor) -> Tensor:                                   # from their mean, of length 1
            rank = (iou.T[:, :, None] - iou.T[:, None]).sign().sum(2)       # (C, U): units below less units above
            return rank / rank.norm(dim=1, keepdim=True).clamp(min=1)

        rho = (ranks(self.seen.iou) * ranks(self.true.iou)).sum(1)
        return rho.where(self.true.class_pixels > 0, torch.nan)

    @property
    def same_label(self) -> float:
        """Share of units that both give the same class."""
        return (self.seen.iou.argmax(1) == self.true.iou.argmax(1)).float().mean().item()

    def __str__(self) -> str:
        """A table, the class with the largest error first."""
        error, best, rho = self.error, self.best_error, self.rank_agreement
        top = self.true.iou.amax(0)
        lines = [say("{units} units, {samples} pictures: {share:.0%} of the units get the same class from the "
                     "segmenter as from the truth", units=len(self.true.iou), samples=self.true.samples,
                     share=self.same_label),
                 columns(("class", -12), ("mean |ΔIoU|", 13), ("best unit, true", 17), ("segmenter − true", 18),
                         ("rank ρ", 9))]
        for c in error.argsort(descending=True, stable=True).tolist():
            lines.append(f"{pad(say(self.true.classes[c]), 12)}{error[c]:>13.4f}{top[c]:>17.3f}"
                         f"{best[c]:>+18.4f}{rho[c]:>9.3f}")
        return "\n".join(lines)


def truth_gap(segmenter: Segmenter, G: SceneGenerator | None = None, layer: str = "16×16", samples: int = 300,
              quantile: float = 0.05, seed: int = 0, progress: bool = True) -> TruthGap:
    """Dissect rendered scenes with this segmenter and with the true masks; print the result for the table.

    Both see the same pictures, units and thresholds; only the labels differ. The segmenter's classes must be those of
    `scenes.CLASSES`, in this order, else ValueError. Rendered pictures are cleaner than generated ones: on a GAN's
    pictures the segmenter errs more than this, and nobody can say by how much. `SceneGenerator(wear=…)` gives an idea.
    """
    if tuple(classes_of(segmenter)) != CLASSES:
        raise ValueError(f"the truth has the classes {', '.join(CLASSES)}; the segmenter has "
                         f"{', '.join(segmenter.classes)}")
    G = SceneGenerator() if G is None else G
    device = device_of(segmenter)                                           # the scenes lie on the CPU
    there = wrap(segmenter, CLASSES, prepare=lambda images: images.to(device))
    with evaluating(segmenter):
        return TruthGap(*(dissect(G, layer, s, samples=samples, quantile=quantile, seed=seed, progress=progress)
                          for s in (there, TrueMasks(G))))
