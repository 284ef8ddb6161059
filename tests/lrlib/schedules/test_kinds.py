"""Every kind as stored dicts have it: names and defaults that may not change, as records are made of them."""

from __future__ import annotations

import dataclasses
import sys
from fractions import Fraction

import numpy as np
import pytest

from lrlib.schedules import (
    CitedRecipe,
    Constant,
    ConstantRecipe,
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
    LinearRecipe,
    MilestoneDecay,
    OneCycle,
    OneCycleRecipe,
    OneMinusSqrt,
    PolynomialDecay,
    PolynomialRecipe,
    RestartsRecipe,
    Rex,
    RexRecipe,
    Schedule,
    StepRecipe,
    TimeDecay,
    TimeRecipe,
    Triangle,
    TriangleRecipe,
    WarmRestarts,
    WSDRecipe,
    extend,
    from_dict,
    hold,
    join,
    rescale,
    with_floor,
    with_warmup,
)
from lrlib.schedules._serialize import _KINDS

LINEAR = {"kind": "linear_decay", "version": 1, "total_steps": 4}
inner = LinearDecay(total_steps=4)

# With as few arguments as each takes: so the rest are its defaults. `later` fields are not written at theirs.
STORED = [
    (Constant(), "constant", {}),
    (TimeDecay(decay=2), "time_decay", {"decay": 2.0}),
    (
        DropDecay(drop_factor=0.5, drop_steps=3),
        "drop_decay",
        {"drop_factor": 0.5, "drop_steps": 3, "offset_steps": 0},
    ),
    (inner, "linear_decay", {"total_steps": 4}),
    (PolynomialDecay(total_steps=4, power=2), "polynomial_decay", {"total_steps": 4, "power": 2.0}),
    (
        Triangle(total_steps=4, warmup_steps=1),
        "triangle",
        {"total_steps": 4, "warmup_steps": 1, "start": 0.0},
    ),
    (CosineAnnealing(total_steps=4), "cosine_annealing", {"total_steps": 4, "cycles": 1}),
    (Knots(total_steps=4, factors=(1, 0)), "knots", {"total_steps": 4, "factors": [1.0, 0.0]}),
    (ExponentialDecay(decay_rate=0.5), "exponential_decay", {"decay_rate": 0.5, "decay_steps": 1}),
    (InverseSqrt(), "inverse_sqrt", {"warmup_steps": 1}),
    (MilestoneDecay(milestones=(1, 3)), "milestone_decay", {"milestones": [1, 3], "drop_factor": 0.1}),
    (CosineToFloor(total_steps=4), "cosine_to_floor", {"total_steps": 4, "floor": 0.1}),
    (
        OneCycle(total_steps=4, warmup_steps=1),
        "one_cycle",
        {"total_steps": 4, "warmup_steps": 1, "start": 0.04, "end": 0.000004, "anneal": "cosine"},
    ),
    (WarmRestarts(cycle_steps=3), "warm_restarts", {"cycle_steps": 3, "growth": 2}),
    (
        CyclicTriangle(half_cycle_steps=3),
        "cyclic_triangle",
        {"half_cycle_steps": 3, "low": 0.25, "peak_factor": 1.0},
    ),
    (OneMinusSqrt(total_steps=4), "one_minus_sqrt", {"total_steps": 4}),
    (Rex(total_steps=4), "rex", {"total_steps": 4}),
    (hold(inner, 2), "hold", {"schedule": LINEAR, "steps": 2}),
    (with_warmup(inner, 2), "with_warmup", {"schedule": LINEAR, "steps": 2, "start": 0.0}),
    (join([(inner, 4), (inner, 2, 0.5)]), "join", {"parts": [[LINEAR, 4], [LINEAR, 2, 0.5]]}),
    (with_floor(inner, 0.5), "with_floor", {"schedule": LINEAR, "floor": 0.5}),
    (extend(inner, at=2, total_steps=8), "extended", {"schedule": LINEAR, "at": 2, "total_steps": 8}),
    (rescale(inner, 2), "rescaled", {"schedule": LINEAR, "k": 2.0}),
    (ConstantRecipe(), "constant_recipe", {}),
    (TimeRecipe(), "time_recipe", {"decay_times_epochs": 0.1}),
    (DropRecipe(), "drop_recipe", {"drop_factor": 0.25, "drop_fraction": 0.15}),
    (LinearRecipe(), "linear_recipe", {}),
    (PolynomialRecipe(), "polynomial_recipe", {"power": 5.0}),
    (TriangleRecipe(), "triangle_recipe", {"warmup_fraction": 0.1, "start": 0.0}),
    (CosineRecipe(), "cosine_recipe", {"cycles": 1}),
    (ExponentialRecipe(), "exponential_recipe", {"end": 0.01}),
    (InverseSqrtRecipe(), "inverse_sqrt_recipe", {"warmup_fraction": 0.1}),
    (StepRecipe(), "step_recipe", {"milestones": [0.5, 0.75], "drop_factor": 0.1, "warmup_fraction": 0.05}),
    (CosineFloorRecipe(), "cosine_floor_recipe", {"floor": 0.1, "warmup_fraction": 0.05}),
    (
        OneCycleRecipe(),
        "one_cycle_recipe",
        {"warmup_fraction": 0.3, "momentum_swing": 0.05, "start": 0.04, "end": 0.000004, "anneal": "cosine"},
    ),
    (RestartsRecipe(), "restarts_recipe", {"cycles": 3, "growth": 2}),
    (CyclicRecipe(), "cyclic_recipe", {"cycles": 5, "low": 0.25, "peak_factor": 1.0}),
    (WSDRecipe(), "wsd_recipe", {"cooldown_fraction": 0.2, "cooldown": "linear", "warmup_fraction": 0.05}),
    (RexRecipe(), "rex_recipe", {}),
    (CitedRecipe(name="bert"), "cited_recipe", {"name": "bert"}),
]


@pytest.mark.parametrize(("made", "kind", "fields"), STORED, ids=[kind for _, kind, _ in STORED])
def test_a_stored_dict_stays_what_it_is(made, kind, fields):
    stored = {"kind": kind, "version": 1, **fields}
    assert made.to_dict() == stored
    assert from_dict(stored) == made


def test_no_kind_is_missing_here():
    ours = {
        kind
        for kind, cls in _KINDS.items()
        if cls.__module__.startswith("lrlib.schedules") and hasattr(sys.modules[cls.__module__], cls.__name__)
    }
    assert ours == {kind for _, kind, _ in STORED}


@pytest.mark.parametrize(("made", "kind", "fields"), STORED, ids=[kind for _, kind, _ in STORED])
def test_each_is_frozen_hashable_and_made_by_keywords(made, kind, fields):
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.total_steps = 9
    assert hash(made) == hash(from_dict(made.to_dict()))
    assert all(field.kw_only for field in dataclasses.fields(made))


def other(value: object) -> object:
    """Return an equal value of another type: NumPy's integers for integers, fractions for floats."""
    if isinstance(value, tuple):
        return tuple(map(other, value))
    if isinstance(value, float):
        return Fraction(value)
    return np.int64(value) if type(value) is int else value


def is_plain(value: object) -> bool:
    if type(value) is tuple:
        return all(map(is_plain, value))
    return type(value) in (int, float, bool, str) or isinstance(value, Schedule)


@pytest.mark.parametrize("made", [made for made, _, _ in STORED], ids=[kind for _, kind, _ in STORED])
def test_numbers_of_any_type_are_stored_as_plain_ones(made):
    names = [field.name for field in dataclasses.fields(made)]
    again = type(made)(**{name: other(getattr(made, name)) for name in names})
    assert again == made
    assert all(is_plain(getattr(again, name)) for name in names)


def test_lists_are_stored_as_tuples():
    assert MilestoneDecay(milestones=[1, 3]) == MilestoneDecay(milestones=(1, 3))
    assert StepRecipe(milestones=[0.5, 0.75]) == StepRecipe()


def test_kinds_are_listed_by_the_alphabet():
    with pytest.raises(ValueError, match="kind must be one of ") as caught:
        from_dict({"kind": "lineer"})
    listed = str(caught.value).split(" one of ")[1].split(", got ")[0].split(", ")
    assert listed == sorted(listed)
    assert {"constant", "rex_recipe"} <= set(listed)


def halves() -> type[Schedule]:
    """Define the same class each time, as a notebook's cell that is run twice."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Halves(Schedule):
        kind = "test_halves"
        total_steps = None

        def _factor(self, t: int) -> float:
            return 0.5**t

    return Halves


def test_a_class_defined_again_takes_the_place_of_the_first():
    first, second = halves(), halves()
    try:
        assert type(from_dict(first().to_dict())) is second is not first
    finally:
        del _KINDS["test_halves"]


def test_a_class_takes_no_keywords_that_nobody_knows():
    with pytest.raises(TypeError, match="takes no keyword arguments"):

        class Coloured(Schedule, colour="red"):
            total_steps = None

            def _factor(self, t: int) -> float:
                return 1.0
