"""The page on data and hardware names every study, with its runs and machines."""

from __future__ import annotations

from lrbook.chapters import data
from lrlib import load_runs
from lrlib.runs.store import RECORDED, studies


def test_every_study_with_a_record_has_its_question_and_its_place():
    assert set(studies()) <= set(data.ASKED)
    text = data.studies_text().text
    for name in studies():
        part = text.split(f"### {name}\n\n")[1].split("\n### ")[0]
        assert part.startswith(data.ASKED[name])
        runs = load_runs(name)
        assert f"{len(runs)} runs of {runs[0].config.network}" in part
        assert all(run.provenance.commit[:10] in part for run in runs)


def test_runs_are_counted_in_files():
    files = len(list(RECORDED.glob("*/*.json")))
    assert f"rests on {files:,} recorded runs in {len(studies())} studies" in data.counts_text().text
