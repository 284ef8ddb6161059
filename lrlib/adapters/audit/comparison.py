"""Applied rates and a plan side by side: what all readings ask of them, and the list that they write to."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from lrlib._checks import check_float
from lrlib.adapters.audit import clocks
from lrlib.adapters.audit.plan import Plan
from lrlib.adapters.audit.verdict import Reading

Array = np.ndarray


class Comparison:
    """Applied rates, a plan, and the readings found so far as (rank, readings): the lowest rank leads."""

    def __init__(
        self,
        rates: Array,
        plan: Plan,
        *,
        start: int,
        epoch: int | None,
        ways: dict[int, str],
        skipped: int,
        counts: Array | None,
        tolerance: float | None,
    ):
        self.rates, self.plan, self.start, self.n = rates, plan, start, len(rates)
        self.epoch, self.ways, self.skipped, self.counts = epoch, ways, skipped, counts
        self.t = np.arange(start, start + self.n)
        self.total = plan.total_steps
        self.planned = plan.asked(self.t)
        self.bad: Array = np.empty(0, dtype=int)  # places that differ, once they are known
        self.peak = max(float(np.abs(self.planned).max()), abs(plan(0)), 1e-300)
        # Frameworks that count in float32 keep seven digits; at the small end of a decay, fewer.
        self.single = np.array_equal(rates.astype(np.float32), rates)
        self.relative, self.absolute = (1e-5, 2e-6 * self.peak) if self.single else (1e-6, 1e-7 * self.peak)
        if tolerance is not None:
            self.single, self.relative = False, 0.0
            self.absolute = check_float("tolerance", tolerance, allowed=">= 0", ok=lambda x: x >= 0)
        self.found: list[tuple[float, list[Reading]]] = []
        # Rounding alone, and not the tolerance: a long cosine moves by less than that near its ends.
        moved = np.abs(np.diff(rates)) > 1e-12 * self.peak
        self.changes = np.flatnonzero(moved) + 1
        self.flat = not len(self.changes)
        moves = np.flatnonzero(np.abs(np.diff(self.planned)) > 1e-12 * self.peak)
        self.stepped = bool(len(moves)) and not (np.diff(moves) == 1).any()  # a staircase
        self.marks = self._marks()
        self.span = max(self.total or 2 * self.n, start + self.n) + 2

    def divided(self, factor: float) -> Comparison:
        """Return the comparison of the rates divided by `factor`, with nothing found yet."""
        other = copy(self)
        other.rates, other.found = self.rates / factor, []
        other.bad = np.flatnonzero(~self.near(other.rates, self.planned))
        return other

    def near(self, x: Array | float, y: Array | float) -> Any:
        """Return where rates are equal up to the tolerance."""
        return np.abs(x - y) <= self.relative * np.maximum(np.abs(x), np.abs(y)) + self.absolute

    def _marks(self) -> Array:
        """Return places that tell most: both ends, an even spread, and both sides of up to 16 changes."""
        n = self.n
        spread = np.linspace(0, n - 1, min(n, 17)).astype(int)
        steps = (
            self.changes[np.linspace(0, len(self.changes) - 1, 16).astype(int)] if len(self.changes) else []
        )
        steps = np.asarray(steps, dtype=int)
        ends = np.array([place for place in (0, 1, 2, 3, n - 2, n - 1) if 0 <= place < n])
        return np.unique(np.concatenate([ends, spread, steps, steps - 1]))

    def fits(self, predict: Callable[[Array], Array], *, skip: int = 0, stop: int | None = None) -> bool:
        """Return whether `predict` of the updates gives the rates at places skip..stop - 1.

        Three places are tried first, then all telling ones: nearly every wrong guess fails there.
        """
        stop = self.n if stop is None else stop
        if stop - skip < 1:
            return False
        marks = self.marks[(self.marks >= skip) & (self.marks < stop)]
        few = marks[[len(marks) // 4, len(marks) // 2, -2]] if len(marks) > 8 else marks[:0]
        for places in (few, marks, np.arange(skip, stop)):
            if not self.near(self.rates[places], predict(self.t[places])).all():
                return False
        return True

    def follows(
        self, clock: clocks.Clock, *, plan: Plan | None = None, skip: int = 0, stop: int | None = None
    ):
        """Return whether the rates are the plan's at the times of `clock`, where the plan is known."""
        plan = plan or self.plan

        def predict(t: Array) -> Array:
            times = clock(t)
            rates = plan.at(times)
            return np.where(times > plan.known_to, self.rates[t - self.start], rates)

        if not self.fits(predict, skip=skip, stop=stop):
            return False
        if math.isinf(plan.known_to):
            return True
        times = clock(self.t[skip:stop])
        known = np.flatnonzero(times <= plan.known_to)
        if len(known) == len(times):
            return True
        distinct, wrong = len(np.unique(times[known])), np.isin(self.bad, known + skip).sum()
        return wrong >= 2 and distinct >= max(5, min(20, len(times) // 10))

    def drifts(self) -> bool:
        """Return whether the differences are no more than what single precision may add up to.

        A rate that is made of the last one, as torch's LinearLR makes it of a tensor, is rounded twice an
        update, by 6e-8 of it each.
        """
        allowed = 2 * 2.0**-24 * (self.t + 1) * np.abs(self.planned) + self.absolute
        return self.single and bool((np.abs(self.rates - self.planned) <= allowed).all())

    def warmed_up(self) -> int:
        """Return the length of the plan's warm-up: the updates from its start to its first peak."""
        rises = np.diff(self.plan.table(self.span)) > 1e-12 * self.peak
        return 0 if not rises[0] else len(rises) if rises.all() else int(np.argmin(rises))

    def tells(self, clock: clocks.Clock, skip: int = 0) -> bool:
        """Return whether `clock` differs from the plan in more than a place or two."""
        t = self.t[skip:]
        return int((~self.near(self.plan.at(clock(t)), self.plan.at(t))).sum()) >= min(2, len(t))

    def add(self, rank: float, kind: str, text: str, **numbers: Any) -> None:
        """Keep a reading; those of a lower rank lead."""
        self.found.append((rank, [Reading(kind, text, numbers)]))

    def share(self, rate: float) -> str:
        """Return a rate in parts of the peak."""
        return f"{rate / self.plan.peak_lr:.4g}"
