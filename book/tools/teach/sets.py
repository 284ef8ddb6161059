"""The chapters as notebooks for students, without solutions, and for teachers, with them, from one source."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lrbook.exercises import CHAPTERS
from tools.exercises import with_exercises
from tools.teach.chapters import source

# A link that is no address and no place within the page.
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s]+)\)")
CLASS_STUDY = "book/teach/class_study.ipynb"


def notebook(name: str, *, seed: int, solutions: bool) -> NotebookNode:
    """Return a chapter whose exercises have the numbers of a seed, and solutions as code if wanted."""
    chapter, stem = source(name), Path(name).stem
    if stem not in CHAPTERS:
        return chapter
    return with_exercises(chapter, stem, seed=seed, solutions="filled" if solutions else "none")


def notebooks(names: Collection[str], *, seed: int, solutions: bool) -> dict[str, NotebookNode]:
    """Return a set: path within the set -> notebook, with links to pages outside of it made plain."""
    made = {}
    for name in names:
        whole = notebook(name, seed=seed, solutions=solutions)
        for cell in whole.cells:
            if cell.cell_type == "markdown":
                cell.source = LINK.sub(lambda link, name=name: _link(link, name, names), cell.source)
        made[name.removeprefix("book/")] = whole
    return made


def write(made: dict[str, NotebookNode], folder: Path) -> list[Path]:
    """Write a set into a folder, and return the paths."""
    paths = []
    for name, whole in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(whole) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _link(link: re.Match, name: str, names: Collection[str]) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link[2].partition("#")[0]))
    return link[0] if target in names else link[1]
