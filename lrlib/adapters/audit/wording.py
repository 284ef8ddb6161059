"""A clock that fits, said in the words of its kind."""

from __future__ import annotations

import math

import numpy as np

from lrlib.adapters.audit import clocks
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import nice, updates_text
from lrlib.adapters.audit.verdict import Reading


def say(case: Comparison, clock: clocks.Clock, rank: float | None = None, *, skip: int = 0) -> None:
    """Keep the reading of a clock that was found to fit, in the words of its kind."""
    k, held, speed = clock.ahead, clock.held, clock.speed
    end = case.start + case.n
    if clock.period:
        text = f"the plan begins again every {updates_text(clock.period)}"
        case.add(6 if rank is None else rank, "restarted", text, every=clock.period, at=clock.period)
    elif clock.extra:
        kind = "extra_step" if clock.extra > 0 else "missing_step"
        many = abs(clock.extra)
        what = f"{many} step{'s' * (many > 1)} {'more' if clock.extra > 0 else 'fewer'}"
        reached = int(clock(np.array([end]))[0])
        text = (
            f"the clock makes {what} than updates in every {clock.every:,}; after {end:,} updates it "
            f"stands at {reached:,}"
        )
        case.add(5.5 if rank is None else rank, kind, text, every=clock.every, extra=clock.extra, k=k)
    elif clock.per_block:
        reached = int(clock(np.array([end - 1]))[0])
        of = f" of {case.total:,}" if case.total else ""
        text = (
            f"the scheduler moves once every {updates_text(held)} but its numbers count updates: after "
            f"{updates_text(end)} it stands at {reached:,}{of}"
        )
        case.add(4 if rank is None else rank, "stepped_per_epoch", text, every=held, k=k)
    elif speed == 0:
        case.add(0, "never_changes", f"the scheduler's count stays at {k}", k=k)
    elif held > 1:
        late = {-held: ", and comes one epoch late", held: ", and comes one epoch early", 0: ""}
        text = f"the rate is set once every {updates_text(held)}{late.get(k, f', {k:+d} updates off')}"
        # Of a staircase, or a few changes, many clocks in blocks give the same rates.
        few = len(case.changes) < 4 and held != case.epoch
        odd = case.stepped and (clock.offset != 0 or k > 0 or (k != 0 and held != case.epoch))
        fine = not case.flat and 3 * held <= case.start + int(case.changes[0])
        usual = 6.7 if odd or (few and not fine) else 5.8 if few else 3
        case.add(usual if rank is None else rank, "held", text, every=held, k=k)
    elif speed > 1:
        why = ""
        if speed in case.ways:
            why = f": {case.ways[int(speed)]}"
        elif speed == case.epoch:
            why = ": an epoch's worth, so its numbers count epochs and it is stepped at every update"
        made = (
            f", as if the schedule were made for {updates_text(math.ceil(case.total / speed))}"
            if case.total
            else ""
        )
        text = f"the clock runs {nice(speed)} times too fast{made}{why}"
        if count_is_right(case) and case.total:  # the scheduler counts well: it was made for fewer
            made = updates_text(math.ceil(case.total / speed))
            part = clocks.whole_ratio(1 / speed)
            text = f"the schedule is made for {made}, fewer than the {case.total:,} planned{part}"
            case.add(6, "horizon_short", text, total_steps=case.total / speed, planned=case.total, every=1)
            return
        usual = 5 if float(speed).is_integer() else 6.6
        epochs = {"epochs": True} if speed == case.epoch else {}
        case.add(usual if rank is None else rank, "too_fast", text, speed=speed, k=k, **epochs)
    elif speed < 1:
        text = f"the clock runs at {nice(speed)} of its speed{clocks.whole_ratio(speed)}"
        case.add(6 if rank is None else rank, "too_slow", text, speed=speed, k=k)
    elif k > 0:
        why = ""
        if k == case.skipped:
            why = f"; {updates_text(k)} {'was' if k == 1 else 'were'} skipped, and the scheduler went on"
        text = f"update t gets the plan's rate of t + {k}: the clock is {k:,} ahead{why}"
        # An exponential decay that is one ahead is also the plan times a factor: the small shift is likelier.
        usual = 0.5 if k <= 3 else 2
        case.add(usual if rank is None else rank, "shift_ahead", text, k=k, **_hints(case, k))
    elif k < 0:
        before = ", ".join(case.share(rate) for rate in case.rates[: min(skip, 3)])
        said = f"; before that {before} of the peak" if before else ""
        text = f"update t gets the plan's rate of t - {-k}: the clock is {-k:,} behind{said}"
        usual = 0.5 if k >= -3 else 2
        case.add(usual if rank is None else rank, "shift_behind", text, k=k, **_hints(case, k))


def _hints(case: Comparison, k: int) -> dict[str, bool]:
    """Return what a shift of k updates amounts to, where it is known of the loop or the plan."""
    hints = {
        "skipped": k == case.skipped,
        "warmup": k > 1 and k == case.warmed_up(),
        "epochs": case.epoch is not None and k % case.epoch == 0,
    }
    return {name: True for name, true in hints.items() if true}


def climbs_again(case: Comparison, end: int, *, explained: bool = True) -> None:
    """Add to the last reading that the rate climbs again from place `end` on, where it does.

    Whether the reading says how, is in its numbers.
    """
    if (np.diff(case.rates[max(0, end - 1) :]) > case.absolute).any():
        top = case.share(float(case.rates[end:].max()))
        text = f"after that the rate climbs again, to {top} of the peak"
        numbers = {"at": end + case.start, "explained": explained}
        case.found[-1][1].append(Reading("climbs_again", text, numbers))


def count_is_right(case: Comparison) -> bool:
    return case.counts is not None and np.array_equal(case.counts, case.t)
