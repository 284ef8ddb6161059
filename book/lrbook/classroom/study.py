"""The study of a class: its runs as a table 1.1, its comparisons, and what was wrong with the other files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from statistics import fmean
from typing import NamedTuple

from lrlib.runs.record import Run
from lrlib.stats import PairedComparison, compare_all, family, final_accuracy, interval

# The kinds of findings, in the order of the report, and their headings there.
KINDS = {
    "edited": "Changed after they were written, or at odds with themselves (left out)",
    "unreadable": "Cut short, or not to be read (left out)",
    "foreign": "Not of this experiment (left out)",
    "duplicate": "Handed in twice (counted once)",
    "extra": "On nobody's list (left out)",
    "diverged": "Diverged (counted as guessing)",
    "missing": "Missing",
    "apart": "Same seed, not the same start or batches (counted)",
}


class Finding(NamedTuple):
    """What is wrong with one file, or about one student: a kind (see `KINDS`), the file, and a sentence.

    A missing run has no file, so `file` is "" then.

    Examples
    --------
    >>> Finding("edited", "b.json", "changed after it was written").kind
    'edited'
    """

    kind: str
    file: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ClassStudy:
    """The runs of a class that count, and a finding for each file or student with a fault.

    It shows itself in a notebook as the class's table 1.1.

    Parameters
    ----------
    runs : dict, file -> Run
        One run for each schedule and seed, all of one experiment.
    findings : tuple of Finding
    files : int
        Number of files read, those in zips too.
    schedules : tuple of str
        Those of the list and of the runs: the rows of the table, and the family of the comparisons.

    Examples
    --------
    >>> from lrbook.classroom import merge
    >>> from lrlib.runs.store import RECORDED
    >>> study = merge(RECORDED / "pilot-laptop")
    >>> sorted(study.runs), study.findings
    (['laptop-constant-seed0.json', 'laptop-linear-seed0.json'], ())
    """

    runs: dict[str, Run]
    findings: tuple[Finding, ...]
    files: int
    schedules: tuple[str, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the class's table 1.1: a head, then a row a schedule with means over seeds."""
        rows = [("schedule", "n", "test accuracy", "95% interval", "training loss")]
        for label in self.schedules:
            runs = self._of(label)
            if not runs:
                rows.append((label, "0", "", "", ""))
                continue
            values = [final_accuracy(run) for run in runs]
            low, high = interval(values)
            # As the survey's column Loss: of the training, and with the penalty on the weights.
            loss = fmean(run.epochs[-1].train_loss + run.epochs[-1].penalty for run in runs)
            alike = "one run" if len(runs) == 1 else "all alike"
            between = f"{low:.1%} to {high:.1%}" if low < high else alike
            # One diverged run makes the mean nan, as a mean over the others would flatter the schedule.
            loss_text = "diverged" if math.isnan(loss) else f"{loss:.4f}"
            rows.append((label, str(len(runs)), f"{fmean(values):.1%}", between, loss_text))
        return rows

    def table(self) -> str:
        """Return the class's table 1.1 in Markdown."""
        head, *rows = self.rows()
        table = [head, ("---", "---:", "---:", "---", "---:"), *rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(head))]
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
        return "\n".join(f"| {' | '.join(row)} |" for row in padded)

    def _repr_html_(self) -> str:
        head, *rows = self.rows()
        lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
        lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    def _of(self, label: str) -> list[Run]:
        return [run for run in self.runs.values() if run.label == label]

    def comparisons(self) -> list[PairedComparison]:
        """Return the comparisons of each schedule with constant and with linear, by the rules of the plan.

        They are paired by seed. Runs of one seed with another start or other batches count too; a finding of
        kind "apart" names them.
        """
        pairs = family(self.schedules)
        known = {label for pair in pairs for label in pair}
        runs = [run for run in self.runs.values() if run.label in known]
        return compare_all(runs, pairs=pairs, shared=False) if runs and pairs else []

    def report(self) -> str:
        """Return the table, the comparisons and the findings as text, with a sentence for each finding."""
        lines = [f"{_count(self.files, 'file')} looked at: {_count(len(self.runs), 'run')} in the table."]
        if self.runs:
            config = next(iter(self.runs.values())).config
            lines += [
                f"The experiment: {config.network} on {config.dataset}, "
                f"{_count(config.epochs, 'epoch')} of "
                f"{_count(config.steps_per_epoch, 'update')} (batches of {config.batch_size}), "
                f"peak rate {config.peak_lr:g}.",
                f"\n{self.table()}\n\n(training loss: last epoch, with the penalty on the weights, as in the "
                "survey's table)",
            ]
            accuracies = [[final_accuracy(run) for run in self._of(label)] for label in self.schedules]
            if any(interval(values)[1] > 1 for values in accuracies if values):
                lines.append("An interval that reaches past 100% comes from too few seeds to tell more.")
            compared = self.comparisons()
            lines += ["", "Seed by seed:" if compared else _nothing(self.schedules)]
            lines += [f"- {comparison.sentence()}" for comparison in compared]
        for kind, heading in KINDS.items():
            found = [finding for finding in self.findings if finding.kind == kind]
            if found:
                lines += ["", f"{heading}: {len(found)}"]
                lines += [f"- {f.file}: {f.sentence}" if f.file else f"- {f.sentence}" for f in found]
        return "\n".join(lines)


def _nothing(schedules: tuple[str, ...]) -> str:
    """Say why there is no comparison: rule 5 of the plan is about constant and linear."""
    if len(schedules) == 1:
        return f"Nothing to compare: all runs have the schedule {schedules[0]}."
    return "Nothing to compare: the plan compares with constant and with linear, and neither was run."


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
