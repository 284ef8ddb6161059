"""Triangle against linear decay at the survey's peak rate on CIFAR-10, by `studies/triangle-laptop.toml`.

Five seeds of `survey-laptop` did not decide between the two. The plan adds five, looks again, and ends there.
"""

from __future__ import annotations

from typing import NamedTuple

from lrbook.finding import Records
from lrlib.runs import Run
from lrlib.stats import PairedComparison, compare_all, paired_differences

FIRST, STUDY = "survey-laptop", "triangle-laptop"
PAIR = "triangle", "linear"
#: Level of each of two equally spaced looks at one difference that keeps five percent in all: S. J. Pocock,
#: Group sequential methods in the design and analysis of clinical trials, Biometrika 64 (1977), 191-199.
LEVEL = 0.0294


class Looks(NamedTuple):
    """The triangle's test accuracy against linear decay's: of the new seeds alone, and of all.

    `ahead` counts the new seeds whose pair has the triangle above.
    """

    new: PairedComparison
    all: PairedComparison
    ahead: int


def runs_of(records: Records, name: str) -> list[Run]:
    """Return the runs of a schedule in both studies, by seed.

    >>> len(runs_of(Records(), "linear"))
    10
    """
    return [run for study in (FIRST, STUDY) for run in records.runs(study, name)]


def looks(records: Records) -> Looks:
    """Return the two comparisons of the plan, its A and B.

    Examples
    --------
    >>> found = looks(Records())
    >>> found.new.seeds, found.all.seeds
    ((6, 7, 8, 9, 10), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    >>> found.ahead
    5
    """
    (new,) = compare_all([run for name in PAIR for run in records.runs(STUDY, name)], pairs=[PAIR])
    (both,) = compare_all([run for name in PAIR for run in runs_of(records, name)], pairs=[PAIR], alpha=LEVEL)
    apart = differences(records, "test_accuracy")
    return Looks(new, both, sum(apart[seed] > 0 for seed in new.seeds))


def differences(records: Records, quantity: str) -> dict[int, float]:
    """Return seed -> the triangle's last value of a column less linear decay's, over both studies.

    >>> len(differences(Records(), "test_loss"))
    10
    """
    ends = {
        name: {run.config.seed: run.column(quantity)[-1] for run in runs_of(records, name)} for name in PAIR
    }
    return paired_differences(ends, *PAIR)


def predictions(records: Records) -> dict[str, bool]:
    """Return the plan's three predictions, and whether each came true."""
    found = looks(records)
    return {
        "ahead by 0 to 1.4 points on the new seeds, in four or five pairs": 0
        < found.new.mean_difference
        < 0.014
        and found.ahead >= 4,
        "above on all ten": found.all.p < LEVEL and found.all.mean_difference > 0,
        "a lower test loss in each pair": max(differences(records, "test_loss").values()) < 0,
    }
