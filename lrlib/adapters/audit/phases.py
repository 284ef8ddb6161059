"""The plan's phases, a warm-up, a plateau and a decay, with lengths of their own in the loop."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lrlib.adapters.audit import instants
from lrlib.adapters.audit.comparison import Array, Comparison
from lrlib.adapters.audit.plan import nice, updates_text


class Phases(NamedTuple):
    """Where rates rise and where they fall, as (first place, last place); None where they do not."""

    up: tuple[int, int] | None
    down: tuple[int, int] | None


class Line(NamedTuple):
    """A phase's clock: speed * t + ahead."""

    speed: float
    ahead: float

    def reaches(self, time: float) -> float:
        """Return the update at which the clock shows `time`."""
        return (time - self.ahead) / self.speed


def phases(case: Comparison) -> None:
    """The same phases, and at least one of another length: each has a clock of its own."""
    if case.flat or any(rank <= 6.5 and len(readings) == 1 for rank, readings in case.found):
        return
    table = case.plan.table((case.total or case.span) + 1)
    planned, seen = _phases_of(table, case.peak), _phases_of(case.rates, case.peak)
    if planned is None or seen is None or planned.down is None:
        return
    warm, decay = planned.up or (0, 0), planned.down
    rise = _clock(case, seen.up, warm) if planned.up and seen.up else None
    fall = _clock(case, seen.down, decay) if seen.down else None
    if (planned.up and seen.up and rise is None) or (seen.down and fall is None):
        return
    extra = _straight(case, seen.up) if seen.up and not planned.up else None
    if seen.up and not planned.up and extra is None:
        return
    if seen.up is None and (case.start or seen.down is None):
        return
    # Two places make a line. A shorter warm-up is believed where it opens the log and the decay fits.
    falls = 0 if seen.down is None else seen.down[1] - seen.down[0]
    if (seen.down and falls < 3) or (seen.up and seen.up[1] - seen.up[0] < 3 and (seen.up[0] or falls < 5)):
        return
    if fall and not seen.up and not case.start and fall.reaches(decay[0]) < -0.5:  # it never was at the peak
        return
    skip = 0 if extra is None or seen.up is None else seen.up[1]

    def clock(t: Array) -> Array:
        time = np.full(len(t), float(warm[1])) if rise is None else rise.speed * t + rise.ahead
        time = np.minimum(time, warm[1])
        if fall is not None:
            later = fall.speed * t + fall.ahead
            time = np.where(later > decay[0], later, time)
        return time

    def predict(t: Array) -> Array:
        time = clock(t)
        return case.plan.at(np.maximum(time, 0)) + np.minimum(time, 0) * (table[1] - table[0])

    if case.fits(predict, skip=skip):
        _say(case, warm, decay, rise or extra, fall)


def _phases_of(rates: Array, peak: float) -> Phases | None:
    """Return the phases of rates that rise, stay and fall at most once each, in this order, else None."""
    steps = np.diff(rates)
    signs = np.where(np.abs(steps) > 1e-12 * peak, np.sign(steps), 0).astype(int)
    ends = [*(np.flatnonzero(np.diff(signs)) + 1).tolist(), len(signs)]
    runs = list(zip([0, *ends[:-1]], ends, strict=True))
    moving = [(int(signs[low]), (low, high)) for low, high in runs if low < high and signs[low]]
    if [sign for sign, _ in moving] not in ([1], [-1], [1, -1]):
        return None
    found = dict(moving)
    return Phases(found.get(1), found.get(-1))


def _clock(case: Comparison, seen: tuple[int, int], planned: tuple[int, int]) -> Line | None:
    """Return the clock of one phase, from two places well inside it, or None."""
    first, last = seen
    if last - first >= 4:  # its ends may belong to the phases beside it
        first, last = first + 1, last - 1
    if last <= first:
        return None
    times = [instants.within(case, place, planned) for place in (first, last)]
    if times[0] is None or times[1] is None or times[1] <= times[0]:
        return None
    speed = (times[1] - times[0]) / (last - first)
    return Line(speed, times[0] - speed * (first + case.start))


def _straight(case: Comparison, seen: tuple[int, int]) -> Line | None:
    """Return the clock of a straight warm-up that is not planned, counted in parts of its way, or None."""
    low, high = seen
    t = case.t[low : high + 1]
    slope = float((case.rates[high] - case.rates[low]) / (high - low))
    if low or not case.near(case.rates[: high + 1], case.rates[0] + slope * (t - t[0])).all():
        return None
    return Line(slope / case.peak, (case.rates[0] - slope * t[0] - case.peak) / case.peak)


def _say(
    case: Comparison, warm: tuple[int, int], decay: tuple[int, int], rise: Line | None, fall: Line | None
) -> None:
    """Keep the reading: what of the phases is another length, and what that makes of the whole."""
    took = rise.reaches(warm[1]) if rise else 0.0 if not case.start else float(warm[1])
    said = _of_the_warmup(case, warm[1], took, rise)
    numbers: dict[str, Any] = {"warmup_steps": round(took, 4), "planned_warmup_steps": warm[1]}
    if fall is None:
        said.append(f"the decay, planned from update {decay[0]:,} on, does not come")
        kind = "horizon_long" if took > warm[1] > 0 else "frozen"
        case.add(8.6, kind, "; ".join(said), head=True, **numbers)
        return
    kind = "warmup" if said else "cooldown"
    late, end = fall.reaches(decay[0]) - decay[0], fall.reaches(decay[1])
    if math.isclose(fall.speed, 1, abs_tol=1e-6):
        when = "late" if late > 0 else "early"
        moved = f"the decay comes {updates_of(abs(late))} {when}"
        said.append("the rest is as planned" if abs(late) < 1e-3 else moved)
    elif case.total is None:
        said.append(f"{'after it ' if said else ''}the clock runs at {nice(fall.speed)} of its speed")
        kind = kind if len(said) > 1 else "too_fast" if fall.speed > 1 else "too_slow"
        numbers["speed"] = fall.speed
    else:
        length = decay[1] - decay[0]
        begins = f"begins at update {nice(round(decay[0] + late, 3))}, not {decay[0]:,}, and "
        takes = f"takes {updates_of(length / fall.speed)}, not {length:,}"
        said.append(f"the decay {begins if abs(late) > 1e-3 else ''}{takes}")
        if abs(end - round(end)) > 0.02:  # no horizon is that of a fraction
            case.add(8.6, "too_fast" if fall.speed > 1 else "too_slow", "; ".join(said), speed=fall.speed)
            return
        if round(end) == case.total:
            said[-1] += ", so that it ends as planned"
        else:
            kind = "horizon_long" if end > case.total else "horizon_short"
            said.insert(0, f"the schedule is made for {updates_of(end)}, not {case.total:,}")
            numbers.update(total_steps=round(end), planned=case.total)
    case.add(6.6 if abs(took - round(took)) < 0.02 else 8.6, kind, "; ".join(said), **numbers)


def _of_the_warmup(case: Comparison, planned: int, took: float, rise: Line | None) -> list[str]:
    """Return what is to be said of the warm-up, as a list of one or none."""
    first = case.share(case.rates[0])
    if rise is None:
        return [f"there is no warm-up, where {updates_text(planned)} are planned"] if took != planned else []
    if not planned:
        return [f"there is a warm-up of {updates_of(took)}, from {first} of the peak, which is not planned"]
    what = [] if case.near(case.rates[0], case.planned[0]) else [f"begins at {first} of the peak"]
    if not math.isclose(took, planned, abs_tol=1e-3):
        what.append(f"takes {updates_of(took)}, not {planned:,}")
    return [f"the warm-up {' and '.join(what)}"] if what else []


def updates_of(length: float) -> str:
    """Return a length in updates, which may be a fraction, in words."""
    near = round(length, 3)
    return updates_text(round(near)) if near == round(near) else f"{near:.6g} updates"
