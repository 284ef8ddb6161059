"""Write the exercises into the chapters' notebooks, before what to remember: `make exercises`."""

import sys
from pathlib import Path

import nbformat

from lrbook import exercises
from lrlib._files import write_atomically

ROOT = Path(__file__).parents[2]
TAG = "exercise"


def is_exercise(cell: nbformat.NotebookNode) -> bool:
    return TAG in cell.metadata.get("tags", [])


def with_exercises(notebook: nbformat.NotebookNode, chapter: str) -> nbformat.NotebookNode:
    """Return the notebook with the chapter's exercises as they are now; all its other cells stay."""
    kept = [cell for cell in notebook.cells if not is_exercise(cell)]
    remember = [place for place, cell in enumerate(kept) if cell.source.startswith("## Remember")]
    if len(remember) != 1:
        raise ValueError(f"{chapter}: one cell has to begin with '## Remember', found {len(remember)}")
    made = [nbformat.from_dict(cell) for cell in exercises.cells(chapter)]
    place = remember[0]
    whole = nbformat.from_dict({**notebook, "cells": [*kept[:place], *made, *kept[place:]]})
    nbformat.validate(whole)
    return whole


def insert(folder: Path) -> list[str]:
    """Bring the notebooks of a folder up to date; return the names of those that were changed."""
    changed = []
    for chapter in exercises.CHAPTERS:
        path = folder / f"{chapter}.ipynb"
        if not path.is_file():
            print(f"{path.name} is not there yet; its exercises wait.")
            continue
        old = path.read_text(encoding="utf-8")
        new = nbformat.writes(with_exercises(nbformat.reads(old, as_version=4), chapter)) + "\n"
        if new != old:
            write_atomically(path, lambda file, text=new: file.write(text.encode()))
            changed.append(path.name)
    return changed


if __name__ == "__main__":
    written = insert(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "book" / "survey")
    print(f"Wrote {', '.join(written)}" if written else "All exercises are up to date")
