"""How the networks that judge are trained: the segmenter of villages, and the classifiers of portraits and clothes.

They learn from pictures whose labels are known exactly, made to look a little like a GAN's. None of them ever takes
part in the training of a generator.
"""

import copy
import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import checkpoints
from ..files import to_write
from ..limits import MAX_SEED, whole
from ..networks.classifier import Classifier, ClassifierConfig, accuracy
from ..networks.device import low_precision
from ..networks.layers import check_gradients, seeded
from ..networks.protocols import classes_of
from ..networks.segmenter import SegmenterConfig, UNet, class_iou, confusion, mean_iou, segment
from ..pictures import fingerprint, to_float
from ..training import Resumable, advance, check_descent, check_same, go_on, refill
from ..worlds import datasets
from ..worlds.drawing import prerender
from ..worlds.portraits import RANGES, Portraits
from ..worlds.scenes import Scenes

LICENCE = "MIT"


# ---------------------------------------------------------------------------------------------- pictures, and how fast

def augment(images: Tensor, masks: Tensor | None, generator: torch.Generator,
            mirror: bool = True) -> tuple[Tensor, Tensor | None]:
    """Make clean renderings look like a GAN's pictures: mirrored, tinted, a little soft, a little noisy.

    images N×3×H×W in [-1, 1], masks N×H×W -> the same shapes. mirror=False: for labels that know left from right.
    """
    n = len(images)

    def uniform(low, high, *shape):
        return torch.rand(shape, generator=generator, dtype=torch.float32) * (high - low) + low

    if mirror:
        flip = uniform(0, 1, n) < 0.5
        images = torch.where(flip.view(n, 1, 1, 1), images.flip(-1), images)
        masks = None if masks is None else torch.where(flip.view(n, 1, 1), masks.flip(-1), masks)
    images = images * uniform(0.85, 1.12, n, 3, 1, 1) + uniform(-0.08, 0.08, n, 3, 1, 1)   # contrast, tint
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(row, row).expand(3, 1, 3, 3)
    soft = F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    softness = uniform(-0.6, 1.0, n, 1, 1, 1).clamp(min=0)                                # 0 for 3 in 8
    images = torch.lerp(images, soft, softness)
    noise = torch.randn(images.shape, generator=generator, dtype=torch.float32) * uniform(0, 0.06, n, 1, 1, 1)
    return (images + noise).clamp(-1, 1), masks


def class_weights(masks: Tensor, n_classes: int) -> Tensor:
    """∝ 1/√(share of pixels), with mean 1 over pixels: a moon of 20 pixels must not be left to chance. (C,)"""
    share = torch.bincount(masks.flatten().long(), minlength=n_classes).float() / masks.numel()
    weights = share.clamp(min=1e-5).rsqrt()
    return weights / (weights * share).sum()


def learning_rate(step: int, steps: int, peak: float) -> float:
    """One cycle: a linear warm-up over 10 % of the steps, then half a cosine down to zero."""
    warm = max(1, steps // 10)
    return peak * (step + 1) / warm if step < warm else \
        peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


# ---------------------------------------------------------------------------------------------- the loop

class Learning(Resumable):
    """A judge in training: `step()` is one step of AdamW on what `lesson(pick, draw)` gives, the loss of some pictures.

    pick: their numbers, `batch` of them; draw: the torch.Generator of all chance, whose state is a part of `state()`,
    so that a killed training goes on bit for bit. A run may not change its settings half-way, nor its length, which the
    learning rate depends on. ValueError for no pictures.
    """

    def __init__(self, model: nn.Module, images: Tensor, labels: dict[str, Tensor],
                 lesson: Callable[[Tensor, torch.Generator], Tensor], steps: int, batch: int, seed: int,
                 peak_rate: float):
        steps, batch = whole("steps", steps, 1), whole("batch", batch, 1)
        if not len(images):
            raise ValueError("no training pictures")
        self.model, self.images, self.labels, self.lesson = model.train(), images, labels, lesson
        self.end, self.batch, self.peak_rate = steps, batch, peak_rate
        self.settings = f"steps={steps}, batch={batch}, seed={seed}, peak_rate={peak_rate}, bf16=True, {model.config}"
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=peak_rate, weight_decay=1e-2)
        self.draw = seeded(seed)
        self.steps, self.seconds, self.loss = 0, 0.0, math.nan

    def step(self) -> dict[str, float]:
        """One update; returns the loss. NotFinite before a bad one."""
        check_gradients()
        pick = torch.randint(len(self.images), (self.batch,), generator=self.draw)
        loss = self.lesson(pick, self.draw)
        self.optimiser.param_groups[0]["lr"] = learning_rate(self.steps, self.end, self.peak_rate)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        check_descent(f"the {type(self.model).__name__}", f"step {self.steps}",
                      (p.grad for p in self.model.parameters()), loss.detach())
        self.optimiser.step()
        self.steps, self.loss = self.steps + 1, loss.item()
        return {"loss": self.loss}

    @cached_property
    def data(self) -> str:
        """The fingerprints of the pictures and of their labels."""
        return " ".join(map(fingerprint, (self.images, *self.labels.values())))

    def state(self) -> dict:
        """A copy of everything that the next step depends on."""
        return copy.deepcopy({
            "steps": self.steps, "seconds": self.seconds, "loss": self.loss, "settings": self.settings,
            "data": self.data, "model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(),
            "draw": self.draw.get_state()})

    def restore(self, state: dict) -> None:
        check_same(state, self.settings, self.data)
        self.steps, self.seconds, self.loss = state["steps"], state["seconds"], state["loss"]
        self.model.load_state_dict(state["model"])
        refill(self.optimiser, state["optimiser"])
        self.draw.set_state(state["draw"])

    def run(self, folder: str | Path | None, save_every: int = 100) -> bool:
        """All the steps, going on in the folder (None: nothing is kept); whether they were made, or interrupted."""
        go_on(self, folder)
        for losses, bar in advance(self, folder, self.end, save_every, self.batch):
            if self.steps % 20 == 0:
                bar.set_postfix(loss=f"{losses['loss']:.3f}", refresh=False)
        self.model.cpu().eval()
        return self.steps >= self.end


def evaluate(segmenter, images: Tensor, masks: Tensor, batch: int = 64) -> dict:
    """Judge a segmenter on scenes with exact masks: {"iou": {class: IoU}, "mean_iou": …, "accuracy": …}."""
    n = len(classes_of(segmenter))
    counts = torch.zeros(n, n, dtype=torch.long)
    for part, truth in zip(images.split(batch), masks.split(batch)):
        counts += confusion(segment(segmenter, to_float(part)), truth, n)
    return {"iou": {name: round(v, 4) for name, v in zip(segmenter.classes, class_iou(counts).tolist())},
            "mean_iou": mean_iou(counts), "accuracy": (counts.diagonal().sum() / counts.sum()).item()}


def train_segmenter(steps: int = 900, batch: int = 32, seed: int = 0, config: SegmenterConfig | None = None,
                    device: str | torch.device = "cpu", data: tuple | None = None,
                    folder: str | Path | None = None) -> UNet | None:
    """Train a `UNet` on rendered scenes; about three minutes on two cores.

    The training scenes have seed `seed + 1000`, the test scenes `seed + 2000`. data = ((images, masks) to train
    on, (images, masks) to test on) spares the rendering. The picture order depends on `seed` and the step only.
    folder: for snapshots, where a killed training goes on. None when it was interrupted; the `.record` of the network
    has what `evaluate` says of it on the test scenes.
    """
    seed = whole("seed", seed, 0, MAX_SEED - 2000)
    if data is None:
        data = (prerender(Scenes(6000, seed=seed + 1000), "rendering scenes"),
                prerender(Scenes(500, seed=seed + 2000), "rendering the test"))
    (images, masks), test = data
    known = len((config or SegmenterConfig()).classes)
    if masks.numel() and not 0 <= masks.min() <= masks.max() < known:
        raise ValueError(f"the masks name classes {masks.min()} to {masks.max()}, and the network has {known}")
    torch.manual_seed(seed)
    model = UNet(config).to(device)
    weights = class_weights(masks, len(model.classes)).to(device) if len(images) else None

    def lesson(pick: Tensor, draw: torch.Generator) -> Tensor:
        x, truth = augment(to_float(images[pick]), masks[pick].long(), draw)
        with low_precision(device):
            scores = model(x.to(device))
        return F.cross_entropy(scores.float(), truth.to(device), weight=weights)

    learning = Learning(model, images, {"masks": masks}, lesson, steps, batch, seed, peak_rate=4e-3)
    if not learning.run(folder):
        return None
    model.record = {**evaluate(model, *test), "steps": steps, "batch": batch, "seed": seed,
                    "final_loss": learning.loss, "seconds": round(learning.seconds)}
    return model


def train_classifier(images: Tensor, labels: dict[str, Tensor], steps: int = 1500, batch: int = 64, seed: int = 0,
                     config: ClassifierConfig | None = None, device: str | torch.device = "cpu",
                     folder: str | Path | None = None) -> Classifier | None:
    """Learn to name the attributes of pictures (uint8 N×3×H×W); labels: long N for each attribute.

    Pictures are softened, tinted and made noisy, as a generator's are (`augment`), not mirrored: that would
    turn left into right. Which pictures a step sees depends on `seed` and the step only. ValueError for no pictures.
    folder: for snapshots, where a killed training goes on. None when it was interrupted; the `.record` of the network
    tells how many `seconds` it took.
    """
    seed = whole("seed", seed, 0, MAX_SEED)
    if config is None:
        config = ClassifierConfig(tuple((name, int(column.max()) + 1 if len(column) else 1)
                                        for name, column in labels.items()))
    if not config.heads:
        raise ValueError("there are no labels: give a column for each attribute")
    for name, options in config.heads:
        column = labels.get(name, torch.zeros(0))
        if column.shape != images.shape[:1] or column.is_floating_point() or \
                len(column) and not 0 <= column.min() <= column.max() < options:
            raise ValueError(f"the labels {name!r} must be whole numbers from 0 to {options - 1}, one for each of the "
                             f"{len(images)} pictures")
    torch.manual_seed(seed)
    model = Classifier(config).to(device)

    def lesson(pick: Tensor, draw: torch.Generator) -> Tensor:
        x, _ = augment(to_float(images[pick]), None, draw, mirror=False)
        with low_precision(device):
            logits = model(x.to(device))
        return sum(F.cross_entropy(logits[name], labels[name][pick].to(device)) for name in model.heads)

    learning = Learning(model, images, labels, lesson, steps, batch, seed, peak_rate=3e-3)
    if not learning.run(folder):
        return None
    model.record = {"seconds": round(learning.seconds)}
    return model


# ---------------------------------------------------------------------------------------------- recipes

def steps_for(images: int | None, batch: int) -> dict[str, int]:
    """The steps that show so many pictures, as an option of a training; None for its own number."""
    return {} if images is None else {"steps": -(-whole("images", images, 1) // batch)}


def scenes_segmenter(folder: Path, images: int | None = None, device=None) -> dict | None:
    """The U-Net that labels the pixels of a scene."""
    to_write(Path(folder) / "scenes-segmenter")           # before the pictures are drawn, which takes minutes
    model = train_segmenter(device=device or "cpu", folder=folder, **steps_for(images, 32))
    if model is None:
        return None
    return checkpoints.save(
        Path(folder) / "scenes-segmenter", model, command="python -m gan_teach train scenes-segmenter",
        data="6000 rendered scenes, seed 1000, 64×64; judged on 500 of seed 2000", **model.record, licence=LICENCE)


def portraits_labels(portraits: Portraits) -> dict[str, Tensor]:
    """What a portrait's classifier learns to name: every choice, and on which side of its middle each range is."""
    columns = portraits.attributes()
    middles = {name: (low + high) / 2 for name, (low, high) in RANGES.items()}
    return {name: (column > middles[name]).long() if name in middles else column for name, column in columns.items()}


def portraits_classifier(folder: Path, images: int | None = None, device=None) -> dict | None:
    """The network that names the attributes of a portrait."""
    options = steps_for(images, 64)
    to_write(Path(folder) / "portraits-classifier")       # before the pictures are drawn, which takes minutes
    learnt, test = (Portraits(n, size=64, seed=seed) for n, seed in ((20_000, 1000), (2000, 2000)))
    model = train_classifier(learnt.images(), portraits_labels(learnt), device=device or "cpu", folder=folder,
                             **options)
    if model is None:
        return None
    right = accuracy(model, test.images(), portraits_labels(test))
    return checkpoints.save(
        Path(folder) / "portraits-classifier", model, command="python -m gan_teach train portraits-classifier",
        data="20000 rendered portraits, seed 1000, 64×64; judged on 2000 of seed 2000",
        **model.record, accuracy={name: round(v, 3) for name, v in right.items()},
        mean_accuracy=round(sum(right.values()) / len(right), 4), licence=LICENCE)


def fashion_classifier(folder: str | Path, images: int | None = None, device=None) -> dict | None:
    """The network that names the clothes: the judge of `fashion-egan` and its rivals."""
    options = steps_for(images, 64)
    to_write(Path(folder) / "fashion-classifier")         # before the pictures are fetched
    learnt, test = (datasets.pictures("fashion", split) for split in datasets.SPLITS)
    config = ClassifierConfig((("class", 10),), widths=(16, 32, 48, 64), num_features=64)
    model = train_classifier(learnt.images, {"class": learnt.labels}, config=config,
                             device=device or "cpu", folder=folder, **options)
    if model is None:
        return None
    right = accuracy(model, test.images, {"class": test.labels})["class"]
    return checkpoints.save(
        Path(folder) / "fashion-classifier", model, command="python -m gan_teach train fashion-classifier",
        data="Fashion-MNIST, 60,000 training pictures in a frame of 32×32; judged on its test split of 10,000",
        classes=list(datasets.FASHION), **model.record, accuracy=round(right, 4), licence=LICENCE)


RECIPES = {"scenes-segmenter": scenes_segmenter, "portraits-classifier": portraits_classifier,
           "fashion-classifier": fashion_classifier}
