"""Table 7.3: the survey's accuracies, and ours with a rate of its own for each schedule."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from lrbook.chapters import fair_race, map_plan, own_rates
from lrbook.chapters._write import Table, results_table
from lrbook.chapters.first_page import FIVE
from lrbook.finding import Finding, Records, count, finding, points
from lrlib.runs.published import published
from lrlib.stats import interval


def rates_table(records: Records | None = None) -> Table:
    """Return test accuracies in per cent: the survey's, and ours at the common rate and at each one's own."""
    records = Records() if records is None else records
    printed = published().survey.column("accuracy")
    common, chosen = map_plan.common(records), map_plan.chosen(records)
    race, digits = fair_race.accuracies(records), _digits_rates(records)
    head = [
        "schedule",
        "the survey",
        f"CIFAR-10, all at {map_plan.COMMON:g}",
        "CIFAR-10, each at its own",
        "digits, each at its own",
    ]
    rows = [
        [
            name,
            f"{100 * printed[name]:.0f}" if name in printed else "–",
            _cell(common[name].values()),
            _cell([each.accuracy for each in chosen[name]], sorted({each.peak_lr for each in chosen[name]})),
            _cell(race[name].values(), [digits[name]]),
        ]
        for name in common
    ]
    return Table(results_table(head, rows))


def _digits_rates(records: Records) -> dict[str, float]:
    return own_rates.chosen_rates(own_rates.held_out(own_rates.stage_a(records)))


def _cell(accuracies: Iterable[float], rates: Iterable[float] = ()) -> tuple[str, str]:
    """Return the mean in per cent; below it half the width of its 95% interval, and the rate."""
    values = list(accuracies)
    low, high = interval(values)
    small = [
        f"± {points((high - low) / 2)}",
        *([f"at {' or '.join(f'{x:g}' for x in rates)}"] if rates else []),
    ]
    return f"{100 * fmean(values):.1f}", ", ".join(small)


@finding()
def rates_table_text(records: Records) -> Finding:
    """Say what own rates make of the survey's ranking."""
    before, after = (map_plan.means(of(records)) for of in (map_plan.common, map_plan.own))
    place = {
        name: [1 + sorted(FIVE, key=of.__getitem__, reverse=True).index(name) for of in (before, after)]
        for name in FIVE
    }
    race = fair_race.own_means(records)
    digits = [race[name] for name in FIVE]
    return Finding(
        """
        Of the survey's {five}, linear decay stays first on CIFAR-10. The constant rate rises from last to
        third, and time-based decay is last: its rate falls so soon that none of the peaks mends it. On the
        digits all {five} lie within {apart} points.
        """,
        {
            "five": count(len(FIVE)),
            "apart": points(max(digits) - min(digits)),
        },
        {
            "linear decay stays first": place["linear"] == [1, 1],
            "constant is last of five at the common rate": place["constant"][0] == len(FIVE),
            "and third at its own": place["constant"][1] == 3,
            "time-based decay is last then": place["time"][1] == len(FIVE),
            "the digits' five are within a point": max(digits) - min(digits) < 0.01,
        },
    )
