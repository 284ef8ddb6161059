"""The quiz for teachers: its answers are what the records, the valley and the formulas say."""

from __future__ import annotations

import itertools
import re
import statistics
from math import floor
from pathlib import Path

import pytest

from lrlib import LinearDecay, TimeDecay, Valley, load_runs, stats

PAGE = (Path(__file__).parents[2] / "book" / "teach" / "quiz.md").read_text(encoding="utf-8")
FIVE = ("constant", "time", "drop", "linear", "poly5")


def part(heading):
    text = re.split(r"^## ", PAGE, flags=re.M)
    (found,) = [section for section in text if section.startswith(heading)]
    pieces = re.split(r"^\*\*(\d+)\.\*\*", found, flags=re.M)
    return {
        int(number): " ".join(text.split()) for number, text in zip(pieces[1::2], pieces[2::2], strict=True)
    }


ANSWERS = part("Answers")


def grouped(study, key=lambda run: run.label):
    runs = {}
    for run in load_runs(study):
        runs.setdefault(key(run), []).append(run)
    return runs


LAPTOP = grouped("survey-laptop")
SCORES = {label: [100 * run.epochs[-1].test_accuracy for run in runs] for label, runs in LAPTOP.items()}
MEANS = {label: statistics.mean(scores) for label, scores in SCORES.items()}


def last(label, what):
    return [getattr(run.epochs[-1], what) for run in LAPTOP[label]]


def test_ten_questions_and_their_answers():
    assert list(part("Questions")) == list(ANSWERS) == list(range(1, 11))
    assert all(len(scores) == 5 for scores in SCORES.values())
    assert {run.config.peak_lr for runs in LAPTOP.values() for run in runs} == {0.1}
    assert {run.config.epochs for runs in LAPTOP.values() for run in runs} == {30}


def test_1_who_is_highest():
    assert max(MEANS, key=MEANS.get) == "triangle"
    top, second = (floor(10 * MEANS[name] + 0.5) / 10 for name in ("triangle", "linear"))  # halves up
    assert f"{top:.1f}% on average, against {second:.1f}% for linear" in ANSWERS[1]
    (verdict,) = [
        one.verdict
        for one in stats.compare_all([run for runs in LAPTOP.values() for run in runs])
        if {one.schedule, one.reference} == {"triangle", "linear"}
    ]
    assert verdict == "not decidable"
    more = grouped("triangle-laptop")
    ends = [
        {run.config.seed: 100 * run.epochs[-1].test_accuracy for run in [*LAPTOP[name], *more[name]]}
        for name in ("triangle", "linear")
    ]
    ahead = [ends[0][seed] - ends[1][seed] for seed in range(1, 11)]
    assert f"{statistics.mean(ahead):.1f} points ahead" in ANSWERS[1]
    t = statistics.mean(ahead) / (statistics.stdev(ahead) / 10**0.5)
    assert t > 2.587  # of p 0.0294, both sides, with 9 degrees of freedom


def test_2_how_far_above_constant():
    gaps = {label: mean - MEANS["constant"] for label, mean in MEANS.items() if label != "constant"}
    low, high = min(gaps, key=gaps.get), max(gaps, key=gaps.get)
    assert f"from {gaps[low]:.1f} points (*{low}*) to {gaps[high]:.1f} points (*{high}*)" in ANSWERS[2]
    assert 2 <= round(gaps[low], 1) <= round(gaps[high], 1) <= 5.5


def test_3_a_smaller_constant_rate():
    runs = grouped("laptop-map-gpu", key=lambda run: (run.label, run.config.peak_lr))
    ends = {at: [100 * run.epochs[-1].test_accuracy for run in some] for at, some in runs.items()}
    low, high, drop, poly5 = (
        ends[at] for at in (("constant", 0.01), ("constant", 0.1), ("drop", 0.1), ("poly5", 0.1))
    )
    assert [len(some) for some in (low, high, drop, poly5)] == [3] * 4
    mean = statistics.mean(low)
    assert f"{mean:.1f}% at rate 0.01, against {statistics.mean(high):.1f}% at rate 0.1" in ANSWERS[3]
    assert f"drop-based decay ({statistics.mean(drop):.1f}%)" in ANSWERS[3]
    assert f"power 5 ({statistics.mean(poly5):.1f}%)" in ANSWERS[3]
    assert min(low) > max(high)
    assert abs(mean - statistics.mean(drop)) < 0.5 > abs(mean - statistics.mean(poly5))


def test_4_when_drop_loses():
    gaps = {}
    for (epochs, label), runs in grouped("horizon", key=lambda run: (run.config.epochs, run.label)).items():
        sign = {"drop": 1, "constant": -1}.get(label, 0)
        mean = statistics.mean(100 * run.epochs[-1].test_accuracy for run in runs)
        gaps[epochs] = gaps.get(epochs, 0) + sign * mean
    assert f"With 5 epochs it ends {-gaps[5]:.1f} points below" in ANSWERS[4]
    assert {epochs for epochs, gap in gaps.items() if gap > 0} == {10, 20, 40}


def test_5_training_loss_and_test_accuracy():
    losses = {label: statistics.mean(last(label, "train_loss")) for label in ("time", "drop")}
    assert f"training losses are {losses['time']:.3f} and {losses['drop']:.3f}" in ANSWERS[5]
    assert f"{MEANS['time']:.1f}% for *time*, {MEANS['drop']:.1f}% for *drop*" in ANSWERS[5]
    assert max(last("time", "train_loss")) < min(last("drop", "train_loss"))
    assert max(SCORES["time"]) < min(SCORES["drop"])
    assert min(last("time", "train_accuracy") + last("drop", "train_accuracy")) > 0.998


def test_6_the_test_loss_has_its_minimum_early():
    lowest = set()
    for run in itertools.chain(*LAPTOP.values()):
        losses = [epoch.test_loss for epoch in run.epochs]
        lowest.add(losses.index(min(losses)) + 1)
        assert losses[-1] > min(losses)
    assert f"in epochs {min(lowest)} to {max(lowest)}" in ANSWERS[6]
    assert f"every one of the {sum(map(len, LAPTOP.values()))} runs" in ANSWERS[6]


def test_7_spread_over_seeds():
    spread = {label: statistics.stdev(scores) for label, scores in SCORES.items()}
    constant = spread.pop("constant")
    assert (
        f"standard deviation of {constant:.1f} points, all others at most {max(spread.values()):.1f}"
        in ANSWERS[7]
    )


def test_8_killed_or_planned():
    valley = Valley()
    killed, planned = (
        valley.best_peak_lr(LinearDecay(total_steps=total), steps=150).loss for total in (300, 150)
    )
    assert f"{planned:.3f} against {killed:.3f}" in ANSWERS[8]


def test_9_the_unit_of_t():
    by_update, by_epoch = (0.1 * TimeDecay(decay=0.001)(t) for t in (39_099, 99))
    assert f"{by_update:.2g} if *t* counts updates" in ANSWERS[9]
    assert f"{by_epoch:.2g} if it counts epochs" in ANSWERS[9]


def test_10_rankings_of_one_run_each():
    draws = list(itertools.product(*(SCORES[label] for label in FIVE)))
    assert len(draws) == 3125
    rankings = {
        tuple(label for _, label in sorted(zip(draw, FIVE, strict=True), reverse=True)) for draw in draws
    }
    assert rankings == {
        ("linear", "drop", "poly5", "time", "constant"),
        ("linear", "poly5", "drop", "time", "constant"),
    }


@pytest.mark.parametrize("number", range(1, 11))
def test_a_question_does_not_hold_its_answer(number):
    numbers = re.findall(r"\b\d+\.\d+(?:%| points)", ANSWERS[number])
    assert not [one for one in numbers if one in part("Questions")[number]]
