"""Worst-case bounds: exact fractions, closed forms, a table made by other code, and numerical judges."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

import lrlib
from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    CosineToFloor,
    CyclicRecipe,
    ExponentialRecipe,
    InverseSqrt,
    LinearDecay,
    MilestoneDecay,
    OneCycleRecipe,
    OneMinusSqrt,
    PolynomialDecay,
    RestartsRecipe,
    Rex,
    TimeDecay,
    Triangle,
    WSDRecipe,
    get_recipe,
    join,
    with_warmup,
)
from lrlib.theory import area_and_noise, asked_for, best_h, omega, worst_case


def read(name: str) -> list[dict[str, str]]:
    return [*csv.DictReader((Path(__file__).parent / name).read_text().splitlines())]


# Both were made by other code than this library's, before it was written.
TABLE, PROGRAMS = read("bounds.csv"), read("programs.csv")


def fractions(t: int) -> list[Fraction]:
    """Factors without a pattern, as exact fractions."""
    return [Fraction(1 + (7 * k * k + 3 * k) % 11, 12) for k in range(t)]


def norms_of(t: int) -> list[Fraction]:
    return [Fraction(2 + (5 * k) % 9, 4) for k in range(t)]


def triple_sum(etas, norms):
    """Omega for D = 1, as Defazio et al. print it: a sum over k of sums over t, with S_k from its own sum."""
    steps = len(etas)
    s = [sum(etas[k:]) for k in range(steps)]
    inner = [sum(eta * eta * g for eta, g in zip(etas[k:], norms[k:], strict=True)) for k in range(steps)]
    return (
        1 / (2 * s[0])
        + inner[0] / (2 * s[0])
        + sum(etas[k] / (s[k + 1] * s[k]) * inner[k] for k in range(steps - 1)) / 2
    )


def psi_squared(factors, norms, h):
    """Psi^2 for D = 1 at its best peak rate, for one h: the recursion in u, where u_{T+1} = 1."""
    u, total = 1, h * h * norms[-1]
    for f, g in zip(reversed(factors), reversed(norms), strict=True):
        total += f * f * g / u**2
        u += (f / h) / u
    return total / (u * u * h * h)


def psi(factors, norms, eta, h):
    """Psi for D = 1 at a peak rate, for one h."""
    u, total = 1.0, h * h * norms[-1]
    for f, g in zip(factors[::-1], norms[::-1], strict=True):
        total += f * f * g / u**2
        u += f / (h * u)
    return (1 / (eta * u * u) + eta * total) / (2 * h)


@pytest.mark.parametrize("steps", [2, 3, 7, 25])
@pytest.mark.parametrize("equal", [True, False])
def test_omega_is_its_triple_sum(steps, equal):
    factors, norms = fractions(steps), [Fraction(1)] * steps if equal else norms_of(steps)
    bound = omega(
        lambda t: float(factors[t]), steps=steps, grad_norm_sq=None if equal else [float(g) for g in norms]
    )
    for eta in (Fraction(1, 7), Fraction(3, 2)):
        exact = triple_sum([eta * f for f in factors], norms)
        assert bound.at(float(eta)) == pytest.approx(float(exact), rel=4e-15)


@pytest.mark.parametrize("steps", [1, 2, 5, 25])
def test_the_worst_case_of_linear_decay_in_fractions(steps):
    factors = [Fraction(steps - t, steps) for t in range(steps)]
    assert psi_squared(factors, [1] * steps, Fraction(1, steps)) == Fraction(1, steps + 1)
    bound = worst_case(LinearDecay(total_steps=steps), steps=steps)
    assert bound.best_value == pytest.approx(1 / math.sqrt(steps + 1), rel=1e-14)
    assert bound.best_peak_lr == pytest.approx(steps / (steps + 1) ** 1.5, rel=1e-14)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 100, 39_100])
def test_linear_decay_has_the_minimax_value(steps):
    bound = worst_case(LinearDecay(total_steps=steps), steps=steps)
    assert bound.best_value == pytest.approx(1 / math.sqrt(steps + 1), rel=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 6, 10])  # the digits of u double at each step
def test_the_worst_case_of_a_slow_tail_in_fractions(steps):
    # A tail in which no factor is less than a quarter of the one before has h = f_T.
    factors = [Fraction(20 + (3 * k) % 7, 30) for k in range(steps)]
    exact = psi_squared(factors, [1] * steps, factors[-1])
    bound = worst_case(lambda t: float(factors[t]), steps=steps)
    assert bound.best_value**2 == pytest.approx(float(exact), rel=4e-15)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(),
        TimeDecay(decay=0.5),
        PolynomialDecay(total_steps=30, power=5),
        MilestoneDecay(milestones=(10, 20, 25), drop_factor=0.1),
        CosineAnnealing(total_steps=30, cycles=5),
        lambda t: [1e-6, 0.5, 1e-3, 0.3][t % 4],
    ],
)
@pytest.mark.parametrize("equal", [True, False])
def test_the_best_h_is_found(schedule, equal):
    """Against 4,000 h over thirty decades, and scipy's refinement of the best of them."""
    factors = np.array([schedule(t) for t in range(30)])
    norms = np.ones(30) if equal else np.array([float(g) for g in norms_of(30)])
    bound = worst_case(schedule, steps=30, grad_norm_sq=None if equal else norms)
    value = math.sqrt(lowest(lambda h: psi_squared(factors.tolist(), norms.tolist(), h)))
    assert bound.best_value == pytest.approx(value, rel=1e-11)
    for times in (0.03, 0.5, 1.0, 4.0):
        eta = times * bound.best_peak_lr
        assert bound.at(eta) == pytest.approx(
            lowest(lambda h, eta=eta: psi(factors, norms, eta, h)), rel=1e-10
        )


def lowest(cost, decades=(-12, 18), points=4000):
    """The lowest cost over many h, refined by scipy."""
    grid = np.linspace(*(math.log(10) * x for x in decades), points)
    best, width = grid[np.argmin([cost(math.exp(x)) for x in grid])], grid[1] - grid[0]
    refined = minimize_scalar(
        lambda x: cost(math.exp(x)),
        bounds=(best - width, best + width),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return refined.fun


@pytest.mark.parametrize(("steps", "seed"), [(2, 0), (2, 1), (3, 2), (7, 3), (7, 4), (7, 5), (600, 6)])
def test_of_several_valleys_the_lowest_is_found(steps, seed):
    """Norms over six decades in any order give the bound more than one valley over h."""
    rng = np.random.default_rng(seed)
    factors, norms = rng.uniform(0.01, 1.0, steps), np.exp(3 * rng.normal(size=steps))
    bound = worst_case(lambda t: factors[t], steps=steps, grad_norm_sq=norms)
    value = math.sqrt(lowest(lambda h: psi_squared(factors.tolist(), norms.tolist(), h), points=1500))
    assert bound.best_value == pytest.approx(value, rel=1e-9)
    for times in (0.01, 1.0, 30.0):
        eta = times * bound.best_peak_lr
        value = lowest(lambda h, eta=eta: psi(factors, norms, eta, h), decades=(-16, 22), points=1500)
        assert bound.at(eta) == pytest.approx(value, rel=1e-9)


@given(st.floats(1e-3, 1e3))
def test_the_recursion_is_the_same_for_h_and_for_its_inverse(ratio):
    factors = [float(f) for f in fractions(12)]
    one = psi_squared(factors, [1.0] * 12, factors[-1] * ratio)
    assert one == pytest.approx(psi_squared(factors, [1.0] * 12, factors[-1] / ratio), rel=1e-12)


@settings(max_examples=30)
@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=12))
def test_equal_norms_by_search_are_those_of_one_pass(factors):
    one = worst_case(lambda t: factors[t], steps=len(factors))
    searched = worst_case(lambda t: factors[t], steps=len(factors), grad_norm_sq=[1.0] * len(factors))
    assert searched.best_value == pytest.approx(one.best_value, rel=1e-12)
    assert searched.best_peak_lr == pytest.approx(one.best_peak_lr, rel=1e-6)


def shapes(steps: int) -> dict[str, object]:
    """The shapes of the table, for a run of so many updates."""

    def built(recipe):
        return recipe.build(total_steps=steps, steps_per_epoch=1)

    def wsd(cooldown, part, warmup=0.0):
        return built(WSDRecipe(cooldown_fraction=part, cooldown=cooldown, warmup_fraction=warmup))

    down = round(0.2 * steps)
    return {
        "constant": Constant(),
        "time": TimeDecay(decay=39.1 / steps),
        "drop": built(get_recipe("drop")),
        "linear": LinearDecay(total_steps=steps),
        "poly5": PolynomialDecay(total_steps=steps, power=5),
        "triangle .1": Triangle(total_steps=steps, warmup_steps=steps // 10),
        "cosine": CosineAnnealing(total_steps=steps),
        "cosine5": CosineAnnealing(total_steps=steps, cycles=5),
        "exponential to .01": built(ExponentialRecipe()),
        "inverse sqrt": InverseSqrt(),
        "noam W=.1T": InverseSqrt(warmup_steps=steps // 10),
        "1cycle cos .3": built(OneCycleRecipe()),
        "1cycle linear .3": built(OneCycleRecipe(anneal="linear")),
        "SGDR": built(RestartsRecipe()),
        "WSD 20% linear": wsd("linear", 0.2),
        "WSD 20% 1-sqrt": wsd("sqrt", 0.2),
        "WSD 20% cosine": join([(Constant(), steps - down), (CosineAnnealing(total_steps=down), down)]),
        "WSD 40% linear": wsd("linear", 0.4),
        "trapezoid .1/.2": wsd("linear", 0.2, 0.1),
        "1-sqrt": OneMinusSqrt(total_steps=steps),
        "REX": Rex(total_steps=steps),
        "triangular CLR S=T/10 low .25": built(CyclicRecipe()),
        "step .5/.75 x.1": MilestoneDecay(milestones=(round(0.5 * steps), round(0.75 * steps))),
        "cosine to .1": CosineToFloor(total_steps=steps),
    }


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['shape']}, T = {row['steps']}")
def test_ten_digits_of_the_table(row):
    steps = int(row["steps"])
    schedule = shapes(steps)[row["shape"]]
    for name, bound in ("omega", omega), ("worst_case", worst_case):
        found = bound(schedule, steps=steps)
        assert found.best_peak_lr == pytest.approx(float(row[f"{name}_peak_lr"]), abs=6e-11), name
        assert found.best_value == pytest.approx(float(row[f"{name}_value"]), abs=6e-11), name


def test_the_table_is_whole():
    assert len(TABLE) == 72
    assert {row["shape"] for row in TABLE} == set(shapes(10))


def harmonic(n: int) -> float:
    return math.fsum(1 / k for k in range(1, n + 1))


@pytest.mark.parametrize("steps", [2, 10, 1000])
def test_closed_forms_of_omega(steps):
    h = harmonic(steps - 1)
    constant, linear = omega(Constant(), steps=steps), omega(LinearDecay(total_steps=steps), steps=steps)
    assert constant.best_value == pytest.approx(math.sqrt((1 + h) / steps), rel=1e-13)
    assert constant.best_peak_lr == pytest.approx(1 / math.sqrt(steps * (1 + h)), rel=1e-13)
    noise = 2 * steps - 1 + 2 * h
    assert linear.best_value == pytest.approx(math.sqrt(2 * noise / (steps * (steps + 1))), rel=1e-13)
    assert linear.best_peak_lr == pytest.approx(math.sqrt(2 * steps / ((steps + 1) * noise)), rel=1e-13)


def wsd_linear(c):
    i, j = 1 - c / 2, 2 + math.log(2 / c - 1)
    return math.sqrt(j / i), 1 / math.sqrt(i * j)


def wsd_sqrt(c):
    i, j = 1 - 2 * c / 3, 3 - 1.5 * math.log(3) + math.log(3 / c - 2)
    return math.sqrt(j / i), 1 / math.sqrt(i * j)


def warm_triangle(w):
    x = math.atanh(math.sqrt(w)) / math.sqrt(w)
    return 2 * math.sqrt(x), 1 / math.sqrt(x)


T = 200_000


@pytest.mark.parametrize(
    ("schedule", "limit"),
    [
        (LinearDecay(total_steps=T), (2, 1)),
        (PolynomialDecay(total_steps=T, power=2), (3 / math.sqrt(2), math.sqrt(2))),
        (PolynomialDecay(total_steps=T, power=5), (6 / math.sqrt(5), math.sqrt(5))),
        (Triangle(total_steps=T, warmup_steps=T // 10), warm_triangle(0.1)),
        (Triangle(total_steps=T, warmup_steps=T // 2), warm_triangle(0.5)),
        *[
            (
                join([(Constant(), T - round(c * T)), (LinearDecay(total_steps=round(c * T)), None)]),
                wsd_linear(c),
            )
            for c in (0.1, 0.2, 0.4)
        ],
        (join([(Constant(), T - T // 5), (OneMinusSqrt(total_steps=T // 5), None)]), wsd_sqrt(0.2)),
        (OneMinusSqrt(total_steps=T), (math.sqrt(3 * (3 - 1.5 * math.log(3))), 1.48956)),
        (CosineAnnealing(total_steps=T), (2.06017, 0.97080)),
        (Rex(total_steps=T), (2.01679, 0.80794)),
    ],
)
def test_limits(schedule, limit):
    value, best = limit
    bound, parts = omega(schedule, steps=T), area_and_noise(schedule, steps=T)
    for found in (bound, worst_case(schedule, steps=T)):
        assert found.best_peak_lr * math.sqrt(T) == pytest.approx(best, rel=3e-4)
    assert bound.best_value * math.sqrt(T) == pytest.approx(value, rel=3e-4)
    assert worst_case(schedule, steps=T).best_value * math.sqrt(T) == pytest.approx(value / 2, rel=3e-4)
    # The two numbers of the shape say the same.
    assert math.sqrt(parts.noise / parts.area) == pytest.approx(value, rel=3e-4)
    assert 1 / math.sqrt(parts.noise * parts.area) == pytest.approx(best, rel=3e-4)


def test_area_and_noise_take_the_horizon_of_the_schedule():
    linear = LinearDecay(total_steps=1000)
    assert area_and_noise(linear) == area_and_noise(linear, steps=1000)
    assert area_and_noise(linear).area == pytest.approx(0.5005, rel=1e-14)
    with pytest.raises(ValueError, match=r"steps must be given for a schedule without total_steps, got Cons"):
        area_and_noise(Constant())


def test_ten_updates_are_too_few_for_omega():
    linear = LinearDecay(total_steps=10)
    assert omega(Constant(), steps=10).best_value < omega(linear, steps=10).best_value
    assert all(
        worst_case(Constant(), steps=n).best_value
        > worst_case(LinearDecay(total_steps=n), steps=n).best_value
        for n in range(2, 30)
    )


def test_a_decay_that_reaches_zero_one_update_early_wastes_it():
    early = worst_case(lambda t: (9 - t) / 9, steps=10)
    assert early.best_value == pytest.approx(1 / math.sqrt(10), rel=1e-14)


@pytest.mark.parametrize("row", PROGRAMS, ids=lambda row: row["factors"])
def test_the_optimum_of_the_performance_estimation_program(row):
    """The exact worst case, solved as a semidefinite program by other code.

    Its variables are the Gram matrix of start and gradients and the T + 1 losses, under all interpolation
    inequalities of convex functions; CVXPY 1.9 and Clarabel, tolerances 1e-11.
    """
    factors, norms = ([float(x) for x in row[name].split()] for name in ("factors", "norms"))
    squares = np.square(norms) if norms else None
    bound = worst_case(lambda t: factors[t], steps=len(factors), grad_norm_sq=squares)
    assert bound.at(float(row["peak_lr"])) == pytest.approx(float(row["optimum"]), rel=1e-9)


def test_with_unequal_norms_and_a_low_rate_the_bound_is_above_the_worst_case():
    factors, norms, optimum = [0.461, 0.349, 0.167, 0.077], [1.65, 0.69, 0.39, 0.99], 0.3756490949
    bound = worst_case(lambda t: factors[t], steps=4, grad_norm_sq=np.square(norms))
    assert bound.at(0.199) == pytest.approx(2.105 * optimum, rel=1e-3)


def test_the_schedule_that_norms_ask_for_is_the_lowest():
    """Against a numerical optimiser over all rates, which may leave the closed form but not get below it."""
    norms = np.exp(np.random.default_rng(4).normal(0, 0.6, 11))
    lowest = 1 / math.sqrt(np.sum(1 / norms) + 1 / norms[-1])
    factors = asked_for(norms)
    assert factors.max() == 1.0
    found = worst_case(lambda t: factors[t], steps=11, grad_norm_sq=norms)
    assert found.best_value == pytest.approx(lowest, rel=1e-12)

    def value(logs):
        f = np.exp(logs[:-1])
        return psi_squared(f.tolist(), norms.tolist(), math.exp(logs[-1]))

    best = min(
        (minimize(value, start, method="BFGS", options={"gtol": 1e-10}) for start in np.zeros((1, 12))),
        key=lambda result: result.fun,
    )
    assert math.sqrt(best.fun) == pytest.approx(lowest, rel=1e-6)
    assert math.sqrt(best.fun) >= lowest * (1 - 1e-12)
    other = np.exp(best.x[:-1])
    assert other / other.max() == pytest.approx(factors, rel=2e-3)


def test_what_is_asked_for_in_fractions():
    norms = norms_of(6)
    c = [1 / g for g in [*norms, norms[-1]]]
    rates = [c[k] * sum(c[k + 1 :]) for k in range(6)]
    assert asked_for([float(g) for g in norms]).tolist() == pytest.approx(
        [float(rate / max(rates)) for rate in rates], rel=1e-14
    )
    assert asked_for(np.full(50, 3.7)).tolist() == pytest.approx(LinearDecay(total_steps=50).values(50))


def test_a_stochastic_problem_stays_under_the_bound():
    """f(x) = E|x - xi| with normal xi: its stochastic gradients are signs, so G = 1; the minimum is at 0."""
    repeats, steps, start = 2000, 200, 5.0
    noise = np.random.default_rng(0).standard_normal((steps, repeats))
    seen = 0
    for schedule in shapes(steps).values():
        bound = worst_case(schedule, steps=steps)
        for times in (0.1, 0.5, 1.0, 3.0):
            peak_lr = times * bound.best_peak_lr * start
            x = np.full(repeats, start)
            for t in range(steps):
                x -= peak_lr * schedule(t) * np.sign(x - noise[t])
            # E|x - xi| in closed form, less its smallest value sqrt(2 / pi)
            density = np.exp(-(x**2) / 2) * math.sqrt(2 / math.pi)
            gap = density + x * np.vectorize(math.erf)(x / math.sqrt(2)) - math.sqrt(2 / math.pi)
            assert gap.mean() <= bound.at(peak_lr, distance=start), (schedule, times)
            seen += 1
    assert seen == 96


def test_scales():
    schedule = with_warmup(LinearDecay(total_steps=9), 3)
    norms = np.linspace(3, 1, 12)
    for bound in (
        omega(schedule, steps=12),
        worst_case(schedule, steps=12),
        worst_case(schedule, steps=12, grad_norm_sq=norms),
    ):
        assert bound.at(bound.best_peak_lr) == pytest.approx(bound.best_value, rel=1e-12)
        assert bound.at(0.3, distance=6.0, grad_norm=3.0) == pytest.approx(18 * bound.at(0.15), rel=1e-12)
        for times in (2.0, 10.0):  # too large a rate costs the same in every schedule
            cost = bound.at(times * bound.best_peak_lr) / bound.best_value
            assert cost == pytest.approx((times + 1 / times) / 2, rel=0.02)


def test_sums_from_the_end_keep_their_digits():
    steps = 1000
    factors = [Fraction(steps - t, steps) ** 5 for t in range(steps)]
    exact, to_come = Fraction(0), factors[-1]
    exact = factors[-1]
    for f in reversed(factors[:-1]):
        exact += f * f / to_come
        to_come += f
    bound = omega(PolynomialDecay(total_steps=steps, power=5), steps=steps)
    assert bound.noise == pytest.approx(float(exact), rel=1e-14)
    assert bound.distance == pytest.approx(float(1 / to_come), rel=1e-14)


@pytest.mark.parametrize("shape", ["rough", "restarts", "rising", "falling"])
@pytest.mark.parametrize("h", [1e-9, 0.3, 1e6])
@pytest.mark.parametrize("most", [0, 60])
def test_a_walk_takes_the_steps_of_the_recursion(shape, h, most, monkeypatch):
    """Also where a factor is 1e8 times the sum of all before it, and where repetition never ends."""
    monkeypatch.setattr(best_h, "MOST", most)
    n = np.arange(6000)
    back = {
        "rough": 10.0 ** np.random.default_rng(1).uniform(-9, 0, len(n)),
        "restarts": np.where((n // 700) % 2, 1.0, 1e-12),
        "rising": (n + 1.0) ** 5,
        "falling": 1 / (n + 1.0),
    }[shape]
    w = [math.sqrt(h)]
    for f in back.tolist():
        w.append(w[-1] + f / w[-1])
    assert best_h._squares(back, h) == pytest.approx(np.square(w), rel=1e-11)


def test_39100_updates_take_less_than_50_ms():
    schedule = CosineAnnealing(total_steps=39_100)
    rising = np.geomspace(0.01, 30.0, 39_100)  # where the search for h took longest

    def seconds(bound):
        start = time.process_time()
        bound(schedule, steps=39_100)
        return time.process_time() - start

    for bound in (omega, worst_case, partial(worst_case, grad_norm_sq=rising)):
        assert min(seconds(bound) for _ in range(5)) < 0.05


def test_the_bounds_need_numpy_and_are_reached_from_lrlib():
    program = (
        "import sys, lrlib; assert 'numpy' not in sys.modules; "
        "lrlib.theory.worst_case(lrlib.Constant(), steps=3)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    source = Path(lrlib.theory.convex.__file__).read_text()
    assert "scipy" not in source


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: worst_case(Constant(), steps=0), ValueError, "steps must be >= 1, got 0"),
        (lambda: omega(0.1, steps=3), TypeError, "schedule must be callable with a step"),
        (lambda: omega(lambda t: 0.0, steps=3), ValueError, "must have a factor > 0 in its first 3 steps"),
        (
            lambda: worst_case(Constant(), steps=3, grad_norm_sq=[1.0, 2.0]),
            ValueError,
            r"grad_norm_sq must have the shape \[3\], got \[2\]",
        ),
        (
            lambda: omega(Constant(), steps=2, grad_norm_sq=[1.0, 0.0]),
            ValueError,
            "grad_norm_sq must be finite and > 0, got 0.0 in place 1",
        ),
        (lambda: asked_for([]), ValueError, r"grad_norm_sq must have the shape \[T\], T >= 1, got \[0\]"),
        (lambda: asked_for([1.0, math.nan]), ValueError, "got nan in place 1"),
        (lambda: omega(Constant(), steps=2).at(0.0), ValueError, "peak_lr must be finite and > 0, got 0.0"),
        (
            lambda: worst_case(Constant(), steps=2).at(0.1, distance=-1.0),
            ValueError,
            "distance must be finite and > 0, got -1.0",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()
