"""Every schedule and composition against exact rational arithmetic, up to 10^8 updates and beyond.

Each formula is written here a second time, from the docstrings and their sources, in fractions. Where a root,
a power or a cosine comes in, the exact value is enclosed: sin and cos by Taylor sums of rationals with pi to
60 digits, roots by integer square roots.
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction as F
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlib._checks import MOST
from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    CosineToFloor,
    CyclicTriangle,
    DropDecay,
    ExponentialDecay,
    InverseSqrt,
    Knots,
    LinearDecay,
    MilestoneDecay,
    OneCycle,
    OneMinusSqrt,
    PolynomialDecay,
    Rex,
    Schedule,
    TimeDecay,
    Triangle,
    WarmRestarts,
    extend,
    hold,
    join,
    rescale,
    with_floor,
    with_warmup,
)
from lrlib.schedules._serialize import _KINDS

PI = F("3.141592653589793238462643383279502884197169399375105820974945")
DIGITS = 10**60


def rounded(x: F) -> F:
    """Cut a fraction to 60 digits, so that sums of many stay small."""
    return F(round(x * DIGITS), DIGITS)


def sin(x: F) -> F:
    """The Taylor sum of a sine, for 0 <= x <= pi/2, relative to x: so that it has its digits near 0 too."""
    square, term, total = rounded(x * x), F(1), F(1)
    for n in range(1, 30):
        term = rounded(-term * square / (2 * n * (2 * n + 1)))
        total += term
    return x * total


def root(x: F) -> F:
    return F(math.isqrt(x.numerator * DIGITS**2 // x.denominator), DIGITS)


def cosine(z: F) -> F:
    """(1 + cos(pi z)) / 2 = sin(pi (1 - z) / 2)^2, for z in [0, 1]."""
    return sin(PI * (1 - z) / 2) ** 2


# Each formula: (shape, t) -> the exact factor. Fields are read as what was asked for; floats are rationals.


def linear(s, t):
    return max(F(0), 1 - F(t, s.total_steps))


def polynomial(s, t):
    return linear(s, t) ** int(s.power)


def triangle(s, t):
    if t < s.warmup_steps:
        return F(s.start) + (1 - F(s.start)) * F(t, s.warmup_steps)
    return max(F(0), F(s.total_steps - t, s.total_steps - s.warmup_steps))


def annealing(s, t):
    length = math.ceil(F(s.total_steps, s.cycles))
    return F(0) if t >= s.total_steps else cosine(F(t % length, length))


def knots(s, t):
    n, total = len(s.factors) - 1, s.total_steps
    if t >= total:
        return F(s.factors[-1])
    place = F(t * n, total)
    low = math.floor(place)
    return F(s.factors[low]) + (F(s.factors[low + 1]) - F(s.factors[low])) * (place - low)


def one_cycle(s, t):
    up, total = s.warmup_steps, s.total_steps
    if t >= total:
        return F(s.end)
    z, low = (F(t, up), F(s.start)) if t < up else (1 - F(t - up, total - up), F(s.end))
    rise = z if s.anneal == "linear" else cosine(1 - z)
    return low + (1 - low) * rise


def restarts(s, t):
    length = s.cycle_steps
    while t >= length:
        t -= length
        length *= s.growth
    return cosine(F(t, length))


def cyclic(s, t):
    cycle, at = divmod(t, 2 * s.half_cycle_steps)
    rise = F(min(at, 2 * s.half_cycle_steps - at), s.half_cycle_steps)
    return F(s.low) + (1 - F(s.low)) * F(s.peak_factor) ** cycle * rise


def inverse_sqrt(s, t):
    return min(F(t + 1, s.warmup_steps), root(F(s.warmup_steps, t + 1)))


FORMULAS = {
    Constant: lambda s, t: F(1),
    TimeDecay: lambda s, t: 1 / (1 + F(s.decay) * t),
    DropDecay: lambda s, t: F(s.drop_factor) ** ((t + s.offset_steps) // s.drop_steps),
    LinearDecay: linear,
    PolynomialDecay: polynomial,
    Triangle: triangle,
    CosineAnnealing: annealing,
    Knots: knots,
    MilestoneDecay: lambda s, t: F(s.drop_factor) ** len([m for m in s.milestones if m <= t]),
    CosineToFloor: lambda s, t: F(s.floor) + (1 - F(s.floor)) * cosine(min(F(1), F(t, s.total_steps))),
    OneCycle: one_cycle,
    WarmRestarts: restarts,
    CyclicTriangle: cyclic,
    OneMinusSqrt: lambda s, t: F(0) if t >= s.total_steps else 1 - root(F(t, s.total_steps)),
    Rex: lambda s, t: (lambda z: (1 - z) / (1 - z / 2))(min(F(1), F(t, s.total_steps))),
    InverseSqrt: inverse_sqrt,
    # Its powers are those of whole numbers of `decay_steps`: the rest is in `test_an_exponential_decay`.
    ExponentialDecay: lambda s, t: F(s.decay_rate) ** (t // s.decay_steps),
}

unit = st.floats(0, 1)
above = st.floats(1e-3, 1)
# Short runs, where ends and wraps are, and long ones.
steps = st.one_of(
    st.integers(1, 60), st.integers(1, 10**8), st.sampled_from([10**8, 3 * 10**8, 2**53 + 1, 10**18])
)
few = st.integers(1, 60)


def inside(shape, *, least=1, **how):
    """A shape with a warm-up inside its horizon."""
    return steps.flatmap(
        lambda total: st.builds(
            partial(shape, total_steps=total), warmup_steps=st.integers(0, total - 1), **how
        )
    )


SHAPES = {
    Constant: st.just(Constant()),
    TimeDecay: st.builds(TimeDecay, decay=st.floats(0, 10)),
    DropDecay: st.builds(DropDecay, drop_factor=above, drop_steps=steps, offset_steps=st.integers(0, 50)),
    LinearDecay: st.builds(LinearDecay, total_steps=steps),
    PolynomialDecay: st.builds(PolynomialDecay, total_steps=steps, power=st.integers(1, 9)),
    Triangle: inside(Triangle, start=unit),
    CosineAnnealing: st.builds(
        lambda n, m: CosineAnnealing(total_steps=n * m, cycles=m), steps, st.integers(1, 5)
    ),
    Knots: st.builds(Knots, total_steps=steps, factors=st.lists(unit, min_size=2, max_size=9)),
    MilestoneDecay: st.builds(
        MilestoneDecay, milestones=st.lists(steps, max_size=6).map(sorted).map(tuple), drop_factor=above
    ),
    CosineToFloor: st.builds(CosineToFloor, total_steps=steps, floor=unit),
    OneCycle: inside(OneCycle, start=unit, end=unit, anneal=st.sampled_from(["cosine", "linear"])),
    WarmRestarts: st.builds(WarmRestarts, cycle_steps=steps, growth=st.integers(2, 3)),
    CyclicTriangle: st.builds(CyclicTriangle, half_cycle_steps=steps, low=unit, peak_factor=above),
    OneMinusSqrt: st.builds(OneMinusSqrt, total_steps=steps),
    Rex: st.builds(Rex, total_steps=steps),
    InverseSqrt: st.builds(InverseSqrt, warmup_steps=steps),
    ExponentialDecay: st.builds(ExponentialDecay, decay_rate=above, decay_steps=steps),
}
#: Lengths that a shape counts in: around their multiples something happens.
LENGTHS = (
    "total_steps",
    "warmup_steps",
    "drop_steps",
    "cycle_steps",
    "half_cycle_steps",
    "decay_steps",
    "steps",
)


def exact(schedule: Schedule, t: int) -> F:
    return FORMULAS[type(schedule)](schedule, t)


def moments(data: st.DataObject, schedule: Schedule) -> int:
    """Draw an update: any, or one near a multiple of a length of this schedule, or near a milestone."""
    marks = [getattr(schedule, name, None) or 1 for name in LENGTHS]
    marks += [*getattr(schedule, "milestones", ()), 1]
    mark = data.draw(st.sampled_from(marks)) * data.draw(st.integers(0, 4)) + data.draw(st.integers(-2, 2))
    drawn = data.draw(st.one_of(st.just(mark), st.integers(0, 3 * max(marks))))
    return min(max(0, drawn), MOST)  # four horizons of five long cycles are more than a step may be


def assert_close(schedule: Schedule, t: int, wanted: F) -> None:
    """Within a few roundings of the exact value, however small that is; and zero only where that is zero."""
    found = schedule(t)
    slack = F(1, 10**13) * wanted + F(1, 10**300)
    # Where a ratio of whole numbers is an argument, its rounding moves a power or a cosine by as much more.
    assert abs(F(found) - wanted) <= slack, (schedule, t, found, float(wanted))
    if wanted > F(1, 10**290):
        assert found > 0, (schedule, t)


def test_every_shape_has_a_formula_here():
    # The example in a docstring, run before, has left its shape here: it is no attribute of its module.
    ours = {
        c
        for c in _KINDS.values()
        if issubclass(c, Schedule)
        and c.__module__.startswith("lrlib.schedules")
        and hasattr(sys.modules[c.__module__], c.__name__)
    }
    composed = {"hold", "with_warmup", "join", "with_floor", "extended", "rescaled"}
    assert {c for c in ours if c.kind not in composed} == set(FORMULAS) == set(SHAPES)
    assert composed <= {c.kind for c in ours}


@pytest.mark.parametrize("shape", [s for s in SHAPES if s is not ExponentialDecay], ids=lambda s: s.kind)
@settings(max_examples=60)
@given(data=st.data())
def test_a_shape_is_its_formula(shape, data):
    schedule = data.draw(SHAPES[shape])
    t = moments(data, schedule)
    if shape in (DropDecay, CyclicTriangle):  # an exact power of thousands has as many digits
        period = schedule.drop_steps if shape is DropDecay else 2 * schedule.half_cycle_steps
        t = min(t, 60 * period)
    assert_close(schedule, t, exact(schedule, t))


@settings(max_examples=60)
@given(st.data())
def test_an_exponential_decay(data):
    schedule = data.draw(SHAPES[ExponentialDecay])
    k = data.draw(st.integers(0, 8))
    assert_close(schedule, k * schedule.decay_steps, F(schedule.decay_rate) ** k)
    # Half way between, the square is the whole way's.
    if schedule.decay_steps % 2 == 0:
        half = F(schedule(k * schedule.decay_steps + schedule.decay_steps // 2)) ** 2
        whole = F(schedule.decay_rate) ** (2 * k + 1)
        assert abs(half - whole) <= whole * F(1, 10**13)


# Compositions, of what is exact itself ------------------------------------------------------------

simple = st.one_of(
    SHAPES[shape] for shape in (Constant, LinearDecay, Triangle, Rex, Knots, TimeDecay, CosineAnnealing)
)
ended = st.one_of(SHAPES[shape] for shape in (LinearDecay, Triangle, Rex, Knots, CosineAnnealing))


@settings(max_examples=60)
@given(st.data(), simple, steps)
def test_held(data, inner, length):
    t = moments(data, hold(inner, length))
    assert_close(hold(inner, length), t, exact(inner, length * (t // length)))


@settings(max_examples=60)
@given(st.data(), simple, steps, unit)
def test_warmed_up(data, inner, length, start):
    schedule = with_warmup(inner, length, start=start)
    t = moments(data, schedule)
    wanted = F(start) + (1 - F(start)) * F(t, length) if t < length else exact(inner, t - length)
    assert_close(schedule, t, wanted)
    if inner.total_steps is not None:
        assert schedule.total_steps == length + inner.total_steps


@settings(max_examples=60)
@given(st.data(), simple, unit)
def test_on_a_floor(data, inner, floor):
    t = moments(data, inner)
    assert_close(with_floor(inner, floor), t, F(floor) + (1 - F(floor)) * exact(inner, t))


@settings(max_examples=60)
@given(st.data(), st.lists(st.tuples(simple, steps, st.floats(0.001, 100)), min_size=1, max_size=4))
def test_joined(data, parts):
    schedule = join(parts)
    ends = [sum(length for _, length, _ in parts[:k]) for k in range(len(parts) + 1)]
    t = max(0, data.draw(st.sampled_from(ends)) + data.draw(st.integers(-2, 2)))
    k = max(k for k in range(len(parts)) if ends[k] <= t)
    inner, _, factor = parts[k]
    assert_close(schedule, t, F(factor) * exact(inner, t - ends[k]))
    assert schedule.total_steps == ends[-1]


#: Formulas of any time, for what is changed in its length: of those above that take fractions of an update.
def at_any(inner: Schedule, time: F) -> F:
    if isinstance(inner, TimeDecay):
        return 1 / (1 + F(inner.decay) * time)
    z = min(F(1), time / inner.total_steps)
    return {LinearDecay: lambda: 1 - z, Rex: lambda: (1 - z) / (1 - z / 2)}[type(inner)]()


@settings(max_examples=60)
@given(st.data(), st.one_of(SHAPES[LinearDecay], SHAPES[Rex]), steps)
def test_extended(data, inner, more):
    old = inner.total_steps
    at = data.draw(st.integers(0, old - 1))
    new = at + more
    schedule = extend(inner, at=at, total_steps=new)
    t = max(0, data.draw(st.sampled_from([at, new, at + more // 2, 1])) + data.draw(st.integers(-2, 2)))
    if t <= at:
        wanted = exact(inner, t)
    elif t >= new:
        wanted = F(0)
    else:
        wanted = at_any(inner, at + F((t - at) * (old - at), new - at))
    # The time between updates is a float: what is left of the run is exact to its rounding.
    assert abs(F(schedule(t)) - wanted) <= F(1, 10**15) * 4, (schedule, t, schedule(t), float(wanted))


@settings(max_examples=60)
@given(st.data(), st.one_of(SHAPES[shape] for shape in (LinearDecay, Rex, TimeDecay)), st.floats(0.01, 100))
def test_rescaled(data, inner, k):
    schedule = rescale(inner, k)
    if inner.total_steps is not None:
        # inner / k as floats divide: off by one at most where that is nearly whole.
        assert abs(schedule.total_steps - math.ceil(F(inner.total_steps) / F(k))) <= (
            1 if inner.total_steps < 2**50 else inner.total_steps / k / 2**50
        )
    t = data.draw(st.integers(0, 2 * (schedule.total_steps or 10**8)))
    assert abs(F(schedule(t)) - at_any(inner, t * F(k))) <= F(1, 10**15) * 4
