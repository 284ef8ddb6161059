"""Figures of single ideas: what is drawn is the recursion, written down again here."""

import itertools

import pytest

from lrlib.plots import STYLE_OF
from lrlib.plots.theory import plot_distances, plot_edges
from lrlib.schedules import Constant, LinearDecay
from lrlib.theory.two_weights import TwoWeights
from lrlib.theory.valley import Valley


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


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
    texts = [text.get_text() for text in axes.texts]
    assert sorted(texts) == ["constant, edge", "constant, rate", "linear flies apart"]
    assert not [other for other in axes.lines if other.get_label() == "end of constant"]


@pytest.mark.parametrize("draw", [lambda: plot_distances(Valley(), {}), lambda: plot_edges(TwoWeights(), {})])
def test_no_plan_is_refused(draw):
    with pytest.raises(ValueError, match="plans must hold at least one label, got none"):
        draw()
