"""An exercise of the chapter "Linear decay": a loop whose scheduler counts the wrong thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lrbook.exercises.rates import Rates, Run
from lrbook.exercises.task import Draw, Mistake, Refused, Task, exercise, given, number

CHAPTER = "linear"


@dataclass(frozen=True, kw_only=True)
class Loops(Rates):
    """Judges a loop that returns its rates; a run is a number of micro-batches, of `k`, and a peak rate."""

    def ask(self, answer: str) -> str:
        return (
            f"Mend the function `{answer}`. It is tried with several numbers of micro-batches, of `k` (also "
            "`k = 1`), and of peak rates."
        )

    def named(self, run: Run) -> str:
        micro, k, _ = run
        return f"{micro} micro-batches with k = {k}"

    def rates(self, answer: Callable, run: Run) -> list[float]:
        call = f"with {run[0]} micro-batches and k = {run[1]}"
        try:
            rates = answer(*run)
        except (Exception, SystemExit) as error:
            raise given(f"{call}, your loop", error) from None
        if not isinstance(rates, (list, tuple)):
            raise Refused(f"{call} a list of rates is wanted, got {type(rates).__name__}.")
        return [number(rate, what=f"{call} each rate has to be a number") for rate in rates]

    def expected(self, run: Run) -> list[float]:
        micro, k, peak = run
        updates = micro // k
        return [peak * (updates - done) / updates for done in range(updates)]


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


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="It stops learning early")
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
