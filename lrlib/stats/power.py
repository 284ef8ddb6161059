"""Power of the paired tests in `lrlib.stats.paired`: what a number of seeds can see, before any run is made.

Differences are taken to be normal with a known true standard deviation `sd`. Results, `margin` and `truth`
have the unit of `sd`, such as points. The table "What five seeds can see" of book/survey/plan.md is made of
these functions.
"""

from __future__ import annotations

import math

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit
from scipy.stats import chi, nct

from lrlib._checks import check_float, check_fraction, check_int

__all__ = ["detectable", "equivalence_power", "reach"]


def reach(n: int, *, family: int = 13, alpha: float = 0.05) -> float:
    """Return how many standard deviations of the differences a Bonferroni interval reaches to each side.

    t_{1 - alpha/(2 family), n - 1} / sqrt(n), for n pairs, >= 2, and a family of so many comparisons, >= 1.

    >>> [round(reach(n), 2) for n in (2, 3, 5)]
    [117.04, 9.28, 2.69]
    """
    return _critical(n, family, alpha, sides=2) / math.sqrt(n)


def detectable(*, n: int, sd: float, family: int = 13, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the true difference that a paired t test finds, with its right sign, with this power.

    delta with P(T > t_{1 - alpha/(2 family), n - 1}) = power, where T is noncentral t with n - 1 degrees
    of freedom and noncentrality delta sqrt(n) / sd.

    Parameters
    ----------
    n : int
        Pairs, >= 2.
    sd : float
        True standard deviation of the differences, > 0.
    family : int
        Comparisons still open, >= 1: the plan's 13 at Holm's first step, 1 at its last.
    power, alpha : float
        0 < alpha < power < 1.

    Examples
    --------
    >>> round(detectable(n=5, sd=0.3, family=1), 2)
    0.5
    """
    least, sd = _critical(n, family, alpha, sides=2), _positive("sd", sd)
    power = check_float("power", power, allowed=f"in ({alpha:g}, 1)", ok=lambda x: alpha < x < 1)

    # The upper tail alone: a significant difference of the wrong sign finds nothing.
    def found(shift: float) -> float:
        return float(nct.sf(least, n - 1, shift))

    # brentq needs a bracket. A shift by the critical value has a power near one half, and each doubling more.
    high = least
    while found(high) < power:
        high *= 2
    return sd / math.sqrt(n) * brentq(lambda shift: found(shift) - power, 0, high, xtol=1e-9)


def equivalence_power(
    *, n: int, sd: float, margin: float = 1.0, truth: float = 0.0, family: int = 13, alpha: float = 0.05
) -> float:
    """Return the chance that two one-sided tests find a difference to be inside the margin.

    The integral over u = s / sd (chi, over the root of its degrees of freedom) of the chance that the mean
    is farther than t_{1 - alpha/family, n - 1} u sd / sqrt(n) from both ends of the margin.

    Parameters
    ----------
    n, sd, family, alpha
        As for `detectable`.
    margin : float
        Half the width of "as good as", > 0.
    truth : float
        True difference, finite.

    Examples
    --------
    >>> round(equivalence_power(n=5, sd=0.3), 2)
    0.86
    """
    truth = check_float("truth", truth, allowed="finite", ok=lambda x: True)
    least, scale = _critical(n, family, alpha, sides=1), math.sqrt(n) / _positive("sd", sd)
    end, shift = scale * _positive("margin", margin), scale * truth
    # The noncentral t gives the power of one test. Both tests here share one estimated sd, so the chance is
    # taken at each value of it, where the mean is plain normal, and averaged.
    spread = chi(n - 1, scale=1 / math.sqrt(n - 1))

    def found(u: float) -> float:
        return spread.pdf(u) * (ndtr(end - least * u - shift) - ndtr(least * u - end - shift))

    # Above end / least the two tests exclude each other: the bracket is negative there, and the chance is 0.
    low, high = spread.ppf([1e-13, 1 - 1e-13])
    return float(quad(found, low, max(low, min(high, end / least)))[0])


def _critical(n: int, family: int, alpha: float, *, sides: int) -> float:
    """Return the t that a test of n pairs has to pass at alpha / family, shared by its sides."""
    n, family = check_int("n", n, least=2), check_int("family", family, least=1)
    alpha = check_fraction("alpha", alpha, zero=False, one=False)
    # Holm's first step. His later ones divide by less, so a plan that suffices here suffices there.
    return float(stdtrit(n - 1, 1 - alpha / family / sides))


def _positive(name: str, value: float) -> float:
    return check_float(name, value, allowed="in (0, inf)", ok=lambda x: x > 0)
