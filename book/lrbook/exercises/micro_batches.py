"""An exercise of the chapter "Linear decay": a loop whose scheduler counts the wrong thing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lrbook.exercises.judges import alike, size
from lrbook.exercises.task import Draw, Mistake, Refused, Seen, Task, exercise, given, number, shown

CHAPTER = "linear"


@dataclass(frozen=True, kw_only=True)
class Loops:
    """Judges a loop by the rates that its updates get, for several runs with gathered micro-batches."""

    runs: tuple[tuple[int, int, float], ...]

    def ask(self, answer: str) -> str:
        return (
            f"Mend the function `{answer}`. It is tried with several numbers of micro-batches, of `k` (also "
            "`k = 1`), and of peak rates."
        )

    def see(self, answer: Any) -> Seen:
        if not callable(answer):
            raise Refused(f"a function is wanted, got {shown(answer)}.")
        return tuple(rate for run in self.runs for rate in (*self._rates(answer, run), math.nan))

    def _rates(self, answer: Callable, run: tuple[int, int, float]) -> list[float]:
        micro, k, peak = run
        call = f"with {micro} micro-batches and k = {k}"
        try:
            rates = answer(micro, k, peak)
        except (Exception, SystemExit) as error:
            raise given(f"{call}, your loop", error) from None
        if not isinstance(rates, (list, tuple)):
            raise Refused(f"{call} a list of rates is wanted, got {type(rates).__name__}.")
        return [number(rate, what=f"{call} each rate has to be a number") for rate in rates]

    def _expected(self) -> Seen:
        rates: list[float] = []
        for micro, k, peak in self.runs:
            updates = micro // k
            rates += [*(peak * (updates - done) / updates for done in range(updates)), math.nan]
        return tuple(rates)

    def right(self, seen: Seen) -> bool:
        return self.apart(seen, self._expected()) == 0.0

    def apart(self, seen: Seen, wrong: Seen) -> float:
        same = len(seen) == len(wrong) and all(
            alike(a, b, 1e-9, tiny=1e-12) for a, b in zip(seen, wrong, strict=True)
        )
        return 0.0 if same else math.inf

    def describe(self, seen: Seen) -> str:
        pairs = zip(self.runs, _parts(self._expected()), _parts(seen), strict=True)
        for (micro, k, _), ours, theirs in pairs:
            call, many = f"{micro} micro-batches with k = {k}", len(ours)
            if many != len(theirs):
                return f"{call} make {many} updates, and your list has {len(theirs)} rates."
            for place, (right, got) in enumerate(zip(ours, theirs, strict=True)):
                if not alike(got, right, 1e-9, tiny=1e-12):
                    return (
                        f"{call}: update {place} of {many} (counted from 0) gets {got:.4g}, which is "
                        f"{size(got, right)} for linear decay over the updates."
                    )
        return "these are the rates of linear decay."


def _parts(values: Seen) -> list[list[float]]:
    """Cut the rates of all runs into runs: a nan ends each."""
    parts: list[list[float]] = [[]]
    for value in values:
        if math.isnan(value):
            parts.append([])
        else:
            parts[-1].append(value)
    return parts[:-1]


LOOP = """
def loop(micro, k, peak_lr):
    rates, t = [], 0
    total = {total}
    for batch in range(micro):
        lr = max(0, 1 - {t} / total) * {peak}
        if (batch + 1) % k == 0:
            rates.append(lr)
            {inside}
        {after}
    return rates
"""


@exercise(chapter=CHAPTER, kind="diagnosis", title="It stops learning early")
def micro_batches(draw: Draw) -> Task:
    def wrong(*, total="micro // k", t="t", peak="peak_lr", inside="pass", after="pass") -> str:
        return LOOP.format(total=total, t=t, peak=peak, inside=inside, after=after)

    return Task(
        answer="loop",
        prompt="""
            The gradients of `k` micro-batches are gathered for one update, and the rate should fall linearly
            over the *updates*. With `k = 4` the training stops learning after a quarter of the run. Find the
            fault in these nine lines, and mend it. (`lrs.append` stands for the update at that rate.)
        """,
        starter="""
            def loop(micro, k, peak_lr):
                lrs, t = [], 0
                total = micro // k
                for batch in range(micro):
                    f = max(0, 1 - t / total)
                    if (batch + 1) % k == 0:
                        lrs.append(peak_lr * f)
                    t = t + 1
                return lrs
        """,
        solution="""
            def loop(micro, k, peak_lr):
                lrs, t = [], 0
                total = micro // k
                for batch in range(micro):
                    f = max(0, 1 - t / total)
                    if (batch + 1) % k == 0:
                        lrs.append(peak_lr * f)
                        t = t + 1
                return lrs
        """,
        reveal="""
            `t` has to count what `total` counts. One more level of indentation, and the scheduler steps once
            an update instead of once a micro-batch; before, the plan was used up after one `k`th of the run.
        """,
        judge=Loops(runs=((24, 4, 0.1), (10, 1, 0.5), (23, 3, 1.0))),
        mistakes=[
            Mistake(
                wrong(after="t += 1"),
                "`t` still counts micro-batches, while `total` counts updates: the rate is zero too early.",
            ),
            Mistake(
                wrong(total="micro", after="t += 1"),
                "wrong unit for both: the slope is right, but the first update has already lost "
                "part of its peak. "
                "Count updates.",
            ),
            Mistake(
                wrong(total="micro", inside="t += 1"),
                "wrong horizon: `t` counts updates now, and `total` micro-batches, so that the "
                "rate hardly falls.",
            ),
            Mistake(
                wrong(t="(t + 1)", inside="t += 1"),
                "off by one: the first update gets the whole peak, and the last one still moves.",
            ),
            Mistake(
                wrong(peak="peak_lr / k", inside="t += 1"),
                "the count is right now, but the rate was divided by `k`: the peak stays what it was.",
            ),
        ],
    )
