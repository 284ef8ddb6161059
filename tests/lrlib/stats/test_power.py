"""Power: the textbook's values, simulated studies whose truth is known, and the plan's table."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from lrlib.stats import compare_all, detectable, equivalence_power, reach
from simulated import CLOSE, DIFFERS, POINT, studies, within

PLAN = Path(__file__).parents[3] / "book" / "survey" / "plan.md"


@pytest.mark.parametrize(("n", "sd_points"), [(3, 0.5), (5, 0.3), (10, 1.0)])
def test_power_is_what_the_noncentral_t_says(n, sd_points):
    count, gap = 3000, POINT * detectable(n=n, sd=sd_points, family=1, power=0.8)
    truth, own_sd = {"A": 0.5 + gap, "B": 0.5}, POINT * sd_points / math.sqrt(2)
    drawn = studies(np.random.default_rng(n), truth, count=count, own_sd=own_sd, seeds=n)
    wins = [compare_all(s, pairs=[("A", "B")])[0].verdict in DIFFERS[::2] for s in drawn]
    assert within(np.mean(wins), 0.8, count)


def test_detectable_for_many_pairs_is_the_textbooks_normal_value():
    # With many pairs t is normal: (1.959964 + 0.841621) / sqrt n, here sd 1 and n = 10,000.
    assert detectable(n=10_000, sd=1.0, family=1) == pytest.approx(2.801585 / 100, rel=2e-4)
    assert detectable(n=5, sd=0.6) == pytest.approx(2 * detectable(n=5, sd=0.3), rel=1e-9)


# With 10,000 pairs t is normal: z of 0.995, 0.975, 0.95, 0.9 and 0.8 are 2.575829, 1.959964, 1.644854,
# 1.281552 and 0.841621. A mean's standard error is sd / 100.
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: detectable(n=10_000, sd=1.0, family=1), (1.959964 + 0.841621) / 100),
        (lambda: detectable(n=10_000, sd=1.0, family=1, alpha=0.01), (2.575829 + 0.841621) / 100),
        (lambda: detectable(n=10_000, sd=1.0, family=1, power=0.9), (1.959964 + 1.281552) / 100),
        # P(|z| < margin / error - z of 1 - alpha), at an error of a third:
        # 2 Phi(1.718448) - 1, 2 Phi(0.155146) - 1
        (lambda: equivalence_power(n=10_000, sd=100 / 3, family=1, alpha=0.1), 0.914281),
        (lambda: equivalence_power(n=10_000, sd=100 / 3, family=1, margin=0.6), 0.12329),
        # t of 0.95 with 2 degrees of freedom
        (lambda: reach(3, family=1, alpha=0.1), 2.919986 / math.sqrt(3)),
    ],
)
def test_level_power_and_margin_are_those_asked_for(call, expected):
    assert call() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("sd_points", "truth_points"), [(0.3, 0.0), (0.8, 0.0), (0.4, 0.5)])
def test_equality_is_found_as_often_as_computed(sd_points, truth_points):
    count, rng = 3000, np.random.default_rng(5)
    drawn = studies(
        rng,
        {"A": 0.5 + POINT * truth_points, "B": 0.5},
        count=count,
        own_sd=POINT * sd_points / math.sqrt(2),
    )
    called = [compare_all(s, pairs=[("A", "B")])[0].verdict in CLOSE for s in drawn]
    chance = equivalence_power(n=5, sd=sd_points, truth=truth_points, family=1)
    assert 0.05 < chance < 1
    assert within(np.mean(called), chance, count)


def test_equivalence_power_at_its_ends():
    assert equivalence_power(n=5, sd=0.01) == pytest.approx(1, abs=1e-9)
    assert equivalence_power(n=5, sd=100.0) == pytest.approx(0, abs=1e-6)
    # At the margin and with little noise only one end matters: the level.
    assert equivalence_power(n=5, sd=0.01, truth=1.0, family=1) == pytest.approx(0.05, abs=1e-9)
    # Many pairs: normal, both ends at z = 1.644854 from 3: 2 Phi(1.355146) - 1 = 0.824629.
    assert equivalence_power(n=10_000, sd=100 / 3, family=1) == pytest.approx(0.824629, abs=2e-4)


def table_of_the_plan():
    rows = re.findall(r"^\| (\d\.\d) \| (.*) \|$", PLAN.read_text(encoding="utf-8"), re.M)
    return {float(sd): cells.split(" | ") for sd, cells in rows}


def test_the_plans_table_is_what_the_functions_say():
    table = table_of_the_plan()
    assert list(table) == [0.2, 0.3, 0.4, 0.6, 1.0, 2.0]
    for sd, cells in table.items():
        found = [f"{detectable(n=5, sd=sd, family=m):.2f}" for m in (13, 1)]
        equal = [f"{100 * equivalence_power(n=5, sd=sd, family=m):.1f} %" for m in (13, 1)]
        assert cells == found + equal


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: detectable(n=1, sd=0.3), ValueError, "n must be >= 2, got 1"),
        (lambda: detectable(n=5, sd=0), ValueError, r"sd must be in \(0, inf\), got 0"),
        (lambda: detectable(n=5, sd=0.3, family=0), ValueError, "family must be >= 1, got 0"),
        (lambda: detectable(n=5, sd=0.3, power=0.05), ValueError, r"power must be in \(0.05, 1\), got 0.05"),
        (lambda: equivalence_power(n=2.5, sd=0.3), TypeError, "n must be an integer >= 2, got 2.5"),
        (lambda: equivalence_power(n=5, sd=0.3, margin=-1), ValueError, "margin must be in .* got -1"),
        (lambda: reach(5, alpha=5), ValueError, r"alpha must be in \(0, 1\), got 5"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
