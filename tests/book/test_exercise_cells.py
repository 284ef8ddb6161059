"""The exercises in the chapters are those of `lrbook.exercises`: `make exercises` writes them there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from lrbook import exercises
from lrbook.exercises import CHAPTERS, check
from lrbook.exercises.task import WIDTH
from tools.exercises import cells, insert, is_exercise, with_exercises

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [
    chapter["file"]
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    for chapter in part["chapters"]
    if (ROOT / f"{chapter['file']}.ipynb").is_file()
]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_chapters_exercise_cells_are_those_of_the_source(name):
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    chapter = Path(name).name
    wanted = cells(chapter) if chapter in CHAPTERS else []
    assert list(filter(is_exercise, notebook.cells)) == wanted, "run 'make exercises'"
    if wanted:
        (place,) = [i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Remember")]
        assert notebook.cells[place - len(wanted) : place] == wanted, "run 'make exercises'"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def code_cells(chapter, **options):
    return [cell for cell in cells(chapter, **options) if cell.cell_type == "code"]


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_filled_set_passes_every_check_and_an_empty_one_passes_none(chapter, seed, monkeypatch):
    for solutions, right in (("filled", True), ("none", False), ("folded", False)):
        verdicts = []
        monkeypatch.setattr(exercises, "check", lambda *args, **kw: verdicts.append(check(*args, **kw)))  # noqa: B023
        space = {}
        for cell in code_cells(chapter, seed=seed, solutions=solutions):
            exec(cell.source, space)
        assert len(verdicts) == len(exercises.exercises(chapter))
        assert [bool(verdict) for verdict in verdicts] == [right] * len(verdicts)


@pytest.mark.parametrize("solutions", ["folded", "none", "filled"])
def test_cells_have_ids_that_stay(solutions):
    made = [cell for chapter in CHAPTERS for cell in cells(chapter, solutions=solutions)]
    ids = [cell.id for cell in made]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{8}", one) for one in ids)
    assert ids == [cell.id for chapter in CHAPTERS for cell in cells(chapter, seed=4, solutions=solutions)]
    for cell in made:
        asks = cell.cell_type == "code" and "check(" in cell.source
        draws = cell.cell_type == "code" and "plot_" in cell.source
        tags = ["exercise", *["remove-output"] * asks, *["figure"] * draws]
        assert cell.metadata["tags"] == tags
        assert cell.metadata.keys() == {"tags", *["mystnb"] * draws}
    assert json.loads(json.dumps(made)) == made


def test_solutions_are_shown_where_they_should_be():
    for chapter in CHAPTERS:
        folded, none, filled = (cells(chapter, solutions=s) for s in ("folded", "none", "filled"))
        n = len(exercises.exercises(chapter)) + len(exercises.open_exercises(chapter))
        assert sum("<details>" in cell.source for cell in folded) == n
        assert not any("<details>" in cell.source for cell in [*none, *filled])
        for exercise in exercises.exercises(chapter):
            solution = exercise.variant().solution
            assert any(solution in cell.source for cell in filled)
            assert not any(solution in cell.source for cell in none)
        for question in exercises.open_exercises(chapter):
            assert any(question.model in cell.source for cell in filled)
            assert not any(question.model in cell.source for cell in none)


@pytest.mark.parametrize("seed", [0, 1, 2, 12_345])
def test_code_has_the_books_width_and_style(seed, tmp_path):
    for chapter in CHAPTERS:
        for solutions in ("none", "filled"):
            code = code_cells(chapter, seed=seed, solutions=solutions)
            assert max(len(line) for cell in code for line in cell.source.splitlines()) <= WIDTH, chapter
            python = {"language_info": {"name": "python"}}
            notebook = nbformat.v4.new_notebook(cells=code, metadata=python)
            nbformat.write(notebook, tmp_path / f"{chapter}_{solutions}.ipynb")
    here = ROOT / "book/survey"  # its ruff.toml finds lrlib from there
    # each solution stands alone in the book, with its own imports, so F811 does not count; S311 asks
    # for random numbers that are fit for passwords
    for command in (["format", "--check"], ["check", "--ignore", "F811,S311"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", "ruff.toml", tmp_path],
            cwd=here,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_way_of_solutions_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="solutions must be one of folded, none, filled, got 'all'"):
        cells("linear", solutions="all")


def chapter(*sources) -> nbformat.NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell(source, id=f"{number:08x}") for number, source in enumerate(sources)
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_they_are_inserted_once_and_before_what_to_remember():
    bare = chapter("# Linear decay", "text", "## Remember\n\n- this")
    once = with_exercises(bare, "linear")
    twice = with_exercises(once, "linear")
    assert once == twice
    assert [cell.source for cell in once.cells][:2] == ["# Linear decay", "text"]
    assert once.cells[-1] == bare.cells[-1]
    assert once.cells[2:-1] == cells("linear")
    assert len(bare.cells) == 3


def test_old_exercises_are_replaced():
    old = with_exercises(chapter("# Linear decay", "## Remember"), "linear")
    old.cells[3].source += "\nedited = True"
    del old.cells[5]
    gone = nbformat.v4.new_markdown_cell("an exercise that is no more", metadata={"tags": ["exercise"]})
    old.cells.insert(1, gone)
    assert with_exercises(old, "linear").cells[1:-1] == cells("linear")


@pytest.mark.parametrize("sources", [("# A",), ("# A", "## Remember", "## Remember")])
def test_a_chapter_without_one_place_for_them_is_refused(sources):
    with pytest.raises(ValueError, match="linear: one cell has to begin with '## Remember'"):
        with_exercises(chapter(*sources), "linear")


def test_only_what_changed_is_written(tmp_path, capsys):
    path = tmp_path / "linear.ipynb"
    nbformat.write(chapter("# Linear decay", "## Remember"), path)
    assert insert(tmp_path) == ["linear.ipynb"]
    written = path.stat().st_mtime_ns, path.read_bytes()
    assert insert(tmp_path) == []
    assert (path.stat().st_mtime_ns, path.read_bytes()) == written
    assert [file.name for file in tmp_path.iterdir()] == ["linear.ipynb"]
    assert "cosine.ipynb is not there yet; its exercises wait." in capsys.readouterr().out
