"""The warm-up."""

from .question import Question

WARM_UP = (
    Question("What does G learn from?", (
        ("The real points: it copies them", "It never sees one. In `step_g` there is no real point."),
        ("The slope of D's verdict on its own points",
         "The slope passes through D to the point, and through the point to G's weights."),
        ("Labels: a person says which points are good",
         "Nobody labels anything. D's task labels itself: real or generated."),
    ), right=1),
    Question("D says 0.5 everywhere. What do we know?", (
        ("G has won: its points are like the real ones", "So it may be. But an untrained D says the same."),
        ("D is untrained", "So it may be. But a perfect G would bring a trained D there too."),
        ("D cannot tell, for one reason or the other",
         "A verdict alone does not say whether G is good or D is bad. Look at the points."),
    ), right=2),
    Question("Whose weights move in G's step?", (
        ("G's alone; D only passes the slope on", "D is held still, as G is in D's step. That is why they take turns."),
        ("Both, in opposite directions", "One step serves one loss. D has a step of its own."),
        ("D's first, then G's", "Each step moves one player."),
    ), right=0),
    Question("D is sure that a point is generated: D(G(z)) = 0.01. How loudly do the two losses speak to G?", (
        ("Both alike: they have the same optimum", "They agree on the direction, not on the loudness."),
        ("The saturating one 0.99, the non-saturating one 0.01",
         "The other way round: log(1 − D) is flat where D is near 0."),
        ("The saturating one 0.01, the non-saturating one 0.99",
         "Their slopes by the logit are −D and −(1 − D). Where G is worst, only one of them still speaks."),
    ), right=2),
    Question("x = f(r), r = h(z). What is r?", (
        ("A real point", "Real points come from outside, and no z belongs to them."),
        ("What passes through the generator at a cut: the values of its units",
         "h is the part of G before the cut, f the part behind it. Chapter 1 looks inside r."),
        ("The verdict of D", "D comes after x. Its logit is l."),
    ), right=1),
)
