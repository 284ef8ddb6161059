"""Figures of schedules: the rate over the updates of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lrlib._checks import check_int
from lrlib.plots.style import End, check_labels, finish, stacked, styled, styles
from lrlib.schedules import Schedule
from lrlib.theory.rates import rates

__all__ = ["plot_shapes"]


@styled
def plot_shapes(
    schedules: Mapping[str, Schedule],
    total_steps: int,
    steps_per_epoch: int | None = None,
    peak_lr: float = 1.0,
) -> Figure:
    """Draw the rates ``peak_lr * schedule(t)`` of updates t = 0, ..., total_steps - 1.

    Parameters
    ----------
    schedules : mapping, label -> schedule
        A label whose first word is a recipe's name has its colour and dash.
    total_steps : int, >= 1
    steps_per_epoch : int, >= 1, or None
        Counts the axis in epochs; None counts updates.
    peak_lr : float, >= 0

    Examples
    --------
    >>> from lrlib.schedules import LinearDecay
    >>> figure = plot_shapes({"linear": LinearDecay(total_steps=10)}, total_steps=10, peak_lr=0.1)
    >>> figure.axes[0].lines[0].get_ydata()[:2].round(3).tolist()
    [0.1, 0.09]
    """
    check_labels("schedules", schedules)
    per_unit = 1 if steps_per_epoch is None else check_int("steps_per_epoch", steps_per_epoch, least=1)
    values = {
        label: rates(schedule, steps=total_steps, peak_lr=peak_lr) for label, schedule in schedules.items()
    }
    figure, (axes,) = stacked([1.9])
    ends = []
    for label, style in styles(schedules).items():
        axes.plot(np.arange(total_steps) / per_unit, values[label], label=label, **style)
        ends.append(End(values[label][-1], label, style["color"]))
    axes.set_title("factor on the peak rate" if peak_lr == 1.0 else "learning rate")
    axes.set_xlabel("update" if steps_per_epoch is None else "epoch")
    axes.set_ylim(0.0, 1.05 * max(value.max() for value in values.values()) or 1.0)
    return finish(figure, {axes: ends})
