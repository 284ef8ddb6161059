"""What a curve did, and when: the words jump, flat and smooth, defined in fractions of a run.

A curve is a list with one finite value an epoch, such as `Run.column` gives. Epochs are counted from 1, as in
the figures: epoch e is number e - 1 of the list.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrlib._checks import check_float

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["Change", "drop_of", "drops", "largest_fall", "largest_rise", "plateau_start"]


class Change(NamedTuple):
    """One change of a curve.

    Parameters
    ----------
    epoch : int
        At the end of the change, from 1.
    size : float
        How far the curve went, in its own unit; negative if it went the other way even at best.
    share : float
        The same as a fraction of the distance between the curve's highest and lowest value.
    fraction : float
        Where in the run: epoch / epochs, in (0, 1].

    Examples
    --------
    >>> Change(epoch=3, size=0.5, share=0.25, fraction=0.75).epoch
    3
    """

    epoch: int
    size: float
    share: float
    fraction: float


def largest_fall(values: Sequence[float], *, skip: float = 0.0, width: float = 0.0) -> Change:
    """Find the largest fall of a curve, values[e - w] - values[e]; the earliest of equal ones.

    Parameters
    ----------
    values : sequence of float
        One an epoch, finite, at least 2.
    skip : float
        Fraction of the run at its start from which no fall is taken, in [0, 1): a loss falls most in the
        first epochs, whatever the schedule. Falls that start at epoch round(skip * epochs) or later count.
    width : float
        Fraction of the run that a fall lasts, in [0, 1): w = max(1, round(width * epochs)) epochs.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of its range, or skip and width leave no room for a fall.

    Examples
    --------
    >>> largest_fall([9.0, 5.0, 4.0, 2.0, 1.0])
    Change(epoch=2, size=4.0, share=0.5, fraction=0.4)
    >>> largest_fall([9.0, 5.0, 4.0, 2.0, 1.0], skip=0.4).epoch
    4
    """
    curve = _curve(values)
    first = max(0, round(_fraction("skip", skip) * curve.size) - 1)
    w = max(1, round(_fraction("width", width) * curve.size))
    falls = curve[first : curve.size - w] - curve[first + w :]
    if not falls.size:
        raise ValueError(
            f"skip and width must leave room for a change in {curve.size} epochs, got {skip} and {width}"
        )
    best = int(np.argmax(falls))
    size, reach = float(falls[best]), float(np.ptp(curve))
    epoch = first + best + w + 1
    return Change(epoch, size, size / reach if reach else 0.0, epoch / curve.size)


def largest_rise(values: Sequence[float], *, skip: float = 0.0, width: float = 0.0) -> Change:
    """Find the largest rise of a curve: `largest_fall` of the curve turned over, with the same arguments.

    Examples
    --------
    >>> largest_rise([0.25, 0.5, 0.5, 1.0])
    Change(epoch=4, size=0.5, share=0.6666666666666666, fraction=1.0)
    """
    return largest_fall(-_curve(values), skip=skip, width=width)


def plateau_start(values: Sequence[float], *, tolerance: float = 0.05) -> int:
    """Return the epoch from which on a curve stays near its last value.

    Near means: not further away than `tolerance` times the distance between its highest and lowest value.

    Parameters
    ----------
    values : sequence of float
        One an epoch, finite, at least 2.
    tolerance : float
        In [0, 1).

    Returns
    -------
    int
        From 1; the last epoch if it never stays near. Divide by the epochs for a fraction of the run.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of its range.

    Examples
    --------
    >>> plateau_start([10.0, 4.0, 0.25, 0.5, 0.0])
    3
    """
    curve = _curve(values)
    far = np.abs(curve - curve[-1]) > _fraction("tolerance", tolerance) * np.ptp(curve)
    return int(np.flatnonzero(far)[-1]) + 2 if far.any() else 1


def drops(run: Run, *, factor: float = 0.75) -> list[float]:
    """Return when the rate of a run dropped, counted in epochs: t / steps_per_epoch for each such update t.

    Update t is one if its rate is at most `factor` times that of update t - 1. Drop-based decay has no others
    than its drops. A schedule that goes to zero has some at its very end, where the rate halves for want of
    anything smaller; cosine cycles too, before each restart.

    Parameters
    ----------
    run : Run
        The rates are those of its config, which reading a record has compared with the applied ones.
    factor : float
        In (0, 1).

    Raises
    ------
    TypeError, ValueError
        If `factor` is of another type or out of its range.

    Examples
    --------
    >>> from types import SimpleNamespace as S
    >>> from lrlib import DropDecay
    >>> shape = DropDecay(drop_factor=0.5, drop_steps=15)
    >>> drops(S(epochs=range(4), config=S(schedule=lambda: shape, steps_per_epoch=10)))
    [1.5, 3.0]
    """
    most = check_float("factor", factor, allowed="in (0, 1)", ok=lambda x: 0 < x < 1)
    per_epoch = run.config.steps_per_epoch
    rate = np.array(run.config.schedule().values(len(run.epochs) * per_epoch))
    fell = np.flatnonzero((rate[1:] <= most * rate[:-1]) & (rate[1:] < rate[:-1])) + 1
    return [int(t) / per_epoch for t in fell]


def drop_of(epoch: int, times: Iterable[float]) -> float | None:
    """Return the drop that an epoch's change can come from: the last one in this epoch or in the one before.

    A drop in the middle of an epoch shows in part in that epoch's mean, and in full only in the next one.

    Parameters
    ----------
    epoch : int
        From 1: the part of the run from epoch - 1 to epoch.
    times : iterable of float
        As `drops` gives them.

    Returns
    -------
    float or None
        None if there is none.

    Examples
    --------
    >>> [drop_of(epoch, [4.5, 9.0]) for epoch in (4, 5, 6, 7, 9, 10, 11, 12)]
    [None, 4.5, 4.5, None, None, 9.0, 9.0, None]
    """
    near = [time for time in times if epoch - 2 <= time < epoch]
    return max(near, default=None)


def _curve(values: Sequence[float]) -> np.ndarray:
    curve = np.array(values, dtype=float)
    if curve.ndim != 1 or curve.size < 2:
        raise ValueError(f"values must hold one number an epoch, for 2 epochs or more, got {values!r}")
    wrong = [value for value in curve.tolist() if not math.isfinite(value)]
    if wrong:
        raise ValueError(f"values must be finite, got {wrong[0]}; leave out a run that diverged")
    return curve


def _fraction(name: str, value: float) -> float:
    return check_float(name, value, allowed="in [0, 1)", ok=lambda x: 0 <= x < 1)
