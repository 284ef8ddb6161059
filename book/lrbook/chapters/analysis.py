"""What the analysis prints: the decisions of a plan, and schedules at one peak rate or each at its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from lrbook.chapters._write import Entry, cell, listed, results_table
from lrlib.stats import PairedComparison, p_words, reach
from lrlib.stats.rankings import leave_one_out

__all__ = [
    "decided",
    "decision_table",
    "pairing",
    "past_zero",
    "race_table",
    "raced",
    "reached",
]

#: Schedule -> peak rate -> seed -> accuracy, as `lrlib.stats.rankings.by_peak` gives it.
Grid = Mapping[str, Mapping[float, Mapping[int, float]]]


def decision_table(comparisons: Sequence[PairedComparison]) -> str:
    """Return the decisions of `lrlib.stats.compare_all` as HTML, a table for each reference.

    Differences are in percentage points, with their Bonferroni interval below and the shared seeds n. Below a
    verdict stands the p that it rests on, after Holm's correction.

    Examples
    --------
    >>> from lrlib.stats import compare_all
    >>> values = {"constant": {1: 0.5}, "linear": {1: 0.75}}
    >>> html = decision_table(compare_all(values, pairs=[("linear", "constant")]))
    >>> "<td>+25.00</td><td>1</td><td>not decidable</td>" in html
    True
    """
    tables: dict[str, list[str]] = {}
    for c in comparisons:
        low, high = c.interval_points
        points = f"{c.mean_difference_points:+.2f}" if c.n else "–"
        around = f"{low:+.2f} to {high:+.2f}" if math.isfinite(low) else ""
        why = "" if math.isnan(c.verdict_p) else p_words(c.verdict_p)
        cells = [Entry(points, around), Entry(str(c.n)), Entry(c.verdict, why)]
        text = "".join(map(cell, cells))
        tables.setdefault(c.reference, []).append(f'<tr><th scope="row">{c.schedule}</th>{text}</tr>')
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("schedule", "points", "n", "verdict"))
    html = [
        f'<table class="results"><caption><strong>Against {reference}</strong></caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        for reference, rows in tables.items()
    ]
    return '<div class="results">' + "\n".join(html) + "</div>"


def decided(comparisons: Sequence[PairedComparison]) -> str:
    """Return a few sentences on what the comparisons decide, and on how many seeds.

    Examples
    --------
    >>> from lrlib.stats import compare_all
    >>> print(decided(compare_all({"constant": {1: 0.5}}, pairs=[("linear", "constant")])))
    Of 1 comparison, none can be tested yet: no pair shares two seeds. Nothing is decided.
    """
    total = f"Of {len(comparisons)} comparison{'s' if len(comparisons) != 1 else ''}, "
    testable = [c for c in comparisons if not math.isnan(c.p)]
    if not testable:
        if all(c.n < 2 for c in comparisons):
            why = "no pair shares two seeds"
        else:
            why = "the differences do not vary over the seeds"
        return f"{total}none can be tested yet: {why}. Nothing is decided."
    counted = [
        _counted(reference, [c for c in comparisons if c.reference == reference])
        for reference in dict.fromkeys(c.reference for c in comparisons)
    ]
    least, most = min(c.n for c in comparisons), max(c.n for c in comparisons)
    seeds = f"{most} seeds each" if least == most else f"between {least} and {most} shared seeds"
    if all(c.verdict == "not decidable" for c in comparisons):
        return f"None of the {len(comparisons)} comparisons can be decided yet, on {seeds}."
    return f"{' '.join(counted)} On {seeds}."


def past_zero(comparisons: Sequence[PairedComparison]) -> str:
    """Return sentences that name and explain the pairs told apart though their interval holds zero; or "".

    Examples
    --------
    >>> from lrlib.stats import compare_all
    >>> values = {
    ...     "constant": dict.fromkeys(range(4), 0.7),
    ...     "time": {0: 0.74, 1: 0.71, 2: 0.73, 3: 0.72},
    ...     "drop": {0: 0.8, 1: 0.803, 2: 0.806, 3: 0.803},
    ... }
    >>> compared = compare_all(values, pairs=[("drop", "constant"), ("time", "constant")])
    >>> past_zero(compared).split(": ")[0]
    'Told apart though its interval holds zero'
    >>> past_zero(compared[:1])
    ''
    """
    names = [
        f"{c.schedule} against {c.reference}"
        for c in comparisons
        if c.verdict.startswith(("better", "worse")) and c.interval[0] <= 0 <= c.interval[1]
    ]
    if not names:
        return ""
    return (
        f"Told apart though {'its interval holds' if len(names) == 1 else 'their intervals hold'} zero: "
        f"{' and '.join(names)}. An interval is as wide for the last question as for the first; Holm's "
        "correction, by which the plan decides, grows milder with each question that is settled."
    )


def pairing(comparisons: Sequence[PairedComparison]) -> str:
    """Return a sentence on how many differences vary less, or more, with a shared seed than without.

    Examples
    --------
    >>> from lrlib.stats import compare_all
    >>> values = {"constant": {1: 0.70, 2: 0.72, 3: 0.71}, "linear": {1: 0.80, 2: 0.82, 3: 0.80}}
    >>> print(pairing(compare_all(values, pairs=[("linear", "constant")])))
    Sharing a seed made the differences vary less than without it in 1 of 1 comparison, and more in none.
    """
    # Rounded as a comparison's sentence prints them, so that a reader who compares the two counts the same.
    sds = [(round(100 * c.sd, 2), round(100 * c.sd_unpaired, 2)) for c in comparisons if c.sd > 0]
    if not sds:
        return ""
    less, more = sum(a < b for a, b in sds), sum(a > b for a, b in sds)
    return (
        f"Sharing a seed made the differences vary less than without it in {less or 'none'} of {len(sds)} "
        f"comparison{'s' if len(sds) > 1 else ''}, and more in {more or 'none'}."
    )


def reached(comparisons: Sequence[PairedComparison], *, planned: int) -> str:
    """Return a sentence on how far the intervals of a family reach, with its seeds and with those planned.

    Examples
    --------
    >>> from lrlib.stats import compare_all
    >>> values = {name: {1: 0.5, 2: 0.75} for name in ("constant", "linear")}
    >>> print(reached(compare_all(values, pairs=[("linear", "constant")]), planned=5))
    An interval over 2 seeds reaches 9.0 standard deviations to each side, one over 5 seeds 1.2.
    """
    counts = sorted({c.n for c in comparisons if c.n > 1} | {planned})
    first, *more = (f"{reach(n, family=len(comparisons)):.1f}" for n in counts)
    further = "".join(f", one over {n} seeds {far}" for n, far in zip(counts[1:], more, strict=True))
    return f"An interval over {counts[0]} seeds reaches {first} standard deviations to each side{further}."


def race_table(grid: Grid, *, fixed: float = 0.1) -> str:
    """Return a table as HTML: means at one fixed peak rate, at each schedule's own, and the rates chosen.

    Its own is chosen by `lrlib.stats.rankings.leave_one_out`, so that no seed reports at a rate that it
    helped to choose.

    Parameters
    ----------
    grid : mapping, schedule -> peak rate -> seed -> accuracy
    fixed : float

    Examples
    --------
    >>> html = race_table({"linear": {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75, 2: 0.5}}})
    >>> "<td>50.0%<br><small>n = 2</small></td><td>50.0%<br><small>n = 2</small></td><td>0.1, 0.3" in html
    True
    """
    rows = []
    for schedule, peaks in grid.items():
        at, chosen = list(peaks.get(fixed, {}).values()), leave_one_out(peaks)
        own = [each.accuracy for each in chosen]
        rates = ", ".join(f"{rate:g}" for rate in sorted({each.peak_lr for each in chosen}))
        rows.append([schedule, *map(_share, (at, own)), rates or "–"])
    return results_table(["schedule", f"at {fixed:g}", "at its own", "chosen"], rows)


def raced(grid: Grid, *, fixed: float = 0.1) -> str:
    """Return sentences on how far schedules lie apart at one peak rate, and each at its own.

    Only schedules that have both take part. The last sentence gives what choosing a rate by all seeds, and
    reporting the same seeds, would have shown beyond `leave_one_out`, on average.

    Parameters
    ----------
    grid : mapping, schedule -> peak rate -> seed -> accuracy
    fixed : float

    Examples
    --------
    >>> print(raced({"linear": {0.1: {1: 0.5}}}))
    A rate of its own needs two seeds at every rate, of two schedules at least; they are not recorded yet.
    """
    at, own, promised = [], [], []
    for peaks in grid.values():
        chosen = leave_one_out(peaks)
        if chosen and fixed in peaks:
            seeds = [each.left_out for each in chosen]
            means = {rate: fmean(values[seed] for seed in seeds) for rate, values in peaks.items()}
            at.append(means[fixed])
            own.append(fmean(each.accuracy for each in chosen))
            promised.append(max(means.values()))
    if len(own) < 2:
        return (
            "A rate of its own needs two seeds at every rate, of two schedules at least; "
            "they are not recorded yet."
        )
    # From the means as the table prints them, so that a reader who subtracts finds the same.
    shown = ([round(100 * mean, 1) for mean in means] for means in (at, own))
    before, after = (max(means) - min(means) for means in shown)
    if after < before / 2:
        meaning = "The gap is less than half as wide where each has a rate that suits it."
    elif after < before:
        meaning = "The gap is narrower where each has a rate that suits it."
    else:
        meaning = "The gap does not shrink where each has a rate that suits it."
    optimism = 100 * (fmean(promised) - fmean(own))
    return (
        f"At the one rate {fixed:g}, the means of {len(at)} schedules lie {before:.1f} points apart; each at "
        f"its own, {after:.1f} points. {meaning} Picking by all seeds, and reporting the same, would have "
        f"shown {optimism:+.2f} points on average.{_at_the_edge(grid)}"
    )


def _counted(reference: str, comparisons: Sequence[PairedComparison]) -> str:
    """Return a sentence that counts the verdicts against one reference; a lone comparison is named."""
    kinds = [c.verdict.split(",")[0].removesuffix(" as") for c in comparisons]
    known = ("better", "worse", "as good", "not decidable")
    counts = {kind: kinds.count(kind) for kind in known if kind in kinds}
    (first, n), *more = counts.items()
    who = comparisons[0].schedule if len(kinds) == 1 else f"all {n}" if not more else f"{n}"
    parts = [f"{who} {'is' if n == 1 else 'are'} *{first}*", *(f"{m} *{kind}*" for kind, m in more)]
    return f"Against {reference}, {listed(parts)}."


def _at_the_edge(grid: Grid) -> str:
    """Return sentences on schedules that chose an end of the grid: their best rate may lie outside."""
    text = ""
    for side, end in (("lowest", min), ("highest", max)):
        names = [
            schedule
            for schedule, peaks in grid.items()
            if any(each.peak_lr == end(peaks) for each in leave_one_out(peaks))
        ]
        if names:
            text += f" Some seeds chose the {side} rate of the grid for {listed(names)}: "
            text += "a better one may lie outside."
    return text


def _share(values: Sequence[float]) -> str | tuple[str, str]:
    return (f"{fmean(values):.1%}", f"n = {len(values)}") if values else "no run yet"
