"""Outputs of notebooks that the tests ran, in the cache of the build."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import yaml
from jupyter_cache import get_cache

from tools.outputs import main

CONFIG = Path(__file__).parents[2] / "_config.yml"


def notebook(*cells):
    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    made.cells = [nbformat.v4.new_markdown_cell("# One"), *cells]
    return made


def run(source, count=1):
    """A code cell as nbmake leaves it."""
    cell = nbformat.v4.new_code_cell(source, execution_count=count)
    cell.metadata = nbformat.from_dict({"tags": ["figure"], "execution": {"iopub.status.idle": "2026"}})
    cell.outputs = [nbformat.v4.new_output("stream", text="2\n")]
    return cell


def test_the_build_finds_the_outputs_of_the_cells_as_they_are_written(tmp_path):
    folder, made = tmp_path / "book" / "survey", [str(tmp_path / "cache"), str(tmp_path / "settings.yml")]
    folder.mkdir(parents=True)
    nbformat.write(notebook(run("print(1 + 1)")), folder / "one.ipynb")
    main(str(tmp_path / "book"), *made)
    settings, usual = (yaml.safe_load(Path(file).read_text()) for file in (made[1], CONFIG))
    cache = settings["execute"].pop("cache")
    assert cache == made[0]
    assert settings["execute"].pop("execute_notebooks") == "cache"
    assert usual["execute"].pop("execute_notebooks") == "force"
    assert settings == usual
    written = notebook(nbformat.v4.new_code_cell("print(1 + 1)", metadata={"tags": ["figure"]}))
    _, merged = get_cache(str(cache)).merge_match_into_notebook(written)
    assert merged.cells[1].outputs[0].text == "2\n"
    changed = notebook(nbformat.v4.new_code_cell("print(1 + 2)", metadata={"tags": ["figure"]}))
    with pytest.raises(KeyError):
        get_cache(str(cache)).match_cache_notebook(changed)


def test_a_notebook_that_was_not_run_is_refused(tmp_path):
    nbformat.write(notebook(nbformat.v4.new_code_cell("print(1)")), tmp_path / "one.ipynb")
    with pytest.raises(ValueError, match=r"one\.ipynb has a cell that was not run: 'print\(1\)'"):
        main(str(tmp_path), str(tmp_path / "cache"), str(tmp_path / "settings.yml"))
