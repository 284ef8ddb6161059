"""The words for rankings, at their edges.

Accuracies vary over seeds by a hundredth of a point or so: a gap of a point is far beyond doubt, and the mean
gap is exactly what the case says. Curves are ramps and steps whose words can be decided on paper. All runs
are synthetic.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from claim_cases import (
    accuracies,
    printed,
    rate_grid,
    rates,
    verdict,
)
from lrbook.chapters.claims import definitions
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN
from lrbook.chapters.claims.ranking_rules import ranking, rates_apart
from lrbook.chapters.claims.verdicts import judge
from lrlib.stats import FAMILY, sampling_error
from synthetic import synthetic_run

SURVEY = Path(__file__).parents[4] / "book" / "survey"


@pytest.mark.parametrize(("points", "expected"), [(0.9, SEEN), (1.0, NOT_SEEN), (1.5, NOT_SEEN)])
def test_similar_is_within_a_point(points, expected):
    assert (
        verdict(ranking("similar", ("linear", "drop")), *accuracies({"drop": 0, "linear": points}))
        == expected
    )


def test_a_small_difference_that_is_not_shown_to_be_small_is_open():
    # d = 0.5 -+ 0.4 points over five seeds: better than 0 at no correction, and not within a point by t = 1.2
    wide = [
        synthetic_run(name, {"test_accuracy": [0.8 + above / 100]}, of="laptop", seed=seed)
        for seed, linear in enumerate((0.0, 0.3, 0.5, 0.7, 1.0), 1)
        for name, above in {"drop": 0.0, "linear": linear}.items()
    ]
    assert verdict(ranking("similar", ("linear", "drop")), *wide) == CANNOT_BE_TOLD


@pytest.mark.parametrize(("points", "expected"), [(-2.99, SEEN), (-3.0, NOT_SEEN), (0.0, NOT_SEEN)])
def test_a_little_is_less_than_three_points(points, expected):
    rule = ranking("a little worse", ("time", "constant"))
    assert verdict(rule, *accuracies({"constant": 0, "time": points})) == expected


def test_four_sampling_errors_decide_in_print():
    # sqrt(0.5 * 0.5 / 10,000 * 2) = 0.0070711; four of them are 0.0282843, and a little less off one half
    rule = ranking("better", ("linear", "constant"))
    assert rule(printed(constant=0.5, linear=0.5282)).verdict == CANNOT_BE_TOLD
    assert rule(printed(constant=0.5, linear=0.5283)).verdict == SEEN


def test_four_sampling_errors_are_about_two_standard_deviations_of_it_all():
    # The plan: the last epochs of the pilot's fixed rate have an sd of 0.85 points. An accuracy of 0.84 on
    # 10,000 pictures has 0.37, the difference of two 0.52.
    assert "standard deviation of 0.85 points" in (SURVEY / "plan.md").read_text()
    error = 100 * math.sqrt(2) * sampling_error(0.84, images=10_000)
    assert 1.5 < 0.85 / error < 2
    assert definitions.SAMPLING_ERRORS * error / math.hypot(error, 0.85) == pytest.approx(2, abs=0.2)


def test_the_best_needs_every_pair():
    rule = ranking("the best", ("linear", "constant"), ("linear", "drop"))
    assert verdict(rule, *accuracies({"constant": 0, "linear": 3})) == CANNOT_BE_TOLD  # no drop yet
    finding = rule(accuracies({"constant": 0, "linear": 3, "drop": 2}))
    assert (finding.n, finding.verdict) == (5, SEEN)
    assert "linear - drop: +1.00 points" in finding.because


def test_a_pair_outside_the_plan_is_tested_in_a_family_of_14():
    # d = 1, 2, 3, 4 points (test_paired.py, on paper): p = 0.030466 alone
    runs = [
        synthetic_run(name, {"test_accuracy": [0.8 + above / 100]}, of="laptop", seed=seed)
        for seed, poly in enumerate((1.0, 2.0, 3.0, 4.0), 1)
        for name, above in {"drop": 0.0, "poly5": poly}.items()
    ]
    assert ("poly5", "drop") not in FAMILY
    found = ranking("better", ("poly5", "drop"))(runs)
    assert found.because == f"poly5 - drop: +2.50 points, Holm p = {14 * 0.030466:.2g}"
    # in the plan, the other way round: turned, not tested again
    renamed = {"drop": "linear", "poly5": "poly5"}
    runs = [
        each.model_copy(update={"config": each.config.changed(recipe=renamed[each.label])}) for each in runs
    ]
    found = ranking("worse", ("linear", "poly5"))(runs)
    assert found.because == f"linear - poly5: -2.50 points, Holm p = {13 * 0.030466:.2g}"


def test_a_diverged_run_counts_as_chance_in_rankings_and_is_named():
    runs = accuracies({"constant": 0, "linear": 3})
    gone = synthetic_run("constant", {"test_accuracy": [0.8]}, of="laptop", seed=3, status="diverged")
    runs = [gone if (each.label, each.config.seed) == ("constant", 3) else each for each in runs]
    found = ranking("better", ("linear", "constant"))(runs)
    assert "(diverged, counted as 10%: constant with seed 3)" in found.because
    assert found.verdict == CANNOT_BE_TOLD  # one difference of 73 points among four of 3
    # without a partner it counts nowhere
    lone = synthetic_run("constant", {"test_accuracy": [0.8]}, of="laptop", seed=9, status="diverged")
    found = ranking("better", ("linear", "constant"))([*accuracies({"constant": 0, "linear": 3}), lone])
    assert (found.n, found.verdict) == (5, SEEN)
    assert "diverged" not in found.because


def test_a_rate_in_between_must_beat_both_ends_and_be_in_the_grid():
    assert judge("rates", rate_grid({0.1: 0, 1.0: -5})).because == "fewer than three rates recorded yet"
    level = rate_grid({0.003: 0, 0.1: 0, 1.0: -5})
    assert verdict(rates_apart(), *level) == NOT_SEEN  # as good as the lower end, within a point
    either = rate_grid({0.003: -5, 0.01: 0, 0.1: 0, 1.0: -5})
    found = rates_apart()(either)
    assert found.verdict == SEEN
    assert found.because.startswith("rate 0.01 - rate 0.003: +5.00 points")
    others = [synthetic_run("linear", {"test_accuracy": [0.9]}, peak_lr=0.01)]
    assert rates_apart()(others).because == "no run yet"  # only a constant rate is asked


def test_a_rate_against_both_ends_is_a_family_of_two():
    # d = 4, 1, 3, 2 points (test_paired.py, on paper): p = 0.030466 alone
    ends = [0.80] * 4
    found = rates_apart()(rates({0.01: ends, 0.1: [0.84, 0.81, 0.83, 0.82], 1.0: ends}))
    text = f"+2.50 points, Holm p = {2 * 0.030466:.2g}"
    assert found == (4, CANNOT_BE_TOLD, f"rate 0.1 - rate 0.01: {text}; rate 0.1 - rate 1: {text}")


def test_one_open_rate_in_between_leaves_it_open():
    # 0.01 is worse than both ends; 0.1 differs by -8, 10, -4, 5, -1 points or so: mean 0.4, either sign
    near = [0.7998, 0.7999, 0.80, 0.8001, 0.8002]
    worse, open_ = [0.7501, 0.7499, 0.7502, 0.75, 0.7498], [0.72, 0.90, 0.76, 0.85, 0.79]
    assert verdict(rates_apart(), *rates({0.003: near, 0.01: worse, 1.0: near[::-1]})) == NOT_SEEN
    found = rates_apart()(rates({0.003: near, 0.01: worse, 0.1: open_, 1.0: near[::-1]}))
    assert found.verdict == CANNOT_BE_TOLD


def test_the_numbers_shown_are_those_of_the_best_rate_in_between():
    found = rates_apart()(rate_grid({0.003: 5, 0.01: -5, 0.1: 0, 1.0: -5}))
    assert found.verdict == NOT_SEEN
    assert found.because.startswith("rate 0.1 - rate 0.003: -5.00 points")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: ranking("larger", ("linear", "constant")), "word must be one of .* got 'larger'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
