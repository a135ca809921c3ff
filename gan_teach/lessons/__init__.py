"""What a chapter needs beside the papers' ideas.

    setup           the line that a chapter opens with
    words           the signs and words of all chapters
    exercises       what every exercise is made of: a verdict, hints, a solution, and what passed handed on
    checks          the exercises' checks, a file a chapter
    questions       the quizzes, a file a chapter
    progress        what the reader has done, in a plain file
    errors          an error's last line in the reader's language, below its traceback
    printed         what a chapter's cells print, in the reader's language
    catch_up        for whoever comes late: what the sections before a section make, in seconds
    notes           an instructor's notes, from the notebooks' metadata
    thumbnails      what a chapter draws, small, beside those notes
    notebooks       `gan-teach lab`: a copy of the notebooks beside the reader
"""
