"""Chapters 1 and 1b."""

from .question import Question

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
         "Often not: in the sky colours change, but the judge sees hardly a tree."),
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
        "Units are forced on in a wall, and the segmenter sees a door; in the sky it sees none. What has been shown?",
        ("The layers after the cut refuse a door in the sky",
         "Nothing yet: would it know a real door there?",
         "The level k was too low"),
        ("They may. A segmenter that has never met a door in the sky would say the same of a real one.",
         "Paste a real one, and look at the pixels: only a judge that could see a door can say that there is none.",
         "The level was that of places with doors, in the wall and in the sky alike."),
        right=1),
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
         "That comparison comes on top: only what goes beyond random units is theirs."),
        right=0),
)
