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


@needs_fork
def test_bad_days_change_nothing(tmp_path):
    path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path), "2026"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert [row["wrong"] for row in rows] == [[]] * len(rows)
    times = {row["kind"].split()[0]: row["times"] for row in rows}
    assert times["kills"] >= 5
    assert times["disk"] >= 3
    assert times["damaged"] >= 40


@needs_fork
@pytest.mark.parametrize("fault", ["written in place", "a record that is replaced", "a lost checkpoint"])
def test_it_finds_what_is_wrong(tmp_path, fault):
    """The harness itself: with a fault of this kind in the product, a row says so."""
    code = FAULTS + SHORT.replace("rows = torture(", f"break_({fault!r})\nrows = torture(").replace(
        "SHORT)",
        '{**SHORT, "kills": 12, "flips": 1, "clocks": 0, "company": 0, "small_disks": 0, "refusals": 6})',
    )
    path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), "1"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    found = done.returncode != 0 or any(row["wrong"] for row in json.loads(done.stdout.splitlines()[-1]))
    assert found, done.stdout


FAULTS = """
import os
from lrlib import _files
from lrlib.sweeps import study
from lrlib.training import checkpoint, run

def in_place(path, write, *, replace=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())

def break_(fault):
    if fault == "written in place":
        checkpoint.write_atomically = in_place
    elif fault == "a record that is replaced":
        draw = run.draw_augmentation
        run.draw_augmentation = lambda *a, **k: draw(*a, **{**k,
        "epoch": 0 if os.getpid() % 3 else k["epoch"]})
    else:
        keep = checkpoint.write_atomically
        def lost(path, write, **how):
            path.unlink(missing_ok=True)
            keep(path, write, **how)
        checkpoint.write_atomically = lost
"""


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
