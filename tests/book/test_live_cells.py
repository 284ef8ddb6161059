"""Live cells with a GPU: every chapter gets through, and its runs share one budget, fixed before they train.

No GPU is needed: the chapters believe in one (book/tools/pretend.py), whose runs are recorded ones. That they
are trained there is what `make test-gpu` holds (book/tools/gpu_notebooks.py); that script is tested here too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import lrbook.colab
import lrlib.sweeps.timing
import lrlib.training
from run_page import run_page
from tools import gpu_notebooks, notebooks, pretend

ROOT = Path(__file__).parents[2]

CHAPTERS = [
    Path(name).stem for name in notebooks.listed() if name.startswith(("book/survey/", "book/beyond/"))
]
# This one trains on the digits wherever it runs, as it needs the networks and not only their record.
CHAPTERS.remove("snapshots")
# Runs of each live cell that trains more than one.
SEVERAL = {
    "introduction": 3,
    "constant": 2,
    "time_based": 2,
    "drop_based": 2,
    "linear": 2,
    "polynomial": 3,
    "triangle": 2,
    "cosine": 2,
    "factors": 3,
    "table_source": 2,
    "one_bound": 2,
    "warmup_needed": 2,
    "todays_schedules": 2,
    "fair_race": 2,
}


@pytest.fixture
def believing(monkeypatch):
    """Call it with seconds of 20 updates: this process believes in such a GPU; the list has what it did."""

    def begin(seconds: float) -> list[tuple]:
        for module, name in (
            (lrbook.colab, "_trained"),
            (lrbook.colab, "_preset_here"),
            (lrlib.sweeps.timing, "pace"),
            (lrlib.training, "measure_sharpness"),
        ):
            monkeypatch.setattr(module, name, getattr(module, name))  # put back at the end
        pretend.believe(seconds=seconds)
        done = []
        train, pace = lrbook.colab._trained, lrlib.sweeps.timing.pace
        lrbook.colab._trained = lambda config, folder: done.append(("train", config)) or train(config, folder)
        lrlib.sweeps.timing.pace = lambda config, **how: done.append(("time", config)) or pace(config, **how)
        return done

    return begin


def check_order(name: str, done: list[tuple]) -> list:
    """One timing, then the runs, all as long as was said then; return their configs."""
    assert [what for what, _ in done] == ["time"] + ["train"] * SEVERAL.get(name, 1)
    configs = [config for _, config in done[1:]]
    assert {config.dataset for config in configs} == {"cifar10"}
    assert len({config.epochs for config in configs}) == 1
    return configs


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_gets_through_with_a_gpu(name, believing, capsys):
    done = believing(pretend.FAST)
    page = run_page(name, cut=False)
    (config, *_) = check_order(name, done)
    epochs = 2 if name == "factors" else 30
    assert config.epochs == epochs
    said = " ".join(capsys.readouterr().out.split())
    assert f"all {epochs} epochs" in said
    assert "fit into 2 minutes" in said
    # A run is laid over those on CIFAR-10.
    if "ours" in page.names and name != "factors":
        assert {run.config.dataset for run in page.names["ours"]} == {"cifar10"}
        placed = [text for text in page.said if re.search(r"\bYour run ended\b", text)]
        assert any("the range of our five" in text for text in placed), placed


@pytest.mark.parametrize("name", [*SEVERAL])
def test_on_a_slow_card_the_runs_of_a_cell_are_shorter_and_equally_long(name, believing, capsys):
    # 39.1 s an epoch, and 120 s for all
    done = believing(pretend.SLOW)
    page = run_page(name, cut=False)
    configs = check_order(name, done)
    assert {config.epochs for config in configs} == {{1: 3, 2: 1, 3: 1}[len(configs)]}
    assert "the schedule is planned for" in " ".join(capsys.readouterr().out.split())
    assert all(config.total_steps == 391 * config.epochs for config in configs)
    if "ours" in page.names:
        assert any("No recorded run is like yours (differing: epochs)" in text for text in page.said)


def test_live_cells_go_through_live():
    for name in notebooks.listed():
        cells = nbformat.read(ROOT / name, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        assert "live_preset" not in code, name
        asked = re.findall(r"runs=(\d)", "".join(re.findall(r"\blive\(([^)]*)\)", code)))
        many = SEVERAL.get(Path(name).stem)
        assert asked == ([] if many is None else [str(many)]), name


def test_what_the_first_live_cell_says_of_a_gpu():
    cells = nbformat.read(ROOT / notebooks.listed()[0], as_version=4).cells
    text = " ".join("\n".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
    assert "two minutes for all three `runs` together" in text
    assert '`preset="resnet50"`' in text


# The script for a machine with a GPU


def script(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "book/tools/gpu_notebooks.py", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def written(path: Path, *cells: str) -> Path:
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# One"]}, *code]}))
    return path


TRAIN = """from lrbook.colab import train_or_resume
run = train_or_resume("linear", epochs=1)"""


def test_it_runs_all_notebooks_of_the_book():
    assert sorted(gpu_notebooks.listed()) == sorted(notebooks.listed())


def test_its_budget_is_that_of_a_live_cell():
    assert lrbook.colab.MINUTES == gpu_notebooks.MINUTES


def test_it_says_which_notebook_failed_where_and_why(tmp_path):
    good = written(tmp_path / "good.ipynb", "import os\nassert os.listdir() == []", TRAIN)
    bad = written(tmp_path / "bad.ipynb", "x = 1", "1 / 0", "raise SystemExit('not reached')")
    out = tmp_path / "report.json"
    done = script(good, bad, "--pretend", "--out", out)
    assert done.returncode == 1
    assert re.search(r"^ok +[\d.]+ s  good: 1 x resnet10 on cifar10, 1 epoch ", done.stdout, re.M)
    assert re.search(
        r"^FAILED +[\d.]+ s  bad: cell 2: ZeroDivisionError: division by zero$", done.stdout, re.M
    )
    assert "1 of 2 got through" in done.stdout
    assert done.stderr == "Failed: bad\n"
    report = json.loads(out.read_text())
    found = {Path(each["notebook"]).stem: each for each in report["notebooks"]}
    assert "ZeroDivisionError" in found["bad"]["traceback"]
    assert [run["label"] for run in found["good"]["trained"]] == ["linear"]
    assert found["good"]["budgets"][0].endswith("its one epoch fits into 2 minutes.")


def test_it_ends_what_is_not_through_in_time(tmp_path):
    slow = written(tmp_path / "slow.ipynb", "import time\ntime.sleep(600)")
    last = written(tmp_path / "last.ipynb", "x = 1")
    done = script(slow, last, "--jobs", 1, "--seconds", 4)
    assert done.returncode == 1
    assert "slow: not through when the time was over" in done.stdout
    assert "last: not begun when the time was over" in done.stdout


def report(**changes) -> dict:
    names = gpu_notebooks.listed()
    each = [{"notebook": name, "status": "ok", "seconds": 9.0 + n} for n, name in enumerate(names)]
    found = {"gpu": "Tesla T4", "measured": "2026-12-01", "torch": "2.11.0", "together": 2}
    return {**found, "minutes": 2.0, "pretend": False, "notebooks": each, **changes}


@pytest.fixture
def tree(tmp_path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "book/cards.json").write_text((ROOT / "book/cards.json").read_text())
    return tmp_path


def test_what_a_gpu_took_is_noted_under_its_name(tree):
    assert gpu_notebooks.note(report(), root=tree).startswith(
        f"Noted in book/cards.json: {len(gpu_notebooks.listed())} notebooks on Tesla T4"
    )
    gpu_notebooks.note(report(gpu="NVIDIA H100", together=1), root=tree)
    known = json.loads((tree / "book/cards.json").read_text())
    assert set(known["gpu"]) >= {"Tesla T4", "NVIDIA H100"}
    assert known["notebooks"] == notebooks.cards()["notebooks"]
    first = gpu_notebooks.listed()[0]
    assert notebooks.timed_on_gpus(first, known)["Tesla T4"] == {"seconds": 9.0, "together": 2}


@pytest.mark.parametrize(
    "changes", [{"gpu": None}, {"pretend": True}, {"minutes": 0.5}, {"notebooks": report()["notebooks"][1:]}]
)
def test_what_is_no_time_of_the_book_on_a_gpu_is_not_noted(tree, changes):
    before = (tree / "book/cards.json").read_text()
    assert gpu_notebooks.note(report(**changes), root=tree).startswith("Nothing is noted: ")
    assert (tree / "book/cards.json").read_text() == before
