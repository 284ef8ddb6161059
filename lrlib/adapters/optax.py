"""Schedules as optax schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lrlib.adapters._tables import need, table
from lrlib.schedules import Schedule


def to_optax(schedule: Schedule, peak_lr: float, *, steps: int | None = None) -> Callable[[Any], Any]:
    """Return an optax schedule: a function from the update's count to the rate, fit for ``jax.jit``.

    It looks up a table of T + 1 rates (4 bytes each). The rate of update T stays afterwards.

    Parameters
    ----------
    schedule : Schedule
    peak_lr : float
        > 0; rate = peak_lr * factor.
    steps : int, optional
        T, by default the schedule's horizon; needed where it has none.

    Examples
    --------
    >>> import lrlib
    >>> rate = lrlib.to_optax(lrlib.LinearDecay(total_steps=4), 0.5)
    >>> [float(rate(count)) for count in range(6)]
    [0.5, 0.375, 0.25, 0.125, 0.0, 0.0]
    """
    need("optax", "to_optax")
    numpy = need("jax.numpy", "to_optax")
    rates = table(schedule, peak_lr, steps)

    def rate(count: Any) -> Any:
        # Made an array in here: float64 or float32 as jax is set when it is used.
        return numpy.asarray(rates)[numpy.clip(count, 0, len(rates) - 1)]

    return rate
