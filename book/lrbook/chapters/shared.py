"""What several chapters print of recorded runs: which there are, how they ended, where they come from.

Sentences and lists are Markdown, without tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import fmean
from typing import TYPE_CHECKING

from lrbook.chapters._write import listed, results_table
from lrlib.runs.store import load_runs, preferred_study
from lrlib.schedules.recipes import SURVEY, in_order
from lrlib.stats import (
    FEWEST,
    SAME,
    alike,
    by_seed,
    chance,
    count_word,
    differing,
    final_accuracy,
    interval,
)

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "ends",
    "first_with",
    "mean_and_range",
    "place_in",
    "recorded",
    "results_table",
    "study_line",
    "what_is_shown",
]


def recorded(*names: str, schedules: Iterable[str] = SURVEY) -> list[Run]:
    """Return the recorded runs of some studies, of these schedules; a study without records adds none.

    Where a GPU recorded an experiment too, its runs are taken (`lrlib.runs.store.preferred_study`).

    Examples
    --------
    >>> recorded("no-such-study")
    []
    >>> [run.label for run in recorded("no-such-study", "pilot-laptop", schedules=["linear"])]
    ['linear']
    """
    return load_runs(*map(preferred_study, names), schedules=schedules, missing_ok=True)


def first_with(*studies: str, schedules: Sequence[str]) -> list[Run]:
    """Return the recorded runs of some schedules from the first study that has all of them; [] if none has.

    Examples
    --------
    >>> len(first_with("no-such-study", "pilot-laptop", schedules=["constant", "linear"]))
    2
    >>> first_with("pilot-laptop", schedules=["linear", "drop"])
    []
    """
    for study in studies:
        runs = recorded(study, schedules=schedules)
        if {run.label for run in runs} == set(schedules):
            return runs
    return []


def study_line(runs: Sequence[Run], *, study: str = "") -> str:
    """Return one sentence for under a figure of many runs: how many, of what, when, on what, with what.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    study : str
        Its name, to stand in front; may be empty.

    Examples
    --------
    >>> study_line(load_runs("pilot-laptop"))  # doctest: +ELLIPSIS
    '2 runs of resnet10 on cifar10 (constant and linear; seed 0), recorded on ... with torch ...; commit ...'
    """
    if not runs:
        raise ValueError(f"runs{f' of {study}' if study else ''} must hold at least one run, got none")
    p, seeds = [run.provenance for run in runs], sorted({run.config.seed for run in runs})
    days = sorted({datetime.fromisoformat(each.started).date() for each in p})
    span = seeds == list(range(seeds[0], seeds[-1] + 1)) and len(seeds) > 2
    numbers = f"{seeds[0]} to {seeds[-1]}" if span else listed(map(str, seeds))
    first, last = (f"{day.day} {day:%B %Y}" for day in (days[0], days[-1]))
    when = f"on {first}" if first == last else f"from {first} to {last}"
    threads = listed(f"{n} thread{'s' * (n > 1)}" for n in sorted({each.threads for each in p}))
    what = listed(dict.fromkeys(f"{run.config.network} on {run.config.dataset}" for run in runs))
    labels = listed(in_order(run.label for run in runs))
    commits = listed(dict.fromkeys((each.commit or "unknown")[:10] for each in p))
    more, many = "s" * (len(runs) > 1), "s" * (len(seeds) > 1)
    head = f"Study {study}: " if study else ""
    return (
        f"{head}{len(runs)} run{more} of {what} ({labels}; seed{many} {numbers}), "
        f"recorded {when} on {listed(dict.fromkeys(each.hardware for each in p))} "
        f"({threads}, {listed(dict.fromkeys(each.precision for each in p))}) "
        f"with torch {listed(dict.fromkeys(each.versions['torch'] for each in p))}; commit {commits}."
    )


def what_is_shown(runs: Sequence[Run], *, dataset: str, schedules: Sequence[str]) -> str:
    """Return one sentence on what a figure of these runs shows, and what another dataset leaves out.

    Parameters
    ----------
    runs : sequence of Run
        As `first_with` gives them, of one dataset.
    dataset : str
        The one that was wanted, such as "cifar10".
    schedules : sequence of str

    Examples
    --------
    >>> what_is_shown([], dataset="cifar10", schedules=["poly5"])
    'No study has a run of poly5 on record yet.'
    >>> runs = recorded("pilot-laptop", schedules=["linear"])
    >>> what_is_shown(runs, dataset="cifar10", schedules=["linear"])
    'Shown: 1 run on cifar10 (linear).'
    """
    names = listed(schedules)
    if not runs:
        both = f"a run of {names}" if len(schedules) == 1 else f"runs of both {names}"
        return f"No study has {both} on record yet."
    found = runs[0].config.dataset
    shown = f"Shown: {len(runs)} run{'s' * (len(runs) > 1)} on {found} ({names})"
    if found == dataset:
        return f"{shown}."
    what = f"the runs of {names}" if len(schedules) == 1 else f"runs of both {names}"
    return f"{shown}. On {dataset}, {what} are not recorded yet; once they are, they stand here."


def mean_and_range(accuracies: Sequence[float], *, count: bool = True, t_interval: bool = False) -> str:
    """Return the mean of final accuracies, with what is known of their spread in brackets.

    Parameters
    ----------
    accuracies : sequence of float
        Fractions, at least one. Of several the range is given.
    count : bool
        Adds how many they are.
    t_interval : bool
        Adds the 95 % t interval of the mean, from `lrlib.stats.FEWEST` values on.

    Examples
    --------
    >>> mean_and_range([0.75]), mean_and_range([0.5, 0.75])
    ('75.0% (n = 1)', '62.5% (50.0% to 75.0%, n = 2)')
    >>> mean_and_range([0.75], count=False)
    '75.0%'
    """
    if not accuracies:
        raise ValueError("accuracies must hold at least one value, got none")
    low, high = interval(accuracies, least=FEWEST) if t_interval else (math.nan, math.nan)
    parts = [f"{min(accuracies):.1%} to {max(accuracies):.1%}"] * (len(accuracies) > 1)
    parts += [f"95% interval {low:.1%} to {high:.1%}"] * math.isfinite(low)
    parts += [f"n = {len(accuracies)}"] * count
    return f"{fmean(accuracies):.1%}" + (f" ({', '.join(parts)})" if parts else "")


def ends(runs: Iterable[Run]) -> str:
    """Return a Markdown list, a line a schedule: n, and the test and training accuracy of its runs.

    Training accuracy is that of the last weights on all training pictures; it is left out if a run diverged.

    Examples
    --------
    >>> print(ends(recorded("pilot-laptop", schedules=["linear"])))  # doctest: +ELLIPSIS
    - **linear** (n = 1): test accuracy ...%; training accuracy with the last weights ...%.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.label, []).append(run)
    lines = []
    for label, group in groups.items():
        values = list(by_seed(group)[label].values())
        text = f"test accuracy {mean_and_range(values, count=False, t_interval=True)}"
        if all(run.final for run in group):
            trained = fmean(run.final.train_accuracy for run in group)
            text += f"; training accuracy with the last weights {trained:.1%}"
        lines.append(f"- **{label}** (n = {len(group)}): {text}.")
    return "\n".join(lines)


def place_in(mine: Run, recorded: Sequence[Run]) -> str:
    """Return one sentence on where a reader's run ended among the recorded runs of the same experiment.

    Final test accuracies are compared; a run that diverged counts as guessing, and the sentence names that.
    Without a recorded run that is `alike`, the sentence gives the settings in which the nearest one differs.

    Examples
    --------
    >>> constant, linear = load_runs("pilot-laptop")
    >>> place_in(constant, [linear])
    'No recorded run is like yours (differing: recipe), so there is no range to place it in.'
    """
    ours = alike(mine, recorded)
    if not ours:
        nearest = min((differing(mine, run) for run in recorded), key=len, default=set())
        why = f" (differing: {', '.join(sorted(nearest))})" if nearest else ""
        return f"No recorded run is like yours{why}, so there is no range to place it in."
    value, finals = final_accuracy(mine), [final_accuracy(run) for run in ours]
    low, high = min(finals), max(finals)
    place = "above" if value > high + SAME else "below" if value < low - SAME else "inside"
    # One decimal, unless it would make a run outside look as if it were on the edge.
    decimals = 1 if place == "inside" or f"{value:.1%}" not in (f"{low:.1%}", f"{high:.1%}") else 2
    shown, least, most = (f"{x:.{decimals}%}" for x in (value, low, high))
    diverged = mine.status == "diverged"
    began = f"diverged, which counts as {value:.0%}" if diverged else f"ended at {shown}"
    if len(ours) == 1:
        where = f"{'level with' if place == 'inside' else place} our only recorded run ({least})"
    else:
        where = f"{place} the range of our {count_word(len(ours))} ({least} to {most})"
    text = f"Your run {began}, {where}"
    if place != "inside" and len(ours) > 1:
        # Of n + 1 runs drawn alike, each is the highest or the lowest with the same chance: 2 / (n + 1).
        text += f"; outside it, above or below, one more run ends by luck alone in 2 of {len(ours) + 1} cases"
    lost = sum(run.status == "diverged" for run in ours)
    return text + (f"; {count_word(lost)} of ours diverged ({chance(mine.config):.0%})." if lost else ".")


def _second_half(column: Sequence[float]) -> Sequence[float]:
    """Return the second half of a run, with the epoch before it, from which its first change is counted."""
    return column[max(0, len(column) // 2 - 1) :]
