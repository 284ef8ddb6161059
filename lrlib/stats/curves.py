"""Features of curves: the largest change and its epoch, plateaus, drops of the rate, ends of cosine cycles.

A curve is a list with one finite value an epoch, as `Run.column` gives. Epochs are counted from 1, as in the
figures: epoch e is number e - 1 of the list. Widths are fractions of a run, so that runs of any length can be
compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrlib._checks import check_fraction, shown
from lrlib.schedules import CosineAnnealing
from lrlib.schedules.compose import Hold

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "Change",
    "at_cycle_ends",
    "cycle_ends",
    "drop_of",
    "drops",
    "fall_done",
    "largest_fall",
    "largest_rise",
    "plateau_start",
    "whole_cycles",
]


class Change(NamedTuple):
    """A change of a curve.

    Parameters
    ----------
    epoch : int
        At the end of the change, from 1.
    size : float
        Distance in the unit of the curve; negative if the curve never went that way.
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
    """Return the largest fall of a curve, values[e - w] - values[e]; the earliest of equal ones.

    Parameters
    ----------
    values : sequence of float
        One an epoch, finite, at least 2.
    skip : float
        Fraction of the run at its start that is left out, in [0, 1): only falls that start at epoch
        round(skip * epochs) or later count.
    width : float
        Fraction of the run that a fall lasts, in [0, 1): w = max(1, round(width * epochs)) epochs. One
        of them must fit in after `skip`.

    Examples
    --------
    >>> largest_fall([9.0, 5.0, 4.0, 2.0, 1.0])
    Change(epoch=2, size=4.0, share=0.5, fraction=0.4)
    >>> largest_fall([9.0, 5.0, 4.0, 2.0, 1.0], skip=0.4).epoch
    4
    """
    curve = _curve(values)
    # `skip` exists because a loss falls most in the first epochs, whatever the schedule.
    first = max(0, round(check_fraction("skip", skip, one=False) * curve.size) - 1)
    w = max(1, round(check_fraction("width", width, one=False) * curve.size))
    falls = curve[first : curve.size - w] - curve[first + w :]
    if not falls.size:
        raise ValueError(
            f"skip and width must leave room for a change in {curve.size} epochs, got {skip} and {width}"
        )
    best = int(np.argmax(falls))
    size, height = float(falls[best]), float(np.ptp(curve))
    epoch = first + best + w + 1
    return Change(epoch, size, size / height if height else 0.0, epoch / curve.size)


def largest_rise(values: Sequence[float], *, skip: float = 0.0, width: float = 0.0) -> Change:
    """Return the largest rise of a curve: `largest_fall` of the curve turned over, with the same arguments.

    Examples
    --------
    >>> largest_rise([0.25, 0.5, 0.5, 1.0])
    Change(epoch=4, size=0.5, share=0.6666666666666666, fraction=1.0)
    """
    return largest_fall((-_curve(values)).tolist(), skip=skip, width=width)


def plateau_start(values: Sequence[float], *, tolerance: float = 0.05) -> int:
    """Return the epoch from which on a curve stays near its last value.

    Near is a distance of at most `tolerance` times that between its highest and lowest value.

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

    Examples
    --------
    >>> plateau_start([10.0, 4.0, 0.25, 0.5, 0.0])
    3
    """
    curve = _curve(values)
    # The last epoch that is far away, not the first that is near: a curve may pass its last value on its way.
    far = np.abs(curve - curve[-1]) > check_fraction("tolerance", tolerance, one=False) * np.ptp(curve)
    return int(np.flatnonzero(far)[-1]) + 2 if far.any() else 1


def drops(run: Run, *, factor: float = 0.75) -> list[float]:
    """Return the times at which the rate of a run dropped, in epochs: t / steps_per_epoch for each update t.

    Update t is a drop if its rate is at most `factor` times that of update t - 1. For drop-based decay these
    are its drops. A schedule that goes to zero has some at its very end, where the last rates are 3, 2 and 1
    times the smallest; cosine cycles too, before each restart.

    Parameters
    ----------
    run : Run
        The rates are those of its config, which reading a record has compared with the applied ones.
    factor : float
        In (0, 1).

    Examples
    --------
    >>> from types import SimpleNamespace as S
    >>> from lrlib import DropDecay
    >>> shape = DropDecay(drop_factor=0.5, drop_steps=15)
    >>> drops(S(epochs=range(4), config=S(schedule=lambda: shape, steps_per_epoch=10)))
    [1.5, 3.0]
    """
    most = check_fraction("factor", factor, zero=False, one=False)
    per_epoch = run.config.steps_per_epoch
    rate = np.array(run.config.schedule().values(len(run.epochs) * per_epoch))
    fell = np.flatnonzero((rate[1:] <= most * rate[:-1]) & (rate[1:] < rate[:-1])) + 1
    return [int(t) / per_epoch for t in fell]


def drop_of(epoch: int, times: Iterable[float]) -> float | None:
    """Return the drop that an epoch's change can come from: the last in it or in the one before, or None.

    Parameters
    ----------
    epoch : int
        From 1: the part of the run from epoch - 1 to epoch.
    times : iterable of float
        As `drops` gives them.

    Examples
    --------
    >>> [drop_of(epoch, [4.5, 9.0]) for epoch in (4, 5, 6, 7, 9, 10, 11, 12)]
    [None, 4.5, 4.5, None, None, 9.0, 9.0, None]
    """
    # Two epochs: a drop in the middle of one shows in part in that epoch's mean, and in full in the next.
    near = [time for time in times if epoch - 2 <= time < epoch]
    return max(near, default=None)


def fall_done(run: Run, *, fraction: float, quantity: str = "train_loss") -> float:
    """Return the part of its fall, first epoch to last, that a quantity has done after a fraction of the run.

    (q_1 - q_k) / (q_1 - q_E) with k = max(1, round(fraction * E)) of E epochs. It is above 1 where the
    quantity rises again later.

    Parameters
    ----------
    run : Run
        Finished, and with a lower value in its last epoch than in its first.
    fraction : float
        In (0, 1].
    quantity : str
        Name of a column of a run.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> fall_done(load_runs("pilot-laptop")[1], fraction=1.0)
    1.0
    """
    fraction = check_fraction("fraction", fraction, zero=False)
    values = run.column(quantity)
    if run.status != "finished" or not values[0] > values[-1]:
        raise ValueError(
            f"{quantity} of {run.label}, seed {run.config.seed}, must fall from its first epoch to its last; "
            f"got {values[0]!r} and {values[-1]!r} ({run.status})"
        )
    k = max(1, round(fraction * len(values)))
    return (values[0] - values[k - 1]) / (values[0] - values[-1])


def cycle_ends(run: Run) -> list[int]:
    """Return the last update of each cycle of a cosine run, counted from 0.

    Raises
    ------
    TypeError
        If the run's schedule has no cycles.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> cycle_ends(load_runs("pilot-laptop")[0])
    Traceback (most recent call last):
        ...
    TypeError: run must follow CosineAnnealing, which has cycles, got Constant()
    """
    schedule = run.config.schedule()
    if isinstance(schedule, Hold):  # one rate for an epoch: its cycles are those of the schedule held
        schedule = schedule.schedule
    if not isinstance(schedule, CosineAnnealing):
        raise TypeError(f"run must follow CosineAnnealing, which has cycles, got {schedule!r}")
    return schedule.cycle_ends


def at_cycle_ends(run: Run, quantity: str = "test_accuracy") -> list[tuple[int, float]]:
    """Return (epoch, value) at the cycle ends of a cosine run that fall on the end of an epoch.

    Cycle ends that a diverged run never reached are left out.

    Examples
    --------
    >>> from lrlib.runs.store import load_runs
    >>> run = next(run for run in load_runs("survey-digits") if run.label == "cosine")
    >>> [epoch for epoch, value in at_cycle_ends(run)] == [run.config.epochs]
    True
    """
    per_epoch, values = run.config.steps_per_epoch, run.column(quantity)
    # A cycle that ends inside an epoch has no value of its own: when that epoch is measured, the next runs.
    epochs = [(end + 1) // per_epoch for end in cycle_ends(run) if (end + 1) % per_epoch == 0]
    return [(epoch, values[epoch - 1]) for epoch in epochs if epoch <= len(values)]


def whole_cycles(run: Run) -> bool:
    """Return whether every cycle of a cosine run ends with an epoch, so that all cycle ends were measured.

    Examples
    --------
    >>> from lrlib.runs.store import load_runs
    >>> whole_cycles(next(run for run in load_runs("survey-digits") if run.label == "cosine"))
    True
    """
    return all((end + 1) % run.config.steps_per_epoch == 0 for end in cycle_ends(run))


def _curve(values: Sequence[float]) -> np.ndarray:
    try:
        curve = np.array([float(value) for value in values])
    except (TypeError, ValueError, OverflowError, RuntimeError):  # what holds no numbers
        curve = np.empty(0)
    if curve.ndim != 1 or curve.size < 2:
        raise ValueError(f"values must hold one number an epoch, for 2 epochs or more, got {shown(values)}")
    wrong = [value for value in curve.tolist() if not math.isfinite(value)]
    if wrong:
        raise ValueError(f"values must be finite, got {wrong[0]}; leave out a run that diverged")
    return curve
