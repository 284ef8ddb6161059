"""The exercises in the chapters are those of `lrbook.exercises`: `make exercises` writes them there."""

from __future__ import annotations

import runpy
from pathlib import Path

import nbformat
import pytest
import yaml

from lrbook import exercises

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "book/tools/exercises.py"))
NOTEBOOKS = [
    chapter["file"]
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    for chapter in part["chapters"]
    if (ROOT / f"{chapter['file']}.ipynb").is_file()
]


def plain(cells) -> list[dict]:
    return [dict(cell) | {"metadata": dict(cell["metadata"])} for cell in cells]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_chapters_exercise_cells_are_those_of_the_source(name):
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    chapter = Path(name).name
    wanted = exercises.cells(chapter) if chapter in exercises.CHAPTERS else []
    assert plain(filter(SCRIPT["is_exercise"], notebook.cells)) == wanted, "run 'make exercises'"
    if wanted:
        (place,) = [i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Remember")]
        assert plain(notebook.cells[place - len(wanted) : place]) == wanted, "run 'make exercises'"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def chapter(*sources) -> nbformat.NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell(source, id=f"{number:08x}") for number, source in enumerate(sources)
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_they_are_inserted_once_and_before_what_to_remember():
    bare = chapter("# Linear decay", "text", "## Remember\n\n- this")
    once = SCRIPT["with_exercises"](bare, "linear")
    twice = SCRIPT["with_exercises"](once, "linear")
    assert once == twice
    assert [cell.source for cell in once.cells][:2] == ["# Linear decay", "text"]
    assert once.cells[-1] == bare.cells[-1]
    assert plain(once.cells[2:-1]) == exercises.cells("linear")
    assert len(bare.cells) == 3


def test_old_exercises_are_replaced():
    old = SCRIPT["with_exercises"](chapter("# Linear decay", "## Remember"), "linear")
    old.cells[3].source += "\nedited = True"
    del old.cells[5]
    gone = nbformat.v4.new_markdown_cell("an exercise that is no more", metadata={"tags": ["exercise"]})
    old.cells.insert(1, gone)
    assert plain(SCRIPT["with_exercises"](old, "linear").cells[1:-1]) == exercises.cells("linear")


@pytest.mark.parametrize("sources", [("# A",), ("# A", "## Remember", "## Remember")])
def test_a_chapter_without_one_place_for_them_is_refused(sources):
    with pytest.raises(ValueError, match="linear: one cell has to begin with '## Remember'"):
        SCRIPT["with_exercises"](chapter(*sources), "linear")


def test_only_what_changed_is_written(tmp_path, capsys):
    path = tmp_path / "linear.ipynb"
    nbformat.write(chapter("# Linear decay", "## Remember"), path)
    assert SCRIPT["insert"](tmp_path) == ["linear.ipynb"]
    written = path.stat().st_mtime_ns, path.read_bytes()
    assert SCRIPT["insert"](tmp_path) == []
    assert (path.stat().st_mtime_ns, path.read_bytes()) == written
    assert [file.name for file in tmp_path.iterdir()] == ["linear.ipynb"]
    assert "cosine.ipynb is not there yet; its exercises wait." in capsys.readouterr().out
