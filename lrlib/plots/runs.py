"""Figures of runs, epoch by epoch: the recorded ones, and a reader's run over them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lrlib.plots.style import End, finish, in_per_cent, stacked, style_of, styled, styles
from lrlib.schedules import DropDecay
from lrlib.stats import alike, count_word
from lrlib.stats.curves import drops

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["plot_over", "plot_runs"]

# Quantity of a run -> title of its panel, word at the end of its line.
NAMES = {
    "train_loss": ("cross-entropy", "training"),
    "test_loss": ("cross-entropy", "test"),
    "train_accuracy": ("accuracy", "training"),
    "test_accuracy": ("accuracy", "test"),
    "penalty": ("penalty on the weights", "penalty"),
    "grad_norm_sq": ("squared gradient norm", "training"),
}
SURVEY_PANELS = (("train_loss", "test_loss"), ("train_accuracy", "test_accuracy"))


@styled
def plot_runs(
    runs: Sequence[Run] | Mapping[str, Run | Sequence[Run]],
    quantities: Sequence[str | Sequence[str]] = SURVEY_PANELS,
    *,
    rate: bool = False,
) -> Figure:
    """Draw quantities of runs over epochs: a panel for each quantity, or group of quantities.

    Runs of one schedule share colour and dash: a thin line a seed, and their mean thick where there are
    several. Training is drawn thinner than test. At the right ends stand the values after the last epoch.

    Parameters
    ----------
    runs : sequence of Run, or mapping label -> Run or sequence of Run
        A sequence is grouped by the schedules' names.
    quantities : sequence
        Names of columns of a run; the names of one group share a panel.
    rate : bool
        Adds a panel with the rates of the first and last update of every epoch, as the optimizer had them
        (and the steps of drop-based decay in between).

    Examples
    --------
    >>> plot_runs([])
    Traceback (most recent call last):
        ...
    ValueError: runs must hold at least one run, got none
    """
    groups = _grouped(runs)
    if isinstance(quantities, str) or not len(quantities):
        raise ValueError(f"quantities must be a list with at least one name, got {quantities!r}")
    panels = [(names,) if isinstance(names, str) else tuple(names) for names in quantities]
    figure, all_axes = stacked([1.7] * len(panels) + [0.7] * rate)
    ends: dict[Axes, list[End]] = {}
    for axes, names in zip(all_axes, panels, strict=False):
        ends[axes] = []
        for label, style in styles(groups).items():
            for name in names:
                mean = _draw_group(axes, groups[label], label, name, style)
                words = [label] if len(groups) > 1 else []
                words += [NAMES.get(name, (name, name))[1]] if len(names) > 1 or not words else []
                ends[axes].append(End(_last(mean), " ".join([*words, _end(mean, name)]), style["color"]))
        titles = dict.fromkeys(NAMES.get(name, (name, name))[0] for name in names)
        alone = f", {NAMES[names[0]][1]}" if len(groups) > 1 and len(names) == 1 and names[0] in NAMES else ""
        axes.set_title(" and ".join(titles) + alone)
        if all(name.endswith("accuracy") for name in names):
            in_per_cent(axes.yaxis)
        else:
            axes.set_ylim(bottom=0.0)
    if rate:
        _draw_rates(all_axes[-1], groups)
    all_axes[-1].set_xlabel("epoch")
    all_axes[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return finish(figure, ends)


@styled
def plot_over(mine: Run, recorded: Sequence[Run], quantity: str = "test_accuracy") -> Figure:
    """Draw a reader's run thick over the recorded runs of the same experiment, thin, with their range.

    Parameters
    ----------
    mine : Run
    recorded : sequence of Run
        May be a whole study: only those that are `lrlib.stats.alike` are drawn, and the title says if
        there are none.
    quantity : str
        Name of a column of a run.

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
        for column in ours:
            axes.plot(np.arange(1, len(column) + 1), column, color="#6B6B6B", linewidth=0.6, label="ours")
        table = _table(ours)
        some = np.isfinite(table).any(axis=0)  # nanmin warns of an epoch in which no run has a value
        low, high = np.nanmin(table[:, some], axis=0), np.nanmax(table[:, some], axis=0)
        epochs = np.arange(1, table.shape[1] + 1)[some]
        axes.fill_between(epochs, low, high, color="#8A8A8A", alpha=0.3, linewidth=0, label="range")
        if some[-1]:
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


def _grouped(runs: Sequence[Run] | Mapping[str, Run | Sequence[Run]]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    if isinstance(runs, Mapping):
        groups = {label: list(r) if isinstance(r, Sequence) else [r] for label, r in runs.items()}
    else:
        for run in runs:
            groups.setdefault(run.label, []).append(run)
    if not groups or not all(groups.values()):
        empty = [label for label, members in groups.items() if not members]
        where = f"runs[{empty[0]!r}]" if empty else "runs"
        raise ValueError(f"{where} must hold at least one run, got none")
    return groups


def _draw_group(axes: Axes, runs: list[Run], label: str, name: str, style: dict) -> np.ndarray:
    """Draw one quantity of one group; return its mean over the runs, of shape [epochs]."""
    table = _table([run.column(name) for run in runs])
    epochs = np.arange(1, table.shape[1] + 1)
    for run, row in zip(runs, table, strict=True) if len(runs) > 1 else ():
        seed = f"{label}, {name}, seed {run.config.seed}"
        axes.plot(epochs, row, color=style["color"], linewidth=0.6, alpha=0.6, label=seed)
    # fmean and not numpy's: exact, as in the book's sentences, so that no 82.2 there is 82.3 in the figure.
    # It is nan where a run has no value, as the others alone would make a jump that no run made.
    mean = np.array([fmean(column) for column in table.T])
    width = 1.2 if name.startswith("train") else 2.2
    axes.plot(epochs, mean, label=f"{label}, {name}", linewidth=width, **style)
    return mean


def _table(columns: Sequence[Sequence[float]]) -> np.ndarray:
    """Return columns of runs as an array [runs, epochs]: nan after a run's end and where it is not finite."""
    table = np.full((len(columns), max(map(len, columns))), np.nan)
    for row, column in zip(table, columns, strict=True):
        row[: len(column)] = np.where(np.isfinite(column), column, np.nan)
    return table


def _draw_rates(axes: Axes, groups: dict[str, list[Run]]) -> None:
    for label, style in styles(groups).items():
        run = groups[label][0]
        points: list[tuple[float, float]] = []
        for epoch in run.epochs:
            points += [(epoch.epoch, epoch.first_lr), (epoch.epoch + 1, epoch.last_lr)]
        if isinstance(shape := run.config.schedule(), DropDecay):
            # Within an epoch a drop is a step; a line from its first rate to its last would slope.
            n, peak = run.config.steps_per_epoch, run.config.peak_lr
            steps = [step for time in drops(run) if (step := round(time * n)) % n]
            points += [(step / n, peak * shape(step - before)) for step in steps for before in (1, 0)]
            points.sort(key=lambda point: (point[0], -point[1]))  # it only falls
        axes.plot(*zip(*points, strict=True), label=f"{label}, rate", **style)
    axes.set_title("learning rate")
    axes.set_ylim(bottom=0.0)


def _last(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there[-1]) if there.size else np.nan


def _end(values: np.ndarray, name: str) -> str:
    if not np.isfinite(values[-1]):
        return "(diverged)"
    return f"{100 * values[-1]:.1f}%" if name.endswith("accuracy") else f"{values[-1]:#.2g}".rstrip(".")
