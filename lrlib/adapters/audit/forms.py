"""What no clock says: another height, floor or power, a frozen or compounded rate, a warm-up laid over."""

from __future__ import annotations

import math

import numpy as np

from lrlib.adapters.audit import instants
from lrlib.adapters.audit.comparison import Comparison
from lrlib.adapters.audit.plan import layered_forms, nice, updates_text


def never_changes(case: Comparison) -> None:
    if case.flat and not case.near(case.planned, case.planned[0]).all():
        value = float(case.rates[0])
        where = f"{case.share(value)} of the peak"
        where = "0" if case.near(value, 0.0) else "the peak" if case.near(value, case.plan.peak_lr) else where
        case.add(0, "never_changes", f"the rate stays at {where} for all {updates_text(case.n)}", rate=value)


def affine(case: Comparison) -> None:
    """The plan's shape with another height, another end value or another power."""
    if case.flat and not case.near(case.planned, case.planned[0]).all():
        return
    some = np.abs(case.planned) > 1e-6 * case.peak
    if not some.any():
        return
    ratios = case.rates[some] / case.planned[some]
    factor = float(np.median(ratios))
    if not case.near(factor, 1.0) and case.near(case.rates, factor * case.planned).all():
        known = [(way, words) for way, words in case.ways.items()]
        ways = [words for way, words in known if math.isclose(factor, way) or math.isclose(factor * way, 1)]
        why = "".join(f": {words}" for words in ways[:1])
        if math.isclose(factor, case.plan.peak_lr, rel_tol=1e-6):
            why = ": the peak rate, so it may be multiplied in twice"
        case.add(1, "scaled", f"the plan times {factor:.6g}{why}", factor=factor)
        return
    high, low = int(np.argmax(case.planned)), int(np.argmin(case.planned))
    between = case.planned[high] - case.planned[low]
    if between <= 1e-3 * case.peak or case.flat or len(np.unique(case.planned)) < 3:
        return
    slope = float((case.rates[high] - case.rates[low]) / between)
    level = float(case.rates[high] - slope * case.planned[high])
    floor = level / case.plan.peak_lr
    # A floor keeps the peak: factor f + (1 - f) s. Others of this form are left to the clocks.
    keeps_peak = 0 < floor < 1 and abs(slope + floor - 1) < 1e-5
    if keeps_peak and case.near(case.rates, level + slope * case.planned).all():
        text = f"the plan ends at {floor:.4g} of the peak and not at 0"
        case.add(6.5, "floor", text, floor=floor)
        return
    if _floor_after_warmup(case, high):
        return
    lowest = float(case.rates.min())
    # Of a plan that only falls, the same rates are a frozen one.
    early = case.planned[0] < lowest and case.rates[0] == lowest
    if early and lowest > case.absolute and case.near(case.rates, np.maximum(case.planned, lowest)).all():
        text = f"the plan, but never below {case.share(lowest)} of the peak"
        case.add(3, "floor", text, floor=lowest / case.plan.peak_lr)
        return
    inside = (case.planned > 1e-5 * case.peak) & (case.planned < 0.999 * case.plan.peak_lr)
    inside &= case.rates > 1e-9 * case.peak
    if inside.sum() >= 3:
        logs = np.log(case.rates[inside] / case.plan.peak_lr)
        powers = logs / np.log(case.planned[inside] / case.plan.peak_lr)
        power = float(np.median(powers))
        another = power > 0 and not math.isclose(power, 1, rel_tol=1e-6)
        peak = case.plan.peak_lr
        if another and case.fits(lambda t: peak * (case.plan.at(t) / peak) ** power):
            case.add(7, "power", f"the plan's factor to the power {nice(power)}", power=power)


def _floor_after_warmup(case: Comparison, high: int) -> bool:
    """Say where the decay alone has a floor, as of a cosine with eta_min behind a warm-up."""
    planned, peak, last = case.planned[high:], case.plan.peak_lr, case.n - 1
    if not high or case.bad[0] < high or planned[0] - planned[-1] <= 1e-3 * case.peak:
        return False
    floor = 1 - (case.rates[high] - case.rates[last]) / (planned[0] - planned[-1])
    if not 0 < floor < 1 or not case.near(case.rates[high:], floor * peak + (1 - floor) * planned).all():
        return False
    text = f"after the warm-up, the plan ends at {floor:.4g} of the peak and not at 0"
    case.add(6.5, "floor", text, floor=float(floor))
    return True


def frozen(case: Comparison) -> None:
    """As planned, and then the last rate stays. A longer horizon may give the same; it has shown nothing."""
    first = int(case.bad[0])
    if (
        0 < first <= case.n - 3
        and not case.flat
        and case.near(case.rates[first:], case.rates[first - 1]).all()
    ):
        text = (
            f"as planned up to update {first - 1 + case.start:,}; from then on the rate stays at "
            f"{case.share(case.rates[-1])} of the peak"
        )
        case.add(5.9, "frozen", text, at=first + case.start)


def ends_frozen(case: Comparison) -> None:
    """For most of the run the rate stays, and what comes before it is no reading's."""
    if case.flat:
        return
    last = int(case.changes[-1])
    if 2 * last <= case.n and not case.near(case.planned[last:], case.planned[last]).all():
        text = (
            f"from update {last + case.start:,} on the rate stays at {case.share(case.rates[-1])} of the "
            f"peak; what comes before fits no known fault"
        )
        case.add(8.7, "frozen", text, at=last + case.start, head=True)


def compounding(case: Comparison) -> None:
    """Each factor multiplies the rate that is already decayed."""
    base = case.plan(case.start)
    if not base or case.flat:
        return
    for held in sorted({1, *(held for held, offset in instants.blocks(case) if not offset)}):
        for unit in {held, 1}:
            count = -(-case.n // held)
            factors = case.plan.at(case.start + np.arange(count) * unit) / base
            factors[0] = 1.0
            curve = base * np.repeat(np.cumprod(factors), held)[: case.n]
            if case.near(case.rates, curve).all():
                often = f", once every {updates_text(held)}" if held > 1 else ""
                text = (
                    f"each factor multiplies the rate that is already decayed{often}; the last rate is "
                    f"{case.share(case.rates[-1])} of the peak for {case.share(case.planned[-1])}"
                )
                case.add(6.8, "compounding", text, every=held, unit=unit)
                return


def ramped(case: Comparison) -> None:
    """A warm-up that multiplies the plan, which has one of its own or none."""
    some = case.bad[case.planned[case.bad] > 1e-6 * case.peak]
    if case.start or len(some) < 3 or case.bad[0] > 1 or case.bad[-1] > case.n // 2:
        return
    ramp = case.rates[some] / case.planned[some]
    slope = float((ramp[-1] - ramp[0]) / (some[-1] - some[0]))
    line = ramp[0] + slope * (np.arange(case.n) - some[0])
    if slope > 0 and line[0] >= -1e-9 and case.near(case.rates, case.planned * np.minimum(line, 1)).all():
        steps = int(np.argmax(line >= 1 - 1e-6))
        text = (
            f"a warm-up of {updates_text(steps)} from {line[0]:.4g} multiplies the plan, which "
            f"{'has one of its own' if case.warmed_up() else 'has none'}"
        )
        case.add(6.2, "layered_warmup", text, warmup_steps=steps)


def layered(case: Comparison) -> None:
    """A warm-up laid over a decay that runs from update 0 on."""
    forms = layered_forms(case.plan.schedule)
    if forms is None:
        return
    steps, curves = forms
    for curve in curves:
        if case.fits(lambda t: case.plan.peak_lr * np.array([curve(x) for x in t.tolist()])):  # noqa: B023
            top = case.share(float(case.rates.max()))
            text = (
                f"the decay runs from update 0 on, under the warm-up of {updates_text(steps)}: the highest "
                f"rate is {top} of the peak"
            )
            case.add(6.2, "layered_warmup", text, warmup_steps=steps)
            return
