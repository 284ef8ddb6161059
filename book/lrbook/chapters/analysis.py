"""What the analysis prints: the decisions of a plan, and schedules at one peak rate or each at its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure
from scipy.stats import spearmanr

from lrbook.chapters._write import Entry, cell, listed, results_table
from lrbook.finding import Finding, Records, count, finding, percent, points, rounded, verdict
from lrlib.plots.style import in_per_cent
from lrlib.plots.two_widths import COLOR, NARROW, WIDE, TwoWidths
from lrlib.runs.published import published
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import PairedComparison, final_accuracy, p_words, reach
from lrlib.stats.rankings import by_peak, leave_one_out

__all__ = [
    "decided",
    "decision_table",
    "pairing",
    "past_zero",
    "race_table",
    "raced",
    "reached",
]

RESNET50, MAP, DIGITS_MAP = "resnet50-gpu", "laptop-map-gpu", "peak-digits"

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


# --- On a GPU: the survey's words, and other peak rates -----------------------------------------------------


@finding(heading="ResNet-50, as the survey's words say")
def resnet50_text(records: Records) -> Finding:
    """Set ResNet-50, one seed, beside the accuracies that the survey prints."""
    ours = {run.label: final_accuracy(run) for run in records[RESNET50]}
    printed = published().survey.column("accuracy")
    order = sorted(ours, key=ours.__getitem__, reverse=True)
    off = {name: ours[name] - printed[name] for name in ours}
    runs = records[RESNET50]
    return Finding(
        """
        The survey's text describes a ResNet-50, a peak rate of {peak} and {epochs} epochs. We trained that,
        on flipped and shifted pictures, one run for each schedule of the table. **Linear decay comes first
        with {linear}**, {lead} points ahead of the next; then drops ({drop}), power 5 ({poly5}), time-based
        decay ({time}) and the constant rate ({constant}).

        Drops and power 5 end within {near} points of the survey's numbers, which come from [another
        network](table_source.ipynb), without such pictures. Linear decay ends {above} points above its
        number. The constant rate ends {below} points below, and *behind* time-based decay, where the survey
        has it ahead. With {seeds} seeds of our small network time-based decay is {better}, too, by the plan.

        *How sure?* One run each. It shows gaps of many points. The {close} points between drops and power 5
        rank nothing.
        """,
        {
            "peak": f"{runs[0].config.peak_lr:g}",
            "epochs": runs[0].config.epochs,
            **{name: percent(value) for name, value in ours.items()},
            "lead": points(ours["linear"] - ours["drop"]),
            "near": points(max(abs(off["drop"]), abs(off["poly5"]))),
            "above": points(off["linear"]),
            "below": points(-off["constant"]),
            "close": points(ours["drop"] - ours["poly5"]),
            "seeds": count(len(records.runs("survey-laptop", "time"))),
            "better": verdict(records, "time", "constant"),
        },
        {
            "the order": order == ["linear", "drop", "poly5", "time", "constant"],
            "one run of each of the five": len(runs) == len(ours) == len(printed),
            "linear decay leads by more than a point": ours["linear"] - ours["drop"] > 0.01,
            "drops and power 5 within a point": max(abs(off["drop"]), abs(off["poly5"])) < 0.01,
            "linear decay above its number": off["linear"] > 0.01,
            "the constant rate more than five points below": off["constant"] < -0.05,
            "the survey has the constant rate ahead of time-based decay": printed["constant"]
            > printed["time"],
            "on the small network time-based decay is better by the plan": verdict(
                records, "time", "constant"
            )
            == "better",
            "drops and power 5 less than a point apart": 0 < ours["drop"] - ours["poly5"] < 0.01,
        },
    )


def _accuracies_by_rate(records: Records) -> dict[str, dict[float, float]]:
    """Return test accuracy after the last epoch: schedule -> peak rate -> of its first seed."""
    found: dict[str, dict[float, float]] = {name: {} for name in SURVEY}
    for run in sorted(records[MAP], key=lambda run: (run.config.peak_lr, run.config.seed)):
        found[run.label].setdefault(run.config.peak_lr, final_accuracy(run))
    return found


def map_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy over the peak rate, a panel for each schedule, the constant rate in gray in all."""
    found = _accuracies_by_rate(Records() if records is None else records)
    rates = sorted(found["constant"])
    names = [name for name in SURVEY if name != "constant"]

    def draw(wide: bool) -> Figure:
        shape = (2, 4) if wide else (4, 2)
        figure = Figure(figsize=(WIDE, 4.2) if wide else (NARROW, 7.4))
        panels = figure.subplots(*shape, sharex=True, sharey=True).ravel()
        for axes, name in zip(panels, names, strict=False):
            for drawn in ("constant", name):
                axes.plot(rates, [found[drawn][rate] for rate in rates], color=COLOR[drawn], marker="o")
            axes.set_title(name, color=COLOR[name])
            axes.set_xscale("log")
            axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
            axes.minorticks_off()
            in_per_cent(axes.yaxis)
        panels[-1].axis("off")
        panels[-1].annotate(
            "gray: the\nconstant rate",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            va="center",
            color=COLOR["constant"],
        )
        for axes in panels[-shape[1] - 1 : -1]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("peak rate")
        return figure

    best = max(((name, rate) for name in found for rate in rates), key=lambda at: found[at[0]][at[1]])
    return TwoWidths(
        draw,
        alt=f"Seven panels, test accuracy over four peak rates from {rates[0]:g} to {rates[-1]:g}, the "
        f"constant rate in gray in each. Gray falls from {percent(found['constant'][rates[0]])} to "
        f"{percent(found['constant'][rates[-1]])}. The highest point of all is {best[0]} at {best[1]:g}, "
        f"{percent(found[best[0]][best[1]])}.",
    )


@finding(heading="On CIFAR-10, tuning gives the constant rate back more than half of the gap")
def map_text(records: Records) -> Finding:
    """Say what other peak rates than the shared one change, from the first block of the map."""
    found = _accuracies_by_rate(records)
    best = {name: max(each, key=each.__getitem__) for name, each in found.items()}
    top = {name: found[name][rate] for name, rate in best.items()}
    shared_rate = 0.1
    common = {name: each[shared_rate] for name, each in found.items()}
    gap, own = common["linear"] - common["constant"], top["linear"] - top["constant"]
    spans = [_span(each.values()) for each in (common, top)]
    lowest, highest = min(found["constant"]), max(found["constant"])
    digits = [
        {rate: fmean(by_seed.values()) for rate, by_seed in by_rate.items()}
        for by_rate in by_peak(records[DIGITS_MAP]).values()
    ]
    left = _span(max(each.values()) for each in digits) / _span(each[shared_rate] for each in digits)
    fits = {rate: _rank_correlation(records, rate, order.split()) for rate, order in PREDICTED.items()}
    fit = [fits[rate] for rate in fits if rate != highest]
    return Finding(
        """
        The rate of {shared} that all share is too high for a constant rate: at {lowest} it ends at {slow},
        {gain} points higher, and *ahead* of linear decay at that same rate ({line}). Each at the best of four
        rates, linear decay leads by {own} points, against {gap} at {shared}.

        Tuning does not make the schedules equal. At {shared} the eight span {span} points, each at its best
        rate still {left}: more than half, where on the digits {most} of the span goes. We had written down
        beforehand that less than half would be left; so far we are wrong. The triangle, the only one that
        warms up, is the only one that gains from a peak of {highest}, and has the best run of all there:
        {record}.

        An order of the training losses that a worst-case bound had predicted fits at three of the rates (rank
        correlations of {least} and more) and fails at {highest} ({none}).

        *How sure?* One run in each cell, and the best of four is partly luck. Two more seeds are planned; the
        rules that will judge them, and four predictions, were committed before the first run
        (`studies/laptop-map-gpu.toml`).
        """,
        {
            "shared": f"{shared_rate:g}",
            "lowest": f"{lowest:g}",
            "highest": f"{highest:g}",
            "slow": percent(found["constant"][lowest]),
            "gain": points(found["constant"][lowest] - common["constant"]),
            "line": percent(found["linear"][lowest]),
            "own": points(own),
            "gap": points(gap),
            "span": points(spans[0]),
            "left": points(spans[1]),
            "most": percent(1 - left, 0),
            "record": percent(top["triangle"]),
            "least": rounded(min(fit), 2),
            "none": rounded(fits[highest], 2),
        },
        {
            "the constant rate is best at the lowest peak": best["constant"] == lowest,
            "there it is ahead of linear decay": found["constant"][lowest] > found["linear"][lowest],
            "less than half of the gap is left": 0 < own < gap / 2,
            "more than half of the span is left": spans[1] > spans[0] / 2,
            "on the digits less than a third of it": left < 1 / 3,
            "the triangle's best is the best of all": max(top, key=top.__getitem__) == "triangle",
            "at the highest peak": best["triangle"] == highest,
            "no other schedule gains there": all(
                each[highest] < each[shared_rate] for name, each in found.items() if name != "triangle"
            ),
            "one run in each cell": len(records[MAP]) == sum(len(each) for each in found.values()),
            "four rates": len(found["constant"]) == len(PREDICTED),
            "the bound's orders fit at three rates": min(fit) > 0.7,
            "and not at the highest": abs(fits[highest]) < 0.3,
        },
    )


def _span(values: Iterable[float]) -> float:
    values = list(values)
    return max(values) - min(values)


#: Orders by training loss, best first, that studies/laptop-map-gpu.toml predicted before its first run.
PREDICTED = {
    0.01: "constant linear triangle cosine cosine5 drop poly5 time",
    0.03: "linear triangle cosine cosine5 constant drop poly5 time",
    0.1: "linear triangle cosine poly5 drop cosine5 time constant",
    0.3: "time poly5 drop linear triangle cosine cosine5 constant",
}


def _rank_correlation(records: Records, rate: float, order: list[str]) -> float:
    """Return Spearman's correlation of a predicted order with that of the mean training losses."""
    loss = [
        fmean(run.final.train_loss for run in records.runs(MAP, name, peak_lr=rate) if run.final)
        for name in order
    ]
    return spearmanr(range(len(order)), loss).statistic
