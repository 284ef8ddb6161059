"""Exercises that check themselves, one module a chapter, with a hint about the mistake that was made.

An exercise has a prompt, starter code, a solution, and typical wrong answers with the hint that each must
get; a seed other than 0 varies its numbers. The chapters' cells, a class's sets and the tests are made of
these. In a notebook:

>>> from lrbook.exercises import check
>>> check("time_end", 0.0910)
Not yet: that counts epochs; t counts updates here, 391 of them in each epoch.
>>> check("time_end", 0.00249)
Right: the rate ends at 0.00249, 40 times below its start.
"""

from lrbook.exercises.catalogue import CHAPTERS, Exercise, Verdict, check, exercises, get, open_exercises

__all__ = ["CHAPTERS", "Exercise", "Verdict", "check", "exercises", "get", "open_exercises"]
