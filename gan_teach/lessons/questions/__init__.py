"""The quiz questions, each a `question.Question`, in a file a chapter: warm_up, dissection, stylegan, egan, capstone.

`widgets/quiz.py` shows them.
"""

from .capstone import CHAPTER_4
from .dissection import CHAPTER_1, CHAPTER_1B
from .egan import CHAPTER_3, CHAPTER_3B
from .stylegan import CHAPTER_2, CHAPTER_2B
from .warm_up import WARM_UP
from .question import Question

__all__ = ["CHAPTER_1", "CHAPTER_1B", "CHAPTER_2", "CHAPTER_2B", "CHAPTER_3", "CHAPTER_3B", "CHAPTER_4", "Question",
           "WARM_UP"]
