"""Final accuracies over the levels of one factor: peak rate, epochs, network and others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrlib.schedules.recipes import in_order
from lrlib.stats.outcomes import FAILED, by_seed
from lrlib.stats.paired import FEWEST, SAME, interval, paired_differences

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["AtLevel", "Peak", "accuracies_at", "by_level", "leaders", "peaks"]

#: A factor: a field or property of the config, such as "epochs", or a function of the run.
Factor = str | Callable[["Run"], float | str]


def accuracies_at(runs: Iterable[Run], factor: Factor) -> dict[float | str, dict[str, dict[int, float]]]:
    """Return final test accuracies: level -> schedule -> seed -> accuracy.

    Levels that are numbers ascend; words stand in the order in which they come.

    Parameters
    ----------
    runs : iterable of Run
        At least one. Those of one level differ in schedule and seed only (`lrlib.stats.by_seed`).
    factor : str or function
        Name of a field or property of `RunConfig`, such as "epochs" or "images"; or a function of the run.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> accuracies_at(load_runs("pilot-laptop"), "epochs")[30].keys()
    dict_keys(['constant', 'linear'])
    """
    groups: dict[float | str, list[Run]] = {}
    for run in runs:
        groups.setdefault(factor(run) if callable(factor) else getattr(run.config, factor), []).append(run)
    if not groups:
        raise ValueError("runs must hold at least one run, got none; record the study first")
    levels = list(groups) if any(isinstance(level, str) for level in groups) else sorted(groups)
    return {level: by_seed(groups[level]) for level in levels}


def by_level(runs: Iterable[Run], factor: Factor) -> dict[str, dict[float | str, list[float]]]:
    """Return final test accuracies: schedule -> level -> values, one a seed.

    It is what `lrlib.plots.plot_levels` draws. Arguments as for `accuracies_at`.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> groups = by_level(load_runs("pilot-laptop"), "epochs")
    >>> {label: {level: len(values) for level, values in levels.items()} for label, levels in groups.items()}
    {'constant': {30: 1}, 'linear': {30: 1}}
    """
    groups: dict[str, dict[float | str, list[float]]] = {}
    for level, accuracies in accuracies_at(runs, factor).items():
        for label, seeds in accuracies.items():
            groups.setdefault(label, {})[level] = [seeds[seed] for seed in sorted(seeds)]
    return {label: groups[label] for label in in_order(groups)}


class AtLevel(NamedTuple):
    """Who leads at one level of a factor, and how many runs failed there.

    Parameters
    ----------
    level : float or str
    leaders : tuple of str
        Schedules with the highest mean, several if they tie; none where there is nothing to compare.
    interval : tuple of float
        95 % t interval of the paired difference of two schedules; (nan, nan) below `FEWEST` seeds.
    runs, failed : int
        All runs of the level, and those below `lrlib.stats.FAILED`.

    Examples
    --------
    >>> AtLevel(0.1, ("linear",), interval=(0.01, 0.03), runs=6, failed=0).leaves_out_zero
    True
    """

    level: float | str
    leaders: tuple[str, ...]
    interval: tuple[float, float]
    runs: int
    failed: int

    @property
    def tested(self) -> bool:
        """Whether there are seeds enough for an interval."""
        return not math.isnan(self.interval[0])

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        low, high = self.interval
        return low > 0 or high < 0  # False for nan


def leaders(
    runs: Iterable[Run], factor: Factor, *, schedule: str = "linear", reference: str = "constant"
) -> list[AtLevel]:
    """Return who leads at each level, and the paired difference of a schedule from a reference there.

    A level has no leader if every run failed, or if it has one schedule and other levels have more.

    Parameters
    ----------
    runs, factor
        As for `accuracies_at`.
    schedule, reference : str
        Pair of the interval.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> [(at.level, at.leaders) for at in leaders(load_runs("pilot-laptop"), "epochs")]
    [(30, ('linear',))]
    """
    levels = accuracies_at(runs, factor)
    labels = {label for accuracies in levels.values() for label in accuracies}
    found = []
    for level, accuracies in levels.items():
        means = {label: fmean(seeds.values()) for label, seeds in accuracies.items()}
        best = tuple(label for label in in_order(means) if means[label] > max(means.values()) - SAME)
        lost = [x < FAILED for seeds in accuracies.values() for x in seeds.values()]
        # Among runs that all failed the highest is the luckiest guess, and a schedule alone beats nobody.
        compared = not all(lost) and (len(accuracies) > 1 or len(labels) == 1)
        differences = list(paired_differences(accuracies, schedule, reference).values())
        around = interval(differences, least=FEWEST) if differences else (math.nan, math.nan)
        found.append(AtLevel(level, best if compared else (), around, len(lost), sum(lost)))
    return found


class Peak(NamedTuple):
    """The runs of one schedule at one peak rate: final accuracies, and how many failed.

    >>> Peak(accuracies=(0.9, 0.25), failed=1).failed
    1
    """

    accuracies: tuple[float, ...]
    failed: int


def peaks(runs: Iterable[Run], *, schedules: Sequence[str]) -> dict[float, dict[str, Peak]]:
    """Return peak rate -> schedule -> its runs, on the seeds that all schedules have there.

    A peak rate without such a seed is left out. A run below `lrlib.stats.FAILED` has failed.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> found = peaks(load_runs("pilot-laptop"), schedules=["constant", "linear"])
    >>> {peak_lr: [peak.failed for peak in row.values()] for peak_lr, row in found.items()}
    {0.1: [0, 0]}
    """
    mine = [run for run in runs if run.label in schedules]
    found = {}
    for peak_lr, accuracies in (accuracies_at(mine, "peak_lr") if mine else {}).items():
        # Failures are counted, so each schedule must have had the same chances to fail.
        seeds = sorted(set.intersection(*(set(accuracies.get(label, ())) for label in schedules)))
        if seeds:
            rows = {label: tuple(accuracies[label][seed] for seed in seeds) for label in schedules}
            found[float(peak_lr)] = {
                label: Peak(row, sum(x < FAILED for x in row)) for label, row in rows.items()
            }
    return found
