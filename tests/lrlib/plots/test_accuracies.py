"""Figures of final values: what is drawn are the values given, means and intervals worked out by hand."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex

from drawn import heights, line, lines, texts
from lrlib import plots
from lrlib.plots import STYLE_OF

# ---------------------------------------------------------------- levels


def test_levels_are_means_in_order_with_a_dot_a_seed():
    # given out of order; the mean of 0.5, 0.75 and 0.25 is 0.5
    figure = plots.plot_levels(
        {"linear": {0.1: [0.5, 0.75, 0.25], 0.01: [0.875, 0.625]}, "drop": {0.1: [1.0]}},
        xlabel="peak learning rate",
        log=True,
    )
    mean = line(figure.axes[0], "linear")
    assert (mean.get_xdata().tolist(), mean.get_ydata().tolist()) == ([0.01, 0.1], [0.75, 0.5])
    seeds = line(figure.axes[0], "linear, seeds at 0.1")
    assert (list(seeds.get_xdata()), list(seeds.get_ydata())) == ([0.1] * 3, [0.5, 0.75, 0.25])
    assert line(figure.axes[0], "drop").get_ydata().tolist() == [1.0]
    assert not lines(figure.axes[0], "drop, seeds at 0.1")  # one value is its own mean
    assert to_hex(mean.get_color()) == STYLE_OF["linear"]["color"].lower()
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "peak learning rate")
    assert heights(axes) == pytest.approx({"drop": 1.0, "linear": 0.5})  # at the last level


def test_levels_may_be_words_which_keep_their_order():
    groups = {"linear": {"small": [0.5], "large": [0.75]}, "constant": {"large": [0.25], "huge": [0.5]}}
    figure = plots.plot_levels(groups, xlabel="network")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["small", "large", "huge"]
    assert line(figure.axes[0], "constant").get_xdata().tolist() == [1.0, 2.0]
    assert line(figure.axes[0], "constant").get_ydata().tolist() == [0.25, 0.5]


def test_a_level_without_values_is_left_out():
    figure = plots.plot_levels({"linear": {5: [0.5], 10: [], 20: [0.75]}}, xlabel="epochs")
    assert line(figure.axes[0], "linear").get_xdata().tolist() == [5.0, 20.0]


def test_other_quantities_than_accuracy_may_be_any_size():
    figure = plots.plot_levels({"linear": {1: [2.5]}}, xlabel="epochs", ylabel="test cross-entropy")
    assert line(figure.axes[0], "linear").get_ydata().tolist() == [2.5]
    assert figure.axes[0].get_title(loc="left") == "test cross-entropy"


def test_errors_are_what_is_missing_to_one():
    groups = {"linear": {0.1: {7: 0.75, 8: 0.5}, 0.3: [0.25]}}
    figure = plots.plot_levels(groups, xlabel="peak learning rate", error=True)
    assert line(figure.axes[0], "linear").get_ydata().tolist() == [0.375, 0.75]
    assert list(line(figure.axes[0], "linear, seeds at 0.1").get_ydata()) == [0.25, 0.5]
    axes = figure.axes[0]
    assert (axes.get_yscale(), axes.get_title(loc="left")) == ("log", "test error")
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    shown = [tick.label1.get_text() for tick in axes.yaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    assert "50%" in shown
    assert all(text.endswith("%") for text in shown)


def test_a_few_levels_are_marked_one_by_one():
    axes = plots.plot_levels({"linear": {5: [0.5], 10: [0.6], 40: [0.7]}}, xlabel="epochs", log=True).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["5", "10", "40"]
    many = {10**k: [0.5] for k in range(6)}
    axes = plots.plot_levels({"linear": many}, xlabel="epochs", log=True).axes[0]
    assert list(axes.get_xticks()) != list(many)


def test_levels_without_an_order_are_not_joined():
    groups = {"linear": {"a": [0.5, 0.75], "b": [0.5]}}
    for joined in (True, False):
        drawn = line(plots.plot_levels(groups, xlabel="network", joined=joined).axes[0], "linear")
        assert (drawn.get_linestyle() == "None") is not joined
        assert list(drawn.get_ydata()) == [0.625, 0.5]


def test_values_may_come_by_seed():
    by_seed = plots.plot_intervals({"linear": {1: 0.5, 2: 0.75}})
    assert texts(by_seed) == ["62.5%, n = 2"]
    assert list(line(by_seed.axes[0], "linear, seeds").get_xdata()) == [0.5, 0.75]


# ---------------------------------------------------------------- intervals


def test_intervals_are_students():
    # mean 0.75, sd 0.05, n = 4: 0.75 -+ 3.18245 * 0.05 / 2, with t from a printed table (97.5 %, 3 degrees)
    values = {"constant": [0.6], "linear": [0.7, 0.8, 0.75 - 0.05 / 2**0.5, 0.75 + 0.05 / 2**0.5]}
    sd = math.sqrt((0.05**2 * 2 + 0.05**2 / 2 * 2) / 3)
    figure = plots.plot_intervals(values, reference="constant")
    low, high = line(figure.axes[0], "linear, interval").get_xdata()
    half = 3.18245 * sd / 2
    np.testing.assert_allclose([low, high], [0.75 - half, 0.75 + half], rtol=1e-5)
    assert list(line(figure.axes[0], "linear").get_xdata()) == pytest.approx([0.75])
    assert list(line(figure.axes[0], "linear, seeds").get_xdata()) == values["linear"]
    assert set(line(figure.axes[0], "mean of constant").get_xdata()) == {0.6}
    assert texts(figure) == ["60.0%, n = 1", "75.0%, n = 4"]


def test_one_run_has_no_interval_and_none_says_so():
    figure = plots.plot_intervals({"constant": [0.6], "linear": [], "drop": [0.5, 0.5]})
    assert not lines(figure.axes[0], "constant, interval")
    assert not lines(figure.axes[0], "drop, interval")  # equal values tell no spread
    assert not lines(figure.axes[0], "linear")
    assert texts(figure) == ["60.0%, n = 1", "no run yet", "50.0%, n = 2"]


def test_two_runs_are_drawn_without_an_interval():
    figure = plots.plot_intervals({"linear": [0.7, 0.8], "drop": [0.7, 0.8, 0.9]})
    assert not lines(figure.axes[0], "linear, interval")
    assert list(line(figure.axes[0], "linear, seeds").get_xdata()) == [0.7, 0.8]
    assert lines(figure.axes[0], "drop, interval")


def test_rows_stand_as_given_from_the_top():
    figure = plots.plot_intervals({"linear": [0.5], "constant": [0.6]})
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["linear", "constant"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [line(figure.axes[0], name).get_ydata()[0] for name in ("linear", "constant")] == [0, 1]


@pytest.mark.parametrize("n", [1, 5])
def test_nothing_is_cut_off(n):
    values = {name: [0.9123 + k / 100 for k in range(n)] for name in STYLE_OF}
    figure = plots.plot_intervals(values)
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in [*axes.texts, *axes.get_yticklabels()]]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width


def test_shares_are_bars_from_the_top():
    figure = plots.plot_shares({"linear": 0.75, "drop": 0.0, "poly5": 0.25}, title="first places")
    axes = figure.axes[0]
    assert [float(bar.get_width()) for bar in axes.patches] == [0.75, 0.0, 0.25]
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [
        STYLE_OF[name]["color"].lower() for name in ("linear", "drop", "poly5")
    ]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["linear", "drop", "poly5"]
    assert texts(figure) == ["75.0%", "0.0%", "25.0%"]
    assert axes.get_title(loc="left") == "first places"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_the_figure_has_dots_intervals_and_printed_values():
    figure = plots.plot_sampling({"constant": 0.9, "linear": 0.8}, images=100, printed={"linear": 0.81})
    # sqrt(0.9 * 0.1 / 100) = 0.03 and sqrt(0.8 * 0.2 / 100) = 0.04; times 1.96.
    assert line(figure.axes[0], "constant, sampling").get_xdata() == pytest.approx([0.8412, 0.9588])
    assert line(figure.axes[0], "linear, sampling").get_xdata() == pytest.approx([0.7216, 0.8784])
    assert (*line(figure.axes[0], "linear").get_xdata(), *line(figure.axes[0], "linear").get_ydata()) == (
        0.8,
        1,
    )
    assert line(figure.axes[0], "linear, printed").get_xdata()[0] == 0.81
    assert "constant, printed" not in [each.get_label() for each in figure.axes[0].lines]
    assert [text.get_text() for text in figure.axes[0].texts] == ["90.00% ± 5.88", "80.00% ± 7.84"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["constant", "linear"]
    assert figure.axes[0].xaxis.get_major_formatter()(0.9) == "90%"
    with pytest.raises(ValueError, match="accuracies must hold at least one label, got none"):
        plots.plot_sampling({}, images=10)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: plots.plot_levels({}, xlabel="x"),
            ValueError,
            "groups must hold at least one label, got none",
        ),
        (
            lambda: plots.plot_levels([1], xlabel="x"),
            TypeError,
            r"groups must map labels to values, got \[1\]",
        ),
        (
            lambda: plots.plot_levels({"a": [0.5]}, xlabel="x"),
            TypeError,
            r"groups\['a'\] must map levels to values, got \[0.5\]",
        ),
        (
            lambda: plots.plot_levels({"a": {1: []}}, xlabel="x"),
            ValueError,
            r"groups\['a'\] must hold at least one value, got none",
        ),
        (
            lambda: plots.plot_levels({"a": {1: [97.0]}}, xlabel="x"),
            ValueError,
            r"values of 'a, 1' must be fractions in \[0, 1\], got 97.0",
        ),
        (
            lambda: plots.plot_levels({"a": {1: [math.nan]}}, xlabel="x", ylabel="loss"),
            ValueError,
            "values of 'a, 1' must be finite numbers, got nan",
        ),
        (
            lambda: plots.plot_levels({"a": {1: [0.5], "b": [0.5]}}, xlabel="x"),
            ValueError,
            "levels must be all numbers",
        ),
        (
            lambda: plots.plot_levels({"a": {0: [0.5]}}, xlabel="x", log=True),
            ValueError,
            "levels must be finite and > 0, got 0",
        ),
        (
            lambda: plots.plot_levels({"a": {1: [0.5]}}, xlabel="x", ylabel="loss", error=True),
            ValueError,
            "error needs accuracies, and a ylabel that says so, got ylabel 'loss'",
        ),
        (lambda: plots.plot_intervals({"a": []}), ValueError, "at least one accuracy, got none"),
        (
            lambda: plots.plot_intervals({"a": [0.5]}, reference="b"),
            ValueError,
            "reference must be one of a, got 'b'",
        ),
        (
            lambda: plots.plot_intervals({"a": [1.5]}),
            ValueError,
            r"values of 'a' must be fractions in \[0, 1\], got 1.5",
        ),
        (
            lambda: plots.plot_shares({"a": 75}, title="t"),
            ValueError,
            r"values of 'a' must be fractions in \[0, 1\], got 75.0",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
