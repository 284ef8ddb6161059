"""Workflows: actions pinned by their full hash, no more rights than needed, no command that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in FILES
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]
# What may write, and what for: publishing the pages, drafting a release.
WRITES = [{"pages": "write", "id-token": "write"}, {"contents": "write"}]


def test_all_are_there():
    assert [path.stem for path in FILES] == ["ci", "pages", "release", "weekly"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_allowed_but_by_a_job(path):
    assert yaml.safe_load(path.read_text())["permissions"] == {}


def test_actions_are_pinned_by_one_hash_each_and_say_their_version():
    uses = [line for path in FILES for line in path.read_text().splitlines() if "uses:" in line]
    pins: dict[str, set[str]] = {}
    for line in uses:
        found = re.fullmatch(r"\s+(?:- )?uses: (actions/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
        assert found, line
        pins.setdefault(found[1], set()).add((found[2], found[3]))
    assert len(uses) > 8
    assert all(len(versions) == 1 for versions in pins.values()), pins


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_a_limit_few_rights_and_leaves_no_credentials(job):
    assert job["timeout-minutes"] <= 90
    rights = job["permissions"]
    assert rights == {"contents": "read"} or rights in WRITES
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
            assert rights == {"contents": "read"}  # what writes runs nothing of the repository


def test_each_target_of_make_is_there():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    used = {
        word
        for path in FILES
        for line in re.findall(r"run: make ([^#\n]+)", path.read_text())
        for word in line.split()
        if re.fullmatch(r"[a-z0-9-]+", word)
    }
    assert used >= {"release", "lowest", "outside-links", "book-2", "book"}
    assert used <= targets
