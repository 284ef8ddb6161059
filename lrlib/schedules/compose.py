"""Schedules made of schedules: warm-up, join and hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lrlib._checks import check_int
from lrlib.schedules.shapes import Schedule, check_start, ramp


def hold(schedule: Schedule, steps: int) -> Schedule:
    """Return a schedule that changes once every `steps` updates: schedule(t - t mod steps).

    With ``steps=steps_per_epoch`` this is a scheduler that is stepped once an epoch, as in most tutorials:
    all updates of an epoch have the factor of its first.

    Parameters
    ----------
    schedule : Schedule
    steps : int
        Updates for which a factor stays, >= 1. The horizon stays the schedule's own.

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> hold(LinearDecay(total_steps=4), 2).values(5)
    [1.0, 1.0, 0.5, 0.5, 0.0]
    """
    return Hold(schedule=schedule, steps=steps)


def with_warmup(schedule: Schedule, steps: int, start: float = 0.0) -> Schedule:
    """Return a schedule with a linear warm-up of W = `steps` updates before it.

    start + (1 - start) t/W for t < W; then schedule(t - W), so that the horizon grows by W. (`Triangle` has
    its warm-up *inside* the horizon.) optax, transformers and composer use t/W as here, so that update 0 has
    rate zero if `start` is 0; other libraries use (t+1)/W or (t+1)/(W+1).

    Parameters
    ----------
    schedule : Schedule
    steps : int
        Length W of the warm-up in updates, >= 1; for none, use the schedule itself.
    start : float
        Factor of update 0, in [0, 1].

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> warm = with_warmup(LinearDecay(total_steps=4), 2)
    >>> warm.values(6), warm.total_steps
    ([0.0, 0.5, 1.0, 0.75, 0.5, 0.25], 6)
    """
    return WithWarmup(schedule=schedule, steps=steps, start=start)


def join(parts: Iterable[tuple[Schedule, int | None]]) -> Schedule:
    """Return schedules one after the other; each counts its own steps from 0.

    Part k gives the factors of its `steps` updates. The last part goes on after its steps, so that one that
    has reached zero stays there. The horizon is the sum of the steps.

    Parameters
    ----------
    parts : iterable of (Schedule, int)
        At least one pair; steps >= 1 in updates. Those of the last pair may be None, which stands for its
        schedule's own horizon; if that has none, the whole has none.

    Examples
    --------
    >>> from lrlib import Constant, LinearDecay
    >>> cooldown = join([(Constant(), 3), (LinearDecay(total_steps=2), 2)])
    >>> cooldown.values(6), cooldown.total_steps
    ([1.0, 1.0, 1.0, 1.0, 0.5, 0.0], 5)
    """
    if not isinstance(parts, Iterable):
        raise TypeError(f"join needs a list of (schedule, steps) pairs, got {parts!r}")
    return Join(parts=tuple(parts))


def _check_schedule(value: Any) -> None:
    if not isinstance(value, Schedule):
        raise TypeError(f"schedule must be a lrlib Schedule, such as lrlib.Constant(), got {value!r}")


@dataclass(frozen=True, kw_only=True, repr=False)
class Hold(Schedule):
    """The schedule that `hold` returns."""

    schedule: Schedule
    steps: int
    kind = "hold"

    def __post_init__(self) -> None:
        _check_schedule(self.schedule)
        self._set(steps=check_int("steps", self.steps, least=1))

    @property
    def total_steps(self) -> int | None:
        return self.schedule.total_steps

    def _factor(self, t: int) -> float:
        return self.schedule._factor(t - t % self.steps)

    def __repr__(self) -> str:
        return f"hold({self.schedule!r}, steps={self.steps})"


@dataclass(frozen=True, kw_only=True, repr=False)
class WithWarmup(Schedule):
    """The schedule that `with_warmup` returns."""

    schedule: Schedule
    steps: int
    start: float = 0.0
    kind = "with_warmup"

    def __post_init__(self) -> None:
        _check_schedule(self.schedule)
        self._set(steps=check_int("steps", self.steps, least=1), start=check_start(self.start))

    @property
    def total_steps(self) -> int | None:
        inner = self.schedule.total_steps
        return None if inner is None else self.steps + inner

    def _factor(self, t: int) -> float:
        return ramp(self.start, t, self.steps) if t < self.steps else self.schedule._factor(t - self.steps)

    def __repr__(self) -> str:
        return f"with_warmup({self.schedule!r}, steps={self.steps}, start={self.start})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Join(Schedule):
    """The schedule that `join` returns."""

    parts: tuple[tuple[Schedule, int | None], ...]
    kind = "join"

    def __post_init__(self) -> None:
        if not isinstance(self.parts, tuple) or not self.parts:
            raise ValueError(f"join needs at least one (schedule, steps) pair, got {self.parts!r}")
        checked = []
        for place, part in enumerate(self.parts):
            # Lists too, as JSON has no tuples.
            if not isinstance(part, (tuple, list)) or len(part) != 2:
                raise TypeError(f"part {place} of join must be a (schedule, steps) pair, got {part!r}")
            schedule, steps = part
            _check_schedule(schedule)
            # Only the last part may be without steps: the others must end for the next to begin.
            if steps is not None or place < len(self.parts) - 1:
                steps = check_int(f"steps of part {place}", steps, least=1)
            checked.append((schedule, steps))
        self._set(parts=tuple(checked))

    @property
    def total_steps(self) -> int | None:
        total = 0
        for schedule, steps in self.parts:
            length = schedule.total_steps if steps is None else steps
            if length is None:
                return None
            total += length
        return total

    def _factor(self, t: int) -> float:
        for schedule, steps in self.parts[:-1]:
            if steps is None or t < steps:  # None: without end
                return schedule._factor(t)
            t -= steps
        return self.parts[-1][0]._factor(t)

    def __repr__(self) -> str:
        inside = ", ".join(f"({schedule!r}, {steps})" for schedule, steps in self.parts)
        return f"join([{inside}])"
