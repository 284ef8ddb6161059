"""The book's figures: shapes, runs, and the noisy valley.

Figures are narrow and stacked for phones, with dark ink on no ground (in dark mode the page inverts them).
They are made without pyplot: a notebook shows the returned figure once, and no state is left behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lrlib._checks import check_int
from lrlib.plots.style import (
    STYLE_OF,
    End,
    finish,
    note,
    plain_log,
    stacked,
    style_of,
    styled,
    styles,
    use_style,
)
from lrlib.schedules import Constant, DropDecay, Schedule
from lrlib.stats.curves import drops
from lrlib.theory.rates import rates
from lrlib.theory.valley import Valley

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "STYLE_OF",
    "plot_descents",
    "plot_parts",
    "plot_peak_sweep",
    "plot_runs",
    "plot_shapes",
    "plot_valley_rates",
    "style_of",
    "use_style",
]

# quantity of a run -> (title of its panel, word at the end of its line)
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
        A label whose first word is a recipe's name wears its colour and dash.
    total_steps : int, >= 1
    steps_per_epoch : int, >= 1, or None
        Counts the axis in epochs; None counts updates.
    peak_lr : float, >= 0

    Raises
    ------
    TypeError, ValueError
        For an argument outside its range, or no schedule.

    Examples
    --------
    >>> from lrlib.schedules import LinearDecay
    >>> figure = plot_shapes({"linear": LinearDecay(total_steps=10)}, total_steps=10, peak_lr=0.1)
    >>> figure.axes[0].lines[0].get_ydata()[:2].round(3).tolist()
    [0.1, 0.09]
    """
    _some_labels("schedules", schedules)
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


@styled
def plot_runs(
    runs: Sequence[Run] | Mapping[str, Run | Sequence[Run]],
    quantities: Sequence[str | Sequence[str]] = SURVEY_PANELS,
    *,
    rate: bool = False,
) -> Figure:
    """Draw what runs measured in each epoch: a panel for each quantity, or group of quantities.

    Runs of one schedule share colour and dash: a thin line a seed, and their mean thick where there are
    several. Training is drawn thinner than test. At the ends stand the values after the last epoch.

    Parameters
    ----------
    runs : sequence of Run, or mapping label -> Run or sequence of Run
        A sequence is grouped by the schedules' names.
    quantities : sequence
        Names of columns of a run; the names of one group share a panel.
    rate : bool
        Adds a strip with the rates of the first and last update of every epoch, as the optimizer had them
        (and the steps of drop-based decay in between).

    Raises
    ------
    TypeError, ValueError
        If there is no run or no quantity, or a quantity has no such name.

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
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:g}%"))
        else:
            axes.set_ylim(bottom=0.0)
    if rate:
        _draw_rates(all_axes[-1], groups)
    all_axes[-1].set_xlabel("epoch")
    all_axes[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return finish(figure, ends)


@styled
def plot_valley_rates(valley: Valley, lrs: Mapping[str, float], *, updates: int = 6) -> Figure:
    """Draw the first updates down the steepest direction of a valley, a panel for each fixed rate.

    Exact: at rate eta the mean distance is m <- (1 - eta l) m, and the height 1/2 l m^2.

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
    _some_labels("lrs", lrs)
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
        Top of the loss axis: what diverges leaves through it.

    Examples
    --------
    >>> plans = {"constant": (Constant(), 0.5, 2)}
    >>> figure = plot_descents(Valley(directions=1, noise=0.0), plans)
    >>> figure.axes[-1].lines[0].get_ydata().tolist()
    [0.5, 0.125, 0.03125]
    """
    _some_labels("plans", plans)
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
    """Draw the two parts of the expected loss in a valley apart, below the rates: distance and shaking left.

    Parameters
    ----------
    valley : Valley
    plans : mapping, label -> (schedule, peak_lr, steps)
        Peak rates below the edge of stability, so that nothing diverges.

    Raises
    ------
    TypeError, ValueError
        If there is no plan, or the parts of one pass the range of a float.

    Examples
    --------
    >>> figure = plot_parts(Valley(directions=1), {"constant": (Constant(), 0.5, 2)})
    >>> [axes.lines[0].get_ydata().round(9).tolist() for axes in figure.axes[1:]]
    [[0.5, 0.125, 0.03125], [0.0, 0.0125, 0.015625]]
    """
    _some_labels("plans", plans)
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
    _some_labels("schedules", schedules)
    if peak_lrs is None:
        peak_lrs = valley.edge * np.geomspace(1e-3, 3.0, 121)
    start = valley.trajectory(Constant(), steps=1, peak_lr=0.0).loss[0]
    figure, (axes,) = stacked([2.3])
    for label, style in styles(schedules).items():
        loss = valley.sweep(schedules[label], steps=steps, peak_lrs=peak_lrs)
        # far above the axis there is nothing to see, and inf cannot be drawn at all
        axes.plot(peak_lrs, np.where(loss < 1e6 * start, loss, np.nan), label=label, **style)
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
    columns = [run.column(name) for run in runs]
    # a run that diverged is shorter; where one is missing, there is no mean
    table = np.full((len(runs), max(map(len, columns))), np.nan)
    for row, column in zip(table, columns, strict=True):
        row[: len(column)] = np.where(np.isfinite(column), column, np.nan)
    epochs = np.arange(1, table.shape[1] + 1)
    for run, row in zip(runs, table, strict=True) if len(runs) > 1 else ():
        seed = f"{label}, {name}, seed {run.config.seed}"
        axes.plot(epochs, row, color=style["color"], linewidth=0.6, alpha=0.6, label=seed)
    # exact, as in the book's words: 82.2 in a sentence is not 82.3 in its figure
    mean = np.array([fmean(column) for column in table.T])
    width = 1.2 if name.startswith("train") else 2.2
    axes.plot(epochs, mean, label=f"{label}, {name}", linewidth=width, **style)
    return mean


def _draw_rates(axes: Axes, groups: dict[str, list[Run]]) -> None:
    for label, style in styles(groups).items():
        run = groups[label][0]
        points = []
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


def _some_labels(name: str, labelled: Mapping) -> None:
    if not isinstance(labelled, Mapping):
        raise TypeError(f"{name} must map labels to values, got {labelled!r}")
    if not labelled:
        raise ValueError(f"{name} must hold at least one label, got none")
