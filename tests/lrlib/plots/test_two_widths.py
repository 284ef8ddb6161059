"""What is written of a drawing: no more points than are seen, and the page's own font."""

from __future__ import annotations

import re

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from lrlib.plots.two_widths import STYLE, svg


def drawn(draw) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4, 2))
        draw(figure.add_subplot())
        return svg(figure)


def points(code: str) -> int:
    return max(path.count("L") for path in re.findall(r' d="([^"]*)"', code))


def test_an_area_has_the_points_that_its_outline_needs():
    x = np.linspace(0, 1, 500)
    straight = drawn(lambda axes: axes.fill_between(x, 0 * x, x))
    wave = drawn(lambda axes: axes.fill_between(x, 0 * x, 1 + np.sin(9 * x)))
    assert points(straight) <= 8
    assert 40 <= points(wave) <= 120


def test_text_has_a_size_and_the_font_of_the_page():
    code = drawn(lambda axes: axes.set_title("Rate"))
    assert re.search(
        r'<text style="[^"]*font-weight: (700|bold); font-size: 10\.5px[^"]*"[^>]*>Rate<', code
    ) or (re.search(r'<text style="[^"]*font-size: 10\.5px; font-weight: (700|bold)[^"]*"[^>]*>Rate<', code))
    assert "font-family" not in code
    assert "DejaVu" not in code
