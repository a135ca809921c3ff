"""How the files of data/ are made, each by one command (two pictures are filmed in a browser, by tests/film.py).

    growing             `train`: the generators that grow, of villages and portraits
    evolving            `train`: E-GAN and its rivals, on clothes and villages
    judges              `train`: the segmenter and the classifiers
    compare_plane, compare_styles, compare_progan    `compare`: the records behind the chapters' claims
    sharing             how these train a variant, their loop, and how several processes share it
    training_cost       `compare cost`: what the papers' own trainings would cost
    readme_pictures     the README's pictures
    address             `address`: the repository's address, in everything that names it
"""

from . import evolving, growing, judges

RECIPES = {**growing.RECIPES, **judges.RECIPES, **evolving.RECIPES}      # by the names that `train` takes
