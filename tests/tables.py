"""The tables of data/README.md, made from the records beside the weights:  python tests/tables.py

Each stands below its mark `<!-- NAME-table -->` and ends at the next empty line. A test holds them.
"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
PAGE = DATA / "README.md"
KINDS = {"progan": "Progressive GAN", "stylegan": "StyleGAN", "dcgan": "DCGAN", "segmenter": "U-Net that names pixels",
         "classifier": "classifier"}
# what a rival of E-GAN changes, as in `recipes.evolving.RIVALS`
RIVALS = {"egan": "evolved", "random": "the survivor drawn by lot", "heuristic": "the heuristic loss alone",
          "minimax": "the minimax loss alone", "least-squares": "the least-squares loss alone",
          "plain-d": "the paper's loss of D", "momentum": "the paper's momentum",
          "paper": "the paper's loss of D and its momentum", "long": "evolved for longer, its rates falling"}


def records() -> dict[str, dict]:
    """The record of every shipped network, by name."""
    return {path.stem: json.loads(path.with_suffix(".json").read_text("utf-8"))
            for path in sorted(DATA.glob("*.safetensors"))}


def what(name: str, record: dict) -> str:
    """What a network is, in a few words."""
    words = KINDS[record["kind"]]
    if record["kind"] == "dcgan":
        words += f", {RIVALS[name.split('-', 1)[1]]}, {record['generations']:,} generations"
    return f"{words}; {record['parameters']:,} parameters; {record['data'].split(';')[0]}"


def made(record: dict) -> str:
    """How long its training took, and how many pictures it was shown; with the trainings it went on from."""
    seconds = shown = 0
    while record:
        seconds, shown = seconds + record["seconds"], shown + record.get("images_shown", 0)
        record = record.get("start")
    return f"{seconds / 60:.0f} min" + (f", {shown:,} pictures" if shown else "")


def measured(record: dict) -> str:
    """What its judge says."""
    if "mean_iou" in record:
        return f"mean IoU {record['mean_iou']:.3f}"
    if "frechet_distance" not in record:
        return f"{record.get('mean_accuracy', record.get('accuracy')):.1%} right"
    real = next(value for key, value in record.items() if key.startswith("frechet_distance_of_real"))
    words = f"Fréchet distance {record['frechet_distance']:g} (real pictures among themselves: {real:g})"
    if "precision" in record:
        words += (f"; precision {record['precision']:g}, recall {record['recall']:g}; "
                  f"sharpness {record['sharpness']:g} of the real")
    return words


def weights() -> list[str]:
    """The table of all weights."""
    lines = ["| name | what it is | size | training | measured |", "|---|---|---|---|---|"]
    for name, record in records().items():
        lines.append(f"| `{name}` | {what(name, record)} | {record['bytes'] / 1e6:.1f} MB | {made(record)} | "
                     f"{measured(record)} |")
    return lines


def ablations() -> list[str]:
    """What switching off twelve units of the village generator does, by its record."""
    lines = ["| class | where | layer, order | pixels removed | other pixels changed for each one removed |",
             "|---|---|---|---|---|"]

    def price(value: float) -> str:
        return f"{value:.2f}" if value < float("inf") else "none removed"

    for cls, found in records()["scenes-progan"]["ablation_of_12_units"].items():
        for where, row in found.items():
            order = "by α" if row["order"].startswith("alpha") else f"by {row['order']}"
            lines.append(f"| {cls} | {where.replace('_', ' ')} | {row['layer']}, {order} | {row['removed']:.0%} "
                         f"({row['random_removed']:.0%}) | {price(row['collateral'])} "
                         f"({price(row['random_collateral'])}) |")
    return lines


def page() -> str:
    """The text of data/README.md with its tables made anew."""
    text = PAGE.read_text("utf-8")
    for name, lines in {"weights": weights(), "ablations": ablations()}.items():
        before, mark, after = text.partition(f"<!-- {name}-table -->\n")
        if not mark:
            raise LookupError(f"data/README.md has no <!-- {name}-table -->")
        text = before + mark + "\n".join(lines) + "\n\n" + after.partition("\n\n")[2]
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
