"""Figure 1.1 shows what formulas and records say; both are read here by other means."""

from __future__ import annotations

import functools
import json
import re
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import pytest

from plain_valley import valley_loss
from run_page import line, rows, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"

page = functools.cache(run_page)


def records(study: str, kind: str) -> list[dict]:
    """The records of a schedule as they are in their files, by seed."""
    files = [json.loads(path.read_text()) for path in (RECORDED / study).glob("*.json")]
    found = [file for file in files if file["config"]["recipe"]["kind"] == kind]
    return sorted(found, key=lambda file: file["config"]["seed"])


def column(record: dict, name: str) -> list[float]:
    return [epoch[name] for epoch in record["epochs"]]


# ---------------------------------------------------------------- 1.1: the introduction


def test_figure_1_1_steps_down_the_steepest_direction():
    figure = page("introduction").figures["1.1"]
    rates = page("introduction").names["lrs"]
    assert rates["too small"] == 0.01
    assert rates["too large"] == 2.1
    for axes, (label, rate) in zip(figure.axes, rates.items(), strict=True):
        # Curvature 1: each update multiplies the distance by 1 - rate, from -1 on; the height is w^2 / 2.
        places = [-float((1 - Fraction(str(rate))) ** k) for k in range(7)]
        assert line(axes, label).get_xdata() == pytest.approx(places, rel=1e-12)
        assert line(axes, label).get_ydata() == pytest.approx([x * x / 2 for x in places], rel=1e-12)
    small, good, large = (abs(line(axes, label).get_xdata()[-1]) for axes, label in zip(figure.axes, rates))  # noqa: B905
    assert good < small < 1 < large


def test_the_good_rate_is_the_best_fixed_one():
    good = page("introduction").names["lrs"]["good"]
    losses = {
        rate: valley_loss([rate] * 300) for rate in (good / 2, good - 0.005, good, good + 0.005, 2 * good)
    }
    assert min(losses, key=losses.get) == good


def test_figure_1_1b_is_the_loss_after_every_update():
    (axes,) = page("introduction").figures["1.1b"].axes
    for label, rate in page("introduction").names["lrs"].items():
        drawn = line(axes, label)
        for steps in (0, 1, 7, 20):
            assert drawn.get_xdata()[steps] == steps
            assert drawn.get_ydata()[steps] == pytest.approx(valley_loss([rate] * steps), rel=1e-9)


def test_figure_1_1c_is_the_loss_over_the_rate():
    drawn = line(page("introduction").figures["1.1c"].axes[0], "constant")
    for k in (0, 40, 80):
        rate = drawn.get_xdata()[k]
        assert drawn.get_ydata()[k] == pytest.approx(valley_loss([rate] * 300), rel=1e-9)


def test_figure_1_1d_is_the_recorded_grid_of_fixed_rates():
    grid = records("peak-digits", "constant_recipe")
    if not grid:
        assert "1.1d" not in page("introduction").figures
        assert "*Not recorded yet.*" in page("introduction").said
        return
    (axes,) = page("introduction").figures["1.1d"].axes
    rates = sorted({record["config"]["peak_lr"] for record in grid})
    ends = {
        rate: [column(r, "test_accuracy")[-1] for r in grid if r["config"]["peak_lr"] == rate]
        for rate in rates
    }
    assert line(axes, "constant").get_xdata() == pytest.approx(rates)
    errors = [1 - fmean(ends[rate]) for rate in rates]
    assert line(axes, "constant").get_ydata() == pytest.approx(errors)
    best = max(rates, key=lambda rate: fmean(ends[rate]))
    assert any(
        f"**{best:g}** has the highest mean accuracy, {fmean(ends[best]):.1%}" in text
        for text in page("introduction").said
    )


def test_momentum_makes_a_tenth_act_like_one():
    (table,) = [text for text in page("introduction").said if "momentum 0.9" in text]
    shown = {label: [float(cell) for cell in cells] for label, *cells in rows(table)[1:]}
    place, buffer, path = 1.0, 0.0, [1.0]
    for _ in range(200):
        buffer = 0.9 * buffer + place / 64
        place -= 0.1 * buffer
        path.append(place)
    expected = {
        "rate 0.1": [(1 - 0.1 / 64) ** k for k in (20, 100, 200)],
        "rate 1": [(1 - 1 / 64) ** k for k in (20, 100, 200)],
        "rate 0.1, momentum 0.9": [path[k] for k in (20, 100, 200)],
    }
    assert shown == {label: [round(x, 2) for x in values] for label, values in expected.items()}
    # What the text says of it: the last two go down together, the first stays behind.
    slow, fast, momentum = shown.values()
    for a, b, c in zip(slow, fast, momentum, strict=True):
        assert abs(b - c) < 0.1 < a - max(b, c)


# ---------------------------------------------------------------- errata


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("introduction", "*global* minimum"),
        ("introduction", '"Adaptive"'),
    ],
)
def test_each_erratum_stands_in_its_box(name, words):
    import nbformat

    from run_page import SURVEY

    cells = nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells
    boxes = [
        cell.source.partition("> **Beside the survey.**")[2] for cell in cells if "> **Beside" in cell.source
    ]
    assert words in re.sub(r"\s*\n> ?", " ", " ".join(boxes))
