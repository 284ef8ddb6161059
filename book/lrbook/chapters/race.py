"""One fixed peak rate is not a fair race: each schedule at a rate of its own, chosen without peeking."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters._write import listed, results_table
from lrlib.schedules.recipes import in_order
from lrlib.stats import SAME, by_seed

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["Chosen", "by_peak", "leave_one_out", "race_table", "raced"]

Grid = Mapping[str, Mapping[float, Mapping[int, float]]]


class Chosen(NamedTuple):
    """One seed left out: the peak rate that the other seeds chose, and what this seed has there.

    Examples
    --------
    >>> Chosen(1, 0.1, 0.75).peak_lr
    0.1
    """

    left_out: int
    peak_lr: float
    accuracy: float


def by_peak(runs: Iterable[Run]) -> dict[str, dict[float, dict[int, float]]]:
    """Return the final accuracies of a study over peak rates: schedule -> peak rate -> seed.

    Schedules stand in the order of `RECIPES`, peak rates from the smallest.

    Raises ValueError if there is no run, or runs differ in more than schedule, seed and peak rate.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> {name: list(peaks) for name, peaks in by_peak(load_runs("pilot-laptop")).items()}
    {'constant': [0.1], 'linear': [0.1]}
    """
    runs = sorted(runs, key=lambda run: run.config.peak_lr)
    if not runs:
        raise ValueError("runs must hold at least one run, got none")
    for run in runs:
        for field, value in run.config:
            if field not in ("seed", "recipe", "peak_lr") and value != getattr(runs[0].config, field):
                first = getattr(runs[0].config, field)
                got = f"{field} = {first!r} and {value!r}"
                raise ValueError(f"runs must differ in schedule, seed and peak rate only, got {got}")
    grid: dict[str, dict[float, dict[int, float]]] = {}
    for peak_lr, group in groupby(runs, key=lambda run: run.config.peak_lr):
        for schedule, seeds in by_seed(group).items():
            grid.setdefault(schedule, {})[peak_lr] = seeds
    return {schedule: grid[schedule] for schedule in in_order(grid)}


def leave_one_out(peaks: Mapping[float, Mapping[int, float]]) -> list[Chosen]:
    """Choose a peak rate without the run that is then reported: each seed is left out in turn.

    The others choose the rate with the highest mean, the smaller rate at a tie; the one left out reports.
    To choose by all seeds and report their mean there would reward the rate that was lucky.
    Seeds that some rate lacks take no part. With fewer than two seeds the list is empty.

    Parameters
    ----------
    peaks : mapping, peak rate -> seed -> accuracy
        Of one schedule.

    Examples
    --------
    >>> peaks = {0.1: {1: 0.9, 2: 0.5}, 0.2: {1: 0.75, 2: 0.75}}
    >>> leave_one_out(peaks)  # seed 2 likes 0.2, seed 1 likes 0.1
    [Chosen(left_out=1, peak_lr=0.2, accuracy=0.75), Chosen(left_out=2, peak_lr=0.1, accuracy=0.5)]
    """
    if not peaks:
        raise ValueError("peaks must hold at least one peak rate, got none")
    shared = sorted(set.intersection(*(set(seeds) for seeds in peaks.values())))
    chosen = []
    for left_out in shared if len(shared) > 1 else []:
        others = [seed for seed in shared if seed != left_out]
        best, highest = math.nan, -math.inf
        for peak_lr in sorted(peaks):
            mean = fmean(peaks[peak_lr][seed] for seed in others)
            if mean > highest + SAME:
                best, highest = peak_lr, mean
        chosen.append(Chosen(left_out, best, peaks[best][left_out]))
    return chosen


def race_table(grid: Mapping[str, Mapping[float, Mapping[int, float]]], *, fixed: float = 0.1) -> str:
    """Return as HTML what each schedule reaches at one fixed peak rate, and at a rate of its own.

    Its own: `leave_one_out`, so that no seed reports at a rate that it helped to choose; means
    over the seeds, and the rates that were chosen.

    Parameters
    ----------
    grid : mapping, schedule -> peak rate -> seed -> accuracy
        As `by_peak` gives it.
    fixed : float

    Examples
    --------
    >>> html = race_table({"linear": {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75, 2: 0.5}}})
    >>> "<td>50.0%<br><small>n = 2</small></td><td>50.0%<br><small>n = 2</small></td><td>0.1, 0.3" in html
    True
    """
    rows = []
    for schedule, peaks in grid.items():
        at, chosen = list(peaks.get(fixed, {}).values()), leave_one_out(peaks)
        own = [each.accuracy for each in chosen]
        rates = ", ".join(f"{rate:g}" for rate in sorted({each.peak_lr for each in chosen}))
        rows.append([schedule, *map(_share, (at, own)), rates or "–"])
    return results_table(["schedule", f"at {fixed:g}", "at its own", "chosen"], rows)


def raced(grid: Grid, *, fixed: float = 0.1) -> str:
    """Return in words how far the schedules' means lie apart at one fixed peak rate, and each at its own.

    Only schedules that have both take part. The last sentence says what picking a rate by all seeds, and
    reporting the same seeds, would have promised beyond `leave_one_out`, on average.

    Parameters
    ----------
    grid : mapping, schedule -> peak rate -> seed -> accuracy
    fixed : float

    Examples
    --------
    >>> print(raced({"linear": {0.1: {1: 0.5}}}))
    A rate of its own needs two seeds at every rate, of two schedules at least; they are not recorded yet.
    """
    at, own, promised = [], [], []
    for peaks in grid.values():
        chosen = leave_one_out(peaks)
        if chosen and fixed in peaks:
            seeds = [each.left_out for each in chosen]
            means = {rate: fmean(values[seed] for seed in seeds) for rate, values in peaks.items()}
            at.append(means[fixed])
            own.append(fmean(each.accuracy for each in chosen))
            promised.append(max(means.values()))
    if len(own) < 2:
        return (
            "A rate of its own needs two seeds at every rate, of two schedules at least; "
            "they are not recorded yet."
        )
    # from the means as the table prints them, so that a reader who subtracts finds the same
    shown = ([round(100 * mean, 1) for mean in means] for means in (at, own))
    before, after = (max(means) - min(means) for means in shown)
    if after < before / 2:
        meaning = "The gap is less than half as wide where each has a rate that suits it."
    elif after < before:
        meaning = "The gap is narrower where each has a rate that suits it."
    else:
        meaning = "The gap does not shrink where each has a rate that suits it."
    optimism = 100 * (fmean(promised) - fmean(own))
    return (
        f"At the one rate {fixed:g}, the means of {len(at)} schedules lie {before:.1f} points apart; each at "
        f"its own, {after:.1f} points. {meaning} Picking by all seeds, and reporting the same, would have "
        f"shown {optimism:+.2f} points on average.{_at_the_edge(grid)}"
    )


def _at_the_edge(grid: Grid) -> str:
    """Return which schedules chose an end of the grid, so that their best rate may lie outside, in words."""
    said = ""
    for side, end in (("lowest", min), ("highest", max)):
        names = [
            schedule
            for schedule, peaks in grid.items()
            if any(each.peak_lr == end(peaks) for each in leave_one_out(peaks))
        ]
        if names:
            said += f" Some seeds chose the {side} rate of the grid for {listed(names)}: "
            said += "a better one may lie outside."
    return said


def _share(values: Sequence[float]) -> str | tuple[str, str]:
    return (f"{fmean(values):.1%}", f"n = {len(values)}") if values else "no run yet"
