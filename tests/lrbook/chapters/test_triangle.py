"""Which peak rates a schedule bears: the table, and a sentence for each outcome."""

import pytest

from lrbook.chapters.triangle import higher_peak, peak_table
from lrlib.stats.levels import Peak

GOOD, BAD, SOME = Peak((0.9, 0.9), 0), Peak((0.1, 0.2), 2), Peak((0.1, 0.9), 1)


def test_peak_table():
    assert peak_table({0.1: {"linear": GOOD, "triangle": SOME}}).splitlines() == [
        "| peak rate | linear (failed) | triangle (failed) |",
        "| ---: | ---: | ---: |",
        "| 0.1 | 90.0% (0/2) | 50.0% (1/2) |",
    ]
    with pytest.raises(ValueError, match="found must hold at least one peak rate, got none"):
        peak_table({})


@pytest.mark.parametrize(
    ("triangle", "linear", "said"),
    [
        ((GOOD, GOOD, BAD), (GOOD, BAD, BAD), "triangle bore a higher peak than linear: 0.3 against 0.1"),
        ((GOOD, BAD, BAD), (SOME, BAD, BAD), "triangle bore a higher peak than linear: 0.1 against none of"),
        ((GOOD, SOME, BAD), (GOOD, GOOD, GOOD), "triangle bore a lower peak than linear: 0.1 against 1"),
        ((BAD, BAD, BAD), (GOOD, BAD, BAD), "triangle bore a lower peak than linear: none of these rates"),
        # a rate that works above one that does not is luck
        (
            (GOOD, SOME, GOOD),
            (GOOD, BAD, BAD),
            "no higher peak than linear: no run of either failed up to 0.1",
        ),
        ((GOOD, SOME, GOOD), (GOOD, BAD, BAD), "and above it 1 of triangle and 4 of linear did"),
        ((GOOD, GOOD, GOOD), (GOOD, GOOD, GOOD), "no run of triangle or linear failed, so it cannot tell"),
        ((BAD, GOOD, GOOD), (SOME, GOOD, GOOD), "neither bore even the lowest rate; of all its runs, 2 of"),
    ],
)
def test_higher_peak_has_a_sentence_for_each_outcome(triangle, linear, said):
    rows = zip((0.1, 0.3, 1.0), triangle, linear, strict=True)
    found = {rate: {"triangle": a, "linear": b} for rate, a, b in rows}
    sentence = higher_peak(found, schedule="triangle", reference="linear")
    assert sentence.startswith("On this grid ")
    assert said in sentence
    assert sentence.endswith(".")
