"""How long would the paper's own networks train on one core? Counted, and timed once; one JSON record.

    python -m gan_teach compare cost

The operations of a training picture are counted for the published networks (`stylegan.cost.count`); the speed is what
one core reached on this project's small one (`measure_speed`). A notebook reads the record: timing a training stalls a
busy machine. Karras et al. 2018 (arXiv 1812.04948) show 25 million pictures; the days are those of the authors' README.
"""

import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from .. import files
from ..language import say
from ..stylegan.cost import Cost, count, measure_speed
from ..stylegan.generator import PUBLISHED, StyleGANConfig
from . import growing

NAME = "training-cost"
IMAGES = 25e6                                                   # shown in the paper's trainings
V100_DAYS = {256: {1: 14.9, 8: 3.3}, 1024: {1: 41.2, 8: 6.6}}   # as the authors report them: GPUs -> days


def run(folder: str | Path, speed: float | None = None) -> dict:
    """Count and time; write the record into the folder and return it. speed: operations a second; None: timed here."""
    path = files.to_write(Path(folder) / f"{NAME}.json")
    speed = measure_speed(growing.PORTRAIT, device="cpu") if speed is None else speed
    costs = {str(size): vars(count(StyleGANConfig(**PUBLISHED | {"resolution": size}))) for size in V100_DAYS}
    record = {"command": "python -m gan_teach compare cost", "torch": torch.__version__,
              "processor": platform.processor() or platform.machine(), "operations_a_second": speed, "sizes": costs}
    files.write_json(path, record)
    return record


def lines(record: dict) -> Iterator[str]:
    """What the record says, one line for each size."""
    speed = record["operations_a_second"]
    yield say("one core made {n:.0f}·10⁹ operations a second on this chapter's generator", n=speed / 1e9)
    for size, counted in record["sizes"].items():
        cost, days = Cost(**counted), V100_DAYS[int(size)]
        yield say("{size:>4}×{size:4}: {operations:.2f}·10¹² operations a picture, so {years:.0f} years on "
                  "that core;\n           the authors: {one} days on one V100, {eight} on eight, which send each other "
                  "{megabytes:.0f} MB a step", size=size, operations=cost.operations() / 1e12,
                  years=cost.days(IMAGES, speed) / 365, one=days[1], eight=days[8], megabytes=cost.traffic(8) / 1e6)
