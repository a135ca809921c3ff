"""The weights that the papers' authors published, in our own networks. Nothing in their files is ever run.

    G = load_official("official/progan-church")       # fetched once, then from the cache
    G = load_official("downloads/karras2019stylegan-ffhq-1024x1024.pkl")
    if available("official/stylegan-ffhq"):           # never fetches: says where it is, or how to get it

Read in this order:

    published           what there is: its name, its addresses, its hash; is it on this computer?
    download            fetch a file once, in parts, with its size
    load                how a file of theirs becomes one of our networks, once
    pickles             the machine that reads a pickle and runs nothing of it
    tensorflow_pickles  what StyleGAN's authors and progressive GAN's saved, read by it
    torch_files         what `torch.save` wrote, read by it
    fill                the authors' tensors, each into its place exactly once
    progan, stylegan, egan, upernet    which tensor goes where, a file a network
"""

from .load import convert, load_official, load_segmenter
from .published import available, names

__all__ = ["available", "convert", "load_official", "load_segmenter", "names"]
