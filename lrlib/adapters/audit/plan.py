"""A plan as a function of its own clock, which a fault may run ahead, behind, faster or slower."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np

from lrlib._checks import check_int, check_numbers
from lrlib.schedules import Schedule

Array = np.ndarray


class Plan:
    """Planned rates at any time s >= 0 of the plan, in updates; fractions of an update are allowed.

    Attributes
    ----------
    total_steps : int or None
        The plan's horizon.
    known_to : float
        The last update that a list or a function gives a rate for; what a clock that is past it would
        apply cannot be told.
    schedule : Schedule or None
        The plan where it is one of lrlib's, which can be made again with another horizon.
    """

    def __init__(self, plan: Schedule | Callable | Sequence[float], peak_lr: float, total_steps: int | None):
        self.peak_lr = peak_lr
        self.known_to = math.inf
        self.schedule = plan if isinstance(plan, Schedule) else None
        if total_steps is not None:
            total_steps = check_int("total_steps", total_steps, least=1)
        if isinstance(plan, Schedule):
            self.total_steps = total_steps or plan.total_steps
            self._factor: Callable[[Any], float] = plan._factor
        elif callable(plan):
            self.total_steps = total_steps
            self._factor = plan
        else:
            if isinstance(plan, Sized) and not len(plan):
                raise ValueError("the plan must have at least one rate, got an empty sequence")
            factors = np.asarray(check_numbers("schedule, as it is no schedule of lrlib's,", plan))
            self.total_steps = total_steps or len(factors)
            self.known_to = len(factors) - 1
            places = np.arange(len(factors))
            self._factor = lambda s: float(np.interp(s, places, factors))
        self._table = np.empty(0)
        self._memo: dict[float, float] = {}
        self._asked = (0, 0)  # the first and the last update that a function must know

    def __call__(self, time: float) -> float:
        """Return the planned rate at `time`; before 0 it is that of 0."""
        whole = int(time) if float(time).is_integer() else float(time)
        if whole not in self._memo:
            known = self.schedule is not None
            self._memo[whole] = (
                self.peak_lr * float(self._factor(max(whole, 0))) if known else self._try(whole)
            )
        return self._memo[whole]

    def _try(self, time: float) -> float:
        """Return the rate of a user's function, which may know whole updates alone, and those of its run."""
        with suppress(Exception):  # whatever it raises: it is the user's
            factor = float(self._factor(max(time, 0)))
            if math.isfinite(factor):
                return self.peak_lr * factor
        low, (first, last) = math.floor(time), self._asked
        if time > last:
            self.known_to = min(self.known_to, last)
        if time < first or time > last:
            return self(first if time < first else last)
        return self(low) + (self(low + 1) - self(low)) * (time - low)

    def asked(self, times: Array) -> Array:
        """Return the planned rates at the updates of a log.

        Raises
        ------
        ValueError
            If the plan is a function that gives no finite number there.
        """
        for time in times.tolist() if self.schedule is None else ():
            try:
                factor = float(self._factor(time))
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise ValueError(f"the plan must give a factor for update {time:,}, got {why}") from error
            if not math.isfinite(factor):
                raise ValueError(f"the plan must give a finite factor for update {time:,}, got {factor}")
            self._memo[time] = self.peak_lr * factor
        self._asked = (int(times[0]), int(times[-1]))
        return self.at(times)

    def at(self, times: Array) -> Array:
        """Return the planned rates at these times."""
        if not len(times):
            return np.empty(0)
        if times.dtype.kind == "i":
            times = np.maximum(times, 0)
            if times.max() < len(self._table):
                return self._table[times]
        if len(times) <= 64:
            return np.array([self(time) for time in times.tolist()])
        points, back = np.unique(times, return_inverse=True)
        return np.array([self(point) for point in points.tolist()])[back]

    def table(self, n: int) -> Array:
        """Return the planned rates at 0, 1, ..., n - 1."""
        if len(self._table) < n:
            more = [self(time) for time in range(len(self._table), n)]
            self._table = np.concatenate([self._table, more])
        return self._table[:n]

    def made_for(self, total: int) -> Iterator[Plan]:
        """Yield the plan made for `total` updates: its warm-up and other lengths kept, then all scaled.

        Lengths scale as they do where they are fractions of a run, rounded or cut.
        """
        if self.schedule is None or total < 1:
            return
        forms = [lambda: _rebuilt(self.schedule, total)]
        if self.schedule.total_steps:
            ratio = total / self.schedule.total_steps
            forms += [
                lambda: _scaled(self.schedule, ratio, round),
                lambda: _scaled(self.schedule, ratio, int),
            ]
        for form in forms:
            try:
                made = form()
            except (TypeError, ValueError):  # five cycles in four updates, a warm-up longer than the run
                continue
            if made is not None:
                yield Plan(made, self.peak_lr, None)


def _rebuilt(schedule: Any, total: int) -> Any:
    """Return `schedule` with another horizon, or None where it has none; its other lengths stay."""
    if schedule.kind in ("hold", "with_floor"):
        inner = _rebuilt(schedule.schedule, total)
    elif schedule.kind == "with_warmup":
        inner = _rebuilt(schedule.schedule, total - schedule.steps)
    elif schedule.kind == "join":
        return _rejoined(schedule, total)
    else:
        has = any(each.name == "total_steps" for each in fields(schedule))
        return replace(schedule, total_steps=total) if has else None
    return None if inner is None else replace(schedule, schedule=inner)


def _scaled(schedule: Any, ratio: float, whole: Callable[[float], int]) -> Any:
    """Return `schedule` with every length in updates times `ratio`."""
    if schedule.kind == "join":
        parts = [
            (_scaled(part, ratio, whole), None if steps is None else whole(ratio * steps), *factor)
            for part, steps, *factor in schedule.parts
        ]
        return replace(schedule, parts=tuple(parts))
    changes: dict[str, Any] = {}
    for each in fields(schedule):
        value = getattr(schedule, each.name)
        if each.name.endswith("steps") and isinstance(value, int):
            changes[each.name] = whole(ratio * value + 1e-9)
        elif isinstance(value, Schedule):
            changes[each.name] = _scaled(value, ratio, whole)
    if schedule.kind == "with_warmup":  # one horizon: what the warm-up does not take
        total = whole(ratio * schedule.total_steps + 1e-9)
        changes["schedule"] = _rebuilt(schedule.schedule, total - changes["steps"]) or changes["schedule"]
    return replace(schedule, **changes)


def _rejoined(schedule: Any, total: int) -> Schedule | None:
    """Return a join with its longest part made shorter or longer, as a plateau before a cooldown is."""
    if schedule.total_steps is None:
        return None
    parts = [
        (part, part.total_steps if steps is None else steps, *factor)
        for part, steps, *factor in schedule.parts
    ]
    longest = max(range(len(parts)), key=lambda place: parts[place][1])
    part, steps, *factor = parts[longest]
    steps += total - schedule.total_steps
    if steps < 1:
        return None
    if part.total_steps is not None:
        part = _rebuilt(part, steps)
        if part is None:
            return None
    parts[longest] = (part, steps, *factor)
    return replace(schedule, parts=tuple(parts))


def layered_forms(schedule: Schedule | None) -> tuple[int, list[Callable[[float], float]]] | None:
    """Return a warm-up's length and what a run has that lays the warm-up *over* a decay from update 0 on.

    Two forms are known: the decay runs unseen and shows after the warm-up (timm without `warmup_prefix`), or
    both are multiplied (torch's `ChainedScheduler`). None where the plan has no warm-up of lrlib's.
    """
    kind = getattr(schedule, "kind", None)
    total = getattr(schedule, "total_steps", None)
    if kind == "with_warmup":
        inner, steps, start = schedule.schedule, schedule.steps, schedule.start  # type: ignore[union-attr]
    elif kind == "triangle":
        from lrlib.schedules import LinearDecay

        steps, start = schedule.warmup_steps, schedule.start  # type: ignore[union-attr]
        inner = LinearDecay(total_steps=schedule.total_steps - steps)  # type: ignore[union-attr]
    else:
        return None
    if not steps:
        return None
    decays: list[Any] = [inner] if total is None else [inner, _rebuilt(inner, total)]

    def hidden(decay: Any) -> Callable[[float], float]:
        return lambda t: start + (1 - start) * t / steps if t < steps else decay._factor(t)

    def product(decay: Any) -> Callable[[float], float]:
        return lambda t: min(1.0, start + (1 - start) * t / steps) * decay._factor(t)

    return steps, [make(decay) for decay in decays if decay is not None for make in (hidden, product)]


def updates_text(n: int) -> str:
    """Return a count of updates in words."""
    return f"{n:,} update" if n == 1 else f"{n:,} updates"


def nice(number: float) -> str:
    """Return a number for a sentence: whole where it is whole, else with four digits."""
    if math.isclose(number, round(number), abs_tol=1e-9):
        return f"{number:,.0f}"
    return f"{number:.4g}" if abs(number - 1) > 1e-3 else f"{number:.8g}"
