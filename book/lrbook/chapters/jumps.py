"""What recorded runs did, in words: how they ended, and when they jumped.

The jump of drop-based decay is dated by a rule: where did a curve change most, and was there a drop?
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters._write import listed, results_table
from lrlib._checks import check_float
from lrlib.schedules.recipes import in_order
from lrlib.stats.curves import Change, drop_of, drops, largest_fall, largest_rise

if TYPE_CHECKING:
    from lrlib.runs.record import Run

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
        Time of that drop in epochs, as `lrlib.stats.curves.drop_of` finds it.

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
        If `skip` is out of its range, or leaves no room.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> [jump.what for jump in date_jumps([linear], [constant])]
    ['training loss fell', 'test accuracy rose', 'lead in training loss grew']
    >>> date_jumps([constant])[0].drop is None  # its rate never drops
    True
    """
    twins, found = _by_seed(reference), []
    for run in filter(_whole, runs):
        seed, times, loss = run.config.seed, drops(run), run.column("train_loss")
        changes = {
            LOSS: largest_fall(loss, skip=skip),
            ACCURACY: largest_rise(run.column("test_accuracy"), skip=skip),
        }
        lead = _lead(run, twins.get(seed))
        if lead:
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
    first = (
        max(1, round(check_float("skip", skip, allowed="in [0, 1)", ok=lambda x: 0 <= x < 1) * epochs)) + 1
    )
    times = list(times)
    looked = range(first, epochs + 1)
    return len(looked), sum(drop_of(epoch, times) is not None for epoch in looked)


def jump_report(
    runs: Sequence[Run],
    reference: Sequence[Run] = (),
    *,
    undropped: Sequence[Run] = (),
    skip: float = 0.1,
) -> str:
    """Return `date_jumps` as an HTML table; below it, how many have a drop near, and how often without one.

    Parameters
    ----------
    runs : sequence of Run
        Where none of them finished, the report says so.
    reference : sequence of Run
        As for `date_jumps`.
    undropped : sequence of Run
        Under schedules without drops: how often their largest changes lie at these times is what to expect
        of no drop at all. An epoch picked blindly tells less, as curves of every schedule change most at the
        start. Runs of another length are left out.
    skip : float
        As for `date_jumps`.

    Examples
    --------
    >>> jump_report([])
    '<p>No run is recorded yet whose jump could be dated.</p>'
    """
    whole = [run for run in runs if _whole(run)]
    if not whole:
        return "<p>No run is recorded yet whose jump could be dated.</p>"
    found = date_jumps(whole, reference, skip=skip)
    rows = []
    for jump in found:
        by = f"{100 * jump.change.size:.1f} points" if jump.what == ACCURACY else f"{jump.change.size:.3f}"
        near = "none" if jump.drop is None else f"after {jump.drop:.2f}"
        rows.append([(jump.what, f"seed {jump.seed}"), by, str(jump.change.epoch), near])
    table = results_table(["largest change", "by", "in epoch", "drop near"], rows)
    times = [drops(run) for run in whole]
    if any(each != times[0] for each in times[1:]):
        raise ValueError("runs must drop at the same times to be counted together; report them in groups")
    if not times[0]:
        return f"{table}<p>The rate of these runs never drops.</p>"
    others = [run for run in undropped if _whole(run) and len(run.epochs) == len(whole[0].epochs)]
    return (
        table
        + _summary(whole[0], times[0], skip)
        + _counts(found, others, times[0], skip)
        + _before(whole, reference, int(times[0][0]))
    )


def _summary(run: Run, times: Sequence[float], skip: float) -> str:
    looked, near = searched(len(run.epochs), times, skip=skip)
    _, near_first = searched(len(run.epochs), times[:1], skip=skip)
    return (
        f"<p>The rate drops after {', '.join(f'{time:.2f}' for time in times)} epochs. "
        f"An epoch picked blindly has some drop so near in {near} of {looked} cases, "
        f"and the first drop in {near_first} of {looked}. Of the largest changes:</p>"
    )


def _counts(found: Sequence[Jump], others: Sequence[Run], times: Sequence[float], skip: float) -> str:
    """Count, for each kind of change, those near a drop; and those of runs without drops."""
    plain = [jump._replace(drop=drop_of(jump.change.epoch, times)) for jump in date_jumps(others, skip=skip)]
    rows = []
    for what in dict.fromkeys(jump.what for jump in found):
        cells = [what]
        for jumps in (found, plain):
            near = [jump.drop for jump in jumps if jump.what == what]
            for hits in (sum(time is not None for time in near), near.count(times[0])):
                cells.append(f"{hits}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}{len(near)}" if near else "–")
        rows.append(cells)
    head = ["", "near a drop", "near the first", "without drops: near", "near the first"]
    names = listed(in_order(run.label for run in others))
    below = f"<p>Without drops: {len(others)} runs ({names}), at the same times.</p>" if others else ""
    if not others:
        head, rows = head[:3], [cells[:3] for cells in rows]
    return results_table(head, rows) + below


def _before(runs: Sequence[Run], reference: Sequence[Run], before: int) -> str:
    """Return in words how far twins were apart in the whole epochs before the first drop."""
    twins = _by_seed(reference)
    leads = {run.config.seed: _lead(run, twins.get(run.config.seed))[:before] for run in runs}
    most = {seed: max(map(abs, lead)) for seed, lead in leads.items() if lead}
    if not most:
        return ""
    alike = [seed for seed, value in most.items() if value == 0]
    said = f"with {len(alike)} of {len(most)} seeds the twins' losses are the same to the last digit"
    apart = f"with seed {listed(str(seed) for seed in most if seed not in alike)} they differ by up to "
    parts = [said] * bool(alike) + [f"{apart}{max(most.values()):.3f}"] * (len(alike) < len(most))
    return f"<p>Before the first drop, {', and '.join(parts)}.</p>"


def _by_seed(runs: Iterable[Run]) -> dict[int, Run]:
    return {run.config.seed: run for run in runs if _whole(run)}


def _lead(run: Run, twin: Run | None) -> list[float]:
    """Return the twin's training loss minus the run's, an epoch at a time; nothing without a twin as long."""
    if twin is None or len(twin.epochs) != len(run.epochs):
        return []
    return [b - a for a, b in zip(run.column("train_loss"), twin.column("train_loss"), strict=True)]


def _whole(run: Run) -> bool:
    return run.status == "finished"
