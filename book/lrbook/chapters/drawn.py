"""What figures of several chapters share: where an epoch's values stand, means over seeds, names."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from lrbook.finding import means
from lrlib.plots.two_widths import SEED, note
from lrlib.runs import Run


def epochs_of(run: Run, shift: float) -> np.ndarray:
    """Return where an epoch's values stand: at its end, or `shift` epochs before, where they are averaged."""
    return np.arange(1, len(run.epochs) + 1) - shift


def draw_mean(axes: Axes, runs: list[Run], name: str, color: str, style: dict, *, seeds: bool) -> list[float]:
    """Draw the mean of a column over runs, and each run if `seeds`; return the mean, epoch by epoch."""
    shift = 0.5 if name.startswith("train") else 0.0
    for run in runs if seeds else ():
        axes.plot(epochs_of(run, shift), run.column(name), color=color, **SEED)
    values = means(run.column(name) for run in runs)
    axes.plot(epochs_of(runs[0], shift), values, color=color, **style)
    return values


def name_at(axes: Axes, runs: list[Run], name: str, epoch: int, text: str, color: str, offset, **how) -> None:
    """Write a name at a mean curve, at the height that it has in an epoch."""
    value = means(run.column(name) for run in runs)[epoch - 1]
    note(axes, text, (epoch, value), offset, color=color, **how)
