"""What a chapter needs beside the papers' ideas: the opening line, checks of the exercises, hints, quizzes."""
