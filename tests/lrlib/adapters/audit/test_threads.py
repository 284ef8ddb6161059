"""Thirty faulty loops after public threads: the right reading leads, with a scheduler's count and without."""

import inspect

import pytest

from faulty_loops import FAULTS, PEAK
from lrlib.adapters.audit import RateLog


def test_there_are_thirty():
    assert len(FAULTS) == 30


@pytest.mark.filterwarnings("ignore")  # of the frameworks, and torch's own about the wrong order of steps
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.rosetta(*fault.needs)) for name, fault in FAULTS.items()],
)
def test_the_right_reading_leads(name, tmp_path):
    fault = FAULTS[name]
    log, plan, known = fault.run(*([tmp_path] if inspect.signature(fault.run).parameters else []))
    without_count = RateLog([update._replace(clock=None) for update in log.updates])
    for watched in (log, without_count):
        verdict = watched.compare(plan, peak_lr=PEAK, **known)
        kinds = tuple(reading.kind for reading in verdict.readings)
        if name == "epoch_horizon_per_batch" and watched is log:
            # The count is right, so that the schedule was made for too few updates: the more exact reading.
            assert kinds == ("horizon_short", "climbs_again")
            assert verdict.readings[0].numbers["total_steps"] == 6
            continue
        assert kinds == fault.kinds, str(verdict)
        numbers = verdict.readings[0].numbers
        assert {key: numbers[key] for key in fault.numbers} == pytest.approx(fault.numbers, rel=1e-6)


def test_the_second_group_of_two_agrees():
    log, plan, _ = FAULTS["last_group_only"].run()
    verdict = log.compare(plan, peak_lr=PEAK)
    assert [group.kind for group in verdict.groups] == ["never_changes", "agrees"]
    assert "Parameter group 1: agrees." in str(verdict)


@pytest.mark.filterwarnings("ignore")
def test_skipped_updates_are_named():
    log, plan, known = FAULTS["scaler_skips_in_a_fused_step"].run()
    assert (log.skipped, len(log), known["skipped"]) == (3, 57, 3)
    text = log.compare(plan, peak_lr=PEAK).readings[0].text
    assert text.endswith("the clock is 3 ahead; 3 updates were skipped, and the scheduler went on")
