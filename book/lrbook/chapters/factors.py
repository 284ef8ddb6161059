"""What a schedule's worth depends on: final accuracies over the levels of one factor, paired by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING

from lrbook.chapters._write import listed, results_table
from lrbook.chapters.shared import study_line
from lrlib.schedules.recipes import in_order
from lrlib.stats import FAILED, FEWEST, SAME, by_seed, compare_all, interval, paired_differences

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "by_level",
    "effect_report",
    "effect_table",
    "leaders",
    "path_report",
]

#: A factor: a field or property of the config, such as "epochs", or a function of the run.
Level = str | Callable[["Run"], float | str]


def by_level(runs: Iterable[Run], level: Level) -> dict[str, dict[float | str, list[float]]]:
    """Return the final test accuracies by schedule and level of a factor, one a seed: for `plot_levels`.

    Parameters
    ----------
    runs : iterable of Run
        Those of one level may differ in schedule and seed only.
    level : str or function
        Name of a field or property of `RunConfig`, such as "epochs" or "images"; or a function of the run.

    Raises
    ------
    ValueError
        If there is no run, or what `lrlib.stats.by_seed` refuses.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> groups = by_level(recorded("pilot-laptop"), "epochs")
    >>> {label: {level: len(values) for level, values in levels.items()} for label, levels in groups.items()}
    {'constant': {30: 1}, 'linear': {30: 1}}
    """
    groups: dict[str, dict[float | str, list[float]]] = {}
    for at, accuracies in _levels(runs, level).items():
        for label, seeds in accuracies.items():
            groups.setdefault(label, {})[at] = [seeds[seed] for seed in sorted(seeds)]
    return {label: groups[label] for label in in_order(groups)}


def effect_table(
    runs: Iterable[Run], level: Level, *, name: str, schedule: str = "linear", reference: str = "constant"
) -> str:
    """Return a table as HTML: a row a level, the schedules' mean accuracies, and one paired difference.

    The difference is the mean over the n seeds that both have, in points, with its 95 % t interval, which is
    this pair's alone; of two seeds it has both differences.

    Parameters
    ----------
    runs, level
        As for `by_level`.
    name : str
        Head of the first column.
    schedule, reference : str

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> html = effect_table(recorded("pilot-laptop"), "epochs", name="epochs")
    >>> '<th scope="row">30</th>' in html
    True
    """
    levels = _levels(runs, level)
    labels = in_order(label for accuracies in levels.values() for label in accuracies)
    rows = []
    for at, accuracies in levels.items():
        means = [f"{fmean(accuracies[x].values()):.1%}" if x in accuracies else "–" for x in labels]
        rows.append([_words(at), *means, _points(paired_differences(accuracies, schedule, reference))])
    return results_table([name, *labels, f"{schedule} - {reference}, points"], rows)


def effect_report(
    runs: Sequence[Run], level: Level, *, name: str, study: str, unit: str = "", also: str = "", **pair: str
) -> str:
    """Return what stands under a figure of levels, as HTML: table, who leads, and where the runs come from.

    Parameters
    ----------
    runs, level, name
        As for `effect_table`. Without runs, the text says how to record them.
    study : str
        Name of the study that has them.
    unit : str
        What stands before levels in the sentence, such as "rate "; may be empty.
    also : str
        A schedule whose differences from the reference are said in a sentence too; may be empty.
    **pair
        `schedule` and `reference`, as for `effect_table`.

    Examples
    --------
    >>> effect_report([], "epochs", name="epochs", study="horizon")
    '<p>No run is recorded yet: <code>lrlib study run horizon</code> does it.</p>'
    """
    if not runs:
        return _not_recorded(f"lrlib study run {study}")
    more = _also(runs, level, also, unit, pair.get("reference", "constant")) if also else ""
    return (
        effect_table(runs, level, name=name, **pair)
        + f"<p>{escape(leaders(runs, level, name=unit, **pair))}</p>"
        + (f"<p>{escape(more)}</p>" if more else "")
        + f"<p><em>{escape(study_line(runs))}</em></p>"
    )


def _also(runs: Sequence[Run], level: Level, schedule: str, name: str, reference: str) -> str:
    """Return the differences of a schedule from a reference at each level, as a sentence."""
    said = []
    for at, accuracies in _levels(runs, level).items():
        points = _points(paired_differences(accuracies, schedule, reference))
        if points != "–":
            said.append(f"{points[0]} points at {name}{_words(at)} ({points[1]})")
    return f"{schedule} - {reference}: {', '.join(said)}." if said else ""


def path_report(runs: Sequence[Run], *, paths: tuple[str, str] = ("fast", "plain")) -> str:
    """Return what two ways to compute the same runs make of them, as HTML: by seed, and their difference.

    Parameters
    ----------
    runs : sequence of Run
        One schedule, both paths, alike in all but the seed. Without runs, the text says how to record them.
    paths : (str, str)
        As `Run.provenance` names them; the difference is the first minus the second, in points.

    Raises
    ------
    ValueError
        If the runs differ in more than path and seed, or what `lrlib.stats.by_seed` refuses.

    Examples
    --------
    >>> path_report([])[:32]
    '<p>No run is recorded yet: <code'
    """
    by_path = {path: [run for run in runs if run.provenance.path == path] for path in paths}
    if not all(by_path.values()):
        return _not_recorded(*(f"lrlib study run path-{path} --path {path}" for path in paths))
    configs = {run.config.model_dump_json(exclude={"seed"}) for run in runs}
    if len(configs) > 1:
        raise ValueError(f"runs must differ in path and seed only, got {len(configs)} configs")
    accuracies = {path: next(iter(by_seed(some).values())) for path, some in by_path.items()}
    first, second = accuracies.values()
    rows = [
        [str(seed), f"{first[seed]:.2%}", f"{second[seed]:.2%}", f"{100 * (first[seed] - second[seed]):+.2f}"]
        for seed in sorted(first.keys() & second.keys())
    ]
    (difference,) = compare_all(accuracies, pairs=[paths])
    return (
        results_table(["seed", *paths, "difference, points"], rows)
        + f"<p>{escape(difference.sentence())}</p>"
        + f"<p><em>{escape(study_line(runs))}</em></p>"
    )


def leaders(
    runs: Iterable[Run],
    level: Level,
    *,
    name: str = "",
    schedule: str = "linear",
    reference: str = "constant",
) -> str:
    """Return which schedule has the highest mean at each level, and where a difference leaves out zero.

    A level at which every run failed has no leader and is not counted; where some did is said too. Nor has
    one that only one of the schedules has.

    Parameters
    ----------
    runs, level, schedule, reference
        As for `effect_table`.
    name : str
        What stands before levels, such as "rate "; may be empty.

    Examples
    --------
    >>> from lrbook.chapters.shared import recorded
    >>> leaders(recorded("pilot-laptop"), "epochs", name="epochs ")
    'Highest mean: linear at epochs 30.'
    """
    levels = _levels(runs, level)
    first: dict[str, list[str]] = {}
    apart, tested = [], 0
    failed = {at: [x < FAILED for values in levels[at].values() for x in values.values()] for at in levels}
    raced = len({label for accuracies in levels.values() for label in accuracies}) > 1
    for at, accuracies in levels.items():
        if all(failed[at]) or (raced and len(accuracies) == 1):
            continue
        means = {label: fmean(values.values()) for label, values in accuracies.items()}
        best = [x for x in in_order(means) if means[x] > max(means.values()) - SAME]
        first.setdefault(listed(best) + " (tied)" * (len(best) > 1), []).append(_words(at))
        low, high = _interval(paired_differences(accuracies, schedule, reference))
        tested += low == low  # nan: nothing tells
        apart += [_words(at)] if low > 0 or high < 0 else []
    if not first and all(map(all, failed.values())):
        return "Every run failed: most of its answers are wrong."
    if not first:
        return "No level has runs of two schedules yet that could be compared."
    if len(levels) > 1 and [len(where) for where in first.values()] == [len(levels)]:
        text = f"Highest mean at each of the {len(levels)} levels: {next(iter(first))}."
    else:
        text = f"Highest mean: {'; '.join(f'{x} at {name}{listed(where)}' for x, where in first.items())}."
    if tested:
        where = f", {name}{listed(apart)}" if apart else ""
        text += (
            f" The interval of {schedule} - {reference} leaves out zero at "
            f"{len(apart)} of {tested} level{'s' * (tested > 1)}{where}."
        )
    lost = [_words(at) for at, which in failed.items() if all(which)]
    some = [_words(at) for at, which in failed.items() if any(which) and not all(which)]
    if lost:
        text += f" Every run failed (most answers wrong) at {name}{listed(lost)}, not counted here."
    if some:
        text += f" Some runs failed{'' if lost else ' (most answers wrong)'} at {name}{listed(some)}."
    return text


def _not_recorded(*commands: str) -> str:
    codes = listed(f"<code>{escape(command)}</code>" for command in commands)
    return f"<p>No run is recorded yet: {codes} {'do' if len(commands) > 1 else 'does'} it.</p>"


def _levels(runs: Iterable[Run], level: Level) -> dict[float | str, dict[str, dict[int, float]]]:
    """Return level -> schedule -> seed -> final accuracy; numbers ascend, words stay in their order."""
    groups: dict[float | str, list[Run]] = {}
    for run in runs:
        groups.setdefault(level(run) if callable(level) else getattr(run.config, level), []).append(run)
    if not groups:
        raise ValueError("runs must hold at least one run, got none; record the study first")
    order = list(groups) if any(isinstance(at, str) for at in groups) else sorted(groups)
    return {at: by_seed(groups[at]) for at in order}


def _interval(differences: dict[int, float]) -> tuple[float, float]:
    return interval([*differences.values()], least=FEWEST) if differences else (float("nan"), float("nan"))


def _points(differences: dict[int, float]) -> str | tuple[str, str]:
    if not differences:
        return "–"
    low, high = (100 * end for end in _interval(differences))
    n = f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(differences)}"
    around = "" if low != low else f"{low:+.1f} to {high:+.1f}, "
    if len(differences) == 2:
        around = "{:+.1f} and {:+.1f}, ".format(*(100 * each for each in differences.values()))
    return f"{100 * fmean(differences.values()):+.1f}", around + n


def _words(level: float | str) -> str:
    return str(level).replace("\n", ", ")  # a level may be broken into lines for its place under an axis
