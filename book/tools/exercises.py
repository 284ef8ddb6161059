"""Write the exercises of `lrbook.exercises` into the chapters' notebooks: `make exercises`."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from lrbook import exercises
from lrbook.exercises.open_questions import OpenExercise
from lrbook.exercises.task import WIDTH, Exercise, Task
from lrlib._checks import no_such
from lrlib._files import write_atomically

ROOT = Path(__file__).parents[2]
PARTS = (ROOT / "book" / "survey", ROOT / "book" / "beyond")
TAG = "exercise"
KINDS = {
    "predict": "Predict, then reveal",
    "code": "Code",
    "diagnosis": "Diagnosis",
    "explain": "Explain in two sentences",
    "project": "Project",
}
Solutions = Literal["folded", "none", "filled"]
HEADING = """## Exercises

They check themselves: put your answer in, run the cell, and read what it says. A wrong answer gets a hint
about the mistake; change it and run again. Open a solution only after you have tried."""
NO_CHECKER = "No checker reads this one: write your answer down, then compare it with the model answer below."


def cells(chapter: str, *, seed: int = 0, solutions: Solutions = "folded") -> list[NotebookNode]:
    """Return the notebook cells of a chapter's exercises.

    Parameters
    ----------
    chapter : str
        One of `lrbook.exercises.CHAPTERS`.
    seed : int, >= 0
        Variant of the numbers.
    solutions : "folded", "none" or "filled"
        Below each exercise in ``<details>``, as in the book; left out; or in the place of the starter code,
        so that the notebook passes every check.

    Examples
    --------
    >>> print(cells("introduction", seed=7, solutions="none")[3].source)
    my_edge = None  # a number
    check("edge", my_edge, seed=7)
    >>> [cell.cell_type for cell in cells("introduction")[:5]]
    ['markdown', 'code', 'markdown', 'code', 'markdown']
    """
    if solutions not in get_args(Solutions):
        raise ValueError(no_such("solutions", solutions, get_args(Solutions)))
    made = [
        _cell(new_markdown_cell, f"{chapter}/heading", HEADING),
        _cell(new_code_cell, f"{chapter}/import", "from lrbook.exercises import check"),
    ]
    for place, exercise in enumerate(exercises.exercises(chapter), 1):
        task = exercise.variant(seed)
        head = _head(place, exercise)
        code = task.solution if solutions == "filled" else task.starter
        # Two blank lines after the body of a function, as ruff has them.
        gap = "\n\n\n" if code.splitlines()[-1].startswith(" ") else "\n"
        call = _call(exercise.name, task.answer, seed)
        parts = [head, task.prompt]
        if task.picture:
            made.append(_cell(new_markdown_cell, f"{exercise.name}/before", "\n\n".join(parts)))
            picture = _cell(new_code_cell, f"{exercise.name}/figure", task.picture.code, "figure")
            picture.metadata["mystnb"] = {"image": {"alt": task.picture.alt}}
            made.append(picture)
            parts = [task.picture.caption]
        made += [
            _cell(new_markdown_cell, f"{exercise.name}/prompt", "\n\n".join([*parts, task.asked])),
            # On the pages the starter's verdict would only be noise; in a notebook the tag changes nothing.
            _cell(new_code_cell, f"{exercise.name}/code", code + gap + call, "remove-output"),
        ]
        if solutions == "folded":
            made.append(_cell(new_markdown_cell, f"{exercise.name}/solution", _folded(task)))
    checked = len(exercises.exercises(chapter))
    for place, question in enumerate(exercises.open_exercises(chapter), checked + 1):
        parts = [_head(place, question), question.prompt]
        if solutions == "folded":
            parts.append(NO_CHECKER)
        made.append(_cell(new_markdown_cell, f"{question.name}/prompt", "\n\n".join(parts)))
        if solutions != "none":
            answer = _model(question, folded=solutions == "folded")
            made.append(_cell(new_markdown_cell, f"{question.name}/model", answer))
    return made


def is_exercise(cell: NotebookNode) -> bool:
    return TAG in cell.metadata.get("tags", [])


def with_exercises(
    notebook: NotebookNode, chapter: str, *, seed: int = 0, solutions: Solutions = "folded"
) -> NotebookNode:
    """Return a notebook with a chapter's exercises before "## Remember", in place of those that it had."""
    kept = [cell for cell in notebook.cells if not is_exercise(cell)]
    remember = [place for place, cell in enumerate(kept) if cell.source.startswith("## Remember")]
    if len(remember) != 1:
        raise ValueError(f"{chapter}: one cell has to begin with '## Remember', found {len(remember)}")
    kept[remember[0] : remember[0]] = cells(chapter, seed=seed, solutions=solutions)
    made = nbformat.from_dict({**notebook, "cells": kept})
    nbformat.validate(made)
    return made


def insert(*folders: Path) -> list[str]:
    """Bring the notebooks of some folders up to date; return the names of those that were changed."""
    changed = []
    for chapter in exercises.CHAPTERS:
        paths = [folder / f"{chapter}.ipynb" for folder in folders]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            print(f"{paths[0].name} is not there yet; its exercises wait.")
            continue
        old = path.read_text(encoding="utf-8")
        new = nbformat.writes(with_exercises(nbformat.reads(old, as_version=4), chapter)) + "\n"
        if new != old:
            write_atomically(path, lambda file, text=new: file.write(text.encode()))
            changed.append(path.name)
    return changed


def _cell(new, name: str, source: str, *tags: str) -> NotebookNode:
    # The id depends on the name alone, so that a changed text is a change of one cell to git.
    return new(source, id=sha256(name.encode()).hexdigest()[:8], metadata={"tags": [TAG, *tags]})


def _head(place: int, exercise: Exercise | OpenExercise) -> str:
    return f"### Exercise {place}: {exercise.title}\n\n*{KINDS[exercise.kind]} · {exercise.level}*"


def _model(question: OpenExercise, *, folded: bool) -> str:
    criteria = "\n".join(f"- {criterion}" for criterion in question.criteria)
    text = f"{question.model}\n\nOne point for each:\n\n{criteria}"
    title = "A model answer, and three criteria"
    if folded:
        return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"
    return f"**{title}.** {text}"


def _folded(task: Task) -> str:
    reveal = task.reveal[0].upper() + task.reveal[1:]
    code = f"```python\n{task.solution}\n```"
    return f"<details>\n<summary>Solution</summary>\n\n{reveal}\n\n{code}\n\n</details>"


def _call(name: str, answer: str, seed: int) -> str:
    """Return the call of the checker as ruff would format it."""
    arguments = [f'"{name}"', answer, *([f"seed={seed}"] if seed else [])]
    for text in (f"check({', '.join(arguments)})", f"check(\n    {', '.join(arguments)}\n)"):
        if max(map(len, text.splitlines())) <= WIDTH:
            return text
    return "check(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


if __name__ == "__main__":
    written = insert(*(map(Path, sys.argv[1:]) if sys.argv[1:] else PARTS))
    print(f"Wrote {', '.join(written)}" if written else "All exercises are up to date")
