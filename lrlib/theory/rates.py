"""The rates of a run as an array, for all that is computed from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrlib._checks import check_float, check_int
from lrlib.schedules import Schedule


def rates(schedule: Callable[[int], float], *, steps: int, peak_lr: float) -> np.ndarray:
    """Return the rates of updates 0, ..., steps - 1: ``peak_lr * schedule(t)``, of shape [steps].

    Parameters
    ----------
    schedule : callable, step -> factor
        Any schedule of lrlib, or any function of the step whose factors are finite and >= 0.
    steps : int, >= 1
    peak_lr : float, finite and >= 0

    Examples
    --------
    >>> rates(lambda t: 1 / (1 + t), steps=2, peak_lr=0.1).tolist()
    [0.1, 0.05]
    """
    if not callable(schedule):
        raise TypeError(f"schedule must be callable with a step, got {schedule!r}")
    steps, peak_lr = check_int("steps", steps, least=1), check_peak_lr(peak_lr)
    # `values` checks its argument once, where each call checks its own: four times as fast.
    listed = schedule.values(steps) if isinstance(schedule, Schedule) else map(schedule, range(steps))
    factors = np.array([*listed], dtype=float)
    # Checked here, once: in a product over all updates one nan would be seen at the end, without its step.
    wrong = np.flatnonzero(~(np.isfinite(factors) & (factors >= 0)))
    if wrong.size:
        raise ValueError(
            f"schedule must give finite factors >= 0, got {factors[wrong[0]]} at step {wrong[0]}"
        )
    return peak_lr * factors


def check_peak_lr(peak_lr: float) -> float:
    """Return a peak rate as a float, finite and >= 0, or raise."""
    return check_float("peak_lr", peak_lr, allowed="finite and >= 0", ok=lambda x: x >= 0)
