"""The quiz questions: every choice carries its reason, right or wrong. `widgets/quiz.py` shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A multiple-choice question with one right choice."""

    text: str
    choices: tuple[str, ...]   # short: a choice is one line
    reasons: tuple[str, ...]   # one for each choice
    right: int                 # index of the right choice


CHAPTER_1 = (
    Question(
        "A unit has an 8×8 feature map, the picture has 64×64 pixels. What is compared with the class mask?",
        ("The feature map as it is, with the mask shrunk to 8×8",
         "The feature map enlarged to the mask's size, where it exceeds the unit's threshold t",
         "The mean of the feature map"),
        ("Shrinking the mask would lose small things, such as a door.",
         "The enlarged map, cut at t, is a mask too, and two masks can be compared pixel by pixel.",
         "The mean forgets where the unit is active, and IoU is about where."),
        right=1),
    Question(
        "A unit is on exactly where the trees are, and on as many pixels again. What is its IoU with tree?",
        ("1", "0.67", "0.5"),
        ("1 would mean that the two masks are the same.",
         "0.67 is the Dice score, 2|u∩c| / (|u| + |c|). IoU divides by the union.",
         "The intersection is all the trees, the union is twice as large."),
        right=2),
    Question(
        "A unit has the highest IoU with tree. What do we know about what it does?",
        ("It is on where trees are; what it causes has to be tried",
         "Without it the generator can draw no trees",
         "It draws trees wherever it is switched on"),
        ("IoU is agreement. Removing and inserting the unit is the experiment that shows its effect.",
         "Several units share the work: remove one, and often most of the tree stays.",
         "Often not: the later layers may refuse a tree in the sky."),
        right=0),
    Question(
        "Removing 8 tree units takes away 60 % of the tree pixels. What must we compare this with?",
        ("With nothing, 60 % is a large effect",
         "With removing 8 units chosen at random",
         "With removing all units of the layer"),
        ("Perhaps removing any 8 units spoils the picture as much: a number needs its comparison.",
         "Only the part beyond that of random units speaks for these units.",
         "That destroys the whole picture and says nothing about trees."),
        right=1),
    Question(
        "Twelve units at 0 in the whole map remove the trees, and spoil clouds far away. What spares the clouds?",
        ("Twelve units with a higher IoU",
         "A segmenter that does not know clouds",
         "The units at 0 only at the places that show a tree"),
        ("Agreement with trees does not forbid a unit to draw clouds as well: units have more than one task.",
         "Then the damage would not be counted. It would still be there.",
         "An intervention has units *and* places. Elsewhere the units keep their values, and the clouds stay."),
        right=2),
)

CHAPTER_1B = (
    Question(
        "A unit's IoU with sky is 0.30; with the sky labels of other pictures it is 0.28. What does it know?",
        ("The sky: 0.30 is far above 0.05",
         "Mostly that the sky is at the top",
         "Nothing: the IoU should be 1"),
        ("So would be a unit that ignores the picture and is on along the upper edge.",
         "What is left when the labels come from another picture needs no knowledge of this one.",
         "No threshold on an 8×8 map follows the outline of a roof; an IoU of 1 cannot be expected."),
        right=1),
    Question(
        "Why are the thresholds of greatest information chosen on other pictures than those that give the IoU?",
        ("To save time",
         "Because the generator draws no picture twice",
         "Because a choice fits the luck of the pictures it was made on"),
        ("It costs more time: a second set of pictures is drawn.",
         "It does: the same z gives the same picture.",
         "Judged on the same pictures, that luck would count as skill."),
        right=2),
    Question(
        "Forced on in a wall, some units draw a door; in the sky, at the same level, none. What has been shown?",
        ("The layers after the cut use what stands around a place",
         "The units were not door units",
         "The level k was too low"),
        ("The same units at the same level make a door in a wall; only the surroundings differ.",
         "In the wall they do draw doors.",
         "The level was that of places with doors, in the wall and in the sky alike."),
        right=0),
    Question(
        "Without 5 'artefact' units the Fréchet distance falls from 1.0 to 0.9; without 5 random ones to 0.9 ± 0.1. "
        "A repair?",
        ("Yes, lower is better",
         "No: random units do as well",
         "No, since 0.9 is not 0"),
        ("Lower it is, but was it these units? Any five would have done.",
         "An effect counts only beyond what chance gives.",
         "Even real pictures have a distance to other real pictures."),
        right=1),
    Question(
        "δ for the tree units is +0.2. What was compared?",
        ("Pictures with the units inserted, and the same pictures with them ablated",
         "Pictures with trees, and pictures without",
         "The best units, and random ones"),
        ("δ = E[s_c(x inserted)] − E[s_c(x ablated)]: an experiment, on the same z.",
         "That is an observation: other things differ between such pictures too.",
         "That comparison comes on top: δ of random units should be near 0."),
        right=0),
)

CHAPTER_2 = (
    Question(
        "A feature map has mean 5 and spread 2. AdaIN gives it the style y_s = 3, y_b = −1. Mean and spread now?",
        ("14 and 6",
         "−1 and 3",
         "4 and 6"),
        ("That is y_s times the old mean and spread, less 1: the map was not normalised first.",
         "μ and σ are taken out before the style goes in, so nothing of 5 and 2 is left.",
         "That adds y_b to the old mean. AdaIN first takes the old mean away."),
        right=1),
    Question(
        "Two faces, A and B. The layers of 4×4 and 8×8 take their style from B, all others from A. What do we expect?",
        ("A's pose and shape with B's colours",
         "A and B laid over each other, half and half",
         "B's pose and shape in A's colours"),
        ("The other way round: pose is decided where the picture is still small.",
         "Mixing changes which style a layer reads. No two pictures are ever added.",
         "The earliest layers decide what is where; colours come last. Those were left to A."),
        right=2),
    Question(
        "With ψ from 1 down to 0 the faces get more regular, and more alike. What does ψ = 0 show?",
        ("The same face for each z, that of w̄",
         "The mean of all pictures, a blur",
         "The most beautiful face of the training set"),
        ("w' = w̄ for each z: one w, one picture.",
         "The average is taken of the w, before the picture is drawn. G(w̄) is as sharp as any other.",
         "No training picture is in it, and nothing was compared. It is the picture at the average w."),
        right=0),
    Question(
        "G reads w = f(z), not z. What may w do that z may not?",
        ("Leave out what no picture shows: its cloud can have any shape",
         "Hold more information than z",
         "Say where in the picture a thing stands"),
        ("z is drawn from a round cloud, whatever the pictures are like. f may bend and flatten it.",
         "w is computed from z, so nothing can be in it that was not in z.",
         "A style is one number a unit, the same at every place; where comes from the constant and the convolutions."),
        right=0),
)

CHAPTER_2B = (
    Question(
        "The same ws, drawn with two seeds of the noise. What will differ, if training went as in the paper?",
        ("Who is shown",
         "Where each single freckle and strand of hair lies",
         "Nothing, since the styles decide all"),
        ("Identity is in the styles. The noise is a new roll of dice in each pixel: it cannot agree on a face.",
         "Detail that may lie here or there as well is what a network can take from independent noise.",
         "The noise enters every layer, with learnt weights. Draw twice and look at the difference."),
        right=1),
    Question(
        "In W the separability is better (lower) than in Z. What could f do that made it so?",
        ("It sorts the training pictures by attribute",
         "It makes w larger than z",
         "It bends the space, so that \"glasses or not\" becomes nearly a flat boundary"),
        ("f never sees a picture or an attribute, only z, and the gradient that comes back through the generator.",
         "Size alone separates nothing: a plane in the larger space is a plane in the smaller one.",
         "z must fill a ball; w need not fill anything. So W can be shaped as the attributes are."),
        right=2),
    Question(
        "Training with mixing regularisation, in the paper, barely changes the FID of ordinary pictures. Why do it?",
        ("Without it, pictures that mix the styles of several latents are much worse",
         "It makes training faster",
         "It is needed for truncation"),
        ("With four latents mixed at test time: FID 17.41 without, 9.03 with 90 % mixing in training.",
         "It costs a second pass through f, and saves nothing.",
         "Truncation needs only w̄, an average that is kept up during training anyhow."),
        right=0),
    Question(
        "R1 adds γ/2 ‖∇D(x)‖² to D's loss. At which pictures x, and what does it forbid?",
        ("At mixtures of real and generated ones; a slope other than 1",
         "At real pictures; steep slopes of D where the data are",
         "At generated pictures; verdicts far from 0"),
        ("That is WGAN-GP, the progressive GAN's loss and the paper's on CelebA-HQ.",
         "D may tell real from generated, but at a real picture its verdict must not hang on a hair.",
         "That is no gradient at all; and a verdict may be as sure as it likes."),
        right=1),
)

CHAPTER_3 = (
    Question(
        "Early on D is sure of every fake, D(G(z)) ≈ 0. Which of the three mutations still moves G?",
        ("minimax, −½ D for each picture",
         "heuristic, −½ (1 − D) for each picture",
         "least squares, −2 D (1 − D)² for each picture"),
        ("Its slope is proportional to D: where D ≈ 0 it says nothing.",
         "1 − D ≈ 1: it is loudest exactly where D is sure of a fake.",
         "It has the factor D too, and is silent at both ends."),
        right=1),
    Question(
        "Three children of one parent. What do their gradients share?",
        ("The Jacobian ∂l/∂θ; a mutation only weights the pictures",
         "Nothing, three losses give three directions",
         "The length, since Adam divides by it"),
        ("Each loss is a function of the logits, so by the chain rule it only decides how much each picture counts.",
         "On the same z their cosine is above 0.9: they look at the same pictures through the same D.",
         "Adam makes the steps alike, not the gradients; and its moments remember other generations."),
        right=0),
    Question(
        "Judged once, child A has F = 0.52 and child B 0.50. Judged eight times, one verdict scatters by 0.05. So?",
        ("A is fitter than B",
         "The choice between them is mostly luck",
         "B is fitter, it was unlucky"),
        ("0.02 is less than half of what another draw of z would change.",
         "Siblings differ by less than the judgement scatters. Selection then comes close to drawing lots.",
         "Nothing says so. The two cannot be told apart by one judgement."),
        right=1),
)

CHAPTER_3B = (
    Question(
        "F_d = −log ‖∇_D L_D‖ is high. What do we know for certain?",
        ("The samples are diverse",
         "G has not collapsed",
         "D would hardly change if it trained on these samples"),
        ("Garbage that D rejects with certainty scores high too.",
         "A collapsed generator that D has got used to scores highest of all.",
         "That is what it measures. It is diversity only where D is still wrong about the samples."),
        right=2),
    Question(
        "E-GAN is compared with a plain GAN. Which comparison is fair?",
        ("Equal generations, one seed each",
         "Equal generations, the best of eight seeds",
         "Equal compute, several seeds, with a mean and a spread"),
        ("A generation of E-GAN costs several plain ones, and one seed may be lucky.",
         "The best of eight hides how often it fails.",
         "Both answer the question that matters: what do I get for my time, and how surely?"),
        right=2),
    Question(
        "\"E-GAN beats heuristic alone\" is measured. What must be tried before we say that selection did it?",
        ("The same three mutations, with the survivor drawn at random",
         "E-GAN with a greater γ",
         "Heuristic alone, with a greater learning rate"),
        ("If lots do as well, it was the mixture of losses, not the choice between the children.",
         "That is another E-GAN. It does not separate selection from variation.",
         "A fair rival perhaps, but it says nothing about what selection is worth."),
        right=0),
)

CHAPTER_4 = (
    Question(
        "A style sets y_s = 0 and y_b = 0 for one unit. Which intervention of chapter 1 is that?",
        ("Its ablation, in the whole picture",
         "Its insertion at the level 1",
         "Its ablation inside a painted place"),
        ("AdaIN then gives 0 in every place: what `ablate` does to a whole map.",
         "Insertion at k is y_s = 0 and y_b = k. Here k is 0.",
         "A style has one number for a unit, none for a place."),
        right=0),
    Question(
        "Which of these can no style do?",
        ("Switch off a tree unit",
         "Force a door unit on, in the left half only",
         "Hold a unit at its usual level"),
        ("That is y = (0, 0) for this unit.",
         "Left and right get the same y. Only an intervention on r knows places.",
         "That is y_s = 0 and y_b = that level."),
        right=1),
    Question(
        "Layer 3's style moves the number of door pixels most; units that match doors lie in layer 6. A contradiction?",
        ("Yes: a class lives in one layer",
         "Yes: one of the two measurements must be wrong",
         "No: what moves the number of doors and which map looks like a door are two questions"),
        ("Each layer works on what the ones before it made; nothing says that a class has one home.",
         "Both may be right: they answer different questions.",
         "A style acts on all that comes after it. A high IoU needs maps fine enough to have the shape of a door."),
        right=2),
    Question(
        "Two generators know the same classes equally well, but their units are in another order. Their likeness is",
        ("near 1",
         "near 0",
         "near −1"),
        ("It would be if unit 3 of one were unit 3 of the other.",
         "It compares unit by unit, and here a unit's partner means something else.",
         "Nothing makes partners opposites of each other."),
        right=1),
    Question(
        "Why do the units of a child mean what its parent's mean?",
        ("The fitness rewards units with a meaning",
         "The discriminator names the units",
         "A child is a copy of its parent after one small step"),
        ("F looks at D's verdicts and D's gradient; it never looks into G.",
         "D sees pictures only.",
         "Meaning sits in the weights, and one step of Adam moves each of them a little."),
        right=2),
)

WARM_UP = (
    Question(
        "What does G learn from?",
        ("The real points: it copies them",
         "The slope of D's verdict on its own points",
         "Labels: a person says which points are good"),
        ("It never sees one. In `step_g` there is no real point.",
         "The slope passes through D to the point, and through the point to G's weights.",
         "Nobody labels anything. D's task labels itself: real or generated."),
        right=1),
    Question(
        "D says 0.5 everywhere. What do we know?",
        ("G has won: its points are like the real ones",
         "D is untrained",
         "D cannot tell, for one reason or the other"),
        ("So it may be. But an untrained D says the same.",
         "So it may be. But a perfect G would bring a trained D there too.",
         "A verdict alone does not say whether G is good or D is bad. Look at the points."),
        right=2),
    Question(
        "Whose weights move in G's step?",
        ("G's alone; D only passes the slope on",
         "Both, in opposite directions",
         "D's first, then G's"),
        ("D is held still, as G is in D's step. That is why they take turns.",
         "One step serves one loss. D has a step of its own.",
         "Each step moves one player."),
        right=0),
    Question(
        "D is sure that a point is generated: D(G(z)) = 0.01. How loudly do the two losses speak to G?",
        ("Both alike: they have the same optimum",
         "The saturating one 0.99, the non-saturating one 0.01",
         "The saturating one 0.01, the non-saturating one 0.99"),
        ("They agree on the direction, not on the loudness.",
         "The other way round: log(1 − D) is flat where D is near 0.",
         "Their slopes by the logit are −D and −(1 − D). Where G is worst, only one of them still speaks."),
        right=2),
    Question(
        "x = f(r), r = h(z). What is r?",
        ("A real point",
         "What passes through the generator at a cut: the values of its units",
         "The verdict of D"),
        ("Real points come from outside, and no z belongs to them.",
         "h is the part of G before the cut, f the part behind it. Chapter 1 looks inside r.",
         "D comes after x. Its logit is l."),
        right=1),
)
