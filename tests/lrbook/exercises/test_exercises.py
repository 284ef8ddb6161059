"""Each checker: right answers worked out by hand, the solution, typical mistakes with their own hints."""

from __future__ import annotations

import inspect
import json
import math
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from lrbook import exercises
from lrbook.exercises import CHAPTERS, Verdict, check, get
from lrbook.exercises.curves import PUBLIC, plot_four_curves
from lrbook.exercises.judges import Choice, Number
from lrbook.exercises.outcomes import OUTCOMES, levels_text, outcomes_table
from lrbook.exercises.task import Draw
from lrlib import load_runs
from lrlib.schedules import Constant, LinearDecay
from lrlib.theory import Valley, momentum_path

ROOT = Path(__file__).parents[3]
ALL = exercises.exercises()
SEEDS = range(6)
every_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)

# Right answers on paper, seed 0.
#   edge: 2/4. momentum: 1 - 0.9. floor_ratio: (0.28/1.72) / (0.07/1.93) = 0.162791 / 0.036269.
#   time: 0.1/(1 + 39.099), 0.1/(1 + 0.099); 50,000/64 rounded up is 782, 0.1/(1 + 78.199).
#   compounding: log10 of the product is the sum of log10(1 + e/100) over e < 100, about
#     (100 (2 ln 2 - 1) - ln(2)/2) / ln 10 = (38.629 - 0.347) / 2.3026 = 16.63; 0.1 * 10^-16.63 = 2.4e-18.
#   drop_end: 100 // 15 = 6 drops, 0.1 / 4096. largest_fall: (1 + 14) // 15 is the first 1.
#   misprint: 80 // 15 = 5, 0.025 * 5. linear_last: 0.1 / 100.
#   area: 14 + 15 (1/4 + 1/16 + 1/64 + 1/256 + 1/1024) + 11/4096 = 18.998, by 100.
#   area_power: with Euler and Maclaurin the mean of 100 factors is 1/(p + 1) + 1/200 + p/120,000; at 4.41
#     that is 0.18484 + 0.005 + 0.00004 = 0.18988, at 4.40 it is 0.19022.
#   plateau: 1 - 0.75^6 = 0.822. luck: 0.0044 / sqrt((0.11132 + 0.11458) / 10,000) = 0.0044 / 0.0047529.
#   best_epoch: the mean of the largest of ten standard normal values is 1.53875 (tables of order statistics).
#   same_updates: 8 * 200 updates, 40 an epoch. without_penalty: 0.182 - 0.155. agree: 2^-5.
#   fast_clock: a twentieth of the peak is lost in 100 updates, all of it in 2,000.
#   price: 7 * 5 * 1280 = 44,800 updates choose, 20 * 1600 = 32,000 race; 44,800 / 76,800 = 7/12.
#   bert: 1e-4 * 0.9. cosine_part: (1 + sqrt(1/2)) / 2. restart_epoch: 15 epochs a cycle, 6 * 15 + 1.
RIGHT = {
    "edge": 0.5,
    "momentum": 0.1,
    "floor_ratio": 4.49,
    "stuck": "c",
    "time_end": 0.00249,
    "time_end_epoch": 0.0910,
    "batch_size": 0.00126,
    "compounding": 2e-18,
    "drop_end": 2.4414e-05,
    "largest_fall": 14,
    "misprint": 0.125,
    "linear_last": 0.001,
    "killed": "b",
    "area": 0.190,
    "area_power": 4.41,
    "plateau": 0.822,
    "luck": 0.926,
    "seeds_needed": 10,
    "best_epoch": 1.53875 * 0.8,
    "warmup_area": "c",
    "bert": 9e-5,
    "cosine_part": 0.85355,
    "restart_epoch": 91,
    "five_valleys": "a",
    "same_updates": 40,
    "two_things": "b",
    "without_penalty": 0.027,
    "one_digit": "d",
    "agree": 1 / 32,
    "similar": "c",
    "price": 0.583,
    "lucky_cell": "b",
    "best_of_two": 0.89,  # of 100 images 73 are right in both, 7 in the one alone and 9 in the other
    "stale_statistics": "a",
    "second_drop": "b",
    "fast_clock": 2000,
    # seed 1: steps at epochs 5 and 10; never at rest; back down every 6 epochs; calmer and calmer
    "four_curves": ["drop", "constant", "cosine5", "time"],
}
# Values of the right functions on paper, seed 0; the step is the first update of an epoch where 391 is in it.
VALUES = {
    # 0.1 * 1 / (2 - 0.5); the edge is at 2 / 0.5
    "noise_floor": [((1.0,), 0.1 / 1.5), ((2.0,), 0.2), ((4.2,), math.inf)],
    "time_decay": [((0,), 0.1), ((1000,), 0.05), ((3000,), 0.025)],
    "drop": [
        ((13 * 391,), 0.1),
        ((14 * 391 - 1,), 0.1),
        ((14 * 391,), 0.025),
        ((28 * 391,), 0.025),
        ((29 * 391 - 1,), 0.025),
        ((29 * 391,), 0.00625),
    ],
    "linear": [((0,), 0.1), ((19_550,), 0.05), ((39_099,), 0.1 / 39_100), ((39_100,), 0.0), ((50_000,), 0.0)],
    "polynomial": [((0,), 0.1), ((19_550,), 0.1 / 32), ((29_325,), 0.1 / 1024), ((39_100,), 0.0)],
    # Student's t at 0.975 is 12.7062 with 1 and 4.30265 with 2 degrees of freedom; sd 0.013 / sqrt 2 and 0.01
    "margin": [
        (((0.031, 0.044),), 12.7062 * 0.0065),
        (((0.05, 0.04, 0.06),), 4.30265 * 0.01 / math.sqrt(3)),
    ],
    "triangle": [((0,), 0.0), ((50,), 0.05), ((100,), 0.1), ((550,), 0.05), ((1000,), 0.0), ((1050,), 0.0)],
    "cosine": [((0,), 0.1), ((167,), 0.05), ((334,), 0.1), ((501,), 0.05), ((668,), 0.1), ((1000,), 0.0)],
    "paired": [(((0.8,), (0.75,)), 5.0), (((0.8, 0.7), (0.75, 0.73)), 1.0)],
    # torchvision's ResNet-50: 3 * 64 * 49 + 128 in the stem; layer1's first 1x1 has 4,096 + 128
    "count_layer": [((3, 64, 7), 9_536), ((64, 64, 1), 4_224)],
    # 0.5 from the middle (2 + 1)/2 of a height of 1; a straight line; a dip of 1 below (3 + 1)/2, height 2
    # 1% of 0.1 is 0.001: 0.1004 ties; of 0.2 it is 0.002, of 2 it is 0.02
    "own_rate": [
        (((0.4, 0.2, 0.1, 0.3),), 0.03),
        (((0.4, 0.1004, 0.1, 0.3),), 0.01),
        (((0.4, 0.2024, 0.2, 0.3),), 0.03),
        (((2.012, 2.0, 2.5, math.inf),), 0.003),
    ],
    # sums of the last three: 1.75 and 1.25; 1.25 and 1.75; 0.8, 1.3 and 0.9
    "mean_answer": [
        ((((0.1, 0.9), (0.1, 0.9), (0.6, 0.4), (0.55, 0.45), (0.6, 0.4)),), 0),
        ((((0.8, 0.2), (0.1, 0.9), (0.7, 0.3), (0.45, 0.55)),), 1),
        ((((0.6, 0.2, 0.2), (0.1, 0.5, 0.4), (0.6, 0.3, 0.1), (0.1, 0.5, 0.4)),), 1),
    ],
    "jag": [(((2.0, 2.0, 1.0),), 0.5), (((3.0, 2.0, 1.0),), 0.0), (((3.0, 1.0, 1.0),), 0.5)],
}
# Judged by what they do, further below.
TORCH = ("torch_unit", "torch_order", "torch_resume", "torch_t_max", "tenth")
BY_DEED = {"grid_search", "micro_batches", "beat", *TORCH}


def solved(exercise, seed=0):
    task = exercise.variant(seed)
    return task.run(task.solution)


def test_every_exercise_has_a_right_answer_by_hand():
    assert {exercise.name for exercise in ALL} == RIGHT.keys() | VALUES.keys() | BY_DEED


@pytest.mark.parametrize(("name", "answer"), RIGHT.items())
def test_right_by_hand(name, answer):
    assert check(name, answer)


@pytest.mark.parametrize(("name", "values"), VALUES.items())
def test_the_function_that_counts_as_right_has_the_values_by_hand(name, values):
    judge = get(name).variant().judge
    for args, value in values:
        assert judge.expected(*args) == pytest.approx(value, rel=1e-5, abs=1e-15), args
        assert solved(get(name))(*args) == pytest.approx(value, rel=1e-5, abs=1e-15), args


def test_wrong_by_hand():
    assert "the old end" in check("batch_size", 0.00249).hint
    assert "what was meant" in check("compounding", 0.050).hint
    assert "continuous limit" in check("area_power", 4.26).hint
    assert "tiny rates only" in check("floor_ratio", 4).hint
    assert "off by one" in check("largest_fall", 15).hint
    assert "known standard deviation" in check("seeds_needed", 8).hint
    assert "counts epochs" in check("time_end", 0.0910).hint
    assert "as in the survey's print" in check("drop", lambda step: 0.1 * 0.25 * ((391 + step) // 5865)).hint


@pytest.mark.parametrize("typed", [1.96, 1.959964])
def test_a_normal_quantile_from_memory_gets_its_hint(typed):
    def margin(d):
        return typed * np.std(d, ddof=1) / len(d) ** 0.5

    assert check("margin", margin).hint.startswith("that is the normal quantile")


def test_normal_quantiles_as_tables_have_them_get_their_hint_in_every_variant():
    table = {0.95: 1.96, 0.9: 1.64, 0.98: 2.33, 0.99: 2.58, 0.8: 1.28}
    met = set()
    for seed in range(12):
        (level,) = re.findall(r"the ([\d.]+) t\s+interval", get("margin").variant(seed).prompt)
        met.add(float(level))
        quantile = table[float(level)]
        verdict = check("margin", lambda d, q=quantile: q * np.std(d, ddof=1) / len(d) ** 0.5, seed=seed)
        assert verdict.hint.startswith("that is the normal quantile"), level
    assert met == set(table)


def valley_loss(momentum, *, lr=1.0, steps=300):
    """The noisy valley under momentum: distance left, and shaking left.

    The dynamics are linear, so the noise of one gradient moves the weight as `momentum_path` moves: its
    response is the path's increments over the curvature. Noise has variance 0.1 l, as in `Valley`.
    """
    paths = [
        (1 / i, momentum_path(curvature=1 / i, lr=lr, momentum=momentum, steps=steps)) for i in range(1, 65)
    ]
    distance = sum(0.5 * l * path[-1] ** 2 for l, path in paths)  # noqa: E741
    return distance, sum(0.5 * l * 0.1 * l * np.sum((np.diff(path) / l) ** 2) for l, path in paths)  # noqa: E741


@pytest.mark.parametrize("seed", SEEDS)
def test_momentum_at_the_same_rate_shakes_as_the_exercise_says(seed):
    task = get("momentum").variant(seed)
    (momentum,) = map(float, re.findall(r"momentum ([\d.]+)\s+is\s+switched", task.prompt))
    (times,) = map(float, re.findall(r"shake\s+nearly\s+([\d.]+)\s+times", task.prompt))
    assert times == pytest.approx(1 / (1 - momentum), rel=1e-3)
    # Without momentum this is the valley of the chapter.
    assert sum(valley_loss(0.0)) == pytest.approx(Valley().final_loss(Constant(), steps=300, peak_lr=1.0))
    (_, plain), (distance, shaking) = valley_loss(0.0), valley_loss(momentum)
    assert distance < 1e-5, "it does not fly apart"
    assert 0.85 * times < shaking / plain < times


def numbers_in(text):
    return [float(one) for one in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w])", text)]


@every_exercise
@pytest.mark.parametrize("seed", SEEDS)
def test_no_hint_says_the_answer(exercise, seed):
    """For numbers and options. What functions and loops are told is held above, sentence by sentence."""
    task = exercise.variant(seed)
    hints = [mistake.hint for mistake in task.mistakes]
    if isinstance(task.judge, Number):
        hints += [check(exercise.name, task.judge.expected * by, seed=seed).hint for by in (0.1, 10)]
        asked = numbers_in(task.prompt)
        for hint in hints:
            hint = hint.replace("13 comparisons", "the comparisons")  # the plan's number, whatever is asked
            told = [x for x in numbers_in(hint) if task.judge.right((x,)) and x not in asked]
            assert not told, hint
    if isinstance(task.judge, Choice):
        truth = task.judge.options[task.judge.truth]
        for hint in hints:
            assert truth not in hint
            if exercise.name in {"killed", "five_valleys"}:  # the answer is which of two losses is lower
                assert not re.search(r"0\.\d{3,}", hint), hint


def test_ten_seeds_by_simulation():
    # Student's t at 0.975: 2.30600 with 8 degrees of freedom, 2.26216 with 9.
    generator = np.random.default_rng(0)
    power = {}
    for n, critical in ((9, 2.30600), (10, 2.26216)):
        d = generator.normal(0.2, 0.2, size=(200_000, n))
        power[n] = np.mean(d.mean(axis=1) / (d.std(axis=1, ddof=1) / math.sqrt(n)) > critical)
    assert power[9] < 0.79
    assert power[10] == pytest.approx(0.803, abs=0.004)


@every_exercise
@pytest.mark.parametrize("seed", SEEDS)
def test_the_solution_is_right_and_the_starter_is_not(exercise, seed):
    task = exercise.variant(seed)
    assert check(exercise.name, task.run(task.solution), seed=seed) == Verdict(True, task.reveal)
    started = check(exercise.name, task.run(task.starter), seed=seed)
    assert not started
    assert started == check(exercise.name, None, seed=seed)
    assert started.unchanged


@every_exercise
@pytest.mark.parametrize("seed", SEEDS)
def test_each_mistake_gets_its_own_hint(exercise, seed):
    task = exercise.variant(seed)
    hints = [mistake.hint for mistake in task.mistakes]
    assert len(hints) >= 3
    assert len(set(hints)) == len(hints)
    for mistake in task.mistakes:
        verdict = check(exercise.name, task.run(mistake.code), seed=seed)
        assert verdict == Verdict(False, mistake.hint), mistake.code


@every_exercise
def test_public_solutions_do_not_give_the_variants_away(exercise):
    if exercise.name in {"grid_search", "micro_batches", *TORCH}:  # functions of all their numbers
        assert not exercise.varies or exercise.name == "grid_search"
        return
    assert exercise.varies
    public = solved(exercise)
    for seed in range(1, 9):
        assert not check(exercise.name, public, seed=seed), seed
        assert exercise.variant(seed).prompt != exercise.variant(0).prompt or exercise.kind != "code"


def test_no_answer_passes_none():
    for exercise in ALL:
        for nothing in (None, ...):
            verdict = exercise.check(nothing)
            assert not verdict
            name = exercise.variant().answer
            assert repr(verdict) == f"Unchanged: `{name}` is still that of the starter code."


class Odd:
    """Something that looks like a number in an array and fails at everything."""

    def __repr__(self):
        raise LookupError

    def item(self):
        raise LookupError


@every_exercise
@pytest.mark.parametrize(
    "answer",
    [
        *("0.1", "", True, [], [0.1], {}, object(), math.nan, -1.0, lambda: 1, print),
        *(
            10**400,
            lambda *_: 10**400,
            lambda *_: [10**400] * 6,
            lambda *_: sys.exit(),
            Odd(),
            lambda *_: Odd(),
        ),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_no_answer_raises_and_a_strange_one_is_wrong(exercise, answer):
    verdict = exercise.check(answer)
    assert not verdict
    assert verdict.hint


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_chapter_has_all_three_kinds(chapter):
    chosen = exercises.exercises(chapter)
    assert len(chosen) >= 3
    assert {exercise.kind for exercise in chosen} == {"predict", "code", "diagnosis"}
    assert [exercise for exercise in ALL if exercise.chapter == chapter] == chosen


def test_the_chapters_in_order():
    assert (
        *("introduction", "constant", "time_based", "drop_based", "linear", "polynomial"),
        *("analysis", "triangle", "cosine", "factors", "table_source", "claims", "fair_race"),
        *("snapshots", "audit"),
    ) == CHAPTERS


# What an answer may be


def test_a_verdict_reads_as_one_sentence_and_stands_in_an_assert():
    right, wrong = Verdict(True, "so it is."), Verdict(False, "look again.")
    assert right
    assert not wrong
    assert (repr(right), repr(wrong)) == ("Right: so it is.", "Not yet: look again.")
    assert wrong._repr_markdown_() == "**Not yet:** look again."
    with pytest.raises(FrozenInstanceError):
        wrong.right = True


def test_a_starter_gets_no_diagnosis_and_the_first_change_does():
    task = get("micro_batches").variant()
    assert task.check(task.run(task.starter)).unchanged
    renamed = task.run(task.starter.replace("lrs", "rates"))
    assert task.check(renamed).hint.startswith("`t` still counts micro-batches")
    assert not task.check(None)
    for exercise in ALL:
        task = exercise.variant()
        assert not any(task.check(task.run(mistake.code)).unchanged for mistake in task.mistakes)


@pytest.fixture(scope="module")
def shell():
    """What runs a notebook's cells, without a history on the disk."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    return InteractiveShell(config=Config(HistoryManager={"enabled": False}))


@every_exercise
def test_a_starter_is_known_in_a_notebook(exercise, shell):
    task = exercise.variant()
    for before in ("", "# a line above\n\n"):
        shell.run_cell(before + task.starter).raise_error()
        assert task.check(shell.user_ns[task.answer]).unchanged


def test_a_function_that_forgot_its_return_is_not_the_starter():
    def linear(step):
        0.1 * (1 - step / 39_100)

    assert check("linear", linear) == Verdict(
        False, "at step 0 your function returns nothing: is there a way out without `return`?"
    )


SOME = "write down the formula and put the numbers in."


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("edge", "0.5", "a number is wanted, got the text '0.5': leave out the quotes."),
        (
            "edge",
            "0,5",
            "a number is wanted, got the text '0,5': write 0.5, with a point and without the quotes.",
        ),
        (
            "edge",
            "-0,5",
            "a number is wanted, got the text '-0,5': write -0.5, with a point and without the quotes.",
        ),
        (
            "edge",
            ",5e-1",
            "a number is wanted, got the text ',5e-1': write .5e-1, with a point and without the quotes.",
        ),
        ("edge", (0, 5), "a number is wanted, got two, (0, 5): write 0.5, with a point."),
        ("edge", "2/4", "a number is wanted, got the text '2/4': leave out the quotes."),
        (
            "edge",
            "\N{MINUS SIGN}0.5",
            "a number is wanted, got the text '−0.5': write -0.5, without the quotes.",
        ),
        (
            "edge",
            "12,5 %",
            "a number is wanted, got the text '12,5 %': write 12.5 / 100, without the quotes.",
        ),
        ("edge", "a half", "a number is wanted, got the text 'a half'."),
        ("edge", (0, 5, 1), "a number is wanted, got (0, 5, 1) (tuple)."),
        ("edge", True, "a number is wanted, got True (bool)."),
        ("edge", [0.5, 1.0], "a number is wanted, got [0.5, 1.0] (list)."),
        ("edge", math.inf, "a finite number is wanted, got inf."),
        ("edge", 0.9, f"0.9 is too large; {SOME}"),
        ("edge", 0.3, f"0.3 is too small; {SOME}"),
        ("edge", 0.0, "0 has the wrong sign, or is zero where it should not be."),
        ("edge", -0.9, "-0.9 has the wrong sign, or is zero where it should not be."),
        ("killed", 2, 'the answer is one of the letters "a", "b", "c", "d", got 2.'),
        ("killed", "short", 'the answer is one of the letters "a", "b", "c", "d", got \'short\'.'),
        ("drop", 0.1, "a function is wanted, got 0.1: hand in the function, without brackets."),
        (
            "drop",
            lambda step: 1 / step,
            "your function, asked at step 0, raised ZeroDivisionError: division by zero.",
        ),
        (
            "drop",
            lambda step: "0.1",
            "at step 0 a number is wanted, got the text '0.1': leave out the quotes.",
        ),
        (
            "drop",
            lambda step: 0.1 if step < 391 else None,
            "at step 391 your function returns nothing: is there a way out without `return`?",
        ),
        ("drop", lambda step: [0.1], "at step 0 a number is wanted, got [0.1] (list)."),
        ("linear", lambda step: 0.1, "at step 1 it gives 0.1, which is too large."),
        (  # it is asked at steps 0, 1, 390 and 19,550 first
            "linear",
            lambda step: 0.1 * (1 - step / 39_100) if step < 391 else 0.1,
            "at step 19550 it gives 0.1, which is too large, and at the 3 places before it is right.",
        ),
    ],
)
def test_refusals_are_one_clear_sentence(name, answer, hint):
    assert check(name, answer) == Verdict(False, hint)


def test_values_of_numpy_count_as_numbers():
    for value in (np.float32(0.5), np.float64(0.5), np.array(0.5), np.array([0.5])):
        assert check("edge", value)
    assert check("seeds_needed", np.int64(10))
    assert not check("edge", np.array([0.5, 0.5]))


def test_tolerance_is_what_the_prompt_says():
    assert "up to 0.01" in get("edge").variant().asked
    assert check("edge", 0.504)
    assert not check("edge", 0.51)
    assert "exact" in get("largest_fall").variant().asked
    assert not check("largest_fall", 14.01)


def test_functions_must_not_remember():
    calls = []

    def drop(step):
        calls.append(step)
        return 0.1 * 0.25 ** ((1 + step // 391) // 15) * (1 + 0.001 * len(calls))

    assert "asked twice for the same step" in check("drop", drop).hint


def test_answers_cannot_change_the_probes():
    def margin(d):
        sorted(d)
        return d.append(0.0)

    assert "AttributeError" in check("margin", margin).hint  # the differences are a tuple


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check("dropp", 1), "there is no exercise 'dropp'; did you mean 'drop'?"),
        (lambda: check("time-end", 1), "there is no exercise 'time-end'; did you mean 'time_end'?"),
        (lambda: get(3), "there is no exercise 3; there are edge, momentum,"),
        (
            lambda: exercises.exercises("drop"),
            "there is no chapter 'drop' with exercises; did you mean 'drop_based'?",
        ),
        (lambda: check("drop", 1, seed=-1), "seed must be >= 0, got -1"),
    ],
)
def test_wrong_names_get_the_nearest(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_draws_are_keyed():
    def values(name, seed):
        draw = Draw(name, seed)
        return draw("a", 1, range(2, 1000)), draw("b", 1, range(2, 1000))

    assert values("x", 0) == (1, 1)
    assert values("x", 5) == values("x", 5)
    assert len({values("x", 5), values("x", 6), values("y", 5)}) == 3
    assert values("x", 5)[0] != values("x", 5)[1]
    other_order = Draw("x", 5)
    other_order("b", 1, range(2, 1000))
    assert other_order("a", 1, range(2, 1000)) == values("x", 5)[0]
    with pytest.raises(ValueError, match="must not hold the public value 1"):
        Draw("x", 0)("a", 1, [1, 2])


@pytest.mark.parametrize("seed", range(9))
def test_exercises_that_go_on_with_a_drop_or_a_decay_have_its_numbers(seed):
    first, second, third, fourth = (
        get(name).variant(seed) for name in ("drop", "drop_end", "area", "area_power")
    )
    formula = r"[\d.]+\^\{\\lfloor \(1 \+ \\text\{epoch\}\)/\d+ \\rfloor\}"
    assert re.search(formula, first.prompt)[0] == re.search(formula, second.prompt)[0]
    numbers = r"([\d.]+) ?\*\* ?\(\(1 \+ e\) // (\d+)\)"
    assert re.search(numbers, third.solution).groups() == re.search(numbers, fourth.solution).groups()
    by_step, by_epoch = (get(name).variant(seed).solution for name in ("time_end", "time_end_epoch"))
    assert re.findall(r"\d+", by_step.partition("*")[0]) == re.findall(r"\d+", by_epoch.partition("-")[0])
    assert re.search(r"\(1 \+ [\d.]+", by_step)[0] == re.search(r"\(1 \+ [\d.]+", by_epoch)[0]


# Judged by deed


def loss_after(rates):
    """The valley's recursion with plain floats: distance left, and shaking left."""
    distance = shaking = 0.0
    for i in range(1, 65):
        l, m, v = 1 / i, 1.0, 0.0  # noqa: E741
        for eta in rates:
            m, v = (1 - eta * l) * m, (1 - eta * l) ** 2 * v + 0.1 * eta**2 * l
        distance, shaking = distance + 0.5 * l * m * m, shaking + 0.5 * l * v
    return distance, shaking


def test_beat_is_judged_by_the_loss_after_300_updates():
    task = get("beat").variant()
    assert task.judge.target == 0.0180
    linear = LinearDecay(total_steps=300)
    # power 1.5 at its best rate just misses, a hyperbola over linear decay does not
    near = [1.13 * linear(t) ** 1.5 for t in range(300)]
    below = [1.42 * linear(t) / (1 + t / 150) for t in range(300)]
    distance, shaking = loss_after(near)
    assert sum(loss_after(below)) < 0.0180 < distance + shaking < 0.0183
    assert shaking > distance
    assert check("beat", below.__getitem__)
    assert check("beat", near.__getitem__).hint == (
        f"a loss of {distance + shaking:.5f}, not below 0.018; "
        "most of it is shaking: try smaller rates, late."
    )
    assert "linear decay at its best, 0.0192" in check("beat", lambda t: 0.8547 * linear(t)).hint


@pytest.mark.parametrize(
    ("rate", "hint"),
    [
        (lambda t: 0.8 - 0.004 * t, "not below zero, and at step 201 it is -0.004"),
        (lambda t: 1.42 * (1 - t / 300) / (1 + t / 150) if t else math.nan, "at step 0 it is nan"),
        (lambda t: math.inf, "at step 0 it is inf"),
        (lambda t: 1.4 * max(0, 1 - t / 150), "wrong horizon: rates are zero from step 150 on, 150 updates"),
        (lambda t: 0.8 * (1 - t / 600), "wrong horizon: the last update still has 0.5 of the peak rate"),
        (lambda t: 0.8 * (1 - t / 39_100), "wrong horizon: the last update still has 0.99 of the peak"),
        (lambda t: 5.0, "flies apart"),
        (lambda t: 0.05 * (1 - t / 300), "distance: try larger rates"),
        (lambda t: [1.0], "at step 0 a number is wanted"),
    ],
)  # fmt: skip
def test_beat_refuses_what_does_not_count(rate, hint):
    verdict = check("beat", rate)
    assert not verdict
    assert hint in verdict.hint


def test_a_search_is_run_with_poisoned_test_labels():
    seen = []

    def search(fit, train, val, test, lrs):
        x, y = (tuple.__getitem__(test, k) for k in (0, 1))  # looks without opening it
        seen.append((x.tobytes(), tuple(y), tuple(val[1]), tuple(train[1])))
        return max(lrs, key=lambda lr: fit(train, lr).accuracy(val))

    assert check("grid_search", search)
    clean, poisoned = seen[::2][:3], seen[1::2][:3]
    for a, b in zip(clean, poisoned, strict=True):
        assert (a[0], a[2], a[3]) == (b[0], b[2], b[3])
        assert all(x != y for x, y in zip(a[1], b[1], strict=True))


def test_a_search_that_peeks_in_its_own_way_is_caught():
    def on_val(fit, train, val, test, lrs):
        honest = max(lrs, key=lambda lr: fit(train, lr).accuracy(val))
        return honest if fit(train, honest).accuracy(test) > 0.4 else lrs[0]

    def on_a_tie(fit, train, val, test, lrs):
        models = {lr: fit(train, lr) for lr in lrs}
        return max(lrs, key=lambda lr: (models[lr].accuracy(val), models[lr].accuracy(test)))

    def a_little(fit, train, val, test, lrs):
        models = {lr: fit(train, lr) for lr in lrs}
        return max(lrs, key=lambda lr: models[lr].accuracy(val) + 0.01 * models[lr].accuracy(test))

    def thrown_away(fit, train, val, test, lrs):
        _, labels = test
        return on_val(fit, train, val, (test[0], labels), lrs)

    for search in (on_val, on_a_tie, a_little, thrown_away):
        for seed in range(4):
            assert "opens the test set" in check("grid_search", search, seed=seed).hint
    chance = iter([0.3, 3.0] * 20)
    assert "leave out what is random" in check("grid_search", lambda *_: next(chance)).hint


def test_a_search_cannot_spoil_the_data():
    def spoil(fit, train, val, test, lrs):
        for x, y in (train, val, test):
            x[:], y[:] = 0, 0
        lrs.clear()
        return 0.001

    assert not check("grid_search", spoil)
    assert check("grid_search", solved(get("grid_search")))


def test_a_search_that_ignores_everything_or_fails():
    assert "takes another rate" in check("grid_search", lambda *_: 0.3).hint
    assert (
        "return one of the rates 0.001, 0.03, 0.3, 3.0, 30.0, got 2"
        in check("grid_search", lambda *_: 2).hint
    )
    assert check("grid_search", lambda fit: 0.3).hint.startswith("your search raised TypeError: ")


def test_a_loop_over_micro_batches():
    # 24 micro-batches by 4 are 6 updates, whose rates fall from the peak by a sixth each
    assert solved(get("micro_batches"))(24, 4, 0.6) == pytest.approx([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert solved(get("micro_batches"))(23, 3, 7.0) == pytest.approx([7, 6, 5, 4, 3, 2, 1])
    wrong = {
        "with 24 micro-batches and k = 4 a list of rates is wanted, got int.": lambda *_: 3,
        "24 micro-batches with k = 4 make 6 updates, and your list has 24 rates.": lambda n, k, peak: (
            [peak] * n
        ),
        "24 micro-batches with k = 4: update 1 of 6 (counted from 0) gets 0.1, "
        "which is too large for linear decay over the updates.": lambda n, k, peak: [peak] * (n // k),
        # n / k is 6 in the first run, and 7.67 in the one of 23 by 3: only there it is wrong.
        "23 micro-batches with k = 3: update 1 of 7 (counted from 0) gets 0.8696, "
        "which is too large for linear decay over the updates.": lambda n, k, peak: [
            peak * (1 - t / (n / k)) for t in range(n // k)
        ],
        "with 24 micro-batches and k = 4, your loop raised KeyError: 'x'.": lambda *_: {}["x"],
    }
    for hint, loop in wrong.items():
        assert check("micro_batches", loop) == Verdict(False, hint)


def rates_of(name, *numbers, peak=0.1, code=None):
    """What PyTorch's optimizer has at each update of a loop: the solution's, or that of other code."""
    import torch

    task, found = get(name).variant(), []

    class Noted(torch.optim.SGD):
        def step(self, closure=None):
            found.append(self.param_groups[0]["lr"])
            return super().step(closure)

    optimizer = Noted([torch.nn.Parameter(torch.ones(1))], lr=peak)
    task.run(code or task.solution)(optimizer, *numbers)
    return found


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_pytorch_loops_by_hand():
    # 4 updates of linear decay from 0.1 lose a quarter each; the wrong order begins a quarter late, at 0
    assert rates_of("torch_order", 4) == pytest.approx([0.1, 0.075, 0.05, 0.025])
    starter = get("torch_order").variant().starter
    assert rates_of("torch_order", 4, code=starter) == pytest.approx([0.075, 0.05, 0.025, 0.0])
    # 2 epochs of 3 updates: t = 0..5 by the update, 0 and 1 by the epoch
    by_update = [0.1 / (1 + 0.001 * t) for t in range(6)]
    assert rates_of("torch_unit", 2, 3) == pytest.approx(by_update)
    starter = get("torch_unit").variant().starter
    assert rates_of("torch_unit", 2, 3, code=starter) == pytest.approx([0.1] * 3 + [0.1 / 1.001] * 3)
    # the factor alone: 4 updates of linear decay; the starter multiplies the peak in twice
    assert rates_of("tenth", 4) == pytest.approx([0.1, 0.075, 0.05, 0.025])
    starter = get("tenth").variant().starter
    assert rates_of("tenth", 5, code=starter) == pytest.approx([0.01, 0.008, 0.006, 0.004, 0.002])
    # half a wave over 4 updates: (1 + cos(0, 45, 90, 135 degrees)) / 2; with T_max = 2 a whole wave
    half = math.sqrt(0.5)
    assert rates_of("torch_t_max", 2, 2) == pytest.approx([0.1, 0.05 * (1 + half), 0.05, 0.05 * (1 - half)])
    starter = get("torch_t_max").variant().starter
    assert rates_of("torch_t_max", 2, 2, code=starter) == pytest.approx([0.1, 0.05, 0.0, 0.05])
    # 4 updates, 2 of them done: the third and the fourth are left; the starter begins anew after the first
    saved = {
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.05, "initial_lr": 0.1, "params": [0]}]},
        "plan": {"last_epoch": 2, "_step_count": 3, "base_lrs": [0.1], "lr_lambdas": [None]},
    }
    saved["optimizer"]["param_groups"][0] |= {"momentum": 0, "dampening": 0, "weight_decay": 0}
    saved["optimizer"]["param_groups"][0] |= {"nesterov": False, "maximize": False}
    saved["optimizer"]["param_groups"][0] |= {"foreach": None, "differentiable": False, "fused": None}
    assert rates_of("torch_resume", saved, 2, 2) == pytest.approx([0.05, 0.025])
    starter = get("torch_resume").variant().starter
    assert rates_of("torch_resume", saved, 2, 2, code=starter) == pytest.approx([0.05, 0.075])


def test_the_numbers_in_the_loops_prompts():
    # "40 times below its start", "ends at 0.091"
    assert (1 + 0.001 * 39_099, round(0.1 / (1 + 0.001 * 99), 3)) == (pytest.approx(40, abs=0.2), 0.091)


@pytest.mark.parametrize("name", TORCH)
def test_pytorch_loops_that_fail_or_stop_early(name):
    assert check(name, lambda *_: 1 / 0).hint.endswith(
        "your loop raised ZeroDivisionError: division by zero."
    )
    assert "and your loop makes 0." in check(name, lambda *_: None).hint
    assert "a function is wanted, got 0.1." in check(name, 0.1).hint

    def held(optimizer, *_):
        for _ in range(2):
            optimizer.step()

    assert re.search("make \\d+ updates, and your loop makes 2", check(name, held).hint)


def test_nine_lines():
    assert len(get("micro_batches").variant().starter.splitlines()) == 9


@every_exercise
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_texts_are_whole(exercise, seed):
    task = exercise.variant(seed)
    texts = [task.prompt, task.asked, task.reveal, *(mistake.hint for mistake in task.mistakes)]
    for text in texts:
        assert text.endswith((".", "?", ".)"))
        prose = re.sub(r"(?s)```.*?```|\$[^$]*\$", "x", text)
        assert not re.search(r"\bnan\b|None|[{}]|  ", prose), text
    for line in re.sub(r"(?s)```.*?```", "", task.prompt).splitlines():
        assert not re.match(r"\s*([-+*>#%]|\d+[.)])\s", line), f"Markdown takes this for a list: {line}"
        assert line == line.strip()
    for text in [task.reveal, *(mistake.hint for mistake in task.mistakes)]:
        assert "\n" not in text


def test_it_loads_without_torch():
    program = "import sys, lrbook.exercises; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_the_doc_of_check_names_its_arguments():
    assert list(inspect.signature(check).parameters) == ["name", "answer", "seed"]


# Levels, outcomes, pictures, and exercises without a checker


def test_every_exercise_has_a_level_and_few_are_hard():
    levels = [exercise.level for exercise in ALL]
    assert set(levels) == {"easy", "medium", "hard"}
    assert levels.count("easy") > levels.count("medium") > levels.count("hard") >= 4
    assert {exercise.name for exercise in ALL if exercise.level == "hard"} == {
        *("seeds_needed", "area_power", "best_epoch", "beat")
    }


def promised(chapter):
    """The outcomes that a chapter's page lists under "You will be able to"."""
    (path,) = (ROOT / "book").glob(f"[sb]*/{chapter}.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    item = r"(?:-|\d\.) .+\n?(?:  +.+\n?)*"
    (part,) = re.findall(rf"\*\*You will be able to\*\*\n\n((?:{item})+)", text)
    items = re.findall(r"^(?:-|\d\.) (.+(?:\n  +.+)*)", part, re.M)
    return [" ".join(each.split()).rstrip(";.") for each in items]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_outcomes_are_those_of_the_page(chapter):
    assert [outcome for outcome, _ in OUTCOMES[chapter]] == promised(chapter), "lrbook/exercises/outcomes.py"


def test_outcomes_name_exercises_that_are_there():
    named = [name for outcomes in OUTCOMES.values() for _, names in outcomes for name in names]
    there = {exercise.name for exercise in (*ALL, *exercises.open_exercises())}
    assert tuple(OUTCOMES) == CHAPTERS
    assert set(named) <= there
    # those that practise what no chapter promises
    assert there - set(named) == {"beat"}


def test_outcomes_without_an_exercise_say_so():
    table = outcomes_table().splitlines()[2:]
    assert len(table) == sum(map(len, OUTCOMES.values()))
    empty = sum(not names for outcomes in OUTCOMES.values() for _, names in outcomes)
    assert sum(line.endswith("| *none* |") for line in table) == empty
    assert f"and {empty} have none." in levels_text()


def test_each_chapter_of_the_table_of_outcomes_is_where_its_link_leads():
    links = re.findall(r"\]\((.+?)\)", outcomes_table())
    assert len(links) == len(OUTCOMES)
    assert all((ROOT / "book/teach" / link).is_file() for link in links), links


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_is_said_of_the_curves_can_be_seen(seed):
    runs = {run.label: run for run in load_runs("survey-laptop") if run.config.seed == seed}
    assert {run.config.epochs for run in runs.values()} == {30}
    # percentage points; number e - 1 is epoch e
    curves = {name: 100 * np.array(runs[name].column("test_accuracy")) for name in PUBLIC}
    moves = {name: np.abs(np.diff(curve)) for name, curve in curves.items()}
    assert moves["constant"][19:].max() > 1.0
    assert moves["time"][19:].max() < 0.6 < 1.5 < moves["time"][3:12].max()
    assert moves["drop"][9:].max() < 0.6
    steps = np.diff(curves["drop"])
    assert steps[2:4].max() > 3  # into epoch 4 or 5
    assert 1.2 < steps[7:9].max() < 4  # into epoch 9 or 10
    falls = [curves["cosine5"][end - 1] - curves["cosine5"][end : end + 2].min() for end in (6, 12, 18, 24)]
    assert min(falls) > 3
    assert np.flatnonzero(np.diff(curves["cosine5"]) < -3).size >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_and_planned_differ_by_more_than_a_quarter(seed):
    task = get("killed").variant(seed)
    killed, planned = map(float, re.findall(r"(?:killed:|:) (0\.\d{4})", task.reveal))
    assert planned < 0.75 * killed
    assert any("more than a quarter" in mistake.hint for mistake in task.mistakes)


def test_a_list_of_names_is_read_kindly_and_refused_in_one_sentence():
    assert check("four_curves", (" Drop", "constant ", "COSINE5", "time"))
    wanted = "a list of the names constant, cosine5, drop, time is wanted, each once, got "
    assert check("four_curves", "drop").hint == f"{wanted}'drop'."
    assert check("four_curves", ["drop"] * 4).hint == f"{wanted}drop, drop, drop, drop."
    assert check("four_curves", ["time", "drop", "constant", "cosine5"]).hint.startswith(
        "0 of the 4 are right."
    )


def test_the_picture_has_the_panels_of_its_variant():
    for seed in range(4):
        task = get("four_curves").variant(seed)
        labels = [name.strip(' "[]') for name in task.solution.partition("=")[2].split(",")]
        figure = plot_four_curves(seed=seed)
        for axes, label in zip(figure.axes, labels, strict=True):
            (line,) = axes.lines
            found = [run for run in load_runs("survey-laptop") if run.label == label]
            assert any(np.allclose(line.get_ydata(), run.column("test_accuracy")) for run in found)
        assert ("seed=" in task.picture.code) == bool(seed)
        for name in ("constant", "drop", "cosine", "time-based"):
            assert name not in task.picture.alt + task.picture.caption


def test_open_exercises_have_three_criteria_and_two_sentences():
    kinds = [question.kind for question in exercises.open_exercises()]
    assert (kinds.count("explain"), kinds.count("project")) == (3, 1)
    for question in exercises.open_exercises():
        assert question.chapter in CHAPTERS
        assert len(question.criteria) == 3
        # Jupyter Book takes a line that begins with a per cent sign for a comment
        assert not re.search("^%", question.prompt + "\n" + question.model, re.M)
        assert all(criterion.endswith(".") for criterion in question.criteria)
        if question.kind == "explain":
            assert len(re.findall(r"[.?](?:\s|$)", question.model)) == 2, question.name


def test_the_numbers_of_the_open_exercises():
    runs = {}
    for run in load_runs("survey-laptop"):
        runs.setdefault(run.label, []).append(run)
    last = {label: [run.epochs[-1] for run in of] for label, of in runs.items()}
    (question,) = exercises.open_exercises("time_based")
    losses = {label: np.mean([end.train_loss for end in last[label]]) for label in ("time", "drop")}
    prompt = " ".join(question.prompt.split())
    assert (
        f"training loss of {losses['time']:.3f}, and those with drop-based decay with {losses['drop']:.3f}"
        in prompt
    )
    assert min(end.train_accuracy for label in ("time", "drop") for end in last[label]) > 0.998
    assert max(end.test_accuracy for end in last["time"]) < min(end.test_accuracy for end in last["drop"])
    # restarts come after 6, 12 and 18 epochs: one epoch after the third is epoch 19
    ends = {label: [run.epochs[18].test_accuracy for run in runs[label]] for label in ("cosine", "cosine5")}
    assert min(ends["cosine"]) - max(ends["cosine5"]) > 0.02
