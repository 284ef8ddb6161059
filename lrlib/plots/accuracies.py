"""Charts of final values: over levels, as intervals, and a reader's run laid over the recorded ones."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lrlib.plots.schedules import NAMES
from lrlib.plots.style import (
    End,
    beside,
    finish,
    in_per_cent,
    name_rows,
    plain_log,
    stacked,
    style_of,
    styled,
    styles,
)
from lrlib.stats import FEWEST, alike, count_word, interval

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["plot_intervals", "plot_levels", "plot_over", "plot_shares"]

Values = Sequence[float] | Mapping[int, float]
FEW_LEVELS = 5  # so many are marked one by one


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
        A label whose first word is a recipe's name wears its colour and dash. Levels are numbers, or words
        that stand in the order in which they come. Values are one a seed, as a list or by seed; a level
        with none is left out.
    xlabel, ylabel : str
        Where `ylabel` has the word "accuracy", values are fractions in [0, 1], and shown in per cent.
    log : bool
        True makes the axis of the levels logarithmic; they must be > 0 then.
    error : bool
        True draws accuracies as errors, 1 - value, on a logarithmic axis, where 99 and 97 % lie far apart.
    joined : bool
        False leaves out the lines, for levels that have no order.

    Raises
    ------
    TypeError, ValueError
        If there is no group or no value, a value is out of range, or words and numbers are mixed.

    Examples
    --------
    >>> figure = plot_levels({"linear": {0.1: [0.75, 0.5], 0.2: [1.0]}}, xlabel="peak rate")
    >>> figure.axes[0].lines[-1].get_ydata().tolist()
    [0.625, 1.0]
    """
    fractions = "accuracy" in ylabel
    kept = {label: _some_levels(label, levels, fractions) for label, levels in _mapping(groups).items()}
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
    if log:
        axes.set_xscale("log")
        plain_log(axes.xaxis)
        if len(places) <= FEW_LEVELS:
            axes.set_xticks(list(places.values()), [f"{at:g}" for at in places.values()])
    elif any(isinstance(level, str) for level in places):
        axes.set_xticks(list(places.values()), [str(level) for level in places])
        axes.set_xlim(-0.3, len(places) - 0.7)
    if fractions:
        in_per_cent(axes.yaxis)
    return finish(figure, {axes: ends})


@styled
def plot_intervals(values: Mapping[str, Values], *, reference: str | None = None) -> Figure:
    """Draw final accuracies, a row a schedule: thin dots the seeds, dot the mean, line its 95 % t interval.

    An interval needs `lrlib.stats.FEWEST` seeds that differ; with fewer there are the dots alone. Mean and n
    stand beside. A row without values says "no run yet".

    Parameters
    ----------
    values : mapping, label -> fractions in [0, 1]
        One a seed, as a list or by seed; rows in the order given, the first on top.
    reference : str or None
        A label whose mean gets a thin vertical line.

    Raises
    ------
    TypeError, ValueError
        If there is no value at all, one is no fraction, or `reference` is no label.

    Examples
    --------
    >>> figure = plot_intervals({"linear": [0.5, 0.75], "drop": []})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['62.5%, n = 2', 'no run yet']
    """
    kept = {label: _values(label, column, True) for label, column in _mapping(values).items()}
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

    Raises
    ------
    TypeError, ValueError
        If there is no label, or a share is no fraction.

    Examples
    --------
    >>> figure = plot_shares({"linear": 0.75, "drop": 0.25}, title="first places")
    >>> [float(bar.get_width()) for bar in figure.axes[0].patches]
    [0.75, 0.25]
    """
    kept = {label: _values(label, [share], True)[0] for label, share in _mapping(shares).items()}
    figure, (axes,) = stacked([0.27 * len(kept) + 0.1])
    colors = [style_of(label)["color"] for label in kept]
    axes.barh(range(len(kept)), list(kept.values()), height=0.6, color=colors)
    axes.set_xlim(left=0.0)
    axes.set_title(title)
    texts = [beside(axes, row, f"{100 * share:.1f}%") for row, share in enumerate(kept.values())]
    return name_rows(figure, axes, list(kept), texts)


@styled
def plot_over(mine: Run, recorded: Sequence[Run], quantity: str = "test_accuracy") -> Figure:
    """Draw a reader's run thick over the recorded runs of the same experiment, thin, with their range.

    Parameters
    ----------
    mine : Run
    recorded : sequence of Run
        A whole study will do: those that are `alike` are drawn. If there is none, the title says so.
    quantity : str
        Name of a column of a run.

    Raises
    ------
    TypeError, ValueError
        If these are no runs, or the quantity has no such name.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> run = load_runs("pilot-laptop")[0]
    >>> drawn = plot_over(run, [run]).axes[0].lines[-1].get_ydata()
    >>> drawn.tolist() == run.column("test_accuracy")
    True
    """
    ours = [run.column(quantity) for run in alike(mine, recorded)]
    values = mine.column(quantity)
    style = style_of(mine.label)
    figure, (axes,) = stacked([2.0])
    ends = []
    if ours:
        table = np.full((len(ours), max(map(len, ours))), np.nan)  # a run that diverged is shorter
        for row, column in zip(table, ours, strict=True):
            row[: len(column)] = np.where(np.isfinite(column), column, np.nan)
            axes.plot(np.arange(1, len(column) + 1), column, color="#6B6B6B", linewidth=0.6, label="ours")
        measured = np.isfinite(table).any(axis=0)
        low, high = np.nanmin(table[:, measured], axis=0), np.nanmax(table[:, measured], axis=0)
        epochs = np.arange(1, table.shape[1] + 1)[measured]
        axes.fill_between(epochs, low, high, color="#8A8A8A", alpha=0.3, linewidth=0, label="range")
        if measured[-1]:
            ends.append(End(float(np.nanmean(table[:, -1])), f"our {count_word(len(ours))}", "#6B6B6B"))
    axes.plot(np.arange(1, len(values) + 1), values, linewidth=2.6, label="yours", **style)
    there = [value for value in values if math.isfinite(value)]
    gone = " (diverged)" if mine.status == "diverged" else ""
    ends.append(End(there[-1] if there else math.nan, f"yours{gone}", style["color"]))
    title, what = NAMES.get(quantity, (quantity, ""))
    axes.set_title(f"{mine.label}: {what} {title}" if ours else f"{mine.label}: none recorded is like it")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if quantity.endswith("accuracy"):
        in_per_cent(axes.yaxis)
    else:
        axes.set_ylim(bottom=0.0)
    return finish(figure, {axes: ends})


def _dots(axes: Axes, x: Sequence[float], y: Sequence[float], color: str, label: str) -> None:
    how = {"markersize": 3.5, "markeredgewidth": 0.7, "markerfacecolor": "none", "alpha": 0.8}
    axes.plot(x, y, "o", color=color, label=label, **how)


def _mapping(groups: Mapping) -> Mapping:
    if not isinstance(groups, Mapping):
        raise TypeError(f"a mapping from labels is needed, got {groups!r}")
    if not groups:
        raise ValueError("a mapping with at least one label is needed, got none")
    return groups


def _values(name: object, values: Values, fractions: bool) -> list[float]:
    column = [float(value) for value in (values.values() if isinstance(values, Mapping) else values)]
    for value in column:
        if not math.isfinite(value) or (fractions and not 0 <= value <= 1):
            wanted = "fractions in [0, 1]" if fractions else "finite numbers"
            raise ValueError(f"values of {name!r} must be {wanted}, got {value!r}")
    return column


def _some_levels(label: str, levels: Mapping, fractions: bool) -> dict[Hashable, list[float]]:
    if not isinstance(levels, Mapping):
        raise TypeError(f"groups[{label!r}] must map levels to values, got {levels!r}")
    kept = {level: _values(f"{label}, {level}", column, fractions) for level, column in levels.items()}
    kept = {level: column for level, column in kept.items() if column}
    if not kept:
        raise ValueError(f"groups[{label!r}] must hold at least one value, got none")
    return kept


def _places(levels: Sequence[float | str], log: bool) -> dict[float | str, float]:
    """Return where each level stands on the axis."""
    order = list(dict.fromkeys(levels))
    words = [level for level in order if isinstance(level, str)]
    if words and (len(words) < len(order) or log):
        raise ValueError(f"levels must be all numbers (or all words, if not log), got {order}")
    if words:
        return {level: float(place) for place, level in enumerate(order)}
    for level in order:
        if not math.isfinite(level) or (log and level <= 0):
            raise ValueError(f"levels must be finite{' and > 0' if log else ''}, got {level!r}")
    return {level: float(level) for level in sorted(order)}
