"""What figures of several chapters share: where an epoch's values stand, means over seeds, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.finding import Records, means, rounded
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import (
    COLOR,
    INK,
    NARROW,
    SEED,
    TEST,
    TRAINING,
    WIDE,
    Label,
    TwoWidths,
    label_ends,
)
from lrlib.runs import Run
from lrlib.runs.experiments import study_of
from lrlib.stats import alike, final_accuracy


def epochs_of(run: Run, shift: float) -> np.ndarray:
    """Return where an epoch's values stand: at its end, or `shift` epochs before, where they are averaged."""
    return np.arange(1, len(run.epochs) + 1) - shift


def draw_mean(
    axes: Axes, runs: Sequence[Run], name: str, color: str, style: Mapping, *, seeds: bool
) -> list[float]:
    """Draw the mean of a column over runs, and each run if `seeds`; return the mean, epoch by epoch."""
    shift = 0.5 if name.startswith(("train", "penalty")) else 0.0
    for run in runs if seeds else ():
        axes.plot(epochs_of(run, shift), run.column(name), color=color, **SEED)
    values = means(run.column(name) for run in runs)
    axes.plot(epochs_of(runs[0], shift), values, color=color, **style)
    return values


def name_at(
    axes: Axes, runs: Sequence[Run], name: str, epoch: int, text: str, color: str, offset, **how
) -> None:
    """Write a name at a mean curve, at the height that it has in an epoch."""
    value = means(run.column(name) for run in runs)[epoch - 1]
    note(axes, text, (epoch, value), offset, color=color, **how)


def performance(wide: bool, groups: Mapping[str, Sequence[Run]]) -> tuple[Figure, Axes, Axes, list[Axes]]:
    """Draw cross-entropy and accuracy of runs by schedule, with the ends of the means written beside.

    Returns
    -------
    tuple
        The figure, its axes of loss and accuracy, and those below for the rate: two if wide, else one.
    """
    if wide:
        figure = Figure(figsize=(WIDE, 4.3))
        grid = figure.subplots(2, 2, sharex=True, height_ratios=[3.4, 1])
        loss, accuracy, rates = grid[0, 0], grid[0, 1], list(grid[1])
    else:
        figure = Figure(figsize=(NARROW, 7.0))
        loss, accuracy, *rates = figure.subplots(3, 1, sharex=True, height_ratios=[3.4, 3.4, 1])
    loss.set_title("cross-entropy")
    loss.set_ylim(0, 1.62)
    loss.set_yticks([0, 0.5, 1, 1.5])
    accuracy.set_title("accuracy")
    accuracy.set_ylim(0.5, 1.02)
    in_per_cent(accuracy.yaxis)
    loss.set_xlim(0, max(len(runs[0].epochs) for runs in groups.values()))
    rates[0].set_title("learning rate")
    for axes in rates:
        axes.set_xlabel("epoch")
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        ends = []
        for label, runs in groups.items():
            for part, style in (("train", TRAINING), ("test", TEST)):
                seeds = part == "test"
                value = draw_mean(axes, runs, f"{part}_{name}", COLOR[label], style, seeds=seeds)[-1]
                text = (
                    rounded(value, 2 if value >= 0.01 else 4)
                    if name == "loss"
                    else f"{rounded(100 * value)}%"
                )
                ends.append(Label(value, text, COLOR[label]))
        label_ends(axes, ends)
    return figure, loss, accuracy, rates


def live_figure(
    mine: Mapping[str, Run],
    records: Records | None = None,
    *,
    alt: str,
    studies: Sequence[str] = (),
    colors: Mapping[str, str] = COLOR,
) -> TwoWidths:
    """Draw runs that were just trained, thick, over the recorded ones of the same setting, thin.

    Recorded runs are those of `studies`, or of the study of the first run's preset. A label without a color
    is black.
    """
    records = Records() if records is None else records
    studies = studies or [study_of(next(iter(mine.values())).config)]
    recorded = [run for study in studies for run in records[study]]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.6) if wide else (NARROW, 4.7))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        ends = {axes: [] for axes in panels}
        for axes, column, shift in zip(panels, ("train_loss", "test_accuracy"), (0.5, 0.0), strict=True):
            for label, run in mine.items():
                color = colors.get(label, INK)
                for other in alike(run, recorded):
                    axes.plot(epochs_of(other, shift), other.column(column), color=color, **SEED)
                axes.plot(epochs_of(run, shift), run.column(column), color=color, linewidth=2.8)
                ends[axes].append(Label(run.column(column)[-1], label, color))
            axes.set_xlim(0, max(len(run.epochs) for run in mine.values()))
        panels[0].set_title("training cross-entropy")
        panels[0].set_ylim(bottom=0)
        panels[1].set_title("test accuracy")
        panels[1].set_ylim(min(0.75, *(final_accuracy(run) - 0.05 for run in mine.values())), 1.0)
        in_per_cent(panels[1].yaxis)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        for axes in panels:
            label_ends(axes, ends[axes])
        return figure

    return TwoWidths(draw, alt=alt)
