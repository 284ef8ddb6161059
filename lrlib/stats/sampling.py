"""Test sampling: how far an accuracy would move on other test pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

from lrlib._checks import check_float, check_int

__all__ = ["Gap", "gap", "sampling_error"]


class Gap(NamedTuple):
    """A difference of two accuracies, its standard error of test sampling, and their quotient.

    Examples
    --------
    >>> Gap(difference=0.03, error=0.005, errors=6.0).errors
    6.0
    """

    difference: float
    error: float
    errors: float


def sampling_error(accuracy: float, *, images: int) -> float:
    """Return the standard error of an accuracy p measured on n pictures: sqrt(p (1 - p) / n).

    It is the spread of the value over other test pictures, and leaves out the spread over seeds.

    Parameters
    ----------
    accuracy : float
        A fraction in [0, 1].
    images : int
        Test pictures, >= 1.

    Examples
    --------
    >>> sampling_error(0.9, images=100)
    0.03
    """
    accuracy = check_float(
        "accuracy", accuracy, allowed="a fraction in [0, 1]", ok=lambda share: 0 <= share <= 1
    )
    # Each picture is right or wrong: the count of right ones is binomial, with variance n p (1 - p).
    return math.sqrt(accuracy * (1 - accuracy) / check_int("images", images, least=1))


def gap(a: float, b: float, *, images: int) -> Gap:
    """Return how far accuracy a is above b, as if each were measured on pictures of its own.

    The errors add as sqrt(e_a**2 + e_b**2); `errors` is nan where both accuracies are 0 or 1.

    Examples
    --------
    >>> gap(0.9, 0.8, images=100)
    Gap(difference=0.1, error=0.05, errors=2.0)
    """
    # Two networks tested on the same pictures mostly fail on the same ones, which makes the true error of the
    # difference smaller. Print does not say on which: this error is on the safe side.
    error = math.hypot(sampling_error(a, images=images), sampling_error(b, images=images))
    difference = round(a - b, 12)  # both are counts over images: what is left out is rounding
    return Gap(difference, error, difference / error if error else math.nan)
