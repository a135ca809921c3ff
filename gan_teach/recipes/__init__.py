"""How every file of data/ is made, each by one command.

    growing             `train`: the generators that grow, of villages and portraits
    evolving            `train`: E-GAN and its rivals, on clothes and villages
    judges              `train`: the segmenter and the classifiers
    compare_plane, compare_styles, compare_progan    `compare`: the records behind the chapters' claims
    readme_pictures     the README's pictures
    address             `address`: the repository's address, in everything that names it
"""

from . import evolving, growing, judges

RECIPES = {**growing.RECIPES, **judges.RECIPES, **evolving.RECIPES}      # by the names that `train` takes
