"""The library's tests with the lowest versions that pyproject.toml allows: `make lowest`, on Python 3.11.

A lower bound that nobody runs is a guess. What the tests themselves need is as constraints.txt has it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "_build/lowest"
#: Of the extras, what the library imports. The book itself is built with one set of versions, the pinned one.
DRAWS = "matplotlib"
TESTS = ("pytest", "pytest-xdist", "psutil", "hypothesis", "hatchling", "pyyaml", "beautifulsoup4")
FOLDERS = ("lrlib", "tests/lrlib")


def lowest(requirement: str) -> str:
    """Return a requirement with its lower bound as the only version.

    >>> lowest("torch>=2.6"), lowest("jupyter-book>=1.0.4,<2")
    ('torch==2.6', 'jupyter-book==1.0.4')
    """
    name, bound = re.fullmatch(r"([\w.-]+)>=([\d.]+)(?:,.*)?", requirement).groups()
    return f"{name}=={bound}"


def wanted(project: dict, constraints: str) -> list[str]:
    """Return what is installed: its dependencies at their lowest, the tests' tools as pinned."""
    extras = project["optional-dependencies"]
    own = [
        *project["dependencies"],
        *extras["train"],
        *extras["ray"],
        *extras["slurm"],
        *(one for one in extras["book"] if one.startswith(DRAWS)),
    ]
    pins = dict(line.split("==") for line in constraints.splitlines() if re.match(r"[\w.-]+==[\w.]+$", line))
    return [*map(lowest, own), *(f"{name}=={pins[name]}" for name in TESTS)]


def main() -> int:
    """Install, and run the tests; return their exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = wanted(project, (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    print("Lowest versions:", " ".join(packages), flush=True)
    venv.create(HOME, clear=True, with_pip=True)
    python = HOME / "bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *packages], check=True)
    subprocess.run([*install, "--no-deps", "--editable", ROOT], check=True)  # with its commands
    path = os.pathsep.join(map(str, (ROOT, ROOT / "book")))
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "LRLIB_PROGRESS": "off"}
    # Old versions warn of what is new in Python and in each other; that is not what is looked at here.
    tests = [python, "-m", "pytest", "-n", "2", "-W", "default", *FOLDERS]
    return subprocess.run(tests, cwd=ROOT, env={**os.environ, **one_thread, "PYTHONPATH": path}).returncode


if __name__ == "__main__":
    sys.exit(main())
