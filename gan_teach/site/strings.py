"""Every text of the pages, in one place. Other languages: gan_teach/locale, beside the strings of the panels.

{name} is filled in by `texts` where it is a measured figure, by a template, or by the pages themselves.
"""

import re

from ..language import ENGLISH, FOLDER, catalogue

NAMES = {ENGLISH: "English", "zh": "中文"}                # of each language, in itself


def texts(language: str, classes: list[str], figures: dict[str, str]) -> dict[str, str]:
    """Key -> text in a language, English where it is missing; "class_NAME" for the classes of the segmenter."""
    there = {} if language == ENGLISH else catalogue(FOLDER / f"{language}.po")
    found = {key: there.get(text) or text for key, text in (TEXTS | {f"class_{cls}": cls for cls in classes}).items()}
    return {key: re.sub(r"\{(\w+)\}", lambda name: figures.get(name[1], name[0]), text) for key, text in found.items()}


TEXTS = {
    "skip": "Skip to the content",
    "menu": "Pages",
    "home": "Contents",
    "theme": "Dark or light",
    "footer": "Everything on these pages runs in your browser. Nothing is sent anywhere, and nothing comes from "
              "another server. Code: MIT licence; texts and pictures: CC BY 4.0.",

    # the first page
    "home_title": "Learn GANs by driving them",
    "home_lead": "A workbook on three papers: GAN Dissection, StyleGAN and E-GAN. Find the units of a network that "
                 "draw trees, and wipe the trees away with a finger. Then read how it works, and change it yourself.",
    "drive": "Drive",
    "drive_lead": "Three more machines that run in your browser: two train networks while you watch, one mixes "
                  "pictures.",
    "paint_card": "Wipe out trees, doors, windows and clouds, or paint them in. See which units did it.",
    "paint_card_alt": "A village, and the same village without its trees",
    "mix_card_alt": "Four villages and four portraits; from the second on, the coarse styles come from other pictures",
    "mix_card": "Give one picture the coarse, middle or fine styles of another.",
    "evolve_card": "Three losses make three children, the discriminator judges them, one lives on. Or you choose.",
    "evolve_card_alt": "Two pictures: orange points in a heap; later they lie on a circle, about eight blue crosses",
    "players_card": "Draw anything. A generator learns to cover it while a discriminator tells the two apart.",
    "players_card_alt": "Two pictures: orange points in a heap amid a heart of blue crosses; later they fill the heart",
    "read": "Read",
    "read_lead": "The workbook, chapter by chapter. Run it on your computer to do the exercises.",
    "search": "Search the chapters",
    "search_none": "Nothing found for “{query}”.",
    "search_failed": "The search could not be loaded. Type once more to try again.",
    "search_found": "Sections found for “{query}”: {n}.",
    "install": "Install",
    "install_lead": "With Python 3.10 or newer, from a copy of the repository. No GPU is needed.",
    "install_unix": "Linux, macOS",
    "install_windows": "Windows, in PowerShell",

    # all machines
    "loading": "Loading the networks (about {megabytes} MB, once) …",
    "failed": "This machine cannot go on: {error}. Reload the page to try again. If that does not help, show this "
              "sentence to whoever runs the site.",
    "no_wasm": "This machine computes with WebAssembly, which this browser lacks or a setting forbids. Open the page "
               "in another browser, or drive Two players and Evolve: they do without it.",
    "no_worker": "the part that computes did not load",
    "offline": "There is no connection, and a file is missing: {error}. When you are online again, choose once more, "
               "or reload the page.",
    "loading_page": "One moment …",
    "computed_wasm": "Computed by WebAssembly.",
    "computed_webgpu": "Computed by WebGPU, in {webgpu} ms; WebAssembly needs {wasm} ms.",
    "computed_slower": "Computed by WebAssembly, in {wasm} ms; WebGPU needs {webgpu} ms.",
    "computed_wrong": "Computed by WebAssembly: the WebGPU of this browser gives other pictures, or none.",
    "no_script": "This machine needs JavaScript. The chapters can be read without it.",
    "reset": "Reset",
    "undo": "↶ Undo",
    "redo": "↷ Redo",
    "seed": "Seed",
    "python": "The same in Python",
    "chapter_of": "Read about it:",

    # Evolve and Two players
    "play": "▶ Play",
    "pause": "❙❙ Pause",
    "step": "Step: {act}",
    "pace": "Speed",
    "slow": "slow",
    "fast": "fast",
    "real_points": "real",
    "fake_points": "generated",
    "field_key": "ground: <b>light</b> where D says real, <b>dark</b> where generated",

    # Evolve
    "evolve_title": "Evolve",
    "evolve_lead": "Press Play: a generator G learns to throw points where the blue ones are. In each generation "
                   "three losses make three children of G, a discriminator D judges them, and one lives on: this is "
                   "E-GAN.",
    "one_generation": "One generation",
    "data": "Data",
    "ring": "ring of 8",
    "grid": "grid of 25",
    "selection": "Who selects",
    "select_best": "the fitness F",
    "select_mine": "you",
    "select_random": "chance",
    "mutations": "Mutations that take part",
    "minimax": "minimax",
    "heuristic": "heuristic",
    "least_squares": "least squares",
    "gamma": "γ, weight of diversity",
    "d_steps": "n<sub>D</sub>, steps of D",
    "children": "Children",
    "not_made": "they are made in the next variation",
    "moves_drawn": "where the same z was and is; moves drawn × {times}",
    "not_judged": "not judged",
    "takes_no_part": "takes no part",
    "score": "F<sub>q</sub>\N{NO-BREAK SPACE}{quality}, F\N{NO-BREAK SPACE}{total}",
    "score_quality": "F = F<sub>q</sub> {quality}",
    "family": "Family tree",
    "family_key": "green: who lived on",
    "tree_empty": "No generation yet.",
    "tree_alt": "Family tree of the last {n} generations; the last winners: {winners}.",
    "who_won": "Who won, of the last 100",
    "measures_title": "The survivor",
    "modes": "modes found",
    "modes_of": "{modes} of {all}",
    "high_quality": "high quality",
    "mmd2": "MMD²",
    "survivor_alt": "Generation {generation}: real and generated points on the field of D",
    "generation_number": "Generation {generation}. ",
    "speed": "{rate} generations a second.",
    "next_train_d": "D learns",
    "next_vary": "variation",
    "next_evaluate": "evaluation",
    "next_select": "selection",
    "done_nothing": "Nothing has happened yet. Predict what D will see, then step.",
    "done_train_d": "D has learnt: the field is lighter where it says “real”.",
    "loss_d": " Its loss is {loss:.2f} (2 ln 2 = 1.39 when it only guesses).",
    "done_vary": "Each mutation moved a copy of the parent by one step of Adam; a line joins where the same z was "
                 "and is.",
    "done_evaluate": "D has judged every child: F = F<sub>q</sub> + γ F<sub>d</sub>.",
    "done_select": "The child of {winner} lives on; the others are gone.",
    "please_choose": "Which child would you keep? Press one, before the judgement is shown.",
    "same_choice": "You kept {yours}, and F would have kept it too. You agreed in {agreed} of {chosen} choices; chance "
                   "would agree in 1 of {of}.",
    "other_choice": "You kept {yours}; F would have kept {best}. You agreed in {agreed} of {chosen} choices; chance "
                    "would agree in 1 of {of}.",
    "evolve_why": "F<sub>q</sub> = E D(G(z)) asks how real the points look. F<sub>d</sub> = −log ‖∇L<sub>D</sub>‖ asks "
                  "how little they would change D. "
                  "Siblings differ by one step only, so a single choice means little: when you select while it plays, "
                  "you are asked every 20 generations, and F selects in between. "
                  "Seed 3 here is not seed 3 of a notebook: a browser draws its random numbers in another way.",

    # Two players
    "players_title": "Two players",
    "players_lead": "Draw on the field: that is real. Then press Play. The generator G never sees it: all it gets is "
                    "the judgement of the discriminator D, which learns to tell your drawing from G’s points.",
    "drawing_label": "The plane. Draw: drag, or arrow keys and space.",
    "d_learns": "D learns",
    "g_learns": "G learns",
    "reset_networks": "Reset G and D",
    "tool": "Pen",
    "tool_draw": "draw",
    "tool_erase": "erase",
    "clear": "Clear",
    "shapes": "Or begin with",
    "shape_heart": "heart",
    "shape_circle": "circle",
    "shape_wave": "wave",
    "shape_spiral": "spiral",
    "shape_islands": "three islands",
    "loss_of_g": "Loss of G",
    "non_saturating": "non-saturating",
    "saturating": "saturating",
    "d_for_g": "D's steps for each of G",
    "learning_rate": "Learning rate",
    "show_pushes": "lines: where G is asked to move a point",
    "verdicts_title": "What D says, on average",
    "verdicts_key": "½: it cannot tell",
    "chart_alt": "D’s mean verdicts over the last looks; now {real} of real points and {fake} of generated ones",
    "verdicts_said": "Steps so far: D {steps_d}, G {steps_g}. D says {real:.2f} of real points and {fake:.2f} of "
                     "generated ones. Losses: D {loss_d:.2f}, G {loss_g:.2f}.",
    "d_moved": "D has learnt: the ground has changed. ",
    "g_moved": "G has learnt: the dots have moved. ",
    "nothing_drawn": "The field is empty: there is nothing to learn from. Draw something.",
    "players_why": "Try the saturating loss with many steps of D: where D is sure of a fake, this loss says nothing, "
                   "and G stands still. Draw islands far apart: which does G find first? Change the drawing while it "
                   "plays, and watch who follows whom. Seed 3 here is not seed 3 of a notebook: a browser draws its "
                   "random numbers in another way.",

    # Paint
    "paint_title": "Paint",
    "paint_lead": "Drag over a tree, and it goes: your brush switches off, there alone, the units of layer 6 that "
                  "draw trees. A progressive GAN draws the rest.",
    "paint_canvas": "The scene of seed {seed}. {text}",
    "paint_how": "Paint: drag, or arrow keys and space.",
    "action": "Action",
    "remove": "− remove",
    "add": "+ add",
    "class": "What",
    "tree": "trees",
    "door": "doors",
    "window": "windows",
    "cloud": "clouds",
    "brush": "Brush",
    "strength": "Strength",
    "count": "Units",
    "frame": "frame the paint",
    "next": "Another scene",
    "before": "Before",
    "changed": "What changed",
    "labels": "What the segmenter sees",
    "control": "Control: the same strokes with as many random units",
    "before_alt": "the scene of seed {seed}, before painting",
    "changed_alt": "Difference: {share} % of the pixels changed visibly",
    "labels_alt": "Label map: {classes}",
    "control_alt": "the scene of seed {seed}, with random units in place of those of the brush",
    "units": "The units of the brush",
    "units_lead": "Each map shows where one unit is on now. Press one to take it out of the brush, or put it back. α "
                  "says how much the search wanted it.",
    "unit_label": "Unit {unit}, α {alpha}, {state}",
    "unit_in": "in the brush",
    "unit_out": "not in the brush",
    "counts": "Pixels, counted by the segmenter",
    "counts_class": "class",
    "counts_before": "before",
    "counts_after": "after",
    "counts_change": "change",
    "nothing_remove": "Nothing is painted yet. Drag over the {cls} to remove them.",
    "nothing_add": "Nothing is painted yet. Drag where you want {cls}.",
    "removed": "{cls}: {before} pixels before, {after} now ({percent} %). ",
    "appeared": "{cls}: not a pixel before, {after} now. ",
    "asked_remove": "Under your brush {came} of {asked} are gone. ",
    "asked_add": "Under your brush {came} of {asked} pixels became {cls}. ",
    "random_units": "With random units: {came}. ",
    "outside": "Outside your brush {outside} pixels changed their class.",
    "paint_why": "Why only where you paint? Units are shared: those of the trees draw parts of other things too. "
                 "Switched off everywhere, twelve of them removed {everywhere} % of the tree pixels of 200 villages "
                 "and spoilt {price} pixels of other things for each. Switched off in place they removed {in_place} % "
                 "and spoilt {price_in_place}; twelve random units removed {random} %.",

    # Mix
    "mix_title": "Mix",
    "mix_lead": "Each picture of the table is the one on its left, but some of its ten layers read the style of the "
                "one above. Press one, then choose which layers.",
    "model": "Generator",
    "villages": "Villages",
    "portraits": "Portraits",
    "sources": "sources",
    "destinations": "destinations",
    "new_sources": "New sources",
    "new_destinations": "New destinations",
    "from_source": "Style from the source",
    "coarse": "coarse 4–8 px",
    "middle": "middle 16–32 px",
    "fine": "fine 64 px",
    "all": "all",
    "none": "none",
    "layers": "Single layers",
    "layer": "layer {layer}, {pixels} px",
    "share": "How far (interpolation)",
    "psi": "ψ, truncation",
    "noise": "Noise",
    "noise_stored": "stored",
    "noise_drawn": "another draw",
    "noise_off": "off",
    "mix_grid": "Table of mixtures: a column for each source, a row for each destination. Arrow keys move.",
    "tile_source": "Source {source}",
    "tile_destination": "Destination {destination}",
    "tile_mixed": "Destination {destination} with styles of source {source}",
    "strip": "From destination to source",
    "strip_alt": "Seven pictures, the chosen styles going from those of the destination to those of the source",
    "mix_said": "{what}{layers}. ψ = {psi}; noise: {noise}.",
    "mix_layers": ": layers {layers}, {share} % of the way",
    "mix_no_layers": ": no layer is chosen, so nothing comes from the source",
    "mix_why": "At ψ = 0 every picture is the average one; at ψ = 1 nothing is truncated. Noise decides small things "
               "that no style decides: change the draw, and look at leaves and hair.",

    # chapters
    "notebook": "Download this chapter as a notebook",
    "colab": "Open in Colab",
    "live": "Drive it live: {machine}",
    "not_run": "Shown without outputs. Run the notebook to see them.",
    "panel": "A panel stands here when the notebook runs.",
    "panel_live": "Drive it live on this site: {link}. (In the notebook a panel stands here.)",
    "on_this_page": "On this page",
}
