"""Chapter 4."""

from .question import Question

CHAPTER_4 = (
    Question("A style sets y_s = 0 and y_b = 0 for one unit. Which intervention of chapter 1 is that?", (
        ("Its ablation, in the whole picture", "AdaIN then gives 0 in every place: what `ablate` does to a whole map."),
        ("Its insertion at the level 1", "Insertion at k is y_s = 0 and y_b = k. Here k is 0."),
        ("Its ablation inside a painted place", "A style has two numbers for a unit, none for a place."),
    ), right=0),
    Question("Which of these can no style do?", (
        ("Switch off a tree unit", "That is y = (0, 0) for this unit."),
        ("Force a door unit on, in the left half only",
         "Left and right get the same y. Only an intervention on r knows places."),
        ("Hold a unit at its usual level", "That is y_s = 0 and y_b = that level."),
    ), right=1),
    Question("Layer 3's style moves the number of door pixels most; units that match doors lie in layer 6. A "
             "contradiction?", (
        ("Yes: a class lives in one layer",
         "Each layer works on what the ones before it made; nothing says that a class has one home."),
        ("Yes: one of the two measurements must be wrong", "Both may be right: they answer different questions."),
        ("No: what moves the number of doors and which map looks like a door are two questions",
         "A style acts on all that comes after it. A high IoU needs maps fine enough to have the shape of a door."),
    ), right=2),
    Question("Two generators know the same classes equally well, but their units are in another order. Their "
             "likeness is", (
        ("near 1", "It would be if unit 3 of one were unit 3 of the other."),
        ("near 0", "It compares unit by unit, and here a unit's partner means something else."),
        ("near −1", "Nothing makes partners opposites of each other."),
    ), right=1),
    Question("Why do the units of a child mean what its parent's mean?", (
        ("The fitness rewards units with a meaning",
         "F looks at D's verdicts and D's gradient; it never looks into G."),
        ("The discriminator names the units", "D sees pictures only."),
        ("A child is a copy of its parent after one small step",
         "Meaning sits in the weights, and one step of Adam moves each of them a little."),
    ), right=2),
)
