"""SECURITY.md says what the code does, and the linter looks for the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lrbook.classroom import inbox
from lrlib._files import read_text
from lrlib.runs import store
from lrlib.training import cifar10

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
CODE = [
    path for folder in ("lrlib", "book", "cluster", "benchmarks") for path in ROOT.glob(f"{folder}/**/*.py")
]


def test_its_limits_are_those_of_the_code():
    mb = 1_000_000
    assert f"JSON of at most {store.MOST_BYTES // mb} MB" in PAGE
    assert f"at most {cifar10.MOST_BYTES // mb} MB a file" in PAGE
    assert f"of at most {cifar10.MOST_BYTES // mb} MB, {cifar10.MOST_IMAGES:,} rows" in PAGE
    assert f"{inbox.MOST_BYTES // mb} MB a file, {inbox.MOST_STUDENT // mb} MB a student's zip" in PAGE
    assert f"{inbox.MOST_IN_ALL // mb} MB and {inbox.MOST_FILES:,} files in all" in PAGE
    assert f"UTF-16, at most {read_text.__kwdefaults__['most'] // mb} MB" in PAGE


def test_the_linter_has_the_security_rules_and_each_exception_a_reason():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} == {"S603", "S607"}
    for path in CODE:
        for line in path.read_text(encoding="utf-8").splitlines():
            for exception in re.finditer(r"# noqa: S\d{3}(.*)", line):
                assert exception[1].strip(), f"{path}: {line}"


BAD = {
    "pickle": "import pickle\npickle.loads(b'')\n",
    "shell": "import subprocess\nsubprocess.run('ls', shell=True)\n",
    "eval": "eval(input())\n",
    "yaml": "import yaml\nyaml.load('x', Loader=yaml.Loader)\n",
    "archive": "import tarfile\ntarfile.open('x').extractall()\n",
}


@pytest.mark.parametrize("name", BAD)
def test_the_linter_would_find(name):
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", "--select", "S"]
    place = "lrlib/training/made_up.py"  # where it would stand: the exceptions by file hold there
    done = subprocess.run(
        [*command, "--stdin-filename", place, "-"], input=BAD[name], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1, done.stdout + done.stderr


def test_unpicklers_are_where_the_page_says():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in CODE
        if re.search(r"pickle\.(Unpickler|load)|torch\.load\(|allow_pickle", path.read_text(encoding="utf-8"))
    }
    assert found == {"lrlib/training/checkpoint.py", "lrlib/training/pickled.py"}
    text = (ROOT / "lrlib/training/checkpoint.py").read_text(encoding="utf-8")
    loads = [line for line in text.splitlines() if "torch.load(" in line]
    assert loads
    assert all("weights_only=True" in line for line in loads)
