"""The survey's table 1.1 filled in five ways, each a small table by itself, as HTML that fits a phone.

The survey sets a training loss with the penalty in it beside a test accuracy. Here each quantity has a column
of its own, and a printed number that covers two columns spans both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING

from lrbook.chapters._write import Entry, cell
from lrbook.finding import rounded
from lrlib._checks import no_such
from lrlib.runs.experiments import EXPERIMENTS
from lrlib.runs.published import SourceRow, SurveyRow, Table, published
from lrlib.runs.store import load_runs, preferred_study
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import CHANCE, FEWEST, by_seed, final_accuracy, interval

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "COLUMNS",
    "Part",
    "from_runs",
    "parts",
    "table_1_1",
]

#: Quantity of table 1.1, as a record names it -> head of its column.
COLUMNS = {
    "train_loss": "training cross-entropy",
    "penalty": "penalty",
    "test_loss": "test cross-entropy",
    "train_accuracy": "training accuracy",
    "test_accuracy": "test accuracy",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One way to fill table 1.1.

    Parameters
    ----------
    title, note : str
        Name in a few words, and what a reader must know.
    rows : dict, schedule -> cells
        Their `columns` sum to those of `COLUMNS`.
    counts : dict, schedule -> int
        Runs behind each row that has any.
    diverged : tuple of (str, int)
        Schedule and seed.

    Examples
    --------
    >>> [entry.text for entry in parts()[0].rows["linear"]]
    ['0.1040', '–', '–', '0.87']
    """

    title: str
    note: str
    rows: dict[str, list[Entry]]
    counts: dict[str, int] = field(default_factory=dict)
    diverged: tuple[tuple[str, int], ...] = ()


def from_runs(runs: Iterable[Run], *, title: str, note: str, schedules: Iterable[str] | None = None) -> Part:
    """Return the table filled from the runs of one study: means over seeds after the last epoch.

    Where three seeds or more differ, the second line is half the width of the 95 % t interval; of two seeds
    it has both values. A schedule without a run has the text "no run yet", or "not in this study" if it is
    not among `schedules`. A diverged run counts as 10 % in test accuracy, is left out of the other columns,
    and is named in `diverged`.

    Parameters
    ----------
    runs : iterable of Run
        Of one study and the survey's schedules; they differ in schedule and seed only.
    title, note : str
    schedules : iterable of str, or None
        Those that the study has; None is all eight.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> part = from_runs(load_runs("pilot-laptop"), title="Pilot", note="Seed 0.")
    >>> part.counts, part.rows["drop"]
    ({'constant': 1, 'linear': 1}, [Entry(text='no run yet', spread='', columns=5)])
    """
    runs, wanted = list(runs), set(SURVEY if schedules is None else schedules)
    seeds = by_seed(runs) if runs else {}
    for label in seeds:
        if label not in SURVEY:
            raise ValueError(no_such("schedule", label, SURVEY))
    rows = {}
    for label in SURVEY:
        mine = [run for run in runs if run.label == label]
        missing = "no run yet" if label in wanted else "not in this study"
        rows[label] = _entries(mine) if mine else [Entry(missing, columns=len(COLUMNS))]
    diverged = sorted((run.label, run.config.seed) for run in runs if run.status == "diverged")
    counts = {label: len(seeds[label]) for label in SURVEY if label in seeds}
    return Part(title=title, note=note, rows=rows, counts=counts, diverged=tuple(diverged))


def parts(recorded: Mapping[str, Sequence[Run]] | None = None) -> list[Part]:
    """Return the five ways to fill table 1.1: the survey, its source's logs, and three studies of ours.

    Parameters
    ----------
    recorded : mapping, name in `EXPERIMENTS` -> runs, or None
        None takes the records that come with the package.

    Examples
    --------
    >>> [part.title for part in parts({})][:2]
    ['The survey, as printed', "The source's logs, epoch 100"]
    """
    ours = {name: each for name, each in EXPERIMENTS.items() if each.column}
    if recorded is None:
        recorded = {
            name: load_runs(*map(preferred_study, each.studies), missing_ok=True)
            for name, each in ours.items()
        }
    both = published()
    found = [_survey(both.survey), _source(both.source)]
    for name, each in ours.items():
        title, note = each.column
        found.append(from_runs(recorded.get(name, []), title=title, note=note, schedules=each.schedules))
    return found


def table_1_1(filled: Iterable[Part] | None = None) -> str:
    """Return table 1.1 as HTML: a small table for each part, under one another.

    Neighbours that have no run, for the same reason, share a row. A part without any is one sentence.

    Examples
    --------
    >>> html = table_1_1(parts({}))
    >>> html.count("<table"), ">triangle, cosine, cosine5</th>" in html
    (2, True)
    >>> html.count("No run of it is recorded.")
    3
    """
    filled = parts() if filled is None else list(filled)
    heads = "".join(f'<th scope="col">{head}</th>' for head in COLUMNS.values())
    tables = []
    for letter, part in zip("abcdefghij", filled, strict=False):
        title = f"<strong>{letter}. {escape(part.title)}.</strong>"
        if all(len(entries) == 1 for entries in part.rows.values()):
            tables.append(f"<p>{title} No run of it is recorded.</p>")
            continue
        rows = []
        for (_, entries), group in groupby(part.rows, key=lambda label: _shared(part, label)):
            labels = list(group)
            n = f"<br><small>n = {part.counts[labels[0]]}</small>" if labels[0] in part.counts else ""
            cells = "".join(cell(entry) for entry in entries)
            rows.append(f'<tr><th scope="row">{", ".join(labels)}{n}</th>{cells}</tr>')
        gone = ""
        if part.diverged:
            names = " and ".join(f"{label} with seed {seed}" for label, seed in part.diverged)
            gone = f" Diverged, {CHANCE:.0%} in test accuracy and left out elsewhere: {names}."
        tables.append(
            f'<table class="results"><caption>{title} {escape(part.note + gone)}</caption>'
            f'<thead><tr><th scope="col">schedule</th>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )
    return '<div class="results">' + "\n".join(tables) + "</div>"


def _shared(part: Part, label: str) -> tuple[str, list[Entry]]:
    """Return what neighbours must have in common to share a row; a row with values is its schedule's own."""
    entries = part.rows[label]
    return ("" if len(entries) == 1 else label), entries


def _entries(runs: Sequence[Run]) -> list[Entry]:
    """Return the cells of one schedule, means over its runs."""
    finished = [run for run in runs if run.status == "finished"]
    entries = []
    for name in COLUMNS:
        if name == "test_accuracy":
            values = [final_accuracy(run) for run in runs]
        else:
            values = [getattr(run.epochs[-1], name) for run in finished]
        entries.append(_mean(values, accuracy=name.endswith("accuracy")) if values else Entry("diverged"))
    return entries


def _mean(values: Sequence[float], *, accuracy: bool) -> Entry:
    mean, (low, high) = fmean(values), interval(values, least=FEWEST)
    scale, decimals, unit = (100, 1, "%") if accuracy else (1, 4, "")
    spread = ""
    if math.isfinite(low):
        half, least = scale * (high - low) / 2, 10**-decimals
        shown = f"{half:.{decimals}f}" if half >= least / 2 else f"<{least:.{decimals}f}"
        spread = f"± {shown}"
    if len(values) == 2:
        spread = " and ".join(f"{scale * value:.{decimals}f}" for value in sorted(values))
    return Entry(f"{rounded(scale * mean, decimals)}{unit}", spread)


def _survey(table: Table[SurveyRow]) -> Part:
    def cells(row: SurveyRow) -> list[Entry]:
        loss = _printed(table, row, "loss")
        return [
            Entry(loss, "with penalty", columns=2),
            *[Entry("–")] * 2,
            Entry(_printed(table, row, "accuracy")),
        ]

    note = "One run each; its Loss is the source's training loss, penalty included."
    return _from_print("The survey, as printed", note, table, cells, "not in the survey's table")


def _source(table: Table[SourceRow]) -> Part:
    def cells(row: SourceRow) -> list[Entry]:
        train, test = _printed(table, row, "train_loss"), _printed(table, row, "test_loss")
        both = [_printed(table, row, f"{part}_accuracy") for part in ("train", "test")]
        return [Entry(train, "with penalty", columns=2), Entry(test, "with penalty"), *map(Entry, both)]

    note = "One run each, without a seed; penalty included in both losses."
    return _from_print("The source's logs, epoch 100", note, table, cells, "not in the source")


def _from_print(title: str, note: str, table: Table, cells, missing: str) -> Part:
    there = {row.schedule: cells(row) for row in table.rows}
    rows = {label: there.get(label, [Entry(missing, columns=len(COLUMNS))]) for label in SURVEY}
    return Part(title=title, note=note, rows=rows)


def _printed(table: Table, row: SurveyRow | SourceRow, name: str) -> str:
    return f"{getattr(row, name):.{table.columns[name].decimals}f}"
