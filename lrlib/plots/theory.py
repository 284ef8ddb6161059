"""Figures of single ideas: distance over the area walked, and an edge of stability that moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lrlib.plots.style import End, finish, note, plain_log, stacked, styled, styles
from lrlib.schedules import Schedule
from lrlib.theory.rates import rates
from lrlib.theory.two_weights import TwoWeights
from lrlib.theory.valley import Valley

__all__ = ["plot_distances", "plot_edges"]

FAR = 1e6  # curvature of weights that have flown apart


@styled
def plot_distances(valley: Valley, plans: Mapping[str, tuple[Schedule, float, int]]) -> Figure:
    """Draw the distance left in a valley over the area walked: the sum of all rates so far.

    A dot marks the end of each plan. Plans that have walked the same area have about the same distance left,
    whatever their shape.

    Parameters
    ----------
    valley : Valley
    plans : mapping, label -> (schedule, peak_lr, steps)

    Raises ValueError if there is no plan.

    Examples
    --------
    >>> from lrlib import Constant
    >>> figure = plot_distances(Valley(directions=1), {"constant": (Constant(), 0.5, 2)})
    >>> line = figure.axes[0].lines[0]
    >>> line.get_xdata().tolist(), line.get_ydata().tolist()
    ([0.0, 0.5, 1.0], [0.5, 0.125, 0.03125])
    """
    if not plans:
        raise ValueError("plans must hold at least one label, got none")
    figure, (axes,) = stacked([2.2])
    farthest = 0.0
    for label, style in styles(plans).items():
        schedule, peak_lr, steps = plans[label]
        walked = np.concatenate([[0.0], np.cumsum(rates(schedule, steps=steps, peak_lr=peak_lr))])
        left = valley.trajectory(schedule, steps=steps, peak_lr=peak_lr).distance
        if not np.isfinite(left).all():
            raise ValueError(f"plans must not diverge, and {label!r} does at peak rate {peak_lr:g}; lower it")
        axes.plot(walked, left, label=label, **style)
        how = {"color": style["color"], "markersize": 7}
        axes.plot(walked[-1:], left[-1:], "o", label=f"end of {label}", **how)
        note(axes, label, (walked[-1], left[-1]), (5, 4), va="bottom", color=style["color"])
        farthest = max(farthest, walked[-1])
    axes.set_xlim(-0.03 * farthest, 1.25 * farthest or 1.0)
    axes.set_yscale("log")
    plain_log(axes.yaxis)
    axes.set_title("distance left")
    axes.set_xlabel("reach: the sum of the rates so far")
    return figure


@styled
def plot_edges(weights: TwoWeights, plans: Mapping[str, tuple[Schedule, float, int]]) -> Figure:
    """Draw the rates, and the edges of stability that they meet, for two weights in a row.

    Thick: the rate. Thin: the edge 2 / (u**2 + v**2) where the weights are before each update. A line ends in
    a cross where the weights fly apart; edges far above the rates leave through the top.

    Parameters
    ----------
    weights : TwoWeights
    plans : mapping, label -> (schedule, peak_lr, steps)

    Raises ValueError if there is no plan.

    Examples
    --------
    >>> from lrlib import Constant
    >>> figure = plot_edges(TwoWeights(u=2.0, spread=0.0), {"constant": (Constant(), 0.25, 1)})
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines]
    [[0.25], [0.5, 0.47058823529411764]]
    """
    if not plans:
        raise ValueError("plans must hold at least one label, got none")
    figure, (axes,) = stacked([2.3])
    ends, highest = [], 0.0
    for label, style in styles(plans).items():
        schedule, peak_lr, steps = plans[label]
        curvature = weights.trajectory(schedule, steps=steps, peak_lr=peak_lr).curvature
        # the weights are gone for good long before they are too large for a float
        gone = np.flatnonzero(curvature > FAR)
        last = int(gone[0]) if gone.size else steps + 1
        rate = rates(schedule, steps=steps, peak_lr=peak_lr)[:last]
        highest = max(highest, rate.max())
        axes.plot(np.arange(len(rate)), rate, label=label, **style)
        edge, color = 2.0 / curvature[:last], style["color"]
        axes.plot(np.arange(last), edge, label=f"edge of {label}", color=color, linewidth=0.9)
        if gone.size:
            axes.plot([last - 1], rate[-1:], "X", color=color, markersize=9, label=f"end of {label}")
            note(axes, f"{label} flies apart", (last - 1, rate[-1]), (-5, 68), va="bottom", color=color)
        else:
            ends += [End(rate[-1], f"{label}, rate", color), End(edge[-1], f"{label}, edge", color)]
    axes.set_ylim(0.0, 2.2 * highest or 1.0)
    axes.set_title("learning rate, and (thin) the edge of stability")
    axes.set_xlabel("update")
    return finish(figure, {axes: ends})
