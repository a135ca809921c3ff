"""What a chapter needs beside the papers' ideas.

    setup           the line that a chapter opens with
    words           the signs and words of all chapters
    checks          exercises: checks, hints, solutions, and what passed handed on; `checks_warm_up`, `checks_stylegan`,
                    `checks_egan`, `checks_egan_further`, `checks_capstone` hold those of one chapter
    questions       the quizzes
    progress        what the reader has done, in a plain file
    errors          an error's last line in the reader's language, below its traceback
    catch_up        for whoever comes late: what the sections before a section make, in seconds
    notes           an instructor's notes, from the notebooks' metadata
    slides          which cells a slide show shows: the path of 50 minutes
    notebooks       `gan-teach lab`: a copy of the notebooks beside the reader
"""
