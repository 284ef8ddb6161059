"""The class study: each student runs one (schedule, seed), and the class makes a table 1.1 of its own.

`assignment` says who runs what, `hand_in` writes the record of a run, `merge` makes the table of a folder of
records. A teacher's page is in book/teach/.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from lrbook.classroom.assignment import Assigned, ClassError, assignment, read_list, write_list
from lrbook.classroom.inbox import handed_in
from lrlib._checks import check_int
from lrlib.runs.config import RunConfig
from lrlib.runs.record import RecordError, Run, run_from, write_run
from lrlib.schedules.recipes import in_order
from lrlib.stats import PairedComparison, compare_all, family, final_accuracy, interval
from lrlib.stats.outcomes import same_draw

__all__ = [
    "Assigned",
    "ClassError",
    "ClassStudy",
    "Finding",
    "assignment",
    "hand_in",
    "merge",
    "read_list",
    "write_list",
]

# What a finding is about, in the order of the report, and its heading there.
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


def hand_in(run: Run, *, number: int, folder: str | Path = ".") -> Path:
    """Write the record of a student's run, under a name that says whose it is, and return its path.

    Done again with the same result it leaves the file as it is; another result gets a name of its own, as
    nothing is overwritten.

    Parameters
    ----------
    run : Run
    number : int, >= 1
        The student's number on the list. No names are stored.
    folder : path

    Raises
    ------
    RecordError, TypeError, ValueError
        If the record cannot be written, or the number is of another type or out of its range.

    Examples
    --------
    >>> import tempfile
    >>> from lrlib import load_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hand_in(load_runs("pilot-laptop")[1], number=7, folder=folder).name
    'class-07-linear-seed0.json'
    """
    check_int("number", number, least=1)
    name, again = f"class-{number:02d}-{run.label}-seed{run.config.seed}", 1
    while (path := Path(folder, f"{name}{f'-{again}' if again > 1 else ''}.json")).exists():
        if _same_result(path, run):
            return path
        again += 1
    return write_run(run, path)


class Finding(NamedTuple):
    """What a merge has to say about one file or student: a kind (see `KINDS`), the file, a sentence.

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
    """What a class measured: the runs that count, and a finding for all that is not as it should be.

    Parameters
    ----------
    runs : dict, file -> Run
        One run for each schedule and seed, all of one experiment.
    findings : tuple of Finding
    files : int
        All that were looked at, those in zips too.
    schedules : tuple of str
        Of the list, or of the runs: the rows of the table and the family of the comparisons.

    Examples
    --------
    >>> from lrlib.runs.record import RECORDED
    >>> study = merge(RECORDED / "pilot-laptop")
    >>> sorted(study.runs), study.findings
    (['laptop-constant-seed0.json', 'laptop-linear-seed0.json'], ())
    """

    runs: dict[str, Run]
    findings: tuple[Finding, ...]
    files: int
    schedules: tuple[str, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the class's table 1.1: head, then a row a schedule, means over seeds."""
        rows = [("schedule", "n", "test accuracy", "95 % interval", "training loss")]
        for label in self.schedules:
            runs = [run for run in self.runs.values() if run.label == label]
            if not runs:
                rows.append((label, "0", "", "", ""))
                continue
            values = [final_accuracy(run) for run in runs]
            low, high = interval(values)
            # The survey's Loss: of the training, with the penalty on the weights in it.
            loss = fmean(run.epochs[-1].train_loss + run.epochs[-1].penalty for run in runs)
            alike = "one run" if len(runs) == 1 else "all alike"
            between = f"{low:.1%} to {high:.1%}" if low < high else alike
            there = "diverged" if math.isnan(loss) else f"{loss:.4f}"
            rows.append((label, str(len(runs)), f"{fmean(values):.1%}", between, there))
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

    def _by_schedule(self) -> list[list[Run]]:
        groups = defaultdict(list)
        for run in self.runs.values():
            groups[run.label].append(run)
        return list(groups.values())

    def comparisons(self) -> list[PairedComparison]:
        """Compare each schedule with constant and with linear, seed by seed, by the rules of the plan.

        Runs of one seed that did not share start and batches count too; a finding of kind "apart" names them.
        """
        pairs = family(self.schedules)
        known = {label for pair in pairs for label in pair}
        runs = [run for run in self.runs.values() if run.label in known]
        return compare_all(runs, pairs=pairs, shared=False) if runs and pairs else []

    def report(self) -> str:
        """Return all of it as text: the table, the comparisons, and the findings, a sentence each."""
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
            if any(interval([final_accuracy(run) for run in runs])[1] > 1 for runs in self._by_schedule()):
                lines.append("An interval that reaches past 100 % comes from too few seeds to tell more.")
            compared = self.comparisons()
            lines += ["", "Seed by seed:" if compared else "Nothing to compare with: no constant, no linear."]
            lines += [f"- {comparison.sentence()}" for comparison in compared]
        for kind, heading in KINDS.items():
            found = [finding for finding in self.findings if finding.kind == kind]
            if found:
                lines += ["", f"{heading}: {len(found)}"]
                lines += [f"- {f.file}: {f.sentence}" if f.file else f"- {f.sentence}" for f in found]
        return "\n".join(lines)


def merge(place: str | Path, *, assigned: Sequence[Assigned] | None = None) -> ClassStudy:
    """Read every record in a folder (sub-folders and zips too), or in one zip, and make the class's study.

    Rules, the same for everyone: what most records agree on is the experiment; of two records of one schedule
    and seed the one that was started first counts; with a list, only what is on it counts. No file stops the
    merge, and every file that is not in the table has a finding.

    Parameters
    ----------
    place : path of a folder or a zip
    assigned : list of Assigned, or None
        Who runs what; None cannot tell what is missing.

    Raises
    ------
    ClassError
        If there is no such folder or zip.

    Examples
    --------
    >>> merge("no-such-folder")
    Traceback (most recent call last):
        ...
    lrbook.classroom.assignment.ClassError: no-such-folder: there is no such folder or zip
    """
    place = Path(place)
    if not (place.is_dir() or (place.is_file() and place.suffix.lower() == ".zip")):
        raise ClassError(f"{place}: there is no such folder or zip")
    records: dict[str, Run] = {}
    findings: list[Finding] = []
    files = 0
    for file in handed_in(place):
        files += 1
        if file.problem:
            findings.append(Finding("unreadable", file.name, file.problem))
            continue
        try:
            records[file.name] = run_from(file.data, file.name)
        except RecordError as error:
            findings.append(_finding(file.name, file.data, error))
        except Exception as error:  # whatever a made-up file can do, the others still count
            why = f"cannot be read ({type(error).__name__}: {error})"[:300]
            findings.append(Finding("unreadable", file.name, why))
    mine, foreign = _one_experiment(records)
    findings += foreign
    runs: dict[str, Run] = {}
    cells = defaultdict(list)
    for name, run in sorted(mine.items(), key=lambda item: (item[1].provenance.started, item[0])):
        cells[run.label, run.config.seed].append(name)
    listed = {(a.schedule, a.seed) for a in assigned or ()}
    for cell, (first, *others) in cells.items():
        findings += [_duplicate(name, mine[name], first, mine[first]) for name in others]
        if assigned is not None and cell not in listed:
            where = f"{cell[0]} with seed {cell[1]} is on nobody's list; add it there to count it"
            findings.append(Finding("extra", first, where))
            continue
        runs[first] = run = mine[first]
        if run.status == "diverged":
            after = (
                f"{cell[0]} with seed {cell[1]} diverged in epoch {len(run.epochs)} of {run.config.epochs}"
            )
            findings.append(Finding("diverged", first, f"{after}; a result, so it stays in"))
    findings += [Finding("missing", "", str(a)) for a in assigned or () if (a.schedule, a.seed) not in cells]
    findings += _apart(runs)
    labels = {a.schedule for a in assigned} if assigned else set()
    labels |= {run.label for run in runs.values()}
    order = in_order(labels)
    runs = dict(sorted(runs.items(), key=lambda item: (order.index(item[1].label), item[1].config.seed)))
    return ClassStudy(runs=runs, findings=tuple(findings), files=files, schedules=tuple(order))


def _finding(name: str, data: bytes, error: RecordError) -> Finding:
    """Sort what cannot be read: a record that was cut or changed, or something else altogether."""
    sentence = str(error).removeprefix(f"{name}: ")[:300]
    kind = {"edited": "edited", "wrong": "edited"}.get(error.kind, "foreign")
    begun = data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    if error.kind == "unreadable":
        kind = "unreadable" if begun or not data.strip() else "foreign"
        sentence = sentence if kind == "unreadable" else "not a record, not even JSON; ask for the .json file"
    return Finding(kind, name, sentence if data.strip() else "the file is empty; have it sent again")


def _one_experiment(runs: dict[str, Run]) -> tuple[dict[str, Run], list[Finding]]:
    """Keep the runs that agree in all but schedule and seed with most others; name what parts the rest."""
    if not runs:
        return {}, []
    wanted = _most([_settings(run.config) for run in runs.values()])
    same = {name: run for name, run in runs.items() if _settings(run.config) == wanted}
    recipes = {
        label: _most([run.config.recipe for run in same.values() if run.label == label])
        for label in {run.label for run in same.values()}
    }
    findings = []
    for name, run in runs.items():
        apart = [
            f"{field} {mine!r}, the class has {theirs!r}"
            for (field, mine), (_, theirs) in zip(_settings(run.config), wanted, strict=True)
            if mine != theirs
        ]
        if not apart and run.config.recipe != recipes[run.label]:
            apart = [f"{run.config.recipe!r}, the class has {recipes[run.label]!r}"]
        if apart:
            same.pop(name, None)
            findings.append(Finding("foreign", name, f"another experiment: {'; '.join(apart[:3])}"))
    return same, findings


def _settings(config: RunConfig) -> tuple[tuple[str, object], ...]:
    return tuple((field, value) for field, value in config if field not in ("recipe", "seed"))


def _most(values: list) -> object:
    """Return the commonest value; among equals the one whose text comes first, so that no order matters."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], repr(value)))


def _duplicate(name: str, run: Run, first: str, kept: Run) -> Finding:
    what = f"{run.label} with seed {run.config.seed}"
    if run.model_dump_json() == kept.model_dump_json():  # as text: nan is not equal to nan
        sentence = f"the very record of {first}, copied"
    elif run.measured() == kept.measured():
        sentence = f"{what} again, run anew, with the same result as {first} digit for digit"
    else:
        ends = f"{final_accuracy(run):.2%} and not {final_accuracy(kept):.2%}"
        sentence = f"{what} again, with another result than {first} ({ends}); the one started first counts"
    return Finding("duplicate", name, sentence)


def _apart(runs: dict[str, Run]) -> Iterator[Finding]:
    """Name the runs that did not share the start, or a batch, with the first run of their seed."""
    first: dict[int, tuple[str, Run]] = {}
    for name, run in sorted(runs.items()):
        other, kept = first.setdefault(run.config.seed, (name, run))
        if not same_draw(run, kept):
            text = f"seed {run.config.seed}, but not the start or the batches of {other}; were their versions"
            yield Finding("apart", name, f"{text} of torch the same?")


def _same_result(path: Path, run: Run) -> bool:
    try:
        return run_from(path.read_bytes(), str(path)).measured() == run.measured()
    except (OSError, RecordError):
        return False


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
