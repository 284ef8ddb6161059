"""The environment of `make`: installed once, and again where the project was copied with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="this system has no make")


@pytest.fixture
def project(tmp_path):
    """A project that has been installed, in a folder with a space and an umlaut."""
    folder = tmp_path / "my böök"
    (folder / ".venv/bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    stamp = folder / ".venv/.installed"
    stamp.write_text(f"{(folder / '.venv').resolve()}\n")
    later = (folder / "pyproject.toml").stat().st_mtime + 10
    os.utime(stamp, (later, later))
    return folder


def what_make_would_do(folder: Path) -> str:
    """Return the commands that `make env` would call; none is called."""
    # Without the settings of the `make` that runs the tests.
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VENV"))
    }
    done = subprocess.run(
        ["make", "--dry-run", "env"], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_installed_is_not_installed_again(project):
    assert "pip install" not in what_make_would_do(project)


def test_a_copied_environment_is_made_anew(project):
    copy = project.with_name("copy")
    shutil.copytree(project, copy)
    would = what_make_would_do(copy)
    assert "venv --clear .venv" in would
    assert "pip install" in would
    assert f"was made at {project}" in would


def test_a_link_is_no_copy(project):
    tree = project.with_name("tree")
    shutil.copytree(project, tree)
    shutil.rmtree(tree / ".venv")
    (tree / ".venv").symlink_to(project / ".venv")
    assert "pip install" not in what_make_would_do(tree)


def test_a_stamp_of_before_is_taken(project):
    (project / ".venv/.installed").write_text("")
    assert "pip install" not in what_make_would_do(project)


def test_new_pins_are_installed_where_it_stands(project):
    later = (project / ".venv/.installed").stat().st_mtime + 10
    os.utime(project / "constraints.txt", (later, later))
    would = what_make_would_do(project)
    assert "pip install" in would
    assert "test -z '' ||" in would  # nothing is cleared
