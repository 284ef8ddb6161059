"""The words for curves, at their edges.

Accuracies vary over seeds by a hundredth of a point or so: a gap of a point is far beyond doubt, and the mean
gap is exactly what the case says. Curves are ramps and steps whose words can be decided on paper. All runs
are synthetic.
"""

from __future__ import annotations

import pytest

from claim_cases import (
    SLOW,
    cliff,
    ramp,
    run,
    step,
    steps_to,
    verdict,
)
from lrbook.chapters.claims.curve_rules import dropping_at_the_end, much_faster, plateau, smooth, steep
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN
from synthetic import synthetic_run


def jumping_at_80(**others):
    """Runs of the experiment laptop: all jump from 50 to 80 % in epoch 80, if no other curve is given."""
    curves = dict.fromkeys(("constant", *SLOW), step(80, 0.5, 0.8)) | others
    return [
        run(name, accuracy=curve, seed=seed, experiment="laptop")
        for name, curve in curves.items()
        for seed in range(1, 6)
    ]


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
    rule = steep("drop", "training loss", epochs=(15, 20))
    assert verdict(rule, run("drop", train=curve)) == expected


@pytest.mark.parametrize(("fall", "expected"), [(0.051, SEEN), (0.049, NOT_SEEN)])
def test_steep_is_also_a_twentieth_of_the_height(fall, expected):
    # height 1: the rest falls in the first epoch, and nothing after epoch 20
    curve = [1.0, *step(17, fall, 0.0)[1:]]
    rule = steep("drop", "training loss", epochs=(15, 20))
    assert verdict(rule, run("drop", train=curve)) == expected


@pytest.mark.parametrize("epochs", [(14,), (14, 15)])  # where the steep part would begin
def test_a_lone_spike_is_not_steep(epochs):
    curve = ramp(2, 1)
    for epoch in epochs:
        curve[epoch - 1] += 3
    assert verdict(steep("drop", "test loss", epochs=(15, 20)), run("drop", test=curve)) == NOT_SEEN


def test_all_curves_of_a_sentence_must_be_steep():
    there, not_there = cliff(16), cliff(40)
    rule = steep("drop", "training loss", "test loss", "test accuracy", epochs=(15, 20))
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
            run(name, accuracy=step(at, 0.5, 0.8), seed=5, experiment="laptop")
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


def test_a_late_luck_of_the_constant_rate_is_not_where_it_ends():
    # 80 % in seven of its last ten epochs, then 90 %, which no schedule reaches
    late = [*step(80, 0.5, 0.8)[:97], 0.9, 0.9, 0.9]
    assert verdict(much_faster(), *jumping_at_80(constant=late, poly5=step(40, 0.5, 0.8))) == SEEN


def test_one_lucky_epoch_is_not_there_yet():
    lucky = step(80, 0.5, 0.8)
    lucky[39] = 0.8
    assert verdict(much_faster(), *jumping_at_80(poly5=lucky)) == NOT_SEEN
    assert verdict(much_faster(), *jumping_at_80(poly5=step(40, 0.5, 0.8))) == SEEN


def test_a_schedule_that_never_gets_there_is_not_faster():
    runs = steps_to(80, SLOW)
    never = [run("time", accuracy=[0.5] * 100, seed=seed, experiment="laptop") for seed in range(1, 6)]
    found = much_faster()([each for each in runs if each.label != "time"] + never)
    assert found.verdict == NOT_SEEN
    assert "time 125.0%" in found.because  # 100 of 80 epochs


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
    assert verdict(steep("drop", "training loss", epochs=(15, 20)), level) == NOT_SEEN


def test_curves_of_other_lengths_take_the_same_fractions():
    # 20 epochs: from the end of epoch round(2.8) = 3 to epoch 4
    assert (
        verdict(steep("drop", "training loss", epochs=(15, 20)), run("drop", train=[2, 1, 1, *[0.5] * 17]))
        == SEEN
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: smooth("linear", "train loss"), "quantity must be one of .* did you mean 'training loss'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
