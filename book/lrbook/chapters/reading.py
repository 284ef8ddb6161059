"""How to read a printed table: which column a number came from, and how far chance alone moves it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import NamedTuple

from matplotlib.figure import Figure

from lrbook.chapters._write import results_table
from lrlib._checks import check_int, no_such
from lrlib.plots.style import beside, name_rows, stacked, style_of, styled
from lrlib.runs.published import Published, published

__all__ = ["Gap", "at_odds", "gap", "origin", "origin_table", "plot_sampling", "sampling_error"]


class Gap(NamedTuple):
    """Two accuracies apart: their difference, its standard error of test sampling, and how many those are.

    Examples
    --------
    >>> Gap(difference=0.03, error=0.005, errors=6.0).errors
    6.0
    """

    difference: float
    error: float
    errors: float


def sampling_error(accuracy: float, *, images: int) -> float:
    """Return the standard error of an accuracy measured on some pictures: sqrt(p (1 - p) / n).

    It says how far the value would move on other test pictures. It knows nothing of other seeds.

    Parameters
    ----------
    accuracy : float
        A fraction in [0, 1].
    images : int
        Test pictures, >= 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Examples
    --------
    >>> sampling_error(0.9, images=100)
    0.03
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy must be a fraction in [0, 1], got {accuracy!r}")
    return math.sqrt(accuracy * (1 - accuracy) / check_int("images", images, least=1))


def gap(a: float, b: float, *, images: int) -> Gap:
    """Return how far accuracy a is above b, as if each were measured on pictures of its own.

    The errors add as sqrt(e_a**2 + e_b**2). Two networks tested on the same pictures mostly fail on the
    same ones, which makes the true error smaller: the number of errors is on the safe side then. It is nan
    where both accuracies are 0 or 1.

    Examples
    --------
    >>> gap(0.9, 0.8, images=100)
    Gap(difference=0.1, error=0.05, errors=2.0)
    """
    error = math.hypot(sampling_error(a, images=images), sampling_error(b, images=images))
    difference = round(a - b, 12)  # both are counts over images: what is left out is rounding
    return Gap(difference, error, difference / error if error else math.nan)


def at_odds(loss: Mapping[str, float], accuracy: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the pairs of schedules in which the one with the lower loss has the lower accuracy, too.

    Examples
    --------
    >>> at_odds({"time": 0.25, "drop": 0.5, "linear": 0.1}, {"time": 0.5, "drop": 0.75, "linear": 0.75})
    [('time', 'drop')]
    """
    pairs = combinations((name for name in loss if name in accuracy), 2)
    return [(a, b) for a, b in pairs if (loss[a] - loss[b]) * (accuracy[a] - accuracy[b]) > 0]


def origin(column: str, both: Published | None = None) -> dict[str, tuple[str, ...]]:
    """Return, for each number of a column of the survey's table, the source's columns that hold it.

    A source's number is rounded to the decimals that the survey prints (half up) and must then be equal.
    Only columns of the same unit are asked.

    Parameters
    ----------
    column : {"accuracy", "loss"}
    both : Published or None
        None takes the package's.

    Examples
    --------
    >>> origin("loss")["drop"]
    ('train_loss',)
    """
    both = both or published()
    if column not in both.survey.columns:
        raise ValueError(no_such("column", column, both.survey.columns))
    about = both.survey.columns[column]
    found = {}
    for schedule, printed in both.survey.column(column).items():
        row = both.source.row(schedule)
        same = [
            name
            for name in _candidates(column, both)
            if _round(getattr(row, name), about.decimals) == printed
        ]
        found[schedule] = tuple(same)
    return found


def origin_table(column: str, both: Published | None = None) -> str:
    """Return a table as HTML: the survey's numbers, and the source's columns, with equal ones in bold.

    Examples
    --------
    >>> "<td>0.5328</td><td><strong>0.5328</strong></td><td>0.9788</td>" in origin_table("loss")
    True
    """
    both = both or published()
    names = _candidates(column, both)
    heads = [both.source.columns[name].printed_as.partition(",")[0] for name in names]
    heads = ["report" if "report" in name else head for head, name in zip(heads, names, strict=True)]
    rows = []
    for schedule, same in origin(column, both).items():
        row, about = both.source.row(schedule), both.survey.columns[column]
        cells = [f"{getattr(row, name):.{both.source.columns[name].decimals}f}" for name in names]
        cells = [f"**{cell}**" if name in same else cell for cell, name in zip(cells, names, strict=True)]
        rows.append([schedule, f"{both.survey.column(column)[schedule]:.{about.decimals}f}", *cells])
    return results_table(["schedule", f"survey: {both.survey.columns[column].printed_as}", *heads], rows)


@styled
def plot_sampling(
    accuracies: Mapping[str, float], *, images: int, printed: Mapping[str, float] | None = None
) -> Figure:
    """Draw accuracies of single runs, a row each, with the interval of test sampling: p -+ 1.96 errors.

    Parameters
    ----------
    accuracies : mapping, label -> fraction in [0, 1]
        Rows in the order given, the first on top.
    images : int
        Test pictures, >= 1.
    printed : mapping or None
        The same as a table prints them, drawn as open squares.

    Raises
    ------
    TypeError, ValueError
        If there is no accuracy, or an argument is out of range.

    Examples
    --------
    >>> figure = plot_sampling({"linear": 0.9}, images=100)
    >>> [round(float(x), 4) for x in figure.axes[0].lines[0].get_xdata()]
    [0.8412, 0.9588]
    """
    if not accuracies:
        raise ValueError("accuracies must hold at least one value, got none")
    figure, (axes,) = stacked([0.27 * len(accuracies) + 0.1])
    texts = []
    for row, (label, value) in enumerate(accuracies.items()):
        color, half = style_of(label)["color"], 1.96 * sampling_error(value, images=images)
        ends = [value - half, value + half]
        axes.plot(ends, [row, row], color=color, linewidth=2.0, label=f"{label}, sampling")
        axes.plot([value], [row], "o", color=color, markersize=7, label=label)
        if printed and label in printed:
            how = {"markersize": 9, "markerfacecolor": "none", "markeredgecolor": "#000000"}
            axes.plot([printed[label]], [row], "s", label=f"{label}, printed", **how)
        text = f"{100 * value:.2f}% \N{PLUS-MINUS SIGN} {100 * half:.2f}"
        texts.append(beside(axes, row, text))
    axes.grid(visible=True, axis="x")
    axes.set_title("test accuracy, one run each")
    return name_rows(figure, axes, list(accuracies), texts)


def _candidates(column: str, both: Published) -> list[str]:
    unit = both.survey.columns[column].unit
    return [name for name, about in both.source.columns.items() if about.unit == unit]


def _round(value: float, decimals: int) -> float:
    # Through the printed digits: 0.8650 is 0.86499... to a float, and would go the other way.
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
