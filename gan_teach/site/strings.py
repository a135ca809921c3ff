"""Every text of the pages, in one place: another language is another dictionary with the same keys.

$name is filled in by `pages`, {name} by the pages themselves.
"""

ENGLISH = {
    "language": "en",
    "site": "gan-teach",
    "skip": "Skip to the content",
    "menu": "Pages",
    "home": "Contents",
    "theme": "Dark or light",
    "footer": "Everything on these pages runs in your browser. Nothing is sent anywhere, and nothing comes from "
              "another server. Code: MIT licence; texts and pictures: CC BY 4.0.",

    # the first page
    "home_title": "Learn GANs by driving them",
    "home_lead": "A generator is a neural network that draws. Here you look inside it, find the units that draw trees, "
                 "and wipe the trees away with a finger. Then you read how it works, and change it yourself.",
    "drive": "Drive",
    "drive_lead": "Live machines, in this page, with the networks of the workbook.",
    "paint_card": "Wipe out trees, doors, windows and clouds, or paint them in. See which units did it.",
    "paint_card_alt": "A village, and the same village without its trees",
    "mix_card_alt": "Four villages and four portraits; from the second on, the middle styles come from other pictures",
    "mix_card": "Give one picture the coarse, middle or fine styles of another.",
    "read": "Read",
    "read_lead": "The workbook, chapter by chapter. Run it on your computer to do the exercises.",
    "install": "Install",
    "install_lead": "With Python 3.10 or newer, from a copy of the repository. No GPU is needed.",

    # all machines
    "loading": "Loading the networks (about $megabytes MB, once) …",
    "failed": "This machine could not start: {error}. Reload the page to try again; it needs a browser with "
              "WebAssembly.",
    "no_script": "This machine needs JavaScript and WebAssembly. The chapters can be read without.",
    "reset": "Reset",
    "undo": "Undo",
    "redo": "Redo",
    "seed": "Seed",
    "python": "The same in Python",
    "chapter_of": "Read about it:",

    # Paint
    "paint_title": "Paint",
    "paint_lead": "This village was drawn by a progressive GAN. Each of the 64 units of its layer 6 is a small map. "
                  "Your brush switches off the units that draw trees, only where you paint, and the generator draws "
                  "the rest.",
    "paint_canvas": "Village of seed {seed}. Paint: drag, or arrow keys and space.",
    "action": "Brush",
    "remove": "Remove",
    "add": "Add",
    "class": "What",
    "tree": "trees",
    "door": "doors",
    "window": "windows",
    "cloud": "clouds",
    "brush": "Brush size",
    "strength": "Strength",
    "count": "Units",
    "frame": "Show where I painted",
    "next": "Next",
    "before": "Before",
    "changed": "What changed",
    "labels": "What the segmenter sees",
    "control": "Control: the same strokes with as many random units",
    "before_alt": "The village before painting",
    "changed_alt": "Difference: {share} % of the pixels changed visibly",
    "labels_alt": "Label map: {classes}",
    "control_alt": "The village, with random units in place of those of the brush",
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
    "asked_remove": "Under your brush {came} of {asked} are gone. ",
    "asked_add": "Under your brush {came} of {asked} pixels became {cls}. ",
    "random_units": "With random units: {came}. ",
    "outside": "Outside your brush {outside} pixels changed their class.",
    "paint_why": "Why only where you paint? Units are shared: those of the trees draw parts of other things too. "
                 "Switched off everywhere, twelve of them removed $everywhere % of the tree pixels of 200 villages and "
                 "spoilt $price pixels of other things for each. Switched off in place they removed $in_place % and "
                 "spoilt $price_in_place; twelve random units removed $random %.",

    # Mix
    "mix_title": "Mix",
    "mix_lead": "A style generator draws in ten layers, and each layer reads its own style. Here some layers of the "
                "pictures on the left read the style of the pictures above.",
    "model": "Generator",
    "villages": "Villages",
    "portraits": "Portraits",
    "sources": "sources",
    "destinations": "destinations",
    "new_sources": "New sources",
    "new_destinations": "New destinations",
    "from_source": "Styles from the source",
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
    "strip": "From the destination to the source",
    "strip_alt": "Seven pictures, the chosen styles going from those of the destination to those of the source",
    "mix_said": "{what}{layers}. ψ = {psi}; noise: {noise}.",
    "mix_layers": ": layers {layers}, {share} % of the way",
    "mix_no_layers": ": no layer is chosen, so nothing comes from the source",
    "mix_why": "At ψ = 0 every picture is the average one; at ψ = 1 nothing is truncated. Noise decides small things "
               "that no style decides: change the draw, and look at leaves and hair.",

    # chapters
    "notebook": "Download this chapter as a notebook",
    "live": "Drive it live: $machine",
    "not_run": "Shown without outputs. Run the notebook to see them.",
    "panel": "A panel stands here when the notebook runs.",
    "panel_live": "A panel stands here when the notebook runs. Its live machine: $link.",
    "on_this_page": "On this page",
}
