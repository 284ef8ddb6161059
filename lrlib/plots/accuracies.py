"""Figures of final accuracies: over levels of a factor, with intervals of seeds or sampling, as shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrlib.plots.style import (
    End,
    beside,
    check_labels,
    finish,
    in_per_cent,
    name_rows,
    plain_log,
    stacked,
    style_of,
    styled,
    styles,
)
from lrlib.stats import FEWEST, interval, sampling_error

__all__ = ["plot_intervals", "plot_levels", "plot_sampling", "plot_shares"]

Values = Sequence[float] | Mapping[int, float]
FEW_LEVELS = 5  # up to so many, each gets its own mark on a logarithmic axis


@styled
def plot_levels(
    groups: Mapping[str, Mapping[float | str, Values]],
    *,
    xlabel: str,
    ylabel: str = "test accuracy",
    log: bool = False,
    error: bool = False,
    joined: bool = True,
) -> Figure:
    """Draw values over levels, such as a peak rate: a dot a seed, and a line through the means.

    Parameters
    ----------
    groups : mapping, label -> level -> values
        A label whose first word is a recipe's name has its colour and dash. Levels are finite numbers, or
        words in the order in which they come. Values are one a seed, as a list or by seed; a level without
        one is left out.
    xlabel, ylabel : str
        Where `ylabel` has the word "accuracy", values are fractions in [0, 1], and shown in per cent.
    log : bool
        Logarithmic axis of the levels, which must be > 0.
    error : bool
        Draws accuracies as errors, 1 - value, on a logarithmic axis, where 99 and 97 % lie far apart.
    joined : bool
        False leaves out the lines, for levels that have no order.

    Examples
    --------
    >>> figure = plot_levels({"linear": {0.1: [0.75, 0.5], 0.2: [1.0]}}, xlabel="peak rate")
    >>> figure.axes[0].lines[-1].get_ydata().tolist()
    [0.625, 1.0]
    """
    fractions = "accuracy" in ylabel
    kept = {
        label: _some_levels(label, levels, fractions)
        for label, levels in check_labels("groups", groups).items()
    }
    places = _places([level for levels in kept.values() for level in levels], log)
    if error:
        if not fractions:
            raise ValueError(f"error needs accuracies, and a ylabel that says so, got ylabel {ylabel!r}")
        kept = {
            label: {level: [1 - value for value in column] for level, column in levels.items()}
            for label, levels in kept.items()
        }
    figure, (axes,) = stacked([2.3])
    ends = []
    for label, style in styles(kept).items():
        levels = sorted(kept[label], key=places.__getitem__)
        x = [places[level] for level in levels]
        means = [fmean(kept[label][level]) for level in levels]
        for at, level in zip(x, levels, strict=True):
            values = kept[label][level]
            if len(values) > 1:
                _dots(axes, [at] * len(values), values, style["color"], f"{label}, seeds at {level}")
        how = style if joined else {**style, "linestyle": "none"}
        axes.plot(x, means, marker="o", markersize=4 if joined else 7, label=label, **how)
        ends.append(End(means[-1], label, style["color"]))
    axes.set_title(ylabel.replace("accuracy", "error") if error else ylabel)
    axes.set_xlabel(xlabel)
    if error:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    _mark_levels(axes, places, log)
    if fractions:
        in_per_cent(axes.yaxis)
    return finish(figure, {axes: ends})


@styled
def plot_intervals(values: Mapping[str, Values], *, reference: str | None = None) -> Figure:
    """Draw final accuracies, a row a schedule: thin dots the seeds, dot the mean, line its 95 % t interval.

    An interval needs `lrlib.stats.FEWEST` seeds that differ. Mean and n stand beside each row; one without
    values has the text "no run yet".

    Parameters
    ----------
    values : mapping, label -> fractions in [0, 1]
        One a seed, as a list or by seed; rows in the order given, the first on top.
    reference : str or None
        A label whose mean gets a thin vertical line.

    Examples
    --------
    >>> figure = plot_intervals({"linear": [0.5, 0.75], "drop": []})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['62.5%, n = 2', 'no run yet']
    """
    kept = {label: _values(label, column, True) for label, column in check_labels("values", values).items()}
    if not any(kept.values()):
        raise ValueError("values must hold at least one accuracy, got none; record a run first")
    if reference is not None and reference not in kept:
        raise ValueError(f"reference must be one of {', '.join(kept)}, got {reference!r}")
    figure, (axes,) = stacked([0.27 * len(kept) + 0.1])
    if reference is not None and kept[reference]:
        mean = fmean(kept[reference])
        axes.axvline(mean, color="#8A8A8A", linewidth=0.8, label=f"mean of {reference}")
    texts = []
    for row, (label, column) in enumerate(kept.items()):
        color = style_of(label)["color"]
        text = f"{100 * fmean(column):.1f}%, n = {len(column)}" if column else "no run yet"
        texts.append(beside(axes, row, text))
        if not column:
            texts[-1].set_color("#6B6B6B")
            continue
        mean, (low, high) = fmean(column), interval(column, least=FEWEST)
        if math.isfinite(low):
            axes.plot([low, high], [row, row], color=color, linewidth=2.0, label=f"{label}, interval")
        if len(column) > 1:
            _dots(axes, column, [row] * len(column), color, f"{label}, seeds")
        axes.plot([mean], [row], "o", color=color, markersize=7, label=label)
    axes.grid(visible=True, axis="x")
    axes.set_title("test accuracy, last epoch")
    return name_rows(figure, axes, list(kept), texts)


@styled
def plot_shares(shares: Mapping[str, float], *, title: str) -> Figure:
    """Draw shares, a bar for each label from the top, with the share beside it.

    Parameters
    ----------
    shares : mapping, label -> fraction in [0, 1]
    title : str
        What they are shares of.

    Examples
    --------
    >>> figure = plot_shares({"linear": 0.75, "drop": 0.25}, title="first places")
    >>> [float(bar.get_width()) for bar in figure.axes[0].patches]
    [0.75, 0.25]
    """
    kept = {
        label: _values(label, [share], True)[0] for label, share in check_labels("shares", shares).items()
    }
    figure, (axes,) = stacked([0.27 * len(kept) + 0.1])
    colors = [style_of(label)["color"] for label in kept]
    axes.barh(range(len(kept)), list(kept.values()), height=0.6, color=colors)
    axes.set_xlim(left=0.0)
    axes.set_title(title)
    texts = [beside(axes, row, f"{100 * share:.1f}%") for row, share in enumerate(kept.values())]
    return name_rows(figure, axes, list(kept), texts)


@styled
def plot_sampling(
    accuracies: Mapping[str, float], *, images: int, printed: Mapping[str, float] | None = None
) -> Figure:
    """Draw accuracies of single runs, a row each, with the 95 % interval of test sampling: p -+ 1.96 e.

    Parameters
    ----------
    accuracies : mapping, label -> fraction in [0, 1]
        Rows in the order given, the first on top.
    images : int
        Test pictures, >= 1.
    printed : mapping or None
        The same as a table prints them, drawn as open squares.

    Examples
    --------
    >>> figure = plot_sampling({"linear": 0.9}, images=100)
    >>> [round(float(x), 4) for x in figure.axes[0].lines[0].get_xdata()]
    [0.8412, 0.9588]
    """
    check_labels("accuracies", accuracies)
    figure, (axes,) = stacked([0.27 * len(accuracies) + 0.1])
    texts = []
    for row, (label, value) in enumerate(accuracies.items()):
        # 1.96 and no t: with thousands of pictures the binomial is normal, and its variance is known from p.
        color, half = style_of(label)["color"], 1.96 * sampling_error(value, images=images)
        ends = [value - half, value + half]
        axes.plot(ends, [row, row], color=color, linewidth=2.0, label=f"{label}, sampling")
        axes.plot([value], [row], "o", color=color, markersize=7, label=label)
        if printed and label in printed:
            how: dict[str, Any] = {"markersize": 9, "markerfacecolor": "none", "markeredgecolor": "#000000"}
            axes.plot([printed[label]], [row], "s", label=f"{label}, printed", **how)
        text = f"{100 * value:.2f}% \N{PLUS-MINUS SIGN} {100 * half:.2f}"
        texts.append(beside(axes, row, text))
    axes.grid(visible=True, axis="x")
    axes.set_title("test accuracy, one run each")
    return name_rows(figure, axes, list(accuracies), texts)


def _dots(axes: Axes, x: Sequence[float], y: Sequence[float], color: str, label: str) -> None:
    how: dict[str, Any] = {"markersize": 3.5, "markeredgewidth": 0.7, "markerfacecolor": "none", "alpha": 0.8}
    axes.plot(x, y, "o", color=color, label=label, **how)


def _values(name: object, values: Values, fractions: bool) -> list[float]:
    column = [float(value) for value in (values.values() if isinstance(values, Mapping) else values)]
    for value in column:
        if not math.isfinite(value) or (fractions and not 0 <= value <= 1):
            wanted = "fractions in [0, 1]" if fractions else "finite numbers"
            raise ValueError(f"values of {name!r} must be {wanted}, got {value!r}")
    return column


def _some_levels(
    label: str, levels: Mapping[float | str, Values], fractions: bool
) -> dict[float | str, list[float]]:
    if not isinstance(levels, Mapping):
        raise TypeError(f"groups[{label!r}] must map levels to values, got {levels!r}")
    kept = {level: _values(f"{label}, {level}", column, fractions) for level, column in levels.items()}
    kept = {level: column for level, column in kept.items() if column}
    if not kept:
        raise ValueError(f"groups[{label!r}] must hold at least one value, got none")
    return kept


def _mark_levels(axes: Axes, places: Mapping[float | str, float], log: bool) -> None:
    at = list(places.values())
    if log:
        axes.set_xscale("log")
        plain_log(axes.xaxis)
        if len(at) <= FEW_LEVELS:
            axes.set_xticks(at, [f"{place:g}" for place in at])
    elif any(isinstance(level, str) for level in places):
        axes.set_xticks(at, [str(level) for level in places])
        axes.set_xlim(-0.3, len(at) - 0.7)


def _places(levels: Sequence[float | str], log: bool) -> dict[float | str, float]:
    """Return where each level stands on the axis."""
    order = list(dict.fromkeys(levels))
    words = [level for level in order if isinstance(level, str)]
    numbers = [level for level in order if not isinstance(level, str)]
    if words and (numbers or log):
        raise ValueError(f"levels must be all numbers (or all words, if not log), got {order}")
    if words:
        return {level: float(place) for place, level in enumerate(words)}
    for level in numbers:
        if not math.isfinite(level) or (log and level <= 0):
            raise ValueError(f"levels must be finite{' and > 0' if log else ''}, got {level!r}")
    return {level: float(level) for level in sorted(numbers)}
