"""Accuracies over the levels of a factor, as a table with sentences below it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING

from lrbook.chapters._write import listed, results_table
from lrbook.chapters.shared import study_line
from lrlib.schedules.recipes import in_order
from lrlib.stats import FEWEST, interval, paired_differences
from lrlib.stats.levels import Factor, accuracies_at, leaders

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["effect_report", "effect_table", "leaders_text"]


def effect_table(
    runs: Iterable[Run], factor: Factor, *, name: str, schedule: str = "linear", reference: str = "constant"
) -> str:
    """Return a table as HTML: a row a level, the schedules' mean accuracies, and one paired difference.

    The difference is the mean over the n seeds that both have, in points, with its 95 % t interval, which is
    this pair's alone; of two seeds both differences stand there instead.

    Parameters
    ----------
    runs, factor
        As for `lrlib.stats.levels.accuracies_at`.
    name : str
        Head of the first column.
    schedule, reference : str

    Examples
    --------
    >>> from lrlib import load_runs
    >>> html = effect_table(load_runs("pilot-laptop"), "epochs", name="epochs")
    >>> '<th scope="row">30</th>' in html
    True
    """
    levels = accuracies_at(runs, factor)
    labels = in_order(label for accuracies in levels.values() for label in accuracies)
    rows = []
    for level, accuracies in levels.items():
        means = [f"{fmean(accuracies[x].values()):.1%}" if x in accuracies else "–" for x in labels]
        difference = _points(paired_differences(accuracies, schedule, reference))
        rows.append([_one_line(level), *means, difference or "–"])
    return results_table([name, *labels, f"{schedule} - {reference}, points"], rows)


def effect_report(
    runs: Sequence[Run], factor: Factor, *, name: str, study: str, unit: str = "", also: str = "", **pair: str
) -> str:
    """Return what stands under a figure of levels, as HTML: table, who leads, and where the runs come from.

    Parameters
    ----------
    runs, factor, name
        As for `effect_table`. Without runs, the text names the command that records them.
    study : str
        Name of the study that has them.
    unit : str
        Text before levels in the sentence, such as "rate "; may be empty.
    also : str
        Second schedule whose differences from the reference get a sentence; "" for none.
    **pair
        `schedule` and `reference`, as for `effect_table`.

    Examples
    --------
    >>> effect_report([], "epochs", name="epochs", study="horizon")
    '<p>No run is recorded yet: <code>lrlib study run horizon</code> does it.</p>'
    """
    if not runs:
        return f"<p>No run is recorded yet: <code>{escape(f'lrlib study run {study}')}</code> does it.</p>"
    more = _differences_text(runs, factor, also, unit, pair.get("reference", "constant")) if also else ""
    return (
        effect_table(runs, factor, name=name, **pair)
        + f"<p>{escape(leaders_text(runs, factor, name=unit, **pair))}</p>"
        + (f"<p>{escape(more)}</p>" if more else "")
        + f"<p><em>{escape(study_line(runs))}</em></p>"
    )


def leaders_text(
    runs: Iterable[Run],
    factor: Factor,
    *,
    name: str = "",
    schedule: str = "linear",
    reference: str = "constant",
) -> str:
    """Return a few sentences: who leads where, where a difference leaves out zero, and where runs failed.

    Parameters
    ----------
    runs, factor, schedule, reference
        As for `lrlib.stats.levels.leaders`.
    name : str
        Text before levels, such as "rate "; may be empty.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> leaders_text(load_runs("pilot-laptop"), "epochs", name="epochs ")
    'Highest mean: linear at epochs 30.'
    """
    found = leaders(runs, factor, schedule=schedule, reference=reference)
    led = [at for at in found if at.leaders]
    lost = [_one_line(at.level) for at in found if at.failed == at.runs]
    some = [_one_line(at.level) for at in found if 0 < at.failed < at.runs]
    if not led:
        if len(lost) == len(found):
            return "Every run failed: most of its answers are wrong."
        return "No level has runs of two schedules yet that could be compared."
    where: dict[str, list[str]] = {}
    for at in led:
        who = listed(at.leaders) + " (tied)" * (len(at.leaders) > 1)
        where.setdefault(who, []).append(_one_line(at.level))
    if len(where) == 1 and len(led) == len(found) > 1:
        text = f"Highest mean at each of the {len(found)} levels: {next(iter(where))}."
    else:
        text = f"Highest mean: {'; '.join(f'{who} at {name}{listed(at)}' for who, at in where.items())}."
    tested = sum(at.tested for at in led)
    apart = [_one_line(at.level) for at in led if at.leaves_out_zero]
    if tested:
        at = f", {name}{listed(apart)}" if apart else ""
        text += (
            f" The interval of {schedule} - {reference} leaves out zero at "
            f"{len(apart)} of {tested} level{'s' * (tested > 1)}{at}."
        )
    if lost:
        text += f" Every run failed (most answers wrong) at {name}{listed(lost)}, where a difference in the "
        text += "table is one between failures."
    if some:
        text += f" Some runs failed{'' if lost else ' (most answers wrong)'} at {name}{listed(some)}."
    return text


def _differences_text(runs: Sequence[Run], factor: Factor, schedule: str, name: str, reference: str) -> str:
    """Return a sentence with the differences of a schedule from a reference at each level; "" if none."""
    parts = []
    for level, accuracies in accuracies_at(runs, factor).items():
        if points := _points(paired_differences(accuracies, schedule, reference)):
            parts.append(f"{points[0]} points at {name}{_one_line(level)} ({points[1]})")
    return f"{schedule} - {reference}: {', '.join(parts)}." if parts else ""


def _points(differences: Mapping[int, float]) -> tuple[str, str] | None:
    """Return the mean difference in points and, small below it, what is known of its spread, and n."""
    if not differences:
        return None
    values = list(differences.values())
    low, high = (100 * end for end in interval(values, least=FEWEST))
    n = f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(values)}"
    around = "" if math.isnan(low) else f"{low:+.1f} to {high:+.1f}, "
    if len(values) == 2:
        around = "{:+.1f} and {:+.1f}, ".format(*(100 * value for value in values))
    return f"{100 * fmean(values):+.1f}", around + n


def _one_line(level: float | str) -> str:
    return str(level).replace("\n", ", ")  # a level may be broken into lines for its place under an axis
