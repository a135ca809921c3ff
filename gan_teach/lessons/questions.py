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
        "The average causal effect δ of U on class c compares two pictures of each z. Which?",
        ("With U removed, and the untouched one",
         "Two pictures of different z",
         "With U inserted at P, and with U removed at P"),
        ("That is half of it: how far a class grows when U is forced on is the other half.",
         "Then the difference would be of two scenes, not of the units.",
         "δ = E[s_c(x inserted)] − E[s_c(x removed)], all else in the picture held equal."),
        right=2),
)
