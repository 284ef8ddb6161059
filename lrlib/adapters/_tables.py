"""A schedule as a table of rates, for frameworks that compute in float32."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np

from lrlib._checks import check_float, check_int
from lrlib.schedules import Schedule


def need(framework: str, caller: str) -> ModuleType:
    """Import `framework`, or raise an error that says in a sentence who needs it."""
    try:
        return import_module(framework)
    except ModuleNotFoundError as error:
        if error.name != framework:
            raise
        raise ModuleNotFoundError(
            f"{caller} needs {framework}, which is not installed: pip install {framework}", name=framework
        ) from None


def table(schedule: Schedule, peak_lr: float, steps: int | None) -> np.ndarray:
    """Return the rates of updates 0, 1, ..., T as float64, for T = `steps` or the schedule's horizon.

    Computed in double precision and rounded once at the end, they are within 6e-8 of the schedule's, at any
    T. The frameworks' own formulas divide counters in float32: their last rates of a long cosine are zero.
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a lrlib Schedule, such as lrlib.Constant(), got {schedule!r}")
    peak_lr = check_float("peak_lr", peak_lr, allowed="> 0 and finite", ok=lambda x: x > 0)
    total = schedule.total_steps if steps is None else check_int("steps", steps, least=1)
    if total is None:
        raise ValueError(f"{schedule!r} has no end; say by steps= how many updates the table is to hold")
    return peak_lr * np.array(schedule.values(total + 1))
