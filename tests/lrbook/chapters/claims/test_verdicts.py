"""One verdict a sentence follows from its experiments by a stated rule, and no figure is loaded for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from claim_cases import accuracies, drop_run, printed, ramp, run
from lrbook.chapters.claims.definitions import (
    CANNOT_BE_TOLD,
    FAILS,
    HOLDS,
    IN_PART,
    NOT_SEEN,
    OPEN,
    OVERALL,
    SEEN,
    VERDICTS,
    WORDS,
    Finding,
)
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import (
    card,
    decide,
    decide_all,
    deciding,
    judge,
    overall,
    words_table,
)

ROOT = Path(__file__).parents[4]


def found(**verdicts):
    """Findings from "5 seen again" and the like, by experiment."""
    parts = {name: said.split(" ", 1) for name, said in verdicts.items()}
    return {name: Finding(int(n), verdict, "") for name, (n, verdict) in parts.items()}


YES, NO, OPEN_HERE = f"5 {SEEN}", f"5 {NOT_SEEN}", f"5 {CANNOT_BE_TOLD}"
ONE_YES, ONE_NO, NO_RUN = f"1 {SEEN}", f"1 {NOT_SEEN}", f"0 {CANNOT_BE_TOLD}"


@pytest.mark.parametrize(
    ("findings", "decides", "verdict"),
    [
        # ours with several seeds decide, alone
        (found(laptop=YES), ["laptop"], HOLDS),
        (found(laptop=NO), ["laptop"], FAILS),
        (found(laptop=NO, logs=ONE_YES, resnet50=ONE_YES), ["laptop"], FAILS),
        (found(laptop=YES, logs=ONE_NO, resnet50=ONE_NO), ["laptop"], HOLDS),
        (found(laptop="2 seen again", resnet50=ONE_NO), ["laptop"], HOLDS),
        # what cannot be told is no vote
        (found(laptop=OPEN_HERE, digits=YES), ["digits"], HOLDS),
        # they disagree
        (found(laptop=NO, digits=YES), ["laptop", "digits"], IN_PART),
        # a single run of ours, where they cannot tell
        (found(laptop=OPEN_HERE, resnet50=ONE_NO), ["resnet50"], FAILS),
        (found(laptop=NO_RUN, resnet50=ONE_YES, source=ONE_YES), ["resnet50", "source"], HOLDS),
        (found(resnet50=ONE_YES, source=ONE_NO), ["resnet50", "source"], IN_PART),
        # print never
        (found(laptop=OPEN_HERE, logs=ONE_YES), [], OPEN),
        (found(logs=ONE_NO), [], OPEN),
        (found(laptop=NO_RUN, source=NO_RUN), [], OPEN),
        ({}, [], OPEN),
    ],
)
def test_one_verdict_follows_from_the_experiments(findings, decides, verdict):
    assert deciding(findings) == decides
    assert overall(findings) == verdict


def test_the_order_of_the_experiments_does_not_matter():
    findings = found(laptop=NO, digits=YES, logs=ONE_YES, resnet50=ONE_NO)
    assert overall(dict(reversed(findings.items()))) == overall(findings) == IN_PART


def test_a_sentence_that_says_two_things_of_which_one_is_so_holds_in_part():
    both_smooth = [run(name, train=ramp(2, 1), experiment="laptop") for name in ("linear", "drop")]
    unlike = [run("linear", train=ramp(2, 1), experiment="laptop"), drop_run(16, experiment="laptop")]
    neither = [drop_run(16, experiment="laptop")]
    neither += [run("linear", train=neither[0].column("train_loss"), experiment="laptop")]
    verdicts = [decide("linear, loss", {"laptop": runs}).verdict for runs in (both_smooth, unlike, neither)]
    assert verdicts == [IN_PART, HOLDS, FAILS]


@pytest.mark.parametrize(("similar", "verdict"), [("drop", IN_PART), ("linear", IN_PART), ("", FAILS)])
def test_similar_to_one_of_two_is_similar_in_part(similar, verdict):
    points = {"drop": 5.0, "linear": 8.0, "poly5": 1.5}
    runs = accuracies(points | ({similar: 1.6} if similar else {}))
    assert decide("poly5", {"laptop": runs}).verdict == verdict


def test_one_of_two_losses_that_drop_at_the_end_is_a_part():
    runs = [run("drop", train=ramp(2, 1), test=ramp(1, 2), seed=seed, experiment="laptop") for seed in (1, 2)]
    assert decide("drop, end", {"laptop": runs}).verdict == IN_PART
    # A part that holds does not settle a sentence that is open.
    runs[1] = run("drop", train=ramp(2, 1), test=ramp(2, 1), seed=2, experiment="laptop")
    assert decide("drop, end", {"laptop": runs}).verdict == OPEN


def test_the_parts_of_a_sentence_together_are_the_sentence():
    assert {name for name, claim in CLAIMS.items() if claim.parts} == {
        *("drop, end", "drop, 15-20", "linear, loss", "poly5")
    }
    # All of them hold: so does the sentence (of "linear, loss" one part is left to the sentence).
    ends = [run("drop", train=ramp(2, 1), test=ramp(2, 1), accuracy=ramp(0.2, 0.8))]
    for name, runs in {"drop, end": ends, "drop, 15-20": [drop_run(16)]}.items():
        assert {part(runs).verdict for part in CLAIMS[name].parts} == {judge(name, runs).verdict} == {SEEN}


def test_a_card_says_the_verdict_our_sentence_and_what_each_experiment_says():
    decided = decide("linear", {"laptop": accuracies({"constant": 0, "linear": 2}), "logs": printed()})
    lines = card(decided, "It does.").splitlines()
    quote = "“significantly better than the constant learning rate method” (1.1.7, table 1.1;"
    assert lines[:6] == [
        f"**16. Holds.** {quote}",
        "[chapter](analysis.ipynb))",
        "",
        "It does.",
        "",
        "<details>",
    ]
    assert lines[8].startswith(
        "- **seen again** · published logs, n\u00a0=\u00a01 · linear\u00a0−\u00a0constant: +3.10 points"
    )
    assert lines[9].startswith(
        "- **seen again** · laptop, n\u00a0=\u00a05, decides · linear\u00a0−\u00a0constant: +2.00 points, "
    )
    assert lines[10:] == ["", "</details>"]  # experiments without a run are not listed


def test_each_finding_with_a_run_is_in_the_fold_once():
    for decided in decide_all().values():
        listed = [line for line in card(decided, "").splitlines() if line.startswith("- **")]
        assert len(listed) == sum(finding.n > 0 for finding in decided.findings.values())
        assert sum(", decides ·" in line for line in listed) == len(deciding(decided.findings))


def test_the_words_are_the_constants():
    table = words_table()
    assert [row.split("**")[1] for row in table.splitlines()[2:]] == [*OVERALL, *VERDICTS, *WORDS]
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
        (lambda: decide("tme"), "claim must be one of .* got 'tme'; did you mean 'time'"),
        (lambda: decide_all({"laptp": []}), "experiment must be one of .* did you mean 'laptop'"),
        (
            lambda: judge("time", accuracies({"time": 0}) + accuracies({"time": 0}, peak_lr=0.2)),
            "runs must differ in schedule and seed only",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
