"""The style of figures: each schedule looks the same everywhere, labels can be read and do not overlap.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from drawn import line
from lrlib import plots
from lrlib.plots import style
from lrlib.schedules import Constant, LinearDecay
from lrlib.schedules.recipes import RECIPES, SURVEY
from lrlib.theory.valley import Valley
from synthetic import with_losses


def look(line):
    return to_hex(line.get_color()), line._unscaled_dash_pattern


def contrast_to_white(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05)  # WCAG 2.2, relative luminance


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
        line(plots.plot_runs([with_losses("linear")]).axes[0], "linear, test_loss"),
        line(plots.plot_descents(Valley(), {"linear": (linear, 0.5, 60)}).axes[1], "linear"),
        line(plots.plot_peak_sweep(Valley(), {"linear": linear}, 60).axes[0], "linear"),
    ]
    assert {str(look(each)) for each in drawn} == {str(look(drawn[0]))}
    assert look(drawn[0])[0] == plots.STYLE_OF["linear"]["color"].lower()
    constant = line(plots.plot_runs([with_losses("constant")]).axes[0], "constant, test_loss")
    assert look(constant) != look(drawn[0])


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_lines_of_one_schedule_can_be_told_apart(name):
    own, *others = (look["linestyle"] for look in style.styles([name, f"{name}, b", f"{name}, c"]).values())
    strokes = {own if own == "-" else own[1][0], *(dash[1][0] for dash in others)}
    assert len(strokes) == 3


def test_first_word_names_the_style_and_repeats_change_the_dash():
    assert plots.style_of("poly5, held") == plots.STYLE_OF["poly5"]
    assert plots.style_of("cosine5") != plots.style_of("cosine")
    assert plots.style_of("rate 0.1") == plots.style_of("") == plots.STYLE_OF["constant"]
    twice = style.styles(["linear", "linear, cut", "linear, short", "drop"])
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


def test_figures_are_on_white_narrow_and_the_same_file_twice(tmp_path):
    svg = []
    for name in ("a.svg", "b.svg"):
        with mpl.rc_context():
            plots.use_style()
            figure = plots.plot_runs([with_losses()])
            figure.savefig(tmp_path / name, metadata={"Date": None})
        svg.append((tmp_path / name).read_bytes())
    assert svg[0] == svg[1]
    assert figure.get_figwidth() == 4.3
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert figure.axes[0].get_facecolor()[3] == 0.0


def test_labels_are_pushed_apart():
    assert style.apart([1.0, 1.0, 1.0], gap=2.0, high=10.0) == [1.0, 3.0, 5.0]
    assert style.apart([5.0], gap=2.0, high=4.0) == [4.0]
    figure = plots.plot_shapes(
        {label: RECIPES[label].build(total_steps=600, steps_per_epoch=20) for label in SURVEY},
        600,
        20,
        0.1,
    )
    boxes = sorted(text.get_window_extent().extents.tolist() for text in figure.axes[0].texts)
    heights = sorted((box[1], box[3]) for box in boxes)
    assert len(heights) == 8
    assert all(above[0] >= below[1] - 1 for below, above in pairwise(heights))
    assert max(box[2] for box in boxes) <= figure.bbox.width
