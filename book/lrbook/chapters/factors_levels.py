"""Accuracies of constant, drop and linear over each factor: what the page on the factors draws and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes

from lrbook.finding import (
    Records,
)
from lrlib.plots.two_widths import COLOR, plain
from lrlib.stats import (
    PairedComparison,
    compare_all,
)
from lrlib.stats.levels import Factor, accuracies_at
from lrlib.stats.rankings import Chosen, leave_one_out

CIFAR10, BUDGETS, MAP, RESNET50 = "survey-laptop", "horizon", "laptop-map-gpu", "resnet50-gpu"
DIGITS, LENGTHS, PEAKS = "survey-digits", "horizon-digits", "peak-digits"
IMAGES, QUESTIONS, NETWORKS, RULE = "data-digits", "task-digits", "network-digits", "warmup-rule"
PATHS = ("path-fast", "path-plain")

#: The studies that have all three schedules, and the schedules: constant is the gray one.
ALL = (CIFAR10, BUDGETS, MAP, RESNET50, DIGITS, LENGTHS, PEAKS, IMAGES, QUESTIONS, NETWORKS)
THREE = ("constant", "drop", "linear")
GRAY, DROP, LINEAR = (COLOR[name] for name in THREE)

#: Level -> schedule -> seed -> final test accuracy.
Levels = Mapping[float | str, Mapping[str, Mapping[int, float]]]


def levels_of(records: Records, factor: Factor, *studies: str, **config) -> Levels:
    """Return the final test accuracies of the three schedules over the levels of a factor."""
    runs = [run for study in studies for name in THREE for run in records.runs(study, name, **config)]
    return accuracies_at(runs, factor)


def rate_levels(records: Records) -> Levels:
    """Return the levels of the peak rate; at the shared one stand the five seeds of the main study."""
    return levels_of(records, "peak_lr", PEAKS) | levels_of(records, "peak_lr", DIGITS)


def map_levels(records: Records) -> Levels:
    """Return the levels of the peak rate on CIFAR-10, of the seeds that have them all."""
    return accuracies_at([run for run in records.blocks(MAP) if run.label in THREE], "peak_lr")


def image_levels(records: Records) -> Levels:
    return levels_of(records, "images", IMAGES, DIGITS)


def question_levels(records: Records) -> Levels:
    return levels_of(records, "task", DIGITS, QUESTIONS)


def network_levels(records: Records, rate: float) -> Levels:
    small = DIGITS if rate == shared_peak(records) else PEAKS
    return levels_of(records, "network", small, NETWORKS, peak_lr=rate)


def length_levels(records: Records) -> Levels:
    return levels_of(records, "epochs", LENGTHS)


def budget_levels(records: Records) -> Levels:
    return levels_of(records, "epochs", BUDGETS, CIFAR10)


def shared_peak(records: Records) -> float:
    """Return the peak rate that the survey gives all schedules."""
    return records[DIGITS][0].config.peak_lr


def means(levels: Levels, name: str) -> dict[float | str, float]:
    return {level: fmean(accuracies[name].values()) for level, accuracies in levels.items()}


def own_rates(levels: Levels, name: str) -> list[Chosen]:
    """Return, over levels of the peak rate, each seed's end at the rate that the other seeds find best."""
    return leave_one_out({float(rate): accuracies[name] for rate, accuracies in levels.items()})


def ends_at(levels: Levels, name: str, level: float | str) -> list[float]:
    return list(levels[level][name].values())


def against_constant(levels: Levels, level: float | str, name: str = "linear") -> PairedComparison:
    """Return a schedule against the constant rate at one level; its interval is this pair's alone."""
    pair = {each: levels[level][each] for each in (name, "constant")}
    return compare_all(pair, pairs=[(name, "constant")])[0]


def ranked(accuracies: Mapping[str, float]) -> tuple[str, ...]:
    """Return schedules, the highest first."""
    return tuple(sorted(accuracies, key=accuracies.__getitem__, reverse=True))


def draw_levels(axes: Axes, levels: Levels, *, error: bool = False) -> None:
    """Draw the three schedules over levels that are numbers: dots are seeds, lines join their means."""
    for name in THREE:
        color = COLOR[name]
        for level, accuracies in levels.items():
            values = [1 - value if error else value for value in accuracies[name].values()]
            axes.plot([level] * len(values), values, "o", color=color, markersize=4.5, alpha=0.55, mew=0)
        mean = [1 - value if error else value for value in means(levels, name).values()]
        axes.plot(list(levels), mean, color=color, linewidth=2.2)


def log_axis(axes: Axes, ticks: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xticks(ticks)
    plain(axes.xaxis)
