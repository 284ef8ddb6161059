"""The catalogue of exercises, and the checker that a notebook calls."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from lrbook.exercises import (
    analysis,
    audit,
    claims,
    constant,
    contest,
    cosine,
    curves,
    drop_based,
    factors,
    fair_race,
    grid_search,
    introduction,
    linear,
    micro_batches,
    polynomial,
    snapshots,
    table_source,
    time_based,
    torch_loops,
    triangle,
)
from lrbook.exercises.open_questions import QUESTIONS, OpenExercise
from lrbook.exercises.task import Exercise, Verdict

_MODULES = (
    introduction,
    grid_search,
    constant,
    time_based,
    drop_based,
    linear,
    micro_batches,
    polynomial,
    analysis,
    curves,
    triangle,
    cosine,
    torch_loops,
    contest,
    factors,
    table_source,
    claims,
    fair_race,
    snapshots,
    audit,
)
_ALL = {
    thing.name: thing for module in _MODULES for thing in vars(module).values() if isinstance(thing, Exercise)
}
#: The chapters that have exercises, in the book's order; each is the name of its notebook.
CHAPTERS = tuple(dict.fromkeys(module.CHAPTER for module in _MODULES if hasattr(module, "CHAPTER")))


def exercises(chapter: str | None = None) -> list[Exercise]:
    """Return the exercises of one chapter, or of all, in the book's order.

    A chapter that has none is a ValueError, which names the nearest that has.

    Examples
    --------
    >>> [exercise.name for exercise in exercises("triangle")]
    ['triangle', 'warmup_area', 'bert']
    """
    if chapter is None:
        return list(_ALL.values())
    if chapter not in CHAPTERS:
        raise ValueError(f"there is no chapter {chapter!r} with exercises{_near(chapter, CHAPTERS)}")
    return [exercise for exercise in _ALL.values() if exercise.chapter == chapter]


def open_exercises(chapter: str | None = None) -> list[OpenExercise]:
    """Return the exercises without a checker of one chapter, or of all.

    Examples
    --------
    >>> [question.title for question in open_exercises("factors")]
    ['Twenty runs for two schedules']
    """
    return [question for question in QUESTIONS if chapter in (None, question.chapter)]


def get(name: str) -> Exercise:
    """Return the exercise of that name; another name is a ValueError, which names the nearest.

    Examples
    --------
    >>> get("drop").title
    "The source's drop, update by update"
    >>> get("dropp")
    Traceback (most recent call last):
        ...
    ValueError: there is no exercise 'dropp'; did you mean 'drop'?
    """
    if isinstance(name, str) and name in _ALL:
        return _ALL[name]
    raise ValueError(f"there is no exercise {name!r}{_near(name, _ALL)}")


def _near(name: object, known: Iterable[str]) -> str:
    # Not `no_such`: a student would read 33 names before the one that was meant. And a lower cutoff, which
    # finds drop_based for "drop".
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def check(name: str, answer: Any, *, seed: int = 0) -> Verdict:
    """Return the verdict on an answer: right, or a hint about the mistake.

    The typical wrong answers are run beside it; if one of them gives the same values, its hint is returned.
    The verdict is true if the answer is right, so that it can be asserted. A wrong answer raises nothing,
    whatever it is.

    Parameters
    ----------
    name : str
        Name of the exercise, such as ``"drop"``.
    answer : number, function or str
        What the exercise asks for; None is "not answered".
    seed : int, >= 0
        Variant: 0 has the book's numbers, another one its own.

    Examples
    --------
    >>> check("edge", 0.25)
    Not yet: at that rate the steep direction lands on the bottom in one update; beyond it the distance \
changes its sign every time, and still shrinks.
    >>> check("edge", "0.5")
    Not yet: a number is wanted, got the text '0.5': leave out the quotes.
    >>> assert check("edge", 0.5)
    """
    return get(name).check(answer, seed=seed)
