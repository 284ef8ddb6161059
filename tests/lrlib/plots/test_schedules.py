"""Figures of schedules: what is drawn equals the formula."""

import numpy as np
import pytest

from drawn import line
from lrlib import plots
from lrlib.schedules import Constant, DropDecay, Knots, LinearDecay


def test_shapes_are_the_formulas():
    # linear over 4 updates from 0.2: 0.2, 0.15, 0.1, 0.05; drop to a half every 2: 0.2, 0.2, 0.1, 0.1
    shapes = {
        "linear": LinearDecay(total_steps=4),
        "drop": DropDecay(drop_factor=0.5, drop_steps=2),
        "drawn": Knots(total_steps=4, factors=(0.5, 1, 0)),  # from 0.1 to 0.2 at update 2, and to 0 at 4
    }
    axes = plots.plot_shapes(shapes, 4, steps_per_epoch=2, peak_lr=0.2).axes[0]
    np.testing.assert_allclose(line(axes, "linear").get_ydata(), [0.2, 0.15, 0.1, 0.05], rtol=1e-14)
    np.testing.assert_allclose(line(axes, "drop").get_ydata(), [0.2, 0.2, 0.1, 0.1], rtol=1e-14)
    np.testing.assert_allclose(line(axes, "drawn").get_ydata(), [0.1, 0.15, 0.2, 0.1], rtol=1e-14)
    np.testing.assert_allclose(line(axes, "linear").get_xdata(), [0.0, 0.5, 1.0, 1.5], rtol=1e-14)
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("epoch", "learning rate")
    axes = plots.plot_shapes(shapes, 4).axes[0]
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("update", "factor on the peak rate")


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: plots.plot_shapes({}, 10), ValueError, "schedules must hold at least one label, got none"),
        (lambda: plots.plot_shapes([Constant()], 10), TypeError, "schedules must map labels to values"),
        (lambda: plots.plot_shapes({"a": Constant()}, 0), ValueError, "steps must be >= 1, got 0"),
        (
            lambda: plots.plot_shapes({"a": Constant()}, 10, steps_per_epoch=0),
            ValueError,
            "steps_per_epoch must be >= 1, got 0",
        ),
        (
            lambda: plots.plot_shapes({"a": Constant()}, 10, peak_lr=-1.0),
            ValueError,
            "peak_lr must be finite",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
