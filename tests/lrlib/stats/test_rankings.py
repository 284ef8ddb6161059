"""Rankings: drawn ones against enumeration of every draw, and rates chosen and worked out by hand.

All values and runs in this file are synthetic: made here, never measured.
"""

from itertools import product

import pytest

from lrlib.runs import store
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import rankings
from synthetic import two_epochs

# few levels, so that ties are common
VALUES = {
    "constant": {1: 0.5, 2: 0.75, 3: 0.5},
    "linear": {1: 0.75, 2: 0.875},
    "drop": {4: 0.75, 5: 0.75, 6: 0.875, 7: 0.25},
    "cosine": {1: 0.625},
}


def enumerated(accuracies):
    """First places over every draw, one after another: the slow reference."""
    wins = dict.fromkeys(accuracies, 0.0)
    draws = list(product(*(runs.values() for runs in accuracies.values())))
    for draw in draws:
        first = [name for name, value in zip(accuracies, draw, strict=True) if value == max(draw)]
        for name in first:
            wins[name] += 1 / len(first) / len(draws)
    return wins


def test_first_places_are_those_of_every_draw():
    assert rankings.first_places(VALUES) == pytest.approx(enumerated(VALUES), abs=1e-14)
    assert sum(rankings.first_places(VALUES).values()) == pytest.approx(1.0)


def test_first_places_by_hand():
    # Of four draws, linear (0.75) is above constant's 0.5 in two, and level with its 0.75 in two: 1/2 + 1/4.
    two = {"constant": {1: 0.5, 2: 0.75}, "linear": {1: 0.75, 2: 0.75}}
    assert rankings.first_places(two) == {"constant": 0.25, "linear": 0.75}
    assert rankings.first_places({"a": {1: 0.5}, "b": {1: 0.5}, "c": {1: 0.5}}) == pytest.approx(
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    )
    assert rankings.first_places({"linear": {1: 0.5}}) == {"linear": 1.0}


def test_rounding_makes_no_winner():
    assert rankings.first_places({"a": {1: 0.1 + 0.2}, "b": {1: 0.3}}) == {"a": 0.5, "b": 0.5}
    assert rankings.shuffles({"a": {1: 0.1 + 0.2}, "b": {1: 0.3}}, draws=2, seed=0) == {"a": 0.5, "b": 0.5}


def test_shuffles_come_near_the_exact_chances():
    # 4,000 draws: a share's standard error is at most sqrt(0.25 / 4000) = 0.0079; five of them are allowed
    drawn, exact = rankings.shuffles(VALUES, draws=4000, seed=0), rankings.first_places(VALUES)
    assert drawn == pytest.approx(exact, abs=0.04)
    assert sum(drawn.values()) == pytest.approx(1.0)


def test_a_shuffle_is_a_ranking_of_recorded_runs():
    ranking = rankings.shuffle(VALUES, seed=3)
    assert sorted(each.schedule for each in ranking) == sorted(VALUES)
    assert all(VALUES[each.schedule][each.seed] == each.accuracy for each in ranking)
    accuracies = [each.accuracy for each in ranking]
    assert accuracies == sorted(accuracies, reverse=True)


def test_the_seed_decides_the_draw():
    assert rankings.shuffle(VALUES, seed=3) == rankings.shuffle(VALUES, seed=3)
    seeds = {rankings.shuffle(VALUES, seed=seed)[0] for seed in range(50)}
    assert len(seeds) > 1


def test_schedules_are_drawn_apart():
    # with one seed for all, constant's seed 2 would never meet linear's seed 1
    both = {"constant": {1: 0.25, 2: 0.5}, "linear": {1: 0.75, 2: 1.0}}
    pairs = {
        tuple(sorted((each.schedule, each.seed) for each in rankings.shuffle(both, seed=seed)))
        for seed in range(60)
    }
    assert len(pairs) == 4


def test_orders_counts_different_rankings():
    fixed = {"constant": {1: 0.5}, "linear": {1: 0.75}}
    assert rankings.orders(fixed, draws=30, seed=0) == 1
    # a at 0.5; b at 0.25 or 0.75; c at 0.375 or 1: cab, cba, acb, bac
    four = {"a": {1: 0.5}, "b": {1: 0.25, 2: 0.75}, "c": {1: 0.375, 2: 1.0}}
    assert rankings.orders(four, draws=200, seed=0) == 4


# ---------------------------------------------------------------- which study


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A folder of synthetic records: "full" has 2 seeds of all schedules, "half" lacks one run."""
    monkeypatch.setattr(store, "RECORDED", tmp_path)
    for name in ("full", "half"):
        for recipe, seed in product(SURVEY, (1, 2)):
            if (name, recipe, seed) != ("half", "drop", 2):
                run = two_epochs(recipe, seed=seed, epochs=8, accuracies=[0.5 + seed / 8] * 8)
                (tmp_path / name).mkdir(exist_ok=True)
                store.write_run(run, tmp_path / name / f"{recipe}-seed{seed}.json")
    return tmp_path


def test_the_first_study_with_enough_seeds_is_taken(recorded):
    name, accuracies = rankings.enough_seeds("unrecorded", "half", "full")
    assert name == "full"
    assert accuracies == {recipe: {1: 0.625, 2: 0.75} for recipe in SURVEY}
    assert rankings.enough_seeds("half", "full", least=1)[0] == "half"
    with pytest.raises(ValueError, match="none of the studies half has 2 seeds"):
        rankings.enough_seeds("half")


# ---------------------------------------------------------------- a peak rate for each schedule


def test_the_seed_left_out_had_no_say():
    peaks = {
        0.01: {1: 0.5, 2: 0.625, 3: 0.5},
        0.1: {1: 1.0, 2: 0.5, 3: 0.5},
        1.0: {1: 0.5, 2: 0.5, 3: 0.75},
    }
    # means without 1: 0.5625, 0.5, 0.625 -> 1.0; without 2: 0.5, 0.75, 0.625 -> 0.1;
    # without 3: 0.5625, 0.75, 0.5 -> 0.1
    assert rankings.leave_one_out(peaks) == [
        rankings.Chosen(1, 1.0, 0.5),
        rankings.Chosen(2, 0.1, 0.5),
        rankings.Chosen(3, 0.1, 0.5),
    ]


def test_a_tie_goes_to_the_smaller_rate():
    peaks = {0.3: {1: 0.5, 2: 0.75}, 0.1: {1: 0.5, 2: 0.75}}
    assert [chosen.peak_lr for chosen in rankings.leave_one_out(peaks)] == [0.1, 0.1]


def test_a_seed_that_a_rate_lacks_takes_no_part():
    peaks = {0.1: {1: 0.5, 2: 0.5, 3: 0.5}, 0.3: {1: 0.75, 2: 0.75}}
    assert [chosen.left_out for chosen in rankings.leave_one_out(peaks)] == [1, 2]
    assert rankings.leave_one_out({0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75}}) == []
    assert rankings.leave_one_out({0.1: {1: 0.5}}) == []


def test_runs_are_sorted_by_peak_rate():
    runs = [
        two_epochs("linear", seed=1, peak_lr=0.3, accuracies=(0.5, 0.75)),
        two_epochs("linear", seed=1, peak_lr=0.1, accuracies=(0.5, 0.625)),
        two_epochs("linear", seed=2, peak_lr=0.1, accuracies=(0.5, 0.25)),
        two_epochs("drop", seed=1, peak_lr=0.3, accuracies=(0.5,), status="diverged"),
    ]
    grid = rankings.by_peak(runs)
    assert grid == {"linear": {0.1: {1: 0.625, 2: 0.25}, 0.3: {1: 0.75}}, "drop": {0.3: {1: 0.1}}}
    assert list(grid["linear"]) == [0.1, 0.3]
    assert list(grid) == ["drop", "linear"]  # the survey's order


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: rankings.shuffle({}, seed=0),
            ValueError,
            "accuracies must hold at least one schedule, got none",
        ),
        (
            lambda: rankings.shuffle({"a": {}}, seed=0),
            ValueError,
            r"accuracies\['a'\] must hold at least one run",
        ),
        (lambda: rankings.shuffle(VALUES, seed=-1), ValueError, "seed must be >= 0, got -1"),
        (lambda: rankings.shuffle(VALUES, seed=0.5), TypeError, "seed must be an integer >= 0, got 0.5"),
        (lambda: rankings.shuffles(VALUES, draws=0, seed=0), ValueError, "draws must be >= 1, got 0"),
        (lambda: rankings.orders(VALUES, draws=0, seed=0), ValueError, "draws must be >= 1, got 0"),
        (lambda: rankings.first_places({}), ValueError, "accuracies must hold at least one schedule"),
        (lambda: rankings.leave_one_out({}), ValueError, "peaks must hold at least one peak rate, got none"),
        (lambda: rankings.by_peak([]), ValueError, "runs must hold at least one run, got none"),
        (
            lambda: rankings.by_peak([two_epochs(), two_epochs(peak_lr=0.3, batch_size=8)]),
            ValueError,
            "differ in schedule, seed and peak rate only, got batch_size = 5 and 8",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
