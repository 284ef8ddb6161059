"""The area under a schedule: the mean of its factors, which tells how much distance it covers.

In a direction of curvature l, an update at rate eta multiplies the distance from the bottom by 1 - eta l,
which is nearly exp(-eta l). After T updates nearly exp(-l peak_lr S) of the distance is left, where S is the
sum of the factors: their order matters for the noise, and not for the distance.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq

from lrlib._checks import check_float, check_int
from lrlib.schedules import PolynomialDecay, Schedule

#: Upper end of the search of `power_with_area`.
HIGHEST_POWER = 1000.0


def area(schedule: Schedule, *, total_steps: int) -> float:
    """Return the area under a schedule as a fraction of a constant rate's: the mean of its factors.

    1/T times the sum of f(t) over t = 0, ..., T - 1. For polynomial decay it tends to 1 / (power + 1) as T
    grows.

    Parameters
    ----------
    schedule : Schedule
    total_steps : int
        Updates T of the run, >= 1.

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> area(LinearDecay(total_steps=4), total_steps=4)  # (1 + 3/4 + 2/4 + 1/4) / 4
    0.625
    """
    # fsum rounds once; the error of a plain sum may come near the tolerance of `power_with_area`.
    return math.fsum(_factors(schedule, total_steps)) / total_steps


def spent(schedule: Schedule, *, step: int, total_steps: int) -> float:
    """Return the part of a schedule's area that lies before `step`, in [0, 1].

    Parameters
    ----------
    schedule : Schedule
        With a factor above 0 in this run.
    step : int
        Updates completed, in 0..total_steps.
    total_steps : int
        Updates of the run, >= 1.

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> spent(LinearDecay(total_steps=4), step=2, total_steps=4)  # 1.75 of 2.5
    0.7
    """
    factors = _factors(schedule, total_steps)
    if check_int("step", step, least=0) > total_steps:
        raise ValueError(f"step must be <= total_steps = {total_steps}, got {step}")
    whole_area = math.fsum(factors)
    if whole_area == 0.0:
        raise ValueError(f"schedule must have a factor > 0 in its first {total_steps} steps, got only zeros")
    return math.fsum(factors[:step]) / whole_area


def power_with_area(fraction: float, *, total_steps: int) -> float:
    """Return the power at which polynomial decay over T updates has a given area.

    Solves 1/T sum ((T - t) / T)**power = fraction. For a rate that is set once an epoch, T is in epochs. As T
    grows the power tends to 1 / fraction - 1.

    Parameters
    ----------
    fraction : float
        The area as a fraction of a constant rate's: below 1, and above 1/T, the area of the first update
        alone. So near to 1/T that the power would be above 1000, it is a ValueError.
    total_steps : int
        T, >= 2.

    Examples
    --------
    >>> round(power_with_area(0.625, total_steps=4), 9)  # linear decay, see `area`
    1.0
    """
    total = check_int("total_steps", total_steps, least=2)
    allowed = f"above 1/total_steps = {1 / total:.4g} and below 1"
    fraction = check_float("fraction", fraction, allowed=allowed, ok=lambda x: 1 / total < x < 1)

    def excess(power: float) -> float:
        return area(PolynomialDecay(total_steps=total, power=power), total_steps=total) - fraction

    if excess(HIGHEST_POWER) > 0:
        raise ValueError(
            f"fraction must leave a power <= {HIGHEST_POWER:g}, got {fraction}; take a larger one"
        )
    if excess(1e-12) < 0:  # nearer to 1 than rounding can tell: the rate is constant, but for the last digits
        return 1e-12
    # The area falls as the power grows, so that the two ends have excesses of opposite signs.
    return float(brentq(excess, 1e-12, HIGHEST_POWER, xtol=1e-12))


def _factors(schedule: Schedule, total_steps: int) -> list[float]:
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a lrlib Schedule, such as lrlib.Constant(), got {schedule!r}")
    return schedule.values(check_int("total_steps", total_steps, least=1))
