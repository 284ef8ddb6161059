"""Figures of the theory: what is drawn is the recursion, written down again here."""

import itertools
import math

import numpy as np
import pytest

from drawn import line, texts
from lrlib import plots
from lrlib.plots import STYLE_OF, plot_distances, plot_edges
from lrlib.schedules import Constant, DropDecay, LinearDecay
from lrlib.theory.two_weights import TwoWeights
from lrlib.theory.valley import Valley


def test_valley_rates_are_the_recursion_of_the_mean():
    # l = 1, so m <- (1 - rate) m from -1: at rate 0.5 it halves, at 2.5 it turns and grows by a half
    figure = plots.plot_valley_rates(Valley(), {"good": 0.5, "too large": 2.5}, updates=2)
    good, large = (line(axes, label) for axes, label in zip(figure.axes, ("good", "too large"), strict=True))
    np.testing.assert_allclose(good.get_xdata(), [-1, -0.5, -0.25], rtol=1e-15)
    np.testing.assert_allclose(large.get_xdata(), [-1, 1.5, -2.25], rtol=1e-15)
    np.testing.assert_allclose(large.get_ydata(), [0.5, 1.125, 2.53125], rtol=1e-15)
    assert figure.axes[1].get_title(loc="left") == "too large: rate 2.5"


def test_descents_are_the_trajectory():
    valley, linear = Valley(), LinearDecay(total_steps=50)
    figure = plots.plot_descents(valley, {"linear": (linear, 0.5, 50)}, floors=True)
    rate, loss = figure.axes
    np.testing.assert_allclose(line(rate, "linear").get_ydata(), [0.5 * (50 - t) / 50 for t in range(50)])
    expected = valley.trajectory(linear, steps=50, peak_lr=0.5).loss
    np.testing.assert_array_equal(line(loss, "linear").get_ydata(), expected)
    assert set(line(loss, "floor of linear").get_ydata()) == {valley.noise_floor(0.5)}
    assert texts(figure) == [f"linear: {expected[-1]:.2g}"]


def test_a_descent_begins_before_the_first_update_and_ends_in_a_dot():
    # Curvature 1 and no noise: at rate 0.5 the distance halves, 1, 0.5, 0.25, and the loss is half its square
    plans = {"constant": (Constant(), 0.5, 2)}
    rate, loss = plots.plot_descents(Valley(directions=1, noise=0.0), plans).axes
    drawn, dot = line(loss, "constant"), line(loss, "end of constant")
    assert (drawn.get_xdata().tolist(), drawn.get_ydata().tolist()) == ([0, 1, 2], [0.5, 0.125, 0.03125])
    assert (list(dot.get_xdata()), list(dot.get_ydata())) == ([2], [0.03125])
    assert line(rate, "constant").get_xdata().tolist() == [0, 1]


def test_parts_are_distance_and_shaking_apart():
    # Curvature 1, rates 0.5 and 0.25: m = 1, 0.5, 0.375; v = 0, 0.1/4, 0.025 * 0.75^2 + 0.1/16
    drop = DropDecay(drop_factor=0.5, drop_steps=1)
    rate, distance, shaking = plots.plot_parts(Valley(directions=1), {"drop": (drop, 0.5, 2)}).axes
    np.testing.assert_allclose(line(rate, "drop").get_ydata(), [0.5, 0.25])
    np.testing.assert_allclose(line(distance, "drop").get_ydata(), [0.5, 0.125, 0.0703125])
    np.testing.assert_allclose(line(shaking, "drop").get_ydata(), [0, 0.0125, 0.01015625])
    drawn = [line(axes, "drop").get_xdata().tolist() for axes in (rate, distance, shaking)]
    assert drawn == [[0, 1], [0, 1, 2], [0, 1, 2]]
    assert [text.get_text() for axes in (distance, shaking) for text in axes.texts] == [
        "drop: 0.07",
        "drop: 0.01",
    ]


def test_what_diverges_leaves_through_the_top():
    plans = {"too large": (Constant(), 50.0, 300)}
    figure = plots.plot_descents(Valley(), plans, rate=False, floors=True, highest=20.0)
    assert len(figure.axes[0].lines) == 1  # no end on the axis, and no noise floor above the edge
    assert texts(figure) == ["too large ↑"]
    assert figure.axes[0].get_ylim()[1] == 20.0
    assert np.all(np.isfinite(line(figure.axes[0], "too large").get_ydata()))


def test_without_a_highest_loss_what_diverges_is_drawn_as_far_as_it_can_be():
    figure = plots.plot_descents(Valley(), {"constant": (Constant(), 5.0, 2000)}, rate=False)
    (axes,) = figure.axes
    assert np.isfinite(axes.lines[0].get_ydata()).all()
    assert [text.get_text() for text in axes.texts] == ["constant ↑"]


def test_sweep_is_the_loss_over_the_peak_rate():
    peaks = [0.05, 0.279, 1.0, 1e6]
    schedules = {"constant": Constant(), "linear": LinearDecay(total_steps=300)}
    axes = plots.plot_peak_sweep(Valley(), schedules, 300, peaks).axes[0]
    drawn = line(axes, "constant").get_ydata()
    for peak, loss in zip(peaks[:3], drawn, strict=False):
        assert loss == pytest.approx(
            Valley().trajectory(Constant(), steps=300, peak_lr=peak).loss[-1], rel=1e-9
        )
    assert math.isnan(drawn[3])
    for label, peak, least in (("constant", 0.279, 0.0456), ("linear", 0.855, 0.0192)):
        dot = line(axes, f"best {label}")
        assert dot.get_xdata()[0] == pytest.approx(peak, abs=0.0005)
        assert dot.get_ydata()[0] == pytest.approx(least, abs=0.00005)
    assert set(line(axes, "edge").get_xdata()) == {2.0}


def test_distance_over_the_area_walked():
    plans = {"constant": (Constant(), 0.5, 2), "linear": (LinearDecay(total_steps=4), 0.5, 4)}
    (axes,) = plot_distances(Valley(directions=2), plans).axes
    rates = [0.5, 0.375, 0.25, 0.125]
    walked = [0.0, *itertools.accumulate(rates)]
    means = [(1.0, 1.0)]
    for eta in rates:  # curvatures 1 and 1/2
        means.append((means[-1][0] * (1 - eta), means[-1][1] * (1 - eta / 2)))
    left = [0.5 * a * a + 0.25 * b * b for a, b in means]
    assert line(axes, "linear").get_xdata() == pytest.approx(walked)
    assert line(axes, "linear").get_ydata() == pytest.approx(left)
    assert line(axes, "end of linear").get_xdata() == pytest.approx([1.25])
    assert line(axes, "end of linear").get_ydata() == pytest.approx(left[-1:])
    assert line(axes, "end of constant").get_xdata() == pytest.approx([1.0])
    assert line(axes, "linear").get_color() == STYLE_OF["linear"]["color"]
    assert [text.get_text() for text in axes.texts] == ["constant", "linear"]
    assert axes.get_yscale() == "log"


def test_edges_and_rates():
    # u = 2, v = 0, one target: at rate 0.25, v jumps to 1/2 and u v = 1 stays; the edge was 2/4, now 2/4.25
    plans = {"constant": (Constant(), 0.25, 3), "linear": (LinearDecay(total_steps=90), 9.0, 90)}
    (axes,) = plot_edges(TwoWeights(u=2.0, spread=0.0), plans).axes
    assert line(axes, "constant").get_ydata().tolist() == [0.25] * 3
    assert line(axes, "edge of constant").get_ydata() == pytest.approx([0.5, 8 / 17, 8 / 17, 8 / 17])
    assert line(axes, "edge of linear").get_ydata()[0] == 0.5
    cross = line(axes, "end of linear")
    lost = len(line(axes, "linear").get_xdata())
    assert 1 <= lost < 20
    assert cross.get_xdata()[0] == lost - 1
    assert cross.get_ydata()[0] == pytest.approx(9.0 * (91 - lost) / 90)
    assert sorted(text.get_text() for text in axes.texts) == [
        "constant, edge",
        "constant, rate",
        "linear flies apart",
    ]
    assert not [other for other in axes.lines if other.get_label() == "end of constant"]


@pytest.mark.parametrize("draw", [lambda: plot_distances(Valley(), {}), lambda: plot_edges(TwoWeights(), {})])
def test_no_plan_is_refused(draw):
    with pytest.raises(ValueError, match="plans must hold at least one label, got none"):
        draw()


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: plots.plot_valley_rates(Valley(), {}),
            ValueError,
            "lrs must hold at least one label, got none",
        ),
        (
            lambda: plots.plot_descents(Valley(), {}),
            ValueError,
            "plans must hold at least one label, got none",
        ),
        (lambda: plots.plot_parts(Valley(), {}), ValueError, "plans must hold at least one label, got none"),
        (
            lambda: plots.plot_parts(Valley(), {"a": (Constant(), 50.0, 300)}),
            ValueError,
            "plans must not diverge, got 'a' at peak_lr 50.0; lower it",
        ),
        (
            lambda: plots.plot_peak_sweep(Valley(), {}, 9),
            ValueError,
            "schedules must hold at least one label",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
