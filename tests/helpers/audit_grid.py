"""A grid of shapes, faults and lengths, made by formulas alone: rates, and the kinds that name the fault.

The formulas are written out here and not taken from the clocks of `lrlib.audit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    join,
    with_warmup,
)


class Case(NamedTuple):
    shape: str
    fault: str
    plan: object
    total_steps: int | None  # to be told, where the plan is a function
    factors: list[float]
    kinds: set[str]  # readings that are right; empty: it is as planned


def shapes(total: int) -> dict[str, object]:
    warmup = total // 10
    return {
        "linear": LinearDecay(total_steps=total),
        "cosine": CosineAnnealing(total_steps=total),
        "poly5": PolynomialDecay(total_steps=total, power=5),
        "poly2": PolynomialDecay(total_steps=total, power=2),
        "time": TimeDecay(decay=10 / total),
        "drop": DropDecay(drop_factor=0.25, drop_steps=max(1, round(0.15 * total))),
        "triangle": Triangle(total_steps=total, warmup_steps=warmup),
        "cosine5": CosineAnnealing(total_steps=total, cycles=5),
        "warm cosine": with_warmup(CosineAnnealing(total_steps=total - warmup), warmup),
        "wsd": join(
            [
                (with_warmup(Constant(), warmup), total - 2 * warmup),
                (LinearDecay(total_steps=2 * warmup), 2 * warmup),
            ]
        ),
        "exponential": lambda t: 0.01 ** (t / total),
        "multistep": lambda t: 1.0 if t < total // 2 else 0.1 if t < 3 * total // 4 else 0.01,
    }


def formula(plan) -> Callable[[float], float]:
    """The plan as a function of any time, fractions included."""
    return getattr(plan, "_factor", plan)


SPEEDS = {"too_fast", "horizon_short"}
HORIZONS = {"horizon_long", "horizon_short", "too_fast"}
OTHER_SPEED = {"too_slow", "too_fast"}


def _faults(name: str, total: int, epoch: int) -> Iterator[tuple[str, Callable[[int], float], set[str]]]:
    """Yield (fault, factor of update t, kinds)."""
    f = formula(shapes(total)[name])
    half, third = total // 2, total // 3
    yield "as planned", f, set()
    yield "1 ahead", lambda t: f(t + 1), {"shift_ahead"}
    yield "3 ahead", lambda t: f(t + 3), {"shift_ahead"}
    yield "1 behind", lambda t: f(max(t - 1, 0)), {"shift_behind"}
    yield "7 behind", lambda t: f(max(t - 7, 0)), {"shift_behind"}
    yield "once an epoch", lambda t: f(t - t % epoch), {"held"}
    yield "once an epoch, late", lambda t: f(max(t - t % epoch - epoch, 0)), {"held", "shift_behind"}
    yield "stepped per epoch", lambda t: f(t // epoch), {"stepped_per_epoch"}
    for speed in (2, 4, 8, epoch):
        yield f"{speed} times too fast", lambda t, speed=speed: f(t * speed), SPEEDS
    yield "per micro-batch of 4", lambda t: f(4 * t + 3), {"too_fast"}
    if name == "time":  # no horizon, so another speed
        yield "2 times too slow", lambda t: f(t / 2), {"too_slow"}
        yield "an epoch too slow", lambda t: f(t / epoch), {"too_slow", "stepped_per_epoch"}
    else:
        kinds = OTHER_SPEED if name == "drop" else HORIZONS
        lengths = (2 * total, 4 * total, half, round(0.8 * total), round(1.3 * total), total - epoch)
        for other in lengths:
            yield f"made for {other}", formula(shapes(other)[name]), kinds
            yield f"stretched to {other}", lambda t, other=other: f(t * total / other), kinds
    if f(0) > 0:

        def compounded(t: int) -> float:
            factor = f(0)
            for begun in range(0, t + 1, epoch):
                factor *= f(begun) / f(0)
            return factor

        yield "compounding", compounded, {"compounding"}
    yield "a tenth", lambda t: 0.1 * f(t), {"scaled"}
    yield "double", lambda t: 2 * f(t), {"scaled"}
    yield "constant", lambda t: 1.0, {"never_changes"}
    yield "begun again half-way", lambda t: f(t if t < half else t - half), {"restarted"}
    yield "begun again every epoch", lambda t: f(t % epoch), {"restarted"}
    yield "an epoch back", lambda t: f(t if t < third else max(t - epoch, 0)), {"jump"}
    yield "frozen", lambda t: f(min(t, third)), {"frozen"}
    yield "one step more an epoch", lambda t: f(t + t // epoch), {"extra_step"}
    yield "one step fewer an epoch", lambda t: f(t - t // epoch), {"missing_step"}
    yield "a floor", lambda t: 0.05 + 0.95 * f(t), {"floor"}


def _close(one: list[float], other: list[float]) -> bool:
    return all(abs(a - b) <= 1e-7 + 1e-6 * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))


def cases(total: int, epoch: int) -> Iterator[Case]:
    """Yield all cases of one length. Two faults with the same rates share their kinds."""
    for name, plan in shapes(total).items():
        made = [
            (fault, [factor(t) for t in range(total)], set(kinds))
            for fault, factor, kinds in _faults(name, total, epoch)
        ]
        planned = made[0][1]
        for fault, factors, kinds in made:
            for _, others, other_kinds in made:
                if _close(factors, others):
                    kinds |= other_kinds
            if max(factors) - min(factors) < 1e-12:
                kinds.add("never_changes")
            if name == "wsd" and fault == "an epoch back":
                kinds.add("horizon_long")  # a longer plateau gives the same rates
            if _close(factors, planned):
                kinds = set()
            yield Case(name, fault, plan, None if hasattr(plan, "kind") else total, factors, kinds)
