"""Figures of runs: what is drawn are the records, and a reader's run lies over its own experiment's.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from drawn import heights, line, lines, texts
from lrlib import plots
from lrlib.schedules.recipes import DropRecipe, TriangleRecipe
from synthetic import two_epochs, with_losses


def test_runs_are_the_records():
    run = with_losses("linear")
    figure = plots.plot_runs([run], rate=True)
    loss, accuracy, rate = figure.axes
    np.testing.assert_array_equal(line(loss, "linear, test_loss").get_ydata(), [2.0, 1.0, 0.5])
    np.testing.assert_array_equal(line(loss, "linear, train_loss").get_ydata(), [1.0, 0.5, 0.25])
    np.testing.assert_array_equal(line(loss, "linear, test_loss").get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(line(accuracy, "linear, test_accuracy").get_ydata(), [1 / 3, 1 / 2, 2 / 3])
    applied = np.ravel([run.column("first_lr"), run.column("last_lr")], order="F")
    np.testing.assert_array_equal(line(rate, "linear, rate").get_ydata(), applied)
    np.testing.assert_array_equal(line(rate, "linear, rate").get_xdata(), [0, 1, 1, 2, 2, 3])
    assert {"test 0.50", "training 0.25", "test 66.7%", "training 80.0%"} == set(texts(figure))
    assert accuracy.yaxis.get_major_formatter()(0.5) == "50%"
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "cross-entropy",
        "accuracy",
        "learning rate",
    ]


def test_a_rate_that_rises_is_drawn_in_the_order_of_the_epochs():
    run = with_losses(TriangleRecipe(warmup_fraction=0.9))
    drawn = line(plots.plot_runs([run], rate=True).axes[-1], "triangle, rate")
    applied = np.ravel([run.column("first_lr"), run.column("last_lr")], order="F")
    assert applied[1] < applied[2]
    np.testing.assert_array_equal(drawn.get_ydata(), applied)


def test_a_drop_within_an_epoch_is_drawn_as_one_step_down():
    # 50 images in batches of 5 are 10 updates an epoch: a quarter from update 15 of 30 on, at epoch 1.5
    run = with_losses(DropRecipe(drop_factor=0.25, drop_fraction=0.5), train_images=50)
    drawn = line(plots.plot_runs([run], rate=True).axes[-1], "drop, rate")
    assert drawn.get_xdata().tolist() == [0, 1, 1, 1.5, 1.5, 2, 2, 3]
    assert drawn.get_ydata().tolist() == [0.1, 0.1, 0.1, 0.1, 0.025, 0.025, 0.025, 0.025]


def test_several_seeds_give_thin_lines_and_a_thick_mean():
    # means of (2, 1, 0.5) and (4, 2, 1.5): 3, 1.5, 1
    runs = [with_losses(seed=0), with_losses(seed=1, losses=(4.0, 2.0, 1.5))]
    axes = plots.plot_runs(runs, ["test_loss"]).axes[0]
    mean, seed1 = line(axes, "linear, test_loss"), line(axes, "linear, test_loss, seed 1")
    np.testing.assert_array_equal(mean.get_ydata(), [3.0, 1.5, 1.0])
    np.testing.assert_array_equal(seed1.get_ydata(), [4.0, 2.0, 1.5])
    assert mean.get_linewidth() > 3 * seed1.get_linewidth()
    assert len(axes.lines) == 3


def test_a_mean_halfway_between_two_digits_is_rounded_as_in_the_text():
    # of these five test accuracies it is 0.8225; a plain sum of floats comes out above, and prints 82.3 %
    accuracies = (0.8213, 0.8235, 0.819, 0.8223, 0.8264)
    runs = [with_losses(seed=i, losses=[1 / x - 1] * 3) for i, x in enumerate(accuracies)]
    figure = plots.plot_runs(runs, ["test_accuracy"])
    assert texts(figure) == ["test 82.2%"]


def test_several_schedules_are_told_apart_by_name():
    runs = [with_losses("constant", losses=(2.0, 2.0, 3.0)), with_losses("linear")]
    figure = plots.plot_runs(runs, ["test_accuracy"])
    assert texts(figure) == ["constant 25.0%", "linear 66.7%"]
    assert heights(figure.axes[0]) == pytest.approx({"constant 25.0%": 1 / 4, "linear 66.7%": 2 / 3})
    assert figure.axes[0].get_title(loc="left") == "accuracy, test"
    both = plots.plot_runs(runs, [("train_loss", "test_loss")])
    assert "linear training 0.25" in texts(both)


@pytest.mark.parametrize(("loss", "label"), [(1.02, "1.0"), (12.0, "12"), (0.00092, "0.00092")])
def test_a_loss_has_two_digits_at_its_end(loss, label):
    figure = plots.plot_runs([with_losses(losses=(2.0, 2.0, loss))], ["test_loss"])
    assert texts(figure) == [f"test {label}"]


def test_labels_of_ones_own():
    figure = plots.plot_runs(
        {"mine": with_losses(), "ours": [with_losses(), with_losses(seed=1)]}, ["test_loss"]
    )
    assert sorted(texts(figure)) == ["mine 0.50", "ours 0.50"]


def test_a_diverged_run_ends_early_and_says_so():
    gone = with_losses("constant", losses=(2.0, math.nan), status="diverged")
    figure = plots.plot_runs([gone, with_losses("linear")], ["test_loss"])
    np.testing.assert_array_equal(line(figure.axes[0], "constant, test_loss").get_ydata(), [2.0, math.nan])
    assert set(texts(figure)) == {"constant (diverged)", "linear 0.50"}
    with_other_seed = plots.plot_runs([gone, with_losses("constant", seed=1)], ["test_loss"])
    np.testing.assert_array_equal(
        line(with_other_seed.axes[0], "constant, test_loss").get_ydata(), [2.0, math.nan, math.nan]
    )
    all_gone = with_losses("constant", losses=(math.nan,), status="diverged")
    assert isinstance(plots.plot_runs([all_gone]), Figure)


# ---------------------------------------------------------------- a reader's run over ours


def test_a_run_lies_over_those_of_its_own_experiment():
    mine = two_epochs(seed=9, accuracies=(0.25, 0.5))
    ours = [
        two_epochs(seed=1, accuracies=(0.5, 0.75)),
        two_epochs(seed=2, accuracies=(0.25, 0.875)),
        two_epochs("constant", seed=1),
        two_epochs(seed=1, peak_lr=0.3),
    ]
    figure = plots.plot_over(mine, ours)
    assert [list(each.get_ydata()) for each in lines(figure.axes[0], "ours")] == [[0.5, 0.75], [0.25, 0.875]]
    assert list(line(figure.axes[0], "yours").get_ydata()) == [0.25, 0.5]
    assert (
        line(figure.axes[0], "yours").get_linewidth() > 3 * lines(figure.axes[0], "ours")[0].get_linewidth()
    )
    (band,) = figure.axes[0].collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert {(1, 0.25), (1, 0.5), (2, 0.75), (2, 0.875)} <= corners
    # after the last epoch; the mean of 0.75 and 0.875 is 0.8125
    assert heights(figure.axes[0]) == pytest.approx({"our two": 0.8125, "yours": 0.5})
    assert figure.axes[0].get_title(loc="left") == "linear: test accuracy"


def test_a_run_without_its_like_is_drawn_alone_and_says_so():
    figure = plots.plot_over(two_epochs(), [two_epochs("constant")], "train_loss")
    assert not lines(figure.axes[0], "ours")
    assert list(line(figure.axes[0], "yours").get_ydata()) == [0.5, 0.25]
    assert figure.axes[0].get_title(loc="left") == "linear: none recorded is like it"


def test_runs_that_diverged_are_drawn_as_far_as_they_went():
    gone = two_epochs(seed=1, accuracies=(0.5, math.nan), status="diverged")
    shorter = two_epochs(seed=2, accuracies=(0.25,), status="diverged")
    figure = plots.plot_over(gone, [shorter, gone])
    assert len(lines(figure.axes[0], "ours")) == 2
    assert "yours (diverged)" in texts(figure)
    all_gone = two_epochs(seed=3, accuracies=(math.nan,), status="diverged")
    assert texts(plots.plot_over(all_gone, [all_gone])) == []


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: plots.plot_runs([]), ValueError, "runs must hold at least one run, got none"),
        (lambda: plots.plot_runs({"a": []}), ValueError, r"runs\['a'\] must hold at least one run, got none"),
        (lambda: plots.plot_runs([with_losses()], []), ValueError, "quantities must be a list"),
        (lambda: plots.plot_runs([with_losses()], "test_loss"), ValueError, "quantities must be a list"),
        (lambda: plots.plot_runs([with_losses()], ["test_los"]), ValueError, "test_loss"),
        (
            lambda: plots.plot_over(two_epochs(), ["x"]),
            TypeError,
            "a Run is needed, as train and load_runs",
        ),
        (lambda: plots.plot_over(two_epochs(), [two_epochs()], "test_accurasy"), ValueError, "test_accuracy"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
