"""Self-checking exercises, one module a chapter."""

from lrbook.exercises.book import CHAPTERS, Exercise, Verdict, cells, check, exercises, get

__all__ = ["CHAPTERS", "Exercise", "Verdict", "cells", "check", "exercises", "get"]
