"""What the class study's page for teachers prints: a class that we have played, and what a class can see."""

from __future__ import annotations

from lrbook.classroom.assignment import assignment
from lrbook.classroom.merge import merge
from lrbook.classroom.study import ClassStudy
from lrbook.finding import Finding, Records, finding, rounded
from lrlib.runs.store import RECORDED
from lrlib.stats import detectable, family

#: Standard deviations of the differences between runs that share a seed, in points.
SPREADS = (0.5, 1.0, 2.0)
SEEDS = (3, 4, 6, 10)


def played() -> ClassStudy:
    """Return the study of a class that we have played ourselves: our records on the digits.

    >>> played().files
    40
    """
    return merge(RECORDED / "survey-digits")


@finding()
def some_lines_text(records: Records) -> Finding:
    """Show some of its comparisons, as `lrlib class merge` prints them."""
    lines = [each for each in played().comparisons() if each.schedule in ("linear", "time")]
    return Finding(
        """
        Some of its lines, as an example:

        {lines}
        """,
        {"lines": "\n".join(f"- {line.sentence()}" for line in lines)},
        {
            "one is decided and one is not": {line.verdict == "not decidable" for line in lines}
            == {True, False}
        },
    )


@finding()
def detectable_text(records: Records) -> Finding:
    """Say which true difference a class of so many seeds finds."""
    pairs = len(family(dict.fromkeys(each.schedule for each in assignment(30))))
    found = {n: [detectable(n=n, sd=sd, family=pairs) for sd in SPREADS] for n in SEEDS}
    half, one, two = (f"{sd:g}" for sd in SPREADS)
    lines = (
        f"- **{n} seeds** for each schedule: {', '.join(rounded(points) for points in differences[:-1])}, or "
        f"{rounded(differences[-1])} points"
        for n, differences in found.items()
    )
    return Finding(
        """
        A true difference of this size is called *better* in 80% of classes, if the differences between runs
        that share a seed have a standard deviation of {half} points, of {one}, or of {two} ({pairs}
        comparisons, Holm's first step):

        {lines}
        """,
        {"half": half, "one": one, "two": two, "pairs": pairs, "lines": "\n".join(lines)},
        {
            "more seeds find smaller differences": all(
                sorted(column, reverse=True) == list(column) for column in zip(*found.values(), strict=True)
            )
        },
    )
