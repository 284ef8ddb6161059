"""Compare applied rates with a plan, and say how the clock runs that would give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized

import numpy as np

from lrlib._checks import check_float, check_int, check_numbers
from lrlib.adapters.audit import forms, horizons, phases, running, stretches
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import Plan, updates_text
from lrlib.adapters.audit.verdict import Reading, Verdict
from lrlib.schedules import Schedule

#: Where a plan's rates are looked for, all of them are computed: of ten million in some 10 s.
LONGEST = 10_000_000

#: Readings whose numbers are whole. Others may come near to what single precision adds up to.
EXACT = {"shift_ahead", "shift_behind", "held", "stepped_per_epoch", "extra_step", "missing_step", "skips"}
EXACT |= {"horizon_short", "horizon_long", "restarted", "jump", "compounding"}


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
    """Compare a list of applied rates with a plan, and name what the difference looks like.

    Parameters
    ----------
    rates : sequence of floats
        Rate of each applied update, in order.
    schedule : Schedule, callable or sequence of floats
        The plan as factors: a schedule of lrlib's, a function of the update, or one factor an update. A
        function must know the updates of `rates`; past them, and between whole ones, it may fail.
    peak_lr : float
        Finite and > 0; planned rate = peak_lr * factor.
    start : int
        Updates that were done before the first of `rates`, >= 0.
    steps_per_epoch, processes, accumulate : int, optional
        What is known of the loop: updates an epoch, processes that train together, micro-batches an update.
        Each >= 1. They help to find and to word a cause: a clock that runs `processes`, `accumulate` or their
        product times too fast is said to do so, and a horizon that many times too long likewise.
    skipped : int
        Updates that were skipped (by a GradScaler, say) and are not in `rates`.
    clock : sequence of ints, optional
        The scheduler's own count at each update (torch's `last_epoch`).
    total_steps : int, optional
        The plan's horizon where `schedule` does not know it.
    tolerance : float, optional
        Largest difference that counts as none, in units of the rate. By default 1e-6 of the rate and 1e-7 of
        the peak; 1e-5 and 2e-6 where all rates are float32 numbers, and there what rounding adds up to over
        a long run is no difference either, where no reading explains it.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is no rate, one is not finite, or a function gives no factor for an update of the log.

    Examples
    --------
    >>> from lrlib import LinearDecay, audit
    >>> plan = LinearDecay(total_steps=8)
    >>> verdict = audit.compare([0.1, 0.075, 0.05, 0.025, 0, 0, 0, 0], plan, peak_lr=0.1, processes=2)
    >>> verdict.kind, verdict.first, verdict.differ
    ('too_fast', 1, 7)
    >>> print(verdict.readings[0].text)
    the clock runs 2 times too fast, as if the schedule were made for 4 updates: 2 processes
    """
    if isinstance(rates, Sized) and not len(rates):
        raise ValueError("there is no applied rate to compare; was the optimizer stepped inside the block?")
    applied = np.array(check_numbers("rates", rates, finite=False))
    if not np.isfinite(applied).all():
        place = int(np.argmin(np.isfinite(applied)))
        raise ValueError(f"rates must be finite, got {applied[place]} at update {place + start}")
    if hasattr(peak_lr, "item") and getattr(peak_lr, "ndim", None) == 0:  # a scalar of numpy or torch
        peak_lr = peak_lr.item()
    peak_lr = check_float("peak_lr", peak_lr, allowed="> 0 and finite", ok=lambda x: x > 0)
    start = check_int("start", start, least=0)
    counts = None if clock is None else np.array([int(count) for count in check_numbers("clock", clock)])
    if counts is not None and len(counts) != len(applied):
        raise ValueError(f"clock must have one count a rate ({len(applied)}), got {len(counts)}")
    plan = Plan(schedule, peak_lr, total_steps)
    processes = check_int("processes", processes, least=1)
    accumulate = check_int("accumulate", accumulate, least=1)
    skipped = check_int("skipped", skipped, least=0)
    epoch = None if steps_per_epoch is None else check_int("steps_per_epoch", steps_per_epoch, least=1)
    # Rates of any size: what is beyond every number fits nothing, and is nobody's concern.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        case = Comparison(
            applied,
            plan,
            start=start,
            epoch=epoch,
            ways=_ways(processes, accumulate),
            skipped=skipped,
            counts=counts,
            tolerance=tolerance,
        )
        return verdict(case)


def _ways(processes: int, accumulate: int) -> dict[int, str]:
    """Return what may be counted in one time too many, as number -> words."""
    ways = {processes * accumulate: f"{processes} processes times {accumulate} micro-batches"}
    ways |= {accumulate: f"{accumulate} micro-batches an update", processes: f"{processes} processes"}
    return {number: words for number, words in ways.items() if number > 1}


def verdict(case: Comparison) -> Verdict:
    """Try all readings and return what they say."""
    case.bad = np.flatnonzero(~case.near(case.rates, case.planned))
    notes = noted(case, agrees=not len(case.bad))
    if not len(case.bad):
        return Verdict(True, case.rates, case.planned, case.start, notes=tuple(notes))
    running.scheduler_count(case)
    forms.never_changes(case)
    forms.affine(case)
    if case.span > LONGEST:
        if not case.found:
            unknown(case, f"a plan of more than {LONGEST:,} updates is not searched for a cause")
        return made(case, notes)
    running.linear_clocks(case)
    forms.frozen(case)
    phases.phases(case)
    horizons.horizons(case)
    running.extra_steps(case)
    running.begins_again(case)
    forms.compounding(case)
    forms.layered(case)
    forms.ramped(case)
    stretches.climbs_again(case)
    running.scaled_clocks(case)
    # Nothing yet, or what holds only up to an end.
    if all(readings[-1].numbers.get("explained") is False for _, readings in case.found):
        stretches.stretches(case)
    if not case.found:
        stretches.one_stretch(case)
    if not case.found:
        forms.ends_frozen(case)
    if not case.found:
        unknown(case)
    if case.drifts() and not any(readings[0].kind in EXACT for _, readings in case.found):
        return Verdict(True, case.rates, case.planned, case.start, notes=(*notes, drift(case)))
    return made(case, notes)


def made(case: Comparison, notes: list[Reading]) -> Verdict:
    """Return the verdict: the reading of the lowest rank leads, other kinds are named beside it."""
    case.found.sort(key=lambda item: item[0])
    rank, lead = case.found[0]
    kinds = {reading.kind for reading in lead}
    also = []
    for _, readings in case.found[1:]:
        if readings[0].kind not in kinds:
            kinds.add(readings[0].kind)
            also.append(readings[0])
    if rank < 0:  # the scheduler's own count settled it
        also = []
    sure = rank < 0 or (rank < 8.5 and not also and _telling(case, lead[0]))
    first = int(case.bad[0]) + case.start
    zeros = int(((case.rates == 0) & ~case.near(case.planned, 0.0)).sum())
    if zeros > 1 and not case.flat:
        text = f"{updates_text(zeros)} are made with rate 0 where the plan has none"
        notes.append(Reading("zero_rate", text, {"updates": zeros}))
    return Verdict(
        agrees=False,
        rates=case.rates,
        planned=case.planned,
        start=case.start,
        first=first,
        differ=len(case.bad),
        readings=tuple(lead),
        also=tuple(also),
        notes=tuple(notes),
        sure=sure,
    )


def _telling(case: Comparison, lead: Reading) -> bool:
    """Return whether the rates tell enough to be sure of a reading that fits them."""
    if lead.kind == "never_changes":
        return True
    # A few steps of a staircase lie on many clocks, and so does a stretch of a few updates.
    parts = lead.numbers.get("parts", ())
    steps = not case.stepped or (len(parts) <= 2 and len(np.unique(case.rates[case.bad])) > 1)
    return steps and len(case.changes) >= 3 and all(high - low >= 5 for low, high, *_ in parts)


def noted(case: Comparison, *, agrees: bool) -> list[Reading]:
    """Return what is true of the log and no fault of the clock."""
    notes = []
    if case.start == 0 and case.near(case.rates[0], 0.0):
        planned = "as planned" if case.near(case.planned[0], 0.0) else "where the plan has a rate above 0"
        notes.append(Reading("zero_first", f"the first update is made with rate 0, {planned}"))
    end = case.start + case.n
    if agrees and case.total and end < case.total:
        left = case.share(case.rates[-1])
        text = f"the log ends at update {end:,} of {case.total:,}, at {left} of the peak"
        notes.append(Reading("short_run", text, {"updates": end}))
    if agrees and case.total and end > case.total and case.near(case.planned[-1], 0.0):
        text = f"{updates_text(end - case.total)} after the plan's end, with rate 0"
        notes.append(Reading("past_end", text, {"updates": end - case.total}))
    if case.skipped:
        text = f"{updates_text(case.skipped)} {'was' if case.skipped == 1 else 'were'} skipped"
        notes.append(Reading("skipped", text, {"updates": case.skipped}))
    return notes


def drift(case: Comparison) -> Reading:
    """Return the note that rates of single precision differ by what they were rounded."""
    off = np.abs(case.rates - case.planned) / np.maximum(np.abs(case.planned), case.absolute)
    text = f"the rates are off by up to {off.max():.1g} of themselves, which single precision adds up to"
    return Reading("drift", f"{text} where each is made of the last", {"relative": float(off.max())})


def _rounded(case: Comparison, digits: int) -> bool:
    return bool((np.abs(case.rates - np.round(case.planned, digits)) <= 1.01 * 10.0**-digits).all()) and bool(
        (np.abs(case.rates - np.round(case.rates, digits)) <= 1e-9 * case.peak).all()
    )


def unknown(case: Comparison, why: str = "no known fault gives these rates") -> None:
    """Say what can be said of rates that no reading gives."""
    worst = int(np.argmax(np.abs(case.rates - case.planned)))
    rises = np.flatnonzero((np.diff(case.rates) > case.absolute) & (np.diff(case.planned) <= 0)) + 1
    text = (
        f"{why}; most at update {worst + case.start:,}, "
        f"{case.share(case.rates[worst])} of the peak for {case.share(case.planned[worst])}"
    )
    digits = next((digits for digits in range(1, 8) if _rounded(case, digits)), None)
    if digits:
        text = f"the plan, rounded to {digits} digits after the point; of a log that rounds, say "
        text += f"tolerance={0.6 * 10**-digits:.0e}"
    elif len(rises):
        text += f"; it rises where the plan does not, first at {int(rises[0]) + case.start:,}"
    case.add(9, "unknown", text, worst=worst + case.start)
