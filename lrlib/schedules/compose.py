"""Schedules made of schedules: warm-up, join, hold, a floor, another length."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lrlib._checks import check_float, check_fraction, check_int
from lrlib.schedules.shapes import Schedule, check_schedule, ramp


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


def with_floor(schedule: Schedule, floor: float) -> Schedule:
    """Return a schedule that ends at `floor` and not at zero: f + (1 - f) schedule(t), for f = `floor`.

    It keeps the peak and the horizon. transformers' ``cosine_with_min_lr``, torch's `eta_min` and optax's
    `alpha` do this to a cosine.

    Parameters
    ----------
    schedule : Schedule
    floor : float
        Part of the peak, in [0, 1].

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> with_floor(LinearDecay(total_steps=4), 0.5).values(5)
    [1.0, 0.875, 0.75, 0.625, 0.5]
    """
    return WithFloor(schedule=schedule, floor=floor)


def extend(schedule: Schedule, *, at: int, total_steps: int) -> Schedule:
    """Return a schedule that is changed in mid-run to end at `total_steps`, later or earlier than planned.

    Up to update `at` it is the schedule; from there on what is left of it is stretched (or squeezed) over
    what is left of the run: schedule(at + (t - at) (T - at) / (total_steps - at)), T the old horizon. The
    rate does not jump. A run that was done up to `at` needs no repetition.

    Parameters
    ----------
    schedule : Schedule
        With a horizon T.
    at : int
        Updates that are done, in 0..T - 1.
    total_steps : int
        The new horizon, > at.

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> longer = extend(LinearDecay(total_steps=4), at=2, total_steps=6)
    >>> longer.values(7), longer.total_steps
    ([1.0, 0.75, 0.5, 0.375, 0.25, 0.125, 0.0], 6)
    """
    return Extended(schedule=schedule, at=at, total_steps=total_steps)


def rescale(schedule: Schedule, k: float) -> Schedule:
    """Return the schedule for batches `k` times as large: schedule(k t), over T / k updates (rounded up).

    It is the half of the linear scaling rule [1]_ that concerns steps: as many pictures are seen at each
    factor as before. The other half is the peak rate times k. That is a rule of thumb for SGD and holds up to
    some batch size; for Adam the root of k is often taken. Lengths of warm-ups shrink with the rest, though
    the authors keep theirs at five epochs, which is the same.

    Parameters
    ----------
    schedule : Schedule
    k : float
        New batch size over old, > 0; processes count.

    References
    ----------
    .. [1] P. Goyal et al., Accurate, large minibatch SGD, 2017, https://arxiv.org/abs/1706.02677

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> peak_lr, k = 0.1, 4
    >>> fewer = rescale(LinearDecay(total_steps=10), k)
    >>> fewer.values(3), fewer.total_steps, k * peak_lr
    ([1.0, 0.6, 0.2], 3, 0.4)
    """
    return Rescaled(schedule=schedule, k=k)


def join(parts: Iterable[tuple[Schedule, int | None] | tuple[Schedule, int | None, float]]) -> Schedule:
    """Return schedules one after the other; each counts its own steps from 0.

    Part k gives the factors of its `steps` updates. The last part goes on after its steps, so that one that
    has reached zero stays there. The horizon is the sum of the steps.

    Parameters
    ----------
    parts : iterable of (Schedule, int) or (Schedule, int, float)
        At least one; steps >= 1 in updates. Those of the last part may be None, which stands for its
        schedule's own horizon; if that has none, the whole has none. The third number, >= 0 and 1 if left
        out, multiplies the factors of its part.

    Examples
    --------
    >>> from lrlib import Constant, LinearDecay
    >>> cooldown = join([(Constant(), 3), (LinearDecay(total_steps=2), 2)])
    >>> cooldown.values(6), cooldown.total_steps
    ([1.0, 1.0, 1.0, 1.0, 0.5, 0.0], 5)

    Restarts that shrink:

    >>> join([(LinearDecay(total_steps=2), 2), (LinearDecay(total_steps=2), 2, 0.5)]).values(4)
    [1.0, 0.5, 0.5, 0.25]
    """
    if not isinstance(parts, Iterable):
        raise TypeError(f"join needs a list of (schedule, steps) pairs, got {parts!r}")
    return Join(parts=tuple(parts))


@dataclass(frozen=True, kw_only=True, repr=False)
class Hold(Schedule):
    """The schedule that `hold` returns."""

    schedule: Schedule
    steps: int
    kind = "hold"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
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
    start: float
    kind = "with_warmup"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        self._set(steps=check_int("steps", self.steps, least=1), start=check_fraction("start", self.start))

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

    parts: tuple[tuple[Schedule, int | None] | tuple[Schedule, int | None, float], ...]
    kind = "join"

    def __post_init__(self) -> None:
        if not isinstance(self.parts, tuple) or not self.parts:
            raise ValueError(f"join needs at least one (schedule, steps) pair, got {self.parts!r}")
        checked: list[Any] = []
        for place, part in enumerate(self.parts):
            # Lists too, as JSON has no tuples.
            if not isinstance(part, (tuple, list)) or len(part) not in (2, 3):
                raise TypeError(
                    f"part {place} of join must be a (schedule, steps) pair, or have a factor, got {part!r}"
                )
            schedule, steps, factor = (*part, 1.0)[:3]
            check_schedule(schedule)
            # Only the last part may be without steps: the others must end for the next to begin.
            if steps is not None or place < len(self.parts) - 1:
                steps = check_int(f"steps of part {place}", steps, least=1)
            factor = check_float(
                f"factor of part {place}", factor, allowed=">= 0 and finite", ok=lambda x: x >= 0
            )
            checked.append((schedule, steps) if factor == 1 else (schedule, steps, factor))
        self._set(parts=tuple(checked))

    @property
    def total_steps(self) -> int | None:
        total = 0
        for schedule, steps, *_ in self.parts:
            length = schedule.total_steps if steps is None else steps
            if length is None:
                return None
            total += length
        return total

    def _factor(self, t: int) -> float:
        for part in self.parts[:-1]:
            steps = part[1]
            assert steps is not None  # only the last part may be without
            if t < steps:
                break
            t -= steps
        else:
            part = self.parts[-1]
        factor = part[0]._factor(t)
        return factor * part[2] if len(part) == 3 else factor

    def __repr__(self) -> str:
        inside = ", ".join(f"({', '.join(map(repr, part))})" for part in self.parts)
        return f"join([{inside}])"


@dataclass(frozen=True, kw_only=True, repr=False)
class WithFloor(Schedule):
    """The schedule that `with_floor` returns."""

    schedule: Schedule
    floor: float
    kind = "with_floor"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        floor = check_fraction("floor", self.floor)
        self._set(floor=floor)

    @property
    def total_steps(self) -> int | None:
        return self.schedule.total_steps

    def _factor(self, t: int) -> float:
        return self.floor + (1 - self.floor) * self.schedule._factor(t)

    def __repr__(self) -> str:
        return f"with_floor({self.schedule!r}, floor={self.floor})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Extended(Schedule):
    """The schedule that `extend` returns."""

    schedule: Schedule
    at: int
    total_steps: int
    kind = "extended"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        at, old = check_int("at", self.at, least=0), self.schedule.total_steps
        if old is None:
            raise ValueError(f"{self.schedule!r} has no end, so there is nothing to extend")
        if at >= old:
            raise ValueError(f"at must be < {old}, the schedule's own horizon, got {at}")
        self._set(at=at, total_steps=check_int("total_steps", self.total_steps, least=at + 1))

    def _factor(self, t: int) -> float:
        old = self.schedule.total_steps
        assert old is not None
        if t <= self.at:
            return self.schedule._factor(t)
        # One division, so that whole times stay whole; after the new end, as after the old one.
        done = (t - self.at) * (old - self.at) / (self.total_steps - self.at)
        time = self.at + done if t < self.total_steps else old + t - self.total_steps
        return _at_any(self.schedule, time)

    def __repr__(self) -> str:
        return f"extend({self.schedule!r}, at={self.at}, total_steps={self.total_steps})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Rescaled(Schedule):
    """The schedule that `rescale` returns."""

    schedule: Schedule
    k: float
    kind = "rescaled"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        self._set(k=check_float("k", self.k, allowed="> 0 and finite", ok=lambda x: x > 0))

    @property
    def total_steps(self) -> int | None:
        inner = self.schedule.total_steps
        return None if inner is None else math.ceil(inner / self.k)

    def _factor(self, t: int) -> float:
        return _at_any(self.schedule, t * self.k)

    def __repr__(self) -> str:
        return f"rescale({self.schedule!r}, k={self.k:g})"


def _at_any(schedule: Schedule, time: float) -> float:
    """Return the factor at a time between updates too: all shapes of lrlib are formulas of any t >= 0."""
    return schedule._factor(int(time) if time == int(time) else time)  # type: ignore[arg-type]
