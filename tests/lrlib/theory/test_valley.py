"""The noisy valley: values worked on paper, the design's check values, and what theory says."""

import math
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlib.schedules import Constant, CosineAnnealing, LinearDecay
from lrlib.schedules.compose import join
from lrlib.theory.rates import rates
from lrlib.theory.valley import Valley, momentum_path

T = 300
COOLDOWN = join([(Constant(), 240), (LinearDecay(total_steps=60), 60)])


def listed(*etas):
    """A schedule that gives these factors, one an update."""
    return lambda step: etas[step]


# Worked on paper. One direction, l = 1, m = 1, v = 0, noise 0.1:
#   eta 0.5: m = 0.5, v = 0.1 * 0.25 = 0.025;   distance 0.5 * 0.25 = 0.125,  shaking 0.5 * 0.025 = 0.0125
#   eta 1:   m = 0,   v = 0 * 0.025 + 0.1;      distance 0,                   shaking 0.05
# Two directions, l = 1 and 0.5:
#   eta 1:   m = 0, 0.5; v = 0.1, 0.05;         distance 0.25 * 0.25,         shaking 0.5 * (0.1 + 0.025)
#   eta 0.5: m = 0, 0.375; v = 0.025 + 0.025 = 0.05 and 0.5625 * 0.05 + 0.0125 = 0.040625;
#            distance 0.25 * 0.375^2 = 0.03515625, shaking 0.5 * (0.05 + 0.0203125) = 0.03515625
# One direction, m = 2, v = 0.2, noise 0:
#   eta 0.5: m = 1, v = 0.25 * 0.2 = 0.05;      distance 0.5, shaking 0.025
HAND = [
    (Valley(directions=1), (0.5, 1.0), (0.5, 0.125, 0.0), (0.0, 0.0125, 0.05)),
    (Valley(directions=2), (1.0, 0.5), (0.75, 0.0625, 0.03515625), (0.0, 0.0625, 0.03515625)),
    (Valley(directions=1, start_distance=2, start_variance=0.2, noise=0), (0.5,), (2.0, 0.5), (0.1, 0.025)),
]


@pytest.mark.parametrize(("valley", "etas", "distance", "shaking"), HAND)
def test_hand_worked(valley, etas, distance, shaking):
    path = valley.trajectory(listed(*etas), steps=len(etas), peak_lr=1.0)
    np.testing.assert_allclose(path.distance, distance, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(path.shaking, shaking, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(path.loss, np.add(distance, shaking), rtol=1e-14)
    closed = valley.final_loss(listed(*etas), steps=len(etas), peak_lr=1.0)
    assert closed == pytest.approx(distance[-1] + shaking[-1], rel=1e-14)


def test_defaults_are_the_books_valley():
    valley = Valley()
    assert (valley.directions, valley.start_distance, valley.start_variance, valley.noise) == (
        64,
        1.0,
        0.0,
        0.1,
    )
    np.testing.assert_array_equal(valley.curvature, [1 / i for i in range(1, 65)])
    assert valley.edge == 2.0


@pytest.mark.parametrize(
    ("schedule", "peak_lr", "peak_digit", "loss"),
    [
        (Constant(), 0.279, 0.001, 0.0456),
        (LinearDecay(total_steps=T), 0.855, 0.001, 0.0192),
        (CosineAnnealing(total_steps=T), 0.888, 0.001, 0.0194),
        (COOLDOWN, 0.41, 0.01, 0.0269),
    ],
)
def test_best_peak_rates_of_the_design(schedule, peak_lr, peak_digit, loss):
    best = Valley().best_peak_lr(schedule, steps=T)
    assert abs(best.peak_lr - peak_lr) <= peak_digit / 2
    assert abs(best.loss - loss) <= 0.0001 / 2
    assert best.loss == Valley().final_loss(schedule, steps=T, peak_lr=best.peak_lr)


def test_one_rate_for_all_is_no_fair_race():
    valley, linear = Valley(), LinearDecay(total_steps=T)
    best = valley.best_peak_lr(Constant(), steps=T)
    # at the constant's best rate as the design prints it, 0.279
    assert abs(valley.final_loss(linear, steps=T, peak_lr=0.279) - 0.0759) <= 0.00005
    assert abs(best.loss / valley.best_peak_lr(linear, steps=T).loss - 2.4) <= 0.05


@settings(deadline=None, max_examples=60)
@given(
    etas=st.lists(st.floats(0, 1.9), min_size=1, max_size=40),
    directions=st.integers(1, 9),
    variance=st.floats(0, 3),
    peak_lr=st.floats(0, 1.5),
)
def test_closed_form_agrees_with_the_recursion(etas, directions, variance, peak_lr):
    valley = Valley(directions=directions, start_variance=variance)
    slow = valley.trajectory(listed(*etas), steps=len(etas), peak_lr=peak_lr).loss[-1]
    fast = valley.final_loss(listed(*etas), steps=len(etas), peak_lr=peak_lr)
    assert fast == pytest.approx(slow, rel=1e-10)


def test_sweep_is_final_loss_at_each_rate():
    linear, peaks = LinearDecay(total_steps=20), [0.1, 0.5, 3.0]
    swept = Valley().sweep(linear, steps=20, peak_lrs=peaks)
    one_by_one = [Valley().final_loss(linear, steps=20, peak_lr=peak) for peak in peaks]
    np.testing.assert_allclose(swept, one_by_one, rtol=1e-12)


@pytest.mark.parametrize("lr", [0.05, 0.7, 1.9])
def test_a_fixed_rate_ends_on_its_noise_floor(lr):
    # v = (1 - eta l)^2 v + 0.1 eta^2 l has the solution 0.1 eta / (2 - eta l); after 4,000 updates the
    # flattest of 4 directions has forgotten its start: (1 - 0.05 / 4)^8000 < 1e-43
    curvature = np.array([1, 1 / 2, 1 / 3, 1 / 4])
    variance = 0.1 * lr / (2 - lr * curvature)
    path = Valley(directions=4).trajectory(Constant(), steps=4_000, peak_lr=lr)
    assert path.shaking[-1] == pytest.approx(0.5 * np.sum(curvature * variance), rel=1e-12)
    assert path.distance[-1] < 1e-12
    assert Valley(directions=4).noise_floor(lr) == pytest.approx(path.loss[-1], rel=1e-12)


def test_twice_the_rate_more_than_twice_the_floor():
    valley = Valley()
    assert valley.noise_floor(0.2) > 2 * valley.noise_floor(0.1)
    assert valley.noise_floor(1e-6) == pytest.approx(0.25 * 0.1 * 1e-6 * np.sum(valley.curvature), rel=1e-6)
    assert valley.noise_floor(2.0) == valley.noise_floor(5.0) == math.inf


def test_the_mean_diverges_above_the_edge_only():
    # without noise the steepest direction shrinks or grows by |1 - rate| an update: 1.01 and 0.99
    quiet = Valley(noise=0.0)
    above = quiet.trajectory(Constant(), steps=400, peak_lr=2.01).distance
    below = quiet.trajectory(Constant(), steps=400, peak_lr=1.99).distance
    assert above[-1] == pytest.approx(0.5 * 1.01**800, rel=1e-3)
    assert above[-1] > above[0]
    assert np.all(np.diff(below) < 0)


@pytest.mark.parametrize("peak_lr", [53.7, 1e200])
def test_diverging_values_are_inf_without_warnings(peak_lr):
    valley = Valley()
    path = valley.trajectory(Constant(), steps=T, peak_lr=peak_lr)
    gone = int(np.argmax(np.isinf(path.loss)))
    assert np.all(np.isfinite(path.loss[:gone]))
    assert np.all(np.isinf(path.loss[gone:]))
    assert valley.final_loss(Constant(), steps=T, peak_lr=peak_lr) == math.inf
    assert valley.final_loss(LinearDecay(total_steps=T), steps=T, peak_lr=peak_lr) == math.inf


def test_what_is_left_never_comes_back_from_inf():
    # the second update would multiply an infinite mean by 0
    path = Valley(directions=1).trajectory(listed(1e200, 1.0), steps=2, peak_lr=1.0)
    assert path.loss.tolist() == [0.5, math.inf, math.inf]


def test_best_peak_of_one_quiet_step_lands_on_the_bottom():
    # one direction, no noise: rate 1 / curvature reaches the bottom in one update
    best = Valley(directions=1, noise=0.0).best_peak_lr(Constant(), steps=1)
    assert best.peak_lr == pytest.approx(1.0, abs=1e-5)
    assert best.loss < 1e-10


def test_best_peak_scales_with_the_factor():
    full = Valley().best_peak_lr(Constant(), steps=50)
    small = Valley().best_peak_lr(lambda step: 1e-4, steps=50)
    assert small.peak_lr == pytest.approx(1e4 * full.peak_lr, rel=1e-3)
    assert small.loss == pytest.approx(full.loss, rel=1e-6)


def test_fast_enough_for_live_figures():
    valley, linear = Valley(), LinearDecay(total_steps=T)
    factors = rates(linear, steps=T, peak_lr=0.855)
    seconds = []
    for _ in range(50):
        start = time.perf_counter()
        valley._loss_after(factors)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1e-3


def test_frozen():
    with pytest.raises(AttributeError):
        Valley().noise = 0.0


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: Valley(directions=0), ValueError, "directions must be >= 1, got 0"),
        (lambda: Valley(directions=True), TypeError, "directions must be an integer >= 1, got True"),
        (lambda: Valley(directions=1.5), TypeError, "directions must be an integer >= 1, got 1.5"),
        (lambda: Valley(noise=-1.0), ValueError, "noise must be finite and >= 0, got -1.0"),
        (
            lambda: Valley(start_variance=math.nan),
            ValueError,
            "start_variance must be finite and >= 0, got nan",
        ),
        (
            lambda: Valley(start_distance=math.inf),
            ValueError,
            "start_distance must be finite, got inf",
        ),
        (lambda: Valley(64), TypeError, "positional argument"),
        (lambda: Valley().noise_floor(0.0), ValueError, "lr must be finite and > 0, got 0.0"),
        (
            lambda: Valley().best_peak_lr(lambda step: 0.0, steps=5),
            ValueError,
            "schedule must have a factor > 0 in its first 5 steps, got only zeros",
        ),
        (
            lambda: Valley().sweep(Constant(), steps=5, peak_lrs=[math.nan]),
            ValueError,
            "peak_lr must be finite and >= 0, got nan",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence.replace("(", r"\(")):
        call()


# ---------------------------------------------------------------- momentum


def test_momentum_follows_the_recursion_worked_out_by_hand():
    # l = 1, rate 0.1, m = 0.5: b = 1, w = 0.9; b = 0.5 + 0.9, w = 0.76; b = 0.7 + 0.76, w = 0.614.
    path = momentum_path(curvature=1.0, lr=0.1, momentum=0.5, steps=3)
    assert path == pytest.approx([1.0, 0.9, 0.76, 0.614], abs=1e-15)


def test_momentum_is_that_of_torchs_sgd():
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    seen = [weight.item()]
    for _ in range(50):
        optimizer.zero_grad()
        (0.5 * 0.3 * weight**2).sum().backward()
        optimizer.step()
        seen.append(weight.item())
    assert momentum_path(curvature=0.3, lr=0.1, momentum=0.9, steps=50) == pytest.approx(seen, abs=1e-14)


def test_in_a_flat_direction_momentum_divides_the_rate_by_one_minus_itself():
    # The slow root of z^2 - (1 + m - lr l) z + m = 0 for l = 1/1000, lr = 0.1, m = 0.9 is 0.998989...;
    # plain descent at rate 1 shrinks by 0.999, at rate 0.1 by 0.9999.
    l = 1e-3  # noqa: E741
    path = momentum_path(curvature=l, lr=0.1, momentum=0.9, steps=2000)
    half = (1.9 - 0.1 * l) / 2
    root = half + (half**2 - 0.9) ** 0.5
    assert path[2000] / path[1999] == pytest.approx(root, rel=1e-9)
    assert math.log(root) / math.log(1 - l) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("lr", "stays"), [(3.79, True), (3.81, False)])
def test_with_momentum_the_edge_is_at_two_times_one_plus_m_over_l(lr, stays):
    # 2 (1 + 0.9) / 1 = 3.8
    path = momentum_path(curvature=1.0, lr=lr, momentum=0.9, steps=5000)
    assert bool(abs(path[-1]) < 1) is stays


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"curvature": 0.0}, "curvature must be finite and > 0, got 0.0"),
        ({"lr": -1.0}, "lr must be finite and >= 0, got -1.0"),
        ({"momentum": 1.0}, "momentum must be in"),
        ({"steps": 0}, "steps must be >= 1, got 0"),
    ],
)
def test_bad_momentum_is_refused(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        momentum_path(**{"curvature": 1.0, "lr": 0.1, "momentum": 0.9, "steps": 1, **change})
