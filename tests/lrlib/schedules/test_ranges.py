"""The range of every argument, by hand: its ends are taken or refused as the docstrings say."""

from __future__ import annotations

import dataclasses
import re

import pytest

from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    CosineFloorRecipe,
    CosineRecipe,
    CosineToFloor,
    CyclicRecipe,
    CyclicTriangle,
    DropDecay,
    DropRecipe,
    ExponentialDecay,
    ExponentialRecipe,
    InverseSqrt,
    InverseSqrtRecipe,
    Knots,
    LinearDecay,
    MilestoneDecay,
    OneCycle,
    OneCycleRecipe,
    OneMinusSqrt,
    PolynomialDecay,
    RestartsRecipe,
    Rex,
    StepRecipe,
    Triangle,
    TriangleRecipe,
    WarmRestarts,
    WSDRecipe,
    extend,
    hold,
    with_floor,
    with_warmup,
)

# One of each, in which any argument may be changed to its least, and the least of each count.
LEAST = [
    (DropDecay(drop_factor=0.5, drop_steps=3), {"drop_steps": 1, "offset_steps": 0}),
    (LinearDecay(total_steps=4), {"total_steps": 1}),
    (PolynomialDecay(total_steps=4, power=2), {"total_steps": 1}),
    (Triangle(total_steps=4, warmup_steps=0), {"total_steps": 1, "warmup_steps": 0}),
    (CosineAnnealing(total_steps=4), {"total_steps": 1, "cycles": 1}),
    (Knots(total_steps=4, factors=(1, 0)), {"total_steps": 1}),
    (ExponentialDecay(decay_rate=0.5), {"decay_steps": 1}),
    (InverseSqrt(), {"warmup_steps": 1}),
    (CosineToFloor(total_steps=4), {"total_steps": 1}),
    (OneCycle(total_steps=4, warmup_steps=0), {"total_steps": 1, "warmup_steps": 0}),
    (WarmRestarts(cycle_steps=3), {"cycle_steps": 1, "growth": 1}),
    (CyclicTriangle(half_cycle_steps=3), {"half_cycle_steps": 1}),
    (OneMinusSqrt(total_steps=4), {"total_steps": 1}),
    (Rex(total_steps=4), {"total_steps": 1}),
    (hold(Constant(), 2), {"steps": 1}),
    (with_warmup(Constant(), 2), {"steps": 1}),
    (extend(LinearDecay(total_steps=4), at=2, total_steps=8), {"at": 0, "total_steps": 3}),
    (CosineRecipe(), {"cycles": 1}),
    (RestartsRecipe(), {"cycles": 1, "growth": 1}),
    (CyclicRecipe(), {"cycles": 1}),
]

OPEN_BELOW, OPEN_ABOVE, CLOSED = "(0, 1]", "[0, 1)", "[0, 1]"
FRACTIONS = [
    (DropDecay(drop_factor=0.5, drop_steps=3), {"drop_factor": OPEN_BELOW}),
    (Triangle(total_steps=4, warmup_steps=1), {"start": CLOSED}),
    (ExponentialDecay(decay_rate=0.5), {"decay_rate": OPEN_BELOW}),
    (MilestoneDecay(milestones=(1, 3)), {"drop_factor": OPEN_BELOW}),
    (CosineToFloor(total_steps=4), {"floor": CLOSED}),
    (OneCycle(total_steps=4, warmup_steps=1), {"start": CLOSED, "end": CLOSED}),
    (CyclicTriangle(half_cycle_steps=3), {"low": CLOSED, "peak_factor": OPEN_BELOW}),
    (with_warmup(Constant(), 2), {"start": CLOSED}),
    (with_floor(Constant(), 0.5), {"floor": CLOSED}),
    (
        DropRecipe(),
        {"drop_factor": OPEN_BELOW, "drop_fraction": OPEN_BELOW, "offset_fraction": OPEN_ABOVE},
    ),
    (TriangleRecipe(), {"warmup_fraction": OPEN_ABOVE, "start": CLOSED}),
    (ExponentialRecipe(), {"end": OPEN_BELOW}),
    (InverseSqrtRecipe(), {"warmup_fraction": OPEN_ABOVE}),
    (StepRecipe(), {"drop_factor": OPEN_BELOW, "warmup_fraction": OPEN_ABOVE}),
    (CosineFloorRecipe(), {"floor": CLOSED, "warmup_fraction": OPEN_ABOVE}),
    (OneCycleRecipe(), {"warmup_fraction": OPEN_ABOVE, "start": CLOSED, "end": CLOSED}),
    (CyclicRecipe(), {"low": CLOSED, "peak_factor": OPEN_BELOW}),
    (WSDRecipe(), {"cooldown_fraction": OPEN_BELOW, "warmup_fraction": OPEN_ABOVE}),
]


def each(table):
    """Split a table by arguments, so that each has a test of its own."""
    return [
        pytest.param(made, name, end, id=f"{made.kind}-{name}")
        for made, ends in table
        for name, end in ends.items()
    ]


@pytest.mark.parametrize(("made", "name", "least"), each(LEAST))
def test_a_count_begins_where_it_should(made, name, least):
    assert getattr(dataclasses.replace(made, **{name: least}), name) == least
    with pytest.raises(ValueError, match=f"^{name} must be >= {least}, got {least - 1}$"):
        dataclasses.replace(made, **{name: least - 1})


@pytest.mark.parametrize(("made", "name", "allowed"), each(FRACTIONS))
def test_a_fraction_has_the_ends_that_it_should(made, name, allowed):
    taken = [0.0] * (allowed[0] == "[") + [1.0] * (allowed[-1] == "]")
    for value in (-0.5, 0.0, 1.0, 1.5):
        if value in taken:
            assert getattr(dataclasses.replace(made, **{name: value}), name) == value
        else:
            with pytest.raises(ValueError, match=re.escape(f"{name} must be in {allowed}, got {value}")):
                dataclasses.replace(made, **{name: value})
