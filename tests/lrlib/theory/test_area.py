"""The area under a schedule: worked on paper, and what it means in the noisy valley."""

import math

import pytest

from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    Triangle,
)
from lrlib.theory.area import area, power_with_area, spent
from lrlib.theory.valley import Valley


@pytest.mark.parametrize(
    ("schedule", "steps", "expected"),
    [
        (Constant(), 7, 1.0),
        (LinearDecay(total_steps=4), 4, 10 / 16),  # (4 + 3 + 2 + 1) / 4 / 4
        (PolynomialDecay(total_steps=4, power=2), 4, 30 / 64),  # (16 + 9 + 4 + 1) / 16 / 4
        (PolynomialDecay(total_steps=2, power=5), 2, 33 / 64),  # (1 + 1/32) / 2
        (DropDecay(drop_factor=0.5, drop_steps=2), 6, 7 / 12),  # 2 (1 + 1/2 + 1/4) / 6
        (Triangle(total_steps=6, warmup_steps=2), 6, 0.5),  # (0 + 2 + 4 + 3 + 2 + 1) / 4 / 6
        (CosineAnnealing(total_steps=4), 4, 0.625),  # (1 + .853... + 1/2 + .146...) / 4: pairs sum to 1
        (LinearDecay(total_steps=4), 8, 10 / 32),  # zero past its end
    ],
)
def test_worked_on_paper(schedule, steps, expected):
    assert area(schedule, total_steps=steps) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("power", [0.5, 1, 2, 5])
def test_in_the_limit_it_is_one_over_power_plus_one(power):
    found = area(PolynomialDecay(total_steps=40_000, power=power), total_steps=40_000)
    assert found == pytest.approx(1 / (power + 1), abs=1 / 40_000)


def test_the_part_that_is_spent():
    linear = LinearDecay(total_steps=4)  # of 10: 4, 7, 9, 10
    parts = [spent(linear, step=step, total_steps=4) for step in range(5)]
    assert parts == pytest.approx([0, 0.4, 0.7, 0.9, 1], rel=1e-14)
    # in the continuous limit, power p has spent 1 - (1 - x)^(p + 1)
    assert spent(
        PolynomialDecay(total_steps=40_000, power=5), step=10_000, total_steps=40_000
    ) == pytest.approx(1 - 0.75**6, abs=1e-4)


def test_the_power_with_the_area_of_the_sources_drop():
    # 14 epochs at 1, 15 each at 1/4, ..., 1/4^5, and 11 at 1/4^6
    mean = (14 + 15 * sum(0.25**k for k in range(1, 6)) + 11 * 0.25**6) / 100
    assert mean == pytest.approx(0.190, abs=5e-4)
    held = power_with_area(mean, total_steps=100)
    assert held == pytest.approx(4.41, abs=0.005)
    assert math.fsum((1 - e / 100) ** held for e in range(100)) / 100 == pytest.approx(mean, rel=1e-9)
    # endlessly many updates: 1 / (power + 1) = mean
    assert power_with_area(mean, total_steps=1_000_000) == pytest.approx(1 / mean - 1, abs=1e-4)
    assert 1 / mean - 1 == pytest.approx(4.26, abs=0.005)


@pytest.mark.parametrize("power", [0.01, 1.0, 5.0, 60.0])
def test_the_power_is_found_again(power):
    fraction = area(PolynomialDecay(total_steps=50, power=power), total_steps=50)
    assert power_with_area(fraction, total_steps=50) == pytest.approx(power, rel=1e-6)


def test_same_area_same_distance_and_another_noise():
    """What the chapter says: the valley's distance follows the area, its shaking does not."""
    shapes = {
        "constant": Constant(),
        "linear": LinearDecay(total_steps=300),
        "power 2": PolynomialDecay(total_steps=300, power=2),
        "poly5": PolynomialDecay(total_steps=300, power=5),
        "drop": DropDecay(drop_factor=0.25, drop_steps=45),
    }
    ends = {
        name: Valley().trajectory(shape, steps=300, peak_lr=0.3 / area(shape, total_steps=300))
        for name, shape in shapes.items()
    }
    distances = [path.distance[-1] for path in ends.values()]
    assert max(distances) < 1.05 * min(distances)
    shaking = {name: path.shaking[-1] for name, path in ends.items()}
    assert set(sorted(shaking, key=shaking.get)[:2]) == {"linear", "power 2"}
    assert shaking["constant"] > 2.5 * shaking["linear"]
    # and the flat directions' distance is nearly exp(-l times the sum of the rates)
    l, total = Valley().curvature, 0.3 * 300  # noqa: E741
    assert distances[1] == pytest.approx(0.5 * sum(l * math.e ** (-2 * l * total)), rel=0.05)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: area(lambda t: 1.0, total_steps=3), TypeError, "schedule must be a lrlib Schedule"),
        (lambda: area(Constant(), total_steps=0), ValueError, "total_steps must be >= 1, got 0"),
        (lambda: area(Constant(), total_steps=2.5), TypeError, "total_steps must be an integer"),
        (
            lambda: spent(Constant(), step=4, total_steps=3),
            ValueError,
            "step must be <= total_steps = 3, got 4",
        ),
        (lambda: spent(Constant(), step=-1, total_steps=3), ValueError, "step must be >= 0, got -1"),
        (
            lambda: spent(Triangle(total_steps=9, warmup_steps=3), step=0, total_steps=1),
            ValueError,
            "schedule must have a factor > 0 in its first 1 steps",
        ),
        (lambda: power_with_area(1.0, total_steps=10), ValueError, "below 1, got 1.0"),
        (
            lambda: power_with_area(0.1, total_steps=10),
            ValueError,
            "fraction must be above 1/total_steps = 0.1",
        ),
        (lambda: power_with_area(0.5, total_steps=1), ValueError, "total_steps must be >= 2, got 1"),
        (
            lambda: power_with_area(0.0005, total_steps=10_000),
            ValueError,
            "fraction must leave a power <= 1000, got 0.0005",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_an_area_that_is_one_but_for_rounding():
    assert power_with_area(1 - 1e-14, total_steps=10) == pytest.approx(0, abs=1e-9)
