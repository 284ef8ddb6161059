"""The second look at triangle against linear decay, counted again from the files and the plan."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lrbook.chapters import second_look
from lrbook.finding import Records
from lrlib.stats import compare_all

ROOT = Path(__file__).parents[3]
PLAN = ROOT / "studies" / "triangle-laptop.toml"
RECORDED = ROOT / "lrlib" / "recorded"


def ends(quantity: str, study: str, seeds) -> np.ndarray:
    """The last values of triangle and linear, a row for each seed."""
    files = [
        [RECORDED / study / f"{name}-seed{seed}.json" for name in ("triangle", "linear")] for seed in seeds
    ]
    return np.array(
        [[json.loads(file.read_text())["epochs"][-1][quantity] for file in pair] for pair in files]
    )


def test_the_runs_are_those_of_the_plan():
    plan = tomllib.loads(PLAN.read_text())
    runs = Records()["triangle-laptop"]
    assert sorted((run.label, run.config.seed) for run in runs) == sorted(
        (recipe, seed) for recipe in plan["recipes"] for seed in plan["seeds"]
    )
    assert {run.config.peak_lr for run in runs} == {0.1}
    assert {run.provenance.device for run in runs} == {"cpu"}


def test_both_looks_are_t_tests_of_the_differences():
    old, new = (
        ends("test_accuracy", "survey-laptop", range(1, 6)),
        ends("test_accuracy", "triangle-laptop", range(6, 11)),
    )
    found = second_look.looks(Records())
    for look, pairs, level in ((found.new, new, 0.95), (found.all, np.concatenate([old, new]), 1 - 0.0294)):
        tested = stats.ttest_rel(*pairs.T)
        assert look.p == pytest.approx(tested.pvalue)
        assert look.mean_difference == pytest.approx((pairs[:, 0] - pairs[:, 1]).mean())
        assert look.interval == pytest.approx(tuple(tested.confidence_interval(level)))


def test_the_level_keeps_five_percent_over_two_looks():
    """The second look holds the first and as much again: the two statistics correlate by 1 / sqrt(2)."""
    limit, shared = stats.norm.isf(second_look.LEVEL / 2), 0.5**0.5
    joint = stats.multivariate_normal([0, 0], [[1, shared], [shared, 1]])
    inside = joint.cdf([limit, limit], lower_limit=[-limit, -limit])
    assert 1 - inside == pytest.approx(0.05, abs=1e-4)


def test_the_first_look_would_not_have_stopped():
    (first,) = compare_all(
        [run for name in second_look.PAIR for run in Records().runs("survey-laptop", name)],
        pairs=[second_look.PAIR],
    )
    assert first.p > second_look.LEVEL


def test_the_three_predictions_came_true():
    assert list(second_look.predictions(Records()).values()) == [True, True, True]
    loss = np.concatenate(
        [ends("test_loss", "survey-laptop", range(1, 6)), ends("test_loss", "triangle-laptop", range(6, 11))]
    )
    mine = second_look.differences(Records(), "test_loss")
    assert list(mine) == list(range(1, 11))
    assert list(mine.values()) == pytest.approx(list(loss[:, 0] - loss[:, 1]))
