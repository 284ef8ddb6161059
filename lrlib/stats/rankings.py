"""Luck: how a ranking moves when each schedule shows one run only.

Accuracies are fractions in [0, 1]; `lrlib.stats.by_seed` gives them from the runs of one study.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from lrlib._checks import check_int
from lrlib.runs.record import load_runs, studies
from lrlib.schedules.recipes import SURVEY
from lrlib.stats.outcomes import by_seed
from lrlib.stats.paired import SAME

__all__ = [
    "Drawn",
    "enough_seeds",
    "first_places",
    "orders",
    "shuffle",
    "shuffles",
]

Accuracies = Mapping[str, Mapping[int, float]]


class Drawn(NamedTuple):
    """One schedule in a drawn ranking: the seed that it was given, and that run's accuracy.

    Examples
    --------
    >>> Drawn("linear", 3, 0.75).accuracy
    0.75
    """

    schedule: str
    seed: int
    accuracy: float


def enough_seeds(*names: str, least: int = 2) -> tuple[str, dict[str, dict[int, float]]]:
    """Return the first study that has so many seeds of each of the eight schedules, and its accuracies.

    Parameters
    ----------
    *names : str
        Studies, the one wanted most first; those without a record are passed over.
    least : int
        Seeds of each schedule, >= 1.

    Raises
    ------
    ValueError
        If there is no such study.

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
    """Draw one recorded run for each schedule and rank them: what a table of single runs would show.

    Schedules are drawn apart, since single runs without a seed, as the survey's, share none. Equal
    accuracies keep the order of `accuracies`.

    Parameters
    ----------
    accuracies : mapping, schedule -> seed -> accuracy
    seed : int
        >= 0; of the draw, not of a run. The same one draws the same again.

    Raises
    ------
    TypeError, ValueError
        If there is no schedule, one has no run, or the seed is no integer >= 0.

    Examples
    --------
    >>> values = {"constant": {1: 0.5}, "linear": {1: 0.75, 2: 0.75}}
    >>> [drawn.schedule for drawn in shuffle(values, seed=0)]
    ['linear', 'constant']
    """
    draw = random.Random(check_int("seed", seed, least=0))
    drawn = []
    for schedule, runs in _some(accuracies).items():
        number = draw.choice(sorted(runs))
        drawn.append(Drawn(schedule, number, runs[number]))
    return sorted(drawn, key=lambda each: -each.accuracy)


def shuffles(accuracies: Accuracies, *, draws: int, seed: int) -> dict[str, float]:
    """Shuffle many times; return the share of draws in which each schedule came first, ties shared.

    The slow and plain way to what `first_places` computes exactly.

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
    chance that k others tie with it; then i has 1 / (k + 1) of the first place. So 5 runs of 8 schedules,
    390,625 draws, need no enumeration.

    Examples
    --------
    >>> first_places({"constant": {1: 0.5, 2: 0.75}, "linear": {1: 0.75}})
    {'constant': 0.25, 'linear': 0.75}
    """
    columns = {schedule: list(runs.values()) for schedule, runs in _some(accuracies).items()}
    chances = {}
    for schedule, mine in columns.items():
        chance = 0.0
        for value in mine:
            ties = [1.0]  # ties[k]: chance that k others are level and none is above
            for other, theirs in columns.items():
                if other == schedule:
                    continue
                below = sum(x < value - SAME for x in theirs) / len(theirs)
                level = sum(abs(x - value) <= SAME for x in theirs) / len(theirs)
                pairs = zip([*ties, 0.0], [0.0, *ties], strict=True)
                ties = [below * same + level * fewer for same, fewer in pairs]
            chance += sum(share / (k + 1) for k, share in enumerate(ties)) / len(mine)
        chances[schedule] = chance
    return chances


def orders(accuracies: Accuracies, *, draws: int, seed: int) -> int:
    """Return how many different rankings so many shuffles give.

    Examples
    --------
    >>> orders({"constant": {1: 0.5, 2: 0.8}, "linear": {1: 0.75}}, draws=100, seed=0)
    2
    """
    rankings = set()
    for k in range(check_int("draws", draws, least=1)):
        rankings.add(tuple(each.schedule for each in shuffle(accuracies, seed=seed + k)))
    return len(rankings)


def _some(accuracies: Accuracies) -> Accuracies:
    if not accuracies:
        raise ValueError("accuracies must hold at least one schedule, got none")
    for schedule, runs in accuracies.items():
        if not runs:
            raise ValueError(f"accuracies[{schedule!r}] must hold at least one run, got none")
    return accuracies
