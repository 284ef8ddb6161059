"""`import lrlib` is for everybody: it loads the standard library alone, and knows its public names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import lrlib

ROOT = Path(__file__).parents[2]


def test_importing_lrlib_loads_the_standard_library_only():
    program = (
        "import sys; old = set(sys.modules); import lrlib, json; print(json.dumps([*set(sys.modules) - old]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "lrlib" in loaded
    assert not loaded - {*sys.stdlib_module_names, "lrlib"}


def test_the_public_names_are_few_and_there():
    assert len(lrlib.__all__) == 28
    assert all(getattr(lrlib, name) for name in lrlib.__all__)
    assert set(lrlib.__all__) < set(dir(lrlib))
    with pytest.raises(AttributeError, match="module 'lrlib' has no attribute 'tables'"):
        _ = lrlib.tables


def test_the_hero_line():
    run = lrlib.train(lrlib.preset("digits", recipe="linear", epochs=1, train_images=50), progress=False)
    assert (run.status, run.label) == ("finished", "linear")
