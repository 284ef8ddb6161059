"""The same shape made for another number of updates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lrlib.adapters.audit import clocks, instants, wording
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import Plan, nice, updates_text


def horizons(case: Comparison) -> None:
    """The same shape made for another number of updates: stretched, or made again with its warm-up."""
    if case.flat or any(rank <= 4 or readings[0].kind == "warmup" for rank, readings in case.found):
        return
    moved_steps(case)
    for held, offset in instants.blocks(case):
        if case.stepped and held not in (1, case.epoch):  # a staircase has blocks of its own
            continue
        for total, plan, speed in other_horizons(case, held, offset):
            clock = clocks.Clock(speed=speed, held=held, offset=offset)
            mirror = replace(clock, mirror=total if plan else case.total or 0)
            mirrored = total < case.n and case.total is not None and case.follows(mirror, plan=plan)
            if not mirrored and not case.follows(clock, plan=plan):
                continue
            if case.total is None:
                wording.say(case, clocks.Clock(speed=speed), rank=6)
                return
            longer = total > case.total
            if held == 1 and float(speed).is_integer() and speed > 1 and not wording.count_is_right(case):
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
            case.add(6, kind, text, total_steps=total, planned=case.total, every=held)
            if mirrored:
                wording.climbs_again(case, case.n - int((case.t >= total).sum()))
            return


def moved_steps(case: Comparison) -> None:
    """A staircase whose steps all come so many times as late: lengths that are fractions of a run are cut."""
    steps = instants.matching_steps(case) if case.stepped else None
    if steps is None or len(steps[0]) != len(case.changes) or len(steps[0]) < 2:
        return
    seen, planned = np.array(steps[0]), np.array(steps[1])
    each, every = np.unique(np.diff(planned, prepend=0)), np.unique(np.diff(seen, prepend=0))
    if len(each) == len(every) == 1 and each[0] != every[0] and len(seen) >= 4:
        text = f"the rate moves once every {updates_text(int(every[0]))}, and the plan once every {each[0]:,}"
        kind = "too_fast" if every[0] < each[0] else "too_slow"
        case.add(5.4, kind, text, speed=float(each[0] / every[0]), every=int(every[0]))
        return
    if planned[0] < 2 or case.total is None:
        return
    low, high = ((seen - 1) / (planned + 1)).max(), ((seen + 1) / (planned - 1)).min()
    rest = case.plan.table(case.span)[planned[-1] :]
    more = np.flatnonzero(~case.near(rest, rest[0]))  # the next step must not have been due
    due = (planned[-1] + more[0] + 1) * high < case.start + case.n if len(more) else False
    if low >= high or (low <= 1.04 and high >= 0.96) or due:  # less is a jump of the later steps, too
        return
    total = round(float(seen.sum() / planned.sum()) * case.total)
    kind = "horizon_long" if total > case.total else "horizon_short"
    text = (
        f"each of the plan's steps comes {nice(total / case.total)} times as late, as if it were made for "
        f"{updates_text(total)} and not {case.total:,}"
    )
    case.add(6.6, kind, text, total_steps=total, planned=case.total, every=1)


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
                if exact > 6 * max(case.total, case.n):  # so rounding does not change what is seen of it
                    continue
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
