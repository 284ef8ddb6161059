"""Two weights in a row: worked with fractions, against numerical gradients, and what they show."""

import math
from fractions import Fraction

import numpy as np
import pytest

from lrlib.schedules import Constant, LinearDecay, Triangle
from lrlib.theory.two_weights import TwoWeights


def by_fractions(u, v, spread, etas):
    """The weights after each update, exactly."""
    u, v, seen = Fraction(u), Fraction(v), []
    for t, eta in enumerate(etas):
        target = 1 + (Fraction(spread) if t % 2 == 0 else -Fraction(spread))
        residual = u * v - target
        u, v = u - Fraction(eta) * residual * v, v - Fraction(eta) * residual * u
        seen.append((u, v))
    return seen


@pytest.mark.parametrize(
    ("start", "etas"),
    [((2, 1, 0.5), (0.5, 0.5)), ((3, 0, 0.125), (0.25, 0.125, 0.0625, 0.5)), ((-1, 0.5, 0), (0.25, 0.75))],
)
def test_the_recursion_is_that_of_fractions(start, etas):
    u, v, spread = start
    weights = TwoWeights(u=u, v=v, spread=spread)
    path = weights.trajectory(lambda t: etas[t], steps=len(etas), peak_lr=1.0)
    exact = [(Fraction(u), Fraction(v)), *by_fractions(u, v, spread, etas)]
    np.testing.assert_allclose(path.loss, [float((a * b - 1) ** 2 / 2) for a, b in exact], rtol=1e-13)
    np.testing.assert_allclose(path.curvature, [float(a * a + b * b) for a, b in exact], rtol=1e-13)


def test_an_update_goes_against_the_gradient_of_one_example():
    u, v, spread, eta, h = 1.5, -0.5, 0.25, 1e-3, 1e-6

    def loss(u, v):  # of the first example
        return 0.5 * (u * v - 1 - spread) ** 2

    gu = (loss(u + h, v) - loss(u - h, v)) / (2 * h)
    gv = (loss(u, v + h) - loss(u, v - h)) / (2 * h)
    path = TwoWeights(u=u, v=v, spread=spread).trajectory(Constant(), steps=1, peak_lr=eta)
    assert path.curvature[1] == pytest.approx((u - eta * gu) ** 2 + (v - eta * gv) ** 2, rel=1e-9)


@pytest.mark.parametrize(("u", "v"), [(1.0, 1.0), (2.0, 0.5), (-4.0, -0.25)])
def test_on_the_floor_the_curvature_is_the_largest_eigenvalue(u, v):
    # Hessian of 1/2 (uv - 1)^2: [[v^2, 2uv - 1], [2uv - 1, u^2]]
    hessian = [[v * v, 2 * u * v - 1], [2 * u * v - 1, u * u]]
    weights = TwoWeights(u=u, v=v, spread=0.0)
    assert np.linalg.eigvalsh(hessian).max() == pytest.approx(2.0 / weights.edge)
    path = weights.trajectory(Constant(), steps=3, peak_lr=0.1)
    assert path.loss.tolist() == [0.0] * 4
    assert path.curvature.tolist() == [u * u + v * v] * 4


def test_what_flies_apart_is_inf_to_the_end():
    path = TwoWeights().trajectory(Constant(), steps=50, peak_lr=2.0)
    gone = np.isinf(path.loss)
    assert gone[-1]
    assert np.array_equal(gone, np.isinf(path.curvature))
    assert gone[np.argmax(gone) :].all()
    assert np.isfinite(path.loss[: np.argmax(gone)]).all()


def test_warmup_bears_a_higher_peak_here():
    """What the chapter says: four times the peak, and an edge that moves ahead of the rate."""
    weights, grid = TwoWeights(), [k / 100 for k in range(1, 201)]
    linear, triangle = LinearDecay(total_steps=300), Triangle(total_steps=300, warmup_steps=30)
    low, high = (weights.highest_peak_lr(s, steps=300, peak_lrs=grid) for s in (linear, triangle))
    assert weights.edge == pytest.approx(2 / 9)
    assert weights.edge < low < 4 / 9 < 0.6 < high  # Lewkowycz and others: between 2 and 4 over the curvature
    path = weights.trajectory(triangle, steps=300, peak_lr=0.6)
    edge, rate = 2 / path.curvature[:-1], 0.6 * np.array(triangle.values(300))
    over = np.flatnonzero(rate > edge)
    assert 0 < len(over) < 30  # above the edge for a while, in the warm-up
    assert over.max() < 30
    assert edge[30:].min() > 0.6
    assert math.isinf(weights.trajectory(linear, steps=300, peak_lr=0.6).loss[-1])


def test_the_highest_peak_stops_at_the_first_that_fails():
    weights = TwoWeights(u=2.0, spread=0.0)
    # At 0.25, v jumps to where u v = 1 and stays there; at 5 it flies apart.
    tried = {"steps": 60, "peak_lrs": [5.0, 0.25, 0.125]}
    assert weights.highest_peak_lr(Constant(), **tried) == 0.25
    assert weights.highest_peak_lr(Constant(), steps=60, peak_lrs=[5.0]) == 0.0
    survives = {0.1: True, 0.2: False, 0.3: True}

    class Lucky(TwoWeights):
        def trajectory(self, schedule, *, steps, peak_lr):
            found = 0.0 if survives[peak_lr] else math.inf
            return super().trajectory(schedule, steps=1, peak_lr=0.0)._replace(loss=np.array([found]))

    assert Lucky().highest_peak_lr(Constant(), steps=1, peak_lrs=list(survives)) == 0.1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: TwoWeights(u=math.nan), ValueError, "u must be finite, got nan"),
        (lambda: TwoWeights(v="1"), TypeError, "v must be a number"),
        (lambda: TwoWeights(u=0.0), ValueError, "u and v must not both be 0"),
        (lambda: TwoWeights(spread=-1), ValueError, "spread must be finite and >= 0, got -1"),
        (lambda: TwoWeights().trajectory(Constant(), steps=0, peak_lr=1.0), ValueError, "steps must be >= 1"),
        (
            lambda: TwoWeights().highest_peak_lr(Constant(), steps=1, peak_lrs=[]),
            ValueError,
            "peak_lrs must hold at least one rate, got none",
        ),
        (
            lambda: TwoWeights().highest_peak_lr(Constant(), steps=1, peak_lrs=[0.0]),
            ValueError,
            "peak_lrs must be > 0, got 0.0",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()
