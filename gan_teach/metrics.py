"""How far generated pictures are from real ones."""

import importlib.util
import math
import warnings
from collections.abc import Callable

import torch
import torch.nn as nn

from .language import say, told
from .limits import whole
from .networks.classifier import Classifier
from .networks.layers import check_finite, way_down
from .networks.protocols import check_images, check_name, device_of, evaluating, in_parts, latents
from .networks.segmenter import UNet

EXACT = (torch.float32, torch.float64)      # what distances are computed in
_left_out: set[str] = set()


def can_measure(what: str) -> bool:
    """Is torchmetrics here? If not, say in one sentence, once for each, that `what` is left out; it is then NaN."""
    if importlib.util.find_spec("torchmetrics") is not None:
        return True
    if what not in _left_out:
        _left_out.add(what)
        print(say("{what} is left out (nan): it needs the package torchmetrics, which is not installed "
                  "(pip install torchmetrics).", what=told(what)))
    return False


class ChannelMeans(nn.Module):
    """The means over the picture of every channel on a judge's way down: N×3×H×W → N×(16+32+64+96) of a U-Net."""

    def __init__(self, judge: UNet | Classifier):
        super().__init__()
        self.down, self.num_features = judge.down, sum(judge.config.widths)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([x.mean(dim=(2, 3)) for x in way_down(self.down, images)], dim=1)


class _Head(nn.Module):
    """The logits of one head of a classifier, in the form that torchmetrics asks for."""

    def __init__(self, classifier: Classifier, head: str):
        super().__init__()
        self.classifier, self.head, self.num_features = classifier, head, classifier.heads[head]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(images)[self.head]


def seeing(judge: UNet | Classifier) -> Callable[[torch.Tensor], torch.Tensor]:
    """What gives the features that a judge sees. ValueError for what is none."""
    if isinstance(judge, UNet):
        return ChannelMeans(judge)
    if not hasattr(judge, "features") or not hasattr(judge, "num_features"):
        raise ValueError(f"the judge is a segmenter (UNet) or a Classifier of ours; got a {type(judge).__name__}")
    return judge.features


def check_features(real: torch.Tensor, fake: torch.Tensor) -> None:
    """ValueError for what is no N×F and M×F of floats, and for NaN or infinity."""
    check_finite("the features of real pictures", real)
    check_finite("the features of generated pictures", fake)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"features are N×F and M×F; got {tuple(real.shape)} and {tuple(fake.shape)}")
    if real.dtype not in EXACT or fake.dtype not in EXACT:
        raise ValueError(f"features are of float32 or float64; got {real.dtype} and {fake.dtype} (.float() makes them)")


def check_enough(real: int, fake: int) -> None:
    """ValueError for fewer pictures than a covariance has sense for."""
    if min(real, fake) < 2:
        raise ValueError(f"a Fréchet distance needs two pictures or more on each side; got {real} and {fake}")


class Distance:
    """FD = ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½) from features to one set of real features, again and again.

    Heusel et al. 2017, Eq. 6, computed by torchmetrics in float64; NaN without it. ValueError for NaN or infinity in
    the features, and for fewer than two pictures.
    """

    def __init__(self, real: torch.Tensor):
        self.metric, self.real = None, real
        check_features(real, real)
        if not can_measure("the Fréchet distance"):
            return
        from torchmetrics.image.fid import FrechetInceptionDistance  # four seconds to import

        as_they_are = nn.Identity()                              # what comes in are features already
        as_they_are.num_features = real.shape[1]
        # of these pictures alone: of several processes each may have its own, or one alone measures
        self.metric = FrechetInceptionDistance(as_they_are, reset_real_features=False,
                                               sync_on_compute=False).to(real.device)
        self.metric.update(real, real=True)

    def __call__(self, fake: torch.Tensor) -> float:
        check_features(self.real, fake)
        if self.metric is None:
            return math.nan
        check_enough(int(self.metric.real_features_num_samples), len(fake))
        self.metric.reset()                                      # forgets the fake ones only
        self.metric.update(fake, real=False)
        return float(self.metric.compute())                      # ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½)  (Eq. 6)


@torch.no_grad()
def frechet_distance(real: torch.Tensor, fake: torch.Tensor, judge: UNet | Classifier, batch: int = 100) -> float:
    """`Distance` of the features of two sets of pictures in [-1, 1].

    They are our segmenter's 208 features or a classifier's 64 or 128 instead of Inception's 2,048: never compare it
    with published FIDs, nor between judges. It falls with the number of pictures; use thousands, and the same number on
    both sides. ValueError for NaN or infinity in pictures or features, and for a single picture; a warning for fewer
    pictures than features, whose covariance is not known. NaN, and a sentence, without torchmetrics.
    """
    if not can_measure("the Fréchet distance"):
        return math.nan
    one = features(real, judge, batch, "the real pictures")
    other = features(fake, judge, batch, "the generated pictures")
    check_enough(len(real), len(fake))
    if (fewest := min(len(real), len(fake))) < one.shape[1]:
        warnings.warn(f"{fewest} pictures for {one.shape[1]} features: such a Fréchet distance says little; "
                      "use thousands", stacklevel=3)             # 3: past no_grad's wrapper
    return Distance(one)(other)


@torch.no_grad()
def features(images: torch.Tensor, judge: UNet | Classifier, batch: int = 100, what: str = "the pictures",
             see: Callable[[torch.Tensor], torch.Tensor] | None = None) -> torch.Tensor:
    """What the judge's features are of pictures N×3×H×W, floats in [-1, 1] or bytes that may lie anywhere: N×F, on the
    CPU. what: how an error calls them. see: gives other features than those of `seeing(judge)`."""
    see, device = see or seeing(judge), device_of(judge)
    with evaluating(judge):
        found = torch.cat([see(part.to(device)) for part in in_parts(images, batch, what)]).cpu()   # has float64
    found = found if found.dtype in EXACT else found.float()
    return check_finite(f"the judge's features of {what}", found)


def channel_means(images: torch.Tensor, judge: UNet | Classifier, batch: int = 100) -> torch.Tensor:
    """`features` that are the means over the picture of every channel on the judge's way down, N×F.

    What a classifier's last layer has learnt to overlook, as washed-out colours, is still in these.
    """
    return features(images, judge, batch, see=ChannelMeans(judge))


@torch.no_grad()
def precision_recall(real: torch.Tensor, fake: torch.Tensor, k: int = 3) -> tuple[float, float]:
    """(precision, recall) of two sets of features, N×F and M×F.

    Kynkäänniemi et al. 2019 (arXiv 1904.06991, Eq. 1 and 2): a set's manifold is the union of balls around its
    samples, each as wide as the distance to the sample's k-th nearest neighbour. Precision is the share of generated
    samples inside the real manifold (the rest is broken), recall the share of real ones inside the generated (the rest
    is missing). Real pictures against others of them do not reach 1 either: print theirs beside it. ValueError for NaN
    or infinity, and for no more than k samples.
    """
    k = whole("k", k, 1)
    check_features(real, fake)
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"{k} neighbours need more than {k} samples on each side; got {len(real)} and {len(fake)}")

    def inside(samples: torch.Tensor, manifold: torch.Tensor) -> float:
        # the share of samples s with ‖s − m‖ ≤ ‖m − NN_k(m)‖ for some m of the manifold        (Eq. 1 and 2)
        radii = torch.cdist(manifold, manifold).kthvalue(k + 1, dim=1).values              # the first is itself
        return int((torch.cdist(samples, manifold) <= radii).any(1).sum()) / len(samples)

    return inside(fake, real), inside(real, fake)


@torch.no_grad()
def classifier_score(fake: torch.Tensor, classifier: Classifier, head: str = "class", batch: int = 100,
                     splits: int = 10) -> tuple[float, float]:
    """exp(E KL(p(y|x) ‖ p(y))), the Inception score's formula with our classifier: (mean, spread over `splits` parts).

    Salimans et al. 2016 (arXiv 1606.03498), computed by torchmetrics. From 1, where the classifier cannot tell
    anything apart, to the number of classes, where each picture is clear and all classes are equally frequent.
    Never compare it with published Inception scores. fake: N×3×H×W in [-1, 1]; N a multiple of splits, or the last
    part is smaller, as torchmetrics cuts it. ValueError for fewer pictures than splits, NaN and infinity. NaN, and a
    sentence, without torchmetrics.
    """
    check_images(fake, "the pictures")
    splits = whole("splits, no more than there are pictures,", splits, 1, len(fake))
    batch = whole("batch", batch, 1)
    if not can_measure("the classifier's score"):
        return math.nan, math.nan
    check_name("head", head, list(getattr(classifier, "heads", ())))
    from torchmetrics.image.inception import InceptionScore

    with torch.random.fork_rng(devices=[]), evaluating(classifier), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)             # that it keeps all features: of these few
        torch.manual_seed(0)                                     # the metric shuffles before it splits
        metric = InceptionScore(feature=_Head(classifier, head), splits=splits, normalize=False,
                                sync_on_compute=False)           # as above
        metric = metric.to(fake.device)
        for part in fake.split(batch):
            metric.update(part)
        mean, spread = metric.compute()
    return float(mean), float(spread)


def sharpness(images: torch.Tensor) -> float:
    """The mean absolute difference of neighbouring pixels, across and down: N×3×H×W → a number; grain raises it."""
    check_images(images, "the pictures")
    if not len(images) or min(images.shape[2:]) < 2:
        raise ValueError(f"neighbouring pixels need pictures of 2×2 or more; got {tuple(images.shape)}")
    return float((images.diff(dim=-1).abs().mean() + images.diff(dim=-2).abs().mean()) / 2)


@torch.no_grad()
def generate(G, n: int, seed: int, batch: int = 100) -> torch.Tensor:
    """n pictures G(z), N×3×R×R, values outside [-1, 1] cut off as in a picture file. ValueError where G draws none."""
    with evaluating(G):
        return torch.cat([check_images(G(z), "the generated pictures", len(z)).clamp(-1, 1)
                          for z in latents(G, n, seed).split(whole("batch", batch, 1))])
