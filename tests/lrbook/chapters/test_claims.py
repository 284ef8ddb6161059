"""The claims ledger: data for which each sentence is seen, is not, and cannot be told; all made up here.

Accuracies vary over seeds by a hundredth of a point or so: a gap of a point is then far beyond doubt, and the
mean gap is exactly what the case says. Curves are ramps and steps whose words can be decided on paper.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

from claim_cases import (
    CASES,
    FIVE,
    SLOW,
    accuracies,
    cliff,
    drop_run,
    printed,
    ramp,
    rate_grid,
    rates,
    run,
    step,
    steps_to,
)
from lrbook.chapters.claims import definitions
from lrbook.chapters.claims.curve_rules import dropping_at_the_end, much_faster, plateau, smooth, steep
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN, VERDICTS, WORDS
from lrbook.chapters.claims.ranking_rules import ranking, rates_apart
from lrbook.chapters.claims.sentences import ARMS, CLAIMS
from lrbook.chapters.claims.verdicts import (
    NO_RUN_YET,
    card,
    evidence,
    judge,
    ledger,
    plot_ledger,
    summary,
    words_table,
)
from lrlib.runs.published import published
from lrlib.stats import FAMILY, sampling_error
from synthetic import synthetic_run

SURVEY = Path(__file__).parents[3] / "book" / "survey"


def flat(cases):
    return [
        pytest.param(claim, verdict, arm, make, id=f"{claim}: {verdict}, {arm}")
        for claim, verdicts in cases.items()
        for verdict, arms in verdicts.items()
        for arm, make in arms.items()
    ]


# ---------------------------------------------------------------- every verdict, for every sentence


@pytest.mark.parametrize(("claim", "verdict", "arm", "make"), flat(CASES))
def test_the_data_decide(claim, verdict, arm, make):
    judged = {(each.claim, each.arm): each.finding for each in ledger({arm: make()})}
    assert judged[claim, arm].verdict == verdict, judged[claim, arm]
    for (other, where), finding in judged.items():
        if where != arm:
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
    assert {each.finding.verdict for each in ledger({})} == {CANNOT_BE_TOLD}


def test_what_is_recorded_is_judged():
    given = evidence()
    assert given["logs"] == published().source
    judged = ledger()
    assert {each.arm for each in judged} == set(ARMS)
    assert {each.claim for each in judged} == set(CLAIMS)
    for each in judged:
        if not given[each.arm]:
            assert each.finding.because == "no run yet"


def test_one_run_of_ours_ranks_nothing():
    lone = accuracies(dict(zip(FIVE, (0, -20, 10, 15, 5), strict=True)), seeds=1)
    for name, claim in CLAIMS.items():
        if "logs" in claim.arms and name not in ("drop, 15-20", "linear, 70-80", "poly5, 25"):
            assert judge(name, lone).verdict == CANNOT_BE_TOLD, name


def test_epochs_are_judged_in_the_source_arm_only():
    for claim in CLAIMS.values():
        if re.search(r"\bepochs?\b", claim.quote) and re.search(r"\d", claim.quote):
            assert set(claim.arms) == {"logs", "source"}, claim.quote
    assert sum(set(claim.arms) == {"logs", "source"} for claim in CLAIMS.values()) == 3


def test_the_source_as_it_was_printed():
    # differences and their errors in points: 3.10 and 0.4947, 2.66 and 0.4980, -2.63 and 0.5331
    source = published().source
    for name in ("linear", "drop", "time", "huge"):
        assert judge(name, source).verdict == SEEN, name
    for name in ("linear, drop", "poly5", "best", "decaying"):
        assert judge(name, source).verdict == CANNOT_BE_TOLD, name
    assert judge("time", source).because == "time - constant: -2.63 points, 4.9 sampling errors"


# ---------------------------------------------------------------- the words, at their edges


def verdict(rule, *runs):
    return rule(list(runs)).verdict


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


@pytest.mark.parametrize(("jag", "expected"), [(0.049, SEEN), (0.051, NOT_SEEN)])
def test_a_jag_is_a_twentieth_of_the_height(jag, expected):
    # a ramp of height 1, epoch 60 moved off it: so far from the middle of its neighbours, its neighbours half
    curve = ramp(2, 1)
    curve[59] += jag
    assert verdict(smooth("linear", "training loss"), run("linear", train=curve)) == expected


def test_the_start_may_be_jagged_and_the_direction_of_a_jag_does_not_matter():
    curve = ramp(2, 1)
    curve[5] -= 0.5
    assert verdict(smooth("linear", "training loss"), run("linear", train=curve)) == SEEN
    curve = ramp(2, 1)
    curve[50] -= 0.1
    assert verdict(smooth("linear", "training loss"), run("linear", train=curve)) == NOT_SEEN


@pytest.mark.parametrize(("times", "expected"), [(3.6, SEEN), (3.3, NOT_SEEN)])
def test_steep_is_three_times_the_average(times, expected):
    # From epoch 11 on a fall of s an epoch, and of s_w in the 6 steps from epoch 14 to 20. The average over
    # the 89 steps from epoch 11 on is about (83 s + 6 s_w) / 89; s_w is three times that at 249/71 = 3.5 s.
    falls = [0.1] * 10 + [0.01 * times if 15 <= epoch <= 20 else 0.01 for epoch in range(12, 101)]
    curve = [5.0]
    for fall in falls:
        curve.append(curve[-1] - fall)
    assert len(curve) == 100
    rule = steep("drop", "training loss", first=15, last=20)
    assert verdict(rule, run("drop", train=curve)) == expected


@pytest.mark.parametrize(("fall", "expected"), [(0.051, SEEN), (0.049, NOT_SEEN)])
def test_steep_is_also_a_twentieth_of_the_height(fall, expected):
    # height 1: the rest falls in the first epoch, and nothing after epoch 20
    curve = [1.0, *step(17, fall, 0.0)[1:]]
    rule = steep("drop", "training loss", first=15, last=20)
    assert verdict(rule, run("drop", train=curve)) == expected


@pytest.mark.parametrize("epochs", [(14,), (14, 15)])  # where the steep part would begin
def test_a_lone_spike_is_not_steep(epochs):
    curve = ramp(2, 1)
    for epoch in epochs:
        curve[epoch - 1] += 3
    assert verdict(steep("drop", "test loss", first=15, last=20), run("drop", test=curve)) == NOT_SEEN


def test_all_curves_of_a_sentence_must_be_steep():
    there, not_there = cliff(16), cliff(40)
    rule = steep("drop", "training loss", "test loss", "test accuracy", first=15, last=20)
    rising = [1 - y / 4 for y in there]
    assert verdict(rule, run("drop", train=there, test=there, accuracy=rising)) == SEEN
    assert verdict(rule, run("drop", train=there, test=not_there, accuracy=rising)) == NOT_SEEN
    assert verdict(rule, run("drop", train=there, test=there, accuracy=[0.9 - y for y in rising])) == NOT_SEEN


@pytest.mark.parametrize(("epoch", "expected"), [(19, NOT_SEEN), (20, SEEN), (30, SEEN), (31, NOT_SEEN)])
def test_around_25_is_from_20_to_30(epoch, expected):
    assert verdict(plateau("poly5", "training loss", epoch=25), run("poly5", train=step(epoch))) == expected


@pytest.mark.parametrize(("fall", "expected"), [(0.011, SEEN), (0.009, NOT_SEEN), (-0.1, NOT_SEEN)])
def test_dropping_at_the_end_is_a_hundredth_of_the_height(fall, expected):
    curve = [1.0, *step(91, fall, 0.0)[1:]]  # height 1; the last ten epochs lie that much lower
    rule = dropping_at_the_end("drop", "training loss")
    assert verdict(rule, run("drop", train=[y + 1 for y in curve])) == expected


def test_what_goes_the_other_way_is_said_so():
    # the last ten epochs lie a tenth of the height above those before; accuracy is asked to rise, and falls
    rising = run("drop", train=[1.0, *step(91, 0.0, 0.1)[1:]], accuracy=[0.9, *step(91, 0.2, 0.1)[1:]])
    found = dropping_at_the_end("drop", "training loss", "test accuracy")([rising])
    assert found.verdict == NOT_SEEN
    assert found.because == (
        "training loss rises by 10.0% of its height at the end (dropping: 1%); "
        "test accuracy falls by 12.5% of its height at the end (dropping: 1%)"
    )


def test_nothing_falls_by_minus_zero():
    # one seed lies a 5000th of its height higher at its end, the other as much lower
    level = [
        run("drop", train=[1.0, *step(91, below, above)[1:]], seed=seed)
        for seed, (below, above) in enumerate([(0.0, 0.0002), (0.0002, 0.0)], 1)
    ]
    found = dropping_at_the_end("drop", "training loss")(level)
    assert found.because == "training loss falls by 0.0% of its height at the end (dropping: 1%)"


def test_the_penalty_is_part_of_the_loss():
    # cross-entropy at rest and a penalty that falls: what the survey's figures show falls
    columns = {"train_loss": [1.0] * 100, "test_loss": [1.0] * 100, "penalty": ramp(1, 0)}
    for loss in ("training loss", "test loss"):
        assert verdict(dropping_at_the_end("drop", loss), synthetic_run("drop", columns)) == SEEN


def test_much_faster_needs_one_schedule_with_every_seed():
    quick = [
        *steps_to(80, {**SLOW, "poly5": 40}, seeds=4),
        *[
            run(name, accuracy=step(at, 0.5, 0.8), seed=5, arm="laptop")
            for name, at in {"constant": 80, **SLOW, "linear": 40}.items()
        ],
    ]
    assert verdict(much_faster(), *quick) == CANNOT_BE_TOLD  # poly5 with four seeds, linear with one
    found = much_faster()(steps_to(80, {**SLOW, "poly5": 20}))
    assert found.because == (
        "of the epochs that constant needs: time 51.2%, drop 51.2%, linear 51.2%, poly5 25.0%"
    )


@pytest.mark.parametrize(("seeds", "expected"), [(5, NOT_SEEN), (4, CANNOT_BE_TOLD)])
def test_that_none_is_much_faster_takes_five_seeds_too(seeds, expected):
    assert verdict(much_faster(), *steps_to(80, SLOW, seeds=seeds)) == expected


def race(**others):
    """Runs of the laptop arm: all schedules jump from 50 to 80 % in epoch 80, if no other curve is given."""
    curves = dict.fromkeys(("constant", *SLOW), step(80, 0.5, 0.8)) | others
    return [
        run(name, accuracy=curve, seed=seed, arm="laptop")
        for name, curve in curves.items()
        for seed in range(1, 6)
    ]


def test_a_late_luck_of_the_constant_rate_is_not_where_it_ends():
    # 80 % in seven of its last ten epochs, then 90 %, which no schedule reaches
    late = [*step(80, 0.5, 0.8)[:97], 0.9, 0.9, 0.9]
    assert verdict(much_faster(), *race(constant=late, poly5=step(40, 0.5, 0.8))) == SEEN


def test_one_lucky_epoch_is_not_there_yet():
    lucky = step(80, 0.5, 0.8)
    lucky[39] = 0.8
    assert verdict(much_faster(), *race(poly5=lucky)) == NOT_SEEN
    assert verdict(much_faster(), *race(poly5=step(40, 0.5, 0.8))) == SEEN


def test_a_schedule_that_never_gets_there_is_not_faster():
    runs = steps_to(80, SLOW)
    never = [run("time", accuracy=[0.5] * 100, seed=seed, arm="laptop") for seed in range(1, 6)]
    found = much_faster()([each for each in runs if each.label != "time"] + never)
    assert found.verdict == NOT_SEEN
    assert "time 125.0%" in found.because  # 100 of 80 epochs


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


# ---------------------------------------------------------------- what cannot be looked at


def test_curves_that_are_missing_diverged_or_too_short():
    rule = smooth("linear", "test accuracy")
    gone = run("linear", accuracy=[0.5, 0.5], status="diverged")
    assert rule([run("drop", accuracy=ramp(0.2, 0.8))]).because == "no run of linear yet"
    assert rule([gone]).because == "every run of linear diverged"
    short = rule([run("linear", accuracy=ramp(0.2, 0.8, epochs=19))])
    assert short.because == "a curve of fewer than 20 epochs cannot show this"
    assert rule([run("linear", accuracy=ramp(0.2, 0.8, epochs=20))]).verdict == SEEN
    short = dropping_at_the_end("linear", "training loss")([run("linear", train=[3.0, 2.0, 1.0])])
    assert short.because == "a curve of fewer than 4 epochs cannot show this"
    found = rule([gone, run("linear", accuracy=ramp(0.2, 0.8), seed=2)])
    assert (found.n, found.verdict) == (1, SEEN)
    other = smooth("linear", "training loss", unlike="drop")
    apart = [run("linear", train=ramp(2, 1), seed=1), run("drop", train=cliff(16), seed=2)]
    assert other(apart).because == "no seed has both linear and drop"
    both = [run(name, train=ramp(2, 1)) for name in ("linear", "drop")]
    assert other(both).verdict == NOT_SEEN
    assert other(both).because.endswith("; both are smooth, so linear is not unlike drop")
    jagged = [run("linear", train=cliff(16)), run("drop", train=cliff(16))]
    assert "both are smooth" not in other(jagged).because
    assert much_faster()([run("constant", accuracy=ramp(0.2, 0.8))]).because == "no run of time yet"


def test_a_level_curve_is_smooth_and_nothing_else():
    level = run("drop", train=[1.0] * 100, test=[1.0] * 100, accuracy=[0.5] * 100)
    assert verdict(smooth("drop", "training loss"), level) == SEEN
    assert verdict(dropping_at_the_end("drop", "training loss"), level) == NOT_SEEN
    assert verdict(steep("drop", "training loss", first=15, last=20), level) == NOT_SEEN


def test_curves_of_other_lengths_take_the_same_fractions():
    # 20 epochs: from the end of epoch round(2.8) = 3 to epoch 4
    assert (
        verdict(steep("drop", "training loss", first=15, last=20), run("drop", train=[2, 1, 1, *[0.5] * 17]))
        == SEEN
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: judge("tme", []), "claim must be one of .* got 'tme'; did you mean 'time'"),
        (lambda: ledger({"laptp": []}), "arm must be one of .* did you mean 'laptop'"),
        (lambda: ranking("larger", ("linear", "constant")), "word must be one of .* got 'larger'"),
        (lambda: smooth("linear", "train loss"), "quantity must be one of .* did you mean 'training loss'"),
        (
            lambda: judge("time", accuracies({"time": 0}) + accuracies({"time": 0}, peak_lr=0.2)),
            "runs must differ in schedule and seed only",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


# ---------------------------------------------------------------- cards, words, figure


def test_a_card_says_what_was_found_and_arms_that_agree_share_a_line():
    judged = ledger({"laptop": accuracies({"constant": 0, "linear": 2}), "logs": printed()})
    lines = card("linear", judged).splitlines()
    assert lines[0].startswith(
        "**16.** “significantly better than the constant learning rate method” (1.1.7,"
    )
    assert lines[2].startswith(
        "- **seen again** · published logs, n\u00a0=\u00a01 · linear\u00a0−\u00a0constant: +3.10 points"
    )
    assert lines[3].startswith(
        "- **seen again** · laptop, n\u00a0=\u00a05 · linear\u00a0−\u00a0constant: +2.00 points, Holm p"
    )
    assert lines[4:] == ["- **cannot be told** · source, ResNet-50 · no run yet"]


def test_the_summary_counts():
    text = summary(ledger({"logs": published().source}))
    # 16 sentences; arms: 1 + 4 + 7 * 4 + 5 + 3 * 3 + 3 * 2 = 53
    assert text.startswith(
        "16 sentences of the survey, judged in up to 5 arms each: of 53 findings 4 say **seen"
    )
    assert "49 say **cannot be told**" in text
    assert "not seen" not in text
    assert "settles 4 of the 16 sentences, and runs of ours 0. In the published logs" in text
    ours = summary(ledger({"laptop": accuracies({"constant": 0, "linear": 2})}))
    # better, and not by three points
    assert "settles 2 of the 16 sentences, and runs of ours 2." in ours
    assert "In the published logs" not in ours
    assert text.endswith("Not recorded yet: source, ResNet-50, laptop, digits, rate grid.")


def test_the_words_are_the_constants():
    table = words_table()
    assert [row.split("**")[1] for row in table.splitlines()[2:]] == [*VERDICTS, *WORDS]
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


def test_the_figure_shows_each_finding_once():
    judged = ledger(
        {"logs": printed(linear=0.81, drop=0.81), "laptop": accuracies({"constant": 0, "time": -1})}
    )
    axes = plot_ledger(judged).axes[0]
    drawn = {
        (line.get_label(), int(x), int(y))
        for line in axes.lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    expected = {
        (
            NO_RUN_YET if each.finding.n == 0 else each.finding.verdict,
            list(ARMS).index(each.arm),
            list(CLAIMS).index(each.claim),
        )
        for each in judged
    }
    assert drawn == expected
    assert {mark for mark, _, _ in drawn} == {SEEN, NOT_SEEN, CANNOT_BE_TOLD, NO_RUN_YET}
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names[2] == "3 time a little worse"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [arm.title for arm in ARMS.values()]
    text = plot_ledger(judged)
    width = text.get_figwidth() * text.dpi
    for tick in text.axes[0].get_yticklabels():
        assert tick.get_window_extent().x0 >= 0
    for tick in text.axes[0].get_xticklabels():
        assert tick.get_window_extent().x1 <= width
    legend = text.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= width
    assert legend.y1 <= text.axes[0].get_window_extent().y0


def test_sentences_are_short_and_stand_in_the_surveys_order():
    assert len(CLAIMS) >= 10
    for claim in CLAIMS.values():
        assert len(claim.short) <= 26
        assert 20 <= len(claim.quote) <= 140, claim.name
        assert set(claim.arms) <= set(ARMS)
    sections = [claim.place.split(",")[0] for claim in CLAIMS.values()]
    assert all(before <= after for before, after in pairwise(sections))
