"""Clocks that run ahead, behind, too fast, in blocks, with extra steps, or begin again."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from lrlib.adapters.audit import clocks, instants, wording
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.verdict import Reading


def scaled_clocks(case: Comparison) -> None:
    """Another peak rate, and a clock that runs otherwise than planned besides."""
    highest = float(case.planned.max())
    if case.found or case.flat or highest <= 0 or case.rates.max() <= 0:
        return
    # The highest rate tells the factor, nearly so where the plan's peak is not reached.
    seen = float(case.rates.max()) / highest
    likely = [case.plan.peak_lr, *case.ways, *(1 / way for way in case.ways)]
    likely += [float(f"{seen:.{digits}g}") for digits in (1, 2, 12)]
    for factor in dict.fromkeys(guess for guess in likely if abs(guess / seen - 1) < 0.05):
        other = case.divided(factor)
        if case.near(factor, 1.0) or not len(other.bad):
            continue
        linear_clocks(other)
        extra_steps(other)
        if other.found:
            first = Reading(
                "scaled", f"the plan times {factor:.6g}, and its clock is off besides", {"factor": factor}
            )
            case.found.append((7.5, [first, *min(other.found, key=lambda item: item[0])[1]]))
            return


def scheduler_count(case: Comparison) -> None:
    """A scheduler's own count settles the cause where the rates are the plan's at that count."""
    if case.counts is None:
        return
    clock = clocks.of_counts(case.counts, case.t)
    if clock is None or clock == clocks.Clock():
        return
    if case.near(case.rates, case.plan.at(case.counts)).all():
        wording.say(case, clock, rank=-1)


def linear_clocks(case: Comparison) -> None:
    """Clocks that are linear in the update, or in the epoch: shifts, speeds, per epoch, set once an epoch."""
    if case.flat and case.epoch is None:
        return
    # A run that began as planned, on a plan that moves, has not been ahead or behind from the start.
    begun = case.bad[0] > 0 and np.ptp(case.planned[: case.bad[0]]) > 0.01 * case.peak
    for held, offset in instants.blocks(case):
        for clock in guessed_clocks(case, held, offset):
            if clock == clocks.Clock():
                continue
            if begun and clock.speed >= 1 and held == 1:
                continue
            late = max(0, -clock.ahead - case.start) if not clock.per_block else 0
            late = -(-late // held) * held if clock.ahead < 0 else 0
            if clock.per_block and clock.ahead < 0:
                late = -clock.ahead * held
            if late > case.n // 2:
                continue
            if case.follows(clock, skip=late):
                if case.tells(clock, late):
                    wording.say(case, clock, skip=late)
                    past = np.flatnonzero(clock(case.t) > case.plan.known_to)
                    if len(past) and clock.speed > 1:
                        wording.climbs_again(case, int(past[0]))
            elif case.total and clock.speed > 1 and not clock.ahead and held == 1:
                too_fast_then_up(case, clock)
        if len(case.found) > 12:
            return


def too_fast_then_up(case: Comparison, clock: clocks.Clock) -> None:
    """Too fast up to the plan's end, and then its own way, as torch's cosine climbs again."""
    assert case.total is not None
    end = math.ceil(case.total / clock.speed) - case.start
    # A whole period more an update is no speed: the plan's own rates up to there. And a few updates that fit
    # prove nothing of many, unless the speed is one that is known of the loop.
    seen = int((case.bad < end).sum()) >= 2
    many = end >= 20 or 10 * end >= case.n or clock.speed == case.epoch or clock.speed in case.ways
    mirrored = 3 <= end < case.n and case.follows(replace(clock, mirror=case.total))
    if mirrored or (3 <= end < case.n and seen and many and case.follows(clock, stop=end)):
        wording.say(case, clock)
        wording.climbs_again(case, end, explained=mirrored)


def guessed_clocks(case: Comparison, held: int, offset: int) -> list[clocks.Clock]:
    """Return clocks that a few pairs of places allow, simplest first."""
    steps = {1, held} if held > 1 else {1}
    made: dict[clocks.Clock, float] = {}

    def take(speed: float, ahead: float) -> None:
        """Keep speed updates a block (or an update, where held is 1)."""
        if not math.isfinite(speed) or not math.isclose(ahead, round(ahead), abs_tol=1e-4):
            return
        k = round(ahead)
        whole = round(speed) if math.isclose(speed, round(speed), rel_tol=1e-6) else speed
        if whole <= 0 or abs(k) >= max(case.span, case.n):
            return
        if held > 1 and abs(k) > 2 and k not in (held, -held):
            return
        if held > 1 and whole == 1:
            clock = clocks.Clock(ahead=k, held=held, offset=offset, per_block=True)
        elif held > 1 and whole != held:
            return  # a stretched horizon that is set once an epoch: see _horizons
        elif held > 1:
            clock = clocks.Clock(ahead=k, held=held, offset=offset)
        elif isinstance(whole, float) and case.total:
            return  # another horizon: see _horizons
        else:
            clock = clocks.Clock(speed=whole, ahead=k)
        made.setdefault(clock, abs(k) + (0 if whole == 1 else 0.5))

    for step in steps:
        for k in (0, step, -step, 1, -1):
            take(step, k)
    if held == 1:
        for usual in sorted({*case.ways, *([case.epoch] if case.epoch else []), 2, 4, 8}):
            for k in (0, usual - 1, 1):
                take(usual, k)
    for first, second in instants.pairs(case, held, offset):
        for s1 in instants.times(case, first)[:12]:
            for s2 in instants.times(case, second)[:12]:
                blocks = [(case.start + place - offset) // held for place in (first, second)]
                if blocks[0] == blocks[1]:
                    continue
                speed = (s2 - s1) / (blocks[1] - blocks[0])
                lead = 1 if offset else 0
                take(speed, s1 - speed * (blocks[0] + (lead if speed == 1 and held > 1 else 0)))
    if held == 1 and len(case.changes) < 8:  # soon over, and between two plateaus
        for place in case.changes[:4].tolist():
            for time in instants.times(case, place)[:4]:
                take(time / (case.start + place), 0)
    for ahead in instants.step_shifts(case):
        if held == 1:
            take(1, ahead)
    if held == 1:
        for speed in instants.step_speeds(case):
            take(speed, 0)
    return sorted(made, key=lambda clock: made[clock])


def extra_steps(case: Comparison) -> None:
    """A step more (or fewer) than updates in every epoch, or several."""
    if case.flat or any(rank <= 5 for rank, _ in case.found):
        return
    told, guesses, weak = [], [], []
    if case.epoch:
        for extra in (1, -1):
            for offset in (0, 1):
                for ahead in (0, extra):
                    told.append(clocks.Clock(extra=extra, every=case.epoch, offset=offset, ahead=ahead))
    segments = instants.offsets(case, 3)
    if len(segments) > 2:
        (_, k0), (t1, k1), (t2, k2) = segments
        if k2 - k1 == k1 - k0:
            guesses += clocks.regular(case.t, np.array([t1, t2]), k1 - k0, k0)
    # The first epochs' steps may lie on a plateau, where they do not show. One that does tells their number.
    for (_, before), (place, k) in pairwise(segments):
        at, many = place + case.start, abs(k)
        if k and abs(k - before) == 1 and at % many == 0 and 1 < at // many <= int(case.t[-1]) // 2 - 1:
            guesses.append(clocks.Clock(extra=k // many, every=at // many))
    steps = instants.matching_steps(case)
    if steps:
        last, planned = steps[0][-1], steps[1][-1]
        late = abs(planned - last)
        if late:
            # A few steps allow many of these.
            every_one = range(max(2, last // (late + 1)), min(last // late, case.n) + 1)
            weak += [clocks.Clock(extra=1 if planned > last else -1, every=every) for every in every_one]
    # A staircase shows its clock at its steps alone, where other readings are simpler.
    for rank, some in ((5.5, told), (6.9 if case.stepped else 5.5, guesses), (8.6, weak)):
        for clock in some:
            if case.n + case.start > clock.every and case.tells(clock) and case.follows(clock):
                wording.say(case, clock, rank)
                return
    irregular_skips(case)


def irregular_skips(case: Comparison) -> None:
    """The clock goes ahead at single updates, at no regular distance."""
    most = max(4, case.n // 20)
    segments = instants.offsets(case, most + 1)
    if not 3 <= len(segments) <= most or len(np.unique(case.rates)) < case.n // 4:
        return
    ahead = [k for _, k in segments]
    ends = [place for place, _ in segments[1:]] + [case.n]
    reach = instants.agrees_until(case, segments[-1][0], segments[-1][1], case.plan.table(2 * case.span))
    if reach == case.n and ahead[0] >= 0 and all(0 < b - a <= 3 for a, b in pairwise(ahead)):
        at = ", ".join(f"{end + case.start:,}" for end in ends[:-1][:5]) + (" ..." if len(ends) > 6 else "")
        text = f"the clock steps ahead of the updates at {at}: {ahead[-1]} ahead at the end"
        case.add(7, "skips", text, ahead=ahead[-1], times=len(ends) - 1)


def begins_again(case: Comparison) -> None:
    """The plan begins again every epoch."""
    if case.flat or any(rank <= 5 for rank, _ in case.found):
        return
    again = (
        np.flatnonzero(case.near(case.rates[1:], case.rates[0]) & ~case.near(case.rates[:-1], case.rates[0]))
        + 1
    )
    guesses = ([case.epoch] if case.epoch else []) + again[:3].tolist()
    for every in guesses:
        clock = clocks.Clock(period=every)
        if 2 <= every <= case.n - every and case.tells(clock) and case.follows(clock):
            wording.say(case, clock)
            return
