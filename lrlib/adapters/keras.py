"""Schedules as Keras schedules."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from lrlib.adapters._tables import need, table
from lrlib.schedules import Schedule, from_dict


def to_keras(schedule: Schedule, peak_lr: float, *, steps: int | None = None) -> Any:
    """Return a Keras `LearningRateSchedule`, for the `learning_rate` of any Keras optimizer.

    It looks up a table of T + 1 rates (4 bytes each). The rate of update T stays afterwards. A model saved
    with it holds the schedule's name and numbers, not the table, and can be loaded where lrlib is imported.
    With ``gradient_accumulation_steps=k`` Keras counts micro-batches, so that a schedule is to be made for k
    times as many steps.

    Parameters
    ----------
    schedule : Schedule
    peak_lr : float
        > 0; rate = peak_lr * factor.
    steps : int, optional
        T, by default the schedule's horizon; needed where it has none.

    Examples
    --------
    >>> import os
    >>> os.environ["KERAS_BACKEND"] = "torch"  # or another that is installed
    >>> import lrlib
    >>> rate = lrlib.to_keras(lrlib.LinearDecay(total_steps=4), 0.5)
    >>> [float(rate(step)) for step in range(6)]
    [0.5, 0.375, 0.25, 0.125, 0.0, 0.0]
    """
    need("keras", "to_keras")
    return _table_class()(schedule, peak_lr, steps)


@cache
def _table_class() -> type:
    keras: Any = need("keras", "to_keras")

    @keras.saving.register_keras_serializable(package="lrlib")
    class ScheduleTable(keras.optimizers.schedules.LearningRateSchedule):
        """Rates of a lrlib schedule, looked up."""

        def __init__(self, schedule: Any, peak_lr: float, steps: int | None = None):
            self.schedule = from_dict(schedule) if isinstance(schedule, dict) else schedule
            self.peak_lr, self.steps = float(peak_lr), steps
            self.rates = table(self.schedule, peak_lr, steps).astype(np.float32)

        def __call__(self, step: Any) -> Any:
            place = keras.ops.clip(keras.ops.cast(step, "int32"), 0, len(self.rates) - 1)
            return keras.ops.take(keras.ops.convert_to_tensor(self.rates), place)

        def get_config(self) -> dict[str, Any]:
            return {"schedule": self.schedule.to_dict(), "peak_lr": self.peak_lr, "steps": self.steps}

    return ScheduleTable
