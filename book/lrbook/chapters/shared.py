"""What several chapters print of recorded runs: which there are, how they ended, where they come from.

Sentences and lists are Markdown, without tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lrbook.chapters._write import listed
from lrbook.finding import Finding, Records, percent
from lrlib.runs.store import load_runs, preferred_study
from lrlib.schedules.recipes import SURVEY, in_order
from lrlib.stats import (
    SAME,
    alike,
    chance,
    count_word,
    differing,
    final_accuracy,
)

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "live_ends",
    "place_in",
    "recorded",
    "study_line",
]


def live_ends(
    mine: Mapping[str, Run],
    ours: Callable[[Records | None], Finding],
    records: Records | None = None,
    *,
    usual: tuple[str, int, float | Mapping[str, float]],
) -> Finding:
    """Return where runs that were just trained ended and, if all are the usual ones, what ours did.

    Parameters
    ----------
    mine : mapping, label -> Run
    ours : callable
        The finding on the recorded runs.
    records : Records or None
    usual : (str, int, float or mapping)
        Data set, epochs and peak rate of the recorded runs; peak rates by label where they differ.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> mine = {run.label: run for run in load_runs("pilot-laptop")}
    >>> live_ends(mine, lambda records: Finding("", {}, {}), usual=("digits", 8, 0.01)).text.strip()
    'Your runs ended at 77.4% (constant) and 82.1% (linear).'
    """
    ends = " and ".join(f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items())
    data, epochs, peak = usual
    peaks = peak if isinstance(peak, Mapping) else dict.fromkeys(mine, peak)
    wanted = {label: (data, epochs, peaks.get(label)) for label in mine}
    settings = {
        label: (run.config.dataset, run.config.epochs, run.config.peak_lr) for label, run in mine.items()
    }
    more = ours(records) if settings == wanted else Finding("", {}, {})
    return Finding("Your runs ended at {ends}. {ours}", {"ends": ends, "ours": more.text}, more.holds)


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
    torch = listed(dict.fromkeys(each.versions.get("torch", "unknown") for each in p))
    head = f"Study {study}: " if study else ""
    return (
        f"{head}{len(runs)} run{more} of {what} ({labels}; seed{many} {numbers}), "
        f"recorded {when} on {listed(dict.fromkeys(each.hardware for each in p))} "
        f"({threads}, {listed(dict.fromkeys(each.precision for each in p))}) "
        f"with torch {torch}; commit {commits}."
    )


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
