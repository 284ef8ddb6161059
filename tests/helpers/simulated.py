"""Simulated studies whose truth is known, and what so many draws can tell of a rate."""

from __future__ import annotations

import math

import numpy as np

POINT = 0.01
#: Verdicts of `compare_all` that claim a difference, and those that claim that it is small.
DIFFERS = ("better", "worse", "better, by less than a point", "worse, by less than a point")
CLOSE = ("as good as", "better, by less than a point", "worse, by less than a point")


def studies(rng, truth, *, count, own_sd, seed_sd=0.002, seeds=5):
    """Yield accuracies of whole studies, in 1/10,000: truth + what a seed does to all + to each one."""
    shape = (count, len(truth), seeds)
    noise = seed_sd * rng.standard_normal((count, 1, seeds)) + own_sd * rng.standard_normal(shape)
    drawn = np.round(np.array(list(truth.values()))[:, None] + noise, 4)
    for study in drawn.tolist():
        yield {label: dict(enumerate(row, 1)) for label, row in zip(truth, study, strict=True)}


def within(rate, chance, count):
    """The rate is that chance, as far as `count` draws can tell: four standard errors."""
    return abs(rate - chance) <= 4 * math.sqrt(chance * (1 - chance) / count)


def at_most(rate, chance, count):
    return rate <= chance + 4 * math.sqrt(chance * (1 - chance) / count)
