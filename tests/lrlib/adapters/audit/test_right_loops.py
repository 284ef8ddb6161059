"""Loops without a fault, in six frameworks: no false alarm."""

import inspect

import pytest

from faulty_loops import PEAK, T
from right_loops import RIGHT


def test_there_are_enough():
    assert len(RIGHT) >= 34


@pytest.mark.filterwarnings("ignore")  # of the frameworks
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.rosetta(*loop.needs)) for name, loop in RIGHT.items()]
)
def test_it_agrees(name, tmp_path):
    run = RIGHT[name].run
    folder = [tmp_path] if "folder" in inspect.signature(run).parameters else []
    log, plan = run(*folder)
    assert len(log) == T
    verdict = log.compare(plan, peak_lr=PEAK, total_steps=None if hasattr(plan, "kind") else T)
    assert verdict.agrees, str(verdict)
    assert all(group.agrees for group in verdict.groups)
