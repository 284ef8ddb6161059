"""Accuracies over the levels of a factor: grouped, and who leads where, worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math

import pytest

from lrlib.stats.levels import AtLevel, Peak, by_level, leaders, peaks
from synthetic import synthetic_run, with_accuracies


def ended(recipe, accuracy, *, seed=1, **changes):
    """A run of one epoch that ended at this test accuracy."""
    return synthetic_run(recipe, {"test_accuracy": [accuracy]}, seed=seed, **{"epochs": 1, **changes})


# Two levels of the rate, seeds 1 and 2; the better schedule is another one at each.
RUNS = [
    ended("linear", 0.75, seed=2, peak_lr=0.1),
    ended("constant", 0.50, seed=1, peak_lr=0.1),
    ended("constant", 0.60, seed=2, peak_lr=0.1),
    ended("linear", 0.70, seed=1, peak_lr=0.1),
    ended("constant", 0.90, seed=1, peak_lr=0.01),
    ended("constant", 0.92, seed=2, peak_lr=0.01),
    ended("linear", 0.80, seed=1, peak_lr=0.01),
]


def test_groups_are_in_the_plans_order_levels_ascend_and_values_go_by_seed():
    groups = by_level(RUNS, "peak_lr")
    assert groups == {
        "constant": {0.01: [0.90, 0.92], 0.1: [0.50, 0.60]},
        "linear": {0.01: [0.80], 0.1: [0.70, 0.75]},
    }
    assert list(groups) == ["constant", "linear"]
    assert list(groups["constant"]) == [0.01, 0.1]


def test_words_keep_the_order_in_which_they_come():
    runs = [ended("linear", 0.5), ended("linear", 0.25, task="parity")]
    words = {"classes": "which digit", "parity": "even or odd"}
    assert list(by_level(runs, lambda run: words[run.config.task])["linear"]) == [
        "which digit",
        "even or odd",
    ]


def test_a_property_of_the_config_is_a_level_too():
    runs = [ended("linear", 0.5), ended("linear", 0.25, train_images=50)]
    assert by_level(runs, "images") == {"linear": {50: [0.25], 1000: [0.5]}}


def test_what_differs_in_more_than_the_factor_is_refused():
    mixed = [ended("linear", 0.5), ended("constant", 0.5, epochs=1, batch_size=10)]
    with pytest.raises(ValueError, match="differ in schedule and seed only, got batch_size = 5 and 10"):
        by_level(mixed, "peak_lr")
    with pytest.raises(ValueError, match="linear, seed 1, twice"):
        by_level([ended("linear", 0.5)] * 2, "peak_lr")
    with pytest.raises(ValueError, match="at least one run, got none"):
        by_level([], "peak_lr")


def test_a_diverged_run_counts_as_guessing_among_the_answers_of_its_task():
    runs = [
        ended("linear", math.nan, status="diverged"),
        ended("linear", math.nan, status="diverged", task="parity"),
    ]
    assert by_level(runs, "task") == {"linear": {"classes": [0.1], "parity": [0.5]}}


def test_leaders_are_data():
    # At 0.1: d = 20, 15 and -5 points, mean 10, sd 13.229, half = 4.30265 * 13.229 / sqrt(3) = 32.86.
    runs = [*RUNS, ended("linear", 0.5, seed=3, peak_lr=0.1), ended("constant", 0.55, seed=3, peak_lr=0.1)]
    low, high = leaders(runs, "peak_lr")
    assert (low.level, low.leaders, low.runs, low.failed, low.tested) == (0.01, ("constant",), 3, 0, False)
    assert (high.level, high.leaders, high.runs, high.failed) == (0.1, ("linear",), 6, 0)
    assert high.interval == pytest.approx((0.10 - 0.3286, 0.10 + 0.3286), abs=1e-4)
    assert (high.tested, high.leaves_out_zero) == (True, False)


def test_a_level_has_no_leader_where_all_failed_or_one_schedule_is_alone():
    runs = [
        ended("linear", 0.10, peak_lr=1.0),
        ended("constant", 0.40, peak_lr=1.0),
        ended("linear", 0.90, peak_lr=0.1),
        ended("linear", 0.40, peak_lr=0.3),
        ended("constant", 0.90, peak_lr=0.3),
    ]
    nan = (math.nan, math.nan)
    alone, some, lost = leaders(runs, "peak_lr")
    assert alone == AtLevel(0.1, (), nan, runs=1, failed=0)._replace(interval=alone.interval)
    assert (some.leaders, some.runs, some.failed) == (("constant",), 2, 1)
    assert (lost.leaders, lost.runs, lost.failed) == ((), 2, 2)
    assert leaders(runs[2:3], "peak_lr")[0].leaders == ("linear",)  # one schedule at every level
    tied = [ended(name, 0.5) for name in ("linear", "drop", "constant")]
    assert leaders(tied, "epochs")[0].leaders == ("constant", "drop", "linear")


def test_peaks_are_on_the_seeds_that_all_have():
    runs = [
        with_accuracies("linear", (0.5, 0.5), seed=1),
        with_accuracies("triangle", (0.5, 0.75), seed=1),
        with_accuracies("triangle", (0.5, 0.25), seed=2),  # no partner
        with_accuracies("drop", (0.5, 0.5), seed=1),
        with_accuracies("linear", (0.5, 0.25), seed=1, peak_lr=0.3),
        with_accuracies("linear", (0.5,), seed=2, peak_lr=0.3, epochs=2, status="diverged"),
        with_accuracies("triangle", (0.5, 0.49), seed=2, peak_lr=0.3),
        with_accuracies("triangle", (0.5, 0.5), seed=1, peak_lr=0.3),
        with_accuracies("linear", (0.5, 0.5), seed=1, peak_lr=1.0),
    ]
    assert peaks(runs, schedules=["linear", "triangle"]) == {
        0.1: {"linear": Peak((0.5,), 0), "triangle": Peak((0.75,), 0)},
        0.3: {"linear": Peak((0.25, 0.1), 2), "triangle": Peak((0.5, 0.49), 1)},
    }
    assert peaks([], schedules=["linear", "triangle"]) == {}
