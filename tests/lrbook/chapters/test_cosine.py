"""The table of cycle ends, worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import pytest

from lrbook.chapters.cosine import cycle_table
from synthetic import with_accuracies


def test_cycle_table():
    five = [
        with_accuracies("cosine5", (0.5, 0.75, 0.5, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5, 1.0)),
        with_accuracies("cosine5", (0.5, 0.25, 0.0, 0.5, 0.0, 0.5, 0.75, 1.0, 0.5, 0.5), seed=2),
        with_accuracies("cosine5", (0.5,), seed=3, epochs=10, status="diverged"),
    ]
    one = [with_accuracies("cosine", [k / 8 for k in range(8)] + [1.0, 1.0])]
    assert cycle_table(five, one).splitlines() == [
        "| epoch | cycle ends | one epoch later | single cycle |",
        "| ---: | ---: | ---: | ---: |",
        "| 2 | 50.0% | 25.0% | 12.5% |",
        "| 4 | 75.0% | 25.0% | 37.5% |",
        "| 6 | 75.0% | 87.5% | 62.5% |",
        "| 8 | 100.0% | 50.0% | 87.5% |",
        "| 10 | 75.0% | - | 100.0% |",
        "",
        "One epoch after a restart, mean accuracy was lower in 3 of 4 cases.",
    ]
    short = [with_accuracies("cosine5", [0.5] * 8)]
    assert cycle_table(short, []).splitlines()[2:] == [
        "| 8 | 50.0% | - | - |",
        "",
        "4 of the 5 cycles end inside an epoch, where nothing was measured.",
    ]
    with pytest.raises(ValueError, match="restarted must hold at least one run that finished"):
        cycle_table(five[2:], one)
