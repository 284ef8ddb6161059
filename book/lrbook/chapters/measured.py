"""What a page says of recorded runs: which study shows a schedule, how it ended, which peak rate it bore."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrlib._checks import check_float
from lrlib.schedules import CosineAnnealing
from lrlib.schedules.compose import Hold
from lrlib.stats import FAILED, by_seed

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "Peak",
    "at_cycle_ends",
    "cycle_table",
    "fall_done",
    "higher_peak",
    "peak_table",
    "peaks",
    "whole_cycles",
]


def fall_done(run: Run, *, fraction: float, quantity: str = "train_loss") -> float:
    """Return which part of its fall, first epoch to last, a quantity has done after a fraction of the run.

    (q_1 - q_k) / (q_1 - q_E) with k = max(1, round(fraction * E)) of E epochs. It is above 1 where the
    quantity rises again later.

    Raises ValueError if the fraction is not in (0, 1], the run diverged, or the quantity did not fall.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> run = recorded("pilot-laptop", schedules=["linear"])[0]
    >>> fall_done(run, fraction=1.0)
    1.0
    """
    fraction = check_float("fraction", fraction, allowed="in (0, 1]", ok=lambda x: 0 < x <= 1)
    values = run.column(quantity)
    if run.status != "finished" or not values[0] > values[-1]:
        raise ValueError(
            f"{quantity} of {run.label}, seed {run.config.seed}, must fall from its first epoch to its last; "
            f"got {values[0]!r} and {values[-1]!r} ({run.status})"
        )
    k = max(1, round(fraction * len(values)))
    return (values[0] - values[k - 1]) / (values[0] - values[-1])


def at_cycle_ends(run: Run, quantity: str = "test_accuracy") -> list[tuple[int, float]]:
    """Return (epoch, value) at the cycle ends of a cosine run that fall on the end of an epoch.

    Epochs count from 1. A cycle that ends inside an epoch has no measurement of its own and is left out;
    so is what a diverged run never reached.

    Raises TypeError if the run's schedule has no cycles.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> at_cycle_ends(recorded("pilot-laptop")[0])
    Traceback (most recent call last):
        ...
    TypeError: run must follow CosineAnnealing, which has cycles, got Constant()
    """
    per_epoch, values = run.config.steps_per_epoch, run.column(quantity)
    whole = [(end + 1) // per_epoch for end in _cycle_ends(run) if (end + 1) % per_epoch == 0]
    return [(epoch, values[epoch - 1]) for epoch in whole if epoch <= len(values)]


def whole_cycles(run: Run) -> bool:
    """Return whether every cycle of a cosine run ends with an epoch, so that measurements show all of them.

    Raises TypeError if the run's schedule has no cycles.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> whole_cycles(recorded("pilot-laptop")[0])
    Traceback (most recent call last):
        ...
    TypeError: run must follow CosineAnnealing, which has cycles, got Constant()
    """
    return all((end + 1) % run.config.steps_per_epoch == 0 for end in _cycle_ends(run))


def cycle_table(restarted: Sequence[Run], single: Sequence[Run]) -> str:
    """Return a Markdown table of test accuracy at the cycle ends that were measured, and what it leaves out.

    A row a cycle end: the mean of the restarted runs there and one epoch later, and of the single-cycle runs
    in the same epoch. Runs that diverged are left out.

    Raises ValueError if no restarted run finished.

    Examples
    --------
    >>> cycle_table([], [])
    Traceback (most recent call last):
        ...
    ValueError: restarted must hold at least one run that finished, got none
    """
    curves = [run.column("test_accuracy") for run in restarted if run.status == "finished"]
    others = [run.column("test_accuracy") for run in single if run.status == "finished"]
    first = next((run for run in restarted if run.status == "finished"), None)
    if first is None:
        raise ValueError("restarted must hold at least one run that finished, got none")
    cycles = len(_cycle_ends(first))
    lines = ["| epoch | cycle ends | one epoch later | single cycle |", "| ---: | ---: | ---: | ---: |"]
    fell, restarts = 0, 0
    whole = [epoch for epoch, _ in at_cycle_ends(first)]
    for epoch in whole:
        here = fmean(curve[epoch - 1] for curve in curves)
        cells = [f"{epoch}", f"{here:.1%}", "-", "-"]
        if epoch < first.config.epochs:
            later = fmean(curve[epoch] for curve in curves)
            cells[2], restarts, fell = f"{later:.1%}", restarts + 1, fell + (later < here)
        if others:
            cells[3] = f"{fmean(curve[epoch - 1] for curve in others):.1%}"
        lines.append(f"| {' | '.join(cells)} |")
    said = []
    if len(whole) < cycles:
        said.append(
            f"{cycles - len(whole)} of the {cycles} cycles end inside an epoch, where nothing was measured."
        )
    if restarts:
        said.append(f"One epoch after a restart, mean accuracy was lower in {fell} of {restarts} cases.")
    return "\n\n".join(["\n".join(lines), *([" ".join(said)] if said else [])])


class Peak(NamedTuple):
    """The runs of one schedule at one peak rate: final accuracies, and how many failed.

    >>> Peak(accuracies=(0.9, 0.25), failed=1).failed
    1
    """

    accuracies: tuple[float, ...]
    failed: int


def peaks(runs: Iterable[Run], *, schedules: Sequence[str]) -> dict[float, dict[str, Peak]]:
    """Return, for each peak rate, how each schedule's runs ended there, on the seeds that all of them have.

    A peak rate without a seed that all schedules have is left out. See `FAILED` for what counts as failed.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> found = peaks(recorded("pilot-laptop"), schedules=["constant", "linear"])
    >>> {peak_lr: [peak.failed for peak in row.values()] for peak_lr, row in found.items()}
    {0.1: [0, 0]}
    """
    groups: dict[float, list[Run]] = {}
    for run in runs:
        if run.label in schedules:
            groups.setdefault(run.config.peak_lr, []).append(run)
    found = {}
    for peak_lr in sorted(groups):
        values = by_seed(groups[peak_lr])
        seeds = sorted(set.intersection(*(set(values.get(label, ())) for label in schedules)))
        if seeds:
            rows = {label: tuple(values[label][seed] for seed in seeds) for label in schedules}
            found[peak_lr] = {label: Peak(row, sum(x < FAILED for x in row)) for label, row in rows.items()}
    return found


def peak_table(found: dict[float, dict[str, Peak]]) -> str:
    """Return a Markdown table: a row a peak rate, for each schedule its mean accuracy and (failed/all) runs.

    Examples
    --------
    >>> print(peak_table({0.3: {"linear": Peak((0.25, 0.75), 1)}}))
    | peak rate | linear (failed) |
    | ---: | ---: |
    | 0.3 | 50.0% (1/2) |
    """
    if not found:
        raise ValueError("found must hold at least one peak rate, got none; record the study first")
    labels = list(next(iter(found.values())))
    lines = ["| peak rate |" + "".join(f" {label} (failed) |" for label in labels)]
    lines.append("| ---: |" + " ---: |" * len(labels))
    for peak_lr, row in found.items():
        cells = [f" {fmean(x.accuracies):.1%} ({x.failed}/{len(x.accuracies)}) |" for x in row.values()]
        lines.append(f"| {peak_lr:g} |{''.join(cells)}")
    return "\n".join(lines)


def higher_peak(found: dict[float, dict[str, Peak]], *, schedule: str, reference: str) -> str:
    """Return whether a schedule bore a higher peak rate than a reference without a failed run, in words.

    A schedule bears the highest rate at which, and below which, none of its runs failed.

    Examples
    --------
    >>> good, bad = Peak((0.9, 0.9), 0), Peak((0.1, 0.9), 1)
    >>> found = {0.1: {"triangle": good, "linear": good}, 0.3: {"triangle": good, "linear": bad}}
    >>> print(higher_peak(found, schedule="triangle", reference="linear"))
    On this grid triangle bore a higher peak than linear: 0.3 against 0.1.
    """
    bore = {label: _bore(found, label) for label in (schedule, reference)}
    mine, other = bore[schedule], bore[reference]
    lost = [sum(row[label].failed for row in found.values()) for label in (schedule, reference)]
    count = f"{lost[0]} of {schedule} and {lost[1]} of {reference}"
    if not any(lost):
        said = f"no run of {schedule} or {reference} failed, so it cannot tell which bears a higher peak"
    elif mine > other:
        said = f"{schedule} bore a higher peak than {reference}: {mine:g} against {_or_none(other)}"
    elif mine < other:
        said = f"{schedule} bore a lower peak than {reference}: {_or_none(mine)} against {other:g}"
    elif not mine:
        said = f"neither bore even the lowest rate; of all its runs, {count} failed"
    else:
        said = f"{schedule} bore no higher peak than {reference}: no run of either failed up to {mine:g}, "
        said += f"and above it {count} did"
    return f"On this grid {said}."


def _cycle_ends(run: Run) -> list[int]:
    schedule = run.config.schedule()
    if isinstance(schedule, Hold):  # one rate for an epoch: the cycles are those of what is held
        schedule = schedule.schedule
    if not isinstance(schedule, CosineAnnealing):
        raise TypeError(f"run must follow CosineAnnealing, which has cycles, got {schedule!r}")
    return schedule.cycle_ends


def _bore(found: dict[float, dict[str, Peak]], label: str) -> float:
    highest = 0.0
    for peak_lr in sorted(found):
        if found[peak_lr][label].failed:
            break
        highest = peak_lr
    return highest


def _or_none(rate: float) -> str:
    return f"{rate:g}" if rate else "none of these rates"
