"""Several stretches, each with a clock of its own, and what is wrong only for a while."""

from __future__ import annotations

import math

import numpy as np

from lrlib.adapters.audit import clocks, instants
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import updates_text


def climbs_again(case: Comparison) -> None:
    """As planned up to the plan's end, and then up."""
    end = (case.total or math.inf) - case.start
    if 0 < end < case.n and case.bad[0] >= end:
        tail = case.rates[max(0, int(end) - 1) :]
        if (np.diff(tail) > case.absolute).any():
            top = case.share(float(case.rates[int(end) :].max()))
            text = f"right until the plan ends at {case.total:,}; then it climbs again, to {top} of the peak"
            case.add(2, "climbs_again", text, at=case.total)


def stretches(case: Comparison, most: int = 4) -> None:
    """Several stretches: as planned, times a factor, off by some updates, constant, or of another horizon."""
    parts: list[tuple[int, int, str, float]] = []
    place = 0
    while place < case.n:
        # A rate that is lowered again and again takes one reading all the same.
        lowered = all(what == "times" or (what, k) == ("plan", 0) for _, _, what, k in parts)
        if len(parts) >= (3 * most if lowered else most):
            return
        part = longest(case, place, first=not parts)
        if parts and (part is None or part[0] - place < 3):
            # What begins again at the rate of the moment has its first update in common with the plan.
            before = longest(case, place - 1, first=False)
            if before is not None and before[1] == "again" and place - 1 > parts[-1][0]:
                place, part = place - 1, before
                parts[-1] = (parts[-1][0], place, *parts[-1][2:])
        if part is None:
            return
        end, what, number = part
        short = end - place < 3 and end < case.n
        if short and (end == place or not (parts or (what, number) == ("plan", 0))):
            return
        parts.append((place, end, what, number))
        place = end
    if len(parts) < 2:
        return
    if all(what == "constant" for _, _, what, _ in parts):
        return
    if len(parts) == 2 and parts[0][2] != "horizon" and parts[1][2:] == ("plan", 0):
        return  # wrong at the beginning alone: see one_stretch
    as_planned = ("plan", 0)
    if len(parts) == 3 and parts[0][2:] == parts[2][2:] == as_planned and not _ends_early(case):
        return  # wrong for a while in the middle: see one_stretch
    case.found.clear()
    said, kind, hints = [], "jump", {}
    for number, (low, high, what, k) in enumerate(parts):
        span = f"updates {low + case.start:,} to {high - 1 + case.start:,}"
        if what == "plan" and k == 0:
            said.append(f"{span}: as planned")
        elif what == "times":
            said.append(f"from update {low + case.start:,}: the plan times {k:.4g}")
            kind = "scaled" if kind in ("jump", "scaled") else kind
        elif what == "again":
            said.append(f"from update {low + case.start:,}: the plan begins again from 0, times {k:.4g}")
            kind = "restarted"
        elif what == "plan":
            anew = low > 0 and low + case.start + k == 0
            kind = "restarted" if anew else kind
            if number == 1 and parts[0][2:] == as_planned and low + case.start + k == case.warmed_up() > 0:
                hints["warmup"] = True
            far = f"the clock is {abs(int(k)):,} {'ahead' if k > 0 else 'behind'}"
            said.append(
                f"from update {low + case.start:,}: {far}{' (it began again from 0)' if anew else ''}"
            )
        elif what == "horizon":
            kind = "horizon_changed"
            said.append(f"{span}: a schedule made for {updates_text(int(k))}")
        else:
            said.append(f"{span}: the rate stays at {case.share(k)} of the peak")
            kind = "frozen" if number == len(parts) - 1 else kind
            if low and k < 0.9 * case.rates[low - 1] and case.near(*case.planned[low - 1 : low + 1]):
                hints["lowered"] = True
    case.add(8, kind, "; ".join(said), parts=parts, **hints)


def longest(case: Comparison, place: int, *, first: bool) -> tuple[int, str, float] | None:
    """Return (end, what, number) of the longest stretch from `place` on."""
    table = case.plan.table(case.span)
    as_planned = instants.agrees_until(case, place, 0, table)
    moving = len(case.changes[(case.changes > place) & (case.changes < as_planned)]) > 0
    if as_planned - place >= 5 and moving:
        return as_planned, "plan", 0  # a longer accident is not looked for
    best: tuple[int, str, float] = (as_planned, "plan", 0)
    offsets = np.flatnonzero(case.near(table, case.rates[place])) - place - case.start
    # Where a plateau allows many offsets, its end decides: the place where rate and plan step alike.
    later = case.changes[case.changes > place][:2]
    ends = [
        np.flatnonzero(case.near(table[1:], case.rates[c]) & case.near(table[:-1], case.rates[c - 1])) + 1 - c
        for c in later.tolist()
    ]
    wanted = np.unique(np.concatenate([offsets[:60], offsets[-4:], *[end[:60] - case.start for end in ends]]))
    anew = -place - case.start  # where several offsets fit equally, the plan's beginning is the likeliest
    for k in sorted(wanted.astype(int).tolist(), key=lambda k: (k != anew, abs(k))):
        end = instants.agrees_until(case, place, k, table)
        if end > best[0]:
            best = (end, "plan", k)
    best = (instants.to_the_end(case, place, int(best[2]), best[0]), *best[1:])
    best = max(best, *_times_a_factor(case, place), key=lambda part: part[0])
    after = case.changes[case.changes > place]
    constant = int(after[0]) if len(after) else case.n
    if constant > best[0] or (constant == best[0] and best[2] != 0):
        best = (constant, "constant", float(case.rates[place]))
    if case.total and best[0] < case.n and place + 4 < case.n:
        for total in stretched_from(case, place):
            speed = case.total / total
            times = clocks.times(case.t[place:], speed)
            probe = case.near(case.rates[place : place + 5], case.plan.at(times[:5]))
            if not probe.all():
                continue
            same = case.near(case.rates[place:], case.plan.at(times))
            end = place + (int(np.argmin(same)) if not same.all() else len(same))
            if end > best[0] and len(case.changes[(case.changes > place) & (case.changes < end)]) > 2:
                best = (end, "horizon", total)
    return None if best[0] == place else best


def _times_a_factor(case: Comparison, place: int) -> list[tuple[int, str, float]]:
    """Return how long the rates are the plan's times a factor: the plan as it goes on, and begun again."""
    found = [(place, "times", 1.0)]
    for what, planned in (("times", case.planned[place:]), ("again", case.plan.table(case.n - place))):
        if planned[0] <= 1e-3 * case.peak:
            continue
        factor = float(case.rates[place] / planned[0])
        same = case.near(case.rates[place:], factor * planned)
        end = place + (int(np.argmin(same)) if not same.all() else len(same))
        # Of a plateau, or a few updates, every factor can be said.
        if factor > 1e-6 and end - place >= 5 and len(np.unique(planned[: end - place])) > 2:
            found.append((end, what, factor))
    return found


def stretched_from(case: Comparison, place: int) -> list[int]:
    assert case.total is not None
    totals: dict[int, None] = {}
    for probe in (place + 2, place + 4):
        for time in instants.times(case, probe):
            if time > 0:
                totals.setdefault(round(case.total * (case.start + probe) / time))
    return [total for total in totals if 2 <= total != case.total]


def _ends_early(case: Comparison) -> bool:
    """Return whether too few updates are right after the last wrong one to call that an episode."""
    return case.n - 1 - int(case.bad[-1]) < max(3, min(case.n // 4, 3 * len(case.bad)))


def one_stretch(case: Comparison) -> None:
    """Right before and after, wrong in between (or wrong at the beginning only)."""
    first, last = int(case.bad[0]), int(case.bad[-1])
    whole = len(case.bad) == last - first + 1
    if not whole or _ends_early(case):
        return
    got = ", ".join(case.share(case.rates[p]) for p in case.bad[:3])
    want = ", ".join(case.share(case.planned[p]) for p in case.bad[:3])
    text = (
        f"only updates {first + case.start:,} to {last + case.start:,} differ: {got} ... of the peak for "
        f"{want} ..."
    )
    if first == last:
        text = f"only update {first + case.start:,} differs: {got} of the peak for {want}"
    case.add(8, "stretch", text, first=first + case.start, last=last + case.start)
