"""Chapters 3 and 3b."""

from .question import Question

CHAPTER_3 = (
    Question("Early on D is sure of every fake, D(G(z)) ≈ 0. Which of the three mutations still moves G?", (
        ("minimax, −½ D for each sample", "Its slope is proportional to D: where D ≈ 0 it says nothing."),
        ("heuristic, −½ (1 − D) for each sample", "1 − D ≈ 1: it is loudest exactly where D is sure of a fake."),
        ("least squares, −2 D (1 − D)² for each sample", "It has the factor D too, and is silent at both ends."),
    ), right=1),
    Question("Three children of one parent. What do their gradients share?", (
        ("The Jacobian ∂l/∂θ; a mutation only weights the samples",
         "Each loss is a function of the logits, so by the chain rule it only decides how much each sample counts."),
        ("Nothing, three losses give three directions",
         "On the same z they look at the same samples through the same D, and mostly agree on the direction."),
        ("The length, since Adam divides by it",
         "Adam makes the steps alike, not the gradients; and its moments remember other generations."),
    ), right=0),
    Question("Judged once, child A has F = 0.52 and child B 0.50. Judged eight times, one verdict scatters by 0.05. "
             "So?", (
        ("A is fitter than B", "0.02 is less than half of what another draw of z would change."),
        ("The choice between them is mostly luck",
         "Siblings differ by less than the judgement scatters. Selection then comes close to drawing lots."),
        ("B is fitter, it was unlucky", "Nothing says so. The two cannot be told apart by one judgement."),
    ), right=1),
)

CHAPTER_3B = (
    Question("F_d = −log ‖∇_D L_D‖ is high. What do we know for certain?", (
        ("The samples are diverse", "Garbage that D rejects with certainty scores high too."),
        ("G has not collapsed", "A collapsed generator that D has got used to scores highest of all."),
        ("D would hardly change if it trained on these samples",
         "By definition: the gradient of D's loss on them and on real ones is short. It follows diversity only among "
         "samples that D takes alike."),
    ), right=2),
    Question("E-GAN is compared with a plain GAN. Which comparison is fair?", (
        ("Equal generations, one seed each",
         "A generation of E-GAN costs several plain ones, and one seed may be lucky."),
        ("Equal generations, the best of eight seeds", "The best of eight hides how often it fails."),
        ("Equal compute, several seeds, with a mean and a spread",
         "Both answer the question that matters: what do I get for my time, and how surely?"),
    ), right=2),
    Question("\"E-GAN beats heuristic alone\" is measured. What must be tried before we say that selection did it?", (
        ("The same three mutations, with the survivor drawn at random",
         "If lots do as well, it was the mixture of losses, not the choice between the children."),
        ("E-GAN with a greater γ", "That is another E-GAN. It does not separate selection from variation."),
        ("Heuristic alone, with a greater learning rate",
         "A fair rival perhaps, but it says nothing about what selection is worth."),
    ), right=0),
)
