"""Jumps: the largest changes of a run's curves, and the drops of the rate that each can come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from lrlib._checks import check_fraction
from lrlib.stats.curves import Change, drop_of, drops, largest_fall, largest_rise

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["ACCURACY", "LEAD", "LOSS", "Jump", "date_jumps", "lead", "partners", "searched"]

#: What a jump is a change of.
LOSS, ACCURACY, LEAD = "training loss fell", "test accuracy rose", "lead in training loss grew"


class Jump(NamedTuple):
    """The largest change of one curve of a run, and the drop that it can come from.

    Parameters
    ----------
    seed : int
    what : str
        `LOSS`, `ACCURACY` or `LEAD`.
    change : Change
        In nats for losses, a fraction for accuracies.
    drop : float or None
        Time of that drop in epochs, as `lrlib.stats.curves.drop_of` finds it.

    Examples
    --------
    >>> Jump(seed=1, what=ACCURACY, change=Change(5, 0.1, 0.4, 0.2), drop=4.5).change.epoch
    5
    """

    seed: int
    what: str
    change: Change
    drop: float | None


def date_jumps(runs: Iterable[Run], reference: Iterable[Run] = (), *, skip: float = 0.1) -> list[Jump]:
    """Return the largest changes of each run: of training loss, test accuracy, and lead over its partner.

    The lead is the partner's training loss minus the run's own, epoch by epoch.

    Parameters
    ----------
    runs : iterable of Run
        Runs that diverged are left out.
    reference : iterable of Run
        At most one a seed, such as the runs at the constant rate: see `partners`.
    skip : float
        Fraction of the run at its start that is left out, in [0, 1).

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> [jump.what for jump in date_jumps([linear], [constant])]
    ['training loss fell', 'test accuracy rose', 'lead in training loss grew']
    >>> date_jumps([constant])[0].drop is None  # its rate never drops
    True
    """
    known, found = partners(reference), []
    for run in runs:
        if run.status != "finished":
            continue
        seed, times, loss = run.config.seed, drops(run), run.column("train_loss")
        changes = {
            LOSS: largest_fall(loss, skip=skip),
            ACCURACY: largest_rise(run.column("test_accuracy"), skip=skip),
        }
        # What both runs of a seed do, as their batches are the same, cancels in the lead.
        ahead = lead(run, known.get(seed))
        if ahead:
            changes[LEAD] = largest_rise(ahead, skip=skip)
        found += [Jump(seed, what, change, drop_of(change.epoch, times)) for what, change in changes.items()]
    return found


def partners(reference: Iterable[Run]) -> dict[int, Run]:
    """Return seed -> finished run; a run of that seed shares its start and batches.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> partners(load_runs("pilot-laptop")[:1])[0].label
    'constant'
    """
    return {run.config.seed: run for run in reference if run.status == "finished"}


def lead(run: Run, partner: Run | None) -> list[float]:
    """Return a partner's training loss minus the run's, an epoch each; [] without a partner of that length.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> len(lead(linear, constant)), lead(linear, None)
    (30, [])
    """
    if partner is None or len(partner.epochs) != len(run.epochs):
        return []
    return [b - a for a, b in zip(run.column("train_loss"), partner.column("train_loss"), strict=True)]


def searched(epochs: int, times: Iterable[float], *, skip: float = 0.1) -> tuple[int, int]:
    """Return the number of epochs that `date_jumps` looks at, and of those that have a drop near.

    The second number over the first is the chance that an epoch drawn at random has one.

    Examples
    --------
    >>> searched(30, [4.5, 9.0])  # epochs 4 to 30; near a drop are 5, 6, 10 and 11
    (27, 4)
    """
    skip = check_fraction("skip", skip, one=False)
    first = max(1, round(skip * epochs)) + 1  # where the first change ends that `largest_fall` takes
    times = list(times)
    looked = range(first, epochs + 1)
    return len(looked), sum(drop_of(epoch, times) is not None for epoch in looked)
