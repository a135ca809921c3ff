"""The signs of all chapters, and the words that they use in a special sense: `signs()`, `words()` in any notebook."""

from ..language import say

SIGNS = (
    ("sign", "name", "here, on the plane", "in the chapters"),
    ("z", "latent", "2 random numbers", "64, 100 or 128 of them"),
    ("x", "real (blue) or generated (orange)", "a point", "a picture, 3×H×W numbers in [−1, 1]"),
    ("G", "generator, $x = G(z)$", "orange dots", "orange frames and bars"),
    ("D", "discriminator", "the grey ground", "grey"),
    ("l, σ", "logit, $D(x) = \\sigma(l)$", "light and dark", "its verdicts; in AdaIN σ is the spread of a map"),
    ("θ", "all weights of a network", "moved by a step", "chapter 3: a child is a copy of θ, moved"),
    ("h, r, f", "a cut: $r = h(z)$, $x = f(r)$, so $G(z) = f(h(z))$", "the next cell",
     "chapter 1; in chapter 2 $w = f(z)$ is the mapping"),
    ("u", "unit: one number of r; in a picture network one map", "64 of them", "chapter 1: which unit draws trees?"),
    ("$t_u$", "threshold of unit u: above it the unit counts as on", "", "chapter 1"),
    ("$s_c$", "what a segmenter sees: where a picture shows the class c", "", "chapter 1"),
    ("P, k", "the places of an intervention; the level that the units get there", "", "chapter 1"),
    ("δ", "causal effect: how many more pixels of a class, with units on than off", "", "chapter 1"),
    ("α", "how much each unit takes part in an intervention", "", "chapter 1; in 3b the way from one z to another"),
    ("w", "what the mapping network of StyleGAN makes of z", "", "chapter 2"),
    ("y", "a style: a scale $y_s$ and a shift $y_b$ for each unit", "", "chapter 2"),
    ("ψ", "how far w may lie from its mean; 1 is as far as it likes", "", "chapter 2"),
    ("$F_q$, $F_d$, γ", "fitness: quality, diversity, and the weight of the second", "", "chapter 3"),
    ("μ", "how many survive a generation", "", "chapter 3; in AdaIN the mean of a map"),
)

WORDS = (
    ("word", "what these chapters mean by it"),
    ("judge", "a network that looks at pictures for us: a classifier, or a segmenter"),
    ("loud", "a loss pulls strongly at a sample: its slope by the logit is large"),
    ("run, seed", "one training, and the number that its chance begins with"),
    ("error (±)",
     "by how much a mean would scatter if it were measured anew: other seeds, pictures or draws, as the text says"),
    ("price", "what a method costs: seconds of computing; in chapter 1, other pixels changed for each one removed"),
    ("control", "the same experiment without the thing that is said to help"),
    ("ruler", "a measurement, with its zero: what a network that has learnt nothing gets"),
    ("by lot", "at random, with a fixed seed"),
    ("collapse", "G makes a few kinds of things only"),
    ("environment", "D and the way it is trained: what a generator of chapter 3 lives in"),
    ("Fréchet distance", "how far two clouds of features are apart, by their means and spreads; 0 is equal"),
    ("Inception, FID", "a network that names photographs; the Fréchet distance in its features, as papers give it"),
    ("VGG, LPIPS", "another such network; a distance of two pictures in features such as its, near to what people see"),
    ("mixing (in training)", "in some batches each picture takes the styles of its first layers from one z and the "
     "rest from another: it is made of two latents"),
    ("batch norm", "a layer that gives each unit the same mean and spread within a batch"),
)


class Table:
    """Rows that a notebook shows as a table, in the reader's language; the first is its head."""

    def __init__(self, head: tuple[str, ...], *rows: tuple[str, ...]):
        self.markdown = "\n".join(f"| {' | '.join(map(say, row))} |" for row in (head, ["---"] * len(head), *rows))

    def _repr_markdown_(self) -> str:
        return self.markdown


def signs() -> Table:
    """The table of signs."""
    return Table(*SIGNS)


def words() -> Table:
    """The table of words."""
    return Table(*WORDS)
