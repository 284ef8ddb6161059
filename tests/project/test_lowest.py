"""The lowest versions: every bound of what the library imports becomes the version that is tried."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lowest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    ("bound", "version"), [("torch>=2.6", "torch==2.6"), ("a-b>=1.0.4,<2", "a-b==1.0.4")]
)
def test_a_bound_becomes_a_version(bound, version):
    assert lowest.lowest(bound) == version


def test_all_that_the_library_imports_is_tried():
    wanted = lowest.wanted(PROJECT, (ROOT / "constraints.txt").read_text())
    names = {one.split("==")[0] for one in wanted}
    assert {"numpy", "scipy", "pydantic", "typer", "filelock", "torch", "matplotlib", "pytest"} <= names
    assert "jupyter-book" not in names
    assert f"numpy=={PROJECT['dependencies'][0].split('>=')[1]}" in wanted
