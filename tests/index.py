"""The index of the workbook: what of each paper lives where, which test holds it, and which section teaches it.

    python tests/index.py            write gan_teach/README.md anew

What is listed stands in `PAPERS`; the tests and the sections of the chapters are looked up. `test_index.py` fails where
the page is not what this command writes, where something listed is missing, or where an equation that a docstring of
the rooms cites is not listed.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "gan_teach" / "README.md"

# Imports run one way: a room, or a file beside the rooms, may import only from those before it.
ORDER = ("limits files memory language lettering runner processes worlds pictures networks metrics training dissection "
         "stylegan egan capstone checkpoints official __init__ recipes lessons widgets site __main__").split()

# paper -> rows: where in the paper, what it is, and the function or class (module:name) that computes it
PAPERS: dict[str, list[tuple[str, str, str]]] = {
    "GAN Dissection (Bau et al. 2018, arXiv 1811.10597)": [
        ("section 3", "x = G(z) = f(r), r = h(z): the cut at a layer", "networks.progan:Generator"),
        ("Eq. 2", "IoU of a unit and a class, counted", "dissection.unit_iou:dissect"),
        ("Eq. 2", "the same for two masks", "dissection.unit_iou:iou"),
        ("Eq. 2", "IoU with its error, chance, the units of a class", "dissection.agreement:Dissection"),
        ("section 3.1", "thresholds of greatest information quality", "dissection.information:dissect_by_information"),
        ("Eq. 3", "ablation, x_a = f(0, r_rest)", "dissection.intervention:ablate"),
        ("Eq. 3", "insertion, x_i = f(k, r_rest)", "dissection.intervention:insert"),
        ("section 3.2", "average causal effect δ", "dissection.intervention:causal_effect"),
        ("section 3.2", "δ of more and more units, order by order", "dissection.intervention:effect_curve"),
        ("Eq. 6", "the search for α", "dissection.alpha:optimise_alpha"),
        ("Eq. 6", "its insertion half, where a thing belongs", "dissection.insertion:optimise_insertion"),
        ("section 4.1", "models and layers compared", "dissection.compare:compare"),
        ("section 4.2", "units that draw artefacts, and repair", "dissection.repair:repair"),
        ("section 4.3", "units ablated, from the best on", "dissection.intervention:ablation_curve"),
        ("section 4.4", "where a thing may be inserted", "dissection.context:context_effects"),
        ("the demonstration", "painting with units", "widgets.dissection.paint:PaintPanel"),
    ],
    "StyleGAN (Karras et al. 2018, arXiv 1812.04948)": [
        ("Figure 1", "the mapping f: Z → W", "stylegan.generator:Mapping"),
        ("Figure 1", "the synthesis network: constant, noise, styles", "stylegan.generator:Generator"),
        ("Eq. 1", "AdaIN", "stylegan.adain_mixing_truncation:adain"),
        ("section 3.1", "mixing regularisation, style mixing", "stylegan.adain_mixing_truncation:mix"),
        ("Figure 3", "the figure of style mixing, as a panel", "widgets.stylegan.mixer:StyleMixer"),
        ("Table 1", "configurations A to F", "stylegan.generator:configuration"),
        ("Table 2", "latents mixed in a picture", "stylegan.mixing_and_noise:mixing_distances"),
        ("Figure 4", "what the noise decides", "stylegan.mixing_and_noise:noise_deviation"),
        ("Eq. 2", "perceptual path length in Z", "stylegan.path_length:path_length"),
        ("Eq. 3", "perceptual path length in W", "stylegan.path_length:path_length"),
        ("section 4.2", "linear separability", "stylegan.separability:linear_separability"),
        ("appendix B", "the truncation trick in W", "stylegan.adain_mixing_truncation:truncate"),
        ("Tables 1 to 4", "the tables in small, over seeds", "recipes.compare_styles:run"),
    ],
    "E-GAN (Wang et al. 2018, arXiv 1803.00657)": [
        ("section 3.2", "the minimax mutation", "egan.mutations:minimax"),
        ("section 3.2", "the heuristic mutation", "egan.mutations:heuristic"),
        ("section 3.2", "the least-squares mutation", "egan.mutations:least_squares"),
        ("Figure 2", "the three losses, and how strongly each pulls", "egan.figures:losses_figure"),
        ("Eq. 7", "fitness: F_q, F_d, and F = F_q + γ F_d", "egan.fitness_and_selection:fitness"),
        ("section 3.3", "selection", "egan.fitness_and_selection:select"),
        ("Algorithm 1", "a generation: D learns, vary, evaluate, select", "egan.evolution:Evolution"),
        ("Figure 3", "the ring of eight Gaussians", "worlds.gaussians:ring"),
        ("Figure 3", "the grid of 25 Gaussians", "worlds.gaussians:grid"),
        ("Figure 4", "which mutation made the survivor, over a run", "egan.figures:picks"),
        ("section 4", "rivals over seeds, generations and compute", "recipes.compare_plane:run"),
        ("section 4", "latent interpolation", "egan.interpolation:strip"),
    ],
    "What all three build on": [
        ("Goodfellow et al. 2014, Eq. 1", "the loss of D", "networks.losses:logistic_d"),
        ("Goodfellow et al. 2014, section 3", "the non-saturating loss of G", "networks.losses:logistic_g"),
        ("Mescheder et al. 2018, Eq. 9 and 10", "R1, and of generated pictures R2", "networks.losses:logits_and_slope"),
        ("Mescheder et al. 2018, Eq. 9 and 10", "logistic loss with R1 and R2", "networks.losses:logistic_r1_r2"),
        ("Jolicoeur-Martineau 2018, Eq. 10", "relativistic pairing", "networks.losses:relativistic_d"),
        ("Gulrajani et al. 2017", "WGAN-GP", "networks.wgan:wasserstein_gp"),
        ("Karras et al. 2017", "the progressive GAN", "networks.progan:Generator"),
        ("Karras et al. 2017, section 4.2", "pixel norm", "networks.layers:pixel_norm"),
        ("Karras et al. 2017, section 3", "minibatch standard deviation", "networks.layers:minibatch_stddev"),
        ("Heusel et al. 2017, Eq. 6", "Fréchet distance", "metrics:frechet_distance"),
        ("Kynkäänniemi et al. 2019, Eq. 1 and 2", "precision and recall", "metrics:precision_recall"),
        ("Salimans et al. 2016", "a score by a classifier", "metrics:classifier_score"),
        ("the authors' files", "pickles of TensorFlow, read and never run", "official.tensorflow_pickles:read_network"),
        ("the authors' files", "files of `torch.save`, read as data", "official.torch_files:read_tensors"),
    ],
}
# where the look-up would name a test beside the point, or no section or another: as "chapter · how its heading begins"
TESTS = {"dissection.unit_iou:dissect": "tests/dissection/test_unit_iou.py::test_iou_eq2_by_loops",
         "dissection.information:dissect_by_information":
             "tests/dissection/test_information.py::test_quality_of_a_dissection_by_loops",
         "stylegan.generator:Mapping": "tests/stylegan/test_stylegan.py::test_mapping_by_hand",
         "stylegan.generator:Generator": "tests/stylegan/test_stylegan.py::test_generator_by_hand",
         "stylegan.generator:configuration":
             "tests/stylegan/test_stylegan.py::test_configurations_add_one_thing_at_a_time",
         "stylegan.adain_mixing_truncation:truncate": "tests/stylegan/test_stylegan.py::test_truncation_by_its_formula",
         "dissection.intervention:ablation_curve":
             "tests/dissection/test_intervention.py::test_the_curve_counts_what_a_direct_ablation_counts",
         "worlds.gaussians:ring": "tests/worlds/test_gaussians.py::test_ring_and_grid_are_those_of_the_experiment",
         "networks.losses:logits_and_slope":
             "tests/networks/test_losses.py::test_r1_of_a_linear_discriminator_is_its_squared_weight",
         "metrics:precision_recall": "tests/test_metrics.py::test_precision_and_recall_eq1_and_eq2_by_loops"}
SECTIONS = {"networks.progan:Generator": "01 · 1. Meet the generator",
            "dissection.unit_iou:dissect": "01 · 5. Dissect",
            "dissection.unit_iou:iou": "01 · 4. A number for agreement: IoU",
            "dissection.agreement:Dissection": "01 · 5. Dissect",
            "dissection.intervention:insert": "01 · 8. Insert",
            "dissection.intervention:causal_effect": "01b · 5. One number for cause",
            "stylegan.generator:Mapping": "02 · 2. From z to w",
            "stylegan.generator:Generator": "02 · 4. From a constant to a face",
            "stylegan.adain_mixing_truncation:adain": "02 · 3. AdaIN: how w speaks",
            "stylegan.generator:configuration": "02b · 3. The paper's tables, in small",
            "stylegan.mixing_and_noise:mixing_distances": "02b · 3. The paper's tables, in small",
            "recipes.compare_styles:run": "02b · 3. The paper's tables, in small",
            "stylegan.path_length:path_length": "02b · 2. Is W a better space than Z?",
            "recipes.compare_plane:run": "03b · 2. What is selection worth?",
            "networks.losses:logistic_d": "00 · 6. The two losses",
            "networks.losses:logistic_g": "00 · 6. The two losses",
            "networks.losses:logits_and_slope": "02b · 4. Losses, data, cost",
            "networks.losses:logistic_r1_r2": "03b · 5. What the environment is worth",
            "networks.losses:relativistic_d": "02b · 8. What differs from the paper",
            "networks.wgan:wasserstein_gp": "02b · 4. Losses, data, cost",
            "networks.layers:pixel_norm": "02 · 2. From z to w",
            "networks.layers:minibatch_stddev": "01b · 8. Compare models",
            "metrics:classifier_score": "03b · 4. On pictures",
            "official.tensorflow_pickles:read_network": "01b · 11. Now with the authors' network",
            "official.torch_files:read_tensors": "01b · 11. Now with the authors' network"}
# Whose equation is cited: of these the one named last before it, else of the paper whose room is in the file's path.
NAMED = dict(zip(PAPERS, (r"Bau et al|GAN Dissection|1811\.10597", r"Karras et al\. 2018|StyleGAN|1812\.04948",
                          r"Wang et al|E-GAN|1803\.00657")))
NAMED |= {place.split(",")[0]: place.split(",")[0] for place, *_ in PAPERS["What all three build on"] if "Eq." in place}
ROOMS = dict(zip(("dissection", "stylegan", "egan"), PAPERS))
EQUATIONS = r"\bEqs?\. (\d+)(?: and (\d+))?"


ROOMS_TOLD = """\
Why what is no paper's own stands where it does: `training` is a room because its loop, its schedule and its snapshots
are three ideas, and all long work is kept by its snapshots. `site` makes a static site of the same notebooks and
weights; only the command line needs it. `files` and `limits` lie below all rooms, which write files whole and look at
the numbers that they are given. So do `language` and `lettering`, since a text is told in the reader's language where
it arises, and a chart needs a font that has the signs; and `processes`, which a dissection shares with a training.
Chapter 0's `warm_up` and `first_pictures` are in `egan`: theirs is the game that chapter 3 evolves, on its plane, with
its networks and its losses.""".split("\n")


def defined(target: str) -> tuple[Path, ast.AST]:
    """The file and the definition of "module:name"; LookupError where there is none."""
    module, name = target.split(":")
    path = ROOT / "gan_teach" / (module.replace(".", "/") + ".py")
    for node in parsed(path)[1] if path.exists() else ():
        if getattr(node, "name", None) == name:
            return path, node
    raise LookupError(f"{target} is listed in tests/index.py, and does not exist")


def uses(target: str, code: str) -> re.Pattern | None:
    """What shows that code like this uses the target: its name, if it is imported from there; else module.name."""
    module, name = target.split(":")
    file = module.rpartition(".")[2]
    for source, names in re.findall(r"from gan_teach\.([\w.]+) import \(?([^()\n]+|[^()]+\))", code):
        if f"{module}.".startswith(f"{source}.") and re.search(rf"\b{name}\b", names):
            return re.compile(rf"(?<![\w.]){name}\b")
    return re.compile(rf"\b{file}\.{name}\b") if re.search(rf"import[^\n]*\b{file}\b", code) else None


@functools.cache
def parsed(path: Path) -> tuple[str, list[ast.stmt]]:
    """A file's text, and what stands in it."""
    text = path.read_text("utf-8")
    return text, ast.parse(text).body


def tests_of(target: str) -> list[str]:
    """The tests that use it, those of its room and those named after it first: "tests/…/test_x.py::test_name"."""
    module, name = target.split(":")
    found = []
    if named := TESTS.get(target):
        path, test = named.split("::")
        if f"def {test}(" not in (ROOT / path).read_text("utf-8"):
            raise LookupError(f"{named} is named in tests/index.py, and does not exist")
        return [named]
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text, body_of_file = parsed(path)
        if not (word := uses(target, text)):
            continue
        lines = text.splitlines()
        for node in body_of_file:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            body = "\n".join(lines[first - 1:node.end_lineno])
            called = getattr(node, "name", "")
            if called.startswith("test_") and (word.search(body) or f"_{name.lower()}_" in called):
                likely = (2 * (module.split(".")[0] == path.parent.name) + 2 * ("_eq" in node.name)
                          + 3 * (name.lower() in node.name))
                found.append((-likely, len(found), f"{path.relative_to(ROOT).as_posix()}::{node.name}"))
    return [test for *_, test in sorted(found)]


def sections_of(target: str) -> list[tuple[str, str]]:
    """(notebook, heading) of the section that `SECTIONS` names, else of each that uses it."""
    found, chapter, told = [], *SECTIONS.get(target, "").partition(" · ")[::2]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        if told:
            headings = re.findall(r"^## (.+)$", "\n".join("".join(c["source"]) for c in cells), re.M)
            found += [(path.name, h) for h in headings if path.name.startswith(f"{chapter}_") and h.startswith(told)]
            continue
        if not (word := uses(target, "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"))):
            continue
        heading = ""
        for cell in cells:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown" and (line := re.search(r"^#{1,3} (.+)$", text, re.M)):
                heading = line[1]
            if cell["cell_type"] == "code" and word.search(re.sub(r"^from .*|#.*", "", text, flags=re.M)):
                found.append((path.name, heading))
    if told and not found:
        raise LookupError(f"no section {SECTIONS[target]!r}, which is named in tests/index.py")
    return list(dict.fromkeys(found))


def cited() -> set[tuple[str, str]]:
    """(paper, "Eq. N") of every equation that a file cites."""
    found = set()
    for path in (ROOT / "gan_teach").rglob("*.py"):
        text, place = " ".join(parsed(path)[0].split()), str(path.relative_to(ROOT / "gan_teach"))
        for cites in re.finditer(EQUATIONS, text):
            before = text[:cites.start()]
            last = {paper: max((m.end() for m in re.finditer(words, before)), default=0)
                    for paper, words in NAMED.items()}
            paper = max(last, key=last.get) if any(last.values()) else next(
                (paper for room, paper in ROOMS.items() if room in place), place)
            found |= {(paper, f"Eq. {number}") for number in cites.groups() if number}
    return found


def listed() -> set[tuple[str, str]]:
    """The same of what `PAPERS` lists."""
    return {(place.split(",")[0] if "," in place else paper, f"Eq. {number}") for paper, rows in PAPERS.items()
            for place, *_ in rows for numbers in re.findall(EQUATIONS, place) for number in numbers if number}


def purpose(path: Path) -> str:
    """The first line of a file's docstring."""
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))).splitlines()[0]


def page() -> str:
    """The text of gan_teach/README.md."""
    rooms = [name for name in ORDER if (PAGE.parent / name).is_dir()]
    files = [name for name in ORDER if name not in rooms]
    lines = ["# The house, and where each idea lives", "",
             "A folder is a room, and its `__init__.py` says in which order to read it. From the ground up:", "",
             *(f"- [{name}/]({name}): {purpose(PAGE.parent / name / '__init__.py')}" for name in rooms), "",
             "Beside the rooms are files that several of them use, and the texts in other languages:", "",
             *(f"- [`{name}`]({name}.py): {purpose(PAGE.parent / f'{name}.py')}" for name in files),
             "- [locale/](locale): what `language` reads.", "",
             "Imports run one way:",
             *textwrap.wrap(f"`{' → '.join(ORDER)}`. This page is written by `python tests/index.py`, and a test "
                            "holds it.", 120), "", *ROOMS_TOLD, ""]
    for paper, rows in PAPERS.items():
        lines += [f"## {paper}", "", "| in the paper | what | where | test | section |", "|---|---|---|---|---|"]
        for place, what, target in rows:
            path, _ = defined(target)
            file = path.relative_to(ROOT / "gan_teach").as_posix()
            tests, sections = tests_of(target)[:1], sections_of(target)[:1]
            test = ", ".join(f"[{t.split('::')[1]}](../{t.split('::')[0]})" for t in tests)
            section = ", ".join(f"[{n[:-6].split('_')[0]} · {h}](../notebooks/{n})" for n, h in sections)
            lines.append(f"| {place} | {what} | [{target.split(':')[1]}]({file}) | {test} | {section} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
