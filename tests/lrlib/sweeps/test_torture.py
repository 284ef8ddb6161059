"""The shortened form of `make torture`: nothing is lost, and every record is that of an undisturbed study."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import torture
from torture import PYTHONS_WORDS, Row

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills need fork, which Windows has not")

# In a process of its own: it forks, and takes over what is left of its workers.
SHORT = """
import json, sys
from pathlib import Path
from torture.__main__ import SHORT, torture
rows = torture(Path(sys.argv[1]), int(sys.argv[2]), SHORT)
print(json.dumps([vars(row) for row in rows]))
"""


def tortured(code: str, folder: Path) -> tuple[list[dict], str]:
    """Return the rows of a process that tortures, and what it complained of."""
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), "2026"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    return (json.loads(done.stdout.splitlines()[-1]) if not done.returncode else []), done.stderr


@needs_fork
def test_bad_days_change_nothing(tmp_path):
    rows, err = tortured(SHORT, tmp_path)
    assert rows, err
    assert [row["wrong"] for row in rows] == [[]] * len(rows)
    times = {row["kind"].split()[0]: row["times"] for row in rows}
    assert times["kills"] >= 3
    assert times["disk"] >= 2
    assert times["damaged"] >= 40
    assert len(rows) >= 25 + 7  # kinds of bad inputs, and the rest
    assert sum(row["times"] for row in rows[7:]) >= 200


# Batches that depend on the process: a run that is cut has others than one that is not.
FAULT = """
import os
from lrlib.training import run
draw = run.permutation
run.permutation = lambda n, **how: draw(n, **{**how, "epoch": how["epoch"] + os.getpid()})
"""


@needs_fork
def test_it_finds_what_is_wrong(tmp_path):
    """The harness itself: with a fault in the product, a row says so."""
    none = "dict.fromkeys(SHORT, 0) | {'most': None, 'seeds': 1}"
    rows, err = tortured(FAULT + SHORT.replace("SHORT)", f"{none} | {{'kills': 2}})"), tmp_path)
    assert rows, err
    assert any("another record than undisturbed" in sentence for sentence in rows[0]["wrong"])


def test_pythons_own_words_are_found():
    for words in (
        "Traceback (most recent call last):",
        "lrlib: ValueError: math domain error (LRLIB_TRACEBACK=1 shows where)",
        "'NoneType' object has no attribute 'items'",
        "RuntimeWarning: overflow encountered",
    ):
        assert PYTHONS_WORDS.search(words)
    assert not PYTHONS_WORDS.search("lrlib: epochs must be >= 1, got 0; an error of 0.1 is no reason")


def test_the_package_is_found():
    assert Path(torture.__file__).parent.name == "torture"
    assert Row("x").wrong == []
