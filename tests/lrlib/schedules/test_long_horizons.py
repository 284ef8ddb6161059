"""Runs of hundreds of millions of updates: the last factors have all their digits, and none is zero."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from lrlib.schedules import (
    CosineAnnealing,
    CosineToFloor,
    Knots,
    LinearDecay,
    OneCycle,
    OneMinusSqrt,
    PolynomialDecay,
    Rex,
    WarmRestarts,
    rescale,
)

# (pi / 2)^2: half a cosine is (pi k / (2 L))^2 at k updates before its end, as long as k is small beside L.
QUARTER = 2.4674011002723395

LONG = [10**8, 3 * 10**8, 10**12]


@pytest.mark.parametrize("total", LONG)
@pytest.mark.parametrize("left", [1, 7, 1000])
def test_the_end_of_a_long_cosine(total, left):
    wanted = QUARTER * (left / total) ** 2
    wanted *= 1.0 - wanted / 3.0  # sin(x)^2 = x^2 - x^4 / 3 + ...
    half = total // 2
    found = [
        CosineAnnealing(total_steps=total)(total - left),
        CosineAnnealing(total_steps=3 * total, cycles=3)(2 * total - left),
        CosineToFloor(total_steps=total, floor=0.0)(total - left),
        OneCycle(total_steps=total + half, warmup_steps=half, end=0.0)(total + half - left),
        OneCycle(total_steps=total + half, warmup_steps=total, start=0.0)(left),
        WarmRestarts(cycle_steps=total, growth=2)(total - left),
    ]
    assert found == pytest.approx([wanted] * 6, rel=1e-14, abs=0)


def test_the_reported_case():
    assert CosineAnnealing(total_steps=3 * 10**8)(3 * 10**8 - 1) == pytest.approx(2.7415567781e-17, rel=1e-10)


@pytest.mark.parametrize("total", LONG)
def test_the_end_of_the_other_shapes(total):
    last = Fraction(1, total)
    assert LinearDecay(total_steps=total)(total - 1) == float(last)
    assert PolynomialDecay(total_steps=total, power=2)(total - 1) == pytest.approx(float(last**2), rel=1e-14)
    # 2 k / (T + k) at k = 1 before the end
    assert Rex(total_steps=total)(total - 1) == float(Fraction(2, total + 1))
    # 1 - sqrt(1 - h) = h/2 + h^2/8 + h^3/16 + ...
    wanted = float(last / 2 + last**2 / 8 + last**3 / 16)
    assert OneMinusSqrt(total_steps=total)(total - 1) == pytest.approx(wanted, rel=1e-14, abs=0)


def test_the_two_ways_to_compute_a_cosine_meet_in_the_middle():
    values = CosineAnnealing(total_steps=1001).values(1001)
    plain = [(1.0 + math.cos(math.pi * t / 1001)) / 2.0 for t in range(1001)]
    assert values == pytest.approx(plain, abs=2.3e-16, rel=0)
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("total", [3889, *LONG, 10**18])
def test_the_ends_of_a_long_drawing(total):
    down, up = Knots(total_steps=total, factors=[1, 0]), Knots(total_steps=total, factors=[0, 1])
    for left in (1, 7, total // 3):
        assert down(total - left) == up(left) == float(Fraction(left, total))
    # With a knot in the middle, at 1/4: its second half falls by 1/4 in T/2 updates.
    bent = Knots(total_steps=total, factors=[1, 0.25, 0])
    assert bent(total - 1) == float(Fraction(1, 2 * total))


def test_a_whole_time_is_counted_as_a_whole_number():
    # As a float, 2^53 + 1 is 2^53, and nothing would be left of the run.
    unchanged = rescale(LinearDecay(total_steps=2**53 + 1), 1)
    assert unchanged(2**53) == float(Fraction(1, 2**53 + 1))
