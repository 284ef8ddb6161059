"""The chapters of the book as notebooks that have been run."""

from __future__ import annotations

from pathlib import Path

import nbformat
import yaml
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[3]
LIBRARIES = (ROOT / "lrlib", ROOT / "book/lrbook")
RAN = ROOT / "_build" / "jupyter_execute"
#: Folders whose notebooks are chapters; book/teach/ holds those of the classroom itself.
PARTS = ("book/survey/", "book/beyond/")


def chapters() -> list[str]:
    """Return the notebooks of the table of contents in its order, as paths from the project's folder."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [f"{chapter['file']}.ipynb" for part in toc["parts"] for chapter in part["chapters"]]
    return [name for name in names if name.startswith(PARTS) and (ROOT / name).is_file()]


def source(name: str) -> NotebookNode:
    """Read a chapter as it is committed: without outputs."""
    if name.endswith(".md"):
        return read_myst_markdown_notebook((ROOT / name).read_text(encoding="utf-8"))
    return nbformat.read(ROOT / name, as_version=4)


def executed(name: str, *, ran: Path | None = None) -> NotebookNode:
    """Return a chapter with its outputs: from the last build or test if nothing changed since, else run it.

    `ran` is the only folder that is looked into, if it is given. What could change are its text, the library
    and the records in it.
    """
    chapter = source(name)
    files = [
        path
        for library in LIBRARIES
        for path in library.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    changed = max(path.stat().st_mtime for path in files)
    # A build with kept outputs writes the chapter without them: those are where the tests ran it.
    for built in (folder / name for folder in ((ran,) if ran else (RAN, ROOT / ".executed"))):
        if built.is_file() and built.stat().st_mtime > changed:
            done = nbformat.read(built, as_version=4)
            same = [cell.source for cell in done.cells] == [cell.source for cell in chapter.cells]
            if same and any(cell.get("outputs") for cell in done.cells):
                return done
    print(f"Running {name}")
    beside = {"metadata": {"path": str((ROOT / name).parent)}}
    return NotebookClient(chapter, timeout=600, resources=beside).execute()
