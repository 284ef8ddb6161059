"""The applied rate: eight loops with their rates by hand, findings that can fail, other tools as they ran."""

from __future__ import annotations

import math

import numpy as np
import pytest

import findings as rules
import rate_logs
from findings import constants
from frameworks import keras_moved, torch_keras
from lrbook.chapters import audit as chapter
from lrbook.chapters.audit import PEAK, SHOWN, TRAPS
from run_page import run_page

NOISE = """
    |  for update in range(60):
    |      for group in optimizer.param_groups:
    |          group["lr"] = 0.1 * (7 * update % 11 + 1) / 12
    |      optimizer.step()
"""
EXCHANGED = str.maketrans("+-", "-+")


def exchanged(loop: str) -> str:
    """The loop as if the mended lines were the fault."""
    return "\n".join(
        line[: line.index("|") + 2].translate(EXCHANGED) + line[line.index("|") + 2 :]
        for line in loop.strip().splitlines()
    )


def loops(change):
    return constants(chapter, TRAPS={name: change(trap) for name, trap in TRAPS.items()})


def logs(change):
    return constants(chapter, SHOWN={name: change(name, row) for name, row in SHOWN.items()})


ALTERATIONS = {
    "the mended lines are the fault": loops(lambda trap: trap._replace(loop=exchanged(trap.loop))),
    "rates of no plan": loops(lambda trap: trap._replace(loop=NOISE)),
    "nothing overflows": loops(lambda trap: trap._replace(overflows=0)),
    "torch always warns": logs(lambda name, row: ("warns", *row[1:])),
    "torch never warns": logs(lambda name, row: ("none", *row[1:])),
    "logs show all": logs(lambda name, row: (row[0], *(chapter.SHOWS for _ in row[1:]))),
    "logs show nothing": logs(lambda name, row: (row[0], *(chapter.HIDES for _ in row[1:]))),
}
# Settings of the loops, which stand in the code beside the words.
ALLOWED = r"four (?:micro-batches|times)"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(chapter, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(chapter)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Eight plans, and what was applied",
        "Predict: two of these loops look right in a log",
        "Three lines around your own loop",
        "Try it: is the plan applied in this book?",
    }
    rules.check_page(chapter, plain_headings=plain)


def test_eight_loops_are_short_and_of_eight_threads():
    assert len({trap.thread for trap in TRAPS.values()}) == 8
    for trap in TRAPS.values():
        lines = chapter.diff_of(trap).splitlines()
        assert len(lines) <= 12
        assert max(map(len, lines)) <= 72
        assert {line[:2] for line in lines} >= {"  ", "- ", "+ "}


# What each faulty loop applies at update t, as part of the peak, worked out from its lines.
BY_HAND = {
    "per_epoch": lambda t: 1 - t // 10 / 60,
    "epochs_as_horizon": lambda t: (1 + math.cos(math.pi * t / 6)) / 2,
    "micro_batches": lambda t: max(0, 1 - (4 * t + 3) / 60),
    "order": lambda t: 1 - (t + 1) / 60,
    "overflow": lambda t: 1 - (t + 3) / 60,
    "resume": lambda t: 1 - t % 30 / 60,
    # the factors 1, 1, 1/2, 1/2, 1/4, 1/4, each times all before it
    "compounding": lambda t: (1, 1, 1 / 2, 1 / 4, 1 / 16, 1 / 64)[t // 10],
    "last_group": lambda t: 1,
}


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
@pytest.mark.parametrize("name", TRAPS)
def test_rates_of_the_loops_by_hand(name):
    rates = chapter.ran(TRAPS[name]).rates
    assert len(rates) == (57 if name == "overflow" else 60)
    wanted = [PEAK * BY_HAND[name](t) for t in range(len(rates))]
    np.testing.assert_allclose(rates, wanted, rtol=1e-9, atol=1e-12)


def test_the_second_of_two_groups_follows_the_plan():
    assert chapter.ran(TRAPS["last_group"]).group(1) == pytest.approx([0.1 - t / 600 for t in range(60)])


@pytest.mark.parametrize("name", TRAPS)
def test_the_page_prints_what_the_library_prints(name):
    printed = str(chapter.judged(name)).splitlines()
    verdict = chapter.parts_of(name)["verdict"].splitlines()[1:-1]
    assert verdict[0] == printed[0]
    assert [line for line in printed if line in verdict] == verdict
    left = [line for line in printed if line not in verdict]
    assert left[0].startswith("  For example: ")


# Other tools


@pytest.mark.parametrize("name", TRAPS)
def test_what_torch_says(name):
    assert rate_logs.warned(name) == (SHOWN[name][chapter.WARNED] == "warns")
    assert rate_logs.said(rate_logs.get_last_lr, name) == word(name, chapter.GET_LAST_LR)


@pytest.mark.filterwarnings("ignore")  # of the framework
@pytest.mark.rosetta("lightning")
@pytest.mark.parametrize("name", TRAPS)
def test_what_lightnings_monitor_says(name):
    assert rate_logs.said(rate_logs.monitor, name) == word(name, chapter.MONITOR)


@pytest.mark.filterwarnings("ignore")  # of the framework
@pytest.mark.rosetta("keras")
@pytest.mark.parametrize(
    "name", [name for name, row in SHOWN.items() if row[chapter.HISTORY] != "cannot arise"]
)
def test_what_keras_history_says(name):
    assert rate_logs.said(rate_logs.history, name) == word(name, chapter.HISTORY)


@pytest.mark.filterwarnings("ignore")  # of the framework
@pytest.mark.rosetta("keras")
def test_what_cannot_arise_in_keras():
    keras = torch_keras()
    import torch

    # the order: the optimizer itself asks for the rate of update t at update t
    schedule = keras.optimizers.schedules.PolynomialDecay(PEAK, 60, end_learning_rate=0.0)
    assert keras_moved(schedule, 3) == pytest.approx([0.1, 0.1 - 1 / 600, 0.1 - 2 / 600], rel=1e-5)
    # an overflow: three infinite gradients leave weight, count and rate where they were
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(schedule))
    weight = keras.Variable([0.0])
    optimizer.build([weight])
    for _ in range(3):
        optimizer.apply([torch.tensor([math.inf])], [weight])
    assert float(weight.value[0]) == 0
    assert int(optimizer.inner_optimizer.iterations) == 0
    assert float(optimizer.inner_optimizer.learning_rate) == pytest.approx(0.1)


@pytest.mark.filterwarnings("ignore")  # of the framework
@pytest.mark.rosetta("timm")
@pytest.mark.parametrize("name", TRAPS)
def test_what_timms_curve_says(name):
    assert rate_logs.said(rate_logs.curve, name) == word(name, chapter.CURVE)


def word(name: str, tool: int) -> str:
    """What the table says, as `rate_logs.said` has it."""
    return {chapter.SHOWS: "shows", chapter.HIDES: "hides", chapter.NONE: "no log"}[SHOWN[name][tool]]


def test_the_page_runs_and_finds_its_own_fault(capsys):
    page = run_page("audit")
    out = capsys.readouterr().out
    assert set(page.figures) == {"22.1"}
    assert "stepped_per_epoch: the scheduler moves once every 10 updates" in out
    assert "The 1 applied rates agree with the plan." in out
