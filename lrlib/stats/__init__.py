"""Numbers out of runs: final accuracies paired by seed, tests that a plan fixed, power, rankings, curves."""

from lrlib.stats.outcomes import CHANCE, by_seed, chance, final_accuracy
from lrlib.stats.paired import (
    FAMILY,
    FEWEST,
    SAME,
    PairedComparison,
    compare_all,
    family,
    holm,
    interval,
    p_words,
    paired_differences,
)
from lrlib.stats.power import detectable, equivalence_power, reach

__all__ = [
    "CHANCE",
    "FAMILY",
    "FEWEST",
    "SAME",
    "PairedComparison",
    "by_seed",
    "chance",
    "compare_all",
    "detectable",
    "equivalence_power",
    "family",
    "final_accuracy",
    "holm",
    "interval",
    "p_words",
    "paired_differences",
    "reach",
]
