"""Chapters 1 and 1b."""

from .question import Question

CHAPTER_1 = (
    Question("A unit has an 8×8 feature map, the picture has 64×64 pixels. What is compared with the class mask?", (
        ("The feature map as it is, with the mask shrunk to 8×8",
         "Shrinking the mask would lose small things, such as a door."),
        ("The feature map enlarged to the mask's size, where it exceeds the unit's threshold t",
         "The enlarged map, cut at t, is a mask too, and two masks can be compared pixel by pixel."),
        ("The mean of the feature map", "The mean forgets where the unit is active, and IoU is about where."),
    ), right=1),
    Question("A unit is on exactly where the trees are, and on as many pixels again. What is its IoU with tree?", (
        ("1", "1 would mean that the two masks are the same."),
        ("0.67", "0.67 is the Dice score, 2|u∩c| / (|u| + |c|). IoU divides by the union."),
        ("0.5", "The intersection is all the trees, the union is twice as large."),
    ), right=2),
    Question("A unit has the highest IoU with tree. What do we know about what it does?", (
        ("It is on where trees are; what it causes has to be tried",
         "IoU is agreement. Removing and inserting the unit is the experiment that shows its effect."),
        ("Without it the generator can draw no trees",
         "Several units share the work: remove one, and often most of the tree stays."),
        ("It draws trees wherever it is switched on",
         "Often not: in the sky colours change, but the judge sees hardly a tree."),
    ), right=0),
    Question("Removing 8 tree units takes away 60 % of the tree pixels. What must we compare this with?", (
        ("With nothing, 60 % is a large effect",
         "Perhaps removing any 8 units spoils the picture as much: a number needs its comparison."),
        ("With removing 8 units chosen at random", "Only the part beyond that of random units speaks for these units."),
        ("With removing all units of the layer", "That destroys the whole picture and says nothing about trees."),
    ), right=1),
    Question("Twelve units at 0 in the whole map remove the trees, and spoil clouds far away. What spares the "
             "clouds?", (
        ("Twelve units with a higher IoU",
         "Agreement with trees does not forbid a unit to draw clouds as well: units have more than one task."),
        ("A segmenter that does not know clouds", "Then the damage would not be counted. It would still be there."),
        ("The units at 0 only at the places that show a tree",
         "An intervention has units *and* places. Elsewhere the units keep their values, and the clouds stay."),
    ), right=2),
)

CHAPTER_1B = (
    Question("A unit's IoU with sky is 0.30; with the sky labels of other pictures it is 0.28. What does it know?", (
        ("The sky: 0.30 is far above 0.05",
         "So would be a unit that ignores the picture and is on along the upper edge."),
        ("Mostly that the sky is at the top",
         "What is left when the labels come from another picture needs no knowledge of this one."),
        ("Nothing: the IoU should be 1",
         "No threshold on an 8×8 map follows the outline of a roof; an IoU of 1 cannot be expected."),
    ), right=1),
    Question("Why are the thresholds of greatest information chosen on other pictures than those that give the IoU?", (
        ("To save time", "It costs more time: a second set of pictures is drawn."),
        ("Because the generator draws no picture twice", "It does: the same z gives the same picture."),
        ("Because a choice fits the luck of the pictures it was made on",
         "Judged on the same pictures, that luck would count as skill."),
    ), right=2),
    Question("Units are forced on in a wall, and the segmenter sees a door; in the sky it sees none. What has been "
             "shown?", (
        ("The layers after the cut refuse a door in the sky",
         "They may. A segmenter that has never met a door in the sky would say the same of a real one."),
        ("Nothing yet: would it know a real door there?",
         "Paste a real one, and look at the pixels: only a judge that could see a door can say that there is none."),
        ("The level k was too low", "The same level gave a door in the wall."),
    ), right=1),
    Question("Without 5 'artefact' units the Fréchet distance falls from 1.0 to 0.9; without 5 random ones to 0.9 ± "
             "0.1. A repair?", (
        ("Yes, lower is better", "Lower it is, but was it these units? Any five would have done."),
        ("No: random units do as well", "An effect counts only beyond what chance gives."),
        ("No, since 0.9 is not 0", "Even real pictures have a distance to other real pictures."),
    ), right=1),
    Question("δ for the tree units is +0.2. What was compared?", (
        ("Pictures with the units inserted, and the same pictures with them ablated",
         "δ = E[s_c(x inserted)] − E[s_c(x ablated)]: an experiment, on the same z."),
        ("Pictures with trees, and pictures without",
         "That is an observation: other things differ between such pictures too."),
        ("The best units, and random ones",
         "That comparison comes on top: only what goes beyond random units is theirs."),
    ), right=0),
)
