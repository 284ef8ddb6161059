"""Statistics: numbers worked on paper, simulated studies whose truth is known, and the plan's own numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from lrlib.runs.store import load_runs
from lrlib.schedules import RECIPES
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import (
    CHANCE,
    FAMILY,
    compare_all,
    equivalence_power,
    family,
    holm,
    interval,
)
from simulated import CLOSE, DIFFERS, POINT, at_most, studies, within
from synthetic import two_epochs

PLAN = Path(__file__).parents[3] / "book" / "survey" / "plan.md"


def two(differences_points, reference=0.80):
    """Accuracies of A and B whose differences A - B are these, in points, with seeds 1, 2, ..."""
    seeds = range(1, len(differences_points) + 1)
    return {
        "A": {seed: reference + POINT * d for seed, d in zip(seeds, differences_points, strict=True)},
        "B": dict.fromkeys(seeds, reference),
    }


def compare_two(differences_points, **rules):
    (comparison,) = compare_all(two(differences_points), pairs=[("A", "B")], **rules)
    return comparison


def test_the_family_of_the_plan():
    assert tuple(RECIPES)[:8] == SURVEY
    rest = ("time", "drop", "poly5", "triangle", "cosine", "cosine5")
    assert set(FAMILY) == {
        ("linear", "constant"),
        *((name, "constant") for name in rest),
        *((name, "linear") for name in rest),
    }
    assert len(FAMILY) == 13
    assert family(["drop", "constant"]) == (("drop", "constant"),)


# --- on paper -------------------------------------------------------------------------------------
# Student's t has closed forms for few degrees of freedom:
#   df 2: P(T > t) = (1 - t / sqrt(2 + t^2)) / 2
#   df 3: P(T > t) = 1/2 - (x / (1 + x^2) + arctan x) / pi   with x = t / sqrt 3


def test_paired_t_of_three_seeds_on_paper():
    # d = 1, 2, 3 points: mean 2, sd 1, standard error 1 / sqrt 3, t = sqrt 12 = 3.4641.
    # p = 1 - sqrt 12 / sqrt 14 = 1 - 0.925820 = 0.074180; a table has t = 2.920 for 0.10, 4.303 for 0.05.
    c = compare_two([1, 2, 3])
    assert (c.n, c.seeds) == (3, (1, 2, 3))
    assert c.mean_difference == pytest.approx(0.02, rel=1e-12)
    assert c.mean_difference_points == pytest.approx(2, rel=1e-12)
    assert c.sd == pytest.approx(0.01, rel=1e-12)
    assert c.p == pytest.approx(0.0741799, abs=5e-8)
    assert c.holm_p == c.p
    # The interval has t = 4.30265: 2 -+ 4.30265 / sqrt 3 = 2 -+ 2.48414.
    assert c.interval_points == pytest.approx((-0.48414, 4.48414), abs=5e-6)
    assert c.verdict == "not decidable"


def test_paired_t_of_four_seeds_on_paper():
    # d = 4, 1, 3, 2: mean 2.5, squares of the deviations 5, variance 5/3, standard error sqrt(5/12).
    # t = 2.5 / 0.645497 = sqrt 15 = 3.872983, x = sqrt 5: p = 1 - 2 (sqrt 5 / 6 + arctan sqrt 5) / pi
    # = 1 - 2 (0.3726780 + 1.1502620) / 3.1415927 = 0.030466; a table has 3.182 for 0.05 and 4.541 for 0.02.
    c = compare_two([4, 1, 3, 2])
    assert c.sd == pytest.approx(0.01 * math.sqrt(5 / 3), rel=1e-12)
    assert c.p == pytest.approx(0.030466, abs=1e-6)
    # t = 3.18245 of the table: 2.5 -+ 3.18245 * 0.645497 = 2.5 -+ 2.05426
    assert c.interval_points == pytest.approx((0.44574, 4.55426), abs=1e-5)
    assert c.verdict == "better"


def test_the_other_way_round():
    c, back = compare_two([4, 1, 3, 2]), compare_two([-4, -1, -3, -2])
    assert back.p == pytest.approx(c.p, rel=1e-12)
    assert back.interval == pytest.approx((-c.interval[1], -c.interval[0]), rel=1e-12)
    assert back.verdict == "worse"


def test_bonferroni_interval_on_paper():
    # Two pairs, 97.5 % each. df 2: t / sqrt(2 + t^2) = 0.975, so t^2 = 1.90125 / 0.049375 = 38.5063,
    # t = 6.20535. For d = 1, 2, 3: 2 -+ 6.20535 / sqrt 3 = 2 -+ 3.58266.
    values = {**two([1, 2, 3]), "C": {1: 0.7, 2: 0.8, 3: 0.75}}
    c, _ = compare_all(values, pairs=[("A", "B"), ("C", "B")])
    assert c.interval_points == pytest.approx((-1.58266, 5.58266), abs=1e-5)


def test_two_one_sided_tests_on_paper():
    # d = -0.1, 0, 0.1: mean 0, standard error 0.1 / sqrt 3; both ends are 1 point away: t = sqrt 300,
    # p = (1 - sqrt(300 / 302)) / 2 = (1 - 0.99668326) / 2 = 0.0016584.
    c = compare_two([-0.1, 0, 0.1])
    assert c.equivalence_p == pytest.approx(0.0016584, abs=1e-7)
    assert c.p == pytest.approx(1, abs=1e-9)
    assert c.verdict == "as good as"
    # d = 0.4, 0.5, 0.6: the nearer end is 0.5 away, t = sqrt 75, p = (1 - sqrt(75 / 77)) / 2
    # = (1 - 0.98692754) / 2 = 0.0065362; two-sided from 0 it is twice that, 0.0130725: both hold.
    for sign, verdict in ((1, "better, by less than a point"), (-1, "worse, by less than a point")):
        c = compare_two([sign * 0.4, sign * 0.5, sign * 0.6])
        assert (c.equivalence_p, c.p) == pytest.approx((0.0065362, 0.0130725), abs=1e-7)
        assert c.verdict == verdict
    # Beyond the margin: the nearer end is 0.5 away on the wrong side.
    c = compare_two([1.4, 1.5, 1.6])
    assert c.equivalence_p == pytest.approx(1 - 0.0065362, abs=1e-7)
    assert c.verdict == "better"


def test_another_margin_is_named():
    # d = 0.4, 0.5, 0.6 and margin 2: t = 1.5 sqrt 300, p = (1 - sqrt(675 / 677)) / 2
    # = (1 - 0.99852180) / 2 = 0.0007391.
    c = compare_two([0.4, 0.5, 0.6], margin_points=2)
    assert c.equivalence_p == pytest.approx(0.0007391, abs=1e-7)
    assert c.verdict == "better, by less than 2 points"


def test_another_level_moves_verdict_and_interval():
    # p = 0.0742 from above; at 90 % t = 2.91999: 2 -+ 1.68586
    c = compare_two([1, 2, 3], alpha=0.10)
    assert c.verdict == "better"
    assert c.interval_points == pytest.approx((0.31414, 3.68586), abs=1e-5)


def test_holm_on_paper():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; the last may not fall.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []
    # What could not be tested counts in the family: 0.01 * 3, 0.02 * 2.
    adjusted = holm([0.02, math.nan, 0.01])
    assert adjusted[::2] == pytest.approx([0.04, 0.03], rel=1e-12)
    assert math.isnan(adjusted[1])


def test_the_verdicts_of_a_family_on_paper():
    # p of A against B: 0.030466 (above), alone "better"; in a family of two with p = 1 beside it, 0.060932.
    values = {**two([4, 1, 3, 2]), "C": {1: 0.7, 2: 0.9, 3: 0.7, 4: 0.9}}
    a, c = compare_all(values, pairs=[("A", "B"), ("C", "B")])
    assert c.p == pytest.approx(1, abs=1e-9)
    assert a.holm_p == pytest.approx(0.060932, abs=2e-6)
    assert a.verdict == c.verdict == "not decidable"
    # Equivalence too: 0.0065362 * 2 = 0.0130724 < 0.05, and 0.0130725 * 2 = 0.026145 < 0.05.
    values = {**two([0.4, 0.5, 0.6]), "C": {1: 0.7, 2: 0.9, 3: 0.8}}
    a, _ = compare_all(values, pairs=[("A", "B"), ("C", "B")])
    assert (a.holm_p, a.equivalence_holm_p) == pytest.approx((0.026145, 0.0130724), abs=2e-7)
    assert a.verdict == "better, by less than a point"


def test_correlation_and_what_pairing_gains_on_paper():
    # A = 81, 82, 83 and B = 80, 82, 81: deviations -1, 0, 1 and -1, 1, 0. sds 1 and 1, covariance 1/2, so the
    # correlation is 1/2; d = 1, 0, 2 has sd 1, and sqrt(1 + 1) without pairing.
    values = {"A": {1: 0.81, 2: 0.82, 3: 0.83}, "B": {1: 0.80, 2: 0.82, 3: 0.81}}
    (c,) = compare_all(values, pairs=[("A", "B")])
    assert c.correlation == pytest.approx(0.5, abs=1e-12)
    assert (c.sd, c.sd_unpaired) == pytest.approx((0.01, 0.01 * math.sqrt(2)), rel=1e-12)
    assert math.isnan(
        compare_all({"A": {1: 0.8, 2: 0.9}, "B": {1: 0.7, 2: 0.6}}, pairs=[("A", "B")])[0].correlation
    )


def test_interval_of_a_mean_on_paper():
    # 1, 2, 3, 4: mean 2.5, sd sqrt(5/3); t = 2.35336 for 90 %: 2.35336 * 0.645497 = 1.51909
    assert interval([1, 2, 3, 4], level=0.90) == pytest.approx((0.98091, 4.01909), abs=1e-5)
    for values in ([0.8], [0.8, 0.8, 0.8]):
        assert all(math.isnan(bound) for bound in interval(values))


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_against_scipys_own_tests(n):
    rng = np.random.default_rng(n)
    a, b = 0.8 + 0.01 * rng.standard_normal((2, n))
    (c,) = compare_all({"A": dict(enumerate(a)), "B": dict(enumerate(b))}, pairs=[("A", "B")])
    theirs = scipy.stats.ttest_rel(a, b)
    below = scipy.stats.ttest_1samp(a - b, -POINT, alternative="greater").pvalue
    above = scipy.stats.ttest_1samp(a - b, POINT, alternative="less").pvalue
    assert c.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert c.equivalence_p == pytest.approx(max(below, above), rel=1e-9)
    assert c.interval == pytest.approx(tuple(theirs.confidence_interval(0.95)), rel=1e-9)


# --- too little to decide -------------------------------------------------------------------------


@pytest.mark.parametrize("difference", [0, 0.3, 5, -70])
def test_one_seed_decides_nothing(difference):
    c = compare_two([difference])
    assert (c.n, c.verdict) == (1, "not decidable")
    assert c.mean_difference_points == pytest.approx(difference, abs=1e-12)
    unknown = (
        c.sd,
        c.sd_unpaired,
        c.correlation,
        c.p,
        c.holm_p,
        c.equivalence_p,
        c.equivalence_holm_p,
        *c.interval,
    )
    assert all(math.isnan(value) for value in unknown)
    assert c.sentence() == f"A against B: not decidable; {difference:+.2f} points, from 1 seed."


@pytest.mark.parametrize("difference", [0, 3])
def test_equal_differences_tell_no_spread(difference):
    # 0.83 - 0.80, 0.84 - 0.81, ... differ in the last bits; warnings are errors here.
    reference = {1: 0.80, 2: 0.81, 3: 0.7777, 4: 0.12}
    values = {"A": {s: x + POINT * difference for s, x in reference.items()}, "B": reference}
    (c,) = compare_all(values, pairs=[("A", "B")])
    assert (c.sd, c.verdict) == (0, "not decidable")
    assert math.isnan(c.p)
    assert math.isnan(c.equivalence_p)
    assert c.correlation == pytest.approx(1)
    assert f"{difference:+.2f} points with each of 4 seeds, so that nothing tells" in c.sentence()


def test_only_seeds_of_both_are_used():
    # Common are 2, 3 and 5, with d = 1, 2, 3 as on paper above; 9 and 1 would spoil it, and so would any
    # other pairing.
    a = {9: 0.1, 2: 0.76, 3: 0.82, 5: 0.73}
    b = {1: 0.9, 5: 0.70, 3: 0.80, 2: 0.75}
    (c,) = compare_all({"A": a, "B": b}, pairs=[("A", "B")])
    assert (c.n, c.seeds) == (3, (2, 3, 5))
    assert c.p == pytest.approx(0.0741799, abs=5e-8)
    assert "n = 3 seeds" in c.sentence()


def test_missing_runs_do_not_shrink_the_family():
    # Only two schedules are there: p = 0.030466 alone, 13 times that in the family of the plan.
    values = two([4, 1, 3, 2])
    comparisons = compare_all({"linear": values["A"], "constant": values["B"]})
    assert [(c.schedule, c.reference) for c in comparisons] == list(FAMILY)
    there = next(c for c in comparisons if c.n)
    assert there.holm_p == pytest.approx(13 * 0.030466, abs=2e-5)
    missing = [c for c in comparisons if not c.n]
    assert len(missing) == 12
    assert {c.verdict for c in missing} == {"not decidable"}
    assert missing[0].sentence().endswith(" against constant: not decidable; no seed has both.")
    assert all(math.isnan(c.mean_difference) for c in missing)


# --- runs -----------------------------------------------------------------------------------------


def test_a_diverged_run_of_even_or_odd_counts_as_a_half_and_the_sentence_says_so():
    runs = [
        two_epochs("constant", seed=1, accuracies=(0.6,), status="diverged", task="parity"),
        two_epochs("linear", seed=1, accuracies=(0.5, 0.75), task="parity"),
    ]
    (c,) = compare_all(runs, pairs=[("linear", "constant")])
    assert c.mean_difference_points == pytest.approx(25)
    assert "diverged, and counted as 50%: constant with seed 1." in c.sentence()


def test_a_diverged_run_stays_in_and_is_named():
    # constant 0.70, 0.71, 0.10 and linear 0.75 each: d = 5, 4, 65 points, mean 74/3.
    runs = [two_epochs("constant", seed=seed, accuracies=(0.5, a)) for seed, a in ((1, 0.70), (2, 0.71))]
    runs.append(two_epochs("constant", seed=3, accuracies=(0.6,), status="diverged"))
    runs += [two_epochs("linear", seed=seed, accuracies=(0.5, 0.75)) for seed in (1, 2, 3)]
    # without a partner: counts nowhere
    runs.append(two_epochs("linear", seed=4, accuracies=(0.6,), status="diverged"))
    pairs = [("linear", "constant"), ("drop", "linear")]
    linear, drop = compare_all(iter(runs), pairs=pairs)
    assert linear.mean_difference_points == pytest.approx(74 / 3, rel=1e-12)
    assert linear.diverged == (("constant", 3),)
    assert linear.verdict == "not decidable"  # t = 24.667 / (34.933 / sqrt 3) = 1.22, a table asks for 4.30
    assert linear.sentence().endswith("; diverged, and counted as 10%: constant with seed 3.")
    assert drop.diverged == ()
    assert "diverged" not in drop.sentence()


@pytest.mark.parametrize(
    ("values", "rules", "error", "message"),
    [
        (
            {"linear": {1: 81.2}},
            {},
            ValueError,
            r"accuracy of linear with seed 1 must be in \[0, 1\], got 81.2",
        ),
        ({"linear": {1: 1.5}}, {}, ValueError, r"must be in \[0, 1\], got 1\.5"),
        ({"linear": {1: math.nan}}, {}, ValueError, "with seed 1 must be in .* got nan"),
        ({"lineer": {1: 0.8}}, {}, ValueError, r"schedules in pairs, got 'lineer'; see family\(\)"),
        ({}, {"pairs": []}, ValueError, r"each pair once, got \(\)"),
        ({}, {"pairs": [("A", "A")]}, ValueError, "each pair once, got .*'A', 'A'"),
        ({}, {"pairs": [("A", "B"), ("B", "A")]}, ValueError, "each pair once"),
        ({}, {"pairs": [("A", "B", "C")]}, ValueError, "two labels"),
        ({}, {"margin_points": 0}, ValueError, r"margin_points must be in \(0, 100\), got 0"),
        ({}, {"margin_points": "1"}, TypeError, r"margin_points must be a number in \(0, 100\), got '1'"),
        ({}, {"alpha": 5}, ValueError, r"alpha must be in \(0, 1\), got 5"),
        ({}, {"alpha": True}, TypeError, r"alpha must be a number in \(0, 1\), got True"),
    ],
)
def test_wrong_arguments_of_compare_all(values, rules, error, message):
    with pytest.raises(error, match=message):
        compare_all(values, **rules)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: holm([0.1, 1.1]), ValueError, r"p_values must be in \[0, 1\] or nan, got 1.1"),
        (lambda: interval([]), ValueError, r"at least one number, all finite, got \[\]"),
        (lambda: interval([0.5, math.nan]), ValueError, "all finite, got .*nan"),
        (lambda: interval([0.5, 0.6], level=95), ValueError, r"level must be in \(0, 1\), got 95"),
    ],
)
def test_wrong_arguments_of_the_rest(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- simulated studies: the truth is known --------------------------------------------------------


def test_no_schedule_wins_where_all_are_equal():
    count, any_verdict, any_uncorrected, covered, close = 1500, 0, 0, 0, 0
    truth = dict.fromkeys(SURVEY, 0.80)
    for study in studies(np.random.default_rng(1), truth, count=count, own_sd=0.003):
        comparisons = compare_all(study)
        any_verdict += any(c.verdict in DIFFERS for c in comparisons)
        any_uncorrected += any(c.p < 0.05 for c in comparisons)
        covered += all(c.interval[0] <= 0 <= c.interval[1] for c in comparisons)
        close += sum(c.verdict in CLOSE for c in comparisons)
    assert at_most(any_verdict / count, 0.05, count)
    assert any_uncorrected / count > 0.20  # without the correction the same studies would mislead
    assert at_most(1 - covered / count, 0.05, count)
    # Equality is found too, at least as often as at Holm's first step: sd of the differences 0.003 * sqrt 2.
    assert close / (13 * count) > equivalence_power(n=5, sd=0.3 * math.sqrt(2), family=13)


def test_few_false_winners_where_some_are_true():
    # Truly different by 2 points and more, but three pairs of the family are equal.
    truth = dict(zip(SURVEY, (0.76, 0.76, 0.78, 0.82, 0.78, 0.84, 0.82, 0.82), strict=True))
    count, false, uncorrected, true, covered = 1500, 0, 0, 0, 0
    for study in studies(np.random.default_rng(2), truth, count=count, own_sd=0.002):
        comparisons = compare_all(study)
        gaps = [truth[c.schedule] - truth[c.reference] for c in comparisons]
        equal = [c for c, gap in zip(comparisons, gaps, strict=True) if abs(gap) < 1e-9]
        assert len(equal) == 3
        false += any(c.verdict in DIFFERS for c in equal)
        uncorrected += any(c.p < 0.05 for c in equal)
        true += sum(
            c.verdict == ("better" if gap > 0 else "worse")
            for c, gap in zip(comparisons, gaps, strict=True)
            if abs(gap) > 1e-9
        )
        covered += all(
            c.interval[0] <= gap <= c.interval[1] for c, gap in zip(comparisons, gaps, strict=True)
        )
    assert at_most(false / count, 0.05, count)
    assert uncorrected / count > 0.09
    assert true / (10 * count) > 0.99
    assert at_most(1 - covered / count, 0.05, count)


def test_a_tiny_p_is_bounded_and_not_rounded_to_nothing():
    # d = 5, 5.001, 5.002 points: t = 5.001 sqrt(3) / 0.001 = 8662, and p is about 1 / t^2 = 1.3e-8
    assert "Holm p < 0.0001, n = 3 seeds" in compare_two([5.0, 5.001, 5.002]).sentence()
    # d = 2.9, 3, 3.1: t = 3 sqrt(3) / 0.1 = 51.96, p = 1 - 51.96 / sqrt(2702) = 0.00037
    assert "Holm p = 0.00037, n = 3 seeds" in compare_two([2.9, 3.0, 3.1]).sentence()


def test_a_difference_of_the_margin_is_seldom_called_none():
    # Family of one, small noise: the two one-sided tests have exactly their 5 % at the margin.
    count, rng = 4000, np.random.default_rng(3)
    drawn = studies(rng, {"A": 0.81, "B": 0.80}, count=count, own_sd=0.002)
    called = [compare_all(s, pairs=[("A", "B")])[0].verdict in CLOSE for s in drawn]
    assert within(np.mean(called), 0.05, count)


def test_the_family_holds_its_level_at_the_margin_too():
    # All against constant are a full point apart: seven chances of a false "as good as", or "by less than".
    truth = {label: 0.80 if label == "constant" else 0.81 for label in SURVEY}
    count, false, uncorrected, wrong = 1200, 0, 0, 0
    for study in studies(np.random.default_rng(4), truth, count=count, own_sd=0.002):
        comparisons = compare_all(study)
        apart = [c for c in comparisons if c.reference == "constant"]
        false += any(c.verdict in CLOSE for c in apart)
        uncorrected += any(c.equivalence_p < 0.05 for c in apart)
        wrong += any(c.verdict in (CLOSE if c.reference == "constant" else DIFFERS) for c in comparisons)
    assert at_most(false / count, 0.05, count)
    assert uncorrected / count > 0.10
    assert at_most(wrong / count, 0.10, count)  # of either kind, as the plan says


def test_pairing_helps_where_seeds_have_something_in_common():
    # A seed moves both by 0.4 points and each by 0.2: correlation 0.16 / 0.20 = 0.8; the differences vary by
    # 2 * 0.04, and by 2 * 0.20 without pairing.
    rng, count = np.random.default_rng(6), 600
    truth, pairs = {"A": 0.806, "B": 0.80}, [("A", "B")]
    paired, broken = [], []
    for study in studies(rng, truth, count=count, own_sd=0.002, seed_sd=0.004):
        paired += compare_all(study, pairs=pairs)
        others = {seed % 5 + 1: value for seed, value in study["B"].items()}  # each with its neighbour
        broken += compare_all({**study, "B": others}, pairs=pairs)
    assert 1e4 * np.mean([c.sd**2 for c in paired]) == pytest.approx(0.08, rel=0.1)
    assert 1e4 * np.mean([c.sd_unpaired**2 for c in paired]) == pytest.approx(0.40, rel=0.1)
    assert np.median([c.correlation for c in paired]) == pytest.approx(0.8, abs=0.1)
    right = [sum(c.verdict in DIFFERS[::2] for c in group) / count for group in (paired, broken)]
    assert right[0] > 0.85
    assert right[1] < 0.5


# --- the plan -------------------------------------------------------------------------------------


def test_the_plans_numbers_are_the_codes():
    plan = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", PLAN.read_text(encoding="utf-8"))  # words, without links
    plan = " ".join(plan.split())
    low, high = interval([-1, 1, -1, 1, 0], level=1 - 0.05 / len(FAMILY))  # their sd is 1
    assert f"{(high - low) / 2:.2f} standard deviations" in plan
    assert f"against constant ({sum(r == 'constant' for _, r in FAMILY)})" in plan
    assert f"against linear ({sum(r == 'linear' for _, r in FAMILY)}): {len(FAMILY)} comparisons" in plan
    assert f"count as {100 * CHANCE:.0f} %" in plan
    assert f"p is {2 / 2**5}" in plan
    assert f"seeds 1 to 5: {5 * len(SURVEY)} runs" in plan
    # The sd of a difference: sqrt 2 times that of a run; at a correlation of one half, once.
    assert f"{0.2 * math.sqrt(2):.2f} to {0.4 * math.sqrt(2):.2f} points" in plan
    (fixed,) = [run for run in load_runs("pilot-laptop") if run.label == "constant"]
    jumps = 100 * np.std(fixed.column("test_accuracy")[-10:], ddof=1)
    assert f"last ten epochs have a standard deviation of {jumps:.2f} points" in plan
    assert "2026-11-23" in plan
