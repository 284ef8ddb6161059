"""The figures: what is drawn equals formulas and records, and a schedule looks the same everywhere.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

import synthetic
from drawn import heights
from lrlib import plots
from lrlib.plots import style as _figure
from lrlib.schedules import Constant, DropDecay, LinearDecay
from lrlib.schedules.recipes import RECIPES, DropRecipe, TriangleRecipe
from lrlib.theory.valley import Valley


def synthetic_run(recipe="linear", *, losses=(2.0, 1.0, 0.5), **changes):
    """A run of 3 epochs with these test losses, training losses half of them, accuracies 1 / (1 + loss)."""
    columns = dict(
        train_loss=[loss / 2 for loss in losses],
        train_accuracy=[1 / (1 + loss / 2) for loss in losses],
        test_loss=losses,
        test_accuracy=[1 / (1 + loss) for loss in losses],
    )
    return synthetic.synthetic_run(recipe, columns, epochs=3, **changes)


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def look(line):
    return to_hex(line.get_color()), line._unscaled_dash_pattern


def contrast_to_white(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05)  # WCAG 2.2, relative luminance


# ---------------------------------------------------------------- style


def test_every_recipe_has_a_style_of_its_own():
    assert set(plots.STYLE_OF) == set(RECIPES)
    assert len({style["color"] for style in plots.STYLE_OF.values()}) == len(RECIPES)
    assert len({str(style["linestyle"]) for style in plots.STYLE_OF.values()}) == len(RECIPES)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_colours_can_be_read_as_text(name):
    assert contrast_to_white(plots.STYLE_OF[name]["color"]) >= 4.5


def test_a_schedule_looks_the_same_in_every_figure():
    linear = LinearDecay(total_steps=60)
    drawn = [
        line(plots.plot_shapes({"constant": Constant(), "linear": linear}, 60).axes[0], "linear"),
        line(plots.plot_runs([synthetic_run("linear")]).axes[0], "linear, test_loss"),
        line(plots.plot_descents(Valley(), {"linear": (linear, 0.5, 60)}).axes[1], "linear"),
        line(plots.plot_peak_sweep(Valley(), {"linear": linear}, 60).axes[0], "linear"),
    ]
    assert {str(look(each)) for each in drawn} == {str(look(drawn[0]))}
    assert look(drawn[0])[0] == plots.STYLE_OF["linear"]["color"].lower()
    constant = line(plots.plot_runs([synthetic_run("constant")]).axes[0], "constant, test_loss")
    assert look(constant) != look(drawn[0])


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_lines_of_one_schedule_can_be_told_apart(name):
    own, *others = (
        style["linestyle"] for style in _figure.styles([name, f"{name}, b", f"{name}, c"]).values()
    )
    strokes = {own if own == "-" else own[1][0], *(dash[1][0] for dash in others)}
    assert len(strokes) == 3


def test_first_word_names_the_style_and_repeats_change_the_dash():
    assert plots.style_of("poly5, held") == plots.STYLE_OF["poly5"]
    assert plots.style_of("cosine5") != plots.style_of("cosine")
    assert plots.style_of("rate 0.1") == plots.style_of("") == plots.STYLE_OF["constant"]
    twice = _figure.styles(["linear", "linear, cut", "linear, short", "drop"])
    assert len({str(style) for style in twice.values()}) == 4
    assert twice["linear"] == plots.STYLE_OF["linear"]
    assert twice["linear, cut"]["color"] == plots.STYLE_OF["linear"]["color"]


def test_style_is_left_alone_until_it_is_asked_for():
    with mpl.rc_context({"font.size": 17.0, "axes.facecolor": "red"}):
        figure = plots.plot_shapes({"constant": Constant()}, 10)
        assert mpl.rcParams["font.size"] == 17.0
        assert figure.axes[0].title.get_fontsize() == 10.0
        plots.use_style()
        assert mpl.rcParams["font.size"] == 10.0


def test_figures_are_transparent_narrow_and_the_same_file_twice(tmp_path):
    svg = []
    for name in ("a.svg", "b.svg"):
        with mpl.rc_context():
            plots.use_style()
            figure = plots.plot_runs([synthetic_run()])
            figure.savefig(tmp_path / name, metadata={"Date": None})
        svg.append((tmp_path / name).read_bytes())
    assert svg[0] == svg[1]
    assert figure.get_figwidth() == 4.3
    assert figure.get_facecolor()[3] == 0.0
    assert figure.axes[0].get_facecolor()[3] == 0.0


def test_labels_are_pushed_apart():
    assert _figure.apart([1.0, 1.0, 1.0], gap=2.0, high=10.0) == [1.0, 3.0, 5.0]
    assert _figure.apart([5.0], gap=2.0, high=4.0) == [4.0]
    figure = plots.plot_shapes(
        {label: recipe.build(total_steps=600, steps_per_epoch=20) for label, recipe in RECIPES.items()},
        600,
        20,
        0.1,
    )
    boxes = sorted(text.get_window_extent().extents.tolist() for text in figure.axes[0].texts)
    heights = sorted((box[1], box[3]) for box in boxes)
    assert len(heights) == 8
    assert all(above[0] >= below[1] - 1 for below, above in pairwise(heights))
    assert max(box[2] for box in boxes) <= figure.bbox.width


# ---------------------------------------------------------------- shapes


def test_shapes_are_the_formulas():
    # linear over 4 updates from 0.2: 0.2, 0.15, 0.1, 0.05; drop to a half every 2: 0.2, 0.2, 0.1, 0.1
    shapes = {"linear": LinearDecay(total_steps=4), "drop": DropDecay(drop_factor=0.5, drop_steps=2)}
    axes = plots.plot_shapes(shapes, 4, steps_per_epoch=2, peak_lr=0.2).axes[0]
    np.testing.assert_allclose(line(axes, "linear").get_ydata(), [0.2, 0.15, 0.1, 0.05], rtol=1e-14)
    np.testing.assert_allclose(line(axes, "drop").get_ydata(), [0.2, 0.2, 0.1, 0.1], rtol=1e-14)
    np.testing.assert_allclose(line(axes, "linear").get_xdata(), [0.0, 0.5, 1.0, 1.5], rtol=1e-14)
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("epoch", "learning rate")
    axes = plots.plot_shapes(shapes, 4).axes[0]
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("update", "factor on the peak rate")


# ---------------------------------------------------------------- runs


def test_runs_are_the_records():
    run = synthetic_run("linear")
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
    run = synthetic_run(TriangleRecipe(warmup_fraction=0.9))
    drawn = line(plots.plot_runs([run], rate=True).axes[-1], "triangle, rate")
    applied = np.ravel([run.column("first_lr"), run.column("last_lr")], order="F")
    assert applied[1] < applied[2]
    np.testing.assert_array_equal(drawn.get_ydata(), applied)


def test_a_drop_within_an_epoch_is_drawn_as_one_step_down():
    # 50 images in batches of 5 are 10 updates an epoch: a quarter from update 15 of 30 on, at epoch 1.5
    run = synthetic_run(DropRecipe(drop_factor=0.25, drop_fraction=0.5), train_images=50)
    drawn = line(plots.plot_runs([run], rate=True).axes[-1], "drop, rate")
    assert drawn.get_xdata().tolist() == [0, 1, 1, 1.5, 1.5, 2, 2, 3]
    assert drawn.get_ydata().tolist() == [0.1, 0.1, 0.1, 0.1, 0.025, 0.025, 0.025, 0.025]


def test_several_seeds_give_thin_lines_and_a_thick_mean():
    # means of (2, 1, 0.5) and (4, 2, 1.5): 3, 1.5, 1
    runs = [synthetic_run(seed=0), synthetic_run(seed=1, losses=(4.0, 2.0, 1.5))]
    axes = plots.plot_runs(runs, ["test_loss"]).axes[0]
    mean, seed1 = line(axes, "linear, test_loss"), line(axes, "linear, test_loss, seed 1")
    np.testing.assert_array_equal(mean.get_ydata(), [3.0, 1.5, 1.0])
    np.testing.assert_array_equal(seed1.get_ydata(), [4.0, 2.0, 1.5])
    assert mean.get_linewidth() > 3 * seed1.get_linewidth()
    assert len(axes.lines) == 3


def test_several_schedules_are_told_apart_by_name():
    runs = [synthetic_run("constant", losses=(2.0, 2.0, 3.0)), synthetic_run("linear")]
    figure = plots.plot_runs(runs, ["test_accuracy"])
    assert texts(figure) == ["constant 25.0%", "linear 66.7%"]
    assert heights(figure.axes[0]) == pytest.approx({"constant 25.0%": 1 / 4, "linear 66.7%": 2 / 3})
    assert figure.axes[0].get_title(loc="left") == "accuracy, test"
    both = plots.plot_runs(runs, [("train_loss", "test_loss")])
    assert "linear training 0.25" in texts(both)


@pytest.mark.parametrize(("loss", "label"), [(1.02, "1.0"), (12.0, "12"), (0.00092, "0.00092")])
def test_a_loss_has_two_digits_at_its_end(loss, label):
    figure = plots.plot_runs([synthetic_run(losses=(2.0, 2.0, loss))], ["test_loss"])
    assert texts(figure) == [f"test {label}"]


def test_labels_of_ones_own():
    figure = plots.plot_runs(
        {"mine": synthetic_run(), "ours": [synthetic_run(), synthetic_run(seed=1)]}, ["test_loss"]
    )
    assert sorted(texts(figure)) == ["mine 0.50", "ours 0.50"]


def test_a_diverged_run_ends_early_and_says_so():
    gone = synthetic_run("constant", losses=(2.0, math.nan), status="diverged")
    figure = plots.plot_runs([gone, synthetic_run("linear")], ["test_loss"])
    np.testing.assert_array_equal(line(figure.axes[0], "constant, test_loss").get_ydata(), [2.0, math.nan])
    assert set(texts(figure)) == {"constant (diverged)", "linear 0.50"}
    with_other_seed = plots.plot_runs([gone, synthetic_run("constant", seed=1)], ["test_loss"])
    np.testing.assert_array_equal(
        line(with_other_seed.axes[0], "constant, test_loss").get_ydata(), [2.0, math.nan, math.nan]
    )
    all_gone = synthetic_run("constant", losses=(math.nan,), status="diverged")
    assert isinstance(plots.plot_runs([all_gone]), Figure)


# ---------------------------------------------------------------- the valley


def test_a_mean_halfway_between_two_digits_is_rounded_as_in_the_text():
    # of these five test accuracies it is 0.8225; a plain sum of floats comes out above, and prints 82.3 %
    accuracies = (0.8213, 0.8235, 0.819, 0.8223, 0.8264)
    runs = [synthetic_run(seed=i, losses=[1 / x - 1] * 3) for i, x in enumerate(accuracies)]
    figure = plots.plot_runs(runs, ["test_accuracy"])
    assert texts(figure) == ["test 82.2%"]


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


# ---------------------------------------------------------------- bad input


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
        (lambda: plots.plot_runs([]), ValueError, "runs must hold at least one run, got none"),
        (lambda: plots.plot_runs({"a": []}), ValueError, r"runs\['a'\] must hold at least one run, got none"),
        (lambda: plots.plot_runs([synthetic_run()], []), ValueError, "quantities must be a list"),
        (lambda: plots.plot_runs([synthetic_run()], "test_loss"), ValueError, "quantities must be a list"),
        (lambda: plots.plot_runs([synthetic_run()], ["test_los"]), ValueError, "test_loss"),
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
