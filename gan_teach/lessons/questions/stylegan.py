"""Chapters 2 and 2b."""

from .question import Question

CHAPTER_2 = (
    Question("A feature map has mean 5 and spread 2. AdaIN gives it the style y_s = 3, y_b = −1. Mean and spread "
             "now?", (
        ("14 and 6", "That is y_s times the old mean and spread, less 1: the map was not normalised first."),
        ("−1 and 3", "μ and σ are taken out before the style goes in, so nothing of 5 and 2 is left."),
        ("4 and 6", "That adds y_b to the old mean. AdaIN first takes the old mean away."),
    ), right=1),
    Question("Two faces, A and B. The layers of 4×4 and 8×8 take their style from B, all others from A. What do we "
             "expect?", (
        ("A's pose and shape with B's colours",
         "The other way round: pose is decided where the picture is still small."),
        ("A and B laid over each other, half and half",
         "Mixing changes which style a layer reads. No two pictures are ever added."),
        ("B's pose and shape in A's colours",
         "The earliest layers decide what is where; colours come last. Those were left to A."),
    ), right=2),
    Question("As ψ goes from 1 down to 0, the faces get more and more alike. What does ψ = 0 show?", (
        ("The same face for each z, that of w̄", "w' = w̄ for each z: one w, one picture."),
        ("The mean of all pictures, a blur",
         "The average is taken of the w, before the picture is drawn: no pictures are laid over each other."),
        ("The most beautiful face of the training set",
         "No training picture is in it, and nothing was compared. It is the picture at the average w."),
    ), right=0),
    Question("G reads w = f(z), not z. What may w do that z may not?", (
        ("Leave out what no picture shows: its cloud can have any shape",
         "z is drawn from a round cloud, whatever the pictures are like. f may bend and flatten it."),
        ("Hold more information than z", "w is computed from z, so nothing can be in it that was not in z."),
        ("Say where in the picture a thing stands",
         "A style is two numbers a unit, the same at every place; where comes from the constant and the convolutions."),
    ), right=0),
)

CHAPTER_2B = (
    Question("The same ws, drawn with two seeds of the noise. What will differ, if training went as in the paper?", (
        ("Who is shown",
         "Identity is in the styles. The noise is a new roll of dice in each pixel: it cannot agree on a face."),
        ("Where each single freckle and strand of hair lies",
         "Detail that may lie here or there as well is what a network can take from independent noise."),
        ("Nothing, since the styles decide all",
         "The noise enters every layer, with learnt weights. Draw twice and look at the difference."),
    ), right=1),
    Question("In W the separability is better (lower) than in Z. What could f do that made it so?", (
        ("It sorts the training pictures by attribute",
         "f never sees a picture or an attribute, only z, and the gradient that comes back through the generator."),
        ("It makes w larger than z",
         "Size alone separates nothing: a plane in the larger space is a plane in the smaller one."),
        ("It bends the space, so that \"glasses or not\" becomes nearly a flat boundary",
         "z must fill a ball; w need not fill anything. So W can be shaped as the attributes are."),
    ), right=2),
    Question("Training with mixing regularisation, in the paper, barely changes the FID of ordinary pictures. Why "
             "do it?", (
        ("Without it, pictures that mix the styles of several latents are much worse",
         "With four latents mixed at test time: FID 17.41 without, 9.03 with 90 % mixing in training."),
        ("It makes training faster", "It costs a second pass through f, and saves nothing."),
        ("It is needed for truncation", "Truncation needs only w̄, an average that is kept up during training anyhow."),
    ), right=0),
    Question("R1 adds γ/2 ‖∇D(x)‖² to D's loss. At which pictures x, and what does it forbid?", (
        ("At mixtures of real and generated ones; a slope other than 1",
         "That is WGAN-GP, the progressive GAN's loss and the paper's on CelebA-HQ."),
        ("At real pictures; steep slopes of D where the data are",
         "D may tell real from generated, but at a real picture its verdict must not hang on a hair."),
        ("At generated pictures; verdicts far from 0",
         "That is no gradient at all; and a verdict may be as sure as it likes."),
    ), right=1),
)
