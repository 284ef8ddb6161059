"""Accuracies of constant, drop and linear over each factor: what the page on the factors draws and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
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

CIFAR10, BUDGETS, MAP, SLOW, RESNET50 = (
    "survey-laptop",
    "horizon",
    "laptop-map-gpu",
    "peak-laptop",
    "resnet50-gpu",
)
DIGITS, LENGTHS, PEAKS = "survey-digits", "horizon-digits", "peak-digits"
IMAGES, QUESTIONS, NETWORKS, RULE = "data-digits", "task-digits", "network-digits", "warmup-rule"
PATHS = ("path-fast", "path-plain")

#: The studies that have all three schedules, and the schedules: constant is the gray one.
ALL = (CIFAR10, BUDGETS, MAP, RESNET50, DIGITS, LENGTHS, PEAKS, IMAGES, QUESTIONS, NETWORKS)
THREE = ("constant", "drop", "linear")
GRAY, DROP, LINEAR = (COLOR[name] for name in THREE)

#: Level -> schedule -> seed -> final test accuracy.
Levels = Mapping[float | str, Mapping[str, Mapping[int, float]]]


def levels(records: Records, factor: Factor, *studies: str, **config) -> Levels:
    """Return the final test accuracies of the three schedules over the levels of a factor."""
    runs = [run for study in studies for name in THREE for run in records.runs(study, name, **config)]
    return accuracies_at(runs, factor)


def rates(records: Records) -> Levels:
    """Return the levels of the peak rate; at the shared one stand the five seeds of the main study."""
    return levels(records, "peak_lr", PEAKS) | levels(records, "peak_lr", DIGITS)


def images(records: Records) -> Levels:
    return levels(records, "images", IMAGES, DIGITS)


def questions(records: Records) -> Levels:
    return levels(records, "task", DIGITS, QUESTIONS)


def networks(records: Records, rate: float) -> Levels:
    small = DIGITS if rate == peak(records) else PEAKS
    return levels(records, "network", small, NETWORKS, peak_lr=rate)


def lengths(records: Records) -> Levels:
    return levels(records, "epochs", LENGTHS)


def budgets(records: Records) -> Levels:
    return levels(records, "epochs", BUDGETS, CIFAR10)


def peak(records: Records) -> float:
    """Return the peak rate that the survey gives all schedules."""
    return records[DIGITS][0].config.peak_lr


def means(levels: Levels, name: str) -> dict[float | str, float]:
    return {level: fmean(accuracies[name].values()) for level, accuracies in levels.items()}


def ends(levels: Levels, name: str, level: float | str) -> list[float]:
    return list(levels[level][name].values())


def compared(levels: Levels, level: float | str, name: str = "linear") -> PairedComparison:
    """Return a schedule against the constant rate at one level; its interval is this pair's alone."""
    pair = {each: levels[level][each] for each in (name, "constant")}
    return compare_all(pair, pairs=[(name, "constant")])[0]


def order(accuracies: Mapping[str, float]) -> tuple[str, ...]:
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


@cache
def weights(network: str) -> int:
    """Return how many numbers a network for the digits trains."""
    from lrlib.training.networks import build  # loads torch, which the figures do without

    return sum(part.numel() for part in build(network, in_channels=1, classes=10, seed=0).parameters())
