"""Exercises that check themselves, with a hint about the mistake that was made.

In a notebook:

>>> check("time_end", 0.0910)
Not yet: that counts epochs; t counts updates here, 391 of them in each epoch.
>>> check("time_end", 0.00249)
Right: the rate ends at 0.00249, 40 times below its start.

Each exercise holds its prompt, its starter code, a solution, and typical wrong answers with the hint that
each must get. The cells of the chapters, a class's sets and the tests are all made of these.
"""

from __future__ import annotations

import difflib
from hashlib import sha256
from typing import Any, Literal

from lrbook.exercises import (
    analysis,
    claims,
    constant,
    contest,
    cosine,
    drop_based,
    factors,
    grid_search,
    introduction,
    linear,
    micro_batches,
    polynomial,
    table_source,
    time_based,
    triangle,
)
from lrbook.exercises.task import WIDTH, Exercise, Verdict

__all__ = ["CHAPTERS", "Exercise", "Verdict", "cells", "check", "exercises", "get"]

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
    triangle,
    cosine,
    contest,
    factors,
    table_source,
    claims,
)
_ALL = {
    thing.name: thing for module in _MODULES for thing in vars(module).values() if isinstance(thing, Exercise)
}
#: The chapters that have exercises, in the book's order; each is the name of its notebook.
CHAPTERS = tuple(dict.fromkeys(module.CHAPTER for module in _MODULES))

_KINDS = {"predict": "Predict, then reveal", "code": "Code", "diagnosis": "Diagnosis"}
_SOLUTIONS = ("folded", "none", "filled")


def exercises(chapter: str | None = None) -> list[Exercise]:
    """List the exercises of one chapter, or of all, in the book's order.

    Raises ValueError if there is no such chapter; the sentence names the nearest.

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


def get(name: str) -> Exercise:
    """Return the exercise of that name.

    Raises ValueError if there is none; the sentence names the nearest.

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


def _near(name: object, known) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def check(name: str, answer: Any, *, seed: int = 0) -> Verdict:
    """Judge an answer: right, or a hint about this mistake.

    The typical wrong answers are run beside it; where one of them gives the same values, its hint is the
    hint. The verdict is true where the answer is right, so that it can stand in an assert.

    Parameters
    ----------
    name : str
        Name of the exercise, such as ``"drop"``.
    answer : number, function or str
        What the exercise asks for; None is "not answered".
    seed : int, >= 0
        Variant: 0 has the book's numbers, another one its own.

    Raises
    ------
    TypeError, ValueError
        If there is no such exercise or variant. A wrong answer never raises, whatever it is.

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


def cells(
    chapter: str, *, seed: int = 0, solutions: Literal["folded", "none", "filled"] = "folded"
) -> list[dict[str, Any]]:
    """Make the notebook cells of a chapter's exercises, as plain dicts of the notebook format.

    Parameters
    ----------
    chapter : str
        One of `CHAPTERS`.
    seed : int, >= 0
        Variant of the numbers.
    solutions : "folded", "none" or "filled"
        Below each exercise in ``<details>``, as the book has them; left out; or in the place of the
        starter code, so that the notebook passes every check.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of its range.

    Examples
    --------
    >>> print(cells("introduction", seed=7, solutions="none")[3]["source"])
    my_edge = None  # a number
    check("edge", my_edge, seed=7)
    >>> [cell["cell_type"] for cell in cells("introduction")[:5]]
    ['markdown', 'code', 'markdown', 'code', 'markdown']
    """
    if solutions not in _SOLUTIONS:
        raise ValueError(f"solutions must be one of {', '.join(_SOLUTIONS)}, got {solutions!r}")
    chosen = exercises(chapter)
    made = [
        _cell("markdown", f"{chapter}/heading", _HEADING),
        _cell("code", f"{chapter}/import", "from lrbook.exercises import check"),
    ]
    for place, exercise in enumerate(chosen, 1):
        task = exercise.variant(seed)
        head = f"### Exercise {place}: {exercise.title}\n\n*{_KINDS[exercise.kind]}.*"
        code = task.solution if solutions == "filled" else task.starter
        gap = "\n\n\n" if code.splitlines()[-1].startswith(" ") else "\n"
        call = _call(exercise.name, task.answer, seed)
        made += [
            _cell("markdown", f"{exercise.name}/prompt", "\n\n".join([head, task.prompt, task.asked])),
            _cell("code", f"{exercise.name}/code", code + gap + call),
        ]
        if solutions == "folded":
            made.append(_cell("markdown", f"{exercise.name}/solution", _folded(task)))
    return made


_HEADING = """## Exercises

They check themselves: put your answer in, run the cell, and read what it says. A wrong answer gets a hint
about the mistake; change it and run again. Open a solution only after you have tried."""


def _folded(task) -> str:
    reveal = task.reveal[0].upper() + task.reveal[1:]
    return (
        f"<details>\n<summary>Solution</summary>\n\n{reveal}\n\n```python\n{task.solution}\n```\n\n</details>"
    )


def _call(name: str, answer: str, seed: int) -> str:
    """Write the call of the checker as ruff would format it."""
    arguments = [f'"{name}"', answer, *([f"seed={seed}"] if seed else [])]
    for text in (f"check({', '.join(arguments)})", f"check(\n    {', '.join(arguments)}\n)"):
        if max(map(len, text.splitlines())) <= WIDTH:
            return text
    return "check(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    """Make one cell; its id depends on its name alone, so that it is the same for ever."""
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": sha256(name.encode()).hexdigest()[:8],
        "metadata": {"tags": ["exercise"]},
        "source": source,
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
