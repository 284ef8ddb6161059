"""The line of numbers at the top of a chapter: what was measured, on which machine, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import notebooks

ROOT = Path(__file__).parents[2]

ENTRY = {"cpu_seconds": 31.0, "memory_mb": 812, "gpu_runs": 2}


def test_a_card_has_what_was_measured_and_keeps_what_the_author_wrote():
    line = "12 minutes to read · 15 seconds to run on a CPU · nothing to download · survey 1.1.2, figure 1.2"
    written = (
        "12 minutes to read · 35 seconds to run on a CPU · 0.9 GB of memory · "
        "nothing to download (with a GPU: 140 MB) · survey 1.1.2, figure 1.2"
    )
    assert notebooks.card(line, ENTRY) == written
    assert notebooks.card(written, ENTRY) == written
    without = notebooks.card(written, {**ENTRY, "gpu_runs": 0})
    assert without == written.replace(" (with a GPU: 140 MB)", "")
    # A time on a GPU is there once it was measured, for each card, and goes when it does.
    timed = {
        "Tesla T4": {"seconds": 61.2, "together": 1},
        "NVIDIA H100": {"seconds": 11.0, "together": 8},
    }
    both = notebooks.card(written, ENTRY, timed)
    assert both == (
        f"{written} · 2 minutes on a GPU (Tesla T4)"
        " · 15 seconds on a GPU (NVIDIA H100, 8 notebooks at a time)"
    )
    assert notebooks.card(both, ENTRY, timed) == both
    assert notebooks.card(both, ENTRY) == written


def test_a_card_gives_no_time_on_a_gpu_that_nobody_measured():
    known = notebooks.cards()
    for name in notebooks.listed():
        head = nbformat.read(ROOT / name, as_version=4).cells[0].source
        line = notebooks.CARD_LINE.search(head)[0]
        assert line.count(" on a GPU (") == len(notebooks.timed_on_gpus(name, known)), name
        assert "estimate" not in line


def test_a_measured_time_gets_onto_the_card_of_its_notebook(tmp_path):
    for file in ("_config.yml", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    name, other = notebooks.listed(tmp_path)[:2]
    path = tmp_path / "book/cards.json"
    known = json.loads(path.read_text())
    known["gpu"] = {"Tesla T4": {"measured": "2026-12-01", "together": 1, "seconds": {name: 58.0}}}
    path.write_text(json.dumps(known))
    notebooks.dress(tmp_path)
    assert " · 1 minute on a GPU (Tesla T4)" in nbformat.read(tmp_path / name, as_version=4).cells[0].source
    assert "Tesla" not in nbformat.read(tmp_path / other, as_version=4).cells[0].source


def test_measuring_runs_the_notebook_and_counts_what_a_gpu_would_do(tmp_path):
    code = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A chapter"),
            code("assert 1", id=notebooks.FIRST_ID),
            code("from lrlib import plots, preset, Constant", metadata={"tags": ["figure"]}),
            code(
                "from lrbook.colab import live, train_or_resume\n"
                "config = live('linear', epochs=3, runs=2)\n"
                "for seed in (0, 1):\n"
                "    run = train_or_resume(config.changed(seed=seed, train_images=640))\n"
                "    assert len(run.epochs) == 3"
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, tmp_path / "page.ipynb")
    # In a process of its own: what talks to a kernel leaves sockets to the garbage collector.
    program = (
        "import sys, json, nbformat; from tools import cards\n"
        "print(json.dumps(cards.measure(nbformat.read(sys.argv[1], as_version=4))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "page.ipynb"],
        cwd=ROOT / "book",
        env=os.environ | {"LRLIB_PROGRESS": "off"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    entry = json.loads(done.stdout)
    assert entry["gpu_runs"] == 2
    assert 0 < entry["first_figure_seconds"] < entry["first_curve_seconds"] <= entry["cpu_seconds"]
    assert entry["memory_mb"] > 100  # torch alone


@pytest.mark.parametrize("name", notebooks.listed())
def test_badge_first_cell_and_card_of_this_tree_are_as_they_have_to_be(name):
    known = notebooks.cards()["notebooks"]
    assert name in known, f"{name} has not been measured: run `make cards`"
    text = (ROOT / name).read_text(encoding="utf-8")
    wanted = nbformat.writes(notebooks.dressed(nbformat.reads(text, as_version=4), name)) + "\n"
    assert text == wanted, f"{name}: run `make first-cells`"
