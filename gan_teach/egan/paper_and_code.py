"""Where the paper, its authors' two programs and this package differ from each other: rows of a table.

There is no one E-GAN. Read in the paper (arXiv 1803.00657, version 1) and in github.com/WANG-Chaoyue/EvolutionaryGAN
and EvolutionaryGAN-pytorch. Shown in notebooks/03b_evolutionary_gan_further.ipynb by `figures.markdown`.
"""

FIRST = 7                       # the head and the rows that a reader should see; the rest may be folded
ROWS = (
    ("", "paper (v1)", "authors' Theano", "authors' PyTorch", "here"),
    ("½ in minimax and heuristic", "yes", "no", "no", "yes"),
    ("least squares on", "D, a probability", "D", "the **logit**: another loss", "D"),
    ("$F_d$", "−log norm", "−2 log norm, times β", "**+log** norm until 2020, then −log norm", "−log norm"),
    ("γ", "not given", "0.002–0.004, points 2", "0.01 (0.05 until 2020)", "0.01"),
    ("Adam's β₁ (momentum)", "0.5", "0.5; D's 0 for points, and with a gradient penalty",
     "0.5", "points 0.5, D's 0; pictures 0"),
    ("saved in the end", "not said", "the **last child**", "the **last child**", "the survivor"),
    ("$F_q$", "mean D", "mean D", "mean logit until 2020, then mean D", "mean D"),
    ("Adam's memory of a child", "not said", "one for each mutation",
     "inherited from the parent", "a switch; one for each mutation"),
    ("first in a generation", "D", "G", "G", "D"),
    ("steps of D, batch", "2, 16", "3, 32; points 1, 64", "3, 32", "points 1, 64; pictures 1, 32"),
    ("z of siblings", "new", "new", "new", "points new, pictures shared"),
    ("judged on, pictures of each child", "not said", "256", "256", "points 128, pictures 64"),
    ("Adam's β₂", "0.99", "0.999", "0.999", "points 0.999, pictures 0.99"),
    ("D's slope", "free", "free; a gradient penalty is a switch",
     "free; the same switch", r"points free; pictures $5\,(R_1 + R_2)$"),
    ("learning rate", "0.0002", "0.0002, points 0.0001", "0.0002", "0.001: it must learn in minutes"),
    ("batch norm in G, pictures", "up to 64 px", "never", "no", "yes, because of that rate"),
    ("D of the points", "–", "with batch norm, 512 wide", "–", "without, 64 wide"),
)
