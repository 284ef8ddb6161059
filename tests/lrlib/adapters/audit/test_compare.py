"""compare: what it refuses, what it notes, how it words it, and its speed on a long run."""

import math
import time

import numpy as np
import pytest

from audit_grid import formula, shapes
from lrlib import Constant, CosineAnnealing, LinearDecay, TimeDecay, audit, hold, with_warmup
from lrlib.adapters.audit import KINDS
from lrlib.schedules import ExponentialDecay

PLAN = LinearDecay(total_steps=60)
PEAK = 0.1


def rates(time, n=60, plan=PLAN):
    return [PEAK * plan(max(time(t), 0)) for t in range(n)]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"rates": []}, ValueError, "there is no applied rate to compare; was the optimizer stepped"),
        ({"rates": [0.1, float("nan")]}, ValueError, "rates must be finite, got nan at update 1"),
        ({"peak_lr": 0.0}, ValueError, "peak_lr must be > 0 and finite, got 0.0"),
        ({"start": -1}, ValueError, "start must be >= 0, got -1"),
        ({"processes": 0}, ValueError, "processes must be >= 1, got 0"),
        ({"accumulate": 1.5}, TypeError, "accumulate must be an integer >= 1, got 1.5"),
        ({"steps_per_epoch": 0}, ValueError, "steps_per_epoch must be >= 1, got 0"),
        ({"skipped": -2}, ValueError, "skipped must be >= 0, got -2"),
        ({"clock": [0]}, ValueError, r"clock must have one count a rate \(2\), got 1"),
        ({"tolerance": -1.0}, ValueError, "tolerance must be >= 0, got -1.0"),
        ({"schedule": []}, ValueError, "the plan must have at least one rate, got an empty sequence"),
    ],
)
def test_bad_input_is_one_sentence(change, error, sentence):
    given = {"rates": [0.1, 0.09], "schedule": PLAN, "peak_lr": PEAK, **change}
    with pytest.raises(error, match=sentence):
        audit.compare(given.pop("rates"), given.pop("schedule"), **given)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"processes": 2}, "2 processes"),
        ({"accumulate": 2}, "2 micro-batches an update"),
        ({"processes": 2, "accumulate": 2}, "2 processes"),
        ({}, "the clock runs 2 times too fast"),
    ],
)
def test_processes_and_micro_batches_are_named_only_where_they_are_known(known, words):
    text = audit.compare(rates(lambda t: 2 * t), PLAN, peak_lr=PEAK, **known).readings[0].text
    assert words in text
    assert ("process" in text or "micro" in text) == bool(known)


def test_the_product_of_both_is_a_speed_too():
    verdict = audit.compare(rates(lambda t: 8 * t), PLAN, peak_lr=PEAK, processes=2, accumulate=4)
    assert verdict.readings[0].text.endswith("2 processes times 4 micro-batches")


@pytest.mark.parametrize("speed", [2, 3, 5, 7])
def test_a_speed_that_nobody_told(speed):
    verdict = audit.compare(rates(lambda t: speed * t), PLAN, peak_lr=PEAK)
    assert (verdict.kind, verdict.readings[0].numbers["speed"]) == ("too_fast", speed)


def test_a_log_that_begins_in_mid_run():
    late = rates(lambda t: t)[20:]
    assert audit.compare(late, PLAN, peak_lr=PEAK, start=20).agrees
    verdict = audit.compare(late, PLAN, peak_lr=PEAK)
    assert (verdict.kind, verdict.readings[0].numbers["k"]) == ("shift_ahead", 20)


def test_notes_are_no_faults():
    short = audit.compare(rates(lambda t: t)[:40], PLAN, peak_lr=PEAK)
    assert short.agrees
    assert [note.kind for note in short.notes] == ["short_run"]
    long = audit.compare(rates(lambda t: t, 63), PLAN, peak_lr=PEAK)
    assert [note.text for note in long.notes] == ["3 updates after the plan's end, with rate 0"]
    skipped = audit.compare(rates(lambda t: t), PLAN, peak_lr=PEAK, skipped=1)
    assert [note.text for note in skipped.notes] == ["1 update was skipped"]


WARM = with_warmup(CosineAnnealing(total_steps=270), 30)


def warm(time):
    return [PEAK * WARM(time(t)) for t in range(300)]


@pytest.mark.parametrize(
    ("applied", "kind", "words"),
    [
        (warm(lambda t: t + 30), "shift_ahead", "the clock is 30 ahead"),  # the warm-up is missing
        ([max(0.1 * PEAK, rate) for rate in warm(lambda t: t)], "floor", "never below 0.1 of the peak"),
        (
            [PEAK if t == 77 else r for t, r in enumerate(warm(lambda t: t))],
            "stretch",
            "only update 77 differs: 1 of the peak for",
        ),
        (warm(lambda t: min(t, 30)), "frozen", "stays at 1 of the peak"),
        (warm(lambda t: t + (t >= 100)), "jump", "from update 100: the clock is 1 ahead"),
    ],
)
def test_other_faults_than_the_grids(applied, kind, words):
    import re

    verdict = audit.compare(applied, WARM, peak_lr=PEAK)
    assert verdict.kind == kind, str(verdict)
    assert re.search(words, verdict.readings[0].text), verdict.readings[0].text


def test_noise_is_unknown_and_said_so():
    noisy = PEAK * np.random.default_rng(5).random(60)
    verdict = audit.compare(noisy, PLAN, peak_lr=PEAK)
    assert (verdict.kind, verdict.sure) == ("unknown", False)
    assert "no known fault gives these rates" in str(verdict)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("rate", "peak_lr"), [(0.09, 2e-311), (3e76, 0.1), (1e152, 0.1), (-1e308, 1e-300)])
def test_rates_of_any_size_are_no_warning(rate, peak_lr):
    assert not audit.compare([0.1, rate, 0.08], PLAN, peak_lr=peak_lr).agrees


def test_tolerance_is_in_units_of_the_rate():
    off = [rate + 1e-4 for rate in rates(lambda t: t)]
    assert not audit.compare(off, PLAN, peak_lr=PEAK).agrees
    assert audit.compare(off, PLAN, peak_lr=PEAK, tolerance=2e-4).agrees
    assert not audit.compare(off, PLAN, peak_lr=PEAK, tolerance=0.5e-4).agrees


def test_single_precision_is_no_fault():
    plan = CosineAnnealing(total_steps=300)
    logged = np.array([PEAK * plan(t) for t in range(300)], dtype=np.float32)
    assert audit.compare(logged, plan, peak_lr=PEAK).agrees


def test_a_plan_as_function_or_as_list():
    for plan in (lambda t: 1 - t / 60, PLAN.values(61)):
        assert audit.compare(rates(lambda t: t), plan, peak_lr=PEAK, total_steps=60).agrees
        assert audit.compare(rates(lambda t: t + 1), plan, peak_lr=PEAK, total_steps=60).kind == "shift_ahead"


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (lambda t: [1.0, 0.9][t], "update 2, got IndexError: list index out of range"),
        (lambda t: (1 - t / 1.5) ** 0.5, "update 2, got TypeError: .*complex"),
        (lambda t: math.inf if t == 1 else 1.0, "finite factor for update 1, got inf"),
    ],
)
def test_a_function_must_know_the_updates_of_the_log(plan, error):
    with pytest.raises(ValueError, match=f"the plan must give a .*{error}"):
        audit.compare([0.1, 0.09, 0.08], plan, peak_lr=PEAK)


def test_what_a_list_does_not_know_is_not_judged():
    """The plan's 60 factors end before the last update's of a clock that is one ahead, or twice too fast."""
    plan = PLAN.values(60)
    ahead = audit.compare(rates(lambda t: t + 1), plan, peak_lr=PEAK)
    assert (ahead.kind, ahead.sure, ahead.readings[0].numbers["k"]) == ("shift_ahead", True, 1)
    assert audit.compare(rates(lambda t: 2 * t), plan, peak_lr=PEAK).kind == "too_fast"
    # A few updates of a list prove nothing: 57 of the 60 are behind its end here.
    few = [PEAK * plan[57 + t] if t < 3 else 0.0123 for t in range(60)]
    assert audit.compare(few, plan, peak_lr=PEAK).kind != "shift_ahead"


def test_a_plan_without_horizon():
    plan = TimeDecay(decay=0.05)
    verdict = audit.compare(rates(lambda t: t // 2, plan=plan), plan, peak_lr=PEAK)
    assert verdict.kind == "stepped_per_epoch"
    slow = [PEAK / (1 + 0.05 * t / 3) for t in range(60)]
    verdict = audit.compare(slow, plan, peak_lr=PEAK)
    assert (verdict.kind, verdict.readings[0].numbers["speed"]) == ("too_slow", pytest.approx(1 / 3))


def test_a_constant_plan_is_kept_or_scaled():
    assert audit.compare([PEAK] * 9, Constant(), peak_lr=PEAK).agrees
    assert audit.compare([PEAK / 10] * 9, Constant(), peak_lr=PEAK).kind == "scaled"


def test_sentences_causes_and_mended_lines():
    verdict = audit.compare(rates(lambda t: t // 10), PLAN, peak_lr=PEAK)
    text = str(verdict)
    assert text.startswith("The applied rates part from the plan at update 1: 59 of 60 differ.")
    assert "For example: scheduler.step() is called after each epoch" in text
    assert "      scheduler.step()  # an update, not an epoch" in text
    assert max(map(len, text.splitlines())) <= 100
    assert str(audit.compare(rates(lambda t: t), PLAN, peak_lr=PEAK)) == (
        "The 60 applied rates agree with the plan."
    )


def test_a_notebook_shows_a_table_that_is_escaped():
    from bs4 import BeautifulSoup

    verdict = audit.compare(rates(lambda t: t // 10), PLAN, peak_lr=PEAK)
    page = BeautifulSoup(verdict._repr_html_(), "html.parser")
    heads = [head.get_text() for head in page.find_all("th")]
    assert heads[:3] == ["stepped per epoch", "for example", "mended"]
    assert "scheduler.step()" in page.find("pre").get_text()
    skips = audit.compare(rates(lambda t: t + (t >= 20) + (t >= 33)), PLAN, peak_lr=PEAK)
    assert skips.kind == "skips"
    assert "&gt;=" in skips._repr_html_()
    assert ">= scale" in BeautifulSoup(skips._repr_html_(), "html.parser").find("pre").get_text()


@pytest.mark.parametrize(
    ("kind", "numbers", "first", "mended"),
    [
        ("shift_ahead", {"k": 1}, "scheduler.step() comes before optimizer.step()", True),
        ("shift_ahead", {"k": 30, "warmup": True}, "the plan's warm-up is left out", False),
        ("shift_ahead", {"k": 20, "epochs": True}, "epochs are counted from 1", False),
        ("shift_ahead", {"k": 3, "skipped": True}, "a GradScaler skipped updates", True),
        ("too_fast", {"speed": 2}, "it is stepped twice an update", True),
        ("too_fast", {"speed": 39, "epochs": True}, "its numbers count epochs", True),
        ("scaled", {"parts": []}, "ReduceLROnPlateau, another scheduler", False),
    ],
)
def test_a_cause_depends_on_the_numbers(kind, numbers, first, mended):
    reading = audit.Reading(kind, "", numbers)
    assert reading.causes[0].startswith(first)
    assert bool(reading.mended) == mended


def test_one_wrong_step_of_a_staircase_makes_nobody_sure():
    """A cosine that is held for 39 updates, from update 153 on 3 ahead: one step shows it, and then two."""
    plan = hold(CosineAnnealing(total_steps=391), 39)
    applied = [PEAK * plan(t + 3 * (t >= 153)) for t in range(195)]
    verdict = audit.compare(applied[:190], plan, peak_lr=PEAK)
    assert (verdict.differ, verdict.agrees, verdict.sure) == (3, False, False)
    longer = audit.compare(applied, plan, peak_lr=PEAK)
    assert (longer.differ, longer.kind) == (6, "jump")


def test_a_slope_that_is_not_whole_is_no_horizon():
    """cos(t / T) without its pi: 502.65 updates are nobody's horizon, and so no reading is sure."""
    off = [PEAK * (1 + math.cos(t / 160)) / 2 for t in range(160)]
    verdict = audit.compare(off, CosineAnnealing(total_steps=160), peak_lr=PEAK)
    assert (verdict.kind, verdict.sure) == ("too_slow", False)


def test_single_precision_adds_up_and_is_noted():
    """A rate that is made of the last one, in float32, as torch's ExponentialLR makes it of a tensor."""
    rate, applied = np.float32(PEAK), []
    for _ in range(20_000):
        applied.append(rate)
        rate = rate * np.float32(0.01 ** (1 / 20_000))
    plan = ExponentialDecay(decay_rate=0.01, decay_steps=20_000)
    off = max(abs(rate / (PEAK * plan(t)) - 1) for t, rate in enumerate(map(float, applied)))
    assert off > 1e-4  # rounded once, it were 6e-8
    verdict = audit.compare(applied, plan, peak_lr=PEAK)
    assert verdict.agrees
    assert [(note.kind, note.numbers["relative"]) for note in verdict.notes] == [
        ("drift", pytest.approx(off))
    ]
    # Rounding does not make a thousandth in 50 updates, nor anything of the kind in double precision.
    once = np.array(applied)
    once[50] *= np.float32(1.001)
    double = np.array(applied, dtype=float)
    double[-1] *= 1 + 1e-9
    for changed in (once, double):
        assert not audit.compare(changed, plan, peak_lr=PEAK).agrees


def test_every_kind_that_is_a_fault_has_causes():
    from lrlib.adapters.audit.verdict import Reading

    assert len(KINDS) >= 20
    assert [kind for kind in KINDS if not Reading(kind, "").causes] == ["unknown"]


FAULTS = {
    "as planned": (lambda t: t, "agrees"),
    "ahead": (lambda t: t + 1, "shift_ahead"),
    "per epoch": (lambda t: t // 391, "stepped_per_epoch"),
    "once an epoch": (lambda t: t - t % 391, "held"),
    "fast": (lambda t: 2 * t, "too_fast"),
    "begun again": (lambda t: t if t < 20_000 else t - 20_000, "restarted"),
    "extra": (lambda t: t + t // 391, "extra_step"),
    "nonsense": (lambda t: (t * 7919) % 39_100, "unknown"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("shape", ["linear", "cosine", "triangle"])
def test_a_hundred_epochs_of_cifar10_are_read_in_a_second(shape, fault):
    """T = 39,100. Process time, as tests share the machine; the plan's own values are not counted."""
    total = 39_100
    plan = shapes(total)[shape]
    factor, (clock, kind) = formula(plan), FAULTS[fault]
    applied = np.array([PEAK * factor(min(clock(t), total)) for t in range(total)])
    spent = []
    for _ in range(3):  # a core that is shared counts the other's waits, too
        begun = time.process_time()
        plan.values(2 * total)
        values = time.process_time() - begun
        begun = time.process_time()
        verdict = audit.compare(applied, plan, peak_lr=PEAK, steps_per_epoch=391)
        spent.append(time.process_time() - begun - values)
        assert verdict.kind == kind
        if spent[-1] < 1.0:
            return
    raise AssertionError(f"each took more than a second: {spent}")
