"""The figure of a verdict: both curves, and the place where they part."""

import numpy as np

from drawn import line
from lrlib import LinearDecay, audit, plots


def test_both_curves_and_where_they_part():
    plan = LinearDecay(total_steps=10)
    applied = [0.2 * plan(t if t < 4 else 3) for t in range(10)]
    verdict = audit.compare(applied, plan, peak_lr=0.2)
    (axes,) = verdict.plot().axes
    np.testing.assert_allclose(line(axes, "planned").get_ydata(), 0.2 * (10 - np.arange(10)) / 10)
    np.testing.assert_allclose(line(axes, "applied").get_ydata(), applied)
    assert line(axes, "part at update 4").get_xdata() == [4, 4]
    assert axes.get_title(loc="left") == "learning rate: frozen"


def test_a_log_that_begins_late_and_one_that_agrees():
    plan = LinearDecay(total_steps=10)
    verdict = audit.compare(plan.values(10)[6:], plan, peak_lr=1.0, start=6)
    (axes,) = plots.plot_verdict(verdict).axes
    assert line(axes, "applied").get_xdata().tolist() == [6, 7, 8, 9]
    assert [drawn.get_label() for drawn in axes.lines] == ["planned", "applied"]


def test_rates_that_are_all_zero_have_an_axis():
    verdict = audit.compare([0.0] * 5, LinearDecay(total_steps=5), peak_lr=0.1)
    assert plots.plot_verdict(verdict).axes[0].get_ylim()[1] > 0.1
