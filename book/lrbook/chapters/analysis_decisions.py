"""Table 7.2: what the plan decides of each pair of schedules, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean

from lrbook.chapters._write import Table, results_table
from lrbook.chapters.second_look import looks
from lrbook.finding import (
    Finding,
    Records,
    count,
    finals,
    finding,
    percent,
    points,
)
from lrlib.runs.config import TEST_IMAGES
from lrlib.stats import PairedComparison, compare_all

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
TITLES = {CIFAR10: "CIFAR-10", DIGITS: "digits"}
MINUS = "\N{MINUS SIGN}"


# --- Table 7.2: decisions ---------------------------------------------------------------------------------


def _signed(difference: float) -> str:
    """Return a difference in points with its sign.

    >>> _signed(0.0484), _signed(-0.002)
    ('+4.8', '−0.2')
    """
    return ("+" if difference >= 0 else MINUS) + points(difference)


def decision_table(compared: Sequence[PairedComparison]) -> Table:
    """Return the decisions of the plan, a row for each schedule, with the mean differences in points.

    Below a difference stands its interval, if it has one. A pair that the family does not have is a dash.
    """
    by = {(each.schedule, each.reference): each for each in compared}
    references = list(dict.fromkeys(each.reference for each in compared))
    head = ["schedule", *(text for name in references for text in (f"against {name}", "by the plan"))]
    rows = []
    for schedule in dict.fromkeys(each.schedule for each in compared):
        row = [schedule]
        for reference in references:
            each = by.get((schedule, reference))
            row += ["–", "–"] if each is None or not each.n else [_with_interval(each), each.verdict]
        rows.append(row)
    return Table(results_table(head, rows))


def _with_interval(each: PairedComparison) -> tuple[str, str]:
    low, high = each.interval
    around = f"{_signed(low)} to {_signed(high)}" if low > -1 else ""  # from one seed it has no end
    return _signed(each.mean_difference), around


def decisions_table(records: Records | None = None) -> Table:
    """Return what the plan decides on CIFAR-10."""
    return decision_table(compare_all((Records() if records is None else records)[CIFAR10]))


@finding(heading="A rule made beforehand decides all but one")
def decisions_text(records: Records) -> Finding:
    """Say what the plan decides on CIFAR-10, and how little of it on the digits."""
    by = {(each.schedule, each.reference): each for each in compare_all(records[CIFAR10])}
    on_digits = [each for each in compare_all(records[DIGITS]) if each.reference == "constant"]
    verdicts = {each.schedule: each.verdict for each in by.values() if each.reference == "linear"}
    above = [each for each in by.values() if each.reference == "constant"]
    time, triangle = by["time", "constant"], by["triangle", "linear"]
    ahead = next(each for each in on_digits if each.schedule == "linear")
    return Finding(
        """
        All {all} are better than the constant rate. Time-based decay, drops and power 5 are worse than linear
        decay, and both cosines are as good to within a point. The triangle came out {higher} points higher;
        {n} seeds cannot tell that from luck, and [{more} more](triangle.ipynb) can.

        One row looks contradictory: time-based decay is *better*, and its interval includes zero. The
        intervals are made so that all {family} hold at once, which is stricter than the test that decides.
        Read it as: better, but only just.

        On the digits the same rules decide nothing against the constant rate, not even linear decay's lead of
        {ahead} points: the seeds of the constant rate spread too widely.
        """,
        {
            "all": count(len(above)),
            "higher": points(triangle.mean_difference),
            "n": count(triangle.n),
            "more": count(looks(records).new.n),
            "family": len(by),
            "ahead": points(ahead.mean_difference),
        },
        {
            "all are better than the constant rate": {each.verdict for each in above} == {"better"},
            "against linear decay three are worse, two as good, and one is open": verdicts
            == {
                **dict.fromkeys(("time", "drop", "poly5"), "worse"),
                **dict.fromkeys(("cosine", "cosine5"), "as good as"),
                "triangle": "not decidable",
            },
            "there it is ahead": triangle.mean_difference > 0,
            "more seeds decide": looks(records).all.verdict == "better",
            "time-based decay's interval holds zero, and no other's": [
                each.schedule for each in above if each.interval[0] <= 0
            ]
            == ["time"],
            "by less than half a point": time.interval[0] > -0.005,
            "on the digits nothing is decided against the constant rate": {each.verdict for each in on_digits}
            == {"not decidable"},
            "though linear decay leads by more than two points": ahead.mean_difference > 0.02,
            "the same number of seeds in each": {each.n for each in by.values()} == {triangle.n},
        },
    )


@finding()
def details_text(records: Records) -> Finding:
    """List the comparisons with their p values and spreads, and say what pairing brought."""
    compared = compare_all(records[CIFAR10])
    # Rounded as a comparison's sentence prints them, so that a reader who compares the two counts the same.
    sds = [(round(100 * each.sd, 2), round(100 * each.sd_unpaired, 2)) for each in compared]
    less, more = sum(a < b for a, b in sds), sum(a > b for a, b in sds)
    return Finding(
        """
        <details>
        <summary>The p values, and what pairing brought</summary>

        {sentences}

        [The plan](plan.md) explains the words. Runs were paired by seed to cancel luck. That made the
        differences vary less in {less} of {n} comparisons, and more in {more}: a shared seed fixes start and
        batches, but many epochs later little is left in common. Plan more seeds rather than pairs.

        </details>
        """,
        {
            "sentences": "\n".join(f"- {each.sentence()}" for each in compared),
            "less": less,
            "n": len(compared),
            "more": more,
        },
        {
            "pairing helped in less than half": less < len(compared) / 2,
            "and hurt in as many or more": more >= less,
        },
    )


@finding()
def images_text(records: Records) -> Finding:
    """Say how much luck the choice of the test images is, on both data sets."""
    errors = {}
    for study in TITLES:
        accuracy = fmean(finals(records.runs(study, "linear")))
        images = TEST_IMAGES[records.runs(study, "linear")[0].config.dataset]
        errors[study] = accuracy, images, sqrt(accuracy * (1 - accuracy) / images)
    (high, many, error), (top, few, other) = errors.values()
    return Finding(
        """
        Seeds are not the only luck. With {many} other test images, an accuracy of {high} would typically move
        by {error} points; with {few} other digits, {top} by {other}. [Bouthillier and
        others](https://arxiv.org/abs/2103.03098) measured how far seeds, data splits and tuning move
        benchmarks.
        """,
        {
            "many": f"{many:,}",
            "high": percent(high),
            "error": points(error),
            "few": few,
            "top": percent(top),
            "other": points(other),
        },
        {
            "both are between a quarter of a point and half a point": all(
                0.0025 < x < 0.005 for x in (error, other)
            )
        },
    )
