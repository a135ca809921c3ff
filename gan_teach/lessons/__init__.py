"""What a chapter needs beside the papers' ideas: the opening line, exercise checks, hints, quizzes."""
