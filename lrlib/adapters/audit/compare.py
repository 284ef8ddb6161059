"""Compare applied rates with a plan, and say how the clock runs that would give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lrlib._checks import check_float, check_int
from lrlib.adapters.audit import clocks
from lrlib.adapters.audit.plan import Plan, layered, nice, updates_text
from lrlib.adapters.audit.verdict import Reading, Verdict
from lrlib.schedules import Schedule

Array = np.ndarray


def compare(
    rates: Sequence[float],
    schedule: Schedule | Callable[[float], float] | Sequence[float],
    *,
    peak_lr: float,
    start: int = 0,
    steps_per_epoch: int | None = None,
    processes: int = 1,
    accumulate: int = 1,
    skipped: int = 0,
    clock: Sequence[int] | None = None,
    total_steps: int | None = None,
    tolerance: float | None = None,
) -> Verdict:
    """Compare a list of applied rates with a plan.

    Parameters
    ----------
    rates : sequence of floats
        Rate of each applied update, in order.
    schedule : Schedule, callable or sequence of floats
        The plan as factors: a schedule of lrlib's, a function of the update, or one factor an update.
    peak_lr : float
        Finite and > 0; planned rate = peak_lr * factor.
    start : int
        Updates that were done before the first of `rates`, >= 0.
    steps_per_epoch, processes, accumulate : int, optional
        What is known of the loop; it helps to find and to word a cause.
    skipped : int
        Updates that were skipped (by a GradScaler, say) and are not in `rates`.
    clock : sequence of ints, optional
        The scheduler's own count at each update (torch's `last_epoch`).
    total_steps : int, optional
        The plan's horizon where `schedule` does not know it.
    tolerance : float, optional
        Largest difference that counts as none, in units of the rate. By default 1e-6 of the rate and 1e-7 of
        the peak; 1e-5 and 2e-6 where all rates are float32 numbers.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is no rate, or one is not finite.

    Examples
    --------
    >>> from lrlib import LinearDecay, audit
    >>> plan = LinearDecay(total_steps=8)
    >>> print(audit.compare([0.1, 0.075, 0.05, 0.025, 0, 0, 0, 0], plan, peak_lr=0.1, processes=2))
    The applied rates part from the plan at update 1: 7 of 8 differ.
      too_fast: the clock runs 2 times too fast, as if the schedule were made for 4 updates: 2 processes or micro-batches.
      For example: the scheduler is stepped by each of several processes (accelerate steps a prepared one so); it is stepped for every micro-batch, and the optimizer for every few; it is stepped twice an update, as by two optimizers that share it; its numbers count epochs, and it is stepped at every update.
      Mended:
          # once an update, whatever the number of processes or micro-batches:
          if (batch_number + 1) % accumulate == 0:
              optimizer.step()
              scheduler.step()
      Note: 4 updates are made with rate 0 where the plan has none.
    """
    applied = np.array([float(rate) for rate in rates])
    if not len(applied):
        raise ValueError("there is no applied rate to compare; was the optimizer stepped inside the block?")
    if not np.isfinite(applied).all():
        place = int(np.argmin(np.isfinite(applied)))
        raise ValueError(f"rates must be finite, got {applied[place]} at update {place + start}")
    peak_lr = check_float("peak_lr", peak_lr, allowed="> 0 and finite", ok=lambda x: x > 0)
    start = check_int("start", start, least=0)
    if clock is not None and len(clock) != len(applied):
        raise ValueError(f"clock must have one count a rate ({len(applied)}), got {len(clock)}")
    plan = Plan(schedule, peak_lr, total_steps)
    known = {check_int("processes", processes, least=1), check_int("accumulate", accumulate, least=1)}
    ways = sorted((known | {processes * accumulate}) - {1})
    epoch = None if steps_per_epoch is None else check_int("steps_per_epoch", steps_per_epoch, least=1)
    counts = None if clock is None else np.array([int(count) for count in clock])
    return _Comparison(applied, plan, start, epoch, ways, skipped, counts, tolerance).verdict()


class _Comparison:
    """Applied rates, a plan, and the search for the clock that leads from one to the other."""

    def __init__(
        self,
        rates: Array,
        plan: Plan,
        start: int,
        epoch: int | None,
        ways: list[int],
        skipped: int,
        counts: Array | None,
        tolerance: float | None,
    ):
        self.rates, self.plan, self.start, self.n = rates, plan, start, len(rates)
        self.epoch, self.ways, self.skipped, self.counts = epoch, ways, skipped, counts
        self.t = np.arange(start, start + self.n)
        self.total = plan.total_steps
        self.planned = plan.at(self.t)
        self.peak = max(float(np.abs(self.planned).max()), abs(plan(0)), 1e-300)
        # Frameworks that count in float32 keep seven digits; at the small end of a decay, fewer.
        single = np.array_equal(rates.astype(np.float32), rates)
        self.relative, self.absolute = (1e-5, 2e-6 * self.peak) if single else (1e-6, 1e-7 * self.peak)
        if tolerance is not None:
            self.relative = 0.0
            self.absolute = check_float("tolerance", tolerance, allowed=">= 0", ok=lambda x: x >= 0)
        self.found: list[tuple[float, list[Reading]]] = []
        # Rounding alone, and not the tolerance: a long cosine moves by less than that near its ends.
        moved = np.abs(np.diff(rates)) > 1e-12 * self.peak
        self.changes = np.flatnonzero(moved) + 1
        self.flat = not len(self.changes)
        self.marks = self._marks()
        self.span = max(self.total or 2 * self.n, start + self.n) + 2

    # ------------------------------------------------------------------------------------------- comparing

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

        A few telling places are tried first: nearly every wrong guess fails there.
        """
        stop = self.n if stop is None else stop
        if stop - skip < 1:
            return False
        marks = self.marks[(self.marks >= skip) & (self.marks < stop)]
        for places in (marks, np.arange(skip, stop)):
            if not self.near(self.rates[places], predict(self.t[places])).all():
                return False
        return True

    def follows(
        self, clock: clocks.Clock, *, plan: Plan | None = None, skip: int = 0, stop: int | None = None
    ):
        """Return whether the rates are the plan's at the times of `clock`."""
        plan = plan or self.plan
        return self.fits(lambda t: plan.at(clock(t)), skip=skip, stop=stop)

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

    # ------------------------------------------------------------------------------------------- the verdict

    def verdict(self) -> Verdict:
        bad = np.flatnonzero(~self.near(self.rates, self.planned))
        notes = self._notes(agrees=not len(bad))
        if not len(bad):
            return Verdict(True, self.rates, self.planned, self.start, notes=tuple(notes))
        self.bad = bad
        self._scheduler_count()
        self._never_changes()
        self._affine()
        self._clocks()
        self._frozen()
        self._horizons()
        self._extra_steps()
        self._begins_again()
        self._compounding()
        self._layered()
        self._climbs_again()
        if all(len(readings) > 1 for _, readings in self.found):  # nothing, or what holds only up to an end
            self._stretches()
        if not self.found:
            self._one_stretch()
        if not self.found:
            self._unknown()
        return self._made(notes)

    def _made(self, notes: list[Reading]) -> Verdict:
        self.found.sort(key=lambda item: item[0])
        rank, lead = self.found[0]
        kinds = {reading.kind for reading in lead}
        also = []
        for _, readings in self.found[1:]:
            if readings[0].kind not in kinds:
                kinds.add(readings[0].kind)
                also.append(readings[0])
        if rank < 0:  # the scheduler's own count settled it
            also = []
        telling = len(self.changes) >= 3 or lead[0].kind in ("never_changes",)
        sure = lead[0].kind != "unknown" and not also and telling
        first = int(self.bad[0]) + self.start
        zeros = int(((self.rates == 0) & ~self.near(self.planned, 0.0)).sum())
        if zeros > 1 and not self.flat:
            text = f"{updates_text(zeros)} are made with rate 0 where the plan has none"
            notes.append(Reading("zero_rate", text, {"updates": zeros}))
        return Verdict(
            False,
            self.rates,
            self.planned,
            self.start,
            first,
            len(self.bad),
            tuple(lead),
            tuple(also),
            tuple(notes),
            sure,
        )

    def _notes(self, *, agrees: bool) -> list[Reading]:
        """Return what is true of the log and no fault of the clock."""
        notes = []
        if self.start == 0 and self.near(self.rates[0], 0.0):
            planned = "as planned" if self.near(self.planned[0], 0.0) else "where the plan has a rate above 0"
            notes.append(Reading("zero_first", f"the first update is made with rate 0, {planned}"))
        end = self.start + self.n
        if agrees and self.total and end < self.total:
            left = self.share(self.rates[-1])
            text = f"the log ends at update {end:,} of {self.total:,}, at {left} of the peak"
            notes.append(Reading("short_run", text, {"updates": end}))
        if agrees and self.total and end > self.total and self.near(self.planned[-1], 0.0):
            text = f"{updates_text(end - self.total)} after the plan's end, with rate 0"
            notes.append(Reading("past_end", text, {"updates": end - self.total}))
        if self.skipped:
            text = f"{updates_text(self.skipped)} {'was' if self.skipped == 1 else 'were'} skipped"
            notes.append(Reading("skipped", text, {"updates": self.skipped}))
        return notes

    # ------------------------------------------------------------------------------------------- hypotheses

    def _scheduler_count(self) -> None:
        """A scheduler's own count settles the cause where the rates are the plan's at that count."""
        if self.counts is None:
            return
        clock = clocks.of_counts(self.counts, self.t)
        if clock is None or clock == clocks.Clock():
            return
        if self.near(self.rates, self.plan.at(self.counts)).all():
            self.say(clock, rank=-1)

    def _count_is_right(self) -> bool:
        return self.counts is not None and np.array_equal(self.counts, self.t)

    def say(self, clock: clocks.Clock, rank: float | None = None, *, skip: int = 0) -> None:
        """Keep the reading of a clock that was found to fit, in the words of its kind."""
        k, held, speed = clock.ahead, clock.held, clock.speed
        end = self.start + self.n
        if clock.period:
            text = f"the plan begins again every {updates_text(clock.period)}"
            self.add(6 if rank is None else rank, "restarted", text, every=clock.period, at=clock.period)
        elif clock.extra:
            kind = "extra_step" if clock.extra > 0 else "missing_step"
            many = abs(clock.extra)
            what = f"{many} step{'s' * (many > 1)} {'more' if clock.extra > 0 else 'fewer'}"
            reached = int(clock(np.array([end]))[0])
            text = (
                f"the clock makes {what} than updates in every {clock.every:,}; after {end:,} updates it "
                f"stands at {reached:,}"
            )
            self.add(5.5 if rank is None else rank, kind, text, every=clock.every, extra=clock.extra, k=k)
        elif clock.per_block:
            reached = int(clock(np.array([end - 1]))[0])
            of = f" of {self.total:,}" if self.total else ""
            text = (
                f"the scheduler moves once every {updates_text(held)} but its numbers count updates: after "
                f"{updates_text(end)} it stands at {reached:,}{of}"
            )
            self.add(4 if rank is None else rank, "stepped_per_epoch", text, every=held, k=k)
        elif speed == 0:
            self.add(0, "never_changes", f"the scheduler's count stays at {k}", k=k)
        elif held > 1:
            late = {-held: ", and comes one epoch late", held: ", and comes one epoch early", 0: ""}
            text = f"the rate is set once every {updates_text(held)}{late.get(k, f', {k:+d} updates off')}"
            self.add(3 if rank is None else rank, "held", text, every=held, k=k)
        elif speed > 1:
            why = ""
            if speed in self.ways:
                why = f": {speed:.0f} processes or micro-batches"
            elif speed == self.epoch:
                why = ": an epoch's worth, so its numbers count epochs and it is stepped at every update"
            made = (
                f", as if the schedule were made for {updates_text(math.ceil(self.total / speed))}"
                if self.total
                else ""
            )
            text = f"the clock runs {nice(speed)} times too fast{made}{why}"
            if self._count_is_right() and self.total:  # the scheduler counts well: it was made for fewer
                made = updates_text(math.ceil(self.total / speed))
                text = f"the schedule is made for {made}, fewer than the {self.total:,} planned{clocks.whole_ratio(1 / speed)}"
                self.add(6, "horizon_short", text, total_steps=self.total / speed, every=1)
                return
            usual = 5 if float(speed).is_integer() else 6.6
            self.add(usual if rank is None else rank, "too_fast", text, speed=speed, k=k)
        elif speed < 1:
            text = f"the clock runs at {nice(speed)} of its speed{clocks.whole_ratio(speed)}"
            self.add(6 if rank is None else rank, "too_slow", text, speed=speed, k=k)
        elif k > 0:
            why = ""
            if k == self.skipped:
                why = f"; {updates_text(k)} {'was' if k == 1 else 'were'} skipped, and the scheduler went on"
            text = f"update t gets the plan's rate of t + {k}: the clock is {k:,} ahead{why}"
            # An exponential decay that is one ahead is also the plan times a factor: the small shift is likelier.
            usual = 0.5 if k <= 3 else 2
            self.add(usual if rank is None else rank, "shift_ahead", text, k=k)
        elif k < 0:
            before = ", ".join(self.share(rate) for rate in self.rates[: min(skip, 3)])
            said = f"; before that {before} of the peak" if before else ""
            text = f"update t gets the plan's rate of t - {-k}: the clock is {-k:,} behind{said}"
            usual = 0.5 if k >= -3 else 2
            self.add(usual if rank is None else rank, "shift_behind", text, k=k)

    def _never_changes(self) -> None:
        if self.flat and not self.near(self.planned, self.planned[0]).all():
            value = float(self.rates[0])
            where = f"{self.share(value)} of the peak"
            where = (
                "0" if self.near(value, 0.0) else "the peak" if self.near(value, self.plan.peak_lr) else where
            )
            self.add(
                0, "never_changes", f"the rate stays at {where} for all {updates_text(self.n)}", rate=value
            )

    def _affine(self) -> None:
        """The plan's shape with another height, another end value or another power."""
        if self.flat and not self.near(self.planned, self.planned[0]).all():
            return
        some = np.abs(self.planned) > 1e-6 * self.peak
        if not some.any():
            return
        ratios = self.rates[some] / self.planned[some]
        factor = float(np.median(ratios))
        if not self.near(factor, 1.0) and self.near(self.rates, factor * self.planned).all():
            self.add(1, "scaled", f"the plan times {factor:.6g}", factor=factor)
            return
        high, low = int(np.argmax(self.planned)), int(np.argmin(self.planned))
        between = self.planned[high] - self.planned[low]
        if between <= 1e-3 * self.peak or self.flat or len(np.unique(self.planned)) < 3:
            return
        slope = float((self.rates[high] - self.rates[low]) / between)
        level = float(self.rates[high] - slope * self.planned[high])
        floor = level / self.plan.peak_lr
        # A floor keeps the peak: factor f + (1 - f) s. Others of this form are left to the clocks.
        if 0 < floor < 1 and abs(slope + floor - 1) < 1e-5:
            if self.near(self.rates, level + slope * self.planned).all():
                text = f"the plan ends at {floor:.4g} of the peak and not at 0"
                self.add(6.5, "floor", text, floor=floor)
                return
        inside = (self.planned > 1e-5 * self.peak) & (self.planned < 0.999 * self.plan.peak_lr)
        inside &= self.rates > 1e-9 * self.peak
        if inside.sum() >= 3:
            logs = np.log(self.rates[inside] / self.plan.peak_lr)
            powers = logs / np.log(self.planned[inside] / self.plan.peak_lr)
            power = float(np.median(powers))
            if 0 < power and not math.isclose(power, 1, rel_tol=1e-6):
                if self.fits(lambda t: self.plan.peak_lr * (self.plan.at(t) / self.plan.peak_lr) ** power):
                    self.add(7, "power", f"the plan's factor to the power {nice(power)}", power=power)

    def _clocks(self) -> None:
        """Clocks that are linear in the update, or in the epoch: shifts, speeds, per epoch, set once an epoch."""
        if self.flat and self.epoch is None:
            return
        # A run that began as planned, on a plan that moves, has not been ahead or behind from the start.
        begun = self.bad[0] > 0 and np.ptp(self.planned[: self.bad[0]]) > 0.01 * self.peak
        for held, offset in self._blocks():
            for clock in self._linear(held, offset):
                if clock == clocks.Clock():
                    continue
                if begun and clock.speed >= 1 and held == 1:
                    continue
                late = max(0, -clock.ahead - self.start) if not clock.per_block else 0
                late = -(-late // held) * held if clock.ahead < 0 else 0
                if clock.per_block and clock.ahead < 0:
                    late = -clock.ahead * held
                if late > self.n // 2 or not self.tells(clock, late):
                    continue
                if self.follows(clock, skip=late):
                    self.say(clock, skip=late)
                elif (
                    self.total and clock.speed > 1 and clock.ahead == 0 and not clock.per_block and held == 1
                ):
                    self._too_fast_then_up(clock)
            if len(self.found) > 12:
                return

    def _too_fast_then_up(self, clock: clocks.Clock) -> None:
        """Too fast up to the plan's end, and then its own way, as torch's cosine climbs again."""
        assert self.total is not None
        end = math.ceil(self.total / clock.speed) - self.start
        # A whole period more an update is no speed: the plan's own rates up to there.
        seen = int((self.bad < end).sum()) >= 2
        if 3 <= end < self.n and seen and self.follows(clock, stop=end):
            self.say(clock)
            tail = self.rates[end - 1 :]
            if (np.diff(tail) > self.absolute).any():
                top = self.share(float(self.rates[end:].max()))
                text = f"after that the rate climbs again, to {top} of the peak"
                self.found[-1][1].append(Reading("climbs_again", text, {"at": end + self.start}))

    def _blocks(self) -> list[tuple[int, int]]:
        """Return (held, offset) of what may be an epoch: 1, the caller's, and what the changes' distances say."""
        blocks = [(1, 0)]
        if self.epoch:
            blocks.append((self.epoch, 0))
        if len(self.changes):
            places = self.changes + self.start
            gaps = np.diff(places)
            every = int(np.gcd.reduce(gaps)) if len(gaps) else int(places[0])
            # Few changes lie on a common grid by chance.
            if every > 1 and len(self.changes) >= 4:
                blocks += [(every, int(places[0] % every)), (every, 0)]
            if int(np.gcd.reduce(places)) > 1 and len(self.changes) >= 4:
                blocks.append((int(np.gcd.reduce(places)), 0))
        kept = []
        for held, offset in dict.fromkeys(blocks):
            constant = (self.changes + self.start - offset) % held == 0
            if constant.all() and held < self.start + self.n:
                kept.append((held, offset))
        return kept

    def _linear(self, held: int, offset: int) -> list[clocks.Clock]:
        """Return clocks that a few pairs of places allow, simplest first."""
        steps = {1, held} if held > 1 else {1}
        made: dict[clocks.Clock, float] = {}

        def take(speed: float, ahead: float) -> None:
            """Keep speed updates a block (or an update, where held is 1)."""
            if not math.isfinite(speed) or not math.isclose(ahead, round(ahead), abs_tol=1e-4):
                return
            k = round(ahead)
            whole = round(speed) if math.isclose(speed, round(speed), rel_tol=1e-6) else speed
            if whole <= 0 or abs(k) >= max(self.span, self.n):
                return
            if held > 1 and abs(k) > 2 and k not in (held, -held):
                return
            if held > 1 and whole == 1:
                clock = clocks.Clock(ahead=k, held=held, offset=offset, per_block=True)
            elif held > 1 and whole != held:
                return  # a stretched horizon that is set once an epoch: see _horizons
            elif held > 1:
                clock = clocks.Clock(ahead=k, held=held, offset=offset)
            elif isinstance(whole, float) and self.total:
                return  # another horizon: see _horizons
            else:
                clock = clocks.Clock(speed=whole, ahead=k)
            made.setdefault(clock, abs(k) + (0 if whole == 1 else 0.5))

        for step in steps:
            for k in (0, step, -step, 1, -1):
                take(step, k)
        if held == 1:
            for speed in sorted({*self.ways, *([self.epoch] if self.epoch else []), 2, 4, 8}):
                for k in (0, speed - 1, 1):
                    take(speed, k)
        for first, second in self._pairs(held, offset):
            for s1 in self._times(first)[:12]:
                for s2 in self._times(second)[:12]:
                    blocks = [(self.start + place - offset) // held for place in (first, second)]
                    if blocks[0] == blocks[1]:
                        continue
                    speed = (s2 - s1) / (blocks[1] - blocks[0])
                    lead = 1 if offset else 0
                    take(speed, s1 - speed * (blocks[0] + (lead if speed == 1 and held > 1 else 0)))
        for ahead in self._step_shifts():
            if held == 1:
                take(1, ahead)
        if held == 1:
            for speed in self._step_speeds():
                take(speed, 0)
        return sorted(made, key=lambda clock: made[clock])

    def _pairs(self, held: int, offset: int) -> list[tuple[int, int]]:
        """Return pairs of places, far apart, at which the rate has just moved."""
        moving = self.changes
        if held == 1:
            # In the middle of a slope: neighbours on both sides differ.
            moving = moving[np.isin(moving + 1, moving) | (moving == self.n - 1)]
        if len(moving) < 2:
            return []
        at = moving[np.linspace(0, len(moving) - 1, 6).astype(int)]
        # Far apart for a precise speed; near the beginning where a fast clock has soon run out of the plan.
        near = [(int(moving[0]), int(moving[1])), (int(moving[0]), int(moving[min(3, len(moving) - 1)]))]
        return [*((int(at[i]), int(at[j])) for i, j in ((1, 4), (0, 2), (2, 3), (3, 4))), *near]

    def _times(self, place: int) -> list[float]:
        """Return the plan's times, to a fraction of an update, at which it has the rate of this place."""
        table, rate = self.plan.table(self.span), self.rates[place]
        times = np.flatnonzero(self.near(table, rate)).astype(float).tolist()
        if len(times) > 40:  # a plateau tells no time
            return []
        below = table[:-1] < rate
        for left in np.flatnonzero(below != (table[1:] < rate))[:16].tolist():
            low, high = float(left), float(left + 1)
            up = table[left + 1] > table[left]
            for _ in range(40):
                middle = (low + high) / 2
                if (self.plan(middle) < rate) == up:
                    low = middle
                else:
                    high = middle
            exact = (low + high) / 2
            if self.near(self.plan(exact), rate) and min((abs(exact - x) for x in times), default=1) > 1e-4:
                times.append(exact)
        return sorted(times)

    def _steps(self) -> tuple[list[int], list[int]] | None:
        """Return the updates at which applied and planned rates step, where both are the same row of steps."""
        table = self.plan.table(self.span)
        planned = np.flatnonzero(~self.near(table[1:], table[:-1])) + 1
        if not len(planned) or not len(self.changes) or len(planned) > self.span // 3:
            return None
        for first in range(len(planned)):  # a log may begin after some of the plan's steps
            row = planned[first : first + len(self.changes)]
            if len(row) < len(self.changes):
                return None
            same = self.near(table[row - 1], self.rates[self.changes - 1])
            if (same & self.near(table[row], self.rates[self.changes])).all():
                return (self.changes + self.start).tolist(), row.tolist()
        return None

    def _step_shifts(self) -> list[int]:
        steps = self._steps()
        return [steps[1][0] - steps[0][0]] if steps else []

    def _step_speeds(self) -> list[float]:
        """Return speeds that put every step of a stepped plan where the rates step: a range, nice values first."""
        steps = self._steps()
        if not steps or steps[0][0] < 1:
            return []
        # The clock speed * c has reached d at update c, and not at update c - 1.
        low = max(d / c for c, d in zip(*steps, strict=True))
        high = min((d / (c - 1) if c > 1 else math.inf) for c, d in zip(*steps, strict=True))
        if low >= high:
            return []
        whole = [float(v) for v in (*self.ways, self.epoch, math.ceil(low)) if v and low <= v < high]
        parts = (
            [1 / v for v in range(math.floor(1 / low), 0, -1)[:1] if low <= 1 / v < high] if low < 1 else []
        )
        return [*whole, *parts, low]

    def _frozen(self) -> None:
        """As planned, and then the last rate stays. A longer horizon may give the same; it has shown nothing."""
        first = int(self.bad[0])
        if (
            0 < first <= self.n - 3
            and not self.flat
            and self.near(self.rates[first:], self.rates[first - 1]).all()
        ):
            text = (
                f"as planned up to update {first - 1 + self.start:,}; from then on the rate stays at "
                f"{self.share(self.rates[-1])} of the peak"
            )
            self.add(5.9, "frozen", text, at=first + self.start)

    def _horizons(self) -> None:
        """The same shape made for another number of updates: stretched, or made again with its warm-up."""
        if self.flat or any(rank <= 4 for rank, _ in self.found):
            return
        for held, offset in self._blocks():
            for total, plan, speed in self._other_horizons(held, offset):
                clock = clocks.Clock(speed=speed, held=held, offset=offset)
                if not self.follows(clock, plan=plan):
                    continue
                if self.total is None:
                    self.say(clocks.Clock(speed=speed), rank=6)
                    return
                longer = total > self.total
                if float(speed).is_integer() and speed > 1 and not self._count_is_right():
                    break  # said already as a speed
                times = clocks.whole_ratio(total / self.total)
                counted = total / self.total in self.ways or self.total / total in self.ways
                why = "; processes or micro-batches were counted in" if counted else ""
                why += f"; it is set once every {updates_text(held)}" if held > 1 else ""
                text = (
                    f"the schedule is made for {updates_text(total)}, {'more' if longer else 'fewer'} than the "
                    f"{self.total:,} planned{times}{why}; the last rate is {self.share(self.rates[-1])} of the "
                    f"peak for {self.share(self.planned[-1])}"
                )
                kind = "horizon_long" if longer else "horizon_short"
                self.add(6, kind, text, total_steps=total, every=held)
                return

    def _other_horizons(self, held: int, offset: int) -> list[tuple[int, Plan | None, float]]:
        """Return (total, plan made again or None, speed) that a few places allow."""
        choices: list[tuple[int, Plan | None, float]] = []
        places = [int(p) for pair in self._pairs(held, offset) for p in pair]
        if self.total is None:
            speeds = [s / (self.start + p) for p in places[:4] for s in self._times(p) if self.start + p]
            speeds += self._step_speeds()
            return [(0, None, round(v) if math.isclose(v, round(v), rel_tol=1e-7) else v) for v in speeds]
        totals: dict[int, None] = {}
        about: dict[int, None] = {}
        multiples = {2, 3, 4, 5, 8, 16, *self.ways}
        for guess in (self.n, self.n + 1, self.n - 1, self.total + 1, self.total - 1):
            totals.setdefault(guess)
        for k in sorted(multiples):
            totals.setdefault(self.total * k)
            totals.setdefault(self.total // k)
        for place in places:
            at = self.start + place - (self.start + place - offset) % held
            for time in self._times(place):
                if time > 0 and at > 0:
                    guess = self.total * at / time
                    for near in (round(guess), math.floor(guess), math.ceil(guess)):
                        if abs(near - guess) <= 1e-3 * guess:
                            totals.setdefault(near)
                    # Whole lengths of warm-ups and cycles are rounded, which moves the horizon by a few.
                    wide = 2 + round(0.006 * guess) if self.total < 2000 else 8
                    for near in range(round(guess) - wide, round(guess) + wide + 1):
                        about.setdefault(near)
        for speed in self._step_speeds():
            totals.setdefault(round(self.total / speed))
        for total in totals:
            if 2 <= total != self.total:
                choices.append((total, None, self.total / total))
        for total in [*totals, *self._made_again(places, held, offset), *about]:
            if 2 <= total != self.total:
                choices += [(total, made, 1) for made in self.plan.made_for(total)]
        return choices

    def _made_again(self, places: list[int], held: int, offset: int) -> list[int]:
        """Return horizons at which the plan, made again, has the rates of a few places."""
        assert self.total is not None
        found: dict[int, None] = {}
        grid = np.unique(np.geomspace(2, 6 * max(self.total, self.n), 160).astype(int))
        for place in places[:3]:
            at = self.start + place - (self.start + place - offset) % held
            cache: dict[int, float] = {}

            def gap(total: int) -> float:
                if total not in cache:  # noqa: B023
                    made = next(iter(self.plan.made_for(total)), None)
                    cache[total] = math.nan if made is None else made(at) - self.rates[place]  # noqa: B023
                return cache[total]  # noqa: B023

            for low, high in zip(grid[:-1].tolist(), grid[1:].tolist(), strict=True):
                left, right = gap(low), gap(high)
                if math.isnan(left) or math.isnan(right) or left * right > 0:
                    continue
                while high - low > 1:
                    middle = (low + high) // 2
                    if gap(middle) * left > 0:
                        low = middle
                    else:
                        high = middle
                for total in (low, high):
                    found.setdefault(total)
        return list(found)

    def _extra_steps(self) -> None:
        """One step more (or fewer) than updates in every epoch."""
        if self.flat or any(rank <= 5 for rank, _ in self.found):
            return
        guesses, weak = [], []
        if self.epoch:
            for extra in (1, -1):
                for offset in (0, 1):
                    for ahead in (0, extra):
                        guesses.append(
                            clocks.Clock(extra=extra, every=self.epoch, offset=offset, ahead=ahead)
                        )
        segments = self._offsets(3)
        if len(segments) >= 2:
            (_, k0), (t1, k1) = segments[:2]
            every = segments[2][0] - t1 if len(segments) > 2 else t1
            if every >= 2 and (len(segments) < 3 or segments[2][1] - k1 == k1 - k0):
                guesses += clocks.regular(
                    self.t, np.array([t1, t1 + every]) if t1 + every < self.n else np.array([t1]), k1 - k0, k0
                )
        steps = self._steps()
        if steps:
            c, d = steps[0][-1], steps[1][-1]
            for extra in (1, -1):
                late = (d - c) * extra
                if late > 0:
                    for every in range(max(2, c // (late + 1)), min(c // late, self.n) + 1):
                        weak.append(clocks.Clock(extra=extra, every=every))  # a few steps allow many of these
        for rank, some in ((5.5, guesses), (6.9, weak)):
            for clock in some:
                if self.n + self.start > clock.every and self.tells(clock) and self.follows(clock):
                    self.say(clock, rank)
                    return
        self._irregular_skips()

    def _offsets(self, most: int) -> list[tuple[int, int]]:
        """Return (place, offset) of the stretches in which the plan's clock is a fixed number of updates off.

        At most `most` of them; the offset nearest to the last one is taken where several fit.
        """
        table, out, place, last = self.plan.table(2 * self.span), [], 0, 0
        while place < self.n and len(out) < most:
            choices = np.flatnonzero(self.near(table, self.rates[place])) - place - self.start
            if not len(choices):
                return out
            choices = choices[np.argsort(np.abs(choices - last), kind="stable")][:8]
            best, reach = 0, 0
            for k in choices.tolist():
                end = self._agrees_until(place, k, table)
                if end > reach:
                    best, reach = k, end
            if reach - place < 2 and reach < self.n:
                return out
            out.append((place, best))
            place, last = reach, best
        return out

    def _agrees_until(self, place: int, k: int, table: Array) -> int:
        """Return the first place from `place` on at which the rate is not the plan's of k updates later."""
        low = place + self.start + k
        if low < 0:
            return place
        piece = table[low : low + self.n - place]
        same = self.near(self.rates[place : place + len(piece)], piece)
        return place + (int(np.argmin(same)) if not same.all() else len(piece))

    def _irregular_skips(self) -> None:
        most = max(4, self.n // 20)
        segments = self._offsets(most + 1)
        if not 3 <= len(segments) <= most or len(np.unique(self.rates)) < self.n // 4:
            return
        ahead = [k for _, k in segments]
        ends = [place for place, _ in segments[1:]] + [self.n]
        reach = self._agrees_until(segments[-1][0], segments[-1][1], self.plan.table(2 * self.span))
        if (
            reach == self.n
            and all(0 < b - a <= 3 for a, b in zip(ahead, ahead[1:], strict=False))
            and ahead[0] >= 0
        ):
            at = ", ".join(f"{end + self.start:,}" for end in ends[:-1][:5])
            text = f"the clock steps ahead of the updates at {at}{' ...' if len(ends) > 6 else ''}: {ahead[-1]} ahead at the end"
            self.add(7, "skips", text, ahead=ahead[-1], times=len(ends) - 1)

    def _begins_again(self) -> None:
        """The plan begins again every epoch."""
        if self.flat or any(rank <= 5 for rank, _ in self.found):
            return
        again = (
            np.flatnonzero(
                self.near(self.rates[1:], self.rates[0]) & ~self.near(self.rates[:-1], self.rates[0])
            )
            + 1
        )
        guesses = ([self.epoch] if self.epoch else []) + again[:3].tolist()
        for every in guesses:
            clock = clocks.Clock(period=every)
            if 2 <= every <= self.n - every and self.tells(clock) and self.follows(clock):
                self.say(clock)
                return

    def _compounding(self) -> None:
        """Each factor multiplies the rate that is already decayed."""
        base = self.plan(self.start)
        if not base or self.flat:
            return
        for held in sorted({1, *(held for held, offset in self._blocks() if not offset)}):
            for unit in {held, 1}:
                count = -(-self.n // held)
                factors = self.plan.at(self.start + np.arange(count) * unit) / base
                factors[0] = 1.0
                curve = base * np.repeat(np.cumprod(factors), held)[: self.n]
                if self.near(self.rates, curve).all():
                    often = f", once every {updates_text(held)}" if held > 1 else ""
                    text = (
                        f"each factor multiplies the rate that is already decayed{often}; the last rate is "
                        f"{self.share(self.rates[-1])} of the peak for {self.share(self.planned[-1])}"
                    )
                    self.add(6.8, "compounding", text, every=held, unit=unit)
                    return

    def _layered(self) -> None:
        """A warm-up laid over a decay that runs from update 0 on."""
        forms = layered(self.plan.schedule)
        if forms is None:
            return
        steps, curves = forms
        for curve in curves:
            if self.fits(lambda t: self.plan.peak_lr * np.array([curve(x) for x in t.tolist()])):  # noqa: B023
                top = self.share(float(self.rates.max()))
                text = (
                    f"the decay runs from update 0 on, under the warm-up of {updates_text(steps)}: the highest "
                    f"rate is {top} of the peak"
                )
                self.add(6.2, "layered_warmup", text, warmup_steps=steps)
                return

    def _climbs_again(self) -> None:
        """As planned up to the plan's end, and then up."""
        end = (self.total or math.inf) - self.start
        if 0 < end < self.n and self.bad[0] >= end:
            tail = self.rates[max(0, int(end) - 1) :]
            if (np.diff(tail) > self.absolute).any():
                top = self.share(float(self.rates[int(end) :].max()))
                text = f"right until the plan's end at {self.total:,}, then the rate climbs again, to {top} of the peak"
                self.add(2, "climbs_again", text, at=self.total)

    def _stretches(self, most: int = 4) -> None:
        """Several stretches: as planned, off by a number of updates, constant, or made for another horizon."""
        parts: list[tuple[int, int, str, float]] = []
        place = 0
        while place < self.n:
            if len(parts) == most:
                return
            part = self._longest(place, first=not parts)
            if part is None:
                return
            end, what, number = part
            if end - place < 3 and end < self.n and not (parts and end > place):
                return
            parts.append((place, end, what, number))
            place = end
        if len(parts) < 2:
            return
        if all(what == "constant" for _, _, what, _ in parts):
            return
        if len(parts) == 2 and parts[0][2] != "horizon" and parts[1][2:] == ("plan", 0):
            return  # wrong at the beginning alone: see _one_stretch
        self.found.clear()
        said, kind = [], "jump"
        for number, (low, high, what, k) in enumerate(parts):
            span = f"updates {low + self.start:,} to {high - 1 + self.start:,}"
            if what == "plan" and k == 0:
                said.append(f"{span}: as planned")
            elif what == "plan":
                anew = low > 0 and low + self.start + k == 0
                kind = "restarted" if anew else kind
                far = f"the clock is {abs(int(k)):,} {'ahead' if k > 0 else 'behind'}"
                said.append(
                    f"from update {low + self.start:,}: {far}{' (it began again from 0)' if anew else ''}"
                )
            elif what == "horizon":
                kind = "horizon_changed"
                said.append(f"{span}: a schedule made for {updates_text(int(k))}")
            else:
                said.append(f"{span}: the rate stays at {self.share(k)} of the peak")
                kind = "frozen" if number == len(parts) - 1 else kind
        self.add(8, kind, "; ".join(said), parts=parts)

    def _longest(self, place: int, *, first: bool) -> tuple[int, str, float] | None:
        """Return (end, what, number) of the longest stretch from `place` on."""
        table = self.plan.table(self.span)
        as_planned = self._agrees_until(place, 0, table)
        moving = len(self.changes[(self.changes > place) & (self.changes < as_planned)]) > 0
        if as_planned - place >= 5 and moving:
            return as_planned, "plan", 0  # a longer accident is not looked for
        best: tuple[int, str, float] = (as_planned, "plan", 0)
        offsets = np.flatnonzero(self.near(table, self.rates[place])) - place - self.start
        # Where a plateau allows many offsets, its end decides: the place where rate and plan step alike.
        later = self.changes[self.changes > place][:2]
        ends = [
            np.flatnonzero(self.near(table[1:], self.rates[c]) & self.near(table[:-1], self.rates[c - 1]))
            + 1
            - c
            for c in later.tolist()
        ]
        wanted = np.unique(
            np.concatenate([offsets[:60], offsets[-4:], *[end[:60] - self.start for end in ends]])
        )
        anew = -place - self.start  # where several offsets fit equally, the plan's beginning is the likeliest
        for k in sorted(wanted.astype(int).tolist(), key=lambda k: (k != anew, abs(k))):
            end = self._agrees_until(place, k, table)
            if end > best[0]:
                best = (end, "plan", k)
        after = self.changes[self.changes > place]
        constant = int(after[0]) if len(after) else self.n
        if constant > best[0] or (constant == best[0] and best[2] != 0):
            best = (constant, "constant", float(self.rates[place]))
        if self.total and best[0] < self.n and place + 4 < self.n:
            for total in self._stretched_from(place):
                speed = self.total / total
                times = (self.t[place:]) * speed
                probe = self.near(self.rates[place : place + 5], self.plan.at(times[:5]))
                if not probe.all():
                    continue
                same = self.near(self.rates[place:], self.plan.at(times))
                end = place + (int(np.argmin(same)) if not same.all() else len(same))
                if end > best[0] and len(self.changes[(self.changes > place) & (self.changes < end)]) > 2:
                    best = (end, "horizon", total)
        return None if best[0] == place else best

    def _stretched_from(self, place: int) -> list[int]:
        assert self.total is not None
        totals: dict[int, None] = {}
        for probe in (place + 2, place + 4):
            for time in self._times(probe):
                if time > 0:
                    totals.setdefault(round(self.total * (self.start + probe) / time))
        return [total for total in totals if 2 <= total != self.total]

    def _one_stretch(self) -> None:
        """Right before and after, wrong in between (or wrong at the beginning only)."""
        first, last = int(self.bad[0]), int(self.bad[-1])
        whole = len(self.bad) == last - first + 1
        right_after = self.n - 1 - last
        if not whole or right_after < max(3, self.n // 4):
            return
        got = ", ".join(self.share(self.rates[p]) for p in self.bad[:3])
        want = ", ".join(self.share(self.planned[p]) for p in self.bad[:3])
        text = (
            f"only updates {first + self.start:,} to {last + self.start:,} differ: {got} ... of the peak for "
            f"{want} ..."
        )
        self.add(8, "stretch", text, first=first + self.start, last=last + self.start)

    def _unknown(self) -> None:
        worst = int(np.argmax(np.abs(self.rates - self.planned)))
        rises = np.flatnonzero((np.diff(self.rates) > self.absolute) & (np.diff(self.planned) <= 0)) + 1
        text = (
            f"no known fault gives these rates; most at update {worst + self.start:,}, "
            f"{self.share(self.rates[worst])} of the peak for {self.share(self.planned[worst])}"
        )
        if len(rises):
            text += f"; it rises where the plan does not, first at {int(rises[0]) + self.start:,}"
        self.add(9, "unknown", text, worst=worst + self.start)
