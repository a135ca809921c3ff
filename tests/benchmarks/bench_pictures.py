"""How good are the pictures of the shipped generators, by judges that took no part in their training?

    python tests/benchmarks/bench_pictures.py [pictures]

For each generator, on so many pictures (5,000) of seed 1 against as many real ones: the Fréchet distance, precision
(the share of pictures that are not broken) and recall on the judge's features, sharpness as a multiple of the real
pictures'; and what a village or a face is made of: for each class the share of pixels, and for each option of an
attribute the share of portraits, generated over real, from the smallest to the largest of those that 2 % of the real
ones have. The same of other real pictures stands below, to know what could be reached. Prints; asserts nothing.
"""

import sys

import torch

from gan_teach import checkpoints, metrics
from gan_teach.networks.classifier import classify
from gan_teach.networks.segmenter import segment
from gan_teach.pictures import to_float
from gan_teach.recipes.evolving import Judge
from gan_teach.worlds.datasets import rendered
from gan_teach.worlds.portraits import Portraits
from gan_teach.worlds.scenes import Scenes

WORTH = 0.02            # what fewer real pictures show is not compared
# of a face, what one sees from afar
ATTRIBUTES = ("mouth", "hat", "beard", "hair", "glasses", "hair_colour")


def shares(images, eyes) -> dict[str, float]:
    """What the pictures show, by the judge: class or "attribute option" -> its share."""
    if hasattr(eyes, "classes"):
        count = segment(eyes, images).flatten().bincount(minlength=len(eyes.classes))
        return dict(zip(eyes.classes, (count / count.sum()).tolist()))
    found = {}
    for name, logits in classify(eyes, images).items():
        if name in ATTRIBUTES or name == "class":
            for i, share in enumerate(logits.argmax(1).bincount(minlength=logits.shape[1]) / len(images)):
                found[f"{name} {i}"] = float(share)
    return found


def line(images, real, eyes) -> str:
    """The figures of one row."""
    precision, recall = metrics.precision_recall(metrics.features(real, eyes), metrics.features(images, eyes))
    ours, theirs = shares(images, eyes), shares(real, eyes)
    ratios = sorted((ours[name] / share, name) for name, share in theirs.items() if share >= WORTH)
    (low, least), (high, most) = ratios[0], ratios[-1]
    return (f"{metrics.frechet_distance(real, images, eyes):9.3f} {precision:9.3f} {recall:7.3f} "
            f"{metrics.sharpness(images) / metrics.sharpness(real):9.2f}   {least} × {low:.2f} … {most} × {high:.2f}")


def main(n=5000):
    sets = {"scenes-progan": ("scenes-segmenter", Scenes), "scenes-stylegan": ("scenes-segmenter", Scenes),
            "portraits-stylegan": ("portraits-classifier", Portraits), "scenes-egan": ("scenes-segmenter", Scenes),
            "scenes-long": ("scenes-segmenter", Scenes),
            "fashion-egan": ("fashion-classifier", None)}
    print(f"{'':20} {'Fréchet':>9} {'precision':>9} {'recall':>7} {'sharpness':>9}   shares, generated over real")
    for name, (judge, drawings) in sets.items():
        G = checkpoints.load(name, "cpu").float()
        fake = metrics.generate(G, n, seed=1)
        if not name.endswith(("-egan", "-long")):
            eyes = checkpoints.load(judge, "cpu")
            real, other = (to_float(rendered(drawings, n, seed)) for seed in (1, 2))
        else:                                                   # 32×32: a judge that enlarges what it must
            ruler = Judge(name.split("-")[0], "cpu", n if drawings else 2 * n)
            eyes, real, fake = ruler.eyes, ruler.real, ruler.seen(fake)
            real, other = (real, ruler.seen(to_float(rendered(drawings, n, 2, 32)))) if drawings else \
                (real[::2][:n], real[1::2][:n])
        print(f"{name:20} {line(fake, real, eyes)}", flush=True)
        print(f"{'  real pictures':20} {line(other, real, eyes)}", flush=True)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main(*map(int, sys.argv[1:]))
