"""The file that a student hands in."""

from __future__ import annotations

from lrbook.classroom import hand_in
from lrlib.runs.store import read_run


def test_a_record_is_handed_in_once_and_never_overwritten(run_of, tmp_path):
    first = hand_in(run_of("linear", 11, 0.95), number=7, folder=tmp_path)
    assert first.name == "class-07-linear-seed11.json"
    later = run_of("linear", 11, 0.95, started="2026-03-03T09:30:00+00:00")
    assert hand_in(later, number=7, folder=tmp_path) == first
    other = hand_in(run_of("linear", 11, 0.90), number=7, folder=tmp_path)
    assert other.name == "class-07-linear-seed11-2.json"
    assert [read_run(path).epochs[-1].test_accuracy for path in (first, other)] == [0.95, 0.90]
