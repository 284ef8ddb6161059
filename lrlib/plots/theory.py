"""Figures of the theory: descents in the noisy valley, distance over area, a moving edge of stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrlib.plots.style import End, check_labels, finish, note, plain_log, stacked, styled, styles
from lrlib.schedules import Constant, Schedule
from lrlib.theory.rates import rates
from lrlib.theory.two_weights import TwoWeights
from lrlib.theory.valley import Valley

__all__ = [
    "plot_descents",
    "plot_distances",
    "plot_edges",
    "plot_parts",
    "plot_peak_sweep",
    "plot_valley_rates",
]

FAR = 1e6  # curvature of weights that have flown apart


@styled
def plot_valley_rates(valley: Valley, lrs: Mapping[str, float], *, updates: int = 6) -> Figure:
    """Draw the first updates down the steepest direction of a valley, a panel for each fixed rate.

    Exact: at rate eta the mean distance goes m <- (1 - eta l) m, and the height is 1/2 l m^2.

    Parameters
    ----------
    valley : Valley
    lrs : mapping, label -> rate >= 0
    updates : int, >= 1

    Examples
    --------
    >>> figure = plot_valley_rates(Valley(), {"good": 0.5}, updates=2)
    >>> figure.axes[0].lines[1].get_xdata().tolist()
    [-1.0, -0.5, -0.25]
    """
    check_labels("lrs", lrs)
    steepest, paths = float(valley.curvature.max()), {}
    for label, lr in lrs.items():
        shrink = 1.0 - steepest * rates(Constant(), steps=updates, peak_lr=lr)
        paths[label] = -valley.start_distance * np.cumprod([1.0, *shrink])
    reach = 1.08 * max(np.abs(path).max() for path in paths.values())
    ground = np.linspace(-reach, reach, 201)
    figure, all_axes = stacked([1.0] * len(lrs))
    for axes, (label, path) in zip(all_axes, paths.items(), strict=True):
        height = 0.5 * steepest * path**2
        axes.plot(ground, 0.5 * steepest * ground**2, color="#8A8A8A", linewidth=1.2, label="valley")
        axes.plot(path, height, "o-", color="#000000", linewidth=1.2, markersize=4, label=label)
        axes.plot(path[:1], height[:1], "o", color="#C44E00", markersize=7, label="start")
        axes.set_title(f"{label}: rate {lrs[label]:g}")
        axes.set_yticks([])
    all_axes[-1].set_xlabel("distance from the bottom, steepest direction")
    return finish(figure, {})


@styled
def plot_descents(
    valley: Valley,
    plans: Mapping[str, tuple[Schedule, float, int]],
    *,
    rate: bool = True,
    floors: bool = False,
    highest: float | None = None,
) -> Figure:
    """Draw the expected loss in a valley after every update, below the rates.

    Parameters
    ----------
    valley : Valley
    plans : mapping, label -> (schedule, peak_lr, steps)
    rate : bool
        Adds the panel of the rates.
    floors : bool
        Adds a thin line at the noise floor of each plan's peak rate.
    highest : float or None
        Top of the loss axis; a descent that ends above it is marked with an arrow.

    Examples
    --------
    >>> plans = {"constant": (Constant(), 0.5, 2)}
    >>> figure = plot_descents(Valley(directions=1, noise=0.0), plans)
    >>> figure.axes[-1].lines[0].get_ydata().tolist()
    [0.5, 0.125, 0.03125]
    """
    check_labels("plans", plans)
    figure, all_axes = stacked([0.9] * rate + [2.0])
    axes, ends = all_axes[-1], []
    for label, style in styles(plans).items():
        schedule, peak_lr, steps = plans[label]
        loss = valley.trajectory(schedule, steps=steps, peak_lr=peak_lr).loss
        seen = loss < (highest or 1e15) * 1e3  # the axis ends long before; inf cannot be drawn at all
        axes.plot(np.arange(steps + 1)[seen], loss[seen], label=label, **style)
        gone = loss[-1] > (highest or np.inf) or not seen[-1]
        if not gone:
            axes.plot([steps], loss[-1:], "o", color=style["color"], markersize=5, label=f"end of {label}")
        drawn = loss[seen & np.isfinite(loss)]
        end = (highest or drawn[-1]) if gone else loss[-1]
        ends.append(End(end, f"{label} ↑" if gone else f"{label}: {loss[-1]:.2g}", style["color"]))
        if floors and peak_lr < valley.edge:  # above the edge there is none
            thin = {"color": style["color"], "linewidth": 0.8}
            axes.axhline(valley.noise_floor(peak_lr), label=f"floor of {label}", **thin)
        if rate:
            etas = rates(schedule, steps=steps, peak_lr=peak_lr)
            all_axes[0].plot(np.arange(steps), etas, label=label, **style)
    if rate:
        all_axes[0].set_title("learning rate")
        all_axes[0].set_ylim(bottom=0.0)
    axes.set_yscale("log")
    axes.set_ylim(top=highest)
    axes.set_title("expected loss")
    axes.set_xlabel("update")
    plain_log(axes.yaxis)
    return finish(figure, {axes: ends})


@styled
def plot_parts(valley: Valley, plans: Mapping[str, tuple[Schedule, float, int]]) -> Figure:
    """Draw the two parts of the expected loss in a valley, distance and shaking left, below the rates.

    Parameters
    ----------
    valley : Valley
    plans : mapping, label -> (schedule, peak_lr, steps)
        Peak rates below the edge of stability, so that nothing diverges.

    Examples
    --------
    >>> figure = plot_parts(Valley(directions=1), {"constant": (Constant(), 0.5, 2)})
    >>> [axes.lines[0].get_ydata().round(9).tolist() for axes in figure.axes[1:]]
    [[0.5, 0.125, 0.03125], [0.0, 0.0125, 0.015625]]
    """
    check_labels("plans", plans)
    figure, all_axes = stacked([0.9, 1.5, 1.5])
    ends: dict[Axes, list[End]] = {axes: [] for axes in all_axes[1:]}
    for label, style in styles(plans).items():
        schedule, peak_lr, steps = plans[label]
        etas = rates(schedule, steps=steps, peak_lr=peak_lr)
        path = valley.trajectory(schedule, steps=steps, peak_lr=peak_lr)
        if not np.all(np.isfinite(path.loss)):
            raise ValueError(f"plans must not diverge, got {label!r} at peak_lr {peak_lr}; lower it")
        all_axes[0].plot(np.arange(steps), etas, label=label, **style)
        for axes, part in zip(all_axes[1:], (path.distance, path.shaking), strict=True):
            axes.plot(np.arange(steps + 1), part, label=label, **style)
            ends[axes].append(End(part[-1], f"{label}: {part[-1]:.2g}", style["color"]))
    for axes, title in zip(all_axes, ("learning rate", "distance left", "shaking left"), strict=True):
        axes.set_title(title)
        if title.startswith("distance"):
            axes.set_yscale("log")  # on it, the slope is the speed
        else:
            axes.set_ylim(bottom=0.0)
    plain_log(all_axes[1].yaxis)
    all_axes[-1].set_xlabel("update")
    return finish(figure, ends)


@styled
def plot_peak_sweep(
    valley: Valley, schedules: Mapping[str, Schedule], steps: int, peak_lrs: Sequence[float] | None = None
) -> Figure:
    """Draw the expected loss after ``steps`` updates over the peak rate, with best rates and the edge.

    Parameters
    ----------
    valley : Valley
    schedules : mapping, label -> schedule
    steps : int, >= 1
    peak_lrs : sequence of float > 0, or None
        None takes 121 rates from 1/1000 of the edge of stability to 3 times the edge.

    Examples
    --------
    >>> figure = plot_peak_sweep(Valley(), {"constant": Constant()}, 30, [0.1, 1.0])
    >>> figure.axes[0].lines[0].get_xdata().tolist()
    [0.1, 1.0]
    """
    check_labels("schedules", schedules)
    rates = valley.edge * np.geomspace(1e-3, 3.0, 121) if peak_lrs is None else peak_lrs
    start = valley.trajectory(Constant(), steps=1, peak_lr=0.0).loss[0]
    figure, (axes,) = stacked([2.3])
    for label, style in styles(schedules).items():
        loss = valley.sweep(schedules[label], steps=steps, peak_lrs=rates)
        # far above the axis there is nothing to see, and inf cannot be drawn at all
        axes.plot(rates, np.where(loss < 1e6 * start, loss, np.nan), label=label, **style)
        best = valley.best_peak_lr(schedules[label], steps=steps)
        axes.plot([best.peak_lr], [best.loss], "o", color=style["color"], markersize=6, label=f"best {label}")
        how = {"ha": "right", "va": "top", "color": style["color"]}
        note(axes, f"{label}, best {best.peak_lr:.3g}", (best.peak_lr, best.loss), (-5, -3), **how)
    axes.axvline(valley.edge, color="#6B6B6B", linewidth=1.0, linestyle=":", label="edge")
    note(axes, "edge", (valley.edge, 2.0 * start), (-3, -2), ha="right", va="top", color="#6B6B6B")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(axes.dataLim.y0 / 2.5, 2.0 * start)
    axes.set_title(f"expected loss after {steps} updates")
    axes.set_xlabel("peak learning rate")
    plain_log(axes.xaxis)
    plain_log(axes.yaxis)
    return finish(figure, {})


@styled
def plot_distances(valley: Valley, plans: Mapping[str, tuple[Schedule, float, int]]) -> Figure:
    """Draw the distance left in a valley over the area walked, which is the sum of all rates so far.

    A dot marks the end of each plan. Plans of the same area have about the same distance left, whatever their
    shape.

    Parameters
    ----------
    valley : Valley
    plans : mapping, label -> (schedule, peak_lr, steps)

    Examples
    --------
    >>> from lrlib import Constant
    >>> figure = plot_distances(Valley(directions=1), {"constant": (Constant(), 0.5, 2)})
    >>> line = figure.axes[0].lines[0]
    >>> line.get_xdata().tolist(), line.get_ydata().tolist()
    ([0.0, 0.5, 1.0], [0.5, 0.125, 0.03125])
    """
    check_labels("plans", plans)
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
    """Draw the rates of two weights in a row, and the edge of stability before each update.

    Thick: the rate. Thin: the edge 2 / (u**2 + v**2) at the weights before each update. A line ends in a
    cross where the weights diverge; the axis is cut above the rates.

    Parameters
    ----------
    weights : TwoWeights
    plans : mapping, label -> (schedule, peak_lr, steps)

    Examples
    --------
    >>> from lrlib import Constant
    >>> figure = plot_edges(TwoWeights(u=2.0, spread=0.0), {"constant": (Constant(), 0.25, 1)})
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines]
    [[0.25], [0.5, 0.47058823529411764]]
    """
    check_labels("plans", plans)
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
