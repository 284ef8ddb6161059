"""A fairer race: rates chosen and means worked out by hand. All values and runs are synthetic."""

import pytest

from grids import grids
from lrbook.chapters import race
from lrbook.chapters.race import Chosen
from synthetic import two_epochs

# ---------------------------------------------------------------- choosing a rate


def test_the_seed_left_out_had_no_say():
    peaks = {
        0.01: {1: 0.5, 2: 0.625, 3: 0.5},
        0.1: {1: 1.0, 2: 0.5, 3: 0.5},
        1.0: {1: 0.5, 2: 0.5, 3: 0.75},
    }
    # means without 1: 0.5625, 0.5, 0.625 -> 1.0; without 2: 0.5, 0.75, 0.625 -> 0.1;
    # without 3: 0.5625, 0.75, 0.5 -> 0.1
    assert race.leave_one_out(peaks) == [Chosen(1, 1.0, 0.5), Chosen(2, 0.1, 0.5), Chosen(3, 0.1, 0.5)]
    # picking by all seeds and reporting the same would promise (1 + 0.5 + 0.5) / 3 = 0.667 instead of 0.5


def test_a_tie_goes_to_the_smaller_rate():
    peaks = {0.3: {1: 0.5, 2: 0.75}, 0.1: {1: 0.5, 2: 0.75}}
    assert [chosen.peak_lr for chosen in race.leave_one_out(peaks)] == [0.1, 0.1]


def test_a_seed_that_a_rate_lacks_takes_no_part():
    peaks = {0.1: {1: 0.5, 2: 0.5, 3: 0.5}, 0.3: {1: 0.75, 2: 0.75}}
    assert [chosen.left_out for chosen in race.leave_one_out(peaks)] == [1, 2]
    assert race.leave_one_out({0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75}}) == []
    assert race.leave_one_out({0.1: {1: 0.5}}) == []


def test_runs_are_sorted_by_peak_rate():
    runs = [
        two_epochs("linear", seed=1, peak_lr=0.3, accuracies=(0.5, 0.75)),
        two_epochs("linear", seed=1, peak_lr=0.1, accuracies=(0.5, 0.625)),
        two_epochs("linear", seed=2, peak_lr=0.1, accuracies=(0.5, 0.25)),
        two_epochs("drop", seed=1, peak_lr=0.3, accuracies=(0.5,), status="diverged"),
    ]
    grid = race.by_peak(runs)
    assert grid == {"linear": {0.1: {1: 0.625, 2: 0.25}, 0.3: {1: 0.75}}, "drop": {0.3: {1: 0.1}}}
    assert list(grid["linear"]) == [0.1, 0.3]
    assert list(grid) == ["drop", "linear"]  # the survey's order


# ---------------------------------------------------------------- a fairer race


def test_race_is_at_one_rate_and_at_its_own():
    # linear without 1: seed 2 chooses 0.1, where 1 has 0.5; without 2: seed 1 chooses 0.3, where 2 has 0.25
    grid = {
        "linear": {0.1: {1: 0.5, 2: 0.75}, 0.3: {1: 1.0, 2: 0.25}},
        "drop": {0.3: {1: 0.5}},
    }
    ((_, rows),) = grids(race.race_table(grid))
    assert rows == [
        ["schedule", "at 0.1", "at its own", "chosen"],
        ["linear", "62.5% n = 2", "37.5% n = 2", "0.1, 0.3"],
        ["drop", "no run yet", "no run yet", "–"],
    ]
    assert grids(race.race_table(grid, fixed=0.3))[0][1][1][:2] == ["linear", "62.5% n = 2"]


TIED = {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.5, 2: 0.5}}


@pytest.mark.parametrize(
    ("grid", "parts"),
    [
        # at 0.1: 0.9 and 0.5; each at its own: 0.9 and 0.75
        (
            {
                "linear": {0.1: {1: 0.9, 2: 0.9}, 0.3: {1: 0.5, 2: 0.5}},
                "constant": {0.1: {1: 0.5, 2: 0.5}, 0.01: {1: 0.75, 2: 0.75}},
            },
            [
                "of 2 schedules lie 40.0 points apart",
                "its own, 15.0 points. The gap is less than half",
                "+0.00 points",
            ],
        ),
        # at 0.1: 0.9 and 0.5; each at its own: 0.9 and 0.65
        (
            {
                "linear": {0.1: {1: 0.9, 2: 0.9}},
                "constant": {0.1: {1: 0.5, 2: 0.5}, 0.01: {1: 0.65, 2: 0.65}},
            },
            ["40.0 points apart", "its own, 25.0 points. The gap is narrower"],
        ),
        # at 0.1: 0.5 and 0.5; each at its own: 0.5 and 0.75
        (
            {"linear": TIED, "constant": {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75, 2: 0.75}}},
            ["lie 0.0 points apart", "its own, 25.0 points. The gap does not shrink"],
        ),
        # linear: its best mean is 0.625; left out in turn, 0.5 and 0.25: 25 points, over two schedules 12.5
        (
            {"linear": {0.1: {1: 0.5, 2: 0.75}, 0.3: {1: 1.0, 2: 0.25}}, "constant": TIED},
            ["lie 12.5 points apart", "its own, 12.5 points. The gap does not shrink", "+12.50 points"],
        ),
        # a seed that one rate lacks counts in no mean: without 3, all are 0.5
        (
            {"linear": {0.1: {1: 0.5, 2: 0.5, 3: 1.0}, 0.3: {1: 0.5, 2: 0.5}}, "constant": TIED},
            ["lie 0.0 points apart", "its own, 0.0 points. The gap does not shrink", "+0.00 points"],
        ),
    ],
)
def test_what_the_race_says_is_chosen_from_the_data(grid, parts):
    sentence = race.raced(grid)
    for part in parts:
        assert part in sentence


def test_a_choice_at_the_edge_of_the_grid_is_said():
    level = {1: 0.5, 2: 0.5}
    grid = {
        "linear": {0.01: level, 0.1: {1: 0.75, 2: 0.75}, 1.0: level},
        "constant": {0.01: {1: 0.75, 2: 0.75}, 0.1: level, 1.0: level},
        "drop": {0.01: level, 0.1: level, 1.0: {1: 0.75, 2: 0.75}},
    }
    said = race.raced(grid)
    assert "chose the lowest rate of the grid for constant: a better one may lie outside." in said
    assert said.endswith("chose the highest rate of the grid for drop: a better one may lie outside.")
    assert "of the grid" not in race.raced({"linear": grid["linear"], "time": grid["linear"]})
    # one seed is enough: without 1, seed 2 chooses 0.1; without 2, seed 1 chooses 0.01
    one = {0.01: {1: 0.9, 2: 0.5}, 0.1: {1: 0.5, 2: 0.9}, 1.0: level}
    said = race.raced({"linear": one, "constant": one, "drop": grid["linear"]})
    assert "Some seeds chose the lowest rate of the grid for linear and constant: a better" in said
    assert "highest rate" not in said


def test_a_race_without_seeds_says_so():
    one = {"linear": {0.1: {1: 0.5}}, "constant": {0.1: {1: 0.5}}}
    assert race.raced(one).endswith("they are not recorded yet.")
    assert race.raced({"linear": TIED}).endswith("they are not recorded yet.")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: race.leave_one_out({}), "peaks must hold at least one peak rate, got none"),
        (lambda: race.by_peak([]), "runs must hold at least one run, got none"),
        (
            lambda: race.by_peak([two_epochs(), two_epochs(peak_lr=0.3, batch_size=8)]),
            "differ in schedule, seed and peak rate only, got batch_size = 5 and 8",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
