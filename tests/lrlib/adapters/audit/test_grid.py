"""Shapes x faults x lengths: at least 96 % lead right, under 1 % wrong with confidence, no false alarm."""

from collections import Counter

import pytest

from audit_grid import cases
from lrlib import audit

PEAK = 0.1


def outcome(case, verdict) -> str:
    if not case.kinds:
        return "as planned" if verdict.agrees else "false alarm"
    if verdict.agrees:
        return "missed"
    if verdict.kind in case.kinds:
        return "right"
    if verdict.kind == "unknown":
        return "unknown"
    return "wrong, sure" if verdict.sure else "wrong"


@pytest.mark.parametrize(
    ("total", "epoch", "told"),
    [(60, 10, True), (60, 10, False), (103, 10, True), (103, 10, False), (390, 39, True), (75, 15, False)],
)
def test_the_right_reading_leads(total, epoch, told):
    counts, wrong = Counter(), []
    for case in cases(total, epoch):
        verdict = audit.compare(
            [PEAK * factor for factor in case.factors],
            case.plan,
            peak_lr=PEAK,
            total_steps=case.total_steps,
            steps_per_epoch=epoch if told else None,
        )
        what = outcome(case, verdict)
        counts[what] += 1
        if what not in ("right", "as planned"):
            wrong.append((what, case.shape, case.fault, verdict.kind))
    faults = sum(counts.values()) - counts["as planned"] - counts["false alarm"]
    assert faults > 380
    assert not counts["false alarm"]
    assert not counts["missed"]
    assert counts["right"] >= 0.96 * faults, wrong
    assert counts["wrong, sure"] < 0.01 * faults, wrong
