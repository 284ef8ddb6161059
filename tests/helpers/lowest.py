"""Run the command line and the tests that need no torch with the lowest versions that pyproject.toml allows.

A lower bound that nobody runs is a guess. `python tests/helpers/lowest.py`, on Python 3.11 or 3.12 (the
lowest numpy has no wheel for a later one), makes _build/lowest and takes some minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "_build" / "lowest"
#: Beside the base: what draws the figures, and what runs the tests.
EXTRA = {"book": ["matplotlib"], "test": ["pytest", "hypothesis"]}
TESTS = ["tests/lrlib/theory", "tests/lrlib/stats", "tests/lrlib/plots", "tests/lrlib/test_files.py"]
WORDS = [
    ["--help"],
    ["presets"],
    ["show", "pilot-laptop/laptop-linear-seed0"],
    ["class", "assign", "3"],
    ["class", "merge", "lrlib/recorded/survey-digits"],
]


def lowest() -> list[str]:
    """Return the base and `EXTRA` as requirements at their lower bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra, names in EXTRA.items():
        wanted += [each for each in project["optional-dependencies"][extra] if _name(each) in names]
    return [re.sub(r">=([\w.]+).*", r"==\1", each) for each in wanted]


def _name(requirement: str) -> str:
    return re.split("[<>=!~ ]", requirement)[0]


def main() -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True)
    python = PLACE / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *lowest()], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
    for words in WORDS:
        print("lrlib", *words, flush=True)
        quiet = {"stdout": subprocess.DEVNULL}
        subprocess.run([str(python), "-m", "lrlib.cli", *words], check=True, cwd=ROOT, **quiet)
    # Old packages warn about the new ones that they stand on.
    tests = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", *TESTS]
    subprocess.run(tests, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
