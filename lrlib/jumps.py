"""The jump of drop-based decay, dated from records: when did a curve change most, and was there a drop?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrlib._spec import real
from lrlib.curves import Change, drop_of, drops, largest_fall, largest_rise

if TYPE_CHECKING:
    from lrlib.records import Run

__all__ = ["Jump", "date_jumps", "jump_report", "searched"]

LOSS, ACCURACY, LEAD = "training loss fell", "test accuracy rose", "lead in training loss grew"


class Jump(NamedTuple):
    """The largest change of one curve of a run, and the drop that it can come from.

    Parameters
    ----------
    seed : int
    what : str
    change : Change
        In nats for losses, a fraction for accuracies.
    drop : float or None
        Time of that drop in epochs, as `lrlib.curves.drop_of` finds it.

    Examples
    --------
    >>> Jump(seed=1, what="test accuracy rose", change=Change(5, 0.1, 0.4, 0.2), drop=4.5).change.epoch
    5
    """

    seed: int
    what: str
    change: Change
    drop: float | None


def date_jumps(runs: Iterable[Run], reference: Iterable[Run] = (), *, skip: float = 0.1) -> list[Jump]:
    """Find the largest changes of each run: training loss, test accuracy, and the lead over its twin.

    The lead is the twin's training loss minus the run's own, epoch by epoch. The twin is the run of
    `reference` with the same seed, so that start and batches are shared; a seed without one has no lead.

    Parameters
    ----------
    runs : iterable of Run
        Runs that diverged are left out.
    reference : iterable of Run
        At most one a seed, such as the runs at the constant rate.
    skip : float
        Fraction of the run at its start in which no change is looked for, in [0, 1): a loss falls most
        there.

    Raises
    ------
    TypeError, ValueError
        If `skip` is not such, or leaves no room.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> [jump.what for jump in date_jumps([linear], [constant])]
    ['training loss fell', 'test accuracy rose', 'lead in training loss grew']
    >>> date_jumps([constant])[0].drop is None  # its rate never drops
    True
    """
    twins, found = {run.config.seed: run for run in reference if _whole(run)}, []
    for run in filter(_whole, runs):
        seed, times, loss = run.config.seed, drops(run), run.column("train_loss")
        changes = {
            LOSS: largest_fall(loss, skip=skip),
            ACCURACY: largest_rise(run.column("test_accuracy"), skip=skip),
        }
        twin = twins.get(seed)
        if twin is not None and len(twin.epochs) == len(loss):
            lead = [b - a for a, b in zip(loss, twin.column("train_loss"), strict=True)]
            changes[LEAD] = largest_rise(lead, skip=skip)
        found += [Jump(seed, what, change, drop_of(change.epoch, times)) for what, change in changes.items()]
    return found


def searched(epochs: int, times: Iterable[float], *, skip: float = 0.1) -> tuple[int, int]:
    """Count the epochs in which a change was looked for, and those of them that have a drop near.

    The second number over the first is the chance that an epoch picked blindly has one.

    Examples
    --------
    >>> searched(30, [4.5, 9.0])  # epochs 4 to 30; near a drop are 5, 6, 10 and 11
    (27, 4)
    """
    first = max(1, round(real("skip", skip, allowed="in [0, 1)", ok=lambda x: 0 <= x < 1) * epochs)) + 1
    times = list(times)
    looked = range(first, epochs + 1)
    return len(looked), sum(drop_of(epoch, times) is not None for epoch in looked)


def jump_report(runs: Sequence[Run], reference: Sequence[Run] = (), *, skip: float = 0.1) -> str:
    """Return a Markdown table of `date_jumps`, and below it how many of them have a drop near, and by chance.

    Where no whole run is given, it says so.

    Examples
    --------
    >>> jump_report([])
    'No run is recorded yet whose jump could be dated.'
    """
    whole = [run for run in runs if _whole(run)]
    if not whole:
        return "No run is recorded yet whose jump could be dated."
    found = date_jumps(whole, reference, skip=skip)
    rows = ["| seed | what changed most | by | in epoch | drop near |", "| --- | --- | ---: | ---: | ---: |"]
    for jump in found:
        by = f"{100 * jump.change.size:.1f} points" if jump.what == ACCURACY else f"{jump.change.size:.3f}"
        near = "none" if jump.drop is None else f"{jump.drop:.2f}"
        rows.append(f"| {jump.seed} | {jump.what} | {by} | {jump.change.epoch} | {near} |")
    return "\n".join(rows) + "\n\n" + _summary(whole, found, skip)


def _summary(runs: Sequence[Run], found: Sequence[Jump], skip: float) -> str:
    times = [drops(run) for run in runs]
    if any(each != times[0] for each in times[1:]):
        raise ValueError("runs must drop at the same times to be counted together; report them in groups")
    if not times[0]:
        return "The rate of these runs never drops."
    epochs = len(runs[0].epochs)
    looked, near = searched(epochs, times[0], skip=skip)
    _, near_first = searched(epochs, times[0][:1], skip=skip)
    hits = sum(jump.drop is not None for jump in found)
    first = sum(jump.drop == times[0][0] for jump in found)
    return (
        f"The rate drops after {', '.join(f'{time:.2f}' for time in times[0])} epochs. "
        f"Of {len(found)} changes, **{hits}** lie in the epoch of a drop or in the next, "
        f"**{first}** of these at the first drop. "
        f"An epoch picked blindly has some drop so near in {near} of {looked} cases, "
        f"and the first drop in {near_first} of {looked}."
    )


def _whole(run: Run) -> bool:
    return run.status == "finished"
