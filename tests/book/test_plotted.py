"""What the survey's figures show is their formula, or a record: the chapters' own cells are run.

The formulas here are written down again, as functions of the epoch, and know nothing of lrlib's schedules.
Cells that train are left out: the survey's figures need none.
"""

from __future__ import annotations

import ast
import functools
import math
import re
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure

from lrlib import load_runs
from lrlib.plots.two_widths import TwoWidths
from lrlib.runs.store import studies
from run_page import number_of
from tools.notebooks import TRAINS

ROOT = Path(__file__).parents[2]
PER_EPOCH = 391  # updates: 50,000 pictures in batches of 128


def place(number: str) -> tuple[Path, int]:
    """The notebook and the cell that draws a figure, by the caption below it."""
    found, of_the_survey = [], f"*(survey: figure {number})"
    for path in sorted([*ROOT.glob("book/survey/*.ipynb"), *ROOT.glob("book/beyond/*.ipynb")]):
        for i, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.source.startswith("**Figure ") and number_of(cell.source) == number:
                found.append((path, i - 1, of_the_survey in cell.source))
    # The introduction has figures 1.1, 1.2, ... of its own: a caption that names the survey's goes before.
    found = [place for place in found if place[-1]] or found
    assert len(found) == 1, f"figure {number} must have one caption in the chapters, got {found}"
    return found[0][:2]


def serves_later(statement: ast.stmt) -> bool:
    """Whether a statement of a cell that trains is an import or names a tuple: cells below may use it."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, ast.Tuple)
    return isinstance(statement, (ast.Import, ast.ImportFrom))


@functools.cache
def drawn(number: str) -> Figure:
    """Run a chapter's cells up to a figure; return what the figure's cell shows."""
    path, last = place(number)
    space: dict = {}
    value = None
    with mpl.rc_context():
        for i, cell in enumerate(nbformat.read(path, as_version=4).cells[: last + 1]):
            if cell.cell_type != "code":
                continue
            statements = ast.parse(cell.source).body
            if TRAINS.search(cell.source):
                statements = [part for part in statements if serves_later(part)]
            if not statements:
                continue
            *body, end = statements
            shown = ast.Expression(end.value) if isinstance(end, ast.Expr) else None
            try:
                exec(compile(ast.Module(body if shown else [*body, end], []), path.name, "exec"), space)
                value = eval(compile(shown, path.name, "eval"), space) if shown else None
            except NameError:  # it looks at a run that a cell above trained; the figure itself may not
                if i == last:
                    raise
    assert isinstance(value, (Figure, TwoWidths)), f"the cell of figure {number} shows {value!r}"
    return getattr(value, "wide", value)


def curves(number: str) -> list[tuple[np.ndarray, np.ndarray]]:
    lines = [line for axes in drawn(number).axes for line in axes.lines]
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in lines]


# ---------------------------------------------------------------- formulas


def time(t, total):
    return 1 / (1 + 0.1 / (total / PER_EPOCH) * t)


def drop(t, total):
    return 0.25 ** (t // round(0.15 * total))


def drop_as_the_survey_says(t, total):
    return 0.5 ** (t // round(0.1 * total))


def triangle(t, total):
    up = round(0.1 * total)
    return np.where(t < up, t / up, (total - t) / (total - up))


def cosine(cycles):
    def shape(t, total):
        length = math.ceil(total / cycles)
        return (np.cos(np.pi * (t % length) / length) + 1) / 2

    return shape


SHAPES = {
    "1.3": [time],
    "1.5": [drop, drop_as_the_survey_says],
    "1.7": [lambda t, total: 1 - t / total],
    "1.9": [lambda t, total: (1 - t / total) ** 5],
    "1.11": [triangle],
    "1.12": [cosine(1), cosine(5)],
}


def is_shape(x: np.ndarray, y: np.ndarray, epochs: bool, shapes: list) -> bool:
    """Whether a curve is 0.1, or 1, times one of the shapes, at each update or where epochs begin."""
    if len(x) < 100:
        return False
    t = np.round(x * PER_EPOCH if epochs else x)
    total = len(t)
    if epochs and np.array_equal(x, np.arange(total)):
        total *= PER_EPOCH
    elif not np.array_equal(t, np.arange(total)):
        return False
    return any(np.allclose(y, peak * shape(t, total), rtol=1e-9) for peak in (0.1, 1.0) for shape in shapes)


@pytest.mark.parametrize("number", list(SHAPES))
def test_a_shape_is_its_formula(number):
    epochs = [axes.get_xlabel() for axes in drawn(number).axes][-1] == "epoch"
    assert any(is_shape(x, y, epochs, SHAPES[number]) for x, y in curves(number))


def test_the_check_of_shapes_bites():
    t = np.arange(3910.0)
    good, x = 0.1 * (1 - t / 3910), t / PER_EPOCH
    assert is_shape(x, good, True, SHAPES["1.7"])
    assert is_shape(t, 10 * good, False, SHAPES["1.7"])
    e = np.arange(100.0)
    assert is_shape(e, 0.1 * (1 - e / 100), True, SHAPES["1.7"])  # as each epoch begins
    assert not is_shape(e, 0.1 * (1 - e / 99), True, SHAPES["1.7"])
    assert not is_shape(x, good, True, SHAPES["1.9"])
    assert not is_shape(x, good * 1.0001, True, SHAPES["1.7"])
    assert not is_shape(x[:-1], good[:-1], True, SHAPES["1.7"])  # it would not end where its plan ends
    # by hand, in a run of 10 epochs: a quarter after 1.5 epochs (586.5 updates, to even: 586); at the last
    # update the sixth drop is past; decay = 0.1 / 10
    assert drop(np.array([585, 586, 3909]), 3910) == pytest.approx([1, 0.25, 0.25**6])
    assert time(np.array([0, 100]), 3910) == pytest.approx([1, 0.5])
    assert triangle(np.array([0, 391, 2150.5]), 3910) == pytest.approx([0, 1, 0.5])
    assert cosine(5)(np.array([0, 391, 782]), 3910) == pytest.approx([1, 0.5, 1])


# ---------------------------------------------------------------- records


MEASURED = {"1.2": "constant", "1.4": "time", "1.6": "drop", "1.8": "linear", "1.10": "poly5"}


loaded = functools.cache(load_runs)  # each study once, for all figures and quantities


@functools.cache
def columns(schedule: str, quantity: str) -> list[np.ndarray]:
    """What a schedule's records hold of a quantity: each run, and the mean over each study's seeds."""
    found = []
    for study in studies():
        runs = [run for run in loaded(study) if run.label == schedule and run.status == "finished"]
        found += [np.array(run.column(quantity)) for run in runs]
        kinds = sorted(runs, key=lambda run: (run.config.epochs, run.config.peak_lr))
        for _, group in groupby(kinds, key=lambda run: (run.config.epochs, run.config.peak_lr)):
            table = [run.column(quantity) for run in group]
            found.append(np.array([sum(values) / len(values) for values in zip(*table, strict=True)]))
    return found


def is_recorded(x: np.ndarray, y: np.ndarray, known: list[np.ndarray]) -> bool:
    return any(
        len(y) == len(column)
        and (np.array_equal(x, np.arange(1, len(y) + 1)) or np.array_equal(x + 0.5, np.arange(1, len(y) + 1)))
        and np.allclose(y, column, rtol=1e-12)
        for column in known
    )


@pytest.mark.parametrize("quantity", ["train_loss", "test_loss", "test_accuracy"])
@pytest.mark.parametrize("number", list(MEASURED))
def test_a_performance_is_that_of_records(number, quantity):
    known = columns(MEASURED[number], quantity)
    assert any(is_recorded(x, y, known) for x, y in curves(number))


def test_the_check_of_records_bites():
    column = columns("linear", "test_accuracy")[0]
    x = np.arange(1, len(column) + 1)
    assert is_recorded(x, column, columns("linear", "test_accuracy"))
    assert not is_recorded(x, column + 1e-6, columns("linear", "test_accuracy"))
    assert is_recorded(x - 0.5, column, columns("linear", "test_accuracy"))  # in its middle
    assert not is_recorded(x - 1, column, columns("linear", "test_accuracy"))
    assert not is_recorded(x, column, columns("constant", "test_accuracy"))


# ---------------------------------------------------------------- the valley of figure 1.1


def test_figure_1_1_shows_steps_down_a_parabola():
    """Gradient descent on 1/2 x^2: each step multiplies the distance by 1 - rate, which the title names."""
    checked = 0
    for axes in drawn("1.1").axes:
        rate = re.search(r"rate ([\d.]+)", axes.get_title(loc="left"))
        for line in axes.lines if rate else ():
            x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
            if line.get_marker() == "o" and len(x) > 2:
                np.testing.assert_allclose(x[1:], (1 - float(rate[1])) * x[:-1], rtol=1e-9)
                np.testing.assert_allclose(y, x**2 / 2, rtol=1e-9)
                checked += 1
    assert checked >= 3  # too small, good, too large
