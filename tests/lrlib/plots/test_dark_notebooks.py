"""Figures in dark notebooks: ink and lines stand out from the ground of each of them, and the book agrees."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from lrlib import plots
from lrlib.plots.two_widths import COLOR, DARK, TwoWidths

BOOK_CSS = Path(__file__).parents[3] / "book/_static/book.css"
#: Ground and text of JupyterLab's, VS Code's and Colab's dark themes.
NOTEBOOKS = {
    "jupyterlab": ("#111111", "#ffffff"),
    "vscode": ("#1e1e1e", "#cccccc"),
    "colab": ("#383838", "#d5d5d5"),
}


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def figure() -> TwoWidths:
    def draw(wide: bool) -> Figure:
        drawn = Figure()
        for color in COLOR.values():
            drawn.add_subplot().plot([0, 1], color=color)
        return drawn

    return TwoWidths(draw, alt="Lines.")


def test_the_measure_is_the_standards():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("ground", "text"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_lines_and_labels_stand_out(ground, text):
    assert contrast(text, ground) > 7
    assert min(contrast(color, ground) for color in DARK.values()) > 3
    worst = min(contrast(color, ground) for color in COLOR.values())
    assert worst < 3  # the light theme's would not do


def test_a_figure_takes_the_dark_colors_where_a_notebook_is_dark():
    page = figure()._repr_html_()
    assert "currentColor" in page
    rule = re.search(r"([^{}]*)\{(--lr-constant[^}]*)\}", page)
    for sign in ('[data-jp-theme-light="false"]', 'html[theme="dark"]', ".vscode-dark"):
        assert f"{sign} .lr-figure" in rule[1]
    assert dict(re.findall(r"--lr-(\w+):(#\w+)", rule[2])) == DARK
    assert set(DARK) == set(COLOR)


def test_the_books_pages_have_the_same_dark_colors():
    assert dict(re.findall(r"--lr-(\w+): (#\w+);", BOOK_CSS.read_text())) == DARK


def test_a_plain_figure_brings_its_ground():
    """Its ink is dark wherever it is shown, so that its ground has to be light."""
    with mpl.rc_context():
        plots.use_style()
        drawn = Figure()
        drawn.add_subplot().plot([0, 1])
        file = StringIO()
        drawn.savefig(file, format="svg")
    ground = re.search(r'<g id="patch_1">.*?style="fill: (#\w+)', file.getvalue(), re.S)
    assert ground[1] == "#ffffff"
