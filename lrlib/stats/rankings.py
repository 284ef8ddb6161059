"""Rankings: how they move when each schedule shows one run only, and a peak rate chosen for each schedule.

Accuracies are fractions in [0, 1]; `lrlib.stats.by_seed` gives them from the runs of one study.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrlib._checks import check_int
from lrlib.runs.store import load_runs, studies
from lrlib.schedules.recipes import SURVEY, in_order
from lrlib.stats.outcomes import by_seed
from lrlib.stats.paired import SAME

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "Chosen",
    "Drawn",
    "by_peak",
    "enough_seeds",
    "first_places",
    "leave_one_out",
    "orders",
    "shuffle",
    "shuffles",
]

Accuracies = Mapping[str, Mapping[int, float]]


class Drawn(NamedTuple):
    """One schedule in a drawn ranking: the seed of its drawn run, and that run's accuracy.

    Examples
    --------
    >>> Drawn("linear", 3, 0.75).accuracy
    0.75
    """

    schedule: str
    seed: int
    accuracy: float


def enough_seeds(*names: str, least: int = 2) -> tuple[str, dict[str, dict[int, float]]]:
    """Return the first study that has so many seeds of each of the survey's schedules, and its accuracies.

    Parameters
    ----------
    *names : str
        Studies, the one wanted most first; those without a record are passed over.
    least : int
        Seeds of each schedule, >= 1.

    Examples
    --------
    >>> enough_seeds("pilot-laptop")
    Traceback (most recent call last):
        ...
    ValueError: none of the studies pilot-laptop has 2 seeds of each of the eight schedules; record more
    """
    least = check_int("least", least, least=1)
    for name in names:
        if name in studies():
            accuracies = by_seed(load_runs(name))
            if all(len(accuracies.get(schedule, ())) >= least for schedule in SURVEY):
                return name, {schedule: accuracies[schedule] for schedule in SURVEY}
    wanted = f"has {least} seeds of each of the eight schedules"
    raise ValueError(f"none of the studies {', '.join(names)} {wanted}; record more")


def shuffle(accuracies: Accuracies, *, seed: int) -> list[Drawn]:
    """Return a ranking of one recorded run for each schedule, drawn at random: a table of single runs.

    Equal accuracies keep the order of `accuracies`.

    Parameters
    ----------
    accuracies : mapping, schedule -> seed -> accuracy
        At least one schedule, and one run of each.
    seed : int
        >= 0; of the draw, not of a run. The same one draws the same again.

    Examples
    --------
    >>> values = {"constant": {1: 0.5}, "linear": {1: 0.75, 2: 0.75}}
    >>> [drawn.schedule for drawn in shuffle(values, seed=0)]
    ['linear', 'constant']
    """
    draw = random.Random(check_int("seed", seed, least=0))  # noqa: S311  to be drawn again, not a secret
    drawn = []
    for schedule, runs in _some(accuracies).items():
        # Each schedule by itself, not one seed for all: the survey's single runs, without a seed, share none.
        # Sorted, as the order in which records were read must not change the draw.
        number = draw.choice(sorted(runs))
        drawn.append(Drawn(schedule, number, runs[number]))
    return sorted(drawn, key=lambda each: -each.accuracy)


def shuffles(accuracies: Accuracies, *, draws: int, seed: int) -> dict[str, float]:
    """Return the share of many shuffles in which each schedule came first, ties shared.

    It estimates by counting what `first_places` computes exactly.

    Parameters
    ----------
    accuracies, seed
        As in `shuffle`; draw k has the seed ``seed + k``.
    draws : int
        >= 1.

    Examples
    --------
    >>> shuffles({"constant": {1: 0.5, 2: 0.5}, "linear": {1: 0.75}}, draws=10, seed=0)
    {'constant': 0.0, 'linear': 1.0}
    """
    wins = dict.fromkeys(_some(accuracies), 0.0)
    for k in range(check_int("draws", draws, least=1)):
        ranking = shuffle(accuracies, seed=check_int("seed", seed, least=0) + k)
        first = [each for each in ranking if each.accuracy > ranking[0].accuracy - SAME]
        for each in first:
            wins[each.schedule] += 1 / len(first)
    return {schedule: count / draws for schedule, count in wins.items()}


def first_places(accuracies: Accuracies) -> dict[str, float]:
    """Return the chance of each schedule to come first if one run of each is drawn; exact, ties shared.

    Over all draws, each equally likely: for a run of schedule i with accuracy v, the product over the
    others of (share below v + share level with v * z) is a polynomial in z whose coefficient k is the
    chance that k others tie with it; then i has 1 / (k + 1) of the first place.

    Examples
    --------
    >>> first_places({"constant": {1: 0.5, 2: 0.75}, "linear": {1: 0.75}})
    {'constant': 0.25, 'linear': 0.75}
    """
    # The polynomial and no enumeration: 5 runs of each of 8 schedules make 5 ** 8 = 390,625 draws.
    columns = {schedule: list(runs.values()) for schedule, runs in _some(accuracies).items()}
    chances = {}
    for schedule, mine in columns.items():
        chance = 0.0
        for value in mine:
            ties = [1.0]  # ties[k]: chance that k others are level and none is above
            for other, theirs in columns.items():
                if other == schedule:
                    continue
                # Within SAME: what differs by rounding only is a tie.
                below = sum(x < value - SAME for x in theirs) / len(theirs)
                level = sum(abs(x - value) <= SAME for x in theirs) / len(theirs)
                pairs = zip([*ties, 0.0], [0.0, *ties], strict=True)
                ties = [below * same + level * fewer for same, fewer in pairs]
            chance += sum(share / (k + 1) for k, share in enumerate(ties)) / len(mine)
        chances[schedule] = chance
    return chances


def orders(accuracies: Accuracies, *, draws: int, seed: int) -> int:
    """Return the number of different rankings among so many shuffles; arguments as for `shuffles`.

    Examples
    --------
    >>> orders({"constant": {1: 0.5, 2: 0.8}, "linear": {1: 0.75}}, draws=100, seed=0)
    2
    """
    rankings = set()
    for k in range(check_int("draws", draws, least=1)):
        rankings.add(tuple(each.schedule for each in shuffle(accuracies, seed=seed + k)))
    return len(rankings)


def by_peak(runs: Iterable[Run]) -> dict[str, dict[float, dict[int, float]]]:
    """Return the final accuracies of a study over peak rates: schedule -> peak rate -> seed -> accuracy.

    Schedules stand in the order of `RECIPES`, peak rates from the smallest.

    Parameters
    ----------
    runs : iterable of Run
        At least one; alike in all but schedule, seed and peak rate.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> {name: list(peaks) for name, peaks in by_peak(load_runs("pilot-laptop")).items()}
    {'constant': [0.1], 'linear': [0.1]}
    """
    runs = sorted(runs, key=lambda run: run.config.peak_lr)
    if not runs:
        raise ValueError("runs must hold at least one run, got none")
    # by_seed sees one rate at a time: a second setting that changes from rate to rate would pass unseen.
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


class Chosen(NamedTuple):
    """One seed left out: the peak rate that the other seeds chose, and this seed's accuracy there.

    Examples
    --------
    >>> Chosen(1, 0.1, 0.75).peak_lr
    0.1
    """

    left_out: int
    peak_lr: float
    accuracy: float


def leave_one_out(peaks: Mapping[float, Mapping[int, float]]) -> list[Chosen]:
    """Return, for each seed, the peak rate that the other seeds choose, and the accuracy of this seed there.

    The others choose the rate with the highest mean, the smaller rate at a tie. Seeds that some rate lacks
    take no part. With fewer than two seeds the list is empty.

    Parameters
    ----------
    peaks : mapping, peak rate -> seed -> accuracy
        Of one schedule, at least one rate.

    Examples
    --------
    >>> peaks = {0.1: {1: 0.9, 2: 0.5}, 0.2: {1: 0.75, 2: 0.75}}
    >>> leave_one_out(peaks)  # seed 2 likes 0.2, seed 1 likes 0.1
    [Chosen(left_out=1, peak_lr=0.2, accuracy=0.75), Chosen(left_out=2, peak_lr=0.1, accuracy=0.5)]
    """
    if not peaks:
        raise ValueError("peaks must hold at least one peak rate, got none")
    # Seeds of all rates: a rate's mean over other seeds than its neighbours' would be compared with luck.
    shared = sorted(set.intersection(*(set(seeds) for seeds in peaks.values())))
    chosen = []
    for left_out in shared if len(shared) > 1 else []:
        # The seed that reports has no say. Chosen by all seeds and reported on the same, the maximum over the
        # rates would be too high on average: it picks the rate on which these seeds were lucky.
        others = [seed for seed in shared if seed != left_out]
        best, highest = math.nan, -math.inf
        for peak_lr in sorted(peaks):
            mean = fmean(peaks[peak_lr][seed] for seed in others)
            if mean > highest + SAME:  # ascending, and only a real gain moves on: the smaller rate at a tie
                best, highest = peak_lr, mean
        chosen.append(Chosen(left_out, best, peaks[best][left_out]))
    return chosen


def _some(accuracies: Accuracies) -> Accuracies:
    if not accuracies:
        raise ValueError("accuracies must hold at least one schedule, got none")
    for schedule, runs in accuracies.items():
        if not runs:
            raise ValueError(f"accuracies[{schedule!r}] must hold at least one run, got none")
    return accuracies
