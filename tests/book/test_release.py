"""What a release offers: all four things, and none of them when one is missing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import release

ROOT = Path(__file__).parents[2]


@pytest.fixture
def built(tmp_path, monkeypatch):
    for name in release.PRINTED.values():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"%PDF of " + name.encode())
    (tmp_path / "_build/teach/teacher").mkdir(parents=True)
    (tmp_path / "_build/teach/teacher/exit_question.md").write_text("?")
    monkeypatch.setattr(release, "build_wheel", lambda out: (out / "lrlib-1.whl").write_text("wheel"))
    return tmp_path


def test_wheel_book_cheat_sheet_and_pack_are_collected(built):
    (built / "out").mkdir()
    (built / "out/old.txt").write_text("of the last release")
    files = release.collect(built, built / "out")
    assert [path.name for path in files] == [
        "big-steps-small-steps.pdf",
        "cheat-sheet.pdf",
        "lrlib-1.whl",
        "teachers-pack.zip",
    ]
    assert files[1].read_bytes().endswith(b"cheat_sheet.pdf")
    assert zipfile.ZipFile(files[3]).namelist() == ["teacher/exit_question.md"]


def test_what_was_not_built_is_named(built):
    (built / "_build/book.pdf").unlink()
    with pytest.raises(FileNotFoundError, match=r"not built yet: _build/book\.pdf; run make book"):
        release.collect(built, built / "out")
    assert not (built / "out").exists()


def test_a_tag_names_the_version():
    done = subprocess.run(
        [sys.executable, "-m", "tools.release", "--tag", "v99.0.0"],
        cwd=ROOT / "book",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The tag is v99.0.0, and pyproject.toml says v")
