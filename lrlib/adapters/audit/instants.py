"""Where in the plan, or in the log, a rate stands: what the guesses of a clock start from."""

from __future__ import annotations

import math

import numpy as np

from lrlib.adapters.audit.comparison import Array, Comparison
from lrlib.adapters.audit.plan import Plan


def blocks(case: Comparison) -> list[tuple[int, int]]:
    """Return (held, offset) of what may be an epoch: 1, the caller's, and what the changes' distances say."""
    blocks = [(1, 0)]
    if case.epoch:
        blocks.append((case.epoch, 0))
    if len(case.changes):
        places = case.changes + case.start
        gaps = np.diff(places)
        every = int(np.gcd.reduce(gaps)) if len(gaps) else int(places[0])
        # Few changes lie on a common grid by chance, on a wide one hardly.
        if every > 1 and len(case.changes) >= 4:
            blocks += [(every, int(places[0] % every)), (every, 0)]
        common = int(np.gcd.reduce(places))
        if common > 1 and (len(case.changes) >= 4 or (len(case.changes) >= 2 and common >= 5)):
            blocks.append((common, 0))
    kept = []
    for held, offset in dict.fromkeys(blocks):
        constant = (case.changes + case.start - offset) % held == 0
        if constant.all() and held < case.start + case.n:
            kept.append((held, offset))
    return kept


def pairs(case: Comparison, held: int, offset: int) -> list[tuple[int, int]]:
    """Return pairs of places, far apart, at which the rate has just moved."""
    moving = case.changes
    if held == 1:
        # In the middle of a slope: neighbours on both sides differ.
        moving = moving[np.isin(moving + 1, moving) | (moving == case.n - 1)]
    if len(moving) < 2:
        return []
    at = moving[np.linspace(0, len(moving) - 1, 6).astype(int)]
    # Far apart for a precise speed; near the beginning where a fast clock has soon run out of the plan.
    near = [(int(moving[0]), int(moving[1])), (int(moving[0]), int(moving[min(3, len(moving) - 1)]))]
    return [*((int(at[i]), int(at[j])) for i, j in ((1, 4), (0, 2), (2, 3), (3, 4))), *near]


def times(case: Comparison, place: int) -> list[float]:
    """Return the plan's times, to a fraction of an update, at which it has the rate of this place."""
    table, rate = case.plan.table(case.span), case.rates[place]
    times = np.flatnonzero(case.near(table, rate)).astype(float).tolist()
    if len(times) > 40:  # a plateau tells no time
        return []
    below = table[:-1] < rate
    for left in np.flatnonzero(below != (table[1:] < rate))[:16].tolist():
        exact = _solve(case.plan, rate, float(left), table[left], table[left + 1])
        if case.near(case.plan(exact), rate) and min((abs(exact - x) for x in times), default=1) > 1e-4:
            times.append(exact)
    return sorted(times)


def within(case: Comparison, place: int, part: tuple[int, int]) -> float | None:
    """Return the time at which the plan has this place's rate, in a part of it that only rises or falls.

    Before the plan's beginning it goes on along its first step, as a straight warm-up from a lower rate does.
    """
    low, high = part
    table, rate = case.plan.table(case.span)[low : high + 1], float(case.rates[place])
    order = 1 if table[0] < table[-1] else -1
    left = int(np.searchsorted(order * table, order * rate)) - 1
    if left < 0:
        before = float((rate - table[0]) / (table[1] - table[0]))
        return low + before if low == 0 or case.near(table[0], rate) else None
    if left >= len(table) - 1:
        return float(high) if case.near(table[-1], rate) else None
    return _solve(case.plan, rate, float(low + left), table[left], table[left + 1])


def _solve(plan: Plan, rate: float, low: float, at_low: float, at_high: float) -> float:
    """Return the time in [low, low + 1] at which the plan has `rate`, which lies between the rates there."""
    high = low + 1
    for turn in range(60):
        # By turns along the chord, which is quick on a slope, and in the middle, which is sure at a step.
        middle = (low + high) / 2
        if turn % 3 < 2 and at_high != at_low:
            middle = low + (high - low) * (rate - at_low) / (at_high - at_low)
        value = plan(middle)
        if value == rate or high - low < 1e-12:
            return middle
        if (value < rate) == (at_low < at_high):
            if middle == low:
                return middle
            low, at_low = middle, value
        else:
            if middle == high:
                return middle
            high, at_high = middle, value
    return (low + high) / 2


def matching_steps(case: Comparison) -> tuple[list[int], list[int]] | None:
    """Return the updates at which applied and planned rates step, where both are the same row of steps."""
    table = case.plan.table(case.span)
    planned = np.flatnonzero(~case.near(table[1:], table[:-1])) + 1
    if not len(planned) or not len(case.changes) or len(planned) > case.span // 3:
        return None
    for first in range(len(planned)):  # a log may begin after some of the plan's steps
        row = planned[first : first + len(case.changes)]
        if len(row) < min(3, len(case.changes)):
            return None
        seen = case.changes[: len(row)]  # a fast clock makes more steps than the plan has in its time
        same = case.near(table[row - 1], case.rates[seen - 1])
        if (same & case.near(table[row], case.rates[seen])).all():
            return (seen + case.start).tolist(), row.tolist()
    return None


def step_shifts(case: Comparison) -> list[int]:
    steps = matching_steps(case)
    return [steps[1][0] - steps[0][0]] if steps else []


def step_speeds(case: Comparison) -> list[float]:
    """Return speeds that put each step of a stepped plan where the rates step, nice values first."""
    steps = matching_steps(case)
    if not steps or steps[0][0] < 1:
        return []
    # The clock speed * c has reached d at update c, and not at update c - 1.
    low = max(d / c for c, d in zip(*steps, strict=True))
    high = min((d / (c - 1) if c > 1 else math.inf) for c, d in zip(*steps, strict=True))
    if low >= high:
        return []
    whole = [float(v) for v in (*case.ways, case.epoch, math.ceil(low)) if v and low <= v < high]
    parts = [1 / v for v in range(math.floor(1 / low), 0, -1)[:1] if low <= 1 / v < high] if low < 1 else []
    return [*whole, *parts, low]


def offsets(case: Comparison, most: int) -> list[tuple[int, int]]:
    """Return (place, offset) of the stretches in which the plan's clock is a fixed number of updates off.

    At most `most` of them; the offset nearest to the last one is taken where several fit.
    """
    table, place, last = case.plan.table(2 * case.span), 0, 0
    out: list[tuple[int, int]] = []
    while place < case.n and len(out) < most:
        choices = np.flatnonzero(case.near(table, case.rates[place])) - place - case.start
        if not len(choices):
            return out
        choices = choices[np.argsort(np.abs(choices - last), kind="stable")][:8]
        best, reach = 0, 0
        for k in choices.tolist():
            end = agrees_until(case, place, k, table)
            if end > reach:
                best, reach = k, end
        if reach - place < 2 and reach < case.n:
            return out
        out.append((place, best))
        place, last = to_the_end(case, place, best, reach), best
    return out


def agrees_until(case: Comparison, place: int, k: int, table: Array) -> int:
    """Return the first place from `place` on at which the rate is not the plan's of k updates later."""
    low = place + case.start + k
    if low < 0:
        return place
    need = low + case.n - place
    if need > len(table):  # what is ahead of the log's end at its last updates
        table = case.plan.table(need)
    piece = table[low:need]
    same = case.near(case.rates[place : place + len(piece)], piece)
    same &= np.arange(low, low + len(piece)) <= case.plan.known_to
    end = place + (int(np.argmin(same)) if not same.all() else len(piece))
    return to_the_end(case, place, k, end) if 0 < k <= 3 else end


def to_the_end(case: Comparison, place: int, k: int, end: int) -> int:
    """Return `end`, or the log's end where the stretch from `place` ends as the plan is not known further."""
    runs_out = end + case.start + k == case.plan.known_to + 1 and end - place >= 5
    return case.n if runs_out else end
