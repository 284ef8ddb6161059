"""What the chapter on cosine annealing prints: accuracies where cycles end, beside a single cycle."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from lrlib.stats.curves import at_cycle_ends, cycle_ends

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["cycle_table"]


def cycle_table(restarted: Sequence[Run], single: Sequence[Run]) -> str:
    """Return a Markdown table of test accuracy at the cycle ends that were measured, and a note on the rest.

    A row a cycle end: the mean of the restarted runs there and one epoch later, and of the single-cycle runs
    in the same epoch. Runs that diverged are left out.

    Parameters
    ----------
    restarted : sequence of Run
        Of one config but for the seed, at least one of them finished.
    single : sequence of Run
        May be empty.

    Examples
    --------
    >>> cycle_table([], [])
    Traceback (most recent call last):
        ...
    ValueError: restarted must hold at least one run that finished, got none
    """
    finished = [run for run in restarted if run.status == "finished"]
    if not finished:
        raise ValueError("restarted must hold at least one run that finished, got none")
    first = finished[0]
    curves = [run.column("test_accuracy") for run in finished]
    others = [run.column("test_accuracy") for run in single if run.status == "finished"]
    lines = ["| epoch | cycle ends | one epoch later | single cycle |", "| ---: | ---: | ---: | ---: |"]
    fell, restarts = 0, 0
    epochs = [epoch for epoch, _ in at_cycle_ends(first)]
    for epoch in epochs:
        here = fmean(curve[epoch - 1] for curve in curves)
        cells = [f"{epoch}", f"{here:.1%}", "-", "-"]
        if epoch < first.config.epochs:
            later = fmean(curve[epoch] for curve in curves)
            cells[2], restarts, fell = f"{later:.1%}", restarts + 1, fell + (later < here)
        if others:
            cells[3] = f"{fmean(curve[epoch - 1] for curve in others):.1%}"
        lines.append(f"| {' | '.join(cells)} |")
    cycles, notes = len(cycle_ends(first)), []
    if len(epochs) < cycles:
        notes.append(
            f"{cycles - len(epochs)} of the {cycles} cycles end inside an epoch, where nothing was measured."
        )
    if restarts:
        notes.append(f"One epoch after a restart, mean accuracy was lower in {fell} of {restarts} cases.")
    return "\n\n".join(["\n".join(lines), *([" ".join(notes)] if notes else [])])
