"""The texts of the claims page are made from the findings, without loading what only figures need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from claim_cases import (
    accuracies,
    printed,
)
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, VERDICTS, WORDS
from lrbook.chapters.claims.verdicts import card, judge, ledger, summary, words_table
from lrlib.runs.published import published

ROOT = Path(__file__).parents[4]


def test_a_card_says_what_was_found_and_arms_that_agree_share_a_line():
    judged = ledger({"laptop": accuracies({"constant": 0, "linear": 2}), "logs": printed()})
    lines = card("linear", judged).splitlines()
    assert lines[0].startswith(
        "**16.** “significantly better than the constant learning rate method” (1.1.7,"
    )
    assert lines[2].startswith(
        "- **seen again** · published logs, n\u00a0=\u00a01 · linear\u00a0−\u00a0constant: +3.10 points"
    )
    assert lines[3].startswith(
        "- **seen again** · laptop, n\u00a0=\u00a05 · linear\u00a0−\u00a0constant: +2.00 points, Holm p"
    )
    assert lines[4:] == ["- **cannot be told** · source, ResNet-50 · no run yet"]


def test_the_summary_counts():
    text = summary(ledger({"logs": published().source}))
    # 16 sentences; experiments: 1 + 4 + 7 * 4 + 5 + 3 * 3 + 3 * 2 = 53
    assert text.startswith(
        "16 sentences of the survey, judged in up to 5 experiments each: of 53 findings 4 say **seen"
    )
    assert "49 say **cannot be told**" in text
    assert "not seen" not in text
    assert "settles 4 of the 16 sentences, and runs of ours 0. In the published logs" in text
    ours = summary(ledger({"laptop": accuracies({"constant": 0, "linear": 2})}))
    # better, and not by three points
    assert "settles 2 of the 16 sentences, and runs of ours 2." in ours
    assert "In the published logs" not in ours
    assert text.endswith("Not recorded yet: source, ResNet-50, laptop, digits, rate grid.")


def test_the_words_are_the_constants():
    table = words_table()
    assert [row.split("**")[1] for row in table.splitlines()[2:]] == [*VERDICTS, *WORDS]
    for part in (
        "at least 4 sampling errors",
        "at 3 points of accuracy or more",
        "within 1 point",
        "measured at 1 point or more",
        "first 10% of the run",
        "5 seeds",
    ):
        assert part in table
    assert all(row.count("|") == 3 for row in table.splitlines())


def test_judging_a_sentence_loads_no_library_for_figures():
    program = """
import json, sys
from lrbook.chapters.claims.verdicts import judge
from lrlib import load_runs
finding = judge("best", load_runs("pilot-laptop"))
print(json.dumps([finding.verdict, *(name for name in ("matplotlib", "torch") if name in sys.modules)]))
"""
    path = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "book")))}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [CANNOT_BE_TOLD]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: judge("tme", []), "claim must be one of .* got 'tme'; did you mean 'time'"),
        (lambda: ledger({"laptp": []}), "experiment must be one of .* did you mean 'laptop'"),
        (
            lambda: judge("time", accuracies({"time": 0}) + accuracies({"time": 0}, peak_lr=0.2)),
            "runs must differ in schedule and seed only",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
