"""Numbers out of runs: final accuracies by seed, the plan's paired tests, their power, and test sampling.

Modules of their own: `levels` of a factor, `rankings`, `curves` over epochs, and `jumps` in them.
"""

from lrlib.stats.outcomes import (
    CHANCE,
    FAILED,
    alike,
    by_seed,
    chance,
    count_word,
    differing,
    final_accuracy,
    same_draw,
)
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
from lrlib.stats.sampling import Gap, gap, sampling_error

__all__ = [
    "CHANCE",
    "FAILED",
    "FAMILY",
    "FEWEST",
    "SAME",
    "Gap",
    "PairedComparison",
    "alike",
    "by_seed",
    "chance",
    "compare_all",
    "count_word",
    "detectable",
    "differing",
    "equivalence_power",
    "family",
    "final_accuracy",
    "gap",
    "holm",
    "interval",
    "p_words",
    "paired_differences",
    "reach",
    "same_draw",
    "sampling_error",
]
