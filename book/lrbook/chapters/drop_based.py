"""What the chapter on drop-based decay prints: when the curves jumped, and whether a drop was near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrbook.chapters._write import listed, results_table
from lrlib.schedules.recipes import in_order
from lrlib.stats.curves import drop_of, drops
from lrlib.stats.jumps import ACCURACY, Jump, date_jumps, lead, partners, searched

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["jump_report"]


def jump_report(
    runs: Sequence[Run],
    reference: Sequence[Run] = (),
    *,
    undropped: Sequence[Run] = (),
    skip: float = 0.1,
) -> str:
    """Return `lrlib.stats.jumps.date_jumps` as an HTML table, and below it how many have a drop near.

    Parameters
    ----------
    runs : sequence of Run
        They drop at the same times. Without a finished run, the report says that none is recorded.
    reference : sequence of Run
        As for `date_jumps`.
    undropped : sequence of Run
        Under schedules without drops. The share of their largest changes at these times is what to expect of
        no drop at all. Runs of another length are left out.
    skip : float
        As for `date_jumps`.

    Examples
    --------
    >>> jump_report([])
    '<p>No run is recorded yet whose jump could be dated.</p>'
    """
    finished = [run for run in runs if run.status == "finished"]
    if not finished:
        return "<p>No run is recorded yet whose jump could be dated.</p>"
    found = date_jumps(finished, reference, skip=skip)
    rows = []
    for jump in found:
        by = f"{100 * jump.change.size:.1f} points" if jump.what == ACCURACY else f"{jump.change.size:.3f}"
        near = "none" if jump.drop is None else f"after {jump.drop:.2f}"
        rows.append([(jump.what, f"seed {jump.seed}"), by, str(jump.change.epoch), near])
    table = results_table(["largest change", "by", "in epoch", "drop near"], rows)
    times = [drops(run) for run in finished]
    if any(each != times[0] for each in times[1:]):
        raise ValueError("runs must drop at the same times to be counted together; report them in groups")
    if not times[0]:
        return f"{table}<p>The rate of these runs never drops.</p>"
    length = len(finished[0].epochs)
    others = [run for run in undropped if run.status == "finished" and len(run.epochs) == length]
    return (
        table
        + _by_chance(finished[0], times[0], skip)
        + _counts(found, others, times[0], skip)
        + _before(finished, reference, int(times[0][0]))
    )


def _by_chance(run: Run, times: Sequence[float], skip: float) -> str:
    looked, near = searched(len(run.epochs), times, skip=skip)
    _, near_first = searched(len(run.epochs), times[:1], skip=skip)
    return (
        f"<p>The rate drops after {', '.join(f'{time:.2f}' for time in times)} epochs. "
        f"An epoch picked blindly has some drop so near in {near} of {looked} cases, "
        f"and the first drop in {near_first} of {looked}. Of the largest changes:</p>"
    )


def _counts(found: Sequence[Jump], others: Sequence[Run], times: Sequence[float], skip: float) -> str:
    """Return a table that counts, for each kind of change, those near a drop; and those without drops."""
    # A fairer comparison than an epoch picked blindly: curves of every schedule change most early on.
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
    """Return a sentence on how far runs and partners differ in the epochs that end before the first drop."""
    known = partners(reference)
    leads = {run.config.seed: lead(run, known.get(run.config.seed))[:before] for run in runs}
    most = {seed: max(map(abs, differences)) for seed, differences in leads.items() if differences}
    if not most:
        return ""
    equal = [seed for seed, value in most.items() if value == 0]
    same = f"with {len(equal)} of {len(most)} seeds the twins' losses are the same to the last digit"
    other = f"with seed {listed(str(seed) for seed in most if seed not in equal)} they differ by up to "
    parts = [same] * bool(equal) + [f"{other}{max(most.values()):.3f}"] * (len(equal) < len(most))
    return f"<p>Before the first drop, {', and '.join(parts)}.</p>"
