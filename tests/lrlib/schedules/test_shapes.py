"""Shapes: tables worked by hand, then one list of all shapes swept by every invariant."""

import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lrlib
from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    Knots,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    hold,
    join,
    with_warmup,
)

# Worked by hand from the formulas of the class docstrings, as exact fractions where they are.
HAND = [
    (Constant(), {0: 1, 1: 1, 10**9: 1}),
    # 1/(1 + 0.001 * 391) is the source's rate factor after one epoch: 0.0719 / 0.1.
    (TimeDecay(decay=0.001), {0: 1, 391: 1 / 1.391, 1000: 0.5, 39_000: 1 / 40}),
    (TimeDecay(decay=0.0), {0: 1, 77: 1}),
    (DropDecay(drop_factor=0.5, drop_steps=10), {0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.25, 35: 0.125}),
    # The source's step schedule in epochs: 0.25 ** floor((1 + epoch) / 15).
    (
        DropDecay(drop_factor=0.25, drop_steps=15, offset_steps=1),
        {13: 1, 14: 0.25, 28: 0.25, 29: 0.0625, 99: 0.25**6},
    ),
    (DropDecay(drop_factor=1, drop_steps=1), {0: 1, 50: 1}),
    (LinearDecay(total_steps=8), {0: 1, 1: 7 / 8, 4: 1 / 2, 7: 1 / 8, 8: 0, 9: 0, 10**12: 0}),
    (LinearDecay(total_steps=1), {0: 1, 1: 0}),
    (PolynomialDecay(total_steps=8, power=2), {0: 1, 2: 9 / 16, 4: 1 / 4, 7: 1 / 64, 8: 0}),
    (PolynomialDecay(total_steps=100, power=5), {0: 1, 50: 1 / 32, 90: 1e-5, 99: 1e-10, 100: 0}),
    (PolynomialDecay(total_steps=4, power=0.5), {0: 1, 3: 0.5, 4: 0}),
    (Triangle(total_steps=10, warmup_steps=4), {0: 0, 1: 1 / 4, 3: 3 / 4, 4: 1, 7: 1 / 2, 9: 1 / 6, 10: 0}),
    (Triangle(total_steps=6, warmup_steps=2, start=0.5), {0: 0.5, 1: 0.75, 2: 1, 4: 0.5, 6: 0}),
    # cos(pi/3) = 1/2, cos(pi/2) = 0, cos(2 pi/3) = -1/2.
    (CosineAnnealing(total_steps=6), {0: 1, 2: 3 / 4, 3: 1 / 2, 4: 1 / 4, 6: 0, 7: 0, 12: 0}),
    # ceil(7/2) = 4: cycles of 4 and 3 updates.
    (CosineAnnealing(total_steps=7, cycles=2), {0: 1, 2: 0.5, 4: 1, 6: 0.5, 7: 0, 8: 0}),
    (CosineAnnealing(total_steps=3, cycles=3), {0: 1, 1: 1, 2: 1, 3: 0}),
    # Knots at updates 0, 2, 4; at 0, 1 2/3, 3 1/3, 5; and a last one that stays.
    (Knots(total_steps=4, factors=[1, 0.5, 0]), {0: 1, 1: 3 / 4, 2: 1 / 2, 3: 1 / 4, 4: 0, 99: 0}),
    (Knots(total_steps=5, factors=[0, 1, 0.4, 1]), {0: 0, 1: 0.6, 2: 0.88, 3: 0.52, 4: 0.64, 5: 1}),
    (Knots(total_steps=2, factors=(0.25, 0.75)), {0: 0.25, 1: 0.5, 2: 0.75, 10**12: 0.75}),
    (Knots(total_steps=1, factors=(0, 1, 0.5)), {0: 0, 1: 0.5}),
    (hold(LinearDecay(total_steps=8), 4), {0: 1, 3: 1, 4: 0.5, 7: 0.5, 8: 0}),
    (with_warmup(LinearDecay(total_steps=8), 4), {0: 0, 2: 0.5, 4: 1, 8: 0.5, 11: 1 / 8, 12: 0}),
    (with_warmup(Constant(), 4, start=0.2), {0: 0.2, 2: 0.6, 4: 1, 99: 1}),
    (
        join([(Constant(), 3), (LinearDecay(total_steps=4), 2), (TimeDecay(decay=1), 5)]),
        {0: 1, 2: 1, 3: 1, 4: 0.75, 5: 1, 6: 1 / 2, 10: 1 / 6, 14: 1 / 10},
    ),
]


@pytest.mark.parametrize(
    ("schedule", "table"), HAND, ids=lambda x: repr(x) if not isinstance(x, dict) else ""
)
def test_hand_worked_values(schedule, table):
    for step, expected in table.items():
        assert schedule(step) == pytest.approx(expected, rel=1e-15, abs=1e-16), step


@pytest.mark.parametrize(
    ("total_steps", "cycles", "ends"),
    # 100 epochs in seven cycles: ceil(100/7) = 15, and the last cycle is cut after 10
    [(6, 1, [5]), (6, 3, [1, 3, 5]), (7, 2, [3, 6]), (100, 7, [14, 29, 44, 59, 74, 89, 99])],
)
def test_the_ends_of_cycles(total_steps, cycles, ends):
    schedule = CosineAnnealing(total_steps=total_steps, cycles=cycles)
    assert schedule.cycle_ends == ends
    assert [t for t in range(1, total_steps) if schedule(t) == 1.0] == [end + 1 for end in ends[:-1]]


steps_ = st.integers(1, 400)
unit = st.floats(0, 1)
plain = st.one_of(
    st.just(Constant()),
    st.builds(TimeDecay, decay=st.floats(0, 10)),
    st.builds(
        DropDecay,
        drop_factor=st.floats(0, 1, exclude_min=True),
        drop_steps=steps_,
        offset_steps=st.integers(0, 50),
    ),
    st.builds(LinearDecay, total_steps=steps_),
    st.builds(PolynomialDecay, total_steps=steps_, power=st.floats(0.01, 20)),
    steps_.flatmap(
        lambda t: st.builds(Triangle, total_steps=st.just(t), warmup_steps=st.integers(0, t - 1), start=unit)
    ),
    st.builds(lambda length, m: CosineAnnealing(total_steps=length * m, cycles=m), steps_, st.integers(1, 6)),
)
drawn = st.builds(Knots, total_steps=steps_, factors=st.lists(unit, min_size=2, max_size=20))
shapes = st.recursive(
    st.one_of(plain, drawn),
    lambda inner: st.one_of(
        st.builds(hold, inner, steps_),
        st.builds(with_warmup, inner, steps_, unit),
        st.lists(st.tuples(inner, steps_), min_size=1, max_size=3).map(join),
        st.builds(lambda a, n, b: join([(a, n), (b, None)]), inner, steps_, inner),
    ),
    max_leaves=4,
)
decaying = st.one_of(
    st.just(Constant()), plain.filter(lambda s: not isinstance(s, (Triangle, CosineAnnealing)))
)


@given(shapes, st.integers(0, 3000))
def test_factors_are_finite_floats_in_the_unit_interval(schedule, t):
    factor = schedule(t)
    assert type(factor) is float
    assert 0 <= factor <= 1


@given(plain)
def test_a_shape_with_a_horizon_is_zero_from_there_on_and_not_before(schedule):
    if schedule.total_steps is None:
        assert schedule(10_000_000) >= 0
        return
    assert schedule(schedule.total_steps) == schedule(schedule.total_steps + 12345) == 0
    if isinstance(schedule, PolynomialDecay):  # a high power may underflow, and only that
        return
    assert schedule(schedule.total_steps - 1) > 0 or schedule == Triangle(
        total_steps=schedule.total_steps, warmup_steps=schedule.total_steps - 1
    )


@given(decaying, st.integers(0, 900))
def test_decaying_shapes_never_rise(schedule, t):
    assert schedule(t + 1) <= schedule(t)


@given(shapes, st.integers(0, 60))
def test_values_are_the_calls(schedule, n):
    assert schedule.values(n) == [schedule(t) for t in range(n)]


@given(shapes)
def test_json_repr_pickle_and_hash_round_trip(schedule):
    again = lrlib.from_dict(json.loads(json.dumps(schedule.to_dict(), allow_nan=False)))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.values(50) == schedule.values(50)
    assert eval(repr(schedule), vars(lrlib)) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule


@given(steps_, st.integers(0, 500))
def test_power_one_no_warmup_and_linear_agree_bit_for_bit(total, t):
    linear = LinearDecay(total_steps=total)(t)
    assert PolynomialDecay(total_steps=total, power=1)(t) == linear
    assert Triangle(total_steps=total, warmup_steps=0)(t) == linear
    assert Triangle(total_steps=total, warmup_steps=0, start=0.3)(t) == linear


@given(steps_, st.integers(0, 500))
def test_knots_on_a_line_are_linear_decay(total, t):
    wanted = pytest.approx(LinearDecay(total_steps=total)(t), rel=1e-12, abs=1e-15)
    assert Knots(total_steps=total, factors=[k / 15 for k in range(15, -1, -1)])(t) == wanted
    assert Knots(total_steps=total, factors=(1, 0))(t) == wanted


def test_knots_between_updates():
    """`extend` and `rescale` ask a schedule for times between its updates."""
    longer = lrlib.extend(Knots(total_steps=8, factors=[1, 0.5, 0]), at=4, total_steps=16)
    assert longer.values(17)[4:] == pytest.approx([0.5 - t / 24 for t in range(13)])
    assert lrlib.rescale(Knots(total_steps=8, factors=[0, 1, 0.5]), 1.5).values(5) == pytest.approx(
        [0, 0.375, 0.75, 15 / 16, 0.75]
    )


@given(drawn)
def test_a_drawing_stays_between_its_knots_and_ends_at_the_last(schedule):
    total, factors = schedule.total_steps, schedule.factors
    assert schedule(total) == schedule(total + 12345) == factors[-1]
    assert schedule.values(total) == pytest.approx(
        np.interp(np.arange(total) * (len(factors) - 1) / total, range(len(factors)), factors), abs=1e-12
    )


@given(st.one_of(plain, drawn), steps_, unit, st.integers(0, 800))
def test_compositions_mean_what_they_say(schedule, steps, start, t):
    assert hold(schedule, steps)(t) == schedule(t // steps * steps)
    assert with_warmup(schedule, steps, start)(steps + t) == schedule(t)
    assert join([(Constant(), steps), (schedule, 1)])(steps + t) == schedule(t)
    assert hold(schedule, 1)(t) == schedule(t)


def test_horizons():
    linear = LinearDecay(total_steps=7)
    assert [s.total_steps for s in (Constant(), TimeDecay(decay=1), linear)] == [None, None, 7]
    assert hold(linear, 3).total_steps == 7
    assert with_warmup(linear, 5).total_steps == 12
    assert with_warmup(Constant(), 5).total_steps is None
    assert join([(linear, 2), (linear, 4)]).total_steps == 6
    assert join([(linear, 2), (linear, None)]).total_steps == 9
    assert join([(linear, 2), (Constant(), None)]).total_steps is None


@pytest.mark.parametrize("step", [np.int32(3), np.uint8(3), torch.tensor(3), np.array(3)], ids=repr)
def test_any_integer_type_is_a_step(step):
    assert LinearDecay(total_steps=4)(step) == 0.25


def test_shapes_are_frozen_and_compare_by_value():
    schedule = LinearDecay(total_steps=5)
    with pytest.raises(AttributeError):
        schedule.total_steps = 6
    assert schedule == LinearDecay(total_steps=np.int64(5)) != LinearDecay(total_steps=6)
    assert schedule != PolynomialDecay(total_steps=5, power=1)
    assert Knots(total_steps=5, factors=[1, 0]) == Knots(total_steps=5, factors=np.array([1.0, 0.0]))
    assert DropDecay(drop_factor=Fraction(1, 2), drop_steps=1).to_dict()["drop_factor"] == 0.5


NAN, INF = math.nan, math.inf
BAD = [
    # (what is tried, error, words that the sentence must hold)
    (lambda: LinearDecay(total_steps=0), ValueError, "total_steps must be >= 1, got 0"),
    (lambda: LinearDecay(total_steps=-3), ValueError, "total_steps must be >= 1, got -3"),
    (lambda: LinearDecay(total_steps=2.0), TypeError, "total_steps must be an integer >= 1, got 2.0 (float)"),
    (lambda: LinearDecay(total_steps=True), TypeError, "total_steps must be an integer >= 1, got True"),
    (lambda: LinearDecay(total_steps="9"), TypeError, "got '9' (str)"),
    (lambda: LinearDecay(100), TypeError, "positional"),
    (lambda: PolynomialDecay(total_steps=9, power=0), ValueError, "power must be > 0 and finite, got 0"),
    (lambda: PolynomialDecay(total_steps=9, power=NAN), ValueError, "power must be > 0 and finite, got nan"),
    (lambda: PolynomialDecay(total_steps=9, power=INF), ValueError, "got inf"),
    (lambda: PolynomialDecay(total_steps=9, power="2"), TypeError, "power must be a number"),
    (lambda: PolynomialDecay(total_steps=9, power=True), TypeError, "power must be a number"),
    (lambda: TimeDecay(decay=-0.1), ValueError, "decay must be >= 0 and finite, got -0.1"),
    (lambda: TimeDecay(decay=NAN), ValueError, "got nan"),
    (lambda: DropDecay(drop_factor=0, drop_steps=5), ValueError, "drop_factor must be in (0, 1], got 0"),
    (lambda: DropDecay(drop_factor=1.1, drop_steps=5), ValueError, "drop_factor must be in (0, 1], got 1.1"),
    (lambda: DropDecay(drop_factor=0.5, drop_steps=0), ValueError, "drop_steps must be >= 1, got 0"),
    (
        lambda: DropDecay(drop_factor=0.5, drop_steps=5, offset_steps=-1),
        ValueError,
        "offset_steps must be >= 0",
    ),
    (
        lambda: Triangle(total_steps=5, warmup_steps=5),
        ValueError,
        "warmup_steps must be < total_steps = 5, got 5",
    ),
    (lambda: Triangle(total_steps=5, warmup_steps=-1), ValueError, "warmup_steps must be >= 0, got -1"),
    (
        lambda: Triangle(total_steps=5, warmup_steps=2, start=1.5),
        ValueError,
        "start must be in [0, 1], got 1.5",
    ),
    (
        lambda: Triangle(total_steps=5, warmup_steps=2, start=NAN),
        ValueError,
        "start must be in [0, 1], got nan",
    ),
    (lambda: CosineAnnealing(total_steps=5, cycles=0), ValueError, "cycles must be >= 1, got 0"),
    # ceil(5/4) = 2, and 3 * 2 >= 5: the fourth cycle would have no update.
    (lambda: CosineAnnealing(total_steps=5, cycles=4), ValueError, "got 4 cycles of 2 steps"),
    (lambda: CosineAnnealing(total_steps=5, cycles=6), ValueError, "got 6 cycles of 1 steps"),
    (lambda: Knots(total_steps=0, factors=(1, 0)), ValueError, "total_steps must be >= 1, got 0"),
    (lambda: Knots(total_steps=5, factors=()), ValueError, "factors must hold at least two numbers, got []"),
    (lambda: Knots(total_steps=5, factors=[1]), ValueError, "at least two numbers, got [1.0]"),
    (lambda: Knots(total_steps=5, factors=[1, 1.5]), ValueError, "factors[1] must be in [0, 1], got 1.5"),
    (lambda: Knots(total_steps=5, factors=[NAN, 1]), ValueError, "factors[0] must be in [0, 1], got nan"),
    (lambda: Knots(total_steps=5, factors=["1", 0]), TypeError, "factors[0] must be a number in [0, 1]"),
    (lambda: Knots(total_steps=5, factors="10"), TypeError, "factors must be a list of numbers"),
    (lambda: Knots(total_steps=5, factors=0.5), TypeError, "factors must be a list of numbers"),
    (lambda: Constant()(-1), ValueError, "step must be >= 0, got -1"),
    (lambda: Constant()(1.5), TypeError, "step must be an integer >= 0, got 1.5"),
    (lambda: Constant()(False), TypeError, "step must be an integer >= 0, got False"),
    (lambda: Constant()(np.bool_(True)), TypeError, "step must be an integer"),
    (lambda: Constant()(torch.tensor(True)), TypeError, "step must be an integer"),
    (lambda: Constant()(np.float64(2)), TypeError, "step must be an integer"),
    (lambda: Constant()(None), TypeError, "step must be an integer >= 0, got None"),
    (lambda: Constant().values(-1), ValueError, "n must be >= 0, got -1"),
    (lambda: hold(Constant(), 0), ValueError, "steps must be >= 1, got 0"),
    (lambda: hold(lambda t: 1.0, 3), TypeError, "schedule must be a lrlib Schedule"),
    (lambda: with_warmup(Constant(), 0), ValueError, "steps must be >= 1, got 0"),
    (lambda: with_warmup(Constant(), 2, start=-0.1), ValueError, "start must be in [0, 1], got -0.1"),
    (lambda: join([]), ValueError, "at least one (schedule, steps) pair"),
    (lambda: join(3), TypeError, "join needs a list"),
    (
        lambda: lrlib.from_dict({"kind": "join", "version": 1, "parts": 3}),
        ValueError,
        "join needs at least one (schedule, steps) pair, got 3",
    ),
    (lambda: join([Constant()]), TypeError, "part 0 of join must be a (schedule, steps) pair"),
    (lambda: join([(Constant(), None), (Constant(), 1)]), TypeError, "steps of part 0 must be an integer"),
    (lambda: join([(Constant(), 4), (Constant(), 0)]), ValueError, "steps of part 1 must be >= 1, got 0"),
    (lambda: join([(0.5, 4)]), TypeError, "schedule must be a lrlib Schedule"),
    (lambda: lrlib.from_dict([]), TypeError, "from_dict needs a dict"),
    (lambda: lrlib.from_dict({}), ValueError, "kind must be one of"),
    (lambda: lrlib.from_dict({"kind": "lineer", "version": 1}), ValueError, "got 'lineer'"),
    (lambda: lrlib.from_dict({"kind": ["x"], "version": 1}), ValueError, "kind must be one of"),
    (lambda: lrlib.from_dict({"kind": "constant"}), ValueError, "version of 'constant' must be 1, got None"),
    (lambda: lrlib.from_dict({"kind": "constant", "version": 2}), ValueError, "upgrade lrlib"),
    (lambda: lrlib.from_dict({"kind": "constant", "version": True}), ValueError, "must be 1, got True"),
    (lambda: lrlib.from_dict({"kind": "constant", "version": 1, "x": 1}), ValueError, "unknown key 'x'"),
    (lambda: lrlib.from_dict({"kind": "rex", "version": 1, "y": 1, "x": 1}), ValueError, "unknown key 'y'"),
    (
        lambda: lrlib.from_dict({"kind": "linear_decay", "version": 1}),
        ValueError,
        "missing key 'total_steps'",
    ),
    (
        lambda: lrlib.from_dict({"kind": "linear_decay", "version": 1, "total_steps": 9.0}),
        TypeError,
        "total_steps must be an integer",
    ),
    (
        lambda: lrlib.from_dict({"kind": "hold", "version": 1, "steps": 2, "schedule": {"kind": "constant"}}),
        ValueError,
        "version of 'constant'",
    ),
]


@pytest.mark.parametrize(("attempt", "error", "words"), BAD, ids=[words for _, _, words in BAD])
def test_bad_arguments_are_named_in_one_sentence(attempt, error, words):
    with pytest.raises(error) as caught:
        attempt()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_taken_kind_is_refused():
    with pytest.raises(TypeError, match="kind 'constant' is taken by Constant"):

        class Impostor(lrlib.Schedule):
            kind = "constant"
