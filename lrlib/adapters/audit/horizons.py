"""The same shape made for another number of updates."""

from __future__ import annotations

import math

import numpy as np

from lrlib.adapters.audit import clocks, instants, wording
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import Plan, updates_text


def horizons(case: Comparison) -> None:
    """The same shape made for another number of updates: stretched, or made again with its warm-up."""
    if case.flat or any(rank <= 4 for rank, _ in case.found):
        return
    for held, offset in instants.blocks(case):
        for total, plan, speed in other_horizons(case, held, offset):
            clock = clocks.Clock(speed=speed, held=held, offset=offset)
            if not case.follows(clock, plan=plan):
                continue
            if case.total is None:
                wording.say(case, clocks.Clock(speed=speed), rank=6)
                return
            longer = total > case.total
            if float(speed).is_integer() and speed > 1 and not wording.count_is_right(case):
                break  # said already as a speed
            times = clocks.whole_ratio(total / case.total)
            counted = total / case.total in case.ways or case.total / total in case.ways
            why = "; processes or micro-batches were counted in" if counted else ""
            why += f"; it is set once every {updates_text(held)}" if held > 1 else ""
            text = (
                f"the schedule is made for {updates_text(total)}, {'more' if longer else 'fewer'} than the "
                f"{case.total:,} planned{times}{why}; the last rate is {case.share(case.rates[-1])} of the "
                f"peak for {case.share(case.planned[-1])}"
            )
            kind = "horizon_long" if longer else "horizon_short"
            case.add(6, kind, text, total_steps=total, every=held)
            return


def other_horizons(case: Comparison, held: int, offset: int) -> list[tuple[int, Plan | None, float]]:
    """Return (total, plan made again or None, speed) that a few places allow."""
    choices: list[tuple[int, Plan | None, float]] = []
    places = [int(p) for pair in instants.pairs(case, held, offset) for p in pair]
    if case.total is None:
        speeds = [s / (case.start + p) for p in places[:4] for s in instants.times(case, p) if case.start + p]
        speeds += instants.step_speeds(case)
        return [(0, None, round(v) if math.isclose(v, round(v), rel_tol=1e-7) else v) for v in speeds]
    totals: dict[int, None] = {}
    about: dict[int, None] = {}
    multiples = {2, 3, 4, 5, 8, 16, *case.ways}
    for guess in (case.n, case.n + 1, case.n - 1, case.total + 1, case.total - 1):
        totals.setdefault(guess)
    for k in sorted(multiples):
        totals.setdefault(case.total * k)
        totals.setdefault(case.total // k)
    for place in places:
        at = case.start + place - (case.start + place - offset) % held
        for time in instants.times(case, place):
            if time > 0 and at > 0:
                exact = case.total * at / time
                for near in (round(exact), math.floor(exact), math.ceil(exact)):
                    if abs(near - exact) <= 1e-3 * exact:
                        totals.setdefault(near)
                # Whole lengths of warm-ups and cycles are rounded, which moves the horizon by a few.
                wide = 2 + round(0.006 * exact) if case.total < 2000 else 8
                for near in range(round(exact) - wide, round(exact) + wide + 1):
                    about.setdefault(near)
    for speed in instants.step_speeds(case):
        totals.setdefault(round(case.total / speed))
    for total in totals:
        if 2 <= total != case.total:
            choices.append((total, None, case.total / total))
    for total in [*totals, *made_again(case, places, held, offset), *about]:
        if 2 <= total != case.total:
            choices += [(total, made, 1) for made in case.plan.made_for(total)]
    return choices


def made_again(case: Comparison, places: list[int], held: int, offset: int) -> list[int]:
    """Return horizons at which the plan, made again, has the rates of a few places."""
    assert case.total is not None
    found: dict[int, None] = {}
    grid = np.unique(np.geomspace(2, 6 * max(case.total, case.n), 160).astype(int))
    for place in places[:3]:
        at = case.start + place - (case.start + place - offset) % held
        cache: dict[int, float] = {}

        def gap(total: int) -> float:
            if total not in cache:  # noqa: B023
                made = next(iter(case.plan.made_for(total)), None)
                cache[total] = math.nan if made is None else made(at) - case.rates[place]  # noqa: B023
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
