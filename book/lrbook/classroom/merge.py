"""Merge the records of a class: one experiment, one run a schedule and seed, a finding for all else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from lrbook.classroom.assignment import Assigned, ClassError
from lrbook.classroom.inbox import handed_in, plain
from lrbook.classroom.study import ClassStudy, Finding
from lrlib.runs.config import RunConfig
from lrlib.runs.record import RecordError, Run, run_from
from lrlib.schedules.recipes import in_order
from lrlib.stats import final_accuracy
from lrlib.stats.outcomes import same_draw


def merge(place: str | Path, *, assigned: Sequence[Assigned] | None = None) -> ClassStudy:
    """Return the class's study from the records in a folder (its sub-folders and zips too), or in one zip.

    The experiment is what most records agree on. Of several records of one schedule and seed, the one that
    was started first counts. With a list, only the runs on it count. Every file that is not in the table has
    a finding, and none stops the merge.

    Parameters
    ----------
    place : path of a folder or a zip
    assigned : list of Assigned, or None
        Who runs what; None cannot tell what is missing.

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
    records, unreadable = _records(place)
    same, foreign = _one_experiment(records)
    runs, duplicates = _one_run_each(same)
    extra, missing = [], []
    if assigned is not None:
        runs, extra, missing = _on_the_list(runs, assigned)
    found = (*unreadable, *foreign, *duplicates, *extra, *_diverged(runs), *missing, *_apart(runs))
    findings = tuple(each._replace(sentence=plain(each.sentence)) for each in found)
    order = in_order({a.schedule for a in assigned or ()} | {run.label for run in runs.values()})
    runs = dict(sorted(runs.items(), key=lambda item: (order.index(item[1].label), item[1].config.seed)))
    # Each file is a record or a finding of its own.
    files = len(records) + len(unreadable)
    return ClassStudy(runs=runs, findings=findings, files=files, schedules=tuple(order))


def _records(place: Path) -> tuple[dict[str, Run], list[Finding]]:
    """Read all files: the records by file name, and a finding for each other file."""
    records: dict[str, Run] = {}
    findings: list[Finding] = []
    for name, data, problem in handed_in(place):
        if problem:
            findings.append(Finding("unreadable", name, problem))
            continue
        try:
            records[name] = run_from(data, name)
        except RecordError as error:
            findings.append(_no_record(name, data, error))
        except Exception as error:  # a file can be made up to raise anything; the others still count
            why = f"cannot be read ({type(error).__name__}: {error})"[:300]
            findings.append(Finding("unreadable", name, why))
    return records, findings


def _no_record(name: str, data: bytes, error: RecordError) -> Finding:
    """Return the finding for a file that is no record: one that was cut or changed, or something else."""
    sentence = str(error).removeprefix(f"{name}: ")[:300]
    kind = {"edited": "edited", "wrong": "edited"}.get(error.kind, "foreign")
    begun = data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    if error.kind == "unreadable":
        kind = "unreadable" if begun or not data.strip() else "foreign"
        sentence = sentence if kind == "unreadable" else "not a record, not even JSON; ask for the .json file"
    return Finding(kind, name, sentence if data.strip() else "the file is empty; have it sent again")


def _one_experiment(runs: dict[str, Run]) -> tuple[dict[str, Run], list[Finding]]:
    """Keep the runs that have the commonest settings; name what differs in the others.

    A run's own schedule and seed are no settings of the experiment.
    """
    if not runs:
        return {}, []
    wanted = _commonest([_settings(run.config) for run in runs.values()])
    same = {name: run for name, run in runs.items() if _settings(run.config) == wanted}
    # One label may stand for two recipes, as it does not name all of their numbers.
    recipes = {
        label: _commonest([run.config.recipe for run in same.values() if run.label == label])
        for label in {run.label for run in same.values()}
    }
    findings = []
    for name, run in runs.items():
        differences = [
            f"{field} {mine!r}, the class has {theirs!r}"
            for (field, mine), (_, theirs) in zip(_settings(run.config), wanted, strict=True)
            if mine != theirs
        ]
        if not differences and run.config.recipe != recipes[run.label]:
            differences = [f"{run.config.recipe!r}, the class has {recipes[run.label]!r}"]
        if differences:
            same.pop(name, None)
            findings.append(Finding("foreign", name, f"another experiment: {'; '.join(differences[:3])}"))
    return same, findings


def _settings(config: RunConfig) -> tuple[tuple[str, object], ...]:
    return tuple((field, value) for field, value in config if field not in ("recipe", "seed"))


def _commonest(values: list) -> object:
    """Return the commonest value; of equally common ones the first by its text, whatever the files' order."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], repr(value)))


def _cell(run: Run) -> tuple[str, int]:
    return run.label, run.config.seed


def _cell_text(run: Run) -> str:
    return f"{run.label} with seed {run.config.seed}"


def _one_run_each(records: dict[str, Run]) -> tuple[dict[str, Run], list[Finding]]:
    """Keep the run that was started first of each schedule and seed."""
    # The first and not the best: a student who runs again until the result pleases would bias the table.
    cells = defaultdict(list)
    for name in sorted(records, key=lambda name: (records[name].provenance.started, name)):
        cells[_cell(records[name])].append(name)
    findings = [
        _duplicate(name, records[name], first, records[first])
        for first, *others in cells.values()
        for name in others
    ]
    return {first: records[first] for first, *_ in cells.values()}, findings


def _duplicate(name: str, run: Run, first: str, kept: Run) -> Finding:
    what = _cell_text(run)
    if run.model_dump_json() == kept.model_dump_json():  # as text: nan is not equal to nan
        sentence = f"the very record of {first}, copied"
    elif run.measured() == kept.measured():
        sentence = f"{what} again, run anew, with the same result as {first} digit for digit"
    else:
        ends = f"{final_accuracy(run):.2%} and not {final_accuracy(kept):.2%}"
        sentence = f"{what} again, with another result than {first} ({ends}); the one started first counts"
    return Finding("duplicate", name, sentence)


def _on_the_list(
    runs: dict[str, Run], assigned: Sequence[Assigned]
) -> tuple[dict[str, Run], list[Finding], list[Finding]]:
    """Keep the runs that are on the list; return the others, and what is missing, as findings."""
    listed = {(a.schedule, a.seed) for a in assigned}
    kept = {name: run for name, run in runs.items() if _cell(run) in listed}
    extra = [
        Finding("extra", name, f"{_cell_text(run)} is on nobody's list; add it there to count it")
        for name, run in runs.items()
        if name not in kept
    ]
    there = {_cell(run) for run in kept.values()}
    missing = [Finding("missing", "", str(a)) for a in assigned if (a.schedule, a.seed) not in there]
    return kept, extra, missing


def _diverged(runs: dict[str, Run]) -> Iterator[Finding]:
    for name, run in runs.items():
        if run.status == "diverged":
            when = f"in epoch {len(run.epochs)} of {run.config.epochs}"
            yield Finding("diverged", name, f"{_cell_text(run)} diverged {when}; a result, so it stays in")


def _apart(runs: dict[str, Run]) -> Iterator[Finding]:
    """Name the runs that did not share the start, or a batch, with the first run of their seed."""
    first: dict[int, tuple[str, Run]] = {}
    for name, run in sorted(runs.items()):
        other, kept = first.setdefault(run.config.seed, (name, run))
        if not same_draw(run, kept):
            text = f"seed {run.config.seed}, but not the start or the batches of {other}; were their versions"
            yield Finding("apart", name, f"{text} of torch the same?")
