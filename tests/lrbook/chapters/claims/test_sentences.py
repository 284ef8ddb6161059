"""Data for which each sentence of the survey is seen, is not, and cannot be told; all made up here.

Accuracies vary over seeds by a hundredth of a point or so: a gap of a point is far beyond doubt, and the mean
gap is exactly what the case says. Curves are ramps and steps whose words can be decided on paper. All runs
are synthetic.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from claim_cases import (
    CASES,
    FIVE,
    accuracies,
    cliff,
    drop_run,
    ramp,
    run,
    step,
)
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN, VERDICTS
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import decide, decide_all, evidence, judge
from lrlib.runs.experiments import EXPERIMENTS
from lrlib.runs.published import published


def by_experiment(given=None):
    return {
        (claim, experiment): finding
        for claim, decided in decide_all(given).items()
        for experiment, finding in decided.findings.items()
    }


def flat(cases):
    return [
        pytest.param(claim, verdict, experiment, make, id=f"{claim}: {verdict}, {experiment}")
        for claim, verdicts in cases.items()
        for verdict, experiments in verdicts.items()
        for experiment, make in experiments.items()
    ]


@pytest.mark.parametrize(("claim", "verdict", "experiment", "make"), flat(CASES))
def test_the_data_decide(claim, verdict, experiment, make):
    judged = by_experiment({experiment: make()})
    assert judged[claim, experiment].verdict == verdict, judged[claim, experiment]
    for (other, where), finding in judged.items():
        if where != experiment:
            assert (finding.n, finding.verdict, finding.because) == (0, CANNOT_BE_TOLD, "no run yet"), other


def test_every_sentence_has_all_three_cases():
    assert list(CASES) == list(CLAIMS)
    assert all(list(verdicts) == list(VERDICTS) for verdicts in CASES.values())


@pytest.mark.parametrize(
    ("claim", "make", "first", "last"),
    [
        ("drop, 15-20", drop_run, 15, 20),
        ("linear, 70-80", lambda at: run("linear", test=cliff(at)), 70, 80),
        ("poly5, 25", lambda at: run("poly5", train=step(at)), 20, 30),
    ],
)
def test_the_epochs_of_a_sentence_are_its_own(claim, make, first, last):
    seen = [at for at in range(first - 2, last + 3) if judge(claim, [make(at)]).verdict == SEEN]
    assert seen == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("curve", "even"), [("train", ramp(2, 1)), ("test", ramp(2, 1)), ("accuracy", ramp(0.2, 0.8))]
)
def test_every_curve_of_the_huge_drop_is_asked(curve, even):
    steep_ones = {"train": cliff(16), "test": cliff(16), "accuracy": [1 - y / 4 for y in cliff(16)]}
    assert judge("drop, 15-20", [run("drop", **steep_ones)]).verdict == SEEN
    assert judge("drop, 15-20", [run("drop", **steep_ones | {curve: even})]).verdict == NOT_SEEN


@pytest.mark.parametrize("curve", ["train", "test"])
def test_both_losses_must_drop_at_the_end(curve):
    falling = {"train": ramp(2, 1), "test": ramp(2, 1)}
    assert judge("drop, end", [run("drop", **falling)]).verdict == SEEN
    assert judge("drop, end", [run("drop", **falling | {curve: step(70)})]).verdict == NOT_SEEN


@pytest.mark.parametrize("other", ["constant", "time", "drop", "poly5"])
def test_one_schedule_above_linear_and_linear_is_not_the_best(other):
    points = dict(zip(FIVE, (0, 1, 2, 5, 3), strict=True))
    assert judge("best", accuracies(points)).verdict == SEEN
    assert judge("best", accuracies(points | {other: 7})).verdict == NOT_SEEN


@pytest.mark.parametrize("other", ["drop", "linear"])
def test_poly5_has_to_be_similar_to_both(other):
    points = {"drop": 1.6, "linear": 1.6, "poly5": 1.5}
    assert judge("poly5", accuracies(points)).verdict == SEEN
    assert judge("poly5", accuracies(points | {other: 3})).verdict == NOT_SEEN


def test_without_a_record_nothing_can_be_told():
    assert {finding.verdict for finding in by_experiment({}).values()} == {CANNOT_BE_TOLD}


def test_what_is_recorded_is_judged():
    given = evidence()
    assert given["logs"] == published().source
    judged = by_experiment()
    assert {experiment for _, experiment in judged} == set(EXPERIMENTS)
    assert {claim for claim, _ in judged} == set(CLAIMS)
    for (_, experiment), finding in judged.items():
        if not given[experiment]:
            assert finding.because == "no run yet"


def test_resnet_50_is_the_gpus_and_one_run_of_it_ranks_nothing():
    runs = evidence()["resnet50"]
    assert {(run.config.network, run.label, run.config.epochs) for run in runs} == {
        ("resnet50", name, 100) for name in (*FIVE, "triangle", "cosine", "cosine5")
    }
    assert all(run.provenance.device == "cuda" for run in runs)
    for name, claim in CLAIMS.items():
        if {"logs", "resnet50"} <= set(claim.experiments):  # it ranks: print has no curves
            assert decide(name, {"resnet50": runs}).verdict == CANNOT_BE_TOLD, name


def test_one_run_of_ours_ranks_nothing():
    lone = accuracies(dict(zip(FIVE, (0, -20, 10, 15, 5), strict=True)), seeds=1)
    for name, claim in CLAIMS.items():
        if "logs" in claim.experiments and name not in ("drop, 15-20", "linear, 70-80", "poly5, 25"):
            assert judge(name, lone).verdict == CANNOT_BE_TOLD, name


def test_epochs_are_judged_in_the_source_arm_only():
    for claim in CLAIMS.values():
        if re.search(r"\bepochs?\b", claim.quote) and re.search(r"\d", claim.quote):
            assert set(claim.experiments) == {"logs", "source"}, claim.quote
    assert sum(set(claim.experiments) == {"logs", "source"} for claim in CLAIMS.values()) == 3


def test_the_source_as_it_was_printed():
    # differences and their errors in points: 3.10 and 0.4947, 2.66 and 0.4980, -2.63 and 0.5331
    source = published().source
    for name in ("linear", "drop", "time", "huge"):
        assert judge(name, source).verdict == SEEN, name
    for name in ("linear, drop", "poly5", "best", "decaying"):
        assert judge(name, source).verdict == CANNOT_BE_TOLD, name
    assert judge("time", source).because == "time - constant: -2.63 points, 4.9 sampling errors"


def test_sentences_are_short_and_stand_in_the_surveys_order():
    assert len(CLAIMS) >= 10
    for claim in CLAIMS.values():
        assert len(claim.short) <= 26
        assert 20 <= len(claim.quote) <= 140, claim.name
        assert set(claim.experiments) <= set(EXPERIMENTS)
    sections = [claim.place.split(",")[0] for claim in CLAIMS.values()]
    assert all(before <= after for before, after in pairwise(sections))
