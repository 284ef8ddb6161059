"""What the chapter on the triangle prints: which peak rates each schedule bears without a failed run."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from lrlib.stats.levels import Peak

__all__ = ["higher_peak", "peak_table"]


def peak_table(found: Mapping[float, Mapping[str, Peak]]) -> str:
    """Return a Markdown table: a row a peak rate, for each schedule its mean accuracy and (failed/all) runs.

    Parameters
    ----------
    found : mapping, peak rate -> schedule -> Peak
        As `lrlib.stats.levels.peaks` gives it, at least one peak rate.

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


def higher_peak(found: Mapping[float, Mapping[str, Peak]], *, schedule: str, reference: str) -> str:
    """Return a sentence on whether a schedule bears a higher peak rate than a reference without a failed run.

    A schedule bears the highest rate at which, and below which, none of its runs failed.

    Examples
    --------
    >>> good, bad = Peak((0.9, 0.9), 0), Peak((0.1, 0.9), 1)
    >>> found = {0.1: {"triangle": good, "linear": good}, 0.3: {"triangle": good, "linear": bad}}
    >>> print(higher_peak(found, schedule="triangle", reference="linear"))
    On this grid triangle bore a higher peak than linear: 0.3 against 0.1.
    """
    mine, other = (_highest(found, label) for label in (schedule, reference))
    lost = [sum(row[label].failed for row in found.values()) for label in (schedule, reference)]
    count = f"{lost[0]} of {schedule} and {lost[1]} of {reference}"
    if not any(lost):
        text = f"no run of {schedule} or {reference} failed, so it cannot tell which bears a higher peak"
    elif mine > other:
        text = f"{schedule} bore a higher peak than {reference}: {mine:g} against {_or_none(other)}"
    elif mine < other:
        text = f"{schedule} bore a lower peak than {reference}: {_or_none(mine)} against {other:g}"
    elif not mine:
        text = f"neither bore even the lowest rate; of all its runs, {count} failed"
    else:
        text = f"{schedule} bore no higher peak than {reference}: no run of either failed up to {mine:g}, "
        text += f"and above it {count} did"
    return f"On this grid {text}."


def _highest(found: Mapping[float, Mapping[str, Peak]], label: str) -> float:
    """Return the highest peak rate up to which no run failed; 0 if some failed at the lowest."""
    highest = 0.0
    for peak_lr in sorted(found):
        if found[peak_lr][label].failed:  # a rate that works above one that does not is luck
            break
        highest = peak_lr
    return highest


def _or_none(rate: float) -> str:
    return f"{rate:g}" if rate else "none of these rates"
