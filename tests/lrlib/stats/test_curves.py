"""Words for curves: values that can be checked by hand, and what has to hold for any curve."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlib.runs.config import preset
from lrlib.runs.store import load_runs
from lrlib.schedules.recipes import DropRecipe, LinearRecipe
from lrlib.stats.curves import (
    Change,
    at_cycle_ends,
    drop_of,
    drops,
    fall_done,
    largest_fall,
    largest_rise,
    plateau_start,
    whole_cycles,
)
from synthetic import synthetic_run, with_accuracies

# 10 epochs: falls of 4, 1, 0, 0, 3, -1, 1, 0, 0
STAIRS = [10.0, 6.0, 5.0, 5.0, 5.0, 2.0, 3.0, 2.0, 2.0, 2.0]
CURVES = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=40)


class FakeRun:
    """A run that has a config and some epochs, and no measurements."""

    def __init__(self, config, epochs=None):
        self.config = config
        self.epochs = range(config.epochs if epochs is None else epochs)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (2, 4.0, 0.5, 0.2)),  # from 10 to 6, of a range of 8, at epoch 2 of 10
        ({"skip": 0.1}, (2, 4.0, 0.5, 0.2)),  # starts at epoch 1 = 0.1 * 10: still counts
        ({"skip": 0.2}, (6, 3.0, 0.375, 0.6)),  # starts at epoch 2 or later: 5 to 2
        ({"skip": 0.6}, (8, 1.0, 0.125, 0.8)),
        ({"width": 0.2}, (3, 5.0, 0.625, 0.3)),  # two epochs: 10 to 5
        (
            {"skip": 0.3, "width": 0.3},
            (6, 3.0, 0.375, 0.6),
        ),  # 5 to 2 over epochs 3 to 6, the first of several
        ({"skip": 0.9}, (10, 0.0, 0.0, 1.0)),
    ],
)
def test_the_largest_fall_of_stairs(options, expected):
    assert largest_fall(STAIRS, **options) == pytest.approx(expected)


def test_a_curve_that_only_rises_has_a_negative_fall():
    assert largest_fall([1.0, 3.0, 4.0]) == pytest.approx((3, -1.0, -1 / 3, 1.0))
    assert largest_rise([1.0, 3.0, 4.0]) == pytest.approx((2, 2.0, 2 / 3, 2 / 3))


def test_a_flat_curve_has_no_share():
    assert largest_fall([1.0, 1.0]) == Change(epoch=2, size=0.0, share=0.0, fraction=1.0)


@given(CURVES, st.floats(0, 0.9), st.floats(0, 0.4))
def test_no_fall_of_the_same_width_is_larger(values, skip, width):
    n = len(values)
    w, first = max(1, round(width * n)), max(1, round(skip * n))  # epochs, from 1
    falls = {e: values[e - w - 1] - values[e - 1] for e in range(first + w, n + 1)}
    if not falls:
        with pytest.raises(ValueError, match="must leave room"):
            largest_fall(values, skip=skip, width=width)
        return
    found = largest_fall(values, skip=skip, width=width)
    assert found.size == max(falls.values())
    assert found.epoch == min(e for e in falls if falls[e] == found.size)
    turned = largest_rise([-value for value in values], skip=skip, width=width)
    assert turned == found


@pytest.mark.parametrize(
    ("values", "tolerance", "epoch"),
    [
        (STAIRS, 0.05, 8),  # 5 % of 8 is 0.4: the 3 of epoch 7 is too far
        (STAIRS, 0.125, 6),  # exactly 1 away is near
        (STAIRS, 0.4, 3),  # 3.2: from the 5 on
        (STAIRS, 0.0, 8),
        ([3.0, 2.0, 1.0], 0.05, 3),
        ([2.0, 2.0, 2.0], 0.05, 1),
        ([0.0, 1.0, 0.0, 1.0], 0.05, 4),
    ],
)
def test_where_a_plateau_starts(values, tolerance, epoch):
    assert plateau_start(values, tolerance=tolerance) == epoch


def test_drops_of_the_laptop_preset():
    # 11,730 updates, a drop every round(1759.5) = 1,760; an epoch has 391.
    run = FakeRun(preset("laptop", recipe="drop"))
    assert drops(run) == [1760 * k / 391 for k in range(1, 7)]


def test_drops_of_the_source_come_with_the_epochs_15_and_30_counted_from_1():
    run = FakeRun(preset("source", recipe="drop"))
    assert drops(run) == [14.0, 29.0, 44.0, 59.0, 74.0, 89.0]
    assert [int(time) + 1 for time in drops(run)] == [15, 30, 45, 60, 75, 90]


def test_drops_by_half_and_no_drops():
    halves = DropRecipe(drop_factor=0.5, drop_fraction=0.25)
    run = FakeRun(preset("laptop", recipe=halves, epochs=4))
    assert drops(run) == [1.0, 2.0, 3.0]
    assert drops(run, factor=0.5) == [1.0, 2.0, 3.0]  # at most that factor
    assert drops(run, factor=0.49) == []
    assert drops(FakeRun(run.config, epochs=2)) == [1.0]  # a run that ended early
    assert drops(FakeRun(preset("laptop", recipe="constant"))) == []
    assert drops(FakeRun(preset("laptop", recipe=DropRecipe(drop_factor=1.0)))) == []


def test_at_its_very_end_a_line_to_zero_drops_too():
    # Rates 4, 3, 2, 1 quarters: 3/4 is not below 0.7, 2/3 and 1/2 are.
    config = preset("digits", recipe=LinearRecipe(), epochs=4, train_images=5)
    assert (config.steps_per_epoch, config.total_steps) == (1, 4)
    assert drops(FakeRun(config), factor=0.7) == [2.0, 3.0]


def test_the_recorded_rates_fall_where_the_drops_are():
    runs = [run for run in load_runs("survey-laptop") if run.label in ("constant", "time", "drop")]
    assert {run.label for run in runs} == {"constant", "time", "drop"}
    for run in runs:
        fell = [
            epoch.epoch + 1
            for before, epoch in zip(run.epochs, run.epochs[1:], strict=False)
            if epoch.last_lr <= 0.75 * before.last_lr
        ]
        first = [1] if run.epochs[0].last_lr <= 0.75 * run.epochs[0].first_lr else []
        if run.label == "time":  # it falls by a quarter in its first epochs, and never in one update
            assert first + fell
            assert drops(run) == []
        else:
            assert [int(time) + 1 for time in drops(run)] == first + fell


@pytest.mark.parametrize(
    ("epoch", "drop"),
    [(14, None), (15, 14.0), (16, 14.0), (17, None), (20, 19.5), (21, 20.25), (22, 20.25), (23, None)],
)
def test_the_drop_that_a_change_can_come_from(epoch, drop):
    assert drop_of(epoch, [14.0, 19.5, 20.25]) == drop


def test_fall_done():
    run = with_accuracies("linear", (0.0, 0.5, 0.25, 1.0))  # losses 1, 0.5, 0.75, 0
    assert [fall_done(run, fraction=x) for x in (0.01, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 0.25, 1.0]
    assert fall_done(run, fraction=0.5, quantity="test_loss") == 0.5
    back = with_accuracies("linear", (0.0, 1.0, 0.5))  # losses 1, 0, 0.5
    assert fall_done(back, fraction=2 / 3) == 2.0
    with pytest.raises(ValueError, match=r"must fall from its first epoch to its last; got 0\.5 and 1\.0"):
        fall_done(with_accuracies("linear", (0.5, 0.0)), fraction=0.5)
    with pytest.raises(ValueError, match=r"must fall from its first epoch to its last; got 0\.5 and 0\.5"):
        fall_done(with_accuracies("linear", (0.5, 0.75, 0.5)), fraction=0.5)  # no fall to be a part of
    with pytest.raises(ValueError, match="diverged"):
        fall_done(with_accuracies("linear", (0.0, 0.5), epochs=3, status="diverged"), fraction=0.5)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\], got 0"):
        fall_done(run, fraction=0)


def test_cycle_ends_that_fall_on_epochs():
    ten = with_accuracies("cosine5", [k / 16 for k in range(10)])  # cycles of 2 epochs
    assert at_cycle_ends(ten) == [(2, 1 / 16), (4, 3 / 16), (6, 5 / 16), (8, 7 / 16), (10, 9 / 16)]
    assert at_cycle_ends(ten, "train_loss")[0] == (2, 15 / 16)
    eight = with_accuracies("cosine5", [k / 16 for k in range(8)])  # of 1.6 epochs
    assert at_cycle_ends(eight) == [(8, 7 / 16)]
    assert at_cycle_ends(with_accuracies("cosine", (0.5, 0.75))) == [(2, 0.75)]
    held = synthetic_run("cosine5", {"test_accuracy": [k / 16 for k in range(10)]}, of="resnet50")
    assert type(held.config.schedule()).__name__ == "Hold"
    assert at_cycle_ends(held) == at_cycle_ends(ten)
    assert whole_cycles(held)
    gone = with_accuracies("cosine5", [0.5] * 5, epochs=10, status="diverged")
    assert at_cycle_ends(gone) == [(2, 0.5), (4, 0.5)]
    assert [whole_cycles(run) for run in (ten, eight, gone, with_accuracies("cosine"))] == [1, 0, 1, 1]
    for ask in (at_cycle_ends, whole_cycles):
        with pytest.raises(TypeError, match="run must follow CosineAnnealing"):
            ask(with_accuracies("linear"))


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: largest_fall([1.0]), ValueError, "values must hold one number an epoch"),
        (lambda: largest_rise([[1.0, 2.0]]), ValueError, "values must hold one number an epoch"),
        (
            lambda: plateau_start([1.0, math.nan]),
            ValueError,
            "values must be finite, got nan; leave out a run",
        ),
        (lambda: largest_fall([1.0, math.inf]), ValueError, "values must be finite, got inf"),
        (lambda: largest_fall(STAIRS, skip=1.0), ValueError, r"skip must be in \[0, 1\), got 1.0"),
        (lambda: largest_fall(STAIRS, width="5"), TypeError, r"width must be a number in \[0, 1\), got '5'"),
        (
            lambda: largest_fall(STAIRS, skip=0.9, width=0.5),
            ValueError,
            "leave room for a change in 10 epochs",
        ),
        (
            lambda: plateau_start(STAIRS, tolerance=-0.1),
            ValueError,
            r"tolerance must be in \[0, 1\), got -0.1",
        ),
        (
            lambda: drops(FakeRun(preset("laptop", recipe="drop")), factor=1.0),
            ValueError,
            "factor must be in",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
